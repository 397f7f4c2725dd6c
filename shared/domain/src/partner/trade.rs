//! A trade as partners are paid for it: one deal of a platform that opens, closes or turns a position.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::accrual::Hindrance;
use crate::account::rules::Platform;
use crate::fault::{self, Fault};
use crate::words::words;
use crate::{ClientId, Country, Currency, Money, Timestamp};

words! {
    /// What a deal does to its position.
    Entry {
        /// It opens or enlarges it.
        In = "in",
        /// It closes all or part of it.
        Out = "out",
        /// It closes it and opens one the other way (netting).
        InOut = "inout",
        /// It closes it by one the other way: each of the two has a deal of its own.
        OutBy = "out_by",
        /// Opening and closing in one row, as MT4 has it.
        Round = "round",
    }
}

words! {
    /// Which way.
    TradeSide {
        /// Bought.
        Buy = "buy",
        /// Sold.
        Sell = "sell",
    }
}

/// What one unit of `base` was worth in `quote` at the trade's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeRate {
    /// One unit of it.
    pub base: Currency,
    /// Is so many of it.
    pub quote: Currency,
    /// How many; above zero.
    pub rate: Decimal,
    /// Whose rate.
    pub source: String,
    /// When it held.
    pub at: Timestamp,
}

/// A version of a deal. What partners get for it follows from it alone, from who was over the client at its time, and from their volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// Its id; one for all versions.
    pub id: String,
    /// Rises with each correction.
    pub version: u64,
    /// Who traded.
    pub client: ClientId,
    /// What rules call the type of his account.
    pub account_type: String,
    /// Where.
    pub platform: Platform,
    /// What the platform calls the symbol.
    pub symbol: String,
    /// What the broker calls the client's segment, if he has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// Where the client lives, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// What it did.
    pub entry: Entry,
    /// Which way.
    pub side: TradeSide,
    /// Lots of the deal.
    pub lots: Decimal,
    /// The closed part of a reversal (`inout`); of any other deal it follows from the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_lots: Option<Decimal>,
    /// Units of a lot, if the platform says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_size: Option<Decimal>,
    /// The price of the deal.
    pub price: Decimal,
    /// The price at which the closed part was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_price: Option<Decimal>,
    /// Ask less bid at the opening, if the platform says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread_open: Option<Decimal>,
    /// Ask less bid at the close, if the platform says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread_close: Option<Decimal>,
    /// What the client won or, below zero, lost.
    pub profit: Money,
    /// What he was charged (below zero) for the deal.
    pub commission: Money,
    /// What he was charged (below zero) or paid for holding it.
    pub swap: Money,
    /// When the closed part was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// When the deal was made.
    pub at: Timestamp,
    /// The exchange rates that are known of its time; a deal needs none where all is in one currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<TradeRate>,
}

/// Lots that were opened and closed at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// When: who was over the client then is paid.
    pub at: Timestamp,
    /// Lots that it opened.
    pub opened: Decimal,
    /// Lots that it closed.
    pub closed: Decimal,
    /// Whether it is the deal itself and not the opening that a row of two sides tells as well.
    pub is_deal: bool,
}

impl Trade {
    /// What it opened and closed, and when.
    ///
    /// # Errors
    /// [`Hindrance::Lots`] of lots that are none, [`Hindrance::NoOpening`] of a row of two sides without the time of the first.
    pub fn legs(&self) -> Result<Vec<Leg>, Hindrance> {
        let closed = match self.entry {
            Entry::In => Decimal::ZERO,
            Entry::Out | Entry::OutBy | Entry::Round => self.lots,
            Entry::InOut => self.closed_lots.ok_or(Hindrance::Lots)?,
        };
        if self.lots <= Decimal::ZERO || closed < Decimal::ZERO || closed > self.lots {
            return Err(Hindrance::Lots);
        }
        let none = Decimal::ZERO;
        let deal = Leg { at: self.at, opened: none, closed, is_deal: true };
        Ok(match self.entry {
            Entry::Round => {
                let opened_at = self.opened_at.ok_or(Hindrance::NoOpening)?;
                vec![Leg { at: opened_at, opened: self.lots, closed: none, is_deal: false }, deal]
            }
            Entry::In | Entry::InOut => vec![Leg { opened: self.lots.saturating_sub(closed), ..deal }],
            Entry::Out | Entry::OutBy => vec![deal],
        })
    }

    /// An amount in another currency, and the rate that was used: of those of the two currencies that held by the trade's time the last.
    ///
    /// # Errors
    /// [`Hindrance::NoRate`], [`Hindrance::TooLarge`].
    pub fn convert(
        &self,
        amount: Decimal,
        from: Currency,
        to: Currency,
    ) -> Result<(Decimal, Option<TradeRate>), Hindrance> {
        if from == to {
            return Ok((amount, None));
        }
        let joins = |rate: &&TradeRate| {
            rate.rate > Decimal::ZERO && [(rate.base, rate.quote), (rate.quote, rate.base)].contains(&(from, to))
        };
        let held = self.rates.iter().filter(|rate| rate.at <= self.at).filter(joins);
        let rate = match fault::is_back(Fault::RateOfAnotherDay) {
            true => held.min_by_key(|rate| rate.at),
            false => held.max_by_key(|rate| rate.at),
        };
        let rate = rate.ok_or(Hindrance::NoRate { from, to })?;
        let converted = match rate.base == from {
            true => amount.checked_mul(rate.rate),
            false => amount.checked_div(rate.rate),
        };
        Ok((converted.ok_or(Hindrance::TooLarge)?, Some(rate.clone())))
    }
}
