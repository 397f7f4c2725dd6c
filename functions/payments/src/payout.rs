//! Pays withdrawals out: intent, call, outcome. Whatever may have been sent is looked up at the provider before anything is sent again.
//! What goes back to the payer of a deposit is kept for it there, together with the intent: no two withdrawals take the same money back.
//! The legs of a withdrawal that goes to several places are begun here, and ended with it (`legs`).

mod legs;

use std::sync::Arc;

use domain::decision::{Frame, Verdict};
use domain::payment::rules::Psps;
use domain::payment::{CLOCK_SKEW, Deposit, GRACE};
use domain::rules::RuleSet;
use domain::withdrawal::payout::PayoutLimits;
use domain::withdrawal::rules::Withdrawals;
use domain::withdrawal::{PayoutAnswer, PayoutStep, Withdrawal};
use domain::{PaymentId, Timestamp};
use providers::PSP_CALL_TIMEOUT_S;
use providers::http::BoxFuture;
use providers::psp::{PayoutOrder, Psp};
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Attempt};
use runtime::vendors::PaymentProviders;
use runtime::{StepError, awsclients};
use store::{Home, MoneyTable, Stored};

/// The function's time-out in the template.
pub const TIMEOUT_S: u32 = 30;
// a worker that stalls after its intent is ended by its time-out before anybody may send the payout again
const _: () = assert!(GRACE.0 > TIMEOUT_S + PSP_CALL_TIMEOUT_S + CLOCK_SKEW.0);

/// The step.
pub struct PayOut {
    money: MoneyTable,
    providers: PaymentProviders,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let rules = RuleBook::new(ports)?;
    let step =
        PayOut { money: awsclients::money(ports)?, providers: PaymentProviders::new(ports, rules.clone()), rules };
    QueueFunction::build(step, ports)
}

impl QueueStep for PayOut {
    const NAME: &'static str = "payments-payout";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                legs::DUE => self.see_after_legs(&event.id()?, &mut frame).await,
                _ => self.pay_out(&event.id()?, &mut frame).await,
            }
        })
    }
}

impl PayOut {
    async fn load(&self, id: &PaymentId) -> Result<Stored<Withdrawal>, StepError> {
        self.money.load::<Withdrawal>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))
    }

    async fn pay_out(&self, id: &PaymentId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.load(id).await?;
        if stored.entity.is_split() {
            return self.see_after_legs(id, frame).await;
        }
        let step = stored.entity.payout_step(frame.now);
        if let PayoutStep::Nothing(reason) = step {
            tracing::info!(payment.id = %id, reason, "nothing to pay out");
            return Ok("nothing_to_do");
        }
        let live = self.rules.live::<Withdrawals>().await?;
        frame.used(live.label());
        let limits = live.rules.payout_limits();
        match step {
            PayoutStep::Save(_) => self.intend(id, limits, frame).await.map(|_| "saved"),
            PayoutStep::Pay(_) => self.pay(id, limits, frame).await,
            PayoutStep::Ask => self.ask(&stored.entity, limits, frame).await,
            PayoutStep::Nothing(_) => Ok("nothing_to_do"),
        }
    }

    async fn adapter(&self, own: &Withdrawal, frame: &mut Frame) -> Result<Box<dyn Psp>, StepError> {
        let live = self.providers.rules().await?;
        frame.used(live.label());
        let name = &own.facts.psp.name;
        let gone = || StepError::Rules { set: Psps::NAME, what: format!("{name} is no longer in it") };
        self.providers.adapter(live.rules.psp(name).ok_or_else(gone)?).await
    }

    /// Saves the intent and, if this worker won it, calls.
    async fn pay(&self, id: &PaymentId, limits: PayoutLimits, frame: &mut Frame) -> Result<&'static str, StepError> {
        let psp = self.adapter(&self.load(id).await?.entity, frame).await?;
        let Some(intended) = self.intend(id, limits, frame).await? else { return Ok("nothing_to_do") };
        let answer = match psp.pay_out(&order(&intended)).await {
            Ok(answer) => answer,
            Err(error) => psp.of_all_attempts(error.of_payout(), intended.inner.payout.attempts),
        };
        self.save(id, frame, |own, now| own.payout_answered(&answer, limits, now)).await
    }

    /// The intent, together with what is kept for it of the deposit that it pays back; `None` where nothing is to be sent.
    async fn intend(
        &self,
        id: &PaymentId,
        limits: PayoutLimits,
        frame: &Frame,
    ) -> Result<Option<Withdrawal>, StepError> {
        step::together(frame, "the payments keep changing", || {
            Box::pin(async move {
                let stored = self.load(id).await?;
                let intent = match stored.entity.payout_step(frame.now) {
                    // what a person pays out by hand is kept for him in the same way
                    PayoutStep::Pay(intent) | PayoutStep::Save(intent) => *intent,
                    PayoutStep::Ask => match stored.entity.payout_absent(limits, frame.now) {
                        PayoutStep::Pay(intent) => *intent,
                        PayoutStep::Save(_) | PayoutStep::Ask | PayoutStep::Nothing(_) => {
                            return Ok::<_, StepError>(Attempt::Nothing(None));
                        }
                    },
                    PayoutStep::Nothing(_) => return Ok(Attempt::Nothing(None)),
                };
                let frame = Frame { correlation_id: stored.correlation_id.clone(), ..frame.clone() };
                let mut commit = Home::<Withdrawal>::table(&self.money).commit();
                let kept = match &stored.entity.facts.source_payment_id {
                    Some(source) => Some(self.kept(&stored.entity, source, &frame).await?),
                    None => None,
                };
                let intent = match &kept {
                    Some((_, Err(reason))) => stored.entity.source_refuses(reason, frame.now),
                    Some((_, Ok(_))) | None => intent,
                };
                let Verdict::Change(decision) = intent else { return Ok(Attempt::Nothing(None)) };
                commit.save(&self.money, Some(&stored), &decision, &frame)?;
                let mut sent = Some(decision.next.clone());
                match kept {
                    Some((deposit, Ok(Verdict::Change(keeps)))) => {
                        let frame = Frame { correlation_id: deposit.correlation_id.clone(), ..frame.clone() };
                        commit.save(&self.money, Some(&deposit), &keeps, &frame)?;
                    }
                    Some((_, Err(_))) => sent = None,
                    Some((_, Ok(Verdict::Nothing(_)))) | None => {}
                }
                Ok(Attempt::Save(commit, sent))
            })
        })
        .await
    }

    async fn kept(
        &self,
        own: &Withdrawal,
        source: &PaymentId,
        frame: &Frame,
    ) -> Result<(Stored<Deposit>, Result<Verdict<Deposit>, &'static str>), StepError> {
        let stored = self.money.load::<Deposit>(source).await?.ok_or_else(|| StepError::Absent(source.to_string()))?;
        let kept = stored.entity.pay_back(&own.id, own.facts.requested, own.inner.by_hand, frame.now);
        Ok((stored, kept))
    }

    /// Asks the provider what became of it; what it surely does not have is sent again.
    async fn ask(&self, own: &Withdrawal, limits: PayoutLimits, frame: &mut Frame) -> Result<&'static str, StepError> {
        let psp = self.adapter(own, frame).await?;
        let found = match psp.find_payout(&order(own)).await {
            Ok(Some(answer)) => answer,
            Ok(None) => match own.payout_absent(limits, frame.now) {
                PayoutStep::Pay(_) => return self.pay(&own.id, limits, frame).await,
                PayoutStep::Save(_) => {
                    return self
                        .save(&own.id, frame, |own, now| match own.payout_absent(limits, now) {
                            PayoutStep::Save(verdict) => *verdict,
                            PayoutStep::Pay(_) | PayoutStep::Ask | PayoutStep::Nothing(_) => {
                                Verdict::Nothing("somebody else has it")
                            }
                        })
                        .await;
                }
                PayoutStep::Ask | PayoutStep::Nothing(_) => return Ok("waiting"),
            },
            // that it cannot be asked says nothing of the payout
            Err(error) => PayoutAnswer::Unknown(error.to_string()),
        };
        self.save(&own.id, frame, |own, now| own.payout_answered(&found, limits, now)).await
    }

    async fn save(
        &self,
        id: &PaymentId,
        frame: &mut Frame,
        decide: impl Fn(&Withdrawal, Timestamp) -> Verdict<Withdrawal>,
    ) -> Result<&'static str, StepError> {
        let now = frame.now;
        Ok(step::change(&self.money, id, frame, |own: &Withdrawal| decide(own, now)).await?.outcome())
    }
}

fn order(own: &Withdrawal) -> PayoutOrder<'_> {
    PayoutOrder {
        withdrawal_id: &own.id,
        amount: own.facts.requested,
        destination: &own.inner.destination,
        reference: &own.facts.psp.reference,
    }
}
