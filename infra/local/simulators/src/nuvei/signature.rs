//! Checksums: plain SHA-256, with the secret before the values (page, notifications) or behind them (calls).

use aws_lc_rs::digest;
use axum::body::Bytes;

use crate::courier::{Notification, SignatureKind, Signed, Signer};

/// Hex SHA-256 of texts one after the other.
pub fn sha256(parts: &[&str]) -> String {
    hex::encode(digest::digest(&digest::SHA256, parts.concat().as_bytes()))
}

/// Signs notifications.
pub(crate) struct FormSigner {
    secret: String,
}

impl FormSigner {
    pub(crate) fn new(secret: &str) -> Self {
        Self { secret: secret.to_owned() }
    }
}

impl Signer for FormSigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let values = notification.signed_values.as_str();
        let checksum = kind.value(|| sha256(&[&self.secret, values]), || sha256(&["secret-of-somebody-else", values]));
        let mut body = String::from_utf8_lossy(&notification.body).into_owned();
        if kind == SignatureKind::Tampered {
            body = body.replacen("totalAmount=", "totalAmount=1", 1);
        }
        if let Some(checksum) = checksum {
            body.push_str("&advanceResponseChecksum=");
            body.push_str(&checksum);
        }
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        Signed { headers, body: Bytes::from(body) }
    }
}
