//! Creates a trading account on its platform: intent, call, outcome; an unknown outcome is looked up first.

mod keep;
mod login;
mod platform;

use std::sync::Arc;

use domain::AccountId;
use domain::account::{Account, CreateOutcome, CreateStep, GRACE};
use domain::client::Client;
use domain::decision::{Frame, Verdict};
use domain::input::Fault;
use domain::payment::CLOCK_SKEW;
use providers::http::BoxFuture;
use providers::platforms::{Opened, TradingPlatform};
use providers::{PLATFORM_CALL_TIMEOUT_S, PLATFORM_SOCKET_TIMEOUT_S};
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::people;
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::secrets::Secrets;
use runtime::step::{self, Done};
use runtime::vendors::{CALLS_END_WITHIN, Servers};
use runtime::verification::case_of;
use runtime::{StepError, awsclients};
use store::{Crm, Stored};

use crate::{binding_level, client_of, seal};

/// The function's time-out in the template.
pub const TIMEOUT_S: u32 = 30;
const _: () = assert!(CALLS_END_WITHIN.0 > TIMEOUT_S);
const _: () = assert!(GRACE.0 > TIMEOUT_S + PLATFORM_CALL_TIMEOUT_S + PLATFORM_SOCKET_TIMEOUT_S + CLOCK_SKEW.0);

/// The step.
pub struct Create {
    crm: Crm,
    rules: RuleBook,
    servers: Servers,
    secrets: Secrets,
    key_name: String,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let rules = RuleBook::new(ports)?;
    let step = Create {
        crm: awsclients::crm(ports)?,
        rules: rules.clone(),
        servers: Servers::new(ports, rules),
        secrets: Secrets::new(ports),
        key_name: ports.need("CREDENTIALS_KEY_SECRET")?.to_owned(),
        entropy: ports.entropy.clone(),
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Create {
    const NAME: &'static str = "accounts-create";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            if event.kind == "work.decided" {
                return self.decided(&event, &mut frame).await;
            }
            let stored = self.crm.load::<Account>(&event.id()?).await?;
            let stored = stored.ok_or_else(|| StepError::Absent(event.entity.clone()))?;
            let id = stored.entity.id.clone();
            let done = match stored.entity.create_step() {
                CreateStep::Nothing(_) => Ok("nothing_to_do"),
                CreateStep::Intend => self.create(stored, &mut frame).await,
                CreateStep::LookUp => self.look_up(stored, &mut frame).await,
                CreateStep::CheckLogin => self.check_login(&stored.entity, &mut frame).await,
            };
            match done {
                Err(StepError::Maintenance { until, .. }) => {
                    let waits = |account: &Account| account.waits_for_server(until);
                    Ok(step::change(&self.crm, &id, &mut frame, waits).await?.outcome())
                }
                done => done,
            }
        })
    }
}

impl Create {
    /// A person's decision about an account that could not be opened; no server is called for it.
    async fn decided(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let decision = people::decision_about::<Account>(&self.crm, event, "account_id").await?;
        let Some((id, decision, work)) = decision else { return Ok("nothing_to_do") };
        let now = frame.now;
        self.keep(&id, frame, |account| account.decided(&decision, &work, now)).await
    }

    async fn look_up(&self, stored: Stored<Account>, frame: &mut Frame) -> Result<&'static str, StepError> {
        let account = &stored.entity;
        frame.used(self.servers.rules().await?.label());
        let server = self.servers.adapter(&account.facts.server).await?;
        match server.find_account(&platform::search(account)).await {
            Ok(Some(opened)) => {
                let outcome = self.found(server.as_ref(), account, opened).await?;
                self.save(&stored.entity.id.clone(), frame, &outcome).await
            }
            Ok(None) if account.grace_over(frame.now) => self.create(stored, frame).await,
            // its own time brings it again, so this message need not: each that came back would be given up some day
            Ok(None) if account.comes_again(frame.now) => Ok("waiting"),
            Ok(None) => Err(StepError::Busy("a creation may still be under way")),
            Err(error) => {
                self.servers.heard(&account.facts.server, &error).await;
                self.save(&stored.entity.id.clone(), frame, &platform::not_found_out(&error)).await
            }
        }
    }

    /// What a look-up found is made the client's own first, where the platform asks for it: whoever created it may have died before.
    async fn found(
        &self,
        server: &dyn TradingPlatform,
        account: &Account,
        opened: Opened,
    ) -> Result<CreateOutcome, StepError> {
        let Some(sealed) = account.inner.sealed.as_ref().filter(|_| server.links_clients()) else {
            return Ok(platform::open(opened));
        };
        let key = self.secrets.get(&self.key_name).await?;
        let credentials = seal::open(&key, account.id.as_str(), sealed)?;
        let client = client_of(&self.crm, &account.client_id).await?;
        Ok(platform::link(server, &platform::new_account(account, &client, &credentials), opened).await)
    }

    async fn create(&self, stored: Stored<Account>, frame: &mut Frame) -> Result<&'static str, StepError> {
        let client = client_of(&self.crm, &stored.entity.client_id).await?;
        let live = self.servers.rules().await?;
        frame.used(live.label());
        // right before the call: a server that was away may have kept it waiting for hours
        if let Some(fault) = self.not_due(&stored.entity, &client, frame).await? {
            let (asks, now) = (live.rules.ask_about_refused, frame.now);
            return self.keep(&stored.entity.id, frame, |account| account.refused(&fault, asks, now)).await;
        }
        let server = self.servers.adapter(&stored.entity.facts.server).await?;
        let key = self.secrets.get(&self.key_name).await?;
        let credentials = seal::draw(self.entropy.as_ref())?;
        let sealed = seal::seal(&key, stored.entity.id.as_str(), &credentials, self.entropy.as_ref())?;
        let now = frame.now;
        let mut intend = |account: &Account| -> Verdict<Account> { account.intend(sealed.clone(), now) };
        let Some(Done::Changed { now: intended, .. }) = step::save(&self.crm, stored, frame, &mut intend).await? else {
            return Err(StepError::Busy("another worker has it"));
        };
        let new = platform::new_account(&intended.entity, &client, &credentials);
        let outcome = platform::call(&self.servers, server.as_ref(), &new, &intended.entity).await;
        self.save(&intended.entity.id, frame, &outcome).await
    }

    /// Why the client may not have the account any more.
    async fn not_due(&self, account: &Account, client: &Client, frame: &mut Frame) -> Result<Option<Fault>, StepError> {
        let case = case_of(&self.crm, &client.id).await?;
        let level = binding_level(&self.rules, case.as_ref(), client, frame).await?;
        Ok(account.not_due(case.as_ref(), level.as_ref()))
    }

    async fn save(
        &self,
        id: &AccountId,
        frame: &mut Frame,
        outcome: &CreateOutcome,
    ) -> Result<&'static str, StepError> {
        let now = frame.now;
        self.keep(id, frame, |account| account.outcome(outcome.clone(), now)).await
    }
}
