//! Users: adding one, finding one by our reference, reading a balance.

use bytes::Bytes;
use domain::{Currency, Money, Seconds};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::link::Command;
use super::{Mt5, answer};
use crate::platforms::call::{undecided, unreadable};
use crate::platforms::{AccountSearch, Login, NewAccount, PlatformError};

/// What the server keeps of an account's comment.
const COMMENT_BYTES_MAX: usize = 63;

/// What it keeps of a name.
const NAME_UNITS_MAX: usize = 127;

/// May connect, change its password, use trailing stops and experts, and gets reports: the default of the vendor's
/// own client. Without rights an account cannot connect.
const RIGHTS_DEFAULT: u32 = 0x163;

/// Accounts per page; their logins go into the URL.
const LOGINS_PER_PAGE: usize = 100;

/// Pages looked through, newest logins first; the time of a call ends sooner on a slow server.
const PAGES_MAX: usize = 200;

/// How far the server's clock may be from UTC.
const CLOCK_OFF: Seconds = Seconds(86_400);

/// Return code of a group that has no accounts, or of an account that does not exist.
const NOT_FOUND: &str = "13";

impl Mt5 {
    pub(super) async fn add_user(&self, account: &NewAccount) -> Result<Login, PlatformError> {
        if account.reference.is_empty() || account.reference.len() > COMMENT_BYTES_MAX {
            let message = format!("an account's reference has 1 to {COMMENT_BYTES_MAX} bytes");
            return Err(PlatformError::Refused { code: "reference".to_owned(), message });
        }
        // All in the body: URLs end up in logs on the way.
        let command = Command::write("/api/user/add", &[], Some(user(account)));
        let value = self.call(&command, self.deadline()).await?;
        let login = answer::member_number(&value, "login");
        let nested = || answer::member_number(answer::member(&value, "answer")?, "Login");
        let login = login.or_else(nested).map(|login| Login::new(login.to_string()));
        login.ok_or_else(|| PlatformError::Unknown("answer names no login".to_owned()))
    }

    /// The account of a reference. A second one that bears it was made within the time of the search as well, maybe on another page: the
    /// pages are read to the first on which every account is older.
    pub(super) async fn find_user(&self, search: &AccountSearch<'_>) -> Result<Option<Login>, PlatformError> {
        let until = self.deadline();
        let since_s = search.since.minus(CLOCK_OFF).seconds();
        let mut ours: Option<Login> = None;
        let command = Command::read("/api/user/logins", &[("group", search.group)]);
        let Some(value) = found(self.call(&command, until).await)? else { return Ok(None) };
        let logins = answer::member(&value, "answer").and_then(Value::as_array);
        let logins = logins.ok_or_else(|| unreadable("list of logins"))?;
        let logins: Option<Vec<u64>> = logins.iter().map(|login| answer::text(login)?.parse().ok()).collect();
        let mut logins = logins.ok_or_else(|| unreadable("list of logins"))?;
        logins.sort_unstable_by(|a, b| b.cmp(a));
        for page in logins.chunks(LOGINS_PER_PAGE).take(PAGES_MAX) {
            let users = self.users(page, until).await?;
            for user in users.iter().filter(|user| user.bears(search.reference)) {
                if ours.replace(Login::new(user.login.to_string())).is_some() {
                    return Err(undecided("several_accounts_bear_the_reference"));
                }
            }
            if ours.is_some() && users.iter().all(|user| user.registered_s.is_some_and(|at| at < since_s)) {
                return Ok(ours);
            }
        }
        if ours.is_none() && logins.len() > LOGINS_PER_PAGE.saturating_mul(PAGES_MAX) {
            return Err(undecided("more_accounts_than_are_looked_through"));
        }
        Ok(ours)
    }

    /// The accounts of these logins, each of them: an account that is left out may be the one that is looked for.
    async fn users(&self, logins: &[u64], until: Instant) -> Result<Vec<Listed>, PlatformError> {
        let texts: Vec<_> = logins.iter().map(u64::to_string).collect();
        let command = Command::read("/api/user/get_batch", &[("login", &texts.join(","))]);
        let value = found(self.call(&command, until).await)?.ok_or_else(|| unreadable("list of accounts"))?;
        let users = answer::member(&value, "answer").and_then(Value::as_array);
        let users: Option<Vec<_>> = users.and_then(|users| users.iter().map(Listed::read).collect());
        let users = users.ok_or_else(|| unreadable("list of accounts"))?;
        if logins.iter().all(|login| users.iter().any(|user| user.login == *login)) {
            return Ok(users);
        }
        Err(PlatformError::NotApplied("not every account of the group could be read".to_owned()))
    }

    pub(super) async fn read_balance(&self, login: &Login, currency: Currency) -> Result<Money, PlatformError> {
        let command = Command::read("/api/user/account/get", &[("login", login.as_str())]);
        let value = self.call(&command, self.deadline()).await?;
        let balance = answer::member(&value, "answer").and_then(|user| answer::member_decimal(user, "Balance"));
        let balance = balance.ok_or_else(|| unreadable("balance"))?;
        Money::new(balance, currency).map_err(|error| PlatformError::Refused {
            code: error.code().to_owned(),
            message: format!("the balance is no amount of {currency}"),
        })
    }
}

/// An account as far as it is searched by.
struct Listed {
    login: u64,
    comment: String,
    /// By the server's clock; none where it does not say so.
    registered_s: Option<i64>,
}

impl Listed {
    fn read(user: &Value) -> Option<Self> {
        let registered_s = answer::member_text(user, "Registration").and_then(|text| text.parse().ok());
        let login = answer::member_number(user, "Login")?;
        Some(Self { login, comment: answer::member_text(user, "Comment")?, registered_s })
    }

    /// As we wrote it, or with words of a person behind it.
    fn bears(&self, reference: &str) -> bool {
        let rest = self.comment.strip_prefix(reference);
        rest.is_some_and(|rest| !rest.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric()))
    }
}

fn user(account: &NewAccount) -> Bytes {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("Group", json!(account.group));
    put("Name", json!(account.shown_name(NAME_UNITS_MAX)));
    put("Email", json!(account.email.reveal()));
    put("Leverage", json!(account.leverage.to_string()));
    put("Rights", json!(RIGHTS_DEFAULT.to_string()));
    put("Comment", json!(account.reference));
    put("PassMain", json!(account.password.expose_secret()));
    put("PassInvestor", json!(account.investor_password.expose_secret()));
    if let Some(country) = account.country {
        put("Country", json!(country));
    }
    if let Some(phone) = &account.phone {
        put("Phone", json!(phone.reveal()));
    }
    Bytes::from(Value::Object(members).to_string())
}

/// `None` for a read that found nothing.
pub(super) fn found(answer: Result<Value, PlatformError>) -> Result<Option<Value>, PlatformError> {
    match answer {
        Err(PlatformError::Refused { code, .. }) if code == NOT_FOUND => Ok(None),
        other => other.map(Some),
    }
}
