//! The control routes of vendors of identity checks, and the page that the vendor would show the client.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::control;
use crate::courier::Plan;
use crate::page::{escape, send_back};
use crate::payer::{parse, send_and_answer};
use crate::reply;
use crate::request::Call;

use super::office::{Case, Decision, Standing, Vendor, decide};

fn yes() -> bool {
    true
}

/// `/_control/decide`, `/_control/script`, `/_control/webhook`, `/_control/resend`, `/apply/{reference}`, and those of all vendors.
pub(crate) fn routes<V: Vendor>(vendor: &Arc<V>) -> Router {
    Router::new()
        .route("/_control/decide", post(decided::<V>))
        .route("/_control/script", post(scripted::<V>))
        .route("/_control/webhook", post(webhook::<V>))
        .route("/_control/resend", post(resend::<V>))
        .route("/apply/{reference}", get(page::<V>).post(applied::<V>))
        .with_state(Arc::clone(vendor))
        .merge(control::routes(Arc::clone(vendor), Arc::clone(&vendor.office().courier)))
}

/// `POST /_control/decide`: the vendor decides a check, also one that it had decided.
#[derive(Deserialize)]
struct Decide {
    reference: Option<String>,
    client_id: Option<String>,
    #[serde(default = "yes")]
    wait: bool,
    #[serde(flatten)]
    decision: Decision,
}

async fn decided<V: Vendor>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    let order = match parse::<Decide>(&call.body) {
        Ok(order) => order,
        Err(response) => return *response,
    };
    if !V::KNOWS.contains(&order.decision.outcome) {
        return reply::control_error(StatusCode::BAD_REQUEST, "this vendor has no such outcome");
    }
    let Some(case) = named(vendor.as_ref(), order.reference.as_deref(), order.client_id.as_deref()) else {
        return reply::control_error(StatusCode::NOT_FOUND, "no such check");
    };
    tell(&vendor, &case.reference, &order.decision, order.wait).await
}

async fn tell<V: Vendor>(vendor: &Arc<V>, reference: &str, decision: &Decision, wait: bool) -> Response {
    let Some((case, notification)) = decide(vendor.as_ref(), reference, decision) else {
        return reply::control_error(StatusCode::NOT_FOUND, "no such check");
    };
    let office = vendor.office();
    let answer = json!({"reference": case.reference, "client_id": case.client_id, "event_id": notification.event_id});
    send_and_answer(&office.courier, office.route::<V>(), vec![notification], decision.webhook, wait, answer).await
}

/// The client's last check, if the check is not named itself.
fn named<V: Vendor>(vendor: &V, reference: Option<&str>, client_id: Option<&str>) -> Option<Case> {
    match (reference, client_id) {
        (Some(reference), _) => vendor.office().by_reference(reference),
        (None, Some(client_id)) => vendor.office().last_of(client_id),
        (None, None) => None,
    }
}

/// `POST /_control/script`: what the vendor decides by itself from now on.
async fn scripted<V: Vendor>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    match parse(&call.body) {
        Ok(script) => {
            vendor.office().set_script(script);
            reply::ok(&json!({"set": true}))
        }
        Err(response) => *response,
    }
}

/// `POST /_control/webhook`: any event; nothing changes at the vendor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendEvent {
    #[serde(rename = "type")]
    kind: String,
    /// A check that never was, if there is none of the name.
    reference: Option<String>,
    client_id: Option<String>,
    /// When it shall have been, in milliseconds since 1970.
    at_ms: Option<i64>,
    /// Laid over the message, member by member.
    #[serde(default)]
    object: Map<String, Value>,
    #[serde(default)]
    webhook: Plan,
    #[serde(default = "yes")]
    wait: bool,
}

async fn webhook<V: Vendor>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    let order = match parse::<SendEvent>(&call.body) {
        Ok(order) => order,
        Err(response) => return *response,
    };
    let office = vendor.office();
    let known = named(vendor.as_ref(), order.reference.as_deref(), order.client_id.as_deref());
    let mut case = known.unwrap_or_else(|| {
        let reference = order.reference.clone().unwrap_or_else(|| office.ids.make(""));
        office.fresh(reference, order.client_id.as_deref().unwrap_or_default(), "")
    });
    case.changed_ms = order.at_ms.unwrap_or_else(|| office.moment_ms());
    let mut fact = vendor.forge(&order.kind, &case);
    lay(&mut fact.body, Value::Object(order.object));
    let notification = office.notification(&case, fact);
    let answer = json!({"reference": case.reference, "event_id": notification.event_id});
    send_and_answer(&office.courier, office.route::<V>(), vec![notification], order.webhook, order.wait, answer).await
}

fn lay(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                lay(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// `POST /_control/resend`: one event again, the last one of a client, or every one that nobody accepted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resend {
    event_id: Option<String>,
    client_id: Option<String>,
    #[serde(default)]
    webhook: Plan,
    #[serde(default = "yes")]
    wait: bool,
}

async fn resend<V: Vendor>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    let order = match parse::<Resend>(&call.body) {
        Ok(order) => order,
        Err(response) => return *response,
    };
    let office = vendor.office();
    let chosen = office.to_resend(order.event_id.as_deref(), order.client_id.as_deref());
    let answer = json!({"events": chosen.len()});
    send_and_answer(&office.courier, office.route::<V>(), chosen, order.webhook, order.wait, answer).await
}

/// The words on the page's buttons, and what they decide.
const BUTTONS: [(&str, &str, Standing); 3] = [
    ("Pass", "approved", Standing::Approved),
    ("Bad photo", "retry", Standing::Retry),
    ("Forged", "final", Standing::Final),
];

async fn page<V: Vendor>(State(vendor): State<Arc<V>>, Path(reference): Path<String>) -> Response {
    let Some(case) = vendor.office().by_reference(&reference) else {
        return reply::plain(StatusCode::NOT_FOUND, "no such check");
    };
    let button = |(text, value, _): &(&str, &str, Standing)| {
        format!("<button name=\"outcome\" value=\"{value}\">{text}</button>")
    };
    let buttons: String = BUTTONS.iter().filter(|(_, _, standing)| V::KNOWS.contains(standing)).map(button).collect();
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{vendor} (simulator)</title>\
         <style>body{{font:16px system-ui;margin:3rem auto;max-width:24rem}}button{{font:inherit;padding:.6rem 1rem}}</style>\
         <h1>{vendor} <small>simulator</small></h1><p>Check <code>{reference}</code></p>\
         <p>Status <strong id=\"status\">{standing}</strong></p><form method=\"post\">{buttons}</form></html>",
        vendor = V::PATH.rsplit('/').next().unwrap_or(V::PATH),
        reference = escape(&reference),
        standing = json!(case.standing).as_str().unwrap_or_default(),
    );
    reply::text(StatusCode::OK, "text/html; charset=utf-8", html)
}

async fn applied<V: Vendor>(State(vendor): State<Arc<V>>, Path(reference): Path<String>, call: Call) -> Response {
    let chosen = BUTTONS.iter().find(|(_, value, _)| call.form("outcome") == Some(value));
    let Some((_, value, standing)) = chosen.filter(|(_, _, standing)| V::KNOWS.contains(standing)) else {
        return reply::plain(StatusCode::BAD_REQUEST, "no such outcome");
    };
    let told = tell(&vendor, &reference, &Decision::plain(*standing), true).await;
    if !told.status().is_success() {
        return told;
    }
    let office = vendor.office();
    let back = office.by_reference(&reference).and_then(|case| case.return_url);
    let page = format!("{}/apply/{reference}", office.base_url);
    send_back(back.as_deref(), &[("outcome", *value)], &page)
}
