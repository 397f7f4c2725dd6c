//! `ops-timers` and `payments-overdue`: a webhook that never comes is asked for, whoever dies on the way.

use std::time::Duration;

use serde_json::json;

use super::{every_kill, every_point, traces};
use crate::checks::Story;
use crate::world::{Customer, World};

/// A minute less than the seed rules wait for a webhook.
const NEARLY_OVERDUE: Duration = Duration::from_secs(14 * 60);

async fn is_asked_for(world: &World, customer: &Customer) {
    world.cold().await;
    let since = world.now();
    let payment = world.deposit(customer, "250.00").await;
    world.pay(&payment, json!({"webhook": {"never": true}})).await;
    world.idle().await;
    world.time.advance(NEARLY_OVERDUE).await;
    world.killer.arm();
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    Story { customer, payment: &payment, amount: "250.00", since }.is_credited_once(world).await;
}

#[tokio::test]
async fn a_worker_that_dies_anywhere_finds_the_payment_at_the_provider() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let story = async |world: &World| is_asked_for(world, &customer).await;
    let calls = every_kill(&world, "payments-overdue", story).await;
    assert_eq!(traces(&calls), ["PutItem MoneyTable"], "one write");
}

#[tokio::test]
async fn a_timer_that_dies_anywhere_announces_the_payment() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_point(&world, "ops-timers", async |world: &World| is_asked_for(world, &customer).await).await;
}
