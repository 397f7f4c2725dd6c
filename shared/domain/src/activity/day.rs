//! A client's trades of one day, in numbers that can be taken back exactly: whatever the order of deals, corrections and deletions, the day
//! comes to the same.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::Currency;

/// Symbols of a day that are counted by name.
const SYMBOLS_MAX: usize = 50;
/// The symbols beyond.
const OTHERS: &str = "*";

/// Trades of one currency on one day; every number can be taken back exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOfCurrency {
    /// Closings.
    #[serde(rename = "n")]
    pub closed: u32,
    /// Lots that were closed.
    #[serde(rename = "l")]
    pub lots: Decimal,
    /// Profit without costs.
    #[serde(rename = "p")]
    pub profit: Decimal,
    /// Commission, swap and fees; negative: paid by the client.
    #[serde(rename = "c")]
    pub costs: Decimal,
    /// Closings whose profit with costs is above zero.
    #[serde(rename = "w")]
    pub won: u32,
    /// Closings whose profit with costs is below zero.
    #[serde(rename = "x")]
    pub lost: u32,
}

/// What a client traded on one day (UTC, by the time of closing), on live accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradingDay {
    /// By the account's currency.
    #[serde(rename = "c", default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub by_currency: std::collections::BTreeMap<Currency, DayOfCurrency>,
    /// How many closings had so many lots, rounded to two significant digits, so that it stays small.
    #[serde(rename = "s", default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub sizes: std::collections::BTreeMap<Decimal, u32>,
    /// Closings by symbol; fifty by name, the rest under `*`.
    #[serde(rename = "i", default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub symbols: std::collections::BTreeMap<String, u32>,
}

/// One closing, as its day counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The currency of the account.
    pub currency: Currency,
    /// The instrument.
    pub symbol: String,
    /// Lots that were closed.
    pub lots: Decimal,
    /// Profit without costs.
    pub profit: Decimal,
    /// Profit with the costs of the same deal.
    pub net: Decimal,
}

/// Added, or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Added.
    Plus,
    /// Taken back.
    Minus,
}

impl Sign {
    fn of(self, value: Decimal) -> Decimal {
        match self {
            Self::Plus => value,
            Self::Minus => -value,
        }
    }

    fn count(self, counted: u32) -> u32 {
        match self {
            Self::Plus => counted.saturating_add(1),
            Self::Minus => counted.saturating_sub(1),
        }
    }
}

impl TradingDay {
    /// Adds a closing, or takes it back.
    pub fn count(&mut self, closing: &Closing, sign: Sign) {
        let own = self.by_currency.entry(closing.currency).or_default();
        own.closed = sign.count(own.closed);
        own.lots = (own.lots + sign.of(closing.lots)).normalize();
        own.profit = (own.profit + sign.of(closing.profit)).normalize();
        if closing.net > Decimal::ZERO {
            own.won = sign.count(own.won);
        } else if closing.net < Decimal::ZERO {
            own.lost = sign.count(own.lost);
        }
        step(&mut self.sizes, size_of(closing.lots), sign);
        let named = self.symbols.contains_key(&closing.symbol) || self.symbols.len() < SYMBOLS_MAX;
        step(&mut self.symbols, if named { closing.symbol.clone() } else { OTHERS.to_owned() }, sign);
        self.drop_empty();
    }

    /// Adds the costs of a deal, or takes them back.
    pub fn charge(&mut self, currency: Currency, costs: Decimal, sign: Sign) {
        let own = self.by_currency.entry(currency).or_default();
        own.costs = (own.costs + sign.of(costs)).normalize();
        self.drop_empty();
    }

    /// A currency of which nothing is left is not there.
    fn drop_empty(&mut self) {
        self.by_currency.retain(|_, own| *own != DayOfCurrency::default());
    }

    /// Closings of all currencies.
    pub fn closed(&self) -> u32 {
        self.by_currency.values().fold(0, |sum, own| sum.saturating_add(own.closed))
    }

    /// Lots of all currencies: a lot is a lot.
    pub fn lots(&self) -> Decimal {
        self.by_currency.values().map(|own| own.lots).sum()
    }

    /// The size of the largest closing, to two significant digits.
    pub fn largest(&self) -> Option<Decimal> {
        self.sizes.keys().next_back().copied()
    }
}

fn step<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K, sign: Sign) {
    let count = counts.entry(key).or_default();
    *count = sign.count(*count);
    counts.retain(|_, count| *count > 0);
}

/// A size to two significant digits: a day has few of them, whatever is traded.
fn size_of(lots: Decimal) -> Decimal {
    let rounded = lots.round_sf_with_strategy(2, RoundingStrategy::MidpointNearestEven);
    rounded.unwrap_or(lots).normalize()
}
