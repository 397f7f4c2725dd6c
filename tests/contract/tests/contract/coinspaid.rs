//! CoinsPaid's callbacks: addresses that take money with or without an intent of ours.

use broker::api::Answer;
use serde_json::{Value, json};

use crate::signing;
use crate::world::{Call, World, expect, items};

/// A callback about coins that were converted, as CoinsPaid writes it.
fn callback(foreign_id: &str, id: u64, status: &str, received: (&str, &str)) -> Value {
    let (amount, currency) = received;
    json!({
        "id": id, "type": "deposit_exchange", "end_user_reference": "cli_1",
        "crypto_address": {
            "id": 382_270, "currency": "USDTT", "convert_to": currency, "address": "TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm",
            "tag": null, "foreign_id": foreign_id,
        },
        "currency_sent": {"currency": "USDTT", "amount": "90.90000000"},
        "currency_received": {"currency": currency, "amount": amount, "amount_minus_fee": "1.00000000"},
        "transactions": [{
            "id": id + 1, "currency": "USDTT", "transaction_type": "blockchain", "type": "deposit", "amount": "90.9",
            "txid": "3a491da90a1ce5a318d0aeff6867ab98a03219abae29ed68d702291703c3538b", "riskscore": "0.42", "confirmations": "1",
        }],
        "fees": [], "error": "", "status": status,
    })
}

fn call(body: impl Into<Vec<u8>>) -> Call {
    Call::raw("/v1/webhooks/psp/coinspaid", body).header("content-type", "application/json")
}

fn secret(world: &World) -> &str {
    world.broker.webhook_secrets["coinspaid"].as_str().unwrap()
}

/// Sends a callback, rightly signed.
pub async fn told(world: &World, callback: &Value) -> Answer {
    let body = callback.to_string();
    let signature = signing::coinspaid(secret(world), &body);
    world.send(call(body).header("x-processing-signature", &signature).header("x-processing-key", "any")).await
}

/// The open items of a desk.
async fn open(world: &World, desk: &str) -> Vec<Value> {
    world.idle().await;
    items(&expect(world.get(desk, &format!("/v1/work?queue={desk}&limit=100")).await, 200))
}

#[tokio::test]
async fn what_was_received_is_credited_once_in_the_currency_of_the_account() {
    let world = World::start().await;
    for (n, (currency, received, credited)) in (1..).zip([
        ("EUR", "84.17970222", "84.17"),
        ("USD", "100.00000000", "100.00"),
        ("GBP", "104.00000000", "104.00"),
    ]) {
        let trader = world.trader(currency).await;
        let payment = world.deposit(&trader, "100.00", "coinspaid").await;
        assert_eq!(payment.reference, "", "there is no transaction before something comes");
        let id = 2_686_510 + n;
        let seen = callback(&payment.id, id, "not_confirmed", (received, currency));
        assert_eq!(expect(told(&world, &seen).await, 200).json["received"], true);
        assert_eq!(world.status(&payment.id).await, "pending");
        let confirmed = callback(&payment.id, id, "confirmed", (received, currency));
        expect(told(&world, &confirmed).await, 200);
        assert_eq!(world.status(&payment.id).await, "credited", "{currency}");
        let shown = world.payment(&payment.id).await.json;
        assert_eq!(shown["credited"], json!({"amount": credited, "currency": currency}));
        assert_eq!(shown["psp"]["reference"], id.to_string());
        let before = world.stored().await;
        for again in [&confirmed, &seen, &confirmed] {
            expect(told(&world, again).await, 200);
        }
        assert_eq!(before, world.stored().await);
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    }
}

#[tokio::test]
async fn a_payer_of_the_simulator_is_credited() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let payment = world.deposit(&trader, "100.00", "coinspaid").await;
    world.pay("coinspaid", &payment, json!({"outcome": "not_confirmed", "amount": "97.31"})).await;
    assert_eq!(world.status(&payment.id).await, "pending");
    let order = json!({"amount": "97.31", "webhook": {"times": 3, "concurrent": true}});
    world.pay("coinspaid", &payment, order).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.payment(&payment.id).await.json["credited"]["amount"], "97.31");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_callback_that_proves_nothing_is_401_and_nothing_is_written() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "coinspaid").await;
    let body = callback(&payment.id, 7, "confirmed", ("100.00", "USD")).to_string();
    let right = signing::coinspaid(secret(&world), &body);
    let before = world.stored().await;
    expect(world.send(call(body.clone())).await, 401);
    for signature in [
        "",
        "garbage",
        &right[..127],
        &format!("{right}00"),
        &"0".repeat(128),
        &signing::coinspaid("secret-of-somebody-else", &body),
        // the right size of another algorithm
        &signing::of_body(secret(&world), &body),
    ] {
        expect(world.send(call(body.clone()).header("x-processing-signature", signature)).await, 401);
    }
    for changed in [
        body.replace("100.00", "900.00"),
        body.replace("confirmed", "not_confirmed"),
        body.replace(&payment.id, "pay_0123456789abcdefghjkmnpqrs"),
        format!("{body} "),
        String::new(),
        "{}".to_owned(),
    ] {
        assert_ne!(changed, body);
        expect(world.send(call(changed).header("x-processing-signature", &right)).await, 401);
    }
    let mut junk = body.clone().into_bytes();
    junk.push(0xff);
    expect(world.send(call(junk).header("x-processing-signature", &right)).await, 401);
    // signed, and not understood
    for body in ["", "[]", "{}", "{\"id\":1,\"id\":1,\"type\":\"deposit\",\"status\":\"confirmed\"}"] {
        let signature = signing::coinspaid(secret(&world), body);
        expect(world.send(call(body).header("x-processing-signature", &signature)).await, 400);
    }
    assert_eq!(before, world.stored().await);
    assert_eq!(world.status(&payment.id).await, "pending");
}

/// Whoever has an address may pay to it again, whenever he likes.
#[tokio::test]
async fn later_money_on_an_address_is_a_persons_and_neither_lost_nor_credited_twice() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "coinspaid").await;
    expect(told(&world, &callback(&payment.id, 1, "confirmed", ("99.50", "USD"))).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    let second = callback(&payment.id, 2, "confirmed", ("99.50", "USD"));
    for _ in 0..3 {
        expect(told(&world, &second).await, 200);
    }
    let asked = world.work_of(&payment.id).await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["kind"], "deposit_unknown_reference");
    expect(told(&world, &callback(&payment.id, 3, "confirmed", ("7.00", "USD"))).await, 200);
    assert_eq!(world.work_of(&payment.id).await.len(), 2, "each transaction is money of its own");
    // one that was called off is nobody's
    expect(told(&world, &callback(&payment.id, 4, "cancelled", ("7.00", "USD"))).await, 200);
    assert_eq!(world.work_of(&payment.id).await.len(), 2);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    assert_eq!(world.payment(&payment.id).await.json["credited"]["amount"], "99.50");
}

#[tokio::test]
async fn money_on_an_address_of_no_payment_is_one_item_a_transaction() {
    let world = World::start().await;
    for (id, items) in [(11, 1), (11, 1), (12, 2)] {
        expect(told(&world, &callback("user-id:2048", id, "confirmed", ("50.00", "USD"))).await, 200);
        let found = open(&world, "finance").await;
        assert_eq!(found.len(), items);
        assert!(found.iter().all(|item| item["kind"] == "deposit_unknown_reference"), "{found:?}");
    }
    // what has not come yet, and what leaves us, concerns nobody
    expect(told(&world, &callback("user-id:2048", 13, "not_confirmed", ("50.00", "USD"))).await, 200);
    let mut payout = callback("user-id:2048", 14, "confirmed", ("50.00", "USD"));
    payout["type"] = json!("withdrawal");
    expect(told(&world, &payout).await, 200);
    assert_eq!(open(&world, "finance").await.len(), 2);
}

#[tokio::test]
async fn more_than_the_rules_take_and_coins_that_were_not_converted_are_a_persons() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for (n, (received, kind)) in (20..).zip([
        (("110.01", "USD"), "deposit_overpaid"),
        (("0.001", "USD"), "deposit_underpaid"),
        (("100.00", "EUR"), "deposit_currency_mismatch"),
        (("100.00", "USDTT"), "deposit_currency_mismatch"),
    ]) {
        let payment = world.deposit(&trader, "100.00", "coinspaid").await;
        expect(told(&world, &callback(&payment.id, n, "confirmed", received)).await, 200);
        assert_eq!(world.status(&payment.id).await, "needs_review");
        assert_eq!(world.work_of(&payment.id).await[0]["kind"], kind, "{received:?}");
        assert!(world.deals(&trader, &payment).await.is_empty());
    }
}

#[tokio::test]
async fn coins_of_a_risky_origin_wait_for_compliance() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "coinspaid").await;
    let mut risky = callback(&payment.id, 30, "confirmed", ("100.00", "USD"));
    risky["transactions"][0]["riskscore"] = json!("0.87");
    for _ in 0..2 {
        expect(told(&world, &risky).await, 200);
    }
    assert_eq!(world.status(&payment.id).await, "needs_review");
    assert!(world.deals(&trader, &payment).await.is_empty());
    let asked = open(&world, "compliance").await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0]["kind"], "deposit_risky");
    let work_id = asked[0]["work_id"].as_str().unwrap().to_owned();
    let decision = json!({"action": "credit_paid_amount", "note": "the origin is an exchange that we know"});
    expect(world.act("compliance", &work_id, &decision).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_callback_that_was_lost_is_asked_for_and_an_address_that_nobody_paid_expires() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let paid = world.deposit(&trader, "100.00", "coinspaid").await;
    let unpaid = world.deposit(&trader, "50.00", "coinspaid").await;
    world.pay("coinspaid", &paid, json!({"amount": "98.11", "webhook": {"never": true}})).await;
    for seconds in [3_660, 12 * 3_600 + 60] {
        world.pass(seconds).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&paid.id).await, "credited");
    assert_eq!(world.status(&unpaid.id).await, "expired");
    assert!(world.work_of(&unpaid.id).await.is_empty(), "whoever did not pay is nobody's work");
    // he pays after all
    expect(told(&world, &callback(&unpaid.id, 41, "confirmed", ("49.90", "EUR"))).await, 200);
    assert_eq!(world.status(&unpaid.id).await, "credited");
    assert_eq!(world.payment(&unpaid.id).await.json["credited"]["amount"], "49.90");
}
