//! What Adyen's notification items say about a payment; the rows of `statements.md`.
//!
//! No signed value tells when something was, so a statement counts from when it came. A return is told without a time: its end ("it
//! failed", "it was reversed") then stays the last word, however often and late its beginning comes again. A dispute that is taken up
//! again has a code of its own, and here a number of its own.

use domain::Timestamp;
use domain::input::Fault;
use domain::payment::rules::Collected;
use domain::payment::{PspReport, PspStatus, Returned, Way};

use super::signature::Item;
use super::units;

/// Reads an item whose signature has been checked.
pub(super) fn read(psp: &str, item: &Item, collected: Collected, now: Timestamp) -> Result<PspReport, Vec<Fault>> {
    let needed = [("pspReference", &item.psp_reference), ("eventCode", &item.event_code), ("success", &item.success)];
    let faults: Vec<Fault> = needed
        .into_iter()
        .filter(|(_, value)| value.is_empty())
        .map(|(name, _)| {
            let place = format!("/notificationItems/0/NotificationRequestItem/{name}");
            Fault::new(place, "missing", "A text is required.")
        })
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let money = item.value.parse().ok().and_then(|value| units::read(value, &item.currency));
    let said = status(&item.event_code, &item.success, collected, &item.psp_reference);
    let status = match said {
        PspStatus::Returned(Returned::One { id, way, stands, .. }) => {
            PspStatus::Returned(Returned::One { id, way, stands, amount: money })
        }
        other => other,
    };
    let payment = if item.original_reference.is_empty() { &item.psp_reference } else { &item.original_reference };
    Ok(PspReport {
        psp: psp.to_owned(),
        event_id: format!("{}:{}:{}", item.psp_reference, item.event_code, item.success),
        kind: format!("{}.{}", item.event_code, item.success),
        payment_id: item.merchant_reference.parse().ok(),
        reference: payment.clone(),
        at: if matches!(status, PspStatus::Returned(_)) { Timestamp::EPOCH } else { now },
        status,
        money,
    })
}

/// What an event says. Codes that are not listed say nothing about money of ours.
fn status(code: &str, success: &str, collected: Collected, number: &str) -> PspStatus {
    let returned = |way, stands, id: String| PspStatus::Returned(Returned::One { id, way, stands, amount: None });
    let own = || number.to_owned();
    // its first round may have been won before
    let second = || format!("{number}:2");
    match (code, success) {
        ("AUTHORISATION", "true") => match collected {
            Collected::Authorised => PspStatus::Succeeded,
            Collected::Captured => PspStatus::Processing,
        },
        ("CAPTURE", "true") => PspStatus::Succeeded,
        // the scheme, or Adyen itself, did not take the capture: whatever was told before, there is no money
        ("AUTHORISATION" | "CAPTURE", "false") | ("CAPTURE_FAILED" | "EXPIRE" | "OFFER_CLOSED", "true") => {
            PspStatus::Failed
        }
        ("PENDING", "true") => PspStatus::Processing,
        ("CANCELLATION" | "TECHNICAL_CANCEL", "true") => PspStatus::Canceled,
        ("REFUND" | "CANCEL_OR_REFUND", "true") => returned(Way::Refund, true, own()),
        ("REFUND" | "CANCEL_OR_REFUND", "false") | ("REFUND_FAILED" | "REFUNDED_REVERSED", "true") => {
            returned(Way::Refund, false, own())
        }
        ("CHARGEBACK" | "DISPUTE_OPENED_WITH_CHARGEBACK", "true") => returned(Way::Dispute, true, own()),
        ("CHARGEBACK_REVERSED", "true") => returned(Way::Dispute, false, own()),
        ("SECOND_CHARGEBACK", "true") => returned(Way::Dispute, true, second()),
        _ => PspStatus::Irrelevant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psp::statements::tests::{rows, says};

    fn item(code: &str, success: &str) -> Item {
        Item {
            psp_reference: "9915555555555555".to_owned(),
            original_reference: "9913333333333333".to_owned(),
            merchant_account: "Pipworks".to_owned(),
            merchant_reference: "pay_00000000000000000000000001".to_owned(),
            value: "10000".to_owned(),
            currency: "EUR".to_owned(),
            event_code: code.to_owned(),
            success: success.to_owned(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).unwrap()
    }

    #[test]
    fn every_row_of_the_table_is_what_the_event_says() {
        for [code, status, wanted] in rows("adyen") {
            let (success, captures) = status.split_once(' ').unwrap_or((status.as_str(), "authorised"));
            let report = read("adyen", &item(&code, success), captures.parse().unwrap(), at(1_700_000_000)).unwrap();
            assert_eq!(says(&report.status), wanted, "{code} {status}");
            assert_eq!(report.reference, "9913333333333333", "the payment's number, not the modification's");
            assert_eq!(report.money.unwrap().amount_text(), "100.00");
        }
        let unheard = read("adyen", &item("SOMETHING_NEW", "true"), Collected::Authorised, at(1)).unwrap();
        assert_eq!(unheard.status, PspStatus::Irrelevant);
    }

    #[test]
    fn the_end_of_a_return_stays_the_last_word() {
        let told = |code: &str, now: i64| read("adyen", &item(code, "true"), Collected::Authorised, at(now)).unwrap();
        let (first, end, again) = (told("CHARGEBACK", 10), told("CHARGEBACK_REVERSED", 20), told("CHARGEBACK", 30));
        assert_eq!((first.at, end.at), (again.at, again.at), "whatever comes later is not newer");
        assert_eq!(first.event_id, again.event_id);
        let id = |report: PspReport| match report.status {
            PspStatus::Returned(Returned::One { id, .. }) => id,
            other => panic!("{other:?}"),
        };
        assert_eq!(id(first), id(end.clone()));
        assert_ne!(id(told("SECOND_CHARGEBACK", 40)), id(end), "it is lost again after it was won");
    }

    #[test]
    fn what_names_nothing_is_told_with_every_fault() {
        let mut empty = item("", "");
        empty.psp_reference.clear();
        let faults = read("adyen", &empty, Collected::Authorised, at(1)).unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
    }
}
