//! What two people decide, and what wakes by itself.

use serde_json::{Value, json};

use crate::world::{Payment, Trader, World, expect, items};

/// A deposit of 12 000.00 of which 11 500.00 came, and its work item.
async fn large(world: &World, trader: &Trader) -> (Payment, Value) {
    let payment = world.deposit(trader, "12000.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 1_150_000, "usd")).await, 200);
    let item = world.work_of(&payment.id).await.remove(0);
    (payment, item)
}

fn id(item: &Value) -> &str {
    item["work_id"].as_str().unwrap()
}

#[tokio::test]
async fn a_large_amount_is_credited_when_a_second_person_approves_and_not_before() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (payment, item) = large(&world, &trader).await;
    assert!(item["options"].as_array().unwrap().iter().all(|option| option["four_eyes"] == true), "{item}");
    let credit = json!({"action": "credit_paid_amount"});
    let proposed = expect(world.act("finance", id(&item), &credit).await, 200).json;
    assert_eq!((&proposed["status"], &proposed["proposal"]["by"]), (&json!("proposed"), &json!("finance-1")));
    assert_eq!(proposed.get("decision"), None);
    assert_eq!(world.status(&payment.id).await, "needs_review");
    for own in [&credit, &json!({"action": "approve"}), &json!({"action": "approve", "outcome": "credit_paid_amount"})]
    {
        let refused = expect(world.act("finance", id(&item), own).await, 403);
        assert!(refused.text_at("/detail").contains("another person"), "{}", refused.text);
    }
    let other = expect(world.act("finance_2", id(&item), &json!({"action": "close_without_credit"})).await, 409);
    assert!(other.text_at("/detail").contains("`credit_paid_amount`, proposed by finance-1"), "{}", other.text);
    assert_eq!(
        (world.status(&payment.id).await.as_str(), world.deals(&trader, &payment).await.len()),
        ("needs_review", 0)
    );
    let waiting = items(&expect(world.get("finance_2", "/v1/work?status=proposed").await, 200));
    assert_eq!(waiting.iter().map(id).collect::<Vec<_>>(), [id(&item)]);

    let approved = expect(world.act("finance_2", id(&item), &json!({"action": "approve"})).await, 200).json;
    assert_eq!((&approved["status"], &approved["decision"]["by"]), (&json!("resolved"), &json!("finance-1")));
    assert_eq!(approved["decision"]["approved_by"], "finance-2");
    assert_eq!(world.status(&payment.id).await, "credited");
    expect(world.act("finance_2", id(&item), &json!({"action": "approve"})).await, 200);
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    let journal = expect(world.get("finance", &format!("/v1/journal?entity={}", payment.id)).await, 200);
    assert!(journal.text.contains("credit_paid_amount by finance-1, approved by finance-2"), "{}", journal.text);
}

#[tokio::test]
async fn a_step_by_hand_that_is_approved_too_late_is_refused_with_what_is_known() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (payment, item) = large(&world, &trader).await;
    let by_hand = json!({"action": "refund_at_psp", "evidence": "re_1"});
    expect(world.act("finance", id(&item), &by_hand).await, 200);
    // sent back, credited by two others, and then approved by one who still has the old page
    let note = json!({"action": "return", "note": "credit it instead"});
    expect(world.act("finance_2", id(&item), &json!({"action": "return"})).await, 400);
    let back = expect(world.act("finance_2", id(&item), &note).await, 200).json;
    assert_eq!((&back["status"], &back["owner"], back.get("proposal")), (&json!("claimed"), &json!("finance-1"), None));
    expect(world.act("finance", id(&item), &json!({"action": "credit_paid_amount"})).await, 200);
    expect(world.act("finance_2", id(&item), &by_hand).await, 409);
    expect(world.act("finance_2", id(&item), &json!({"action": "approve", "outcome": "refund_at_psp"})).await, 409);
    expect(world.act("finance_2", id(&item), &json!({"action": "credit_paid_amount"})).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_small_amount_is_decided_by_one_person() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    let item = world.work_of(&payment.id).await.remove(0);
    assert!(item["options"].as_array().unwrap().iter().all(|option| option.get("four_eyes").is_none()), "{item}");
    let decided = expect(world.act("finance", id(&item), &json!({"action": "credit_paid_amount"})).await, 200).json;
    assert_eq!(decided["status"], "resolved");
}

#[tokio::test]
async fn an_item_wakes_when_its_snooze_is_over() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (_, item) = large(&world, &trader).await;
    let until =
        item["created_at"].as_str().unwrap().parse::<domain::Timestamp>().unwrap().plus(domain::Seconds(36_000));
    let snooze = json!({"action": "snooze", "until": until.to_string()});
    assert_eq!(expect(world.act("finance", id(&item), &snooze).await, 200).json["snoozed_until"], until.to_string());
    let now = async || items(&expect(world.get("finance", "/v1/work?queue=finance").await, 200)).remove(0);
    world.sweep().await;
    world.idle().await;
    assert_eq!(now().await["snoozed_until"], until.to_string(), "not yet");
    world.pass(36_060).await;
    world.sweep().await;
    world.idle().await;
    let woken = now().await;
    assert_eq!(woken.get("snoozed_until"), None, "{woken}");
    assert_eq!(woken["history"][1]["action"], "woke");
}
