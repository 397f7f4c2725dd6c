//! Checkout.com: hosted payment pages and signed events.
//!
//! Secret: `{"secret_key": "sk_…", "webhook_keys": ["…", …], "processing_channel_id": "pc_…"}`; several keys while one is being changed,
//! the channel where the account has more than one.
//!
//! A payer's attempt is a payment of its own, whose number (`pay_…`) comes into being when he pays; all of them carry our reference. So a
//! look-up asks by that, and finds nothing as long as nobody has tried to pay.
//!
//! The page wants an address to go back to: a deposit that names none is refused by the vendor.

mod api;
mod event;
mod payment;
mod signature;
mod units;

use ::http::{HeaderMap, Response};
use bytes::Bytes;
use domain::payment::PspReport;
use domain::{PaymentId, Redacted, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;

use super::{Psp, PspError, Session, SessionOrder, Settings, VendorError, WebhookAnswer, WebhookError, received};
use crate::http::BoxFuture;
use crate::signature::is_blank;

/// Payments over Checkout.com.
pub struct Checkout {
    settings: Settings,
    secret_key: SecretString,
    webhook_keys: Vec<SecretString>,
    processing_channel_id: Option<String>,
}

#[derive(Deserialize)]
struct Credentials {
    secret_key: String,
    webhook_keys: Vec<String>,
    processing_channel_id: Option<String>,
}

impl Checkout {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`VendorError`].
    pub fn new(settings: Settings) -> Result<Self, VendorError> {
        let Credentials { secret_key, webhook_keys, processing_channel_id } = settings.secret()?;
        // An empty key would sign for everybody.
        let secret_key = SecretString::from(secret_key);
        let webhook_keys: Vec<_> = webhook_keys.into_iter().map(SecretString::from).collect();
        let blank_channel = processing_channel_id.as_ref().is_some_and(|id| id.trim().is_empty());
        if is_blank(&secret_key) || webhook_keys.is_empty() || webhook_keys.iter().any(is_blank) || blank_channel {
            return Err(VendorError::BadSecret(settings.name));
        }
        settings.check_return_url()?;
        Ok(Self { settings, secret_key, webhook_keys, processing_channel_id })
    }
}

impl Psp for Checkout {
    fn open_session<'a>(&'a self, order: &'a SessionOrder) -> BoxFuture<'a, Result<Session, PspError>> {
        Box::pin(self.create_page(order))
    }

    fn look_up<'a>(
        &'a self,
        payment: &'a PaymentId,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<PspReport>, PspError>> {
        Box::pin(self.find(payment, reference))
    }

    /// A payment comes into being when somebody tries to pay.
    fn absent_is_unpaid(&self) -> bool {
        true
    }

    fn payer_name<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Redacted<String>>, PspError>> {
        Box::pin(self.name_on_source(reference))
    }

    fn payment_of<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<PaymentId>, PspError>> {
        Box::pin(self.owner(reference))
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8], _now: Timestamp) -> Result<PspReport, WebhookError> {
        signature::check(headers, body, &self.webhook_keys).map_err(WebhookError::BadSignature)?;
        event::read(&self.settings.name, body).map_err(|faults| WebhookError::Malformed { faults })
    }

    fn answer(&self, answer: WebhookAnswer, _now: Timestamp) -> Response<Bytes> {
        received(answer)
    }

    fn webhook_proves_status(&self) -> bool {
        true
    }
}
