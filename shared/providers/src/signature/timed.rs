//! `t=<unix>,v1=<hex>[,v1=<hex>…]`, HMAC-SHA256 over `t`, a point and the raw body: how Stripe signs, and how bridges sign deals for us.

use domain::{Seconds, Timestamp};
use secrecy::SecretString;

use super::{hex_matches, hmac_sha256};

/// Signatures looked at per header; a sender sends one for each of at most a few secrets.
const SIGNATURES_MAX: usize = 16;

/// Any signature of scheme `v1` made with any of our secrets passes; other schemes are ignored. The time stamp is
/// compared afterwards, and in both directions: one from the future would be a replay in store.
pub(crate) fn check(
    header: &str,
    body: &[u8],
    secrets: &[SecretString],
    tolerance: Seconds,
    now: Timestamp,
) -> Result<(), &'static str> {
    let (time, signatures) = parse(header)?;
    let digests: Vec<_> = secrets.iter().filter_map(|secret| digest(secret, time, body)).collect();
    let signed = signatures.iter().any(|given| digests.iter().any(|digest| hex_matches(given, digest)));
    if !signed {
        return Err("no signature matches");
    }
    let seconds: i64 = time.parse().map_err(|_| "time stamp is out of range")?;
    if now.seconds().abs_diff(seconds) > u64::from(tolerance.0) {
        return Err("time stamp is outside the tolerance");
    }
    Ok(())
}

fn parse(header: &str) -> Result<(&str, Vec<&str>), &'static str> {
    let mut times = Vec::new();
    let mut signatures = Vec::new();
    for (scheme, value) in header.split(',').filter_map(|item| item.trim().split_once('=')) {
        match scheme {
            "t" => times.push(value),
            "v1" if signatures.len() < SIGNATURES_MAX => signatures.push(value),
            _ => {}
        }
    }
    let [time] = times[..] else { return Err("header has not exactly one time stamp") };
    if time.is_empty() || !time.bytes().all(|b| b.is_ascii_digit()) {
        return Err("time stamp is not a number");
    }
    if signatures.is_empty() {
        return Err("header has no signature of scheme v1");
    }
    Ok((time, signatures))
}

fn digest(secret: &SecretString, time: &str, body: &[u8]) -> Option<[u8; 32]> {
    hmac_sha256(secret, &[time.as_bytes(), b".", body])
}
