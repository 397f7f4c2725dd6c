//! What an account may do, its group and its leverage.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::accounts::found;
use super::link::Command;
use super::{Mt5, answer};
use crate::platforms::call::unreadable;
use crate::platforms::{Access, AccountChange, AccountState, Login, PlatformError};

/// May connect.
const ENABLED: u64 = 0x1;
/// May not trade.
const TRADE_DISABLED: u64 = 0x4;

impl Mt5 {
    pub(super) async fn read_account(&self, login: &Login) -> Result<Option<AccountState>, PlatformError> {
        let Some(user) = self.user(login, self.deadline()).await? else { return Ok(None) };
        let state = || {
            Some(AccountState {
                login: login.clone(),
                group: answer::member_text(&user, "Group")?,
                leverage: Some(answer::member_text(&user, "Leverage")?.parse().ok()?),
                access: access(rights(&user)?),
                balance: answer::member_decimal(&user, "Balance")?,
                reference: answer::member_text(&user, "Comment").unwrap_or_default(),
            })
        };
        Ok(Some(state().ok_or_else(|| unreadable("account"))?))
    }

    pub(super) async fn update_user(&self, login: &Login, change: &AccountChange) -> Result<(), PlatformError> {
        let until = self.deadline();
        let mut members = Map::from_iter([("Login".to_owned(), json!(login.as_str()))]);
        if let Some(wanted) = change.access {
            // an update overwrites all rights, so those that are not meant are sent as they stand
            let user = self.user(login, until).await?.ok_or_else(no_such_login)?;
            let rights = rights(&user).ok_or_else(|| unreadable("account's rights"))?;
            members.insert("Rights".to_owned(), json!(with_access(rights, wanted)?.to_string()));
        }
        if let Some(group) = &change.group {
            members.insert("Group".to_owned(), json!(group));
        }
        if let Some(leverage) = change.leverage {
            members.insert("Leverage".to_owned(), json!(leverage.to_string()));
        }
        let body = Bytes::from(Value::Object(members).to_string());
        self.call(&Command::write("/api/user/update", &[], Some(body)), until).await.map(|_| ())
    }

    async fn user(&self, login: &Login, until: Instant) -> Result<Option<Value>, PlatformError> {
        let asked = self.call(&Command::read("/api/user/get", &[("login", login.as_str())]), until).await;
        let Some(value) = found(asked)? else { return Ok(None) };
        let user = answer::member(&value, "answer").filter(|user| is_of(user, login));
        Ok(Some(user.cloned().ok_or_else(|| unreadable("account"))?))
    }
}

fn is_of(user: &Value, login: &Login) -> bool {
    answer::member_text(user, "Login").as_deref() == Some(login.as_str())
}

fn rights(user: &Value) -> Option<u64> {
    answer::member_text(user, "Rights")?.parse().ok()
}

fn access(rights: u64) -> Access {
    match (rights & ENABLED != 0, rights & TRADE_DISABLED != 0) {
        (false, _) => Access::NoLogin,
        (true, true) => Access::NoTrading,
        (true, false) => Access::Full,
    }
}

fn with_access(rights: u64, access: Access) -> Result<u64, PlatformError> {
    match access {
        Access::Full => Ok((rights | ENABLED) & !TRADE_DISABLED),
        Access::NoTrading => Ok(rights | ENABLED | TRADE_DISABLED),
        Access::NoLogin => Ok((rights | TRADE_DISABLED) & !ENABLED),
        Access::CloseOnly => Err(PlatformError::unsupported("closing positions and opening none")),
    }
}

fn no_such_login() -> PlatformError {
    PlatformError::Refused { code: "13".to_owned(), message: "there is no such login".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_that_are_not_meant_stay() {
        for other in [0, 0x163 & !ENABLED, 0x4402] {
            for wanted in [Access::Full, Access::NoTrading, Access::NoLogin] {
                for before in [other, other | ENABLED, other | TRADE_DISABLED, other | ENABLED | TRADE_DISABLED] {
                    let after = with_access(before, wanted).unwrap();
                    assert_eq!(access(after), wanted);
                    assert_eq!(after & !(ENABLED | TRADE_DISABLED), other & !(ENABLED | TRADE_DISABLED));
                }
            }
        }
        assert!(with_access(1, Access::CloseOnly).is_err());
    }
}
