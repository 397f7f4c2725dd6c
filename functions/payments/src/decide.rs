//! A person's decision on a work item, applied to its deposit: it lands on the intent that the automation uses.

use std::sync::Arc;

use domain::payment::Deposit;
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::{StepError, awsclients, people};
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
            let mut frame = message.frame(Self::NAME, &event);
            people::carry_out(&self.crm, &self.money, &event, "payment_id", &mut frame, Deposit::decided).await
        })
    }
}
