//! Words that the lists use alike: dates in English, nulls.

use crate::model::{BirthDate, DateError, PartialDate};

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A field that says something: not empty and none of the words for nothing.
pub(super) fn given(field: Option<&str>) -> Option<&str> {
    code(field).filter(|text| !matches!(*text, "na" | "NA"))
}

/// The same for a country or its code: NA is Namibia.
pub(super) fn code(field: Option<&str>) -> Option<&str> {
    field.map(str::trim).filter(|text| !matches!(*text, "" | "-0-" | "-" | "N/A" | "n/a"))
}

/// Words that say that a date is only about right, before and behind it.
const ABOUT: [&str; 8] = ["circa ", "c. ", "ca. ", "approximately ", "approx. ", "approx ", "around ", "about "];
const ABOUT_BEHIND: [&str; 8] =
    ["(circa)", "(approximately)", "(approximate)", "(approx.)", "(approx)", "approximately", "approx", "?"];

/// A date of birth as OFAC, the UK and others word it: `18 Mar 1968`, `Mar 1968`, `1968`, `circa 1968`, `1968 to 1970`, `01/02/1968`,
/// `dd/mm/1968`, `1960s`, ISO.
pub(super) fn birth_date(text: &str) -> Result<BirthDate, String> {
    let text = text.trim().trim_end_matches('.');
    let lower = text.to_ascii_lowercase();
    if let Some(date) = ABOUT.iter().find_map(|about| lower.strip_prefix(about)) {
        return birth_date(date).map(about);
    }
    if let Some(date) = ABOUT_BEHIND.iter().find_map(|about| lower.strip_suffix(about)).filter(|date| !date.is_empty())
    {
        return birth_date(date).map(about);
    }
    if let Some((from, to)) = lower.strip_prefix("between ").and_then(|dates| dates.split_once(" and ")) {
        return Ok(BirthDate::Between(date(from)?, date(to)?));
    }
    for between in [" to ", " - ", " – "] {
        if let Some((from, to)) = lower.strip_prefix("between ").unwrap_or(&lower).split_once(between) {
            return Ok(BirthDate::Between(date(from)?, date(to)?));
        }
    }
    if let Some(decade) = decade(&lower) {
        return decade;
    }
    // `1979-1982`; `1979-12` is a month
    if let Some((from, to)) = lower.split_once('-').filter(|(from, to)| from.len() == 4 && to.len() == 4) {
        return Ok(BirthDate::Between(date(from)?, date(to)?));
    }
    date(&lower).map(BirthDate::On)
}

/// The same date with less certainty: a range about its ends is two years wider on both sides.
pub(super) fn about(date: BirthDate) -> BirthDate {
    let year = |date: PartialDate, off: i16| PartialDate::of_year(date.year() + off).unwrap_or(date);
    match date {
        BirthDate::On(date) => BirthDate::About(date),
        BirthDate::Between(from, to) => BirthDate::Between(year(from, -ABOUT_YEARS), year(to, ABOUT_YEARS)),
        about @ BirthDate::About(_) => about,
    }
}

const ABOUT_YEARS: i16 = 2;

/// `1960s`, `late 1960s`: any of ten years.
fn decade(lower: &str) -> Option<Result<BirthDate, String>> {
    let text =
        ["early ", "mid ", "mid-", "late ", "the "].iter().find_map(|part| lower.strip_prefix(part)).unwrap_or(lower);
    let first = text.strip_suffix("'s").or_else(|| text.strip_suffix('s'))?;
    let first: i16 = Some(first).filter(|year| year.len() == 4 && year.ends_with('0'))?.parse().ok()?;
    Some(years(first, first + 9))
}

/// Any of the years from the first to the last.
pub(super) fn years(first: i16, last: i16) -> Result<BirthDate, String> {
    let year = |year| PartialDate::of_year(year).map_err(|error| error.to_string());
    Ok(BirthDate::Between(year(first)?, year(last)?))
}

/// What stands where a day or month is not known: `dd`, `mm`, `xx`, `??`, `00`.
fn is_placeholder(field: &str) -> bool {
    !field.is_empty() && field.chars().all(|c| matches!(c, 'd' | 'm' | 'x' | '?' | '*' | '_' | '0'))
}

fn date(text: &str) -> Result<PartialDate, String> {
    let text = text.trim().trim_end_matches(['.', ',']);
    match text.parse::<PartialDate>() {
        Ok(date) => return Ok(date),
        Err(DateError::Form(_)) => {}
        Err(impossible) => return Err(impossible.to_string()),
    }
    let not_a_date = || format!("`{}` is not a date", text.chars().take(40).collect::<String>());
    let fields: Vec<&str> = text.split([' ', '/', '.', ',']).filter(|field| !field.is_empty()).collect();
    let number = |field: &str| if is_placeholder(field) { Some(0) } else { field.parse::<u8>().ok() };
    let (year, month, day) = match fields.as_slice() {
        [year] => (*year, 0, 0),
        [month, year] => (*year, month_of(month).or_else(|| number(month)).ok_or_else(not_a_date)?, 0),
        [day, month, year] => {
            let month_name = month_of(month).or_else(|| number(month));
            match (number(day), month_name) {
                (Some(day), Some(month)) => (*year, month, day),
                // US order: March 18 1968
                _ => (*year, month_of(day).ok_or_else(not_a_date)?, number(month).ok_or_else(not_a_date)?),
            }
        }
        _ => return Err(not_a_date()),
    };
    let year = Some(year).filter(|year| year.len() == 4).and_then(|year| year.parse().ok()).ok_or_else(not_a_date)?;
    // a day of an unknown month says nothing
    let day = if month == 0 { 0 } else { day };
    PartialDate::new(year, month, day).map_err(|error| error.to_string())
}

fn month_of(text: &str) -> Option<u8> {
    let short = text.get(..3)?.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| *month == short)?;
    text.bytes().all(|c| c.is_ascii_alphabetic()).then(|| u8::try_from(at + 1).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_words_are_read() {
        for (text, read) in [
            ("18 Mar 1968", "1968-03-18"),
            ("1968", "1968"),
            ("Mar 1968", "1968-03"),
            ("circa 1968", "about 1968"),
            ("circa Mar 1968", "about 1968-03"),
            ("1968 to 1970", "1968 to 1970"),
            ("01 Jan 1968 to 31 Dec 1970", "1968-01-01 to 1970-12-31"),
            ("1968-03-18", "1968-03-18"),
            ("1979-1982", "1979 to 1982"),
            ("18/03/1968", "1968-03-18"),
            ("00/00/1968", "1968"),
            ("March 18, 1968", "1968-03-18"),
            ("1968.", "1968"),
            ("dd/mm/1975", "1975"),
            ("dd/05/1968", "1968-05"),
            ("05/mm/1968", "1968"),
            ("05/1968", "1968-05"),
            ("Nov. 1973", "1973-11"),
            ("1960s", "1960 to 1969"),
            ("late 1960's", "1960 to 1969"),
            ("circa 1960s", "1958 to 1971"),
            ("circa 1968 to 1970", "1966 to 1972"),
            ("1968 (approximately)", "about 1968"),
            ("1968?", "about 1968"),
            ("between Aug 1977 and Sep 1977", "1977-08 to 1977-09"),
        ] {
            assert_eq!(birth_date(text).unwrap().to_string(), read, "{text}");
        }
        for text in [
            "",
            "unknown",
            "30 Feb 1968",
            "1 2 3 4",
            "68",
            "Mar",
            "1968 or 1975",
            "30-35 years old",
            "24/06/1402 (Hijri Calendar)",
            "1965s",
            "?",
        ] {
            assert!(birth_date(text).is_err(), "{text}");
        }
    }
}
