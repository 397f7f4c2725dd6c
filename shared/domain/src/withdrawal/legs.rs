//! A withdrawal that goes to several places. It is asked for, approved and debited as a whole; each part is a leg, a withdrawal of its own
//! that waits as `requested` until the whole is debited, and is then paid out or put back by itself. From then on the status of the whole
//! is what its legs come to.

use serde::{Deserialize, Serialize};

use super::plan::Leg;
use super::{Begin, Reason, Way, Withdrawal, WithdrawalStatus};
use crate::decision::{Decision, Verdict, derived_bits};
use crate::{Money, PaymentId, Seconds, Timestamp};

/// A whole whose legs are under way is looked after this often: each leg has a time of its own.
pub(super) const LOOKED_AFTER: Seconds = Seconds(3_600);

/// What a whole is called that goes over several providers.
const SEVERAL: &str = "several";

/// A leg as it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLeg {
    /// Its own id: its reference at the provider.
    pub payment_id: PaymentId,
    /// How much of the whole.
    pub amount: Money,
    /// Over which provider.
    pub psp: String,
    /// How it reaches the client.
    pub way: Way,
    /// The deposit whose payer gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_payment_id: Option<PaymentId>,
}

impl PlannedLeg {
    pub(super) fn in_words(&self) -> String {
        match &self.source_payment_id {
            Some(source) => format!("{} back to {source} over {}", self.amount, self.psp),
            None => format!("{} by {} over {}", self.amount, self.way, self.psp),
        }
    }
}

/// Names the legs of a whole. Their ids follow from its own: whoever plans the same again names them alike.
pub(super) fn planned(whole: &PaymentId, legs: &[Leg], now: Timestamp) -> Vec<PlannedLeg> {
    let named = |(leg, place): (&Leg, usize)| PlannedLeg {
        payment_id: PaymentId::from_bits(derived_bits(now, &["leg", whole.as_str(), &place.to_string()])),
        amount: leg.amount,
        psp: leg.target.psp.clone(),
        way: leg.target.destination.way(),
        source_payment_id: leg.target.destination.source().cloned(),
    };
    legs.iter().zip(1..).map(named).collect()
}

/// What a whole says to its legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Wait,
    /// It is debited: they are paid out.
    Begin,
    /// It ended before it was debited, and so do they.
    End(WithdrawalStatus),
}

/// What the status of a leg means for its whole; of several legs the one that comes first here counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weighs {
    Asks,
    Unknown,
    UnderWay,
    ComesBack,
    Paid,
    Nothing,
}

impl Weighs {
    fn of(status: WithdrawalStatus) -> Self {
        match status {
            WithdrawalStatus::NeedsReview => Self::Asks,
            WithdrawalStatus::PayoutUnknown => Self::Unknown,
            WithdrawalStatus::Requested
            | WithdrawalStatus::Approved
            | WithdrawalStatus::Debiting
            | WithdrawalStatus::DebitingUnknown
            | WithdrawalStatus::Debited
            | WithdrawalStatus::PayingOut => Self::UnderWay,
            WithdrawalStatus::PayoutFailed => Self::ComesBack,
            WithdrawalStatus::PaidOut => Self::Paid,
            WithdrawalStatus::Returned | WithdrawalStatus::Declined | WithdrawalStatus::Cancelled => Self::Nothing,
        }
    }

    fn status(self) -> WithdrawalStatus {
        match self {
            Self::Asks => WithdrawalStatus::NeedsReview,
            Self::Unknown => WithdrawalStatus::PayoutUnknown,
            Self::UnderWay => WithdrawalStatus::PayingOut,
            Self::ComesBack => WithdrawalStatus::PayoutFailed,
            Self::Paid => WithdrawalStatus::PaidOut,
            Self::Nothing => WithdrawalStatus::Returned,
        }
    }
}

impl Withdrawal {
    /// Whether it goes to several places.
    pub fn is_split(&self) -> bool {
        !self.facts.legs.is_empty()
    }

    /// Takes over the plan. What goes to several places is to no payer as a whole.
    pub(super) fn split_into(&mut self, legs: Vec<PlannedLeg>) {
        if legs.is_empty() {
            return;
        }
        self.facts.source_payment_id = None;
        self.inner.by_hand = false;
        if legs.iter().any(|leg| leg.psp != self.facts.psp.name) {
            SEVERAL.clone_into(&mut self.facts.psp.name);
        }
        self.facts.legs = legs;
    }

    /// The legs of a new whole, as `plan` has them: saved together with it.
    pub fn legs_of(&self, plan: Vec<Leg>) -> Vec<Decision<Self>> {
        let begin = |(leg, planned): (Leg, &PlannedLeg)| {
            let mut next = Self::begun(Begin {
                id: planned.payment_id.clone(),
                client_id: self.client_id.clone(),
                account_id: self.facts.account_id.clone(),
                platform: self.facts.platform.clone(),
                amount: leg.amount,
                target: leg.target,
                payee: leg.payee,
                now: self.inner.opened,
            });
            next.facts.part_of = Some(self.id.clone());
            Decision::new(next, "planned", vec![], vec![planned.in_words()])
        };
        plan.into_iter().zip(&self.facts.legs).map(begin).collect()
    }

    /// Whether what became of it concerns its whole, or its legs.
    pub(super) fn concerns_others(&self) -> bool {
        let ended = matches!(self.status(), WithdrawalStatus::Declined | WithdrawalStatus::Cancelled);
        let before = self.inner.stages.iter().rev().nth(1).map(|stage| Weighs::of(stage.0));
        match self.facts.part_of {
            Some(_) => before != Some(Weighs::of(self.status())),
            None => self.is_split() && ended,
        }
    }

    fn order(&self) -> Order {
        match self.status() {
            _ if self.inner.legs_begun => Order::Begin,
            WithdrawalStatus::Debited => Order::Begin,
            ended @ (WithdrawalStatus::Declined | WithdrawalStatus::Cancelled) => Order::End(ended),
            // it was debited after it had ended, and is put back as a whole
            WithdrawalStatus::PayoutFailed | WithdrawalStatus::Returned => Order::End(WithdrawalStatus::Declined),
            WithdrawalStatus::Requested
            | WithdrawalStatus::Approved
            | WithdrawalStatus::Debiting
            | WithdrawalStatus::DebitingUnknown
            | WithdrawalStatus::PayingOut
            | WithdrawalStatus::PayoutUnknown
            | WithdrawalStatus::PaidOut
            | WithdrawalStatus::NeedsReview => Order::Wait,
        }
    }

    /// What a leg does that its whole stands where it does.
    pub fn with_whole(&self, whole: &Self, now: Timestamp) -> Verdict<Self> {
        if self.facts.part_of.as_ref() != Some(&whole.id) || self.status() != WithdrawalStatus::Requested {
            return Verdict::Nothing("it does not wait for this withdrawal");
        }
        let why = vec![format!("{} is {}", whole.id, whole.status())];
        match whole.order() {
            Order::Wait => Verdict::Nothing("the whole is not debited yet"),
            Order::Begin => {
                let next = self.moved(WithdrawalStatus::Debited, Reason::Debited, now);
                Verdict::change(next, "debited", vec!["withdrawal.payout_due"], why)
            }
            Order::End(status) => {
                let next = self.moved(status, Reason::WholeEnded, now);
                Verdict::change(next, status.as_str(), vec![], why)
            }
        }
    }

    /// What becomes of a whole by what became of its legs, all of which are given. What it comes to is said anew from all of them each
    /// time, so it does not matter how often or in which order they are told of. Their clients' messages are theirs: it tells nobody.
    pub fn with_legs(&self, legs: &[Self], now: Timestamp) -> Verdict<Self> {
        if !self.is_split() || self.order() != Order::Begin {
            return Verdict::Nothing("its legs are not begun");
        }
        let weight = legs.iter().map(|leg| Weighs::of(leg.status())).min();
        let status = weight.unwrap_or(Weighs::UnderWay).status();
        let sum = |of: fn(&Self) -> Option<Money>| {
            legs.iter().filter_map(of).reduce(|sum, part| sum.checked_add(&part).unwrap_or(sum))
        };
        let (paid, returned) = (sum(|leg| leg.facts.paid), sum(|leg| leg.facts.returned));
        let mut next = match status == self.status() {
            true => self.unmoved(),
            false => self.moved(status, Reason::Legs, now),
        };
        next.inner.legs_begun = true;
        (next.facts.paid, next.facts.returned) = (paid, returned);
        if next == self.unmoved() {
            return Verdict::Nothing("its legs stand where they stood");
        }
        next.due = status.is_watched().then(|| now.plus(LOOKED_AFTER));
        let told = |(name, money): (&str, Option<Money>)| money.map(|money| format!("{name} {money}"));
        let why = [("paid", paid), ("put back", returned)].into_iter().filter_map(told).collect();
        Verdict::change(next, status.as_str(), vec![], why)
    }
}
