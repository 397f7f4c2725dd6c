//! A queue as the source of a function: batches, partial answers, as many invocations at once as the mapping allows.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::Semaphore;

use super::invoke::{Deployed, Invoked, Invoker};
use super::pattern::{Pattern, PatternError};
use super::queues::{Message, Queue, SqsEvent};
use crate::template::QueueMapping;

/// Invocations at once where the mapping sets no limit; Lambda starts with five and grows.
const CONCURRENCY_UNLIMITED: usize = 64;

/// A mapping that runs.
pub(crate) struct Consumer {
    pub(crate) queue: Arc<Queue>,
    pub(crate) deployed: Arc<Deployed>,
    pub(crate) invoker: Invoker,
    batch_size: usize,
    concurrency: usize,
    partial: bool,
    filters: Vec<Pattern>,
}

/// The answer of a function that reports failures one by one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchAnswer {
    #[serde(default)]
    pub(super) batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemFailure {
    #[serde(default)]
    pub(super) item_identifier: Option<String>,
}

impl Consumer {
    pub(crate) fn new(
        mapping: &QueueMapping,
        queue: &Arc<Queue>,
        deployed: &Arc<Deployed>,
        invoker: &Invoker,
    ) -> Result<Self, PatternError> {
        Ok(Self {
            queue: Arc::clone(queue),
            deployed: Arc::clone(deployed),
            invoker: invoker.clone(),
            batch_size: mapping.batch_size,
            concurrency: mapping.maximum_concurrency.unwrap_or(CONCURRENCY_UNLIMITED),
            partial: mapping.report_batch_item_failures,
            filters: mapping.filters.iter().map(Pattern::compile).collect::<Result<_, _>>()?,
        })
    }

    /// Consumes until the host stops.
    pub(crate) async fn run(self: Arc<Self>) {
        let permits = Arc::new(Semaphore::new(self.concurrency));
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let batch = self.queue.receive(self.batch_size).await;
            let consumer = Arc::clone(&self);
            self.invoker.background.spawn(async move {
                consumer.handle(batch).await;
                drop(permit);
            });
        }
    }

    async fn handle(&self, batch: Vec<Message>) {
        let (batch, unwanted): (Vec<_>, Vec<_>) = batch.into_iter().partition(|message| self.wants(message));
        unwanted.into_iter().for_each(|message| self.queue.delete(message));
        if batch.is_empty() {
            return;
        }
        let event = to_raw_value(&SqsEvent::new(&self.queue, &batch));
        let failed = match event {
            Ok(event) => self.failed(&batch, self.invoker.invoke(&self.deployed, event).await),
            Err(_) => Failed::All,
        };
        for message in batch {
            if failed.includes(&message.id) { self.queue.release(message) } else { self.queue.delete(message) }
        }
    }

    fn wants(&self, message: &Message) -> bool {
        if self.filters.is_empty() {
            return true;
        }
        let body = serde_json::from_str(&message.body).unwrap_or_else(|_| Value::String(message.body.to_string()));
        let record = serde_json::json!({"messageId": message.id, "body": body});
        self.filters.iter().any(|filter| filter.matches(&record))
    }

    fn failed(&self, batch: &[Message], invoked: Invoked) -> Failed {
        let Ok(answer) = invoked else { return Failed::All };
        if !self.partial {
            return Failed::These(BTreeSet::new());
        }
        reported(&answer, |id| batch.iter().any(|message| message.id == id))
    }
}

/// Which items of a batch failed.
pub(super) enum Failed {
    All,
    These(BTreeSet<String>),
}

impl Failed {
    fn includes(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.contains(id),
        }
    }
}

/// Lambda takes an answer that it cannot read, an empty id and an unknown id for the failure of the whole batch.
pub(super) fn reported(answer: &RawValue, known: impl Fn(&str) -> bool) -> Failed {
    // an empty answer, `null` included, is success
    let Ok(answer) = serde_json::from_str::<Option<BatchAnswer>>(answer.get()) else { return Failed::All };
    let failures = answer.and_then(|answer| answer.batch_item_failures).unwrap_or_default();
    let mut ids = BTreeSet::new();
    for failure in failures {
        match failure.item_identifier {
            Some(id) if known(&id) => ids.insert(id),
            _ => return Failed::All,
        };
    }
    Failed::These(ids)
}
