//! `md5sig`: upper-case hex MD5 over merchant, our number, the MD5 of the secret word in upper-case hex, amount, currency and status, all as
//! they were posted and without a separator.
//!
//! So each value must have a form by which no other cut of the same text is a message too: the merchant is ours, the hash ends our number
//! where nobody who does not know it can move it to, an amount has only digits and a point, a currency three capitals, and a status
//! a number.

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use crate::psp::major;
use crate::signature::{hex_matches, is_blank};

/// The signed values of a message, and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Posted {
    /// Our number of the payment; Skrill's, where none was given.
    pub(super) transaction_id: String,
    /// What reached the merchant's account.
    pub(super) amount: String,
    /// In its currency.
    pub(super) currency: String,
    /// The status as a number.
    pub(super) status: String,
}

/// Decoded pairs of a form by name, in which no name of those that are asked for stands twice.
pub(super) struct Form<'a>(Vec<(std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)>);

impl<'a> Form<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).collect())
    }

    /// The one value of a name.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(key, _)| key == name);
        let value = values.next()?.1.as_ref();
        values.next().is_none().then_some(value)
    }
}

/// Checks a message and gives what its signature covers.
pub(super) fn check(body: &[u8], merchant_id: &str, secret_word: &SecretString) -> Result<Posted, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "body is not text")?;
    let form = Form::parse(text);
    let need = |name| form.one(name).ok_or("a signed field is missing or stands twice");
    let given = need("md5sig")?;
    let merchant = need("merchant_id")?;
    let posted = Posted {
        transaction_id: need("transaction_id")?.to_owned(),
        amount: need("mb_amount")?.to_owned(),
        currency: need("mb_currency")?.to_owned(),
        status: need("status")?.to_owned(),
    };
    if is_blank(secret_word) || !hex_matches(given, &digest(merchant, &posted, secret_word.expose_secret())) {
        return Err("signature does not match");
    }
    // one word may serve several accounts of a merchant, one for tests among them
    if merchant != merchant_id {
        return Err("message is for another merchant");
    }
    if !has_one_cut(&posted) {
        return Err("a signed value has not the form that leaves one cut");
    }
    Ok(posted)
}

fn has_one_cut(posted: &Posted) -> bool {
    let currency = posted.currency.len() == 3 && posted.currency.bytes().all(|b| b.is_ascii_uppercase());
    let status = posted.status.strip_prefix('-').unwrap_or(&posted.status);
    let status = (1..=2).contains(&status.len()) && status.bytes().all(|b| b.is_ascii_digit());
    major::is_amount(&posted.amount) && currency && status
}

/// The digest of the signed text.
fn digest(merchant: &str, posted: &Posted, secret_word: &str) -> [u8; 16] {
    let mut hash = Md5::new();
    hash.update(merchant.as_bytes());
    hash.update(posted.transaction_id.as_bytes());
    hash.update(hex::encode_upper(Md5::digest(secret_word.as_bytes())).as_bytes());
    for value in [&posted.amount, &posted.currency, &posted.status] {
        hash.update(value.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    /// The vector of our own facts: the vendor publishes the rule and no value.
    const BODY: &str = "pay_to_email=m%40example.com&merchant_id=1234567&transaction_id=DEP-1&mb_transaction_id=9&mb_amount=10.50\
        &mb_currency=EUR&status=2&md5sig=959A2ADFA8DB1BF45638B333AF5E2C9A&amount=10.50&currency=EUR";

    #[test]
    fn the_rule_of_the_vendors_page_gives_the_value_that_was_computed_apart() {
        let posted = check(BODY.as_bytes(), "1234567", &word("secretword")).unwrap();
        assert_eq!((posted.transaction_id.as_str(), posted.status.as_str()), ("DEP-1", "2"));
        assert_eq!((posted.amount.as_str(), posted.currency.as_str()), ("10.50", "EUR"));
        // lower case is the same value, and values are signed as they were posted
        assert!(check(BODY.replace("959A2ADFA8DB", "959a2adfa8db").as_bytes(), "1234567", &word("secretword")).is_ok());
        for (other, why) in [
            (BODY.replace("mb_amount=10.50", "mb_amount=10.5"), "signature does not match"),
            (BODY.replace("status=2", "status=-2"), "signature does not match"),
            (BODY.replace("&status=2", "&status=2&status=2"), "a signed field is missing or stands twice"),
            (BODY.replace("&md5sig=", "&nosig="), "a signed field is missing or stands twice"),
        ] {
            assert_eq!(check(other.as_bytes(), "1234567", &word("secretword")), Err(why), "{other}");
        }
        assert_eq!(check(BODY.as_bytes(), "1234567", &word("another")), Err("signature does not match"));
        assert_eq!(check(BODY.as_bytes(), "7654321", &word("secretword")), Err("message is for another merchant"));
        assert_eq!(check(BODY.as_bytes(), "1234567", &word(" ")), Err("signature does not match"));
    }

    /// Whoever alters a message under way can move the borders between what is signed.
    #[test]
    fn no_other_cut_of_a_signed_text_is_a_message() {
        let cuts = [
            ("merchant_id=1234567&transaction_id=DEP-1", "merchant_id=123456&transaction_id=7DEP-1"),
            ("merchant_id=1234567&transaction_id=DEP-1", "merchant_id=1234567D&transaction_id=EP-1"),
            ("mb_amount=10.50&mb_currency=EUR", "mb_amount=10.5&mb_currency=0EUR"),
            ("mb_amount=10.50&mb_currency=EUR", "mb_amount=10.50E&mb_currency=UR"),
            ("mb_currency=EUR&status=2", "mb_currency=EUR2&status="),
            ("mb_currency=EUR&status=2", "mb_currency=EU&status=R2"),
            ("mb_amount=10.50&mb_currency=EUR", "mb_amount=&mb_currency=10.50EUR"),
        ];
        for (own, other) in cuts {
            assert!(BODY.contains(own), "{own}");
            let cut = BODY.replace(own, other);
            let read = check(cut.as_bytes(), "1234567", &word("secretword"));
            assert!(read.is_err(), "{cut}: {read:?}");
        }
    }
}
