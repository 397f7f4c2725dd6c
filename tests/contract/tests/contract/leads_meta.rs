//! Lead ads of Meta: challenge, signed announcements, the data fetched by id, and an API that is down.

use domain::rule_sets::SetName;
use serde_json::json;

use crate::leads::floor;
use crate::world::{Call, expect, items};

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
