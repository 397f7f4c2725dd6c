//! A function is killed at every point at which anybody else could notice, and its trigger comes again.
//!
//! The calls of a function are learnt by watching one run that nothing happens to; nothing here lists them. To
//! everybody but the process itself, death after one call is death before the next, so runs with two deaths take
//! each such point once.

/// Every law as a test on each platform.
macro_rules! on_each_platform {
    ($($law:ident)*) => {
        $crate::kill::on_each_platform! { mt5 MT5: $($law)* }
        $crate::kill::on_each_platform! { mt4 MT4: $($law)* }
        $crate::kill::on_each_platform! { ctrader CTRADER: $($law)* }
        $crate::kill::on_each_platform! { dxtrade DXTRADE: $($law)* }
    };
    ($platform:ident $server:ident: $($law:ident)*) => {
        mod $platform {
            $(
                #[tokio::test]
                async fn $law() {
                    super::$law(&$crate::servers::$server).await;
                }
            )*
        }
    };
}

pub(crate) use on_each_platform;

mod accounts;
mod bonuses;
mod changes;
mod clients;
mod credit;
mod initiate;
mod leads;
mod letters;
mod notify;
mod openings;
mod overdue;
mod people;
mod relay;
mod tickets;
mod webhook;
mod withdrawals;

use crate::killer::{Kill, Numbers, Run};
use crate::world::World;

/// Says which case a failing assertion belongs to.
struct Case(String);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the case: {}", self.0);
        }
    }
}

/// Both sides of every call.
fn both_sides(calls: &[String]) -> Vec<Kill> {
    (0..calls.len()).flat_map(|call| [Kill::before(call), Kill::after(call)]).collect()
}

/// Every point between two calls, once.
fn points(calls: &[String]) -> Vec<Kill> {
    let last = calls.len().checked_sub(1).map(Kill::after);
    (0..calls.len()).map(Kill::before).chain(last).collect()
}

/// Calls that change nothing: reads, and log-ins at platforms.
const READS: [&str; 10] = [
    "GetItem",
    "Query",
    "BatchGetItem",
    "GetSecretValue",
    "GET ",
    "CONNECT",
    "READ",
    "POST connect/token",
    "POST v2/webserv/managers/token",
    "POST dxweb/rest/login",
];

/// Whether a call leaves a trace outside the process.
fn leaves_a_trace(call: &str) -> bool {
    !READS.iter().any(|read| call.starts_with(read))
}

/// Calls that leave a trace, in their order.
fn traces(calls: &[String]) -> Vec<&str> {
    calls.iter().map(String::as_str).filter(|call| leaves_a_trace(call)).collect()
}

/// Plays a story under a plan; what the function's invocations did.
async fn play(world: &World, function: &'static str, kills: &[Kill], story: &impl AsyncFn(&World)) -> Vec<Run> {
    let _case = Case(format!("{function} {kills:?}"));
    world.killer.plan(function, Numbers::OfTheRun, kills);
    story(world).await;
    let runs = world.killer.disarm();
    for (kill, run) in kills.iter().zip(&runs) {
        assert_eq!(run.killed, Some(*kill), "the run did not get there: {run}");
    }
    assert!(runs.len() > kills.len(), "{function} did not come again");
    runs
}

/// Plays a story undisturbed: the calls of its first invocation.
async fn plain(world: &World, function: &'static str, story: &impl AsyncFn(&World)) -> Vec<String> {
    let runs = play(world, function, &[], story).await;
    let calls = runs[0].calls.clone();
    assert!(!calls.is_empty(), "{function} calls nobody");
    calls
}

/// Plays a story with one death at either side of every call.
async fn every_kill(world: &World, function: &'static str, story: impl AsyncFn(&World)) -> Vec<String> {
    let calls = plain(world, function, &story).await;
    for kill in both_sides(&calls) {
        play(world, function, &[kill], &story).await;
    }
    calls
}

/// Plays a story with one death at every point between two calls.
async fn every_point(world: &World, function: &'static str, story: impl AsyncFn(&World)) {
    for kill in points(&plain(world, function, &story).await) {
        play(world, function, &[kill], &story).await;
    }
}

/// The points from just before a run's first trace on. Who dies earlier is followed by one like itself.
fn points_that_tell(calls: &[String]) -> Vec<Kill> {
    let trace = calls.iter().position(|call| leaves_a_trace(call)).unwrap_or_default();
    points(calls).into_iter().filter(|kill| kill.call >= trace).collect()
}

/// Plays a story with two deaths: of the first invocation and of the one after it, at every point that tells.
async fn every_two_kills(world: &World, function: &'static str, story: impl AsyncFn(&World)) {
    for first in points_that_tell(&plain(world, function, &story).await) {
        let runs = play(world, function, &[first], &story).await;
        for second in points_that_tell(&runs[1].calls) {
            play(world, function, &[first, second], &story).await;
        }
    }
}
