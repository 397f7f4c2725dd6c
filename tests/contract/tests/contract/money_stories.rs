//! Deposits that do not go as asked: other amounts, other currencies, statements in any order.

use serde_json::{Value, json};

use crate::world::{Payment, Trader, World, expect, now_s};

async fn tell(world: &World, payment: &Payment, kind: &str, amount: i64, created: i64) {
    let mut event = world.intent(payment, kind, amount, "usd");
    event["created"] = json!(created);
    expect(world.stripe(&event).await, 200);
    world.idle().await;
}

async fn one(world: &World) -> (Trader, Payment) {
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    (trader, payment)
}

fn stages(payment: &Value) -> Vec<&str> {
    payment["timeline"].as_array().unwrap().iter().map(|line| line["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_paid_deposit_is_credited_once_with_its_timeline() {
    let world = World::start().await;
    let (trader, payment) = one(&world).await;
    tell(&world, &payment, "payment_intent.succeeded", 10_000, now_s()).await;
    let shown = world.payment(&payment.id).await.json;
    assert_eq!(shown["status"], "credited");
    let hundred = json!({"amount": "100.00", "currency": "USD"});
    for name in ["requested", "paid", "credited"] {
        assert_eq!(shown[name], hundred, "{name}");
    }
    assert_eq!(stages(&shown), ["pending", "paid", "crediting", "credited"]);
    assert!(!shown["platform"]["operation"].as_str().unwrap().is_empty());
    let deals = world.deals(&trader, &payment).await;
    assert_eq!(deals.len(), 1);
    assert!(
        deals[0].to_string().contains(&format!("\"{}", payment.id)),
        "the comment begins with our id: {}",
        deals[0]
    );
    let account = expect(world.get("portal", &format!("/v1/accounts/{}", trader.account)).await, 200);
    assert_eq!(account.json["balance"], hundred);
}

#[tokio::test]
async fn another_amount_or_currency_is_never_credited_without_a_person() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for (minor, currency, kind) in [
        (9_999, "usd", "deposit_underpaid"),
        (1, "usd", "deposit_underpaid"),
        (10_001, "usd", "deposit_overpaid"),
        (1_000_000, "usd", "deposit_overpaid"),
        (10_000, "eur", "deposit_currency_mismatch"),
        (100, "jpy", "deposit_currency_mismatch"),
    ] {
        let payment = world.deposit(&trader, "100.00", "stripe").await;
        let event = world.intent(&payment, "payment_intent.succeeded", minor, currency);
        for _ in 0..2 {
            expect(world.stripe(&event).await, 200);
        }
        assert_eq!(world.status(&payment.id).await, "needs_review", "{minor} {currency}");
        let shown = world.payment(&payment.id).await.json;
        assert_eq!(shown["review"]["kind"], kind);
        // what a person is asked may name another payment: it is not the client's business
        for path in [format!("/v1/payments/{}", payment.id), format!("/v1/clients/{}/payments", trader.client)] {
            let seen = expect(world.get("portal", &path).await, 200);
            assert!(!seen.text.contains("\"review\""), "{}", seen.text);
        }
        assert!(shown.get("credited").is_none());
        let work = world.work_of(&payment.id).await;
        assert_eq!(work.len(), 1, "{work:?}");
        assert_eq!(work[0]["kind"], kind);
        assert!(world.deals(&trader, &payment).await.is_empty());
    }
}

#[tokio::test]
async fn a_success_after_a_failed_attempt_is_credited() {
    let world = World::start().await;
    let (trader, payment) = one(&world).await;
    let now = now_s();
    tell(&world, &payment, "payment_intent.payment_failed", 10_000, now - 10).await;
    assert_eq!(world.status(&payment.id).await, "failed");
    tell(&world, &payment, "payment_intent.payment_failed", 10_000, now - 5).await;
    tell(&world, &payment, "payment_intent.succeeded", 10_000, now).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    assert!(world.work_of(&payment.id).await.is_empty());
}

#[tokio::test]
async fn a_success_after_the_provider_closed_the_payment_is_for_a_person() {
    let world = World::start().await;
    let (trader, payment) = one(&world).await;
    let now = now_s();
    tell(&world, &payment, "payment_intent.canceled", 10_000, now - 10).await;
    assert_eq!(world.status(&payment.id).await, "failed");
    tell(&world, &payment, "payment_intent.succeeded", 10_000, now).await;
    assert_eq!(world.status(&payment.id).await, "needs_review");
    assert_eq!(world.work_of(&payment.id).await[0]["kind"], "deposit_paid_after_failure");
    assert!(world.deals(&trader, &payment).await.is_empty());
}

#[tokio::test]
async fn older_statements_that_arrive_late_change_nothing() {
    let world = World::start().await;
    let (trader, payment) = one(&world).await;
    let now = now_s();
    tell(&world, &payment, "payment_intent.succeeded", 10_000, now).await;
    let credited = world.payment(&payment.id).await.json;
    for (kind, created) in [
        ("payment_intent.payment_failed", now - 3_600),
        ("payment_intent.payment_failed", now),
        ("payment_intent.canceled", now - 60),
        ("payment_intent.processing", now + 5),
        ("payment_intent.created", now - 60),
        ("payment_intent.requires_action", now - 30),
        ("payment_intent.succeeded", now - 30),
        ("payment_intent.succeeded", now + 30),
    ] {
        tell(&world, &payment, kind, 10_000, created).await;
        assert_eq!(world.payment(&payment.id).await.json, credited, "{kind} {}", created - now);
    }
    assert!(world.work_of(&payment.id).await.is_empty());
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_failure_after_the_success_is_for_a_person_and_takes_nothing_back_by_itself() {
    let world = World::start().await;
    let (trader, payment) = one(&world).await;
    let now = now_s();
    tell(&world, &payment, "payment_intent.succeeded", 10_000, now - 10).await;
    tell(&world, &payment, "payment_intent.payment_failed", 10_000, now).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    let work = world.work_of(&payment.id).await;
    assert_eq!(work.len(), 1);
    assert_eq!(work[0]["kind"], "deposit_failed_after_success");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_second_collection_of_another_amount_is_for_a_person_and_not_credited() {
    let world = World::start().await;
    let (trader, payment) = one(&world).await;
    let now = now_s();
    tell(&world, &payment, "payment_intent.succeeded", 10_000, now - 10).await;
    tell(&world, &payment, "payment_intent.succeeded", 25_000, now).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.work_of(&payment.id).await.len(), 1);
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_platform_that_books_and_does_not_answer_is_looked_up_and_credited_once() {
    let world = World::start().await;
    let (trader, payment) = one(&world).await;
    let lost =
        json!([{"operation": "trade_balance", "match": {"comment": payment.id}, "fault": {"kind": "apply_then_drop"}}]);
    world.faults("mt5", &lost).await;
    tell(&world, &payment, "payment_intent.succeeded", 10_000, now_s()).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_platform_that_refuses_the_credit_is_for_finance() {
    let world = World::start().await;
    let (trader, payment) = one(&world).await;
    world.faults("mt5", &json!([{"operation": "trade_balance", "fault": {"kind": "refuse", "retcode": 10_019}}])).await;
    tell(&world, &payment, "payment_intent.succeeded", 10_000, now_s()).await;
    assert_eq!(world.status(&payment.id).await, "needs_review");
    assert_eq!(world.work_of(&payment.id).await[0]["kind"], "credit_refused");
    assert!(world.deals(&trader, &payment).await.is_empty());
}

#[tokio::test]
async fn a_webhook_that_never_comes_is_asked_for_at_the_provider() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for psp in ["stripe", "praxis"] {
        let payment = world.deposit(&trader, "100.00", psp).await;
        world.pay(psp, &payment, json!({"webhook": {"never": true}})).await;
        world.sweep().await;
        assert_eq!(world.status(&payment.id).await, "pending", "it is not overdue yet");
        world.pass(15 * 60 + 1).await;
        world.sweep().await;
        assert_eq!(world.status(&payment.id).await, "credited", "{psp}");
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    }
}

#[tokio::test]
async fn a_deposit_that_nobody_pays_expires_and_is_credited_if_it_is_paid_after_all() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    for _ in 0..60 {
        world.pass(30 * 60 + 1).await;
        world.sweep().await;
        if world.status(&payment.id).await == "expired" {
            break;
        }
    }
    assert_eq!(world.status(&payment.id).await, "expired");
    let event = world.intent(&payment, "payment_intent.succeeded", 10_000, "usd");
    expect(world.stripe(&event).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    assert_eq!(stages(&world.payment(&payment.id).await.json), ["pending", "expired", "paid", "crediting", "credited"]);
}

#[tokio::test]
async fn a_credit_whose_outcome_nobody_knows_is_found_when_the_platform_speaks_again() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    world.lose_the_next_credit().await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    assert_eq!(world.status(&payment.id).await, "crediting_unknown");
    world.no_faults("mt5").await;
    world.pass(5 * 60).await;
    for _ in 0..5 {
        world.sweep().await;
        world.pass(5 * 60).await;
    }
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}
