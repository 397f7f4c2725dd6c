//! What the simulated vendors send is what the adapters take, and means what the vendor decided.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use providers::kyc::{Event, KycVendor, Outcome, Refused, Says};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{applicant, check, header_map, hex_hmac, kyc, settings, silent};
use crate::support::{CALL_TIMEOUT, control};

type Sent = (HeaderMap, Vec<u8>);

/// Takes webhooks, and answers each with 200.
async fn receiver() -> (String, Arc<Mutex<Vec<Sent>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                while let Some(sent) = read(&mut socket).await {
                    log.lock().unwrap().push(sent);
                    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                }
            });
        }
    });
    (url, taken)
}

async fn read(socket: &mut TcpStream) -> Option<Sent> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    let headers: HeaderMap = pairs
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect();
    let length: usize = headers.get("content-length").unwrap().to_str().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    Some((headers, body))
}

fn adapter(kind: &str, url: &str) -> Box<dyn KycVendor> {
    let (path, flow, secret) = match kind {
        "sumsub" => (
            "",
            "basic-kyc",
            json!({"app_token": "prd:local-app-token", "secret_key": "local-sumsub-secret-key",
                   "webhook_secrets": ["local-sumsub-webhook-secret"]}),
        ),
        "onfido" => (
            "/v3.6",
            "5f3a1c52-0000-4000-8000-6b6f6e66696f",
            json!({"api_token": "api_live.local-token", "webhook_tokens": ["local-onfido-webhook-token"]}),
        ),
        _ => (
            "",
            "",
            json!({"api_key": "7e51ff00-0000-4000-8000-000000000001", "shared_secrets": ["local-veriff-shared-secret"]}),
        ),
    };
    kyc(kind, settings(&format!("{url}{path}"), &secret, flow, CALL_TIMEOUT))
}

/// What a delivery comes to: what it says, or what the vendor says when asked.
async fn heard(vendor: &dyn KycVendor, event: &Event) -> Option<Outcome> {
    match &event.says {
        Says::Outcome(outcome) => Some(outcome.clone()),
        Says::Fetch => Some(vendor.fetch(&event.reference).await.unwrap().unwrap().outcome),
        Says::Nothing(_) => None,
    }
}

#[tokio::test]
async fn every_decision_of_every_vendor_arrives() {
    let running = silent().await;
    let (receiver, taken) = receiver().await;
    running.set_webhook_base(receiver);
    for (kind, outcomes) in [
        ("sumsub", ["approved", "retry", "final", "review", "revoked"].as_slice()),
        ("onfido", ["approved", "final", "review", "expired"].as_slice()),
        ("veriff", ["approved", "retry", "final", "review", "expired"].as_slice()),
    ] {
        let url = running.url(kind);
        let vendor = adapter(kind, url);
        let started = vendor.start(&applicant("Ana López"), &check("cli_1")).await.unwrap();
        let mut last = None;
        for outcome in outcomes {
            let order = json!({"client_id": "cli_1", "outcome": outcome, "labels": ["101"], "webhook": {"times": 2}});
            control(url, "/_control/decide", &order).await;
            let sent: Vec<Sent> = taken.lock().unwrap().drain(..).collect();
            let events: Vec<_> = sent.iter().map(|(headers, body)| vendor.verify(headers, body).unwrap()).collect();
            assert_eq!(events.len(), 2);
            assert_eq!(events[0], events[1], "a repeat is the same event");
            let event = events.first().unwrap();
            assert_eq!((&event.reference, &event.ours), (&started.reference, &Some(check("cli_1"))));
            assert_ne!(last.as_ref(), Some(&event.id), "another decision is another event");
            last = Some(event.id.clone());
            let heard = match heard(vendor.as_ref(), event).await.unwrap() {
                Outcome::Approved => "approved",
                Outcome::Retry { .. } => "retry",
                Outcome::Final { .. } => "final",
                Outcome::Review { .. } => "review",
                Outcome::Expired => "expired",
                Outcome::Revoked => "revoked",
                Outcome::Pending | Outcome::Broken => "nothing",
            };
            assert_eq!(heard, *outcome, "{kind}");
        }
    }
}

#[tokio::test]
async fn what_is_forged_on_the_way_is_refused_and_what_is_late_is_earlier() {
    let running = silent().await;
    let (receiver, taken) = receiver().await;
    running.set_webhook_base(receiver);
    for kind in ["sumsub", "onfido", "veriff"] {
        let url = running.url(kind);
        let vendor = adapter(kind, url);
        vendor.start(&applicant("Ana López"), &check("cli_1")).await.unwrap();
        let mut verdicts = Vec::new();
        for signature in ["wrong", "missing", "empty", "tampered", "valid"] {
            let order = json!({"client_id": "cli_1", "outcome": "approved", "webhook": {"signature": signature}});
            control(url, "/_control/decide", &order).await;
            let (headers, body) = taken.lock().unwrap().pop().unwrap();
            verdicts.push(vendor.verify(&headers, &body));
        }
        let (good, bad) = verdicts.split_last().unwrap();
        assert!(bad.iter().all(|refused| matches!(refused, Err(Refused::BadSignature(_)))), "{kind}");
        let newest = good.as_ref().unwrap();

        let word = match kind {
            "sumsub" => "applicantReviewed",
            "onfido" => "workflow_run.completed",
            _ => "declined",
        };
        let late = json!({"type": word, "client_id": "cli_1", "at_ms": 1_700_000_000_000_i64});
        control(url, "/_control/webhook", &late).await;
        let (headers, body) = taken.lock().unwrap().pop().unwrap();
        assert!(vendor.verify(&headers, &body).unwrap().at < newest.at, "{kind}");
        // about somebody whom nobody knows
        let stray = json!({"type": word, "reference": "never-was", "client_id": "cli_9"});
        control(url, "/_control/webhook", &stray).await;
        let (headers, body) = taken.lock().unwrap().pop().unwrap();
        let stray = vendor.verify(&headers, &body).unwrap();
        assert_eq!((stray.reference.as_str(), stray.ours), ("never-was", Some(check("cli_9"))));
        assert_eq!(vendor.fetch("never-was").await, Ok(None));
    }
}

/// An answer is never older than what it tells, and not newer than what comes after it.
#[tokio::test]
async fn an_answer_has_its_place_among_the_events() {
    let running = silent().await;
    let (receiver, taken) = receiver().await;
    running.set_webhook_base(receiver);
    let url = running.url("sumsub");
    let vendor = adapter("sumsub", url);
    let started = vendor.start(&applicant("Ana López"), &check("cli_1")).await.unwrap();
    let asked = vendor.fetch(&started.reference).await.unwrap().unwrap();
    let order = json!({"client_id": "cli_1", "outcome": "final"});
    control(url, "/_control/decide", &order).await;
    let (headers, body) = taken.lock().unwrap().pop().unwrap();
    let event = vendor.verify(&headers, &body).unwrap();
    assert!(event.at >= asked.at, "{event:?} {asked:?}");
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["reviewResult"]["reviewRejectType"], "FINAL");
}

/// Header and secret of each vendor's signature.
const SIGNED: [(&str, &str, &str); 3] = [
    ("sumsub", "x-payload-digest", "local-sumsub-webhook-secret"),
    ("onfido", "x-sha2-signature", "local-onfido-webhook-token"),
    ("veriff", "x-hmac-signature", "local-veriff-shared-secret"),
];

/// JSON that looks as if it were a vendor's: its members' names, with values of every kind.
fn odd_message() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "applicantReviewed",
        "applicantReset",
        "completed",
        "GREEN",
        "RED",
        "RETRY",
        "basic-kyc",
        "check.completed",
        "workflow_run.completed",
        "approved",
        "declined",
        "started",
        "success",
        "../x",
        "",
        "2026-11-29 01:02:03.456",
        "é",
    ]);
    let leaf = prop_oneof![
        word.prop_map(|word| json!(word)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|flag| json!(flag)),
        Just(Value::Null),
    ];
    let name = prop::sample::select(vec![
        "type",
        "applicantId",
        "externalUserId",
        "levelName",
        "reviewStatus",
        "reviewResult",
        "reviewAnswer",
        "rejectLabels",
        "reviewRejectType",
        "createdAtMs",
        "sandboxMode",
        "payload",
        "action",
        "object",
        "resource",
        "id",
        "status",
        "customer_user_id",
        "verification",
        "vendorData",
        "code",
        "reasonCode",
        "decisionTime",
        "attemptId",
    ]);
    leaf.prop_recursive(4, 40, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..12)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// What is signed and odd is read or refused, and never a panic; an approval is never made of less than all that it needs.
    #[test]
    fn whatever_is_signed_is_read_or_refused(message in odd_message()) {
        let body = message.to_string().into_bytes();
        for (kind, header, secret) in SIGNED {
            let signature = hex_hmac(secret, &body);
            let headers = header_map(&[(header, &signature), ("x-payload-digest-alg", "HMAC_SHA256_HEX")]);
            let read = adapter(kind, "https://x.invalid").verify(&headers, &body);
            prop_assert!(!matches!(read, Err(Refused::BadSignature(_))), "{kind}: {read:?}");
            if let Ok(Event { says: Says::Outcome(Outcome::Approved), .. }) = read {
                let all = match kind {
                    "sumsub" => message["reviewResult"]["reviewAnswer"] == "GREEN" && message["levelName"] == "basic-kyc"
                        && message["reviewStatus"] == "completed" && message["sandboxMode"] == false,
                    _ => message["verification"]["status"] == "approved" && message["verification"]["code"] == 9001,
                };
                prop_assert!(all && kind != "onfido", "{kind}: {message}");
            }
        }
    }

    #[test]
    fn whatever_is_not_signed_is_refused(body in prop::collection::vec(any::<u8>(), 0..200), signature in "[ -~]{0,80}") {
        for (kind, header, _) in SIGNED {
            let headers = header_map(&[(header, &signature), ("x-payload-digest-alg", "HMAC_SHA256_HEX")]);
            let read = adapter(kind, "https://x.invalid").verify(&headers, &body);
            prop_assert!(matches!(read, Err(Refused::BadSignature(_))), "{kind}: {read:?}");
        }
    }
}
