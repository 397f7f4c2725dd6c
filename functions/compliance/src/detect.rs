//! Evaluates the scenarios that something sets off: money that moved, deals, log-ins, and pairs with an entry of a watchlist.
//!
//! A message that comes again finds the same alerts, by the same ids, so one evaluation counts. What is heard late is judged with what was
//! known of its own time, and what came after it is judged again.

use std::sync::Arc;

use domain::activity::{ActivityFacts, History, News};
use domain::compliance::detector::MOMENTS_MAX;
use domain::compliance::{Alert, Mode, Moment, Trigger, moments_from};
use domain::kyc::rescreening::ClientScreeningFacts;
use domain::{ClientId, Timestamp};
use providers::http::BoxFuture;
use runtime::StepError;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};

use crate::judge::{By, Judge};
use crate::known::known;

/// The step.
pub struct Detect(Judge);

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Detect(Judge::new(ports)?), ports)
}

impl QueueStep for Detect {
    const NAME: &'static str = "compliance-detect";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let unread = |error: serde_json::Error| malformed(&event, &error.to_string());
            let client = event.client_id.clone().ok_or_else(|| malformed(&event, "it is nobody's"))?;
            let mut frame = message.frame(Self::NAME, &event);
            let by = self.0.by(&mut frame).await?;
            let found = if event.kind == "screening.hit" {
                let facts: ClientScreeningFacts = serde_json::from_value(event.data.clone()).map_err(unread)?;
                self.of_hits(&client, &Moment::of_screening(&facts.raised), &by, frame.now).await?
            } else {
                let facts: ActivityFacts = serde_json::from_value(event.data.clone()).map_err(unread)?;
                let news = facts.news.ok_or_else(|| malformed(&event, "it tells no news"))?;
                self.of_news(&client, &news, &by, frame.now).await?
            };
            self.0.take(&client, &found, &by.scenarios.rules, &frame).await
        })
    }
}

fn malformed(event: &BusEvent, what: &str) -> StepError {
    StepError::Malformed(format!("{}: {what}", event.event_id))
}

impl Detect {
    async fn of_news(
        &self,
        client: &ClientId,
        news: &News,
        by: &By,
        now: Timestamp,
    ) -> Result<Vec<(Alert, Mode)>, StepError> {
        let about = known(&self.0.crm, client).await?.about;
        // log-ins set off little and are many, so their history is read no further back than that needs
        let from = news.at.minus(by.scenarios.rules.look_back(&Trigger::of_news(news.kind)));
        let history = self.0.trades.history(client, from, now).await?;
        Judge::judged(by, &about, &history, &moments(news, &history, now), now)
    }

    async fn of_hits(
        &self,
        client: &ClientId,
        moments: &[Moment],
        by: &By,
        now: Timestamp,
    ) -> Result<Vec<(Alert, Mode)>, StepError> {
        let about = known(&self.0.crm, client).await?.about;
        let from = now.minus(by.scenarios.rules.look_back(&[Trigger::Watchlist]));
        let history = self.0.trades.history(client, from, now).await?;
        Judge::judged(by, &about, &history, moments, now)
    }
}

fn moments(news: &News, history: &History, now: Timestamp) -> Vec<Moment> {
    if let Some(moment) = Moment::of_trades(news) {
        return vec![moment];
    }
    let mut moments = moments_from(history, news.kind, news.at, now);
    moments.truncate(MOMENTS_MAX);
    moments
}
