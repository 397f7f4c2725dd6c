//! What comes to an address, and the callbacks that tell of it.

use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::courier::Notification;
use crate::desk::lock;
use crate::payer::{Pay, SendEvent, named, unknown_payment};
use crate::reply;

use super::CoinsPaid;
use super::book::{Address, Deposit};

const OUTCOMES: &str = "outcome must be not_confirmed, confirmed, cancelled or succeeded, processing, failed";

/// What is received where nobody says how much.
const RECEIVED: &str = "100";

fn bad(text: &str) -> Box<Response> {
    Box::new(reply::control_error(StatusCode::BAD_REQUEST, text))
}

/// The vendor's word for an outcome; the words of the other vendors are understood too.
fn status(outcome: &str) -> Option<&'static str> {
    Some(match outcome {
        "not_confirmed" | "processing" => "not_confirmed",
        "confirmed" | "succeeded" => "confirmed",
        "cancelled" | "failed" => "cancelled",
        _ => return None,
    })
}

/// As the vendor writes amounts: eight decimals.
fn written(amount: Decimal) -> String {
    format!("{amount:.8}")
}

/// Goes on with what is not confirmed yet, or begins with other coins.
pub(super) fn apply(vendor: &CoinsPaid, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref())
        .ok_or_else(|| bad("payment_id or reference is needed"))?;
    let status = status(&order.outcome).ok_or_else(|| bad(OUTCOMES))?;
    let number = |text: &str| text.parse::<Decimal>().map_err(|_| bad("amount must be a number"));
    let received = order.amount.as_deref().map(number).transpose()?;
    let rate = order.conversion_rate.as_deref().map(number).transpose()?.unwrap_or(Decimal::ONE);
    let book = &mut *lock(&vendor.till.book);
    let address = book.find_mut(&name).ok_or_else(|| Box::new(unknown_payment()))?;
    if address.deposits.last().is_none_or(Deposit::is_final) {
        let deposit = fresh(vendor, address, received, rate);
        address.deposits.push(deposit);
    }
    let Some(deposit) = address.deposits.last_mut() else { return Err(bad("no deposit")) };
    deposit.status = status;
    if let Some(received) = received {
        deposit.received = written(received);
        deposit.sent = written(received * rate);
    }
    if let Some(currency) = &order.currency {
        deposit.received_currency.clone_from(currency);
    }
    let deposit = deposit.clone();
    let notification = notification(vendor, address, &deposit, &Map::new());
    let answer = json!({
        "reference": deposit.id.to_string(),
        "payment_id": address.foreign_id,
        "status": deposit.status,
        "event_id": notification.event_id,
    });
    book.notifications.push(notification.clone());
    Ok((answer, notification))
}

fn fresh(vendor: &CoinsPaid, address: &Address, received: Option<Decimal>, rate: Decimal) -> Deposit {
    let received = received.or_else(|| RECEIVED.parse().ok()).unwrap_or_default();
    Deposit {
        id: vendor.till.ids.number("deposit"),
        status: "not_confirmed",
        sent: written(received * rate),
        received: written(received),
        received_currency: address.convert_to.clone().unwrap_or_else(|| address.currency.clone()),
        txid: vendor.till.ids.hex32("txid"),
    }
}

/// A callback of any status about an address; about an invented one if amount and currency are given.
pub(super) fn forge(vendor: &CoinsPaid, order: &SendEvent) -> Result<Notification, Box<Response>> {
    let status = status(&order.event_type).ok_or_else(|| bad(OUTCOMES))?;
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let book = &mut *lock(&vendor.till.book);
    let known = name.and_then(|name| book.find(&name).cloned());
    let about = known.or_else(|| invented(vendor, order)).ok_or_else(|| Box::new(unknown_payment()))?;
    let mut deposit = about.deposits.last().cloned().unwrap_or_else(|| fresh(vendor, &about, None, Decimal::ONE));
    deposit.status = status;
    if let Some(amount) = &order.amount {
        deposit.received.clone_from(amount);
    }
    if let Some(currency) = &order.currency {
        deposit.received_currency.clone_from(currency);
    }
    let mut notification = notification(vendor, &about, &deposit, &order.object);
    if let Some(event_id) = &order.event_id {
        notification.event_id.clone_from(event_id);
    }
    book.notifications.push(notification.clone());
    Ok(notification)
}

/// An address the vendor never gave, for forged callbacks.
fn invented(vendor: &CoinsPaid, order: &SendEvent) -> Option<Address> {
    order.amount.as_ref()?;
    Some(Address {
        id: vendor.till.ids.number("address"),
        currency: "USDTT".to_owned(),
        convert_to: Some(order.currency.clone()?),
        address: vendor.till.ids.make("T"),
        tag: None,
        foreign_id: order.payment_id.clone().unwrap_or_default(),
        end_user_reference: None,
        deposits: Vec::new(),
    })
}

fn notification(vendor: &CoinsPaid, address: &Address, deposit: &Deposit, over: &Map<String, Value>) -> Notification {
    let mut callback = address.callback(deposit);
    if let Some(members) = callback.as_object_mut() {
        members.extend(over.clone());
    }
    Notification {
        event_id: vendor.till.ids.make("ntf_"),
        event_type: deposit.status.to_owned(),
        payment_id: address.foreign_id.clone(),
        body: Bytes::from(callback.to_string()),
        signed_values: String::new(),
    }
}
