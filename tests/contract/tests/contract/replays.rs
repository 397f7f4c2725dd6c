//! Replays: what happened is done again, as a dry run or for real, and then is shown beside now.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use broker::local::Options;
use domain::Seconds;
use domain::rule_sets::SetName;
use host::{CallInfo, Probe, Service, Verdict};
use serde_json::{Value, json};

use crate::world::{Call, Payment, Trader, World, expect, faults, header, items};

/// The `execution_id` of a version, as the journal shows it.
async fn execution(world: &World, entity: &str, version: usize) -> String {
    world.idle().await;
    let journal = expect(world.get("support", &format!("/v1/journal?entity={entity}")).await, 200);
    items(&journal)[version - 1]["execution_id"].as_str().unwrap().to_owned()
}

/// Asks for a replay; its id.
async fn asked(world: &World, body: &Value) -> String {
    expect(world.post("support", "/v1/replays", body).await, 202).text_at("/replay_id")
}

/// A replay, when it is over.
async fn ended(world: &World, id: &str) -> Value {
    world.idle().await;
    let shown = expect(world.get("admin", &format!("/v1/replays/{id}?limit=100")).await, 200).json;
    assert_eq!(shown["status"], "done", "{shown:#}");
    shown
}

/// Replays one execution; its line.
async fn replayed(world: &World, execution: &str, mode: &str) -> Value {
    let id = asked(world, &json!({"execution_id": execution, "mode": mode})).await;
    let shown = ended(world, &id).await;
    assert_eq!((&shown["mode"], &shown["executions"]), (&json!(mode), &json!(1)), "{shown:#}");
    shown["items"][0].clone()
}

/// A replay that stands in a path.
pub async fn replay_of(world: &World, entity: &str) -> String {
    asked(world, &json!({"execution_id": execution(world, entity, 1).await, "mode": "dry_run"})).await
}

/// Makes the events of a replay; what has them.
pub async fn play(world: &World) -> Vec<String> {
    let trader = world.trader("USD").await;
    vec![replay_of(world, &trader.account).await]
}

/// Everything that is stored but what a replay is made of.
async fn stored(world: &World) -> BTreeMap<String, Vec<String>> {
    let own = ["\"rpl_", "\"replay#", "\"idem#", "\"index#"];
    let mut all = world.stored().await;
    all.values_mut().for_each(|rows| rows.retain(|row| !own.iter().any(|own| row.contains(own))));
    all
}

async fn credited(world: &World) -> (Trader, Payment) {
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    world.idle().await;
    (trader, payment)
}

#[tokio::test]
async fn a_dry_run_of_a_credit_does_nothing_and_says_where_it_would_call() {
    let world = World::start().await;
    let (_, payment) = credited(&world).await;
    let (before, calls) = (stored(&world).await, world.recorded("mt5", "").await["calls"].clone());
    let execution = execution(&world, &payment.id, 3).await;
    world.broker.host.reset_usage();
    let line = replayed(&world, &execution, "dry_run").await;
    assert_eq!(line["execution_id"], execution.as_str());
    assert_eq!((&line["function"], &line["entity"]), (&json!("payments-credit"), &json!(payment.id)));
    // the deposit's private part is today's, which says that a credit was sent: the server would be asked first
    assert_eq!((&line["then"]["outcome"], &line["now"]["outcome"]), (&json!("crediting"), &Value::Null), "{line:#}");
    assert_eq!((&line["same"], &line["certain"]), (&Value::Null, &json!(false)), "{line:#}");
    let then = line["then"]["decisions"].as_array().unwrap().iter().map(|own| own["outcome"].as_str().unwrap());
    assert_eq!(then.collect::<Vec<_>>(), ["crediting", "credited"]);
    assert!(line["now"]["stopped_at"].is_string(), "{line:#}");
    assert_eq!(world.vendor_calls(), 0);
    assert_eq!(world.recorded("mt5", "").await["calls"], calls);
    assert_eq!(stored(&world).await, before, "nothing changes anywhere");
}

#[tokio::test]
async fn a_dry_run_shows_what_today_s_rules_make_of_it() {
    let world = World::at("2026-11-25T10:00:00Z").await;
    let (_, payment) = credited(&world).await;
    let execution = execution(&world, &payment.id, 3).await;
    let wall = |at: domain::Timestamp| at.to_string().get(..16).unwrap().to_owned();
    let (from, until) = (wall(world.now()), wall(world.now().plus(Seconds(3_600))));
    world
        .publish(SetName::Platforms, 2, |rules| {
            let of = rules["servers"].as_array_mut().unwrap().iter_mut().find(|one| one["name"] == "mt5-live").unwrap();
            of["maintenance"] = json!({"time_zone": "UTC", "dated": [{"from": from, "until": until}]});
        })
        .await;
    world.pass(61).await;
    let before = stored(&world).await;
    let line = replayed(&world, &execution, "dry_run").await;
    assert_eq!((&line["then"]["outcome"], &line["same"]), (&json!("crediting"), &Value::Null), "{line:#}");
    assert_ne!(line["now"]["outcome"], "crediting");
    let differs = line["differs"].as_array().unwrap();
    assert!(["outcome", "rules"].iter().all(|part| differs.contains(&json!(part))), "{line:#}");
    assert!(line["now"]["rules"].as_array().unwrap().contains(&json!("platforms@2")), "{line:#}");
    assert_eq!(stored(&world).await, before);
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn a_dry_run_of_what_was_not_there_before_decides_as_it_was_decided() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    let work = world.work_of(&payment.id).await.remove(0);
    let work = work["work_id"].as_str().unwrap();
    expect(world.act("finance", work, &json!({"action": "credit_paid_amount"})).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    let before = stored(&world).await;
    // the item that the desk opened: it was not there before
    let opened = replayed(&world, &execution(&world, work, 1).await, "dry_run").await;
    assert_eq!((&opened["function"], &opened["same"]), (&json!("ops-desk"), &json!(true)), "{opened:#}");
    assert_eq!((&opened["certain"], &opened["differs"]), (&json!(true), &json!([])), "{opened:#}");
    assert_eq!(opened["now"]["decisions"][0]["state"]["status"], "open", "although it is resolved by now");
    assert!(opened["now"].get("stopped_at").is_none());
    // what a person decided, carried out
    let decided = replayed(&world, &execution(&world, &payment.id, 3).await, "dry_run").await;
    assert_eq!((&decided["function"], &decided["certain"]), (&json!("payments-decide"), &json!(false)), "{decided:#}");
    assert_eq!(decided["same"], Value::Null, "what the deposit waited for stood in its private part");
    assert_eq!(stored(&world).await, before);
}

#[tokio::test]
async fn a_run_credits_nothing_twice() {
    let world = World::start().await;
    let (trader, payment) = credited(&world).await;
    let before = stored(&world).await;
    let line = replayed(&world, &execution(&world, &payment.id, 4).await, "run").await;
    assert_eq!(
        line["execution_id"],
        execution(&world, &payment.id, 3).await,
        "an execution is named by its first version"
    );
    assert_eq!((&line["then"]["outcome"], &line["now"]["outcome"]), (&json!("crediting"), &json!("nothing_to_do")));
    assert_eq!((&line["now"]["decisions"], line.get("same")), (&json!([]), None));
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    assert_eq!(world.broker.ledger_of(&trader.account.parse().unwrap()).await.unwrap().len(), 1);
    assert_eq!(stored(&world).await, before);
}

#[tokio::test]
async fn a_range_is_found_by_step_time_and_filter() {
    let world = World::at("2026-11-25T10:00:00Z").await;
    let (trader, first) = credited(&world).await;
    world.pass(3_600).await;
    let second = world.credited(&trader, "50.00", 5_000).await;
    let other = world.trader("USD").await;
    let third = world.credited(&other, "70.00", 7_000).await;
    world.idle().await;
    let range = |more: Value| {
        let mut body = json!({
            "queue": "payments-credit", "from": "2026-11-25T10:00:00Z", "to": "2026-11-25T23:00:00Z", "mode": "dry_run",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let all = [first.id.as_str(), second.id.as_str(), third.id.as_str()];
    for (more, expected) in [
        (json!({}), &all[..]),
        (json!({"queue": "payments-credit-mt5"}), &all[..]),
        (json!({"queue": "payments-credit-mt4"}), &all[..0]),
        (json!({"queue": "payments-payout"}), &all[..0]),
        (json!({"from": "2026-11-25T10:30:00Z"}), &all[1..]),
        (json!({"to": "2026-11-25T10:30:00Z"}), &all[..1]),
        (json!({"from": "2026-11-20T10:30:00Z", "to": "2026-11-25T00:00:00Z"}), &all[..0]),
        (json!({"filter": {"client_id": trader.client}}), &all[..2]),
        (json!({"filter": {"client_id": trader.client, "entity": second.id}}), &all[1..2]),
        (json!({"filter": {"outcome": "crediting"}}), &all[..]),
        (json!({"filter": {"outcome": "credited"}}), &all[..0]),
    ] {
        let shown = ended(&world, &asked(&world, &range(more.clone())).await).await;
        let lines = shown["items"].as_array().unwrap();
        let found: Vec<&str> = lines.iter().map(|line| line["entity"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{more}");
        assert!(lines.iter().all(|line| line["status"] == "answered"), "{shown:#}");
    }
    let id = asked(&world, &range(json!({}))).await;
    world.idle().await;
    let mut paged = vec![];
    let mut cursor = String::new();
    loop {
        let page = expect(world.get("support", &format!("/v1/replays/{id}?limit=2{cursor}")).await, 200);
        paged.extend(items(&page).iter().map(|line| line["entity"].as_str().unwrap().to_owned()));
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={}", next.replace('#', "%23"));
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn a_range_of_too_many_is_refused_with_the_number() {
    let world = World::at("2026-11-25T10:00:00Z").await;
    let line = |number: u64| json!({"at": world.now().millis(), "e": format!("pay_{number}"), "v": 3, "x": number.to_string(), "tr": "t", "o": "crediting"});
    let lines: Vec<Value> = (0..501).map(line).collect();
    let page = |lines: &[Value], number: &str| {
        json!({
            "TableName": world.broker.host.template().tables["JournalTable"].name,
            "Item": {
                "entity": {"S": "index#payments-credit#2026-11-25"}, "version": {"N": number},
                "lines": {"S": json!(lines).to_string()},
            },
        })
    };
    let body = json!({
        "queue": "payments-credit", "from": "2026-11-25T00:00:00Z", "to": "2026-11-26T00:00:00Z", "mode": "run",
    });
    world.broker.host.db().request("PutItem", &page(&lines[..500], "1")).await.unwrap();
    // what is listed twice is one
    world.broker.host.db().request("PutItem", &page(&lines[..100], "2")).await.unwrap();
    expect(world.post("admin", "/v1/replays", &body).await, 202);
    world.broker.host.db().request("PutItem", &page(&lines[500..], "3")).await.unwrap();
    let refused = expect(world.post("admin", "/v1/replays", &body).await, 422);
    assert_eq!(faults(&refused), [" too_many_executions"]);
    assert!(refused.text.contains("more than 500 executions"), "{}", refused.text);
}

#[tokio::test]
async fn what_cannot_be_done_again_says_why() {
    let world = World::start().await;
    let (_, payment) = credited(&world).await;
    for (version, function) in [(1, "payments-initiate"), (2, "payments-webhook")] {
        for mode in ["dry_run", "run"] {
            let line = replayed(&world, &execution(&world, &payment.id, version).await, mode).await;
            assert_eq!((&line["function"], &line["status"]), (&json!(function), &json!("left_out")), "{line:#}");
            assert_eq!((&line["left_out"]["code"], &line["now"]), (&json!("trigger_not_kept"), &Value::Null));
            assert!(line["left_out"]["message"].as_str().unwrap().len() > 20);
        }
    }
}

#[tokio::test]
async fn what_came_due_is_announced_again_as_it_was() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let unpaid = world.deposit(&trader, "60.00", "stripe").await;
    for _ in 0..60 {
        world.pass(30 * 60 + 1).await;
        world.sweep().await;
        if world.status(&unpaid.id).await == "expired" {
            break;
        }
    }
    let journal = items(&world.get("support", &format!("/v1/journal?entity={}", unpaid.id)).await);
    let of_timer = journal.iter().find(|line| line["trigger"].as_str().unwrap().starts_with("payment.due ")).unwrap();
    let before = stored(&world).await;
    let line = replayed(&world, of_timer["execution_id"].as_str().unwrap(), "dry_run").await;
    assert_eq!(line["status"], "answered", "{line:#}");
    assert!(line["now"]["stopped_at"].is_string(), "the provider would be asked: {line:#}");
    assert_eq!(stored(&world).await, before);
}

#[tokio::test]
async fn every_fault_is_named_and_an_unknown_execution_is_none() {
    let world = World::start().await;
    let (_, payment) = credited(&world).await;
    let known = execution(&world, &payment.id, 3).await;
    let other_invocation = format!("nobody@{}", known.split_once('@').unwrap().1);
    for (body, status, expected) in [
        (json!({}), 400, vec!["/execution_id missing", "/mode missing"]),
        (json!({"execution_id": known, "mode": "now"}), 422, vec!["/mode unknown_value"]),
        (json!({"execution_id": "nobody", "mode": "run"}), 422, vec!["/execution_id unknown_execution"]),
        (json!({"execution_id": other_invocation, "mode": "run"}), 422, vec!["/execution_id unknown_execution"]),
        (json!({"execution_id": format!("{known}9"), "mode": "run"}), 422, vec!["/execution_id unknown_execution"]),
        (json!({"execution_id": known, "queue": "payments-credit", "mode": "run"}), 422, vec!["/queue not_both"]),
        (
            json!({"queue": "payments-debit", "from": "2026-11-25", "to": "2026-11-26T00:00:00Z", "mode": "run", "why": "?"}),
            400,
            vec!["/from invalid_time", "/queue unknown_queue", "/why unknown_field"],
        ),
        (
            json!({"queue": "compliance-detect", "from": "2026-11-25T00:00:00Z", "to": "2026-11-26T00:00:00Z", "mode": "run"}),
            422,
            vec!["/queue unknown_queue"],
        ),
    ] {
        let answer = expect(world.post("admin", "/v1/replays", &body).await, status);
        assert_eq!(faults(&answer), expected, "{body}");
    }
    for id in ["rpl_00000000000000000000000000", "nobody"] {
        expect(world.get("admin", &format!("/v1/replays/{id}")).await, 404);
    }
    // a page of the index is no entity
    let day = world.now().to_string().get(..10).unwrap().to_owned();
    let page = format!("/v1/journal?entity=index%23payments-credit%23{day}");
    assert_eq!(expect(world.get("admin", &page).await, 200).json["items"], json!([]));
}

#[tokio::test]
async fn support_and_admin_replay_and_one_key_is_one_replay() {
    let world = World::start().await;
    let (_, payment) = credited(&world).await;
    let body = json!({"execution_id": execution(&world, &payment.id, 3).await, "mode": "run"});
    for who in ["portal", "sales", "finance", "compliance"] {
        expect(world.post(who, "/v1/replays", &body).await, 403);
        expect(world.get(who, "/v1/replays/rpl_00000000000000000000000000").await, 403);
    }
    let call = |body: &Value| Call::post("/v1/replays", body).token(world.broker.token("support"));
    expect(world.send(call(&body)).await, 400);
    let first = expect(world.send(call(&body).key("one")).await, 202);
    assert_eq!(header(&first, "idempotency-replayed"), None);
    let again = expect(world.send(call(&body).key("one")).await, 202);
    assert_eq!((header(&again, "idempotency-replayed"), &again.json), (Some("true"), &first.json));
    let mut dry = body.clone();
    dry["mode"] = json!("dry_run");
    expect(world.send(call(&dry).key("one")).await, 422);
    let journal = expect(world.get("admin", &format!("/v1/journal?entity={}", first.text_at("/replay_id"))).await, 200);
    assert_eq!(journal.json["verified"], true);
}

/// Ends `ops-replay` once at each of its calls in turn.
#[derive(Default)]
struct Dying {
    at: AtomicUsize,
    died: AtomicUsize,
}

impl Probe for Dying {
    fn before(&self, _: &CallInfo<'_>) -> Verdict {
        Verdict::Go
    }

    fn after(&self, call: &CallInfo<'_>) -> Verdict {
        let own = call.function == "ops-replay" && matches!(call.service, Service::DynamoDb | Service::Sqs);
        if own && call.index == self.at.load(Ordering::SeqCst) && self.died.swap(1, Ordering::SeqCst) == 0 {
            return Verdict::Die;
        }
        Verdict::Go
    }
}

#[tokio::test]
async fn a_worker_that_is_killed_is_followed_by_one_that_ends_it() {
    let dying = Arc::new(Dying { died: AtomicUsize::new(1), ..Dying::default() });
    let world =
        World::with(Options { probe: Some(dying.clone()), retry_speed: Some(10_000), ..Options::default() }).await;
    let (trader, payment) = credited(&world).await;
    let body = json!({"execution_id": execution(&world, &payment.id, 3).await, "mode": "run"});
    let before = stored(&world).await;
    let mut kills = 0;
    for at in 0.. {
        dying.at.store(at, Ordering::SeqCst);
        dying.died.store(0, Ordering::SeqCst);
        let id = asked(&world, &body).await;
        world.broker.host.settled().await;
        let line = ended(&world, &id).await["items"][0].clone();
        assert_eq!(
            (&line["status"], &line["now"]["outcome"]),
            (&json!("answered"), &json!("nothing_to_do")),
            "{at}: {line:#}"
        );
        if dying.died.swap(1, Ordering::SeqCst) == 0 {
            break;
        }
        kills += 1;
    }
    assert!(kills > 5, "{kills} calls");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    assert_eq!(stored(&world).await, before);
    assert!(world.broker.host.dead_letters().values().all(Vec::is_empty));
}

/// Whoever makes a client of AWS gives it the guard: without it a rehearsal could write.
#[test]
fn every_client_of_aws_refuses_to_write_in_a_rehearsal() {
    let root = broker::local::repository();
    let mut open: Vec<std::path::PathBuf> = ["shared", "functions"].map(|folder| root.join(folder)).to_vec();
    let (mut seen, mut unguarded) = (0, vec![]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let own = path.extension().is_some_and(|kind| kind == "rs") && !path.to_string_lossy().contains("/tests");
        if !own {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        seen += code.matches("Client::from_conf(").count();
        // the secrets are only read
        if code.contains("Client::new(") && !path.ends_with("secrets.rs") {
            unguarded.push(path.clone());
        }
        if code.contains("Client::from_conf(") && !code.contains(".interceptor(Guard)") {
            unguarded.push(path);
        }
    }
    assert!(unguarded.is_empty(), "no Guard in {unguarded:?}");
    assert!(seen >= 6, "{seen} clients");
}
