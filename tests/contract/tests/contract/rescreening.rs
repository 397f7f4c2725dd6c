//! Everybody is screened again: who is put on a list is a person's business once, keeps what he has, and nobody is left out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use broker::local::Options;
use domain::decision::{Decision, Frame};
use domain::kyc::rescreening::{ClientScreening, Enlistment, Failure, PairState, Rescreening, RunStage, ScreeningPart};
use domain::kyc::{KycCase, KycStatus};
use domain::{ClientId, ClientScreeningId};
use host::{CallInfo, Probe, Service, Verdict};
use serde_json::{Value, json};

use crate::screenings::{list, put, screen, take, verifying};
use crate::world::{World, account_request, expect, items};

/// An entry of OFAC's list.
fn entry(uid: u32, given: &str, family: &str, more: &str) -> String {
    format!(
        "<sdnEntry><uid>{uid}</uid><firstName>{given}</firstName><lastName>{family}</lastName><sdnType>Individual</sdnType>{more}</sdnEntry>"
    )
}

fn nadia(more: &str) -> String {
    entry(9_100, "Nadezhda", "KUZNETSOVA-ORLOVSKAYA", more)
}

/// Somebody whom nobody here is like: in the place of whoever is taken off, for a list may not shrink by more than a tenth.
fn nobody() -> String {
    entry(9_999, "Zacharias", "OMONDI-NJUGUNA", "")
}

/// OFAC's list with entries more than it has at first.
async fn listed(world: &World, first: &str, more: &str) -> Value {
    put(world, "ofac_sdn", &first.replace("</sdnList>", &format!("{more}</sdnList>"))).await;
    let taken = take(world, "ofac_sdn").await;
    world.idle().await;
    taken
}

/// An approved client of that name.
pub async fn approved(world: &World, name: &str) -> KycCase {
    let case = verifying(world, name, "1988-01-30", None).await;
    screen(world, &case).await;
    assert_eq!(status(world, &case.client_id).await, KycStatus::Approved);
    case
}

fn frame(world: &World) -> Frame {
    Frame {
        function: "kyc-register",
        execution_id: "test".to_owned(),
        trigger: "test".to_owned(),
        correlation_id: "cor-test".to_owned(),
        now: world.now(),
        rules: Vec::new(),
    }
}

async fn status(world: &World, client: &ClientId) -> KycStatus {
    let case = world.broker.crm().load::<KycCase>(&domain::KycCaseId::of(client)).await.unwrap();
    case.unwrap().entity.facts.status
}

async fn run(world: &World) -> Rescreening {
    world.broker.crm().load::<Rescreening>(&Rescreening::the_id()).await.unwrap().unwrap().entity
}

async fn pairs(world: &World, client: &ClientId) -> Vec<(String, PairState)> {
    let stored = world.broker.crm().load::<ClientScreening>(&ClientScreeningId::of(client)).await.unwrap();
    let pairs = stored.map(|stored| stored.entity.facts.pairs).unwrap_or_default();
    pairs.into_iter().map(|pair| (format!("{}/{}", pair.hit.list, pair.hit.entity_id), pair.state)).collect()
}

/// The work items about a client's screening.
async fn work_of(world: &World, client: &ClientId, status: &str) -> Vec<Value> {
    world.idle().await;
    let path = format!("/v1/work?queue=compliance&status={status}&limit=100");
    let all = items(&expect(world.get("compliance", &path).await, 200));
    let about =
        |item: &Value| item["subject"]["client_id"] == client.as_str() && item["subject"]["screening_id"].is_string();
    all.into_iter().filter(about).collect()
}

async fn decide(world: &World, item: &Value, action: &str) {
    let work = item["work_id"].as_str().unwrap();
    let body = json!({"action": action, "note": "another place of birth"});
    expect(world.act("compliance", work, &body).await, 200);
    if action == "approve" {
        expect(world.act("compliance_2", work, &body).await, 200);
    }
    world.idle().await;
}

/// The types of the events of a client's screening, oldest first.
async fn told(world: &World, client: &ClientId) -> (Vec<String>, Value) {
    let path = format!("/v1/journal?entity={}&limit=100", ClientScreeningId::of(client));
    let journal = expect(world.get("compliance", &path).await, 200);
    assert_eq!(journal.json["verified"], true);
    for personal in ["Nadezhda", "KUZNETSOVA", "Kuznetsova"] {
        assert!(!journal.text.contains(personal), "{}", journal.text);
    }
    let events = items(&journal).into_iter().flat_map(|line| line["events"].as_array().unwrap().clone());
    let events: Vec<Value> = events.collect();
    let types =
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).filter(|kind| !kind.starts_with("desk."));
    (types.collect(), events.last().map(|event| event["data"].clone()).unwrap_or_default())
}

#[tokio::test]
async fn who_is_put_on_a_list_is_one_work_item_and_keeps_what_he_has() {
    let world = World::start().await;
    let client = approved(&world, "Nadezhda Kuznetsova-Orlovskaya").await.client_id;
    let other = approved(&world, "Emma Daniels").await.client_id;
    let young = world.client("en").await;
    let first = list(&world, "ofac_sdn").await;
    let portal = format!("/v1/clients/{client}/kyc");
    let before = expect(world.get("portal", &portal).await, 200).json;

    let taken = listed(&world, &first, &nadia("")).await;
    let own = run(&world).await;
    let tally = own.tally();
    assert_eq!((own.facts.stage, tally.seen(), tally.screened, tally.left_out), (RunStage::Whole, 3, 2, 1));
    assert_eq!((tally.in_full, tally.raised), (2, 1), "who was not screened so before is against everything");
    assert_eq!(own.facts.done.iter().map(|done| done.counted).sum::<u32>(), 3);
    assert_eq!(pairs(&world, &client).await, [("ofac_sdn/9100".to_owned(), PairState::Open)]);
    assert_eq!(pairs(&world, &other).await, []);

    let work = work_of(&world, &client, "open").await;
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("kyc_hit")), "{work:?}");
    let (events, data) = told(&world, &client).await;
    assert_eq!(events, ["screening.hit"]);
    let raised = &data["raised"][0];
    assert_eq!(
        (&raised["list"], &raised["entity_id"], &raised["of"]),
        (&json!("ofac_sdn"), &json!("9100"), &json!("sanctions"))
    );
    assert_eq!(raised["list_version"], taken["version"]);
    assert_eq!(data["client_id"], client.as_str());

    // compliance has a case of it beside the work item
    let cases = items(&world.get("compliance", &format!("/v1/cases?client={client}")).await);
    assert_eq!(
        (cases.len(), &cases[0]["scenarios"], &cases[0]["priority"]),
        (1, &json!(["sanctions_hit"]), &json!("urgent"))
    );

    // of the item and of what the lists say nobody else learns
    let item = work[0]["work_id"].as_str().unwrap();
    for who in ["sales", "support", "finance", "admin"] {
        let listed = expect(world.get(who, "/v1/work?limit=100").await, 200);
        assert!(!listed.text.contains("kyc_hit") && !listed.text.contains(item), "{who}: {}", listed.text);
        let refused = expect(world.act(who, item, &json!({"action": "note", "note": "who is he?"})).await, 404);
        assert!(!refused.text.contains("hit"), "{who}: {}", refused.text);
        for path in [format!("/v1/journal?entity={item}"), format!("/v1/journal?client={client}&limit=100")] {
            let journal = expect(world.get(who, &path).await, 200);
            for word in ["9100", "kyc_hit", "ofac_sdn/", "scr_"] {
                assert!(!journal.text.contains(word), "{who} {path} {word}: {}", journal.text);
            }
        }
    }

    // he keeps what he has, and nobody tells him
    assert_eq!(status(&world, &client).await, KycStatus::Approved);
    assert_eq!(expect(world.get("portal", &portal).await, 200).json, before);
    expect(world.portal(&format!("/v1/clients/{client}/accounts"), &account_request("USD")).await, 202);
    world.idle().await;
    let messages = world.get("portal", &format!("/v1/clients/{client}/notifications")).await;
    assert!(!messages.text.contains("9100") && !messages.text.contains("list"), "{}", messages.text);

    // the same list, the next day, and a run whose messages come again: nothing
    take(&world, "ofac_sdn").await;
    world.pass(86_401).await;
    take(&world, "ofac_sdn").await;
    world.idle().await;
    let daily = run(&world).await;
    assert_eq!((daily.facts.stage, daily.facts.run, daily.tally().screened), (RunStage::Whole, own.facts.run + 1, 2));
    assert_eq!(daily.tally().in_full, 0, "nobody has changed");
    let stored = world.stored().await;
    let event = |kind: &str, entity: &str| {
        let detail = json!({
            "event_id": format!("{entity}:1:0"), "entity": entity, "version": 1, "type": kind, "at": world.now(),
            "correlation_id": "cor-again", "data": {},
        });
        json!({"Records": [{"messageId": "m-1", "body": json!({"detail": detail}).to_string()}]})
    };
    let part = ScreeningPart::id_of(daily.facts.parts[0]);
    for (kind, entity) in [
        ("rescreening.begun", Rescreening::the_id().as_str()),
        ("screening_part.opened", part.as_str()),
        ("screening_part.done", part.as_str()),
    ] {
        let answer = world.broker.host.invoke("kyc-rescreen", &event(kind, entity)).await.unwrap();
        assert_eq!(answer, json!({"batchItemFailures": []}), "{kind}");
    }
    assert_eq!(world.stored().await, stored);
    assert_eq!(work_of(&world, &client, "open").await.len(), 1);
    assert!(!world.get("portal", &format!("/v1/clients/{young}/kyc")).await.text.contains("9100"));
}

#[tokio::test]
async fn a_decision_about_a_hit_holds_until_the_entry_says_something_else() {
    let world = World::start().await;
    let client = approved(&world, "Nadezhda Kuznetsova-Orlovskaya").await.client_id;
    let first = list(&world, "ofac_sdn").await;
    listed(&world, &first, &nadia("")).await;
    let item = work_of(&world, &client, "open").await.remove(0);
    decide(&world, &item, "approve").await;
    assert_eq!(pairs(&world, &client).await[0].1, PairState::Cleared);
    assert_eq!(status(&world, &client).await, KycStatus::Approved);
    // a programme and an address make no other person of it
    for more in [
        "<programList><program>SDGT</program></programList>",
        "<addressList><address><uid>1</uid><country>Cyprus</country></address></addressList>",
    ] {
        listed(&world, &first, &nadia(more)).await;
        assert_eq!(run(&world).await.facts.stage, RunStage::Whole);
        assert_eq!(work_of(&world, &client, "open").await, Vec::<Value>::new(), "{more}");
    }
    // another name does
    let aka = "<akaList><aka><uid>2</uid><type>a.k.a.</type><category>strong</category><lastName>KUZNETSOVA</lastName><firstName>Nadia</firstName></aka></akaList>";
    listed(&world, &first, &nadia(aka)).await;
    let again = work_of(&world, &client, "open").await;
    assert_eq!(again.len(), 1);
    assert!(again[0]["trigger"]["why"][0].as_str().unwrap().contains("the entry says something else"), "{again:?}");
    assert_eq!(told(&world, &client).await.0, ["screening.hit", "screening.decided", "screening.hit"]);
}

#[tokio::test]
async fn a_delisting_closes_the_item_and_says_why_and_an_empty_list_delists_nobody() {
    let world = World::start().await;
    let client = approved(&world, "Nadezhda Kuznetsova-Orlovskaya").await.client_id;
    let first = list(&world, "ofac_sdn").await;
    listed(&world, &first, &nadia("")).await;
    let item = work_of(&world, &client, "open").await.remove(0);
    for content in ["", "<sdnList></sdnList>"] {
        put(&world, "ofac_sdn", content).await;
        let refused = take(&world, "ofac_sdn").await;
        assert!(refused["refused"]["why"].is_string(), "{refused}");
        world.idle().await;
        assert_eq!(work_of(&world, &client, "open").await.len(), 1, "nobody is delisted by a failure");
    }
    listed(&world, &first, &nobody()).await;
    assert_eq!(work_of(&world, &client, "open").await, Vec::<Value>::new());
    let closed = work_of(&world, &client, "resolved").await;
    assert_eq!(closed[0]["work_id"], item["work_id"]);
    let notes = closed[0]["history"].to_string();
    assert!(notes.contains("9100 was taken off its list"), "{notes}");
    let (events, data) = told(&world, &client).await;
    assert_eq!(
        (events.last().map(String::as_str), &data["ended"][0]["why"]),
        (Some("screening.ended"), &json!("taken_off"))
    );
    assert_eq!(pairs(&world, &client).await, []);
}

#[tokio::test]
async fn the_listed_party_is_rejected_by_people_and_documents_are_asked_for_without_a_reason() {
    let world = World::start().await;
    let client = approved(&world, "Nadezhda Kuznetsova-Orlovskaya").await.client_id;
    let first = list(&world, "ofac_sdn").await;
    listed(&world, &first, &nadia("")).await;
    let item = work_of(&world, &client, "open").await.remove(0);
    decide(&world, &item, "request_documents").await;
    assert_eq!(
        (pairs(&world, &client).await[0].1, status(&world, &client).await),
        (PairState::Asked, KycStatus::Approved)
    );
    let seen = expect(world.get("portal", &format!("/v1/clients/{client}/kyc")).await, 200);
    assert!(seen.json["next_steps"].to_string().contains("passport"), "{}", seen.text);
    assert!(!seen.text.contains("9100") && !seen.text.contains("hit"), "{}", seen.text);
    // nothing came, and the hit is not forgotten
    world.pass(14 * 86_400 + 1).await;
    world.sweep().await;
    let again = work_of(&world, &client, "open").await;
    assert_eq!(again.len(), 1);
    decide(&world, &again[0], "reject").await;
    assert_eq!(
        (pairs(&world, &client).await[0].1, status(&world, &client).await),
        (PairState::Confirmed, KycStatus::Rejected)
    );
    assert_eq!(
        told(&world, &client).await.0,
        ["screening.hit", "screening.decided", "screening.hit", "screening.decided"]
    );
}

#[tokio::test]
async fn clients_from_before_there_was_a_list_of_them_are_found_before_the_first_run() {
    let world = World::start().await;
    let client = approved(&world, "Nadezhda Kuznetsova-Orlovskaya").await.client_id;
    let young = approved(&world, "Emma Daniels").await.client_id;
    // as an installation of the version before has them
    let table = world.broker.host.template().tables["CrmTable"].name.clone();
    let key = |id: &str| json!({"pk": {"S": id}, "sk": {"S": "#"}});
    let strip = json!({
        "TableName": table, "Key": key(client.as_str()), "UpdateExpression": "REMOVE #queue, #rank",
        "ExpressionAttributeNames": {"#queue": "queue", "#rank": "rank"},
    });
    world.broker.host.db().request("UpdateItem", &strip).await.unwrap();
    let crm = world.broker.crm();
    let stored = crm.load::<Rescreening>(&Rescreening::the_id()).await.unwrap().unwrap();
    let mut before = stored.entity.clone();
    before.facts.enlistment = Enlistment::default();
    crm.save(Some(&stored), Decision::new(before, "seeded", vec![], vec![]), &frame(&world)).await.unwrap();
    let first = list(&world, "ofac_sdn").await;
    listed(&world, &first, &nadia("")).await;
    let own = run(&world).await;
    assert_eq!((own.facts.stage, own.facts.enlistment.clients, own.tally().screened), (RunStage::Whole, 1, 2));
    assert_eq!(work_of(&world, &client, "open").await.len(), 1);
    assert_eq!(pairs(&world, &young).await, []);
    listed(&world, &first, &nobody()).await;
    assert_eq!(run(&world).await.facts.enlistment.clients, 1, "they are looked for once");
}

#[tokio::test]
async fn a_name_that_cannot_be_compared_is_told_and_keeps_nobody_else_waiting() {
    let world = World::start().await;
    let odd = verifying(&world, &"Al ".repeat(60), "1980-06-01", None).await;
    let crm = world.broker.crm();
    let stored = crm.load::<KycCase>(&odd.id).await.unwrap().unwrap();
    let mut by_person = stored.entity.clone();
    by_person.facts.status = KycStatus::Approved;
    crm.save(Some(&stored), Decision::new(by_person, "seeded", vec![], vec![]), &frame(&world)).await.unwrap();
    let client = approved(&world, "Nadezhda Kuznetsova-Orlovskaya").await.client_id;
    let first = list(&world, "ofac_sdn").await;
    listed(&world, &first, &nadia("")).await;
    let own = run(&world).await;
    assert_eq!((own.facts.stage, own.facts.failure), (RunStage::Whole, Some(Failure::NotComparable)));
    assert_eq!(own.tally().named, [odd.client_id]);
    assert_eq!(work_of(&world, &client, "open").await.len(), 1);
    let all = items(&world.get("compliance", "/v1/work?queue=compliance&status=open").await);
    assert!(all.iter().any(|item| item["kind"] == "screening_incomplete"), "{all:?}");
}

/// Ends an invocation of the function at its nth call, before it or after it had its effect.
#[derive(Default)]
struct Dying {
    left: Mutex<Option<(usize, bool)>>,
    died: AtomicUsize,
}

impl Dying {
    fn verdict(&self, call: &CallInfo<'_>, is_after: bool) -> Verdict {
        let mut left = self.left.lock().unwrap();
        let Some((calls, after)) = left.as_mut() else { return Verdict::Go };
        if call.function != "kyc-rescreen" || *after != is_after {
            return Verdict::Go;
        }
        if *calls > 0 {
            *calls -= 1;
            return Verdict::Go;
        }
        *left = None;
        self.died.fetch_add(1, Ordering::Relaxed);
        Verdict::Die
    }
}

impl Probe for Dying {
    fn before(&self, call: &CallInfo<'_>) -> Verdict {
        self.verdict(call, false)
    }

    fn after(&self, call: &CallInfo<'_>) -> Verdict {
        self.verdict(call, true)
    }
}

#[tokio::test]
async fn whoever_dies_in_a_run_is_followed_by_one_who_leaves_nobody_out_and_raises_nothing_twice() {
    let dying = Arc::new(Dying::default());
    let world = World::with(Options { probe: Some(dying.clone()), ..Options::default() }).await;
    let client = approved(&world, "Nadezhda Kuznetsova-Orlovskaya").await.client_id;
    let other = approved(&world, "Emma Daniels").await.client_id;
    let first = list(&world, "ofac_sdn").await;
    listed(&world, &first, &nobody()).await;
    let (mut hits, mut survived) = (0_u64, 0);
    for round in 0.. {
        let (call, is_after) = (round / 2, round % 2 == 1);
        let died = dying.died.load(Ordering::Relaxed);
        *dying.left.lock().unwrap() = Some((call, is_after));
        // each round is another entry that is like the client, and the one before is gone
        listed(&world, &first, &entry(10_000 + u32::try_from(round).unwrap(), "Nadezhda", "KUZNETSOVA-ORLOVSKAYA", ""))
            .await;
        *dying.left.lock().unwrap() = None;
        // the message comes again, or the timers announce what nobody goes on with
        for _ in 0..2 {
            world.pass(721).await;
            world.sweep().await;
        }
        hits += 1;
        let own = run(&world).await;
        assert_eq!((own.facts.stage, own.tally().screened), (RunStage::Whole, 2), "call {call}, after: {is_after}");
        assert_eq!(pairs(&world, &client).await, [(format!("ofac_sdn/{}", 10_000 + round), PairState::Open)]);
        // each version is one hit: the one of the first screening has none
        let stored =
            world.broker.crm().load::<ClientScreening>(&ClientScreeningId::of(&client)).await.unwrap().unwrap();
        assert_eq!(stored.version, hits + 1, "call {call}, after: {is_after}");
        assert_eq!(stored.entity.facts.raised.len(), 1, "call {call}, after: {is_after}");
        survived += usize::from(dying.died.load(Ordering::Relaxed) == died);
        if survived >= 2 {
            break;
        }
    }
    assert!(dying.died.load(Ordering::Relaxed) > 20, "it makes calls at which it can die");
    assert_eq!(work_of(&world, &client, "open").await.len(), 1);
    assert_eq!(pairs(&world, &other).await, []);
}

#[tokio::test]
async fn a_run_costs_what_its_clients_cost_and_no_more() {
    let world = World::start().await;
    for number in 0..6 {
        approved(&world, &format!("Emma Daniels {}", ["One", "Two", "Three", "Four", "Five", "Six"][number])).await;
    }
    let first = list(&world, "ofac_sdn").await;
    listed(&world, &first, &nadia("")).await;
    world.broker.host.reset_usage();
    listed(&world, &first, &nobody()).await;
    assert_eq!(run(&world).await.tally().screened, 6);
    let usage = world.broker.host.usage();
    let own = usage
        .iter()
        .filter(|(key, _)| key.service == Service::DynamoDb && key.function.as_deref() == Some("kyc-rescreen"));
    let (read, written) =
        own.fold((0.0, 0.0), |(read, written), (_, used)| (read + used.read_units, written + used.write_units));
    // sixteen lists at most are looked into, and nothing is written of clients of whom nothing is new
    assert!(written > 0.0 && written <= 16.0 * 8.0, "{written} write units of {usage:#?}");
    assert!(read > 0.0 && read <= 16.0 * 8.0 + 6.0 * 4.0, "{read} read units");
}

/// What makes an event of each type; the clients whose journals have them.
pub async fn play(world: &World) -> Vec<String> {
    let client = approved(world, "Nadezhda Kuznetsova-Orlovskaya").await.client_id;
    let first = list(world, "ofac_sdn").await;
    listed(world, &first, &nadia("")).await;
    let item = work_of(world, &client, "open").await.remove(0);
    decide(world, &item, "approve").await;
    listed(world, &first, &nobody()).await;
    let own = run(world).await;
    let parts = own.facts.parts.iter().map(|part| ScreeningPart::id_of(*part).as_str().to_owned());
    let entities = [client.as_str().to_owned(), Rescreening::the_id().as_str().to_owned()];
    entities.into_iter().chain(parts).collect()
}
