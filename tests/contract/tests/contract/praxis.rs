//! Praxis's webhook: its signature, its former one, and our signed answer.

use broker::api::Answer;
use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::signing::{praxis_answer, praxis_legacy, praxis_notification};
use crate::world::{Call, Payment, World, expect, header, now_s, praxis_call};

/// Asserts that an answer is what Praxis expects, rightly signed.
fn signed(world: &World, answer: Answer, status: u16, code: i64) -> Answer {
    let answer = expect(answer, status);
    assert_eq!(answer.json["status"], code, "{}", answer.text);
    assert_eq!(answer.json["version"], "1.3");
    assert!((now_s() - answer.json["timestamp"].as_i64().unwrap()).abs() < 30);
    assert!(!answer.text_at("/description").is_empty());
    assert_eq!(header(&answer, "gt-authentication"), Some(praxis_answer(&answer.json, world.praxis_secret()).as_str()));
    answer
}

#[tokio::test]
async fn an_approved_sale_is_credited_and_the_answer_is_signed() {
    let world = World::start().await;
    for (currency, amount, wire) in [("USD", "100.00", 10_000), ("EUR", "250.50", 25_050), ("JPY", "80000", 80_000)] {
        let trader = world.trader(currency).await;
        let payment = world.deposit(&trader, amount, "praxis").await;
        let message = world.sale(&payment, "approved", wire, currency);
        signed(&world, world.praxis(&message).await, 200, 0);
        assert_eq!(world.status(&payment.id).await, "credited", "{currency}");
        let shown = world.payment(&payment.id).await.json;
        assert_eq!(shown["credited"], json!({"amount": amount, "currency": currency}));
        assert_eq!(shown["psp"]["reference"], message["transaction"]["tid"].to_string());
        // again, and the answer is the same kind of yes
        let before = world.stored().await;
        signed(&world, world.praxis(&message).await, 200, 0);
        assert_eq!(before, world.stored().await);
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    }
}

/// An approved sale as the former interface signs it.
fn former(world: &World, order: &str) -> Value {
    let own = &world.broker.webhook_secrets["praxis"];
    let mut message = json!({
        "merchant_id": own["merchant_id"], "application_key": own["application_key"], "timestamp": now_s().to_string(), "version": "1.1",
        "order_id": order, "cid": "cli", "trace_id": 756_850, "transaction_id": "13348", "transaction_type": "sale",
        "transaction_status": "approved", "amount": 10_000, "currency": "USD", "charge_amount": 10_000, "charge_currency": "USD",
        "variable1": "", "error_code": null,
    });
    message["signature"] = json!(praxis_legacy(&message, world.praxis_secret()));
    message
}

/// The number that the simulator gave the payer's transaction.
async fn tid(world: &World, payment: &Payment) -> Value {
    let recorded = world.recorded("praxis", "").await;
    let orders = recorded["orders"].as_array().unwrap();
    let order = orders.iter().find(|order| order["order_id"] == json!(payment.id)).unwrap();
    order["transaction"]["tid"].clone()
}

#[tokio::test]
async fn the_former_signature_is_off_and_where_it_is_on_praxis_is_asked() {
    let world = World::start().await;
    let message = former(&world, "pay_0123456789abcdefghjkmnpqrs");
    expect(world.send(praxis_call(&message)).await, 401);

    let world = World::start().await;
    world.publish(SetName::Psps, 2, |rules| rules["psps"][1]["legacy_signature"] = json!(true)).await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    let mut message = former(&world, &payment.id);
    let mut tampered = message.clone();
    tampered["amount"] = json!(90_000);
    expect(world.send(praxis_call(&tampered)).await, 401);
    tampered = message.clone();
    tampered["signature"] = json!("0".repeat(96));
    expect(world.send(praxis_call(&tampered)).await, 401);
    // rightly signed, and Praxis has no such transaction: it is to send it again
    signed(&world, world.send(praxis_call(&message)).await, 503, -1);
    assert_eq!(world.status(&payment.id).await, "pending");
    world.pay("praxis", &payment, json!({"webhook": {"never": true}})).await;
    message["trace_id"] = tid(&world, &payment).await;
    message["signature"] = json!(praxis_legacy(&message, world.praxis_secret()));
    signed(&world, world.send(praxis_call(&message)).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn a_status_that_was_changed_under_way_is_not_believed() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    world.pay("praxis", &payment, json!({"outcome": "rejected", "webhook": {"never": true}})).await;
    let mut message = world.sale(&payment, "approved", 10_000, "USD");
    message["transaction"]["tid"] = tid(&world, &payment).await;
    signed(&world, world.praxis(&message).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "failed", "as Praxis says when it is asked");
    assert!(world.deals(&trader, &payment).await.is_empty());

    // and the other way round: a success is not made a failure
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    world.pay("praxis", &payment, json!({"webhook": {"never": true}})).await;
    let mut message = world.sale(&payment, "rejected", 10_000, "USD");
    message["transaction"]["tid"] = tid(&world, &payment).await;
    signed(&world, world.praxis(&message).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn a_success_that_praxis_has_no_transaction_of_comes_again_and_is_not_credited() {
    let world = World::start().await;
    world.publish(SetName::Psps, 2, |rules| rules["psps"][1]["unconfirmed_success"] = json!("wait")).await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    let mut message = world.sale(&payment, "approved", 10_000, "USD");
    signed(&world, world.praxis(&message).await, 503, -1);
    assert_eq!(world.status(&payment.id).await, "pending");
    world.pay("praxis", &payment, json!({"webhook": {"never": true}})).await;
    // while Praxis does not answer, nothing is concluded
    world.faults("praxis", &json!([{"operation": "find_order", "fault": {"kind": "garbage"}}])).await;
    message["transaction"]["tid"] = tid(&world, &payment).await;
    signed(&world, world.praxis(&message).await, 503, -1);
    assert_eq!(world.status(&payment.id).await, "pending");
    signed(&world, world.praxis(&message).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_delivery_that_proves_nothing_is_401_unsigned_and_nothing_is_written() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    let message = world.sale(&payment, "approved", 10_000, "USD");
    let right = praxis_notification(&message, world.praxis_secret());
    let before = world.stored().await;
    let signatures = [
        String::new(),
        "garbage".to_owned(),
        right[..64].to_owned(),
        format!("{right}00"),
        "0".repeat(96),
        praxis_notification(&message, "secret-of-somebody-else"),
        praxis_legacy(&message, world.praxis_secret()),
    ];
    for signature in signatures {
        let answer = expect(world.send(praxis_call(&message).header("gt-authentication", &signature)).await, 401);
        assert_eq!(header(&answer, "gt-authentication"), None, "who did not sign gets nothing signed");
    }
    expect(world.send(praxis_call(&message)).await, 401);
    let changed = |pointer: &str, value: Value| {
        let mut message = message.clone();
        *message.pointer_mut(pointer).unwrap() = value;
        message
    };
    // each signed member, changed after signing
    for (pointer, value) in [
        ("/session/order_id", json!("pay_0123456789abcdefghjkmnpqrs")),
        ("/transaction/amount", json!(1)),
        ("/transaction/processed_amount", json!(1)),
        ("/transaction/processed_currency", json!("JPY")),
        ("/transaction/tid", json!(1)),
        ("/timestamp", json!(now_s() + 1)),
    ] {
        expect(world.send(praxis_call(&changed(pointer, value)).header("gt-authentication", &right)).await, 401);
    }
    // signed, but too old, from the future or for another merchant
    for (pointer, value) in [
        ("/timestamp", json!(now_s() - 400)),
        ("/timestamp", json!(now_s() + 400)),
        ("/timestamp", json!("soon")),
        ("/merchant_id", json!("API-Another")),
        ("/application_key", json!("another-application")),
    ] {
        expect(world.praxis(&changed(pointer, value)).await, 401);
    }
    let bodies = ["", "not json", "[]", "null", "\"text\""];
    for body in bodies {
        let call = Call::raw("/v1/webhooks/psp/praxis", body).header("gt-authentication", &right);
        expect(world.send(call).await, 401);
    }
    assert_eq!(before, world.stored().await);
    assert_eq!(world.status(&payment.id).await, "pending");
}

#[tokio::test]
async fn what_is_signed_and_names_no_order_is_refused_with_a_signed_answer() {
    let world = World::start().await;
    let before = world.stored().await;
    let own = &world.broker.webhook_secrets["praxis"];
    let message = json!({"merchant_id": own["merchant_id"], "application_key": own["application_key"], "timestamp": now_s(), "session": {}});
    let answer = world.praxis(&message).await;
    signed(&world, answer, 400, 1);
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn statements_that_collect_nothing_leave_the_deposit_pending_until_one_does() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    for status in ["initialized", "pending", "pending_async", "authorized", "requested", "a-new-word"] {
        signed(&world, world.praxis(&world.sale(&payment, status, 10_000, "USD")).await, 200, 0);
        assert_eq!(world.status(&payment.id).await, "pending", "{status}");
    }
    let mut payout = world.sale(&payment, "approved", 10_000, "USD");
    payout["transaction"]["transaction_type"] = json!("payout");
    signed(&world, world.praxis(&payout).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "pending");
    signed(&world, world.praxis(&world.sale(&payment, "declined", 10_000, "USD")).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "failed");
    // the payer tried another card
    let mut later = world.sale(&payment, "approved", 10_000, "USD");
    later["timestamp"] = json!(now_s() + 2);
    signed(&world, world.praxis(&later).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn what_was_processed_counts_and_not_what_was_asked_for() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    let mut message = world.sale(&payment, "approved", 10_000, "USD");
    message["transaction"]["processed_amount"] = json!(9_000);
    signed(&world, world.praxis(&message).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "needs_review");
    let item = world.work_of(&payment.id).await.remove(0);
    assert_eq!(item["kind"], "deposit_underpaid");

    let payment = world.deposit(&trader, "100.00", "praxis").await;
    let mut message = world.sale(&payment, "approved", 10_000, "USD");
    message["transaction"]["processed_currency"] = json!("EUR");
    signed(&world, world.praxis(&message).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "needs_review");
    assert_eq!(world.work_of(&payment.id).await[0]["kind"], "deposit_currency_mismatch");
    assert!(world.deals(&trader, &payment).await.is_empty());
}

#[tokio::test]
async fn an_unknown_order_becomes_one_work_item() {
    let world = World::start().await;
    let nobody = Payment { id: "order-17".to_owned(), reference: String::new() };
    let message = world.sale(&nobody, "approved", 10_000, "USD");
    for _ in 0..3 {
        signed(&world, world.praxis(&message).await, 200, 0);
    }
    world.idle().await;
    let found = crate::world::items(&world.get("finance", "/v1/work?queue=finance").await);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["kind"], "deposit_unknown_reference");
    assert_eq!(found[0]["pattern"], json!({}));
}

/// The time of what is kept has come.
async fn an_hour_later(world: &World) {
    world.pass(3_700).await;
    world.sweep().await;
}

#[tokio::test]
async fn a_chargeback_of_an_order_that_still_says_approved_is_taken_and_a_person_is_asked() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    world.pay("praxis", &payment, json!({"webhook": {"never": true}})).await;
    let mut message = world.sale(&payment, "approved", 10_000, "USD");
    message["transaction"]["tid"] = tid(&world, &payment).await;
    signed(&world, world.praxis(&message).await, 200, 0);
    assert_eq!(world.status(&payment.id).await, "credited");
    message["transaction"]["transaction_status"] = json!("chargeback");
    message["timestamp"] = json!(now_s() + 1);
    for _ in 0..2 {
        signed(&world, world.praxis(&message).await, 200, 0);
    }
    assert!(world.work_of(&payment.id).await.is_empty(), "Praxis is asked again first");
    an_hour_later(&world).await;
    assert_eq!(world.status(&payment.id).await, "credited", "what is not confirmed moves nothing");
    let work = world.work_of(&payment.id).await;
    assert_eq!(work.len(), 1, "{work:?}");
    assert_eq!(work[0]["kind"], "deposit_failed_after_success");
    an_hour_later(&world).await;
    assert_eq!(world.work_of(&payment.id).await.len(), 1);
}

#[tokio::test]
async fn a_success_of_an_order_that_shows_a_later_refusal_is_taken_and_a_person_is_asked() {
    let world = World::start().await;
    world.publish(SetName::Psps, 2, |rules| rules["psps"][1]["unconfirmed_success"] = json!("wait")).await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    world.pay("praxis", &payment, json!({"outcome": "rejected", "webhook": {"never": true}})).await;
    let mut refused = world.sale(&payment, "rejected", 10_000, "USD");
    refused["transaction"]["tid"] = tid(&world, &payment).await;
    let approved = world.sale(&payment, "approved", 10_000, "USD");
    for message in [&approved, &refused, &approved] {
        signed(&world, world.praxis(message).await, 200, 0);
    }
    assert_eq!(world.status(&payment.id).await, "failed");
    an_hour_later(&world).await;
    assert_eq!(world.status(&payment.id).await, "needs_review");
    let work = world.work_of(&payment.id).await;
    assert_eq!(work.len(), 1, "{work:?}");
    assert_eq!(work[0]["kind"], "deposit_paid_after_failure");
    assert!(world.deals(&trader, &payment).await.is_empty());
}
