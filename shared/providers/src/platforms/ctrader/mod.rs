//! Spotware cTrader over its WebServices (REST), and over the manager's protobuf interface for what REST does not tell.
//!
//! Needs of a broker: a manager login that sees its groups and may create, change and credit accounts, our addresses on the list of
//! callers, and, so that a lost answer about money can be settled without a person, the address of the manager's interface.
//!
//! An account has two numbers. Clients and REST use `login`; the manager's interface uses `traderId`, which it tells for a login.

mod errors;
mod link;
mod list;
mod manager;
mod money;
mod positions;
mod rest;
mod traders;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::account::rules::Environment;
use domain::{Currency, Money, Timestamp};
use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::{
    Access, AccountChange, AccountSearch, AccountState, AccountsPage, BalanceOperation, Capabilities, ClosedTrades,
    FoundOperation, FoundTicket, Funds, Login, MoneyOperation, MoneyProof, NewAccount, Opened, OperationsList,
    PlatformError, Reference, SecondCreation, Settings, SettingsError, Ticket, TicketQuery, TradeCursor,
    TradingPlatform,
};
use crate::Clock;
use crate::http::{BoxFuture, Transport};

/// How a server is reached.
#[derive(Clone)]
pub struct CtraderSettings {
    /// The web services, without a path.
    pub base_url: Url,
    /// The manager's login.
    pub manager_login: u64,
    /// The manager's password.
    pub password: SecretString,
    /// Whose accounts they are.
    pub broker_name: String,
    /// `HEDGED`, `NETTED` or `SPREAD_BETTING`.
    pub account_type: String,
    /// `live` or `demo`.
    pub environment: String,
    /// The manager's protobuf interface; without it what became of a lost booking is a person's to find out.
    pub manager: Option<ManagerSettings>,
    /// Longest a whole operation may take, token and one repeat included; see
    /// [`PLATFORM_CALL_TIMEOUT_S`](crate::PLATFORM_CALL_TIMEOUT_S).
    pub call_timeout: Duration,
    /// Whether credit is booked, as a bonus that cannot be withdrawn, and shows in the history of balance under our reference.
    pub books_bonus: bool,
    /// Our time.
    pub clock: Clock,
    /// How connections are made.
    pub transport: Arc<dyn Transport>,
}

/// The manager's protobuf interface.
#[derive(Debug, Clone)]
pub struct ManagerSettings {
    /// `tls://host:port`.
    pub url: Url,
    /// The broker's name there.
    pub plant: String,
}

impl fmt::Debug for CtraderSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtraderSettings").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}

/// One cTrader server.
pub struct Ctrader {
    settings: CtraderSettings,
    hashed_password: String,
    token: Mutex<Option<String>>,
    /// `traderId` by login: neither of them ever changes.
    trader_ids: std::sync::Mutex<BTreeMap<u64, i64>>,
}

#[derive(Deserialize)]
struct ManagerSecret {
    login: u64,
    password: SecretString,
}

impl Ctrader {
    /// The server of a rule set. Its secret is the manager's login and password.
    pub(super) fn of_server(settings: Settings) -> Result<Self, SettingsError> {
        let manager: ManagerSecret = settings.secret("{\"login\": number, \"password\": text}")?;
        let base_url = settings.base_url()?;
        let broker_name = settings.get("broker_name").ok_or_else(|| settings.bad("broker_name"))?.to_owned();
        let environment = match settings.server.environment {
            Environment::Live => "live",
            Environment::Demo => "demo",
        };
        let interface = |address: &str| {
            // encrypted wherever the web services are, which are not only on this machine
            let scheme = if base_url.scheme() == "http" { "tcp" } else { "tls" };
            let url = format!("{scheme}://{address}").parse().map_err(|_| settings.bad("manager_api"))?;
            let plant = settings.get("plant").unwrap_or(&broker_name).to_owned();
            Ok(ManagerSettings { url, plant })
        };
        Ok(Self::new(CtraderSettings {
            manager_login: manager.login,
            password: manager.password,
            account_type: settings.get("account_type").unwrap_or("HEDGED").to_owned(),
            manager: settings.get("manager_api").map(interface).transpose()?,
            books_bonus: settings.get("credit").is_some(),
            broker_name,
            environment: environment.to_owned(),
            base_url,
            call_timeout: settings.call_timeout,
            clock: settings.clock,
            transport: settings.transport,
        }))
    }

    /// Fetches its token at the first call.
    pub fn new(settings: CtraderSettings) -> Self {
        let hashed_password = md5_hex(settings.password.expose_secret());
        Self { settings, hashed_password, token: Mutex::new(None), trader_ids: std::sync::Mutex::default() }
    }

    /// When an operation that begins now must be over.
    fn deadline(&self) -> Instant {
        Instant::now() + self.settings.call_timeout
    }
}

/// Passwords travel as the MD5 of their UTF-8 bytes in lower-case hex.
fn md5_hex(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

/// A time as the query of a list has it.
fn utc(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.millis()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

impl TradingPlatform for Ctrader {
    fn capabilities(&self) -> Capabilities {
        let looks_up = self.settings.manager.is_some();
        Capabilities {
            second_creation: SecondCreation::MakesAnother,
            investor_password: false,
            access: &[Access::CloseOnly, Access::NoTrading, Access::NoLogin],
            group_change: true,
            leverage_change: true,
            // what cannot be looked up afterwards is not booked: credit has no second proof, as the balance has itself
            credit: (looks_up && self.settings.books_bonus).then_some(MoneyProof::ByReference),
            money: Some(if looks_up { MoneyProof::ByReference } else { MoneyProof::None }),
            tickets: looks_up,
            tickets_of_any_account: looks_up,
            lists_accounts: true,
            operations: looks_up.then_some(OperationsList::AllAtOnce),
            closed_trades: true,
            open_positions: true,
        }
    }

    fn create_account<'a>(&'a self, account: &'a NewAccount) -> BoxFuture<'a, Result<Opened, PlatformError>> {
        Box::pin(self.add_trader(account))
    }

    fn find_account<'a>(
        &'a self,
        search: &'a AccountSearch<'a>,
    ) -> BoxFuture<'a, Result<Option<Opened>, PlatformError>> {
        Box::pin(self.find_trader(search))
    }

    fn links_clients(&self) -> bool {
        true
    }

    fn link_client<'a>(
        &'a self,
        opened: &'a Opened,
        account: &'a NewAccount,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        Box::pin(self.link(&opened.login, account))
    }

    fn account<'a>(&'a self, login: &'a Login) -> BoxFuture<'a, Result<Option<AccountState>, PlatformError>> {
        Box::pin(self.read_trader(login))
    }

    fn accounts_page<'a>(
        &'a self,
        groups: &'a [String],
        from: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AccountsPage, PlatformError>> {
        Box::pin(self.page_of_traders(groups, from))
    }

    fn change_account<'a>(
        &'a self,
        login: &'a Login,
        change: &'a AccountChange,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        Box::pin(self.patch_trader(login, change))
    }

    fn closed_trades<'a>(
        &'a self,
        login: &'a Login,
        cursor: &'a TradeCursor,
    ) -> BoxFuture<'a, Result<ClosedTrades, PlatformError>> {
        Box::pin(self.read_closed_positions(login, cursor))
    }

    fn has_positions<'a>(&'a self, login: &'a Login) -> BoxFuture<'a, Result<bool, PlatformError>> {
        Box::pin(self.read_has_positions(login))
    }

    fn apply_balance<'a>(&'a self, operation: &'a BalanceOperation) -> BoxFuture<'a, Result<Ticket, PlatformError>> {
        Box::pin(self.change_balance(operation))
    }

    fn find_operation<'a>(
        &'a self,
        login: &'a Login,
        reference: &'a Reference,
        sought: (Money, Funds),
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<FoundOperation, PlatformError>> {
        Box::pin(self.find_booking(login, reference, sought, from, to))
    }

    fn find_ticket<'a>(&'a self, named: &'a TicketQuery) -> BoxFuture<'a, Result<FoundTicket, PlatformError>> {
        Box::pin(self.look_up_ticket(named))
    }

    fn operations<'a>(
        &'a self,
        login: Option<&'a Login>,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<MoneyOperation>, PlatformError>> {
        Box::pin(self.read_operations(login, from, to))
    }

    fn balance<'a>(&'a self, login: &'a Login, currency: Currency) -> BoxFuture<'a, Result<Money, PlatformError>> {
        Box::pin(self.read_balance(login, currency))
    }
}
