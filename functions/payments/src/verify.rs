//! Holds what trading servers booked against the ledger: a payment's operations as soon as it has ended, and a whole day's once it is over.
//! Only looks; nothing is moved. It has queues of its own, so that it keeps no credit waiting.

mod day;
mod payment;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use domain::decision::Frame;
use domain::reconciliation::ServerDay;
use domain::{PaymentId, ServerDayId};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::vendors::Servers;
use runtime::{StepError, awsclients, step};
use store::{Crm, MoneyTable};

use payment::About;

/// The function's time-out in the template: for several parts of a day.
pub const TIMEOUT_S: u32 = 120;
/// Days that an instance keeps in mind.
const NOTICED_MAX: usize = 100;
/// A day of a server is to be gone on with.
const DAY_DUE: &str = "server_day.due";

/// The step.
pub struct Verify {
    crm: Crm,
    money: MoneyTable,
    servers: Servers,
    /// Days that are known to be known.
    noticed: Mutex<BTreeSet<ServerDayId>>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let servers = Servers::new(ports, RuleBook::new(ports)?);
    let (crm, money) = (awsclients::crm(ports)?, awsclients::money(ports)?);
    QueueFunction::build(Verify { crm, money, servers, noticed: Mutex::default() }, ports)
}

/// A look changes nothing, so whatever a server has against it, another one can only help; after a few it is a person's.
fn look_again_later(error: StepError) -> StepError {
    match error {
        StepError::Vendor { what, .. } => StepError::Vendor { what, to_do: providers::Disposition::Retry },
        error => error,
    }
}

impl QueueStep for Verify {
    const NAME: &'static str = "payments-verify";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            if event.kind == DAY_DUE {
                return self.go_on(&event.id()?, &mut frame).await.map_err(look_again_later);
            }
            let Some(about) = About::told_by(&event)? else { return Ok("nothing_to_do") };
            self.ended(&about, event.at, &frame).await.map_err(look_again_later)
        })
    }
}

impl Verify {
    /// The day of a server on which something is booked is read once it is over, also the first one. An instance looks once a day.
    async fn notice(&self, day: &ServerDay, frame: &Frame) -> Result<(), StepError> {
        let is_known = |noticed: &BTreeSet<ServerDayId>| noticed.contains(&day.id);
        if is_known(&self.noticed.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        step::change_or_begin(&self.money, &day.id, || day.clone(), frame, ServerDay::noticed).await?;
        let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if noticed.len() >= NOTICED_MAX {
            noticed.clear();
        }
        noticed.insert(day.id.clone());
        Ok(())
    }

    /// The payments of a day that are looked up again.
    async fn look_again(&self, day: &ServerDay, frame: &Frame) -> Result<(), StepError> {
        let mut fine: Vec<PaymentId> = Vec::new();
        for id in &day.private.watched {
            let about = self.money.payment(id).await?.map(|payment| About::of(&payment));
            let is_fine = match about {
                Some(about) => self.in_order(&about, frame).await?,
                None => true,
            };
            fine.extend(is_fine.then(|| id.clone()));
        }
        let now = frame.now;
        let mut frame = frame.clone();
        step::change(&self.money, &day.id, &mut frame, |own: &ServerDay| own.looked_again(&fine, now)).await?;
        Ok(())
    }
}
