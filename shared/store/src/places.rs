//! The accounts and the withdrawals of a client as his limits count them: one item each a client, which every new one is saved together
//! with. So of two that were counted at once, one is counted anew.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::entity::EntityId;
use domain::{AccountId, ClientId, PaymentId};

use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, n, number, s};
use crate::{Crm, MoneyTable, Table};

/// How often it was written.
const TIMES: &str = "times";
/// The ids of the newest ones.
const NEWEST: &str = "newest";
/// More than may be open, or asked for, at once: only those that an index does not show yet are missed without the item.
const NEWEST_MAX: usize = 100;

/// What was read of a client's accounts, or of his withdrawals. A new one is saved under the condition that this is still so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places<I> {
    key: String,
    times: u64,
    /// The newest, the newest last.
    pub newest: Vec<I>,
}

impl<I: EntityId> Places<I> {
    async fn read(table: &Table, key: String) -> Result<Self, StoreError> {
        let Some(item) = table.get(&key, SORT_ENTITY, true).await? else {
            return Ok(Self { key, times: 0, newest: vec![] });
        };
        let ids = item.get(NEWEST).and_then(|value| value.as_l().ok());
        let ids = ids.ok_or_else(|| StoreError::corrupt(&key, "newest is no list"))?;
        let id = |value: &AttributeValue| value.as_s().ok().and_then(|id| id.parse().ok());
        let newest = ids.iter().map(id).collect::<Option<Vec<I>>>();
        let newest = newest.ok_or_else(|| StoreError::corrupt(&key, "newest holds what does not belong there"))?;
        let times = number(&item, &key, TIMES)?;
        Ok(Self { key, times, newest })
    }
}

impl Crm {
    /// The newest accounts of a client, strongly consistent: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn places(&self, client: &ClientId) -> Result<Places<AccountId>, StoreError> {
        Places::read(&self.0, format!("accounts#{client}")).await
    }
}

impl MoneyTable {
    /// The newest withdrawals of a client, strongly consistent: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdrawal_places(&self, client: &ClientId) -> Result<Places<PaymentId>, StoreError> {
        Places::read(&self.0, format!("withdrawals#{client}")).await
    }
}

impl Commit {
    /// Adds to those of a client, in the table that they were read from, under the condition that nobody added any since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn take_places<I: EntityId>(&mut self, table: &Table, was: &Places<I>, added: &[I]) -> Result<(), StoreError> {
        let all = was.newest.len().saturating_add(added.len());
        let newest = was.newest.iter().chain(added).skip(all.saturating_sub(NEWEST_MAX));
        let newest = newest.map(|id| s(id.as_str())).collect();
        let item = Item::from([
            (KEY.to_owned(), s(&was.key)),
            (SORT.to_owned(), s(SORT_ENTITY)),
            (TIMES.to_owned(), n(was.times.saturating_add(1))),
            (NEWEST.to_owned(), AttributeValue::L(newest)),
        ]);
        self.put(table, item, None, |put| match was.times {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            times => put
                .condition_expression("#times = :was")
                .expression_attribute_names("#times", TIMES)
                .expression_attribute_values(":was", n(times)),
        })
    }
}
