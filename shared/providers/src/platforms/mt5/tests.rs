//! The adapter against a server in process that does what a test says.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::http::{Request, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::http::{Connection, TransportError};
use crate::system_clock;

type Answer = Result<Response<Bytes>, TransportError>;
type Script = dyn Fn(&str, &[(String, String)]) -> Answer + Send + Sync;

struct Fake {
    script: Arc<Script>,
    /// Paths in the order they came, the handshake's left out.
    log: Arc<Mutex<Vec<String>>>,
    connections: AtomicUsize,
    password: &'static str,
}

struct FakeConnection {
    script: Arc<Script>,
    log: Arc<Mutex<Vec<String>>>,
    proof: Proof,
    open: bool,
}

impl Transport for Fake {
    fn send<'a>(&'a self, _: Request<Bytes>, _: Duration) -> BoxFuture<'a, Answer> {
        Box::pin(async { Err(TransportError::NotSent("not this way".to_owned())) })
    }

    fn connect<'a>(&'a self, _: &'a Url, _: Duration) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let connection = FakeConnection {
            script: Arc::clone(&self.script),
            log: Arc::clone(&self.log),
            proof: Proof::new(&SecretString::from(self.password)),
            open: true,
        };
        Box::pin(async move { Ok::<Box<dyn Connection>, _>(Box::new(connection)) })
    }
}

impl Connection for FakeConnection {
    fn send<'a>(&'a mut self, request: Request<Bytes>, _: Duration) -> BoxFuture<'a, Answer> {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default();
        let query: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let answer = match path.as_str() {
            "/api/auth/start" => ok(json!({"retcode": "0 Done", "srv_rand": "73007dc7184747ce0f7c98516ef1c851"})),
            "/api/auth/answer" => {
                let challenge = hex::decode(&query[1].1).unwrap();
                ok(json!({"retcode": "0 Done", "cli_rand_answer": hex::encode(self.proof.answer(&challenge))}))
            }
            _ => {
                self.log.lock().unwrap().push(path.clone());
                (self.script)(&path, &query)
            }
        };
        self.open = answer.is_ok();
        Box::pin(async move { answer })
    }

    fn is_open(&self) -> bool {
        self.open
    }
}

fn ok(value: Value) -> Answer {
    Ok(Response::new(Bytes::from(value.to_string())))
}

fn status(status: u16) -> Answer {
    Ok(Response::builder().status(status).body(Bytes::new()).unwrap())
}

fn done(answer: Value) -> Answer {
    ok(json!({"retcode": "0 Done", "answer": answer}))
}

fn fake(script: impl Fn(&str, &[(String, String)]) -> Answer + Send + Sync + 'static) -> (Mt5, Arc<Fake>) {
    fake_with("Password1", script)
}

fn fake_with(
    password: &'static str,
    script: impl Fn(&str, &[(String, String)]) -> Answer + Send + Sync + 'static,
) -> (Mt5, Arc<Fake>) {
    let fake = Fake { script: Arc::new(script), log: Arc::default(), connections: AtomicUsize::new(0), password };
    let fake = Arc::new(fake);
    let transport: Arc<dyn Transport> = Arc::<Fake>::clone(&fake);
    let mt5 = Mt5::new(Mt5Settings {
        base_url: Url::parse("https://mt5.invalid").unwrap(),
        version: WEB_API_VERSION,
        agent: "test".to_owned(),
        manager_login: 1000,
        password: SecretString::from("Password1"),
        call_timeout: Duration::from_secs(10),
        clock: system_clock(),
        transport,
    });
    (mt5, fake)
}

fn usd(amount: &str) -> Money {
    Money::parse(amount, "USD".parse().unwrap()).unwrap()
}

fn deposit() -> BalanceOperation {
    BalanceOperation::new(Login::new("1"), usd("10.00"), "pay_1").unwrap()
}

fn connections(fake: &Fake) -> usize {
    fake.connections.load(Ordering::Relaxed)
}

fn log(fake: &Fake) -> Vec<String> {
    fake.log.lock().unwrap().clone()
}

/// A script that gives its answers in order.
fn in_turn(answers: Vec<Answer>) -> impl Fn(&str, &[(String, String)]) -> Answer + Send + Sync {
    let answers = Mutex::new(answers.into_iter());
    move |_, _| answers.lock().unwrap().next().unwrap()
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_is_not_trusted() {
    let (mt5, fake) = fake_with("Password2", |_, _| done(json!({"Ticket": "1"})));
    let error = mt5.apply_balance(&deposit()).await.unwrap_err();
    assert!(matches!(error, PlatformError::Misconfigured(_)), "{error:?}");
    assert_eq!(log(&fake), [""; 0]);
}

#[tokio::test]
async fn a_write_that_was_not_looked_at_is_repeated_once_on_a_new_connection() {
    for unsent in [status(403), status(401), Err(TransportError::NotSent("closed".to_owned()))] {
        let (mt5, fake) = fake(in_turn(vec![unsent.clone_answer(), done(json!({"Ticket": "7"}))]));
        assert_eq!(mt5.apply_balance(&deposit()).await, Ok(Ticket::new("7")));
        assert_eq!((connections(&fake), log(&fake).len()), (2, 2));

        let (mt5, fake) = self::fake(in_turn(vec![unsent.clone_answer(), unsent]));
        let error = mt5.apply_balance(&deposit()).await.unwrap_err();
        assert!(matches!(error, PlatformError::NotApplied(_)), "{error:?}");
        assert_eq!((connections(&fake), log(&fake).len()), (2, 2));
    }
}

#[tokio::test]
async fn a_write_whose_answer_says_nothing_is_unknown_and_not_repeated() {
    let nothing = [
        Err(TransportError::Lost("closed".to_owned())),
        Err(TransportError::TooLarge),
        status(500),
        status(502),
        ok(json!("text")),
        ok(json!({})),
        ok(json!({"retcode": "Done"})),
        ok(json!({"retcode": "10012 Request timeout"})),
        ok(json!({"retcode": "0 Done"})),
        done(json!({"Ticket": "0"})),
        done(json!([])),
    ];
    for answer in nothing {
        let (mt5, fake) = fake(in_turn(vec![answer.clone_answer()]));
        let error = mt5.apply_balance(&deposit()).await.unwrap_err();
        assert!(matches!(error, PlatformError::Unknown(_)), "{answer:?} {error:?}");
        assert_eq!(log(&fake).len(), 1);
    }
}

#[tokio::test]
async fn a_read_whose_connection_is_lost_is_repeated_once() {
    for lost in [status(403), Err(TransportError::Lost("closed".to_owned()))] {
        let (mt5, fake) = fake(in_turn(vec![lost.clone_answer(), done(json!({"Balance": "12.50"}))]));
        assert_eq!(mt5.balance(&Login::new("1"), usd("0").currency()).await, Ok(usd("12.50")));
        assert_eq!(connections(&fake), 2);
        let (mt5, fake) = self::fake(in_turn(vec![lost.clone_answer(), lost]));
        let error = mt5.balance(&Login::new("1"), usd("0").currency()).await.unwrap_err();
        assert!(matches!(error, PlatformError::NotApplied(_)), "{error:?}");
        assert_eq!(connections(&fake), 2);
    }
}

#[tokio::test]
async fn an_idle_connection_is_tried_before_a_write_and_an_old_one_is_replaced() {
    let answer = |path: &str, _: &[(String, String)]| match path {
        "/api/test/access" => ok(json!({"retcode": "0 Done"})),
        "/api/user/account/get" => done(json!({"Balance": "0"})),
        _ => done(json!({"Ticket": "1"})),
    };
    let idle = async |mt5: &Mt5, seconds: u64| {
        let past = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        mt5.link.lock().await.as_mut().unwrap().set_used_at(past);
    };
    let (mt5, fake) = fake(answer);
    mt5.apply_balance(&deposit()).await.unwrap();
    idle(&mt5, 19).await;
    mt5.apply_balance(&deposit()).await.unwrap();
    assert_eq!(log(&fake), ["/api/trade/balance"; 2]);

    idle(&mt5, 21).await;
    mt5.balance(&Login::new("1"), usd("0").currency()).await.unwrap();
    idle(&mt5, 21).await;
    mt5.apply_balance(&deposit()).await.unwrap();
    assert_eq!(log(&fake)[2..], ["/api/user/account/get", "/api/test/access", "/api/trade/balance"]);
    assert_eq!(connections(&fake), 1);

    idle(&mt5, 151).await;
    mt5.apply_balance(&deposit()).await.unwrap();
    assert_eq!(log(&fake).last().unwrap(), "/api/trade/balance");
    assert_eq!((connections(&fake), log(&fake).len()), (2, 6));
}

#[tokio::test]
async fn a_dead_idle_connection_costs_a_write_nothing() {
    let dead = AtomicUsize::new(0);
    let (mt5, fake) = fake(move |path, _| match path {
        "/api/test/access" if dead.fetch_add(1, Ordering::Relaxed) == 0 => {
            Err(TransportError::Lost("closed".to_owned()))
        }
        _ => done(json!({"Ticket": "1"})),
    });
    mt5.apply_balance(&deposit()).await.unwrap();
    let past = Instant::now().checked_sub(Duration::from_secs(30)).unwrap();
    mt5.link.lock().await.as_mut().unwrap().set_used_at(past);
    assert_eq!(mt5.apply_balance(&deposit()).await, Ok(Ticket::new("1")));
    assert_eq!(connections(&fake), 2);
}

/// Deals in pages, the wanted one at an index.
fn history(total: usize, wanted: Option<usize>) -> impl Fn(&str, &[(String, String)]) -> Answer + Send + Sync {
    move |path, query| {
        let number = |name: &str| query.iter().find(|(key, _)| key == name).unwrap().1.parse::<usize>().unwrap();
        match path {
            "/api/time/server" => done(json!("1700000000 0")),
            "/api/deal/get_total" => done(json!({"total": total.to_string()})),
            _ => {
                assert!(number("total") <= 100);
                let end = total.min(number("offset") + number("total"));
                let deal = |n: usize| {
                    let comment = if Some(n) == wanted { "pay_1" } else { "pay_12" };
                    json!({"Deal": (n + 1).to_string(), "Action": "2", "Profit": "10.0000", "Comment": comment})
                };
                done(Value::Array((number("offset")..end).map(deal).collect()))
            }
        }
    }
}

async fn look(mt5: &Mt5) -> Result<Option<Ticket>, PlatformError> {
    let at = Timestamp::from_seconds(1_700_000_000).unwrap();
    let reference = Reference::new("pay_1").unwrap();
    mt5.find_operation(&Login::new("1"), &reference, usd("10.00"), at, at).await
}

#[tokio::test]
async fn every_page_is_looked_through_up_to_a_bound_beyond_which_nothing_is_concluded() {
    for (total, wanted, ticket) in [
        (0, None, None),
        (1, Some(0), Some("1")),
        (100, Some(99), Some("100")),
        (101, Some(100), Some("101")),
        (250, None, None),
        (4_000, Some(3_999), Some("4000")),
        (4_000, None, None),
        (4_001, Some(0), Some("1")),
    ] {
        let (mt5, _) = fake(history(total, wanted));
        assert_eq!(look(&mt5).await, Ok(ticket.map(Ticket::new)), "{total}");
    }
    let (mt5, _) = fake(history(4_001, Some(4_000)));
    assert!(matches!(look(&mt5).await, Err(PlatformError::NotApplied(_))));
}

#[tokio::test]
async fn only_a_balance_deal_of_this_amount_and_reference_is_the_operation() {
    let deal = |action: &str, profit: &str, comment: &str| json!({"Deal": "9", "Action": action, "Profit": profit, "Comment": comment});
    let cases = [
        (deal("2", "10.00", "pay_1"), true),
        (deal("2", "10", "pay_1 deposit"), true),
        (deal("2", "-10.00", "pay_1"), false),
        (deal("2", "10.01", "pay_1"), false),
        (deal("3", "10.00", "pay_1"), false),
        (deal("0", "10.00", "pay_1"), false),
        (deal("2", "10.00", "pay_11"), false),
        (deal("2", "10.00", ""), false),
        (deal("2", "x", "pay_1"), false),
    ];
    for (deal, found) in cases {
        let page = deal.clone();
        let (mt5, _) = fake(move |path, _| match path {
            "/api/time/server" => done(json!({"Time": "1700000000"})),
            "/api/deal/get_total" => done(json!({"total": "1"})),
            _ => done(json!([page])),
        });
        assert_eq!(look(&mt5).await, Ok(found.then(|| Ticket::new("9"))), "{deal}");
    }
}

#[tokio::test]
async fn a_window_is_moved_to_the_servers_clock_or_widened_by_every_time_zone() {
    let window = Arc::new(Mutex::new(Vec::new()));
    for (time, from, to) in [
        (done(json!("1700010800 0")), 1_700_010_800 - 3_900, 1_700_010_800 + 3_900),
        (done(json!("1699992800 0")), 1_699_992_800 - 3_900, 1_699_992_800 + 3_900),
        (done(json!("none")), 1_700_000_000 - 54_000, 1_700_000_000 + 54_000),
        (ok(json!({"retcode": "12000 Not implemented"})), 1_700_000_000 - 54_000, 1_700_000_000 + 54_000),
    ] {
        let seen = Arc::clone(&window);
        let (mut mt5, fake) = fake(move |path, query| match path {
            "/api/time/server" => time.clone_answer(),
            _ => {
                *seen.lock().unwrap() = query.to_vec();
                done(json!({"total": "0"}))
            }
        });
        mt5.settings.clock = Arc::new(|| Timestamp::from_seconds(1_700_000_000).unwrap());
        assert_eq!(look(&mt5).await, Ok(None));
        let pair = |name: &str, value: i64| (name.to_owned(), value.to_string());
        assert_eq!(window.lock().unwrap()[1..], [pair("from", from), pair("to", to)]);
        look(&mt5).await.unwrap();
        let compared = log(&fake).iter().filter(|path| *path == "/api/time/server").count();
        assert_eq!(compared, if to - from == 7_800 { 1 } else { 2 });
    }
    let (mt5, _) = fake(|_, _| status(500));
    assert!(matches!(look(&mt5).await, Err(PlatformError::NotApplied(_))));
}

#[tokio::test]
async fn accounts_are_looked_through_newest_first_up_to_a_bound() {
    let group = |size: u64, ours: u64| {
        move |path: &str, query: &[(String, String)]| match path {
            "/api/user/logins" => done(json!((1..=size).map(|login| login.to_string()).collect::<Vec<_>>())),
            _ => {
                let logins = query[0].1.split(',');
                let user = |login: &str| {
                    let comment = if login == ours.to_string() { "acc_1" } else { "acc_2" };
                    json!({"Login": login, "Comment": comment})
                };
                done(Value::Array(logins.map(user).collect()))
            }
        }
    };
    let (mt5, fake) = fake(group(450, 450));
    assert_eq!(mt5.find_account("g", "acc_1").await, Ok(Some(Login::new("450"))));
    assert_eq!(log(&fake).len(), 2);
    for (size, ours, found) in [(450, 1, true), (5_000, 1, true), (450, 0, false), (0, 0, false)] {
        let (mt5, _) = self::fake(group(size, ours));
        assert_eq!(mt5.find_account("g", "acc_1").await, Ok(found.then(|| Login::new("1"))), "{size}");
    }
    let (mt5, _) = self::fake(group(5_001, 1));
    assert!(matches!(mt5.find_account("g", "acc_1").await, Err(PlatformError::NotApplied(_))));
    let (mt5, _) = self::fake(|_, _| ok(json!({"retcode": "13 Not found"})));
    assert_eq!(mt5.find_account("g", "acc_1").await, Ok(None));
}

/// Answers hold no errors that could not be copied.
trait CloneAnswer {
    fn clone_answer(&self) -> Answer;
}

impl CloneAnswer for Answer {
    fn clone_answer(&self) -> Answer {
        match self {
            Ok(response) => Ok(Response::builder().status(response.status()).body(response.body().clone()).unwrap()),
            Err(error) => Err(error.clone()),
        }
    }
}
