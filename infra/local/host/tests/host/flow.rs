//! From a request to the last queue, with everything that goes wrong on the way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{
    Seen, announce, append, call, code, config, failed, item_of, journal, note, noted, start, start_giving_up,
};
use host::{CallInfo, Delivery, Host, InvokeError, Probe, Service, Verdict};
use serde_json::{Value, json};

#[tokio::test]
async fn a_request_goes_through_table_stream_bus_and_queue() {
    let seen = Seen::default();
    let sink = Arc::clone(&seen);
    let host = start([(
        "steps-work",
        code(move |ports, event| {
            note(&sink, event.clone());
            async move {
                append(&ports, &item_of(&event["Records"][0]), "2").await?;
                Ok(json!({"batchItemFailures": []}))
            }
        }),
    )])
    .await;
    let (status, headers, body) = call(&host, "POST", "/v1/items/i-1", b"").await;
    assert_eq!((status, body.as_str()), (201, "/v1/items/i-1"));
    assert_eq!(headers["x-item"], "i-1");
    host.idle().await;
    assert_eq!(journal(&host).await, ["i-1:1", "i-1:2"]);

    let [event] = noted(&seen).try_into().unwrap();
    let record = &event["Records"][0];
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:eu-west-1:000000000000:work-test");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    let envelope: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
    assert_eq!(envelope["source"], "items");
    assert_eq!(envelope["detail-type"], "item.put");
    assert_eq!(envelope["version"], "0");
    assert_eq!(envelope["detail"], json!({"id": "i-1", "data": {}}));
    let fields: Vec<&String> = envelope.as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 9, "{fields:?}");
}

#[tokio::test]
async fn the_stream_event_is_what_lambda_gets() {
    let seen = Seen::default();
    let sink = Arc::clone(&seen);
    let relay = code(move |_, event| {
        note(&sink, event);
        async { Ok(json!({"batchItemFailures": []})) }
    });
    let host = start([("steps-relay", relay)]).await;
    call(&host, "POST", "/v1/items/i-1", b"first").await;
    call(&host, "POST", "/v1/items/i-1", b"second").await;
    call(&host, "POST", "/v1/items/i-1", b"second").await;
    let silent = json!({"TableName": "items-test", "Item": {"pk": {"S": "i-2"}, "sk": {"S": "#"}}});
    host.db().request("PutItem", &silent).await.unwrap();
    host.idle().await;

    let events = noted(&seen);
    let records: Vec<Value> = events.iter().flat_map(|e| e["Records"].as_array().unwrap().clone()).collect();
    assert_eq!(records.len(), 2, "no record of what changes nothing or has no outbox: {records:?}");
    assert_eq!([&records[0]["eventName"], &records[1]["eventName"]], ["INSERT", "MODIFY"]);
    assert_eq!(records[1]["eventSource"], "aws:dynamodb");
    assert_eq!(records[1]["eventSourceARN"], "arn:aws:dynamodb:eu-west-1:000000000000:table/items-test/stream/local");
    let change = &records[1]["dynamodb"];
    assert_eq!(change["Keys"], json!({"pk": {"S": "i-1"}, "sk": {"S": "#"}}));
    assert_eq!(change["NewImage"]["outbox"], json!({"S": "second"}));
    assert_eq!(change["StreamViewType"], "NEW_IMAGE");
    assert!(change.get("OldImage").is_none());
    assert!(change["ApproximateCreationDateTime"].is_i64(), "{change}");
    assert!(records[0]["dynamodb"]["SequenceNumber"].as_str() < change["SequenceNumber"].as_str());
}

struct Twice;

impl Delivery for Twice {
    fn delays(&self, _: &str, _: &str) -> Vec<Duration> {
        vec![Duration::ZERO, Duration::from_millis(5)]
    }
}

#[tokio::test]
async fn a_message_that_comes_twice_is_the_same_message() {
    let seen = Seen::default();
    let sink = Arc::clone(&seen);
    let mut config = config();
    config.delivery = Some(Arc::new(Twice));
    let work = code(move |ports, event| {
        let sink = Arc::clone(&sink);
        async move {
            for record in event["Records"].as_array().unwrap() {
                let new = append(&ports, &item_of(record), "2").await?;
                note(&sink, json!([record["messageId"], new]));
            }
            Ok(json!({"batchItemFailures": []}))
        }
    });
    config.registry.insert("steps-work".to_owned(), work);
    let host = Host::start(config).await.unwrap();
    call(&host, "POST", "/v1/items/i-1", b"").await;
    host.settled().await;
    let [first, second] = noted(&seen).try_into().unwrap();
    assert_eq!(first[0], second[0]);
    assert_eq!([&first[1], &second[1]], [&json!(true), &json!(false)]);
}

#[tokio::test]
async fn a_message_that_always_fails_ends_in_the_dead_letter_queue() {
    let receives = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&receives);
    let work = code(move |_, event| {
        let count = event["Records"][0]["attributes"]["ApproximateReceiveCount"].as_str().unwrap().to_owned();
        sink.lock().unwrap().push(count);
        async { Err(failed("Always")) }
    });
    let host = start([("steps-work", work)]).await;
    call(&host, "POST", "/v1/items/i-1", b"").await;
    host.settled().await;
    assert_eq!(*receives.lock().unwrap(), ["1", "2", "3", "4", "5"]);
    let letters = host.dead_letters();
    assert_eq!(letters["DeadLetters"].len(), 1, "{letters:?}");
    let letter: Value = serde_json::from_str(&letters["DeadLetters"][0]).unwrap();
    assert_eq!(letter["detail"]["id"], "i-1");
    assert_eq!(host.invocations()["steps-work"].failed, 5);
}

#[tokio::test]
async fn only_the_failed_messages_of_a_batch_come_again() {
    let seen = Seen::default();
    let sink = Arc::clone(&seen);
    let work = code(move |_, event| {
        let records = event["Records"].as_array().unwrap();
        let mut failures = Vec::new();
        for record in records {
            let (item, count) = (item_of(record), record["attributes"]["ApproximateReceiveCount"].clone());
            if item == "bad" && count == "1" {
                failures.push(json!({"itemIdentifier": record["messageId"]}));
            }
            note(&sink, json!([item, count]));
        }
        async move { Ok(json!({"batchItemFailures": failures})) }
    });
    let host = start([("steps-work", work)]).await;
    for id in ["good", "bad", "fine"] {
        host.send_message("WorkQueue", &json!({"detail": {"id": id}}).to_string()).unwrap();
    }
    host.settled().await;
    let mut all = noted(&seen);
    all.sort_by_key(ToString::to_string);
    assert_eq!(all, [json!(["bad", "1"]), json!(["bad", "2"]), json!(["fine", "1"]), json!(["good", "1"])]);
}

#[tokio::test]
async fn an_answer_that_names_no_known_message_fails_the_whole_batch() {
    for answer in [
        json!({"batchItemFailures": [{"itemIdentifier": ""}]}),
        json!({"batchItemFailures": [{"itemIdentifier": "x"}]}),
    ] {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let work = code(move |_, _| {
            let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
            let answer = answer.clone();
            async move { Ok(if first { answer } else { Value::Null }) }
        });
        let host = start([("steps-work", work)]).await;
        host.send_message("WorkQueue", "{}").unwrap();
        host.settled().await;
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_poisoned_record_is_given_up_and_blocks_nobody() {
    let work = Seen::default();
    let sink = Arc::clone(&work);
    let relay = code(move |ports, event| {
        let sink = Arc::clone(&sink);
        async move {
            let mut failures = Vec::new();
            for record in event["Records"].as_array().unwrap() {
                let image = &record["dynamodb"]["NewImage"];
                if image["outbox"]["S"] == "poison" {
                    failures.push(json!({"itemIdentifier": record["dynamodb"]["SequenceNumber"]}));
                    break;
                }
                let id = image["pk"]["S"].as_str().unwrap();
                announce(&ports, &json!({"id": id, "data": {}})).await?;
                note(&sink, json!([id, image["outbox"]["S"]]));
            }
            Ok(json!({"batchItemFailures": failures}))
        }
    });
    let host = start_giving_up([("steps-relay", relay)]).await;
    for (id, outbox) in [("a", "1"), ("a", "poison"), ("a", "2"), ("b", "1"), ("b", "2")] {
        call(&host, "POST", &format!("/v1/items/{id}"), outbox.as_bytes()).await;
    }
    host.settled().await;
    let relayed = noted(&work);
    let of = |item: &str| -> Vec<&str> {
        relayed.iter().filter(|entry| entry[0] == item).filter_map(|entry| entry[1].as_str()).collect()
    };
    assert_eq!(of("a"), ["1", "2"]);
    assert_eq!(of("b"), ["1", "2"]);
    let letters = host.dead_letters();
    let [letter] = letters["RelayDeadLetters"].as_slice() else { panic!("{letters:?}") };
    let letter: Value = serde_json::from_str(letter).unwrap();
    assert_eq!(letter["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(letter["requestContext"]["approximateInvokeCount"], 3);
    let info = &letter["DDBStreamBatchInfo"];
    assert_eq!(info["batchSize"], 1);
    assert_eq!(info["startSequenceNumber"], info["endSequenceNumber"]);
    assert_eq!(info["streamArn"], "arn:aws:dynamodb:eu-west-1:000000000000:table/items-test/stream/local");
}

#[tokio::test]
async fn a_relay_that_crashes_on_one_record_of_many_is_found_by_halving() {
    let relay = code(|ports, event| async move {
        let records = event["Records"].as_array().unwrap();
        assert!(records.iter().all(|record| record["dynamodb"]["NewImage"]["outbox"]["S"] != "poison"), "poisoned");
        for record in records {
            let id = record["dynamodb"]["NewImage"]["pk"]["S"].as_str().unwrap();
            append(&ports, id, record["dynamodb"]["NewImage"]["outbox"]["S"].as_str().unwrap()).await?;
        }
        Ok(Value::Null)
    });
    let host = start_giving_up([("steps-relay", relay)]).await;
    for outbox in ["1", "2", "3", "poison", "4", "5"] {
        call(&host, "POST", "/v1/items/a", outbox.as_bytes()).await;
    }
    host.settled().await;
    assert_eq!(journal(&host).await, ["a:1", "a:2", "a:3", "a:4", "a:5"]);
    assert_eq!(host.dead_letters()["RelayDeadLetters"].len(), 1);
}

/// Kills the first invocation of a function at its n-th call.
struct Killer {
    function: &'static str,
    index: usize,
    after: bool,
    calls: Mutex<Vec<String>>,
}

impl Killer {
    fn new(function: &'static str, index: usize, after: bool) -> Arc<Self> {
        Arc::new(Self { function, index, after, calls: Mutex::default() })
    }

    fn verdict(&self, call: &CallInfo<'_>, after: bool) -> Verdict {
        let here = call.function == self.function && call.invocation == 0 && call.index == self.index;
        if here && after == self.after { Verdict::Die } else { Verdict::Go }
    }
}

impl Probe for Killer {
    fn before(&self, call: &CallInfo<'_>) -> Verdict {
        let line =
            format!("{}#{} {:?} {} {}", call.function, call.invocation, call.service, call.operation, call.target);
        self.calls.lock().unwrap().push(line);
        self.verdict(call, false)
    }

    fn after(&self, call: &CallInfo<'_>) -> Verdict {
        self.verdict(call, true)
    }
}

#[tokio::test]
async fn a_function_killed_at_any_call_is_run_again_and_ends_the_same() {
    for (function, calls) in [("steps-relay", 2), ("steps-work", 1)] {
        for index in 0..calls {
            for after in [false, true] {
                let killer = Killer::new(function, index, after);
                let mut config = config();
                config.probe = Some(killer.clone());
                let host = Host::start(config).await.unwrap();
                call(&host, "POST", "/v1/items/i-1", b"").await;
                host.settled().await;
                assert_eq!(journal(&host).await, ["i-1:1", "i-1:2"], "{function} {index} {after}");
                assert_eq!(host.invocations()[function].failed, 1);
                let calls = killer.calls.lock().unwrap().clone();
                assert!(calls.contains(&"steps-take#0 DynamoDb PutItem items-test".to_owned()), "{calls:?}");
                assert!(
                    calls.contains(&"steps-relay#0 EventBridge PutEvents items-test".to_owned()) || index == 0,
                    "{calls:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_killed_process_has_done_what_came_before_and_nothing_after() {
    let host = start([]).await;
    let event = json!({"pathParameters": {"item_id": "i-1"}});
    let count = async || {
        let page = host.db().request("Scan", &json!({"TableName": "items-test"})).await.unwrap();
        page["Count"].clone()
    };
    let before = host.invoke_probed("steps-take", &event, Some(Killer::new("steps-take", 0, false))).await;
    assert_eq!((before, count().await), (Err(InvokeError::Killed), json!(0)));
    // the number counts invocations of the host, so the second killer must look for the second one
    struct Always;
    impl Probe for Always {
        fn before(&self, _: &CallInfo<'_>) -> Verdict {
            Verdict::Go
        }
        fn after(&self, call: &CallInfo<'_>) -> Verdict {
            assert_eq!(call.service, Service::DynamoDb);
            Verdict::Die
        }
    }
    let after = host.invoke_probed("steps-take", &event, Some(Arc::new(Always))).await;
    assert_eq!((after, count().await), (Err(InvokeError::Killed), json!(1)));
}

/// Has the first calls of an invocation answered with a failure, before or after they did what was asked.
struct Failing {
    times: usize,
    after: bool,
}

impl Failing {
    fn verdict(&self, call: &CallInfo<'_>, after: bool) -> Verdict {
        if call.index < self.times && after == self.after { Verdict::Fail } else { Verdict::Go }
    }
}

impl Probe for Failing {
    fn before(&self, call: &CallInfo<'_>) -> Verdict {
        self.verdict(call, false)
    }

    fn after(&self, call: &CallInfo<'_>) -> Verdict {
        self.verdict(call, true)
    }
}

#[tokio::test]
async fn a_call_that_fails_did_nothing_or_all_of_it_and_the_sdk_makes_it_three_times() {
    let event = json!({"pathParameters": {"item_id": "i-1"}});
    for (times, after, succeeds, stored) in
        [(2, false, true, 1), (2, true, true, 1), (3, false, false, 0), (3, true, false, 1)]
    {
        let mut config = config();
        // as a simulation does it
        config.serves_here = Some(1);
        let host = Host::start(config).await.unwrap();
        let answer = host.invoke_probed("steps-take", &event, Some(Arc::new(Failing { times, after }))).await;
        let page = host.db().request("Scan", &json!({"TableName": "items-test"})).await.unwrap();
        assert_eq!((answer.is_ok(), &page["Count"]), (succeeds, &json!(stored)), "{times} times, after it: {after}");
    }
}

#[tokio::test]
async fn a_function_that_hangs_or_panics_fails_and_leaves_the_others_alone() {
    let mut config = config();
    config.template = host::TemplateSource::Text(crate::support::FIXTURE.replace("Timeout: 5", "Timeout: 1"));
    let hang = code(|_, event: Value| async move {
        if event["panic"] == true {
            panic!("as the test wants it");
        }
        std::future::pending().await
    });
    config.registry.insert("steps-tick".to_owned(), hang);
    let host = Host::start(config).await.unwrap();
    let panicked = host.invoke("steps-tick", &json!({"panic": true})).await;
    assert_eq!(panicked, Err(InvokeError::Panicked("as the test wants it".to_owned())));
    let late = host.invoke("steps-tick", &json!({})).await;
    assert_eq!(late, Err(InvokeError::TimedOut(Duration::from_secs(1))));
    assert_eq!(call(&host, "POST", "/v1/items/i-1", b"").await.0, 201);
    assert_eq!(host.invoke("nobody", &json!({})).await, Err(InvokeError::Unknown("nobody".to_owned())));
}

#[tokio::test]
async fn a_timer_fires_by_hand_with_the_event_of_a_rule() {
    let seen = Seen::default();
    let sink = Arc::clone(&seen);
    let tick = code(move |_, event| {
        note(&sink, event);
        async { Ok(json!("ticked")) }
    });
    let host = start([("steps-tick", tick)]).await;
    assert_eq!(host.fire_schedule("TickRule").await, Ok(json!("ticked")));
    assert_eq!(host.fire_schedule("steps-tick").await, Ok(json!("ticked")));
    let event = noted(&seen).remove(0);
    assert_eq!(event["detail-type"], "Scheduled Event");
    assert_eq!(event["resources"], json!(["arn:aws:events:eu-west-1:000000000000:rule/TickRule"]));
    assert!(host.fire_schedule("nothing").await.is_err());
}

#[tokio::test]
async fn a_timer_that_fails_three_times_leaves_a_dead_letter() {
    let host = start([("steps-tick", code(|_, _| async { Err(failed("Always")) }))]).await;
    assert!(host.fire_schedule("TickRule").await.is_err());
    assert_eq!(host.invocations()["steps-tick"].failed, 3);
    assert_eq!(host.dead_letters()["TickUndelivered"].len(), 1);
}

#[tokio::test]
async fn an_event_that_no_rule_wants_goes_nowhere() {
    let host = start([]).await;
    let ports = aws_sdk_eventbridge::Client::new(&host.sdk_config());
    let entry = |kind: &str, detail: &str| {
        aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
            .source("items")
            .detail_type(kind)
            .event_bus_name("items-test")
            .detail(detail)
            .build()
    };
    let answer = ports
        .put_events()
        .entries(entry("other.put", "{}"))
        .entries(entry("item.put", r#"{"data":{"silent":true}}"#))
        .entries(entry("item.put", "not json"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.failed_entry_count(), 1);
    let codes: Vec<Option<&str>> = answer.entries().iter().map(|entry| entry.error_code()).collect();
    assert_eq!(codes, [None, None, Some("MalformedDetail")]);
    host.idle().await;
    let depths: BTreeMap<_, _> = host.queue_depths().into_iter().filter(|(_, depth)| depth.visible > 0).collect();
    assert!(depths.is_empty() && host.invocations().is_empty(), "{depths:?}");
}
