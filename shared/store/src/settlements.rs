//! Settlement files and servers' days: rows beside the item, for they are more than an item holds.

use std::ops::ControlFlow;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::reconciliation::SettledRow;

use crate::MoneyTable;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, STATE, s, text};
use crate::usage::{self, Kind};

/// Rows in one item: a row is some two hundred bytes, a thousand at most, and an item holds 400 KB.
const ROWS_MAX: usize = 300;

fn key(place: &str) -> String {
    format!("settled#{place}")
}

impl MoneyTable {
    /// Keeps the rows of a file, before the file itself: 1 write unit a KB. A repeat writes the same again, for the place is of
    /// the file's content.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_rows(&self, place: &str, rows: &[SettledRow]) -> Result<(), StoreError> {
        for (number, part) in rows.chunks(ROWS_MAX).enumerate() {
            self.put_rows(place, &format!("{number:04}"), part).await?;
        }
        Ok(())
    }

    /// Keeps the rows of one part of a place, before it is saved that they were read: 1 write unit a KB. Whoever reads the same part writes
    /// over them; of a part without rows nothing is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_part(&self, place: &str, part: u32, rows: &[SettledRow]) -> Result<(), StoreError> {
        for (number, piece) in rows.chunks(ROWS_MAX).enumerate() {
            self.put_rows(place, &format!("{part:08}-{number:04}"), piece).await?;
        }
        Ok(())
    }

    async fn put_rows(&self, place: &str, sort: &str, rows: &[SettledRow]) -> Result<(), StoreError> {
        let table = &self.0;
        let body = serde_json::to_string(rows).map_err(|error| StoreError::corrupt(place, error))?;
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(KEY, s(key(place)))
            .item(SORT, s(sort))
            .item(STATE, s(body))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = put.send().await?;
        usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
        Ok(())
    }

    /// The rows of a file; strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rows_of(&self, place: &str) -> Result<Vec<SettledRow>, StoreError> {
        let query = self
            .0
            .query()
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", KEY)
            .expression_attribute_values(":pk", s(key(place)))
            .consistent_read(true);
        let mut rows: Vec<SettledRow> = Vec::new();
        let take = |item: &Item| {
            let part: Vec<SettledRow> =
                serde_json::from_str(text(item, place, STATE)?).map_err(|error| StoreError::corrupt(place, error))?;
            rows.extend(part);
            Ok(ControlFlow::Continue(()))
        };
        self.0.each(query, take).await?;
        Ok(rows)
    }
}
