//! Paying out: intent, call, outcome; and what the provider says of it by itself.

use serde::{Deserialize, Serialize};

use super::{Reason, Withdrawal, WithdrawalStatus};
use crate::decision::Verdict;
use crate::payment::credit::GRACE;
use crate::payment::{Payout, PspReport, PspStatus};
use crate::work::Review;
use crate::work::rules::WorkKind;
use crate::{Money, Seconds, Timestamp};

/// First wait before a payout that the provider did not take is sent again; doubles.
const RETRY_FIRST: Seconds = Seconds(60);
/// Longest such wait.
const RETRY_MAX: Seconds = Seconds(3_600);

/// What the worker must do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutStep {
    /// Save this intent; if the save wins, call the provider.
    Pay(Box<Verdict<Withdrawal>>),
    /// Save this; nothing is sent.
    Save(Box<Verdict<Withdrawal>>),
    /// It is with the provider, or may be: ask.
    Ask,
    /// Nothing to pay out.
    Nothing(&'static str),
}

/// What a provider says of a payout, to the call or when asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PayoutAnswer {
    /// The client has it.
    Paid {
        /// The provider's id of the payout.
        reference: String,
    },
    /// The provider has taken it; what becomes of it is told later.
    Accepted {
        /// The provider's id of the payout.
        reference: String,
    },
    /// The client does not get it.
    Failed {
        /// The provider's id of the payout; empty where it made none.
        reference: String,
        /// The provider's code.
        code: String,
    },
    /// Certainly not taken; may be sent again.
    NotTaken(String),
    /// May have been taken.
    Unknown(String),
}

/// How long is waited for a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoutLimits {
    /// A payout that it has is asked about after this.
    pub poll: Seconds,
    /// Not over by then: a person looks.
    pub review_after: Seconds,
}

impl Withdrawal {
    /// The worker's next step at the provider.
    pub fn payout_step(&self, now: Timestamp) -> PayoutStep {
        match self.status() {
            _ if self.is_split() => PayoutStep::Nothing("its legs are paid out, and not it"),
            WithdrawalStatus::Debited if self.inner.by_hand => {
                let why = "no provider of ours pays it out".to_owned();
                PayoutStep::Save(Box::new(self.held(WorkKind::WithdrawalPayByHand, why, now)))
            }
            WithdrawalStatus::Debited if self.inner.payout.attempts == 0 => {
                PayoutStep::Pay(Box::new(self.intend_payout(now)))
            }
            WithdrawalStatus::Debited | WithdrawalStatus::PayoutUnknown => PayoutStep::Ask,
            WithdrawalStatus::PayingOut if self.inner.accepted => PayoutStep::Ask,
            WithdrawalStatus::PayingOut if !self.inner.payout.grace_over(now) => {
                PayoutStep::Nothing("a call may still be under way")
            }
            WithdrawalStatus::PayingOut => PayoutStep::Ask,
            WithdrawalStatus::Requested
            | WithdrawalStatus::Approved
            | WithdrawalStatus::Debiting
            | WithdrawalStatus::DebitingUnknown
            | WithdrawalStatus::PaidOut
            | WithdrawalStatus::PayoutFailed
            | WithdrawalStatus::Returned
            | WithdrawalStatus::Declined
            | WithdrawalStatus::Cancelled
            | WithdrawalStatus::NeedsReview => PayoutStep::Nothing("nothing is to be paid out"),
        }
    }

    /// The intent, before the call.
    pub fn intend_payout(&self, now: Timestamp) -> Verdict<Self> {
        let mut next = self.moved(WithdrawalStatus::PayingOut, Reason::PayoutIntended, now);
        next.inner.payout.intended(now);
        next.inner.accepted = false;
        next.due = Some(now.plus(GRACE));
        let why = vec![format!("pay out {} over {}", self.facts.requested, self.facts.psp.name)];
        let events = next.events(&[]);
        Verdict::change(next, "paying_out", events, why)
    }

    /// The source cannot give it back any more: nothing is sent, and a person decides.
    pub fn source_refuses(&self, reason: &str, now: Timestamp) -> Verdict<Self> {
        self.held(WorkKind::WithdrawalPayoutUnresolved, reason.to_owned(), now)
    }

    /// Whether the automation is at the payout.
    fn is_paying_out(&self) -> bool {
        matches!(
            self.status(),
            WithdrawalStatus::Debited | WithdrawalStatus::PayingOut | WithdrawalStatus::PayoutUnknown
        )
    }

    /// Whether a person is asked about the payout.
    fn is_payout_held(&self) -> bool {
        self.status() == WithdrawalStatus::NeedsReview
            && matches!(self.held_for(), Some(WorkKind::WithdrawalPayoutUnresolved | WorkKind::WithdrawalPayByHand))
    }

    /// What the provider answered.
    pub fn payout_answered(&self, answer: &PayoutAnswer, limits: PayoutLimits, now: Timestamp) -> Verdict<Self> {
        match answer {
            PayoutAnswer::Paid { reference } => self.paid_out(reference, Reason::PaidOut, now),
            PayoutAnswer::Failed { reference, code } => self.payout_failed(reference, code, now, now),
            PayoutAnswer::Accepted { .. } | PayoutAnswer::NotTaken(_) | PayoutAnswer::Unknown(_)
                if !self.is_paying_out() =>
            {
                Verdict::Nothing("the payout is no longer under way")
            }
            PayoutAnswer::Accepted { reference } => self.payout_accepted(reference, limits, now),
            PayoutAnswer::NotTaken(reason) | PayoutAnswer::Unknown(reason)
                if self.inner.payout.grace_over(now) && self.inner.payout.is_past(limits.review_after, now) =>
            {
                self.held(WorkKind::WithdrawalPayoutUnresolved, reason.clone(), now)
            }
            PayoutAnswer::NotTaken(reason) => self.payout_not_taken(reason, now),
            PayoutAnswer::Unknown(reason) => self.payout_unknown(reason, now),
        }
    }

    /// The provider, asked, has no such payout: it is sent once no earlier call can still arrive.
    pub fn payout_absent(&self, limits: PayoutLimits, now: Timestamp) -> PayoutStep {
        if !self.is_paying_out() {
            return PayoutStep::Nothing("the payout is no longer under way");
        }
        if !self.inner.payout.grace_over(now) {
            return PayoutStep::Nothing("a call may still be under way");
        }
        let save = |verdict| PayoutStep::Save(Box::new(verdict));
        if self.inner.payout.is_past(limits.review_after, now) {
            let why = "absent, and its time is over".to_owned();
            return save(self.held(WorkKind::WithdrawalPayoutUnresolved, why, now));
        }
        if self.inner.accepted {
            // it said that it had it
            return save(self.payout_unknown("the provider has no such payout", now));
        }
        PayoutStep::Pay(Box::new(self.intend_payout(now)))
    }

    fn payout_accepted(&self, reference: &str, limits: PayoutLimits, now: Timestamp) -> Verdict<Self> {
        if self.inner.accepted && self.inner.payout.is_past(limits.review_after, now) {
            let why = "the provider does not say what became of it".to_owned();
            return self.held(WorkKind::WithdrawalPayoutUnresolved, why, now);
        }
        let mut next = match self.status() {
            WithdrawalStatus::PayingOut => self.unmoved(),
            _ => self.moved(WithdrawalStatus::PayingOut, Reason::PayoutIntended, now),
        };
        next.inner.accepted = true;
        next.inner.payout.attempted = None;
        next.inner.payout.since = self.inner.payout.since.or(Some(now));
        next.adopt(reference);
        next.due = Some(now.plus(limits.poll));
        let events = next.events(&[]);
        Verdict::change(next, "accepted", events, vec!["the provider has it".to_owned()])
    }

    fn payout_not_taken(&self, reason: &str, now: Timestamp) -> Verdict<Self> {
        let mut next = self.moved(WithdrawalStatus::Debited, Reason::PayoutNotTaken, now);
        next.inner.payout.attempted = None;
        next.due = Some(now.plus(self.payout_pause()));
        let events = next.events(&[]);
        Verdict::change(next, "not_taken", events, vec![reason.to_owned()])
    }

    fn payout_unknown(&self, reason: &str, now: Timestamp) -> Verdict<Self> {
        let mut next = match self.status() {
            WithdrawalStatus::PayoutUnknown => self.unmoved(),
            _ => self.moved(WithdrawalStatus::PayoutUnknown, Reason::PayoutUnknown, now),
        };
        next.inner.polls = self.inner.polls.saturating_add(1);
        next.inner.payout.since = self.inner.payout.since.or(Some(now));
        let grace = self.inner.payout.attempted.map_or(now, |at| at.plus(GRACE));
        next.due = Some(grace.max(now.plus(self.payout_pause())));
        let events = next.events(&[]);
        Verdict::change(next, "payout_unknown", events, vec![reason.to_owned()])
    }

    fn payout_pause(&self) -> Seconds {
        let tried = self.inner.payout.attempts.saturating_add(self.inner.polls);
        RETRY_FIRST.doubled(tried.saturating_sub(1), RETRY_MAX)
    }

    fn adopt(&mut self, reference: &str) {
        if !reference.is_empty() {
            reference.clone_into(&mut self.facts.psp.reference);
        }
    }

    /// The client has it.
    pub(super) fn paid_out(&self, reference: &str, reason: Reason, now: Timestamp) -> Verdict<Self> {
        match self.status() {
            WithdrawalStatus::PaidOut => Verdict::Nothing("it is already paid out"),
            _ if self.is_paying_out() || self.is_payout_held() => {
                let mut next = self.moved(WithdrawalStatus::PaidOut, reason, now);
                next.facts.paid = Some(self.facts.requested);
                next.inner.payout.attempted = None;
                next.inner.accepted = true;
                next.adopt(reference);
                let events = next.events(&["withdrawal.paid_out"]);
                let entry = next.payout_entry();
                let why = vec![format!("payout {} {}", next.facts.psp.reference, self.facts.requested)];
                Verdict::change(next, "paid_out", events, why).booking(entry)
            }
            WithdrawalStatus::PayoutFailed | WithdrawalStatus::Returned | WithdrawalStatus::NeedsReview => {
                self.contradicted("it is said to be paid out, and was put back or is with a person", now)
            }
            WithdrawalStatus::Requested
            | WithdrawalStatus::Approved
            | WithdrawalStatus::Debiting
            | WithdrawalStatus::DebitingUnknown
            | WithdrawalStatus::Debited
            | WithdrawalStatus::PayingOut
            | WithdrawalStatus::PayoutUnknown
            | WithdrawalStatus::Declined
            | WithdrawalStatus::Cancelled => {
                self.contradicted("it is said to be paid out, and no payout was sent", now)
            }
        }
    }

    /// The client does not get it: it is put back on the trading account.
    /// `at` is when it came back, as far as the provider says so.
    pub(super) fn payout_failed(&self, reference: &str, code: &str, at: Timestamp, now: Timestamp) -> Verdict<Self> {
        let why = vec![format!("payout failed: {code}")];
        let is_own = !reference.is_empty() && reference == self.facts.psp.reference;
        let (reason, entry) = match self.status() {
            WithdrawalStatus::PaidOut if is_own => (Reason::PayoutCameBack, self.payout_back_entry()),
            // another attempt, or another way than it was paid at last
            WithdrawalStatus::PaidOut => {
                return self.contradicted("a payout is said to have failed that is not the one that was paid", now);
            }
            _ if self.is_paying_out() || self.is_payout_held() => {
                (Reason::PayoutFailed, crate::ledger::Postings::none())
            }
            _ => return Verdict::Nothing("nothing of it is under way"),
        };
        let mut next = self.moved(WithdrawalStatus::PayoutFailed, reason, now);
        next.facts.paid = None;
        next.inner.payout.attempted = None;
        // what has a number was made, and then undone
        next.inner.accepted = self.inner.accepted || !reference.is_empty();
        next.inner.came_back = Some(at);
        next.adopt(reference);
        let events = next.events(&["withdrawal.payout_failed"]);
        Verdict::change(next, "payout_failed", events, why).booking(entry)
    }

    /// What the provider says cannot be so by what is known here: a person looks, and nothing is moved. What he may have been asked
    /// before stands.
    fn contradicted(&self, why: &str, now: Timestamp) -> Verdict<Self> {
        if self.inner.contradicted.as_deref() == Some(why) {
            return Verdict::Nothing("a person is asked already");
        }
        let mut next = self.unmoved();
        next.inner.contradicted = Some(why.to_owned());
        next.facts.review =
            Some(Review::of(WorkKind::WithdrawalContradicted, format!("contradicted:{}", now.millis())));
        Verdict::change(next, "contradicted", vec!["desk.item"], vec![why.to_owned()])
    }

    /// What it does that the provider says something of the payout by itself.
    pub fn hear(&self, report: &PspReport, limits: PayoutLimits, now: Timestamp) -> Verdict<Self> {
        let told = match &report.status {
            PspStatus::Payout(Payout::Paid) => PayoutAnswer::Paid { reference: report.reference.clone() },
            PspStatus::Payout(Payout::Pending) => PayoutAnswer::Accepted { reference: report.reference.clone() },
            PspStatus::Payout(Payout::Failed) => {
                PayoutAnswer::Failed { reference: report.reference.clone(), code: report.kind.clone() }
            }
            PspStatus::Pending
            | PspStatus::Processing
            | PspStatus::Succeeded
            | PspStatus::Payable { .. }
            | PspStatus::Scored { .. }
            | PspStatus::Failed
            | PspStatus::Canceled
            | PspStatus::Returned(_)
            | PspStatus::Irrelevant => return Verdict::Nothing("it is about no payout"),
        };
        if self.is_split() {
            return Verdict::Nothing("its legs are paid out, and not it");
        }
        if report.psp != self.facts.psp.name {
            return Verdict::Nothing("it is another provider's");
        }
        if self.pays_another_amount(report.money) {
            return self.contradicted("the provider names another amount than was asked for", now);
        }
        if self.inner.accepted && matches!(told, PayoutAnswer::Accepted { .. }) {
            return Verdict::Nothing("the provider has it, as is known");
        }
        match &told {
            PayoutAnswer::Failed { reference, code } => self.payout_failed(reference, code, report.at, now),
            PayoutAnswer::Paid { .. }
            | PayoutAnswer::Accepted { .. }
            | PayoutAnswer::NotTaken(_)
            | PayoutAnswer::Unknown(_) => self.payout_answered(&told, limits, now),
        }
    }

    /// In another currency it was converted, and the amount says nothing.
    fn pays_another_amount(&self, told: Option<Money>) -> bool {
        told.is_some_and(|told| told.compare(&self.facts.requested).is_ok_and(std::cmp::Ordering::is_ne))
    }
}
