//! KYC with the services of AWS: whether the selfie shows the face of the document, whether somebody alive was there, and who reads.

use domain::rule_sets::SetName;
use serde_json::{Value, json};
use specimens::{jpeg, passport, statement};

use crate::kyc::{JPEG, announce, declare, kyc, register, seen_by, send, somebody, submit};
use crate::world::{World, expect, items};

async fn world() -> World {
    World::at("2026-11-23T10:00:00Z").await
}

/// A picture that is good enough; what is on it, the simulator is told.
fn selfie() -> Vec<u8> {
    let mut picture = passport(&somebody()).picture;
    picture.each(|_, _, colour| colour.map(|level| level * 0.9));
    jpeg(&picture, 85)
}

/// Sends a file; the id of its document.
async fn sent(world: &World, client: &str, kind: &str, file: Vec<u8>) -> String {
    expect(send(world, client, kind, JPEG, file).await, 200);
    let case = seen_by(world, "compliance", client).await;
    case["documents"].as_array().unwrap().last().unwrap()["document_id"].as_str().unwrap().to_owned()
}

/// A client who has sent passport and proof; both their ids come with it.
async fn with_documents(world: &World) -> (String, String) {
    let person = somebody();
    let client = register(world, &person).await;
    let document = sent(world, &client, "passport", jpeg(&passport(&person).picture, 85)).await;
    sent(world, &client, "proof_of_address", jpeg(&statement(&person).picture, 85)).await;
    (client, document)
}

fn key(client: &str, document: &str) -> String {
    format!("documents/{client}/{document}")
}

async fn script(world: &World, script: &Value) {
    world.control("rekognition", "script", script).await;
}

async fn status(world: &World, client: &str) -> Value {
    seen_by(world, "compliance", client).await
}

#[tokio::test]
async fn a_selfie_with_the_face_of_the_document_is_no_hindrance() {
    let world = world().await;
    let (client, _) = with_documents(&world).await;
    sent(&world, &client, "selfie", selfie()).await;
    let before = status(&world, &client).await;
    assert_eq!(
        (&before["checks"]["face_match"], &before["checks"]["liveness"]),
        (&json!("pending"), &json!("not_required"))
    );
    expect(declare(&world, &client).await, 200);
    world.idle().await;
    let case = status(&world, &client).await;
    assert_eq!((&case["status"], &case["checks"]["face_match"]), (&json!("approved"), &json!("passed")), "{case:#}");
    let journal = world.get("compliance", &format!("/v1/journal?entity={}", case["case_id"].as_str().unwrap())).await;
    assert!(journal.text.contains("passed, 99 of 100 alike"), "{}", journal.text);
}

#[tokio::test]
async fn another_face_is_a_matter_for_a_person_whatever_the_rules_say() {
    let world = world().await;
    world
        .publish(SetName::KycRisk, 2, |document| {
            document["decisions"].as_array_mut().unwrap().retain(|row| row["id"] != "other_face");
        })
        .await;
    let (client, document) = with_documents(&world).await;
    let selfie = sent(&world, &client, "selfie", selfie()).await;
    let (source, target) = (key(&client, &selfie), key(&client, &document));
    // just below what the rules ask for
    script(&world, &json!({"pairs": [{"source": source, "target": target, "similarity": 89.99}]})).await;
    expect(declare(&world, &client).await, 200);
    world.idle().await;
    let case = status(&world, &client).await;
    assert_eq!((&case["status"], &case["checks"]["face_match"]), (&json!("in_review"), &json!("failed")), "{case:#}");
    assert_eq!(case["decision"]["reasons"], json!(["face_differs"]));
    let work = items(&world.get("compliance", "/v1/work?queue=compliance").await);
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("kyc_review")), "{work:#?}");
}

#[tokio::test]
async fn a_selfie_without_a_face_is_asked_for_again_and_a_newer_one_counts() {
    let world = world().await;
    world
        .publish(SetName::Kyc, 2, |document| {
            document["requires"].as_array_mut().unwrap().push(json!({"id": "selfie", "any_of": ["selfie"]}));
        })
        .await;
    let (client, _) = with_documents(&world).await;
    expect(declare(&world, &client).await, 200);
    assert_eq!(status(&world, &client).await["status"], "collecting");
    // told before it is sent: with it the case is whole, and compared at once
    let announced = expect(announce(&world, &client, "selfie", JPEG, selfie().len()).await, 201);
    let first = announced.text_at("/document_id");
    script(&world, &json!({"pictures": [{"picture": key(&client, &first), "faces": 0}]})).await;
    assert_eq!(world.upload(&announced.json["upload"], selfie()).await, 200);
    expect(submit(&world, &client, &first).await, 200);
    world.idle().await;
    let case = status(&world, &client).await;
    assert_eq!(case["status"], "collecting", "{case:#}");
    let wanted = json!([{"step": "upload_document", "any_of": ["selfie"], "reasons": ["no_face"]}]);
    assert_eq!(case["next_steps"], wanted);
    sent(&world, &client, "selfie", selfie()).await;
    world.idle().await;
    let case = status(&world, &client).await;
    assert_eq!((&case["status"], &case["checks"]["face_match"]), (&json!("approved"), &json!("passed")), "{case:#}");
}

#[tokio::test]
async fn while_the_service_is_down_nothing_is_decided_and_then_it_is() {
    let world = world().await;
    let (client, _) = with_documents(&world).await;
    sent(&world, &client, "selfie", selfie()).await;
    world.faults("rekognition", &json!([{"operation": "*", "fault": {"kind": "drop"}, "times": 0}])).await;
    expect(declare(&world, &client).await, 200);
    world.idle().await;
    let case = status(&world, &client).await;
    assert_eq!((&case["status"], &case["checks"]["face_match"]), (&json!("verifying"), &json!("pending")), "{case:#}");
    world.no_faults("rekognition").await;
    world.pass(301).await;
    world.sweep().await;
    world.idle().await;
    assert_eq!(status(&world, &client).await["status"], "approved");
}

async fn with_liveness() -> World {
    let world = world().await;
    world.publish(SetName::Kyc, 2, |document| document["faces"]["liveness_required"] = json!(true)).await;
    world
}

async fn begin(world: &World, client: &str, expected: u16) -> Value {
    expect(world.portal(&format!("{}/liveness", kyc(client)), &json!({})).await, expected).json
}

async fn result(world: &World, client: &str) -> Value {
    expect(world.portal(&format!("{}/liveness/result", kyc(client)), &json!({})).await, 200).json["status"].clone()
}

#[tokio::test]
async fn where_the_rules_ask_for_it_somebody_alive_has_to_be_there() {
    let world = with_liveness().await;
    let (client, _) = with_documents(&world).await;
    expect(world.portal(&format!("{}/liveness/result", kyc(&client)), &json!({})).await, 409);
    let declared = expect(declare(&world, &client).await, 200);
    assert_eq!(declared.json, json!({"status": "collecting", "next_steps": [{"step": "check_liveness"}]}));
    let (first, again) = (begin(&world, &client, 201).await, begin(&world, &client, 201).await);
    assert_eq!(first, again, "one attempt is one session");
    script(&world, &json!({"liveness": {"status": "CREATED", "confidence": 0, "reference": false}})).await;
    assert_eq!(result(&world, &client).await, "pending");
    // that it ran is not that somebody is alive: the figure counts
    script(&world, &json!({"liveness": {"status": "SUCCEEDED", "confidence": 79.9, "reference": true}})).await;
    assert_eq!(result(&world, &client).await, "failed");
    assert_eq!(result(&world, &client).await, "failed", "asked again");
    assert_eq!(status(&world, &client).await["status"], "collecting");
    let second = begin(&world, &client, 201).await;
    assert_eq!(second["attempt"], 2);
    assert_ne!(first["session_id"], second["session_id"]);
    script(&world, &json!({"liveness": {"status": "SUCCEEDED", "confidence": 96.1, "reference": true}})).await;
    assert_eq!(result(&world, &client).await, "passed");
    world.idle().await;
    let case = status(&world, &client).await;
    assert_eq!((&case["status"], &case["checks"]["liveness"]), (&json!("approved"), &json!("passed")), "{case:#}");
    begin(&world, &client, 409).await;
    let journal = world.get("compliance", &format!("/v1/journal?client={client}")).await;
    assert!(!journal.text.contains(first["session_id"].as_str().unwrap()), "the session is the client's alone");
}

#[tokio::test]
async fn who_never_shows_a_face_ends_with_a_person() {
    let world = with_liveness().await;
    let (client, _) = with_documents(&world).await;
    expect(declare(&world, &client).await, 200);
    for attempt in 1..=3 {
        assert_eq!(begin(&world, &client, 201).await["attempt"], attempt);
        world.pass(181).await;
    }
    begin(&world, &client, 409).await;
    world.idle().await;
    let case = status(&world, &client).await;
    assert_eq!((&case["status"], &case["checks"]["liveness"]), (&json!("in_review"), &json!("expired")), "{case:#}");
}

#[tokio::test]
async fn another_reader_reads_what_the_local_one_would() {
    let world = world().await;
    let url = world.broker.simulators.url("rekognition").to_owned();
    world.publish(SetName::Kyc, 2, |document| document["reader"] = json!({"textract": url})).await;
    let person = somebody();
    let client = register(&world, &person).await;
    let (front, bill) = (passport(&person), statement(&person));
    let blank = jpeg(&front.picture, 85);
    let (mut texts, mut documents) = (vec![], vec![]);
    let printed: Vec<String> = front.printed.into_iter().chain(front.zone).collect();
    for (kind, lines) in [("passport", printed), ("proof_of_address", bill.printed)] {
        let announced = expect(announce(&world, &client, kind, JPEG, blank.len()).await, 201);
        let document = announced.text_at("/document_id");
        texts.push(json!({"picture": key(&client, &document), "lines": lines, "confidence": 99.4}));
        assert_eq!(world.upload(&announced.json["upload"], blank.clone()).await, 200);
        documents.push(document);
    }
    script(&world, &json!({"texts": texts})).await;
    for document in &documents {
        assert_eq!(expect(submit(&world, &client, document).await, 200).json["status"], "accepted");
    }
    expect(declare(&world, &client).await, 200);
    world.idle().await;
    let case = status(&world, &client).await;
    assert_eq!(case["status"], "approved", "{case:#}");
    assert_eq!(case["extracted"]["date_of_birth"], json!(person.birth.iso()));
    let journal = world.get("compliance", &format!("/v1/journal?entity={}", documents[0])).await;
    assert!(journal.text.contains("textract"), "{}", journal.text);
}
