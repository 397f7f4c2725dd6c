//! Dates of a zone: six digits, two of them for the year, any part unknown.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A date as far as a document says it. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartialDate {
    /// All of it.
    Day(Date),
    /// The year, and the month where it is said: persons whose day of birth nobody knows.
    Year(i16, Option<i8>),
    /// Nothing of it, or that there is none: a card that never ends.
    Unknown,
}

impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PartialDate {
    /// The day, if all of it is said.
    pub fn day(self) -> Option<Date> {
        match self {
            Self::Day(day) => Some(day),
            Self::Year(..) | Self::Unknown => None,
        }
    }

    /// Whether a day may be meant.
    pub fn may_be(self, other: Date) -> bool {
        match self {
            Self::Day(day) => day == other,
            Self::Year(year, month) => year == other.year() && month.is_none_or(|month| month == other.month()),
            Self::Unknown => true,
        }
    }

    /// A date of birth: the latest century in which it is not ahead of `today`.
    pub(super) fn birth(text: &str, today: Date) -> Option<Self> {
        Self::parse(text, |year, month, day| birth_year(year, month, day, today))
    }

    /// The end of a document's validity: the year nearest to today's, for documents are valid for ten years or so, but for
    /// cards that never end and say 9999 with two digits. What such a card says cannot be told from the year 1999.
    pub(super) fn expiry(text: &str, today: Date) -> Option<Self> {
        if matches!(text, "990101" | "991231" | "999999") {
            return Some(Self::Unknown);
        }
        Self::parse(text, |year, _, _| expiry_year(year, today))
    }

    fn parse(text: &str, century: impl Fn(i16, i8, i8) -> i16) -> Option<Self> {
        let part = |from: usize| match text.get(from..from.saturating_add(2))? {
            "<<" => Some(None),
            digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse::<i8>().ok().map(Some),
            _ => None,
        };
        let (year, month, day) = (part(0)?, part(2)?, part(4)?);
        // some states write an unknown part with noughts
        let (month, day) = (month.filter(|month| *month != 0), day.filter(|day| *day != 0));
        match (year, month, day) {
            (Some(year), Some(month), Some(day)) => {
                let year = century(i16::from(year), month, day);
                Date::new(year, month, day).ok().map(Self::Day)
            }
            (Some(0), None, None) if text == "000000" => Some(Self::Unknown),
            (Some(year), month, None) if month.is_none_or(|month| (1..=12).contains(&month)) => {
                Some(Self::Year(century(i16::from(year), month.unwrap_or(1), 1), month))
            }
            (None, None, None) => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// The year that ends in two digits and is the latest in which the day is not ahead.
pub(crate) fn birth_year(year: i16, month: i8, day: i8, today: Date) -> i16 {
    let this = in_this_century(year, today);
    if (this, month, day) > (today.year(), today.month(), today.day()) { this.saturating_sub(100) } else { this }
}

/// The year that ends in two digits and is nearest to today's.
pub(crate) fn expiry_year(year: i16, today: Date) -> i16 {
    let this = in_this_century(year, today);
    match this.saturating_sub(today.year()) {
        50.. => this.saturating_sub(100),
        -49..50 => this,
        ..-49 => this.saturating_add(100),
    }
}

fn in_this_century(year: i16, today: Date) -> i16 {
    today.year().saturating_sub(today.year().rem_euclid(100)).saturating_add(year)
}
