//! The server's local time and the forms in which servers write it: no page of the vendor says which.

use serde::{Deserialize, Serialize};

use crate::config::Mt5Config;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How the server answers `/api/time/server`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimeForm {
    /// `1700000000 120`: seconds, a blank, milliseconds.
    Seconds,
    /// `1700000000120`.
    Milliseconds,
    /// `20231114`: no time of day.
    Date,
    /// `2023.11.14 22:13:20`.
    DateTime,
}

impl TimeForm {
    /// A moment of the server's clock, in milliseconds.
    pub(super) fn write(self, now_ms: i64) -> String {
        let (year, month, day) = civil(now_ms.div_euclid(DAY_MS));
        let second = now_ms.rem_euclid(DAY_MS) / 1_000;
        match self {
            Self::Seconds => format!("{} {}", now_ms.div_euclid(1_000), now_ms.rem_euclid(1_000)),
            Self::Milliseconds => now_ms.to_string(),
            Self::Date => format!("{year:04}{month:02}{day:02}"),
            Self::DateTime => {
                let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
                format!("{year:04}.{month:02}.{day:02} {hour:02}:{minute:02}:{second:02}")
            }
        }
    }
}

/// The server's clock.
#[derive(Debug)]
pub(super) struct LocalTime {
    /// Its time minus UTC, in seconds.
    pub(super) offset_s: i64,
    pub(super) form: TimeForm,
}

impl LocalTime {
    pub(super) fn new(config: &Mt5Config) -> Self {
        Self { offset_s: config.server_offset_s, form: TimeForm::Seconds }
    }
}

/// Year, month and day of a day since 1970, in years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_writes_the_same_moment() {
        let at = 1_700_000_000_120;
        assert_eq!(TimeForm::Seconds.write(at), "1700000000 120");
        assert_eq!(TimeForm::Milliseconds.write(at), "1700000000120");
        assert_eq!(TimeForm::Date.write(at), "20231114");
        assert_eq!(TimeForm::DateTime.write(at), "2023.11.14 22:13:20");
        for (days, date) in [(0, (1970, 1, 1)), (11_016, (2000, 2, 29)), (20_819, (2027, 1, 1)), (-1, (1969, 12, 31))] {
            assert_eq!(civil(days), date, "{days}");
        }
    }
}
