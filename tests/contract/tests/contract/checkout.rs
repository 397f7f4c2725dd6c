//! Checkout.com's webhook: signed events, and what is asked for when none came.

use broker::api::Answer;
use serde_json::{Value, json};

use crate::signing;
use crate::world::{Call, Payment, World, expect};

/// An event about the payer's attempt `number`.
fn event(world: &World, payment: &Payment, kind: &str, number: &str, amount: i64, currency: &str) -> Value {
    let at = time_text(world.now_s());
    json!({
        "id": format!("evt_{}", world.fresh()), "type": kind, "version": "1.0.29", "created_on": at,
        "data": {
            "id": number, "action_id": format!("act_{}", world.fresh()), "reference": payment.id, "amount": amount,
            "currency": currency, "response_code": "10000",
        },
    })
}

/// A time as the vendor writes it.
fn time_text(seconds: i64) -> String {
    let at = domain::Timestamp::from_seconds(seconds).unwrap();
    serde_json::to_value(at).unwrap().as_str().unwrap().to_owned()
}

async fn deliver(world: &World, body: &str, signature: &str) -> Answer {
    let call = Call::raw("/v1/webhooks/psp/checkout", body).header("content-type", "application/json; charset=utf-8");
    world.send(call.header("cko-signature", signature)).await
}

async fn told(world: &World, event: &Value) -> Answer {
    let (body, key) = (event.to_string(), world.broker.webhook_secrets["checkout"].as_str().unwrap());
    expect(deliver(world, &body, &signing::of_body(key, &body)).await, 200)
}

#[tokio::test]
async fn a_captured_payment_is_credited_once_and_an_approved_one_is_not() {
    let world = World::start().await;
    for (currency, amount, minor) in [("USD", "100.00", 10_000), ("JPY", "80000", 80_000)] {
        let trader = world.trader(currency).await;
        let payment = world.deposit(&trader, amount, "checkout").await;
        let number = format!("pay_mbabizu24mvu3mela5njyhpit{}", world.fresh());
        told(&world, &event(&world, &payment, "payment_approved", &number, minor, currency)).await;
        assert_eq!(world.status(&payment.id).await, "pending", "a bank's yes is no money yet");
        let captured = event(&world, &payment, "payment_captured", &number, minor, currency);
        told(&world, &captured).await;
        assert_eq!(world.status(&payment.id).await, "credited", "{currency}");
        let shown = world.payment(&payment.id).await.json;
        assert_eq!(shown["credited"], json!({"amount": amount, "currency": currency}));
        assert_eq!(shown["psp"]["reference"], number);
        let before = world.stored().await;
        told(&world, &captured).await;
        assert_eq!(before, world.stored().await);
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    }
}

#[tokio::test]
async fn a_delivery_that_proves_nothing_is_401_and_nothing_is_written() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "checkout").await;
    let body = event(&world, &payment, "payment_captured", "pay_1", 10_000, "USD").to_string();
    let key = world.broker.webhook_secrets["checkout"].as_str().unwrap();
    let right = signing::of_body(key, &body);
    let before = world.stored().await;
    for signature in ["", "garbage", &right[..62], &format!("{right}00"), &signing::of_body("another-key", &body)] {
        expect(deliver(&world, &body, signature).await, 401);
    }
    expect(deliver(&world, &body.replace("10000,", "90000,"), &right).await, 401);
    expect(world.send(Call::raw("/v1/webhooks/psp/checkout", body.as_str())).await, 401);
    assert_eq!(before, world.stored().await);
    let unreadable = json!({"id": "evt_1", "type": "payment_captured"}).to_string();
    expect(deliver(&world, &unreadable, &signing::of_body(key, &unreadable)).await, 400);
    assert_eq!(before, world.stored().await);
    expect(deliver(&world, &body, &right).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn a_payment_of_which_no_event_came_is_asked_for_by_our_reference() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let payment = world.deposit(&trader, "250.50", "checkout").await;
    let silent = json!({"never": true});
    world.pay("checkout", &payment, json!({"outcome": "failed", "webhook": silent})).await;
    world.pay("checkout", &payment, json!({"webhook": silent})).await;
    world.pass(16 * 60).await;
    world.sweep().await;
    assert_eq!(world.status(&payment.id).await, "credited");
    let shown = world.payment(&payment.id).await.json;
    assert_eq!(shown["credited"], json!({"amount": "250.50", "currency": "EUR"}));
    assert!(shown["psp"]["reference"].as_str().unwrap().starts_with("pay_"));
}

#[tokio::test]
async fn a_page_that_nobody_paid_over_expires_and_what_comes_later_counts() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "checkout").await;
    for wait in [16, 31] {
        world.pass(wait * 60).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&payment.id).await, "expired");
    assert!(world.work_of(&payment.id).await.is_empty(), "a payer who leaves is nobody's work");
    world.pay("checkout", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn refunds_add_up_and_a_dispute_that_was_won_gives_the_money_back() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "checkout").await;
    world.pay("checkout", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    let act = async |outcome: &str, amount: i64| {
        world.pass(1).await;
        world
            .pay("checkout", &payment, json!({"outcome": outcome, "amount_minor": amount, "webhook": {"times": 2}}))
            .await;
        world.idle().await;
        let shown = world.payment(&payment.id).await.json;
        (shown["status"].as_str().unwrap().to_owned(), shown["returned"]["amount"].as_str().map(str::to_owned))
    };
    let part = |amount: &str| ("credited".to_owned(), Some(amount.to_owned()));
    assert_eq!(act("refunded", 1_500).await, part("15.00"));
    assert_eq!(act("refunded", 2_500).await, part("40.00"), "each is a refund of its own");
    assert_eq!(act("refund_declined", 2_500).await, part("15.00"), "the last one failed");
    assert_eq!(act("disputed", 8_500).await.0, "charged_back", "with the rest of it");
    assert_eq!(act("dispute_won", 8_500).await, part("15.00"));
}
