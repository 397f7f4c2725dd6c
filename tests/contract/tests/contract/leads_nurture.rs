//! Series of messages to leads: consent, quiet hours, exit, each message once.

use serde_json::json;

use crate::leads::floor;
use crate::world::{World, expect, items};

fn mails(world: &World) -> Vec<(String, String)> {
    let mails = world.broker.simulators.mails();
    mails.iter().map(|mail| (mail.to.join(","), mail.subject.clone())).collect()
}

/// Minute after minute, as the timers do it.
async fn hours(world: &World, hours: i64) {
    for _ in 0..hours {
        world.pass(3_600).await;
        world.sweep().await;
    }
}

async fn organic(world: &World, country: &str) -> String {
    let body = json!({
        "email": format!("low-{}@example.com", world.fresh()), "country": country, "full_name": "Eva Reyes",
        "source": {"channel": "organic"}, "consents": {"email": true},
    });
    let id = expect(world.portal("/v1/leads", &body).await, 202).text_at("/lead_id");
    assert_eq!(world.lead(&id).await["status"], "nurturing");
    id
}

#[tokio::test]
async fn the_series_runs_by_day_in_the_readers_language_and_each_message_comes_once() {
    // 16:30 in Mexico City
    let world = floor("2026-11-25T22:30:00Z").await;
    organic(&world, "MX").await;
    world.pass(599).await;
    world.sweep().await;
    assert_eq!(mails(&world), []);
    world.pass(2).await;
    world.sweep().await;
    world.sweep().await;
    let sent = mails(&world);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].1, "Bienvenido a Pipworks");
    hours(&world, 47).await;
    assert_eq!(mails(&world).len(), 1);
    hours(&world, 2).await;
    assert_eq!(mails(&world)[1].1, "Pruébelo sin riesgo");
    hours(&world, 4 * 24 + 1).await;
    assert_eq!(mails(&world)[2].1, "Three things to know before you trade", "there is no Spanish text of it");
    hours(&world, 5).await;
    assert_eq!(mails(&world).len(), 3, "that was the last");
}

#[tokio::test]
async fn nothing_is_sent_at_night_where_the_reader_lives() {
    // 21:30 in Madrid, 14:30 in Mexico City
    let world = floor("2026-11-25T20:30:00Z").await;
    organic(&world, "ES").await;
    organic(&world, "MX").await;
    world.pass(601).await;
    world.sweep().await;
    assert_eq!(mails(&world).len(), 1, "only the one in Mexico");
    hours(&world, 10).await;
    assert_eq!(mails(&world).len(), 1, "07:40 in Madrid");
    hours(&world, 1).await;
    assert_eq!(mails(&world).len(), 2);
}

#[tokio::test]
async fn consent_withdrawn_and_a_hot_lead_end_the_messages() {
    let world = floor("2026-11-25T18:00:00Z").await;
    let (quiet, hot) = (organic(&world, "MX").await, organic(&world, "MX").await);
    let said = expect(world.portal(&format!("/v1/leads/{quiet}/consents"), &json!({"email": false})).await, 202);
    assert_eq!(said.json["lead_id"], json!(quiet));
    for kind in ["form_completed", "kyc_started", "demo_video_watched"] {
        world.signal(&hot, kind).await;
    }
    assert_eq!(world.lead(&hot).await["assignment"]["rule_id"], "hot_latam");
    hours(&world, 24 * 6).await;
    assert_eq!(mails(&world), [], "neither of them is written to");
    expect(world.portal(&format!("/v1/leads/{quiet}/consents"), &json!({})).await, 422);
    expect(world.portal(&format!("/v1/leads/{quiet}/consents"), &json!({"fax": true})).await, 400);
}

#[tokio::test]
async fn a_mail_service_that_is_down_is_tried_again_and_a_broken_send_is_not() {
    let world = floor("2026-11-25T18:00:00Z").await;
    let lead = organic(&world, "MX").await;
    world.faults("mail", &json!([{"operation": "send_raw_email", "fault": {"kind": "refuse", "status": 500, "code": "ServiceUnavailable"}, "times": 6}])).await;
    world.pass(601).await;
    world.sweep().await;
    assert_eq!(mails(&world).len(), 0);
    world.no_faults("mail").await;
    world.pass(301).await;
    world.sweep().await;
    assert_eq!(mails(&world).len(), 1);
    let journal = items(&world.get("sales", &format!("/v1/journal?entity={lead}")).await);
    assert!(journal.iter().any(|line| line["outcome"] == "nurturing"), "{journal:#?}");
}

#[tokio::test]
async fn a_stranger_cannot_have_his_link_mailed_under_our_name() {
    // 16:30 in Mexico City
    let world = floor("2026-11-25T22:30:00Z").await;
    for name in ["https://evil.example/login", "www.evil.example Ana", "evil.example/unlock"] {
        let body = json!({
            "email": format!("victim-{}@example.com", world.fresh()), "country": "MX", "full_name": name,
            "source": {"channel": "organic"}, "consents": {"email": true},
        });
        expect(world.portal("/v1/leads", &body).await, 202);
    }
    world.idle().await;
    world.pass(601).await;
    world.sweep().await;
    let sent = world.broker.simulators.mails();
    assert_eq!(sent.len(), 3);
    for mail in sent {
        let text = mail.text.clone().unwrap_or_default();
        assert!(!text.contains("evil.example"), "{text}");
    }
}
