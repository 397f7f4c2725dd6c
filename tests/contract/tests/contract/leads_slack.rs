//! Slack: the message about a lead, its buttons, and mail when Slack does not take it.

use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::leads::{floor, hot};
use crate::world::{World, expect};

/// The task that the newest message is about.
async fn task(world: &World) -> String {
    world.idle().await;
    let messages = world.recorded("slack", "").await["messages"].as_array().unwrap().clone();
    messages.last().unwrap()["message"]["blocks"][1]["elements"][0]["value"].as_str().unwrap().to_owned()
}

async fn press(world: &World, user: &str, action: &str, task: &str, webhook: Value) -> u64 {
    let order = json!({"user": user, "action_id": action, "value": task, "webhook": webhook});
    let sent = world.control("slack", "press", &order).await;
    world.idle().await;
    sent["deliveries"][0]["status"].as_u64().unwrap()
}

async fn changes(world: &World) -> Vec<String> {
    let changes = world.recorded("slack", "").await["changes"].as_array().unwrap().clone();
    changes.iter().map(|change| change["update"]["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_button_begins_the_task_of_whoever_it_is() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(hot("MX")).await;
    let task = task(&world).await;
    assert_eq!(press(&world, "U0STRANGER", "task_start", &task, json!({})).await, 200);
    assert_eq!(press(&world, "U0ELENA", "task_start", &task, json!({})).await, 200);
    assert_eq!(world.lead(&id).await["status"], "assigned", "neither of them has it");
    assert_eq!(press(&world, "U0SOFIA", "task_start", &task, json!({})).await, 200);
    assert_eq!(world.lead(&id).await["status"], "working");
    assert_eq!(press(&world, "U0SOFIA", "task_start", &task, json!({})).await, 200, "twice is once");
    let told = changes(&world).await;
    assert_eq!(
        told,
        [
            "You are not an agent of the sales floor.",
            "This lead is Sofía Reyes's.",
            "Sofía Reyes is calling.",
            "Sofía Reyes is calling."
        ]
    );
}

#[tokio::test]
async fn the_other_button_gives_the_lead_to_the_next_one() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(hot("MX")).await;
    let first = task(&world).await;
    assert_eq!(press(&world, "U0SOFIA", "task_decline", &first, json!({})).await, 200);
    assert_eq!(world.lead(&id).await["assignment"]["agent_id"], "agt_mateo_silva");
    assert_ne!(task(&world).await, first, "the next one was told");
    assert_eq!(press(&world, "U0SOFIA", "task_start", &first, json!({})).await, 200);
    assert_eq!(changes(&world).await.last().unwrap(), "Too late: this lead went to somebody else.");
}

#[tokio::test]
async fn a_forged_or_old_press_changes_nothing() {
    let world = floor("2026-11-25T20:00:00Z").await;
    world.submit(hot("MX")).await;
    let task = task(&world).await;
    let before = world.stored().await;
    for signature in ["wrong", "missing", "empty", "tampered", "old_timestamp", "future_timestamp"] {
        assert_eq!(
            press(&world, "U0SOFIA", "task_start", &task, json!({"signature": signature})).await,
            401,
            "{signature}"
        );
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn nobody_is_handed_a_number_that_must_not_be_called() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let mut silent = hot("MX");
    silent["consents"] = json!({"email": true, "phone": false});
    world.submit(silent).await;
    world.idle().await;
    let message = world.recorded("slack", "").await["messages"][0].to_string();
    assert!(message.contains("no consent to calls") && !message.contains("+52"), "{message}");
}

#[tokio::test]
async fn mail_goes_out_when_nobody_told_us_the_slack_channel() {
    let world = floor("2026-11-25T20:00:00Z").await;
    world
        .publish(SetName::Sales, 2, |document| document["teams"][0]["slack_secret"] = json!("pipworks/slack/nowhere"))
        .await;
    world.submit(hot("MX")).await;
    let mails = world.broker.simulators.mails();
    let text = format!("{:?}", mails.last());
    assert!(text.contains("sofia.reyes@broker.test") && text.contains("Ana Lopez"), "{text}");
}

#[tokio::test]
async fn mail_goes_out_when_slack_is_down_and_the_task_stands() {
    let world = floor("2026-11-25T20:00:00Z").await;
    world
        .faults("slack", &json!([{"operation": "message", "fault": {"kind": "refuse", "status": 503}, "times": 0}]))
        .await;
    let id = world.submit(hot("MX")).await;
    let mails = world.broker.simulators.mails();
    let text = format!("{:?}", mails.last());
    assert!(text.contains("sofia.reyes@broker.test") && text.contains("Ana Lopez"), "{text}");
    let task = world.lead(&id).await["assignment"]["task_id"].as_str().unwrap().to_owned();
    expect(world.on_task(&task, "start").await, 200);
}
