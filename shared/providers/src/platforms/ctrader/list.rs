//! The accounts of groups, by the time of their registration, newest first.

use domain::Timestamp;
use serde_json::Value;

use super::rest::Call;
use super::traders::CLOCK_SKEW;
use super::{Ctrader, utc};
use crate::platforms::call::unreadable;
use crate::platforms::list::{AccountsPage, ListedAccount};
use crate::platforms::{Login, PlatformError, json};

impl Ctrader {
    /// The accounts that were registered before a time (milliseconds since 1970), as many as the server gives at once. It says
    /// whether there are more, and then the page after it begins with the last of this one: others of its millisecond may have been
    /// cut off.
    pub(super) async fn page_of_traders(
        &self,
        groups: &[String],
        before: Option<&str>,
    ) -> Result<AccountsPage, PlatformError> {
        let newest = (self.settings.clock)().plus(CLOCK_SKEW);
        let before = before.and_then(|before| before.parse().ok()).and_then(Timestamp::from_millis).unwrap_or(newest);
        let query = vec![("from", utc(Timestamp::EPOCH)), ("to", utc(before))];
        let answer = self.json(&Call::read("/v2/webserv/traders/", query), self.deadline()).await?;
        let not_whole = || unreadable("list of accounts");
        let more = answer.get("hasMore").and_then(Value::as_bool).ok_or_else(not_whole)?;
        let rows = json::rows(&answer, "trader").ok_or_else(not_whole)?;
        let rows: Option<Vec<(i64, ListedAccount)>> = rows.iter().map(read).collect();
        let rows = rows.ok_or_else(not_whole)?;
        let next = match more {
            false => None,
            true => {
                let earliest = rows.iter().map(|(registered_ms, _)| registered_ms.saturating_add(1)).min();
                let next = earliest.filter(|next| *next < before.millis());
                Some(next.ok_or_else(|| unreadable("list of accounts, which does not go on,"))?.to_string())
            }
        };
        let ours = rows.into_iter().map(|(_, account)| account).filter(|account| groups.contains(&account.group));
        Ok(AccountsPage { accounts: ours.collect(), next })
    }
}

fn read(trader: &Value) -> Option<(i64, ListedAccount)> {
    let account = ListedAccount {
        login: Login::new(json::whole::<u64>(trader, "login")?.to_string()),
        reference: json::text(trader, "description").unwrap_or_default(),
        group: json::text(trader, "groupName")?,
        leverage: Some(json::whole::<u32>(trader, "leverageInCents")? / 100),
    };
    Some((json::whole(trader, "registrationTimestamp")?, account))
}
