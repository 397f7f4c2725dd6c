//! `trades-feeds`: every day, sees to it that the feed of each live trading server with accounts is known; from then on its own due time
//! brings it. Deals of demo accounts count nowhere, and are not fetched.

use std::sync::Arc;

use domain::Timestamp;
use domain::account::rules::Environment;
use domain::trade::feed::TradeFeed;
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Invocation, Ports};
use runtime::rulebook::RuleBook;
use runtime::schedule::{Fired, ScheduledFunction, ScheduledStep};
use runtime::vendors::Servers;
use runtime::{StepError, awsclients, step};
use serde_json::value::RawValue;
use store::{Crm, TradesTable};

/// The function.
pub struct Feeds {
    crm: Crm,
    trades: TradesTable,
    servers: Servers,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let servers = Servers::new(ports, RuleBook::new(ports)?);
    Ok(ScheduledFunction::build(
        Feeds { crm: awsclients::crm(ports)?, trades: awsclients::trades(ports)?, servers },
        ports,
    ))
}

impl ScheduledStep for Feeds {
    const NAME: &'static str = "trades-feeds";

    fn fire<'a>(
        &'a self,
        _event: &'a RawValue,
        invocation: &'a Invocation,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Fired, StepError>> {
        Box::pin(async move { Ok(Fired::counted("noticed", self.notice(now, invocation).await?)) })
    }
}

impl Feeds {
    async fn notice(&self, now: Timestamp, invocation: &Invocation) -> Result<usize, StepError> {
        let live = self.servers.rules().await?;
        let mut frame = invocation.frame(Self::NAME, "the trading servers' deals", now);
        frame.used(live.label());
        let mut feeds = Vec::new();
        for server in live.rules.servers().iter().filter(|server| server.environment == Environment::Live) {
            let is_used = !self.crm.accounts_on(&server.name, 1, None).await?.items.is_empty();
            if is_used && self.servers.capabilities(&server.name).await?.closed_trades {
                feeds.push(TradeFeed::begun(server.platform.as_str(), &server.name));
            }
        }
        step::begin_missing(&self.trades, &feeds, &frame, |own: &TradeFeed| own.noticed(now)).await
    }
}
