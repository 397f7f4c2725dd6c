//! Timers: at their moments of the local time, or by hand in tests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use jiff::tz::TimeZone;
use runtime::Clock;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::asynchronous;
use super::bus::seconds_text;
use super::invoke::{Deployed, InvokeError, Invoked, Invoker};
use super::queues::Queue;
use crate::aws::Dynamo;
use crate::template::{ACCOUNT, Cron, REGION, Schedule, When, rule_arn};
use crate::time::{LocalTime, later};

/// How far ahead a calendar is looked through at once.
const LOOK_AHEAD_MINUTES: i64 = 1_440;
const MINUTE_MS: i64 = 60_000;

/// A timer that runs.
pub(crate) struct Timer {
    pub(crate) schedule: Schedule,
    pub(crate) deployed: Arc<Deployed>,
    pub(crate) dead_letters: Option<Arc<Queue>>,
    pub(crate) invoker: Invoker,
    pub(crate) time: LocalTime,
    /// Where it looks, if looking is all it does.
    pub(crate) sweep: Option<Sweep>,
}

/// When a timer is awake next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Fires(Timestamp),
    /// It does not fire before this.
    Looks(Timestamp),
}

impl Timer {
    /// Whether it has this logical id, or its function this name.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.schedule.id == name || self.deployed.spec.handler == name
    }

    /// Waits for its next moment, and then for each after that.
    pub(crate) fn arm(self: &Arc<Self>) {
        self.wait(self.time.now());
    }

    fn wait(self: &Arc<Self>, last: Timestamp) {
        let next = next(&self.schedule.when, last, self.time.now());
        // weak: what waits does not keep a host alive that is gone
        let timer = Arc::downgrade(self);
        let (Next::Fires(at) | Next::Looks(at)) = next;
        self.time.at(at, move || {
            let Some(timer) = timer.upgrade() else { return };
            if matches!(next, Next::Fires(_)) {
                timer.ring(at);
            }
            timer.wait(at);
        });
    }

    fn ring(self: &Arc<Self>, at: Timestamp) {
        // half a million minutes of a year need no task each to find that nothing was written since the last
        if self.sweep.as_ref().is_some_and(|sweep| self.time.is_moving() && sweep.finds_nothing(at)) {
            return;
        }
        let (timer, busy) = (Arc::clone(self), self.time.busy());
        self.invoker.background.spawn(async move {
            if timer.is_needed(at).await {
                // its errors are logged and counted where they happen; the next firing comes anyway
                drop(timer.fire().await);
            }
            drop(busy);
        });
    }

    /// Whether firing at a moment can do anything. Who watches the time run sees every firing; on the way of a time
    /// that is moved on, those that find nothing are left out.
    async fn is_needed(&self, at: Timestamp) -> bool {
        match &self.sweep {
            Some(sweep) if self.time.is_moving() => sweep.finds_something(at).await,
            _ => true,
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
                "time": seconds_text(self.time.now()),
                "region": REGION,
                "resources": [rule_arn(&self.schedule.id)],
                "detail": {},
            })),
        }
    }
}

/// The next moment after the last one; those that are over already are left out.
fn next(when: &When, last: Timestamp, now: Timestamp) -> Next {
    match when {
        When::Rate(rate) => {
            let period_ms = i64::try_from(rate.0.as_millis()).unwrap_or(i64::MAX).max(1);
            let missed = now.millis_since(last).max(0).checked_div(period_ms).unwrap_or(0);
            let after_ms = period_ms.saturating_mul(missed.saturating_add(1));
            Next::Fires(later(last, Duration::from_millis(u64::try_from(after_ms).unwrap_or(u64::MAX))))
        }
        When::Cron(cron) => next_minute(cron, last.max(now)),
    }
}

/// The beginning of the first minute after a moment that matches.
fn next_minute(cron: &Cron, after: Timestamp) -> Next {
    let minute = after.millis().div_euclid(MINUTE_MS);
    let start = |ahead: i64| {
        let millis = minute.saturating_add(ahead).saturating_mul(MINUTE_MS);
        Timestamp::from_millis(millis).unwrap_or(Timestamp::LATEST)
    };
    let matches = |at: &Timestamp| {
        let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or(jiff::Timestamp::MAX);
        cron.matches(at.to_zoned(TimeZone::UTC).datetime())
    };
    let found = (1..=LOOK_AHEAD_MINUTES).map(start).find(matches);
    found.map_or_else(|| Next::Looks(start(LOOK_AHEAD_MINUTES)), Next::Fires)
}

/// What a timer looks for: entries of an index whose sort key is a time that has come.
///
/// A firing that finds no such entry announces nothing and writes nothing, so leaving it out changes nothing. Whether
/// there is one depends on the tables alone, and those change only by a write: the earliest entry is asked for again
/// only after one.
pub(crate) struct Sweep {
    dynamo: Dynamo,
    /// Tables that have the index.
    tables: Vec<String>,
    index: String,
    /// The earliest entry, and how many writes there were before it was asked for.
    seen: Mutex<Option<(u64, Option<Timestamp>)>>,
}

impl Sweep {
    pub(crate) fn new(dynamo: &Dynamo, tables: Vec<String>, index: &str) -> Self {
        Self { dynamo: dynamo.clone(), tables, index: index.to_owned(), seen: Mutex::default() }
    }

    async fn finds_something(&self, at: Timestamp) -> bool {
        self.earliest().await.is_some_and(|earliest| earliest <= at)
    }

    /// Whether the last look says that nothing is due and nothing was written since.
    fn finds_nothing(&self, at: Timestamp) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_some_and(|(writes, earliest)| {
            writes == self.dynamo.writes() && earliest.is_none_or(|earliest| earliest > at)
        })
    }

    /// The earliest entry.
    pub(crate) async fn earliest(&self) -> Option<Timestamp> {
        // counted before the look: a write during it makes for another look
        let writes = self.dynamo.writes();
        let mut earliest: Option<Timestamp> = None;
        for table in &self.tables {
            let first = match self.dynamo.earliest(table, &self.index).await {
                Ok(first) => first,
                // what cannot be told is looked for by the firing itself
                Err(_) => return Some(Timestamp::EPOCH),
            };
            // a key that is no time sorts somewhere: the firing finds out
            let first = first.map(|key| key.parse().unwrap_or(Timestamp::EPOCH));
            earliest = first.into_iter().chain(earliest).min();
        }
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((writes, earliest));
        earliest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_rate_keeps_its_beat_and_leaves_out_what_is_over() {
        let minute = When::parse("rate(1 minute)").unwrap();
        let last = at("2026-11-23T08:00:30Z");
        assert_eq!(next(&minute, last, last), Next::Fires(at("2026-11-23T08:01:30Z")));
        assert_eq!(next(&minute, last, at("2026-11-23T08:01:29.999Z")), Next::Fires(at("2026-11-23T08:01:30Z")));
        assert_eq!(next(&minute, last, at("2026-11-23T08:05:31Z")), Next::Fires(at("2026-11-23T08:06:30Z")));
    }

    #[test]
    fn a_cron_fires_at_the_next_minute_that_matches_or_looks_again_a_day_later() {
        let weekly = When::parse("cron(30 6 ? * MON *)").unwrap();
        let monday = at("2026-11-23T06:30:00Z");
        assert_eq!(next(&weekly, monday, at("2026-11-22T06:30:00Z")), Next::Looks(at("2026-11-24T06:30:00Z")));
        let eve = at("2026-11-22T12:00:10Z");
        assert_eq!(next(&weekly, eve, eve), Next::Fires(monday));
        let before = at("2026-11-23T06:29:59.999Z");
        assert_eq!(next(&weekly, before, before), Next::Fires(monday));
    }
}
