//! The simulators' deliveries, signed by code that shares nothing with the adapters, as they come over the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use domain::payment::{PspReport, PspStatus};
use http::{HeaderMap, HeaderName, HeaderValue};
use providers::psp::{Psp, WebhookAnswer, WebhookError};
use serde_json::{Value, json};

use crate::support::{CALL_TIMEOUT, control, money, now, order, payment, psp, settings, simulators};

/// After this a test fails rather than wait for ever.
const SERVED_MAX: Duration = Duration::from_secs(10);

/// What became of one delivery: what was read, and what the vendor thought of the answer.
struct Delivered {
    read: Result<PspReport, WebhookError>,
    verdict: Value,
}

/// Takes one delivery with an adapter, answers as the adapter says, and gives the base URL to deliver to.
fn receiver(psp: Box<dyn Psp>) -> (String, std::thread::JoinHandle<Result<PspReport, WebhookError>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.set_read_timeout(Some(SERVED_MAX)).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut headers = HeaderMap::new();
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some((name, value)) = line.trim_end().split_once(": ") {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            line.clear();
        }
        let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let read = psp.read_webhook(&headers, &body, now());
        let answer = read.as_ref().map_or_else(WebhookError::answer, |_| WebhookAnswer::Accepted);
        let response = psp.answer(answer, now());
        let mut text = format!("HTTP/1.1 {}\r\ncontent-length: {}\r\n", response.status(), response.body().len());
        for (name, value) in response.headers() {
            text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        text.push_str("connection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        stream.write_all(response.body()).unwrap();
        read
    });
    (url, thread)
}

async fn deliver(kind: &str, legacy: bool, outcome: &str, signature: &str) -> Delivered {
    let running = simulators().await;
    let secret = match kind {
        "stripe" => json!({"secret_key": "sk_test_local", "webhook_secrets": ["whsec_local"]}),
        _ => json!({"merchant_id": "API-Local", "application_key": "local-application",
            "secret": "local-praxis-secret"}),
    };
    let build = || {
        let mut settings = settings(running.url(kind), &secret, CALL_TIMEOUT);
        settings.legacy = legacy;
        psp(kind, settings)
    };
    let order = order(&payment(1), money("100.50", "USD"));
    build().open_session(&order).await.unwrap();
    let (url, thread) = receiver(build());
    running.set_webhook_base(url);
    let pay = json!({"payment_id": order.payment_id, "outcome": outcome, "webhook": {"signature": signature}});
    let answer = control(running.url(kind), "/_control/pay", &pay).await;
    let verdict = answer["deliveries"][0].clone();
    Delivered { read: thread.join().unwrap(), verdict }
}

#[tokio::test]
async fn a_delivery_that_the_vendor_signed_is_read_and_its_answer_taken() {
    for (kind, outcome, status, paid) in [
        ("stripe", "succeeded", PspStatus::Succeeded, "100.50"),
        ("praxis", "approved", PspStatus::Succeeded, "100.50"),
        ("praxis", "rejected", PspStatus::Failed, "100.50"),
    ] {
        let Delivered { read, verdict } = deliver(kind, false, outcome, "valid").await;
        let report = read.unwrap();
        assert_eq!((report.status, report.payment_id), (status, Some(payment(1))), "{kind}");
        assert_eq!(report.money, Some(money(paid, "USD")), "{kind}");
        assert_eq!(verdict["status"], 200, "{verdict}");
        if kind == "praxis" {
            assert_eq!(verdict["answer"]["signature"], "right", "{verdict}");
            assert_eq!(verdict["answer"]["resend"], false, "{verdict}");
        }
    }
}

#[tokio::test]
async fn a_delivery_that_the_vendor_did_not_sign_is_turned_away() {
    for kind in ["stripe", "praxis"] {
        for signature in ["wrong", "missing", "empty", "tampered", "old_timestamp", "future_timestamp", "only_v0"] {
            // A scheme of Stripe's alone.
            if (kind, signature) == ("praxis", "only_v0") {
                continue;
            }
            let outcome = if kind == "stripe" { "succeeded" } else { "approved" };
            let Delivered { read, verdict } = deliver(kind, false, outcome, signature).await;
            assert!(matches!(read, Err(WebhookError::BadSignature(_))), "{kind} {signature}: {read:?}");
            assert_eq!(verdict["status"], 401, "{kind} {signature}");
        }
    }
}

#[tokio::test]
async fn several_signatures_and_the_former_rule_are_taken_as_the_vendor_sends_them() {
    assert!(deliver("stripe", false, "succeeded", "several").await.read.is_ok());
    let report = deliver("praxis", true, "approved", "legacy").await.read.unwrap();
    assert_eq!((report.payment_id, report.money), (Some(payment(1)), Some(money("100.50", "USD"))));
    let read = deliver("praxis", false, "approved", "legacy").await.read;
    assert!(matches!(read, Err(WebhookError::BadSignature(_))), "{read:?}");
}
