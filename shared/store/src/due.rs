//! What is due: a sparse, sharded index; the sweep reads it and nothing else.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::Timestamp;

use crate::Table;
use crate::error::StoreError;
use crate::item::{DUE_AT, DUE_SHARD, KEY, s, text};
use crate::usage::{self, Kind};

/// Shards a kind of entity: one index partition takes 1 000 writes a second.
pub const DUE_SHARDS: u32 = 4;
/// Entries one sweep takes from a shard; the rest waits for the next minute.
const SWEEP_MAX: i32 = 500;

/// An entity that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEntry {
    /// Its id.
    pub entity: String,
    /// Since when.
    pub due_at: String,
}

impl Table {
    /// What of a kind is due in a shard, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(&self, kind: &str, shard: u32, now: Timestamp) -> Result<Vec<DueEntry>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("due")
            .key_condition_expression("#shard = :shard AND #at <= :now")
            .expression_attribute_names("#shard", DUE_SHARD)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":shard", s(format!("{kind}#{shard}")))
            .expression_attribute_values(":now", s(now.to_string()))
            .limit(SWEEP_MAX)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        usage::count(&self.name, &Kind::Read, answer.consumed_capacity());
        answer
            .items()
            .iter()
            .map(|item| {
                let entity = text(item, "?", KEY)?.to_owned();
                Ok(DueEntry { due_at: text(item, &entity, DUE_AT)?.to_owned(), entity })
            })
            .collect()
    }
}
