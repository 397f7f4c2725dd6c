//! What went back to the payer, apart from what was collected: in whatever order, and however often, it is told.

use serde::{Deserialize, Serialize};

use super::report::{Returned, Way};
use crate::fault::{self, Fault};
use crate::{Currency, Money, PaymentId, Timestamp};

/// All refunds so far, as the provider last told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Total(Money, i64);

/// One refund or dispute: the provider's id, how, how much, whether it stands, and when that was so (milliseconds since 1970).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct One(String, Way, Money, bool, i64);

/// A withdrawal that goes back to the payer: it is no loss of the credit, but the provider tells of its refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PaidBack {
    /// Whose.
    #[serde(rename = "w")]
    withdrawal: PaymentId,
    #[serde(rename = "a")]
    amount: Money,
    /// When it was kept, in milliseconds since 1970: a total that was told before has none of it.
    #[serde(rename = "k")]
    kept: i64,
    /// When it came back, if it did.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    came_back: Option<i64>,
    /// A person refunded it in the provider's console: the provider tells of that refund as of any other.
    #[serde(rename = "h", default, skip_serializing_if = "std::ops::Not::not")]
    by_hand: bool,
}

/// The provider tells whole seconds, and by its own clock.
const SKEW_MS: i64 = 60_000;

/// Everything that is known to have gone back of one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returns {
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    total: Option<Total>,
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    ones: Vec<One>,
    /// What a person said was refunded, until the provider tells of it.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    by_hand: Option<Money>,
    /// Withdrawals that go back to the payer.
    #[serde(rename = "w", default, skip_serializing_if = "Vec::is_empty")]
    paid_back: Vec<PaidBack>,
}

/// Amounts of one payment are in one currency and far from the largest number, so this does not fail; if it did, the first stands.
fn plus(sum: Money, amount: Money) -> Money {
    sum.checked_add(&amount).unwrap_or(sum)
}

fn larger(a: Money, b: Money) -> Money {
    if b.compare(&a).is_ok_and(std::cmp::Ordering::is_gt) { b } else { a }
}

/// `amount` less `less`, never below nothing.
pub(super) fn left(amount: Money, less: Money) -> Money {
    let zero = Money::zero(amount.currency());
    let left = plus(amount, less.negated());
    if left.is_positive() { left } else { zero }
}

pub(super) fn smaller(a: Money, b: Money) -> Money {
    if a.compare(&b).is_ok_and(std::cmp::Ordering::is_gt) { b } else { a }
}

impl Returns {
    /// Whether nothing was ever told.
    pub fn is_empty(&self) -> bool {
        self.total.is_none() && self.ones.is_empty() && self.by_hand.is_none() && self.paid_back.is_empty()
    }

    /// Takes a statement in; `false` if it says nothing new. `amount` is its amount, or the whole collection where it names none.
    /// Of a running total and of each single return the newest word counts, however late an older one arrives.
    pub(super) fn take(&mut self, told: &Returned, amount: Money, at: Timestamp) -> bool {
        let at = at.millis();
        match told {
            Returned::Total { .. } => self.take_total(amount, at),
            Returned::One { id, way, stands, .. } => self.take_one(One(id.clone(), *way, amount, *stands, at)),
        }
    }

    fn take_total(&mut self, amount: Money, at: i64) -> bool {
        let before = self.total.as_ref().filter(|_| fault::is_back(Fault::TotalsAreAdded));
        let amount = before.map_or(amount, |before| plus(before.0, amount));
        let larger = |known: &Money| amount.compare(known).is_ok_and(std::cmp::Ordering::is_gt);
        let news = match &self.total {
            None => true,
            // two refunds of one second: a total only grows
            Some(Total(known, then)) if at == *then => larger(known),
            // the same total again is news only if a refund failed in between
            Some(Total(known, then)) => at > *then && (*known != amount || self.ones.iter().any(|one| !one.3)),
        };
        if news {
            self.total = Some(Total(amount, at));
        }
        news
    }

    /// A person refunded it in the provider's own console.
    pub(super) fn refunded_by_hand(&mut self, amount: Money) {
        self.by_hand = Some(amount);
    }

    fn take_one(&mut self, told: One) -> bool {
        if !told.3 && fault::is_back(Fault::WhatCameBackStaysGone) {
            return false;
        }
        if told.1 == Way::Refund && !told.3 {
            // the refund that failed is the person's
            self.by_hand = None;
        }
        let Some(known) = self.ones.iter_mut().find(|one| one.0 == told.0 && one.1 == told.1) else {
            self.ones.push(told);
            return true;
        };
        // of one second the end counts: a refund that was made and failed, a dispute that was opened and won
        let newer = told.4 > known.4 || (told.4 == known.4 && known.3 && !told.3);
        let news = newer && (known.2, known.3) != (told.2, told.3);
        if news {
            *known = told;
        }
        news
    }

    fn sum(&self, currency: Currency, of: impl Fn(&One) -> bool) -> Money {
        self.ones.iter().filter(|one| of(one)).fold(Money::zero(currency), |sum, one| plus(sum, one.2))
    }

    /// What is with the payer now, or on its way to him.
    pub(super) fn standing(&self, currency: Currency) -> Money {
        let single = self.sum(currency, |one| one.1 == Way::Refund && one.3);
        let single = left(single, self.paid_back_by(currency, |own| own.by_hand && own.came_back.is_none()));
        let refunds = match &self.total {
            None => single,
            Some(Total(total, then)) => {
                // what failed after the total was told is still in it; a later total is told without it
                let failed = self.sum(currency, |one| one.1 == Way::Refund && !one.3 && one.4 >= *then);
                let own = self.paid_back_by(currency, |own| {
                    own.kept <= then.saturating_add(SKEW_MS) && own.came_back.is_none_or(|at| at >= *then)
                });
                let rest = left(left(*total, failed), own);
                larger(single, rest)
            }
        };
        let refunds = self.by_hand.map_or(refunds, |by_hand| larger(refunds, by_hand));
        plus(refunds, self.sum(currency, |one| one.1 == Way::Dispute && one.3))
    }

    fn paid_back_by(&self, currency: Currency, counts: impl Fn(&PaidBack) -> bool) -> Money {
        let counted = self.paid_back.iter().filter(|own| counts(own));
        counted.fold(Money::zero(currency), |sum, own| plus(sum, own.amount))
    }

    /// What withdrawals paid back to the payer, or are about to.
    pub(super) fn paid_back(&self, currency: Currency) -> Money {
        self.paid_back_by(currency, |own| own.came_back.is_none())
    }

    /// Whether a withdrawal is among them.
    pub(super) fn pays_back(&self, withdrawal: &PaymentId) -> bool {
        self.paid_back.iter().any(|own| own.withdrawal == *withdrawal && own.came_back.is_none())
    }

    /// A withdrawal is about to go back to the payer, by a refund that names it, or by a person's hand.
    pub(super) fn pay_back(&mut self, withdrawal: &PaymentId, amount: Money, by_hand: bool, now: Timestamp) {
        let known = self.paid_back.iter_mut().find(|own| own.withdrawal == *withdrawal && own.came_back.is_none());
        if let Some(known) = known {
            known.by_hand |= by_hand;
            return;
        }
        let (withdrawal, kept) = (withdrawal.clone(), now.millis());
        self.paid_back.push(PaidBack { withdrawal, amount, kept, came_back: None, by_hand });
    }

    /// A withdrawal did not get there: it never left, or it came back at that time.
    pub(super) fn pay_back_undone(&mut self, withdrawal: &PaymentId, came_back: Option<Timestamp>) {
        match came_back {
            None => self.paid_back.retain(|own| own.withdrawal != *withdrawal || own.came_back.is_some()),
            Some(at) => {
                let own = |own: &&mut PaidBack| own.withdrawal == *withdrawal && own.came_back.is_none();
                for own in self.paid_back.iter_mut().filter(own) {
                    own.came_back = Some(at.millis());
                }
            }
        }
    }

    /// Whether a dispute stands.
    pub(super) fn is_disputed(&self) -> bool {
        self.ones.iter().any(|one| one.1 == Way::Dispute && one.3)
    }
}
