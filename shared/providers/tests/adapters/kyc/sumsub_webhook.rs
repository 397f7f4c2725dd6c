//! Sumsub's signed events: the vector, the negative list, what is read of them.

use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use providers::kyc::{Algorithm, Event, KycVendor, Outcome, Refused, Says, SettingsError, vendor};
use serde_json::{Value, json};
use sha2::Sha512;

use super::{header_map, hex_hmac, holds_for_a_signed_body, is_bad_signature, kyc, settings};
use crate::support::CALL_TIMEOUT;

const SECRET: &str = "sumsub-webhook-secret";
const BODY: &str = r#"{"applicantId":"a1","externalUserId":"client-1","type":"applicantReviewed","reviewStatus":"completed","reviewResult":{"reviewAnswer":"GREEN"},"createdAtMs":"2024-01-01 00:00:00.000"}"#;
const DIGEST: &str = "3a956dcff59b45b132d8b77ce0fd519d34f845ebe021077ff314c33196f4f230";

fn secret() -> Value {
    json!({"app_token": "prd:t", "secret_key": "k", "webhook_secrets": [SECRET, "the-next-one"]})
}

fn sumsub(algorithms: &[Algorithm]) -> Box<dyn KycVendor> {
    let mut settings = settings("https://api.sumsub.invalid", &secret(), "basic-kyc", CALL_TIMEOUT);
    settings.algorithms = algorithms.to_vec();
    kyc("sumsub", settings)
}

fn verify(algorithms: &[Algorithm], named: Option<&str>, digest: Option<&str>, body: &[u8]) -> Result<Event, Refused> {
    let mut headers = Vec::new();
    headers.extend(named.map(|named| ("x-payload-digest-alg", named)));
    headers.extend(digest.map(|digest| ("x-payload-digest", digest)));
    sumsub(algorithms).verify(&header_map(&headers), body)
}

fn event(more: Value) -> Vec<u8> {
    let mut event = json!({
        "applicantId": "a1", "externalUserId": "cli_1", "levelName": "basic-kyc", "sandboxMode": false,
        "type": "applicantReviewed", "reviewStatus": "completed", "createdAtMs": "2026-11-29 01:00:00.000",
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event.to_string().into_bytes()
}

fn read(more: Value) -> Event {
    let body = event(more);
    verify(&[Algorithm::Sha256], Some("HMAC_SHA256_HEX"), Some(&hex_hmac(SECRET, &body)), &body).unwrap()
}

#[test]
fn the_vector_passes_and_what_it_does_not_say_is_fetched() {
    let event = verify(&[Algorithm::Sha256], Some("HMAC_SHA256_HEX"), Some(DIGEST), BODY.as_bytes()).unwrap();
    // GREEN, but neither the level nor that it is no test
    assert_eq!(event.says, Says::Fetch);
    assert_eq!((event.reference.as_str(), event.ours.unwrap().as_str()), ("a1", "client-1"));
    assert_eq!(event.at, "2024-01-01T00:00:00Z".parse::<Timestamp>().unwrap());
}

#[test]
fn the_signature_is_over_the_very_bytes() {
    let check = |digest: Option<&str>, body: &[u8]| verify(&[Algorithm::Sha256], Some("HMAC_SHA256_HEX"), digest, body);
    holds_for_a_signed_body(
        check,
        [SECRET, "the-next-one"],
        &event(json!({"reviewResult": {"reviewAnswer": "GREEN"}})),
    );
}

#[test]
fn the_sender_does_not_choose_the_algorithm() {
    let body = BODY.as_bytes();
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    let long = hex::encode(mac.finalize().into_bytes());
    let cases: [(&[Algorithm], Option<&str>, &str, bool); 9] = [
        (&[Algorithm::Sha256], Some("HMAC_SHA256_HEX"), DIGEST, true),
        (&[Algorithm::Sha512], Some("HMAC_SHA512_HEX"), &long, true),
        (&[Algorithm::Sha256, Algorithm::UnnamedSha256], None, DIGEST, true),
        (&[Algorithm::Sha256], None, DIGEST, false),
        (&[Algorithm::Sha256], Some("HMAC_SHA512_HEX"), &long, false),
        (&[Algorithm::Sha512], Some("HMAC_SHA256_HEX"), DIGEST, false),
        (&[Algorithm::Sha512], Some("HMAC_SHA512_HEX"), DIGEST, false),
        (&[Algorithm::Sha256], Some("HMAC_SHA1_HEX"), DIGEST, false),
        (&[Algorithm::Sha256], Some(""), DIGEST, false),
    ];
    for (set_up, named, digest, passes) in cases {
        let result = verify(set_up, named, Some(digest), body);
        assert_eq!(result.is_ok(), passes, "{set_up:?} {named:?}");
        assert!(passes || is_bad_signature(&result));
    }
}

/// The same label comes with either: only the member for it tells.
#[test]
fn retry_and_final_are_what_the_vendor_says_and_no_label() {
    let refused = |kind: &str| {
        let result = json!({"reviewAnswer": "RED", "reviewRejectType": kind, "rejectLabels": ["FORGERY"]});
        read(json!({"reviewResult": result})).says
    };
    assert!(matches!(refused("RETRY"), Says::Outcome(Outcome::Retry { .. })));
    assert!(matches!(refused("FINAL"), Says::Outcome(Outcome::Final { .. })));
    assert!(matches!(refused("SOMETHING"), Says::Outcome(Outcome::Review { .. })));
}

#[test]
fn a_client_who_was_green_turns_red_by_a_later_event() {
    let green = read(json!({"reviewResult": {"reviewAnswer": "GREEN"}}));
    let result = json!({"reviewAnswer": "RED", "reviewRejectType": "FINAL", "rejectLabels": ["FRAUDULENT_PATTERNS"]});
    let red = read(json!({"reviewResult": result, "createdAtMs": "2026-12-01 09:00:00.000"}));
    assert_eq!(green.says, Says::Outcome(Outcome::Approved));
    assert!(matches!(red.says, Says::Outcome(Outcome::Final { .. })));
    assert!(red.at > green.at);
    assert_ne!(red.id, green.id);
}

#[test]
fn an_id_that_cannot_be_ours_is_none() {
    let event = read(json!({"externalUserId": "../cli_1", "reviewResult": {"reviewAnswer": "GREEN"}}));
    assert_eq!(event.ours, None);
}

#[test]
fn settings_that_would_let_everybody_in_are_refused() {
    let good = secret();
    for (member, value) in [
        ("app_token", json!("")),
        ("secret_key", json!(" ")),
        ("webhook_secrets", json!([])),
        ("webhook_secrets", json!(["s", ""])),
        ("webhook_secrets", json!("s")),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        let made = vendor("sumsub", settings("https://x.invalid", &bad, "basic-kyc", CALL_TIMEOUT));
        assert_eq!(made.err(), Some(SettingsError::BadSecret("test".to_owned())), "{member}");
    }
    let without = vendor("sumsub", settings("https://x.invalid", &good, " ", CALL_TIMEOUT)).err();
    assert_eq!(without, Some(SettingsError::BadSetting { name: "test".to_owned(), setting: "flow" }));
    let unknown = vendor("jumio", settings("https://x.invalid", &good, "x", CALL_TIMEOUT)).err();
    assert_eq!(unknown, Some(SettingsError::UnknownKind("jumio".to_owned())));
}
