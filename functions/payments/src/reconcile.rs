//! Holds what a provider settled on a day against the ledger: once a file is taken, and again while something differs, for what is booked
//! meanwhile resolves it, too. Whoever dies on the way is followed by one who finds the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::decision::Frame;
use domain::reconciliation::{
    BREAKS_MAX, Booked, Break, Found, Known, PaymentState, Settlement, Side, Window, compare,
};
use domain::{BreakId, Day, PaymentId, SettlementId};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::{StepError, awsclients, people, step};
use store::{Crm, MoneyTable, Payment, Stored};

/// A file is good from now on: its neighbours are compared anew, too.
const TAKEN: &str = "settlement.taken";
/// A person decided about a break.
const DECIDED: &str = "work.decided";

/// The step.
pub struct Reconcile {
    crm: Crm,
    money: MoneyTable,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Reconcile { crm: awsclients::crm(ports)?, money: awsclients::money(ports)? }, ports)
}

impl QueueStep for Reconcile {
    const NAME: &'static str = "payments-reconcile";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            if event.kind == DECIDED {
                let decide = Break::decided;
                return people::carry_out(&self.crm, &self.money, &event, "break_id", &mut frame, decide).await;
            }
            self.days(&event, &frame).await
        })
    }
}

/// The ledger's postings against one provider, of the days that were asked for.
struct Books<'a> {
    money: &'a MoneyTable,
    psp: &'a str,
    days: BTreeMap<Day, Vec<Booked>>,
}

impl Books<'_> {
    async fn of(&mut self, day: Day) -> Result<Vec<Booked>, StepError> {
        if let Some(known) = self.days.get(&day) {
            return Ok(known.clone());
        }
        let entries = self.money.day_book(day).await?;
        let booked = entries.iter().flat_map(|entry| Booked::of(&entry.event_id, entry.at, &entry.postings));
        let own: Vec<Booked> = booked.filter(|booked| booked.psp == self.psp).collect();
        self.days.insert(day, own.clone());
        Ok(own)
    }
}

impl Reconcile {
    async fn days(&self, event: &BusEvent, frame: &Frame) -> Result<&'static str, StepError> {
        let id: SettlementId = event.id()?;
        let stored = self.money.load::<Settlement>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let facts = &stored.entity.facts;
        let mut books = Books { money: &self.money, psp: &facts.psp, days: BTreeMap::new() };
        self.day(facts.date, &mut books, frame).await?;
        if event.kind == TAKEN {
            for neighbour in [facts.date.before(), facts.date.next()] {
                self.day(neighbour, &mut books, frame).await?;
            }
        }
        Ok("compared")
    }

    async fn settlement(&self, psp: &str, day: Day) -> Result<Option<Stored<Settlement>>, StepError> {
        Ok(self.money.load::<Settlement>(&Settlement::id_of(psp, day)).await?)
    }

    /// Compares one day, if there is a file of it.
    async fn day(&self, day: Day, books: &mut Books<'_>, frame: &Frame) -> Result<(), StepError> {
        let psp = books.psp;
        let Some(stored) = self.settlement(psp, day).await? else { return Ok(()) };
        let mut hashes = Vec::new();
        let mut days: [Side; 3] = Default::default();
        for (side, at) in days.iter_mut().zip([day.before(), day, day.next()]) {
            let settlement = self.settlement(psp, at).await?;
            hashes.push(settlement.as_ref().and_then(|stored| stored.entity.facts.hash.clone()));
            if let Some(place) = settlement.and_then(|stored| stored.entity.place()) {
                side.file = Some(self.money.rows_of(&place).await?);
            }
            side.booked = books.of(at).await?;
        }
        let window = Window { day, days };
        let (found, left_out) = self.differences(psp, &window, frame).await?;
        let pending = self.tell(&stored.entity, &found, frame).await?;
        for (before, at) in hashes.iter().zip([day.before(), day, day.next()]) {
            let now = self.settlement(psp, at).await?.and_then(|stored| stored.entity.facts.hash);
            if now != *before {
                // whoever compares that file may have been done before this one was
                return Err(StepError::Busy("a file was replaced meanwhile"));
            }
        }
        let mut frame = frame.clone();
        let (id, now) = (stored.entity.id, frame.now);
        let ids: Vec<BreakId> = found.into_iter().map(|found| found.id).collect();
        let compared = |own: &Settlement| own.compared(&ids, pending, left_out, now);
        step::change(&self.money, &id, &mut frame, compared).await?;
        Ok(())
    }

    /// What differs, and how much of it was left out. What is said of payments that one side lacks is looked up.
    async fn differences(&self, psp: &str, window: &Window, frame: &Frame) -> Result<(Vec<Found>, usize), StepError> {
        let first = compare(psp, window, &Known::default(), frame.now);
        let asked: BTreeSet<PaymentId> =
            first.into_iter().take(BREAKS_MAX).filter_map(|found| found.payment_id).collect();
        let mut known = Known::default();
        for id in asked {
            let state = match self.money.payment(&id).await? {
                Some(Payment::Deposit(stored)) => PaymentState::of_deposit(&stored.entity),
                Some(Payment::Withdrawal(stored)) => PaymentState::of_withdrawal(&stored.entity),
                None => continue,
            };
            known.0.insert(id, state);
        }
        let mut found = compare(psp, window, &known, frame.now);
        let left_out = found.len().saturating_sub(BREAKS_MAX);
        found.truncate(BREAKS_MAX);
        Ok((found, left_out))
    }

    /// Opens what is new and resolves what is not found any more; how many breaks are pending.
    async fn tell(&self, own: &Settlement, found: &[Found], frame: &Frame) -> Result<usize, StepError> {
        let (psp, date, now) = (&own.facts.psp, own.facts.date, frame.now);
        let ids: Vec<BreakId> = found.iter().map(|found| found.id.clone()).collect();
        let mut own_frame = frame.clone();
        let named = step::change(&self.money, &own.id, &mut own_frame, |own: &Settlement| own.names(&ids)).await?;
        let mut pending = 0;
        for difference in found {
            let fresh = || Break::begun(psp, date, difference, now);
            let told = |own: &Break| own.found(difference, now);
            let told = step::change_or_begin(&self.money, &difference.id, fresh, frame, told).await?;
            pending += usize::from(told.is_pending());
        }
        let before = &named.stored().entity.private.breaks;
        let gone: Vec<BreakId> = before.iter().filter(|id| !ids.contains(id)).cloned().collect();
        for stored in self.money.breaks(&gone).await? {
            let mut own_frame = frame.clone();
            let id = stored.entity.id;
            step::change(&self.money, &id, &mut own_frame, |own: &Break| own.resolved(now)).await?;
        }
        Ok(pending)
    }
}
