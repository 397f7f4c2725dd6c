//! What a person's decision does to the payment it is about.

use domain::decision::{Decision, Frame};
use domain::work::{WorkDecision, WorkItem, WorkStatus};
use serde_json::{Value, json};

use crate::world::{Payment, Trader, World, account_request, expect, items, now_s};

/// A deposit of 100.00 USD with what Stripe said came, and its work item's id.
async fn odd(world: &World, minor: i64, currency: &str) -> (Trader, Payment, String) {
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", minor, currency)).await, 200);
    let work = open_item(world, &payment).await;
    (trader, payment, work)
}

async fn open_item(world: &World, payment: &Payment) -> String {
    let work = world.work_of(&payment.id).await;
    assert_eq!(work.len(), 1, "{work:?}");
    work[0]["work_id"].as_str().unwrap().to_owned()
}

async fn decide(world: &World, work: &str, body: Value) {
    expect(world.act("finance", work, &body).await, 200);
    world.idle().await;
}

fn dollars(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

#[tokio::test]
async fn crediting_what_was_paid_credits_exactly_that() {
    let world = World::start().await;
    for (minor, amount) in [(9_000, "90.00"), (12_550, "125.50")] {
        for body in
            [json!({"action": "credit_paid_amount"}), json!({"action": "resolve", "outcome": "credit_paid_amount"})]
        {
            let (trader, payment, work) = odd(&world, minor, "usd").await;
            decide(&world, &work, body).await;
            let shown = world.payment(&payment.id).await.json;
            assert_eq!(shown["status"], "credited");
            assert_eq!(shown["credited"], dollars(amount));
            assert_eq!(shown["requested"], dollars("100.00"));
            assert_eq!(world.deals(&trader, &payment).await.len(), 1);
            let account = world.get("portal", &format!("/v1/accounts/{}", trader.account)).await;
            assert_eq!(account.json["balance"], dollars(amount));
        }
    }
}

#[tokio::test]
async fn what_was_decided_before_an_item_was_opened_anew_does_not_carry_out_what_was_decided_since() {
    let world = World::start().await;
    let (_, payment, work) = odd(&world, 9_000, "usd").await;
    let crm = world.broker.crm();
    let stored = crm.load::<WorkItem>(&work.parse().unwrap()).await.unwrap().unwrap();
    let mut decided = stored.entity.clone();
    decided.facts.opening = 1;
    decided.facts.status = WorkStatus::Resolved;
    let by = "finance-1".to_owned();
    let action = "credit_paid_amount".to_owned();
    decided.facts.decision = Some(WorkDecision { action, evidence: None, by, at: world.now(), approved_by: None });
    let frame = Frame {
        function: "ops-work",
        execution_id: "1".to_owned(),
        trigger: "test".to_owned(),
        correlation_id: stored.correlation_id.clone(),
        now: world.now(),
        rules: vec![],
    };
    crm.save(Some(&stored), Decision::new(decided, "resolved", vec![], vec![]), &frame).await.unwrap();
    for (data, status) in [(json!({}), "needs_review"), (json!({"opening": 1}), "credited")] {
        let detail = json!({
            "event_id": format!("{work}:2:0"), "entity": work, "version": 2, "type": "work.decided", "at": world.now(),
            "correlation_id": "late", "data": data,
        });
        world.broker.host.send_message("PaymentsDecideQueue", &json!({"detail": detail}).to_string()).unwrap();
        world.idle().await;
        assert_eq!(world.status(&payment.id).await, status);
    }
}

#[tokio::test]
async fn a_refund_at_the_provider_ends_the_deposit_without_a_credit() {
    let world = World::start().await;
    let (trader, payment, work) = odd(&world, 9_000, "usd").await;
    decide(&world, &work, json!({"action": "refund_at_psp", "evidence": "re_3SW"})).await;
    let shown = world.payment(&payment.id).await.json;
    assert_eq!(shown["status"], "refunded");
    assert!(shown.get("credited").is_none());
    assert!(world.deals(&trader, &payment).await.is_empty());
    let journal = items(&world.get("finance", &format!("/v1/journal?entity={}", payment.id)).await);
    let why = journal.last().unwrap()["why"].to_string();
    assert!(why.contains("finance-1") && why.contains("re_3SW"), "{why}");
    // Stripe tells of the refund afterwards: it is known
    let mut event = world.intent(&payment, "charge.refunded", 9_000, "usd");
    event["data"]["object"] = json!({
        "id": "ch_1", "object": "charge", "amount": 9_000, "amount_refunded": 9_000, "currency": "usd", "payment_intent": payment.reference,
        "metadata": {"payment_id": payment.id},
    });
    expect(world.stripe(&event).await, 200);
    assert_eq!(world.status(&payment.id).await, "refunded");
    assert!(world.work_of(&payment.id).await.is_empty());
}

#[tokio::test]
async fn a_credit_by_hand_is_shown_with_its_ticket_and_not_booked_again() {
    let world = World::start().await;
    for (minor, currency, booked) in [(9_000, "usd", "90.00"), (11_000, "usd", "110.00"), (10_000, "eur", "108.42")] {
        let (trader, payment, work) = odd(&world, minor, currency).await;
        let ticket = world.books(&trader, booked, "by hand").await;
        let mut evidence = ticket.clone();
        if currency == "eur" {
            // what it was converted to only the person knows: the books need it
            let lacking = json!({"action": "mark_credited", "evidence": evidence});
            let refused = expect(world.act("finance", &work, &lacking).await, 422);
            assert_eq!(crate::world::faults(&refused), ["/evidence amount_missing"]);
            evidence = format!("{ticket} 108.42 USD");
        }
        decide(&world, &work, json!({"action": "mark_credited", "evidence": evidence, "note": "by hand"})).await;
        let shown = world.payment(&payment.id).await.json;
        if currency == "eur" {
            assert_eq!(shown["credited"], dollars("108.42"));
        }
        assert_eq!(shown["status"], "credited", "{minor} {currency}");
        assert_eq!(shown["platform"]["operation"], ticket);
        assert!(world.deals(&trader, &payment).await.is_empty(), "nothing was booked by us");
    }
}

#[tokio::test]
async fn a_deposit_closed_without_credit_is_failed_and_a_repeated_webhook_does_not_revive_it() {
    let world = World::start().await;
    let (trader, payment, work) = odd(&world, 9_000, "usd").await;
    decide(&world, &work, json!({"action": "close_without_credit"})).await;
    assert_eq!(world.status(&payment.id).await, "failed");
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    assert_eq!(world.status(&payment.id).await, "failed");
    assert!(world.deals(&trader, &payment).await.is_empty());
    // but money that was not known when it was closed is news
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    assert_eq!(world.status(&payment.id).await, "needs_review");
    assert_eq!(world.work_of(&payment.id).await.len(), 1);
    assert!(world.deals(&trader, &payment).await.is_empty());
}

#[tokio::test]
async fn another_currency_cannot_be_credited_by_the_automation() {
    let world = World::start().await;
    let (_, payment, work) = odd(&world, 10_000, "eur").await;
    for body in [json!({"action": "credit_paid_amount"}), json!({"action": "mark_not_credited_retry"})] {
        expect(world.act("finance", &work, &body).await, 422);
    }
    decide(&world, &work, json!({"action": "refund_at_psp", "evidence": "re_1"})).await;
    assert_eq!(world.status(&payment.id).await, "refunded");
}

#[tokio::test]
async fn an_item_closed_in_words_leaves_no_payment_without_an_item() {
    let world = World::start().await;
    let (trader, payment, work) = odd(&world, 9_000, "usd").await;
    decide(&world, &work, json!({"action": "resolve", "outcome": "called the client", "note": "will call again"}))
        .await;
    assert_eq!(world.status(&payment.id).await, "needs_review");
    let again = open_item(&world, &payment).await;
    assert_ne!(again, work);
    decide(&world, &again, json!({"action": "credit_paid_amount"})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_refused_credit_is_tried_again_when_finance_says_so() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    world.faults("mt5", &json!([{"operation": "trade_balance", "fault": {"kind": "refuse", "retcode": 10_019}}])).await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    let work = open_item(&world, &payment).await;
    // not before no call of the refused attempt can arrive any more
    world.pass(61).await;
    decide(&world, &work, json!({"action": "mark_not_credited_retry"})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_decision_about_a_statement_beside_the_payment_leaves_the_payment_as_it_is() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    let mut failed = world.intent(&payment, "payment_intent.payment_failed", 10_000, "usd");
    failed["created"] = json!(now_s() + 1);
    expect(world.stripe(&failed).await, 200);
    for action in ["close", "close_without_credit", "credit_paid_amount", "keep_waiting"] {
        let before = world.payment(&payment.id).await.json;
        let mut event = failed.clone();
        event["id"] = json!(format!("evt_{action}"));
        if action != "close" {
            expect(world.stripe(&event).await, 200);
        }
        for item in world.work_of(&payment.id).await {
            decide(&world, item["work_id"].as_str().unwrap(), json!({"action": action})).await;
        }
        let after = world.payment(&payment.id).await.json;
        assert_eq!((&before["status"], &before["timeline"]), (&after["status"], &after["timeline"]), "{action}");
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    }
}

#[tokio::test]
async fn stray_money_is_settled_by_its_item_alone() {
    let world = World::start().await;
    let bodies = [json!({"action": "refund_at_psp", "evidence": "re_1"}), json!({"action": "close_without_credit"})];
    for (n, body) in bodies.into_iter().enumerate() {
        let nobody = Payment { id: "unknown".to_owned(), reference: format!("pi_unknown_{n}") };
        expect(world.stripe(&world.intent(&nobody, "payment_intent.succeeded", 10_000, "usd")).await, 200);
        world.idle().await;
        let found = items(&world.get("finance", "/v1/work?queue=finance").await);
        decide(&world, found[0]["work_id"].as_str().unwrap(), body).await;
        assert!(items(&world.get("finance", "/v1/work?queue=finance").await).is_empty());
    }
    assert!(world.broker.host.dead_letters().values().all(Vec::is_empty));
}

#[tokio::test]
async fn a_refused_account_is_opened_by_hand_tried_again_or_closed() {
    let world = World::start().await;
    for (body, status, login) in [
        (json!({"action": "mark_open", "evidence": "500777"}), "open", Some("500777")),
        (json!({"action": "mark_not_created_retry"}), "open", None),
        (json!({"action": "close_without_account"}), "failed", None),
    ] {
        world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "refuse", "retcode": 3}}])).await;
        let client = world.client("en").await;
        let path = format!("/v1/clients/{client}/accounts");
        let account = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
        world.idle().await;
        let work = items(&world.get("support", "/v1/work?queue=support").await);
        assert_eq!(work.len(), 1, "{work:?}");
        assert_eq!(work[0]["kind"], "account_creation_refused");
        world.control("mt5", "account", &json!({"login": 500_777, "group": "real\\standard-USD"})).await;
        world.pass(61).await;
        expect(world.act("support", work[0]["work_id"].as_str().unwrap(), &body).await, 200);
        world.idle().await;
        let shown = expect(world.get("support", &format!("/v1/accounts/{account}")).await, 200).json;
        assert_eq!(shown["status"], status, "{body}");
        if let Some(login) = login {
            assert_eq!(shown["login"], login);
        }
        assert!(items(&world.get("support", "/v1/work?queue=support").await).is_empty());
    }
}
