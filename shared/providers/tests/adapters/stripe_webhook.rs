//! Stripe's signed events: the published vector, the negative list, what each event says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::payment::rules::Vendor;
use domain::payment::{PspReport, PspStatus, Returned, Way};
use domain::{Seconds, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use providers::psp::{Psp, VendorError, WebhookAnswer, WebhookError, vendor};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{at, money, payment, psp, settings};

const SECRET: &str = "whsec_test";
const T: i64 = 1_700_000_000;

/// Published in the vendor's .NET library; the time stamp is its own.
const PUBLISHED_BODY: &str = "ewogICJpZCI6ICJldnRfMTIzIiwKICAib2JqZWN0IjogImV2ZW50IiwKICAiYWNjb3VudCI6ICJhY2N0XzEyMyIsCiAgImFwaV92ZXJzaW9uIjogIjIwMTctMDUtMjUiLAogICJjcmVhdGVkIjogMTUzMzIwNDYyMCwKICAiZGF0YSI6IHsKICAgICJvYmplY3QiOiB7CiAgICAgICJpZCI6ICJjdXNfMTIzIiwKICAgICAgIm9iamVjdCI6ICJjdXN0b21lciIsCiAgICAgICJjcmVhdGVkIjogMTIzNDU2Nzg5LAogICAgICAiZW1haWwiOiAidGVzdEBzdHJpcGUuY29tIiwKICAgICAgImxpdmVtb2RlIjogZmFsc2UsCiAgICAgICJtZXRhZGF0YSI6IHt9CiAgICB9CiAgfSwKICAibGl2ZW1vZGUiOiBmYWxzZSwKICAicGVuZGluZ193ZWJob29rcyI6IDEsCiAgInJlcXVlc3QiOiB7CiAgICAiaWQiOiAicmVxXzEyMyIsCiAgICAiaWRlbXBvdGVuY3lfa2V5IjogImlkZW1wb3RlbmN5LWtleS0xMjMiCiAgfSwKICAidHlwZSI6ICJjdXN0b21lci5jcmVhdGVkIgp9Cg==";
const PUBLISHED_T: i64 = 1_533_204_620;
const PUBLISHED_V1: &str = "2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7";

fn stripe(secrets: &[&str]) -> Box<dyn Psp> {
    let secret = json!({"secret_key": "sk_test", "webhook_secrets": secrets});
    psp("stripe", settings("https://api.stripe.invalid", &secret, std::time::Duration::from_secs(1)))
}

fn v1(secret: &str, t: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(t.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn header(value: &str) -> HeaderMap {
    HeaderMap::from_iter([("stripe-signature".parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())])
}

fn read(body: &[u8], signature: &str, now: i64) -> Result<PspReport, WebhookError> {
    stripe(&[SECRET]).read_webhook(&header(signature), body, at(now))
}

fn signed(body: &[u8]) -> String {
    format!("t={T},v1={}", v1(SECRET, &T.to_string(), body))
}

fn refusal(result: Result<PspReport, WebhookError>) -> &'static str {
    match result {
        Err(WebhookError::BadSignature(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn event(kind: &str, object: Value) -> Vec<u8> {
    json!({"id": "evt_1", "type": kind, "created": T, "data": {"object": object}}).to_string().into_bytes()
}

fn intent(more: Value) -> Value {
    let mut intent = json!({
        "id": "pi_1", "object": "payment_intent", "amount": 10_050, "amount_received": 10_000, "currency": "usd",
        "metadata": {"payment_id": payment(1)},
    });
    intent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    intent
}

fn report(kind: &str, object: Value) -> PspReport {
    let body = event(kind, object);
    read(&body, &signed(&body), T).unwrap()
}

#[test]
fn the_published_vector_passes_and_without_its_last_line_feed_fails() {
    let body = STANDARD.decode(PUBLISHED_BODY).unwrap();
    let stripe = stripe(&["webhook_secret"]);
    let headers = header(&format!("t={PUBLISHED_T},v1={PUBLISHED_V1}"));
    let report = stripe.read_webhook(&headers, &body, at(PUBLISHED_T)).unwrap();
    assert_eq!((report.kind.as_str(), report.status), ("customer.created", PspStatus::Irrelevant));
    assert_eq!((report.payment_id, report.money), (None, None));
    let cut = &body[..body.len() - 1];
    assert_eq!(refusal(stripe.read_webhook(&headers, cut, at(PUBLISHED_T))), "no signature matches");
    let own = "8c506d7d19ece69e9a38e398964787dda54eeb2583381ffc7f56070c28d7f119";
    assert!(stripe.read_webhook(&header(&format!("t={PUBLISHED_T},v1={own}")), cut, at(PUBLISHED_T)).is_ok());
}

#[test]
fn a_wrong_secret_a_changed_byte_and_a_rewritten_body_fail() {
    let body = event("payment_intent.succeeded", intent(json!({})));
    let good = signed(&body);
    assert!(read(&body, &good, T).is_ok());
    let other = format!("t={T},v1={}", v1("whsec_other", &T.to_string(), &body));
    assert_eq!(refusal(read(&body, &other, T)), "no signature matches");
    for at in [0, body.len() / 2, body.len() - 1] {
        let mut changed = body.clone();
        changed[at] ^= 1;
        assert_eq!(refusal(read(&changed, &good, T)), "no signature matches");
    }
    let value: Value = serde_json::from_slice(&body).unwrap();
    let rewritten = serde_json::to_vec_pretty(&value).unwrap();
    assert_eq!(refusal(read(&rewritten, &good, T)), "no signature matches");
}

#[test]
fn a_missing_empty_or_odd_header_fails() {
    let body = event("payment_intent.succeeded", intent(json!({})));
    let missing = stripe(&[SECRET]).read_webhook(&HeaderMap::new(), &body, at(T));
    assert_eq!(refusal(missing), "header `Stripe-Signature` is missing");
    let right = v1(SECRET, &T.to_string(), &body);
    let odd = [
        String::new(),
        format!("t={T}"),
        format!("t={T},v1="),
        format!("v1={right}"),
        format!("t=,v1={right}"),
        format!("t=abc,v1={right}"),
        format!("t=-{T},v1={right}"),
        format!("t={T},t={T},v1={right}"),
        format!("t={T},v0={right}"),
        format!("t={T},v1={}", &right[..63]),
        format!("t={T},v1={right}00"),
        format!("t={T},v1={}", &right[1..]),
        format!("t={T};v1={right}"),
        "t=99999999999999999999,v1=00".to_owned(),
        "ä".to_owned(),
    ];
    for signature in odd {
        assert!(matches!(read(&body, &signature, T), Err(WebhookError::BadSignature(_))), "{signature}");
    }
}

#[test]
fn a_time_stamp_passes_up_to_the_tolerance_in_both_directions() {
    let body = event("payment_intent.succeeded", intent(json!({})));
    for (now, passes) in [(T, true), (T + 300, true), (T - 300, true), (T + 301, false), (T - 301, false), (0, false)] {
        let result = read(&body, &signed(&body), now);
        assert_eq!(result.is_ok(), passes, "{now}");
        if !passes {
            assert_eq!(refusal(result), "time stamp is outside the tolerance");
        }
    }
    // The time is signed: another one does not pass with the old signature.
    let moved = format!("t={},v1={}", T + 1, v1(SECRET, &T.to_string(), &body));
    assert_eq!(refusal(read(&body, &moved, T)), "no signature matches");
}

#[test]
fn one_right_signature_of_several_and_one_right_secret_of_several_pass() {
    let body = event("payment_intent.succeeded", intent(json!({})));
    let right = v1(SECRET, &T.to_string(), &body);
    for signature in [
        format!("t={T},v1={},v1={right}", "00".repeat(32)),
        format!("t={T},v1={right},v1={}", "00".repeat(32)),
        format!("t={T},v1=nonsense,v0=x,v1={right}"),
        format!("v1={right}, t={T}"),
        format!("t={T},v1={}", right.to_uppercase()),
    ] {
        assert!(read(&body, &signature, T).is_ok(), "{signature}");
    }
    let rolled = stripe(&["whsec_new", SECRET]);
    assert!(rolled.read_webhook(&header(&signed(&body)), &body, at(T)).is_ok());
    let done = stripe(&["whsec_new"]);
    assert!(done.read_webhook(&header(&signed(&body)), &body, at(T)).is_err());
}

#[test]
fn a_body_that_is_not_text_is_malformed_only_once_it_is_signed() {
    let body = b"{\"id\":\"\xff\"}";
    assert!(matches!(read(body, "t=1,v1=00", T), Err(WebhookError::BadSignature(_))));
    assert!(matches!(read(body, &signed(body), T), Err(WebhookError::Malformed { .. })));
}

#[test]
fn what_is_about_no_payment_is_taken_whatever_it_lacks() {
    for body in [
        &br#"{"id":"evt_1","type":"account.updated"}"#[..],
        br#"{"id":"evt_1","type":"v2.core.event_destination.ping","data":{}}"#,
        br#"{"id":"evt_1","type":"customer.created","created":"yesterday","data":{"object":[]}}"#,
        br#"{"id":"evt_1","type":"invoice.paid","created":1,"data":{"object":{"amount":10050,"currency":"usd"}}}"#,
    ] {
        let report = read(body, &signed(body), T).unwrap();
        assert_eq!((report.status, report.payment_id, report.money), (PspStatus::Irrelevant, None, None));
    }
    for body in [&br#"{"id":"evt_1","type":"charge.refunded"}"#[..], br#"{"type":"customer.created"}"#] {
        assert!(matches!(read(body, &signed(body), T), Err(WebhookError::Malformed { .. })));
    }
}

#[test]
fn an_amount_that_stands_twice_says_nothing() {
    let body = br#"{"id":"evt_1","type":"payment_intent.succeeded","created":1,
        "data":{"object":{"id":"pi_1","amount_received":100,"amount_received":100000,"currency":"usd"}}}"#;
    let Err(WebhookError::Malformed { faults }) = read(body, &signed(body), T) else { panic!() };
    assert_eq!((faults[0].pointer.as_str(), faults[0].code), ("/data/object/amount_received", "duplicate_key"));
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    let body = b"{\"id\":\"\",\"data\":{\"object\":1}}";
    let Err(WebhookError::Malformed { faults }) = read(body, &signed(body), T) else { panic!() };
    let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/id", "/type", "/created", "/data/object"]);
    for body in [&b""[..], b"[]", b"null", b"1", b"\"x\"", b"{"] {
        assert!(matches!(read(body, &signed(body), T), Err(WebhookError::Malformed { .. })));
    }
}

#[test]
fn a_success_reports_what_was_received_and_other_events_what_was_asked() {
    let report = report("payment_intent.succeeded", intent(json!({})));
    let wanted = PspReport {
        psp: "test-psp".to_owned(),
        event_id: "evt_1".to_owned(),
        kind: "payment_intent.succeeded".to_owned(),
        payment_id: Some(payment(1)),
        reference: "pi_1".to_owned(),
        status: PspStatus::Succeeded,
        money: Some(money("100.00", "USD")),
        at: at(T),
    };
    assert_eq!(report, wanted);
    let cases = [
        ("payment_intent.created", PspStatus::Pending),
        ("payment_intent.requires_action", PspStatus::Pending),
        ("payment_intent.processing", PspStatus::Processing),
        ("payment_intent.payment_failed", PspStatus::Failed),
        ("payment_intent.canceled", PspStatus::Canceled),
        ("payment_intent.partially_funded", PspStatus::Irrelevant),
    ];
    for (kind, status) in cases {
        let report = self::report(kind, intent(json!({})));
        assert_eq!((report.status, report.money), (status, Some(money("100.50", "USD"))), "{kind}");
    }
}

#[test]
fn a_success_without_a_readable_amount_is_reported_without_money() {
    for more in [
        json!({"amount_received": null}),
        json!({"amount_received": "10000"}),
        json!({"amount_received": 100.5}),
        json!({"amount_received": -1}),
        json!({"currency": "xxx"}),
        json!({"currency": null}),
        json!({"currency": "ugx"}),
    ] {
        let report = report("payment_intent.succeeded", intent(more.clone()));
        assert_eq!((report.status, report.money), (PspStatus::Succeeded, None), "{more}");
    }
    let yen = report("payment_intent.succeeded", intent(json!({"amount_received": 500, "currency": "jpy"})));
    assert_eq!(yen.money, Some(money("500", "JPY")));
}

#[test]
fn refunds_and_disputes_lead_to_the_intent() {
    let charge = json!({
        "id": "ch_1", "object": "charge", "payment_intent": "pi_1", "amount": 10_000, "amount_refunded": 2_500,
        "currency": "eur", "metadata": {"payment_id": payment(2)},
    });
    let refund = report("charge.refunded", charge);
    let total = Some(money("25.00", "EUR"));
    let told = PspStatus::Returned(Returned::Total { amount: total });
    assert_eq!((refund.status, refund.reference.as_str()), (told, "pi_1"));
    assert_eq!((refund.payment_id, refund.money), (Some(payment(2)), Some(money("25.00", "EUR"))));

    let dispute = json!({
        "id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": {"id": "pi_1", "object": "payment_intent"},
        "amount": 10_000, "currency": "eur", "metadata": {},
    });
    let dispute = report("charge.dispute.created", dispute);
    let whole = Some(money("100.00", "EUR"));
    let told = Returned::One { id: "dp_1".to_owned(), way: Way::Dispute, stands: true, amount: whole };
    assert_eq!((dispute.status, dispute.reference.as_str()), (PspStatus::Returned(told), "pi_1"));
    assert_eq!((dispute.payment_id, dispute.money), (None, Some(money("100.00", "EUR"))));
    assert_eq!(report("charge.dispute.closed", json!({})).status, PspStatus::Irrelevant);
}

#[test]
fn an_id_that_is_not_ours_is_no_id() {
    for metadata in [json!({}), json!({"payment_id": "cli_1"}), json!({"payment_id": 7}), json!(null)] {
        let report = report("payment_intent.succeeded", intent(json!({"metadata": metadata})));
        assert_eq!((report.payment_id, report.reference.as_str()), (None, "pi_1"));
    }
}

#[test]
fn each_answer_has_its_status() {
    let stripe = stripe(&[SECRET]);
    let cases = [
        (WebhookAnswer::Accepted, 200),
        (WebhookAnswer::Ignored("not a payment"), 200),
        (WebhookAnswer::BadSignature, 401),
        (WebhookAnswer::Malformed, 400),
        (WebhookAnswer::TryAgain, 503),
    ];
    for (answer, status) in cases {
        let response = stripe.answer(answer, at(T));
        assert_eq!(response.status(), status);
        assert!(serde_json::from_slice::<Value>(response.body()).is_ok());
        assert_eq!(response.headers().contains_key("retry-after"), status == 503);
        let json = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(json, if status == 200 { "application/json" } else { "application/problem+json" });
    }
    assert!(stripe.webhook_proves_status());
}

#[test]
fn settings_that_would_let_anybody_sign_are_refused() {
    let build = |secret: &Value| {
        vendor(Vendor::Stripe, settings("https://api.stripe.invalid", secret, std::time::Duration::from_secs(1))).err()
    };
    for secret in [
        json!({}),
        json!({"secret_key": "sk", "webhook_secrets": []}),
        json!({"secret_key": "sk", "webhook_secrets": [""]}),
        json!({"secret_key": "", "webhook_secrets": ["whsec"]}),
        json!({"secret_key": "sk", "webhook_secrets": "whsec"}),
    ] {
        assert_eq!(build(&secret), Some(VendorError::BadSecret("test-psp".to_owned())));
    }
    let good = json!({"secret_key": "sk", "webhook_secrets": ["whsec"]});
    let mut bad = settings("https://api.stripe.invalid", &good, std::time::Duration::from_secs(1));
    bad.pay_page = Some("/pay/{payment_id}".to_owned());
    let wanted = VendorError::BadTemplate { name: "test-psp".to_owned(), setting: "pay_page" };
    assert_eq!(vendor(Vendor::Stripe, bad).err(), Some(wanted));
}

#[test]
fn settings_do_not_print_their_secret() {
    let secret = json!({"secret_key": "sk_very_secret", "webhook_secrets": ["whsec"]});
    let settings = settings("https://api.stripe.invalid", &secret, std::time::Duration::from_secs(1));
    assert!(!format!("{settings:?}").contains("very_secret"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_verifier_panic_or_pass(
        header in prop::collection::vec(any::<u8>(), 0..200),
        body in prop::collection::vec(any::<u8>(), 0..200),
        now in -1_000_000_000_000_i64..1_000_000_000_000,
    ) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&header) {
            headers.insert("stripe-signature", value);
        }
        let now = Timestamp::from_millis(now).unwrap();
        prop_assert!(matches!(stripe(&[SECRET]).read_webhook(&headers, &body, now), Err(WebhookError::BadSignature(_))));
    }

    #[test]
    fn no_header_of_the_right_shape_makes_the_verifier_panic_or_pass(header in "(t=[0-9]{0,25},?|v[01]=[0-9a-fA-F]{0,70},?){0,6}") {
        let refused = read(b"{}", &header, T).is_err();
        prop_assert!(refused);
    }

    #[test]
    fn no_signed_body_makes_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let result = read(&body, &signed(&body), T);
        prop_assert!(!matches!(result, Err(WebhookError::BadSignature(_))));
    }

    #[test]
    fn any_tolerance_is_a_distance(tolerance in any::<u32>(), off in -10_000_000_000_i64..10_000_000_000) {
        let secret = json!({"secret_key": "sk_test", "webhook_secrets": [SECRET]});
        let mut settings = settings("https://api.stripe.invalid", &secret, std::time::Duration::from_secs(1));
        settings.tolerance = Seconds(tolerance);
        let body = event("x", json!({}));
        let result = psp("stripe", settings).read_webhook(&header(&signed(&body)), &body, at(T + off));
        prop_assert_eq!(result.is_ok(), off.unsigned_abs() <= u64::from(tolerance));
    }
}
