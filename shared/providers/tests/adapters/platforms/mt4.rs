//! MetaTrader 4: the suite, and what is peculiar to its two protocols.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use providers::http::HyperTransport;
use providers::platforms::mt4::{CodePage, Mt4, Mt4Settings};
use providers::platforms::{
    AccountSearch, FoundOperation, Login, NewAccount, PlatformError, TradeCursor, TradingPlatform,
};
use providers::system_clock;
use secrecy::SecretString;
use serde_json::{Value, json};
use simulators::{Config, Mt4Config, Running, Simulators};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::bench::{Bench, Says, Step, around_now};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, control, fault, now, simulators, state};

pub struct Mt4Bench {
    running: Running,
    mt4: Mt4,
}

fn settings(bridge: &str, webreg: &str, call_timeout: Duration) -> Mt4Settings {
    let config = Mt4Config::default();
    Mt4Settings {
        bridge: bridge.parse().unwrap(),
        trade_platform: config.trade_platform,
        token_url: format!("{bridge}/connect/token").parse().unwrap(),
        client_id: config.client_id,
        client_secret: SecretString::from(config.client_secret),
        webreg: webreg.parse().unwrap(),
        master: SecretString::from(config.master),
        ip: "127.0.0.1".to_owned(),
        code_page: CodePage::Windows1252,
        call_timeout,
        clock: system_clock(),
        transport: Arc::new(HyperTransport::new()),
    }
}

impl Mt4Bench {
    fn of(running: Running, call_timeout: Duration) -> Self {
        let mt4 = Mt4::new(settings(running.url("mt4"), running.url("mt4_webreg"), call_timeout));
        Self { running, mt4 }
    }

    fn url(&self) -> &str {
        self.running.url("mt4")
    }

    /// What the plug-in answers to raw bytes.
    async fn say(&self, bytes: &[u8]) -> String {
        let address = self.running.url("mt4_webreg").strip_prefix("tcp://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn calls(&self, operation: &str) -> u64 {
        state(self.url()).await["calls"][operation].as_u64().unwrap_or_default()
    }
}

impl Bench for Mt4Bench {
    const GROUPS: [&'static str; 2] = ["live-USD", "demo-USD"];

    async fn start(call_timeout: Duration) -> Self {
        Self::of(simulators().await, call_timeout)
    }

    async fn without_logins() -> Option<Self> {
        let config = Config { mt4: Mt4Config { last_login: 0, ..Mt4Config::default() }, ..Config::default() };
        Some(Self::of(Simulators::start(config).await.unwrap(), CALL_TIMEOUT))
    }

    const SEES_PASSWORDS: bool = true;

    fn platform(&self) -> &dyn TradingPlatform {
        &self.mt4
    }

    fn with_a_wrong_secret(&self) -> Box<dyn TradingPlatform> {
        let wrong = || SecretString::from("wrong");
        let right = settings(self.url(), self.running.url("mt4_webreg"), CALL_TIMEOUT);
        Box::new(Mt4::new(Mt4Settings { master: wrong(), client_secret: wrong(), ..right }))
    }

    fn nowhere() -> Box<dyn TradingPlatform> {
        Box::new(Mt4::new(settings("http://127.0.0.1:1", "tcp://127.0.0.1:1", CALL_TIMEOUT)))
    }

    async fn script(&self, step: Step, script: Value) {
        let operation = match step {
            Step::Create => "new_account",
            Step::Book => "trade_transaction",
            Step::Change => "user_record",
        };
        fault(self.url(), operation, script).await;
    }

    fn saying(step: Step, says: Says) -> Option<Value> {
        Some(match (step, says) {
            (Step::Create, Says::Refused) => json!({"kind": "refuse", "message": "account create failed"}),
            (Step::Create, Says::Busy) => json!({"kind": "refuse", "code": "blocked"}),
            (Step::Create, Says::Unclear) => json!({"kind": "refuse", "message": "no answer from the server"}),
            (_, Says::Refused) => json!({"kind": "refuse", "retcode": 134}),
            (_, Says::Busy) => json!({"kind": "refuse", "code": "Busy"}),
            (_, Says::Unclear) => json!({"kind": "refuse", "code": "OutcomeUnknown"}),
        })
    }

    async fn accounts(&self) -> usize {
        state(self.url()).await["users"].as_array().unwrap().len()
    }

    async fn bookings(&self, login: &Login) -> usize {
        let state = state(self.url()).await;
        let of_login = |order: &&Value| {
            order["login"].as_u64() == login.as_str().parse().ok() && order["tradeCommand"] == "Balance"
        };
        state["orders"].as_array().unwrap().iter().filter(of_login).count()
    }

    async fn trade(&self, login: &Login, profit: &str) -> String {
        let login: u64 = login.as_str().parse().unwrap();
        let order = json!([{"login": login, "command": "Buy", "symbol": "EURUSD", "volume": 10, "profit": profit}]);
        control(self.url(), "/_control/orders", &order).await["orders"][0].to_string()
    }

    async fn hold(&self, login: &Login, margin: &str) {
        let login: u64 = login.as_str().parse().unwrap();
        control(self.url(), "/_control/account", &json!({"login": login, "margin": margin})).await;
    }
}

super::conforms!(Mt4Bench);

/// As two public clients send it: https://github.com/maplecempire/theone-maxim and a controller with `NEWACCOUNT MASTER=`.
const SENT: [&[u8]; 2] = [
    b"WNEWACCOUNT MASTER=local-master|IP=103.193.174.54|GROUP=demo-USD|LOGIN=2100052|NAME=test|PASSWORD=mk12345678|INVESTOR=|\
EMAIL=|COUNTRY=China|STATE=|CITY=|ADDRESS=|COMMENT=|PHONE=|PHONE_PASSWORD=|STATUS=|ZIPCODE=|ID=|LEVERAGE=100|AGENT=|SEND_REPORTS=1|\
DEPOSIT=50000\nQUIT\n",
    b"WNEWACCOUNT MASTER=local-master|IP=195.182.156.154|GROUP=live-EUR|NAME=\xc8\xe2\xe0\xed|PASSWORD=a1B2c3|INVESTOR=d4E5f6|\
EMAIL=i@example.org|COUNTRY=RU|STATE=|CITY=|ADDRESS=|COMMENT=|PHONE=|PHONE_PASSWORD=x|STATUS=|ZIPCODE=|ID=|LEVERAGE=100|AGENT=|\
SEND_REPORTS=|DEPOSIT=\r\nQUIT\r\n",
];

#[tokio::test]
async fn the_plug_in_takes_what_public_clients_send_and_nothing_in_other_letters() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    assert_eq!(bench.say(SENT[0]).await, "OK\r\nLOGIN=2100052\r\nend\r\n");
    let second = bench.say(SENT[1]).await;
    assert!(second.starts_with("OK\r\nLOGIN=21"), "{second}");
    assert_eq!(bench.say(SENT[0]).await, "ERROR\r\naccount create failed\r\nend\r\n", "the login is taken");
    assert_eq!(bench.accounts().await, 2);
    let text = String::from_utf8(SENT[0].to_vec()).unwrap().replace("LOGIN=2100052|", "");
    for (from, to, answer) in [
        ("GROUP=", "group=", "ERROR\r\ninvalid parameters\r\nend\r\n"),
        ("PASSWORD=mk", "Password=mk", "ERROR\r\ninvalid parameters\r\nend\r\n"),
        ("|LEVERAGE=100", "", "ERROR\r\ninvalid parameters\r\nend\r\n"),
        ("NAME=test", "NAME=a|b", "ERROR\r\ninvalid parameters\r\nend\r\n"),
        ("MASTER=local-master", "MASTER=other", "ERROR\r\ninvalid master password\r\nend\r\n"),
        ("IP=103.193.174.54", "IP=", "blocked\r\nend\r\n"),
        ("GROUP=demo-USD", "GROUP=none", "ERROR\r\naccount create failed\r\nend\r\n"),
        ("PASSWORD=mk12345678|", "PASSWORD=12345678|", "ERROR\r\naccount create failed\r\nend\r\n"),
        ("WNEWACCOUNT", "WNewAccount", "ERROR\r\nunknown command\r\nend\r\n"),
        ("WNEWACCOUNT", "NEWACCOUNT", ""),
        ("\nQUIT\n", "\n", ""),
    ] {
        assert_eq!(bench.say(text.replacen(from, to, 1).as_bytes()).await, answer, "{from} {to}");
    }
    assert_eq!(bench.accounts().await, 2);
}

#[tokio::test]
async fn a_created_account_can_be_logged_in_to_with_both_passwords() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    for (password, answer) in [("Main-Pass1", "OK"), ("Read-Pass1", "OK"), ("main-pass1", "ERROR\r\ninvalid password")]
    {
        let asked = format!("WCHKACCPASS MASTER=local-master|IP=127.0.0.1|LOGIN={login}|PASSWORD={password}\nQUIT\n");
        assert_eq!(bench.say(asked.as_bytes()).await, format!("{answer}\r\nend\r\n"));
    }
    let user = state(bench.url()).await["users"][0].clone();
    assert_eq!((&user["name"], &user["email"]), (&json!("Jane Doe"), &json!("jane@example.com")));
    assert_eq!((&user["comment"], &user["country"]), (&json!("acc_1"), &json!("DE")));
}

#[tokio::test]
async fn what_the_server_has_no_room_for_is_refused_before_it_is_sent() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    let wish = Mt4Bench::wish;
    let wishes = [
        NewAccount { group: "a-group-with-a-long-name".to_owned(), ..wish("acc_1") },
        NewAccount { group: "a|b".to_owned(), ..wish("acc_1") },
        NewAccount { password: SecretString::from("Main-Pass1-and-more"), ..wish("acc_1") },
        NewAccount { investor_password: SecretString::from("a\nb"), ..wish("acc_1") },
        wish(&"x".repeat(64)),
    ];
    for wish in wishes {
        let error = bench.platform().create_account(&wish).await.unwrap_err();
        assert!(matches!(error, PlatformError::Refused { .. }), "{error:?}");
    }
    assert_eq!(bench.calls("new_account").await, 0);
}

#[tokio::test]
async fn a_name_that_looks_like_a_key_changes_no_other_value() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    let name = domain::Redacted::new("a|GROUP=demo-USD|LEVERAGE=500\nQUIT\n".to_owned());
    let opened = bench.platform().create_account(&NewAccount { name, ..Mt4Bench::wish("acc_1") }).await.unwrap();
    let account = bench.platform().account(&opened.login).await.unwrap().unwrap();
    assert_eq!((account.group.as_str(), account.leverage), ("live-USD", Some(30)));
    assert_eq!(state(bench.url()).await["users"][0]["name"], "a GROUP demo-USD LEVERAGE 500 QUIT");
}

#[tokio::test]
async fn a_value_is_as_long_as_the_server_keeps_it_in_bytes_of_its_letters() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    let long = |text: &str| domain::Redacted::new(text.to_owned());
    for (n, (name, kept)) in [
        // a letter of the page is a byte, however many it has elsewhere
        ("ü".repeat(200), "ü".repeat(127)),
        ("x".repeat(127), "x".repeat(127)),
        (format!("{} Müller", "محمد".repeat(40)), "?".repeat(127)),
        ("محمد".to_owned(), format!("acc_{}", 3)),
        ("  ".to_owned(), format!("acc_{}", 4)),
    ]
    .into_iter()
    .enumerate()
    {
        let wish = NewAccount {
            name: long(&name),
            // an address that is cut off is somebody else's
            email: long(&format!("{}@example.com", "x".repeat(36))),
            phone: Some(long(&"1".repeat(32))),
            ..Mt4Bench::wish(&format!("acc_{n}"))
        };
        bench.platform().create_account(&wish).await.unwrap();
        let user = state(bench.url()).await["users"][n].clone();
        assert_eq!(user["name"], kept, "{name}");
        assert_eq!((&user["email"], &user["phone"]), (&json!(""), &json!("")));
    }
    let wish = NewAccount { email: long(&format!("{}@example.com", "x".repeat(35))), ..Mt4Bench::wish("acc_9") };
    bench.platform().create_account(&wish).await.unwrap();
    assert_eq!(state(bench.url()).await["users"][5]["email"].as_str().unwrap().len(), 47);
}

#[tokio::test]
async fn a_plug_in_that_hangs_up_before_the_command_may_have_had_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let closed = tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
    let mt4 = Mt4::new(settings("http://127.0.0.1:1", &url, CALL_TIMEOUT));
    let error = mt4.create_account(&Mt4Bench::wish("acc_1")).await.unwrap_err();
    assert!(matches!(error, PlatformError::Unknown(_)), "{error:?}");
    closed.await.unwrap();
}

#[tokio::test]
async fn half_an_answer_of_the_plug_in_is_an_unknown_outcome() {
    for (answer, wanted) in [
        ("OK\r\nLOGIN=12345\r\nend\r\n", "done"),
        ("OK\r\nLOGIN=12345\r\n", "done"),
        ("OK 12345\r\n", "done"),
        ("OK\r\n", "unknown"),
        ("OK\r\nLOGIN=\r\nend\r\n", "unknown"),
        ("OK\r\nLOGIN=123", "unknown"),
        ("OK 123", "unknown"),
        ("OK\r\nLOGIN=0\r\nend\r\n", "unknown"),
        ("", "unknown"),
        ("ERR", "unknown"),
        ("ERROR\r\n", "unknown"),
        ("ERROR\r\nserver time-out\r\nend\r\n", "unknown"),
        ("ERROR\r\naccount create failed\r\nend\r\n", "refused"),
        ("blocked\r\n", "not applied"),
        ("ERROR\r\nIP is blocked. Please wait 30 secs and try again\r\nend\r\n", "not applied"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("tcp://{}", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut taken = [0; 4096];
            let count = stream.read(&mut taken).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&taken[..count]).into_owned()
        });
        let mt4 = Mt4::new(settings("http://127.0.0.1:1", &url, CALL_TIMEOUT));
        let said = match mt4.create_account(&Mt4Bench::wish("acc_1")).await {
            Ok(opened) => {
                assert_eq!(opened.login.as_str(), "12345");
                "done"
            }
            Err(PlatformError::Refused { .. }) => "refused",
            Err(PlatformError::NotApplied(_)) => "not applied",
            Err(PlatformError::Unknown(_)) => "unknown",
            Err(PlatformError::Misconfigured(_)) => "misconfigured",
        };
        assert_eq!(said, wanted, "{answer:?}");
        let sent = served.await.unwrap();
        assert!(
            sent.starts_with("WNEWACCOUNT MASTER=local-master|IP=127.0.0.1|GROUP=live-USD|NAME=Jane Doe|PASSWORD="),
            "{sent}"
        );
        assert!(sent.ends_with("|LEVERAGE=30|AGENT=|SEND_REPORTS=1|DEPOSIT=0\nQUIT\n"), "{sent}");
    }
}

#[tokio::test]
async fn a_token_that_was_withdrawn_is_fetched_anew_and_money_is_booked_once() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    bench.book(&login, "10.00", "pay_1").await.unwrap();
    control(bench.url(), "/_control/logout", &Value::Null).await;
    bench.book(&login, "10.00", "pay_2").await.unwrap();
    control(bench.url(), "/_control/logout", &Value::Null).await;
    assert_eq!(bench.balance(&login).await, "20.00");
    assert_eq!(bench.calls("token").await, 3);
}

#[tokio::test]
async fn every_answer_of_the_bridge_says_what_may_have_happened() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    let cases: &[(Value, &str)] = &[
        (json!({"status": 500}), "unknown"),
        (json!({"status": 502}), "unknown"),
        (json!({"status": 404}), "misconfigured"),
        (json!({"status": 429}), "not applied"),
        (json!({"code": "Validation"}), "refused"),
        (json!({"code": "NotFound"}), "refused"),
        (json!({"code": "Forbidden"}), "misconfigured"),
        (json!({"code": "Busy"}), "not applied"),
        (json!({"code": "Timeout"}), "not applied"),
        (json!({"code": "OutcomeUnknown"}), "unknown"),
        (json!({"code": "NoConnect"}), "unknown"),
        (json!({"code": "Internal"}), "unknown"),
        (json!({"code": "SomethingNew"}), "unknown"),
    ];
    let codes = [
        (&[3, 64, 65, 129, 130, 131, 133, 134, 140, 145, 147, 148, 149, 150][..], "refused"),
        (&[5, 7, 10, 11], "misconfigured"),
        (&[8, 132, 135, 136, 137, 138, 139, 141, 146], "not applied"),
        (&[2, 4, 6, 9, 128, 142, 143, 144, 151, 9999], "unknown"),
    ];
    let codes = codes.iter().flat_map(|(codes, said)| codes.iter().map(|code| (json!({"retcode": code}), *said)));
    for (refusal, wanted) in cases.iter().cloned().chain(codes) {
        let mut script = refusal.clone();
        script["kind"] = json!("refuse");
        bench.script(Step::Book, script).await;
        let said = match bench.book(&login, "10.00", "pay_1").await.unwrap_err() {
            PlatformError::Refused { .. } => "refused",
            PlatformError::NotApplied(_) => "not applied",
            PlatformError::Unknown(_) => "unknown",
            PlatformError::Misconfigured(_) => "misconfigured",
        };
        assert_eq!(said, wanted, "{refusal}");
    }
    assert_eq!(bench.balance(&login).await, "0.00");
}

#[tokio::test]
async fn what_the_bridge_repeats_for_a_key_is_booked_once() {
    let bench = Mt4Bench::start(SHORT_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    bench.script(Step::Book, json!({"kind": "apply_then_drop"})).await;
    assert!(matches!(bench.book(&login, "10.00", "pay_1").await, Err(PlatformError::Unknown(_))));
    let ticket = bench.book(&login, "10.00", "pay_1").await.unwrap();
    assert_eq!(bench.balance(&login).await, "10.00");
    assert_eq!(bench.look(&login, "10.00", "pay_1").await, Ok(FoundOperation::Booked(ticket)));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_proves_nothing() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    let since = around_now().0;
    let answer = |data: Value| json!({"kind": "answer", "body": {"data": data, "error": null, "meta": {}}});
    let foreign =
        json!([{"order": 1, "login": 7, "tradeCommand": "Balance", "profit": 1.0, "closeTime": "2026-01-01T00:00:00"}]);
    let nameless = json!([{"order": 1, "login": 7, "profit": 1.0}]);
    for data in [Value::Null, json!({}), json!([{}]), foreign, nameless] {
        fault(bench.url(), "trades_user_history", answer(data.clone())).await;
        let found = bench.look(&login, "10.00", "pay_1").await;
        assert!(matches!(found, Err(PlatformError::NotApplied(_))), "{data}: {found:?}");
        let trades = json!([{"operation": "trades_user_history", "fault": answer(data.clone())}]);
        control(bench.url(), "/_control/faults", &trades).await;
        let read = bench.platform().closed_trades(&login, &TradeCursor::since(since)).await;
        assert!(matches!(read, Err(PlatformError::NotApplied(_))), "{data}: {read:?}");
    }
    let found = bench.look(&Login::new("7"), "10.00", "pay_1").await;
    assert!(
        matches!(found, Err(PlatformError::NotApplied(_))),
        "a login that is not there has no empty history: {found:?}"
    );
    for data in [Value::Null, json!({}), json!([{}]), json!([{"login": 5, "comment": 1}])] {
        fault(bench.url(), "adm_users_request_safe", answer(data.clone())).await;
        let found = bench.find("acc_2").await;
        assert!(matches!(found, Err(PlatformError::NotApplied(_))), "{data}: {found:?}");
    }
    let nowhere = AccountSearch { group: "a b/c?d", reference: "acc_1", since };
    assert_eq!(bench.platform().find_account(&nowhere).await, Ok(None));
}

#[tokio::test]
async fn a_server_in_any_time_zone_is_looked_at_in_its_own_time() {
    for server_offset_s in [-18_000, 0, 10_800, 50_400] {
        let config = Config { mt4: Mt4Config { server_offset_s, ..Mt4Config::default() }, ..Config::default() };
        let bench = Mt4Bench::of(Simulators::start(config).await.unwrap(), CALL_TIMEOUT);
        let login = bench.open("acc_1").await;
        let ticket = bench.book(&login, "10.00", "pay_1").await.unwrap();
        assert_eq!(bench.look(&login, "10.00", "pay_1").await, Ok(FoundOperation::Booked(ticket)), "{server_offset_s}");
        bench.trade(&login, "1.00").await;
        let read = bench.platform().closed_trades(&login, &TradeCursor::since(around_now().0)).await.unwrap();
        let closed_at = read.trades[0].closed_at;
        assert!((now().seconds() - closed_at.seconds()).abs() < 5, "{server_offset_s}: {closed_at}");
    }
}

#[tokio::test]
async fn an_hour_that_comes_twice_loses_no_trade() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    bench.trade(&login, "1.00").await;
    let first = bench.platform().closed_trades(&login, &TradeCursor::since(around_now().0)).await.unwrap();
    control(bench.url(), "/_control/time", &json!({"offset_s": 3600})).await;
    let deal = bench.trade(&login, "2.00").await;
    // another worker, which compares the clocks anew
    let other = Mt4::new(settings(bench.url(), bench.running.url("mt4_webreg"), CALL_TIMEOUT));
    let read = other.closed_trades(&login, &first.next).await.unwrap();
    assert!(read.trades.iter().any(|trade| trade.deal.as_str() == deal), "{read:?}");
}

#[tokio::test]
async fn two_trades_of_one_second_are_read_once_each() {
    let bench = Mt4Bench::start(CALL_TIMEOUT).await;
    let login = bench.open("acc_1").await;
    let second = Timestamp::from_seconds(now().seconds()).unwrap();
    let order = |n: u32| {
        let closed_s = second.seconds() + 7_200;
        json!([{"login": login.as_str().parse::<u64>().unwrap(), "command": "Sell", "symbol": "EURUSD", "volume": n, "closed_s": closed_s}])
    };
    let mut cursor = TradeCursor::since(second);
    for n in 1..=3 {
        control(bench.url(), "/_control/orders", &order(n)).await;
        let read = bench.platform().closed_trades(&login, &cursor).await.unwrap();
        assert_eq!(read.trades.len(), 1, "{n}: {read:?}");
        cursor = read.next;
    }
}
