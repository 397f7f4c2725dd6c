//! `md5sig` of a status report.

use axum::body::Bytes;
use md5::{Digest, Md5};

use crate::courier::{Notification, SignatureKind, Signed, Signer};
use crate::request::pairs;

/// Lower-case hex MD5.
pub(super) fn hash(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

/// Upper-case hex MD5 of the signed fields with the hash of the secret word among them.
pub(super) fn md5sig(fields: &[(String, String)], secret_word: &str) -> String {
    let value = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let text = [
        value("merchant_id"),
        value("transaction_id"),
        &hash(secret_word).to_ascii_uppercase(),
        value("mb_amount"),
        value("mb_currency"),
        value("status"),
    ];
    hash(&text.concat()).to_ascii_uppercase()
}

/// Signs forms.
pub(crate) struct FormSigner {
    secret_word: String,
}

impl FormSigner {
    pub(crate) fn new(secret_word: &str) -> Self {
        Self { secret_word: secret_word.to_owned() }
    }
}

impl Signer for FormSigner {
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed {
        let mut fields = pairs(&notification.body);
        let right = md5sig(&fields, &self.secret_word);
        match kind {
            SignatureKind::Missing => {}
            SignatureKind::Empty => fields.push(("md5sig".to_owned(), String::new())),
            SignatureKind::Wrong => fields.push(("md5sig".to_owned(), md5sig(&fields, "another"))),
            SignatureKind::Tampered => {
                // ten times as much as was signed
                let amount = fields.iter_mut().find(|(name, _)| name == "mb_amount");
                if let Some((_, amount)) = amount {
                    amount.insert(0, '9');
                }
                fields.push(("md5sig".to_owned(), right));
            }
            SignatureKind::Valid
            | SignatureKind::OldTimestamp
            | SignatureKind::FutureTimestamp
            | SignatureKind::Several
            | SignatureKind::OnlyV0
            | SignatureKind::Legacy => fields.push(("md5sig".to_owned(), right)),
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        Signed { headers, body: Bytes::from(body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_the_vendors_page_gives_the_value_that_was_computed_apart() {
        let fields = [
            ("merchant_id", "1234567"),
            ("transaction_id", "DEP-1"),
            ("mb_amount", "10.50"),
            ("mb_currency", "EUR"),
            ("status", "2"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(md5sig(&fields, "secretword"), "959A2ADFA8DB1BF45638B333AF5E2C9A");
    }
}
