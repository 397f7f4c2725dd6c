//! The capacity that a whole deposit consumes, part by part, with few and with many clients stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::Failure;
use broker::day::steps::{Desk, Trader};
use broker::local::{Broker, Options};
use host::{Service, UsageKey, Used};
use serde_json::json;

use crate::crowd::store_clients;
use crate::item_size::WRITE_UNIT_BYTES;
use crate::items::ItemWatch;
use crate::plan::Plan;
use crate::report::{Findings, Line, Parts, count, two_places};
use crate::stripe::AMOUNT;

/// DESIGN: write units of a whole deposit.
const WRITES_MAX: f64 = 18.0;
/// DESIGN: read units of a whole deposit.
const READS_MAX: f64 = 8.0;

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Purpose {
    Deposit,
    Messages,
    LookUps,
}

/// Averages of a deposit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Average {
    calls: f64,
    reads: f64,
    writes: f64,
}

impl std::iter::Sum for Average {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            calls: sum.calls + one.calls,
            reads: sum.reads + one.reads,
            writes: sum.writes + one.writes,
        })
    }
}

/// The parts of a deposit: purpose, function, operation, table.
type Units = BTreeMap<(Purpose, String, String, String), Average>;

/// Counts both.
///
/// # Errors
/// When a deposit is not credited.
pub async fn measure(plan: &Plan) -> Result<Findings, Failure> {
    let watch = Arc::new(ItemWatch::default());
    let probe: Arc<dyn host::Probe> = watch.clone();
    let broker = Broker::start(Options { manual_schedules: true, probe: Some(probe), ..Options::default() }).await?;
    watch.open(&broker);
    let desk = Desk::new(&broker);
    let trader = desk.opened(desk.trader("Uma Units", "en", "USD").await?).await?;
    broker.host.idle().await;
    broker.host.reset_usage();
    watch.switch(true);
    deposit(&desk, &trader).await?;
    watch.switch(false);
    let sizes = watch.sizes()?;
    let mut first = averages(&broker.host.usage(), &rules_table(&broker), 1.0);
    first.retain(|(purpose, ..), _| *purpose == Purpose::LookUps);

    let mut counted = Vec::new();
    // the trader is the first client
    let mut stored = 1;
    for clients in plan.clients {
        store_clients(&broker, stored, clients).await?;
        stored = clients;
        counted.push((clients, count_deposits(&desk, &trader, plan.counted).await?));
    }
    broker.stop().await;
    let mut findings = findings(&sizes, &counted)?;
    let [(_, units), ..] = &counted[..] else { return Err("no crowd was counted".into()) };
    findings.parts.push(unit_parts(units, &first, plan.counted));
    findings.parts.push(size_parts(&sizes));
    Ok(findings)
}

/// One deposit from the portal's request to the last thing that follows from it; its id.
async fn deposit(desk: &Desk<'_>, trader: &Trader) -> Result<String, Failure> {
    let payment = desk.deposit(trader, AMOUNT, "USD", "stripe").await?;
    desk.broker.host.idle().await;
    desk.pay("stripe", &payment, json!({})).await?;
    desk.broker.host.idle().await;
    Ok(payment)
}

async fn count_deposits(desk: &Desk<'_>, trader: &Trader, number: u32) -> Result<Units, Failure> {
    let host = &desk.broker.host;
    // rules and secrets are read again after a while, and that is no deposit's
    deposit(desk, trader).await?;
    host.reset_usage();
    let mut payments = Vec::new();
    for _ in 0..number {
        payments.push(deposit(desk, trader).await?);
    }
    let usage = host.usage();
    for payment in payments {
        desk.payment_in(&payment, "credited").await?;
    }
    Ok(averages(&usage, &rules_table(desk.broker), f64::from(number)))
}

fn rules_table(broker: &Broker) -> String {
    broker.host.template().tables.get("RulesTable").map(|table| table.name.clone()).unwrap_or_default()
}

fn averages(usage: &BTreeMap<UsageKey, Used>, rules: &str, number: f64) -> Units {
    let mut units = Units::new();
    for (key, used) in usage {
        // what no function did is ours
        let Some(function) = &key.function else { continue };
        // a page of the journal's index is one write for all entries of a minute; here, where nobody waits for the minute, it has one or two
        if &**function == "ops-index" {
            continue;
        }
        let purpose = match key.service {
            Service::SecretsManager => Purpose::LookUps,
            Service::DynamoDb if key.target == rules => Purpose::LookUps,
            Service::DynamoDb if &**function == "ops-notify" => Purpose::Messages,
            Service::DynamoDb => Purpose::Deposit,
            Service::EventBridge | Service::S3 | Service::Ses | Service::Sqs | Service::Vendor => continue,
        };
        let calls = u32::try_from(used.calls).map_or(f64::INFINITY, f64::from);
        let average =
            Average { calls: calls / number, reads: used.read_units / number, writes: used.write_units / number };
        units.insert((purpose, function.to_string(), key.operation.clone(), key.target.clone()), average);
    }
    units
}

fn sum(units: &Units, purpose: Purpose) -> Average {
    units.iter().filter(|((of, ..), _)| *of == purpose).map(|(_, average)| *average).sum()
}

fn findings(sizes: &BTreeMap<String, usize>, counted: &[(usize, Units)]) -> Result<Findings, Failure> {
    let [(few, units), (many, units_of_many)] = counted else { return Err("two crowds are wanted".into()) };
    let (own, messages) = (sum(units, Purpose::Deposit), sum(units, Purpose::Messages));
    let whole = "a deposit, initiate to credited and journalled";
    let largest = sizes.values().copied().max().unwrap_or(usize::MAX);
    let bytes = |bytes: f64| format!("{bytes:.0} B");
    let show = |(own, messages): (Average, Average)| {
        format!("{:.2} w {:.2} r", own.writes + messages.writes, own.reads + messages.reads)
    };
    let (one, other) = ((own, messages), (sum(units_of_many, Purpose::Deposit), sum(units_of_many, Purpose::Messages)));
    let lines = vec![
        Line::at_most(format!("write units of {whole} (aim 14)"), own.writes, WRITES_MAX, two_places),
        Line::at_most(format!("read units of {whole}"), own.reads, READS_MAX, two_places),
        Line::at_most(
            "write units with the messages to the client",
            own.writes + messages.writes,
            WRITES_MAX,
            two_places,
        ),
        Line::at_most("read units with the messages to the client", own.reads + messages.reads, READS_MAX, two_places),
        Line::at_most("largest item that a deposit writes", count(largest), count(WRITE_UNIT_BYTES), bytes),
        Line::exactly(
            format!("units of a deposit with {few} and {many} clients"),
            if one == other { show(one) } else { format!("{} / {}", show(one), show(other)) },
            "the same",
            one == other,
        ),
    ];
    Ok(Findings { lines, parts: Vec::new() })
}

/// The averages of warm deposits, and what the first deposit of a cold installation looked up beside.
fn unit_parts(units: &Units, first: &Units, number: u32) -> Parts {
    let mut rows = Vec::new();
    for (purpose, name, all) in [
        (Purpose::Deposit, "deposit", units),
        (Purpose::Messages, "messages", units),
        (Purpose::LookUps, "look-ups, warm", units),
        (Purpose::LookUps, "look-ups, cold", first),
    ] {
        for ((of, function, operation, target), average) in all {
            if *of == purpose {
                rows.push(row([name, function, operation, target], average));
            }
        }
        rows.push(row([name, "sum", "", ""], &sum(all, purpose)));
    }
    let title = format!(
        "what a deposit calls and consumes, average of {number}; rules are looked up once a minute, secrets every five"
    );
    Parts { title, columns: vec!["for", "function", "operation", "target", "calls", "read units", "write units"], rows }
}

fn row(names: [&str; 4], average: &Average) -> Vec<String> {
    let numbers = [average.calls, average.reads, average.writes].map(two_places);
    names.map(str::to_owned).into_iter().chain(numbers).collect()
}

fn size_parts(sizes: &BTreeMap<String, usize>) -> Parts {
    let row = |(name, bytes): (&String, &usize)| {
        vec![name.clone(), bytes.to_string(), bytes.div_ceil(WRITE_UNIT_BYTES).to_string()]
    };
    Parts {
        title: "items that a deposit writes".to_owned(),
        columns: vec!["item", "bytes", "write units"],
        rows: sizes.iter().map(row).collect(),
    }
}
