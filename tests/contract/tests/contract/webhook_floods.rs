//! A flood of webhooks: each vendor has a limit of its own, what is refused comes again, and what was taken is kept.

use std::collections::BTreeMap;

use broker::local::Options;
use domain::rule_sets::SetName;
use host::LocalTime;
use serde_json::json;

use crate::openapi;
use crate::world::{Call, World, expect, header};

const BURST: usize = 5;

/// A brokerage whose vendors may send five deliveries at once and one a second; its time stands until it is moved on.
async fn narrow() -> World {
    let parameters = [("WebhookRateLimit", 1), ("WebhookBurstLimit", BURST)];
    let parameters: BTreeMap<String, String> =
        parameters.map(|(name, value)| (name.to_owned(), value.to_string())).into();
    let time = LocalTime::standing("2026-11-25T20:00:00Z".parse().unwrap());
    World::with(Options { parameters, time: Some(time), ..Options::default() }).await
}

/// Sends until the vendor is refused; what the others were answered.
async fn flood(world: &World, path: &str) -> Vec<u16> {
    let mut answers = Vec::new();
    for _ in 0..10 * BURST {
        let answer = world.send(Call::raw(path, "junk").header("x-correlation-id", "flood")).await;
        if answer.status == 429 {
            assert_eq!(answer.json["type"], "urn:pipworks:problem:too-many-requests");
            assert_eq!(header(&answer, "retry-after"), Some("1"));
            assert_eq!(header(&answer, "x-correlation-id"), Some("flood"));
            assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
            return answers;
        }
        answers.push(answer.status);
    }
    panic!("{path} takes {answers:?}")
}

#[tokio::test]
async fn a_flood_of_junk_at_one_vendor_leaves_every_other_vendor_and_the_portal_alone() {
    let world = narrow().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "80.00", "praxis").await;
    let junk = flood(&world, "/v1/webhooks/psp/stripe").await;
    assert!(junk.len() == BURST && junk.iter().all(|status| *status == 401), "{junk:?}");
    expect(world.praxis(&world.sale(&payment, "approved", 8_000, "USD")).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    let meta = world.send(Call::raw("/v1/webhooks/leads/meta", "{}")).await;
    assert_eq!(meta.status, 401, "not refused for another's flood: {}", meta.text);
    world.deposit(&trader, "20.00", "stripe").await;
}

#[tokio::test]
async fn unknown_vendors_use_up_nobodys_limit() {
    let world = narrow().await;
    let unknown = flood(&world, "/v1/webhooks/psp/nobody").await;
    assert!(unknown.len() == BURST && unknown.iter().all(|status| *status == 404), "{unknown:?}");
    let next = world.send(Call::raw("/v1/webhooks/psp/somebody", "{}")).await;
    assert_eq!(next.status, 429, "all names without a path of their own share one limit");
    for path in ["/v1/webhooks/psp/stripe", "/v1/webhooks/psp/praxis", "/v1/webhooks/leads/meta", "/v1/webhooks/slack"]
    {
        let answer = world.send(Call::raw(path, "{}")).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_delivery_that_was_refused_in_a_flood_counts_when_it_comes_again_and_what_was_taken_is_kept() {
    let world = narrow().await;
    let trader = world.trader("USD").await;
    let (early, late) =
        (world.deposit(&trader, "50.00", "stripe").await, world.deposit(&trader, "60.00", "stripe").await);
    expect(world.stripe(&world.intent(&early, "payment_intent.succeeded", 5_000, "usd")).await, 200);
    flood(&world, "/v1/webhooks/psp/stripe").await;
    let before = world.stored().await;
    let event = world.intent(&late, "payment_intent.succeeded", 6_000, "usd");
    expect(world.stripe(&event).await, 429);
    assert_eq!(before, world.stored().await, "a refused delivery writes nothing");
    world.pass(1).await;
    expect(world.stripe(&event).await, 200);
    expect(world.stripe(&event).await, 429);
    for (payment, amount) in [(&early, "50.00"), (&late, "60.00")] {
        assert_eq!(world.status(&payment.id).await, "credited");
        assert_eq!(world.payment(&payment.id).await.json["credited"], json!({"amount": amount, "currency": "USD"}));
        assert_eq!(world.deals(&trader, payment).await.len(), 1);
    }
}

#[tokio::test]
async fn every_provider_of_the_seed_rules_has_a_path_and_so_a_limit_of_its_own() {
    let world = narrow().await;
    let psps = world.broker.rule_document(SetName::Psps).unwrap();
    let names: Vec<&str> = psps["psps"].as_array().unwrap().iter().map(|psp| psp["name"].as_str().unwrap()).collect();
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        let path = format!("/v1/webhooks/psp/{name}");
        assert_eq!(openapi::route(&path), Some(path.as_str()), "{name} would share the limit of unknown names");
    }
}

#[tokio::test]
async fn every_vendor_of_identity_checks_has_a_limit_of_its_own() {
    let world = narrow().await;
    let rules = world.broker.rule_document(SetName::KycVendors).unwrap();
    let vendors: Vec<&str> =
        rules["chain"].as_array().unwrap().iter().map(|rule| rule["vendor"].as_str().unwrap()).collect();
    assert_eq!(vendors.len(), 3, "{vendors:?}");
    for vendor in vendors {
        let path = format!("/v1/webhooks/kyc/{vendor}");
        let junk = flood(&world, &path).await;
        assert!(junk.len() == BURST && junk.iter().all(|status| *status == 401), "{vendor}: {junk:?}");
    }
    let unknown = flood(&world, "/v1/webhooks/kyc/nobody").await;
    assert!(unknown.iter().all(|status| *status == 404), "{unknown:?}");
}
