//! Signatures as the vendors make them, written from their public documents and sharing no code with the adapters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384};

/// `v1` of Stripe: HMAC-SHA256 of time, point and body.
pub fn stripe_v1(secret: &str, at_s: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at_s}.{body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// The `Stripe-Signature` header.
pub fn stripe_header(secret: &str, at_s: i64, body: &str) -> String {
    format!("t={at_s},v1={}", stripe_v1(secret, at_s, body))
}

/// The `X-Hub-Signature-256` header of Meta: HMAC-SHA256 of the body.
pub fn meta(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Hex HMAC-SHA256 of the body: Sumsub's `X-Payload-Digest`, Onfido's `X-SHA2-Signature`, Veriff's `X-HMAC-SIGNATURE`.
pub fn of_body(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Adyen's signature of an item: HMAC-SHA256 in base64, under a key in hex, of eight values joined by colons.
pub fn adyen(item: &Value, key: &str) -> String {
    let values = [
        "/pspReference",
        "/originalReference",
        "/merchantAccountCode",
        "/merchantReference",
        "/amount/value",
        "/amount/currency",
        "/eventCode",
        "/success",
    ];
    let text = values.map(|pointer| item.pointer(pointer).and_then(written).unwrap_or_default()).join(":");
    let mut mac = Hmac::<Sha256>::new_from_slice(&hex::decode(key).unwrap()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Nuvei's checksum of a notification: hex SHA-256 of the secret and six values.
pub fn nuvei(form: &[(&'static str, String)], secret: &str) -> String {
    let value = |wanted: &str| form.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value);
    let signed =
        ["totalAmount", "currency", "responseTimeStamp", "PPP_TransactionID", "Status", "productId"].map(value);
    hex::encode(Sha256::digest(format!("{secret}{}", signed.concat()).as_bytes()))
}

/// Hex SHA-384 of values and secret, without separators.
pub fn praxis(values: &[String], secret: &str) -> String {
    hex::encode(Sha384::digest(format!("{}{secret}", values.concat()).as_bytes()))
}

/// The signed members of a notification in their order, those that are there.
pub fn praxis_notification(message: &Value, secret: &str) -> String {
    let fields = [
        "/merchant_id",
        "/application_key",
        "/timestamp",
        "/customer/customer_token",
        "/session/order_id",
        "/transaction/tid",
        "/transaction/currency",
        "/transaction/amount",
        "/transaction/conversion_rate",
        "/transaction/processed_currency",
        "/transaction/processed_amount",
    ];
    let values: Vec<String> = fields.iter().filter_map(|pointer| written(message.pointer(pointer)?)).collect();
    praxis(&values, secret)
}

/// The former interface: all members but the signature, sorted by name.
pub fn praxis_legacy(message: &Value, secret: &str) -> String {
    let mut members: Vec<_> = message.as_object().unwrap().iter().filter(|(name, _)| *name != "signature").collect();
    members.sort_by(|left, right| left.0.cmp(right.0));
    let values: Vec<String> = members.into_iter().filter_map(|(_, value)| written(value)).collect();
    praxis(&values, secret)
}

/// What a notification's answer must be signed with.
pub fn praxis_answer(answer: &Value, secret: &str) -> String {
    praxis(&[written(&answer["status"]).unwrap(), written(&answer["timestamp"]).unwrap()], secret)
}

/// `X-Processing-Signature` of CoinsPaid: hex HMAC-SHA512 of the body.
pub fn coinspaid(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha512>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// `Signature` of Paysafe: base64 of HMAC-SHA256 of the body.
pub fn paysafe(key: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, mac.finalize().into_bytes())
}

/// `md5sig` of Skrill: the posted values with the hash of the secret word after our number.
pub fn skrill(form: &[(String, String)], secret_word: &str) -> String {
    let md5 = |text: &str| hex::encode_upper(md5::Md5::digest(text.as_bytes()));
    let value = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    md5(&[
        value("merchant_id"),
        value("transaction_id"),
        &md5(secret_word),
        value("mb_amount"),
        value("mb_currency"),
        value("status"),
    ]
    .concat())
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
