//! Fetches the data of announced leads from the ad platform, and takes them in.

use std::sync::Arc;
use std::time::Duration;

use domain::decision::{Frame, Verdict};
use domain::lead::{FetchStep, Fetched, Lead, MetaLead, Submission};
use domain::rules::lead_intake::Meta;
use domain::rules::{LeadIntake, LeadScoring};
use providers::GRAPH_CALL_TIMEOUT_S;
use providers::http::{BoxFuture, Transport};
use providers::leads::meta::Graph;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::secrets::Secrets;
use runtime::step::{self, Done};
use runtime::{StepError, awsclients};
use store::{Crm, Stored};

use crate::admit::{Arrival, admit};
use crate::meta::secret_of;
use crate::phone;

/// The step.
pub struct Fetch {
    crm: Crm,
    rules: RuleBook,
    secrets: Secrets,
    transport: Arc<dyn Transport>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Fetch {
        crm: awsclients::crm(ports)?,
        rules: RuleBook::new(ports)?,
        secrets: Secrets::new(ports),
        transport: ports.transport.clone(),
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Fetch {
    const NAME: &'static str = "leads-fetch";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            let stored = self.crm.load::<Lead>(&event.entity).await?;
            let stored = stored.ok_or_else(|| StepError::Absent(event.entity.clone()))?;
            match stored.entity.fetch_step() {
                FetchStep::Nothing(_) => Ok("nothing_to_do"),
                FetchStep::Fetch(lead) => self.fetch(stored, &lead, &mut frame).await,
            }
        })
    }
}

impl Fetch {
    async fn fetch(&self, stored: Stored<Lead>, lead: &MetaLead, frame: &mut Frame) -> Result<&'static str, StepError> {
        let live = self.rules.live::<LeadIntake>().await?;
        let missing = |what: &str| StepError::Rules { set: "lead_intake", what: what.to_owned() };
        let rule = live.rules.meta.as_ref().ok_or_else(|| missing("it has no `meta`"))?;
        let fields = match self.graph(rule).await?.lead(&lead.leadgen_id).await {
            Fetched::Fields(fields) => fields,
            failed => return self.failed(&stored, &failed, rule, frame).await,
        };
        let form = rule.form(&lead.form_id).ok_or_else(|| missing("no form fits, not even `any`"))?;
        let submission = Submission::of_meta(&fields, form, lead, &live.rules, &phone::read);
        let scoring = self.rules.live::<LeadScoring>().await?;
        let broken =
            |error: domain::rules::RuleError| StepError::Rules { set: "lead_scoring", what: error.to_string() };
        let mut made = stored.entity.fetched(submission.clone());
        if let Some(kind) = &form.signal {
            let at = Some(lead.created_at);
            if let Verdict::Change(decision) = made.signalled(kind, at, &scoring.rules, frame.now).map_err(broken)? {
                made = decision.next;
            }
        }
        made.facts.scored = Some(made.score(&scoring.rules, frame.now).map_err(broken)?);
        frame.rules = Some(scoring.label());
        frame.correlation_id.clone_from(&stored.correlation_id);
        let arrival = Arrival { form: &submission, lead: made, was: Some(&stored) };
        let lead = admit(&self.crm, &arrival, &live.rules, frame).await?;
        Ok(if lead.facts.duplicate_of.is_some() { "duplicate" } else { "received" })
    }

    async fn graph(&self, rule: &Meta) -> Result<Graph, StepError> {
        let secret = secret_of(&self.rules, &self.secrets).await?;
        let secret = secret.ok_or_else(|| StepError::Absent("the ad platform".to_owned()))?;
        Ok(Graph {
            base_url: rule.base_url.clone(),
            version: rule.version.clone(),
            token: secret.page_token,
            transport: self.transport.clone(),
            timeout: Duration::from_secs(u64::from(GRAPH_CALL_TIMEOUT_S)),
        })
    }

    async fn failed(
        &self,
        stored: &Stored<Lead>,
        outcome: &Fetched,
        rule: &Meta,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let now = frame.now;
        let decide = |lead: &Lead| lead.not_fetched(outcome, rule, now);
        Ok(match step::change(&self.crm, stored.entity.id.as_str(), frame, decide).await? {
            Done::Changed { outcome, .. } => outcome,
            Done::Unchanged { .. } => "nothing_to_do",
        })
    }
}
