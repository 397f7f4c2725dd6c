//! What the payer does in a session, and the forms that tell of it.

use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::courier::Notification;
use crate::desk::lock;
use crate::payer::{Pay, SendEvent, named, unknown_payment};
use crate::reply;

use super::Skrill;
use super::book::Payment;

const OUTCOMES: &str = "outcome must be 2, 0, -1, -2, -3 or succeeded, processing, canceled, failed, disputed";

fn bad(text: &str) -> Box<Response> {
    Box::new(reply::control_error(StatusCode::BAD_REQUEST, text))
}

/// The vendor's number for an outcome; the words of the other vendors are understood too.
fn status(outcome: &str) -> Option<i32> {
    Some(match outcome {
        "2" | "succeeded" | "processed" => 2,
        "0" | "processing" | "pending" => 0,
        "-1" | "canceled" | "cancelled" => -1,
        "-2" | "failed" => -2,
        "-3" | "disputed" | "chargeback" => -3,
        _ => return None,
    })
}

/// Changes the payment as the payer's act does and makes the notification.
pub(super) fn apply(skrill: &Skrill, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref())
        .ok_or_else(|| bad("payment_id or reference is needed"))?;
    let status = status(&order.outcome).ok_or_else(|| bad(OUTCOMES))?;
    let book = &mut *lock(&skrill.till.book);
    let payment = book.find_mut(&name).ok_or_else(|| Box::new(unknown_payment()))?;
    if !payment.told {
        return Err(bad("the session was prepared without a status_url: nobody is told"));
    }
    if payment.status == Some(-2) {
        // another attempt
        payment.mb_transaction_id = skrill.till.ids.number("mb").to_string();
    }
    payment.status = Some(status);
    if let Some(amount) = &order.amount {
        payment.amount.clone_from(amount);
        payment.mb_amount.clone_from(amount);
    }
    if let Some(currency) = order.currency.as_ref().or(order.processed_currency.as_ref()) {
        payment.mb_currency = currency.to_ascii_uppercase();
    }
    let notification = notification(skrill, payment, &order.outcome, |_| {});
    let answer = json!({
        "reference": payment.mb_transaction_id,
        "payment_id": payment.transaction_id,
        "status": payment.status,
        "event_id": notification.event_id,
    });
    book.notifications.push(notification.clone());
    Ok((answer, notification))
}

/// A form of any status about a payment; about an invented one if amount and currency are given.
pub(super) fn forge(skrill: &Skrill, order: &SendEvent) -> Result<Notification, Box<Response>> {
    let status = status(&order.event_type).ok_or_else(|| bad(OUTCOMES))?;
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let book = &mut *lock(&skrill.till.book);
    let known = name.and_then(|name| book.find(&name).cloned());
    let mut about = known.or_else(|| invented(skrill, order)).ok_or_else(|| Box::new(unknown_payment()))?;
    about.status = Some(status);
    if let Some(amount) = &order.amount {
        about.mb_amount.clone_from(amount);
    }
    if let Some(currency) = &order.currency {
        about.mb_currency = currency.to_ascii_uppercase();
    }
    let mut notification = notification(skrill, &about, &order.event_type, |fields| {
        for (name, value) in &order.object {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.retain(|(known, _)| known != name);
            fields.push((name.clone(), value));
        }
    });
    if let Some(event_id) = &order.event_id {
        notification.event_id.clone_from(event_id);
    }
    book.notifications.push(notification.clone());
    Ok(notification)
}

/// A payment the vendor never made, for forged notifications.
fn invented(skrill: &Skrill, order: &SendEvent) -> Option<Payment> {
    let (amount, currency) = (order.amount.clone()?, order.currency.clone()?);
    Some(Payment {
        transaction_id: order.payment_id.clone().or_else(|| order.reference.clone())?,
        mb_transaction_id: skrill.till.ids.number("mb").to_string(),
        mb_amount: amount.clone(),
        mb_currency: currency.clone(),
        amount,
        currency,
        payer: "payer@example.com".to_owned(),
        return_url: None,
        told: true,
        status: None,
    })
}

fn notification(
    skrill: &Skrill,
    payment: &Payment,
    kind: &str,
    change: impl FnOnce(&mut Vec<(String, String)>),
) -> Notification {
    let mut fields = payment.fields(&skrill.config.merchant_email, &skrill.config.merchant_id);
    change(&mut fields);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Notification {
        event_id: skrill.till.ids.make("ntf_"),
        event_type: kind.to_owned(),
        payment_id: payment.transaction_id.clone(),
        body: Bytes::from(body),
        signed_values: String::new(),
    }
}
