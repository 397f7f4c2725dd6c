//! What stands beside deals and activities in the table `trades`: positions, trading days and newest results, which are saved together with the
//! activity that they belong to, and how far deals were fetched. All of it is reckoned from deals and can be again, so it has no journal.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::activity::fold::{Book, PositionKey};
use domain::activity::{Position, Recent, TradingDay};
use domain::trade::Trade;
use domain::{AccountId, ClientId, Day};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Page;
use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, STATE, n, number, s, text};
use crate::usage::{self, Kind};
use crate::{Table, TradesTable};

/// How often an item was written.
const TIMES: &str = "times";

fn position_key(key: &PositionKey) -> String {
    format!("position#{}#{}", key.account, key.position)
}

fn recent_key(account: &AccountId) -> String {
    format!("recent#{account}")
}

fn days_key(client: &ClientId) -> String {
    format!("days#{client}")
}

fn fetched_key(account: &AccountId) -> String {
    format!("fetched#{account}")
}

/// What was read of a book, and how often each part had been written: it is saved under the condition that this is still so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadBook {
    /// The parts.
    pub book: Book,
    read: Book,
    times: BTreeMap<(String, String), u64>,
}

impl ReadBook {
    fn add(&mut self, item: &Item) -> Result<String, StoreError> {
        let (key, sort) = (text(item, "?", KEY)?.to_owned(), text(item, "?", SORT)?.to_owned());
        self.times.insert((key.clone(), sort), number(item, &key, TIMES)?);
        Ok(key)
    }
}

fn state<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let key = text(item, "?", KEY)?;
    serde_json::from_str(text(item, key, STATE)?).map_err(|error| StoreError::corrupt(key, error))
}

impl TradesTable {
    /// The parts of a client's book that deals touch, strongly consistent: 1 read unit each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn book(
        &self,
        positions: &BTreeSet<PositionKey>,
        accounts: &BTreeSet<AccountId>,
    ) -> Result<ReadBook, StoreError> {
        let by_key: BTreeMap<String, &PositionKey> = positions.iter().map(|key| (position_key(key), key)).collect();
        let of_account: BTreeMap<String, &AccountId> = accounts.iter().map(|id| (recent_key(id), id)).collect();
        let keys: Vec<String> = by_key.keys().chain(of_account.keys()).cloned().collect();
        let mut read = ReadBook::default();
        for item in self.0.items(&keys).await? {
            let key = read.add(&item)?;
            if let Some(position) = by_key.get(&key) {
                read.book.positions.insert((*position).clone(), state::<Position>(&item)?);
            } else if let Some(account) = of_account.get(&key) {
                read.book.recent.insert((*account).clone(), state::<Recent>(&item)?);
            }
        }
        read.read = read.book.clone();
        Ok(read)
    }

    /// The days of a client's book: 1 read unit each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn book_days(
        &self,
        client: &ClientId,
        days: &BTreeSet<Day>,
        read: &mut ReadBook,
    ) -> Result<(), StoreError> {
        for day in days {
            if let Some(item) = self.0.get(&days_key(client), &day.to_string(), true).await? {
                read.add(&item)?;
                read.book.days.insert(*day, state::<TradingDay>(&item)?);
            }
        }
        read.read.days.clone_from(&read.book.days);
        Ok(())
    }

    /// The days on which a client traded, the first and the last one included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn days(&self, client: &ClientId, from: Day, to: Day) -> Result<BTreeMap<Day, TradingDay>, StoreError> {
        let key = days_key(client);
        let days = self.span::<TradingDay>(key.clone(), &(from.to_string(), to.to_string())).await?;
        let read = |(sort, day): (String, TradingDay)| {
            let at = sort.parse::<Day>().map_err(|error| StoreError::corrupt(&key, error))?;
            Ok((at, day))
        };
        days.into_iter().map(read).collect()
    }

    /// What stands in a partition between two places, the first and the last one included.
    pub(crate) async fn span<T: DeserializeOwned>(
        &self,
        key: String,
        span: &(String, String),
    ) -> Result<Vec<(String, T)>, StoreError> {
        let query = self
            .0
            .query()
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", KEY)
            .expression_attribute_names("#sk", SORT)
            .expression_attribute_values(":pk", s(key))
            .expression_attribute_values(":from", s(&span.0))
            .expression_attribute_values(":to", s(&span.1))
            .consistent_read(true);
        let mut found = Vec::new();
        let take = |item: &Item| {
            found.push((text(item, "?", SORT)?.to_owned(), state::<T>(item)?));
            Ok(ControlFlow::Continue(()))
        };
        self.0.each(query, take).await?;
        Ok(found)
    }

    /// The closed trades of a client, the newest first, from before the given place on. The index may be some moments behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trades_of(
        &self,
        client: &ClientId,
        limit: i32,
        before: Option<&str>,
    ) -> Result<Page<Trade>, StoreError> {
        self.0.ranked_backwards(domain::trade::list_of(client), limit, before).await
    }

    /// Positions that are known, by their keys: 1 read unit each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn positions(
        &self,
        positions: &BTreeSet<PositionKey>,
    ) -> Result<BTreeMap<PositionKey, Position>, StoreError> {
        Ok(self.book(positions, &BTreeSet::new()).await?.book.positions)
    }

    /// Where the deals of accounts are fetched from next, in words of the platform's adapter: 1 read unit each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn fetched<T: DeserializeOwned>(
        &self,
        accounts: &[AccountId],
    ) -> Result<BTreeMap<AccountId, T>, StoreError> {
        let by_key: BTreeMap<String, &AccountId> = accounts.iter().map(|id| (fetched_key(id), id)).collect();
        let keys: Vec<String> = by_key.keys().cloned().collect();
        let mut found = BTreeMap::new();
        for item in self.0.items(&keys).await? {
            if let Some(account) = by_key.get(text(&item, "?", KEY)?) {
                found.insert((*account).clone(), state(&item)?);
            }
        }
        Ok(found)
    }

    /// Keeps where the deals of an account are fetched from next: 1 write unit. Whoever fetches the same again finds them known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_fetched<T: Serialize>(&self, account: &AccountId, cursor: &T) -> Result<(), StoreError> {
        let table: &Table = &self.0;
        let key = fetched_key(account);
        let body = serde_json::to_string(cursor).map_err(|error| StoreError::corrupt(&key, error))?;
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(KEY, s(key))
            .item(SORT, s(SORT_ENTITY))
            .item(STATE, s(body))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = put.send().await?;
        usage::count(&table.name, &Kind::Write, answer.consumed_capacity());
        Ok(())
    }
}

impl Commit {
    /// The parts of a book that are other than they were read, under the condition that nobody else wrote them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_book(&mut self, trades: &TradesTable, client: &ClientId, read: &ReadBook) -> Result<(), StoreError> {
        let (own, was) = (&read.book, &read.read);
        for (key, position) in own.positions.iter().filter(|(key, now)| was.positions.get(*key) != Some(*now)) {
            self.keep(trades, position_key(key), SORT_ENTITY.to_owned(), position, read)?;
        }
        for (account, recent) in own.recent.iter().filter(|(key, now)| was.recent.get(*key) != Some(*now)) {
            self.keep(trades, recent_key(account), SORT_ENTITY.to_owned(), recent, read)?;
        }
        for (day, trading) in own.days.iter().filter(|(key, now)| was.days.get(*key) != Some(*now)) {
            self.keep(trades, days_key(client), day.to_string(), trading, read)?;
        }
        Ok(())
    }

    fn keep<T: Serialize>(
        &mut self,
        trades: &TradesTable,
        key: String,
        sort: String,
        value: &T,
        read: &ReadBook,
    ) -> Result<(), StoreError> {
        let body = serde_json::to_string(value).map_err(|error| StoreError::corrupt(&key, error))?;
        let times = read.times.get(&(key.clone(), sort.clone())).copied().unwrap_or(0);
        let item = Item::from([
            (KEY.to_owned(), s(key)),
            (SORT.to_owned(), s(sort)),
            (STATE.to_owned(), s(body)),
            (TIMES.to_owned(), n(times.saturating_add(1))),
        ]);
        self.put(&trades.0, item, None, |put| match times {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            times => put
                .condition_expression("#times = :was")
                .expression_attribute_names("#times", TIMES)
                .expression_attribute_values(":was", n(times)),
        })
    }
}
