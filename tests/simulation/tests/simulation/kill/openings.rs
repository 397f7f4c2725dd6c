//! `accounts-open`: a client whom the rules give several accounts has each of them once, and a person is asked once about the one that
//! cannot be opened.

use std::sync::Arc;

use broker::local::Options;
use domain::rule_sets::SetName;
use host::{LocalTime, SystemClock};
use runtime::Clock as _;
use serde_json::{Value, json};

use super::{every_kill, every_two_kills, traces};
use crate::killer::Killer;
use crate::world::World;

const FUNCTION: &str = "accounts-open";

/// Two accounts at registration, and a third that is one too many.
fn open_by_rule(set: SetName, document: &mut Value) {
    if set != SetName::Platforms {
        return;
    }
    let row = |id: &str, platform: &str, currency: &str| {
        json!({
            "id": id, "when": "always", "then": {"platform": platform, "account_type": "standard",
            "currency": currency, "leverage": 30, "kind": "demo"},
        })
    };
    document["openings"] = json!([row("mt5", "mt5", "USD"), row("mt4", "mt4", "USD"), row("mt4_eur", "mt4", "EUR")]);
    document["account_limits"] =
        json!([{"id": "one_mt4", "when": {"field": "platform", "eq": "mt4"}, "then": {"max": 1}}]);
}

async fn world() -> World {
    let killer = Arc::new(Killer::default());
    let options = Options { probe: Some(killer.clone()), adjust: Some(open_by_rule), ..Options::default() };
    World::with(LocalTime::standing(SystemClock.now()), killer, options).await
}

async fn registers(world: &World) {
    world.cold().await;
    let counts = async || {
        let accounts = world.count("CrmTable", "acc_").await;
        (accounts, world.count("CrmTable", "opn_").await, world.count("CrmTable", "wrk_").await)
    };
    let before = counts().await;
    let body = json!({
        "email": format!("client-{}@example.com", world.fresh()), "full_name": "Ana Lopez", "date_of_birth": "1990-05-17",
        "residence": "ES", "nationality": "MX", "language": "en",
    });
    world.killer.arm();
    let client = world.insist("/v1/clients", &body, 201).await.text_at("/client_id");
    world.drain().await;
    let after = counts().await;
    assert_eq!((after.0 - before.0, after.1 - before.1, after.2 - before.2), (2, 1, 1), "accounts, refusals, items");
    let path = format!("/v1/clients/{client}/accounts");
    let shown = world.desk.look("portal", &path).await.unwrap().json;
    for account in shown["items"].as_array().unwrap() {
        assert_eq!(account["status"], "open", "{shown}");
        let platform = account["platform"].as_str().unwrap();
        let state = world.desk.state(platform, "part=users").await.unwrap();
        let users = state["users"].as_array().unwrap();
        assert_eq!(users.iter().filter(|user| user["comment"] == account["account_id"]).count(), 1, "{platform}");
    }
}

#[tokio::test]
async fn an_opening_that_dies_anywhere_opens_each_account_once_and_asks_once() {
    let calls = every_kill(&world().await, FUNCTION, registers).await;
    assert_eq!(traces(&calls), ["TransactWriteItems CrmTable"], "all of it or nothing");
}

#[tokio::test]
async fn two_openings_that_die_anywhere_open_each_account_once_and_ask_once() {
    every_two_kills(&world().await, FUNCTION, registers).await;
}
