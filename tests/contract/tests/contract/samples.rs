//! The sample triggers in `events/`: each runs through its function and is answered in the right shape.

use std::collections::BTreeSet;

use broker::api::Answer;
use domain::account::change::{Change, Upkeep};
use domain::account::opening::{AccountOpening, OpeningStatus};
use domain::account::{Account, AccountFacts, AccountInner, AccountStatus};
use domain::bonus::{Bonus, BonusWish};
use domain::client::{Client, registered};
use domain::compliance::case::{CaseFacts, CaseInner};
use domain::compliance::{Case, DayPart};
use domain::decision::{Decision, Frame, Verdict};
use domain::entity::{self, Entity, Raw};
use domain::kyc::rescreening::{ClientScreening, ScreeningPart};
use domain::kyc::vendor::VendorNotice;
use domain::kyc::{KycCase, KycDocument, KycStatus};
use domain::lead::Lead;
use domain::partner::attribution::Attribution;
use domain::partner::closing::PartnerBook;
use domain::partner::profile::Partner;
use domain::partner::run::{PayoutRun, RunStatus};
use domain::payment::collect::opened;
use domain::payment::{Deposit, NewDeposit, PspSide};
use domain::reconciliation::ServerDay;
use domain::replay::Replay;
use domain::rule_sets::SetName;
use domain::sales::Task;
use domain::withdrawal::Withdrawal;
use domain::work::WorkItem;
use domain::{AttributionId, Money, PartnerBookId, Seconds};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use store::{Home, Letter};

use crate::openapi;
use crate::world::{World, items, registration};

const CLIENT: &str = "cli_01m83t4cm0ej7tc0zp3q03dde5";
const MESSAGING_URL: &str = "https://api.broker.example/v1/webhooks/messaging/twilio";
const CASE: &str = "kyc_01m83t4cm0ej7tc0zp3q03dde5";
const ACCOUNT: &str = "acc_01m83tdhk0fbs92cmv5z42wqqy";
const PAYMENT: &str = "pay_01m83ydq50eg7vtp95tg713hkv";
const LEAD: &str = "lead_01m83ypw40eb1tfz8zn3b96e0d";
const TASK: &str = "tsk_01m83ypwc433z65t0wvv6z2gpw";
const ANNOUNCED: &str = "lead_01m83z3p90wf5hcycmbpmjk43e";
const READER: &str = "lead_01m83z5gw0e6stb5hmwytwvtj5";

fn sample(name: &str) -> Value {
    let path = broker::local::repository().join(format!("events/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A brokerage one second after the webhook of the deposit's story.
async fn story() -> World {
    story_at("2026-11-23T10:15:31Z").await
}

/// A brokerage at a moment, with the vendors' secrets of the samples.
async fn story_at(at: &str) -> World {
    let world = World::at(at).await;
    let stripe = json!({"secret_key": "sk_test_local", "webhook_secrets": ["whsec_sample"]});
    let praxis =
        json!({"merchant_id": "Pipworks-EU", "application_key": "pipworks-live", "secret": "praxis-sample-secret"});
    world.broker.host.put_secret("pipworks/local/psp/stripe", &stripe.to_string());
    world.broker.host.put_secret("pipworks/local/psp/praxis", &praxis.to_string());
    // the page token is the simulator's: that one is not in a sample
    let meta = json!({"app_secret": "meta-sample-secret", "verify_token": "meta-sample-token", "page_token": "local-page-token"});
    world.broker.host.put_secret("pipworks/local/leads/meta", &meta.to_string());
    // token and key are the simulator's
    let sumsub = json!({
        "app_token": "prd:local-app-token", "secret_key": "local-sumsub-secret-key", "webhook_secrets": ["sumsub-sample-secret"],
    });
    world.broker.host.put_secret("pipworks/local/kyc/sumsub", &sumsub.to_string());
    world.broker.host.put_secret("pipworks/local/slack/signing", "slack-sample-secret");
    world.broker.host.put_secret("pipworks/local/trades", "bridge-sample-secret");
    let twilio = json!({"account_sid": "ACsample", "auth_token": "twilio-sample-token"});
    world.broker.host.put_secret("pipworks/local/messaging/twilio", &twilio.to_string());
    world
}

fn frame(at: &str) -> Frame {
    Frame {
        function: "kyc-register",
        execution_id: "sample".to_owned(),
        trigger: "sample".to_owned(),
        correlation_id: "577bf0c4-f4ee-4f88-bec9-75d9f5356309".to_owned(),
        now: at.parse().unwrap(),
        rules: Vec::new(),
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
            refused: None,
            reopened: None,
            upkeep: Upkeep::default(),
        },
        inner: AccountInner::default(),
    };
    world.broker.crm().save(None, account.requested(vec![]), &frame).await.unwrap();
    world.idle().await;
}

/// The change as its event says it is.
async fn seed_change(world: &World) {
    let told = event_of("accounts-set");
    let mut decision: Decision<Change> = as_told(&told, Some("{}"));
    // the simulator numbers its accounts by itself
    let account = world.broker.crm().load::<Account>(&ACCOUNT.parse().unwrap()).await.unwrap().unwrap().entity;
    decision.next.facts.login = account.facts.login.unwrap();
    world.broker.crm().save(None, decision, &frame(told["at"].as_str().unwrap())).await.unwrap();
}

/// The client's case as the event of its checks says it is.
async fn seed_case(world: &World) {
    let begun = KycCase::begun(CLIENT.parse().unwrap(), world.now());
    let facts = serde_json::from_value(event_of("kyc-screen")["data"].clone()).unwrap();
    let decision = Decision::new(KycCase { facts, ..begun }, "seeded", vec![], vec![]);
    world.broker.crm().save(None, decision, &frame("2026-11-23T10:16:30.240Z")).await.unwrap();
    world.idle().await;
}

/// The run, its part and the client's screening, where they are not there: a run of nobody has no parts.
async fn seed_run(world: &World) {
    let (crm, frame) = (world.broker.crm(), frame("2026-11-23T10:16:30.240Z"));
    let part: Decision<ScreeningPart> = as_told(&event_of("variants/kyc-rescreen.part"), Some("{}"));
    crm.save(None, part, &frame).await.unwrap();
    let begun = ClientScreening::begun(&CLIENT.parse().unwrap());
    assert_eq!(begun.id.as_str(), event_of("kyc-hits")["entity"]);
    crm.save(None, Decision::new(begun, "seeded", vec![], vec![]), &frame).await.unwrap();
}

/// The case of compliance and the share of the clients that events of time name.
async fn seed_case_and_part(world: &World) {
    let (crm, frame) = (world.broker.crm(), frame("2026-11-23T00:10:06.100Z"));
    let part: Decision<DayPart> = as_told(&event_of("compliance-timed"), Some("{}"));
    crm.save(None, part, &frame).await.unwrap();
    let facts: CaseFacts = serde_json::from_value(json!({
        "status": "open", "priority": "normal", "score": 40, "opened_at": "2026-11-16T09:00:00.000Z",
        "due_at": "2026-11-23T09:00:00.000Z", "jurisdiction": "cy", "scenarios": ["dep_spike"], "alerts": 1,
    }))
    .unwrap();
    let id = event_of("variants/compliance-timed.case")["entity"].as_str().unwrap().parse().unwrap();
    let case = Case { id, client_id: CLIENT.parse().unwrap(), facts, inner: CaseInner::default() };
    crm.save(None, Decision::new(case, "seeded", vec![], vec![]), &frame).await.unwrap();
}

/// The server's day that the event of its time names.
async fn seed_server_day(world: &World) {
    let begun = ServerDay::begun("mt5", "mt5-live", "2026-11-22".parse().unwrap());
    let own = ServerDay {
        id: event_of("variants/payments-verify.due")["entity"].as_str().unwrap().parse().unwrap(),
        ..begun
    };
    let Verdict::Change(decision) = own.opened(world.now()) else { panic!("it is over") };
    world.broker.money().save(None, *decision, &frame("2026-11-23T10:15:31Z")).await.unwrap();
}

/// The deal of the story, which a bridge pushes twenty-six minutes after the deposit.
async fn trades_of(world: &World) {
    let (crm, account) = (world.broker.crm(), ACCOUNT.parse().unwrap());
    // the simulator numbers its accounts by itself
    let mut commit = Home::<Account>::table(&crm).commit();
    commit.take_login(&crm, "mt5-live", "954402", &account).unwrap();
    commit.send().await.unwrap();
    let began = world.broker.host.invoke("trades-feeds", &sample("trades-feeds")).await.unwrap();
    assert!(began["noticed"].as_u64().unwrap() > 0, "{began}");
    for name in ["trades-activity", "trades-fetch"] {
        queue(world, name).await;
    }
    let later = story_at("2026-11-23T10:41:02Z").await;
    seed(&later).await;
    let crm = later.broker.crm();
    let mut commit = Home::<Account>::table(&crm).commit();
    commit.take_login(&crm, "mt5-live", "954402", &account).unwrap();
    commit.send().await.unwrap();
    let pushed = http(&later, "trades-push", "portal").await;
    assert_eq!((pushed.status, &pushed.json["accepted"]), (200, &json!(1)), "{}", pushed.text);
    assert_eq!(http(&later, "trades-views", "portal").await.json["items"][0]["deal"], "7001");
    assert_eq!(http(&later, "variants/trades-views.activity", "portal").await.json["trades_30d"], 1);
}

/// The pending deposit of the story.
async fn seed_deposit(world: &World) {
    let frame = frame("2026-11-23T10:15:00Z");
    let login = world.get("support", &format!("/v1/accounts/{ACCOUNT}")).await.text_at("/login");
    let deposit = Deposit::open(NewDeposit {
        id: PAYMENT.parse().unwrap(),
        client_id: CLIENT.parse().unwrap(),
        account_id: ACCOUNT.parse().unwrap(),
        platform: "mt5".to_owned(),
        login,
        amount: Money::parse("1250.00", "USD".parse().unwrap()).unwrap(),
        account_currency: "USD".parse().unwrap(),
        psp: PspSide { name: "stripe".to_owned(), reference: "pi_3SWabcLkdIwHu7ix1Pq2Rs3T".to_owned() },
        fee: None,
        others: vec![],
        redirect_url: "https://pay.example.com/1".to_owned(),
        due: frame.now.plus(Seconds(900)),
        now: frame.now,
    });
    world.broker.money().save(None, opened(deposit, vec![]), &frame).await.unwrap();
    world.idle().await;
}

/// The event that a queue's sample carries.
fn event_of(name: &str) -> Value {
    let body: Value = serde_json::from_str(sample(name)["Records"][0]["body"].as_str().unwrap()).unwrap();
    body["detail"].clone()
}

/// An entity as an event says it is, to be saved without telling anybody.
fn as_told<T: Entity>(event: &Value, private: Option<&str>) -> Decision<T> {
    let public = event["data"].to_string();
    let raw = Raw::of::<T>(event["entity"].as_str().unwrap(), &public, private);
    let client = event["client_id"].as_str().map(|client| client.parse().unwrap());
    Decision::new(entity::read(raw, client, None).unwrap(), "seeded", vec![], vec![])
}

/// The lead that an event is about, whatever it was before.
async fn seed_lead(world: &World, event: &Value, person: &Value) {
    let decision: Decision<Lead> = as_told(event, Some(&person.to_string()));
    let was = world.broker.crm().load::<Lead>(&decision.next.id).await.unwrap();
    world.broker.crm().save(was.as_ref(), decision, &frame(event["at"].as_str().unwrap())).await.unwrap();
    world.idle().await;
}

/// The work item that an event is about, whatever it was before.
async fn seed_work(world: &World, event: &Value) {
    let decision: Decision<WorkItem> = as_told(event, Some("{}"));
    let was = world.broker.crm().load::<WorkItem>(&decision.next.id).await.unwrap();
    world.broker.crm().save(was.as_ref(), decision, &frame(event["at"].as_str().unwrap())).await.unwrap();
    world.idle().await;
}

/// The task that an event is about.
async fn seed_task(world: &World, event: &Value) {
    let decision: Decision<Task> = as_told(event, Some("[]"));
    world.broker.crm().save(None, decision, &frame(event["at"].as_str().unwrap())).await.unwrap();
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
        json: serde_json::from_str(body).unwrap_or_default(),
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
    let rows = json!([{"id": "demo", "when": {"field": "trigger", "eq": "kyc_approved"}, "then":
        {"platform": "mt5", "account_type": "standard", "currency": "USD", "leverage": 100, "kind": "demo"}}]);
    world.publish(SetName::Platforms, 2, |set| set["openings"] = rows).await;
    assert_eq!(http(&world, "kyc-register", "portal").await.status, 201);
    seed(&world).await;
    let consents = http(&world, "kyc-consents", "portal").await;
    assert_eq!((consents.status, &consents.json["topics"]["education"]), (200, &json!(true)));
    assert_eq!(http(&world, "kyc-logins", "portal").await.status, 202);
    assert_eq!(http(&world, "partners-manage", "portal").await.status, 201);
    queue(&world, "partners-attribute").await;
    let brought = AttributionId::of(&CLIENT.parse().unwrap());
    let brought = world.broker.partners().load::<Attribution>(&brought).await.unwrap().unwrap().entity;
    assert_eq!(brought.facts.claims.len(), 1, "the client named the partner's code");
    queue(&world, "partners-accrue").await;
    queue(&world, "partners-qualify").await;
    let payee = json!({"rail": "bank", "name": "Iris Bauer", "iban": "DE89370400440532013000"});
    let person = json!({"full_name": "Iris Bauer", "email": "iris@example.com", "payee": payee}).to_string();
    let told = event_of("partners-settle");
    let partner: Decision<Partner> = as_told(&told, Some(&person));
    let paid = partner.next.id.clone();
    world.broker.partners().save(None, partner, &frame(told["at"].as_str().unwrap())).await.unwrap();
    queue(&world, "partners-settle").await;
    let book = world.broker.partners().load::<PartnerBook>(&PartnerBookId::of(&paid)).await.unwrap().unwrap().entity;
    assert_eq!(book.facts.open.to_string(), "2026-11");
    let told = event_of("partners-pay");
    let run: Decision<PayoutRun> = as_told(&told, Some(&json!({(paid.as_str()): payee}).to_string()));
    let run_id = run.next.id.clone();
    world.broker.partners().save(None, run, &frame(told["at"].as_str().unwrap())).await.unwrap();
    queue(&world, "partners-pay").await;
    let run = world.broker.partners().load::<PayoutRun>(&run_id).await.unwrap().unwrap().entity;
    assert_eq!(run.facts.status, RunStatus::PartlyFailed, "his balance has nothing to pay out");
    let lists = world.broker.host.invoke("kyc-lists", &sample("kyc-lists")).await.unwrap();
    assert_eq!(lists["outcome"], "refreshed");
    let shown = items(&http(&world, "kyc-list-status", "compliance").await);
    assert_eq!((shown.len(), &shown[0]["stale"]), (5, &json!(false)));
    let taken = http(&world, "kyc-list-refresh", "admin").await;
    assert_eq!((taken.status, &taken.json["list"], taken.json.get("refused")), (200, &json!("ofac_sdn"), None));
    let screened = http(&world, "kyc-screenings", "compliance").await;
    assert_eq!((screened.status, &screened.json["hits"][0]["date_of_birth"]), (200, &json!("match")));
    seed_case(&world).await;
    queue(&world, "kyc-compare").await;
    queue(&world, "kyc-screen").await;
    let case = world.broker.crm().load::<KycCase>(&CASE.parse().unwrap()).await.unwrap().unwrap().entity;
    assert_eq!(case.facts.status, KycStatus::Approved);
    for name in ["kyc-rescreen", "variants/kyc-rescreen.part", "variants/kyc-rescreen.done", "kyc-hits"] {
        seed_run(&world).await;
        queue(&world, name).await;
    }
    queue(&world, "accounts-open").await;
    let open = items(&world.get("support", &format!("/v1/clients/{CLIENT}/accounts")).await);
    assert_eq!(open.iter().filter(|account| account["kind"] == "demo" && account["status"] == "open").count(), 1);
    let retried: Decision<AccountOpening> = as_told(&event_of("variants/accounts-open.retried"), None);
    let opening = retried.next.id.clone();
    world.broker.crm().save(None, retried, &frame("2026-11-23T10:16:31Z")).await.unwrap();
    queue(&world, "variants/accounts-open.retried").await;
    // the client has such an account by now
    let opening = world.broker.crm().load::<AccountOpening>(&opening).await.unwrap().unwrap().entity;
    assert_eq!(opening.facts.status, OpeningStatus::Opened);
    assert_eq!(http(&world, "accounts-request", "portal").await.status, 202);
    queue(&world, "accounts-create").await;
    queue(&world, "variants/accounts-create.due").await;
    assert_eq!(http(&world, "accounts-credentials", "portal").await.status, 200);
    assert_eq!(http(&world, "accounts-change", "portal").await.status, 202);
    world.idle().await;
    seed_change(&world).await;
    queue(&world, "accounts-set").await;
    queue(&world, "variants/accounts-set.due").await;
    let swept = world.broker.host.invoke("accounts-sweep", &sample("accounts-sweep")).await.unwrap();
    assert_eq!(swept, json!({"missed": []}));
    assert_eq!(http(&world, "payments-initiate", "portal").await.status, 201);
    assert_eq!(http(&world, "variants/payments-initiate.by-rule", "portal").await.status, 201);
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
    assert_eq!(http(&world, "payments-withdraw", "portal").await.status, 201);
    world.idle().await;
    let private = json!({
        "t0": 1_795_432_500_000_i64, "tl": [["requested", 0, "q"]],
        "to": {"source": {"payment_id": PAYMENT, "reference": "pi_3SWabcLkdIwHu7ix1Pq2Rs3T"}},
    });
    let debited: Decision<Withdrawal> = as_told(&event_of("payments-payout"), Some(&private.to_string()));
    let own = debited.next.id.clone();
    world.broker.money().save(None, debited, &frame("2026-11-23T11:15:30Z")).await.unwrap();
    queue(&world, "payments-payout").await;
    let told = world.payment(own.as_str()).await.json;
    // the simulator knows no such payment of the story: it was asked, and refused, and is put back
    let status = told["status"].as_str().unwrap();
    assert!(["payout_failed", "returned", "needs_review"].contains(&status), "{told:#}");
    // the story's clock stands where it began, and with it the day that the ledger has
    let settled = http(&world, "payments-settle", "finance").await;
    assert_eq!((settled.status, &settled.json["read"], &settled.json["ignored"]), (202, &json!(1), &json!(1)));
    for name in ["payments-reconcile", "variants/payments-reconcile.due"] {
        queue(&world, name).await;
    }
    trades_of(&world).await;
    queue(&world, "compliance-detect").await;
    assert_eq!(http(&world, "compliance-cases", "compliance").await.json["items"], json!([]), "an ordinary deposit");
    // an entry of a list that may be the client is a case, which becomes more urgent when its time is up
    queue(&world, "variants/compliance-detect.hit").await;
    let cases = http(&world, "compliance-cases", "compliance").await.json["items"].clone();
    assert_eq!((&cases[0]["scenarios"], &cases[0]["client_id"]), (&json!(["sanctions_hit"]), &json!(CLIENT)));
    seed_case_and_part(&world).await;
    queue(&world, "variants/compliance-timed.case").await;
    queue(&world, "compliance-timed").await;
    let opened = world.broker.host.invoke("compliance-day", &sample("compliance-day")).await.unwrap();
    assert!(opened["opened"].as_u64().unwrap() > 0, "{opened}");
    let noticed = world.broker.host.invoke("payments-day-end", &sample("payments-day-end")).await.unwrap();
    assert!(noticed["noticed"].as_u64().unwrap() > 0, "{noticed}");
    seed_server_day(&world).await;
    for name in ["payments-verify", "variants/payments-verify.due"] {
        queue(&world, name).await;
    }
    let day = http(&world, "variants/ops-views.reconciliation", "finance").await;
    assert_eq!((day.status, &day.json["sources"][0]["kind"]), (200, &json!("psp")), "{}", day.text);
    assert!(!day.text.contains(PAYMENT), "the deposit of the story is on both sides: {}", day.text);
    // by now in the story the payment would be another one: what the samples say is taken as it is
    queue(&world, "ops-desk").await;
    let decided = http(&world, "ops-work", "finance").await;
    assert_eq!((decided.status, &decided.json["status"]), (200, &json!("resolved")));
    queue(&world, "payments-decide").await;
    queue(&world, "ops-notify").await;
    assert_eq!(http(&world, "variants/ops-work.read-notification", "portal").await.status, 200);
    assert_eq!(http(&world, "ops-views", "support").await.json["payment_id"], PAYMENT);
    assert_eq!(http(&world, "variants/ops-views.work", "finance").await.status, 200);
    let drafted = http(&world, "ops-rules", "finance").await;
    assert_eq!((drafted.status, &drafted.json["version"]), (201, &json!(2)), "{}", drafted.text);
    let published = http(&world, "variants/ops-rules.publish", "admin").await;
    assert_eq!((published.status, &published.json["status"]), (200, &json!("live")), "{}", published.text);
    assert_eq!(http(&world, "ops-console", "nobody").await.status, 303, "to sign in");
    let rules = items(&http(&world, "variants/ops-rules.list", "support").await);
    assert!(rules.iter().any(|rule| rule["set"] == "fx" && rule["version"] == 2), "{rules:?}");
    for name in ["ops-dead-letters", "variants/ops-dead-letters.undelivered"] {
        queue(&world, name).await;
    }
    let letters = items(&world.get("support", "/v1/work?queue=support").await);
    // the payment that got stuck twice is one item, the stream's note another
    assert!(letters.len() == 2 && letters.iter().all(|item| item["kind"] == "dead_letter"), "{letters:?}");
    let retried = event_of("ops-redrive");
    seed_work(&world, &retried).await;
    let letter = Letter {
        queue: "arn:aws:sqs:eu-west-1:000000000000:pipworks-local-payments-credit".to_owned(),
        body: sample("ops-dead-letters")["Records"][0]["body"].as_str().unwrap().to_owned(),
        attributes: "{}".to_owned(),
        message_id: "991a37f5-bb81-4ef9-b089-b302770230f3".to_owned(),
        sent: false,
    };
    let work = retried["entity"].as_str().unwrap().parse().unwrap();
    world.broker.crm().keep_letter(&work, &letter, world.now()).await.unwrap();
    queue(&world, "ops-redrive").await;
    assert!(world.broker.crm().letters(&work).await.unwrap()[0].sent);
    queue(&world, "ops-index").await;
    let asked = http(&world, "ops-replays", "support").await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let told = event_of("ops-replay");
    let replay: Decision<Replay> = as_told(&told, None);
    world.broker.crm().save(None, replay, &frame(told["at"].as_str().unwrap())).await.unwrap();
    for name in ["ops-replay", "variants/ops-replay.answer"] {
        queue(&world, name).await;
    }
    let shown = http(&world, "variants/ops-replays.show", "admin").await;
    assert_eq!((shown.status, &shown.json["status"]), (200, &json!("done")), "{}", shown.text);
    let timers = world.broker.host.invoke("ops-timers", &sample("ops-timers")).await.unwrap();
    assert!(timers.is_object() || timers.is_null(), "{timers}");
}

#[tokio::test]
async fn the_story_of_the_lead_runs_through_the_functions() {
    let world = story_at("2026-11-23T10:22:31Z").await;
    let there = http(&world, "variants/leads-agents.presence", "sales").await;
    assert_eq!((there.status, &there.json["presence"], &there.json["on_shift"]), (200, &json!("online"), &json!(true)));
    assert_eq!(items(&http(&world, "leads-agents", "sales").await).len(), 9);
    assert_eq!(http(&world, "leads-intake", "portal").await.status, 202);
    let luis = json!({
        "email": "luis.ortega@example.com", "phone": "+525512345678", "full_name": "Luis Ortega",
        "profile": {"experience": "some", "intended_deposit": "2500", "goal": "income"},
    });
    seed_lead(&world, &event_of("leads-route"), &luis).await;
    queue(&world, "leads-route").await;
    assert_eq!(world.lead(LEAD).await["assignment"]["agent_id"], "agt_camila_torres");
    // from here on with the task of the story
    let path = broker::local::repository().join("events/schemas/lead.assigned.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    seed_lead(&world, &schema["examples"][0], &luis).await;
    seed_task(&world, &event_of("leads-tell")).await;
    queue(&world, "leads-tell").await;
    let messages = world.recorded("slack", "").await["messages"].clone();
    let newest = messages.as_array().unwrap().last().unwrap()["message"].to_string();
    assert!(newest.contains(TASK) && newest.contains("Luis Ortega"), "{newest}");
    queue(&world, "variants/leads-route.task-due").await;
    let pressed = http(&world, "variants/leads-task.slack", "sales").await;
    assert_eq!((pressed.status, pressed.text.as_str()), (200, ""));
    let seen = http(&world, "variants/ops-views.lead", "sales").await;
    assert_eq!((seen.status, &seen.json["status"]), (200, &json!("working")));
    let signalled = http(&world, "leads-signal", "portal").await;
    assert_eq!((signalled.status, &signalled.json["score"]), (202, &json!(95)));
    let done = http(&world, "leads-task", "sales").await;
    assert_eq!(
        (done.status, &done.json["status"], &world.lead(LEAD).await["status"]),
        (200, &json!("done"), &json!("contacted"))
    );
    for name in ["variants/leads-route.agent-presence", "variants/leads-route.pool-due"] {
        queue(&world, name).await;
    }
    // and had nobody taken it
    seed_lead(&world, &event_of("variants/ops-desk.lead-needs-person"), &luis).await;
    queue(&world, "variants/ops-desk.lead-needs-person").await;
    let work = items(&world.get("sales", "/v1/work?queue=sales").await);
    assert_eq!((&work[0]["kind"], &work[0]["subject"]["lead_id"]), (&json!("lead_unclaimed"), &json!(LEAD)));
    seed_work(&world, &event_of("variants/leads-route.work-decided")).await;
    queue(&world, "variants/leads-route.work-decided").await;
    assert_eq!(world.lead(LEAD).await["status"], "assigned");
    queue(&world, "variants/leads-route.client-registered").await;
    assert_eq!(world.lead(LEAD).await["status"], "converted");
    let away = http(&world, "variants/leads-agents.absence", "admin").await;
    assert_eq!((away.status, &away.json["away"]["reason"]), (200, &json!("on_leave")));
}

#[tokio::test]
async fn the_story_of_the_advertisement_runs_through_the_functions() {
    let world = story_at("2026-11-23T10:27:01Z").await;
    let challenge = http(&world, "variants/leads-meta.challenge", "portal").await;
    assert_eq!((challenge.status, challenge.text.as_str()), (200, "1158201444"));
    let told = event_of("leads-fetch")["data"]["meta"].clone();
    let form = json!({
        "leadgen_id": told["leadgen_id"], "form_id": told["form_id"], "page_id": told["page_id"], "ad_id": told["ad_id"],
        "fields": {"full_name": "Rosa Vidal", "phone_number": "+525598765432", "email": "rosa.vidal@example.com"},
    });
    // the Graph API has the form from now on; the simulator's own webhook is signed with another secret
    let sent = world.control("meta", "leads", &form).await;
    assert_eq!(sent["deliveries"][0]["status"], 401);
    world.faults("meta", &json!([{"operation": "lead", "fault": {"kind": "refuse", "status": 503}}])).await;
    let announced = http(&world, "leads-meta", "portal").await;
    assert_eq!((announced.status, &announced.json), (200, &json!({"status": "ok", "new": 1})));
    assert_eq!(world.lead(ANNOUNCED).await["status"], "announced");
    queue(&world, "leads-fetch").await;
    assert_eq!(world.lead(ANNOUNCED).await["full_name"], "Rosa Vidal");
    queue(&world, "variants/leads-fetch.due").await;
}

#[tokio::test]
async fn the_story_of_the_series_of_messages_runs_through_the_functions() {
    let world = story_at("2026-11-23T10:28:00Z").await;
    let eva = json!({"email": "eva.ruiz@example.com", "full_name": "Eva Ruiz"});
    seed_lead(&world, &event_of("retention-journeys"), &eva).await;
    queue(&world, "retention-journeys").await;
    assert!(world.broker.simulators.mails().is_empty());
    world.pass(601).await;
    queue(&world, "variants/retention-journeys.due").await;
    let mails = world.broker.simulators.mails();
    assert_eq!((mails.len(), mails[0].subject.as_str()), (1, "Bienvenido a Pipworks"));
    let consents = http(&world, "variants/leads-signal.consents", "portal").await;
    assert_eq!((consents.status, &consents.json["lead_id"]), (202, &json!(READER)));
    seed(&world).await;
    assert_eq!(http(&world, "retention-views", "portal").await.json, json!({"items": [], "next_cursor": null}));
    // where the client of the story lives bonuses are barred
    queue(&world, "retention-bonus").await;
    let event = event_of("retention-bonus");
    let wish: BonusWish = serde_json::from_value(event["data"]["bonus"].clone()).unwrap();
    let bonus =
        world.broker.crm().load::<Bonus>(&Bonus::id_of(&CLIENT.parse().unwrap(), &wish)).await.unwrap().unwrap();
    assert_eq!(bonus.entity.facts.reason.as_deref(), Some("barred"));
    // the sample's reader answers STOP; here the address that is signed is another one
    world.publish(SetName::Journeys, 2, |set| set["sms"]["callback_url"] = json!(MESSAGING_URL)).await;
    world.pass(61).await;
    assert_eq!(http(&world, "retention-inbound", "portal").await.status, 200);
}

#[tokio::test]
async fn the_sample_of_the_stream_is_journalled_once_with_a_whole_chain() {
    let world = story().await;
    // a journal is whole if it ends where the entity is: the newest image of the sample is the payment
    let images = sample("ops-relay")["Records"].as_array().unwrap().clone();
    let of_payment =
        images.iter().map(|record| &record["dynamodb"]["NewImage"]).filter(|image| image["pk"]["S"] == PAYMENT);
    let version = |image: &&Value| image["v"]["N"].as_str().unwrap().parse::<u64>().unwrap();
    let own = of_payment.max_by_key(version).unwrap();
    let table = world.broker.host.template().tables["MoneyTable"].name.clone();
    world.broker.host.db().request("PutItem", &json!({"TableName": table, "Item": own})).await.unwrap();
    for _ in 0..2 {
        queue(&world, "ops-relay").await;
        let journal = world.get("support", &format!("/v1/journal?entity={PAYMENT}")).await;
        assert_eq!(journal.json["verified"], true);
        assert_eq!(items(&journal).len(), 2);
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
    let samples: BTreeSet<String> = names(folder.clone()).into_iter().collect();
    let template = world.broker.host.template();
    let functions: BTreeSet<String> = template.functions.values().map(|function| function.handler.clone()).collect();
    let without: Vec<_> = functions.difference(&samples).collect();
    let of_nothing: Vec<_> = samples.difference(&functions).collect();
    assert!(without.is_empty(), "functions without events/<function>.json: {without:?}");
    assert!(of_nothing.is_empty(), "samples in events/ of no function: {of_nothing:?}");
    for variant in names(folder.join("variants")) {
        assert!(functions.contains(function_of(&variant)), "{variant}");
    }
}

#[tokio::test]
async fn the_story_of_the_documents_runs_through_the_functions() {
    let world = story_at("2026-11-23T09:06:05Z").await;
    let registering = frame("2026-11-23T09:00:00Z");
    let client = Client::register(&registration(), CLIENT.parse().unwrap(), registering.now).unwrap();
    world.broker.crm().save(None, registered(client), &registering).await.unwrap();
    let announced = http(&world, "kyc-document", "portal").await;
    assert_eq!((announced.status, &announced.json["upload"]["method"]), (201, &json!("PUT")));
    assert_eq!(http(&world, "kyc-submit", "portal").await.status, 404);
    // from here on with the document of the story, as its event says it is
    let told = event_of("kyc-assess");
    let decision: Decision<KycDocument> = as_told(&told, Some("{}"));
    world.broker.crm().save(None, decision, &frame(told["at"].as_str().unwrap())).await.unwrap();
    queue(&world, "kyc-assess").await;
    let submitted = http(&world, "kyc-submit", "portal").await;
    assert_eq!((submitted.status, &submitted.json["status"]), (200, &json!("accepted")));
    let live = http(&world, "kyc-liveness", "portal").await;
    assert_eq!((live.status, &live.json["attempt"]), (201, &json!(1)));
    let declared = http(&world, "kyc-declaration", "portal").await;
    assert_eq!((declared.status, &declared.json["status"]), (200, &json!("collecting")));
    let shown = http(&world, "kyc-status", "portal").await;
    assert_eq!((shown.status, shown.json["documents"].as_array().unwrap().len()), (200, 2));
    for name in ["variants/kyc-assess.due", "variants/kyc-assess.document-due", "variants/ops-desk.kyc-in-review"] {
        queue(&world, name).await;
    }
    let work = items(&world.get("compliance", "/v1/work?queue=compliance").await);
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("kyc_hit")));
    // the check at a vendor, which was begun with the case
    for name in ["kyc-verify", "variants/kyc-verify.due"] {
        queue(&world, name).await;
    }
    let link = http(&world, "kyc-verification", "portal").await;
    assert_eq!((link.status, &link.json["vendor"]), (200, &json!("sumsub")));
    // the vendor of the samples has another id of the client than the simulator: what it says is taken, and not about this check
    let heard: Decision<VendorNotice> = as_told(&event_of("variants/kyc-verify.notice"), Some("{}"));
    world.broker.crm().save(None, heard, &frame("2026-11-23T09:41:00.300Z")).await.unwrap();
    queue(&world, "variants/kyc-verify.notice").await;
    let webhook = http(&world, "kyc-webhook", "portal").await;
    assert_eq!((webhook.status, &webhook.json), (200, &json!({"received": true})));
    let shown = http(&world, "kyc-status", "portal").await;
    assert_eq!(shown.json["vendor"]["status"], "pending");
}
