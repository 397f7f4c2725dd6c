//! Partners over the public API: application, agreement, verification, the tree, who brought whom.

use broker::api::Answer;
use serde_json::{Value, json};

use crate::world::{Call, World, expect, faults, header, items, registration};

pub fn application() -> Value {
    json!({
        "full_name": "Iris Bauer", "email": "iris@example.com", "country": "DE",
        "payout": {"rail": "bank", "name": "Iris Bauer", "iban": "DE89370400440532013000"},
    })
}

fn with(more: &Value) -> Value {
    let mut body = application();
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

pub async fn apply(world: &World, more: Value) -> String {
    expect(world.portal("/v1/partners", &with(&more)).await, 201).text_at("/partner_id")
}

pub async fn put(world: &World, who: &str, path: &str, body: &Value) -> Answer {
    world.send(Call::put(path, body).token(world.broker.token(who))).await
}

/// Proposes and accepts.
pub async fn agree(world: &World, partner: &str, agreement: &str) -> Value {
    let path = format!("/v1/partners/{partner}/agreement");
    expect(world.post("finance", &path, &json!({"agreement_id": agreement})).await, 201);
    expect(world.portal(&format!("{path}/accept"), &json!({})).await, 200).json
}

pub async fn seen(world: &World, partner: &str) -> Value {
    world.idle().await;
    expect(world.get("finance", &format!("/v1/partners/{partner}")).await, 200).json
}

/// The open work item that asks who a partner is.
pub async fn asked(world: &World, partner: &str) -> String {
    world.idle().await;
    let all = items(&expect(world.get("compliance", "/v1/work?queue=compliance&limit=100").await, 200));
    let item =
        all.iter().find(|item| item["subject"]["partner_id"] == partner && item["kind"] == "partner_verification");
    item.unwrap_or_else(|| panic!("nobody is asked about {partner}: {all:?}"))["work_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_partner_is_active_once_he_accepted_and_compliance_knows_him() {
    let world = World::start().await;
    let partner = apply(&world, json!({"code": "iris-1"})).await;
    let shown = seen(&world, &partner).await;
    assert_eq!(
        (&shown["status"], &shown["code"], &shown["agreement"]),
        (&json!("applied"), &json!("IRIS-1"), &Value::Null)
    );
    assert_eq!(shown["balances"]["accrued"], json!({"amount": "0.00", "currency": "USD"}), "the usual currency");
    let accepted = agree(&world, &partner, "standard").await;
    assert_eq!((&accepted["status"], &accepted["agreement"]["id"]), (&json!("applied"), &json!("standard")));
    let item = asked(&world, &partner).await;
    expect(world.act("compliance", &item, &json!({"action": "approve"})).await, 200);
    let shown = seen(&world, &partner).await;
    assert_eq!((&shown["status"], &shown["verified"]), (&json!("active"), &json!("compliance")));
    assert_eq!(shown["agreement"]["version"], 1);
    for part in ["accrued", "on_hold", "payable", "paid", "carried"] {
        assert_eq!(shown["balances"][part], json!({"amount": "0.00", "currency": "USD"}), "{part}");
    }
    // nothing that is his own is told on
    let journal = expect(world.get("finance", &format!("/v1/journal?entity={partner}")).await, 200);
    assert_eq!(journal.json["verified"], true, "{}", journal.text);
    for secret in ["Iris Bauer", "iris@example.com", "DE8937"] {
        assert!(!journal.text.contains(secret), "{}", journal.text);
    }
}

#[tokio::test]
async fn one_whom_compliance_declines_stays_so_whatever_he_accepts() {
    let world = World::start().await;
    let partner = apply(&world, json!({})).await;
    let item = asked(&world, &partner).await;
    expect(world.act("compliance", &item, &json!({"action": "decline"})).await, 200);
    assert_eq!(seen(&world, &partner).await["status"], "declined");
    agree(&world, &partner, "master").await;
    assert_eq!(seen(&world, &partner).await["status"], "declined");
}

#[tokio::test]
async fn a_key_makes_one_partner_and_one_proposal() {
    let world = World::start().await;
    let token = world.broker.token("portal");
    let call = |body: &Value, key: &str| Call::post("/v1/partners", body).token(token).key(key);
    let first = expect(world.send(call(&application(), "k-1")).await, 201);
    let again = expect(world.send(call(&application(), "k-1")).await, 201);
    assert_eq!((&again.json, header(&again, "idempotency-replayed")), (&first.json, Some("true")));
    expect(world.send(call(&with(&json!({"country": "AT"})), "k-1")).await, 422);
    expect(world.send(Call::post("/v1/partners", &application()).token(token)).await, 400);
    let partner = first.text_at("/partner_id");
    let path = format!("/v1/partners/{partner}/agreement");
    let finance = world.broker.token("finance");
    let propose = |name: &str| Call::post(&path, &json!({"agreement_id": name})).token(finance).key("k-2");
    let proposed = expect(world.send(propose("standard")).await, 201);
    assert_eq!(proposed.json["proposed"], json!({"id": "standard", "version": 1, "effective_at": null}));
    expect(world.portal(&format!("{path}/accept"), &json!({})).await, 200);
    let again = expect(world.send(propose("standard")).await, 201);
    assert_eq!((&again.json, header(&again, "idempotency-replayed")), (&proposed.json, Some("true")));
    expect(world.send(propose("master")).await, 422);
    // accepting twice is accepting once
    expect(world.portal(&format!("{path}/accept"), &json!({})).await, 200);
    assert_eq!(seen(&world, &partner).await["proposed"], Value::Null);
}

#[tokio::test]
async fn every_fault_is_told_at_once_and_changes_nothing() {
    let world = World::start().await;
    let taken = apply(&world, json!({"code": "taken"})).await;
    let before = world.stored().await;
    let bad = json!({"full_name": "", "email": "x", "country": "Mars", "payout": {"rail": "bank", "name": "n", "iban": "DE98370400440532013000"}});
    let answer = expect(world.portal("/v1/partners", &bad).await, 422);
    assert_eq!(
        faults(&answer),
        ["/country unknown_country", "/email invalid_email", "/full_name empty", "/payout/iban invalid_iban"]
    );
    let nobody = "ptn_00000000000000000000000000";
    let answer = world
        .portal("/v1/partners", &with(&json!({"client_id": "cli_00000000000000000000000000", "parent_id": nobody})))
        .await;
    assert_eq!(faults(&expect(answer, 422)), ["/client_id unknown_client", "/parent_id unknown_partner"]);
    expect(world.get("finance", &format!("/v1/partners/{nobody}")).await, 404);
    let answer =
        world.post("finance", &format!("/v1/partners/{taken}/agreement"), &json!({"agreement_id": "gold"})).await;
    assert_eq!(
        expect(answer, 422).json["errors"][0]["allowed_values"],
        json!(["hybrid", "master", "revenue_share", "standard"])
    );
    expect(world.portal(&format!("/v1/partners/{taken}/agreement/accept"), &json!({})).await, 409);
    let answer =
        put(&world, "admin", &format!("/v1/partners/{taken}/parent"), &json!({"parent_id": 1, "effective_at": "soon"}))
            .await;
    assert_eq!(faults(&expect(answer, 400)), ["/effective_at invalid_time", "/parent_id wrong_type"]);
    let unknown = json!({"parent_id": nobody, "effective_at": "2030-01-01T00:00:00Z"});
    expect(put(&world, "admin", &format!("/v1/partners/{taken}/parent"), &unknown).await, 422);
    let only_keys = |table: &std::collections::BTreeMap<String, Vec<String>>| {
        table.values().flatten().filter(|item| !item.contains("idem#")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(only_keys(&world.stored().await), only_keys(&before));
    expect(world.portal("/v1/partners", &with(&json!({"code": "TAKEN"}))).await, 409);
}

#[tokio::test]
async fn a_move_takes_the_subtree_along_and_makes_no_circle() {
    let world = World::start().await;
    let top = apply(&world, json!({"code": "top"})).await;
    let other = apply(&world, json!({"code": "other"})).await;
    let middle = apply(&world, json!({"parent_id": top})).await;
    let low = apply(&world, json!({"parent_id": middle})).await;
    let tree = |of: &str| format!("/v1/partners/{of}/tree");
    let shown = expect(world.get("portal", &tree(&top)).await, 200).json;
    assert_eq!((&shown["code"], &shown["clients"]), (&json!("TOP"), &json!(0)));
    assert_eq!(shown["children"][0]["children"][0]["partner_id"], low.as_str());
    let to = |parent: Value, at: &str| json!({"parent_id": parent, "effective_at": at});
    let now = world.now().to_string();
    for (who, under) in [(&top, &low), (&top, &middle), (&top, &top), (&middle, &low)] {
        let answer = put(&world, "admin", &format!("/v1/partners/{who}/parent"), &to(json!(under), &now)).await;
        expect(answer, 409);
    }
    // from before now is from now
    let moved =
        put(&world, "admin", &format!("/v1/partners/{middle}/parent"), &to(json!(other), "2020-01-01T00:00:00Z")).await;
    let moved = expect(moved, 200).json;
    assert!(moved["effective_at"].as_str().unwrap() >= now.as_str() && moved["parent_id"] == other.as_str(), "{moved}");
    let shown = expect(world.get("portal", &tree(&other)).await, 200).json;
    assert_eq!(shown["children"][0]["children"][0]["partner_id"], low.as_str());
    assert_eq!(expect(world.get("portal", &tree(&top)).await, 200).json["children"], json!([]));
    // to nobody, later
    let later = world.now().plus(domain::Seconds(3_600)).to_string();
    let moved =
        expect(put(&world, "admin", &format!("/v1/partners/{middle}/parent"), &to(Value::Null, &later)).await, 200)
            .json;
    assert_eq!(moved, json!({"partner_id": middle, "parent_id": null, "effective_at": later}));
    assert_eq!(seen(&world, &middle).await["parent_id"], other.as_str());
    world.pass(3_601).await;
    assert_eq!(seen(&world, &middle).await["parent_id"], Value::Null);
    assert_eq!(expect(world.get("portal", &tree(&other)).await, 200).json["children"], json!([]));
}

#[tokio::test]
async fn no_two_moves_at_once_make_a_circle() {
    let world = World::start().await;
    let (a, b) = (apply(&world, json!({})).await, apply(&world, json!({})).await);
    let under = |who: &str, parent: &str| {
        let body = json!({"parent_id": parent, "effective_at": "2020-01-01T00:00:00Z"});
        Call::put(&format!("/v1/partners/{who}/parent"), &body).token(world.broker.token("admin"))
    };
    let (one, two) = futures::join!(world.send(under(&a, &b)), world.send(under(&b, &a)));
    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [200, 409], "{} {}", one.text, two.text);
}

#[tokio::test]
async fn nobody_stands_deeper_than_the_rules_allow() {
    let world = World::start().await;
    world.publish(domain::rule_sets::SetName::PartnerAgreements, 2, |rules| rules["depth_max"] = json!(2)).await;
    world.pass(61).await;
    let top = apply(&world, json!({})).await;
    let under = apply(&world, json!({"parent_id": top})).await;
    expect(world.portal("/v1/partners", &with(&json!({"parent_id": under}))).await, 409);
}

pub async fn client_with(world: &World, code: &str) -> String {
    let mut body = registration();
    body["email"] = json!(format!("client-{}@example.com", world.fresh()));
    body["partner_code"] = json!(code);
    let client = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
    world.idle().await;
    client
}

async fn clients_of(world: &World, partner: &str) -> u64 {
    expect(world.get("finance", &format!("/v1/partners/{partner}/tree")).await, 200).json["clients"].as_u64().unwrap()
}

#[tokio::test]
async fn a_client_is_his_whose_code_he_named_until_a_person_says_otherwise() {
    let world = World::start().await;
    let (iris, jan) = (apply(&world, json!({"code": "iris"})).await, apply(&world, json!({"code": "jan"})).await);
    let client = client_with(&world, " Iris ").await;
    client_with(&world, "nobody").await;
    assert_eq!([clients_of(&world, &iris).await, clients_of(&world, &jan).await], [1, 0]);
    let path = format!("/v1/clients/{client}/partner");
    let to = |partner: Value| json!({"partner_id": partner, "effective_at": "2020-01-01T00:00:00Z", "reason": "he showed the mail"});
    expect(put(&world, "support", &path, &to(json!(jan))).await, 403);
    expect(
        put(&world, "finance", &path, &json!({"partner_id": jan, "effective_at": "2020-01-01T00:00:00Z"})).await,
        400,
    );
    let said = expect(put(&world, "finance", &path, &to(json!(jan))).await, 200).json;
    assert_eq!((&said["client_id"], &said["partner_id"]), (&json!(client), &json!(jan)));
    assert_eq!([clients_of(&world, &iris).await, clients_of(&world, &jan).await], [0, 1]);
    // the same again changes nothing
    assert_eq!(expect(put(&world, "finance", &path, &to(json!(jan))).await, 200).json, said);
    let gone = expect(put(&world, "finance", &path, &to(Value::Null)).await, 200).json;
    assert_eq!(gone["partner_id"], Value::Null);
    assert_eq!([clients_of(&world, &iris).await, clients_of(&world, &jan).await], [0, 0]);
    let journal = expect(world.get("finance", &format!("/v1/journal?client={client}")).await, 200);
    assert!(journal.text.contains("attribution.changed") && !journal.text.contains("he showed"), "{}", journal.text);
}

#[tokio::test]
async fn a_client_who_is_a_partner_is_verified_with_his_own_identity_and_brings_not_himself() {
    let world = World::start().await;
    let client = world.client("en").await;
    let partner = apply(&world, json!({"client_id": client, "code": "own"})).await;
    expect(world.portal("/v1/partners", &with(&json!({"client_id": client}))).await, 409);
    agree(&world, &partner, "standard").await;
    assert_eq!(seen(&world, &partner).await["status"], "applied");
    let path = format!("/v1/clients/{client}/partner");
    let own = json!({"partner_id": partner, "effective_at": "2020-01-01T00:00:00Z", "reason": "x"});
    expect(put(&world, "finance", &path, &own).await, 422);
    // a token that is bound to the client is good for the partner that he is, and for no other
    let token = world.mint("portal", &["portal"], Some(&client));
    let another = apply(&world, json!({})).await;
    let get = |id: &str| Call::get(&format!("/v1/partners/{id}")).token(&token);
    expect(world.send(get(&partner)).await, 200);
    expect(world.send(get(&another)).await, 403);
}

const TRADE: &str = "trd_01m83zq1a0fbs92cmv5z42wqqy";

/// Tells of a version of a trade of 2.5 lots of EURUSD, as the trades feed does.
pub async fn traded(world: &World, client: &str, kind: &str, version: u64, change: Value) {
    let path = broker::local::repository().join("events/partners-accrue.json");
    let mut sample: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut body: Value = serde_json::from_str(sample["Records"][0]["body"].as_str().unwrap()).unwrap();
    let detail = &mut body["detail"];
    (detail["type"], detail["client_id"]) = (json!(kind), json!(client));
    (detail["version"], detail["event_id"]) = (json!(version), json!(format!("{TRADE}:{version}:0")));
    detail["data"]["at"] = json!(world.now().to_string());
    for (key, value) in change.as_object().unwrap() {
        detail["data"][key] = value.clone();
    }
    body["detail-type"] = json!(kind);
    sample["Records"][0]["body"] = json!(body.to_string());
    let answer = world.broker.host.invoke("partners-accrue", &sample).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    world.idle().await;
}

async fn accrued(world: &World, partner: &str) -> String {
    seen(world, partner).await["balances"]["accrued"]["amount"].as_str().unwrap().to_owned()
}

/// A master over a partner who brought a client.
async fn earning(world: &World) -> (String, String, String) {
    let top = apply(world, json!({"code": "top"})).await;
    let iris = apply(world, json!({"code": "iris", "parent_id": top})).await;
    agree(world, &top, "master").await;
    agree(world, &iris, "standard").await;
    let client = client_with(world, "iris").await;
    (top, iris, client)
}

#[tokio::test]
async fn a_trade_earns_each_level_once_and_is_taken_back_once() {
    let world = World::start().await;
    let (top, iris, client) = earning(&world).await;
    let both = async || [accrued(&world, &iris).await, accrued(&world, &top).await];
    traded(&world, &client, "trade.closed", 1, json!({})).await;
    assert_eq!(both().await, ["12.50", "7.50"], "5 and the difference to 8 for each of 2.5 lots");
    traded(&world, &client, "trade.closed", 1, json!({})).await;
    assert_eq!(both().await, ["12.50", "7.50"], "a repeat finds nothing to do");
    traded(&world, &client, "trade.corrected", 2, json!({"lots": "1"})).await;
    assert_eq!(both().await, ["5.00", "3.00"]);
    traded(&world, &client, "trade.closed", 1, json!({})).await;
    assert_eq!(both().await, ["5.00", "3.00"], "what is older comes too late");
    // an agreement that is accepted later changes nothing that was earned
    agree(&world, &iris, "master").await;
    traded(&world, &client, "trade.deleted", 3, json!({"standing": "deleted"})).await;
    traded(&world, &client, "trade.deleted", 3, json!({"standing": "deleted"})).await;
    assert_eq!(both().await, ["0.00", "0.00"]);
    let path = format!("/v1/journal?entity={}", domain::TradeAccrualId::of(TRADE));
    let journal = expect(world.get("finance", &path).await, 200);
    let outcomes: Vec<Value> = items(&journal).iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(
        (outcomes, &journal.json["verified"]),
        (vec![json!("accrued"), json!("accrued"), json!("earns_nothing")], &json!(true))
    );
}

#[tokio::test]
async fn each_line_says_what_it_was_reckoned_from_and_shows_a_partner_no_client() {
    let world = World::start().await;
    let (top, iris, client) = earning(&world).await;
    traded(&world, &client, "trade.closed", 1, json!({})).await;
    traded(&world, &client, "trade.corrected", 2, json!({"lots": "1"})).await;
    let path = format!("/v1/partners/{iris}/accruals");
    let lines = items(&expect(world.get("finance", &path).await, 200));
    let told = |line: &Value| {
        ["amount", "status", "base", "rate"].map(|part| match part {
            "amount" => line["amount"]["amount"].as_str().unwrap().to_owned(),
            part => line[part].as_str().unwrap().to_owned(),
        })
    };
    let mut all: Vec<[String; 4]> = lines.iter().map(told).collect();
    all.sort();
    let wanted = [["-12.50", "payable", "2.5", "5"], ["12.50", "reversed", "2.5", "5"], ["5.00", "payable", "1", "5"]];
    assert_eq!(all, wanted.map(|line| line.map(str::to_owned)));
    assert!(
        lines.iter().all(|line| line["client"] == client.as_str() && line["trade_id"] == TRADE && line["level"] == 1)
    );
    let reversal = lines.iter().find(|line| line["reverses"].is_string()).unwrap();
    assert!(lines.iter().any(|line| line["line_id"] == reversal["reverses"]));
    // page by page it is the same
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = expect(world.get("portal", &format!("{path}?limit=1&cursor={cursor}")).await, 200);
        paged.extend(items(&page));
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let ids = |lines: &[Value]| lines.iter().map(|line| line["line_id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&paged), ids(&lines));
    assert!(paged.iter().all(|line| line["client"].as_str().unwrap().starts_with('…')), "{paged:?}");
    let over = items(&expect(world.get("finance", &format!("/v1/partners/{top}/accruals")).await, 200));
    assert!(
        over.iter().any(|line| line["rate"] == "3"
            && line["level"] == 2
            && line["why"][0].as_str().unwrap().contains("less 5")),
        "{over:?}"
    );
    let later = world.now().plus(domain::Seconds(60)).to_string();
    assert_eq!(items(&expect(world.get("finance", &format!("{path}?from={later}")).await, 200)), Vec::<Value>::new());
    expect(world.get("finance", &format!("{path}?from=soon")).await, 400);
}

#[tokio::test]
async fn nobody_is_paid_for_a_demo_account_or_for_a_client_whom_nobody_brought() {
    let world = World::start().await;
    let (_, iris, client) = earning(&world).await;
    traded(&world, &client, "trade.closed", 1, json!({"kind": "demo"})).await;
    let stranger = world.client("en").await;
    traded(&world, &stranger, "trade.closed", 1, json!({"symbol": "UNKNOWN"})).await;
    assert_eq!(accrued(&world, &iris).await, "0.00");
}

#[tokio::test]
async fn a_trade_in_a_symbol_that_nobody_mapped_waits_for_finance_and_is_no_zero() {
    let world = World::start().await;
    let (top, iris, client) = earning(&world).await;
    traded(&world, &client, "trade.closed", 1, json!({"symbol": "EURUSD#x"})).await;
    traded(&world, &client, "trade.closed", 1, json!({"symbol": "EURUSD#x"})).await;
    let all = items(&expect(world.get("finance", "/v1/work?queue=finance&limit=100").await, 200));
    let asked: Vec<&Value> = all.iter().filter(|item| item["kind"] == "partner_trade_held").collect();
    assert_eq!(asked.len(), 1, "{all:?}");
    let work = asked[0]["work_id"].as_str().unwrap();
    world
        .publish(domain::rule_sets::SetName::PartnerAgreements, 2, |rules| {
            rules["symbols"]["suffixes"].as_array_mut().unwrap().push(json!("#x"));
        })
        .await;
    world.pass(61).await;
    expect(world.act("finance", work, &json!({"action": "retry"})).await, 200);
    world.idle().await;
    assert_eq!([accrued(&world, &iris).await, accrued(&world, &top).await], ["12.50", "7.50"]);
}

/// Plays as much as makes events of every type.
pub async fn play(world: &World) -> Vec<String> {
    let top = apply(world, json!({"code": "top"})).await;
    let iris = apply(world, json!({"code": "iris", "parent_id": top})).await;
    let place = json!({"parent_id": null, "effective_at": "2020-01-01T00:00:00Z"});
    expect(put(world, "admin", &format!("/v1/partners/{iris}/parent"), &place).await, 200);
    agree(world, &iris, "standard").await;
    for (partner, action) in [(&iris, "approve"), (&top, "decline")] {
        let item = asked(world, partner).await;
        expect(world.act("compliance", &item, &json!({"action": action})).await, 200);
        world.idle().await;
    }
    let client = client_with(world, "IRIS").await;
    traded(world, &client, "trade.closed", 1, json!({})).await;
    vec![top, iris, client, domain::TradeAccrualId::of(TRADE).to_string()]
}

#[tokio::test]
async fn what_takes_the_place_of_a_deal_is_reckoned_without_it() {
    let world = World::at("2026-11-23T12:30:00Z").await;
    let iris = apply(&world, json!({"code": "iris"})).await;
    agree(&world, &iris, "standard").await;
    let client = client_with(&world, "iris").await;
    let trader = world.account(&client, "USD").await;
    let lots = |number: u64, lots: &str| {
        let mut deal = crate::trades::deal(&trader, number, "1.00", 0);
        (deal["lots"], deal["at"]) = (json!(lots), json!(world.now().to_string()));
        deal
    };
    crate::trades::push(&world, "mt5", &[lots(1, "998.40")]).await;
    crate::trades::push(&world, "mt5", &[lots(2, "3.20")]).await;
    let cents = async || accrued(&world, &iris).await.replace('.', "").parse::<i64>().unwrap();
    let before = cents().await;
    // both lie in the month's second step only if both count
    let mut corrected = lots(3, "500.00");
    corrected["corrects"] = json!("1");
    crate::trades::push(&world, "mt5", &[corrected]).await;
    let after = cents().await;
    assert_eq!(before - after, 249_200, "998.4 lots less and 500 more, at 5 each: {before} to {after}");
    let lines = items(&expect(world.get("finance", &format!("/v1/partners/{iris}/accruals")).await, 200));
    let back: Vec<&Value> = lines.iter().filter(|line| !line["reverses"].is_null()).collect();
    assert_eq!(back.len(), 1, "{lines:#?}");
    assert!(back[0]["why"].to_string().contains("corrected"), "{:#}", back[0]);
}
