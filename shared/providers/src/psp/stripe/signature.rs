//! `Stripe-Signature`, in the form of [`crate::signature::timed`].

use ::http::HeaderMap;
use domain::{Seconds, Timestamp};
use secrecy::SecretString;

use crate::signature::timed;

pub(super) const HEADER: &str = "stripe-signature";

/// Whether Stripe signed the body within the tolerance.
pub(super) fn check(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
    tolerance: Seconds,
    now: Timestamp,
) -> Result<(), &'static str> {
    let header = headers.get(HEADER).ok_or("header `Stripe-Signature` is missing")?;
    let header = header.to_str().map_err(|_| "header `Stripe-Signature` is not text")?;
    timed::check(header, body, secrets, tolerance, now)
}
