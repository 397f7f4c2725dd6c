//! The server's clock. The manager interface knows no time zone: its times are the server's own, and the bridge hands them on.

use std::time::Duration;

use domain::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::time::Instant;

use super::Mt4;
use super::bridge::Call;
use crate::platforms::PlatformError;
use crate::platforms::call::unreadable;

/// How much a window is widened on either side once the clocks were compared, in seconds: five minutes for the clocks and an hour for a
/// switch of the server's daylight saving time between booking and looking.
const LOOK_UP_SKEW_S: i64 = 3_900;

/// No time zone is further from UTC, in seconds. What is further is a wrong clock, and a window moved by it would lie where nothing is.
const OFFSET_S_MAX: u64 = 15 * 3_600;

/// How long a comparison of the clocks is good.
const OFFSET_LIFE: Duration = Duration::from_secs(600);

/// A time as the server has it, in seconds since 1970; none on either side stands for everything.
pub(super) type Window = Option<(i64, i64)>;

impl Mt4 {
    /// A time as the server's clock has it, widened by what is not known of that clock.
    pub(super) async fn window(&self, from: Timestamp, to: Timestamp, until: Instant) -> Result<Window, PlatformError> {
        let offset = self.clock_offset_s(until).await?;
        Ok(offset.map(|offset| {
            (
                from.seconds().saturating_add(offset).saturating_sub(LOOK_UP_SKEW_S),
                to.seconds().saturating_add(offset).saturating_add(LOOK_UP_SKEW_S),
            )
        }))
    }

    /// The server's clock minus ours; none where it makes no sense.
    pub(super) async fn clock_offset_s(&self, until: Instant) -> Result<Option<i64>, PlatformError> {
        let known = self.clock_offset.lock().await.filter(|(_, at)| at.elapsed() <= OFFSET_LIFE);
        if let Some((offset, _)) = known {
            return Ok(Some(offset));
        }
        let data = self.call(&Call::read(&["ServerTime"], &[]), until).await?;
        let server = data.as_ref().and_then(seconds).ok_or_else(|| unreadable("server's time"))?;
        let offset = server.saturating_sub((self.settings.clock)().seconds());
        if offset.unsigned_abs() > OFFSET_S_MAX {
            return Ok(None);
        }
        *self.clock_offset.lock().await = Some((offset, Instant::now()));
        Ok(Some(offset))
    }
}

/// Seconds since 1970 as if the server's local time were UTC, of `2026-11-29T07:46:00` with whatever stands behind it: the bridge writes a
/// zone behind a time that has none.
pub(super) fn seconds(time: &Value) -> Option<i64> {
    let text = time.as_str()?.get(..19)?;
    let time: DateTime = text.parse().ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// The other way round.
pub(super) fn text(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
