//! What becomes of what a function fails at: nothing that is due stands still, nothing that was committed is lost, and a person
//! is told once.

use std::collections::BTreeSet;

use domain::account::{Account, AccountStatus};
use domain::payment::Deposit;
use domain::rule_sets::SetName;
use host::template::{ACCOUNT, REGION};
use serde_json::{Value, json};
use store::{RuleVersion, Stored};

use crate::world::{Payment, World, account_request, expect, items};

/// Publishes a rule set that nobody can use.
async fn break_rules(world: &World, set: &str, version: u64) {
    let broken = RuleVersion {
        set: set.to_owned(),
        version,
        document: "{}".to_owned(),
        author: "nobody".to_owned(),
        published_by: None,
        effective_at: world.now(),
    };
    assert!(world.broker.rules().publish(&broken, "{}").await.unwrap());
}

async fn stored(world: &World, payment: &Payment) -> Stored<Deposit> {
    world.broker.money().load(&payment.id.parse().unwrap()).await.unwrap().unwrap()
}

async fn dead_letters(world: &World) -> Vec<Value> {
    let work = items(&world.get("support", "/v1/work?queue=support").await);
    work.into_iter().filter(|item| item["kind"] == "dead_letter").collect()
}

async fn later(world: &World, seconds: u64) {
    world.pass(seconds).await;
    world.sweep().await;
}

#[tokio::test]
async fn what_is_due_and_fails_comes_again_later_each_time_and_is_one_work_item() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    let first = stored(&world, &payment).await;
    break_rules(&world, "psps", 2).await;
    for (waits, letters) in [(901, 0), (61, 0), (121, 0), (241, 1), (481, 1)] {
        later(&world, waits).await;
        let now = stored(&world, &payment).await;
        assert_eq!((now.version, now.hash), (first.version, first.hash), "no version of its own");
        assert!(now.entity.due.is_some_and(|due| due > world.now()), "it is due later: {:?}", now.entity.due);
        let letters_now = dead_letters(&world).await;
        assert_eq!(letters_now.len(), letters, "{letters_now:?}");
        assert!(world.broker.host.queue_depths().values().all(|depth| depth.visible + depth.delayed == 0));
    }
    let letter = &dead_letters(&world).await[0];
    assert_eq!(
        (&letter["subject"]["entity"], &letter["subject"]["queue"]),
        (&json!(payment.id), &json!("pipworks-local-payments-overdue"))
    );
    assert_eq!(letter["trigger"]["message_attributes"]["reason"]["stringValue"], "Rules");

    // a person repairs the rules: the automation goes on by itself
    world.publish(SetName::Psps, 3, |_| ()).await;
    later(&world, 961).await;
    let moved = stored(&world, &payment).await;
    assert!(moved.version > first.version, "{:?}", moved.entity.facts);
}

#[tokio::test]
async fn a_message_that_cannot_be_understood_is_a_work_item_at_once_and_anew_when_it_happens_again() {
    let world = World::start().await;
    let file = async || {
        world.broker.host.send_message("PaymentsCreditQueue", "{\"detail\": 7}").unwrap();
        world.idle().await;
        dead_letters(&world).await
    };
    let filed = file().await;
    assert_eq!(filed.len(), 1, "{filed:?}");
    assert_eq!(filed[0]["subject"]["queue"], "pipworks-local-payments-credit");
    let again = file().await;
    assert_eq!((again.len(), &again[0]["work_id"]), (1, &filed[0]["work_id"]), "{again:?}");
    let work_id = filed[0]["work_id"].as_str().unwrap();
    let closed = world.act("support", work_id, &json!({"action": "resolve", "outcome": "seen to"})).await;
    assert_eq!(closed.status, 200, "{:?}", closed.json);
    assert_eq!(dead_letters(&world).await.len(), 0);
    let anew = file().await;
    assert_eq!((anew.len(), anew[0]["work_id"].as_str()), (1, Some(work_id)), "{anew:?}");
}

/// Where the password of the live trading server is.
const MANAGER: &str = "pipworks/local/platform/mt5-live";

/// Decides that a dead letter is processed again.
async fn retry(world: &World, item: &Value) {
    let work_id = item["work_id"].as_str().unwrap();
    assert_eq!(world.act("support", work_id, &json!({"action": "retry"})).await.status, 200);
    world.idle().await;
}

/// Lets a message fail as often as its queue allows.
async fn give_up(world: &World) {
    for _ in 0..6 {
        world.pass(181).await;
        world.idle().await;
    }
}

#[tokio::test]
async fn what_is_processed_again_is_the_whole_message_and_only_once_a_decision() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let good = world.broker.host.secret(MANAGER).unwrap();
    world.broker.host.put_secret(MANAGER, "not what it was");
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    world.pay("stripe", &payment, json!({})).await;
    give_up(&world).await;
    let filed = dead_letters(&world).await;
    assert_eq!((filed.len(), &filed[0]["subject"]["entity"]), (1, &json!(payment.id)), "{filed:?}");
    let actions: Vec<&Value> = filed[0]["options"].as_array().unwrap().iter().map(|option| &option["action"]).collect();
    assert_eq!(actions, ["retry", "close"]);

    // nothing is mended: the same item is open again, and waits for a decision of its own
    retry(&world, &filed[0]).await;
    assert_eq!(dead_letters(&world).await.len(), 0);
    give_up(&world).await;
    let anew = dead_letters(&world).await;
    assert_eq!((anew.len(), &anew[0]["work_id"]), (1, &filed[0]["work_id"]), "{anew:?}");
    assert_eq!(world.status(&payment.id).await, "paid");

    world.broker.host.put_secret(MANAGER, &good);
    world.pass(301).await;
    retry(&world, &anew[0]).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    // whoever hears of the decision twice sends nothing twice
    let work_id = anew[0]["work_id"].as_str().unwrap();
    let calls = world.vendor_calls();
    for opening in [0, 1] {
        let detail = json!({
            "event_id": format!("{work_id}:2:0"), "entity": work_id, "version": 2, "type": "work.decided", "at": world.now(),
            "correlation_id": "again", "data": {"opening": opening},
        });
        world.broker.host.send_message("OpsRedriveQueue", &json!({"detail": detail}).to_string()).unwrap();
        world.idle().await;
    }
    assert_eq!((world.vendor_calls(), dead_letters(&world).await.len()), (calls, 0));
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_letter_of_any_size_is_sent_back_byte_for_byte() {
    let world = World::start().await;
    // nobody can read it, so it comes back as it was sent
    let body = json!({"image": "Größe ".repeat(120_000)}).to_string();
    assert!(body.len() > 800_000);
    world.broker.host.send_message("PaymentsCreditQueue", &body).unwrap();
    world.idle().await;
    let filed = dead_letters(&world).await;
    let shown = filed[0]["trigger"]["body"].as_str().unwrap();
    assert!(shown.chars().count() == 8_001 && shown.ends_with('…'));
    let id = filed[0]["work_id"].as_str().unwrap().parse().unwrap();
    let kept = async || world.broker.crm().letters(&id).await.unwrap();
    let before = kept().await;
    assert_eq!((before.len(), before[0].body == body, before[0].sent), (1, true, false));
    retry(&world, &filed[0]).await;
    let after = kept().await;
    assert_eq!((after.len(), after[0].body == body, after[0].sent), (1, true, false));
    assert_ne!(after[0].message_id, before[0].message_id, "it came back and was kept anew");
    assert_eq!(dead_letters(&world).await.len(), 1);
}

#[tokio::test]
async fn a_message_can_be_sent_back_to_every_queue_that_is_consumed_and_to_no_other() {
    let world = World::start().await;
    let template = world.broker.host.template();
    let dead: BTreeSet<&str> =
        template.queues.values().filter_map(|queue| Some(queue.redrive.as_ref()?.dead_letters.as_str())).collect();
    let arn = |queue: &str| format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}");
    let wanted: BTreeSet<String> = template
        .queues
        .values()
        .filter(|queue| !dead.contains(queue.name.as_str()))
        .map(|queue| arn(&queue.name))
        .collect();
    let function = &template.functions["OpsRedriveFunction"];
    let sends = function
        .statements
        .iter()
        .filter(|statement| statement.actions.iter().any(|action| action == "sqs:SendMessage"));
    let mut allowed: BTreeSet<String> = sends.flat_map(|statement| statement.resources.clone()).collect();
    // where it puts what it fails at itself
    assert!(allowed.remove(&arn("pipworks-local-ops-dead-letters")));
    assert_eq!(allowed, wanted);
}

#[tokio::test]
async fn what_cannot_be_sent_back_is_not_offered() {
    let world = World::start().await;
    let note = json!({"requestContext": {"functionArn": "arn:aws:lambda:eu-west-1:1:function:pipworks-local-ops-relay"}, "DDBStreamBatchInfo": {}});
    world.broker.host.send_message("OpsDeadLetters", &note.to_string()).unwrap();
    world.idle().await;
    let filed = dead_letters(&world).await;
    assert_eq!(filed[0]["options"].as_array().unwrap().len(), 1);
    let work_id = filed[0]["work_id"].as_str().unwrap();
    assert_eq!(world.act("support", work_id, &json!({"action": "retry"})).await.status, 422);
    assert_eq!(world.act("support", work_id, &json!({"action": "close"})).await.status, 200);
}

/// Announces an entity once more, as a queue that delivers twice does.
async fn announce(world: &World, queue: &str, kind: &str, entity: &str) {
    let detail = json!({
        "event_id": format!("{entity}:2:0"), "entity": entity, "version": 2, "type": kind, "at": world.now(),
        "correlation_id": "again"
    });
    world.broker.host.send_message(queue, &json!({"detail": detail}).to_string()).unwrap();
    world.idle().await;
}

fn undelivered(world: &World) -> usize {
    world.broker.host.queue_depths().values().map(|depth| depth.visible + depth.delayed + depth.in_flight).sum()
}

#[tokio::test]
async fn a_message_about_a_credit_that_waits_for_its_time_does_not_wait_too() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.faults("mt5", &json!([{"operation": "trade_balance", "fault": {"kind": "drop"}, "times": 1}])).await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    world.pay("stripe", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "crediting_unknown");
    for _ in 0..3 {
        announce(&world, "PaymentsCreditQueue", "deposit.paid", &payment.id).await;
    }
    assert_eq!(undelivered(&world), 0, "{:?}", world.broker.host.queue_depths());
    later(&world, 61).await;
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn a_message_about_an_account_that_waits_for_its_time_does_not_wait_too() {
    let world = World::start().await;
    let client = world.client("en").await;
    world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "drop"}, "times": 1}])).await;
    let path = format!("/v1/clients/{client}/accounts");
    let id = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
    world.idle().await;
    let status = async || world.broker.crm().load::<Account>(&id.parse().unwrap()).await.unwrap().unwrap().entity;
    assert_eq!(status().await.facts.status, AccountStatus::Unknown);
    for _ in 0..3 {
        announce(&world, "AccountsCreateQueue", "account.requested", &id).await;
    }
    assert_eq!(undelivered(&world), 0, "{:?}", world.broker.host.queue_depths());
    later(&world, 61).await;
    assert_eq!(status().await.facts.status, AccountStatus::Open);
}

/// An item of a table as it stands, in the form of a stream's image.
async fn item(world: &World, table: &str, key: Value) -> Value {
    let name = &world.broker.host.template().tables[table].name;
    let got = world.broker.host.db().request("GetItem", &json!({"TableName": name, "Key": key})).await.unwrap();
    got["Item"].clone()
}

#[tokio::test]
async fn a_version_that_cannot_be_journalled_is_parked_whole_and_the_others_go_on() {
    let world = World::start().await;
    let name = &world.broker.host.template().tables["MoneyTable"].name;
    let poison = json!({
        "pk": {"S": "pay_00000000000000000000000000"}, "sk": {"S": "#"}, "kind": {"S": "deposit"}, "v": {"N": "1"},
        "state": {"S": "{}"}, "outbox": {"S": "not a record"},
    });
    let put = json!({"TableName": name, "Item": poison});
    world.broker.host.db().request("PutItem", &put).await.unwrap();
    world.idle().await;
    let parked = world.broker.host.queue_depths()["pipworks-local-relay-parked"];
    assert_eq!(parked.delayed, 1, "it waits for somebody who can read it: {parked:?}");

    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    world.idle().await;
    let journal = world.get("finance", &format!("/v1/journal?entity={}", payment.id)).await;
    assert_eq!((&journal.json["verified"], items(&journal).len()), (&json!(true), 4), "{:?}", journal.json);
}

#[tokio::test]
async fn a_parked_version_is_delivered_when_it_comes_again() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    world.idle().await;
    let path = format!("/v1/journal?entity={}", payment.id);
    let image = item(&world, "MoneyTable", json!({"pk": {"S": payment.id}, "sk": {"S": "#"}})).await;
    // as if the relay had parked the newest version instead of journalling it
    let journal = &world.broker.host.template().tables["JournalTable"].name;
    let key = json!({"entity": {"S": payment.id}, "version": {"N": "4"}});
    world.broker.host.db().request("DeleteItem", &json!({"TableName": journal, "Key": key})).await.unwrap();
    assert_eq!(items(&world.get("finance", &path).await).len(), 3);
    let body = json!({"image": image}).to_string();
    world.broker.host.send_message("pipworks-local-relay-parked", &body).unwrap();
    world.idle().await;
    let shown = world.get("finance", &path).await;
    assert_eq!((&shown.json["verified"], items(&shown).len()), (&json!(true), 4), "{:?}", shown.json);
    assert_eq!(world.broker.ledger_of(&trader.account.parse().unwrap()).await.unwrap().len(), 1, "booked once");
}
