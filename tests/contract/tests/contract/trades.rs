//! Deals: pushed and fetched, once, late, twice, corrected and taken back; and what a client does in numbers.

use domain::Timestamp;
use domain::trade::Trade;
use serde_json::{Value, json};

use crate::world::{Call, PLATFORMS, Trader, World, expect, items};

const NOON: &str = "2026-11-23T12:00:00Z";

fn signed(at: i64, body: &str) -> String {
    broker::local::bridge_signature(Timestamp::from_seconds(at).unwrap(), body)
}

/// A bridge pushes deals of a server.
pub async fn push(world: &World, platform: &str, deals: &[Value]) -> Value {
    let body = json!({"server": format!("{platform}-live"), "deals": deals}).to_string();
    let header = signed(world.now_s(), &body);
    let call = Call::raw(&format!("/v1/webhooks/trades/{platform}"), body).header("x-pipworks-signature", &header);
    let answer = expect(world.send(call.header("content-type", "application/json")).await, 200).json;
    world.idle().await;
    answer
}

/// A deal of a trader, closed with this profit so many seconds after noon.
pub fn deal(trader: &Trader, number: u64, profit: &str, after: u32) -> Value {
    json!({
        "deal": number, "position": format!("p{number}"), "login": trader.login, "symbol": "EURUSD.m", "side": "sell", "entry": "out",
        "lots": "0.10", "price": "1.09012", "profit": profit, "commission": "-0.70", "swap": "0", "currency": "USD",
        "at": format!("2026-11-23T12:{:02}:{:02}Z", after / 60, after % 60),
    })
}

pub async fn activity(world: &World, trader: &Trader) -> Value {
    expect(world.get("portal", &format!("/v1/clients/{}/activity", trader.client)).await, 200).json
}

pub async fn trades(world: &World, trader: &Trader) -> Vec<Value> {
    items(&world.get("portal", &format!("/v1/clients/{}/trades", trader.client)).await)
}

fn counts(answer: &Value) -> (u64, u64, usize) {
    let number = |name: &str| answer[name].as_u64().unwrap();
    (number("accepted"), number("duplicates"), answer["refused"].as_array().unwrap().len())
}

#[tokio::test]
async fn a_pushed_deal_is_one_trade_however_often_it_comes() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let none = activity(&world, &trader).await;
    assert_eq!(
        (&none["trades_30d"], &none["streak"]["kind"], none.get("last_trade_at")),
        (&json!(0), &json!("none"), None)
    );
    let one = deal(&trader, 7_001, "42.50", 60);
    assert_eq!(counts(&push(&world, "mt5", &[one.clone(), one.clone()]).await), (1, 1, 0));
    assert_eq!(counts(&push(&world, "mt5", std::slice::from_ref(&one)).await), (0, 1, 0));
    let all = trades(&world, &trader).await;
    assert_eq!(all.len(), 1);
    let shown = &all[0];
    assert_eq!(
        (&shown["deal"], &shown["profit"], &shown["symbol_group"], &shown["closed_at"], &shown["account_id"]),
        (
            &json!("7001"),
            &json!({"amount": "42.50", "currency": "USD"}),
            &json!("fx_major"),
            &json!("2026-11-23T12:01:00.000Z"),
            &json!(trader.account)
        ),
        "{shown:#}"
    );
    let numbers = activity(&world, &trader).await;
    assert_eq!(
        (&numbers["trades_30d"], &numbers["lots_30d"], &numbers["streak"], &numbers["last_trade_at"]),
        (&json!(1), &json!("0.1"), &json!({"kind": "win", "length": 1}), &json!("2026-11-23T12:01:00.000Z")),
        "{numbers:#}"
    );
    // the same deal with other numbers is no correction
    let mut other = one.clone();
    other["profit"] = json!("43.00");
    let told = push(&world, "mt5", &[other]).await;
    assert_eq!((counts(&told), &told["refused"][0]["code"]), ((0, 0, 1), &json!("differs")));
    assert_eq!(trades(&world, &trader).await[0]["profit"]["amount"], "42.50");
}

#[tokio::test]
async fn one_bad_deal_does_not_stop_the_others_and_every_fault_of_it_is_named() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let good = deal(&trader, 1, "5", 1);
    let mut bad = deal(&trader, 2, "5", 2);
    bad["lots"] = json!("-1");
    bad["side"] = json!("up");
    bad["at"] = json!("yesterday");
    let mut stranger = deal(&trader, 3, "5", 3);
    stranger["login"] = json!("1");
    let mut euros = deal(&trader, 4, "5", 4);
    euros["currency"] = json!("EUR");
    let told = push(&world, "mt5", &[bad, stranger, json!(7), euros, good]).await;
    assert_eq!(counts(&told), (1, 0, 4), "{told:#}");
    let codes: Vec<(Value, Value)> =
        told["refused"].as_array().unwrap().iter().map(|one| (one["deal"].clone(), one["code"].clone())).collect();
    for (number, code) in [("3", "unknown_login"), ("4", "currency_mismatch")] {
        assert!(codes.contains(&(json!(number), json!(code))), "{told:#}");
    }
    let faulty = told["refused"].as_array().unwrap().iter().find(|one| one["deal"] == "2").unwrap();
    for word in ["lots", "side", "at"] {
        assert!(faulty["message"].as_str().unwrap().contains(word), "{faulty:#}");
    }
    assert_eq!(trades(&world, &trader).await.len(), 1);
}

#[tokio::test]
async fn nobody_but_a_bridge_tells_of_deals() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let body = json!({"server": "mt5-live", "deals": [deal(&trader, 1, "5", 1)]}).to_string();
    let now = world.now_s();
    let right = signed(now, &body);
    let send = |path: &str, header: Option<String>, body: &str| {
        let call = Call::raw(path, body.to_owned()).header("content-type", "application/json");
        let call = match header {
            Some(header) => call.header("x-pipworks-signature", &header),
            None => call,
        };
        world.send(call)
    };
    let path = "/v1/webhooks/trades/mt5";
    let old = signed(now - 301, &body);
    for header in [None, Some("t=1,v1=00".to_owned()), Some(old), Some(signed(now + 400, &body))] {
        expect(send(path, header, &body).await, 401);
    }
    expect(send(path, Some(right.clone()), &body.replace("5", "6")).await, 401);
    expect(send("/v1/webhooks/trades/mt9", Some(right.clone()), &body).await, 404);
    // a server of another platform
    let told = expect(send("/v1/webhooks/trades/mt4", Some(right.clone()), &body).await, 422).json;
    assert_eq!(told["errors"][0]["code"], "unknown_server", "{told:#}");
    let empty = json!({}).to_string();
    expect(send(path, Some(signed(now, &empty)), &empty).await, 400);
    assert_eq!(trades(&world, &trader).await.len(), 0);
    expect(send(path, Some(right), &body).await, 200);
    expect(world.get("portal", &format!("/v1/clients/{}/trades?limit=0", trader.client)).await, 400);
    let other = world.mint("somebody", &["portal"], Some("cli_01m83t4cm0ej7tc0zp3q03dde5"));
    let asked = Call::get(&format!("/v1/clients/{}/activity", trader.client)).token(&other);
    expect(world.send(asked).await, 403);
}

#[tokio::test]
async fn corrections_and_deletions_come_to_the_same_in_any_order() {
    let orders: [[usize; 5]; 4] = [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 0, 3, 1], [3, 0, 4, 1, 2]];
    let mut seen: Vec<(Value, Vec<Value>)> = Vec::new();
    for order in orders {
        let world = World::at(NOON).await;
        let trader = world.trader("USD").await;
        let (first, second, third) =
            (deal(&trader, 1, "10.00", 10), deal(&trader, 2, "-20.00", 20), deal(&trader, 3, "-5.00", 30));
        let mut correction = deal(&trader, 4, "-1.00", 10);
        (correction["corrects"], correction["position"], correction["lots"]) = (json!("1"), json!("p1"), json!("0.30"));
        let mut deletion = second.clone();
        deletion["deleted"] = json!(true);
        let events = [first, second, third, correction, deletion];
        for place in order {
            push(&world, "mt5", &[events[place].clone()]).await;
        }
        let (mut numbers, mut all) = (activity(&world, &trader).await, trades(&world, &trader).await);
        numbers.as_object_mut().unwrap().remove("client_id");
        all.iter_mut().for_each(|one| drop(one.as_object_mut().unwrap().remove("account_id")));
        all.iter_mut().for_each(|one| drop(one.as_object_mut().unwrap().remove("trade_id")));
        seen.push((numbers, all));
    }
    let (numbers, all) = &seen[0];
    assert_eq!(
        (&numbers["trades_30d"], &numbers["lots_30d"], &numbers["streak"]),
        (&json!(2), &json!("0.4"), &json!({"kind": "loss", "length": 2})),
        "{numbers:#}"
    );
    let deals: Vec<&Value> = all.iter().map(|one| &one["deal"]).collect();
    assert_eq!(deals, [&json!("3"), &json!("4")], "newest first");
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
}

#[tokio::test]
async fn a_position_is_one_result_with_all_of_its_costs() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let open = |number, after| {
        let mut own = deal(&trader, number, "0", after);
        (own["entry"], own["side"], own["position"], own["lots"]) =
            (json!("in"), json!("buy"), json!("big"), json!("2"));
        own
    };
    push(&world, "mt5", &[open(10, 1)]).await;
    let numbers = activity(&world, &trader).await;
    assert_eq!((&numbers["open_positions"], &numbers["trades_30d"]), (&json!(1), &json!(0)), "{numbers:#}");
    let close = |number, profit, lots, after| {
        let mut own = deal(&trader, number, profit, after);
        (own["position"], own["lots"]) = (json!("big"), json!(lots));
        own
    };
    push(&world, "mt5", &[close(11, "1.00", "1.5", 5)]).await;
    assert_eq!(activity(&world, &trader).await["streak"]["kind"], "none", "half of it is open");
    // 1.00 + 1.00 less three times 0.70: a loss
    push(&world, "mt5", &[close(12, "1.00", "0.5", 9)]).await;
    let numbers = activity(&world, &trader).await;
    assert_eq!(
        (&numbers["open_positions"], &numbers["trades_30d"], &numbers["lots_30d"], &numbers["streak"]),
        (&json!(0), &json!(2), &json!("2"), &json!({"kind": "loss", "length": 1})),
        "{numbers:#}"
    );
    assert_eq!(trades(&world, &trader).await[0]["opened_at"], "2026-11-23T12:00:01.000Z");
}

#[tokio::test]
async fn pages_of_trades_are_whole() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let deals: Vec<Value> =
        (1..=45).map(|number| deal(&trader, number, "1.00", u32::try_from(number).unwrap())).collect();
    assert_eq!(counts(&push(&world, "mt5", &deals).await), (45, 0, 0));
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/clients/{}/trades?limit=20{cursor}", trader.client);
        let page = expect(world.get("support", &path).await, 200);
        found.extend(items(&page).iter().map(|one| one["deal"].as_str().unwrap().parse::<u64>().unwrap()));
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={}", next);
    }
    assert_eq!(found, (1..=45).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn deals_are_fetched_from_every_platform_and_known_where_they_were_pushed() {
    let world = World::at(NOON).await;
    let mut traders = Vec::new();
    for platform in PLATFORMS {
        traders.push((platform, world.trader_on(platform).await));
    }
    world.pass(120).await;
    let (_, mt5) = &traders[0];
    place(&world, mt5).await;
    world.broker.host.fire_schedule("trades-feeds").await.unwrap();
    world.sweep().await;
    let fetched = trades(&world, mt5).await;
    assert_eq!(fetched.len(), 1, "{fetched:#?}");
    let numbers = activity(&world, mt5).await;
    assert_eq!((&numbers["trades_30d"], &numbers["lots_30d"]), (&json!(1), &json!("0.5")), "{numbers:#}");
    // the bridge tells of the same deal
    let own = &fetched[0];
    let mut pushed = deal(mt5, 1, "0", 0);
    for field in ["deal", "position", "symbol", "lots", "price", "commission", "swap", "side"] {
        pushed[field] = own[field].clone();
    }
    (pushed["profit"], pushed["at"]) = (own["profit"]["amount"].clone(), own["closed_at"].clone());
    assert_eq!(counts(&push(&world, "mt5", &[pushed]).await), (0, 1, 0));
    // a round later nothing is new, and what is new is found
    place(&world, mt5).await;
    world.pass(301).await;
    world.sweep().await;
    assert_eq!(trades(&world, mt5).await.len(), 2);
    for (platform, trader) in &traders {
        let all = items(&world.get("support", &format!("/v1/journal?client={}&limit=100", trader.client)).await);
        assert!(!all.is_empty(), "{platform}");
    }
}

/// A trade is closed on the simulator.
async fn place(world: &World, trader: &Trader) {
    let login: u64 = trader.login.parse().unwrap();
    let deals = json!([{"login": login, "action": 1, "entry": 1, "symbol": "EURUSD", "volume": 5_000, "profit": "12.00", "position": 900}]);
    let _ = world.control("mt5", "deals", &deals).await;
}

#[tokio::test]
async fn money_that_moves_is_in_the_numbers_once() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "250.00", 25_000).await;
    let numbers = activity(&world, &trader).await;
    assert_eq!(
        (&numbers["deposits"]["count"], &numbers["deposits"]["total"]),
        (&json!(1), &json!({"amount": "250.00", "currency": "USD"})),
        "{numbers:#}"
    );
    assert!(numbers["last_deposit_at"].is_string());
    // it is told again, and counted once
    expect(world.stripe(&world.intent(&deposit, "payment_intent.succeeded", 25_000, "usd")).await, 200);
    world.idle().await;
    assert_eq!(activity(&world, &trader).await["deposits"]["count"], 1);
    let other = world.paid_in(&trader, ("80.00", "EUR"), 8_000).await;
    assert_eq!(world.status(&other.id).await, "credited");
    let numbers = activity(&world, &trader).await;
    assert_eq!((&numbers["deposits"]["count"], &numbers["deposits"]["total"]["currency"]), (&json!(2), &json!("USD")));
    assert_eq!(numbers["deposits"]["by_currency"].as_array().unwrap().len(), 2, "{numbers:#}");
}

/// Deals of every kind; the trades that they are.
pub async fn play(world: &World, trader: &Trader) -> Vec<String> {
    let at = world.now().to_string();
    let told = |number: u64, change: Value| {
        let mut own = deal(trader, number, "3.00", 0);
        own["at"] = json!(at);
        own.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        own
    };
    let (first, gone) = (told(1, json!({})), told(2, json!({})));
    push(world, "mt5", &[told(9, json!({"entry": "in", "side": "buy", "position": "p1"})), first, gone]).await;
    push(world, "mt5", &[told(3, json!({"corrects": "1"})), told(2, json!({"deleted": true}))]).await;
    ["1", "2", "3", "9"].map(|number| Trade::id_of("mt5-live", number).to_string()).into()
}
