//! One lane of a stream: batches in order, retried, split, and in the end given up to the on-failure queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::consumer::{Failed, reported};
use super::invoke::{Deployed, InvokeError, Invoked, Invoker};
use super::queues::{Queue, QueueContext};
use crate::activity::Token;
use crate::template::{StreamMapping, stream_arn};

/// The pause after the first failure; it doubles up to the longest.
const RETRY_DELAY: Duration = Duration::from_millis(200);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(60);

/// A record on its way to the function.
pub(super) struct StreamItem {
    pub(super) sequence_number: String,
    pub(super) arrived_s: i64,
    pub(super) lane: usize,
    pub(super) event: Value,
    pub(super) _token: Token,
}

/// Records that are invoked together, and how often that failed without progress.
struct Batch {
    items: Vec<StreamItem>,
    attempts: u32,
}

/// One lane.
pub(super) struct Lane {
    mapping: StreamMapping,
    deployed: Arc<Deployed>,
    invoker: Invoker,
    on_failure: Option<Arc<Queue>>,
    context: QueueContext,
}

/// How an invocation of a batch ended.
enum Outcome {
    Done,
    /// The records before this one are done.
    FailedFrom(usize),
    Stopped,
}

impl Lane {
    pub(super) fn new(
        mapping: &StreamMapping,
        deployed: &Arc<Deployed>,
        invoker: &Invoker,
        on_failure: Option<Arc<Queue>>,
        context: &QueueContext,
    ) -> Self {
        Self {
            mapping: mapping.clone(),
            deployed: Arc::clone(deployed),
            invoker: invoker.clone(),
            on_failure,
            context: context.clone(),
        }
    }

    /// Works until the reader is gone.
    pub(super) async fn run(self, mut records: mpsc::UnboundedReceiver<StreamItem>) {
        while let Some(first) = records.recv().await {
            let mut items = vec![first];
            while items.len() < self.mapping.batch_size
                && let Ok(next) = records.try_recv()
            {
                items.push(next);
            }
            self.work(items).await;
        }
    }

    /// Brings a batch to its end, in order.
    async fn work(&self, items: Vec<StreamItem>) {
        let mut open = VecDeque::from([Batch { items, attempts: 0 }]);
        while let Some(mut batch) = open.pop_front() {
            if self.too_old(&batch) {
                self.give_up(&batch, "MaximumRecordAgeExceeded");
                continue;
            }
            batch.attempts += 1;
            match self.invoke(&batch).await {
                Outcome::Done => {}
                Outcome::Stopped => return,
                Outcome::FailedFrom(0) => {
                    tokio::time::sleep(self.pause(batch.attempts)).await;
                    self.after_failure(batch, &mut open);
                }
                Outcome::FailedFrom(first) => {
                    let items = batch.items.split_off(first);
                    open.push_front(Batch { items, attempts: 0 });
                }
            }
        }
    }

    async fn invoke(&self, batch: &Batch) -> Outcome {
        let records: Vec<&Value> = batch.items.iter().map(|item| &item.event).collect();
        match to_raw_value(&json!({"Records": records})) {
            Ok(event) => self.outcome(batch, self.invoker.invoke(&self.deployed, event).await),
            Err(_) => Outcome::FailedFrom(0),
        }
    }

    fn outcome(&self, batch: &Batch, invoked: Invoked) -> Outcome {
        let answer = match invoked {
            Ok(answer) => answer,
            Err(InvokeError::Stopped) => return Outcome::Stopped,
            Err(_) => return Outcome::FailedFrom(0),
        };
        if !self.mapping.report_batch_item_failures {
            return Outcome::Done;
        }
        let position = |id: &str| batch.items.iter().position(|item| item.sequence_number == id);
        match reported(&answer, |id| position(id).is_some()) {
            Failed::All => Outcome::FailedFrom(0),
            // everything from the lowest on is tried again
            Failed::These(ids) => {
                ids.iter().filter_map(|id| position(id)).min().map_or(Outcome::Done, Outcome::FailedFrom)
            }
        }
    }

    /// Splits, tries again, or gives up. Splitting is no retry.
    fn after_failure(&self, mut batch: Batch, open: &mut VecDeque<Batch>) {
        if self.mapping.bisect && batch.items.len() > 1 {
            let second = batch.items.split_off(batch.items.len() / 2);
            let attempts = batch.attempts - 1;
            open.push_front(Batch { items: second, attempts: 0 });
            open.push_front(Batch { items: batch.items, attempts });
            return;
        }
        let exhausted = self.mapping.maximum_retries.is_some_and(|retries| batch.attempts > retries);
        if exhausted {
            self.give_up(&batch, "RetryAttemptsExhausted");
        } else {
            open.push_front(batch);
        }
    }

    fn pause(&self, attempts: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
        RETRY_DELAY.saturating_mul(factor).min(RETRY_DELAY_MAX) / self.context.retry_speed.max(1)
    }

    fn too_old(&self, batch: &Batch) -> bool {
        let (Some(maximum), Some(first)) = (self.mapping.maximum_age_s, batch.items.first()) else { return false };
        // the stream's own clock is the machine's, whatever the host's clock says
        let now_s = jiff::Timestamp::now().as_second();
        now_s.saturating_sub(first.arrived_s) > i64::from(maximum)
    }

    /// What Lambda sends to the destination: where the records are in the stream, not the records.
    fn give_up(&self, batch: &Batch, condition: &str) {
        let (Some(first), Some(last)) = (batch.items.first(), batch.items.last()) else { return };
        tracing::error!(
            function = %self.deployed.spec.handler,
            condition,
            records = batch.items.len(),
            first = %first.sequence_number,
            "stream records are given up"
        );
        let Some(queue) = &self.on_failure else { return };
        let arrival = |item: &StreamItem| domain::Timestamp::from_seconds(item.arrived_s).map(super::bus::seconds_text);
        let message = json!({
            "requestContext": {
                "requestId": uuid::Uuid::from_u128(self.invoker.entropy.id_bits()).to_string(),
                "functionArn": self.deployed.arn(),
                "condition": condition,
                "approximateInvokeCount": batch.attempts,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": self.context.clock.now().to_string(),
            "DDBStreamBatchInfo": {
                "shardId": format!("shardId-{:020}", first.lane),
                "startSequenceNumber": first.sequence_number,
                "endSequenceNumber": last.sequence_number,
                "approximateArrivalOfFirstRecord": arrival(first),
                "approximateArrivalOfLastRecord": arrival(last),
                "batchSize": batch.items.len(),
                "streamArn": stream_arn(&self.mapping.table),
            },
        });
        queue.send(message.to_string());
    }
}
