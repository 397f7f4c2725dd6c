//! Accounts over the bridge: finding one by our reference, what it may do, its balance.

use ::http::Method;
use bytes::Bytes;
use domain::{Currency, Money};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Mt4;
use super::bridge::Call;
use crate::platforms::call::{undecided, unreadable};
use crate::platforms::{Access, AccountChange, AccountState, Login, PlatformError};

/// May log in.
const ENABLED: u64 = 0x01;
/// May not trade.
const READ_ONLY: u64 = 0x04;

/// Digits that an amount has at most; what a binary fraction has beyond them was never booked.
const AMOUNT_DIGITS: u32 = 8;

impl Mt4 {
    /// The whole group is read, half a kilobyte an account: the manager interface finds accounts by group and by login alone. What would be
    /// less, `UsersSyncStart` with a time and `UsersSyncRead`, the bridge does not offer as a pair. A group that is longer than is read (some
    /// thirty thousand accounts) is an error and never an answer: nothing is created again, and a person is asked.
    pub(super) async fn find_user(&self, group: &str, reference: &str) -> Result<Option<Login>, PlatformError> {
        let call = Call::read(&["AdmUsersRequestSafe", group], &[]);
        let Some(data) = self.call(&call, self.deadline()).await? else { return Ok(None) };
        let users = data.as_array().ok_or_else(|| unreadable("list of accounts"))?;
        let mut ours = Vec::new();
        for user in users {
            let login = login_of(user).ok_or_else(|| unreadable("account of the group"))?;
            // an account without a comment has an empty one, or none
            let comment = user.get("comment").filter(|comment| !comment.is_null());
            let comment = comment.map_or(Some(""), Value::as_str).ok_or_else(|| unreadable("account of the group"))?;
            if bears(comment, reference) {
                ours.push(login);
            }
        }
        match ours.as_slice() {
            [] => Ok(None),
            [login] => Ok(Some(login.clone())),
            _ => Err(undecided("several_accounts_bear_the_reference")),
        }
    }

    pub(super) async fn read_account(&self, login: &Login) -> Result<Option<AccountState>, PlatformError> {
        let Some(user) = self.user(login, self.deadline()).await? else { return Ok(None) };
        let state = || {
            Some(AccountState {
                login: login.clone(),
                group: user.get("group")?.as_str()?.to_owned(),
                leverage: Some(user.get("leverage")?.as_u64().and_then(|leverage| u32::try_from(leverage).ok())?),
                access: access(flags(&user)?),
                balance: amount(user.get("balance")?)?,
                reference: user.get("comment").and_then(Value::as_str).unwrap_or_default().to_owned(),
            })
        };
        Ok(Some(state().ok_or_else(|| unreadable("account"))?))
    }

    pub(super) async fn read_balance(&self, login: &Login, currency: Currency) -> Result<Money, PlatformError> {
        let user = self.user(login, self.deadline()).await?.ok_or_else(no_such_login)?;
        let balance = user.get("balance").and_then(amount).ok_or_else(|| unreadable("balance"))?;
        Money::new(balance, currency).map_err(|error| PlatformError::Refused {
            code: error.code().to_owned(),
            message: format!("the balance is no amount of {currency}"),
        })
    }

    /// The margin of an account with hedged positions can be none: then what they are worth stands between balance and equity. What is
    /// called balance there has the credit in it.
    pub(super) async fn read_has_positions(&self, login: &Login) -> Result<bool, PlatformError> {
        let call = Call::read(&["MarginLevelRequest", number(login)?], &[]);
        let level = self.call(&call, self.deadline()).await?.ok_or_else(no_such_login)?;
        if login_of(&level).as_ref() != Some(login) {
            return Err(unreadable("margin, which is another account's,"));
        }
        let part = |name: &str| level.get(name).and_then(amount).ok_or_else(|| unreadable("margin"));
        Ok(!part("margin")?.is_zero() || part("equity")? != part("balance")?)
    }

    pub(super) async fn patch_user(&self, login: &Login, change: &AccountChange) -> Result<(), PlatformError> {
        let until = self.deadline();
        let mut members = Map::new();
        if let Some(wanted) = change.access {
            // the flags are one number: those that are not meant are sent as they stand
            let user = self.user(login, until).await?.ok_or_else(no_such_login)?;
            let flags = flags(&user).ok_or_else(|| unreadable("account's flags"))?;
            members.insert("enableFlags".to_owned(), json!(with_access(flags, wanted)?));
        }
        if let Some(group) = &change.group {
            members.insert("group".to_owned(), json!(group));
        }
        if let Some(leverage) = change.leverage {
            members.insert("leverage".to_owned(), json!(leverage));
        }
        if members.is_empty() {
            return Ok(());
        }
        let body = Bytes::from(Value::Object(members).to_string());
        let call = Call::write(Method::PATCH, &["UserRecord", number(login)?], body, None);
        self.call(&call, until).await.map(|_| ())
    }

    /// Live, not from the bridge's cache.
    async fn user(&self, login: &Login, until: Instant) -> Result<Option<Value>, PlatformError> {
        let Ok(login) = number(login) else { return Ok(None) };
        let data = self.call(&Call::read(&["UserRecordRequest", login], &[]), until).await?;
        match data {
            Some(user) if login_of(&user).as_ref().map(Login::as_str) == Some(login) => Ok(Some(user)),
            Some(_) => Err(unreadable("account, which has another number,")),
            None => Ok(None),
        }
    }
}

/// Logins are numbers here, and what is none must not become another path.
pub(super) fn number(login: &Login) -> Result<&str, PlatformError> {
    let login = login.as_str();
    let is_number = login.parse::<u64>().is_ok_and(|number| number > 0 && number.to_string() == login);
    if is_number { Ok(login) } else { Err(no_such_login()) }
}

pub(super) fn no_such_login() -> PlatformError {
    PlatformError::Refused { code: "NotFound".to_owned(), message: "there is no such login".to_owned() }
}

pub(super) fn login_of(user: &Value) -> Option<Login> {
    user.get("login")?.as_u64().filter(|login| *login > 0).map(|login| Login::new(login.to_string()))
}

/// An amount of a JSON number, which is a binary fraction on the other side.
pub(super) fn amount(value: &Value) -> Option<Decimal> {
    let Value::Number(number) = value else { return None };
    let text = number.to_string();
    let read = text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()?;
    Some(read.round_dp(AMOUNT_DIGITS).normalize())
}

/// As we wrote it, or with words of a person behind it.
fn bears(comment: &str, reference: &str) -> bool {
    let rest = comment.strip_prefix(reference);
    rest.is_some_and(|rest| !rest.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric()))
}

fn flags(user: &Value) -> Option<u64> {
    user.get("enableFlags")?.as_u64()
}

fn access(flags: u64) -> Access {
    match (flags & ENABLED != 0, flags & READ_ONLY != 0) {
        (false, _) => Access::NoLogin,
        (true, true) => Access::NoTrading,
        (true, false) => Access::Full,
    }
}

fn with_access(flags: u64, access: Access) -> Result<u64, PlatformError> {
    match access {
        Access::Full => Ok((flags | ENABLED) & !READ_ONLY),
        Access::NoTrading => Ok(flags | ENABLED | READ_ONLY),
        Access::NoLogin => Ok((flags | READ_ONLY) & !ENABLED),
        Access::CloseOnly => Err(PlatformError::unsupported("closing positions and opening none")),
    }
}
