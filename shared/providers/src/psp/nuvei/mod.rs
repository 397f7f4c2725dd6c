//! Nuvei (SafeCharge): its payment page, and its notifications ("DMN") as POST forms.
//!
//! Secret: `{"merchant_id": "…", "merchant_site_id": "…", "secret_key": "…"}`.
//!
//! Opening a payment calls nobody: the page's address carries what is to be paid and a checksum of it, and the same payment has the same
//! address however often it is made. A transaction comes into being when the payer pays, with a number of its own; so does every refund.
//!
//! The vendor's checksum covers amount, currency, time, the page's number and the status. It covers neither whose payment it is, nor which
//! transaction, nor whether that is a sale, a hold or a refund: a notification only says what to ask about, and the transaction is asked
//! for before anything is believed. Of a notification that names no payment of ours even that cannot be asked: it is a person's.
//!
//! Accounts that still sign with MD5 are not taken, nor notifications by GET: both are settings of the account.

mod api;
mod notification;
mod page;
mod signature;
mod transaction;

use ::http::{HeaderMap, Response};
use bytes::Bytes;
use domain::payment::PspReport;
use domain::{PaymentId, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;

use super::{Psp, PspError, Session, SessionOrder, Settings, VendorError, WebhookAnswer, WebhookError, acknowledged};
use crate::http::BoxFuture;
use crate::signature::is_blank;

/// Payments over Nuvei.
pub struct Nuvei {
    settings: Settings,
    merchant_id: String,
    merchant_site_id: String,
    secret_key: SecretString,
}

#[derive(Deserialize)]
struct Credentials {
    merchant_id: String,
    merchant_site_id: String,
    secret_key: String,
}

impl Nuvei {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`VendorError`].
    pub fn new(settings: Settings) -> Result<Self, VendorError> {
        let Credentials { merchant_id, merchant_site_id, secret_key } = settings.secret()?;
        let secret_key = SecretString::from(secret_key);
        // The checksum is a plain hash: without a secret anybody can make it.
        let blank = [&merchant_id, &merchant_site_id].into_iter().any(|text| text.trim().is_empty());
        if blank || is_blank(&secret_key) {
            return Err(VendorError::BadSecret(settings.name));
        }
        settings.check_return_url()?;
        Ok(Self { settings, merchant_id, merchant_site_id, secret_key })
    }
}

impl Psp for Nuvei {
    fn open_session<'a>(&'a self, order: &'a SessionOrder) -> BoxFuture<'a, Result<Session, PspError>> {
        Box::pin(std::future::ready(Ok(self.page(order))))
    }

    fn look_up<'a>(
        &'a self,
        payment: &'a PaymentId,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<PspReport>, PspError>> {
        Box::pin(self.find(payment, reference))
    }

    /// A transaction comes into being when somebody pays.
    fn absent_is_unpaid(&self) -> bool {
        true
    }

    fn read_webhook(&self, _headers: &HeaderMap, body: &[u8], _now: Timestamp) -> Result<PspReport, WebhookError> {
        let form = signature::check(body, &self.secret_key).map_err(WebhookError::BadSignature)?;
        notification::read(&self.settings.name, &form).map_err(|faults| WebhookError::Malformed { faults })
    }

    fn answer(&self, answer: WebhookAnswer, _now: Timestamp) -> Response<Bytes> {
        acknowledged(answer, "OK")
    }

    fn webhook_proves_status(&self) -> bool {
        false
    }
}
