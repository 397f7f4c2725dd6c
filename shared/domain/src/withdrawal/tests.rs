//! The laws of withdrawals, whatever happens in whatever order.

mod legs;

use proptest::prelude::*;

use super::payout::PayoutLimits;
use super::plan::Leg;
use super::rules::Approval;
use super::*;
use crate::Redacted;
use crate::ledger::LedgerAccount;
use crate::payment::credit::{CreditOutcome, Found};
use crate::payment::{Payout, PspReport, PspStatus};
use crate::work::HumanDecision;
use crate::work::rules::WorkAction;

const REVIEW: Seconds = Seconds(600);
const LIMITS: PayoutLimits = PayoutLimits { poll: Seconds(900), review_after: Seconds(7_200) };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_432_500 + seconds).unwrap()
}

fn usd(text: &str) -> Money {
    Money::parse(text, "USD".parse().unwrap()).unwrap()
}

fn wallet() -> Target {
    let destination = Destination::Email(Redacted::new("ana@example.com".to_owned()));
    Target { psp: "stripe".to_owned(), destination, by_hand: false }
}

fn asked(approved: bool, legs: &[Leg]) -> Decision<Withdrawal> {
    let request = WithdrawalRequest {
        client_id: ClientId::from_bits(2),
        account_id: AccountId::from_bits(3),
        login: "954402".to_owned(),
        platform: "mt5".to_owned(),
        amount: usd("150.00"),
        target: legs.first().map_or_else(wallet, |leg| leg.target.clone()),
        payee: None,
        legs: legs.to_vec(),
        approval: if approved { Approval::Approve } else { Approval::Ask },
        first: true,
        why: vec![],
        asked: None,
    };
    Withdrawal::asked(NewWithdrawal { id: PaymentId::from_bits(1), request, approved, first: true, now: at(0) })
}

/// What the world outside has, so that what is known here can be held against it.
#[derive(Debug, Default)]
struct Outside {
    /// On the trading account: debit, put back.
    booked: [u32; 2],
    /// At the provider: payouts made.
    paid: u32,
}

/// A withdrawal, what was booked in the ledger, and the world outside.
struct Story {
    own: Withdrawal,
    client: Money,
    payable: Money,
    provider: Money,
    outside: Outside,
    now: i64,
}

impl Story {
    fn begin(approved: bool) -> Self {
        Self::of(asked(approved, &[]).next)
    }

    fn of(own: Withdrawal) -> Self {
        let zero = Money::zero(own.facts.requested.currency());
        Self { own, client: zero, payable: zero, provider: zero, outside: Outside::default(), now: 0 }
    }

    fn take(&mut self, verdict: &Verdict<Withdrawal>) -> bool {
        let Verdict::Change(decision) = verdict else { return false };
        let currency = self.client.currency();
        let on = |account: &LedgerAccount| decision.postings.on(account, currency).unwrap();
        let account = self.own.facts.account_id.clone();
        for (sum, ledger) in [
            (&mut self.client, LedgerAccount::Client(account.clone())),
            (&mut self.payable, LedgerAccount::Payable(account)),
            (&mut self.provider, LedgerAccount::Psp("stripe".to_owned())),
        ] {
            *sum = sum.checked_add(&on(&ledger)).unwrap();
        }
        let (private, public) =
            (serde_json::to_string(&decision.next.inner), serde_json::to_string(&decision.next.facts));
        let read: WithdrawalInner = serde_json::from_str(&private.unwrap()).unwrap();
        assert_eq!(read, decision.next.inner);
        let read: WithdrawalFacts = serde_json::from_str(&public.unwrap()).unwrap();
        assert_eq!(read, decision.next.facts);
        self.own = decision.next.clone();
        true
    }

    /// The worker of the trading platform; `fate` says what becomes of a call.
    fn book(&mut self, fate: u8) {
        let step = self.own.platform_step(at(self.now));
        self.do_step(step, fate);
    }

    fn do_step(&mut self, step: PlatformStep, fate: u8) {
        match step {
            PlatformStep::Send(intent) => {
                assert!(self.take(&intent));
                let Operation { amount, .. } = self.own.operation().unwrap();
                let place = usize::from(amount.is_positive());
                let outcome = match fate % 5 {
                    0 | 1 => {
                        self.outside.booked[place] += 1;
                        CreditOutcome::Booked(format!("{place}"))
                    }
                    2 => {
                        self.outside.booked[place] += 1;
                        CreditOutcome::Unknown("lost".to_owned())
                    }
                    3 => CreditOutcome::NotApplied("busy".to_owned()),
                    _ => CreditOutcome::Unknown("never arrived".to_owned()),
                };
                // killed right here
                if fate >= 200 {
                    return;
                }
                let sent = self.own.clone();
                let verdict = self.own.outcome(&sent, outcome, REVIEW, at(self.now));
                self.take(&verdict);
            }
            PlatformStep::Save(verdict) => {
                self.take(&verdict);
            }
            PlatformStep::LookUp => {
                if fate % 7 == 6 {
                    let verdict = self.own.not_known("silent", REVIEW, at(self.now));
                    self.take(&verdict);
                    return;
                }
                let place = usize::from(self.own.operation().unwrap().amount.is_positive());
                let found = match self.outside.booked[place] {
                    0 => Found::Absent,
                    _ => Found::Booked(format!("{place}")),
                };
                let named = self.own.inner.named.is_some();
                let next = self.own.looked_up(found, REVIEW, at(self.now));
                assert!(!(named && matches!(next, PlatformStep::Send(_))), "sent although a person booked it");
                if !matches!(next, PlatformStep::LookUp) {
                    self.do_step(next, fate);
                }
            }
            PlatformStep::Nothing(_) => {}
        }
    }

    fn pay(&mut self, fate: u8) {
        let step = match self.own.payout_step(at(self.now)) {
            PayoutStep::Ask if fate % 7 == 6 => {
                let verdict =
                    self.own.payout_answered(&PayoutAnswer::Unknown("silent".to_owned()), LIMITS, at(self.now));
                self.take(&verdict);
                return;
            }
            PayoutStep::Ask if self.outside.paid > 0 => {
                let paid = PayoutAnswer::Paid { reference: "re_1".to_owned() };
                let verdict = self.own.payout_answered(&paid, LIMITS, at(self.now));
                self.take(&verdict);
                return;
            }
            PayoutStep::Ask => self.own.payout_absent(LIMITS, at(self.now)),
            other => other,
        };
        match step {
            PayoutStep::Save(verdict) => {
                self.take(&verdict);
            }
            PayoutStep::Pay(intent) => {
                assert!(self.take(&intent));
                let reference = "re_1".to_owned();
                let answer = match fate % 6 {
                    0 | 1 => {
                        self.outside.paid += 1;
                        PayoutAnswer::Paid { reference }
                    }
                    2 => {
                        self.outside.paid += 1;
                        PayoutAnswer::Unknown("lost".to_owned())
                    }
                    3 => PayoutAnswer::Failed { reference: String::new(), code: "no".to_owned() },
                    4 => PayoutAnswer::NotTaken("busy".to_owned()),
                    _ => PayoutAnswer::Unknown("never arrived".to_owned()),
                };
                if fate >= 200 {
                    return;
                }
                let verdict = self.own.payout_answered(&answer, LIMITS, at(self.now));
                self.take(&verdict);
            }
            PayoutStep::Ask | PayoutStep::Nothing(_) => {}
        }
    }

    /// The provider tells of what it made, or that it came back.
    fn webhook(&mut self, fate: u8) {
        if self.outside.paid == 0 {
            return;
        }
        let status = if fate % 4 == 3 { Payout::Failed } else { Payout::Paid };
        let report = PspReport {
            psp: "stripe".to_owned(),
            event_id: format!("evt_{}", self.now),
            kind: "refund.updated".to_owned(),
            payment_id: Some(self.own.id.clone()),
            reference: "re_1".to_owned(),
            status: PspStatus::Payout(status),
            money: Some(self.own.facts.requested),
            at: at(self.now),
        };
        let before = self.own.status();
        let verdict = self.own.hear(&report, LIMITS, at(self.now));
        if self.take(&verdict) && self.own.status() == WithdrawalStatus::PayoutFailed && before != self.own.status() {
            self.outside.paid = 0;
        }
    }

    /// A person says what is so.
    fn person(&mut self, fate: u8) {
        let Some(held) = self.own.inner.held.clone() else { return };
        let kind: crate::work::rules::WorkKind = held.0.kind.parse().unwrap();
        let place = usize::from(kind == crate::work::rules::WorkKind::WithdrawalReturnUnresolved);
        let is_there = match kind {
            WorkKind::WithdrawalApproval => !fate.is_multiple_of(4),
            WorkKind::WithdrawalPayoutUnresolved => self.outside.paid > 0,
            _ => self.outside.booked[place] > 0,
        };
        let action = match (kind, is_there) {
            (WorkKind::WithdrawalApproval, true) => WorkAction::Approve,
            (WorkKind::WithdrawalApproval, false) => WorkAction::Decline,
            (WorkKind::WithdrawalDebitUnresolved, true) => WorkAction::MarkDebited,
            (WorkKind::WithdrawalDebitUnresolved, false) => WorkAction::MarkNotDebitedRetry,
            (WorkKind::WithdrawalPayoutUnresolved, true) => WorkAction::MarkPaidOut,
            (WorkKind::WithdrawalPayoutUnresolved, false) if fate.is_multiple_of(2) => WorkAction::CreditBack,
            (WorkKind::WithdrawalPayoutUnresolved, false) => WorkAction::MarkNotPaidRetry,
            (WorkKind::WithdrawalReturnUnresolved, true) => WorkAction::MarkReturned,
            (WorkKind::WithdrawalReturnUnresolved, false) => WorkAction::MarkNotReturnedRetry,
            other => panic!("{other:?}"),
        };
        let decision = HumanDecision {
            kind: held.0.kind,
            trigger: Some(held.0.trigger),
            action: action.as_str().to_owned(),
            evidence: Some("1".to_owned()),
            by: "ana".to_owned(),
            approved_by: None,
            at: at(self.now),
        };
        let verdict = self.own.decided(&decision, at(self.now));
        assert!(self.take(&verdict), "{action} does nothing: {:?}", self.own.facts);
        let again = self.own.decided(&decision, at(self.now));
        assert!(matches!(again, Verdict::Nothing(_)), "a decision that comes twice: {again:?}");
    }

    fn cancel(&mut self) {
        if let Ok(decision) = self.own.cancelled(at(self.now)) {
            assert_eq!(self.own.inner.debit.attempts, 0);
            self.take(&Verdict::Change(Box::new(decision)));
        }
    }

    fn holds(&self) {
        let [debits, backs] = self.outside.booked;
        assert!(debits <= 1 && backs <= 1 && self.outside.paid <= 1, "{:?}", self.outside);
        assert!(!(backs == 1 && self.outside.paid == 1), "paid and put back: {:?}", self.outside);
        let amount = usd("150.00");
        let zero = Money::zero(amount.currency());
        let there = |yes: bool| if yes { amount } else { zero };
        let facts = &self.own.facts;
        assert_eq!(self.client, less(there(facts.debited.is_some()), there(facts.returned.is_some())));
        assert_eq!(self.provider, there(facts.paid.is_some()).negated());
        assert!(!(facts.paid.is_some() && facts.returned.is_some()));
        match facts.status {
            WithdrawalStatus::PaidOut => assert_eq!((self.payable, self.outside.paid), (zero, 1)),
            WithdrawalStatus::Returned => assert_eq!((self.payable, debits, backs), (zero, 1, 1)),
            WithdrawalStatus::Declined | WithdrawalStatus::Cancelled => {
                assert_eq!((self.payable, facts.debited), (zero, None));
            }
            _ => {}
        }
        if facts.status.is_watched() {
            assert!(self.own.due.is_some(), "{} has no timer", facts.status);
        }
        if matches!(facts.status, WithdrawalStatus::NeedsReview | WithdrawalStatus::Requested) {
            assert!(self.own.inner.held.is_some(), "{} waits for nobody", facts.status);
        }
    }
}

fn less(a: Money, b: Money) -> Money {
    a.checked_add(&b.negated()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_happens_the_money_is_moved_once_and_ends_somewhere(
        approved: bool,
        steps in proptest::collection::vec((0_u8..6, any::<u8>(), 1_i64..400), 0..60),
    ) {
        let mut story = Story::begin(approved);
        for (what, fate, wait) in steps {
            story.now += wait;
            match what {
                0 | 1 => story.book(fate),
                2 => story.pay(fate),
                3 => story.webhook(fate),
                4 => story.person(fate),
                _ if fate < 60 => story.cancel(),
                _ => {}
            }
            story.holds();
        }
        // and then all is well again: it comes to an end
        for _ in 0..40 {
            story.now += 901;
            story.book(0);
            story.pay(0);
            story.person(1);
            story.holds();
        }
        prop_assert!(story.own.status().is_over(), "{:?}", story.own);
    }
}

#[test]
fn each_effect_has_a_reference_of_its_own_that_fits_the_comment() {
    let mut story = Story::begin(true);
    let debit = story.own.operation().unwrap();
    assert_eq!((debit.amount, debit.reference.as_str()), (usd("-150.00"), story.own.id.as_str()));
    story.own.facts.status = WithdrawalStatus::PayoutFailed;
    let back = story.own.operation().unwrap();
    assert_eq!((back.amount, back.reference.len()), (usd("150.00"), 31));
    assert!(back.reference.starts_with(&debit.reference));
}

#[test]
fn what_was_debited_after_it_had_ended_is_put_back() {
    let mut story = Story::begin(true);
    let PlatformStep::Send(intent) = story.own.platform_step(at(1)) else { panic!() };
    assert!(story.take(&intent));
    let sent = story.own.clone();
    let refused = story.own.outcome(&sent, CreditOutcome::Refused("margin".to_owned()), REVIEW, at(2));
    assert!(story.take(&refused));
    assert_eq!(story.own.status(), WithdrawalStatus::Declined);
    let late = story.own.outcome(&sent, CreditOutcome::Booked("7".to_owned()), REVIEW, at(3));
    story.outside.booked[0] = 1;
    assert!(story.take(&late));
    assert_eq!(story.own.status(), WithdrawalStatus::PayoutFailed);
    story.now = 10;
    story.book(0);
    assert_eq!(story.own.status(), WithdrawalStatus::Returned);
    story.holds();
}

#[test]
fn another_amount_than_was_asked_for_is_a_persons_and_moves_nothing() {
    let mut story = Story::begin(true);
    story.book(0);
    let PayoutStep::Pay(intent) = story.own.payout_step(at(1)) else { panic!() };
    assert!(story.take(&intent));
    let report = PspReport {
        psp: "stripe".to_owned(),
        event_id: "evt_1".to_owned(),
        kind: "refund.updated".to_owned(),
        payment_id: Some(story.own.id.clone()),
        reference: "re_1".to_owned(),
        status: PspStatus::Payout(Payout::Paid),
        money: Some(usd("150.01")),
        at: at(2),
    };
    let heard = story.own.hear(&report, LIMITS, at(2));
    assert!(story.take(&heard));
    assert_eq!(story.own.status(), WithdrawalStatus::PayingOut);
    assert_eq!(story.own.facts.review.as_ref().unwrap().kind, "withdrawal_contradicted");
    assert!(matches!(story.own.hear(&report, LIMITS, at(3)), Verdict::Nothing(_)));
}

/// A withdrawal whose payout is with the provider under a number.
fn accepted() -> Story {
    let mut story = Story::begin(true);
    story.book(0);
    let PayoutStep::Pay(intent) = story.own.payout_step(at(1)) else { panic!() };
    assert!(story.take(&intent));
    let answer = PayoutAnswer::Accepted { reference: "re_1".to_owned() };
    let verdict = story.own.payout_answered(&answer, LIMITS, at(2));
    assert!(story.take(&verdict));
    story
}

fn failure(reference: &str, seconds: i64) -> PspReport {
    PspReport {
        psp: "stripe".to_owned(),
        event_id: format!("evt_{seconds}"),
        kind: "refund.failed".to_owned(),
        payment_id: None,
        reference: reference.to_owned(),
        status: PspStatus::Payout(Payout::Failed),
        money: None,
        at: at(seconds),
    }
}

#[test]
fn only_the_failure_of_the_payout_that_was_paid_undoes_it() {
    let mut story = accepted();
    let paid = story.own.payout_answered(&PayoutAnswer::Paid { reference: "re_2".to_owned() }, LIMITS, at(3));
    assert!(story.take(&paid));
    for (seconds, reference) in [(4, "re_1"), (5, "")] {
        let heard = story.own.hear(&failure(reference, seconds), LIMITS, at(seconds));
        story.take(&heard);
        assert_eq!(story.own.status(), WithdrawalStatus::PaidOut, "{reference}");
    }
    assert!(story.own.inner.contradicted.is_some(), "a person is told");
    // and another contradiction is another question
    let other = PspReport { status: PspStatus::Payout(Payout::Paid), money: Some(usd("1.00")), ..failure("re_2", 6) };
    let heard = story.own.hear(&other, LIMITS, at(6));
    assert!(story.take(&heard));
    let own = story.own.hear(&failure("re_2", 7), LIMITS, at(8));
    assert!(story.take(&own));
    assert_eq!(story.own.status(), WithdrawalStatus::PayoutFailed);
    assert_eq!(story.own.inner.came_back, Some(at(7)), "the provider's time of it");
}

#[test]
fn what_the_provider_took_and_no_longer_knows_is_a_persons_after_its_time() {
    let mut story = accepted();
    let late = 2 + 7_200;
    let PayoutStep::Save(verdict) = story.own.payout_absent(LIMITS, at(61)) else { panic!() };
    assert!(story.take(&verdict));
    assert_eq!(story.own.status(), WithdrawalStatus::PayoutUnknown);
    let PayoutStep::Save(verdict) = story.own.payout_absent(LIMITS, at(late)) else { panic!() };
    assert!(story.take(&verdict));
    assert_eq!(story.own.status(), WithdrawalStatus::NeedsReview);
}

#[test]
fn a_payout_that_is_pending_after_a_person_had_it_sent_again_is_a_persons_again() {
    let mut story = accepted();
    let pending = PayoutAnswer::Accepted { reference: "re_1".to_owned() };
    let late = 2 + 7_200;
    let verdict = story.own.payout_answered(&pending, LIMITS, at(late));
    assert!(story.take(&verdict));
    story.now = late;
    story.person(1);
    assert_eq!(story.own.status(), WithdrawalStatus::Debited);
    for seconds in [late + 1, late + 900, late + 7_300] {
        let verdict = story.own.payout_answered(&pending, LIMITS, at(seconds));
        assert!(story.take(&verdict));
    }
    assert_eq!(story.own.status(), WithdrawalStatus::NeedsReview);
}

#[test]
fn an_account_that_is_not_open_is_not_debited_and_nothing_is_put_on_it() {
    use crate::account::CreditBar;

    let mut story = Story::begin(true);
    let step = story.own.platform_step(at(1));
    let PlatformStep::Save(verdict) = story.own.only_while_open(Some(CreditBar::NotOpen), step, at(1)) else {
        panic!()
    };
    assert!(story.take(&verdict));
    assert_eq!(story.own.status(), WithdrawalStatus::Declined);
    let mut story = accepted();
    let failed = story.own.hear(&failure("re_1", 5), LIMITS, at(5));
    assert!(story.take(&failed));
    let step = story.own.platform_step(at(6));
    let PlatformStep::Save(verdict) = story.own.only_while_open(Some(CreditBar::NotOpen), step, at(6)) else {
        panic!()
    };
    assert!(story.take(&verdict));
    assert_eq!(story.own.facts.review.as_ref().unwrap().kind, "withdrawal_return_unresolved");
}
