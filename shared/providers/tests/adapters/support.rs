//! What the adapter tests share.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{ClientId, Money, PaymentId, Redacted, Seconds, Timestamp};
use http::Request;
use providers::http::{HyperTransport, Transport};
use providers::psp::{Psp, SessionOrder, Settings, vendor};
use providers::system_clock;
use secrecy::SecretString;
use serde_json::{Value, json};
use simulators::{Config, Running, Simulators};
use url::Url;

pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// What a held answer is waited for in tests.
pub const SHORT_TIMEOUT: Duration = Duration::from_millis(400);

pub fn payment(n: u128) -> PaymentId {
    PaymentId::from_bits(n)
}

pub fn money(amount: &str, currency: &str) -> Money {
    Money::parse(amount, currency.parse().unwrap()).unwrap()
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

pub fn now() -> Timestamp {
    system_clock()()
}

pub fn settings(base_url: &str, secret: &Value, timeout: Duration) -> Settings {
    Settings {
        name: "test-psp".to_owned(),
        base_url: Url::parse(base_url).unwrap(),
        secret: SecretString::from(secret.to_string()),
        tolerance: Seconds(300),
        return_url: Some("https://broker.example/back/{payment_id}".to_owned()),
        query_url: None,
        pay_page: None,
        payment_method: None,
        webhook_url: Some(Url::parse("https://broker.example/v1/webhooks/psp/test-psp").unwrap()),
        legacy: false,
        collected: domain::payment::rules::Collected::Authorised,
        clock: system_clock(),
        transport: Arc::new(HyperTransport::new()),
        timeout,
    }
}

pub fn psp(word: &str, settings: Settings) -> Box<dyn Psp> {
    vendor(word.parse().unwrap(), settings).unwrap()
}

pub fn order(id: &PaymentId, amount: Money) -> SessionOrder {
    SessionOrder {
        payment_id: id.clone(),
        amount,
        return_url: None,
        client_reference: ClientId::from_bits(7),
        email: Redacted::new("jane@example.com".to_owned()),
        language: "en".to_owned(),
        country: Some("DE".parse().unwrap()),
        now: now(),
    }
}

pub async fn simulators() -> Running {
    Simulators::start(Config::default()).await.unwrap()
}

/// Calls a control route of a simulator.
pub async fn control(base: &str, path: &str, body: &Value) -> Value {
    let request = Request::post(format!("{base}{path}"))
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let response = HyperTransport::new().send(request, CALL_TIMEOUT).await.unwrap();
    assert!(response.status().is_success(), "{path}: {:?}", response.body());
    serde_json::from_slice(response.body()).unwrap()
}

/// Scripts one fault of one operation.
pub async fn fault(base: &str, operation: &str, fault: Value) {
    control(base, "/_control/faults", &json!([{"operation": operation, "fault": fault}])).await;
}

/// Everything that a simulator has recorded.
pub async fn state(base: &str) -> Value {
    let request = Request::get(format!("{base}/_control/state")).body(Bytes::new()).unwrap();
    let response = HyperTransport::new().send(request, CALL_TIMEOUT).await.unwrap();
    serde_json::from_slice(response.body()).unwrap()
}
