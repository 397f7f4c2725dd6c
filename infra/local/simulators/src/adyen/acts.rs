//! What becomes of a link, and the items that tell of it.

use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::courier::Notification;
use crate::desk::lock;
use crate::payer::{Pay, SendEvent, named, unknown_payment};
use crate::reply;

use super::Adyen;

/// A payment link and what was done with it. Amounts in minor units.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(super) id: String,
    pub(super) payment_id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) return_url: Option<String>,
    /// The last event.
    pub(super) status: String,
    /// Number of the payer's last attempt.
    attempt: Option<String>,
    paid: i64,
    /// Numbers of the last refund and of the dispute.
    refund: Option<String>,
    dispute: Option<String>,
}

impl Link {
    pub(super) fn new(id: String, payment_id: String, amount: i64, currency: &str, return_url: Option<String>) -> Self {
        let (currency, status) = (currency.to_owned(), "active".to_owned());
        let (attempt, refund, dispute) = (None, None, None);
        Self { id, payment_id, amount, currency, return_url, status, attempt, paid: 0, refund, dispute }
    }

    /// True while the payer's page has something to offer.
    pub(super) fn payer_can_act(&self) -> bool {
        self.paid == 0
    }

    pub(super) fn describe(&self) -> Value {
        json!({
            "id": self.id, "reference": self.payment_id, "amount": self.amount, "currency": self.currency,
            "status": self.status, "pspReference": self.attempt, "paid": self.paid,
        })
    }
}

/// The vendor's event and its success for a word of the control route; the vendor's own codes are understood, too.
fn event(outcome: &str) -> Option<(&str, bool)> {
    Some(match outcome {
        "succeeded" => ("AUTHORISATION", true),
        "failed" => ("AUTHORISATION", false),
        "processing" => ("PENDING", true),
        "captured" => ("CAPTURE", true),
        "capture_failed" => ("CAPTURE_FAILED", true),
        "canceled" => ("CANCELLATION", true),
        "expired" => ("OFFER_CLOSED", true),
        "refunded" => ("REFUND", true),
        "refund_refused" => ("REFUND", false),
        "refund_failed" => ("REFUND_FAILED", true),
        "disputed" => ("CHARGEBACK", true),
        "dispute_won" => ("CHARGEBACK_REVERSED", true),
        "disputed_again" => ("SECOND_CHARGEBACK", true),
        own => {
            let (code, success) = own.split_once(':').unwrap_or((own, "true"));
            let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            return is_code.then_some((code, success == "true"));
        }
    })
}

fn is_attempt(code: &str) -> bool {
    matches!(code, "AUTHORISATION" | "PENDING" | "OFFER_CLOSED")
}

fn bad(text: &str) -> Box<Response> {
    Box::new(reply::control_error(StatusCode::BAD_REQUEST, text))
}

/// A number as the vendor gives them: sixteen characters.
fn number(adyen: &Adyen) -> String {
    let mut number = adyen.till.ids.hex32("psp").to_ascii_uppercase();
    number.truncate(16);
    number
}

/// Changes the link as the act does and makes the item.
pub(super) fn apply(adyen: &Adyen, order: &Pay) -> Result<(Value, Notification), Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let name = name.ok_or_else(|| bad("payment_id or reference is needed"))?;
    let (code, success) = event(&order.outcome).ok_or_else(|| bad("outcome is no event code"))?;
    let book = &mut *lock(&adyen.till.book);
    let link = book.find_mut(&name).ok_or_else(|| Box::new(unknown_payment()))?;
    if let Some(currency) = &order.currency {
        link.currency = currency.to_ascii_uppercase();
    }
    let (own, original) = numbers(adyen, link, code);
    let amount = order.amount_minor.unwrap_or(match code {
        _ if is_attempt(code) || link.paid == 0 => link.amount,
        _ => link.paid,
    });
    if success && matches!(code, "AUTHORISATION" | "CAPTURE") {
        link.paid = amount;
    }
    link.status = format!("{code}:{success}");
    let item = Item { own: own.clone(), original, amount, code, success };
    let notification = item.tell(adyen, link, &Map::new());
    let answer = json!({
        "reference": own, "payment_id": link.payment_id, "status": link.status, "event_id": notification.event_id,
    });
    let (payment_id, numbers) = (link.payment_id.clone(), [link.attempt.clone(), Some(own)]);
    for number in numbers.iter().flatten() {
        book.also(&payment_id, number);
    }
    book.notifications.push(notification.clone());
    Ok((answer, notification))
}

/// The event's own number and that of the payment it modifies. What is modified was authorised before.
fn numbers(adyen: &Adyen, link: &mut Link, code: &str) -> (String, String) {
    if is_attempt(code) {
        let keeps = code == "AUTHORISATION" && link.status == "PENDING:true";
        let own = link.attempt.take().filter(|_| keeps).unwrap_or_else(|| number(adyen));
        link.attempt = Some(own.clone());
        return (own, String::new());
    }
    let original = link.attempt.get_or_insert_with(|| number(adyen)).clone();
    let own = match code {
        "REFUND" | "CANCEL_OR_REFUND" => link.refund.insert(number(adyen)).clone(),
        "REFUND_FAILED" | "REFUNDED_REVERSED" => link.refund.get_or_insert_with(|| number(adyen)).clone(),
        _ if code.contains("CHARGEBACK") || code.contains("ARBITRATION") => {
            link.dispute.get_or_insert_with(|| number(adyen)).clone()
        }
        _ => number(adyen),
    };
    (own, original)
}

/// An item about a link; about an invented one if amount and currency are given. `object` is laid over it before it is signed.
pub(super) fn forge(adyen: &Adyen, order: &SendEvent) -> Result<Notification, Box<Response>> {
    let name = named(order.reference.as_ref(), order.payment_id.as_ref());
    let (code, success) = event(&order.event_type).ok_or_else(|| bad("type is no event code"))?;
    let book = &mut *lock(&adyen.till.book);
    let known = name.and_then(|name| book.find(&name).cloned());
    let invented = || {
        let payment_id = order.payment_id.clone().unwrap_or_default();
        Some(Link::new(String::new(), payment_id, order.amount_minor?, order.currency.as_ref()?, None))
    };
    let mut link = known.or_else(invented).ok_or_else(|| Box::new(unknown_payment()))?;
    if let Some(currency) = &order.currency {
        link.currency = currency.to_ascii_uppercase();
    }
    let (own, original) = numbers(adyen, &mut link, code);
    let own = order.reference.clone().filter(|_| is_attempt(code)).unwrap_or(own);
    let original = order.reference.clone().filter(|_| !is_attempt(code)).unwrap_or(original);
    let item = Item { own, original, amount: order.amount_minor.unwrap_or(link.amount), code, success };
    let notification = item.tell(adyen, &link, &order.object);
    book.notifications.push(notification.clone());
    Ok(notification)
}

struct Item<'c> {
    own: String,
    original: String,
    amount: i64,
    code: &'c str,
    success: bool,
}

impl Item<'_> {
    fn tell(&self, adyen: &Adyen, link: &Link, over: &Map<String, Value>) -> Notification {
        let at = jiff::Timestamp::from_second(adyen.till.clock.now_s()).unwrap_or_default();
        let mut item = json!({
            "additionalData": {}, "amount": {"currency": link.currency, "value": self.amount}, "eventCode": self.code,
            "eventDate": at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(), "merchantAccountCode": adyen.config.merchant_account,
            "merchantReference": link.payment_id, "originalReference": self.original, "paymentMethod": "visa",
            "pspReference": self.own, "reason": "", "success": self.success.to_string(),
        });
        if let Some(members) = item.as_object_mut() {
            members.extend(over.clone());
        }
        let text = |pointer: &str| match item.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let signed = [
            "/pspReference",
            "/originalReference",
            "/merchantAccountCode",
            "/merchantReference",
            "/amount/value",
            "/amount/currency",
            "/eventCode",
            "/success",
        ];
        let signed_values = signed.map(text).join(":");
        let body = json!({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]});
        Notification {
            event_id: format!("{}:{}:{}", self.own, self.code, self.success),
            event_type: self.code.to_owned(),
            payment_id: link.payment_id.clone(),
            body: Bytes::from(body.to_string()),
            signed_values,
        }
    }
}
