//! Praxis's signed notifications: vectors, the negative list, what each says, and our signed answers.

use domain::payment::rules::Vendor;
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
fn only_what_was_processed_is_money_and_an_unreadable_amount_is_none() {
    let id = payment(1);
    let read = |amounts: &str, values: &[&str]| {
        let transaction = format!(r#"{{"transaction_type":"sale","transaction_status":"approved","tid":1,{amounts}}}"#);
        let t = T.to_string();
        let mut signed = vec!["MID", "APP", &t, "CTOK", id.as_str(), "1"];
        signed.extend(values);
        signed.push("SECRET");
        crate::praxis_webhook::read(&notification(id.as_str(), &transaction), &hash(&signed), T)
    };
    let money_of = |amounts: &str, values: &[&str]| read(amounts, values).unwrap().money;
    // The signed text does not tell an asked amount from one with a rate behind it.
    let asked = r#""currency":"EUR","amount":10000"#;
    assert_eq!(money_of(asked, &["EUR", "10000"]), None);
    let nulls = r#""currency":"EUR","amount":10000,"processed_currency":null,"processed_amount":null"#;
    assert_eq!(money_of(nulls, &["EUR", "10000"]), None);
    let crypto = r#""currency":"EUR","amount":10000,"processed_currency":"BTC","processed_amount":3"#;
    assert_eq!(money_of(crypto, &["EUR", "10000", "BTC", "3"]), None);
    let yen =
        r#""currency":"USD","amount":9,"conversion_rate":0.5,"processed_currency":"JPY","processed_amount":"10000""#;
    assert_eq!(money_of(yen, &["USD", "9", "0.5", "JPY", "10000"]), Some(money("10000", "JPY")));
    let half = r#""currency":"EUR","amount":10000,"processed_currency":"USD""#;
    assert!(matches!(read(half, &["EUR", "10000", "USD"]), Err(WebhookError::Malformed { .. })));
    let half = r#""currency":"EUR","amount":10000,"processed_amount":10"#;
    assert!(matches!(read(half, &["EUR", "10000", "10"]), Err(WebhookError::Malformed { .. })));
}

/// Every way to write the same signed text into the fields, in the current form or another, that is not the message
/// itself.
#[test]
fn no_other_cut_of_a_signed_text_is_a_message() {
    let id = payment(1);
    let good = signature(id.as_str());
    let own = transaction("sale", "approved");
    assert!(read(&notification(id.as_str(), &own), &good, T).is_ok());
    let message = |order: &str, token: &str, transaction: &str| notification(order, transaction).replace("CTOK", token);
    let fields = |tid: &str, currency: &str, amount: &str, rate: &str, unit: &str, processed: &str| {
        let part =
            |name: &str, value: &str| if value.is_empty() { String::new() } else { format!(r#","{name}":"{value}""#) };
        format!(
            r#"{{"transaction_type":"sale","transaction_status":"approved"{}{}{}{}{}{}}}"#,
            part("tid", tid),
            part("currency", currency),
            part("amount", amount),
            part("conversion_rate", rate),
            part("processed_currency", unit),
            part("processed_amount", processed),
        )
    };
    let whole = format!("{id}756850");
    let id = id.as_str();
    let cuts = [
        // Another order, by moving the border to the token or to the number.
        message(&whole[..id.len() + 1], "CTOK", &fields("56850", "EUR", "10000", "1.000000", "USD", "10850")),
        message(
            &id[..id.len() - 1],
            "CTOK",
            &fields(&format!("{}756850", &id[id.len() - 1..]), "EUR", "10000", "1.000000", "USD", "10850"),
        ),
        message(&id[3..], "CTOKpay", &fields("756850", "EUR", "10000", "1.000000", "USD", "10850")),
        message("756850", &format!("CTOK{id}"), &fields("756850", "EUR", "10000", "1.000000", "USD", "10850"))
            .replace("\"tid\":\"756850\",", ""),
        message("7568", &format!("CTOK{id}"), &fields("50", "EUR", "10000", "1.000000", "USD", "10850")),
        // Another amount: the rate read as part of it, or the other way round.
        message(id, "CTOK", &fields("756850", "EUR", "100001.000000USD10850", "", "", "")),
        message(id, "CTOK", &fields("756850", "", "", "EUR100001.000000", "USD", "10850")),
        message(id, "CTOK", &fields("756850EUR100001.000000", "USD", "10850", "", "", "")),
        message(id, "CTOK", &fields("756850", "EUR", "10000", "1.000000USD10850", "", "")),
        message(id, "CTOK", &fields("756850", "EUR", "1000", "01.000000", "USD", "10850")),
        message(id, "CTOK", &fields("756850", "EUR", "10000", "1.000000", "USD10", "850")),
        message(id, "CTOK", &fields("756850", "EUR", "10000", "1.000000", "", "USD10850")),
        message(id, "CTOK", &fields("75685", "0EUR", "10000", "1.000000", "USD", "10850")),
        message(id, "CTOK", &fields("756850E", "UR", "10000", "1.000000", "USD", "10850")),
        // No transaction at all, and the former form with values where they are not signed.
        message(id, "CTOK", "null")
            .replace(",\"transaction\":null", ",\"order_id\":\"pay_x\",\"transaction_status\":\"approved\""),
    ];
    for cut in cuts {
        let result = read(&cut, &good, T);
        assert!(result.is_err(), "{cut}\n{result:?}");
    }
    // What the rate takes from the asked amount is not read in either reading.
    for (amount, rate) in [("100001.000000", ""), ("1", "00001.000000")] {
        let cut = message(id, "CTOK", &fields("756850", "EUR", amount, rate, "USD", "10850"));
        if let Ok(report) = read(&cut, &good, T) {
            let own = read(&notification(id, &own), &good, T).unwrap();
            assert_eq!(report, own, "{cut}");
        }
    }
}

#[test]
fn a_message_with_the_header_is_never_read_by_the_former_rule() {
    let id = payment(1);
    let good = signature(id.as_str());
    let flat = format!(
        r#"{{"merchant_id":"MID","application_key":"APP","timestamp":{T},"order_id":"{}","trace_id":"756850",
        "transaction_status":"approved","charge_amount":99999900,"charge_currency":"USD",
        "customer":{{"customer_token":"CTOK{id}756850EUR100001.000000USD10850"}}}}"#,
        payment(2)
    );
    for legacy in [false, true] {
        let result = praxis(legacy).read_webhook(&header(&good), flat.as_bytes(), at(T));
        assert!(result.is_err(), "{result:?}");
    }
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
    let wanted = ["/session/order_id", "/transaction/tid", "/transaction/currency", "/transaction/transaction_status"];
    assert_eq!(pointers, wanted);
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
        json!({"merchant_id": "MID", "application_key": "APP", "secret": " "}),
        json!({"merchant_id": "", "application_key": "APP", "secret": "SECRET"}),
    ] {
        let settings = settings("https://gw.praxis.invalid", &secret, std::time::Duration::from_secs(1));
        assert_eq!(vendor(Vendor::Praxis, settings).err(), Some(VendorError::BadSecret("test-psp".to_owned())));
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
            r#"{{"tid":1,"transaction_status":"approved","currency":"USD","amount":1,
            "processed_amount":"{amount}","processed_currency":"{currency}"}}"#
        );
        let signed = hash(&["MID", "APP", &T.to_string(), "CTOK", "x", "1", "USD", "1", &currency, &amount, "SECRET"]);
        let plain = !amount.starts_with('-') && (!amount.starts_with('0') || amount == "0" || amount.starts_with("0."));
        match read(&notification("x", &transaction), &signed, T) {
            Ok(report) => {
                prop_assert!(plain);
                prop_assert!(report.money.is_none_or(|money| !money.amount().is_sign_negative()));
            }
            Err(error) => {
                let malformed = matches!(error, WebhookError::Malformed { .. });
                prop_assert!(!plain && malformed);
            }
        }
    }
}
