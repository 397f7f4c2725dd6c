//! What the payer does to an intent, and the events that tell of it.

use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::courier::Notification;
use crate::desk::lock;
use crate::payer::{Named, Pay, SendEvent, named, unknown_payment};
use crate::reply;

use super::Stripe;
use super::book::Book;
use super::intent::Intent;

/// Version of the event format.
const API_VERSION: &str = "2024-06-20";

const OUTCOMES: &str = "outcome must be succeeded, failed, processing, canceled, requires_action, refunded or disputed";

/// Changes the intent as the payer's act does and makes the event.
pub(super) fn apply(stripe: &Stripe, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
    let bad = |text: &str| Box::new(reply::control_error(StatusCode::BAD_REQUEST, text));
    let name = named(order.reference.as_ref(), order.payment_id.as_ref())
        .ok_or_else(|| bad("payment_id or reference is needed"))?;
    let book = &mut *lock(&stripe.till.book);
    let intent = book.find_mut(&name).ok_or_else(|| Box::new(unknown_payment()))?;
    let event_type = change(stripe, intent, order).ok_or_else(|| bad(OUTCOMES))?;
    let object = match event_type {
        "charge.refunded" => intent.charge(),
        "charge.dispute.created" => dispute(stripe, intent, event_type),
        _ => intent.object(&stripe.till.base_url),
    };
    let event =
        notification(stripe.till.ids.make("evt_"), event_type, stripe.till.clock.now_s(), intent.payment_id(), object);
    let answer = json!({
        "reference": intent.id,
        "payment_id": intent.payment_id(),
        "status": intent.status,
        "amount_received": intent.amount_received,
        "currency": intent.currency,
        "event_id": event.event_id,
    });
    book.events.push(event.clone());
    Ok((answer, event))
}

/// Returns the event's type; `None` for an outcome the vendor does not have.
fn change(stripe: &Stripe, intent: &mut Intent, order: &Pay) -> Option<&'static str> {
    let event_type = match order.outcome.as_str() {
        "succeeded" => "payment_intent.succeeded",
        "failed" => "payment_intent.payment_failed",
        "processing" => "payment_intent.processing",
        "canceled" => "payment_intent.canceled",
        "requires_action" => "payment_intent.requires_action",
        "refunded" => "charge.refunded",
        "disputed" => "charge.dispute.created",
        _ => return None,
    };
    if let Some(currency) = &order.currency {
        intent.currency = currency.to_ascii_lowercase();
    }
    match event_type {
        "payment_intent.succeeded" => {
            intent.status = "succeeded";
            intent.amount_received = order.amount_minor.unwrap_or(intent.amount);
            intent.latest_charge = Some(stripe.till.ids.make("ch_"));
            intent.payer_name.clone_from(&order.payer_name);
            intent.last_payment_error = None;
        }
        "payment_intent.payment_failed" => {
            intent.status = "requires_payment_method";
            intent.last_payment_error = Some(json!({
                "code": "card_declined",
                "decline_code": "generic_decline",
                "message": "Your card was declined.",
                "type": "card_error",
            }));
        }
        "payment_intent.processing" => intent.status = "processing",
        "payment_intent.canceled" => {
            intent.status = "canceled";
            intent.canceled_at = Some(stripe.till.clock.now_s());
        }
        "payment_intent.requires_action" => intent.status = "requires_action",
        "charge.refunded" => {
            let left = intent.amount_received - intent.amount_refunded;
            intent.amount_refunded += order.amount_minor.unwrap_or(left);
        }
        _ => {}
    }
    Some(event_type)
}

fn dispute(stripe: &Stripe, intent: &Intent, event_type: &str) -> Value {
    let status = match event_type {
        "charge.dispute.closed" | "charge.dispute.funds_withdrawn" => "lost",
        "charge.dispute.funds_reinstated" => "won",
        _ => "needs_response",
    };
    intent.dispute(&stripe.till.ids.make("dp_"), status, stripe.till.clock.now_s())
}

/// An event of any type about an intent; about an invented one if amount and currency are given.
pub(super) fn forge(stripe: &Stripe, order: &SendEvent) -> Result<Notification, Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let book = &mut *lock(&stripe.till.book);
    let known = name.and_then(|name| book.find(&name).cloned());
    let mut intent = known.or_else(|| invented(stripe, order)).ok_or_else(|| Box::new(unknown_payment()))?;
    if let Some(currency) = &order.currency {
        intent.currency = currency.clone();
    }
    if let Some(amount) = order.amount_minor {
        intent.amount_received = amount;
    }
    let mut object = event_object(stripe, &intent, order);
    if let (Some(members), Some(status)) = (object.as_object_mut(), &order.status) {
        members.insert("status".to_owned(), json!(status));
    }
    if let Some(members) = object.as_object_mut() {
        members.extend(order.object.clone());
    }
    if order.event_type.starts_with("refund.") {
        is_so(book, &object);
    }
    let event = notification(
        order.event_id.clone().unwrap_or_else(|| stripe.till.ids.make("evt_")),
        &order.event_type,
        order.created.unwrap_or_else(|| stripe.till.clock.now_s()),
        intent.payment_id(),
        object,
    );
    book.events.push(event.clone());
    Ok(event)
}

/// What an event tells of a refund of the books is so from then on: money of one that failed can be refunded again.
fn is_so(book: &mut Book, told: &Value) {
    let Some(refund) = book.refunds.iter_mut().find(|refund| refund.get("id") == told.get("id")) else { return };
    let (Some(status), Some(members)) = (told.get("status"), refund.as_object_mut()) else { return };
    let is_gone = |status: Option<&Value>| matches!(status.and_then(Value::as_str), Some("failed" | "canceled"));
    let (was, is) = (is_gone(members.get("status")), is_gone(Some(status)));
    let (amount, of) = (members.get("amount").and_then(Value::as_i64), members.get("payment_intent"));
    let (Some(amount), Some(of)) = (amount, of.and_then(Value::as_str).map(str::to_owned)) else { return };
    members.insert("status".to_owned(), status.clone());
    if let Some(intent) = book.find_mut(&Named::Reference(&of)).filter(|_| is && !was) {
        intent.amount_refunded -= amount;
    }
}

/// The object as it is at the moment the event tells of, whatever came later.
fn event_object(stripe: &Stripe, intent: &Intent, order: &SendEvent) -> Value {
    let event_type = order.event_type.as_str();
    if event_type.starts_with("charge.dispute.") {
        return dispute(stripe, intent, event_type);
    }
    if event_type.starts_with("charge.") {
        return intent.charge();
    }
    let mut then = intent.clone();
    match event_type {
        "payment_intent.succeeded" => {
            then.status = "succeeded";
            if order.amount_minor.is_none() && then.amount_received == 0 {
                then.amount_received = then.amount;
            }
            let charge = || stripe.till.ids.make("ch_");
            then.latest_charge = Some(then.latest_charge.unwrap_or_else(charge));
        }
        "payment_intent.payment_failed" => then.status = "requires_payment_method",
        "payment_intent.processing" => then.status = "processing",
        "payment_intent.canceled" => then.status = "canceled",
        "payment_intent.requires_action" => then.status = "requires_action",
        _ => {}
    }
    if then.status != "succeeded" && order.amount_minor.is_none() {
        then.amount_received = 0;
    }
    then.object(&stripe.till.base_url)
}

/// An intent the vendor never made, for forged events.
fn invented(stripe: &Stripe, order: &SendEvent) -> Option<Intent> {
    let amount = order.amount_minor?;
    let currency = order.currency.clone()?;
    let mut metadata = Map::new();
    if let Some(payment_id) = &order.payment_id {
        metadata.insert("payment_id".to_owned(), json!(payment_id));
    }
    let id = order.reference.clone().unwrap_or_else(|| stripe.till.ids.make("pi_"));
    Some(Intent {
        client_secret: format!("{id}_secret"),
        id,
        created: stripe.till.clock.now_s(),
        amount,
        amount_received: amount,
        amount_refunded: 0,
        currency,
        status: "requires_action",
        metadata,
        payment_method_types: vec!["card".to_owned()],
        echoed: Map::new(),
        return_url: None,
        latest_charge: None,
        payer_name: None,
        last_payment_error: None,
        canceled_at: None,
    })
}

fn notification(event_id: String, event_type: &str, created: i64, payment_id: &str, object: Value) -> Notification {
    let body = json!({
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": event_type,
    });
    Notification {
        event_id,
        event_type: event_type.to_owned(),
        payment_id: payment_id.to_owned(),
        body: Bytes::from(body.to_string()),
        signed_values: String::new(),
    }
}
