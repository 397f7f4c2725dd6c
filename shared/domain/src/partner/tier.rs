//! What volume multiplies a rate with. A limit is passed by strictly more than it.

use rust_decimal::Decimal;

use super::accrual::Hindrance;
use super::rules::{Apply, Tiers};

/// Lots of a partner that decide about his tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// Of the month before.
    pub last_month: Decimal,
    /// Of the month, without the trade.
    pub before: Decimal,
    /// Of the trade.
    pub added: Decimal,
}

impl Tiers {
    /// The factor at so many lots.
    pub fn at(&self, lots: Decimal) -> Decimal {
        self.steps.iter().rev().find(|step| lots > step.above).map_or(Decimal::ONE, |step| step.factor)
    }

    /// The factor of a trade. A marginal one is the mean over its lots, so that those above a limit alone get more.
    ///
    /// # Errors
    /// [`Hindrance::TooLarge`].
    pub fn factor(&self, volume: &Volume) -> Result<Decimal, Hindrance> {
        let after = volume.before.saturating_add(volume.added);
        match self.apply {
            Apply::NextPeriod => Ok(self.at(volume.last_month)),
            Apply::Retroactive => Ok(self.at(after)),
            // its first lot lies above every limit that was reached already
            Apply::Marginal if volume.added.is_zero() => Ok(self.reached(volume.before)),
            Apply::Marginal => {
                let weighted = self.weighted(after).and_then(|sum| sum.checked_sub(self.weighted(volume.before)?));
                weighted.and_then(|sum| sum.checked_div(volume.added)).ok_or(Hindrance::TooLarge)
            }
        }
    }

    /// The factor of what comes after so many lots.
    fn reached(&self, lots: Decimal) -> Decimal {
        self.steps.iter().rev().find(|step| lots >= step.above).map_or(Decimal::ONE, |step| step.factor)
    }

    /// The factors of all lots up to so many, added up.
    fn weighted(&self, lots: Decimal) -> Option<Decimal> {
        let (mut sum, mut from, mut factor) = (Decimal::ZERO, Decimal::ZERO, Decimal::ONE);
        for step in &self.steps {
            if lots <= step.above {
                break;
            }
            sum = sum.checked_add(step.above.checked_sub(from)?.checked_mul(factor)?)?;
            (from, factor) = (step.above, step.factor);
        }
        sum.checked_add(lots.checked_sub(from)?.checked_mul(factor)?)
    }
}
