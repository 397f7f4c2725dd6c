//! What the payer does with a handle, what becomes of a payment, and the events that tell of it.

use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::courier::Notification;
use crate::desk::lock;
use crate::payer::{Pay, SendEvent, named, unknown_payment};
use crate::reply;

use super::Paysafe;
use super::book::{Handle, Payment};

const OUTCOMES: &str = "outcome must be payable, succeeded, processing, failed, canceled, refunded or disputed";

fn bad(text: &str) -> Box<Response> {
    Box::new(reply::control_error(StatusCode::BAD_REQUEST, text))
}

/// Changes handle and payment as the act does and makes the event. `payable` waits for the merchant; `succeeded` is a payment for
/// which the merchant has asked.
pub(super) fn apply(vendor: &Paysafe, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref())
        .ok_or_else(|| bad("payment_id or reference is needed"))?;
    let book = &mut *lock(&vendor.till.book);
    let handle = book.find_mut(&name).ok_or_else(|| Box::new(unknown_payment()))?;
    let amount = order.amount_minor;
    let (event_name, object) = match order.outcome.as_str() {
        "payable" => handle_event(vendor, handle, "PAYABLE", "PAYMENT_HANDLE_PAYABLE"),
        "failed" => handle_event(vendor, handle, "FAILED", "PAYMENT_HANDLE_FAILED"),
        "canceled" | "expired" => handle_event(vendor, handle, "EXPIRED", "PAYMENT_HANDLE_EXPIRED"),
        "succeeded" => payment_event(vendor, handle, amount, "COMPLETED", "PAYMENT_COMPLETED"),
        "processing" => payment_event(vendor, handle, amount, "PROCESSING", "PAYMENT_PROCESSING"),
        "disputed" => ("PAYMENT_RETURNED_COMPLETED", handle.payment_object().ok_or_else(|| bad("nothing was paid"))?),
        "refunded" => ("REFUND_COMPLETED", refund(vendor, handle, amount).ok_or_else(|| bad("nothing was paid"))?),
        _ => return Err(bad(OUTCOMES)),
    };
    let handle = handle.clone();
    let event = event(vendor, &handle, event_name, object);
    let answer = json!({
        "reference": handle.payment.as_ref().map(|payment| payment.id.clone()),
        "payment_id": handle.merchant_ref,
        "status": handle.status,
        "event_id": event.event_id,
    });
    book.notifications.push(event.clone());
    Ok((answer, event))
}

fn handle_event(
    vendor: &Paysafe,
    handle: &mut Handle,
    status: &'static str,
    name: &'static str,
) -> (&'static str, Value) {
    handle.status = status;
    (name, handle.object(&vendor.till.base_url))
}

fn payment_event(
    vendor: &Paysafe,
    handle: &mut Handle,
    amount: Option<i64>,
    status: &'static str,
    name: &'static str,
) -> (&'static str, Value) {
    handle.status = "COMPLETED";
    let payment = handle.payment.get_or_insert_with(|| Payment {
        id: vendor.till.ids.make(""),
        amount: handle.amount,
        currency: handle.currency.clone(),
        status,
        time: vendor.now(),
    });
    payment.status = status;
    payment.amount = amount.unwrap_or(payment.amount);
    (name, handle.payment_object().unwrap_or_default())
}

/// A refund has numbers of its own, and names the payment that it is of.
fn refund(vendor: &Paysafe, handle: &Handle, amount: Option<i64>) -> Option<Value> {
    let payment = handle.payment.as_ref()?;
    let id = vendor.till.ids.make("");
    Some(json!({
        "id": id,
        "merchantRefNum": format!("refund-{id}"),
        "settlementId": payment.id,
        "paymentType": handle.payment_type,
        "amount": amount.unwrap_or(payment.amount),
        "currencyCode": payment.currency,
        "status": "COMPLETED",
        "txnTime": vendor.now(),
    }))
}

/// An event of any name about a payment; about an invented one if amount and currency are given.
pub(super) fn forge(vendor: &Paysafe, order: &SendEvent) -> Result<Notification, Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let book = &mut *lock(&vendor.till.book);
    let known = name.and_then(|name| book.find(&name).cloned());
    let mut about = known.or_else(|| invented(vendor, order)).ok_or_else(|| Box::new(unknown_payment()))?;
    let of_handle = order.event_type.starts_with("PAYMENT_HANDLE_");
    let (_, mut object) = match of_handle {
        true => ("", about.object(&vendor.till.base_url)),
        false => payment_event(vendor, &mut about, order.amount_minor, "COMPLETED", ""),
    };
    if let Some(members) = object.as_object_mut() {
        members.extend(order.object.clone());
    }
    let mut event = event(vendor, &about, &order.event_type, object);
    if let Some(event_id) = &order.event_id {
        event.event_id.clone_from(event_id);
    }
    book.notifications.push(event.clone());
    Ok(event)
}

/// A handle the vendor never made, for forged events.
fn invented(vendor: &Paysafe, order: &SendEvent) -> Option<Handle> {
    Some(Handle {
        id: order.reference.clone().unwrap_or_else(|| vendor.till.ids.make("")),
        token: vendor.till.ids.make("PH"),
        merchant_ref: order.payment_id.clone().unwrap_or_default(),
        payment_type: "NETELLER".to_owned(),
        amount: order.amount_minor?,
        currency: order.currency.clone()?,
        status: "PAYABLE",
        return_url: None,
        time: vendor.now(),
        payment: None,
    })
}

pub(super) fn event(vendor: &Paysafe, handle: &Handle, name: &str, payload: Value) -> Notification {
    let resource = payload.get("id").cloned().unwrap_or_default();
    let body = json!({
        "payload": payload,
        "eventType": name,
        "eventName": name,
        "attemptNumber": "1",
        "resourceId": resource,
        "eventDate": vendor.now(),
        "links": [],
        "mode": "live",
    });
    Notification {
        event_id: vendor.till.ids.make("ntf_"),
        event_type: name.to_owned(),
        payment_id: handle.merchant_ref.clone(),
        body: Bytes::from(body.to_string()),
        signed_values: String::new(),
    }
}
