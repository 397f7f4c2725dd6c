//! What a transaction says about money: its kind and its status together; the rows of `statements.md`.

use domain::Money;
use domain::payment::{PspStatus, Returned, Way};

/// The statuses that there are. None is the beginning of another, so a status has one end in the signed text.
const STATUSES: [&str; 8] = ["APPROVED", "SUCCESS", "DECLINED", "ERROR", "PENDING", "UPDATE", "CANCELED", "FAIL"];

pub(super) fn is_status(text: &str) -> bool {
    STATUSES.contains(&text)
}

/// A transaction as the vendor tells of it, or as a notification claims that it is.
pub(super) struct Transaction<'t> {
    /// The vendor's number.
    pub(super) number: &'t str,
    /// `Sale`, `Auth`, `Settle`, `Void`, `Credit`, `Chargeback`.
    pub(super) kind: &'t str,
    pub(super) status: &'t str,
    pub(super) money: Option<Money>,
}

impl Transaction<'_> {
    /// The vendor's own words for it.
    pub(super) fn words(&self) -> String {
        format!("{}.{}", self.kind, self.status)
    }

    /// The id of a statement: the same whether it was told or asked for.
    pub(super) fn statement(&self) -> String {
        format!("{}:{}", self.number, self.words())
    }

    /// What it says.
    pub(super) fn says(&self) -> PspStatus {
        let returned = |way, stands| {
            PspStatus::Returned(Returned::One { id: self.number.to_owned(), way, stands, amount: self.money })
        };
        match (self.kind, self.status) {
            ("Sale" | "Settle", "APPROVED" | "SUCCESS") => PspStatus::Succeeded,
            // held on the card: collecting it is another transaction
            ("Auth", "APPROVED" | "SUCCESS") | ("Sale" | "Auth" | "Settle", "PENDING") => PspStatus::Processing,
            ("Sale" | "Auth" | "Settle", "DECLINED" | "ERROR" | "FAIL" | "CANCELED") => PspStatus::Failed,
            ("Credit", "APPROVED" | "SUCCESS" | "PENDING") | ("Void", "APPROVED" | "SUCCESS") => {
                returned(Way::Refund, true)
            }
            ("Credit", "DECLINED" | "ERROR" | "FAIL" | "CANCELED") => returned(Way::Refund, false),
            ("Chargeback", "APPROVED" | "SUCCESS") => returned(Way::Dispute, true),
            _ => PspStatus::Irrelevant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psp::statements::tests::{rows, says};

    #[test]
    fn every_row_of_the_table_is_what_the_transaction_says() {
        for [kind, status, wanted] in rows("nuvei") {
            let transaction = Transaction { number: "711", kind: &kind, status: &status, money: None };
            assert_eq!(says(&transaction.says()), wanted, "{kind} {status}");
            assert!(is_status(&status), "{status}");
        }
        let other = Transaction { number: "711", kind: "InitAuth3D", status: "APPROVED", money: None };
        assert_eq!(other.says(), PspStatus::Irrelevant);
    }

    #[test]
    fn no_status_begins_another() {
        for one in STATUSES {
            assert_eq!(STATUSES.iter().filter(|other| other.starts_with(one)).count(), 1, "{one}");
        }
    }
}
