//! The ad platform: a Graph API that has the data of leads, and the webhook that announces them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::MetaConfig;
use crate::control::{self, Controlled};
use crate::courier::{Courier, Delivery, Notification, Plan, Route, SignatureKind, Signed, Signer};
use crate::desk::{Desk, lock};
use crate::fault::Refusal;
use crate::payer::parse;
use crate::reply;
use crate::request::Call;

/// `sha256=` and the hex HMAC-SHA256 over the raw body, keyed by the app secret.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body)))
}

struct WebhookSigner(String);

impl Signer for WebhookSigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let value =
            kind.value(|| signature(&self.0, &notification.body), || signature("another-app", &notification.body));
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(value.map(|value| ("x-hub-signature-256", value)));
        Signed { headers, body: notification.sent(kind) }
    }
}

/// The simulator.
pub(crate) struct Meta {
    config: MetaConfig,
    courier: Arc<Courier>,
    ids: Arc<Ids>,
    clock: Clock,
    desk: Desk,
    leads: Mutex<BTreeMap<String, Value>>,
    /// Forms with their questions, by number.
    forms: Mutex<BTreeMap<String, Value>>,
    log: Arc<Mutex<Vec<Delivery>>>,
}

impl Meta {
    pub(crate) fn new(config: MetaConfig, ids: Arc<Ids>, clock: Clock, courier: Arc<Courier>) -> Arc<Self> {
        Arc::new(Self {
            desk: Desk::new(clock.clone()),
            config,
            courier,
            ids,
            clock,
            leads: Mutex::default(),
            forms: Mutex::default(),
            log: Arc::default(),
        })
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/{version}/{leadgen_id}", get(lead))
            .route("/_control/leads", post(send_form))
            .route("/_control/forms", post(make_form))
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), Arc::clone(&self.courier)))
    }

    fn route(&self) -> Route {
        Route {
            vendor: "leads/meta",
            signer: Arc::new(WebhookSigner(self.config.app_secret.clone())),
            log: Arc::clone(&self.log),
        }
    }

    fn take(&self, call: &Call) -> Response {
        let token = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if token.or(call.query("access_token")) != Some(self.config.page_token.as_str()) {
            return error(StatusCode::UNAUTHORIZED, 190, "Invalid OAuth access token.");
        }
        let id = call.path.rsplit('/').next().unwrap_or_default();
        if let Some(form) = lock(&self.forms).get(id) {
            return reply::ok(form);
        }
        match lock(&self.leads).get(id) {
            Some(lead) => reply::ok(lead),
            None => error(StatusCode::BAD_REQUEST, 100, "Unsupported get request. Object does not exist."),
        }
    }
}

fn error(status: StatusCode, code: i64, message: &str) -> Response {
    reply::json(status, &json!({"error": {"message": message, "type": "OAuthException", "code": code}}))
}

fn refuse(refusal: &Refusal) -> Response {
    let code = refusal.code.as_deref().and_then(|code| code.parse().ok()).unwrap_or(2);
    error(refusal.http_status(500), code, "An unexpected error has occurred. Please retry your request later.")
}

async fn lead(State(meta): State<Arc<Meta>>, call: Call) -> Response {
    let call = Arc::new(call);
    let apply = {
        let (meta, call) = (Arc::clone(&meta), Arc::clone(&call));
        move || meta.take(&call)
    };
    meta.desk.serve("lead", || call.flat(), refuse, apply).await
}

/// `POST /_control/leads`: somebody sends a form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendForm {
    /// Given to send the same lead's webhook again.
    leadgen_id: Option<String>,
    #[serde(default)]
    form_id: Option<String>,
    #[serde(default)]
    page_id: Option<String>,
    #[serde(default)]
    ad_id: Option<String>,
    /// Seconds since 1970.
    created_time: Option<i64>,
    /// The form's answers by field name.
    #[serde(default)]
    fields: Map<String, Value>,
    #[serde(default)]
    webhook: Plan,
}

async fn send_form(State(meta): State<Arc<Meta>>, call: Call) -> Response {
    let form = match parse::<SendForm>(&call.body) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let id = form.leadgen_id.unwrap_or_else(|| meta.ids.number("leadgen").to_string());
    let created = form.created_time.unwrap_or_else(|| meta.clock.now_s());
    let (form_id, page_id) =
        (form.form_id.unwrap_or_else(|| "1001".to_owned()), form.page_id.unwrap_or_else(|| "2002".to_owned()));
    let ad_id = form.ad_id.unwrap_or_else(|| "3003".to_owned());
    if !form.fields.is_empty() {
        let fields: Vec<Value> = form
            .fields
            .iter()
            .map(|(name, value)| {
                let values = if value.is_array() { value.clone() } else { json!([value]) };
                json!({"name": name, "values": values})
            })
            .collect();
        let lead = json!({"id": id, "created_time": created, "form_id": form_id, "field_data": fields});
        lock(&meta.leads).insert(id.clone(), lead);
    }
    let value = json!({
        "leadgen_id": id, "form_id": form_id, "page_id": page_id, "ad_id": ad_id, "adgroup_id": ad_id, "created_time": created,
    });
    let body = json!({
        "object": "page",
        "entry": [{"id": page_id, "time": created, "changes": [{"field": "leadgen", "value": value}]}],
    });
    let notification = Notification {
        event_id: id.clone(),
        event_type: "leadgen".to_owned(),
        payment_id: String::new(),
        body: Bytes::from(body.to_string()),
        signed_values: String::new(),
    };
    let deliveries = Arc::clone(&meta.courier).deliver(meta.route(), notification, form.webhook).await;
    reply::ok(&json!({"leadgen_id": id, "deliveries": deliveries}))
}

/// `POST /_control/forms`: a form whose questions the Graph API tells, `{form_id, questions: [{key, type, label}]}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MakeForm {
    form_id: String,
    questions: Vec<Value>,
}

async fn make_form(State(meta): State<Arc<Meta>>, call: Call) -> Response {
    let form = match parse::<MakeForm>(&call.body) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let made = json!({"id": form.form_id, "questions": form.questions});
    lock(&meta.forms).insert(form.form_id, made.clone());
    reply::ok(&made)
}

impl Controlled for Meta {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, _only: Option<&str>) -> Map<String, Value> {
        Map::from_iter([
            ("leads".to_owned(), json!(*lock(&self.leads))),
            ("deliveries".to_owned(), json!(*lock(&self.log))),
        ])
    }

    fn clear(&self) {
        lock(&self.leads).clear();
        lock(&self.forms).clear();
        lock(&self.log).clear();
    }
}
