//! `payments-day-end`: every day, sees to it that each live trading server's day is known; it is read once it is over, and the next one known
//! then. A server's first day is the one on which it, or a payment on it, is seen first: what was booked there before was never ours.

use std::sync::Arc;

use domain::account::rules::Environment;
use domain::reconciliation::ServerDay;
use domain::{Day, Timestamp};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Invocation, Ports};
use runtime::rulebook::RuleBook;
use runtime::schedule::{Fired, ScheduledFunction, ScheduledStep};
use runtime::vendors::Servers;
use runtime::{StepError, awsclients, step};
use serde_json::value::RawValue;
use store::MoneyTable;

/// The function.
pub struct DayEnd {
    money: MoneyTable,
    servers: Servers,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let servers = Servers::new(ports, RuleBook::new(ports)?);
    Ok(ScheduledFunction::build(DayEnd { money: awsclients::money(ports)?, servers }, ports))
}

impl ScheduledStep for DayEnd {
    const NAME: &'static str = "payments-day-end";

    fn fire<'a>(
        &'a self,
        _event: &'a RawValue,
        invocation: &'a Invocation,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Fired, StepError>> {
        Box::pin(async move { Ok(Fired::counted("noticed", self.notice(now, invocation).await?)) })
    }
}

impl DayEnd {
    async fn notice(&self, now: Timestamp, invocation: &Invocation) -> Result<usize, StepError> {
        let live = self.servers.rules().await?;
        let mut frame = invocation.frame(Self::NAME, "the trading servers' days", now);
        frame.used(live.label());
        let today = Day::of(now);
        let mut days = Vec::new();
        for server in live.rules.servers().iter().filter(|server| server.environment == Environment::Live) {
            if self.servers.capabilities(&server.name).await?.operations.is_some() {
                days.push(ServerDay::begun(server.platform.as_str(), &server.name, today));
            }
        }
        step::begin_missing(&self.money, &days, &frame, ServerDay::noticed).await
    }
}
