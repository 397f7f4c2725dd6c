//! What follows for a case when a document or its check at a vendor has changed, its own time has come, or a person has decided.

use std::sync::Arc;

use domain::KycCaseId;
use domain::decision::Frame;
use domain::kyc::vendor::VendorCheck;
use domain::kyc::{KycCase, KycDocument};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::{StepError, people, step};

use crate::cases::Cases;

/// The step.
pub struct Assess {
    cases: Cases,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Assess { cases: Cases::new(ports)? }, ports)
}

impl QueueStep for Assess {
    const NAME: &'static str = "kyc-assess";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                "work.decided" => self.decided(&event, &mut frame).await,
                "kyc.due" => self.came_due(&event.id()?, &mut frame).await,
                "document.due" => {
                    let (id, now) = (event.id()?, frame.now);
                    let overdue = |document: &KycDocument| document.overdue(now);
                    Ok(step::change(&self.cases.crm, &id, &mut frame, overdue).await?.outcome())
                }
                "kyc_check.updated" => self.verified(&event, &mut frame).await,
                _ => self.absorb(&event, &mut frame).await,
            }
        })
    }
}

impl Assess {
    async fn absorb(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let document = self.cases.document(&event.id()?).await?;
        let client = self.cases.client_of(&document.client_id).await?;
        let case = self.cases.absorb(&document, &client, frame).await?;
        Ok(case.facts.status.as_str())
    }

    async fn verified(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.cases.crm.load_settled::<VendorCheck>(&event.id()?).await?;
        let check = stored.ok_or_else(|| StepError::Absent(event.entity.clone()))?.entity;
        let client = self.cases.client_of(&check.client_id).await?;
        let case = self.cases.verified(&check, &client, frame).await?;
        Ok(case.facts.status.as_str())
    }

    async fn came_due(&self, id: &KycCaseId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let needs = self.cases.needs().await?;
        frame.used(needs.label());
        let now = frame.now;
        let due = |case: &KycCase| case.came_due(&needs.rules, now);
        Ok(step::change(&self.cases.crm, id, frame, due).await?.outcome())
    }

    async fn decided(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let needs = self.cases.needs().await?;
        frame.used(needs.label());
        let crm = &self.cases.crm;
        people::carry_out(crm, crm, event, "kyc_id", frame, |case: &KycCase, decision, now| {
            case.decided(decision, &needs.rules, now)
        })
        .await
    }
}
