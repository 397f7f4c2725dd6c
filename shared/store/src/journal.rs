//! The journal: append-only, one entry a version, hash-chained per entity.

mod chain;
mod index;

pub use chain::{End, ON_ITS_WAY, Stretch, verify};
pub use index::{Asked, Indexed};

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use domain::decision::{ChainHash, Record};
use domain::entity::family_of;
use domain::{ClientId, Day, Timestamp};

use crate::error::StoreError;
use crate::item::{CLIENT, HASH, Item, KEY, OUTBOX, Outboxed, STATE, VERSION, hash, n, number, s, text};
use crate::usage::{self, Kind};
use crate::{Journal, Saved, Table};

const ENTITY: &str = "entity";
const ENTRY_VERSION: &str = "version";
const BY_CORRELATION: &str = "correlation";
/// The rule set that was asked and the day, of entries that say what it was asked.
const BY_ASKED: &str = "asked";
/// Entries read at once.
const ENTRIES_MAX: i32 = 500;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
}

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

impl JournalEntry {
    /// The version as its table's stream told it.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn outboxed(&self) -> Result<Outboxed, StoreError> {
        let client = self.client.as_deref().map(str::parse::<ClientId>).transpose();
        Ok(Outboxed {
            entity: self.entity.clone(),
            version: self.version,
            client: client.map_err(|error| StoreError::corrupt(&self.entity, error))?,
            record_text: self.record_text.clone(),
            record: self.record.clone(),
            public_text: self.public_text.clone(),
            hash: self.hash,
            correlation_is_new: false,
            is_postponed: false,
        })
    }
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
        if let Some(asked) = &entry.record.asked {
            put = put.item(BY_ASKED, s(asked_on(&asked.set, day_of(&entry.record))));
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
        self.some(entity, 1, Order::OldestFirst, usize::MAX).await
    }

    /// At most `count` entries of an entity after a version, with what they are checked against: the entry before them, the
    /// one after them and the newest. Reads that many and no more, however long the chain is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stretch(&self, entity: &str, after: u64, count: usize) -> Result<Stretch, StoreError> {
        let wanted = count.saturating_add(1).saturating_add(usize::from(after > 0));
        let mut read = self.some(entity, after.max(1), Order::OldestFirst, wanted).await?;
        let newest = match read.last() {
            Some(last) if read.len() < wanted => Some(last.clone()),
            None if after == 0 => None,
            _ => self.some(entity, 1, Order::NewestFirst, 1).await?.pop(),
        };
        let has_before = after > 0 && read.first().is_some_and(|entry| entry.version == after);
        let before = has_before.then(|| read.remove(0));
        let next = if read.len() > count { read.drain(count..).next() } else { None };
        Ok(Stretch { after, before, entries: read, next, newest })
    }

    /// At most `count` entries of an entity from a version on, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries(&self, entity: &str, from: u64, count: usize) -> Result<Vec<JournalEntry>, StoreError> {
        self.some(entity, from, Order::OldestFirst, count).await
    }

    /// The newest entry of an entity.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest(&self, entity: &str) -> Result<Option<JournalEntry>, StoreError> {
        Ok(self.some(entity, 1, Order::NewestFirst, 1).await?.pop())
    }

    async fn some(&self, entity: &str, from: u64, order: Order, count: usize) -> Result<Vec<JournalEntry>, StoreError> {
        if index::is_page(entity) {
            return Ok(Vec::new());
        }
        let query = self
            .0
            .query()
            .key_condition_expression("#entity = :entity AND #version >= :from")
            .expression_attribute_names("#entity", ENTITY)
            .expression_attribute_names("#version", ENTRY_VERSION)
            .expression_attribute_values(":entity", s(entity))
            .expression_attribute_values(":from", n(from))
            .scan_index_forward(order == Order::OldestFirst)
            .consistent_read(true)
            .limit(i32::try_from(count).unwrap_or(ENTRIES_MAX).min(ENTRIES_MAX));
        let mut entries = Vec::new();
        let take = |item: &Item| {
            entries.push(read(item)?);
            Ok(if entries.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        };
        self.0.each(query, take).await?;
        Ok(entries)
    }

    /// What a rule set was asked on a day, in the order of entities: at most `count`, each with entity and record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn asked(&self, set: &str, day: Day, count: usize) -> Result<Vec<(String, Record)>, StoreError> {
        let query = self
            .0
            .query()
            .index_name("by_asked")
            .key_condition_expression("#asked = :asked")
            .expression_attribute_names("#asked", BY_ASKED)
            .expression_attribute_values(":asked", s(asked_on(set, day)))
            .limit(i32::try_from(count).unwrap_or(ENTRIES_MAX).min(ENTRIES_MAX));
        let mut found = Vec::new();
        let take = |item: &Item| {
            let entity = text(item, "?", ENTITY)?.to_owned();
            let record = serde_json::from_str(text(item, &entity, OUTBOX)?);
            found.push((entity.clone(), record.map_err(|error| StoreError::corrupt(&entity, error))?));
            Ok(if found.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        };
        self.0.each(query, take).await?;
        Ok(found)
    }

    /// Where a correlation id came in: entities, each with the version that brought it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_correlation(&self, correlation_id: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let query = self
            .0
            .query()
            .index_name("by_correlation")
            .key_condition_expression("#correlation = :correlation")
            .expression_attribute_names("#correlation", BY_CORRELATION)
            .expression_attribute_values(":correlation", s(correlation_id));
        let mut found = Vec::new();
        let take = |item: &Item| {
            let entity = text(item, "?", ENTITY)?.to_owned();
            let version = number(item, &entity, ENTRY_VERSION)?;
            found.push((entity, version));
            Ok(ControlFlow::Continue(()))
        };
        self.0.each(query, take).await?;
        Ok(found)
    }
}

impl Table {
    /// What the own items of entities say of their newest versions, by id. What is no entity's item is left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn heads(&self, ids: &[String]) -> Result<BTreeMap<String, Outboxed>, StoreError> {
        let mut heads = BTreeMap::new();
        for item in self.items(ids).await?.iter().filter(|item| item.contains_key(VERSION)) {
            let head = Outboxed::read(item)?;
            heads.insert(head.entity.clone(), head);
        }
        Ok(heads)
    }

    /// The ids of everything in this table that belongs to a client and has a journal, oldest first of each kind: keys only, and all
    /// of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ids_of_client(&self, client: &ClientId) -> Result<Vec<String>, StoreError> {
        let query = self
            .query()
            .index_name("by_client")
            .key_condition_expression("#client = :client")
            .expression_attribute_names("#client", CLIENT)
            .expression_attribute_values(":client", s(client.as_str()));
        let mut ids = Vec::new();
        let take = |item: &Item| {
            // messages, claims and balances are a client's, too
            ids.extend(Some(text(item, "?", KEY)?).filter(|id| family_of(id).is_some()).map(str::to_owned));
            Ok(ControlFlow::Continue(()))
        };
        self.each(query, take).await?;
        Ok(ids)
    }
}

fn asked_on(set: &str, day: Day) -> String {
    format!("{set}#{day}")
}

fn day_of(record: &Record) -> Day {
    Day::of(Timestamp::from_millis(record.at_ms).unwrap_or(Timestamp::EPOCH))
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
