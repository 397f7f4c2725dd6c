//! Less for several, so that together they get no more than a limit: exactly the limit, and nobody more than was his.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::fine::DECIMALS;
use super::rules::Cut;

/// What each gets where all together must not pass a limit; in the order of the amounts, which begin nearest to the client and are not
/// below zero. `digits` are those that can be paid out: shares have them where the limit has no more. `None` of what is too large.
pub fn cut(amounts: &[Decimal], limit: Decimal, digits: u32, how: Cut) -> Option<Vec<Decimal>> {
    let total = amounts.iter().try_fold(Decimal::ZERO, |sum, amount| sum.checked_add(*amount))?;
    if total <= limit {
        return Some(amounts.to_vec());
    }
    match how {
        Cut::ClientFirst => Some(served(amounts.iter(), limit)),
        Cut::TopFirst => Some(served(amounts.iter().rev(), limit).into_iter().rev().collect()),
        Cut::ProRata => {
            let shares = in_proportion(amounts, limit, digits.max(limit.normalize().scale()))?;
            // shares of whole cents can be more than an amount of less than a cent
            match shares.iter().zip(amounts).any(|(share, amount)| share > amount) {
                true => in_proportion(amounts, limit, DECIMALS),
                false => Some(shares),
            }
        }
    }
}

fn served<'a>(amounts: impl Iterator<Item = &'a Decimal>, limit: Decimal) -> Vec<Decimal> {
    let mut left = limit;
    amounts
        .map(|amount| {
            let gets = left.min(*amount);
            left = left.saturating_sub(gets);
            gets
        })
        .collect()
}

/// The limit by the largest remainder; of equal remainders the one nearest to the client is served first.
fn in_proportion(amounts: &[Decimal], limit: Decimal, digits: u32) -> Option<Vec<Decimal>> {
    let digits = digits.min(DECIMALS);
    let weights = amounts.iter().map(|amount| units(*amount, DECIMALS)).collect::<Option<Vec<_>>>()?;
    let total: u128 = weights.iter().sum();
    let limit = units(limit, digits)?;
    let exact = weights.iter().map(|weight| {
        let product = limit.checked_mul(*weight)?;
        Some((product.checked_div(total)?, product.checked_rem(total)?))
    });
    let mut shares = exact.collect::<Option<Vec<_>>>()?;
    let given: u128 = shares.iter().map(|(units, _)| units).sum();
    let left = usize::try_from(limit.checked_sub(given)?).ok()?;
    let mut by_rest: Vec<_> = shares.iter_mut().collect();
    by_rest.sort_by_key(|(_, rest)| std::cmp::Reverse(*rest));
    for (units, _) in by_rest.into_iter().take(left) {
        *units += 1;
    }
    let amount = |(units, _): (u128, u128)| {
        Decimal::try_from_i128_with_scale(i128::try_from(units).ok()?, digits).ok().map(|amount| amount.normalize())
    };
    shares.into_iter().map(amount).collect()
}

/// A number that is not below zero in whole units of so many decimals; what is finer falls away.
fn units(number: Decimal, decimals: u32) -> Option<u128> {
    let factor = Decimal::from(10_u64.checked_pow(decimals)?);
    number.checked_mul(factor)?.trunc().to_u128()
}
