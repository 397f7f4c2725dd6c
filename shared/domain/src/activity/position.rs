//! A position from its deals, in whatever order they are heard, and the results of the positions that were closed last.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::day::Closing;
use crate::trade::{Entry, Side};
use crate::words::words;
use crate::{AccountId, Currency, Timestamp, TradeId};

/// Deals of a position that are kept one by one. What is beyond counts, but a position of so many deals has no single result any more.
const DEALS_MAX: usize = 200;
/// Results of an account that are kept.
const RECENT_MAX: usize = 24;

/// A deal as its position counts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealPart {
    /// When.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// Bought or sold.
    #[serde(rename = "s")]
    pub side: Side,
    /// What it did to the position.
    #[serde(rename = "e")]
    pub entry: Entry,
    /// Lots.
    #[serde(rename = "l")]
    pub lots: Decimal,
    /// Profit without costs.
    #[serde(rename = "p")]
    pub profit: Decimal,
    /// Commission and swap.
    #[serde(rename = "c")]
    pub costs: Decimal,
}

/// A position of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The currency of the account.
    #[serde(rename = "y")]
    pub currency: Currency,
    /// The instrument.
    #[serde(rename = "i")]
    pub symbol: String,
    /// Its deals that stand.
    #[serde(rename = "d", default)]
    pub deals: BTreeMap<TradeId, DealPart>,
}

/// How a position ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The position.
    #[serde(rename = "p")]
    pub position: String,
    /// When its last lot was closed.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// The profit of all its deals with their costs.
    #[serde(rename = "n")]
    pub net: Decimal,
}

/// The results of an account's positions that were closed last, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent(pub Vec<Outcome>);

words! {
    /// Which way results go.
    StreakKind {
        /// Won in a row.
        Win = "win",
        /// Lost in a row.
        Loss = "loss",
        /// Neither: nothing was closed yet, or all of it came to nothing.
        None = "none",
    }
}

/// Results of one kind in a row, up to the newest one. A result of zero neither adds to it nor breaks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// Won or lost.
    pub kind: StreakKind,
    /// How many; at most as many as results are kept.
    pub length: u32,
    /// When the newest was closed.
    pub at: Timestamp,
    /// The position that began it: a streak with another beginning is another streak.
    pub first: String,
}

impl Position {
    /// One without deals.
    pub fn begun(currency: Currency, symbol: &str) -> Self {
        Self { currency, symbol: symbol.to_owned(), deals: BTreeMap::new() }
    }

    /// A deal is part of it from now on.
    pub fn add(&mut self, id: &TradeId, part: DealPart) {
        if self.deals.len() < DEALS_MAX {
            self.deals.insert(id.clone(), part);
        }
    }

    /// A deal is no part of it any more.
    pub fn remove(&mut self, id: &TradeId) {
        self.deals.remove(id);
    }

    fn in_order(&self) -> Vec<(&TradeId, &DealPart)> {
        let mut deals: Vec<_> = self.deals.iter().collect();
        deals.sort_by_key(|(id, part)| (part.at, *id));
        deals
    }

    /// Whether it is known how it was opened. Platforms that only tell of closings leave that out.
    fn knows_opening(&self) -> bool {
        self.deals.values().any(|part| matches!(part.entry, Entry::In | Entry::InOut))
    }

    /// Whether lots of it are open, as far as its deals tell.
    pub fn is_open(&self) -> bool {
        self.knows_opening() && !self.deals.values().map(DealPart::signed).sum::<Decimal>().is_zero()
    }

    /// When it was opened, where a deal says so.
    pub fn opened_at(&self) -> Option<Timestamp> {
        let opening = |part: &&DealPart| matches!(part.entry, Entry::In | Entry::InOut);
        self.deals.values().filter(opening).map(|part| part.at).min()
    }

    /// Its closings, each with its deal's time. Of a deal that turns the position round only what was open is closed.
    pub fn closings(&self) -> BTreeMap<TradeId, (Timestamp, Closing)> {
        let mut open = Decimal::ZERO;
        let mut closings = BTreeMap::new();
        for (id, part) in self.in_order() {
            let lots = match part.entry {
                Entry::In => Decimal::ZERO,
                Entry::Out | Entry::OutBy => part.lots,
                Entry::InOut => open.abs().min(part.lots),
            };
            open += part.signed();
            if part.entry == Entry::In {
                continue;
            }
            let net = part.profit + part.costs;
            let (currency, symbol) = (self.currency, self.symbol.clone());
            closings.insert(id.clone(), (part.at, Closing { currency, symbol, lots, profit: part.profit, net }));
        }
        closings
    }

    /// How it ended; `None` while it is open, or where nothing was closed.
    pub fn outcome(&self, name: &str) -> Option<Outcome> {
        let closes = |part: &&DealPart| part.entry != Entry::In;
        let at = self.deals.values().filter(closes).map(|part| part.at).max()?;
        if self.is_open() {
            return None;
        }
        let net = self.deals.values().map(|part| part.profit + part.costs).sum::<Decimal>().normalize();
        Some(Outcome { position: name.to_owned(), at, net })
    }
}

impl DealPart {
    fn signed(&self) -> Decimal {
        match self.side {
            Side::Buy => self.lots,
            Side::Sell => -self.lots,
        }
    }
}

impl Recent {
    /// The result of a position as it is now, in its place; `None` where it has none any more.
    pub fn set(&mut self, position: &str, outcome: Option<Outcome>) {
        self.0.retain(|known| known.position != position);
        self.0.extend(outcome);
        self.0.sort_by(|a, b| (a.at, &a.position).cmp(&(b.at, &b.position)));
        let beyond = self.0.len().saturating_sub(RECENT_MAX);
        self.0.drain(..beyond);
    }

    /// The newest results of one kind in a row.
    pub fn streak(&self) -> Option<Streak> {
        let newest = self.0.last()?;
        let mut decided = self.0.iter().rev().filter(|outcome| !outcome.net.is_zero()).peekable();
        let Some(last) = decided.peek() else {
            return Some(Streak { kind: StreakKind::None, length: 0, at: newest.at, first: newest.position.clone() });
        };
        let won = last.net > Decimal::ZERO;
        let row: Vec<_> = decided.take_while(|outcome| (outcome.net > Decimal::ZERO) == won).collect();
        let first = row.last().map_or_else(String::new, |outcome| outcome.position.clone());
        let kind = if won { StreakKind::Win } else { StreakKind::Loss };
        Some(Streak { kind, length: u32::try_from(row.len()).unwrap_or(u32::MAX), at: newest.at, first })
    }
}

/// The streak of the account whose position was closed last.
pub fn newest(streaks: &BTreeMap<AccountId, Streak>) -> Option<&Streak> {
    streaks.iter().max_by_key(|(account, streak)| (streak.at, *account)).map(|(_, streak)| streak)
}
