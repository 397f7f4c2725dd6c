//! `accounts-change` and `accounts-set`: a change is set as it was asked for, and the account's record says what the platform has.

use domain::account::change::{Access, Change, ChangeStatus};
use domain::account::{Account, AccountStatus};
use serde_json::{Value, json};

use super::{every_kill, every_point, every_two_kills, traces};
use crate::world::{Customer, World};

const ASK: &str = "accounts-change";
const SET: &str = "accounts-set";

async fn account(world: &World, customer: &Customer) -> Account {
    let id = customer.trader.account_id.parse().unwrap();
    let stored = world.broker.crm().load::<Account>(&id).await.unwrap().unwrap();
    world.journal(&stored).await;
    stored.entity
}

async fn is_done(world: &World, change: &str) -> bool {
    let stored = world.broker.crm().load::<Change>(&change.parse().unwrap()).await.unwrap().unwrap();
    stored.entity.facts.status == ChangeStatus::Done && stored.entity.inner.kept
}

async fn on_platform(world: &World, customer: &Customer) -> Value {
    let state = world.desk.state("mt5", &format!("login={}&part=users", customer.trader.login)).await.unwrap();
    state["users"][0].clone()
}

async fn finish(world: &World, change: &str) {
    world.until("done", 30, async || is_done(world, change).await).await;
    world.drain().await;
    let stored = world.broker.crm().load::<Change>(&change.parse().unwrap()).await.unwrap().unwrap();
    world.journal(&stored).await;
    assert!(world.work().await.is_empty(), "nobody has to look");
}

async fn lowers(world: &World, fault: Option<&str>) {
    let customer = world.customer("USD").await;
    world.cold().await;
    if let Some(kind) = fault {
        world.desk.fault("mt5", json!({"operation": "user_update", "fault": {"kind": kind}})).await.unwrap();
    }
    world.killer.arm();
    let path = format!("/v1/accounts/{}/changes", customer.trader.account_id);
    let change = world.insist(&path, &json!({"leverage": 20}), 202).await.text_at("/change_id");
    finish(world, &change).await;
    let account = account(world, &customer).await;
    assert_eq!((account.facts.leverage, account.facts.upkeep.changes.len()), (20, 0));
    assert_eq!(on_platform(world, &customer).await["leverage"], 20);
}

async fn closes(world: &World) {
    let customer = world.customer("USD").await;
    world.cold().await;
    world.killer.arm();
    let url = world.broker.url(&format!("/v1/accounts/{}/changes", customer.trader.account_id));
    let key = format!("key-{}", world.fresh());
    let asked = world.desk.api.post(&url, world.broker.token("support"), &key, &json!({"status": "closed"})).await;
    let change = asked.unwrap().text_at("/change_id");
    finish(world, &change).await;
    let account = account(world, &customer).await;
    assert_eq!((account.facts.status, account.access()), (AccountStatus::Closed, Access::NoLogin));
    assert_eq!(on_platform(world, &customer).await["rights"].as_u64().unwrap() & 1, 0);
}

#[tokio::test]
async fn a_change_whose_asking_dies_anywhere_is_one_change() {
    let world = World::start().await;
    every_kill(&world, ASK, async |world: &World| lowers(world, None).await).await;
    every_two_kills(&world, ASK, async |world: &World| lowers(world, None).await).await;
}

#[tokio::test]
async fn a_change_whose_setting_dies_anywhere_is_set() {
    let world = World::start().await;
    let calls = every_kill(&world, SET, async |world: &World| lowers(world, None).await).await;
    let wanted = ["PutItem CrmTable", "POST api/user/update", "PutItem CrmTable", "TransactWriteItems CrmTable"];
    assert_eq!(traces(&calls), wanted, "intent, call, outcome, and the account's record");
    for kind in ["apply_then_drop", "drop"] {
        every_point(&world, SET, async |world: &World| lowers(world, Some(kind)).await).await;
    }
}

#[tokio::test]
async fn an_account_whose_closing_dies_anywhere_is_closed() {
    let world = World::start().await;
    every_two_kills(&world, SET, async |world: &World| closes(world).await).await;
}
