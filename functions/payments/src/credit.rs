//! Moves money on trading accounts: credits deposits, debits withdrawals and puts back those that did not reach the client: intent, call, outcome; and looks up what persons say to have booked there. No platform knows idempotency, so whatever may have been sent
//! is looked up in the account's deal history before anything is sent again.

mod rate;
mod strays;
mod tickets;
mod withdrawals;

use std::sync::Arc;

use domain::account::{Account, CreditBar};
use domain::decision::{Frame, Verdict};
use domain::entity::Entity;
use domain::fault::{self, Fault};
use domain::payment::{CLOCK_SKEW, CreditStep, Deposit, DepositStatus, GRACE, StrayReport};
use domain::{Seconds, StrayId, Timestamp};
use providers::http::BoxFuture;
use providers::platforms::Funds;
use providers::{PLATFORM_CALL_TIMEOUT_S, PLATFORM_SOCKET_TIMEOUT_S};
use runtime::booking::{Booking, Place};
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Done};
use runtime::vendors::{CALLS_END_WITHIN, PaymentProviders, RateSources, Servers};
use runtime::{StepError, awsclients};
use store::{Crm, Home, MoneyTable, Stored};

/// The function's time-out in the template.
pub const TIMEOUT_S: u32 = 30;
// a worker that stalls after its intent is ended by its time-out before anybody may send the credit again
const _: () = assert!(CALLS_END_WITHIN.0 > TIMEOUT_S);
const _: () = assert!(GRACE.0 > TIMEOUT_S + PLATFORM_CALL_TIMEOUT_S + PLATFORM_SOCKET_TIMEOUT_S + CLOCK_SKEW.0);

/// The step.
pub struct Credit {
    crm: Crm,
    money: MoneyTable,
    providers: PaymentProviders,
    servers: Servers,
    rates: RateSources,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let rules = RuleBook::new(ports)?;
    let step = Credit {
        crm: awsclients::crm(ports)?,
        money: awsclients::money(ports)?,
        providers: PaymentProviders::new(ports, rules.clone()),
        servers: Servers::new(ports, rules.clone()),
        rates: RateSources::new(ports, rules.clone()),
        rules,
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Credit {
    const NAME: &'static str = "payments-credit";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            if event.kind == strays::STRAY_NAMED {
                return self.look_for_stray(&event.id()?, &mut frame).await;
            }
            if event.kind.starts_with(withdrawals::EVENTS) {
                return self.book_withdrawal(&event.id()?, &mut frame).await;
            }
            let stored = self.money.load::<Deposit>(&event.id()?).await?;
            let stored = stored.ok_or_else(|| StepError::Absent(event.entity.clone()))?;
            match stored.entity.inner.named.is_empty() {
                true => self.credit(stored, &mut frame).await,
                false => self.look_up_tickets(&stored.entity, &mut frame).await,
            }
        })
    }
}

/// What every part of one credit needs.
struct Job {
    /// What stands against putting money on the account.
    bar: Option<CreditBar>,
    place: Place,
    review_after: Seconds,
    account_type: String,
}

impl Credit {
    async fn credit(&self, stored: Stored<Deposit>, frame: &mut Frame) -> Result<&'static str, StepError> {
        let first = stored.entity.credit_step(frame.now);
        if let CreditStep::Nothing(reason) = first {
            tracing::info!(payment.id = %stored.entity.id, reason, "nothing to credit");
            return Ok("nothing_to_do");
        }
        let live = self.providers.rules().await?;
        frame.used(live.label());
        let account_id = &stored.entity.facts.account_id;
        let account = self.crm.load_settled::<Account>(account_id).await?;
        let account = account.ok_or_else(|| StepError::Absent(account_id.to_string()))?.entity;
        if let Some(by_hand) = self.moved_by_hand(&stored.entity, frame).await? {
            return self.save(stored, frame, |deposit, now| deposit.stopped_for_by_hand(by_hand, now)).await;
        }
        frame.used(self.servers.rules().await?.label());
        let platform = match self.servers.adapter(&account.facts.server).await {
            Err(StepError::Maintenance { until, .. }) => {
                return self.save(stored, frame, |deposit, _| deposit.waits_for_server(until)).await;
            }
            adapter => adapter?,
        };
        let job = Job {
            bar: account.bars_credit(),
            place: Place { platform, servers: self.servers.clone(), server: account.facts.server.clone() },
            review_after: live.rules.credit_review_after,
            account_type: account.facts.account_type.clone(),
        };
        match stored.entity.only_into(job.bar, first, frame.now) {
            CreditStep::Send(intent) => self.send(&job, stored, *intent, frame).await,
            CreditStep::Save(verdict) => Ok(self.saved(stored, &verdict, frame).await?.outcome()),
            CreditStep::LookUp => self.resolve(&job, stored, frame).await,
            CreditStep::Price => self.price(&job, stored, frame).await,
            CreditStep::Nothing(reason) => Err(StepError::Busy(reason)),
        }
    }

    /// Money that came before the record of its deposit may be with a person: whoever credits takes it over first, and what a person
    /// did with it by hand stops the credit.
    async fn moved_by_hand(&self, deposit: &Deposit, frame: &mut Frame) -> Result<Option<&'static str>, StepError> {
        if deposit.status() != DepositStatus::Paid {
            return Ok(None);
        }
        let Some(id) = self.stray_of(deposit).await? else { return Ok(None) };
        let mut by_hand = None;
        let take = |stray: &StrayReport| {
            by_hand = stray.taken_over().err();
            stray.taken_over().unwrap_or_else(Verdict::Nothing)
        };
        step::change(&self.money, &id, frame, take).await?;
        Ok(by_hand)
    }

    /// The money of the deposit's own payment at the provider that came before its record. Other money that names it is no part of
    /// what is credited: it goes its own way.
    async fn stray_of(&self, deposit: &Deposit) -> Result<Option<StrayId>, StepError> {
        let psp = &deposit.facts.psp;
        let id = StrayReport::id_for(&psp.name, &deposit.id);
        let Some(first) = self.money.load::<StrayReport>(&id).await? else { return Ok(None) };
        if first.entity.is_of(&psp.reference) {
            return Ok(Some(id));
        }
        let beside = StrayReport::id_beside(&psp.name, &deposit.id, &psp.reference);
        Ok(self.money.load::<StrayReport>(&beside).await?.map(|_| beside))
    }

    /// A credit that may have been sent before.
    async fn resolve(&self, job: &Job, stored: Stored<Deposit>, frame: &mut Frame) -> Result<&'static str, StepError> {
        let found = match job.place.look_up(&booking(&stored.entity), frame.now).await {
            Ok(found) => found,
            Err(error) => {
                let reason = error.to_string();
                return self.save(stored, frame, |d, now| d.not_known(&reason, job.review_after, now)).await;
            }
        };
        let next = stored.entity.looked_up(found, job.review_after, frame.now);
        match stored.entity.only_into(job.bar, next, frame.now) {
            CreditStep::Send(intent) => self.send(job, stored, *intent, frame).await,
            CreditStep::Save(verdict) => Ok(self.saved(stored, &verdict, frame).await?.outcome()),
            CreditStep::Price => self.price(job, stored, frame).await,
            // its own time brings it again, so this message need not: each that came back would be given up some day
            CreditStep::LookUp | CreditStep::Nothing(_) if stored.entity.comes_again(frame.now) => Ok("waiting"),
            CreditStep::LookUp | CreditStep::Nothing(_) => Err(StepError::Busy("a credit may still be under way")),
        }
    }

    /// Saves what was decided on this version, or leaves it to whoever has changed it.
    async fn saved<T: Entity + Clone>(
        &self,
        stored: Stored<T>,
        verdict: &Verdict<T>,
        frame: &mut Frame,
    ) -> Result<Done<T>, StepError>
    where
        MoneyTable: Home<T>,
    {
        let saved = step::save(&self.money, stored, frame, &mut |_: &T| verdict.clone()).await?;
        saved.ok_or(StepError::Busy("another worker has it"))
    }

    /// Saves an intent and, if this worker won it, calls.
    async fn send(
        &self,
        job: &Job,
        stored: Stored<Deposit>,
        intent: Verdict<Deposit>,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let early = match fault::is_back(Fault::CreditBeforeIntent) {
            true => Some(job.place.book(&booking(&stored.entity), frame.now).await?),
            false => None,
        };
        let Done::Changed { now: intended, .. } = self.saved(stored, &intent, frame).await? else {
            return Ok("nothing_to_do");
        };
        let outcome = match early {
            Some(outcome) => outcome,
            None => job.place.book(&booking(&intended.entity), frame.now).await?,
        };
        self.save(intended, frame, |d, now| d.outcome(outcome.clone(), job.review_after, now)).await
    }

    async fn save<T: Entity>(
        &self,
        stored: Stored<T>,
        frame: &mut Frame,
        decide: impl Fn(&T, Timestamp) -> Verdict<T>,
    ) -> Result<&'static str, StepError>
    where
        MoneyTable: Home<T>,
    {
        let (id, now) = (stored.entity.id().clone(), frame.now);
        let first = step::save(&self.money, stored, frame, &mut |own: &T| decide(own, now)).await?;
        let done = match first {
            Some(done) => done,
            // somebody changed it meanwhile: the outcome is decided on what is there now
            None => step::change(&self.money, &id, frame, |own: &T| decide(own, now)).await?,
        };
        Ok(done.outcome())
    }
}

/// The credit of a deposit.
fn booking(deposit: &Deposit) -> Booking {
    Booking {
        login: deposit.facts.platform.login.clone(),
        amount: deposit.credit_amount(),
        reference: deposit.platform_reference().to_owned(),
        opened: deposit.inner.opened,
        funds: Funds::Balance,
    }
}
