//! Stripe's API against the simulator.

use domain::payment::PspStatus;
use providers::Disposition;
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
