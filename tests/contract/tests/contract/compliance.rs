//! Compliance alerting through the public API: what is found becomes a case with its evidence, two people close it, nobody else learns that
//! it exists, and the client goes on as before.

use std::collections::BTreeMap;

use domain::Day;
use domain::client::CLIENT_LISTS;
use domain::compliance::detector::Detector;
use domain::compliance::{CountryLists, DayPart, Mode, Scenarios};
use domain::decision::{Frame, Verdict};
use domain::rule_sets::SetName;
use domain::rules::RuleSet as _;
use serde_json::{Value, json};

use crate::rules::YAML;
use crate::world::{Call, Trader, World, deposit_request, expect, faults, header, items, registration};

const MORNING: &str = "2026-11-23T09:00:00Z";

/// The case that a deposit above the threshold opens.
pub async fn case_of(world: &World, trader: &Trader) -> String {
    world.credited(trader, "11000.00", 1_100_000).await;
    world.idle().await;
    let cases = of_client(world, trader).await;
    assert_eq!(cases.len(), 1, "{cases:#?}");
    cases[0]["case_id"].as_str().unwrap().to_owned()
}

/// The share of the clients that a day which is over is looked at for.
pub async fn play(world: &World) -> Vec<String> {
    world.client("en").await;
    day_over(world).await;
    (0..CLIENT_LISTS).map(|list| DayPart::id_of(list).to_string()).collect()
}

/// A day is over: each client is looked at.
async fn day_over(world: &World) {
    world.broker.host.fire_schedule("compliance-day").await.unwrap();
    world.idle().await;
}

async fn parts(world: &World) -> Vec<DayPart> {
    let mut parts = Vec::new();
    for list in 0..CLIENT_LISTS {
        let stored = world.broker.crm().load::<DayPart>(&DayPart::id_of(list)).await.unwrap();
        parts.extend(stored.map(|stored| stored.entity));
    }
    parts
}

/// A client who lives in a country.
async fn resident(world: &World, country: &str) -> String {
    let mut told = registration();
    told["residence"] = json!(country);
    told["email"] = json!(format!("client-{}@example.com", world.fresh()));
    expect(world.portal("/v1/clients", &told).await, 201).text_at("/client_id")
}

fn frame(world: &World) -> Frame {
    Frame {
        function: "compliance-day",
        execution_id: "test".to_owned(),
        trigger: "test".to_owned(),
        correlation_id: "cor-test".to_owned(),
        now: world.now(),
        rules: Vec::new(),
    }
}

/// A report of a case.
pub async fn report_of(world: &World, case: &str) -> String {
    let call = Call::post(&format!("/v1/cases/{case}/reports"), &json!({"kind": "STR"})).key("report");
    expect(world.send(call.token(world.broker.token("compliance"))).await, 201).text_at("/report_id")
}

async fn of_client(world: &World, trader: &Trader) -> Vec<Value> {
    cases_of(world, &trader.client).await
}

async fn cases_of(world: &World, client: &str) -> Vec<Value> {
    items(&expect(world.get("compliance", &format!("/v1/cases?client={client}")).await, 200))
}

async fn case(world: &World, id: &str) -> Value {
    expect(world.get("compliance", &format!("/v1/cases/{id}")).await, 200).json
}

async fn act(world: &World, who: &str, id: &str, body: &Value) -> broker::api::Answer {
    world.post(who, &format!("/v1/cases/{id}/actions"), body).await
}

fn alert<'a>(case: &'a Value, scenario: &str) -> &'a Value {
    let alerts = case["alerts"].as_array().unwrap();
    alerts.iter().find(|alert| alert["scenario"] == scenario).unwrap_or_else(|| panic!("no {scenario} in {case:#}"))
}

#[tokio::test]
async fn a_pattern_of_deposits_becomes_one_case_with_its_evidence() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    let mut payments = Vec::new();
    for _ in 0..3 {
        payments.push(world.credited(&trader, "9000.00", 900_000).await.id);
        world.idle().await;
    }
    let cases = of_client(&world, &trader).await;
    assert_eq!(cases.len(), 1, "alerts of one client join: {cases:#?}");
    let case = case(&world, cases[0]["case_id"].as_str().unwrap()).await;
    assert_eq!((&case["status"], &case["client_id"]), (&json!("open"), &json!(trader.client)));
    let found = alert(&case, "structuring_day");
    let mut evidence: Vec<&str> = found["evidence"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    evidence.sort_unstable();
    payments.sort_unstable();
    assert_eq!(evidence, payments);
    assert_eq!((&found["features"]["just_below"], &found["features"]["together"]), (&json!("3"), &json!("27000")));
    assert_eq!((&found["trigger"], &found["rule_version"]), (&json!("deposit"), &json!("compliance_scenarios@1")));
    let why = found["why"].to_string();
    assert!(why.contains("just_below gte 3? It is 3: yes"), "{why}");
    // structuring 65, and two sums above the threshold 25; round amounts add 5
    assert_eq!((&case["score"], &case["priority"]), (&json!(95), &json!("urgent")));
    assert_eq!(case["normal_pattern"]["figures"]["deposits"]["now"], "27000");
    assert_eq!(case["normal_pattern"]["weeks"].as_array().unwrap().len(), 26);
    let actions: Vec<&str> =
        case["options"].as_array().unwrap().iter().map(|option| option["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["claim", "request_information", "snooze", "propose_close", "note"]);
    let listed = |query: &str| format!("/v1/cases?{query}");
    for (query, count) in
        [("status=open", 1), ("status=closed", 0), ("scenario=structuring", 1), ("scenario=dormant", 0)]
    {
        assert_eq!(items(&world.get("compliance", &listed(query)).await).len(), count, "{query}");
    }
    expect(world.get("compliance", "/v1/cases?status=lost").await, 400);
    expect(world.get("compliance", "/v1/cases?cursor=x").await, 400);
}

#[tokio::test]
async fn nobody_else_can_see_that_a_case_exists_and_the_client_goes_on() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    let other = world.trader("USD").await;
    world.credited(&other, "100.00", 10_000).await;
    let before = |who: &'static str, client: String| {
        let world = &world;
        async move {
            world.get(who, &format!("/v1/clients/{client}/notifications")).await.json["items"].as_array().unwrap().len()
        }
    };
    let id = case_of(&world, &trader).await;
    let somebody = "case_00000000000000000000000000";
    for who in ["portal", "sales", "support", "finance", "admin"] {
        for path in ["/v1/cases".to_owned(), format!("/v1/cases/{id}"), format!("/v1/cases/{somebody}")] {
            let answer = expect(world.get(who, &path).await, 404);
            assert!(!answer.text.contains("case"), "{who} {path}: {}", answer.text);
        }
        let answer = act(&world, who, &id, &json!({"action": "claim"})).await;
        assert_eq!(answer.status, 404, "{who}");
    }
    let watch = trader.client.replace("cli_", "cwt_");
    for who in ["sales", "support", "finance", "admin"] {
        for secret in [&id, &watch] {
            let journal = expect(world.get(who, &format!("/v1/journal?entity={secret}")).await, 200);
            assert_eq!(items(&journal).len(), 0, "{who}: {}", journal.text);
            // the same as of what was never there
            let absent = world.get(who, &format!("/v1/journal?entity={somebody}")).await;
            assert_eq!(journal.json, absent.json, "{who}");
        }
        let journal = expect(world.get(who, &format!("/v1/journal?client={}&limit=100", trader.client)).await, 200);
        assert!(!journal.text.contains(&id) && !journal.text.contains(&watch), "{who}");
        assert!(!items(&journal).is_empty());
        let work = world.get(who, "/v1/work?limit=100").await;
        assert!(!work.text.contains("case_"), "{who}: {}", work.text);
    }
    let journal = expect(world.get("compliance", &format!("/v1/journal?entity={id}")).await, 200);
    assert_eq!((&journal.json["verified"], items(&journal).len()), (&json!(true), 1), "{}", journal.text);
    // the correlation of the payment leads to its case, for compliance alone
    let correlation = items(&journal)[0]["correlation_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/journal?correlation={correlation}&limit=100");
    assert!(world.get("compliance", &path).await.text.contains(&id));
    assert!(!world.get("support", &path).await.text.contains(&id));
    // and the client is told the same as anybody
    assert_eq!(before("portal", trader.client.clone()).await, before("portal", other.client.clone()).await);
    let again = world.credited(&trader, "50.00", 5_000).await;
    assert_eq!(world.status(&again.id).await, "credited");
    let wish = json!({"account_id": trader.account, "amount": {"amount": "20.00", "currency": "USD"}, "destination": {"psp": "stripe", "source_payment_id": again.id}});
    expect(world.portal(&format!("/v1/clients/{}/withdrawals", trader.client), &wish).await, 201);
    expect(world.portal(&trader.deposits(), &deposit_request(&trader, "60.00", "stripe")).await, 201);
}

#[tokio::test]
async fn a_case_is_closed_by_two_people() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    let id = case_of(&world, &trader).await;
    let claim = json!({"action": "claim"});
    // two at once: one has it, the other is told
    let (one, two) = tokio::join!(act(&world, "compliance", &id, &claim), act(&world, "compliance_2", &id, &claim));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
    let (owner, second) =
        if one.status == 200 { ("compliance", "compliance_2") } else { ("compliance_2", "compliance") };
    assert_eq!(case(&world, &id).await["status"], "investigating");
    let propose =
        json!({"action": "propose_close", "outcome": "explained", "reason": "he sold his house; seen the contract"});
    assert_eq!(act(&world, second, &id, &propose).await.status, 409);
    let bare = expect(act(&world, owner, &id, &json!({"action": "propose_close"})).await, 400);
    assert_eq!(faults(&bare).len(), 2, "every fault at once: {}", bare.text);
    expect(act(&world, owner, &id, &json!({"action": "close"})).await, 422);
    let proposed = expect(act(&world, owner, &id, &propose).await, 200).json;
    assert_eq!(
        (&proposed["status"], &proposed["proposal"]["outcome"]),
        (&json!("awaiting_approval"), &json!("explained"))
    );
    let approve = json!({"action": "approve_close"});
    expect(act(&world, owner, &id, &approve).await, 403);
    expect(act(&world, second, &id, &json!({"action": "return", "reason": "which house?"})).await, 200);
    expect(act(&world, second, &id, &approve).await, 409);
    expect(act(&world, owner, &id, &propose).await, 200);
    let closed = expect(act(&world, second, &id, &approve).await, 200).json;
    assert_eq!((&closed["status"], &closed["outcome"]), (&json!("closed"), &json!("explained")));
    assert_eq!(expect(act(&world, second, &id, &approve).await, 200).json["status"], "closed", "sent twice");
    let actions: Vec<&str> =
        closed["history"].as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["alert", "claim", "propose_close", "return", "propose_close", "approve_close"]);
    expect(act(&world, owner, &id, &json!({"action": "reopen", "reason": "another payment"})).await, 200);
    assert_eq!(items(&world.get("compliance", "/v1/cases?status=investigating").await).len(), 1);
}

#[tokio::test]
async fn a_scenario_is_put_aside_for_a_time_and_the_client_is_asked_in_the_words_of_the_routine() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    let id = case_of(&world, &trader).await;
    let until = |days: i64| domain::Timestamp::from_seconds(world.now_s() + days * 86_400).unwrap();
    let snooze = |days: i64| json!({"action": "snooze", "scenario": "large_single", "until": until(days), "reason": "known payer"});
    expect(act(&world, "compliance", &id, &snooze(181)).await, 422);
    let missing = expect(act(&world, "compliance", &id, &json!({"action": "snooze"})).await, 400);
    assert_eq!(faults(&missing).len(), 3, "{}", missing.text);
    let snoozed = expect(act(&world, "compliance", &id, &snooze(30)).await, 200).json;
    assert_eq!(snoozed["snoozes"]["large_single"]["reason"], "known payer");
    world.pass(8 * 86_400).await;
    world.credited(&trader, "12000.00", 1_200_000).await;
    world.idle().await;
    let after = case(&world, &id).await;
    let standings: Vec<&Value> = after["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|alert| alert["scenario"] == "large_single")
        .map(|alert| &alert["standing"])
        .collect();
    assert_eq!(standings, ["counts", "snoozed"]);

    let path = format!("/v1/clients/{}/notifications", trader.client);
    let before = items(&world.get("portal", &path).await).len();
    expect(
        act(&world, "compliance", &id, &json!({"action": "request_information", "reason": "source of funds"})).await,
        200,
    );
    let told = items(&world.get("portal", &path).await);
    assert_eq!(told.len(), before + 1);
    assert_eq!(told[0]["kind"], "kyc.documents_requested");
    let words = told[0].to_string().to_lowercase();
    for word in ["case", "alert", "suspicio", "compliance", "source of funds"] {
        assert!(!words.contains(word), "{words}");
    }
}

#[tokio::test]
async fn a_scenario_that_somebody_writes_is_found_without_a_line_of_code() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    world
        .publish(SetName::Scenarios, 2, |document| {
            document["scenarios"].as_array_mut().unwrap().push(json!({
                "id": "three_small", "name": "Three small deposits in a day", "meaning": "A card may be tried out.",
                "mode": "live", "trigger": ["deposit"], "score": 35, "cool_down": "7d", "noise_budget": "0.05",
                "features": {"small": {"over": "movements", "of": ["deposit"], "take": "count", "window": "24h", "only": {"below": "20"}}},
                "when": {"field": "small", "gte": 3},
            }));
        })
        .await;
    // functions take a new version up within a minute
    world.pass(120).await;
    for n in 0..3 {
        assert_eq!(of_client(&world, &trader).await.len(), 0, "after {n}");
        world.credited(&trader, "10.00", 1_000).await;
        world.idle().await;
    }
    let cases = of_client(&world, &trader).await;
    let found = case(&world, cases[0]["case_id"].as_str().unwrap()).await;
    assert_eq!(alert(&found, "three_small")["rule_version"], "compliance_scenarios@2");
}

#[tokio::test]
async fn a_country_that_is_put_on_a_list_is_found_by_the_day_without_the_client_doing_anything() {
    let world = World::at(MORNING).await;
    let lives_there = resident(&world, "TR").await;
    for _ in 0..3 {
        world.client("en").await;
    }
    day_over(&world).await;
    assert_eq!(cases_of(&world, &lives_there).await.len(), 0, "the country is on no list");
    world
        .publish(SetName::CountryLists, 2, |document| {
            let row = json!({"country": "TR", "from": "2026-11-23"});
            document["lists"]["fatf_call_for_action"]["rows"].as_array_mut().unwrap().push(row);
        })
        .await;
    world.pass(600).await;
    day_over(&world).await;
    assert_eq!(cases_of(&world, &lives_there).await.len(), 0, "it was not on the day that is over");
    world.pass(86_400).await;
    day_over(&world).await;
    let found = cases_of(&world, &lives_there).await;
    assert_eq!((found.len(), &found[0]["scenarios"]), (1, &json!(["geo_residence"])), "{found:?}");
    let before = case(&world, found[0]["case_id"].as_str().unwrap()).await;
    let own = alert(&before, "geo_residence");
    assert_eq!((&own["trigger"], &own["at"]), (&json!("daily"), &json!("2026-11-23T23:59:59.999Z")), "{own:#}");
    // each further day finds the same, and tells nothing new
    for _ in 0..3 {
        world.pass(86_400).await;
        day_over(&world).await;
    }
    let after = case(&world, found[0]["case_id"].as_str().unwrap()).await;
    assert_eq!((&before["alerts"], &before["history"]), (&after["alerts"], &after["history"]));
    // and nobody was left out
    let parts = parts(&world).await;
    assert_eq!(parts.iter().map(|part| part.facts.tally.judged).sum::<u32>(), 4);
    assert!(parts.iter().all(|part| part.facts.counted == Some(part.facts.tally.seen()) && part.due.is_none()));
}

#[tokio::test]
async fn whoever_dies_with_a_share_of_the_clients_is_followed_and_a_message_twice_changes_nothing() {
    let world = World::at(MORNING).await;
    let client = resident(&world, "IR").await;
    day_over(&world).await;
    let stored = world.stored().await;
    let part = parts(&world).await.remove(0);
    let detail = json!({
        "event_id": format!("{}:1:0", part.id), "entity": part.id, "version": 1, "type": "day_part.opened", "at": world.now(),
        "correlation_id": "again", "data": {},
    });
    let record =
        json!({"Records": [{"messageId": "1", "body": json!({"detail": detail}).to_string(), "attributes": {}}]});
    for _ in 0..2 {
        assert_eq!(
            world.broker.host.invoke("compliance-timed", &record).await.unwrap()["batchItemFailures"],
            json!([])
        );
    }
    assert_eq!(world.stored().await, stored);
    // a part whose message was lost: it is due after its lease
    let opened = part.opened(Day::of(world.now()), &part.facts.through, world.now());
    let Verdict::Change(decision) = opened else { panic!("it was opened") };
    let mut unheard = *decision;
    unheard.events.clear();
    let was = world.broker.crm().load::<DayPart>(&part.id).await.unwrap().unwrap();
    world.broker.crm().save(Some(&was), unheard, &frame(&world)).await.unwrap();
    world.pass(300).await;
    world.sweep().await;
    let after = parts(&world).await.into_iter().find(|own| own.id == part.id).unwrap();
    assert_eq!((after.facts.day, after.place()), (Day::of(world.now()), None));
    assert_eq!(cases_of(&world, &client).await.len(), 1);
}

/// A withdrawal back to the payer of a deposit.
async fn take_out(world: &World, trader: &Trader, amount: &str, source: &str) -> (String, String) {
    let wish = json!({
        "account_id": trader.account, "amount": {"amount": amount, "currency": "USD"},
        "destination": {"psp": "stripe", "source_payment_id": source},
    });
    let asked = expect(world.portal(&trader.withdrawals(), &wish).await, 201);
    world.idle().await;
    (asked.text_at("/payment_id"), asked.text_at("/status"))
}

#[tokio::test]
async fn while_a_case_is_open_a_withdrawal_waits_in_the_words_in_which_any_does() {
    let world = World::at(MORNING).await;
    let (trader, other) = (world.trader("USD").await, world.trader("USD").await);
    let first = world.credited(&trader, "900.00", 90_000).await;
    let others = world.credited(&other, "2000.00", 200_000).await;
    let (_, status) = take_out(&world, &trader, "20.00", &first.id).await;
    assert_eq!(status, "approved", "as long as there is no case");
    // one large sum is a case, and holds nothing; three just below the threshold do
    let case_id = case_of(&world, &trader).await;
    let (_, status) = take_out(&world, &trader, "25.00", &first.id).await;
    assert_eq!(status, "approved");
    for _ in 0..3 {
        world.credited(&trader, "9000.00", 900_000).await;
        world.idle().await;
    }
    let (held, status) = take_out(&world, &trader, "30.00", &first.id).await;
    assert_eq!(status, "requested", "it waits, and is not refused");
    let (usual, status) = take_out(&world, &other, "600.00", &others.id).await;
    assert_eq!(status, "requested");
    // finance sees the same of both, but for ids, amounts and times
    let shown = async |payment: &str| {
        let mut items = world.work_of(payment).await;
        assert_eq!(items.len(), 1);
        let item = items.remove(0);
        let journal = expect(world.get("finance", &format!("/v1/journal?entity={payment}")).await, 200);
        let lines = items_of(&journal.json);
        let timeline = world.get("portal", &format!("/v1/payments/{payment}")).await.json["timeline"].clone();
        let whys: Vec<Value> =
            timeline.as_array().unwrap().iter().map(|line| json!([line["status"], line["why"]])).collect();
        json!({
            "kind": item["kind"], "options": item["options"], "why": item["trigger"]["why"], "whys": whys,
            "journal": lines.iter().map(|line| json!([line["why"], line["outcome"]])).collect::<Vec<_>>(),
        })
    };
    let same = async |payment: &str, source: &str| shown(payment).await.to_string().replace(source, "pay_source");
    assert_eq!(same(&held, &first.id).await, same(&usual, &others.id).await);
    for text in [
        world.get("finance", &format!("/v1/journal?entity={held}")).await.text,
        world.get("finance", "/v1/work?limit=100").await.text,
        world.get("portal", &format!("/v1/payments/{held}")).await.text,
    ] {
        for word in ["hold", "compliance_", "case", "alert"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
    // and rules that do not ask for it, tried on the past, do not say to whom that makes a difference
    let text = world.changed("withdrawals", "        - {field: compliance_hold, eq: false}\n", "").await;
    expect(world.draft("finance", "withdrawals", YAML, &text).await, 201);
    let span = json!({"from": "2026-11-01T00:00:00Z", "to": world.now()});
    let tried = async |who: &str| {
        let answer = world.post(who, "/v1/rules/withdrawals/versions/2/backtest", &span).await;
        expect(answer, 200).json["changed"]
            .as_array()
            .unwrap()
            .iter()
            .map(|own| own["entity"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(tried("compliance").await, [json!(held)]);
    for who in ["finance", "sales"] {
        assert!(tried(who).await.is_empty(), "{who}");
    }
    // a person decides it, and it is paid
    let item = world.work_of(&held).await.remove(0);
    expect(world.act("finance", item["work_id"].as_str().unwrap(), &json!({"action": "approve"})).await, 200);
    world.idle().await;
    assert_eq!(world.status(&held).await, "paid_out");
    // and once the case is closed nothing waits any more
    let close = json!({"action": "propose_close", "outcome": "explained", "reason": "sold his car"});
    expect(act(&world, "compliance", &case_id, &close).await, 200);
    expect(act(&world, "compliance_2", &case_id, &json!({"action": "approve_close"})).await, 200);
    let (_, status) = take_out(&world, &trader, "40.00", &first.id).await;
    assert_eq!(status, "approved");
}

fn items_of(json: &Value) -> Vec<Value> {
    json["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_would_have_been_found_is_told_by_scenario_and_the_live_version_says_what_was() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    let quiet = world.trader("USD").await;
    let id = case_of(&world, &trader).await;
    world.credited(&quiet, "6000.00", 600_000).await;
    world.pass(3_600).await;
    let test = |version: u64| format!("/v1/rules/compliance_scenarios/versions/{version}/backtest");
    let span = json!({"from": "2026-11-20T00:00:00Z", "to": "2026-11-24T00:00:00Z"});
    let live = expect(world.post("compliance", &test(1), &span).await, 200).json;
    assert_eq!((&live["changed"], &live["summary"]["changed"]), (&json!([]), &json!(0)), "{live:#}");
    assert_eq!((&live["summary"]["clients"], &live["summary"]["cut"]), (&json!(2), &json!(false)));
    let figure = |told: &Value, scenario: &str| {
        let all = told["summary"]["scenarios"].as_array().unwrap().clone();
        all.into_iter().find(|own| own["scenario"] == scenario).unwrap()
    };
    let found = case(&world, &id).await;
    let recorded: Vec<&str> =
        found["alerts"].as_array().unwrap().iter().map(|alert| alert["scenario"].as_str().unwrap()).collect();
    for own in live["summary"]["scenarios"].as_array().unwrap() {
        let known = recorded.iter().filter(|name| own["scenario"] == **name).count();
        assert_eq!(own["hits"], known, "{own:#}");
    }
    // a version that asks for less
    let document = world.broker.rule_document(SetName::Scenarios).unwrap();
    let mut looser = document.clone();
    for scenario in looser["scenarios"].as_array_mut().unwrap() {
        if scenario["id"] == "large_single" {
            scenario["parameters"]["threshold"] = json!("5000");
        }
    }
    let draft = Call::raw("/v1/rules/compliance_scenarios/drafts", looser.to_string());
    let draft = draft.header("content-type", "application/json").token(world.broker.token("compliance"));
    assert_eq!(expect(world.send(draft).await, 201).json["version"], 2);
    let tried = expect(world.post("compliance", &test(2), &span).await, 200).json;
    let large = figure(&tried, "large_single");
    assert_eq!(
        (&large["alerts"], &large["live_alerts"], &large["added"]),
        (&json!(2), &json!(1), &json!(1)),
        "{large:#}"
    );
    assert_eq!((&large["clients"], &large["removed"]), (&json!(2), &json!(0)));
    let change = &tried["changed"][0];
    assert_eq!(
        (&change["client_id"], &change["scenario"], &change["was"], &change["now"]),
        (&json!(quiet.client), &json!("large_single"), &Value::Null, &json!("live"))
    );
    // whom it is about is told to nobody else, and neither is the hour, by which payments could be told apart
    let others = expect(world.post("support", &test(2), &span).await, 200);
    let change = &others.json["changed"][0];
    assert!(!others.text.contains("cli_") && change["scenario"] == "large_single", "{}", others.text);
    assert!(change["at"].as_str().unwrap().ends_with("T00:00:00.000Z"), "{change}");
    for (body, status) in [
        (json!({}), 400),
        (json!({"from": "2026-11-24T00:00:00Z", "to": "2026-11-20T00:00:00Z"}), 422),
        (json!({"from": "2020-11-24T00:00:00Z", "to": "2026-11-20T00:00:00Z"}), 422),
    ] {
        assert_eq!(world.post("compliance", &test(1), &body).await.status, status, "{body}");
    }
    expect(world.post("compliance", &test(9), &span).await, 404);
    // too few clients to say anything about noise: it is published without a word
    let publish = "/v1/rules/compliance_scenarios/versions/2/publish";
    assert_eq!(expect(world.post("compliance_2", publish, &json!({})).await, 200).json["status"], "live");
}

/// The events of a client in the form of the export, oldest first.
async fn exported(world: &World, client: &str) -> Vec<String> {
    let (mut lines, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/journal?client={client}&limit=100{cursor}");
        let page = expect(world.get("compliance", &path).await, 200);
        for line in items(&page) {
            for event in line["events"].as_array().unwrap() {
                let text = event["data"].to_string();
                for personal in ["@example.com", "López", "+34"] {
                    assert!(!text.contains(personal), "{text}");
                }
                lines.push(
                    json!({
                        "event_id": event["id"], "entity": line["entity"], "version": line["version"], "type": event["type"],
                        "at": line["at"], "correlation_id": line["correlation_id"], "client_id": client, "data": event["data"],
                    })
                    .to_string(),
                );
            }
        }
        match page.json["next_cursor"].as_str() {
            Some(next) => {
                let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                cursor = format!("&cursor={next}");
            }
            None => return lines,
        }
    }
}

#[tokio::test]
async fn what_is_found_in_the_exported_events_is_what_the_functions_found() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    let mut last = String::new();
    for _ in 0..3 {
        last = world.credited(&trader, "9000.00", 900_000).await.id;
        world.idle().await;
    }
    let login = json!({"at": world.now(), "ip": "203.0.113.7", "country": "IR", "device_id": "d-1"});
    expect(world.portal(&format!("/v1/clients/{}/logins", trader.client), &login).await, 202);
    world.idle().await;
    let deal = |number: u32, lots: &str| {
        json!({
            "deal": number, "position": format!("p{number}"), "login": trader.login, "symbol": "EURUSD", "side": "sell",
            "entry": "out", "lots": lots, "price": "1.09", "profit": "5.00", "commission": "0", "swap": "0",
            "currency": "USD", "at": world.now(),
        })
    };
    crate::trades::push(&world, "mt5", &[deal(1, "0.10"), deal(2, "0.20")]).await;
    world.idle().await;
    for amount in ["400.00", "8000.00"] {
        let (payment, status) = take_out(&world, &trader, amount, &last).await;
        if status == "requested" {
            let item = world.work_of(&payment).await.remove(0);
            for who in ["finance", "finance_2"] {
                world.act(who, item["work_id"].as_str().unwrap(), &json!({"action": "approve"})).await;
            }
            world.idle().await;
        }
    }
    let cases = of_client(&world, &trader).await;
    let found = case(&world, cases[0]["case_id"].as_str().unwrap()).await;
    let rules = Scenarios::parse(&world.broker.rule_document(SetName::Scenarios).unwrap()).unwrap();
    let lists = CountryLists::parse(&world.broker.rule_document(SetName::CountryLists).unwrap()).unwrap();
    let lines = exported(&world, &trader.client).await;
    let detect = |lines: &[String]| {
        let mut detector = Detector::new(&rules, &lists, "compliance_scenarios@1");
        let told = lines.iter().flat_map(|line| detector.line(line).unwrap());
        let told = told.filter(|told| told.mode == Mode::Live);
        told.map(|told| (told.alert.alert_id.to_string(), told.alert)).collect::<BTreeMap<_, _>>()
    };
    let told = detect(&lines);
    let alerts = found["alerts"].as_array().unwrap();
    assert!(alerts.len() >= 4, "{alerts:#?}");
    assert_eq!(
        told.len(),
        alerts.len(),
        "{:?} {alerts:#?}",
        told.values().map(|one| &one.scenario).collect::<Vec<_>>()
    );
    for alert in alerts {
        let own = json!(told[alert["alert_id"].as_str().unwrap()]);
        for member in ["scenario", "at", "trigger", "features", "why", "evidence", "score", "rule_version", "standing"]
        {
            assert_eq!(own[member], alert[member], "{member} of {}", alert["scenario"]);
        }
    }
    // each event twice changes nothing, and a line that is none costs its neighbours nothing
    let twice: Vec<String> = lines.iter().flat_map(|line| [line.clone(), line.clone()]).collect();
    assert_eq!(detect(&twice), told);
    let mut text = format!("no event\n{}\n", lines.join("\n"));
    text.push_str("{\"type\": 1}\n");
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let unread = compliance::export::detect(&rules, &lists, "x", &mut text.as_bytes(), &mut out, &mut errors).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!((unread, String::from_utf8(errors).unwrap().lines().count()), (2, 2));
    assert_eq!(out.lines().filter(|line| line.contains("\"mode\":\"live\"")).count(), told.len());
}

#[tokio::test]
async fn the_scene_of_the_demo_holds() {
    let mut report = broker::day::Report::default();
    broker::day::laundry(&mut report).await.unwrap();
    assert!(report.held());
}

#[tokio::test]
async fn a_case_that_is_not_decided_in_time_becomes_more_urgent_by_itself() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    let id = case_of(&world, &trader).await;
    let before = case(&world, &id).await;
    assert_eq!((&before["priority"], before.get("escalated_at")), (&json!("normal"), None));
    for _ in 0..9 {
        world.pass(86_400).await;
        world.sweep().await;
    }
    let after = case(&world, &id).await;
    assert_eq!((&after["priority"], &after["due_at"]), (&json!("high"), &before["due_at"]));
    let history = after["history"].as_array().unwrap();
    assert_eq!(history.iter().filter(|line| line["action"] == "escalate").count(), 1, "{history:?}");
    assert!(after["escalated_at"].is_string());
}

#[tokio::test]
async fn a_message_that_comes_again_makes_nothing_new() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    let id = case_of(&world, &trader).await;
    let before = case(&world, &id).await;
    let activity = trader.client.replace("cli_", "act_");
    let journal = items(&world.get("compliance", &format!("/v1/journal?entity={activity}")).await);
    let event = &journal.last().unwrap()["events"][0];
    let detail = json!({
        "event_id": event["id"], "entity": activity, "version": journal.last().unwrap()["version"], "type": event["type"],
        "at": journal.last().unwrap()["at"], "correlation_id": "again", "client_id": trader.client, "data": event["data"],
    });
    let record = json!({"messageId": "1", "body": json!({"detail": detail}).to_string(), "attributes": {}});
    for _ in 0..2 {
        let answer = world.broker.host.invoke("compliance-detect", &json!({"Records": [record]})).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
    }
    let after = case(&world, &id).await;
    assert_eq!((&before["alerts"], &before["history"]), (&after["alerts"], &after["history"]));
    assert_eq!(header(&world.get("compliance", "/v1/cases").await, "cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_report_is_prefilled_once_and_is_a_file_in_the_order_of_its_schema() {
    let world = World::at(MORNING).await;
    let trader = world.trader("USD").await;
    let id = case_of(&world, &trader).await;
    let path = format!("/v1/cases/{id}/reports");
    let call = |body: &Value, key: &str| Call::post(&path, body).key(key).token(world.broker.token("compliance"));
    expect(world.send(Call::post(&path, &json!({"kind": "STR"})).token(world.broker.token("compliance"))).await, 400);
    expect(world.send(call(&json!({"kind": "CTR"}), "a")).await, 422);
    let made = expect(world.send(call(&json!({"kind": "STR"}), "a")).await, 201);
    let again = expect(world.send(call(&json!({"kind": "STR"}), "a")).await, 201);
    assert_eq!((&again.json, header(&again, "idempotency-replayed")), (&made.json, Some("true")));
    let report = made.text_at("/report_id");
    assert_eq!(case(&world, &id).await["reports"], json!([report]), "one, however often it was asked for");
    let narrative = made.text_at("/narrative");
    assert!(narrative.contains("One large transaction") && narrative.contains("11000.00 USD"), "{narrative}");
    assert_eq!(made.json["payments"].as_array().unwrap().len(), 1);
    let xml = expect(world.get("compliance", &format!("{path}/{report}?format=goaml")).await, 200);
    assert_eq!(header(&xml, "content-type"), Some("application/xml"));
    let order = [
        "<report>",
        "<rentity_id>",
        "<submission_code>",
        "<report_code>STR",
        "<entity_reference>",
        "<submission_date>",
        "<currency_code_local>",
        "<reporting_person>",
        "<reason>",
        "<transaction>",
        "<transactionnumber>",
        "<date_transaction>",
        "<transmode_code>",
        "<t_from>",
        "<from_funds_code>",
        "<t_to_my_client>",
        "<to_funds_code>",
        "<report_indicators>",
        "<indicator>",
    ];
    let places: Vec<usize> =
        order.iter().map(|tag| xml.text.find(tag).unwrap_or_else(|| panic!("no {tag} in {}", xml.text))).collect();
    assert!(places.is_sorted(), "{}", xml.text);
    expect(world.get("compliance", &format!("{path}/{report}?format=pdf")).await, 400);
    for who in ["portal", "sales", "support", "finance", "admin"] {
        expect(world.get(who, &format!("{path}/{report}")).await, 404);
        let journal = expect(world.get("support", &format!("/v1/journal?entity={report}")).await, 200);
        assert_eq!(items(&journal).len(), 0);
    }
}
