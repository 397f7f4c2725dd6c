//! Dates of birth as lists give them: whole, partial, about, or between two dates.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The earliest and latest year that is taken for a year of birth.
const YEARS: std::ops::RangeInclusive<i16> = 1700..=2100;

/// A date of which at least the year is known (Gregorian).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PartialDate {
    year: i16,
    month: u8,
    day: u8,
}

/// Why a text or triple is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not `yyyy`, `yyyy-mm` or `yyyy-mm-dd`.
    #[error("`{0}` is not a date of the form yyyy, yyyy-mm or yyyy-mm-dd")]
    Form(String),
    /// The year is not one in which a client or listed person was born.
    #[error("no year of birth: {0}")]
    Year(i16),
    /// There is no such month or day.
    #[error("no such day in the calendar: {year}-{month:02}-{day:02}")]
    Calendar {
        /// The year, which is possible.
        year: i16,
        /// The month as it was written.
        month: u8,
        /// The day as it was written.
        day: u8,
    },
}

impl PartialDate {
    /// From year, month and day; 0 is an unknown month or day.
    ///
    /// # Errors
    /// The year is outside 1700 to 2100, or the calendar has no such day.
    pub fn new(year: i16, month: u8, day: u8) -> Result<Self, DateError> {
        if !YEARS.contains(&year) {
            return Err(DateError::Year(year));
        }
        if month > 12 || day > days_in(year, month) || (month == 0 && day > 0) {
            return Err(DateError::Calendar { year, month, day });
        }
        Ok(Self { year, month, day })
    }

    /// Only the year.
    ///
    /// # Errors
    /// The year is outside 1700 to 2100.
    pub fn of_year(year: i16) -> Result<Self, DateError> {
        Self::new(year, 0, 0)
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.year
    }

    /// The month, if it is known.
    pub fn month(self) -> Option<u8> {
        Some(self.month).filter(|month| *month > 0)
    }

    /// The day of the month, if it is known.
    pub fn day(self) -> Option<u8> {
        Some(self.day).filter(|day| *day > 0)
    }
}

/// Days of the month; 0 for month 0.
fn days_in(year: i16, month: u8) -> u8 {
    match month {
        0 => 0,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for PartialDate {
    type Err = DateError;

    /// `yyyy`, `yyyy-mm` or `yyyy-mm-dd`; a time after `T` or a blank is cut off, month and day 00 are unknown.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let form = || DateError::Form(text.chars().take(40).collect());
        let (date, time) = text.trim().split_once(['T', ' ']).unwrap_or((text.trim(), ":"));
        // `1968 or 1975` is not 1968
        if !time.contains(':') || time.contains(char::is_whitespace) {
            return Err(form());
        }
        let mut fields = date.split('-');
        let year = fields.next().filter(|year| year.len() == 4).and_then(|year| year.parse().ok()).ok_or_else(form)?;
        let mut number = || match fields.next() {
            None => Ok(0),
            Some(digits) if digits.len() <= 2 => digits.parse::<u8>().map_err(|_| form()),
            Some(_) => Err(form()),
        };
        let (month, day) = (number()?, number()?);
        if fields.next().is_some() {
            return Err(form());
        }
        Self::new(year, month, day)
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if self.month > 0 {
            write!(f, "-{:02}", self.month)?;
        }
        if self.day > 0 {
            write!(f, "-{:02}", self.day)?;
        }
        Ok(())
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> Self {
        date.to_string()
    }
}

impl TryFrom<String> for PartialDate {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

/// A date of birth on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BirthDate {
    /// On this date, as far as it is known.
    On(PartialDate),
    /// About this date: two years more or less.
    About(PartialDate),
    /// Not before the first and not after the second.
    Between(PartialDate, PartialDate),
}

impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(date) => date.fmt(f),
            Self::About(date) => write!(f, "about {date}"),
            Self::Between(from, to) => write!(f, "{from} to {to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_dates_are_refused_with_their_reason() {
        for text in [
            "",
            "68",
            "1968-2-3-4",
            "1968-xx",
            "1968 or 1975",
            "1968 1975",
            "1968 to 1970",
            "18 Mar 1968",
            "1968/01/02",
        ] {
            assert!(matches!(text.parse::<PartialDate>(), Err(DateError::Form(_))), "{text}");
        }
        assert_eq!("1968-02-30".parse::<PartialDate>(), Err(DateError::Calendar { year: 1968, month: 2, day: 30 }));
        assert_eq!("1969-02-29".parse::<PartialDate>(), Err(DateError::Calendar { year: 1969, month: 2, day: 29 }));
        assert_eq!("0001-01-01".parse::<PartialDate>(), Err(DateError::Year(1)));
    }

    #[test]
    fn partial_dates_are_written_as_they_were_read() {
        for text in ["1968", "1968-02", "1968-02-29"] {
            assert_eq!(text.parse::<PartialDate>().unwrap().to_string(), text);
        }
        assert_eq!("1968-00-00".parse::<PartialDate>().unwrap().to_string(), "1968");
        assert_eq!("1968-02-29T00:00:00".parse::<PartialDate>().unwrap().to_string(), "1968-02-29");
    }
}
