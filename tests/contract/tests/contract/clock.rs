//! The local clock: moved on over HTTP, with everything that falls due on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use broker::api::{Answer, Api};
use broker::local::{Broker, Options};
use broker::run_file::RunFile;
use domain::Timestamp;
use host::LocalTime;
use http::Method;
use serde_json::{Value, json};

use crate::leads::form;
use crate::world::{World, expect, faults, items};

/// Clients for whom something is due on one day.
const CLIENTS: usize = 1_000;

/// A brokerage whose timers fire by its clock.
async fn live(time: LocalTime) -> World {
    World::over(Broker::start(Options { time: Some(time), ..Options::default() }).await.unwrap())
}

async fn ask(world: &World, method: Method, path: &str, body: &str) -> Answer {
    let url = format!("{}{path}", world.broker.host.clock_url());
    let headers = [("content-type", "application/json")];
    Api::default().send(method, &url, &headers, body.as_bytes().to_vec()).await.unwrap()
}

async fn advance(world: &World, by: &str) -> Timestamp {
    let answer = ask(world, Method::POST, "/advance", &json!({"by": by}).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text_at("/now").parse().unwrap()
}

async fn now(world: &World) -> Timestamp {
    let answer = ask(world, Method::GET, "/", "").await;
    assert_eq!((answer.status, answer.json.as_object().unwrap().len()), (200, 1), "{}", answer.text);
    answer.text_at("/now").parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_clock_goes_on_by_exactly_what_was_asked_and_runs_on_between() {
    let world = live(LocalTime::standing(at("2026-11-23T12:00:00Z"))).await;
    for (by, shown) in [
        ("90s", "2026-11-23T12:01:30.000Z"),
        ("15m", "2026-11-23T12:16:30.000Z"),
        ("36h", "2026-11-25T00:16:30.000Z"),
        ("14d", "2026-12-09T00:16:30.000Z"),
        ("0s", "2026-12-09T00:16:30.000Z"),
    ] {
        assert_eq!(advance(&world, by).await.to_string(), shown, "{by}");
        assert_eq!(now(&world).await.to_string(), shown, "{by}");
    }
    let world = live(LocalTime::real()).await;
    let (before, moved) = (now(&world).await, advance(&world, "1d").await);
    assert!(moved.millis_since(before) >= 86_400_000);
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert!(now(&world).await > moved, "it runs on");
}

#[tokio::test]
async fn what_is_no_span_is_refused_by_name_and_moves_nothing() {
    let world = live(LocalTime::standing(at("2026-11-23T12:00:00Z"))).await;
    let before = now(&world).await;
    for (body, wrong) in [
        (r#"{"by": "3651d"}"#, "/by out_of_range"),
        (r#"{"by": "99999999999999999999h"}"#, "/by out_of_range"),
        (r#"{"by": "-5m"}"#, "/by malformed_span"),
        (r#"{"by": "5"}"#, "/by malformed_span"),
        (r#"{"by": "m"}"#, "/by malformed_span"),
        (r#"{"by": "1.5h"}"#, "/by malformed_span"),
        (r#"{"by": "5 m"}"#, "/by malformed_span"),
        (r#"{"by": "2w"}"#, "/by malformed_span"),
        (r#"{"by": ""}"#, "/by malformed_span"),
        (r#"{"by": 5}"#, "/by wrong_type"),
        (r#"{"by": null}"#, "/by wrong_type"),
        ("{}", "/by missing"),
        (r#"{"by": "5m", "to": "x"}"#, "/to unknown_field"),
        ("[]", " wrong_type"),
        ("5m", " malformed_json"),
        ("", " malformed_json"),
    ] {
        let answer = ask(&world, Method::POST, "/advance", body).await;
        assert_eq!((answer.status, faults(&answer)), (400, vec![wrong.to_owned()]), "{body}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(now(&world).await, before, "{body}");
    }
    for (method, path, status) in [
        (Method::GET, "/advance", 405),
        (Method::DELETE, "/advance", 405),
        (Method::POST, "/", 405),
        (Method::PUT, "/", 405),
        (Method::GET, "/now", 404),
        (Method::POST, "/advance/1", 404),
    ] {
        let answer = ask(&world, method.clone(), path, r#"{"by": "5m"}"#).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    assert_eq!(now(&world).await, before);
}

#[tokio::test]
async fn local_tokens_are_valid_after_four_hundred_days_and_others_expire() {
    let world = live(LocalTime::real()).await;
    let client = world.client("en").await;
    let path = format!("/v1/clients/{client}");
    let short = world.mint("portal", &["portal"], None);
    let read = async |token: &str| world.send(crate::world::Call::get(&path).token(token)).await.status;
    assert_eq!(read(&short).await, 200);
    advance(&world, "400d").await;
    assert_eq!(read(&short).await, 401, "good for ten minutes");
    let names =
        ["portal", "sales", "compliance", "compliance_2", "finance", "finance_2", "support", "admin", "admin_2"];
    assert_eq!(world.broker.tokens.keys().map(String::as_str).collect::<Vec<_>>(), {
        let mut sorted = names;
        sorted.sort_unstable();
        sorted
    });
    for name in names {
        let status = read(world.broker.token(name)).await;
        assert!([200, 403].contains(&status), "{name}: {status}");
    }
    assert_eq!(read(world.broker.token("portal")).await, 200);
    // and what is signed by the clock is taken by it
    let trader = world.account(&client, "USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    world.pay("stripe", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn what_a_starter_needs_lies_where_it_was_started_for_its_owner_alone_and_goes_with_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = live(LocalTime::real()).await;
    let folder = std::env::temp_dir().join(format!("pipworks-run-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = RunFile::write(&world.broker, &folder).unwrap();
    let path = folder.join(".local/run.json");
    let told: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let names: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(names, ["clock", "console_url", "simulators", "tokens", "url", "webhook_secrets"]);
    assert_eq!(told["clock"], world.broker.host.clock_url());
    for vendor in ["sumsub", "onfido", "veriff"] {
        assert!(told["webhook_secrets"][vendor].as_str().is_some_and(|secret| !secret.is_empty()), "{vendor}");
        assert!(
            told["simulators"][vendor].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")),
            "{vendor}"
        );
    }
    assert!(told["clock"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{}", told["clock"]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(file);
    assert!(!path.exists());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn two_who_move_the_clock_at_once_follow_one_another() {
    let world = live(LocalTime::standing(at("2026-11-23T12:00:00Z"))).await;
    let moved = futures::future::join_all((0..4).map(|_| advance(&world, "6h"))).await;
    let mut hours: Vec<i64> =
        moved.iter().map(|now| now.millis_since(at("2026-11-23T12:00:00Z")) / 3_600_000).collect();
    hours.sort_unstable();
    assert_eq!(hours, [6, 12, 18, 24]);
}

/// A lead that nobody calls, a deposit whose webhook comes late and one whose webhook never comes: the statuses of the
/// deposits with their minutes, and the mails to the lead with theirs.
async fn a_day(steps: &[(&str, usize)]) -> Value {
    let began = at("2026-11-23T14:00:00Z");
    let world = live(LocalTime::standing(began)).await;
    let trader = world.trader("USD").await;
    let (late, never) =
        (world.deposit(&trader, "100.00", "stripe").await, world.deposit(&trader, "40.00", "stripe").await);
    world.pay("stripe", &late, json!({"webhook": {"delay_ms": 400_000}, "wait": false})).await;
    world.pay("stripe", &never, json!({"webhook": {"never": true}})).await;
    let unpaid = world.deposit(&trader, "60.00", "praxis").await;
    let lead = form(&world, json!({"country": "MX", "source": {"channel": "organic"}}));
    let lead = expect(world.portal("/v1/leads", &lead).await, 202).text_at("/lead_id");
    world.idle().await;
    for (by, times) in steps {
        for _ in 0..*times {
            advance(&world, by).await;
        }
    }
    let minute = |at: &Value| at.as_str().unwrap().parse::<Timestamp>().unwrap().millis_since(began) / 60_000;
    let mut told = BTreeMap::new();
    for (name, payment) in [("late", &late), ("never", &never), ("unpaid", &unpaid)] {
        // read without waiting: the clock's answer said that all is done
        let shown = world.payment(&payment.id).await.json;
        let lines = shown["timeline"].as_array().unwrap().clone();
        told.insert(
            name.to_owned(),
            json!(lines.iter().map(|l| json!([l["status"], minute(&l["at"])])).collect::<Vec<_>>()),
        );
    }
    let mails = world.broker.simulators.mails();
    let mails = mails.iter().filter(|mail| mail.to.iter().any(|to| to.starts_with("lead-")));
    told.insert(
        "mails".to_owned(),
        json!(mails.map(|m| json!([m.subject, (m.at_ms - began.millis()) / 60_000])).collect::<Vec<_>>()),
    );
    let journal = items(&expect(world.get("sales", &format!("/v1/journal?entity={lead}")).await, 200));
    told.insert(
        "lead".to_owned(),
        json!(journal.iter().map(|l| json!([l["outcome"], minute(&l["at"])])).collect::<Vec<_>>()),
    );
    let work = items(&expect(world.get("finance", "/v1/work?queue=finance&limit=100").await, 200));
    told.insert("work".to_owned(), json!(work.iter().map(|item| item["kind"].clone()).collect::<Vec<_>>()));
    assert!(world.broker.host.dead_letters().values().all(Vec::is_empty));
    json!(told)
}

#[tokio::test]
async fn a_day_in_minutes_and_a_day_at_once_are_the_same_day() {
    let at_once = a_day(&[("25h", 1)]).await;
    assert_eq!(at_once["late"], json!([["pending", 0], ["paid", 6], ["crediting", 6], ["credited", 6]]), "{at_once:#}");
    assert_eq!(at_once["never"][3], json!(["credited", 15]), "{at_once:#}");
    assert_eq!(at_once["mails"].as_array().unwrap().len(), 1, "{at_once:#}");
    assert_eq!(a_day(&[("1m", 100), ("17m", 80), ("1h", 1)]).await, at_once);
    assert_eq!(a_day(&[("7m", 3), ("90s", 22), ("23h", 1), ("66m", 1)]).await, at_once);
}

/// Puts copies of a lead and of its series of messages, ten of them due at a time; when they are due.
async fn copies(world: &World, lead: &str) -> Vec<Timestamp> {
    let table = &world.broker.host.template().tables["CrmTable"].name;
    let db = world.broker.host.db();
    let scan = db.request("Scan", &json!({"TableName": table})).await.unwrap();
    let find = |prefix: &str| {
        let own = |item: &&Value| item["pk"]["S"].as_str().unwrap().starts_with(prefix) && item["sk"]["S"] == "#";
        scan["Items"].as_array().unwrap().iter().find(own).unwrap().clone()
    };
    let (reader, series) = (find(lead), find("jny_"));
    let journey = series["pk"]["S"].as_str().unwrap();
    let first: Timestamp = series["due_at"]["S"].as_str().unwrap().parse().unwrap();
    let mut due = vec![first];
    for n in 1..CLIENTS {
        let other = |id: &str| format!("{}{n:04}", &id[..id.len() - 4]);
        let at = first.plus(domain::Seconds(u32::try_from(n / 10 * 400).unwrap()));
        for item in [&reader, &series] {
            let text = item.to_string().replace(lead, &other(lead)).replace(journey, &other(journey));
            let mut item: Value = serde_json::from_str(&text.replace("reader@", &format!("reader-{n}@"))).unwrap();
            // nothing has happened to a copy: nothing is told of it
            let record = json!({"fn": "test", "ex": "1", "tr": "copy", "at": 0, "out": "copied", "cor": "cor-1"});
            item["outbox"] = json!({"S": record.to_string()});
            if let Some(due_at) = item.get_mut("due_at") {
                *due_at = json!({"S": at});
            }
            db.request("PutItem", &json!({"TableName": table, "Item": item})).await.unwrap();
        }
        due.push(at);
    }
    due
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_a_thousand_clients_costs_what_is_due_and_not_what_passes() {
    // nine in the morning in Mexico City; the last are due at eight in the evening
    let began = at("2026-11-24T15:00:00Z");
    let world = live(LocalTime::standing(began)).await;
    let body = json!({
        "email": "reader@example.com", "country": "MX", "full_name": "Eva Reyes", "source": {"channel": "organic"},
        "consents": {"email": true},
    });
    let lead = expect(world.portal("/v1/leads", &body).await, 202).text_at("/lead_id");
    world.idle().await;
    let due = copies(&world, &lead).await;
    let count = |name: &str| world.broker.host.invocations().get(name).map_or(0, |count| count.answered);
    let clock = Instant::now();
    advance(&world, "24h").await;
    let (day, swept) = (clock.elapsed(), count("ops-timers"));
    // the timer fires at whole minutes of the clock's time here, and a mail goes out at the first at which it is due
    let minute = |at: &Timestamp| (at.millis() - began.millis() + 59_999) / 60_000;
    let mut minutes: Vec<i64> = due.iter().map(minute).collect();
    let mails = world.broker.simulators.mails();
    let sent: Vec<i64> = mails.iter().map(|mail| (mail.at_ms - began.millis()) / 60_000).collect();
    assert_eq!(sent, minutes, "each in its turn, at its minute");
    let readers: BTreeSet<&String> = mails.iter().flat_map(|mail| &mail.to).collect();
    assert_eq!(readers.len(), CLIENTS, "everybody once");
    minutes.dedup();
    assert_eq!(swept, u64::try_from(minutes.len()).unwrap(), "the timer fires when something is due and not else");
    eprintln!("{CLIENTS} clients: a day took {day:.1?} with {swept} sweeps");
    let failed: u64 = world.broker.host.invocations().values().map(|count| count.failed).sum();
    assert_eq!(failed, 0, "{:?}", world.broker.host.invocations());
}
