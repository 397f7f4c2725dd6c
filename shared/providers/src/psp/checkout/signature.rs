//! `Cko-Signature`: hex HMAC-SHA256 of the raw body with the key of the workflow's webhook action.

use ::http::HeaderMap;
use secrecy::SecretString;

use crate::signature::{hex_matches, hmac_sha256};

pub(super) const HEADER: &str = "cko-signature";

/// Any of our keys passes. No time is signed apart from the event's own, by which it is ordered.
pub(super) fn check(headers: &HeaderMap, body: &[u8], keys: &[SecretString]) -> Result<(), &'static str> {
    let given = headers.get(HEADER).ok_or("header `Cko-Signature` is missing")?;
    let given = given.to_str().map_err(|_| "header `Cko-Signature` is not text")?;
    let matches = |key| hmac_sha256(key, &[body]).is_some_and(|digest| hex_matches(given, &digest));
    if keys.iter().any(matches) { Ok(()) } else { Err("signature does not match") }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    #[test]
    fn our_own_vector_passes_and_nothing_else() {
        let body = br#"{"id":"evt_1","type":"payment_captured","data":{"id":"pay_1","reference":"DEP-1","amount":1000,"currency":"USD"}}"#;
        let right = "2648a25310275512f41b7ef96bf14d9868c30f6612e210349c8cf87531f57899";
        let keys = ["another-key", "test-signing-key"].map(SecretString::from);
        let checked = |signature: &str, body: &[u8]| {
            let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_str(signature).unwrap())]);
            check(&headers, body, &keys)
        };
        assert_eq!(checked(right, body), Ok(()));
        assert_eq!(checked(&right.to_ascii_uppercase(), body), Ok(()));
        for wrong in ["", &right[..62], &format!("{right}00"), &right.replace('2', "3")] {
            assert_eq!(checked(wrong, body), Err("signature does not match"), "{wrong}");
        }
        assert_eq!(checked(right, &body[1..]), Err("signature does not match"));
        assert_eq!(check(&HeaderMap::new(), body, &keys), Err("header `Cko-Signature` is missing"));
    }
}
