//! `X-Processing-Signature`: HMAC-SHA512 over the raw body, both ways.

use aws_lc_rs::hmac;

use crate::courier::{Notification, SignatureKind, Signed, Signer};

/// The header of every signed message.
pub(super) const HEADER: &str = "x-processing-signature";
/// The header that names the caller.
pub(super) const KEY_HEADER: &str = "x-processing-key";

/// Hex signature of a body.
pub(super) fn sign(secret: &str, body: &[u8]) -> String {
    hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes()), body))
}

/// Signs callbacks.
pub(crate) struct BodySigner {
    public_key: String,
    secret_key: String,
}

impl BodySigner {
    pub(crate) fn new(public_key: &str, secret_key: &str) -> Self {
        Self { public_key: public_key.to_owned(), secret_key: secret_key.to_owned() }
    }
}

impl Signer for BodySigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let value = kind.value(
            || sign(&self.secret_key, &notification.body),
            || sign("secret-of-somebody-else", &notification.body),
        );
        let mut headers = vec![("content-type", "application/json".to_owned()), (KEY_HEADER, self.public_key.clone())];
        headers.extend(value.map(|value| (HEADER, value)));
        Signed { headers, body: notification.sent(kind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_signs_to_its_value() {
        assert_eq!(
            sign("AbCdEfG123456", br#"{"currency":"BTC","foreign_id":"123456"}"#),
            "03c25fcf7cd35e7d995e402cd5d51edd72d48e1471e865907967809a0c189ba55b90815f20e2bb10f82c7a9e9d865546fda58989c2ae9e8e2ff7bc29195fa1ec"
        );
    }
}
