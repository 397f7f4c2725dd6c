//! A share of what the broker earned by a partner's clients in a month, and what becomes of a month below zero.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::accrual::Hindrance;
use super::fine::round;
use super::period::Period;
use super::rules::{CarryMode, CarryOf, ResetEvery, RevenuePart, RevenueTerms};

/// What a month brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// What came in less what counts as cost.
    pub net: Decimal,
    /// What the per cent were taken of, carried losses taken off; below zero where there was nothing to share.
    pub base: Decimal,
    /// What the partner gets; never below zero.
    pub share: Decimal,
    /// What the next month begins with: zero or below.
    pub carry: Decimal,
}

impl RevenueTerms {
    /// What came in less what counts as cost.
    ///
    /// # Errors
    /// [`Hindrance::TooLarge`].
    pub fn net(&self, parts: &BTreeMap<RevenuePart, Decimal>) -> Result<Decimal, Hindrance> {
        let counted = parts.iter().filter(|(part, _)| self.parts.contains(part));
        let signed = counted.map(|(part, amount)| if part.is_cost() { -*amount } else { *amount });
        signed.into_iter().try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one)).ok_or(Hindrance::TooLarge)
    }

    /// Settles a month with what the one before left over.
    ///
    /// # Errors
    /// [`Hindrance::TooLarge`].
    pub fn settle(
        &self,
        period: Period,
        parts: &BTreeMap<RevenuePart, Decimal>,
        carried: Decimal,
    ) -> Result<Settled, Hindrance> {
        let net = self.net(parts)?;
        let carried = if self.forgets_before(period) { Decimal::ZERO } else { carried.min(Decimal::ZERO) };
        let part = |of: Decimal| of.checked_mul(self.per_cent)?.checked_div(Decimal::ONE_HUNDRED);
        let (base, share) = match self.carry.of {
            CarryOf::Revenue => {
                let base = net.checked_add(carried);
                (base, base.and_then(part))
            }
            CarryOf::Share => (Some(net), part(net).and_then(|share| share.checked_add(carried))),
        };
        let (base, share) = base.zip(share).ok_or(Hindrance::TooLarge)?;
        let left = match self.carry.of {
            CarryOf::Revenue => base,
            CarryOf::Share => share,
        };
        let carry = match self.carry.mode {
            CarryMode::Off => Decimal::ZERO,
            CarryMode::On | CarryMode::Reset => left.min(Decimal::ZERO),
            CarryMode::Capped => left.min(Decimal::ZERO).max(-self.carry.cap.unwrap_or_default()),
        };
        Ok(Settled { net, base, share: round(share.max(Decimal::ZERO)), carry: carry.normalize() })
    }

    fn forgets_before(&self, period: Period) -> bool {
        match (self.carry.mode, self.carry.every) {
            (CarryMode::Reset, Some(ResetEvery::Quarter)) => period.month() % 3 == 1,
            (CarryMode::Reset, Some(ResetEvery::Year)) => period.month() == 1,
            _ => false,
        }
    }
}
