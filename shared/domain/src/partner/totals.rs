//! What has come together for a partner in a month. A batch changes it once, under its version.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::accrual::{Earned, Hindrance};
use super::fine::Fine;
use super::line::Line;
use super::rules::{RevenuePart, VolumeOf};
use crate::{Currency, Money, MoneyError, Timestamp};

/// What a retroactive tier may still change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiered {
    /// What was earned before any tier.
    pub base: Decimal,
    /// What was earned with tiers.
    pub paid: Decimal,
}

/// Earned in one currency and booked in one month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// All of it.
    pub sum: Decimal,
    /// What is held, by the first day on which it no longer is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<Date, Decimal>,
    /// How many lines.
    pub lines: u64,
}

impl Booked {
    /// What still is held at a moment.
    pub fn held_at(&self, now: Timestamp) -> Decimal {
        let day = now.day();
        self.held.iter().filter(|(until, _)| **until > day).map(|(_, amount)| *amount).sum()
    }
}

/// What has come together for a partner in a month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Lots that his own clients closed in the month.
    pub own: Decimal,
    /// Lots that everybody under him closed in the month, own clients too.
    pub downline: Decimal,
    /// What retroactive tiers may still change, by agreement and model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tiers: BTreeMap<String, Tiered>,
    /// What the broker earned by his clients in the month.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub revenue: BTreeMap<Currency, BTreeMap<RevenuePart, Decimal>>,
    /// The lines on the month's statement.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub booked: BTreeMap<Currency, Booked>,
    /// What was paid out in the month, less what came back in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paid: BTreeMap<Currency, Money>,
    /// Its statement is drawn: no line is booked in it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

impl Totals {
    /// The lots that decide about a tier.
    pub fn volume(&self, of: VolumeOf) -> Decimal {
        match of {
            VolumeOf::Own => self.own,
            VolumeOf::Downline => self.downline,
        }
    }

    /// Counts what a trade brought, or takes it off again.
    ///
    /// # Errors
    /// [`Hindrance::TooLarge`].
    pub(super) fn count(&mut self, earned: &Earned, taken_back: bool) -> Result<(), Hindrance> {
        let signed = |number: Decimal| if taken_back { -number } else { number };
        let lots = signed(earned.lots);
        add(&mut self.downline, lots)?;
        if earned.level == 1 {
            add(&mut self.own, lots)?;
        }
        for (key, tiered) in &earned.tiered {
            let sums = self.tiers.entry(key.clone()).or_default();
            add(&mut sums.base, signed(tiered.base))?;
            add(&mut sums.paid, signed(tiered.paid))?;
        }
        for (currency, parts) in &earned.revenue {
            let sums = self.revenue.entry(*currency).or_default();
            for (part, amount) in parts {
                add(sums.entry(*part).or_default(), signed(*amount))?;
            }
        }
        Ok(())
    }

    /// Books a line.
    ///
    /// # Errors
    /// [`Hindrance::TooLarge`].
    pub fn book(&mut self, line: &Line) -> Result<(), Hindrance> {
        let amount = line.amount.amount();
        let booked = self.booked.entry(line.amount.currency()).or_default();
        add(&mut booked.sum, amount)?;
        booked.lines = booked.lines.saturating_add(1);
        if let Some(until) = line.held_until {
            let held = booked.held.entry(until).or_default();
            add(held, amount)?;
            if held.is_zero() {
                booked.held.remove(&until);
            }
        }
        Ok(())
    }

    /// Notes what was paid out, or below zero came back.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn pay(&mut self, amount: Money) -> Result<(), MoneyError> {
        let before = self.paid.get(&amount.currency()).copied().unwrap_or(Money::zero(amount.currency()));
        self.paid.insert(amount.currency(), before.checked_add(&amount)?);
        Ok(())
    }

    /// What was paid out in a currency.
    pub fn paid(&self, currency: Currency) -> Money {
        self.paid.get(&currency).copied().unwrap_or(Money::zero(currency))
    }

    /// What is booked in a currency.
    pub fn sum(&self, currency: Currency) -> Fine {
        Fine::rounded(self.booked.get(&currency).map_or(Decimal::ZERO, |booked| booked.sum), currency)
    }
}

fn add(sum: &mut Decimal, amount: Decimal) -> Result<(), Hindrance> {
    *sum = sum.checked_add(amount).ok_or(Hindrance::TooLarge)?.normalize();
    Ok(())
}
