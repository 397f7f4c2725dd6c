//! MetaTrader 5.

use std::sync::Arc;
use std::time::Duration;

use domain::Redacted;
use providers::http::HyperTransport;
use providers::platforms::mt5::{Mt5, Mt5Settings, WEB_API_VERSION};
use providers::platforms::{Login, NewAccount, TradingPlatform};
use providers::system_clock;
use secrecy::SecretString;
use serde_json::{Value, json};
use simulators::{Config, Mt5Config, Running, Simulators};

use super::bench::{Bench, Says, Step};
use crate::support::{CALL_TIMEOUT, control, fault, simulators, state};

pub struct Mt5Bench {
    running: Running,
    mt5: Mt5,
}

fn mt5(url: &str, password: &str, call_timeout: Duration) -> Mt5 {
    Mt5::new(Mt5Settings {
        base_url: url.parse().unwrap(),
        version: WEB_API_VERSION,
        agent: "WebAPI".to_owned(),
        manager_login: 1000,
        password: SecretString::from(password.to_owned()),
        call_timeout,
        clock: system_clock(),
        transport: Arc::new(HyperTransport::new()),
    })
}

impl Bench for Mt5Bench {
    const GROUPS: [&'static str; 2] = ["real\\standard-usd", "demo\\standard-usd"];

    async fn start(call_timeout: Duration) -> Self {
        let running = simulators().await;
        let mt5 = mt5(running.url("mt5"), "Local-Api-1", call_timeout);
        Self { running, mt5 }
    }

    async fn without_logins() -> Option<Self> {
        let config = Config { mt5: Mt5Config { last_login: 0, ..Mt5Config::default() }, ..Config::default() };
        let running = Simulators::start(config).await.unwrap();
        let mt5 = mt5(running.url("mt5"), "Local-Api-1", CALL_TIMEOUT);
        Some(Self { running, mt5 })
    }

    const SEES_PASSWORDS: bool = true;

    fn platform(&self) -> &dyn TradingPlatform {
        &self.mt5
    }

    fn with_a_wrong_secret(&self) -> Box<dyn TradingPlatform> {
        Box::new(mt5(self.running.url("mt5"), "wrong", CALL_TIMEOUT))
    }

    fn nowhere() -> Box<dyn TradingPlatform> {
        Box::new(mt5("http://127.0.0.1:1", "x", CALL_TIMEOUT))
    }

    async fn script(&self, step: Step, script: Value) {
        let operation = match step {
            Step::Create => "user_add",
            Step::Book => "trade_balance",
            Step::Change => "user_update",
        };
        fault(self.running.url("mt5"), operation, script).await;
    }

    fn saying(step: Step, says: Says) -> Option<Value> {
        let retcode = match (says, step) {
            (Says::Refused, Step::Create) => 3002,
            (Says::Refused, Step::Book) => 10019,
            (Says::Refused, Step::Change) => 3010,
            (Says::Busy, _) => 1018,
            (Says::Unclear, _) => 9,
        };
        Some(json!({"kind": "refuse", "retcode": retcode}))
    }

    async fn accounts(&self) -> usize {
        state(self.running.url("mt5")).await["users"].as_array().unwrap().len()
    }

    async fn bookings(&self, login: &Login) -> usize {
        let state = state(self.running.url("mt5")).await;
        let of_login = |deal: &&Value| deal["Login"] == login.as_str() && deal["Action"] == "2";
        state["deals"].as_array().unwrap().iter().filter(of_login).count()
    }

    async fn trade(&self, login: &Login, profit: &str) -> String {
        let login: u64 = login.as_str().parse().unwrap();
        let deals = json!([
            {"login": login, "action": 0, "entry": 0, "symbol": "EURUSD", "volume": 1000, "price": "1.1"},
            {"login": login, "action": 1, "entry": 1, "symbol": "EURUSD", "volume": 1000, "price": "1.2", "profit": profit},
        ]);
        let made = control(self.running.url("mt5"), "/_control/deals", &deals).await;
        made["deals"][1].to_string()
    }

    async fn hold(&self, login: &Login, margin: &str) {
        let login: u64 = login.as_str().parse().unwrap();
        control(self.running.url("mt5"), "/_control/account", &json!({"login": login, "margin": margin})).await;
    }
}

super::conforms!(Mt5Bench);

#[tokio::test]
async fn a_name_is_as_long_as_the_server_keeps_it() {
    let bench = Mt5Bench::start(CALL_TIMEOUT).await;
    for (n, (name, sent)) in [
        ("x".repeat(200), "x".repeat(127)),
        ("م".repeat(128), "م".repeat(127)),
        // two units each
        ("\u{1d538}".repeat(64), "\u{1d538}".repeat(63)),
        ("\u{1f600}".to_owned(), "acc_3".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        let wish = NewAccount { name: Redacted::new(name), ..Mt5Bench::wish(&format!("acc_{n}")) };
        bench.platform().create_account(&wish).await.unwrap();
        let state = state(bench.running.url("mt5")).await;
        assert_eq!(state["users"][n]["name"], sent);
    }
}
