//! Deposits and withdrawals from the first request to the last step, what they consume, and a burst against a server that serves few calls
//! at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use broker::Failure;
use broker::api::Api;
use broker::day::steps::{Desk, Trader};
use broker::local::{Broker, Options};
use domain::rule_sets::SetName;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use host::Service;
use http::Method;
use runtime::Clock as _;
use runtime::lambda::SystemClock;
use serde_json::{Value, json};

use crate::plan::Plan;
use crate::progress;
use crate::report::{Findings, Line, Parts, count, milliseconds, two_places};
use crate::sample::Sample;
use crate::stripe;

/// Clients who deposit and withdraw.
const TRADERS: usize = 20;
/// Requests at once while something is prepared.
const AT_ONCE: usize = 4;
/// Webhooks at once in the burst.
const WEBHOOKS_AT_ONCE: usize = 64;
/// Calls that the trading server serves at once in the burst, and how long each takes there.
const SERVED_AT_ONCE: usize = 5;
const SERVED_MS: u64 = 20;
/// The article's promise is half a minute; on one machine nothing travels.
const DEPOSIT_P99_MS: f64 = 1_000.0;
const WITHDRAWAL_P99_MS: f64 = 2_000.0;
/// Units of a withdrawal that is approved by rule.
const WITHDRAWAL_WRITES_MAX: f64 = 40.0;
const WITHDRAWAL_READS_MAX: f64 = 20.0;

/// As many open deposits of a client as the burst needs.
fn many_at_once(set: SetName, document: &mut Value) {
    if set == SetName::Psps
        && let Some(set) = document.as_object_mut()
    {
        set.insert("open_deposits_max".to_owned(), json!(100));
    }
}

/// Measures all of it.
///
/// # Errors
/// When a payment does not end as it should.
pub async fn measure(plan: &Plan) -> Result<Findings, Failure> {
    let broker =
        Broker::start(Options { manual_schedules: true, adjust: Some(many_at_once), ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    let traders: Vec<Trader> =
        stream::iter(0..TRADERS).map(|number| trader(&desk, number)).buffer_unordered(AT_ONCE).try_collect().await?;
    let (mut deposits, mut withdrawals) = (Vec::new(), Vec::new());
    let mut sources = Vec::new();
    for trader in traders.iter().cycle().take(plan.counted_money) {
        let began = Instant::now();
        let payment = desk.deposit(trader, "100.00", "USD", "stripe").await?;
        desk.pay("stripe", &payment, json!({})).await?;
        desk.payment_in(&payment, "credited").await?;
        deposits.push(began.elapsed().as_secs_f64() * 1_000.0);
        sources.push((trader, payment));
    }
    broker.host.idle().await;
    broker.host.reset_usage();
    for (trader, source) in &sources {
        let began = Instant::now();
        let body = json!({
            "account_id": trader.account_id, "amount": {"amount": "40.00", "currency": "USD"},
            "destination": {"psp": "stripe", "source_payment_id": source},
        });
        let payment = desk.withdraw(trader, &body).await?;
        desk.payment_in(&payment, "paid_out").await?;
        withdrawals.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    broker.host.idle().await;
    let units = units(&broker, count(sources.len()));
    broker.stop().await;
    let burst = burst(plan).await?;
    Ok(findings(plan, (&Sample::new(deposits), &Sample::new(withdrawals)), &units, &burst))
}

async fn trader(desk: &Desk<'_>, number: usize) -> Result<Trader, Failure> {
    desk.opened(desk.trader(&format!("Mona Money {number}"), "en", "USD").await?).await
}

/// Reads and writes by function, without the messages to the client, what is looked up once a minute, and the pages of the journal's index, which are one write for all
/// entries of a minute.
fn units(broker: &Broker, number: f64) -> BTreeMap<String, (f64, f64)> {
    let rules = broker.host.template().tables.get("RulesTable").map(|table| table.name.clone()).unwrap_or_default();
    let mut units: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (key, used) in broker.host.usage() {
        let Some(function) = key.function.as_deref().map(str::to_owned) else { continue };
        // the outcome is looked at from outside
        if key.service != Service::DynamoDb
            || key.target == rules
            || function == "ops-views"
            || function == "ops-notify"
            || function == "ops-index"
        {
            continue;
        }
        let own = units.entry(function).or_default();
        *own = (own.0 + used.read_units / number, own.1 + used.write_units / number);
    }
    units
}

/// What the burst came to.
struct Burst {
    webhooks: usize,
    credited: usize,
    booked: usize,
    answered: Sample,
    seconds: f64,
    calls: u64,
    most: u64,
}

/// All webhooks as fast as they are taken, against a server that serves few calls at once.
async fn burst(plan: &Plan) -> Result<Burst, Failure> {
    let broker =
        Broker::start(Options { manual_schedules: true, adjust: Some(many_at_once), ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    let clients = plan.burst_webhooks.div_ceil(50);
    let traders: Vec<Trader> =
        stream::iter(0..clients).map(|number| trader(&desk, number)).buffer_unordered(AT_ONCE).try_collect().await?;
    let opened: Vec<(String, String)> = stream::iter(traders.iter().cycle().take(plan.burst_webhooks))
        .map(|trader| open(&desk, trader))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    broker.host.idle().await;
    progress(&format!("  {} deposits are open", opened.len()));
    let base = format!("{}/_control", broker.simulators.url("mt5"));
    desk.api.control(&format!("{base}/limit"), &json!({"at_once": SERVED_AT_ONCE})).await?;
    let slow = json!([{"operation": "*", "fault": {"kind": "delay", "ms": SERVED_MS}, "times": 0}]);
    desk.api.control(&format!("{base}/faults"), &slow).await?;
    let before = calls(&desk).await?.0;
    let began = Instant::now();
    let sample = Arc::new(stripe::Sample::read()?);
    let secret = broker.webhook_secrets.get("stripe").and_then(Value::as_str).ok_or("no webhook secret")?;
    let (url, api) = (broker.url("/v1/webhooks/psp/stripe"), Api::default());
    let answered: Vec<f64> = stream::iter(&opened)
        .map(|(payment, reference)| deliver(&sample, secret, &url, &api, payment, reference))
        .buffer_unordered(WEBHOOKS_AT_ONCE)
        .try_collect()
        .await?;
    broker.host.idle().await;
    let seconds = began.elapsed().as_secs_f64();
    let (after, most) = calls(&desk).await?;
    let (mut credited, mut booked) = (0, 0);
    for (payment, _) in &opened {
        let status = desk.look("admin", &format!("/v1/payments/{payment}")).await?.text_at("/status");
        credited += usize::from(status == "credited");
    }
    for trader in &traders {
        let state = desk.state("mt5", &format!("login={}", trader.login)).await?;
        booked += state.get("deals").and_then(Value::as_array).map_or(0, Vec::len);
    }
    broker.stop().await;
    let (webhooks, calls) = (opened.len(), after.saturating_sub(before));
    Ok(Burst { webhooks, credited, booked, answered: Sample::new(answered), seconds, calls, most })
}

async fn open(desk: &Desk<'_>, trader: &Trader) -> Result<(String, String), Failure> {
    let payment = desk.deposit(trader, stripe::AMOUNT, "USD", "stripe").await?;
    let reference = desk.look("admin", &format!("/v1/payments/{payment}")).await?.text_at("/psp/reference");
    Ok((payment, reference))
}

async fn deliver(
    sample: &stripe::Sample,
    secret: &str,
    url: &str,
    api: &Api,
    payment: &str,
    reference: &str,
) -> Result<f64, Failure> {
    let delivery = sample.delivery(payment, reference, secret, SystemClock.now().seconds())?;
    let headers =
        [("content-type", "application/json; charset=utf-8"), ("stripe-signature", delivery.signature.as_str())];
    let began = Instant::now();
    api.send(Method::POST, url, &headers, delivery.body.into_bytes()).await?.expect(200)?;
    Ok(began.elapsed().as_secs_f64() * 1_000.0)
}

/// The calls that the trading server has served, and the most at once.
async fn calls(desk: &Desk<'_>) -> Result<(u64, u64), Failure> {
    let state = desk.state("mt5", "part=calls,at_once_most").await?;
    let served = state.get("calls").and_then(Value::as_object).cloned().unwrap_or_default();
    let most = state.get("at_once_most").and_then(Value::as_u64).unwrap_or(u64::MAX);
    Ok((served.values().filter_map(Value::as_u64).sum(), most))
}

fn findings(
    plan: &Plan,
    (deposits, withdrawals): (&Sample, &Sample),
    units: &BTreeMap<String, (f64, f64)>,
    burst: &Burst,
) -> Findings {
    let sum = |of: fn(&(f64, f64)) -> f64| units.values().map(of).sum::<f64>();
    let lost = burst.webhooks - burst.credited.min(burst.booked).min(burst.webhooks);
    // what the server could have served in that time
    let capacity = count(SERVED_AT_ONCE) * burst.seconds * 1_000.0 / f64::from(u32::try_from(SERVED_MS).unwrap_or(1));
    let used = count(usize::try_from(burst.calls).unwrap_or(usize::MAX)) / capacity;
    let lines = vec![
        Line::at_most(
            "deposit, request to credited, embedded host, p99",
            deposits.percentile(99),
            DEPOSIT_P99_MS,
            milliseconds,
        ),
        Line::at_most(
            "withdrawal, request to paid out, embedded host, p99",
            withdrawals.percentile(99),
            WITHDRAWAL_P99_MS,
            milliseconds,
        ),
        Line::at_most(
            "write units of a withdrawal, request to paid out",
            sum(|own| own.1),
            WITHDRAWAL_WRITES_MAX,
            two_places,
        ),
        Line::at_most(
            "read units of a withdrawal, request to paid out",
            sum(|own| own.0),
            WITHDRAWAL_READS_MAX,
            two_places,
        ),
        Line::exactly(
            format!("burst of {} webhooks, server serves {SERVED_AT_ONCE} at once: lost, booked twice", burst.webhooks),
            format!("{lost}, {}", burst.booked.saturating_sub(burst.webhooks)),
            "0, 0",
            lost == 0 && burst.booked == burst.webhooks,
        ),
        Line::at_most(
            "calls that the server served at once, most",
            count(usize::try_from(burst.most).unwrap_or(usize::MAX)),
            count(SERVED_AT_ONCE),
            |value| format!("{value:.0}"),
        ),
    ];
    let row = |name: &str, sample: &Sample| {
        let values = [50, 90, 99, 100].map(|percent| milliseconds(sample.percentile(percent)));
        std::iter::once(name.to_owned()).chain(values).collect::<Vec<_>>()
    };
    let times = Parts {
        title: format!(
            "{} deposits and as many withdrawals, one after the other, and the webhooks of the burst",
            plan.counted_money
        ),
        columns: vec!["until", "p50", "p90", "p99", "longest"],
        rows: vec![
            row("credited", deposits),
            row("paid out", withdrawals),
            row("burst: webhook answered", &burst.answered),
        ],
    };
    let by_function = Parts {
        title: "what a withdrawal consumes, approved by rule, without messages and look-ups".to_owned(),
        columns: vec!["function", "read units", "write units"],
        rows: units
            .iter()
            .map(|(name, (reads, writes))| vec![name.clone(), two_places(*reads), two_places(*writes)])
            .collect(),
    };
    let drained = Parts {
        title: format!("the burst: drained in {:.0} s, {SERVED_MS} ms a call", burst.seconds),
        columns: vec!["webhooks", "credited", "deals", "calls of the server", "of what it could serve"],
        rows: vec![vec![
            burst.webhooks.to_string(),
            burst.credited.to_string(),
            burst.booked.to_string(),
            burst.calls.to_string(),
            format!("{:.0} %", used * 100.0),
        ]],
    };
    Findings { lines, parts: vec![times, by_function, drained] }
}
