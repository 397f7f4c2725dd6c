//! `ops-relay`: everything reaches the bus at least once and the journal and the ledger exactly once.
//!
//! Each event of a credited deposit is told to the client, so an event that never reached the bus is a message missed.

use serde_json::json;

use crate::checks::Story;
use crate::killer::{Kill, Numbers, Run};
use crate::world::{Customer, World};

const FUNCTION: &str = "ops-relay";

async fn is_relayed(world: &World, customer: &Customer, kills: &[Kill]) -> Vec<Run> {
    world.cold().await;
    world.killer.plan(FUNCTION, Numbers::OfTheStory, kills);
    let since = world.now();
    world.killer.arm();
    let payment = world.deposit(customer, "250.00").await;
    world.idle().await;
    assert_eq!(world.pay(&payment, json!({})).await, [200]);
    world.until("credited", 30, async || world.status(&payment).await == "credited").await;
    world.drain().await;
    let runs = world.killer.disarm();
    let _case = super::Case(format!("{FUNCTION} {kills:?}"));
    Story { customer, payment: &payment, amount: "250.00", since }.is_credited_once(world).await;
    runs
}

#[tokio::test]
async fn a_relay_that_dies_anywhere_loses_nothing_and_journals_once() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    // the first payment of a day makes the server's day known, too
    is_relayed(&world, &customer, &[]).await;
    let runs = is_relayed(&world, &customer, &[]).await;
    let calls: Vec<String> = runs.into_iter().flat_map(|run| run.calls).collect();
    let puts = |table: &str| calls.iter().filter(|call| **call == format!("PutItem {table}")).count();
    // four versions of the deposit, and one of the client's activity
    assert_eq!((puts("JournalTable"), puts("MoneyTable")), (5, 1), "five versions, one ledger entry: {calls:?}");
    assert!(calls.iter().any(|call| call.starts_with("PutEvents")), "{calls:?}");
    for kill in super::both_sides(&calls) {
        let runs = is_relayed(&world, &customer, &[kill]).await;
        assert!(runs.iter().any(|run| run.killed == Some(kill)), "nobody died {kill:?}");
    }
}

#[tokio::test]
async fn a_relay_that_dies_at_every_second_call_loses_nothing() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let kills: Vec<Kill> = (0..8).map(|n| if n % 2 == 0 { Kill::after(2 * n) } else { Kill::before(2 * n) }).collect();
    let runs = is_relayed(&world, &customer, &kills).await;
    assert!(runs.iter().filter(|run| run.killed.is_some()).count() >= 4, "too few died");
}
