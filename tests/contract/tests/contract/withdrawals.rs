//! Withdrawals: asked for, approved, debited, paid out; and what happens when one of these does not.

use domain::rule_sets::SetName;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::{Call, Payment, Trader, World, account_request, expect, faults, header, items};

/// A request to pay a deposit back to its payer.
fn to_source(trader: &Trader, amount: &str, psp: &str, source: &str) -> Value {
    json!({
        "account_id": trader.account, "amount": {"amount": amount, "currency": trader.currency},
        "destination": {"psp": psp, "source_payment_id": source},
    })
}

async fn ask(world: &World, trader: &Trader, body: &Value) -> (Payment, String) {
    let answer = expect(world.portal(&trader.withdrawals(), body).await, 201);
    let payment = Payment { id: answer.text_at("/payment_id"), reference: String::new() };
    (payment, answer.text_at("/status"))
}

/// The deals of a payment as amounts.
async fn amounts(world: &World, trader: &Trader, payment: &Payment) -> Vec<String> {
    let deals = world.deals(trader, payment).await;
    deals.iter().map(|deal| deal["Profit"].as_str().or(deal["profit"].as_str()).unwrap().to_owned()).collect()
}

async fn refunds(world: &World, payment: &Payment) -> Vec<Value> {
    let state = world.recorded("stripe", "").await;
    let all = state["refunds"].as_array().unwrap().clone();
    all.into_iter().filter(|refund| refund["metadata"]["withdrawal_id"] == payment.id.as_str()).collect()
}

fn refund_event(world: &World, refund: &Value, kind: &str, status: &str) -> Value {
    let mut object = refund.clone();
    object["status"] = json!(status);
    json!({
        "id": format!("evt_w{}", world.fresh()), "object": "event", "created": world.now_s() + 1, "type": kind,
        "livemode": false, "data": {"object": object},
    })
}

fn statuses(shown: &Value) -> Vec<&str> {
    shown["timeline"].as_array().unwrap().iter().map(|line| line["status"].as_str().unwrap()).collect()
}

async fn item_of(world: &World, payment: &Payment, kind: &str) -> Value {
    let all = world.work_of(&payment.id).await;
    all.iter().find(|item| item["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {all:#?}")).clone()
}

async fn decide(world: &World, who: &str, item: &Value, body: Value, status: u16) {
    expect(world.act(who, item["work_id"].as_str().unwrap(), &body).await, status);
    world.idle().await;
}

/// Withdrawals of a client that make an event of every type; whose they are.
pub async fn play(world: &World) -> String {
    let trader = &world.trader("USD").await;
    let deposit = world.credited(trader, "2000.00", 200_000).await;
    let to = |amount: &str| to_source(trader, amount, "stripe", &deposit.id);
    for (amount, action) in [("600.00", Some("decline")), ("601.00", None)] {
        let (own, _) = ask(world, trader, &to(amount)).await;
        world.idle().await;
        match action {
            Some(action) => {
                let item = item_of(world, &own, "withdrawal_approval").await;
                decide(world, "finance", &item, json!({"action": action}), 200).await;
            }
            None => {
                expect(world.portal(&format!("/v1/payments/{}/cancel", own.id), &json!({})).await, 200);
            }
        }
    }
    let (paid, _) = ask(world, trader, &to("50.00")).await;
    assert_eq!(world.status(&paid.id).await, "paid_out");
    // over two sources, and taken back
    world.credited(trader, "100.00", 10_000).await;
    let both = json!({
        "account_id": trader.account, "amount": {"amount": "2000.00", "currency": "USD"}, "destination": {"auto": true},
    });
    let (split, _) = ask(world, trader, &both).await;
    expect(world.portal(&format!("/v1/payments/{}/cancel", split.id), &json!({})).await, 200);
    world.idle().await;
    let refuse = json!([{"operation": "create_refund", "fault": {"kind": "refuse", "status": 400}}]);
    world.faults("stripe", &refuse).await;
    let (back, _) = ask(world, trader, &to("51.00")).await;
    assert_eq!(world.status(&back.id).await, "returned");
    // an answer that is lost on each side, and a provider that never says
    world.lose_the_next_credit().await;
    let lost = |operation: &str| json!({"operation": operation, "fault": {"kind": "drop"}, "times": 0});
    world.faults("stripe", &json!([lost("create_refund"), lost("list_refunds")])).await;
    let (own, _) = ask(world, trader, &to("52.00")).await;
    world.idle().await;
    world.no_faults("mt5").await;
    for _ in 0..20 {
        world.pass(43_201).await;
        world.sweep().await;
        if world.status(&own.id).await == "needs_review" {
            break;
        }
    }
    item_of(world, &own, "withdrawal_payout_unresolved").await;
    world.no_faults("stripe").await;
    trader.client.clone()
}

#[tokio::test]
async fn a_small_one_back_to_the_payer_is_paid_without_a_person() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "400.00", 40_000).await;
    let (own, status) = ask(&world, &trader, &to_source(&trader, "150.00", "stripe", &deposit.id)).await;
    assert_eq!(status, "approved");
    assert_eq!(world.status(&own.id).await, "paid_out");
    let shown = world.payment(&own.id).await.json;
    assert_eq!(
        statuses(&shown),
        ["requested", "approved", "debiting", "debited", "paying_out", "paid_out"],
        "{shown:#}"
    );
    assert_eq!((&shown["kind"], &shown["paid"]["amount"]), (&json!("withdrawal"), &json!("150.00")));
    assert_eq!(shown["destination"], json!({"psp": "stripe", "source_payment_id": deposit.id}));
    assert_eq!(amounts(&world, &trader, &own).await, ["-150.00"]);
    let made = refunds(&world, &own).await;
    assert_eq!(
        (made.len(), &made[0]["amount"], &made[0]["payment_intent"]),
        (1, &json!(15_000), &json!(deposit.reference))
    );
    assert_eq!(shown["psp"]["reference"], made[0]["id"]);
    // the provider tells of its refund: the withdrawal knows, and the deposit loses nothing by its total
    expect(world.stripe(&refund_event(&world, &made[0], "refund.created", "succeeded")).await, 200);
    let mut total = world.intent(&deposit, "charge.refunded", 40_000, "usd");
    total["created"] = json!(world.now_s() + 1);
    total["data"]["object"]["amount_refunded"] = json!(15_000);
    expect(world.stripe(&total).await, 200);
    assert_eq!(world.status(&deposit.id).await, "credited");
    assert!(world.payment(&deposit.id).await.json.get("returned").is_none());
    assert!(world.work_of(&deposit.id).await.is_empty() && world.work_of(&own.id).await.is_empty());
    // what somebody else refunds on top of it is a loss of the credit
    total["id"] = json!("evt_more");
    total["created"] = json!(world.now_s() + 2);
    total["data"]["object"]["amount_refunded"] = json!(25_000);
    expect(world.stripe(&total).await, 200);
    world.idle().await;
    assert_eq!(world.payment(&deposit.id).await.json["returned"]["amount"], "100.00");
    let listed = items(&world.get("portal", &format!("/v1/clients/{}/payments", trader.client)).await);
    let kinds: Vec<&str> = listed.iter().map(|payment| payment["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["withdrawal", "deposit"]);
    let told = items(&world.get("portal", &format!("/v1/clients/{}/notifications", trader.client)).await);
    for title in ["We have received your withdrawal request", "150.00 USD has been paid out"] {
        assert!(
            told.iter()
                .any(|message| message["title"].as_str().unwrap().replace(['\u{2068}', '\u{2069}'], "") == title),
            "{title}: {told:#?}"
        );
    }
    let journal = expect(world.get("finance", &format!("/v1/journal?entity={}", own.id)).await, 200);
    assert_eq!(journal.json["verified"], true);
}

#[tokio::test]
async fn above_the_limit_finance_decides_and_large_ones_take_two() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "20000.00", 2_000_000).await;
    let (own, status) = ask(&world, &trader, &to_source(&trader, "500.01", "stripe", &deposit.id)).await;
    assert_eq!((status.as_str(), world.status(&own.id).await.as_str()), ("requested", "requested"));
    let item = item_of(&world, &own, "withdrawal_approval").await;
    assert_eq!((&item["queue"], &item["options"][0]["action"]), (&json!("finance"), &json!("approve")));
    assert!(item["pattern"]["newest_payments"].as_array().unwrap().len() >= 2);
    decide(&world, "finance", &item, json!({"action": "approve"}), 200).await;
    assert_eq!(world.status(&own.id).await, "paid_out");
    // declined
    let (second, _) = ask(&world, &trader, &to_source(&trader, "600.00", "stripe", &deposit.id)).await;
    let item = item_of(&world, &second, "withdrawal_approval").await;
    decide(&world, "finance", &item, json!({"action": "decline", "note": "asked on the telephone"}), 200).await;
    assert_eq!(world.status(&second.id).await, "declined");
    assert!(world.deals(&trader, &second).await.is_empty());
    // two people
    let (large, _) = ask(&world, &trader, &to_source(&trader, "10000.00", "stripe", &deposit.id)).await;
    let item = item_of(&world, &large, "withdrawal_approval").await;
    decide(&world, "finance", &item, json!({"action": "approve"}), 200).await;
    assert_eq!(world.status(&large.id).await, "requested");
    decide(&world, "finance", &item, json!({"action": "approve"}), 403).await;
    assert_eq!(world.status(&large.id).await, "requested");
    decide(&world, "finance_2", &item, json!({"action": "approve"}), 200).await;
    assert_eq!(world.status(&large.id).await, "paid_out");
    assert_eq!(amounts(&world, &trader, &large).await, ["-10000.00"]);
}

#[tokio::test]
async fn the_client_takes_one_back_until_it_is_debited() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "900.00", 90_000).await;
    let (own, _) = ask(&world, &trader, &to_source(&trader, "700.00", "stripe", &deposit.id)).await;
    let item = item_of(&world, &own, "withdrawal_approval").await;
    let cancel = |id: &str| format!("/v1/payments/{id}/cancel");
    let answer = expect(world.portal(&cancel(&own.id), &json!({})).await, 200);
    assert_eq!(answer.json["status"], "cancelled");
    expect(world.portal(&cancel(&own.id), &json!({})).await, 409);
    world.idle().await;
    // the item closed itself, and what is decided on it all the same does nothing
    let left = world.work_of(&own.id).await;
    assert!(left.iter().all(|item| item["status"] == "resolved"), "{left:#?}");
    expect(world.act("finance", item["work_id"].as_str().unwrap(), &json!({"action": "approve"})).await, 409);
    assert_eq!(world.status(&own.id).await, "cancelled");
    let (paid, _) = ask(&world, &trader, &to_source(&trader, "100.00", "stripe", &deposit.id)).await;
    assert_eq!(world.status(&paid.id).await, "paid_out");
    expect(world.portal(&cancel(&paid.id), &json!({})).await, 409);
    expect(world.portal(&cancel(&deposit.id), &json!({})).await, 409);
    expect(world.portal(&cancel("pay_0123456789abcdefghjkmnpqrs"), &json!({})).await, 404);
    let bound = world.mint("portal-x", &["portal"], Some("cli_0123456789abcdefghjkmnpqrs"));
    let call = Call::post(&cancel(&paid.id), &json!({})).token(&bound);
    assert!([403, 404].contains(&world.send(call).await.status));
    expect(world.post("support", &cancel(&paid.id), &json!({})).await, 403);
}

#[tokio::test]
async fn every_fault_of_a_request_is_named_and_nothing_is_written() {
    let world = World::start().await;
    let (trader, other) = (world.trader("USD").await, world.trader("USD").await);
    let deposit = world.credited(&trader, "200.00", 20_000).await;
    let pending = world.deposit(&trader, "50.00", "stripe").await;
    let before = world.stored().await;
    let with = |pointer: &str, value: Value| {
        let mut body = to_source(&trader, "100.00", "stripe", &deposit.id);
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let destination = |value: Value| with("/destination", value);
    let cases: Vec<(Value, u16, &str)> = vec![
        (with("/account_id", json!(other.account)), 422, "/account_id unknown_account"),
        (with("/amount/currency", json!("EUR")), 422, "/amount/currency currency_mismatch"),
        (with("/amount/amount", json!("0")), 422, "/amount/amount not_positive"),
        (with("/amount/amount", json!("5.00")), 422, "/amount/amount below_minimum"),
        (with("/destination/source_payment_id", json!(pending.id)), 422, "/destination/source_payment_id not_a_source"),
        (with("/destination/source_payment_id", json!("x")), 422, "/destination/source_payment_id not_a_source"),
        (with("/destination/psp", json!("praxis")), 422, "/destination/psp other_psp"),
        (with("/destination/psp", json!("paypal")), 422, "/destination/psp unknown_psp"),
        (destination(json!({"psp": "stripe"})), 400, "/destination missing"),
        (destination(json!("stripe")), 400, "/destination wrong_type"),
        (
            destination(json!({"psp": "stripe", "email": "a@example.com"})),
            422,
            "/destination/psp unsupported_destination",
        ),
        (destination(json!({"psp": "stripe", "email": "nobody"})), 422, "/destination/email invalid_email"),
        (
            destination(json!({"psp": "stripe", "email": "a@example.com", "source_payment_id": deposit.id})),
            422,
            "/destination ambiguous",
        ),
    ];
    for (body, status, fault) in cases {
        let answer = expect(world.portal(&trader.withdrawals(), &body).await, status);
        assert_eq!(faults(&answer), [fault], "{body}");
    }
    let answer = world.portal(&trader.withdrawals(), &with("/amount/amount", json!("200.01"))).await;
    assert_eq!(
        faults(&expect(answer, 422)),
        ["/amount/amount insufficient_funds", "/destination/source_payment_id above_source"]
    );
    let answer = world.portal(&trader.withdrawals(), &json!({})).await;
    assert_eq!(faults(&expect(answer, 400)), ["/account_id missing", "/amount missing", "/destination missing"]);
    assert_eq!(before, world.stored().await);
    let keyless = Call::post(&trader.withdrawals(), &with("/amount/amount", json!("100.00")));
    expect(world.send(keyless.token(world.broker.token("portal"))).await, 400);
    // another's deposit is nobody's source
    let answer = world
        .portal(&other.withdrawals(), &{
            let mut body = to_source(&other, "50.00", "stripe", &deposit.id);
            body["account_id"] = json!(other.account);
            body
        })
        .await;
    let told = faults(&expect(answer, 422));
    assert!(told.contains(&"/destination/source_payment_id not_a_source".to_owned()), "{told:?}");
    // a demo account
    let mut demo = account_request("USD");
    demo["kind"] = json!("demo");
    let path = format!("/v1/clients/{}/accounts", trader.client);
    let id = expect(world.portal(&path, &demo).await, 202).text_at("/account_id");
    world.idle().await;
    let answer = expect(world.portal(&trader.withdrawals(), &with("/account_id", json!(id))).await, 422);
    assert!(faults(&answer).contains(&"/account_id demo_account".to_owned()), "{}", answer.text);
}

#[tokio::test]
async fn the_same_key_is_the_same_withdrawal_and_what_is_asked_for_counts_against_the_account() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "1000.00", 100_000).await;
    let body = to_source(&trader, "700.00", "stripe", &deposit.id);
    let call =
        |body: &Value| Call::post(&trader.withdrawals(), body).token(world.broker.token("portal")).key("one-wish");
    let first = expect(world.send(call(&body)).await, 201);
    let again = expect(world.send(call(&body)).await, 201);
    assert_eq!(first.json, again.json);
    assert_eq!(header(&again, "idempotency-replayed"), Some("true"));
    expect(world.send(call(&to_source(&trader, "701.00", "stripe", &deposit.id))).await, 422);
    // 700.00 are about to leave
    let answer = world.portal(&trader.withdrawals(), &to_source(&trader, "400.00", "stripe", &deposit.id)).await;
    assert_eq!(
        faults(&expect(answer, 422)),
        ["/amount/amount insufficient_funds", "/destination/source_payment_id above_source"]
    );
    let (own, _) = ask(&world, &trader, &to_source(&trader, "300.00", "stripe", &deposit.id)).await;
    assert_eq!(world.status(&own.id).await, "paid_out");
}

#[tokio::test]
async fn of_many_at_once_no_more_pass_than_one_after_the_other() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "1000.00", 100_000).await;
    let body = to_source(&trader, "150.00", "stripe", &deposit.id);
    let path = trader.withdrawals();
    let mut passed = 0;
    for _ in 0..3 {
        let answers = join_all((0..8).map(|_| world.portal(&path, &body))).await;
        for answer in answers {
            match answer.status {
                201 => passed += 1,
                422 => assert!(faults(&answer).contains(&"/amount/amount insufficient_funds".to_owned())),
                // the client keeps asking: nothing is done, and the same key tries again
                status => assert!([409, 503].contains(&status), "{status}: {:#}", answer.json),
            }
        }
    }
    assert_eq!(passed, 6, "of 1000.00 there are six times 150.00");
}

#[tokio::test]
async fn a_lost_answer_debits_once_and_pays_once() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "400.00", 40_000).await;
    let body = to_source(&trader, "100.00", "stripe", &deposit.id);
    // the debit is booked and its answer lost, and the history is silent
    world.lose_the_next_credit().await;
    let (own, _) = ask(&world, &trader, &body).await;
    assert_eq!(world.status(&own.id).await, "debiting_unknown");
    world.no_faults("mt5").await;
    // the payout is made and its answer lost, and the provider cannot be asked
    let drop = |operation: &str, kind: &str, times: u64| json!({"operation": operation, "fault": {"kind": kind}, "times": times});
    world
        .faults("stripe", &json!([drop("create_refund", "apply_then_drop", 1), drop("list_refunds", "drop", 0)]))
        .await;
    for _ in 0..3 {
        world.pass(61).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&own.id).await, "payout_unknown");
    world.no_faults("stripe").await;
    for _ in 0..12 {
        world.pass(600).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&own.id).await, "paid_out");
    assert_eq!(amounts(&world, &trader, &own).await, ["-100.00"]);
    assert_eq!(refunds(&world, &own).await.len(), 1);
    // an error that the provider keeps under the key
    world.faults("stripe", &json!([{"operation": "create_refund", "fault": {"kind": "refuse", "status": 500}}])).await;
    let (own, _) = ask(&world, &trader, &body).await;
    for _ in 0..12 {
        world.pass(600).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&own.id).await, "paid_out");
    assert_eq!((amounts(&world, &trader, &own).await.len(), refunds(&world, &own).await.len()), (1, 1));
}

#[tokio::test]
async fn what_the_provider_refuses_or_takes_back_is_put_back_once() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "400.00", 40_000).await;
    let body = to_source(&trader, "100.00", "stripe", &deposit.id);
    let refuse =
        json!([{"operation": "create_refund", "fault": {"kind": "refuse", "status": 400, "code": "charge_disputed"}}]);
    world.faults("stripe", &refuse).await;
    let (own, _) = ask(&world, &trader, &body).await;
    assert_eq!(world.status(&own.id).await, "returned");
    assert_eq!(amounts(&world, &trader, &own).await, ["-100.00", "100.00"]);
    assert_eq!(world.payment(&own.id).await.json["returned"]["amount"], "100.00");
    // the source has all of it again
    let (own, _) = ask(&world, &trader, &to_source(&trader, "400.00", "stripe", &deposit.id)).await;
    assert_eq!(world.status(&own.id).await, "paid_out");
    let made = refunds(&world, &own).await.remove(0);
    for kind in ["refund.failed", "refund.updated", "charge.refund.updated"] {
        expect(world.stripe(&refund_event(&world, &made, kind, "failed")).await, 200);
        world.idle().await;
    }
    assert_eq!(world.status(&own.id).await, "returned");
    assert_eq!(amounts(&world, &trader, &own).await, ["-400.00", "400.00"]);
    let shown = world.payment(&own.id).await.json;
    assert!(shown.get("paid").is_none(), "{shown:#}");
    // a success that comes late is a person's
    expect(world.stripe(&refund_event(&world, &made, "refund.updated", "succeeded")).await, 200);
    item_of(&world, &own, "withdrawal_contradicted").await;
    assert_eq!(world.status(&own.id).await, "returned");
    assert_eq!(world.status(&deposit.id).await, "credited");
    // the account's money is whole
    let account = world.get("portal", &format!("/v1/accounts/{}", trader.account)).await;
    assert_eq!(account.json["balance"]["amount"], "400.00");
}

#[tokio::test]
async fn a_debit_that_the_platform_refuses_is_declined_and_moves_nothing() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "400.00", 40_000).await;
    world.faults("mt5", &json!([{"operation": "trade_balance", "fault": {"kind": "refuse", "retcode": 10019}}])).await;
    let (own, _) = ask(&world, &trader, &to_source(&trader, "100.00", "stripe", &deposit.id)).await;
    assert_eq!(world.status(&own.id).await, "declined");
    assert!(world.deals(&trader, &own).await.is_empty() && refunds(&world, &own).await.is_empty());
}

#[tokio::test]
async fn over_a_provider_that_does_not_pay_out_a_person_does() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.deposit(&trader, "300.00", "praxis").await;
    expect(world.praxis(&world.sale(&deposit, "approved", 30_000, "USD")).await, 200);
    assert_eq!(world.status(&deposit.id).await, "credited");
    let (own, status) = ask(&world, &trader, &to_source(&trader, "100.00", "praxis", &deposit.id)).await;
    assert_eq!(status, "approved");
    assert_eq!(world.status(&own.id).await, "needs_review");
    let item = item_of(&world, &own, "withdrawal_pay_by_hand").await;
    decide(&world, "finance", &item, json!({"action": "mark_paid_out"}), 422).await;
    decide(&world, "finance", &item, json!({"action": "mark_paid_out", "evidence": "4711"}), 200).await;
    assert_eq!(world.status(&own.id).await, "paid_out");
    // the provider tells of the refund that was made by hand: it is the withdrawal's, and no loss of the deposit
    let mut refund = world.sale(&deposit, "reversed", 10_000, "USD");
    refund["timestamp"] = json!(world.now_s() + 1);
    expect(world.praxis(&refund).await, 200);
    assert_eq!(world.status(&deposit.id).await, "credited");
    assert!(world.payment(&deposit.id).await.json.get("returned").is_none());
    assert!(world.work_of(&deposit.id).await.is_empty());
    // and one that cannot be paid goes back on the account
    let (second, _) = ask(&world, &trader, &to_source(&trader, "50.00", "praxis", &deposit.id)).await;
    let item = item_of(&world, &second, "withdrawal_pay_by_hand").await;
    decide(&world, "finance", &item, json!({"action": "credit_back", "note": "card closed"}), 200).await;
    assert_eq!(world.status(&second.id).await, "returned");
    assert_eq!(amounts(&world, &trader, &second).await, ["-50.00", "50.00"]);
}

#[tokio::test]
async fn what_nobody_tells_goes_to_a_person_and_his_word_ends_it() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "400.00", 40_000).await;
    let body = to_source(&trader, "100.00", "stripe", &deposit.id);
    // the platform says nothing for longer than the rules wait
    let silent = |operation: &str| json!({"operation": operation, "fault": {"kind": "drop"}, "times": 0});
    let all = ["trade_balance", "deal_get_total", "deal_get_page", "deal_get_batch"].map(silent);
    world.faults("mt5", &json!(all)).await;
    let (own, _) = ask(&world, &trader, &body).await;
    for _ in 0..15 {
        world.pass(61).await;
        world.sweep().await;
    }
    let item = item_of(&world, &own, "withdrawal_debit_unresolved").await;
    assert_eq!(world.status(&own.id).await, "needs_review");
    world.no_faults("mt5").await;
    decide(&world, "finance", &item, json!({"action": "mark_not_debited_retry"}), 200).await;
    for _ in 0..3 {
        world.pass(61).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&own.id).await, "paid_out");
    assert_eq!(amounts(&world, &trader, &own).await, ["-100.00"]);
}

#[tokio::test]
async fn a_deal_that_a_person_names_counts_if_it_is_the_debit() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "400.00", 40_000).await;
    let silent = |operation: &str| json!({"operation": operation, "fault": {"kind": "drop"}, "times": 0});
    let all = ["trade_balance", "deal_get_total", "deal_get_page", "deal_get_batch"].map(silent);
    world.faults("mt5", &json!(all)).await;
    let (own, _) = ask(&world, &trader, &to_source(&trader, "100.00", "stripe", &deposit.id)).await;
    for _ in 0..15 {
        world.pass(61).await;
        world.sweep().await;
    }
    let item = item_of(&world, &own, "withdrawal_debit_unresolved").await;
    world.no_faults("mt5").await;
    // a deal that is not there, and one of another amount: asked again each time, and nothing is paid out
    let wrong = world.books(&trader, "-99.00", "by hand").await;
    let mut item = item;
    for evidence in ["4711", wrong.as_str()] {
        decide(&world, "finance", &item, json!({"action": "mark_debited", "evidence": evidence}), 200).await;
        assert_eq!(world.status(&own.id).await, "needs_review", "{evidence}");
        let open = world.work_of(&own.id).await.into_iter().find(|item| item["status"] == "open");
        item = open.unwrap();
        assert!(item["trigger"]["why"].to_string().contains("deal"), "{item:#}");
    }
    assert!(refunds(&world, &own).await.is_empty());
    let right = world.books(&trader, "-100.00", "by hand").await;
    decide(&world, "finance", &item, json!({"action": "mark_debited", "evidence": right}), 200).await;
    assert_eq!(world.status(&own.id).await, "paid_out");
    assert_eq!(world.payment(&own.id).await.json["platform"]["operation"], right.as_str());
    // it proves no other withdrawal
    world.faults("mt5", &json!(all)).await;
    let (second, _) = ask(&world, &trader, &to_source(&trader, "100.00", "stripe", &deposit.id)).await;
    for _ in 0..15 {
        world.pass(61).await;
        world.sweep().await;
    }
    world.no_faults("mt5").await;
    let item = item_of(&world, &second, "withdrawal_debit_unresolved").await;
    decide(&world, "finance", &item, json!({"action": "mark_debited", "evidence": right}), 200).await;
    assert_eq!(world.status(&second.id).await, "needs_review");
}

#[tokio::test]
async fn to_a_wallet_and_to_a_chain_money_goes_when_finance_says_so() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.credited(&trader, "900.00", 90_000).await;
    let to = |destination: Value| {
        json!({
            "account_id": trader.account, "amount": {"amount": "100.00", "currency": "USD"}, "destination": destination,
        })
    };
    // a wallet: paid at once
    let wallet = json!({"psp": "skrill", "email": "ana.lopez@example.com"});
    let (own, status) = ask(&world, &trader, &to(wallet.clone())).await;
    assert_eq!(status, "requested", "a new place, and the payer could still get it back");
    let item = item_of(&world, &own, "withdrawal_approval").await;
    assert!(!item.to_string().contains("ana.lopez"), "where it goes is no part of the item: {item:#}");
    decide(&world, "finance", &item, json!({"action": "approve"}), 200).await;
    assert_eq!(world.status(&own.id).await, "paid_out");
    let sent = world.recorded("skrill", &format!("payment_id={}", own.id)).await["payouts"].clone();
    assert_eq!((sent.as_array().unwrap().len(), &sent[0]["to"]), (1, &json!("ana.lopez@example.com")));
    assert_eq!(world.payment(&own.id).await.json["destination"], wallet);
    // whose answer is lost is looked up, and not sent again
    world.faults("skrill", &json!([{"operation": "transfer", "fault": {"kind": "apply_then_drop"}}])).await;
    let (own, _) = ask(&world, &trader, &to(wallet)).await;
    let item = item_of(&world, &own, "withdrawal_approval").await;
    decide(&world, "finance", &item, json!({"action": "approve"}), 200).await;
    assert_eq!(world.status(&own.id).await, "payout_unknown");
    for _ in 0..3 {
        world.pass(300).await;
        world.sweep().await;
    }
    assert_eq!(world.status(&own.id).await, "paid_out");
    let sent = world.recorded("skrill", &format!("payment_id={}", own.id)).await["payouts"].clone();
    assert_eq!(sent.as_array().unwrap().len(), 1);
    // coins: on their way until the callback says more
    let chain = json!({"psp": "coinspaid", "currency": "USDT", "address": "TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm"});
    for (word, ends) in [("confirmed", "paid_out"), ("cancelled", "returned")] {
        world.faults("coinspaid", &json!([{"operation": "withdraw", "fault": {"kind": "apply_then_drop"}}])).await;
        let (own, _) = ask(&world, &trader, &to(chain.clone())).await;
        let item = item_of(&world, &own, "withdrawal_approval").await;
        decide(&world, "finance", &item, json!({"action": "approve"}), 200).await;
        for _ in 0..3 {
            world.pass(300).await;
            world.sweep().await;
        }
        assert_eq!(world.status(&own.id).await, "paying_out");
        let sent = world.recorded("coinspaid", &format!("payment_id={}", own.id)).await["withdrawals"].clone();
        assert_eq!((sent.as_array().unwrap().len(), &sent[0]["status"]), (1, &json!("processing")));
        let mut callback = sent[0].clone();
        callback["status"] = json!(word);
        for _ in 0..2 {
            expect(crate::coinspaid::told(&world, &callback).await, 200);
            world.idle().await;
        }
        assert_eq!(world.status(&own.id).await, ends);
        assert_eq!(amounts(&world, &trader, &own).await.len(), if word == "confirmed" { 1 } else { 2 });
    }
    let answer = world.portal(&trader.withdrawals(), &to(json!({"psp": "coinspaid", "address": "T 1"}))).await;
    assert_eq!(
        faults(&expect(answer, 422)),
        ["/destination/address invalid_address", "/destination/currency unknown_currency"]
    );
}

#[tokio::test]
async fn a_rule_lets_finance_look_at_whoever_takes_out_much_in_a_day() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "2000.00", 200_000).await;
    let row = json!({
        "id": "many_in_a_day", "then": "ask",
        "when": {"any": [{"field": "count_24h", "gte": "3"}, {"field": "sum_24h", "gt": "500"}]},
    });
    world.publish(SetName::Withdrawals, 2, |rules| rules["approval"].as_array_mut().unwrap().insert(0, row)).await;
    world.pass(61).await;
    let to = |amount: &str| to_source(&trader, amount, "stripe", &deposit.id);
    for (amount, status) in [("300.00", "approved"), ("201.00", "approved"), ("10.00", "requested")] {
        let (own, first) = ask(&world, &trader, &to(amount)).await;
        assert_eq!(first, status, "{amount}");
        let item = world.work_of(&own.id).await;
        assert_eq!(item.is_empty(), status == "approved");
        assert!(item.is_empty() || item[0]["trigger"]["why"].to_string().contains("many_in_a_day"), "{item:#?}");
    }
    world.pass(86_401).await;
    let (_, first) = ask(&world, &trader, &to("10.00")).await;
    assert_eq!(first, "approved", "a day later");
}
