//! Lead ads of Meta: challenge, signed announcements, the data fetched by id, and an API that is down.

use broker::api::Answer;
use domain::Timestamp;
use domain::lead::{MetaLead, lead_id_of};
use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::leads::{floor, form};
use crate::signing;
use crate::world::{Call, World, expect, items};

fn ana() -> serde_json::Value {
    json!({"fields": {
        "full_name": "Ana López", "phone_number": "+52 55 1234 5678", "email": "ana@example.com", "country": "Mexico",
        "how_much_do_you_want_to_invest": "1000-5000", "job": "nurse", "experience": "some", "intended_deposit": "2000",
    }})
}

#[tokio::test]
async fn the_challenge_is_answered_for_our_token_only() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let token = world.broker.webhook_secrets["meta_verify_token"].as_str().unwrap();
    let path = |token: &str| {
        format!("/v1/webhooks/leads/meta?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=11587")
    };
    let answer = expect(world.send(Call::get(&path(token))).await, 200);
    assert_eq!(answer.text, "11587");
    expect(world.send(Call::get(&path("guess"))).await, 403);
    expect(world.send(Call::get("/v1/webhooks/leads/meta")).await, 403);
}

/// The article's example: a Facebook form at two in the morning, and the closer in Mexico has a task before the tab is closed.
#[tokio::test]
async fn a_form_of_facebook_at_two_in_the_morning_reaches_the_closer_who_is_online() {
    let world = floor("2026-11-26T00:00:00Z").await;
    let sent = world.control("meta", "leads", &ana()).await;
    assert_eq!(sent["deliveries"][0]["status"], 200, "{sent:#}");
    world.idle().await;
    let messages = world.recorded("slack", "").await["messages"].as_array().unwrap().clone();
    assert_eq!(messages.len(), 1);
    let message = messages[0]["message"].to_string();
    for part in [
        "<@U0MATEO>",
        "Ana López",
        "+525512345678",
        "MX",
        "es",
        "hot",
        "18:05 (America/Mexico_City)",
        "task_start",
        "task_decline",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let task = messages[0]["message"]["blocks"][1]["elements"][0]["value"].as_str().unwrap().to_owned();
    let started = expect(world.on_task(&task, "start").await, 200);
    let lead = world.lead(started.json["lead_id"].as_str().unwrap()).await;
    assert_eq!((&lead["status"], &lead["source"]["channel"]), (&json!("working"), &json!("social")));
    assert_eq!(lead["profile"]["job"], "nurse");
    assert_eq!(lead["consents"]["phone"]["wording"], "meta form 1001");
}

/// A visitor who is written to fills in an ad form: what the form says and that it was sent counts for the first lead.
#[tokio::test]
async fn a_form_of_a_lead_that_is_known_makes_it_worth_more_and_has_it_called() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(json!({"email": "ana@example.com", "country": "MX", "source": {"channel": "organic"}})).await;
    let before = world.lead(&id).await;
    assert_eq!(before["status"], "nurturing");
    world.control("meta", "leads", &ana()).await;
    let lead = world.lead(&id).await;
    assert_eq!((&lead["status"], &lead["band"]), (&json!("assigned"), &json!("hot")), "{lead:#}");
    assert_eq!(lead["joined"].as_array().unwrap().len(), 1);
    let journal = items(&world.get("sales", &format!("/v1/journal?entity={id}")).await);
    let joined = journal.iter().find(|line| line["outcome"] == "joined").unwrap();
    assert_eq!(joined["rules"], json!(["lead_intake@1", "lead_scoring@1"]));
}

#[tokio::test]
async fn forms_without_a_rule_are_asked_for_again_and_at_last_a_person_is() {
    let world = floor("2026-11-25T08:00:00Z").await;
    world
        .publish(SetName::LeadIntake, 2, |document| {
            let any = document["meta"]["forms"]["any"].take();
            document["meta"]["forms"] = json!({"9": any});
        })
        .await;
    world.pass(61).await;
    world.control("meta", "leads", &ana()).await;
    for _ in 0..26 {
        world.pass(3_601).await;
        world.sweep().await;
    }
    let work = items(&world.get("sales", "/v1/work?queue=sales").await);
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("lead_not_fetched")), "{work:#?}");
    assert!(world.broker.host.dead_letters().values().all(Vec::is_empty));
}

#[tokio::test]
async fn an_announcement_twice_out_of_order_or_forged_is_one_lead_or_none() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let mut order = ana();
    order["webhook"] = json!({"times": 5, "concurrent": true});
    let sent = world.control("meta", "leads", &order).await;
    assert!(sent["deliveries"].as_array().unwrap().iter().all(|delivery| delivery["status"] == 200));
    world.idle().await;
    let again = json!({"leadgen_id": sent["leadgen_id"], "created_time": world.now_s() - 3_600});
    world.control("meta", "leads", &again).await;
    world.idle().await;
    assert_eq!(world.recorded("slack", "").await["messages"].as_array().unwrap().len(), 1, "one person, one task");
    let before = world.stored().await;
    for signature in ["wrong", "missing", "empty", "tampered"] {
        let forged = json!({"fields": {"email": "x@example.com"}, "webhook": {"signature": signature}});
        let sent = world.control("meta", "leads", &forged).await;
        assert_eq!(sent["deliveries"][0]["status"], 401, "{signature}");
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn what_cannot_be_read_of_a_form_is_left_out_and_named() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let odd = json!({"fields": {"email": "not an address", "phone_number": "call me", "country": "Atlantis", "first_name": "Bo", "last_name": "Li"}});
    world.control("meta", "leads", &odd).await;
    world.idle().await;
    let messages = world.recorded("slack", "").await["messages"].clone();
    let task = messages[0]["message"]["blocks"][1]["elements"][0]["value"].as_str().unwrap().to_owned();
    let lead = expect(world.on_task(&task, "start").await, 200).json["lead_id"].as_str().unwrap().to_owned();
    let lead = world.lead(&lead).await;
    assert_eq!((&lead["full_name"], &lead["email"], &lead["phone"]), (&json!("Bo Li"), &json!(null), &json!(null)));
    let received = lead["history"][0].to_string();
    for part in ["email cannot be read", "phone_number is no telephone number", "country cannot be read"] {
        assert!(received.contains(part), "{part} in {received}");
    }
}

#[tokio::test]
async fn a_graph_api_that_is_down_is_asked_again_and_at_last_a_person_is() {
    let world = floor("2026-11-25T08:00:00Z").await;
    let down = json!([{"operation": "lead", "fault": {"kind": "refuse", "status": 503}, "times": 0}]);
    world.faults("meta", &down).await;
    let sent = world.control("meta", "leads", &ana()).await;
    world.idle().await;
    let calls = || async { world.recorded("meta", "").await["calls"]["lead"].as_u64().unwrap() };
    assert_eq!(calls().await, 1);
    world.pass(61).await;
    world.sweep().await;
    assert_eq!(calls().await, 2, "asked again after a minute");
    for _ in 0..20 {
        world.pass(3_601).await;
        world.sweep().await;
    }
    let work = items(&world.get("sales", "/v1/work?queue=sales").await);
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("lead_not_fetched")), "{work:#?}");
    assert_eq!(work[0]["trigger"]["data"]["meta"]["leadgen_id"], sent["leadgen_id"]);
    let lead = work[0]["subject"]["lead_id"].as_str().unwrap().to_owned();
    let before = calls().await;
    world.pass(3_601).await;
    world.sweep().await;
    assert_eq!(calls().await, before, "a person has it now");
    world.no_faults("meta").await;
    expect(world.act("sales", work[0]["work_id"].as_str().unwrap(), &json!({"action": "fetch_again"})).await, 200);
    let lead = world.lead(&lead).await;
    assert_eq!(lead["full_name"], "Ana López", "{lead:#}");
    assert_ne!(lead["status"], "announced");
}

impl World {
    /// The lead of a form that Meta has announced.
    async fn form(&self, fields: &Value) -> Value {
        let order = json!({"form_id": "555", "fields": fields});
        let sent = self.control("meta", "leads", &order).await;
        assert_eq!(sent["deliveries"][0]["status"], 200, "{sent:#}");
        self.idle().await;
        let leadgen_id = sent["leadgen_id"].as_str().unwrap();
        let known = self.recorded("meta", "").await["leads"][leadgen_id].clone();
        self.lead(&lead_id(leadgen_id, known["created_time"].as_i64().unwrap())).await
    }

    /// What Meta's own webhook says, signed.
    async fn announce(&self, body: &Value) -> Answer {
        let secret = self.broker.webhook_secrets["meta"].as_str().unwrap();
        let text = body.to_string();
        let signature = signing::meta(secret, &text);
        self.send(Call::post("/v1/webhooks/leads/meta", body).header("x-hub-signature-256", &signature)).await
    }
}

fn lead_id(leadgen_id: &str, created: i64) -> String {
    let created_at = Timestamp::from_seconds(created).unwrap();
    let meta = MetaLead {
        leadgen_id: leadgen_id.to_owned(),
        form_id: String::new(),
        page_id: String::new(),
        ad_id: None,
        created_at,
        failed: 0,
        since: created_at,
    };
    lead_id_of(&meta).to_string()
}

/// Meta names fields after the form's questions, in the form's language.
#[tokio::test]
async fn forms_in_other_languages_are_read_by_what_fields_are_commonly_called() {
    let world = floor("2026-11-25T20:00:00Z").await;
    for (n, fields) in [
        json!({"Vor- und Nachname": "Max Muster", "E-Mail": "l0@example.com", "Handynummer": "+4915112345670", "Land": "Österreich"}),
        json!({"nombre_y_apellidos": "Max Muster", "correo_electronico": "l1@example.com", "celular": "+525587650001", "país": "España"}),
        json!({"nom_complet": "Max Muster", "adresse_e-mail": "l2@example.com", "numéro_de_portable": "+33612345672", "pays": "Suisse"}),
        json!({"nome_completo": "Max Muster", "endereço_de_e-mail": "l3@example.com", "número_de_telefone": "+5521987650003", "país": "Brasil"}),
        json!({"الاسم_الكامل": "Max Muster", "البريد_الإلكتروني": "l4@example.com", "رقم_الهاتف": "+971501234564", "الدولة": "مصر"}),
        json!({"имя_и_фамилия": "Max Muster", "электронная_почта": "l5@example.com", "номер_телефона": "+79123456785", "страна": "Казахстан"}),
        json!({"姓名": "Max Muster", "電子郵件": "l6@example.com", "電話號碼": "+886912345676", "國家": "台灣"}),
    ]
    .iter()
    .enumerate()
    {
        let lead = world.form(fields).await;
        assert_eq!((&lead["full_name"], &lead["email"]), (&json!("Max Muster"), &json!(format!("l{n}@example.com"))));
        assert!(lead["phone"].is_string() && lead["phone_unverified"].is_null(), "{lead:#}");
        let country = ["AT", "ES", "CH", "BR", "EG", "KZ", "TW"][n];
        assert_eq!((&lead["country"], &lead["profile"]), (&json!(country), &json!({})), "{fields}");
    }
}

/// Questions in words of marketing's own: what they ask for is known to Meta by type.
#[tokio::test]
async fn a_form_in_words_of_its_own_is_read_by_the_types_that_meta_gives_its_questions() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let question = |key: &str, kind: &str| json!({"key": key, "type": kind, "label": key});
    let questions = [
        question("wohin_schreiben_wir", "EMAIL"),
        question("und_wie_heißen_sie", "FULL_NAME"),
        question("warum", "CUSTOM"),
    ];
    world.control("meta", "forms", &json!({"form_id": "555", "questions": questions})).await;
    let answers =
        json!({"wohin_schreiben_wir": "typed@example.com", "und_wie_heißen_sie": "Eva Muster", "warum": "Neugier"});
    let lead = world.form(&answers).await;
    assert_eq!((&lead["full_name"], &lead["email"]), (&json!("Eva Muster"), &json!("typed@example.com")), "{lead:#}");
    assert_eq!(lead["profile"], json!({"warum": "Neugier"}));
}

#[tokio::test]
async fn a_form_of_which_nothing_is_known_is_a_work_item_until_its_names_are_entered() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let lead =
        world.form(&json!({"wo_erreichen_wir_sie": "late@example.com", "warum": ["Neugier", "Langeweile"]})).await;
    assert_eq!((&lead["status"], &lead["email"]), (&json!("escalated"), &Value::Null), "{lead:#}");
    assert_eq!(lead["profile"]["wo_erreichen_wir_sie"], "late@example.com", "whoever looks can call at once");
    assert!(lead["assignment"].is_null(), "no agent gets somebody without a name");
    let work = items(&world.get("sales", "/v1/work?queue=sales").await);
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("lead_form_unmapped")), "{work:#?}");
    assert!(work[0]["trigger"].to_string().contains("wo_erreichen_wir_sie"), "{work:#?}");
    assert!(!work[0].to_string().contains("late@example.com"), "no answers in an item");
    world
        .publish(SetName::LeadIntake, 2, |document| {
            document["meta"]["field_names"]["email"].as_array_mut().unwrap().push(json!("Wo erreichen wir Sie?"));
        })
        .await;
    world.pass(61).await;
    expect(world.act("sales", work[0]["work_id"].as_str().unwrap(), &json!({"action": "fetch_again"})).await, 200);
    let lead = world.lead(lead["lead_id"].as_str().unwrap()).await;
    assert_eq!(
        (&lead["email"], &lead["profile"]),
        (&json!("late@example.com"), &json!({"warum": ["Neugier", "Langeweile"]}))
    );
    assert!(lead["assignment"].is_object() || lead["sequence"].is_object(), "{lead:#}");
}

/// The tool with which a form is tried makes leads like any other, with one address for all forms.
#[tokio::test]
async fn a_test_lead_says_that_it_is_one_and_is_nobodys() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let marked = json!({"full_name": "<test lead: dummy data for full_name>", "email": "a-client@example.com"});
    let addressed = json!({"full_name": "Somebody", "email": "test@fb.com", "phone_number": "+525512345699"});
    for fields in [&marked, &addressed, &addressed] {
        let lead = world.form(fields).await;
        assert_eq!((&lead["status"], &lead["score"]), (&json!("test"), &Value::Null), "{lead:#}");
        assert!(lead["assignment"].is_null() && lead["duplicate_of"].is_null(), "{lead:#}");
        let id = lead["lead_id"].as_str().unwrap();
        world.signal(id, "kyc_started").await;
        assert_eq!(world.lead(id).await["status"], "test");
    }
    assert!(world.recorded("slack", "").await["messages"].as_array().unwrap().is_empty());
    assert!(items(&world.get("sales", "/v1/work?queue=sales").await).is_empty());
    let client = form(&world, json!({"email": "a-client@example.com"}));
    assert!(expect(world.portal("/v1/leads", &client).await, 202).json["duplicate_of"].is_null());
    // the sample of the developers' page: it cannot be fetched, and nobody is to look for it
    let four = "444444444444";
    let value = json!({"leadgen_id": four, "form_id": four, "page_id": four, "created_time": world.now_s()});
    let body = json!({"object": "page", "entry": [{"id": "0", "changes": [{"field": "leadgen", "value": value}]}]});
    expect(world.announce(&body).await, 200);
    assert_eq!(world.lead(&lead_id(four, world.now_s())).await["status"], "test");
}

/// What somebody ticked, wrote twice or wrote in the wrong place is not thrown away.
#[tokio::test]
async fn every_answer_of_a_form_is_kept() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let lead = world
        .form(&json!({
            "email": ["first@example.com", "second@example.com"], "e-mail": "third@example.com", "phone_number": "ask my wife",
            "interests": ["fx", "metals", "crypto"], "country": "Atlantis", "note": "x".repeat(900),
        }))
        .await;
    assert_eq!(lead["email"], "third@example.com", "fields come in the order of their names here");
    let kept = json!({
        "email": ["first@example.com", "second@example.com"], "phone_number": "ask my wife", "interests": ["fx", "metals", "crypto"],
        "country": "Atlantis", "note": "x".repeat(900),
    });
    assert_eq!(lead["profile"], kept);
    let without_country = world.form(&json!({"phone_number": "0455 222 333", "full_name": "Li Ming"})).await;
    assert_eq!(
        (&without_country["phone"], &without_country["phone_unverified"]),
        (&json!("0455 222 333"), &json!(true))
    );
    assert!(world.recorded("slack", "").await["messages"].to_string().contains("0455 222 333 (unverified)"));
}

#[tokio::test]
async fn one_bad_entry_of_a_delivery_costs_none_of_its_neighbours() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let data = |id: &str| json!({"leadgen_id": id, "fields": {"email": format!("n{id}@example.com")}, "webhook": {"signature": "wrong"}});
    for id in ["7001", "7002"] {
        world.control("meta", "leads", &data(id)).await;
    }
    let created = world.now_s() - 60;
    let change = |value: Value| json!({"field": "leadgen", "value": value});
    let changes = [
        json!({"field": "feed", "value": {"created_time": {}}}),
        change(json!({"form_id": "1001"})),
        change(json!({"leadgen_id": "7001", "created_time": created.to_string()})),
        change(json!({"leadgen_id": "7002", "form_id": "1001", "created_time": created})),
        json!({"field": "leadgen"}),
    ];
    let body = json!({"object": "page", "entry": [3, {"id": "1", "changes": changes}]});
    let answer = expect(world.announce(&body).await, 200);
    assert_eq!((&answer.json["new"], &answer.json["unusable"]), (&json!(2), &json!(2)));
    for id in ["7001", "7002"] {
        let lead = world.lead(&lead_id(id, created)).await;
        assert_eq!(lead["email"], json!(format!("n{id}@example.com")));
        assert_eq!(lead["meta"]["form_id"], "1001", "Meta says it with the lead's data");
    }
    for foreign in [
        json!({"object": "instagram", "entry": "none"}),
        json!({"object": "page", "entry": [{"changes": 1}]}),
        json!({}),
    ] {
        expect(world.announce(&foreign).await, 200);
    }
}
