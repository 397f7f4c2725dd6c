//! What is booked on the trading platform: the debit, and putting back what did not reach the client. Intent, call, outcome.
//!
//! The debit carries the withdrawal's id, what is put back the id with `PUT_BACK`: each is found by its own reference, and no call of
//! the one is taken for the other.

use super::{Effort, Reason, Withdrawal, WithdrawalStatus};
use crate::Money;
use crate::account::CreditBar;
use crate::decision::Verdict;
use crate::payment::credit::{CreditOutcome, Found, GRACE};
use crate::work::rules::WorkKind;
use crate::{Seconds, Timestamp};

/// What the reference of money that is put back ends with; id and this fill the 31 bytes that MT4 and MT5 keep.
const PUT_BACK: &str = "R";

/// What the worker must do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlatformStep {
    /// Save this intent; if the save wins, call the platform.
    Send(Box<Verdict<Withdrawal>>),
    /// Save this; nothing is sent.
    Save(Box<Verdict<Withdrawal>>),
    /// A call may have been made: look the reference up before anything else.
    LookUp,
    /// Nothing to book.
    Nothing(&'static str),
}

/// What is booked: the amount is negative for a debit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// In the account's currency.
    pub amount: Money,
    /// Ours.
    pub reference: String,
}

/// Which of the two effects on the trading account is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Debit,
    PutBack,
}

impl Withdrawal {
    fn effect(&self) -> Option<Effect> {
        match self.status() {
            WithdrawalStatus::Approved | WithdrawalStatus::Debiting | WithdrawalStatus::DebitingUnknown => {
                Some(Effect::Debit)
            }
            // each leg puts back its own part
            WithdrawalStatus::PayoutFailed if self.inner.legs_begun => None,
            WithdrawalStatus::PayoutFailed => Some(Effect::PutBack),
            WithdrawalStatus::Requested
            | WithdrawalStatus::Debited
            | WithdrawalStatus::PayingOut
            | WithdrawalStatus::PayoutUnknown
            | WithdrawalStatus::PaidOut
            | WithdrawalStatus::Returned
            | WithdrawalStatus::Declined
            | WithdrawalStatus::Cancelled
            | WithdrawalStatus::NeedsReview => None,
        }
    }

    /// The booking that is at hand, if any.
    pub fn operation(&self) -> Option<Operation> {
        let amount = self.facts.requested;
        Some(match self.effect()? {
            Effect::Debit => Operation { amount: amount.negated(), reference: self.id.to_string() },
            Effect::PutBack => Operation { amount, reference: format!("{}{PUT_BACK}", self.id) },
        })
    }

    fn effort(&self, effect: Effect) -> &Effort {
        match effect {
            Effect::Debit => &self.inner.debit,
            Effect::PutBack => &self.inner.putting_back,
        }
    }

    fn effort_mut(&mut self, effect: Effect) -> &mut Effort {
        match effect {
            Effect::Debit => &mut self.inner.debit,
            Effect::PutBack => &mut self.inner.putting_back,
        }
    }

    /// The worker's next step on the trading platform.
    pub fn platform_step(&self, now: Timestamp) -> PlatformStep {
        match self.effect() {
            None => PlatformStep::Nothing("nothing is to be booked"),
            // whatever was intended before may have been booked
            Some(effect) if self.effort(effect).attempts > 0 || self.inner.named.is_some() => PlatformStep::LookUp,
            Some(effect) => PlatformStep::Send(Box::new(self.intend(effect, now))),
        }
    }

    fn intend(&self, effect: Effect, now: Timestamp) -> Verdict<Self> {
        let (mut next, outcome, what) = match effect {
            Effect::Debit => {
                let next = self.moved(WithdrawalStatus::Debiting, Reason::DebitIntended, now);
                (next, "debiting", "debit")
            }
            Effect::PutBack => (self.unmoved(), "putting_back", "put back"),
        };
        next.effort_mut(effect).intended(now);
        next.due = Some(now.plus(GRACE));
        let why = vec![format!("{what} {} on {}", self.facts.requested, self.facts.platform.login)];
        Verdict::change(next, outcome, vec![], why)
    }

    /// Whether the timers will bring it to its worker again, whatever becomes of the message at hand.
    pub fn comes_again(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due > now)
    }

    /// Its server is being maintained until then: it waits, and its time begins anew afterwards.
    pub fn waits_for_server(&self, until: Timestamp) -> Verdict<Self> {
        if self.effect().is_none() || self.inner.served_from == Some(until) {
            return Verdict::Nothing("it waits for nothing new");
        }
        let mut next = self.unmoved();
        next.inner.served_from = Some(until);
        next.due = Some(until);
        Verdict::change(next, "maintenance", vec![], vec!["the trading server is being maintained".to_owned()])
    }

    /// After a look-up: booked, or absent and old enough to be sent again, or wait.
    pub fn looked_up(&self, found: Found, review_after: Seconds, now: Timestamp) -> PlatformStep {
        let Some(effect) = self.effect() else { return PlatformStep::Nothing("it is no longer under way") };
        let save = |verdict| PlatformStep::Save(Box::new(verdict));
        match found {
            Found::Booked(ticket) if self.inner.closing => {
                save(self.ended().debited(ticket, Reason::FoundDebited, now))
            }
            Found::Absent if self.inner.closing && self.effort(effect).grace_over(now) => {
                let next = self.moved(WithdrawalStatus::Declined, Reason::Person, now);
                let why = vec!["not on the platform, and a person declined it".to_owned()];
                let events = next.events(&["withdrawal.declined"]);
                save(Verdict::change(next, "declined", events, why))
            }
            Found::Booked(ticket) => save(self.booked_as(effect, ticket, Reason::FoundDebited, now)),
            Found::Ambiguous(what) => save(self.give_up(effect, what, now)),
            Found::Absent if self.inner.named.is_some() => {
                save(self.give_up(effect, "the deal that was named does not show it".to_owned(), now))
            }
            Found::Absent if !self.effort(effect).grace_over(now) => {
                PlatformStep::Nothing("a call may still be under way")
            }
            Found::Absent if self.is_past_review(effect, review_after, now) => {
                save(self.give_up(effect, "absent, and its time is over".to_owned(), now))
            }
            Found::Absent => PlatformStep::Send(Box::new(self.intend(effect, now))),
        }
    }

    /// The same as if it had ended: what is booked all the same is put back.
    fn ended(&self) -> Self {
        let mut ended = self.clone();
        ended.facts.status = WithdrawalStatus::Declined;
        ended
    }

    /// The same step where the account is open. From one that is not, nothing is taken that was not sent yet, and nothing is put on it:
    /// the client could not reach it.
    #[must_use]
    pub fn only_while_open(&self, bar: Option<CreditBar>, step: PlatformStep, now: Timestamp) -> PlatformStep {
        match (step, bar) {
            (PlatformStep::Send(_), Some(CreditBar::Undecided)) => PlatformStep::Nothing(CreditBar::Undecided.words()),
            (PlatformStep::Send(_), Some(bar @ (CreditBar::Demo | CreditBar::NotOpen))) => {
                let stopped = match self.effect() {
                    Some(Effect::PutBack) => self.give_up(Effect::PutBack, bar.words().to_owned(), now),
                    Some(Effect::Debit) | None => self.refused(Effect::Debit, bar.words().to_owned(), now),
                };
                PlatformStep::Save(Box::new(stopped))
            }
            (step, _) => step,
        }
    }

    fn is_past_review(&self, effect: Effect, review_after: Seconds, now: Timestamp) -> bool {
        self.effort(effect).is_past_review(self.inner.served_from, review_after, now)
    }

    /// The outcome of the call of an intent: `intended` is the withdrawal as the intent was saved, so that whatever has become of it
    /// meanwhile, the outcome is that of its own effect.
    pub fn outcome(
        &self,
        intended: &Self,
        outcome: CreditOutcome,
        review_after: Seconds,
        now: Timestamp,
    ) -> Verdict<Self> {
        let Some(effect) = intended.effect() else { return Verdict::Nothing("nothing was to be booked") };
        match outcome {
            CreditOutcome::Booked(ticket) => self.booked_as(effect, ticket, Reason::Debited, now),
            _ if self.effect() != Some(effect) => Verdict::Nothing("it is no longer under way"),
            CreditOutcome::Unknown(reason) => self.not_known(&reason, review_after, now),
            CreditOutcome::Refused(reason) => self.refused(effect, reason, now),
            CreditOutcome::NotApplied(reason) if self.is_past_review(effect, review_after, now) => {
                self.give_up(effect, reason, now)
            }
            CreditOutcome::NotApplied(reason) => self.send_again(effect, reason, now),
        }
    }

    /// The look-up itself failed, or the booking is still absent inside its grace period.
    pub fn not_known(&self, reason: &str, review_after: Seconds, now: Timestamp) -> Verdict<Self> {
        let Some(effect) = self.effect() else { return Verdict::Nothing("it is no longer under way") };
        let effort = self.effort(effect);
        if effort.grace_over(now) && self.is_past_review(effect, review_after, now) {
            return self.give_up(effect, reason.to_owned(), now);
        }
        let look_at = effort.look_at(now);
        if self.status() == WithdrawalStatus::Debiting {
            let mut next = self.moved(WithdrawalStatus::DebitingUnknown, Reason::OutcomeUnknown, now);
            next.due = Some(look_at);
            next.inner.debit.since = effort.since.or(Some(now));
            return Verdict::change(next, "debiting_unknown", vec![], vec![reason.to_owned()]);
        }
        if self.due.is_some_and(|due| due > now && due <= look_at.plus(GRACE)) {
            return Verdict::Nothing("it is already waiting to be looked up");
        }
        let mut next = self.unmoved();
        next.due = Some(look_at);
        next.effort_mut(effect).since = effort.since.or(Some(now));
        Verdict::change(next, "not_looked_up", vec![], vec![reason.to_owned()])
    }

    fn send_again(&self, effect: Effect, reason: String, now: Timestamp) -> Verdict<Self> {
        let mut next = match effect {
            Effect::Debit => self.moved(WithdrawalStatus::Approved, Reason::NotApplied, now),
            Effect::PutBack => self.unmoved(),
        };
        next.due = Some(next.effort_mut(effect).not_applied(now));
        Verdict::change(next, "not_applied", vec![], vec![reason])
    }

    /// The platform will not. Of a debit nothing was moved, and the client may ask anew; what is to be put back is a person's.
    fn refused(&self, effect: Effect, reason: String, now: Timestamp) -> Verdict<Self> {
        match effect {
            Effect::Debit => {
                let mut next = self.moved(WithdrawalStatus::Declined, Reason::PlatformRefused, now);
                next.inner.debit.attempted = None;
                let events = next.events(&["withdrawal.declined"]);
                Verdict::change(next, "declined", events, vec![reason])
            }
            Effect::PutBack => {
                let mut known = self.clone();
                known.inner.putting_back.attempted = None;
                known.give_up(effect, reason, now)
            }
        }
    }

    fn give_up(&self, effect: Effect, reason: String, now: Timestamp) -> Verdict<Self> {
        let kind = match effect {
            Effect::Debit => WorkKind::WithdrawalDebitUnresolved,
            Effect::PutBack => WorkKind::WithdrawalReturnUnresolved,
        };
        self.held(kind, reason, now)
    }

    fn booked_as(&self, effect: Effect, ticket: String, reason: Reason, now: Timestamp) -> Verdict<Self> {
        match effect {
            Effect::Debit => self.debited(ticket, reason, now),
            Effect::PutBack => self.put_back(ticket, Reason::PutBack, now),
        }
    }

    /// Taken off the trading account. True whatever has become of the withdrawal meanwhile, so it is never dropped: one that has ended
    /// by then is put back.
    pub(super) fn debited(&self, ticket: String, reason: Reason, now: Timestamp) -> Verdict<Self> {
        if self.facts.debited.is_some() {
            return Verdict::Nothing("it is already debited");
        }
        let why = vec![format!("deal {ticket} {}", self.facts.requested)];
        let (status, reason, event, outcome) = match self.status() {
            WithdrawalStatus::Declined | WithdrawalStatus::Cancelled => {
                (WithdrawalStatus::PayoutFailed, Reason::DebitedAfterEnd, "withdrawal.payout_failed", "payout_failed")
            }
            WithdrawalStatus::Requested
            | WithdrawalStatus::Approved
            | WithdrawalStatus::Debiting
            | WithdrawalStatus::DebitingUnknown
            | WithdrawalStatus::Debited
            | WithdrawalStatus::PayingOut
            | WithdrawalStatus::PayoutUnknown
            | WithdrawalStatus::PaidOut
            | WithdrawalStatus::PayoutFailed
            | WithdrawalStatus::Returned
            | WithdrawalStatus::NeedsReview => (WithdrawalStatus::Debited, reason, "withdrawal.debited", "debited"),
        };
        let mut next = self.moved(status, reason, now);
        next.facts.debited = Some(self.facts.requested);
        next.facts.platform.operation = Some(ticket);
        next.inner.debit.attempted = None;
        let events = next.events(&[event]);
        let entry = next.debit_entry();
        Verdict::change(next, outcome, events, why).booking(entry)
    }

    /// Put back on the trading account.
    pub(super) fn put_back(&self, ticket: String, reason: Reason, now: Timestamp) -> Verdict<Self> {
        if self.facts.returned.is_some() {
            return Verdict::Nothing("it is already put back");
        }
        let why = vec![format!("deal {ticket} {}", self.facts.requested)];
        let mut next = self.moved(WithdrawalStatus::Returned, reason, now);
        next.facts.returned = Some(self.facts.requested);
        next.inner.putting_back.attempted = None;
        let events = next.events(&["withdrawal.returned"]);
        let entry = next.put_back_entry();
        Verdict::change(next, "returned", events, why).booking(entry)
    }
}
