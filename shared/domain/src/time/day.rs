//! A calendar day in UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A calendar day in UTC, written `2026-11-23`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(jiff::civil::Date);

/// Why a text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a day such as 2026-11-23")]
pub struct DayError;

impl Day {
    /// The day of a moment.
    pub fn of(at: Timestamp) -> Self {
        Self(at.day())
    }

    /// The day after; the last day there is stays.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.tomorrow().unwrap_or(self.0))
    }

    /// The day before; the first day there is stays.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.yesterday().unwrap_or(self.0))
    }

    /// Its first moment.
    pub fn begins(self) -> Timestamp {
        let midnight = self.0.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
        midnight.map_or(Timestamp::EPOCH, Timestamp)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl FromStr for Day {
    type Err = DayError;

    /// In its one form: what names a partition must not have two names.
    fn from_str(text: &str) -> Result<Self, DayError> {
        let day = Self(text.parse().map_err(|_| DayError)?);
        if day.to_string() == text { Ok(day) } else { Err(DayError) }
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;

    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_form_and_its_neighbours() {
        let day: Day = "2024-02-29".parse().unwrap();
        assert_eq!((day.before().to_string().as_str(), day.next().to_string().as_str()), ("2024-02-28", "2024-03-01"));
        assert_eq!(day.begins().to_string(), "2024-02-29T00:00:00.000Z");
        assert_eq!(Day::of(day.begins()), day);
        assert_eq!(Day::of(Timestamp::from_millis(day.begins().millis() - 1).unwrap()), day.before());
        for text in ["", "2023-02-29", "20240229", "2024-2-9", "2024-02-29T00:00:00Z", " 2024-02-29", "yesterday"] {
            assert_eq!(text.parse::<Day>(), Err(DayError), "{text:?}");
        }
    }
}
