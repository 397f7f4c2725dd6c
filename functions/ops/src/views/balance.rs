//! What an account's balance is, without a page of the portal ever standing in a credit's way at the trading server.
//!
//! A balance is kept beside the account and shown again, with its age, for as long as the rules say and no payment of the account has
//! changed; all instances of the function share it. Only then the server is asked: with the login that may only look, by few at once, and
//! not for long. Without an answer the kept one is shown, with the time when it was that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::account::Account;
use domain::account::rules::Maintenance;
use domain::{AccountId, Money, Seconds, Timestamp};
use providers::platforms::{Login, PlatformError};
use runtime::StepError;
use runtime::problem::with_causes;
use runtime::vendors::Servers;
use store::{Crm, KeptBalance, MoneyTable, StoreError};
use tokio::sync::{OwnedMutexGuard, Semaphore};

/// How long a balance may take, with the wait for its turn.
const TIMEOUT: Duration = Duration::from_millis(1_500);
/// Reads at once in one process.
const READS_AT_ONCE: usize = 2;
/// A server that did not answer is left alone for so long.
const COOL_DOWN: Seconds = Seconds(5);
/// Newest payments of a client that are looked at for a change. One that is older and changes now is seen when the balance's time is over.
const PAYMENTS: i32 = 3;

/// Why there is no balance.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("the server cannot be asked")]
    Step(#[from] StepError),
    #[error("the server does not tell")]
    Platform(#[from] PlatformError),
    #[error("the server did not answer in time")]
    Late(#[from] tokio::time::error::Elapsed),
    #[error("the server did not answer a moment ago")]
    CoolDown,
    #[error("no more balances are read")]
    Closed(#[from] tokio::sync::AcquireError),
}

impl ReadError {
    /// Whether the server is in trouble, and not only this account.
    fn is_the_servers(&self) -> bool {
        match self {
            Self::Late(_) => true,
            Self::Platform(error) => match error {
                PlatformError::NotApplied(_) | PlatformError::Unknown(_) | PlatformError::Misconfigured(_) => true,
                PlatformError::Refused { .. } => false,
            },
            Self::Step(_) | Self::CoolDown | Self::Closed(_) => false,
        }
    }
}

/// Balances of accounts.
pub(super) struct Balances {
    crm: Crm,
    money: MoneyTable,
    servers: Servers,
    reads: Semaphore,
    silent: Mutex<BTreeMap<String, Timestamp>>,
    /// Accounts that are asked about: a second page of one waits for the first.
    asked: Mutex<BTreeMap<AccountId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Balances {
    pub(super) fn new(crm: Crm, money: MoneyTable, servers: Servers) -> Self {
        Self {
            crm,
            money,
            servers,
            reads: Semaphore::new(READS_AT_ONCE),
            silent: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    /// The balances that are kept, as a list shows them: no server is asked.
    pub(super) async fn kept(&self, accounts: &[AccountId]) -> BTreeMap<AccountId, KeptBalance> {
        match self.crm.balances(accounts).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "kept balances were not read");
                BTreeMap::new()
            }
        }
    }

    /// The balance of one account; without one the account is shown without.
    pub(super) async fn of(&self, account: &Account, now: Timestamp) -> Option<KeptBalance> {
        let login = Login::new(account.facts.login.clone()?);
        let (kept, seen) = tokio::join!(self.kept_of(account), self.payments_of(account));
        let seen = seen.inspect_err(|error| tracing::warn!(error = with_causes(error), "payments were not read")).ok();
        if let (Some(kept), Some(seen)) = (&kept, &seen)
            && self.is_fresh(kept, account, seen, now).await
        {
            return Some(kept.clone());
        }
        match self.ask(account, &login, seen.as_deref(), now).await {
            Ok(fresh) => Some(fresh),
            Err(error) => {
                tracing::warn!(account.id = %account.id, error = with_causes(&error), "balance was not read");
                if error.is_the_servers() {
                    self.silent().insert(account.facts.server.clone(), now);
                }
                kept
            }
        }
    }

    /// When the account's server can be called again, with what clients of a language are told, while it is being maintained.
    pub(super) async fn maintenance(&self, account: &Account, now: Timestamp) -> Option<(Timestamp, Maintenance)> {
        let live = self.servers.rules().await.ok()?;
        let windows = live.rules.server(&account.facts.server)?.maintenance.as_ref()?;
        Some((windows.until(now)?, windows.clone()))
    }

    async fn kept_of(&self, account: &Account) -> Option<KeptBalance> {
        self.kept(std::slice::from_ref(&account.id)).await.remove(&account.id)
    }

    /// The newest payments of an account with their versions: our own money moves with a version before and after it.
    async fn payments_of(&self, account: &Account) -> Result<String, StoreError> {
        let (newest, _) = self.money.all_payments_of(&account.client_id, PAYMENTS, None).await?;
        let own = newest.iter().filter(|payment| *payment.account_id() == account.id);
        let lines: Vec<String> = own.map(|payment| format!("{}:{}", payment.id(), payment.version())).collect();
        Ok(lines.join(" "))
    }

    async fn is_fresh(&self, kept: &KeptBalance, account: &Account, seen: &str, now: Timestamp) -> bool {
        let Ok(live) = self.servers.rules().await else { return false };
        let keep = live.rules.server(&account.facts.server).map(|server| server.balance_keep);
        kept.seen == seen && keep.is_some_and(|keep| now < kept.at.plus(keep))
    }

    async fn ask(
        &self,
        account: &Account,
        login: &Login,
        seen: Option<&str>,
        now: Timestamp,
    ) -> Result<KeptBalance, ReadError> {
        let server = &account.facts.server;
        if self.silent().get(server).is_some_and(|since| now < since.plus(COOL_DOWN)) {
            return Err(ReadError::CoolDown);
        }
        let read = async {
            let turn = (self.alone_with(&account.id).await, self.reads.acquire().await?);
            // whoever was before may have asked for the same, since this page looked
            if let Some(seen) = seen
                && let Some(kept) = self.kept_of(account).await
                && self.is_fresh(&kept, account, seen, now).await
            {
                return Ok((kept, None));
            }
            let platform = self.servers.reader(server).await?;
            let balance: Money = platform.balance(login, account.facts.currency).await?;
            let fresh = KeptBalance { balance, at: now, seen: seen.unwrap_or_default().to_owned() };
            Ok::<_, ReadError>((fresh, Some(turn)))
        };
        let (fresh, turn) = tokio::time::timeout(TIMEOUT, read).await??;
        // what is not known of the payments is no reason to show it again
        if turn.is_some()
            && seen.is_some()
            && let Err(error) = self.crm.keep_balance(&account.id, &fresh).await
        {
            tracing::warn!(account.id = %account.id, error = with_causes(&error), "balance was not kept");
        }
        // not before: whoever comes next finds it kept
        drop(turn);
        Ok(fresh)
    }

    async fn alone_with(&self, account: &AccountId) -> OwnedMutexGuard<()> {
        let lock = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.retain(|_, lock| Arc::strong_count(lock) > 1);
            asked.entry(account.clone()).or_default().clone()
        };
        lock.lock_owned().await
    }

    fn silent(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
