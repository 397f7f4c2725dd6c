//! Signatures of what comes in by itself.
//!
//! What each covers, what it does not, and what stands in for that:
//!
//! | sender | covers | does not cover | what stands in |
//! | --- | --- | --- | --- |
//! | Stripe webhook | time, whole body: event, object, status, amount, `livemode`, `account` | address, method, other headers (content type) | one route takes one method; the body is read as JSON whatever the header says; the secret belongs to one endpoint in one mode, so test events do not pass a live secret. An endpoint must listen to the own account's events, not to connected accounts' |
//! | Praxis notification | merchant, application, time, customer token, order, transaction's number, currency, amount, rate, processed currency and amount | **status, type**, session's status, processor, address, method | only the covered values are read, in forms that leave one cut (`psp::praxis::signed`); the status is asked for before it decides anything; merchant and application are compared, and they are other ones in test |
//! | Praxis, former rule | all top-level values sorted by name, without their names or borders | what is what | off in the seed; where it is on, nothing is believed that Praxis does not confirm |
//! | Skrill form (`md5sig`) | merchant, our number, amount and currency that arrived, status | **time**, Skrill's own number, what was asked for, who paid, everything else | only the covered values are read, in forms that leave one cut (`psp::skrill::signature`); merchant is compared; an old message repeats what is known, for a statement's id is made of what is signed |
//! | CoinsPaid callback | whole body: transaction, address with our number, amounts, score, status | **time**, address, method, `X-Processing-Key` | an old callback repeats what is known: a statement's id is made of transaction and status |
//! | Paysafe event | whole body: event, payment, our number, amount, time of the event | time of the delivery, address, method | an event is ordered by its own time, so an old one changes nothing that is newer; `mode` `test` says nothing |
//! | Praxis answer to a look-up, Stripe, Checkout.com, Nuvei and Graph answers, trading server | – | everything | TLS; the answer must be about what was asked: order, intent, lead, login. A trading server also proves that it knows the password |
//! | Adyen standard webhook | number, original number, merchant account, our reference, amount, currency, event code, success | **time**, reason, method, `live`, whatever else is in the item, address | nothing else is read; a colon in any of them but our reference is refused, so that the joined text has one cut; the merchant account is compared; an old message changes nothing that ended (`psp::adyen::item`); test and live have keys of their own |
//! | Checkout.com webhook | whole body: event, payment, our reference, amount, time of the event | time of the delivery (there is none), address, method | an event is ordered by its own time, so an old one changes nothing that is newer; the key belongs to one webhook |
//! | Nuvei notification | amount, currency, time, page's number, status, product | **our number, transaction, its kind**, merchant, everything else, address | the transaction is asked for before anything is believed, by its number and ours; one that names no payment of ours is a person's; the covered values are read in forms that leave one cut (`psp::nuvei::notification`) |
//! | Meta lead ads | whole body | time, address, method, the lead's data | a delivery only names leads, so an old one repeats what is known; the data are fetched with our token, and must be that lead's |
//! | Meta subscription | nothing: a token in the address | everything | compared whole, and the challenge is all that is given back |
//! | Sumsub webhook | whole body: applicant, our id, level, review, sandbox, time | address, method, the algorithm's name | an algorithm counts only if it is set up; the secret belongs to one webhook; an event is ordered by its own time, so an old one changes nothing that is newer |
//! | Onfido webhook | whole body | time (there is none of the delivery), address, method | no result is read of it: what it names is fetched, so an old one repeats what is known |
//! | Veriff webhook | whole body: session, our id, status, code, time of the decision | address, method, `X-AUTH-CLIENT` | a decision is ordered by its own time, and one without it is fetched |
//! | Rekognition answer | – | everything | TLS; the answer must be about the session that was asked for |
//! | Slack button | time, whole body: team, user, action, value | address, method, content type | the route takes one form only; the secret belongs to one app; whether the person may do it is decided by our own list of people |
//! | Deals that a bridge pushes | time, whole body: server, deals | address and with it the platform's name, method | a server belongs to one platform, so another path finds no such server; a deal is known by its number, so an old message repeats what is known |
//! | Twilio form | address as the rules have it, every field: number, word, status, its number | **time**, method | an old STOP repeats what is known; an old START counts only where nothing newer was reported |
//! | SNS message (SES) | topic, text with addresses and time, its number, type, the address that confirms | address, method, `SigningCertURL` | the certificate is taken from one host alone, the topic must be ours, the first version (SHA-1) is refused; a report counts once by its name |
//! | Link to unsubscribe | reader, channel | time, method | opening it changes nothing; what it does it does once |
//! | Portal and staff token (JWT) | subject, roles, issuer, audience, expiry | method, address, body, who sends it | a bearer token: TLS, a short life and the roles of each route; what is created needs a key that makes a repeat the same request |
//!
//! Secrets that are empty or blank sign nothing, for every sender alike.

pub(crate) mod timed;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

/// Whether a secret is none: with it everybody could sign.
pub(crate) fn is_blank(secret: &SecretString) -> bool {
    secret.expose_secret().trim().is_empty()
}

/// HMAC-SHA256 over the parts one after the other; `None` with a secret that is none.
pub(crate) fn hmac_sha256(secret: &SecretString, parts: &[&[u8]]) -> Option<[u8; 32]> {
    if is_blank(secret) {
        return None;
    }
    // HMAC takes a key of any length: there is no error to lose here.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

/// HMAC-SHA256 under a key of bytes, for keys that are not text; `None` with an empty one.
pub(crate) fn hmac_sha256_under(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(Some(key).filter(|key| !key.is_empty())?).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

/// HMAC-SHA512 over the parts one after the other; `None` with a secret that is none.
pub(crate) fn hmac_sha512(secret: &SecretString, parts: &[&[u8]]) -> Option<[u8; 64]> {
    if is_blank(secret) {
        return None;
    }
    let mut mac = Hmac::<Sha512>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

/// Whether a signature written in hex is the expected one. Either letter case is accepted, any other length or
/// character is not; both sides are compared as bytes in constant time.
pub(crate) fn hex_matches(given: &str, expected: &[u8]) -> bool {
    hex::decode(given).is_ok_and(|given| bool::from(given.ct_eq(expected)))
}

/// The same for one written in base64, with its padding.
pub(crate) fn base64_matches(given: &str, expected: &[u8]) -> bool {
    STANDARD.decode(given).is_ok_and(|given| bool::from(given.ct_eq(expected)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_signs_nothing() {
        for secret in ["", " ", "\n\t"] {
            assert_eq!(hmac_sha256(&SecretString::from(secret), &[b"body"]), None);
            assert_eq!(hmac_sha512(&SecretString::from(secret), &[b"body"]), None);
        }
        let whole = hmac_sha256(&SecretString::from("k"), &[b"ab", b"c"]);
        assert!(whole.is_some());
        assert_eq!(whole, hmac_sha256(&SecretString::from("k"), &[b"abc"]));
    }

    #[test]
    fn only_the_very_bytes_match_in_either_case() {
        let expected = [0xab, 0x01, 0xff];
        for good in ["ab01ff", "AB01FF", "aB01Ff"] {
            assert!(hex_matches(good, &expected), "{good}");
        }
        for bad in ["", "ab01f", "ab01fe", "ab01ff00", "ab01", "zz01ff", " ab01ff", "ab01ff\n", "0xab01ff"] {
            assert!(!hex_matches(bad, &expected), "{bad}");
        }
    }
}
