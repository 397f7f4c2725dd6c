//! Rates of days: one small item a pair and day in the table `trades`, written once, so that an amount of a day is told by one rate.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Currency, Day};
use rust_decimal::Decimal;

use crate::TradesTable;
use crate::error::StoreError;
use crate::item::{KEY, SORT, STATE, s};
use crate::usage::{self, Kind};

fn rate_key(from: Currency, to: Currency) -> String {
    format!("rate#{from}#{to}")
}

impl TradesTable {
    /// The newest kept rate of a pair within some days, the first and the last one included, and its day: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rate(
        &self,
        from: Currency,
        to: Currency,
        first: Day,
        last: Day,
    ) -> Result<Option<(Day, Decimal)>, StoreError> {
        let key = rate_key(from, to);
        let kept = self.span::<Decimal>(key.clone(), &(first.to_string(), last.to_string())).await?;
        let Some((day, rate)) = kept.into_iter().next_back() else { return Ok(None) };
        Ok(Some((day.parse().map_err(|error| StoreError::corrupt(&key, error))?, rate)))
    }

    /// Keeps the rate of a pair and day; the first one that was kept stays, so that a day has one. Gives that one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_rate(
        &self,
        from: Currency,
        to: Currency,
        day: Day,
        rate: Decimal,
    ) -> Result<Decimal, StoreError> {
        let table = &self.0;
        let key = rate_key(from, to);
        let body = serde_json::to_string(&rate).map_err(|error| StoreError::corrupt(&key, error))?;
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(KEY, s(&key))
            .item(SORT, s(day.to_string()))
            .item(STATE, s(body))
            .condition_expression("attribute_not_exists(pk)")
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => {
                usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
                Ok(rate)
            }
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                usage::count(&table.name, &Kind::Write, None);
                let kept = self.rate(from, to, day, day).await?;
                kept.map(|(_, rate)| rate).ok_or_else(|| StoreError::corrupt(&key, "the day's rate is gone"))
            }
            Err(error) => Err(error.into()),
        }
    }
}
