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

/// A date of birth as OFAC, OFSI and others word it: `18 Mar 1968`, `Mar 1968`, `1968`, `circa 1968`, `1968 to 1970`, `01/02/1968`, ISO.
pub(super) fn birth_date(text: &str) -> Result<BirthDate, String> {
    let text = text.trim().trim_end_matches('.');
    let lower = text.to_ascii_lowercase();
    for about in ["circa ", "c. ", "approximately ", "approx. ", "approx ", "around ", "about "] {
        if let Some(date) = lower.strip_prefix(about) {
            return match birth_date(date)? {
                BirthDate::On(date) => Ok(BirthDate::About(date)),
                other => Ok(other),
            };
        }
    }
    for between in [" to ", " - ", " and "] {
        if let Some((from, to)) = lower.strip_prefix("between ").unwrap_or(&lower).split_once(between) {
            return Ok(BirthDate::Between(date(from)?, date(to)?));
        }
    }
    // `1979-1982`; `1979-12` is a month
    if let Some((from, to)) = lower.split_once('-').filter(|(from, to)| from.len() == 4 && to.len() == 4) {
        return Ok(BirthDate::Between(date(from)?, date(to)?));
    }
    date(&lower).map(BirthDate::On)
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
    let number = |field: &str| field.parse::<u8>().ok();
    let (year, month, day) = match fields.as_slice() {
        [year] => (*year, 0, 0),
        [month, year] => (*year, month_of(month).ok_or_else(not_a_date)?, 0),
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
        ] {
            assert_eq!(birth_date(text).unwrap().to_string(), read, "{text}");
        }
        for text in ["", "unknown", "30 Feb 1968", "1 2 3 4", "68", "Mar"] {
            assert!(birth_date(text).is_err(), "{text}");
        }
    }
}
