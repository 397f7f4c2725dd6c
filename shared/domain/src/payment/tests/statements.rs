//! What the table of single statements does not show: tolerance, references, order of several statements.

use super::fixture::*;
use crate::decision::Verdict;
use crate::payment::{Deposit, DepositStatus, PspReport, PspStatus, Returned, StrayReport, Way};

#[test]
fn within_the_tolerance_what_was_collected_is_credited_and_not_what_was_asked_for() {
    let rules = rules_tolerating("0.50");
    for (collected, credited) in
        [("1249.50 USD", true), ("1250.50 USD", true), ("1249.49 USD", false), ("1250.51 USD", false)]
    {
        let report = says(PspStatus::Succeeded, Some(collected), 10);
        let decision = change(pending().hear(&report, &rules, at(11)));
        assert_eq!(decision.events == ["deposit.paid"], credited, "{collected}");
        assert_eq!(decision.next.creditable(), money(collected));
    }
}

/// What a payer sends from a wallet of coins is never quite what was asked for.
#[test]
fn of_coins_what_was_received_is_credited_within_the_rules() {
    let says_coins = |collected: Option<&str>| PspReport {
        psp: "coinspaid".to_owned(),
        reference: "2686510".to_owned(),
        ..says(PspStatus::Succeeded, collected, 10)
    };
    // 1250 were asked for, and the rules take up to a tenth more
    for collected in ["0.01 USD", "1100.17 USD", "1249.99 USD", "1250.00 USD", "1375.00 USD"] {
        let paid = change(hear(&pending_at("coinspaid", ""), &says_coins(Some(collected)), 11));
        assert_eq!(paid.events, ["deposit.paid"], "{collected}");
        assert_eq!((paid.next.creditable(), paid.next.facts.psp.reference.as_str()), (money(collected), "2686510"));
    }
    for (collected, kind) in [
        (Some("1375.01 USD"), "deposit_overpaid"),
        (Some("0.00 USD"), "deposit_underpaid"),
        (Some("1250.00 EUR"), "deposit_currency_mismatch"),
        (None, "deposit_currency_mismatch"),
    ] {
        let held = change(hear(&pending_at("coinspaid", ""), &says_coins(collected), 11));
        assert_eq!(asks(&held.next), Some(kind), "{collected:?}");
    }
}

/// An address takes money as long as it is there: each transaction is money of its own.
#[test]
fn another_transaction_on_an_address_is_a_persons_and_asked_about_once() {
    let coins = |reference: &str, seconds| PspReport {
        psp: "coinspaid".to_owned(),
        event_id: format!("{reference}:confirmed"),
        reference: reference.to_owned(),
        ..says(PspStatus::Scored { risk: 100 }, Some("1200.00 USD"), seconds)
    };
    let paid = change(hear(&pending_at("coinspaid", ""), &coins("1", 10), 11)).next;
    assert_eq!(hear(&paid, &coins("1", 12), 13), Verdict::Nothing("the collection is already counted"));
    let asked = change(hear(&paid, &coins("2", 20), 21));
    assert_eq!(
        (asks(&asked.next), asked.events.as_slice()),
        (Some("deposit_unknown_reference"), ["desk.item"].as_slice())
    );
    assert_eq!((asked.next.status(), asked.next.creditable()), (DepositStatus::Paid, money("1200.00 USD")));
    assert!(matches!(hear(&asked.next, &coins("2", 22), 23), Verdict::Nothing(_)));
    assert_eq!(asks(&change(hear(&asked.next, &coins("3", 30), 31)).next), Some("deposit_unknown_reference"));
    // the first was called off: the next is simply the payer's next attempt
    let off = PspReport { status: PspStatus::Failed, ..coins("1", 10) };
    let failed = change(hear(&pending_at("coinspaid", ""), &off, 11)).next;
    assert_eq!(change(hear(&failed, &coins("2", 20), 21)).events, ["deposit.paid"]);
}

#[test]
fn money_that_the_provider_finds_risky_is_a_persons_from_the_rules_score_on() {
    let scored = |psp: &str, risk| PspReport {
        psp: psp.to_owned(),
        reference: String::new(),
        ..says(PspStatus::Scored { risk }, Some("1250.00 USD"), 10)
    };
    for (psp, risk, held) in
        [("coinspaid", 500, false), ("coinspaid", 501, true), ("coinspaid", 1000, true), ("praxis", 1000, false)]
    {
        let heard = change(hear(&pending_at(psp, ""), &scored(psp, risk), 11));
        assert_eq!(asks(&heard.next) == Some("deposit_risky"), held, "{psp} {risk}");
        assert_eq!(heard.events == ["deposit.paid"], !held);
        assert_eq!(heard.next.facts.paid, Some(money("1250.00 USD")));
        assert!(heard.why.concat().contains(&format!("risk {risk} of 1000")), "{:?}", heard.why);
    }
}

/// The payer's word is no money: it is asked for where it would be credited, and nowhere else.
#[test]
fn a_payers_word_moves_nothing_and_is_taken_where_its_money_would_be_credited() {
    let word = says(PspStatus::Payable { token: "PH1".to_owned() }, Some("1250.00 USD"), 10);
    assert!(!word.moves_money());
    assert!(matches!(hear(&pending(), &word, 11), Verdict::Nothing(_)));
    assert!(pending().takes_what_is_agreed());
    for status in [DepositStatus::Failed, DepositStatus::Expired] {
        assert!(in_status(status).takes_what_is_agreed(), "{status:?}");
        assert!(matches!(hear(&in_status(status), &word, 3000), Verdict::Nothing(_)), "{status:?}");
    }
    for status in [
        DepositStatus::Paid,
        DepositStatus::Crediting,
        DepositStatus::CreditingUnknown,
        DepositStatus::Credited,
        DepositStatus::NeedsReview,
        DepositStatus::Refunded,
        DepositStatus::ChargedBack,
    ] {
        assert!(!in_status(status).takes_what_is_agreed(), "{status:?}");
    }
    // closed for good: a later collection is a person's, so none is asked for
    let closed = change(hear(&pending(), &says(PspStatus::Canceled, None, 10), 11)).next;
    assert!(!closed.takes_what_is_agreed());
}

#[test]
fn no_tolerance_makes_nothing_collected_something() {
    let rules = rules_tolerating("5000");
    let report = says(PspStatus::Succeeded, Some("0.00 USD"), 10);
    assert_eq!(asks(&change(pending().hear(&report, &rules, at(11))).next), Some("deposit_underpaid"));
}

#[test]
fn a_failed_attempt_and_a_second_one_that_succeeds_are_credited_in_either_order() {
    let failed = says(PspStatus::Failed, None, 10);
    let first = change(hear(&pending(), &failed, 11)).next;
    assert_eq!(change(hear(&first, &success(20), 21)).events, ["deposit.paid"]);
    let first = change(hear(&pending(), &success(20), 21)).next;
    assert_eq!(hear(&first, &failed, 22), Verdict::Nothing("it is not newer than the collection"));
}

#[test]
fn a_success_is_measured_against_the_newest_failure() {
    let mut deposit = pending();
    for seconds in [10, 30] {
        deposit = change(hear(&deposit, &says(PspStatus::Failed, None, seconds), seconds)).next;
    }
    assert_eq!(asks(&change(hear(&deposit, &success(20), 31)).next), Some("deposit_paid_after_failure"));
    assert_eq!(change(hear(&deposit, &success(40), 41)).events, ["deposit.paid"]);
}

#[test]
fn a_success_after_the_payment_was_closed_for_good_is_for_a_person() {
    let failed = change(hear(&pending(), &says(PspStatus::Failed, None, 10), 11)).next;
    for canceled_at in [5, 15] {
        let closed = change(hear(&failed, &says(PspStatus::Canceled, None, canceled_at), 16));
        assert_eq!((closed.outcome, closed.events.len()), ("failure_noted", 0));
        let decision = change(hear(&closed.next, &success(20), 21));
        assert_eq!(asks(&decision.next), Some("deposit_paid_after_failure"));
        assert_eq!(decision.next.facts.paid, Some(money("1250.00 USD")));
    }
}

#[test]
fn a_collection_told_before_its_refund_or_after_it_is_not_credited() {
    let refund = refund(Some("1250.00 USD"), 20);
    let first = change(hear(&pending(), &refund, 21)).next;
    assert_eq!(hear(&first, &success(10), 22), Verdict::Nothing("the money has already gone back"));
    // one that is newer than the refund is other money
    let news = change(hear(&first, &success(30), 31));
    assert_eq!(
        (news.events.as_slice(), asks(&news.next)),
        (["desk.item"].as_slice(), Some("deposit_paid_after_failure"))
    );
    assert_eq!(news.next.status(), DepositStatus::Refunded);
}

#[test]
fn a_dispute_after_a_refund_is_asked_about_once() {
    let refunded = in_status(DepositStatus::Refunded);
    let dispute = dispute(Some("1250.00 USD"), 40);
    let asked = change(hear(&refunded, &dispute, 41));
    assert_eq!((asked.events.as_slice(), asked.next.status()), (["desk.item"].as_slice(), DepositStatus::Refunded));
    assert_eq!(hear(&asked.next, &dispute, 42), Verdict::Nothing("the statement is already with a person"));
}

#[test]
fn a_part_that_goes_back_before_the_credit_is_not_credited() {
    let part = refund(Some("50.00 USD"), 20);
    for status in [DepositStatus::Pending, DepositStatus::Paid, DepositStatus::Failed, DepositStatus::Expired] {
        let decision = change(hear(&in_status(status), &part, 21));
        assert_eq!(asks(&decision.next), Some("deposit_underpaid"), "{status:?}");
        let decided = decision.next.decided(&person(&decision.next, "credit_paid_amount", None), at(30));
        assert_eq!(change(decided).next.creditable(), money("1200.00 USD"), "{status:?}");
    }
}

fn numbered(tid: &str, status: PspStatus, seconds: i64) -> PspReport {
    PspReport {
        psp: "praxis".to_owned(),
        reference: tid.to_owned(),
        event_id: format!("{tid}:{status:?}"),
        ..says(status, Some("1250.00 USD"), seconds)
    }
}

/// A provider that makes a number only when the payer pays, and one for each attempt and refund.
fn without_reference() -> Deposit {
    pending_at("praxis", "")
}

#[test]
fn the_first_collection_gives_the_reference_and_a_second_one_is_not_taken_for_it() {
    let failed = change(hear(&without_reference(), &numbered("11", PspStatus::Failed, 10), 11)).next;
    assert_eq!(failed.facts.psp.reference, "");
    let paid = change(hear(&failed, &numbered("12", PspStatus::Succeeded, 20), 21)).next;
    assert_eq!((paid.status(), paid.facts.psp.reference.as_str()), (DepositStatus::Paid, "12"));
    let again = PspReport { at: at(50), ..numbered("12", PspStatus::Succeeded, 20) };
    assert_eq!(hear(&paid, &again, 51), Verdict::Nothing("the collection is already counted"));
    let second = change(hear(&paid, &numbered("13", PspStatus::Succeeded, 30), 31));
    assert_eq!(
        (second.events.as_slice(), asks(&second.next)),
        (["desk.item"].as_slice(), Some("deposit_unknown_reference"))
    );
    assert_eq!(second.next.status(), DepositStatus::Paid);
}

#[test]
fn a_refund_with_a_number_of_its_own_is_heard() {
    let paid = change(hear(&without_reference(), &numbered("12", PspStatus::Succeeded, 20), 21)).next;
    let refunded = change(hear(
        &paid,
        &PspReport {
            psp: "praxis".to_owned(),
            reference: "14".to_owned(),
            ..one("14", Way::Refund, true, Some("1250.00 USD"), 30)
        },
        31,
    ));
    assert_eq!(refunded.events, ["deposit.refunded"]);
}

#[test]
fn the_own_payment_is_credited_although_another_one_is_with_a_person() {
    let stray = PspReport { reference: "pi_other".to_owned(), ..success(10) };
    let held = change(hear(&pending(), &stray, 11)).next;
    assert_eq!((asks(&held), held.facts.paid), (Some("deposit_unknown_reference"), None));
    let own = change(hear(&held, &PspReport { event_id: "evt_own".to_owned(), ..success(9) }, 20));
    assert_eq!((own.next.status(), own.events.as_slice()), (DepositStatus::Paid, ["deposit.paid"].as_slice()));
}

#[test]
fn an_amount_that_was_missing_may_come_later() {
    let missing = says(PspStatus::Succeeded, None, 10);
    let held = change(hear(&pending(), &missing, 11)).next;
    assert_eq!(asks(&held), Some("deposit_currency_mismatch"));
    let repeated = PspReport { event_id: "evt_2".to_owned(), ..missing };
    assert_eq!(hear(&held, &repeated, 12), Verdict::Nothing("a person is already deciding about it"));
    assert_eq!(change(hear(&held, &success(20), 21)).events, ["deposit.paid"]);
}

#[test]
fn a_statement_beside_a_review_is_an_item_of_its_own_and_the_deposit_waits_for_the_first() {
    let held = in_status(DepositStatus::NeedsReview);
    let second = change(hear(&held, &says(PspStatus::Succeeded, Some("50.00 USD"), 20), 21));
    assert_eq!((second.events.as_slice(), asks(&second.next)), (["desk.item"].as_slice(), Some("deposit_overpaid")));
    assert_eq!(second.next.facts.paid, held.facts.paid);
    let about_second = crate::work::HumanDecision {
        at: crate::Timestamp::EPOCH,
        kind: "deposit_overpaid".to_owned(),
        trigger: second.next.facts.review.as_ref().map(|review| review.trigger.clone()),
        action: "refund_at_psp".to_owned(),
        evidence: Some("re_1".to_owned()),
        by: "finance-1".to_owned(),
        approved_by: None,
    };
    assert!(matches!(second.next.decided(&about_second, at(30)), Verdict::Nothing(_)));
    let about_first = person(&second.next, "credit_paid_amount", None);
    assert_eq!(about_first.kind, "deposit_underpaid");
    assert_eq!(change(second.next.decided(&about_first, at(31))).events, ["deposit.paid"]);
}

#[test]
fn a_review_is_shown_only_by_the_versions_it_is_asked_in() {
    let flagged = change(hear(&in_status(DepositStatus::Crediting), &says(PspStatus::Failed, None, 30), 31)).next;
    assert_eq!(asks(&flagged), Some("deposit_failed_after_success"));
    assert_eq!(asks(&change(outcome(&flagged, booked(), 32)).next), None);
}

fn stray_of(report: PspReport) -> Option<crate::decision::Decision<StrayReport>> {
    StrayReport::of(report, at(0))
}

#[test]
fn only_stray_money_is_kept_and_every_statement_about_it_finds_the_same() {
    let nobodys = |report: PspReport| PspReport { payment_id: None, ..report };
    let first = stray_of(nobodys(success(10))).unwrap();
    assert_eq!(first.events, ["desk.item"]);
    assert_eq!(first.next.facts.review.as_ref().unwrap().kind, "deposit_unknown_reference");
    for report in [success(99), success(11), refund(None, 12), dispute(None, 13)] {
        let decision = stray_of(nobodys(report.clone())).unwrap();
        assert_eq!(decision.next.id, first.next.id, "{report:?}");
        // and whoever has it is not asked again
        match first.next.named_again(&report) {
            Verdict::Change(known) => {
                assert_eq!(known.events.len(), 0);
                assert!(matches!(known.next.named_again(&report), Verdict::Nothing(_)));
            }
            Verdict::Nothing(_) => panic!("{report:?} is not remembered"),
        }
    }
    let other = PspReport { reference: "pi_other".to_owned(), ..nobodys(success(10)) };
    assert_ne!(stray_of(other).unwrap().next.id, first.next.id);
    for status in
        [PspStatus::Pending, PspStatus::Processing, PspStatus::Failed, PspStatus::Canceled, PspStatus::Irrelevant]
    {
        assert!(stray_of(nobodys(says(status.clone(), None, 10))).is_none(), "{status:?}");
    }
}

fn decision_of(item: &StrayReport, action: &str) -> crate::work::HumanDecision {
    let review = item.facts.review.clone().unwrap();
    crate::work::HumanDecision {
        at: crate::Timestamp::EPOCH,
        kind: review.kind,
        trigger: Some(review.trigger),
        action: action.to_owned(),
        evidence: Some("re_1".to_owned()),
        by: "finance-1".to_owned(),
        approved_by: None,
    }
}

fn stray_change(verdict: Verdict<StrayReport>) -> crate::decision::Decision<StrayReport> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(reason) => panic!("nothing: {reason}"),
    }
}

#[test]
fn money_that_names_our_payment_waits_for_its_record_before_anybody_is_asked() {
    let waiting = stray_of(success(10)).unwrap();
    assert_eq!((waiting.events.len(), waiting.next.facts.review.as_ref()), (0, None));
    assert!(!waiting.next.is_taken(), "the provider is asked to send it again");
    assert_eq!(waiting.next.id, StrayReport::id_for("stripe", &pending().id));
    let waiting = waiting.next;
    assert!(matches!(waiting.still_without_owner(at(899)), Verdict::Nothing(_)));
    // the record is found in time: nobody ever heard of it
    let owned = stray_change(waiting.taken_over().unwrap());
    assert_eq!((owned.events.len(), owned.next.due), (0, None));
    // it is not: one item, which closes itself when it is found after all
    let open = stray_change(waiting.still_without_owner(at(900)));
    assert_eq!(open.events, ["desk.item"]);
    assert!(open.next.due.is_some() && open.next.is_taken());
    let again = stray_change(open.next.still_without_owner(at(900 + 3_600)));
    assert_eq!((again.events.len(), again.next.due), (0, Some(at(900 + 7_200))));
    let found = stray_change(open.next.taken_over().unwrap());
    assert_eq!(found.events, ["desk.settled"]);
    let settled = &found.next.facts.settled[0];
    let asked = open.next.facts.review.clone().unwrap();
    assert_eq!((&settled.kind, &settled.trigger, settled.at_ms), (&asked.kind, &asked.trigger, at(900).millis()));
    assert!(matches!(found.next.taken_over(), Ok(Verdict::Nothing(_))));
}

#[test]
fn stray_money_is_moved_by_a_person_or_by_the_automation_and_never_by_both() {
    let open = stray_change(stray_of(success(10)).unwrap().next.still_without_owner(at(900))).next;
    for action in ["refund_at_psp", "mark_credited"] {
        let by_hand = stray_change(open.decided(&decision_of(&open, action)).unwrap()).next;
        assert!(by_hand.taken_over().is_err(), "{action}");
        let owned = stray_change(open.taken_over().unwrap()).next;
        let refused = owned.decided(&decision_of(&open, action)).unwrap_err();
        assert!(refused.0.contains(pending().id.as_str()), "{refused:?}");
    }
    // nothing was moved: the payment that is found may go its way
    let closed = stray_change(open.decided(&decision_of(&open, "close_without_credit")).unwrap()).next;
    assert!(closed.taken_over().is_ok());
}

#[test]
fn stray_money_of_the_former_form_is_read() {
    use crate::entity::{self, Raw};
    let first = stray_of(PspReport { payment_id: None, ..refund(Some("5.00 USD"), 10) }).unwrap().next;
    let mut old = serde_json::to_value(&first.facts).unwrap();
    old.as_object_mut().unwrap().retain(|name, _| name == "report" || name == "review");
    old["report"]["status"] = "refunded".into();
    let old = old.to_string();
    let raw = Raw { schema: 1, ..Raw::of::<StrayReport>(first.id.as_str(), &old, None) };
    let read = entity::read::<StrayReport>(raw, None, None).unwrap();
    assert!(matches!(read.facts.report.status, PspStatus::Returned(Returned::One { .. })));
}

#[test]
fn what_a_provider_does_not_confirm_moves_nothing_and_asks_a_person_once() {
    let dispute = says(
        PspStatus::Returned(Returned::One { id: "7".to_owned(), way: Way::Dispute, stands: true, amount: None }),
        None,
        40,
    );
    for status in DepositStatus::ALL {
        let deposit = in_status(status);
        let asked = match deposit.unconfirmed(&dispute, at(50)) {
            Verdict::Change(decision) => decision.next,
            Verdict::Nothing(reason) => panic!("{status:?}: {reason}"),
        };
        let review = asked.facts.review.as_ref().map(|review| review.trigger.clone());
        let wanted = format!("unconfirmed:{}", dispute.event_id);
        assert_eq!(asked.facts.returned, deposit.facts.returned, "{status:?}");
        match status {
            DepositStatus::Paid => assert_eq!(asked.status(), DepositStatus::NeedsReview, "no credit is sent"),
            other => assert_eq!(asked.status(), other),
        }
        assert_eq!(review, Some(wanted), "{status:?}");
        assert!(matches!(asked.unconfirmed(&dispute, at(60)), Verdict::Nothing(_)), "{status:?}");
    }
    // the provider says it at last: that counts, whoever was asked
    let flagged = change(in_status(DepositStatus::Credited).unconfirmed(&dispute, at(50))).next;
    assert_eq!(change(hear(&flagged, &dispute, 60)).next.status(), DepositStatus::ChargedBack);
}

#[test]
fn an_unconfirmed_success_is_a_persons_unless_it_is_counted() {
    for status in [DepositStatus::Pending, DepositStatus::Failed, DepositStatus::Expired] {
        let asked = change(in_status(status).unconfirmed(&success(40), at(50))).next;
        assert_eq!(asks(&asked), Some("deposit_paid_after_failure"), "{status:?}");
        assert_eq!(asked.status(), DepositStatus::NeedsReview);
    }
    for status in [DepositStatus::Paid, DepositStatus::Crediting, DepositStatus::Credited] {
        assert!(matches!(in_status(status).unconfirmed(&success(40), at(50)), Verdict::Nothing(_)), "{status:?}");
    }
    let undone = Returned::One { id: "8".to_owned(), way: Way::Refund, stands: false, amount: None };
    let undone = says(PspStatus::Returned(undone), None, 40);
    assert!(matches!(in_status(DepositStatus::Credited).unconfirmed(&undone, at(50)), Verdict::Nothing(_)));
}

#[test]
fn a_kept_statement_waits_for_a_provider_that_cannot_be_asked_a_day_and_not_longer() {
    let kept = StrayReport::unconfirmed(success(10), at(3_600)).next;
    assert_eq!(kept.due, Some(at(3_600)));
    let later = stray_change(kept.ask_later(at(7_200), at(3_600)).unwrap()).next;
    assert_eq!((later.due, later.is_unconfirmed()), (Some(at(7_200)), true));
    assert_eq!(later.ask_later(at(90_000), at(86_410)), None);
    let heard = stray_change(later.taken_over().unwrap()).next;
    assert_eq!((heard.due, heard.is_unconfirmed()), (None, false));
}

#[test]
fn two_payments_at_the_provider_that_name_one_of_ours_are_two_and_the_owner_hears_all_of_each() {
    let first = stray_of(success(10)).unwrap().next;
    let other = PspReport { reference: "pi_other".to_owned(), event_id: "evt_other".to_owned(), ..success(11) };
    assert!(first.is_of(&success(10).reference) && !first.is_of(&other.reference));
    let beside = StrayReport::beside(other.clone(), at(11)).unwrap().next;
    assert_ne!(beside.id, first.id);
    assert_eq!(beside.id, StrayReport::id_beside("stripe", &pending().id, "pi_other"));
    let asked = stray_change(beside.still_without_owner(at(911))).next;
    assert_eq!(asked.facts.review.unwrap().trigger, "pi_other");

    let dispute = dispute(None, 20);
    let both = stray_change(first.named_again(&dispute)).next;
    assert_eq!(both.statements().collect::<Vec<_>>(), [&success(10), &dispute]);
    // one that came while the owner heard the first is not lost
    assert!(matches!(both.heard(1), Verdict::Nothing(_)));
    let owned = stray_change(both.taken_over().unwrap()).next;
    assert!(owned.due.is_some(), "whoever credits took it over, and the owner has not heard all of it");
    let heard = stray_change(owned.heard(2)).next;
    assert_eq!((heard.due, heard.facts.state), (None, crate::payment::StrayState::Owned));
    assert_eq!(stray_change(both.heard(2)).next.due, None);
}
