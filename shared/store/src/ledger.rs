//! The double-entry ledger: one item an entry, in the book of its day.
//!
//! A day's book is several partitions, so that a busy day heats none; a trading account has one of them, in which its entries stand
//! together. So one item serves both questions: what an account moved, and what a day moved.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::ledger::Posting;
use domain::{AccountId, Day, EventId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::MoneyTable;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, STATE, s, text};
use crate::usage::{self, Kind};

/// Entries read at once.
const ENTRIES_MAX: i32 = 500;
/// Partitions of a day's book. Never changed: an entry is looked for where it was put.
const SHARDS: u8 = 8;

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

/// The partition of a day in which the entries of a trading account stand, or of an entity whose entry names none.
fn partition(day: Day, book: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(book.as_bytes()).into();
    let first = digest.first().copied().unwrap_or(0);
    shard(day, first % SHARDS)
}

fn shard(day: Day, shard: u8) -> String {
    format!("book#{day}#{shard}")
}

impl LedgerEntry {
    /// The books that it stands in: of every trading account that it names, else of the entity that brought it.
    fn books(&self, entity: &str) -> Vec<String> {
        let mut books: Vec<String> = Vec::new();
        for account in self.postings.iter().filter_map(|leg| leg.account.trading_account()) {
            let book = account.as_str().to_owned();
            if !books.contains(&book) {
                books.push(book);
            }
        }
        if books.is_empty() {
            books.push(entity.to_owned());
        }
        books
    }

    fn of(item: &Item) -> Result<Self, StoreError> {
        let sort = text(item, "?", SORT)?;
        serde_json::from_str(text(item, sort, STATE)?).map_err(|error| StoreError::corrupt(sort, error))
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
            first |= self.book_in(&book, entry).await?;
        }
        Ok(first)
    }

    async fn book_in(&self, book: &str, entry: &LedgerEntry) -> Result<bool, StoreError> {
        let table = &self.0;
        let body = serde_json::to_string(entry).map_err(|error| StoreError::corrupt(entry.event_id.as_str(), error))?;
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(KEY, s(partition(Day::of(entry.at), book)))
            .item(SORT, s(format!("{book}#{}", entry.event_id)))
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

    async fn entries(
        &self,
        partition: String,
        begins: Option<&str>,
        consistent: bool,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let mut query = self
            .0
            .query()
            .key_condition_expression(if begins.is_some() {
                "#pk = :pk AND begins_with(#sk, :sk)"
            } else {
                "#pk = :pk"
            })
            .expression_attribute_names("#pk", KEY)
            .expression_attribute_values(":pk", s(partition))
            .consistent_read(consistent)
            .limit(ENTRIES_MAX);
        if let Some(begins) = begins {
            query = query.expression_attribute_names("#sk", SORT).expression_attribute_values(":sk", s(begins));
        }
        let mut entries = Vec::new();
        let take = |item: &Item| {
            entries.push(LedgerEntry::of(item)?);
            Ok(ControlFlow::Continue(()))
        };
        self.0.each(query, take).await?;
        Ok(entries)
    }

    /// The entries of a trading account from one day to another, both of them with it: a query a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger_of(&self, account: &AccountId, from: Day, until: Day) -> Result<Vec<LedgerEntry>, StoreError> {
        self.of_days(account, "", (from, until), true).await
    }

    /// The entries that an entity brought to a trading account, as the first but for what other entities brought. Not `surely`: as they
    /// were some moments ago, for half the read units and for whoever looks again before it concludes that something is missing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger_of_entity(
        &self,
        (account, entity): (&AccountId, &str),
        (from, until): (Day, Day),
        surely: bool,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.of_days(account, &format!("{entity}:"), (from, until), surely).await
    }

    /// The entries of an account's days whose events begin so.
    async fn of_days(
        &self,
        account: &AccountId,
        events: &str,
        (from, until): (Day, Day),
        consistent: bool,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let begins = format!("{account}#{events}");
        let (mut entries, mut day) = (Vec::new(), from);
        while day <= until {
            entries.extend(self.entries(partition(day, account.as_str()), Some(&begins), consistent).await?);
            if day.next() == day {
                break;
            }
            day = day.next();
        }
        Ok(entries)
    }

    /// Every entry of a day, each once, whatever accounts it names; strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn day_book(&self, day: Day) -> Result<Vec<LedgerEntry>, StoreError> {
        let mut entries: BTreeMap<String, LedgerEntry> = BTreeMap::new();
        for number in 0..SHARDS {
            for entry in self.entries(shard(day, number), None, true).await? {
                entries.insert(entry.event_id.as_str().to_owned(), entry);
            }
        }
        Ok(entries.into_values().collect())
    }
}
