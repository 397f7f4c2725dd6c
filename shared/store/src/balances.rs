//! Balances as the trading servers last told them: one small item an account beside the account's own, which has a version a change.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{AccountId, Money, Timestamp};

use crate::Crm;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, STATE, n, number, s, text};
use crate::usage::{self, Kind};

const AT: &str = "at_ms";
const SEEN: &str = "seen";
const PREFIX: &str = "balance#";

/// A balance and when it was that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBalance {
    /// The balance.
    pub balance: Money,
    /// When the server was asked.
    pub at: Timestamp,
    /// What was known of the account's payments just before: with anything newer it may be another balance.
    pub seen: String,
}

impl Crm {
    /// The balances of accounts that were kept: 1 read unit each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn balances(&self, accounts: &[AccountId]) -> Result<BTreeMap<AccountId, KeptBalance>, StoreError> {
        let keys: Vec<String> = accounts.iter().map(key).collect();
        self.0.items(&keys).await?.iter().map(read).collect()
    }

    /// Keeps a balance, unless a newer one is kept: 1 write unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_balance(&self, account: &AccountId, kept: &KeptBalance) -> Result<(), StoreError> {
        let table = &self.0;
        let unreadable = |error| StoreError::corrupt(account.as_str(), error);
        let put = table
            .client
            .put_item()
            .table_name(&table.name)
            .item(KEY, s(key(account)))
            .item(SORT, s(SORT_ENTITY))
            .item(STATE, s(serde_json::to_string(&kept.balance).map_err(unreadable)?))
            .item(AT, n(kept.at.millis()))
            .item(SEEN, s(&kept.seen))
            .condition_expression("attribute_not_exists(pk) OR #at < :at")
            .expression_attribute_names("#at", AT)
            .expression_attribute_values(":at", n(kept.at.millis()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match put.send().await {
            Ok(answer) => usage::count(&table.name, &Kind::Write, answer.consumed_capacity()),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                usage::count(&table.name, &Kind::Write, None);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn key(account: &AccountId) -> String {
    format!("{PREFIX}{account}")
}

fn read(item: &Item) -> Result<(AccountId, KeptBalance), StoreError> {
    let key = text(item, "?", KEY)?;
    let account = key.strip_prefix(PREFIX).and_then(|id| id.parse().ok());
    let account = account.ok_or_else(|| StoreError::corrupt(key, "it is no account's balance"))?;
    let balance = serde_json::from_str(text(item, key, STATE)?).map_err(|error| StoreError::corrupt(key, error))?;
    let at = i64::try_from(number(item, key, AT)?).ok().and_then(Timestamp::from_millis);
    let at = at.ok_or_else(|| StoreError::corrupt(key, "at_ms is not a time"))?;
    Ok((account, KeptBalance { balance, at, seen: text(item, key, SEEN)?.to_owned() }))
}
