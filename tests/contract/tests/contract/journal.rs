//! The journal: what happened, oldest first, chained, by entity, client and correlation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::decision::ChainHash;
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
    // each deposit is four versions, and one of the client's activity; the client's journeys begin once
    assert_eq!(items(&whole).len(), 5 + 7 * 5);
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

/// The stored journal of an entity, read and changed as nobody may.
struct Forger<'w> {
    world: &'w World,
    entity: String,
}

impl Forger<'_> {
    async fn call(&self, operation: &str, table: &str, mut body: Value) -> Value {
        body["TableName"] = json!(self.world.broker.host.template().tables[table].name);
        self.world.broker.host.db().request(operation, &body).await.unwrap()
    }

    async fn entries(&self) -> Vec<Value> {
        let query = json!({
            "KeyConditionExpression": "entity = :entity", "ExpressionAttributeValues": {":entity": {"S": self.entity}},
        });
        self.call("Query", "JournalTable", query).await["Items"].as_array().unwrap().clone()
    }

    async fn put(&self, table: &str, item: &Value) {
        self.call("PutItem", table, json!({"Item": item})).await;
    }

    async fn remove(&self, version: usize) {
        let key = json!({"Key": {"entity": {"S": self.entity}, "version": {"N": version.to_string()}}});
        self.call("DeleteItem", "JournalTable", key).await;
    }

    /// Changes an entry and makes every later one follow from it again.
    async fn rewrite_from(&self, version: usize) {
        let mut entries = self.entries().await;
        entries[version - 1]["state"] = json!({"S": "{\"status\":\"paid\"}"});
        let mut previous = ChainHash::GENESIS;
        for (number, entry) in (1_u64..).zip(&mut entries) {
            let text = |name: &str| entry[name]["S"].as_str().unwrap().to_owned();
            previous = ChainHash::link(previous, &self.entity, number, &text("outbox"), &text("state"));
            entry["hash"] = json!({"B": STANDARD.encode(previous.0)});
            self.put("JournalTable", entry).await;
        }
    }

    /// `verified` and `pending` as finance sees them, page by page.
    async fn pages(&self, limit: usize) -> Vec<(bool, Option<u64>)> {
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/journal?entity={}&limit={limit}{cursor}", self.entity);
            let page = expect(self.world.get("finance", &path).await, 200).json;
            pages.push((page["verified"].as_bool().unwrap(), page["pending"].as_u64()));
            let Some(next) = page["next_cursor"].as_str() else { return pages };
            cursor = format!("&cursor={next}");
        }
    }

    async fn whole(&self) -> (bool, Option<u64>) {
        self.pages(100).await[0]
    }
}

/// A brokerage with a payment of four versions.
async fn with_a_payment() -> (World, String) {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.credited(&trader, "100.00", 10_000).await.id;
    world.idle().await;
    (world, payment)
}

const GOOD: (bool, Option<u64>) = (true, None);
const BAD: (bool, Option<u64>) = (false, None);

#[tokio::test]
async fn a_missing_entry_in_the_middle_is_found_on_either_side_of_a_page() {
    let (world, entity) = with_a_payment().await;
    let forger = Forger { world: &world, entity };
    assert_eq!(forger.pages(2).await, [GOOD, GOOD]);
    forger.remove(3).await;
    assert_eq!(forger.whole().await, BAD);
    assert_eq!(forger.pages(2).await, [BAD, BAD], "what follows the first page does not follow from it");
    assert_eq!(forger.pages(1).await, [GOOD, BAD, BAD]);
}

#[tokio::test]
async fn a_missing_tail_is_on_its_way_for_a_minute_and_missing_afterwards() {
    let (world, entity) = with_a_payment().await;
    let forger = Forger { world: &world, entity };
    assert_eq!(forger.whole().await, GOOD);
    for behind in [1, 2, 4] {
        for version in 5 - behind..=4 {
            forger.remove(version).await;
        }
        let behind = u64::try_from(behind).unwrap();
        assert_eq!(forger.whole().await, (true, Some(behind)));
    }
    world.pass(61).await;
    // also where there is no entry at all
    assert_eq!(forger.whole().await, (false, Some(4)));
    let listed = expect(world.get("finance", &format!("/v1/journal?entity={}", forger.entity)).await, 200);
    assert!(items(&listed).is_empty());
}

#[tokio::test]
async fn a_chain_that_somebody_rewrote_does_not_end_where_the_entity_is() {
    for from in 1..=4 {
        let (world, entity) = with_a_payment().await;
        let forger = Forger { world: &world, entity };
        forger.rewrite_from(from).await;
        assert_eq!(forger.whole().await, BAD, "from {from}");
        assert_eq!(forger.pages(1).await, [BAD; 4], "from {from}, on every page");
    }
}

#[tokio::test]
async fn an_entity_s_own_item_that_was_changed_is_found() {
    let (world, entity) = with_a_payment().await;
    let forger = Forger { world: &world, entity };
    let key = json!({"Key": {"pk": {"S": forger.entity}, "sk": {"S": "#"}}});
    let good = forger.call("GetItem", "MoneyTable", key.clone()).await["Item"].clone();
    for (attribute, value) in [
        ("hash", json!({"B": STANDARD.encode([7; 32])})),
        ("state", json!({"S": "{\"status\":\"refunded\"}"})),
        ("v", json!({"N": "3"})),
    ] {
        let mut wrong = good.clone();
        wrong[attribute] = value;
        forger.put("MoneyTable", &wrong).await;
        assert_eq!(forger.whole().await, BAD, "{attribute}");
        forger.put("MoneyTable", &good).await;
        assert_eq!(forger.whole().await, GOOD, "{attribute}");
    }
    forger.call("DeleteItem", "MoneyTable", key).await;
    assert_eq!(forger.whole().await, BAD, "a journal of nothing");
}

#[tokio::test]
async fn a_cursor_is_a_place_and_proves_nothing() {
    let (world, entity) = with_a_payment().await;
    let forger = Forger { world: &world, entity: entity.clone() };
    forger.rewrite_from(2).await;
    let at = |cursor: String| format!("/v1/journal?entity={entity}&cursor={cursor}");
    for version in [1, 2, 3, 4, 9] {
        let page = expect(world.get("finance", &at(format!("0~{entity}~{version}"))).await, 200);
        assert_eq!(page.json["verified"], false, "after {version}");
    }
    expect(world.get("finance", &at("0~pay_1~1".to_owned())).await, 400);
    expect(world.get("finance", &at("garbage".to_owned())).await, 400);
}

#[tokio::test]
async fn a_long_chain_is_read_a_page_at_a_time() {
    const VERSIONS: u64 = 1_000;
    let world = World::start().await;
    let entity = "wrk_01m83ydq50eg7vtp95tg713hkv".to_owned();
    let forger = Forger { world: &world, entity: entity.clone() };
    let mut previous = ChainHash::GENESIS;
    for version in 1..=VERSIONS {
        let record = json!({"fn": "test", "ex": "1", "tr": "t", "at": 1_700_000_000_000_u64 + version, "out": "changed", "cor": "c"});
        let (record, state) = (record.to_string(), format!("{{\"n\":{version}}}"));
        previous = ChainHash::link(previous, &entity, version, &record, &state);
        let common =
            json!({"outbox": {"S": record}, "state": {"S": state}, "hash": {"B": STANDARD.encode(previous.0)}});
        let mut entry = common.clone();
        entry["entity"] = json!({"S": entity});
        entry["version"] = json!({"N": version.to_string()});
        forger.put("JournalTable", &entry).await;
        if version == VERSIONS {
            let mut own = common;
            own["pk"] = json!({"S": entity});
            own["sk"] = json!({"S": "#"});
            own["v"] = json!({"N": version.to_string()});
            own["cor"] = json!({"S": "c"});
            forger.put("CrmTable", &own).await;
        }
    }
    world.idle().await;
    let mut cursor = String::new();
    let mut seen = Vec::new();
    loop {
        world.broker.host.reset_usage();
        let page = expect(world.get("finance", &format!("/v1/journal?entity={entity}{cursor}&limit=25")).await, 200);
        assert_eq!(page.json["verified"], true, "{cursor}");
        seen.extend(items(&page).iter().map(|entry| entry["version"].as_u64().unwrap()));
        let usage = world.broker.host.usage();
        let read: f64 = usage
            .iter()
            .filter(|(key, _)| key.function.as_deref() == Some("ops-views") && key.service == host::Service::DynamoDb)
            .map(|(_, used)| used.read_units)
            .sum();
        // 28 entries of 250 bytes are two units; the newest entry and the own item one each
        assert!(read <= 5.0, "{read} units for a page after {}", seen.len());
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, (1..=VERSIONS).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_of_a_client_reads_what_was_done_around_then() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let mut payments = Vec::new();
    for _ in 0..12 {
        payments.push(world.credited(&trader, "20.00", 2_000).await.id);
    }
    world.idle().await;
    let whole =
        items(&expect(world.get("support", &format!("/v1/journal?client={}&limit=100", trader.client)).await, 200));
    assert_eq!(whole.len(), 5 + 12 * 5);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/journal?client={}&limit=7{cursor}", trader.client);
        let page = expect(world.get("support", &path).await, 200);
        assert_eq!(page.json["verified"], true);
        paged.extend(items(&page));
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, whole);
    // one of them is cut: whoever reads that far is told, and which page it is
    let forger = Forger { world: &world, entity: payments[11].clone() };
    forger.remove(2).await;
    let last = expect(world.get("support", &format!("/v1/journal?client={}&limit=100", trader.client)).await, 200);
    assert_eq!(last.json["verified"], false);
}
