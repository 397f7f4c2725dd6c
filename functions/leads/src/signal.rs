//! What a lead does (`POST …/signals`) and what it agrees to or no longer does (`POST …/consents`).

use std::sync::Arc;

use domain::LeadId;
use domain::decision::{Frame, Verdict};
use domain::input::{Fault, Reader};
use domain::lead::rules::{LeadIntake, LeadScoring};
use domain::lead::score::is_in_the_future;
use domain::lead::{Consents, Lead};
use domain::rules::{RuleError, is_rule_name};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Done};
use runtime::{Problem, awsclients};
use serde_json::json;
use store::Crm;

use crate::admit::broken_scoring;

/// The step.
pub struct Signals {
    crm: Crm,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Signals { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)? }, ports)
}

impl HttpStep for Signals {
    const NAME: &'static str = "leads-signal";

    const ROUTES: &'static [Route<Self>] = &[
        Route::token("POST", "/v1/leads/{lead_id}/signals", PORTAL, Scope::Everybody, |step, request, _| {
            Box::pin(step.signal(request))
        }),
        Route::token("POST", "/v1/leads/{lead_id}/consents", PORTAL, Scope::Everybody, |step, request, _| {
            Box::pin(step.consents(request))
        }),
    ];
}

impl Signals {
    /// The lead of the path, or the one that it joined.
    async fn first_lead(&self, request: &Request) -> Result<LeadId, Problem> {
        let id: LeadId = request.id("lead_id")?;
        let stored = self.crm.load::<Lead>(&id).await?;
        let lead = stored.ok_or_else(|| Problem::not_found("there is no such lead"))?.entity;
        Ok(lead.facts.duplicate_of.unwrap_or(id))
    }

    async fn signal(&self, request: &Request) -> Result<Reply, Problem> {
        let id = self.first_lead(request).await?;
        let body = request.json()?;
        let mut reader = Reader::new(&body);
        let kind = reader.string("kind");
        if kind.is_some_and(|kind| !is_rule_name(kind)) {
            reader.fault_at("kind", "invalid_kind", "must be lower-case letters, digits, _ and -, 40 at most");
        }
        let at = reader.optional_time("at");
        if at.is_some_and(|at| is_in_the_future(at, request.now)) {
            reader.fault_at("at", "in_the_future", "must not be in the future");
        }
        let faults = reader.finish();
        let kind = kind.filter(|_| faults.is_empty()).ok_or_else(|| Problem::input(faults))?;
        let scoring = self.rules.live::<LeadScoring>().await?;
        let mut frame = request.frame(Self::NAME);
        frame.used(scoring.label());
        let now = request.now;
        self.change(&id, &mut frame, |lead| lead.signalled(kind, at, &scoring.rules, now)).await
    }

    /// Changes the lead, unless the rules are broken.
    async fn change(
        &self,
        id: &LeadId,
        frame: &mut Frame,
        decide: impl Fn(&Lead) -> Result<Verdict<Lead>, RuleError>,
    ) -> Result<Reply, Problem> {
        let mut broken: Option<RuleError> = None;
        let done = step::change(&self.crm, id, frame, step::judged(&mut broken, decide)).await?;
        match broken {
            Some(error) => Err(broken_scoring(error).into()),
            None => Ok(answer(&done)),
        }
    }

    async fn consents(&self, request: &Request) -> Result<Reply, Problem> {
        let id = self.first_lead(request).await?;
        let body = request.json()?;
        let rules = self.rules.live::<LeadIntake>().await?;
        let said = Consents::read(&body, rules.rules.wording(), request.now).map_err(Problem::input)?;
        if said.is_empty() {
            let fault = Fault::new("", "empty", "says nothing about any channel").allowing(["email", "sms", "phone"]);
            return Err(Problem::input(vec![fault]));
        }
        let scoring = self.rules.live::<LeadScoring>().await?;
        let mut frame = request.frame(Self::NAME);
        // the wording that was agreed to is the rules'
        frame.used(rules.label());
        frame.used(scoring.label());
        let now = request.now;
        self.change(&id, &mut frame, |lead| lead.consented(&said, &scoring.rules, now)).await
    }
}

fn answer(done: &Done<Lead>) -> Reply {
    let lead = &done.stored().entity;
    let scored = lead.facts.scored.as_ref();
    Reply::json(
        202,
        &json!({
            "lead_id": lead.id, "status": lead.facts.status, "score": scored.map(|scored| scored.score),
            "band": scored.map(|scored| scored.band.as_str()),
        }),
    )
}
