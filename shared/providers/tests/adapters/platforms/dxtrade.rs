//! DXtrade.

use std::sync::Arc;
use std::time::Duration;

use domain::Seconds;
use providers::http::HyperTransport;
use providers::platforms::dxtrade::{Dxtrade, DxtradeSettings};
use providers::platforms::{
    Access, AccountChange, FoundOperation, FoundTicket, Login, NewAccount, PlatformError, Reference, Ticket,
    TicketQuery, TradeCursor, TradingPlatform, UNSUPPORTED,
};
use providers::system_clock;
use secrecy::SecretString;
use serde_json::{Value, json};
use simulators::{Config, DxtradeConfig, Running, Simulators};

use super::bench::{Bench, Says, Step, around_now};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, control, fault, state};

pub struct DxtradeBench {
    running: Running,
    dxtrade: Dxtrade,
}

fn dxtrade(url: &str, password: &str, margining: Option<&str>, call_timeout: Duration) -> Dxtrade {
    Dxtrade::new(DxtradeSettings {
        base_url: url.parse().unwrap(),
        username: "crm".to_owned(),
        password: SecretString::from(password.to_owned()),
        domain: "default".to_owned(),
        clearing_code: "pipworks".to_owned(),
        broker_code: "pipworks".to_owned(),
        account_type: "LIVE".to_owned(),
        margining: margining.map(str::to_owned),
        call_timeout,
        clock: system_clock(),
        transport: Arc::new(HyperTransport::new()),
    })
}

impl DxtradeBench {
    async fn with(config: DxtradeConfig, call_timeout: Duration) -> Self {
        let running = Simulators::start(Config { dxtrade: config, ..Config::default() }).await.unwrap();
        let url = running.url("dxtrade");
        let dxtrade = dxtrade(url, "Local-Register-1", Some("leverage-{leverage}"), call_timeout);
        Self { running, dxtrade }
    }

    fn url(&self) -> &str {
        self.running.url("dxtrade")
    }

    async fn calls(&self, operation: &str) -> u64 {
        state(self.url()).await["calls"][operation].as_u64().unwrap_or(0)
    }
}

impl Bench for DxtradeBench {
    const GROUPS: [&'static str; 2] = ["live-standard", "demo-standard"];

    async fn start(call_timeout: Duration) -> Self {
        Self::with(DxtradeConfig::default(), call_timeout).await
    }

    async fn without_logins() -> Option<Self> {
        None
    }

    const SEES_PASSWORDS: bool = true;

    fn platform(&self) -> &dyn TradingPlatform {
        &self.dxtrade
    }

    fn with_a_wrong_secret(&self) -> Box<dyn TradingPlatform> {
        Box::new(dxtrade(self.url(), "wrong", None, CALL_TIMEOUT))
    }

    fn nowhere() -> Box<dyn TradingPlatform> {
        Box::new(dxtrade("http://127.0.0.1:1", "x", None, CALL_TIMEOUT))
    }

    async fn script(&self, step: Step, script: Value) {
        let operation = match step {
            Step::Create => "client_create",
            Step::Book => "transfer",
            Step::Change => "account_put",
        };
        fault(self.url(), operation, script).await;
    }

    fn saying(_: Step, says: Says) -> Option<Value> {
        Some(match says {
            Says::Refused => json!({"kind": "refuse", "status": 400, "retcode": 106}),
            Says::Busy => json!({"kind": "refuse", "status": 429}),
            Says::Unclear => json!({"kind": "refuse", "status": 500, "retcode": 1}),
        })
    }

    async fn accounts(&self) -> usize {
        state(self.url()).await["users"].as_array().unwrap().len()
    }

    async fn bookings(&self, login: &Login) -> usize {
        let state = state(self.url()).await;
        let of_login = |transfer: &&Value| transfer["login"] == login.as_str();
        state["transfers"].as_array().unwrap().iter().filter(of_login).count()
    }

    async fn trade(&self, login: &Login, profit: &str) -> String {
        let trade = json!({
            "account": login.as_str(), "instrument": "EUR/USD", "side": "BUY", "quantity": "10000",
            "open_price": "1.1", "close_price": "1.2", "profit": profit,
        });
        control(self.url(), "/_control/trades", &trade).await["order"].to_string()
    }

    async fn hold(&self, login: &Login, margin: &str) {
        control(self.url(), "/_control/margin", &json!({"account": login.as_str(), "held": margin})).await;
    }
}

super::conforms!(DxtradeBench);

#[tokio::test]
async fn a_client_and_his_account_bear_our_reference() {
    let bench = DxtradeBench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    assert_eq!(login.as_str(), "acc1");
    let state = state(bench.url()).await;
    let (client, account) = (&state["clients"][0], &state["users"][0]);
    assert_eq!((&client["login"], &client["accounts"]), (&json!("acc1"), &json!(["acc1"])));
    assert_eq!((&client["password"], &client["name"]), (&json!("Main-Pass1"), &json!("Jane Doe")));
    assert_eq!((&account["currency"], &account["type"]), (&json!("USD"), &json!("LIVE")));
    assert_eq!(account["categories"], json!({"Trading": "live-standard", "Margining": "leverage-30"}));
}

#[tokio::test]
async fn a_creation_that_is_sent_again_leaves_one_account_with_the_newer_password() {
    let bench = DxtradeBench::start(SHORT_TIMEOUT).await;
    bench.script(Step::Create, json!({"kind": "apply_then_drop"})).await;
    bench.platform().create_account(&DxtradeBench::wish("acc_1")).await.unwrap_err();
    let again = NewAccount { password: SecretString::from("Other-Pass2"), ..DxtradeBench::wish("acc_1") };
    let opened = bench.platform().create_account(&again).await.unwrap();
    assert_eq!(opened.login.as_str(), "acc1");
    let state = state(bench.url()).await;
    assert_eq!((state["clients"].as_array().unwrap().len(), bench.accounts().await), (1, 1));
    assert_eq!((&state["clients"][0]["password"], &state["clients"][0]["version"]), (&json!("Other-Pass2"), &json!(2)));
}

/// Sends to the register API as its user.
async fn register(bench: &DxtradeBench, path: &str, body: &Value) -> u16 {
    use providers::http::Transport as _;
    let send = async |path: &str, token: Option<&str>, body: &Value| {
        let mut request =
            http::Request::post(format!("{}/dxweb/rest{path}", bench.url())).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("DXAPI {token}"));
        }
        HyperTransport::new()
            .send(request.body(bytes::Bytes::from(body.to_string())).unwrap(), CALL_TIMEOUT)
            .await
            .unwrap()
    };
    let user = json!({"username": "crm", "domain": "default", "password": "Local-Register-1"});
    let session: Value = serde_json::from_slice(send("/login", None, &user).await.body()).unwrap();
    send(path, session["sessionToken"].as_str(), body).await.status().as_u16()
}

#[tokio::test]
async fn half_a_creation_is_completed_and_its_account_is_there_only_with_the_password_that_counts() {
    let bench = DxtradeBench::start(CALL_TIMEOUT).await;
    let client = json!({
        "domain": "default", "login": "acc1", "password": "Main-Pass1", "email": "jane@example.com", "fullName": "Jane Doe",
        "brokerCode": "pipworks", "type": "CLIENT", "status": "ONLINE",
    });
    assert_eq!(register(&bench, "/api/register/client", &client).await, 200);
    assert_eq!((bench.find("acc_1").await, bench.accounts().await), (Ok(None), 0));
    let again = NewAccount { password: SecretString::from("Other-Pass2"), ..DxtradeBench::wish("acc_1") };
    // whoever looks after a worker that died in between must not find an account whose client has another password
    for step in ["client_put", "account_add"] {
        fault(bench.url(), step, json!({"kind": "drop"})).await;
        let error = bench.platform().create_account(&again).await.unwrap_err();
        assert!(matches!(error, PlatformError::Unknown(_)), "{step}: {error:?}");
        assert_eq!(bench.find("acc_1").await, Ok(None), "{step}");
    }
    bench.platform().create_account(&again).await.unwrap();
    let state = state(bench.url()).await;
    assert_eq!((&state["clients"][0]["password"], bench.accounts().await), (&json!("Other-Pass2"), 1));
}

#[tokio::test]
async fn a_transfer_is_named_by_its_code_and_by_our_own_id_and_by_no_other_words() {
    let bench = DxtradeBench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    bench.book(&login, "10.00", "pay_1").await.unwrap();
    let code = state(bench.url()).await["transfers"][0]["code"].as_str().unwrap().to_owned();
    let (from, to) = around_now();
    let named = async |ticket: &str, reference: Option<&str>| {
        let reference = reference.map(|reference| Reference::new(reference).unwrap());
        let query = TicketQuery { ticket: Ticket::new(ticket), login: Some(login.clone()), reference, from, to };
        bench.platform().find_ticket(&query).await.unwrap()
    };
    for (ticket, reference) in [(code.as_str(), None), (code.as_str(), Some("pay_1")), ("pay_1", Some("pay_1"))] {
        let found = named(ticket, reference).await;
        assert!(matches!(found, FoundTicket::Deal(_)), "{ticket} {reference:?}: {found:?}");
    }
    for (ticket, reference) in [("pay_1", None), ("pay_1", Some("pay_2")), ("T1", Some("pay_1"))] {
        assert_eq!(named(ticket, reference).await, FoundTicket::Absent, "{ticket} {reference:?}");
    }
}

#[tokio::test]
async fn a_session_that_dies_in_the_middle_is_opened_again_once() {
    let bench = DxtradeBench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    for n in 0..2 {
        control(bench.url(), "/_control/sessions", &json!({})).await;
        bench.book(&login, "10.00", &format!("pay_{n}")).await.unwrap();
    }
    assert_eq!((bench.balance(&login).await.as_str(), bench.bookings(&login).await), ("20.00", 2));
    assert_eq!((bench.calls("login").await, bench.calls("denied").await), (3, 2));
    for script in [
        json!({"kind": "drop"}),
        json!({"kind": "garbage"}),
        json!({"kind": "refuse", "status": 503}),
        json!({"kind": "answer", "body": {}}),
    ] {
        control(bench.url(), "/_control/sessions", &json!({})).await;
        fault(bench.url(), "login", script.clone()).await;
        let error = bench.book(&login, "1.00", "pay_9").await.unwrap_err();
        assert!(matches!(error, PlatformError::NotApplied(_)), "{script}: {error:?}");
    }
    assert_eq!(bench.bookings(&login).await, 2);
}

#[tokio::test]
async fn a_repeat_is_a_success_whichever_way_the_server_says_so() {
    for repeat_conflicts in [false, true] {
        let bench =
            DxtradeBench::with(DxtradeConfig { repeat_conflicts, ..DxtradeConfig::default() }, CALL_TIMEOUT).await;
        let login = bench.open("acc_1").await;
        let first = bench.book(&login, "10.00", "pay_1").await.unwrap();
        assert_eq!(bench.book(&login, "10.00", "pay_1").await, Ok(first));
        // the id of another amount is no success, whatever the answer's status is
        let other = bench.book(&login, "11.00", "pay_1").await.unwrap_err();
        assert!(matches!(other, PlatformError::Unknown(_)), "{other:?}");
        let looked = bench.look(&login, "11.00", "pay_1").await.unwrap();
        assert!(matches!(looked, FoundOperation::Ambiguous(_)), "{looked:?}");
        assert_eq!((bench.balance(&login).await.as_str(), bench.bookings(&login).await), ("10.00", 1));
    }
}

#[tokio::test]
async fn a_look_up_that_fails_is_an_error_and_never_absent() {
    let bench = DxtradeBench::start(SHORT_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    bench.book(&login, "10.00", "pay_1").await.unwrap();
    for script in [
        json!({"kind": "refuse", "status": 404, "retcode": 20}),
        json!({"kind": "refuse", "status": 500}),
        json!({"kind": "garbage"}),
        json!({"kind": "answer", "body": {}}),
        json!({"kind": "answer", "body": {"cashTransfers": [{"transferCode": "T1"}]}}),
    ] {
        fault(bench.url(), "transfers", script.clone()).await;
        let error = bench.look(&login, "10.00", "pay_1").await.unwrap_err();
        assert!(matches!(error, PlatformError::NotApplied(_)), "{script}: {error:?}");
    }
    // what something on the way does not find is not the application's word
    for script in [json!({"kind": "refuse", "status": 404}), json!({"kind": "answer", "body": {"accountCode": "acc2"}})]
    {
        fault(bench.url(), "account_get", script.clone()).await;
        assert!(bench.find("acc_1").await.is_err(), "{script}");
    }
}

#[tokio::test]
async fn a_time_with_many_transfers_is_read_in_parts() {
    let bench = DxtradeBench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    for n in 0..45 {
        bench.book(&login, "1.00", &format!("pay_{n}")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for n in [0, 22, 44] {
        let found = bench.look(&login, "1.00", &format!("pay_{n}")).await;
        assert!(matches!(found, Ok(FoundOperation::Booked(_))), "{n}: {found:?}");
    }
    assert_eq!(bench.look(&login, "1.00", "pay_45").await, Ok(FoundOperation::Absent));
}

#[tokio::test]
async fn many_closed_trades_are_all_read() {
    let bench = DxtradeBench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    let mut made = Vec::new();
    for _ in 0..130 {
        made.push(bench.trade(&login, "1.00").await);
    }
    // all within a moment: no part of the time is short enough, and that is an error and not a part of the trades
    let start = TradeCursor::since(around_now().0.minus(Seconds(60)));
    let read = bench.platform().closed_trades(&login, &start).await;
    match read {
        Ok(read) => assert!(read.more, "130 trades do not fit one answer"),
        Err(error) => assert!(matches!(error, PlatformError::NotApplied(_)), "{error:?}"),
    }
}

#[tokio::test]
async fn without_categories_of_leverage_there_is_no_leverage_to_set() {
    let bench = DxtradeBench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    let plain = dxtrade(bench.url(), "Local-Register-1", None, CALL_TIMEOUT);
    assert!(!plain.capabilities().leverage_change);
    let set = plain.change_account(&login, &AccountChange::leverage(20)).await;
    assert!(matches!(&set, Err(PlatformError::Refused { code, .. }) if code == UNSUPPORTED), "{set:?}");
    let state = plain.account(&login).await.unwrap().unwrap();
    assert_eq!((state.leverage, state.access), (None, Access::Full));
    // a category that the broker has not set up
    let gone = bench.platform().change_account(&login, &AccountChange::group("gone")).await.unwrap_err();
    assert!(matches!(gone, PlatformError::Refused { .. }), "{gone:?}");
}

#[tokio::test]
async fn the_simulator_takes_no_other_names() {
    let bench = DxtradeBench::start(CALL_TIMEOUT).await;
    bench.open("acc_1").await;
    let wish = NewAccount { currency: "CHF".parse().unwrap(), ..DxtradeBench::wish("acc_2") };
    let error = bench.platform().create_account(&wish).await.unwrap_err();
    assert!(matches!(&error, PlatformError::Refused { code, .. } if code == "400/101"), "{error:?}");
    let wish = NewAccount { group: "gone".to_owned(), ..DxtradeBench::wish("acc_2") };
    assert!(bench.platform().create_account(&wish).await.is_err());
    assert_eq!(bench.accounts().await, 1);
}
