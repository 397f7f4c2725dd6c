//! What persons decide about a withdrawal.

use super::{Reason, Withdrawal, WithdrawalStatus};
use crate::Timestamp;
use crate::decision::Verdict;
use crate::work::HumanDecision;
use crate::work::rules::{WorkAction, WorkKind};

impl Withdrawal {
    /// A person's decision about what he was asked, if that still stands.
    pub fn decided(&self, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        let Some(held) = &self.inner.held else { return Verdict::Nothing("nobody is asked about it") };
        if !decision.is_about(&held.0.kind, &held.0.trigger) {
            return Verdict::Nothing("the decision is about another question");
        }
        let (Some(kind), Some(action)) = (self.held_for(), decision.action()) else {
            return Verdict::Nothing("the item was closed in words");
        };
        // his own word answers the question: the item is not moot
        let mut asked = self.clone();
        asked.inner.held = None;
        asked.carry_out(kind, action, decision, now)
    }

    /// What is tried again gets its whole time again, which begins with the next intent: so it is tried once at least.
    fn carry_out(&self, kind: WorkKind, action: WorkAction, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        let proof = || decision.evidence.clone().unwrap_or_default();
        let why = decision.why();
        match (kind, action) {
            (_, WorkAction::MarkPaidOut) if self.is_split() => Verdict::Nothing("its legs are paid out, and not it"),
            (WorkKind::WithdrawalApproval, WorkAction::Approve) => {
                self.sent_on(WithdrawalStatus::Approved, "withdrawal.approved", why, now)
            }
            (WorkKind::WithdrawalApproval, WorkAction::Decline) => {
                self.sent_on(WithdrawalStatus::Declined, "withdrawal.declined", why, now)
            }
            (WorkKind::WithdrawalDebitUnresolved, WorkAction::MarkDebited) => {
                self.to_look_up(WithdrawalStatus::DebitingUnknown, proof(), why, now)
            }
            (WorkKind::WithdrawalDebitUnresolved, WorkAction::MarkNotDebitedRetry) => {
                let mut next = self.clone();
                next.inner.debit.attempted = None;
                next.inner.debit.since = None;
                next.sent_on(WithdrawalStatus::Approved, "withdrawal.booking_due", why, now)
            }
            (WorkKind::WithdrawalDebitUnresolved, WorkAction::CloseWithoutDebit) => {
                let mut open = self.clone();
                open.inner.debit.since = None;
                let mut next = open.moved(WithdrawalStatus::DebitingUnknown, Reason::Person, now);
                next.inner.closing = true;
                Verdict::change(next, "closing", vec!["withdrawal.booking_due"], vec![why])
            }
            (
                WorkKind::WithdrawalPayoutUnresolved
                | WorkKind::WithdrawalPayByHand
                | WorkKind::WithdrawalReturnUnresolved,
                WorkAction::MarkPaidOut,
            ) => because(self.with_payout_open().paid_out(&proof(), Reason::Person, now), why),
            (WorkKind::WithdrawalPayoutUnresolved, WorkAction::MarkNotPaidRetry) => {
                let mut next = self.clone();
                next.inner.payout.attempted = None;
                next.inner.payout.since = None;
                next.inner.accepted = false;
                next.sent_on(WithdrawalStatus::Debited, "withdrawal.payout_due", why, now)
            }
            (WorkKind::WithdrawalPayoutUnresolved | WorkKind::WithdrawalPayByHand, WorkAction::CreditBack) => {
                because(self.with_payout_open().payout_failed("", "a person puts it back", now, now), why)
            }
            (WorkKind::WithdrawalReturnUnresolved, WorkAction::MarkReturned) => {
                self.to_look_up(WithdrawalStatus::PayoutFailed, proof(), why, now)
            }
            (WorkKind::WithdrawalReturnUnresolved, WorkAction::MarkNotReturnedRetry) => {
                let mut next = self.clone();
                next.inner.putting_back.attempted = None;
                next.inner.putting_back.since = None;
                next.sent_on(WithdrawalStatus::PayoutFailed, "withdrawal.booking_due", why, now)
            }
            _ => Verdict::Nothing("it is no option of this question"),
        }
    }

    /// The same with the payout open, whatever a person was asked about it.
    fn with_payout_open(&self) -> Self {
        let mut open = self.clone();
        open.facts.status = WithdrawalStatus::PayoutUnknown;
        open
    }

    /// A deal that a person names is looked up on the platform before it counts.
    fn to_look_up(&self, status: WithdrawalStatus, named: String, why: String, now: Timestamp) -> Verdict<Self> {
        let mut open = self.clone();
        open.inner.debit.since = None;
        open.inner.putting_back.since = None;
        let mut next = open.moved(status, Reason::Person, now);
        next.inner.named = Some(named);
        let events = next.events(&["withdrawal.booking_due"]);
        Verdict::change(next, "ticket_named", events, vec![why])
    }

    fn sent_on(&self, status: WithdrawalStatus, event: &'static str, why: String, now: Timestamp) -> Verdict<Self> {
        let next = self.moved(status, Reason::Person, now);
        let events = next.events(&[event]);
        Verdict::change(next, status.as_str(), events, vec![why])
    }
}

/// The same with what the person said first.
fn because(verdict: Verdict<Withdrawal>, why: String) -> Verdict<Withdrawal> {
    match verdict {
        Verdict::Change(mut decision) => {
            decision.why.insert(0, why);
            Verdict::Change(decision)
        }
        nothing @ Verdict::Nothing(_) => nothing,
    }
}
