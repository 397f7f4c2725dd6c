//! A day of a server: read a part of its accounts at a time, for as long as an invocation has, and then held against the ledger by
//! `payments-reconcile`. Each part is saved with where the next begins, so whoever dies on the way is followed by one who goes on there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::account::Account;
use domain::bonus::Bonus;
use domain::decision::{Frame, Verdict};
use domain::reconciliation::{Place, ServerDay, SettledRow, Settlement, Source};
use domain::{BonusId, Currency, ServerDayId, Timestamp};
use providers::platforms::{Login, MoneyOperation, OperationsList, TradingPlatform};
use runtime::StepError;
use runtime::step::{self, Attempt};
use store::{Home, Stored};

use super::Verify;
use super::payment::row_of;

/// Accounts of one part; each is a call or a few, one after the other: a trading server is fragile, and nothing is urgent.
const ACCOUNTS: i32 = 50;
/// No further part is begun after this. What is left of the time-out is for the part that was begun.
const BEGINS_WITHIN: Duration = Duration::from_secs(40);

/// A part that was read.
struct Part {
    rows: Vec<SettledRow>,
    next: Option<String>,
}

impl Verify {
    /// Goes on with a day: reads it, and looks the payments up again that differed.
    pub(super) async fn go_on(&self, id: &ServerDayId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let now = frame.now;
        let stored = self.money.load::<ServerDay>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let mut day = stored.entity;
        if !day.is_due(now) {
            return Ok("nothing_to_do");
        }
        if let Verdict::Change(_) = day.opened(now) {
            day = self.open(&day, frame).await?;
        }
        let began = Instant::now();
        while let Some(place) = day.place() {
            if began.elapsed() >= BEGINS_WITHIN {
                step::change(&self.money, id, frame, |own: &ServerDay| own.paused(now)).await?;
                return Ok("goes_on");
            }
            let part = self.part(&day, frame).await?;
            self.money.keep_part(&day.rows_at(), day.private.parts, &part.rows).await?;
            day = self.save(id, place, &part, frame).await?;
        }
        if !day.private.watched.is_empty() {
            self.look_again(&day, frame).await?;
        }
        Ok("read")
    }

    /// A day that is over is read; the next one is known before it, so that no day is left out.
    async fn open(&self, day: &ServerDay, frame: &mut Frame) -> Result<ServerDay, StepError> {
        let (own, now) = (&day.facts, frame.now);
        let next = || ServerDay::begun(&own.platform, &own.server, own.date.next());
        step::change_or_begin(&self.money, &next().id, next, frame, ServerDay::noticed).await?;
        let done = step::change(&self.money, &day.id, frame, |own: &ServerDay| own.opened(now)).await?;
        Ok(done.stored().entity.clone())
    }

    /// Saves that a part was read; the last one together with the settlement, which is good from then on.
    async fn save(&self, id: &ServerDayId, from: Place, part: &Part, frame: &Frame) -> Result<ServerDay, StepError> {
        step::together(frame, "the day keeps changing", || {
            Box::pin(async move {
                let stored =
                    self.money.load::<ServerDay>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
                let Verdict::Change(decision) = stored.entity.goes_on(from, &part.rows, part.next.clone(), frame.now)
                else {
                    return Ok::<_, StepError>(Attempt::Nothing(stored.entity));
                };
                let day = decision.next.clone();
                let mut commit = Home::<ServerDay>::table(&self.money).commit();
                commit.save(&self.money, Some(&stored), &decision, frame)?;
                if let Some(result) = day.result() {
                    let fresh = Settlement::begun(&Source::Server(day.facts.server.clone()), day.facts.date);
                    let before: Option<Stored<Settlement>> = self.money.load(&fresh.id).await?;
                    let was = before.as_ref().map_or(&fresh, |stored| &stored.entity);
                    if let Verdict::Change(read) = was.is_read(result, frame.now) {
                        commit.save(&self.money, before.as_ref(), &read, frame)?;
                    }
                }
                Ok(Attempt::Save(commit, day))
            })
        })
        .await
    }

    /// The next part of a day: some accounts one by one, or all at once where the server can.
    async fn part(&self, day: &ServerDay, frame: &mut Frame) -> Result<Part, StepError> {
        let server = day.facts.server.as_str();
        frame.used(self.servers.rules().await?.label());
        let reader = self.servers.reader(server).await?;
        let (from, to) = (day.facts.date.begins(), day.facts.date.next().begins());
        match reader.capabilities().operations {
            Some(OperationsList::AllAtOnce) => {
                let all = reader.operations(None, from, to).await?;
                Ok(Part { rows: self.rows_of_all(server, all).await?, next: None })
            }
            Some(OperationsList::EachAccount) => {
                let page = self.crm.accounts_on(server, ACCOUNTS, day.private.cursor.as_deref()).await?;
                let mut rows = Vec::new();
                for stored in &page.items {
                    let all = of_account(reader.as_ref(), &stored.entity, from, to).await?;
                    let all = self.without_bonuses(all).await?;
                    add(&mut rows, all, stored.entity.facts.currency)?;
                }
                Ok(Part { rows, next: page.next })
            }
            None => Err(StepError::Malformed(format!("{server} lists no operations"))),
        }
    }

    /// The rows of a whole server. Of an account that is none of ours nothing is to be said here.
    async fn rows_of_all(&self, server: &str, all: Vec<MoneyOperation>) -> Result<Vec<SettledRow>, StepError> {
        let all = self.without_bonuses(all).await?;
        let mut by_login = std::collections::BTreeMap::<Login, Vec<MoneyOperation>>::new();
        for one in all {
            by_login.entry(one.login.clone()).or_default().push(one);
        }
        let mut rows = Vec::new();
        for (login, own) in by_login {
            if let Some(stored) = self.crm.account_of_login(server, login.as_str()).await? {
                add(&mut rows, own, stored.entity.facts.currency)?;
            }
        }
        Ok(rows)
    }
}

impl Verify {
    /// The same without the credits that are bonuses of ours, and their removals, where the server has exactly what is booked of them. They
    /// are no money of a client's and no payment's, so a second one, or another amount, is left over and told as what it is.
    async fn without_bonuses(&self, mut all: Vec<MoneyOperation>) -> Result<Vec<MoneyOperation>, StepError> {
        let named = |one: &MoneyOperation| Bonus::named_in(&one.comment).filter(|_| !one.is_balance);
        let ids: BTreeSet<BonusId> = all.iter().filter_map(named).collect();
        if ids.is_empty() {
            return Ok(all);
        }
        let ids: Vec<BonusId> = ids.into_iter().collect();
        let known = self.crm.load_some::<Bonus>(&ids).await?;
        let mut seen = BTreeSet::new();
        all.retain(|one| {
            let own = known.iter().find(|stored| named(one).as_ref() == Some(&stored.entity.id));
            let is_it = |own: &Stored<Bonus>| own.entity.is_booked_as(one.login.as_str(), &one.comment, one.amount);
            !(own.is_some_and(is_it) && seen.insert(one.comment.clone()))
        });
        Ok(all)
    }
}

fn add(rows: &mut Vec<SettledRow>, all: Vec<MoneyOperation>, currency: Currency) -> Result<(), StepError> {
    for operation in all {
        let line = u64::try_from(rows.len()).unwrap_or(u64::MAX).saturating_add(1);
        rows.extend(row_of(line, operation, currency)?);
    }
    Ok(())
}

/// What moved an account's money. One that is not on the server has nothing there; anything else that cannot be read ends the part, for
/// nothing is concluded from a day that is not whole.
async fn of_account(
    reader: &dyn TradingPlatform,
    account: &Account,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<MoneyOperation>, StepError> {
    let Some(login) = account.facts.login.clone().map(Login::new) else { return Ok(Vec::new()) };
    match reader.operations(Some(&login), from, to).await {
        Ok(all) => Ok(all),
        Err(error) => match reader.account(&login).await? {
            None => Ok(Vec::new()),
            Some(_) => Err(error.into()),
        },
    }
}
