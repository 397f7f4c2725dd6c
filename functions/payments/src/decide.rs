//! A person's decision on a work item, applied to its deposit: it lands on the intent that the automation uses.

use std::sync::Arc;

use domain::PaymentId;
use domain::payment::Deposit;
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::people::{self, Decided};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::step::{self, Done};
use runtime::{StepError, awsclients};
use store::{Crm, MoneyTable};

/// The step.
pub struct Decide {
    crm: Crm,
    money: MoneyTable,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Decide { crm: awsclients::crm(ports)?, money: awsclients::money(ports)? }, ports)
}

impl QueueStep for Decide {
    const NAME: &'static str = "payments-decide";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let Some(decided) = people::decided::<PaymentId>(&self.crm, &event, "payment_id").await? else {
                return Ok("nothing_to_do");
            };
            let Decided { about: payment, decision } = decided;
            let mut frame = message.frame(Self::NAME, &event);
            let now = frame.now;
            let decide = |deposit: &Deposit| deposit.decided(&decision, now);
            Ok(match step::change(&self.money, &payment, &mut frame, decide).await? {
                Done::Changed { outcome, .. } => outcome,
                Done::Unchanged { reason, .. } => {
                    tracing::info!(payment.id = %payment, reason, "the decision changes nothing");
                    "nothing_to_do"
                }
            })
        })
    }
}
