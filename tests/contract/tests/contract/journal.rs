//! The journal: what happened, oldest first, chained, by entity, client and correlation.

use serde_json::{Value, json};

use crate::world::{Call, World, deposit_request, expect, items};

fn outcomes(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["outcome"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_entity_s_entries_are_chained_from_its_first_version() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    let answer = expect(world.get("finance", &format!("/v1/journal?entity={}", payment.id)).await, 200);
    assert_eq!(answer.json["verified"], true);
    let entries = items(&answer);
    assert_eq!(outcomes(&entries), ["pending", "paid", "crediting", "credited"]);
    let mut previous = "0".repeat(64);
    for (version, entry) in (1..).zip(&entries) {
        assert_eq!(entry["entity"], payment.id.as_str());
        assert_eq!(entry["version"], version);
        assert_eq!(entry["previous_hash"], previous.as_str());
        previous = entry["hash"].as_str().unwrap().to_owned();
        assert!(!entry["execution_id"].as_str().unwrap().is_empty());
    }
    let functions: Vec<&str> = entries.iter().map(|entry| entry["function"].as_str().unwrap()).collect();
    assert_eq!(functions, ["payments-initiate", "payments-webhook", "payments-credit", "payments-credit"]);
    assert_eq!(entries[0]["rule_set"], "psps");
    assert_eq!(entries[0]["rule_version"], 1);
    assert_eq!(entries[0]["why"], json!(["deposit_limits/dollar_euro_pound: yes"]));
    assert_eq!(entries[3]["events"][0]["id"], format!("{}:4:0", payment.id));
    assert_eq!(entries[3]["events"][0]["type"], "deposit.credited");
    assert_eq!(entries[3]["events"][0]["data"]["credited"], json!({"amount": "100.00", "currency": "USD"}));
}

#[tokio::test]
async fn a_correlation_id_follows_the_work_to_its_end() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let body = deposit_request(&trader, "100.00", "stripe");
    let call = Call::post(&trader.deposits(), &body).token(world.broker.token("portal")).key("k");
    let opened = expect(world.send(call.header("x-correlation-id", "follow-me")).await, 201);
    let payment = crate::world::Payment {
        id: opened.text_at("/payment_id"),
        reference: world.payment(&opened.text_at("/payment_id")).await.text_at("/psp/reference"),
    };
    // less was paid, so that the work reaches a person and comes back
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    let item = world.work_of(&payment.id).await.remove(0);
    let work = item["work_id"].as_str().unwrap();
    expect(world.act("finance", work, &json!({"action": "claim"})).await, 200);
    expect(world.act("finance", work, &json!({"action": "credit_paid_amount"})).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
    let answer = expect(world.get("admin", "/v1/journal?correlation=follow-me&limit=100").await, 200);
    assert_eq!(answer.json["verified"], true);
    let entries = items(&answer);
    assert!(entries.iter().all(|entry| entry["correlation_id"] == "follow-me"));
    let of = |id: &str| outcomes(&entries.iter().filter(|e| e["entity"] == id).cloned().collect::<Vec<_>>());
    assert_eq!(of(&payment.id), ["pending", "needs_review", "paid", "crediting", "credited"]);
    assert_eq!(of(work), ["opened", "claimed", "resolved"]);
    let times: Vec<&str> = entries.iter().map(|entry| entry["at"].as_str().unwrap()).collect();
    let mut sorted = times.clone();
    sorted.sort_unstable();
    assert_eq!(times, sorted, "oldest first");
    assert!(items(&world.get("admin", "/v1/journal?correlation=follow-you").await).is_empty());
}

#[tokio::test]
async fn a_client_s_journal_has_everything_of_theirs_page_by_page() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 11_000, "usd")).await, 200);
    let work = world.work_of(&payment.id).await[0]["work_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/journal?client={}", trader.client);
    let whole = expect(world.get("compliance", &path).await, 200);
    let entries = items(&whole);
    for id in [&trader.client, &trader.account, &payment.id, &work] {
        assert!(entries.iter().any(|entry| entry["entity"] == id.as_str()), "{id} is missing");
    }
    assert_eq!(
        outcomes(&entries),
        ["registered", "requested", "creating", "open", "pending", "needs_review", "opened"]
    );
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = expect(world.get("compliance", &format!("{path}&limit=2{cursor}")).await, 200);
        assert_eq!(page.json["verified"], true);
        paged.extend(items(&page));
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        assert!(paged.len() < 20);
    }
    assert_eq!(paged, entries);
}

#[tokio::test]
async fn a_page_of_the_journal_has_25_entries_unless_another_number_is_asked_for() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    for _ in 0..7 {
        world.credited(&trader, "20.00", 2_000).await;
    }
    let path = format!("/v1/journal?client={}", trader.client);
    let page = expect(world.get("support", &path).await, 200);
    assert_eq!(items(&page).len(), 25);
    assert!(page.json["next_cursor"].is_string());
    let whole = expect(world.get("support", &format!("{path}&limit=100")).await, 200);
    assert_eq!(items(&whole).len(), 4 + 7 * 4);
    assert!(whole.json["next_cursor"].is_null());
}

#[tokio::test]
async fn exactly_one_of_entity_client_and_correlation_is_asked_for() {
    let world = World::start().await;
    for query in
        ["", "?", "?entity=", "?entity=a&client=b", "?entity=a&correlation=b", "?client=a&correlation=b", "?other=1"]
    {
        expect(world.get("support", &format!("/v1/journal{query}")).await, 400);
    }
    for query in ["entity=pay_1", "client=cli_1", "client=nobody", "correlation=none", "entity=%F0%9F%92%B8"] {
        let answer = expect(world.get("support", &format!("/v1/journal?{query}")).await, 200);
        assert_eq!(answer.json, json!({"verified": true, "items": [], "next_cursor": null}), "{query}");
    }
    expect(world.get("support", &format!("/v1/journal?entity={}", "x".repeat(5_000))).await, 400);
    expect(world.get("support", &format!("/v1/journal?correlation={}", "x".repeat(5_000))).await, 400);
}

#[tokio::test]
async fn an_edited_entry_is_found() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await;
    let table = world.broker.host.template().tables["JournalTable"].name.clone();
    let change = json!({
        "TableName": table, "Key": {"entity": {"S": payment.id}, "version": {"N": "2"}},
        "UpdateExpression": "SET #state = :state", "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":state": {"S": "{\"status\":\"paid\"}"}},
    });
    world.broker.host.db().request("UpdateItem", &change).await.unwrap();
    let answer = expect(world.get("finance", &format!("/v1/journal?entity={}", payment.id)).await, 200);
    assert_eq!(answer.json["verified"], false);
}
