//! How an entity is one item: key, version, public and private part, outbox, link of the hash chain.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::decision::{ChainHash, Decision, Frame, Record};
use domain::entity::{self, Entity, EntityId as _, Raw};
use domain::json::place_of;
use domain::{ClientId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::due::DUE_SHARDS;
use crate::error::StoreError;

/// Partition key of `crm` and `money`.
pub const KEY: &str = "pk";
/// Sort key of `crm` and `money`.
pub const SORT: &str = "sk";
/// Sort key of an entity's own item.
pub const SORT_ENTITY: &str = "#";
/// Version.
pub const VERSION: &str = "v";
pub(crate) const CLIENT: &str = "client";
pub(crate) const DUE_SHARD: &str = "due_shard";
pub(crate) const DUE_AT: &str = "due_at";
/// How often in a row a due time was moved on; gone with the next version.
pub(crate) const DUE_TRIES: &str = "due_tries";
pub(crate) const QUEUE: &str = "queue";
pub(crate) const RANK: &str = "rank";
pub(crate) const STATE: &str = "state";
/// Who proposed what this version waits for ([`Entity::proposed_by`]).
pub(crate) const PROPOSER: &str = "proposer";
pub(crate) const PRIVATE: &str = "private";
pub(crate) const OUTBOX: &str = "outbox";
pub(crate) const HASH: &str = "hash";
/// [`Entity::KIND`]; items from before kinds were written have none.
pub(crate) const KIND: &str = "kind";
/// [`Entity::SCHEMA`]; left out while it is 1.
pub(crate) const SCHEMA: &str = "sv";
/// Set on the versions that bring a correlation id the entity did not have before.
pub(crate) const CORRELATION_NEW: &str = "cor_new";

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn n(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn text<'a>(item: &'a Item, key: &str, name: &str) -> Result<&'a str, StoreError> {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .map(String::as_str)
        .ok_or_else(|| StoreError::corrupt(key, format!("attribute {name} is missing")))
}

pub(crate) fn number(item: &Item, key: &str, name: &str) -> Result<u64, StoreError> {
    item.get(name)
        .and_then(|value| value.as_n().ok())
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| StoreError::corrupt(key, format!("attribute {name} is not a number")))
}

pub(crate) fn hash(item: &Item, key: &str) -> Result<ChainHash, StoreError> {
    item.get(HASH)
        .and_then(|value| value.as_b().ok())
        .and_then(|blob| <[u8; 32]>::try_from(blob.as_ref()).ok())
        .map(ChainHash)
        .ok_or_else(|| StoreError::corrupt(key, "attribute hash is not a SHA-256"))
}

/// The item of an entity's next version and its link.
pub(crate) struct NextItem {
    pub item: Item,
    pub hash: ChainHash,
}

pub(crate) fn next_item<T: Entity>(
    decision: &Decision<T>,
    frame: &Frame,
    version: u64,
    previous: ChainHash,
    correlation_is_new: bool,
) -> Result<NextItem, StoreError> {
    let entity = &decision.next;
    let id = entity.id().as_str();
    let unreadable = |error: serde_json::Error| StoreError::corrupt(id, error);
    let (public, private) = entity::write(entity).map_err(unreadable)?;
    let record = serde_json::to_string(&Record::of(decision, frame)).map_err(unreadable)?;
    let link = ChainHash::link(previous, id, version, &record, &public);
    let mut item = Item::from([
        (KEY.to_owned(), s(id)),
        (SORT.to_owned(), s(SORT_ENTITY)),
        (KIND.to_owned(), s(T::KIND)),
        (VERSION.to_owned(), n(version)),
        (STATE.to_owned(), s(public)),
        (OUTBOX.to_owned(), s(record)),
        (HASH.to_owned(), AttributeValue::B(Blob::new(link.0))),
    ]);
    if T::SCHEMA != 1 {
        item.insert(SCHEMA.to_owned(), n(T::SCHEMA));
    }
    if correlation_is_new {
        item.insert(CORRELATION_NEW.to_owned(), AttributeValue::Bool(true));
    }
    if let Some(private) = private {
        item.insert(PRIVATE.to_owned(), s(private));
    }
    if let Some(client) = entity.client() {
        item.insert(CLIENT.to_owned(), s(client.as_str()));
    }
    if let Some(due) = entity.due() {
        if !T::TIMED {
            return Err(StoreError::corrupt(id, "it has a due time, and the timers do not look at its family"));
        }
        item.insert(DUE_SHARD.to_owned(), s(due_shard(T::FAMILY, id)));
        item.insert(DUE_AT.to_owned(), s(due.to_string()));
    }
    if let Some(proposer) = entity.proposed_by() {
        item.insert(PROPOSER.to_owned(), s(proposer));
    }
    if let Some((queue, rank)) = entity.rank() {
        item.insert(QUEUE.to_owned(), s(queue));
        item.insert(RANK.to_owned(), s(rank));
    }
    Ok(NextItem { item, hash: link })
}

fn due_shard(family: &str, id: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let first = digest.first().copied().unwrap_or(0);
    format!("{family}#{}", u32::from(first) % DUE_SHARDS)
}

pub(crate) fn optional_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

fn client_of(item: &Item, key: &str) -> Result<Option<ClientId>, StoreError> {
    optional_text(item, CLIENT).map(str::parse).transpose().map_err(|error| StoreError::corrupt(key, error))
}

pub(crate) fn entity_from<T: Entity>(item: &Item) -> Result<T, StoreError> {
    let id = text(item, "?", KEY)?;
    let due: Option<Timestamp> =
        optional_text(item, DUE_AT).map(str::parse).transpose().map_err(|error| StoreError::corrupt(id, error))?;
    let schema = match item.contains_key(SCHEMA) {
        true => number(item, id, SCHEMA)?,
        false => 1,
    };
    let raw = Raw {
        id,
        kind: optional_text(item, KIND),
        schema: u32::try_from(schema).map_err(|error| StoreError::corrupt(id, error))?,
        public: text(item, id, STATE)?,
        private: optional_text(item, PRIVATE),
    };
    entity::read(raw, client_of(item, id)?, due).map_err(|error| StoreError::unreadable(id, error))
}

/// The correlation id of the version, which its record carries.
pub(crate) fn correlation_of(item: &Item, key: &str) -> Result<String, StoreError> {
    #[derive(serde::Deserialize)]
    struct Correlated {
        cor: String,
    }
    let record: Correlated =
        serde_json::from_str(text(item, key, OUTBOX)?).map_err(|error| StoreError::corrupt(key, place_of(&error)))?;
    Ok(record.cor)
}

/// What a stream record says of one version: the outbox and what the journal keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outboxed {
    /// Entity id.
    pub entity: String,
    /// Version.
    pub version: u64,
    /// Client, if the entity belongs to one.
    pub client: Option<ClientId>,
    /// The decision record, as stored.
    pub record_text: String,
    /// The decision record.
    pub record: Record,
    /// The public part, as stored.
    pub public_text: String,
    /// The link.
    pub hash: ChainHash,
    /// Whether this version brought its correlation id.
    pub correlation_is_new: bool,
    /// Whether only the due time was moved: the version itself came in an earlier record.
    pub is_postponed: bool,
}

impl Outboxed {
    /// Reads the new image of a stream record.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn read(item: &HashMap<String, AttributeValue>) -> Result<Self, StoreError> {
        let entity = text(item, "?", KEY)?.to_owned();
        let record_text = text(item, &entity, OUTBOX)?.to_owned();
        let record =
            serde_json::from_str(&record_text).map_err(|error| StoreError::corrupt(&entity, place_of(&error)))?;
        Ok(Self {
            version: number(item, &entity, VERSION)?,
            client: client_of(item, &entity)?,
            record,
            record_text,
            public_text: text(item, &entity, STATE)?.to_owned(),
            hash: hash(item, &entity)?,
            correlation_is_new: item.contains_key(CORRELATION_NEW),
            is_postponed: item.contains_key(DUE_TRIES),
            entity,
        })
    }

    /// Reads the new image of a stream record as Lambda delivers it.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn read_json(image: &serde_json::Value) -> Result<Self, StoreError> {
        Self::read(&item_of_json(image)?)
    }
}

/// An item as Lambda delivers it in a stream record: attribute values as JSON, binary in base64.
pub(crate) fn item_of_json(image: &serde_json::Value) -> Result<Item, StoreError> {
    let unreadable = || StoreError::corrupt("?", "the stream image is not a map of attribute values");
    let mut item = Item::new();
    for (name, value) in image.as_object().ok_or_else(unreadable)? {
        let (kind, inner) = value.as_object().and_then(|object| object.iter().next()).ok_or_else(unreadable)?;
        let attribute = match (kind.as_str(), inner.as_str(), inner.as_bool()) {
            ("S", Some(text), _) => s(text),
            ("N", Some(text), _) => AttributeValue::N(text.to_owned()),
            ("B", Some(text), _) => {
                AttributeValue::B(Blob::new(STANDARD.decode(text).map_err(|error| StoreError::corrupt(name, error))?))
            }
            ("BOOL", _, Some(flag)) => AttributeValue::Bool(flag),
            _ => continue,
        };
        item.insert(name.clone(), attribute);
    }
    Ok(item)
}
