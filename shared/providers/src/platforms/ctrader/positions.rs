//! Closed trades: the CSV of closed positions, a row a closing deal.

use std::collections::BTreeSet;

use domain::{Currency, Seconds, Timestamp};
use rust_decimal::Decimal;

use super::rest::Call;
use super::traders::number_of;
use super::{Ctrader, utc};
use crate::platforms::call::unreadable;
use crate::platforms::{ClosedTrade, ClosedTrades, Login, PlatformError, Side, Ticket, TradeCursor, Volume};

/// The longest time that is asked for at once.
const WINDOW: Seconds = Seconds(2 * 24 * 3_600);

/// How much of what was read is asked for again: a deal can become visible late, and clocks differ.
const OVERLAP: Seconds = Seconds(900);

/// Commission and swap are in this, whatever the account is in.
const COSTS_IN: &str = "USD";

impl Ctrader {
    /// The mark of a cursor names the deals that were given already although they lie in the time that is asked for again.
    pub(super) async fn read_closed_positions(
        &self,
        login: &Login,
        cursor: &TradeCursor,
    ) -> Result<ClosedTrades, PlatformError> {
        let number = number_of(login)?;
        let given: BTreeSet<&str> = cursor.mark.iter().flat_map(|mark| mark.split(' ')).collect();
        // what lies before the time of the first read was never meant
        let first = if cursor.mark.is_some() { cursor.since.minus(OVERLAP) } else { cursor.since };
        let from = cursor.since.minus(OVERLAP);
        let now = (self.settings.clock)();
        let to = from.plus(WINDOW).min(now.plus(OVERLAP));
        let query = vec![("from", utc(from)), ("to", utc(to)), ("login", number.to_string())];
        let response = self.call(&Call::read("/v2/webserv/closedPositions", query), self.deadline()).await?;
        let rows = read(response.body(), login).ok_or_else(|| unreadable("list of closed positions"))?;
        let more = to < now;
        let newest = rows.iter().map(|trade| trade.closed_at).max().unwrap_or(cursor.since).max(cursor.since);
        let since = if more { to.minus(OVERLAP).max(cursor.since) } else { newest.min(now) };
        let again = rows.iter().filter(|trade| trade.closed_at >= since.minus(OVERLAP) && trade.closed_at >= first);
        let mark = again.map(|trade| trade.deal.as_str()).collect::<Vec<_>>().join(" ");
        let is_new = |trade: &ClosedTrade| trade.closed_at >= first && !given.contains(trade.deal.as_str());
        let mut trades: Vec<_> = rows.into_iter().filter(is_new).collect();
        trades.sort_by(|a, b| a.closed_at.cmp(&b.closed_at).then_with(|| number_in(&a.deal).cmp(&number_in(&b.deal))));
        trades.dedup_by(|a, b| a.deal == b.deal);
        Ok(ClosedTrades { trades, next: TradeCursor { since, mark: Some(mark) }, more })
    }
}

fn number_in(deal: &Ticket) -> u64 {
    deal.as_str().parse().unwrap_or(u64::MAX)
}

/// The order of the columns differs between servers: each is found by its name. None where one is missing or a value cannot be.
fn read(text: &[u8], login: &Login) -> Option<Vec<ClosedTrade>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let headers = reader.headers().ok()?.clone();
    let place = |name: &str| headers.iter().position(|header| header.trim_start_matches('\u{feff}') == name);
    let names =
        ["login", "positionId", "dealId", "openTimestamp", "closeTimestamp", "closePrice", "direction", "volume"];
    let places: Option<Vec<usize>> =
        names.into_iter().chain(["symbol", "commission", "swap", "pnl"]).map(place).collect();
    let places = places?;
    let rows = reader.records().map(|row| trade(&row.ok()?, &places, login));
    rows.collect()
}

fn trade(row: &csv::StringRecord, places: &[usize], login: &Login) -> Option<ClosedTrade> {
    let cells: Option<Vec<&str>> = places.iter().map(|place| row.get(*place)).collect();
    let [of, position, deal, opened, closed, price, direction, volume, symbol, commission, swap, pnl] =
        <[&str; 12]>::try_from(cells?).ok()?;
    // another account's row in what was asked of this one
    if of != login.as_str() || deal.is_empty() {
        return None;
    }
    Some(ClosedTrade {
        deal: Ticket::new(deal),
        position: position.to_owned(),
        login: login.clone(),
        symbol: symbol.to_owned(),
        side: match direction {
            "BUY" => Side::Buy,
            "SELL" => Side::Sell,
            _ => return None,
        },
        volume: Volume::Units(decimal(volume)?),
        price: decimal(price)?,
        profit: decimal(pnl)?,
        commission: decimal(commission)?,
        swap: decimal(swap)?,
        costs_in: COSTS_IN.parse::<Currency>().ok(),
        opened_at: Some(time(opened)?),
        closed_at: time(closed)?,
    })
}

fn decimal(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

/// Milliseconds since 1970, or a date and time in UTC.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(millis) = text.parse::<i64>() {
        return Timestamp::from_millis(millis);
    }
    let time: jiff::civil::DateTime = text.trim_end_matches('Z').parse().ok()?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Timestamp::from_millis(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = "login,positionId,dealId,openTimestamp,closeTimestamp,entryPrice,closePrice,direction,volume,symbol,\
        commission,swap,pnl,depositConversionRate,usdConversionRate,bookType,stake,spreadBetting\n\
        9017800,7,11,2026-01-02T10:00:00.000,2026-01-02T11:00:00.250,1.1,1.2,BUY,10000,EURUSD,-0.30,-0.02,12.30,1,1,A,,false\n";
    /// As one live consumer gets it: two columns are the last.
    const LIVE: &str = "login,positionId,openTimestamp,closeTimestamp,closePrice,direction,volume,symbol,commission,swap,pnl,\
        depositConversionRate,usdConversionRate,bookType,stake,spreadBetting,entryPrice,dealId\n\
        9017800,7,1767348000000,1767351600250,1.2,BUY,10000,EURUSD,-0.30,-0.02,12.30,1,1,A,,false,1.1,11\n";

    #[test]
    fn columns_are_found_by_their_names() {
        let login = Login::new("9017800");
        let documented = read(DOCUMENTED.as_bytes(), &login).unwrap();
        assert_eq!(documented, read(LIVE.as_bytes(), &login).unwrap());
        let [trade] = documented.as_slice() else { panic!("{documented:?}") };
        assert_eq!((trade.deal.as_str(), trade.position.as_str(), trade.side), ("11", "7", Side::Buy));
        assert_eq!((trade.profit.to_string(), trade.commission.to_string()), ("12.30".to_owned(), "-0.30".to_owned()));
        assert_eq!(trade.volume, Volume::Units(Decimal::from(10_000)));
        assert_eq!(trade.closed_at.millis(), 1_767_351_600_250);
    }

    #[test]
    fn a_list_that_lacks_something_is_none() {
        let login = Login::new("9017800");
        assert_eq!(read(DOCUMENTED.lines().next().unwrap().as_bytes(), &login), Some(Vec::new()));
        for broken in [
            DOCUMENTED.replace("dealId", "dealID"),
            DOCUMENTED.replace(",BUY,", ",buy,"),
            DOCUMENTED.replace("12.30", "x"),
            DOCUMENTED.replace("9017800,", "9017801,"),
            "<html>".to_owned(),
            String::new(),
        ] {
            assert_eq!(read(broken.as_bytes(), &login), None, "{broken}");
        }
    }
}
