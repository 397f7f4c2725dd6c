//! Parts of amounts: times a factor, shared out by weights, in another currency. Everything is computed in whole numbers,
//! so what is rounded away is known to the last digit, and nothing is rounded twice.

use rust_decimal::Decimal;

use super::{Currency, Money, MoneyError};

/// Which amount stands for a value that lies between two amounts. Signs do not matter: what is owed is rounded as what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest; from the middle to the even digit, so that many conversions do not drift.
    HalfEven,
    /// To the nearest; from the middle away from zero, as contracts and invoices have it.
    HalfUp,
    /// Towards zero: what is paid out of something (a commission, a bonus) never exceeds it.
    Down,
    /// Away from zero: what must be covered (a margin, a reserve) is covered.
    Up,
}

impl Rounding {
    /// Whether `units` and `rest / whole` of the next unit become `units + 1`.
    fn is_up(self, units: u128, rest: u128, whole: u128) -> bool {
        let half = rest.cmp(&whole.saturating_sub(rest));
        match self {
            Self::HalfEven => half.is_gt() || (half.is_eq() && units % 2 == 1),
            Self::HalfUp => half.is_ge(),
            Self::Down => false,
            Self::Up => rest > 0,
        }
    }
}

/// An amount in another currency, and what rounding left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// What is booked in the target currency.
    pub result: Money,
    /// What was not, in units of the target currency: `source * rate = result + remainder`, exactly. Smaller than the
    /// currency's smallest unit; below zero when the result was rounded away from zero (of a positive amount). Booked
    /// to an account for rounding differences, the conversion sums to zero.
    pub remainder: Decimal,
}

impl Money {
    /// The amount times a factor of any sign, rounded once.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn multiply(&self, factor: Decimal, rounding: Rounding) -> Result<Self, MoneyError> {
        self.scaled(factor, self.currency)?.rounded(rounding)
    }

    /// The same part of the amount as `part` is of `whole`, which are in one currency, rounded once.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] of the two, [`MoneyError::NegativeWeight`], [`MoneyError::NoWeight`] where `whole` is zero, and
    /// [`MoneyError::OutOfRange`].
    pub fn proportion(&self, part: &Self, whole: &Self, rounding: Rounding) -> Result<Self, MoneyError> {
        if part.currency != whole.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        if part.amount < Decimal::ZERO || whole.amount < Decimal::ZERO {
            return Err(MoneyError::NegativeWeight);
        }
        let [amount, part, whole] = [self, part, whole].map(|money| money.amount.mantissa().unsigned_abs());
        if whole == 0 {
            return Err(MoneyError::NoWeight);
        }
        let (units, rest) = share(amount, part, whole).ok_or(MoneyError::OutOfRange)?;
        let up = u128::from(rounding.is_up(units, rest, whole));
        from_units(units.saturating_add(up), self.amount.is_sign_negative(), self.currency)
    }

    /// Shares the amount out in proportion to the weights, in their order. The parts sum to the amount, and each differs from its
    /// exact share by less than the currency's smallest unit: what whole units cannot express goes to the largest
    /// fractions, of equal ones to the first. A weight of zero gets nothing.
    ///
    /// # Errors
    /// [`MoneyError::NegativeWeight`], [`MoneyError::NoWeight`] when there are none or all are zero, [`MoneyError::TooFine`]
    /// when their exact sum takes more digits than a decimal has.
    pub fn split(&self, weights: &[Decimal]) -> Result<Vec<Self>, MoneyError> {
        let weights = whole_weights(weights)?;
        let total: u128 = weights.iter().sum();
        let amount = self.amount.mantissa().unsigned_abs();
        let mut shares = weights
            .iter()
            .map(|weight| share(amount, *weight, total).ok_or(MoneyError::OutOfRange))
            .collect::<Result<Vec<_>, _>>()?;
        let given: u128 = shares.iter().map(|(units, _)| units).sum();
        let mut fractions: Vec<_> = shares.iter_mut().collect();
        fractions.sort_by_key(|(_, rest)| std::cmp::Reverse(*rest));
        // the rests add up to whole units, each less than one: there are more of them than units to give
        let left = usize::try_from(amount.saturating_sub(given)).map_err(|_| MoneyError::OutOfRange)?;
        for (units, _) in fractions.into_iter().take(left) {
            *units += 1;
        }
        let negative = self.amount.is_sign_negative();
        shares.into_iter().map(|(units, _)| from_units(units, negative, self.currency)).collect()
    }

    /// The amount in another currency, one unit of this one being worth `rate` of the other, rounded once, and what
    /// rounding left.
    ///
    /// # Errors
    /// [`MoneyError::RateNotPositive`], [`MoneyError::OutOfRange`], or [`MoneyError::TooFine`] when amount and rate
    /// together have more than 28 decimals (trailing zeros apart), so that no decimal could hold the remainder.
    pub fn convert(&self, rate: Decimal, to: Currency, rounding: Rounding) -> Result<Conversion, MoneyError> {
        if rate <= Decimal::ZERO {
            return Err(MoneyError::RateNotPositive);
        }
        let scaled = self.scaled(rate, to)?;
        Ok(Conversion { result: scaled.rounded(rounding)?, remainder: scaled.remainder(rounding)? })
    }

    fn scaled(&self, factor: Decimal, to: Currency) -> Result<Scaled, MoneyError> {
        let (amount, factor) = (self.amount.normalize(), factor.normalize());
        let decimals = amount.scale().saturating_add(factor.scale());
        let kept = decimals.min(to.digits());
        let whole = power_of_ten(decimals.saturating_sub(kept))?;
        let amount_units = amount
            .mantissa()
            .unsigned_abs()
            .checked_mul(power_of_ten(to.digits().saturating_sub(kept))?)
            .ok_or(MoneyError::OutOfRange)?;
        let (units, rest) =
            share(amount_units, factor.mantissa().unsigned_abs(), whole).ok_or(MoneyError::OutOfRange)?;
        let negative = amount.is_sign_negative() != factor.is_sign_negative();
        Ok(Scaled { units, rest, whole, decimals, negative, currency: to })
    }
}

/// A product before it is rounded: `units + rest / whole` smallest units of a currency.
struct Scaled {
    units: u128,
    rest: u128,
    whole: u128,
    /// Of the exact value.
    decimals: u32,
    negative: bool,
    currency: Currency,
}

impl Scaled {
    fn rounded(&self, rounding: Rounding) -> Result<Money, MoneyError> {
        let up = u128::from(rounding.is_up(self.units, self.rest, self.whole));
        from_units(self.units.saturating_add(up), self.negative, self.currency)
    }

    fn remainder(&self, rounding: Rounding) -> Result<Decimal, MoneyError> {
        let up = rounding.is_up(self.units, self.rest, self.whole);
        let size = if up { self.whole.saturating_sub(self.rest) } else { self.rest };
        let sign = if up != self.negative { -1 } else { 1 };
        let mantissa = i128::try_from(size).map_err(|_| MoneyError::TooFine)?.saturating_mul(sign);
        // with fewer decimals than the currency has there is no rest
        let remainder = Decimal::try_from_i128_with_scale(mantissa, self.decimals).map_err(|_| MoneyError::TooFine)?;
        Ok(remainder.normalize())
    }
}

fn from_units(units: u128, negative: bool, currency: Currency) -> Result<Money, MoneyError> {
    let units = i128::try_from(units).map_err(|_| MoneyError::OutOfRange)?;
    let signed = if negative { -units } else { units };
    let amount = Decimal::try_from_i128_with_scale(signed, currency.digits()).map_err(|_| MoneyError::OutOfRange)?;
    Money::new(amount, currency)
}

fn power_of_ten(exponent: u32) -> Result<u128, MoneyError> {
    10_u128.checked_pow(exponent).ok_or(MoneyError::OutOfRange)
}

/// The weights as whole numbers in the same proportions, of a sum that fits the 96 bits of a decimal's digits.
fn whole_weights(weights: &[Decimal]) -> Result<Vec<u128>, MoneyError> {
    if weights.iter().any(|weight| *weight < Decimal::ZERO) {
        return Err(MoneyError::NegativeWeight);
    }
    let weights: Vec<_> = weights.iter().map(Decimal::normalize).collect();
    let decimals = weights.iter().map(Decimal::scale).max().unwrap_or(0);
    let whole = |weight: &Decimal| {
        let factor = 10_u128.checked_pow(decimals.checked_sub(weight.scale())?)?;
        weight.mantissa().unsigned_abs().checked_mul(factor)
    };
    let weights = weights.iter().map(whole).collect::<Option<Vec<_>>>().ok_or(MoneyError::TooFine)?;
    match weights.iter().try_fold(0_u128, |sum, weight| sum.checked_add(*weight)).ok_or(MoneyError::TooFine)? {
        0 => Err(MoneyError::NoWeight),
        sum if sum >> 96 != 0 => Err(MoneyError::TooFine),
        _ => Ok(weights),
    }
}

/// `amount * part / whole` in whole units, and the rest in `whole`-ths of a unit. None when a number on the way exceeds 128 bits,
/// which it does not for an amount of up to 60 bits and a `whole` of up to 96.
fn share(amount: u128, part: u128, whole: u128) -> Option<(u128, u128)> {
    const LOW_BITS: u32 = 30;
    let low_size = 1_u128 << LOW_BITS;
    let part_rest = part.checked_rem(whole)?;
    // amount * part_rest may take 156 bits: the amount in two pieces, as on paper
    let high = (amount >> LOW_BITS).checked_mul(part_rest)?;
    let low = (high % whole).checked_mul(low_size)?.checked_add((amount % low_size).checked_mul(part_rest)?)?;
    let units = amount
        .checked_mul(part / whole)?
        .checked_add((high / whole).checked_mul(low_size)?)?
        .checked_add(low / whole)?;
    Some((units, low % whole))
}

#[cfg(test)]
mod tests;
