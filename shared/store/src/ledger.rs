//! The double-entry ledger: one item an entry, found by the client's account.

use std::ops::ControlFlow;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::ledger::Posting;
use domain::{AccountId, EventId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::MoneyTable;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, STATE, s, text};
use crate::usage::{self, Kind};

/// Entries read at once.
const ENTRIES_MAX: i32 = 500;

/// One ledger entry: postings that sum to zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The event that brought it; its id.
    pub event_id: EventId,
    /// When it was booked.
    pub at: Timestamp,
    /// The legs.
    pub postings: Vec<Posting>,
}

/// The book of a trading account, or of an entity whose entry names none.
fn key(book: &str) -> String {
    format!("ledger#{book}")
}

impl LedgerEntry {
    /// The books that it stands in: of every trading account that it names, else of the entity that brought it.
    fn books(&self, entity: &str) -> Vec<String> {
        let mut books: Vec<String> = Vec::new();
        for account in self.postings.iter().filter_map(|leg| leg.account.trading_account()) {
            let book = key(account.as_str());
            if !books.contains(&book) {
                books.push(book);
            }
        }
        if books.is_empty() {
            books.push(key(entity));
        }
        books
    }
}

impl MoneyTable {
    /// Books an entry that an entity brought; false when its event was booked before.
    ///
    /// # Errors
    /// [`StoreError`]; a repeat books what is missing.
    pub async fn book(&self, entity: &str, entry: &LedgerEntry) -> Result<bool, StoreError> {
        let mut first = false;
        for book in entry.books(entity) {
            first |= self.book_in(book, entry).await?;
        }
        Ok(first)
    }

    async fn book_in(&self, book: String, entry: &LedgerEntry) -> Result<bool, StoreError> {
        let table = &self.0;
        let body = serde_json::to_string(entry).map_err(|error| StoreError::corrupt(entry.event_id.as_str(), error))?;
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(KEY, s(book))
            .item(SORT, s(entry.event_id.as_str()))
            .item(STATE, s(body))
            .condition_expression("attribute_not_exists(pk)")
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => {
                usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
                Ok(true)
            }
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                usage::count(&table.name, &Kind::Write, None);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The entries of a trading account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger_of(&self, account: &AccountId) -> Result<Vec<LedgerEntry>, StoreError> {
        let query = self
            .0
            .query()
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", KEY)
            .expression_attribute_values(":pk", s(key(account.as_str())))
            .limit(ENTRIES_MAX);
        let mut entries = Vec::new();
        let take = |item: &Item| {
            let sort = text(item, "?", SORT)?;
            let entry = serde_json::from_str(text(item, sort, STATE)?);
            entries.push(entry.map_err(|error| StoreError::corrupt(sort, error))?);
            Ok(ControlFlow::Continue(()))
        };
        self.0.each(query, take).await?;
        Ok(entries)
    }
}
