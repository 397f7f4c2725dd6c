//! A check at a vendor: what the vendor says in any order, what our side does about it, and what a case makes of it.

use domain::decision::{Decision, Verdict};
use domain::kyc::rules::{IdentityVendor, KycVendors};
use domain::kyc::vendor::{CheckState, GRACE, NotStarted, Opened, Said, Todo, VendorCheck, VendorWord};
use domain::kyc::{DocumentKind, Finding, KycOutcome, KycStatus};
use domain::rules::RuleSet;
use domain::{ClientId, Redacted, Seconds, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use crate::desk::{Desk, at, seed_vendors};

fn rules() -> KycVendors {
    KycVendors::parse(&seed_vendors()).unwrap()
}

fn change<T>(verdict: Verdict<T>) -> Decision<T> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(why) => panic!("nothing: {why}"),
    }
}

fn nothing<T>(verdict: &Verdict<T>) -> bool {
    matches!(verdict, Verdict::Nothing(_))
}

fn begun(rules: &KycVendors) -> VendorCheck {
    VendorCheck::begun(&ClientId::from_bits(7), 1, rules, at(0)).unwrap().next
}

/// Open at the first vendor as `a1`.
fn open(rules: &KycVendors) -> VendorCheck {
    let called = change(begun(rules).calling(at(0))).next;
    let link = Some(Redacted::new("https://vendor.example/apply/a1".to_owned()));
    let opened = Opened { vendor: IdentityVendor::Sumsub, reference: "a1".to_owned(), link };
    change(called.opened(&opened, rules, at(1))).next
}

fn said(word: VendorWord, when: Timestamp) -> Said {
    Said {
        vendor: IdentityVendor::Sumsub,
        reference: "a1".to_owned(),
        word,
        labels: vec![],
        for_client: vec![],
        at: when,
        asked: false,
    }
}

fn heard(check: &VendorCheck, said: &Said, rules: &KycVendors) -> VendorCheck {
    match check.hear(said, rules, at(10_000)) {
        Verdict::Change(decision) => decision.next,
        Verdict::Nothing(_) => check.clone(),
    }
}

const LASTING: [VendorWord; 6] = [
    VendorWord::Approved,
    VendorWord::Retry,
    VendorWord::Final,
    VendorWord::Review,
    VendorWord::Expired,
    VendorWord::Revoked,
];

fn history() -> impl Strategy<Value = (Vec<VendorWord>, Vec<usize>)> {
    prop::collection::vec(prop::sample::select(LASTING.to_vec()), 1..8).prop_flat_map(|words| {
        let order: Vec<usize> = (0..words.len()).collect();
        (Just(words), Just(order).prop_shuffle())
    })
}

proptest! {
    /// Whatever order statements come in, and however often, the latest one counts in the end.
    #[test]
    fn the_latest_statement_counts((words, order) in history(), twice: bool) {
        let rules = rules();
        let mut check = open(&rules);
        for round in 0..=usize::from(twice) {
            for place in order.iter().skip(round) {
                let when = at(100 + i64::try_from(*place).unwrap());
                check = heard(&check, &said(words[*place], when), &rules);
            }
        }
        prop_assert_eq!(check.facts.state.as_str(), words.last().unwrap().as_str());
    }
}

#[test]
fn what_cannot_be_put_in_order_is_asked_for_again() {
    let rules = rules();
    let check =
        heard(&open(&rules), &said(VendorWord::Final, Timestamp::from_millis(at(100).millis() + 400).unwrap()), &rules);
    // asked within the same second: the vendor dates its answer by the second
    let asked = Said { asked: true, ..said(VendorWord::Approved, at(100)) };
    let decision = change(check.hear(&asked, &rules, at(101)));
    assert_eq!((decision.outcome, decision.next.facts.state), ("ask_again", CheckState::Final));
    assert_eq!(decision.next.todo(at(103)), Todo::Poll("a1".to_owned()));
    let later = Said { asked: true, ..said(VendorWord::Approved, at(103)) };
    assert_eq!(change(decision.next.hear(&later, &rules, at(103))).next.facts.state, CheckState::Approved);
    assert!(
        nothing(&open(&rules).hear(&said(VendorWord::Approved, Timestamp::EPOCH), &rules, at(5))),
        "it has no time"
    );
}

#[test]
fn an_approval_that_is_looked_at_again_holds_until_that_ends() {
    let rules = rules();
    let approved = heard(&open(&rules), &said(VendorWord::Approved, at(100)), &rules);
    let again = change(approved.hear(&said(VendorWord::Pending, at(200)), &rules, at(200))).next;
    assert_eq!(again.facts.state, CheckState::Approved);
    assert!(again.due.is_some(), "it is asked how that ended");
    assert_eq!(heard(&again, &said(VendorWord::Final, at(300)), &rules).facts.state, CheckState::Final);
}

#[test]
fn one_call_at_a_time_and_the_next_one_only_when_the_last_cannot_arrive_any_more() {
    let rules = rules();
    let called = change(begun(&rules).calling(at(0))).next;
    assert!(nothing(&called.calling(at(1))));
    let after = at(i64::from(GRACE.0));
    assert_eq!(called.due, Some(after), "should its worker die, its time brings it again");
    assert_eq!(called.todo(after), Todo::Start);
}

#[test]
fn a_vendor_is_left_after_its_attempts_or_at_once_where_they_are_of_no_use() {
    let rules = rules();
    let failure = |passes: bool| NotStarted { why: "unavailable".to_owned(), passes, retry_after: Some(Seconds(90)) };
    let mut check = begun(&rules);
    for attempt in 1..=3 {
        let now = check.due.filter(|_| attempt > 1).unwrap_or(at(0));
        check = change(check.calling(now)).next;
        check = change(check.not_opened(check.facts.vendor, &failure(true), &rules, now)).next;
        if attempt == 1 {
            assert_eq!(check.due, Some(now.plus(Seconds(90))), "as long as the vendor asks");
        }
    }
    assert_eq!((check.facts.vendor, check.facts.state), (IdentityVendor::Onfido, CheckState::Starting));
    for vendor in [IdentityVendor::Onfido, IdentityVendor::Veriff] {
        let now = at(1_000);
        check = change(check.calling(now)).next;
        assert!(nothing(&check.not_opened(IdentityVendor::Sumsub, &failure(false), &rules, now)), "an older answer");
        check = change(check.not_opened(vendor, &failure(false), &rules, now)).next;
    }
    assert_eq!((check.facts.state, check.due), (CheckState::Unavailable, None));
    let tried: Vec<IdentityVendor> = check.facts.tried.iter().map(|tried| tried.vendor).collect();
    assert_eq!(tried, IdentityVendor::ALL);
    assert!(nothing(&check.asked_again(1, &rules, at(2_000))));
    let again = change(check.asked_again(2, &rules, at(2_000))).next;
    assert_eq!((again.facts.vendor, again.facts.tried.len()), (IdentityVendor::Sumsub, 0));
}

#[test]
fn what_is_told_before_it_is_known_where_the_check_is_is_asked_for_then() {
    let rules = rules();
    let called = change(begun(&rules).calling(at(0))).next;
    let early = change(called.hear(&said(VendorWord::Approved, at(1)), &rules, at(1))).next;
    let opened = Opened { vendor: IdentityVendor::Sumsub, reference: "a1".to_owned(), link: None };
    let check = change(early.opened(&opened, &rules, at(2))).next;
    assert_eq!(check.todo(at(2)), Todo::Poll("a1".to_owned()));
}

#[test]
fn a_check_that_comes_to_no_end_is_given_up_and_its_link_goes_with_it() {
    let rules = rules();
    let mut check = open(&rules);
    assert!(check.link(at(2)).is_some() && check.link(at(1 + 1_800 - 60)).is_none());
    let mut polls = 0;
    while check.facts.state == CheckState::Pending {
        let now = check.due.unwrap();
        let asked = Said { asked: true, ..said(VendorWord::Pending, now) };
        check = change(check.hear(&asked, &rules, now)).next;
        polls += 1;
    }
    assert_eq!((check.facts.state, check.due, check.link(at(2))), (CheckState::Expired, None, None));
    assert!((10..30).contains(&polls), "{polls}");
}

#[test]
fn codes_hold_no_words() {
    let rules = rules();
    let labels = vec!["FORGERY".to_owned(), "Jane <b>".to_owned(), "  ".to_owned()];
    let check = heard(&open(&rules), &Said { labels, ..said(VendorWord::Final, at(5)) }, &rules);
    assert_eq!(check.facts.labels, ["FORGERY", "Janeb"]);
}

fn desk_with(word: VendorWord) -> Desk {
    let mut desk = Desk::new();
    hear(&mut desk, word, 100);
    desk
}

fn hear(desk: &mut Desk, word: VendorWord, seconds: i64) {
    let rules = rules();
    let mut check = heard(&open(&rules), &said(word, at(seconds)), &rules);
    check.client_id = desk.client.id.clone();
    check.facts.since = at(seconds);
    let verdict = desk.case.verified(&check, &desk.client, desk.rules(), at(seconds)).unwrap();
    desk.take(verdict);
}

fn complete(desk: &mut Desk) {
    let proof = desk.upload(DocumentKind::ProofOfAddress, None);
    desk.read(proof, &[]);
    desk.declare("employment", false);
    desk.screen(&[]);
}

#[test]
fn a_vendors_last_word_is_judged_without_a_document() {
    for (word, outcome, reason) in [
        (VendorWord::Approved, KycOutcome::Approve, "low_risk"),
        (VendorWord::Final, KycOutcome::Reject, "identity_not_confirmed"),
    ] {
        let mut desk = desk_with(word);
        complete(&mut desk);
        let decision = desk.case.facts.decision.clone().unwrap();
        assert_eq!((decision.outcome, decision.reasons), (outcome, vec![reason.to_owned()]), "{word}");
    }
    for word in [VendorWord::Pending, VendorWord::Retry, VendorWord::Review, VendorWord::Expired] {
        let mut desk = desk_with(word);
        complete(&mut desk);
        assert_eq!(desk.case.facts.status, KycStatus::Collecting, "{word}");
    }
}

#[test]
fn a_doubtful_word_makes_good_documents_a_persons_case_and_an_approval_mends_bad_ones() {
    let mut desk = desk_with(VendorWord::Review);
    let passport = desk.upload(DocumentKind::Passport, None);
    desk.read(passport, &[]);
    complete(&mut desk);
    assert_eq!(desk.case.facts.decision.clone().unwrap().reasons, ["identity_in_doubt"]);
    let mut desk = desk_with(VendorWord::Approved);
    let passport = desk.upload(DocumentKind::Passport, None);
    desk.read(passport, &[Finding::Expired]);
    complete(&mut desk);
    assert_eq!(desk.case.facts.decision.clone().unwrap().reasons, ["low_risk"]);
    // what differs is a fact all the same
    let mut desk = desk_with(VendorWord::Approved);
    let passport = desk.upload(DocumentKind::Passport, None);
    desk.read(passport, &[Finding::NameDiffers]);
    complete(&mut desk);
    assert_eq!(desk.case.facts.status, KycStatus::InReview);
}

#[test]
fn an_approved_client_is_contradicted_by_a_refusal_and_by_an_approval_taken_back_and_by_nothing_else() {
    for (before, now, contradicted) in [
        (VendorWord::Approved, VendorWord::Final, true),
        (VendorWord::Approved, VendorWord::Retry, true),
        (VendorWord::Approved, VendorWord::Review, true),
        (VendorWord::Approved, VendorWord::Revoked, true),
        (VendorWord::Approved, VendorWord::Expired, false),
        (VendorWord::Pending, VendorWord::Final, true),
        (VendorWord::Pending, VendorWord::Retry, false),
        (VendorWord::Pending, VendorWord::Review, false),
    ] {
        let mut desk = desk_with(before);
        let passport = desk.upload(DocumentKind::Passport, None);
        desk.read(passport, &[]);
        complete(&mut desk);
        assert_eq!(desk.case.facts.status, KycStatus::Approved, "{before}");
        hear(&mut desk, now, 500);
        assert_eq!(desk.case.facts.status, KycStatus::Approved, "{before} {now}: nothing is locked");
        assert_eq!(desk.case.facts.review.is_some(), contradicted, "{before} {now}");
        assert_eq!(desk.events().contains(&"kyc.contradicted"), contradicted, "{before} {now}");
    }
}

#[test]
fn a_check_is_asked_for_once_when_its_condition_holds() {
    let mut desk = Desk { vendors: rules(), ..Desk::new() };
    desk.declare("employment", false);
    assert!(desk.events().contains(&"kyc.check_wanted"));
    desk.upload(DocumentKind::Passport, None);
    assert!(!desk.events().contains(&"kyc.check_wanted"));
    let mut document = seed_vendors();
    document["start"] = json!({"field": "findings", "in": ["not_sure"]});
    let mut desk = Desk { vendors: KycVendors::parse(&document).unwrap(), ..Desk::new() };
    desk.declare("employment", false);
    assert!(!desk.events().contains(&"kyc.check_wanted"));
}

#[test]
fn what_is_wrong_with_a_chain_is_told() {
    let mut document = seed_vendors();
    document["chain"][1]["vendor"] = json!("sumsub");
    document["chain"][2]["flow"] = json!("x");
    document["chain"][0]["link_life"] = json!("5s");
    document["chain"][0]["poll_after"] = json!([]);
    document["start"] = json!("sometimes");
    let told: Vec<String> = KycVendors::parse(&document).unwrap_err().into_iter().map(|fault| fault.pointer).collect();
    for pointer in ["/chain/0/link_life", "/chain/0/poll_after", "/chain/2/flow", "/start"] {
        assert!(told.iter().any(|at| at == pointer), "{pointer} {told:?}");
    }
    let mut document = seed_vendors();
    document["chain"][1] = document["chain"][0].clone();
    assert_eq!(KycVendors::parse(&document).unwrap_err().first().unwrap().pointer, "/chain/1");
    let mut document = seed_vendors();
    document["chain"] = json!([]);
    document["required"] = json!("always");
    assert_eq!(KycVendors::parse(&document).unwrap_err().first().unwrap().code, "nobody_to_ask");
}
