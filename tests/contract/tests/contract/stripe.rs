//! Stripe's webhook: signatures, repeats, order, events that say nothing to us.

use futures::future::join_all;
use serde_json::json;

use crate::signing::{stripe_header, stripe_v1};
use crate::world::{World, expect, now_s, stripe_call};

#[tokio::test]
async fn a_delivery_that_proves_nothing_is_401_and_nothing_is_written() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    let body = world.intent(&payment, "payment_intent.succeeded", 10_000, "usd").to_string();
    let (secret, now) = (world.stripe_secret().to_owned(), now_s());
    let right = stripe_v1(&secret, now, &body);
    let other = stripe_v1("whsec_of_somebody_else", now, &body);
    let zeros = "0".repeat(64);
    let headers = [
        ("a wrong secret", format!("t={now},v1={other}")),
        ("nothing", String::new()),
        ("no signature", format!("t={now}")),
        ("no time", format!("v1={right}")),
        ("an empty signature", format!("t={now},v1=")),
        ("half a signature", format!("t={now},v1={}", &right[..32])),
        ("a longer signature", format!("t={now},v1={right}00")),
        ("zeros", format!("t={now},v1={zeros}")),
        ("no hex", format!("t={now},v1={}", "z".repeat(64))),
        ("scheme v0 only", format!("t={now},v0={right}")),
        ("the secret of another time", format!("t={},v1={right}", now + 1)),
        ("two times", format!("t={now},t={now},v1={right}")),
        ("a time that is no number", format!("t=now,v1={}", stripe_v1(&secret, now, &body))),
        ("too old", stripe_header(&secret, now - 310, &body)),
        ("from the future", stripe_header(&secret, now + 310, &body)),
        ("garbage", "garbage".to_owned()),
    ];
    let before = world.stored().await;
    for (what, header) in &headers {
        let answer = world.send(stripe_call(body.clone()).header("stripe-signature", header)).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
    }
    expect(world.send(stripe_call(body.clone())).await, 401);
    let tampered = body.replace("10000", "90000");
    expect(
        world.send(stripe_call(tampered).header("stripe-signature", &stripe_header(&secret, now, &body))).await,
        401,
    );
    expect(world.send(stripe_call("").header("stripe-signature", &stripe_header(&secret, now, &body))).await, 401);
    assert_eq!(before, world.stored().await);
    assert_eq!(world.status(&payment.id).await, "pending");
}

#[tokio::test]
async fn any_of_several_signatures_and_times_within_five_minutes_are_good() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let secret = world.stripe_secret().to_owned();
    for offset in [-280, 0, 280] {
        let payment = world.deposit(&trader, "100.00", "stripe").await;
        let body = world.intent(&payment, "payment_intent.succeeded", 10_000, "usd").to_string();
        let at = now_s() + offset;
        let (right, wrong) = (stripe_v1(&secret, at, &body), stripe_v1("rolled", at, &body));
        let header = format!("t={at},v1={wrong},v1={right},v0={wrong}");
        let answer = expect(world.send(stripe_call(body).header("stripe-signature", &header)).await, 200);
        assert_eq!(answer.json["received"], true);
        assert_eq!(world.status(&payment.id).await, "credited", "{offset}");
    }
}

#[tokio::test]
async fn the_signature_is_over_the_bytes_as_they_came() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    let mut event = world.intent(&payment, "payment_intent.succeeded", 10_000, "usd");
    event["data"]["object"]["description"] = json!("Déposit 💶 \u{202e}");
    let body = format!("\n{}\n\n", serde_json::to_string_pretty(&event).unwrap());
    let header = stripe_header(world.stripe_secret(), now_s(), &body);
    expect(world.send(stripe_call(body).header("stripe-signature", &header)).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn what_is_signed_and_no_event_is_400_and_nothing_is_written() {
    let world = World::start().await;
    let before = world.stored().await;
    let bodies = [
        "",
        "not json",
        "[]",
        "null",
        "{}",
        "{\"id\": \"evt_1\"}",
        "{\"id\": \"\", \"type\": \"x\", \"created\": 1, \"data\": {\"object\": {}}}",
    ];
    for body in bodies {
        let header = stripe_header(world.stripe_secret(), now_s(), body);
        let answer = expect(world.send(stripe_call(body).header("stripe-signature", &header)).await, 400);
        assert!(!answer.json["errors"].as_array().unwrap().is_empty(), "{body}");
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn an_unknown_provider_is_404_whatever_is_signed() {
    let world = World::start().await;
    let before = world.stored().await;
    for psp in ["paypal", "Stripe", "stripe%20", "..", "%00", "stripe%2F"] {
        let header = stripe_header(world.stripe_secret(), now_s(), "{}");
        let call =
            crate::world::Call::raw(&format!("/v1/webhooks/psp/{psp}"), "{}").header("stripe-signature", &header);
        expect(world.send(call).await, 404);
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn a_repeated_delivery_is_taken_again_and_changes_nothing() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    let event = world.intent(&payment, "payment_intent.succeeded", 10_000, "usd");
    for answer in join_all((0..10).map(|_| world.stripe(&event))).await {
        // a provider that is asked to come back later does so
        assert!(matches!(answer.status, 200 | 503), "{}", answer.text);
    }
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    let before = world.stored().await;
    for _ in 0..3 {
        assert_eq!(expect(world.stripe(&event).await, 200).json["received"], true);
    }
    // the same statement under another event id is still the same collection
    let mut copy = event.clone();
    copy["id"] = json!("evt_copy");
    expect(world.stripe(&copy).await, 200);
    assert_eq!(before, world.stored().await);
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn events_of_other_types_are_taken_and_say_nothing() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    let kinds = [
        "payment_intent.created",
        "payment_intent.processing",
        "payment_intent.requires_action",
        "payment_intent.amount_capturable_updated",
        "payment_intent.partially_funded",
        "charge.succeeded",
        "charge.updated",
        "charge.pending",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "customer.created",
        "invoice.paid",
        "payout.paid",
        "something.entirely.new",
    ];
    let before = world.stored().await;
    for kind in kinds {
        let event = world.intent(&payment, kind, 10_000, "usd");
        assert_eq!(expect(world.stripe(&event).await, 200).json["received"], true, "{kind}");
        let mut foreign = event.clone();
        foreign["id"] = json!(format!("evt_foreign_{kind}"));
        foreign["data"]["object"] =
            json!({"id": "obj_1", "object": "customer", "amount": -5, "currency": 7, "metadata": null});
        expect(world.stripe(&foreign).await, 200);
    }
    assert_eq!(before, world.stored().await);
    assert_eq!(world.status(&payment.id).await, "pending");
}

#[tokio::test]
async fn the_amount_is_what_was_received_and_not_what_was_asked_for() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    let mut event = world.intent(&payment, "payment_intent.succeeded", 10_000, "usd");
    event["data"]["object"]["amount_received"] = json!(4_000);
    expect(world.stripe(&event).await, 200);
    assert_eq!(world.status(&payment.id).await, "needs_review");
    assert_eq!(world.payment(&payment.id).await.json["paid"], json!({"amount": "40.00", "currency": "USD"}));
}

#[tokio::test]
async fn amounts_of_yen_have_no_minor_unit() {
    let world = World::start().await;
    let trader = world.trader("JPY").await;
    let payment = world.deposit(&trader, "80000", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 80_000, "jpy")).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.payment(&payment.id).await.json["credited"], json!({"amount": "80000", "currency": "JPY"}));
}

#[tokio::test]
async fn amounts_that_cannot_be_told_are_never_credited() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for (amount, currency) in [
        (json!(null), json!("usd")),
        (json!("10000"), json!("usd")),
        (json!(100.5), json!("usd")),
        (json!(-10_000), json!("usd")),
        (json!(10_000), json!("xxx")),
        (json!(10_000), json!(null)),
        (json!(i64::MAX), json!("usd")),
        (json!(0), json!("usd")),
    ] {
        let payment = world.deposit(&trader, "100.00", "stripe").await;
        let mut event = world.intent(&payment, "payment_intent.succeeded", 10_000, "usd");
        event["data"]["object"]["amount_received"] = amount.clone();
        event["data"]["object"]["currency"] = currency.clone();
        expect(world.stripe(&event).await, 200);
        assert_eq!(world.status(&payment.id).await, "needs_review", "{amount} {currency}");
        assert!(world.deals(&trader, &payment).await.is_empty());
        assert_eq!(world.work_of(&payment.id).await.len(), 1);
    }
}

#[tokio::test]
async fn money_under_a_reference_that_is_nobody_s_becomes_one_work_item() {
    let world = World::start().await;
    let nobody =
        crate::world::Payment { id: "pay_0123456789abcdefghjkmnpqrs".to_owned(), reference: "pi_unknown".to_owned() };
    let mut without = world.intent(&nobody, "payment_intent.succeeded", 12_300, "eur");
    without["data"]["object"]["metadata"] = json!({});
    let mut strange = world.intent(&nobody, "payment_intent.succeeded", 500, "usd");
    strange["data"]["object"]["metadata"] = json!({"payment_id": "order 17"});
    let known = world.intent(&nobody, "payment_intent.succeeded", 10_000, "usd");
    for event in [&without, &strange] {
        for _ in 0..3 {
            expect(world.stripe(event).await, 200);
        }
    }
    // one item for the payment at the provider, however many events name it
    let found = async || {
        world.idle().await;
        crate::world::items(&world.get("finance", "/v1/work?queue=finance").await)
    };
    let items = found().await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["kind"], "deposit_unknown_reference");
    assert!(items[0]["subject"]["stray_id"].is_string(), "{items:?}");
    assert_eq!(items[0]["trigger"]["what"], "pi_unknown");
    // what names a payment of ours may have come before its record: it is to be sent again, and a person is asked later
    for _ in 0..3 {
        expect(world.stripe(&known).await, 503);
    }
    assert_eq!(found().await.len(), 1);
    world.pass(901).await;
    world.sweep().await;
    assert_eq!(found().await.len(), 2);
    for _ in 0..3 {
        expect(world.stripe(&known).await, 200);
    }
    assert_eq!(found().await.len(), 2);
    // what moved no money concerns nobody
    expect(world.stripe(&world.intent(&nobody, "payment_intent.payment_failed", 10_000, "usd")).await, 200);
    expect(world.stripe(&world.intent(&nobody, "payment_intent.canceled", 10_000, "usd")).await, 200);
    assert_eq!(found().await.len(), 2);
}
