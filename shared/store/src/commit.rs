//! Several entities that must agree, saved together or not at all.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    CancellationReason, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::decision::{ChainHash, Decision, Frame};
use domain::entity::Entity;
use domain::replay::Decided;

use crate::entities::{Condition, Mark};
use crate::error::StoreError;
use crate::item::{self, Item, KEY, SORT, n, s};
use crate::rehearsal;
use crate::usage::{self, Kind};
use crate::{Home, Stored, Table};

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// All of it stands.
    Applied,
    /// Somebody else saved one of the entities first: load again and decide again. Nothing of it stands.
    Conflict,
}

/// Entities on their way into their tables. Each write costs two units a KB, as transactions do.
#[derive(Debug)]
pub struct Commit {
    client: Client,
    puts: Vec<Prepared>,
    /// What is added to, whoever else adds to it.
    sums: Vec<Update>,
}

/// A write, and what tells it from any other if it is an entity's version.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) put: Put,
    mark: Option<Mark>,
    /// What a rehearsal says of it.
    pub(crate) would_save: Option<Decided>,
}

/// Reasons of a cancelled transaction after which the same attempt may pass.
const TRANSIENT: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

impl Table {
    /// Begins a commit, which may take in other tables' entities as well.
    pub fn commit(&self) -> Commit {
        Commit { client: self.client.clone(), puts: Vec::new(), sums: Vec::new() }
    }
}

impl Commit {
    /// Adds the version after `was` of an entity, under the condition that it is still the newest.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the entity cannot be written.
    pub fn save<T: Entity>(
        &mut self,
        home: &impl Home<T>,
        was: Option<&Stored<T>>,
        decision: &Decision<T>,
        frame: &Frame,
    ) -> Result<(), StoreError> {
        self.save_in(home.table(), was, decision, frame).map(drop)
    }

    /// The same, and the link of the new version.
    pub(crate) fn save_in<T: Entity>(
        &mut self,
        table: &Table,
        was: Option<&Stored<T>>,
        decision: &Decision<T>,
        frame: &Frame,
    ) -> Result<ChainHash, StoreError> {
        let (version, previous) = was.map_or((1, ChainHash::GENESIS), |was| (was.version.saturating_add(1), was.hash));
        let correlation_is_new = was.is_none_or(|was| was.correlation_id != frame.correlation_id);
        let next = item::next_item(decision, frame, version, previous, correlation_is_new)?;
        let mark = Some(Mark::of(&next.item));
        let would_save = rehearsal::is_rehearsed().then(|| rehearsal::decided(decision, frame, version, &next.item));
        let Condition { expression, names, values } = Condition::after(was, decision);
        self.put(table, next.item, mark, |put| {
            put.condition_expression(expression)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
        })?;
        if let Some(prepared) = self.puts.last_mut() {
            prepared.would_save = would_save;
        }
        Ok(next.hash)
    }

    pub(crate) fn put(
        &mut self,
        table: &Table,
        item: Item,
        mark: Option<Mark>,
        condition: impl FnOnce(PutBuilder) -> PutBuilder,
    ) -> Result<(), StoreError> {
        let put = Put::builder()
            .table_name(&table.name)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = condition(put).build().map_err(|error| StoreError::Refused(error.to_string()))?;
        self.puts.push(Prepared { put, mark, would_save: None });
        Ok(())
    }

    /// Adds to the numbers of an item, which is there from then on.
    pub(crate) fn add(
        &mut self,
        table: &Table,
        (key, sort): (&str, &str),
        numbers: &BTreeMap<String, u64>,
    ) -> Result<(), StoreError> {
        let names: Vec<(String, &String)> = (0..).map(|place| format!("#n{place}")).zip(numbers.keys()).collect();
        let parts: Vec<String> = names.iter().map(|(name, _)| format!("{name} {}", name.replace('#', ":"))).collect();
        let mut update = Update::builder()
            .table_name(&table.name)
            .key(KEY, s(key))
            .key(SORT, s(sort))
            .update_expression(format!("ADD {}", parts.join(", ")));
        for ((name, field), number) in names.iter().zip(numbers.values()) {
            update = update
                .expression_attribute_names(name.clone(), (*field).clone())
                .expression_attribute_values(name.replace('#', ":"), n(number));
        }
        self.sums.push(update.build().map_err(|error| StoreError::Refused(error.to_string()))?);
        Ok(())
    }

    /// Writes all of it in one transaction. A transaction of our own that comes back is no conflict.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn send(self) -> Result<Committed, StoreError> {
        if rehearsal::is_rehearsed() {
            let kept = rehearsal::keep(&self.client, self.puts).await?;
            return Ok(if kept { Committed::Applied } else { Committed::Conflict });
        }
        let marks: Vec<Option<Mark>> = self.puts.iter().map(|prepared| prepared.mark.clone()).collect();
        let first_table = self.puts.first().map(|prepared| prepared.put.table_name().to_owned()).unwrap_or_default();
        let item = |prepared: Prepared| TransactWriteItem::builder().put(prepared.put).build();
        let sum = |update: Update| TransactWriteItem::builder().update(update).build();
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(self.puts.into_iter().map(item).chain(self.sums.into_iter().map(sum)).collect()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                for capacity in answer.consumed_capacity() {
                    usage::count(capacity.table_name().unwrap_or(&first_table), &Kind::Write, Some(capacity));
                }
                Ok(Committed::Applied)
            }
            Err(error) => {
                usage::count(&first_table, &Kind::Write, None);
                match error.as_service_error() {
                    Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                        cancelled_for(cancelled.cancellation_reasons(), &marks)
                    }
                    _ => Err(error.into()),
                }
            }
        }
    }
}

/// A condition that failed is a conflict, unless what stands is what was to be written; so is another transaction on one of
/// the items, which is over by the next attempt.
fn cancelled_for(reasons: &[CancellationReason], marks: &[Option<Mark>]) -> Result<Committed, StoreError> {
    let mut written = reasons.iter().zip(marks).filter_map(|(reason, mark)| Some((reason, mark.as_ref()?))).peekable();
    if written.peek().is_some() && written.all(|(reason, mark)| mark.is_on(reason.item())) {
        return Ok(Committed::Applied);
    }
    let codes: Vec<&str> = reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None").collect();
    if codes.contains(&"ConditionalCheckFailed") || codes.contains(&"TransactionConflict") {
        return Ok(Committed::Conflict);
    }
    if codes.iter().all(|code| TRANSIENT.contains(code)) {
        return Err(StoreError::Unavailable(codes.join(", ")));
    }
    Err(StoreError::Refused(codes.join(", ")))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    #[test]
    fn a_lost_race_is_a_conflict_and_a_throttle_is_not() {
        for lost in [&["None", "ConditionalCheckFailed"][..], &["TransactionConflict", "None"]] {
            assert_eq!(cancelled_for(&reasons(lost), &[None, None]).unwrap(), Committed::Conflict);
        }
        assert!(cancelled_for(&reasons(&["None", "ThrottlingError"]), &[None, None]).unwrap_err().retry());
        assert!(!cancelled_for(&reasons(&["ValidationError"]), &[None]).unwrap_err().retry());
    }

    #[test]
    fn our_own_transaction_that_comes_back_is_applied_and_half_of_it_is_not() {
        let standing = |hash: u8| {
            let hash = AttributeValue::B(Blob::new([hash; 32]));
            CancellationReason::builder().code("ConditionalCheckFailed").item("hash", hash).build()
        };
        let mark =
            |hash: u8| Some(Mark::of(&Item::from([("hash".to_owned(), AttributeValue::B(Blob::new([hash; 32])))])));
        let ours = [mark(1), mark(2), None];
        let contact = CancellationReason::builder().code("None").build();
        let back = [standing(1), standing(2), contact.clone()];
        assert_eq!(cancelled_for(&back, &ours).unwrap(), Committed::Applied);
        let half = [standing(1), standing(9), contact];
        assert_eq!(cancelled_for(&half, &ours).unwrap(), Committed::Conflict);
    }
}
