//! From a deposit's webhook to the credit on the trading platform, at a modest steady rate on the embedded host.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use broker::Failure;
use broker::api::Api;
use broker::day::steps::{Desk, Trader};
use broker::local::{Broker, Options, simulators_config};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use http::Method;
use runtime::Clock as _;
use runtime::lambda::SystemClock;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::plan::Plan;
use crate::report::{Findings, Line, Parts, milliseconds};
use crate::sample::Sample;
use crate::stripe;

/// DESIGN: 99 of 100 are credited within so many milliseconds.
const TARGET_MS: f64 = 250.0;
/// Clients who deposit.
const TRADERS: usize = 20;
/// Requests at the same time while the deposits are opened.
const AT_ONCE: usize = 4;

/// An opened deposit.
struct Opened {
    payment: String,
    reference: String,
}

/// When a webhook was sent and how long its answer took.
struct Sent {
    payment: String,
    at_ms: i64,
    answered_ms: f64,
}

/// Measures it.
///
/// # Errors
/// When a webhook is refused or a deposit is not credited.
pub async fn measure(plan: &Plan) -> Result<Findings, Failure> {
    let broker = Broker::start(Options { manual_schedules: true, ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    let traders: Vec<Trader> =
        stream::iter(0..TRADERS).map(|number| trader(&desk, number)).buffer_unordered(AT_ONCE).try_collect().await?;
    let opened: Vec<Opened> = stream::iter(traders.iter().cycle().take(plan.paced))
        .map(|trader| open(&desk, trader))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    broker.host.idle().await;
    let sent = send(plan, &broker, opened).await?;
    broker.host.idle().await;
    let booked = booked(&desk, &traders).await?;
    let mut credited = Vec::new();
    for sent in &sent {
        desk.payment_in(&sent.payment, "credited").await?;
        let booked = booked.get(&sent.payment).ok_or_else(|| format!("{} is not on the platform", sent.payment))?;
        credited.push(i32::try_from(booked.saturating_sub(sent.at_ms)).map_or(f64::INFINITY, f64::from));
    }
    broker.stop().await;
    let answered = sent.iter().map(|sent| sent.answered_ms).collect();
    Ok(findings(plan, &Sample::new(credited), &Sample::new(answered)))
}

async fn trader(desk: &Desk<'_>, number: usize) -> Result<Trader, Failure> {
    desk.opened(desk.trader(&format!("Pace Trader {number}"), "en", "USD").await?).await
}

async fn open(desk: &Desk<'_>, trader: &Trader) -> Result<Opened, Failure> {
    let payment = desk.deposit(trader, stripe::AMOUNT, "USD", "stripe").await?;
    let reference = desk.look("admin", &format!("/v1/payments/{payment}")).await?.text_at("/psp/reference");
    Ok(Opened { payment, reference })
}

/// Sends the webhooks at their rate, whether the earlier ones are answered or not.
async fn send(plan: &Plan, broker: &Broker, opened: Vec<Opened>) -> Result<Vec<Sent>, Failure> {
    let sample = Arc::new(stripe::Sample::read()?);
    let secret = broker.webhook_secrets.get("stripe").and_then(Value::as_str).ok_or("no webhook secret")?.to_owned();
    let (url, api) = (broker.url("/v1/webhooks/psp/stripe"), Api::default());
    let mut pace = tokio::time::interval(Duration::from_secs(1) / plan.pace_per_s);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tasks = JoinSet::new();
    for deposit in opened {
        pace.tick().await;
        let (sample, secret, url, api) = (sample.clone(), secret.clone(), url.clone(), api.clone());
        tasks.spawn(async move { deliver(&sample, &secret, &url, &api, deposit).await });
    }
    tasks.join_all().await.into_iter().collect()
}

async fn deliver(
    sample: &stripe::Sample,
    secret: &str,
    url: &str,
    api: &Api,
    deposit: Opened,
) -> Result<Sent, Failure> {
    let delivery = sample.delivery(&deposit.payment, &deposit.reference, secret, SystemClock.now().seconds())?;
    let headers =
        [("content-type", "application/json; charset=utf-8"), ("stripe-signature", delivery.signature.as_str())];
    let (began, at_ms) = (std::time::Instant::now(), SystemClock.now().millis());
    api.send(Method::POST, url, &headers, delivery.body.into_bytes()).await?.expect(200)?;
    Ok(Sent { payment: deposit.payment, at_ms, answered_ms: began.elapsed().as_secs_f64() * 1_000.0 })
}

/// When the trading server booked each payment, in milliseconds since 1970 UTC. The timeline of the deposit would be
/// early: its moments are those at which the worker took the work up.
async fn booked(desk: &Desk<'_>, traders: &[Trader]) -> Result<HashMap<String, i64>, Failure> {
    let offset_ms = simulators_config().mt5.server_offset_s.saturating_mul(1_000);
    let mut booked = HashMap::new();
    for trader in traders {
        let state = desk.state("mt5", &format!("login={}", trader.login)).await?;
        for deal in state.get("deals").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| deal.get(name).and_then(Value::as_str).unwrap_or_default();
            let at_ms: i64 = text("TimeMsc").parse()?;
            booked.insert(text("Comment").to_owned(), at_ms.saturating_sub(offset_ms));
        }
    }
    Ok(booked)
}

fn findings(plan: &Plan, credited: &Sample, answered: &Sample) -> Findings {
    let lines = vec![Line::at_most(
        format!("webhook to credit on the platform, {} a second on the embedded host, p99", plan.pace_per_s),
        credited.percentile(99),
        TARGET_MS,
        milliseconds,
    )];
    let row = |name: &str, sample: &Sample| {
        let values = [50, 90, 99, 100].map(|percent| milliseconds(sample.percentile(percent)));
        std::iter::once(name.to_owned()).chain(values).collect()
    };
    let parts = Parts {
        title: format!("webhooks of {} deposits at {} a second", credited.len(), plan.pace_per_s),
        columns: vec!["until", "p50", "p90", "p99", "longest"],
        rows: vec![row("answered", answered), row("credited on the platform", credited)],
    };
    Findings { lines, parts: vec![parts] }
}
