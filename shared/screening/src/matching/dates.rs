//! What two dates of birth say to each other.

use serde::Serialize;

use crate::index::layout::{BirthRecord, DateRecord};
use crate::model::PartialDate;

/// A date that is only about right may be this many years off.
const ABOUT_YEARS: i32 = 2;
/// A range wider than this says little.
const NARROW_RANGE_YEARS: i32 = 5;

/// How the client's date of birth stands to the list's, finest distinction first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFinding {
    /// Day, month and year are equal.
    Equal,
    /// Equal with day and month swapped.
    Swapped,
    /// The year is equal, and so are the month or the day: a typing error.
    OneFieldOff,
    /// Day and month are equal, the year is one off, or two digits of it are swapped or one is wrong.
    YearOff,
    /// What is known on both sides is equal: the year, or year and month.
    Compatible,
    /// Within two years of a date that is only about right, or within a range.
    About,
    /// Years that differ by one, of which one is all that is known.
    NextYear,
    /// Nothing to compare.
    Unknown,
    /// Same year, other day and month, both known.
    OtherDay,
    /// Another date altogether.
    Contradicts,
}

/// The same in the words of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DateVerdict {
    /// The same date.
    Match,
    /// Could be the same: partial, about, a likely slip.
    Compatible,
    /// Another date.
    Contradicts,
    /// One side has none.
    Unknown,
}

impl DateFinding {
    /// The finding in one of four words.
    pub fn verdict(self) -> DateVerdict {
        match self {
            Self::Equal => DateVerdict::Match,
            Self::Swapped | Self::OneFieldOff | Self::YearOff | Self::Compatible | Self::About | Self::NextYear => {
                DateVerdict::Compatible
            }
            Self::Unknown => DateVerdict::Unknown,
            Self::OtherDay | Self::Contradicts => DateVerdict::Contradicts,
        }
    }
}

/// The best finding among the list's alternatives.
pub(crate) fn compare(client: Option<PartialDate>, listed: &[BirthRecord]) -> DateFinding {
    let Some(client) = client else { return DateFinding::Unknown };
    listed.iter().map(|birth| one(client, birth)).min().unwrap_or(DateFinding::Unknown)
}

fn one(client: PartialDate, birth: &BirthRecord) -> DateFinding {
    let year = i32::from(client.year());
    let (from, to) = (i32::from(birth.from.year.get()), i32::from(birth.to.year.get()));
    match birth.form {
        1 if (year - from).abs() <= ABOUT_YEARS => DateFinding::About,
        2 if (from..=to).contains(&year) && to - from <= NARROW_RANGE_YEARS => DateFinding::About,
        2 if (from..=to).contains(&year) => DateFinding::NextYear,
        2 if year == from - 1 || year == to + 1 => DateFinding::NextYear,
        1 | 2 => DateFinding::Contradicts,
        _ => exact(client, birth.from),
    }
}

fn exact(client: PartialDate, listed: DateRecord) -> DateFinding {
    let listed_year = i32::from(listed.year.get());
    let year = i32::from(client.year());
    let (month, day) = (client.month(), client.day());
    let known = |number: u8| Some(number).filter(|number| *number > 0);
    let (listed_month, listed_day) = (known(listed.month), known(listed.day));
    let both_days = day.is_some() && listed_day.is_some();
    if year == listed_year {
        return match (month, listed_month) {
            (Some(month), Some(listed_month)) if both_days => {
                let (same_month, same_day) = (month == listed_month, day == listed_day);
                match (same_month, same_day) {
                    (true, true) => DateFinding::Equal,
                    _ if Some(month) == listed_day && Some(listed_month) == day => DateFinding::Swapped,
                    (true, false) | (false, true) => DateFinding::OneFieldOff,
                    // lists write the first of January for a year that is all they know
                    _ if (listed_month, listed_day) == (1, Some(1)) || (Some(month), day) == (Some(1), Some(1)) => {
                        DateFinding::Compatible
                    }
                    _ => DateFinding::OtherDay,
                }
            }
            (Some(month), Some(listed_month)) if month != listed_month => DateFinding::OtherDay,
            _ => DateFinding::Compatible,
        };
    }
    let same_day = both_days && month == listed_month && day == listed_day;
    if same_day && (year.abs_diff(listed_year) == 1 || one_digit_off(year, listed_year)) {
        return DateFinding::YearOff;
    }
    if year.abs_diff(listed_year) == 1 && !both_days {
        return DateFinding::NextYear;
    }
    DateFinding::Contradicts
}

/// One digit wrong, or the last two swapped.
fn one_digit_off(year: i32, other: i32) -> bool {
    let digits = |year: i32| [year / 1000, year / 100 % 10, year / 10 % 10, year % 10];
    let (a, b) = (digits(year), digits(other));
    let wrong = a.iter().zip(&b).filter(|(a, b)| a != b).count();
    wrong == 1 || (wrong == 2 && a[2] == b[3] && a[3] == b[2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::byteorder::little_endian::U16;

    fn on(text: &str, form: u8) -> BirthRecord {
        let mut ends = text.split("..").map(|end| {
            let date: PartialDate = end.parse().unwrap();
            DateRecord {
                year: U16::new(u16::try_from(date.year()).unwrap()),
                month: date.month().unwrap_or(0),
                day: date.day().unwrap_or(0),
            }
        });
        let from = ends.next().unwrap();
        BirthRecord { from, to: ends.next().unwrap_or(from), form }
    }

    #[test]
    fn every_relation_of_two_dates_has_its_finding() {
        use DateFinding::{
            About, Compatible, Contradicts, Equal, NextYear, OneFieldOff, OtherDay, Swapped, Unknown, YearOff,
        };
        for (client, listed, form, finding) in [
            ("1968-03-18", "1968-03-18", 0, Equal),
            ("1968-03-04", "1968-04-03", 0, Swapped),
            ("1968-03-18", "1968-03-19", 0, OneFieldOff),
            ("1968-04-18", "1968-03-18", 0, OneFieldOff),
            ("1969-03-18", "1968-03-18", 0, YearOff),
            ("1986-03-18", "1968-03-18", 0, YearOff),
            ("1958-03-18", "1968-03-18", 0, YearOff),
            ("1968", "1968-03-18", 0, Compatible),
            ("1968-03-18", "1968", 0, Compatible),
            ("1968-03", "1968-03-18", 0, Compatible),
            ("1968-07-09", "1968-01-01", 0, Compatible),
            ("1970", "1968", 1, About),
            ("1971", "1968", 1, Contradicts),
            ("1969-01-01", "1968..1970", 2, About),
            ("1971-01-01", "1968..1970", 2, NextYear),
            ("1972-01-01", "1968..1970", 2, Contradicts),
            ("1969", "1968", 0, NextYear),
            ("1969", "1968-03-18", 0, NextYear),
            ("1968-07-09", "1968-03-18", 0, OtherDay),
            ("1968-07", "1968-03-18", 0, OtherDay),
            ("1969-07-09", "1968-03-18", 0, Contradicts),
            ("1999", "1968", 0, Contradicts),
        ] {
            assert_eq!(compare(Some(client.parse().unwrap()), &[on(listed, form)]), finding, "{client} {listed}");
        }
        assert_eq!(compare(None, &[on("1968", 0)]), Unknown);
        assert_eq!(compare(Some("1968".parse().unwrap()), &[]), Unknown);
    }

    #[test]
    fn the_best_of_several_dates_counts() {
        let listed = [on("1950-01-02", 0), on("1968-03-18", 0)];
        assert_eq!(compare(Some("1968-03-18".parse().unwrap()), &listed), DateFinding::Equal);
    }
}
