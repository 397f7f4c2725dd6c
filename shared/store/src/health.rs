//! How payment providers answered lately: one small item for all of them, read where a deposit's provider is chosen by rule, and written
//! when one fails or answers again.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::payment::routing::PspHealth;

use crate::MoneyTable;
use crate::error::StoreError;
use crate::item::{KEY, SORT, SORT_ENTITY, STATE, n, number, s, text};
use crate::usage::{self, Kind};

const ITEM: &str = "health#psps";
/// How often it was written.
const TIMES: &str = "times";

/// What was read, and how often it had been written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptHealth {
    /// What is known.
    pub health: PspHealth,
    times: u64,
}

impl MoneyTable {
    /// How providers answered lately: half a read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn psp_health(&self) -> Result<KeptHealth, StoreError> {
        let Some(item) = self.0.get(ITEM, SORT_ENTITY, false).await? else { return Ok(KeptHealth::default()) };
        let state = text(&item, ITEM, STATE)?;
        let health = serde_json::from_str(state).map_err(|error| StoreError::corrupt(ITEM, error))?;
        Ok(KeptHealth { health, times: number(&item, ITEM, TIMES)? })
    }

    /// Keeps what is known now, unless somebody else wrote meanwhile, whose word then stands: 1 write unit. Gives what is known then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_psp_health(&self, was: &KeptHealth, next: PspHealth) -> Result<KeptHealth, StoreError> {
        let table = &self.0;
        let times = was.times.saturating_add(1);
        let state = serde_json::to_string(&next).map_err(|error| StoreError::corrupt(ITEM, error))?;
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(KEY, s(ITEM))
            .item(SORT, s(SORT_ENTITY))
            .item(STATE, s(state))
            .item(TIMES, n(times))
            .condition_expression("attribute_not_exists(pk) OR #times = :was")
            .expression_attribute_names("#times", TIMES)
            .expression_attribute_values(":was", n(was.times))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => {
                usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
                Ok(KeptHealth { health: next, times })
            }
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                usage::count(&table.name, &Kind::Write, None);
                self.psp_health().await
            }
            Err(error) => Err(error.into()),
        }
    }
}
