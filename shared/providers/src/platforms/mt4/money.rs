//! Balance operations over the bridge: booking one, and finding out whether one was booked.

use ::http::Method;
use bytes::Bytes;
use domain::{Money, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::Mt4;
use super::accounts::{amount, number};
use super::bridge::{Call, Failed};
use super::time::{self, Window};
use crate::platforms::call::unreadable;
use crate::platforms::history::{Booking, compared};
use crate::platforms::operations::within;
use crate::platforms::{
    BalanceOperation, FoundDeal, FoundOperation, FoundTicket, Funds, Login, MoneyOperation, PlatformError, Reference,
    Ticket, TicketQuery,
};

/// A transaction of the manager interface. The amount is its price.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transaction<'a> {
    trade_transaction_type: &'static str,
    trade_command: &'static str,
    order_by: u64,
    price: Box<RawValue>,
    comment: &'a str,
}

impl Mt4 {
    /// The bridge keeps what came of a key for a while, and gives it again instead of booking again. That is a second net; whoever calls
    /// looks the reference up first all the same, for it forgets.
    pub(super) async fn book(&self, operation: &BalanceOperation) -> Result<Ticket, PlatformError> {
        let not_written = || PlatformError::Misconfigured("the operation cannot be written".to_owned());
        let transaction = Transaction {
            trade_transaction_type: "BrBalance",
            trade_command: command_of(operation.funds),
            order_by: number(&operation.login)?.parse().map_err(|_| not_written())?,
            // the digits as they are: no binary fraction on our side
            price: RawValue::from_string(operation.amount.amount_text()).map_err(|_| not_written())?,
            comment: operation.reference.as_str(),
        };
        let body = serde_json::to_vec(&transaction).map_err(|_| not_written())?;
        let key = format!("{}-{}-{}", operation.login, operation.reference, operation.amount.amount_text());
        let call = Call::write(Method::POST, &["TradeTransaction"], Bytes::from(body), Some(key));
        let data = self.call(&call, self.deadline()).await?;
        let ticket = data.as_ref().and_then(|done| done.get("order")).and_then(Value::as_u64);
        // Booked, but not to be named: the look-up finds it.
        let ticket = ticket.filter(|ticket| *ticket > 0).map(|ticket| Ticket::new(ticket.to_string()));
        ticket.ok_or_else(|| PlatformError::Unknown("the answer names no ticket".to_owned()))
    }

    pub(super) async fn find_booking(
        &self,
        login: &Login,
        reference: &Reference,
        (amount, funds): (Money, Funds),
        from: Timestamp,
        to: Timestamp,
    ) -> Result<FoundOperation, PlatformError> {
        let until = self.deadline();
        let window = self.window(from, to, until).await?;
        let rows = self.history(login, window, until).await?;
        Ok(compared(rows.iter().map(|row| &row.booking), reference, &amount, funds))
    }

    /// Asks for the number alone, which also tells whose it is, and, where that is not enough, reads the account's history of the time: a
    /// ticket is not there only if neither has it.
    pub(super) async fn look_up_ticket(&self, named: &TicketQuery) -> Result<FoundTicket, PlatformError> {
        // the server numbers its orders: what is no number is none of them
        let Ok(ticket) = named.ticket.as_str().parse::<u64>() else { return Ok(FoundTicket::Absent) };
        let until = self.deadline();
        let text = ticket.to_string();
        let alone = self.call(&Call::read(&["TradeRecordRequest", &text], &[]), until).await?;
        let alone = match &alone {
            Some(row) => Some(
                Row::read(row)
                    .filter(|row| row.booking.number == ticket)
                    .ok_or_else(|| unreadable("trade, which has another number,"))?,
            ),
            None => None,
        };
        let login = match (&named.login, &alone) {
            (Some(login), Some(row)) if *login != row.login => return Ok(FoundTicket::OfAnotherLogin),
            (Some(login), _) => login.clone(),
            (None, Some(row)) => row.login.clone(),
            (None, None) => return Ok(FoundTicket::Absent),
        };
        let window = self.window(named.from, named.to, until).await?;
        let inside = |row: &Row| window.is_none_or(|(from, to)| (from..=to).contains(&row.closed_s));
        if let Some(row) = &alone
            && named.reference.is_none()
        {
            let Some(moved) = row.booking.amount else { return Err(unreadable("trade's amount")) };
            return Ok(if inside(row) { told(row, login, moved, moved) } else { FoundTicket::OutOfTime });
        }
        let rows = self.history(&login, window, until).await?;
        let Some(row) = rows.iter().find(|row| row.booking.number == ticket) else {
            return Ok(if alone.is_some() { FoundTicket::OutOfTime } else { FoundTicket::Absent });
        };
        let is_under = |row: &&Row| {
            let meant = named.reference.as_ref().is_some_and(|reference| reference.is_meant_by(&row.booking.comment));
            row.booking.number == ticket || (row.booking.is_balance() && meant)
        };
        let mut together = Decimal::ZERO;
        for row in rows.iter().filter(is_under) {
            let moved = row.booking.amount.ok_or_else(|| unreadable("history's amounts"))?;
            together = together.checked_add(moved).ok_or_else(|| unreadable("history's amounts"))?;
        }
        let moved = row.booking.amount.ok_or_else(|| unreadable("trade's amount"))?;
        Ok(told(row, login, moved, together))
    }

    /// Balance operations and credits of the history.
    pub(super) async fn read_operations(
        &self,
        login: Option<&Login>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MoneyOperation>, PlatformError> {
        let login = login.ok_or_else(|| PlatformError::unsupported("listing the operations of all accounts"))?;
        let until = self.deadline();
        let offset = self.clock_offset_s(until).await?.ok_or_else(|| unreadable("server's clock"))?;
        let window = self.window(from, to, until).await?;
        let rows = self.history(login, window, until).await?;
        let moved = rows.into_iter().filter(|row| row.booking.funds.is_some());
        let all: Option<Vec<_>> = moved.map(|row| operation(row, offset)).collect();
        Ok(within(all.ok_or_else(|| unreadable("row of the history"))?, from, to))
    }

    /// An account's closed trades and balance operations, all of the time.
    pub(super) async fn history(
        &self,
        login: &Login,
        window: Window,
        until: Instant,
    ) -> Result<Vec<Row>, PlatformError> {
        self.history_list(login, window, until).await.map_err(|failed| match failed {
            Failed::TooLarge => unreadable("history, which is too long,"),
            Failed::Error(error) => error,
        })
    }

    pub(super) async fn history_list(&self, login: &Login, window: Window, until: Instant) -> Result<Vec<Row>, Failed> {
        let times = window.map(|(from, to)| [("fromTime", time::text(from)), ("toTime", time::text(to))]);
        let pairs = times.iter().flatten().map(|(name, time)| (*name, time.as_str())).collect::<Vec<_>>();
        let call = Call::read(&["TradesUserHistory", number(login)?], &pairs);
        // "not found" is no empty history: the login may be archived or on another server
        let data = self.call_list(&call, until).await?.ok_or_else(|| unreadable("history"))?;
        let rows = data.as_array().ok_or_else(|| unreadable("history"))?;
        let read = rows.iter().map(|row| Row::read(row).filter(|row| row.login == *login));
        let rows: Option<Vec<_>> = read.collect();
        Ok(rows.ok_or_else(|| unreadable("row of the history"))?)
    }
}

/// A row of the history.
pub(super) struct Row {
    pub(super) login: Login,
    pub(super) booking: Booking,
    /// When it was closed, in the server's clock.
    pub(super) closed_s: i64,
    /// As it came.
    pub(super) trade: Value,
}

impl Row {
    fn read(trade: &Value) -> Option<Self> {
        let number = trade.get("order")?.as_u64().filter(|number| *number > 0)?;
        let kind = trade.get("tradeCommand")?.as_str()?;
        let comment = trade.get("comment").filter(|comment| !comment.is_null());
        Some(Self {
            login: Login::new(trade.get("login")?.as_u64()?.to_string()),
            booking: Booking {
                number,
                funds: funds_of(kind),
                kind: kind.to_owned(),
                amount: trade.get("profit").and_then(amount),
                digits: None,
                comment: comment.map_or(Some(""), Value::as_str)?.to_owned(),
            },
            closed_s: time::seconds(trade.get("closeTime")?)?,
            trade: trade.clone(),
        })
    }
}

/// The manager interface's names of its commands 6 and 7.
fn command_of(funds: Funds) -> &'static str {
    match funds {
        Funds::Balance => "Balance",
        Funds::Credit => "Credit",
    }
}

fn funds_of(command: &str) -> Option<Funds> {
    [Funds::Balance, Funds::Credit].into_iter().find(|funds| command == command_of(*funds))
}

fn operation(row: Row, offset_s: i64) -> Option<MoneyOperation> {
    Some(MoneyOperation {
        ticket: Ticket::new(row.booking.number.to_string()),
        login: row.login,
        is_balance: row.booking.is_balance(),
        amount: row.booking.amount?,
        comment: row.booking.comment,
        at: Timestamp::from_seconds(row.closed_s.checked_sub(offset_s)?)?,
    })
}

fn told(row: &Row, login: Login, amount: Decimal, together: Decimal) -> FoundTicket {
    FoundTicket::Deal(FoundDeal {
        login,
        is_balance: row.booking.is_balance(),
        amount,
        digits: row.booking.digits,
        comment: row.booking.comment.clone(),
        together,
    })
}
