//! Lines of a statement that a partner disputes: two people put it right, once, on the next statement.

use domain::ledger::LedgerAccount;
use domain::{Day, Money, PartnerId};
use serde_json::{Value, json};

use crate::partner_payouts::{NOON, balances, days, partner, statements, verified_document};
use crate::partners::{client_with, traded};
use crate::world::{Call, World, expect, faults, header, items};

/// A partner whose first month is closed: his statement, with its lines.
async fn drawn(world: &World, code: &str) -> (String, Value) {
    let iris = partner(world, code, "standard", json!({})).await;
    let client = client_with(world, code).await;
    traded(world, &client, "trade.closed", 1, json!({"lots": "20"})).await;
    traded(world, &client, "trade.corrected", 2, json!({"lots": "21.5"})).await;
    days(world, 13).await;
    let head = statements(world, &iris).await[0].clone();
    let path = format!("/v1/statements/{}", head["statement_id"].as_str().unwrap());
    (iris, expect(world.get("portal", &path).await, 200).json)
}

fn path(statement: &Value) -> String {
    format!("/v1/statements/{}/disputes", statement["statement_id"].as_str().unwrap())
}

fn claim(statement: &Value, places: &[usize]) -> Value {
    let lines: Vec<Value> = places.iter().map(|place| statement["lines"][*place]["line_id"].clone()).collect();
    json!({"lines": lines, "reason": "It was 24 lots"})
}

async fn raise(world: &World, statement: &Value, places: &[usize]) -> String {
    expect(world.portal(&path(statement), &claim(statement, places)).await, 201).text_at("/dispute_id")
}

async fn shown(world: &World, who: &str, dispute: &str) -> Value {
    world.idle().await;
    expect(world.get(who, &format!("/v1/disputes/{dispute}")).await, 200).json
}

/// The work item of a dispute.
async fn item_of(world: &World, dispute: &str) -> Value {
    world.idle().await;
    let all = items(&expect(world.get("finance", "/v1/work?queue=finance&limit=100").await, 200));
    all.into_iter().find(|item| item["subject"]["dispute_id"] == dispute).unwrap()
}

async fn adjustments(world: &World, partner: &str) -> Vec<Value> {
    world.idle().await;
    let path = format!("/v1/partners/{partner}/accruals?limit=100");
    let all = items(&expect(world.get("portal", &path).await, 200));
    all.into_iter().filter(|line| line["model"] == "adjustment").collect()
}

/// What we owe a partner by the ledger, all days up to now.
async fn owed(world: &World, partner: &str) -> String {
    let account = LedgerAccount::Partner(partner.parse::<PartnerId>().unwrap());
    let mut sum = Money::zero("USD".parse().unwrap());
    let mut day = Day::of("2026-11-20T00:00:00Z".parse().unwrap());
    while day <= Day::of(world.now()) {
        let book = world.broker.money().day_book(day).await.unwrap();
        for leg in book.iter().flat_map(|entry| &entry.postings).filter(|leg| leg.account == account) {
            sum = sum.checked_add(&leg.amount.negated()).unwrap();
        }
        day = day.next();
    }
    sum.amount_text()
}

/// The decision of an item is told once more.
async fn told_again(world: &World, item: &str) {
    let sample = broker::local::repository().join("events/partners-accrue.json");
    let mut sample: Value = serde_json::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
    let mut body: Value = serde_json::from_str(sample["Records"][0]["body"].as_str().unwrap()).unwrap();
    body["detail-type"] = json!("work.decided");
    let detail = &mut body["detail"];
    (detail["type"], detail["entity"], detail["client_id"]) = (json!("work.decided"), json!(item), Value::Null);
    detail["event_id"] = json!(format!("{item}:3:0"));
    detail["data"] = json!({"kind": "partner_dispute", "work_id": item});
    sample["Records"][0]["body"] = json!(body.to_string());
    let answer = world.broker.host.invoke("partners-accrue", &sample).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
}

#[tokio::test]
async fn what_two_people_put_right_stands_once_on_the_next_statement() {
    let world = World::at(NOON).await;
    let (iris, statement) = drawn(&world, "iris").await;
    assert_eq!(balances(&world, &iris).await, ["0.00", "107.50", "0.00", "0.00"]);
    let dispute = raise(&world, &statement, &[0, 2]).await;
    let item = item_of(&world, &dispute).await;
    let work = item["work_id"].as_str().unwrap().to_owned();
    assert_eq!((&item["kind"], &item["subject"]["partner_id"]), (&json!("partner_dispute"), &json!(iris)));
    assert_eq!(item["trigger"]["data"]["lines"][1]["line_id"], statement["lines"][2]["line_id"], "{item:#}");
    assert!(!item.to_string().contains("24 lots"), "what he writes stays his");
    // what cannot be booked is put before nobody
    let adjust = |evidence: &str, note: Value| json!({"action": "adjust", "evidence": evidence, "note": note});
    expect(world.act("finance", &work, &json!({"action": "adjust", "note": "x"})).await, 422);
    for evidence in ["12.505", "0", "twelve", "12.50 USD", "+1"] {
        let answer = world.act("finance", &work, &adjust(evidence, json!("it was more"))).await;
        assert_eq!(faults(&expect(answer, 422)), ["/evidence not_an_amount"], "{evidence}");
    }
    let answer = world.act("finance", &work, &adjust("12.505", Value::Null)).await;
    assert_eq!(faults(&expect(answer, 400)), ["/evidence not_an_amount", "/note missing"]);
    // one person proposes, another approves
    let wish = adjust("12.50", json!("24 lots were traded"));
    assert_eq!(expect(world.act("finance", &work, &wish).await, 200).json["status"], "proposed");
    expect(world.act("finance", &work, &json!({"action": "approve"})).await, 403);
    assert_eq!(adjustments(&world, &iris).await, Vec::<Value>::new());
    expect(world.act("finance_2", &work, &json!({"action": "approve"})).await, 200);
    told_again(&world, &work).await;
    let lines = adjustments(&world, &iris).await;
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let (line, why) = (&lines[0], lines[0]["why"].to_string());
    assert_eq!((&line["amount"]["amount"], &line["status"]), (&json!("12.50"), &json!("payable")));
    assert!(why.contains("24 lots were traded") && why.contains(statement["lines"][0]["line_id"].as_str().unwrap()));
    assert_eq!(balances(&world, &iris).await, ["0.00", "120.00", "0.00", "0.00"]);
    let told = shown(&world, "portal", &dispute).await;
    assert_eq!(
        (&told["status"], &told["answer"], &told["adjusted"]["line_id"], told["adjusted"].get("by")),
        (&json!("adjusted"), &json!("24 lots were traded"), &line["line_id"], None)
    );
    let told = shown(&world, "finance", &dispute).await;
    assert_ne!(told["adjusted"]["by"], told["adjusted"]["approved_by"]);
    // the statement that was drawn stands, the next one has it, and the ledger owes it
    assert_eq!(expect(world.get("portal", &path(&statement).replace("/disputes", "")).await, 200).json, statement);
    assert_eq!(owed(&world, &iris).await, "107.50");
    days(&world, 31).await;
    let next = statements(&world, &iris).await[0].clone();
    assert_eq!((&next["period"], &next["closing"]["amount"]), (&json!("2026-12"), &json!("120.00")));
    let document = verified_document(&world, &next).await;
    assert_eq!(document.lines.len(), 1);
    assert_eq!(owed(&world, &iris).await, "120.00");
    told_again(&world, &work).await;
    assert_eq!(adjustments(&world, &iris).await.len(), 1);
}

#[tokio::test]
async fn a_line_is_disputed_once_and_an_answer_without_an_adjustment_books_nothing() {
    let world = World::at(NOON).await;
    let (iris, statement) = drawn(&world, "iris").await;
    let call =
        |body: &Value, key: &str| Call::post(&path(&statement), body).token(world.broker.token("portal")).key(key);
    let answer = expect(world.portal(&path(&statement), &json!({"lines": ["x", 1], "colour": 1})).await, 400);
    assert_eq!(
        faults(&answer),
        ["/colour unknown_field", "/lines/0 invalid_id", "/lines/1 invalid_id", "/reason missing"]
    );
    let strange = json!({"lines": ["lin_00000000000000000000000000"], "reason": "x"});
    assert_eq!(faults(&expect(world.portal(&path(&statement), &strange).await, 422)), ["/lines/0 unknown_line"]);
    let first = expect(world.send(call(&claim(&statement, &[0]), "k-1")).await, 201);
    let again = expect(world.send(call(&claim(&statement, &[0]), "k-1")).await, 201);
    assert_eq!((&again.json, header(&again, "idempotency-replayed")), (&first.json, Some("true")));
    expect(world.send(call(&claim(&statement, &[0, 1]), "k-2")).await, 409);
    let other = raise(&world, &statement, &[1]).await;
    for (dispute, decision) in [
        (first.text_at("/dispute_id"), json!({"action": "decline", "note": "It was 21.5 lots"})),
        (other, json!({"action": "resolve", "outcome": "he called, all is well"})),
    ] {
        let work = item_of(&world, &dispute).await["work_id"].as_str().unwrap().to_owned();
        expect(world.act("finance", &work, &decision).await, 200);
        let told = shown(&world, "portal", &dispute).await;
        assert_eq!((&told["status"], &told["answer"]), (&json!("declined"), &decision["note"]), "{told:#}");
    }
    assert_eq!(adjustments(&world, &iris).await, Vec::<Value>::new());
    assert_eq!(balances(&world, &iris).await, ["0.00", "107.50", "0.00", "0.00"]);
}
