//! Vendors of identity checks: what their tests share.

use std::sync::Arc;
use std::time::Duration;

use domain::{Redacted, Seconds};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use providers::http::HyperTransport;
use providers::kyc::{Algorithm, Applicant, CheckId, Event, KycVendor, Outcome, Refused, Settings, vendor};
use providers::system_clock;
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;
use simulators::{Config, Running, Simulators};

use crate::support::{control, state};

mod onfido;
mod rekognition;
mod sumsub;
mod sumsub_webhook;
mod textract;
mod veriff;
mod webhooks;

fn settings(url: &str, secret: &Value, flow: &str, timeout: Duration) -> Settings {
    Settings {
        name: "test".to_owned(),
        base_url: url.parse().unwrap(),
        secret: SecretString::from(secret.to_string()),
        flow: flow.to_owned(),
        sandbox: false,
        return_url: Some("https://broker.example/kyc".parse().unwrap()),
        link_life: Seconds(1_800),
        algorithms: vec![Algorithm::Sha256],
        clock: system_clock(),
        transport: Arc::new(HyperTransport::new()),
        timeout,
    }
}

fn kyc(kind: &str, settings: Settings) -> Box<dyn KycVendor> {
    vendor(kind, settings).unwrap()
}

fn applicant(full_name: &str) -> Applicant {
    Applicant {
        full_name: Redacted::new(full_name.to_owned()),
        date_of_birth: Some(Redacted::new("1990-02-28".to_owned())),
        email: Some(Redacted::new("ana@example.com".to_owned())),
        phone: Some(Redacted::new("+525512345678".to_owned())),
        language: "es".to_owned(),
    }
}

fn check(text: &str) -> CheckId {
    text.parse().unwrap()
}

/// Simulators that decide nothing by themselves.
async fn silent() -> Running {
    let mut config = Config::default();
    config.kyc.decides_after_ms = None;
    Simulators::start(config).await.unwrap()
}

/// Lets the vendor decide a client's check, and tells nobody.
async fn decide(base: &str, client_id: &str, outcome: &str, labels: &[&str]) {
    let order = json!({
        "client_id": client_id, "outcome": outcome, "labels": labels, "comment": "Take it again, please.",
        "webhook": {"never": true},
    });
    control(base, "/_control/decide", &order).await;
}

fn hex_hmac(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn header_map(headers: &[(&'static str, &str)]) -> HeaderMap {
    let value = |value: &str| HeaderValue::from_bytes(value.as_bytes()).unwrap();
    headers.iter().map(|(name, text)| (http::HeaderName::from_static(name), value(text))).collect()
}

fn labels(outcome: &Outcome) -> Vec<&str> {
    match outcome {
        Outcome::Retry { labels, .. } | Outcome::Final { labels } | Outcome::Review { labels } => {
            labels.iter().map(|label| label.as_str()).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn is_bad_signature(result: &Result<Event, Refused>) -> bool {
    matches!(result, Err(Refused::BadSignature(_)))
}

/// What every verifier of an HMAC-SHA256 over the raw body in hex must refuse and accept. `verify` gets the value of the header
/// (`None`: no such header) and the body; `secrets` are two that are set up.
fn holds_for_a_signed_body(
    verify: impl Fn(Option<&str>, &[u8]) -> Result<Event, Refused>,
    secrets: [&str; 2],
    body: &[u8],
) {
    let right = hex_hmac(secrets[0], body);
    let first = verify(Some(&right), body).unwrap();
    assert_eq!(verify(Some(&hex_hmac(secrets[1], body)), body).unwrap(), first, "any of our secrets");
    assert_eq!(verify(Some(&right.to_ascii_uppercase()), body).unwrap(), first, "either letter case");

    assert!(is_bad_signature(&verify(None, body)), "no header");
    assert!(is_bad_signature(&verify(Some(&hex_hmac("another", body)), body)), "wrong secret");
    let two = format!("{},{right}", hex_hmac("another", body));
    let bad = ["", " ", "zz", &right[1..], &right[..63], &format!("{right}00"), &format!("sha256={right}"), &two, "ä"];
    for header in bad {
        assert!(is_bad_signature(&verify(Some(header), body)), "{header}");
    }
    for at in [0, body.len() / 2, body.len() - 1] {
        let mut changed = body.to_vec();
        changed[at] ^= 1;
        assert!(is_bad_signature(&verify(Some(&right), &changed)), "byte {at}");
    }
    let value: Value = serde_json::from_slice(body).unwrap();
    let rewritten = serde_json::to_vec_pretty(&value).unwrap();
    assert!(is_bad_signature(&verify(Some(&right), &rewritten)), "written anew");
    let cut = &body[..body.len() - 1];
    assert!(is_bad_signature(&verify(Some(&right), cut)), "cut");

    let not_text = [body, b"\xff"].concat();
    assert!(is_bad_signature(&verify(Some(&right), &not_text)));
    let signed = verify(Some(&hex_hmac(secrets[0], &not_text)), &not_text);
    assert!(matches!(signed, Err(Refused::Malformed { .. })), "{signed:?}");
    // HMAC-SHA256 of nothing under an empty key: anybody can make it.
    let anybodys = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    assert!(is_bad_signature(&verify(Some(anybodys), b"")));
}
