//! Closed trades: the buys and sells of the history.

use domain::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::accounts::amount;
use super::bridge::Failed;
use super::money::Row;
use super::{Mt4, time};
use crate::platforms::call::unreadable;
use crate::platforms::{ClosedTrade, ClosedTrades, Login, PlatformError, Side, Ticket, TradeCursor, Volume};

/// Digits of `volume`, which is in 1/100 lot.
const VOLUME_DIGITS: u32 = 2;

/// The shortest time that is read when longer ones hold too much, in seconds.
const PART_S_MIN: i64 = 60;

impl Mt4 {
    /// Orders are numbered when they are opened, so the mark is a moment of the server's clock and what was given of that moment.
    pub(super) async fn read_closed_trades(
        &self,
        login: &Login,
        cursor: &TradeCursor,
    ) -> Result<ClosedTrades, PlatformError> {
        let until = self.deadline();
        let offset = self.clock_offset_s(until).await?.ok_or_else(|| unreadable("server's clock"))?;
        let mark = cursor.mark.as_deref().map(|mark| Mark::read(mark).ok_or_else(|| unreadable("cursor")));
        let mark = mark.transpose()?.unwrap_or_else(|| Mark::begin(cursor.since, offset));
        // where the server's clock was put back since, what is closed in the hour that comes twice is before the mark
        let from_s = mark.second.saturating_add(offset.saturating_sub(mark.offset).min(0));
        let now_s = (self.settings.clock)().seconds().saturating_add(offset).saturating_add(PART_S_MIN);
        let mut end_s = now_s.max(from_s);
        let rows = loop {
            match self.history_list(login, Some((from_s, end_s)), until).await {
                Ok(rows) => break rows,
                Err(Failed::Error(error)) => return Err(error),
                Err(Failed::TooLarge) if end_s.saturating_sub(from_s) > PART_S_MIN => {
                    end_s = from_s.saturating_add(end_s.saturating_sub(from_s) / 2);
                }
                Err(Failed::TooLarge) => return Err(unreadable("history, which is too long,")),
            }
        };
        let mut rows: Vec<_> = rows.into_iter().filter(|row| row.closed_s >= from_s && !mark.given(row)).collect();
        rows.sort_by_key(|row| (row.closed_s, row.booking.number));
        let mut trades = Vec::new();
        for row in &rows {
            if let Some(side) = side_of(row) {
                trades.push(read_trade(row, side, offset).ok_or_else(|| unreadable("trade"))?);
            }
        }
        let more = end_s < now_s;
        let next = mark.after(&rows, more.then_some(end_s), offset);
        let since = Timestamp::from_seconds(next.second.saturating_sub(offset)).unwrap_or(cursor.since);
        Ok(ClosedTrades { trades, next: TradeCursor { since, mark: Some(next.text()) }, more })
    }
}

/// A moment of the server's clock, the clock's offset then, and the orders closed in that very second that were given.
struct Mark {
    second: i64,
    offset: i64,
    orders: Vec<u64>,
}

impl Mark {
    fn begin(since: Timestamp, offset: i64) -> Self {
        Self { second: since.seconds().saturating_add(offset), offset, orders: Vec::new() }
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (second, offset) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let orders = parts.next()?.split(',').filter(|order| !order.is_empty());
        Some(Self { second, offset, orders: orders.map(|order| order.parse().ok()).collect::<Option<_>>()? })
    }

    fn text(&self) -> String {
        let orders: Vec<_> = self.orders.iter().map(u64::to_string).collect();
        format!("{}:{}:{}", self.second, self.offset, orders.join(","))
    }

    fn given(&self, row: &Row) -> bool {
        row.closed_s == self.second && self.orders.contains(&row.booking.number)
    }

    /// After these rows, which were closed at this mark or later, and up to an end that is further on.
    fn after(self, rows: &[Row], end_s: Option<i64>, offset: i64) -> Self {
        let newest = rows.last().map_or(self.second, |row| row.closed_s);
        let second = end_s.unwrap_or(newest).max(newest);
        let of_second = rows.iter().filter(|row| row.closed_s == second).map(|row| row.booking.number);
        let before = self.orders.iter().copied().filter(|_| self.second == second);
        Self { second, offset, orders: before.chain(of_second).collect() }
    }
}

fn side_of(row: &Row) -> Option<Side> {
    match row.booking.kind.as_str() {
        "Buy" => Some(Side::Buy),
        "Sell" => Some(Side::Sell),
        _ => None,
    }
}

fn read_trade(row: &Row, side: Side, offset_s: i64) -> Option<ClosedTrade> {
    let trade = &row.trade;
    let money = |name: &str| trade.get(name).and_then(amount);
    let utc = |seconds: i64| Timestamp::from_seconds(seconds.checked_sub(offset_s)?);
    let volume = trade.get("volume").and_then(Value::as_i64)?;
    let number = row.booking.number.to_string();
    Some(ClosedTrade {
        deal: Ticket::new(number.clone()),
        position: number,
        login: row.login.clone(),
        symbol: trade.get("symbol")?.as_str()?.to_owned(),
        side,
        volume: Volume::Lots(Decimal::try_new(volume, VOLUME_DIGITS).ok()?.normalize()),
        price: money("closePrice")?,
        profit: row.booking.amount?,
        // taxes are taken with the commission
        commission: money("commission")?.checked_add(money("taxes").unwrap_or_default())?,
        swap: money("storage")?,
        costs_in: None,
        opened_at: trade.get("openTime").and_then(time::seconds).and_then(utc),
        closed_at: utc(row.closed_s)?,
    })
}
