//! The time is moved on: everything that is due on the way, in the order of its time, in one step or in many.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;
use host::{Delivery, Host, HostConfig, LocalTime, TemplateSource};
use runtime::{Clock as _, FunctionError, Ports};
use serde_json::{Value, json};

use crate::support::{FIXTURE, announce, append, call, code, config, failed, item_of};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// What happened, with the second after noon.
type History = Arc<Mutex<Vec<(i64, String)>>>;

fn remember(history: &History, ports: &Ports, what: &str) {
    let second = ports.clock.now().millis_since(noon()) / 1_000;
    history.lock().unwrap().push((second, what.to_owned()));
}

/// What happens in one second happens in any order.
fn told(history: &History) -> Vec<(i64, String)> {
    let mut all = history.lock().unwrap().clone();
    assert!(all.is_sorted_by_key(|(second, _)| *second), "out of order: {all:?}");
    all.sort();
    all
}

/// Each message travels as long as the next of these says, in seconds.
struct Late(Mutex<Vec<u64>>);

impl Delivery for Late {
    fn delays(&self, _: &str, _: &str) -> Vec<Duration> {
        vec![Duration::from_secs(self.0.lock().unwrap().pop().unwrap_or(0))]
    }
}

/// The fixture with a daily timer beside the one of each minute, standing at noon.
fn standing() -> HostConfig {
    let mut config = config();
    let daily = "  TickRule:\n    Type: AWS::Events::Rule\n    Properties:\n      ScheduleExpression: rate(1 minute)";
    let other = "  DailyRule:\n    Type: AWS::Events::Rule\n    Properties:\n      ScheduleExpression: cron(7 13 * * ? *)\n      \
                 Targets: [{Id: function, Arn: !GetAtt TickFunction.Arn, Input: '{\"daily\": true}'}]\n\n";
    assert!(FIXTURE.contains(daily));
    config.template = TemplateSource::Text(FIXTURE.replace(daily, &format!("{other}{daily}")));
    config.manual_schedules = false;
    config.time = LocalTime::standing(noon());
    config
}

/// Timers, a queue whose function is down for a while, a stream whose function is down for longer, late messages.
async fn busy_morning() -> (Host, History) {
    let history = History::default();
    let mut config = standing();
    config.delivery = Some(Arc::new(Late(Mutex::new(vec![0, 1_000, 61, 400, 0, 95]))));
    let seen = Arc::clone(&history);
    let tick = code(move |ports, event: Value| {
        remember(&seen, &ports, if event["daily"] == true { "daily" } else { "tick" });
        async { Ok(Value::Null) }
    });
    let (seen, tries) = (Arc::clone(&history), Arc::new(AtomicUsize::new(0)));
    let relay = code(move |ports, event: Value| {
        let (seen, tries) = (Arc::clone(&seen), Arc::clone(&tries));
        async move {
            // the first tries are over in a moment, the later ones wait for the time
            if tries.fetch_add(1, Ordering::Relaxed) < 14 {
                return Err(failed("Down"));
            }
            for record in event["Records"].as_array().unwrap() {
                let id = record["dynamodb"]["NewImage"]["pk"]["S"].as_str().unwrap().to_owned();
                remember(&seen, &ports, &format!("relay {id}"));
                announce(&ports, &json!({"id": id, "data": {}})).await?;
            }
            Ok(json!({"batchItemFailures": []}))
        }
    });
    let (seen, tries) = (Arc::clone(&history), Arc::new(Mutex::new(BTreeMap::<String, u32>::new())));
    let work = code(move |ports, event: Value| {
        let records = event["Records"].as_array().unwrap();
        let failures: Vec<Value> = records
            .iter()
            .filter(|record| {
                let id = item_of(record);
                let mut tries = tries.lock().unwrap();
                let tries = tries.entry(id.clone()).or_default();
                *tries += 1;
                remember(&seen, &ports, &format!("work {id} {tries}"));
                *tries < 3
            })
            .map(|record| json!({"itemIdentifier": record["messageId"]}))
            .collect();
        async move { Ok(json!({"batchItemFailures": failures})) }
    });
    let replaced = [("steps-tick", tick), ("steps-relay", relay), ("steps-work", work)];
    config.registry.extend(replaced.map(|(name, code)| (name.to_owned(), code)));
    // one lane: which items share one is not what is looked at
    config.template = match config.template {
        TemplateSource::Text(text) => {
            TemplateSource::Text(text.replace("MaximumRetryAttempts: 2", "MaximumRetryAttempts: 99"))
        }
        path => path,
    };
    let host = Host::start(config).await.unwrap();
    for id in ["i-1", "i-2", "i-3"] {
        assert_eq!(call(&host, "POST", &format!("/v1/items/{id}"), b"").await.0, 201);
        host.idle().await;
    }
    (host, history)
}

#[tokio::test]
async fn many_small_steps_and_one_large_one_give_the_same_history() {
    let mut histories = Vec::new();
    for step in [1, 59, 61, 1_000, 2 * HOUR] {
        let (host, history) = busy_morning().await;
        let mut left = 2 * HOUR;
        while left > 0 {
            let by = step.min(left);
            host.time().advance(Duration::from_secs(by)).await;
            left -= by;
        }
        let moved = host.time().now().millis_since(noon()) / 1_000;
        assert_eq!(moved, i64::try_from(2 * HOUR).unwrap(), "a step of {step} s");
        histories.push((step, told(&history)));
    }
    let (_, first) = &histories[0];
    for (step, history) in &histories[1..] {
        assert_eq!(history, first, "steps of {step} s");
    }
    let count = |name: &str| first.iter().filter(|(_, what)| what.starts_with(name)).count();
    assert_eq!((count("tick"), count("daily"), count("relay"), count("work")), (120, 1, 3, 9), "{first:?}");
    assert!(first.contains(&(67 * 60, "daily".to_owned())), "at 13:07");
    // each message waits for its way and then twice for its visibility of 30 seconds
    for id in ["i-1", "i-2", "i-3"] {
        let at = |n: u32| first.iter().find(|(_, what)| *what == format!("work {id} {n}")).unwrap().0;
        assert_eq!((at(2) - at(1), at(3) - at(1)), (30, 60), "{first:?}");
    }
}

#[tokio::test]
async fn the_answer_comes_when_everything_on_the_way_is_done() {
    let done = Arc::new(AtomicUsize::new(0));
    let mut config = standing();
    let counted = Arc::clone(&done);
    let slow = code(move |ports, _| {
        let counted = Arc::clone(&counted);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            announce(&ports, &json!({"id": "tick", "data": {}})).await?;
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(Value::Null)
        }
    });
    config.registry.insert("steps-tick".to_owned(), slow);
    let worked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&worked);
    let work = code(move |_, event: Value| {
        let counted = Arc::clone(&counted);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            counted.fetch_add(event["Records"].as_array().unwrap().len(), Ordering::Relaxed);
            Ok(json!({"batchItemFailures": []}))
        }
    });
    config.registry.insert("steps-work".to_owned(), work);
    let host = Host::start(config).await.unwrap();
    host.time().advance(Duration::from_secs(5 * 60)).await;
    assert_eq!((done.load(Ordering::Relaxed), worked.load(Ordering::Relaxed)), (5, 5));
}

#[tokio::test]
async fn a_record_that_is_never_taken_is_given_up_at_its_age_in_local_time() {
    let mut config = standing();
    config.template = TemplateSource::Text(FIXTURE.replace("            MaximumRetryAttempts: 2\n", ""));
    config.registry.insert("steps-relay".to_owned(), code(|_, _| async { Err(failed("Always")) }));
    let host = Host::start(config).await.unwrap();
    call(&host, "POST", "/v1/items/i-1", b"").await;
    host.time().advance(Duration::from_secs(12 * HOUR)).await;
    assert_eq!(host.dead_letters()["RelayDeadLetters"].len(), 0);
    let tries = host.invocations()["steps-relay"].failed;
    host.time().advance(Duration::from_secs(120)).await;
    let letters = host.dead_letters();
    assert_eq!(letters["RelayDeadLetters"].len(), 1, "{letters:?}");
    assert!(letters["RelayDeadLetters"][0].contains("MaximumRecordAgeExceeded"), "{letters:?}");
    // a minute apart for twelve hours, and some at the beginning
    assert!((720..750).contains(&tries), "{tries}");
}

/// An item that is due has the owner `due` and its time as its key; a sweep takes what is due, announces it and puts
/// what follows from it, so that what is due next is known only on the way.
async fn sweep(ports: &Ports) -> Result<(), FunctionError> {
    use aws_sdk_dynamodb::types::AttributeValue::S;
    let client = aws_sdk_dynamodb::Client::new(&ports.aws);
    let now = ports.clock.now();
    let due = client
        .query()
        .table_name("items-test")
        .index_name("by_owner")
        .key_condition_expression("#owner = :due AND pk <= :now")
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_values(":due", S("due".to_owned()))
        .expression_attribute_values(":now", S(now.to_string()))
        .send()
        .await
        .map_err(|_| failed("StoreUnavailable"))?;
    for item in due.items() {
        let key = item["pk"].as_s().unwrap();
        announce(ports, &json!({"id": key, "data": {}})).await?;
        let (pk, sk) = (S(key.clone()), S("#".to_owned()));
        let delete = client.delete_item().table_name("items-test").key("pk", pk).key("sk", sk);
        delete.send().await.map_err(|_| failed("StoreUnavailable"))?;
        let at: Timestamp = key.parse().unwrap();
        put_due(ports, at.plus(domain::Seconds(7_777))).await?;
    }
    Ok(())
}

async fn put_due(ports: &Ports, at: Timestamp) -> Result<(), FunctionError> {
    use aws_sdk_dynamodb::types::AttributeValue::S;
    let put = aws_sdk_dynamodb::Client::new(&ports.aws).put_item().table_name("items-test");
    let item = put.item("pk", S(at.to_string())).item("sk", S("#".to_owned())).item("owner", S("due".to_owned()));
    item.send().await.map(drop).map_err(|_| failed("StoreUnavailable"))
}

/// A day of a host with three chains of due items; its journal, and how often its timer fired.
async fn a_day(sweeps: bool, step: u64) -> (Vec<String>, u64) {
    let mut config = standing();
    let may = "Statement: [{Effect: Allow, Action: events:PutEvents, Resource: !GetAtt Bus.Arn}]";
    let may_more = "Statement:\n            - {Effect: Allow, Action: events:PutEvents, Resource: !GetAtt Bus.Arn}\n            \
                    - {Effect: Allow, Action: [dynamodb:PutItem, dynamodb:DeleteItem], Resource: !GetAtt ItemsTable.Arn}\n            \
                    - {Effect: Allow, Action: dynamodb:Query, Resource: !Sub '${ItemsTable.Arn}/index/by_owner'}";
    assert!(FIXTURE.contains(may));
    config.template = TemplateSource::Text(FIXTURE.replace(may, may_more));
    config
        .registry
        .insert("steps-tick".to_owned(), code(|ports, _| async move { sweep(&ports).await.map(|()| Value::Null) }));
    // when it happened is the version
    let work = code(|ports, event: Value| async move {
        for record in event["Records"].as_array().unwrap() {
            append(&ports, &item_of(record), &ports.clock.now().millis().to_string()).await?;
        }
        Ok(json!({"batchItemFailures": []}))
    });
    config.registry.insert("steps-work".to_owned(), work);
    if sweeps {
        config.sweeps = [("steps-tick".to_owned(), "by_owner".to_owned())].into();
    }
    let host = Host::start(config).await.unwrap();
    for offset in [60, 1_801, 4_000] {
        let at = noon().plus(domain::Seconds(offset)).to_string();
        let item = json!({"pk": {"S": at}, "sk": {"S": "#"}, "owner": {"S": "due"}});
        host.db().request("PutItem", &json!({"TableName": "items-test", "Item": item})).await.unwrap();
    }
    let first = sweeps.then(|| noon().plus(domain::Seconds(60)));
    assert_eq!(host.earliest_due("steps-tick").await, first, "of a timer that only looks, it is known for what");
    for _ in 0..DAY / step {
        host.time().advance(Duration::from_secs(step)).await;
    }
    (crate::support::journal(&host).await, host.invocations()["steps-tick"].answered)
}

#[tokio::test]
async fn leaving_out_the_firings_that_find_nothing_changes_nothing() {
    let (every_minute, fired) = a_day(false, 60).await;
    assert_eq!(fired, 1_440);
    assert_eq!(every_minute.len(), 34, "three chains of a day: {every_minute:?}");
    for step in [60, 1_800, DAY] {
        let (journal, fired) = a_day(true, step).await;
        assert_eq!(journal, every_minute, "steps of {step} s");
        assert_eq!(fired, 34, "it fires when something is due and not else, in steps of {step} s");
    }
}

#[tokio::test]
async fn a_host_that_is_gone_leaves_nothing_that_waits_in_its_time() {
    let time = LocalTime::standing(noon());
    let mut config = standing();
    config.time = time.clone();
    let ticks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ticks);
    let tick = code(move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok(Value::Null) }
    });
    config.registry.insert("steps-tick".to_owned(), tick);
    let host = Host::start(config).await.unwrap();
    time.advance(Duration::from_secs(90)).await;
    host.stop().await;
    time.advance(Duration::from_secs(DAY)).await;
    assert_eq!(ticks.load(Ordering::Relaxed), 1);
    assert_eq!(time.next(), None);
}
