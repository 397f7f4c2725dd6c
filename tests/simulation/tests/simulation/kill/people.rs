//! `ops-desk`, `ops-work` and `payments-decide`: one work item, one decision, one credit.

use domain::payment::DepositStatus;
use serde_json::json;

use super::every_kill;
use crate::checks::Story;
use crate::world::{Customer, MINUTE, World};

const TRIES_MAX: usize = 5;

/// A payment that brought less than was asked for waits for a person, with one work item. Its id.
async fn waits(world: &World, payment: &str) -> String {
    world.until("a work item", 30, async || !world.work_of(payment).await.is_empty()).await;
    world.drain().await;
    let items = world.work_of(payment).await;
    let [item] = items.as_slice() else { panic!("not one work item: {items:?}") };
    assert_eq!(item.facts.kind, "deposit_underpaid");
    let stored = world.broker.crm().load(&item.id).await.unwrap().unwrap();
    world.journal::<domain::work::WorkItem>(&stored).await;
    item.id.to_string()
}

async fn underpays(world: &World, customer: &Customer) -> String {
    let payment = world.deposit(customer, "250.00").await;
    world.idle().await;
    assert_eq!(world.pay(&payment, json!({"amount_minor": 20_000})).await, [200]);
    payment
}

async fn is_handed_over(world: &World, customer: &Customer) {
    world.cold().await;
    let since = world.now();
    world.killer.arm();
    let payment = underpays(world, customer).await;
    waits(world, &payment).await;
    assert_eq!(world.told(customer, since).await, ["deposit.needs_review", "deposit.pending"]);
    assert!(world.deals(&customer.trader.login, &payment).await.is_empty(), "nothing is credited by itself");
}

/// A clerk acts and tries again until there is an answer.
async fn acts(world: &World, work: &str, action: &str) {
    let url = world.broker.url(&format!("/v1/work/{work}/actions"));
    for _ in 0..TRIES_MAX {
        let body = json!({"action": action, "note": "agreed by phone"});
        let answer = world.desk.api.post(&url, world.broker.token("finance"), "unused", &body).await.unwrap();
        match answer.status {
            200 => return,
            // the first try came through and its answer did not
            409 if action != "claim" => return,
            500.. => drop(world.time.advance(MINUTE).await),
            _ => panic!("{}", answer.text),
        }
    }
    panic!("no answer to {action}")
}

async fn is_decided(world: &World, customer: &Customer) {
    world.cold().await;
    let since = world.now();
    let payment = underpays(world, customer).await;
    let work = waits(world, &payment).await;
    world.cold().await;
    world.killer.arm();
    acts(world, &work, "claim").await;
    acts(world, &work, "credit_paid_amount").await;
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    let stored = world.load(&payment).await;
    assert_eq!(stored.entity.status(), DepositStatus::Credited);
    Story { customer, payment: &payment, amount: "200.00", since }.is_booked_once(world, &stored).await;
    assert!(world.work_of(&payment).await.is_empty(), "the item is resolved");
}

#[tokio::test]
async fn a_desk_that_dies_anywhere_opens_one_work_item() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_kill(&world, "ops-desk", async |world: &World| is_handed_over(world, &customer).await).await;
}

#[tokio::test]
async fn a_decision_whose_taking_dies_anywhere_counts_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_kill(&world, "ops-work", async |world: &World| is_decided(world, &customer).await).await;
}

#[tokio::test]
async fn a_decision_whose_use_dies_anywhere_credits_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_kill(&world, "payments-decide", async |world: &World| is_decided(world, &customer).await).await;
}
