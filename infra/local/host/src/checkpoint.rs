//! How far the streams of a data file were worked off and how far its clock was moved on, so that the next start goes
//! on from there.
//!
//! Queues are in memory. A position is therefore kept only when nothing is to be done: what a crash loses from a
//! queue is relayed again from the last position, and consumers take that for the repeat it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use crate::activity::Quiet;
use crate::aws::Dynamo;
use crate::dispatch::streams::{Position, sequence};
use crate::tables::TableError;
use crate::time::LocalTime;

/// Not in the template, so no function has a right to it.
const TABLE: &str = "host-positions";
/// The clock's row: no mapping has such a name. It holds how many milliseconds the clock is ahead of the machine's.
const CLOCK: &str = "#clock";

/// The positions of all stream mappings, and the clock.
#[derive(Clone)]
pub(crate) struct Checkpoint {
    dynamo: Dynamo,
    time: LocalTime,
    positions: BTreeMap<String, Position>,
    kept: Arc<Mutex<BTreeMap<String, String>>>,
}

/// Creates the table where it is missing and reads what it holds.
pub(crate) async fn load(dynamo: &Dynamo) -> Result<BTreeMap<String, String>, TableError> {
    if dynamo.request("DescribeTable", &json!({"TableName": TABLE})).await.is_err() {
        let request = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "mapping", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "mapping", "AttributeType": "S"}],
        });
        let refused = |answer| TableError::Refused { table: TABLE.to_owned(), answer };
        dynamo.request("CreateTable", &request).await.map_err(refused)?;
    }
    let refused = |answer| TableError::Refused { table: TABLE.to_owned(), answer };
    let page = dynamo.request("Scan", &json!({"TableName": TABLE})).await.map_err(refused)?;
    let text = |item: &serde_json::Value, name: &str| item[name]["S"].as_str().map(str::to_owned);
    let items = page["Items"].as_array().into_iter().flatten();
    Ok(items.filter_map(|item| Some((text(item, "mapping")?, text(item, "position")?))).collect())
}

/// Has the clock go on from where it was; what the file does not say or cannot be read leaves it as it is.
pub(crate) fn resume(kept: &BTreeMap<String, String>, time: &LocalTime) {
    if let Some(ahead_ms) = kept.get(CLOCK).and_then(|text| text.parse().ok()) {
        time.resume(ahead_ms);
    }
}

impl Checkpoint {
    pub(crate) fn new(dynamo: &Dynamo, time: &LocalTime, positions: BTreeMap<String, Position>) -> Self {
        Self { dynamo: dynamo.clone(), time: time.clone(), positions, kept: Arc::default() }
    }

    /// Keeps how far the clock is ahead, and the positions if everything up to them is done.
    pub(crate) async fn keep(&self) {
        if let Some(ahead_ms) = self.time.ahead_ms() {
            self.put(CLOCK, &ahead_ms.to_string()).await;
        }
        let positions: Vec<(&String, String)> = self.positions.iter().map(|(id, at)| (id, at.get())).collect();
        // read before the look: what is done later than the look can only be more
        if !self.time.activity().is_quiet(Quiet::Later) {
            return;
        }
        let mut done: BTreeMap<String, i64> = BTreeMap::new();
        for (mapping, position) in positions {
            if let Some((table, sequence)) = sequence(&position) {
                done.entry(table).and_modify(|least| *least = sequence.min(*least)).or_insert(sequence);
            }
            if !self.put(mapping, &position).await {
                return;
            }
        }
        for (table, sequence) in done {
            self.dynamo.trim(table, sequence).await;
        }
    }

    /// Writes a row unless it says so already; false when it could not be written.
    async fn put(&self, mapping: &str, position: &str) -> bool {
        if !self.note(mapping, position) {
            return true;
        }
        let item = json!({"mapping": {"S": mapping}, "position": {"S": position}});
        let put = self.dynamo.request("PutItem", &json!({"TableName": TABLE, "Item": item})).await;
        if let Err(answer) = &put {
            tracing::error!(mapping, %answer, "stream position is not kept");
        }
        put.is_ok()
    }

    /// Whether a position is another than the last.
    fn note(&self, mapping: &str, position: &str) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(mapping.to_owned(), position.to_owned()).as_deref() != Some(position)
    }
}
