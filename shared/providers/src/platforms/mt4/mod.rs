//! MetaTrader 4, which has no web API of its own.
//!
//! Accounts are created over the text protocol of the registration plug-in, and everything else goes over a REST bridge to the manager
//! interface. The text protocol could change a balance too, but names no ticket and keeps no comment: what became of money whose answer
//! was lost could not be told, so no money goes that way.
//!
//! Needs of a broker: the plug-in with a master password and our address on its list, reached over a private line, for it is not
//! encrypted; at the bridge a client with its secret, whose manager may see and change accounts of our groups and book balances.

mod accounts;
mod ansi;
mod bridge;
mod codes;
mod list;
mod money;
mod time;
mod trades;
mod webreg;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::{Currency, Money, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::call::time_to_write;
use super::{
    Access, AccountChange, AccountSearch, AccountState, AccountsPage, BalanceOperation, Capabilities, ClosedTrades,
    FoundOperation, FoundTicket, Funds, Login, MoneyOperation, MoneyProof, NewAccount, Opened, OperationsList,
    PlatformError, Reference, SecondCreation, Settings, SettingsError, Ticket, TicketQuery, TradeCursor,
    TradingPlatform,
};
use crate::Clock;
use crate::http::{BoxFuture, Transport};
pub use ansi::CodePage;
use bridge::Token;

/// How a trading server is reached.
#[derive(Clone)]
pub struct Mt4Settings {
    /// The bridge.
    pub bridge: Url,
    /// Which of its servers is meant.
    pub trade_platform: String,
    /// Where the bridge's tokens come from.
    pub token_url: Url,
    /// Who we are there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// `tcp://host:port` of the registration plug-in: the trading server's own port.
    pub webreg: Url,
    /// The plug-in's master password.
    pub master: SecretString,
    /// The address that the plug-in is told the request comes from: it counts requests by it.
    pub ip: String,
    /// In which letters the server writes.
    pub code_page: CodePage,
    /// Longest a whole operation may take; see [`PLATFORM_CALL_TIMEOUT_S`](crate::PLATFORM_CALL_TIMEOUT_S).
    pub call_timeout: Duration,
    /// To compare the server's clock with.
    pub clock: Clock,
    /// How connections are made.
    pub transport: Arc<dyn Transport>,
}

impl fmt::Debug for Mt4Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mt4Settings").field("bridge", &self.bridge.as_str()).finish_non_exhaustive()
    }
}

/// One trading server.
pub struct Mt4 {
    settings: Mt4Settings,
    token: Mutex<Option<Token>>,
    /// The server's clock minus ours in seconds, once it has been compared, and when.
    clock_offset: Mutex<Option<(i64, Instant)>>,
}

#[derive(Deserialize)]
struct Secret {
    master: SecretString,
    client_id: String,
    client_secret: SecretString,
}

impl Mt4 {
    /// The server of a rule set, whose `base_url` is the bridge. Its secret has the plug-in's master password and our client at the bridge.
    pub(super) fn of_server(settings: Settings) -> Result<Self, SettingsError> {
        let secret: Secret = settings.secret("{\"master\": text, \"client_id\": text, \"client_secret\": text}")?;
        let need = |name: &'static str| settings.get(name).map(str::to_owned).ok_or_else(|| settings.bad(name));
        let code_page = settings.get("code_page").unwrap_or(CodePage::DEFAULT.name());
        let webreg = format!("tcp://{}", need("webreg")?).parse().map_err(|_| settings.bad("webreg"))?;
        Ok(Self::new(Mt4Settings {
            bridge: settings.base_url()?,
            trade_platform: need("trade_platform")?,
            token_url: need("token_url")?.parse().map_err(|_| settings.bad("token_url"))?,
            client_id: secret.client_id,
            client_secret: secret.client_secret,
            webreg,
            master: secret.master,
            ip: settings.get("ip").unwrap_or("127.0.0.1").to_owned(),
            code_page: CodePage::by_name(code_page).ok_or_else(|| settings.bad("code_page"))?,
            call_timeout: settings.call_timeout,
            clock: settings.clock,
            transport: settings.transport,
        }))
    }

    /// Connects at the first call.
    pub fn new(settings: Mt4Settings) -> Self {
        Self { settings, token: Mutex::new(None), clock_offset: Mutex::new(None) }
    }

    /// When an operation that begins now must be over.
    fn deadline(&self) -> Instant {
        Instant::now() + self.settings.call_timeout
    }

    fn time_to_write(&self, until: Instant) -> Result<(), PlatformError> {
        time_to_write(until, self.settings.call_timeout)
    }
}

impl TradingPlatform for Mt4 {
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
        Box::pin(async move { self.register(account).await.map(Opened::new) })
    }

    fn find_account<'a>(
        &'a self,
        search: &'a AccountSearch<'a>,
    ) -> BoxFuture<'a, Result<Option<Opened>, PlatformError>> {
        Box::pin(async move { Ok(self.find_user(search.group, search.reference).await?.map(Opened::new)) })
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
        Box::pin(self.patch_user(login, change))
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
