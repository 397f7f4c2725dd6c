//! Tickets of the platform that persons name: nothing follows before the platform has shown the deal.

use rust_decimal::Decimal;

use super::fixture::*;
use crate::account::rules::TicketForm;
use crate::decision::Verdict;
use crate::payment::ticket::Reopened;
use crate::payment::{
    CreditStep, Deposit, DepositStatus, DueStep, NamedTicket, Proof, PspReport, PspStatus, Shown, ShownDeal,
    StrayReport, StrayState,
};
use crate::work::{ByHandRefusal, HumanDecision};
use crate::{PaymentId, WorkId};

fn work() -> WorkId {
    WorkId::from_bits(7)
}

fn naming(deposit: &Deposit, decision: &HumanDecision) -> Result<Verdict<Deposit>, ByHandRefusal> {
    deposit.ticket_named(decision, TicketForm::Number, true, &work(), 0, at(5000))
}

fn named(deposit: &Deposit, decision: &HumanDecision) -> (Deposit, NamedTicket) {
    let decision = change(naming(deposit, decision).unwrap());
    assert_eq!(decision.events, ["deposit.ticket_named"]);
    assert!(decision.postings.is_none(), "nothing is booked before it is looked up");
    let named = decision.next.inner.named.last().unwrap().clone();
    (decision.next, named)
}

fn decided_at(decision: HumanDecision, seconds: i64) -> HumanDecision {
    HumanDecision { at: at(seconds), ..decision }
}

fn by_hand(deposit: &Deposit, ticket: &str) -> HumanDecision {
    decided_at(person(deposit, "mark_credited", Some(ticket)), 5000)
}

/// A deposit that nobody told of, its item, and what it has become since.
fn silent() -> (Deposit, HumanDecision) {
    let silent = crate::payment::PollAnswer::Silent("time-out".to_owned());
    let limits = crate::payment::PollLimits::from(rules().psp("stripe").unwrap());
    let deposit = change(pending().polled(&silent, limits, rules(), at(4000))).next;
    let deposit = match deposit.status() {
        DepositStatus::NeedsReview => deposit,
        _ => change(deposit.polled(&silent, limits, rules(), at(4500))).next,
    };
    let decision = by_hand(&deposit, "777");
    (deposit, decision)
}

fn shown(amount: &str, comment: &str) -> ShownDeal {
    let amount: Decimal = amount.parse().unwrap();
    ShownDeal { is_balance: true, amount, digits: Some(2), comment: comment.to_owned(), together: amount }
}

#[test]
fn nothing_is_credited_before_the_deal_was_looked_up_and_then_exactly_it_is() {
    let deposit = in_status(DepositStatus::NeedsReview);
    for (written, ticket) in [("777", "777"), ("deal 0777", "777"), ("#777", "777")] {
        let (waiting, named) = named(&deposit, &by_hand(&deposit, written));
        assert_eq!((waiting.status(), waiting.facts.credited), (DepositStatus::NeedsReview, None));
        assert_eq!((named.ticket.as_deref(), named.moved), (Some(ticket), Some(money("1200.00 USD"))));
        assert!(waiting.due.is_some_and(|due| due > at(5000)), "a lost message is made good for");
        assert_eq!(waiting.due_step(at(6000)), DueStep::Credit);
        assert!(matches!(naming(&waiting, &by_hand(&deposit, "777")), Ok(Verdict::Nothing(_))));
        let taken = change(waiting.ticket_proven(&named, at(5001)));
        assert_eq!((taken.next.status(), taken.next.facts.credited), (DepositStatus::Credited, named.moved));
        assert_eq!(taken.next.facts.platform.operation.as_deref(), Some(ticket));
        assert!(taken.next.inner.named.is_empty() && taken.next.due.is_none() && !taken.postings.is_none());
        for again in [taken.next.ticket_proven(&named, at(5002)), taken.next.ticket_refused(&named, "x", at(5002))] {
            assert!(matches!(again, Verdict::Nothing(_)));
        }
    }
    for words in ["words-0123456789abcdef", "T", "0"] {
        let refused = naming(&deposit, &by_hand(&deposit, words));
        assert_eq!(refused, Err(ByHandRefusal::NotATicket), "{words}");
    }
}

#[test]
fn a_deal_is_called_as_its_platform_calls_it() {
    let deposit = in_status(DepositStatus::NeedsReview);
    let name = |evidence: &str| {
        let decision = by_hand(&deposit, evidence);
        deposit.ticket_named(&decision, TicketForm::Name, true, &work(), 0, at(5000))
    };
    for (written, ticket) in
        [("T700001", "T700001"), ("deal T700001", "T700001"), ("(pay_01j9zz).", "pay_01j9zz"), ("0777", "0777")]
    {
        let waiting = change(name(written).unwrap()).next;
        let named = waiting.inner.named.last().unwrap().clone();
        assert_eq!(named.ticket.as_deref(), Some(ticket), "{written}");
        // in whatever letters it is named, it proves one thing
        assert_eq!(named.proof(), Some(Proof::Ticket(ticket.to_lowercase())));
        let taken = change(waiting.ticket_proven(&named, at(5001))).next;
        assert_eq!(taken.facts.platform.operation.as_deref(), Some(ticket));
    }
    for words in ["words-0123456789abcdef", "T", "pay/1", &format!("T{}", "1".repeat(64))] {
        assert_eq!(name(words), Err(ByHandRefusal::NotATicket), "{words}");
    }
}

#[test]
fn a_deal_that_proves_nothing_opens_the_item_again_and_moves_nothing() {
    let deposit = in_status(DepositStatus::NeedsReview);
    let (waiting, named) = named(&deposit, &by_hand(&deposit, "777"));
    let refused = change(waiting.ticket_refused(&named, "there is no such deal on the account", at(5001)));
    assert_eq!(
        (refused.events.as_slice(), refused.next.status()),
        (["desk.reopened"].as_slice(), DepositStatus::NeedsReview)
    );
    assert_eq!(refused.next.facts.reopened, Some(Reopened { work_id: work(), opening: 0 }));
    let said = "finance-1 named deal 777 as proof for mark_credited: there is no such deal on the account";
    assert_eq!((refused.why.as_slice(), refused.postings.is_none()), ([said.to_owned()].as_slice(), true));
    // it waits for the very same item
    assert_eq!(refused.next.inner.held, deposit.inner.held);
    assert!(refused.next.inner.named.is_empty() && refused.next.due.is_none());
    let approved =
        NamedTicket { decision: HumanDecision { approved_by: Some("ben".to_owned()), ..named.decision }, ..named };
    assert!(approved.sentence("x").starts_with("finance-1, approved by ben, named deal 777"));
}

#[test]
fn while_a_person_says_that_it_is_credited_nothing_is_sent_whatever_comes() {
    let (deposit, decision) = silent();
    let heard = change(hear(&deposit, &success(4600), 4601)).next;
    assert_eq!(heard.status(), DepositStatus::Paid);
    for (start, then_heard) in [(deposit, true), (heard, false)] {
        let (mut waiting, named) = named(&start, &decision);
        if then_heard {
            waiting = change(hear(&waiting, &success(5001), 5002)).next;
        }
        assert_eq!(waiting.status(), DepositStatus::Paid);
        assert!(matches!(waiting.credit_step(at(5003)), CreditStep::Nothing(_)));
        assert_eq!(waiting.due_step(at(9000)), DueStep::Credit);
        let taken = change(waiting.ticket_proven(&named, at(5004))).next;
        assert_eq!((taken.status(), taken.facts.credited), (DepositStatus::Credited, Some(money("1250.00 USD"))));
        // a mistyped number is no reason to credit again what was credited by hand
        let refused = change(waiting.ticket_refused(&named, "x", at(5004))).next;
        assert_eq!(refused.status(), DepositStatus::NeedsReview);
        let held = refused.inner.held.as_ref().unwrap();
        assert!(decision.is_about(&held.review.kind, &held.review.trigger), "the item that is opened again decides");
        assert!(matches!(refused.credit_step(at(5005)), CreditStep::Nothing(_)));
    }
}

#[test]
fn what_goes_back_while_it_is_looked_up_is_not_credited_as_if_it_had_not() {
    let (deposit, decision) = silent();
    let heard = change(hear(&deposit, &success(4600), 4601)).next;
    let (waiting, named) = named(&heard, &decision);
    let part = change(hear(&waiting, &refund(Some("250.00 USD"), 5001), 5002)).next;
    assert!(part.due.is_some() && !part.inner.named.is_empty(), "it is still looked up");
    let told = change(part.ticket_proven(&named, at(5003)));
    assert_eq!((told.events.as_slice(), told.next.facts.credited), (["desk.reopened"].as_slice(), None));
    assert!(told.why[0].contains("250.00 USD has gone back"), "{:?}", told.why);
    // all of it: the deal stands, and is to be taken off
    let whole = change(hear(&waiting, &refund(Some("1250.00 USD"), 5001), 5002)).next;
    assert_eq!(whole.status(), DepositStatus::Refunded);
    assert!(whole.due.is_some() && !whole.inner.named.is_empty(), "it is still looked up");
    let taken = change(whole.ticket_proven(&named, at(5003)));
    assert_eq!(asks(&taken.next), Some("deposit_reversed_after_credit"));
    assert_eq!(taken.next.facts.credited, Some(money("1250.00 USD")));
}

#[test]
fn a_platform_that_cannot_be_asked_is_asked_again_for_a_day_and_never_believed() {
    let deposit = in_status(DepositStatus::NeedsReview);
    let (mut waiting, named) = named(&deposit, &by_hand(&deposit, "777"));
    let mut now = 5000;
    let mut asked = 0;
    loop {
        let next = change(waiting.ticket_not_looked_up(&named, "time-out", at(now)));
        assert_eq!((next.next.status(), next.next.facts.credited), (DepositStatus::NeedsReview, None));
        if next.events == ["desk.reopened"] {
            assert!(next.why[0].contains("nobody has looked"), "{:?}", next.why);
            break;
        }
        let wait = next.next.due.unwrap().millis_since(at(now)) / 1000;
        assert!((60..=900).contains(&wait), "{wait}");
        (waiting, now, asked) = (next.next, now + wait, asked + 1);
    }
    assert!((86_400..=86_400 + 900).contains(&(now - 5000)) && asked > 90, "{now} {asked}");
}

#[test]
fn a_deal_is_held_against_what_was_said() {
    let own: PaymentId = pending().id;
    let other: PaymentId = "pay_01j9zzzzzzabcdefghjkmnpqrs".parse().unwrap();
    let deposit = in_status(DepositStatus::NeedsReview);
    let (_, named) = named(&deposit, &by_hand(&deposit, "777"));
    let held = |shown: ShownDeal| named.held_against(&Shown::Deal(shown), Some(&own));
    let cut = |comment: String| comment.chars().take(31).collect::<String>();
    for comment in [
        String::new(),
        "by hand".to_owned(),
        own.to_string(),
        own.to_string().to_uppercase(),
        format!("{own}R"),
        cut(format!("part of {own}")),
        cut(format!("a credit for the {own}")),
        "pay_later please".to_owned(),
    ] {
        assert_eq!(held(shown("1200.00", &comment)), Ok(()), "{comment}");
    }
    for comment in [
        other.to_string(),
        other.to_string().to_uppercase(),
        format!("{other}R"),
        cut(format!("part of {other}")),
        cut(format!("{own} {other}")).replace(own.as_str(), "x"),
        format!("see {}", &other.as_str()[..15]),
    ] {
        let found = held(shown("1200.00", &comment));
        if comment.contains("pay_") || comment.contains("PAY_") {
            assert!(found.as_ref().is_err_and(|found| found.contains("another payment")), "{comment}: {found:?}");
        }
    }
    for (wrong, says) in [
        (shown("1200.01", ""), "it moved 1200.01; expected 1200.00 USD"),
        (shown("-1200.00", ""), "it moved -1200.00; expected 1200.00 USD"),
        (ShownDeal { is_balance: false, ..shown("1200.00", "") }, "it is no balance operation"),
        (ShownDeal { digits: Some(0), ..shown("1200.00", "") }, "its account is not in USD"),
        (
            ShownDeal { together: "2400.00".parse().unwrap(), ..shown("1200.00", "") },
            "it moved 1200.00, and with the other deals under the payment's id 2400.00; expected 1200.00 USD",
        ),
    ] {
        assert_eq!(held(wrong), Err(says.to_owned()));
    }
    // a part, and the rest under the same id
    assert_eq!(held(ShownDeal { together: "1200.00".parse().unwrap(), ..shown("700.00", "") }), Ok(()));
    for shown in [Shown::Nothing, Shown::OfAnotherAccount, Shown::OutOfTime] {
        assert!(named.held_against(&shown, Some(&own)).is_err(), "{shown:?}");
    }
}

#[test]
fn what_was_taken_off_is_held_against_what_went_back() {
    let reversed = in_status(DepositStatus::Credited);
    let reversed = change(hear(&reversed, &refund(Some("250.00 USD"), 30), 31)).next;
    let decision = decided_at(person(&reversed, "mark_debited_on_platform", Some("888")), 5000);
    let (waiting, named) = named(&reversed, &decision);
    assert_eq!(named.moved, Some(money("250.00 USD").negated()));
    let own = reversed.id.clone();
    let held = |amount: &str| named.held_against(&Shown::Deal(shown(amount, "")), Some(&own));
    assert_eq!(held("-250.00"), Ok(()));
    for wrong in ["250.00", "-249.99", "-1250.00"] {
        assert!(held(wrong).is_err(), "{wrong}");
    }
    let taken = change(waiting.ticket_proven(&named, at(5001)));
    assert_eq!((taken.next.inner.debits.len(), taken.postings.is_none()), (1, false));
    assert_eq!((taken.next.status(), taken.next.due), (DepositStatus::Credited, None));
    let refused = change(waiting.ticket_refused(&named, "x", at(5001))).next;
    assert!(refused.inner.debits.is_empty() && refused.status() == DepositStatus::Credited);
    // the automation's own deal is known
    let own = decided_at(person(&reversed, "mark_credited", Some("136623")), 5000);
    let own = HumanDecision { kind: "credit_unresolved".to_owned(), ..own };
    assert!(matches!(
        reversed.ticket_named(&own, TicketForm::Number, false, &work(), 0, at(5000)),
        Ok(Verdict::Nothing(_))
    ));
}

#[test]
fn money_without_an_owner_waits_for_its_deal_and_is_open_again_without_it() {
    let report = PspReport { payment_id: None, ..says(PspStatus::Succeeded, Some("90.00 USD"), 10) };
    let open = StrayReport::of(report, at(11)).unwrap().next;
    let decide = |evidence: &str| HumanDecision {
        kind: "deposit_unknown_reference".to_owned(),
        trigger: None,
        action: "mark_credited".to_owned(),
        evidence: Some(evidence.to_owned()),
        by: "finance-1".to_owned(),
        approved_by: None,
        at: at(20),
    };
    let name = |evidence: &str| open.ticket_named(&decide(evidence), &work(), 0, at(20));
    for (evidence, moved) in [("777", "90.00 USD"), ("777 81.20 EUR", "81.20 EUR"), ("777 5.00 USD", "90.00 USD")] {
        let decision = change(name(evidence).unwrap());
        let waiting = decision.next;
        assert_eq!(
            (decision.events.as_slice(), waiting.facts.state),
            (["stray.ticket_named"].as_slice(), StrayState::ByHand)
        );
        assert!(waiting.due.is_some() && waiting.taken_over().is_err(), "the automation leaves it alone");
        let named = waiting.facts.named.clone().unwrap();
        assert_eq!(named.moved, Some(money(moved)));
        let taken = change(waiting.ticket_proven(&named)).next;
        assert_eq!((taken.facts.state, taken.due, &taken.facts.named), (StrayState::ByHand, None, &None));
        let refused = change(waiting.ticket_refused(&named, "no live server has a deal of that number", at(21)));
        assert_eq!(
            (refused.events.as_slice(), refused.next.facts.state),
            (["desk.reopened"].as_slice(), StrayState::Open)
        );
        assert!(refused.next.due.is_some() && refused.next.taken_over().is_ok());
        assert!(change(waiting.ticket_redriven(at(600)).unwrap()).events == ["stray.ticket_named"]);
        assert!(matches!(waiting.ticket_redriven(at(21)), Some(Verdict::Nothing(_))));
        assert!(change(waiting.ticket_not_looked_up(&named, "time-out", at(100))).next.due > Some(at(100)));
    }
    assert_eq!(name("words-0123456789abcdef"), Err(ByHandRefusal::NotATicket));
    let refund = HumanDecision { action: "refund_at_psp".to_owned(), ..decide("re_1") };
    let refunded = change(open.ticket_named(&refund, &work(), 0, at(20)).unwrap()).next;
    assert_eq!((refunded.facts.state, refunded.facts.named), (StrayState::ByHand, None));
}
