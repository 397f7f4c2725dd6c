//! Clients and their accounts. We name both ourselves, after our reference: what exists is the answer to being made again.

use ::http::{Method, StatusCode};
use domain::{Currency, Money};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Dxtrade;
use super::rest::{Answer, Call, Interface};
use crate::platforms::call::unreadable;
use crate::platforms::{Access, AccountChange, AccountState, Login, NewAccount, Opened, PlatformError, json};
use crate::template::encode;

/// The category that stands for an account's group, and the one that its leverage follows from.
pub(super) const GROUP_DOMAIN: &str = "Trading";
pub(super) const MARGIN_DOMAIN: &str = "Margining";

/// Where a category's name has the leverage.
const LEVERAGE: &str = "{leverage}";

impl Dxtrade {
    /// A client with his one account, in one call. Where the client is there already, an earlier call did its work, or half of it:
    /// the account is added if it is missing, and the password is what the caller has now.
    pub(super) async fn register(&self, account: &NewAccount) -> Result<Opened, PlatformError> {
        let until = self.deadline();
        let login = login_of(&account.reference);
        if !is_name(login.as_str()) {
            let message = "an account's reference has letters, digits, hyphens and underscores".to_owned();
            return Err(PlatformError::Refused { code: "reference".to_owned(), message });
        }
        let mut client = self.client(account);
        client.insert("accounts".to_owned(), json!([self.new_account(account)]));
        let call = Call::write(Method::POST, "/api/register/client", Value::Object(client).to_string());
        let made = self.call_or(&call, &[StatusCode::CONFLICT], until).await?;
        if made.status == StatusCode::CONFLICT {
            self.complete(account, &login, until).await?;
        } else if !made.body.is_object() {
            return Err(PlatformError::Unknown("answer is no client".to_owned()));
        }
        Ok(Opened::new(login))
    }

    /// What an earlier creation left to do. The account comes last: whoever finds it finds a client with the newest password, whatever
    /// became of the worker that made it.
    async fn complete(&self, account: &NewAccount, login: &Login, until: Instant) -> Result<(), PlatformError> {
        let name = login.as_str();
        let path = format!("/api/register/client/{}/{}", encode(&self.settings.domain), encode(name));
        let read = self.call(&Call::read(Interface::Register, path.as_str(), Vec::new()), until).await?;
        // an answer that is not to what was asked
        if json::text(&read.body, "login").as_deref() != Some(name) {
            return Err(unreadable("client, who has another name,"));
        }
        let client = Value::Object(self.client(account)).to_string();
        self.call(&Call::write(Method::PUT, path.as_str(), client).if_match(&read), until).await?;
        if self.record(login, until).await?.is_none() {
            let body = self.new_account(account).to_string();
            self.call(&Call::write(Method::POST, format!("{path}/account"), body), until).await?;
        }
        Ok(())
    }

    fn client(&self, account: &NewAccount) -> Map<String, Value> {
        let mut client = Map::new();
        let mut put = |name: &str, value: Value| client.insert(name.to_owned(), value);
        put("domain", json!(self.settings.domain));
        put("login", json!(login_of(&account.reference).as_str()));
        put("password", json!(account.password.expose_secret()));
        put("email", json!(account.email.reveal()));
        put("fullName", json!(account.shown_name(usize::MAX)));
        put("brokerCode", json!(self.settings.broker_code));
        put("type", json!("CLIENT"));
        put("status", json!("ONLINE"));
        if let Some(phone) = &account.phone {
            put("phone", json!(phone.reveal()));
        }
        if let Some(country) = account.country {
            put("citizenship", json!(country));
        }
        client
    }

    fn new_account(&self, account: &NewAccount) -> Value {
        let mut categories = vec![json!({ "category": GROUP_DOMAIN, "value": account.group })];
        if let Some(margining) = self.margining(account.leverage) {
            categories.push(json!({ "category": MARGIN_DOMAIN, "value": margining }));
        }
        json!({
            "clearingCode": self.settings.clearing_code,
            "accountCode": login_of(&account.reference).as_str(),
            "brokerCode": self.settings.broker_code,
            "type": "CLIENT",
            "status": "FULL_TRADING",
            "accountCashType": "MARGIN",
            "accountType": self.settings.account_type,
            "currency": account.currency.code(),
            "categories": categories,
            "metadata": { "reference": account.reference },
        })
    }

    /// The category of a leverage, where the broker has one for each.
    fn margining(&self, leverage: u32) -> Option<String> {
        let template = self.settings.margining.as_ref()?;
        Some(template.replace(LEVERAGE, &leverage.to_string()))
    }

    pub(super) fn leverage(&self, category: &str) -> Option<u32> {
        let (before, after) = self.settings.margining.as_ref()?.split_once(LEVERAGE)?;
        category.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
    }

    pub(super) async fn find_registered(&self, reference: &str) -> Result<Option<Opened>, PlatformError> {
        let login = login_of(reference);
        let found = self.record(&login, self.deadline()).await?;
        Ok(found.map(|_| Opened::new(login)))
    }

    pub(super) fn path(&self, login: &Login) -> String {
        let code = encode(&self.settings.clearing_code);
        format!("/api/register/account/{code}/{}", encode(login.as_str()))
    }

    /// The record of an account; none where there is no such account.
    async fn record(&self, login: &Login, until: Instant) -> Result<Option<Answer>, PlatformError> {
        if !is_name(login.as_str()) {
            return Ok(None);
        }
        let call = Call::read(Interface::Register, self.path(login), Vec::new());
        let read = self.call_or(&call, &[StatusCode::NOT_FOUND], until).await?;
        if read.status == StatusCode::NOT_FOUND {
            // the application's own "not found", and not that of something on the way
            let is_said = json::whole::<i64>(&read.body, "errorCode").is_some();
            return is_said.then_some(None).ok_or_else(|| unreadable("account"));
        }
        // an answer that is not to what was asked
        if json::text(&read.body, "accountCode").as_deref() != Some(login.as_str()) {
            return Err(unreadable("account, which has another code,"));
        }
        Ok(Some(read))
    }

    pub(super) async fn read_account(&self, login: &Login) -> Result<Option<AccountState>, PlatformError> {
        let Some(read) = self.record(login, self.deadline()).await? else { return Ok(None) };
        let state = || {
            let categories = json::rows(&read.body, "categories")?;
            let value = |domain: &str| {
                let of = |category: &&Value| json::text(category, "category").as_deref() == Some(domain);
                json::text(categories.iter().find(of)?, "value")
            };
            let leverage = match &self.settings.margining {
                Some(_) => Some(self.leverage(&value(MARGIN_DOMAIN)?)?),
                None => None,
            };
            Some(AccountState {
                login: login.clone(),
                group: value(GROUP_DOMAIN)?,
                leverage,
                access: access_of(&json::text(&read.body, "status")?)?,
                balance: json::decimal(&read.body, "balance")?,
                reference: reference_of(&read.body),
            })
        };
        Ok(Some(state().ok_or_else(|| unreadable("account"))?))
    }

    /// Each part is set by its own call, and each call sets the whole of its part: what is sent again changes nothing.
    pub(super) async fn change(&self, login: &Login, change: &AccountChange) -> Result<(), PlatformError> {
        let until = self.deadline();
        if change.leverage.is_some() && self.settings.margining.is_none() {
            return Err(PlatformError::unsupported("a leverage that is a number"));
        }
        let status = change.access.map(status_word).transpose()?;
        let path = self.path(login);
        if let Some(status) = status {
            self.set(path.clone(), &json!({ "status": status }), until).await?;
        }
        if let Some(group) = &change.group {
            self.set(format!("{path}/category/{GROUP_DOMAIN}"), &json!({ "value": group }), until).await?;
        }
        if let Some(margining) = change.leverage.and_then(|leverage| self.margining(leverage)) {
            self.set(format!("{path}/category/{MARGIN_DOMAIN}"), &json!({ "value": margining }), until).await?;
        }
        Ok(())
    }

    async fn set(&self, path: String, body: &Value, until: Instant) -> Result<(), PlatformError> {
        self.call(&Call::write(Method::PUT, path, body.to_string()), until).await.map(|_| ())
    }

    pub(super) async fn read_balance(&self, login: &Login, currency: Currency) -> Result<Money, PlatformError> {
        let refused = |code: &str, message: String| PlatformError::Refused { code: code.to_owned(), message };
        let read = self.record(login, self.deadline()).await?;
        let read = read.ok_or_else(|| refused("404", "there is no such account".to_owned()))?;
        if json::text(&read.body, "currency").as_deref() != Some(currency.code()) {
            return Err(refused("other_currency", format!("the account is not in {currency}")));
        }
        let balance = json::decimal(&read.body, "balance").ok_or_else(|| unreadable("balance"))?;
        Money::new(balance, currency)
            .map_err(|error| refused(error.code(), format!("the balance is no amount of {currency}")))
    }
}

/// The name of a client and his account: our reference in letters and digits, which is what people type.
fn login_of(reference: &str) -> Login {
    Login::new(reference.replace('_', ""))
}

/// What stands where we write our reference.
pub(super) fn reference_of(account: &Value) -> String {
    account.get("metadata").and_then(|metadata| json::text(metadata, "reference")).unwrap_or_default()
}

/// What a name in a path can be.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

/// An account that nobody may look at is none of its states: whether a client of the status `DISABLED` can log in is not documented.
fn status_word(access: Access) -> Result<&'static str, PlatformError> {
    match access {
        Access::Full => Ok("FULL_TRADING"),
        Access::CloseOnly => Ok("CLOSE_ONLY"),
        Access::NoTrading => Ok("NO_TRADING"),
        Access::NoLogin => Err(PlatformError::unsupported("an account that cannot be looked at")),
    }
}

/// What is ended is not to be traded on either.
fn access_of(word: &str) -> Option<Access> {
    match word {
        "FULL_TRADING" => Some(Access::Full),
        "CLOSE_ONLY" => Some(Access::CloseOnly),
        "NO_TRADING" | "TERMINATED" | "EXPIRED" => Some(Access::NoTrading),
        _ => None,
    }
}
