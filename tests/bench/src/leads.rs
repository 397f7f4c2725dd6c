//! From a form that is accepted to the message to its agent, at a steady rate and in a burst, and the units of a lead.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use broker::Failure;
use broker::day::steps::Desk;
use broker::local::{Broker, Options};
use domain::Timestamp;
use domain::rule_sets::SetName;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use host::Service;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use crate::plan::Plan;
use crate::report::{Findings, Line, Parts, count, milliseconds, two_places};
use crate::sample::Sample;

/// 99 of 100 agents are told within so many milliseconds.
const TARGET_MS: f64 = 300.0;
/// Leads before any is measured: the first telephone number unpacks the world's numbering plans.
const WARM_UP: usize = 10;
/// The first person of each part.
const STEADY: usize = 100_000;
const COUNTED: usize = 200_000;
const BURST: usize = 300_000;
/// Requests of the burst at the same time.
const AT_ONCE: usize = 16;

/// Measures all of it.
///
/// # Errors
/// When a form is refused or a lead is not assigned.
pub async fn measure(plan: &Plan) -> Result<Findings, Failure> {
    let broker =
        Broker::start(Options { manual_schedules: true, adjust: Some(without_limits), ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    desk.everybody_comes().await?;
    told(&desk, 0, WARM_UP, plan.pace_per_s).await?;
    let (steady, _) = told(&desk, STEADY, plan.leads, plan.pace_per_s).await?;
    let units = units(&desk, plan.counted_leads).await?;
    let (burst, lasted) = told(&desk, BURST, plan.burst, 0).await?;
    broker.stop().await;
    Ok(findings(plan, &steady, &burst, lasted, &units))
}

/// All agents of the hour take what comes: what is measured is the way to them.
fn without_limits(set: SetName, document: &mut Value) {
    if set != SetName::Sales {
        return;
    }
    for pool in document.get_mut("pools").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(fields) = pool.as_object_mut() {
            fields.insert("open_max".to_owned(), json!(1_000));
            fields.remove("window_cap");
        }
    }
}

/// A form of a person of their own.
fn form(person: usize) -> Value {
    let country = ["MX", "DE", "AE", "GB"].get(person % 4).copied().unwrap_or_default();
    json!({
        "email": format!("visitor-{person}@example.com"), "phone": format!("+52 55 12{person:06}"), "country": country,
        "full_name": "Ana Visitor", "source": {"channel": "paid_search"}, "consents": {"email": true, "phone": true},
    })
}

/// Milliseconds from accepted to told for each lead, and how long all of it lasted; without a pace all come at once.
async fn told(desk: &Desk<'_>, first: usize, number: usize, pace_per_s: u32) -> Result<(Sample, Duration), Failure> {
    let before = desk.slack().await?.len();
    let began = Instant::now();
    let ids: Vec<String> = if pace_per_s == 0 {
        let send = |n| async move { desk.form(&form(first.saturating_add(n))).await };
        stream::iter(0..number).map(send).buffer_unordered(AT_ONCE).try_collect().await?
    } else {
        let mut pace = tokio::time::interval(Duration::from_secs(1) / pace_per_s);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ids = Vec::new();
        for n in 0..number {
            pace.tick().await;
            ids.push(desk.form(&form(first.saturating_add(n))).await?);
        }
        ids
    };
    desk.broker.host.idle().await;
    let lasted = began.elapsed();
    let messages = desk.slack().await?;
    let at: BTreeMap<String, i64> = messages.iter().skip(before).filter_map(task_and_time).collect();
    let mut took = Vec::new();
    for id in &ids {
        let lead = desk.lead(id).await?;
        let task = lead.text_at("/assignment/task_id");
        let told = at.get(&task).ok_or_else(|| format!("nobody was told of {id}: {}", lead.text))?;
        let accepted: Timestamp = lead.text_at("/created_at").parse()?;
        took.push(i32::try_from(told.saturating_sub(accepted.millis())).map_or(f64::INFINITY, f64::from));
    }
    Ok((Sample::new(took), lasted))
}

/// The task that a message's first button is about.
fn task_and_time(message: &Value) -> Option<(String, i64)> {
    let task = message.pointer("/message/blocks/1/elements/0/value")?.as_str()?;
    Some((task.to_owned(), message.get("at_ms")?.as_i64()?))
}

/// Average calls and units of a lead, by function, operation and table, without rules and secrets.
type Units = BTreeMap<(String, String, String), [f64; 3]>;

async fn units(desk: &Desk<'_>, number: u32) -> Result<Units, Failure> {
    let host = &desk.broker.host;
    let rules = host.template().tables.get("RulesTable").map(|table| table.name.clone()).unwrap_or_default();
    let of_one_pool = |n: usize| COUNTED.saturating_add(n.saturating_mul(4));
    told(desk, of_one_pool(0), 1, 1).await?;
    host.reset_usage();
    for n in 1..=number {
        desk.form(&form(of_one_pool(usize::try_from(n)?))).await?;
        host.idle().await;
    }
    let mut units = Units::new();
    for (key, used) in host.usage() {
        let Some(function) = &key.function else { continue };
        if !matches!(key.service, Service::DynamoDb) || key.target == rules {
            continue;
        }
        let all = [count(usize::try_from(used.calls)?), used.read_units, used.write_units];
        let name = (function.to_string(), key.operation.clone(), key.target.clone());
        units.insert(name, all.map(|sum| sum / f64::from(number)));
    }
    Ok(units)
}

fn findings(plan: &Plan, steady: &Sample, burst: &Sample, lasted: Duration, units: &Units) -> Findings {
    let what = format!("form accepted to the agent's message, {} a second on the embedded host, p99", plan.pace_per_s);
    let lines = vec![Line::at_most(what, steady.percentile(99), TARGET_MS, milliseconds)];
    let row = |name: String, sample: &Sample| {
        let values = [50, 90, 99, 100].map(|percent| milliseconds(sample.percentile(percent)));
        std::iter::once(name).chain(values).collect()
    };
    let rate = count(burst.len()) / lasted.as_secs_f64();
    let told = Parts {
        title: "leads, from accepted to told".to_owned(),
        columns: vec!["leads", "p50", "p90", "p99", "longest"],
        rows: vec![
            row(format!("{} at {} a second", steady.len(), plan.pace_per_s), steady),
            row(format!("{} at once, {rate:.0} a second", burst.len()), burst),
        ],
    };
    let sum = units
        .values()
        .fold([0.0; 3], |sum, one| [0, 1, 2].map(|n| sum.get(n).unwrap_or(&0.0) + one.get(n).unwrap_or(&0.0)));
    let line = |(function, operation, table): (&str, &str, &str), values: &[f64; 3]| {
        [function, operation, table].map(str::to_owned).into_iter().chain(values.map(two_places)).collect()
    };
    let mut rows: Vec<Vec<String>> =
        units.iter().map(|((function, operation, table), values)| line((function, operation, table), values)).collect();
    rows.push(line(("sum", "", ""), &sum));
    let consumed = Parts {
        title: format!("what a lead calls and consumes until its agent is told, average of {}", plan.counted_leads),
        columns: vec!["function", "operation", "target", "calls", "read units", "write units"],
        rows,
    };
    Findings { lines, parts: vec![told, consumed] }
}
