//! `payments-initiate`: a client who tries again with the same key has one payment, here and at the provider.

use serde_json::json;

use super::{every_kill, every_two_kills};
use crate::checks::Story;
use crate::world::{Customer, World};

const FUNCTION: &str = "payments-initiate";

async fn opens(world: &World, customer: &Customer, psp: &str, book: &str) {
    world.cold().await;
    let since = world.now();
    let part = format!("part={book}");
    let known = async || world.desk.state(psp, &part).await.unwrap()[book].as_array().unwrap().len();
    let before = known().await;
    let trader = &customer.trader;
    let body = json!({
        "account_id": trader.account_id, "amount": {"amount": "250.00", "currency": "USD"}, "psp": psp,
        "return_url": "https://portal.example.com/done",
    });
    world.killer.arm();
    let path = format!("/v1/clients/{}/deposits", trader.client_id);
    let payment = world.insist(&path, &body, 201).await.text_at("/payment_id");
    assert_eq!(known().await - before, 1, "one payment at the provider");
    let client = trader.client_id.parse().unwrap();
    let payments = world.broker.money().payments_of(&client, 10, None).await.unwrap().items;
    let new: Vec<String> =
        payments.iter().filter(|p| p.entity.inner.opened >= since).map(|p| p.entity.id.to_string()).collect();
    assert_eq!(new, std::slice::from_ref(&payment), "one payment here");
    let outcome = if psp == "praxis" { "approved" } else { "succeeded" };
    world.desk.pay(psp, &payment, json!({"outcome": outcome})).await.unwrap();
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    Story { customer, payment: &payment, amount: "250.00", since }.is_credited_once(world).await;
}

#[tokio::test]
async fn a_deposit_whose_opening_dies_anywhere_is_opened_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let stripe = async |world: &World| opens(world, &customer, "stripe", "intents").await;
    every_kill(&world, FUNCTION, stripe).await;
    every_two_kills(&world, FUNCTION, stripe).await;
}

#[tokio::test]
async fn a_deposit_at_a_provider_that_knows_no_idempotency_key_is_opened_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_kill(&world, FUNCTION, async |world: &World| opens(world, &customer, "praxis", "orders").await).await;
}

/// Stripe opens it and its answer is lost, each time it is asked, so the next provider of the rules has it as well.
async fn opens_at_two(world: &World, customer: &Customer, paid_at: &str) {
    world.cold().await;
    let since = world.now();
    let trader = &customer.trader;
    let amount = json!({"amount": "250.00", "currency": "USD"});
    let body = json!({"account_id": trader.account_id, "amount": amount, "psp": "auto"});
    world.killer.arm();
    let path = format!("/v1/clients/{}/deposits", trader.client_id);
    let payment = world.insist(&path, &body, 201).await.text_at("/payment_id");
    assert_eq!(world.load(&payment).await.entity.facts.psp.name, "adyen");
    world.desk.pay(paid_at, &payment, json!({})).await.unwrap();
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    assert_eq!(world.load(&payment).await.entity.facts.psp.name, paid_at);
    Story { customer, payment: &payment, amount: "250.00", since }.is_credited_once(world).await;
}

#[tokio::test]
async fn a_deposit_that_two_providers_have_is_credited_once_whichever_is_paid() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let lost = json!({"operation": "create_intent", "fault": {"kind": "apply_then_drop"}, "times": 0});
    world.desk.fault("stripe", lost).await.unwrap();
    for paid_at in ["stripe", "adyen"] {
        every_kill(&world, FUNCTION, async |world: &World| opens_at_two(world, &customer, paid_at).await).await;
    }
}
