//! `Gt-Authentication`: SHA-384 over values in listed order and the merchant secret. Not an HMAC.

use aws_lc_rs::digest;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::courier::{Notification, SignatureKind, Signed, Signer};

use super::message::{Members, lexeme};

/// The header of every signed message.
pub const HEADER: &str = "gt-authentication";

/// Signed members of a session request. The vendor's page lists them; no sandbox confirmed the order.
pub const CASHIER_REQUEST_FIELDS: [&str; 6] =
    ["merchant_id", "application_key", "timestamp", "intent", "cid", "order_id"];

/// Signed members of an order look-up.
pub const FIND_ORDER_REQUEST_FIELDS: [&str; 4] = ["merchant_id", "application_key", "timestamp", "order_id"];

/// Signed members of every answer, the vendor's and ours. Our assumption for the vendor's own answers.
pub const ANSWER_FIELDS: [&str; 2] = ["status", "timestamp"];

/// Signed members of a notification.
pub const NOTIFICATION_FIELDS: [&str; 11] = [
    "merchant_id",
    "application_key",
    "timestamp",
    "customer.customer_token",
    "session.order_id",
    "transaction.tid",
    "transaction.currency",
    "transaction.amount",
    "transaction.conversion_rate",
    "transaction.processed_currency",
    "transaction.processed_amount",
];

/// Hex SHA-384 of the values, joined without a separator, and the secret.
pub fn sign<S: AsRef<str>>(values: impl IntoIterator<Item = S>, secret: &str) -> String {
    let mut text = String::new();
    for value in values {
        text.push_str(value.as_ref());
    }
    text.push_str(secret);
    hex::encode(digest::digest(&digest::SHA384, text.as_bytes()))
}

/// Legacy signature of a JSON object: values of all members but `signature`, sorted by member name.
/// `None` when the text is not an object.
pub fn sign_legacy(json: &[u8], secret: &str) -> Option<String> {
    let members: Members = serde_json::from_slice(json).ok()?;
    Some(sign(legacy_values(&members), secret))
}

pub(super) fn legacy_values(members: &Members) -> Vec<String> {
    members.iter().filter(|(name, _)| name.as_str() != "signature").filter_map(|(_, value)| lexeme(value)).collect()
}

/// Values of the listed members as written in the JSON; null and absent ones are skipped.
pub(super) fn listed(members: &Members, fields: &[&str]) -> Vec<String> {
    fields.iter().filter_map(|field| members.get(*field).and_then(|value| lexeme(value))).collect()
}

/// Signs notifications and judges the answers to them.
pub(crate) struct NotificationSigner {
    secret: String,
}

impl NotificationSigner {
    pub(crate) fn new(secret: &str) -> Self {
        Self { secret: secret.to_owned() }
    }
}

impl Signer for NotificationSigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let values = notification.signed_values.as_str();
        let value = match kind {
            SignatureKind::Missing | SignatureKind::Legacy => None,
            SignatureKind::Empty => Some(String::new()),
            SignatureKind::Wrong => Some(sign([values], "secret-of-somebody-else")),
            // The body is not what was signed: one character more here is one less there.
            SignatureKind::Tampered => Some(sign([values, "0"], &self.secret)),
            SignatureKind::Valid
            | SignatureKind::OldTimestamp
            | SignatureKind::FutureTimestamp
            | SignatureKind::Several
            | SignatureKind::OnlyV0 => Some(sign([values], &self.secret)),
        };
        let mut headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        headers.extend(value.map(|value| (HEADER, value)));
        Signed { headers, body: notification.body.clone() }
    }

    fn judge(&self, headers: &HeaderMap, body: &[u8]) -> Option<Value> {
        let members: Members = serde_json::from_slice(body).unwrap_or_default();
        let status = members.get("status").and_then(|value| value.get().trim().parse::<i64>().ok());
        let expected = sign(listed(&members, &ANSWER_FIELDS), &self.secret);
        let signature = match headers.get(HEADER).map(http::HeaderValue::as_bytes) {
            None => "missing",
            Some(given) if given == expected.as_bytes() => "right",
            Some(_) => "wrong",
        };
        Some(json!({
            "signature": signature,
            "status": status,
            "format": if status.is_some() { "known" } else { "unknown" },
            "resend": status.is_none_or(|status| status < 0),
        }))
    }
}
