//! Money that goes back: refunds and disputes, before and after the credit.

use broker::api::Answer;
use serde_json::{Value, json};

use crate::world::{Payment, Trader, World, expect, items, now_s};

/// A refund as Stripe tells it: of the charge, with the intent's metadata.
fn refund(world: &World, payment: &Payment, refunded: i64) -> Value {
    json!({
        "id": format!("evt_r{}", world.fresh()), "object": "event", "created": now_s() + 1, "type": "charge.refunded",
        "data": {"object": {
            "id": "ch_1", "object": "charge", "amount": 10_000, "amount_refunded": refunded, "currency": "usd",
            "metadata": {"payment_id": payment.id}, "payment_intent": payment.reference, "refunded": refunded == 10_000,
        }},
    })
}

/// A dispute as Stripe tells it: it has no metadata of ours, only the intent's id, here expanded or not.
fn dispute(world: &World, payment: &Payment, expanded: bool) -> Value {
    let intent =
        if expanded { json!({"id": payment.reference, "object": "payment_intent"}) } else { json!(payment.reference) };
    json!({
        "id": format!("evt_d{}", world.fresh()), "object": "event", "created": now_s() + 1, "type": "charge.dispute.created",
        "data": {"object": {
            "id": "dp_1", "object": "dispute", "amount": 10_000, "charge": "ch_1", "currency": "usd", "metadata": {},
            "payment_intent": intent, "reason": "fraudulent", "status": "needs_response",
        }},
    })
}

async fn told(world: &World, event: &Value) -> Answer {
    let answer = expect(world.stripe(event).await, 200);
    world.idle().await;
    answer
}

#[tokio::test]
async fn a_dispute_after_the_credit_names_only_the_intent_and_reaches_the_payment() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for expanded in [false, true] {
        let payment = world.credited(&trader, "100.00", 10_000).await;
        let event = dispute(&world, &payment, expanded);
        for _ in 0..3 {
            told(&world, &event).await;
        }
        assert_eq!(world.status(&payment.id).await, "charged_back");
        let work = world.work_of(&payment.id).await;
        assert_eq!(work.len(), 1);
        assert_eq!(work[0]["kind"], "deposit_reversed_after_credit");
        assert_eq!(work[0]["priority"], 1);
        // the credit stands: taking it back is a person's decision
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    }
    let strays = items(&world.get("finance", "/v1/work?queue=finance").await);
    assert!(strays.iter().all(|item| item["kind"] != "deposit_unknown_reference"));
}

#[tokio::test]
async fn a_dispute_while_stripe_cannot_be_asked_is_delivered_again() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    let event = dispute(&world, &payment, false);
    world.faults("stripe", &json!([{"operation": "get_intent", "fault": {"kind": "refuse", "status": 500}}])).await;
    expect(world.stripe(&event).await, 503);
    assert_eq!(world.status(&payment.id).await, "credited");
    told(&world, &event).await;
    assert_eq!(world.status(&payment.id).await, "charged_back");
}

#[tokio::test]
async fn a_dispute_of_an_intent_that_is_not_ours_becomes_a_work_item() {
    let world = World::start().await;
    let nobody = Payment { id: String::new(), reference: "pi_of_somebody_else".to_owned() };
    let event = dispute(&world, &nobody, false);
    for _ in 0..2 {
        told(&world, &event).await;
    }
    let found = items(&world.get("finance", "/v1/work?queue=finance").await);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["kind"], "deposit_unknown_reference");
}

#[tokio::test]
async fn a_full_refund_after_the_credit_is_shown_and_goes_to_finance_once() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    let event = refund(&world, &payment, 10_000);
    for _ in 0..3 {
        told(&world, &event).await;
    }
    assert_eq!(world.status(&payment.id).await, "refunded");
    let work = world.work_of(&payment.id).await;
    assert_eq!(work.len(), 1);
    assert_eq!(work[0]["kind"], "deposit_reversed_after_credit");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_part_refund_after_the_credit_leaves_the_deposit_and_asks_finance() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    told(&world, &refund(&world, &payment, 4_000)).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.work_of(&payment.id).await[0]["kind"], "deposit_reversed_after_credit");
}

#[tokio::test]
async fn a_refund_before_the_credit_is_never_credited() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    told(&world, &world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await;
    assert_eq!(world.status(&payment.id).await, "needs_review");
    told(&world, &refund(&world, &payment, 9_000)).await;
    assert_eq!(world.status(&payment.id).await, "refunded");
    // the decision that comes too late credits nothing
    let item = world.work_of(&payment.id).await.remove(0);
    expect(
        world.act("finance", item["work_id"].as_str().unwrap(), &json!({"action": "credit_paid_amount"})).await,
        200,
    );
    assert_eq!(world.status(&payment.id).await, "refunded");
    assert!(world.deals(&trader, &payment).await.is_empty());
}

#[tokio::test]
async fn a_chargeback_and_a_reversal_of_praxis_reach_the_payment() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for (status, shown) in [("chargeback", "charged_back"), ("reversed", "refunded")] {
        let payment = world.deposit(&trader, "100.00", "praxis").await;
        let sale = world.sale(&payment, "approved", 10_000, "USD");
        expect(world.praxis(&sale).await, 200);
        assert_eq!(world.status(&payment.id).await, "credited");
        let mut back = sale.clone();
        back["transaction"]["transaction_status"] = json!(status);
        back["timestamp"] = json!(now_s() + 1);
        expect(world.praxis(&back).await, 200);
        assert_eq!(world.status(&payment.id).await, shown);
        assert_eq!(world.work_of(&payment.id).await[0]["kind"], "deposit_reversed_after_credit");
    }
}

#[tokio::test]
async fn a_refund_transaction_of_praxis_reaches_the_payment_it_is_about() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "praxis").await;
    expect(world.praxis(&world.sale(&payment, "approved", 10_000, "USD")).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    // a refund has a number of its own
    let mut back = world.sale(&payment, "approved", 10_000, "USD");
    back["transaction"]["transaction_type"] = json!("refund");
    back["timestamp"] = json!(now_s() + 1);
    expect(world.praxis(&back).await, 200);
    assert_eq!(world.status(&payment.id).await, "refunded");
}

/// A charged-back payment and the item that asks to take it off the account.
async fn charged_back(world: &World, trader: &Trader) -> (Payment, String) {
    let payment = world.credited(trader, "100.00", 10_000).await;
    told(world, &dispute(world, &payment, false)).await;
    let item = world.work_of(&payment.id).await.remove(0)["work_id"].as_str().unwrap().to_owned();
    (payment, item)
}

#[tokio::test]
async fn one_ticket_of_the_platform_takes_the_money_of_one_chargeback_off_and_not_of_two() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let debited = |ticket: &str| json!({"action": "mark_debited_on_platform", "evidence": ticket});
    let (first, item) = charged_back(&world, &trader).await;
    let ticket = world.books(&trader, "-100.00", &format!("{}R", first.id)).await;
    for _ in 0..2 {
        // the same decision again is the same decision
        expect(world.act("finance", &item, &debited(&ticket)).await, 200);
        world.idle().await;
    }
    let (second, item) = charged_back(&world, &trader).await;
    for written in [ticket.clone(), format!("#{ticket}"), format!("deal 0{ticket}")] {
        let refused = expect(world.act("finance", &item, &debited(&written)).await, 409);
        assert!(refused.text_at("/detail").contains(&first.id), "{}", refused.text);
        world.idle().await;
        assert_eq!(world.work_of(&second.id).await.len(), 1, "the item stays");
    }
    let other = world.books(&trader, "-100.00", &format!("{}R", second.id)).await;
    expect(world.act("finance", &item, &debited(&other)).await, 200);
    assert!(world.work_of(&second.id).await.is_empty(), "it is settled");
}

#[tokio::test]
async fn of_two_chargebacks_that_one_ticket_settles_at_once_one_is_settled() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (_, first) = charged_back(&world, &trader).await;
    let (_, second) = charged_back(&world, &trader).await;
    let ticket = world.books(&trader, "-100.00", "chargeback").await;
    let debited = json!({"action": "mark_debited_on_platform", "evidence": ticket});
    let (first, second) =
        tokio::join!(world.act("finance", &first, &debited), world.act("finance_2", &second, &debited));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", first.text, second.text);
}

#[tokio::test]
async fn one_refund_at_the_provider_settles_one_payment() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let refunded = json!({"action": "refund_at_psp", "evidence": "re_1"});
    let mut answers = Vec::new();
    for _ in 0..2 {
        let payment = world.deposit(&trader, "100.00", "stripe").await;
        told(&world, &world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await;
        let item = world.work_of(&payment.id).await.remove(0);
        answers.push(world.act("finance", item["work_id"].as_str().unwrap(), &refunded).await.status);
        world.idle().await;
    }
    assert_eq!(answers, [200, 409]);
}

#[tokio::test]
async fn two_payments_at_the_provider_that_name_one_payment_of_ours_which_is_not_there_are_two_questions() {
    let world = World::start().await;
    let named =
        |reference: &str| Payment { id: "pay_0123456789abcdefghjkmnpqrs".to_owned(), reference: reference.to_owned() };
    let events = [
        world.intent(&named("pi_first"), "payment_intent.succeeded", 1_000, "usd"),
        world.intent(&named("pi_second"), "payment_intent.succeeded", 900_000, "usd"),
    ];
    for event in &events {
        expect(world.stripe(event).await, 503);
    }
    world.pass(1_000).await;
    world.sweep().await;
    for event in &events {
        world.stripe(event).await;
    }
    world.idle().await;
    let work = expect(world.get("finance", "/v1/work?queue=finance").await, 200).text;
    assert!(work.contains("pi_first"), "{work}");
    assert!(work.contains("pi_second"), "9000.00 USD that came stand in no work item: {work}");
}
