//! `payments-credit`: the client's money is on the account once.

use serde_json::{Value, json};

use super::{every_kill, every_point, every_two_kills, plain, play, traces};
use crate::checks::Story;
use crate::killer::Kill;
use crate::world::{Customer, World};

const FUNCTION: &str = "payments-credit";
const BOOKS: &str = "POST api/trade/balance";
/// Longer than a call of the platform may take, in milliseconds.
const TOO_LATE_MS: u64 = 20_000;

/// A payment is paid and credited, whatever happens to the worker.
async fn pays(world: &World, customer: &Customer, fault: Option<Value>) {
    world.cold().await;
    let since = world.now();
    let payment = world.deposit(customer, "250.00").await;
    world.idle().await;
    if let Some(fault) = fault {
        let fault = json!({"operation": "trade_balance", "match": {"comment": payment}, "fault": fault});
        world.desk.platform_fault(fault).await.unwrap();
    }
    world.killer.arm();
    assert_eq!(world.pay(&payment, json!({})).await, [200]);
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    Story { customer, payment: &payment, amount: "250.00", since }.is_credited_once(world).await;
}

#[tokio::test]
async fn a_worker_that_dies_anywhere_credits_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let calls = every_kill(&world, FUNCTION, async |world: &World| pays(world, &customer, None).await).await;
    assert_eq!(traces(&calls), ["PutItem MoneyTable", BOOKS, "PutItem MoneyTable"], "intent, call, outcome");
}

#[tokio::test]
async fn two_workers_that_die_anywhere_credit_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_two_kills(&world, FUNCTION, async |world: &World| pays(world, &customer, None).await).await;
}

#[tokio::test]
async fn a_worker_that_dies_on_a_platform_that_loses_answers_credits_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    for kind in ["apply_then_drop", "drop", "apply_then_garbage"] {
        let fault = json!({"kind": kind});
        every_point(&world, FUNCTION, async |world: &World| pays(world, &customer, Some(fault.clone())).await).await;
    }
}

/// The worker waits out the platform's time and dies before it can look.
async fn dies_after_a_time_out(kind: &str) {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let calls = plain(&world, FUNCTION, &async |world: &World| pays(world, &customer, None).await).await;
    let call = calls.iter().position(|call| call == BOOKS).unwrap();
    let fault = json!({"kind": kind, "ms": TOO_LATE_MS});
    let story = async |world: &World| pays(world, &customer, Some(fault.clone())).await;
    play(&world, FUNCTION, &[Kill::before(call + 1)], &story).await;
}

#[tokio::test]
async fn a_worker_that_dies_after_a_booking_whose_answer_never_came_credits_once() {
    dies_after_a_time_out("apply_then_timeout").await;
}

#[tokio::test]
async fn a_worker_that_dies_after_a_booking_that_was_never_made_credits_once() {
    dies_after_a_time_out("timeout_before").await;
}
