//! Laws of money that goes back and forth, and of who moves it: what went back is told in any order and several times, money is told
//! of before its record is there, and a clerk and the automation want to move the same money. Each law finds the fault that it is for
//! when that is put back (`domain::fault`).

use domain::fault::Fault;
use domain::payment::DepositStatus;
use domain::work::{WorkItem, WorkStatus};
use serde_json::{Value, json};

use crate::put_back::broken;
use crate::random::rng::Rng;
use crate::world::{Customer, World};

/// What Stripe says about the refunds and the dispute of a payment of 250.00: type, seconds later, members of the object.
/// Two refunds (60.00 and 20.00) are told as totals and one by one, the first fails, a dispute is won.
fn returns(payment: &str, intent: &str, all_comes_back: bool) -> Vec<(&'static str, i64, Value)> {
    let refund = |id: &str, amount: i64, status: &str| {
        json!({
            "object": "refund", "id": format!("re_{id}_{payment}"), "amount": amount, "status": status, "payment_intent": intent,
            "metadata": {},
        })
    };
    let dispute = |status: &str| json!({"id": format!("dp_{payment}"), "amount": 17_000, "status": status});
    let mut all = vec![
        (
            "charge.dispute.created",
            5,
            json!({"id": format!("dp_i_{payment}"), "amount": 25_000, "status": "warning_needs_response"}),
        ),
        ("charge.refunded", 20, json!({"amount_refunded": 6_000})),
        ("refund.created", 20, refund("1", 6_000, "pending")),
        ("charge.refunded", 30, json!({"amount_refunded": 8_000})),
        ("refund.created", 30, refund("2", 2_000, "succeeded")),
        ("refund.failed", 40, refund("1", 6_000, "failed")),
        ("charge.dispute.created", 50, dispute("needs_response")),
        ("charge.dispute.funds_withdrawn", 50, dispute("needs_response")),
        ("charge.dispute.closed", 60, dispute("won")),
    ];
    if all_comes_back {
        all.push(("refund.updated", 70, refund("2", 2_000, "canceled")));
    }
    all
}

async fn tell(world: &World, payment: &str, kind: &str, later_s: i64, object: &Value) {
    let created = world.now().seconds() + later_s;
    let mut event =
        json!({"payment_id": payment, "type": kind, "created": created, "object": object, "webhook": {"times": 2}});
    if let Some(status) = object.get("status") {
        event["status"] = status.clone();
    }
    let answer = world.desk.event("stripe", event).await.unwrap();
    let deliveries = answer.json["deliveries"].as_array().unwrap();
    assert!(deliveries.len() == 2 && deliveries.iter().all(|one| one["status"] == 200), "{kind}: {deliveries:?}");
    world.idle().await;
}

fn open(items: &[WorkItem], kind: &str) -> usize {
    items.iter().filter(|item| item.facts.status == WorkStatus::Open && item.facts.kind == kind).count()
}

pub async fn act(world: &World, item: &WorkItem, body: &Value) -> u16 {
    let url = world.broker.url(&format!("/v1/work/{}/actions", item.id));
    let status = world.desk.api.post(&url, world.broker.token("finance"), "unused", body).await.unwrap().status;
    world.idle().await;
    status
}

/// What is left of the returns is what went back and did not come back, and nobody is asked to take off more.
async fn returned_totals(world: &World, customer: &Customer, rng: &mut Rng) {
    for all_comes_back in [false, true] {
        let payment = world.deposit(customer, "250.00").await;
        world.pay(&payment, json!({})).await;
        world.drain().await;
        let intent = world.load(&payment).await.entity.facts.psp.reference;
        let mut all = returns(&payment, &intent, all_comes_back);
        while !all.is_empty() {
            let (kind, later_s, object) = all.swap_remove(rng.index(all.len()));
            tell(world, &payment, kind, later_s, &object).await;
        }
        let deposit = world.load(&payment).await.entity;
        let left = deposit.facts.returned.map(|money| money.amount_text());
        let expected = (!all_comes_back).then(|| "20.00".to_owned());
        assert_eq!((left, deposit.status()), (expected, DepositStatus::Credited), "what went back of {payment}");
        assert_eq!(deposit.facts.paid.unwrap().amount_text(), "250.00", "what was collected stays");
        let to_take_off = open(&world.work_of(&payment).await, "deposit_reversed_after_credit");
        assert_eq!(to_take_off > 0, !all_comes_back, "{to_take_off} items ask to take money off that is with us");
    }
}

/// Refund totals before the credit leave what a person lets pass.
async fn totals_before_the_credit(world: &World, customer: &Customer) {
    let payment = world.deposit(customer, "250.00").await;
    for total in [15_000, 20_000] {
        tell(world, &payment, "charge.refunded", total / 1_000, &json!({"amount_refunded": total})).await;
    }
    let left = world.load(&payment).await.entity.creditable();
    assert_eq!(left.amount_text(), "50.00", "refunds of 150 and then 200 in all leave 50");
}

/// However many statements name money that is nobody's: one item for each payment at the provider.
async fn one_item_for_each_stray(world: &World, rng: &mut Rng) {
    let reference = format!("pi_nobodys{}", world.fresh());
    let mut kinds = vec!["payment_intent.succeeded", "charge.refunded", "charge.dispute.created"];
    while !kinds.is_empty() {
        let kind = kinds.swap_remove(rng.index(kinds.len()));
        let event = json!({
            "type": kind, "reference": reference, "amount_minor": 12_300, "currency": "usd", "webhook": {"times": 2},
        });
        world.desk.event("stripe", event).await.unwrap();
        world.idle().await;
    }
    let all = world.work().await;
    let items: Vec<_> = all.iter().filter(|item| item.facts.trigger.to_string().contains(&reference)).collect();
    assert_eq!(items.len(), 1, "one person has the money of {reference}");
}

/// A success that comes before the record is credited once, and nobody is asked whose it is.
async fn early_money_is_ours(world: &World, customer: &Customer) {
    let url = format!("{}/_control/faults", world.broker.simulators.url("stripe"));
    let lost = json!([{"operation": "create_intent", "fault": {"kind": "apply_then_drop"}}]);
    world.desk.api.control(&url, &lost).await.unwrap();
    let trader = &customer.trader;
    let body =
        json!({"account_id": trader.account_id, "psp": "stripe", "amount": {"amount": "250.00", "currency": "USD"}});
    let url = world.broker.url(&format!("/v1/clients/{}/deposits", trader.client_id));
    let key = format!("early-{}", world.fresh());
    let ask = async || world.desk.api.post(&url, world.broker.token("portal"), &key, &body).await.unwrap();
    assert_eq!(ask().await.status, 503);
    let state = world.desk.state("stripe", "").await.unwrap();
    let intents = state["intents"].as_array().unwrap();
    let payment = intents.last().unwrap()["metadata"]["payment_id"].as_str().unwrap().to_owned();
    assert_eq!(world.pay(&payment, json!({})).await, [503], "it is to be sent again");
    assert_eq!(ask().await.status, 201);
    assert_eq!(world.resend(&payment).await, [200]);
    world.drain().await;
    assert_eq!(world.status(&payment).await, "credited");
    let asked: Vec<_> = world.work().await;
    let asked = asked.iter().filter(|item| item.facts.trigger.to_string().contains(&payment)).count();
    assert_eq!(asked, 0, "somebody is asked whose {payment} is");
}

/// Of a clerk and the automation one moves the money, whoever comes first.
async fn one_of_the_two(world: &World, customer: &Customer) {
    for clerk_first in [true, false] {
        let payment = world.deposit(customer, "250.00").await;
        let other = json!({
            "payment_id": payment, "type": "payment_intent.succeeded", "reference": format!("pi_other{}", world.fresh()),
            "amount_minor": 25_000, "currency": "usd",
        });
        world.desk.event("stripe", other).await.unwrap();
        world.idle().await;
        let item = world.work_of(&payment).await.remove(0);
        let by_hand = json!({"action": "refund_at_psp", "evidence": format!("re_of_{payment}")});
        let decided = if clerk_first {
            let decided = act(world, &item, &by_hand).await;
            world.pay(&payment, json!({})).await;
            decided
        } else {
            world.pay(&payment, json!({})).await;
            world.drain().await;
            act(world, &item, &by_hand).await
        };
        world.drain().await;
        let deals = world.deals(&customer.trader.login, &payment).await.len();
        let status = world.status(&payment).await;
        match decided {
            200 => assert_eq!((status, deals), ("refunded", 0), "a clerk refunded it, and so did nobody credit it"),
            409 => assert_eq!((status, deals), ("credited", 1), "the clerk was told that it is credited"),
            other => panic!("{other}"),
        }
    }
}

async fn play(seed: u64) {
    let mut rng = Rng::new(seed, "money");
    let world = World::start().await;
    let customer = world.customer("USD").await;
    one_item_for_each_stray(&world, &mut rng).await;
    totals_before_the_credit(&world, &customer).await;
    early_money_is_ours(&world, &customer).await;
    one_of_the_two(&world, &customer).await;
    returned_totals(&world, &customer, &mut rng).await;
}

#[test]
fn money_goes_back_and_forth_and_nobody_moves_it_twice() {
    for seed in 1..=3 {
        assert_eq!(broken(None, move || play(seed)), None, "seed {seed}");
    }
}

#[test]
fn each_fault_that_is_put_back_is_found_by_its_law() {
    for (back, law) in [
        (Fault::TotalsAreAdded, "leave 50"),
        (Fault::WhatCameBackStaysGone, "what went back of"),
        (Fault::AnItemForEachStatement, "one person has the money"),
        (Fault::ByHandIsNotChecked, "a clerk refunded it"),
        (Fault::EarlyIsNobodys, "it is to be sent again"),
    ] {
        let found = broken(Some(back), || play(1)).unwrap_or_default();
        assert!(found.contains(law), "{back:?}: {found}");
    }
}
