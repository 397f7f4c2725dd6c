//! What went back, in whatever order and however often it is told; and what came back.

use proptest::prelude::*;

use super::fixture::*;
use crate::decision::{Decision, Verdict};
use crate::ledger::{LedgerAccount, Postings};
use crate::payment::{Deposit, DepositStatus, PspReport, Way};

fn tell(deposit: &Deposit, report: &PspReport) -> (Deposit, Option<Decision<Deposit>>) {
    match hear(deposit, report, 500) {
        Verdict::Nothing(_) => (deposit.clone(), None),
        Verdict::Change(decision) => (decision.next.clone(), Some(*decision)),
    }
}

fn usd(text: &str) -> String {
    money(&format!("{text} USD")).to_string()
}

fn intended(deposit: &Deposit, seconds: i64) -> Deposit {
    let decision = save(deposit.looked_up(crate::payment::Found::Absent, REVIEW_AFTER, at(seconds)));
    assert_eq!(decision.outcome, "crediting");
    decision.next
}

/// Paid 1250.00; the same as the page's 500, 300 and 400.
fn totals() -> [PspReport; 2] {
    [refund(Some("750.00 USD"), 20), refund(Some("1000.00 USD"), 30)]
}

#[test]
fn refund_totals_are_not_increments() {
    for status in [DepositStatus::Pending, DepositStatus::Paid, DepositStatus::Failed, DepositStatus::Expired] {
        for order in [[0, 1], [1, 0]] {
            let mut deposit = in_status(status);
            for n in order {
                deposit = tell(&deposit, &totals()[n]).0;
                deposit = tell(&deposit, &totals()[n]).0;
            }
            assert_eq!(deposit.creditable().to_string(), usd("250.00"), "{status:?} {order:?}");
            assert_eq!(deposit.facts.paid, Some(money("1250.00 USD")), "what was collected stays");
            assert_eq!(deposit.facts.returned, Some(money("1000.00 USD")));
            let person = person(&deposit, "credit_paid_amount", None);
            let sent = change(deposit.decided(&person, at(600))).next;
            let intent = intended(&sent, 600);
            let credited = change(outcome(&intent, booked(), 601));
            assert_eq!(credited.next.facts.credited.unwrap().to_string(), usd("250.00"));
            assert_eq!(credited.postings.legs().len(), 2, "nothing of the credit itself went back");
        }
    }
}

#[test]
fn parts_that_go_back_before_and_after_the_credit_are_told_apart() {
    let before = tell(&paid(), &refund(Some("50.00 USD"), 20)).0;
    let sent = change(before.decided(&person(&before, "credit_paid_amount", None), at(30))).next;
    let intent = intended(&sent, 31);
    let credited = change(outcome(&intent, booked(), 32)).next;
    assert_eq!(credited.facts.credited, Some(money("1200.00 USD")));
    // the next total is 150: 100 of them are of the credit
    let part = change(hear(&credited, &refund(Some("150.00 USD"), 40), 41));
    assert_eq!(part.next.status(), DepositStatus::Credited);
    assert_eq!(asks(&part.next), Some("deposit_reversed_after_credit"));
    let gone = part.postings.on(&LedgerAccount::Reversed(credited.facts.account_id.clone()), "USD".parse().unwrap());
    assert_eq!(gone.unwrap().to_string(), usd("100.00"));
    // two debits by hand take off exactly what went back
    let first = change(part.next.decided(&person(&part.next, "mark_debited_on_platform", Some("d1")), at(50)));
    let more = change(hear(&first.next, &refund(Some("1250.00 USD"), 60), 61));
    assert_eq!(more.next.status(), DepositStatus::Refunded);
    let second = change(more.next.decided(&person(&more.next, "mark_debited_on_platform", Some("d2")), at(70)));
    let all = [&part, &first, &more, &second];
    let all = all.iter().fold(Postings::none(), |all, one| all.with(one.postings.clone()));
    let client = all.on(&LedgerAccount::Client(credited.facts.account_id.clone()), "USD".parse().unwrap()).unwrap();
    assert_eq!(client.to_string(), usd("1200.00"));
}

#[test]
fn an_inquiry_is_not_heard_and_a_dispute_is_decided_by_where_it_stands() {
    let credited = in_status(DepositStatus::Credited);
    let opened = one("dp_1", Way::Dispute, true, Some("1250.00 USD"), 30);
    let won = one("dp_1", Way::Dispute, false, Some("1250.00 USD"), 40);
    let charged_back = change(hear(&credited, &opened, 31));
    assert_eq!(charged_back.events, ["deposit.charged_back", "desk.item"]);
    let back = change(hear(&charged_back.next, &won, 41));
    assert_eq!(back.events, ["deposit.reinstated", "desk.item", "desk.settled"]);
    assert_eq!((back.next.status(), asks(&back.next)), (DepositStatus::Credited, Some("deposit_reinstated")));
    // the item that asks to take it off is named as it was opened
    let asked = charged_back.next.facts.review.clone().unwrap();
    let settled = &back.next.facts.settled[0];
    assert_eq!((&settled.kind, &settled.trigger, settled.at_ms), (&asked.kind, &asked.trigger, at(31).millis()));
    // its opening that arrives after it was won says nothing
    let (first, _) = tell(&credited, &won);
    assert_eq!(first.status(), DepositStatus::Credited);
    assert!(
        matches!(hear(&first, &opened, 50), Verdict::Change(decision) if decision.events.is_empty())
            || tell(&first, &opened).1.is_none()
    );
}

#[test]
fn a_refund_that_fails_before_anything_was_credited_is_a_persons() {
    let failed = one("re_1", Way::Refund, false, Some("1250.00 USD"), 30);
    let refunded = tell(&paid(), &refund(Some("1250.00 USD"), 20)).0;
    assert_eq!(refunded.status(), DepositStatus::Refunded);
    let back = change(hear(&refunded, &failed, 31));
    assert_eq!((back.next.status(), asks(&back.next)), (DepositStatus::NeedsReview, Some("deposit_reinstated")));
    assert_eq!(back.next.creditable(), money("1250.00 USD"));
    // a person had refunded it by hand, and that refund failed
    let held = in_status(DepositStatus::NeedsReview);
    let by_hand = change(held.decided(&person(&held, "refund_at_psp", Some("re_1")), at(25))).next;
    assert_eq!(by_hand.facts.returned, by_hand.facts.paid);
    let back = change(hear(&by_hand, &failed, 31));
    assert_eq!((back.next.status(), asks(&back.next)), (DepositStatus::NeedsReview, Some("deposit_reinstated")));
}

/// A whole life of a payment's returns: two refunds told as totals and one by one, one of which fails, and a dispute that is won.
fn life() -> Vec<PspReport> {
    vec![
        refund(Some("300.00 USD"), 20),
        one("re_1", Way::Refund, true, Some("300.00 USD"), 20),
        refund(Some("400.00 USD"), 30),
        one("re_2", Way::Refund, true, Some("100.00 USD"), 30),
        one("re_1", Way::Refund, false, Some("300.00 USD"), 40),
        one("dp_1", Way::Dispute, true, Some("850.00 USD"), 50),
        one("dp_1", Way::Dispute, false, Some("850.00 USD"), 60),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn in_any_order_and_however_often_told_the_same_is_left(
        order in Just(life()).prop_shuffle(),
        repeats in prop::collection::vec(0_usize..7, 0..7),
    ) {
        let mut deposit = in_status(DepositStatus::Credited);
        let mut postings = Postings::none();
        let mut asked_to_take_off = Vec::new();
        for report in order.iter().chain(repeats.iter().map(|n| &order[*n])) {
            let (next, decision) = tell(&deposit, report);
            deposit = next;
            let Some(decision) = decision else { continue };
            postings = postings.with(decision.postings.clone());
            for settled in &decision.next.facts.settled {
                asked_to_take_off.retain(|trigger| *trigger != settled.trigger);
            }
            let asks = decision.events.contains(&"desk.item") && asks(&deposit) == Some("deposit_reversed_after_credit");
            if asks {
                asked_to_take_off.push(deposit.facts.review.clone().unwrap().trigger);
            }
        }
        prop_assert_eq!(deposit.facts.returned, Some(money("100.00 USD")));
        prop_assert_eq!(deposit.status(), DepositStatus::Credited);
        let reversed = LedgerAccount::Reversed(deposit.facts.account_id.clone());
        prop_assert_eq!(postings.on(&reversed, "USD".parse().unwrap()).unwrap(), money("100.00 USD"));
        prop_assert!(!asked_to_take_off.is_empty(), "100.00 is still to be taken off");
    }

    #[test]
    fn when_all_of_it_came_back_nobody_is_asked_to_take_anything_off(order in Just(life()).prop_shuffle()) {
        let mut deposit = in_status(DepositStatus::Credited);
        let mut open = Vec::new();
        let last = one("re_2", Way::Refund, false, Some("100.00 USD"), 70);
        for report in order.iter().chain([&last]) {
            let (next, decision) = tell(&deposit, report);
            deposit = next;
            let Some(decision) = decision else { continue };
            for settled in &decision.next.facts.settled {
                open.retain(|trigger| *trigger != settled.trigger);
            }
            if decision.events.contains(&"desk.item") && asks(&deposit) == Some("deposit_reversed_after_credit") {
                open.push(deposit.facts.review.clone().unwrap().trigger);
            }
        }
        prop_assert_eq!((deposit.facts.returned, deposit.status()), (None, DepositStatus::Credited));
        prop_assert!(open.is_empty(), "{:?}", open);
    }
}
