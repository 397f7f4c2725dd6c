//! What people decided about a client and a listed entry holds until either changes.

use domain::kyc::case::ListKind;
use domain::kyc::{DocumentKind, KycStatus, ScreeningState};
use domain::work::HumanDecision;

use crate::desk::{Desk, at};

/// A client whom two people approved although a list has somebody like him, and whose passport is to be renewed.
fn cleared(of: ListKind) -> Desk {
    let mut desk = Desk::new();
    let passport = desk.upload(DocumentKind::Passport, None);
    let address = desk.upload(DocumentKind::ProofOfAddress, None);
    desk.declare("employment", false);
    desk.read_dated(passport, "2027-01-05", &[]);
    desk.read(address, &[]);
    desk.screen(&[of]);
    assert_eq!(desk.case.facts.review.as_ref().unwrap().kind, "kyc_hit");
    decide(&mut desk, "approve");
    assert_eq!(desk.case.facts.status, KycStatus::Approved);
    desk
}

fn decide(desk: &mut Desk, action: &str) {
    let review = desk.case.facts.review.clone().unwrap();
    let decision = HumanDecision {
        kind: review.kind,
        trigger: Some(review.trigger),
        action: action.to_owned(),
        evidence: None,
        by: "compliance-1".to_owned(),
        approved_by: Some("compliance-2".to_owned()),
        at: at(90),
    };
    let verdict = desk.case.decided(&decision, &desk.kyc, at(100));
    desk.take(verdict);
}

/// The client is screened anew for a newer passport.
fn screened_again(desk: &mut Desk, of: &[ListKind]) {
    let newer = desk.upload(DocumentKind::Passport, None);
    desk.read_dated(newer, "2036-12-10", &[]);
    desk.screen(of);
}

#[test]
fn who_was_cleared_is_not_raised_again_and_the_record_says_by_whom() {
    for of in [ListKind::Sanctions, ListKind::Pep] {
        let mut desk = cleared(of);
        assert_eq!(desk.case.inner.cleared.len(), 1);
        screened_again(&mut desk, &[of]);
        assert!(desk.events().contains(&"kyc.renewed"), "{:?}", desk.last);
        let screening = &desk.case.facts.screening;
        assert_eq!((screening.state, screening.hits.len(), screening.cleared.len()), (ScreeningState::Clear, 0, 1));
        let why = desk.last.unwrap().why.join("; ");
        assert!(why.contains("ofac_sdn ofac-1 was cleared earlier by compliance-1 and compliance-2"), "{why}");
        assert!(!why.contains("e1") && !why.contains("c1"), "{why}");
    }
}

#[test]
fn what_either_side_says_otherwise_is_raised_again() {
    let changes: [&dyn Fn(&mut Desk); 2] = [&|desk| desk.entry = "e2", &|desk| desk.screened_as = "c2"];
    for change in changes {
        let mut desk = cleared(ListKind::Sanctions);
        change(&mut desk);
        screened_again(&mut desk, &[ListKind::Sanctions]);
        assert_eq!(desk.events(), ["kyc.updated", "desk.item"], "{:?}", desk.last);
        assert_eq!(desk.case.facts.review.as_ref().unwrap().kind, "kyc_hit");
        assert_eq!(desk.case.facts.screening.hits.len(), 1);
        // decided anew, the new sides count
        decide(&mut desk, "approve");
        assert_eq!(desk.case.inner.cleared.len(), 1);
        screened_again(&mut desk, &[]);
        assert!(desk.case.facts.screening.cleared.is_empty());
    }
}

#[test]
fn only_an_approval_of_hits_clears_them() {
    for action in ["request_documents", "reject", "resolve"] {
        let mut desk = Desk::new();
        desk.complete("employment", false, &[]);
        desk.screen(&[ListKind::Sanctions]);
        decide(&mut desk, action);
        assert!(desk.case.inner.cleared.is_empty(), "{action}");
    }
    // a politically exposed client without a hit has none to clear
    let mut desk = Desk::new();
    desk.complete("employment", true, &[]);
    desk.screen(&[]);
    decide(&mut desk, "approve");
    assert!(desk.case.inner.cleared.is_empty());
}
