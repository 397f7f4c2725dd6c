//! Closed trades: the deals that end a position or a part of one.

use domain::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use tokio::time::Instant;

use super::accounts::found;
use super::link::Command;
use super::operations::DEALS_MAX;
use super::{Mt5, answer};
use crate::platforms::call::unreadable;
use crate::platforms::{ClosedTrade, ClosedTrades, Login, PlatformError, Side, Ticket, TradeCursor, Volume};

/// Digits of `Volume`, which is in 1/10 000 lot, and of `VolumeExt`.
const VOLUME_DIGITS: u32 = 4;
const VOLUME_EXT_DIGITS: u32 = 8;

impl Mt5 {
    /// Deals are numbered in the order in which the server makes them: what has a number above the mark was not given yet. The time that
    /// is asked for begins earlier than the mark by what is not known of the server's clock.
    pub(super) async fn read_closed_trades(
        &self,
        login: &Login,
        cursor: &TradeCursor,
    ) -> Result<ClosedTrades, PlatformError> {
        let until = self.deadline();
        let mark: u64 = cursor.mark.as_deref().and_then(|mark| mark.parse().ok()).unwrap_or(0);
        let now = (self.settings.clock)();
        let offset = self.clock_offset_s(until).await?;
        let offset = offset.ok_or_else(|| PlatformError::NotApplied("the server's clock is not known".to_owned()))?;
        let end = self.readable_end(login, cursor.since, now, until).await?;
        let (from, to) = self.window(cursor.since, end, until).await?;
        let window = [("login", login.as_str()), ("from", from.as_str()), ("to", to.as_str())];
        let deals = self.all_deals(&window, login, until).await?;
        let mut trades = Vec::new();
        for (number, deal) in deals.range(mark.saturating_add(1)..) {
            let Some(side) = closed_side(deal)? else { continue };
            let trade = read_trade(*number, deal, side, login, offset).ok_or_else(|| unreadable("deal"))?;
            // the window is wider than what was asked for: with no mark yet, what lies before it was never meant
            if mark > 0 || trade.closed_at >= cursor.since {
                trades.push(trade);
            }
        }
        trades.sort_by_key(|trade| trade.closed_at);
        let more = end < now;
        let newest = trades.last().map_or(cursor.since, |newest| newest.closed_at.max(cursor.since));
        let mark = deals.keys().next_back().copied().unwrap_or(0).max(mark);
        let next = TradeCursor { since: if more { end } else { newest }, mark: (mark > 0).then(|| mark.to_string()) };
        Ok(ClosedTrades { trades, next, more })
    }

    pub(super) async fn read_has_positions(&self, login: &Login) -> Result<bool, PlatformError> {
        let command = Command::read("/api/position/get_total", &[("login", login.as_str())]);
        let Some(value) = found(self.call(&command, self.deadline()).await)? else { return Ok(false) };
        let total = answer::member(&value, "answer").and_then(|answer| answer::member_text(answer, "total"));
        let total: Option<u64> = total.and_then(|total| total.parse().ok());
        Ok(total.ok_or_else(|| unreadable("number of positions"))? > 0)
    }

    /// The end of a time in which no more deals lie than can be read at once: an account with a long history is read in parts.
    async fn readable_end(
        &self,
        login: &Login,
        since: Timestamp,
        now: Timestamp,
        until: Instant,
    ) -> Result<Timestamp, PlatformError> {
        let mut end = now;
        loop {
            let (from, to) = self.window(since, end, until).await?;
            let window = [("login", login.as_str()), ("from", from.as_str()), ("to", to.as_str())];
            if self.deals_total(&window, until).await? <= DEALS_MAX {
                return Ok(end);
            }
            let half_s = end.seconds().saturating_sub(since.seconds()) / 2;
            let next = since.seconds().checked_add(half_s).and_then(Timestamp::from_seconds);
            end = next.filter(|next| *next < end).ok_or_else(|| unreadable("deals, which are too many at once,"))?;
        }
    }
}

/// The side of the position that a deal closes; none where it closes none.
fn closed_side(deal: &Value) -> Result<Option<Side>, PlatformError> {
    let number = |name: &str| answer::member_text(deal, name).and_then(|text| text.parse::<u32>().ok());
    let action = number("Action").ok_or_else(|| unreadable("deal's action"))?;
    let side = match action {
        // the closing deal is the opposite of the position
        0 => Side::Sell,
        1 => Side::Buy,
        _ => return Ok(None),
    };
    // 1 out, 2 in and out, 3 out by an opposite position
    let entry = number("Entry").ok_or_else(|| unreadable("deal's entry"))?;
    Ok(matches!(entry, 1..=3).then_some(side))
}

fn read_trade(number: u64, deal: &Value, side: Side, login: &Login, offset_s: i64) -> Option<ClosedTrade> {
    let money = |name: &str| answer::member_decimal(deal, name);
    let closed_s = answer::member_text(deal, "Time")?.parse::<i64>().ok()?.checked_sub(offset_s)?;
    Some(ClosedTrade {
        deal: Ticket::new(number.to_string()),
        position: answer::member_text(deal, "PositionID")?,
        login: login.clone(),
        symbol: answer::member_text(deal, "Symbol")?,
        side,
        volume: Volume::Lots(lots(deal)?),
        price: money("Price")?,
        profit: money("Profit")?,
        // newer builds have a fee beside the commission
        commission: money("Commission")?.checked_add(money("Fee").unwrap_or_default())?,
        swap: money("Storage")?,
        costs_in: None,
        opened_at: None,
        closed_at: Timestamp::from_seconds(closed_s)?,
    })
}

/// The more exact one of the two where the server has it.
fn lots(deal: &Value) -> Option<Decimal> {
    let scaled = |name: &str, digits: u32| {
        let units = answer::member_text(deal, name)?.parse::<i64>().ok()?;
        Decimal::try_new(units, digits).ok()
    };
    scaled("VolumeExt", VOLUME_EXT_DIGITS).or_else(|| scaled("Volume", VOLUME_DIGITS)).map(|lots| lots.normalize())
}
