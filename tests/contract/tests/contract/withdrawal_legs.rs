//! Withdrawals over several sources: the plan, its legs, and what happens when one of them is not paid.

use domain::rule_sets::SetName;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::{Call, Payment, Trader, World, expect, faults, items};

fn body(trader: &Trader, amount: &str, destination: Value) -> Value {
    let amount = json!({"amount": amount, "currency": trader.currency});
    json!({"account_id": trader.account, "amount": amount, "destination": destination})
}

fn back(trader: &Trader, amount: &str) -> Value {
    body(trader, amount, json!({"auto": true}))
}

fn wallet() -> Value {
    json!({"psp": "skrill", "email": "ana.lopez@example.com"})
}

/// A withdrawal that was asked for, and its legs.
struct Split {
    own: Payment,
    status: String,
    legs: Vec<Payment>,
}

async fn ask(world: &World, trader: &Trader, body: &Value) -> Split {
    let answer = expect(world.portal(&trader.withdrawals(), body).await, 201);
    let payment = |id: &Value| Payment { id: id.as_str().unwrap().to_owned(), reference: String::new() };
    let legs = answer.json["legs"].as_array().cloned().unwrap_or_default();
    Split {
        own: payment(&answer.json["payment_id"]),
        status: answer.text_at("/status"),
        legs: legs.iter().map(|leg| payment(&leg["payment_id"])).collect(),
    }
}

/// What was booked on the trading account for a payment, by its own reference.
async fn booked(world: &World, trader: &Trader, payment: &Payment) -> Vec<String> {
    let deals = world.deals(trader, payment).await;
    deals.iter().map(|deal| deal["Profit"].as_str().or(deal["profit"].as_str()).unwrap().to_owned()).collect()
}

/// The refunds at Stripe by which a leg was paid: amount and payment.
async fn refunds(world: &World, leg: &Payment) -> Vec<(i64, String)> {
    let state = world.recorded("stripe", "").await;
    let all = state["refunds"].as_array().unwrap().clone();
    let own = all.into_iter().filter(|refund| refund["metadata"]["withdrawal_id"] == leg.id.as_str());
    own.map(|refund| (refund["amount"].as_i64().unwrap(), refund["payment_intent"].as_str().unwrap().to_owned()))
        .collect()
}

async fn decide(world: &World, payment: &Payment, kind: &str, body: Value) {
    let all = world.work_of(&payment.id).await;
    let item = all.iter().find(|item| item["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {all:#?}"));
    expect(world.act("finance", item["work_id"].as_str().unwrap(), &body).await, 200);
    world.idle().await;
}

async fn shown(world: &World, payment: &Payment) -> Value {
    world.idle().await;
    world.payment(&payment.id).await.json
}

fn of_legs(shown: &Value, what: &str) -> Vec<String> {
    let text = |leg: &Value| leg.pointer(what).and_then(Value::as_str).unwrap_or("").to_owned();
    shown["legs"].as_array().unwrap().iter().map(text).collect()
}

async fn balance(world: &World, trader: &Trader) -> String {
    world.get("portal", &format!("/v1/accounts/{}", trader.account)).await.text_at("/balance/amount")
}

#[tokio::test]
async fn money_goes_back_to_its_payers_the_oldest_first_and_profit_elsewhere() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let first = world.credited(&trader, "100.00", 10_000).await;
    world.pass(60).await;
    let second = world.credited(&trader, "80.00", 8_000).await;
    world.books(&trader, "70.00", "profit").await;
    let asked = ask(&world, &trader, &body(&trader, "220.00", json!({"auto": true, "rest": wallet()}))).await;
    assert_eq!((asked.status.as_str(), asked.legs.len()), ("requested", 3), "the wallet is new: finance decides");
    // the plan is with the question, and nothing of it runs before it is answered
    let item = world.work_of(&asked.own.id).await.remove(0);
    let amounts = |legs: &Value| -> Vec<String> {
        legs.as_array().unwrap().iter().map(|leg| leg["amount"]["amount"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(amounts(&item["trigger"]["data"]["legs"]), ["100.00", "80.00", "40.00"], "{item:#}");
    assert!(!item.to_string().contains("ana.lopez"), "where it goes is no part of the item");
    let before = shown(&world, &asked.own).await;
    assert_eq!(of_legs(&before, "/status"), ["requested", "requested", "requested"]);
    assert_eq!(before["legs"][1]["destination"], json!({"psp": "stripe", "source_payment_id": second.id}));
    assert_eq!(before["legs"][2]["destination"], wallet());
    decide(&world, &asked.own, "withdrawal_approval", json!({"action": "approve"})).await;
    let after = shown(&world, &asked.own).await;
    assert_eq!((&after["status"], &after["paid"]["amount"]), (&json!("paid_out"), &json!("220.00")), "{after:#}");
    assert!(after.get("returned").is_none());
    assert_eq!(of_legs(&after, "/status"), ["paid_out", "paid_out", "paid_out"]);
    assert_eq!(booked(&world, &trader, &asked.own).await, ["-220.00"], "one debit for all");
    assert_eq!(refunds(&world, &asked.legs[0]).await, [(10_000, first.reference.clone())]);
    assert_eq!(refunds(&world, &asked.legs[1]).await, [(8_000, second.reference.clone())]);
    let sent = world.recorded("skrill", &format!("payment_id={}", asked.legs[2].id)).await["payouts"].clone();
    assert_eq!(sent.as_array().unwrap().len(), 1);
    assert_eq!(balance(&world, &trader).await, "30.00");
    // a list has the withdrawal, and its legs inside
    let listed = items(&world.get("portal", &format!("/v1/clients/{}/payments", trader.client)).await);
    let kinds: Vec<&str> = listed.iter().map(|payment| payment["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["withdrawal", "deposit", "deposit"]);
    let leg = shown(&world, &asked.legs[0]).await;
    assert_eq!((&leg["part_of"], &leg["requested"]["amount"]), (&json!(asked.own.id), &json!("100.00")));
    // the provider tells of both refunds: neither is a loss of its deposit
    for (deposit, minor) in [(&first, 10_000), (&second, 8_000)] {
        let mut total = world.intent(deposit, "charge.refunded", minor, "usd");
        total["created"] = json!(world.now_s() + 1);
        total["data"]["object"]["amount_refunded"] = json!(minor);
        expect(world.stripe(&total).await, 200);
        assert_eq!(world.status(&deposit.id).await, "credited");
    }
    for payment in [&asked.own, &asked.legs[0], &asked.legs[2]] {
        let journal = expect(world.get("finance", &format!("/v1/journal?entity={}", payment.id)).await, 200);
        assert_eq!(journal.json["verified"], true);
    }
    // each part was told of once, and the whole not again
    let told = items(&world.get("portal", &format!("/v1/clients/{}/notifications", trader.client)).await);
    let titles: Vec<String> = told
        .iter()
        .map(|message| message["title"].as_str().unwrap().replace(['\u{2068}', '\u{2069}'], ""))
        .filter(|title| title.contains("has been paid out"))
        .collect();
    assert_eq!(titles.len(), 3, "{titles:?}");
}

#[tokio::test]
async fn a_leg_that_is_refused_puts_back_its_part_and_a_small_plan_needs_no_person() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.credited(&trader, "100.00", 10_000).await;
    world.pass(60).await;
    let second = world.credited(&trader, "80.00", 8_000).await;
    let refuse = json!([{
        "operation": "create_refund", "match": {"payment_intent": second.reference},
        "fault": {"kind": "refuse", "status": 400, "code": "charge_disputed"},
    }]);
    world.faults("stripe", &refuse).await;
    let asked = ask(&world, &trader, &back(&trader, "150.00")).await;
    assert_eq!(asked.status, "approved");
    let after = shown(&world, &asked.own).await;
    assert_eq!(of_legs(&after, "/status"), ["paid_out", "returned"], "{after:#}");
    assert_eq!(
        (&after["status"], &after["paid"]["amount"], &after["returned"]["amount"]),
        (&json!("paid_out"), &json!("100.00"), &json!("50.00"))
    );
    assert_eq!(booked(&world, &trader, &asked.own).await, ["-150.00"]);
    assert_eq!(booked(&world, &trader, &asked.legs[1]).await, ["50.00"]);
    assert_eq!(balance(&world, &trader).await, "80.00");
    assert!(world.work_of(&asked.own.id).await.is_empty() && world.work_of(&asked.legs[1].id).await.is_empty());
    // the source has its room again, and one source is a withdrawal without legs
    let again = ask(&world, &trader, &back(&trader, "80.00")).await;
    assert!(again.legs.is_empty());
    assert_eq!(shown(&world, &again.own).await["destination"]["source_payment_id"], json!(second.id));
    assert_eq!(world.status(&again.own.id).await, "paid_out");
}

#[tokio::test]
async fn a_source_that_lost_money_after_the_plan_is_a_persons_and_the_other_legs_are_paid() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let first = world.credited(&trader, "300.00", 30_000).await;
    world.pass(60).await;
    world.credited(&trader, "400.00", 40_000).await;
    let asked = ask(&world, &trader, &back(&trader, "600.00")).await;
    assert_eq!(asked.status, "requested");
    let mut total = world.intent(&first, "charge.refunded", 30_000, "usd");
    total["created"] = json!(world.now_s() + 1);
    total["data"]["object"]["amount_refunded"] = json!(10_000);
    expect(world.stripe(&total).await, 200);
    decide(&world, &asked.own, "withdrawal_approval", json!({"action": "approve"})).await;
    let held = shown(&world, &asked.own).await;
    assert_eq!(
        (&held["status"], of_legs(&held, "/status")),
        (&json!("needs_review"), vec!["needs_review".to_owned(), "paid_out".to_owned()])
    );
    assert!(refunds(&world, &asked.legs[0]).await.is_empty(), "never above what is left of the source");
    decide(
        &world,
        &asked.legs[0],
        "withdrawal_payout_unresolved",
        json!({"action": "credit_back", "note": "less left"}),
    )
    .await;
    let after = shown(&world, &asked.own).await;
    assert_eq!(
        (&after["status"], &after["paid"]["amount"], &after["returned"]["amount"]),
        (&json!("paid_out"), &json!("300.00"), &json!("300.00"))
    );
    assert_eq!(booked(&world, &trader, &asked.legs[0]).await, ["300.00"]);
}

#[tokio::test]
async fn a_leg_whose_answer_is_lost_is_looked_up_and_paid_once() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.credited(&trader, "100.00", 10_000).await;
    world.pass(60).await;
    world.credited(&trader, "80.00", 8_000).await;
    let drop = |operation: &str, kind: &str, times: u64| json!({"operation": operation, "fault": {"kind": kind}, "times": times});
    let lost = json!([drop("create_refund", "apply_then_drop", 1), drop("list_refunds", "drop", 0)]);
    world.faults("stripe", &lost).await;
    let asked = ask(&world, &trader, &back(&trader, "150.00")).await;
    assert_eq!(shown(&world, &asked.own).await["status"], "payout_unknown");
    world.no_faults("stripe").await;
    for _ in 0..12 {
        world.pass(600).await;
        world.sweep().await;
    }
    assert_eq!(shown(&world, &asked.own).await["status"], "paid_out");
    for (leg, minor) in asked.legs.iter().zip([10_000, 5_000]) {
        let made: Vec<i64> = refunds(&world, leg).await.into_iter().map(|(amount, _)| amount).collect();
        assert_eq!(made, [minor]);
    }
}

#[tokio::test]
async fn of_many_at_once_none_takes_room_that_another_plan_has() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.credited(&trader, "100.00", 10_000).await;
    world.credited(&trader, "80.00", 8_000).await;
    // what stands on the account is more than the sources give
    world.books(&trader, "900.00", "profit").await;
    let (path, body) = (trader.withdrawals(), back(&trader, "150.00"));
    let mut passed = 0;
    for _ in 0..2 {
        for answer in join_all((0..6).map(|_| world.portal(&path, &body))).await {
            match answer.status {
                201 => passed += 1,
                422 => assert_eq!(faults(&answer), ["/destination/rest above_sources"]),
                status => assert!([409, 503].contains(&status), "{status}: {:#}", answer.json),
            }
        }
    }
    assert_eq!(passed, 1, "the sources brought 180.00");
    // nor does one that names a single source
    let first = items(&world.get("portal", &format!("/v1/clients/{}/payments", trader.client)).await);
    let oldest = first.iter().rfind(|payment| payment["kind"] == "deposit").unwrap();
    let destination = json!({"psp": "stripe", "source_payment_id": oldest["payment_id"]});
    let single = json!({"account_id": trader.account, "amount": {"amount": "50.00", "currency": "USD"}, "destination": destination});
    let told = faults(&expect(world.portal(&path, &single).await, 422));
    assert!(told[0].starts_with("/destination/source_payment_id "), "{told:?}");
}

#[tokio::test]
async fn the_same_key_is_the_same_plan_and_faults_write_nothing() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "100.00", 10_000).await;
    world.credited(&trader, "80.00", 8_000).await;
    world.books(&trader, "70.00", "profit").await;
    let before = world.stored().await;
    let source = json!({"psp": "stripe", "source_payment_id": deposit.id});
    let cases = [
        (json!({"auto": true}), 422, "/destination/rest above_sources"),
        (json!({"auto": "yes"}), 400, "/destination/auto wrong_type"),
        (json!({"auto": true, "psp": "stripe"}), 400, "/destination/psp unknown_field"),
        (json!({"auto": true, "rest": "skrill"}), 400, "/destination/rest wrong_type"),
        (
            json!({"auto": true, "rest": {"psp": "paypal", "email": "a@example.com"}}),
            422,
            "/destination/rest/psp unknown_psp",
        ),
        (
            json!({"auto": true, "rest": {"psp": "skrill", "email": "nobody"}}),
            422,
            "/destination/rest/email invalid_email",
        ),
        (json!({"auto": true, "rest": source}), 422, "/destination/rest/source_payment_id not_elsewhere"),
        (json!({"auto": false, "psp": "skrill"}), 400, "/destination missing"),
    ];
    for (destination, status, fault) in cases {
        let answer =
            expect(world.portal(&trader.withdrawals(), &body(&trader, "200.00", destination.clone())).await, status);
        assert!(faults(&answer).contains(&fault.to_owned()), "{destination}: {:?}", faults(&answer));
    }
    assert_eq!(before, world.stored().await);
    let call =
        Call::post(&trader.withdrawals(), &back(&trader, "150.00")).token(world.broker.token("portal")).key("one");
    let first = expect(world.send(call.clone()).await, 201);
    let again = expect(world.send(call).await, 201);
    assert_eq!(first.json, again.json);
    assert_eq!(first.json["legs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn one_that_is_taken_back_ends_with_its_legs_and_frees_their_room() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.credited(&trader, "400.00", 40_000).await;
    world.credited(&trader, "300.00", 30_000).await;
    let cancel = |payment: &Payment| format!("/v1/payments/{}/cancel", payment.id);
    for _ in 0..2 {
        let asked = ask(&world, &trader, &back(&trader, "700.00")).await;
        expect(world.portal(&cancel(&asked.legs[0]), &json!({})).await, 409);
        expect(world.portal(&cancel(&asked.own), &json!({})).await, 200);
        let after = shown(&world, &asked.own).await;
        assert_eq!(
            (&after["status"], of_legs(&after, "/status")),
            (&json!("cancelled"), vec!["cancelled".to_owned(); 2])
        );
    }
    // and one that the trading server refuses
    world.faults("mt5", &json!([{"operation": "trade_balance", "fault": {"kind": "refuse", "retcode": 10019}}])).await;
    let asked = ask(&world, &trader, &back(&trader, "450.00")).await;
    let after = shown(&world, &asked.own).await;
    assert_eq!((&after["status"], of_legs(&after, "/status")), (&json!("declined"), vec!["declined".to_owned(); 2]));
    assert_eq!(balance(&world, &trader).await, "700.00");
}

#[tokio::test]
async fn rules_say_what_is_a_source_in_which_order_and_whether_money_for_elsewhere_is_split() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let old = world.credited(&trader, "100.00", 10_000).await;
    world.pass(86_400).await;
    let new = world.credited(&trader, "80.00", 8_000).await;
    world.books(&trader, "70.00", "profit").await;
    let publish = async |version, change: &dyn Fn(&mut Value)| {
        world.publish(SetName::Withdrawals, version, |rules| change(rules)).await;
        world.pass(61).await;
    };
    publish(2, &|rules| {
        rules["return_to_source"] = json!("split");
        rules["closed_loop"]["order"] = json!("newest");
    })
    .await;
    let asked = ask(&world, &trader, &body(&trader, "200.00", wallet())).await;
    let plan = shown(&world, &asked.own).await;
    assert_eq!(of_legs(&plan, "/amount/amount"), ["80.00", "100.00", "20.00"]);
    assert_eq!(plan["legs"][0]["destination"]["source_payment_id"], json!(new.id));
    expect(world.portal(&format!("/v1/payments/{}/cancel", asked.own.id), &json!({})).await, 200);
    world.idle().await;
    // a deposit that is too old is no source, and is named by nobody
    publish(3, &|rules| {
        rules["return_to_source"] = json!("split");
        rules["closed_loop"]["sources"][0]["then"] = json!("1d");
    })
    .await;
    let asked = ask(&world, &trader, &body(&trader, "100.00", wallet())).await;
    assert_eq!(of_legs(&shown(&world, &asked.own).await, "/amount/amount"), ["80.00", "20.00"]);
    let named = body(&trader, "50.00", json!({"psp": "stripe", "source_payment_id": old.id}));
    let answer = expect(world.portal(&trader.withdrawals(), &named).await, 422);
    assert_eq!(faults(&answer), ["/destination/source_payment_id not_a_source"]);
}

/// A deposit that the simulator's payer pays under a name.
async fn paid_by(world: &World, trader: &Trader, amount: &str, name: &str) -> Payment {
    let payment = world.deposit(trader, amount, "stripe").await;
    world.pay("stripe", &payment, json!({"payer_name": name})).await;
    world.idle().await;
    assert_eq!(world.status(&payment.id).await, "credited");
    payment
}

#[tokio::test]
async fn a_payer_who_is_somebody_else_gets_nothing_and_an_unsure_one_is_a_persons() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let to = |source: &Payment| body(&trader, "50.00", json!({"psp": "stripe", "source_payment_id": source.id}));
    let client = world.get("support", &format!("/v1/clients/{}", trader.client)).await.text_at("/full_name");
    let own = paid_by(&world, &trader, "100.00", &client.to_uppercase()).await;
    let asked = ask(&world, &trader, &to(&own)).await;
    assert_eq!(asked.status, "approved");
    let staff = world.get("finance", &format!("/v1/payments/{}", asked.own.id)).await.json;
    assert_eq!(staff["payee"]["verdict"], "same", "{staff:#}");
    let portal = world.get("portal", &format!("/v1/payments/{}", asked.own.id)).await.json;
    assert!(portal["payment_id"].is_string() && portal.get("payee").is_none(), "{portal:#}");
    // somebody else's card, alone and as one of several sources
    world.pass(60).await;
    let other = paid_by(&world, &trader, "100.00", "Bartholomew Quimby").await;
    let before = world.stored().await;
    for wish in [to(&other), back(&trader, "120.00")] {
        let answer = expect(world.portal(&trader.withdrawals(), &wish).await, 422);
        assert_eq!(faults(&answer), ["/destination third_party"]);
        assert!(!answer.text.contains("Quimby"));
    }
    assert_eq!(before, world.stored().await);
    // the provider cannot be asked: finance decides
    world.faults("stripe", &json!([{"operation": "get_intent", "fault": {"kind": "drop"}, "times": 0}])).await;
    let asked = ask(&world, &trader, &to(&own)).await;
    assert_eq!(asked.status, "requested");
    world.no_faults("stripe").await;
    let item = world.work_of(&asked.own.id).await.remove(0);
    assert!(item["trigger"]["why"].to_string().contains("unheard"), "{item:#}");
    // as the rules say, a third party is a person's, too
    world.publish(SetName::Withdrawals, 2, |rules| rules["payee"]["other"] = json!("ask")).await;
    world.pass(61).await;
    let asked = ask(&world, &trader, &to(&other)).await;
    assert_eq!(asked.status, "requested");
    let everything = world.stored().await;
    let says = everything.values().flatten().any(|row| row.contains("Quimby"));
    assert!(!says, "the name is not kept");
}
