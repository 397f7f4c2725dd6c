//! Each scripted fault: what the caller sees, and whether it was done.

use std::time::{Duration, Instant};

use crate::support::{Client, post, start, state, until};
use crate::trading::{balance, balance_path, manager, open};
use serde_json::{Value, json};
use simulators::Running;

async fn script(running: &Running, fault: Value) {
    let faults = json!([{ "operation": "trade_balance", "fault": fault }]);
    let taken = post(running.url("mt5"), "/_control/faults", &faults).await;
    assert_eq!(taken.json(), json!({ "pending": 1 }), "{}", taken.text());
}

async fn ready() -> (Running, Client, u64) {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let login = open(&mut client).await;
    (running, client, login)
}

async fn booked(running: &Running) -> String {
    let state = state(running.url("mt5")).await;
    assert_eq!(state["faults_pending"], json!([]));
    assert_eq!(state["faults_fired"][0]["operation"], "trade_balance");
    state["users"][0]["balance"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn refuse_answers_the_code_and_does_nothing() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "refuse", "retcode": 10019 })).await;
    let answer = balance(&mut client, login, "10", "r").await;
    assert_eq!(answer, json!({ "retcode": "10019 Not enough money" }));
    assert_eq!(booked(&running).await, "0.00");
    assert_eq!(balance(&mut client, login, "10", "r").await["retcode"], "0 Done");

    script(&running, json!({ "kind": "refuse", "status": 503 })).await;
    let bare = client.call("POST", &balance_path(login, "10", "r"), &[], "").await;
    assert_eq!(bare.status, 503);
}

#[tokio::test]
async fn delay_answers_late_and_does_it() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "delay", "ms": 300 })).await;
    let started = Instant::now();
    assert_eq!(balance(&mut client, login, "10", "d").await["retcode"], "0 Done");
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(booked(&running).await, "10.00");
}

#[tokio::test]
async fn delay_does_it_even_when_the_caller_has_gone() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "delay", "ms": 200 })).await;
    client.send("POST", &balance_path(login, "10", "d"), &[], "").await;
    let url = running.url("mt5");
    until(|| state(url), |state| state["calls"]["trade_balance"] == 1).await;
    drop(client);
    until(|| state(url), |state| state["users"][0]["balance"] == "10.00").await;
}

#[tokio::test]
async fn apply_then_timeout_does_it_at_once_and_answers_late() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "apply_then_timeout", "ms": 400 })).await;
    let started = Instant::now();
    client.send("POST", &balance_path(login, "10", "a"), &[], "").await;
    let url = running.url("mt5");
    until(|| state(url), |state| state["users"][0]["balance"] == "10.00").await;
    let answer = client.receive().await.expect("the held answer");
    assert!(started.elapsed() >= Duration::from_millis(400));
    assert_eq!(answer.json()["retcode"], "0 Done");
}

#[tokio::test]
async fn apply_then_timeout_holds_a_minute_unless_told() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "apply_then_timeout" })).await;
    client.send("POST", &balance_path(login, "10", "a"), &[], "").await;
    let answered = tokio::time::timeout(Duration::from_millis(500), client.receive()).await;
    assert!(answered.is_err(), "the answer is held");
    assert_eq!(booked(&running).await, "10.00");
}

#[tokio::test]
async fn timeout_before_holds_then_closes_and_does_nothing() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "timeout_before", "ms": 200 })).await;
    let started = Instant::now();
    let answer = client.try_call("POST", &balance_path(login, "10", "t"), &[], "").await;
    assert!(answer.is_none());
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_eq!(booked(&running).await, "0.00");
}

#[tokio::test]
async fn apply_then_drop_does_it_and_closes_without_an_answer() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "apply_then_drop" })).await;
    let answer = client.try_call("POST", &balance_path(login, "10", "a"), &[], "").await;
    assert!(answer.is_none());
    assert_eq!(booked(&running).await, "10.00");
}

#[tokio::test]
async fn drop_closes_without_an_answer_and_does_nothing() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "drop" })).await;
    let answer = client.try_call("POST", &balance_path(login, "10", "a"), &[], "").await;
    assert!(answer.is_none());
    assert_eq!(booked(&running).await, "0.00");
}

#[tokio::test]
async fn garbage_is_no_json_and_does_nothing_unless_told() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "garbage" })).await;
    let answer = client.call("POST", &balance_path(login, "10", "g"), &[], "").await;
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    assert_eq!(booked(&running).await, "0.00");
    script(&running, json!({ "kind": "apply_then_garbage" })).await;
    let answer = client.call("POST", &balance_path(login, "10", "g"), &[], "").await;
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    assert_eq!(booked(&running).await, "10.00");
}

#[tokio::test]
async fn a_match_chooses_the_call_and_clearing_ends_the_script() {
    let (running, mut client, login) = ready().await;
    let url = running.url("mt5");
    let faults = json!([{ "operation": "*", "match": { "comment": "second" }, "times": 0,
        "fault": { "kind": "refuse", "retcode": 8 } }]);
    post(url, "/_control/faults", &faults).await;
    let code = |answer: Value| answer["retcode"].as_str().unwrap().to_owned();
    assert_eq!(code(balance(&mut client, login, "1", "first").await), "0 Done");
    for _ in 0..3 {
        let refused = balance(&mut client, login, "1", "the-second-one").await;
        assert_eq!(code(refused), "8 Not enough permissions");
    }
    Client::connect(url).await.call("DELETE", "/_control/faults", &[], "").await;
    assert_eq!(code(balance(&mut client, login, "1", "second").await), "0 Done");
}

#[tokio::test]
async fn a_script_that_makes_no_sense_is_refused() {
    let running = start().await;
    for nonsense in [
        json!({ "operation": "a" }),
        json!([{ "operation": "a", "fault": { "kind": "explode" } }]),
        json!([{ "operation": "a", "fault": { "kind": "refuse", "retcod": 1 } }]),
        json!([{ "operation": "a", "fault": { "kind": "drop" }, "time": 1 }]),
    ] {
        let answer = post(running.url("stripe"), "/_control/faults", &nonsense).await;
        assert_eq!(answer.status, 400, "{nonsense}");
    }
}

#[tokio::test]
async fn what_was_dropped_is_done_later_though_nobody_waits_for_it() {
    let (running, mut client, login) = ready().await;
    script(&running, json!({ "kind": "drop_then_apply", "ms": 300 })).await;
    let answer = client.try_call("POST", &balance_path(login, "10", "late"), &[], "").await;
    assert!(answer.is_none());
    assert_eq!(booked(&running).await, "0.00");
    drop(client);
    until(|| booked(&running), |balance| balance == "10.00").await;
}
