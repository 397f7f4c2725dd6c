//! Messages: in the portal, by e-mail, to the desk; once each, in the client's language.

use std::collections::BTreeMap;
use std::time::Duration;

use broker::local::Options;
use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::world::{Trader, World, account_request, expect, items, registration};

async fn messages(world: &World, trader: &Trader) -> Vec<Value> {
    world.idle().await;
    items(&world.get("portal", &format!("/v1/clients/{}/notifications?limit=100", trader.client)).await)
}

fn kinds(messages: &[Value]) -> Vec<&str> {
    messages.iter().rev().map(|message| message["kind"].as_str().unwrap()).collect()
}

/// The subjects of all mails by recipient.
fn mails(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut by_recipient: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mail in world.broker.simulators.mails() {
        assert_eq!(mail.to.len(), 1);
        assert_eq!(mail.from, "desk@broker.test");
        by_recipient.entry(mail.to[0].clone()).or_default().push(mail.subject.clone());
    }
    by_recipient
}

async fn slack(world: &World) -> Vec<String> {
    world.idle().await;
    let state = world.recorded("slack", "").await;
    state["messages"].as_array().unwrap().iter().map(|message| message["message"].to_string()).collect()
}

/// A client with a known address and an open account.
async fn addressed(world: &World, email: &str, language: &str) -> Trader {
    let mut body = registration();
    body["email"] = json!(email);
    body["language"] = json!(language);
    let client = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
    world.account(&client, "USD").await
}

#[tokio::test]
async fn each_stage_is_told_once_in_the_portal_and_by_mail_where_it_matters() {
    let world = World::start().await;
    let trader = addressed(&world, "ana@example.com", "en").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    let told = messages(&world, &trader).await;
    assert_eq!(kinds(&told), ["account.open", "deposit.pending", "deposit.paid", "deposit.credited"]);
    let credited = &told[0];
    assert_eq!(credited["title"], "100.00 USD is in your trading account");
    assert!(credited["body"].as_str().unwrap().contains(&trader.login));
    assert!(credited["body"].as_str().unwrap().contains(&payment.id));
    assert_eq!(credited["language"], "en");
    assert_eq!(credited["read"], false);
    let subjects = mails(&world).remove("ana@example.com").unwrap();
    assert_eq!(subjects, ["Your trading account is open", "100.00 USD is in your trading account"]);
    assert!(slack(&world).await.is_empty(), "nobody of the desk has anything to do");
}

#[tokio::test]
async fn a_review_is_told_to_the_client_and_to_the_desk() {
    let world = World::start().await;
    let trader = addressed(&world, "ben@example.com", "en").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    let told = messages(&world, &trader).await;
    assert_eq!(kinds(&told), ["account.open", "deposit.pending", "deposit.needs_review"]);
    // what is wrong with the payment is not for the client
    assert!(!told[0]["body"].as_str().unwrap().contains("90.00"));
    assert_eq!(mails(&world)["ben@example.com"][1], "We are checking your deposit");
    let posts = slack(&world).await;
    assert_eq!(posts.len(), 1);
    let work = world.work_of(&payment.id).await.remove(0);
    for part in ["deposit_underpaid", "finance", work["work_id"].as_str().unwrap(), &payment.id] {
        assert!(posts[0].contains(part), "{part} in {}", posts[0]);
    }
    expect(
        world.act("finance", work["work_id"].as_str().unwrap(), &json!({"action": "close_without_credit"})).await,
        200,
    );
    assert_eq!(kinds(&messages(&world, &trader).await)[3..], ["deposit.failed"]);
    assert_eq!(mails(&world)["ben@example.com"][2], "Your deposit did not go through");
    // it was his first, so somebody is to call him
    let posts = slack(&world).await;
    assert_eq!(posts.len(), 2);
    assert!(posts.iter().any(|post| post.contains("retention_deposit_failed")), "{posts:?}");
}

#[tokio::test]
async fn a_failure_a_refund_and_a_refused_account_are_told() {
    let world = World::start().await;
    let trader = addressed(&world, "carla@example.com", "en").await;
    let failed = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&failed, "payment_intent.payment_failed", 10_000, "usd")).await, 200);
    world.idle().await;
    let refunded = world.credited(&trader, "20.00", 2_000).await;
    let mut refund = world.intent(&refunded, "charge.refunded", 2_000, "usd");
    refund["data"]["object"]["amount_refunded"] = json!(2_000);
    expect(world.stripe(&refund).await, 200);
    world.idle().await;
    world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "refuse", "retcode": 3}}])).await;
    expect(world.portal(&format!("/v1/clients/{}/accounts", trader.client), &account_request("EUR")).await, 202);
    let told = messages(&world, &trader).await;
    let mut all = kinds(&told);
    all.sort_unstable();
    assert_eq!(
        all,
        [
            "account.failed",
            "account.open",
            "deposit.credited",
            "deposit.failed",
            "deposit.paid",
            "deposit.pending",
            "deposit.pending",
            "deposit.refunded",
        ]
    );
    assert_eq!(mails(&world)["carla@example.com"].len(), 5);
    // of the deposit that failed, for it was her first; of what was refunded after the credit; of the account
    let posts = slack(&world).await;
    assert_eq!(posts.len(), 3, "{posts:?}");
}

/// Portuguese, and Portuguese of Portugal, for the first message only.
fn with_portuguese(set: SetName, document: &mut Value) {
    if set == SetName::Notifications {
        let template = &mut document["templates"]["deposit_pending"];
        template["pt"] = json!({"title": "Depósito iniciado", "body": "Aguardamos {{requested}}."});
        template["pt-PT"] = json!({"title": "Depósito começado", "body": "Aguardamos {{requested}}."});
    }
}

#[tokio::test]
async fn a_message_is_in_the_client_s_language_or_its_base_or_the_default_one() {
    let world = World::with(Options { adjust: Some(with_portuguese), ..Options::default() }).await;
    for (language, opened, pending, title) in [
        ("pt-BR", "en", "pt", "Depósito iniciado"),
        ("pt-PT", "en", "pt-PT", "Depósito começado"),
        ("pt", "en", "pt", "Depósito iniciado"),
        ("PT-br", "en", "pt", "Depósito iniciado"),
        ("es-MX", "es", "es", "Hemos iniciado su depósito"),
        ("de", "de", "de", "Ihre Einzahlung wurde begonnen"),
        ("fi", "en", "en", "Your deposit has been started"),
        ("zh-Hant-TW", "en", "en", "Your deposit has been started"),
    ] {
        let client = world.client(language).await;
        let trader = world.account(&client, "USD").await;
        world.deposit(&trader, "100.00", "stripe").await;
        let told = messages(&world, &trader).await;
        assert_eq!(told[1]["language"], opened, "{language}");
        assert_eq!(told[0]["language"], pending, "{language}");
        assert_eq!(told[0]["title"], title, "{language}");
    }
    let arabic = addressed(&world, "layla@example.com", "ar").await;
    world.credited(&arabic, "100.00", 10_000).await;
    let subjects = mails(&world).remove("layla@example.com").unwrap();
    // amounts keep their order inside right-to-left text
    assert!(subjects[1].contains("\u{2068}100.00 USD\u{2069}"), "{subjects:?}");
}

#[tokio::test]
async fn a_message_is_read_once_and_stays_read() {
    let world = World::start().await;
    let (trader, other) = (world.trader("USD").await, world.trader("USD").await);
    let first = messages(&world, &trader).await.remove(0);
    let id = first["id"].as_str().unwrap();
    let path = format!("/v1/clients/{}/notifications/{id}/read", trader.client);
    for _ in 0..2 {
        let answer =
            expect(world.send(crate::world::Call::raw(&path, "").token(world.broker.token("portal"))).await, 200);
        assert_eq!(answer.json, json!({"id": id, "read": true}));
        assert_eq!(messages(&world, &trader).await[0]["read"], true);
    }
    // another client's message is not there, whoever asks
    let foreign = format!("/v1/clients/{}/notifications/{id}/read", other.client);
    expect(world.portal(&foreign, &json!({})).await, 404);
    assert_eq!(messages(&world, &other).await[0]["read"], false);
}

/// Delivers every message three times.
struct Thrice;

impl host::Delivery for Thrice {
    fn delays(&self, _: &str, _: &str) -> Vec<Duration> {
        vec![Duration::ZERO, Duration::ZERO, Duration::from_millis(50)]
    }
}

#[tokio::test]
async fn messages_delivered_three_times_tell_everybody_once() {
    let world = World::with(Options { delivery: Some(std::sync::Arc::new(Thrice)), ..Options::default() }).await;
    let trader = addressed(&world, "dora@example.com", "en").await;
    world.broker.host.settled().await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    world.broker.host.settled().await;
    let work = world.work_of(&payment.id).await;
    assert_eq!(work.len(), 1);
    expect(
        world.act("finance", work[0]["work_id"].as_str().unwrap(), &json!({"action": "credit_paid_amount"})).await,
        200,
    );
    world.broker.host.settled().await;
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    let told = messages(&world, &trader).await;
    assert_eq!(
        kinds(&told),
        ["account.open", "deposit.pending", "deposit.needs_review", "deposit.paid", "deposit.credited"]
    );
    assert_eq!(mails(&world)["dora@example.com"].len(), 3, "{:?}", mails(&world));
    assert_eq!(slack(&world).await.len(), 1);
}

#[tokio::test]
async fn a_mail_service_that_is_down_is_tried_again_and_the_mail_sent_once() {
    let world = World::start().await;
    world
        .faults("mail", &json!([{"operation": "send_email", "fault": {"kind": "refuse", "status": 503}, "times": 2}]))
        .await;
    let trader = addressed(&world, "emil@example.com", "en").await;
    world.broker.host.settled().await;
    assert_eq!(mails(&world)["emil@example.com"].len(), 1);
    assert_eq!(kinds(&messages(&world, &trader).await), ["account.open"]);
}

#[tokio::test]
async fn an_open_account_is_told_with_the_login_and_the_server_that_clients_know_and_without_a_password() {
    let world = World::start().await;
    for (n, (platform, server)) in [
        ("mt5", "Pipworks-Live"),
        ("mt4", "Pipworks-Live4"),
        ("ctrader", "Pipworks-Live-cTrader"),
        ("dxtrade", "Pipworks-Live-DXtrade"),
    ]
    .into_iter()
    .enumerate()
    {
        let (language, subject) = [
            ("en", "Your trading account is open"),
            ("es-MX", "Su cuenta de trading está abierta"),
            ("de", "Ihr Handelskonto ist eröffnet"),
            ("ar", "تم فتح حساب التداول الخاص بك"),
        ][n];
        let mut registration = registration();
        registration["email"] = json!(format!("{platform}@example.com"));
        registration["language"] = json!(language);
        let client = expect(world.portal("/v1/clients", &registration).await, 201).text_at("/client_id");
        let mut body = account_request("USD");
        body["platform"] = json!(platform);
        let account =
            expect(world.portal(&format!("/v1/clients/{client}/accounts"), &body).await, 202).text_at("/account_id");
        world.idle().await;
        let shown = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200);
        let (login, path) = (shown.text_at("/login"), format!("/v1/clients/{client}/notifications"));
        let told = items(&world.get("portal", &path).await);
        assert_eq!((told.len(), &told[0]["title"], &told[0]["kind"]), (1, &json!(subject), &json!("account.open")));
        let mails = world.broker.simulators.mails();
        let mail = mails.iter().find(|mail| mail.to == [format!("{platform}@example.com")]).unwrap();
        assert_eq!(mail.subject, subject);
        let given = expect(world.portal(&format!("/v1/accounts/{account}/credentials"), &json!({})).await, 200);
        for text in [told[0]["body"].as_str().unwrap(), mail.text.as_deref().unwrap()] {
            assert!(text.contains(&login), "{platform}: {text}");
            let behind = text.split(server).nth(1).and_then(|rest| rest.chars().next());
            assert!(behind.is_some_and(|next| !next.is_alphanumeric() && next != '-'), "{platform}: {text}");
            assert!(!text.contains(&given.text_at("/password")), "{platform}");
            if let Some(looking) = given.json["investor_password"].as_str() {
                assert!(!text.contains(looking), "{platform}");
            }
        }
    }
}
