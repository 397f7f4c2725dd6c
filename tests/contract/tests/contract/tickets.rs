//! A deal on the trading platform that a person names as proof: looked up before it takes effect.

use serde_json::{Value, json};

use crate::world::{Payment, Trader, World, expect, items, now_s};

/// A deposit of 100.00 USD of which 90.00 came, and the item that asks what becomes of it.
async fn odd(world: &World, trader: &Trader) -> (Payment, String) {
    let payment = world.deposit(trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    let work = world.work_of(&payment.id).await.remove(0)["work_id"].as_str().unwrap().to_owned();
    (payment, work)
}

fn credited(ticket: &str) -> Value {
    json!({"action": "mark_credited", "evidence": ticket})
}

/// A person decides; what follows has followed.
async fn decides(world: &World, work: &str, action: &Value) -> Value {
    let decided = expect(world.act("finance", work, action).await, 200).json;
    world.idle().await;
    decided
}

/// The ticket proves nothing: nothing is credited, and the same item is open again and says what was found.
async fn is_refused(world: &World, payment: &Payment, work: &str, found: &str) {
    let shown = world.payment(&payment.id).await.json;
    assert_eq!((&shown["status"], shown.get("credited")), (&json!("needs_review"), None), "{found}");
    let open = world.work_of(&payment.id).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((&open[0]["work_id"], &open[0]["status"]), (&json!(work), &json!("open")));
    let said = open[0]["trigger"]["reopened"].as_str().unwrap();
    assert!(said.contains("finance-1") && said.contains(found), "{said}");
    let line = open[0]["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&line["action"], &line["note"]), (&json!("reopened"), &json!(said)));
    assert!(open[0].get("decision").is_none());
    assert!(world.broker.host.dead_letters().values().all(Vec::is_empty));
}

async fn is_taken(world: &World, payment: &Payment, ticket: &str, amount: &str) {
    let shown = world.payment(&payment.id).await.json;
    assert_eq!(shown["status"], "credited", "{shown}");
    assert_eq!((&shown["credited"]["amount"], &shown["platform"]["operation"]), (&json!(amount), &json!(ticket)));
    assert!(world.work_of(&payment.id).await.is_empty());
}

#[tokio::test]
async fn a_ticket_that_is_not_on_the_platform_credits_nothing() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (payment, work) = odd(&world, &trader).await;
    for words in ["agreed on the telephone", "by Ana, deal 4711", "0", "T"] {
        let refused = expect(world.act("finance", &work, &credited(words)).await, 422);
        assert_eq!(crate::world::faults(&refused), ["/evidence not_a_ticket"], "{words}");
    }
    for ticket in ["4711", "99999999999999999999999999"] {
        decides(&world, &work, &credited(ticket)).await;
        is_refused(&world, &payment, &work, "there is no such deal").await;
    }
    // and the right one does
    let ticket = world.books(&trader, "90.00", &payment.id).await;
    decides(&world, &work, &credited(&format!("deal {ticket}"))).await;
    is_taken(&world, &payment, &ticket, "90.00").await;
}

#[tokio::test]
async fn another_accounts_deal_proves_nothing_and_is_free_for_what_it_is_of() {
    let world = World::start().await;
    let (ours, theirs) = (world.trader("USD").await, world.trader("USD").await);
    let (payment, work) = odd(&world, &ours).await;
    let ticket = world.books(&theirs, "90.00", "by hand").await;
    decides(&world, &work, &credited(&ticket)).await;
    is_refused(&world, &payment, &work, "it belongs to another account").await;
    let (other, other_work) = odd(&world, &theirs).await;
    decides(&world, &other_work, &credited(&ticket)).await;
    is_taken(&world, &other, &ticket, "90.00").await;
    // whose it is now
    let refused = expect(world.act("finance", &work, &credited(&ticket)).await, 409);
    assert!(refused.text_at("/detail").contains(&other.id), "{}", refused.text);
}

#[tokio::test]
async fn a_deal_of_another_amount_another_sign_or_another_kind_proves_nothing() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.books(&trader, "1000.00", "money to lose").await;
    let (payment, work) = odd(&world, &trader).await;
    for amount in ["89.99", "90.01", "-90.00", "9000.00"] {
        let ticket = world.books(&trader, amount, &payment.id).await;
        decides(&world, &work, &credited(&ticket)).await;
        is_refused(&world, &payment, &work, "expected 90.00 USD").await;
        world.books(&trader, amount.strip_prefix('-').unwrap_or(&format!("-{amount}")), &payment.id).await;
    }
    let login: u64 = trader.login.parse().unwrap();
    for action in [0, 3, 6] {
        let deal = json!({"login": login, "action": action, "symbol": "", "profit": "90.00", "comment": "by hand"});
        let ticket = world.control("mt5", "deals", &json!([deal])).await["deals"][0].to_string();
        decides(&world, &work, &credited(&ticket)).await;
        is_refused(&world, &payment, &work, "it is no balance operation").await;
    }
}

#[tokio::test]
async fn the_automations_credit_of_another_payment_proves_nothing() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let other = world.credited(&trader, "90.00", 9_000).await;
    let ticket = world.payment(&other.id).await.json["platform"]["operation"].as_str().unwrap().to_owned();
    let (payment, work) = odd(&world, &trader).await;
    decides(&world, &work, &credited(&ticket)).await;
    is_refused(&world, &payment, &work, &other.id).await;
    // nor does what was cut off of its name
    let ticket = world.books(&trader, "90.00", &format!("again: {}", other.id)).await;
    decides(&world, &work, &credited(&ticket)).await;
    is_refused(&world, &payment, &work, "the id of another payment").await;
}

#[tokio::test]
async fn money_without_an_owner_is_not_credited_by_a_deal_of_something_else() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let automatic = world.credited(&trader, "100.00", 10_000).await;
    let automatic = world.payment(&automatic.id).await.json["platform"]["operation"].as_str().unwrap().to_owned();
    let by_hand = world.books(&trader, "100.00", "pi_unknown_0").await;
    let less = world.books(&trader, "10.00", "pi_unknown_0").await;
    let stray = async |n: u32| {
        let nobody = Payment { id: "unknown".to_owned(), reference: format!("pi_unknown_{n}") };
        expect(world.stripe(&world.intent(&nobody, "payment_intent.succeeded", 10_000, "usd")).await, 200);
        world.idle().await;
        let all = items(&world.get("finance", "/v1/work?queue=finance&limit=100").await);
        let named = |item: &&Value| item["trigger"]["what"] == nobody.reference.as_str();
        all.iter().find(named).unwrap()["work_id"].as_str().unwrap().to_owned()
    };
    let shown = async |work: &str| {
        let all = items(&world.get("finance", "/v1/work?queue=finance&limit=100").await);
        all.into_iter().find(|item| item["work_id"] == work)
    };
    let first = stray(0).await;
    for (ticket, found) in [
        ("4711", "no live server has a deal of that number"),
        (automatic.as_str(), "the id of another payment"),
        (less.as_str(), "expected 100.00 USD"),
    ] {
        decides(&world, &first, &credited(ticket)).await;
        let open = shown(&first).await.unwrap();
        let said = open["trigger"]["reopened"].as_str().unwrap();
        assert!(open["status"] == "open" && said.contains(found), "{said}");
    }
    decides(&world, &first, &credited(&by_hand)).await;
    assert_eq!(shown(&first).await, None, "it is decided");
    // one deal, one money: neither for other money without an owner nor for a deposit
    let second = stray(1).await;
    decides(&world, &second, &credited(&by_hand)).await;
    assert!(shown(&second).await.unwrap()["trigger"]["reopened"].as_str().unwrap().contains("already proves"));
    let (_, work) = odd(&world, &trader).await;
    expect(world.act("finance", &work, &credited(&by_hand)).await, 409);
}

#[tokio::test]
async fn a_platform_that_cannot_be_asked_is_asked_again_and_not_believed() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let wrong_page = json!({"kind": "answer", "body": {"retcode": "0 Done", "answer": {"Deal": "1", "Login": "1"}}});
    let short = json!({"kind": "answer", "body": {"retcode": "0 Done", "answer": []}});
    let server_error = json!({"kind": "refuse", "status": 500});
    for (operation, fault) in [
        ("deal_get", json!({"kind": "drop"})),
        ("deal_get", server_error.clone()),
        ("deal_get", wrong_page),
        ("deal_get", json!({"kind": "refuse", "retcode": 9})),
        ("deal_get_total", server_error),
        ("deal_get_page", short),
        ("deal_get_page", json!({"kind": "refuse", "retcode": 13})),
    ] {
        for ticket in [Some("90.00"), None] {
            let (payment, work) = odd(&world, &trader).await;
            let number = match ticket {
                Some(amount) => world.books(&trader, amount, &payment.id).await,
                None => "4711".to_owned(),
            };
            world.faults("mt5", &json!([{"operation": operation, "fault": fault, "times": 0}])).await;
            decides(&world, &work, &credited(&number)).await;
            world.pass(300).await;
            world.sweep().await;
            assert_eq!(world.status(&payment.id).await, "needs_review", "{operation}: {fault}");
            assert!(world.work_of(&payment.id).await.is_empty(), "{operation}: nothing was found, so nothing is said");
            world.no_faults("mt5").await;
            world.pass(901).await;
            world.sweep().await;
            match ticket {
                Some(amount) => is_taken(&world, &payment, &number, amount).await,
                None => is_refused(&world, &payment, &work, "there is no such deal").await,
            }
        }
    }
}

#[tokio::test]
async fn a_platform_that_is_silent_for_a_day_is_told_to_whoever_named_the_ticket() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (payment, work) = odd(&world, &trader).await;
    world.faults("mt5", &json!([{"operation": "*", "fault": {"kind": "drop"}, "times": 0}])).await;
    decides(&world, &work, &credited("4711")).await;
    for _ in 0..100 {
        world.pass(901).await;
        world.sweep().await;
    }
    is_refused(&world, &payment, &work, "nobody has looked").await;
}

#[tokio::test]
async fn a_decision_that_is_delivered_again_is_taken_once() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (payment, work) = odd(&world, &trader).await;
    let again = async |kind: &str| {
        for queue in ["PaymentsCreditQueue", "PaymentsDecideQueue"] {
            let entity = if queue == "PaymentsCreditQueue" { &payment.id } else { &work };
            let kind = if queue == "PaymentsCreditQueue" { kind } else { "work.decided" };
            let detail = json!({
                "event_id": format!("{entity}:2:0"), "entity": entity, "version": 2, "type": kind, "at": world.now(),
                "correlation_id": "again", "data": {},
            });
            world.broker.host.send_message(queue, &json!({"detail": detail}).to_string()).unwrap();
        }
        world.idle().await;
    };
    decides(&world, &work, &credited("4711")).await;
    for _ in 0..2 {
        again("deposit.ticket_named").await;
        is_refused(&world, &payment, &work, "there is no such deal").await;
    }
    let ticket = world.books(&trader, "90.00", "by hand").await;
    for _ in 0..2 {
        decides(&world, &work, &credited(&ticket)).await;
        again("deposit.ticket_named").await;
        is_taken(&world, &payment, &ticket, "90.00").await;
    }
    let journal = items(&world.get("finance", &format!("/v1/journal?entity={}", payment.id)).await);
    let outcome = |wanted: &str| journal.iter().filter(|line| line["outcome"] == wanted).count();
    assert_eq!((outcome("ticket_refused"), outcome("credited")), (1, 1), "{journal:#?}");
}

#[tokio::test]
async fn nothing_is_credited_while_a_ticket_is_looked_up_whatever_the_provider_says() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    let mute = json!([{"operation": "get_intent", "fault": {"kind": "refuse", "status": 500}, "times": 0}]);
    world.faults("stripe", &mute).await;
    while world.status(&payment.id).await != "needs_review" {
        world.pass(86_401).await;
        world.sweep().await;
    }
    world.no_faults("stripe").await;
    let work = world.work_of(&payment.id).await.remove(0)["work_id"].as_str().unwrap().to_owned();
    let mistyped = world.books(&trader, "100.00", "by hand").await + "0";
    world.faults("mt5", &json!([{"operation": "deal_get", "fault": {"kind": "drop"}, "times": 0}])).await;
    decides(&world, &work, &credited(&mistyped)).await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    world.idle().await;
    world.pass(120).await;
    world.sweep().await;
    assert!(world.deals(&trader, &payment).await.is_empty(), "a person says that it is credited");
    world.no_faults("mt5").await;
    world.pass(901).await;
    world.sweep().await;
    // and who credited it by hand and mistyped the number does not have it credited twice
    is_refused(&world, &payment, &work, "there is no such deal").await;
    assert!(world.deals(&trader, &payment).await.is_empty());
    decides(&world, &work, &credited(&mistyped[..mistyped.len() - 1])).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert!(world.deals(&trader, &payment).await.is_empty());
}

#[tokio::test]
async fn what_is_taken_off_must_be_off_the_account_and_exactly_that() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    let mut dispute = world.intent(&payment, "charge.dispute.created", 10_000, "usd");
    dispute["created"] = json!(now_s() + 1);
    dispute["data"]["object"] = json!({
        "id": "dp_1", "object": "dispute", "amount": 10_000, "charge": "ch_1", "currency": "usd", "metadata": {},
        "payment_intent": payment.reference, "status": "needs_response",
    });
    expect(world.stripe(&dispute).await, 200);
    let work = world.work_of(&payment.id).await.remove(0)["work_id"].as_str().unwrap().to_owned();
    let debited = |ticket: &str| json!({"action": "mark_debited_on_platform", "evidence": ticket});
    let own = world.payment(&payment.id).await.json["platform"]["operation"].as_str().unwrap().to_owned();
    let part = world.books(&trader, "-60.00", &format!("{}R", payment.id)).await;
    for (ticket, found) in [("4711", "no such deal"), (&own, "it moved 100.00"), (&part, "it moved -60.00")] {
        decides(&world, &work, &debited(ticket)).await;
        let open = world.work_of(&payment.id).await;
        assert_eq!(open.len(), 1);
        let said = open[0]["trigger"]["reopened"].as_str().unwrap();
        assert!(said.contains(found) && open[0]["work_id"] == work.as_str(), "{said}");
    }
    world.books(&trader, "60.00", &format!("{}B", payment.id)).await;
    let whole = world.books(&trader, "-100.00", &format!("{}R", payment.id)).await;
    decides(&world, &work, &debited(&whole)).await;
    assert!(world.work_of(&payment.id).await.is_empty());
    assert_eq!(world.status(&payment.id).await, "charged_back");
}

#[tokio::test]
async fn a_part_and_the_rest_under_the_payments_id_are_the_credit() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let (payment, work) = odd(&world, &trader).await;
    let part = world.books(&trader, "40.00", &payment.id).await;
    decides(&world, &work, &credited(&part)).await;
    is_refused(&world, &payment, &work, "expected 90.00 USD").await;
    let rest = world.books(&trader, "50.00", &payment.id).await;
    decides(&world, &work, &credited(&rest)).await;
    is_taken(&world, &payment, &rest, "90.00").await;
    // twice by hand is not once
    let (payment, work) = odd(&world, &trader).await;
    let first = world.books(&trader, "90.00", &payment.id).await;
    world.books(&trader, "90.00", &payment.id).await;
    decides(&world, &work, &credited(&first)).await;
    is_refused(&world, &payment, &work, "180.00").await;
    world.books(&trader, "-90.00", &format!("{}R", payment.id)).await;
    decides(&world, &work, &credited(&first)).await;
    is_taken(&world, &payment, &first, "90.00").await;
}

#[tokio::test]
async fn what_is_put_on_the_account_again_is_exactly_what_came_back() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    let returned = |kind: &str, status: &str, later_s: i64| {
        let mut event = world.intent(&payment, kind, 4_000, "usd");
        event["created"] = json!(now_s() + later_s);
        event["data"]["object"] = json!({
            "id": "dp_1", "object": "dispute", "amount": 4_000, "charge": "ch_1", "currency": "usd", "metadata": {},
            "payment_intent": payment.reference, "status": status,
        });
        event
    };
    expect(world.stripe(&returned("charge.dispute.created", "needs_response", 1)).await, 200);
    let item = async || world.work_of(&payment.id).await.remove(0)["work_id"].as_str().unwrap().to_owned();
    let off = world.books(&trader, "-40.00", &format!("{}R", payment.id)).await;
    decides(&world, &item().await, &json!({"action": "mark_debited_on_platform", "evidence": off})).await;
    expect(world.stripe(&returned("charge.dispute.closed", "won", 2)).await, 200);
    let work = item().await;
    let wrong = world.books(&trader, "100.00", &format!("{}B", payment.id)).await;
    decides(&world, &work, &credited(&wrong)).await;
    let open = world.work_of(&payment.id).await;
    let said = open[0]["trigger"]["reopened"].as_str().unwrap();
    assert!(open[0]["work_id"] == work.as_str() && said.contains("it moved 100.00; expected 40.00 USD"), "{said}");
    let right = world.books(&trader, "40.00", &format!("{}B", payment.id)).await;
    decides(&world, &work, &credited(&right)).await;
    assert!(world.work_of(&payment.id).await.is_empty());
    let journal = items(&world.get("finance", &format!("/v1/journal?entity={}", payment.id)).await);
    assert!(journal.iter().any(|line| line["outcome"] == "credited_again_by_hand"), "{journal:#?}");
}
