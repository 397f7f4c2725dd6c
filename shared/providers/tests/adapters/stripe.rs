//! Stripe's API against the simulator.

use domain::Redacted;
use domain::payment::PspStatus;
use providers::Disposition;
use providers::http::{HyperTransport, Transport as _};
use providers::psp::{Psp, PspError};
use serde_json::{Value, json};

use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, control, fault, money, order, payment, psp, settings, simulators};

fn secret() -> Value {
    json!({"secret_key": "sk_test_local", "webhook_secrets": ["whsec_local"]})
}

fn stripe(url: &str) -> Box<dyn Psp> {
    psp("stripe", settings(url, &secret(), CALL_TIMEOUT))
}

#[tokio::test]
async fn opening_a_payment_twice_opens_it_once() {
    let running = simulators().await;
    let stripe = stripe(running.url("stripe"));
    let order = order(&payment(1), money("100.50", "USD"));
    let session = stripe.open_session(&order).await.unwrap();
    assert!(session.reference.starts_with("pi_"));
    assert!(session.redirect_url.starts_with(running.url("stripe")), "{}", session.redirect_url);
    assert_eq!(stripe.open_session(&order).await.unwrap(), session);

    let report = stripe.look_up(&order.payment_id, &session.reference).await.unwrap().unwrap();
    assert_eq!((report.status, report.payment_id), (PspStatus::Pending, Some(payment(1))));
    assert_eq!(report.money, Some(money("100.50", "USD")));
    assert_eq!(report.event_id, format!("{}:requires_action", session.reference));
    assert_eq!(report.psp, "test-psp");
}

#[tokio::test]
async fn what_a_payer_does_is_found_by_looking_it_up() {
    let running = simulators().await;
    let url = running.url("stripe");
    let stripe = stripe(url);
    let cases = [
        ("succeeded", PspStatus::Succeeded),
        ("processing", PspStatus::Processing),
        ("failed", PspStatus::Failed),
        ("canceled", PspStatus::Canceled),
    ];
    for (n, (outcome, status)) in (10..).zip(cases) {
        let order = order(&payment(n), money("20.00", "EUR"));
        let session = stripe.open_session(&order).await.unwrap();
        let pay = json!({"payment_id": order.payment_id, "outcome": outcome, "webhook": {"never": true}});
        control(url, "/_control/pay", &pay).await;
        let report = stripe.look_up(&order.payment_id, &session.reference).await.unwrap().unwrap();
        assert_eq!(report.status, status, "{outcome}");
        assert_eq!(report.money, Some(money("20.00", "EUR")), "{outcome}");
    }
}

#[tokio::test]
async fn an_unknown_intent_and_one_that_was_never_named_are_none() {
    let running = simulators().await;
    let stripe = stripe(running.url("stripe"));
    assert_eq!(stripe.look_up(&payment(1), "pi_unknown").await, Ok(None));
    assert_eq!(stripe.look_up(&payment(1), "pi/../x?y").await, Ok(None));
    assert_eq!(stripe.look_up(&payment(1), "").await, Ok(None));
}

#[tokio::test]
async fn with_a_pay_page_the_payer_goes_to_the_brokers_own() {
    let running = simulators().await;
    let mut settings = settings(running.url("stripe"), &secret(), CALL_TIMEOUT);
    settings.pay_page = Some("https://broker.example/pay/{payment_id}?s={client_secret}".to_owned());
    let order = order(&payment(2), money("5000", "JPY"));
    let session = psp("stripe", settings).open_session(&order).await.unwrap();
    let wanted = format!("https://broker.example/pay/{}?s={}_secret_", order.payment_id, session.reference);
    assert!(session.redirect_url.starts_with(&wanted), "{}", session.redirect_url);
}

#[tokio::test]
async fn a_configured_method_is_confirmed_at_once() {
    let running = simulators().await;
    let url = running.url("stripe");
    let mut settings = settings(url, &secret(), CALL_TIMEOUT);
    settings.payment_method = Some("ideal".to_owned());
    let order = order(&payment(3), money("10.00", "EUR"));
    let session = psp("stripe", settings).open_session(&order).await.unwrap();
    assert!(session.redirect_url.starts_with(url));
}

#[tokio::test]
async fn each_failure_says_whether_to_try_again() {
    let running = simulators().await;
    let url = running.url("stripe");
    let stripe = psp("stripe", settings(url, &secret(), SHORT_TIMEOUT));
    let refuse = |status: u16, code: &str| json!({"kind": "refuse", "status": status, "code": code, "message": "No."});
    let cases = [
        (refuse(402, "card_declined"), Disposition::GiveUp),
        (refuse(400, "amount_too_small"), Disposition::GiveUp),
        (refuse(403, "no_permission"), Disposition::Hold),
        (refuse(409, "idempotency_key_in_use"), Disposition::Retry),
        (refuse(429, "rate_limit"), Disposition::Retry),
        (refuse(500, "api_error"), Disposition::Retry),
        (json!({"kind": "drop"}), Disposition::Retry),
        (json!({"kind": "apply_then_drop"}), Disposition::Retry),
        (json!({"kind": "apply_then_timeout", "ms": 2000}), Disposition::Retry),
        (json!({"kind": "garbage"}), Disposition::LookUp),
    ];
    for (n, (script, disposition)) in (20..).zip(cases) {
        fault(url, "create_intent", script.clone()).await;
        let order = order(&payment(n), money("10.00", "USD"));
        let error = stripe.open_session(&order).await.unwrap_err();
        assert_eq!(error.disposition(), disposition, "{script}: {error:?}");
        // What is worth trying again works the second time, and has happened once.
        let again = stripe.open_session(&order).await;
        assert!(again.is_ok(), "{script}: {again:?}");
    }
    fault(url, "create_intent", refuse(402, "card_declined")).await;
    let refused = stripe.open_session(&order(&payment(90), money("10.00", "USD"))).await.unwrap_err();
    assert_eq!(refused, PspError::Refused { code: "card_declined".to_owned(), message: "No.".to_owned() });
}

#[tokio::test]
async fn a_wrong_key_a_wrong_host_and_an_amount_without_a_unit_are_told_apart() {
    let running = simulators().await;
    let url = running.url("stripe");
    let wrong = json!({"secret_key": "sk_wrong", "webhook_secrets": ["whsec_local"]});
    let order = order(&payment(1), money("10.00", "USD"));
    let error = psp("stripe", settings(url, &wrong, CALL_TIMEOUT)).open_session(&order).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Hold, "{error:?}");

    let nobody = psp("stripe", settings("http://127.0.0.1:1", &secret(), CALL_TIMEOUT));
    let error = nobody.open_session(&order).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Retry, "{error:?}");
    assert_eq!(nobody.look_up(&payment(1), "pi_1").await.unwrap_err().disposition(), Disposition::Retry);

    let order = crate::support::order(&payment(1), money("10", "UGX"));
    let error = stripe(url).open_session(&order).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::GiveUp, "{error:?}");
}

/// Stripe keeps the first answer under a key once it has begun to work, a 500 as well, and gives it to every repeat for a day.
#[tokio::test]
async fn an_internal_error_that_stripe_keeps_under_the_key_is_not_all_that_a_repeat_gets() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut failed: Option<String> = None;
        while let Ok((mut socket, _)) = listener.accept().await {
            let Some(head) = read_request(&mut socket).await else { continue };
            let key = head.lines().find_map(|line| line.strip_prefix("idempotency-key: ")).unwrap_or_default();
            let first = failed.is_none();
            let answer = if *failed.get_or_insert_with(|| key.to_owned()) == key {
                let replayed = if first { "" } else { "idempotent-replayed: true\r\n" };
                let body = r#"{"error":{"type":"api_error","message":"An unknown error occurred"}}"#;
                format!("HTTP/1.1 500 Error\r\n{replayed}content-length: {}\r\n\r\n{body}", body.len())
            } else {
                let body = r#"{"id":"pi_2","client_secret":"s"}"#;
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            };
            drop(tokio::io::AsyncWriteExt::write_all(&mut socket, answer.as_bytes()).await);
        }
    });
    let stripe = stripe(&url);
    let order = order(&payment(1), money("100.50", "USD"));
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(stripe.open_session(&order).await.map(|session| session.reference));
    }
    assert!(matches!(answers.first(), Some(Err(PspError::Unavailable(_)))), "{answers:?}");
    assert!(answers.iter().any(Result::is_ok), "a portal that repeats as it is told never gets a session: {answers:?}");
}

/// One request; `None` when the connection ended first. Its body may be left in the socket.
async fn read_request(socket: &mut tokio::net::TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = tokio::io::AsyncReadExt::read(socket, &mut buffer).await.ok().filter(|read| *read > 0)?;
        text.extend_from_slice(buffer.get(..read)?);
        let head = String::from_utf8_lossy(&text).into_owned();
        let Some((lines, body)) = head.split_once("\r\n\r\n") else { continue };
        let length = lines.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(lines.to_owned());
        }
    }
}

/// How many intents the simulator has for a payment.
async fn intents(base: &str, payment: &str) -> usize {
    let request = http::Request::get(format!("{base}/_control/state?payment_id={payment}")).body(bytes::Bytes::new());
    let response = HyperTransport::new().send(request.unwrap(), CALL_TIMEOUT).await.unwrap();
    let state: Value = serde_json::from_slice(response.body()).unwrap();
    let all = state["intents"].as_array().unwrap().iter();
    all.filter(|intent| intent["metadata"]["payment_id"] == payment).count()
}

#[tokio::test]
async fn a_payment_that_failed_inside_stripe_is_opened_once_by_the_repeats() {
    let running = simulators().await;
    let url = running.url("stripe");
    let stripe = stripe(url);
    let order = order(&payment(41), money("10.00", "USD"));
    let failing = json!([{"operation": "create_intent", "fault": {"kind": "refuse", "status": 500}, "times": 2}]);
    control(url, "/_control/faults", &failing).await;
    // the payment's own key is spent by the first, the one after it by the second
    for _ in 0..2 {
        let failed = stripe.open_session(&order).await;
        assert!(matches!(failed, Err(PspError::Unavailable(_))), "{failed:?}");
    }
    let session = stripe.open_session(&order).await.unwrap();
    for _ in 0..3 {
        assert_eq!(stripe.open_session(&order).await.unwrap(), session);
    }
    assert_eq!(intents(url, order.payment_id.as_str()).await, 1);
}

/// The search is behind: the keys alone lead every repeat to the same intent.
#[tokio::test]
async fn repeats_end_at_one_payment_without_the_search_as_well() {
    let running = simulators().await;
    let url = running.url("stripe");
    let stripe = stripe(url);
    let order = order(&payment(42), money("10.00", "USD"));
    let script = json!([
        {"operation": "create_intent", "fault": {"kind": "refuse", "status": 500}},
        {"operation": "search_intents", "fault": {"kind": "answer", "body": {"data": []}}, "times": 0},
    ]);
    control(url, "/_control/faults", &script).await;
    assert!(stripe.open_session(&order).await.is_err());
    let session = stripe.open_session(&order).await.unwrap();
    assert_eq!(stripe.open_session(&order).await.unwrap(), session);
    assert_eq!(intents(url, order.payment_id.as_str()).await, 1);
}

/// The answer is lost, and the client's address is another one when the portal repeats: the intent is there.
#[tokio::test]
async fn a_payment_whose_form_has_changed_since_is_the_one_that_is_there() {
    let running = simulators().await;
    let url = running.url("stripe");
    let stripe = stripe(url);
    let mut order = order(&payment(43), money("10.00", "USD"));
    fault(url, "create_intent", json!({"kind": "apply_then_drop"})).await;
    assert!(stripe.open_session(&order).await.is_err());
    order.email = Redacted::new("other@example.com".to_owned());
    let session = stripe.open_session(&order).await.unwrap();
    assert_eq!(stripe.open_session(&order).await.unwrap(), session);
    assert_eq!(intents(url, order.payment_id.as_str()).await, 1);
    // another payment's intent, or one of another amount, is nobody's answer
    order.amount = money("11.00", "USD");
    let other = stripe.open_session(&order).await.unwrap();
    assert_ne!(other.reference, session.reference);
    // while the search does not answer nothing is made anew
    order.email = Redacted::new("third@example.com".to_owned());
    fault(url, "search_intents", json!({"kind": "drop"})).await;
    assert!(matches!(stripe.open_session(&order).await, Err(PspError::Unavailable(_))));
    assert_eq!(intents(url, order.payment_id.as_str()).await, 2);
}
