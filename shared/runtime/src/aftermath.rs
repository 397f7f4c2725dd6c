//! What becomes of a message that a step failed at.
//!
//! - What is due is moved on, whatever the failure, and comes again by the timers; who is told of it is told once.
//! - What cannot help to deliver again is parked at once, with its reason, among the workflow's dead letters.
//! - What somebody else is at comes back soon, later each time.
//! - What waits for a server that is being maintained comes back when that is over, and nobody is told: nothing failed.
//! - Anything else is left alone: it is visible again after the queue's time, and given up by the queue after enough receives.

use std::sync::Arc;

use domain::entity::{TableName, timed_families};
use domain::{Seconds, Timestamp};
use serde_json::Value;
use store::{Postponed, Table};

use crate::awsclients;
use crate::function::{Clock, Ports};
use crate::queue::{BusEvent, Message};
use crate::sqs::{Sqs, url_of};
use crate::step::{Disposition, StepError};

/// First time by which something due is moved on; doubles with each failure in a row.
const LATER_FIRST: Seconds = Seconds(60);
/// Longest time by which something due is moved on.
const LATER_MAX: Seconds = Seconds(3_600);
/// Failures in a row after which a person is told although trying again may help.
const TELL_AFTER: u32 = 4;
/// First time after which a message that was busy comes back; four times as long with each receive. Whoever has it needs a
/// minute at most (the grace periods), so no more than two of the few receives that a queue allows go to waiting.
const SOON_S: i32 = 20;
/// Longest such time.
const SOON_MAX_S: i32 = 600;

/// Longest time for which a queue hides a message.
const HIDE_MAX_S: i32 = 43_200;

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is deleted: what it was about is seen to otherwise.
    Deleted,
    /// It is delivered again.
    Again,
}

/// What a queue function needs for the messages it fails at.
pub(crate) struct Aftermath {
    sqs: Sqs,
    /// The URL of the workflow's dead letters; a function without them parks nothing.
    dead_letters: Option<String>,
    crm: Option<Table>,
    money: Option<Table>,
    trades: Option<Table>,
    partners: Option<Table>,
    clock: Arc<dyn Clock>,
}

/// A due time as its event tells it.
struct Due<'a> {
    entity: &'a str,
    table: TableName,
    at: &'a str,
}

impl<'a> Due<'a> {
    fn of(event: &'a BusEvent) -> Option<Self> {
        let family = event.kind.strip_suffix(".due")?;
        let table = timed_families().find(|known| known.family == family)?.table;
        Some(Self { entity: &event.entity, table, at: event.data.get("due_at").and_then(Value::as_str)? })
    }
}

fn later(tries: u32, now: Timestamp) -> Timestamp {
    now.plus(LATER_FIRST.doubled(tries.saturating_sub(1), LATER_MAX))
}

/// Seconds for which a busy message is hidden after so many receives.
fn soon(receives: u32) -> i32 {
    SOON_S.saturating_mul(4_i32.saturating_pow(receives.saturating_sub(1))).min(SOON_MAX_S)
}

#[cfg(test)]
impl Aftermath {
    /// Parks nothing, moves nothing.
    pub(crate) fn none(clock: Arc<dyn Clock>) -> Self {
        let sqs = Sqs::of(&aws_types::SdkConfig::builder().build());
        Self { sqs, dead_letters: None, crm: None, money: None, trades: None, partners: None, clock }
    }
}

impl Aftermath {
    /// From a function's ports: the tables are those that it knows.
    pub(crate) fn new(ports: &Ports, parks: bool) -> Self {
        let dead_letters = ports.environment.get("DEAD_LETTERS_URL").filter(|_| parks).cloned();
        Self {
            sqs: Sqs::new(ports),
            dead_letters,
            crm: awsclients::crm(ports).ok().map(|crm| crm.0),
            money: awsclients::money(ports).ok().map(|money| money.0),
            trades: awsclients::trades(ports).ok().map(|trades| trades.0),
            partners: awsclients::partners(ports).ok().map(|partners| partners.0),
            clock: ports.clock.clone(),
        }
    }

    /// Sees to a message that failed.
    pub(crate) async fn of(&self, message: &Message, event: Option<&BusEvent>, error: &StepError) -> Fate {
        let done = match event.and_then(Due::of) {
            Some(due) if let Disposition::At(until) = error.disposition() => self.due_then(&due, until, message).await,
            Some(due) => self.due(&due, message, error).await,
            None => self.other(message, error).await,
        };
        done.unwrap_or_else(|error| {
            tracing::warn!(message.id = %message.id, error = %error, "a failed message was left to its queue");
            Fate::Again
        })
    }

    /// The table of what is due, if the function knows it.
    fn table(&self, due: &Due<'_>) -> Option<&Table> {
        let table = match due.table {
            TableName::Crm => &self.crm,
            TableName::Money => &self.money,
            TableName::Trades => &self.trades,
            TableName::Partners => &self.partners,
        };
        table.as_ref()
    }

    async fn due(&self, due: &Due<'_>, message: &Message, error: &StepError) -> Result<Fate, StepError> {
        let Some(table) = self.table(due) else { return self.other(message, error).await };
        let now = self.clock.now();
        match table.postpone(due.entity, due.at, |tries| later(tries, now)).await? {
            // by the timers it comes again, so this message need not
            Postponed::Moved { tries } if tries < TELL_AFTER && error.disposition() != Disposition::Park => {
                Ok(Fate::Deleted)
            }
            Postponed::Moved { .. } => self.park(message, error).await,
            Postponed::NotDue => self.other(message, error).await,
        }
    }

    /// Nobody is told, however often: nothing failed.
    async fn due_then(&self, due: &Due<'_>, until: Timestamp, message: &Message) -> Result<Fate, StepError> {
        match self.table(due) {
            Some(table) => {
                table.postpone(due.entity, due.at, |_| until).await.map(|_| Fate::Deleted).map_err(Into::into)
            }
            None => self.then(message, until).await.map(|()| Fate::Again),
        }
    }

    async fn other(&self, message: &Message, error: &StepError) -> Result<Fate, StepError> {
        match error.disposition() {
            Disposition::Park => self.park(message, error).await,
            Disposition::RetrySoon => self.soon(message).await.map(|()| Fate::Again),
            Disposition::At(until) => self.then(message, until).await.map(|()| Fate::Again),
            Disposition::Retry => Ok(Fate::Again),
        }
    }

    async fn soon(&self, message: &Message) -> Result<(), StepError> {
        let receives = message.record.pointer("/attributes/ApproximateReceiveCount").and_then(Value::as_str);
        self.hide(message, soon(receives.and_then(|text| text.parse().ok()).unwrap_or(1))).await
    }

    /// As far off as a queue can hide a message: one that comes back before is hidden again.
    async fn then(&self, message: &Message, until: Timestamp) -> Result<(), StepError> {
        let seconds = until.millis_since(self.clock.now()).div_euclid(1_000).saturating_add(1);
        self.hide(message, i32::try_from(seconds).unwrap_or(HIDE_MAX_S).clamp(1, HIDE_MAX_S)).await
    }

    async fn hide(&self, message: &Message, seconds: i32) -> Result<(), StepError> {
        let text = |pointer: &str| message.record.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let Some(url) = url_of(text("/eventSourceARN")) else { return Ok(()) };
        self.sqs.hide(&url, text("/receiptHandle"), seconds).await
    }

    /// Puts a message among the dead letters, with where it comes from and the kind of failure: what exactly failed stands in
    /// the log of the execution, because it may quote somebody.
    async fn park(&self, message: &Message, error: &StepError) -> Result<Fate, StepError> {
        let Some(url) = &self.dead_letters else { return Ok(Fate::Again) };
        let queue = message.record.get("eventSourceARN").and_then(Value::as_str).unwrap_or_default();
        let attributes = [
            ("queue", queue),
            ("message_id", message.id.as_str()),
            ("reason", error.kind()),
            ("execution_id", message.execution_id.as_str()),
        ];
        self.sqs.send(url, &message.body, &attributes).await?;
        Ok(Fate::Deleted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_message_waits_out_a_grace_period_within_three_of_its_receives() {
        let waits: Vec<i32> = (1..=5).map(soon).collect();
        assert_eq!(waits, [20, 80, 320, 600, 600]);
        let grace = i32::try_from(domain::payment::GRACE.0).unwrap();
        assert!(waits[..2].iter().sum::<i32>() > grace);
        assert_eq!(soon(u32::MAX), 600);
    }

    #[test]
    fn what_is_due_waits_longer_each_time_and_never_longer_than_an_hour() {
        let waits: Vec<i64> = (1..=9).map(|tries| later(tries, Timestamp::EPOCH).seconds()).collect();
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
    }
}
