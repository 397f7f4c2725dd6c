//! `Stripe-Signature`: HMAC-SHA256 over time, dot and raw body.

use aws_lc_rs::hmac;

use crate::clock::Clock;
use crate::courier::{Notification, SignatureKind, Signed, Signer};

/// Hex value of scheme `v1` for a body signed at `timestamp_s`. The secret is used as text with its prefix.
pub fn v1(secret: &str, timestamp_s: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(timestamp_s.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    hex::encode(context.sign())
}

/// Signs events of one endpoint.
pub(crate) struct EventSigner {
    secret: String,
    clock: Clock,
}

impl EventSigner {
    pub(crate) fn new(secret: &str, clock: Clock) -> Self {
        Self { secret: secret.to_owned(), clock }
    }

    fn header(&self, kind: SignatureKind, body: &[u8]) -> Option<String> {
        let time = self.clock.now_s() + kind.clock_shift_s();
        let right = v1(&self.secret, time, body);
        let wrong = v1("whsec_of_somebody_else", time, body);
        match kind {
            SignatureKind::Missing => None,
            SignatureKind::Empty => Some(String::new()),
            SignatureKind::Wrong | SignatureKind::Legacy => Some(format!("t={time},v1={wrong}")),
            SignatureKind::Several => Some(format!("t={time},v1={wrong},v1={right},v0={wrong}")),
            SignatureKind::OnlyV0 => Some(format!("t={time},v0={right}")),
            SignatureKind::Valid
            | SignatureKind::Tampered
            | SignatureKind::OldTimestamp
            | SignatureKind::FutureTimestamp => Some(format!("t={time},v1={right}")),
        }
    }
}

impl Signer for EventSigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let mut headers = vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
        ];
        if let Some(value) = self.header(kind, &notification.body) {
            headers.push(("stripe-signature", value));
        }
        Signed { headers, body: notification.sent(kind) }
    }
}
