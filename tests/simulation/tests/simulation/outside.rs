//! Messages to the desks while the channel to them is out of order. The law: whatever is broken, what could not be told is one item for
//! each way to a desk, and never one for each notice.

use std::time::Duration;

use broker::rules;
use domain::rule_sets::SetName;
use domain::work::WorkItem;
use serde_json::{Value, json};

use crate::world::World;

/// Real time in which what one message sets off is over, many times.
const SETTLED: Duration = Duration::from_secs(30);
/// The desk of dead letters and its channel, as the seed rules have them.
const WAY: &str = "support by slack";

/// The secret with the address of every desk's channel cannot be read.
async fn no_desk_is_reached(world: &World) {
    let mut document = world.broker.rule_document(SetName::Notifications).unwrap();
    for (_, desk) in document["desks"].as_object_mut().unwrap() {
        desk["slack_secret"] = json!("pipworks/no-such-secret");
    }
    let version = world.fresh();
    let published =
        rules::publish(&world.broker.rules(), SetName::Notifications, version, &document, world.now()).await;
    assert!(published.unwrap());
    world.cold().await;
}

/// Slack does not answer, and comes back when nobody tries any more.
async fn slack_is_down(world: &World) {
    let fault = json!([{"operation": "message", "fault": {"kind": "drop"}, "times": 1_000}]);
    let url = format!("{}/_control/faults", world.broker.simulators.url("slack"));
    world.desk.api.control(&url, &fault).await.unwrap();
}

/// The rules say nothing that can be used about whom to tell.
async fn nobody_knows_whom_to_tell(world: &World) {
    let version = world.fresh();
    let published =
        rules::publish(&world.broker.rules(), SetName::Notifications, version, &json!({"desks": 1}), world.now()).await;
    assert!(published.unwrap());
    world.cold().await;
}

fn unreachable(items: &[WorkItem]) -> Vec<&str> {
    items.iter().filter_map(|item| item.facts.subject.get("unreachable").and_then(Value::as_str)).collect()
}

/// So many messages that nothing can be made of, and all the time that it takes until nothing happens any more.
async fn items_of_dead_letters(world: &World, letters: usize) -> Vec<WorkItem> {
    for number in 0..letters {
        world.broker.host.send_message("PaymentsDeadLetters", &format!("not an event {number}")).unwrap();
    }
    let is_over = tokio::time::timeout(SETTLED, world.drain()).await.is_ok();
    let items = world.work().await;
    assert!(is_over, "{letters} dead letters are {} work items and no end", items.len());
    items
}

/// That nobody can be told of a work item is one more thing for a person, and not without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_that_cannot_be_reached_is_not_told_of_that_for_ever() {
    let world = World::start().await;
    no_desk_is_reached(&world).await;
    let items = items_of_dead_letters(&world, 1).await;
    assert_eq!((items.len(), unreachable(&items)), (2, vec![WAY]));
    // more notices that do not arrive add nothing to the one item about the desk
    let items = items_of_dead_letters(&world, 4).await;
    assert_eq!((items.len(), unreachable(&items)), (5, vec![WAY]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_is_down_for_hours_is_one_item() {
    let world = World::start().await;
    slack_is_down(&world).await;
    let items = items_of_dead_letters(&world, 3).await;
    assert_eq!((items.len(), unreachable(&items)), (4, vec![WAY]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_usable_rules_the_queue_of_the_items_stands_for_the_desk() {
    let world = World::start().await;
    nobody_knows_whom_to_tell(&world).await;
    let items = items_of_dead_letters(&world, 3).await;
    assert_eq!((items.len(), unreachable(&items)), (4, vec!["support"]));
}

/// Publishes the messages' rules, changed.
async fn told_by(world: &World, change: impl FnOnce(&mut Value)) {
    let mut document = world.broker.rule_document(SetName::Notifications).unwrap();
    change(&mut document);
    rules::check(SetName::Notifications, &document).unwrap();
    let version = world.fresh();
    let published =
        rules::publish(&world.broker.rules(), SetName::Notifications, version, &document, world.now()).await;
    assert!(published.unwrap());
    world.cold().await;
}

/// The mail to the desk goes out, Slack cannot be reached: the mail is noted, and however often the notice comes again it is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_took_a_message_does_not_take_it_again_because_another_fails() {
    const DESK: &str = "support@example.com";
    let world = World::start().await;
    told_by(&world, |document| {
        for (_, desk) in document["desks"].as_object_mut().unwrap() {
            *desk = json!({"slack_secret": "pipworks/no-such-secret", "email": DESK});
        }
        let routes = document["routes"].as_array_mut().unwrap();
        let route = routes.iter_mut().find(|route| route["event"] == "work.opened").unwrap();
        route["channels"] = json!(["email", "slack"]);
    })
    .await;
    let items = items_of_dead_letters(&world, 1).await;
    assert_eq!((items.len(), unreachable(&items)), (2, vec!["support by email, support by slack"]));
    assert_eq!(world.mails(DESK, ""), 2, "the desk knows of both items by mail");
    let undelivered = items.iter().find(|item| !unreachable(std::slice::from_ref(item)).is_empty()).unwrap();
    let notice = undelivered.private.trigger["body"].as_str().unwrap();
    for _ in 0..3 {
        world.time.advance(crate::world::MINUTE * 2).await;
        world.broker.host.send_message("OpsNotifyQueue", notice).unwrap();
        world.drain().await;
    }
    assert_eq!(world.mails(DESK, ""), 2);
}

/// The client's mail fails; the desk that is told of the same event is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_cannot_be_told_keeps_nobody_else_from_being_told() {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    told_by(&world, |document| {
        let route = json!({"event": "deposit.failed", "to": "desk", "desk": "support", "channels": ["slack"], "template": "of_failed"});
        document["routes"].as_array_mut().unwrap().push(route);
        document["templates"]["of_failed"] = json!({"en": {"body": "{{payment_id}} has failed"}});
    })
    .await;
    let payment = world.deposit(&customer, "250.00").await;
    world.idle().await;
    let fault = json!([{"operation": "send_email", "fault": {"kind": "refuse", "status": 500}, "times": 0}]);
    let url = format!("{}/_control/faults", world.broker.simulators.url("mail"));
    world.desk.api.control(&url, &fault).await.unwrap();
    world.pay(&payment, json!({"outcome": "failed"})).await;
    world.idle().await;
    assert_eq!(world.mails(&customer.email, &payment), 0);
    let slack = world.desk.state("slack", "part=messages").await.unwrap();
    let told = format!("{payment} has failed");
    let times = slack["messages"].as_array().unwrap().iter().filter(|message| message.to_string().contains(&told));
    assert_eq!(times.count(), 1);
}
