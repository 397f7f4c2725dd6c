//! Sumsub's API against the simulator.

use std::time::Duration;

use domain::Seconds;
use providers::Disposition;
use providers::kyc::{KycVendor, Outcome, VendorError};
use serde_json::{Value, json};

use super::{applicant, check, decide, kyc, labels, settings, silent, state};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, control, fault};

fn secret() -> Value {
    json!({
        "app_token": "prd:local-app-token", "secret_key": "local-sumsub-secret-key",
        "webhook_secrets": ["local-sumsub-webhook-secret"],
    })
}

fn within(url: &str, timeout: Duration) -> Box<dyn KycVendor> {
    kyc("sumsub", settings(url, &secret(), "basic-kyc", timeout))
}

fn sumsub(url: &str) -> Box<dyn KycVendor> {
    within(url, CALL_TIMEOUT)
}

async fn applicants(url: &str) -> usize {
    state(url).await["checks"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_check_that_is_begun_twice_is_one_applicant() {
    let running = silent().await;
    let url = running.url("sumsub");
    let sumsub = sumsub(url);
    let (ana, id) = (applicant("Ana María López"), check("cli_1"));
    let first = sumsub.start(&ana, &id).await.unwrap();
    assert!(first.link.as_ref().unwrap().as_str().starts_with(url), "{first:?}");
    assert_eq!(sumsub.start(&ana, &id).await.unwrap().reference, first.reference);
    let other = sumsub.start(&ana, &check("cli_2")).await.unwrap();
    assert_ne!(other.reference, first.reference);
    let state = state(url).await;
    let kept = &state["checks"][0];
    assert_eq!((&kept["client_id"], &kept["name"]), (&json!("cli_1"), &json!("Ana María López")));
    assert_eq!((&kept["own"]["lang"], &kept["own"]["fixedInfo"]["dob"]), (&json!("es"), &json!("1990-02-28")));
    assert_eq!(state["checks"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_the_vendor_decides_is_found_by_asking() {
    let running = silent().await;
    let url = running.url("sumsub");
    let sumsub = sumsub(url);
    let started = sumsub.start(&applicant("Ana López"), &check("cli_1")).await.unwrap();
    let fetch = async || sumsub.fetch(&started.reference).await.unwrap().unwrap();
    let open = fetch().await;
    assert_eq!((open.outcome, open.ours), (Outcome::Pending, Some(check("cli_1"))));
    decide(url, "cli_1", "approved", &[]).await;
    assert_eq!(fetch().await.outcome, Outcome::Approved);
    decide(url, "cli_1", "retry", &["BAD_PHOTO", "FORGERY"]).await;
    let retry = fetch().await.outcome;
    assert_eq!(labels(&retry), ["BAD_PHOTO", "FORGERY"]);
    let Outcome::Retry { for_client, .. } = retry else { panic!("{retry:?}") };
    assert_eq!(for_client.first().unwrap().reveal(), "Take it again, please.");
    decide(url, "cli_1", "final", &["FORGERY"]).await;
    assert!(matches!(fetch().await.outcome, Outcome::Final { .. }));
    decide(url, "cli_1", "review", &[]).await;
    assert!(matches!(fetch().await.outcome, Outcome::Review { .. }));
    decide(url, "cli_1", "revoked", &[]).await;
    assert_eq!(fetch().await.outcome, Outcome::Pending);
    assert_eq!(sumsub.fetch("never-was").await, Ok(None));
    assert_eq!(sumsub.fetch("").await, Ok(None));
    // a reference is never more than one step of the path
    for odd in ["..", ".", "../x", "-;externalUserId=cli_1", "a?b", "a/b"] {
        assert_eq!(sumsub.fetch(odd).await, Ok(None), "{odd}");
    }
}

#[tokio::test]
async fn every_failure_says_what_to_do_and_the_repeat_ends_at_one_applicant() {
    let running = silent().await;
    let url = running.url("sumsub");
    let sumsub = within(url, SHORT_TIMEOUT);
    let refuse = |status: u16| json!({"kind": "refuse", "status": status});
    let cases = [
        (refuse(429), Disposition::Retry),
        (refuse(500), Disposition::Retry),
        (refuse(503), Disposition::Retry),
        (json!({"kind": "drop"}), Disposition::Retry),
        (json!({"kind": "timeout_before", "ms": 2000}), Disposition::Retry),
        (json!({"kind": "apply_then_timeout", "ms": 2000}), Disposition::Retry),
        (json!({"kind": "garbage"}), Disposition::LookUp),
        (json!({"kind": "apply_then_garbage"}), Disposition::LookUp),
        (refuse(400), Disposition::GiveUp),
        (refuse(403), Disposition::Hold),
    ];
    for (n, (script, disposition)) in cases.into_iter().enumerate() {
        let (ana, id) = (applicant("Ana López"), check(&format!("cli_{n}")));
        fault(url, "create_applicant", script.clone()).await;
        let error = sumsub.start(&ana, &id).await.unwrap_err();
        assert_eq!(error.disposition(), disposition, "{script}: {error:?}");
        assert!(sumsub.start(&ana, &id).await.is_ok(), "{script}");
        assert_eq!(applicants(url).await, n + 1, "{script}");
    }
}

/// The answer is lost, and what is there is taken at once; also by somebody who begins at the same time.
#[tokio::test]
async fn one_that_is_there_after_all_is_taken() {
    let running = silent().await;
    let url = running.url("sumsub");
    let sumsub = sumsub(url);
    let (ana, id) = (applicant("Ana López"), check("cli_1"));
    fault(url, "create_applicant", json!({"kind": "apply_then_drop"})).await;
    let started = sumsub.start(&ana, &id).await.unwrap();
    // the look-up is behind, and the vendor says that the id is taken
    let unseen = json!({"kind": "refuse", "status": 404});
    fault(url, "find_applicant", unseen).await;
    assert_eq!(sumsub.start(&ana, &id).await.unwrap().reference, started.reference);
    assert_eq!(applicants(url).await, 1);

    let second = check("cli_2");
    let (both, other) = tokio::join!(sumsub.start(&ana, &second), sumsub.start(&ana, &second));
    assert_eq!(both.unwrap().reference, other.unwrap().reference);
    assert_eq!(applicants(url).await, 2);
}

#[tokio::test]
async fn a_vendor_that_is_busy_with_the_applicant_says_how_long() {
    let running = silent().await;
    let url = running.url("sumsub");
    let sumsub = sumsub(url);
    let started = sumsub.start(&applicant("Ana López"), &check("cli_1")).await.unwrap();
    fault(url, "get_applicant", json!({"kind": "refuse", "status": 409, "retry_after": 3})).await;
    let busy = VendorError::Unavailable { why: "HTTP 409 Conflict".to_owned(), retry_after: Some(Seconds(3)) };
    assert_eq!(sumsub.fetch(&started.reference).await, Err(busy));
    // the link fails, and the applicant that was made stays the one
    fault(url, "make_link", json!({"kind": "refuse", "status": 429, "retry_after": 60})).await;
    let error = sumsub.start(&applicant("Ana López"), &check("cli_1")).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Retry);
    assert_eq!(sumsub.start(&applicant("Ana López"), &check("cli_1")).await.unwrap().reference, started.reference);
}

#[tokio::test]
async fn an_answer_about_somebody_else_is_no_answer() {
    let running = silent().await;
    let url = running.url("sumsub");
    let sumsub = sumsub(url);
    let started = sumsub.start(&applicant("Ana López"), &check("cli_1")).await.unwrap();
    let green =
        json!({"reviewStatus": "completed", "levelName": "basic-kyc", "reviewResult": {"reviewAnswer": "GREEN"}});
    let others = json!({"id": "another", "externalUserId": "cli_9", "review": green});
    fault(url, "get_applicant", json!({"kind": "answer", "body": others})).await;
    assert_eq!(sumsub.fetch(&started.reference).await.unwrap_err().disposition(), Disposition::LookUp);
    fault(url, "find_applicant", json!({"kind": "answer", "body": others})).await;
    assert!(sumsub.start(&applicant("Ana López"), &check("cli_1")).await.is_err());
}

#[tokio::test]
async fn the_vendor_takes_no_request_with_a_wrong_signature_or_an_old_time() {
    let running = silent().await;
    let url = running.url("sumsub");
    for (member, value) in [("secret_key", "another"), ("app_token", "prd:another")] {
        let mut wrong = secret();
        wrong[member] = json!(value);
        let sumsub = kyc("sumsub", settings(url, &wrong, "basic-kyc", CALL_TIMEOUT));
        let error = sumsub.fetch("a1").await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::Hold, "{member}");
    }
    let mut late = settings(url, &secret(), "basic-kyc", CALL_TIMEOUT);
    late.clock = std::sync::Arc::new(|| crate::support::at(1_600_000_000));
    assert_eq!(kyc("sumsub", late).fetch("a1").await.unwrap_err().disposition(), Disposition::Hold);
    let level = kyc("sumsub", settings(url, &secret(), "another level", CALL_TIMEOUT));
    let error = level.start(&applicant("Ana López"), &check("cli_1")).await.unwrap_err();
    assert_eq!(error, VendorError::Refused("400".to_owned()));
    control(url, "/_control/reset", &json!({})).await;
    let nobody = sumsub("http://127.0.0.1:1").fetch("a1").await.unwrap_err();
    assert_eq!(nobody.disposition(), Disposition::Retry);
}
