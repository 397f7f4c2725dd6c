//! Adyen's webhook: what its signature covers, what counts as collected, and what comes back again.

use broker::api::Answer;
use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::signing;
use crate::world::{Call, Payment, World, expect, header};

/// An item as Adyen writes it, of the payer's attempt `number`.
fn item(world: &World, payment: &Payment, number: &str, value: i64, currency: &str) -> Value {
    json!({
        "amount": {"currency": currency, "value": value}, "eventCode": "AUTHORISATION", "eventDate": "2026-11-20T10:15:30+01:00",
        "merchantAccountCode": world.broker.webhook_secrets["adyen"]["merchant_account"], "merchantReference": payment.id,
        "paymentMethod": "visa", "pspReference": number, "reason": "033899:1111:03/2030", "success": "true",
    })
}

/// A delivery of an item under the signature of another, or of itself.
async fn deliver(world: &World, item: &Value, signed: &Value) -> Answer {
    let key = world.broker.webhook_secrets["adyen"]["hmac_key"].as_str().unwrap();
    let mut item = item.clone();
    item["additionalData"] = json!({"expiryDate": "3/2030", "hmacSignature": signing::adyen(signed, key)});
    let body = json!({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]});
    let call = Call::raw("/v1/webhooks/psp/adyen", body.to_string());
    world.send(call.header("content-type", "application/json")).await
}

async fn told(world: &World, item: &Value) -> Answer {
    let answer = expect(deliver(world, item, item).await, 200);
    assert_eq!((answer.text.as_str(), header(&answer, "content-type")), ("[accepted]", Some("text/plain")));
    answer
}

#[tokio::test]
async fn an_authorisation_is_credited_once_and_answered_in_adyens_word() {
    let world = World::start().await;
    for (currency, amount, value) in [("USD", "100.00", 10_000), ("JPY", "80000", 80_000)] {
        let trader = world.trader(currency).await;
        let payment = world.deposit(&trader, amount, "adyen").await;
        assert_eq!(payment.reference, "", "a link's number is in no webhook");
        let item = item(&world, &payment, &format!("8816178952380{}", world.fresh()), value, currency);
        told(&world, &item).await;
        assert_eq!(world.status(&payment.id).await, "credited", "{currency}");
        let shown = world.payment(&payment.id).await.json;
        assert_eq!(shown["credited"], json!({"amount": amount, "currency": currency}));
        assert_eq!(shown["psp"]["reference"], item["pspReference"]);
        let before = world.stored().await;
        told(&world, &item).await;
        assert_eq!(before, world.stored().await);
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    }
}

#[tokio::test]
async fn the_simulators_payer_is_credited_and_its_vendor_takes_our_answer() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let payment = world.deposit(&trader, "250.50", "adyen").await;
    world.pay("adyen", &payment, json!({"outcome": "failed"})).await;
    assert_eq!(world.status(&payment.id).await, "failed");
    // the next attempt has another number
    world.pay("adyen", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    let recorded = world.recorded("adyen", &format!("payment_id={}", payment.id)).await;
    let deliveries = recorded["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 2);
    assert!(deliveries.iter().all(|one| one["answer"]["accepted"] == true), "{recorded}");
}

#[tokio::test]
async fn what_is_not_signed_is_not_read_and_what_is_signed_cannot_be_changed() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "adyen").await;
    let signed = item(&world, &payment, "8816178952380553", 10_000, "USD");
    let before = world.stored().await;
    for (pointer, other) in [
        ("/pspReference", json!("8816178952380554")),
        ("/merchantAccountCode", json!("Another")),
        ("/merchantReference", json!("pay_00000000000000000000000001")),
        ("/amount/value", json!(1_000_000)),
        ("/amount/currency", json!("EUR")),
        ("/eventCode", json!("CAPTURE")),
        ("/success", json!("false")),
    ] {
        let mut changed = signed.clone();
        *changed.pointer_mut(pointer).unwrap() = other;
        expect(deliver(&world, &changed, &signed).await, 401);
    }
    let mut another = signed.clone();
    another["merchantAccountCode"] = json!("Another");
    expect(deliver(&world, &another, &another).await, 401);
    assert_eq!(before, world.stored().await);
    let mut unsigned = signed.clone();
    unsigned["eventDate"] = json!("1999-01-01T00:00:00+01:00");
    unsigned["reason"] = json!("Refused");
    unsigned["paymentMethod"] = json!("other");
    expect(deliver(&world, &unsigned, &signed).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn a_dispute_that_was_won_stays_won_however_often_its_beginning_comes_again() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "adyen").await;
    let paid = item(&world, &payment, "8816178952380553", 10_000, "USD");
    told(&world, &paid).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    let event = |code: &str| {
        let mut event = paid.clone();
        event["eventCode"] = json!(code);
        event["originalReference"] = paid["pspReference"].clone();
        event["pspReference"] = json!("9915555555555555");
        event
    };
    told(&world, &event("NOTIFICATION_OF_CHARGEBACK")).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    told(&world, &event("CHARGEBACK")).await;
    assert_eq!(world.status(&payment.id).await, "charged_back");
    told(&world, &event("CHARGEBACK_REVERSED")).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    world.pass(3_600).await;
    told(&world, &event("CHARGEBACK")).await;
    assert_eq!(world.status(&payment.id).await, "credited", "an old message came again");
    told(&world, &event("SECOND_CHARGEBACK")).await;
    assert_eq!(world.status(&payment.id).await, "charged_back", "lost after it was won");
}

#[tokio::test]
async fn refunds_add_up_and_one_that_failed_does_not_count() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "adyen").await;
    world.pay("adyen", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    let returned = async || {
        world.idle().await;
        world.payment(&payment.id).await.json["returned"]["amount"].clone()
    };
    world.pay("adyen", &payment, json!({"outcome": "refunded", "amount_minor": 4_000})).await;
    assert_eq!(returned().await, json!("40.00"));
    world.pay("adyen", &payment, json!({"outcome": "refunded", "amount_minor": 2_500, "webhook": {"times": 2}})).await;
    assert_eq!(returned().await, json!("65.00"), "two refunds, one of them told twice");
    world.pay("adyen", &payment, json!({"outcome": "refund_failed", "amount_minor": 2_500})).await;
    assert_eq!(returned().await, json!("40.00"));
    world.pay("adyen", &payment, json!({"outcome": "refund_refused", "amount_minor": 6_000})).await;
    assert_eq!(returned().await, json!("40.00"));
}

#[tokio::test]
async fn a_capture_that_failed_after_the_credit_is_a_persons() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "adyen").await;
    world.pay("adyen", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    world.pass(60).await;
    world.pay("adyen", &payment, json!({"outcome": "capture_failed"})).await;
    let work = world.work_of(&payment.id).await;
    assert_eq!(work.len(), 1);
    assert_eq!(work[0]["kind"], "deposit_failed_after_success");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1, "a person takes it off");
}

#[tokio::test]
async fn where_captures_are_made_by_hand_only_the_capture_is_credited() {
    let world = World::start().await;
    let by_hand = |rules: &mut Value| {
        let psps = rules["psps"].as_array_mut().unwrap();
        let adyen = psps.iter_mut().find(|psp| psp["name"] == "adyen").unwrap();
        adyen["collected_when"] = json!("captured");
    };
    world.publish(SetName::Psps, 2, by_hand).await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "adyen").await;
    world.pay("adyen", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "pending", "held on the card");
    world.pay("adyen", &payment, json!({"outcome": "captured"})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn a_second_payment_over_one_link_is_money_of_its_own() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "adyen").await;
    for number in ["8816178952380553", "8816178952380554"] {
        told(&world, &item(&world, &payment, number, 10_000, "USD")).await;
        assert_eq!(world.status(&payment.id).await, "credited");
    }
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    let work = world.work_of(&payment.id).await;
    assert_eq!(work.len(), 1);
    assert_eq!(work[0]["kind"], "deposit_unknown_reference");
}

#[tokio::test]
async fn a_payment_of_which_nothing_is_heard_is_a_persons_because_adyen_cannot_be_asked() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "adyen").await;
    world.pass(24 * 3_600 + 120).await;
    world.sweep().await;
    assert_eq!(world.status(&payment.id).await, "pending");
    world.pass(6 * 3_600 + 120).await;
    world.sweep().await;
    assert_eq!(world.status(&payment.id).await, "needs_review");
    assert_eq!(world.work_of(&payment.id).await[0]["kind"], "deposit_overdue");
    // and what comes at last counts
    told(&world, &item(&world, &payment, "8816178952380553", 10_000, "USD")).await;
    assert_eq!(world.status(&payment.id).await, "credited");
}
