//! `Idempotency-Key`: one thing made, the first answer again, another body refused.

use std::sync::Arc;

use broker::local::Options;
use futures::future::join_all;
use host::{CallInfo, Probe, Service, Verdict};
use serde_json::{Value, json};

use crate::world::{Call, World, account_request, deposit_request, expect, header, items, registration};

/// The three routes that want a key, with a good body.
async fn routes(world: &World) -> Vec<(String, Value, u16)> {
    let trader = world.trader("USD").await;
    vec![
        ("/v1/clients".to_owned(), registration(), 201),
        (format!("/v1/clients/{}/accounts", trader.client), account_request("USD"), 202),
        (trader.deposits(), deposit_request(&trader, "100.00", "stripe"), 201),
    ]
}

fn call(world: &World, path: &str, body: &Value, key: &str) -> Call {
    Call::post(path, body).token(world.broker.token("portal")).key(key)
}

#[tokio::test]
async fn without_a_usable_key_nothing_is_made() {
    let world = World::start().await;
    let routes = routes(&world).await;
    let before = world.stored().await;
    for (path, body, _) in &routes {
        expect(world.send(Call::post(path, body).token(world.broker.token("portal"))).await, 400);
        for key in ["", "   ", &"k".repeat(256), &"é".repeat(256)] {
            expect(world.send(call(&world, path, body, key)).await, 400);
        }
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn the_same_request_again_gets_the_first_answer() {
    let world = World::start().await;
    for (path, body, status) in routes(&world).await {
        for key in ["k", &"k".repeat(255), "Key with blanks ~!@#", "0f9c2f61-8a54-4f0f-b4a8-2f8f0f6a7f10"] {
            let first = expect(world.send(call(&world, &path, &body, key)).await, status);
            assert_eq!(header(&first, "idempotency-replayed"), None);
            let before = world.stored().await;
            // white space and the order of members make no other request
            let spaced = serde_json::to_string_pretty(&body).unwrap();
            let again = Call::raw(&path, spaced).header("content-type", "application/json");
            let calls = [call(&world, &path, &body, key), again.token(world.broker.token("portal")).key(key)];
            for again in calls {
                let again = expect(world.send(again).await, status);
                assert_eq!(header(&again, "idempotency-replayed"), Some("true"));
                assert_eq!(again.json, first.json);
            }
            assert_eq!(before, world.stored().await);
        }
    }
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let world = World::start().await;
    let routes = routes(&world).await;
    let others = [
        ("full_name", json!("Another Name")),
        ("leverage", json!(20)),
        ("return_url", json!("https://other.example.com")),
    ];
    for ((path, body, status), (name, value)) in routes.into_iter().zip(others) {
        expect(world.send(call(&world, &path, &body, "k")).await, status);
        let before = world.stored().await;
        let mut other = body.clone();
        other[name] = value;
        let refused = expect(world.send(call(&world, &path, &other, "k")).await, 422);
        assert_eq!(header(&refused, "idempotency-replayed"), None);
        assert_eq!(before, world.stored().await);
        // and the first request still has its answer
        let first = expect(world.send(call(&world, &path, &body, "k")).await, status);
        assert_eq!(header(&first, "idempotency-replayed"), Some("true"));
    }
}

#[tokio::test]
async fn a_key_belongs_to_its_caller_and_its_route() {
    let world = World::start().await;
    let routes = routes(&world).await;
    let mut seen = Vec::new();
    for (path, body, status) in &routes {
        for subject in ["portal", "another-portal"] {
            let token = world.mint(subject, &["portal"], None);
            let answer = expect(world.send(Call::post(path, body).token(&token).key("shared")).await, *status);
            assert_eq!(header(&answer, "idempotency-replayed"), None, "{path} {subject}");
            seen.push(answer.text);
        }
    }
    // of another client the same account request is another one
    let other = world.client("en").await;
    let path = format!("/v1/clients/{other}/accounts");
    let answer = expect(world.send(call(&world, &path, &account_request("USD"), "shared")).await, 202);
    assert_eq!(header(&answer, "idempotency-replayed"), None);
    seen.push(answer.text);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let world = World::start().await;
    for (path, body, status) in routes(&world).await {
        let mut bad = body.clone();
        bad["unknown"] = json!(1);
        expect(world.send(call(&world, &path, &bad, "k")).await, 400);
        let answer = expect(world.send(call(&world, &path, &body, "k")).await, status);
        assert_eq!(header(&answer, "idempotency-replayed"), None);
    }
}

#[tokio::test]
async fn of_twenty_identical_requests_at_once_one_makes_and_the_others_say_so() {
    let world = World::start().await;
    for (path, body, status) in routes(&world).await {
        let answers = join_all((0..20).map(|_| world.send(call(&world, &path, &body, "at-once")))).await;
        let made: Vec<_> =
            answers.iter().filter(|a| a.status == status && header(a, "idempotency-replayed").is_none()).collect();
        assert_eq!(made.len(), 1, "{path}: {:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        for answer in &answers {
            match answer.status {
                409 => assert!(header(answer, "retry-after").unwrap().parse::<u32>().unwrap() > 0),
                other => {
                    assert_eq!(other, status, "{}", answer.text);
                    assert_eq!(answer.json, made[0].json);
                }
            }
        }
        let late = expect(world.send(call(&world, &path, &body, "at-once")).await, status);
        assert_eq!(late.json, made[0].json);
    }
    let client = registration();
    let client = expect(world.portal("/v1/clients", &client).await, 201).text_at("/client_id");
    assert!(items(&world.get("portal", &format!("/v1/clients/{client}/payments")).await).is_empty());
}

#[tokio::test]
async fn a_replay_gets_the_first_answer_whatever_has_happened_since() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let body = deposit_request(&trader, "100.00", "stripe");
    let first = expect(world.send(call(&world, &trader.deposits(), &body, "k")).await, 201);
    let payment = crate::world::Payment {
        id: first.text_at("/payment_id"),
        reference: world.payment(&first.text_at("/payment_id")).await.text_at("/psp/reference"),
    };
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    // finance takes the provider off the list, and lowers the limit
    let mut rules = world.broker.rule_document(domain::rule_sets::SetName::Psps).unwrap();
    rules["psps"][0]["enabled"] = json!(false);
    rules["deposit_limits"][0]["then"]["max"] = json!("50");
    world.publish_psps(&rules).await;
    // functions look for a new version every minute
    world.pass(61).await;
    let again = expect(world.send(call(&world, &trader.deposits(), &body, "k")).await, 201);
    assert_eq!(again.json, first.json);
    assert_eq!(header(&again, "idempotency-replayed"), Some("true"));
    expect(world.send(call(&world, &trader.deposits(), &body, "new")).await, 422);
}

/// Kills the first invocation of a function right after its claim is stored.
struct DiesAfterClaim(&'static str);

impl Probe for DiesAfterClaim {
    fn before(&self, _: &CallInfo<'_>) -> Verdict {
        Verdict::Go
    }

    fn after(&self, call: &CallInfo<'_>) -> Verdict {
        let dies = call.function == self.0
            && call.invocation == 0
            && call.service == Service::DynamoDb
            && call.operation == "PutItem";
        if dies { Verdict::Die } else { Verdict::Go }
    }
}

#[tokio::test]
async fn a_request_whose_worker_died_is_409_until_another_may_take_over() {
    for function in ["kyc-register", "accounts-request", "payments-initiate"] {
        let options = Options { probe: Some(Arc::new(DiesAfterClaim(function))), ..Options::default() };
        let world = World::with(options).await;
        // the first invocation of the function under test must be the one that dies
        let (path, body, status) = match function {
            "kyc-register" => ("/v1/clients".to_owned(), registration(), 201),
            "accounts-request" => {
                (format!("/v1/clients/{}/accounts", world.client("en").await), account_request("USD"), 202)
            }
            _ => {
                let trader = world.trader("USD").await;
                (trader.deposits(), deposit_request(&trader, "100.00", "stripe"), 201)
            }
        };
        expect(world.send(call(&world, &path, &body, "k")).await, 503);
        let early = expect(world.send(call(&world, &path, &body, "k")).await, 409);
        assert!(header(&early, "retry-after").is_some());
        world.pass(31).await;
        let answer = expect(world.send(call(&world, &path, &body, "k")).await, status);
        let again = expect(world.send(call(&world, &path, &body, "k")).await, status);
        assert_eq!(answer.json, again.json, "{function}");
    }
}
