//! Leads over the API: intake, duplicates, signals, and what a person reads of it.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::contact::contact_key;
use domain::lead::{ContactTie, KnownContact};
use domain::rule_sets::SetName;
use domain::{LeadId, Timestamp};
use serde_json::{Value, json};
use store::Committed;

use crate::world::{Call, World, expect, faults, items};

/// A brokerage at a moment, with every agent online.
pub async fn floor(at: &str) -> World {
    let world = World::at(at).await;
    everybody_comes(&world).await;
    world
}

/// Every agent says that they are there.
pub async fn everybody_comes(world: &World) {
    for agent in items(&expect(world.get("sales", "/v1/agents").await, 200)) {
        world.presence(agent["agent_id"].as_str().unwrap(), "online").await;
    }
    world.idle().await;
}

/// A form as the portal sends it.
pub fn form(world: &World, extra: Value) -> Value {
    let mut body = json!({
        "email": format!("lead-{}@example.com", world.fresh()), "source": {"channel": "paid_search"},
        "consents": {"email": true, "phone": true, "sms": false},
    });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

impl World {
    pub async fn presence(&self, agent: &str, state: &str) -> Value {
        let call = Call::put(&format!("/v1/agents/{agent}/presence"), &json!({"state": state}));
        expect(self.send(call.token(self.broker.token("sales"))).await, 200).json
    }

    /// Sends a form and waits until it was routed.
    pub async fn submit(&self, extra: Value) -> String {
        let body = form(self, extra);
        let id = expect(self.portal("/v1/leads", &body).await, 202).text_at("/lead_id");
        self.idle().await;
        id
    }

    pub async fn lead(&self, id: &str) -> Value {
        self.idle().await;
        expect(self.get("sales", &format!("/v1/leads/{id}")).await, 200).json
    }

    pub async fn signal(&self, id: &str, kind: &str) -> Value {
        expect(self.portal(&format!("/v1/leads/{id}/signals"), &json!({"kind": kind})).await, 202).json
    }

    pub async fn on_task(&self, task: &str, action: &str) -> broker::api::Answer {
        let call = Call::post(&format!("/v1/tasks/{task}/actions"), &json!({"action": action}));
        self.send(call.token(self.broker.token("sales"))).await
    }
}

/// A form that makes a hot lead, of somebody new each time.
pub fn hot(country: &str) -> Value {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    json!({
        "country": country, "phone": format!("+52551234{number:04}"), "full_name": "Ana Lopez",
        "profile": {"experience": "some", "intended_deposit": "2500", "goal": "income"},
    })
}

#[tokio::test]
async fn a_hot_lead_of_mexico_has_an_agent_a_task_and_five_minutes() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(hot("MX")).await;
    let lead = world.lead(&id).await;
    assert_eq!((&lead["status"], &lead["band"]), (&json!("assigned"), &json!("hot")), "{lead:#}");
    let assignment = &lead["assignment"];
    assert_eq!((&assignment["pool_id"], &assignment["rule_id"]), (&json!("latam_closers"), &json!("hot_latam")));
    let time = |name: &str| assignment[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert_eq!(time("due_at").millis_since(time("assigned_at")), 300_000);
    assert_eq!((&lead["language"], &lead["time_zone"]), (&json!("es"), &json!("America/Mexico_City")));
    let why: Vec<&str> = lead["why"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
    for part in ["score 65 (hot)", "hot_latam: holds", "camila_torres off_shift", "sofia_reyes chosen"] {
        assert!(why.iter().any(|line| line.contains(part)), "{part} in {why:#?}");
    }
    let agents = items(&expect(world.get("sales", "/v1/agents").await, 200));
    let sofia = agents.iter().find(|agent| agent["agent_id"] == "agt_sofia_reyes").unwrap();
    assert_eq!(
        (&sofia["open_leads"], &sofia["on_shift"], &sofia["presence"]),
        (&json!(1), &json!(true), &json!("online"))
    );
}

#[tokio::test]
async fn every_fault_of_a_form_is_told_and_nothing_is_written() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let before = world.stored().await;
    let bad = json!({
        "email": "nobody", "phone": "12", "country": "Spain", "language": "klingon", "source": {"channel": "rumour"},
        "consents": {"email": 1}, "nonsense": true,
    });
    let answer = expect(world.portal("/v1/leads", &bad).await, 400);
    assert_eq!(
        faults(&answer),
        [
            "/consents/email wrong_type",
            "/country unknown_country",
            "/email invalid_email",
            "/language unknown_language",
            "/nonsense unknown_field",
            "/phone invalid_phone",
            "/source/channel unknown_value"
        ]
    );
    let refused = json!({"email": "a@example.com", "phone": "12", "source": {"channel": "direct"}});
    expect(world.portal("/v1/leads", &refused).await, 422);
    let call = Call::post("/v1/leads", &form(&world, json!({})));
    expect(world.send(call.clone().token(world.broker.token("portal"))).await, 400);
    expect(world.send(call.clone().token(world.broker.token("sales")).key("k")).await, 403);
    expect(world.send(call.key("k")).await, 401);
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_and_another_body_is_refused() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let body = form(&world, hot("MX"));
    let call = |body: &Value| Call::post("/v1/leads", body).token(world.broker.token("portal")).key("one-form");
    let first = expect(world.send(call(&body)).await, 202);
    world.idle().await;
    let again = expect(world.send(call(&body)).await, 202);
    assert_eq!(first.json, again.json);
    assert_eq!(crate::world::header(&again, "idempotency-replayed"), Some("true"));
    let mut other = body.clone();
    other["language"] = json!("en");
    expect(world.send(call(&other)).await, 422);
}

#[tokio::test]
async fn the_same_person_joins_the_first_lead_by_mail_or_telephone() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let mut first = form(&world, hot("MX"));
    first["email"] = json!("Ana@Example.com");
    first["phone"] = json!("+525512345678");
    let id = expect(world.portal("/v1/leads", &first).await, 202).text_at("/lead_id");
    world.idle().await;
    let by_mail = form(&world, json!({"email": "ana@example.COM", "consents": {"sms": true}}));
    let second = expect(world.portal("/v1/leads", &by_mail).await, 202);
    assert_eq!((&second.json["duplicate_of"], &second.json["status"]), (&json!(id), &json!("duplicate")));
    let by_phone = form(
        &world,
        json!({"phone": "55 1234 5678", "country": "MX", "source": {"channel": "organic"}, "consents": {}}),
    );
    let third = expect(world.portal("/v1/leads", &by_phone).await, 202);
    assert_eq!(third.json["duplicate_of"], id);
    let lead = world.lead(&id).await;
    assert_eq!(lead["consents"]["sms"]["given"], true);
    assert_eq!(lead["source"]["channel"], "paid_search", "the first advertisement counts");
    assert_eq!(lead["joined"].as_array().unwrap().len(), 2);
    let shown = world.lead(&second.text_at("/lead_id")).await;
    assert_eq!((&shown["status"], &shown["assignment"]), (&json!("duplicate"), &lead["assignment"]));
    world.publish(SetName::LeadIntake, 2, |document| document["duplicates"]["window"] = json!("1d")).await;
    world.pass(2 * 86_400).await;
    let later = expect(
        world.portal("/v1/leads", &form(&world, json!({"email": "ana@example.com", "country": "MX"}))).await,
        202,
    );
    assert_eq!(later.json.get("duplicate_of"), None, "the window is over");
    let back = world.lead(&later.text_at("/lead_id")).await;
    assert_eq!(back["returning"]["lead_id"], id);
    assert_eq!(back["assignment"]["agent_id"], lead["assignment"]["agent_id"], "who had it gets it again");
}

#[tokio::test]
async fn whoever_takes_a_consent_back_is_routed_again_while_nobody_has_them() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(json!({"country": "MX", "source": {"channel": "organic"}})).await;
    assert_eq!(world.lead(&id).await["status"], "nurturing");
    expect(world.portal(&format!("/v1/leads/{id}/consents"), &json!({"email": false})).await, 202);
    let lead = world.lead(&id).await;
    assert_eq!((&lead["status"], &lead["assignment"]["rule_id"]), (&json!("assigned"), &json!("latam")), "{lead:#}");
}

#[tokio::test]
async fn a_form_that_cannot_be_taken_in_does_not_keep_its_key() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let mut body = form(&world, hot("MX"));
    body["email"] = json!("lost@example.com");
    // an address that leads to a lead that is not there: it cannot be taken in, whatever is tried
    let nobody = LeadId::from_bits(1);
    let crm = world.broker.crm();
    let mut commit = crm.0.commit();
    let key = contact_key("email", "lost@example.com");
    let known = KnownContact { key, lead_id: nobody, since: world.now(), tie: ContactTie::Own };
    commit.know(&crm, &known, None).unwrap();
    assert_eq!(commit.send().await.unwrap(), Committed::Applied);
    let call = || Call::post("/v1/leads", &body).token(world.broker.token("portal")).key("one-form");
    let first = world.send(call()).await;
    let second = world.send(call()).await;
    assert!(first.status >= 500, "{}", first.text);
    assert_eq!(second.status, first.status, "nobody is at it any more: {}", second.text);
}

#[tokio::test]
async fn one_person_twice_at_the_same_moment_is_one_lead() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let bodies: Vec<Value> =
        (0..6).map(|_| form(&world, json!({"email": "twice@example.com", "country": "MX"}))).collect();
    let answers = futures::future::join_all(bodies.iter().map(|body| world.portal("/v1/leads", body))).await;
    let firsts: Vec<_> = answers.iter().filter(|answer| answer.json.get("duplicate_of").is_none()).collect();
    assert!(
        answers.iter().all(|answer| answer.status == 202),
        "{:?}",
        answers.iter().map(|a| &a.text).collect::<Vec<_>>()
    );
    assert_eq!(firsts.len(), 1);
    let first = firsts[0].text_at("/lead_id");
    assert!(answers.iter().filter_map(|answer| answer.json.get("duplicate_of")).all(|of| *of == first));
    assert_eq!(world.lead(&first).await["joined"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn signals_raise_the_score_and_a_band_crossed_changes_the_desk() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(json!({"country": "MX", "source": {"channel": "organic"}})).await;
    assert_eq!(world.lead(&id).await["status"], "nurturing");
    for kind in ["form_completed", "kyc_started", "demo_video_watched"] {
        world.signal(&id, kind).await;
    }
    let lead = world.lead(&id).await;
    assert_eq!((&lead["status"], &lead["score"]), (&json!("assigned"), &json!(75)), "{lead:#}");
    let path = format!("/v1/leads/{id}/signals");
    for (bad, code) in [
        (json!({"kind": "Not A Kind"}), 422),
        (json!({}), 400),
        (json!({"kind": "kyc_started", "at": "2027-01-01T00:00:00Z"}), 422),
        (json!({"kind": "kyc_started", "at": "yesterday"}), 422),
    ] {
        expect(world.portal(&path, &bad).await, code);
    }
    expect(
        world.portal("/v1/leads/lead_00000000000000000000000000/signals", &json!({"kind": "kyc_started"})).await,
        404,
    );
}

#[tokio::test]
async fn a_lead_that_registers_is_won_by_its_agent() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(hot("MX")).await;
    let assignment = world.lead(&id).await["assignment"].clone();
    let mut body = crate::world::registration();
    body["lead_id"] = json!(id);
    body["email"] = world.lead(&id).await["email"].clone();
    let client = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
    let lead = world.lead(&id).await;
    assert_eq!((&lead["status"], &lead["client_id"]), (&json!("converted"), &json!(client)));
    let task = expect(world.on_task(assignment["task_id"].as_str().unwrap(), "done").await, 200);
    assert_eq!(task.json["status"], "done");
    let journal =
        items(&world.get("sales", &format!("/v1/journal?entity={}", assignment["agent_id"].as_str().unwrap())).await);
    assert_eq!(journal.last().unwrap()["outcome"], "won");
    assert_eq!(journal.last().unwrap()["state"]["open"], 0);
}

/// Whoever asks with somebody's address is told the id of that person's lead, and with a form of his own adds a number to it.
#[tokio::test]
async fn a_client_who_names_somebody_elses_lead_is_registered_and_the_lead_stays() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let first = form(&world, json!({"country": "MX", "full_name": "Ana Lopez"}));
    let id = expect(world.portal("/v1/leads", &first).await, 202).text_at("/lead_id");
    let his = json!({"email": first["email"], "phone": "+34600111222", "source": {"channel": "direct"}});
    let asked = expect(world.portal("/v1/leads", &his).await, 202);
    assert_eq!(asked.json["duplicate_of"], id);
    let before = world.lead(&id).await;
    let nobodys = "lead_0123456789abcdefghjkmnpqrs";
    for (named, why) in [
        (id.as_str(), "it began with another address and number"),
        (asked.json["lead_id"].as_str().unwrap(), "it began with another address and number"),
        (nobodys, "there is no such lead"),
    ] {
        let mut body = crate::world::registration();
        body["lead_id"] = json!(named);
        let client = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
        world.idle().await;
        let shown = expect(world.get("sales", &format!("/v1/clients/{client}")).await, 200);
        assert_eq!(shown.json["lead_id"], Value::Null, "{named}");
        let journal = items(&world.get("sales", &format!("/v1/journal?entity={client}")).await);
        assert!(journal[0]["why"].to_string().contains(&format!("{named} is not its lead: {why}")), "{journal:#?}");
        let lead = world.lead(&id).await;
        assert_eq!((&lead["status"], &lead["assignment"]), (&json!("assigned"), &before["assignment"]), "{named}");
    }
    let mut own = crate::world::registration();
    own["lead_id"] = asked.json["lead_id"].clone();
    own["email"] = json!(first["email"].as_str().unwrap().to_uppercase());
    expect(world.portal("/v1/clients", &own).await, 201);
    assert_eq!(world.lead(&id).await["status"], "converted", "the person's own, by the form that joined");
}

/// A number that stands beside somebody's address in a form is a hint at most: whoever has it begins a lead of his own.
#[tokio::test]
async fn whoever_names_other_peoples_numbers_gets_none_of_their_leads() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let thief = form(&world, json!({"country": "MX", "source": {"channel": "partner", "partner_code": "EVIL"}}));
    let his = expect(world.portal("/v1/leads", &thief).await, 202).text_at("/lead_id");
    let taught = json!({
        "email": thief["email"], "phone": "+525587650077", "full_name": "T", "source": {"channel": "partner", "partner_code": "EVIL"},
    });
    assert_eq!(expect(world.portal("/v1/leads", &taught).await, 202).json["duplicate_of"], his);
    let person = form(&world, json!({"phone": "+525587650077", "country": "MX", "full_name": "Ana Lopez"}));
    let taken = expect(world.portal("/v1/leads", &person).await, 202);
    assert_eq!((taken.json.get("duplicate_of"), &taken.json["status"]), (None, &json!("received")));
    let lead = world.lead(&taken.text_at("/lead_id")).await;
    assert_eq!((&lead["full_name"], &lead["perhaps_same_as"]), (&json!("Ana Lopez"), &json!(his)));
    assert_eq!((lead["source"].get("partner_code"), lead.get("returning")), (None, None), "nothing comes of the hint");
    assert!(lead["history"].to_string().contains(&format!("perhaps the same as {his}")), "{lead:#}");
    // from now on the number is known by its own lead, and what a later form says is shown to whoever calls
    let again = form(&world, json!({"phone": "55 8765 0077", "country": "MX", "full_name": "Ana Lopez Diaz"}));
    let joined = expect(world.portal("/v1/leads", &again).await, 202);
    assert_eq!(joined.json["duplicate_of"], lead["lead_id"]);
    let later = world.lead(lead["lead_id"].as_str().unwrap()).await["later_forms"].clone();
    let said = json!([{
        "at": later[0]["at"], "lead_id": joined.json["lead_id"], "full_name": "Ana Lopez Diaz", "email": again["email"],
        "phone": "+525587650077",
    }]);
    assert_eq!(later, said);
    let portal = expect(world.get("portal", &format!("/v1/leads/{}", lead["lead_id"].as_str().unwrap())).await, 200);
    assert_eq!(portal.json.get("later_forms"), None, "the portal may show a lead to somebody else");
    let told =
        expect(world.get("sales", &format!("/v1/journal?entity={}", lead["lead_id"].as_str().unwrap())).await, 200);
    assert!(!told.text.contains("Ana Lopez") && !told.text.contains("8765"), "the journal has no names: {}", told.text);
}

#[tokio::test]
async fn the_journal_tells_the_whole_story_of_a_lead() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(hot("MX")).await;
    let answer = expect(world.get("sales", &format!("/v1/journal?entity={id}")).await, 200);
    assert_eq!(answer.json["verified"], true);
    let lines = items(&answer);
    let outcomes: Vec<&str> = lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["received", "assigned"]);
    assert_eq!(lines[0]["rules"], json!(["lead_intake@1", "lead_scoring@1"]), "whatever had a say is named");
    assert_eq!((&lines[1]["rule_set"], &lines[1]["rule_version"]), (&json!("lead_routing"), &json!(1)));
    let told = answer.text.to_lowercase();
    for secret in ["ana lopez", "551234", "lead-"] {
        assert!(!told.contains(secret), "{secret} is in the journal");
    }
}
