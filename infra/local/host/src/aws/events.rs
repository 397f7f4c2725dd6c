//! EventBridge `PutEvents`: the checks of the API, then the bus.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Answer, Caller, Denied};
use crate::dispatch::bus::{Bus, Published};
use crate::template::bus_arn;

/// Most entries of one call.
const ENTRIES_MAX: usize = 10;
/// Largest entry in bytes.
const ENTRY_SIZE_BYTES_MAX: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    source: String,
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: String,
    event_bus_name: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutEventsAnswer {
    failed_entry_count: usize,
    entries: Vec<EntryAnswer>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct EntryAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'static str>,
}

/// The buses that a body names, for the probe and the policy.
pub(super) fn target(body: &[u8]) -> String {
    let first = serde_json::from_slice::<PutEvents>(body).ok().and_then(|put| put.entries.into_iter().next());
    first.map(|entry| bus_name(&entry).to_owned()).unwrap_or_default()
}

/// Answers one call.
pub(super) fn put_events(bus: &Bus, caller: &Caller, body: &[u8]) -> Answer {
    let Ok(put) = serde_json::from_slice::<PutEvents>(body) else {
        return Answer::error(400, "SerializationException", "the body is not a PutEvents request");
    };
    if put.entries.is_empty() || put.entries.len() > ENTRIES_MAX {
        return Answer::error(400, "ValidationException", "Entries must have 1 to 10 members");
    }
    for entry in &put.entries {
        if let Err(Denied(message)) = caller.may("events:PutEvents", &bus_arn(bus_name(entry))) {
            return Answer::error(400, "AccessDeniedException", &message);
        }
    }
    let entries: Vec<EntryAnswer> = put.entries.iter().map(|entry| put_event(bus, entry)).collect();
    let failed_entry_count = entries.iter().filter(|entry| entry.error_code.is_some()).count();
    Answer::json(&PutEventsAnswer { failed_entry_count, entries })
}

fn bus_name(entry: &Entry) -> &str {
    let name = entry.event_bus_name.as_deref().unwrap_or("default");
    name.split_once(":event-bus/").map_or(name, |(_, name)| name)
}

fn put_event(bus: &Bus, entry: &Entry) -> EntryAnswer {
    let refused =
        |code, message| EntryAnswer { error_code: Some(code), error_message: Some(message), ..EntryAnswer::default() };
    if entry.source.is_empty() || entry.detail_type.is_empty() || entry.detail.is_empty() {
        return refused("InvalidArgument", "Source, DetailType and Detail are required");
    }
    if entry.source.len() + entry.detail_type.len() + entry.detail.len() > ENTRY_SIZE_BYTES_MAX {
        return refused("InvalidArgument", "Total size of the entries in the request is over the limit");
    }
    let detail = match serde_json::from_str::<Box<RawValue>>(&entry.detail) {
        Ok(detail) if detail.get().starts_with('{') => detail,
        _ => return refused("MalformedDetail", "Detail is malformed"),
    };
    let published = bus.publish(bus_name(entry), &entry.source, &entry.detail_type, detail, &entry.resources);
    match published {
        Published::Accepted(event_id) => EntryAnswer { event_id: Some(event_id), ..EntryAnswer::default() },
        Published::NoSuchBus => refused("ResourceNotFoundException", "Event bus does not exist"),
    }
}
