//! An execution as the journal has it, and what set it off, made again.

use domain::entity::family_of;
use domain::replay::{Decided, ExecutionPlace, Trigger};
use domain::{EventId, Timestamp};
use runtime::StepError;
use serde_json::Value;
use store::{AsOf, Journal, JournalEntry};

use super::queues;
use crate::{relay, timers};

/// Versions that one execution makes of one entity: hardly two, and surely fewer.
const VERSIONS_MAX: u64 = 20;
const READ_MAX: usize = 50;

/// What one invocation made of one entity.
#[derive(Debug, Clone)]
pub struct Then {
    /// What it made, the first version first.
    pub entries: Vec<JournalEntry>,
    /// The first of them.
    pub first: JournalEntry,
    /// What was there before.
    before: Option<JournalEntry>,
}

impl Then {
    /// From the journal; `None` where it has no such execution.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn find(journal: &Journal, place: &ExecutionPlace) -> Result<Option<Self>, StepError> {
        let from = place.version.saturating_sub(VERSIONS_MAX).max(1);
        let read = journal.entries(&place.entity, from, READ_MAX).await?;
        let own = read.iter().find(|entry| entry.version == place.version);
        let Some(own) = own.filter(|entry| entry.record.execution_id == place.invocation) else { return Ok(None) };
        let is_own = |entry: &&JournalEntry| {
            entry.record.execution_id == own.record.execution_id && entry.record.trigger == own.record.trigger
        };
        let entries: Vec<JournalEntry> = read.iter().filter(is_own).cloned().collect();
        let Some(first) = entries.first().cloned() else { return Ok(None) };
        let before = read.into_iter().find(|entry| entry.version.checked_add(1) == Some(first.version));
        Ok(Some(Self { entries, first, before }))
    }

    /// When it decided.
    pub fn at(&self) -> Timestamp {
        at(&self.first)
    }

    /// Its name: by the first version.
    pub fn place(&self) -> ExecutionPlace {
        ExecutionPlace {
            invocation: self.first.record.execution_id.clone(),
            entity: self.first.entity.clone(),
            version: self.first.version,
        }
    }

    /// What set it off.
    pub fn trigger(&self) -> Trigger {
        Trigger::read(&self.first.record.trigger)
    }

    /// What was there when it decided: its entity, and the one whose event set it off.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn as_of(&self, journal: &Journal) -> Result<Vec<AsOf>, StepError> {
        let own = match &self.before {
            Some(before) => as_of(before),
            None => unborn(&self.first.entity),
        };
        let mut all = vec![own];
        match self.trigger() {
            Trigger::Due { entity, due_at, .. } if entity == self.first.entity => {
                all.iter_mut().for_each(|own| own.due_at = Some(due_at.clone()));
            }
            Trigger::Event { entity, version, .. } if entity != self.first.entity => {
                let read = journal.entries(&entity, version, READ_MAX).await?;
                let newest = read.iter().take_while(|entry| entry.record.at_ms <= self.first.record.at_ms).last();
                all.extend(newest.or_else(|| read.first()).map(as_of));
            }
            Trigger::Event { .. } | Trigger::Due { .. } | Trigger::NotKept => {}
        }
        Ok(all)
    }
}

fn at(entry: &JournalEntry) -> Timestamp {
    Timestamp::from_millis(entry.record.at_ms).unwrap_or(Timestamp::EPOCH)
}

fn as_of(entry: &JournalEntry) -> AsOf {
    AsOf {
        entity: entry.entity.clone(),
        version: entry.version,
        state: entry.public_text.clone(),
        correlation_id: entry.record.correlation_id.clone(),
        due_at: None,
    }
}

fn unborn(entity: &str) -> AsOf {
    let (entity, text) = (entity.to_owned(), String::new());
    AsOf { entity, version: 0, state: text.clone(), correlation_id: text, due_at: None }
}

/// A version as replays show it.
pub fn decided(entry: &JournalEntry) -> Decided {
    let record = &entry.record;
    Decided {
        entity: entry.entity.clone(),
        version: entry.version,
        outcome: record.outcome.clone(),
        why: record.why.clone(),
        events: record.events.clone(),
        rules: record.rules.clone(),
        state: serde_json::from_str(&entry.public_text).unwrap_or_default(),
    }
}

/// Why an execution is not done again: a word and a sentence.
pub type LeftOut = (String, String);

/// What sets an execution off again.
#[derive(Debug, Clone, PartialEq)]
pub struct Remade {
    /// The event's type.
    pub kind: String,
    /// The event as the bus carried it.
    pub detail: Value,
    /// The queue of the step, without what its name begins with.
    pub queue: String,
}

/// Makes again what set an execution off, exactly as it was.
///
/// # Errors
/// [`StepError`].
pub async fn remake(journal: &Journal, then: &Then) -> Result<Result<Remade, LeftOut>, StepError> {
    let event = match then.trigger() {
        Trigger::NotKept => {
            let why = "a request, a schedule or a vendor's call set it off, and what that said is not kept";
            return Ok(left_out("trigger_not_kept", why));
        }
        Trigger::Due { kind, entity, due_at } => announced(then, &kind, &entity, &due_at),
        Trigger::Event { kind, entity, version, number } => {
            let entry = journal.entries(&entity, version, 1).await?.into_iter().find(|entry| entry.version == version);
            let events = entry.map(|entry| relay::events::of(&entry.outboxed()?)).transpose()?.unwrap_or_default();
            events.into_iter().nth(number).filter(|event| event.kind == kind)
        }
    };
    let Some(event) = event else {
        return Ok(left_out("event_not_found", "the journal does not have the event that set it off"));
    };
    let platform = event.detail.pointer("/data/platform");
    let platform = platform.and_then(|own| own.get("name").unwrap_or(own).as_str());
    Ok(match queues::queue_for(&then.first.record.function, platform) {
        Some(queue) => Ok(Remade { kind: event.kind, detail: event.detail, queue }),
        None => left_out("no_queue", "its function has no queue that a replay may send such an event to"),
    })
}

fn left_out(word: &str, sentence: &str) -> Result<Remade, LeftOut> {
    Err((word.to_owned(), sentence.to_owned()))
}

/// The timers' announcement: all of it is known but the second at which it was made, which no step looks at.
fn announced(then: &Then, kind: &str, entity: &str, due_at: &str) -> Option<crate::bus::Outgoing> {
    let family = family_of(entity).filter(|family| family.timed && kind == format!("{}.due", family.family))?;
    let public: Value = serde_json::from_str(&then.first.public_text).unwrap_or_default();
    let route =
        family.routed_by.filter(|_| entity == then.first.entity).and_then(|member| public.get(member)?.as_str());
    Some(timers::announcement(family, entity, due_at, route, then.at()))
}

/// The id of an event, as the journal shows it.
pub fn event_ids(decided: &Decided) -> Vec<Value> {
    let id = |(n, kind): (usize, &String)| serde_json::json!({"id": EventId::derived(&decided.entity, decided.version, n), "type": kind});
    decided.events.iter().enumerate().map(id).collect()
}
