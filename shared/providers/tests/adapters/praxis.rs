//! Praxis's API against the simulator, and its webhooks as the simulator sends them.

use std::sync::Arc;

use domain::payment::{PspStatus, Returned, Way};
use providers::Disposition;
use providers::psp::{Psp, PspError};
use serde_json::{Value, json};

use crate::support::{
    CALL_TIMEOUT, SHORT_TIMEOUT, at, control, fault, money, order, payment, psp, settings, simulators,
};

fn secret() -> Value {
    json!({"merchant_id": "API-Local", "application_key": "local-application", "secret": "local-praxis-secret"})
}

fn praxis(url: &str) -> Box<dyn Psp> {
    psp("praxis", settings(url, &secret(), CALL_TIMEOUT))
}

#[tokio::test]
async fn opening_a_session_twice_opens_it_once_and_it_waits_for_the_payer() {
    let running = simulators().await;
    let praxis = praxis(running.url("praxis"));
    let order = order(&payment(1), money("100.50", "USD"));
    let session = praxis.open_session(&order).await.unwrap();
    assert_eq!(session.reference, "");
    assert!(session.redirect_url.starts_with(running.url("praxis")), "{}", session.redirect_url);
    assert_eq!(praxis.open_session(&order).await.unwrap(), session);

    let report = praxis.look_up(&order.payment_id, "").await.unwrap().unwrap();
    assert_eq!((report.status, report.payment_id), (PspStatus::Pending, Some(payment(1))));
}

#[tokio::test]
async fn what_a_payer_does_is_found_by_looking_it_up() {
    let running = simulators().await;
    let url = running.url("praxis");
    let praxis = praxis(url);
    let cases = [
        ("approved", PspStatus::Succeeded),
        ("pending", PspStatus::Pending),
        ("pending_async", PspStatus::Processing),
        ("authorized", PspStatus::Processing),
        ("rejected", PspStatus::Failed),
        ("error", PspStatus::Failed),
        ("cancelled", PspStatus::Canceled),
        ("expired", PspStatus::Canceled),
    ];
    for (n, (outcome, status)) in (10..).zip(cases) {
        let order = order(&payment(n), money("20.00", "EUR"));
        praxis.open_session(&order).await.unwrap();
        let pay = json!({
            "payment_id": order.payment_id, "outcome": outcome, "processed_amount_minor": 2_170,
            "processed_currency": "USD", "conversion_rate": "1.085000", "webhook": {"never": true},
        });
        control(url, "/_control/pay", &pay).await;
        let report = praxis.look_up(&order.payment_id, "").await.unwrap().unwrap();
        assert_eq!((report.status, report.payment_id), (status, Some(payment(n))), "{outcome}");
        if outcome != "expired" {
            assert_eq!(report.money, Some(money("21.70", "USD")), "{outcome}");
        }
    }
    for (n, (outcome, way)) in (30..).zip([("chargeback", Way::Dispute), ("reversed", Way::Refund)]) {
        let order = order(&payment(n), money("20.00", "EUR"));
        praxis.open_session(&order).await.unwrap();
        let pay = json!({"payment_id": order.payment_id, "outcome": outcome, "webhook": {"never": true}});
        control(url, "/_control/pay", &pay).await;
        let report = praxis.look_up(&order.payment_id, "").await.unwrap().unwrap();
        let (id, amount) = (report.reference.clone(), Some(money("20.00", "EUR")));
        let told = PspStatus::Returned(Returned::One { id, way, stands: true, amount });
        assert_eq!((report.status, report.payment_id), (told, Some(payment(n))), "{outcome}");
    }
    assert_eq!(praxis.look_up(&payment(99), "").await, Ok(None));
}

#[tokio::test]
async fn each_failure_says_whether_to_try_again() {
    let running = simulators().await;
    let url = running.url("praxis");
    let praxis = psp("praxis", settings(url, &secret(), SHORT_TIMEOUT));
    let cases = [
        (json!({"kind": "refuse", "retcode": 5, "message": "Limit exceeded"}), Disposition::GiveUp),
        (json!({"kind": "refuse", "retcode": -1}), Disposition::Retry),
        (json!({"kind": "drop"}), Disposition::Retry),
        (json!({"kind": "apply_then_timeout", "ms": 2000}), Disposition::Retry),
        (json!({"kind": "garbage"}), Disposition::LookUp),
        (json!({"kind": "apply_then_garbage"}), Disposition::LookUp),
    ];
    for (n, (script, disposition)) in (20..).zip(cases) {
        fault(url, "cashier", script.clone()).await;
        let order = order(&payment(n), money("10.00", "USD"));
        let error = praxis.open_session(&order).await.unwrap_err();
        assert_eq!(error.disposition(), disposition, "{script}: {error:?}");
        assert!(praxis.open_session(&order).await.is_ok(), "{script}");
    }
}

#[tokio::test]
async fn a_wrong_secret_and_an_amount_without_a_unit_are_refused() {
    let running = simulators().await;
    let url = running.url("praxis");
    let mut wrong = secret();
    wrong["secret"] = json!("wrong");
    let order = order(&payment(1), money("10.00", "USD"));
    let error = psp("praxis", settings(url, &wrong, CALL_TIMEOUT)).open_session(&order).await.unwrap_err();
    assert!(matches!(error, PspError::Refused { .. }), "{error:?}");
    let order = crate::support::order(&payment(1), money("10.000", "KWD"));
    let error = praxis(url).open_session(&order).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::GiveUp, "{error:?}");
}

#[tokio::test]
async fn the_vendors_clock_is_the_settings_clock_in_a_look_up() {
    let running = simulators().await;
    let url = running.url("praxis");
    let mut settings = settings(url, &secret(), CALL_TIMEOUT);
    settings.clock = Arc::new(|| at(1_700_000_000));
    let praxis = psp("praxis", settings);
    praxis.open_session(&order(&payment(1), money("10.00", "USD"))).await.unwrap();
    // Signed with the time that was sent: the simulator would refuse any other.
    assert!(praxis.look_up(&payment(1), "").await.unwrap().is_some());
}
