//! MetaTrader 5 over the access server's Web API (REST flavour).
//!
//! Needs of a broker: a manager login with an API password (not the manager's ordinary one), the permissions to
//! connect as manager, to see and modify accounts, to book balances and to see orders, and the groups listed for it.
//!
//! Not thread-parallel on purpose: authentication lives on one connection and calls queue for it.

mod accounts;
mod answer;
mod handshake;
mod link;
mod operations;
mod retcode;
#[cfg(test)]
mod tests;
mod tickets;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::{Currency, Money, Timestamp};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::{
    BalanceOperation, FoundOperation, FoundTicket, Login, NewAccount, PlatformError, Reference, Ticket, TicketQuery,
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

impl Mt5 {
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
    fn create_account<'a>(&'a self, account: &'a NewAccount) -> BoxFuture<'a, Result<Login, PlatformError>> {
        Box::pin(self.add_user(account))
    }

    fn find_account<'a>(
        &'a self,
        group: &'a str,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<Login>, PlatformError>> {
        Box::pin(self.find_user(group, reference))
    }

    fn apply_balance<'a>(&'a self, operation: &'a BalanceOperation) -> BoxFuture<'a, Result<Ticket, PlatformError>> {
        Box::pin(self.book(operation))
    }

    fn find_operation<'a>(
        &'a self,
        login: &'a Login,
        reference: &'a Reference,
        amount: Money,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<FoundOperation, PlatformError>> {
        Box::pin(self.find_deal(login, reference, amount, from, to))
    }

    fn find_ticket<'a>(&'a self, named: &'a TicketQuery) -> BoxFuture<'a, Result<FoundTicket, PlatformError>> {
        Box::pin(self.look_up_ticket(named))
    }

    fn balance<'a>(&'a self, login: &'a Login, currency: Currency) -> BoxFuture<'a, Result<Money, PlatformError>> {
        Box::pin(self.read_balance(login, currency))
    }
}
