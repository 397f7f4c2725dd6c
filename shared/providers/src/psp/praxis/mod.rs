//! Praxis Cashier, interface version 1.3: one cashier in front of many processors.
//!
//! Secret: `{"merchant_id": "…", "application_key": "…", "secret": "…"}`.
//!
//! The vendor's notification signature covers neither the status nor the transaction's type. It proves who wrote the
//! message and what the amounts are, not that nobody changed the status under way: ask for the order before money
//! moves.

mod api;
mod lexemes;
mod notification;
mod signature;
mod signed;
mod units;

use ::http::{HeaderMap, HeaderValue, Response};
use bytes::Bytes;
use domain::payment::PspReport;
use domain::{PaymentId, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::{
    Psp, PspError, Session, SessionOrder, Settings, VendorError, WebhookAnswer, WebhookError, json_response, problem,
};
use crate::http::BoxFuture;
use signature::Refusal;

/// The interface version that this module speaks.
const VERSION: &str = "1.3";

/// The content type of every message, either way.
const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// Payments over Praxis.
pub struct Praxis {
    settings: Settings,
    merchant_id: String,
    application_key: String,
    secret: SecretString,
}

#[derive(Deserialize)]
struct Credentials {
    merchant_id: String,
    application_key: String,
    secret: String,
}

impl Praxis {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`VendorError`].
    pub fn new(settings: Settings) -> Result<Self, VendorError> {
        let Credentials { merchant_id, application_key, secret } = settings.secret()?;
        // The signature is a plain hash: without a secret anybody can make it.
        if [&merchant_id, &application_key, &secret].into_iter().any(|text| text.trim().is_empty()) {
            return Err(VendorError::BadSecret(settings.name));
        }
        settings.check_return_url()?;
        Ok(Self { settings, merchant_id, application_key, secret: SecretString::from(secret) })
    }

    /// Praxis checks our answers as we check its messages.
    fn signed_answer(&self, answer: WebhookAnswer, code: i32, now: Timestamp) -> Response<Bytes> {
        let (status, timestamp) = (code.to_string(), now.seconds().to_string());
        let value = |name: &str| match name {
            "status" => status.as_str(),
            _ => timestamp.as_str(),
        };
        let signature = signature::sign(signature::ANSWER_FIELDS.map(value), self.secret.expose_secret());
        let body = json!({
            "status": code,
            "description": answer.text(),
            "version": VERSION,
            "timestamp": now.seconds(),
        });
        let mut response = json_response(answer.status(), CONTENT_TYPE, &body);
        if let Ok(signature) = HeaderValue::from_str(&signature) {
            response.headers_mut().insert(signature::HEADER, signature);
        }
        response
    }
}

impl Psp for Praxis {
    fn open_session<'a>(&'a self, order: &'a SessionOrder) -> BoxFuture<'a, Result<Session, PspError>> {
        Box::pin(self.create_session(order))
    }

    /// Asks by our own order number: the reference is not needed.
    fn look_up<'a>(
        &'a self,
        payment: &'a PaymentId,
        _reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<PspReport>, PspError>> {
        Box::pin(self.find_order(payment))
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<PspReport, WebhookError> {
        let message = lexemes::Message::parse(body)
            .ok_or(WebhookError::BadSignature("body is not the JSON object that would be signed"))?;
        let signed = signature::check(self, headers, &message, now).map_err(|refusal| match refusal {
            Refusal::NotProven(reason) => WebhookError::BadSignature(reason),
            Refusal::Form(faults) => WebhookError::Malformed { faults: notification::faults(&message, faults) },
        })?;
        notification::read(&self.settings.name, &message, signed).map_err(|faults| WebhookError::Malformed { faults })
    }

    fn answer(&self, answer: WebhookAnswer, now: Timestamp) -> Response<Bytes> {
        match answer {
            WebhookAnswer::Accepted | WebhookAnswer::Ignored(_) => self.signed_answer(answer, 0, now),
            WebhookAnswer::Malformed => self.signed_answer(answer, 1, now),
            // Negative: Praxis delivers again in about five minutes.
            WebhookAnswer::TryAgain => self.signed_answer(answer, -1, now),
            // Whoever did not sign gets nothing signed back. To Praxis itself this is an unknown format, which it
            // delivers again: what a secret rolled too early has turned away is not lost.
            WebhookAnswer::BadSignature => problem(answer),
        }
    }

    fn webhook_proves_status(&self) -> bool {
        false
    }
}
