//! `POST /v1/statements/{statement_id}/disputes` and `GET /v1/disputes/{dispute_id}`: a partner disputes lines, and sees what became of it.

use std::collections::BTreeMap;

use domain::input::Fault;
use domain::partner::dispute::{Claim, Dispute};
use domain::partner::line::Line;
use domain::partner::profile::Partner;
use domain::partner::statement::Statement;
use domain::{AccrualLineId, DisputeId};
use runtime::auth::Role;
use runtime::http::{HttpStep as _, Reply, Request};
use runtime::idempotency::{Keyed, Made};
use runtime::step::{self, Attempt};
use runtime::{Caller, Problem};
use serde_json::{Value, json};

use super::Manage;

/// What is disputed: the first of the lines, and all of them.
struct Wish {
    first: Line,
    lines: Vec<Line>,
    reason: String,
}

fn raised(dispute: &Dispute) -> Value {
    let facts = &dispute.facts;
    json!({
        "dispute_id": dispute.id, "partner_id": facts.partner_id, "statement_id": facts.statement_id, "period": facts.period,
        "status": "open", "lines": facts.lines, "reason": dispute.words.reason, "raised_at": facts.raised_at,
    })
}

fn view(dispute: &Dispute, for_staff: bool) -> Value {
    let facts = &dispute.facts;
    let mut body = raised(dispute);
    let adjusted = facts.adjusted.as_ref().map(|adjusted| {
        let mut told = json!({
            "amount": adjusted.amount, "line_id": adjusted.line_id, "period": adjusted.period, "at": adjusted.at,
        });
        if for_staff {
            told["by"] = json!(adjusted.by);
            told["approved_by"] = json!(adjusted.approved_by);
        }
        told
    });
    body["status"] = json!(facts.status);
    body["adjusted"] = json!(adjusted);
    body["answer"] = json!(dispute.words.answer);
    body
}

impl Manage {
    pub(super) async fn dispute(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let statement = self.own_statement(request, caller).await?;
        let keyed = Keyed::read(request, caller)?;
        let fresh = DisputeId::from_bits(self.entropy.id_bits());
        let wish = self.disputed(request, &statement).await;
        let make = async |id: DisputeId, wish: Wish| {
            let frame = request.frame(Self::NAME);
            let attempt = || self.raise(&id, &statement, &wish, request);
            let made = step::together(&frame, "the statement is being disputed", || Box::pin(attempt())).await?;
            Ok(Made::Saved(made))
        };
        // the first answer, whatever has become of it since
        keyed.create(&self.partners, fresh, wish, make, |made: &Dispute| Reply::json(201, &raised(made))).await
    }

    /// The lines that are named, which must stand on the statement.
    async fn disputed(&self, request: &Request, statement: &Statement) -> Result<Wish, Problem> {
        let claim = Claim::read(&request.json()?).map_err(Problem::input)?;
        let facts = &statement.facts;
        let mut found: BTreeMap<AccrualLineId, Line> = BTreeMap::new();
        self.partners
            .each_line((&facts.partner_id, facts.period), |line| {
                if line.amount.currency() == facts.currency && claim.lines.contains(&line.id) {
                    found.insert(line.id.clone(), line);
                }
                Ok(())
            })
            .await?;
        let missing = claim.lines.iter().enumerate().filter(|(_, id)| !found.contains_key(*id));
        let unknown = |(place, _): (usize, &AccrualLineId)| {
            Fault::new(format!("/lines/{place}"), "unknown_line", "is no line of the statement")
        };
        let faults: Vec<Fault> = missing.map(unknown).collect();
        let lines: Vec<Line> = claim.lines.iter().filter_map(|id| found.remove(id)).collect();
        match lines.first().cloned().filter(|_| faults.is_empty()) {
            Some(first) => Ok(Wish { first, lines, reason: claim.reason }),
            None => Err(Problem::input(faults)),
        }
    }

    /// The dispute, with each line that is in it and in no other.
    async fn raise(
        &self,
        id: &DisputeId,
        statement: &Statement,
        wish: &Wish,
        request: &Request,
    ) -> Result<Attempt<Dispute>, Problem> {
        // a repeat of this very request, whose answer was lost
        if let Some(made) = self.partners.load::<Dispute>(id).await? {
            return Ok(Attempt::Nothing(made.entity));
        }
        let mut commit = self.partners.0.commit();
        for line in &wish.lines {
            if let Some(other) = self.partners.disputed_in(&statement.id, &line.id).await? {
                return Err(Problem::conflict(format!("{} is disputed in {other} already", line.id)));
            }
            commit.dispute_line(&self.partners, (&statement.id, &line.id), id)?;
        }
        let lines = (&wish.first, wish.lines.as_slice());
        let decision = Dispute::raised(id.clone(), statement, lines, wish.reason.clone(), request.now);
        commit.save(&self.partners, None, &decision, &request.frame(Self::NAME))?;
        Ok(Attempt::Save(commit, decision.next))
    }

    pub(super) async fn show_dispute(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: DisputeId = request.id("dispute_id")?;
        let nothing = || Problem::not_found("there is no such dispute");
        let dispute = self.partners.load::<Dispute>(&id).await?.ok_or_else(nothing)?.entity;
        let partner = self.partners.load::<Partner>(&dispute.facts.partner_id).await?.ok_or_else(nothing)?;
        super::may_see(&partner.entity, caller)?;
        let for_staff = caller.require(&[Role::Finance, Role::Admin]).is_ok();
        Ok(Reply::json(200, &view(&dispute, for_staff)))
    }
}
