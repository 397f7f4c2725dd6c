//! One platform hangs, and the others do not notice.

use std::time::{Duration, Instant};

use domain::decision::{Decision, Frame};
use domain::payment::Deposit;
use serde_json::{Value, json};

use crate::world::{Payment, Trader, World, account_request, expect};

async fn ask(world: &World, client: &str, platform: &str) -> String {
    let mut body = account_request("USD");
    body["platform"] = json!(platform);
    expect(world.portal(&format!("/v1/clients/{client}/accounts"), &body).await, 202).text_at("/account_id")
}

async fn status(world: &World, account: &str) -> Value {
    expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).json["status"].clone()
}

/// Within a time that no hanging server would leave.
async fn opens_at_once(world: &World, account: &str) {
    let began = Instant::now();
    while status(world, account).await != "open" {
        assert!(began.elapsed() < Duration::from_secs(5), "{account} waits for another platform");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn while_one_platform_hangs_an_account_on_another_opens_and_changes_at_once() {
    let world = World::start().await;
    let client = world.client("en").await;
    world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "delay", "ms": 8_000}, "times": 0}])).await;
    let mut hanging = Vec::new();
    for _ in 0..12 {
        hanging.push(ask(&world, &client, "mt5").await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for platform in ["mt4", "ctrader", "dxtrade"] {
        let account = ask(&world, &client, platform).await;
        opens_at_once(&world, &account).await;
        let changes = format!("/v1/accounts/{account}/changes");
        let change = expect(world.portal(&changes, &json!({"leverage": 20})).await, 202).text_at("/change_id");
        let began = Instant::now();
        let path = format!("{changes}/{change}");
        while expect(world.get("portal", &path).await, 200).json["status"] != "done" {
            assert!(began.elapsed() < Duration::from_secs(5), "{platform}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_ne!(status(&world, &hanging[11]).await, "open", "the other platform still hangs");
    world.no_faults("mt5").await;
    for _ in 0..4 {
        world.idle().await;
        world.pass(120).await;
        world.sweep().await;
    }
    for account in &hanging {
        assert_eq!(status(&world, account).await, "open");
    }
    let users = world.recorded("mt5", "").await["users"].as_array().unwrap().len();
    assert_eq!(users, hanging.len(), "each once");
}

/// A client with an account on a platform that is open.
async fn trader_on(world: &World, platform: &str) -> Trader {
    let client = world.client("en").await;
    let account = ask(world, &client, platform).await;
    opens_at_once(world, &account).await;
    let login = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).text_at("/login");
    Trader { client, account, login, currency: "USD".to_owned() }
}

/// Opens a deposit and has the provider say that it is paid.
async fn paid(world: &World, trader: &Trader) -> Payment {
    let payment = world.deposit(trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    payment
}

async fn is_credited_at_once(world: &World, payment: &Payment) {
    let began = Instant::now();
    while world.payment(&payment.id).await.json["status"] != "credited" {
        assert!(began.elapsed() < Duration::from_secs(5), "{} waits for another platform", payment.id);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn while_one_platform_hangs_the_credits_of_the_others_go_through() {
    let world = World::start().await;
    let mut slow = Vec::new();
    for _ in 0..6 {
        slow.push(trader_on(&world, "mt5").await);
    }
    let mut quick = Vec::new();
    for platform in ["mt4", "ctrader", "dxtrade"] {
        quick.push(trader_on(&world, platform).await);
    }
    let hangs = |operation| json!({"operation": operation, "fault": {"kind": "delay", "ms": 8_000}, "times": 0});
    world.faults("mt5", &json!([hangs("trade_balance")])).await;
    let mut hanging = Vec::new();
    for trader in slow.iter().chain(&slow) {
        hanging.push(paid(&world, trader).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for trader in &quick {
        is_credited_at_once(&world, &paid(&world, trader).await).await;
    }
    assert_ne!(world.payment(&hanging[11].id).await.json["status"], "credited", "the other platform still hangs");
    world.no_faults("mt5").await;
    for _ in 0..4 {
        world.idle().await;
        world.pass(120).await;
        world.sweep().await;
    }
    for (payment, trader) in hanging.iter().zip(slow.iter().chain(&slow)) {
        assert_eq!(world.status(&payment.id).await, "credited");
        assert_eq!(world.deals(trader, payment).await.len(), 1, "once");
    }
}

/// As deposits were stored that did not say which platform they are for.
#[tokio::test]
async fn a_deposit_that_does_not_name_its_platform_is_credited_all_the_same() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for lost in [false, true] {
        let payment = world.deposit(&trader, "100.00", "stripe").await;
        let stored = world.broker.money().load::<Deposit>(&payment.id.parse().unwrap()).await.unwrap().unwrap();
        let mut earlier = stored.entity.clone();
        assert_eq!(earlier.facts.platform.name.take().as_deref(), Some("mt5"));
        let frame = Frame {
            function: "payments-initiate",
            execution_id: "earlier".to_owned(),
            trigger: "earlier".to_owned(),
            correlation_id: stored.correlation_id.clone(),
            now: world.now(),
            rules: vec![],
        };
        let decision = Decision::new(earlier, "stored", vec![], vec![]);
        world.broker.money().save(Some(&stored), decision, &frame).await.unwrap();
        if lost {
            world.lose_the_next_credit().await;
        }
        expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
        if lost {
            assert_eq!(world.status(&payment.id).await, "crediting_unknown");
            world.no_faults("mt5").await;
            world.pass(120).await;
            world.sweep().await;
        }
        assert_eq!(world.status(&payment.id).await, "credited");
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
        assert!(!world.payment(&payment.id).await.text.contains("mt5"));
    }
}
