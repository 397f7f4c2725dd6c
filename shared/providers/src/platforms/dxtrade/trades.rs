//! Closed trades: the orders that closed a position, with the cash that they settled.

use std::collections::BTreeSet;

use domain::{Seconds, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;
use tokio::time::Instant;

use super::rest::{Call, Interface};
use super::{Dxtrade, in_digits, utc};
use crate::platforms::call::unreadable;
use crate::platforms::{ClosedTrade, ClosedTrades, Login, PlatformError, Side, Ticket, TradeCursor, Volume, json};
use crate::template::encode;

/// How much of what was read is asked for again: an order can become visible late, and clocks differ.
const OVERLAP: Seconds = Seconds(120);
/// Orders that are asked for at once.
const ROWS: usize = 100;

impl Dxtrade {
    /// The mark of a cursor names the orders that were given already although they lie in the time that is asked for again.
    pub(super) async fn read_closed_trades(
        &self,
        login: &Login,
        cursor: &TradeCursor,
    ) -> Result<ClosedTrades, PlatformError> {
        let until = self.deadline();
        let given: BTreeSet<&str> = cursor.mark.iter().flat_map(|mark| mark.split(' ')).collect();
        let from = cursor.since.minus(OVERLAP);
        // what lies before the time of the first read was never meant
        let first = if cursor.mark.is_some() { from } else { cursor.since };
        let now = (self.settings.clock)();
        let mut end = now.plus(OVERLAP);
        let orders = loop {
            match self.orders(login, from, end, until).await? {
                Some(orders) => break orders,
                None => {
                    end =
                        half_way(cursor.since, end).ok_or_else(|| unreadable("orders, which are too many at once,"))?
                }
            }
        };
        let trades: Result<Vec<_>, _> = orders.iter().map(|order| closing(order, login)).collect();
        let mut trades: Vec<_> = trades?.into_iter().flatten().collect();
        let more = end < now;
        let newest = trades.iter().map(|trade| trade.closed_at).max().unwrap_or(cursor.since).max(cursor.since);
        let since = if more { end } else { newest.min(now) };
        let again = trades.iter().filter(|trade| trade.closed_at >= since.minus(OVERLAP));
        let mark = again.map(|trade| trade.deal.as_str()).collect::<Vec<_>>().join(" ");
        trades.retain(|trade| trade.closed_at >= first && !given.contains(trade.deal.as_str()));
        trades.sort_by(|a, b| a.closed_at.cmp(&b.closed_at).then_with(|| number_in(&a.deal).cmp(&number_in(&b.deal))));
        Ok(ClosedTrades { trades, next: TradeCursor { since, mark: Some(mark) }, more })
    }

    pub(super) async fn read_has_positions(&self, login: &Login) -> Result<bool, PlatformError> {
        let account = format!("{}:{login}", self.settings.clearing_code);
        let path = format!("/accounts/{}/positions", encode(&account));
        let answer = self.call(&Call::read(Interface::Trading, path, Vec::new()), self.deadline()).await?;
        let positions = json::rows(&answer.body, "positions").ok_or_else(|| unreadable("list of positions"))?;
        if positions.iter().any(|position| json::text(position, "account").as_deref() != Some(account.as_str())) {
            return Err(unreadable("list of positions, which has another account's,"));
        }
        Ok(!positions.is_empty())
    }

    /// The orders of a time; none where the answer does not have all of them. Which of them it has then is not documented, so it is not
    /// gone on with.
    async fn orders(
        &self,
        login: &Login,
        from: Timestamp,
        to: Timestamp,
        until: Instant,
    ) -> Result<Option<Vec<Value>>, PlatformError> {
        let account = format!("{}:{login}", self.settings.clearing_code);
        let query = vec![("transaction-from", utc(from)), ("transaction-to", utc(to)), ("limit", ROWS.to_string())];
        let path = format!("/accounts/{}/orders/history", encode(&account));
        let answer = self.call(&Call::read(Interface::Trading, path, query), until).await?;
        let orders = json::rows(&answer.body, "orders").ok_or_else(|| unreadable("list of orders"))?;
        if orders.iter().any(|order| json::text(order, "account").as_deref() != Some(account.as_str())) {
            return Err(unreadable("list of orders, which has another account's,"));
        }
        let goes_on = answer.body.get("nextPageTransactionTime").is_some_and(|time| !time.is_null());
        Ok((!goes_on && orders.len() < ROWS).then(|| orders.clone()))
    }
}

/// An earlier end; none where a read that ended there would not go on.
fn half_way(since: Timestamp, end: Timestamp) -> Option<Timestamp> {
    let half = end.millis_since(since) / 2;
    Timestamp::from_millis(since.millis().checked_add(half)?).filter(|middle| half > 0 && *middle < end)
}

fn number_in(deal: &Ticket) -> u64 {
    deal.as_str().parse().unwrap_or(u64::MAX)
}

/// What an order closed; none where it closed nothing.
fn closing(order: &Value, login: &Login) -> Result<Option<ClosedTrade>, PlatformError> {
    let leg = json::rows(order, "legs").and_then(|legs| legs.first()).ok_or_else(|| unreadable("order"))?;
    let is_closing = json::text(leg, "positionEffect").as_deref() == Some("CLOSE");
    let volume = json::decimal(leg, "filledQuantity").unwrap_or_default();
    if !is_closing || volume.is_zero() {
        return Ok(None);
    }
    read(order, leg, volume, login).map(Some).ok_or_else(|| unreadable("order"))
}

fn read(order: &Value, leg: &Value, volume: Decimal, login: &Login) -> Option<ClosedTrade> {
    let side = match json::text(order, "side").or_else(|| json::text(leg, "side"))?.as_str() {
        // the closing order is the opposite of the position
        "SELL" => Side::Buy,
        "BUY" => Side::Sell,
        _ => return None,
    };
    let cash = json::rows(order, "cashTransactions")?;
    let value = |one: &Value| {
        let value = json::decimal(one, "value")?;
        Some(json::text(one, "currency")?.parse().map_or(value, |currency| in_digits(value, currency)))
    };
    let sum = |kind: &str| {
        let of = cash.iter().filter(|one| json::text(one, "type").as_deref() == Some(kind));
        of.map(value).try_fold(Decimal::ZERO, |sum, value| sum.checked_add(value?))
    };
    let closed_at: jiff::Timestamp = json::text(order, "transactionTime")?.parse().ok()?;
    Some(ClosedTrade {
        deal: Ticket::new(json::text(order, "orderId")?),
        position: json::text(leg, "positionCode")?,
        login: login.clone(),
        symbol: json::text(order, "instrument").or_else(|| json::text(leg, "instrument"))?,
        side,
        volume: Volume::Units(volume),
        price: json::decimal(leg, "averagePrice")?,
        profit: sum("SETTLEMENT")?,
        commission: sum("COMMISSION")?,
        swap: sum("FINANCING")?,
        costs_in: None,
        opened_at: None,
        closed_at: Timestamp::from_millis(closed_at.as_millisecond())?,
    })
}
