//! Table streams as the source of a function: in order per item, blocked by a failure, never blocked for ever.
//!
//! The database thread wakes the reader after each write; the reader deals the records out to lanes by partition
//! key, and a lane is what Lambda calls a concurrent batch of a shard: its records stay in order.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dynoxide::actions::get_records::{GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::{decode_shard_iterator, encode_shard_iterator};
use dynoxide::streams::shard_id;
use runtime::Clock as _;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use super::invoke::{Deployed, Invoker};
use super::lane::{Lane, Load, StreamItem};
use super::pattern::{Pattern, PatternError};
use super::queues::{Queue, QueueContext};
use crate::activity::{Activity, Token};
use crate::aws::Dynamo;
use crate::template::{REGION, StreamMapping, Table, stream_arn};
use crate::time::LocalTime;

/// Records of one read: while they are read nobody else is served.
const READ_MAX: usize = 100;
/// Records after which those that were read are forgotten.
const TRIM_EVERY: usize = 1000;
/// A new on-demand table has four partitions, and a partition is a shard of the stream.
const SHARDS: usize = 4;

/// Tells the readers of a table's stream that there is something to read.
#[derive(Clone, Default)]
pub(crate) struct Signals(Arc<RwLock<BTreeMap<String, Vec<Arc<Signal>>>>>);

/// Wakes one reader, and keeps the host from looking idle until it has read.
pub(crate) struct Signal {
    activity: Activity,
    position: Position,
    unread: Mutex<Option<Token>>,
    woken: Notify,
}

impl Signals {
    /// A table was written to.
    pub(crate) fn wake(&self, table: &str) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(table).into_iter().flatten().for_each(|signal| signal.wake());
    }

    /// What every mapping of a table has read.
    pub(crate) fn read_by_all(&self, table: &str) -> Option<i64> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(table).into_iter().flatten().filter_map(|signal| Some(sequence(&signal.position.get())?.1)).min()
    }

    fn register(&self, table: &str, activity: &Activity, position: &Position) -> Arc<Signal> {
        let signal = Arc::new(Signal {
            activity: activity.clone(),
            position: position.clone(),
            unread: Mutex::default(),
            woken: Notify::new(),
        });
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(table.to_owned()).or_default().push(Arc::clone(&signal));
        signal
    }
}

impl Signal {
    fn wake(&self) {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        unread.get_or_insert_with(|| self.activity.pending());
        self.woken.notify_one();
    }

    async fn awoken(&self) -> Option<Token> {
        self.woken.notified().await;
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How far a mapping has read: an opaque position that a later start goes on from.
#[derive(Clone, Default)]
pub(crate) struct Position(Arc<Mutex<String>>);

impl Position {
    pub(crate) fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, position: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }
}

/// The table and the stored sequence number inside a position.
pub(crate) fn sequence(position: &str) -> Option<(String, i64)> {
    decode_shard_iterator(position).map(|(table, _, sequence)| (table, sequence))
}

/// A mapping that runs.
pub(crate) struct StreamReader {
    table: String,
    partition_key: String,
    view: String,
    dynamo: Dynamo,
    signal: Arc<Signal>,
    filters: Vec<Pattern>,
    lanes: Vec<(mpsc::UnboundedSender<StreamItem>, Arc<Load>)>,
    time: LocalTime,
    position: Position,
    signals: Signals,
    /// Records that were read are not needed again, because no later host goes on from here.
    forgets: bool,
}

impl StreamReader {
    /// Sets a mapping up and starts its lanes; it reads from the stream's beginning.
    pub(crate) fn new(
        mapping: &StreamMapping,
        table: &Table,
        deployed: &Arc<Deployed>,
        invoker: &Invoker,
        on_failure: Option<&Arc<Queue>>,
        context: &QueueContext,
        dynamo: &Dynamo,
    ) -> Result<Self, PatternError> {
        let signals = dynamo.signals();
        let filters = mapping.filters.iter().map(Pattern::compile).collect::<Result<_, _>>()?;
        let mut lanes = Vec::new();
        for _ in 0..SHARDS * mapping.parallelization {
            let (sender, records) = mpsc::unbounded_channel();
            let load = Load::new(&invoker.activity);
            let lane = Lane::new(mapping, deployed, invoker, on_failure.cloned(), context, &load);
            invoker.background.spawn(lane.run(records));
            lanes.push((sender, load));
        }
        let position = Position::default();
        position.set(encode_shard_iterator(&mapping.table, &shard_id(&mapping.table), 0));
        Ok(Self {
            table: mapping.table.clone(),
            partition_key: table.partition.name.clone(),
            view: table.stream_view.clone().unwrap_or_default(),
            dynamo: dynamo.clone(),
            signal: signals.register(&mapping.table, &invoker.activity, &position),
            filters,
            lanes,
            time: context.time.clone(),
            position,
            signals: signals.clone(),
            forgets: true,
        })
    }

    /// Where it has read to.
    pub(crate) fn position(&self) -> Position {
        self.position.clone()
    }

    /// Keeps the records for a later host, and goes on from where an earlier one has read to.
    pub(crate) fn keep(&mut self, position: Option<&String>) {
        self.forgets = false;
        if let Some(position) = position {
            self.position.set(position.clone());
        }
    }

    /// Looks once for records from before the start.
    pub(crate) fn wake(&self) {
        self.signal.wake();
    }

    /// Reads until the host stops.
    pub(crate) async fn run(self) {
        let mut read = 0;
        loop {
            let token = self.signal.awoken().await;
            loop {
                let page = self.read().await;
                read += page;
                if page < READ_MAX {
                    break;
                }
            }
            drop(token);
            if self.forgets && read >= TRIM_EVERY {
                read = 0;
                if let Some(position) = self.signals.read_by_all(&self.table) {
                    self.dynamo.trim(self.table.clone(), position).await;
                }
            }
        }
    }

    /// Deals one page out and says how many records it had.
    async fn read(&self) -> usize {
        let request = GetRecordsRequest { shard_iterator: self.position.get(), limit: Some(READ_MAX) };
        let page = match self.dynamo.run(move |database| database.get_records(request)).await {
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                tracing::error!(table = %self.table, %error, "stream cannot be read");
                return 0;
            }
            None => return 0,
        };
        let count = page.records.len();
        // tokens first, position second: whoever sees the new position sees the work that led to it
        for record in page.records {
            self.deal(&record);
        }
        if let Some(next) = page.next_shard_iterator {
            self.position.set(next);
        }
        count
    }

    fn deal(&self, record: &Record) {
        // the database's clock is the machine's: what a function sees is the local time
        let now_s = self.time.now().seconds();
        let Some(event) = event_record(&self.table, &self.view, record, now_s) else { return };
        if !self.filters.is_empty() && !self.filters.iter().any(|filter| filter.matches(&event)) {
            return;
        }
        let number = lane_of(&event["dynamodb"]["Keys"], &self.partition_key, self.lanes.len());
        let Some((lane, load)) = self.lanes.get(number) else { return };
        let item = StreamItem {
            sequence_number: record.dynamodb.sequence_number.clone(),
            arrived_s: now_s,
            lane: number,
            event,
            _load: load.add(),
        };
        if lane.send(item).is_err() {
            tracing::debug!(table = %self.table, "a lane ended with the host");
        }
    }
}

/// The record as Lambda hands it on; `None` for a write that changed nothing.
fn event_record(table: &str, view: &str, record: &Record, arrived_s: i64) -> Option<Value> {
    let images = &record.dynamodb;
    if images.old_image.is_some() && images.old_image == images.new_image {
        return None;
    }
    let mut event = serde_json::to_value(record).ok()?;
    event["eventSourceARN"] = json!(stream_arn(table));
    event["awsRegion"] = json!(REGION);
    let change = event["dynamodb"].as_object_mut()?;
    change.insert("StreamViewType".to_owned(), json!(view));
    let hidden: &[&str] = match view {
        "NEW_IMAGE" => &["OldImage"],
        "OLD_IMAGE" => &["NewImage"],
        "KEYS_ONLY" => &["OldImage", "NewImage"],
        _ => &[],
    };
    hidden.iter().for_each(|image| drop(change.remove(*image)));
    // whole seconds without a fraction, as in Lambda's events
    change.insert("ApproximateCreationDateTime".to_owned(), json!(arrived_s));
    Some(event)
}

/// Records of one partition key share a lane.
fn lane_of(keys: &Value, partition_key: &str, lanes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    keys.get(partition_key).map(ToString::to_string).hash(&mut hasher);
    let lanes = u64::try_from(lanes.max(1)).unwrap_or(1);
    usize::try_from(hasher.finish() % lanes).unwrap_or_default()
}
