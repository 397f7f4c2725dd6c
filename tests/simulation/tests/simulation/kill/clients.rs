//! `kyc-register` and `accounts-request`: a portal that tries again with the same key has one client and one account.

use broker::day::steps::Trader;
use serde_json::{Value, json};

use super::every_kill;
use crate::world::World;

async fn registers(world: &World) {
    world.cold().await;
    let clients = async || world.count("CrmTable", "cli_").await;
    let before = clients().await;
    let body = json!({
        "email": format!("client-{}@example.com", world.fresh()), "full_name": "Ana Lopez",
        "date_of_birth": "1990-05-17", "residence": "ES", "nationality": "MX", "language": "en",
    });
    world.killer.arm();
    world.insist("/v1/clients", &body, 201).await;
    world.drain().await;
    assert_eq!(clients().await - before, 1, "one client");
}

fn request() -> Value {
    json!({"platform": "mt5", "account_type": "standard", "currency": "EUR", "leverage": 30, "kind": "live"})
}

async fn asks_for_an_account(world: &World, trader: &Trader) {
    world.cold().await;
    let accounts = async || world.count("CrmTable", "acc_").await;
    let before = accounts().await;
    world.killer.arm();
    world.insist(&format!("/v1/clients/{}/accounts", trader.client_id), &request(), 202).await;
    world.drain().await;
    assert_eq!(accounts().await - before, 1, "one account");
}

#[tokio::test]
async fn a_registration_that_dies_anywhere_is_one_client() {
    let world = World::start().await;
    every_kill(&world, "kyc-register", registers).await;
}

#[tokio::test]
async fn a_request_for_an_account_that_dies_anywhere_is_one_account() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let story = async |world: &World| asks_for_an_account(world, &customer.trader).await;
    every_kill(&world, "accounts-request", story).await;
}
