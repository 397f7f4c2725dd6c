//! What a test or a demo asks of a payment provider: pay, send an event, send again.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::courier::{Courier, Notification, Plan, Route};
use crate::reply;

fn yes() -> bool {
    true
}

/// `POST /_control/pay`: the payer does something.
#[derive(Debug, Deserialize)]
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
    /// Paid currency if it differs.
    pub(crate) currency: Option<String>,
    /// Praxis: processed amount, if it differs from the transaction's amount.
    pub(crate) processed_amount_minor: Option<i64>,
    /// Praxis: processed currency, if it differs.
    pub(crate) processed_currency: Option<String>,
    /// Praxis: conversion rate exactly as it shall be written.
    pub(crate) conversion_rate: Option<String>,
    #[serde(default)]
    pub(crate) webhook: Plan,
    /// Answers after the deliveries, or at once.
    #[serde(default = "yes")]
    pub(crate) wait: bool,
}

impl Pay {
    /// What the payer's page asks: one webhook, and no waiting for more than its answer.
    pub(crate) fn by_page(reference: &str, outcome: &str) -> Self {
        Self {
            payment_id: None,
            reference: Some(reference.to_owned()),
            outcome: outcome.to_owned(),
            amount_minor: None,
            currency: None,
            processed_amount_minor: None,
            processed_currency: None,
            conversion_rate: None,
            webhook: Plan::default(),
            wait: true,
        }
    }
}

/// `POST /_control/webhook`: any event about a payment; nothing changes at the vendor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendEvent {
    pub(crate) payment_id: Option<String>,
    pub(crate) reference: Option<String>,
    /// Stripe: event type. Praxis: transaction status, or `expired`.
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    pub(crate) event_id: Option<String>,
    /// Seconds since 1970: event time at Stripe, message timestamp at Praxis.
    pub(crate) created: Option<i64>,
    /// Stripe: status of the object in the event.
    pub(crate) status: Option<String>,
    pub(crate) amount_minor: Option<i64>,
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
