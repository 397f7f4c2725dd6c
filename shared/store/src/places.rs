//! The accounts of a client as his limits count them: one item a client, which each new account is saved together with. So of two that
//! were counted at once, one is counted anew.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AccountId, ClientId};

use crate::Crm;
use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, n, number, s};

/// How often it was written.
const TIMES: &str = "times";
/// The ids of the newest accounts.
const NEWEST: &str = "newest";
/// More accounts than may be open, or asked for, at once: only those that an index does not show yet are missed without the item.
const NEWEST_MAX: usize = 100;

/// What was read of a client's accounts. A new account is saved under the condition that this is still so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    client: ClientId,
    times: u64,
    pub(crate) newest: Vec<AccountId>,
}

fn key(client: &ClientId) -> String {
    format!("accounts#{client}")
}

impl Crm {
    /// The newest accounts of a client, strongly consistent: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn places(&self, client: &ClientId) -> Result<Places, StoreError> {
        let key = key(client);
        let client = client.clone();
        let Some(item) = self.0.get(&key, SORT_ENTITY, true).await? else {
            return Ok(Places { client, times: 0, newest: vec![] });
        };
        let ids = item.get(NEWEST).and_then(|value| value.as_l().ok());
        let ids = ids.ok_or_else(|| StoreError::corrupt(&key, "newest is no list"))?;
        let id = |value: &AttributeValue| value.as_s().ok().and_then(|id| id.parse().ok());
        let newest = ids.iter().map(id).collect::<Option<Vec<AccountId>>>();
        let newest = newest.ok_or_else(|| StoreError::corrupt(&key, "newest holds what is no account"))?;
        Ok(Places { client, times: number(&item, &key, TIMES)?, newest })
    }
}

impl Commit {
    /// Adds accounts to those of a client, under the condition that nobody added any since they were read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn take_places(&mut self, crm: &Crm, was: &Places, added: &[AccountId]) -> Result<(), StoreError> {
        let all = was.newest.len().saturating_add(added.len());
        let newest = was.newest.iter().chain(added).skip(all.saturating_sub(NEWEST_MAX));
        let newest = newest.map(|id| s(id.as_str())).collect();
        let item = Item::from([
            (KEY.to_owned(), s(key(&was.client))),
            (SORT.to_owned(), s(SORT_ENTITY)),
            (TIMES.to_owned(), n(was.times.saturating_add(1))),
            (NEWEST.to_owned(), AttributeValue::L(newest)),
        ]);
        self.put(&crm.0, item, None, |put| match was.times {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            times => put
                .condition_expression("#times = :was")
                .expression_attribute_names("#times", TIMES)
                .expression_attribute_values(":was", n(times)),
        })
    }
}
