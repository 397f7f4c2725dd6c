//! What a test or a demo asks of a payment provider: pay, send an event, send again.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::control::{self, Controlled};
use crate::courier::{Courier, Notification, Plan, Route};
use crate::desk::Desk;
use crate::reply;
use crate::request::Call;

/// A payment provider that takes payers, as its control routes and the address of all of them see it.
pub(crate) trait Cashier: Send + Sync + 'static {
    /// Its part of the path at the address of all providers, and of the webhooks' path.
    fn name(&self) -> &'static str;
    /// Its front desk.
    fn desk(&self) -> &Desk;
    /// Everything recorded, of every payment or of one.
    fn state(&self, only: Option<&str>) -> Map<String, Value>;
    /// Forgets everything recorded.
    fn clear(&self);
    /// Carries its webhooks.
    fn courier(&self) -> &Arc<Courier>;
    /// Where they go and how they are signed.
    fn route(&self) -> Route;
    /// True when a payment of this name was created here.
    fn knows(&self, name: &Named<'_>) -> bool;
    /// The payer acts: the answer of the control route, and what the vendor tells.
    fn apply(&self, order: &Pay) -> Result<(Value, Notification), Box<Response>>;
    /// A notification about a payment, even one that was never made.
    fn forge(&self, order: &SendEvent) -> Result<Notification, Box<Response>>;
    /// The earlier notifications that a resend means.
    fn earlier(&self, order: &Resend) -> Vec<Notification>;
}

/// A cashier as the control routes of every simulator see it.
struct Counter<V>(Arc<V>);

impl<V: Cashier> Controlled for Counter<V> {
    fn desk(&self) -> &Desk {
        self.0.desk()
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        self.0.state(only)
    }

    fn clear(&self) {
        self.0.clear();
    }
}

/// The control routes of a provider.
pub(crate) fn routes<V: Cashier>(vendor: Arc<V>) -> Router {
    let courier = Arc::clone(vendor.courier());
    Router::new()
        .route("/_control/pay", post(control_pay::<V>))
        .route("/_control/webhook", post(control_webhook::<V>))
        .route("/_control/resend", post(control_resend::<V>))
        .with_state(Arc::clone(&vendor))
        .merge(control::routes(Arc::new(Counter(vendor)), courier))
}

async fn control_pay<V: Cashier>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    match parse(&call.body) {
        Ok(order) => pay(vendor.as_ref(), order).await,
        Err(response) => *response,
    }
}

async fn control_webhook<V: Cashier>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    match parse(&call.body) {
        Ok(order) => send_event(vendor.as_ref(), order).await,
        Err(response) => *response,
    }
}

async fn control_resend<V: Cashier>(State(vendor): State<Arc<V>>, call: Call) -> Response {
    match parse(&call.body) {
        Ok(order) => resend(vendor.as_ref(), order).await,
        Err(response) => *response,
    }
}

/// The payer acts, the vendor tells.
pub(crate) async fn pay(vendor: &dyn Cashier, order: Pay) -> Response {
    match vendor.apply(&order) {
        Ok((answer, notification)) => {
            let (plan, wait) = (order.webhook, order.wait);
            send_and_answer(vendor.courier(), vendor.route(), vec![notification], plan, wait, answer).await
        }
        Err(response) => *response,
    }
}

/// Sends any notification about a payment, even one that was never made.
pub(crate) async fn send_event(vendor: &dyn Cashier, order: SendEvent) -> Response {
    match vendor.forge(&order) {
        Ok(notification) => {
            let answer = json!({ "event_id": notification.event_id });
            let (plan, wait) = (order.webhook, order.wait);
            send_and_answer(vendor.courier(), vendor.route(), vec![notification], plan, wait, answer).await
        }
        Err(response) => *response,
    }
}

/// Sends earlier notifications again.
pub(crate) async fn resend(vendor: &dyn Cashier, order: Resend) -> Response {
    let chosen = vendor.earlier(&order);
    let answer = json!({ "events": chosen.len() });
    send_and_answer(vendor.courier(), vendor.route(), chosen, order.webhook, order.wait, answer).await
}

fn yes() -> bool {
    true
}

/// `POST /_control/pay`: the payer does something.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pay {
    /// Our id of the payment.
    pub(crate) payment_id: Option<String>,
    /// The vendor's id.
    pub(crate) reference: Option<String>,
    /// What comes of it.
    pub(crate) outcome: String,
    /// Paid amount if it differs from the asked one, in the vendor's unit.
    pub(crate) amount_minor: Option<i64>,
    /// The same exactly as it shall be written, for vendors whose unit has decimals.
    pub(crate) amount: Option<String>,
    /// Paid currency if it differs.
    pub(crate) currency: Option<String>,
    /// Praxis: processed amount, if it differs from the transaction's amount.
    pub(crate) processed_amount_minor: Option<i64>,
    /// Praxis: processed currency, if it differs.
    pub(crate) processed_currency: Option<String>,
    /// Praxis: conversion rate exactly as it shall be written.
    pub(crate) conversion_rate: Option<String>,
    /// Stripe: the name that the payer gives with his card.
    pub(crate) payer_name: Option<String>,
    #[serde(default)]
    pub(crate) webhook: Plan,
    /// Answers after the deliveries, or at once.
    #[serde(default = "yes")]
    pub(crate) wait: bool,
}

impl Pay {
    /// What the payer's page asks: one webhook, and no waiting for more than its answer.
    pub(crate) fn by_page(reference: &str, outcome: &str) -> Self {
        Self { reference: Some(reference.to_owned()), outcome: outcome.to_owned(), wait: true, ..Self::default() }
    }
}

/// `POST /_control/webhook`: any event about a payment; nothing changes at the vendor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendEvent {
    pub(crate) payment_id: Option<String>,
    pub(crate) reference: Option<String>,
    /// The vendor's own word: Stripe's event type, Praxis's transaction status or `expired`.
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    pub(crate) event_id: Option<String>,
    /// Seconds since 1970: event time at Stripe, message timestamp at Praxis.
    pub(crate) created: Option<i64>,
    /// Stripe: status of the object in the event.
    pub(crate) status: Option<String>,
    pub(crate) amount_minor: Option<i64>,
    /// The amount exactly as it shall be written, for vendors whose unit has decimals.
    pub(crate) amount: Option<String>,
    pub(crate) currency: Option<String>,
    /// Members merged over the object (Stripe) or the message (Praxis).
    #[serde(default)]
    pub(crate) object: Map<String, Value>,
    #[serde(default)]
    pub(crate) webhook: Plan,
    #[serde(default = "yes")]
    pub(crate) wait: bool,
}

/// `POST /_control/resend`: the vendor tries again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resend {
    /// Which payment's last notification; absent: every one that was not accepted.
    pub(crate) payment_id: Option<String>,
    /// Or exactly this notification.
    pub(crate) event_id: Option<String>,
    #[serde(default)]
    pub(crate) webhook: Plan,
    #[serde(default = "yes")]
    pub(crate) wait: bool,
}

/// Names a payment as the caller did.
pub(crate) enum Named<'a> {
    Reference(&'a str),
    PaymentId(&'a str),
}

/// The reference wins: it is exact, where a payment id may have several attempts.
pub(crate) fn named<'a>(reference: Option<&'a String>, payment_id: Option<&'a String>) -> Option<Named<'a>> {
    reference.map(|id| Named::Reference(id)).or_else(|| payment_id.map(|id| Named::PaymentId(id)))
}

/// Sends the notifications, waits if asked, and completes `answer` with the deliveries.
pub(crate) async fn send_and_answer(
    courier: &Arc<Courier>,
    route: Route,
    notifications: Vec<Notification>,
    plan: Plan,
    wait: bool,
    mut answer: Value,
) -> Response {
    let mut tasks = Vec::new();
    for notification in notifications {
        let courier = Arc::clone(courier);
        // In a task of its own: what a payer began goes on when the caller hangs up.
        tasks.push(tokio::spawn(courier.deliver(route.clone(), notification, plan)));
    }
    let mut deliveries = Vec::new();
    if wait {
        for task in tasks {
            match task.await {
                Ok(done) => deliveries.extend(done),
                Err(error) => {
                    let text = format!("delivery ended: {error}");
                    return reply::control_error(StatusCode::INTERNAL_SERVER_ERROR, &text);
                }
            }
        }
    }
    if let Some(members) = answer.as_object_mut() {
        members.insert("deliveries".to_owned(), json!(deliveries));
    }
    reply::ok(&answer)
}

/// A control route's input.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response>> {
    serde_json::from_slice(body)
        .map_err(|error| Box::new(reply::control_error(StatusCode::BAD_REQUEST, &error.to_string())))
}

/// The control route does not know the payment.
pub(crate) fn unknown_payment() -> Response {
    reply::control_error(StatusCode::NOT_FOUND, "no such payment")
}
