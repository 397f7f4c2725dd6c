//! Praxis's signatures: a plain SHA-384 over values and the merchant secret, joined without a separator.

use ::http::HeaderMap;
use domain::Timestamp;
use domain::input::Fault;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha384};

use super::Praxis;
use super::lexemes::{Message, NotScalar};
use super::signed::{self, Signed};
use crate::signature::hex_matches;

/// The header of every signed message, either way.
pub(super) const HEADER: &str = "gt-authentication";

/// What signs a session request (vendor's page "Cashier API", confirmed by a public client).
pub(super) const CASHIER_FIELDS: [&str; 6] =
    ["merchant_id", "application_key", "timestamp", "intent", "cid", "order_id"];

/// What signs an order look-up (vendor's page "Agent API, find-order").
pub(super) const FIND_ORDER_FIELDS: [&str; 4] = ["merchant_id", "application_key", "timestamp", "order_id"];

/// What signs our answer to a notification. Taken from public clients; the vendor's page does not list it, so a
/// broker confirms it in the sandbox.
pub(super) const ANSWER_FIELDS: [&str; 2] = ["status", "timestamp"];

/// What signs a notification (vendor's page "Webhooks, Notification").
const NOTIFICATION_FIELDS: [&str; 11] = [
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

/// Where the former interface keeps its signature.
const LEGACY_MEMBER: &str = "signature";

/// Hex SHA-384 of the values and the secret.
pub(super) fn sign<V: AsRef<str>>(values: impl IntoIterator<Item = V>, secret: &str) -> String {
    hex::encode(digest(values, secret))
}

/// Reads what one of the rules signs.
type Read = fn(&Message<'_>) -> Result<Signed, Vec<Fault>>;

/// What is wrong with a notification.
pub(super) enum Refusal {
    /// It does not come from the vendor, not to us or not now.
    NotProven(&'static str),
    /// It is signed, and a signed value has not the form that makes the signed text one that can be cut in one way
    /// only.
    Form(Vec<Fault>),
}

/// Checks signature, addressee and time of a notification, in this order, and gives what the signature covers.
///
/// The rule is the one whose signature is there: a message with the header is never read by the former rule.
pub(super) fn check(
    praxis: &Praxis,
    headers: &HeaderMap,
    message: &Message<'_>,
    now: Timestamp,
) -> Result<Signed, Refusal> {
    let no = Refusal::NotProven;
    let (given, values, read): (_, _, Read) = match headers.get(HEADER) {
        Some(header) => {
            let given = header.to_str().map_err(|_| no("header `Gt-Authentication` is not text"))?;
            (given.to_owned(), listed(message), Signed::current)
        }
        None if praxis.settings.legacy => {
            let given = message.text(LEGACY_MEMBER).ok_or(no("member `signature` is missing"))?;
            (given, message.sorted_without(LEGACY_MEMBER), Signed::legacy)
        }
        None => return Err(no("header `Gt-Authentication` is missing")),
    };
    let values = values.map_err(|_| no("a signed member is not a text or number"))?;
    if !hex_matches(&given, &digest(values, praxis.secret.expose_secret())) {
        return Err(no("signature does not match"));
    }
    // One secret may serve several applications of a merchant.
    let ours = |path, value: &str| message.text(path).as_deref() == Some(value);
    if !ours("merchant_id", &praxis.merchant_id) || !ours("application_key", &praxis.application_key) {
        return Err(no("message is for another merchant or application"));
    }
    let at = message.text("timestamp").filter(|text| signed::is_time(text)).and_then(|text| text.parse().ok());
    let at = at.and_then(Timestamp::from_seconds).ok_or(no("time stamp is missing or not in seconds"))?;
    if now.seconds().abs_diff(at.seconds()) > u64::from(praxis.settings.tolerance.0) {
        return Err(no("time stamp is outside the tolerance"));
    }
    let mut signed = read(message).map_err(Refusal::Form)?;
    signed.at = at;
    Ok(signed)
}

fn listed(message: &Message<'_>) -> Result<Vec<String>, NotScalar> {
    let values: Result<Vec<_>, _> = NOTIFICATION_FIELDS.iter().map(|path| message.scalar(path)).collect();
    Ok(values?.into_iter().flatten().collect())
}

fn digest<V: AsRef<str>>(values: impl IntoIterator<Item = V>, secret: &str) -> [u8; 48] {
    let mut hash = Sha384::new();
    for value in values {
        hash.update(value.as_ref().as_bytes());
    }
    hash.update(secret.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_and_own_vectors_hash_to_their_values() {
        let legacy = [
            (
                "Integration TEST USDTest-Integration-Merchant15688553921.1ABCDEF",
                "c8d9b1824601bb6e11342afc36cb7281892daead2fbae257ea2d2ff8aa4908d66d5863a429e247d47155c01a0592e482",
            ),
            (
                "Integration TEST USDTest-Integration-Merchant15598253737528561.1",
                "c1eb4464bce78dd099501fbdbc6c9b9979070b4d82ef47fbbfbf9535104934d4abd77bfd9480685b317d60db5339097b",
            ),
        ];
        for (values, signature) in legacy {
            assert_eq!(sign([values], "MerchantSecretKey"), signature);
        }
        let current = ["MID", "APP", "1700000000", "CTOK", "DEP-1", "123456", "USD", "10000", "1", "USD", "10000"];
        assert_eq!(
            sign(current, "SECRET"),
            "3a6dd8fa1671cf06c4eb312dfebe3796f114239800e1798d31d9d65afaa3633bef92c31e6dc7a54172d949bce8363a11"
        );
    }
}
