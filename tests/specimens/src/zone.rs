//! Machine-readable zones for specimens (ICAO 9303 parts 4 and 5), written here on its own: the reader is tested against it.

use crate::people::{Day, Person};

fn digit(text: &str) -> char {
    let value = |letter: char| match letter {
        '0'..='9' => letter as u32 - '0' as u32,
        'A'..='Z' => letter as u32 - 'A' as u32 + 10,
        _ => 0,
    };
    let sum: u32 = text.chars().zip([7, 3, 1].into_iter().cycle()).map(|(letter, weight)| value(letter) * weight).sum();
    char::from_digit(sum % 10, 10).unwrap_or('0')
}

fn padded(text: &str, length: usize) -> String {
    text.chars().chain(std::iter::repeat('<')).take(length).collect()
}

fn date(day: Day) -> String {
    format!("{:02}{:02}{:02}", day.year % 100, day.month, day.day)
}

fn names(person: &Person, length: usize) -> String {
    let typed = |name: &str| transliterated(name).replace([' ', '-'], "<");
    padded(&format!("{}<<{}", typed(person.surname), typed(&person.given)), length)
}

/// As ICAO 9303 part 3 writes letters that a zone does not have.
pub fn transliterated(name: &str) -> String {
    let mut typed = String::new();
    for letter in name.chars().flat_map(char::to_uppercase) {
        match letter {
            'Ä' | 'Æ' => typed.push_str("AE"),
            'Ö' | 'Ø' | 'Œ' => typed.push_str("OE"),
            'Ü' => typed.push_str("UE"),
            'ß' | 'ẞ' => typed.push_str("SS"),
            'Å' => typed.push_str("AA"),
            'Á' | 'À' | 'Â' | 'Ã' | 'Ą' | 'Ă' => typed.push('A'),
            'Ç' | 'Č' | 'Ć' => typed.push('C'),
            'É' | 'È' | 'Ê' | 'Ë' | 'Ę' | 'Ě' => typed.push('E'),
            'Í' | 'Ï' => typed.push('I'),
            'Ł' => typed.push('L'),
            'Ñ' | 'Ń' => typed.push('N'),
            'Ó' | 'Ô' => typed.push('O'),
            'Ř' => typed.push('R'),
            'Ś' | 'Š' => typed.push('S'),
            'Ú' | 'Ů' => typed.push('U'),
            'Ž' | 'Ź' | 'Ż' => typed.push('Z'),
            '\'' => {}
            other => typed.push(other),
        }
    }
    typed
}

/// The two lines of a passport.
pub fn td3(person: &Person) -> Vec<String> {
    let first = format!("P<{}{}", padded(person.state, 3), names(person, 39));
    let number = padded(&person.number, 9);
    let (birth, expiry) = (date(person.birth), date(person.expiry));
    let optional = "<".repeat(14);
    let body = format!(
        "{number}{}{}{birth}{}{}{expiry}{}{optional}<",
        digit(&number),
        padded(person.state, 3),
        digit(&birth),
        person.sex,
        digit(&expiry)
    );
    let checked: String =
        body.chars().enumerate().filter(|(at, _)| !matches!(at, 10..=12 | 20)).map(|(_, c)| c).collect();
    let last = digit(&checked);
    vec![first, format!("{body}{last}")]
}

/// The three lines of a card.
pub fn td1(person: &Person) -> Vec<String> {
    let number = padded(&person.number, 9);
    let first = format!("I<{}{number}{}{}", padded(person.state, 3), digit(&number), "<".repeat(15));
    let (birth, expiry) = (date(person.birth), date(person.expiry));
    let second = format!(
        "{birth}{}{}{expiry}{}{}{}",
        digit(&birth),
        person.sex,
        digit(&expiry),
        padded(person.state, 3),
        "<".repeat(11)
    );
    let part = |text: &str, from: usize, to: usize| text.chars().skip(from).take(to - from).collect::<String>();
    let checked = part(&first, 5, 30) + &part(&second, 0, 7) + &part(&second, 8, 15) + &part(&second, 18, 29);
    vec![first, format!("{second}{}", digit(&checked)), names(person, 30)]
}
