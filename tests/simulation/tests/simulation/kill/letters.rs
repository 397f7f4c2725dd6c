//! `ops-redrive`: what a person has processed again is sent back whole whoever dies, and what fails again waits for a new decision.

use domain::work::{WorkItem, WorkStatus};
use serde_json::json;

use super::every_kill;
use crate::world::{MINUTE, World};

const TRIES_MAX: usize = 5;

/// The item about a message that nobody can read.
async fn item_of(world: &World, body: &str) -> WorkItem {
    let mut ours: Vec<WorkItem> =
        world.work().await.into_iter().filter(|item| item.private.trigger["body"] == body).collect();
    assert_eq!(ours.len(), 1, "not one work item: {ours:?}");
    ours.remove(0)
}

async fn is_sent_back(world: &World) {
    world.cold().await;
    let body = format!("not an event: {}", world.fresh());
    world.broker.host.send_message("PaymentsCreditQueue", &body).unwrap();
    world.drain().await;
    let item = item_of(world, &body).await;
    world.cold().await;
    world.killer.arm();
    let url = world.broker.url(&format!("/v1/work/{}/actions", item.id));
    let mut tries = 0;
    loop {
        let retry = json!({"action": "retry"});
        let answer = world.desk.api.post(&url, world.broker.token("support"), "unused", &retry).await.unwrap();
        if answer.status == 200 {
            break;
        }
        tries += 1;
        assert!(answer.status >= 500 && tries < TRIES_MAX, "{}", answer.text);
        world.time.advance(MINUTE).await;
    }
    world.drain().await;
    let anew = item_of(world, &body).await;
    assert_eq!((anew.id.clone(), anew.facts.status, anew.facts.opening), (item.id, WorkStatus::Open, 1));
    let letters = world.broker.crm().letters(&anew.id).await.unwrap();
    let [letter] = letters.as_slice() else { panic!("not one letter: {letters:?}") };
    assert_eq!((letter.body.as_str(), letter.sent), (body.as_str(), false));
}

#[tokio::test]
async fn a_message_that_is_sent_back_is_not_lost_whoever_dies() {
    let world = World::start().await;
    let calls = every_kill(&world, "ops-redrive", is_sent_back).await;
    assert!(calls.iter().any(|call| call.starts_with("SendMessage")), "{calls:?}");
    every_kill(&world, "ops-dead-letters", is_sent_back).await;
}
