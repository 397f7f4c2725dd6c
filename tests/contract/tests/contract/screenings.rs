//! Screening: who is found and who is not, and that nobody is cleared by a list that cannot be trusted.

use domain::Redacted;
use domain::client::Client;
use domain::decision::{Decision, Frame};
use domain::kyc::{CaseFacts, CasePrivate, Extracted, KycCase, KycStatus, Screening, ScreeningState};
use domain::rule_sets::SetName;
use http::Method;
use serde_json::{Value, json};

use crate::world::{Call, World, expect, faults, items, registration};

const ROUTE: &str = "/v1/screenings";

async fn ask(world: &World, body: &Value) -> broker::api::Answer {
    world.send(Call::post(ROUTE, body).token(world.broker.token("compliance"))).await
}

/// The listed parties that are found, as `list/id`.
async fn found(world: &World, body: &Value) -> Vec<String> {
    let answer = expect(ask(world, body).await, 200);
    let hits = answer.json["hits"].as_array().unwrap();
    hits.iter().map(|hit| format!("{}/{}", hit["list"].as_str().unwrap(), hit["entity_id"].as_str().unwrap())).collect()
}

/// Has the lists fetched; what became of them.
async fn refresh(world: &World, all: bool) -> Value {
    world.broker.host.invoke("kyc-lists", &json!({"all": all})).await.unwrap()
}

/// What the source of a list has from now on.
pub async fn put(world: &World, list: &str, content: &str) {
    let url = format!("{}/{list}", world.broker.simulators.url("lists"));
    let api = broker::api::Api::default();
    assert_eq!(api.send(Method::PUT, &url, &[], content.as_bytes().to_vec()).await.unwrap().status, 200);
}

pub async fn list(world: &World, list: &str) -> String {
    let url = format!("{}/{list}", world.broker.simulators.url("lists"));
    broker::api::Api::default().send(Method::GET, &url, &[], Vec::new()).await.unwrap().text
}

fn state<'r>(refreshed: &'r Value, list: &str) -> &'r Value {
    refreshed["lists"].as_array().unwrap().iter().find(|state| state["list"] == list).unwrap()
}

fn petrov() -> Value {
    json!({"full_name": "Ivan Sergeyevich Petrov", "date_of_birth": "1968-03-18", "nationality": "RU", "type": "person"})
}

#[tokio::test]
async fn only_compliance_looks_for_people_on_lists() {
    let world = World::start().await;
    for who in ["portal", "sales", "finance", "support"] {
        let call = Call::post(ROUTE, &petrov()).token(world.broker.token(who));
        expect(world.send(call).await, 403);
    }
    for who in ["compliance", "admin"] {
        let call = Call::post(ROUTE, &petrov()).token(world.broker.token(who));
        expect(world.send(call).await, 200);
    }
    expect(world.send(Call::post(ROUTE, &petrov())).await, 401);
    let bound = world.mint("compliance-1", &["compliance"], Some("cli_01m83t4cm0ej7tc0zp3q03dde5"));
    expect(world.send(Call::post(ROUTE, &petrov()).token(&bound)).await, 403);
}

#[tokio::test]
async fn every_fault_of_an_inquiry_is_told_at_once() {
    let world = World::start().await;
    let odd = json!({"full_name": " ", "date_of_birth": "18.03.1968", "nationality": "RUS", "type": "ship"});
    let answer = expect(ask(&world, &odd).await, 422);
    assert_eq!(
        faults(&answer),
        ["/date_of_birth invalid_date", "/full_name empty", "/nationality unknown_country", "/type unknown_value"]
    );
    let answer = expect(ask(&world, &json!({"name": "Ivan", "residence": 7})).await, 400);
    assert_eq!(faults(&answer), ["/full_name missing", "/name unknown_field", "/residence wrong_type"]);
    // what cannot be compared is not "no hit"
    for name in ["!!! ???", &"Iv ".repeat(40)] {
        let answer = expect(ask(&world, &json!({"full_name": name})).await, 422);
        assert_eq!(answer.json["errors"][0]["pointer"], "/full_name", "{name}");
    }
}

#[tokio::test]
async fn listed_parties_are_found_in_other_scripts_and_their_namesakes_are_not() {
    let world = World::start().await;
    let answer = expect(ask(&world, &petrov()).await, 200);
    let version = answer.text_at("/list_version");
    for list in ["ofac_sdn@2026-11-20-", "eu_fsf@", "un_sc@2026-02-27-", "uk_sl@2026-09-21-", "pep_leaders@"] {
        assert!(version.contains(list), "{version}");
    }
    let hit = &answer.json["hits"].as_array().unwrap().iter().find(|hit| hit["list"] == "ofac_sdn").unwrap();
    assert_eq!(
        (&hit["entity_id"], &hit["name"], &hit["date_of_birth"], &hit["country"]),
        (&json!("9001"), &json!("PETROV, Ivan Sergeyevich"), &json!("match"), &json!("match"))
    );
    assert!(hit["why"].as_array().unwrap().iter().any(|why| why.as_str().unwrap().contains("date of birth")), "{hit}");
    let scores = answer.json["hits"].as_array().unwrap().iter().map(|hit| hit["score"].as_f64().unwrap());
    assert!(scores.is_sorted_by(|one, next| one >= next));
    for (name, born, id) in [
        ("Петров Иван Сергеевич", "1968-03-18", "ofac_sdn/9001"),
        ("عبد الكريم محمد الرحيمي", "1975-05-01", "ofac_sdn/9002"),
        ("林伟明", "1981-03-09", "ofac_sdn/9003"),
        ("강종철", "1961-06-01", "ofac_sdn/9004"),
    ] {
        let hits = found(&world, &json!({"full_name": name, "date_of_birth": born, "type": "person"})).await;
        assert!(hits.iter().any(|hit| hit == id), "{name}: {hits:?}");
    }
    let ships = json!({"full_name": "Blue Harbour Shiping Limited", "type": "organisation"});
    assert_eq!(found(&world, &ships).await, ["ofac_sdn/9007"]);
    // the same name, another person; a person with a listed company's name; nobody
    for body in [
        json!({"full_name": "Maria Fernanda Garcia Montoya", "date_of_birth": "1991-02-03", "nationality": "ES", "type": "person"}),
        json!({"full_name": "Pars Novin", "type": "person"}),
        json!({"full_name": "Emma Daniels", "date_of_birth": "1988-01-30", "residence": "US"}),
        json!({"full_name": "Ana López", "date_of_birth": "1990-05-17", "residence": "ES", "nationality": "MX"}),
    ] {
        assert_eq!(found(&world, &body).await, [""; 0], "{body}");
    }
}

#[tokio::test]
async fn a_threshold_belongs_to_its_list() {
    let world = World::start().await;
    let ben = json!({"full_name": "Ben Sample", "type": "person"});
    assert_eq!(found(&world, &ben).await, ["pep_leaders/Q20"]);
    world.publish(SetName::Screening, 2, |rules| rules["lists"][4]["threshold"] = json!(1_000)).await;
    world.pass(61).await;
    assert_eq!(found(&world, &ben).await, [""; 0]);
    assert!(!found(&world, &petrov()).await.is_empty());
}

#[tokio::test]
async fn a_list_that_cannot_be_trusted_leaves_the_last_good_one_in_use() {
    let world = World::start().await;
    let good = list(&world, "ofac_sdn").await;
    let version = expect(ask(&world, &petrov()).await, 200).text_at("/list_version");
    let shrunk = format!("{}</sdnList>", good.split("<sdnEntry>").take(4).collect::<Vec<_>>().join("<sdnEntry>"));
    let shrunk = shrunk.replace("<Record_Count>8", "<Record_Count>3");
    let older = good.replace("11/20/2026", "11/19/2026");
    for (content, why) in [
        ("", "not written as ofac_xml"),
        (&good[..good.len() / 2], "truncated"),
        ("<html><body>Service unavailable</body></html>", "not written as ofac_xml"),
        (&list(&world, "un_sc").await, "not as ofac_xml"),
        (&shrunk, "the version before had 8"),
        (&older, "it is of 2026-11-19"),
    ] {
        put(&world, "ofac_sdn", content).await;
        let refreshed = refresh(&world, true).await;
        assert_eq!(refreshed["outcome"], "list_refused", "{refreshed:#}");
        let refused = state(&refreshed, "ofac_sdn")["refused"]["why"].as_str().unwrap();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(expect(ask(&world, &petrov()).await, 200).text_at("/list_version"), version);
    }
    for fault in [json!({"kind": "refuse", "status": 500}), json!({"kind": "garbage"}), json!({"kind": "drop"})] {
        world.faults("lists", &json!([{"operation": "ofac_sdn", "fault": fault}])).await;
        assert_eq!(refresh(&world, true).await["outcome"], "list_refused", "{fault}");
        assert_eq!(expect(ask(&world, &petrov()).await, 200).text_at("/list_version"), version);
    }
    // one list in trouble does not hold up the others, and what was refused is asked for again at the next hour
    let named = list(&world, "un_sc").await.replace("2026-02-27", "2026-11-28").replace("KARIM", "KARIMA");
    put(&world, "un_sc", &named).await;
    world.pass(6 * 3_600).await;
    let refreshed = refresh(&world, false).await;
    assert_eq!(state(&refreshed, "un_sc")["taken"]["changes"], json!({"added": 0, "changed": 1, "removed": 0}));
    assert!(expect(ask(&world, &petrov()).await, 200).text_at("/list_version").contains("un_sc@2026-11-28-"));
    put(&world, "ofac_sdn", &good).await;
    let refreshed = refresh(&world, false).await;
    assert_eq!((&refreshed["outcome"], state(&refreshed, "ofac_sdn").get("refused")), (&json!("refreshed"), None));
}

/// The open work items about refused lists: reason and what was seen.
async fn refused_lists(world: &World) -> Vec<(String, String)> {
    world.idle().await;
    let all = crate::world::items(&world.get("compliance", "/v1/work?queue=compliance&status=open").await);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let refused = all.iter().filter(|item| item["kind"] == "list_refused");
    let reason = |item: &Value| text(&item["trigger"]["what"]).split(':').next().unwrap_or_default().to_owned();
    refused.map(|item| (reason(item), text(&item["trigger"]["why"][0]))).collect()
}

#[tokio::test]
async fn a_refused_list_is_one_work_item_a_reason_and_closes_itself() {
    let world = World::start().await;
    assert_eq!(refused_lists(&world).await, []);
    let good = list(&world, "ofac_sdn").await;
    for _ in 0..3 {
        world.faults("lists", &json!([{"operation": "ofac_sdn", "fault": {"kind": "refuse", "status": 503}}])).await;
        refresh(&world, true).await;
    }
    let open = refused_lists(&world).await;
    assert_eq!((open.len(), open[0].0.as_str()), (1, "missing"), "{open:?}");
    assert!(open[0].1.contains("503"), "{open:?}");
    put(&world, "ofac_sdn", &good[..good.len() / 2]).await;
    refresh(&world, true).await;
    let open = refused_lists(&world).await;
    assert_eq!((open.len(), open[0].0.as_str()), (1, "malformed"), "another reason takes its place: {open:?}");
    put(&world, "ofac_sdn", &good).await;
    refresh(&world, true).await;
    assert_eq!(refused_lists(&world).await, []);
    // closed by a person, the same reason opens no second one; what is worse does
    put(&world, "ofac_sdn", "").await;
    refresh(&world, true).await;
    world.idle().await;
    let work = crate::world::items(&world.get("compliance", "/v1/work?queue=compliance&status=open").await);
    let item = work.iter().find(|item| item["kind"] == "list_refused").unwrap()["work_id"].as_str().unwrap().to_owned();
    expect(world.act("compliance", &item, &json!({"action": "close"})).await, 200);
    refresh(&world, true).await;
    assert_eq!(refused_lists(&world).await, []);
    world.pass(3 * 86_400).await;
    assert_eq!(refresh(&world, true).await["outcome"], "unusable");
    let open = refused_lists(&world).await;
    assert_eq!((open.len(), open[0].0.as_str()), (1, "stale"), "{open:?}");
    assert!(open[0].1.contains("nobody is screened"), "{open:?}");
}

#[tokio::test]
async fn a_namesake_of_another_birth_year_is_decided_by_rule() {
    let world = World::start().await;
    let namesake = verifying(&world, "Ivan Sergeyevich Petrov", "1994-07-02", None).await;
    screen(&world, &namesake).await;
    assert_eq!(screening(&world, &namesake).await, (ScreeningState::Clear, KycStatus::Approved));
}

#[tokio::test]
async fn what_was_added_or_taken_off_shows_at_once() {
    let world = World::start().await;
    let good = list(&world, "ofac_sdn").await;
    let nadia = json!({"full_name": "Nadezhda Kuznetsova-Orlovskaya", "type": "person"});
    assert_eq!(found(&world, &nadia).await, [""; 0]);
    let entry = "<sdnEntry><uid>9100</uid><firstName>Nadezhda</firstName><lastName>KUZNETSOVA-ORLOVSKAYA</lastName><sdnType>Individual</sdnType></sdnEntry>";
    put(&world, "ofac_sdn", &good.replace("</sdnList>", &format!("{entry}</sdnList>"))).await;
    let refreshed = refresh(&world, true).await;
    assert_eq!(state(&refreshed, "ofac_sdn")["taken"]["changes"], json!({"added": 1, "changed": 0, "removed": 0}));
    assert_eq!(found(&world, &nadia).await, ["ofac_sdn/9100"]);
    // the same again is the same version, and the look at it is noted
    let before = state(&refreshed, "ofac_sdn")["taken"].clone();
    world.pass(60).await;
    let again = refresh(&world, true).await;
    let mut taken = state(&again, "ofac_sdn")["taken"].clone();
    assert_ne!(taken["taken_at"], before["taken_at"]);
    taken["taken_at"] = before["taken_at"].clone();
    assert_eq!(taken, before);
}

#[tokio::test]
async fn while_a_list_is_missing_or_too_old_nobody_is_said_to_be_on_none() {
    let world = World::start().await;
    let case = verifying(&world, "Emma Daniels", "1988-01-30", None).await;
    world
        .publish(SetName::Screening, 2, |rules| {
            let mut own = rules["lists"][0].clone();
            own["code"] = json!("own");
            own["format"] = json!("own");
            own["url"] = json!(rules["lists"][0]["url"].as_str().unwrap().replace("ofac_sdn", "own"));
            rules["lists"].as_array_mut().unwrap().push(own);
        })
        .await;
    world.pass(61).await;
    let answer = expect(ask(&world, &petrov()).await, 503);
    assert!(answer.headers.contains_key("retry-after") && !answer.text.contains("Petrov"), "{}", answer.text);
    // a client is not cleared by that either
    screen(&world, &case).await;
    assert_eq!(screening(&world, &case).await.0, ScreeningState::Failed);
    put(&world, "own", "id,name,type,aliases\n1,Nobody Inparticular,person,\n").await;
    assert_eq!(refresh(&world, false).await["outcome"], "refreshed");
    expect(ask(&world, &petrov()).await, 200);
    screen(&world, &case).await;
    assert_eq!(screening(&world, &case).await.0, ScreeningState::Clear);
    // and now its sources fail for longer than the rules allow
    world.faults("lists", &json!([{"operation": "*", "fault": {"kind": "refuse", "status": 503}, "times": 0}])).await;
    world.pass(3 * 86_400).await;
    assert_eq!(refresh(&world, false).await["outcome"], "unusable");
    expect(ask(&world, &petrov()).await, 503);
}

/// A case of a client of that name of which everything is there but the screening.
pub async fn verifying(world: &World, name: &str, born: &str, on_document: Option<(&str, &str)>) -> KycCase {
    let mut body = registration();
    body["date_of_birth"] = json!(born);
    body["full_name"] = json!(name);
    body["email"] = json!(format!("client-{}@example.com", world.fresh()));
    let id = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
    let document = |n: u32, kind: &str| {
        let sure = ["surname", "given_names", "date_of_birth", "number", "expires"];
        json!({"document_id": format!("doc_{n:026}"), "kind": kind, "status": "accepted", "read": true, "sure": sure})
    };
    let facts: CaseFacts = serde_json::from_value(json!({
        "status": "verifying", "created_at": world.now(), "verifying_since": world.now(),
        "documents": [document(1, "passport"), document(2, "proof_of_address")],
        "declaration": {"source_of_funds": "employment", "pep": false, "at": world.now()},
    }))
    .unwrap();
    let text = |text: &str| Some(Redacted::new(text.to_owned()));
    let extracted = on_document.map(|(given, surname)| Extracted {
        given_names: text(given),
        surname: text(surname),
        ..Extracted::default()
    });
    let begun = KycCase::begun(id.parse().unwrap(), world.now());
    let case = KycCase { facts, inner: CasePrivate { extracted, ..CasePrivate::default() }, ..begun };
    let decision = Decision::new(case.clone(), "seeded", vec![], vec![]);
    let frame = Frame {
        function: "kyc-register",
        execution_id: "test".to_owned(),
        trigger: "test".to_owned(),
        correlation_id: "cor-test".to_owned(),
        now: world.now(),
        rules: Vec::new(),
    };
    world.broker.crm().save(None, decision, &frame).await.unwrap();
    world.idle().await;
    case
}

/// Tells that the checks of a case begin.
pub async fn screen(world: &World, case: &KycCase) {
    let event = json!({
        "event_id": format!("{}:1:0", case.id), "entity": case.id, "version": 1, "type": "kyc.verifying", "at": world.now(),
        "correlation_id": "cor-test", "client_id": case.client_id, "data": {},
    });
    let record = json!({"messageId": "m-1", "body": json!({"detail": event}).to_string()});
    let answer = world.broker.host.invoke("kyc-screen", &json!({"Records": [record]})).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    world.idle().await;
}

async fn stored(world: &World, case: &KycCase) -> KycCase {
    world.broker.crm().load::<KycCase>(&case.id).await.unwrap().unwrap().entity
}

async fn screening(world: &World, case: &KycCase) -> (ScreeningState, KycStatus) {
    let facts = stored(world, case).await.facts;
    (facts.screening.state, facts.status)
}

#[tokio::test]
async fn a_case_is_screened_once_and_decided_by_what_is_found() {
    let world = World::start().await;
    let clear = verifying(&world, "Emma Daniels", "1988-01-30", None).await;
    screen(&world, &clear).await;
    assert_eq!(screening(&world, &clear).await, (ScreeningState::Clear, KycStatus::Approved));
    screen(&world, &clear).await;
    let journal = expect(world.get("compliance", &format!("/v1/journal?entity={}", clear.id)).await, 200);
    let lines = journal.json["items"].as_array().unwrap();
    assert_eq!((lines.len(), &journal.json["verified"]), (2, &json!(true)), "a repeat finds nothing to do");
    assert!(lines[1]["why"][0].as_str().unwrap().contains("ofac_sdn@2026-11-20-"), "{}", lines[1]);

    let listed = verifying(&world, "Сидоров Иван Сергеевич", "1968-03-18", None).await;
    screen(&world, &listed).await;
    let case = stored(&world, &listed).await;
    assert_eq!((case.facts.screening.state, case.facts.status), (ScreeningState::Hits, KycStatus::InReview));
    let hit = &case.facts.screening.hits[0];
    assert_eq!((hit.list.as_str(), hit.entity_id.as_str(), hit.of.as_str()), ("ofac_sdn", "9001", "sanctions"));
    assert!(case.inner.why_hit[0].reveal().contains("SIDOROV"), "a person reads why");

    let exposed = verifying(&world, "Ben Sample", "1980-06-01", None).await;
    screen(&world, &exposed).await;
    let hits = stored(&world, &exposed).await.facts.screening.hits;
    assert_eq!(hits.iter().map(|hit| hit.of.as_str()).collect::<Vec<_>>(), ["pep"]);

    // the declared name is clean, the one on the passport is not
    let renamed = verifying(&world, "Emma Daniels", "1968-03-18", Some(("IVAN SERGEYEVICH", "PETROV"))).await;
    screen(&world, &renamed).await;
    assert_eq!(screening(&world, &renamed).await, (ScreeningState::Hits, KycStatus::InReview));

    // names are for the private part
    for case in [&listed, &renamed, &exposed] {
        let journal = expect(world.get("compliance", &format!("/v1/journal?entity={}", case.id)).await, 200);
        for name in ["PETROV", "Petrov", "SIDOROV", "Сидоров", "Sample"] {
            assert!(!journal.text.contains(name), "{name} in {}", journal.text);
        }
    }
}

/// Saves a case as one whose checks begin again.
async fn begin_again(world: &World, case: &KycCase) {
    let crm = world.broker.crm();
    let was = crm.load::<KycCase>(&case.id).await.unwrap().unwrap();
    let mut next = was.entity.clone();
    next.facts.status = KycStatus::Verifying;
    next.facts.screening = Screening::default();
    let frame = Frame {
        function: "kyc-assess",
        execution_id: "test".to_owned(),
        trigger: "test".to_owned(),
        correlation_id: "cor-again".to_owned(),
        now: world.now(),
        rules: Vec::new(),
    };
    crm.save(Some(&was), Decision::new(next, "verifying", vec![], vec![]), &frame).await.unwrap();
    screen(world, case).await;
}

#[tokio::test]
async fn a_hit_that_two_people_cleared_is_not_raised_again_until_the_entry_changes() {
    let world = World::start().await;
    let listed = verifying(&world, "Сидоров Иван Сергеевич", "1968-03-18", None).await;
    screen(&world, &listed).await;
    assert_eq!(screening(&world, &listed).await, (ScreeningState::Hits, KycStatus::InReview));
    let raised = stored(&world, &listed).await.facts.screening.hits.len();
    let work = crate::world::items(&world.get("compliance", "/v1/work?queue=compliance").await);
    let item = work.iter().find(|item| item["kind"] == "kyc_hit").unwrap()["work_id"].as_str().unwrap().to_owned();
    for who in ["compliance", "compliance_2"] {
        expect(world.act(who, &item, &json!({"action": "approve", "note": "another place of birth"})).await, 200);
    }
    world.idle().await;
    let case = stored(&world, &listed).await;
    assert_eq!((case.facts.status, case.inner.cleared.len()), (KycStatus::Approved, raised));

    begin_again(&world, &listed).await;
    assert_eq!(screening(&world, &listed).await, (ScreeningState::Clear, KycStatus::Approved));
    let case = stored(&world, &listed).await;
    assert_eq!(case.facts.screening.cleared.len(), raised);
    let journal = expect(world.get("compliance", &format!("/v1/journal?entity={}", listed.id)).await, 200);
    assert!(journal.text.contains("was cleared earlier by compliance-1 and compliance-2"), "{}", journal.text);
    assert!(!journal.text.contains(case.inner.screened_as.as_ref().unwrap()), "what is made of a name stays private");

    // the list says something else of him: that is for a person again
    let changed = list(&world, "ofac_sdn").await.replace("SIDOROV", "SIDOROFF");
    put(&world, "ofac_sdn", &changed).await;
    assert_eq!(refresh(&world, true).await["outcome"], "refreshed");
    begin_again(&world, &listed).await;
    assert_eq!(screening(&world, &listed).await, (ScreeningState::Hits, KycStatus::InReview));
}

#[tokio::test]
async fn a_name_that_cannot_be_compared_is_not_a_clean_one() {
    let world = World::start().await;
    let case = verifying(&world, &"Al ".repeat(60), "1980-06-01", None).await;
    screen(&world, &case).await;
    assert_eq!(screening(&world, &case).await, (ScreeningState::Failed, KycStatus::Verifying));
    let client = world.broker.crm().load::<Client>(&case.client_id).await.unwrap().unwrap().entity;
    assert!(client.person.full_name.reveal().len() > 150);
}

/// A list as `GET /v1/lists` shows it.
pub async fn shown(world: &World, list: &str) -> Value {
    let all = items(&expect(world.get("compliance", "/v1/lists").await, 200));
    all.into_iter().find(|shown| shown["list"] == list).unwrap()
}

pub async fn take(world: &World, list: &str) -> Value {
    let call = Call::post(&format!("/v1/lists/{list}/refresh"), &json!({})).token(world.broker.token("admin"));
    expect(world.send(call).await, 200).json
}

#[tokio::test]
async fn a_list_is_shown_as_it_is_used_and_taken_anew_at_once() {
    let world = World::start().await;
    let all = items(&expect(world.get("admin", "/v1/lists").await, 200));
    // page by page they are the same
    let (mut paged, mut path) = (Vec::new(), "/v1/lists?limit=2".to_owned());
    loop {
        let page = expect(world.get("admin", &path).await, 200);
        paged.extend(items(&page));
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        path = format!("/v1/lists?limit=2&cursor={next}");
    }
    assert_eq!(paged, all);
    for query in ["limit=0", "limit=101", "cursor=nothing"] {
        expect(world.get("admin", &format!("/v1/lists?{query}")).await, 400);
    }
    let codes: Vec<&str> = all.iter().map(|shown| shown["list"].as_str().unwrap()).collect();
    assert_eq!(codes, ["ofac_sdn", "eu_fsf", "un_sc", "uk_sl", "pep_leaders"], "in the order of the rules");
    let first = shown(&world, "ofac_sdn").await;
    assert_eq!((&first["entries"], &first["stale"], first.get("refused")), (&json!(8), &json!(false), None));
    assert!(first["version"].as_str().unwrap().starts_with("2026-11-20-"), "{first}");
    let other = shown(&world, "un_sc").await;

    let good = list(&world, "ofac_sdn").await;
    let entry = "<sdnEntry><uid>9100</uid><firstName>Nadezhda</firstName><lastName>KUZNETSOVA-ORLOVSKAYA</lastName><sdnType>Individual</sdnType></sdnEntry>";
    let more = good.replace("</sdnList>", &format!("{entry}</sdnList>"));
    put(&world, "ofac_sdn", &more).await;
    world.pass(60).await;
    let taken = take(&world, "ofac_sdn").await;
    assert_eq!((&taken["entries"], &taken["changes"]), (&json!(9), &json!({"added": 1, "changed": 0, "removed": 0})));
    assert_eq!(shown(&world, "ofac_sdn").await, taken, "what is answered is what is used");
    assert_eq!(shown(&world, "un_sc").await, other, "no other list was asked for");
    let nadia = json!({"full_name": "Nadezhda Kuznetsova-Orlovskaya", "type": "person"});
    assert_eq!(found(&world, &nadia).await, ["ofac_sdn/9100"]);

    // what is no list leaves it in use, and says why here and on the desk
    for (content, of, why) in [
        ("", "malformed", "not written as ofac_xml"),
        (good[..good.len() / 2].as_ref(), "malformed", "truncated"),
        (&more.replace("11/20/2026", "11/19/2026"), "implausible", "it is of 2026-11-19"),
        (&good, "implausible", "the version before had 9"),
    ] {
        put(&world, "ofac_sdn", content).await;
        let refused = take(&world, "ofac_sdn").await;
        assert_eq!((&refused["version"], &refused["stale"]), (&taken["version"], &json!(false)));
        assert_eq!(refused["refused"]["of"], of, "{refused}");
        assert!(refused["refused"]["why"].as_str().unwrap().contains(why), "{refused}");
        assert_eq!(shown(&world, "ofac_sdn").await, refused);
        assert_eq!(refused_lists(&world).await[0].0, of);
        assert_eq!(found(&world, &nadia).await, ["ofac_sdn/9100"]);
    }
    put(&world, "ofac_sdn", &more).await;
    assert_eq!(take(&world, "ofac_sdn").await.get("refused"), None);
    assert_eq!(refused_lists(&world).await, []);

    // one in trouble is not asked for by whoever asks for another one
    world
        .faults("lists", &json!([{"operation": "un_sc", "fault": {"kind": "refuse", "status": 503}, "times": 0}]))
        .await;
    assert_eq!(take(&world, "ofac_sdn").await.get("refused"), None);
    assert_eq!(shown(&world, "un_sc").await, other);
    world.pass(3 * 86_400).await;
    assert_eq!(take(&world, "ofac_sdn").await["stale"], json!(false));
    let old = take(&world, "un_sc").await;
    assert_eq!((&old["stale"], &old["refused"]["of"]), (&json!(true), &json!("missing")));
    let call = Call::post("/v1/lists/nobodys/refresh", &json!({})).token(world.broker.token("admin"));
    expect(world.send(call).await, 404);
}
