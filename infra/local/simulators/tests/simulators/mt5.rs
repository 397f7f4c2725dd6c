//! The trading server on the wire.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Client, PATIENCE, get, post, start, state};
use crate::trading::{ACCOUNT, PASSWORD, PASSWORDS, answer, balance, deals, hash, log_on, manager, open};
use serde_json::{Value, json};
use simulators::{Config, Simulators};

#[test]
fn the_published_handshake_vector_holds_on_both_sides() {
    let random = "73007dc7184747ce0f7c98516ef1c851";
    let expected = "77fe51827f7fa69dd80fbec9aa33f1bb";
    assert_eq!(answer(&hash("Password1"), random), expected);
    let simulator = simulators::mt5::handshake::password_hash("Password1");
    let bytes = hex::decode(random).unwrap();
    assert_eq!(simulators::mt5::handshake::answer_to(&simulator, &bytes), expected);
}

#[tokio::test]
async fn log_on_belongs_to_one_connection_and_proves_the_server_too() {
    let running = start().await;
    let mut first = Client::connect(running.url("mt5")).await;
    assert_eq!(first.get("/api/test/access").await.status, 403);
    let (retcode, proof) = log_on(&mut first, PASSWORD).await;
    assert_eq!(retcode, "0 Done");
    let expected = answer(&hash(PASSWORD), "000102030405060708090a0b0c0d0e0f");
    assert_eq!(proof, Some(expected));
    let access = first.get("/api/test/access").await;
    assert_eq!(access.json(), json!({ "retcode": "0 Done" }));

    let mut second = Client::connect(running.url("mt5")).await;
    assert_eq!(second.get("/api/test/access").await.status, 403);
    assert_eq!(first.get("/api/test/access").await.status, 200);
}

#[tokio::test]
async fn a_wrong_password_login_or_type_does_not_log_on() {
    let running = start().await;
    let mut client = Client::connect(running.url("mt5")).await;
    let (retcode, proof) = log_on(&mut client, "Wrong-Pass-1").await;
    assert_eq!((retcode.as_str(), proof), ("1001 Invalid account", None));
    assert_eq!(client.get("/api/test/access").await.status, 403);
    let other = client.get("/api/auth/start?login=77&type=manager").await.json();
    assert!(other["retcode"].as_str().unwrap().starts_with("1001 "));
    let client_type = client.get("/api/auth/start?login=1000&type=client").await.json();
    assert!(client_type["retcode"].as_str().unwrap().starts_with("1000 "));
}

#[tokio::test]
async fn quitting_and_a_restart_of_the_server_end_the_log_on() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    post(running.url("mt5"), "/_control/logout", &json!({})).await;
    assert_eq!(client.get("/api/test/access").await.status, 403);
    assert_eq!(log_on(&mut client, PASSWORD).await.0, "0 Done");
    assert_eq!(client.get("/api/quit").await.status, 200);
    assert!(client.closes_within(PATIENCE).await);
}

#[tokio::test]
async fn a_quiet_connection_is_closed_and_a_busy_one_is_not() {
    let mut config = Config::default();
    config.mt5.idle_close_s = 1;
    let running = Simulators::start(config).await.unwrap();
    let faults = json!([{"operation": "test_access", "fault": {"kind": "delay", "ms": 1500}}]);
    post(running.url("mt5"), "/_control/faults", &faults).await;
    let mut client = manager(running.url("mt5")).await;
    assert_eq!(client.get("/api/test/access").await.status, 200);
    assert!(client.closes_within(PATIENCE).await);
}

#[tokio::test]
async fn an_account_is_opened_in_a_permitted_group_only() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let login = open(&mut client).await;
    assert_eq!(login, 500_001);
    let read = client.get(&format!("/api/user/get?login={login}")).await;
    let record = &read.json()["answer"];
    assert_eq!(record["Name"], "Ada Lovelace");
    assert_eq!(record["Group"], "real\\standard-usd");
    assert_eq!(record["Leverage"], "30");
    assert_eq!(record["Balance"], "0.00");

    let cases = [
        (ACCOUNT.replace("usd", "chf"), PASSWORDS, "8 "),
        (ACCOUNT.to_owned(), r#"{"PassMain":"weak","PassInvestor":"Abcde-2x"}"#, "3006 "),
        (ACCOUNT.to_owned(), r#"{"PassMain":"Abcde-1x"}"#, "3 "),
        (ACCOUNT.replace("=30", "=501"), PASSWORDS, "3 "),
        (format!("{ACCOUNT}&login={login}"), PASSWORDS, "3004 "),
        (format!("{ACCOUNT}&login=42"), PASSWORDS, "3003 "),
    ];
    for (path, body, expected) in cases {
        let refused = client.call("POST", &path, &[], body).await.json();
        let retcode = refused["retcode"].as_str().unwrap();
        assert!(retcode.starts_with(expected), "{path}: {retcode}");
    }
}

#[tokio::test]
async fn the_body_wins_over_the_query_and_logins_are_listed_by_group() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let body = r#"{"PassMain":"Abcde-1x","PassInvestor":"Abcde-2x","Group":"real\\standard-jpy","Login":500777}"#;
    let opened = client.call("POST", ACCOUNT, &[], body).await.json();
    assert_eq!(opened["login"], "500777");
    let listed = client.get("/api/user/logins?group=real%5Cstandard-jpy").await;
    assert_eq!(listed.json()["answer"], json!(["500777"]));
    let deposited = balance(&mut client, 500_777, "1000.6", "yen").await;
    assert_eq!(deposited["retcode"], "0 Done");
    let account = client.get("/api/user/account/get?login=500777").await.json();
    assert_eq!(account["answer"]["Balance"], "1001");
    assert_eq!(account["answer"]["MarginFree"], "1001");
    let missing = client.get("/api/user/get?login=1").await.json();
    assert!(missing["retcode"].as_str().unwrap().starts_with("13 "));
}

#[tokio::test]
async fn a_deposit_is_a_deal_whose_comment_is_cut_at_31_bytes() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let login = open(&mut client).await;
    let reference = "pw01arz3ndektsv4rrffq69g5fav-and-more";
    let booked = balance(&mut client, login, "1250.50", reference).await;
    assert_eq!(booked["retcode"], "0 Done");
    let ticket = booked["answer"]["Ticket"].as_str().unwrap();
    let deals = deals(&mut client, login).await;
    assert_eq!(deals.len(), 1);
    assert_eq!(deals[0]["Deal"], ticket);
    assert_eq!(deals[0]["Action"], "2");
    assert_eq!(deals[0]["Profit"], "1250.50");
    assert_eq!(deals[0]["Comment"], &reference[..31]);
    assert_eq!(deals[0]["Login"], login.to_string());

    let again = balance(&mut client, login, "1250.50", reference).await;
    assert_ne!(again["answer"]["Ticket"], ticket, "nothing here is idempotent");
    let total = format!("/api/deal/get_total?login={login}&from=0&to=9999999999");
    assert_eq!(client.get(&total).await.json()["answer"]["total"], "2");
    let one = client.get(&format!("/api/deal/get?ticket={ticket}")).await;
    assert_eq!(one.json()["answer"]["Deal"], ticket);
}

#[tokio::test]
async fn money_that_is_not_there_cannot_be_withdrawn() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let login = open(&mut client).await;
    balance(&mut client, login, "100", "in").await;
    let retcode = |answer: Value| answer["retcode"].as_str().unwrap().to_owned();
    assert_eq!(retcode(balance(&mut client, login, "-100.01", "out").await), "10019 Not enough money");
    let positions = json!({ "login": login, "margin": "60" });
    post(running.url("mt5"), "/_control/account", &positions).await;
    assert_eq!(retcode(balance(&mut client, login, "-40.01", "out").await), "10019 Not enough money");
    let unchecked = format!("{}&check_margin=0", crate::trading::balance_path(login, "-40.01", "out"));
    assert_eq!(retcode(client.get(&unchecked).await.json()), "0 Done");
    assert_eq!(retcode(balance(&mut client, login, "1000000000.01", "x").await), "4005 Money limit reached");
    let credit = format!("/api/trade/balance?login={login}&type=3&balance=-1&comment=c");
    assert_eq!(retcode(client.get(&credit).await.json()), "10019 Not enough money");
    let wrong_type = format!("/api/trade/balance?login={login}&type=7&balance=1&comment=c");
    assert_eq!(retcode(client.get(&wrong_type).await.json()), "3 Invalid parameters");
    let state = state(running.url("mt5")).await;
    assert_eq!(state["users"][0]["balance"], "59.99");
}

#[tokio::test]
async fn pages_have_at_most_100_rows_and_batches_all() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let login = open(&mut client).await;
    for number in 0..105 {
        balance(&mut client, login, "1", &format!("n{number}")).await;
    }
    let page =
        |offset: u32| format!("/api/deal/get_page?login={login}&from=0&to=9999999999&offset={offset}&total=1000");
    let rows = |answer: Value| answer["answer"].as_array().unwrap().len();
    assert_eq!(rows(client.get(&page(0)).await.json()), 100);
    assert_eq!(rows(client.get(&page(100)).await.json()), 5);
    let body = json!({ "login": [login], "from": 0, "to": 9_999_999_999_i64 });
    assert_eq!(rows(client.post("/api/deal/get_batch", &body).await.json()), 105);
}

#[tokio::test]
async fn deals_are_dated_by_the_servers_clock() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let login = open(&mut client).await;
    balance(&mut client, login, "5", "clock").await;
    let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let time: u64 = deals(&mut client, login).await[0]["Time"].as_str().unwrap().parse().unwrap();
    assert!((utc + 7190..=utc + 7210).contains(&time), "{time} against {utc}");
    let clock = client.get("/api/time/server").await.json();
    let seconds = clock["answer"]["time"].as_str().unwrap().split(' ').next().unwrap().to_owned();
    assert!(seconds.parse::<u64>().unwrap() >= time);
    let zone = client.get("/api/time/get").await.json();
    assert_eq!(zone["answer"]["TimeZone"], "120");
    let before = format!("/api/deal/get_total?login={login}&from=0&to={}", utc + 60);
    assert_eq!(client.get(&before).await.json()["answer"]["total"], "0");
}

#[tokio::test]
async fn injected_trades_change_the_balance_and_reset_forgets() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let login = open(&mut client).await;
    let trade = json!([{"login": login, "action": 1, "entry": 1, "symbol": "EURUSD", "volume": 10000,
        "profit": "12.5", "storage": "-0.5", "commission": "-2", "position": 7}]);
    let added = post(running.url("mt5"), "/_control/deals", &trade).await;
    assert_eq!(added.status, 200, "{}", added.text());
    let state = state(running.url("mt5")).await;
    assert_eq!(state["users"][0]["balance"], "10.00");
    assert_eq!(state["deals"][0]["Symbol"], "EURUSD");
    assert_eq!(state["calls"]["user_add"], 1);
    post(running.url("mt5"), "/_control/reset", &json!({})).await;
    let narrowed = get(running.url("mt5"), "/_control/state?part=users,calls").await.json();
    assert_eq!(narrowed, json!({ "users": [], "calls": {} }));
    assert_eq!(open(&mut client).await, login + 1, "no login is given twice");
}

#[tokio::test]
async fn connections_end_when_the_simulators_stop() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let url = running.url("mt5").trim_start_matches("http://").to_owned();
    tokio::time::timeout(PATIENCE, running.stop()).await.unwrap();
    assert!(client.closes_within(PATIENCE).await);
    let refused = tokio::time::timeout(Duration::from_secs(5), tokio::net::TcpStream::connect(url));
    assert!(refused.await.unwrap().is_err());
}

#[tokio::test]
async fn the_servers_clock_is_set_and_written_in_other_forms() {
    let running = start().await;
    let mut client = manager(running.url("mt5")).await;
    let login = open(&mut client).await;
    let set = post(running.url("mt5"), "/_control/time", &json!({"offset_s": 10_800, "form": "milliseconds"})).await;
    assert_eq!(set.json(), json!({"offset_s": 10_800, "form": "milliseconds"}));
    let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    balance(&mut client, login, "5", "clock").await;
    let time: u64 = deals(&mut client, login).await[0]["Time"].as_str().unwrap().parse().unwrap();
    assert!((utc + 10_790..=utc + 10_810).contains(&time), "{time} against {utc}");
    let mut written = Vec::new();
    for form in ["milliseconds", "date", "date_time", "seconds"] {
        post(running.url("mt5"), "/_control/time", &json!({ "form": form })).await;
        let clock = client.get("/api/time/server").await.json();
        written.push(clock["answer"]["time"].as_str().unwrap().to_owned());
    }
    let lengths: Vec<_> = written.iter().take(3).map(String::len).collect();
    assert_eq!(lengths, [13, 8, 19], "{written:?}");
    assert!(written[3].split(' ').next().unwrap().parse::<u64>().unwrap() >= time);
    assert_eq!(client.get("/api/time/get").await.json()["answer"]["TimeZone"], "180");
    let unknown = post(running.url("mt5"), "/_control/time", &json!({"form": "minutes"})).await;
    assert_eq!(unknown.status, 400);
}
