//! Bonuses: judges what journeys ask for, books credit on trading accounts and takes it off again: intent, call, outcome, with the look-up
//! before anything is sent a second time, as `payments-credit` does it.

mod judging;

use std::sync::Arc;

use domain::account::Account;
use domain::bonus::Bonus;
use domain::bonus::credit::BonusStep;
use domain::bonus::rules::Bonuses;
use domain::decision::{Frame, Verdict};
use domain::payment::{CLOCK_SKEW, GRACE};
use domain::withdrawal::Operation;
use domain::{BonusId, Seconds, Timestamp};
use providers::http::BoxFuture;
use providers::platforms::Funds;
use providers::{PLATFORM_CALL_TIMEOUT_S, PLATFORM_SOCKET_TIMEOUT_S};
use runtime::booking::{Booking, Place};
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::secrets::Secrets;
use runtime::step::{self, Done};
use runtime::vendors::{CALLS_END_WITHIN, Servers};
use runtime::{StepError, awsclients};
use store::{Crm, Stored};

use crate::reader::Readers;

/// The function's time-out in the template.
pub const TIMEOUT_S: u32 = 30;
// a worker that stalls after its intent is ended by its time-out before anybody may send it again
const _: () = assert!(CALLS_END_WITHIN.0 > TIMEOUT_S);
const _: () = assert!(GRACE.0 > TIMEOUT_S + PLATFORM_CALL_TIMEOUT_S + PLATFORM_SOCKET_TIMEOUT_S + CLOCK_SKEW.0);

/// The step.
pub struct Granting {
    crm: Crm,
    readers: Readers,
    servers: Servers,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let crm = awsclients::crm(ports)?;
    let rules = RuleBook::new(ports)?;
    let step = Granting {
        crm: crm.clone(),
        readers: Readers { crm, trades: awsclients::trades(ports)?, secrets: Secrets::new(ports) },
        servers: Servers::new(ports, rules.clone()),
        rules,
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Granting {
    const NAME: &'static str = "retention-bonus";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                "journey.bonus" => self.judge(&event, &mut frame).await,
                "work.decided" => self.decided(&event, &mut frame).await,
                _ => self.book(&event.id()?, &mut frame).await,
            }
        })
    }
}

/// What every part of one booking needs.
struct Job {
    place: Place,
    account: Account,
    review_after: Seconds,
}

impl Granting {
    async fn book(&self, id: &BonusId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.crm.load::<Bonus>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let first = stored.entity.platform_step(frame.now);
        if let BonusStep::Nothing(reason) = first {
            tracing::info!(bonus.id = %id, reason, "nothing to book");
            return Ok("nothing_to_do");
        }
        let live = self.rules.live::<Bonuses>().await?;
        frame.used(live.label());
        let account = stored.entity.facts.account_id.clone();
        let account = account.ok_or_else(|| StepError::Malformed(format!("{id} is for no account")))?;
        let account = self.crm.load_settled::<Account>(&account).await?;
        let account = account.ok_or_else(|| StepError::Absent(id.to_string()))?.entity;
        frame.used(self.servers.rules().await?.label());
        let server = account.facts.server.clone();
        let platform = match self.servers.adapter(&server).await {
            Err(StepError::Maintenance { until, .. }) => {
                return self.save(stored, frame, |own, _| own.waits_for_server(until)).await;
            }
            adapter => adapter?,
        };
        let place = Place { platform, servers: self.servers.clone(), server };
        let job = Job { place, account, review_after: live.rules.platform_review_after };
        self.go_on(&job, stored, first, frame).await
    }

    async fn go_on(
        &self,
        job: &Job,
        stored: Stored<Bonus>,
        step: BonusStep,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        match stored.entity.only_while_open(job.account.bars_credit(), step, frame.now) {
            BonusStep::Send(intent) => self.send(job, stored, *intent, frame).await,
            BonusStep::Save(verdict) => self.save(stored, frame, |_, _| (*verdict).clone()).await,
            BonusStep::LookUp => self.resolve(job, stored, frame).await,
            // its own time brings it again, so this message need not
            BonusStep::Nothing(_) if stored.entity.comes_again(frame.now) => Ok("waiting"),
            BonusStep::Nothing(reason) => Err(StepError::Busy(reason)),
        }
    }

    /// What may have been sent before is looked up.
    async fn resolve(&self, job: &Job, stored: Stored<Bonus>, frame: &mut Frame) -> Result<&'static str, StepError> {
        let review_after = job.review_after;
        let found = match job.place.look_up(&booking(&stored.entity)?, frame.now).await {
            Ok(found) => found,
            Err(error) => {
                let reason = error.to_string();
                return self.save(stored, frame, |own, now| own.not_known(&reason, review_after, now)).await;
            }
        };
        let next = stored.entity.looked_up(found, review_after, frame.now);
        match stored.entity.only_while_open(job.account.bars_credit(), next, frame.now) {
            BonusStep::Send(intent) => self.send(job, stored, *intent, frame).await,
            BonusStep::Save(verdict) => self.save(stored, frame, |_, _| (*verdict).clone()).await,
            BonusStep::LookUp | BonusStep::Nothing(_) if stored.entity.comes_again(frame.now) => Ok("waiting"),
            BonusStep::LookUp | BonusStep::Nothing(_) => Err(StepError::Busy("a booking may still be under way")),
        }
    }

    /// Saves an intent and, if this worker won it, calls. Before a credit it is asked whether it may still be given.
    async fn send(
        &self,
        job: &Job,
        stored: Stored<Bonus>,
        intent: Verdict<Bonus>,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        if stored.entity.gives()
            && let Some(reason) = self.barred(&stored.entity, frame).await?
        {
            return self.save(stored, frame, |own, _| own.suppressed(reason)).await;
        }
        let saved = step::save(&self.crm, stored, frame, &mut |_: &Bonus| intent.clone()).await?;
        let intended = match saved.ok_or(StepError::Busy("another worker has it"))? {
            Done::Changed { now, .. } => now,
            Done::Unchanged { .. } => return Ok("nothing_to_do"),
        };
        let outcome = job.place.book(&booking(&intended.entity)?, frame.now).await?;
        let (sent, review_after) = (intended.entity.clone(), job.review_after);
        self.save(intended, frame, |own, now| own.outcome(&sent, outcome.clone(), review_after, now)).await
    }

    async fn save(
        &self,
        stored: Stored<Bonus>,
        frame: &mut Frame,
        decide: impl Fn(&Bonus, Timestamp) -> Verdict<Bonus>,
    ) -> Result<&'static str, StepError> {
        let (id, now) = (stored.entity.id.clone(), frame.now);
        let first = step::save(&self.crm, stored, frame, &mut |own: &Bonus| decide(own, now)).await?;
        let done = match first {
            Some(done) => done,
            // somebody changed it meanwhile: the outcome is decided on what is there now
            None => step::change(&self.crm, &id, frame, |own: &Bonus| decide(own, now)).await?,
        };
        Ok(done.outcome())
    }
}

/// The booking that is at hand.
fn booking(own: &Bonus) -> Result<Booking, StepError> {
    let Operation { amount, reference } =
        own.operation().ok_or(StepError::Busy("nothing of it is to be booked any more"))?;
    let login = own.facts.login.clone();
    let login = login.ok_or_else(|| StepError::Malformed(format!("{} has no login", own.id)))?;
    // nothing of it was booked before it was asked for, and nothing is taken off before its time
    let opened = own.facts.expires_at.unwrap_or(own.inner.wish.at);
    Ok(Booking { login, amount, reference, opened, funds: Funds::Credit })
}
