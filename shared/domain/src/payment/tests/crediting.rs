//! Intent, call, outcome.

use super::fixture::*;
use crate::decision::Verdict;
use crate::ledger::{LedgerAccount, Posting, Postings, PostingsError};
use crate::payment::{CreditOutcome, CreditStep, Deposit, DepositStatus, Found, HumanDecision};

fn reversed(deposit: &Deposit) -> Deposit {
    let decision = change(hear(deposit, &refund(Some("1250.00 USD"), 30), 31));
    assert_eq!((decision.outcome, decision.events.len()), ("reversal_noted", 0));
    decision.next
}

fn found(deposit: &Deposit, seconds: i64) -> CreditStep {
    deposit.looked_up(Found::Booked("136623".to_owned()), REVIEW_AFTER, at(seconds))
}

#[test]
fn a_paid_deposit_is_intended_and_then_booked() {
    let intent = save(paid().credit_step(at(12)));
    assert_eq!((intent.outcome, intent.next.status()), ("crediting", DepositStatus::Crediting));
    let credited = change(outcome(&intent.next, booked(), 12));
    assert_eq!(credited.events, ["deposit.credited"]);
    assert_eq!(credited.next.facts.credited, Some(money("1250.00 USD")));
    assert_eq!(credited.next.facts.platform.operation.as_deref(), Some("136623"));
    assert_eq!(credited.next.due, None);
}

#[test]
fn only_what_is_paid_is_intended_and_what_may_have_been_sent_is_looked_up() {
    for status in DepositStatus::ALL {
        let step = in_status(status).credit_step(at(100));
        match status {
            DepositStatus::Paid => assert!(matches!(step, CreditStep::Send(_))),
            DepositStatus::Crediting | DepositStatus::CreditingUnknown => assert_eq!(step, CreditStep::LookUp),
            _ => assert!(matches!(step, CreditStep::Nothing(_)), "{status:?}"),
        }
    }
}

#[test]
fn nothing_collected_is_nothing_to_credit() {
    let mut deposit = paid();
    for amount in [None, Some(money("0.00 USD"))] {
        deposit.facts.paid = amount;
        assert_eq!(deposit.credit_step(at(12)), CreditStep::Nothing("nothing was collected"));
    }
}

#[test]
fn an_absent_credit_is_sent_again_only_after_the_grace_period() {
    for deposit in [crediting(), in_status(DepositStatus::CreditingUnknown)] {
        assert_eq!(absent(&deposit, 71), CreditStep::Nothing("a call may still be under way"));
        let again = save(absent(&deposit, 72));
        assert_eq!((again.outcome, again.next.inner.attempts), ("crediting", 2));
    }
}

#[test]
fn a_credit_that_is_found_is_booked_at_once() {
    for deposit in [crediting(), in_status(DepositStatus::CreditingUnknown)] {
        assert_eq!(save(found(&deposit, 13)).events, ["deposit.credited"]);
    }
}

#[test]
fn what_stands_under_our_reference_and_differs_goes_to_a_person_and_is_not_sent_again() {
    let ambiguous = |deposit: &Deposit, seconds: i64| {
        deposit.looked_up(Found::Ambiguous("deal 9 (action 2, amount 4.00)".to_owned()), REVIEW_AFTER, at(seconds))
    };
    for deposit in [crediting(), in_status(DepositStatus::CreditingUnknown)] {
        // inside its grace and long after it
        for seconds in [13, 72, 100_000] {
            let held = save(ambiguous(&deposit, seconds));
            assert_eq!((held.outcome, held.next.status()), ("needs_review", DepositStatus::NeedsReview));
            assert_eq!(held.events, ["deposit.needs_review"]);
            assert!(held.why.iter().any(|why| why.contains("credit_unresolved") && why.contains("deal 9")));
            assert!(matches!(held.next.credit_step(at(seconds)), CreditStep::Nothing(_)));
            assert_eq!(held.next.facts.credited, None);
        }
    }
    assert!(matches!(ambiguous(&in_status(DepositStatus::Credited), 13), CreditStep::Nothing(_)));
}

#[test]
fn a_credit_that_was_not_taken_waits_longer_each_time_and_is_looked_up_before_the_next_call() {
    let mut deposit = crediting();
    let mut now = 12;
    for wait in [30, 60, 120] {
        let waiting = change(outcome(&deposit, not_applied(), now)).next;
        assert_eq!((waiting.status(), waiting.due), (DepositStatus::Paid, Some(at(now + wait))));
        now += wait;
        assert_eq!(waiting.credit_step(at(now)), CreditStep::LookUp);
        // what the platform said it did not take cannot still arrive: no grace
        deposit = save(absent(&waiting, now)).next;
    }
}

#[test]
fn no_wait_is_longer_than_the_time_until_a_person_looks() {
    let mut deposit = crediting();
    let mut now = 12;
    loop {
        let decision = change(outcome(&deposit, not_applied(), now));
        if decision.events == ["deposit.needs_review"] {
            panic!("sent again at the time of the review");
        }
        now = decision.next.due.unwrap().millis_since(at(0)) / 1000;
        let step = save(absent(&decision.next, now));
        if step.events == ["deposit.needs_review"] {
            assert_eq!((now, asks(&step.next)), (11 + 600, Some("credit_unresolved")));
            return;
        }
        deposit = step.next;
    }
}

#[test]
fn a_refused_credit_is_for_a_person_at_once() {
    let decision = change(outcome(&crediting(), refused(), 12));
    assert_eq!(
        (decision.events.as_slice(), asks(&decision.next)),
        (["deposit.needs_review"].as_slice(), Some("credit_refused"))
    );
}

#[test]
fn an_unknown_outcome_is_announced_once_and_looked_up_after_the_grace_period() {
    let unknown = change(outcome(&crediting(), unknown(), 22));
    assert_eq!(unknown.events, ["deposit.crediting_unknown"]);
    assert_eq!(unknown.next.due, Some(at(72)));
    assert!(matches!(unknown.next.not_known("again", REVIEW_AFTER, at(40)), Verdict::Nothing(_)));
    let later = change(unknown.next.not_known("no look-up", REVIEW_AFTER, at(100)));
    assert_eq!((later.events.len(), later.next.due), (0, Some(at(130))));
}

#[test]
fn a_look_up_that_fails_before_a_second_call_changes_nothing_but_the_time() {
    let waiting = change(outcome(&crediting(), not_applied(), 12)).next;
    let later = change(waiting.not_known("no look-up", REVIEW_AFTER, at(50)));
    assert_eq!((later.next.status(), later.next.due), (DepositStatus::Paid, Some(at(80))));
    assert_eq!(later.events.len(), 0);
}

#[test]
fn what_stays_unknown_is_for_a_person_but_never_while_a_call_may_be_under_way() {
    let unknown = in_status(DepositStatus::CreditingUnknown);
    let decision = change(unknown.not_known("no answer", REVIEW_AFTER, at(611)));
    assert_eq!(
        (decision.events.as_slice(), asks(&decision.next)),
        (["deposit.needs_review"].as_slice(), Some("credit_unresolved"))
    );
    // sent once more just before the time is over
    let sent = save(absent(&unknown, 600)).next;
    let decision = change(outcome(&sent, super::fixture::unknown(), 620));
    assert_eq!((decision.next.status(), decision.next.due), (DepositStatus::CreditingUnknown, Some(at(660))));
    let over = save(absent(&decision.next, 660));
    assert_eq!(asks(&over.next), Some("credit_unresolved"));
}

#[test]
fn a_look_up_that_was_decided_on_too_late_does_not_undo_what_was_saved_before() {
    for status in DepositStatus::ALL {
        let deposit = in_status(status);
        if matches!(status, DepositStatus::Paid | DepositStatus::Crediting | DepositStatus::CreditingUnknown) {
            continue;
        }
        assert!(matches!(deposit.not_known("late", REVIEW_AFTER, at(5000)), Verdict::Nothing(_)), "{status:?}");
        assert!(matches!(absent(&deposit, 5000), CreditStep::Nothing(_)), "{status:?}");
        assert!(matches!(found(&deposit, 5000), CreditStep::Nothing(_)), "{status:?}");
        for late in [unknown(), not_applied(), refused()] {
            assert!(matches!(outcome(&deposit, late, 5000), Verdict::Nothing(_)), "{status:?}");
        }
    }
}

#[test]
fn a_booked_credit_is_never_dropped() {
    for status in DepositStatus::ALL {
        let verdict = outcome(&in_status(status), booked(), 5000);
        if status == DepositStatus::Credited {
            assert_eq!(verdict, Verdict::Nothing("it is already credited"));
            continue;
        }
        let decision = change(verdict);
        assert_eq!(decision.next.facts.platform.operation.as_deref(), Some("136623"), "{status:?}");
        assert_eq!(decision.events.first(), Some(&"deposit.credited"), "{status:?}");
        let expected = match status {
            DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::NeedsReview => None,
            DepositStatus::Refunded | DepositStatus::ChargedBack => Some("deposit_reversed_after_credit"),
            _ => Some("deposit_failed_after_success"),
        };
        assert_eq!(asks(&decision.next), expected, "{status:?}");
        assert!(matches!(outcome(&decision.next, booked(), 5001), Verdict::Nothing(_)), "{status:?}");
    }
}

#[test]
fn a_second_deal_for_one_deposit_is_for_a_person() {
    let second = CreditOutcome::Booked("136624".to_owned());
    let decision = change(outcome(&in_status(DepositStatus::Credited), second.clone(), 100));
    assert_eq!(
        (decision.events.as_slice(), asks(&decision.next)),
        (["desk.item"].as_slice(), Some("credit_unresolved"))
    );
    assert_eq!(decision.next.facts.platform.operation.as_deref(), Some("136623"));
    assert!(matches!(outcome(&decision.next, second, 101), Verdict::Nothing(_)));
}

#[test]
fn of_two_workers_one_intends_and_the_other_looks_up() {
    let (first, second) = (paid(), paid());
    let intent = save(first.credit_step(at(12))).next;
    // the second one's save fails on the version; on what is there now it finds
    assert!(matches!(second.credit_step(at(12)), CreditStep::Send(_)));
    assert_eq!(intent.credit_step(at(12)), CreditStep::LookUp);
    assert!(matches!(absent(&intent, 13), CreditStep::Nothing(_)));
}

#[test]
fn money_that_went_back_is_not_credited_anew() {
    for deposit in [crediting(), in_status(DepositStatus::CreditingUnknown)] {
        let noted = reversed(&deposit);
        let turned = [
            save(absent(&noted, 100)),
            change(outcome(&noted, refused(), 40)),
            change(outcome(&noted, not_applied(), 40)),
        ];
        for decision in turned {
            assert_eq!(
                (decision.next.status(), decision.events.as_slice()),
                (DepositStatus::Refunded, ["deposit.refunded"].as_slice())
            );
            assert_eq!((decision.next.facts.credited, decision.next.due), (None, None));
        }
    }
}

#[test]
fn money_that_went_back_while_it_was_credited_is_for_a_person() {
    let noted = reversed(&crediting());
    let decision = change(outcome(&noted, booked(), 40));
    assert_eq!(decision.events, ["deposit.credited", "deposit.refunded", "desk.item"]);
    assert_eq!(
        (decision.next.status(), asks(&decision.next)),
        (DepositStatus::Refunded, Some("deposit_reversed_after_credit"))
    );
    assert_eq!(decision.next.facts.credited, Some(money("1250.00 USD")));
    // the provider's statement is what it is about: its repeat is nothing new
    let again = hear(&decision.next, &refund(Some("1250.00 USD"), 30), 50);
    assert!(matches!(again, Verdict::Nothing(_)));
}

#[test]
fn money_that_went_back_while_nobody_knows_is_kept_for_the_decision() {
    let noted = reversed(&unresolved());
    assert_eq!((noted.status(), asks(&noted)), (DepositStatus::NeedsReview, Some("credit_unresolved")));
    let there = change(noted.decided(&person(&noted, "mark_credited", Some("136623")), at(900)));
    assert_eq!(there.events, ["deposit.credited", "deposit.refunded", "desk.item"]);
    for action in ["mark_not_credited_retry", "close_without_credit", "refund_at_psp"] {
        let not_there = change(noted.decided(&person(&noted, action, Some("re_1")), at(900)));
        assert_eq!(
            (not_there.next.status(), not_there.events.as_slice()),
            (DepositStatus::Refunded, ["deposit.refunded"].as_slice())
        );
    }
}

#[test]
fn a_part_that_goes_back_meanwhile_changes_no_amount_that_was_sent() {
    let part = refund(Some("50.00 USD"), 30);
    for deposit in [crediting(), in_status(DepositStatus::CreditingUnknown), unresolved()] {
        let decision = change(hear(&deposit, &part, 31));
        assert_eq!(
            (decision.events.as_slice(), asks(&decision.next)),
            (["desk.item"].as_slice(), Some("deposit_reversed_after_credit"))
        );
        assert_eq!((decision.next.status(), decision.next.creditable()), (deposit.status(), money("1250.00 USD")));
    }
}

#[test]
fn the_postings_of_a_credit_balance_and_before_it_there_are_none() {
    for earlier in [change(hear(&pending(), &success(10), 11)), save(paid().credit_step(at(12)))] {
        assert_eq!(earlier.postings, Postings::none(), "{}", earlier.outcome);
    }
    let mut postings = change(outcome(&crediting(), booked(), 12)).postings.legs().to_vec();
    assert_eq!(postings.len(), 2);
    assert_eq!(postings[0].amount, money("1250.00 USD"));
    let names = (postings[0].account.to_string(), postings[1].account.to_string().starts_with("client:acc_"));
    assert_eq!(names, ("psp:stripe".to_owned(), true));
    let refused = Err(PostingsError::Unbalanced("USD".parse().unwrap()));
    postings[1].amount = money("-1249.99 USD");
    assert_eq!(Postings::of(postings.clone()), refused);
    postings[1].amount = money("-1250.00 EUR");
    assert!(Postings::of(postings).is_err());
}

fn legs(postings: &Postings) -> Vec<(String, String)> {
    let kind = |account: &LedgerAccount| account.to_string().split_once("acc_").map(|(kind, _)| kind.to_owned());
    let leg = |leg: &Posting| (kind(&leg.account).unwrap_or(leg.account.to_string()), leg.amount.to_string());
    postings.legs().iter().map(leg).collect()
}

fn leg(account: &str, amount: &str) -> (String, String) {
    (account.to_owned(), amount.to_owned())
}

#[test]
fn money_that_went_back_after_the_credit_is_owed_by_the_client_until_it_is_taken_off() {
    let refund = refund(Some("1250.00 USD"), 30);
    let refunded = change(hear(&in_status(DepositStatus::Credited), &refund, 31));
    let gone = [leg("reversed:", "1250.00 USD"), leg("psp:stripe", "-1250.00 USD")];
    assert_eq!(legs(&refunded.postings), gone);
    let by_hand = HumanDecision {
        at: crate::Timestamp::EPOCH,
        kind: "deposit_reversed_after_credit".to_owned(),
        trigger: None,
        action: "mark_debited_on_platform".to_owned(),
        evidence: Some("136700".to_owned()),
        by: "ana".to_owned(),
        approved_by: None,
    };
    let debited = change(refunded.next.decided(&by_hand, at(40)));
    assert_eq!(legs(&debited.postings), [leg("client:", "1250.00 USD"), leg("reversed:", "-1250.00 USD")]);
    assert!(matches!(debited.next.decided(&by_hand, at(41)), Verdict::Nothing(_)));
    // another debit of the same credit is a question, and moves nothing
    let again = HumanDecision { evidence: Some("136701".to_owned()), ..by_hand };
    let twice = change(debited.next.decided(&again, at(42)));
    assert_eq!((twice.outcome, twice.postings), ("flagged", Postings::none()));
}

#[test]
fn a_credit_whose_money_went_back_while_it_was_under_way_is_booked_with_its_reversal() {
    let booked = change(outcome(&reversed(&crediting()), booked(), 40));
    let whole = [
        leg("psp:stripe", "1250.00 USD"),
        leg("client:", "-1250.00 USD"),
        leg("reversed:", "1250.00 USD"),
        leg("psp:stripe", "-1250.00 USD"),
    ];
    assert_eq!(legs(&booked.postings), whole);
}

#[test]
fn the_platform_keeps_the_whole_reference() {
    assert!(paid().platform_reference().len() <= 31);
    assert_eq!(paid().platform_reference(), paid().id.as_str());
}
