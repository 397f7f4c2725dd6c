//! Routes, proxy events and what the gateway answers by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::support::{FIXTURE, call, code, config, failed, start};
use bytes::Bytes;
use domain::Timestamp;
use host::LocalTime;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Answers the event that it got.
fn mirror() -> host::Builder {
    code(|_, event: Value| async move { Ok(json!({"statusCode": 200, "body": event.to_string()})) })
}

async fn event(host: &host::Host, method: &str, path: &str, body: &[u8]) -> Value {
    let (status, _, body) = call(host, method, path, body).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn the_most_specific_route_wins_and_parameters_are_decoded() {
    let host = start([("steps-take", mirror())]).await;
    for (method, path, resource, parameters) in [
        ("GET", "/v1/items/mine", "/v1/items/mine", Value::Null),
        ("GET", "/v1/items/a%20b+c", "/v1/items/{item_id}", json!({"item_id": "a b+c"})),
        ("POST", "/v1/items/mine", "/v1/items/{item_id}", json!({"item_id": "mine"})),
        ("PUT", "/v1/files/a/b%2Fc", "/v1/files/{path+}", json!({"path": "a/b/c"})),
        ("GET", "/v1/items/x/", "/v1/items/{item_id}", json!({"item_id": "x"})),
    ] {
        let event = event(&host, method, path, b"").await;
        assert_eq!((&event["resource"], &event["pathParameters"]), (&json!(resource), &parameters), "{path}");
        assert_eq!(event["httpMethod"], method);
        assert_eq!(event["path"], path);
    }
}

#[tokio::test]
async fn an_event_is_the_gateways_proxy_event() {
    let host = start([("steps-take", mirror())]).await;
    let request = Request::post("/v1/items/i-1?a=1&b=x%20y&a=2")
        .header("X-Thing", "one")
        .header("x-thing", "two")
        .header("user-agent", "tester")
        .body(Bytes::from_static(b"{ \"a\":  1 }"))
        .unwrap();
    let response = host.request(request).await;
    let event: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(event["queryStringParameters"], json!({"a": "2", "b": "x y"}));
    assert_eq!(event["multiValueQueryStringParameters"], json!({"a": ["1", "2"], "b": ["x y"]}));
    assert_eq!(event["headers"], json!({"x-thing": "two", "user-agent": "tester"}));
    assert_eq!(event["multiValueHeaders"]["x-thing"], json!(["one", "two"]));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{ \"a\":  1 }"), &json!(false)));
    assert_eq!(event["stageVariables"], Value::Null);
    let context = &event["requestContext"];
    assert_eq!(context["identity"], json!({"sourceIp": "127.0.0.1", "userAgent": "tester"}));
    assert_eq!(context["resourcePath"], "/v1/items/{item_id}");
    assert_eq!(context["requestId"].as_str().map(str::len), Some(36));
}

#[tokio::test]
async fn a_body_that_is_not_text_is_encoded_and_an_empty_one_is_null() {
    let host = start([("steps-take", mirror())]).await;
    let binary = event(&host, "POST", "/v1/items/i-1", &[0xff, 0x00]).await;
    assert_eq!((&binary["body"], &binary["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    let empty = event(&host, "POST", "/v1/items/i-1", b"").await;
    assert_eq!((&empty["body"], &empty["isBase64Encoded"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn an_answer_may_have_several_headers_of_a_name_and_binary_content() {
    let answer = json!({
        "statusCode": 202, "isBase64Encoded": true, "body": "/wA=",
        "headers": {"x-count": 3, "x-many": "zero"}, "multiValueHeaders": {"x-many": ["one", "two"]},
    });
    let host = start([(
        "steps-take",
        code(move |_, _| {
            let answer = answer.clone();
            async move { Ok(answer) }
        }),
    )])
    .await;
    let response = host.request(Request::get("/v1/items/i-1").body(Bytes::new()).unwrap()).await;
    assert_eq!(response.status(), 202);
    assert_eq!(response.body().as_ref(), [0xff, 0x00]);
    let many: Vec<_> = response.headers().get_all("x-many").iter().collect();
    assert_eq!(many, ["one", "two"]);
    assert_eq!(response.headers()["x-count"], "3");
}

/// What everything that the gateway answers by itself has: the document, the id of the caller, and the headers of a function's answer.
fn assert_problem(answer: &(u16, BTreeMap<String, String>, String), status: u16, kind: &str, title: &str) {
    let (found, headers, body) = answer;
    assert_eq!(*found, status, "{body}");
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["x-correlation-id"], "c-1");
    for (name, value) in runtime::http::SECURITY_HEADERS {
        assert_eq!(headers[&name.to_lowercase()], value);
    }
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["status"], &problem["title"]), (&json!(status), &json!(title)));
    assert_eq!(problem["type"], format!("urn:pipworks:problem:{kind}"));
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    assert_eq!(problem["correlation_id"], "c-1");
}

#[tokio::test]
async fn what_the_gateway_refuses_is_a_problem_document() {
    let host = start([]).await;
    let long = vec![b'a'; 10 * 1024 * 1024 + 1];
    for (method, path, body, status, kind, title) in [
        ("GET", "/v1/nothing", b"".as_slice(), 404, "not-found", "Not found"),
        ("DELETE", "/v1/items/i-1", b"".as_slice(), 404, "not-found", "Not found"),
        ("GET", "/v1/items", b"".as_slice(), 404, "not-found", "Not found"),
        ("POST", "/v1/items/i-1", long.as_slice(), 413, "too-large", "The body is too large"),
    ] {
        assert_problem(&call(&host, method, path, body).await, status, kind, title);
    }
}

#[tokio::test]
async fn a_correlation_id_that_cannot_be_stored_is_not_echoed_by_the_gateway_either() {
    let host = start([]).await;
    for id in ["", "with space", "quote\"d", &"c".repeat(65)] {
        let request = Request::get("/v1/nothing").header("x-correlation-id", id).body(Bytes::new()).unwrap();
        let response = host.request(request).await;
        let made = response.headers()["x-correlation-id"].to_str().unwrap();
        assert!(made.len() == 36 && made != id, "{made}");
        let problem: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(problem["correlation_id"], made);
    }
}

#[tokio::test]
async fn a_flood_at_one_vendor_is_429_for_that_vendor_alone_until_time_has_passed() {
    let time = LocalTime::standing(Timestamp::EPOCH);
    let mut config = config();
    config.registry.insert("steps-take".to_owned(), mirror());
    config.time = time.clone();
    let host = host::Host::start(config).await.unwrap();
    let post = async |vendor: &str| call(&host, "POST", &format!("/v1/webhooks/{vendor}"), b"junk").await;
    for nth in 1..=20 {
        let answer = post("one").await;
        if nth <= 3 {
            assert_eq!(answer.0, 200, "{nth}: {}", answer.2);
        } else {
            assert_problem(&answer, 429, "too-many-requests", "Too many requests");
            assert_eq!(answer.1["retry-after"], "1");
        }
    }
    assert_eq!(host.invocations()["steps-take"].answered, 3, "what is refused costs no invocation");
    // names that have no path of their own share a limit, and take nothing of one that has
    for (vendor, status) in [("two", 200), ("nobody", 200), ("nothing", 200), ("two", 429), ("anybody", 429)] {
        assert_eq!(post(vendor).await.0, status, "{vendor}");
    }
    // neither does the limit of everything (`/*`), which is about what one account bears
    for _ in 0..5 {
        assert_eq!(call(&host, "GET", "/v1/items/mine", b"").await.0, 200);
    }
    time.advance(Duration::from_secs(1)).await;
    for status in [200, 200, 429] {
        assert_eq!(post("one").await.0, status, "two a second");
    }
}

#[tokio::test]
async fn a_function_that_fails_or_talks_nonsense_is_unavailable() {
    let nonsense = code(|_, event: Value| async move {
        match event["body"].as_str() {
            Some("fail") => Err(failed("Always")),
            _ => Ok(json!({"hello": "world"})),
        }
    });
    let host = start([("steps-take", nonsense)]).await;
    for body in ["fail", "talk"] {
        let (status, headers, text) = call(&host, "POST", "/v1/items/i-1", body.as_bytes()).await;
        assert_eq!((status, headers["retry-after"].as_str()), (503, "5"));
        assert!(!text.contains("Always") && !text.contains("steps-take"), "{text}");
    }
}

#[tokio::test]
async fn the_listener_serves_routes_keys_and_pages() {
    let mut config = config();
    config.registry.insert("steps-take".to_owned(), mirror());
    config.routes = Some(axum::Router::new().route("/page", axum::routing::get(|| async { "a page" })));
    let host = host::Host::start(config).await.unwrap();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let get = async |path: &str, body: Vec<u8>| {
        let request = Request::get(format!("{}{path}", host.url())).body(Full::from(body)).unwrap();
        let response = client.request(request).await.unwrap();
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes())
    };
    assert_eq!(get("/page", vec![]).await, (200, Bytes::from_static(b"a page")));
    let (status, event) = get("/v1/items/i-1", vec![]).await;
    let event: Value = serde_json::from_slice(&event).unwrap();
    assert_eq!((status, &event["requestContext"]["identity"]["sourceIp"]), (200, &json!("127.0.0.1")));
    assert_eq!(get("/v1/nothing", vec![]).await.0, 404);
    let (status, keys) = get("/.well-known/jwks.json", vec![]).await;
    assert_eq!((status, keys.as_ref()), (200, host.issuer().jwks().to_string().as_bytes()));
    assert_eq!(get("/v1/items/i-1", vec![b'a'; 10 * 1024 * 1024 + 1]).await.0, 413);
    host.stop().await;
}

#[tokio::test]
async fn a_function_reads_the_keys_of_its_own_issuer_without_a_socket() {
    let host = start([(
        "steps-take",
        code(|ports, _| async move {
            let url = ports.need("JWKS_URL").unwrap().to_owned();
            let request = Request::get(url).body(Bytes::new()).unwrap();
            let answer = ports.transport.send(request, std::time::Duration::from_secs(1)).await.unwrap();
            Ok(json!({"statusCode": 200, "body": String::from_utf8(answer.body().to_vec()).unwrap()}))
        }),
    )])
    .await;
    let (_, _, keys) = call(&host, "GET", "/v1/items/i-1", b"").await;
    assert_eq!(keys, host.issuer().jwks().to_string());
}

#[tokio::test]
async fn a_template_without_its_code_does_not_start() {
    let mut config = config();
    config.registry.remove("steps-work");
    let error = host::Host::start(config).await.err().unwrap();
    assert_eq!(error.to_string(), "WorkFunction: there is no code for handler steps-work");
    let unbuildable: host::Builder = Arc::new(|ports| Err(ports.need("NOTHING").err().unwrap()));
    let mut config = crate::support::config();
    config.registry.insert("steps-work".to_owned(), unbuildable);
    assert_eq!(host::Host::start(config).await.err().unwrap().to_string(), "steps-work cannot be built");
}

/// The fixture whose HTTP function has so many executions set aside.
fn reserving(most: u32) -> host::HostConfig {
    let mut config = config();
    let (handler, reserved) = ("      Handler: steps-take\n", format!("      ReservedConcurrentExecutions: {most}\n"));
    assert!(FIXTURE.contains(handler));
    config.template = host::TemplateSource::Text(FIXTURE.replace(handler, &format!("{handler}{reserved}")));
    config
}

#[tokio::test]
async fn no_more_of_a_function_run_at_once_than_its_stack_sets_aside_and_the_rest_is_told_to_come_again() {
    let (running, most, open) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
    let mut config = reserving(2);
    let (inside, peak, gate) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&open));
    let held = code(move |_, _| {
        let (inside, peak, gate) = (Arc::clone(&inside), Arc::clone(&peak), Arc::clone(&gate));
        async move {
            let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
            peak.fetch_max(now, Ordering::SeqCst);
            drop(gate.acquire().await);
            inside.fetch_sub(1, Ordering::SeqCst);
            Ok(json!({"statusCode": 200}))
        }
    });
    config.registry.insert("steps-take".to_owned(), held);
    let host = host::Host::start(config).await.unwrap();
    assert_eq!(host.template().function("steps-take").unwrap().reserved_concurrency, Some(2));
    let get = || call(&host, "GET", "/v1/items/mine", b"");
    let admitted = futures::future::join(get(), get());
    let refused = async {
        while running.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        let refused = futures::future::join_all((0..5).map(|_| get())).await;
        open.add_permits(1);
        refused
    };
    let ((first, second), refused) = futures::future::join(admitted, refused).await;
    assert_eq!((first.0, second.0), (200, 200));
    for answer in &refused {
        assert_problem(answer, 503, "unavailable", "Temporarily unavailable");
        assert_eq!(answer.1["retry-after"], "5");
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert_eq!(get().await.0, 200, "what ended makes room");
}

#[tokio::test]
async fn callers_beyond_what_is_set_aside_wait_their_turn_as_long_as_it_is_short() {
    let mut config = reserving(2);
    let short = code(|_, _| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(json!({"statusCode": 200}))
    });
    config.registry.insert("steps-take".to_owned(), short);
    let host = host::Host::start(config).await.unwrap();
    let all = futures::future::join_all((0..30).map(|_| call(&host, "GET", "/v1/items/mine", b""))).await;
    assert!(all.iter().all(|answer| answer.0 == 200));
}
