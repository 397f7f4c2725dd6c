//! What a partner has earned, and where it stands. Rounded once a partner, month and currency.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fine::Fine;
use super::period::Period;
use super::totals::Totals;
use crate::{Currency, Money, MoneyError, Timestamp};

/// Where it stands; `accrued = on_hold + payable + paid + carried`, always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    /// All lines, reversals taken off.
    pub accrued: Money,
    /// What cannot be paid out yet.
    pub on_hold: Money,
    /// What the next run pays.
    pub payable: Money,
    /// What runs have paid.
    pub paid: Money,
    /// What is too little to be paid, or below zero: it is set off against what comes.
    pub carried: Money,
}

impl Balances {
    /// The balances of all months with what was paid of them.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn of<'t>(
        months: impl IntoIterator<Item = &'t Totals>,
        currency: Currency,
        paid: Money,
        least: &Money,
        now: Timestamp,
    ) -> Result<Self, MoneyError> {
        let (mut accrued, mut on_hold) = (Money::zero(currency), Money::zero(currency));
        for month in months {
            let held = month.booked.get(&currency).map(|booked| booked.held_at(now)).unwrap_or_default();
            accrued = accrued.checked_add(&month.sum(currency).money()?)?;
            on_hold = on_hold.checked_add(&Fine::rounded(held, currency).money()?)?;
        }
        let free = accrued.checked_add(&on_hold.negated())?.checked_add(&paid.negated())?;
        let enough = free.is_positive() && !free.compare(least)?.is_lt();
        let nothing = Money::zero(currency);
        let (payable, carried) = if enough { (free, nothing) } else { (nothing, free) };
        Ok(Self { accrued, on_hold, payable, paid, carried })
    }

    /// The same as a run for a month sees it: what was earned up to its end. What is below zero in later months is set off: a run never
    /// pays more than what the partner has in all.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn up_to(
        months: &BTreeMap<Period, Totals>,
        (period, currency): (Period, Currency),
        paid: Money,
        least: &Money,
        now: Timestamp,
    ) -> Result<Self, MoneyError> {
        let then = Self::of(months.range(..=period).map(|(_, totals)| totals), currency, paid, least, now)?;
        let all = Self::of(months.values(), currency, paid, &Money::zero(currency), now)?;
        let free = all.payable.checked_add(&all.carried)?;
        if then.payable.compare(&free)?.is_gt() {
            let enough = free.is_positive() && !free.compare(least)?.is_lt();
            let payable = if enough { free } else { Money::zero(currency) };
            let carried = then.payable.checked_add(&then.carried)?.checked_add(&payable.negated())?;
            return Ok(Self { payable, carried, ..then });
        }
        Ok(then)
    }
}
