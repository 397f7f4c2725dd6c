//! A day of many payments: held against the files of two providers and the operations of a trading server, as `payments-reconcile` does.
//! The ledger, the files' rows and what was read of the server are put where the functions would have put them.

use std::sync::Arc;
use std::time::Instant;

use broker::Failure;
use broker::day::steps::{Desk, Trader};
use broker::local::{Broker, Options};
use domain::decision::{Decision, Frame, Verdict};
use domain::ledger::{LedgerAccount, Postings};
use domain::reconciliation::{
    Booked, DayRead, Known, RowKind, ServerRow, SettledRow, Settlement, Side, Source, Window, compare, totals,
};
use domain::{AccountId, Currency, Day, EventId, Money, PaymentId, Seconds, Timestamp};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use host::Service;
use runtime::lambda::{SystemClock, SystemEntropy};
use runtime::{Clock as _, Entropy as _};
use serde_json::Value;
use store::{LedgerEntry, MoneyTable, Saved};

use crate::plan::Plan;
use crate::report::{Findings, Line, Parts, count};
use crate::{memory, progress};

/// Two providers, half of the payments each.
const PSPS: [&str; 2] = ["stripe", "skrill"];
const SERVER: &str = "mt5-live";
/// Trading accounts that the payments are on.
const ACCOUNTS: usize = 20;
/// Writes at once.
const AT_ONCE: usize = 64;
/// A comparison may take as long as the function has before it is given up.
const SECONDS_MAX: f64 = 150.0;
/// What the function has, in MB.
const MEMORY_MAX_MB: f64 = 1_024.0;

/// A payment of the day.
struct Paid {
    id: PaymentId,
    account: AccountId,
    psp: &'static str,
    amount: Money,
    at: Timestamp,
}

/// What one comparison took.
struct Took {
    source: String,
    seconds: f64,
    peak_mb: f64,
    calls: u64,
    reads: f64,
    writes: f64,
}

/// Measures it.
///
/// # Errors
/// When the two sides do not agree.
pub async fn measure(plan: &Plan) -> Result<Findings, Failure> {
    let broker = Broker::start(Options { manual_schedules: true, ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    let mut traders = Vec::new();
    for number in 0..ACCOUNTS {
        traders.push(desk.opened(desk.trader(&format!("Rita Reconciled {number}"), "en", "USD").await?).await?);
    }
    let day = Day::of(SystemClock.now()).before();
    let paid = payments(plan.settled, &traders, day)?;
    let money = broker.money();
    book(&money, &paid).await?;
    let pure_ms = pure(day, &paid);
    let mut all = Vec::new();
    for psp in PSPS {
        let own: Vec<&Paid> = paid.iter().filter(|one| one.psp == psp).collect();
        all.push(one(&broker, Source::Psp(psp.to_owned()), day, own.into_iter().map(settled).collect()).await?);
    }
    let rows = (1..).zip(&paid).map(|(line, one)| operation(line, one)).collect();
    all.push(one(&broker, Source::Server(SERVER.to_owned()), day, rows).await?);
    let path = format!("/v1/reconciliation?date={day}");
    let report = desk.look("finance", &path).await?.json;
    let breaks = report.get("breaks").and_then(Value::as_array).map_or(usize::MAX, Vec::len);
    broker.stop().await;
    if breaks != 0 {
        return Err(format!("{breaks} breaks on a day that agrees").into());
    }
    Ok(findings(plan.settled, pure_ms, &all))
}

fn usd(minor: i64) -> Result<Money, Failure> {
    let usd: Currency = "USD".parse()?;
    Ok(Money::from_minor(minor, usd)?)
}

fn payments(number: usize, traders: &[Trader], day: Day) -> Result<Vec<Paid>, Failure> {
    let mut paid = Vec::with_capacity(number);
    for n in 0..number {
        let trader = traders.get(n % traders.len()).ok_or("no account")?;
        let psp = PSPS.get(n % PSPS.len()).copied().ok_or("no provider")?;
        // spread over the day, but for its last hours, which a later file could still have
        let second = u32::try_from(n % 70_000)?;
        paid.push(Paid {
            id: PaymentId::from_bits(SystemEntropy.id_bits()),
            account: trader.account_id.parse()?,
            psp,
            amount: usd(1_000 + i64::try_from(n % 9_999)?)?,
            at: day.begins().plus(Seconds(second)),
        });
    }
    Ok(paid)
}

fn entry(one: &Paid) -> LedgerEntry {
    let (client, psp) = (LedgerAccount::Client(one.account.clone()), LedgerAccount::Psp(one.psp.to_owned()));
    let postings = Postings::transfer(client, psp, one.amount).legs().to_vec();
    LedgerEntry { event_id: EventId::derived(one.id.as_str(), 4, 0), at: one.at, postings }
}

async fn book(money: &MoneyTable, paid: &[Paid]) -> Result<(), Failure> {
    let mut done = 0;
    for part in paid.chunks(10_000) {
        stream::iter(part)
            .map(|one| async move { money.book(one.id.as_str(), &entry(one)).await.map(drop) })
            .buffer_unordered(AT_ONCE)
            .try_for_each(|()| async { Ok(()) })
            .await?;
        done += part.len();
        progress(&format!("  {done} payments in the ledger"));
    }
    Ok(())
}

fn settled(one: &Paid) -> SettledRow {
    SettledRow {
        line: 2,
        reference: format!("txn_{}", one.id),
        payment_id: Some(one.id.clone()),
        names: Vec::new(),
        kind: RowKind::Collected,
        amount: one.amount,
    }
}

fn operation(line: u64, one: &Paid) -> SettledRow {
    let (ticket, comment) = ((900_000 + line).to_string(), one.id.to_string());
    SettledRow::on_server(line, ServerRow { ticket, comment, is_balance: true, amount: one.amount })
}

/// The comparison alone, without a table, in milliseconds.
fn pure(day: Day, paid: &[Paid]) -> f64 {
    let rows: Vec<SettledRow> = (1..).zip(paid).map(|(line, one)| operation(line, one)).collect();
    let booked = paid.iter().map(entry).flat_map(|entry| Booked::of(&entry.event_id, entry.at, &entry.postings));
    let booked: Vec<Booked> = booked.filter(|own| own.on_account().is_some()).collect();
    let mut days: Vec<Side> = Window::days_around(day, 0).into_iter().map(|_| Side::default()).collect();
    if let Some(today) = days.get_mut(1) {
        *today = Side { file: Some(Arc::new(rows)), booked: Arc::new(booked) };
    }
    let window = Window { day, lag: 0, days };
    let began = Instant::now();
    let found = compare(&Source::Server(SERVER.to_owned()), &window, &Known::default(), SystemClock.now());
    let ms = began.elapsed().as_secs_f64() * 1_000.0;
    if found.is_empty() { ms } else { f64::NAN }
}

/// Has one source's day compared.
async fn one(broker: &Broker, source: Source, day: Day, rows: Vec<SettledRow>) -> Result<Took, Failure> {
    let money = broker.money();
    let rows_at = format!("server:{source}#{day}#1");
    let hash = format!("{:064x}", 1);
    let place = match &source {
        Source::Psp(psp) => domain::reconciliation::SettlementFile::place(psp, day, &hash),
        Source::Server(_) => rows_at.clone(),
    };
    money.keep_rows(&place, &rows).await?;
    let total = totals(rows.iter().map(|row| row.amount))?;
    let read = DayRead { rows_at, hash, rows: rows.len(), total };
    drop(rows);
    let now = SystemClock.now();
    let Verdict::Change(taken) = Settlement::begun(&source, day).is_read(read, now) else {
        return Err("it is news".into());
    };
    let taken: Decision<Settlement> = *taken;
    broker.host.idle().await;
    broker.host.reset_usage();
    memory::reset_peak();
    let before = memory::now_mb();
    let began = Instant::now();
    let Saved::Applied(_) = money.save(None, taken, &frame(now)).await? else { return Err("it was there".into()) };
    broker.host.idle().await;
    let seconds = began.elapsed().as_secs_f64();
    let peak_mb = memory::peak_mb() - before;
    let usage = broker.host.usage();
    let own = usage
        .iter()
        .filter(|(key, _)| key.service == Service::DynamoDb && key.function.as_deref() == Some("payments-reconcile"));
    let mut took = Took { source: source.to_string(), seconds, peak_mb, calls: 0, reads: 0.0, writes: 0.0 };
    for (_, used) in own {
        (took.calls, took.reads, took.writes) =
            (took.calls + used.calls, took.reads + used.read_units, took.writes + used.write_units);
    }
    progress(&format!("  {}: {seconds:.1} s", took.source));
    Ok(took)
}

fn frame(now: Timestamp) -> Frame {
    Frame {
        function: "payments-settle",
        execution_id: "8f5c9a1e-0d3b-4c62-9b7a-2f1e6d4c8a90".to_owned(),
        trigger: "POST /v1/reconciliation/files".to_owned(),
        correlation_id: "cor_reconciled".to_owned(),
        now,
        rules: Vec::new(),
    }
}

fn findings(number: usize, pure_ms: f64, all: &[Took]) -> Findings {
    let seconds = |value: f64| format!("{value:.1} s");
    let megabytes = |value: f64| format!("{value:.0} MB");
    let most = |of: fn(&Took) -> f64| all.iter().map(of).fold(0.0, f64::max);
    let lines = vec![
        Line::at_most(
            format!("a day of {number} payments against a source, slowest"),
            most(|took| took.seconds),
            SECONDS_MAX,
            seconds,
        ),
        Line::at_most("memory that it takes, most", most(|took| took.peak_mb), MEMORY_MAX_MB, megabytes),
        Line::at_most(
            format!("comparing {number} operations with as many postings, alone"),
            pure_ms / 1_000.0,
            SECONDS_MAX / 10.0,
            |value| format!("{value:.2} s"),
        ),
    ];
    let row = |took: &Took| {
        let figures = [format!("{:.1}", took.seconds), format!("{:.0}", took.peak_mb), took.calls.to_string()];
        let units = [format!("{:.0}", took.reads), format!("{:.0}", took.writes)];
        std::iter::once(took.source.clone()).chain(figures).chain(units).collect()
    };
    let half = count(number) / 2.0;
    Findings {
        lines,
        parts: vec![Parts {
            title: format!(
                "a day of {number} payments ({half:.0} at each provider, all on one server), with its neighbours: what payments-reconcile takes"
            ),
            columns: vec!["source", "seconds", "peak MB", "calls", "read units", "write units"],
            rows: all.iter().map(row).collect(),
        }],
    }
}
