use proptest::prelude::*;

use super::*;
use crate::account::samples::{self, at};
use crate::entity::{self, Raw};

fn account() -> Account {
    let mut account = samples::account();
    account.facts.status = AccountStatus::Open;
    account.facts.login = Some("954402".to_owned());
    account.facts.created_at = at(-86_400);
    account
}

fn leverage(leverage: u32) -> Wanted {
    Wanted { leverage: Some(leverage), ..Wanted::default() }
}

fn standing(status: Standing, access: Access) -> Wanted {
    Wanted { status: Some(status), access: Some(access), ..Wanted::default() }
}

fn change_of(wanted: Wanted, needs: Needs) -> Change {
    let facts = ChangeFacts {
        status: ChangeStatus::InReview,
        account_id: account().id,
        wanted,
        before: leverage(30),
        platform: "mt5".to_owned(),
        server: "mt5-live".to_owned(),
        login: "954402".to_owned(),
        needs,
        asked_by: "support-1".to_owned(),
        by: Some(Asker::Staff),
        created_at: at(0),
        review: None,
    };
    let change = Change {
        id: ChangeId::from_bits(3),
        client_id: ClientId::from_bits(2),
        due: None,
        facts,
        inner: ChangeInner::default(),
    };
    change.asked(vec![]).next
}

#[track_caller]
fn made(verdict: Verdict<Change>) -> Decision<Change> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(reason) => panic!("nothing: {reason}"),
    }
}

fn setting() -> Change {
    made(change_of(leverage(20), Needs::Auto).intend(at(1))).next
}

fn decision(change: &Change, action: &str, by: &str, approved_by: Option<&str>) -> HumanDecision {
    let review = change.facts.review.clone().unwrap_or_else(|| Review::of(WorkKind::AccountChangeApproval, "x"));
    HumanDecision {
        kind: review.kind,
        trigger: Some(review.trigger),
        action: action.to_owned(),
        evidence: None,
        by: by.to_owned(),
        approved_by: approved_by.map(str::to_owned),
        at: at(89_999),
    }
}

fn decide(change: &Change, action: &str, by: &str) -> Verdict<Change> {
    change.decided(&decision(change, action, by, None), at(90_000))
}

fn begun(change: &Change) -> Account {
    account().changing(&change.id, change.facts.wanted.aspect().unwrap()).next
}

#[test]
fn what_the_rules_let_pass_is_set_and_kept_on_the_account() {
    let asked = change_of(leverage(20), Needs::Auto);
    assert_eq!((asked.facts.status, asked.step(at(0))), (ChangeStatus::Approved, ChangeStep::Set));
    let account = begun(&asked);
    assert_eq!(account.takes_change(&leverage(10)), Err(NoChange::UnderWay(asked.id.clone())));
    let done = made(setting().outcome(SetOutcome::Set, at(2))).next;
    assert_eq!(done.step(at(2)), ChangeStep::Keep);
    let (kept, after) = done.keep(&account).unwrap();
    assert_eq!((kept.events.as_slice(), kept.next.due), (["change.done", "change.terms_set"].as_slice(), None));
    let after = after.unwrap().next;
    let upkeep = Upkeep { changed_at: Some(at(0)), ..Upkeep::default() };
    assert_eq!((after.facts.leverage, &after.facts.upkeep), (20, &upkeep));
    assert!(kept.next.keep(&after).is_none(), "once");
    assert_eq!(after.takes_change(&leverage(10)), Ok(Aspect::Terms));
}

#[test]
fn a_change_of_another_aspect_waits_for_nobody_but_closing_waits_for_all() {
    let account = begun(&change_of(leverage(20), Needs::Approve));
    let stop = Wanted { access: Some(Access::NoTrading), ..Wanted::default() };
    assert_eq!(account.takes_change(&stop), Ok(Aspect::Access));
    let close = standing(Standing::Closed, Access::NoLogin);
    assert!(matches!(account.takes_change(&close), Err(NoChange::UnderWay(_))));
}

#[test]
fn whoever_asked_cannot_approve_and_two_must_where_two_must() {
    let one = change_of(leverage(50), Needs::Approve);
    assert_eq!(one.facts.review.as_ref().unwrap().kind, "account_change_approval");
    assert!(matches!(one.step(at(1)), ChangeStep::Nothing(_)));
    for by in ["support-1", "Support-1 "] {
        let again = made(decide(&one, "approve", by));
        assert_eq!(
            (again.events.as_slice(), again.next.facts.status),
            (["desk.item"].as_slice(), ChangeStatus::InReview)
        );
    }
    let approved = made(decide(&one, "approve", "support-2"));
    assert_eq!(
        (approved.events.as_slice(), approved.next.step(at(90_000))),
        (["change.wanted"].as_slice(), ChangeStep::Set)
    );
    let two = change_of(leverage(50), Needs::FourEyes);
    assert_eq!(two.facts.review.as_ref().unwrap().kind, "account_change_four_eyes");
    assert_eq!(made(decide(&two, "approve", "support-2")).events, ["desk.item"]);
    let own = decision(&two, "approve", "support-2", Some("support-1"));
    assert_eq!(made(two.decided(&own, at(90_000))).events, ["desk.item"]);
    let both = decision(&two, "approve", "support-2", Some("support-3"));
    assert_eq!(made(two.decided(&both, at(90_000))).events, ["change.wanted"]);
}

#[test]
fn a_rejected_change_frees_the_account_and_leaves_it_as_it_is() {
    let asked = change_of(leverage(50), Needs::Approve);
    let account = begun(&asked);
    assert_ne!(account, self::account());
    let rejected = made(decide(&asked, "reject", "support-1")).next;
    let (kept, after) = rejected.keep(&account).unwrap();
    assert_eq!(kept.events, ["change.refused"]);
    assert_eq!(after.unwrap().next, self::account());
}

#[test]
fn a_lost_answer_is_sent_again_when_the_first_can_no_longer_arrive() {
    let unknown = made(setting().outcome(SetOutcome::Unknown("time-out".to_owned()), at(12))).next;
    assert_eq!(unknown.facts.status, ChangeStatus::Setting);
    assert_eq!(unknown.step(at(60)), ChangeStep::Nothing("it may still be under way"));
    assert!(matches!(unknown.intend(at(60)), Verdict::Nothing(_)));
    assert!(unknown.due.unwrap() >= at(61));
    assert_eq!(unknown.step(at(61)), ChangeStep::Set);
}

#[test]
fn a_lost_answer_that_cannot_be_sent_again_moves_its_time_on_and_ends_with_a_person() {
    let setting = setting();
    // nobody takes it from whoever may still be at it
    assert!(matches!(setting.impossible("forbidden", at(60)), Verdict::Nothing(_)));
    assert!(matches!(setting.not_tried("no server".to_owned(), at(60)), Verdict::Nothing(_)));
    // the rules forbid it since: it may have been set, so it is not simply over
    let asked = made(setting.impossible("forbidden", at(61)));
    assert_eq!((asked.events.as_slice(), asked.next.due), (["desk.item"].as_slice(), None));
    assert_eq!(asked.next.facts.status, ChangeStatus::Unresolved);
    // the server is not there: later again, and in the end a person's
    let mut change = setting;
    let mut now = 61;
    while change.facts.status == ChangeStatus::Setting {
        change = made(change.not_tried("no server".to_owned(), at(now))).next;
        assert!(change.due.is_none_or(|due| due > at(now)), "{:?} at {now}", change.due);
        now = change.due.map_or(now, |due| due.seconds() - at(0).seconds());
    }
    assert_eq!((change.facts.status, change.due), (ChangeStatus::Unresolved, None));
    assert!((1_800..2_600).contains(&now), "{now}");
}

#[test]
fn a_platform_that_is_down_is_asked_ever_less_often_and_then_a_person_is() {
    let (mut change, mut now, mut pauses) = (change_of(leverage(20), Needs::Auto), 0, vec![]);
    loop {
        change = made(change.intend(at(now))).next;
        let decision = made(change.outcome(SetOutcome::NotApplied("down".to_owned()), at(now + 1)));
        change = decision.next;
        let Some(due) = change.due else {
            assert_eq!(decision.events, ["desk.item"]);
            break;
        };
        pauses.push(due.seconds() - at(now + 1).seconds());
        now = due.seconds() - at(0).seconds();
    }
    assert!((1_800..2_600).contains(&now), "{now}");
    assert!(pauses.windows(2).all(|pair| pair[1] * 2 > pair[0] * 2 || pair[1] >= 600), "{pauses:?}");
    assert!((30..=37).contains(&pauses[0]) && pauses.iter().all(|pause| *pause <= 750), "{pauses:?}");
    assert_eq!(change.facts.review.as_ref().unwrap().kind, "account_change_unresolved");
    let other = Change { id: ChangeId::from_bits(4), ..setting() };
    assert_ne!(
        (1..20)
            .map(|n| Change { inner: ChangeInner { attempts: n, ..setting().inner }, ..setting() }.pause())
            .collect::<Vec<_>>(),
        (1..20)
            .map(|n| Change { inner: ChangeInner { attempts: n, ..setting().inner }, ..other.clone() }.pause())
            .collect::<Vec<_>>(),
        "two changes are not sent again at the same moments"
    );
    let again = made(decide(&change, "retry", "support-1"));
    assert_eq!(
        (again.events.as_slice(), again.next.inner.tried_since),
        (["change.wanted"].as_slice(), Some(at(90_000)))
    );
    let by_hand = made(decide(&change, "mark_changed", "support-1")).next;
    assert_eq!(by_hand.keep(&begun(&by_hand)).unwrap().1.unwrap().next.facts.leverage, 20);
    let left = made(decide(&change, "close_without_change", "support-1")).next;
    assert_eq!(left.keep(&begun(&left)).unwrap().1.unwrap().next.facts.leverage, 30);
}

#[test]
fn a_decision_about_an_earlier_asking_does_not_count() {
    let refused = made(setting().outcome(SetOutcome::Refused("8".to_owned()), at(2))).next;
    assert_eq!(refused.facts.review.as_ref().unwrap().kind, "account_change_refused");
    let first = decision(&refused, "retry", "support-1", None);
    let again = made(refused.decided(&first, at(90_000))).next;
    let late = made(made(again.intend(at(90_061))).next.outcome(SetOutcome::Refused("8".to_owned()), at(90_062))).next;
    assert!(matches!(late.decided(&first, at(90_100)), Verdict::Nothing(_)));
}

#[test]
fn an_account_that_is_closed_takes_no_money_first_and_is_looked_at_when_every_payment_shows() {
    let close = change_of(standing(Standing::Closed, Access::NoLogin), Needs::Auto);
    assert_eq!(close.step(at(1)), ChangeStep::Shut);
    let account = begun(&close).shut().next;
    assert_eq!(account.facts.status, AccountStatus::Closed);
    let shut = close.shut(at(1)).next;
    assert!(matches!(shut.step(at(60)), ChangeStep::Nothing(_)));
    assert_eq!((shut.due, shut.step(at(61))), (Some(at(61)), ChangeStep::CheckAndSet));
    // there is money on it
    let kept_open = made(shut.impossible("there is money on the account", at(62))).next;
    let after = kept_open.keep(&account).unwrap().1.unwrap().next;
    assert_eq!((after.facts.status, after.access()), (AccountStatus::Open, Access::Full));
    // there is none
    let done = made(made(shut.intend(at(62))).next.outcome(SetOutcome::Set, at(63))).next;
    let closed = done.keep(&account).unwrap().1.unwrap().next;
    assert_eq!((closed.facts.status, closed.access()), (AccountStatus::Closed, Access::NoLogin));
    assert_eq!(closed.takes_change(&leverage(10)), Err(NoChange::NotNow("the account is closed")));
    let reopen = change_of(standing(Standing::Open, Access::Full), Needs::Auto);
    assert_eq!(closed.takes_change(&reopen.facts.wanted), Ok(Aspect::Access));
    let closed = closed.changing(&reopen.id, Aspect::Access).next;
    let done = made(made(reopen.intend(at(70))).next.outcome(SetOutcome::Set, at(71))).next;
    let open = done.keep(&closed).unwrap().1.unwrap().next;
    assert_eq!((open.facts.status, open.access()), (AccountStatus::Open, Access::Full));
}

#[test]
fn an_account_of_before_has_no_changes_and_reads_as_it_was() {
    let (public, private) = entity::write(&account()).unwrap();
    assert!(!public.contains("changes") && !public.contains("access"), "{public}");
    let raw = Raw::of::<Account>("acc_00000000000000000000000001", &public, private.as_deref());
    assert_eq!(entity::read::<Account>(raw, Some(ClientId::from_bits(2)), None).unwrap(), account());
}

#[test]
fn an_account_on_which_nothing_happens_is_dormant_and_one_that_was_reopened_is_not() {
    let (day, old) = (Seconds(86_400), account());
    assert!(old.is_dormant(None, day, at(0)) && !old.is_dormant(None, day, at(-1)));
    assert!(!old.is_dormant(Some(at(-10)), day, at(0)), "a payment");
    assert!(!begun(&change_of(leverage(20), Needs::Approve)).is_dormant(None, day, at(0)), "a change is asked for");
    let mut reopened = account();
    reopened.facts.upkeep.changed_at = Some(at(-100));
    assert!(!reopened.is_dormant(None, day, at(0)));
    reopened.facts.status = AccountStatus::Closed;
    assert!(!reopened.is_dormant(None, day, at(1_000_000)));
}

#[derive(Debug, Clone)]
enum Step {
    Work(SetOutcome),
    Die,
    Decide(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let outcomes = vec![
        SetOutcome::Set,
        SetOutcome::NotApplied("busy".to_owned()),
        SetOutcome::Refused("8".to_owned()),
        SetOutcome::Unknown("time-out".to_owned()),
    ];
    let actions = vec!["approve", "reject", "retry", "mark_changed", "close_without_change", "resolve"];
    prop_oneof![
        prop::sample::select(outcomes).prop_map(Step::Work),
        Just(Step::Die),
        prop::sample::select(actions).prop_map(Step::Decide),
    ]
}

proptest! {
    #[test]
    fn a_change_is_over_or_due_or_asked_about_and_the_account_is_free_when_it_is_over(
        wanted in prop::sample::select(vec![leverage(20), standing(Standing::Closed, Access::NoLogin)]),
        needs in prop::sample::select(Needs::ALL),
        steps in prop::collection::vec((step(), 1_i64..900), 0..40),
    ) {
        let mut change = change_of(wanted, needs);
        let mut account = begun(&change);
        let mut now = 0;
        for (step, seconds) in steps {
            now += seconds;
            let verdict = match step {
                Step::Decide(action) => {
                    let decision = HumanDecision { at: at(now), ..decision(&change, action, "support-2", Some("support-3")) };
                    change.decided(&decision, at(now))
                }
                step => match change.step(at(now)) {
                    ChangeStep::Nothing(_) => continue,
                    ChangeStep::Shut => {
                        account = account.shut().next;
                        Verdict::Change(Box::new(change.shut(at(now))))
                    }
                    ChangeStep::Keep => {
                        let (kept, after) = change.keep(&account).unwrap();
                        account = after.unwrap().next;
                        Verdict::Change(Box::new(kept))
                    }
                    ChangeStep::Set | ChangeStep::CheckAndSet => match (change.intend(at(now)), step) {
                        (Verdict::Change(intended), Step::Work(outcome)) => intended.next.outcome(outcome, at(now)),
                        (intended, _) => intended,
                    },
                },
            };
            let Verdict::Change(decision) = verdict else { continue };
            change = decision.next;
            let kept = change.inner.kept;
            prop_assert!(kept || change.due.is_some() || change.facts.review.is_some(), "{:?}", change);
            prop_assert_eq!(kept, account.facts.upkeep.changes.is_empty(), "{:?}", change);
            if kept {
                let closed = change.facts.status == ChangeStatus::Done && change.closes();
                prop_assert_eq!(account.facts.status == AccountStatus::Closed, closed);
            }
            let (public, private) = entity::write(&change).unwrap();
            let raw = Raw::of::<Change>(change.id.as_str(), &public, private.as_deref());
            prop_assert_eq!(entity::read::<Change>(raw, Some(change.client_id.clone()), change.due).unwrap(), change.clone());
        }
    }
}

#[test]
fn the_client_is_told_what_his_account_is_and_what_he_asked_for_in_vain() {
    let wishes = [
        (leverage(20), Some("change.terms_set")),
        (Wanted { account_type: Some("pro".to_owned()), ..Wanted::default() }, Some("change.terms_set")),
        (standing(Standing::Closed, Access::NoLogin), Some("change.archived")),
        (standing(Standing::Open, Access::Full), Some("change.reopened")),
        (Wanted { access: Some(Access::NoTrading), ..Wanted::default() }, None),
    ];
    for (wanted, told) in wishes {
        for by in [None, Some(Asker::Client), Some(Asker::Staff)] {
            let mut change = change_of(wanted.clone(), Needs::Auto);
            change.facts.by = by;
            let events = |status: ChangeStatus| {
                let over = Change { facts: ChangeFacts { status, ..change.facts.clone() }, ..change.clone() };
                over.kept().events
            };
            assert_eq!(events(ChangeStatus::Done), ["change.done"].into_iter().chain(told).collect::<Vec<_>>());
            let declined = (by == Some(Asker::Client)).then_some("change.declined");
            for status in [ChangeStatus::Rejected, ChangeStatus::Failed] {
                assert_eq!(events(status), ["change.refused"].into_iter().chain(declined).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn an_account_keeps_its_place_until_it_is_closed_and_has_it_again_when_it_is_to_be_reopened() {
    let closing = change_of(standing(Standing::Closed, Access::NoLogin), Needs::Auto);
    let shut = begun(&closing).shut().next;
    assert!(shut.is_held(), "what becomes of it is not known");
    let mut closed = account();
    closed.facts.status = AccountStatus::Closed;
    assert!(!closed.is_held());
    let back = change_of(standing(Standing::Open, Access::Full), Needs::Approve);
    assert!(closed.changing(&back.id, Aspect::Access).next.is_held());
}
