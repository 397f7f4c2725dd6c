//! Dates as people write them on documents.

use jiff::civil::Date;

use super::text::Word;
use crate::mrz::{birth_year, expiry_year, twin};

const MONTHS: &str = include_str!("months.txt");

/// A date as it stands there: with two digits for the year its century is open, and two numbers may be day and month either way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    year: i16,
    two_digits: bool,
    month: i8,
    day: i8,
    swappable: bool,
}

/// What a date is of, which says the century that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Birth,
    Validity,
}

impl Written {
    /// The days that may be meant, the most likely first.
    pub(crate) fn days(self, of: Of, today: Date) -> Vec<Date> {
        let orders = [Some((self.month, self.day)), self.swappable.then_some((self.day, self.month))];
        let days = orders.into_iter().flatten().filter_map(|(month, day)| {
            let year = match (self.two_digits, of) {
                (false, _) => self.year,
                (true, Of::Birth) => birth_year(self.year, month, day, today),
                (true, Of::Validity) => expiry_year(self.year, today),
            };
            Date::new(year, month, day).ok()
        });
        days.collect()
    }

    /// Whether it says the century.
    pub(crate) fn is_full(self) -> bool {
        !self.two_digits
    }
}

/// Every date among the words of a line.
pub(crate) fn dates_in(words: &[Word]) -> Vec<Written> {
    let parts: Vec<String> = words.iter().flat_map(|word| parts(word.plain())).collect();
    let mut dates = vec![];
    let mut at = 0;
    while let Some(rest) = parts.get(at..).filter(|rest| !rest.is_empty()) {
        let found = written(rest);
        at = at.saturating_add(found.map_or(1, |(_, length)| length));
        dates.extend(found.map(|(date, _)| date));
    }
    dates
}

/// Readers lose blanks, so figures and letters are parted, and eight figures are a date. They also read letters for figures: a
/// short word that is one figure at least, and else what looks like figures, has none.
fn parts(word: &str) -> Vec<String> {
    let figure = |letter: char| if letter.is_ascii_digit() { Some(letter) } else { twin(letter) };
    let figures = word.bytes().any(|letter| letter.is_ascii_digit()) && word.len() <= 4;
    let mended: Option<String> = word.chars().map(figure).filter(|_| figures).collect();
    let word = mended.filter(|mended| !mended.is_empty()).unwrap_or_else(|| word.to_owned());
    let mut parts: Vec<String> = vec![];
    for letter in word.chars() {
        match parts.last_mut() {
            Some(part) if part.chars().all(|other| other.is_ascii_digit() == letter.is_ascii_digit()) => {
                part.push(letter)
            }
            _ => parts.push(letter.to_string()),
        }
    }
    parts.into_iter().flat_map(eight_figures).collect()
}

fn eight_figures(part: String) -> Vec<String> {
    let split = |at: [usize; 2]| -> Option<Vec<String>> {
        let (first, rest) = part.split_at_checked(at[0])?;
        let (second, third) = rest.split_at_checked(at[1])?;
        Some([first, second, third].map(str::to_owned).to_vec())
    };
    match part.parse::<u32>() {
        Ok(_) if part.len() == 8 && part.starts_with(['1', '2']) && year_of(&part).is_some() => split([4, 2]),
        Ok(_) if part.len() == 8 => split([2, 2]),
        _ => None,
    }
    .unwrap_or_else(|| vec![part.clone()])
}

fn year_of(part: &str) -> Option<i16> {
    part.get(..4)?.parse().ok().filter(|year| (1900..2100).contains(year))
}

/// The date that the parts begin with, and how many of them it takes.
fn written(parts: &[String]) -> Option<(Written, usize)> {
    let part = |at: usize| parts.get(at).map(String::as_str);
    let number =
        |at: usize, most: usize| part(at).filter(|part| part.len() <= most).and_then(|part| part.parse::<i16>().ok());
    let month = |at: usize| part(at).and_then(named_month);
    // 12 MAR 1990, 12 MAR/MARS 90
    if let (Some(day), Some(named)) = (number(0, 2), month(1)) {
        let second = usize::from(month(2).is_some());
        let year = part(second.saturating_add(2)).and_then(year)?;
        return date(year, named, day, false).map(|date| (date, second.saturating_add(3)));
    }
    // MAR 12, 1990
    if let (Some(named), Some(day)) = (month(0), number(1, 2)) {
        return date(part(2).and_then(year)?, named, day, false).map(|date| (date, 3));
    }
    let second = number(1, 2)?;
    // 1990-03-12
    if let (Some(year), Some(day)) = (part(0).filter(|part| part.len() == 4).and_then(year_of), number(2, 2)) {
        return date((year, false), second, day, false).map(|date| (date, 3));
    }
    // 12.03.1990, 12 03 90; with the month first where it cannot be the other way round
    let (first, year) = (number(0, 2)?, part(2).and_then(year)?);
    if second > 12 {
        return date(year, first, second, false).map(|date| (date, 3));
    }
    date(year, second, first, first <= 12 && first != second).map(|date| (date, 3))
}

/// The year, and whether it has two digits only.
fn year(part: &str) -> Option<(i16, bool)> {
    match part.len() {
        4 => year_of(part).map(|year| (year, false)),
        2 => part.parse().ok().map(|year| (year, true)),
        _ => None,
    }
}

fn date((year, two_digits): (i16, bool), month: i16, day: i16, swappable: bool) -> Option<Written> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
    valid.then_some(Written { year, two_digits, month, day, swappable })
}

fn named_month(word: &str) -> Option<i16> {
    let months = MONTHS.lines().filter_map(|line| line.split_once('='));
    let of = months.into_iter().find(|(_, names)| names.split('|').any(|name| name == word));
    of.and_then(|(number, _)| number.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{CERTAIN, Line, Place};
    use crate::visual::text;

    fn days(line: &str, of: Of) -> Vec<Vec<String>> {
        let lines = text::lines(&[Line::plain(line, CERTAIN, Place::default())], &[], 0);
        let today = jiff::civil::date(2026, 11, 29);
        let dates = dates_in(&lines[0].words).into_iter();
        dates.map(|date| date.days(of, today).iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn dates_are_read_as_documents_write_them() {
        for line in [
            "12 MAR 1990",
            "12.03.1990 ",
            "12 MAR/MARS 90",
            "12 MARS / MAR 1990",
            "12MAR1990",
            "March 12, 1990",
            "12 MÄRZ 1990",
            "1990-03-12",
            "19900312",
            "12 marzo 1990",
            "Born 12 Mar 1990 in Utopia",
            "3/12 MAR 1990",
            "I2.O3.1990",
        ] {
            assert_eq!(days(line, Of::Birth).last().unwrap()[0], "1990-03-12", "{line}");
        }
        assert_eq!(days("12 03 1990", Of::Birth), [["1990-03-12", "1990-12-03"]]);
        assert_eq!(days("13 03 1990", Of::Birth), [["1990-03-13"]]);
        assert_eq!(days("03/13/1990", Of::Birth), [["1990-03-13"]]);
        assert_eq!(days("01.02.2015 31.01.2030", Of::Validity).len(), 2);
    }

    #[test]
    fn two_digits_of_a_year_mean_what_the_date_is_of() {
        assert_eq!(days("12 MAR 30", Of::Birth), [["1930-03-12"]]);
        assert_eq!(days("12 MAR 30", Of::Validity), [["2030-03-12"]]);
        assert_eq!(days("28 NOV 26", Of::Birth), [["2026-11-28"]]);
        assert_eq!(days("30 NOV 26", Of::Birth), [["1926-11-30"]]);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for line in ["12 MARIA 1990", "45 MAR 1990", "99 99 9999", "L898902C3", "12", ""] {
            let lines = text::lines(&[Line::plain(line, CERTAIN, Place::default())], &[], 0);
            let count = lines.first().map_or(0, |line| dates_in(&line.words).len());
            assert!(days_are_none(line) || count == 0, "{line}");
        }
    }

    fn days_are_none(line: &str) -> bool {
        days(line, Of::Birth).iter().all(Vec::is_empty)
    }
}
