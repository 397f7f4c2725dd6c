//! `POST /v1/partners/{partner_id}/agreement` and `…/accept`: what is proposed to a partner, and what he accepts.

use domain::decision::{Frame, Verdict};
use domain::input::{Fault, Reader};
use domain::partner::line::AgreementRef;
use domain::partner::profile::{Partner, Proposed};
use domain::partner::proposal::Proposal;
use domain::{PartnerId, ProposalId, Timestamp};
use runtime::http::{HttpStep as _, Reply, Request};
use runtime::idempotency::{Keyed, Made};
use runtime::step::{self, Attempt};
use runtime::{Caller, Problem};
use serde_json::{Value, json};

use super::{Manage, nobody};

/// What is to be proposed, and the rules that it was held against.
struct Wish {
    proposed: Proposed,
    rules: String,
}

fn answer(proposal: &Proposal) -> Reply {
    let proposed = &proposal.facts.proposed;
    let agreement = json!({"id": proposed.agreement.id, "version": proposed.agreement.version, "effective_at": proposed.effective_at});
    Reply::json(201, &json!({"partner_id": proposal.facts.partner_id, "proposed": agreement}))
}

impl Manage {
    pub(super) async fn propose(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: PartnerId = request.id("partner_id")?;
        let keyed = Keyed::read(request, caller)?;
        self.partners.load::<Partner>(&id).await?.ok_or_else(nobody)?;
        let fresh = ProposalId::from_bits(self.entropy.id_bits());
        let wish = self.proposed(request, caller).await;
        let make = async |key: ProposalId, wish: Wish| {
            let mut frame = request.frame(Self::NAME);
            frame.used(wish.rules.clone());
            let attempt = || self.propose_once(&key, &id, &wish.proposed, &frame);
            let made = step::together(&frame, "the partner keeps changing", || Box::pin(attempt())).await?;
            Ok(Made::Saved(made))
        };
        keyed.create(&self.partners, fresh, wish, make, answer).await
    }

    /// The proposal, and the partner who has it now.
    async fn propose_once(
        &self,
        key: &ProposalId,
        id: &PartnerId,
        proposed: &Proposed,
        frame: &Frame,
    ) -> Result<Attempt<Proposal>, Problem> {
        // a repeat of this very request, whose answer was lost
        if let Some(made) = self.partners.load::<Proposal>(key).await? {
            return Ok(Attempt::Nothing(made.entity));
        }
        let partner = self.partners.load::<Partner>(id).await?.ok_or_else(nobody)?;
        let proposal = Proposal::made(key.clone(), id.clone(), proposed.clone());
        let mut commit = self.partners.0.commit();
        commit.save(&self.partners, None, &proposal, frame)?;
        // the same that waits for him already changes nothing about him
        if let Verdict::Change(decision) = partner.entity.propose(proposed.clone()) {
            commit.save(&self.partners, Some(&partner), &decision, frame)?;
        }
        Ok(Attempt::Save(commit, proposal.next))
    }

    async fn proposed(&self, request: &Request, caller: &Caller) -> Result<Wish, Problem> {
        let live = self.live().await?;
        let body = request.json()?;
        let mut reader = Reader::new(&body);
        let name = reader.string("agreement_id");
        let effective_at = reader.optional_time("effective_at");
        let terms = name.and_then(|name| {
            let terms = live.rules.agreement(name);
            if terms.is_none() {
                let fault = Fault::new("/agreement_id", "unknown_value", "there is no such agreement");
                reader.fault(fault.allowing(live.rules.names()));
            }
            Some((name, terms?))
        });
        let faults = reader.finish();
        let Some((name, terms)) = terms.filter(|_| faults.is_empty()) else { return Err(Problem::input(faults)) };
        let proposed = Proposed {
            agreement: AgreementRef { id: name.to_owned(), version: live.version },
            currency: terms.currency,
            effective_at,
            by: caller.subject.clone(),
            at: request.now,
        };
        Ok(Wish { proposed, rules: live.label() })
    }

    pub(super) async fn accept(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let partner = self.own(request, caller).await?.entity;
        let mut refusal = None;
        let accept = step::judged(&mut refusal, |partner: &Partner| partner.accept(request.now));
        let done = step::change(&self.partners, &partner.id, &mut request.frame(Self::NAME), accept).await;
        if let Some(refusal) = refusal {
            return Err(Problem::conflict(refusal.to_string()));
        }
        let done = done?;
        let partner = &done.stored().entity;
        let facts = &partner.facts;
        Ok(Reply::json(
            200,
            &json!({"partner_id": partner.id, "status": facts.status, "agreement": accepted(partner, Timestamp::LATEST)}),
        ))
    }
}

/// What waits for him.
pub(super) fn proposal(partner: &Partner) -> Value {
    partner.facts.proposed.as_ref().map_or(Value::Null, |proposed| {
        json!({"id": proposed.agreement.id, "version": proposed.agreement.version, "effective_at": proposed.effective_at})
    })
}

/// What he has accepted by a moment; the next one, where none holds yet.
pub(super) fn accepted(partner: &Partner, at: Timestamp) -> Value {
    let mut changes = partner.facts.agreements.changes();
    let holds = partner.facts.agreements.changes().filter(|change| change.since <= at).last();
    let change = holds.or_else(|| changes.next());
    change.and_then(|change| Some((change.is.as_ref()?, change.since))).map_or(
        Value::Null,
        |(agreement, since)| json!({"id": agreement.id, "version": agreement.version, "since": since}),
    )
}
