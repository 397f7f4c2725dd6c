//! What an event of the trades feed says, as partners are paid for it.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use serde_json::Value;

use super::book::TradeEvent;
use super::line::TradeRef;
use super::trade::{Entry, Trade, TradeSide};
use crate::account::rules::Platform;
use crate::json::place_of;
use crate::{ClientId, Country, Currency, Money, Timestamp};

/// The part of a trade's public part that pay follows from.
#[derive(Debug, Deserialize)]
struct Told {
    platform: Platform,
    kind: String,
    account_type: String,
    symbol: String,
    side: TradeSide,
    entry: Entry,
    lots: Decimal,
    price: Decimal,
    profit: Decimal,
    commission: Decimal,
    swap: Decimal,
    currency: Currency,
    at: Timestamp,
    #[serde(default)]
    opened_at: Option<Timestamp>,
    standing: String,
}

/// Whose trade an event tells of.
#[derive(Debug, Clone)]
pub struct Whose<'a> {
    /// The trade and the version that the event is of.
    pub trade: TradeRef,
    /// The client.
    pub client: &'a ClientId,
    /// Where he lives, if known.
    pub country: Option<Country>,
}

/// What an event says; nothing of an account without real money, for which nobody is paid.
///
/// # Errors
/// Where and how it does not read.
pub fn told(whose: Whose<'_>, data: &Value) -> Result<Option<TradeEvent>, String> {
    let told: Told = serde_json::from_value(data.clone()).map_err(|error| place_of(&error))?;
    if told.kind != "live" {
        return Ok(None);
    }
    let Whose { trade, client, country } = whose;
    // corrected or deleted: another deal counts in its place, or none
    if told.standing != "stands" {
        let replaced = told.standing == "corrected";
        return Ok(Some(TradeEvent::Deleted { trade, client: client.clone(), at: told.at, replaced }));
    }
    let money = |amount: Decimal| {
        let digits = told.currency.digits();
        let rounded = amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven);
        Money::new(rounded, told.currency).map_err(|error| error.to_string())
    };
    let (profit, commission, swap) = (money(told.profit)?, money(told.commission)?, money(told.swap)?);
    Ok(Some(TradeEvent::Made(Box::new(Trade {
        id: trade.id,
        version: trade.version,
        client: client.clone(),
        account_type: told.account_type,
        platform: told.platform,
        symbol: told.symbol,
        segment: None,
        country,
        entry: told.entry,
        side: told.side,
        lots: told.lots,
        // the feed does not say how much of a reversal closes: such a deal waits for a person
        closed_lots: None,
        contract_size: None,
        price: told.price,
        open_price: None,
        spread_open: None,
        spread_close: None,
        profit,
        commission,
        swap,
        opened_at: told.opened_at,
        at: told.at,
        rates: Vec::new(),
    }))))
}
