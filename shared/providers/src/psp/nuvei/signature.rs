//! Nuvei's checksums: plain SHA-256 over values joined without a separator, with the secret before them (payment page, notifications) or
//! behind them (calls).

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::signature::hex_matches;

/// What signs a notification.
const SIGNED: [&str; 6] = ["totalAmount", "currency", "responseTimeStamp", "PPP_TransactionID", "Status", "productId"];

/// What else is read of one, to ask the vendor about.
const UNSIGNED: [&str; 5] =
    ["transactionType", "TransactionID", "relatedTransactionId", "merchant_unique_id", "clientUniqueId"];

/// Where the checksum stands.
const CHECKSUM: &str = "advanceResponseChecksum";

/// What a body is not.
const NOT_A_FORM: &str = "body is not the form that would be signed";

/// The values of a notification that are read.
#[derive(Debug)]
pub(super) struct Form(BTreeMap<&'static str, String>);

impl Form {
    /// A value; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// The secret and then the values.
pub(super) fn secret_first(secret: &SecretString, values: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(secret.expose_secret().as_bytes());
    for value in values {
        hash.update(value.as_bytes());
    }
    hash.finalize().into()
}

/// The values and then the secret.
pub(super) fn secret_last(values: &[&str], secret: &SecretString) -> String {
    let mut hash = Sha256::new();
    for value in values {
        hash.update(value.as_bytes());
    }
    hash.update(secret.expose_secret().as_bytes());
    hex::encode(hash.finalize())
}

/// Checks a notification, and gives its values.
pub(super) fn check(body: &[u8], secret: &SecretString) -> Result<Form, &'static str> {
    let given = read(body)?;
    let checksum = given.get(CHECKSUM).ok_or("checksum is missing")?;
    let value = |name: &str| given.get(name).map_or("", String::as_str);
    if !hex_matches(checksum, &secret_first(secret, &SIGNED.map(value))) {
        return Err("checksum does not match");
    }
    Ok(Form(given))
}

fn read(body: &[u8]) -> Result<BTreeMap<&'static str, String>, &'static str> {
    // bytes that are no text would be read as something else than what was hashed
    std::str::from_utf8(body).map_err(|_| NOT_A_FORM)?;
    let mut values = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return Err(NOT_A_FORM);
        }
        let known = SIGNED.iter().chain(&UNSIGNED).chain([&CHECKSUM]).find(|known| **known == name);
        if let Some(known) = known
            && values.insert(*known, value.into_owned()).is_some()
        {
            return Err("a value stands twice");
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    /// From the tests of a public shop's module, recomputed.
    const PUBLISHED: &str = "ppp_status=OK&currency=USD&PPP_TransactionID=489616878&responseTimeStamp=2024-09-06.22%3A27%3A37&message=Success\
        &Status=APPROVED&totalAmount=1111.11&TransactionID=7110000000004858227\
        &advanceResponseChecksum=660a42e9796754d93c9e4b87c3ac4e34ce8880e32813609c15b273a1d5cee563";

    #[test]
    fn a_published_vector_passes() {
        let form = check(PUBLISHED.as_bytes(), &secret("dummy")).unwrap();
        assert_eq!((form.get("Status"), form.get("totalAmount"), form.get("productId")), ("APPROVED", "1111.11", ""));
        assert_eq!(form.get("responseTimeStamp"), "2024-09-06.22:27:37", "as it is when it is decoded");
        let upper = PUBLISHED.replace("660a42e9796754d93c9e4b87c3ac4e34ce88", "660A42E9796754D93C9E4B87C3AC4E34CE88");
        assert!(check(upper.as_bytes(), &secret("dummy")).is_ok());
    }

    #[test]
    fn each_signed_value_is_covered_and_counts_once() {
        for (from, to) in [
            ("totalAmount=1111.11", "totalAmount=1111.12"),
            ("currency=USD", "currency=EUR"),
            ("2024-09-06", "2024-09-07"),
            ("489616878", "489616879"),
            ("Status=APPROVED", "Status=DECLINED"),
            ("message=Success", "productId=pay_1"),
        ] {
            let body = PUBLISHED.replacen(from, to, 1);
            assert_eq!(check(body.as_bytes(), &secret("dummy")).unwrap_err(), "checksum does not match", "{to}");
        }
        for twice in ["Status=DECLINED", "TransactionID=1", "advanceResponseChecksum=00"] {
            let body = format!("{PUBLISHED}&{twice}");
            assert_eq!(check(body.as_bytes(), &secret("dummy")).unwrap_err(), "a value stands twice", "{twice}");
        }
    }

    #[test]
    fn what_is_no_signed_form_is_refused() {
        let refused = |body: &[u8]| check(body, &secret("dummy")).unwrap_err();
        assert_eq!(check(PUBLISHED.as_bytes(), &secret("other")).unwrap_err(), "checksum does not match");
        for body in [&b""[..], b"{}", b"a=b"] {
            assert_eq!(refused(body), "checksum is missing");
        }
        assert_eq!(refused(b"\xff\xfe"), NOT_A_FORM);
        assert_eq!(refused(format!("{PUBLISHED}&x=%ff").as_bytes()), NOT_A_FORM);
        let cut = PUBLISHED.trim_end_matches("63");
        assert_eq!(refused(cut.as_bytes()), "checksum does not match");
        assert_eq!(refused(PUBLISHED.replace("660a42", "zz0a42").as_bytes()), "checksum does not match");
    }

    #[test]
    fn calls_have_the_secret_last() {
        let values = ["merchant", "site", "20241231235959"];
        let expected = hex::encode(Sha256::digest(b"merchantsite20241231235959secret"));
        assert_eq!(secret_last(&values, &secret("secret")), expected);
    }
}
