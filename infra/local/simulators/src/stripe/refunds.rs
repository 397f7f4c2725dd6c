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
    let book = &mut *lock(&stripe.book);
    let intent = book.find_mut(&Named::Reference(id)).ok_or_else(|| Problem::missing("payment_intent", id))?;
    if intent.status != "succeeded" {
        let text = "This PaymentIntent does not have a successful charge to refund.";
        let code = "payment_intent_unexpected_state";
        return Err(Problem::invalid(code, "payment_intent", text));
    }
    let left = intent.amount_received - intent.amount_refunded;
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
        "id": stripe.ids.make("re_"),
        "object": "refund",
        "amount": amount,
        "charge": intent.latest_charge,
        "created": stripe.clock.now_s(),
        "currency": intent.currency,
        "metadata": metadata(call),
        "payment_intent": intent.id,
        "reason": call.form("reason"),
        "status": "succeeded",
    });
    book.refunds.push(refund.clone());
    Ok(refund)
}

pub(super) async fn read(State(stripe): State<Arc<Stripe>>, Path(id): Path<String>, call: Call) -> Response {
    let read = move |stripe: &Stripe, _: &Call| {
        let book = lock(&stripe.book);
        let found = book.refunds.iter().find(|refund| refund.get("id").and_then(Value::as_str) == Some(id.as_str()));
        found.cloned().ok_or_else(|| Problem::missing("refund", &id))
    };
    stripe.serve("get_refund", call, read).await
}
