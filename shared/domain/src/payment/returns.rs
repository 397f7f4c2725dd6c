//! What went back to the payer, apart from what was collected: in whatever order, and however often, it is told.

use serde::{Deserialize, Serialize};

use super::report::{Returned, Way};
use crate::fault::{self, Fault};
use crate::{Currency, Money, Timestamp};

/// All refunds so far, as the provider last told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Total(Money, i64);

/// One refund or dispute: the provider's id, how, how much, whether it stands, and when that was so (milliseconds since 1970).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct One(String, Way, Money, bool, i64);

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
        self.total.is_none() && self.ones.is_empty() && self.by_hand.is_none()
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
        let refunds = match &self.total {
            None => single,
            Some(Total(total, then)) => {
                // what failed after the total was told is still in it; a later total is told without it
                let failed = self.sum(currency, |one| one.1 == Way::Refund && !one.3 && one.4 >= *then);
                let rest = left(*total, failed);
                larger(single, rest)
            }
        };
        let refunds = self.by_hand.map_or(refunds, |by_hand| larger(refunds, by_hand));
        plus(refunds, self.sum(currency, |one| one.1 == Way::Dispute && one.3))
    }

    /// Whether a dispute stands.
    pub(super) fn is_disputed(&self) -> bool {
        self.ones.iter().any(|one| one.1 == Way::Dispute && one.3)
    }
}
