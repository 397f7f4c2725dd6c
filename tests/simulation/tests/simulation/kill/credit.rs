//! `payments-credit`: the client's money is on the account once.

use serde_json::{Value, json};

use super::{every_kill, every_point, every_two_kills, plain, play, traces};
use crate::checks::Story;
use crate::killer::Kill;
use crate::servers::{MT5, Server};
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

/// A payment in euro for an account in dollars. Who asks for a rate again gets another: what is credited is of one of them, the one that
/// was saved.
async fn pays_in_euro(world: &World, customer: &Customer) {
    world.cold().await;
    let payment = world.desk.deposit(&customer.trader, "250.00", "EUR", "stripe").await.unwrap();
    world.idle().await;
    let first = json!({"from": "EUR", "to": "USD", "bid": "1.0593", "ask": "1.0595", "at": world.now()});
    let rates = world.broker.simulators.url("rates");
    world.desk.api.control(&format!("{rates}/_control/reset"), &json!({})).await.unwrap();
    let fault = json!([{"operation": "quote", "fault": {"kind": "answer", "body": first}}]);
    world.desk.api.control(&format!("{rates}/_control/faults"), &fault).await.unwrap();
    let later = json!({"EUR/USD": "2.5"}).to_string().into_bytes();
    let url = format!("{rates}/_control/rates");
    world.desk.api.send(http::Method::PUT, &url, &[], later).await.unwrap().expect(200).unwrap();
    world.killer.arm();
    assert_eq!(world.pay(&payment, json!({})).await, [200]);
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    let stored = world.load(&payment).await;
    let fx = stored.entity.facts.fx.clone().unwrap();
    let amount = match fx.rate.to_string().as_str() {
        // 250 x 1.0593 x 0.995 = 263.500875
        "1.0593" => "263.50",
        // 250 x 2.5 x 0.995 = 621.875
        "2.5" => "621.88",
        other => panic!("nobody said {other}"),
    };
    let deals = customer.server.deals(world, &customer.trader.login, &payment).await;
    assert_eq!(deals.iter().map(|deal| deal.1.as_str()).collect::<Vec<_>>(), [amount]);
    assert_eq!(stored.entity.facts.credited.unwrap().amount_text(), amount);
    assert!(world.work_of(&payment).await.is_empty());
    world.journal(&stored).await;
}

#[tokio::test]
async fn a_worker_that_dies_anywhere_credits_a_converted_deposit_once() {
    let world = World::start().await;
    let customer = world.customer_at(&MT5, "USD").await;
    let calls = every_kill(&world, FUNCTION, async |world: &World| pays_in_euro(world, &customer).await).await;
    assert_eq!(traces(&calls), ["PutItem MoneyTable", books(&MT5), "PutItem MoneyTable"], "intent, call, outcome");
    assert!(calls.iter().any(|call| call == "GET quote"), "the rate comes before the intent: {calls:?}");
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
