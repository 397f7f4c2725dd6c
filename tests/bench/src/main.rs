//! `make bench`: figures as ratios and counts of one run, with their targets.
//!
//! A missed target is printed; the exit code is 1 only when something could not be measured. Arguments name the
//! measurements to make (`starts sizes webhook units latency money reconciliation leads routing reading kyc openings`); without any, all are made.

mod aws_local;
mod crowd;
mod installation;
mod item_size;
mod items;
mod kyc;
mod latency;
mod leads;
mod memory;
mod money;
mod openings;
#[path = "../../../shared/ocr/tests/specimens/outcome.rs"]
mod outcome;
mod plan;
mod reading;
mod reconciliation;
mod report;
mod routing;
mod runtime_api;
mod sample;
mod sizes;
mod starts;
mod stripe;
mod units;
mod webhook;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use broker::Failure;
use broker::day::say;

use installation::Installation;
use plan::Plan;
use report::Findings;

/// The measurements in their order.
const NAMES: [&str; 12] = [
    "starts",
    "sizes",
    "webhook",
    "units",
    "latency",
    "money",
    "reconciliation",
    "leads",
    "routing",
    "reading",
    "kyc",
    "openings",
];

#[tokio::main]
async fn main() -> ExitCode {
    let quick = std::env::var("BENCH_QUICK").is_ok_and(|value| !value.is_empty() && value != "0");
    let plan = Plan::new(quick);
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let installation = match Installation::read() {
        Ok(installation) => installation,
        Err(error) => {
            say(&format!("nothing can be measured: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let load = load();
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for name in NAMES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let began = Instant::now();
        match measure(name, &plan, &installation).await {
            Ok(findings) => all.push(findings),
            Err(error) => failures.push(format!("{name}: {}", in_full(error.as_ref()))),
        }
        progress(&format!("{name}: {:.0} s", began.elapsed().as_secs_f64()));
    }
    say(&format!("{}\n", heading(quick, &load)));
    say(report::render(&all, &failures).trim_end());
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(name: &str, plan: &Plan, installation: &Installation) -> Result<Findings, Failure> {
    match name {
        "starts" => starts::measure(plan, installation).await,
        "sizes" => sizes::measure(installation),
        "webhook" => webhook::measure(plan, installation).await,
        "units" => units::measure(plan).await,
        "latency" => latency::measure(plan).await,
        "money" => money::measure(plan).await,
        "reconciliation" => reconciliation::measure(plan).await,
        "leads" => leads::measure(plan).await,
        "routing" => routing::measure(plan),
        "reading" => reading::measure(plan),
        "kyc" => kyc::measure(plan).await,
        _ => openings::measure(plan).await,
    }
}

/// What was measured where. Times mean little on a machine that was busy before.
fn heading(quick: bool, load: &str) -> String {
    let build = if cfg!(debug_assertions) { "an UNOPTIMISED build" } else { "release build" };
    let counts = if quick { ", small counts" } else { "" };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let (version, machine) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    format!("pipworks {version}, {build}{counts}; {cores} cores, {machine}, load average before the run {load}")
}

/// The load of the last minute.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// An error with its causes.
fn in_full(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// What is going on, beside the output.
pub(crate) fn progress(line: &str) {
    if writeln!(std::io::stderr().lock(), "{line}").is_err() {
        // nobody looks
    }
}
