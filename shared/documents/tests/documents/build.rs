//! Zones and lines of text as readers hand them over.

use documents::{CERTAIN, Line, Place};
use jiff::civil::{Date, date};

pub fn today() -> Date {
    date(2026, 11, 29)
}

/// Lines below each other, each as wide as its text.
pub fn page(texts: &[&str]) -> Vec<Line> {
    (0..).zip(texts).map(|(row, text)| line(text, 40, 40 + row * 40)).collect()
}

pub fn line(text: &str, left: i32, top: i32) -> Line {
    let width = i32::try_from(text.chars().count()).unwrap() * 16;
    Line::plain(text, CERTAIN, Place { left, top, width, height: 28 })
}

pub fn zone(texts: &[&str]) -> Option<documents::Zone> {
    documents::mrz::read(&page(texts), today())
}

pub fn check_digit(text: &str) -> char {
    let value = |letter: char| letter.to_digit(36).unwrap_or(0);
    let sum: u32 =
        text.chars().map(value).zip([7, 3, 1].into_iter().cycle()).map(|(value, weight)| value * weight).sum();
    char::from_digit(sum % 10, 10).unwrap()
}

fn filled(text: &str, width: usize) -> String {
    let mut text: String = text.chars().take(width).collect();
    text.extend(std::iter::repeat_n('<', width - text.len()));
    text
}

fn checked(text: &str, width: usize) -> String {
    let field = filled(text, width);
    let digit = check_digit(&field);
    format!("{field}{digit}")
}

/// What a zone is made of.
#[derive(Debug, Clone)]
pub struct Person {
    pub code: String,
    pub issuer: String,
    pub primary: Vec<String>,
    pub secondary: Vec<String>,
    pub number: String,
    pub nationality: String,
    pub born: String,
    pub sex: char,
    pub expires: String,
    pub optional: String,
}

impl Person {
    pub fn names(&self) -> String {
        [self.primary.join("<"), self.secondary.join("<")].join("<<")
    }

    fn first(&self, width: usize) -> String {
        filled(&format!("{}{}{}", filled(&self.code, 2), filled(&self.issuer, 3), self.names()), width)
    }

    fn dates(&self) -> (String, String) {
        (checked(&self.born, 6), checked(&self.expires, 6))
    }

    pub fn td3(&self) -> Vec<String> {
        let (born, expires) = self.dates();
        let (number, optional) = (checked(&self.number, 9), checked(&self.optional, 14));
        let composite = check_digit(&format!("{number}{born}{expires}{optional}"));
        let nationality = filled(&self.nationality, 3);
        vec![self.first(44), format!("{number}{nationality}{born}{}{expires}{optional}{composite}", self.sex)]
    }

    pub fn td2(&self) -> Vec<String> {
        let (born, expires) = self.dates();
        let (number, optional) = (checked(&self.number, 9), filled(&self.optional, 7));
        let composite = check_digit(&format!("{number}{born}{expires}{optional}"));
        let nationality = filled(&self.nationality, 3);
        vec![self.first(36), format!("{number}{nationality}{born}{}{expires}{optional}{composite}", self.sex)]
    }

    pub fn td1(&self) -> Vec<String> {
        let (born, expires) = self.dates();
        let (head, rest) = self.number.split_at(self.number.len().min(9));
        let upper = if rest.is_empty() {
            filled(&format!("{}{}", checked(head, 9), self.optional), 25)
        } else {
            filled(&format!("{head}<{rest}{}", check_digit(&self.number)), 25)
        };
        let composite = check_digit(&format!("{upper}{born}{expires}{}", filled("", 11)));
        let first = format!("{}{}{upper}", filled(&self.code, 2), filled(&self.issuer, 3));
        let nationality = filled(&self.nationality, 3);
        let second = format!("{born}{}{expires}{nationality}{}{composite}", self.sex, filled("", 11));
        vec![first, second, filled(&self.names(), 30)]
    }
}
