//! Accounts that open by rule, and how many of them a client may have however many are asked for at once.

use std::collections::BTreeSet;

use domain::ClientId;
use domain::client::Client;
use domain::decision::{Decision, Frame};
use domain::kyc::{KycCase, KycStatus};
use domain::rule_sets::SetName;
use futures::future::{join, join_all};
use serde_json::{Value, json};
use store::Saved;

use crate::world::{Call, World, account_request, expect, faults, items, registration};

/// A row of `openings`.
pub fn row(id: &str, trigger: &str, platform: &str, kind: &str, leverage: u32) -> Value {
    json!({
        "id": id, "when": {"field": "trigger", "eq": trigger},
        "then": {"platform": platform, "account_type": "standard", "currency": "USD", "leverage": leverage, "kind": kind},
    })
}

async fn with_rows(world: &World, rows: Value) {
    world.publish(SetName::Platforms, 2, |set| set["openings"] = rows).await;
}

async fn accounts(world: &World, client: &str) -> Vec<Value> {
    world.idle().await;
    items(&expect(world.get("portal", &format!("/v1/clients/{client}/accounts?limit=100")).await, 200))
}

/// The client's case is approved, as the step that decides says it.
pub async fn approve(world: &World, client: &str) {
    let id: ClientId = client.parse().unwrap();
    let mut case = KycCase::begun(id, world.now());
    case.facts.status = KycStatus::Approved;
    let frame = Frame {
        function: "kyc-screen",
        execution_id: "test".to_owned(),
        trigger: "test".to_owned(),
        correlation_id: format!("approval-{client}"),
        now: world.now(),
        rules: vec![],
    };
    let decision = Decision::new(case, "approved", vec!["kyc.approved"], vec![]);
    assert!(matches!(world.broker.crm().save(None, decision, &frame).await.unwrap(), Saved::Applied(_)));
    world.idle().await;
}

/// Says once more that something happened, as a bus does that delivers twice.
async fn again(world: &World, client: &str, kind: &str, version: u64) {
    let entity = if kind == "client.registered" { client.to_owned() } else { client.replace("cli_", "kyc_") };
    let registered = world.broker.crm().load::<Client>(&client.parse().unwrap()).await.unwrap().unwrap();
    let detail = json!({
        "event_id": format!("{entity}:{version}:0"), "entity": entity, "version": version, "type": kind,
        "at": registered.entity.facts.created_at, "correlation_id": "again", "client_id": client, "data": {},
    });
    let record =
        json!({"messageId": format!("again-{}", world.fresh()), "body": json!({"detail": detail}).to_string()});
    let answer = world.broker.host.invoke("accounts-open", &json!({"Records": [record]})).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    world.idle().await;
}

async fn openings(world: &World) -> Vec<Value> {
    world.idle().await;
    let all = items(&expect(world.get("support", "/v1/work?queue=support&limit=100").await, 200));
    all.into_iter().filter(|item| item["kind"] == "account_opening_refused").collect()
}

#[tokio::test]
async fn a_new_installation_opens_nothing_by_itself() {
    let world = World::start().await;
    let client = world.client("en").await;
    assert_eq!(accounts(&world, &client).await, Vec::<Value>::new());
    approve(&world, &client).await;
    assert_eq!(accounts(&world, &client).await, Vec::<Value>::new());
    assert_eq!(openings(&world).await, Vec::<Value>::new());
}

#[tokio::test]
async fn registration_and_approval_open_what_the_rules_say_on_several_platforms_at_once() {
    let world = World::start().await;
    let platforms = ["mt5", "mt4", "ctrader", "dxtrade"];
    let mut rows = vec![row("demo", "registered", "mt5", "demo", 500)];
    rows.extend(platforms.map(|platform| row(&format!("live_{platform}"), "kyc_approved", platform, "live", 30)));
    with_rows(&world, json!(rows)).await;
    let client = world.client("es").await;
    let demo = accounts(&world, &client).await;
    assert_eq!(demo.len(), 1, "{demo:?}");
    // asked for 500, and lives in the EU
    assert_eq!(
        (&demo[0]["kind"], &demo[0]["status"], &demo[0]["leverage"]),
        (&json!("demo"), &json!("open"), &json!(30))
    );
    let journal = expect(
        world.get("support", &format!("/v1/journal?entity={}", demo[0]["account_id"].as_str().unwrap())).await,
        200,
    );
    let why = items(&journal)[0]["why"].to_string();
    assert!(why.contains("openings: demo") && why.contains("leverage 500 is capped at 30"), "{why}");

    approve(&world, &client).await;
    let all = accounts(&world, &client).await;
    let live: BTreeSet<&str> = all
        .iter()
        .filter(|account| account["kind"] == "live" && account["status"] == "open")
        .map(|account| account["platform"].as_str().unwrap())
        .collect();
    assert_eq!((all.len(), live), (5, platforms.into_iter().collect()));
    // told again, and approved anew: nothing twice
    for (kind, version) in [("client.registered", 1), ("kyc.approved", 6), ("kyc.approved", 99)] {
        again(&world, &client, kind, version).await;
    }
    assert_eq!(accounts(&world, &client).await, all);
    assert_eq!(openings(&world).await, Vec::<Value>::new());
}

#[tokio::test]
async fn who_asked_for_such_an_account_himself_gets_no_second_one() {
    let world = World::start().await;
    with_rows(&world, json!([row("live", "kyc_approved", "mt5", "live", 30)])).await;
    let client = world.client("es").await;
    let path = format!("/v1/clients/{client}/accounts");
    let own = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
    approve(&world, &client).await;
    let all = accounts(&world, &client).await;
    assert_eq!((all.len(), all[0]["account_id"].as_str()), (1, Some(own.as_str())));
}

#[tokio::test]
async fn what_cannot_be_opened_is_a_work_item_and_costs_the_others_nothing() {
    let world = World::start().await;
    let mut set = world.broker.rule_document(SetName::Platforms).unwrap();
    let demo = |id: &str, currency: &str| {
        let mut row = row(id, "registered", "mt5", "demo", 30);
        row["then"]["currency"] = json!(currency);
        row
    };
    set["openings"] = json!([demo("usd", "USD"), demo("eur", "EUR"), row("mt4", "registered", "mt4", "demo", 30)]);
    set["account_limits"] = json!([{"id": "one", "when": {"field": "platform", "eq": "mt5"}, "then": {"max": 1}}]);
    world.publish(SetName::Platforms, 2, |document| *document = set.clone()).await;
    let client = world.client("en").await;
    let open = accounts(&world, &client).await;
    let mut platforms: Vec<&str> = open.iter().map(|account| account["platform"].as_str().unwrap()).collect();
    platforms.sort_unstable();
    assert_eq!(platforms, ["mt4", "mt5"]);
    let asked = openings(&world).await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    let refused = &asked[0]["trigger"]["data"]["refused"];
    assert_eq!((refused.as_array().unwrap().len(), &refused[0]["row"]), (1, &json!("eur")));
    assert_eq!(refused[0]["code"], "too_many_accounts");
    assert!(
        refused[0]["reason"].as_str().unwrap().contains("of demo accounts of type standard on mt5 the client has 1"),
        "{refused}"
    );
    assert_eq!(asked[0]["subject"]["client_id"], client.as_str());
    // told again: the same item
    again(&world, &client, "client.registered", 1).await;
    assert_eq!(openings(&world).await.len(), 1);

    // tried again while nothing has changed: asked again
    let work = asked[0]["work_id"].as_str().unwrap();
    expect(world.act("support", work, &json!({"action": "retry"})).await, 200);
    let second = openings(&world).await;
    assert!(second.len() == 1 && second[0]["work_id"] != work, "{second:?}");
    assert_eq!(accounts(&world, &client).await.len(), 2);
    // and after the rules have: opened
    set["account_limits"] = json!([]);
    world.publish(SetName::Platforms, 3, |document| *document = set).await;
    world.pass(61).await;
    expect(world.act("support", second[0]["work_id"].as_str().unwrap(), &json!({"action": "retry"})).await, 200);
    let all = accounts(&world, &client).await;
    assert!(all.len() == 3 && all.iter().all(|account| account["status"] == "open"), "{all:?}");
    assert_eq!(openings(&world).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_refusal_that_a_person_closes_stays_closed() {
    let world = World::start().await;
    let rows = json!([row("a", "registered", "mt5", "demo", 30), row("b", "registered", "mt4", "demo", 30)]);
    world
        .publish(SetName::Platforms, 2, |set| {
            set["openings"] = rows.clone();
            set["accounts_max"] = json!(1);
        })
        .await;
    let client = world.client("en").await;
    let item = openings(&world).await.remove(0);
    let work = item["work_id"].as_str().unwrap();
    expect(world.act("support", work, &json!({"action": "close"})).await, 200);
    assert_eq!(openings(&world).await, Vec::<Value>::new());
    again(&world, &client, "client.registered", 1).await;
    assert_eq!((openings(&world).await.len(), accounts(&world, &client).await.len()), (0, 1));
    // also when the rules would let it pass now: what the event set off was decided
    world.publish(SetName::Platforms, 3, |set| set["openings"] = rows.clone()).await;
    world.pass(61).await;
    again(&world, &client, "client.registered", 1).await;
    assert_eq!((openings(&world).await.len(), accounts(&world, &client).await.len()), (0, 1));
}

#[tokio::test]
async fn levels_of_verification_bind_accounts_that_open_by_rule() {
    let world = World::start().await;
    with_rows(
        &world,
        json!([row("early", "registered", "mt5", "live", 30), row("demo", "registered", "mt5", "demo", 30)]),
    )
    .await;
    world.publish(SetName::KycLevels, 2, |set| set["levels"][2]["then"]["live_account"] = json!(false)).await;
    let client = world.client("es").await;
    let open = accounts(&world, &client).await;
    assert_eq!((open.len(), &open[0]["kind"]), (1, &json!("demo")));
    let item = openings(&world).await.remove(0);
    assert_eq!(item["trigger"]["data"]["refused"][0]["code"], "level_required");
    // he is approved meanwhile
    approve(&world, &client).await;
    expect(world.act("support", item["work_id"].as_str().unwrap(), &json!({"action": "retry"})).await, 200);
    let all = accounts(&world, &client).await;
    assert!(all.len() == 2 && all.iter().any(|account| account["kind"] == "live"), "{all:?}");
}

#[tokio::test]
async fn an_approval_that_was_taken_back_before_its_event_came_opens_nothing() {
    let world = World::start().await;
    with_rows(&world, json!([row("live", "kyc_approved", "mt5", "live", 30)])).await;
    let client = world.client("es").await;
    again(&world, &client, "kyc.approved", 6).await;
    assert_eq!(accounts(&world, &client).await, Vec::<Value>::new());
}

/// The client's case stands otherwise from now on.
async fn case_is(world: &World, client: &str, status: KycStatus, events: Vec<&'static str>) {
    let id: ClientId = client.parse().unwrap();
    let stored = world.broker.crm().load::<KycCase>(&domain::KycCaseId::of(&id)).await.unwrap().unwrap();
    let mut case = stored.entity.clone();
    case.facts.status = status;
    let frame = Frame {
        function: "kyc-screen",
        execution_id: "test".to_owned(),
        trigger: "test".to_owned(),
        correlation_id: stored.correlation_id.clone(),
        now: world.now(),
        rules: vec![],
    };
    let decision = Decision::new(case, status.as_str(), events, vec![]);
    assert!(matches!(world.broker.crm().save(Some(&stored), decision, &frame).await.unwrap(), Saved::Applied(_)));
    world.idle().await;
}

async fn told(world: &World, client: &str) -> Vec<Value> {
    world.idle().await;
    items(&expect(world.get("portal", &format!("/v1/clients/{client}/notifications?limit=100")).await, 200))
}

/// Lets everything that waits come due, and less time pass than after which a person is asked.
async fn settle(world: &World) {
    for _ in 0..4 {
        world.pass(5 * 60).await;
        world.sweep().await;
    }
}

/// A client who was approved while the trading server was away, and of whom that was taken back before it came again.
async fn approved_in_an_outage(world: &World, status: KycStatus) -> (String, Vec<Value>) {
    let client = world.client("es").await;
    world.faults("mt5", &json!([{"operation": "*", "fault": {"kind": "drop"}, "times": 0}])).await;
    approve(world, &client).await;
    settle(world).await;
    case_is(world, &client, status, vec![]).await;
    world.no_faults("mt5").await;
    settle(world).await;
    let all = accounts(world, &client).await;
    (client, all)
}

async fn on_the_platform(world: &World, account: &Value) -> usize {
    let users = world.recorded("mt5", "").await["users"].as_array().unwrap().clone();
    users.iter().filter(|user| user["comment"] == account["account_id"]).count()
}

#[tokio::test]
async fn an_approval_that_is_taken_back_during_an_outage_opens_no_account_after_it() {
    let world = World::start().await;
    with_rows(&world, json!([row("live", "kyc_approved", "mt5", "live", 30)])).await;
    for status in [KycStatus::Rejected, KycStatus::InReview, KycStatus::Expired] {
        let (client, all) = approved_in_an_outage(&world, status).await;
        assert_eq!((all.len(), &all[0]["status"]), (1, &json!("failed")), "{status}: {all:?}");
        assert_eq!(all[0]["refused"]["code"], "no_longer_approved", "{all:?}");
        assert_eq!(on_the_platform(&world, &all[0]).await, 0);
        let told = told(&world, &client).await;
        let refused: Vec<&Value> = told.iter().filter(|message| message["kind"] == "account.refused").collect();
        assert_eq!((refused.len(), told.len()), (1, 2), "{told:?}");
        assert_eq!(refused[0]["title"], "Su cuenta de trading no se ha abierto");
        let desk = items(&expect(world.get("support", "/v1/work?queue=support&limit=100").await, 200));
        assert_eq!(desk, Vec::<Value>::new());
        // nobody sends it once more
        settle(&world).await;
        assert_eq!(accounts(&world, &client).await, all);
        // and approved again he gets it, once
        case_is(&world, &client, KycStatus::Approved, vec!["kyc.approved"]).await;
        let open = accounts(&world, &client).await;
        assert_eq!((open.len(), &open[0]["status"], open[0].get("refused")), (1, &json!("open"), None), "{open:?}");
        assert_eq!(on_the_platform(&world, &open[0]).await, 1);
    }
}

#[tokio::test]
async fn who_was_rejected_during_an_outage_gets_the_demo_account_alone_that_he_asked_for() {
    let world = World::start().await;
    let client = world.client("en").await;
    approve(&world, &client).await;
    world.faults("mt5", &json!([{"operation": "*", "fault": {"kind": "drop"}, "times": 0}])).await;
    let path = format!("/v1/clients/{client}/accounts");
    for kind in ["live", "demo"] {
        let mut body = account_request("USD");
        body["kind"] = json!(kind);
        expect(world.portal(&path, &body).await, 202);
    }
    settle(&world).await;
    case_is(&world, &client, KycStatus::Rejected, vec![]).await;
    world.no_faults("mt5").await;
    settle(&world).await;
    let mut all: Vec<(String, String)> = accounts(&world, &client)
        .await
        .iter()
        .map(|one| (one["kind"].as_str().unwrap().to_owned(), one["status"].as_str().unwrap().to_owned()))
        .collect();
    all.sort_unstable();
    let is = |kind: &str, status: &str| (kind.to_owned(), status.to_owned());
    assert_eq!(all, [is("demo", "open"), is("live", "failed")]);
}

#[tokio::test]
async fn a_person_is_asked_about_a_refused_account_where_the_rules_want_that_and_may_have_it_tried_again() {
    let world = World::start().await;
    world
        .publish(SetName::Platforms, 2, |set| {
            set["openings"] = json!([row("live", "kyc_approved", "mt5", "live", 30)]);
            set["ask_about_refused"] = json!(true);
        })
        .await;
    let (client, all) = approved_in_an_outage(&world, KycStatus::InReview).await;
    assert_eq!(all[0]["status"], "failed");
    let desk = async || items(&expect(world.get("support", "/v1/work?queue=support&limit=100").await, 200));
    let retry = async |item: &Value| {
        world.pass(61).await;
        let work = item["work_id"].as_str().unwrap();
        expect(world.act("support", work, &json!({"action": "mark_not_created_retry"})).await, 200);
        world.idle().await;
    };
    let item = desk().await.remove(0);
    assert_eq!((&item["kind"], desk().await.len()), (&json!("account_creation_refused"), 1));
    assert!(item["trigger"]["why"].to_string().contains("not approved any more"), "{item}");
    // too early: refused once more
    retry(&item).await;
    assert_eq!(accounts(&world, &client).await[0]["status"], "failed");
    let again = desk().await.remove(0);
    assert_ne!(again["work_id"], item["work_id"]);
    // the approval alone does not open what a person is asked about
    case_is(&world, &client, KycStatus::Approved, vec!["kyc.approved"]).await;
    assert_eq!(accounts(&world, &client).await[0]["status"], "failed");
    retry(&again).await;
    let open = accounts(&world, &client).await;
    assert_eq!((open.len(), &open[0]["status"]), (1, &json!("open")), "{open:?}");
    assert_eq!(on_the_platform(&world, &open[0]).await, 1);
}

#[tokio::test]
async fn however_many_are_asked_for_at_once_no_more_are_made_than_may_be() {
    let limits: [(Value, usize); 3] = [
        (json!({"accounts_max": 7}), 7),
        (json!({"accounts_per_day_max": 4}), 4),
        (json!({"account_limits": [{"id": "three", "when": {"field": "kind", "eq": "live"}, "then": {"max": 3}}]}), 3),
    ];
    for (limit, max) in limits {
        let world = World::start().await;
        world
            .publish(SetName::Platforms, 2, |set| {
                set.as_object_mut().unwrap().extend(limit.as_object().unwrap().clone());
            })
            .await;
        let client = world.client("en").await;
        let path = format!("/v1/clients/{client}/accounts");
        let answers = join_all((0..50).map(|n| {
            let body = account_request(["USD", "EUR"][n % 2]);
            let call = Call::post(&path, &body).token(world.broker.token("portal")).key(&format!("at-once-{n}"));
            world.send(call)
        }))
        .await;
        let made = answers.iter().filter(|answer| answer.status == 202).count();
        for refused in answers.iter().filter(|answer| answer.status != 202) {
            assert_eq!(
                (refused.status, faults(refused)),
                (422, vec![" too_many_accounts".to_owned()]),
                "{}",
                refused.text
            );
        }
        assert_eq!((made, accounts(&world, &client).await.len()), (max, max), "{limit}");
    }
}

#[tokio::test]
async fn the_rules_and_the_client_at_once_open_no_more_than_may_be() {
    let world = World::start().await;
    world
        .publish(SetName::Platforms, 2, |set| {
            set["openings"] = json!([row("demo", "registered", "mt5", "demo", 30)]);
            set["account_limits"] = json!([{"id": "one", "when": {"field": "kind", "eq": "demo"}, "then": {"max": 1}}]);
        })
        .await;
    for _ in 0..5 {
        let client = world.client("en").await;
        let path = format!("/v1/clients/{client}/accounts");
        let asks = (0..10).map(async |n| {
            let mut body = account_request(["USD", "EUR"][n % 2]);
            body["kind"] = json!("demo");
            world.portal(&path, &body).await.status
        });
        let repeats = (0..5).map(|_| again(&world, &client, "client.registered", 1));
        let (statuses, _) = join(join_all(asks), join_all(repeats)).await;
        let asked = statuses.iter().filter(|status| **status == 202).count();
        assert!(asked <= 1 && statuses.iter().all(|status| matches!(status, 202 | 422)), "{statuses:?}");
        assert_eq!(accounts(&world, &client).await.len(), 1);
        let about = |item: &&Value| item["subject"]["client_id"] == client.as_str();
        assert!(openings(&world).await.iter().filter(about).count() <= 1);
    }
}

#[tokio::test]
async fn an_account_that_failed_leaves_its_place_to_another() {
    let world = World::start().await;
    let limit = json!([{"id": "one", "when": "always", "then": {"max": 1}}]);
    world.publish(SetName::Platforms, 2, |set| set["account_limits"] = limit).await;
    let path = format!("/v1/clients/{}/accounts", world.client("en").await);
    world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "refuse", "retcode": 3}}])).await;
    expect(world.portal(&path, &account_request("USD")).await, 202);
    world.idle().await;
    expect(world.portal(&path, &account_request("USD")).await, 202);
    let refused = expect(world.portal(&path, &account_request("USD")).await, 422);
    assert_eq!(faults(&refused), [" too_many_accounts"]);
    // of another kind there may be one as well
    let mut demo = account_request("USD");
    demo["kind"] = json!("demo");
    expect(world.portal(&path, &demo).await, 202);
}

#[tokio::test]
async fn an_account_that_is_tried_again_takes_no_place_that_another_has_by_now() {
    let world = World::start().await;
    let limit = json!([{"id": "one", "when": "always", "then": {"max": 1}}]);
    world.publish(SetName::Platforms, 2, |set| set["account_limits"] = limit).await;
    let client = world.client("en").await;
    let path = format!("/v1/clients/{client}/accounts");
    world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "refuse", "retcode": 3}}])).await;
    let first = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
    world.idle().await;
    expect(world.portal(&path, &account_request("USD")).await, 202);
    world.idle().await;
    let desk = async || items(&expect(world.get("support", "/v1/work?queue=support&limit=100").await, 200));
    let status = async || expect(world.get("portal", &format!("/v1/accounts/{first}")).await, 200).text_at("/status");
    let retry = async |item: &Value| {
        world.pass(61).await;
        let work = item["work_id"].as_str().unwrap();
        expect(world.act("support", work, &json!({"action": "mark_not_created_retry"})).await, 200);
        world.idle().await;
    };
    let item = desk().await.remove(0);
    retry(&item).await;
    assert_eq!(status().await, "failed");
    let again = desk().await.remove(0);
    assert!(again["work_id"] != item["work_id"] && again["kind"] == "account_creation_refused", "{again}");
    assert!(again["trigger"]["why"].to_string().contains("may have no more"), "{again}");
    // where there is a place, it takes it
    world.publish(SetName::Platforms, 3, |set| set["account_limits"] = json!([])).await;
    world.pass(61).await;
    retry(&again).await;
    assert_eq!(status().await, "open");
}

#[tokio::test]
async fn one_wish_sent_often_and_at_once_is_one_account() {
    let world = World::start().await;
    let client = world.client("en").await;
    let path = format!("/v1/clients/{client}/accounts");
    let ask = |body: &Value| Call::post(&path, body).token(world.broker.token("portal")).key("one-wish");
    let body = account_request("USD");
    let answers = join_all((0..20).map(|_| world.send(ask(&body)))).await;
    let ids: BTreeSet<String> =
        answers.iter().filter(|answer| answer.status == 202).map(|answer| answer.text_at("/account_id")).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 202 | 409)));
    world.idle().await;
    let replay = expect(world.send(ask(&body)).await, 202);
    assert_eq!(crate::world::header(&replay, "idempotency-replayed"), Some("true"));
    assert!(ids.contains(&replay.text_at("/account_id")));
    // the answer is the first one's although no account could be asked for any more
    world.publish(SetName::Platforms, 2, |set| set["accounts_max"] = json!(1)).await;
    world.pass(61).await;
    expect(world.send(ask(&body)).await, 202);
    expect(world.portal(&path, &body).await, 422);
    expect(world.send(ask(&account_request("EUR"))).await, 422);
    assert_eq!(accounts(&world, &client).await.len(), 1);
    let users = world.recorded("mt5", "").await["users"].as_array().unwrap().clone();
    assert_eq!(users.iter().filter(|user| user["comment"] == ids.first().unwrap().as_str()).count(), 1);
}

#[tokio::test]
async fn a_few_hundred_registrations_at_once_open_one_account_each() {
    const CLIENTS: usize = 200;
    let world = World::start().await;
    with_rows(&world, json!([row("demo", "registered", "mt5", "demo", 30)])).await;
    let clients = join_all((0..CLIENTS).map(async |n| {
        let mut body = registration();
        body["email"] = json!(format!("burst-{n}@example.com"));
        expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id")
    }))
    .await;
    world.idle().await;
    let state = world.recorded("mt5", "").await;
    let workers = world.broker.host.template().function("accounts-create").unwrap().queues.iter();
    // each platform has a queue of its own
    let allowed = workers.map(|mapping| mapping.maximum_concurrency.unwrap()).max().unwrap();
    let at_once = state["at_once_most"].as_u64().unwrap();
    assert!(at_once <= u64::try_from(allowed).unwrap(), "{at_once} calls at once, {allowed} are allowed");
    let mut references: Vec<&str> =
        state["users"].as_array().unwrap().iter().filter_map(|user| user["comment"].as_str()).collect();
    references.retain(|comment| comment.starts_with("acc_"));
    assert_eq!(references.len(), CLIENTS);
    references.sort_unstable();
    references.dedup();
    assert_eq!(references.len(), CLIENTS, "two accounts of one reference");
    for client in &clients {
        let open = accounts(&world, client).await;
        assert_eq!((open.len(), &open[0]["status"]), (1, &json!("open")));
    }
}

/// Plays as much as makes the events of accounts that could not be opened; the client.
pub async fn play(world: &World) -> String {
    world
        .publish(SetName::Platforms, 2, |set| {
            set["openings"] =
                json!([row("a", "registered", "mt5", "demo", 30), row("b", "registered", "mt5", "live", 30)]);
            set["account_limits"] = json!([{"id": "one", "when": {"field": "kind", "eq": "demo"}, "then": {"max": 1}}]);
            set["accounts_max"] = json!(1);
        })
        .await;
    world.pass(61).await;
    let client = world.client("en").await;
    let item = openings(world).await.remove(0);
    expect(world.act("support", item["work_id"].as_str().unwrap(), &json!({"action": "retry"})).await, 200);
    world.idle().await;
    // one that the platform refuses, and of which a person names a login that is none
    world.publish(SetName::Platforms, 3, |_| ()).await;
    world.pass(61).await;
    world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "refuse", "retcode": 3}}])).await;
    expect(world.portal(&format!("/v1/clients/{client}/accounts"), &account_request("EUR")).await, 202);
    world.idle().await;
    world.pass(61).await;
    let desk = items(&expect(world.get("support", "/v1/work?queue=support&limit=100").await, 200));
    let refused = desk
        .iter()
        .find(|item| item["subject"]["client_id"] == client.as_str() && item["kind"] == "account_creation_refused");
    let work = refused.unwrap()["work_id"].as_str().unwrap();
    expect(world.act("support", work, &json!({"action": "mark_open", "evidence": "4711"})).await, 200);
    world.idle().await;
    // and one that he may no longer have when it is to be created
    approve(world, &client).await;
    world.faults("mt4", &json!([{"operation": "*", "fault": {"kind": "drop"}, "times": 0}])).await;
    let mut body = account_request("USD");
    body["platform"] = json!("mt4");
    expect(world.portal(&format!("/v1/clients/{client}/accounts"), &body).await, 202);
    world.idle().await;
    case_is(world, &client, KycStatus::Rejected, vec![]).await;
    world.no_faults("mt4").await;
    settle(world).await;
    client
}
