//! `accounts-sweep`: every day, holds the accounts on each trading server against ours, both ways, a page at a time. What is not as it should
//! be is a finding with a work item of its own. Nothing is concluded from what cannot be read, and a server that does not answer, or is being
//! maintained, keeps no other waiting for long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::account::Account;
use domain::account::change::wish::{Asking, ChangeRefusal};
use domain::account::change::{Change, Standing, Wanted};
use domain::account::rules::{Asker, Environment, Platforms, Server};
use domain::account::sweep::{Finding, OnServer, Seen, ServerSweep, in_turn};
use domain::decision::{Frame, derived_bits};
use domain::rules::RuleSet as _;
use domain::{AccountId, ChangeId, Timestamp};
use providers::http::BoxFuture;
use providers::platforms::{ListedAccount, Login};
use runtime::function::{ConfigError, Function, Invocation, Ports};
use runtime::problem::with_causes;
use runtime::rulebook::{Live, RuleBook};
use runtime::schedule::{Fired, ScheduledFunction, ScheduledStep};
use runtime::vendors::Servers;
use runtime::{StepError, awsclients, step};
use serde_json::json;
use serde_json::value::RawValue;
use store::{Crm, MoneyTable};

use crate::begin::{self, Limits};
use crate::client_of;
use crate::set::newest_payment;

/// Who asks for what the rules ask for by themselves.
const AUTOMATION: &str = "automation";
/// Accounts of ours that each server is asked for in one run, one after the other: a trading server is fragile, and nothing is urgent.
const OURS: i32 = 200;
/// Pages of its list that each server gives in one run.
const PAGES: u32 = 20;
/// A server is not begun with when less time than this is left: its page, and as many accounts as there are.
const SPARE: Duration = Duration::from_secs(15);
/// How often it runs.
const EVERY_S: i64 = 86_400;

/// The function.
pub struct Sweep {
    crm: Crm,
    money: MoneyTable,
    servers: Servers,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Sweep {
        crm: awsclients::crm(ports)?,
        money: awsclients::money(ports)?,
        servers: Servers::new(ports, RuleBook::new(ports)?),
    };
    Ok(ScheduledFunction::build(step, ports))
}

impl ScheduledStep for Sweep {
    const NAME: &'static str = "accounts-sweep";

    fn fire<'a>(
        &'a self,
        _event: &'a RawValue,
        invocation: &'a Invocation,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Fired, StepError>> {
        Box::pin(async move {
            let missed = self.sweep(now, invocation).await?;
            let outcome = if missed.is_empty() { "swept" } else { "not_whole" };
            Ok(Fired { outcome, answer: json!({"missed": missed}) })
        })
    }
}

impl Sweep {
    /// The servers that were not looked at to the end of this run's part.
    async fn sweep(&self, now: Timestamp, invocation: &Invocation) -> Result<Vec<String>, StepError> {
        let until = Instant::now() + invocation.time_left;
        let live = self.servers.rules().await?;
        let mut frame = invocation.frame(Self::NAME, "sweep of the trading servers", now);
        frame.used(live.label());
        let mut missed = Vec::new();
        let run = u64::try_from(now.seconds() / EVERY_S).unwrap_or(0);
        for server in in_turn(live.rules.servers(), run) {
            let left = until.saturating_duration_since(Instant::now());
            if left < SPARE {
                missed.push(server.name.clone());
                continue;
            }
            // one that fails costs no other its turn
            if let Err(error) = self.server(server, &live, &mut frame).await {
                tracing::warn!(server = server.name, error = with_causes(&error), "accounts were not looked at");
                missed.push(server.name.clone());
            }
        }
        Ok(missed)
    }

    async fn server(&self, server: &Server, live: &Live<Platforms>, frame: &mut Frame) -> Result<(), StepError> {
        let fresh = ServerSweep::begun(&server.name);
        let sweep = self.crm.load::<ServerSweep>(&fresh.id).await?.map_or(fresh.clone(), |stored| stored.entity);
        let there = self.there(server, live, sweep.facts.there.as_deref(), frame).await?;
        let here = self.here(server, live, sweep.facts.here.as_deref(), frame).await?;
        let goes_on = |sweep: &ServerSweep| sweep.goes_on(there.clone(), here.clone());
        step::change_or_begin(&self.crm, &fresh.id, || fresh.clone(), frame, goes_on).await?;
        Ok(())
    }

    /// Some pages of the server's list: each account there is one of ours. Where the list goes on.
    async fn there(
        &self,
        server: &Server,
        live: &Live<Platforms>,
        from: Option<&str>,
        frame: &mut Frame,
    ) -> Result<Option<String>, StepError> {
        if !self.servers.capabilities(&server.name).await?.lists_accounts {
            return Ok(None);
        }
        let groups = live.rules.groups_on(&server.name);
        let (mut from, mut pages) = (from.map(str::to_owned), 0);
        loop {
            // anew for each call: a window may have begun
            let platform = self.servers.reader(&server.name).await?;
            let page = platform.accounts_page(&groups, from.as_deref()).await?;
            for listed in &page.accounts {
                let ours = self.ours(&server.name, listed).await?;
                let seen = if ours.is_some() { Seen::Ours } else { Seen::NotHere };
                self.found(&server.name, listed.login.as_str(), ours.as_ref(), &seen, frame).await?;
            }
            from = page.next;
            pages += 1;
            if from.is_none() || pages >= PAGES {
                return Ok(from);
            }
        }
    }

    /// Our account of a login: by our reference on it, or by the login itself, which a person may have typed.
    async fn ours(&self, server: &str, listed: &ListedAccount) -> Result<Option<Account>, StepError> {
        let login = listed.login.as_str();
        let named = listed.reference.split_whitespace().next().and_then(|id| id.parse::<AccountId>().ok());
        if let Some(id) = named
            && let Some(stored) = self.crm.load::<Account>(&id).await?
            && stored.entity.is_login(server, login)
        {
            return Ok(Some(stored.entity));
        }
        Ok(self.crm.account_of_login(server, login).await?.map(|stored| stored.entity))
    }

    /// A page of ours on the server: each is there, and set as we set it. Where our list goes on.
    async fn here(
        &self,
        server: &Server,
        live: &Live<Platforms>,
        from: Option<&str>,
        frame: &mut Frame,
    ) -> Result<Option<String>, StepError> {
        let page = self.crm.accounts_on(&server.name, OURS, from).await?;
        for stored in &page.items {
            let account = &stored.entity;
            let Some(login) = account.facts.login.as_deref() else { continue };
            let platform = self.servers.reader(&server.name).await?;
            let there = platform.account(&Login::new(login)).await?;
            // as it is now: the list may be some moments behind
            let Some(account) = self.crm.load::<Account>(&account.id).await? else { continue };
            let is_empty = there.as_ref().is_some_and(|state| state.balance.is_zero());
            let there = there.as_ref().map(|state| OnServer { group: &state.group, leverage: state.leverage });
            let seen = account.entity.seen(there);
            self.found(&server.name, login, Some(&account.entity), &seen, frame).await?;
            if is_empty && seen == Seen::InOrder {
                self.close_dormant(&account.entity, live, frame).await?;
            }
        }
        Ok(page.next)
    }

    /// An account without money on which nothing has happened for as long as the rules say is to be closed, as if staff had asked for it.
    async fn close_dormant(&self, account: &Account, live: &Live<Platforms>, frame: &Frame) -> Result<(), StepError> {
        let kind = account.facts.kind.parse::<Environment>().ok();
        let Some(after) = kind.and_then(|kind| live.rules.close_after.get(&kind)) else { return Ok(()) };
        // without a look at the payments first: most accounts are too young
        if !account.is_dormant(None, *after, frame.now) {
            return Ok(());
        }
        let newest = newest_payment(&self.money, account).await?;
        if !account.is_dormant(newest, *after, frame.now) {
            return Ok(());
        }
        let client = client_of(&self.crm, &account.client_id).await?;
        // one a day at most: what came to nothing is tried again
        let day = frame.now.day().to_string();
        let id = ChangeId::from_bits(derived_bits(account.facts.created_at, &["close", account.id.as_str(), &day]));
        let put_away = self.servers.capabilities(&account.facts.server).await?.able().put_away();
        let wanted = Wanted { status: Some(Standing::Closed), access: put_away, ..Wanted::default() };
        let country = client.facts.residence;
        let asking = Asking { by: Asker::Staff, subject: AUTOMATION, country, now: frame.now };
        let (change, mut why) = match Change::of(wanted, account, &live.rules, asking, id) {
            Ok(made) => made,
            Err(ChangeRefusal::Rules(error)) => {
                return Err(StepError::Rules { set: Platforms::NAME, what: error.to_string() });
            }
            Err(ChangeRefusal::Faults(_) | ChangeRefusal::NotForClients | ChangeRefusal::Account(_)) => return Ok(()),
        };
        why.push(format!("nothing has happened on it for {after}"));
        let limits = Limits { rules: &live.rules, residence: country };
        begin::begin(&self.crm, &change.asked(why), &limits, frame).await?;
        Ok(())
    }

    async fn found(
        &self,
        server: &str,
        login: &str,
        account: Option<&Account>,
        seen: &Seen,
        frame: &Frame,
    ) -> Result<(), StepError> {
        let fresh = Finding::begun(server, login, account);
        let now = frame.now;
        step::change_or_begin(
            &self.crm,
            &fresh.id,
            || fresh.clone(),
            frame,
            |finding: &Finding| finding.found(seen, now),
        )
        .await?;
        Ok(())
    }
}
