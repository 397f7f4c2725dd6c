//! Logins that persons name.

use super::*;
use crate::WorkId;
use crate::account::samples::{self, at};
use crate::account::{AccountStatus, CreateOutcome};
use crate::decision::Decision;

const LOGIN: &str = "954402";

#[track_caller]
fn change(verdict: Verdict<Account>) -> Decision<Account> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(reason) => panic!("nothing: {reason}"),
    }
}

/// The platform refused it, and a person is asked.
fn refused() -> Account {
    let asked = samples::account().requested(vec![]).next;
    let creating = change(asked.intend("sealed".to_owned(), at(1))).next;
    change(creating.outcome(CreateOutcome::Refused("8 no permission".to_owned()), at(2))).next
}

fn work(opening: u32) -> Reopened {
    Reopened { work_id: WorkId::from_bits(9), opening }
}

fn says(account: &Account, opening: u32, seconds: i64) -> Verdict<Account> {
    let decision = HumanDecision {
        kind: "account_creation_refused".to_owned(),
        trigger: None,
        action: "mark_open".to_owned(),
        evidence: Some(LOGIN.to_owned()),
        by: "support-1".to_owned(),
        approved_by: None,
        at: at(seconds),
    };
    account.decided(&decision, &work(opening), at(seconds + 1))
}

fn named() -> (Account, NamedLogin) {
    let account = change(says(&refused(), 0, 100)).next;
    let named = account.inner.named.clone().unwrap();
    (account, named)
}

fn shown<'a>(group: &'a str, leverage: Option<u32>, reference: &'a str) -> ShownLogin<'a> {
    ShownLogin { set: OnServer { group, leverage }, reference }
}

#[test]
fn a_login_counts_once_the_platform_has_shown_it() {
    let taken = change(says(&refused(), 0, 100));
    assert_eq!((taken.events.as_slice(), taken.next.facts.login.clone()), (["account.login_named"].as_slice(), None));
    assert_eq!((taken.next.facts.status, taken.next.due), (AccountStatus::Failed, Some(at(161))));
    assert_eq!(taken.next.create_step(), CreateStep::CheckLogin);
    // the same decision once more
    assert!(matches!(says(&taken.next, 0, 100), Verdict::Nothing(_)));
    let (account, named) = named();
    let open = change(account.login_proven(&named));
    assert_eq!((open.events.as_slice(), open.next.facts.login.as_deref()), (["account.open"].as_slice(), Some(LOGIN)));
    assert_eq!((open.next.due, open.next.inner.named.clone(), open.next.facts.review.clone()), (None, None, None));
    assert!(matches!(open.next.login_refused(&named, "late", at(200)), Verdict::Nothing(_)));
}

#[test]
fn what_the_server_shows_otherwise_is_told_in_a_sentence() {
    let (account, _) = named();
    let own = account.id.to_string();
    let right = [
        shown("real\\standard-USD", Some(30), ""),
        shown("real\\standard-USD", None, "opened by Ben"),
        shown("real\\standard-USD", Some(30), &own),
    ];
    for shown in right {
        assert_eq!(account.login_held_against(Some(shown)), Ok(()), "{shown:?}");
    }
    let other = AccountId::from_bits(77).to_string();
    let wrong = [
        (None, "has no such login"),
        (Some(shown("real\\standard-EUR", Some(30), "")), "group real\\standard-EUR instead of real\\standard-USD"),
        (Some(shown("real\\standard-USD", Some(500), "")), "leverage 500 instead of 30"),
        (Some(shown("real\\standard-USD", Some(30), &other)), "the id of another account"),
    ];
    for (shown, expected) in wrong {
        let found = account.login_held_against(shown).unwrap_err();
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn a_login_that_is_not_the_accounts_opens_its_item_again_and_another_may_be_named() {
    let (account, named) = named();
    let refused = change(account.login_refused(&named, "mt5-live has no such login", at(110)));
    assert_eq!(refused.events, ["desk.reopened"]);
    assert_eq!(refused.why, ["support-1 named login 954402: mt5-live has no such login"]);
    let next = refused.next;
    assert_eq!((next.facts.reopened.clone(), next.due), (Some(work(0)), None));
    assert_eq!(next.facts.review.as_deref(), Some("account_creation_refused"));
    // delivered once more, and decided anew
    assert!(matches!(says(&next, 0, 100), Verdict::Nothing(_)));
    let again = change(says(&next, 1, 200)).next;
    assert_eq!((again.inner.named.unwrap().work, again.facts.reopened), (work(1), None));
    // the login is another account's by now
    let taken = change(account.login_taken(LOGIN, vec![], at(110)));
    assert_eq!(taken.events, ["desk.reopened"]);
}

#[test]
fn a_platform_that_cannot_be_asked_is_asked_again_for_a_day() {
    let (mut account, named) = named();
    let (mut now, mut asked) = (at(102), 0);
    let reopened = loop {
        let later = change(account.login_not_looked_up(&named, "no connection", None, now));
        if !later.events.is_empty() {
            break later;
        }
        let due = later.next.due.unwrap();
        assert!(due > now && due <= now.plus(crate::Seconds(900)));
        (account, now, asked) = (later.next, due, asked + 1);
    };
    assert!((90..=120).contains(&asked), "{asked}");
    assert!(now >= at(100 + 86_400) && reopened.why[0].contains("nobody has looked"), "{:?}", reopened.why);
    // while it is being maintained nobody asks, however long it is
    let (account, named) = self::named();
    for (until, expected) in [(at(90_000), at(90_000)), (at(103), at(162))] {
        let waits = change(account.login_not_looked_up(&named, "maintenance", Some(until), at(102))).next;
        assert_eq!(waits.due, Some(expected));
    }
    let late = change(account.login_not_looked_up(&named, "maintenance", Some(at(200_000)), at(100_000))).next;
    assert_eq!(late.due, Some(at(200_000)));
}

#[test]
fn that_it_is_found_meanwhile_is_true_whatever_was_named() {
    let (account, named) = named();
    let found = CreateOutcome::Open { login: "954403".to_owned(), internal_id: None };
    let open = change(account.outcome(found, at(120))).next;
    assert_eq!((open.facts.login.as_deref(), open.inner.named.clone()), (Some("954403"), None));
    assert!(matches!(open.login_proven(&named), Verdict::Nothing(_)));
}
