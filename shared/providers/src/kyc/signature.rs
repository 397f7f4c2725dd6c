//! Onfido's and Veriff's signatures of what they send: HMAC-SHA256 over the raw body, in hex.

use ::http::HeaderMap;
use secrecy::SecretString;

use crate::signature::{hex_matches, hmac_sha256};

/// The signature in a header must be made with any of our secrets.
pub(super) fn check(
    headers: &HeaderMap,
    header: &'static str,
    body: &[u8],
    secrets: &[SecretString],
) -> Result<(), &'static str> {
    let given = headers.get(header).ok_or("the header is missing")?;
    let given = given.to_str().map_err(|_| "the header is not text")?;
    let matches =
        |secret: &SecretString| hmac_sha256(secret, &[body]).is_some_and(|digest| hex_matches(given, &digest));
    if secrets.iter().any(matches) { Ok(()) } else { Err("it does not match") }
}
