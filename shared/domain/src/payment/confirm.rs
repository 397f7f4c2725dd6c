//! Statements whose status the provider's signature does not cover: what they say counts as far as the provider,
//! asked for the payment, says so too.
//!
//! Somebody who can alter such a message under way, or who got hold of one, could make a refusal of it a success. What
//! is signed proves at least that the provider knows the transaction; where it stands is for the provider to say.

use super::report::{PspReport, PspStatus, Returned};
use crate::words::words;

words! {
    /// What a statement is worth that gives money and that the provider, asked for the payment, has no transaction of.
    Unconfirmed {
        /// Nothing yet: the provider sends it again, and by then knows of it.
        Wait = "wait",
        /// It is believed. For an installation whose messages are signed by its tests, which no payer stands behind.
        Believe = "believe",
    }
}

/// Whether a statement decides anything, so that it must be confirmed.
pub fn decides(told: &PspReport) -> bool {
    !matches!(told.status, PspStatus::Pending | PspStatus::Processing | PspStatus::Irrelevant)
}

/// Whether a statement gives the payer money: what was collected, and what is with us again after it went back.
fn gives(status: &PspStatus) -> bool {
    match status {
        PspStatus::Succeeded | PspStatus::Returned(Returned::One { stands: false, .. }) => true,
        PspStatus::Returned(Returned::Total { .. } | Returned::One { stands: true, .. })
        | PspStatus::Pending
        | PspStatus::Processing
        | PspStatus::Failed
        | PspStatus::Canceled
        | PspStatus::Irrelevant => false,
    }
}

/// What is to be heard of a statement after the provider was asked: the provider's own answer where it is about the
/// same transaction, else what was told as far as it gives no money away. `None`: nothing now, it must come again.
pub fn confirmed(told: PspReport, known: Option<PspReport>, unconfirmed: Unconfirmed) -> Option<PspReport> {
    if !decides(&told) {
        return Some(told);
    }
    let gives = gives(&told.status);
    match known.filter(|known| known.reference == told.reference) {
        // the statement's own time, so that it is the same statement however often it comes
        Some(known) if known.status == told.status => Some(PspReport { at: told.at, ..known }),
        // money that went back is never denied: the provider may be late, and says it again
        Some(_) if told.moves_money() && !gives => None,
        Some(known) => Some(known),
        None if !gives => Some(told),
        None => match unconfirmed {
            Unconfirmed::Wait => None,
            Unconfirmed::Believe => Some(told),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Way;
    use super::*;
    use crate::{Money, Timestamp};

    fn report(reference: &str, status: PspStatus, cents: &str, at: i64) -> PspReport {
        PspReport {
            psp: "praxis".to_owned(),
            event_id: format!("{reference}:{status:?}"),
            kind: "sale.approved".to_owned(),
            payment_id: None,
            reference: reference.to_owned(),
            status,
            money: Money::parse(cents, "USD".parse().unwrap()).ok(),
            at: Timestamp::from_seconds(at).unwrap(),
        }
    }

    fn returned(way: Way, stands: bool) -> PspStatus {
        PspStatus::Returned(Returned::One { id: "7".to_owned(), way, stands, amount: None })
    }

    fn all() -> [PspStatus; 9] {
        [
            PspStatus::Pending,
            PspStatus::Processing,
            PspStatus::Succeeded,
            PspStatus::Failed,
            PspStatus::Canceled,
            returned(Way::Refund, true),
            returned(Way::Refund, false),
            returned(Way::Dispute, true),
            PspStatus::Irrelevant,
        ]
    }

    #[test]
    fn a_success_is_heard_only_as_the_provider_says_it() {
        let told = || report("7", PspStatus::Succeeded, "100.00", 5);
        for both in [Unconfirmed::Wait, Unconfirmed::Believe] {
            let heard = confirmed(told(), Some(report("7", PspStatus::Succeeded, "90.00", 9)), both);
            assert_eq!(heard, Some(report("7", PspStatus::Succeeded, "90.00", 5)), "amount of the provider");
            for status in all().into_iter().filter(|status| *status != PspStatus::Succeeded) {
                let heard = confirmed(told(), Some(report("7", status.clone(), "100.00", 9)), both);
                assert_ne!(heard.map(|heard| heard.status), Some(PspStatus::Succeeded), "{status:?}");
            }
        }
        for known in [
            None,
            Some(report("", PspStatus::Pending, "100.00", 9)),
            Some(report("8", PspStatus::Succeeded, "1.00", 9)),
        ] {
            assert_eq!(confirmed(told(), known.clone(), Unconfirmed::Wait), None);
            assert_eq!(confirmed(told(), known, Unconfirmed::Believe), Some(told()));
        }
    }

    #[test]
    fn a_failure_that_the_provider_knows_as_a_success_is_one() {
        let told = report("7", PspStatus::Failed, "100.00", 5);
        let known = report("7", PspStatus::Succeeded, "100.00", 9);
        assert_eq!(confirmed(told.clone(), Some(known.clone()), Unconfirmed::Wait), Some(known));
        assert_eq!(confirmed(told.clone(), None, Unconfirmed::Wait), Some(told));
    }

    #[test]
    fn money_that_went_back_is_heard_or_comes_again() {
        for status in [returned(Way::Refund, true), returned(Way::Dispute, true)] {
            let told = report("7", status.clone(), "100.00", 5);
            for known in
                [None, Some(report("8", PspStatus::Succeeded, "100.00", 9)), Some(report("7", status, "100.00", 9))]
            {
                assert_eq!(confirmed(told.clone(), known, Unconfirmed::Wait), Some(told.clone()));
            }
            let before = report("7", PspStatus::Succeeded, "100.00", 9);
            assert_eq!(confirmed(told, Some(before), Unconfirmed::Wait), None);
        }
    }

    #[test]
    fn money_that_is_said_to_be_with_us_again_is_heard_only_as_the_provider_says_it() {
        let told = || report("7", returned(Way::Refund, false), "100.00", 5);
        assert_eq!(confirmed(told(), Some(told()), Unconfirmed::Wait), Some(told()));
        let stands = report("7", returned(Way::Refund, true), "100.00", 9);
        assert_eq!(confirmed(told(), Some(stands.clone()), Unconfirmed::Believe), Some(stands));
        for known in [None, Some(report("8", PspStatus::Succeeded, "100.00", 9))] {
            assert_eq!(confirmed(told(), known.clone(), Unconfirmed::Wait), None);
            assert_eq!(confirmed(told(), known, Unconfirmed::Believe), Some(told()));
        }
    }

    #[test]
    fn what_decides_nothing_is_heard_as_it_is() {
        for status in [PspStatus::Pending, PspStatus::Processing, PspStatus::Irrelevant] {
            let told = report("7", status, "100.00", 5);
            assert!(!decides(&told));
            let known = report("7", PspStatus::Succeeded, "100.00", 9);
            assert_eq!(confirmed(told.clone(), Some(known), Unconfirmed::Wait), Some(told));
        }
    }
}
