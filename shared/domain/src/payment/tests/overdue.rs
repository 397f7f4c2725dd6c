//! No webhook in time: polls, and what they come to.

use super::fixture::*;
use crate::decision::{Decision, Verdict};
use crate::payment::{Deposit, DepositStatus, DueStep, PollAnswer, PollLimits, PspReport, PspStatus};

fn limits() -> PollLimits {
    PollLimits::from(rules().psp("stripe").unwrap())
}

fn polled(deposit: &Deposit, answer: &PollAnswer, seconds: i64) -> Decision<Deposit> {
    assert_eq!(deposit.due_step(at(seconds)), DueStep::Poll);
    change(deposit.polled(answer, limits(), rules(), at(seconds)))
}

/// At the webhook's limit and at the next one, with the same answer.
pub(super) fn polled_twice(report: &PspReport) -> Decision<Deposit> {
    let answer = PollAnswer::Report(report.clone());
    polled(&polled(&pending(), &answer, 900).next, &answer, 900 + 1800)
}

fn nothing_known() -> [PollAnswer; 3] {
    let irrelevant = PollAnswer::Report(says(PspStatus::Irrelevant, None, 10));
    [PollAnswer::Absent, PollAnswer::Silent("time-out".to_owned()), irrelevant]
}

#[test]
fn the_provider_is_asked_at_the_limit_and_a_person_at_the_next() {
    for answer in nothing_known() {
        assert_eq!(pending().due_step(at(899)), DueStep::Nothing("it is not due"));
        let first = polled(&pending(), &answer, 900);
        assert_eq!((first.next.status(), first.next.due), (DepositStatus::Pending, Some(at(2700))));
        assert_eq!(first.events, Vec::<&str>::new());
        let second = polled(&first.next, &answer, 2700);
        assert_eq!(second.events, ["deposit.needs_review"]);
        assert_eq!((asks(&second.next), second.next.due), (Some("deposit_overdue"), None));
    }
}

#[test]
fn a_payer_who_never_paid_is_nobodys_work() {
    let expired = polled_twice(&says(PspStatus::Pending, None, 10));
    assert_eq!(
        (expired.next.status(), expired.events.as_slice()),
        (DepositStatus::Expired, ["deposit.expired"].as_slice())
    );
    assert_eq!((asks(&expired.next), expired.next.due), (None, None));
}

/// A provider that has no payment before the payer acts says by knowing none that nobody has paid.
#[test]
fn a_payment_that_nobody_began_is_nobodys_work_either() {
    let first = polled(&pending(), &PollAnswer::Unpaid, 900);
    assert_eq!((first.next.status(), first.next.due), (DepositStatus::Pending, Some(at(2700))));
    let second = polled(&first.next, &PollAnswer::Unpaid, 2700);
    assert_eq!(
        (second.next.status(), second.events.as_slice()),
        (DepositStatus::Expired, ["deposit.expired"].as_slice())
    );
    assert_eq!((asks(&second.next), second.next.due), (None, None));
    // money that comes later is still credited
    assert_eq!(change(second.next.hear(&success(3000), rules(), at(3000))).events, ["deposit.paid"]);
}

#[test]
fn a_payment_under_way_is_asked_for_until_its_time_is_over() {
    let processing = PollAnswer::Report(says(PspStatus::Processing, None, 10));
    let mut deposit = pending();
    let mut now = 900;
    for _ in 0..48 {
        deposit = polled(&deposit, &processing, now).next;
        assert_eq!(deposit.status(), DepositStatus::Pending);
        now = deposit.due.unwrap().millis_since(at(0)) / 1000;
    }
    assert_eq!(now, 24 * 3600);
    let last = polled(&deposit, &processing, now);
    assert_eq!(asks(&last.next), Some("deposit_overdue"));
}

#[test]
fn one_unanswered_poll_between_is_no_reason_for_a_person() {
    let processing = PollAnswer::Report(says(PspStatus::Processing, None, 10));
    let silent = PollAnswer::Silent("time-out".to_owned());
    let mut deposit = pending();
    let mut now = 900;
    for answer in [&silent, &processing, &silent, &processing] {
        deposit = polled(&deposit, answer, now).next;
        assert_eq!(deposit.status(), DepositStatus::Pending);
        now += 1800;
    }
}

#[test]
fn a_timer_that_comes_late_asks_once() {
    let day = 24 * 3600;
    for answer in nothing_known() {
        assert_eq!(asks(&polled(&pending(), &answer, day).next), Some("deposit_overdue"));
    }
    let waiting = PollAnswer::Report(says(PspStatus::Pending, None, 10));
    assert_eq!(polled(&pending(), &waiting, day).next.status(), DepositStatus::Expired);
}

#[test]
fn what_a_poll_brings_is_heard_like_a_webhook() {
    let heard = |report| polled(&pending(), &PollAnswer::Report(report), 900);
    assert_eq!(heard(success(10)).events, ["deposit.paid"]);
    assert_eq!(asks(&heard(says(PspStatus::Succeeded, Some("1.00 USD"), 10)).next), Some("deposit_underpaid"));
    assert_eq!(heard(says(PspStatus::Failed, None, 10)).events, ["deposit.failed"]);
    assert!(heard(says(PspStatus::Canceled, None, 10)).next.inner.closed_at_psp);
    assert_eq!(heard(refund(None, 10)).events, ["deposit.refunded"]);
}

#[test]
fn a_webhook_that_came_meanwhile_stands() {
    let answer = PollAnswer::Silent("time-out".to_owned());
    for status in DepositStatus::ALL.into_iter().filter(|status| *status != DepositStatus::Pending) {
        let verdict = in_status(status).polled(&answer, limits(), rules(), at(2700));
        assert!(matches!(verdict, Verdict::Nothing(_)), "{status:?}");
    }
}

#[test]
fn a_late_answer_settles_what_waits_for_a_person_only_because_there_was_none() {
    let overdue = polled(&polled(&pending(), &PollAnswer::Absent, 900).next, &PollAnswer::Absent, 2700).next;
    let paid = change(hear(&overdue, &success(2800), 2801));
    assert_eq!((paid.next.status(), paid.events.as_slice()), (DepositStatus::Paid, ["deposit.paid"].as_slice()));
    let failed = change(hear(&overdue, &says(PspStatus::Failed, None, 2800), 2801));
    assert_eq!(
        (failed.next.status(), failed.events.as_slice()),
        (DepositStatus::Failed, ["deposit.failed"].as_slice())
    );
    let short = change(hear(&overdue, &says(PspStatus::Succeeded, Some("1.00 USD"), 2800), 2801));
    assert_eq!((asks(&short.next), short.events.as_slice()), (Some("deposit_underpaid"), ["desk.item"].as_slice()));
}

#[test]
fn every_overdue_review_is_an_item_of_its_own() {
    let overdue = polled(&polled(&pending(), &PollAnswer::Absent, 900).next, &PollAnswer::Absent, 2700).next;
    let waiting = change(overdue.decided(&person(&overdue, "keep_waiting", None), at(3000))).next;
    let due = waiting.due.unwrap().millis_since(at(0)) / 1000;
    assert_eq!(due, 3000 + 86_400);
    let again = polled(&waiting, &PollAnswer::Absent, due).next;
    assert_eq!(asks(&again), Some("deposit_overdue"));
    assert_ne!(again.facts.review, overdue.facts.review);
}

#[test]
fn a_stuck_credit_is_sent_to_its_worker_again_and_less_often_after_an_hour() {
    for status in [DepositStatus::Paid, DepositStatus::Crediting, DepositStatus::CreditingUnknown] {
        let stuck = in_status(status);
        let due = stuck.due.unwrap();
        assert_eq!(stuck.due_step(due), DueStep::Credit, "{status:?}");
        let redriven = change(stuck.redriven(due));
        assert_eq!((redriven.events.as_slice(), redriven.next.status()), (["deposit.credit_due"].as_slice(), status));
        assert_eq!(redriven.next.due_step(due), DueStep::Nothing("it is not due"));
        assert_eq!(change(stuck.redriven(at(3000))).next.due, Some(at(3060)));
        assert_eq!(change(stuck.redriven(at(5000))).next.due, Some(at(5900)));
    }
}
