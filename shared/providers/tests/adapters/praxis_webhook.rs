//! Praxis's signed notifications: vectors, the negative list, what each says, and our signed answers.

use domain::payment::{PspReport, PspStatus};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use providers::psp::{Psp, VendorError, WebhookAnswer, WebhookError, vendor};
use serde_json::{Value, json};
use sha2::{Digest, Sha384};

use crate::support::{at, money, payment, psp, settings};

const T: i64 = 1_700_000_000;

fn secret() -> Value {
    json!({"merchant_id": "MID", "application_key": "APP", "secret": "SECRET"})
}

fn praxis(legacy: bool) -> Box<dyn Psp> {
    let mut settings = settings("https://gw.praxis.invalid", &secret(), std::time::Duration::from_secs(1));
    settings.legacy = legacy;
    psp("praxis", settings)
}

fn hash(values: &[&str]) -> String {
    hex::encode(Sha384::digest(values.concat()))
}

fn header(value: &str) -> HeaderMap {
    HeaderMap::from_iter([("Gt-Authentication".parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())])
}

fn read(body: &str, signature: &str, now: i64) -> Result<PspReport, WebhookError> {
    praxis(false).read_webhook(&header(signature), body.as_bytes(), at(now))
}

fn refusal(result: Result<PspReport, WebhookError>) -> &'static str {
    match result {
        Err(WebhookError::BadSignature(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// A notification with the transaction's members as written.
fn notification(order_id: &str, transaction: &str) -> String {
    format!(
        r#"{{"merchant_id":"MID","application_key":"APP","timestamp":{T},"version":"1.3",
        "customer":{{"customer_token":"CTOK","country":"GB"}},
        "session":{{"order_id":"{order_id}","session_status":"open"}},"transaction":{transaction}}}"#
    )
}

fn transaction(kind: &str, status: &str) -> String {
    format!(
        r#"{{"transaction_type":"{kind}","transaction_status":"{status}","tid":756850,"transaction_id":"13348",
        "currency":"EUR","amount":10000,"conversion_rate":1.000000,"processed_currency":"USD","processed_amount":10850}}"#
    )
}

fn signature(order_id: &str) -> String {
    let t = T.to_string();
    hash(&["MID", "APP", &t, "CTOK", order_id, "756850", "EUR", "10000", "1.000000", "USD", "10850", "SECRET"])
}

fn report(kind: &str, status: &str) -> PspReport {
    let id = payment(1);
    read(&notification(id.as_str(), &transaction(kind, status)), &signature(id.as_str()), T).unwrap()
}

#[test]
fn the_vector_of_the_current_rule_passes() {
    let body = r#"{"merchant_id":"MID","application_key":"APP","timestamp":1700000000,
        "customer":{"customer_token":"CTOK"},"session":{"order_id":"DEP-1"},
        "transaction":{"tid":123456,"currency":"USD","amount":10000,"conversion_rate":1,"processed_currency":"USD",
        "processed_amount":10000,"transaction_type":"sale","transaction_status":"approved"},"version":"1.3"}"#;
    let vector = "3a6dd8fa1671cf06c4eb312dfebe3796f114239800e1798d31d9d65afaa3633bef92c31e6dc7a54172d949bce8363a11";
    let report = read(body, vector, T).unwrap();
    assert_eq!((report.payment_id, report.reference.as_str()), (None, "123456"));
    assert_eq!((report.status, report.money), (PspStatus::Succeeded, Some(money("100.00", "USD"))));
    assert!(read(body, &vector.to_uppercase(), T).is_ok());
}

#[test]
fn numbers_sign_as_they_are_written_and_whitespace_does_not_matter() {
    let id = payment(1);
    let body = notification(id.as_str(), &transaction("sale", "approved"));
    let good = signature(id.as_str());
    assert!(read(&body, &good, T).is_ok());
    assert!(read(&body.replace(':', " : "), &good, T).is_ok());
    // A parser that reads 1.000000 as a number writes 1.0.
    let value: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(refusal(read(&value.to_string(), &good, T)), "signature does not match");
}

#[test]
fn a_wrong_secret_and_a_change_of_any_signed_value_fail() {
    let id = payment(1);
    let body = notification(id.as_str(), &transaction("sale", "approved"));
    let good = signature(id.as_str());
    for (from, to) in [
        ("MID", "MIC"),
        ("\"APP\"", "\"APQ\""),
        ("1700000000", "1700000001"),
        ("CTOK", "CTOL"),
        (id.as_str(), payment(2).as_str()),
        ("756850", "756851"),
        ("EUR", "GBP"),
        ("10000,", "10001,"),
        ("1.000000", "1.100000"),
        ("USD", "EUR"),
        ("10850", "10851"),
        ("10850", "\"108500\""),
    ] {
        let changed = body.replacen(from, to, 1);
        assert_ne!(changed, body);
        assert_eq!(refusal(read(&changed, &good, T)), "signature does not match", "{from}");
    }
    let t = T.to_string();
    let id = id.as_str();
    let other = hash(&["MID", "APP", &t, "CTOK", id, "756850", "EUR", "10000", "1.000000", "USD", "10850", "OTHER"]);
    assert_eq!(refusal(read(&body, &other, T)), "signature does not match");
}

#[test]
fn a_missing_empty_or_odd_header_fails() {
    let id = payment(1);
    let body = notification(id.as_str(), &transaction("sale", "approved"));
    let missing = praxis(false).read_webhook(&HeaderMap::new(), body.as_bytes(), at(T));
    assert_eq!(refusal(missing), "header `Gt-Authentication` is missing");
    let good = signature(id.as_str());
    for odd in ["", "00", &good[1..], &good[..95], &format!("{good}00"), "nonsense", "ä", &hash(&["SECRET"])] {
        assert!(matches!(read(&body, odd, T), Err(WebhookError::BadSignature(_))), "{odd}");
    }
}

#[test]
fn a_time_stamp_passes_up_to_the_tolerance_in_both_directions() {
    let id = payment(1);
    let body = notification(id.as_str(), &transaction("sale", "approved"));
    let good = signature(id.as_str());
    for (now, passes) in [(T, true), (T + 300, true), (T - 300, true), (T + 301, false), (T - 301, false)] {
        assert_eq!(read(&body, &good, now).is_ok(), passes, "{now}");
    }
    let timeless = body.replace("1700000000", "null");
    let signed =
        hash(&["MID", "APP", "CTOK", id.as_str(), "756850", "EUR", "10000", "1.000000", "USD", "10850", "SECRET"]);
    assert_eq!(refusal(read(&timeless, &signed, T)), "time stamp is missing or not in seconds");
}

#[test]
fn a_message_for_another_application_fails_though_its_signature_is_right() {
    let body = notification("x", "null").replace("\"APP\"", "\"APQ\"");
    let signed = hash(&["MID", "APQ", &T.to_string(), "CTOK", "x", "SECRET"]);
    assert_eq!(refusal(read(&body, &signed, T)), "message is for another merchant or application");
}

#[test]
fn what_cannot_be_signed_is_not_signed() {
    for body in ["", "[]", "null", "1", "{", "{\"merchant_id\":{}}", "{\"transaction\":[]}", "{\"session\":1}"] {
        assert!(matches!(read(body, &hash(&["SECRET"]), T), Err(WebhookError::BadSignature(_))), "{body}");
    }
    let result = praxis(false).read_webhook(&header("00"), b"{\"merchant_id\":\"\xff\"}", at(T));
    assert!(matches!(result, Err(WebhookError::BadSignature(_))));
}

#[test]
fn an_approved_sale_reports_what_was_processed() {
    let wanted = PspReport {
        psp: "test-psp".to_owned(),
        event_id: "756850:sale.approved".to_owned(),
        kind: "sale.approved".to_owned(),
        payment_id: Some(payment(1)),
        reference: "756850".to_owned(),
        status: PspStatus::Succeeded,
        money: Some(money("108.50", "USD")),
        at: at(T),
    };
    assert_eq!(report("sale", "approved"), wanted);
    assert_eq!(report("sale", "rejected").status, PspStatus::Failed);
    assert_eq!(report("payout", "approved").status, PspStatus::Irrelevant);
}

#[test]
fn without_a_processed_amount_the_asked_one_counts_and_an_unreadable_one_is_no_money() {
    let id = payment(1);
    let read = |amounts: &str, values: &[&str]| {
        let transaction = format!(
            r#"{{"transaction_type":"sale","transaction_status":"approved","tid":1,"conversion_rate":null,{amounts}}}"#
        );
        let t = T.to_string();
        let mut signed = vec!["MID", "APP", &t, "CTOK", id.as_str(), "1"];
        signed.extend(values);
        signed.push("SECRET");
        read(&notification(id.as_str(), &transaction), &hash(&signed), T).unwrap().money
    };
    let asked = r#""currency":"EUR","amount":10000"#;
    assert_eq!(read(asked, &["EUR", "10000"]), Some(money("100.00", "EUR")));
    let nulls = r#""currency":"EUR","amount":10000,"processed_currency":null,"processed_amount":null"#;
    assert_eq!(read(nulls, &["EUR", "10000"]), Some(money("100.00", "EUR")));
    let crypto = r#""currency":"EUR","amount":10000,"processed_currency":"BTC","processed_amount":3"#;
    assert_eq!(read(crypto, &["EUR", "10000", "BTC", "3"]), None);
    let half = r#""currency":"EUR","amount":10000,"processed_currency":"USD""#;
    assert_eq!(read(half, &["EUR", "10000", "USD"]), None);
    let yen = r#""currency":"JPY","amount":"10000""#;
    assert_eq!(read(yen, &["JPY", "10000"]), Some(money("10000", "JPY")));
}

#[test]
fn a_session_without_a_transaction_has_expired() {
    let id = payment(3);
    let signed = hash(&["MID", "APP", &T.to_string(), "CTOK", id.as_str(), "SECRET"]);
    for body in
        [notification(id.as_str(), "null"), notification(id.as_str(), "null").replace(",\"transaction\":null", "")]
    {
        let report = read(&body, &signed, T).unwrap();
        assert_eq!((report.status, report.kind.as_str()), (PspStatus::Canceled, "session.expired"));
        assert_eq!((report.payment_id, report.reference.as_str()), (Some(id.clone()), ""));
        assert_eq!(report.event_id, format!("{id}:session.expired"));
    }
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    let body = notification("", r#"{"amount":1}"#);
    let signed = hash(&["MID", "APP", &T.to_string(), "CTOK", "1", "SECRET"]);
    let Err(WebhookError::Malformed { faults }) = read(&body, &signed, T) else { panic!() };
    let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/session/order_id", "/transaction/tid", "/transaction/transaction_status"]);
}

fn legacy(secret: &str) -> String {
    let id = payment(4);
    let t = T.to_string();
    // Sorted by name: amount, application_key, charge_amount, charge_currency, currency, error_details (null),
    // merchant_id, order_id, timestamp, trace_id, transaction_status, transaction_type, version.
    let signature =
        hash(&["10000", "APP", "9950", "EUR", "EUR", "MID", id.as_str(), &t, "77", "approved", "sale", "1.1", secret]);
    format!(
        r#"{{"version":"1.1","merchant_id":"MID","application_key":"APP","timestamp":{T},"order_id":"{id}",
        "transaction_type":"sale","transaction_status":"approved","trace_id":77,"amount":10000,"currency":"EUR",
        "charge_amount":9950,"charge_currency":"EUR","error_details":null,"signature":"{signature}"}}"#
    )
}

#[test]
fn the_former_rule_passes_only_where_it_is_switched_on() {
    let read = |legacy_on: bool, body: &str| praxis(legacy_on).read_webhook(&HeaderMap::new(), body.as_bytes(), at(T));
    let report = read(true, &legacy("SECRET")).unwrap();
    assert_eq!((report.payment_id, report.reference.as_str()), (Some(payment(4)), "77"));
    assert_eq!((report.status, report.money), (PspStatus::Succeeded, Some(money("99.50", "EUR"))));
    assert_eq!(refusal(read(false, &legacy("SECRET"))), "header `Gt-Authentication` is missing");
    assert_eq!(refusal(read(true, &legacy("OTHER"))), "signature does not match");
    assert_eq!(refusal(read(true, &legacy("SECRET").replace("9950", "9951"))), "signature does not match");
    assert_eq!(refusal(read(true, &legacy("SECRET").replace("approved", "reversed"))), "signature does not match");
    assert_eq!(refusal(read(true, "{}")), "member `signature` is missing");
    // A wrong header is not made good by a right member.
    let both = praxis(true).read_webhook(&header("00"), legacy("SECRET").as_bytes(), at(T));
    assert_eq!(refusal(both), "signature does not match");
}

#[test]
fn answers_are_signed_except_to_those_who_did_not_sign() {
    let praxis = praxis(false);
    let cases = [
        (WebhookAnswer::Accepted, 200, 0),
        (WebhookAnswer::Ignored("payouts are handled elsewhere"), 200, 0),
        (WebhookAnswer::Malformed, 400, 1),
        (WebhookAnswer::TryAgain, 503, -1),
    ];
    for (answer, http, status) in cases {
        let response = praxis.answer(answer, at(T));
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(response.status(), http);
        assert_eq!((&body["status"], &body["timestamp"], &body["version"]), (&json!(status), &json!(T), &json!("1.3")));
        assert!(!body["description"].as_str().unwrap().is_empty());
        let signed = hash(&[&status.to_string(), &T.to_string(), "SECRET"]);
        assert_eq!(response.headers()["gt-authentication"].to_str().unwrap(), signed);
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    }
    let refused = praxis.answer(WebhookAnswer::BadSignature, at(T));
    assert_eq!(refused.status(), 401);
    assert!(!refused.headers().contains_key("gt-authentication"));
    assert!(!praxis.webhook_proves_status());
}

#[test]
fn settings_that_would_let_anybody_sign_are_refused() {
    for secret in [
        json!({}),
        json!({"merchant_id": "MID", "application_key": "APP", "secret": ""}),
        json!({"merchant_id": "", "application_key": "APP", "secret": "SECRET"}),
    ] {
        let settings = settings("https://gw.praxis.invalid", &secret, std::time::Duration::from_secs(1));
        assert_eq!(vendor("praxis", settings).err(), Some(VendorError::BadSecret("test-psp".to_owned())));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_verifier_panic_or_pass(
        header in prop::collection::vec(any::<u8>(), 0..120),
        body in prop::collection::vec(any::<u8>(), 0..200),
        legacy: bool,
    ) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&header) {
            headers.insert("gt-authentication", value);
        }
        let result = praxis(legacy).read_webhook(&headers, &body, at(T));
        prop_assert!(matches!(result, Err(WebhookError::BadSignature(_))));
    }

    #[test]
    fn no_signed_amount_makes_the_reader_panic(amount in "-?[0-9]{1,30}(\\.[0-9]{1,30})?", currency in "[A-Z]{3}") {
        let transaction = format!(
            r#"{{"tid":1,"transaction_status":"approved","processed_amount":"{amount}","processed_currency":"{currency}"}}"#
        );
        let signed = hash(&["MID", "APP", &T.to_string(), "CTOK", "x", "1", &currency, &amount, "SECRET"]);
        let report = read(&notification("x", &transaction), &signed, T).unwrap();
        prop_assert!(report.money.is_none_or(|money| !money.amount().is_sign_negative()));
    }
}
