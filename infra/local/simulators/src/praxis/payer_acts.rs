//! What the payer does in a session, and the notifications that tell of it.

use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::courier::{Notification, SignatureKind};
use crate::desk::lock;
use crate::payer::{Pay, SendEvent, named, unknown_payment};
use crate::reply;

use super::Praxis;
use super::api::{VERSION, message_about};
use super::message::{Members, object, raw, string};
use super::order::{Order, Transaction};
use super::signature::{NOTIFICATION_FIELDS, legacy_values, sign};

/// Version of the interface that signs inside the JSON.
const LEGACY_VERSION: &str = "1.1";

/// Statuses of a transaction.
const STATUSES: [&str; 14] = [
    "initialized",
    "pending",
    "pending_async",
    "authorized",
    "approved",
    "rejected",
    "declined",
    "chargeback",
    "reversed",
    "cancelled",
    "error",
    "requested",
    "in progress",
    "refund",
];

/// The vendor's word for an outcome; the words of the other vendor are understood too.
fn status_word(outcome: &str) -> Option<&'static str> {
    let word = match outcome {
        "succeeded" => "approved",
        "failed" => "rejected",
        "processing" => "pending",
        "canceled" => "cancelled",
        other => other,
    };
    STATUSES.into_iter().find(|status| *status == word)
}

fn bad(text: &str) -> Box<Response> {
    Box::new(reply::control_error(StatusCode::BAD_REQUEST, text))
}

/// Changes the order as the payer's act does and makes the notification.
pub(super) fn apply(praxis: &Praxis, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref())
        .ok_or_else(|| bad("payment_id or reference is needed"))?;
    let book = &mut *lock(&praxis.till.book);
    let mut changed = book.find(&name).cloned().ok_or_else(|| Box::new(unknown_payment()))?;
    if order.outcome == "expired" {
        changed.expired = true;
    } else {
        let status =
            status_word(&order.outcome).ok_or_else(|| bad("outcome must be a transaction status or expired"))?;
        let transaction = next_transaction(praxis, &changed, status);
        changed.transaction = Some(paid(transaction, order));
    }
    let signature = order.webhook.signature;
    let time = praxis.till.clock.now_s() + signature.clock_shift_s();
    let notification = notification(praxis, &changed, time, signature, |_| {});
    let answer = json!({
        "reference": changed.transaction.as_ref().map(|transaction| transaction.tid.clone()),
        "payment_id": changed.order_id,
        "status": changed.status(),
        "event_id": notification.event_id,
    });
    book.update(changed);
    book.notifications.push(notification.clone());
    Ok((answer, notification))
}

/// Goes on with the transaction, or starts another after one that ended badly.
fn next_transaction(praxis: &Praxis, order: &Order, status: &str) -> Transaction {
    match &order.transaction {
        Some(going) if !matches!(going.status.as_str(), "rejected" | "declined" | "error" | "cancelled") => {
            Transaction { status: status.to_owned(), ..going.clone() }
        }
        _ => Transaction {
            tid: praxis.till.ids.number("tid").to_string(),
            transaction_id: praxis.till.ids.make("sim-"),
            status: status.to_owned(),
            amount: order.amount.clone(),
            currency: order.currency.clone(),
            conversion_rate: "1".to_owned(),
            processed_amount: order.amount.clone(),
            processed_currency: order.currency.clone(),
        },
    }
}

/// Lays the amounts the control route gave over the transaction.
fn paid(mut transaction: Transaction, order: &Pay) -> Transaction {
    if let Some(amount) = order.amount.clone().or_else(|| order.amount_minor.map(|amount| amount.to_string())) {
        transaction.amount.clone_from(&amount);
        transaction.processed_amount = amount;
    }
    if let Some(currency) = &order.currency {
        transaction.currency = currency.to_ascii_uppercase();
        transaction.processed_currency = currency.to_ascii_uppercase();
    }
    if let Some(amount) = order.processed_amount_minor {
        transaction.processed_amount = amount.to_string();
    }
    if let Some(currency) = &order.processed_currency {
        transaction.processed_currency = currency.to_ascii_uppercase();
    }
    if let Some(rate) = &order.conversion_rate {
        transaction.conversion_rate = rate.clone();
    }
    transaction
}

/// A notification of any status about an order; about an invented one if amount and currency are given.
pub(super) fn forge(praxis: &Praxis, order: &SendEvent) -> Result<Notification, Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let book = &mut *lock(&praxis.till.book);
    let known = name.and_then(|name| book.find(&name).cloned());
    let mut about = known.or_else(|| invented(praxis, order)).ok_or_else(|| Box::new(unknown_payment()))?;
    if order.event_type == "expired" {
        about.expired = true;
        about.transaction = None;
    } else {
        let status =
            status_word(&order.event_type).ok_or_else(|| bad("type must be a transaction status or expired"))?;
        let mut transaction = match &about.transaction {
            Some(same) => Transaction { status: status.to_owned(), ..same.clone() },
            None => next_transaction(praxis, &about, status),
        };
        if let Some(amount) = order.amount.clone().or_else(|| order.amount_minor.map(|amount| amount.to_string())) {
            transaction.amount.clone_from(&amount);
            transaction.processed_amount = amount;
        }
        if let Some(currency) = &order.currency {
            transaction.currency = currency.to_ascii_uppercase();
            transaction.processed_currency = currency.to_ascii_uppercase();
        }
        about.transaction = Some(transaction);
    }
    let signature = order.webhook.signature;
    let time = order.created.unwrap_or_else(|| praxis.till.clock.now_s() + signature.clock_shift_s());
    let mut notification = notification(praxis, &about, time, signature, |message| {
        message.patch(&order.object);
    });
    if let Some(event_id) = &order.event_id {
        notification.event_id = event_id.clone();
    }
    book.notifications.push(notification.clone());
    Ok(notification)
}

/// An order the vendor never made, for forged notifications.
fn invented(praxis: &Praxis, order: &SendEvent) -> Option<Order> {
    Some(Order {
        order_id: order.payment_id.clone().unwrap_or_default(),
        auth_token: praxis.till.ids.make(""),
        customer_token: praxis.till.ids.make("ct_"),
        intent: "payment".to_owned(),
        cid: "unknown".to_owned(),
        amount: order.amount_minor?.to_string(),
        currency: order.currency.clone()?,
        return_url: None,
        expired: false,
        transaction: None,
    })
}

fn notification(
    praxis: &Praxis,
    order: &Order,
    timestamp_s: i64,
    signature: SignatureKind,
    change: impl FnOnce(&mut super::message::Message),
) -> Notification {
    let (body, signed_values) = if signature == SignatureKind::Legacy {
        (legacy_body(praxis, order, timestamp_s), String::new())
    } else {
        let mut message = message_about(order);
        message.top = identity(praxis, timestamp_s, VERSION);
        change(&mut message);
        (message.text(), message.listed(&NOTIFICATION_FIELDS).concat())
    };
    Notification {
        event_id: praxis.till.ids.make("ntf_"),
        event_type: order.status().to_owned(),
        payment_id: order.order_id.clone(),
        body: Bytes::from(body),
        signed_values,
    }
}

fn identity(praxis: &Praxis, timestamp_s: i64, version: &str) -> Members {
    Members::from([
        ("merchant_id".to_owned(), string(&praxis.config.merchant_id)),
        ("application_key".to_owned(), string(&praxis.config.application_key)),
        ("timestamp".to_owned(), raw(&timestamp_s.to_string())),
        ("version".to_owned(), string(version)),
    ])
}

/// One flat object with its signature inside.
fn legacy_body(praxis: &Praxis, order: &Order, timestamp_s: i64) -> String {
    let mut members = identity(praxis, timestamp_s, LEGACY_VERSION);
    members.insert("order_id".to_owned(), string(&order.order_id));
    members.insert("customer_token".to_owned(), string(&order.customer_token));
    members.insert("transaction_status".to_owned(), string(order.status()));
    if let Some(transaction) = &order.transaction {
        members.insert("transaction_type".to_owned(), string("sale"));
        members.insert("trace_id".to_owned(), raw(&transaction.tid));
        members.insert("transaction_id".to_owned(), string(&transaction.transaction_id));
        members.insert("amount".to_owned(), raw(&transaction.amount));
        members.insert("currency".to_owned(), string(&transaction.currency));
        members.insert("charge_amount".to_owned(), raw(&transaction.processed_amount));
        members.insert("charge_currency".to_owned(), string(&transaction.processed_currency));
        members.insert("conversion_rate".to_owned(), raw(&transaction.conversion_rate));
        members.insert("error_details".to_owned(), raw("null"));
    }
    let signature = sign(legacy_values(&members), &praxis.config.secret);
    members.insert("signature".to_owned(), string(&signature));
    object(&members).get().to_owned()
}
