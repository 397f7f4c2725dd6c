//! Partners, who brought whom, and runs that pay: the decisions of people.

use domain::decision::{Decision, Verdict};
use domain::entity;
use domain::partner::attribution::{AttributedBy, Attribution, Claim};
use domain::partner::line::AgreementRef;
use domain::partner::payee::{Payee, Rail, is_iban};
use domain::partner::profile::{Partner, PartnerRefusal, PartnerStatus, Proposed, VerifiedBy};
use domain::work::HumanDecision;
use serde_json::{Value, json};

use crate::world::*;

const NOW: &str = "2026-03-10T00:00:00Z";

fn application() -> Value {
    json!({
        "full_name": "Iris Bauer", "email": "iris@example.com", "country": "DE", "code": "iris-1",
        "payout": {"rail": "bank", "name": "Iris Bauer", "iban": "DE89 3704 0044 0532 0130 00", "bic": "cobadeffxxx"},
    })
}

fn applied() -> Partner {
    let read = Partner::apply(&application(), &partner(1), at(NOW)).unwrap();
    Partner::applied(read, false, at(NOW)).next
}

fn change<T>(verdict: Verdict<T>) -> Decision<T> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(reason) => panic!("nothing: {reason}"),
    }
}

#[test]
fn an_application_is_read_and_keeps_what_is_personal_to_itself() {
    let partner = applied();
    assert_eq!((partner.facts.code.as_str(), partner.facts.status), ("IRIS-1", PartnerStatus::Applied));
    let wanted = Payee::Bank {
        name: "Iris Bauer".to_owned(),
        iban: "DE89370400440532013000".to_owned(),
        bic: Some("COBADEFFXXX".to_owned()),
    };
    assert_eq!((partner.person.payee.reveal(), wanted.rail()), (&wanted, Rail::Bank));
    let (public, private) = entity::write(&partner).unwrap();
    for secret in ["Iris", "iris@", "DE89"] {
        assert!(!public.contains(secret), "{public}");
    }
    let raw = entity::Raw::of::<Partner>(partner.id.as_str(), &public, private.as_deref());
    assert_eq!(entity::read::<Partner>(raw, None, None).unwrap(), partner);
    // without a code of his own he has one that follows from his id
    let mut body = application();
    body.as_object_mut().unwrap().remove("code");
    let own = Partner::apply(&body, &self::partner(1), at(NOW)).unwrap().partner.facts.code;
    assert_eq!(own, "0000000001");
}

#[test]
fn every_fault_of_an_application_is_named_at_once() {
    for (bad, wanted) in [
        (
            json!({"full_name": " ", "email": "x", "country": "Germany", "client_id": "x", "parent_id": "y", "code": "a b", "payout": {
                "rail": "bank", "name": "n", "iban": "DE98370400440532013000", "bic": "X"}, "colour": 1}),
            "/client_id /code /colour /country /email /full_name /parent_id /payout/bic /payout/iban",
        ),
        (json!({}), "/country /email /full_name /payout"),
        (json!({"payout": {"rail": "cash", "name": "n"}}), "/country /email /full_name /payout/rail"),
        (
            json!({"payout": {"rail": "crypto", "currency": "usdt", "address": "a b"}}),
            "/country /email /full_name /payout/address /payout/currency",
        ),
        (
            json!({"payout": {"rail": "wallet", "psp": "paypal", "email": "x", "iban": "x"}}),
            "/country /email /full_name /payout/email /payout/iban /payout/psp",
        ),
    ] {
        let faults = Partner::apply(&bad, &partner(1), at(NOW)).unwrap_err();
        let mut pointers: Vec<_> = faults.into_iter().map(|fault| fault.pointer).collect();
        pointers.sort();
        assert_eq!(pointers.join(" "), wanted);
    }
}

#[test]
fn an_iban_is_one_when_its_check_digits_are_right() {
    for (text, good) in [
        ("GB82WEST12345698765432", true),
        ("GB82WEST12345698764532", false),
        ("DE89370400440532013000", true),
        ("DE98370400440532013000", false),
        ("", false),
        ("DE8", false),
        ("DE89É70400440532013000", false),
        ("de89370400440532013000", false),
    ] {
        assert_eq!(is_iban(text), good, "{text}");
    }
}

fn proposed(agreement: &str, effective_at: Option<&str>) -> Proposed {
    Proposed {
        agreement: AgreementRef { id: agreement.to_owned(), version: 3 },
        currency: currency("USD"),
        effective_at: effective_at.map(at),
        by: "ana".to_owned(),
        at: at(NOW),
    }
}

#[test]
fn a_partner_is_active_once_he_has_accepted_and_is_verified_in_either_order() {
    let accept_first = change(change(applied().propose(proposed("standard", None))).next.accept(at(NOW)).unwrap());
    assert_eq!(
        (accept_first.next.facts.status, accept_first.events),
        (PartnerStatus::Applied, vec!["partner.agreement_accepted"])
    );
    let both = change(accept_first.next.verified(VerifiedBy::Compliance));
    assert_eq!((both.next.facts.status, both.events), (PartnerStatus::Active, vec!["partner.active"]));
    let verified = change(applied().verified(VerifiedBy::Kyc)).next;
    let both = change(change(verified.propose(proposed("standard", None))).next.accept(at(NOW)).unwrap());
    assert_eq!(both.next.facts.status, PartnerStatus::Active);
    assert!(matches!(both.next.accept(at(NOW)), Ok(Verdict::Nothing(_))), "once");
    assert!(matches!(both.next.verified(VerifiedBy::Kyc), Verdict::Nothing(_)), "once");
    assert_eq!(applied().accept(at(NOW)), Err(PartnerRefusal::NothingProposed));
}

#[test]
fn compliance_decides_once_about_who_is_no_client() {
    let decision = |kind: &str, trigger: &str, action: &str| HumanDecision {
        kind: kind.to_owned(),
        trigger: Some(trigger.to_owned()),
        action: action.to_owned(),
        evidence: None,
        by: "cyd".to_owned(),
        approved_by: None,
        at: at(NOW),
    };
    let (kind, trigger) = ("partner_verification", "partner_verification:applied");
    let read = Partner::apply(&application(), &partner(1), at(NOW)).unwrap();
    let taken = Partner::applied(read, false, at(NOW));
    assert_eq!(taken.events, ["partner.applied", "desk.item"]);
    let approved = change(taken.next.decided(&decision(kind, trigger, "approve"))).next;
    assert_eq!((approved.facts.verified, approved.facts.review.is_none()), (Some(VerifiedBy::Compliance), true));
    assert!(matches!(approved.decided(&decision(kind, trigger, "decline")), Verdict::Nothing(_)), "once");
    for other in [("kyc_review", trigger), (kind, "partner_verification:later")] {
        assert!(matches!(taken.next.decided(&decision(other.0, other.1, "approve")), Verdict::Nothing(_)));
    }
    let declined = change(taken.next.decided(&decision(kind, trigger, "decline"))).next;
    let accepted = change(change(declined.propose(proposed("standard", None))).next.accept(at(NOW)).unwrap()).next;
    assert_eq!(accepted.facts.status, PartnerStatus::Declined);
    let open = change(taken.next.decided(&decision(kind, trigger, "resolve"))).next;
    assert_eq!((open.facts.status, open.facts.verified), (PartnerStatus::Applied, None));
    // a client is asked nothing here: his identity is approved, or will be
    let mut body = application();
    body["client_id"] = client(4).as_str().into();
    for (approved, verified) in [(true, Some(VerifiedBy::Kyc)), (false, None)] {
        let taken = Partner::applied(Partner::apply(&body, &partner(1), at(NOW)).unwrap(), approved, at(NOW));
        assert_eq!((taken.next.facts.verified, taken.events), (verified, vec!["partner.applied"]));
    }
}

#[test]
fn an_agreement_holds_from_its_acceptance_on_and_never_from_before() {
    let later = "2026-04-01T00:00:00Z";
    for (effective_at, since) in [(None, NOW), (Some("2026-01-01T00:00:00Z"), NOW), (Some(later), later)] {
        let first = change(
            change(applied().propose(proposed("standard", None))).next.accept(at("2026-03-01T00:00:00Z")).unwrap(),
        )
        .next;
        let second = change(change(first.propose(proposed("master", effective_at))).next.accept(at(NOW)).unwrap()).next;
        let id = |when: &str| second.facts.agreements.at(at(when)).map(|agreement| agreement.id.clone());
        assert_eq!(id("2026-03-09T23:59:59Z").as_deref(), Some("standard"));
        assert_eq!(id(since).as_deref(), Some("master"), "{effective_at:?}");
        assert_eq!(
            second.facts.agreements.changes().map(|change| change.since).collect::<Vec<_>>(),
            [at("2026-03-01T00:00:00Z"), at(since)]
        );
    }
}

#[test]
fn the_first_claim_stands_until_a_person_decides_otherwise() {
    let claim = |to: Option<u128>, by, since: &str, now: &str, of: &Attribution| {
        let to = to.map(partner);
        let (who, reason) = if by == AttributedBy::Person { (Some("ana"), Some("he said so")) } else { (None, None) };
        of.claim(&Claim { partner: to.as_ref(), by, who, reason, since: at(since), now: at(now) })
    };
    let nobody = Attribution::begun(&client(7));
    // the code counts from the registration on, however late it is read
    let first = change(claim(Some(1), AttributedBy::Code, "2026-03-01T00:00:00Z", NOW, &nobody)).next;
    assert_eq!(first.facts.partners.at(at("2026-03-01T00:00:00Z")), Some(&partner(1)));
    assert!(matches!(claim(Some(2), AttributedBy::Code, NOW, NOW, &first), Verdict::Nothing(_)));
    let moved = change(claim(Some(2), AttributedBy::Person, "2026-02-01T00:00:00Z", NOW, &first)).next;
    assert_eq!(moved.facts.partners.at(at("2026-03-09T00:00:00Z")), Some(&partner(1)), "what was earned stays");
    assert_eq!(moved.facts.partners.at(at(NOW)), Some(&partner(2)));
    let gone = change(claim(None, AttributedBy::Person, "2026-04-01T00:00:00Z", NOW, &moved)).next;
    assert_eq!(gone.facts.partners.at(at("2026-04-01T00:00:00Z")), None);
    let (public, _) = entity::write(&gone).unwrap();
    assert!(!public.contains("he said so"), "{public}");
    assert_eq!((gone.facts.claims.len(), gone.reasons.reasons.len()), (3, 2));
}
