//! The signature of a notification item: HMAC-SHA256 over eight values joined by `:`, base64, inside the item.

use aws_lc_rs::hmac;
use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::courier::{Notification, SignatureKind, Signed, Signer};

/// What Adyen wants to read.
const TAKEN: &[u8] = b"[accepted]";

/// Somebody else's key.
const OTHER_KEY: &str = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";

/// The signature of a text under a key in hex.
pub fn sign(key_hex: &str, text: &str) -> String {
    let key = hex::decode(key_hex).unwrap_or_default();
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes()))
}

/// Signs notification items.
pub(crate) struct ItemSigner {
    key: String,
}

impl ItemSigner {
    pub(crate) fn new(key: &str) -> Self {
        Self { key: key.to_owned() }
    }
}

impl Signer for ItemSigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let signature = kind
            .value(|| sign(&self.key, &notification.signed_values), || sign(OTHER_KEY, &notification.signed_values));
        let mut message: Value = serde_json::from_slice(&notification.body).unwrap_or_default();
        if let Some(item) = message.pointer_mut("/notificationItems/0/NotificationRequestItem") {
            if let Some(signature) = signature {
                item["additionalData"]["hmacSignature"] = json!(signature);
            }
            if kind == SignatureKind::Tampered {
                item["amount"]["value"] = json!(item["amount"]["value"].as_i64().unwrap_or(0) + 1);
            }
        }
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        Signed { headers, body: Bytes::from(message.to_string()) }
    }

    /// Another answer than the expected one counts as none, whatever its status.
    fn judge(&self, _headers: &HeaderMap, body: &[u8]) -> Option<Value> {
        Some(json!({ "accepted": body == TAKEN, "resend": body != TAKEN }))
    }
}
