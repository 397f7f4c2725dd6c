//! What a rate of each model is applied to.

use rust_decimal::Decimal;

use super::accrual::Hindrance;
use super::rules::{CloseBy, Instrument, Model, Pay, Sides, Unit};
use super::trade::{Entry, Leg, Trade};
use crate::Currency;

/// What a rate is applied to: `base * rate / divisor` in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// What the rate is applied to.
    pub base: Decimal,
    /// What a rate is a part of: 100 for one in per cent.
    pub divisor: Decimal,
    /// In which it is.
    pub currency: Currency,
    /// What a reader should know about the base.
    pub why: Vec<String>,
}

/// Lots of a leg as they count for a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Lots that were opened, as the platform counts.
    pub opened: Decimal,
    /// Lots that were closed, as the platform counts, after what his agreement says about closes by another position.
    pub closed: Decimal,
    /// How many lots one of them is.
    pub factor: Decimal,
    /// Whether it is the deal itself.
    pub is_deal: bool,
}

impl Counted {
    /// The lots of a leg.
    pub fn of(trade: &Trade, leg: &Leg, factor: Decimal, close_by: CloseBy) -> Self {
        let part = match (trade.entry, close_by) {
            (Entry::OutBy, CloseBy::One) => Decimal::new(5, 1),
            (Entry::OutBy, CloseBy::Neither) => Decimal::ZERO,
            (Entry::OutBy, CloseBy::Both) | (Entry::In | Entry::Out | Entry::InOut | Entry::Round, _) => Decimal::ONE,
        };
        Self { opened: leg.opened, closed: leg.closed.saturating_mul(part), factor, is_deal: leg.is_deal }
    }

    /// What counts for volume: the closed lots.
    pub fn volume(&self) -> Decimal {
        self.closed.saturating_mul(self.factor).normalize()
    }

    fn of_sides(&self, sides: Sides) -> Decimal {
        match sides {
            Sides::Close => self.closed,
            Sides::Open => self.opened,
            Sides::Both => self.opened.saturating_add(self.closed),
        }
    }

    fn is_nothing(&self) -> bool {
        self.opened.is_zero() && self.closed.is_zero()
    }
}

/// What a model's rate is applied to; `None` where the leg is nothing to it.
///
/// # Errors
/// [`Hindrance`] of what cannot be told.
pub fn quote(
    pay: &Pay,
    trade: &Trade,
    instrument: &Instrument,
    lots: &Counted,
    currency: Currency,
) -> Result<Option<Quote>, Hindrance> {
    let of_sides = lots.of_sides(pay.sides);
    let there = match pay.model {
        Model::Lot | Model::Points | Model::Notional => !of_sides.is_zero(),
        Model::Commission => lots.is_deal && !lots.is_nothing(),
        Model::Spread => !lots.closed.is_zero(),
    };
    if !there {
        return Ok(None);
    }
    let plain =
        |base: Decimal, divisor: Decimal, currency: Currency| Quote { base, divisor, currency, why: Vec::new() };
    let units = |of: Decimal| units_of(trade, instrument, of, lots.factor);
    let quote = match pay.model {
        Model::Lot => plain(times(of_sides, lots.factor)?, Decimal::ONE, currency),
        Model::Commission => plain(trade.commission.amount().abs(), Decimal::ONE_HUNDRED, trade.commission.currency()),
        Model::Points => {
            let step = match pay.unit {
                Unit::Point => instrument.point,
                Unit::Pip => instrument.pip,
            };
            plain(times(units(of_sides)?, step)?, Decimal::ONE, instrument.currency)
        }
        Model::Notional => {
            let value = times(units(of_sides)?, trade.price)?;
            plain(value, Decimal::from(10_000), instrument.currency)
        }
        Model::Spread => return spread(trade, instrument, lots).map(Some),
    };
    Ok(Some(quote))
}

/// The spread that a client paid for what he closed: half of that at the opening and half of that at the close. Where the platform gives
/// none, the symbol's usual one stands in, and the line says so.
///
/// # Errors
/// [`Hindrance::NoSpread`] where there is neither.
pub fn spread(trade: &Trade, instrument: &Instrument, lots: &Counted) -> Result<Quote, Hindrance> {
    let usual = instrument.spread.and_then(|points| points.checked_mul(instrument.point));
    let mut why = Vec::new();
    let mut half = |given: Option<Decimal>, when: &str| {
        let spread = given.filter(|spread| *spread >= Decimal::ZERO).or_else(|| {
            let usual = usual?;
            why.push(format!("the platform gives no spread at the {when}: the symbol's usual one, {usual}"));
            Some(usual)
        });
        spread.and_then(|spread| spread.checked_div(Decimal::TWO)).ok_or(Hindrance::NoSpread)
    };
    let both = half(trade.spread_open, "opening")?.checked_add(half(trade.spread_close, "close")?);
    let units = units_of(trade, instrument, lots.closed, lots.factor)?;
    let base = times(units, both.ok_or(Hindrance::TooLarge)?)?;
    Ok(Quote { base, divisor: Decimal::ONE_HUNDRED, currency: instrument.currency, why })
}

/// Units of so many lots. A deal that says itself how large its lots are has said all; lots of the usual size count as the account's do.
fn units_of(trade: &Trade, instrument: &Instrument, lots: Decimal, factor: Decimal) -> Result<Decimal, Hindrance> {
    match trade.contract_size {
        Some(contract) => times(lots, contract),
        None => times(times(lots, factor)?, instrument.contract),
    }
}

fn times(a: Decimal, b: Decimal) -> Result<Decimal, Hindrance> {
    a.checked_mul(b).map(|product| product.normalize()).ok_or(Hindrance::TooLarge)
}
