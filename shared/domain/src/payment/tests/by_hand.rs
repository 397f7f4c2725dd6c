//! A person's step by hand and the automation's own: one of the two, whoever comes first.

use super::fixture::*;
use crate::decision::Verdict;
use crate::ledger::LedgerAccount;
use crate::payment::{Deposit, DepositStatus, PspStatus, Way};
use crate::work::{HumanDecision, Moved};

fn silent() -> Deposit {
    let silent = crate::payment::PollAnswer::Silent("time-out".to_owned());
    let limits = crate::payment::PollLimits::from(rules().psp("stripe").unwrap());
    change(pending().polled(&silent, limits, rules(), at(86_400))).next
}

/// The item of a silent deposit, decided late: the deposit has moved on.
fn late(action: &str) -> HumanDecision {
    person(&silent(), action, Some("777"))
}

fn by_hand(deposit: &Deposit, action: &str) -> Result<Verdict<Deposit>, Moved> {
    deposit.by_hand(&late(action), true, at(90_000))
}

#[test]
fn what_the_automation_has_moved_or_may_be_moving_is_not_moved_by_hand() {
    let heard = change(hear(&silent(), &success(86_500), 86_501)).next;
    let intended = save(heard.looked_up(crate::payment::Found::Absent, REVIEW_AFTER, at(86_502))).next;
    let unknown = change(outcome(&intended, unknown(), 86_503)).next;
    let credited = change(outcome(&intended, booked(), 86_503)).next;
    for deposit in [&intended, &unknown, &credited] {
        for action in ["refund_at_psp", "mark_credited"] {
            let Err(Moved(known)) = by_hand(deposit, action) else { panic!("{action} on {:?}", deposit.status()) };
            assert!(known.contains(deposit.status().as_str()), "{known}");
        }
    }
    let Err(Moved(known)) = by_hand(&credited, "refund_at_psp") else { panic!() };
    assert!(known.contains("1250.00 USD is credited, deal 136623"), "{known}");
    // the deal that the person names is the automation's own
    let same = HumanDecision { evidence: Some("136623".to_owned()), ..late("mark_credited") };
    assert!(matches!(credited.by_hand(&same, true, at(90_000)), Ok(Verdict::Nothing(_))));
}

#[test]
fn what_a_person_moved_by_hand_the_automation_leaves_alone() {
    let heard = change(hear(&silent(), &success(86_500), 86_501)).next;
    for deposit in [silent(), heard, in_status(DepositStatus::Failed), in_status(DepositStatus::Expired)] {
        for (action, status) in [("refund_at_psp", DepositStatus::Refunded), ("mark_credited", DepositStatus::Credited)]
        {
            let moved = change(by_hand(&deposit, action).unwrap()).next;
            assert_eq!(moved.status(), status, "{action} on {:?}", deposit.status());
            for seconds in [10, 90_100] {
                let told = hear(&moved, &success(seconds), 90_101);
                let next = match told {
                    Verdict::Nothing(_) => moved.clone(),
                    Verdict::Change(decision) => decision.next,
                };
                assert!(matches!(next.credit_step(at(90_200)), crate::payment::CreditStep::Nothing(_)), "{action}");
                assert_eq!(next.status(), status, "{action}");
            }
            // a second person is told what the first one did, unless he says the same
            assert!(match by_hand(&moved, action) {
                Ok(Verdict::Nothing(_)) => true,
                Ok(Verdict::Change(_)) | Err(_) => false,
            });
            let other = HumanDecision { evidence: Some("778".to_owned()), ..late("mark_credited") };
            assert!(moved.by_hand(&other, true, at(90_300)).is_err());
        }
    }
}

#[test]
fn a_debit_by_hand_of_money_that_came_back_is_refused() {
    let credited = in_status(DepositStatus::Credited);
    let gone = change(hear(&credited, &one("dp_1", Way::Dispute, true, Some("1250.00 USD"), 30), 31)).next;
    let decision = person(&gone, "mark_debited_on_platform", Some("136700"));
    let won = change(hear(&gone, &one("dp_1", Way::Dispute, false, Some("1250.00 USD"), 40), 41)).next;
    let Err(Moved(known)) = won.by_hand(&decision, false, at(50)) else { panic!() };
    assert!(known.contains("nothing has gone back to the payer"), "{known}");
    // in time it is taken, and when the money comes back afterwards it is credited again by hand
    let debited = change(gone.by_hand(&decision, false, at(35)).unwrap()).next;
    let won = change(hear(&debited, &one("dp_1", Way::Dispute, false, Some("1250.00 USD"), 40), 41));
    let again =
        HumanDecision { kind: "deposit_reinstated".to_owned(), ..person(&won.next, "mark_credited", Some("136800")) };
    let again = change(won.next.by_hand(&again, false, at(60)).unwrap());
    let sum = |account: LedgerAccount| {
        let all = [&gone_entry(&credited), &debit_entry(&gone, &decision), &won.postings, &again.postings];
        let all = all.into_iter().fold(crate::ledger::Postings::none(), |all, one| all.with(one.clone()));
        all.on(&account, "USD".parse().unwrap()).unwrap().to_string()
    };
    let account = credited.facts.account_id.clone();
    assert_eq!(sum(LedgerAccount::Reversed(account.clone())), "0.00 USD");
    assert_eq!(sum(LedgerAccount::Client(account)), "0.00 USD");
    assert_eq!(sum(LedgerAccount::Psp("stripe".to_owned())), "0.00 USD");
}

fn gone_entry(credited: &Deposit) -> crate::ledger::Postings {
    change(hear(credited, &one("dp_1", Way::Dispute, true, Some("1250.00 USD"), 30), 31)).postings
}

fn debit_entry(gone: &Deposit, decision: &HumanDecision) -> crate::ledger::Postings {
    change(gone.by_hand(decision, false, at(35)).unwrap()).postings
}

#[test]
fn other_money_beside_a_credited_deposit_can_still_be_sent_back_by_hand() {
    let credited = in_status(DepositStatus::Credited);
    let surplus = change(hear(&credited, &says(PspStatus::Succeeded, Some("250.00 USD"), 30), 31)).next;
    let decision = person(&surplus, "refund_at_psp", Some("re_1"));
    assert!(matches!(surplus.by_hand(&decision, false, at(40)), Ok(Verdict::Nothing(_))));
}
