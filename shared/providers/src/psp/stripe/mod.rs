//! Stripe: payment intents and signed events.
//!
//! Secret: `{"secret_key": "sk_…", "webhook_secrets": ["whsec_…", …]}`; several while a webhook secret is rolled.
//!
//! What a broker must check before going live. Stripe shows the payer a page only for methods that redirect. So
//! either `pay_page` names a page of the broker's own which confirms the intent with Stripe's script and the client
//! secret, or `payment_method` names a redirecting method that the account has enabled and the currency allows. With
//! neither the intent is confirmed with automatic methods, which Stripe does only for accounts whose default needs
//! no further details.

mod api;
mod event;
mod refunds;
mod signature;
mod units;

use ::http::{HeaderMap, Response};
use bytes::Bytes;
use domain::payment::PspReport;
use domain::withdrawal::PayoutAnswer;
use domain::{PaymentId, Redacted, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    PayoutOrder, Psp, PspError, Session, SessionOrder, Settings, VendorError, WebhookAnswer, WebhookError, received,
};
use crate::http::BoxFuture;
use crate::signature::is_blank;
use crate::template;

/// Payments over Stripe.
pub struct Stripe {
    settings: Settings,
    secret_key: SecretString,
    webhook_secrets: Vec<SecretString>,
}

#[derive(Deserialize)]
struct Credentials {
    secret_key: String,
    webhook_secrets: Vec<String>,
}

impl Stripe {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`VendorError`].
    pub fn new(settings: Settings) -> Result<Self, VendorError> {
        let Credentials { secret_key, webhook_secrets } = settings.secret()?;
        // An empty secret would sign for everybody.
        let secret_key = SecretString::from(secret_key);
        let webhook_secrets: Vec<_> = webhook_secrets.into_iter().map(SecretString::from).collect();
        if is_blank(&secret_key) || webhook_secrets.is_empty() || webhook_secrets.iter().any(is_blank) {
            return Err(VendorError::BadSecret(settings.name));
        }
        settings.check_return_url()?;
        if settings.pay_page.as_ref().is_some_and(|t| !template::is_url_with(t, &["payment_id", "client_secret"])) {
            return Err(VendorError::BadTemplate { name: settings.name, setting: "pay_page" });
        }
        Ok(Self { settings, secret_key, webhook_secrets })
    }
}

impl Psp for Stripe {
    fn open_session<'a>(&'a self, order: &'a SessionOrder) -> BoxFuture<'a, Result<Session, PspError>> {
        Box::pin(self.create_intent(order))
    }

    fn look_up<'a>(
        &'a self,
        payment: &'a PaymentId,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<PspReport>, PspError>> {
        Box::pin(self.retrieve_intent(payment, reference))
    }

    fn payment_of<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<PaymentId>, PspError>> {
        Box::pin(self.owner_of_intent(reference))
    }

    fn payer_name<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Redacted<String>>, PspError>> {
        Box::pin(self.billing_name(reference))
    }

    fn pay_out<'a>(&'a self, order: &'a PayoutOrder<'a>) -> BoxFuture<'a, Result<PayoutAnswer, PspError>> {
        Box::pin(self.refund_to_payer(order))
    }

    /// The list of a payment's refunds is whole, and has what was made a moment ago.
    fn payout_absence_is_proof(&self) -> bool {
        true
    }

    fn find_payout<'a>(&'a self, order: &'a PayoutOrder<'a>) -> BoxFuture<'a, Result<Option<PayoutAnswer>, PspError>> {
        Box::pin(self.find_refund(order))
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<PspReport, WebhookError> {
        signature::check(headers, body, &self.webhook_secrets, self.settings.tolerance, now)
            .map_err(WebhookError::BadSignature)?;
        event::read(&self.settings.name, body).map_err(|faults| WebhookError::Malformed { faults })
    }

    fn answer(&self, answer: WebhookAnswer, _now: Timestamp) -> Response<Bytes> {
        received(answer)
    }

    fn webhook_proves_status(&self) -> bool {
        true
    }
}
