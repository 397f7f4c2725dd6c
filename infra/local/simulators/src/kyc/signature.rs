//! HMAC-SHA256 in hex, over whatever the vendor signs, and webhooks signed so.

use aws_lc_rs::hmac;
use axum::body::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::courier::{Notification, SignatureKind, Signed, Signer};

/// The parts one after the other.
pub(super) fn hmac_hex(secret: &str, parts: &[&[u8]]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
    for part in parts {
        context.update(part);
    }
    hex::encode(context.sign())
}

/// Signs the raw body into one header.
pub(super) struct BodySigner {
    pub(super) secret: String,
    pub(super) header: &'static str,
    /// What else the vendor sends along.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Signer for BodySigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let value = match kind {
            SignatureKind::Missing => None,
            SignatureKind::Empty => Some(String::new()),
            SignatureKind::Wrong => Some(hmac_hex("another-secret", &[&notification.body])),
            // these signatures have no time and one scheme
            _ => Some(hmac_hex(&self.secret, &[&notification.body])),
        };
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(self.headers.iter().cloned());
        headers.extend(value.map(|value| (self.header, value)));
        let body = match kind {
            SignatureKind::Tampered => Bytes::from([&notification.body[..], b" "].concat()),
            _ => notification.body.clone(),
        };
        Signed { headers, body }
    }

    fn judge(&self, _headers: &HeaderMap, _body: &[u8]) -> Option<Value> {
        None
    }
}
