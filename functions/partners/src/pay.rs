//! Pays the payouts of a run: intent, call, outcome. The money leaves the partner's balance in one transaction with the intent, so that no two
//! runs pay the same; whatever may have been sent is looked up at the provider before anything is sent again.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::decision::Frame;
use domain::partner::balance::Balances;
use domain::partner::payout::{Moved, NextStep, PartnerPayout};
use domain::partner::period::Period;
use domain::partner::profile::{PaidTo, Partner};
use domain::partner::rules::PartnerAgreements;
use domain::partner::run::PayoutRun;
use domain::payment::rules::Psps;
use domain::payment::{CLOCK_SKEW, GRACE};
use domain::rules::RuleSet as _;
use domain::withdrawal::payout::PayoutLimits;
use domain::withdrawal::rules::Withdrawals;
use domain::withdrawal::{Destination, PayoutAnswer};
use domain::{Money, MoneyError, PaymentId, PayoutId, PayoutRunId, Timestamp};
use providers::PSP_CALL_TIMEOUT_S;
use providers::http::BoxFuture;
use providers::psp::{PayoutOrder, Psp};
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step::Attempt;
use runtime::vendors::PaymentProviders;
use runtime::{StepError, awsclients, people, step};
use store::{Commit, Crm, PartnersTable, Stored};

/// The function's time-out in the template.
pub const TIMEOUT_S: u32 = 30;
// a worker that stalls after its intent is ended by its time-out before anybody may send the payout again
const _: () = assert!(GRACE.0 > TIMEOUT_S + PSP_CALL_TIMEOUT_S + CLOCK_SKEW.0);

/// The balances of partners, and the payouts that move them.
pub(crate) struct Purse {
    pub(crate) partners: PartnersTable,
}

/// The step.
pub struct Pay {
    crm: Crm,
    partners: PartnersTable,
    purse: Purse,
    providers: PaymentProviders,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let rules = RuleBook::new(ports)?;
    let step = Pay {
        crm: awsclients::crm(ports)?,
        partners: awsclients::partners(ports)?,
        purse: Purse { partners: awsclients::partners(ports)? },
        providers: PaymentProviders::new(ports, rules.clone()),
        rules,
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Pay {
    const NAME: &'static str = "partners-pay";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                "payout_run.executing" => self.order(&event.id()?, &mut frame).await,
                "work.decided" => self.decided(&event, &frame).await,
                _ => self.go_on(&event.id()?, &mut frame).await,
            }
        })
    }
}

fn too_large(error: MoneyError) -> StepError {
    StepError::Malformed(format!("a balance cannot be: {error}"))
}

impl Pay {
    async fn run(&self, id: &PayoutRunId) -> Result<Stored<PayoutRun>, StepError> {
        self.partners.load::<PayoutRun>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))
    }

    /// Begins the payouts of a run; those that are begun are let be.
    async fn order(&self, id: &PayoutRunId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let run = self.run(id).await?.entity;
        if !run.is_executing() {
            return Ok("nothing_to_do");
        }
        let live = self.rules.live::<PartnerAgreements>().await?;
        frame.used(live.label());
        let begun = self.partners.load_some::<PartnerPayout>(&run.payout_ids()).await?;
        let begun: BTreeSet<PayoutId> = begun.into_iter().map(|stored| stored.entity.id).collect();
        for planned in &run.facts.payouts {
            if begun.contains(&PayoutId::of(id, &planned.partner_id)) {
                continue;
            }
            let psp = live.rules.payouts.psp(planned.rail);
            if let Some(decision) = PartnerPayout::ordered(&run, planned, psp, frame.now) {
                step::create(&self.partners, decision, frame).await?;
            }
        }
        Ok("ordered")
    }

    /// The next step of a payout; with its last one the run may end.
    async fn go_on(&self, id: &PayoutId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let payout = self.purse.load(id).await?.entity;
        let outcome = match payout.next_step(frame.now) {
            NextStep::Nothing(reason) => {
                tracing::info!(payout.id = %id, reason, "nothing to pay out");
                "nothing_to_do"
            }
            NextStep::Take => self.take(&payout, frame).await?,
            NextStep::Told => {
                let limits = self.limits(frame).await?;
                self.purse.moved(id, frame, |payout, now| payout.carried_out(limits, now)).await?
            }
            NextStep::Ask => self.ask(&payout, frame).await?,
        };
        self.end_run(id, frame).await?;
        Ok(outcome)
    }

    async fn decided(&self, event: &BusEvent, frame: &Frame) -> Result<&'static str, StepError> {
        let about = people::decision_about::<PartnerPayout>(&self.crm, event, "payout_id").await?;
        let Some((id, decision, _)) = about else { return Ok("nothing_to_do") };
        let outcome = self.purse.moved(&id, frame, |payout, now| payout.decided(&decision, now)).await?;
        self.end_run(&id, frame).await?;
        Ok(outcome)
    }

    async fn end_run(&self, id: &PayoutId, frame: &Frame) -> Result<(), StepError> {
        let payout = self.purse.load(id).await?.entity;
        if !payout.has_ended() {
            return Ok(());
        }
        let run = self.run(&payout.facts.run_id).await?.entity;
        if run.is_executing() {
            let all = self.partners.load_some::<PartnerPayout>(&run.payout_ids()).await?;
            let all: Vec<PartnerPayout> = all.into_iter().map(|stored| stored.entity).collect();
            step::change(&self.partners, &run.id, &mut frame.clone(), |run: &PayoutRun| run.ended(&all)).await?;
        }
        Ok(())
    }

    async fn adapter(&self, payout: &PartnerPayout, frame: &mut Frame) -> Result<Box<dyn Psp>, StepError> {
        let unusable = |what: String| StepError::Rules { set: Psps::NAME, what };
        let name = payout.facts.psp.as_deref().ok_or_else(|| unusable("the payout has no provider".to_owned()))?;
        let live = self.providers.rules().await?;
        frame.used(live.label());
        self.providers
            .adapter(live.rules.psp(name).ok_or_else(|| unusable(format!("{name} is no longer in it")))?)
            .await
    }

    async fn limits(&self, frame: &mut Frame) -> Result<PayoutLimits, StepError> {
        let live = self.rules.live::<Withdrawals>().await?;
        frame.used(live.label());
        Ok(live.rules.payout_limits())
    }

    /// Takes the money out of the balance with the intent, and sends it if this worker won that.
    async fn take(&self, payout: &PartnerPayout, frame: &mut Frame) -> Result<&'static str, StepError> {
        if payout.destination().is_some() {
            // what is set up wrong is known before the money leaves the balance
            self.adapter(payout, frame).await?;
        }
        let attempt = || self.purse.taken(&payout.id, frame);
        let taken = step::together(frame, "the partner's balance keeps changing", || Box::pin(attempt())).await?;
        match taken {
            Some(payout) if !payout.has_ended() => self.send(&payout, frame).await,
            Some(_) => Ok("ended"),
            None => Ok("nothing_to_do"),
        }
    }

    /// Sends what was intended, and saves what was answered.
    async fn send(&self, payout: &PartnerPayout, frame: &mut Frame) -> Result<&'static str, StepError> {
        let (psp, limits) = (self.adapter(payout, frame).await?, self.limits(frame).await?);
        let Some(destination) = payout.destination() else { return Ok("nothing_to_do") };
        let number = payout.id.at_provider();
        let answer = match psp.pay_out(&order(payout, &number, &destination)).await {
            Ok(answer) => answer,
            Err(error) => psp.of_all_attempts(error.of_payout(), payout.facts.attempts),
        };
        self.purse.moved(&payout.id, frame, |payout, now| payout.answered(&answer, limits, now)).await
    }

    /// Asks the provider what became of it; what it surely does not have is sent again.
    async fn ask(&self, payout: &PartnerPayout, frame: &mut Frame) -> Result<&'static str, StepError> {
        let (psp, limits) = (self.adapter(payout, frame).await?, self.limits(frame).await?);
        let Some(destination) = payout.destination() else { return Ok("nothing_to_do") };
        let number = payout.id.at_provider();
        let answer = match psp.find_payout(&order(payout, &number, &destination)).await {
            Ok(Some(answer)) => answer,
            Ok(None) if payout.may_be_sent_again(frame.now) => {
                let again = self.purse.moved(&payout.id, frame, |payout, now| {
                    let decision = payout.may_be_sent_again(now).then(|| payout.sent_again(now))?;
                    Some(Moved { decision, paid: None })
                });
                return match again.await? {
                    "sending" => self.send(&self.purse.load(&payout.id).await?.entity, frame).await,
                    other => Ok(other),
                };
            }
            Ok(None) => PayoutAnswer::Unknown("the provider has no such payout".to_owned()),
            // that it cannot be asked says nothing of the payout
            Err(error) => PayoutAnswer::Unknown(error.to_string()),
        };
        self.purse.moved(&payout.id, frame, |payout, now| payout.answered(&answer, limits, now)).await
    }
}

impl Purse {
    async fn load(&self, id: &PayoutId) -> Result<Stored<PartnerPayout>, StepError> {
        self.partners.load::<PartnerPayout>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))
    }

    async fn taken(&self, id: &PayoutId, frame: &Frame) -> Result<Attempt<Option<PartnerPayout>>, StepError> {
        let stored = self.load(id).await?;
        let payout = &stored.entity;
        if payout.next_step(frame.now) != NextStep::Take {
            return Ok(Attempt::Nothing(None));
        }
        let facts = &payout.facts;
        let id = &facts.partner_id;
        let partner = self.partners.load::<Partner>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let months = self.partners.months_of(id).await?;
        let currency = facts.amount.currency();
        let zero = Money::zero(currency);
        let paid = partner.entity.facts.paid.get(&currency).copied().unwrap_or(zero);
        let to = (facts.period, currency);
        let has = Balances::up_to(&months, to, paid, &zero, frame.now).map_err(too_large)?.payable;
        let mut commit = self.partners.0.commit();
        if has.compare(&facts.amount).map_err(too_large)?.is_lt() {
            let decision = payout.not_covered(has);
            commit.save(&self.partners, Some(&stored), &decision, frame)?;
            return Ok(Attempt::Save(commit, Some(decision.next)));
        }
        let moved = payout.taken(frame.now);
        self.commit(&mut commit, &stored, &moved, partner, frame).await?;
        Ok(Attempt::Save(commit, Some(moved.decision.next)))
    }

    /// Payout, balance and month, saved together.
    async fn commit(
        &self,
        commit: &mut Commit,
        stored: &Stored<PartnerPayout>,
        moved: &Moved,
        partner: Stored<Partner>,
        frame: &Frame,
    ) -> Result<(), StepError> {
        commit.save(&self.partners, Some(stored), &moved.decision, frame)?;
        let Some(amount) = moved.paid else { return Ok(()) };
        let payout = &stored.entity;
        let paid_to = amount.is_positive().then(|| PaidTo {
            period: payout.facts.period,
            drafted_at: payout.facts.drafted_at,
            payout: payout.id.clone(),
        });
        let decision = partner.entity.paid(amount, &payout.id, paid_to).map_err(too_large)?;
        commit.save(&self.partners, Some(&partner), &decision, frame)?;
        let month = (payout.facts.partner_id.clone(), Period::of(frame.now));
        let read = self.partners.months([month.clone()]).await?;
        let mut totals = read.totals.get(&month).cloned().unwrap_or_default();
        totals.pay(amount).map_err(too_large)?;
        Ok(commit.put_month(&self.partners, &read, &month, &totals)?)
    }

    /// Saves what a decision moves: the payout, and the balance where money comes back to it.
    pub(crate) async fn moved(
        &self,
        id: &PayoutId,
        frame: &Frame,
        decide: impl Fn(&PartnerPayout, Timestamp) -> Option<Moved> + Sync,
    ) -> Result<&'static str, StepError> {
        let decide = &decide;
        step::together(frame, "the partner's balance keeps changing", || {
            Box::pin(async move {
                let stored = self.load(id).await?;
                let Some(moved) = decide(&stored.entity, frame.now) else {
                    return Ok::<_, StepError>(Attempt::Nothing("nothing_to_do"));
                };
                let partner = &stored.entity.facts.partner_id;
                let partner = self.partners.load::<Partner>(partner).await?;
                let partner = partner.ok_or_else(|| StepError::Absent(id.to_string()))?;
                let mut commit = self.partners.0.commit();
                self.commit(&mut commit, &stored, &moved, partner, frame).await?;
                Ok(Attempt::Save(commit, moved.decision.outcome))
            })
        })
        .await
    }
}

fn order<'a>(payout: &'a PartnerPayout, number: &'a PaymentId, destination: &'a Destination) -> PayoutOrder<'a> {
    PayoutOrder { withdrawal_id: number, amount: payout.facts.amount, destination, reference: &payout.facts.reference }
}
