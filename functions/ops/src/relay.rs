//! From the tables' streams to the journal, the ledger and the bus.
//!
//! Every record carries a version's outbox. Records of one entity are handled in their order, entities side by side.
//! The lowest failed sequence number is reported: the stream comes again from there, and what was done before is
//! found done.
//!
//! What cannot be delivered, or could not for some time, is parked with its whole image, and the shard goes on. What is
//! parked comes to this function again from its queue, so nothing that was committed misses journal, ledger or bus for ever.

pub(crate) mod events;
mod records;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{EventId, Timestamp};
use futures::stream::{self, StreamExt as _};
use providers::http::BoxFuture;
use runtime::function::{Clock, ConfigError, Function, FunctionError, Invocation, Ports, come_again, read_event};
use runtime::sqs::Sqs;
use runtime::step::Disposition;
use runtime::telemetry::{self, StepMetrics};
use runtime::{StepError, awsclients};
use serde_json::json;
use serde_json::value::RawValue;
use store::{Journal, LedgerEntry, MoneyTable, Outboxed};
use tokio::time::{Instant, timeout_at};

use self::records::{Batch, Parked, Parks, Record, Source, record};
use crate::bus::{Bus, Outgoing};

/// Entities that are journalled side by side.
const SIDE_BY_SIDE: usize = 16;
/// Time that is left over for the answer.
const SPARE: Duration = Duration::from_secs(1);

/// Until when an invocation does what, by the share of its time. What does not end in time counts as failed, so that what has waited
/// long enough is still parked when a table or the bus does not answer at all; done twice it is done once.
#[derive(Clone, Copy)]
struct Shares {
    journal: Instant,
    bus: Instant,
    parking: Instant,
}

impl Shares {
    fn of(time_left: Duration) -> Self {
        let began = Instant::now();
        let half = time_left / 2;
        Self { journal: began + half, bus: began + half + half / 2, parking: began + time_left.saturating_sub(SPARE) }
    }
}

/// The function.
pub struct Relay {
    journal: Journal,
    money: MoneyTable,
    bus: Bus,
    sqs: Sqs,
    parked_url: String,
    clock: Arc<dyn Clock>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    Ok(Arc::new(Relay {
        journal: awsclients::journal(ports)?,
        money: awsclients::money(ports)?,
        bus: Bus::new(ports)?,
        sqs: Sqs::new(ports),
        parked_url: ports.need("PARKED_QUEUE_URL")?.to_owned(),
        clock: ports.clock.clone(),
    }))
}

impl Function for Relay {
    fn call<'a>(
        &'a self,
        event: &'a RawValue,
        invocation: Invocation,
    ) -> BoxFuture<'a, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let started = self.clock.now();
            let batch: Batch = read_event(event)?;
            let of_stream = batch.records.iter().all(|record| matches!(record, Source::Stream { .. }));
            let records = batch.records.into_iter().filter_map(|source| record(source, started)).collect();
            let (mut failed, usage) = store::measured(self.relay(records, Shares::of(invocation.time_left))).await;
            if of_stream {
                // the stream comes again from the first
                failed.truncate(1);
            }
            let ended = self.clock.now();
            telemetry::emit(&StepMetrics {
                at: ended,
                function: "ops-relay",
                outcome: if failed.is_empty() { "relayed" } else { "failed" },
                latency_ms: ended.millis_since(started),
                usage: &usage,
                correlation_id: "",
                execution_id: &invocation.request_id,
            });
            come_again(failed.iter().map(String::as_str))
        })
    }
}

/// A record's place in the batch and the events it brings.
struct Journalled {
    place: usize,
    result: Result<Vec<Outgoing>, StepError>,
}

impl Relay {
    /// What could not be delivered and is not parked, in order.
    async fn relay(&self, records: Vec<Record>, until: Shares) -> Vec<String> {
        let mut failed: BTreeMap<usize, Disposition> = BTreeMap::new();
        let mut by_entity: BTreeMap<String, Vec<(usize, Outboxed)>> = BTreeMap::new();
        for (place, record) in records.iter().enumerate() {
            match Outboxed::read_json(&record.image) {
                // only its due time was moved: the version came before
                Ok(outboxed) if outboxed.is_postponed => {}
                Ok(outboxed) => by_entity.entry(outboxed.entity.clone()).or_default().push((place, outboxed)),
                Err(error) => {
                    tracing::error!(record = %record.item, error = %error, "a version cannot be read");
                    failed.insert(place, StepError::from(error).disposition());
                }
            }
        }
        let done: Vec<Vec<Journalled>> =
            stream::iter(by_entity.into_values().map(|entries| self.entity(entries, until.journal)))
                .buffer_unordered(SIDE_BY_SIDE)
                .collect()
                .await;
        let mut outgoing: Vec<(usize, Outgoing)> = Vec::new();
        for journalled in done.into_iter().flatten() {
            match journalled.result {
                Ok(events) => outgoing.extend(events.into_iter().map(|event| (journalled.place, event))),
                Err(error) => drop(failed.insert(journalled.place, error.disposition())),
            }
        }
        outgoing.sort_by_key(|(place, _)| *place);
        let events: Vec<Outgoing> = outgoing.iter().map(|(_, event)| event.clone()).collect();
        let taken = timeout_at(until.bus, self.bus.put(&events)).await.unwrap_or_else(|_| vec![false; events.len()]);
        for ((place, _), taken) in outgoing.iter().zip(taken) {
            if !taken {
                failed.entry(*place).or_insert(Disposition::Retry);
            }
        }
        self.not_parked(&records, failed, until.parking).await
    }

    /// Parks what may be; the rest, in order.
    async fn not_parked(
        &self,
        records: &[Record],
        failed: BTreeMap<usize, Disposition>,
        until: Instant,
    ) -> Vec<String> {
        let mut left = Vec::new();
        for (place, disposition) in failed {
            let Some(record) = records.get(place) else { continue };
            let parks = match record.parks {
                Parks::Never => false,
                Parks::Hopeless => disposition == Disposition::Park,
                Parks::Any => true,
            };
            if !(parks && timeout_at(until, self.park(record)).await.unwrap_or(false)) {
                left.push(record.item.clone());
            }
        }
        left
    }

    async fn park(&self, record: &Record) -> bool {
        let body = json!(Parked { image: record.image.clone() }).to_string();
        match self.sqs.send(&self.parked_url, &body, &[]).await {
            Ok(()) => {
                tracing::error!(record = %record.item, "a version is parked");
                true
            }
            Err(error) => {
                tracing::error!(record = %record.item, error = %error, "a version cannot be parked");
                false
            }
        }
    }

    /// The versions of one entity in their order. One that fails does not keep the later ones: they find their place by key.
    async fn entity(&self, entries: Vec<(usize, Outboxed)>, until: Instant) -> Vec<Journalled> {
        let mut done = Vec::new();
        for (place, entry) in entries {
            let in_time = timeout_at(until, self.journal_one(&entry)).await;
            let result = in_time.unwrap_or(Err(StepError::Busy("no time is left to journal it")));
            if let Err(error) = &result {
                tracing::error!(entity = %entry.entity, version = entry.version, error = %error, "version was not journalled");
            }
            done.push(Journalled { place, result });
        }
        done
    }

    async fn journal_one(&self, entry: &Outboxed) -> Result<Vec<Outgoing>, StepError> {
        self.journal.append(entry).await?;
        self.book(entry).await?;
        events::of(entry)
    }

    /// What a version moves in the ledger; its postings balance, or it would not have been read.
    async fn book(&self, entry: &Outboxed) -> Result<(), StepError> {
        let postings = &entry.record.postings;
        if postings.is_none() {
            return Ok(());
        }
        let ledger_entry = LedgerEntry {
            event_id: EventId::derived(&entry.entity, entry.version, 0),
            at: Timestamp::from_millis(entry.record.at_ms).unwrap_or(Timestamp::EPOCH),
            postings: postings.legs().to_vec(),
        };
        self.money.book(&entry.entity, &ledger_entry).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
