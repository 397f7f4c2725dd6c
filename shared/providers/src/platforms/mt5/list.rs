//! The accounts of groups, by their logins.

use serde_json::Value;

use super::accounts::found;
use super::link::Command;
use super::{Mt5, answer};
use crate::platforms::call::unreadable;
use crate::platforms::list::{AccountsPage, ListedAccount};
use crate::platforms::{Login, PlatformError};

/// Accounts of a page; their logins go into the URL.
const PAGE: usize = 100;

impl Mt5 {
    /// The next accounts after a login. All logins are asked for each time, which is cheap for the server, and the records of a page.
    pub(super) async fn page_of_users(
        &self,
        groups: &[String],
        after: Option<&str>,
    ) -> Result<AccountsPage, PlatformError> {
        let until = self.deadline();
        let after: Option<u64> = after.and_then(|after| after.parse().ok());
        let mut logins: Vec<u64> = Vec::new();
        for group in groups {
            let command = Command::read("/api/user/logins", &[("group", group.as_str())]);
            let Some(value) = found(self.call(&command, until).await)? else { continue };
            let listed = answer::member(&value, "answer").and_then(Value::as_array);
            let listed = listed.ok_or_else(|| unreadable("list of logins"))?;
            let listed: Option<Vec<u64>> = listed.iter().map(|login| answer::text(login)?.parse().ok()).collect();
            logins.extend(listed.ok_or_else(|| unreadable("list of logins"))?);
        }
        logins.retain(|login| after.is_none_or(|after| *login > after));
        logins.sort_unstable();
        logins.dedup();
        let next = logins.get(PAGE.saturating_sub(1)).filter(|_| logins.len() > PAGE).map(u64::to_string);
        logins.truncate(PAGE);
        let accounts = if logins.is_empty() { Vec::new() } else { self.records(&logins, until).await? };
        Ok(AccountsPage { accounts, next })
    }

    /// The records of these logins, each of them: one that is left out is none that is not there.
    async fn records(&self, logins: &[u64], until: tokio::time::Instant) -> Result<Vec<ListedAccount>, PlatformError> {
        let texts: Vec<_> = logins.iter().map(u64::to_string).collect();
        let command = Command::read("/api/user/get_batch", &[("login", &texts.join(","))]);
        let value = found(self.call(&command, until).await)?.ok_or_else(|| unreadable("list of accounts"))?;
        let users = answer::member(&value, "answer").and_then(Value::as_array);
        let users: Option<Vec<_>> = users.and_then(|users| users.iter().map(read).collect());
        let users = users.ok_or_else(|| unreadable("list of accounts"))?;
        if texts.iter().all(|login| users.iter().any(|user| user.login.as_str() == login)) {
            return Ok(users);
        }
        Err(PlatformError::NotApplied("not every account of the groups could be read".to_owned()))
    }
}

fn read(user: &Value) -> Option<ListedAccount> {
    Some(ListedAccount {
        login: Login::new(answer::member_number(user, "Login")?.to_string()),
        reference: answer::member_text(user, "Comment")?,
        group: answer::member_text(user, "Group")?,
        leverage: Some(answer::member_text(user, "Leverage")?.parse().ok()?),
    })
}
