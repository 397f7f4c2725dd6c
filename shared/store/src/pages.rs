//! Queries that end when the store has nothing more, not when its first page ends.

use std::ops::ControlFlow;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use crate::Table;
use crate::error::StoreError;
use crate::item::Item;
use crate::usage::{self, Kind};

impl Table {
    /// A query of this table.
    pub(crate) fn query(&self) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.name);
        query.return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Hands over every item that a query finds, page by page, until it is told to stop.
    pub(crate) async fn each(
        &self,
        query: QueryFluentBuilder,
        mut take: impl FnMut(&Item) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut start = None;
        loop {
            let answer = query.clone().set_exclusive_start_key(start.take()).send().await?;
            usage::count(&self.name, &Kind::Read, answer.consumed_capacity());
            for item in answer.items() {
                if take(item)?.is_break() {
                    return Ok(());
                }
            }
            match answer.last_evaluated_key {
                Some(key) if !key.is_empty() => start = Some(key),
                _ => return Ok(()),
            }
        }
    }
}
