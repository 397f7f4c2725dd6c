//! Veriff: sessions, their decisions, and signed webhooks about both.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};

use crate::clock::{Clock, Ids};
use crate::config::VeriffConfig;
use crate::courier::Courier;
use crate::fault::Refusal;
use crate::reply;
use crate::request::Call;

use super::office::open;
use super::signature::{BodySigner, hmac_hex};
use super::{Case, Fact, Office, Standing, Vendor, dated, uuid, waiting, written};

/// `X-HMAC-SIGNATURE` of a body, or of a session's id where there is no body.
pub fn signature(secret: &str, signed: &[u8]) -> String {
    hmac_hex(secret, &[signed])
}

/// The simulator.
pub(crate) struct Veriff {
    config: VeriffConfig,
    office: Office,
}

impl Veriff {
    pub(crate) fn new(
        config: VeriffConfig,
        decides_after_ms: Option<u64>,
        base_url: String,
        tools: (Arc<Ids>, Clock, Arc<Courier>),
    ) -> Arc<Self> {
        let signer = Arc::new(BodySigner {
            secret: config.shared_secret.clone(),
            header: "x-hmac-signature",
            headers: vec![("x-auth-client", config.api_key.clone())],
        });
        Arc::new(Self { office: Office::new(signer, decides_after_ms, base_url, tools), config })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/sessions", post(create))
            .route("/v1/sessions/{id}/decision", get(decision))
            .with_state(Arc::clone(self))
            .merge(super::routes(self))
    }

    /// Checks key and signature over `signed`, applies the script, does it.
    async fn serve<A>(self: &Arc<Self>, operation: &str, call: Call, signed: &[u8], apply: A) -> Response
    where
        A: FnOnce(&Arc<Self>, &Call) -> Response + Send + 'static,
    {
        let right = signature(&self.config.shared_secret, signed);
        let is_known = call.header("x-auth-client") == Some(self.config.api_key.as_str());
        if !is_known || call.header("x-hmac-signature") != Some(right.as_str()) {
            self.office.desk.count("unauthorised");
            return error(StatusCode::UNAUTHORIZED, "1812", "Invalid key or signature");
        }
        let (veriff, call) = (Arc::clone(self), Arc::new(call));
        let parameters = Arc::clone(&call);
        let refuse = |refusal: &Refusal| {
            let code = refusal.code.as_deref().unwrap_or("1001");
            waiting(error(refusal.http_status(500), code, &refusal.text("Refused by script.")), refusal)
        };
        let response =
            self.office.desk.serve(operation, || parameters.flat(), refuse, move || apply(&veriff, &call)).await;
        dated(response, self.office.clock.now_ms())
    }
}

fn moment(at_ms: i64) -> String {
    written(at_ms, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

/// Status and code of a decision.
fn decided(standing: Standing) -> Option<(&'static str, i64)> {
    match standing {
        Standing::Open | Standing::Revoked => None,
        Standing::Approved => Some(("approved", 9001)),
        Standing::Final => Some(("declined", 9102)),
        Standing::Retry => Some(("resubmission_requested", 9103)),
        Standing::Expired => Some(("expired", 9104)),
        Standing::Review => Some(("review", 9121)),
    }
}

fn verification(case: &Case, (status, code): (&str, i64)) -> Value {
    let reason = case.labels.first().filter(|_| matches!(status, "declined" | "resubmission_requested"));
    let reason_code = reason.map(|label| label.parse::<i64>().map_or_else(|_| json!(label), |number| json!(number)));
    json!({
        "id": case.reference,
        "attemptId": format!("attempt-{}", case.decided),
        "vendorData": case.client_id,
        "status": status,
        "code": code,
        "reason": reason.and(case.comment.clone()),
        "reasonCode": reason_code,
        // a session that only ended was never decided
        "decisionTime": (code != 9104).then(|| moment(case.changed_ms)),
        "acceptanceTime": moment(case.created_ms),
        "person": {},
        "document": {},
    })
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    reply::json(status, &json!({"status": "fail", "code": code, "message": message}))
}

async fn create(State(veriff): State<Arc<Veriff>>, call: Call) -> Response {
    let signed = call.body.clone();
    veriff.serve("create_session", call, &signed, create_session).await
}

fn create_session(veriff: &Arc<Veriff>, call: &Call) -> Response {
    let body = call.json.clone().unwrap_or_default();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if !body.get("verification").is_some_and(Value::is_object) {
        return error(StatusCode::BAD_REQUEST, "1302", "Mandatory parameters are missing from the request");
    }
    let callback = text("/verification/callback");
    if !callback.is_empty() && !callback.starts_with("https://") {
        return error(StatusCode::BAD_REQUEST, "1301", "Callback URL must be https");
    }
    let client_id = text("/verification/vendorData");
    let (first, last) = (text("/verification/person/firstName"), text("/verification/person/lastName"));
    let mut case = veriff.office.fresh(uuid(&veriff.office.ids), client_id, &format!("{first} {last}"));
    case.return_url = Some(callback.to_owned()).filter(|url| !url.is_empty());
    case.own.insert("firstName".to_owned(), json!(first));
    let answer = json!({"status": "success", "verification": {
        "id": case.reference,
        "url": format!("{}/apply/{}", veriff.office.base_url, case.reference),
        "vendorData": client_id,
        "host": veriff.office.base_url,
        "status": "created",
        "sessionToken": veriff.office.ids.hex32("session-token"),
    }});
    open(veriff, case, |_| false);
    reply::json(StatusCode::CREATED, &answer)
}

async fn decision(State(veriff): State<Arc<Veriff>>, Path(id): Path<String>, call: Call) -> Response {
    let signed = id.clone();
    let read = move |veriff: &Arc<Veriff>, _: &Call| match veriff.office.by_reference(&id) {
        Some(case) => {
            let verification = decided(case.standing).map(|decided| verification(&case, decided));
            reply::ok(&json!({"status": "success", "verification": verification}))
        }
        None => error(StatusCode::NOT_FOUND, "1002", "Session not found"),
    };
    veriff.serve("get_decision", call, signed.as_bytes(), read).await
}

impl Vendor for Veriff {
    const PATH: &'static str = "kyc/veriff";
    const KNOWS: &'static [Standing] =
        &[Standing::Open, Standing::Approved, Standing::Retry, Standing::Final, Standing::Review, Standing::Expired];

    fn office(&self) -> &Office {
        &self.office
    }

    fn tell(&self, case: &Case) -> Fact {
        match decided(case.standing) {
            Some((status, code)) => {
                let body = json!({"status": "success", "verification": verification(case, (status, code))});
                Fact { kind: status.to_owned(), body }
            }
            None => self.forge("started", case),
        }
    }

    fn at_it(&self, case: &Case) -> Vec<Fact> {
        ["started", "submitted"].map(|action| self.forge(action, case)).into()
    }

    /// In the vendor's test integrations nobody decides but these first names.
    fn documented(&self, case: &Case) -> Option<Standing> {
        match case.own.get("firstName").and_then(Value::as_str) {
            Some("Approve") => Some(Standing::Approved),
            Some("Decline") => Some(Standing::Final),
            Some("Resubmit") => Some(Standing::Retry),
            _ => None,
        }
    }

    fn forge(&self, kind: &str, case: &Case) -> Fact {
        let all = [Standing::Approved, Standing::Final, Standing::Retry, Standing::Expired, Standing::Review];
        let decided = all.into_iter().filter_map(decided).find(|(status, _)| *status == kind);
        let body = match decided {
            Some(decided) => json!({"status": "success", "verification": verification(case, decided)}),
            None => json!({
                "id": case.reference, "attemptId": format!("attempt-{}", case.decided + 1), "feature": "selfid",
                "code": if kind == "started" { 7001 } else { 7002 }, "action": kind, "vendorData": case.client_id,
            }),
        };
        Fact { kind: kind.to_owned(), body }
    }
}
