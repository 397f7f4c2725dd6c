//! Conditional updates of one item, and what stands where the condition does not hold.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use domain::fault::{self, Fault};

use crate::Table;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, s};
use crate::usage::{self, Kind};

/// What became of an update.
pub(crate) enum Updated {
    /// It is done.
    Done,
    /// Its condition does not hold for what stands there, if anything does.
    Refused(Option<Item>),
}

impl Updated {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Whether it is done, now or by a write of our own that the SDK sent again after its answer was lost: `own` says whether what stands
    /// is ours.
    pub(crate) fn is_ours(&self, own: impl FnOnce(&Item) -> bool) -> bool {
        match self {
            Self::Done => true,
            Self::Refused(standing) => {
                standing.as_ref().is_some_and(own) && !fault::is_back(Fault::OwnWriteIsAStrangers)
            }
        }
    }
}

impl Table {
    /// An update of an item of this table.
    pub(crate) fn update(&self, key: impl Into<String>, sort: impl Into<String>) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.name).key(KEY, s(key)).key(SORT, s(sort))
    }

    /// Sends it: 1 write unit per KB of the item, whether the condition holds or not.
    pub(crate) async fn send(&self, update: UpdateItemFluentBuilder) -> Result<Updated, StoreError> {
        let update = update
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match update.send().await {
            Ok(answer) => {
                usage::count(&self.name, &Kind::Write, answer.consumed_capacity());
                Ok(Updated::Done)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(lost)) => {
                    usage::count(&self.name, &Kind::Write, None);
                    Ok(Updated::Refused(lost.item().cloned()))
                }
                _ => Err(error.into()),
            },
        }
    }
}
