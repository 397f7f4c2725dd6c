//! The binary: settings from arguments and environment, one line of JSON, runs until killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::Client;
use serde_json::Value;

/// Kills its process at the end of the test, also a failed one.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

#[tokio::test]
async fn it_prints_its_urls_and_takes_its_secrets_from_outside() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_simulators"))
        .args(["--mt5-manager-login", "77"])
        .env("SIMULATORS_STRIPE_SECRET_KEY", "sk_from_outside")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let _killed = Killed(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    let urls: Value = serde_json::from_str(&line).unwrap();
    for vendor in [
        "stripe",
        "praxis",
        "mt5",
        "ctrader",
        "dxtrade",
        "slack",
        "sumsub",
        "onfido",
        "veriff",
        "rekognition",
        "mail",
        "psp",
    ] {
        assert!(urls[vendor].as_str().unwrap().starts_with("http://127.0.0.1:"));
    }
    let mut client = Client::connect(urls["mt5"].as_str().unwrap()).await;
    let start = client.get("/api/auth/start?login=77&type=manager").await;
    assert_eq!(start.json()["retcode"], "0 Done");
    let mut client = Client::connect(urls["stripe"].as_str().unwrap()).await;
    let key = [("Authorization", "Bearer sk_from_outside")];
    let known = client.call("GET", "/v1/payment_intents/pi_x", &key, "").await;
    assert_eq!(known.status, 404);
}

#[test]
fn a_bad_setting_ends_it_with_its_name() {
    let ended = Command::new(env!("CARGO_BIN_EXE_simulators")).args(["--psp-port", "many"]).output().unwrap();
    assert!(!ended.status.success());
    assert!(String::from_utf8_lossy(&ended.stderr).contains("PSP_PORT"));
}
