//! Sumsub: applicants at a level, links for them, signed events.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};

use crate::clock::{Clock, Ids};
use crate::config::SumsubConfig;
use crate::courier::Courier;
use crate::fault::Refusal;
use crate::reply;
use crate::request::Call;

use super::office::open;
use super::signature::{BodySigner, hmac_hex};
use super::{Case, Fact, Office, Standing, Vendor, dated, waiting, written};

/// How far a request's time may be from now. The vendor's own figure is not public.
const TOLERANCE_S: i64 = 300;

/// `X-App-Access-Sig` of a request: time, method, path with query as sent, body.
pub fn request_signature(secret: &str, time: &str, method: &str, target: &str, body: &[u8]) -> String {
    hmac_hex(secret, &[time.as_bytes(), method.as_bytes(), target.as_bytes(), body])
}

/// `X-Payload-Digest` of a webhook, by `HMAC_SHA256_HEX`.
pub fn payload_digest(secret: &str, body: &[u8]) -> String {
    hmac_hex(secret, &[body])
}

/// The simulator.
pub(crate) struct Sumsub {
    config: SumsubConfig,
    office: Office,
}

impl Sumsub {
    pub(crate) fn new(
        config: SumsubConfig,
        decides_after_ms: Option<u64>,
        base_url: String,
        tools: (Arc<Ids>, Clock, Arc<Courier>),
    ) -> Arc<Self> {
        let signer = Arc::new(BodySigner {
            secret: config.webhook_secret.clone(),
            header: "x-payload-digest",
            headers: vec![("x-payload-digest-alg", "HMAC_SHA256_HEX".to_owned())],
        });
        Arc::new(Self { office: Office::new(signer, decides_after_ms, base_url, tools), config })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/resources/applicants", post(create))
            .route("/resources/applicants/{id}/one", get(read))
            .route("/resources/sdkIntegrations/levels/-/websdkLink", post(link))
            .with_state(Arc::clone(self))
            .merge(super::routes(self))
    }

    /// Checks token, time and signature, applies the script, does it.
    async fn serve<A>(self: &Arc<Self>, operation: &str, call: Call, apply: A) -> Response
    where
        A: FnOnce(&Arc<Self>, &Call) -> Response + Send + 'static,
    {
        if let Err(why) = self.check(&call) {
            self.office.desk.count("unauthorised");
            return error(StatusCode::UNAUTHORIZED, 401, why);
        }
        let (sumsub, call) = (Arc::clone(self), Arc::new(call));
        let parameters = Arc::clone(&call);
        let refuse = |refusal: &Refusal| {
            let status = refusal.http_status(500);
            waiting(error(status, status.as_u16(), &refusal.text("Refused by script.")), refusal)
        };
        let response =
            self.office.desk.serve(operation, || parameters.flat(), refuse, move || apply(&sumsub, &call)).await;
        dated(response, self.office.clock.now_ms())
    }

    fn check(&self, call: &Call) -> Result<(), &'static str> {
        if call.header("x-app-token") != Some(self.config.app_token.as_str()) {
            return Err("Invalid app token");
        }
        let time = call.header("x-app-access-ts").unwrap_or_default();
        let near = time.parse().is_ok_and(|time: i64| (time - self.office.clock.now_s()).abs() <= TOLERANCE_S);
        if !near {
            return Err("Request timestamp is too old or in the future");
        }
        let right = request_signature(&self.config.secret_key, time, call.method.as_str(), &call.target, &call.body);
        if call.header("x-app-access-sig") == Some(right.as_str()) { Ok(()) } else { Err("Invalid signature") }
    }

    fn applicant(&self, case: &Case) -> Value {
        json!({
            "id": case.reference,
            "createdAt": written(case.created_ms, "%Y-%m-%d %H:%M:%S"),
            "clientId": "local",
            "inspectionId": case.own.get("inspectionId"),
            "externalUserId": case.client_id,
            "fixedInfo": case.own.get("fixedInfo"),
            "email": case.own.get("email"),
            "phone": case.own.get("phone"),
            "lang": case.own.get("lang"),
            "type": "individual",
            "review": {
                "levelName": case.own.get("levelName"),
                "createDate": written(case.created_ms, "%Y-%m-%d %H:%M:%S+0000"),
                "reviewDate": written(case.changed_ms, "%Y-%m-%d %H:%M:%S+0000"),
                "reviewStatus": status(case.standing),
                "reviewResult": result(case),
            },
        })
    }

    fn event(&self, kind: &str, status: &str, result: &Value, case: &Case) -> Fact {
        let body = json!({
            "applicantId": case.reference,
            "inspectionId": case.own.get("inspectionId"),
            "correlationId": self.office.ids.hex32("correlation"),
            "externalUserId": case.client_id,
            "levelName": case.own.get("levelName").cloned().unwrap_or_else(|| json!(self.config.level)),
            "type": kind,
            "reviewStatus": status,
            "reviewResult": result,
            "applicantType": "individual",
            "sandboxMode": false,
            "clientId": "local",
            "createdAtMs": written(case.changed_ms, "%Y-%m-%d %H:%M:%S.%3f"),
        });
        Fact { kind: kind.to_owned(), body: without_nulls(body) }
    }
}

fn without_nulls(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    body
}

fn status(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "pending",
        Standing::Approved | Standing::Retry | Standing::Final => "completed",
        Standing::Review => "onHold",
        Standing::Expired | Standing::Revoked => "init",
    }
}

fn result(case: &Case) -> Value {
    let refused = |kind: &str| {
        json!({
            "reviewAnswer": "RED", "reviewRejectType": kind, "rejectLabels": case.labels,
            "moderationComment": case.comment, "clientComment": "For the customer's staff only.",
        })
    };
    match case.standing {
        Standing::Approved => json!({"reviewAnswer": "GREEN"}),
        Standing::Retry => refused("RETRY"),
        Standing::Final => refused("FINAL"),
        Standing::Open | Standing::Review | Standing::Expired | Standing::Revoked => Value::Null,
    }
}

fn error(status: StatusCode, code: u16, description: &str) -> Response {
    reply::json(status, &json!({"code": code, "correlationId": "req-local", "description": description}))
}

async fn create(State(sumsub): State<Arc<Sumsub>>, call: Call) -> Response {
    sumsub.serve("create_applicant", call, create_applicant).await
}

fn create_applicant(sumsub: &Arc<Sumsub>, call: &Call) -> Response {
    let level = call.query("levelName").unwrap_or_default();
    if level != sumsub.config.level {
        return error(StatusCode::BAD_REQUEST, 400, "There is no such level");
    }
    let body = call.json.clone().unwrap_or_default();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let client_id = text("/externalUserId");
    if client_id.is_empty() {
        return error(StatusCode::BAD_REQUEST, 400, "externalUserId is required");
    }
    let name = format!("{} {}", text("/fixedInfo/firstName"), text("/fixedInfo/lastName"));
    let mut case = sumsub.office.fresh(sumsub.office.ids.make(""), client_id, &name);
    case.own = ["fixedInfo", "email", "phone", "lang"]
        .into_iter()
        .filter_map(|member| Some((member.to_owned(), body.get(member)?.clone())))
        .collect();
    case.own.insert("levelName".to_owned(), json!(level));
    case.own.insert("inspectionId".to_owned(), json!(sumsub.office.ids.make("")));
    let answer = sumsub.applicant(&case);
    match open(sumsub, case, |case| case.client_id == client_id) {
        Some(there) => {
            let words = format!("Applicant with external user id '{client_id}' already exists: {}", there.reference);
            error(StatusCode::CONFLICT, 409, &words)
        }
        None => reply::json(StatusCode::CREATED, &answer),
    }
}

async fn read(State(sumsub): State<Arc<Sumsub>>, Path(id): Path<String>, call: Call) -> Response {
    let operation = if id.starts_with("-;") { "find_applicant" } else { "get_applicant" };
    let read = move |sumsub: &Arc<Sumsub>, _: &Call| {
        let found = match id.strip_prefix("-;externalUserId=") {
            Some(client_id) => sumsub.office.find(|case| case.client_id == client_id),
            None => sumsub.office.by_reference(&id),
        };
        match found {
            Some(case) => reply::ok(&sumsub.applicant(&case)),
            None => error(StatusCode::NOT_FOUND, 404, "Applicant not found"),
        }
    };
    sumsub.serve(operation, call, read).await
}

async fn link(State(sumsub): State<Arc<Sumsub>>, call: Call) -> Response {
    sumsub.serve("make_link", call, make_link).await
}

fn make_link(sumsub: &Arc<Sumsub>, call: &Call) -> Response {
    let body = call.json.clone().unwrap_or_default();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    if text("/levelName") != Some(sumsub.config.level.as_str()) {
        return error(StatusCode::BAD_REQUEST, 400, "There is no such level");
    }
    let known = sumsub.office.find(|case| Some(case.client_id.as_str()) == text("/userId"));
    let Some(case) = known else { return error(StatusCode::NOT_FOUND, 404, "Applicant not found") };
    let back = text("/redirect/successUrl").map(str::to_owned);
    sumsub.office.change(&case.reference, |case| case.return_url = back);
    reply::ok(&json!({"url": format!("{}/apply/{}", sumsub.office.base_url, case.reference)}))
}

impl Vendor for Sumsub {
    const PATH: &'static str = "kyc/sumsub";
    const KNOWS: &'static [Standing] =
        &[Standing::Open, Standing::Approved, Standing::Retry, Standing::Final, Standing::Review, Standing::Revoked];

    fn office(&self) -> &Office {
        &self.office
    }

    fn tell(&self, case: &Case) -> Fact {
        let kind = match case.standing {
            Standing::Open => "applicantPending",
            Standing::Approved | Standing::Retry | Standing::Final => "applicantReviewed",
            Standing::Review => "applicantOnHold",
            Standing::Expired | Standing::Revoked => "applicantReset",
        };
        self.event(kind, status(case.standing), &result(case), case)
    }

    fn at_it(&self, case: &Case) -> Vec<Fact> {
        let case = Case { changed_ms: self.office.moment_ms(), ..case.clone() };
        vec![self.event("applicantPending", "pending", &Value::Null, &case)]
    }

    fn forge(&self, kind: &str, case: &Case) -> Fact {
        match kind {
            "applicantReviewed" => self.event(kind, "completed", &json!({"reviewAnswer": "GREEN"}), case),
            _ => self.event(kind, "pending", &Value::Null, case),
        }
    }
}
