//! The card payment provider on the wire.

use crate::support::{Answer, Client, Received, Receiver, form, get, post, start, state};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simulators::{Running, stripe::signature::v1};

const KEY: &str = "Bearer sk_test_local";
const SECRET: &str = "whsec_local";

fn asked(payment_id: &str, amount: &str) -> String {
    form(&[
        ("amount", amount),
        ("currency", "usd"),
        ("confirm", "true"),
        ("return_url", "https://broker.example/back"),
        ("payment_method_types[]", "card"),
        ("metadata[payment_id]", payment_id),
    ])
}

async fn create_with(running: &Running, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut all = vec![("Content-Type", "application/x-www-form-urlencoded")];
    all.extend_from_slice(headers);
    let mut client = Client::connect(running.url("stripe")).await;
    client.call("POST", "/v1/payment_intents", &all, body).await
}

async fn create(running: &Running, payment_id: &str) -> Value {
    let body = asked(payment_id, "125000");
    let created = create_with(running, &[("Authorization", KEY)], &body).await;
    assert_eq!(created.status, 200, "{}", created.text());
    created.json()
}

async fn pay(running: &Running, body: Value) -> Value {
    let paid = post(running.url("stripe"), "/_control/pay", &body).await;
    assert_eq!(paid.status, 200, "{}", paid.text());
    paid.json()
}

/// True when the header's time and one of its `v1` values fit the body.
fn verifies(webhook: &Received) -> bool {
    let header = webhook.header("stripe-signature").unwrap_or("");
    let parts: Vec<_> = header.split(',').filter_map(|part| part.split_once('=')).collect();
    let time = parts.iter().find(|(name, _)| *name == "t").map(|(_, value)| value.parse().unwrap());
    let expected = v1(SECRET, time.unwrap_or(0), &webhook.body);
    parts.iter().any(|(name, value)| *name == "v1" && *value == expected)
}

fn signed_at(webhook: &Received) -> i64 {
    let header = webhook.header("stripe-signature").unwrap();
    header.split(',').next().unwrap().trim_start_matches("t=").parse().unwrap()
}

#[test]
fn the_published_signature_vector_holds() {
    let body = STANDARD.decode("ewogICJpZCI6ICJldnRfMTIzIiwKICAib2JqZWN0IjogImV2ZW50IiwKICAiYWNjb3VudCI6ICJhY2N0XzEyMyIsCiAgImFwaV92ZXJzaW9uIjogIjIwMTctMDUtMjUiLAogICJjcmVhdGVkIjogMTUzMzIwNDYyMCwKICAiZGF0YSI6IHsKICAgICJvYmplY3QiOiB7CiAgICAgICJpZCI6ICJjdXNfMTIzIiwKICAgICAgIm9iamVjdCI6ICJjdXN0b21lciIsCiAgICAgICJjcmVhdGVkIjogMTIzNDU2Nzg5LAogICAgICAiZW1haWwiOiAidGVzdEBzdHJpcGUuY29tIiwKICAgICAgImxpdmVtb2RlIjogZmFsc2UsCiAgICAgICJtZXRhZGF0YSI6IHt9CiAgICB9CiAgfSwKICAibGl2ZW1vZGUiOiBmYWxzZSwKICAicGVuZGluZ193ZWJob29rcyI6IDEsCiAgInJlcXVlc3QiOiB7CiAgICAiaWQiOiAicmVxXzEyMyIsCiAgICAiaWRlbXBvdGVuY3lfa2V5IjogImlkZW1wb3RlbmN5LWtleS0xMjMiCiAgfSwKICAidHlwZSI6ICJjdXN0b21lci5jcmVhdGVkIgp9Cg==").unwrap();
    assert_eq!(
        v1("webhook_secret", 1_533_204_620, &body),
        "2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7"
    );
    assert_eq!(
        v1("webhook_secret", 1_533_204_620, &body[..body.len() - 1]),
        "8c506d7d19ece69e9a38e398964787dda54eeb2583381ffc7f56070c28d7f119"
    );
}

#[tokio::test]
async fn a_payment_intent_is_created_as_the_vendor_shows_it_and_read_back() {
    let running = start().await;
    let intent = create(&running, "pay_1").await;
    assert_eq!(intent["object"], "payment_intent");
    assert_eq!(intent["status"], "requires_action");
    assert_eq!(intent["amount"], 125_000);
    assert_eq!(intent["amount_received"], 0);
    assert_eq!(intent["currency"], "usd");
    assert_eq!(intent["metadata"], json!({ "payment_id": "pay_1" }));
    assert_eq!(intent["latest_charge"], Value::Null);
    let id = intent["id"].as_str().unwrap();
    assert!(id.starts_with("pi_"));
    let secret = intent["client_secret"].as_str().unwrap();
    assert!(secret.starts_with(&format!("{id}_secret_")));
    let page = format!("{}/pay/{id}", running.url("stripe"));
    assert_eq!(intent["next_action"]["redirect_to_url"]["url"], page);

    let basic = format!("Basic {}", STANDARD.encode("sk_test_local:"));
    let mut client = Client::connect(running.url("stripe")).await;
    let path = format!("/v1/payment_intents/{id}");
    let read = client.call("GET", &path, &[("Authorization", &basic)], "").await;
    assert_eq!(read.json(), intent);
    let query = "/v1/payment_intents/search?query=metadata%5B%27payment_id%27%5D%3A%27pay_1%27";
    let found = client.call("GET", query, &[("Authorization", KEY)], "").await;
    assert_eq!(found.json()["data"], json!([intent]));
    let missing = client.call("GET", "/v1/payment_intents/pi_x", &[("Authorization", KEY)], "").await;
    assert_eq!((missing.status, &missing.json()["error"]["code"]), (404, &json!("resource_missing")));
}

#[tokio::test]
async fn wrong_requests_get_the_vendors_errors() {
    let running = start().await;
    let auth = [("Authorization", KEY)];
    let good = asked("pay_1", "100");
    let unauthorised = create_with(&running, &[("Authorization", "Bearer sk_other")], &good).await;
    assert_eq!(unauthorised.status, 401);
    let cases = [
        (good.replace("amount=100", "amount=0"), "parameter_invalid_integer", "amount"),
        (good.replace("amount=100", "amount=1.5"), "parameter_invalid_integer", "amount"),
        (good.replace("amount=100&", ""), "parameter_missing", "amount"),
        (good.replace("amount=100", "amount=100000000"), "amount_too_large", "amount"),
        (good.replace("usd", "USD"), "parameter_invalid", "currency"),
        (good.replace("confirm", "confrim"), "parameter_unknown", ""),
        (good.replace("confirm=true", "confirm=false"), "parameter_invalid", "return_url"),
    ];
    for (body, code, parameter) in cases {
        let refused = create_with(&running, &auth, &body).await;
        let error = &refused.json()["error"];
        assert_eq!(refused.status, 400, "{body}");
        assert_eq!(error["code"], code, "{body}");
        assert_eq!(error["param"], parameter, "{body}");
        assert_eq!(error["type"], "invalid_request_error");
    }
    assert_eq!(state(running.url("stripe")).await["intents"], json!([]));
}

#[tokio::test]
async fn an_idempotency_key_replays_the_first_answer_and_refuses_other_parameters() {
    let running = start().await;
    let headers = [("Authorization", KEY), ("Idempotency-Key", "key-1")];
    let first = create_with(&running, &headers, &asked("pay_1", "100")).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let again = create_with(&running, &headers, &asked("pay_1", "100")).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json(), first.json());
    let other = create_with(&running, &headers, &asked("pay_1", "200")).await;
    assert_eq!((other.status, &other.json()["error"]["type"]), (400, &json!("idempotency_error")));
    assert_eq!(state(running.url("stripe")).await["intents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_replayed_by_its_key_and_a_refusal_is_in_the_vendors_shape() {
    let running = start().await;
    let faults = json!([
        { "operation": "create_intent", "match": { "metadata[payment_id]": "pay_1" }, "fault": { "kind": "apply_then_drop" } },
        { "operation": "create_intent", "fault": { "kind": "refuse", "status": 429, "retry_after": 2 } },
    ]);
    post(running.url("stripe"), "/_control/faults", &faults).await;
    let headers = [("Authorization", KEY), ("Idempotency-Key", "key-1")];
    let body = asked("pay_1", "100");
    let mut client = Client::connect(running.url("stripe")).await;
    assert!(client.try_call("POST", "/v1/payment_intents", &headers, &body).await.is_none());
    let limited = create_with(&running, &headers, &body).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("2")));
    assert_eq!(limited.json()["error"]["code"], "rate_limit");
    let replayed = create_with(&running, &headers, &body).await;
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    assert_eq!(state(running.url("stripe")).await["intents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn paying_tells_the_system_once_with_a_right_signature() {
    let (running, receiver) = (start().await, Receiver::plain().await);
    running.set_webhook_base(receiver.url.as_str());
    let intent = create(&running, "pay_1").await;
    assert!(receiver.all().is_empty(), "nothing is sent unasked");
    let paid = pay(&running, json!({ "payment_id": "pay_1", "outcome": "succeeded" })).await;
    assert_eq!(paid["status"], "succeeded");
    assert_eq!(paid["deliveries"][0]["status"], 200);
    let webhooks = receiver.all();
    assert_eq!(webhooks.len(), 1);
    assert_eq!(webhooks[0].path, "/v1/webhooks/psp/stripe");
    assert!(verifies(&webhooks[0]));
    let event = webhooks[0].json();
    assert_eq!(event["type"], "payment_intent.succeeded");
    assert_eq!(event["data"]["object"]["id"], intent["id"]);
    assert_eq!(event["data"]["object"]["amount_received"], 125_000);
    assert_eq!(event["data"]["object"]["metadata"]["payment_id"], "pay_1");
    let recorded = &state(running.url("stripe")).await;
    assert_eq!(recorded["deliveries"][0]["event_id"], event["id"]);
    assert_eq!(recorded["intents"][0]["status"], "succeeded");
}

#[tokio::test]
async fn the_amount_and_the_currency_paid_can_differ_from_those_asked() {
    let (running, receiver) = (start().await, Receiver::plain().await);
    running.set_webhook_base(receiver.url.as_str());
    let intent = create(&running, "pay_1").await;
    let order = json!({ "reference": intent["id"], "outcome": "succeeded", "amount_minor": 99, "currency": "EUR" });
    pay(&running, order).await;
    let object = receiver.all()[0].json()["data"]["object"].clone();
    assert_eq!((&object["amount"], &object["amount_received"]), (&json!(125_000), &json!(99)));
    assert_eq!(object["currency"], "eur");
}

#[tokio::test]
async fn every_kind_of_signature_can_be_sent() {
    let (running, receiver) = (start().await, Receiver::plain().await);
    running.set_webhook_base(receiver.url.as_str());
    create(&running, "pay_1").await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    for (kind, right) in [
        ("valid", true),
        ("several", true),
        ("old_timestamp", true),
        ("future_timestamp", true),
        ("wrong", false),
        ("missing", false),
        ("empty", false),
        ("only_v0", false),
        ("tampered", false),
    ] {
        pay(&running, json!({ "payment_id": "pay_1", "outcome": "succeeded", "webhook": { "signature": kind } })).await;
        let webhook = receiver.all().pop().unwrap();
        assert_eq!(verifies(&webhook), right, "{kind}");
        match kind {
            "missing" => assert_eq!(webhook.header("stripe-signature"), None),
            "old_timestamp" => assert!(signed_at(&webhook) <= now - 3500),
            "future_timestamp" => assert!(signed_at(&webhook) >= now + 3500),
            _ => {}
        }
    }
}

#[tokio::test]
async fn webhooks_come_late_many_times_at_once_or_never() {
    let (running, receiver) = (start().await, Receiver::plain().await);
    running.set_webhook_base(receiver.url.as_str());
    create(&running, "pay_1").await;
    let never = json!({ "payment_id": "pay_1", "outcome": "processing", "webhook": { "never": true } });
    assert_eq!(pay(&running, never).await["deliveries"], json!([]));
    assert!(receiver.all().is_empty());
    let many = json!({ "payment_id": "pay_1", "outcome": "succeeded",
        "webhook": { "times": 5, "concurrent": true, "delay_ms": 20 } });
    let answer = pay(&running, many).await;
    assert_eq!(answer["deliveries"].as_array().unwrap().len(), 5);
    let ids: std::collections::HashSet<_> = receiver.all().iter().map(|w| w.json()["id"].to_string()).collect();
    assert_eq!((receiver.all().len(), ids.len()), (5, 1));
    let resent = post(running.url("stripe"), "/_control/resend", &json!({})).await.json();
    assert_eq!(resent["events"], 1, "only the one that was never sent");
    assert_eq!(receiver.all().last().unwrap().json()["type"], "payment_intent.processing");
    let unwaited = json!({ "payment_id": "pay_1", "outcome": "succeeded", "wait": false });
    assert_eq!(pay(&running, unwaited).await["deliveries"], json!([]));
    let seen = || async { receiver.all().len() };
    crate::support::until(seen, |count| *count == 7).await;
}

#[tokio::test]
async fn events_can_be_sent_out_of_order_and_about_payments_that_never_were() {
    let (running, receiver) = (start().await, Receiver::plain().await);
    running.set_webhook_base(receiver.url.as_str());
    let intent = create(&running, "pay_1").await;
    let url = running.url("stripe");
    let send = |body: Value| async move { post(url, "/_control/webhook", &body).await };
    pay(&running, json!({ "payment_id": "pay_1", "outcome": "succeeded" })).await;
    send(json!({ "payment_id": "pay_1", "type": "payment_intent.processing", "event_id": "evt_old", "created": 1 }))
        .await;
    let late = receiver.all()[1].json();
    assert_eq!((late["id"].as_str(), late["created"].as_i64()), (Some("evt_old"), Some(1)));
    assert_eq!(late["data"]["object"]["status"], "processing");
    assert_eq!(late["data"]["object"]["amount_received"], 0);
    assert_eq!(state(url).await["intents"][0]["status"], "succeeded", "the vendor's own state stays");

    let forged = json!({ "payment_id": "pay_1", "reference": "pi_forged", "type": "payment_intent.succeeded",
        "amount_minor": 1, "currency": "usd" });
    send(forged).await;
    let event = receiver.all()[2].json();
    assert_eq!(event["data"]["object"]["id"], "pi_forged");
    assert_eq!(event["data"]["object"]["metadata"]["payment_id"], "pay_1");
    assert!(verifies(&receiver.all()[2]));

    send(json!({ "payment_id": "pay_1", "type": "charge.dispute.created" })).await;
    let dispute = receiver.all()[3].json();
    assert_eq!(dispute["data"]["object"]["payment_intent"], intent["id"]);
    let patched = json!({ "payment_id": "pay_1", "type": "payment_intent.succeeded", "object": { "metadata": { "payment_id": "pay_2" } } });
    send(patched).await;
    assert_eq!(receiver.all()[4].json()["data"]["object"]["metadata"]["payment_id"], "pay_2");
    assert_eq!(send(json!({ "payment_id": "pay_x", "type": "payment_intent.succeeded" })).await.status, 404);
}

#[tokio::test]
async fn the_payers_page_pays_and_sends_the_payer_back() {
    let (running, receiver) = (start().await, Receiver::plain().await);
    running.set_webhook_base(receiver.url.as_str());
    let intent = create(&running, "pay_1").await;
    let page = format!("/pay/{}", intent["id"].as_str().unwrap());
    let shown = get(running.url("stripe"), &page).await;
    assert_eq!(shown.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(shown.text().contains("value=\"succeeded\""));
    let mut client = Client::connect(running.url("stripe")).await;
    let sent = client.call("POST", &page, &[], "outcome=succeeded").await;
    assert_eq!(sent.status, 303);
    let back = sent.header("location").unwrap();
    assert!(back.starts_with("https://broker.example/back?payment_intent=pi_"), "{back}");
    assert!(back.ends_with("redirect_status=succeeded"));
    assert_eq!(receiver.all().len(), 1);
    let again = client.call("POST", &page, &[], "outcome=succeeded").await;
    assert_eq!((again.status, receiver.all().len()), (303, 1), "a paid payment is not paid twice");
    assert!(!get(running.url("stripe"), &page).await.text().contains("<form"));
}

#[tokio::test]
async fn a_failed_delivery_is_recorded_and_sent_again_when_told() {
    let running = start().await;
    create(&running, "pay_1").await;
    let paid = pay(&running, json!({ "payment_id": "pay_1", "outcome": "succeeded" })).await;
    assert_eq!(paid["deliveries"][0]["status"], Value::Null);
    assert!(!paid["deliveries"][0]["error"].as_str().unwrap().is_empty());
    let receiver = Receiver::plain().await;
    let set = post(running.url("mt5"), "/_control/webhook_base", &json!({ "url": receiver.url })).await;
    assert_eq!(set.status, 200);
    post(running.url("stripe"), "/_control/resend", &json!({ "payment_id": "pay_1" })).await;
    assert_eq!(receiver.all()[0].json()["id"], paid["event_id"]);
}

#[tokio::test]
async fn refunds_are_limited_to_what_was_paid() {
    let running = start().await;
    let intent = create(&running, "pay_1").await;
    let id = intent["id"].as_str().unwrap();
    let url = running.url("stripe").to_owned();
    let refund = |amount: &'static str| {
        let (url, body) = (url.clone(), form(&[("payment_intent", id), ("amount", amount)]));
        async move {
            let mut client = Client::connect(&url).await;
            client.call("POST", "/v1/refunds", &[("Authorization", KEY)], &body).await
        }
    };
    assert_eq!(refund("1").await.json()["error"]["code"], "payment_intent_unexpected_state");
    let quiet = json!({ "payment_id": "pay_1", "outcome": "succeeded", "webhook": { "never": true } });
    pay(&running, quiet).await;
    assert_eq!(refund("125001").await.status, 400);
    let done = refund("125000").await.json();
    assert_eq!((&done["status"], &done["amount"]), (&json!("succeeded"), &json!(125_000)));
    assert_eq!(refund("1").await.json()["error"]["code"], "charge_already_refunded");
}

#[tokio::test]
async fn the_common_address_serves_the_vendor_below_its_prefix() {
    let running = start().await;
    let mut client = Client::connect(running.url("psp")).await;
    let path = "/stripe/v1/payment_intents";
    let created = client.call("POST", path, &[("Authorization", KEY)], &asked("pay_9", "5")).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let quiet = json!({ "payment_id": "pay_9", "outcome": "failed", "webhook": { "never": true } });
    let failed = post(running.url("psp"), "/_control/pay", &quiet).await.json();
    assert_eq!(failed["status"], "requires_payment_method");
    let state = get(running.url("psp"), "/_control/state?payment_id=pay_9").await.json();
    let error = &state["stripe"]["intents"][0]["last_payment_error"];
    assert_eq!(error["code"], "card_declined");
    assert_eq!(state["praxis"]["orders"], json!([]));
}
