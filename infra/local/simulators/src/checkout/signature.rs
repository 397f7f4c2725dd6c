//! `Cko-Signature`: hex HMAC-SHA256 of the raw body.

use aws_lc_rs::hmac;
use axum::body::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::courier::{Notification, SignatureKind, Signed, Signer};

/// The header of every event.
pub const HEADER: &str = "cko-signature";

/// The signature of a body.
pub fn sign(key: &str, body: &[u8]) -> String {
    hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body))
}

/// Signs events.
pub(crate) struct EventSigner {
    key: String,
}

impl EventSigner {
    pub(crate) fn new(key: &str) -> Self {
        Self { key: key.to_owned() }
    }
}

impl Signer for EventSigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let body = &notification.body;
        let value = match kind {
            SignatureKind::Missing => None,
            SignatureKind::Empty => Some(String::new()),
            SignatureKind::Wrong => Some(sign("key-of-somebody-else", body)),
            SignatureKind::Valid
            | SignatureKind::Tampered
            | SignatureKind::OldTimestamp
            | SignatureKind::FutureTimestamp
            | SignatureKind::Several
            | SignatureKind::OnlyV0
            | SignatureKind::Legacy => Some(sign(&self.key, body)),
        };
        let mut headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        headers.extend(value.map(|value| (HEADER, value)));
        let body = match kind {
            // one byte more than what was signed, and still the same JSON
            SignatureKind::Tampered => Bytes::from([&body[..], b" "].concat()),
            _ => body.clone(),
        };
        Signed { headers, body }
    }

    fn judge(&self, _headers: &HeaderMap, _body: &[u8]) -> Option<Value> {
        None
    }
}
