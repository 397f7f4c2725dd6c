//! `payments-webhook`: who gets no answer sends again, and the payment counts once.

use serde_json::json;

use super::{every_kill, every_two_kills, traces};
use crate::checks::Story;
use crate::world::{Customer, MINUTE, World};

const FUNCTION: &str = "payments-webhook";
/// Deliveries until the provider is answered.
const DELIVERIES_MAX: usize = 5;

async fn is_told(world: &World, customer: &Customer) {
    world.cold().await;
    let since = world.now();
    let payment = world.deposit(customer, "250.00").await;
    world.idle().await;
    world.killer.arm();
    let mut answers = world.pay(&payment, json!({})).await;
    for _ in 0..DELIVERIES_MAX {
        if answers == [200] {
            break;
        }
        assert!(answers[0] >= 500, "a provider does not send again after {answers:?}");
        world.time.advance(MINUTE).await;
        answers = world.resend(&payment).await;
    }
    assert_eq!(answers, [200]);
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    Story { customer, payment: &payment, amount: "250.00", since }.is_credited_once(world).await;
}

#[tokio::test]
async fn a_webhook_that_dies_anywhere_counts_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let calls = every_kill(&world, FUNCTION, async |world: &World| is_told(world, &customer).await).await;
    assert_eq!(traces(&calls), ["PutItem MoneyTable"], "one write");
    every_two_kills(&world, FUNCTION, async |world: &World| is_told(world, &customer).await).await;
}
