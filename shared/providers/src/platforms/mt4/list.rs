//! The accounts of groups, a group a page: the manager interface knows no smaller one.

use serde_json::Value;

use super::Mt4;
use super::accounts::login_of;
use super::bridge::Call;
use crate::platforms::PlatformError;
use crate::platforms::call::unreadable;
use crate::platforms::list::{AccountsPage, ListedAccount};

impl Mt4 {
    /// The next group. The place in the list is the group's number, in the order in which they are given.
    pub(super) async fn page_of_users(
        &self,
        groups: &[String],
        after: Option<&str>,
    ) -> Result<AccountsPage, PlatformError> {
        let place: usize = after.and_then(|place| place.parse().ok()).unwrap_or(0);
        let Some(group) = groups.get(place) else { return Ok(AccountsPage { accounts: vec![], next: None }) };
        let following = place.saturating_add(1);
        let next = (following < groups.len()).then(|| following.to_string());
        let call = Call::read(&["AdmUsersRequestSafe", group], &[]);
        let Some(data) = self.call(&call, self.deadline()).await? else {
            return Ok(AccountsPage { accounts: vec![], next });
        };
        let users: Option<Vec<ListedAccount>> = data.as_array().and_then(|users| users.iter().map(read).collect());
        Ok(AccountsPage { accounts: users.ok_or_else(|| unreadable("list of accounts"))?, next })
    }
}

fn read(user: &Value) -> Option<ListedAccount> {
    let comment = user.get("comment").filter(|comment| !comment.is_null());
    Some(ListedAccount {
        login: login_of(user)?,
        // an account without a comment has an empty one, or none
        reference: comment.map_or(Some(""), Value::as_str)?.to_owned(),
        group: user.get("group")?.as_str()?.to_owned(),
        leverage: Some(user.get("leverage")?.as_u64().and_then(|leverage| u32::try_from(leverage).ok())?),
    })
}
