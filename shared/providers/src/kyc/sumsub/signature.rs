//! Sumsub's signatures: of our requests, and of what it sends.

use ::http::HeaderMap;
use secrecy::SecretString;

use crate::kyc::vendor::Algorithm;
use crate::signature::{hex_matches, hmac_sha256, hmac_sha512};

const DIGEST: &str = "x-payload-digest";
const ALGORITHM: &str = "x-payload-digest-alg";

/// `X-App-Access-Sig`: time, method, path with query as sent, body.
pub(super) fn of_request(secret: &SecretString, time: &str, method: &str, target: &str, body: &[u8]) -> Option<String> {
    let parts = [time.as_bytes(), method.as_bytes(), target.as_bytes(), body];
    hmac_sha256(secret, &parts).map(hex::encode)
}

/// `X-Payload-Digest`: the raw body under any of our secrets, by an algorithm that is ours to choose.
pub(super) fn check(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
    algorithms: &[Algorithm],
) -> Result<(), &'static str> {
    let given = headers.get(DIGEST).ok_or("header `X-Payload-Digest` is missing")?;
    let given = given.to_str().map_err(|_| "header `X-Payload-Digest` is not text")?;
    let algorithm = named(headers)?;
    if !algorithms.contains(&algorithm) {
        return Err("the algorithm is not one that is set up");
    }
    let matches = |secret: &SecretString| match algorithm {
        Algorithm::Sha512 => hmac_sha512(secret, &[body]).is_some_and(|digest| hex_matches(given, &digest)),
        Algorithm::Sha256 | Algorithm::UnnamedSha256 => {
            hmac_sha256(secret, &[body]).is_some_and(|digest| hex_matches(given, &digest))
        }
    };
    if secrets.iter().any(matches) { Ok(()) } else { Err("it does not match") }
}

fn named(headers: &HeaderMap) -> Result<Algorithm, &'static str> {
    match headers.get(ALGORITHM).map(|value| value.as_bytes()) {
        None => Ok(Algorithm::UnnamedSha256),
        Some(b"HMAC_SHA256_HEX") => Ok(Algorithm::Sha256),
        Some(b"HMAC_SHA512_HEX") => Ok(Algorithm::Sha512),
        Some(_) => Err("the algorithm is not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the vendor's public sample.
    #[test]
    fn a_request_is_signed_as_the_vendors_sample_does() {
        let secret = SecretString::from("Hej2ch71kG2kTd1iIUDZFNsO5C1lh5Gq");
        let target = "/resources/applicants?levelName=basic-kyc";
        let body = br#"{"externalUserId":"client-1"}"#;
        let wanted = "daf06512cb3c7b59d3b3cc5b11d6f716b19c36d6efec9077286b565c3425849b";
        assert_eq!(of_request(&secret, "1607551635", "POST", target, body).as_deref(), Some(wanted));
        assert_ne!(of_request(&secret, "1607551636", "POST", target, body).as_deref(), Some(wanted));
        assert_eq!(of_request(&SecretString::from(" "), "1607551635", "POST", target, body), None);
    }
}
