//! Documents that expire: the renewal in time, and what happens without one.

use domain::Timestamp;
use domain::decision::Verdict;
use domain::kyc::case::ListKind;
use domain::kyc::expiry::ValidityStage;
use domain::kyc::rules::requirements::AtExpiry;
use domain::kyc::{DocumentKind, Finding, KycStatus, NextStep, Side};
use domain::work::HumanDecision;

use crate::desk::{Desk, at};

const EXPIRES: &str = "2027-01-05";

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Thirty days before the day after the last.
fn asked_at() -> Timestamp {
    moment("2026-12-07T00:00:00Z")
}

/// A week before.
fn again_at() -> Timestamp {
    moment("2026-12-30T00:00:00Z")
}

fn ended_at() -> Timestamp {
    moment("2027-01-06T00:00:00Z")
}

fn asked() -> Desk {
    let mut desk = Desk::approved_until(EXPIRES);
    desk.come_due(asked_at());
    assert_eq!(desk.events(), ["kyc.renewal_requested", "desk.item"]);
    desk
}

fn stage(desk: &Desk) -> ValidityStage {
    desk.case.facts.validity.as_ref().unwrap().stage
}

/// What a person decides about what the case asks.
fn person(desk: &Desk, action: &str) -> HumanDecision {
    let review = desk.case.facts.review.clone().unwrap();
    HumanDecision {
        kind: review.kind,
        trigger: Some(review.trigger),
        action: action.to_owned(),
        evidence: None,
        by: "compliance-1".to_owned(),
        approved_by: None,
        at: at(100),
    }
}

fn decide(desk: &mut Desk, action: &str) {
    let verdict = desk.case.decided(&person(desk, action), &desk.kyc, ended_at());
    desk.take(verdict);
}

fn reasons(desk: &Desk) -> Vec<String> {
    match &desk.case.next_steps(&desk.kyc)[..] {
        [NextStep::UploadDocument { reasons, any_of, .. }] => {
            assert!(any_of.contains(&DocumentKind::Passport));
            reasons.clone()
        }
        steps => panic!("{steps:?}"),
    }
}

#[test]
fn a_renewal_is_asked_for_in_time_and_takes_nothing_from_the_client() {
    let desk = Desk::approved_until(EXPIRES);
    assert_eq!(desk.case.due, Some(asked_at()));
    let early = Timestamp::from_millis(asked_at().millis() - 1).unwrap();
    assert!(matches!(desk.case.came_due(&desk.kyc, early), Verdict::Nothing(_)));
    assert_eq!(desk.case.next_steps(&desk.kyc), []);

    let mut desk = asked();
    assert_eq!((desk.case.facts.status, stage(&desk)), (KycStatus::Approved, ValidityStage::RenewalAsked));
    assert_eq!(desk.case.facts.review.as_ref().unwrap().kind, "document_expiry");
    assert_eq!(reasons(&desk), ["expires_soon"]);
    assert_eq!(desk.case.due, Some(again_at()));
    assert!(matches!(desk.case.came_due(&desk.kyc, asked_at()), Verdict::Nothing(_)), "asked once");

    // a week before, the client is asked again; the desk has its item
    desk.come_due(again_at());
    assert_eq!(desk.events(), ["kyc.renewal_requested"]);
    assert_eq!((stage(&desk), desk.case.due), (ValidityStage::RenewalAsked, Some(ended_at())));
    assert!(matches!(desk.case.came_due(&desk.kyc, again_at()), Verdict::Nothing(_)), "asked twice");
    assert_eq!(desk.case.facts.resubmit.len(), 1);

    // nothing comes: asked once more, with another item in the place of the first, and still approved
    desk.come_due(ended_at());
    assert_eq!(desk.events(), ["kyc.renewal_requested", "desk.item", "desk.settled"]);
    assert_eq!((desk.case.facts.status, stage(&desk)), (KycStatus::Approved, ValidityStage::Expired));
    assert_eq!(desk.case.facts.settled[0].trigger, "renewal_asked:2027-01-05");
    assert_eq!((reasons(&desk), desk.case.due), (vec!["expired".to_owned()], None));
}

#[test]
fn a_rule_or_a_person_may_let_a_verification_expire_and_a_new_document_ends_that() {
    let mut by_rule = asked();
    by_rule.kyc.expiry.at_expiry = AtExpiry::Expire;
    by_rule.come_due(ended_at());
    assert_eq!(by_rule.events(), ["kyc.expired", "desk.item", "desk.settled"]);
    let mut by_person = asked();
    decide(&mut by_person, "expire");
    assert_eq!(by_person.events(), ["kyc.expired"]);
    for mut desk in [by_rule, by_person] {
        assert_eq!((desk.case.facts.status, desk.case.due), (KycStatus::Expired, None));
        assert_eq!(reasons(&desk).len(), 1);
        let newer = desk.upload(DocumentKind::Passport, None);
        assert_eq!(desk.case.facts.status, KycStatus::Expired, "not before it is checked");
        desk.read_dated(newer, "2036-12-10", &[]);
        desk.screen(&[]);
        assert_eq!(desk.case.facts.status, KycStatus::Approved);
        assert!(desk.events().contains(&"kyc.renewed"));
    }
}

#[test]
fn a_newer_document_renews_by_rule_and_closes_the_item() {
    let mut desk = asked();
    let newer = desk.upload(DocumentKind::Passport, None);
    assert_eq!(desk.events(), ["kyc.updated", "kyc.verifying"]);
    assert_eq!((desk.case.facts.status, desk.case.next_steps(&desk.kyc)), (KycStatus::Approved, vec![NextStep::Wait]));
    assert!(desk.case.due.is_some_and(|due| due < ended_at()), "the checks are looked after");
    desk.screen(&[]);
    desk.read_dated(newer, "2036-12-10", &[]);
    // it says another number: screened under what it says
    assert_eq!(desk.events(), ["kyc.updated", "kyc.verifying"]);
    desk.screen(&[]);
    assert_eq!(desk.events(), ["kyc.renewed", "desk.settled"]);
    let facts = &desk.case.facts;
    assert_eq!((facts.status, stage(&desk)), (KycStatus::Approved, ValidityStage::Valid));
    assert_eq!(facts.validity.as_ref().unwrap().expires.as_deref(), Some("2036-12-10"));
    assert_eq!(facts.settled[0].trigger, "renewal_asked:2027-01-05");
    assert!(facts.resubmit.is_empty() && facts.review.is_none() && facts.renewal.is_none());
    assert_eq!(desk.case.due, Some(moment("2036-11-11T00:00:00Z")));
    assert!(facts.documents[0].replaced && !facts.documents.last().unwrap().replaced);
    // the old document, told of once more, is not new again
    desk.absorb(0);
    assert_eq!(desk.events(), [""; 0]);
}

#[test]
fn a_card_renews_a_passport_when_both_sides_are_there() {
    let mut desk = asked();
    let front = desk.upload(DocumentKind::IdCard, Some(Side::Front));
    desk.read_dated(front, "2036-12-10", &[]);
    assert!(desk.case.facts.renewal.is_none());
    let back = desk.upload(DocumentKind::IdCard, Some(Side::Back));
    desk.read_dated(back, "2036-12-10", &[]);
    desk.screen(&[]);
    assert!(desk.events().contains(&"kyc.renewed"), "{:?}", desk.last);
    assert_eq!(desk.case.facts.validity.as_ref().unwrap().kind, Some(DocumentKind::IdCard));
}

#[test]
fn a_client_may_renew_before_he_is_asked() {
    let mut desk = Desk::approved_until(EXPIRES);
    let newer = desk.upload(DocumentKind::Passport, None);
    assert_eq!((desk.events(), desk.case.facts.renewal.is_some()), (vec!["kyc.updated"], false), "it may say nothing");
    desk.read_dated(newer, "2036-12-10", &[]);
    assert_eq!(desk.events(), ["kyc.updated", "kyc.verifying"]);
    desk.screen(&[]);
    assert_eq!(desk.events(), ["kyc.renewed"]);
}

#[test]
fn what_is_not_sure_or_not_valid_longer_is_asked_for_again_and_then_a_person_looks() {
    for (expires, findings, reason) in
        [(EXPIRES, [].as_slice(), "expires_soon"), ("2036-12-10", [Finding::NotRead].as_slice(), "not_read")]
    {
        let mut desk = asked();
        for _ in 0..2 {
            let newer = desk.upload(DocumentKind::Passport, None);
            desk.read_dated(newer, expires, findings);
            assert!(desk.events().contains(&"kyc.documents_requested"), "{:?}", desk.last);
            assert!(reasons(&desk).contains(&reason.to_owned()));
            assert_eq!((desk.case.facts.status, desk.case.due), (KycStatus::Approved, Some(again_at())));
        }
        let newer = desk.upload(DocumentKind::Passport, None);
        desk.read_dated(newer, expires, findings);
        desk.screen(&[]);
        assert_eq!(desk.events(), ["kyc.updated", "desk.item"]);
        assert_eq!((desk.case.facts.status, desk.case.due), (KycStatus::Approved, None));
        assert_eq!(desk.case.facts.review.as_ref().unwrap().kind, "kyc_review");
    }
}

/// A renewal that is with a person.
fn with_person(findings: &[Finding], hits: &[ListKind]) -> Desk {
    let mut desk = asked();
    let newer = desk.upload(DocumentKind::Passport, None);
    desk.read_dated(newer, "2036-12-10", findings);
    desk.screen(hits);
    assert_eq!(desk.events(), ["kyc.updated", "desk.item"], "{:?}", desk.last);
    desk
}

#[test]
fn what_does_not_agree_goes_to_a_person_whatever_the_rules_say_and_the_approval_stands() {
    let kind = |desk: &Desk| desk.case.facts.review.as_ref().unwrap().kind.clone();
    for finding in [Finding::EarlierDiffers, Finding::NameDiffers, Finding::BirthDateImpossible] {
        let desk = with_person(&[finding], &[]);
        assert_eq!((desk.case.facts.status, kind(&desk).as_str()), (KycStatus::Approved, "kyc_review"), "{finding}");
    }
    let hit = with_person(&[], &[ListKind::Sanctions]);
    assert_eq!((hit.case.facts.status, kind(&hit).as_str()), (KycStatus::Approved, "kyc_hit"));
    for (action, status, event) in [
        ("approve", KycStatus::Approved, "kyc.renewed"),
        ("request_documents", KycStatus::Approved, "kyc.documents_requested"),
        ("reject", KycStatus::Rejected, "kyc.rejected"),
        ("resolve", KycStatus::Approved, "desk.item"),
    ] {
        let mut desk = with_person(&[Finding::EarlierDiffers], &[]);
        let decision = person(&desk, action);
        decide(&mut desk, action);
        assert_eq!(desk.case.facts.status, status, "{action}");
        assert!(desk.events().contains(&event), "{action}: {:?}", desk.events());
        let again = desk.case.decided(&decision, &desk.kyc, ended_at());
        assert!(matches!(again, Verdict::Nothing(_)), "{action}: a second delivery");
    }
}

#[test]
fn checks_of_a_renewal_that_do_not_end_go_to_a_person_too() {
    let mut desk = asked();
    desk.upload(DocumentKind::Passport, None);
    let due = desk.case.due.unwrap();
    desk.come_due(due);
    assert_eq!(desk.events(), ["kyc.verifying"]);
    desk.come_due(at(2 * 3_600));
    assert_eq!((desk.events(), desk.case.facts.status), (vec!["kyc.updated", "desk.item"], KycStatus::Approved));
    assert_eq!(desk.case.facts.review.as_ref().unwrap().kind, "kyc_checks_overdue");
    decide(&mut desk, "check_again");
    assert_eq!((desk.events(), desk.case.due.is_some()), (vec!["kyc.verifying"], true));
}

#[test]
fn an_item_that_a_person_closed_leaves_the_time_of_expiry_where_it_is() {
    for (action, events) in
        [("close", vec![]), ("resolve", vec![]), ("request_documents", vec!["kyc.renewal_requested"])]
    {
        let mut desk = asked();
        decide(&mut desk, action);
        assert_eq!((desk.events(), desk.case.due), (events, Some(again_at())), "{action}");
        desk.come_due(ended_at());
        assert_eq!(desk.events(), ["kyc.renewal_requested", "desk.item"], "{action}: nothing is left to settle");
    }
}

#[test]
fn rules_that_ask_later_move_the_time_and_a_document_near_its_end_is_asked_about_at_once() {
    let mut desk = Desk::approved_until(EXPIRES);
    desk.kyc.expiry.ask_before = domain::Seconds(10 * 86_400);
    desk.come_due(asked_at());
    assert_eq!((desk.events(), desk.case.due), (vec![], Some(moment("2026-12-27T00:00:00Z"))));
    let mut desk = Desk::approved_until("2026-11-25");
    assert!(desk.case.due.is_some_and(|due| due < at(60)));
    // and is not asked twice in a moment
    desk.come_due(at(60));
    assert_eq!((stage(&desk), desk.case.due), (ValidityStage::RenewalAsked, Some(moment("2026-11-26T00:00:00Z"))));
    // where the rules say nothing of a second time there is none
    let mut once = Desk::approved_until(EXPIRES);
    once.kyc.expiry.ask_again_before = None;
    once.come_due(asked_at());
    assert_eq!(once.case.due, Some(ended_at()));
}
