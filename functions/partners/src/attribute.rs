//! Who brought a client, by the code that he named; and who a partner is, by his own identity as a client or by compliance.

use std::sync::Arc;

use domain::decision::{Frame, Verdict};
use domain::kyc::KycStatus;
use domain::partner::attribution::{AttributedBy, Attribution, Claim};
use domain::partner::profile::{Partner, VerifiedBy, normal_code};
use domain::{AttributionId, ClientId, PartnerId, Timestamp};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::step::Attempt;
use runtime::verification::status_of;
use runtime::{StepError, awsclients, people, step};
use serde_json::Value;
use store::{Crm, PartnersTable};

/// The step.
pub struct Attribute {
    crm: Crm,
    partners: PartnersTable,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Attribute { crm: awsclients::crm(ports)?, partners: awsclients::partners(ports)? }, ports)
}

impl QueueStep for Attribute {
    const NAME: &'static str = "partners-attribute";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                "client.registered" => self.named_a_code(&event, &frame).await,
                "kyc.approved" => self.is_known(&event, &mut frame).await,
                "partner.applied" => self.was_known(&event, &mut frame).await,
                "work.decided" => {
                    let decide = |partner: &Partner, decision: &_, _: Timestamp| partner.decided(decision);
                    people::carry_out(&self.crm, &self.partners, &event, "partner_id", &mut frame, decide).await
                }
                other => Err(StepError::Malformed(format!("{other} says nothing about partners"))),
            }
        })
    }
}

impl Attribute {
    /// A client was registered with a code: from then on he is that partner's. A code that is nobody's, and one's own, is let be.
    async fn named_a_code(&self, event: &BusEvent, frame: &Frame) -> Result<&'static str, StepError> {
        let client: ClientId = event.id()?;
        let Some(code) = event.data.get("partner_code").and_then(Value::as_str) else { return Ok("nothing_to_do") };
        let Some(holder) = self.partners.code_holder(&normal_code(code)).await? else { return Ok("unknown_code") };
        let partner = self.partners.load::<Partner>(&holder).await?;
        if partner.is_none_or(|partner| partner.entity.client_id.as_ref() == Some(&client)) {
            return Ok("own_code");
        }
        let by = AttributedBy::Code;
        let claim = Claim { partner: Some(&holder), by, who: None, reason: None, since: event.at, now: frame.now };
        claim_on(&self.partners, &client, &claim, frame).await.map(|(_, outcome)| outcome)
    }

    /// A client's identity was approved: if he is a partner himself, it is known who the partner is.
    async fn is_known(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let Some(client) = &event.client_id else { return Ok("nothing_to_do") };
        let Some(partner) = self.partners.partner_who_is(client).await? else { return Ok("nothing_to_do") };
        self.verify(&partner, frame).await
    }

    /// Somebody applied who is a client: his identity may have been approved while he was being saved.
    async fn was_known(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let Some(client) = &event.client_id else { return Ok("nothing_to_do") };
        if status_of(&self.crm, client).await? != KycStatus::Approved {
            return Ok("nothing_to_do");
        }
        self.verify(&event.id()?, frame).await
    }

    async fn verify(&self, partner: &PartnerId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let verified = |partner: &Partner| partner.verified(VerifiedBy::Kyc);
        Ok(step::change(&self.partners, partner, frame, verified).await?.outcome())
    }
}

/// Saves who brought a client, with what the partners' lists say of it.
///
/// # Errors
/// [`StepError`].
pub(crate) async fn claim(
    table: &PartnersTable,
    client: &ClientId,
    claim: &Claim<'_>,
    frame: &Frame,
) -> Result<Attribution, StepError> {
    claim_on(table, client, claim, frame).await.map(|(said, _)| said)
}

async fn claim_on(
    table: &PartnersTable,
    client: &ClientId,
    claim: &Claim<'_>,
    frame: &Frame,
) -> Result<(Attribution, &'static str), StepError> {
    let attempt = || async {
        let stored = table.load::<Attribution>(&AttributionId::of(client)).await?;
        let before = stored.as_ref().map_or_else(|| Attribution::begun(client), |stored| stored.entity.clone());
        let decision = match before.claim(claim) {
            Verdict::Nothing(_) => return Ok(Attempt::Nothing((before, "nothing_to_do"))),
            Verdict::Change(decision) => decision,
        };
        let mut commit = table.0.commit();
        commit.save(table, stored.as_ref(), &decision, frame)?;
        let mut until = None;
        let mut listed = Vec::new();
        for change in decision.next.facts.partners.changes().collect::<Vec<_>>().into_iter().rev() {
            // of a partner who has him twice, the later time counts
            if let Some(partner) = change.is.as_ref().filter(|partner| !listed.contains(partner)) {
                commit.bring(table, client, partner, (change.since, until))?;
                listed.push(partner);
            }
            until = Some(change.since);
        }
        Ok::<_, StepError>(Attempt::Save(commit, (decision.next, decision.outcome)))
    };
    step::together(frame, "it is being said who brought the client", || Box::pin(attempt())).await
}
