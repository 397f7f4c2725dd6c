//! `payments-withdraw`, `payments-credit` and `payments-payout`: a withdrawal is taken off the account once and paid once, or put back.

use domain::withdrawal::{Withdrawal, WithdrawalStatus};
use serde_json::{Value, json};

use super::{Case, every_kill, every_point, every_two_kills, traces};
use crate::killer::{Kill, Numbers};
use crate::world::{Customer, World};

const ASK: &str = "payments-withdraw";
const BOOK: &str = "payments-credit";
const PAY: &str = "payments-payout";

/// A customer with a credited deposit that can be paid back.
struct Payer {
    customer: Customer,
    source: String,
}

async fn payer(world: &World) -> Payer {
    let customer = world.customer("USD").await;
    let source = world.deposit(&customer, "50000.00").await;
    assert_eq!(world.pay(&source, json!({})).await, [200]);
    world.until("credited", 30, async || world.status(&source).await == "credited").await;
    Payer { customer, source }
}

async fn status(world: &World, id: &str) -> WithdrawalStatus {
    world.broker.money().load::<Withdrawal>(&id.parse().unwrap()).await.unwrap().unwrap().entity.status()
}

async fn ask(world: &World, payer: &Payer, amount: &str) -> String {
    let body = json!({
        "account_id": payer.customer.trader.account_id, "amount": {"amount": amount, "currency": "USD"},
        "destination": {"psp": "stripe", "source_payment_id": payer.source},
    });
    let path = format!("/v1/clients/{}/withdrawals", payer.customer.trader.client_id);
    world.insist(&path, &body, 201).await.text_at("/payment_id")
}

/// What stands on the platform for it, and what the provider paid.
async fn outside(world: &World, payer: &Payer, id: &str) -> (Vec<String>, usize) {
    let deals = world.deals(&payer.customer.trader.login, id).await;
    (deals.into_iter().map(|(_, amount)| amount).collect(), world.desk.refunds_of(id).await.unwrap())
}

async fn ends_well(world: &World, payer: &Payer, id: &str) {
    world.drain().await;
    let stored = world.broker.money().load::<Withdrawal>(&id.parse().unwrap()).await.unwrap().unwrap();
    world.journal(&stored).await;
    assert!(world.work_of(id).await.is_empty(), "nobody has to look");
    // the deposit that it was paid back from lost nothing, and knows of it
    let source = world.load(&payer.source).await;
    world.journal(&source).await;
    assert_eq!(source.entity.status().as_str(), "credited");
    let paid = stored.entity.status() == WithdrawalStatus::PaidOut;
    assert_eq!(source.entity.pays_back(&stored.entity.id), paid);
}

async fn pays(world: &World, payer: &Payer, fault: Option<(&str, Value)>) {
    world.cold().await;
    if let Some((simulator, fault)) = fault {
        world.desk.fault(simulator, fault).await.unwrap();
    }
    world.killer.arm();
    let id = ask(world, payer, "10.00").await;
    world.until("paid out", 90, async || status(world, &id).await == WithdrawalStatus::PaidOut).await;
    ends_well(world, payer, &id).await;
    let (deals, refunds) = outside(world, payer, &id).await;
    assert_eq!((deals, refunds), (vec!["-10.00".to_owned()], 1));
}

/// The provider refuses after the debit: whoever puts it back may die.
async fn comes_back(world: &World, payer: &Payer) {
    world.cold().await;
    let refuse = json!({"operation": "create_refund", "fault": {"kind": "refuse", "status": 400}});
    let silent = json!({"operation": "create_refund", "fault": {"kind": "refuse", "status": 503}});
    world.desk.fault("stripe", silent).await.unwrap();
    let id = ask(world, payer, "10.00").await;
    world.until("unknown", 30, async || status(world, &id).await == WithdrawalStatus::PayoutUnknown).await;
    world.desk.fault("stripe", refuse).await.unwrap();
    world.killer.arm();
    world.until("returned", 90, async || status(world, &id).await == WithdrawalStatus::Returned).await;
    ends_well(world, payer, &id).await;
    let (mut deals, refunds) = outside(world, payer, &id).await;
    deals.sort();
    assert_eq!((deals, refunds), (vec!["-10.00".to_owned(), "10.00".to_owned()], 0));
}

#[tokio::test]
async fn a_wish_whose_asking_dies_anywhere_is_one_withdrawal() {
    let world = World::start().await;
    let payer = payer(&world).await;
    every_two_kills(&world, ASK, async |world: &World| pays(world, &payer, None).await).await;
}

#[tokio::test]
async fn a_debit_that_dies_anywhere_is_made_once() {
    let world = World::start().await;
    let payer = payer(&world).await;
    let calls = every_kill(&world, BOOK, async |world: &World| pays(world, &payer, None).await).await;
    let wanted = ["PutItem MoneyTable", "POST api/trade/balance", "PutItem MoneyTable"];
    assert_eq!(traces(&calls), wanted, "intent, call, outcome");
    every_two_kills(&world, BOOK, async |world: &World| pays(world, &payer, None).await).await;
    for kind in ["apply_then_drop", "drop"] {
        let fault = json!({"operation": "trade_balance", "fault": {"kind": kind}});
        let fault = Some(("mt5", fault));
        every_point(&world, BOOK, async |world: &World| pays(world, &payer, fault.clone()).await).await;
    }
}

#[tokio::test]
async fn a_payout_that_dies_anywhere_is_made_once() {
    let world = World::start().await;
    let payer = payer(&world).await;
    let calls = every_kill(&world, PAY, async |world: &World| pays(world, &payer, None).await).await;
    let wanted = ["TransactWriteItems MoneyTable", "POST v1/refunds", "PutItem MoneyTable"];
    assert_eq!(traces(&calls), wanted, "intent with what is kept of the source, call, outcome");
    every_two_kills(&world, PAY, async |world: &World| pays(world, &payer, None).await).await;
    for kind in ["apply_then_drop", "drop"] {
        let fault = Some(("stripe", json!({"operation": "create_refund", "fault": {"kind": kind}})));
        every_point(&world, PAY, async |world: &World| pays(world, &payer, fault.clone()).await).await;
    }
}

#[tokio::test]
async fn what_is_put_back_is_put_back_once_whoever_dies() {
    let world = World::start().await;
    let payer = payer(&world).await;
    every_two_kills(&world, BOOK, async |world: &World| comes_back(world, &payer).await).await;
}

/// Over two sources of 10.00 each, by a customer of its own; whether the provider refuses the younger one.
async fn goes_in_legs(world: &World, refused: bool) {
    let customer = &world.customer("USD").await;
    let mut sources = Vec::new();
    for _ in 0..2 {
        let source = world.deposit(customer, "10.00").await;
        assert_eq!(world.pay(&source, json!({})).await, [200]);
        world.until("credited", 30, async || world.status(&source).await == "credited").await;
        world.minute().await;
        sources.push(source);
    }
    world.cold().await;
    if refused {
        let source = world.load(&sources[1]).await.entity.facts.psp.reference;
        let refuse = json!({"operation": "create_refund", "match": {"payment_intent": source}, "fault": {"kind": "refuse", "status": 400}, "times": 0});
        world.desk.fault("stripe", refuse).await.unwrap();
    }
    world.killer.arm();
    let body = json!({
        "account_id": customer.trader.account_id, "amount": {"amount": "20.00", "currency": "USD"},
        "destination": {"auto": true},
    });
    let path = format!("/v1/clients/{}/withdrawals", customer.trader.client_id);
    let asked = world.insist(&path, &body, 201).await;
    let id = asked.text_at("/payment_id");
    let legs: Vec<String> = (0..2).map(|leg| asked.text_at(&format!("/legs/{leg}/payment_id"))).collect();
    world.until("paid out", 90, async || status(world, &id).await == WithdrawalStatus::PaidOut).await;
    world.drain().await;
    let whole = world.broker.money().load::<Withdrawal>(&id.parse().unwrap()).await.unwrap().unwrap();
    world.journal(&whole).await;
    let shown = |money: Option<domain::Money>| money.map(|money| money.amount_text());
    let part = if refused { "10.00" } else { "20.00" };
    assert_eq!(shown(whole.entity.facts.paid).as_deref(), Some(part));
    assert_eq!(shown(whole.entity.facts.returned).as_deref(), refused.then_some("10.00"));
    for (place, (leg, source)) in legs.iter().zip(&sources).enumerate() {
        let stored = world.broker.money().load::<Withdrawal>(&leg.parse().unwrap()).await.unwrap().unwrap();
        world.journal(&stored).await;
        assert!(world.work_of(leg).await.is_empty(), "nobody has to look");
        let is_paid = !(refused && place == 1);
        let deals: Vec<String> =
            world.deals(&customer.trader.login, leg).await.into_iter().map(|(_, amount)| amount).collect();
        let put_back: &[&str] = if is_paid { &[] } else { &["10.00"] };
        assert_eq!(deals, put_back, "leg {place}");
        assert_eq!(world.desk.refunds_of(leg).await.unwrap(), usize::from(is_paid), "leg {place}");
        assert_eq!(world.load(source).await.entity.pays_back(&stored.entity.id), is_paid);
    }
    let deals: Vec<String> =
        world.deals(&customer.trader.login, &id).await.into_iter().map(|(_, amount)| amount).collect();
    assert_eq!(deals, ["-20.00"], "one debit for all");
}

/// One death at either side of every call that the function makes for the whole story, whichever leg it is made for.
async fn dies_at_every_call(function: &'static str, refused: bool) {
    let world = World::start().await;
    world.killer.plan(function, Numbers::OfTheStory, &[]);
    goes_in_legs(&world, refused).await;
    let calls: usize = world.killer.disarm().iter().map(|run| run.calls.len()).sum();
    let mut died = 0;
    for kill in (0..calls).flat_map(|call| [Kill::before(call), Kill::after(call)]) {
        let _case = Case(format!("{function} {kill:?}, refused: {refused}"));
        world.killer.plan(function, Numbers::OfTheStory, &[kill]);
        goes_in_legs(&world, refused).await;
        let runs = world.killer.disarm();
        let made: usize = runs.iter().map(|run| run.calls.len()).sum();
        let has_died = runs.iter().any(|run| run.killed.is_some());
        // legs run side by side: a story may have fewer calls than the first had, and only then is there nobody to die
        assert!(has_died || made <= kill.call, "nobody died at one of {made} calls");
        died += usize::from(has_died);
    }
    assert!(died > calls, "{died} deaths at {calls} calls");
}

#[tokio::test]
async fn legs_are_paid_once_whoever_dies_paying_them() {
    dies_at_every_call(PAY, false).await;
}

#[tokio::test]
async fn a_leg_that_fails_is_put_back_once_whoever_dies_paying_or_booking() {
    dies_at_every_call(PAY, true).await;
    dies_at_every_call(BOOK, true).await;
}

#[tokio::test]
async fn a_plan_whose_asking_dies_anywhere_is_one_withdrawal_with_its_legs() {
    dies_at_every_call(ASK, false).await;
}
