//! Accounts, which are called traders: creating one, finding one by our reference, reading and changing one.

use ::http::Method;
use bytes::Bytes;
use domain::{Currency, Money, Seconds, Timestamp};
use rust_decimal::Decimal;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::errors::NO_TRADER;
use super::rest::Call;
use super::{Ctrader, md5_hex, utc};
use crate::platforms::call::{undecided, unreadable};
use crate::platforms::{
    Access, AccountChange, AccountSearch, AccountState, Login, NewAccount, Opened, PlatformError, json,
};

/// How far the server's clock may be from ours.
pub(super) const CLOCK_SKEW: Seconds = Seconds(600);

/// Chunks of the list of accounts that are read.
const CHUNKS_MAX: usize = 20;

impl Ctrader {
    pub(super) async fn add_trader(&self, account: &NewAccount) -> Result<Opened, PlatformError> {
        let until = self.deadline();
        let call = Call::write(Method::POST, "/v2/webserv/traders", self.trader(account));
        let answer = self.json(&call, until).await?;
        let login: Option<u64> = json::whole(&answer, "login").filter(|login| *login > 0);
        // created, but not to be named: the look-up finds it
        let login = login.ok_or_else(|| PlatformError::Unknown("answer names no login".to_owned()))?;
        Ok(self.opened(login, json::whole(&answer, "registrationTimestamp"), until).await)
    }

    fn trader(&self, account: &NewAccount) -> Bytes {
        // how much is kept of it is not documented
        let name = account.shown_name(usize::MAX);
        let (first, last) = name.rsplit_once(char::is_whitespace).unwrap_or((name.as_str(), ""));
        let mut contact = Map::from_iter([("email".to_owned(), json!(account.email.reveal()))]);
        if let Some(phone) = &account.phone {
            contact.insert("phone".to_owned(), json!(phone.reveal()));
        }
        // documented as the number of ISO 3166-1, with four countries as examples; no list of the server's own is documented
        if let Some(number) = account.country.and_then(|country| country.number()) {
            contact.insert("countryId".to_owned(), json!(number));
        }
        let body = json!({
            "accessRights": access_word(Access::Full),
            "accountType": self.settings.account_type,
            // money comes by its own call, which bears a reference
            "balance": 0,
            "brokerName": self.settings.broker_name,
            "contactDetails": contact,
            "depositCurrency": account.currency.code(),
            // what the account is found by
            "description": account.reference,
            "groupName": account.group,
            "hashedPassword": md5_hex(account.password.expose_secret()),
            "lastName": last,
            "leverageInCents": u64::from(account.leverage).saturating_mul(100),
            "name": first,
            "totalMarginCalculationType": "MAX",
        });
        Bytes::from(body.to_string())
    }

    /// The accounts that were registered since the search's time, to the last: an account that is left out may be the one that is
    /// looked for. The server gives the newest of a time that has too many, and says so.
    pub(super) async fn find_trader(&self, search: &AccountSearch<'_>) -> Result<Option<Opened>, PlatformError> {
        let until = self.deadline();
        let from = search.since.minus(CLOCK_SKEW);
        let mut to = (self.settings.clock)().plus(CLOCK_SKEW);
        let mut found: Option<(u64, i64)> = None;
        for _ in 0..CHUNKS_MAX {
            let query = vec![("from", utc(from)), ("to", utc(to))];
            let answer = self.json(&Call::read("/v2/webserv/traders/", query), until).await?;
            let more = answer.get("hasMore").and_then(Value::as_bool).ok_or_else(|| unreadable("list of accounts"))?;
            let rows = json::rows(&answer, "trader").ok_or_else(|| unreadable("list of accounts"))?;
            let rows: Option<Vec<_>> = rows.iter().map(Listed::read).collect();
            let rows = rows.ok_or_else(|| unreadable("list of accounts"))?;
            for row in rows.iter().filter(|row| row.bears(search.reference)) {
                if found.is_some_and(|(login, _)| login != row.login) {
                    return Err(undecided("several_accounts_bear_the_reference"));
                }
                found = Some((row.login, row.registered_ms));
            }
            if !more {
                let (login, registered_ms) = match found {
                    Some(found) => found,
                    None => return Ok(None),
                };
                return Ok(Some(self.opened(login, Some(registered_ms), until).await));
            }
            // up to and with the earliest: others of its millisecond may have been cut off
            let earliest = rows.iter().map(|row| row.registered_ms.saturating_add(1)).min();
            let next = earliest.and_then(Timestamp::from_millis).filter(|next| *next < to);
            to = next.ok_or_else(|| unreadable("list of accounts, which does not go on,"))?;
        }
        Err(undecided("more_accounts_than_are_looked_through"))
    }

    /// An account with both its numbers. The second one is the manager's interface's and can be asked for again at any time, so not
    /// getting it now changes nothing about the account.
    async fn opened(&self, login: u64, registered_ms: Option<i64>, until: Instant) -> Opened {
        let internal_id = match registered_ms {
            Some(registered_ms) => self.trader_id_of(login, registered_ms, until).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the manager's interface does not say the account's second number");
                None
            }),
            None => None,
        };
        Opened { login: Login::new(login.to_string()), internal_id: internal_id.map(|id| id.to_string()) }
    }

    pub(super) async fn read_trader(&self, login: &Login) -> Result<Option<AccountState>, PlatformError> {
        let Some(trader) = self.trader_of(login, self.deadline()).await? else { return Ok(None) };
        let state = || {
            let leverage = json::whole::<u32>(&trader, "leverageInCents")? / 100;
            Some(AccountState {
                login: login.clone(),
                group: json::text(&trader, "groupName")?,
                leverage: Some(leverage),
                access: access_of(&json::text(&trader, "accessRights")?)?,
                balance: money(&trader, "balance")?,
                reference: json::text(&trader, "description").unwrap_or_default(),
            })
        };
        Ok(Some(state().ok_or_else(|| unreadable("account"))?))
    }

    /// What open positions hold, and what they are worth beyond it.
    pub(super) async fn read_has_positions(&self, login: &Login) -> Result<bool, PlatformError> {
        let Some(trader) = self.trader_of(login, self.deadline()).await? else { return Ok(false) };
        let part = |name: &str| money(&trader, name).ok_or_else(|| unreadable("account's margin"));
        Ok(!part("usedMargin")?.is_zero())
    }

    /// The record of an account; none where there is no such login.
    pub(super) async fn trader_of(&self, login: &Login, until: Instant) -> Result<Option<Value>, PlatformError> {
        // the server numbers its accounts: what is no number is none of them
        let Ok(number) = login.as_str().parse::<u64>() else { return Ok(None) };
        let path = format!("/v2/webserv/traders/{number}");
        let trader = match self.json(&Call::read(path, Vec::new()), until).await {
            Err(PlatformError::Refused { code, .. }) if code == NO_TRADER => return Ok(None),
            trader => trader?,
        };
        // an answer that is not to what was asked
        if json::whole(&trader, "login") != Some(number) {
            return Err(unreadable("account, which has another login,"));
        }
        Ok(Some(trader))
    }

    pub(super) async fn patch_trader(&self, login: &Login, change: &AccountChange) -> Result<(), PlatformError> {
        let number = number_of(login)?;
        let mut members = Map::new();
        if let Some(access) = change.access {
            members.insert("accessRights".to_owned(), json!(access_word(access)));
        }
        if let Some(group) = &change.group {
            members.insert("groupName".to_owned(), json!(group));
        }
        if let Some(leverage) = change.leverage {
            members.insert("leverageInCents".to_owned(), json!(u64::from(leverage).saturating_mul(100)));
        }
        // PUT would reset what it does not name
        let path = format!("/v2/webserv/traders/{number}");
        let call = Call::write(Method::PATCH, path, Value::Object(members).to_string());
        let response = self.call(&call, self.deadline()).await?;
        match response.body().is_empty() {
            true => Ok(()),
            false => Err(PlatformError::Unknown("a change has no answer, and this is one".to_owned())),
        }
    }

    pub(super) async fn read_balance(&self, login: &Login, currency: Currency) -> Result<Money, PlatformError> {
        let trader = self.trader_of(login, self.deadline()).await?.ok_or_else(no_trader)?;
        let refused = |code: &str| PlatformError::Refused {
            code: code.to_owned(),
            message: format!("the balance is no amount of {currency}"),
        };
        if json::text(&trader, "depositCurrency").is_some_and(|other| other != currency.code()) {
            return Err(refused("other_currency"));
        }
        let balance = money(&trader, "balance").ok_or_else(|| unreadable("balance"))?;
        Money::new(balance, currency).map_err(|error| refused(error.code()))
    }
}

/// An account as far as it is searched by.
struct Listed {
    login: u64,
    registered_ms: i64,
    description: String,
}

impl Listed {
    fn read(trader: &Value) -> Option<Self> {
        Some(Self {
            login: json::whole(trader, "login")?,
            registered_ms: json::whole(trader, "registrationTimestamp")?,
            // accounts of others need none
            description: json::text(trader, "description").unwrap_or_default(),
        })
    }

    /// As we wrote it, or with words of a person behind it.
    fn bears(&self, reference: &str) -> bool {
        let rest = self.description.strip_prefix(reference);
        rest.is_some_and(|rest| !rest.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    }
}

/// Money in answers is a whole number of 10 to the minus `moneyDigits`.
pub(super) fn money(object: &Value, name: &str) -> Option<Decimal> {
    scaled(json::whole(object, name)?, json::whole(object, "moneyDigits")?)
}

/// A whole number of 10 to the minus so many digits.
pub(super) fn scaled(units: i64, digits: u32) -> Option<Decimal> {
    Decimal::try_new(units, digits).ok()
}

/// The login as the protocol has it. An account that the server cannot have is not there.
pub(super) fn number_of(login: &Login) -> Result<u64, PlatformError> {
    login.as_str().parse().map_err(|_| no_trader())
}

pub(super) fn no_trader() -> PlatformError {
    PlatformError::Refused { code: NO_TRADER.to_owned(), message: "there is no such login".to_owned() }
}

fn access_word(access: Access) -> &'static str {
    match access {
        Access::Full => "FULL_ACCESS",
        Access::CloseOnly => "CLOSE_ONLY",
        Access::NoTrading => "NO_TRADING",
        Access::NoLogin => "NO_LOGIN",
    }
}

fn access_of(word: &str) -> Option<Access> {
    Access::ALL.iter().copied().find(|access| access_word(*access) == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_scaled_by_their_digits() {
        // published: 234512 with two digits is 2345.12, and 1234512 with two is 12345.12
        for (units, digits, amount) in
            [(234_512, 2, "2345.12"), (1_234_512, 2, "12345.12"), (-1, 2, "-0.01"), (5, 0, "5")]
        {
            let trader = json!({ "balance": units, "moneyDigits": digits });
            assert_eq!(money(&trader, "balance").unwrap().to_string(), amount);
        }
        for odd in
            [json!({"balance": 1}), json!({"balance": 1.5, "moneyDigits": 2}), json!({"balance": 1, "moneyDigits": 99})]
        {
            assert_eq!(money(&odd, "balance"), None);
        }
    }

    #[test]
    fn every_access_has_its_word() {
        for access in Access::ALL {
            assert_eq!(access_of(access_word(*access)), Some(*access));
        }
        assert_eq!(access_of("full_access"), None);
    }

    #[test]
    fn an_account_bears_our_reference_and_no_longer_one() {
        let of = |description: &str| Listed { login: 1, registered_ms: 1, description: description.to_owned() };
        assert!(of("acc_1").bears("acc_1") && of("acc_1 seen by Ann").bears("acc_1"));
        assert!(!of("acc_12").bears("acc_1") && !of("acc_1-2").bears("acc_1") && !of("").bears("acc_1"));
    }
}
