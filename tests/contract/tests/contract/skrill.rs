//! Skrill's webhook: a form whose signature is one of its fields.
//!
//! These run on the embedded host alone: LocalStack's gateway decodes a form and writes it anew, and then the body is not the one
//! that was sent.

use broker::api::Answer;
use serde_json::json;

use crate::signing;
use crate::world::{Call, Payment, World, expect};

/// A status report, as Skrill posts it, without its signature.
fn form(payment: &str, status: &str, amount: &str, currency: &str) -> Vec<(String, String)> {
    [
        ("pay_to_email", "merchant@broker.test"),
        ("pay_from_email", "ana+1@example.com"),
        ("merchant_id", "1234567"),
        ("transaction_id", payment),
        ("mb_transaction_id", "3254567"),
        ("mb_amount", amount),
        ("mb_currency", currency),
        ("status", status),
        ("amount", "999.99"),
        ("currency", "XXX"),
        ("payment_type", "WLT"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn body(form: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

fn call(body: impl Into<Vec<u8>>) -> Call {
    Call::raw("/v1/webhooks/psp/skrill", body).header("content-type", "application/x-www-form-urlencoded")
}

/// Sends a report, rightly signed.
async fn told(world: &World, mut form: Vec<(String, String)>) -> Answer {
    let word = world.broker.webhook_secrets["skrill"].as_str().unwrap();
    form.push(("md5sig".to_owned(), signing::skrill(&form, word)));
    world.send(call(body(&form))).await
}

#[tokio::test]
async fn a_processed_payment_is_credited_once_in_each_currency() {
    let world = World::start().await;
    for (currency, amount) in [("USD", "100.00"), ("EUR", "250.50"), ("JPY", "80000")] {
        let trader = world.trader(currency).await;
        let payment = world.deposit(&trader, amount, "skrill").await;
        assert_eq!(payment.reference, payment.id, "it is named by our number at Skrill too");
        let report = form(&payment.id, "2", amount, currency);
        assert_eq!(expect(told(&world, report.clone()).await, 200).json["received"], true);
        assert_eq!(world.status(&payment.id).await, "credited", "{currency}");
        let shown = world.payment(&payment.id).await.json;
        assert_eq!(shown["credited"], json!({"amount": amount, "currency": currency}));
        let before = world.stored().await;
        for _ in 0..3 {
            expect(told(&world, report.clone()).await, 200);
        }
        assert_eq!(before, world.stored().await);
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    }
}

#[tokio::test]
async fn a_payer_of_the_simulator_is_credited() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let payment = world.deposit(&trader, "23.00", "skrill").await;
    world.pay("skrill", &payment, json!({"outcome": "pending"})).await;
    assert_eq!(world.status(&payment.id).await, "pending");
    world.pay("skrill", &payment, json!({"webhook": {"times": 3, "concurrent": true}})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_report_that_proves_nothing_is_401_and_nothing_is_written() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let payment = world.deposit(&trader, "10.50", "skrill").await;
    let word = world.broker.webhook_secrets["skrill"].as_str().unwrap();
    let report = form(&payment.id, "2", "10.50", "EUR");
    let right = signing::skrill(&report, word);
    let signed = |report: &[(String, String)], signature: &str| {
        let mut report = report.to_vec();
        report.push(("md5sig".to_owned(), signature.to_owned()));
        body(&report)
    };
    let changed = |name: &str, value: &str| {
        let mut changed = report.clone();
        changed.iter_mut().find(|(key, _)| key == name).unwrap().1 = value.to_owned();
        changed
    };
    let before = world.stored().await;
    let mut bodies = vec![
        String::new(),
        "junk".to_owned(),
        "{}".to_owned(),
        body(&report),
        signed(&report, ""),
        signed(&report, &right[..31]),
        signed(&report, &format!("{right}0")),
        signed(&report, &"0".repeat(32)),
        // the rule that public code has wrong: the word itself in capitals
        signed(&report, &signing::skrill(&report, &word.to_uppercase())),
        format!("{}&status=2", signed(&report, &right)),
    ];
    for (name, value) in [
        ("merchant_id", "1234568"),
        ("transaction_id", "pay_0123456789abcdefghjkmnpqrs"),
        ("mb_amount", "10.5"),
        ("mb_amount", "910.50"),
        ("mb_currency", "JPY"),
        ("status", "0"),
    ] {
        bodies.push(signed(&changed(name, value), &right));
    }
    // rightly signed, and for another merchant
    let others = changed("merchant_id", "7654321");
    bodies.push(signed(&others, &signing::skrill(&others, word)));
    for body in bodies {
        let answer = world.send(call(body.clone())).await;
        assert_eq!(answer.status, 401, "{body}: {}", answer.text);
    }
    assert_eq!(before, world.stored().await);
    assert_eq!(world.status(&payment.id).await, "pending");
}

#[tokio::test]
async fn what_arrived_decides_and_another_amount_or_currency_is_a_persons() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for (amount, currency, kind) in
        [("90.00", "USD", "deposit_underpaid"), ("92.30", "EUR", "deposit_currency_mismatch")]
    {
        let payment = world.deposit(&trader, "100.00", "skrill").await;
        expect(told(&world, form(&payment.id, "2", amount, currency)).await, 200);
        assert_eq!(world.status(&payment.id).await, "needs_review");
        assert_eq!(world.work_of(&payment.id).await[0]["kind"], kind);
        assert!(world.deals(&trader, &payment).await.is_empty());
    }
}

#[tokio::test]
async fn a_failed_attempt_is_revived_by_the_next_and_a_chargeback_takes_the_money_back() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let payment = world.deposit(&trader, "10.50", "skrill").await;
    expect(told(&world, form(&payment.id, "-2", "10.50", "EUR")).await, 200);
    assert_eq!(world.status(&payment.id).await, "failed");
    expect(told(&world, form(&payment.id, "2", "10.50", "EUR")).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    for _ in 0..2 {
        expect(told(&world, form(&payment.id, "-3", "10.50", "EUR")).await, 200);
    }
    assert_eq!(world.status(&payment.id).await, "charged_back");
    assert_eq!(world.work_of(&payment.id).await.len(), 1);
}

#[tokio::test]
async fn a_message_that_was_lost_is_asked_for_and_a_payment_that_nobody_made_expires() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    let paid = world.deposit(&trader, "10.50", "skrill").await;
    let unpaid = world.deposit(&trader, "11.50", "skrill").await;
    world.pay("skrill", &paid, json!({"webhook": {"never": true}})).await;
    for _ in 0..2 {
        world.pass(31 * 60).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&paid.id).await, "credited");
    assert_eq!(world.status(&unpaid.id).await, "expired");
    assert!(world.work_of(&unpaid.id).await.is_empty(), "whoever did not pay is nobody's work");
    // he pays after all
    expect(told(&world, form(&unpaid.id, "2", "11.50", "EUR")).await, 200);
    assert_eq!(world.status(&unpaid.id).await, "credited");
}

#[tokio::test]
async fn money_that_names_no_payment_of_ours_is_one_work_item() {
    let world = World::start().await;
    let nobody = Payment { id: "order-17".to_owned(), reference: String::new() };
    for _ in 0..3 {
        expect(told(&world, form(&nobody.id, "2", "10.50", "EUR")).await, 200);
    }
    world.idle().await;
    let found = crate::world::items(&world.get("finance", "/v1/work?queue=finance").await);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["kind"], "deposit_unknown_reference");
}
