//! Adyen's signature of a notification item: HMAC-SHA256 over eight values joined by `:`, in base64, inside the item.
//!
//! The vendor escapes nothing, so a colon in a value would let the same signed text be cut in another way. None of the values but our own
//! reference may have one: then there is one cut. Nothing but the eight values leaves this module.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Shortest key that is one; Adyen's have 32 bytes.
const KEY_BYTES_MIN: usize = 16;

/// Why a body is not looked at.
const NOT_SIGNED: &str = "body is not the one item that would be signed";

/// The signed values, as they are signed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) psp_reference: String,
    pub(super) original_reference: String,
    pub(super) merchant_account: String,
    pub(super) merchant_reference: String,
    /// Empty where there is none.
    pub(super) value: String,
    pub(super) currency: String,
    pub(super) event_code: String,
    pub(super) success: String,
}

impl Item {
    fn signed(&self) -> String {
        self.values().join(":")
    }

    fn values(&self) -> [&str; 8] {
        [
            &self.psp_reference,
            &self.original_reference,
            &self.merchant_account,
            &self.merchant_reference,
            &self.value,
            &self.currency,
            &self.event_code,
            &self.success,
        ]
    }

    /// Whether the signed text can be cut in one way only.
    fn has_one_cut(&self) -> bool {
        let [psp, original, account, _, value, currency, code, success] = self.values();
        [psp, original, account, value, currency, code, success].iter().all(|value| !value.contains(':'))
    }
}

/// A key as the vendor shows it; `None` if it is none.
pub(super) fn key(hex: &str) -> Option<SecretSlice<u8>> {
    let bytes = hex::decode(hex.trim()).ok()?;
    (bytes.len() >= KEY_BYTES_MIN).then(|| SecretSlice::from(bytes))
}

/// Checks signature and addressee, in this order, and gives what the signature covers. Any key passes.
pub(super) fn check(body: &[u8], keys: &[SecretSlice<u8>], merchant_account: &str) -> Result<Item, &'static str> {
    let message = domain::json::parse(body).map_err(|_| NOT_SIGNED)?;
    let items = message.get("notificationItems").and_then(Value::as_array).map(Vec::as_slice);
    // in the JSON form there is one; of several, one that fails would send the others again for ever
    let Some([one]) = items else { return Err(NOT_SIGNED) };
    let one = one.get("NotificationRequestItem").ok_or(NOT_SIGNED)?;
    let given = one.pointer("/additionalData/hmacSignature").and_then(Value::as_str).ok_or("signature is missing")?;
    let given = STANDARD.decode(given).map_err(|_| "signature is not base64")?;
    let item = read(one).ok_or("a signed value is not a text or number")?;
    let signed = item.signed();
    let matches =
        |key: &SecretSlice<u8>| digest(key, &signed).is_some_and(|digest| bool::from(digest[..].ct_eq(&given)));
    if !keys.iter().any(matches) {
        return Err("signature does not match");
    }
    if !item.has_one_cut() {
        return Err("a signed value has a colon");
    }
    if item.merchant_account != merchant_account {
        return Err("message is for another merchant account");
    }
    Ok(item)
}

fn read(item: &Value) -> Option<Item> {
    let text = |pointer: &str| match item.pointer(pointer) {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
    };
    let value = match item.pointer("/amount/value") {
        None | Some(Value::Null) => String::new(),
        // as the vendor writes it: an integer
        Some(value) => value.as_i64()?.to_string(),
    };
    Some(Item {
        psp_reference: text("/pspReference")?,
        original_reference: text("/originalReference")?,
        merchant_account: text("/merchantAccountCode")?,
        merchant_reference: text("/merchantReference")?,
        value,
        currency: text("/amount/currency")?,
        event_code: text("/eventCode")?,
        success: text("/success")?,
    })
}

fn digest(key: &SecretSlice<u8>, text: &str) -> Option<[u8; 32]> {
    // a key of any length is taken: there is no error to lose here
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret()).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Key, the eight values, signature: published by the vendor's own libraries, but for the second, which is its documents'.
    const VECTORS: [(&str, [&str; 8], &str); 6] = [
        (
            "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
            [
                "7914073381342284",
                "",
                "TestMerchant",
                "TestPayment-1407325143704",
                "1130",
                "EUR",
                "AUTHORISATION",
                "true",
            ],
            "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=",
        ),
        (
            "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00",
            ["pspReference", "originalReference", "merchantAccount", "reference", "1000", "EUR", "EVENT", "true"],
            "ipnxGCaUZ4l8TUW75a71/ghd2Fe5ffvX0pV4TLTntIc=",
        ),
        (
            SLASHES,
            ["M8NB66SBZSGLNK82", "", "AntoniStroinski", ":slashes are fun", "1000", "EUR", "AUTHORISATION", "true"],
            "2EQYm7YJpKO4EtHSPu55SQTyWf8dkW5u2nD1tJFpViA=",
        ),
        (
            SLASHES,
            ["T7FD4VM4D3RZNN82", "", "AntoniStroinski", r"\\slashes are fun", "1000", "EUR", "AUTHORISATION", "true"],
            "nIgT81gaB5oJpn2jPXupDq68iRo2wUlBsuYjtYfwKqo=",
        ),
        (
            SLASHES,
            ["X3GWNS6KJ8NKGK82", "", "AntoniStroinski", "//slashes are fun", "1000", "EUR", "AUTHORISATION", "true"],
            "9Z0xdpG9Xi3zcmXv14t/BvMBut77O/Xq9D4CQXSDUi4=",
        ),
        (
            SLASHES,
            [
                "ZVWN7D3WSMK2WN82",
                "",
                "AntoniStroinski",
                r"\:/\/slashes are fun",
                "1000",
                "EUR",
                "AUTHORISATION",
                "true",
            ],
            "CZErGCNQaSsxbaQfZaJlakqo7KPP+mIa8a+wx3yNs9A=",
        ),
    ];
    const SLASHES: &str = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174";

    fn body(values: [&str; 8], signature: &str) -> Value {
        let [psp, original, account, reference, value, currency, code, success] = values;
        json!({"live": "false", "notificationItems": [{"NotificationRequestItem": {
            "additionalData": {"hmacSignature": signature}, "amount": {"currency": currency, "value": value.parse::<i64>().unwrap()},
            "eventCode": code, "eventDate": "2026-11-20T10:00:00+01:00", "merchantAccountCode": account,
            "merchantReference": reference, "originalReference": original, "pspReference": psp, "success": success,
        }}]})
    }

    fn checked(body: &Value, hex: &str, account: &str) -> Result<Item, &'static str> {
        check(body.to_string().as_bytes(), &[key(hex).unwrap()], account)
    }

    #[test]
    fn published_vectors_pass() {
        for (hex, values, signature) in VECTORS {
            let item = checked(&body(values, signature), hex, values[2]).unwrap();
            assert_eq!(item.values(), values);
            let other = [key(SLASHES.replace('7', "8").as_str()).unwrap(), key(hex).unwrap()];
            assert!(
                check(body(values, signature).to_string().as_bytes(), &other, values[2]).is_ok(),
                "one of two keys"
            );
        }
    }

    #[test]
    fn an_absent_value_is_an_empty_one() {
        let (hex, values, signature) = VECTORS[0];
        let mut absent = body(values, signature);
        let item = absent.pointer_mut("/notificationItems/0/NotificationRequestItem").unwrap();
        item.as_object_mut().unwrap().remove("originalReference");
        assert_eq!(checked(&absent, hex, values[2]).unwrap().values(), values);
    }

    #[test]
    fn each_signed_value_is_covered() {
        let (hex, values, signature) = VECTORS[0];
        for place in 0..8 {
            let mut changed = values;
            changed[place] = if place == 4 { "1131" } else { "x" };
            let refused = checked(&body(changed, signature), hex, changed[2]);
            assert_eq!(refused, Err("signature does not match"), "{place}");
        }
        assert_eq!(checked(&body(values, signature), hex, "Another"), Err("message is for another merchant account"));
        assert_eq!(checked(&body(values, signature), SLASHES, values[2]), Err("signature does not match"));
    }

    #[test]
    fn the_signed_text_is_not_cut_in_another_way() {
        let (_, _, signature) = VECTORS[2];
        // the same text: the reference gives its first part away
        let moved =
            ["M8NB66SBZSGLNK82", "", "AntoniStroinski:", "slashes are fun", "1000", "EUR", "AUTHORISATION", "true"];
        assert_eq!(checked(&body(moved, signature), SLASHES, "AntoniStroinski:"), Err("a signed value has a colon"));
        let (hex, _, signature) = VECTORS[0];
        let moved = [
            "7914073381342284:",
            "TestMerchant",
            "TestPayment-1407325143704",
            "",
            "1130",
            "EUR",
            "AUTHORISATION",
            "true",
        ];
        // one colon less between the fields: not the same text at all
        assert_eq!(checked(&body(moved, signature), hex, moved[2]), Err("signature does not match"));
    }

    #[test]
    fn what_is_not_one_signed_item_is_refused() {
        let (hex, values, signature) = VECTORS[0];
        let good = body(values, signature);
        let item = good["notificationItems"][0].clone();
        for bad in [
            json!([]),
            json!({}),
            json!({"notificationItems": []}),
            json!({"notificationItems": [item, item]}),
            json!({"notificationItems": [{}]}),
        ] {
            assert_eq!(checked(&bad, hex, values[2]), Err(NOT_SIGNED), "{bad}");
        }
        for text in [&b""[..], b"\xff\xfe", b"{", b"notificationItems=1"] {
            assert_eq!(check(text, &[key(hex).unwrap()], values[2]), Err(NOT_SIGNED));
        }
        for (given, refusal) in [
            (json!(null), "signature is missing"),
            (json!(""), "signature does not match"),
            (json!("coqCmt"), "signature is not base64"),
            (json!("coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWg=="), "signature does not match"),
            (json!("ä"), "signature is not base64"),
        ] {
            let mut changed = good.clone();
            changed["notificationItems"][0]["NotificationRequestItem"]["additionalData"]["hmacSignature"] = given;
            assert_eq!(checked(&changed, hex, values[2]), Err(refusal));
        }
        let mut odd = good;
        odd["notificationItems"][0]["NotificationRequestItem"]["success"] = json!(true);
        assert_eq!(checked(&odd, hex, values[2]), Err("a signed value is not a text or number"));
    }

    #[test]
    fn a_short_or_odd_key_is_none() {
        for hex in ["", " ", "44782D", "nothex", "44782DEF547AAA06C910C43932B1EB0"] {
            assert!(key(hex).is_none(), "{hex}");
        }
    }
}
