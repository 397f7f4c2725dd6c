//! A rehearsal: a step runs as it would, and changes nothing.
//!
//! Inside [`rehearsed`] an entity that the rehearsal names is as it was, what is saved of entities is kept in memory and read back from there, and whatever else would
//! leave the process is refused. The first refusal ends the rehearsal: what a step does after it is not believed, for it stands on an answer that nobody gave.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use aws_sdk_dynamodb::Client;
use domain::decision::{Decision, Frame};
use domain::entity::Entity;
use domain::replay::Decided;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Table;
use crate::commit::Prepared;
use crate::error::StoreError;
use crate::item::{DUE_AT, DUE_TRIES, Item, KEY, OUTBOX, SORT, SORT_ENTITY, STATE, VERSION, n, number, s, text};

/// An entity as it was: its public part. The private part is today's, for no journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsOf {
    /// Its id.
    pub entity: String,
    /// Its version then; 0 where it was not there yet.
    pub version: u64,
    /// Its public part then, as text.
    #[serde(default)]
    pub state: String,
    /// The correlation id that it had.
    #[serde(default)]
    pub correlation_id: String,
    /// When it was due, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
}

impl AsOf {
    /// Today's item, as it was.
    fn of(&self, today: Option<Item>) -> Option<Item> {
        let mut item = today.filter(|_| self.version > 0)?;
        item.insert(VERSION.to_owned(), n(self.version));
        item.insert(STATE.to_owned(), s(&self.state));
        item.insert(OUTBOX.to_owned(), s(json!({"cor": self.correlation_id}).to_string()));
        item.remove(DUE_TRIES);
        if let Some(due_at) = &self.due_at {
            item.insert(DUE_AT.to_owned(), s(due_at));
        }
        Some(item)
    }
}

/// What a decision would have saved.
pub(crate) fn decided<T: Entity>(decision: &Decision<T>, frame: &Frame, version: u64, item: &Item) -> Decided {
    let state = text(item, "?", STATE).ok().and_then(|state| serde_json::from_str(state).ok());
    Decided {
        entity: decision.next.id().to_string(),
        version,
        outcome: decision.outcome.to_owned(),
        why: decision.why.clone(),
        events: decision.events.iter().map(|kind| (*kind).to_owned()).collect(),
        rules: frame.rules.clone(),
        state: state.unwrap_or_default(),
    }
}

/// What came of a rehearsal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rehearsed {
    /// What would have been saved, in its order.
    pub decisions: Vec<Decided>,
    /// What the step was about to do that a rehearsal cannot: it ended there.
    pub stopped_at: Option<String>,
}

#[derive(Default)]
struct Scene {
    as_of: Vec<AsOf>,
    saved: BTreeMap<(String, String, String), Item>,
    rehearsed: Rehearsed,
}

tokio::task_local! {
    static SCENE: RefCell<Scene>;
}

/// Runs work in which nothing leaves the process, and returns what it would have saved beside its result; no result where it was ended.
pub async fn rehearsed<F: Future>(as_of: Vec<AsOf>, work: F) -> (Option<F::Output>, Rehearsed) {
    let scene = RefCell::new(Scene { as_of, ..Scene::default() });
    SCENE
        .scope(scene, async {
            let mut work = pin!(work);
            // whoever was refused something may try again, or wait: there is nothing to wait for
            let output = poll_fn(|context| match work.as_mut().poll(context) {
                Poll::Ready(_) | Poll::Pending if is_over() => Poll::Ready(None),
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => Poll::Pending,
            });
            (output.await, SCENE.with(|scene| scene.take().rehearsed))
        })
        .await
}

fn is_over() -> bool {
    SCENE.try_with(|scene| scene.borrow().rehearsed.stopped_at.is_some()).unwrap_or(false)
}

/// Whether this is a rehearsal.
pub fn is_rehearsed() -> bool {
    SCENE.try_with(|_| ()).is_ok()
}

/// Ends a rehearsal before something that would leave the process; `false` where this is none, and it may go on.
pub fn stops_at(what: impl FnOnce() -> String) -> bool {
    let stop = |scene: &RefCell<Scene>| {
        scene.borrow_mut().rehearsed.stopped_at.get_or_insert_with(what);
    };
    SCENE.try_with(stop).is_ok()
}

/// An item as the rehearsal sees it: as it saved it, or as it was.
pub(crate) fn seen(table: &str, key: &str, sort: &str, today: Option<Item>) -> Option<Item> {
    if !is_rehearsed() {
        return today;
    }
    SCENE.with(|scene| {
        let scene = scene.borrow();
        if let Some(own) = scene.saved.get(&(table.to_owned(), key.to_owned(), sort.to_owned())) {
            return Some(own.clone());
        }
        match scene.as_of.iter().find(|as_of| as_of.entity == key && sort == SORT_ENTITY) {
            Some(as_of) => as_of.of(today),
            None => today,
        }
    })
}

/// Keeps what was to be written together, unless somebody else would have been first; `false` then.
///
/// # Errors
/// [`StoreError::Refused`] after the end of the rehearsal, and those of reading.
pub(crate) async fn keep(client: &Client, puts: Vec<Prepared>) -> Result<bool, StoreError> {
    if is_over() {
        return Err(StoreError::Refused("the rehearsal is over".to_owned()));
    }
    for prepared in &puts {
        let Some(save) = &prepared.would_save else { continue };
        let table = Table { client: client.clone(), name: prepared.put.table_name().to_owned() };
        let stands = table.get(&save.entity, SORT_ENTITY, true).await?;
        let version = stands.map_or(Ok(0), |item| number(&item, &save.entity, VERSION))?;
        if version.checked_add(1) != Some(save.version) {
            return Ok(false);
        }
    }
    SCENE.with(|scene| {
        let mut scene = scene.borrow_mut();
        for prepared in puts {
            let item = prepared.put.item().clone();
            let part = |name: &str| text(&item, "?", name).unwrap_or_default().to_owned();
            scene.saved.insert((prepared.put.table_name().to_owned(), part(KEY), part(SORT)), item);
            scene.rehearsed.decisions.extend(prepared.would_save);
        }
    });
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(version: u64) -> Item {
        Item::from([
            (KEY.to_owned(), s("pay_1")),
            (VERSION.to_owned(), n(version)),
            (STATE.to_owned(), s("{\"status\":\"credited\"}")),
            (DUE_TRIES.to_owned(), n(2)),
        ])
    }

    fn paid() -> AsOf {
        AsOf {
            entity: "pay_1".to_owned(),
            version: 2,
            state: "{\"status\":\"paid\"}".to_owned(),
            correlation_id: "cor_1".to_owned(),
            due_at: None,
        }
    }

    #[tokio::test]
    async fn an_entity_is_as_it_was_inside_and_as_it_is_outside() {
        assert_eq!(seen("money", "pay_1", SORT_ENTITY, Some(item(4))), Some(item(4)));
        let unborn = AsOf { entity: "wrk_1".to_owned(), version: 0, ..paid() };
        let (then, _) = rehearsed(vec![paid(), unborn], async {
            assert!(is_rehearsed());
            assert_eq!(seen("crm", "wrk_1", SORT_ENTITY, Some(item(1))), None, "it was not there");
            assert_eq!(seen("money", "pay_2", SORT_ENTITY, Some(item(4))), Some(item(4)), "of another nothing is said");
            assert_eq!(
                seen("money", "pay_1", "part", Some(item(4))),
                Some(item(4)),
                "what stands beside it is as it is"
            );
            seen("money", "pay_1", SORT_ENTITY, Some(item(4))).unwrap()
        })
        .await;
        let then = then.unwrap();
        assert_eq!((then.get(VERSION), then.get(STATE)), (Some(&n(2)), Some(&s("{\"status\":\"paid\"}"))));
        assert!(!then.contains_key(DUE_TRIES) && !is_rehearsed());
    }

    #[tokio::test]
    async fn the_first_refusal_is_the_one_that_counts_and_ends_it() {
        assert!(!stops_at(|| "a call".to_owned()), "nothing is refused outside");
        let work = async {
            assert!(stops_at(|| "a call".to_owned()) && stops_at(|| "another".to_owned()));
            let config = aws_sdk_dynamodb::Config::builder().behavior_version_latest().build();
            assert!(keep(&Client::from_conf(config), vec![]).await.is_err());
            std::future::pending::<()>().await;
        };
        let (output, rehearsed) = rehearsed(vec![], work).await;
        assert_eq!((output, rehearsed.stopped_at.as_deref()), (None, Some("a call")), "nobody waits for it");
    }
}
