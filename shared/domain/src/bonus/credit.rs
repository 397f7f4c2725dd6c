//! What is booked on the trading platform: the credit, and its removal. Intent, call, outcome, as payments do it.

use rust_decimal::Decimal;

use super::{Bonus, BonusStatus};
use crate::account::CreditBar;
use crate::decision::Verdict;
use crate::ledger::Postings;
use crate::payment::credit::{CreditOutcome, Found, GRACE};
use crate::withdrawal::{Effort, Operation};
use crate::work::rules::WorkKind;
use crate::{BonusId, Seconds, Timestamp};

/// What the reference of the removal ends with; id and this fill the 31 bytes that MT4 and MT5 keep.
const REMOVAL: &str = "R";
/// Bytes of a bonus's id.
const ID_BYTES: usize = 30;

/// What the worker must do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BonusStep {
    /// Save this intent; if the save wins, call the platform. Of a credit it is asked first whether it may still be given.
    Send(Box<Verdict<Bonus>>),
    /// Save this; nothing is sent.
    Save(Box<Verdict<Bonus>>),
    /// A call may have been made: look the reference up before anything else.
    LookUp,
    /// Nothing to book.
    Nothing(&'static str),
}

/// Which of the two effects on the trading account is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Credit,
    Removal,
}

impl Bonus {
    fn effect(&self) -> Option<Effect> {
        match self.facts.status {
            BonusStatus::Granted | BonusStatus::Crediting | BonusStatus::CreditingUnknown => Some(Effect::Credit),
            BonusStatus::Credited | BonusStatus::Removing | BonusStatus::RemovingUnknown => Some(Effect::Removal),
            BonusStatus::Proposed
            | BonusStatus::Expired
            | BonusStatus::Removed
            | BonusStatus::Refused
            | BonusStatus::HandedOver => None,
        }
    }

    /// Whether what is at hand gives him something: only that is asked about again.
    pub fn gives(&self) -> bool {
        self.effect() == Some(Effect::Credit)
    }

    /// The booking that is at hand, if any.
    pub fn operation(&self) -> Option<Operation> {
        Some(match self.effect()? {
            Effect::Credit => Operation { amount: self.facts.amount?, reference: self.id.to_string() },
            Effect::Removal => {
                Operation { amount: self.facts.credited?.negated(), reference: format!("{}{REMOVAL}", self.id) }
            }
        })
    }

    /// The bonus that the comment of a booking begins with.
    pub fn named_in(comment: &str) -> Option<BonusId> {
        comment.get(..ID_BYTES)?.parse().ok()
    }

    /// Whether a booking of the server is one of this bonus: on its account, under its reference, and exactly what is booked of it here.
    pub fn is_booked_as(&self, login: &str, comment: &str, amount: Decimal) -> bool {
        let Some(credited) = self.facts.credited.filter(|_| self.facts.login.as_deref() == Some(login)) else {
            return false;
        };
        let is_credit = comment == self.id.as_str() && amount == credited.amount();
        let is_removal = self.facts.removal.is_some() && comment.strip_prefix(self.id.as_str()) == Some(REMOVAL);
        is_credit || (is_removal && amount == -credited.amount())
    }

    fn effort(&self, effect: Effect) -> &Effort {
        match effect {
            Effect::Credit => &self.inner.credit,
            Effect::Removal => &self.inner.removing,
        }
    }

    fn effort_mut(&mut self, effect: Effect) -> &mut Effort {
        match effect {
            Effect::Credit => &mut self.inner.credit,
            Effect::Removal => &mut self.inner.removing,
        }
    }

    /// The worker's next step.
    pub fn platform_step(&self, now: Timestamp) -> BonusStep {
        let Some(effect) = self.effect() else { return BonusStep::Nothing("nothing is to be booked") };
        if self.facts.status == BonusStatus::Credited && self.due.is_none_or(|due| due > now) {
            return BonusStep::Nothing("it stands until its time is up");
        }
        match self.effort(effect).attempts > 0 {
            // whatever was intended before may have been booked
            true => BonusStep::LookUp,
            false => BonusStep::Send(Box::new(self.intend(effect, now))),
        }
    }

    fn intend(&self, effect: Effect, now: Timestamp) -> Verdict<Self> {
        let (status, outcome) = match effect {
            Effect::Credit => (BonusStatus::Crediting, "crediting"),
            Effect::Removal => (BonusStatus::Removing, "removing"),
        };
        let why = self.operation().map(|own| format!("{} as {}", own.amount, own.reference));
        let mut next = self.moved(status);
        next.effort_mut(effect).intended(now);
        next.due = Some(now.plus(GRACE));
        Verdict::change(next, outcome, vec![], why.into_iter().collect())
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
        let mut next = self.turned();
        next.inner.served_from = Some(until);
        next.due = Some(until);
        Verdict::change(next, "maintenance", vec![], vec!["the trading server is being maintained".to_owned()])
    }

    /// The same step where the account is open. On one that is not nothing is put, and what stands on it is a person's.
    #[must_use]
    pub fn only_while_open(&self, bar: Option<CreditBar>, step: BonusStep, now: Timestamp) -> BonusStep {
        match (step, bar) {
            (BonusStep::Send(_), Some(CreditBar::Undecided)) => BonusStep::Nothing(CreditBar::Undecided.words()),
            (BonusStep::Send(_), Some(bar @ (CreditBar::Demo | CreditBar::NotOpen))) => {
                let stopped = match self.effect() {
                    Some(Effect::Removal) => self.give_up(bar.words(), now),
                    Some(Effect::Credit) | None => {
                        self.refused(super::Refusal::NoAccount.as_str(), vec![bar.words().to_owned()])
                    }
                };
                BonusStep::Save(Box::new(stopped))
            }
            (step, _) => step,
        }
    }

    /// After a look-up: booked, or absent and old enough to be sent again, or wait.
    pub fn looked_up(&self, found: Found, review_after: Seconds, now: Timestamp) -> BonusStep {
        let Some(effect) = self.effect() else { return BonusStep::Nothing("it is no longer under way") };
        let save = |verdict| BonusStep::Save(Box::new(verdict));
        match found {
            Found::Booked(ticket) => save(self.booked(effect, ticket, now)),
            Found::Ambiguous(what) => save(self.give_up(&what, now)),
            Found::Absent if !self.effort(effect).grace_over(now) => {
                BonusStep::Nothing("a call may still be under way")
            }
            Found::Absent if self.is_past_review(effect, review_after, now) => {
                save(self.give_up("absent, and its time is over", now))
            }
            Found::Absent => BonusStep::Send(Box::new(self.intend(effect, now))),
        }
    }

    fn is_past_review(&self, effect: Effect, review_after: Seconds, now: Timestamp) -> bool {
        self.effort(effect).is_past_review(self.inner.served_from, review_after, now)
    }

    /// The outcome of the call of an intent: `intended` is the bonus as the intent was saved, so that whatever has become of it
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
            CreditOutcome::Booked(ticket) => self.booked(effect, ticket, now),
            _ if self.effect() != Some(effect) => Verdict::Nothing("it is no longer under way"),
            CreditOutcome::Unknown(reason) => self.not_known(&reason, review_after, now),
            CreditOutcome::Refused(reason) => {
                let mut known = self.clone();
                known.effort_mut(effect).attempted = None;
                known.give_up(&reason, now)
            }
            CreditOutcome::NotApplied(reason) if self.is_past_review(effect, review_after, now) => {
                self.give_up(&reason, now)
            }
            CreditOutcome::NotApplied(reason) => self.send_again(effect, reason, now),
        }
    }

    /// The look-up itself failed, or the booking is still absent inside its grace period.
    pub fn not_known(&self, reason: &str, review_after: Seconds, now: Timestamp) -> Verdict<Self> {
        let Some(effect) = self.effect() else { return Verdict::Nothing("it is no longer under way") };
        let effort = self.effort(effect);
        if effort.grace_over(now) && self.is_past_review(effect, review_after, now) {
            return self.give_up(reason, now);
        }
        let look_at = effort.look_at(now);
        let is_new = matches!(self.facts.status, BonusStatus::Crediting | BonusStatus::Removing);
        if !is_new && self.due.is_some_and(|due| due > now && due <= look_at.plus(GRACE)) {
            return Verdict::Nothing("it is already waiting to be looked up");
        }
        let (status, outcome) = match effect {
            Effect::Credit => (BonusStatus::CreditingUnknown, "crediting_unknown"),
            Effect::Removal => (BonusStatus::RemovingUnknown, "removing_unknown"),
        };
        let since = effort.since.or(Some(now));
        let mut next = self.moved(status);
        next.due = Some(look_at);
        next.effort_mut(effect).since = since;
        Verdict::change(next, outcome, vec![], vec![reason.to_owned()])
    }

    fn send_again(&self, effect: Effect, reason: String, now: Timestamp) -> Verdict<Self> {
        let mut next = self.moved(match effect {
            Effect::Credit => BonusStatus::Granted,
            Effect::Removal => BonusStatus::Credited,
        });
        next.due = Some(next.effort_mut(effect).not_applied(now));
        Verdict::change(next, "not_applied", vec![], vec![reason])
    }

    /// The automation cannot go on: a person says what became of it.
    fn give_up(&self, reason: &str, now: Timestamp) -> Verdict<Self> {
        let next = self.moved(BonusStatus::HandedOver);
        let (mut next, events) = next.asking(WorkKind::RetentionBonusUnresolved, now);
        next.due = None;
        Verdict::change(next, "needs_review", events, vec![reason.to_owned()])
    }

    fn booked(&self, effect: Effect, ticket: String, now: Timestamp) -> Verdict<Self> {
        match effect {
            Effect::Credit => self.credited(ticket, now),
            Effect::Removal if self.facts.removal.is_some() || self.facts.status == BonusStatus::Removed => {
                Verdict::Nothing("it is already off the account")
            }
            Effect::Removal => {
                let why = vec![format!("deal {ticket}")];
                self.off(BonusStatus::Expired, Some(ticket), why)
            }
        }
    }

    /// On the account. True whatever has become of the bonus meanwhile, so it is never dropped: what was to be given no more by then
    /// is taken off at once.
    fn credited(&self, ticket: String, now: Timestamp) -> Verdict<Self> {
        if self.facts.credited.is_some() {
            return Verdict::Nothing("it is already credited");
        }
        let Some(amount) = self.facts.amount else { return Verdict::Nothing("nothing was to be credited") };
        let is_wanted = matches!(self.effect(), Some(Effect::Credit)) || self.facts.status == BonusStatus::HandedOver;
        let (mut next, settled) = self.moved(BonusStatus::Credited).settling();
        next.facts.credited = Some(amount);
        next.facts.operation = Some(ticket.clone());
        next.facts.reason = None;
        next.inner.credit.attempted = None;
        let stands = if is_wanted { Seconds(self.inner.stands_s) } else { Seconds(0) };
        next.facts.expires_at = Some(now.plus(stands));
        next.due = next.facts.expires_at;
        let entry =
            next.entry().map_or_else(Postings::none, |(credit, cost, amount)| Postings::transfer(credit, cost, amount));
        // who gets it for a moment only is not told that he has it
        let told = is_wanted.then_some("bonus.credited");
        let events = told.into_iter().chain(settled).collect();
        Verdict::change(next, "credited", events, vec![format!("deal {ticket}")]).booking(entry)
    }
}
