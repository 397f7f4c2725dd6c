//! `GET /v1/journal`: what happened, in which order, why, and whether nobody has touched the record since.

mod pages;

use std::collections::{BTreeMap, BTreeSet};

use domain::compliance::is_secret;
use domain::decision::ChainHash;
use domain::entity::EntityId;
use domain::replay::ExecutionPlace;
use domain::work::rules::WorkKind;
use domain::{ActivityId, AttributionId, ClientId, EventId, KycCaseId, Timestamp, WorkId};
use runtime::auth::Role;
use runtime::http::{Reply, Request};
use runtime::{Caller, Problem};
use serde_json::{Value, json};
use store::{Journal, JournalEntry};

pub(super) use self::pages::Sources;
use self::pages::{Asked, Chain, Place};
use crate::relay;

/// Longest entity or correlation id that is looked for, in bytes; ours are shorter.
const ID_MAX: usize = 255;

pub(super) async fn view(sources: &Sources<'_>, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
    let (limit, after) = request.page::<Place>()?;
    let wanted = |name: &str| request.query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let asked = [wanted("entity"), wanted("client"), wanted("correlation")];
    if asked.into_iter().flatten().any(|id| id.len() > ID_MAX) {
        return Err(Problem::malformed(format!("an id has at most {ID_MAX} bytes")));
    }
    let mut chains = match asked {
        [Some(entity), None, None] => {
            if after.as_ref().is_some_and(|after| after.entity != entity) {
                return Err(Problem::malformed("cursor is not the next_cursor of this list"));
            }
            vec![Chain::whole(entity.to_owned())]
        }
        [None, Some(client), None] => of_client(sources, client).await?,
        [None, None, Some(id)] => of_correlation(sources.journal, id).await?,
        _ => return Err(Problem::malformed("send exactly one of entity, client and correlation")),
    };
    // of a case nobody else learns even that there is one: for them it is as if it were not there
    let secrets = caller.require(&[Role::Compliance]).is_ok();
    if !secrets {
        chains.retain(|chain| !is_secret(&chain.entity));
        let items: Vec<String> =
            chains.iter().map(|chain| chain.entity.clone()).filter(|id| id.parse::<WorkId>().is_ok()).collect();
        let heads = if items.is_empty() { BTreeMap::new() } else { sources.crm.0.heads(&items).await? };
        let hidden: BTreeSet<String> =
            heads.into_values().filter(|head| hides(&head.public_text)).map(|head| head.entity).collect();
        chains.retain(|chain| !hidden.contains(&chain.entity));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = sources.page(chains, Asked { after: after.as_ref(), limit, now: request.now }).await?;
    let more = page.found.len() > limit;
    let next_cursor = page.found.keys().take(limit).next_back().filter(|_| more).map(Place::cursor);
    let shown = |(entry, previous): &(JournalEntry, ChainHash)| line(entry, *previous, secrets);
    let items: Vec<Value> = page.found.values().take(limit).map(shown).collect();
    let mut body = json!({"verified": page.verified, "items": items, "next_cursor": next_cursor});
    if let (true, Some(object)) = (page.pending > 0, body.as_object_mut()) {
        object.insert("pending".to_owned(), json!(page.pending));
    }
    Ok(Reply::json(200, &body))
}

/// A client and what is theirs.
async fn of_client(sources: &Sources<'_>, text: &str) -> Result<Vec<Chain>, Problem> {
    let Ok(client) = text.parse::<ClientId>() else { return Ok(Vec::new()) };
    // deals, and what they earned for partners, are asked for one by one: what they came to stands in the activity
    let mut entities =
        vec![client.to_string(), ActivityId::of(&client).to_string(), AttributionId::of(&client).to_string()];
    entities.extend(sources.crm.0.ids_of_client(&client).await?);
    entities.extend(sources.money.0.ids_of_client(&client).await?);
    Ok(entities.into_iter().map(Chain::whole).collect())
}

/// Each entity from the version on that a correlation id came in with, as long as it keeps it.
async fn of_correlation(journal: &Journal, id: &str) -> Result<Vec<Chain>, Problem> {
    let came_in = journal.of_correlation(id).await?.into_iter();
    let chain = |(entity, version): (String, u64)| Chain {
        entity,
        after: version.saturating_sub(1),
        correlation: Some(id.to_owned()),
    };
    Ok(came_in.map(chain).collect())
}

/// Whether a work item is for compliance alone, by its public part; one that cannot be read is.
fn hides(item: &str) -> bool {
    let Ok(facts) = serde_json::from_str::<Value>(item) else { return true };
    let entity = facts.pointer("/subject/entity").and_then(Value::as_str);
    facts["kind"] == WorkKind::KycHit.as_str() || entity.is_some_and(is_secret)
}

/// What a client's verification says of watchlists, and of who is asked about it: for compliance alone.
const OF_LISTS: [&str; 2] = ["screening", "review"];

fn line(entry: &JournalEntry, previous: ChainHash, secrets: bool) -> Value {
    let record = &entry.record;
    let mut state: Value = serde_json::from_str(&entry.public_text).unwrap_or(Value::Null);
    let hides = !secrets && entry.entity.starts_with(<KycCaseId as EntityId>::PREFIX);
    if let (true, Some(object)) = (hides, state.as_object_mut()) {
        object.retain(|name, _| !OF_LISTS.contains(&name.as_str()));
    }
    let why: &[String] = if hides { &[] } else { &record.why };
    let data = relay::events::data(state.clone(), &entry.entity, entry.client.as_deref(), why);
    let events: Vec<Value> = record
        .events
        .iter()
        .enumerate()
        .map(|(n, kind)| json!({"id": EventId::derived(&entry.entity, entry.version, n), "type": kind, "data": data}))
        .collect();
    let (rule_set, rule_version) = match record.rules.first().and_then(|rules| rules.split_once('@')) {
        Some((set, version)) => (Some(set), version.parse::<u64>().ok()),
        None => (None, None),
    };
    // an invocation alone cannot be looked up: its name carries where it stands
    let execution = ExecutionPlace {
        invocation: record.execution_id.clone(),
        entity: entry.entity.clone(),
        version: entry.version,
    };
    let mut line = json!({
        "entity": entry.entity, "version": entry.version,
        "at": Timestamp::from_millis(record.at_ms).unwrap_or(Timestamp::EPOCH),
        "execution_id": execution, "function": record.function, "trigger": record.trigger, "why": why,
        "outcome": record.outcome, "events": events, "state": state, "correlation_id": record.correlation_id,
        "previous_hash": previous.hex(), "hash": entry.hash.hex(), "rules": record.rules,
    });
    if let (Some(set), Some(object)) = (rule_set, line.as_object_mut()) {
        object.insert("rule_set".to_owned(), json!(set));
        object.insert("rule_version".to_owned(), json!(rule_version));
    }
    line
}
