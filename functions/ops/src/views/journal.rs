//! `GET /v1/journal`: what happened, in which order, why, and whether nobody has touched the record since.

use std::str::FromStr;

use domain::decision::ChainHash;
use domain::{ClientId, EventId, Timestamp};
use runtime::Problem;
use runtime::http::{Reply, Request};
use serde_json::{Value, json};
use store::{Crm, Journal, JournalEntry, MoneyTable, verify};

use crate::relay;

/// Accounts, payments and work items of a client that one answer covers, the newest of each.
const ENTITIES_MAX: i32 = 100;
/// Longest entity or correlation id that is looked for, in bytes; ours are shorter.
const ID_MAX: usize = 255;

/// A place in the journal: the moment, and within it entity and version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at_ms: i64,
    entity: String,
    version: u64,
}

impl Place {
    fn cursor(&self) -> String {
        format!("{}~{}~{}", self.at_ms, self.entity, self.version)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, rest) = text.split_once('~').ok_or(())?;
        let (entity, version) = rest.rsplit_once('~').ok_or(())?;
        let (at_ms, version) = (at.parse().map_err(|_| ())?, version.parse().map_err(|_| ())?);
        Ok(Self { at_ms, entity: entity.to_owned(), version })
    }
}

pub(super) async fn view(
    crm: &Crm,
    money: &MoneyTable,
    journal: &Journal,
    request: &Request,
) -> Result<Reply, Problem> {
    let (limit, after) = request.page::<Place>()?;
    let wanted = |name: &str| request.query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let asked = [wanted("entity"), wanted("client"), wanted("correlation")];
    if asked.into_iter().flatten().any(|id| id.len() > ID_MAX) {
        return Err(Problem::malformed(format!("an id has at most {ID_MAX} bytes")));
    }
    let (entities, correlation) = match asked {
        [Some(entity), None, None] => (vec![entity.to_owned()], None),
        [None, Some(client), None] => (of_client(crm, money, client).await?, None),
        [None, None, Some(id)] => (journal.entities_of_correlation(id).await?, Some(id)),
        _ => return Err(Problem::malformed("send exactly one of entity, client and correlation")),
    };
    let (verified, mut lines) = lines(journal, entities, correlation).await?;
    lines.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
    lines.sort_by(|left, right| left.0.cmp(&right.0));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = lines.len() > limit;
    lines.truncate(limit);
    let next_cursor = lines.last().filter(|_| more).map(|(place, _)| place.cursor());
    let items: Vec<Value> = lines.into_iter().map(|(_, line)| line).collect();
    Ok(Reply::json(200, &json!({"verified": verified, "items": items, "next_cursor": next_cursor})))
}

/// The entries of entities, and whether every chain is whole.
async fn lines(
    journal: &Journal,
    entities: Vec<String>,
    correlation: Option<&str>,
) -> Result<(bool, Vec<(Place, Value)>), Problem> {
    let (mut verified, mut lines) = (true, Vec::new());
    for entity in entities {
        let entries = journal.of_entity(&entity).await?;
        verified &= verify(&entries);
        let mut previous = ChainHash::GENESIS;
        for entry in entries {
            let line = line(&entry, previous);
            previous = entry.hash;
            if correlation.is_none_or(|id| entry.record.correlation_id == id) {
                let place = Place { at_ms: entry.record.at_ms, entity: entry.entity, version: entry.version };
                lines.push((place, line));
            }
        }
    }
    Ok((verified, lines))
}

async fn of_client(crm: &Crm, money: &MoneyTable, text: &str) -> Result<Vec<String>, Problem> {
    let Ok(client) = text.parse::<ClientId>() else { return Ok(Vec::new()) };
    let accounts = crm.accounts_of(&client, ENTITIES_MAX, None).await?;
    let payments = money.payments_of(&client, ENTITIES_MAX, None).await?;
    let work = crm.work_about(&client, ENTITIES_MAX).await?;
    let mut entities = vec![client.to_string()];
    entities.extend(accounts.items.iter().map(|stored| stored.entity.id.to_string()));
    entities.extend(payments.items.iter().map(|stored| stored.entity.id.to_string()));
    entities.extend(work.items.iter().map(|stored| stored.entity.id.to_string()));
    Ok(entities)
}

fn line(entry: &JournalEntry, previous: ChainHash) -> Value {
    let record = &entry.record;
    let state: Value = serde_json::from_str(&entry.public_text).unwrap_or(Value::Null);
    let data = relay::events::data(state.clone(), &entry.entity, entry.client.as_deref(), &record.why);
    let events: Vec<Value> = record
        .events
        .iter()
        .enumerate()
        .map(|(n, kind)| json!({"id": EventId::derived(&entry.entity, entry.version, n), "type": kind, "data": data}))
        .collect();
    let (rule_set, rule_version) = match record.rules.as_deref().and_then(|rules| rules.split_once('@')) {
        Some((set, version)) => (Some(set), version.parse::<u64>().ok()),
        None => (None, None),
    };
    let mut line = json!({
        "entity": entry.entity, "version": entry.version,
        "at": Timestamp::from_millis(record.at_ms).unwrap_or(Timestamp::EPOCH),
        "execution_id": record.execution_id, "function": record.function, "trigger": record.trigger, "why": record.why,
        "outcome": record.outcome, "events": events, "state": state, "correlation_id": record.correlation_id,
        "previous_hash": previous.hex(), "hash": entry.hash.hex(),
    });
    if let (Some(set), Some(object)) = (rule_set, line.as_object_mut()) {
        object.insert("rule_set".to_owned(), json!(set));
        object.insert("rule_version".to_owned(), json!(rule_version));
    }
    line
}
