//! The months that partners are paid by, in UTC.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Timestamp, Zone};

/// A calendar month in UTC; written `2026-11`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Period(Date);

/// Why a text is not a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a month such as 2026-11")]
pub struct PeriodError;

impl Period {
    /// The month that a moment is in.
    pub fn of(at: Timestamp) -> Self {
        Self(at.day().first_of_month())
    }

    /// The month after; the last one there is stays itself.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1.month()).first_of_month())
    }

    /// The month before; the first one there is stays itself.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1.month()).first_of_month())
    }

    /// Its first moment.
    pub fn begins(self) -> Timestamp {
        Zone::utc().first_moment(self.0, 0).unwrap_or(Timestamp::LATEST)
    }

    /// The first moment that is no longer in it.
    pub fn ends(self) -> Timestamp {
        self.next().begins()
    }

    /// January is 1.
    pub fn month(self) -> u8 {
        self.0.month().unsigned_abs()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let (year, month) = text.split_once('-').ok_or(PeriodError)?;
        let digits = |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(PeriodError);
        }
        let year = year.parse().map_err(|_| PeriodError)?;
        Date::new(year, month.parse().map_err(|_| PeriodError)?, 1).map(Self).map_err(|_| PeriodError)
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}
