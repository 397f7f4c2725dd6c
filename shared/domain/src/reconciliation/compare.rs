//! A provider's settlement of a day, or a trading server's operations, against the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::breaks::BreakClass;
use super::groups::{Group, Of};
use super::row::{Booked, RowKind, SettledRow};
use super::source::Source;
use crate::decision::derived_bits;
use crate::payment::deposit::Debit;
use crate::payment::{Deposit, DepositStatus};
use crate::withdrawal::{Withdrawal, WithdrawalStatus};
use crate::{BreakId, ClientId, Day, Money, PaymentId, Seconds, Timestamp};

/// What is booked so late on a day may stand in the next day's file: providers end their days in other time zones.
const LATE: Seconds = Seconds(4 * 3_600);
/// How long after a day's end its next day's file is waited for.
const NEXT_FILE: Seconds = Seconds(2 * 86_400);
const DAY_S: u32 = 86_400;

/// What one day has of a source.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// Its file, if there is one. Shared: a day is looked at by those around it, too.
    pub file: Option<Arc<Vec<SettledRow>>>,
    /// The ledger's postings against it.
    pub booked: Arc<Vec<Booked>>,
}

/// A day with those around it.
#[derive(Debug, Clone)]
pub struct Window {
    /// The day.
    pub day: Day,
    /// So many days after it was booked a payment stands in the provider's file.
    pub lag: u8,
    /// The days of [`Self::days_around`].
    pub days: Vec<Side>,
}

impl Window {
    /// How many days a row may be later than its posting; clocks and ends of days make it one at least.
    fn reach(lag: u8) -> usize {
        usize::from(lag) + 1
    }

    /// The days that a comparison needs: as many before the day as after it.
    pub fn days_around(day: Day, lag: u8) -> Vec<Day> {
        let mut days = vec![day];
        for _ in 0..Self::reach(lag) {
            let (first, last) = (days.first().copied().unwrap_or(day), days.last().copied().unwrap_or(day));
            days.insert(0, first.before());
            days.push(last.next());
        }
        days
    }

    /// The day's place among them.
    fn today(&self) -> usize {
        Self::reach(self.lag)
    }

    fn file(&self, days_later: usize) -> Option<&Vec<SettledRow>> {
        self.days.get(self.today() + days_later)?.file.as_deref()
    }
}

/// Something that is booked of a payment, whenever that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it is in the source's words.
    pub kind: RowKind,
    /// How much, without a sign.
    pub amount: Money,
    /// Since when.
    pub since: Timestamp,
}

/// How a payment of ours stands, for whoever reads a row about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentState {
    /// Whose it is.
    pub client_id: ClientId,
    /// Its status in the API's words.
    pub status: String,
    /// What the source calls it and what belongs to it.
    pub references: Vec<String>,
    /// What of it is booked.
    pub booked: Vec<Standing>,
}

impl PaymentState {
    /// Of a deposit, as a source knows it.
    pub fn of_deposit(deposit: &Deposit, source: &Source) -> Self {
        let (references, booked) = match source {
            Source::Psp(_) => (vec![deposit.facts.psp.reference.clone()], at_provider(deposit)),
            Source::Server(_) => on_server(deposit),
        };
        let status = deposit.status().as_str().to_owned();
        Self { client_id: deposit.client_id.clone(), status, references, booked }
    }

    /// Of a withdrawal, as a source knows it.
    pub fn of_withdrawal(own: &Withdrawal, source: &Source) -> Self {
        let facts = &own.facts;
        let since = |status| own.timeline().filter(|(_, own, _)| *own == status).last().map(|(at, ..)| at);
        let standing = |kind, amount: Option<Money>, status| {
            amount.zip(since(status)).map(|(amount, since)| Standing { kind, amount, since })
        };
        let (reference, booked) = match source {
            Source::Psp(_) => {
                let kinds = [RowKind::PaidOut, RowKind::PaidBack];
                let paid = kinds.map(|kind| standing(kind, facts.paid, WithdrawalStatus::PaidOut));
                (Some(facts.psp.reference.clone()), paid)
            }
            Source::Server(_) => {
                let debited = standing(RowKind::Debited, facts.debited, WithdrawalStatus::Debited);
                let put_back = standing(RowKind::Credited, facts.returned, WithdrawalStatus::Returned);
                (facts.platform.operation.clone(), [debited, put_back])
            }
        };
        Self {
            client_id: own.client_id.clone(),
            status: own.status().as_str().to_owned(),
            references: reference.into_iter().collect(),
            booked: booked.into_iter().flatten().collect(),
        }
    }
}

fn since(deposit: &Deposit, status: DepositStatus) -> Option<Timestamp> {
    deposit.timeline().filter(|(_, own, _)| *own == status).last().map(|(at, ..)| at)
}

fn at_provider(deposit: &Deposit) -> Vec<Standing> {
    let mut booked = Vec::new();
    if let (Some(amount), Some(since)) = (deposit.facts.credited, since(deposit, DepositStatus::Credited)) {
        booked.push(Standing { kind: RowKind::Collected, amount, since });
        let back = since_back(deposit).zip(deposit.facts.returned);
        for kind in [RowKind::PaidBack, RowKind::Disputed] {
            booked.extend(back.map(|(since, amount)| Standing { kind, amount, since }));
        }
    }
    booked
}

/// The tickets of the credit and of what persons took off again, and both as they are booked.
fn on_server(deposit: &Deposit) -> (Vec<String>, Vec<Standing>) {
    let (mut tickets, mut booked) = (Vec::new(), Vec::new());
    if let (Some(amount), Some(since)) = (deposit.facts.credited, since(deposit, DepositStatus::Credited)) {
        booked.push(Standing { kind: RowKind::Credited, amount, since });
        let debits = deposit.inner.debits.iter();
        booked.extend(debits.map(|Debit(_, amount)| Standing { kind: RowKind::Debited, amount: *amount, since }));
    }
    tickets.extend(deposit.facts.platform.operation.clone());
    tickets.extend(deposit.inner.debits.iter().map(|Debit(ticket, _)| ticket.clone()));
    (tickets, booked)
}

/// When money of a deposit went back: its newest stage that says so.
fn since_back(deposit: &Deposit) -> Option<Timestamp> {
    let is_back = |status: DepositStatus| matches!(status, DepositStatus::Refunded | DepositStatus::ChargedBack);
    deposit.timeline().filter(|(_, status, _)| is_back(*status)).last().map(|(at, ..)| at)
}

/// What is known of the payments that a comparison asks about.
#[derive(Debug, Clone, Default)]
pub struct Known(pub BTreeMap<PaymentId, PaymentState>);

impl Known {
    /// The payment that a row is about. The provider's own id goes before what the row names: the refund by which a withdrawal is paid
    /// names the deposit, too.
    fn payment_of(&self, row: &SettledRow) -> Option<PaymentId> {
        let is_named = |state: &PaymentState| {
            let is_it = |own: &String| !own.is_empty() && (row.names.contains(own) || row.reference == *own);
            state.references.iter().any(is_it)
        };
        let by_reference =
            self.0.iter().find(|(id, state)| is_named(state) && row.payment_id.as_ref() != Some(*id)).map(|(id, _)| id);
        let pays_a_withdrawal = by_reference.filter(|_| row.payment_id.is_none() || !row.kind.comes_in());
        pays_a_withdrawal.or(row.payment_id.as_ref()).cloned()
    }
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Derived from source, day and what it is about: a repeat is the same.
    pub id: BreakId,
    /// What is wrong.
    pub class: BreakClass,
    /// Whether a file that is not there yet may still have it.
    pub waiting: bool,
    /// The payment that a side names.
    pub payment_id: Option<PaymentId>,
    /// Whose it is, where the payment is one of ours.
    pub client_id: Option<ClientId>,
    /// Its status, where it is one of ours.
    pub payment_status: Option<String>,
    /// What the source calls the row.
    pub reference: Option<String>,
    /// What is at stake.
    pub amount: Money,
    /// What the ledger says.
    pub ours: Option<Money>,
    /// What the file says.
    pub theirs: Option<Money>,
}

/// Compares the day of a window; nothing where there is no file of it. A file is whatever the source says of a day. `known` is what was found out about the payments that an earlier
/// comparison named ([`Found::payment_id`]); the first is made without.
pub fn compare(source: &Source, window: &Window, known: &Known, now: Timestamp) -> Vec<Found> {
    if window.file(0).is_none() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (name, mut group) in groups(window, known) {
        group.settle(Window::reach(window.lag), matches!(source, Source::Server(_)));
        let about = About { source, window, known, now, name: &name, found: BTreeMap::new() };
        findings.extend(about.findings(&group));
    }
    findings
}

fn groups<'a>(window: &'a Window, known: &Known) -> BTreeMap<String, Group<'a>> {
    let mut groups: BTreeMap<String, Group<'a>> = BTreeMap::new();
    for (day, side) in window.days.iter().enumerate() {
        for it in side.file.iter().flat_map(|rows| rows.iter()) {
            // a row that names nothing of ours stands alone
            let name = known.payment_of(it).map_or_else(|| format!("row {}", it.reference), |id| id.to_string());
            groups.entry(name).or_default().rows.push(Of { day, it });
        }
        for it in side.booked.iter() {
            groups.entry(it.entity.clone()).or_default().booked.push(Of { day, it });
        }
    }
    groups
}

/// One group on its way to its findings.
struct About<'a> {
    source: &'a Source,
    window: &'a Window,
    known: &'a Known,
    now: Timestamp,
    name: &'a str,
    /// How many were found of each direction: their ids differ by it.
    found: BTreeMap<bool, u32>,
}

impl About<'_> {
    fn findings(mut self, group: &Group<'_>) -> Vec<Found> {
        let today = self.window.today();
        let mut findings = Vec::new();
        for (row, booked) in group.pairs.iter().filter(|(row, _)| row.day == today) {
            let (class, amount) = unequal(row.it.amount, booked.it.amount);
            findings.push(self.one(class, amount, Some(row.it), Some(booked.it)));
        }
        let mut seen: Vec<&SettledRow> = group.matched.clone();
        seen.extend(group.pairs.iter().map(|(row, _)| row.it));
        for row in &group.rows {
            let is_repeat = seen.iter().any(|other| other.kind == row.it.kind && other.amount == row.it.amount);
            seen.push(row.it);
            if row.day != today {
                continue;
            }
            let class = if is_repeat { Some(BreakClass::Duplicate) } else { self.unmatched(row.it) };
            if let Some(class) = class {
                findings.push(self.one(class, row.it.amount, Some(row.it), None));
            }
        }
        for booked in group.booked.iter().filter(|booked| booked.day == today) {
            let waiting = self.may_come(booked.it);
            let class = if waiting { BreakClass::Late } else { BreakClass::MissingThere };
            findings.push(Found { waiting, ..self.one(class, booked.it.amount, None, Some(booked.it)) });
        }
        findings
    }

    /// A row that no posting of these days is about. What we have booked since is in order; what we had booked long before is not: the
    /// provider may have settled it twice. A server has what we booked days later long before: maybe it has it twice.
    fn unmatched(&self, row: &SettledRow) -> Option<BreakClass> {
        let Some(state) = self.payment().and_then(|id| self.known.0.get(&id)) else {
            return Some(BreakClass::MissingHere);
        };
        let ends = self.window.day.next().begins();
        match state.booked.iter().find(|standing| standing.kind == row.kind) {
            Some(own) if own.since >= ends && without_sign(own.amount) == without_sign(row.amount) => match self.source
            {
                Source::Psp(_) => None,
                Source::Server(_) => Some(BreakClass::Late),
            },
            Some(_) => Some(BreakClass::Late),
            None => Some(BreakClass::StatusDiffers),
        }
    }

    /// Whether a posting without a row may stand in a later day's file, which is not there yet.
    fn may_come(&self, booked: &Booked) -> bool {
        let ends = self.window.day.next().begins();
        let last = usize::from(self.window.lag) + usize::from(booked.at >= ends.minus(LATE));
        let is_waited_for = (1..=last).any(|later| self.window.file(later).is_none());
        let waits = u32::try_from(last.saturating_sub(1)).unwrap_or(u32::MAX).saturating_mul(DAY_S);
        is_waited_for && self.now < ends.plus(Seconds(waits)).plus(NEXT_FILE)
    }

    fn payment(&self) -> Option<PaymentId> {
        self.name.parse().ok()
    }

    fn one(&mut self, class: BreakClass, amount: Money, row: Option<&SettledRow>, booked: Option<&Booked>) -> Found {
        let comes_in = row.map(|row| row.amount).or(booked.map(|booked| booked.amount)).unwrap_or(amount).is_positive();
        let place = self.found.entry(comes_in).or_default();
        *place += 1;
        let (day, direction) = (self.window.day, if comes_in { "in" } else { "out" });
        let (date, place) = (day.to_string(), place.to_string());
        let about = [date.as_str(), self.name, direction, &place];
        let from: Vec<&str> = ["break"].into_iter().chain(self.source.parts()).chain(about).collect();
        let payment_id = self.payment();
        let state = payment_id.as_ref().and_then(|id| self.known.0.get(id));
        Found {
            id: BreakId::from_bits(derived_bits(day.begins(), &from)),
            class,
            waiting: false,
            client_id: state.map(|state| state.client_id.clone()),
            payment_status: state.map(|state| state.status.clone()),
            payment_id,
            reference: row.map(|row| row.reference.clone()),
            amount: without_sign(amount),
            ours: booked.map(|booked| booked.amount),
            theirs: row.map(|row| row.amount),
        }
    }
}

/// How two amounts of one payment differ, and by how much. What another currency is worth nobody knows: all of it is at stake.
fn unequal(theirs: Money, ours: Money) -> (BreakClass, Money) {
    let Ok(more) = theirs.checked_add(&ours.negated()) else { return (BreakClass::Currency, theirs) };
    let over = more.is_positive() == theirs.is_positive();
    (if over { BreakClass::Over } else { BreakClass::Under }, more)
}

fn without_sign(amount: Money) -> Money {
    if amount.is_positive() { amount } else { amount.negated() }
}
