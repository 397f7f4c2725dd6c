//! The events of a version, as the bus carries them.

use domain::entity::{Kind, family_of};
use domain::{ClientId, EventId, Timestamp};
use runtime::StepError;
use serde_json::{Value, json};
use store::Outboxed;

use crate::bus::Outgoing;

/// The data of a version's events.
pub(crate) fn data(public: Value, entity: &str, client: Option<&str>, why: &[String]) -> Value {
    let mut data = public;
    if let Some(object) = data.as_object_mut() {
        let id_field = family_of(entity).map_or_else(|| "entity_id".to_owned(), Kind::id_field);
        object.insert(id_field, json!(entity));
        if let Some(client) = client {
            object.insert("client_id".to_owned(), json!(client));
        }
        object.insert("why".to_owned(), json!(why));
    }
    data
}

/// The events of a version: their data is the entity's public part with its ids and the reasons.
pub(crate) fn of(entry: &Outboxed) -> Result<Vec<Outgoing>, StepError> {
    let client = entry.client.as_ref().map(ClientId::as_str);
    let public = serde_json::from_str(&entry.public_text).map_err(|error| StepError::Malformed(error.to_string()))?;
    let data = data(public, &entry.entity, client, &entry.record.why);
    let at = Timestamp::from_millis(entry.record.at_ms).unwrap_or(Timestamp::EPOCH);
    let outgoing = entry.record.events.iter().enumerate().map(|(n, kind)| {
        let mut detail = json!({
            "event_id": EventId::derived(&entry.entity, entry.version, n),
            "entity": entry.entity,
            "version": entry.version,
            "type": kind,
            "at": at,
            "correlation_id": entry.record.correlation_id,
            "data": data,
        });
        if let (Some(client), Some(object)) = (&entry.client, detail.as_object_mut()) {
            object.insert("client_id".to_owned(), json!(client));
        }
        Outgoing { kind: kind.clone(), detail }
    });
    Ok(outgoing.collect())
}
