//! Checks at vendors: opened, told of, asked for, moved to the next vendor, and what a case makes of them.

use broker::api::Answer;
use domain::rule_sets::SetName;
use serde_json::{Value, json};
use specimens::{jpeg, passport, statement};

use crate::kyc::{JPEG, declare, kyc, register, seen_by, send, somebody};
use crate::signing;
use crate::world::{Call, World, expect, items};

const START: &str = "2026-11-23T10:00:00Z";
const SUMSUB: &str = "/v1/webhooks/kyc/sumsub";

/// A client who has sent everything but what says who he is; his check is open at Sumsub.
async fn newcomer(world: &World) -> String {
    let client = register(world, &somebody()).await;
    everything_else(world, &client).await;
    client
}

async fn everything_else(world: &World, client: &str) {
    let proof = jpeg(&statement(&somebody()).picture, 85);
    expect(send(world, client, "proof_of_address", JPEG, proof).await, 200);
    expect(declare(world, client).await, 200);
    world.idle().await;
}

async fn own_document(world: &World, client: &str) {
    expect(send(world, client, "passport", JPEG, jpeg(&passport(&somebody()).picture, 85)).await, 200);
    world.idle().await;
}

async fn vendor_of(world: &World, client: &str) -> Value {
    seen_by(world, "compliance", client).await["vendor"].clone()
}

async fn decide(world: &World, vendor: &str, client: &str, outcome: &str, more: Value) {
    let mut order = json!({"client_id": client, "outcome": outcome});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.control(vendor, "decide", &order).await;
    world.idle().await;
}

async fn link(world: &World, client: &str) -> Answer {
    world.portal(&format!("{}/verification", kyc(client)), &json!({})).await
}

/// Sumsub's statement that an applicant was reviewed, as of a second of the world's day.
fn reviewed(client: &str, applicant: &str, result: Value, at: &str) -> Value {
    json!({
        "applicantId": applicant, "externalUserId": client, "levelName": "basic-kyc", "type": "applicantReviewed",
        "reviewStatus": "completed", "reviewResult": result, "sandboxMode": false, "createdAtMs": at,
    })
}

async fn deliver(world: &World, message: &Value) -> Answer {
    let body = message.to_string();
    let secret = world.broker.webhook_secrets["sumsub"].as_str().unwrap();
    let digest = signing::of_body(secret, &body);
    let call = Call::raw(SUMSUB, body).header("content-type", "application/json");
    let call = call.header("x-payload-digest", &digest).header("x-payload-digest-alg", "HMAC_SHA256_HEX");
    let answer = world.send(call).await;
    world.idle().await;
    answer
}

async fn published(world: &World, change: impl FnOnce(&mut Value)) {
    world.publish(SetName::KycVendors, 2, change).await;
}

/// Time passes in steps in which the timers look.
async fn later(world: &World, steps: u32, seconds: u64) {
    for _ in 0..steps {
        world.pass(seconds).await;
        world.sweep().await;
    }
}

fn down(operation: &str) -> Value {
    json!({"operation": operation, "fault": {"kind": "refuse", "status": 503}, "times": 0})
}

#[tokio::test]
async fn a_vendors_approval_does_instead_of_a_document_that_says_who_the_client_is() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!((&case["status"], &case["vendor"]["name"]), (&json!("collecting"), &json!("sumsub")), "{case:#}");
    let applicant = case["vendor"]["applicant_id"].as_str().unwrap().to_owned();
    let steps: Vec<&Value> = case["next_steps"].as_array().unwrap().iter().map(|step| &step["step"]).collect();
    assert_eq!(steps, [&json!("upload_document"), &json!("verify_identity")]);
    let given = expect(link(&world, &client).await, 200);
    assert_eq!(given.json["applicant_id"], json!(applicant));
    let url = given.text_at("/url");
    assert!(url.contains(&applicant) && url.contains("/apply/"), "{url}");

    decide(&world, "sumsub", &client, "approved", json!({})).await;
    let case = seen_by(&world, "compliance", &client).await;
    assert_eq!((&case["status"], &case["vendor"]["status"]), (&json!("approved"), &json!("approved")), "{case:#}");
    assert_eq!(case["decision"]["by"], "rule");
    expect(link(&world, &client).await, 409);
    // the link is in no journal, and in nothing else that anybody but the portal reads
    let journal = expect(world.get("admin", &format!("/v1/journal?client={client}&limit=100")).await, 200);
    assert!(journal.text.contains("sumsub says approved"), "{}", journal.text);
    assert!(!journal.text.contains("/apply/"), "the journal has the link");
}

#[tokio::test]
async fn without_a_vendor_documents_are_enough() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    own_document(&world, &client).await;
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!((&case["status"], &case["vendor"]["status"]), (&json!("approved"), &json!("pending")), "{case:#}");
}

#[tokio::test]
async fn what_is_forged_unknown_or_too_large_writes_nothing() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    let applicant = vendor_of(&world, &client).await["applicant_id"].as_str().unwrap().to_owned();
    let green = reviewed(&client, &applicant, json!({"reviewAnswer": "GREEN"}), "2026-11-23 11:00:00.000");
    let before = world.stored().await;
    let unsigned = Call::raw(SUMSUB, green.to_string()).header("content-type", "application/json");
    expect(world.send(unsigned.clone()).await, 401);
    let wrong = signing::of_body("another secret", &green.to_string());
    let forged = unsigned.header("x-payload-digest", &wrong).header("x-payload-digest-alg", "HMAC_SHA256_HEX");
    expect(world.send(forged).await, 401);
    for vendor in ["onfido", "veriff"] {
        expect(world.send(Call::raw(&format!("/v1/webhooks/kyc/{vendor}"), "{}")).await, 401);
    }
    expect(world.send(Call::raw("/v1/webhooks/kyc/jumio", "{}")).await, 404);
    expect(world.send(Call::raw(SUMSUB, vec![b' '; 300_000])).await, 413);
    world
        .control(
            "sumsub",
            "webhook",
            &json!({
                "type": "applicantReviewed", "client_id": client, "webhook": {"signature": "tampered"},
            }),
        )
        .await;
    assert_eq!(before, world.stored().await);
    assert_eq!(vendor_of(&world, &client).await["status"], "pending");
}

#[tokio::test]
async fn a_statement_counts_once_and_the_later_one_counts() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    let applicant = vendor_of(&world, &client).await["applicant_id"].as_str().unwrap().to_owned();
    let again = json!({"reviewAnswer": "RED", "reviewRejectType": "RETRY", "rejectLabels": ["BAD_SELFIE"]});
    let retry = reviewed(&client, &applicant, again, "2026-11-23 11:00:00.500");
    expect(deliver(&world, &retry).await, 200);
    assert_eq!(vendor_of(&world, &client).await["labels"], json!(["BAD_SELFIE"]));
    let before = world.stored().await;
    expect(deliver(&world, &retry).await, 200);
    assert_eq!(before, world.stored().await, "a second delivery writes nothing");
    // what was before it came later
    let green = json!({"reviewAnswer": "GREEN"});
    expect(deliver(&world, &reviewed(&client, &applicant, green.clone(), "2026-11-23 11:00:00.499")).await, 200);
    assert_eq!(vendor_of(&world, &client).await["status"], "retry");
    expect(deliver(&world, &reviewed(&client, &applicant, green, "2026-11-23 11:00:00.501")).await, 200);
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "approved");
}

#[tokio::test]
async fn an_applicant_that_is_none_of_ours_is_taken_and_noted() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    let green = || json!({"reviewAnswer": "GREEN"});
    let stranger = "cli_01m83t4cm0ej7tc0zp3q03dde5";
    for (at, whose, applicant) in [
        ("2026-11-23 11:00:00.000", stranger, "never-was"),
        ("2026-11-23 11:00:01.000", "somebody-else", "never-was"),
        ("2026-11-23 11:00:02.000", client.as_str(), "another-applicant"),
    ] {
        expect(deliver(&world, &reviewed(whose, applicant, green(), at)).await, 200);
    }
    assert_eq!(vendor_of(&world, &client).await["status"], "pending");
    let journal = expect(world.get("admin", &format!("/v1/journal?client={stranger}")).await, 200);
    let outcomes: Vec<Value> = items(&journal).iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes, [json!("heard"), json!("unknown_applicant")]);
    assert!(items(&expect(world.get("admin", "/v1/work").await, 200)).is_empty());
}

#[tokio::test]
async fn who_may_try_again_is_told_in_the_vendors_words_and_passes_then() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    let words = json!({"labels": ["UNSATISFACTORY_PHOTOS"], "comment": "Quítese las gafas."});
    decide(&world, "sumsub", &client, "retry", words).await;
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!((&case["status"], &case["vendor"]["status"]), (&json!("collecting"), &json!("retry")), "{case:#}");
    let step = case["next_steps"].as_array().unwrap().iter().find(|step| step["step"] == "verify_identity").unwrap();
    assert_eq!(step["messages"], json!(["Quítese las gafas."]));
    let messages = expect(world.get("portal", &format!("/v1/clients/{client}/notifications")).await, 200);
    assert!(messages.text.contains("Vuelva a verificar su identidad"), "{}", messages.text);
    let journal = expect(world.get("admin", &format!("/v1/journal?client={client}&limit=100")).await, 200);
    assert!(!journal.text.contains("gafas"), "the vendor's words are in the journal");
    expect(link(&world, &client).await, 200);
    decide(&world, "sumsub", &client, "approved", json!({})).await;
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "approved");
}

#[tokio::test]
async fn who_is_refused_for_good_is_rejected_by_rule_and_the_journal_says_why() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    decide(&world, "sumsub", &client, "final", json!({"labels": ["FORGERY"]})).await;
    let case = seen_by(&world, "compliance", &client).await;
    assert_eq!((&case["status"], &case["vendor"]["status"]), (&json!("rejected"), &json!("final")), "{case:#}");
    assert_eq!(case["decision"]["reasons"], json!(["identity_not_confirmed"]));
    assert_eq!(seen_by(&world, "portal", &client).await["vendor"]["status"], "pending");
}

#[tokio::test]
async fn an_approval_that_a_vendor_takes_back_locks_nothing_and_is_a_persons() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    decide(&world, "sumsub", &client, "approved", json!({})).await;
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "approved");
    world.pass(86_400).await;
    decide(&world, "sumsub", &client, "final", json!({"labels": ["FORGERY"]})).await;
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "approved", "no machine locks a client");
    let work = items(&world.get("compliance", "/v1/work?queue=compliance").await);
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("kyc_approval_contradicted")), "{work:#?}");
    let id = work[0]["work_id"].as_str().unwrap();
    expect(world.act("compliance", id, &json!({"action": "reject", "note": "forged"})).await, 200);
    world.idle().await;
    let case = seen_by(&world, "compliance", &client).await;
    assert_eq!((&case["status"], &case["decision"]["by"]), (&json!("rejected"), &json!("person")), "{case:#}");
}

#[tokio::test]
async fn a_contradicted_client_stays_approved_where_a_person_says_so_and_a_new_word_is_a_new_item() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    own_document(&world, &client).await;
    decide(&world, "sumsub", &client, "final", json!({})).await;
    for round in 1..=2 {
        let work = items(&world.get("compliance", "/v1/work?queue=compliance&status=open").await);
        assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("kyc_approval_contradicted")), "{round} {work:#?}");
        let id = work[0]["work_id"].as_str().unwrap();
        expect(world.act("compliance", id, &json!({"action": "approve", "note": "a mistake of theirs"})).await, 200);
        world.idle().await;
        assert_eq!(seen_by(&world, "portal", &client).await["status"], "approved");
        decide(&world, "sumsub", &client, "approved", json!({})).await;
        decide(&world, "sumsub", &client, "revoked", json!({})).await;
    }
}

#[tokio::test]
async fn a_vendor_that_is_down_is_followed_by_the_next() {
    let world = World::at(START).await;
    world.faults("sumsub", &json!([down("find_applicant")])).await;
    let client = newcomer(&world).await;
    assert_eq!(vendor_of(&world, &client).await["name"], "sumsub", "it is tried again first");
    later(&world, 3, 61).await;
    let vendor = vendor_of(&world, &client).await;
    assert_eq!((&vendor["name"], &vendor["status"]), (&json!("onfido"), &json!("pending")), "{vendor:#}");
    let tried = &vendor["tried"][0];
    assert_eq!((&tried["vendor"], &tried["why"]), (&json!("sumsub"), &json!("unavailable")));
    let given = expect(link(&world, &client).await, 200);
    assert_eq!(given.json["vendor"], "onfido");
    // its webhook names no client: it is asked whose run that is, and it is busy at first
    let busy = json!({"operation": "get_run", "fault": {"kind": "refuse", "status": 429, "retry_after": 1}});
    world.faults("onfido", &json!([busy])).await;
    decide(&world, "onfido", &client, "approved", json!({})).await;
    assert_eq!(vendor_of(&world, &client).await["status"], "pending");
    later(&world, 1, 181).await;
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!((&case["status"], &case["vendor"]["status"]), (&json!("approved"), &json!("approved")), "{case:#}");
}

#[tokio::test]
async fn where_no_vendor_is_there_the_case_goes_on_without_or_to_a_person_where_one_is_required() {
    for required in [false, true] {
        let world = World::at(START).await;
        if required {
            published(&world, |document| document["required"] = json!("always")).await;
        }
        world.faults("sumsub", &json!([down("*")])).await;
        world.faults("onfido", &json!([down("*")])).await;
        world
            .faults("veriff", &json!([{"operation": "create_session", "fault": {"kind": "refuse", "status": 400}}]))
            .await;
        let client = newcomer(&world).await;
        own_document(&world, &client).await;
        later(&world, 8, 61).await;
        let case = seen_by(&world, "compliance", &client).await;
        assert_eq!(case["vendor"]["status"], "unavailable", "{case:#}");
        assert_eq!(case["vendor"]["tried"].as_array().unwrap().len(), 3);
        let work = items(&world.get("compliance", "/v1/work?queue=compliance").await);
        if !required {
            assert_eq!((&case["status"], work.len()), (&json!("approved"), 0), "{case:#}");
            continue;
        }
        assert_eq!((&case["status"], &work[0]["kind"]), (&json!("in_review"), &json!("kyc_checks_overdue")));
        // it is mended, and the checks begin again
        for vendor in ["sumsub", "onfido"] {
            world.no_faults(vendor).await;
        }
        let id = work[0]["work_id"].as_str().unwrap();
        expect(world.act("compliance", id, &json!({"action": "check_again"})).await, 200);
        world.idle().await;
        let case = seen_by(&world, "portal", &client).await;
        assert_eq!((&case["status"], &case["vendor"]["name"]), (&json!("collecting"), &json!("sumsub")), "{case:#}");
        decide(&world, "sumsub", &client, "approved", json!({})).await;
        assert_eq!(seen_by(&world, "portal", &client).await["status"], "approved");
    }
}

#[tokio::test]
async fn a_vendor_that_does_not_tell_is_asked() {
    let world = World::at(START).await;
    let client = newcomer(&world).await;
    decide(&world, "sumsub", &client, "approved", json!({"webhook": {"never": true}})).await;
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "collecting");
    // it does not answer at first
    world.faults("sumsub", &json!([{"operation": "get_applicant", "fault": {"kind": "drop"}, "times": 2}])).await;
    later(&world, 1, 901).await;
    assert_eq!(vendor_of(&world, &client).await["status"], "pending");
    later(&world, 2, 61).await;
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!((&case["status"], &case["vendor"]["status"]), (&json!("approved"), &json!("approved")), "{case:#}");
}

#[tokio::test]
async fn an_applicant_whose_answer_was_lost_is_found_and_what_was_told_of_him_meanwhile_is_not_lost() {
    let world = World::at(START).await;
    let client = register(&world, &somebody()).await;
    world
        .faults(
            "sumsub",
            &json!([
                {"operation": "create_applicant", "fault": {"kind": "apply_then_drop"}},
                {"operation": "make_link", "fault": {"kind": "drop"}, "times": 1},
            ]),
        )
        .await;
    everything_else(&world, &client).await;
    let vendor = vendor_of(&world, &client).await;
    assert_eq!((&vendor["status"], vendor.get("applicant_id")), (&json!("pending"), None), "{vendor:#}");
    decide(&world, "sumsub", &client, "approved", json!({})).await;
    assert_eq!(
        vendor_of(&world, &client).await.get("applicant_id"),
        None,
        "it is not known yet which applicant that is"
    );
    // on a slow machine the answer that is missing is given up a round later
    later(&world, 3, 61).await;
    let case = seen_by(&world, "portal", &client).await;
    assert_eq!((&case["status"], &case["vendor"]["status"]), (&json!("approved"), &json!("approved")), "{case:#}");
    let made = world.recorded("sumsub", &format!("client_id={client}")).await;
    assert_eq!(made["checks"].as_array().unwrap().len(), 1, "{made:#}");
}

#[tokio::test]
async fn a_client_can_begin_at_the_vendor_and_gets_a_new_link_when_the_old_one_is_over() {
    let world = World::at(START).await;
    let client = register(&world, &somebody()).await;
    let first = expect(link(&world, &client).await, 200);
    world.idle().await;
    let again = expect(link(&world, &client).await, 200);
    assert_eq!((&first.json["url"], &first.json["expires_at"]), (&again.json["url"], &again.json["expires_at"]));
    world.pass(1_800).await;
    let renewed = expect(link(&world, &client).await, 200);
    assert_eq!(first.json["applicant_id"], renewed.json["applicant_id"]);
    assert_ne!(first.json["expires_at"], renewed.json["expires_at"]);
    let other = world.mint("portal", &["portal"], Some("cli_01m83t4cm0ej7tc0zp3q03dde5"));
    let call = Call::post(&format!("{}/verification", kyc(&client)), &json!({})).token(&other);
    expect(world.send(call).await, 403);
    decide(&world, "sumsub", &client, "approved", json!({})).await;
    everything_else(&world, &client).await;
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "approved");
}

#[tokio::test]
async fn a_session_that_expired_begins_anew_when_the_client_comes() {
    let world = World::at(START).await;
    published(&world, |document| {
        let chain = document["chain"].as_array_mut().unwrap();
        chain.retain(|rule| rule["vendor"] == "veriff");
    })
    .await;
    let client = newcomer(&world).await;
    let first = expect(link(&world, &client).await, 200);
    assert_eq!(first.json["vendor"], "veriff");
    decide(&world, "veriff", &client, "expired", json!({})).await;
    assert_eq!(vendor_of(&world, &client).await["status"], "expired");
    let second = expect(link(&world, &client).await, 200);
    assert_ne!(first.json["applicant_id"], second.json["applicant_id"]);
    decide(&world, "veriff", &client, "approved", json!({})).await;
    assert_eq!(seen_by(&world, "portal", &client).await["status"], "approved");
}

/// Makes events of every type of checks, and those of cases that only vendors set off; the clients.
pub async fn play(world: &World) -> Vec<String> {
    let client = newcomer(world).await;
    decide(world, "sumsub", &client, "retry", json!({"labels": ["BAD_SELFIE"], "comment": "Take off your glasses."}))
        .await;
    decide(world, "sumsub", &client, "approved", json!({})).await;
    decide(world, "sumsub", &client, "final", json!({"labels": ["FORGERY"]})).await;
    vec![client]
}
