//! cTrader.

use std::sync::Arc;
use std::time::Duration;

use providers::http::HyperTransport;
use providers::platforms::ctrader::{Ctrader, CtraderSettings, ManagerSettings};
use providers::platforms::{
    AccountChange, AccountSearch, FoundOperation, FoundTicket, Funds, Login, MoneyProof, NewAccount, Opened,
    PlatformError, Reference, Ticket, TicketQuery, TradingPlatform, UNSUPPORTED,
};
use providers::system_clock;
use secrecy::SecretString;
use serde_json::{Value, json};
use simulators::{Config, CtraderConfig, Running, Simulators};

use super::bench::{Bench, Says, Step, around_now, operation};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, control, fault, money, state};

pub struct CtraderBench {
    running: Running,
    ctrader: Ctrader,
}

fn ctrader(url: &str, manager: Option<&str>, password: &str, call_timeout: Duration) -> Ctrader {
    Ctrader::new(CtraderSettings {
        base_url: url.parse().unwrap(),
        manager_login: 2000,
        password: SecretString::from(password.to_owned()),
        broker_name: "pipworks".to_owned(),
        account_type: "HEDGED".to_owned(),
        environment: "live".to_owned(),
        books_bonus: true,
        manager: manager.map(|url| ManagerSettings { url: url.parse().unwrap(), plant: "pipworks".to_owned() }),
        call_timeout,
        clock: system_clock(),
        transport: Arc::new(HyperTransport::new()),
    })
}

impl CtraderBench {
    async fn with(config: CtraderConfig, call_timeout: Duration) -> Self {
        let running = Simulators::start(Config { ctrader: config, ..Config::default() }).await.unwrap();
        let manager = Some(running.url("ctrader_manager"));
        let ctrader = ctrader(running.url("ctrader"), manager, "Local-Manager-1", call_timeout);
        Self { running, ctrader }
    }

    fn url(&self) -> &str {
        self.running.url("ctrader")
    }

    async fn calls(&self, operation: &str) -> u64 {
        state(self.url()).await["calls"][operation].as_u64().unwrap_or(0)
    }
}

impl Bench for CtraderBench {
    const GROUPS: [&'static str; 2] = ["live-standard", "demo-standard"];

    async fn start(call_timeout: Duration) -> Self {
        Self::with(CtraderConfig::default(), call_timeout).await
    }

    async fn without_logins() -> Option<Self> {
        let config = CtraderConfig { last_login: 0, ..CtraderConfig::default() };
        Some(Self::with(config, CALL_TIMEOUT).await)
    }

    const SEES_PASSWORDS: bool = false;

    fn platform(&self) -> &dyn TradingPlatform {
        &self.ctrader
    }

    fn with_a_wrong_secret(&self) -> Box<dyn TradingPlatform> {
        Box::new(ctrader(self.url(), None, "wrong", CALL_TIMEOUT))
    }

    fn nowhere() -> Box<dyn TradingPlatform> {
        Box::new(ctrader("http://127.0.0.1:1", None, "x", CALL_TIMEOUT))
    }

    async fn script(&self, step: Step, script: Value) {
        let operation = match step {
            Step::Create => "trader_create",
            Step::Book => "changebalance",
            Step::Change => "trader_patch",
        };
        fault(self.url(), operation, script).await;
    }

    fn saying(step: Step, says: Says) -> Option<Value> {
        let code = match (says, step) {
            (Says::Refused, Step::Create) => "WRONG_LEVERAGE",
            (Says::Refused, Step::Book) => "NOT_ENOUGH_MONEY",
            (Says::Refused, Step::Change) => "TRADER_HAS_POSITIONS",
            (Says::Busy, _) => "REQUEST_FREQUENCY_EXCEEDED",
            (Says::Unclear, _) => "UNKNOWN_ERROR",
        };
        Some(json!({"kind": "refuse", "code": code}))
    }

    async fn accounts(&self) -> usize {
        state(self.url()).await["users"].as_array().unwrap().len()
    }

    async fn bookings(&self, login: &Login) -> usize {
        let state = state(self.url()).await;
        let number: i64 = login.as_str().parse().unwrap();
        let of_login = |row: &&Value| row["login"] == number && row["type"] != 2;
        state["history"].as_array().unwrap().iter().filter(of_login).count()
    }

    async fn trade(&self, login: &Login, profit: &str) -> String {
        let login: i64 = login.as_str().parse().unwrap();
        let position = json!({
            "login": login, "symbol": "EURUSD", "direction": "BUY", "volume": 10_000,
            "entry_price": "1.1", "close_price": "1.2", "pnl": profit,
        });
        control(self.url(), "/_control/positions", &position).await["deal"].to_string()
    }

    async fn hold(&self, login: &Login, margin: &str) {
        let login: i64 = login.as_str().parse().unwrap();
        control(self.url(), "/_control/margin", &json!({"login": login, "used": margin})).await;
    }
}

super::conforms!(CtraderBench);

/// Sends a body as the adapter never would.
async fn raw(bench: &CtraderBench, method: &str, path: &str, body: &Value) -> (u16, Value) {
    use providers::http::Transport as _;
    let log_in = json!({"login": 2000, "hashedPassword": "089aaf88814150e6bfb584330e0af46b"});
    let send = async |method: &str, path: &str, body: &Value| {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", bench.url()))
            .header("content-type", "application/json")
            .body(bytes::Bytes::from(body.to_string()))
            .unwrap();
        let response = HyperTransport::new().send(request, CALL_TIMEOUT).await.unwrap();
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    };
    let (status, answer) = send("POST", "/v2/webserv/managers/token", &log_in).await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["webservToken"].as_str().unwrap().to_owned();
    let separator = if path.contains('?') { '&' } else { '?' };
    send(method, &format!("{path}{separator}token={token}"), body).await
}

#[tokio::test]
async fn an_account_has_both_its_numbers_whichever_way_it_is_come_by() {
    let bench = CtraderBench::start(CALL_TIMEOUT).await;
    let opened = bench.platform().create_account(&CtraderBench::wish("acc_1")).await.unwrap();
    let state = state(bench.url()).await;
    let trader = &state["users"][0];
    assert_eq!(opened.login.as_str(), trader["login"].to_string());
    assert_eq!(opened.internal_id.as_deref(), Some(trader["trader_id"].to_string().as_str()));
    assert_ne!(opened.internal_id.as_deref(), Some(opened.login.as_str()));
    // another worker, which knows nothing yet
    let manager = Some(bench.running.url("ctrader_manager"));
    let fresh = ctrader(bench.url(), manager, "Local-Manager-1", CALL_TIMEOUT);
    let wish = CtraderBench::wish("acc_1");
    assert_eq!(fresh.find_account(&AccountSearch::of(&wish, around_now().0)).await, Ok(Some(opened.clone())));
    // without the manager's interface there is one number, and that is enough to open it
    let alone = ctrader(bench.url(), None, "Local-Manager-1", CALL_TIMEOUT);
    let found = alone.find_account(&AccountSearch::of(&wish, around_now().0)).await;
    assert_eq!(found, Ok(Some(Opened::new(opened.login))));
}

#[tokio::test]
async fn what_is_sent_is_what_the_server_knows() {
    let bench = CtraderBench::start(CALL_TIMEOUT).await;
    bench.open("acc_1").await;
    let trader = state(bench.url()).await["users"][0].clone();
    assert_eq!((&trader["name"], &trader["last_name"]), (&json!("Jane"), &json!("Doe")));
    assert_eq!((&trader["description"], &trader["leverage_cents"]), (&json!("acc_1"), &json!(3000)));
    assert_eq!((&trader["currency"], &trader["group"]), (&json!("USD"), &json!("live-standard")));
    assert_eq!(trader["balance"], json!("0.00"));
    let contact = json!({"countryId": 276, "email": "jane@example.com", "phone": "+4930123456"});
    assert_eq!(trader["contact"], contact, "Germany by its number");
}

#[tokio::test]
async fn a_name_of_one_word_or_of_none_is_a_name() {
    let bench = CtraderBench::start(CALL_TIMEOUT).await;
    for (n, (name, first, last)) in [
        ("Madonna", "Madonna", ""),
        ("Ana  María López", "Ana  María", "López"),
        ("李小龍", "李小龍", ""),
        (" . ", "acc_3", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let name = domain::Redacted::new(name.to_owned());
        let wish = NewAccount { name, ..CtraderBench::wish(&format!("acc_{n}")) };
        bench.platform().create_account(&wish).await.unwrap();
        let trader = state(bench.url()).await["users"][n].clone();
        assert_eq!((&trader["name"], &trader["last_name"]), (&json!(first), &json!(last)));
    }
}

#[tokio::test]
async fn a_token_that_dies_in_the_middle_is_fetched_again_once() {
    let bench = CtraderBench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    for (n, amount) in ["10.00", "20.00"].into_iter().enumerate() {
        control(bench.url(), "/_control/token", &json!({})).await;
        bench.book(&login, amount, &format!("pay_{n}")).await.unwrap();
    }
    assert_eq!(bench.balance(&login).await, "30.00");
    assert_eq!(bench.bookings(&login).await, 2);
    assert_eq!((bench.calls("token").await, bench.calls("denied").await), (3, 2));
    // a right that is missing is no reason to go on asking
    let denied = json!({"kind": "refuse", "code": "NOT_ENOUGH_RIGHTS", "status": 403});
    for _ in 0..2 {
        bench.script(Step::Book, denied.clone()).await;
    }
    let error = bench.book(&login, "1.00", "pay_9").await.unwrap_err();
    assert!(matches!(error, PlatformError::Misconfigured(_)), "{error:?}");
    assert_eq!(bench.bookings(&login).await, 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_had_has_booked_nothing() {
    let bench = CtraderBench::start(SHORT_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    for script in [
        json!({"kind": "timeout_before", "ms": 3000}),
        json!({"kind": "drop"}),
        json!({"kind": "garbage"}),
        json!({"kind": "refuse", "status": 500}),
        json!({"kind": "answer", "body": {"webservToken": ""}}),
    ] {
        control(bench.url(), "/_control/token", &json!({})).await;
        fault(bench.url(), "token", script.clone()).await;
        let error = bench.book(&login, "10.00", "pay_1").await.unwrap_err();
        assert!(matches!(error, PlatformError::NotApplied(_)), "{script}: {error:?}");
    }
    bench.book(&login, "10.00", "pay_1").await.unwrap();
    assert_eq!(bench.balance(&login).await, "10.00");
}

#[tokio::test]
async fn without_the_managers_interface_a_lost_booking_is_a_persons() {
    let bench = CtraderBench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    let alone = ctrader(bench.url(), None, "Local-Manager-1", CALL_TIMEOUT);
    assert_eq!(alone.capabilities().money, Some(MoneyProof::None));
    assert!(!alone.capabilities().tickets);
    alone.apply_balance(&operation(&login, "10.00", "pay_1")).await.unwrap();
    let (from, to) = around_now();
    let looked = alone
        .find_operation(&login, &Reference::new("pay_1").unwrap(), (money("10.00", "USD"), Funds::Balance), from, to)
        .await;
    assert!(matches!(&looked, Err(PlatformError::Refused { code, .. }) if code == UNSUPPORTED), "{looked:?}");
    let query = TicketQuery { ticket: Ticket::new("1"), login: Some(login), reference: None, from, to };
    assert!(alone.find_ticket(&query).await.is_err());
}

#[tokio::test]
async fn a_look_up_that_fails_is_an_error_and_never_absent() {
    let bench = CtraderBench::start(SHORT_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    bench.book(&login, "10.00", "pay_1").await.unwrap();
    for step in ["manager_auth", "manager_history"] {
        for script in [
            json!({"kind": "refuse"}),
            json!({"kind": "garbage"}),
            json!({"kind": "drop"}),
            json!({"kind": "timeout_before", "ms": 3000}),
        ] {
            fault(bench.url(), step, script.clone()).await;
            let error = bench.look(&login, "10.00", "pay_1").await.unwrap_err();
            assert!(
                matches!(error, PlatformError::NotApplied(_) | PlatformError::Misconfigured(_)),
                "{step} {script}: {error:?}"
            );
        }
    }
    let found = bench.look(&login, "10.00", "pay_1").await;
    assert!(matches!(found, Ok(FoundOperation::Booked(_))), "{found:?}");
    // a list of accounts that says nothing, or says it in other words
    for body in [
        json!({}),
        json!({"trader": []}),
        json!({"traders": [], "hasMore": false}),
        json!({"trader": [{"login": 1}], "hasMore": false}),
    ] {
        fault(bench.url(), "trader_list", json!({"kind": "answer", "body": body})).await;
        let error = bench.find("acc_1").await.unwrap_err();
        assert!(matches!(error, PlatformError::NotApplied(_)), "{error:?}");
    }
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let config = CtraderConfig { list_chunk: Some(2), manager_page: 2, ..CtraderConfig::default() };
    let bench = CtraderBench::with(config, CALL_TIMEOUT).await;
    let mut logins = Vec::new();
    for n in 0..7 {
        logins.push(bench.open(&format!("acc_{n}")).await);
        // a list goes on by the time of registration, which is in milliseconds
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    for (n, login) in logins.iter().enumerate() {
        let found = bench.find(&format!("acc_{n}")).await.unwrap().map(|opened| opened.login);
        assert_eq!(found.as_ref(), Some(login), "{n}");
    }
    assert_eq!(bench.find("acc_9").await, Ok(None));
    let login = logins.first().unwrap();
    for n in 0..7 {
        bench.book(login, "1.00", &format!("pay_{n}")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    for n in 0..7 {
        let found = bench.look(login, "1.00", &format!("pay_{n}")).await;
        assert!(matches!(found, Ok(FoundOperation::Booked(_))), "{n}: {found:?}");
    }
    assert_eq!(bench.look(login, "1.00", "pay_9").await, Ok(FoundOperation::Absent));
}

#[tokio::test]
async fn a_ticket_tells_whose_it_is_where_nobody_knows() {
    let bench = CtraderBench::start(CALL_TIMEOUT).await;
    let (login, other) = (bench.open("acc_1").await, bench.open("acc_2").await);
    bench.book(&other, "99.00", "pay_8").await.unwrap();
    let ticket = bench.book(&login, "-0.00", "pay_0").await;
    assert!(ticket.is_err(), "nothing is no amount: {ticket:?}");
    let ticket = bench.book(&login, "10.00", "pay_1").await.unwrap();
    bench.book(&login, "-4.00", "pay_1").await.unwrap();
    let (from, to) = around_now();
    let reference = Reference::new("pay_1").ok();
    let mut query = TicketQuery { ticket, login: None, reference, from, to };
    let Ok(FoundTicket::Deal(deal)) = bench.platform().find_ticket(&query).await else { panic!("{query:?}") };
    assert_eq!(
        (&deal.login, deal.amount.to_string(), deal.together.to_string()),
        (&login, "10.00".into(), "6.00".into())
    );
    // the account's history has it, and the time that was asked for does not
    query.login = Some(login);
    (query.from, query.to) = (from.minus(domain::Seconds(90_000)), from.minus(domain::Seconds(80_000)));
    assert_eq!(bench.platform().find_ticket(&query).await, Ok(FoundTicket::OutOfTime));
    query.ticket = Ticket::new("x1");
    assert_eq!(bench.platform().find_ticket(&query).await, Ok(FoundTicket::Absent));
}

#[tokio::test]
async fn an_account_is_linked_to_its_person_once() {
    let bench = CtraderBench::start(SHORT_TIMEOUT).await;
    let wish = CtraderBench::wish("acc_1");
    let opened = bench.platform().create_account(&wish).await.unwrap();
    let user = async || state(bench.url()).await["users"][0]["user_id"].clone();
    for operation in ["ctid_create", "ctid_link"] {
        for script in [json!({"kind": "drop"}), json!({"kind": "refuse", "code": "UNKNOWN_ERROR"})] {
            fault(bench.url(), operation, script).await;
            let error = bench.platform().link_client(&opened, &wish).await.unwrap_err();
            assert!(matches!(error, PlatformError::Unknown(_)), "{operation}: {error:?}");
            assert_eq!(user().await, Value::Null);
        }
    }
    fault(bench.url(), "ctid_link", json!({"kind": "apply_then_drop"})).await;
    bench.platform().link_client(&opened, &wish).await.unwrap_err();
    let linked = user().await;
    assert!(linked.is_i64());
    // it was done, and doing it again says so
    assert_eq!(bench.platform().link_client(&opened, &wish).await, Ok(()));
    assert_eq!(user().await, linked);
    // a second account of the same person, and a password that is not the account's
    let wish = CtraderBench::wish("acc_2");
    let second = bench.platform().create_account(&wish).await.unwrap();
    let other = NewAccount { password: SecretString::from("Other-Pass2"), ..wish.clone() };
    let error = bench.platform().link_client(&second, &other).await.unwrap_err();
    assert!(matches!(&error, PlatformError::Refused { code, .. } if code == "WRONG_PASSWORD"), "{error:?}");
    bench.platform().link_client(&second, &wish).await.unwrap();
    assert_eq!(state(bench.url()).await["users"][1]["user_id"], linked);
}

#[tokio::test]
async fn money_that_positions_hold_stays() {
    let bench = CtraderBench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    bench.book(&login, "100.00", "pay_1").await.unwrap();
    let number: i64 = login.as_str().parse().unwrap();
    control(bench.url(), "/_control/margin", &json!({"login": number, "used": "60.00"})).await;
    let error = bench.book(&login, "-40.01", "pay_2").await.unwrap_err();
    assert!(matches!(&error, PlatformError::Refused { code, .. } if code == "NOT_ENOUGH_MONEY"), "{error:?}");
    bench.book(&login, "-40.00", "pay_2").await.unwrap();
}

#[tokio::test]
async fn a_group_that_was_deleted_holds_the_account() {
    let bench = CtraderBench::start(CALL_TIMEOUT).await;
    let wish = providers::platforms::NewAccount { group: "gone".to_owned(), ..CtraderBench::wish("acc_1") };
    let error = bench.platform().create_account(&wish).await.unwrap_err();
    assert!(matches!(error, PlatformError::Misconfigured(_)), "{error:?}");
    let login = bench.open("acc_1").await;
    let error = bench.platform().change_account(&login, &AccountChange::group("gone")).await.unwrap_err();
    assert!(matches!(error, PlatformError::Misconfigured(_)), "{error:?}");
}

#[tokio::test]
async fn the_simulator_takes_no_other_names_and_no_other_case() {
    let bench = CtraderBench::start(CALL_TIMEOUT).await;
    let good = json!({
        "accessRights": "FULL_ACCESS", "accountType": "HEDGED", "balance": 0, "brokerName": "pipworks",
        "depositCurrency": "EUR", "groupName": "live-standard", "hashedPassword": "0123456789abcdef0123456789abcdef",
        "leverageInCents": 1000, "totalMarginCalculationType": "MAX",
    });
    let (status, answer) = raw(&bench, "POST", "/v2/webserv/traders", &good).await;
    assert_eq!((status, &answer["moneyDigits"], &answer["balance"]), (201, &json!(2), &json!(0)), "{answer}");
    for (name, value) in [
        ("accessrights", json!("FULL_ACCESS")),
        ("leverage", json!(10)),
        ("accessRights", json!("full_access")),
        ("hashedPassword", json!("0123456789ABCDEF0123456789ABCDEF")),
        ("leverageInCents", json!("1000")),
        ("contactDetails", json!({"Email": "jane@example.com"})),
        ("contactDetails", json!({"countryId": "DE"})),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        let (status, answer) = raw(&bench, "POST", "/v2/webserv/traders", &bad).await;
        assert_eq!((status, &answer["errorCode"]), (400, &json!("INVALID_REQUEST")), "{name}");
    }
    let mut bad = good.clone();
    bad.as_object_mut().unwrap().remove("groupName");
    assert_eq!(raw(&bench, "POST", "/v2/webserv/traders", &bad).await.0, 400);
    // amounts in cents are the older protocol; more than two days of positions are not given; times have milliseconds
    let login = answer["login"].as_i64().unwrap();
    let change = json!({"login": login, "amount": 100, "type": "DEPOSIT"});
    assert_eq!(raw(&bench, "POST", &format!("/v2/webserv/traders/{login}/changebalance"), &change).await.0, 400);
    for window in
        ["from=2026-01-01T00:00:00.000&to=2026-01-03T00:00:00.001", "from=2026-01-01T00:00:00&to=2026-01-02T00:00:00"]
    {
        assert_eq!(raw(&bench, "GET", &format!("/v2/webserv/closedPositions?{window}"), &json!({})).await.0, 400);
    }
    assert_eq!(raw(&bench, "GET", "/v2/webserv/Traders/", &json!({})).await.0, 404);
    assert_eq!(bench.accounts().await, 1);
}
