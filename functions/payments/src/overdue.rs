//! A payment that is due: a deposit's provider is asked because no webhook came, or its credit is sent to its worker again; a withdrawal is
//! sent to the worker whose turn it is.

use std::sync::Arc;

use domain::decision::{Frame, Verdict};
use domain::payment::rules::{PspRule, Psps};
use domain::payment::{Deposit, DueStep, Heard, PollAnswer, PollLimits, PspReport, StrayReport, Unconfirmed, confirm};
use domain::withdrawal::Withdrawal;
use domain::{PaymentId, StrayId};
use futures::future::join_all;
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step;
use runtime::vendors::PaymentProviders;
use runtime::{StepError, awsclients};
use store::{MoneyTable, Payment, Stored};

use crate::collecting::collected;

/// The time of stray money: its owner is looked for.
const STRAY_DUE: &str = "stray.due";

/// The step.
pub struct Overdue {
    money: MoneyTable,
    providers: PaymentProviders,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step =
        Overdue { money: awsclients::money(ports)?, providers: PaymentProviders::new(ports, RuleBook::new(ports)?) };
    QueueFunction::build(step, ports)
}

impl QueueStep for Overdue {
    const NAME: &'static str = "payments-overdue";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            if event.kind == STRAY_DUE {
                return self.find_owner(&event.id()?, &mut frame).await;
            }
            let now = frame.now;
            let stored = match self.money.payment(&event.id()?).await? {
                Some(Payment::Deposit(stored)) => *stored,
                Some(Payment::Withdrawal(_)) => {
                    let again = |own: &Withdrawal| own.redriven(now);
                    return Ok(step::change(&self.money, &event.id()?, &mut frame, again).await?.outcome());
                }
                None => return Err(StepError::Absent(event.entity)),
            };
            let done = match stored.entity.due_step(now) {
                DueStep::Nothing(_) => return Ok("nothing_to_do"),
                DueStep::Credit => {
                    step::change(&self.money, &event.id()?, &mut frame, |deposit: &Deposit| {
                        match deposit.due_step(now) {
                            DueStep::Credit => deposit.redriven(now),
                            DueStep::Poll => Verdict::Nothing("it waits for the provider again"),
                            DueStep::Nothing(reason) => Verdict::Nothing(reason),
                        }
                    })
                    .await?
                }
                DueStep::Poll => {
                    let live = self.providers.rules().await?;
                    frame.used(live.label());
                    let (answer, limits) = self.ask(&stored, &live.rules).await?;
                    step::change(&self.money, &event.id()?, &mut frame, |deposit: &Deposit| {
                        match deposit.due_step(now) {
                            DueStep::Poll => deposit.polled(&answer, limits, &live.rules, now),
                            DueStep::Credit => Verdict::Nothing("the webhook came meanwhile"),
                            DueStep::Nothing(reason) => Verdict::Nothing(reason),
                        }
                    })
                    .await?
                }
            };
            Ok(done.outcome())
        })
    }
}

impl Overdue {
    /// The payment that stray money names may be there by now: it hears all that came before it was, and goes its own way.
    async fn find_owner(&self, id: &StrayId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.money.load::<StrayReport>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let now = frame.now;
        if stored.entity.facts.named.is_some() {
            let again =
                |stray: &StrayReport| stray.ticket_redriven(now).unwrap_or(Verdict::Nothing("it was looked up"));
            return Ok(step::change(&self.money, id, frame, again).await?.outcome());
        }
        let owner = match &stored.entity.facts.report.payment_id {
            Some(payment) => self.money.load::<Deposit>(payment).await?.map(|stored| stored.entity.id),
            None => None,
        };
        let Some(payment) = owner else {
            let look = |stray: &StrayReport| stray.still_without_owner(now);
            return Ok(step::change(&self.money, id, frame, look).await?.outcome());
        };
        let live = self.providers.rules().await?;
        frame.used(live.label());
        if stored.entity.is_unconfirmed() {
            return self.confirm_again(&stored.entity, &payment, &live.rules, frame).await;
        }
        for report in stored.entity.statements() {
            let hear = |deposit: &Deposit| deposit.hear(report, &live.rules, now);
            step::change(&self.money, &payment, frame, hear).await?;
        }
        let heard = stored.entity.statements().count();
        Ok(step::change(&self.money, id, frame, |stray: &StrayReport| stray.heard(heard)).await?.outcome())
    }

    /// A kept statement that its provider did not confirm: it is asked once more, and what it does not confirm now is a person's.
    async fn confirm_again(
        &self,
        kept: &StrayReport,
        payment: &PaymentId,
        rules: &Psps,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let (report, now) = (&kept.facts.report, frame.now);
        let rule = rules.psp(&report.psp);
        let known = match rule {
            Some(rule) => match self.providers.adapter(rule).await?.look_up(payment, &report.reference).await {
                Ok(known) => known,
                Err(error) => {
                    tracing::warn!(psp = rule.name, payment.id = %payment, todo = ?error.disposition(),
                        "a kept statement could not be confirmed");
                    let again = now.plus(rule.confirm_limit);
                    if kept.ask_later(again, now).is_some() {
                        let later = |kept: &StrayReport| {
                            kept.ask_later(again, now).unwrap_or(Verdict::Nothing("it is a person's"))
                        };
                        return Ok(step::change(&self.money, &kept.id, frame, later).await?.outcome());
                    }
                    None
                }
            },
            None => None,
        };
        let heard = confirm::confirmed(report.clone(), known, Unconfirmed::Wait);
        let hear = |deposit: &Deposit| match &heard {
            Heard::Now(heard) => deposit.hear(heard, rules, now),
            Heard::Denied(report) | Heard::NotKnown(report) => deposit.unconfirmed(report, now),
        };
        step::change(&self.money, payment, frame, hear).await?;
        // only now: whoever dies before this does it again, and the deposit knows it
        let take = |kept: &StrayReport| kept.taken_over().unwrap_or_else(Verdict::Nothing);
        Ok(step::change(&self.money, &kept.id, frame, take).await?.outcome())
    }

    async fn ask(&self, stored: &Stored<Deposit>, rules: &Psps) -> Result<(PollAnswer, PollLimits), StepError> {
        let deposit = &stored.entity;
        let name = &deposit.facts.psp.name;
        let rule = rules.psp(name);
        let rule = rule.ok_or_else(|| StepError::Rules { set: "psps", what: format!("{name} is no longer in it") })?;
        let limits = PollLimits::from(rule);
        let psp = self.providers.adapter(rule).await?;
        let own = match psp.look_up(&deposit.id, &deposit.facts.psp.reference).await {
            Ok(Some(report)) => match collected(report, psp.as_ref(), &self.money).await {
                Ok(report) => PollAnswer::Report(report),
                Err(error) => PollAnswer::Silent(error.to_string()),
            },
            Ok(None) if psp.absent_is_unpaid() => PollAnswer::Unpaid,
            Ok(None) => PollAnswer::Absent,
            Err(error) => PollAnswer::Silent(error.to_string()),
        };
        let answer = match &own {
            PollAnswer::Report(report) if report.moves_money() => own,
            PollAnswer::Report(_) | PollAnswer::Absent | PollAnswer::Unpaid | PollAnswer::Silent(_) => {
                self.ask_others(deposit, rules).await.unwrap_or(own)
            }
        };
        Ok((answer, limits))
    }

    /// Asks the other providers at which the deposit may have been opened; `None` where all of them say that nothing was paid. While
    /// one cannot be asked, nobody knows that it was not.
    async fn ask_others(&self, deposit: &Deposit, rules: &Psps) -> Option<PollAnswer> {
        // at once: one after the other they could take longer than the function has
        let asked = deposit.inner.others.iter().map(|name| async move {
            match rules.psp(name) {
                Some(rule) => self.look_up_at(rule, &deposit.id).await,
                None => Err(format!("{name} is no longer in the rules")),
            }
        });
        let mut silent = None;
        for asked in join_all(asked).await {
            match asked {
                Ok(Some(report)) if report.moves_money() => return Some(PollAnswer::Report(report)),
                Ok(Some(_) | None) => {}
                Err(reason) => silent = Some(PollAnswer::Silent(reason)),
            }
        }
        silent
    }

    async fn look_up_at(&self, rule: &PspRule, payment: &PaymentId) -> Result<Option<PspReport>, String> {
        let psp = self.providers.adapter(rule).await.map_err(|error| format!("{}: {error}", rule.name))?;
        psp.look_up(payment, "").await.map_err(|error| format!("{}: {error}", rule.name))
    }
}
