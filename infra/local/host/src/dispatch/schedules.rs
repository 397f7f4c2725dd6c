//! Timers: by the clock, or by hand in tests and in the demo.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use runtime::Clock;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::asynchronous;
use super::bus::seconds_text;
use super::invoke::{Deployed, InvokeError, Invoked, Invoker};
use super::queues::Queue;
use crate::template::{ACCOUNT, Cron, REGION, Schedule, When, rule_arn};

/// A timer that runs.
pub(crate) struct Timer {
    pub(crate) schedule: Schedule,
    pub(crate) deployed: Arc<Deployed>,
    pub(crate) dead_letters: Option<Arc<Queue>>,
    pub(crate) invoker: Invoker,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Timer {
    /// Fires by the machine's clock until the host stops.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            match &self.schedule.when {
                When::Rate(rate) => tokio::time::sleep(rate.0).await,
                When::Cron(cron) => next_minute(cron).await,
            }
            // its errors are logged and counted where they happen; the next firing comes anyway
            drop(self.fire().await);
        }
    }

    /// Fires once and waits for the outcome of the last attempt.
    pub(crate) async fn fire(&self) -> Invoked {
        let event = self.event().map_err(|_| InvokeError::Unknown(self.schedule.id.clone()))?;
        asynchronous::attempts(&self.invoker, &self.deployed, event, self.dead_letters.clone()).await
    }

    fn event(&self) -> serde_json::Result<Box<RawValue>> {
        match &self.schedule.input {
            Some(input) => RawValue::from_string(input.clone()),
            None => to_raw_value(&json!({
                "version": "0",
                "id": uuid::Uuid::from_u128(self.invoker.entropy.id_bits()).to_string(),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": ACCOUNT,
                "time": seconds_text(self.clock.now()),
                "region": REGION,
                "resources": [rule_arn(&self.schedule.id)],
                "detail": {},
            })),
        }
    }
}

/// Sleeps to the beginning of the next minute that matches.
async fn next_minute(cron: &Cron) {
    loop {
        let now = jiff::Timestamp::now();
        let into_minute_ms = now.as_millisecond().rem_euclid(60_000);
        let rest_ms = u64::try_from(60_000 - into_minute_ms).unwrap_or(60_000);
        tokio::time::sleep(Duration::from_millis(rest_ms)).await;
        if cron.matches(jiff::Timestamp::now().to_zoned(TimeZone::UTC).datetime()) {
            return;
        }
    }
}
