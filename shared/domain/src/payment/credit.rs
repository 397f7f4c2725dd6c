//! Crediting: intent, call, outcome, with the outcome that is not known as a state of its own.
//!
//! At most one call can be under way: an intent is saved only when none was made before, or the look-up did not find
//! the earlier one after its [`GRACE`], or the platform said that it did not take it. Money that went back meanwhile
//! is never credited anew.

use serde::{Deserialize, Serialize};

use super::deposit::{Deposit, DepositInner, DepositStatus, Reason, Stage};
use super::returns::left;
use crate::account::CreditBar;
use crate::decision::Verdict;
use crate::fault::{self, Fault};
use crate::work::rules::WorkKind;
use crate::{Money, Seconds, Timestamp};

/// How long after an intent its call may still reach the platform: a worker's time-out plus the platform's own plus
/// what the network may deliver after the call was given up, with a margin. Only after it may an absent credit be sent again. The function asserts the relation at compile time.
pub const GRACE: Seconds = Seconds(60);
/// What the clocks of two machines may differ by: the moment of an intent is one machine's, that of the look-up another's, so
/// [`GRACE`] is longer by this. Assumed, for nothing here can check it: Lambda's hosts follow Amazon's time service to milliseconds.
/// With clocks farther apart a second worker could miss a call that still arrives, and send it again.
pub const CLOCK_SKEW: Seconds = Seconds(5);

/// [`GRACE`], unless the fault is put back that is shorter.
pub(crate) fn grace() -> Seconds {
    const TOO_SHORT: Seconds = Seconds(5);
    if fault::is_back(Fault::GraceTooShort) { TOO_SHORT } else { GRACE }
}

/// First wait before a credit that the platform did not take is sent again; doubles with each attempt.
pub(crate) const RETRY_FIRST: Seconds = Seconds(30);
/// Longest wait between attempts.
pub(crate) const RETRY_MAX: Seconds = Seconds(900);

/// What the worker must do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreditStep {
    /// Save this intent; if the save wins, call the platform.
    Send(Box<Verdict<Deposit>>),
    /// Save this; nothing is sent.
    Save(Box<Verdict<Deposit>>),
    /// A call may have been made: look the reference up before anything else.
    LookUp,
    /// What was paid is in another currency than the account's: a rate is needed first.
    Price,
    /// Nothing to credit.
    Nothing(&'static str),
}

/// What a look-up of the reference found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Booked, with its ticket.
    Booked(String),
    /// Not there: everything was read.
    Absent,
    /// Something stands under the reference that is not this credit; says what. Whether it is the credit, or part of
    /// it, a person must say.
    Ambiguous(String),
}

/// What the platform did with a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CreditOutcome {
    /// Booked, with its ticket.
    Booked(String),
    /// Certainly not booked; it may be sent again.
    NotApplied(String),
    /// Certainly not booked, and never will be as it is.
    Refused(String),
    /// May be booked.
    Unknown(String),
}

impl Deposit {
    /// What is to be credited: what was collected and accepted, less what went back and our fee. Once a credit was sent, and until it is known
    /// to have come to nothing, what was sent, whatever goes back meanwhile.
    pub fn creditable(&self) -> Money {
        let back = if self.may_have_been_sent() { self.netted() } else { self.returned() };
        self.net_of(left(self.collection(), back))
    }

    /// Whether a credit was intended whose outcome is not known.
    pub(super) fn may_have_been_sent(&self) -> bool {
        self.inner.attempted.is_some()
    }

    /// The worker's next step.
    pub fn credit_step(&self, now: Timestamp) -> CreditStep {
        if self.is_said_to_be_credited() {
            return CreditStep::Nothing("a person says that it is credited; the deal is looked up first");
        }
        match self.status() {
            DepositStatus::Paid if self.facts.paid.is_none() || !self.creditable().is_positive() => {
                CreditStep::Nothing("nothing was collected")
            }
            DepositStatus::Paid if self.may_have_been_credited() => CreditStep::LookUp,
            DepositStatus::Paid => self.sending(now),
            DepositStatus::CreditingUnknown if fault::is_back(Fault::NotLookedUp) => self.sending(now),
            DepositStatus::Crediting | DepositStatus::CreditingUnknown => CreditStep::LookUp,
            DepositStatus::Credited => CreditStep::Nothing("it is already credited"),
            DepositStatus::Pending
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => CreditStep::Nothing("it is not to be credited"),
        }
    }

    /// By an earlier attempt, or by the hands of a person who had it under review.
    fn may_have_been_credited(&self) -> bool {
        self.inner.attempts > 0 || self.count_of(DepositStatus::NeedsReview) > 0
    }

    pub(super) fn intended(&self, now: Timestamp) -> Self {
        let mut next = self.moved(DepositStatus::Crediting, Reason::IntentSaved, now);
        next.inner.attempts = self.inner.attempts.saturating_add(1);
        next.inner.attempted = Some(now);
        next.inner.netted = Some(self.returned()).filter(Money::is_positive);
        next
    }

    /// The same step where nothing stands against it on the account; into any other nothing is sent: it waits, or a person decides.
    #[must_use]
    pub fn only_into(&self, bar: Option<CreditBar>, step: CreditStep, now: Timestamp) -> CreditStep {
        match (step, bar) {
            (CreditStep::Send(_) | CreditStep::Price, Some(CreditBar::Undecided)) => {
                CreditStep::Nothing(CreditBar::Undecided.words())
            }
            (CreditStep::Send(_) | CreditStep::Price, Some(bar @ (CreditBar::Demo | CreditBar::NotOpen))) => {
                let known = Self { inner: DepositInner { attempted: None, ..self.inner.clone() }, ..self.clone() };
                let stopped = known.give_up(WorkKind::CreditRefused, bar.words(), now);
                CreditStep::Save(Box::new(stopped))
            }
            (step, _) => step,
        }
    }

    /// A person has moved its money by hand before its record was there: nothing is sent, and a person says what became of it.
    pub fn stopped_for_by_hand(&self, by_hand: &'static str, now: Timestamp) -> Verdict<Self> {
        match self.status() {
            DepositStatus::Paid => self.give_up(WorkKind::DepositUnknownReference, by_hand, now),
            DepositStatus::Pending
            | DepositStatus::Crediting
            | DepositStatus::Credited
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::CreditingUnknown
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => Verdict::Nothing("it is not to be credited"),
        }
    }

    /// Its server is being maintained until then: it waits, and its time begins anew afterwards.
    pub fn waits_for_server(&self, until: Timestamp) -> Verdict<Self> {
        if !self.is_under_way() || self.inner.served_from == Some(until) {
            return Verdict::Nothing("it waits for nothing new");
        }
        let mut next = self.clone();
        next.inner.served_from = Some(until);
        next.due = Some(self.inner.attempted.map_or(until, |at| at.plus(GRACE)).max(until));
        Verdict::change(next, "maintenance", vec![], vec!["the trading server is being maintained".to_owned()])
    }

    /// After a look-up: booked, or absent and old enough to be sent again, or wait.
    pub fn looked_up(&self, found: Found, review_after: Seconds, now: Timestamp) -> CreditStep {
        if !self.is_under_way() {
            return CreditStep::Nothing("the credit is no longer under way");
        }
        let save = |verdict| CreditStep::Save(Box::new(verdict));
        match found {
            Found::Booked(ticket) => save(self.credited(ticket, self.credit_amount(), Reason::FoundBooked, now)),
            Found::Ambiguous(what) => save(self.give_up(WorkKind::CreditUnresolved, &what, now)),
            Found::Absent if !self.grace_over(now) => CreditStep::Nothing("a call may still be under way"),
            Found::Absent => {
                let why = || vec!["not on the platform, and the money has gone back".to_owned()];
                if let Some(turned) = self.turned_uncredited(why(), now) {
                    return save(turned);
                }
                if self.was_tried() && self.is_past_review(review_after, now) {
                    return save(self.give_up(WorkKind::CreditUnresolved, "absent, and its time is over", now));
                }
                self.sending(now)
            }
        }
    }

    /// Whether no earlier call can still arrive at the platform.
    pub fn grace_over(&self, now: Timestamp) -> bool {
        self.inner.attempted.is_none_or(|at| now >= at.plus(grace()))
    }

    /// Whether the timers will bring the deposit to its worker again, whatever becomes of the message at hand.
    pub fn comes_again(&self, now: Timestamp) -> bool {
        self.is_under_way() && self.due.is_some_and(|due| due > now)
    }

    fn is_under_way(&self) -> bool {
        matches!(self.status(), DepositStatus::Paid | DepositStatus::Crediting | DepositStatus::CreditingUnknown)
    }

    /// The lines of the timeline since the collection counted, or since a person sent the deposit on.
    fn since_paid(&self) -> &[Stage] {
        let counted = |stage: &Stage| stage.0 == DepositStatus::Paid && stage.2 != Reason::NotApplied;
        let start = self.inner.stages.iter().rposition(counted);
        start.and_then(|start| self.inner.stages.get(start..)).unwrap_or_default()
    }

    fn was_tried(&self) -> bool {
        self.since_paid().iter().any(|stage| stage.0 == DepositStatus::Crediting)
    }

    pub(super) fn review_at(&self, review_after: Seconds) -> Option<Timestamp> {
        let paid = self.since_paid().first().map(|stage| self.moment(stage));
        paid.map(|paid| self.inner.served_from.map_or(paid, |from| paid.max(from)).plus(review_after))
    }

    pub(super) fn is_past_review(&self, review_after: Seconds, now: Timestamp) -> bool {
        self.review_at(review_after).is_some_and(|at| now >= at)
    }

    /// The outcome of a call.
    pub fn outcome(&self, outcome: CreditOutcome, review_after: Seconds, now: Timestamp) -> Verdict<Self> {
        let under_way = matches!(self.status(), DepositStatus::Crediting | DepositStatus::CreditingUnknown);
        match outcome {
            CreditOutcome::Booked(ticket) => self.booked(ticket, None, now),
            CreditOutcome::Refused(_) | CreditOutcome::NotApplied(_) | CreditOutcome::Unknown(_) if !under_way => {
                Verdict::Nothing("the credit is no longer under way")
            }
            CreditOutcome::Unknown(reason) => self.not_known(&reason, review_after, now),
            CreditOutcome::Refused(reason) => self.turned_uncredited(vec![reason.clone()], now).unwrap_or_else(|| {
                // its outcome is known: nothing of it can still arrive
                let mut known = self.clone();
                known.inner.attempted = None;
                known.give_up(WorkKind::CreditRefused, &reason, now)
            }),
            CreditOutcome::NotApplied(reason) => match self.turned_uncredited(vec![reason.clone()], now) {
                Some(turned) => turned,
                None if self.is_past_review(review_after, now) => {
                    self.give_up(WorkKind::CreditUnresolved, &reason, now)
                }
                None => self.send_again(reason, review_after, now),
            },
        }
    }

    /// The platform booked it: what was sent, or what a person says. True whatever has become of the deposit meanwhile, so it is
    /// never dropped.
    pub(super) fn booked(&self, ticket: String, said: Option<Money>, now: Timestamp) -> Verdict<Self> {
        if self.facts.platform.operation.as_deref() == Some(ticket.as_str()) {
            return Verdict::Nothing("it is already credited");
        }
        if self.facts.credited.is_some() {
            return self.booked_twice(&ticket, now);
        }
        match self.status() {
            DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::NeedsReview => {
                self.credited(ticket, said.unwrap_or(self.credit_amount()), Reason::Booked, now)
            }
            DepositStatus::Refunded | DepositStatus::ChargedBack => {
                let why = "booked, but the money has gone back".to_owned();
                self.unmoved().booked_late((ticket, said), WorkKind::DepositReversedAfterCredit, why, now)
            }
            DepositStatus::Pending | DepositStatus::Failed | DepositStatus::Expired | DepositStatus::Credited => {
                let why = format!("booked, but the deposit was {}", self.status().as_str());
                let moved = self.moved(DepositStatus::Credited, Reason::Booked, now);
                moved.booked_late((ticket, said), WorkKind::DepositFailedAfterSuccess, why, now)
            }
        }
    }

    fn booked_late(
        self,
        (ticket, said): (String, Option<Money>),
        kind: WorkKind,
        why: String,
        now: Timestamp,
    ) -> Verdict<Self> {
        let amount = said.or(self.sent_amount()).unwrap_or(Money::zero(self.account_currency()));
        let trigger = format!("deal:{ticket}");
        let mut next = self.with_deal(ticket, amount).with_fee_taken(amount);
        next.ask(kind, &trigger, now);
        // what went back before it was booked is booked as gone back at once
        let entry = next.credit_entry(amount).with(next.reversal_entry());
        Verdict::change(next, "credited", vec!["deposit.credited", "desk.item"], vec![why]).booking(entry)
    }

    /// Two deals for one deposit: one of them must be taken back.
    pub(super) fn booked_twice(&self, ticket: &str, now: Timestamp) -> Verdict<Self> {
        let known = self.facts.platform.operation.as_deref().unwrap_or("none");
        let why = format!("deal {ticket} beside deal {known}");
        self.ask_about(WorkKind::CreditUnresolved, &format!("deal:{ticket}"), why, now)
    }

    /// The look-up itself failed, or the credit is still absent inside its grace period.
    pub fn not_known(&self, reason: &str, review_after: Seconds, now: Timestamp) -> Verdict<Self> {
        if !self.is_under_way() {
            return Verdict::Nothing("the credit is no longer under way");
        }
        if self.grace_over(now) && self.is_past_review(review_after, now) {
            return self.give_up(WorkKind::CreditUnresolved, reason, now);
        }
        let look_at = self.inner.attempted.map_or(now, |at| at.plus(grace())).max(now.plus(RETRY_FIRST));
        let why = vec![reason.to_owned()];
        match self.status() {
            DepositStatus::Crediting => {
                let mut next = self.moved(DepositStatus::CreditingUnknown, Reason::OutcomeUnknown, now);
                next.due = Some(look_at);
                Verdict::change(next, "crediting_unknown", vec!["deposit.crediting_unknown"], why)
            }
            _ if self.due.is_some_and(|due| due > now && due <= look_at.plus(GRACE)) => {
                Verdict::Nothing("it is already waiting to be looked up")
            }
            _ => {
                let mut next = self.unmoved();
                next.due = Some(look_at);
                Verdict::change(next, "not_looked_up", vec![], why)
            }
        }
    }

    fn send_again(&self, reason: String, review_after: Seconds, now: Timestamp) -> Verdict<Self> {
        let mut next = self.moved(DepositStatus::Paid, Reason::NotApplied, now);
        // its outcome is known: nothing of it can still arrive
        next.inner.attempted = None;
        let again = now.plus(RETRY_FIRST.doubled(self.inner.attempts.saturating_sub(1), RETRY_MAX));
        next.due = Some(self.review_at(review_after).map_or(again, |review| again.min(review)));
        Verdict::change(next, "not_applied", vec![], vec![reason])
    }

    /// The deposit with its deal. If its money went back meanwhile, a person must see to the account.
    pub(super) fn credited(&self, ticket: String, amount: Money, reason: Reason, now: Timestamp) -> Verdict<Self> {
        // how much stands beside it, as what is credited
        let why = vec![format!("deal {ticket}")];
        let mut next = self.moved(DepositStatus::Credited, reason, now).with_deal(ticket, amount);
        if fault::is_back(Fault::DueStays) {
            next.due = self.due;
        }
        if !self.may_have_been_sent() {
            // by a person's hand: what was left of the collection
            next.inner.netted = Some(self.returned()).filter(Money::is_positive);
        }
        let next = next.with_fee_taken(amount);
        let entry = next.credit_entry(amount).with(next.reversal_entry());
        if !(next.reversed_part().is_positive() && next.goes_back_whole()) {
            return Verdict::change(next, "credited", vec!["deposit.credited"], why).booking(entry);
        }
        let trigger = self.inner.returned_by.clone().unwrap_or_else(|| self.own_trigger("returned"));
        let (next, event) = next.turned(&trigger, now);
        Verdict::change(next, "credited", vec!["deposit.credited", event, "desk.item"], why).booking(entry)
    }

    fn with_deal(mut self, ticket: String, amount: Money) -> Self {
        if ![self.sent_amount(), Some(self.credit_amount())].contains(&Some(amount)) {
            // a person's own conversion is not that of the rate that was found
            self.facts.fx = None;
        }
        self.facts.credited = Some(amount);
        self.facts.platform.operation = Some(ticket);
        self
    }

    /// What was credited bears our fee where it is what the collection comes to with it; what a person put there otherwise bears none.
    fn with_fee_taken(mut self, credited: Money) -> Self {
        let gross = left(self.collection(), self.netted());
        let is_ours = self.in_account_currency(self.net_of(gross)) == Some(credited);
        let taken = if is_ours { self.fee_of(gross) } else { Money::zero(gross.currency()) };
        if let Some(fee) = &mut self.facts.fee {
            fee.taken = Some(taken);
        }
        self
    }

    pub(super) fn give_up(&self, kind: WorkKind, reason: &str, now: Timestamp) -> Verdict<Self> {
        let next = self.held(kind, &self.own_trigger("credit"), now);
        Verdict::change(next, "needs_review", vec!["deposit.needs_review"], vec![format!("{kind}: {reason}")])
    }
}
