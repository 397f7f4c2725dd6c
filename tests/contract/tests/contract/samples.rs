//! The sample triggers in `events/`: each runs through its function and is answered in the right shape.

use std::sync::Arc;

use broker::api::Answer;
use broker::local::Options;
use domain::account::{Account, AccountFacts, AccountInner, AccountStatus};
use domain::client::{Client, registered};
use domain::decision::Frame;
use domain::payment::collect::opened;
use domain::payment::{Deposit, NewDeposit, PspSide};
use domain::{Money, Seconds, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::openapi;
use crate::world::{TestClock, World, registration};

const CLIENT: &str = "cli_01m83t4cm0ej7tc0zp3q03dde5";
const ACCOUNT: &str = "acc_01m83tdhk0fbs92cmv5z42wqqy";
const PAYMENT: &str = "pay_01m83ydq50eg7vtp95tg713hkv";

fn sample(name: &str) -> Value {
    let path = broker::local::repository().join(format!("events/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A brokerage one second after the story's webhook, with the vendors' secrets of the samples.
async fn story() -> World {
    let at: Timestamp = "2026-11-23T10:15:31Z".parse().unwrap();
    let options = Options { clock: Some(Arc::new(TestClock::showing(at))), ..Options::default() };
    let world = World::with(options).await;
    let stripe = json!({"secret_key": "sk_test_local", "webhook_secrets": ["whsec_sample"]});
    let praxis =
        json!({"merchant_id": "Pipworks-EU", "application_key": "pipworks-live", "secret": "praxis-sample-secret"});
    world.broker.host.put_secret("pipworks/local/psp/stripe", &stripe.to_string());
    world.broker.host.put_secret("pipworks/local/psp/praxis", &praxis.to_string());
    world
}

fn frame(at: &str) -> Frame {
    Frame {
        function: "kyc-register",
        execution_id: "sample".to_owned(),
        trigger: "sample".to_owned(),
        correlation_id: "577bf0c4-f4ee-4f88-bec9-75d9f5356309".to_owned(),
        now: at.parse().unwrap(),
        rules: None,
    }
}

/// The client and the account of the story; the account is opened as any other is.
async fn seed(world: &World) {
    let frame = frame("2026-11-23T09:00:00Z");
    let client = Client::register(&registration(), CLIENT.parse().unwrap(), frame.now).unwrap();
    world.broker.crm().save(None, registered(client), &frame).await.unwrap();
    let account = Account {
        id: ACCOUNT.parse().unwrap(),
        client_id: CLIENT.parse().unwrap(),
        due: None,
        facts: AccountFacts {
            status: AccountStatus::Requested,
            platform: "mt5".to_owned(),
            account_type: "standard".to_owned(),
            kind: "live".to_owned(),
            currency: "USD".parse().unwrap(),
            leverage: 30,
            server: "mt5-live".to_owned(),
            group: "real\\standard-USD".to_owned(),
            login: None,
            created_at: frame.now,
            review: None,
        },
        inner: AccountInner::default(),
    };
    world.broker.crm().save(None, account.requested(vec![]), &frame).await.unwrap();
    world.idle().await;
}

/// The pending deposit of the story.
async fn seed_deposit(world: &World) {
    let frame = frame("2026-11-23T10:15:00Z");
    let login = world.get("support", &format!("/v1/accounts/{ACCOUNT}")).await.text_at("/login");
    let deposit = Deposit::open(NewDeposit {
        id: PAYMENT.parse().unwrap(),
        client_id: CLIENT.parse().unwrap(),
        account_id: ACCOUNT.parse().unwrap(),
        login,
        amount: Money::parse("1250.00", "USD".parse().unwrap()).unwrap(),
        psp: PspSide { name: "stripe".to_owned(), reference: "pi_3SWabcLkdIwHu7ix1Pq2Rs3T".to_owned() },
        redirect_url: "https://pay.example.com/1".to_owned(),
        due: frame.now.plus(Seconds(900)),
        now: frame.now,
    });
    world.broker.money().save(None, opened(deposit, vec![]), &frame).await.unwrap();
    world.idle().await;
}

/// Runs an HTTP sample as somebody, and checks the proxy answer and what it says.
async fn http(world: &World, name: &str, who: &str) -> Answer {
    let mut event = sample(name);
    let function = function_of(name);
    for headers in ["headers", "multiValueHeaders"] {
        if event[headers].get("Authorization").is_some() {
            let token = format!("Bearer {}", world.broker.token(who));
            event[headers]["Authorization"] = if headers == "headers" { json!(token) } else { json!([token]) };
        }
    }
    let proxy = world.broker.host.invoke(function, &event).await.unwrap();
    world.idle().await;
    assert_eq!(proxy["isBase64Encoded"], false);
    let body = proxy["body"].as_str().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in proxy["headers"].as_object().unwrap() {
        let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
        headers.insert(HeaderName::try_from(name.as_str()).unwrap(), value);
    }
    let answer = Answer {
        status: u16::try_from(proxy["statusCode"].as_u64().unwrap()).unwrap(),
        headers,
        json: serde_json::from_str(body).unwrap(),
        text: body.to_owned(),
    };
    let wrong = openapi::faults(event["httpMethod"].as_str().unwrap(), event["path"].as_str().unwrap(), &answer);
    assert!(wrong.is_empty(), "{name}: {wrong:?}");
    answer
}

fn function_of(name: &str) -> &str {
    name.trim_start_matches("variants/").split('.').next().unwrap()
}

async fn queue(world: &World, name: &str) {
    let answer = world.broker.host.invoke(function_of(name), &sample(name)).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}), "{name}");
    world.idle().await;
}

#[tokio::test]
async fn the_story_of_the_samples_runs_through_the_functions() {
    let world = story().await;
    assert_eq!(http(&world, "kyc-register", "portal").await.status, 201);
    seed(&world).await;
    assert_eq!(http(&world, "accounts-request", "portal").await.status, 202);
    queue(&world, "accounts-create").await;
    queue(&world, "variants/accounts-create.due").await;
    assert_eq!(http(&world, "accounts-credentials", "portal").await.status, 200);
    assert_eq!(http(&world, "payments-initiate", "portal").await.status, 201);
    seed_deposit(&world).await;
    let webhook = http(&world, "payments-webhook", "portal").await;
    assert_eq!((webhook.status, &webhook.json), (200, &json!({"received": true})));
    assert_eq!(world.status(PAYMENT).await, "credited");
    let praxis = http(&world, "variants/payments-webhook.praxis", "portal").await;
    assert_eq!((praxis.status, &praxis.json["status"]), (200, &json!(0)));
    for name in ["payments-credit", "variants/payments-credit.credit-due", "payments-overdue"] {
        queue(&world, name).await;
    }
    assert_eq!(world.status(PAYMENT).await, "credited");
    // by now in the story the payment would be another one: what the samples say is taken as it is
    queue(&world, "ops-desk").await;
    let decided = http(&world, "ops-work", "finance").await;
    assert_eq!((decided.status, &decided.json["status"]), (200, &json!("resolved")));
    queue(&world, "payments-decide").await;
    queue(&world, "ops-notify").await;
    assert_eq!(http(&world, "variants/ops-work.read-notification", "portal").await.status, 200);
    assert_eq!(http(&world, "ops-views", "support").await.json["payment_id"], PAYMENT);
    assert_eq!(http(&world, "variants/ops-views.work", "finance").await.status, 200);
    for name in ["ops-dead-letters", "variants/ops-dead-letters.undelivered"] {
        queue(&world, name).await;
    }
    let letters = crate::world::items(&world.get("support", "/v1/work?queue=support").await);
    assert!(letters.len() >= 3 && letters.iter().all(|item| item["kind"] == "dead_letter"), "{letters:?}");
    let timers = world.broker.host.invoke("ops-timers", &sample("ops-timers")).await.unwrap();
    assert!(timers.is_object() || timers.is_null(), "{timers}");
}

#[tokio::test]
async fn the_sample_of_the_stream_is_journalled_once_with_a_whole_chain() {
    let world = story().await;
    for _ in 0..2 {
        queue(&world, "ops-relay").await;
        let journal = world.get("support", &format!("/v1/journal?entity={PAYMENT}")).await;
        assert_eq!(journal.json["verified"], true);
        assert_eq!(crate::world::items(&journal).len(), 2);
    }
}

#[tokio::test]
async fn every_function_has_a_sample_and_every_sample_a_function() {
    let world = story().await;
    let folder = broker::local::repository().join("events");
    let names = |folder: std::path::PathBuf| {
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        files.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut samples = names(folder.clone());
    samples.sort();
    let template = world.broker.host.template();
    let mut functions: Vec<String> = template.functions.values().map(|function| function.binary.clone()).collect();
    functions.sort();
    assert_eq!(samples, functions);
    for variant in names(folder.join("variants")) {
        assert!(functions.iter().any(|function| function == function_of(&variant)), "{variant}");
    }
}
