//! Refunds of what a payer paid.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::desk::lock;
use crate::payer::Named;
use crate::request::Call;

use super::Stripe;
use super::api::{Problem, metadata};

pub(super) async fn create(State(stripe): State<Arc<Stripe>>, call: Call) -> Response {
    stripe.serve("create_refund", call, create_refund).await
}

fn create_refund(stripe: &Stripe, call: &Call) -> Result<Value, Problem> {
    let id = call.form("payment_intent").ok_or_else(|| {
        let text = "One of the following params should be provided: payment_intent or charge.";
        Problem::invalid("parameter_missing", "payment_intent", text)
    })?;
    let book = &mut *lock(&stripe.till.book);
    let intent = book.find_mut(&Named::Reference(id)).ok_or_else(|| Problem::missing("payment_intent", id))?;
    let unpaid = stripe.config.refunds_unpaid && intent.status != "succeeded";
    if intent.status != "succeeded" && !unpaid {
        let text = "This PaymentIntent does not have a successful charge to refund.";
        let code = "payment_intent_unexpected_state";
        return Err(Problem::invalid(code, "payment_intent", text));
    }
    let received = if unpaid { intent.amount } else { intent.amount_received };
    let left = received - intent.amount_refunded;
    if left == 0 {
        let text = "Charge has already been refunded.";
        return Err(Problem::invalid("charge_already_refunded", "", text));
    }
    let amount = match call.form("amount") {
        Some(text) => text.parse().unwrap_or(0),
        None => left,
    };
    if amount < 1 || amount > left {
        let text = format!("Refund amount must be between 1 and the unrefunded amount {left}.");
        return Err(Problem::invalid("parameter_invalid_integer", "amount", text));
    }
    intent.amount_refunded += amount;
    let refund = json!({
        "id": stripe.till.ids.make("re_"),
        "object": "refund",
        "amount": amount,
        "charge": intent.latest_charge,
        "created": stripe.till.clock.now_s(),
        "currency": intent.currency,
        "metadata": metadata(call),
        "payment_intent": intent.id,
        "reason": call.form("reason"),
        "status": "succeeded",
    });
    book.refunds.push(refund.clone());
    Ok(refund)
}

/// Longest list.
const LIMIT_MAX: usize = 100;

/// The refunds of a payment, newest first.
pub(super) async fn list(State(stripe): State<Arc<Stripe>>, call: Call) -> Response {
    let list = |stripe: &Stripe, call: &Call| {
        let id = call.query("payment_intent").unwrap_or("");
        let limit = call.query("limit").map_or(Some(10), |text| text.parse().ok());
        let limit = limit.filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| {
            Problem::invalid("parameter_invalid_integer", "limit", "This value must be from 1 to 100.")
        })?;
        let book = lock(&stripe.till.book);
        let text = |refund: &&Value, member: &str| refund.get(member).and_then(Value::as_str).map(str::to_owned);
        let own: Vec<&Value> =
            book.refunds.iter().rev().filter(|refund| text(refund, "payment_intent").as_deref() == Some(id)).collect();
        let from = match call.query("starting_after") {
            None => 0,
            Some(after) => {
                let place = own.iter().position(|refund| text(refund, "id").as_deref() == Some(after));
                place.ok_or_else(|| Problem::missing("refund", after))? + 1
            }
        };
        let page: Vec<&Value> = own.iter().skip(from).take(limit).copied().collect();
        let has_more = own.len() > from + page.len();
        Ok(json!({ "object": "list", "url": "/v1/refunds", "has_more": has_more, "data": page }))
    };
    stripe.serve("list_refunds", call, list).await
}

pub(super) async fn read(State(stripe): State<Arc<Stripe>>, Path(id): Path<String>, call: Call) -> Response {
    let read = move |stripe: &Stripe, _: &Call| {
        let book = lock(&stripe.till.book);
        let found = book.refunds.iter().find(|refund| refund.get("id").and_then(Value::as_str) == Some(id.as_str()));
        found.cloned().ok_or_else(|| Problem::missing("refund", &id))
    };
    stripe.serve("get_refund", call, read).await
}
