//! Lists: pages, cursors, order, filters.

use serde_json::{Value, json};

use crate::world::{World, account_request, expect, items};

/// All items of a list, page by page.
async fn paged(world: &World, who: &str, path: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let next = cursor.map(|cursor| format!("&cursor={}", encoded(&cursor))).unwrap_or_default();
        let page = expect(world.get(who, &format!("{path}{joint}limit={limit}{next}")).await, 200);
        let found = items(&page);
        assert!(found.len() <= limit, "{} of {limit}", found.len());
        all.extend(found);
        assert!(all.len() <= 200, "{path} never ends");
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return all,
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn ids(items: &[Value], name: &str) -> Vec<String> {
    items.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

/// A client with seven accounts and seven deposits.
async fn busy(world: &World) -> String {
    let trader = world.trader("USD").await;
    for _ in 0..6 {
        expect(world.portal(&format!("/v1/clients/{}/accounts", trader.client), &account_request("EUR")).await, 202);
    }
    for n in 0..7 {
        world.deposit(&trader, &format!("{}.00", 100 + n), "stripe").await;
    }
    world.idle().await;
    trader.client
}

#[tokio::test]
async fn a_list_is_the_same_in_pages_of_any_size() {
    let world = World::start().await;
    let client = busy(&world).await;
    // another client's things are never among them
    world.deposit(&world.trader("USD").await, "55.00", "stripe").await;
    for (list, id, count) in [("accounts", "account_id", 7), ("payments", "payment_id", 7), ("notifications", "id", 14)]
    {
        let path = format!("/v1/clients/{client}/{list}");
        let whole = ids(&items(&world.get("portal", &path).await), id);
        assert_eq!(whole.len(), count, "{list}");
        let mut newest_first = whole.clone();
        newest_first.sort();
        newest_first.reverse();
        assert_eq!(whole, newest_first, "{list}");
        for limit in [1, 2, 3, 7, 100] {
            assert_eq!(ids(&paged(&world, "portal", &path, limit).await, id), whole, "{list} by {limit}");
        }
    }
}

#[tokio::test]
async fn a_list_of_nothing_is_an_empty_page() {
    let world = World::start().await;
    let client = world.client("en").await;
    for list in ["accounts", "payments", "notifications"] {
        let answer = expect(world.get("portal", &format!("/v1/clients/{client}/{list}")).await, 200);
        assert_eq!(answer.json, json!({"items": [], "next_cursor": null}));
    }
    assert!(items(&world.get("support", "/v1/work").await).is_empty());
}

#[tokio::test]
async fn limits_and_cursors_that_are_none_are_400() {
    let world = World::start().await;
    let client = busy(&world).await;
    let lists = [
        ("portal", format!("/v1/clients/{client}/accounts?")),
        ("portal", format!("/v1/clients/{client}/payments?")),
        ("portal", format!("/v1/clients/{client}/notifications?")),
        ("support", "/v1/work?".to_owned()),
        ("support", "/v1/work?queue=finance&".to_owned()),
        ("support", format!("/v1/journal?client={client}&")),
    ];
    for (who, path) in &lists {
        for limit in ["0", "101", "-1", "ten", "", "1.5", "1e1", "99999999999"] {
            expect(world.get(who, &format!("{path}limit={limit}")).await, 400);
        }
        let nothing_of_ours = [
            "x",
            "~",
            "a~b",
            "pay_1~pay_1",
            "%00",
            "%F0%9F%92%B8",
            "{}",
            "cli_0123456789abcdefghjkmnpqrs",
            "..%2F..",
            "1000000",
        ];
        for cursor in nothing_of_ours {
            let answer = world.get(who, &format!("{path}cursor={cursor}")).await;
            assert_eq!(answer.status, 400, "{path}cursor={cursor}: {}", answer.text);
        }
        expect(world.get(who, &format!("{path}limit=100")).await, 200);
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_shows_nothing_of_it() {
    let world = World::start().await;
    let (client, other) = (busy(&world).await, busy(&world).await);
    let page = expect(world.get("portal", &format!("/v1/clients/{other}/payments?limit=3")).await, 200);
    let cursor = encoded(page.json["next_cursor"].as_str().unwrap());
    let answer = world.get("portal", &format!("/v1/clients/{client}/payments?cursor={cursor}")).await;
    if answer.status == 200 {
        assert!(items(&answer).iter().all(|payment| payment["client_id"] == client.as_str()), "{}", answer.text);
    } else {
        expect(answer, 400);
    }
}

/// Opens work items for finance and support; how many.
async fn much_work(world: &World) -> usize {
    let trader = world.trader("USD").await;
    for n in 0..5_i64 {
        let payment = world.deposit(&trader, "100.00", "stripe").await;
        expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000 + n, "usd")).await, 200);
    }
    world
        .faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "refuse", "retcode": 3}, "times": 2}]))
        .await;
    for _ in 0..2 {
        let client = world.client("en").await;
        expect(world.portal(&format!("/v1/clients/{client}/accounts"), &account_request("USD")).await, 202);
        world.idle().await;
    }
    let urgent = world.credited(&trader, "70.00", 7_000).await;
    let mut refund = world.intent(&urgent, "charge.dispute.created", 7_000, "usd");
    refund["data"]["object"] = json!({"id": "dp_1", "object": "dispute", "amount": 7_000, "currency": "usd", "payment_intent": urgent.reference});
    expect(world.stripe(&refund).await, 200);
    world.idle().await;
    8
}

#[tokio::test]
async fn work_is_listed_by_priority_and_due_time_over_all_queues_page_by_page() {
    let world = World::start().await;
    let count = much_work(&world).await;
    let whole = items(&world.get("support", "/v1/work?limit=100").await);
    assert_eq!(whole.len(), count);
    let rank = |item: &Value| (item["priority"].as_u64().unwrap(), item["due_at"].as_str().unwrap().to_owned());
    let ranks: Vec<_> = whole.iter().map(rank).collect();
    let mut sorted = ranks.clone();
    sorted.sort();
    assert_eq!(ranks, sorted);
    assert_eq!(whole[0]["kind"], "deposit_reversed_after_credit");
    for limit in [1, 2, 3, 5] {
        assert_eq!(
            ids(&paged(&world, "support", "/v1/work", limit).await, "work_id"),
            ids(&whole, "work_id"),
            "by {limit}"
        );
    }
    for (queue, count) in [("finance", 6), ("support", 2), ("sales", 0), ("compliance", 0)] {
        let found = paged(&world, "support", &format!("/v1/work?queue={queue}"), 2).await;
        assert_eq!(found.len(), count, "{queue}");
        assert!(found.iter().all(|item| item["queue"] == queue));
    }
}

#[tokio::test]
async fn work_is_filtered_by_status_and_owner() {
    let world = World::start().await;
    much_work(&world).await;
    let finance = ids(&items(&world.get("finance", "/v1/work?queue=finance").await), "work_id");
    let claim = json!({"action": "claim"});
    expect(world.act("finance", &finance[1], &claim).await, 200);
    expect(world.act("finance", &finance[3], &claim).await, 200);
    expect(world.act("finance_2", &finance[4], &claim).await, 200);
    let close = json!({"action": "close_without_credit", "note": "x"});
    expect(world.act("finance", &finance[5], &close).await, 200);
    let found = |query: &'static str| {
        let world = &world;
        async move {
            let mut found = ids(&paged(world, "finance", &format!("/v1/work?{query}"), 2).await, "work_id");
            found.sort();
            found
        }
    };
    let wanted = |places: &[usize]| {
        let mut wanted: Vec<String> = places.iter().map(|place| finance[*place].clone()).collect();
        wanted.sort();
        wanted
    };
    assert_eq!(found("owner=finance-1").await, wanted(&[1, 3]));
    assert_eq!(found("owner=finance-2&queue=finance").await, wanted(&[4]));
    assert_eq!(found("status=claimed").await, wanted(&[1, 3, 4]));
    assert_eq!(found("status=open&queue=finance").await, wanted(&[0, 2]));
    assert_eq!(found("status=resolved").await, wanted(&[5]));
    assert_eq!(found("status=resolved&owner=finance-1&queue=finance").await, wanted(&[5]));
    assert_eq!(found("owner=nobody").await, wanted(&[]));
    for query in ["queue=treasury", "queue=Finance", "status=done", "status=OPEN"] {
        expect(world.get("finance", &format!("/v1/work?{query}")).await, 400);
    }
}

#[tokio::test]
async fn a_payment_of_a_kind_that_is_not_known_is_not_read_as_a_deposit() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let deposit = world.deposit(&trader, "100.00", "stripe").await;
    let table = &world.broker.host.template().tables["MoneyTable"].name;
    let scan = world.broker.host.db().request("Scan", &json!({"TableName": table})).await.unwrap();
    let found = scan["Items"].as_array().unwrap().iter().find(|item| item["pk"]["S"] == deposit.id).unwrap();
    let mut other = found.clone();
    other["pk"] = json!({"S": "pay_7zzzzzzzzzzzzzzzzzzzzzzzzz"});
    other["kind"] = json!({"S": "rebate"});
    world.broker.host.db().request("PutItem", &json!({"TableName": table, "Item": other})).await.unwrap();
    let list = items(&expect(world.get("portal", &format!("/v1/clients/{}/payments", trader.client)).await, 200));
    assert_eq!(ids(&list, "payment_id"), [deposit.id]);
}
