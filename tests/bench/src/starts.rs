//! From the start of a function's process to its first poll, against the bare one, by turns.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use broker::Failure;

use crate::installation::{BARE, Installation, functions};
use crate::plan::Plan;
use crate::report::{Findings, Line, Parts, two_places};
use crate::runtime_api::RuntimeApi;
use crate::sample::Sample;

/// DESIGN: a start may take so many times the bare one's.
const TARGET: f64 = 1.2;

/// Looks for a process that has gone to sleep, a millisecond apart.
const LOOKS: usize = 100;

/// One start.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// Seconds to the first poll.
    wall: f64,
    /// Seconds that the main thread has run; not a number where the system does not tell.
    processor: f64,
}

/// The starts of a function and of the bare one beside it.
#[derive(Debug, Clone, Default)]
struct Starts {
    own: Vec<Start>,
    floor: Vec<Start>,
}

/// A function's ratios to the bare one.
struct Ratios {
    name: &'static str,
    quarter: f64,
    least: f64,
    processor: f64,
}

/// Measures every function.
///
/// # Errors
/// When one does not start.
pub async fn measure(plan: &Plan, installation: &Installation) -> Result<Findings, Failure> {
    let bare = installation.binary(BARE)?;
    let names: Vec<&'static str> = functions().collect();
    let mut starts = vec![Starts::default(); names.len()];
    for round in 0..=plan.starts {
        for (name, starts) in names.iter().zip(&mut starts) {
            let path = installation.binary_of(name)?;
            let (own, floor) = if round % 2 == 0 {
                let own = one(installation, &path, name).await?;
                (own, one(installation, &bare, name).await?)
            } else {
                let floor = one(installation, &bare, name).await?;
                (one(installation, &path, name).await?, floor)
            };
            // the first round brings the files into memory
            if round > 0 {
                starts.own.push(own);
                starts.floor.push(floor);
            }
        }
    }
    Ok(findings(plan, names.iter().zip(&starts).map(|(name, starts)| starts.ratios(name)).collect()))
}

/// Starts a binary and ends it when it polls. The bare one gets the function's environment too.
async fn one(installation: &Installation, path: &Path, name: &str) -> Result<Start, Failure> {
    // a listener of its own: nothing of an earlier process can poll here
    let mut api = RuntimeApi::start().await?;
    let began = Instant::now();
    let process = installation.start(path, name, &api.address(), &[], Stdio::null())?;
    let poll = api.poll().await.map_err(|error| format!("{}: {error}", path.display()))?;
    let processor = processor_time(process.0.id()).await.unwrap_or(f64::NAN);
    drop(process);
    Ok(Start { wall: poll.at.duration_since(began).as_secs_f64(), processor })
}

/// The seconds that a process's main thread has run. The scheduler's count is right once the thread sleeps.
async fn processor_time(process: u32) -> Option<f64> {
    for _ in 0..LOOKS {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        if state.rsplit(") ").next()?.starts_with('S') {
            let counts = std::fs::read_to_string(format!("/proc/{process}/schedstat")).ok()?;
            return counts.split_whitespace().next()?.parse::<f64>().ok().map(|nanos| nanos / 1e9);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}

impl Starts {
    fn ratios(&self, name: &'static str) -> Ratios {
        let sample = |starts: &[Start], what: fn(&Start) -> f64| Sample::new(starts.iter().map(what).collect());
        let (own, floor) = (sample(&self.own, |s| s.wall), sample(&self.floor, |s| s.wall));
        let (ran, ran_floor) = (sample(&self.own, |s| s.processor), sample(&self.floor, |s| s.processor));
        Ratios {
            name,
            quarter: own.percentile(25) / floor.percentile(25),
            least: own.min() / floor.min(),
            processor: ran.percentile(25) / ran_floor.percentile(25),
        }
    }
}

fn findings(plan: &Plan, ratios: Vec<Ratios>) -> Findings {
    let worst = |ratio: fn(&Ratios) -> f64| {
        let worst = ratios.iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        worst.map_or(("no function", f64::NAN), |worst| (worst.name, ratio(worst)))
    };
    let line = |how: &str, (name, ratio): (&str, f64)| {
        let functions = ratios.len();
        Line::at_most(
            format!("init / bare init, {how}, worst of {functions} functions ({name})"),
            ratio,
            TARGET,
            two_places,
        )
    };
    let lines = vec![line("25th percentile", worst(|s| s.quarter)), line("minimum", worst(|s| s.least))];
    let rows = ratios
        .iter()
        .map(|s| vec![s.name.to_owned(), two_places(s.quarter), two_places(s.least), two_places(s.processor)]);
    let parts = Parts {
        title: format!("init / bare init, {} processes of each by turns", plan.starts),
        columns: vec!["function", "25th percentile", "minimum", "processor time"],
        rows: rows.collect(),
    };
    Findings { lines, parts: vec![parts] }
}
