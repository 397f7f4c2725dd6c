//! `kyc-hits`: carries out what people decide about hits of clients who were screened again, and raises those again for which documents
//! were asked for.

use std::sync::Arc;

use domain::ClientScreeningId;
use domain::KycCaseId;
use domain::decision::{Frame, Verdict};
use domain::kyc::KycCase;
use domain::kyc::rescreening::ClientScreening;
use domain::kyc::rules::ScreeningRules;
use domain::work::HumanDecision;
use domain::work::rules::WorkAction;
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step::Attempt;
use runtime::{StepError, awsclients, people, step};
use store::{Crm, Home};

/// The step.
pub struct Hits {
    crm: Crm,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Hits { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)? }, ports)
}

impl QueueStep for Hits {
    const NAME: &'static str = "kyc-hits";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            if event.kind == "screening.due" {
                let (id, now) = (event.id()?, frame.now);
                let due = |screening: &ClientScreening| screening.came_due(now);
                return Ok(step::change(&self.crm, &id, &mut frame, due).await?.outcome());
            }
            let about = people::decision_about::<ClientScreening>(&self.crm, &event, "screening_id").await?;
            let Some((id, decision, _)) = about else { return Ok("nothing_to_do") };
            let live = self.rules.live::<ScreeningRules>().await?;
            frame.used(live.label());
            self.decided(&id, &decision, &live.rules, &frame).await
        })
    }
}

impl Hits {
    /// The screening takes the decision, and the client's case what follows from it, both or neither.
    async fn decided(
        &self,
        id: &ClientScreeningId,
        decision: &HumanDecision,
        rules: &ScreeningRules,
        frame: &Frame,
    ) -> Result<&'static str, StepError> {
        step::together(frame, "the client's screening keeps changing", || {
            Box::pin(async move {
                let stored = self.crm.load::<ClientScreening>(id).await?;
                let stored = stored.ok_or_else(|| StepError::Absent(id.to_string()))?;
                let again = rules.rescreen.ask_again_after;
                let Verdict::Change(decided) = stored.entity.decided(decision, again, frame.now) else {
                    return Ok::<_, StepError>(Attempt::Nothing("nothing_to_do"));
                };
                let outcome = decided.outcome;
                let mut commit = Home::<ClientScreening>::table(&self.crm).commit();
                commit.save(&self.crm, Some(&stored), &decided, frame)?;
                let case = self.crm.load::<KycCase>(&KycCaseId::of(&stored.entity.client_id)).await?;
                if let Some(case) = case
                    && let Verdict::Change(follows) = follows(&case.entity, decision, frame)
                {
                    commit.save(&self.crm, Some(&case), &follows, frame)?;
                }
                Ok(Attempt::Save(commit, outcome))
            })
        })
        .await
    }
}

/// What a decision about a hit means for the client's case.
fn follows(case: &KycCase, decision: &HumanDecision, frame: &Frame) -> Verdict<KycCase> {
    match decision.action() {
        Some(WorkAction::Reject) => case.rejected_for_hit(decision, frame.now),
        Some(WorkAction::RequestDocuments) => case.documents_for_hit(decision),
        _ => Verdict::Nothing("the case stays as it is"),
    }
}
