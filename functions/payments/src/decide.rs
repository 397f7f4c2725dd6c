//! A person's decision on a work item, applied to its deposit: it lands on the intent that the automation uses. One that a deal on the
//! platform proves takes effect when the deal was looked up (`credit::tickets`).

use std::sync::Arc;

use domain::Timestamp;
use domain::decision::Verdict;
use domain::fault::{self, Fault};
use domain::payment::{Deposit, names_a_ticket};
use domain::withdrawal::Withdrawal;
use domain::work::HumanDecision;
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::{StepError, awsclients, people, step};
use store::{Crm, MoneyTable, Payment};

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
            let mut frame = message.frame(Self::NAME, &event);
            let decide = |deposit: &Deposit, decision: &HumanDecision, now: Timestamp| {
                // `payments-credit` has it: the deposit was bound to it together with the decision
                if names_a_ticket(decision) && !fault::is_back(Fault::TicketsAreBelieved) {
                    return Verdict::Nothing("its ticket is looked up first");
                }
                deposit.decided(decision, now)
            };
            let about = people::decision_about::<Deposit>(&self.crm, &event, "payment_id").await?;
            let Some((id, decision, _)) = about else { return Ok("nothing_to_do") };
            if let Some(Payment::Withdrawal(_)) = self.money.payment(&id).await? {
                let now = frame.now;
                let decide = |own: &Withdrawal| own.decided(&decision, now);
                return Ok(step::change(&self.money, &id, &mut frame, decide).await?.outcome());
            }
            people::carry_out(&self.crm, &self.money, &event, "payment_id", &mut frame, decide).await
        })
    }
}
