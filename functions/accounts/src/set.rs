//! Carries changes of accounts out: intent, call, outcome, and then the account's record. Setting twice is setting once, so a call whose
//! answer is lost is made again, as soon as the first can no longer arrive.

mod rules;

pub(crate) use rules::newest_payment;

use std::sync::Arc;

use domain::account::Account;
use domain::account::change::{Change, ChangeStep, GRACE, SetOutcome};
use domain::decision::{Frame, Verdict};
use domain::payment::CLOCK_SKEW;
use domain::{ChangeId, Timestamp};
use providers::http::BoxFuture;
use providers::platforms::{AccountChange, Login, PlatformError, TradingPlatform};
use providers::{PLATFORM_CALL_TIMEOUT_S, PLATFORM_SOCKET_TIMEOUT_S};
use runtime::function::{ConfigError, Function, Ports};
use runtime::people;
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Attempt, Done};
use runtime::vendors::{CALLS_END_WITHIN, Servers};
use runtime::{StepError, awsclients};
use store::{Crm, Home, MoneyTable, Stored};

/// The function's time-out in the template.
pub const TIMEOUT_S: u32 = 30;
const _: () = assert!(CALLS_END_WITHIN.0 > TIMEOUT_S);
const _: () = assert!(GRACE.0 > TIMEOUT_S + PLATFORM_CALL_TIMEOUT_S + PLATFORM_SOCKET_TIMEOUT_S + CLOCK_SKEW.0);

/// The step.
pub struct Set {
    crm: Crm,
    money: MoneyTable,
    servers: Servers,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Set {
        crm: awsclients::crm(ports)?,
        money: awsclients::money(ports)?,
        servers: Servers::new(ports, RuleBook::new(ports)?),
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Set {
    const NAME: &'static str = "accounts-set";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            if event.kind == "work.decided" {
                return self.decided(&event, &mut frame).await;
            }
            let id = event.id::<ChangeId>()?;
            let done = match self.load(&id).await?.entity.step(frame.now) {
                // a second message while the first is at it, or its own time will bring it
                ChangeStep::Nothing(_) => Ok("nothing_to_do"),
                ChangeStep::Keep => self.keep(&id, &frame).await,
                ChangeStep::Shut => self.shut(&id, &frame).await,
                ChangeStep::CheckAndSet => match self.why_not_closed(&id).await {
                    Ok(Some(reason)) => self.end(&id, &mut frame, |change, now| change.impossible(&reason, now)).await,
                    Ok(None) => self.set(&id, &mut frame).await,
                    Err(StepError::Vendor { what, .. }) => {
                        self.end(&id, &mut frame, |change, now| change.not_tried(what.clone(), now)).await
                    }
                    Err(error) => Err(error),
                },
                ChangeStep::Set => self.set(&id, &mut frame).await,
            };
            match done {
                Err(StepError::Maintenance { until, .. }) => {
                    self.end(&id, &mut frame, |change, _| change.waits_for_server(until)).await
                }
                done => done,
            }
        })
    }
}

impl Set {
    async fn load(&self, id: &ChangeId) -> Result<Stored<Change>, StepError> {
        self.crm.load::<Change>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))
    }

    async fn account(&self, change: &Change) -> Result<Stored<Account>, StepError> {
        let id = &change.facts.account_id;
        self.crm.load::<Account>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))
    }

    /// A person's decision about a change; what is over by it is kept at once, and else when it is due.
    async fn decided(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let outcome = people::carry_out(&self.crm, &self.crm, event, "change_id", frame, Change::decided).await?;
        let about = event.data.pointer("/subject/change_id").and_then(|id| id.as_str()?.parse::<ChangeId>().ok());
        if let Some(id) = about {
            self.keep(&id, frame).await?;
        }
        Ok(outcome)
    }

    async fn set(&self, id: &ChangeId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.load(id).await?;
        frame.used(self.servers.rules().await?.label());
        if let Some(reason) = self.forbidden(&stored.entity).await? {
            return self.end(id, frame, |change, now| change.impossible(&reason, now)).await;
        }
        let server = match self.servers.adapter(&stored.entity.facts.server).await {
            Ok(server) => server,
            Err(error @ StepError::Maintenance { .. }) => return Err(error),
            Err(error) => {
                return self.end(id, frame, |change, now| change.not_tried(error.to_string(), now)).await;
            }
        };
        let now = frame.now;
        let intended = step::save(&self.crm, stored, frame, &mut |change: &Change| change.intend(now)).await?;
        let intended = match intended.ok_or(StepError::Busy("another worker has it"))? {
            Done::Changed { now, .. } => now.entity,
            Done::Unchanged { .. } => return Ok("nothing_to_do"),
        };
        let outcome = call(&self.servers, server.as_ref(), &intended).await;
        self.end(id, frame, |change, now| change.outcome(outcome.clone(), now)).await
    }

    /// Saves what became of it; what is over is kept on the account's record at once.
    async fn end(
        &self,
        id: &ChangeId,
        frame: &mut Frame,
        decide: impl Fn(&Change, Timestamp) -> Verdict<Change>,
    ) -> Result<&'static str, StepError> {
        let now = frame.now;
        let done = step::change(&self.crm, id, frame, |change: &Change| decide(change, now)).await?;
        if done.stored().entity.facts.status.is_over() {
            self.keep(id, frame).await?;
        }
        Ok(done.outcome())
    }

    async fn keep(&self, id: &ChangeId, frame: &Frame) -> Result<&'static str, StepError> {
        step::together(frame, "the account keeps changing", || {
            Box::pin(async move {
                let change = self.load(id).await?;
                let account = self.account(&change.entity).await?;
                let Some((kept, after)) = change.entity.keep(&account.entity) else {
                    return Ok::<_, StepError>(Attempt::Nothing("nothing_to_do"));
                };
                let frame = Frame { correlation_id: change.correlation_id.clone(), ..frame.clone() };
                let mut commit = Home::<Change>::table(&self.crm).commit();
                commit.save(&self.crm, Some(&change), &kept, &frame)?;
                if let Some(after) = after {
                    commit.save(&self.crm, Some(&account), &after, &frame)?;
                }
                Ok(Attempt::Save(commit, "kept"))
            })
        })
        .await
    }

    /// The account takes no more deposits from now on; what began before is seen after the grace period.
    async fn shut(&self, id: &ChangeId, frame: &Frame) -> Result<&'static str, StepError> {
        step::together(frame, "the account keeps changing", || {
            Box::pin(async move {
                let change = self.load(id).await?;
                let account = self.account(&change.entity).await?;
                if change.entity.step(frame.now) != ChangeStep::Shut {
                    return Ok::<_, StepError>(Attempt::Nothing("nothing_to_do"));
                }
                let frame = Frame { correlation_id: change.correlation_id.clone(), ..frame.clone() };
                let mut commit = Home::<Change>::table(&self.crm).commit();
                commit.save(&self.crm, Some(&change), &change.entity.shut(frame.now), &frame)?;
                commit.save(&self.crm, Some(&account), &account.entity.shut(), &frame)?;
                Ok(Attempt::Save(commit, "shut"))
            })
        })
        .await
    }
}

/// One call.
async fn call(servers: &Servers, server: &dyn TradingPlatform, change: &Change) -> SetOutcome {
    let wanted = &change.facts.wanted;
    let wish = AccountChange { access: wanted.access, group: wanted.group.clone(), leverage: wanted.leverage };
    // a platform on which nothing can be shut: closed is what our own record says
    if wish == AccountChange::default() {
        return SetOutcome::Set;
    }
    let set = server.change_account(&Login::new(change.facts.login.clone()), &wish).await;
    if let Err(error) = &set {
        servers.heard(&change.facts.server, error).await;
    }
    match set {
        Ok(()) => SetOutcome::Set,
        Err(error @ PlatformError::Refused { .. }) => SetOutcome::Refused(error.to_string()),
        Err(error @ (PlatformError::NotApplied(_) | PlatformError::Misconfigured(_))) => {
            SetOutcome::NotApplied(error.to_string())
        }
        Err(error @ PlatformError::Unknown(_)) => SetOutcome::Unknown(error.to_string()),
    }
}
