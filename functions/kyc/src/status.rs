//! `GET /v1/clients/{client_id}/kyc`: where a client's case stands.

use std::sync::Arc;

use domain::kyc::case::{CaseDocument, ScreeningState};
use domain::kyc::levels::Level;
use domain::kyc::rules::{Kyc, KycLevels, MoneyLimit};
use domain::kyc::vendor::{CaseVendor, VendorStanding};
use domain::kyc::{KycCase, KycOutcome, KycStatus};
use domain::{ClientId, Money, Redacted};
use runtime::auth::Role;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::{Caller, Problem, verification};
use serde_json::{Value, json};

use crate::cases::Cases;

/// The step.
pub struct Status {
    cases: Cases,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Status { cases: Cases::new(ports)? }, ports)
}

/// Who sees a case.
const READERS: &[Role] = &[Role::Portal, Role::Compliance, Role::Admin];

impl HttpStep for Status {
    const NAME: &'static str = "kyc-status";

    const ROUTES: &'static [Route<Self>] =
        &[Route::token("GET", "/v1/clients/{client_id}/kyc", READERS, Scope::OneClient, |step, request, caller| {
            Box::pin(step.show(request, caller))
        })];
}

impl Status {
    async fn show(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let client_id: ClientId = request.id("client_id")?;
        let client = self.cases.known(&client_id).await?;
        let needs = self.cases.needs().await?;
        let for_staff = caller.require(&[Role::Compliance, Role::Admin]).is_ok();
        let levels = self.cases.live::<KycLevels>().await?;
        let case = self.cases.find(&client.id).await?;
        let level = verification::level_by(case.as_ref(), &client, &levels)?;
        let mut body = match case {
            Some(case) => view(&case, &needs.rules, for_staff),
            None => json!({
                "status": "not_started", "next_steps": needs.rules.first_steps(), "documents": [],
                "checks": {
                    "document": "pending", "face_match": "not_required",
                    "liveness": if needs.rules.faces.liveness_required { "pending" } else { "not_required" },
                    "screening": {"state": "pending"}, "risk": null,
                },
            }),
        };
        if let Some(object) = body.as_object_mut() {
            object.insert("level".to_owned(), json!(level.name));
            object.insert("rights".to_owned(), rights(&level));
        }
        Ok(Reply::json(200, &body))
    }
}

/// What a client of a level may do; a limit that is not there is null.
fn rights(level: &Level) -> Value {
    let limit = |limit: &Option<MoneyLimit>| {
        limit.as_ref().map(|limit| {
            let amounts = limit.amounts.iter().filter_map(|(currency, most)| Money::new(*most, *currency).ok());
            json!({"per": limit.per, "amounts": amounts.collect::<Vec<Money>>()})
        })
    };
    let rights = &level.rights;
    json!({
        "demo_account": rights.demo_account, "live_account": rights.live_account,
        "deposit_limit": limit(&rights.deposit_limit), "withdrawal_limit": limit(&rights.withdrawal_limit),
    })
}

/// The case as its client sees it; compliance sees the hits, the findings and every reason as well. A client is not told that a list
/// may name him, nor what follows only from that: it would warn whom the law says not to warn.
fn view(case: &KycCase, rules: &Kyc, for_staff: bool) -> Value {
    let facts = &case.facts;
    let documents: Vec<Value> = facts.documents.iter().map(|document| document_view(document, for_staff)).collect();
    let mut body = json!({
        "status": facts.status, "next_steps": case.next_steps(rules), "documents": documents,
        "checks": checks(case, rules, for_staff), "declaration": facts.declaration, "created_at": facts.created_at,
    });
    let Some(object) = body.as_object_mut() else { return body };
    let mut add = |name: &str, value: Value| object.insert(name.to_owned(), value);
    if let Some(extracted) = &case.inner.extracted {
        add("extracted", json!(extracted));
    }
    if let Some(vendor) = &facts.vendor {
        add("vendor", vendor_view(case, vendor, for_staff));
    }
    if let Some(validity) = &facts.validity {
        add("validity", json!({"kind": validity.kind, "expires": validity.expires, "stage": validity.stage}));
    }
    if for_staff {
        add("case_id", json!(case.id));
        add("attempts", json!(facts.attempts));
        add("review", json!(facts.review));
    }
    if let Some(decision) = &facts.decision {
        let hidden = !for_staff && decision.outcome == KycOutcome::Review;
        let reasons = if hidden { vec!["a_person_decides".to_owned()] } else { decision.reasons.clone() };
        let decision = json!({"outcome": decision.outcome, "by": decision.by, "reasons": reasons, "at": decision.at});
        add("decision", decision);
    }
    body
}

fn checks(case: &KycCase, rules: &Kyc, for_staff: bool) -> Value {
    let facts = &case.facts;
    let done = match facts.screening.state {
        ScreeningState::Pending | ScreeningState::Failed => "pending",
        ScreeningState::Clear | ScreeningState::Hits => "done",
    };
    let why: Vec<&String> = case.inner.why_hit.iter().map(Redacted::reveal).collect();
    let screening = if for_staff {
        json!({
            "state": facts.screening.state, "list_version": facts.screening.list_version,
            "hits": facts.screening.hits, "why": why, "cleared": facts.screening.cleared,
        })
    } else {
        json!({"state": done})
    };
    // while a person decides, what adds up may be that a list names the client
    let ended = matches!(facts.status, KycStatus::Approved | KycStatus::Rejected | KycStatus::Expired);
    let risk = facts.risk.as_ref().filter(|_| for_staff || (ended && facts.screening.hits.is_empty()));
    json!({
        "document": documents_check(case), "liveness": case.liveness_state(rules), "face_match": case.face_state(),
        "screening": screening, "risk": risk,
    })
}

/// The check at a vendor. The client is told what to do about it; what the vendor thinks of him is for whoever decides.
fn vendor_view(case: &KycCase, vendor: &CaseVendor, for_staff: bool) -> Value {
    let standing = case.vendor_standing();
    let told = match standing {
        VendorStanding::Final | VendorStanding::Review => VendorStanding::Pending,
        VendorStanding::None
        | VendorStanding::Pending
        | VendorStanding::Approved
        | VendorStanding::Retry
        | VendorStanding::Expired
        | VendorStanding::Revoked
        | VendorStanding::Unavailable => standing,
    };
    let mut view = json!({"name": vendor.name, "status": if for_staff { standing } else { told }});
    let Some(object) = view.as_object_mut() else { return view };
    if let Some(applicant) = &vendor.applicant_id {
        object.insert("applicant_id".to_owned(), json!(applicant));
    }
    if for_staff {
        object.insert("since".to_owned(), json!(vendor.since));
        object.insert("labels".to_owned(), json!(vendor.labels));
        object.insert("tried".to_owned(), json!(vendor.tried));
    }
    view
}

fn document_view(document: &CaseDocument, for_staff: bool) -> Value {
    let mut view = json!({
        "document_id": document.document_id, "kind": document.kind, "side": document.side, "status": document.status,
        "reasons": document.reasons, "read": document.read,
    });
    if let Some(object) = view.as_object_mut().filter(|_| for_staff) {
        object.insert("sure".to_owned(), json!(document.sure));
        object.insert("findings".to_owned(), json!(document.findings));
    }
    view
}

/// How the reading of the documents stands.
fn documents_check(case: &KycCase) -> &'static str {
    let counting = case.counting();
    let done = !counting.is_empty() && counting.iter().all(|document| document.is_done());
    if done { "done" } else { "pending" }
}
