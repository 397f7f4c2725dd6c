//! CoinsPaid (CryptoProcessing): a deposit is an address, and what comes to it is told by callbacks.
//!
//! Secret: `{"public_key": "…", "secret_key": "…"}`; one pair signs both ways.
//!
//! What a broker must know before going live:
//! - An address is made for each deposit, with our payment id as its `foreign_id`. It takes money for ever, with or without an intent of
//!   ours: each transaction is money of its own. The first is the deposit's; each later one, and what comes to an address of other
//!   origin, goes to a person.
//! - What was received is `currency_received.amount`, after conversion into the account's currency and before CoinsPaid's fee, which is the broker's
//!   as a card's is. It has more decimals than money has: what is less than the currency's smallest unit stays with the broker.
//! - The signature covers the whole body and no time, so a recorded callback stays good; it repeats what is known.
//! - There is no page for the payer: `pay_page_url` of the rules is one of the broker's own. It shows an address, so it must take its parts
//!   from the answer that opened the deposit, and never from a link that came another way.
//! - Vendors of crypto must know the sender: an account that is set up to ask for `sender_data` refuses addresses without them, and they are not
//!   sent here. CoinsPaid's support says what applies.
//! - A withdrawal is taken once under one `foreign_id`; a second one is answered 400 about that member, which is the proof of the first.
//! - The look-up asks by `foreign_id`. One of the vendor's pages says that deposits are found by it, an older one that only withdrawals are:
//!   try it in the sandbox. Where they are not found, a callback that never came is found by reconciliation alone.

mod api;
mod callback;

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
use crate::signature::{hex_matches, hmac_sha512, is_blank};
use crate::template;

/// The header of every signed message, either way.
const SIGNATURE: &str = "x-processing-signature";

/// Names in the template of the payer's page.
const PAGE_NAMES: [&str; 4] = ["payment_id", "address", "tag", "coin"];

/// Payments over CoinsPaid.
pub struct CoinsPaid {
    settings: Settings,
    coin: String,
    page: String,
    public_key: String,
    secret_key: SecretString,
}

#[derive(Deserialize)]
struct Credentials {
    public_key: String,
    secret_key: String,
}

impl CoinsPaid {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`VendorError`].
    pub fn new(settings: Settings) -> Result<Self, VendorError> {
        let Credentials { public_key, secret_key } = settings.secret()?;
        let secret_key = SecretString::from(secret_key);
        if public_key.trim().is_empty() || is_blank(&secret_key) {
            return Err(VendorError::BadSecret(settings.name));
        }
        let missing = |setting| VendorError::Missing { name: settings.name.clone(), setting };
        let coin = settings.payment_method.clone().ok_or_else(|| missing("payment_method"))?;
        let page = settings.pay_page.clone().ok_or_else(|| missing("pay_page"))?;
        if !template::is_url_with(&page, &PAGE_NAMES) || !page.contains("{address}") {
            return Err(VendorError::BadTemplate { name: settings.name, setting: "pay_page" });
        }
        Ok(Self { settings, coin, page, public_key, secret_key })
    }

    fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), &'static str> {
        let header = headers.get(SIGNATURE).ok_or("header `X-Processing-Signature` is missing")?;
        let given = header.to_str().map_err(|_| "header `X-Processing-Signature` is not text")?;
        let expected = hmac_sha512(&self.secret_key, &[body]);
        match expected.is_some_and(|expected| hex_matches(given, &expected)) {
            true => Ok(()),
            false => Err("signature does not match"),
        }
    }
}

impl Psp for CoinsPaid {
    fn open_session<'a>(&'a self, order: &'a SessionOrder) -> BoxFuture<'a, Result<Session, PspError>> {
        Box::pin(self.take_address(order))
    }

    /// Asks by our own number, which the address has: its transaction's is not known before it came.
    fn look_up<'a>(
        &'a self,
        payment: &'a PaymentId,
        _reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<PspReport>, PspError>> {
        Box::pin(self.find_transaction(payment))
    }

    /// An address that nothing came to has no transaction.
    fn absent_is_unpaid(&self) -> bool {
        true
    }

    fn pay_out<'a>(&'a self, order: &'a PayoutOrder<'a>) -> BoxFuture<'a, Result<PayoutAnswer, PspError>> {
        Box::pin(self.send_coins(order))
    }

    fn find_payout<'a>(&'a self, order: &'a PayoutOrder<'a>) -> BoxFuture<'a, Result<Option<PayoutAnswer>, PspError>> {
        Box::pin(self.find_coins(order))
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<PspReport, WebhookError> {
        self.check(headers, body).map_err(WebhookError::BadSignature)?;
        callback::read(&self.settings.name, body, now).map_err(|faults| WebhookError::Malformed { faults })
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

    /// The vendor's page "Authorisation".
    #[test]
    fn the_published_vector_signs_to_its_value() {
        let secret = SecretString::from("AbCdEfG123456".to_owned());
        let digest = hmac_sha512(&secret, &[br#"{"currency":"BTC","foreign_id":"123456"}"#]).unwrap();
        assert_eq!(
            hex::encode(digest),
            "03c25fcf7cd35e7d995e402cd5d51edd72d48e1471e865907967809a0c189ba55b90815f20e2bb10f82c7a9e9d865546fda58989c2ae9e8e2ff7bc29195fa1ec"
        );
    }
}
