//! From the tables' streams to the journal, the ledger and the bus.
//!
//! Every record carries a version's outbox. Records of one entity are handled in their order, entities side by side.
//! The lowest failed sequence number is reported: the stream comes again from there, and what was done before is
//! found done.

pub(crate) mod events;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{EventId, Timestamp};
use futures::stream::{self, StreamExt as _};
use providers::http::BoxFuture;
use runtime::function::{Clock, ConfigError, Function, FunctionError, Invocation, Ports};
use runtime::telemetry::{self, StepMetrics};
use runtime::{StepError, awsclients};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use store::{Journal, LedgerEntry, MoneyTable, Outboxed};

use crate::bus::{Bus, Outgoing};

/// Entities that are journalled side by side.
const SIDE_BY_SIDE: usize = 16;

/// The function.
pub struct Relay {
    journal: Journal,
    money: MoneyTable,
    bus: Bus,
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
        clock: ports.clock.clone(),
    }))
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<StreamRecord>,
}

#[derive(Deserialize)]
struct StreamRecord {
    dynamodb: Change,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "SequenceNumber")]
    sequence: String,
    #[serde(rename = "NewImage", default)]
    image: Option<Value>,
}

impl Function for Relay {
    fn call<'a>(
        &'a self,
        event: &'a RawValue,
        invocation: Invocation,
    ) -> BoxFuture<'a, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let started = self.clock.now();
            let batch: Batch = serde_json::from_str(event.get())
                .map_err(|error| FunctionError { kind: "MalformedEvent", message: error.to_string() })?;
            let (failed, usage) = store::measured(self.relay(&batch.records)).await;
            let ended = self.clock.now();
            telemetry::emit(&StepMetrics {
                at: ended,
                function: "ops-relay",
                outcome: if failed.is_none() { "relayed" } else { "failed" },
                latency_ms: ended.millis_since(started),
                usage: &usage,
                correlation_id: "",
                execution_id: &invocation.request_id,
            });
            let failures: Vec<Value> = failed.iter().map(|sequence| json!({"itemIdentifier": sequence})).collect();
            telemetry::raw(&json!({"batchItemFailures": failures}))
        })
    }
}

/// A record's place in the batch and the events it brings.
struct Journalled {
    place: usize,
    result: Result<Vec<Outgoing>, StepError>,
}

impl Relay {
    /// The sequence number of the first record that failed.
    async fn relay(&self, records: &[StreamRecord]) -> Option<String> {
        let mut by_entity: BTreeMap<String, Vec<(usize, Outboxed)>> = BTreeMap::new();
        let mut first_failed: Option<usize> = None;
        for (place, record) in records.iter().enumerate() {
            let Some(image) = &record.dynamodb.image else { continue };
            match Outboxed::read_json(image) {
                Ok(outboxed) => by_entity.entry(outboxed.entity.clone()).or_default().push((place, outboxed)),
                Err(error) => {
                    tracing::error!(stream.sequence = %record.dynamodb.sequence, error = %error, "poisoned stream record");
                    first_failed = Some(first_failed.map_or(place, |first| first.min(place)));
                }
            }
        }
        let done: Vec<Vec<Journalled>> = stream::iter(by_entity.into_values().map(|entries| self.entity(entries)))
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await;
        let mut outgoing: Vec<(usize, Outgoing)> = Vec::new();
        for journalled in done.into_iter().flatten() {
            match journalled.result {
                Ok(events) => outgoing.extend(events.into_iter().map(|event| (journalled.place, event))),
                Err(_) => {
                    first_failed = Some(first_failed.map_or(journalled.place, |first| first.min(journalled.place)))
                }
            }
        }
        outgoing.sort_by_key(|(place, _)| *place);
        let events: Vec<Outgoing> = outgoing.iter().map(|(_, event)| event.clone()).collect();
        for ((place, _), taken) in outgoing.iter().zip(self.bus.put(&events).await) {
            if !taken {
                first_failed = Some(first_failed.map_or(*place, |first| first.min(*place)));
            }
        }
        first_failed.and_then(|place| records.get(place)).map(|record| record.dynamodb.sequence.clone())
    }

    /// The versions of one entity in their order; after a failure the rest waits.
    async fn entity(&self, entries: Vec<(usize, Outboxed)>) -> Vec<Journalled> {
        let mut done = Vec::new();
        for (place, entry) in entries {
            let result = self.journal_one(&entry).await;
            if let Err(error) = &result {
                tracing::error!(entity = %entry.entity, version = entry.version, error = %error, "version was not journalled");
            }
            let failed = result.is_err();
            done.push(Journalled { place, result });
            if failed {
                break;
            }
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
