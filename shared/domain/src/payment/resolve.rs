//! What a person's decision on a work item does to a deposit: it lands on the same intent that the automation uses.
//!
//! The item that a deposit waits for moves it, and only that item: decisions about statements beside it are kept with
//! their own items. A decision that says nothing about the money leaves the question open, and so opens a new item:
//! a deposit never waits for an item that is closed.

use super::deposit::{Deposit, DepositStatus, Held, Reason};
use super::returns::left;
use crate::decision::Verdict;
use crate::work::HumanDecision;
use crate::work::rules::{WorkAction, WorkKind};
use crate::{Money, Seconds, Timestamp};

/// How long a deposit that a person sends back to waiting may wait.
const KEEP_WAITING: Seconds = Seconds(86_400);

impl Deposit {
    /// Applies a person's decision.
    pub fn decided(&self, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        let held = self.inner.held.as_ref().filter(|_| self.status() == DepositStatus::NeedsReview);
        match held.filter(|held| decision.is_about(&held.review.kind, &held.review.trigger)) {
            Some(held) => self.decided_held(held, decision, now),
            None => self.decided_aside(decision, now),
        }
    }

    fn decided_held(&self, held: &Held, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        use WorkAction as A;
        let why = vec![decision.why()];
        let to = |status| self.moved(status, Reason::Person, now);
        match decision.action() {
            // whatever is decided, money that went back while nobody knew is neither credited nor only closed
            Some(A::CreditPaidAmount | A::MarkNotCreditedRetry | A::CloseWithoutCredit | A::RefundAtPsp)
                if self.may_have_been_sent() && self.goes_back_whole() =>
            {
                self.turned_uncredited(why, now).unwrap_or(Verdict::Nothing("the reversal is not known"))
            }
            Some(A::CreditPaidAmount | A::MarkNotCreditedRetry)
                if self.may_have_been_sent() && left(self.returned(), self.netted()).is_positive() =>
            {
                self.turned_uncredited(why, now).unwrap_or(Verdict::Nothing("the reversal is not known"))
            }
            Some(A::CreditPaidAmount | A::MarkNotCreditedRetry) => match self.fault_of_crediting() {
                Some(fault) => self.still_open(WorkKind::DepositCurrencyMismatch, decision, fault, now),
                None => {
                    let mut next = to(DepositStatus::Paid);
                    next.due = Some(now.plus(super::credit::GRACE));
                    Verdict::change(next, "paid", vec!["deposit.paid"], why)
                }
            },
            Some(A::MarkCredited) => match decision.evidence.as_deref() {
                Some(ticket) => self.credited_by_hand(held, ticket, decision, now),
                None => self.still_open_as(held, decision, "it needs the platform's ticket", now),
            },
            Some(A::RefundAtPsp) => self.refunded_by_hand(why, now),
            Some(A::CloseWithoutCredit) => {
                Verdict::change(to(DepositStatus::Failed), "failed", vec!["deposit.failed"], why)
            }
            Some(A::KeepWaiting) => Verdict::change(self.waiting_again(now), "pending", vec![], why),
            // also what other workflows do: the money stays with a person
            Some(_) | None => self.still_open_as(held, decision, "it does not say what becomes of the money", now),
        }
    }

    fn fault_of_crediting(&self) -> Option<&'static str> {
        match self.facts.paid {
            None => Some("no collected amount is known"),
            Some(_) if !self.creditable().is_positive() => Some("nothing was collected, or all of it went back"),
            Some(paid) if ![self.account_currency(), self.facts.requested.currency()].contains(&paid.currency()) => {
                Some("what was collected is neither in the currency that was asked for nor in the account's")
            }
            Some(_) => None,
        }
    }

    fn credited_by_hand(&self, held: &Held, ticket: &str, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        let mut known = self.clone();
        let is_stray = held.review.kind == WorkKind::DepositUnknownReference.as_str();
        if self.facts.paid.is_none() && !is_stray {
            // the person saw it collected: the provider's own word, when it comes, is not a second collection
            known.facts.paid = Some(self.asked());
        }
        let amount: Money = if is_stray { held.stray.unwrap_or(self.creditable()) } else { known.creditable() };
        match known.said_to_be_credited(ticket, amount) {
            Some((ticket, amount)) => known.credited(ticket.to_owned(), amount, Reason::Person, now),
            None => self.still_open_as(held, decision, "it needs what was put on the account, in its currency", now),
        }
    }

    /// The ticket of a credit by hand, and what it came to in the account's currency: where what was paid is in another, what the person
    /// says, or else what came of the rate that was applied; `None` if nobody knows.
    pub(super) fn said_to_be_credited<'e>(&self, evidence: &'e str, amount: Money) -> Option<(&'e str, Money)> {
        if amount.currency() == self.account_currency() {
            return Some((self.ticket_of(evidence), amount));
        }
        let applied = || self.in_account_currency(amount).map(|amount| (evidence, amount));
        self.converted(evidence).or_else(applied)
    }

    /// The evidence of a credit that a person converted: the platform's ticket, and what was put on the account.
    fn converted<'e>(&self, evidence: &'e str) -> Option<(&'e str, Money)> {
        let currency = self.account_currency();
        let parts: Vec<&str> = evidence.split_whitespace().collect();
        let (ticket, amount) = match parts.as_slice() {
            [ticket, amount] => (*ticket, *amount),
            [ticket, amount, code] if *code == currency.code() => (*ticket, *amount),
            _ => return None,
        };
        Money::parse(amount, currency).ok().filter(Money::is_positive).map(|amount| (ticket, amount))
    }

    /// Whether a credit by hand lacks what it came to in the account's currency.
    pub(super) fn lacks_amount(&self, decision: &HumanDecision) -> bool {
        let stray = self.inner.held.as_ref().and_then(|held| held.stray);
        let amount = stray.unwrap_or(self.creditable());
        let evidence = decision.evidence.as_deref().filter(|_| decision.action() == Some(WorkAction::MarkCredited));
        evidence.is_some_and(|evidence| self.said_to_be_credited(evidence, amount).is_none())
    }

    /// The ticket that evidence names.
    pub(super) fn ticket_of<'e>(&self, evidence: &'e str) -> &'e str {
        self.converted(evidence).map_or(evidence, |(ticket, _)| ticket)
    }

    fn waiting_again(&self, now: Timestamp) -> Self {
        let mut next = self.moved(DepositStatus::Pending, Reason::Person, now);
        next.due = Some(now.plus(KEEP_WAITING));
        next.facts.paid = None;
        next.inner.polls = 0;
        if self.inner.reference_adopted {
            next.facts.psp.reference.clear();
            next.inner.reference_adopted = false;
        }
        next
    }

    fn still_open_as(&self, held: &Held, decision: &HumanDecision, reason: &str, now: Timestamp) -> Verdict<Self> {
        match held.review.kind.parse() {
            Ok(kind) => self.still_open(kind, decision, reason, now),
            Err(_) => Verdict::Nothing("the kind of its review is not known"),
        }
    }

    fn still_open(&self, kind: WorkKind, decision: &HumanDecision, reason: &str, now: Timestamp) -> Verdict<Self> {
        let mut next = self.held(kind, &self.own_trigger("again"), now);
        if let (Some(held), Some(was)) = (&mut next.inner.held, &self.inner.held) {
            held.stray = was.stray;
        }
        let why = vec![decision.why(), format!("{kind}: the deposit still waits, {reason}")];
        Verdict::change(next, "needs_review", vec!["desk.item"], why)
    }

    /// The deposit does not wait for this item. The item keeps the decision; only a credit by hand beside the
    /// automation's own must not pass unseen.
    fn decided_aside(&self, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        if decision.action() == Some(WorkAction::MarkDebitedOnPlatform) {
            return self.debited_by_hand(decision, now);
        }
        let questions = [WorkKind::DepositOverdue, WorkKind::CreditUnresolved, WorkKind::CreditRefused];
        let asked_about_this = questions.iter().any(|kind| kind.as_str() == decision.kind);
        let ticket = decision.evidence.as_deref().filter(|_| decision.action() == Some(WorkAction::MarkCredited));
        if let Some(ticket) = ticket
            && decision.kind == WorkKind::DepositReinstated.as_str()
            && self.facts.credited.is_some()
        {
            return self.credited_again_by_hand(decision, ticket);
        }
        let Some(ticket) = ticket.filter(|_| asked_about_this) else {
            return Verdict::Nothing("the deposit does not wait for this decision; it is kept with the work item");
        };
        match self.status() {
            _ if self.facts.platform.operation.as_deref() == Some(self.ticket_of(ticket)) => {
                Verdict::Nothing("the deal is already known")
            }
            DepositStatus::Paid => match self.said_to_be_credited(ticket, self.creditable()) {
                Some((ticket, amount)) => self.credited(ticket.to_owned(), amount, Reason::Person, now),
                None => Verdict::Nothing("it needs what was put on the account, in its currency"),
            },
            DepositStatus::Crediting | DepositStatus::CreditingUnknown | DepositStatus::Credited => {
                self.booked_twice(ticket, now)
            }
            DepositStatus::Pending
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => {
                Verdict::Nothing("the deposit does not wait for this decision; it is kept with the work item")
            }
        }
    }
}
