//! The control routes all vendors have: faults, state, reset, and where webhooks go.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::courier::Courier;
use crate::desk::Desk;
use crate::fault::Planned;
use crate::payer::parse;
use crate::reply;
use crate::request::Call;

/// A simulator as the control routes see it.
pub(crate) trait Controlled: Send + Sync + 'static {
    /// Its front desk.
    fn desk(&self) -> &Desk;
    /// Everything recorded. `only` narrows it to one payment, login or client where the vendor has such.
    fn state(&self, only: Option<&str>) -> Map<String, Value>;
    /// Forgets everything recorded.
    fn clear(&self);
}

/// `/_control/faults`, `/_control/limit`, `/_control/state`, `/_control/reset`, `/_control/webhook_base`.
pub(crate) fn routes<V: Controlled>(vendor: Arc<V>, courier: Arc<Courier>) -> Router {
    Router::new()
        .route("/_control/faults", post(add_faults::<V>).delete(clear_faults::<V>))
        .route("/_control/limit", post(limit::<V>))
        .route("/_control/state", get(state::<V>))
        .route("/_control/reset", post(reset::<V>))
        .with_state(vendor)
        .merge(webhook_base_route(courier))
}

/// `/_control/webhook_base` sets where the webhooks of all vendors go.
pub(crate) fn webhook_base_route(courier: Arc<Courier>) -> Router {
    Router::new().route("/_control/webhook_base", post(webhook_base)).with_state(courier)
}

async fn add_faults<V: Controlled>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    match parse::<Vec<Planned>>(&call.body) {
        Ok(faults) => {
            let pending = vendor.desk().script_add(faults);
            reply::ok(&json!({ "pending": pending }))
        }
        Err(response) => *response,
    }
}

/// `POST /_control/limit`: how many calls are served at once; the others wait.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    at_once: Option<usize>,
}

async fn limit<V: Controlled>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    match parse::<Limit>(&call.body) {
        Ok(wanted) => {
            vendor.desk().limit(wanted.at_once.map(|places| places.max(1)));
            reply::ok(&json!({ "at_once": wanted.at_once }))
        }
        Err(response) => *response,
    }
}

async fn clear_faults<V: Controlled>(State(vendor): State<Arc<V>>) -> Response {
    vendor.desk().script_clear();
    reply::ok(&json!({ "pending": 0 }))
}

async fn state<V: Controlled>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    let only = ["payment_id", "login", "client_id"].into_iter().find_map(|name| call.query(name));
    let mut state = vendor.state(only);
    vendor.desk().describe(&mut state);
    if let Some(parts) = call.query("part") {
        state.retain(|name, _| parts.split(',').any(|part| part == name));
    }
    reply::ok(&Value::Object(state))
}

async fn reset<V: Controlled>(State(vendor): State<Arc<V>>) -> Response {
    vendor.clear();
    vendor.desk().reset();
    reply::ok(&json!({ "reset": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookBase {
    url: Option<String>,
}

async fn webhook_base(State(courier): State<Arc<Courier>>, call: Call) -> Response {
    match parse::<WebhookBase>(&call.body) {
        Ok(base) if base.url.as_deref().is_none_or(is_http) => {
            courier.set_base(base.url);
            reply::ok(&json!({ "set": true }))
        }
        Ok(_) => reply::control_error(StatusCode::BAD_REQUEST, "url must start with http://"),
        Err(response) => *response,
    }
}

fn is_http(url: &str) -> bool {
    url.starts_with("http://")
}
