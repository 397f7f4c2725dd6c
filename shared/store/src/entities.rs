//! Entities: load, and save in one conditional write.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use domain::decision::{ChainHash, Decision, Frame};
use domain::entity::{Entity, EntityId as _};
use domain::fault::{self, Fault};

use crate::commit::Committed;
use crate::error::StoreError;
use crate::item::{self, Item, KEY, PROPOSER, SORT, SORT_ENTITY, VERSION, n, s};
use crate::rehearsal;
use crate::usage::{self, Kind};
use crate::{Home, Table};

/// An entity as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// The entity.
    pub entity: T,
    /// Its version.
    pub version: u64,
    /// The link of its newest journal entry.
    pub hash: ChainHash,
    /// The correlation id that its newest version carries.
    pub correlation_id: String,
}

/// What became of a save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved<T> {
    /// The new version stands.
    Applied(Stored<T>),
    /// Somebody else saved that version first: load again and decide again.
    Conflict,
}

impl Table {
    /// Loads an entity, strongly consistent: 1 read unit per 4 KB.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load_entity<T: Entity>(&self, id: &T::Id, consistent: bool) -> Result<Option<Stored<T>>, StoreError> {
        let Some(item) = self.get(id.as_str(), SORT_ENTITY, consistent).await? else { return Ok(None) };
        stored(&item).map(Some)
    }

    pub(crate) async fn get(&self, key: &str, sort: &str, consistent: bool) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key(KEY, s(key))
            .key(SORT, s(sort))
            .consistent_read(consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        usage::count(&self.name, &Kind::Read, answer.consumed_capacity());
        Ok(rehearsal::seen(&self.name, key, sort, answer.item))
    }

    /// Saves a decision as the version after `was`, in one conditional write that carries state, events and record.
    ///
    /// A write of our own that comes back, because the SDK sent it again after its answer was lost, is no conflict: the item
    /// that stands is the one that was to be written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn save_entity<T: Entity>(
        &self,
        was: Option<&Stored<T>>,
        decision: Decision<T>,
        frame: &Frame,
    ) -> Result<Saved<T>, StoreError> {
        if rehearsal::is_rehearsed() {
            return self.rehearse(was, decision, frame).await;
        }
        let (version, previous) = was.map_or((1, ChainHash::GENESIS), |was| (was.version.saturating_add(1), was.hash));
        let correlation_is_new = was.is_none_or(|was| was.correlation_id != frame.correlation_id);
        let next = item::next_item(&decision, frame, version, previous, correlation_is_new)?;
        let mark = Mark::of(&next.item);
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(next.item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let Condition { expression, names, values } = Condition::after(was, &decision);
        let put = put
            .condition_expression(expression)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        let saved = || {
            let correlation_id = frame.correlation_id.clone();
            Saved::Applied(Stored { entity: decision.next, version, hash: next.hash, correlation_id })
        };
        match put.send().await {
            Ok(answer) => {
                usage::count(&self.name, &Kind::Write, answer.consumed_capacity());
                Ok(saved())
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(lost)) => {
                    usage::count(&self.name, &Kind::Write, None);
                    Ok(if mark.is_on(lost.item()) { saved() } else { Saved::Conflict })
                }
                // another transaction holds the item: what it does to it is seen when it is loaded again
                Some(PutItemError::TransactionConflictException(_)) => Ok(Saved::Conflict),
                _ => Err(error.into()),
            },
        }
    }

    /// The same in a rehearsal: a commit of one.
    async fn rehearse<T: Entity>(
        &self,
        was: Option<&Stored<T>>,
        decision: Decision<T>,
        frame: &Frame,
    ) -> Result<Saved<T>, StoreError> {
        let mut commit = self.commit();
        let version = was.map_or(1, |was| was.version.saturating_add(1));
        let hash = commit.save_in(self, was, &decision, frame)?;
        Ok(match commit.send().await? {
            Committed::Conflict => Saved::Conflict,
            Committed::Applied => {
                let correlation_id = frame.correlation_id.clone();
                Saved::Applied(Stored { entity: decision.next, version, hash, correlation_id })
            }
        })
    }
}

/// Under what a version is written.
pub(crate) struct Condition {
    pub(crate) expression: &'static str,
    pub(crate) names: Option<HashMap<String, String>>,
    pub(crate) values: Option<Item>,
}

impl Condition {
    /// The version before is still the newest; and what is approved was proposed, by somebody else than approves it, whatever the code
    /// that decided took the two people for.
    pub(crate) fn after<T: Entity>(was: Option<&Stored<T>>, decision: &Decision<T>) -> Self {
        let Some(was) = was else {
            return Self { expression: "attribute_not_exists(pk)", names: None, values: None };
        };
        let mut names = HashMap::from([("#v".to_owned(), VERSION.to_owned())]);
        let mut values = Item::from([(":was".to_owned(), n(was.version))]);
        let mut expression = "#v = :was";
        if let Some(approver) = &decision.approver {
            expression = "#v = :was AND attribute_exists(#proposer) AND #proposer <> :approver";
            names.insert("#proposer".to_owned(), PROPOSER.to_owned());
            values.insert(":approver".to_owned(), s(approver));
        }
        Self { expression, names: Some(names), values: Some(values) }
    }
}

/// What tells an item from any other: the link covers record and public part, and these two besides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark([Option<AttributeValue>; 3]);

impl Mark {
    pub(crate) fn of(item: &Item) -> Self {
        Self([item::HASH, item::PRIVATE, item::DUE_AT].map(|name| item.get(name).cloned()))
    }

    /// Whether the item that stood in the way is the very one that was to be written.
    pub(crate) fn is_on(&self, standing: Option<&Item>) -> bool {
        standing.is_some_and(|item| Self::of(item) == *self) && !fault::is_back(Fault::OwnWriteIsAStrangers)
    }
}

pub(crate) fn stored<T: Entity>(item: &Item) -> Result<Stored<T>, StoreError> {
    let key = item::text(item, "?", KEY)?;
    Ok(Stored {
        entity: item::entity_from(item)?,
        version: item::number(item, key, VERSION)?,
        hash: item::hash(item, key)?,
        correlation_id: item::correlation_of(item, key)?,
    })
}

macro_rules! entity_methods {
    ($home:ty) => {
        impl $home {
            /// Loads an entity, strongly consistent.
            ///
            /// # Errors
            /// [`StoreError`].
            pub async fn load<T: Entity>(&self, id: &T::Id) -> Result<Option<Stored<T>>, StoreError>
            where
                Self: Home<T>,
            {
                Home::<T>::table(self).load_entity(id, true).await
            }

            /// Loads what hardly changes, eventually consistent: half the read units. What that does not show may be of this second,
            /// so it is absent only if a strongly consistent read does not show it either.
            ///
            /// # Errors
            /// [`StoreError`].
            pub async fn load_settled<T: Entity>(&self, id: &T::Id) -> Result<Option<Stored<T>>, StoreError>
            where
                Self: Home<T>,
            {
                match Home::<T>::table(self).load_entity(id, false).await? {
                    Some(stored) => Ok(Some(stored)),
                    None => Home::<T>::table(self).load_entity(id, true).await,
                }
            }

            /// Loads those that are there, in the order of their ids: 1 read unit each. What is of another kind of the family is left out.
            ///
            /// # Errors
            /// [`StoreError`].
            pub async fn load_some<T: Entity>(&self, ids: &[T::Id]) -> Result<Vec<Stored<T>>, StoreError>
            where
                Self: Home<T>,
            {
                let keys: Vec<String> = ids.iter().map(ToString::to_string).collect();
                Home::<T>::table(self).batch(&keys).await
            }

            /// Saves a decision: state, version + 1 and outbox in one conditional write.
            ///
            /// # Errors
            /// [`StoreError`].
            pub async fn save<T: Entity>(
                &self,
                was: Option<&Stored<T>>,
                decision: Decision<T>,
                frame: &Frame,
            ) -> Result<Saved<T>, StoreError>
            where
                Self: Home<T>,
            {
                Home::<T>::table(self).save_entity(was, decision, frame).await
            }
        }
    };
}

entity_methods!(crate::Crm);
entity_methods!(crate::MoneyTable);
entity_methods!(crate::TradesTable);
entity_methods!(crate::PartnersTable);

#[cfg(test)]
mod tests;
