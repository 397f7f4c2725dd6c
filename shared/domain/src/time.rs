//! Moments and spans. The domain never reads a clock: `now` is an argument.

mod day;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use day::{Day, DayError};

/// A moment in UTC with millisecond precision; RFC 3339 on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(jiff::Timestamp);

/// Why a text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time in UTC")]
pub struct TimestampError;

impl Timestamp {
    /// 1970-01-01 UTC.
    pub const EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);
    /// The latest moment there is.
    pub const LATEST: Self = Self(jiff::Timestamp::MAX);

    /// From milliseconds since 1970-01-01 UTC; `None` outside the years -9999 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(millis).ok().map(Self)
    }

    /// From seconds since 1970-01-01 UTC; `None` outside the years -9999 to 9999.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        jiff::Timestamp::from_second(seconds).ok().map(Self)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn millis(&self) -> i64 {
        self.0.as_millisecond()
    }

    pub(crate) fn instant(&self) -> jiff::Timestamp {
        self.0
    }

    /// Whole seconds since 1970-01-01 UTC.
    pub fn seconds(&self) -> i64 {
        self.0.as_second()
    }

    /// Later by a span; stays at the latest moment there is rather than overflow.
    pub fn plus(&self, span: Seconds) -> Self {
        let millis = i64::from(span.0).saturating_mul(1000);
        Self::from_millis(self.millis().saturating_add(millis)).unwrap_or(Self(jiff::Timestamp::MAX))
    }

    /// Earlier by a span; stays where it is rather than leave the years that there are.
    pub fn minus(&self, span: Seconds) -> Self {
        let millis = i64::from(span.0).saturating_mul(1000);
        Self::from_millis(self.millis().saturating_sub(millis)).unwrap_or(*self)
    }

    /// The calendar day in UTC.
    pub fn day(&self) -> jiff::civil::Date {
        jiff::tz::TimeZone::UTC.to_datetime(self.0).date()
    }

    /// Milliseconds from `earlier` to this, negative if this is the earlier one.
    pub fn millis_since(&self, earlier: Self) -> i64 {
        self.millis().saturating_sub(earlier.millis())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Timestamp> for String {
    fn from(at: Timestamp) -> Self {
        at.to_string()
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        Self::from_millis(parsed.as_millisecond()).ok_or(TimestampError)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

/// A span in whole seconds; written in rules as `90s`, `15m`, `24h`, `7d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Seconds(pub u32);

impl Seconds {
    /// Doubled so often, and no longer than `most`: waits between attempts.
    #[must_use]
    pub fn doubled(self, times: u32, most: Self) -> Self {
        let factor = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
        Self(self.0.saturating_mul(factor)).min(most)
    }
}

/// Why a text is not a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a span such as 90s, 15m, 24h or 7d")]
pub struct SecondsError;

impl FromStr for Seconds {
    type Err = SecondsError;

    fn from_str(text: &str) -> Result<Self, SecondsError> {
        let unit = text.chars().last().ok_or(SecondsError)?;
        let factor: u32 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(SecondsError),
        };
        let digits = text.strip_suffix(unit).ok_or(SecondsError)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SecondsError);
        }
        let count: u32 = digits.parse().map_err(|_| SecondsError)?;
        count.checked_mul(factor).map(Self).ok_or(SecondsError)
    }
}

impl TryFrom<String> for Seconds {
    type Error = SecondsError;

    fn try_from(text: String) -> Result<Self, SecondsError> {
        text.parse()
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            s if s > 0 && s.is_multiple_of(86_400) => write!(f, "{}d", s / 86_400),
            s if s > 0 && s.is_multiple_of(3_600) => write!(f, "{}h", s / 3_600),
            s if s > 0 && s.is_multiple_of(60) => write!(f, "{}m", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

impl fmt::Debug for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Seconds> for String {
    fn from(span: Seconds) -> Self {
        span.to_string()
    }
}

/// A moment as milliseconds since 1970.
pub(crate) mod millis {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Timestamp;

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.millis())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        read(i64::deserialize(deserializer)?)
    }

    fn read<E: serde::de::Error>(millis: i64) -> Result<Timestamp, E> {
        Timestamp::from_millis(millis).ok_or_else(|| E::custom("not a moment"))
    }

    /// The same where there may be none.
    pub(crate) mod option {
        use super::{Deserializer, Serializer, Timestamp};
        use serde::{Deserialize as _, Serialize as _};

        #[expect(clippy::ref_option, reason = "serde passes a reference")]
        pub(crate) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
            at.map(|at| at.millis()).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
            Option::<i64>::deserialize(deserializer)?.map(super::read).transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_and_writes_milliseconds_in_utc() {
        let at: Timestamp = "2026-11-23T10:20:30.4567Z".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-23T10:20:30.456Z");
        assert_eq!(Timestamp::from_seconds(0).unwrap().to_string(), "1970-01-01T00:00:00.000Z");
        assert!("2026-11-23".parse::<Timestamp>().is_err());
    }

    #[test]
    fn a_wait_doubles_up_to_its_longest() {
        let (first, most) = (Seconds(30), Seconds(900));
        let waits = [0, 1, 4, 5, 31, 32, u32::MAX].map(|times| first.doubled(times, most).0);
        assert_eq!(waits, [30, 60, 480, 900, 900, 900, 900]);
        assert_eq!(Seconds(3_600).doubled(0, most), most);
    }

    #[test]
    fn a_span_reads_its_units_and_nothing_else() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800), ("0s", 0)] {
            assert_eq!(text.parse::<Seconds>(), Ok(Seconds(seconds)));
        }
        for text in ["", "m", "15", "1.5h", "-1m", "1w", "99999999d", "1 m", "é"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
    }
}
