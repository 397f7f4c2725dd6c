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

/// The login of the account that bears a reference.
async fn find(mt5: &Mt5) -> Result<Option<Login>, PlatformError> {
    let since = Timestamp::from_seconds(1_700_000_000).unwrap();
    let found = mt5.find_account(&AccountSearch { group: "g", reference: "acc_1", since }).await;
    found.map(|opened| opened.map(|opened| opened.login))
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

fn booked_or_absent(ticket: Option<&str>) -> FoundOperation {
    ticket.map_or(FoundOperation::Absent, |ticket| FoundOperation::Booked(Ticket::new(ticket)))
}

async fn look(mt5: &Mt5) -> Result<FoundOperation, PlatformError> {
    let at = Timestamp::from_seconds(1_700_000_000).unwrap();
    let reference = Reference::new("pay_1").unwrap();
    mt5.find_operation(&Login::new("1"), &reference, (usd("10.00"), Funds::Balance), at, at).await
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
        assert_eq!(look(&mt5).await, Ok(booked_or_absent(ticket)), "{total}");
    }
    let (mt5, _) = fake(history(4_001, Some(4_000)));
    assert!(matches!(look(&mt5).await, Err(PlatformError::NotApplied(_))));
}

/// One deal as the whole history of a login.
fn one_deal(deal: Value) -> impl Fn(&str, &[(String, String)]) -> Answer + Send + Sync {
    move |path, _| match path {
        "/api/time/server" => done(json!({"Time": "1700000000"})),
        "/api/deal/get_total" => done(json!({"total": "1"})),
        _ => done(json!([deal])),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Says {
    Booked,
    Absent,
    Ambiguous,
    CannotTell,
}

async fn says(mt5: &Mt5) -> Says {
    match look(mt5).await {
        Ok(FoundOperation::Booked(ticket)) => {
            assert_eq!(ticket, Ticket::new("9"));
            Says::Booked
        }
        Ok(FoundOperation::Absent) => Says::Absent,
        Ok(FoundOperation::Ambiguous(_)) => Says::Ambiguous,
        Err(PlatformError::NotApplied(_)) => Says::CannotTell,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_deal_with_our_reference_that_differs_in_anything_is_neither_booked_nor_absent() {
    use Says::{Absent, Ambiguous, Booked, CannotTell};
    let deal = |action: &str, profit: &str, comment: &str| json!({"Deal": "9", "Action": action, "Profit": profit, "Comment": comment});
    let with = |name: &str, value: Value| {
        let mut deal = deal("2", "10.00", "pay_1");
        deal[name] = value;
        deal
    };
    let cases = [
        (deal("2", "10.00", "pay_1"), Booked),
        (deal("2", "10", "pay_1 deposit"), Booked),
        (with("Login", json!("1")), Booked),
        (with("DigitsCurrency", json!("2")), Booked),
        (deal("2", "10.00", "pay_11"), Absent),
        (deal("2", "10.00", ""), Absent),
        (deal("2", "-10.00", "pay_1"), Ambiguous),
        (deal("2", "10.01", "pay_1"), Ambiguous),
        (deal("3", "10.00", "pay_1"), Ambiguous),
        (deal("0", "10.00", "pay_1"), Ambiguous),
        (deal("2", "x", "pay_1"), Ambiguous),
        (deal("2", "4.00", "part of PAY_1"), Ambiguous),
        (deal("2", "10.00", "by hand pay_1"), Ambiguous),
        (with("DigitsCurrency", json!("0")), Ambiguous),
        (with("Login", json!("2")), CannotTell),
        (with("Comment", Value::Null), CannotTell),
        (with("Deal", json!("x")), CannotTell),
        (json!("9"), CannotTell),
    ];
    for (deal, wanted) in cases {
        let (mt5, _) = fake(one_deal(deal.clone()));
        assert_eq!(says(&mt5).await, wanted, "{deal}");
    }
}

#[tokio::test]
async fn several_deals_with_our_reference_are_for_a_person() {
    for (second, comment) in [("10.00", "pay_1"), ("4.00", "pay_1"), ("-10.00", "pay_1 taken back")] {
        let (mt5, _) = fake(move |path, _| match path {
            "/api/time/server" => done(json!({"Time": "1700000000"})),
            "/api/deal/get_total" => done(json!({"total": "2"})),
            _ => done(json!([
                {"Deal": "9", "Action": "2", "Profit": "10.00", "Comment": "pay_1"},
                {"Deal": "10", "Action": "2", "Profit": second, "Comment": comment},
            ])),
        });
        let Ok(FoundOperation::Ambiguous(what)) = look(&mt5).await else { panic!("{second}") };
        assert!(what.contains("deal 9") && what.contains("deal 10") && !what.contains("taken"), "{what}");
    }
}

/// A history of 150 deals that bear no reference of ours, with one thing changed.
fn long_history(
    change: impl Fn(&str, usize) -> Option<Answer> + Send + Sync,
) -> impl Fn(&str, &[(String, String)]) -> Answer + Send + Sync {
    let whole = history(150, None);
    move |path, query| {
        let offset = query.iter().find(|(key, _)| key == "offset").map_or(0, |(_, value)| value.parse().unwrap());
        change(path, offset).unwrap_or_else(|| whole(path, query))
    }
}

#[tokio::test]
async fn nothing_is_absent_until_every_row_of_the_total_was_read() {
    let (mt5, _) = fake(long_history(|_, _| None));
    assert_eq!(says(&mt5).await, Says::Absent);
    type Change = fn(&str, usize) -> Option<Answer>;
    let changes: [Change; 9] = [
        |path, offset| (path == "/api/deal/get_page" && offset == 100).then(|| done(json!([]))),
        |path, offset| (path == "/api/deal/get_page" && offset == 0).then(|| done(json!([]))),
        |path, offset| (path == "/api/deal/get_page" && offset == 100).then(|| done(json!({}))),
        |path, offset| (path == "/api/deal/get_page" && offset == 100).then(|| ok(json!({"retcode": "13 Not found"}))),
        |path, offset| (path == "/api/deal/get_page" && offset == 0).then(|| ok(json!({"retcode": "3 Invalid"}))),
        |path, _| (path == "/api/deal/get_total").then(|| ok(json!({"retcode": "13 Not found"}))),
        // A total that says too little, each time it is asked.
        |path, _| (path == "/api/deal/get_total").then(|| done(json!({"total": "0"}))),
        |path, _| (path == "/api/deal/get_total").then(|| done(json!({"total": "1"}))),
        |path, _| (path == "/api/deal/get_total").then(|| done(json!({"total": "100"}))),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let (mt5, _) = fake(long_history(change));
        assert_eq!(says(&mt5).await, Says::CannotTell, "{n}");
    }
}

#[tokio::test]
async fn deals_that_are_added_while_they_are_read_make_it_read_again() {
    let totals = AtomicUsize::new(0);
    let (mt5, fake) = fake(move |path, query| match path {
        "/api/deal/get_total" => {
            let total = if totals.fetch_add(1, Ordering::Relaxed) == 0 { 1 } else { 2 };
            done(json!({"total": total.to_string()}))
        }
        _ => history(2, None)(path, query),
    });
    assert_eq!(says(&mt5).await, Says::Absent);
    assert_eq!(log(&fake).iter().filter(|path| *path == "/api/deal/get_page").count(), 2);
    // One that is added in front of page after page is never read as a whole.
    let totals = AtomicUsize::new(0);
    let (mt5, _) = self::fake(move |path, query| match path {
        "/api/deal/get_total" => done(json!({"total": (totals.fetch_add(1, Ordering::Relaxed) + 1).to_string()})),
        _ => history(1, None)(path, query),
    });
    assert_eq!(says(&mt5).await, Says::CannotTell);
}

#[tokio::test]
async fn a_window_is_moved_to_a_clock_within_every_time_zone_and_else_holds_everything() {
    let window = Arc::new(Mutex::new(Vec::new()));
    let all = (0, 4_102_444_800);
    let moved = |offset: i64| (1_700_000_000 + offset - 3_900, 1_700_000_000 + offset + 3_900);
    for (time, (from, to)) in [
        (done(json!("1700010800 0")), moved(10_800)),
        (done(json!("1699992800 0")), moved(-7_200)),
        (done(json!("1700054000 0")), moved(54_000)),
        (done(json!("1699946000 0")), moved(-54_000)),
        (done(json!("1700054001 0")), all),
        (done(json!("1699945999 0")), all),
        // Milliseconds, a date in digits, a day's seconds, minutes.
        (done(json!("1700010800000")), all),
        (done(json!(1_700_010_800_123_i64)), all),
        (done(json!("20231114")), all),
        (done(json!("80400")), all),
        (done(json!("28333333")), all),
        (done(json!("2032.11.14 22:13:20")), all),
        (done(json!("none")), all),
        (ok(json!({"retcode": "12000 Not implemented"})), all),
    ] {
        let seen = Arc::clone(&window);
        let (mut mt5, fake) = fake(move |path, query| match path {
            "/api/time/server" => time.clone_answer(),
            "/api/deal/get_total" => {
                *seen.lock().unwrap() = query.to_vec();
                done(json!({"total": "0"}))
            }
            _ => done(json!([])),
        });
        mt5.settings.clock = Arc::new(|| Timestamp::from_seconds(1_700_000_000).unwrap());
        assert_eq!(look(&mt5).await, Ok(FoundOperation::Absent));
        let pair = |name: &str, value: i64| (name.to_owned(), value.to_string());
        assert_eq!(window.lock().unwrap()[1..], [pair("from", from), pair("to", to)]);
        look(&mt5).await.unwrap();
        let compared = log(&fake).iter().filter(|path| *path == "/api/time/server").count();
        assert_eq!(compared, if (from, to) == all { 2 } else { 1 });
    }
    let (mt5, _) = fake(|_, _| status(500));
    assert!(matches!(look(&mt5).await, Err(PlatformError::NotApplied(_))));
}

#[tokio::test]
async fn no_account_is_absent_until_every_login_of_the_group_was_read() {
    let users = |users: Answer| {
        move |path: &str, _: &[(String, String)]| match path {
            "/api/user/logins" => done(json!(["7", "8"])),
            _ => users.clone_answer(),
        }
    };
    let user = |login: &str, comment: Value| json!({"Login": login, "Comment": comment});
    let cannot_tell = [
        ok(json!({"retcode": "13 Not found"})),
        done(json!([])),
        done(json!([user("8", json!("acc_2"))])),
        done(json!([user("8", json!("acc_2")), user("7", Value::Null)])),
    ];
    for answer in cannot_tell {
        let (mt5, _) = fake(users(answer));
        assert!(matches!(find(&mt5).await, Err(PlatformError::NotApplied(_))));
    }
    // another search would find the same
    let (mt5, _) = fake(users(done(json!([user("8", json!("acc_1")), user("7", json!("acc_1"))]))));
    assert!(matches!(find(&mt5).await, Err(PlatformError::Refused { .. })));
    for (comment, found) in
        [("acc_1", true), ("acc_1 VIP", true), ("acc_1, moved", true), ("acc_12", false), ("", false)]
    {
        let (mt5, _) = fake(users(done(json!([user("8", json!(comment)), user("7", json!("acc_2"))]))));
        assert_eq!(find(&mt5).await, Ok(found.then(|| Login::new("8"))), "{comment}");
    }
}

#[tokio::test]
async fn accounts_are_looked_through_newest_first_up_to_a_bound() {
    // those of the two newest pages were registered after the account was asked for
    let group = |size: u64, ours: &'static [u64]| {
        move |path: &str, query: &[(String, String)]| match path {
            "/api/user/logins" => done(json!((1..=size).map(|login| login.to_string()).collect::<Vec<_>>())),
            _ => {
                let logins = query[0].1.split(',');
                let user = |login: &str| {
                    let number: u64 = login.parse().unwrap();
                    let comment = if ours.contains(&number) { "acc_1" } else { "acc_2" };
                    let registered = if number + 200 > size { "1700000500" } else { "1600000000" };
                    json!({"Login": login, "Comment": comment, "Registration": registered})
                };
                done(Value::Array(logins.map(user).collect()))
            }
        }
    };
    let (mt5, fake) = fake(group(450, &[450]));
    assert_eq!(find(&mt5).await, Ok(Some(Login::new("450"))));
    // the list, two pages on which another of the reference can be, and the first on which none can
    assert_eq!(log(&fake).len(), 4);
    let (mt5, _) = self::fake(group(450, &[450, 260]));
    assert!(matches!(find(&mt5).await, Err(PlatformError::Refused { .. })), "two of them, on two pages");
    for (size, ours, found) in [(450, &[1_u64][..], true), (20_000, &[1], true), (450, &[], false), (0, &[], false)] {
        let (mt5, _) = self::fake(group(size, ours));
        assert_eq!(find(&mt5).await, Ok(found.then(|| Login::new("1"))), "{size}");
    }
    let (mt5, _) = self::fake(group(20_001, &[1]));
    assert!(matches!(find(&mt5).await, Err(PlatformError::Refused { .. })));
    let (mt5, _) = self::fake(|_, _| ok(json!({"retcode": "13 Not found"})));
    assert_eq!(find(&mt5).await, Ok(None));
}

/// The history of login 1: a deposit of ours, one by hand, a trade; and a deal of login 2.
fn deals_of_two(path: &str, query: &[(String, String)]) -> Answer {
    let deal = |number: u32, login: u32, action: u32, profit: &str, comment: &str| {
        json!({
            "Deal": number.to_string(), "Login": login.to_string(), "Action": action.to_string(), "Profit": profit,
            "Comment": comment, "DigitsCurrency": "2", "Time": if number == 8 { "1600000000" } else { "1700000000" },
        })
    };
    let all = [
        deal(9, 1, 2, "10.00", REFERENCE),
        deal(10, 1, 2, "4.00", "by hand"),
        deal(11, 1, 0, "10.00", REFERENCE),
        deal(12, 2, 2, "10.00", "by hand"),
        deal(13, 1, 2, "-3.00", &format!("{REFERENCE}R")),
        deal(8, 1, 2, "10.00", "before"),
    ];
    let value = |name: &str| query.iter().find(|(key, _)| key == name).unwrap().1.clone();
    match path {
        "/api/time/server" => done(json!("1700000000 0")),
        "/api/deal/get" => match all.iter().find(|deal| deal["Deal"] == value("ticket").as_str()) {
            Some(deal) => done(deal.clone()),
            None => ok(json!({"retcode": "13 Not found"})),
        },
        _ => {
            let of_login = |deal: &&Value| deal["Login"] == value("login").as_str() && deal["Deal"] != "8";
            let rows: Vec<_> = all.iter().filter(of_login).cloned().collect();
            match path {
                "/api/deal/get_total" => done(json!({"total": rows.len().to_string()})),
                _ => done(Value::Array(rows)),
            }
        }
    }
}

const REFERENCE: &str = "pay_01j9zzzzzzabcdefghjkmnpqrs";

async fn ticket(mt5: &Mt5, number: &str, login: Option<&str>) -> Result<FoundTicket, PlatformError> {
    ticket_with(mt5, number, login, Some(REFERENCE)).await
}

async fn ticket_with(
    mt5: &Mt5,
    number: &str,
    login: Option<&str>,
    reference: Option<&str>,
) -> Result<FoundTicket, PlatformError> {
    let at = Timestamp::from_seconds(1_700_000_000).unwrap();
    let named = TicketQuery {
        ticket: Ticket::new(number),
        login: login.map(Login::new),
        reference: reference.map(|text| Reference::new(text).unwrap()),
        from: at,
        to: at,
    };
    mt5.find_ticket(&named).await
}

/// What a deal moved, and what it moved together with the others under the reference.
fn moved(found: &Result<FoundTicket, PlatformError>) -> (bool, String, String) {
    let Ok(FoundTicket::Deal(deal)) = found else { panic!("{found:?}") };
    assert_eq!((deal.login.as_str(), deal.digits), ("1", Some(2)));
    (deal.is_balance, deal.amount.to_string(), deal.together.to_string())
}

#[tokio::test]
async fn a_ticket_is_found_with_what_it_moved_or_said_to_be_whose_it_is() {
    let (mt5, _) = fake(deals_of_two);
    let texts = |balance: bool, amount: &str, together: &str| (balance, amount.to_owned(), together.to_owned());
    for login in [Some("1"), None] {
        let own = ticket(&mt5, "9", login).await;
        assert_eq!(moved(&own), texts(true, "10.00", "7.00"));
        let Ok(FoundTicket::Deal(deal)) = own else { panic!() };
        assert_eq!(deal.comment, REFERENCE);
        assert_eq!(moved(&ticket(&mt5, "10", login).await), texts(true, "4.00", "11.00"));
        assert_eq!(moved(&ticket(&mt5, "11", login).await), texts(false, "10.00", "17.00"));
        assert_eq!(ticket(&mt5, "8", login).await, Ok(FoundTicket::OutOfTime));
        for nothing in ["14", "words", "", "-9", "99999999999999999999999"] {
            assert_eq!(ticket(&mt5, nothing, login).await, Ok(FoundTicket::Absent), "{nothing}");
        }
    }
    assert_eq!(ticket(&mt5, "12", Some("1")).await, Ok(FoundTicket::OfAnotherLogin));
    assert_eq!(ticket(&mt5, "10", Some("2")).await, Ok(FoundTicket::OfAnotherLogin));
}

#[tokio::test]
async fn a_deal_alone_is_read_without_the_history_of_its_account() {
    let (mut mt5, fake) = fake(deals_of_two);
    mt5.settings.clock = Arc::new(|| Timestamp::from_seconds(1_700_000_000).unwrap());
    for login in [Some("1"), None] {
        let found = ticket_with(&mt5, "9", login, None).await;
        assert_eq!(moved(&found), (true, "10.00".to_owned(), "10.00".to_owned()));
        assert_eq!(ticket_with(&mt5, "8", login, None).await, Ok(FoundTicket::OutOfTime));
    }
    assert_eq!(ticket_with(&mt5, "12", Some("1"), None).await, Ok(FoundTicket::OfAnotherLogin));
    assert!(
        !log(&fake).iter().any(|path| path == "/api/deal/get_page"),
        "an account may have more deals than are read"
    );
    assert_eq!(ticket_with(&mt5, "14", Some("1"), None).await, Ok(FoundTicket::Absent));
    assert!(log(&fake).iter().any(|path| path == "/api/deal/get_page"), "nothing there is proven by the history");
}

#[tokio::test]
async fn a_ticket_is_absent_only_if_number_and_history_were_read() {
    type Change = fn(&str) -> Option<Answer>;
    let faults: [Change; 10] = [
        |path| (path == "/api/deal/get").then(|| status(500)),
        |path| (path == "/api/deal/get").then(|| Err(TransportError::Lost("gone".to_owned()))),
        |path| (path == "/api/deal/get").then(|| done(json!({"Deal": "77", "Login": "1"}))),
        |path| (path == "/api/deal/get").then(|| done(json!([{"Deal": "77", "Login": "1"}]))),
        |path| (path == "/api/deal/get").then(|| ok(json!({"retcode": "9 Timeout"}))),
        |path| (path == "/api/deal/get").then(|| ok(json!({"retcode": "3 Invalid"}))),
        |path| (path == "/api/deal/get_total").then(|| status(503)),
        |path| (path == "/api/deal/get_total").then(|| done(json!({"total": "9"}))),
        |path| (path == "/api/deal/get_page").then(|| ok(json!({"retcode": "13 Not found"}))),
        |path| (path == "/api/deal/get_page").then(|| done(json!([{"Deal": "14", "Login": "2", "Comment": ""}]))),
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let (mt5, _) = fake(move |path, query| fault(path).unwrap_or_else(|| deals_of_two(path, query)));
        let found = ticket(&mt5, "14", Some("1")).await;
        assert!(matches!(found, Err(PlatformError::NotApplied(_))), "{n}: {found:?}");
    }
    // without the command by number the account's history says it as well; whose deal it is nobody knows then
    for code in ["12000 Not implemented", "8 Permissions"] {
        let (mt5, _) = fake(move |path, query| match path {
            "/api/deal/get" => ok(json!({"retcode": code})),
            _ => deals_of_two(path, query),
        });
        assert_eq!(moved(&ticket(&mt5, "9", Some("1")).await).1, "10.00");
        assert_eq!(ticket(&mt5, "14", Some("1")).await, Ok(FoundTicket::Absent));
        assert!(matches!(ticket(&mt5, "9", None).await, Err(PlatformError::Misconfigured(_))));
    }
    for nothing in [json!(null), json!([])] {
        let (mt5, _) = fake(move |path, query| match path {
            "/api/deal/get" => done(nothing.clone()),
            _ => deals_of_two(path, query),
        });
        assert_eq!(ticket(&mt5, "14", Some("1")).await, Ok(FoundTicket::Absent));
    }
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
