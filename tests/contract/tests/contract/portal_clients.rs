//! What the portal tells of a client: what he agrees to, and that he has logged in.

use serde_json::{Value, json};

use crate::world::{Call, World, expect, faults, items};

async fn says(world: &World, client: &str, body: &Value) -> broker::api::Answer {
    let path = format!("/v1/clients/{client}/consents");
    world.send(Call::put(&path, body).token(world.broker.token("portal"))).await
}

async fn logs_in(world: &World, client: &str, body: &Value) -> broker::api::Answer {
    let path = format!("/v1/clients/{client}/logins");
    world.send(Call::post(&path, body).token(world.broker.token("portal"))).await
}

fn login(world: &World) -> Value {
    json!({
        "at": world.now(), "ip": "203.0.113.7", "country": "ES", "device_id": "device-4f0c",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    })
}

/// The events of a type in a client's journal.
async fn told(world: &World, client: &str, kind: &str) -> Vec<Value> {
    world.idle().await;
    let journal = expect(world.get("compliance", &format!("/v1/journal?client={client}&limit=100")).await, 200);
    for personal in ["203.0.113", "device-4f0c", "Mozilla"] {
        assert!(!journal.text.contains(personal), "{}", journal.text);
    }
    let events = items(&journal).into_iter().flat_map(|line| line["events"].as_array().unwrap().clone());
    events.filter(|event| event["type"] == kind).map(|event| event["data"].clone()).collect()
}

#[tokio::test]
async fn what_a_client_agrees_to_is_kept_with_its_time_and_each_change_is_told() {
    let world = World::start().await;
    let client = world.client("en").await;
    let said = json!({"email": true, "sms": false, "phone": false, "topics": {"education": true}});
    let first = expect(says(&world, &client, &said).await, 200).json;
    assert_eq!((&first["email"], &first["topics"]), (&json!(true), &json!({"education": true})));
    world.pass(60).await;
    assert_eq!(expect(says(&world, &client, &said).await, 200).json, first, "the same again changes nothing");
    let second = expect(says(&world, &client, &json!({"email": false, "sms": false, "phone": true})).await, 200).json;
    assert_eq!((&second["email"], &second["phone"]), (&json!(false), &json!(true)));
    assert_eq!(second["topics"], first["topics"], "what he was not asked about stays");
    assert_ne!(second["changed_at"], first["changed_at"]);
    let events = told(&world, &client, "client.consents").await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["why"], json!(["email no", "phone yes"]));
    let channels = &events[1]["consents"]["channels"];
    assert_eq!((&channels["sms"]["at"], &channels["sms"]["source"]), (&first["changed_at"], &json!("portal")));
    let bad = json!({"email": "yes", "topics": {"spam": true}});
    let answer = says(&world, &client, &bad).await;
    assert_eq!(faults(&answer), ["/email wrong_type", "/phone missing", "/sms missing", "/topics/spam unknown_field"]);
    expect(says(&world, "cli_00000000000000000000000000", &said).await, 404);
}

#[tokio::test]
async fn a_login_is_recorded_once_and_told_by_pseudonyms() {
    let world = World::start().await;
    let (client, other) = (world.client("en").await, world.client("de").await);
    let first = login(&world);
    let id = expect(logs_in(&world, &client, &first).await, 202).json;
    assert_eq!(expect(logs_in(&world, &client, &first).await, 202).json, id);
    world.pass(3_600).await;
    assert_eq!(expect(logs_in(&world, &client, &first).await, 202).json, id, "told of an hour later it is the same");
    // from elsewhere with the same device, and somebody else with it
    let mut elsewhere = login(&world);
    elsewhere["ip"] = json!("2001:db8::1");
    elsewhere["country"] = json!("CY");
    expect(logs_in(&world, &client, &elsewhere).await, 202);
    expect(logs_in(&world, &other, &first).await, 202);
    let own = told(&world, &client, "client.logged_in").await;
    assert_eq!(own.iter().map(|event| event["country"].as_str().unwrap()).collect::<Vec<_>>(), ["ES", "CY"]);
    assert_eq!(own[0]["device"], own[1]["device"]);
    assert_ne!(own[0]["ip"], own[1]["ip"]);
    let theirs = told(&world, &other, "client.logged_in").await;
    assert_eq!(
        (&theirs[0]["device"], &theirs[0]["ip"], &theirs[0]["late"]),
        (&own[0]["device"], &own[0]["ip"], &json!(true))
    );
    let answer = logs_in(&world, &client, &json!({"at": "now", "ip": "localhost", "country": "Spain"})).await;
    assert_eq!(faults(&answer), ["/at invalid_time", "/country unknown_country", "/ip invalid_ip"]);
    expect(logs_in(&world, "cli_00000000000000000000000000", &first).await, 404);
}

/// What makes an event of each type; the client whose journal has them.
pub async fn play(world: &World) -> Vec<String> {
    let client = world.client("en").await;
    expect(says(world, &client, &json!({"email": true, "sms": false, "phone": false})).await, 200);
    expect(logs_in(world, &client, &login(world)).await, 202);
    let path = format!("/v1/clients/{client}/appropriateness");
    let test = Call::put(&path, &json!({"passed": true})).token(world.broker.token("portal"));
    expect(world.send(test).await, 200);
    world.idle().await;
    vec![client]
}
