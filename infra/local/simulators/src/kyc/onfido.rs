//! Onfido: applicants, workflow runs, and signed webhooks that name them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::OnfidoConfig;
use crate::courier::Courier;
use crate::desk::lock;
use crate::fault::Refusal;
use crate::reply;
use crate::request::Call;

use super::office::open;
use super::signature::{BodySigner, hmac_hex};
use super::{Case, Fact, Office, Standing, Vendor, dated, uuid, waiting, written};

/// `X-SHA2-Signature` of a webhook.
pub fn signature(token: &str, body: &[u8]) -> String {
    hmac_hex(token, &[body])
}

/// The simulator.
pub(crate) struct Onfido {
    config: OnfidoConfig,
    office: Office,
    /// Applicants with their names, by id.
    applicants: Mutex<Map<String, Value>>,
}

impl Onfido {
    pub(crate) fn new(
        config: OnfidoConfig,
        decides_after_ms: Option<u64>,
        base_url: String,
        tools: (Arc<Ids>, Clock, Arc<Courier>),
    ) -> Arc<Self> {
        let signer = Arc::new(BodySigner {
            secret: config.webhook_token.clone(),
            header: "x-sha2-signature",
            headers: Vec::new(),
        });
        let office = Office::new(signer, decides_after_ms, base_url, tools);
        Arc::new(Self { office, config, applicants: Mutex::default() })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v3.6/applicants", post(create_applicant))
            .route("/v3.6/workflow_runs", get(list).post(create_run))
            .route("/v3.6/workflow_runs/{id}", get(read_run))
            .route("/v3.6/checks/{id}", get(read_check))
            .with_state(Arc::clone(self))
            .merge(super::routes(self))
    }

    /// Checks the token, applies the script, does it.
    async fn serve<A>(self: &Arc<Self>, operation: &str, call: Call, apply: A) -> Response
    where
        A: FnOnce(&Arc<Self>, &Call) -> Response + Send + 'static,
    {
        let token = call.header("authorization").and_then(|value| value.strip_prefix("Token token="));
        if token != Some(self.config.api_token.as_str()) {
            self.office.desk.count("unauthorised");
            return error(
                StatusCode::UNAUTHORIZED,
                "authorization_error",
                "Authorization error: please re-check your credentials",
            );
        }
        let (onfido, call) = (Arc::clone(self), Arc::new(call));
        let parameters = Arc::clone(&call);
        let refuse = |refusal: &Refusal| {
            let status = refusal.http_status(500);
            let kind = refusal.code.as_deref().unwrap_or("internal_server_error");
            waiting(error(status, kind, &refusal.text("Refused by script.")), refusal)
        };
        let response =
            self.office.desk.serve(operation, || parameters.flat(), refuse, move || apply(&onfido, &call)).await;
        dated(response, self.office.clock.now_ms())
    }

    fn run(&self, case: &Case) -> Value {
        json!({
            "id": case.reference,
            "applicant_id": case.own.get("applicant_id"),
            "workflow_id": self.config.workflow_id,
            "workflow_version_id": 1,
            "status": status(case.standing),
            "output": {},
            "reasons": case.labels,
            "error": null,
            "customer_user_id": case.client_id,
            "tags": case.own.get("tags"),
            "link": {"url": format!("{}/apply/{}", self.office.base_url, case.reference)},
            "created_at": moment(case.created_ms),
            "updated_at": moment(case.changed_ms),
        })
    }

    fn event(&self, action: &str, status: &str, case: &Case) -> Fact {
        let (kind, _) = action.split_once('.').unwrap_or((action, ""));
        let path = if kind == "check" { "checks" } else { "workflow_runs" };
        let body = json!({"payload": {
            "resource_type": kind,
            "action": action,
            "object": {
                "id": case.reference,
                "status": status,
                "completed_at_iso8601": moment(case.changed_ms),
                "href": format!("https://api.eu.onfido.com/v3.6/{path}/{}", case.reference),
            },
            "resource": {
                "id": case.reference,
                "applicant_id": case.own.get("applicant_id"),
                "customer_user_id": case.client_id,
                "updated_at": moment(case.changed_ms),
            },
        }});
        Fact { kind: action.to_owned(), body }
    }
}

fn moment(at_ms: i64) -> String {
    written(at_ms, "%Y-%m-%dT%H:%M:%SZ")
}

fn status(standing: Standing) -> &'static str {
    match standing {
        Standing::Open | Standing::Retry | Standing::Revoked => "awaiting_input",
        Standing::Approved => "approved",
        Standing::Final => "declined",
        Standing::Review => "review",
        Standing::Expired => "abandoned",
    }
}

fn error(status: StatusCode, kind: &str, message: &str) -> Response {
    reply::json(status, &json!({"error": {"type": kind, "message": message, "fields": {}}}))
}

fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "resource_not_found", "Could not find this resource.")
}

async fn create_applicant(State(onfido): State<Arc<Onfido>>, call: Call) -> Response {
    let create = |onfido: &Arc<Onfido>, call: &Call| {
        let body = call.json.clone().unwrap_or_default();
        let name = |member: &str| body.get(member).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let (first, last) = (name("first_name"), name("last_name"));
        if first.is_empty() || last.is_empty() {
            let words = "There was a validation error on this request";
            return error(StatusCode::UNPROCESSABLE_ENTITY, "validation_error", words);
        }
        let id = uuid(&onfido.office.ids);
        lock(&onfido.applicants).insert(id.clone(), json!(format!("{first} {last}")));
        let now = moment(onfido.office.clock.now_ms());
        let answer = json!({"id": id, "first_name": first, "last_name": last, "created_at": now, "sandbox": false});
        reply::json(StatusCode::CREATED, &answer)
    };
    onfido.serve("create_applicant", call, create).await
}

async fn create_run(State(onfido): State<Arc<Onfido>>, call: Call) -> Response {
    let create = |onfido: &Arc<Onfido>, call: &Call| {
        let body = call.json.clone().unwrap_or_default();
        let text = |member: &str| body.get(member).and_then(Value::as_str).unwrap_or_default();
        let name = lock(&onfido.applicants).get(text("applicant_id")).and_then(Value::as_str).map(str::to_owned);
        let Some(name) = name.filter(|_| text("workflow_id") == onfido.config.workflow_id) else {
            let words = "There was a validation error on this request";
            return error(StatusCode::UNPROCESSABLE_ENTITY, "validation_error", words);
        };
        let mut case = onfido.office.fresh(uuid(&onfido.office.ids), text("customer_user_id"), &name);
        case.own.insert("applicant_id".to_owned(), json!(text("applicant_id")));
        case.own.insert("tags".to_owned(), body.get("tags").cloned().unwrap_or_default());
        case.return_url = body.pointer("/link/completed_redirect_url").and_then(Value::as_str).map(str::to_owned);
        let answer = onfido.run(&case);
        open(onfido, case, |_| false);
        reply::json(StatusCode::CREATED, &answer)
    };
    onfido.serve("create_run", call, create).await
}

async fn list(State(onfido): State<Arc<Onfido>>, call: Call) -> Response {
    let list = |onfido: &Arc<Onfido>, call: &Call| {
        let tag = json!(call.query("tags"));
        let has_tag =
            |case: &Case| case.own.get("tags").and_then(Value::as_array).is_some_and(|tags| tags.contains(&tag));
        let runs = onfido.office.all(|case| tag.is_null() || has_tag(case));
        let runs: Vec<_> = runs.iter().rev().map(|case| onfido.run(case)).collect();
        reply::ok(&json!(runs))
    };
    onfido.serve("list_runs", call, list).await
}

async fn read_run(State(onfido): State<Arc<Onfido>>, Path(id): Path<String>, call: Call) -> Response {
    let read = move |onfido: &Arc<Onfido>, _: &Call| match onfido.office.by_reference(&id) {
        Some(case) => reply::ok(&onfido.run(&case)),
        None => not_found(),
    };
    onfido.serve("get_run", call, read).await
}

/// There are no checks here that belong to no run; the script can answer one.
async fn read_check(State(onfido): State<Arc<Onfido>>, call: Call) -> Response {
    onfido.serve("get_check", call, |_, _| not_found()).await
}

impl Vendor for Onfido {
    const PATH: &'static str = "kyc/onfido";
    /// A run that lets the client try again does not end.
    const KNOWS: &'static [Standing] =
        &[Standing::Open, Standing::Approved, Standing::Final, Standing::Review, Standing::Expired];

    fn office(&self) -> &Office {
        &self.office
    }

    fn forget(&self) {
        lock(&self.applicants).clear();
    }

    fn tell(&self, case: &Case) -> Fact {
        self.event("workflow_run.completed", status(case.standing), case)
    }

    fn at_it(&self, _case: &Case) -> Vec<Fact> {
        Vec::new()
    }

    fn forge(&self, kind: &str, case: &Case) -> Fact {
        self.event(kind, if kind.starts_with("check.") { "complete" } else { "approved" }, case)
    }
}
