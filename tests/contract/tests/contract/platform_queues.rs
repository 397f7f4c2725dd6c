//! One platform hangs, and the others do not notice.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{World, account_request, expect};

async fn ask(world: &World, client: &str, platform: &str) -> String {
    let mut body = account_request("USD");
    body["platform"] = json!(platform);
    expect(world.portal(&format!("/v1/clients/{client}/accounts"), &body).await, 202).text_at("/account_id")
}

async fn status(world: &World, account: &str) -> Value {
    expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).json["status"].clone()
}

/// Within a time that no hanging server would leave.
async fn opens_at_once(world: &World, account: &str) {
    let began = Instant::now();
    while status(world, account).await != "open" {
        assert!(began.elapsed() < Duration::from_secs(5), "{account} waits for another platform");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn while_one_platform_hangs_an_account_on_another_opens_and_changes_at_once() {
    let world = World::start().await;
    let client = world.client("en").await;
    world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "delay", "ms": 8_000}, "times": 0}])).await;
    let mut hanging = Vec::new();
    for _ in 0..12 {
        hanging.push(ask(&world, &client, "mt5").await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for platform in ["mt4", "ctrader", "dxtrade"] {
        let account = ask(&world, &client, platform).await;
        opens_at_once(&world, &account).await;
        let changes = format!("/v1/accounts/{account}/changes");
        let change = expect(world.portal(&changes, &json!({"leverage": 20})).await, 202).text_at("/change_id");
        let began = Instant::now();
        let path = format!("{changes}/{change}");
        while expect(world.get("portal", &path).await, 200).json["status"] != "done" {
            assert!(began.elapsed() < Duration::from_secs(5), "{platform}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_ne!(status(&world, &hanging[11]).await, "open", "the other platform still hangs");
    world.no_faults("mt5").await;
    for _ in 0..4 {
        world.idle().await;
        world.pass(120).await;
        world.sweep().await;
    }
    for account in &hanging {
        assert_eq!(status(&world, account).await, "open");
    }
    let users = world.recorded("mt5", "").await["users"].as_array().unwrap().len();
    assert_eq!(users, hanging.len(), "each once");
}
