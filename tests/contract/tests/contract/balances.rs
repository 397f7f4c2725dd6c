//! Balances: kept for a while with their age, asked for with restraint, and never in a credit's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use broker::local::Options;
use domain::rule_sets::SetName;
use futures::future::join_all;
use host::{CallInfo, Probe, Service, Verdict};
use serde_json::{Value, json};

use crate::world::{Trader, World, account_request, expect, items};

async fn probed(probe: Option<Arc<dyn Probe>>) -> World {
    World::with(Options { probe, ..Options::default() }).await
}

async fn shown(world: &World, trader: &Trader) -> Value {
    expect(world.get("portal", &format!("/v1/accounts/{}", trader.account)).await, 200).json
}

async fn listed(world: &World, trader: &Trader) -> Value {
    items(&expect(world.get("portal", &format!("/v1/clients/{}/accounts", trader.client)).await, 200)).remove(0)
}

/// Money that moves at the platform without us, as a trade's profit does.
async fn moves(world: &World, trader: &Trader, amount: &str) {
    let login: u64 = trader.login.parse().unwrap();
    let deal = json!({
        "login": login, "action": 1, "entry": 1, "symbol": "EURUSD", "volume": 1_000, "profit": amount, "storage": "0", "commission": "0",
        "position": 7,
    });
    world.control("mt5", "deals", &json!([deal])).await;
}

fn dollars(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

#[tokio::test]
async fn a_balance_is_shown_again_with_its_age_until_its_time_is_over() {
    let world = probed(None).await;
    let trader = world.trader("USD").await;
    let first = shown(&world, &trader).await;
    assert_eq!(first["balance"], dollars("0.00"));
    world.broker.host.reset_usage();
    for _ in 0..20 {
        let again = shown(&world, &trader).await;
        assert_eq!((&again["balance"], &again["balance_at"]), (&first["balance"], &first["balance_at"]));
        // a list shows what is kept and asks nobody
        let listed = listed(&world, &trader).await;
        assert_eq!((&listed["balance"], &listed["balance_at"]), (&first["balance"], &first["balance_at"]));
    }
    assert_eq!(world.vendor_calls(), 0);
    world.pass(11).await;
    let later = shown(&world, &trader).await;
    assert!(later["balance_at"].as_str() > first["balance_at"].as_str());
    assert!(world.vendor_calls() > 0);
}

#[tokio::test]
async fn a_credit_of_ours_is_shown_at_once() {
    let world = probed(None).await;
    let trader = world.trader("USD").await;
    for (n, amount) in [(1_i64, "20.00"), (2, "40.00"), (3, "60.00"), (4, "80.00"), (5, "100.00")] {
        assert_eq!(shown(&world, &trader).await["status"], "open");
        world.credited(&trader, "20.00", 2_000).await;
        assert_eq!(shown(&world, &trader).await["balance"], dollars(amount), "after {n}");
        world.broker.host.reset_usage();
        assert_eq!(shown(&world, &trader).await["balance"], dollars(amount));
        assert_eq!(world.vendor_calls(), 0, "and kept from then on");
    }
}

#[tokio::test]
async fn a_silent_server_leaves_the_balance_that_was_or_none() {
    let world = probed(None).await;
    let known = world.trader("USD").await;
    let never_read = world.client("en").await;
    let path = format!("/v1/clients/{never_read}/accounts");
    let account = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
    world.idle().await;
    let before = shown(&world, &known).await;
    world.faults("mt5", &json!([{"operation": "*", "fault": {"kind": "drop"}, "times": 0}])).await;
    world.pass(3_600).await;
    let after = shown(&world, &known).await;
    assert_eq!(after["status"], "open");
    assert_eq!((&after["balance"], &after["balance_at"]), (&before["balance"], &before["balance_at"]));
    let none = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200);
    assert_eq!(none.json["status"], "open");
    assert!(none.json.get("balance").is_none() && none.json.get("balance_at").is_none(), "{}", none.text);
    // and is left alone for a moment
    world.broker.host.reset_usage();
    for _ in 0..5 {
        shown(&world, &known).await;
    }
    assert_eq!(world.vendor_calls(), 0);
    world.no_faults("mt5").await;
    world.pass(6).await;
    assert!(shown(&world, &known).await["balance_at"].as_str() > before["balance_at"].as_str());
}

/// How many invocations of the views are at a trading server at once.
#[derive(Default)]
struct AtOnce {
    now: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

impl AtOnce {
    fn counts(call: &CallInfo<'_>) -> bool {
        call.function == "ops-views" && call.service == Service::Vendor && call.target.contains("api/user/")
    }
}

impl Probe for AtOnce {
    fn before(&self, call: &CallInfo<'_>) -> Verdict {
        if Self::counts(call) {
            self.all.fetch_add(1, Ordering::SeqCst);
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
        }
        Verdict::Go
    }

    fn after(&self, call: &CallInfo<'_>) -> Verdict {
        if Self::counts(call) {
            self.now.fetch_sub(1, Ordering::SeqCst);
        }
        Verdict::Go
    }
}

#[tokio::test]
async fn many_pages_at_once_ask_a_server_by_two_at_most_and_once_for_an_account() {
    let probe = Arc::new(AtOnce::default());
    let world = probed(Some(probe.clone())).await;
    let mut traders = Vec::new();
    for _ in 0..6 {
        traders.push(world.trader("USD").await);
    }
    world.pass(60).await;
    world
        .faults("mt5", &json!([{"operation": "user_account_get", "fault": {"kind": "delay", "ms": 50}, "times": 0}]))
        .await;
    let before = probe.all.load(Ordering::SeqCst);
    let pages = traders.iter().cycle().take(30).map(|trader| shown(&world, trader));
    for page in join_all(pages).await {
        assert_eq!(page["balance"], dollars("0.00"), "{page}");
    }
    // MT5 has one connection a process besides
    assert!((1..=2).contains(&probe.most.load(Ordering::SeqCst)));
    let reads = probe.all.load(Ordering::SeqCst) - before;
    assert_eq!(reads, 6, "each account once");
}

#[tokio::test]
async fn balances_are_read_with_the_login_for_reading_and_credits_are_not() {
    let world = probed(None).await;
    let trader = world.trader("USD").await;
    let before = shown(&world, &trader).await;
    let wrong = |rules: &mut Value| {
        for server in rules["servers"].as_array_mut().unwrap() {
            server["read_secret"] = json!("pipworks/local/platform/mt5-nobody");
        }
    };
    world.publish(SetName::Platforms, 2, wrong).await;
    world.pass(61).await;
    world.credited(&trader, "100.00", 10_000).await;
    let after = shown(&world, &trader).await;
    assert_eq!(after["balance_at"], before["balance_at"], "nobody may look, so it is the one that was");
    let own = |rules: &mut Value| {
        let servers = rules["servers"].as_array_mut().unwrap();
        for server in servers {
            server["read_secret"] = server["secret"].clone();
        }
    };
    world.publish(SetName::Platforms, 3, own).await;
    world.pass(61).await;
    assert_eq!(shown(&world, &trader).await["balance"], dollars("100.00"));
}

#[tokio::test]
async fn what_moved_without_us_is_shown_when_the_time_is_over() {
    let world = probed(None).await;
    let trader = world.trader("USD").await;
    world.credited(&trader, "100.00", 10_000).await;
    assert_eq!(shown(&world, &trader).await["balance"], dollars("100.00"));
    moves(&world, &trader, "12.50").await;
    assert_eq!(shown(&world, &trader).await["balance"], dollars("100.00"));
    world.pass(11).await;
    assert_eq!(shown(&world, &trader).await["balance"], dollars("112.50"));
}
