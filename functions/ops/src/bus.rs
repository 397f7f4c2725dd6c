//! The event bus: entries in tens, failed ones told apart.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use runtime::function::{ConfigError, Ports};
use runtime::rehearsal::Guard;
use serde_json::Value;

/// The source of all our events.
const SOURCE: &str = "pipworks";
/// Entries that one call takes.
const BATCH_MAX: usize = 10;

/// The bus of the environment variable `BUS_NAME`.
#[derive(Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

/// An event on its way.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its type.
    pub kind: String,
    /// Its `detail`.
    pub detail: Value,
}

impl Bus {
    pub fn new(ports: &Ports) -> Result<Self, ConfigError> {
        let config = aws_sdk_eventbridge::config::Builder::from(&ports.aws).interceptor(Guard).build();
        Ok(Self { client: Client::from_conf(config), name: ports.need("BUS_NAME")?.to_owned() })
    }

    /// Puts events; the answer says of each whether it is on the bus.
    pub async fn put(&self, events: &[Outgoing]) -> Vec<bool> {
        let mut results = Vec::with_capacity(events.len());
        for batch in events.chunks(BATCH_MAX) {
            results.extend(self.put_batch(batch).await);
        }
        results
    }

    async fn put_batch(&self, batch: &[Outgoing]) -> Vec<bool> {
        let entries = batch.iter().map(|event| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.name)
                .source(SOURCE)
                .detail_type(&event.kind)
                .detail(event.detail.to_string())
                .build()
        });
        match self.client.put_events().set_entries(Some(entries.collect())).send().await {
            // a successful answer may still refuse single entries
            Ok(answer) => {
                let mut taken: Vec<bool> = answer.entries().iter().map(|entry| entry.error_code().is_none()).collect();
                taken.resize(batch.len(), false);
                taken
            }
            Err(error) => {
                tracing::error!(error = %error, "events were not put");
                vec![false; batch.len()]
            }
        }
    }
}
