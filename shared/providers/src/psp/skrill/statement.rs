//! What Skrill's messages and answers say about a payment.

use domain::Timestamp;
use domain::input::Fault;
use domain::payment::{PspReport, PspStatus, Returned, Way};

use super::signature::Posted;
use crate::psp::major;

/// Longest number of a payment that is kept.
const NUMBER_CHARS_MAX: usize = 100;

/// What is signed as a statement. Skrill tells no time: it is that of the message.
pub(super) fn read(psp: &str, posted: &Posted, at: Timestamp) -> Result<PspReport, Vec<Fault>> {
    let number = &posted.transaction_id;
    if number.is_empty() || number.chars().count() > NUMBER_CHARS_MAX || number.chars().any(char::is_control) {
        return Err(vec![Fault::new("/transaction_id", "malformed", "A number of up to 100 characters is required.")]);
    }
    let money = major::read(&posted.amount, &posted.currency);
    let status = match status(&posted.status) {
        // one payment has one: the number need not tell it from others
        PspStatus::Returned(Returned::One { way, stands, .. }) => {
            PspStatus::Returned(Returned::One { id: format!("{number}:chargeback"), way, stands, amount: money })
        }
        other => other,
    };
    Ok(PspReport {
        psp: psp.to_owned(),
        event_id: format!("{number}:{}:{}{}", posted.status, posted.amount, posted.currency),
        kind: format!("status.{}", posted.status),
        payment_id: number.parse().ok(),
        reference: number.clone(),
        status,
        money,
        at,
    })
}

/// The vendor's numbers; the rows of `statements.md`.
fn status(number: &str) -> PspStatus {
    match number {
        "2" => PspStatus::Succeeded,
        "0" => PspStatus::Processing,
        "-1" => PspStatus::Canceled,
        "-2" => PspStatus::Failed,
        "-3" => PspStatus::Returned(Returned::One { id: String::new(), way: Way::Dispute, stands: true, amount: None }),
        _ => PspStatus::Irrelevant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psp::statements::tests::{rows, says};

    #[test]
    fn every_row_of_the_table_is_what_the_status_says() {
        let rows = rows("skrill");
        assert_eq!(rows.len(), 6);
        for [_, number, wanted] in rows {
            assert_eq!(says(&status(&number)), wanted, "{number}");
        }
        assert_eq!(status("7"), PspStatus::Irrelevant);
    }

    #[test]
    fn a_chargeback_is_of_the_whole_payment_and_one_however_often_it_is_told() {
        let posted = |status: &str| Posted {
            transaction_id: "DEP-1".to_owned(),
            amount: "10.50".to_owned(),
            currency: "EUR".to_owned(),
            status: status.to_owned(),
        };
        let report = read("skrill", &posted("-3"), Timestamp::EPOCH).unwrap();
        let PspStatus::Returned(Returned::One { id, stands: true, amount, .. }) = report.status else { panic!() };
        assert_eq!((id.as_str(), amount), ("DEP-1:chargeback", report.money));
        // of a number that is not ours the statement still names the payment
        assert_eq!((report.payment_id, report.reference.as_str()), (None, "DEP-1"));
        let nobodys = Posted { transaction_id: String::new(), ..posted("2") };
        assert!(read("skrill", &nobodys, Timestamp::EPOCH).is_err());
    }
}
