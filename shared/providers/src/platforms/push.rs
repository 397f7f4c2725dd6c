//! Deals that a bridge pushes: `X-Pipworks-Signature`, in the form that Stripe has, too.

use ::http::HeaderMap;
use domain::{Seconds, Timestamp};
use secrecy::SecretString;

use crate::signature::timed;

const HEADER: &str = "x-pipworks-signature";

/// Whether a bridge signed the body within the tolerance.
///
/// # Errors
/// What is wrong, for the log.
pub fn check(
    headers: &HeaderMap,
    body: &[u8],
    secret: &SecretString,
    tolerance: Seconds,
    now: Timestamp,
) -> Result<(), &'static str> {
    let header = headers.get(HEADER).ok_or("header `X-Pipworks-Signature` is missing")?;
    let header = header.to_str().map_err(|_| "header `X-Pipworks-Signature` is not text")?;
    timed::check(header, body, std::slice::from_ref(secret), tolerance, now)
}
