//! How far the streams of a data file were worked off, so that the next start goes on from there.
//!
//! Queues are in memory. A position is therefore kept only when nothing is to be done: what a crash loses from a
//! queue is relayed again from the last position, and consumers take that for the repeat it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use crate::activity::{Activity, Quiet};
use crate::aws::Dynamo;
use crate::dispatch::streams::{Position, sequence};
use crate::tables::TableError;

/// Not in the template, so no function has a right to it.
const TABLE: &str = "host-positions";

/// The positions of all stream mappings.
#[derive(Clone)]
pub(crate) struct Checkpoint {
    dynamo: Dynamo,
    activity: Activity,
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

impl Checkpoint {
    pub(crate) fn new(dynamo: &Dynamo, activity: &Activity, positions: BTreeMap<String, Position>) -> Self {
        Self { dynamo: dynamo.clone(), activity: activity.clone(), positions, kept: Arc::default() }
    }

    /// Keeps the positions if everything up to them is done.
    pub(crate) async fn keep(&self) {
        let positions: Vec<(&String, String)> = self.positions.iter().map(|(id, at)| (id, at.get())).collect();
        // read before the look: what is done later than the look can only be more
        if !self.activity.is_quiet(Quiet::Later) {
            return;
        }
        let mut done: BTreeMap<String, i64> = BTreeMap::new();
        for (mapping, position) in positions {
            if let Some((table, sequence)) = sequence(&position) {
                done.entry(table).and_modify(|least| *least = sequence.min(*least)).or_insert(sequence);
            }
            if self.note(mapping, &position) {
                let item = json!({"mapping": {"S": mapping}, "position": {"S": position}});
                if let Err(answer) = self.dynamo.request("PutItem", &json!({"TableName": TABLE, "Item": item})).await {
                    tracing::error!(mapping, %answer, "stream position is not kept");
                    return;
                }
            }
        }
        for (table, sequence) in done {
            self.dynamo.trim(table, sequence).await;
        }
    }

    /// Whether a position is another than the last.
    fn note(&self, mapping: &str, position: &str) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(mapping.to_owned(), position.to_owned()).as_deref() != Some(position)
    }
}
