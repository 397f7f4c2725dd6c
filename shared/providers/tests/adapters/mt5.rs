//! MetaTrader 5 against the simulator.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use domain::{Money, Redacted, Seconds, Timestamp};
use http::{Request, Response};
use providers::http::{BoxFuture, Connection, HyperTransport, Transport, TransportError};
use providers::platforms::mt5::{Mt5, Mt5Settings, WEB_API_VERSION};
use providers::platforms::{
    AccountSearch, BalanceOperation, FoundOperation, FoundTicket, Funds, Login, NewAccount, PlatformError, Reference,
    Ticket, TicketQuery, TradingPlatform,
};
use providers::system_clock;
use secrecy::SecretString;
use serde_json::{Value, json};
use simulators::{Config, Mt5Config, Running, Simulators};
use url::Url;

use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, control, fault, money, now, simulators};

const GROUP: &str = "real\\standard-usd";

/// The real transport, counting connections and keeping the request lines.
#[derive(Default)]
struct Recording {
    inner: HyperTransport,
    connections: AtomicUsize,
    targets: Arc<Mutex<Vec<String>>>,
}

struct RecordingConnection {
    inner: Box<dyn Connection>,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Transport for Recording {
    fn send<'a>(
        &'a self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        self.inner.send(request, deadline)
    }

    fn connect<'a>(
        &'a self,
        base: &'a Url,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>> {
        Box::pin(async move {
            self.connections.fetch_add(1, Ordering::Relaxed);
            let inner = self.inner.connect(base, deadline).await?;
            Ok::<Box<dyn Connection>, _>(Box::new(RecordingConnection { inner, targets: Arc::clone(&self.targets) }))
        })
    }
}

impl Connection for RecordingConnection {
    fn send<'a>(
        &'a mut self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        self.targets.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        self.inner.send(request, deadline)
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}

struct Server {
    running: Running,
    transport: Arc<Recording>,
    mt5: Mt5,
}

impl Server {
    fn url(&self) -> &str {
        self.running.url("mt5")
    }

    fn connections(&self) -> usize {
        self.transport.connections.load(Ordering::Relaxed)
    }

    async fn account(&self) -> Login {
        self.mt5.create_account(&account("acc_1")).await.unwrap().login
    }

    async fn find_account(&self, group: &str, reference: &str) -> Result<Option<Login>, PlatformError> {
        let search = AccountSearch { group, reference, since: around_now().0 };
        Ok(self.mt5.find_account(&search).await?.map(|opened| opened.login))
    }

    async fn balance(&self, login: &Login) -> Money {
        self.mt5.balance(login, "USD".parse().unwrap()).await.unwrap()
    }

    async fn look(&self, login: &Login, reference: &str, amount: &str) -> Result<FoundOperation, PlatformError> {
        let (from, to) = around_now();
        let reference = Reference::new(reference).unwrap();
        self.mt5.find_operation(login, &reference, (money(amount, "USD"), Funds::Balance), from, to).await
    }

    async fn find(&self, login: &Login, reference: &str, amount: &str) -> Option<Ticket> {
        match self.look(login, reference, amount).await.unwrap() {
            FoundOperation::Booked(ticket) => Some(ticket),
            FoundOperation::Absent => None,
            FoundOperation::Ambiguous(what) => panic!("{what}"),
        }
    }
}

fn mt5(url: &str, password: &str, call_timeout: Duration, transport: Arc<dyn Transport>) -> Mt5 {
    Mt5::new(Mt5Settings {
        base_url: Url::parse(url).unwrap(),
        version: WEB_API_VERSION,
        agent: "WebAPI".to_owned(),
        manager_login: 1000,
        password: SecretString::from(password.to_owned()),
        call_timeout,
        clock: system_clock(),
        transport,
    })
}

async fn server(call_timeout: Duration) -> Server {
    serve(simulators().await, call_timeout)
}

fn serve(running: Running, call_timeout: Duration) -> Server {
    let transport = Arc::new(Recording::default());
    let mt5 = mt5(running.url("mt5"), "Local-Api-1", call_timeout, Arc::<Recording>::clone(&transport));
    Server { running, transport, mt5 }
}

fn account(reference: &str) -> NewAccount {
    NewAccount {
        group: GROUP.to_owned(),
        currency: "USD".parse().unwrap(),
        name: Redacted::new("Jane Doe".to_owned()),
        email: Redacted::new("jane@example.com".to_owned()),
        phone: Some(Redacted::new("+4930123456".to_owned())),
        country: Some("DE".parse().unwrap()),
        leverage: 30,
        reference: reference.to_owned(),
        password: SecretString::from("Main-Pass1"),
        investor_password: SecretString::from("Read-Pass1"),
    }
}

fn operation(login: &Login, amount: &str, reference: &str) -> BalanceOperation {
    BalanceOperation::new(login.clone(), money(amount, "USD"), reference).unwrap()
}

fn around_now() -> (Timestamp, Timestamp) {
    let now = now();
    (Timestamp::from_seconds(now.seconds() - 60).unwrap(), now.plus(Seconds(60)))
}

#[tokio::test]
async fn an_account_is_created_and_found_again_by_its_reference() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    assert_eq!(server.find_account(GROUP, "acc_1").await, Ok(Some(login.clone())));
    assert_eq!(server.find_account(GROUP, "acc_2").await, Ok(None));
    assert_eq!(server.find_account("demo\\standard-usd", "acc_1").await, Ok(None));
    assert_eq!(server.balance(&login).await, money("0", "USD"));
}

#[tokio::test]
async fn passwords_and_personal_data_never_stand_in_a_request_line() {
    let server = server(CALL_TIMEOUT).await;
    server.account().await;
    let targets = server.transport.targets.lock().unwrap().join("\n");
    assert!(targets.contains("POST /api/user/add"), "{targets}");
    for private in ["Main-Pass1", "Read-Pass1", "Local-Api-1", "Jane", "jane", "%40", "4930123456"] {
        assert!(!targets.contains(private), "{private} in {targets}");
    }
}

#[tokio::test]
async fn money_is_booked_once_and_found_by_reference_and_amount() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    let ticket = server.mt5.apply_balance(&operation(&login, "1250.50", "pay_1")).await.unwrap();
    let out = server.mt5.apply_balance(&operation(&login, "-250.50", "pay_2")).await.unwrap();
    assert_ne!(ticket, out);
    assert_eq!(server.balance(&login).await, money("1000.00", "USD"));
    assert_eq!(server.find(&login, "pay_1", "1250.50").await, Some(ticket));
    assert_eq!(server.find(&login, "pay_2", "-250.50").await, Some(out));
    let other = server.look(&login, "pay_1", "1250.51").await;
    assert!(matches!(other, Ok(FoundOperation::Ambiguous(_))), "{other:?}");
    assert_eq!(server.find(&login, "pay_3", "1250.50").await, None);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_the_automation_books_always_bears_its_reference_and_is_found_by_its_ticket() {
    let server = server(CALL_TIMEOUT).await;
    let (login, other) = (server.account().await, server.account().await);
    let reference = "pay_01j9zzzzzzabcdefghjkmnpqrs";
    let ticket = server.mt5.apply_balance(&operation(&login, "10.00", reference)).await.unwrap();
    let look = async |login: Option<&Login>, ticket: &Ticket| {
        let (from, to) = around_now();
        let reference = Reference::new(reference).ok();
        server
            .mt5
            .find_ticket(&TicketQuery { ticket: ticket.clone(), login: login.cloned(), reference, from, to })
            .await
    };
    for asked in [Some(&login), None] {
        let Ok(FoundTicket::Deal(deal)) = look(asked, &ticket).await else { panic!("not found") };
        assert_eq!((&deal.login, deal.comment.as_str(), deal.is_balance), (&login, reference, true));
        assert_eq!((deal.amount, deal.digits), (money("10.00", "USD").amount(), Some(2)));
    }
    assert_eq!(look(Some(&other), &ticket).await, Ok(FoundTicket::OfAnotherLogin));
    assert_eq!(look(Some(&login), &Ticket::new("4711")).await, Ok(FoundTicket::Absent));
}

#[tokio::test]
async fn a_reference_of_full_length_survives_the_comment() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    let reference = "r".repeat(31);
    let ticket = server.mt5.apply_balance(&operation(&login, "1.00", &reference)).await.unwrap();
    assert_eq!(server.find(&login, &reference, "1.00").await, Some(ticket));
    assert!(BalanceOperation::new(login, money("1.00", "USD"), "r".repeat(32)).is_err());
}

#[tokio::test]
async fn what_was_booked_without_an_answer_is_unknown_and_then_found() {
    let server = server(SHORT_TIMEOUT).await;
    let login = server.account().await;
    let scripts = [
        json!({"kind": "apply_then_timeout", "ms": 3000}),
        json!({"kind": "apply_then_drop"}),
        json!({"kind": "apply_then_garbage"}),
    ];
    for (n, script) in scripts.into_iter().enumerate() {
        let reference = format!("pay_{n}");
        fault(server.url(), "trade_balance", script.clone()).await;
        let error = server.mt5.apply_balance(&operation(&login, "10.00", &reference)).await.unwrap_err();
        assert!(matches!(error, PlatformError::Unknown(_)), "{script}: {error:?}");
        assert!(server.find(&login, &reference, "10.00").await.is_some(), "{script}");
    }
    assert_eq!(server.balance(&login).await, money("30.00", "USD"));
}

#[tokio::test]
async fn what_was_not_booked_and_not_answered_is_unknown_and_then_not_found() {
    let server = server(SHORT_TIMEOUT).await;
    let login = server.account().await;
    let scripts = [json!({"kind": "timeout_before", "ms": 3000}), json!({"kind": "drop"}), json!({"kind": "garbage"})];
    for (n, script) in scripts.into_iter().enumerate() {
        let reference = format!("pay_{n}");
        fault(server.url(), "trade_balance", script.clone()).await;
        let error = server.mt5.apply_balance(&operation(&login, "10.00", &reference)).await.unwrap_err();
        assert!(matches!(error, PlatformError::Unknown(_)), "{script}: {error:?}");
        assert_eq!(server.find(&login, &reference, "10.00").await, None, "{script}");
        assert!(server.mt5.apply_balance(&operation(&login, "10.00", &reference)).await.is_ok());
    }
    assert_eq!(server.balance(&login).await, money("30.00", "USD"));
}

#[tokio::test]
async fn an_account_created_without_an_answer_is_unknown_and_then_found() {
    let server = server(SHORT_TIMEOUT).await;
    fault(server.url(), "user_add", json!({"kind": "apply_then_drop"})).await;
    let error = server.mt5.create_account(&account("acc_1")).await.unwrap_err();
    assert!(matches!(error, PlatformError::Unknown(_)), "{error:?}");
    assert!(server.find_account(GROUP, "acc_1").await.unwrap().is_some());
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    let code = |error: PlatformError| match error {
        PlatformError::Refused { code, .. } => code,
        other => panic!("{other:?}"),
    };
    let apply = async |login: &Login, amount: &str| {
        server.mt5.apply_balance(&operation(login, amount, "pay_1")).await.unwrap_err()
    };
    assert_eq!(code(apply(&login, "-10.00").await), "10019");
    assert_eq!(code(apply(&login, "1000000000.01").await), "4005");
    assert_eq!(code(apply(&Login::new("1"), "10.00").await), "13");
    let weak = NewAccount { password: SecretString::from("password"), ..account("acc_2") };
    assert_eq!(code(server.mt5.create_account(&weak).await.unwrap_err()), "3006");
    let long = NewAccount { reference: "x".repeat(64), ..account("") };
    assert_eq!(code(server.mt5.create_account(&long).await.unwrap_err()), "reference");
    let other = NewAccount { group: "real\\other".to_owned(), ..account("acc_2") };
    let error = server.mt5.create_account(&other).await.unwrap_err();
    assert!(matches!(error, PlatformError::Misconfigured(_)), "{error:?}");
    for (retcode, wanted) in [(1018, "not applied"), (10012, "unknown"), (8, "misconfigured"), (12000, "misconfigured")]
    {
        fault(server.url(), "trade_balance", json!({"kind": "refuse", "retcode": retcode})).await;
        let said = match apply(&login, "10.00").await {
            PlatformError::NotApplied(_) => "not applied",
            PlatformError::Unknown(_) => "unknown",
            PlatformError::Misconfigured(_) => "misconfigured",
            PlatformError::Refused { .. } => "refused",
        };
        assert_eq!(said, wanted, "{retcode}");
    }
    assert_eq!(server.balance(&login).await, money("0", "USD"));
}

#[tokio::test]
async fn a_connection_that_was_logged_out_logs_on_again_and_books_once() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    control(server.url(), "/_control/logout", &Value::Null).await;
    server.mt5.apply_balance(&operation(&login, "10.00", "pay_1")).await.unwrap();
    control(server.url(), "/_control/logout", &Value::Null).await;
    assert_eq!(server.balance(&login).await, money("10.00", "USD"));
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_read_on_a_connection_that_breaks_is_repeated_on_a_new_one() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    fault(server.url(), "user_account_get", json!({"kind": "drop"})).await;
    assert_eq!(server.balance(&login).await, money("0", "USD"));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn many_callers_share_one_connection() {
    let server = Arc::new(server(CALL_TIMEOUT).await);
    let login = server.account().await;
    let mut tasks = Vec::new();
    for n in 0..20 {
        let (server, login) = (Arc::clone(&server), login.clone());
        tasks.push(tokio::spawn(async move {
            server.mt5.apply_balance(&operation(&login, "1.00", &format!("pay_{n}"))).await
        }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(server.balance(&login).await, money("20.00", "USD"));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_no_half_used_connection() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    fault(server.url(), "user_account_get", json!({"kind": "delay", "ms": 300})).await;
    let abandoned = tokio::time::timeout(Duration::from_millis(50), server.balance(&login)).await;
    assert!(abandoned.is_err());
    // On the old connection this would read the other answer.
    server.mt5.apply_balance(&operation(&login, "10.00", "pay_1")).await.unwrap();
    assert_eq!(server.balance(&login).await, money("10.00", "USD"));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_server_in_any_time_zone_is_looked_at_in_its_own_time() {
    for server_offset_s in [-18_000, 0, 10_800, 50_400] {
        let config = Config { mt5: Mt5Config { server_offset_s, ..Mt5Config::default() }, ..Config::default() };
        let server = serve(Simulators::start(config).await.unwrap(), CALL_TIMEOUT);
        let login = server.account().await;
        let ticket = server.mt5.apply_balance(&operation(&login, "10.00", "pay_1")).await.unwrap();
        assert_eq!(server.find(&login, "pay_1", "10.00").await, Some(ticket.clone()), "{server_offset_s}");
        // Of a server that does not tell its time, every time zone is looked at.
        let blind = mt5(server.url(), "Local-Api-1", CALL_TIMEOUT, Arc::new(HyperTransport::new()));
        fault(server.url(), "time_server", json!({"kind": "refuse", "retcode": 12000})).await;
        let (from, to) = around_now();
        let reference = Reference::new("pay_1").unwrap();
        let found = blind.find_operation(&login, &reference, (money("10.00", "USD"), Funds::Balance), from, to).await;
        assert_eq!(found, Ok(FoundOperation::Booked(ticket)), "{server_offset_s}");
    }
}

#[tokio::test]
async fn a_clock_in_another_unit_does_not_hide_a_deal() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    let ticket = server.mt5.apply_balance(&operation(&login, "10.00", "pay_1")).await.unwrap();
    let ms = format!("{}", now().millis());
    for time in [json!({"time": ms}), json!(ms), json!({"time": "20261128"}), json!({"time": "12:00:00"})] {
        let fresh = mt5(server.url(), "Local-Api-1", CALL_TIMEOUT, Arc::new(HyperTransport::new()));
        let body = json!({"retcode": "0 Done", "answer": time});
        fault(server.url(), "time_server", json!({"kind": "answer", "body": body})).await;
        let (from, to) = around_now();
        let reference = Reference::new("pay_1").unwrap();
        let found = fresh.find_operation(&login, &reference, (money("10.00", "USD"), Funds::Balance), from, to).await;
        assert_eq!(found, Ok(FoundOperation::Booked(ticket.clone())), "{body}");
    }
}

#[tokio::test]
async fn a_short_page_and_a_refusal_while_paging_prove_nothing() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    for _ in 0..101 {
        let deal = json!([{"login": login.as_str().parse::<u64>().unwrap(), "action": 0, "comment": ""}]);
        control(server.url(), "/_control/deals", &deal).await;
    }
    assert_eq!(server.find(&login, "pay_1", "10.00").await, None);
    server.mt5.apply_balance(&operation(&login, "10.00", "pay_1")).await.unwrap();
    let faults = [
        // Once for each time that the list is read.
        (json!({"kind": "answer", "body": {"retcode": "0 Done", "answer": []}}), 3),
        (json!({"kind": "refuse", "retcode": 13}), 1),
        (json!({"kind": "refuse", "retcode": 3}), 1),
        (json!({"kind": "refuse", "retcode": 2}), 1),
    ];
    for (script, times) in faults {
        let planned =
            json!([{"operation": "deal_get_page", "match": {"offset": "100"}, "fault": script, "times": times}]);
        control(server.url(), "/_control/faults", &planned).await;
        let found = server.look(&login, "pay_1", "10.00").await;
        assert!(matches!(found, Err(PlatformError::NotApplied(_))), "{script}: {found:?}");
    }
    assert!(server.find(&login, "pay_1", "10.00").await.is_some());
}

#[tokio::test]
async fn what_finance_booked_by_hand_under_our_reference_is_for_a_person() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    let reference = "pay_01j9zzzzzzabcdefghjkmnpqrs";
    server.mt5.apply_balance(&operation(&login, "4.00", reference)).await.unwrap();
    let found = server.look(&login, reference, "10.00").await;
    assert!(matches!(found, Ok(FoundOperation::Ambiguous(_))), "{found:?}");
    server.mt5.apply_balance(&operation(&login, "6.00", reference)).await.unwrap();
    let found = server.look(&login, reference, "10.00").await;
    assert!(matches!(found, Ok(FoundOperation::Ambiguous(_))), "{found:?}");
}

#[tokio::test]
async fn a_wrong_password_and_a_server_that_is_away_are_certainly_not_applied() {
    let server = server(CALL_TIMEOUT).await;
    let login = server.account().await;
    let transport = Arc::new(HyperTransport::new());
    let stranger = mt5(server.url(), "wrong", CALL_TIMEOUT, Arc::<HyperTransport>::clone(&transport));
    let error = stranger.apply_balance(&operation(&login, "10.00", "pay_1")).await.unwrap_err();
    assert!(matches!(&error, PlatformError::Misconfigured(text) if text.starts_with("1001")), "{error:?}");
    let nobody = mt5("http://127.0.0.1:1", "x", CALL_TIMEOUT, transport);
    let error = nobody.apply_balance(&operation(&login, "10.00", "pay_1")).await.unwrap_err();
    assert!(matches!(error, PlatformError::NotApplied(_)), "{error:?}");
}

#[tokio::test]
async fn a_log_on_that_hangs_is_certainly_not_applied() {
    let server = server(SHORT_TIMEOUT).await;
    for step in ["auth_start", "auth_answer"] {
        fault(server.url(), step, json!({"kind": "timeout_before", "ms": 3000})).await;
        let error = server.mt5.apply_balance(&operation(&Login::new("1"), "1.00", "pay_1")).await.unwrap_err();
        assert!(matches!(error, PlatformError::NotApplied(_)), "{step}: {error:?}");
    }
}
