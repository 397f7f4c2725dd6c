//! Withdrawals: asked for, approved by rule or by people, taken off the trading account, paid out; and put back on the account where
//! the money does not reach the client.
//!
//! `requested -> approved -> debiting -> debited -> paying_out -> paid_out`. The trading account is debited first, so what is paid out is
//! there no more. Each of the three effects (debit, payout, putting back) is an intent, a call and an outcome, and each is looked up
//! before it is made a second time.
//!
//! One that goes to several places has a leg for each: a withdrawal of its own that is not debited, but paid out or put back by itself
//! ([`legs`]).

mod booking;
pub mod closed_loop;
pub mod destination;
pub mod legs;
pub mod payee;
pub mod payout;
mod people;
mod places;
pub mod plan;
pub mod platform;
pub mod request;
pub mod rules;
mod sources;
pub mod status;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use destination::{Destination, Way};
pub use legs::PlannedLeg;
pub use payee::Payee;
pub use payout::{PayoutAnswer, PayoutStep};
pub use plan::Target;
pub use platform::{Operation, PlatformStep};
pub use request::{Ask, WithdrawalRefusal, WithdrawalRequest};
pub use status::{Reason, Stage, WithdrawalStatus};

use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InMoney, Parts, ReadError};
use crate::payment::credit::{GRACE, RETRY_FIRST, RETRY_MAX, grace};
use crate::payment::deposit::{PlatformSide, PspSide, Settled};
use crate::time::millis;
use crate::work::Review;
use crate::work::rules::WorkKind;
use crate::{AccountId, ClientId, Money, PaymentId, Seconds, Timestamp};

/// After this in one status the timers look after it less often.
const SLOWER_AFTER_MS: i64 = 3_600_000;
/// Less often.
const SLOW: Seconds = Seconds(900);

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Its id; our reference at platform and provider.
    pub id: PaymentId,
    /// Whose it is.
    pub client_id: ClientId,
    /// When something must happen although no trigger comes.
    pub due: Option<Timestamp>,
    /// The part that events carry.
    pub facts: WithdrawalFacts,
    /// The part that stays with the item.
    pub inner: WithdrawalInner,
}

/// The public part of a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct WithdrawalFacts {
    pub status: WithdrawalStatus,
    pub account_id: AccountId,
    /// What leaves the trading account.
    pub requested: Money,
    /// What was taken off the trading account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debited: Option<Money>,
    /// What the provider paid out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
    /// What was put on the trading account again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Money>,
    pub psp: PspSide,
    pub platform: PlatformSide,
    /// How it reaches the client; where exactly is private.
    pub way: Way,
    /// The deposit whose payer gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_payment_id: Option<PaymentId>,
    /// What was found of who gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<Payee>,
    /// Its legs, where it goes to several places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<PlannedLeg>,
    /// The withdrawal that this is a leg of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<PaymentId>,
    /// What this version asks a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// Work items of earlier versions that this version makes moot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
}

/// An effect outside: how often it was intended, when last (unless its outcome is known), and since when it is tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Intents so far; each has its own version, so two workers never share one.
    #[serde(rename = "n", default)]
    pub attempts: u32,
    /// When the last was intended, unless its outcome is known.
    #[serde(rename = "ta", default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub attempted: Option<Timestamp>,
    /// Since when it is tried.
    #[serde(rename = "ts", default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub since: Option<Timestamp>,
}

impl Effort {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn intended(&mut self, now: Timestamp) {
        self.attempts = self.attempts.saturating_add(1);
        self.attempted = Some(now);
        self.since = self.since.or(Some(now));
    }

    /// Whether no earlier call can still arrive.
    pub(crate) fn grace_over(&self, now: Timestamp) -> bool {
        self.attempted.is_none_or(|at| now >= at.plus(grace()))
    }

    fn is_past(&self, limit: Seconds, now: Timestamp) -> bool {
        self.since.is_some_and(|since| now >= since.plus(limit))
    }

    /// Whether it is tried for longer than `review_after`. While its server is being maintained, until `served_from`, that is nobody's fault.
    pub(crate) fn is_past_review(&self, served_from: Option<Timestamp>, review_after: Seconds, now: Timestamp) -> bool {
        let since = self.since.map(|since| served_from.map_or(since, |from| since.max(from)));
        since.is_some_and(|since| now >= since.plus(review_after))
    }

    /// When it makes sense to look up what became of the last call.
    pub(crate) fn look_at(&self, now: Timestamp) -> Timestamp {
        self.attempted.map_or(now, |at| at.plus(grace())).max(now.plus(RETRY_FIRST))
    }

    /// The last call was not applied, so that nothing of it can still arrive: when it is sent again.
    pub(crate) fn not_applied(&mut self, now: Timestamp) -> Timestamp {
        self.attempted = None;
        now.plus(RETRY_FIRST.doubled(self.attempts.saturating_sub(1), RETRY_MAX))
    }
}

/// The private part of a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalInner {
    /// The first moment.
    #[serde(rename = "t0", with = "millis")]
    pub opened: Timestamp,
    /// The timeline.
    #[serde(rename = "tl")]
    pub stages: Vec<Stage>,
    /// Where the money goes.
    #[serde(rename = "to")]
    pub destination: Destination,
    /// No provider of ours pays it out: a person does.
    #[serde(rename = "h", default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// Taking it off the trading account.
    #[serde(rename = "d", default, skip_serializing_if = "Effort::is_none")]
    pub debit: Effort,
    /// Paying it out.
    #[serde(rename = "p", default, skip_serializing_if = "Effort::is_none")]
    pub payout: Effort,
    /// The provider has taken the payout.
    #[serde(rename = "k", default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// The provider said what cannot be so, and a person was told.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub contradicted: Option<String>,
    /// Its legs are being paid out: what becomes of it is what becomes of them.
    #[serde(rename = "lb", default, skip_serializing_if = "std::ops::Not::not")]
    pub legs_begun: bool,
    /// When the payout came back, as far as the provider said so.
    #[serde(rename = "cb", default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub came_back: Option<Timestamp>,
    /// A person wants it declined once it is sure that it was not debited.
    #[serde(rename = "cl", default, skip_serializing_if = "std::ops::Not::not")]
    pub closing: bool,
    /// What a person says to have booked on the trading account, and nobody has looked up yet.
    #[serde(rename = "nt", default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// Putting it back on the trading account.
    #[serde(rename = "b", default, skip_serializing_if = "Effort::is_none")]
    pub putting_back: Effort,
    /// Look-ups at the provider in a row that told nothing of use.
    #[serde(rename = "q", default)]
    pub polls: u32,
    /// When the trading server could be called again, after it was last being maintained.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub served_from: Option<Timestamp>,
    /// The review that it waits for, and when it was asked for.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldSince>,
    /// Questions to persons so far: each names its own work item.
    #[serde(rename = "v", default)]
    pub reviews: u32,
}

impl WithdrawalInner {
    /// Whether the rules approved it when it was asked for.
    pub fn was_approved_at_once(&self) -> bool {
        self.stages.iter().any(|stage| stage.2 == Reason::ByRule)
    }
}

/// A review with the moment at which it was asked for: together they name the work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSince(pub Review, #[serde(with = "millis")] pub Timestamp);

/// What a new withdrawal is made of.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names of `WithdrawalFacts`")]
pub struct NewWithdrawal {
    pub id: PaymentId,
    pub request: WithdrawalRequest,
    /// Whether the rules approve it; else a person decides.
    pub approved: bool,
    /// The client never asked for one before.
    pub first: bool,
    pub now: Timestamp,
}

/// What a withdrawal and each of its legs begins with.
struct Begin {
    id: PaymentId,
    client_id: ClientId,
    account_id: AccountId,
    platform: PlatformSide,
    amount: Money,
    target: Target,
    payee: Option<Payee>,
    now: Timestamp,
}

impl Withdrawal {
    /// The first version: approved by rule, or with finance. Its legs are saved together with it ([`Withdrawal::legs_of`]).
    pub fn asked(new: NewWithdrawal) -> Decision<Self> {
        let NewWithdrawal { id, request, approved, first, now } = new;
        let (mut why, asked) = (request.why, request.asked);
        let legs = legs::planned(&id, &request.legs, now);
        why.extend(legs.iter().map(PlannedLeg::in_words));
        let platform = PlatformSide { name: Some(request.platform), login: request.login, operation: None };
        let (client_id, account_id, amount) = (request.client_id, request.account_id, request.amount);
        let (target, payee) = (request.target, request.payee);
        let begin = Begin { id, client_id, account_id, platform, amount, target, payee, now };
        let mut next = Self::begun(begin);
        next.split_into(legs);
        let mut events = vec!["withdrawal.requested"];
        events.extend(first.then_some("withdrawal.first_requested"));
        if approved {
            let next = next.moved(WithdrawalStatus::Approved, Reason::ByRule, now);
            events.push("withdrawal.approved");
            return Decision::new(next, "approved", events, why).asking(asked);
        }
        next.ask(WorkKind::WithdrawalApproval, now);
        events.push("desk.item");
        Decision::new(next, "requested", events, why).asking(asked)
    }

    fn begun(begin: Begin) -> Self {
        let Begin { id, client_id, account_id, platform, amount, target, payee, now } = begin;
        Self {
            id,
            client_id,
            due: None,
            facts: WithdrawalFacts {
                status: WithdrawalStatus::Requested,
                account_id,
                requested: amount,
                debited: None,
                paid: None,
                returned: None,
                psp: PspSide { name: target.psp, reference: String::new() },
                platform,
                way: target.destination.way(),
                source_payment_id: target.destination.source().cloned(),
                payee,
                legs: Vec::new(),
                part_of: None,
                review: None,
                settled: Vec::new(),
            },
            inner: WithdrawalInner {
                opened: now,
                stages: vec![Stage(WithdrawalStatus::Requested, 0, Reason::Requested)],
                destination: target.destination,
                by_hand: target.by_hand,
                debit: Effort::default(),
                payout: Effort::default(),
                accepted: false,
                contradicted: None,
                legs_begun: false,
                came_back: None,
                closing: false,
                named: None,
                putting_back: Effort::default(),
                polls: 0,
                served_from: None,
                held: None,
                reviews: 0,
            },
        }
    }

    /// Its status.
    pub fn status(&self) -> WithdrawalStatus {
        self.facts.status
    }

    /// The client takes it back, which he may until it is sent to the trading server.
    ///
    /// # Errors
    /// Why he cannot.
    pub fn cancelled(&self, now: Timestamp) -> Result<Decision<Self>, &'static str> {
        match self.status() {
            _ if self.facts.part_of.is_some() => return Err("it is a part of another, which is taken back as a whole"),
            WithdrawalStatus::Requested => {}
            WithdrawalStatus::Approved if self.inner.debit.attempts == 0 => {}
            WithdrawalStatus::Cancelled => return Err("it is cancelled already"),
            WithdrawalStatus::Declined => return Err("it was declined"),
            WithdrawalStatus::Approved
            | WithdrawalStatus::Debiting
            | WithdrawalStatus::DebitingUnknown
            | WithdrawalStatus::Debited
            | WithdrawalStatus::PayingOut
            | WithdrawalStatus::PayoutUnknown
            | WithdrawalStatus::PaidOut
            | WithdrawalStatus::PayoutFailed
            | WithdrawalStatus::Returned
            | WithdrawalStatus::NeedsReview => return Err("it is being debited, or was"),
        }
        let next = self.moved(WithdrawalStatus::Cancelled, Reason::Cancelled, now);
        let events = next.events(&["withdrawal.cancelled"]);
        Ok(Decision::new(next, "cancelled", events, vec!["the client took it back".to_owned()]))
    }

    /// The same withdrawal in another status. What a person was asked before is moot, unless his own word moves it.
    #[must_use]
    fn moved(&self, status: WithdrawalStatus, reason: Reason, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.facts.status = status;
        next.facts.review = None;
        next.facts.settled = self.inner.held.iter().map(HeldSince::settled).collect();
        next.inner.held = None;
        next.inner.named = None;
        next.inner.closing = false;
        next.inner.stages.push(Stage(status, now.millis_since(self.inner.opened), reason));
        next.inner.polls = 0;
        next.due = status.is_watched().then(|| now.plus(GRACE));
        next
    }

    /// The same withdrawal in the same status, for a change that asks nobody anything.
    #[must_use]
    fn unmoved(&self) -> Self {
        let mut next = self.clone();
        next.facts.review = None;
        next.facts.settled.clear();
        next
    }

    /// Asks a person; the item is named by the withdrawal, the kind and which question it is.
    fn ask(&mut self, kind: WorkKind, now: Timestamp) {
        self.inner.reviews = self.inner.reviews.saturating_add(1);
        let review = Review::of(kind, format!("withdrawal:{}", self.inner.reviews));
        self.facts.review = Some(review.clone());
        self.inner.held = Some(HeldSince(review, now));
    }

    /// Stops it until a person decides.
    fn held(&self, kind: WorkKind, why: String, now: Timestamp) -> Verdict<Self> {
        let mut next = self.moved(WithdrawalStatus::NeedsReview, Reason::Review, now);
        next.ask(kind, now);
        let events = next.events(&["withdrawal.needs_review"]);
        Verdict::change(next, "needs_review", events, vec![format!("{kind}: {why}")])
    }

    /// What it waits for, of a person.
    fn held_for(&self) -> Option<WorkKind> {
        let held = self.inner.held.as_ref()?;
        held.0.kind.parse().ok()
    }

    /// The timeline with its moments.
    pub fn timeline(&self) -> impl Iterator<Item = (Timestamp, WithdrawalStatus, &'static str)> + '_ {
        let opened = self.inner.opened;
        self.inner.stages.iter().map(move |stage| {
            let at = Timestamp::from_millis(opened.millis().saturating_add(stage.1)).unwrap_or(opened);
            (at, stage.0, stage.2.text())
        })
    }

    /// It is due: the worker whose turn it is gets it again; the due time moves on, so that one sweep sends it once.
    pub fn redriven(&self, now: Timestamp) -> Verdict<Self> {
        if self.due.is_none_or(|due| due > now) {
            return Verdict::Nothing("it is not due");
        }
        let Some(event) = self.worker() else { return Verdict::Nothing("it waits for nobody's work") };
        let mut next = self.unmoved();
        let moved = self.inner.stages.last().map_or(0, |stage| stage.1);
        let slow = now.millis_since(self.inner.opened).saturating_sub(moved) > SLOWER_AFTER_MS;
        let wait = match slow {
            _ if self.inner.legs_begun => legs::LOOKED_AFTER,
            true => SLOW,
            false => GRACE,
        };
        next.due = Some(now.plus(wait));
        Verdict::change(next, "redriven", vec![event], vec![format!("{} for too long", self.status())])
    }

    /// Its provider said something of it that nothing proves: it is asked.
    pub fn to_be_asked(&self, now: Timestamp) -> Verdict<Self> {
        match self.status() {
            _ if self.is_split() => Verdict::Nothing("its legs are paid out, and not it"),
            WithdrawalStatus::PayingOut | WithdrawalStatus::PayoutUnknown => {
                let mut next = self.unmoved();
                next.due = Some(now.plus(GRACE));
                let why = vec!["its provider said something of it".to_owned()];
                Verdict::change(next, "asked", vec!["withdrawal.payout_due"], why)
            }
            _ => Verdict::Nothing("its payout is not under way"),
        }
    }

    /// The event that sends it to the worker whose turn it is.
    fn worker(&self) -> Option<&'static str> {
        match self.status() {
            WithdrawalStatus::PayoutFailed if self.inner.legs_begun => Some("withdrawal.payout_due"),
            WithdrawalStatus::Approved
            | WithdrawalStatus::Debiting
            | WithdrawalStatus::DebitingUnknown
            | WithdrawalStatus::PayoutFailed => Some("withdrawal.booking_due"),
            WithdrawalStatus::Debited | WithdrawalStatus::PayingOut | WithdrawalStatus::PayoutUnknown => {
                Some("withdrawal.payout_due")
            }
            WithdrawalStatus::Requested
            | WithdrawalStatus::PaidOut
            | WithdrawalStatus::Returned
            | WithdrawalStatus::Declined
            | WithdrawalStatus::Cancelled
            | WithdrawalStatus::NeedsReview => None,
        }
    }

    /// The events of a version, with the one that closes work items where it makes some moot, and the one by which a withdrawal and its
    /// legs hear of each other.
    fn events(&self, events: &[&'static str]) -> Vec<&'static str> {
        let settled = (!self.facts.settled.is_empty()).then_some("desk.settled");
        let legs = self.concerns_others().then_some("withdrawal.legs_due");
        events.iter().copied().chain(settled).chain(legs).collect()
    }
}

impl HeldSince {
    fn settled(&self) -> Settled {
        Settled { kind: self.0.kind.clone(), trigger: self.0.trigger.clone(), at_ms: self.1.millis() }
    }
}

impl Entity for Withdrawal {
    type Id = PaymentId;
    type Table = InMoney;
    type Public = WithdrawalFacts;
    type Private = WithdrawalInner;
    const KIND: &'static str = "withdrawal";
    const FAMILY: &'static str = "payment";
    const TIMED: bool = true;

    fn id(&self) -> &PaymentId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &WithdrawalFacts {
        &self.facts
    }

    fn private(&self) -> &WithdrawalInner {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, due: parts.due, facts: parts.public, inner: parts.private })
    }
}
