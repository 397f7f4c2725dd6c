//! Devexperts DXtrade over its register API, and over the trading API for what was traded and moved.
//!
//! Needs of a broker: a user of the register API who may create clients and accounts and book transfers, also let into the trading
//! interface for all accounts, and a category of the domain `Trading` per group; one of the domain `Margining` per leverage where
//! leverage is to be set.
//!
//! Clients log in by the name that we give them, which is our reference, and so is the code of their one account: a creation, like a
//! booking, can be sent again without doing it twice.

mod accounts;
mod list;
mod money;
mod rest;
mod trades;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::account::rules::Environment;
use domain::{Currency, Money, Timestamp};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::Deserialize;
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
use rest::Sessions;

/// How a server is reached.
#[derive(Clone)]
pub struct DxtradeSettings {
    /// The host of both interfaces.
    pub base_url: Url,
    /// The user of the register API.
    pub username: String,
    /// The user's password.
    pub password: SecretString,
    /// The domain of the user and of the clients.
    pub domain: String,
    /// The clearing code of the accounts.
    pub clearing_code: String,
    /// Whose accounts they are.
    pub broker_code: String,
    /// `LIVE` or `DEMO`.
    pub account_type: String,
    /// The category of a leverage with `{leverage}` for its number; none where the broker has none of them.
    pub margining: Option<String>,
    /// Longest a whole operation may take, log-in and one repeat included; see
    /// [`PLATFORM_CALL_TIMEOUT_S`](crate::PLATFORM_CALL_TIMEOUT_S).
    pub call_timeout: Duration,
    /// Our time.
    pub clock: Clock,
    /// How connections are made.
    pub transport: Arc<dyn Transport>,
}

impl fmt::Debug for DxtradeSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DxtradeSettings").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}

/// One DXtrade server.
pub struct Dxtrade {
    settings: DxtradeSettings,
    sessions: Sessions,
}

#[derive(Deserialize)]
struct UserSecret {
    username: String,
    password: SecretString,
}

impl Dxtrade {
    /// The server of a rule set. Its secret is the user's name and password.
    pub(super) fn of_server(settings: Settings) -> Result<Self, SettingsError> {
        let user: UserSecret = settings.secret("{\"username\": text, \"password\": text}")?;
        let need = |name: &'static str| settings.get(name).map(str::to_owned).ok_or_else(|| settings.bad(name));
        let account_type = match settings.server.environment {
            Environment::Live => "LIVE",
            Environment::Demo => "DEMO",
        };
        Ok(Self::new(DxtradeSettings {
            base_url: settings.base_url()?,
            username: user.username,
            password: user.password,
            domain: need("domain")?,
            clearing_code: need("clearing_code")?,
            broker_code: need("broker_code")?,
            account_type: account_type.to_owned(),
            margining: settings.get("margining").map(str::to_owned),
            call_timeout: settings.call_timeout,
            clock: settings.clock.clone(),
            transport: settings.transport.clone(),
        }))
    }

    /// Logs in at the first call.
    pub fn new(settings: DxtradeSettings) -> Self {
        Self { settings, sessions: Sessions::default() }
    }

    /// When an operation that begins now must be over.
    fn deadline(&self) -> Instant {
        Instant::now() + self.settings.call_timeout
    }
}

/// A time as both interfaces write it.
fn utc(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.millis()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// An amount with the digits of its currency, unless that would change it.
fn in_digits(amount: Decimal, currency: Currency) -> Decimal {
    let mut written = amount;
    written.rescale(currency.digits());
    if written == amount { written } else { amount }
}

impl TradingPlatform for Dxtrade {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            second_creation: SecondCreation::GivesTheFirst,
            investor_password: false,
            access: &[Access::CloseOnly, Access::NoTrading],
            group_change: true,
            leverage_change: self.settings.margining.is_some(),
            money: Some(MoneyProof::Idempotent),
            credit: None,
            tickets: true,
            tickets_of_any_account: false,
            lists_accounts: true,
            operations: Some(OperationsList::EachAccount),
            closed_trades: true,
            open_positions: true,
        }
    }

    fn create_account<'a>(&'a self, account: &'a NewAccount) -> BoxFuture<'a, Result<Opened, PlatformError>> {
        Box::pin(self.register(account))
    }

    fn find_account<'a>(
        &'a self,
        search: &'a AccountSearch<'a>,
    ) -> BoxFuture<'a, Result<Option<Opened>, PlatformError>> {
        Box::pin(self.find_registered(search.reference))
    }

    fn account<'a>(&'a self, login: &'a Login) -> BoxFuture<'a, Result<Option<AccountState>, PlatformError>> {
        Box::pin(self.read_account(login))
    }

    fn accounts_page<'a>(
        &'a self,
        groups: &'a [String],
        from: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AccountsPage, PlatformError>> {
        Box::pin(self.page_of_accounts(groups, from))
    }

    fn change_account<'a>(
        &'a self,
        login: &'a Login,
        change: &'a AccountChange,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        Box::pin(self.change(login, change))
    }

    fn closed_trades<'a>(
        &'a self,
        login: &'a Login,
        cursor: &'a TradeCursor,
    ) -> BoxFuture<'a, Result<ClosedTrades, PlatformError>> {
        Box::pin(self.read_closed_trades(login, cursor))
    }

    fn has_positions<'a>(&'a self, login: &'a Login) -> BoxFuture<'a, Result<bool, PlatformError>> {
        Box::pin(self.read_has_positions(login))
    }

    fn apply_balance<'a>(&'a self, operation: &'a BalanceOperation) -> BoxFuture<'a, Result<Ticket, PlatformError>> {
        Box::pin(self.transfer(operation))
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
