//! MetaTrader 5 over the access server's Web API (REST flavour).
//!
//! Needs of a broker: a manager login with an API password (not the manager's ordinary one), the permissions to
//! connect as manager, to see and modify accounts, to book balances and to see orders, and the groups listed for it.
//!
//! Not thread-parallel on purpose: authentication lives on one connection and calls queue for it.

mod accounts;
mod answer;
mod change;
mod handshake;
mod link;
mod list;
mod operations;
mod retcode;
#[cfg(test)]
mod tests;
mod tickets;
mod trades;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::{Currency, Money, Timestamp};
use secrecy::SecretString;
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
use handshake::Proof;
use link::Link;

/// A Web API build number that working clients send; servers answer older ones too.
pub const WEB_API_VERSION: u32 = 1985;

/// How a trading server is reached.
#[derive(Clone)]
pub struct Mt5Settings {
    /// The access server.
    pub base_url: Url,
    /// Build number of the Web API client, normally [`WEB_API_VERSION`].
    pub version: u32,
    /// How this client names itself in the server's log.
    pub agent: String,
    /// The manager's login.
    pub manager_login: u64,
    /// The manager's API password.
    pub password: SecretString,
    /// Longest a whole operation may take, connection, authentication and one repeat included; see
    /// [`PLATFORM_CALL_TIMEOUT_S`](crate::PLATFORM_CALL_TIMEOUT_S).
    pub call_timeout: Duration,
    /// To compare the server's clock with.
    pub clock: Clock,
    /// How connections are made.
    pub transport: Arc<dyn Transport>,
}

impl fmt::Debug for Mt5Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mt5Settings").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}

/// One trading server.
pub struct Mt5 {
    settings: Mt5Settings,
    proof: Proof,
    link: Mutex<Option<Link>>,
}

#[derive(Deserialize)]
struct ManagerSecret {
    login: u64,
    password: SecretString,
}

impl Mt5 {
    /// The server of a rule set. Its secret is the manager's login and API password.
    pub(super) fn of_server(settings: Settings) -> Result<Self, SettingsError> {
        let manager: ManagerSecret = settings.secret("{\"login\": number, \"password\": text}")?;
        let client = settings.server.manager.as_ref();
        Ok(Self::new(Mt5Settings {
            base_url: settings.base_url()?,
            version: client.map_or(WEB_API_VERSION, |client| client.version),
            agent: client.map_or_else(|| "pipworks".to_owned(), |client| client.agent.clone()),
            manager_login: manager.login,
            password: manager.password,
            call_timeout: settings.call_timeout,
            clock: settings.clock,
            transport: settings.transport,
        }))
    }

    /// Connects at the first call.
    pub fn new(settings: Mt5Settings) -> Self {
        Self { proof: Proof::new(&settings.password), settings, link: Mutex::new(None) }
    }

    /// When an operation that begins now must be over.
    fn deadline(&self) -> Instant {
        Instant::now() + self.settings.call_timeout
    }
}

impl TradingPlatform for Mt5 {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            second_creation: SecondCreation::MakesAnother,
            investor_password: true,
            access: &[Access::NoTrading, Access::NoLogin],
            group_change: true,
            leverage_change: true,
            money: Some(MoneyProof::ByReference),
            credit: Some(MoneyProof::ByReference),
            tickets: true,
            tickets_of_any_account: true,
            lists_accounts: true,
            operations: Some(OperationsList::EachAccount),
            closed_trades: true,
            open_positions: true,
        }
    }

    fn create_account<'a>(&'a self, account: &'a NewAccount) -> BoxFuture<'a, Result<Opened, PlatformError>> {
        Box::pin(async move { self.add_user(account).await.map(Opened::new) })
    }

    fn find_account<'a>(
        &'a self,
        search: &'a AccountSearch<'a>,
    ) -> BoxFuture<'a, Result<Option<Opened>, PlatformError>> {
        Box::pin(async move { Ok(self.find_user(search).await?.map(Opened::new)) })
    }

    fn account<'a>(&'a self, login: &'a Login) -> BoxFuture<'a, Result<Option<AccountState>, PlatformError>> {
        Box::pin(self.read_account(login))
    }

    fn accounts_page<'a>(
        &'a self,
        groups: &'a [String],
        from: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AccountsPage, PlatformError>> {
        Box::pin(self.page_of_users(groups, from))
    }

    fn change_account<'a>(
        &'a self,
        login: &'a Login,
        change: &'a AccountChange,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        Box::pin(self.update_user(login, change))
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
        Box::pin(self.book(operation))
    }

    fn find_operation<'a>(
        &'a self,
        login: &'a Login,
        reference: &'a Reference,
        sought: (Money, Funds),
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<FoundOperation, PlatformError>> {
        Box::pin(self.find_deal(login, reference, sought, from, to))
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
