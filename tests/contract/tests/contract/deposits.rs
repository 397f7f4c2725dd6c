//! Opening a deposit and looking at it.

use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::world::{World, deposit_request, expect, faults, header, items};

#[tokio::test]
async fn an_opened_deposit_is_pending_and_sends_the_payer_to_the_provider() {
    let world = World::start().await;
    let trader = world.trader("EUR").await;
    for (psp, vendor) in [
        ("stripe", "stripe"),
        ("praxis", "praxis"),
        ("skrill", "skrill"),
        ("coinspaid", "coinspaid"),
        ("paysafe", "paysafe"),
    ] {
        let answer = expect(world.portal(&trader.deposits(), &deposit_request(&trader, "1250.00", psp)).await, 201);
        assert_eq!(answer.json["status"], "pending");
        let url = answer.text_at("/redirect_url");
        assert!(url.starts_with(world.broker.simulators.url(vendor)), "{url}");
        let id = answer.text_at("/payment_id");
        let shown = world.payment(&id).await.json;
        assert_eq!(shown["kind"], "deposit");
        assert_eq!(shown["status"], "pending");
        assert_eq!(shown["client_id"], trader.client.as_str());
        assert_eq!(shown["account_id"], trader.account.as_str());
        assert_eq!(shown["requested"], json!({"amount": "1250.00", "currency": "EUR"}));
        assert_eq!(shown["psp"]["name"], psp);
        assert_eq!(shown["platform"]["login"], trader.login.as_str());
        assert_eq!(shown["timeline"].as_array().unwrap().len(), 1);
        for absent in ["paid", "credited", "review"] {
            assert!(shown.get(absent).is_none(), "{absent}");
        }
        for who in ["portal", "sales", "compliance", "finance", "support", "admin"] {
            expect(world.get(who, &format!("/v1/payments/{id}")).await, 200);
        }
    }
}

#[tokio::test]
async fn stripe_knows_the_payment_by_our_id_and_we_by_its() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    assert!(payment.reference.starts_with("pi_"));
    let state = world.recorded("stripe", &format!("payment_id={}", payment.id)).await.to_string();
    assert!(state.contains(&payment.reference) && state.contains(&payment.id));
}

#[tokio::test]
async fn every_reference_that_is_not_there_is_named() {
    let world = World::start().await;
    let (trader, other) = (world.trader("USD").await, world.trader("USD").await);
    let before = world.stored().await;
    world.broker.host.reset_usage();
    let with = |pointer: &str, value: Value| {
        let mut body = deposit_request(&trader, "100.00", "stripe");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let cases: Vec<(&str, Value, u16, &str)> = vec![
        ("/account_id", json!(other.account), 422, "/account_id unknown_account"),
        ("/account_id", json!("acc_0123456789abcdefghjkmnpqrs"), 422, "/account_id unknown_account"),
        ("/account_id", json!("account"), 422, "/account_id unknown_account"),
        ("/account_id", json!(7), 400, "/account_id wrong_type"),
        ("/account_id", Value::Null, 400, "/account_id missing"),
        ("/psp", json!("paypal"), 422, "/psp unknown_psp"),
        ("/psp", json!("Stripe"), 422, "/psp unknown_psp"),
        ("/psp", json!("st\u{200b}ripe"), 422, "/psp unknown_psp"),
        ("/psp", json!(["stripe"]), 400, "/psp wrong_type"),
        ("/return_url", json!("portal.example.com/done"), 422, "/return_url invalid_url"),
        ("/return_url", json!("javascript:alert(1)"), 422, "/return_url invalid_url"),
        ("/return_url", json!(format!("https://x.example/{}", "x".repeat(600))), 422, "/return_url invalid_url"),
        ("/return_url", json!(5), 400, "/return_url wrong_type"),
        ("/amount", json!("100.00 USD"), 400, "/amount wrong_type"),
        ("/amount", json!({"amount": "100.00", "currency": "USD", "unit": "major"}), 400, "/amount/unit unknown_field"),
    ];
    for (pointer, value, status, fault) in cases {
        let answer = expect(world.portal(&trader.deposits(), &with(pointer, value.clone())).await, status);
        assert_eq!(faults(&answer), [fault], "{pointer} = {value}");
        if fault.ends_with("unknown_psp") {
            let rules = world.broker.rule_document(SetName::Psps).unwrap();
            let on_offer: Vec<&Value> = rules["psps"].as_array().unwrap().iter().map(|psp| &psp["name"]).collect();
            assert_eq!(answer.json["errors"][0]["allowed_values"], json!(on_offer));
        }
    }
    // another client's account through the other client's route, and an account of ours through that
    let answer = expect(world.portal(&other.deposits(), &deposit_request(&trader, "100.00", "stripe")).await, 422);
    assert_eq!(faults(&answer), ["/account_id unknown_account"]);
    assert_eq!(world.vendor_calls(), 0, "a refused deposit reaches no vendor");
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn all_faults_of_a_deposit_are_named_at_once() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let before = world.stored().await;
    let path = trader.deposits();
    let cases = [
        (
            json!({"account_id": "x", "amount": {"amount": "abc", "currency": "XXX"}, "psp": "paypal", "return_url": "no", "note": 1}),
            400,
            vec![
                "/account_id unknown_account",
                "/amount/amount not_a_number",
                "/amount/currency unknown_currency",
                "/note unknown_field",
                "/psp unknown_psp",
                "/return_url invalid_url",
            ],
        ),
        (json!({}), 400, vec!["/account_id missing", "/amount missing", "/psp missing"]),
        (
            json!({"amount": {}}),
            400,
            vec!["/account_id missing", "/amount/amount missing", "/amount/currency missing", "/psp missing"],
        ),
        (
            json!({"account_id": trader.account, "amount": {"amount": "5.00", "currency": "USD"}, "psp": "stripe", "return_url": "no"}),
            422,
            vec!["/amount/amount below_minimum", "/return_url invalid_url"],
        ),
        (
            json!({"account_id": trader.account, "amount": {"amount": "5.00", "currency": "USD"}, "psp": "paypal"}),
            422,
            vec!["/amount/amount below_minimum", "/psp unknown_psp"],
        ),
        (
            json!({"account_id": trader.account, "amount": {"amount": "100.00", "currency": "CHF"}, "psp": "paypal"}),
            422,
            vec!["/amount/currency currency_mismatch", "/psp unknown_psp"],
        ),
    ];
    for (body, status, wanted) in cases {
        let answer = expect(world.portal(&path, &body).await, status);
        assert_eq!(faults(&answer), wanted, "{body}");
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn a_currency_that_nobody_takes_is_refused_with_those_that_are_taken() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let mut body = deposit_request(&trader, "100.00", "stripe");
    body["amount"] = json!({"amount": "100.00", "currency": "CHF"});
    let answer = expect(world.portal(&trader.deposits(), &body).await, 422);
    assert_eq!(faults(&answer), ["/amount/currency currency_mismatch", "/amount/currency unsupported_currency"]);
}

#[tokio::test]
async fn a_provider_that_is_down_is_503_and_the_same_key_succeeds_once_it_is_up() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let body = deposit_request(&trader, "100.00", "stripe");
    let call =
        || crate::world::Call::post(&trader.deposits(), &body).token(world.broker.token("portal")).key("retry-1");
    for fault in [
        json!({"kind": "drop"}),
        json!({"kind": "apply_then_drop"}),
        json!({"kind": "garbage"}),
        json!({"kind": "refuse", "status": 500}),
    ] {
        world.faults("stripe", &json!([{"operation": "create_intent", "fault": fault}])).await;
        let answer = expect(world.send(call()).await, 503);
        assert!(header(&answer, "retry-after").unwrap().parse::<u32>().unwrap() > 0);
    }
    let answer = expect(world.send(call()).await, 201);
    let again = expect(world.send(call()).await, 201);
    assert_eq!(answer.json, again.json);
    let listed = items(&world.get("portal", &format!("/v1/clients/{}/payments", trader.client)).await);
    assert_eq!(listed.len(), 1);
    let intents = world.recorded("stripe", "part=intents").await;
    assert_eq!(intents["intents"].as_array().map(Vec::len), Some(1), "{intents}");
}

/// Stripe keeps the error under its own key for a day; the portal's key is not spent by that.
#[tokio::test]
async fn an_internal_error_that_the_provider_keeps_does_not_end_the_deposit() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let body = deposit_request(&trader, "100.00", "stripe");
    let call =
        || crate::world::Call::post(&trader.deposits(), &body).token(world.broker.token("portal")).key("retry-2");
    let failing = json!([{"operation": "create_intent", "fault": {"kind": "refuse", "status": 500}}]);
    world.faults("stripe", &failing).await;
    expect(world.send(call()).await, 503);
    let answer = expect(world.send(call()).await, 201);
    assert_eq!(answer.json, expect(world.send(call()).await, 201).json);
    let intents = world.recorded("stripe", "part=intents").await;
    assert_eq!(intents["intents"].as_array().map(Vec::len), Some(1), "{intents}");
}

#[tokio::test]
async fn a_payment_that_the_provider_refuses_is_422_and_no_payment() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let refuse =
        json!({"kind": "refuse", "status": 400, "code": "amount_too_small", "message": "Secret words of the provider"});
    world.faults("stripe", &json!([{"operation": "create_intent", "fault": refuse}])).await;
    let answer = expect(world.portal(&trader.deposits(), &deposit_request(&trader, "100.00", "stripe")).await, 422);
    assert!(!answer.text.contains("Secret words"), "{}", answer.text);
    assert!(items(&world.get("portal", &format!("/v1/clients/{}/payments", trader.client)).await).is_empty());
}

#[tokio::test]
async fn a_client_has_so_many_open_deposits_and_no_more() {
    let world = World::start().await;
    world.publish(SetName::Psps, 2, |rules| rules["open_deposits_max"] = json!(2)).await;
    let (trader, other) = (world.trader("USD").await, world.trader("USD").await);
    let first = world.deposit(&trader, "100.00", "stripe").await;
    world.deposit(&trader, "100.00", "stripe").await;
    let calls = world.vendor_calls();
    let refused = expect(world.portal(&trader.deposits(), &deposit_request(&trader, "100.00", "stripe")).await, 422);
    assert_eq!(faults(&refused), ["/account_id too_many_open_deposits"]);
    assert_eq!(world.vendor_calls(), calls, "no provider is asked");
    world.deposit(&other, "100.00", "stripe").await;
    // one that is done makes room
    expect(world.stripe(&world.intent(&first, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    assert_eq!(world.status(&first.id).await, "credited");
    world.deposit(&trader, "100.00", "stripe").await;
    // wherever in the history the open ones stand: two old ones, and newer ones that are done
    world.publish(SetName::Psps, 3, |rules| rules["open_deposits_max"] = json!(3)).await;
    world.pass(61).await;
    for _ in 0..4 {
        let done = world.deposit(&trader, "100.00", "stripe").await;
        expect(world.stripe(&world.intent(&done, "payment_intent.succeeded", 10_000, "usd")).await, 200);
        assert_eq!(world.status(&done.id).await, "credited");
    }
    world.deposit(&trader, "100.00", "stripe").await;
    let refused = expect(world.portal(&trader.deposits(), &deposit_request(&trader, "100.00", "stripe")).await, 422);
    assert_eq!(faults(&refused), ["/account_id too_many_open_deposits"]);
    assert!(refused.text.contains("has 3 open deposits, and may have 3"), "{}", refused.text);
}

#[tokio::test]
async fn a_deposit_costs_the_same_whatever_history_its_client_has() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let mut read = vec![];
    for _ in 0..12 {
        world.broker.host.reset_usage();
        world.credited(&trader, "100.00", 10_000).await;
        let usage = world.broker.host.usage();
        let ours = usage.iter().filter(|(key, _)| {
            key.function.as_deref() == Some("payments-initiate") && key.service == host::Service::DynamoDb
        });
        read.push(ours.map(|(_, used)| used.read_units).sum::<f64>());
    }
    // the first looks the rules up
    assert_eq!(read.get(1), read.last(), "{read:?}");
}

#[tokio::test]
async fn a_deposit_needs_no_page_to_go_back_to_at_any_provider() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for psp in ["stripe", "praxis", "skrill", "coinspaid", "adyen", "checkout", "nuvei", "paysafe"] {
        let mut wish = deposit_request(&trader, "20.00", psp);
        wish.as_object_mut().unwrap().remove("return_url");
        expect(world.portal(&trader.deposits(), &wish).await, 201);
    }
}
