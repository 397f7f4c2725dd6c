//! One payment that has ended: its operations on the trading account against what is booked of it there. Where all is well nothing is
//! written but the first time on a day, and a read unit is what it takes.

use std::collections::BTreeSet;

use domain::account::Account;
use domain::decision::Frame;
use domain::id::moment_of;
use domain::reconciliation::{
    Booked, Found, Known, PaymentState, ServerDay, ServerRow, SettledRow, Side, Source, Window, compare,
};
use domain::{AccountId, Currency, Day, Money, PaymentId, Seconds, Timestamp};
use providers::platforms::{Login, MoneyOperation, PlatformError};
use runtime::queue::BusEvent;
use runtime::{StepError, step};
use serde_json::Value;
use store::{LedgerEntry, Payment};

use super::Verify;
use crate::reconcile::{state_of, tell};

/// What differs so soon after its event may not have reached the ledger or the server's history yet.
const SETTLES_WITHIN: Seconds = Seconds(15);
/// Clocks differ.
const SKEW: Seconds = Seconds(600);
/// How far back a payment's operations are read. What is older its days' comparison has told.
const LOOK_BACK: Seconds = Seconds(3 * 86_400);

/// What is looked for.
pub(super) struct About {
    id: PaymentId,
    account: AccountId,
    login: String,
    /// The deal that it names, whatever stands in that one's comment.
    ticket: Option<String>,
}

/// What was found of a payment.
struct Looked {
    server: String,
    platform: String,
    /// The days on which either side has something of it, with what differs on each.
    days: Vec<(Day, Vec<Found>)>,
}

impl Looked {
    fn is_in_order(&self) -> bool {
        self.days.iter().all(|(_, found)| found.is_empty())
    }
}

impl About {
    /// What an event says; none where it names no account.
    pub(super) fn told_by(event: &BusEvent) -> Result<Option<Self>, StepError> {
        let text = |pointer: &str| event.data.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let account = text("/account_id").and_then(|id| id.parse().ok());
        let (Some(account), Some(login)) = (account, text("/platform/login")) else { return Ok(None) };
        Ok(Some(Self { id: event.id()?, account, login, ticket: text("/platform/operation") }))
    }

    /// What a payment says.
    pub(super) fn of(payment: &Payment) -> Self {
        let (id, account, platform) = match payment {
            Payment::Deposit(stored) => {
                let facts = &stored.entity.facts;
                (&stored.entity.id, &facts.account_id, &facts.platform)
            }
            Payment::Withdrawal(stored) => {
                let facts = &stored.entity.facts;
                (&stored.entity.id, &facts.account_id, &facts.platform)
            }
        };
        let (id, account) = (id.clone(), account.clone());
        Self { id, account, login: platform.login.clone(), ticket: platform.operation.clone() }
    }

    /// From when on its operations are read, and the first day of which that tells all: from its beginning, unless that is long ago or
    /// cannot be told by its id.
    fn reach(&self, now: Timestamp) -> (Timestamp, Day) {
        let earliest = now.minus(LOOK_BACK);
        let begun = moment_of(self.id.as_str()).map(|begun| begun.minus(SKEW));
        match begun.filter(|begun| earliest < *begun && *begun <= now) {
            Some(begun) => (begun, Day::of(begun)),
            None => (earliest, Day::of(earliest).next()),
        }
    }

    /// The rows that are its own: they name it, or are known by their number.
    fn rows(
        &self,
        operations: Vec<MoneyOperation>,
        currency: Currency,
        known: Option<&PaymentState>,
    ) -> Result<Vec<(Day, SettledRow)>, StepError> {
        let mut rows = Vec::new();
        for (line, operation) in (1..).zip(operations) {
            let ticket = operation.ticket.as_str();
            let is_known = known.is_some_and(|state| state.references.iter().any(|own| own == ticket));
            let is_named = operation.is_balance && (is_known || self.ticket.as_deref() == Some(ticket));
            let day = Day::of(operation.at);
            let Some(mut row) = row_of(line, operation, currency)? else { continue };
            if is_named {
                row.payment_id = Some(self.id.clone());
            }
            if row.payment_id.as_ref() == Some(&self.id) {
                rows.push((day, row));
            }
        }
        Ok(rows)
    }
}

/// A row of a server's list; none of what moved nothing.
pub(super) fn row_of(
    line: u64,
    operation: MoneyOperation,
    currency: Currency,
) -> Result<Option<SettledRow>, StepError> {
    let amount = Money::new(operation.amount.normalize(), currency)
        .map_err(|error| StepError::Malformed(format!("operation {}: {error}", operation.ticket)))?;
    let row = ServerRow {
        ticket: operation.ticket.as_str().to_owned(),
        comment: operation.comment,
        is_balance: operation.is_balance,
        amount,
    };
    Ok((!amount.amount().is_zero()).then(|| SettledRow::on_server(line, row)))
}

impl Verify {
    /// A payment has ended.
    pub(super) async fn ended(&self, about: &About, at: Timestamp, frame: &Frame) -> Result<&'static str, StepError> {
        let Some(looked) = self.look(about, false, frame).await? else { return Ok("not_asked") };
        self.notice(&ServerDay::begun(&looked.platform, &looked.server, Day::of(frame.now)), frame).await?;
        if looked.is_in_order() {
            return Ok("agrees");
        }
        if frame.now < at.plus(SETTLES_WITHIN) {
            return Err(StepError::Busy("the ledger or the server may not show it yet"));
        }
        Ok(if self.in_order(about, frame).await? { "agrees" } else { "differs" })
    }

    /// Looks a payment up and tells of what differs, or differs no more; whether all is in order.
    pub(super) async fn in_order(&self, about: &About, frame: &Frame) -> Result<bool, StepError> {
        let Some(looked) = self.look(about, true, frame).await? else { return Ok(false) };
        let source = Source::Server(looked.server.clone());
        if !looked.is_in_order() {
            // before anything is told: it is looked up again whatever becomes of this worker
            self.watch(about, (&looked.platform, &looked.server), frame).await?;
        }
        for (day, found) in &looked.days {
            tell(&self.money, (&source, *day), found, Some(&about.id), frame).await?;
        }
        Ok(looked.is_in_order())
    }

    async fn watch(&self, about: &About, server: (&str, &str), frame: &Frame) -> Result<(), StepError> {
        let (now, (platform, server)) = (frame.now, server);
        let fresh = || ServerDay::begun(platform, server, Day::of(now));
        let watches = |own: &ServerDay| own.watches(&about.id, now);
        step::change_or_begin(&self.money, &fresh().id, fresh, frame, watches).await?;
        Ok(())
    }

    /// Both sides of a payment; none where the server could not be asked, or cannot be. `surely`: as the ledger is now, and with what is
    /// known of the payment.
    async fn look(&self, about: &About, surely: bool, frame: &Frame) -> Result<Option<Looked>, StepError> {
        let account = self.crm.load_settled::<Account>(&about.account).await?;
        let account = account.ok_or_else(|| StepError::Absent(about.account.to_string()))?.entity.facts;
        let currency = account.currency;
        let (server, platform) = (account.server, account.platform);
        if self.servers.capabilities(&server).await?.operations.is_none() {
            return Ok(None);
        }
        let (from, first) = about.reach(frame.now);
        let operations = match self.operations(about, &server, from, frame.now.plus(SKEW)).await? {
            Ok(operations) => operations,
            Err(error) => {
                self.servers.heard(&server, &error).await;
                tracing::warn!(payment.id = %about.id, todo = ?error.disposition(), "its operations could not be read");
                self.watch(about, (&platform, &server), frame).await?;
                return Ok(None);
            }
        };
        let source = Source::Server(server.clone());
        let state = match surely {
            true => state_of(&self.money, &about.id, &source).await?,
            false => None,
        };
        let rows = about.rows(operations, currency, state.as_ref())?;
        let booked = self.booked(about, first, surely, frame).await?;
        let known = Known(state.map(|state| (about.id.clone(), state)).into_iter().collect());
        let touched: BTreeSet<Day> =
            rows.iter().map(|(day, _)| *day).chain(booked.iter().map(|own| Day::of(own.at))).collect();
        let compared = touched
            .into_iter()
            .filter(|day| *day >= first)
            .map(|day| (day, compare(&source, &window(day, &rows, &booked), &known, frame.now)));
        Ok(Some(Looked { days: compared.collect(), server, platform }))
    }

    async fn operations(
        &self,
        about: &About,
        server: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Result<Vec<MoneyOperation>, PlatformError>, StepError> {
        let reader = match self.servers.reader(server).await {
            Err(StepError::Maintenance { .. }) => {
                return Ok(Err(PlatformError::NotApplied("the server is being maintained".to_owned())));
            }
            reader => reader?,
        };
        Ok(reader.operations(Some(&Login::new(about.login.clone())), from, to).await)
    }

    /// What is booked of the payment on its account.
    async fn booked(&self, about: &About, from: Day, surely: bool, frame: &Frame) -> Result<Vec<Booked>, StepError> {
        let until = Day::of(frame.now);
        let of = (&about.account, about.id.as_str());
        let entries = self.money.ledger_of_entity(of, (from, until), surely).await?;
        let of = |entry: &LedgerEntry| Booked::of(&entry.event_id, entry.at, &entry.postings);
        let all = entries.iter().flat_map(of);
        Ok(all.filter(|own| own.entity == about.id.as_str() && own.on_account() == Some(&about.account)).collect())
    }
}

/// The payment's own part of a day and its neighbours, all of which the server has told.
fn window(day: Day, rows: &[(Day, SettledRow)], booked: &[Booked]) -> Window {
    let side = |at: Day| {
        let file: Vec<_> = rows.iter().filter(|(day, _)| *day == at).map(|(_, row)| row.clone()).collect();
        let own: Vec<_> = booked.iter().filter(|own| Day::of(own.at) == at).cloned().collect();
        Side { file: Some(file.into()), booked: own.into() }
    };
    Window { day, lag: 0, days: Window::days_around(day, 0).into_iter().map(side).collect() }
}
