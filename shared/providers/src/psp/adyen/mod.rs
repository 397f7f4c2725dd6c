//! Adyen: payment links of the Checkout API and its standard webhook.
//!
//! Secret: `{"api_key": "AQE…", "merchant_account": "…", "hmac_keys": ["44782DEF…", …]}`; the keys in hex as the Customer Area shows
//! them, several while one is being changed.
//!
//! A payer's attempt gets a number of its own (`pspReference`) when he pays; a link has none that its webhooks name. Adyen has no call
//! that tells where a payment stands, so what its webhooks do not tell nobody does: a payment of which nothing came is a person's.
//!
//! The signature covers eight values. The time of an event is none of them and is not read. An old message may come again at any time,
//! so what one of them says of a return must not undo what a later one said: see the module `item`.
//!
//! What counts as collected is a setting ([`Collected`](domain::payment::rules::Collected)): the authorisation, where the merchant
//! account captures by itself, and else the capture.

mod api;
mod item;
mod signature;
mod units;

use ::http::{HeaderMap, Response};
use bytes::Bytes;
use domain::payment::PspReport;
use domain::{PaymentId, Timestamp};
use secrecy::{SecretSlice, SecretString};
use serde::Deserialize;

use super::{Psp, PspError, Session, SessionOrder, Settings, VendorError, WebhookAnswer, WebhookError, acknowledged};
use crate::http::BoxFuture;
use crate::signature::is_blank;

/// What Adyen wants to read when a webhook was taken.
const TAKEN: &str = "[accepted]";

/// Payments over Adyen.
pub struct Adyen {
    settings: Settings,
    api_key: SecretString,
    merchant_account: String,
    hmac_keys: Vec<SecretSlice<u8>>,
}

#[derive(Deserialize)]
struct Credentials {
    api_key: String,
    merchant_account: String,
    hmac_keys: Vec<String>,
}

impl Adyen {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`VendorError`].
    pub fn new(settings: Settings) -> Result<Self, VendorError> {
        let Credentials { api_key, merchant_account, hmac_keys } = settings.secret()?;
        let api_key = SecretString::from(api_key);
        let keys: Option<Vec<_>> = hmac_keys.iter().map(|key| signature::key(key)).collect();
        let keys = keys.filter(|keys| !keys.is_empty());
        let (Some(hmac_keys), false) = (keys, is_blank(&api_key) || merchant_account.trim().is_empty()) else {
            return Err(VendorError::BadSecret(settings.name));
        };
        settings.check_return_url()?;
        Ok(Self { settings, api_key, merchant_account, hmac_keys })
    }
}

impl Psp for Adyen {
    fn open_session<'a>(&'a self, order: &'a SessionOrder) -> BoxFuture<'a, Result<Session, PspError>> {
        Box::pin(self.create_link(order))
    }

    /// Adyen has no such call.
    fn look_up<'a>(
        &'a self,
        _payment: &'a PaymentId,
        _reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<PspReport>, PspError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn read_webhook(&self, _headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<PspReport, WebhookError> {
        let item =
            signature::check(body, &self.hmac_keys, &self.merchant_account).map_err(WebhookError::BadSignature)?;
        item::read(&self.settings.name, &item, self.settings.collected, now)
            .map_err(|faults| WebhookError::Malformed { faults })
    }

    fn answer(&self, answer: WebhookAnswer, _now: Timestamp) -> Response<Bytes> {
        acknowledged(answer, TAKEN)
    }

    fn webhook_proves_status(&self) -> bool {
        true
    }
}
