//! Time zones of the IANA database that is built into the program: the same everywhere, without reading a file.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone by its IANA name, such as `America/Mexico_City`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Why a text is not a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time zone of the IANA database, such as Europe/Madrid")]
pub struct ZoneError;

/// What a clock on the wall shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallClock(DateTime);

impl WallClock {
    /// The calendar day.
    pub fn date(&self) -> Date {
        self.0.date()
    }

    /// Minutes since midnight by the clock, 0 to 1439.
    pub fn minute_of_day(&self) -> u16 {
        let (hour, minute) = (self.0.hour().unsigned_abs(), self.0.minute().unsigned_abs());
        u16::from(hour) * 60 + u16::from(minute)
    }
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The clock on the wall at a moment.
    pub fn wall_clock(&self, at: Timestamp) -> WallClock {
        WallClock(self.zone.to_datetime(at.instant()))
    }

    /// The first moment at which the clock shows a time of a day (in minutes since its midnight; 1440 is the end of the
    /// day). A time that daylight saving skips is the moment of the change.
    pub fn first_moment(&self, date: Date, minute_of_day: u16) -> Option<Timestamp> {
        self.moment(date, minute_of_day, false)
    }

    /// The last moment at which the clock shows a time of a day: the second one where the clock is put back.
    pub fn last_moment(&self, date: Date, minute_of_day: u16) -> Option<Timestamp> {
        self.moment(date, minute_of_day, true)
    }

    fn moment(&self, date: Date, minute_of_day: u16, last: bool) -> Option<Timestamp> {
        let date = if minute_of_day >= 1440 { date.tomorrow().ok()? } else { date };
        let minute = minute_of_day % 1440;
        let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
        let shown = date.at(hour, minute, 0, 0);
        let ambiguous = self.zone.to_ambiguous_timestamp(shown);
        let instant = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(shown).ok()?,
            AmbiguousOffset::Fold { before, after } => if last { after } else { before }.to_timestamp(shown).ok()?,
            AmbiguousOffset::Gap { before, .. } => {
                // with the offset before the change the moment lies after it, so the change is the newest one by then
                let beyond = before.to_timestamp(shown).ok()?;
                let after = beyond.checked_add(jiff::SignedDuration::from_nanos(1)).ok()?;
                self.zone.preceding(after).next()?.timestamp()
            }
        };
        Timestamp::from_millis(instant.as_millisecond())
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        let zone = DATABASE.get(text).map_err(|_| ZoneError)?;
        let name = zone.iana_name().unwrap_or(text).to_owned();
        Ok(Self { name, zone })
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(text: String) -> Result<Self, ZoneError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn moments(zone: &str, day: Date, minute: u16) -> (String, String) {
        let zone: Zone = zone.parse().unwrap();
        let text = |at: Option<Timestamp>| at.unwrap().to_string();
        (text(zone.first_moment(day, minute)), text(zone.last_moment(day, minute)))
    }

    #[test]
    fn a_skipped_hour_is_the_moment_of_the_change_and_a_repeated_one_has_two_ends() {
        let berlin = |day, minute| moments("Europe/Berlin", day, minute);
        let change = "2026-03-29T01:00:00.000Z".to_owned();
        assert_eq!(berlin(date(2026, 3, 29), 150), (change.clone(), change.clone()));
        assert_eq!(berlin(date(2026, 3, 29), 180), (change.clone(), change));
        assert_eq!(
            berlin(date(2026, 10, 25), 150),
            ("2026-10-25T00:30:00.000Z".to_owned(), "2026-10-25T01:30:00.000Z".to_owned())
        );
        let midnight = "2026-11-25T23:00:00.000Z".to_owned();
        assert_eq!(berlin(date(2026, 11, 25), 1440), (midnight.clone(), midnight));
    }

    #[test]
    fn a_zone_has_the_name_of_the_database_and_nothing_else_is_one() {
        assert_eq!("america/mexico_city".parse::<Zone>().unwrap().name(), "America/Mexico_City");
        for text in ["", "Mexico", "GMT+25", "Europe/Atlantis", "../etc/passwd"] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
    }
}
