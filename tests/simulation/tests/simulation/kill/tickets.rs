//! `payments-credit` and what a person says to have booked: looked up, and taken or refused once.

use domain::StrayId;
use domain::payment::{Proof, StrayReport};
use serde_json::json;

use super::every_kill;
use crate::money::act;
use crate::world::{Customer, World};

const FUNCTION: &str = "payments-credit";

/// A deposit of which less came waits for a person, who names a ticket that proves nothing and then one that does.
async fn is_named(world: &World, customer: &Customer, right_first: bool) {
    world.cold().await;
    let payment = world.deposit(customer, "250.00").await;
    world.idle().await;
    assert_eq!(world.pay(&payment, json!({"amount_minor": 20_000})).await, [200]);
    world.until("a work item", 30, async || !world.work_of(&payment).await.is_empty()).await;
    world.drain().await;
    let ticket = booked(world, customer, "200.00").await;
    let named = if right_first { vec![ticket.clone()] } else { vec![format!("{ticket}0"), ticket.clone()] };
    let last = named.len() - 1;
    world.killer.arm();
    for (n, evidence) in named.iter().enumerate() {
        let item = world.work_of(&payment).await.remove(0);
        assert_eq!(usize::try_from(item.facts.opening).unwrap(), n);
        assert_eq!(act(world, &item, &json!({"action": "mark_credited", "evidence": evidence})).await, 200);
        let ended = async || match n == last {
            true => world.status(&payment).await == "credited",
            false => !world.work_of(&payment).await.is_empty(),
        };
        world.until("looked up", 30, ended).await;
        world.drain().await;
    }
    let stored = world.load(&payment).await;
    let facts = &stored.entity.facts;
    assert_eq!(
        (facts.platform.operation.as_ref(), facts.credited.unwrap().to_string()),
        (Some(&ticket), "200.00 USD".to_owned())
    );
    assert!(stored.entity.inner.named.is_empty() && stored.entity.due.is_none());
    assert!(world.work_of(&payment).await.is_empty(), "the item is resolved");
    assert!(world.deals(&customer.trader.login, &payment).await.is_empty(), "nothing was booked by us");
    let journal = world.journal(&stored).await;
    let times = |outcome: &str| journal.iter().filter(|entry| entry.record.outcome == outcome).count();
    assert_eq!((times("credited"), times("ticket_refused")), (1, named.len() - 1));
}

#[tokio::test]
async fn a_worker_that_dies_anywhere_takes_a_ticket_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let calls = every_kill(&world, FUNCTION, async |world: &World| is_named(world, &customer, true).await).await;
    assert!(calls.iter().any(|call| call.contains("deal/get")), "it is looked up: {calls:?}");
}

#[tokio::test]
async fn a_worker_that_dies_anywhere_refuses_a_ticket_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_kill(&world, FUNCTION, async |world: &World| is_named(world, &customer, false).await).await;
}

#[tokio::test]
async fn a_desk_that_dies_anywhere_opens_the_item_again_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_kill(&world, "ops-desk", async |world: &World| is_named(world, &customer, false).await).await;
}

#[tokio::test]
async fn a_decision_with_a_ticket_whose_taking_dies_anywhere_counts_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_kill(&world, "ops-work", async |world: &World| is_acted_on(world, &customer).await).await;
}

/// Money that no payment is there for: a person names a deal that proves nothing, and then the right one.
async fn is_named_for_a_stray(world: &World, customer: &Customer) {
    world.cold().await;
    let reference = format!("pi_nobodys{}", world.fresh());
    let event = json!({
        "type": "payment_intent.succeeded", "reference": reference, "amount_minor": 12_300, "currency": "usd",
        "webhook": {"times": 1},
    });
    world.desk.event("stripe", event).await.unwrap().expect(200).unwrap();
    world.drain().await;
    let item = async || {
        let all = world.work().await;
        all.into_iter().find(|item| item.facts.trigger["what"] == reference.as_str())
    };
    let ticket = booked(world, customer, "123.00").await;
    world.killer.arm();
    for (n, evidence) in [format!("{ticket}0"), ticket.clone()].into_iter().enumerate() {
        let open = item().await.unwrap();
        assert_eq!(usize::try_from(open.facts.opening).unwrap(), n);
        assert_eq!(act(world, &open, &json!({"action": "mark_credited", "evidence": evidence})).await, 200);
        let stray: StrayId = open.facts.subject["stray_id"].as_str().unwrap().parse().unwrap();
        let named = async || {
            let stored = world.broker.money().load::<StrayReport>(&stray).await.unwrap().unwrap();
            stored.entity.facts.named.is_some()
        };
        world.until("looked up", 30, async || !named().await).await;
        world.drain().await;
    }
    assert!(item().await.is_none(), "it is decided");
    let proof = Proof::Ticket(ticket);
    let holder = world.broker.money().proven_by("mt5-live", &proof).await.unwrap();
    assert!(holder.is_some_and(|holder| holder.starts_with("str_")), "the deal proves nothing else");
}

/// Somebody at the platform books money by hand; the deal's number.
async fn booked(world: &World, customer: &Customer, amount: &str) -> String {
    let login: u64 = customer.trader.login.parse().unwrap();
    let deal = json!([{"login": login, "action": 2, "profit": amount, "comment": "by hand"}]);
    let url = format!("{}/_control/deals", world.broker.simulators.url("mt5"));
    world.desk.api.control(&url, &deal).await.unwrap().json["deals"][0].to_string()
}

#[tokio::test]
async fn a_worker_that_dies_anywhere_takes_and_refuses_the_ticket_of_a_stray_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    every_kill(&world, FUNCTION, async |world: &World| is_named_for_a_stray(world, &customer).await).await;
}

/// Whoever gets no answer says it again.
async fn is_acted_on(world: &World, customer: &Customer) {
    world.cold().await;
    let payment = world.deposit(customer, "250.00").await;
    world.idle().await;
    assert_eq!(world.pay(&payment, json!({"amount_minor": 20_000})).await, [200]);
    world.until("a work item", 30, async || !world.work_of(&payment).await.is_empty()).await;
    world.drain().await;
    let ticket = booked(world, customer, "200.00").await;
    let item = world.work_of(&payment).await.remove(0);
    let decision = json!({"action": "mark_credited", "evidence": ticket});
    world.killer.arm();
    for _ in 0..5 {
        if act(world, &item, &decision).await == 200 {
            break;
        }
    }
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    assert!(world.work_of(&payment).await.is_empty());
}
