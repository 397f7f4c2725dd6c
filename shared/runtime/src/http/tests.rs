//! A function with a table of its own, called as the gateway calls it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::*;
use crate::auth::tests::{Desk, Signer, keys};
use crate::auth::{PORTAL, STAFF};

/// Says who was let in.
struct Echo;

fn said(who: &str) -> BoxFuture<'static, Result<Reply, Problem>> {
    let body = json!({"who": who});
    Box::pin(async move { Ok(Reply::json(200, &body)) })
}

impl HttpStep for Echo {
    const NAME: &'static str = "echo";

    const ROUTES: &'static [Route<Self>] = &[
        Route::open("GET", "/health", |_, _| said("anybody")),
        Route::signed("POST", "/v1/webhooks/x", 10, |_, _| said("a vendor")),
        Route::token("GET", "/v1/things", STAFF, Scope::Everybody, |_, _, caller| said(&caller.subject)),
        Route::token("PUT", "/v1/things", PORTAL, Scope::Everybody, |_, _, caller| said(&caller.subject)),
        Route::token("GET", "/v1/clients/{client_id}", STAFF, Scope::OneClient, |_, _, caller| said(&caller.subject)),
    ];
}

struct Gateway {
    function: Arc<dyn Function>,
    token: String,
}

impl Gateway {
    fn new() -> Self {
        let signer = Signer::es256("a");
        let desk = Desk::new([keys([&signer.jwk])]);
        Self { function: HttpFunction::build(Echo, &desk.ports).unwrap(), token: signer.token() }
    }

    async fn call(&self, method: &str, resource: &str, body: &str, token: bool) -> Value {
        let event = json!({
            "httpMethod": method, "resource": resource, "body": body,
            "pathParameters": {"client_id": "cli_1"},
            "headers": if token { json!({"authorization": format!("Bearer {}", self.token)}) } else { json!({}) },
        });
        let invocation = Invocation { request_id: "1".to_owned(), time_left: Duration::from_secs(1) };
        let answer = self.function.call(&to_raw_value(&event).unwrap(), invocation).await.unwrap();
        serde_json::from_str(answer.get()).unwrap()
    }
}

#[tokio::test]
async fn what_is_not_in_the_table_is_no_route_whoever_asks() {
    let gateway = Gateway::new();
    for token in [false, true] {
        for resource in ["/", "/v1/thing", "/v1/things/{id}", "/V1/things", "/health/"] {
            let answer = gateway.call("GET", resource, "", token).await;
            assert_eq!(answer["statusCode"], 404, "{resource}");
            assert_eq!(answer["headers"]["www-authenticate"], Value::Null);
        }
        for method in ["POST", "DELETE", "HEAD", "get", "ANY"] {
            let answer = gateway.call(method, "/v1/things", "", token).await;
            assert_eq!(answer["statusCode"], 405, "{method}");
            assert_eq!(answer["headers"]["allow"], "GET, PUT");
            assert_eq!(answer["headers"]["content-type"], "application/problem+json");
        }
    }
}

#[tokio::test]
async fn the_handler_sees_whom_the_table_lets_in() {
    let gateway = Gateway::new();
    let who = |answer: Value| answer["body"].as_str().unwrap().to_owned();
    assert_eq!(who(gateway.call("GET", "/health", "", false).await), r#"{"who":"anybody"}"#);
    assert_eq!(who(gateway.call("POST", "/v1/webhooks/x", "", true).await), r#"{"who":"a vendor"}"#);
    assert_eq!(who(gateway.call("GET", "/v1/things", "", true).await), r#"{"who":"desk-1"}"#);
    let refused = gateway.call("GET", "/v1/things", "", false).await;
    assert_eq!((&refused["statusCode"], &refused["headers"]["www-authenticate"]), (&json!(401), &json!("Bearer")));
    assert_eq!(gateway.call("PUT", "/v1/things", "", true).await["statusCode"], 403);
    // a client that cannot exist, by somebody who may ask
    assert_eq!(gateway.call("GET", "/v1/clients/{client_id}", "", true).await["statusCode"], 404);
}

#[tokio::test]
async fn each_route_has_its_own_limit_and_it_comes_before_the_token() {
    let gateway = Gateway::new();
    let sized = |bytes: usize| "x".repeat(bytes);
    assert_eq!(gateway.call("POST", "/v1/webhooks/x", &sized(10), false).await["statusCode"], 200);
    assert_eq!(gateway.call("POST", "/v1/webhooks/x", &sized(11), false).await["statusCode"], 413);
    assert_eq!(gateway.call("PUT", "/v1/things", &sized(BODY_BYTES_MAX + 1), false).await["statusCode"], 413);
    assert_eq!(gateway.call("PUT", "/v1/things", &sized(BODY_BYTES_MAX), false).await["statusCode"], 401);
}

#[test]
fn the_table_can_be_read_without_the_handlers() {
    let lines: Vec<(&str, &str, Access)> =
        table_of::<Echo>().iter().map(|route| (route.method, route.path, route.access)).collect();
    assert_eq!(lines[0], ("GET", "/health", Access::Open));
    assert_eq!(lines[1], ("POST", "/v1/webhooks/x", Access::Signed));
    assert_eq!(lines[2], ("GET", "/v1/things", Access::Token(STAFF, Scope::Everybody)));
    assert_eq!(table_of::<Echo>()[1].body_max, 10);
}
