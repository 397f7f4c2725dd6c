//! A person's step by hand and the automation's own: one of the two, whoever comes first.

use super::fixture::*;
use crate::account::rules::TicketForm;
use crate::decision::Verdict;
use crate::ledger::LedgerAccount;
use crate::payment::{Deposit, DepositStatus, Proof, PspStatus, Way};
use crate::work::{ByHandRefusal, HumanDecision, Moved};

fn silent() -> Deposit {
    let silent = crate::payment::PollAnswer::Silent("time-out".to_owned());
    let limits = crate::payment::PollLimits::from(rules().psp("stripe").unwrap());
    change(pending().polled(&silent, limits, rules(), at(86_400))).next
}

/// The item of a silent deposit, decided late: the deposit has moved on.
fn late(action: &str) -> HumanDecision {
    person(&silent(), action, Some("777"))
}

fn by_hand(deposit: &Deposit, action: &str) -> Result<Verdict<Deposit>, ByHandRefusal> {
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
            let Err(ByHandRefusal::Moved(Moved(known))) = by_hand(deposit, action) else {
                panic!("{action} on {:?}", deposit.status())
            };
            assert!(known.contains(deposit.status().as_str()), "{known}");
        }
    }
    let Err(ByHandRefusal::Moved(Moved(known))) = by_hand(&credited, "refund_at_psp") else { panic!() };
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
    let Err(ByHandRefusal::Moved(Moved(known))) = won.by_hand(&decision, false, at(50)) else { panic!() };
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

#[test]
fn a_credit_that_was_converted_by_hand_is_booked_in_the_accounts_currency() {
    let euro = change(hear(&pending(), &says(PspStatus::Succeeded, Some("1250.00 EUR"), 10), 11)).next;
    let with = |evidence: &str| person(&euro, "mark_credited", Some(evidence));
    for lacking in ["777", "777 x", "777 -5.00", "777 1340.50 EUR", "777 1340.505", "777 1340.50 USD more"] {
        assert_eq!(euro.by_hand(&with(lacking), true, at(50)), Err(ByHandRefusal::AmountMissing), "{lacking}");
    }
    let credited = change(euro.by_hand(&with("777 1340.50"), true, at(50)).unwrap());
    assert_eq!(credited.next.facts.credited, Some(money("1340.50 USD")));
    assert_eq!(credited.next.facts.platform.operation.as_deref(), Some("777"));
    let repeated = credited.next.decided(&with("777 1340.50"), at(51));
    assert!(matches!(repeated, Verdict::Nothing(_)));
    let gone = change(hear(&credited.next, &refund(Some("1250.00 EUR"), 60), 61));
    let back = change(hear(&gone.next, &one("re_1", Way::Refund, false, Some("1250.00 EUR"), 70), 71));
    let account = || credited.next.facts.account_id.clone();
    let sum = |all: &[&crate::ledger::Postings], of: LedgerAccount, currency: &str| {
        let all = all.iter().fold(crate::ledger::Postings::none(), |all, one| all.with((*one).clone()));
        all.on(&of, currency.parse().unwrap()).unwrap().to_string()
    };
    let psp = || LedgerAccount::Psp("stripe".to_owned());
    let first = [&credited.postings];
    assert_eq!(sum(&first, LedgerAccount::Client(account()), "USD"), "-1340.50 USD");
    assert_eq!(sum(&first, psp(), "EUR"), "1250.00 EUR");
    assert_eq!(sum(&first, psp(), "USD"), "0.00 USD");
    let second = [&credited.postings, &gone.postings];
    assert_eq!(sum(&second, LedgerAccount::Reversed(account()), "USD"), "1340.50 USD");
    assert_eq!(sum(&second, psp(), "EUR"), "0.00 EUR");
    let third = [&credited.postings, &gone.postings, &back.postings];
    assert_eq!(sum(&third, LedgerAccount::Reversed(account()), "USD"), "0.00 USD");
    assert_eq!(sum(&third, psp(), "EUR"), "1250.00 EUR");
}

#[test]
fn a_number_is_the_same_proof_however_it_is_written() {
    let named = |action: &str, evidence: &str| {
        Proof::of(&HumanDecision { evidence: Some(evidence.to_owned()), ..late(action) }, TicketForm::Number)
    };
    for action in ["mark_credited", "mark_debited_on_platform"] {
        for written in ["4711", " 4711 ", "#4711", "deal 04711", "4711 100.00 USD", "4711."] {
            assert_eq!(named(action, written), Some(Proof::Ticket("4711".to_owned())), "{written}");
        }
        assert_eq!(named(action, "Unnumbered"), Some(Proof::Ticket("unnumbered".to_owned())));
        let (one, other) = (named(action, "words-12ab34cd"), named(action, "words-12ff00aa"));
        assert_ne!(one, other, "two people's own words");
        assert_ne!(one, named(action, "12"));
    }
    for written in ["re_1A", "RE_1a.", "re_1A to somebody", "(re_1A)"] {
        assert_eq!(named("refund_at_psp", written), Some(Proof::Refund("re_1a".to_owned())), "{written}");
    }
    assert_eq!(named("close_without_credit", "4711"), None);
    assert_eq!(Proof::of(&HumanDecision { evidence: None, ..late("mark_credited") }, TicketForm::Number), None);
}
