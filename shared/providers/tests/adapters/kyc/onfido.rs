//! Onfido: its published signatures, and its API against the simulator.

use std::time::Duration;

use domain::Timestamp;
use providers::Disposition;
use providers::kyc::{Event, KycVendor, Outcome, Refused, Says, SettingsError, vendor};
use serde_json::{Value, json};

use super::{
    applicant, check, decide, header_map, hex_hmac, holds_for_a_signed_body, kyc, labels, settings, silent, state,
};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, fault};

const WORKFLOW: &str = "5f3a1c52-0000-4000-8000-6b6f6e66696f";

fn secret(webhook_tokens: &[&str]) -> Value {
    json!({"api_token": "api_live.local-token", "webhook_tokens": webhook_tokens})
}

fn within(url: &str, timeout: Duration) -> Box<dyn KycVendor> {
    kyc("onfido", settings(&format!("{url}/v3.6"), &secret(&["local-onfido-webhook-token"]), WORKFLOW, timeout))
}

fn onfido(url: &str) -> Box<dyn KycVendor> {
    within(url, CALL_TIMEOUT)
}

fn verify(tokens: &[&str], signature: Option<&str>, body: &[u8]) -> Result<Event, Refused> {
    let onfido = kyc("onfido", settings("https://api.eu.onfido.invalid/v3.6", &secret(tokens), WORKFLOW, CALL_TIMEOUT));
    let headers: Vec<_> = signature.map(|signature| ("x-sha2-signature", signature)).into_iter().collect();
    onfido.verify(&header_map(&headers), body)
}

#[test]
fn the_published_signatures_pass_and_nothing_of_a_result_is_read() {
    let cases = [
        (
            "wU99mE6jJ7nXOLFwZ0tJymM1lpI15pZh",
            r#"{"payload":{"resource_type":"check","action":"check.completed","object":{"id":"f2302f45-227d-413d-ad61-09ec077a086a","status":"complete","completed_at_iso8601":"2024-04-04T09:21:21Z","href":"https://api.onfido.com/v3.6/checks/f2302f45-227d-413d-ad61-09ec077a086a"}}}"#,
            "77ebc3e418f26be6eebb47f7ebe551321de26734fc273961e075fc9ab163d9c7",
            ("check:f2302f45-227d-413d-ad61-09ec077a086a", "2024-04-04T09:21:21Z", true),
        ),
        (
            "_ABC123abc123ABC123abc123ABC123_",
            r#"{"payload":{"resource_type":"check","action":"check.completed","object":{"id":"check-123","status":"complete","completed_at_iso8601":"2020-01-01T00:00:00Z","href":"https://api.onfido.com/v3/checks/check-123"}}}"#,
            "a0082d7481f9f0a2907583dbe1f344d6d4c0d9989df2fd804f98479f60cd760e",
            ("check:check-123", "2020-01-01T00:00:00Z", true),
        ),
        (
            "YKOC6mkBxi6yK2zlUIrLMvsJMFEZObP5",
            r#"{"payload":{"resource_type":"workflow_task","action":"workflow_task.started","object":{"id":"profile_1eb92","task_spec_id":"profile_1eb92","task_def_id":"profile_data","workflow_run_id":"bc77c6e5-753a-4580-96a6-aaed3e5a8d19","status":"started","started_at_iso8601":"2024-07-10T12:49:09Z","href":"https://api.eu.onfido.com/v3.6/workflow_runs/bc77c6e5-753a-4580-96a6-aaed3e5a8d19/tasks/profile_1eb92"},"resource":{"created_at":"2024-07-10T12:49:09Z","id":"profile_1eb92","workflow_run_id":"bc77c6e5-753a-4580-96a6-aaed3e5a8d19","updated_at":"2024-07-10T12:49:09Z","input":{},"task_def_version":null,"task_def_id":"profile_data","output":null}}}"#,
            "c95a5b785484f6fa1bc25f381b5595d66bf85cb442eefb06aa007802ee6a4dfa",
            ("bc77c6e5-753a-4580-96a6-aaed3e5a8d19", "2024-07-10T12:49:09Z", false),
        ),
    ];
    for (token, body, signature, (reference, at, is_news)) in cases {
        let event = verify(&[token], Some(signature), body.as_bytes()).unwrap();
        assert_eq!(event.reference, reference);
        assert_eq!(event.at, at.parse::<Timestamp>().unwrap());
        assert_eq!(event.says == Says::Fetch, is_news, "{event:?}");
    }
}

#[test]
fn the_signature_is_over_the_very_bytes() {
    let body = json!({"payload": {"resource_type": "workflow_run", "action": "workflow_run.completed", "object": {
        "id": "run-1", "status": "approved", "completed_at_iso8601": "2026-11-29T01:02:03Z",
    }, "resource": {"customer_user_id": "cli_1"}}});
    let body = body.to_string().into_bytes();
    let tokens = ["local-onfido-webhook-token", "the-next-one"];
    holds_for_a_signed_body(|signature, body| verify(&tokens, signature, body), tokens, &body);
    let event = verify(&tokens, Some(&hex_hmac(tokens[0], &body)), &body).unwrap();
    assert_eq!((event.says, event.ours), (Says::Fetch, Some(check("cli_1"))), "approved is not believed");
}

#[tokio::test]
async fn an_open_run_is_taken_and_one_that_is_over_is_not() {
    let running = silent().await;
    let url = running.url("onfido");
    let onfido = onfido(url);
    let (ana, id) = (applicant("Ana López"), check("cli_1"));
    let first = onfido.start(&ana, &id).await.unwrap();
    assert!(first.link.as_ref().unwrap().as_str().starts_with(url));
    assert_eq!(onfido.start(&ana, &id).await.unwrap(), first);
    assert_ne!(onfido.start(&ana, &check("cli_2")).await.unwrap().reference, first.reference);
    let kept = state(url).await["checks"][0].clone();
    assert_eq!((&kept["client_id"], &kept["own"]["tags"]), (&json!("cli_1"), &json!(["cli_1"])));
    assert_eq!((&kept["name"], &kept["return_url"]), (&json!("Ana López"), &json!("https://broker.example/kyc")));
    decide(url, "cli_1", "final", &[]).await;
    assert_ne!(onfido.start(&ana, &id).await.unwrap().reference, first.reference, "a new check of a refused client");
}

#[tokio::test]
async fn what_a_run_ends_with_is_found_by_asking() {
    let running = silent().await;
    let url = running.url("onfido");
    let onfido = onfido(url);
    let started = onfido.start(&applicant("Ana López"), &check("cli_1")).await.unwrap();
    let fetch = async || onfido.fetch(&started.reference).await.unwrap().unwrap();
    let open = fetch().await;
    assert_eq!((open.outcome, open.ours), (Outcome::Pending, Some(check("cli_1"))));
    decide(url, "cli_1", "approved", &[]).await;
    assert_eq!(fetch().await.outcome, Outcome::Approved);
    decide(url, "cli_1", "final", &["new reason"]).await;
    let declined = fetch().await.outcome;
    assert!(matches!(declined, Outcome::Final { .. }));
    assert_eq!(labels(&declined), ["new_reason"]);
    decide(url, "cli_1", "review", &[]).await;
    assert!(matches!(fetch().await.outcome, Outcome::Review { .. }));
    decide(url, "cli_1", "expired", &[]).await;
    assert_eq!(fetch().await.outcome, Outcome::Expired);
    for unknown in ["never-was", "", "..", "check:", "check:../workflow_runs/x", "check:never-was", "a/b"] {
        assert_eq!(onfido.fetch(unknown).await, Ok(None), "{unknown}");
    }
    fault(url, "get_check", json!({"kind": "answer", "body": {"id": "c1", "status": "complete", "result": "clear"}}))
        .await;
    assert_eq!(onfido.fetch("check:c1").await.unwrap().unwrap().outcome, Outcome::Approved);
    fault(url, "get_check", json!({"kind": "answer", "body": {"id": "c2", "status": "complete", "result": "clear"}}))
        .await;
    assert_eq!(onfido.fetch("check:c1").await.unwrap_err().disposition(), Disposition::LookUp, "another one's");
}

#[tokio::test]
async fn every_failure_says_what_to_do_and_the_repeat_ends_at_one_open_run() {
    let running = silent().await;
    let url = running.url("onfido");
    let onfido = within(url, SHORT_TIMEOUT);
    let refuse = |status: u16| json!({"kind": "refuse", "status": status});
    let cases = [
        ("create_run", refuse(429), Disposition::Retry),
        ("create_run", refuse(500), Disposition::Retry),
        ("create_run", json!({"kind": "apply_then_drop"}), Disposition::Retry),
        ("create_run", json!({"kind": "apply_then_timeout", "ms": 2000}), Disposition::Retry),
        ("create_run", json!({"kind": "timeout_before", "ms": 2000}), Disposition::Retry),
        ("create_run", json!({"kind": "apply_then_garbage"}), Disposition::LookUp),
        ("create_run", refuse(422), Disposition::GiveUp),
        ("create_applicant", json!({"kind": "apply_then_drop"}), Disposition::Retry),
        ("list_runs", refuse(503), Disposition::Retry),
        ("list_runs", json!({"kind": "garbage"}), Disposition::LookUp),
        ("list_runs", refuse(401), Disposition::Hold),
    ];
    for (n, (operation, script, disposition)) in cases.into_iter().enumerate() {
        let (ana, id) = (applicant("Ana López"), check(&format!("cli_{n}")));
        fault(url, operation, script.clone()).await;
        let error = onfido.start(&ana, &id).await.unwrap_err();
        assert_eq!(error.disposition(), disposition, "{operation} {script}: {error:?}");
        let again = onfido.start(&ana, &id).await.unwrap();
        assert_eq!(onfido.start(&ana, &id).await.unwrap(), again);
        assert_eq!(state(url).await["checks"].as_array().unwrap().len(), n + 1, "{operation} {script}");
    }
}

#[tokio::test]
async fn settings_that_would_let_everybody_in_are_refused() {
    let make = |secret: Value, sandbox: bool| {
        let mut settings = settings("https://x.invalid", &secret, WORKFLOW, CALL_TIMEOUT);
        settings.sandbox = sandbox;
        vendor("onfido", settings).err()
    };
    let bad_secret = Some(SettingsError::BadSecret("test".to_owned()));
    assert_eq!(make(json!({"api_token": " ", "webhook_tokens": ["t"]}), false), bad_secret);
    assert_eq!(make(json!({"api_token": "t", "webhook_tokens": [""]}), false), bad_secret);
    assert_eq!(make(json!({"api_token": "t", "webhook_tokens": []}), false), bad_secret);
    let of_tests = json!({"api_token": "api_sandbox.abc", "webhook_tokens": ["t"]});
    let refused = SettingsError::BadSetting { name: "test".to_owned(), setting: "sandbox" };
    assert_eq!(make(of_tests.clone(), false), Some(refused.clone()));
    assert_eq!(make(of_tests, true), None);
    let sumsub = json!({"app_token": "sbx:abc", "secret_key": "k", "webhook_secrets": ["s"]});
    assert_eq!(vendor("sumsub", settings("https://x.invalid", &sumsub, "l", CALL_TIMEOUT)).err(), Some(refused));

    let running = silent().await;
    let wrong = json!({"api_token": "api_live.other", "webhook_tokens": ["t"]});
    let onfido = kyc("onfido", settings(&format!("{}/v3.6", running.url("onfido")), &wrong, WORKFLOW, CALL_TIMEOUT));
    assert_eq!(onfido.fetch("run-1").await.unwrap_err().disposition(), Disposition::Hold);
}
