//! Lists what the journal was given by function and day, so that executions can be found by their time. The journal's own stream brings it, many entries at a time; an index
//! of the table would cost a write for each.

use std::sync::Arc;

use domain::compliance::is_secret;
use providers::http::BoxFuture;
use runtime::awsclients;
use runtime::function::{Clock, ConfigError, Function, FunctionError, Invocation, Ports, come_again, read_event};
use runtime::telemetry::{self, StepMetrics};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use store::{Journal, JournalEntry};

/// The function.
pub struct Index {
    journal: Journal,
    clock: Arc<dyn Clock>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    Ok(Arc::new(Index { journal: awsclients::journal(ports)?, clock: ports.clock.clone() }))
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    dynamodb: Change,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "SequenceNumber")]
    sequence: String,
    #[serde(rename = "NewImage", default)]
    image: Option<Value>,
}

impl Function for Index {
    fn call<'a>(
        &'a self,
        event: &'a RawValue,
        invocation: Invocation,
    ) -> BoxFuture<'a, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let started = self.clock.now();
            let batch: Batch = read_event(event)?;
            let entries: Vec<JournalEntry> = batch.records.iter().filter_map(entry).collect();
            let (done, usage) = store::measured(self.journal.list(&entries)).await;
            if let Err(error) = &done {
                tracing::error!(error = %error, entries = entries.len(), "entries were not listed");
            }
            let ended = self.clock.now();
            telemetry::emit(&StepMetrics {
                at: ended,
                function: "ops-index",
                outcome: if done.is_ok() { "listed" } else { "failed" },
                latency_ms: ended.millis_since(started),
                usage: &usage,
                correlation_id: "",
                execution_id: &invocation.request_id,
            });
            // all of it comes again: pages that were written are found written
            let first = batch.records.first().filter(|_| done.is_err());
            come_again(first.map(|record| record.dynamodb.sequence.as_str()))
        })
    }
}

/// The entry of a record. One that cannot be read keeps no other from being listed, and of what only compliance may see nothing is listed.
fn entry(record: &Record) -> Option<JournalEntry> {
    let image = record.dynamodb.image.as_ref()?;
    match JournalEntry::read_json(image) {
        Ok(entry) => Some(entry).filter(|entry| !is_secret(&entry.entity)),
        Err(error) => {
            tracing::error!(record = %record.dynamodb.sequence, error = %error, "an entry cannot be read, and is not listed");
            None
        }
    }
}
