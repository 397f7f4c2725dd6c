//! HMAC-SHA256 in hex, over whatever the vendor signs, and webhooks signed so.

use aws_lc_rs::hmac;

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
        let value = kind.value(
            || hmac_hex(&self.secret, &[&notification.body]),
            || hmac_hex("another-secret", &[&notification.body]),
        );
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(self.headers.iter().cloned());
        headers.extend(value.map(|value| (self.header, value)));
        Signed { headers, body: notification.sent(kind) }
    }
}
