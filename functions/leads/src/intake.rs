//! `POST /v1/leads`: a lead from the broker's own forms.

use std::sync::Arc;

use domain::LeadId;
use domain::decision::Frame;
use domain::lead::rules::{LeadIntake, LeadScoring};
use domain::lead::{Lead, Submission};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::rulebook::RuleBook;
use runtime::{Caller, Problem, StepError, awsclients};
use serde_json::{Value, json};
use store::Crm;

use crate::admit::{Arrival, Rules, admit, broken_scoring};
use crate::phone;

/// The step.
pub struct Intake {
    crm: Crm,
    rules: RuleBook,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Intake { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)?, entropy: ports.entropy.clone() };
    HttpFunction::build(step, ports)
}

impl HttpStep for Intake {
    const NAME: &'static str = "leads-intake";

    const ROUTES: &'static [Route<Self>] =
        &[Route::token("POST", "/v1/leads", PORTAL, Scope::Everybody, |step, request, caller| {
            Box::pin(step.take(request, caller))
        })];
}

impl Intake {
    async fn take(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let keyed = Keyed::read(request, caller)?;
        let body = request.json()?;
        let rules = self.rules.live::<LeadIntake>().await?;
        let scoring = self.rules.live::<LeadScoring>().await?;
        let wish = Submission::read(&body, &rules.rules, &phone::read, request.now).map_err(Problem::input);
        let fresh = LeadId::from_bits(self.entropy.id_bits());
        let make = async |id, form| {
            let mut frame = request.frame(Self::NAME);
            frame.used(rules.label());
            frame.used(scoring.label());
            let rules = Rules { intake: &rules.rules, scoring: &scoring.rules };
            Ok(Made::Saved(self.admit(&form, id, &rules, &frame).await?))
        };
        keyed.create(&self.crm, fresh, wish, make, answer).await
    }

    async fn admit(&self, form: &Submission, id: LeadId, rules: &Rules<'_>, frame: &Frame) -> Result<Lead, StepError> {
        let mut lead = form.clone().lead(id);
        lead.facts.scored = Some(lead.score(rules.scoring, frame.now).map_err(broken_scoring)?);
        admit(&self.crm, &Arrival { form, lead, was: None }, rules, frame).await
    }
}

/// What was said when it was taken: a repeat says the same, wherever the lead has gone since.
fn answer(lead: &Lead) -> Reply {
    let status = if lead.facts.duplicate_of.is_some() { "duplicate" } else { "received" };
    let mut body = json!({"lead_id": lead.id, "status": status});
    if let (Some(first), Some(object)) = (&lead.facts.duplicate_of, body.as_object_mut()) {
        object.insert("duplicate_of".to_owned(), Value::String(first.to_string()));
    }
    Reply::json(202, &body)
}
