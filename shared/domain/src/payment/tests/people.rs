//! What people decide about deposits.

use super::fixture::*;
use crate::decision::Verdict;
use crate::payment::{CreditOutcome, CreditStep, Deposit, DepositStatus, PspReport, PspStatus};
use crate::work::HumanDecision;
use crate::work::rules::{WorkAction, WorkKind};

/// A deposit that waits for an item of a kind, for every kind that can stop one.
fn stopped() -> Vec<Deposit> {
    use PspStatus as S;
    let told = |amount| change(hear(&pending(), &says(S::Succeeded, amount, 10), 11)).next;
    let canceled = change(hear(&pending(), &says(S::Canceled, None, 5), 6)).next;
    let silent = crate::payment::PollAnswer::Silent("time-out".to_owned());
    let limits = crate::payment::PollLimits::from(rules().psp("stripe").unwrap());
    vec![
        told(Some("1200.00 USD")),
        told(Some("1300.00 USD")),
        told(Some("1250.00 EUR")),
        told(None),
        change(hear(&pending(), &PspReport { reference: "pi_other".to_owned(), ..success(10) }, 11)).next,
        change(hear(&canceled, &success(10), 11)).next,
        change(hear(&canceled, &says(S::Succeeded, Some("1250.00 EUR"), 10), 11)).next,
        change(hear(&paid(), &says(S::Failed, None, 20), 21)).next,
        change(pending().polled(&silent, limits, rules(), at(86_400))).next,
        unresolved(),
        change(outcome(&crediting(), refused(), 12)).next,
    ]
}

/// The evidence of a step by hand; where it was converted, with what was put on the account.
fn evidence(deposit: &Deposit) -> Option<&'static str> {
    let euro = deposit.facts.paid.is_some_and(|paid| paid.currency().code() == "EUR");
    Some(if euro { "777 1340.50" } else { "777" })
}

fn decide(deposit: &Deposit, action: &str) -> Verdict<Deposit> {
    deposit.decided(&person(deposit, action, evidence(deposit)), at(5000))
}

#[test]
fn every_option_of_every_kind_moves_the_deposit_or_opens_a_new_item() {
    for deposit in stopped() {
        let kind: WorkKind = asks(&deposit).unwrap().parse().unwrap();
        for action in kind.actions().iter().map(|action| action.as_str()).chain(["resolve"]) {
            let decision = change(decide(&deposit, action));
            let next = &decision.next;
            if next.status() == DepositStatus::NeedsReview {
                assert_eq!(decision.events, ["desk.item"], "{kind} {action}");
                assert_ne!(next.facts.review, deposit.facts.review, "{kind} {action}");
                assert_eq!(next.facts.review.as_ref(), next.inner.held.as_ref().map(|held| &held.review));
            } else {
                assert_eq!(asks(next), None, "{kind} {action}");
            }
            // the decision's own repeat finds it done
            let again = next.decided(&person(&deposit, action, evidence(&deposit)), at(5001));
            assert!(matches!(again, Verdict::Nothing(_)), "{kind} {action}: {again:?}");
        }
    }
}

#[test]
fn each_option_does_what_it_says() {
    let expected = |action: WorkAction| match action {
        WorkAction::CreditPaidAmount | WorkAction::MarkNotCreditedRetry => Some((DepositStatus::Paid, "deposit.paid")),
        WorkAction::MarkCredited => Some((DepositStatus::Credited, "deposit.credited")),
        WorkAction::RefundAtPsp => Some((DepositStatus::Refunded, "deposit.refunded")),
        WorkAction::CloseWithoutCredit => Some((DepositStatus::Failed, "deposit.failed")),
        WorkAction::KeepWaiting => Some((DepositStatus::Pending, "")),
        _ => None,
    };
    for deposit in stopped() {
        let kind: WorkKind = asks(&deposit).unwrap().parse().unwrap();
        let euro = deposit.facts.paid.is_some_and(|paid| paid.currency().code() == "EUR");
        for action in kind.actions() {
            let Some((status, event)) = expected(*action) else { continue };
            if euro && *action == WorkAction::CreditPaidAmount {
                continue;
            }
            let decision = change(decide(&deposit, action.as_str()));
            assert_eq!(
                (decision.next.status(), decision.events.join(" ")),
                (status, event.to_owned()),
                "{kind} {action}"
            );
        }
    }
}

#[test]
fn what_was_collected_in_another_currency_is_never_credited_by_the_automation() {
    let canceled = change(hear(&pending(), &says(PspStatus::Canceled, None, 5), 6)).next;
    let euro = change(hear(&canceled, &says(PspStatus::Succeeded, Some("1250.00 EUR"), 10), 11)).next;
    assert_eq!(asks(&euro), Some("deposit_paid_after_failure"));
    let decision = change(decide(&euro, "credit_paid_amount"));
    assert_eq!(
        (decision.events.as_slice(), asks(&decision.next)),
        (["desk.item"].as_slice(), Some("deposit_currency_mismatch"))
    );
}

#[test]
fn what_a_person_accepts_is_looked_up_before_it_is_sent() {
    let underpaid = in_status(DepositStatus::NeedsReview);
    let accepted = change(decide(&underpaid, "credit_paid_amount")).next;
    assert_eq!(accepted.credit_step(at(5001)), CreditStep::LookUp);
    let intent = save(absent(&accepted, 5001)).next;
    assert_eq!(change(outcome(&intent, booked(), 5002)).next.facts.credited, Some(money("1200.00 USD")));
}

#[test]
fn a_credit_that_a_person_sends_again_has_its_whole_time_again() {
    let deposit = unresolved();
    let again = change(decide(&deposit, "mark_not_credited_retry")).next;
    assert_eq!(again.credit_step(at(5001)), CreditStep::LookUp);
    let intent = save(absent(&again, 5001)).next;
    assert_eq!(intent.inner.attempts, 2);
    let unknown = change(outcome(&intent, unknown(), 5020)).next;
    assert_eq!(unknown.status(), DepositStatus::CreditingUnknown);
    let over = save(absent(&unknown, 5000 + 600 + 61)).next;
    assert_eq!(asks(&over), Some("credit_unresolved"));
    assert_ne!(over.facts.review, deposit.facts.review);
}

#[test]
fn a_credit_by_hand_is_booked_with_what_is_known_of_the_money() {
    let credited =
        |deposit: &Deposit| change(decide(deposit, "mark_credited")).next.facts.credited.unwrap().to_string();
    let kinds: Vec<(String, String)> = stopped()
        .iter()
        .filter(|deposit| {
            let kind: WorkKind = asks(deposit).unwrap().parse().unwrap();
            kind.actions().contains(&WorkAction::MarkCredited)
        })
        .map(|deposit| (asks(deposit).unwrap().to_owned(), credited(deposit)))
        .collect();
    let expected = [
        ("deposit_underpaid", "1200.00 USD"),
        ("deposit_overpaid", "1300.00 USD"),
        ("deposit_currency_mismatch", "1340.50 USD"),
        ("deposit_currency_mismatch", "1250.00 USD"),
        ("deposit_unknown_reference", "1250.00 USD"),
        ("deposit_paid_after_failure", "1250.00 USD"),
        ("deposit_paid_after_failure", "1340.50 USD"),
        ("deposit_overdue", "1250.00 USD"),
        ("credit_unresolved", "1250.00 USD"),
        ("credit_refused", "1250.00 USD"),
    ];
    assert_eq!(kinds, expected.map(|(kind, amount)| (kind.to_owned(), amount.to_owned())));
}

#[test]
fn a_credit_by_hand_needs_its_ticket() {
    let deposit = unresolved();
    let decision = change(deposit.decided(&person(&deposit, "mark_credited", None), at(5000)));
    assert_eq!(
        (decision.events.as_slice(), decision.next.status()),
        (["desk.item"].as_slice(), DepositStatus::NeedsReview)
    );
}

#[test]
fn after_a_credit_by_hand_the_providers_late_word_is_the_same_collection() {
    let silent = stopped().into_iter().find(|deposit| asks(deposit) == Some("deposit_overdue")).unwrap();
    let credited = change(decide(&silent, "mark_credited")).next;
    assert_eq!(hear(&credited, &success(9000), 9001), Verdict::Nothing("the collection is already counted"));
    // of other money that was credited by hand it is not
    let stray = stopped().into_iter().find(|deposit| asks(deposit) == Some("deposit_unknown_reference")).unwrap();
    let credited = change(decide(&stray, "mark_credited")).next;
    assert_eq!(asks(&change(hear(&credited, &success(9000), 9001)).next), Some("deposit_overpaid"));
}

#[test]
fn a_statement_that_was_decided_about_is_not_asked_about_again() {
    let report = says(PspStatus::Succeeded, Some("1200.00 USD"), 10);
    for action in ["credit_paid_amount", "mark_credited", "refund_at_psp", "close_without_credit"] {
        let decided = change(decide(&in_status(DepositStatus::NeedsReview), action)).next;
        let again = hear(&decided, &report, 6000);
        assert_eq!(again, Verdict::Nothing("the statement is already with a person"), "{action}");
        // the same collection under another event's id
        let other = PspReport { event_id: "evt_other".to_owned(), ..report.clone() };
        assert!(matches!(hear(&decided, &other, 6001), Verdict::Nothing(_)), "{action}");
    }
}

#[test]
fn money_that_comes_after_a_person_closed_the_deposit_is_not_lost() {
    for deposit in stopped() {
        let kind: WorkKind = asks(&deposit).unwrap().parse().unwrap();
        for action in ["close_without_credit", "refund_at_psp"] {
            if !kind.actions().iter().any(|offered| offered.as_str() == action) {
                continue;
            }
            let closed = change(decide(&deposit, action)).next;
            let news = says(PspStatus::Succeeded, Some("1250.00 USD"), 9000);
            match hear(&closed, &news, 9001) {
                Verdict::Nothing(_) => assert_eq!(closed.facts.paid, news.money, "{kind} {action}"),
                Verdict::Change(decision) => {
                    assert!(asks(&decision.next).is_some() || decision.events == ["deposit.paid"], "{kind} {action}");
                }
            }
        }
    }
}

#[test]
fn a_decision_about_what_the_deposit_does_not_wait_for_stays_with_its_item() {
    let flagged = change(hear(&in_status(DepositStatus::Credited), &says(PspStatus::Failed, None, 30), 31)).next;
    for action in WorkKind::DepositFailedAfterSuccess.actions() {
        let verdict = flagged.decided(&person(&flagged, action.as_str(), Some("1")), at(5000));
        if *action == WorkAction::MarkDebitedOnPlatform {
            // what a person took off the account is booked; nothing else follows
            let debited = change(verdict);
            assert_eq!((debited.next.status(), debited.events.len()), (DepositStatus::Credited, 0));
            assert!(!debited.postings.is_none());
            continue;
        }
        assert!(matches!(verdict, Verdict::Nothing(_)), "{action}");
    }
}

fn by_hand(kind: &str, ticket: &str) -> HumanDecision {
    HumanDecision {
        at: crate::Timestamp::EPOCH,
        kind: kind.to_owned(),
        trigger: None,
        action: "mark_credited".to_owned(),
        evidence: Some(ticket.to_owned()),
        by: "finance-1".to_owned(),
        approved_by: None,
    }
}

#[test]
fn a_credit_by_hand_beside_the_automations_own_is_asked_about() {
    for status in [DepositStatus::Crediting, DepositStatus::CreditingUnknown, DepositStatus::Credited] {
        let decision = change(in_status(status).decided(&by_hand("deposit_overdue", "777"), at(5000)));
        assert_eq!(
            (decision.events.as_slice(), asks(&decision.next)),
            (["desk.item"].as_slice(), Some("credit_unresolved"))
        );
        let again = decision.next.decided(&by_hand("deposit_overdue", "777"), at(5001));
        assert!(matches!(again, Verdict::Nothing(_)), "{status:?}");
    }
    let same = in_status(DepositStatus::Credited).decided(&by_hand("credit_unresolved", "136623"), at(5000));
    assert_eq!(same, Verdict::Nothing("the deal is already known"));
}

#[test]
fn a_credit_by_hand_stops_the_automation_that_has_not_begun() {
    let decision = change(paid().decided(&by_hand("deposit_overdue", "777"), at(5000)));
    assert_eq!(decision.events, ["deposit.credited"]);
    assert_eq!(decision.next.facts.platform.operation.as_deref(), Some("777"));
    assert_eq!(change(outcome(&decision.next, CreditOutcome::Booked("9".to_owned()), 5001)).events, ["desk.item"]);
}

#[test]
fn whoever_waits_again_forgets_the_collection_that_was_taken_back() {
    let taken_back = change(hear(&paid(), &says(PspStatus::Failed, None, 20), 21)).next;
    assert_eq!(asks(&taken_back), Some("deposit_failed_after_success"));
    let waiting = change(decide(&taken_back, "keep_waiting")).next;
    assert_eq!((waiting.status(), waiting.facts.paid), (DepositStatus::Pending, None));
    // the old success again is older than the failure; a new one is news
    assert!(matches!(hear(&waiting, &success(10), 5001), Verdict::Nothing(_)));
    assert_eq!(change(hear(&waiting, &success(30), 5002)).events, ["deposit.paid"]);
}
