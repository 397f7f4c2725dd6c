//! Closed trades since a cursor.

use domain::{Currency, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Login, Ticket};

/// How far the closed trades of an account have been read. Kept by the caller as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeCursor {
    /// Trades that were closed before are not asked for again.
    pub since: Timestamp,
    /// The adapter's own mark: what has been given already although it lies in the time that is asked for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

impl TradeCursor {
    /// From a time on.
    pub fn since(since: Timestamp) -> Self {
        Self { since, mark: None }
    }
}

/// Some closed trades, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedTrades {
    /// In the order of their closing. None was given with an earlier cursor; a caller keys them by [`ClosedTrade::deal`] all the same,
    /// because a cursor can be lost.
    pub trades: Vec<ClosedTrade>,
    /// For the next read.
    pub next: TradeCursor,
    /// Whether there are more already.
    pub more: bool,
}

/// Which way a position was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Bought, and closed by selling.
    Buy,
    /// Sold, and closed by buying.
    Sell,
}

/// How much was closed, as far as the platform says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// Lots; how many units a lot has, the symbol says.
    Lots(Decimal),
    /// Units of the base asset.
    Units(Decimal),
}

/// A position, or a part of one, that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedTrade {
    /// The number of the closing; no two have the same.
    pub deal: Ticket,
    /// The number of the position, which several closings may share.
    pub position: String,
    /// The account.
    pub login: Login,
    /// The instrument, in the platform's words.
    pub symbol: String,
    /// Which way the position was.
    pub side: Side,
    /// How much of it was closed.
    pub volume: Volume,
    /// The price at which it was closed.
    pub price: Decimal,
    /// Its result without costs, in the account's currency.
    pub profit: Decimal,
    /// Negative: paid by the client.
    pub commission: Decimal,
    /// Negative: paid by the client.
    pub swap: Decimal,
    /// The currency of commission and swap, where it is not the account's.
    pub costs_in: Option<Currency>,
    /// When it was opened, where the platform says so.
    pub opened_at: Option<Timestamp>,
    /// When it was closed, in UTC.
    pub closed_at: Timestamp,
}
