//! Money that is told of before its record is there, that comes back, and that a person and the automation both want to move.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Call, Payment, World, account_request, deposit_request, expect, faults, items};

/// An event of Stripe about an object.
fn event(world: &World, kind: &str, later_s: i64, object: &Value) -> Value {
    json!({
        "id": format!("evt_m{}", world.fresh()), "object": "event", "api_version": "2024-06-20",
        "created": world.now_s() + later_s, "livemode": false, "type": kind, "data": {"object": object},
    })
}

fn dispute(world: &World, payment: &Payment, kind: &str, status: &str, later_s: i64) -> Value {
    let object = json!({
        "id": format!("dp_{}", payment.id), "object": "dispute", "amount": 10_000, "currency": "usd", "charge": "ch_1",
        "payment_intent": payment.reference, "status": status, "reason": "fraudulent", "metadata": {},
    });
    event(world, kind, later_s, &object)
}

fn charge(world: &World, payment: &Payment, refunded: i64, later_s: i64) -> Value {
    let object = json!({
        "id": "ch_1", "object": "charge", "amount": 10_000, "amount_captured": 10_000, "amount_refunded": refunded,
        "refunded": refunded == 10_000, "status": "succeeded", "currency": "usd", "payment_intent": payment.reference,
        "metadata": {"payment_id": payment.id},
    });
    event(world, "charge.refunded", later_s, &object)
}

fn refund(world: &World, payment: &Payment, kind: &str, status: &str, later_s: i64) -> Value {
    let object = json!({
        "id": format!("re_{}", payment.id), "object": "refund", "amount": 10_000, "currency": "usd", "charge": "ch_1",
        "payment_intent": payment.reference, "status": status, "metadata": {},
    });
    event(world, kind, later_s, &object)
}

async fn told(world: &World, event: &Value) {
    expect(world.stripe(event).await, 200);
    world.idle().await;
}

async fn open_kinds(world: &World, payment: &str) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for item in world.work_of(payment).await {
        if item["status"] == "open" {
            kinds.push(item["kind"].as_str().unwrap().to_owned());
        }
    }
    kinds.sort();
    kinds
}

async fn strays(world: &World) -> Vec<Value> {
    world.idle().await;
    let all = items(&expect(world.get("finance", "/v1/work?queue=finance&limit=100").await, 200));
    all.into_iter().filter(|item| item["kind"] == "deposit_unknown_reference").collect()
}

#[tokio::test]
async fn an_inquiry_moves_no_money_and_a_dispute_is_what_its_status_says() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    for (kind, status) in [
        ("charge.dispute.created", "warning_needs_response"),
        ("charge.dispute.updated", "warning_under_review"),
        ("charge.dispute.closed", "warning_closed"),
    ] {
        told(&world, &dispute(&world, &payment, kind, status, 1)).await;
        assert_eq!(world.status(&payment.id).await, "credited", "{kind} {status}");
        assert!(world.work_of(&payment.id).await.is_empty(), "{kind} {status}");
    }
    told(&world, &dispute(&world, &payment, "charge.dispute.created", "needs_response", 2)).await;
    assert_eq!(world.status(&payment.id).await, "charged_back");
    assert_eq!(open_kinds(&world, &payment.id).await, ["deposit_reversed_after_credit"]);
    let shown = world.payment(&payment.id).await.json;
    assert_eq!((&shown["paid"]["amount"], &shown["returned"]["amount"]), (&json!("100.00"), &json!("100.00")));
    // won: what asks finance to take it off closes itself, and finance learns that the money is back
    let item = world.work_of(&payment.id).await.remove(0);
    told(&world, &dispute(&world, &payment, "charge.dispute.closed", "won", 3)).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(open_kinds(&world, &payment.id).await, ["deposit_reinstated"]);
    assert!(world.payment(&payment.id).await.json.get("returned").is_none());
    let action = json!({"action": "mark_debited_on_platform", "evidence": "1"});
    expect(world.act("finance", item["work_id"].as_str().unwrap(), &action).await, 409);
    // the opening that comes late, or the funds' own events, say nothing new
    for (kind, status, later_s) in [
        ("charge.dispute.created", "needs_response", 2),
        ("charge.dispute.funds_withdrawn", "needs_response", 2),
        ("charge.dispute.funds_reinstated", "won", 3),
    ] {
        told(&world, &dispute(&world, &payment, kind, status, later_s)).await;
        assert_eq!(world.status(&payment.id).await, "credited", "{kind}");
        assert_eq!(open_kinds(&world, &payment.id).await, ["deposit_reinstated"]);
    }
}

#[tokio::test]
async fn a_refund_that_fails_is_ours_again_in_whatever_order_it_is_told() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for kind in ["refund.failed", "charge.refund.updated"] {
        for failed_first in [false, true] {
            let payment = world.credited(&trader, "100.00", 10_000).await;
            let (gone, failed) = (charge(&world, &payment, 10_000, 0), refund(&world, &payment, kind, "failed", 1));
            let order = if failed_first { [&failed, &gone] } else { [&gone, &failed] };
            told(&world, order[0]).await;
            if !failed_first {
                assert_eq!(world.status(&payment.id).await, "refunded");
                assert_eq!(open_kinds(&world, &payment.id).await, ["deposit_reversed_after_credit"]);
            }
            told(&world, order[1]).await;
            told(&world, order[0]).await;
            assert_eq!(world.status(&payment.id).await, "credited", "{kind} {failed_first}");
            let open = open_kinds(&world, &payment.id).await;
            assert!(!open.contains(&"deposit_reversed_after_credit".to_owned()), "{kind} {failed_first}: {open:?}");
        }
    }
}

#[tokio::test]
async fn refund_totals_of_sixty_and_eighty_leave_twenty() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    // a part goes back before the success is told
    told(&world, &charge(&world, &payment, 6_000, 1)).await;
    told(&world, &charge(&world, &payment, 8_000, 2)).await;
    told(&world, &charge(&world, &payment, 6_000, 1)).await;
    told(&world, &world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await;
    assert_eq!(world.status(&payment.id).await, "needs_review");
    let shown = world.payment(&payment.id).await.json;
    assert_eq!((&shown["paid"]["amount"], &shown["returned"]["amount"]), (&json!("100.00"), &json!("80.00")));
    let trigger = shown["review"]["trigger"].clone();
    let work = world.work_of(&payment.id).await;
    let item = work.iter().find(|item| item["trigger"]["what"] == trigger).unwrap();
    let credit = json!({"action": "credit_paid_amount"});
    expect(world.act("finance", item["work_id"].as_str().unwrap(), &credit).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.payment(&payment.id).await.json["credited"]["amount"], "20.00");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

/// The id of the payment that the provider has an intent for.
async fn intent_made(world: &World) -> Payment {
    for _ in 0..100 {
        let state = world.recorded("stripe", "").await;
        if let Some(intent) = state["intents"].as_array().and_then(|intents| intents.last()) {
            let text = |pointer: &str| intent.pointer(pointer).unwrap().as_str().unwrap().to_owned();
            return Payment { id: text("/metadata/payment_id"), reference: text("/id") };
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no intent was made");
}

#[tokio::test]
async fn a_success_that_comes_before_its_record_is_sent_again_and_credited_once() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let slow = json!([{"operation": "create_intent", "fault": {"kind": "apply_then_timeout", "ms": 1500}}]);
    world.faults("stripe", &slow).await;
    let (path, body) = (trader.deposits(), deposit_request(&trader, "212.00", "stripe"));
    let early = async {
        let payment = intent_made(&world).await;
        let success = world.intent(&payment, "payment_intent.succeeded", 21_200, "usd");
        for _ in 0..2 {
            expect(world.stripe(&success).await, 503);
        }
        (payment, success)
    };
    let (opened, (payment, success)) = tokio::join!(world.portal(&path, &body), early);
    assert_eq!(expect(opened, 201).text_at("/payment_id"), payment.id);
    told(&world, &success).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    // whatever looks after what came early finds its owner
    world.pass(3_600).await;
    world.sweep().await;
    assert!(strays(&world).await.is_empty());
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn an_early_success_that_the_provider_never_repeats_is_credited_all_the_same() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let slow = json!([{"operation": "create_intent", "fault": {"kind": "apply_then_timeout", "ms": 1500}}]);
    world.faults("stripe", &slow).await;
    let (path, body) = (trader.deposits(), deposit_request(&trader, "212.00", "stripe"));
    let early = async {
        let payment = intent_made(&world).await;
        expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 21_200, "usd")).await, 503);
        payment
    };
    let (opened, payment) = tokio::join!(world.portal(&path, &body), early);
    expect(opened, 201);
    world.pass(901).await;
    world.sweep().await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert!(strays(&world).await.is_empty());
}

#[tokio::test]
async fn money_whose_payment_is_not_there_is_one_item_however_many_events_name_it_and_closes_itself() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = paid_and_lost(&world, &trader).await;
    assert!(strays(&world).await.is_empty());
    world.pass(901).await;
    world.sweep().await;
    assert_eq!(strays(&world).await.len(), 1);
    for _ in 0..2 {
        told(&world, &world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await;
        told(&world, &dispute(&world, &payment, "charge.dispute.created", "needs_response", 5)).await;
    }
    let item = strays(&world).await;
    assert_eq!((item.len(), &item[0]["status"]), (1, &json!("open")));
    // the portal asks again under its key: now the record is there
    world.no_faults("stripe").await;
    expect(requested(&world, &trader).await, 201);
    world.pass(3_601).await;
    world.sweep().await;
    assert!(strays(&world).await.iter().all(|item| item["status"] == "resolved"));
    assert_ne!(world.status(&payment.id).await, "pending");
    let by_hand = json!({"action": "refund_at_psp", "evidence": "re_1"});
    expect(world.act("finance", item[0]["work_id"].as_str().unwrap(), &by_hand).await, 409);
}

#[tokio::test]
async fn money_that_a_person_moved_before_its_record_was_there_is_not_credited() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = paid_and_lost(&world, &trader).await;
    let success = world.intent(&payment, "payment_intent.succeeded", 9_000, "usd");
    world.pass(901).await;
    world.sweep().await;
    let item = strays(&world).await.remove(0);
    let ticket = world.books(&trader, "90.00", "the client called").await;
    let by_hand = json!({"action": "mark_credited", "evidence": ticket});
    expect(world.act("finance", item["work_id"].as_str().unwrap(), &by_hand).await, 200);
    world.no_faults("stripe").await;
    expect(requested(&world, &trader).await, 201);
    told(&world, &success).await;
    assert_eq!(world.status(&payment.id).await, "needs_review");
    assert!(world.deals(&trader, &payment).await.is_empty());
}

/// A request for a deposit, made again under its key.
async fn requested(world: &World, trader: &crate::world::Trader) -> broker::api::Answer {
    let call = Call::post(&trader.deposits(), &deposit_request(trader, "90.00", "stripe"));
    world.send(call.token(world.broker.token("portal")).key("a-deposit-that-is-lost")).await
}

/// A deposit that the provider made and collected, and of which our own call and its answer were lost: it is told before there is a
/// record of it.
async fn paid_and_lost(world: &World, trader: &crate::world::Trader) -> Payment {
    let lost = json!([{"operation": "create_intent", "fault": {"kind": "apply_then_drop"}, "times": 0}]);
    world.faults("stripe", &lost).await;
    expect(requested(world, trader).await, 503);
    let payment = intent_made(world).await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 503);
    payment
}

/// A deposit that nobody told of, and the item that asks about it.
async fn silent(world: &World, trader: &crate::world::Trader) -> (Payment, String) {
    silent_of(world, trader, "100.00").await
}

async fn silent_of(world: &World, trader: &crate::world::Trader, amount: &str) -> (Payment, String) {
    let payment = world.deposit(trader, amount, "stripe").await;
    let mute = json!([{"operation": "get_intent", "fault": {"kind": "refuse", "status": 500}, "times": 0}]);
    world.faults("stripe", &mute).await;
    for _ in 0..8 {
        world.pass(86_401).await;
        world.sweep().await;
        if world.status(&payment.id).await == "needs_review" {
            break;
        }
    }
    world.no_faults("stripe").await;
    let item = world.work_of(&payment.id).await.remove(0);
    assert_eq!(item["kind"], "deposit_overdue");
    (payment, item["work_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_person_and_the_automation_never_both_move_the_same_money() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (mut by_person, mut by_automation) = (0, 0);
    for action in ["mark_credited", "refund_at_psp", "mark_credited", "refund_at_psp"] {
        for head_start_ms in [0, 15, 60] {
            let (payment, item) = silent(&world, &trader).await;
            let success = world.intent(&payment, "payment_intent.succeeded", 10_000, "usd");
            // whoever credits by hand without the payment's id in the comment is not found by the automation
            let number = world.books(&trader, "100.00", "by hand").await;
            let action = json!({"action": action, "evidence": number});
            let person = async {
                tokio::time::sleep(Duration::from_millis(head_start_ms)).await;
                world.act("finance", &item, &action).await
            };
            let (told, decided) = tokio::join!(world.stripe(&success), person);
            assert!(matches!(told.status, 200 | 503), "{}", told.text);
            expect(world.stripe(&success).await, 200);
            let status = world.status(&payment.id).await;
            let deals = world.deals(&trader, &payment).await.len();
            match decided.status {
                200 => {
                    by_person += 1;
                    assert_eq!(deals, 0, "{action}: {status}");
                    assert!(matches!(status.as_str(), "credited" | "refunded"), "{action}: {status}");
                }
                409 => {
                    by_automation += 1;
                    assert_eq!((status.as_str(), deals), ("credited", 1), "{action}");
                    assert!(decided.text_at("/detail").contains("the deposit is "), "{}", decided.text);
                }
                _ => panic!("{}", decided.text),
            }
        }
    }
    eprintln!("by a person {by_person}, by the automation {by_automation}");
}

#[tokio::test]
async fn what_is_credited_meanwhile_is_told_to_whoever_moved_it_by_hand() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (payment, item) = silent(&world, &trader).await;
    told(&world, &world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    for action in ["mark_credited", "refund_at_psp"] {
        let refused = expect(world.act("finance", &item, &json!({"action": action, "evidence": "778"})).await, 409);
        assert!(refused.text_at("/detail").contains("100.00 USD is credited"), "{}", refused.text);
    }
    // the item stays: the person closes it in his own words, and nothing moves
    expect(world.act("finance", &item, &json!({"action": "resolve", "outcome": "credited by itself"})).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn what_is_credited_between_proposal_and_approval_is_told_to_the_approver() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (payment, item) = silent_of(&world, &trader, "20000.00").await;
    let by_hand = json!({"action": "refund_at_psp", "evidence": "re_1"});
    let proposed = expect(world.act("finance", &item, &by_hand).await, 200).json;
    assert_eq!(proposed["status"], "proposed");
    // it is not done: the automation goes on as if nobody had said anything
    told(&world, &world.intent(&payment, "payment_intent.succeeded", 2_000_000, "usd")).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    let refused = expect(world.act("finance_2", &item, &json!({"action": "approve"})).await, 409);
    assert!(refused.text_at("/detail").contains("20000.00 USD is credited"), "{}", refused.text);
    expect(world.act("finance", &item, &json!({"action": "return"})).await, 200);
    // and who proposes it now is told at once
    let refused = expect(world.act("finance", &item, &by_hand).await, 409);
    assert!(refused.text_at("/detail").contains("20000.00 USD is credited"), "{}", refused.text);
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn a_demo_account_takes_no_real_money() {
    let world = World::start().await;
    let client = world.client("en").await;
    let mut request = account_request("USD");
    request["kind"] = json!("demo");
    let path = format!("/v1/clients/{client}/accounts");
    let account = expect(world.portal(&path, &request).await, 202).text_at("/account_id");
    world.idle().await;
    let login = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).text_at("/login");
    let demo = crate::world::Trader { client, account, login, currency: "USD".to_owned() };
    let refused = expect(world.portal(&demo.deposits(), &deposit_request(&demo, "100.00", "stripe")).await, 422);
    assert_eq!(faults(&refused), ["/account_id demo_account"]);
    assert_eq!(world.recorded("stripe", "").await["intents"], json!([]));
}

#[tokio::test]
async fn a_deposit_whose_account_is_a_demo_account_is_never_sent_to_a_platform() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    let table = &world.broker.host.template().tables["CrmTable"].name;
    let key = json!({"pk": {"S": trader.account}, "sk": {"S": "-"}});
    let scan = world.broker.host.db().request("Scan", &json!({"TableName": table})).await.unwrap();
    let found = scan["Items"].as_array().unwrap().iter().find(|item| item["pk"] == key["pk"]).unwrap();
    let mut item = found.clone();
    let state = item["state"]["S"].as_str().unwrap().replace("\"kind\":\"live\"", "\"kind\":\"demo\"");
    assert_ne!(item["state"]["S"], json!(state));
    item["state"]["S"] = json!(state);
    world.broker.host.db().request("PutItem", &json!({"TableName": table, "Item": item})).await.unwrap();
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    assert_eq!(world.status(&payment.id).await, "needs_review");
    assert_eq!(world.work_of(&payment.id).await[0]["kind"], "credit_refused");
    assert!(world.deals(&trader, &payment).await.is_empty());
}
