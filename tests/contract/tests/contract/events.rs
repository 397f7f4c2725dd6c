//! Domain events: each that the journal carries fits its schema in `events/schemas`.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::leads::{floor, form, hot};
use crate::world::{World, account_request, expect, items, registration};

const BASE: &str = "https://pipworks.example/events/";

fn schemas() -> BTreeMap<String, Value> {
    let folder = broker::local::repository().join("events/schemas");
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    };
    std::fs::read_dir(folder).unwrap().map(|file| read(file.unwrap().path())).collect()
}

/// The validators of all events by type.
fn validators() -> BTreeMap<String, Validator> {
    let schemas = schemas();
    let mut registry = jsonschema::Registry::new();
    for (name, schema) in &schemas {
        assert_eq!(schema["$id"], format!("{BASE}{name}"));
        registry = registry.add(format!("{BASE}{name}"), schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let build = |schema: &Value| {
        jsonschema::options().with_registry(&registry).should_validate_formats(true).build(schema).unwrap()
    };
    let events = schemas.iter().filter_map(|(name, schema)| {
        Some((schema.pointer("/properties/type/const")?.as_str()?.to_owned(), name, schema))
    });
    events
        .map(|(kind, name, schema)| {
            assert_eq!(*name, format!("{kind}.json"));
            (kind, build(schema))
        })
        .collect()
}

fn check(validators: &BTreeMap<String, Validator>, detail: &Value) {
    let kind = detail["type"].as_str().unwrap();
    let validator = validators.get(kind).unwrap_or_else(|| panic!("{kind} has no schema"));
    let wrong: Vec<String> = validator.iter_errors(detail).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?} in {detail:#}");
}

#[test]
fn the_examples_of_the_schemas_fit() {
    let validators = validators();
    let mut seen = 0;
    for schema in schemas().values() {
        for example in schema["examples"].as_array().into_iter().flatten() {
            check(&validators, example);
            seen += 1;
        }
    }
    assert!(seen >= validators.len(), "{seen} examples of {} events", validators.len());
}

/// Plays as much as makes events of every type that a person or provider can set off.
async fn play(world: &World) -> Vec<String> {
    let trader = world.trader("USD").await;
    let unpaid = world.deposit(&trader, "60.00", "stripe").await;
    let lost = world.deposit(&trader, "70.00", "stripe").await;
    world.lose_the_next_credit().await;
    expect(world.stripe(&world.intent(&lost, "payment_intent.succeeded", 7_000, "usd")).await, 200);
    world.idle().await;
    world.no_faults("mt5").await;
    for _ in 0..60 {
        world.pass(30 * 60 + 1).await;
        world.sweep().await;
        if world.status(&unpaid.id).await == "expired" {
            break;
        }
    }
    world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "refuse", "retcode": 3}}])).await;
    let refused = world.client("de").await;
    expect(world.portal(&format!("/v1/clients/{refused}/accounts"), &account_request("EUR")).await, 202);
    let later = |mut event: Value| {
        event["created"] = json!(world.now_s() + 1);
        event
    };
    let credited = world.credited(&trader, "100.00", 10_000).await;
    expect(world.stripe(&later(world.intent(&credited, "payment_intent.payment_failed", 10_000, "usd"))).await, 200);
    let mut refund = later(world.intent(&credited, "charge.refunded", 10_000, "usd"));
    refund["data"]["object"]["amount_refunded"] = json!(10_000);
    expect(world.stripe(&refund).await, 200);
    let disputed = world.credited(&trader, "30.00", 3_000).await;
    let mut dispute = later(world.intent(&disputed, "charge.dispute.created", 3_000, "usd"));
    dispute["data"]["object"] = json!({"id": "dp_1", "object": "dispute", "amount": 3_000, "currency": "usd", "payment_intent": disputed.reference});
    expect(world.stripe(&dispute).await, 200);
    world.idle().await;
    let mut won = later(world.intent(&disputed, "charge.dispute.closed", 3_000, "usd"));
    won["data"]["object"] = dispute["data"]["object"].clone();
    won["data"]["object"]["status"] = json!("won");
    expect(world.stripe(&won).await, 200);
    let changed = world.paid_in(&trader, ("80.00", "EUR"), 8_000).await;
    assert_eq!(world.payment(&changed.id).await.json["fx"]["source"], "live");
    let failed = world.deposit(&trader, "40.00", "praxis").await;
    expect(world.praxis(&world.sale(&failed, "declined", 4_000, "USD")).await, 200);
    let odd = world.deposit(&trader, "50.00", "stripe").await;
    expect(world.stripe(&world.intent(&odd, "payment_intent.succeeded", 6_000, "usd")).await, 200);
    let nobody = crate::world::Payment { id: "unknown".to_owned(), reference: "pi_unknown".to_owned() };
    expect(world.stripe(&world.intent(&nobody, "payment_intent.succeeded", 100, "eur")).await, 200);
    let item = world.work_of(&odd.id).await.remove(0);
    let work = item["work_id"].as_str().unwrap();
    let until = world.now().plus(domain::Seconds(3_600)).to_string();
    expect(world.act("finance", work, &json!({"action": "snooze", "until": until})).await, 200);
    expect(world.act("finance", work, &json!({"action": "escalate"})).await, 200);
    expect(world.act("finance", work, &json!({"action": "claim"})).await, 200);
    // a deal that is not there: the items are opened again
    let untrue = json!({"action": "mark_credited", "evidence": "4711"});
    expect(world.act("finance", work, &untrue).await, 200);
    world.idle().await;
    let all = items(&world.get("finance", "/v1/work?queue=finance&limit=100").await);
    let stray = all.iter().find(|item| item["subject"]["stray_id"].is_string()).unwrap()["work_id"].as_str().unwrap();
    expect(world.act("finance", stray, &untrue).await, 200);
    world.idle().await;
    // two people for large money
    let large = world.deposit(&trader, "20000.00", "stripe").await;
    expect(world.stripe(&world.intent(&large, "payment_intent.succeeded", 1_500_000, "usd")).await, 200);
    let asked = world.work_of(&large.id).await.remove(0);
    let asked_id = asked["work_id"].as_str().unwrap();
    let until = world.now().plus(domain::Seconds(60)).to_string();
    expect(world.act("finance", asked_id, &json!({"action": "snooze", "until": until})).await, 200);
    world.pass(61).await;
    world.sweep().await;
    world.idle().await;
    let credit = json!({"action": "credit_paid_amount"});
    expect(world.act("finance", asked_id, &credit).await, 200);
    expect(world.act("finance_2", asked_id, &json!({"action": "return", "note": "refund it"})).await, 200);
    for who in ["finance", "finance_2"] {
        let refund = json!({"action": "refund_at_psp", "evidence": "re_4711"});
        expect(world.act(who, asked_id, &refund).await, 200);
    }
    world.idle().await;
    // an account that is changed, and one that is not
    let changes = format!("/v1/accounts/{}/changes", trader.account);
    expect(world.portal(&changes, &json!({"leverage": 20})).await, 202);
    world.idle().await;
    expect(world.portal(&changes, &json!({"leverage": 25})).await, 202);
    world.idle().await;
    let asked = items(&world.get("support", "/v1/work?queue=support&limit=100").await);
    let asked = asked.iter().find(|item| item["subject"]["change_id"].is_string()).unwrap();
    expect(world.act("support", asked["work_id"].as_str().unwrap(), &json!({"action": "reject"})).await, 200);
    world.idle().await;
    world.pass(61).await;
    world.sweep().await;
    // one that is put away and used again
    let spare = world.trader("USD").await;
    let changes = format!("/v1/accounts/{}/changes", spare.account);
    expect(world.post("support", &changes, &json!({"status": "closed"})).await, 202);
    world.idle().await;
    world.pass(120).await;
    world.sweep().await;
    expect(world.post("support", &changes, &json!({"status": "open"})).await, 202);
    world.idle().await;
    let asked = items(&world.get("support", "/v1/work?queue=support&limit=100").await);
    let asked = asked.iter().find(|item| item["kind"] == "account_change_approval").unwrap();
    expect(world.act("admin", asked["work_id"].as_str().unwrap(), &json!({"action": "approve"})).await, 200);
    world.idle().await;
    let dealt = crate::trades::play(world, &spare).await;
    let withdrawing = crate::withdrawals::play(world).await;
    let settled = crate::reconciliation::play(world).await;
    let unopened = crate::openings::play(world).await;
    let published = crate::rules::play(world).await;
    let mut entities = vec![trader.client, spare.client, refused, unopened, withdrawing, settled, published];
    entities.extend(dealt);
    let all = items(&world.get("admin", "/v1/work?limit=100").await);
    entities.extend(all.iter().filter_map(|item| item["subject"]["stray_id"].as_str()).map(str::to_owned));
    entities.extend(all.iter().map(|item| item["work_id"].as_str().unwrap().to_owned()));
    entities
}

/// Plays as much on the sales floor as makes events of every type of leads, tasks, agents and series of messages.
async fn play_leads(world: &World) -> Vec<String> {
    // called, and won
    let won = world.submit(hot("MX")).await;
    let task = task_of(world, &won).await;
    expect(world.on_task(&task, "start").await, 200);
    expect(world.on_task(&task, "done").await, 200);
    let mut client = registration();
    client["lead_id"] = json!(won);
    client["email"] = world.lead(&won).await["email"].clone();
    expect(world.portal("/v1/clients", &client).await, 201);
    // given back by three agents, given up by the team lead
    let unclaimed = world.submit(hot("MX")).await;
    for _ in 0..3 {
        expect(world.on_task(&task_of(world, &unclaimed).await, "decline").await, 200);
        world.idle().await;
    }
    let item = items(&world.get("sales", "/v1/work?queue=sales").await).remove(0);
    let work = item["work_id"].as_str().unwrap().to_owned();
    expect(world.act("sales", &work, &json!({"action": "close_lead"})).await, 200);
    // the same person twice
    let twice = form(world, hot("MX"));
    let first = expect(world.portal("/v1/leads", &twice).await, 202).text_at("/lead_id");
    let second = expect(world.portal("/v1/leads", &twice).await, 202).text_at("/lead_id");
    // an advertisement's form
    world
        .control("meta", "leads", &json!({"fields": {"full_name": "Ana Lopez", "phone_number": "+525599887766"}}))
        .await;
    world.idle().await;
    let messages = world.recorded("slack", "").await["messages"].clone();
    let newest = messages.as_array().unwrap().last().unwrap()["message"]["blocks"][1]["elements"][0]["value"].clone();
    let ad = expect(world.on_task(newest.as_str().unwrap(), "start").await, 200).text_at("/lead_id");
    // a series that runs to its end, and one that its reader leaves for a desk
    let organic = json!({"country": "MX", "source": {"channel": "organic"}, "consents": {"email": true}});
    let (reader, leaver) = (world.submit(organic.clone()).await, world.submit(organic).await);
    expect(world.portal(&format!("/v1/leads/{reader}/consents"), &json!({"sms": true})).await, 202);
    for kind in ["form_completed", "kyc_started", "demo_video_watched"] {
        world.signal(&leaver, kind).await;
    }
    // nobody is there
    let agents: Vec<String> = items(&world.get("sales", "/v1/agents").await)
        .iter()
        .map(|agent| agent["agent_id"].as_str().unwrap().to_owned())
        .collect();
    for agent in &agents {
        world.presence(agent, "offline").await;
    }
    let waiting = world.submit(json!({"country": "MX"})).await;
    for wait_s in [601, 2 * 86_400, 4 * 86_400] {
        world.pass(wait_s).await;
        world.sweep().await;
    }
    let mut entities = agents;
    entities.push(work);
    for lead in [won, unclaimed, first, second, ad, reader, leaver, waiting] {
        let journal = items(&world.get("sales", &format!("/v1/journal?entity={lead}")).await);
        entities.push(journal[0]["correlation_id"].as_str().unwrap().to_owned());
        entities.push(lead);
    }
    entities
}

async fn task_of(world: &World, lead: &str) -> String {
    world.lead(lead).await["assignment"]["task_id"].as_str().unwrap().to_owned()
}

/// Holds every event of some journals against its schema; the types that were seen.
async fn seen(world: &World, ids: &[String], validators: &BTreeMap<String, Validator>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for id in ids {
        let query = match id.split('_').next() {
            Some("cli") => "client",
            Some("cor") => "correlation",
            _ => "entity",
        };
        let answer = expect(world.get("compliance", &format!("/v1/journal?{query}={id}&limit=100")).await, 200);
        assert_eq!(answer.json["verified"], true);
        for personal in ["@example.com", "Lopez", "López", "+34", "+52"] {
            assert!(!answer.text.contains(personal), "{personal} is in the journal of {id}");
        }
        for line in items(&answer) {
            for event in line["events"].as_array().unwrap() {
                let mut detail = json!({
                    "event_id": event["id"], "entity": line["entity"], "version": line["version"], "type": event["type"], "at": line["at"],
                    "correlation_id": line["correlation_id"], "data": event["data"],
                });
                if let Some(client) = event["data"].get("client_id") {
                    detail["client_id"] = client.clone();
                }
                check(validators, &detail);
                seen.insert(event["type"].as_str().unwrap().to_owned());
            }
        }
    }
    seen
}

#[tokio::test]
async fn every_event_of_the_journal_fits_its_schema() {
    let validators = validators();
    let world = World::start().await;
    let mut all = seen(&world, &play(&world).await, &validators).await;
    let world = floor("2026-11-25T20:00:00Z").await;
    all.extend(seen(&world, &play_leads(&world).await, &validators).await);
    let world = World::at("2026-11-23T10:00:00Z").await;
    all.extend(seen(&world, &crate::kyc::play(&world).await, &validators).await);
    all.extend(seen(&world, &crate::kyc_vendors::play(&world).await, &validators).await);
    all.extend(seen(&world, &crate::portal_clients::play(&world).await, &validators).await);
    all.extend(seen(&world, &crate::rescreening::play(&world).await, &validators).await);
    all.extend(seen(&world, &crate::partners::play(&world).await, &validators).await);
    all.extend(seen(&world, &crate::replays::play(&world).await, &validators).await);
    all.extend(seen(&world, &crate::compliance::play(&world).await, &validators).await);
    all.extend(seen(&world, &crate::retention::play(&world).await, &validators).await);
    let world = World::at("2026-11-23T12:00:00Z").await;
    all.extend(seen(&world, &crate::bonuses::play(&world).await, &validators).await);
    let world = World::at("2026-11-23T12:00:00Z").await;
    all.extend(seen(&world, &crate::partner_payouts::play(&world).await, &validators).await);
    // announcements of a timer, which no version brings: their examples are checked
    let announced: BTreeSet<String> =
        domain::entity::timed_families().map(|kind| format!("{}.due", kind.family)).collect();
    let undescribed: Vec<&String> = announced.iter().filter(|kind| !validators.contains_key(*kind)).collect();
    assert!(undescribed.is_empty(), "there is no events/schemas/<type>.json for {undescribed:?}");
    let missing: Vec<&String> =
        validators.keys().filter(|kind| !all.contains(*kind) && !announced.contains(*kind)).collect();
    assert!(missing.is_empty(), "nothing of type {missing:?} was seen: have one of the `play…` make one");
}
