//! A deposit that is due: its provider is asked because no webhook came, or its credit is sent to its worker again.

use std::sync::Arc;

use domain::payment::rules::Psps;
use domain::payment::{Deposit, DueStep, PollAnswer, PollLimits};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step;
use runtime::vendors::PaymentProviders;
use runtime::{StepError, awsclients};
use store::{MoneyTable, Stored};

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
            let Some(stored) = self.money.load::<Deposit>(&event.id()?).await? else {
                return Err(StepError::Absent(event.entity));
            };
            let now = frame.now;
            let done = match stored.entity.due_step(now) {
                DueStep::Nothing(_) => return Ok("nothing_to_do"),
                DueStep::Credit => {
                    step::change(&self.money, &event.id()?, &mut frame, |deposit: &Deposit| {
                        match deposit.due_step(now) {
                            DueStep::Credit => deposit.redriven(now),
                            DueStep::Poll => domain::decision::Verdict::Nothing("it waits for the provider again"),
                            DueStep::Nothing(reason) => domain::decision::Verdict::Nothing(reason),
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
                            DueStep::Credit => domain::decision::Verdict::Nothing("the webhook came meanwhile"),
                            DueStep::Nothing(reason) => domain::decision::Verdict::Nothing(reason),
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
    async fn ask(&self, stored: &Stored<Deposit>, rules: &Psps) -> Result<(PollAnswer, PollLimits), StepError> {
        let deposit = &stored.entity;
        let name = &deposit.facts.psp.name;
        let rule = rules.psp(name);
        let rule = rule.ok_or_else(|| StepError::Rules { set: "psps", what: format!("{name} is no longer in it") })?;
        let limits = PollLimits::from(rule);
        let psp = self.providers.adapter(rule).await?;
        let answer = match psp.look_up(&deposit.id, &deposit.facts.psp.reference).await {
            Ok(Some(report)) => PollAnswer::Report(report),
            Ok(None) => PollAnswer::Absent,
            Err(error) => PollAnswer::Silent(error.to_string()),
        };
        Ok((answer, limits))
    }
}
