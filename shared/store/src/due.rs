//! What is due: a sparse, sharded index; the sweep reads it and nothing else.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use domain::Timestamp;

use crate::Table;
use crate::error::StoreError;
use crate::item::{DUE_AT, DUE_SHARD, DUE_TRIES, Item, KEY, SORT_ENTITY, STATE, VERSION, n, number, s, text};
use crate::usage::{self, Kind};

/// Shards a family of entities: one index partition takes 1 000 writes a second.
pub const DUE_SHARDS: u32 = 4;
/// Entries of one page.
const PAGE: i32 = 200;

/// An entity that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEntry {
    /// Its id.
    pub entity: String,
    /// Since when, as it stands in the item.
    pub due_at: String,
}

/// A page of what is due in a shard, oldest first.
#[derive(Debug)]
pub struct DuePage {
    /// What is due.
    pub entries: Vec<DueEntry>,
    /// Where the next page begins, if there is one.
    pub next: Option<DueCursor>,
}

/// The place of a page.
#[derive(Debug)]
pub struct DueCursor(Item);

/// What became of a due time that was to be moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postponed {
    /// It is due later now, for so many times in a row.
    Moved {
        /// 1 the first time.
        tries: u32,
    },
    /// It is no longer due at that time: whoever changed it looks after it.
    NotDue,
}

impl Table {
    /// What of a family is due in a shard, oldest first, a page.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(
        &self,
        family: &str,
        shard: u32,
        now: Timestamp,
        from: Option<DueCursor>,
    ) -> Result<DuePage, StoreError> {
        let answer = self
            .query()
            .index_name("due")
            .key_condition_expression("#shard = :shard AND #at <= :now")
            .expression_attribute_names("#shard", DUE_SHARD)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":shard", s(format!("{family}#{shard}")))
            .expression_attribute_values(":now", s(now.to_string()))
            .limit(PAGE)
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .send()
            .await?;
        usage::count(&self.name, &Kind::Read, answer.consumed_capacity());
        let entry = |item: &Item| {
            let entity = text(item, "?", KEY)?.to_owned();
            Ok(DueEntry { due_at: text(item, &entity, DUE_AT)?.to_owned(), entity })
        };
        let entries = answer.items().iter().map(entry).collect::<Result<_, StoreError>>()?;
        Ok(DuePage { entries, next: answer.last_evaluated_key.filter(|key| !key.is_empty()).map(DueCursor) })
    }

    /// What a member of the public parts of entities says, where it is a text: by the entity's id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn routes(&self, entities: &[String], member: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let mut routes = BTreeMap::new();
        for item in self.items(entities).await? {
            let id = text(&item, "?", KEY)?;
            let public: serde_json::Value =
                serde_json::from_str(text(&item, id, STATE)?).map_err(|error| StoreError::corrupt(id, error))?;
            if let Some(word) = public.get(member).and_then(serde_json::Value::as_str) {
                routes.insert(id.to_owned(), word.to_owned());
            }
        }
        Ok(routes)
    }

    /// Moves the due time of an entity on, under its version and the due time that was acted on: state, record and hash stay,
    /// so it is no version of its own. `until` gives the next time for the number of times in a row.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn postpone(
        &self,
        entity: &str,
        due_at: &str,
        until: impl FnOnce(u32) -> Timestamp,
    ) -> Result<Postponed, StoreError> {
        let Some(mut item) = self.get(entity, SORT_ENTITY, true).await? else { return Ok(Postponed::NotDue) };
        if text(&item, entity, DUE_AT).ok() != Some(due_at) {
            return Ok(Postponed::NotDue);
        }
        let before = if item.contains_key(DUE_TRIES) { number(&item, entity, DUE_TRIES)? } else { 0 };
        let tries = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        let later = until(tries).to_string();
        let version = number(&item, entity, VERSION)?;
        item.insert(DUE_AT.to_owned(), s(&later));
        item.insert(DUE_TRIES.to_owned(), n(tries));
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("#v = :v AND #at = :was")
            .expression_attribute_names("#v", VERSION)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":v", n(version))
            .expression_attribute_values(":was", s(due_at))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => {
                usage::count(&self.name, &Kind::Write, answer.consumed_capacity());
                Ok(Postponed::Moved { tries })
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(lost)) => {
                    usage::count(&self.name, &Kind::Write, None);
                    // our own write, sent again after its answer was lost
                    let ours = lost.item().is_some_and(|item| text(item, entity, DUE_AT).is_ok_and(|at| at == later));
                    Ok(if ours { Postponed::Moved { tries } } else { Postponed::NotDue })
                }
                _ => Err(error.into()),
            },
        }
    }
}
