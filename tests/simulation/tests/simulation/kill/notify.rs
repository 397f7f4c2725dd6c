//! `ops-notify`: in the portal once. Outside the house at most once, but for one window that nobody can close: the
//! mail service and Slack know no idempotency, so who dies between sending and noting it is followed by one who
//! sends again.

use std::cell::RefCell;

use serde_json::json;

use super::{both_sides, plain, play};
use crate::killer::{Kill, Side};
use crate::world::{Customer, World};

const FUNCTION: &str = "ops-notify";

/// Whether a death leaves a message sent and not noted.
fn in_the_window(kill: Kill, calls: &[String], send: &str) -> bool {
    let place = |name: &str| calls.iter().position(|call| call.starts_with(name)).unwrap();
    let (sent, noted) = (place(send), place("UpdateItem CrmTable"));
    assert!(sent < noted, "a message is noted after it is sent: {calls:?}");
    match kill.side {
        Side::After => sent <= kill.call && kill.call < noted,
        Side::Before => sent < kill.call && kill.call <= noted,
    }
}

/// A payment fails: one message in the portal and one e-mail. The payment.
async fn fails(world: &World, customer: &Customer) -> String {
    world.cold().await;
    let since = world.now();
    let payment = world.deposit(customer, "250.00").await;
    world.idle().await;
    world.cold().await;
    world.killer.arm();
    assert_eq!(world.pay(&payment, json!({"outcome": "failed"})).await, [200]);
    world.drain().await;
    assert_eq!(world.told(customer, since).await, ["deposit.failed", "deposit.pending"]);
    payment
}

#[tokio::test]
async fn a_notifier_that_dies_anywhere_mails_once_or_in_its_window_twice() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    let payment = RefCell::new(String::new());
    let story = async |world: &World| {
        let failed = fails(world, &customer).await;
        *payment.borrow_mut() = failed;
    };
    let calls = plain(&world, FUNCTION, &story).await;
    let mails = || world.mails(&customer.email, &payment.borrow());
    assert_eq!(mails(), 1);
    for kill in both_sides(&calls) {
        play(&world, FUNCTION, &[kill], &story).await;
        let expected = if in_the_window(kill, &calls, "SendEmail") { 2 } else { 1 };
        assert_eq!(mails(), expected, "{kill:?} of {calls:?}");
    }
}

/// A dead letter is filed, and the desk is told on Slack. How often.
async fn is_filed(world: &World) -> usize {
    world.cold().await;
    world.killer.arm();
    // a body of its own, for the same one again is the same item
    let body = format!("not an event: {}", world.fresh());
    let message = world.broker.host.send_message("PaymentsDeadLetters", &body).unwrap();
    world.drain().await;
    let ours: Vec<_> =
        world.work().await.into_iter().filter(|item| item.facts.subject["message_id"] == *message).collect();
    let [item] = ours.as_slice() else { panic!("not one work item: {ours:?}") };
    let slack = world.desk.state("slack", "part=messages").await.unwrap();
    slack["messages"].as_array().unwrap().iter().filter(|told| told.to_string().contains(item.id.as_str())).count()
}

#[tokio::test]
async fn a_notifier_that_dies_anywhere_tells_the_desk_once_or_in_its_window_twice() {
    let world = World::start().await;
    let told = RefCell::new(0);
    let story = async |world: &World| {
        let times = is_filed(world).await;
        *told.borrow_mut() = times;
    };
    let calls = plain(&world, FUNCTION, &story).await;
    assert_eq!(*told.borrow(), 1);
    for kill in both_sides(&calls) {
        play(&world, FUNCTION, &[kill], &story).await;
        let expected = if in_the_window(kill, &calls, "POST services") { 2 } else { 1 };
        assert_eq!(*told.borrow(), expected, "{kill:?} of {calls:?}");
    }
}

#[tokio::test]
async fn a_dead_letter_whose_filing_dies_anywhere_is_one_work_item() {
    let world = World::start().await;
    super::every_kill(&world, "ops-dead-letters", async |world: &World| assert_eq!(is_filed(world).await, 1)).await;
}
