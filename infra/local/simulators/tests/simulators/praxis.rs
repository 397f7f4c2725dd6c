//! The cashier on the wire.

use crate::support::{Answer, Client, Received, Receiver, get, post, start, state};
use serde_json::{Value, json};
use simulators::Running;
use simulators::praxis::signature::{sign, sign_legacy};

const SECRET: &str = "local-praxis-secret";
const MERCHANT: &str = "API-Local";
const APPLICATION: &str = "local-application";

fn request(order_id: &str, amount: &str) -> (String, String) {
    let body = format!(
        r#"{{"merchant_id":"{MERCHANT}","application_key":"{APPLICATION}","timestamp":1700000000,
        "intent":"payment","cid":"cli_1","order_id":"{order_id}","currency":"USD","amount":{amount},
        "notification_url":"http://127.0.0.1:1/x","return_url":"https://broker.example/back","version":"1.3"}}"#
    );
    let values = [MERCHANT, APPLICATION, "1700000000", "payment", "cli_1", order_id];
    (body, sign(values, SECRET))
}

async fn call(running: &Running, path: &str, body: &str, signature: &str) -> Answer {
    let headers = [("Content-Type", "application/json; charset=utf-8"), ("Gt-Authentication", signature)];
    let mut client = Client::connect(running.url("praxis")).await;
    client.call("POST", path, &headers, body).await
}

async fn session(running: &Running, order_id: &str) -> Value {
    let (body, signature) = request(order_id, "125000");
    let answer = call(running, "/cashier/cashier", &body, &signature).await;
    let json = answer.json();
    assert_eq!(json["status"], 0, "{json}");
    let values = ["0".to_owned(), json["timestamp"].to_string()];
    assert_eq!(answer.header("gt-authentication"), Some(sign(values, SECRET).as_str()));
    json
}

async fn find(running: &Running, order_id: &str) -> Value {
    let body = json!({ "merchant_id": MERCHANT, "application_key": APPLICATION, "order_id": order_id,
        "timestamp": 1_700_000_001, "version": "1.3" });
    let signature = sign([MERCHANT, APPLICATION, "1700000001", order_id], SECRET);
    call(running, "/agent/find-order", &body.to_string(), &signature).await.json()
}

async fn pay(running: &Running, body: Value) -> Value {
    let paid = post(running.url("praxis"), "/_control/pay", &body).await;
    assert_eq!(paid.status, 200, "{}", paid.text());
    paid.json()
}

/// Answers `status` as Praxis wants it, signed with `secret`.
async fn merchant(status: i64, secret: &'static str) -> Receiver {
    Receiver::start(move |_| {
        let body = json!({ "status": status, "description": "", "version": "1.3", "timestamp": 1_700_000_002 });
        let signature = sign([status.to_string(), "1700000002".to_owned()], secret);
        (200, vec![("Gt-Authentication".to_owned(), signature)], body.to_string())
    })
    .await
}

fn verifies(webhook: &Received) -> bool {
    let json = webhook.json();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let transaction = &json["transaction"];
    let values = [
        text(&json["merchant_id"]),
        text(&json["application_key"]),
        text(&json["timestamp"]),
        text(&json["customer"]["customer_token"]),
        text(&json["session"]["order_id"]),
        text(&transaction["tid"]),
        text(&transaction["currency"]),
        text(&transaction["amount"]),
        text(&transaction["conversion_rate"]),
        text(&transaction["processed_currency"]),
        text(&transaction["processed_amount"]),
    ];
    webhook.header("gt-authentication") == Some(sign(values, SECRET).as_str())
}

#[test]
fn the_vectors_hold() {
    let current = ["MID", "APP", "1700000000", "CTOK", "DEP-1", "123456", "USD", "10000", "1", "USD", "10000"];
    assert_eq!(
        sign(current, "SECRET"),
        "3a6dd8fa1671cf06c4eb312dfebe3796f114239800e1798d31d9d65afaa3633bef92c31e6dc7a54172d949bce8363a11"
    );
    assert_eq!(
        sign(["Integration TEST USD", "Test-Integration-Merchant", "1568855392", "1.1", "ABCDEF"], "MerchantSecretKey"),
        "c8d9b1824601bb6e11342afc36cb7281892daead2fbae257ea2d2ff8aa4908d66d5863a429e247d47155c01a0592e482"
    );
    // The same string, from an object whose members come in another order, with a null and a signature to skip.
    let legacy = r#"{"version":"1.1","timestamp":1568855392,"z":"ABCDEF","merchant_id":"Test-Integration-Merchant",
        "signature":"x","nothing":null,"application_key":"Integration TEST USD"}"#;
    assert_eq!(
        sign_legacy(legacy.as_bytes(), "MerchantSecretKey").unwrap(),
        "c8d9b1824601bb6e11342afc36cb7281892daead2fbae257ea2d2ff8aa4908d66d5863a429e247d47155c01a0592e482"
    );
    assert_eq!(
        sign(["Integration TEST USDTest-Integration-Merchant15598253737528561.1"], "MerchantSecretKey"),
        "c1eb4464bce78dd099501fbdbc6c9b9979070b4d82ef47fbbfbf9535104934d4abd77bfd9480685b317d60db5339097b"
    );
}

#[tokio::test]
async fn a_session_is_created_once_per_order_id() {
    let running = start().await;
    let first = session(&running, "pay_1").await;
    let page = first["redirect_url"].as_str().unwrap();
    assert!(page.starts_with(&format!("{}/pay/", running.url("praxis"))));
    assert_eq!(first["session"]["order_id"], "pay_1");
    assert!(first["customer"]["customer_token"].is_string());
    let second = session(&running, "pay_1").await;
    assert_eq!(second["redirect_url"], first["redirect_url"]);
    let (other, signature) = request("pay_1", "7");
    let refused = call(&running, "/cashier/cashier", &other, &signature).await.json();
    assert!(refused["status"].as_i64().unwrap() > 0);
    assert_eq!(state(running.url("praxis")).await["orders"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn unsigned_and_malformed_requests_are_refused() {
    let running = start().await;
    let (body, signature) = request("pay_1", "100");
    let wrong = signature.replace('a', "b");
    let cases = [
        (body.clone(), wrong.as_str(), "Invalid signature"),
        (body.clone(), "", "Invalid signature"),
        (body.replace(MERCHANT, "Other"), &signature, "Invalid merchant_id"),
        (body.replace(":100", ":-1"), &signature, "amount must be a positive number"),
        (body.replace(":100", r#":"100""#), &signature, "amount must be a positive number"),
        (body.replace("USD", "usd"), &signature, "currency must be three upper-case letters"),
        (body.replace("notification_url", "other_url"), &signature, "notification_url is required"),
    ];
    for (body, signature, description) in cases {
        let refused = call(&running, "/cashier/cashier", &body, signature).await.json();
        assert_eq!(refused["status"], 1, "{body}");
        assert_eq!(refused["description"], description);
    }
    assert_eq!(find(&running, "pay_1").await["description"], "Order not found");
}

#[tokio::test]
async fn an_approved_payment_is_notified_signed_and_the_signed_answer_is_recognised() {
    let (running, receiver) = (start().await, merchant(0, SECRET).await);
    running.set_webhook_base(receiver.url.as_str());
    session(&running, "pay_1").await;
    assert_eq!(find(&running, "pay_1").await["transaction"], Value::Null);
    let paid = pay(&running, json!({ "payment_id": "pay_1", "outcome": "approved" })).await;
    assert_eq!(paid["status"], "approved");
    let judged = json!({ "signature": "right", "status": 0, "format": "known", "resend": false });
    assert_eq!(paid["deliveries"][0]["answer"], judged);
    let webhook = &receiver.all()[0];
    assert_eq!(webhook.path, "/v1/webhooks/psp/praxis");
    assert!(verifies(webhook));
    let message = webhook.json();
    assert_eq!(message["session"]["order_id"], "pay_1");
    assert_eq!(message["transaction"]["amount"], 125_000);
    assert_eq!(message["transaction"]["transaction_type"], "sale");
    let found = find(&running, "pay_1").await;
    assert_eq!(found["transaction"]["transaction_status"], "approved");
    assert_eq!(found["transaction"]["tid"].to_string(), paid["reference"].as_str().unwrap());
}

#[tokio::test]
async fn numbers_are_signed_as_they_are_written() {
    let (running, receiver) = (start().await, merchant(0, SECRET).await);
    running.set_webhook_base(receiver.url.as_str());
    session(&running, "pay_1").await;
    let order = json!({ "payment_id": "pay_1", "outcome": "approved", "conversion_rate": "1.0",
        "amount_minor": 99, "processed_amount_minor": 98, "processed_currency": "EUR" });
    pay(&running, order).await;
    let webhook = &receiver.all()[0];
    let text = String::from_utf8(webhook.body.clone()).unwrap();
    assert!(text.contains(r#""conversion_rate":1.0,"#), "{text}");
    assert!(text.contains(r#""processed_amount":98,"#));
    assert!(text.contains(r#""processed_currency":"EUR""#));
    assert!(verifies(webhook));
}

#[tokio::test]
async fn every_kind_of_signature_can_be_sent() {
    let (running, receiver) = (start().await, merchant(0, SECRET).await);
    running.set_webhook_base(receiver.url.as_str());
    session(&running, "pay_1").await;
    for (kind, right) in [
        ("valid", true),
        ("old_timestamp", true),
        ("wrong", false),
        ("missing", false),
        ("empty", false),
        ("tampered", false),
    ] {
        pay(&running, json!({ "payment_id": "pay_1", "outcome": "pending", "webhook": { "signature": kind } })).await;
        assert_eq!(verifies(receiver.all().last().unwrap()), right, "{kind}");
    }
    pay(&running, json!({ "payment_id": "pay_1", "outcome": "approved", "webhook": { "signature": "legacy" } })).await;
    let legacy = receiver.all().pop().unwrap();
    assert_eq!(legacy.header("gt-authentication"), None);
    let message = legacy.json();
    assert_eq!(message["order_id"], "pay_1");
    assert_eq!(message["charge_amount"], 125_000);
    let expected = sign_legacy(&legacy.body, SECRET).unwrap();
    assert_eq!(message["signature"], expected);
}

#[tokio::test]
async fn bad_answers_are_remembered_and_make_it_send_again_when_told() {
    let running = start().await;
    let cases = [
        (
            merchant(0, "other-secret").await,
            json!({ "signature": "wrong", "status": 0, "format": "known", "resend": false }),
        ),
        (merchant(-1, SECRET).await, json!({ "signature": "right", "status": -1, "format": "known", "resend": true })),
        (
            Receiver::plain().await,
            json!({ "signature": "missing", "status": null, "format": "unknown", "resend": true }),
        ),
    ];
    for (number, (receiver, judged)) in cases.into_iter().enumerate() {
        let order_id = format!("pay_{number}");
        running.set_webhook_base(receiver.url.as_str());
        session(&running, &order_id).await;
        let paid = pay(&running, json!({ "payment_id": order_id, "outcome": "approved" })).await;
        assert_eq!(paid["deliveries"][0]["answer"], judged);
    }
    let good = merchant(0, SECRET).await;
    running.set_webhook_base(good.url.as_str());
    let resent = post(running.url("praxis"), "/_control/resend", &json!({})).await.json();
    assert_eq!(resent["events"], 2, "the two that asked for it");
    let again = post(running.url("praxis"), "/_control/resend", &json!({})).await.json();
    assert_eq!(again["events"], 0);
    let ids: Vec<_> = good.all().iter().map(|w| w.json()["session"]["order_id"].to_string()).collect();
    assert_eq!(ids.len(), 2);
    assert!(good.all().iter().all(verifies));
}

#[tokio::test]
async fn sessions_expire_and_any_status_can_be_told_in_any_order() {
    let (running, receiver) = (start().await, merchant(0, SECRET).await);
    running.set_webhook_base(receiver.url.as_str());
    session(&running, "pay_1").await;
    let url = running.url("praxis");
    let send = |body: Value| async move { post(url, "/_control/webhook", &body).await };
    assert_eq!(send(json!({ "payment_id": "pay_1", "type": "chargeback" })).await.status, 200);
    assert_eq!(find(&running, "pay_1").await["transaction"], Value::Null, "the vendor's state stays");
    send(json!({ "payment_id": "pay_1", "type": "expired", "created": 1_600_000_000 })).await;
    let expired = &receiver.all()[1];
    assert_eq!(expired.json()["transaction"], Value::Null);
    assert_eq!(expired.json()["timestamp"], 1_600_000_000);
    assert!(verifies(expired), "null values are skipped");
    let forged = json!({ "payment_id": "pay_x", "type": "approved", "amount_minor": 5, "currency": "USD",
        "object": { "transaction": { "tid": 1 } } });
    send(forged).await;
    assert_eq!(receiver.all()[2].json()["transaction"]["tid"], 1);
    assert!(verifies(&receiver.all()[2]));
    assert_eq!(send(json!({ "payment_id": "pay_1", "type": "nonsense" })).await.status, 400);
}

#[tokio::test]
async fn the_payer_may_fail_and_try_again_on_the_page() {
    let (running, receiver) = (start().await, merchant(0, SECRET).await);
    running.set_webhook_base(receiver.url.as_str());
    let page = session(&running, "pay_1").await["redirect_url"].as_str().unwrap().to_owned();
    let path = page.trim_start_matches(running.url("praxis")).to_owned();
    let mut client = Client::connect(running.url("praxis")).await;
    for outcome in ["rejected", "approved"] {
        let sent = client.call("POST", &path, &[], &format!("outcome={outcome}")).await;
        assert_eq!(sent.status, 303);
        let back = format!("https://broker.example/back?status={outcome}");
        assert_eq!(sent.header("location"), Some(back.as_str()));
    }
    let tids: Vec<_> = receiver.all().iter().map(|w| w.json()["transaction"]["tid"].clone()).collect();
    assert_eq!(tids.len(), 2);
    assert_ne!(tids[0], tids[1], "a second attempt is another transaction");
    assert!(!get(running.url("praxis"), &path).await.text().contains("<form"));
}

#[tokio::test]
async fn a_scripted_refusal_is_signed_and_the_common_address_finds_the_order() {
    let running = start().await;
    let faults = json!([{ "operation": "cashier", "match": { "order_id": "pay_1" },
        "fault": { "kind": "refuse", "retcode": -2, "message": "gateway down" } }]);
    post(running.url("psp"), "/_control/faults", &faults).await;
    let (body, signature) = request("pay_1", "125000");
    let refused = call(&running, "/cashier/cashier", &body, &signature).await;
    assert_eq!(refused.json()["status"], -2);
    let values = ["-2".to_owned(), refused.json()["timestamp"].to_string()];
    assert_eq!(refused.header("gt-authentication"), Some(sign(values, SECRET).as_str()));
    session(&running, "pay_1").await;
    let quiet = json!({ "payment_id": "pay_1", "outcome": "failed", "webhook": { "never": true } });
    let failed = post(running.url("psp"), "/_control/pay", &quiet).await.json();
    assert_eq!(failed["status"], "rejected");
}
