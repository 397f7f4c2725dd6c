//! Skrill Quick Checkout: a session is prepared, the payer goes to its page, and `status_url` is told with a form.
//!
//! Secret: `{"merchant_email": "…", "merchant_id": "…", "secret_word": "…", "query_password": "…"}`; the last is the password for the
//! Merchant Query Interface, which has to be switched on for our addresses.
//!
//! What a broker must know before going live:
//! - `md5sig` covers merchant, our number, amount, currency and status, and no time. Nothing else of a message is read. So a recorded message
//!   stays good; it repeats what is known. Skrill's own number of the payment is not covered: a payment is named by ours, at Skrill too.
//! - Money is what reached the merchant's account (`mb_amount`, `mb_currency`). Of a currency that the account does not hold Skrill converts,
//!   and what comes is another one than was asked for, which a person decides: `currencies` of the rules are those that the account holds.
//! - A secret word has ten letters at most, and whoever has seen one message can try them all. Keep its address secret, and
//!   let Skrill's addresses alone in.
//! - Skrill keeps no idempotency key: a session that is prepared twice is two sessions with the same number of ours. The payer is shown one.
//! - Refunds are told to the address that they were asked with, and never here.

mod api;
mod payout;
mod signature;
mod statement;

use ::http::{HeaderMap, Response};
use bytes::Bytes;
use domain::payment::PspReport;
use domain::withdrawal::PayoutAnswer;
use domain::{PaymentId, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    PayoutOrder, Psp, PspError, Session, SessionOrder, Settings, VendorError, WebhookAnswer, WebhookError, received,
};
use crate::http::BoxFuture;
use crate::signature::is_blank;

/// Payments over Skrill.
pub struct Skrill {
    settings: Settings,
    merchant_email: String,
    merchant_id: String,
    secret_word: SecretString,
    query_password: SecretString,
}

#[derive(Deserialize)]
struct Credentials {
    merchant_email: String,
    merchant_id: String,
    secret_word: String,
    query_password: String,
}

impl Skrill {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`VendorError`].
    pub fn new(settings: Settings) -> Result<Self, VendorError> {
        let Credentials { merchant_email, merchant_id, secret_word, query_password } = settings.secret()?;
        let (secret_word, query_password) = (SecretString::from(secret_word), SecretString::from(query_password));
        // digits alone: the signed text has no borders, and a number of letters could take some of what follows it
        let is_number = !merchant_id.is_empty() && merchant_id.bytes().all(|b| b.is_ascii_digit());
        if merchant_email.trim().is_empty() || !is_number || is_blank(&secret_word) || is_blank(&query_password) {
            return Err(VendorError::BadSecret(settings.name));
        }
        settings.check_return_url()?;
        Ok(Self { settings, merchant_email, merchant_id, secret_word, query_password })
    }
}

impl Psp for Skrill {
    fn open_session<'a>(&'a self, order: &'a SessionOrder) -> BoxFuture<'a, Result<Session, PspError>> {
        Box::pin(self.prepare(order))
    }

    /// Asks by our own number: the reference is the same.
    fn look_up<'a>(
        &'a self,
        payment: &'a PaymentId,
        _reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<PspReport>, PspError>> {
        Box::pin(self.query(payment))
    }

    /// A session that nobody has paid in is no transaction.
    fn absent_is_unpaid(&self) -> bool {
        true
    }

    fn pay_out<'a>(&'a self, order: &'a PayoutOrder<'a>) -> BoxFuture<'a, Result<PayoutAnswer, PspError>> {
        Box::pin(self.transfer(order))
    }

    fn find_payout<'a>(&'a self, order: &'a PayoutOrder<'a>) -> BoxFuture<'a, Result<Option<PayoutAnswer>, PspError>> {
        Box::pin(self.find_transfer(order))
    }

    fn read_webhook(&self, _headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<PspReport, WebhookError> {
        let posted =
            signature::check(body, &self.merchant_id, &self.secret_word).map_err(WebhookError::BadSignature)?;
        statement::read(&self.settings.name, &posted, now).map_err(|faults| WebhookError::Malformed { faults })
    }

    fn answer(&self, answer: WebhookAnswer, _now: Timestamp) -> Response<Bytes> {
        received(answer)
    }

    fn webhook_proves_status(&self) -> bool {
        true
    }
}
