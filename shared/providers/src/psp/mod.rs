//! Payment service providers: opening a payment, asking for it, and reading what they send by themselves.

use ::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ::http::{HeaderMap, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use domain::input::Fault;
use domain::payment::PspReport;
use domain::withdrawal::PayoutAnswer;
use domain::{ClientId, Country, Money, PaymentId, Redacted, Timestamp};
use serde_json::json;

use crate::Disposition;
use crate::http::{BoxFuture, TransportError};

pub mod adyen;
pub mod checkout;
pub mod coinspaid;
mod major;
mod minor;
pub mod nuvei;
mod payout;
pub mod paysafe;
pub mod praxis;
pub mod settlement;
pub mod skrill;
mod statements;
pub mod stripe;
mod vendor;

pub use payout::PayoutOrder;
pub use vendor::{Settings, VendorError, vendor};

/// Seconds after which a vendor may deliver again what could not be taken now.
const TRY_AGAIN_S: &str = "30";

/// One payment service provider.
pub trait Psp: Send + Sync {
    /// Opens a payment with the payment's id as the vendor's idempotency key or order number, so that opening it
    /// twice opens it once.
    ///
    /// # Errors
    /// [`PspError`].
    fn open_session<'a>(&'a self, order: &'a SessionOrder) -> BoxFuture<'a, Result<Session, PspError>>;

    /// Asks where a payment stands; `None` when the provider knows no such payment. The reference is the one the
    /// provider gave, empty if it never did. A provider that cannot be asked for one payment answers `None` too: its rule gives it
    /// the longer waits, because after the second `None` a person is asked.
    ///
    /// # Errors
    /// [`PspError`].
    fn look_up<'a>(
        &'a self,
        payment: &'a PaymentId,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<PspReport>, PspError>>;

    /// Collects what a payer has agreed to, where the provider waits to be asked ([`domain::payment::PspStatus::Payable`]): once, whatever repeats, for our
    /// payment's id is its key. Gives where the payment stands then.
    ///
    /// # Errors
    /// [`PspError`].
    fn collect<'a>(&'a self, _collection: &'a Collection) -> BoxFuture<'a, Result<PspReport, PspError>> {
        Box::pin(std::future::ready(Err(PspError::refused("unsupported", "this provider collects by itself"))))
    }

    /// Whether a payment that the provider does not know of is simply one that nobody has paid: it has none before the payer acts.
    /// Where it has one from its opening on, that it knows none is odd, and a person looks.
    fn absent_is_unpaid(&self) -> bool {
        false
    }

    /// Which payment of ours stands behind a reference of the provider's, as the provider knows it; `None` when it is
    /// none of ours or the provider cannot be asked so.
    ///
    /// # Errors
    /// [`PspError`].
    fn payment_of<'a>(&'a self, _reference: &'a str) -> BoxFuture<'a, Result<Option<PaymentId>, PspError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// The name of whoever paid, as the provider has it of a payment that it collected; `None` where it tells none. It is personal data.
    ///
    /// # Errors
    /// [`PspError`].
    fn payer_name<'a>(&'a self, _reference: &'a str) -> BoxFuture<'a, Result<Option<Redacted<String>>, PspError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Pays out. Sent a second time under the same withdrawal it is done once where the vendor knows idempotency; a caller looks it up
    /// before he sends it again all the same ([`Self::find_payout`]).
    ///
    /// # Errors
    /// [`PspError`]; what each says of the payout: [`PspError::of_payout`].
    fn pay_out<'a>(&'a self, order: &'a PayoutOrder<'a>) -> BoxFuture<'a, Result<PayoutAnswer, PspError>> {
        let _ = order;
        Box::pin(std::future::ready(Err(PspError::no_payout("the provider"))))
    }

    /// Whether [`Self::find_payout`] answers `None` only where there surely is no such payout, so that whatever the provider says to
    /// another attempt is said of the withdrawal.
    fn payout_absence_is_proof(&self) -> bool {
        false
    }

    /// What an answer says of a payout that was sent so many times. A refusal says that nothing was paid; that of a second attempt says it
    /// of that attempt only, and nothing of the first where the look-up between them proves nothing.
    fn of_all_attempts(&self, answer: PayoutAnswer, attempts: u32) -> PayoutAnswer {
        match answer {
            PayoutAnswer::Failed { reference, code }
                if reference.is_empty() && attempts > 1 && !self.payout_absence_is_proof() =>
            {
                PayoutAnswer::Unknown(format!("another attempt was refused: {code}"))
            }
            answer => answer,
        }
    }

    /// What became of a payout; `None` where the provider surely has none of this withdrawal, or where sending it again does it only
    /// once.
    ///
    /// # Errors
    /// [`PspError`]. Not being able to look everywhere is an error, not `None`.
    fn find_payout<'a>(&'a self, order: &'a PayoutOrder<'a>) -> BoxFuture<'a, Result<Option<PayoutAnswer>, PspError>> {
        let _ = order;
        Box::pin(std::future::ready(Err(PspError::no_payout("the provider"))))
    }

    /// Checks and reads a delivery. The signature is checked over the bytes as they came, before anything else.
    ///
    /// # Errors
    /// [`WebhookError`].
    fn read_webhook(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<PspReport, WebhookError>;

    /// The answer this vendor expects to a delivery.
    fn answer(&self, answer: WebhookAnswer, now: Timestamp) -> Response<Bytes>;

    /// Whether the signature covers the status of a delivery. Where it does not, somebody who can alter a delivery
    /// under way could turn a refusal into a success: look the payment up before money moves.
    fn webhook_proves_status(&self) -> bool;
}

/// What a payment is opened with.
#[derive(Debug, Clone)]
pub struct SessionOrder {
    /// Ours; comes back in every statement.
    pub payment_id: PaymentId,
    /// What the client wants to pay.
    pub amount: Money,
    /// Where the payer goes afterwards; the configured page if absent.
    pub return_url: Option<String>,
    /// Who pays, as the provider may know them.
    pub client_reference: ClientId,
    /// Where the provider may send a receipt.
    pub email: Redacted<String>,
    /// BCP 47 language of the payment page.
    pub language: String,
    /// Residence, where known.
    pub country: Option<Country>,
    /// For signatures that carry a time.
    pub now: Timestamp,
}

/// What is asked for when a payer has agreed to pay.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Ours; the key of the payment.
    pub payment_id: PaymentId,
    /// What the deposit is about: the money is asked for by our own record.
    pub amount: Money,
    /// What the provider gave with the payer's word ([`domain::payment::PspStatus::Payable`]).
    pub token: String,
}

/// An opened payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The provider's id of the payment; empty where it makes one only when the payer pays.
    pub reference: String,
    /// Where the payer goes.
    pub redirect_url: String,
}

/// Why a provider did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PspError {
    /// The provider understood and will not.
    #[error("provider refused with `{code}`")]
    Refused {
        /// The provider's own code.
        code: String,
        /// The provider's own words, shortened. Vendors echo input in them, so they are for the adapter alone and stand
        /// in no text that reaches a log, an item or the journal.
        message: String,
    },
    /// Not reached, busy or no answer. Safe to repeat: the call is idempotent on the payment id.
    #[error("provider is unavailable: {0}")]
    Unavailable(String),
    /// It answered something that cannot be read; what it did is not known.
    #[error("provider's answer cannot be read: {0}")]
    Unknown(String),
    /// Credentials, permissions or settings are wrong.
    #[error("provider is not set up: {0}")]
    Misconfigured(String),
}

impl PspError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Refused { .. } => Disposition::GiveUp,
            Self::Unavailable(_) => Disposition::Retry,
            Self::Unknown(_) => Disposition::LookUp,
            Self::Misconfigured(_) => Disposition::Hold,
        }
    }

    fn refused(code: impl Into<String>, message: &str) -> Self {
        const MESSAGE_CHARS_MAX: usize = 200;
        Self::Refused { code: code.into(), message: message.chars().take(MESSAGE_CHARS_MAX).collect() }
    }
}

impl From<TransportError> for PspError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::NotSent(_) | TransportError::Lost(_) => Self::Unavailable(error.to_string()),
            TransportError::TooLarge => Self::Unknown(error.to_string()),
        }
    }
}

/// Why a delivery is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Not proven to come from the vendor. Nothing of it may be used or stored.
    #[error("signature is not accepted: {0}")]
    BadSignature(&'static str),
    /// From the vendor, and not what we understand.
    #[error("delivery cannot be read")]
    Malformed {
        /// Everything that is wrong with it.
        faults: Vec<Fault>,
    },
}

impl WebhookError {
    /// What the vendor is to be told.
    pub fn answer(&self) -> WebhookAnswer {
        match self {
            Self::BadSignature(_) => WebhookAnswer::BadSignature,
            Self::Malformed { .. } => WebhookAnswer::Malformed,
        }
    }
}

/// How a delivery was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// Taken, now or in an earlier delivery.
    Accepted,
    /// Understood and of no interest, with the reason in a few words.
    Ignored(&'static str),
    /// Not proven to come from the vendor.
    BadSignature,
    /// Proven, and not understood. Delivering it again will not help.
    Malformed,
    /// Not taken now; deliver it again.
    TryAgain,
}

impl WebhookAnswer {
    fn status(self) -> StatusCode {
        match self {
            Self::Accepted | Self::Ignored(_) => StatusCode::OK,
            Self::BadSignature => StatusCode::UNAUTHORIZED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::TryAgain => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Accepted => "OK",
            Self::Ignored(reason) => reason,
            Self::BadSignature => "The signature is missing or not accepted.",
            Self::Malformed => "The message cannot be read.",
            Self::TryAgain => "The message could not be taken now.",
        }
    }
}

fn json_response(status: StatusCode, content_type: &'static str, body: &serde_json::Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(TRY_AGAIN_S));
    }
    response
}

/// What is taken is acknowledged in JSON, for vendors that read nothing but the status.
fn received(answer: WebhookAnswer) -> Response<Bytes> {
    match answer {
        WebhookAnswer::Accepted | WebhookAnswer::Ignored(_) => {
            json_response(answer.status(), "application/json", &json!({"received": true}))
        }
        WebhookAnswer::BadSignature | WebhookAnswer::Malformed | WebhookAnswer::TryAgain => problem(answer),
    }
}

/// What is taken is acknowledged by a word that the vendor waits for.
fn acknowledged(answer: WebhookAnswer, word: &'static str) -> Response<Bytes> {
    match answer {
        WebhookAnswer::Accepted | WebhookAnswer::Ignored(_) => {
            let mut response = Response::new(Bytes::from_static(word.as_bytes()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            response
        }
        WebhookAnswer::BadSignature | WebhookAnswer::Malformed | WebhookAnswer::TryAgain => problem(answer),
    }
}

/// RFC 9457, for vendors that read nothing but the status.
fn problem(answer: WebhookAnswer) -> Response<Bytes> {
    let status = answer.status();
    let title = status.canonical_reason().unwrap_or("Error");
    let body = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "detail": answer.text()});
    json_response(status, "application/problem+json", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_vendor_echoes_reaches_no_text() {
        let error = PspError::refused("invalid_email", "No such address: jane@example.com");
        assert_eq!(error.to_string(), "provider refused with `invalid_email`");
    }
}
