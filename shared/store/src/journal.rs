//! The journal: append-only, one entry a version, hash-chained per entity.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use domain::decision::{ChainHash, Record};

use crate::error::StoreError;
use crate::item::{CLIENT, HASH, Item, OUTBOX, Outboxed, STATE, hash, n, number, s, text};
use crate::usage::{self, Kind};
use crate::{Journal, Saved};

const ENTITY: &str = "entity";
const ENTRY_VERSION: &str = "version";
const BY_CORRELATION: &str = "correlation";
/// Entries read at once; an entity has few versions.
const ENTRIES_MAX: i32 = 500;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Entity id.
    pub entity: String,
    /// Version.
    pub version: u64,
    /// Client, if the entity belongs to one.
    pub client: Option<String>,
    /// The decision record, as stored.
    pub record_text: String,
    /// The decision record.
    pub record: Record,
    /// The entity's public part at that version, as stored.
    pub public_text: String,
    /// The link.
    pub hash: ChainHash,
}

/// Whether the entries of one entity, oldest first, are complete from version 1 and unedited.
pub fn verify(entries: &[JournalEntry]) -> bool {
    let mut previous = ChainHash::GENESIS;
    for (expected, entry) in (1_u64..).zip(entries) {
        let link = ChainHash::link(previous, &entry.entity, entry.version, &entry.record_text, &entry.public_text);
        if entry.version != expected || link != entry.hash {
            return false;
        }
        previous = link;
    }
    true
}

impl Journal {
    /// Appends the entry of a version; twice is once.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::JournalConflict`] when another entry stands there.
    pub async fn append(&self, entry: &Outboxed) -> Result<Saved<()>, StoreError> {
        let table = &self.0;
        let mut put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(ENTITY, s(&entry.entity))
            .item(ENTRY_VERSION, n(entry.version))
            .item(OUTBOX, s(&entry.record_text))
            .item(STATE, s(&entry.public_text))
            .item(HASH, AttributeValue::B(Blob::new(entry.hash.0)))
            .condition_expression("attribute_not_exists(entity)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        if let Some(client) = &entry.client {
            put = put.item(CLIENT, s(client.as_str()));
        }
        if entry.correlation_is_new {
            put = put.item(BY_CORRELATION, s(&entry.record.correlation_id));
        }
        match put.send().await {
            Ok(answer) => {
                usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
                Ok(Saved::Applied(crate::Stored {
                    entity: (),
                    version: entry.version,
                    hash: entry.hash,
                    correlation_id: entry.record.correlation_id.clone(),
                }))
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(lost)) => {
                    usage::count(&table.name, &Kind::Write, None);
                    match lost.item().map(|item| hash(item, &entry.entity)) {
                        Some(Ok(standing)) if standing == entry.hash => Ok(Saved::Conflict),
                        _ => Err(StoreError::JournalConflict(format!("{}:{}", entry.entity, entry.version))),
                    }
                }
                _ => Err(error.into()),
            },
        }
    }

    /// The entries of an entity, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_entity(&self, entity: &str) -> Result<Vec<JournalEntry>, StoreError> {
        let table = &self.0;
        let mut entries = Vec::new();
        let mut start: Option<Item> = None;
        loop {
            let answer = table
                .client
                .query()
                .table_name(&table.name)
                .key_condition_expression("#entity = :entity")
                .expression_attribute_names("#entity", ENTITY)
                .expression_attribute_values(":entity", s(entity))
                .consistent_read(true)
                .limit(ENTRIES_MAX)
                .set_exclusive_start_key(start.take())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await?;
            usage::count(&table.name, &Kind::Read, answer.consumed_capacity());
            for item in answer.items() {
                entries.push(read(item)?);
            }
            match answer.last_evaluated_key {
                Some(key) if !key.is_empty() => start = Some(key),
                _ => return Ok(entries),
            }
        }
    }

    /// The entities that a correlation id touched.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entities_of_correlation(&self, correlation_id: &str) -> Result<Vec<String>, StoreError> {
        let table = &self.0;
        let answer = table
            .client
            .query()
            .table_name(&table.name)
            .index_name("by_correlation")
            .key_condition_expression("#correlation = :correlation")
            .expression_attribute_names("#correlation", BY_CORRELATION)
            .expression_attribute_values(":correlation", s(correlation_id))
            .limit(ENTRIES_MAX)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        usage::count(&table.name, &Kind::Read, answer.consumed_capacity());
        let mut entities = Vec::new();
        for item in answer.items() {
            let entity = text(item, "?", ENTITY)?.to_owned();
            if !entities.contains(&entity) {
                entities.push(entity);
            }
        }
        Ok(entities)
    }
}

fn read(item: &Item) -> Result<JournalEntry, StoreError> {
    let entity = text(item, "?", ENTITY)?.to_owned();
    let record_text = text(item, &entity, OUTBOX)?.to_owned();
    Ok(JournalEntry {
        version: number(item, &entity, ENTRY_VERSION)?,
        client: item.get(CLIENT).and_then(|value| value.as_s().ok()).cloned(),
        record: serde_json::from_str(&record_text).map_err(|error| StoreError::corrupt(&entity, error))?,
        record_text,
        public_text: text(item, &entity, STATE)?.to_owned(),
        hash: hash(item, &entity)?,
        entity,
    })
}
