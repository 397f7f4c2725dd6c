//! The ways a case goes.

use domain::decision::Verdict;
use domain::kyc::case::{ListKind, Screened};
use domain::kyc::{DocumentKind, Finding, KycOutcome, KycStatus, NextStep, ScreeningState, Side, UploadFault};
use domain::work::HumanDecision;

use crate::desk::{Desk, at};

#[test]
fn a_clear_case_is_approved_alone_and_says_why() {
    let mut desk = Desk::new();
    let passport = desk.upload(DocumentKind::Passport, None);
    assert_eq!((desk.case.facts.status, desk.events()), (KycStatus::Collecting, vec!["kyc.updated"]));
    let address = desk.upload(DocumentKind::ProofOfAddress, None);
    assert_eq!(desk.case.next_steps(&desk.kyc), [NextStep::SubmitDeclaration]);
    desk.declare("employment", false);
    assert_eq!((desk.case.facts.status, desk.events()), (KycStatus::Verifying, vec!["kyc.updated", "kyc.verifying"]));
    desk.screen(&[]);
    assert_eq!(desk.case.facts.status, KycStatus::Verifying, "nothing is read yet");
    desk.read(address, &[]);
    desk.read(passport, &[]);
    assert_eq!((desk.case.facts.status, desk.events()), (KycStatus::Approved, vec!["kyc.approved"]));
    let decision = desk.case.facts.decision.clone().unwrap();
    assert_eq!((decision.outcome, decision.reasons), (KycOutcome::Approve, vec!["low_risk".to_owned()]));
    let why = desk.last.unwrap().why;
    assert!(why.iter().any(|line| line == "risk 0: low"), "{why:?}");
    assert!(why.iter().any(|line| line.starts_with("decisions/low_risk")), "{why:?}");
}

#[test]
fn the_order_in_which_things_arrive_does_not_matter() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let mut desk = Desk::new();
        for step in order {
            match step {
                0 => {
                    let passport = desk.upload(DocumentKind::Passport, None);
                    desk.read(passport, &[]);
                }
                1 => {
                    let address = desk.upload(DocumentKind::ProofOfAddress, None);
                    desk.read(address, &[]);
                }
                2 => desk.declare("savings", false),
                _ => desk.screen(&[]),
            }
        }
        desk.screen(&[]);
        assert_eq!(desk.case.facts.status, KycStatus::Approved, "{order:?}");
    }
}

#[test]
fn what_the_checks_say_decides() {
    use {KycOutcome as O, ListKind as L};
    let decided = |residence: &str, pep: bool, findings: &[Finding], hits: &[L]| {
        let mut desk = Desk::of(residence, "1990-05-17");
        desk.complete("employment", pep, findings);
        desk.screen(hits);
        let decision = desk.case.facts.decision.clone().unwrap();
        (decision.outcome, decision.reasons.join(", "))
    };
    let is = |outcome: O, reason: &str| (outcome, reason.to_owned());
    assert_eq!(decided("ES", false, &[], &[L::Sanctions]), is(O::Review, "sanctions_hit"));
    assert_eq!(decided("ES", false, &[], &[L::Pep]), is(O::Review, "politically_exposed"));
    assert_eq!(decided("ES", true, &[], &[]), is(O::Review, "politically_exposed"));
    assert_eq!(decided("ES", false, &[Finding::NameDiffers], &[]), is(O::Review, "needs_a_person"));
    assert_eq!(decided("ES", false, &[Finding::ExpiresSoon], &[]), is(O::Approve, "low_risk"));
    assert_eq!(decided("ES", false, &[Finding::BirthDateImpossible], &[]), is(O::Reject, "document_not_genuine"));
    assert_eq!(decided("VE", false, &[], &[]), is(O::Review, "needs_a_person"));
    assert_eq!(decided("KP", false, &[], &[]), is(O::Reject, "country_not_served"));
    // who may be sanctioned is a person's to decide, also where the rest is clear
    assert_eq!(decided("KP", false, &[], &[L::Sanctions]), is(O::Review, "sanctions_hit"));
}

#[test]
fn a_failed_screening_is_no_clean_one_and_goes_to_a_person_when_it_lasts() {
    let mut desk = Desk::new();
    desk.complete("employment", false, &[]);
    desk.screened(&Screened::Failed("the lists are older than they may be".to_owned()));
    assert_eq!(desk.case.facts.status, KycStatus::Verifying);
    let due = desk.case.due.unwrap();
    assert!(matches!(desk.case.came_due(&desk.kyc, at(0)), Verdict::Nothing(_)));
    let verdict = desk.case.came_due(&desk.kyc, due);
    desk.take(verdict);
    assert_eq!((desk.events(), desk.case.facts.status), (vec!["kyc.verifying"], KycStatus::Verifying));
    let verdict = desk.case.came_due(&desk.kyc, at(2 * 3_600));
    desk.take(verdict);
    assert_eq!((desk.events(), desk.case.facts.status), (vec!["kyc.in_review"], KycStatus::InReview));
    assert_eq!(desk.case.facts.review.as_ref().unwrap().kind, "kyc_checks_overdue");
    // what comes late changes nothing by itself
    desk.screen(&[]);
    assert_eq!((desk.case.facts.status, desk.events()), (KycStatus::InReview, vec![]));
}

#[test]
fn what_cannot_be_read_is_asked_for_again_so_often_and_then_a_person_looks() {
    let mut desk = Desk::new();
    let passport = desk.upload(DocumentKind::Passport, None);
    let address = desk.upload(DocumentKind::ProofOfAddress, None);
    desk.declare("employment", false);
    desk.read(address, &[]);
    desk.read_as(passport, &[], &[Finding::NotRead]);
    for attempt in 1..=2 {
        assert_eq!((desk.case.facts.attempts, desk.case.facts.status), (attempt, KycStatus::Collecting));
        assert!(desk.events().contains(&"kyc.documents_requested"));
        let steps = desk.case.next_steps(&desk.kyc);
        assert!(
            matches!(&steps[..], [NextStep::UploadDocument { reasons, .. }] if reasons == &["not_read"]),
            "{steps:?}"
        );
        let again = desk.upload(DocumentKind::Passport, None);
        assert_eq!(desk.case.facts.status, KycStatus::Verifying);
        desk.screen(&[]);
        desk.read_as(again, &[], &[Finding::NotRead]);
    }
    assert_eq!(desk.case.facts.status, KycStatus::InReview);
}

#[test]
fn a_card_needs_both_sides_and_what_is_on_either_counts() {
    let mut desk = Desk::new();
    let address = desk.upload(DocumentKind::ProofOfAddress, None);
    desk.declare("pension", false);
    desk.read(address, &[]);
    let front = desk.upload(DocumentKind::IdCard, Some(Side::Front));
    assert_eq!(desk.case.facts.status, KycStatus::Collecting);
    let back = desk.upload(DocumentKind::IdCard, Some(Side::Back));
    assert_eq!(desk.case.facts.status, KycStatus::Verifying);
    desk.screen(&[]);
    desk.read_as(front, &["surname".to_owned(), "number".to_owned()], &[]);
    assert_eq!(desk.case.facts.status, KycStatus::Verifying);
    desk.read_as(back, &["date_of_birth".to_owned(), "expires".to_owned()], &[]);
    assert_eq!(desk.case.facts.status, KycStatus::Approved);
}

#[test]
fn one_side_of_a_card_that_is_read_is_not_asked_for_again_before_the_other_is_there() {
    let mut desk = Desk::new();
    let front = desk.upload(DocumentKind::IdCard, Some(Side::Front));
    desk.read_as(front, &["surname".to_owned()], &[]);
    assert_eq!((desk.events(), desk.case.facts.attempts), (vec!["kyc.updated"], 0));
    let back = desk.upload(DocumentKind::IdCard, Some(Side::Back));
    desk.read_as(back, &[], &[]);
    assert!(desk.events().contains(&"kyc.documents_requested"), "both sides together are not sure");
}

#[test]
fn an_upload_that_cannot_be_used_counts_for_nothing_and_says_why() {
    let mut desk = Desk::new();
    desk.upload_with(DocumentKind::Passport, None, &[UploadFault::TooDark, UploadFault::Blurred]);
    let steps = desk.case.next_steps(&desk.kyc);
    assert!(
        matches!(&steps[0], NextStep::UploadDocument { reasons, .. } if reasons == &["too_dark", "blurred"]),
        "{steps:?}"
    );
    assert_eq!(desk.case.facts.attempts, 0);
}

#[test]
fn only_the_person_who_was_asked_decides() {
    let mut desk = Desk::new();
    desk.complete("employment", true, &[]);
    desk.screen(&[]);
    let review = desk.case.facts.review.clone().unwrap();
    let decision = |action: &str, trigger: &str| HumanDecision {
        kind: review.kind.clone(),
        trigger: Some(trigger.to_owned()),
        action: action.to_owned(),
        evidence: None,
        by: "compliance-1".to_owned(),
        approved_by: Some("compliance-2".to_owned()),
        at: at(100),
    };
    let another = desk.case.decided(&decision("approve", "kyc_hit:1"), &desk.kyc, at(100));
    assert!(matches!(another, Verdict::Nothing(_)));
    for (action, status) in [
        ("approve", KycStatus::Approved),
        ("reject", KycStatus::Rejected),
        ("request_documents", KycStatus::Collecting),
        ("resolve", KycStatus::InReview),
    ] {
        let Verdict::Change(done) = desk.case.decided(&decision(action, &review.trigger), &desk.kyc, at(100)) else {
            panic!("{action}")
        };
        assert_eq!(done.next.facts.status, status, "{action}");
        assert!(done.why[0].contains("compliance-2"));
        let again = done.next.decided(&decision(action, &review.trigger), &desk.kyc, at(101));
        assert!(matches!(again, Verdict::Nothing(_)), "{action}: a second delivery");
    }
}

#[test]
fn who_was_screened_before_the_document_was_read_is_screened_again_under_its_name() {
    let mut desk = Desk::new();
    let passport = desk.upload(DocumentKind::Passport, None);
    let address = desk.upload(DocumentKind::ProofOfAddress, None);
    desk.declare("employment", false);
    desk.read(address, &[]);
    desk.screen(&[]);
    // the passport says who he is: he was screened under another name, and nothing is decided by that
    desk.read_named(passport, "IVAN", "PETROV");
    assert_eq!((desk.case.facts.status, desk.events()), (KycStatus::Verifying, vec!["kyc.updated", "kyc.verifying"]));
    assert_eq!(desk.case.facts.screening.state, ScreeningState::Pending);
    desk.screen(&[ListKind::Sanctions]);
    assert_eq!(desk.case.facts.status, KycStatus::InReview);
    // who is screened only now needs it once
    let mut desk = Desk::new();
    let passport = desk.upload(DocumentKind::Passport, None);
    let address = desk.upload(DocumentKind::ProofOfAddress, None);
    desk.declare("employment", false);
    desk.read(address, &[]);
    desk.read_named(passport, "ANA", "LOPEZ");
    assert_eq!(desk.events(), ["kyc.updated"]);
    desk.screen(&[]);
    assert_eq!(desk.case.facts.status, KycStatus::Approved);
}

#[test]
fn what_was_decided_on_a_declaration_takes_no_other_one() {
    let mut desk = Desk::new();
    desk.complete("employment", false, &[]);
    desk.screen(&[]);
    let decided = desk.case.clone();
    assert_eq!(decided.facts.status, KycStatus::Approved);
    desk.declare("business", true);
    assert_eq!((desk.events(), &desk.case), (vec![], &decided));
    // said again, it changes nothing either, and is no contradiction
    desk.declare("employment", false);
    assert_eq!((desk.events(), &desk.case), (vec![], &decided));
    assert!(decided.takes(decided.facts.declaration.as_ref().unwrap()));
}
