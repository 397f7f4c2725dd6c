//! What the functions' processes wrote.

use std::path::PathBuf;

use broker::local::repository;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::on_the_stack;

impl Deployment {
    /// Everything that a function printed since the deployment; nothing if it was not started yet.
    pub fn printed(&self, function: &str) -> String {
        let state = repository().join(".local/localstack/state.json");
        let state: Value = serde_json::from_str(&std::fs::read_to_string(state).unwrap()).unwrap();
        let name = self.resource(function).unwrap();
        let path = PathBuf::from(state["logs"].as_str().unwrap()).join(format!("{name}.log"));
        std::fs::read_to_string(path).unwrap_or_default()
    }
}

#[test]
fn logs_tell_what_was_done_and_name_no_client_and_no_secret() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let olga = stack.trader("Olga Logvinova", "en", "USD").await;
        let path = format!("/v1/accounts/{}/credentials", olga.account);
        let password = stack.post(&path, &Value::Null).await.expect(200).unwrap().text_at("/password");
        let payment = stack.deposit(&olga, "31.00", "stripe").await;
        stack.pay("stripe", &payment, &json!({})).await;
        stack.payment_in(&payment, "credited").await;
        stack.mail(&olga.email, &payment).await;
        let forbidden = [
            olga.email.as_str(),
            "Logvinova",
            &password,
            &stack.vendors.stripe.secret_key,
            &stack.vendors.stripe.webhook_secret,
            &stack.vendors.mt5.password,
            &stack.vendors.slack.path_token,
        ];
        let functions = [
            "KycRegister",
            "AccountsRequest",
            "AccountsCreate",
            "AccountsCredentials",
            "PaymentsInitiate",
            "PaymentsWebhook",
            "PaymentsCredit",
            "OpsRelay",
            "OpsNotify",
            "OpsViews",
        ];
        for function in functions {
            let log = stack.printed(&format!("{function}Function"));
            let told = forbidden.iter().find(|word| log.contains(**word));
            assert_eq!(told, None, "{function}");
            assert!(log.contains("\"CloudWatchMetrics\""), "{function} writes no metrics: {log}");
            // a message that comes again while the first is being worked on is told to come back later
            let failed = log.lines().find(|line| line.contains("\"ERROR\"") && !line.contains("\"Busy\""));
            assert_eq!(failed, None, "{function}");
            for line in log.lines().filter(|line| line.starts_with('{')) {
                assert!(serde_json::from_str::<Value>(line).is_ok(), "{function}: {line}");
            }
        }
    });
}
