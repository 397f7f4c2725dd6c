//! What Nuvei's notifications claim.
//!
//! The signed text joins its values without a separator, so each must have a form by which no other cut of the same text is a message too:
//!
//! ```text
//! amount CUR yyyy-mm-dd.hh:mm:ss page's number(digits or nothing) STATUS product
//! ```
//!
//! The product is not read. Everything that is not signed is only what the vendor is asked about.

use domain::Timestamp;
use domain::input::Fault;
use domain::payment::{PspReport, PspStatus};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::signature::Form;
use super::transaction::{Transaction, is_status};
use crate::psp::major;

/// How a time is written.
const TIME: &str = "%Y-%m-%d.%H:%M:%S";

/// Its length.
const TIME_CHARS: usize = 19;

/// Reads a form whose checksum has been checked.
pub(super) fn read(psp: &str, form: &Form) -> Result<PspReport, Vec<Fault>> {
    let at = at(form.get("responseTimeStamp"));
    let currency = form.get("currency");
    let is_currency = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
    let number = form.get("TransactionID");
    let wrong = [
        ("totalAmount", !major::is_amount(form.get("totalAmount"))),
        ("currency", !is_currency),
        ("responseTimeStamp", at.is_none()),
        ("PPP_TransactionID", !form.get("PPP_TransactionID").bytes().all(|b| b.is_ascii_digit())),
        ("Status", !is_status(form.get("Status"))),
        ("TransactionID", number.is_empty()),
    ];
    let faults: Vec<Fault> = wrong
        .into_iter()
        .filter(|(_, wrong)| *wrong)
        .map(|(name, _)| Fault::new(format!("/{name}"), "malformed", "The value has not the form that is signed."))
        .collect();
    let (Some(at), true) = (at, faults.is_empty()) else { return Err(faults) };
    let money = major::read(form.get("totalAmount"), currency);
    let kind = match form.get("transactionType") {
        "" => "Sale",
        kind => kind,
    };
    let claimed = Transaction { number, kind, status: form.get("Status"), money };
    // money that goes to a client without having come from him is a payout, and no deposit's
    let payout = kind == "Credit" && form.get("relatedTransactionId").is_empty();
    let ours = [form.get("merchant_unique_id"), form.get("clientUniqueId")];
    Ok(PspReport {
        psp: psp.to_owned(),
        event_id: claimed.statement(),
        payment_id: ours.into_iter().find_map(|text| text.parse().ok()),
        reference: number.to_owned(),
        status: if payout { PspStatus::Irrelevant } else { claimed.says() },
        kind: claimed.words(),
        money,
        at,
    })
}

/// The vendor's time, which is UTC; `None` in any other form.
fn at(text: &str) -> Option<Timestamp> {
    if text.len() != TIME_CHARS {
        return None;
    }
    let at = DateTime::strptime(TIME, text).ok()?.to_zoned(TimeZone::UTC).ok()?;
    Timestamp::from_seconds(at.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use domain::PaymentId;
    use secrecy::SecretString;
    use url::form_urlencoded::Serializer;

    use super::super::signature::{check, secret_first};
    use super::*;

    /// A signed form of these values over those of an approved sale.
    fn told(over: &[(&str, &str)]) -> Result<PspReport, Vec<Fault>> {
        let payment = PaymentId::from_bits(1).to_string();
        let value = |name: &str, usual: &str| {
            over.iter().find(|(over, _)| *over == name).map_or(usual, |(_, value)| value).to_owned()
        };
        let signed = [
            ("totalAmount", "100.50"),
            ("currency", "USD"),
            ("responseTimeStamp", "2026-11-20.09:28:33"),
            ("PPP_TransactionID", "489616878"),
            ("Status", "APPROVED"),
            ("productId", ""),
        ]
        .map(|(name, usual)| (name, value(name, usual)));
        let secret = SecretString::from("s");
        let checksum = hex::encode(secret_first(&secret, &signed.each_ref().map(|(_, value)| value.as_str())));
        let mut form = Serializer::new(String::new());
        form.extend_pairs(signed.iter());
        let unsigned = [
            ("transactionType", "Sale"),
            ("TransactionID", "711"),
            ("relatedTransactionId", ""),
            ("merchant_unique_id", &payment),
        ];
        form.extend_pairs(unsigned.map(|(name, usual)| (name, value(name, usual))));
        let body = form.append_pair("advanceResponseChecksum", &checksum).finish();
        read("nuvei", &check(body.as_bytes(), &secret).unwrap())
    }

    #[test]
    fn a_sale_is_read_with_its_time_and_amount() {
        let report = told(&[]).unwrap();
        assert_eq!((report.status, report.payment_id), (PspStatus::Succeeded, Some(PaymentId::from_bits(1))));
        assert_eq!((report.reference.as_str(), report.kind.as_str()), ("711", "Sale.APPROVED"));
        assert_eq!((report.event_id.as_str(), report.at.seconds()), ("711:Sale.APPROVED", 1_795_166_913));
        assert_eq!(report.money, major::read("100.50", "USD"));
        assert_eq!(told(&[("PPP_TransactionID", "")]).unwrap().reference, "711", "a refund has no page");
    }

    #[test]
    fn a_payout_is_no_refund() {
        let credit = [("transactionType", "Credit")];
        assert_eq!(told(&credit).unwrap().status, PspStatus::Irrelevant);
        let related = [credit[0], ("relatedTransactionId", "700")];
        assert!(matches!(told(&related).unwrap().status, PspStatus::Returned(_)));
    }

    #[test]
    fn a_value_without_its_form_is_a_fault_although_it_is_signed() {
        for (name, value) in [
            ("totalAmount", ""),
            ("totalAmount", "1e3"),
            ("totalAmount", "100.50U"),
            ("currency", "SD2"),
            ("currency", "usd"),
            ("responseTimeStamp", "2026-11-20 09:28:33"),
            ("responseTimeStamp", "2026-11-20.09:28:334"),
            ("PPP_TransactionID", "489616878A"),
            ("Status", "PPROVED"),
            ("Status", "APPROVEDX"),
            ("TransactionID", ""),
        ] {
            let faults = told(&[(name, value)]).unwrap_err();
            assert_eq!(faults.len(), 1, "{name}={value}: {faults:?}");
        }
        assert_eq!(told(&[("currency", ""), ("Status", ""), ("TransactionID", "")]).unwrap_err().len(), 3);
    }
}
