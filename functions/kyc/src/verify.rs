//! `kyc-verify`: opens the check that a case asks for, asks its vendor when that has not told, and takes what it has told.

use std::sync::Arc;

use domain::decision::Frame;
use domain::kyc::KycCase;
use domain::kyc::vendor::{VendorCheck, VendorNotice};
use domain::{ClientId, KycCheckId, KycNoticeId};
use providers::http::BoxFuture;
use runtime::StepError;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::step;

use crate::checks::Checks;

/// The step.
pub struct Verify {
    checks: Checks,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Verify { checks: Checks::new(ports)? }, ports)
}

impl QueueStep for Verify {
    const NAME: &'static str = "kyc-verify";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                "kyc_notice.heard" => self.hear(&event.id()?, &mut frame).await,
                "kyc_check.due" => self.came_due(&event.id()?, &mut frame).await,
                _ => self.begin(&event, &mut frame).await,
            }
        })
    }
}

impl Verify {
    /// A case asks for a check.
    async fn begin(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let case = self.checks.crm.load_settled::<KycCase>(&event.id()?).await?;
        let case = case.ok_or_else(|| StepError::Absent(event.entity.clone()))?.entity;
        match self.checks.begin(&case.client_id, case.facts.checks_asked, frame).await? {
            Some(check) => self.advance(check, frame).await,
            None => Ok("no_vendor"),
        }
    }

    async fn came_due(&self, id: &KycCheckId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let check = self.checks.crm.load_settled::<VendorCheck>(id).await?;
        self.advance(check.ok_or_else(|| StepError::Absent(id.to_string()))?.entity, frame).await
    }

    async fn advance(&self, check: VendorCheck, frame: &mut Frame) -> Result<&'static str, StepError> {
        Ok(self.checks.advance(check, frame).await?.facts.state.as_str())
    }

    /// Something that a vendor has sent. Whom it is about stands in it, or is asked.
    async fn hear(&self, id: &KycNoticeId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.checks.crm.load_settled::<VendorNotice>(id).await?;
        let notice = stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity;
        let client = match &notice.client_id {
            Some(client) => Some(client.clone()),
            None => self.whose(&notice).await?,
        };
        let check = match &client {
            Some(client) => self.checks.crm.load_settled::<VendorCheck>(&KycCheckId::of(client)).await?,
            None => None,
        };
        let Some(check) = check else { return self.about_nobody(&notice, frame).await };
        let live = self.checks.vendors.rules().await?;
        frame.used(live.label());
        let (now, said) = (frame.now, notice.said());
        let decide = |check: &VendorCheck| match &said {
            Some(said) => check.hear(said, &live.rules, now),
            None => check.to_be_asked(&notice.facts.reference, notice.facts.vendor, now),
        };
        let done = step::change(&self.checks.crm, &check.entity.id, frame, decide).await?;
        let outcome = done.outcome();
        // a check that is asked at once, or at another vendor now
        self.checks.advance(done.stored().entity.clone(), frame).await?;
        Ok(outcome)
    }

    /// Our id, as the vendor has it. While the vendor does not answer the message comes again, and the check is asked in its time.
    async fn whose(&self, notice: &VendorNotice) -> Result<Option<ClientId>, StepError> {
        let live = self.checks.vendors.rules().await?;
        let Some(rule) = live.rules.rule(notice.facts.vendor) else { return Ok(None) };
        let answer = self.checks.vendors.adapter(rule).await?.fetch(&notice.facts.reference).await?;
        Ok(answer.and_then(|answer| answer.ours).and_then(|ours| ours.as_str().parse().ok()))
    }

    async fn about_nobody(&self, notice: &VendorNotice, frame: &mut Frame) -> Result<&'static str, StepError> {
        tracing::warn!(
            vendor = %notice.facts.vendor, reference = notice.facts.reference, notice = %notice.id,
            "a vendor tells of a check that is none of ours"
        );
        Ok(step::change(&self.checks.crm, &notice.id, frame, VendorNotice::about_nobody).await?.outcome())
    }
}
