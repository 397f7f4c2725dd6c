//! A trading server that is being maintained: nobody calls it, nothing fails, and everything goes on when it is over.

use domain::Seconds;
use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::world::{World, account_request, deposit_request, expect, items};

/// The server is closed for an hour, from a minute from now on.
async fn announce(world: &World, server: &str) -> domain::Timestamp {
    let wall = |at: domain::Timestamp| at.to_string().get(..16).unwrap().to_owned();
    let from = world.now().plus(Seconds(120));
    let until: domain::Timestamp = format!("{}:00.000Z", wall(from.plus(Seconds(3_600)))).parse().unwrap();
    let windows = json!({
        "time_zone": "UTC", "dated": [{"from": wall(from), "until": wall(until)}],
        "note": {"en": "We are back at noon.", "es": "Volvemos a mediodía."},
    });
    world
        .publish(SetName::Platforms, 2, |rules| {
            let servers = rules["servers"].as_array_mut().unwrap();
            let of = servers.iter_mut().find(|one| one["name"] == server).unwrap();
            of["maintenance"] = windows;
        })
        .await;
    until
}

/// How often the simulated server was called.
fn calls(state: &Value) -> Value {
    state["calls"].clone()
}

#[tokio::test]
async fn nothing_is_called_and_nothing_fails_in_a_window_and_all_of_it_is_done_after_it() {
    let world = World::at("2026-11-25T10:00:00Z").await;
    let trader = world.trader("USD").await;
    let credited = world.credited(&trader, "100.00", 10_000).await;
    let fresh = expect(world.get("portal", &format!("/v1/accounts/{}", trader.account)).await, 200).json;
    assert!(fresh.get("platform_available_at").is_none());
    let late = world.deposit(&trader, "50.00", "stripe").await;
    let until = announce(&world, "mt5-live").await;
    world.pass(200).await;
    let before = calls(&world.recorded("mt5", "").await);
    assert!(before.is_object(), "the simulator counts its calls");

    // an account is asked for, money arrives, an account is changed, pages are looked at
    let path = format!("/v1/clients/{}/accounts", trader.client);
    let account = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
    expect(world.stripe(&world.intent(&late, "payment_intent.succeeded", 5_000, "usd")).await, 200);
    let changes = format!("/v1/accounts/{}/changes", trader.account);
    let change = expect(world.portal(&changes, &json!({"leverage": 20})).await, 202).text_at("/change_id");
    world.idle().await;
    for _ in 0..11 {
        world.pass(300).await;
        world.sweep().await;
        let shown = expect(world.get("portal", &format!("/v1/accounts/{}", trader.account)).await, 200).json;
        assert_eq!((&shown["status"], &shown["balance"]), (&json!("open"), &fresh["balance"]), "with its age");
        assert!(shown["balance_at"].as_str().unwrap() < world.now().to_string().as_str());
        assert_eq!(shown["platform_available_at"], json!(until), "{shown}");
        assert_eq!(shown["platform_note"], "We are back at noon.");
    }
    assert!(world.now() < until);
    assert_eq!(calls(&world.recorded("mt5", "").await), before, "nobody called");
    assert_eq!(items(&world.get("admin", "/v1/work?limit=100").await), Vec::<Value>::new());
    assert!(world.broker.host.dead_letters().values().all(Vec::is_empty));
    assert_eq!(world.status(&late.id).await, "paid");

    world.pass(600).await;
    world.sweep().await;
    assert!(world.now() > until);
    assert_eq!(world.status(&late.id).await, "credited");
    assert_eq!(world.status(&credited.id).await, "credited");
    let opened = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).json;
    assert_eq!(opened["status"], "open");
    assert!(opened.get("platform_available_at").is_none());
    assert_eq!(expect(world.get("portal", &format!("{changes}/{change}")).await, 200).json["status"], "done");
    assert_eq!(world.deals(&trader, &late).await.len(), 1);
    assert_eq!(items(&world.get("admin", "/v1/work?limit=100").await), Vec::<Value>::new());
}

#[tokio::test]
async fn other_servers_go_on_and_what_was_down_before_the_window_has_its_whole_time_after_it() {
    let world = World::at("2026-11-25T10:00:00Z").await;
    let trader = world.trader("USD").await;
    let client = world.client("es").await;
    announce(&world, "mt5-live").await;
    // it is down when the window begins: the credit was tried, and is waiting
    world.faults("mt5", &json!([{"operation": "*", "fault": {"kind": "drop"}, "times": 0}])).await;
    let payment = world.deposit(&trader, "50.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 5_000, "usd")).await, 200);
    world.idle().await;
    for _ in 0..12 {
        world.pass(300).await;
        world.sweep().await;
    }
    let mut body = account_request("USD");
    body["platform"] = json!("mt4");
    let other =
        expect(world.portal(&format!("/v1/clients/{client}/accounts"), &body).await, 202).text_at("/account_id");
    world.idle().await;
    assert_eq!(expect(world.get("portal", &format!("/v1/accounts/{other}")).await, 200).json["status"], "open");
    assert_eq!(items(&world.get("admin", "/v1/work?limit=100").await), Vec::<Value>::new());
    world.no_faults("mt5").await;
    world.pass(400).await;
    world.sweep().await;
    world.pass(120).await;
    world.sweep().await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    expect(world.portal(&trader.deposits(), &deposit_request(&trader, "20.00", "stripe")).await, 201);
}

#[tokio::test]
async fn a_rotated_password_counts_with_the_next_attempt_and_nobody_is_asked() {
    let world = World::at("2026-11-25T10:00:00Z").await;
    let trader = world.trader("USD").await;
    let name = "pipworks/local/platform/mt5-live";
    let right = world.broker.host.secret(name).unwrap();
    let mut wrong: Value = serde_json::from_str(&right).unwrap();
    wrong["password"] = json!("not-yet-Known1");
    world.broker.host.put_secret(name, &wrong.to_string());
    // what was kept is no longer, and the connection neither
    world.pass(301).await;
    let payment = world.deposit(&trader, "50.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 5_000, "usd")).await, 200);
    let path = format!("/v1/clients/{}/accounts", trader.client);
    let account = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
    let changes = format!("/v1/accounts/{}/changes", trader.account);
    let change = expect(world.portal(&changes, &json!({"leverage": 20})).await, 202).text_at("/change_id");
    assert_eq!(world.status(&payment.id).await, "paid", "the server does not take us");
    world.broker.host.put_secret(name, &right);
    // less than the time for which a secret is kept
    for _ in 0..3 {
        world.pass(65).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).json["status"], "open");
    assert_eq!(expect(world.get("portal", &format!("{changes}/{change}")).await, 200).json["status"], "done");
    assert_eq!(items(&world.get("admin", "/v1/work?limit=100").await), Vec::<Value>::new());
}
