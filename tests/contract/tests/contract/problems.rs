//! Error answers that are the same on every route: what is no route, no JSON, too large or of another type.

use serde_json::{Value, json};

use crate::world::{Call, World, deposit_request, expect, faults, header, registration};

#[tokio::test]
async fn what_is_no_route_is_404_with_a_problem_document() {
    let world = World::start().await;
    let calls = [
        Call::get("/"),
        Call::get("/v1"),
        Call::get("/v1/nothing"),
        Call::get("/v1/clients"),
        Call::post("/v1/work", &json!({})),
        Call::post("/v1/payments/pay_1", &json!({})),
        Call::get("/v1/webhooks/psp/stripe"),
        Call::get("/v1/clients/a/b/c/d"),
    ];
    for call in calls {
        let path = call.path.clone();
        let answer = expect(world.send(call.header("x-correlation-id", "corr-404")).await, 404);
        assert_eq!(answer.json["title"], "Not found", "{path}");
        assert_eq!(header(&answer, "x-correlation-id"), Some("corr-404"));
    }
}

#[tokio::test]
async fn unknown_ids_are_404_whatever_they_look_like() {
    let world = World::start().await;
    let nobody = "0123456789abcdefghjkmnpqrs";
    for id in [nobody, "1", "..", "%00", "%F0%9F%92%B8", "pay_", "'%20OR%201=1", &"x".repeat(3_000)] {
        for path in [
            format!("/v1/clients/cli_{id}"),
            format!("/v1/clients/cli_{id}/accounts"),
            format!("/v1/clients/cli_{id}/payments"),
            format!("/v1/clients/cli_{id}/notifications"),
            format!("/v1/accounts/acc_{id}"),
            format!("/v1/payments/pay_{id}"),
        ] {
            let answer = world.get("portal", &path).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text);
        }
        let action = json!({"action": "claim"});
        expect(world.post("finance", &format!("/v1/work/wrk_{id}/actions"), &action).await, 404);
        expect(world.portal(&format!("/v1/accounts/acc_{id}/credentials"), &json!({})).await, 404);
        expect(world.portal(&format!("/v1/clients/cli_{id}/notifications/ntf_{nobody}/read"), &json!({})).await, 404);
        expect(
            world.portal(&format!("/v1/clients/cli_{id}/accounts"), &crate::world::account_request("USD")).await,
            404,
        );
    }
    // an id of one kind is none of another
    let client = world.client("en").await;
    expect(world.get("portal", &format!("/v1/payments/{client}")).await, 404);
    expect(world.get("portal", &format!("/v1/accounts/{client}")).await, 404);
}

/// Every route that takes a body, with a good one.
async fn writing_routes(world: &World) -> Vec<(String, Value, &'static str)> {
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    let work = world.work_of(&payment.id).await[0]["work_id"].as_str().unwrap().to_owned();
    vec![
        ("/v1/clients".to_owned(), registration(), "portal"),
        (format!("/v1/clients/{}/accounts", trader.client), crate::world::account_request("USD"), "portal"),
        (trader.deposits(), deposit_request(&trader, "20.00", "stripe"), "portal"),
        (format!("/v1/work/{work}/actions"), json!({"action": "claim"}), "finance"),
    ]
}

#[tokio::test]
async fn what_is_no_json_object_is_400_and_writes_nothing() {
    let world = World::start().await;
    let routes = writing_routes(&world).await;
    let before = world.stored().await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"not json".to_vec(),
        b"{\"a\": 1} trailing".to_vec(),
        b"{'single': 'quotes'}".to_vec(),
        b"{\"amount\": NaN}".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"{\"email\": \"\xff\"}".to_vec(),
        deep.into_bytes(),
    ];
    for (path, _, who) in &routes {
        for body in &bodies {
            let call = Call::raw(path, body.clone()).header("content-type", "application/json").key("k");
            let answer = world.send(call.token(world.broker.token(who))).await;
            assert_eq!(answer.status, 400, "{path} {:?}: {}", String::from_utf8_lossy(body), answer.text);
            assert_eq!(faults(&answer), [" malformed_json"]);
        }
        for body in [json!([]), json!("text"), json!(1), json!(null), json!(true)] {
            let answer = expect(world.post(who, path, &body).await, 400);
            assert!(faults(&answer).contains(&" wrong_type".to_owned()), "{path} {body}: {}", answer.text);
        }
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn another_media_type_is_415_and_json_with_parameters_is_fine() {
    let world = World::start().await;
    let routes = writing_routes(&world).await;
    let before = world.stored().await;
    let types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "text/json",
        "json",
    ];
    for (path, body, who) in &routes {
        for media in types {
            let call = Call::raw(path, body.to_string()).header("content-type", media).key("k");
            expect(world.send(call.token(world.broker.token(who))).await, 415);
        }
    }
    assert_eq!(before, world.stored().await);
    for (path, body, who) in &routes {
        for media in ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"] {
            let call =
                Call::raw(path, body.to_string()).header("content-type", media).key(&format!("k{}", world.fresh()));
            let answer = world.send(call.token(world.broker.token(who))).await;
            assert!((200..300).contains(&answer.status), "{path} {media}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_body_of_a_megabyte_is_413_and_writes_nothing() {
    let world = World::start().await;
    let routes = writing_routes(&world).await;
    let before = world.stored().await;
    for (path, body, who) in &routes {
        let mut large = body.clone();
        large["note"] = json!("x".repeat(1024 * 1024));
        expect(world.post(who, path, &large).await, 413);
    }
    for psp in ["stripe", "praxis"] {
        let call = Call::raw(&format!("/v1/webhooks/psp/{psp}"), vec![b' '; 1024 * 1024])
            .header("content-type", "application/json");
        expect(world.send(call).await, 413);
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn a_correlation_id_is_echoed_if_it_can_be_stored_and_made_up_otherwise() {
    let world = World::start().await;
    let client = world.client("en").await;
    let path = format!("/v1/clients/{client}");
    let with = |id: &str| Call::get(&path).token(world.broker.token("portal")).header("x-correlation-id", id);
    for id in ["corr-1", "0f9c2f61-8a54-4f0f-b4a8-2f8f0f6a7f10", &"c".repeat(64)] {
        assert_eq!(header(&world.send(with(id)).await, "x-correlation-id"), Some(id));
    }
    for id in ["", " ", "with space", "quote\"d", &"c".repeat(65)] {
        let answer = world.send(with(id)).await;
        let made = header(&answer, "x-correlation-id").unwrap();
        assert!(!made.is_empty() && made != id.trim(), "{id:?} -> {made}");
    }
    let first = world.get("portal", &path).await;
    let second = world.get("portal", &path).await;
    assert_ne!(header(&first, "x-correlation-id"), header(&second, "x-correlation-id"));
    let refused = expect(world.send(Call::get(&path).header("x-correlation-id", "corr-401")).await, 401);
    assert_eq!(refused.json["correlation_id"], "corr-401");
}

#[tokio::test]
async fn a_problem_document_has_its_members_and_its_own_type() {
    let world = World::start().await;
    let client = world.client("en").await;
    let problems = [
        (world.get("portal", "/v1/clients/cli_1").await, 404, "not-found"),
        (world.send(Call::get("/v1/work")).await, 401, "unauthorized"),
        (world.get("portal", "/v1/work").await, 403, "forbidden"),
        (world.get("support", "/v1/work?limit=0").await, 400, "malformed-request"),
        (world.portal(&format!("/v1/clients/{client}/accounts"), &json!({})).await, 400, "malformed-request"),
        (
            world
                .portal("/v1/clients", &{
                    let mut body = registration();
                    body["residence"] = json!("XX");
                    body
                })
                .await,
            422,
            "refused-input",
        ),
    ];
    for (answer, status, kind) in problems {
        let answer = expect(answer, status);
        assert_eq!(answer.json["type"], format!("urn:pipworks:problem:{kind}"));
        for member in ["title", "detail", "correlation_id"] {
            assert!(answer.json[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {}", answer.text);
        }
        for error in answer.json["errors"].as_array().into_iter().flatten() {
            assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn an_amount_that_stands_twice_is_refused_wherever_it_stands_and_changes_nothing() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let request = deposit_request(&trader, "10.00", "stripe").to_string();
    let twice = request.replacen("\"amount\":\"10.00\"", "\"amount\":\"10.00\",\"amount\":\"1000.00\"", 1);
    assert_ne!(twice, request);
    let before = world.stored().await;
    let token = world.broker.token("portal").to_owned();
    let answer = world.send(Call::raw(&trader.deposits(), twice).token(&token).key("twice")).await;
    assert_eq!(faults(&expect(answer, 400)), ["/amount/amount duplicate_key"]);
    let whole = request.replacen('{', "{\"account_id\":\"acc_other\",", 1);
    let answer = world.send(Call::raw(&trader.deposits(), whole).token(&token).key("twice")).await;
    assert_eq!(faults(&expect(answer, 400)), ["/account_id duplicate_key"]);
    assert_eq!(before, world.stored().await);
    expect(world.send(Call::raw(&trader.deposits(), request).token(&token).key("twice")).await, 201);
}

#[tokio::test]
async fn no_answer_may_be_kept_framed_or_guessed_at_whoever_gives_it() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let token = world.broker.token("portal").to_owned();
    let client = format!("/v1/clients/{}", trader.client);
    let calls = [
        (Call::get("/health"), 200),
        (Call::get("/v1/nothing"), 404),
        (Call::get(&client), 401),
        (Call::get(&client).token(&token), 200),
        (Call::get("/v1/work").token(&token), 403),
        (Call::post(&trader.deposits(), &json!({})).token(&token).key("k"), 400),
        (Call::post("/v1/webhooks/psp/stripe", &json!({})), 401),
    ];
    for (call, status) in calls {
        let path = call.path.clone();
        for over_tls in [false, true] {
            let call = if over_tls { call.clone().header("x-forwarded-proto", "https") } else { call.clone() };
            let answer = expect(world.send(call).await, status);
            for (name, value) in [
                ("cache-control", "no-store"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("x-content-type-options", "nosniff"),
            ] {
                assert_eq!(header(&answer, name), Some(value), "{path}: {name}");
            }
            let by_function = path != "/v1/nothing";
            let strict = header(&answer, "strict-transport-security").is_some();
            assert_eq!(strict, over_tls && by_function, "{path}");
        }
    }
}
