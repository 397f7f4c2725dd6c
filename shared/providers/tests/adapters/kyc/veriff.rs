//! Veriff: its published signatures, and its API against the simulator.

use std::time::Duration;

use domain::Seconds;
use providers::Disposition;
use providers::kyc::{Event, KycVendor, Outcome, Refused, Says, VendorError};
use serde_json::{Value, json};

use super::{
    applicant, check, decide, header_map, hex_hmac, holds_for_a_signed_body, kyc, labels, settings, silent, state,
};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, fault};

const PUBLISHED_SECRET: &str = "abcdef12-abcd-abcd-abcd-abcdef012345";

fn secret(shared: &[&str]) -> Value {
    json!({"api_key": "7e51ff00-0000-4000-8000-000000000001", "shared_secrets": shared})
}

fn within(url: &str, timeout: Duration) -> Box<dyn KycVendor> {
    kyc("veriff", settings(url, &secret(&["local-veriff-shared-secret"]), "", timeout))
}

fn veriff(url: &str) -> Box<dyn KycVendor> {
    within(url, CALL_TIMEOUT)
}

fn verify(shared: &[&str], signature: Option<&str>, body: &[u8]) -> Result<Event, Refused> {
    let headers: Vec<_> = signature.map(|signature| ("x-hmac-signature", signature)).into_iter().collect();
    kyc("veriff", settings("https://x.invalid", &secret(shared), "", CALL_TIMEOUT)).verify(&header_map(&headers), body)
}

/// The published bodies are requests, so nothing is read of them but that they are signed: they name no session.
#[test]
fn the_published_signatures_pass() {
    let body = |ours: &str| {
        format!(
            r#"{{"verification":{{"callback":"https://veriff.com","person":{{"firstName":"John","lastName":"Smith"}},"document":{{"type":"PASSPORT","country":"EE"}},"vendorData":"{ours}","timestamp":"2016-05-19T08:30:25.597Z"}}}}"#
        )
    };
    for (ours, signature) in [
        ("unique id of a user", "6af6d95822e19e9cc707aec55395d8d363ba2c7bc4625bc04ebeca0c7bf8cd67"),
        ("unique id of the end-user", "0dcab73ddd20062616d104231c7439657546a5c24e4691977da93bb854c31e25"),
    ] {
        let read = verify(&[PUBLISHED_SECRET], Some(signature), body(ours).as_bytes());
        assert!(
            matches!(&read, Err(Refused::Malformed { faults }) if faults[0].pointer == "/verification/id"),
            "{read:?}"
        );
        let other = verify(&[PUBLISHED_SECRET], Some(signature), body("another").as_bytes());
        assert!(matches!(other, Err(Refused::BadSignature(_))));
    }
}

fn decision(status: &str, code: i64) -> Value {
    json!({"status": "success", "verification": {
        "id": "ses-1", "attemptId": "att-1", "vendorData": "cli_1", "status": status, "code": code, "reasonCode": 105,
        "reason": "Suspicious behaviour of Jane", "decisionTime": "2026-11-29T01:02:03.456Z",
    }})
}

#[test]
fn the_signature_is_over_the_very_bytes() {
    let secrets = ["local-veriff-shared-secret", "the-next-one"];
    let body = decision("declined", 9102).to_string().into_bytes();
    holds_for_a_signed_body(|signature, body| verify(&secrets, signature, body), secrets, &body);
    let event = verify(&secrets, Some(&hex_hmac(secrets[0], &body)), &body).unwrap();
    let Says::Outcome(outcome) = &event.says else { panic!("{event:?}") };
    assert!(matches!(outcome, Outcome::Final { .. }));
    assert_eq!(labels(outcome), ["105"]);
    assert!(!format!("{event:?}").contains("Jane"));
}

#[tokio::test]
async fn a_session_is_made_with_our_id_and_asked_for_by_its_own() {
    let running = silent().await;
    let url = running.url("veriff");
    let veriff = veriff(url);
    let started = veriff.start(&applicant("Ana María López"), &check("cli_1")).await.unwrap();
    assert!(started.link.as_ref().unwrap().as_str().starts_with(url));
    let kept = state(url).await["checks"][0].clone();
    assert_eq!((&kept["client_id"], &kept["name"]), (&json!("cli_1"), &json!("Ana María López")));
    let fetch = async || veriff.fetch(&started.reference).await.unwrap().unwrap();
    assert_eq!(fetch().await.outcome, Outcome::Pending);
    decide(url, "cli_1", "approved", &[]).await;
    let approved = fetch().await;
    assert_eq!((approved.outcome, approved.ours), (Outcome::Approved, Some(check("cli_1"))));
    decide(url, "cli_1", "retry", &["201"]).await;
    let retry = fetch().await.outcome;
    assert_eq!(labels(&retry), ["201"]);
    assert!(
        matches!(retry, Outcome::Retry { for_client, .. } if for_client.is_empty()),
        "not said to be for the client"
    );
    decide(url, "cli_1", "final", &["539"]).await;
    assert_eq!(labels(&fetch().await.outcome), ["539"]);
    decide(url, "cli_1", "review", &[]).await;
    assert!(matches!(fetch().await.outcome, Outcome::Review { .. }));
    decide(url, "cli_1", "expired", &[]).await;
    assert_eq!(fetch().await.outcome, Outcome::Expired);
    for unknown in ["never-was", "", "..", "a/b", "a?b"] {
        assert_eq!(veriff.fetch(unknown).await, Ok(None), "{unknown}");
    }
}

/// A session whose answer was lost was shown to nobody: the next one is another, and the first stays open.
#[tokio::test]
async fn a_lost_answer_leaves_a_session_that_nobody_was_sent_to() {
    let running = silent().await;
    let url = running.url("veriff");
    let veriff = veriff(url);
    let (ana, id) = (applicant("Ana López"), check("cli_1"));
    fault(url, "create_session", json!({"kind": "apply_then_drop"})).await;
    assert_eq!(veriff.start(&ana, &id).await.unwrap_err().disposition(), Disposition::Retry);
    let started = veriff.start(&ana, &id).await.unwrap();
    let checks = state(url).await["checks"].clone();
    assert_eq!(checks.as_array().unwrap().len(), 2);
    assert_eq!(checks[1]["reference"], json!(started.reference));
    let left = checks[0]["reference"].as_str().unwrap();
    assert_eq!(veriff.fetch(left).await.unwrap().unwrap().outcome, Outcome::Pending);
}

#[tokio::test]
async fn every_failure_says_what_to_do() {
    let running = silent().await;
    let url = running.url("veriff");
    let veriff = within(url, SHORT_TIMEOUT);
    let refuse = |status: u16| json!({"kind": "refuse", "status": status, "code": "1001"});
    let cases = [
        (refuse(429), Disposition::Retry),
        (refuse(500), Disposition::Retry),
        (refuse(400), Disposition::GiveUp),
        (refuse(401), Disposition::Hold),
        (json!({"kind": "drop"}), Disposition::Retry),
        (json!({"kind": "timeout_before", "ms": 2000}), Disposition::Retry),
        (json!({"kind": "apply_then_timeout", "ms": 2000}), Disposition::Retry),
        (json!({"kind": "apply_then_garbage"}), Disposition::LookUp),
        (json!({"kind": "answer", "body": {"status": "success"}}), Disposition::LookUp),
    ];
    for (script, disposition) in cases {
        for operation in ["create_session", "get_decision"] {
            fault(url, operation, script.clone()).await;
        }
        let error = veriff.start(&applicant("Ana López"), &check("cli_1")).await.unwrap_err();
        assert_eq!(error.disposition(), disposition, "{script}: {error:?}");
        let error = veriff.fetch("ses-1").await.unwrap_err();
        assert_eq!(error.disposition(), disposition, "{script}: {error:?}");
    }
    fault(url, "get_decision", json!({"kind": "refuse", "status": 429, "retry_after": 11})).await;
    let busy = veriff.fetch("ses-1").await.unwrap_err();
    assert!(matches!(busy, VendorError::Unavailable { retry_after: Some(Seconds(11)), .. }), "{busy:?}");
    let others = json!({"status": "success", "verification": {"id": "ses-2", "status": "approved", "code": 9001}});
    fault(url, "get_decision", json!({"kind": "answer", "body": others})).await;
    assert_eq!(veriff.fetch("ses-1").await.unwrap_err().disposition(), Disposition::LookUp, "another one's");
    let wrong = kyc("veriff", settings(url, &secret(&["another"]), "", CALL_TIMEOUT));
    assert_eq!(wrong.fetch("ses-1").await.unwrap_err().disposition(), Disposition::Hold);
}
