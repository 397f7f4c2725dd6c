//! `compliance-timed`: what only time brings. A share of the clients is held against what a day that is over sets off, a page at a time and
//! for as long as an invocation has; and a case that nobody decided in time becomes more urgent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::client::Client;
use domain::compliance::{About, Case, DayPage, DayPart, DayPlace, DayTally, Moment, Trigger};
use domain::decision::Frame;
use domain::kyc::KycCase;
use domain::{ClientId, DayPartId, KycCaseId};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::step::Disposition;
use runtime::{StepError, step};

use crate::judge::{By, Judge};

/// Clients of a page; a batch read takes a hundred keys.
const PAGE: i32 = 100;
/// No further page is begun after this. What is left of the time-out is for the page that was begun.
const BEGINS_WITHIN: Duration = Duration::from_secs(40);

/// The step.
pub struct Timed(Judge);

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Timed(Judge::new(ports)?), ports)
}

impl QueueStep for Timed {
    const NAME: &'static str = "compliance-timed";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            if event.kind == "case.due" {
                let (id, now) = (event.id()?, frame.now);
                return Ok(step::change(&self.0.crm, &id, &mut frame, |case: &Case| case.came_due(now))
                    .await?
                    .outcome());
            }
            self.part(&event.id()?, &mut frame).await
        })
    }
}

impl Timed {
    async fn part(&self, id: &DayPartId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.0.crm.load::<DayPart>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let mut part = stored.entity;
        let by = self.0.by(frame).await?;
        let (began, now) = (Instant::now(), frame.now);
        while let Some(place) = part.place() {
            if began.elapsed() >= BEGINS_WITHIN {
                step::change(&self.0.crm, id, frame, |own: &DayPart| own.paused(now)).await?;
                return Ok("goes_on");
            }
            let page = self.page(&part, &place, &by, frame).await?;
            let goes_on = |own: &DayPart| own.goes_on(&place, &page, now);
            part = step::change(&self.0.crm, id, frame, goes_on).await?.stored().entity.clone();
            // its list was behind, or a new day has begun: either comes by itself
            if page.counted.is_some() {
                return Ok(if part.place().is_some() { "comes_again" } else { "done" });
            }
        }
        Ok("nothing_to_do")
    }

    /// The next page, and after the last one the count.
    async fn page(&self, part: &DayPart, from: &DayPlace, by: &By, frame: &Frame) -> Result<DayPage, StepError> {
        let facts = &part.facts;
        let (ids, has_more) = self.0.crm.clients_listed(facts.part, from.after.as_ref(), &facts.through, PAGE).await?;
        let tally = self.clients(&ids, &Moment::of_day(from.day), by, frame).await?;
        let counted = if has_more { None } else { Some(self.0.crm.count_listed(facts.part, &facts.through).await?) };
        Ok(DayPage { tally, last: ids.last().cloned(), counted })
    }

    /// Looks at the clients of a page. One of whom something cannot be read costs the others nothing; what may pass is tried again.
    async fn clients(&self, ids: &[ClientId], moment: &Moment, by: &By, frame: &Frame) -> Result<DayTally, StepError> {
        let cases: Vec<KycCaseId> = ids.iter().map(KycCaseId::of).collect();
        let cases = self.0.crm.load_some::<KycCase>(&cases).await?.into_iter();
        let cases: BTreeMap<ClientId, KycCase> =
            cases.map(|stored| (stored.entity.client_id.clone(), stored.entity)).collect();
        let clients = self.0.crm.load_some::<Client>(ids).await?.into_iter();
        let clients: BTreeMap<ClientId, Client> =
            clients.map(|stored| (stored.entity.id.clone(), stored.entity)).collect();
        let mut tally = DayTally::default();
        for id in ids {
            let Some(client) = clients.get(id) else {
                tally.absent = tally.absent.saturating_add(1);
                continue;
            };
            match self.client(About::of(client, cases.get(id)), moment, by, frame).await {
                Ok(()) => tally.judged = tally.judged.saturating_add(1),
                Err(error) if error.disposition() == Disposition::Park => {
                    tracing::error!(client.id = %id, error = %error, "a client cannot be held against the scenarios");
                    tally.failed(id);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(tally)
    }

    async fn client(&self, about: About, moment: &Moment, by: &By, frame: &Frame) -> Result<(), StepError> {
        let rules = &by.scenarios.rules;
        let look_back = rules.look_back(&[Trigger::Daily]);
        // most of what a day sets off asks who the client is, and nothing of what he did
        let history = if look_back.0 == 0 {
            domain::activity::History { whole_from: Some(moment.at), ..domain::activity::History::default() }
        } else {
            self.0.trades.history(&about.client_id, moment.at.minus(look_back), moment.at).await?
        };
        let found = Judge::judged(by, &about, &history, std::slice::from_ref(moment), frame.now)?;
        self.0.take(&about.client_id, &found, rules, frame).await?;
        Ok(())
    }
}
