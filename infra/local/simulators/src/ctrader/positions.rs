//! Closed positions: as CSV, and made by a control route.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::book::{Closed, Entry};
use super::{Ctrader, Refused};
use crate::desk::lock;
use crate::request::Call;

/// The longest time that may be asked for at once.
const WINDOW_MS: i64 = 2 * 24 * 3_600 * 1_000;

/// The columns in the order in which live servers have them, which is not the documented one.
const HEADER: &str = "login,positionId,openTimestamp,closeTimestamp,closePrice,direction,volume,symbol,commission,swap,pnl,\
                      depositConversionRate,usdConversionRate,bookType,stake,spreadBetting,entryPrice,dealId\n";

/// `POST /_control/positions`: a position that was opened and closed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPosition {
    login: i64,
    symbol: String,
    /// `BUY` or `SELL`.
    direction: String,
    /// Units of the base asset.
    volume: i64,
    entry_price: Decimal,
    close_price: Decimal,
    pnl: Decimal,
    #[serde(default)]
    commission: Decimal,
    #[serde(default)]
    swap: Decimal,
}

/// Books the result and gives the number of the closing deal.
pub(super) fn trade(server: &Ctrader, wanted: NewPosition) -> Option<i64> {
    let now = server.clock.now_ms();
    let mut book = lock(&server.book);
    let result = wanted.pnl + wanted.commission + wanted.swap;
    let entry = Entry {
        number: 0,
        trader_id: 0,
        kind: 2,
        delta: 0,
        balance: 0,
        money_digits: 0,
        at_ms: now,
        comment: String::new(),
        external_note: String::new(),
        external_id: String::new(),
    };
    book.enter(wanted.login, result, entry)?;
    let (position, deal) = (book.number(), book.number());
    book.closed.push(Closed {
        login: wanted.login,
        position,
        deal,
        opened_ms: now - 60_000,
        closed_ms: now,
        direction: wanted.direction,
        volume: wanted.volume,
        symbol: wanted.symbol,
        entry_price: wanted.entry_price,
        close_price: wanted.close_price,
        commission: wanted.commission,
        swap: wanted.swap,
        pnl: wanted.pnl,
    });
    Some(deal)
}

pub(super) fn closed(server: &Ctrader, call: &Call) -> Result<String, Refused> {
    let time = |name: &str| call.query(name).and_then(super::millis).ok_or_else(|| Refused::invalid("from and to"));
    let (from, to) = (time("from")?, time("to")?);
    if to < from || to - from > WINDOW_MS {
        return Err(Refused::invalid("from and to must not be more than two days apart"));
    }
    let login: Option<i64> = match call.query("login") {
        Some(text) => Some(text.parse().map_err(|_| Refused::invalid("login"))?),
        None => None,
    };
    let book = lock(&server.book);
    if login.is_some_and(|login| !book.traders.contains_key(&login)) {
        return Err(Refused::code("TRADER_NOT_FOUND"));
    }
    let mut text = HEADER.to_owned();
    let wanted = |row: &&Closed| login.is_none_or(|login| login == row.login) && (from..=to).contains(&row.closed_ms);
    for row in book.closed.iter().filter(wanted) {
        let (opened, closed) = (super::utc(row.opened_ms), super::utc(row.closed_ms));
        let line = writeln!(
            text,
            "{},{},{opened},{closed},{},{},{},{},{},{},{},1,1,A,,false,{},{}",
            row.login,
            row.position,
            row.close_price,
            row.direction,
            row.volume,
            row.symbol,
            row.commission,
            row.swap,
            row.pnl,
            row.entry_price,
            row.deal,
        );
        line.map_err(|_| Refused::code("UNKNOWN_ERROR"))?;
    }
    Ok(text)
}
