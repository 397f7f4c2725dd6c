//! Paysafe: the payer agrees, and the money comes when it is asked for.

use broker::api::Answer;
use serde_json::{Value, json};

use crate::signing;
use crate::world::{Call, Payment, World, expect, items};

/// An event as Paysafe writes it.
fn event(world: &World, name: &str, payment: &str, id: &str, minor: i64, currency: &str) -> Value {
    let at = world.now().to_string();
    json!({
        "payload": {
            "accountId": "1005731030", "id": id, "merchantRefNum": payment, "paymentHandleToken": "PHu44cSJ0fLdkGXR",
            "transactionType": "PAYMENT", "amount": minor, "currencyCode": currency, "status": "COMPLETED",
            "paymentType": "NETELLER", "txnTime": at,
        },
        "eventType": name, "eventName": name, "attemptNumber": "1", "resourceId": id, "eventDate": at, "mode": "live",
        "links": [],
    })
}

fn call(body: impl Into<Vec<u8>>) -> Call {
    Call::raw("/v1/webhooks/psp/paysafe", body).header("content-type", "application/json")
}

fn key(world: &World) -> &str {
    world.broker.webhook_secrets["paysafe"].as_str().unwrap()
}

/// Sends an event, rightly signed.
async fn told(world: &World, event: &Value) -> Answer {
    let body = event.to_string();
    let signature = signing::paysafe(key(world), &body);
    world.send(call(body).header("signature", &signature)).await
}

/// How many payments the vendor has made for one of ours.
async fn made(world: &World, payment: &Payment) -> usize {
    world.recorded("paysafe", &format!("payment_id={}", payment.id)).await["payments"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_the_payer_agreed_to_is_asked_for_and_credited_once() {
    let world = World::start().await;
    for (currency, amount) in [("USD", "100.50"), ("JPY", "80000")] {
        let trader = world.trader(currency).await;
        let payment = world.deposit(&trader, amount, "paysafe").await;
        world.pay("paysafe", &payment, json!({"outcome": "payable", "webhook": {"times": 3}})).await;
        assert_eq!(world.status(&payment.id).await, "credited", "{currency}");
        let shown = world.payment(&payment.id).await.json;
        assert_eq!(shown["credited"], json!({"amount": amount, "currency": currency}));
        assert_eq!(made(&world, &payment).await, 1);
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
        // its payer's word comes once more, and the vendor's event of the payment
        let before = world.stored().await;
        world.control("paysafe", "resend", &json!({"payment_id": payment.id})).await;
        assert_eq!(before, world.stored().await);
        assert_eq!(made(&world, &payment).await, 1);
    }
}

#[tokio::test]
async fn a_completed_payment_is_credited_and_repeats_change_nothing() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let payment = world.deposit(&trader, "250.50", "paysafe").await;
    let completed = event(&world, "PAYMENT_COMPLETED", &payment.id, "p-1", 25_050, "EUR");
    assert_eq!(expect(told(&world, &completed).await, 200).json["received"], true);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.payment(&payment.id).await.json["psp"]["reference"], "p-1");
    let before = world.stored().await;
    let mut again = completed.clone();
    again["attemptNumber"] = json!("2");
    for repeat in [&completed, &again] {
        expect(told(&world, repeat).await, 200);
    }
    assert_eq!(before, world.stored().await);
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn money_whose_answer_was_lost_is_found_when_the_event_comes_again() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for fault in ["apply_then_drop", "apply_then_garbage", "drop", "garbage"] {
        let payment = world.deposit(&trader, "100.00", "paysafe").await;
        world.faults("paysafe", &json!([{"operation": "create_payment", "fault": {"kind": fault}}])).await;
        let order = json!({"payment_id": payment.id, "outcome": "payable"});
        let answer = world.control("paysafe", "pay", &order).await;
        assert_eq!(answer["deliveries"][0]["status"], 503, "{fault}: it is to be told again");
        let event_id = &answer["event_id"];
        world.control("paysafe", "resend", &json!({"event_id": event_id})).await;
        assert_eq!(world.status(&payment.id).await, "credited", "{fault}");
        assert_eq!(made(&world, &payment).await, 1, "{fault}");
        assert_eq!(world.deals(&trader, &payment).await.len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn a_word_that_nobody_heard_is_found_by_asking_and_one_that_expired_is_nobodys_work() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let silent = world.deposit(&trader, "100.00", "paysafe").await;
    let unpaid = world.deposit(&trader, "110.00", "paysafe").await;
    world.pay("paysafe", &silent, json!({"outcome": "payable", "webhook": {"never": true}})).await;
    for seconds in [5 * 60 + 10, 31 * 60] {
        world.pass(seconds).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&silent.id).await, "credited");
    assert_eq!(made(&world, &silent).await, 1);
    assert_eq!(world.status(&unpaid.id).await, "expired");
    assert!(world.work_of(&unpaid.id).await.is_empty());
}

#[tokio::test]
async fn what_was_declined_or_is_over_brings_no_money() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let declined = world.deposit(&trader, "100.00", "paysafe").await;
    let fault = json!([{"operation": "create_payment", "fault": {"kind": "refuse", "status": 402, "code": "3022"}}]);
    world.faults("paysafe", &fault).await;
    world.pay("paysafe", &declined, json!({"outcome": "payable"})).await;
    assert_eq!(world.status(&declined.id).await, "failed");
    assert_eq!(made(&world, &declined).await, 0);
    // the handle was closed for good: a word that comes late is not taken
    let over = world.deposit(&trader, "120.00", "paysafe").await;
    world.pay("paysafe", &over, json!({"outcome": "expired"})).await;
    assert_eq!(world.status(&over.id).await, "failed");
    world.pay("paysafe", &over, json!({"outcome": "payable"})).await;
    assert_eq!(world.status(&over.id).await, "failed");
    assert_eq!(made(&world, &over).await, 0);
    assert!(world.deals(&trader, &over).await.is_empty());
}

#[tokio::test]
async fn an_event_that_proves_nothing_is_401_and_nothing_is_written() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "paysafe").await;
    let body = event(&world, "PAYMENT_COMPLETED", &payment.id, "p-1", 10_000, "USD").to_string();
    let right = signing::paysafe(key(&world), &body);
    let before = world.stored().await;
    expect(world.send(call(body.clone())).await, 401);
    for signature in [
        "",
        "garbage",
        &right[..40],
        &format!("{right}AA"),
        &signing::paysafe("another", &body),
        &signing::of_body(key(&world), &body),
    ] {
        expect(world.send(call(body.clone()).header("signature", signature)).await, 401);
    }
    for changed in
        [body.replace("10000", "90000"), body.replace("COMPLETED", "FAILED"), format!("{body} "), String::new()]
    {
        expect(world.send(call(changed).header("signature", &right)).await, 401);
    }
    // signed: a trial from the back office is taken and says nothing
    let mut trial = event(&world, "PAYMENT_COMPLETED", &payment.id, "p-1", 10_000, "USD");
    trial["mode"] = json!("test");
    expect(told(&world, &trial).await, 200);
    expect(told(&world, &json!({"mode": "test", "eventType": "test", "attemptNumber": 1})).await, 200);
    expect(told(&world, &json!({})).await, 400);
    // the payer's word for a payment that is nowhere: it is to be told again
    let early = event(&world, "PAYMENT_HANDLE_PAYABLE", "pay_0123456789abcdefghjkmnpqrs", "h-1", 10_000, "USD");
    expect(told(&world, &early).await, 503);
    assert_eq!(before, world.stored().await);
    assert_eq!(world.status(&payment.id).await, "pending");
}

#[tokio::test]
async fn refunds_are_found_by_the_payment_that_they_are_of() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "paysafe").await;
    world.pay("paysafe", &payment, json!({"outcome": "payable"})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    for minor in [3_000, 7_000] {
        world
            .pay("paysafe", &payment, json!({"outcome": "refunded", "amount_minor": minor, "webhook": {"times": 2}}))
            .await;
    }
    assert_eq!(world.status(&payment.id).await, "refunded");
    let kinds: Vec<_> = world.work_of(&payment.id).await.iter().map(|item| item["kind"].clone()).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind == "deposit_reversed_after_credit"), "{kinds:?}");
    assert_eq!(items(&world.get("finance", "/v1/work?queue=finance").await).len(), kinds.len(), "nothing went astray");
}
