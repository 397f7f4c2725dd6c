//! Who may still have what, and when an account is refused.

use super::*;
use crate::ClientId;
use crate::account::CreateOutcome;
use crate::account::samples::{self, at};
use crate::kyc::rules::levels::Rights;

fn asked(kind: &str, opened_by: Option<OpeningTrigger>) -> Account {
    let mut account = samples::account();
    account.facts.kind = kind.to_owned();
    account.inner.opened_by = opened_by;
    account.requested(vec![]).next
}

fn case(status: KycStatus) -> KycCase {
    let mut case = KycCase::begun(ClientId::from_bits(2), at(0));
    case.facts.status = status;
    case
}

fn level(demo_account: bool, live_account: bool) -> Level {
    let rights = Rights { demo_account, live_account, deposit_limit: None, withdrawal_limit: None };
    Level { name: "none".to_owned(), rights, why: vec![] }
}

#[track_caller]
fn change(verdict: Verdict<Account>) -> Decision<Account> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(reason) => panic!("nothing: {reason}"),
    }
}

#[test]
fn what_opens_by_an_approval_needs_it_still_and_who_was_rejected_gets_no_live_account() {
    use KycStatus::{Approved, Collecting, Expired, InReview, NotStarted, Rejected, Verifying};
    for status in [NotStarted, Collecting, Verifying, InReview, Approved, Rejected, Expired] {
        let known = case(status);
        let code = |account: Account| account.not_due(Some(&known), None).map(|fault| fault.code);
        for kind in ["live", "demo"] {
            let by_approval = code(asked(kind, Some(OpeningTrigger::KycApproved)));
            assert_eq!(by_approval.is_some(), status != Approved, "{status} {kind}");
            for other in [None, Some(OpeningTrigger::Registered)] {
                let expected = (status == Rejected && kind == "live").then_some("no_longer_approved");
                assert_eq!(code(asked(kind, other)), expected, "{status} {kind}");
            }
        }
    }
    assert!(asked("live", Some(OpeningTrigger::KycApproved)).not_due(None, None).is_some());
    assert!(asked("live", None).not_due(None, None).is_none());
}

#[test]
fn a_level_that_binds_is_asked_again() {
    let known = case(KycStatus::Approved);
    let code = |kind, level: &Level| asked(kind, None).not_due(Some(&known), Some(level)).map(|fault| fault.code);
    assert_eq!((code("live", &level(true, false)), code("demo", &level(true, false))), (Some("level_required"), None));
    assert_eq!((code("live", &level(false, true)), code("demo", &level(false, true))), (None, Some("level_required")));
}

#[test]
fn a_refused_account_is_over_and_only_the_rules_ask_a_person() {
    let fault = Fault::new("", "no_longer_approved", "the client was rejected");
    for (asks, events) in [(false, vec!["account.refused"]), (true, vec!["account.needs_review", "account.refused"])] {
        let decision = change(asked("live", None).refused(&fault, asks, at(5)));
        let next = decision.next;
        assert_eq!((decision.events, next.facts.status, next.due), (events, AccountStatus::Failed, None));
        assert_eq!(next.facts.refused.as_ref().unwrap().code, "no_longer_approved");
        assert_eq!((next.facts.review.is_some(), next.opens_after_all()), (asks, !asks));
        assert!(matches!(next.refused(&fault, asks, at(6)), Verdict::Nothing(_)), "once");
    }
}

#[test]
fn an_account_of_which_a_call_may_be_under_way_is_not_refused() {
    let fault = Fault::new("", "no_longer_approved", "the client was rejected");
    let creating = change(asked("live", None).intend("sealed".to_owned(), at(1))).next;
    assert!(matches!(creating.refused(&fault, false, at(2)), Verdict::Nothing(_)));
    let unknown = change(creating.outcome(CreateOutcome::Unknown("time-out".to_owned()), at(12))).next;
    assert!(matches!(unknown.refused(&fault, false, at(13)), Verdict::Nothing(_)));
    let refused = change(unknown.refused(&fault, false, at(61))).next;
    assert_eq!((refused.inner.sealed.clone(), refused.inner.attempted), (None, None));
    // that it is there after all is true whatever was decided
    let login = CreateOutcome::Open { login: "954402".to_owned(), internal_id: None };
    let open = change(refused.outcome(login, at(70))).next;
    assert_eq!((open.facts.status, open.facts.refused), (AccountStatus::Open, None));
}

#[test]
fn what_the_rules_want_again_is_asked_for_anew_and_looked_up_first() {
    let fault = Fault::new("", "no_longer_approved", "the client was rejected");
    let creating = change(asked("live", None).intend("sealed".to_owned(), at(1))).next;
    let refused = change(creating.refused(&fault, false, at(3_600))).next;
    let again = refused.requested_after_all(vec![], at(86_400));
    assert_eq!((again.events.as_slice(), again.next.facts.refused.clone()), (["account.requested"].as_slice(), None));
    assert_eq!((again.next.facts.status, again.next.due), (AccountStatus::Requested, Some(at(86_400).plus(GRACE))));
    assert_eq!(again.next.create_step(), crate::account::CreateStep::LookUp);
}
