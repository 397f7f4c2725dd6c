//! Statements whose status the provider's signature does not cover: what they say counts as far as the provider,
//! asked for the payment, says so too.
//!
//! Somebody who can alter such a message under way, or who got hold of one, could make a refusal of it a success. What
//! is signed proves at least that the provider knows the transaction; where it stands is for the provider to say.

use std::cmp::Ordering;

use super::report::{PspReport, PspStatus, Returned};
use crate::Money;
use crate::words::words;

words! {
    /// What a statement is worth that gives money and that the provider, asked for the payment, has no transaction of.
    Unconfirmed {
        /// Nothing yet: it is kept, the provider sends it again, and by then knows of it.
        Wait = "wait",
        /// It is believed. For an installation whose messages are signed by its tests, which no payer stands behind.
        Believe = "believe",
    }
}

/// Whether a statement decides anything, so that it must be confirmed.
pub fn decides(told: &PspReport) -> bool {
    !matches!(
        told.status,
        PspStatus::Pending | PspStatus::Payable { .. } | PspStatus::Processing | PspStatus::Irrelevant
    )
}

/// Whether a statement gives the payer money: what was collected, and what is with us again after it went back.
fn gives(status: &PspStatus) -> bool {
    match status {
        PspStatus::Succeeded | PspStatus::Scored { .. } | PspStatus::Returned(Returned::One { stands: false, .. }) => {
            true
        }
        PspStatus::Returned(Returned::Total { .. } | Returned::One { stands: true, .. })
        | PspStatus::Pending
        | PspStatus::Payable { .. }
        | PspStatus::Processing
        | PspStatus::Failed
        | PspStatus::Canceled
        | PspStatus::Payout(_)
        | PspStatus::Irrelevant => false,
    }
}

/// What is to be heard of a statement after the provider was asked about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one is made for each statement, and all are reports")]
pub enum Heard {
    /// This counts.
    Now(PspReport),
    /// The provider's own answer contradicts it: it is kept, the provider is asked again later, and then a person. Sending it
    /// again changes nothing.
    Denied(PspReport),
    /// The provider does not know of it yet, or could not be asked: it is kept as well, and the provider is to send it again.
    NotKnown(PspReport),
}

/// What is to be heard of a statement after the provider was asked: the provider's own answer where it is about the
/// same transaction, else what was told as far as it gives no money away.
///
/// A statement of moved money that is not to be heard now is kept by the caller and never only refused: the provider may stop
/// sending it, and its order may never say what its statement said.
pub fn confirmed(told: PspReport, known: Option<PspReport>, unconfirmed: Unconfirmed) -> Heard {
    if !decides(&told) {
        return Heard::Now(told);
    }
    let gives = gives(&told.status);
    // an order without a transaction denies none
    let shows_another = known.as_ref().is_some_and(|known| !known.reference.is_empty());
    match known.filter(|known| known.reference == told.reference) {
        // the statement's own time, so that it is the same statement however often it comes
        Some(known) if known.status == told.status => Heard::Now(PspReport { at: told.at, ..known }),
        Some(known) => match same_return(&told, &known) {
            Some(heard) => Heard::Now(heard),
            // money that went back is never denied: the provider may be late
            None if told.moves_money() && !gives && !goes_back(&known.status) => Heard::Denied(told),
            None => Heard::Now(known),
        },
        None if !gives => Heard::Now(told),
        None => match unconfirmed {
            Unconfirmed::Believe => Heard::Now(told),
            Unconfirmed::Wait if shows_another => Heard::Denied(told),
            Unconfirmed::Wait => Heard::NotKnown(told),
        },
    }
}

/// Whether money left us.
fn goes_back(status: &PspStatus) -> bool {
    matches!(status, PspStatus::Returned(_)) && !gives(status)
}

/// The same refund or dispute told twice with two amounts: the larger counts, so that what went back is not counted short.
fn same_return(told: &PspReport, known: &PspReport) -> Option<PspReport> {
    let (PspStatus::Returned(Returned::One { id, way, stands, amount }), PspStatus::Returned(other)) =
        (&told.status, &known.status)
    else {
        return None;
    };
    let Returned::One { id: other_id, way: other_way, stands: other_stands, amount: other_amount } = other else {
        return None;
    };
    if (id, way, stands) != (other_id, other_way, other_stands) {
        return None;
    }
    let amount = larger(*amount, *other_amount);
    let status = PspStatus::Returned(Returned::One { id: id.clone(), way: *way, stands: *stands, amount });
    Some(PspReport { at: told.at, status, money: amount, ..known.clone() })
}

/// The larger of two amounts of a return: none named is the whole payment, and of two currencies the provider's answer counts.
fn larger(told: Option<Money>, known: Option<Money>) -> Option<Money> {
    let (told, known) = (told?, known?);
    Some(if told.compare(&known).is_ok_and(Ordering::is_gt) { told } else { known })
}

#[cfg(test)]
mod tests {
    use super::super::report::Way;
    use super::*;
    use crate::{Money, Timestamp};

    fn heard(told: PspReport, known: Option<PspReport>, unconfirmed: Unconfirmed) -> Option<PspReport> {
        match confirmed(told, known, unconfirmed) {
            Heard::Now(heard) => Some(heard),
            Heard::Denied(_) | Heard::NotKnown(_) => None,
        }
    }

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
            let said = heard(told(), Some(report("7", PspStatus::Succeeded, "90.00", 9)), both);
            assert_eq!(said, Some(report("7", PspStatus::Succeeded, "90.00", 5)), "amount of the provider");
            for status in all().into_iter().filter(|status| *status != PspStatus::Succeeded) {
                let said = heard(told(), Some(report("7", status.clone(), "100.00", 9)), both);
                assert_ne!(said.map(|heard| heard.status), Some(PspStatus::Succeeded), "{status:?}");
            }
        }
        for known in [
            None,
            Some(report("", PspStatus::Pending, "100.00", 9)),
            Some(report("8", PspStatus::Succeeded, "1.00", 9)),
        ] {
            assert_eq!(heard(told(), known.clone(), Unconfirmed::Wait), None);
            assert_eq!(heard(told(), known, Unconfirmed::Believe), Some(told()));
        }
    }

    #[test]
    fn a_failure_that_the_provider_knows_as_a_success_is_one() {
        let told = report("7", PspStatus::Failed, "100.00", 5);
        let known = report("7", PspStatus::Succeeded, "100.00", 9);
        assert_eq!(heard(told.clone(), Some(known.clone()), Unconfirmed::Wait), Some(known));
        assert_eq!(heard(told.clone(), None, Unconfirmed::Wait), Some(told));
    }

    #[test]
    fn money_that_went_back_is_heard_or_kept() {
        for status in [returned(Way::Refund, true), returned(Way::Dispute, true)] {
            let told = report("7", status.clone(), "100.00", 5);
            for known in
                [None, Some(report("8", PspStatus::Succeeded, "100.00", 9)), Some(report("7", status, "100.00", 9))]
            {
                assert_eq!(heard(told.clone(), known, Unconfirmed::Wait), Some(told.clone()));
            }
            // the order still says approved: kept, not sent back and forth until the provider gives up
            let before = report("7", PspStatus::Succeeded, "100.00", 9);
            assert_eq!(confirmed(told.clone(), Some(before), Unconfirmed::Wait), Heard::Denied(told));
        }
    }

    #[test]
    fn money_that_is_said_to_be_with_us_again_is_heard_only_as_the_provider_says_it() {
        let told = || report("7", returned(Way::Refund, false), "100.00", 5);
        assert_eq!(heard(told(), Some(told()), Unconfirmed::Wait), Some(told()));
        let stands = report("7", returned(Way::Refund, true), "100.00", 9);
        assert_eq!(heard(told(), Some(stands.clone()), Unconfirmed::Believe), Some(stands));
        for known in [None, Some(report("8", PspStatus::Succeeded, "100.00", 9))] {
            assert_eq!(heard(told(), known.clone(), Unconfirmed::Wait), None);
            assert_eq!(heard(told(), known, Unconfirmed::Believe), Some(told()));
        }
    }

    #[test]
    fn what_decides_nothing_is_heard_as_it_is() {
        for status in [PspStatus::Pending, PspStatus::Processing, PspStatus::Irrelevant] {
            let told = report("7", status, "100.00", 5);
            assert!(!decides(&told));
            let known = report("7", PspStatus::Succeeded, "100.00", 9);
            assert_eq!(heard(told.clone(), Some(known), Unconfirmed::Wait), Some(told));
        }
    }

    #[test]
    fn a_success_of_an_order_that_shows_a_later_transaction_is_kept_and_one_that_is_not_known_comes_again() {
        let told = report("7", PspStatus::Succeeded, "100.00", 5);
        let later = report("8", PspStatus::Failed, "100.00", 9);
        assert_eq!(confirmed(told.clone(), Some(later), Unconfirmed::Wait), Heard::Denied(told.clone()));
        for known in [None, Some(report("", PspStatus::Pending, "100.00", 9))] {
            assert_eq!(confirmed(told.clone(), known, Unconfirmed::Wait), Heard::NotKnown(told.clone()));
        }
    }

    #[test]
    fn a_chargeback_that_the_provider_confirms_with_another_amount_is_heard_with_the_larger() {
        let of = |amount: Option<&str>| {
            let amount = amount.map(|text| Money::parse(text, "USD".parse().unwrap()).unwrap());
            let status =
                PspStatus::Returned(Returned::One { id: "7".to_owned(), way: Way::Dispute, stands: true, amount });
            let event_id = "7:sale.chargeback".to_owned();
            PspReport { money: amount, event_id, ..report("7", status, "100.00", 5) }
        };
        // the same transaction, charged back by its own word; left out is the whole payment
        for (told, known, counts) in [
            (None, Some("100.00"), None),
            (Some("40.00"), Some("100.00"), Some("100.00")),
            (Some("100.00"), Some("40.00"), Some("100.00")),
            (Some("100.00"), None, None),
        ] {
            assert_eq!(heard(of(told), Some(of(known)), Unconfirmed::Wait), Some(of(counts)), "{told:?} {known:?}");
        }
    }

    #[test]
    fn money_that_went_back_another_way_by_the_providers_word_went_back_that_way() {
        let told = report("7", returned(Way::Dispute, true), "100.00", 5);
        let known = report("7", returned(Way::Refund, true), "100.00", 9);
        assert_eq!(heard(told.clone(), Some(known.clone()), Unconfirmed::Wait), Some(known));
        let undone = report("7", returned(Way::Refund, false), "100.00", 9);
        assert_eq!(confirmed(told.clone(), Some(undone), Unconfirmed::Wait), Heard::Denied(told));
    }
}
