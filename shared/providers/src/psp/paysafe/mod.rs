//! Paysafe's Payments API: Neteller and other wallets.
//!
//! Secret: `{"username": "…", "password": "…", "webhook_key": "…", "webhook_key_is_base64": false}`; the first two are the API key of the
//! private kind. Paysafe's documents disagree on whether the key of the webhooks is used as it is shown, or decoded first: the account
//! decides, and the sandbox shows which.
//!
//! What a broker must know before going live:
//! - A deposit takes two steps. The payer agrees, and the payment handle is `PAYABLE`; the money moves when the payment is asked for with the
//!   handle's token, and is there at `PAYMENT_COMPLETED`. A handle that nobody uses expires after about a quarter of an hour.
//! - Our payment id is `merchantRefNum` of both. A second one of the same number is refused, and what there is already is taken instead.
//! - Amounts are whole minor units.
//! - An event with `mode` `test` is one that somebody sends from the back office: it says nothing.

mod api;
mod event;
mod list;

use ::http::{HeaderMap, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::payment::PspReport;
use domain::{PaymentId, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Collection, Psp, PspError, Session, SessionOrder, Settings, VendorError, WebhookAnswer, WebhookError, received,
};
use crate::http::BoxFuture;
use crate::signature::{base64_matches, hmac_sha256_under, is_blank};

/// The header of every webhook.
const SIGNATURE: &str = "signature";

/// Payments over Paysafe.
pub struct Paysafe {
    settings: Settings,
    /// How the payer pays: `NETELLER`, `SKRILL`.
    method: String,
    credentials: SecretString,
    webhook_key: Vec<u8>,
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
    webhook_key: String,
    #[serde(default)]
    webhook_key_is_base64: bool,
}

impl Paysafe {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`VendorError`].
    pub fn new(settings: Settings) -> Result<Self, VendorError> {
        let secret: Credentials = settings.secret()?;
        let parts = [&secret.username, &secret.password, &secret.webhook_key];
        // an empty key would sign for everybody
        let blank = parts.into_iter().any(|part| is_blank(&SecretString::from(part.clone())));
        let key = match secret.webhook_key_is_base64 {
            true => STANDARD.decode(secret.webhook_key.trim()).unwrap_or_default(),
            false => secret.webhook_key.into_bytes(),
        };
        if blank || key.is_empty() || secret.username.contains(':') {
            return Err(VendorError::BadSecret(settings.name));
        }
        let method = settings.payment_method.clone();
        let missing = || VendorError::Missing { name: settings.name.clone(), setting: "payment_method" };
        let method = method.ok_or_else(missing)?;
        settings.check_return_url()?;
        let credentials = STANDARD.encode(format!("{}:{}", secret.username, secret.password));
        Ok(Self { settings, method, credentials: SecretString::from(credentials), webhook_key: key })
    }

    fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), &'static str> {
        let header = headers.get(SIGNATURE).ok_or("header `Signature` is missing")?;
        let given = header.to_str().map_err(|_| "header `Signature` is not text")?;
        let expected = hmac_sha256_under(&self.webhook_key, &[body]);
        match expected.is_some_and(|expected| base64_matches(given, &expected)) {
            true => Ok(()),
            false => Err("signature does not match"),
        }
    }
}

impl Psp for Paysafe {
    fn open_session<'a>(&'a self, order: &'a SessionOrder) -> BoxFuture<'a, Result<Session, PspError>> {
        Box::pin(self.settings.in_time(self.open_handle(order)))
    }

    /// Asks by our own number: the payment's is not known before there is one.
    fn look_up<'a>(
        &'a self,
        payment: &'a PaymentId,
        _reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<PspReport>, PspError>> {
        Box::pin(self.settings.in_time(self.find(payment)))
    }

    fn collect<'a>(&'a self, collection: &'a Collection) -> BoxFuture<'a, Result<PspReport, PspError>> {
        Box::pin(self.settings.in_time(self.pay(collection)))
    }

    fn payment_of<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<PaymentId>, PspError>> {
        Box::pin(self.settings.in_time(self.owner_of(reference)))
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<PspReport, WebhookError> {
        self.check(headers, body).map_err(WebhookError::BadSignature)?;
        event::read(&self.settings.name, body, now).map_err(|faults| WebhookError::Malformed { faults })
    }

    fn answer(&self, answer: WebhookAnswer, _now: Timestamp) -> Response<Bytes> {
        received(answer)
    }

    fn webhook_proves_status(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of our own facts, for a key that is decoded first: the vendor's documents have no body to their header.
    #[test]
    fn the_key_is_decoded_where_the_account_says_so_and_else_used_as_it_is() {
        let body = br#"{"eventName":"PAYMENT_COMPLETED"}"#;
        let (shown, signature) = ("c2VjcmV0LWtleS1ieXRlcw==", "HMRPWILAFIEWQ+ONXU1ey7F9e4VZeYbZleipAn0iZSM=");
        let decoded = STANDARD.decode(shown).unwrap();
        assert_eq!(decoded, b"secret-key-bytes");
        assert!(base64_matches(signature, &hmac_sha256_under(&decoded, &[body]).unwrap()));
        assert!(!base64_matches(signature, &hmac_sha256_under(shown.as_bytes(), &[body]).unwrap()));
        assert_eq!(hmac_sha256_under(b"", &[body]), None);
    }
}
