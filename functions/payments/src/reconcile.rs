//! Holds what a provider settled on a day, or a trading server booked, against the ledger: once a file is taken or a day read, and again
//! while something differs, for what is booked meanwhile resolves it, too. Whoever dies on the way is followed by one who finds the same.

mod books;
mod tell;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::decision::Frame;
use domain::payment::rules::Psps;
use domain::reconciliation::{
    BREAKS_MAX, Break, Found, Known, PaymentState, ServerDay, Settlement, Source, Window, compare,
};
use domain::{BreakId, Day, PaymentId, SettlementId};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::{StepError, awsclients, people, step};
use store::{Crm, MoneyTable, Payment};

use books::Books;
pub(crate) use tell::tell;

/// A file or a reading is good from now on: the days around it are compared anew, too.
const TAKEN: &str = "settlement.taken";
/// A person decided about a break.
const DECIDED: &str = "work.decided";

/// The step.
pub struct Reconcile {
    crm: Crm,
    money: MoneyTable,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let (crm, money) = (awsclients::crm(ports)?, awsclients::money(ports)?);
    QueueFunction::build(Reconcile { crm, money, rules: RuleBook::new(ports)? }, ports)
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
            self.days(&event, &mut frame).await
        })
    }
}

impl Reconcile {
    async fn days(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let id: SettlementId = event.id()?;
        let stored = self.money.load::<Settlement>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let facts = &stored.entity.facts;
        let lag = self.lag(&facts.source, frame).await?;
        let mut books = Books::new(&self.crm, &self.money, &facts.source);
        let days = match event.kind == TAKEN {
            true => Window::days_around(facts.date, lag),
            false => vec![facts.date],
        };
        for day in days {
            let window = Window::days_around(day, lag);
            books.forget_before(window.first().copied().unwrap_or(day));
            self.day(day, lag, &mut books, frame).await?;
        }
        if event.kind != TAKEN {
            self.read_again(&facts.source, facts.date, frame).await?;
        }
        Ok("compared")
    }

    /// How late the source may say what was booked.
    async fn lag(&self, source: &Source, frame: &mut Frame) -> Result<u8, StepError> {
        let Source::Psp(name) = source else { return Ok(0) };
        let live = self.rules.live::<Psps>().await?;
        frame.used(live.label());
        Ok(live.rules.psp(name).map_or(0, |psp| psp.settled_after_days))
    }

    /// Something still differs on a server: somebody may have mended it there.
    async fn read_again(&self, source: &Source, date: Day, frame: &Frame) -> Result<(), StepError> {
        let Source::Server(server) = source else { return Ok(()) };
        let settlement = self.money.load::<Settlement>(&Settlement::id_of(source, date)).await?;
        let (id, now) = (ServerDay::id_of(server, date), frame.now);
        if settlement.is_none_or(|stored| stored.entity.facts.pending == 0)
            || self.money.load::<ServerDay>(&id).await?.is_none()
        {
            return Ok(());
        }
        let mut frame = frame.clone();
        step::change(&self.money, &id, &mut frame, |own: &ServerDay| own.again(now)).await?;
        Ok(())
    }

    /// Compares one day, if there is a file of it.
    async fn day(&self, day: Day, lag: u8, books: &mut Books<'_>, frame: &Frame) -> Result<(), StepError> {
        let Some(stored) = books.settlement(day).await? else { return Ok(()) };
        if stored.entity.facts.hash.is_none() {
            return Ok(());
        }
        let (around, mut hashes, mut days) = (Window::days_around(day, lag), Vec::new(), Vec::new());
        for at in &around {
            let settlement = books.settlement(*at).await?.map(|stored| stored.entity);
            hashes.push(settlement.as_ref().and_then(|own| own.facts.hash.clone()));
            days.push(books.side(*at, settlement.as_ref()).await?);
        }
        let source = books.source;
        let window = Window { day, lag, days };
        let (found, left_out) = self.differences(source, &window, frame).await?;
        let pending = tell(&self.money, (source, day), &found, None, frame).await?;
        for (before, at) in hashes.iter().zip(around) {
            let now = books.settlement(at).await?.and_then(|stored| stored.entity.facts.hash);
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
    async fn differences(
        &self,
        source: &Source,
        window: &Window,
        frame: &Frame,
    ) -> Result<(Vec<Found>, usize), StepError> {
        let first = compare(source, window, &Known::default(), frame.now);
        let asked: BTreeSet<PaymentId> =
            first.into_iter().take(BREAKS_MAX).filter_map(|found| found.payment_id).collect();
        let mut known = Known::default();
        for id in asked {
            if let Some(state) = state_of(&self.money, &id, source).await? {
                known.0.insert(id, state);
            }
        }
        let mut found = compare(source, window, &known, frame.now);
        let left_out = found.len().saturating_sub(BREAKS_MAX);
        found.truncate(BREAKS_MAX);
        Ok((found, left_out))
    }
}

/// How a payment stands, as a source knows it; none where it is none of ours.
pub(crate) async fn state_of(
    money: &MoneyTable,
    id: &PaymentId,
    source: &Source,
) -> Result<Option<PaymentState>, StepError> {
    Ok(money.payment(id).await?.map(|payment| match payment {
        Payment::Deposit(stored) => PaymentState::of_deposit(&stored.entity, source),
        Payment::Withdrawal(stored) => PaymentState::of_withdrawal(&stored.entity, source),
    }))
}
