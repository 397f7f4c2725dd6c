//! `Signature`: base64 of HMAC-SHA256 over the raw body, with the key as it is shown.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::courier::{Notification, SignatureKind, Signed, Signer};

/// The header of every event.
const HEADER: &str = "signature";

fn sign(key: &str, body: &[u8]) -> String {
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body))
}

/// Signs events.
pub(crate) struct BodySigner {
    key: String,
}

impl BodySigner {
    pub(crate) fn new(key: &str) -> Self {
        Self { key: key.to_owned() }
    }
}

impl Signer for BodySigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let value =
            kind.value(|| sign(&self.key, &notification.body), || sign("key-of-somebody-else", &notification.body));
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(value.map(|value| (HEADER, value)));
        Signed { headers, body: notification.sent(kind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_the_vendors_page_gives_the_value_that_was_computed_apart() {
        let body = br#"{"eventName":"PAYMENT_COMPLETED"}"#;
        assert_eq!(sign("secret-key-bytes", body), "HMRPWILAFIEWQ+ONXU1ey7F9e4VZeYbZleipAn0iZSM=");
    }
}
