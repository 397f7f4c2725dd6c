//! What becomes of a page, and the events that tell of it.

use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::courier::Notification;
use crate::desk::lock;
use crate::payer::{Pay, SendEvent, named, unknown_payment};
use crate::reply;

use super::Checkout;

/// One attempt at paying. Amounts in minor units.
#[derive(Debug, Clone)]
struct Attempt {
    id: String,
    status: &'static str,
    amount: i64,
    captured: i64,
    refunded: i64,
}

/// A payment page and what was paid over it.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(super) id: String,
    pub(super) payment_id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) return_url: Option<String>,
    last: Option<Attempt>,
    former: Vec<Attempt>,
    /// Numbers of the last refund and of the dispute.
    refund: Option<String>,
    dispute: Option<String>,
}

impl Page {
    pub(super) fn new(id: String, payment_id: String, amount: i64, currency: &str, return_url: Option<&str>) -> Self {
        let (last, former, refund, dispute) = (None, Vec::new(), None, None);
        let (currency, return_url) = (currency.to_owned(), return_url.map(str::to_owned));
        Self { id, payment_id, amount, currency, return_url, last, former, refund, dispute }
    }

    pub(super) fn status(&self) -> &'static str {
        self.last.as_ref().map_or("none", |attempt| attempt.status)
    }

    /// True while the payer's page has something to offer.
    pub(super) fn payer_can_act(&self) -> bool {
        self.last.iter().chain(&self.former).all(|attempt| attempt.captured == 0)
    }

    /// The payments, newest first.
    pub(super) fn payments(&self) -> Vec<Value> {
        let payment = |attempt: &Attempt| {
            json!({
                "id": attempt.id, "status": attempt.status, "amount": attempt.amount, "currency": self.currency,
                "reference": self.payment_id, "payment_type": "Regular",
                "approved": !matches!(attempt.status, "Declined" | "Pending" | "Expired"),
                "balances": {
                    "total_authorized": attempt.amount, "total_captured": attempt.captured, "total_refunded": attempt.refunded,
                    "total_voided": 0, "available_to_refund": attempt.captured - attempt.refunded,
                },
            })
        };
        self.last.iter().chain(self.former.iter().rev()).map(payment).collect()
    }

    pub(super) fn describe(&self) -> Value {
        json!({
            "id": self.id, "reference": self.payment_id, "amount": self.amount, "currency": self.currency,
            "status": self.status(), "payments": self.payments(),
        })
    }

    /// The attempt that an event is about: a new one where the last ended badly and another is made.
    fn attempt(&mut self, checkout: &Checkout, kind: &str) -> &mut Attempt {
        let begins = kind.starts_with("payment_") && !kind.starts_with("payment_refund") && kind != "payment_voided";
        let over = |last: &mut Attempt| begins && matches!(last.status, "Declined" | "Expired" | "Canceled");
        self.former.extend(self.last.take_if(over));
        let (ids, amount) = (&checkout.till.ids, self.amount);
        let made = || Attempt { id: ids.make("pay_"), status: "Authorized", amount, captured: 0, refunded: 0 };
        self.last.get_or_insert_with(made)
    }
}

/// The vendor's event for a word of the control route; the vendor's own types are understood, too.
fn event(outcome: &str) -> Option<&str> {
    Some(match outcome {
        "approved" => "payment_approved",
        "succeeded" => "payment_captured",
        "failed" => "payment_declined",
        "processing" => "payment_pending",
        "canceled" => "payment_canceled",
        "expired" => "payment_expired",
        "refunded" => "payment_refunded",
        "refund_declined" => "payment_refund_declined",
        "disputed" => "dispute_received",
        "dispute_won" => "dispute_won",
        own if own.starts_with("payment_") || own.starts_with("dispute_") => own,
        _ => return None,
    })
}

fn bad(text: &str) -> Box<Response> {
    Box::new(reply::control_error(StatusCode::BAD_REQUEST, text))
}

/// Changes the page as the act does and makes the event.
pub(super) fn apply(checkout: &Checkout, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let name = name.ok_or_else(|| bad("payment_id or reference is needed"))?;
    let kind = event(&order.outcome).ok_or_else(|| bad("outcome is no event type"))?;
    let book = &mut *lock(&checkout.till.book);
    let page = book.find_mut(&name).ok_or_else(|| Box::new(unknown_payment()))?;
    if let Some(currency) = &order.currency {
        page.currency = currency.to_ascii_uppercase();
    }
    let attempt = page.attempt(checkout, kind);
    let amount = change(attempt, kind, order.amount_minor);
    let number = attempt.id.clone();
    let told = tell(checkout, page, kind, amount, None);
    let answer = json!({
        "reference": number, "payment_id": page.payment_id, "status": page.status(), "event_id": told.event_id,
    });
    let payment_id = page.payment_id.clone();
    book.also(&payment_id, &number);
    book.notifications.push(told.clone());
    Ok((answer, told))
}

/// Changes an attempt; the amount that the event tells.
fn change(attempt: &mut Attempt, kind: &str, amount: Option<i64>) -> i64 {
    match kind {
        "payment_approved" => attempt.status = "Authorized",
        "payment_pending" => attempt.status = "Pending",
        "payment_declined" | "payment_authentication_failed" => attempt.status = "Declined",
        "payment_expired" => attempt.status = "Expired",
        "payment_canceled" => attempt.status = "Canceled",
        "payment_voided" => attempt.status = "Voided",
        "payment_captured" => {
            attempt.captured = amount.unwrap_or(attempt.amount);
            attempt.status = if attempt.captured < attempt.amount { "Partially Captured" } else { "Captured" };
            return attempt.captured;
        }
        "payment_refunded" => {
            let back = amount.unwrap_or(attempt.captured - attempt.refunded);
            attempt.refunded += back;
            attempt.status = if attempt.refunded < attempt.captured { "Partially Refunded" } else { "Refunded" };
            return back;
        }
        _ => return amount.unwrap_or(attempt.captured),
    }
    amount.unwrap_or(attempt.amount)
}

/// An event about a page; about an invented one if amount and currency are given. `object` is laid over its data.
pub(super) fn forge(checkout: &Checkout, order: &SendEvent) -> Result<Notification, Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let kind = event(&order.event_type).ok_or_else(|| bad("type is no event type"))?;
    let book = &mut *lock(&checkout.till.book);
    let known = name.and_then(|name| book.find(&name).cloned());
    let invented = || {
        let payment_id = order.payment_id.clone().unwrap_or_default();
        let mut page = Page::new(String::new(), payment_id, order.amount_minor?, order.currency.as_ref()?, None);
        page.attempt(checkout, kind).id = order.reference.clone().unwrap_or_else(|| checkout.till.ids.make("pay_"));
        Some(page)
    };
    let mut page = known.or_else(invented).ok_or_else(|| Box::new(unknown_payment()))?;
    if let Some(currency) = &order.currency {
        page.currency = currency.to_ascii_uppercase();
    }
    let attempt = page.attempt(checkout, kind);
    let amount = order.amount_minor.unwrap_or(if attempt.captured > 0 { attempt.captured } else { attempt.amount });
    let told = tell(checkout, &mut page, kind, amount, Some(order));
    book.notifications.push(told.clone());
    Ok(told)
}

fn tell(checkout: &Checkout, page: &mut Page, kind: &str, amount: i64, over: Option<&SendEvent>) -> Notification {
    let ids = &checkout.till.ids;
    let event_id = over.and_then(|over| over.event_id.clone()).unwrap_or_else(|| ids.make("evt_"));
    let millis =
        over.and_then(|over| over.created).map_or_else(|| checkout.till.clock.now_ms(), |seconds| seconds * 1000);
    let at =
        jiff::Timestamp::from_millisecond(millis).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let number = page.last.as_ref().map(|attempt| attempt.id.clone()).unwrap_or_default();
    let mut data = match kind.starts_with("dispute_") {
        true => json!({
            "id": page.dispute.get_or_insert_with(|| ids.make("dsp_")), "category": "fraudulent", "amount": amount,
            "currency": page.currency, "reason_code": "10.4", "payment_id": number, "payment_reference": page.payment_id,
        }),
        false => {
            let keeps = kind == "payment_refund_declined";
            let refund = page.refund.take().filter(|_| keeps).unwrap_or_else(|| ids.make("act_"));
            if kind.starts_with("payment_refund") {
                page.refund = Some(refund.clone());
            }
            json!({
                "id": number, "action_id": refund, "reference": page.payment_id, "amount": amount, "currency": page.currency,
                "processed_on": at, "response_code": "10000", "response_summary": "Approved",
            })
        }
    };
    if let (Some(members), Some(over)) = (data.as_object_mut(), over) {
        members.extend(over.object.clone());
    }
    let body = json!({"id": event_id, "type": kind, "version": "1.0.29", "created_on": at, "data": data});
    Notification {
        event_id,
        event_type: kind.to_owned(),
        payment_id: page.payment_id.clone(),
        body: Bytes::from(body.to_string()),
        signed_values: String::new(),
    }
}
