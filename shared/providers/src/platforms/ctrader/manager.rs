//! The manager's protobuf interface: what an account's history of balance shows, and its second number.
//!
//! A session is opened for a look-up and closed with it: look-ups are rare, and sessions are few.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use domain::Timestamp;
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::traders::{no_trader, number_of, scaled};
use super::wire::{Message, Writer};
use super::{Ctrader, ManagerSettings};
use crate::http::ByteStream;
use crate::platforms::call::{remaining, unreadable};
use crate::platforms::{Funds, Login, PlatformError, json};

const ERROR_RES: i64 = 50;
const AUTH: Exchange = Exchange { ask: 301, answer: 302 };
const TRADER_LIST: Exchange = Exchange { ask: 403, answer: 404 };
const TRADER_BY_ID: Exchange = Exchange { ask: 703, answer: 704 };
const BALANCE_HISTORY: Exchange = Exchange { ask: 417, answer: 418 };

/// Operation types of a booking to or from an account.
const DEPOSIT: i64 = 0;
const WITHDRAW: i64 = 1;
/// Those of other money that somebody moves: bonuses, which are no part of the balance or become one, and transfers between accounts.
const BONUS_IN: i64 = 19;
const BONUS_OUT: i64 = 20;
const TRANSFER_IN: i64 = 36;
const TRANSFER_OUT: i64 = 37;
const BONUS_CONVERTED: i64 = 38;

/// No frame is longer, in bytes; a length beyond is not this protocol.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Rows are asked for page by page so often.
const PAGES_MAX: usize = 100;
/// How far around its registration an account is looked for, in milliseconds.
const REGISTERED_AROUND_MS: i64 = 1_000;

/// A request and its answer.
#[derive(Clone, Copy)]
struct Exchange {
    ask: i64,
    answer: i64,
}

/// A connection that is logged in.
pub(super) struct Session {
    stream: Box<dyn ByteStream>,
    unread: BytesMut,
    asked: u32,
    until: Instant,
}

/// A row of the history of balance.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) number: i64,
    pub(super) trader_id: i64,
    pub(super) kind: i64,
    /// Negative: taken out.
    pub(super) amount: Decimal,
    pub(super) at_ms: i64,
    pub(super) comment: String,
    pub(super) external_id: String,
}

impl Row {
    /// Which sum of the account it moved; none of the result of a trade, a fee or a transfer.
    pub(super) fn funds(&self) -> Option<Funds> {
        match self.kind {
            DEPOSIT | WITHDRAW => Some(Funds::Balance),
            BONUS_IN | BONUS_OUT => Some(Funds::Credit),
            _ => None,
        }
    }

    /// Whether it was booked to or from the account and is no result of a trade, fee or bonus.
    pub(super) fn is_balance(&self) -> bool {
        self.funds() == Some(Funds::Balance)
    }

    /// Whether somebody moved money by it: it is no result of a trade and no cost.
    pub(super) fn is_moved(&self) -> bool {
        matches!(self.kind, TRANSFER_IN | TRANSFER_OUT | BONUS_CONVERTED) || self.funds().is_some()
    }

    fn read(row: &Message<'_>) -> Option<Self> {
        let kind = row.int(1).unwrap_or(DEPOSIT);
        let amount = scaled(row.int(5)?, u32::try_from(row.int(16)?).ok()?)?;
        Some(Self {
            number: row.int(2)?,
            trader_id: row.int(3)?,
            kind,
            // the direction is said by the type; the sign that goes with it was seen, and is not documented
            amount: match kind {
                DEPOSIT | BONUS_IN | TRANSFER_IN | BONUS_CONVERTED => amount.abs(),
                WITHDRAW | BONUS_OUT | TRANSFER_OUT => -amount.abs(),
                _ => amount,
            },
            at_ms: row.int(6)?,
            comment: row.text(7).unwrap_or_default().to_owned(),
            external_id: row.text(15).unwrap_or_default().to_owned(),
        })
    }
}

impl Ctrader {
    fn manager_settings(&self) -> Result<&ManagerSettings, PlatformError> {
        self.settings.manager.as_ref().ok_or_else(|| PlatformError::unsupported("looking bookings up"))
    }

    /// Opens a session.
    pub(super) async fn manager(&self, until: Instant) -> Result<Session, PlatformError> {
        let settings = self.manager_settings()?;
        let dialled = self.settings.transport.dial(&settings.url, remaining(until)).await;
        let stream = dialled.map_err(|error| PlatformError::NotApplied(error.to_string()))?;
        let mut session = Session { stream, unread: BytesMut::new(), asked: 0, until };
        let login = i64::try_from(self.settings.manager_login).unwrap_or(i64::MAX);
        let request = Writer::default()
            .int(1, AUTH.ask)
            .bytes(2, settings.plant.as_bytes())
            .bytes(3, self.settings.environment.as_bytes())
            .int(4, login)
            .bytes(5, self.hashed_password.as_bytes());
        session.ask(AUTH, &request.finish()).await?;
        Ok(session)
    }

    /// The second number of an account whose time of registration is known; none without the manager's interface.
    pub(super) async fn trader_id_of(
        &self,
        login: u64,
        registered_ms: i64,
        until: Instant,
    ) -> Result<Option<i64>, PlatformError> {
        if self.settings.manager.is_none() {
            return Ok(None);
        }
        if let Some(known) = self.known_id(login) {
            return Ok(Some(known));
        }
        let mut session = self.manager(until).await?;
        let around =
            (registered_ms.saturating_sub(REGISTERED_AROUND_MS), registered_ms.saturating_add(REGISTERED_AROUND_MS));
        let traders = session.traders(around).await?;
        let found = traders.into_iter().find(|(_, other)| u64::try_from(*other) == Ok(login)).map(|(id, _)| id);
        if let Some(id) = found {
            self.trader_ids.lock().unwrap_or_else(PoisonError::into_inner).insert(login, id);
        }
        Ok(found)
    }

    fn known_id(&self, login: u64) -> Option<i64> {
        self.trader_ids.lock().unwrap_or_else(PoisonError::into_inner).get(&login).copied()
    }

    /// The second number of an account.
    pub(super) async fn trader_id(&self, login: &Login, until: Instant) -> Result<i64, PlatformError> {
        self.manager_settings()?;
        let number = number_of(login)?;
        if let Some(known) = self.known_id(number) {
            return Ok(known);
        }
        let trader = self.trader_of(login, until).await?.ok_or_else(no_trader)?;
        let registered_ms = json::whole(&trader, "registrationTimestamp").ok_or_else(|| unreadable("account"))?;
        let found = self.trader_id_of(number, registered_ms, until).await?;
        found.ok_or_else(|| PlatformError::NotApplied("the manager's interface does not know the account".to_owned()))
    }
}

impl Session {
    /// Both numbers of each account that was registered in a time, in milliseconds: the second one first.
    async fn traders(&mut self, (from, to): (i64, i64)) -> Result<BTreeMap<i64, i64>, PlatformError> {
        let ask = |from: i64| Writer::default().int(1, TRADER_LIST.ask).int(2, from).int(3, to).finish();
        let read = |answer: &Message<'_>| {
            let traders = answer.each(2)?;
            let rows = traders.iter().map(|trader| Some((trader.int(1)?, (trader.int(25)?, trader.int(2)?))));
            Some((rows.collect::<Option<Vec<_>>>()?, answer.int(3).unwrap_or_default() != 0))
        };
        let traders = self.pages(TRADER_LIST, from, ask, read, |(registered, _)| *registered).await?;
        Ok(traders.into_iter().map(|(id, (_, login))| (id, login)).collect())
    }

    /// The login of an account.
    pub(super) async fn login_of(&mut self, trader_id: i64) -> Result<Option<Login>, PlatformError> {
        let request = Writer::default().int(1, TRADER_BY_ID.ask).int(2, trader_id).finish();
        let payload = self.ask(TRADER_BY_ID, &request).await?;
        let traders = Message::read(&payload).and_then(|answer| answer.each(2)).ok_or_else(|| unreadable("account"))?;
        let trader = traders.iter().find(|trader| trader.int(1) == Some(trader_id));
        Ok(trader.and_then(|trader| trader.int(2)).map(|login| Login::new(login.to_string())))
    }

    /// The history of balance of an account, or of all, in a time: the whole of it.
    pub(super) async fn history(
        &mut self,
        trader_id: Option<i64>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Row>, PlatformError> {
        let ask = |from: i64| {
            let request = Writer::default().int(1, BALANCE_HISTORY.ask);
            let request = trader_id.into_iter().fold(request, |request, id| request.int(2, id));
            request.int(3, from).int(4, to.millis()).finish()
        };
        let read = |answer: &Message<'_>| {
            let rows = answer.each(3)?;
            let rows = rows.iter().map(|row| Row::read(row).map(|row| (row.number, row)));
            Some((rows.collect::<Option<Vec<_>>>()?, answer.int(4).unwrap_or_default() != 0))
        };
        let rows = self.pages(BALANCE_HISTORY, from.millis(), ask, read, |row| row.at_ms).await?;
        if trader_id.is_some_and(|id| rows.values().any(|row| row.trader_id != id)) {
            return Err(unreadable("history of balance, which has another account's,"));
        }
        Ok(rows.into_values().collect())
    }

    /// All pages of a list by number: the next one begins at the time of the last row, and has that again.
    async fn pages<R>(
        &mut self,
        exchange: Exchange,
        from: i64,
        ask: impl Fn(i64) -> Bytes,
        read: impl Fn(&Message<'_>) -> Option<(Vec<(i64, R)>, bool)>,
        time: impl Fn(&R) -> i64,
    ) -> Result<BTreeMap<i64, R>, PlatformError> {
        let (mut all, mut from) = (BTreeMap::new(), from);
        for _ in 0..PAGES_MAX {
            let payload = self.ask(exchange, &ask(from)).await?;
            let (rows, more) =
                Message::read(&payload).and_then(|answer| read(&answer)).ok_or_else(|| unreadable("list"))?;
            let (before, last) = (all.len(), rows.iter().map(|(_, row)| time(row)).max());
            all.extend(rows);
            if !more {
                return Ok(all);
            }
            from = last.filter(|_| all.len() > before).ok_or_else(|| unreadable("list, which does not go on,"))?;
        }
        Err(PlatformError::NotApplied("there are more rows than are looked through".to_owned()))
    }

    /// Sends a request and gives the payload of its answer. Whatever goes wrong, nothing was changed: only reads are sent here.
    async fn ask(&mut self, exchange: Exchange, payload: &[u8]) -> Result<Bytes, PlatformError> {
        self.asked = self.asked.saturating_add(1);
        let id = self.asked.to_string();
        let message = Writer::default().int(1, exchange.ask).bytes(2, payload).bytes(3, id.as_bytes()).finish();
        let mut frame = BytesMut::with_capacity(message.len().saturating_add(4));
        frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
        frame.put_slice(&message);
        let written = self.stream.write(frame.freeze(), remaining(self.until)).await;
        written.map_err(|error| PlatformError::NotApplied(error.to_string()))?;
        loop {
            let frame = self.frame().await?;
            let message = Message::read(&frame).ok_or_else(|| unreadable("message"))?;
            // events and heartbeats answer nobody
            if message.text(3) != Some(id.as_str()) {
                continue;
            }
            let payload = message.bytes(2).unwrap_or_default();
            match message.int(1) {
                Some(kind) if kind == exchange.answer => return Ok(Bytes::copy_from_slice(payload)),
                Some(ERROR_RES) => return Err(refused(exchange, payload)),
                _ => return Err(unreadable("answer, which is to something else,")),
            }
        }
    }

    async fn frame(&mut self) -> Result<Bytes, PlatformError> {
        loop {
            if let Some(head) = self.unread.first_chunk::<4>() {
                let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
                if length > FRAME_BYTES_MAX {
                    return Err(unreadable("message, which is too long,"));
                }
                if self.unread.len() >= length.saturating_add(4) {
                    self.unread.advance(4);
                    return Ok(self.unread.split_to(length).freeze());
                }
            }
            let more = self.stream.read(remaining(self.until)).await;
            let more = more.map_err(|error| PlatformError::NotApplied(error.to_string()))?;
            if more.is_empty() {
                return Err(PlatformError::NotApplied("the manager's interface hung up".to_owned()));
            }
            self.unread.extend_from_slice(&more);
        }
    }
}

/// What an error says. A log-in that is refused is a person's to mend, but for maintenance, which has an end.
fn refused(exchange: Exchange, payload: &[u8]) -> PlatformError {
    let error = Message::read(payload);
    let code = error.as_ref().and_then(|error| error.text(2)).unwrap_or_default();
    let is_maintenance = error.as_ref().and_then(|error| error.int(4)).unwrap_or_default() > 0;
    if !is_maintenance && (exchange.ask == AUTH.ask || code == "NOT_ENOUGH_RIGHTS") {
        return PlatformError::Misconfigured("the manager's interface does not let the manager in".to_owned());
    }
    PlatformError::NotApplied("the manager's interface answers with an error".to_owned())
}
