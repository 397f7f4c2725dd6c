//! `payments-credit`: the client's money is on the account once.

use serde_json::{Value, json};

use super::{every_kill, every_point, every_two_kills, plain, play, traces};
use crate::checks::Story;
use crate::killer::Kill;
use crate::servers::Server;
use crate::world::{Customer, World};

const FUNCTION: &str = "payments-credit";
/// Longer than a call of the platform may take, in milliseconds.
const TOO_LATE_MS: u64 = 20_000;

/// The call that books the money.
fn books(server: &Server) -> &'static str {
    match server.name {
        "mt5" => "POST api/trade/balance",
        "mt4" => "POST api/v2/MT4/5f3a1c52-0000-4000-8000-000000000004/TradeTransaction",
        "ctrader" => "POST v2/webserv/traders/{id}/changebalance",
        _ => "PUT dxweb/rest/api/register/account/pipworks/{id}/deposit/{id}",
    }
}

/// A payment is paid and credited, whatever happens to the worker.
async fn pays(world: &World, customer: &Customer, fault: Option<Value>) {
    world.cold().await;
    let since = world.now();
    let payment = world.deposit(customer, "250.00").await;
    world.idle().await;
    if let Some(fault) = fault {
        let server = customer.server;
        let fault = json!({"operation": server.book, "match": {server.reference: payment}, "fault": fault});
        server.fault(world, fault).await;
    }
    world.killer.arm();
    assert_eq!(world.pay(&payment, json!({})).await, [200]);
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    Story { customer, payment: &payment, amount: "250.00", since }.is_credited_once(world).await;
}

async fn a_worker_that_dies_anywhere_credits_once(server: &'static Server) {
    let world = World::start().await;
    let customer = world.customer_at(server, "USD").await;
    let calls = every_kill(&world, FUNCTION, async |world: &World| pays(world, &customer, None).await).await;
    assert_eq!(traces(&calls), ["PutItem MoneyTable", books(server), "PutItem MoneyTable"], "intent, call, outcome");
}

async fn two_workers_that_die_anywhere_credit_once(server: &'static Server) {
    let world = World::start().await;
    let customer = world.customer_at(server, "USD").await;
    every_two_kills(&world, FUNCTION, async |world: &World| pays(world, &customer, None).await).await;
}

async fn a_worker_that_dies_on_a_platform_that_loses_answers_credits_once(server: &'static Server) {
    let world = World::start().await;
    let customer = world.customer_at(server, "USD").await;
    for kind in ["apply_then_drop", "drop", "apply_then_garbage"] {
        let fault = json!({"kind": kind});
        every_point(&world, FUNCTION, async |world: &World| pays(world, &customer, Some(fault.clone())).await).await;
    }
}

/// The worker waits out the platform's time and dies before it can look.
async fn dies_after_a_time_out(server: &'static Server, kind: &str) {
    let world = World::start().await;
    let customer = world.customer_at(server, "USD").await;
    let calls = plain(&world, FUNCTION, &async |world: &World| pays(world, &customer, None).await).await;
    let call = calls.iter().position(|call| call == books(server)).unwrap();
    let fault = json!({"kind": kind, "ms": TOO_LATE_MS});
    let story = async |world: &World| pays(world, &customer, Some(fault.clone())).await;
    play(&world, FUNCTION, &[Kill::after(call)], &story).await;
}

async fn a_worker_that_dies_after_a_booking_whose_answer_never_came_credits_once(server: &'static Server) {
    dies_after_a_time_out(server, "apply_then_timeout").await;
}

async fn a_worker_that_dies_after_a_booking_that_was_never_made_credits_once(server: &'static Server) {
    dies_after_a_time_out(server, "timeout_before").await;
}

super::on_each_platform! {
    a_worker_that_dies_anywhere_credits_once
    two_workers_that_die_anywhere_credit_once
    a_worker_that_dies_on_a_platform_that_loses_answers_credits_once
    a_worker_that_dies_after_a_booking_whose_answer_never_came_credits_once
    a_worker_that_dies_after_a_booking_that_was_never_made_credits_once
}
