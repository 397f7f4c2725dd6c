//! One lane of a stream: batches in order, retried, split, and in the end given up to the on-failure queue.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use runtime::Clock as _;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::consumer::{Failed, reported};
use super::invoke::{Deployed, InvokeError, Invoked, Invoker};
use super::queues::{Queue, QueueContext};
use crate::activity::{Activity, Token};
use crate::template::{StreamMapping, stream_arn};
use crate::time::{Busy, LocalTime};

/// The pause after the first failure; it doubles up to the longest.
const RETRY_DELAY: Duration = Duration::from_millis(2);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(60);
/// Pauses from here on wait for the local time. The shorter ones are real: what is over in a moment is over before
/// anything else is due.
const RETRY_DELAY_LONG: Duration = Duration::from_secs(1);

/// A record on its way to the function.
pub(super) struct StreamItem {
    pub(super) sequence_number: String,
    pub(super) arrived_s: i64,
    pub(super) lane: usize,
    pub(super) event: Value,
    pub(super) _load: Loaded,
}

/// The records of a lane that are not done. They are work for now, and for later while the lane waits for its time:
/// those behind a record that is tried again wait with it.
pub(super) struct Load {
    activity: Activity,
    state: Mutex<LoadState>,
}

#[derive(Default)]
struct LoadState {
    records: usize,
    waits: bool,
    token: Option<Token>,
}

/// One record of the load; it is done when this is dropped.
pub(super) struct Loaded(Arc<Load>);

impl Load {
    pub(super) fn new(activity: &Activity) -> Arc<Self> {
        Arc::new(Self { activity: activity.clone(), state: Mutex::default() })
    }

    /// Takes a record.
    pub(super) fn add(self: &Arc<Self>) -> Loaded {
        self.change(|state| state.records += 1);
        Loaded(Arc::clone(self))
    }

    fn change(&self, change: impl FnOnce(&mut LoadState)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = state.waits;
        change(&mut state);
        if state.records == 0 {
            state.token = None;
        } else if state.token.is_none() || state.waits != waited {
            // the new one is taken before the old one goes
            let token = if state.waits { self.activity.delayed() } else { self.activity.pending() };
            state.token = Some(token);
        }
    }

    /// Waits for the local time.
    async fn wait(&self, time: &LocalTime, pause: Duration) {
        let woken = time.sleep(pause);
        self.change(|state| state.waits = true);
        let busy: Busy = woken.await;
        self.change(|state| state.waits = false);
        drop(busy);
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.0.change(|state| state.records -= 1);
    }
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
    load: Arc<Load>,
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
        load: &Arc<Load>,
    ) -> Self {
        Self {
            load: Arc::clone(load),
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
                    self.pause(batch.attempts).await;
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

    async fn pause(&self, attempts: u32) {
        let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let pause = RETRY_DELAY.saturating_mul(factor).min(RETRY_DELAY_MAX);
        if pause < RETRY_DELAY_LONG {
            tokio::time::sleep(pause).await;
        } else {
            self.load.wait(&self.context.time, pause).await;
        }
    }

    fn too_old(&self, batch: &Batch) -> bool {
        let (Some(maximum), Some(first)) = (self.mapping.maximum_age_s, batch.items.first()) else { return false };
        self.context.time.now().seconds().saturating_sub(first.arrived_s) > i64::from(maximum)
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
            "timestamp": self.context.time.now().to_string(),
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
