//! `Cko-Signature`: hex HMAC-SHA256 of the raw body.

use aws_lc_rs::hmac;

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
        let value = kind.value(|| sign(&self.key, body), || sign("key-of-somebody-else", body));
        let mut headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        headers.extend(value.map(|value| (HEADER, value)));
        Signed { headers, body: notification.sent(kind) }
    }
}
