//! Exchange rates: one module a vendor. A source says what it has, with its moment; whether that is too old, the rules say.
//!
//! Nothing is guessed: what is zero, negative, crossed, of another pair or not readable to the last byte is an error and never a rate.

use std::sync::Arc;
use std::time::Duration;

use ::http::{Request, StatusCode};
use bytes::Bytes;
use domain::payment::fx::rules::{RateRule, RateVendor};
use domain::{Currency, Timestamp};
use rust_decimal::Decimal;

use crate::Disposition;
use crate::http::{AnswerSizeMax, BoxFuture, Transport, TransportError};

mod ecb;
mod quote;

/// Longest answer of a source, in bytes: the ECB's has about two thousand.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest a rate is, in characters.
const RATE_CHARS_MAX: usize = 16;

/// What a source says of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairRate {
    /// Units of the second currency for one unit of the first; above zero.
    pub rate: Decimal,
    /// When the source says that it was so.
    pub at: Timestamp,
}

/// Why there is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// It could not be reached, or did not answer in time.
    #[error("the source does not answer: {0}")]
    Silent(String),
    /// It answered, and that is no rate.
    #[error("the source's answer is not a rate: {0}")]
    Unusable(String),
    /// It has no rate of the pair.
    #[error("the source has no rate of {0}/{1}")]
    Missing(Currency, Currency),
    /// It does not take our calls as they are set up.
    #[error("the source refuses our calls: {0}")]
    Misconfigured(String),
}

impl RateError {
    /// Reading is harmless: whatever passes is tried again.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Silent(_) | Self::Unusable(_) => Disposition::Retry,
            Self::Missing(..) | Self::Misconfigured(_) => Disposition::Hold,
        }
    }
}

/// A source of rates.
pub trait RateSource: Send + Sync {
    /// What one unit of `from` brings in `to`.
    ///
    /// # Errors
    /// [`RateError`].
    fn rate<'a>(&'a self, from: Currency, to: Currency) -> BoxFuture<'a, Result<PairRate, RateError>>;
}

/// The source of a rule.
pub fn source(rule: &RateRule, transport: Arc<dyn Transport>, timeout: Duration) -> Box<dyn RateSource> {
    let call = Call { base_url: rule.base_url.clone(), transport, timeout };
    match rule.vendor {
        RateVendor::Ecb => Box::new(ecb::Ecb(call)),
        RateVendor::Quote => Box::new(quote::LiveQuote(call)),
    }
}

/// How a source is called.
struct Call {
    base_url: String,
    transport: Arc<dyn Transport>,
    timeout: Duration,
}

impl Call {
    async fn get(&self, path: &str) -> Result<Bytes, RateError> {
        let request = Request::get(format!("{}{path}", self.base_url))
            .extension(AnswerSizeMax(ANSWER_BYTES_MAX))
            .body(Bytes::new())
            .map_err(|_| RateError::Misconfigured("its address cannot be called".to_owned()))?;
        let response = self.transport.send(request, self.timeout).await.map_err(|error| match error {
            TransportError::NotSent(_) | TransportError::Lost(_) => RateError::Silent(error.to_string()),
            TransportError::TooLarge => RateError::Unusable(error.to_string()),
        })?;
        match response.status() {
            StatusCode::OK => Ok(response.into_body()),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Err(RateError::Silent(format!("HTTP {}", response.status())))
            }
            status if status.is_client_error() => Err(RateError::Misconfigured(format!("HTTP {status}"))),
            status => Err(RateError::Silent(format!("HTTP {status}"))),
        }
    }
}

/// A plain positive decimal: `1.0593`. Neither signs nor exponents nor spaces.
fn plain_rate(text: &str) -> Result<Decimal, RateError> {
    let is_plain = text.len() <= RATE_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit());
    let rate = Decimal::from_str_exact(text).ok().filter(|rate| is_plain && *rate > Decimal::ZERO);
    rate.ok_or_else(|| RateError::Unusable("a rate in it is not a decimal above zero".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_plain_decimal_above_zero() {
        for good in ["1.0593", "1", "161.85", "0.0001", "16230.55"] {
            assert_eq!(plain_rate(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "0",
            "0.0000",
            "-1.05",
            "+1.05",
            "1,05",
            "1e3",
            " 1.05",
            "1.05 ",
            ".5",
            "1.",
            "1.0.5",
            "N/A",
            "1_0",
            "12345678901234567",
        ] {
            assert!(plain_rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_passes_is_asked_again_and_what_a_person_mends_is_not() {
        let (usd, eur) = ("USD".parse().unwrap(), "EUR".parse().unwrap());
        assert_eq!(RateError::Silent(String::new()).disposition(), Disposition::Retry);
        assert_eq!(RateError::Unusable(String::new()).disposition(), Disposition::Retry);
        assert_eq!(RateError::Missing(usd, eur).disposition(), Disposition::Hold);
        assert_eq!(RateError::Misconfigured(String::new()).disposition(), Disposition::Hold);
    }
}
