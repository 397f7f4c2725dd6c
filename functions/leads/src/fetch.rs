//! Fetches the data of announced leads from the ad platform, and takes them in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Seconds;
use domain::decision::{Frame, Verdict};
use domain::lead::rules::intake::Meta;
use domain::lead::rules::{LeadIntake, LeadScoring};
use domain::lead::{FetchStep, Fetched, Lead, MetaLead, ReadForm, Submission};
use providers::GRAPH_CALL_TIMEOUT_S;
use providers::http::{BoxFuture, Transport};
use providers::leads::meta::{Graph, Questions};
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::secrets::Secrets;
use runtime::step::{self, Done};
use runtime::{StepError, awsclients};
use store::{Crm, Stored};

use crate::admit::{Arrival, Rules, admit, broken_scoring};
use crate::meta::secret_of;
use crate::phone;

/// How long it is tried where the rules do not say.
const RETRY_FOR: Seconds = Seconds(24 * 3_600);

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
            let stored = self.crm.load::<Lead>(&event.id()?).await?;
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
        let Some(rule) = live.rules.meta.as_ref() else {
            let missing = Fetched::Silent("the rule set lead_intake has no `meta`".to_owned());
            return self.failed(&stored, &missing, RETRY_FOR, frame).await;
        };
        frame.used(live.label());
        if lead.is_sample() {
            return self.test(&stored, &Submission::of_nobody(lead), lead, frame).await;
        }
        // a form that was announced without its number says it itself
        if !lead.form_id.is_empty() && rule.form(&lead.form_id).is_none() {
            return self.no_form(&stored, lead, rule, frame).await;
        }
        let graph = match self.graph(rule).await {
            Ok(graph) => graph,
            Err(error) => {
                let failed = Fetched::Silent(error.to_string());
                return self.failed(&stored, &failed, rule.retry_for, frame).await;
            }
        };
        let answers = match graph.lead(&lead.leadgen_id).await {
            Fetched::Fields(answers) => answers,
            failed => return self.failed(&stored, &failed, rule.retry_for, frame).await,
        };
        let mut lead = lead.clone();
        if let (true, Some(form_id)) = (lead.form_id.is_empty(), &answers.form_id) {
            lead.form_id.clone_from(form_id);
        }
        let lead = &lead;
        let Some(form) = rule.form(&lead.form_id) else { return self.no_form(&stored, lead, rule, frame).await };
        let types = if answers.are_a_test(rule) || answers.are_understood(rule, form, &BTreeMap::new()) {
            BTreeMap::new()
        } else {
            match graph.questions(&lead.form_id).await {
                Questions::Typed(types) => types,
                Questions::Refused => BTreeMap::new(),
                Questions::Silent(what) => {
                    return self.failed(&stored, &Fetched::Silent(what), rule.retry_for, frame).await;
                }
            }
        };
        let read = ReadForm { answers: &answers, meta: rule, form, types: &types };
        self.take_in(&stored, lead, &read, &live.rules, frame).await
    }

    /// What was answered becomes a lead, or a test, or what a person has to read.
    async fn take_in(
        &self,
        stored: &Stored<Lead>,
        lead: &MetaLead,
        read: &ReadForm<'_>,
        intake: &LeadIntake,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let submission = Submission::of_meta(read, lead, intake, &phone::read);
        if read.answers.are_a_test(read.meta) {
            return self.test(stored, &submission, lead, frame).await;
        }
        if !read.answers.are_understood(read.meta, read.form, read.types) {
            let now = frame.now;
            let decide = |known: &Lead| known.not_understood(submission.clone(), read.answers, lead.clone(), now);
            return self.change(stored, frame, decide).await;
        }
        let scoring = self.rules.live::<LeadScoring>().await?;
        let mut made = stored.entity.fetched(submission.clone(), lead.clone());
        if let Some(kind) = &read.form.signal {
            let at = Some(lead.created_at);
            if let Verdict::Change(decision) =
                made.signalled(kind, at, &scoring.rules, frame.now).map_err(broken_scoring)?
            {
                made = decision.next;
            }
        }
        made.facts.scored = Some(made.score(&scoring.rules, frame.now).map_err(broken_scoring)?);
        frame.used(scoring.label());
        frame.correlation_id.clone_from(&stored.correlation_id);
        let arrival = Arrival { form: &submission, lead: made, was: Some(stored) };
        let lead = admit(&self.crm, &arrival, &Rules { intake, scoring: &scoring.rules }, frame).await?;
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
        retry_for: Seconds,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let now = frame.now;
        self.change(stored, frame, |lead| lead.not_fetched(outcome, retry_for, now)).await
    }

    /// No form of the rules fits: asked again until somebody has entered it, or a person has to.
    async fn no_form(
        &self,
        stored: &Stored<Lead>,
        lead: &MetaLead,
        rule: &Meta,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let missing = Fetched::Silent(format!("no form of lead_intake fits {}, not even `any`", lead.form_id));
        self.failed(stored, &missing, rule.retry_for, frame).await
    }

    async fn test(
        &self,
        stored: &Stored<Lead>,
        form: &Submission,
        lead: &MetaLead,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let now = frame.now;
        self.change(stored, frame, |known| known.tested(form.clone(), lead.clone(), now)).await
    }

    async fn change(
        &self,
        stored: &Stored<Lead>,
        frame: &mut Frame,
        decide: impl Fn(&Lead) -> Verdict<Lead>,
    ) -> Result<&'static str, StepError> {
        Ok(match step::change(&self.crm, &stored.entity.id, frame, decide).await? {
            Done::Changed { outcome, .. } => outcome,
            Done::Unchanged { .. } => "nothing_to_do",
        })
    }
}
