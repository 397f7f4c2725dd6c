//! Several entities that must agree, saved together or not at all.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Put, ReturnConsumedCapacity, TransactWriteItem};
use domain::decision::{ChainHash, Decision, Entity, Frame};

use crate::Stored;
use crate::Table;
use crate::error::StoreError;
use crate::item::{self, Item, VERSION, n};
use crate::usage::{self, Kind};

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// All of it stands.
    Applied,
    /// Somebody else saved one of the entities first: load again and decide again. Nothing of it stands.
    Conflict,
}

/// Entities of one table on their way into it. Each write costs two units a KB, as transactions do.
#[derive(Debug)]
pub struct Commit<'t> {
    pub(crate) table: &'t Table,
    pub(crate) puts: Vec<Put>,
}

/// Reasons of a cancelled transaction after which the same attempt may pass.
const TRANSIENT: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

impl Table {
    /// Begins a commit.
    pub fn commit(&self) -> Commit<'_> {
        Commit { table: self, puts: Vec::new() }
    }
}

impl Commit<'_> {
    /// Adds the version after `was` of an entity, under the condition that it is still the newest.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the entity cannot be written.
    pub fn save<T: Entity>(
        &mut self,
        was: Option<&Stored<T>>,
        decision: &Decision<T>,
        frame: &Frame,
    ) -> Result<(), StoreError> {
        let (version, previous) = was.map_or((1, ChainHash::GENESIS), |was| (was.version.saturating_add(1), was.hash));
        let correlation_is_new = was.is_none_or(|was| was.correlation_id != frame.correlation_id);
        let next = item::next_item(decision, frame, version, previous, correlation_is_new)?;
        self.put(next.item, |put| match was {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(was) => put
                .condition_expression("#v = :was")
                .expression_attribute_names("#v", VERSION)
                .expression_attribute_values(":was", n(was.version)),
        })
    }

    pub(crate) fn put(
        &mut self,
        item: Item,
        condition: impl FnOnce(
            aws_sdk_dynamodb::types::builders::PutBuilder,
        ) -> aws_sdk_dynamodb::types::builders::PutBuilder,
    ) -> Result<(), StoreError> {
        let put = Put::builder().table_name(&self.table.name).set_item(Some(item));
        let put = condition(put).build().map_err(|error| StoreError::Refused(error.to_string()))?;
        self.puts.push(put);
        Ok(())
    }

    /// Writes all of it in one transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn send(self) -> Result<Committed, StoreError> {
        let items = self.puts.into_iter().map(|put| TransactWriteItem::builder().put(put).build()).collect();
        let answer = self
            .table
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                usage::count(&self.table.name, &Kind::Write, answer.consumed_capacity().first());
                Ok(Committed::Applied)
            }
            Err(error) => {
                usage::count(&self.table.name, &Kind::Write, None);
                match error.as_service_error() {
                    Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                        cancelled_for(cancelled.cancellation_reasons())
                    }
                    _ => Err(error.into()),
                }
            }
        }
    }
}

/// A condition that failed is a conflict; so is another transaction on one of the items, which is over by the next attempt.
fn cancelled_for(reasons: &[CancellationReason]) -> Result<Committed, StoreError> {
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
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    #[test]
    fn a_lost_race_is_a_conflict_and_a_throttle_is_not() {
        for lost in [&["None", "ConditionalCheckFailed"][..], &["TransactionConflict", "None"]] {
            assert_eq!(cancelled_for(&reasons(lost)).unwrap(), Committed::Conflict);
        }
        assert!(cancelled_for(&reasons(&["None", "ThrottlingError"])).unwrap_err().retry());
        assert!(!cancelled_for(&reasons(&["ValidationError"])).unwrap_err().retry());
    }
}
