//! Changes of open accounts: asked for, approved by rule, set on the platform, kept on the record; closing and reopening.

use domain::rule_sets::SetName;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::{Trader, World, account_request, deposit_request, expect, faults, header, items};

/// A platform, the operation by which it is set, and what it can be set to.
const PLATFORMS: [(&str, &str, &[&str]); 4] = [
    ("mt5", "user_update", &["full", "no_trading", "no_login"]),
    ("mt4", "user_record", &["full", "no_trading", "no_login"]),
    ("ctrader", "trader_patch", &["full", "close_only", "no_trading", "no_login"]),
    ("dxtrade", "account_put", &["full", "close_only", "no_trading"]),
];

async fn trader(world: &World, platform: &str) -> Trader {
    let client = world.client("en").await;
    let mut body = account_request("USD");
    body["platform"] = json!(platform);
    let account =
        expect(world.portal(&format!("/v1/clients/{client}/accounts"), &body).await, 202).text_at("/account_id");
    let login = shown(world, &account).await["login"].as_str().unwrap().to_owned();
    Trader { client, account, login, currency: "USD".to_owned() }
}

async fn shown(world: &World, account: &str) -> Value {
    world.idle().await;
    expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).json
}

fn path(trader: &Trader) -> String {
    format!("/v1/accounts/{}/changes", trader.account)
}

/// Asks for a change; its id.
async fn ask(world: &World, who: &str, trader: &Trader, body: &Value) -> String {
    let answer = expect(world.post(who, &path(trader), body).await, 202);
    assert_eq!((&answer.json["status"], answer.text_at("/account_id")), (&json!("requested"), trader.account.clone()));
    answer.text_at("/change_id")
}

async fn status(world: &World, trader: &Trader, change: &str) -> String {
    world.idle().await;
    expect(world.get("portal", &format!("{}/{change}", path(trader))).await, 200).text_at("/status")
}

/// Leverage and access as the platform itself has them.
async fn on_platform(world: &World, platform: &str, trader: &Trader) -> (u64, &'static str) {
    let users = world.recorded(platform, "").await["users"].as_array().unwrap().clone();
    let same = |user: &&Value| user["login"].to_string().trim_matches('"') == trader.login;
    let user = users.iter().find(same).unwrap().clone();
    let flags = |name: &str| match user[name].as_u64().unwrap() & 5 {
        1 => "full",
        5 => "no_trading",
        _ => "no_login",
    };
    match platform {
        "mt5" => (user["leverage"].as_u64().unwrap(), flags("rights")),
        "mt4" => (user["leverage"].as_u64().unwrap(), flags("enableFlags")),
        "ctrader" => {
            let words = [
                ("FULL_ACCESS", "full"),
                ("CLOSE_ONLY", "close_only"),
                ("NO_TRADING", "no_trading"),
                ("NO_LOGIN", "no_login"),
            ];
            let access = words.iter().find(|(word, _)| user["access"] == *word).unwrap().1;
            (user["leverage_cents"].as_u64().unwrap() / 100, access)
        }
        _ => {
            let words = [("FULL_TRADING", "full"), ("CLOSE_ONLY", "close_only"), ("NO_TRADING", "no_trading")];
            let access = words.iter().find(|(word, _)| user["status"] == *word).unwrap().1;
            let text = user["categories"].to_string();
            let (_, rest) = text.split_once("leverage-").unwrap();
            (rest.split('"').next().unwrap().parse().unwrap(), access)
        }
    }
}

/// Opens a position that holds so much of the account, or closes it.
async fn hold(world: &World, platform: &str, trader: &Trader, margin: &str) {
    let number = || trader.login.parse::<u64>().unwrap();
    let (route, body) = match platform {
        "mt5" | "mt4" => ("account", json!({"login": number(), "margin": margin})),
        "ctrader" => ("margin", json!({"login": number(), "used": margin})),
        _ => ("margin", json!({"account": trader.login, "held": margin})),
    };
    world.control(platform, route, &body).await;
}

async fn desk(world: &World, queue: &str) -> Vec<Value> {
    world.idle().await;
    items(&expect(world.get("admin", &format!("/v1/work?queue={queue}&limit=100")).await, 200))
}

async fn act(world: &World, who: &str, item: &Value, action: &str) {
    let work = item["work_id"].as_str().unwrap();
    expect(world.act(who, work, &json!({"action": action})).await, 200);
    world.idle().await;
}

/// Lets everything that waits come due, again and again.
async fn settle(world: &World, minutes: u64) {
    for _ in 0..minutes.div_ceil(2) {
        world.pass(120).await;
        world.sweep().await;
    }
}

#[tokio::test]
async fn leverage_and_access_are_set_on_every_platform_and_shown() {
    let world = World::start().await;
    for (platform, _, accesses) in PLATFORMS {
        let trader = trader(&world, platform).await;
        assert_eq!(shown(&world, &trader.account).await["access"], "full");
        let lower = ask(&world, "portal", &trader, &json!({"leverage": 20})).await;
        assert_eq!(status(&world, &trader, &lower).await, "done", "{platform}");
        assert_eq!(shown(&world, &trader.account).await["leverage"], 20);
        for access in accesses.iter().filter(|access| **access != "full") {
            let stop = ask(&world, "support", &trader, &json!({"access": access})).await;
            assert_eq!(status(&world, &trader, &stop).await, "done", "{platform} {access}");
            assert_eq!(shown(&world, &trader.account).await["access"], *access);
            assert_eq!(on_platform(&world, platform, &trader).await, (20, *access), "{platform}");
        }
    }
}

#[tokio::test]
async fn what_the_platform_cannot_do_is_refused_with_what_it_can() {
    let world = World::start().await;
    for (platform, _, accesses) in PLATFORMS {
        let trader = trader(&world, platform).await;
        let before = world.stored().await;
        for access in ["full", "close_only", "no_trading", "no_login"].iter().filter(|one| !accesses.contains(one)) {
            let answer = expect(world.post("support", &path(&trader), &json!({"access": access})).await, 422);
            assert_eq!(faults(&answer), ["/access not_supported"]);
            assert_eq!(answer.json["errors"][0]["allowed_values"], json!(accesses), "{platform}");
        }
        let answer = expect(world.post("support", &path(&trader), &json!({"access": "half"})).await, 422);
        assert_eq!(faults(&answer), ["/access unknown_value"]);
        assert_eq!(before, world.stored().await);
    }
}

#[tokio::test]
async fn a_wish_that_makes_no_sense_is_refused_and_writes_nothing() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let before = world.stored().await;
    for (body, status, wrong) in [
        (json!({}), 400, " missing"),
        (json!({"leverage": 31}), 422, "/leverage leverage_out_of_range"),
        (json!({"leverage": 0}), 422, "/leverage leverage_out_of_range"),
        (json!({"leverage": "20"}), 400, "/leverage wrong_type"),
        (json!({"account_type": "gold"}), 422, "/account_type unknown_value"),
        (json!({"leverage": 20, "access": "no_trading"}), 422, " not_together"),
        (json!({"access": "no_trading", "status": "closed"}), 422, "/access not_together"),
        (json!({"status": "gone"}), 422, "/status unknown_value"),
        (json!({"group": "real\\other"}), 400, "/group unknown_field"),
    ] {
        let answer = expect(world.post("support", &path(&trader), &body).await, status);
        assert!(faults(&answer).contains(&wrong.to_owned()), "{body}: {}", answer.text);
    }
    for body in [json!({"access": "no_trading"}), json!({"status": "closed"}), json!({"account_type": "standard"})] {
        expect(world.portal(&path(&trader), &body).await, 403);
    }
    expect(world.post("support", &path(&trader), &json!({"status": "open"})).await, 409);
    for role in ["finance", "sales"] {
        expect(world.post(role, &path(&trader), &json!({"leverage": 20})).await, 403);
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn more_leverage_waits_for_a_person_who_did_not_ask() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    ask(&world, "portal", &trader, &json!({"leverage": 10})).await;
    world.idle().await;
    let change = ask(&world, "support", &trader, &json!({"leverage": 25})).await;
    assert_eq!(status(&world, &trader, &change).await, "in_review");
    let item = desk(&world, "support").await.remove(0);
    assert_eq!((&item["kind"], &item["subject"]["change_id"]), (&json!("account_change_approval"), &json!(change)));
    act(&world, "support", &item, "approve").await;
    assert_eq!(status(&world, &trader, &change).await, "in_review", "whoever asked cannot approve");
    let again = desk(&world, "support").await.remove(0);
    assert_ne!(again["work_id"], item["work_id"]);
    act(&world, "admin", &again, "approve").await;
    assert_eq!(status(&world, &trader, &change).await, "done");
    assert_eq!(shown(&world, &trader.account).await["leverage"], 25);
    assert_eq!(on_platform(&world, "mt5", &trader).await.0, 25);
    let other = ask(&world, "portal", &trader, &json!({"leverage": 30})).await;
    let item = desk(&world, "support").await.remove(0);
    act(&world, "support", &item, "reject").await;
    assert_eq!(status(&world, &trader, &other).await, "rejected");
    assert_eq!(on_platform(&world, "mt5", &trader).await.0, 25);
    ask(&world, "portal", &trader, &json!({"leverage": 5})).await;
}

#[tokio::test]
async fn rules_say_that_two_people_approve_and_what_they_forbid_since_is_not_set() {
    let world = World::start().await;
    let two =
        |rules: &mut Value| rules["changes"] = json!([{"id": "two", "when": "always", "then": {"needs": "four_eyes"}}]);
    world.publish(SetName::Platforms, 2, two).await;
    world.pass(61).await;
    let trader = world.trader("USD").await;
    let change = ask(&world, "portal", &trader, &json!({"leverage": 20})).await;
    let item = desk(&world, "compliance").await.remove(0);
    assert_eq!(item["kind"], "account_change_four_eyes");
    act(&world, "compliance", &item, "approve").await;
    assert_eq!(status(&world, &trader, &change).await, "in_review", "one of two");
    act(&world, "admin", &item, "approve").await;
    assert_eq!(status(&world, &trader, &change).await, "done");
    let late = ask(&world, "portal", &trader, &json!({"leverage": 30})).await;
    let item = desk(&world, "compliance").await.remove(0);
    act(&world, "compliance", &item, "approve").await;
    world
        .publish(SetName::Platforms, 3, |rules| {
            two(rules);
            rules["leverage"] = json!([{"id": "all", "when": "always", "then": {"max": 25}}]);
        })
        .await;
    world.pass(61).await;
    act(&world, "admin", &item, "approve").await;
    assert_eq!(status(&world, &trader, &late).await, "failed");
    assert_eq!(on_platform(&world, "mt5", &trader).await.0, 20);
}

#[tokio::test]
async fn of_changes_at_once_one_is_first_and_another_aspect_waits_for_nobody() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    ask(&world, "portal", &trader, &json!({"leverage": 10})).await;
    world.idle().await;
    let asks = (0..50).map(|_| async { world.portal(&path(&trader), &json!({"leverage": 20})).await.status });
    let mut statuses = join_all(asks).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[202].as_slice(), &[409; 49]].concat());
    assert_eq!(desk(&world, "support").await.len(), 1);
    let stop = ask(&world, "compliance", &trader, &json!({"access": "no_trading"})).await;
    assert_eq!(status(&world, &trader, &stop).await, "done");
    expect(world.post("support", &path(&trader), &json!({"status": "closed"})).await, 409);
}

#[tokio::test]
async fn the_same_key_is_the_same_change() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let call =
        |body: &Value| crate::world::Call::post(&path(&trader), body).token(world.broker.token("portal")).key("one");
    let first = expect(world.send(call(&json!({"leverage": 20}))).await, 202);
    world.idle().await;
    let again = expect(world.send(call(&json!({"leverage": 20}))).await, 202);
    assert_eq!((&again.json, header(&again, "idempotency-replayed")), (&first.json, Some("true")));
    expect(world.send(call(&json!({"leverage": 10}))).await, 422);
    assert_eq!(shown(&world, &trader.account).await["leverage"], 20);
}

#[tokio::test]
async fn a_lost_answer_is_set_again_and_a_platform_that_is_down_is_a_persons_in_the_end() {
    for (platform, operation, _) in PLATFORMS {
        let world = World::start().await;
        let trader = trader(&world, platform).await;
        world.faults(platform, &json!([{"operation": operation, "fault": {"kind": "apply_then_drop"}}])).await;
        let change = ask(&world, "support", &trader, &json!({"access": "no_trading"})).await;
        assert_eq!(status(&world, &trader, &change).await, "setting", "{platform}");
        assert_eq!(on_platform(&world, platform, &trader).await.1, "no_trading");
        settle(&world, 4).await;
        assert_eq!(status(&world, &trader, &change).await, "done", "{platform}");
        world.faults(platform, &json!([{"operation": "*", "fault": {"kind": "drop"}, "times": 0}])).await;
        let change = ask(&world, "admin", &trader, &json!({"access": "full"})).await;
        let item = desk(&world, "support").await.remove(0);
        act(&world, "support", &item, "approve").await;
        settle(&world, 50).await;
        assert_eq!(status(&world, &trader, &change).await, "unresolved", "{platform}");
        let item = desk(&world, "support").await.remove(0);
        assert_eq!(item["kind"], "account_change_unresolved");
        let told = &item["trigger"]["data"];
        assert_eq!(told["login"], trader.login.as_str());
        assert!(
            told["server"].is_string() && told["platform"] == platform && told["wanted"]["access"] == "full",
            "{told}"
        );
        world.no_faults(platform).await;
        act(&world, "support", &item, "retry").await;
        settle(&world, 4).await;
        assert_eq!(status(&world, &trader, &change).await, "done", "{platform}");
        assert_eq!(on_platform(&world, platform, &trader).await.1, "full");
    }
}

#[tokio::test]
async fn an_account_is_closed_without_money_and_payments_only_and_reopened() {
    for (platform, _, accesses) in PLATFORMS {
        let world = World::start().await;
        let trader = trader(&world, platform).await;
        let close = json!({"status": "closed"});
        // while a payment is under way
        let body = deposit_request(&trader, "100.00", "stripe");
        let payment = expect(world.portal(&trader.deposits(), &body).await, 201).text_at("/payment_id");
        let busy = ask(&world, "support", &trader, &close).await;
        world.idle().await;
        expect(world.portal(&trader.deposits(), &deposit_request(&trader, "50.00", "stripe")).await, 409);
        settle(&world, 4).await;
        assert_eq!(status(&world, &trader, &busy).await, "failed", "{platform}");
        assert_eq!(shown(&world, &trader.account).await["status"], "open");
        // with money on it
        let reference = world.payment(&payment).await.text_at("/psp/reference");
        let paid = crate::world::Payment { id: payment.clone(), reference };
        expect(world.stripe(&world.intent(&paid, "payment_intent.succeeded", 10_000, "usd")).await, 200);
        assert_eq!(world.status(&payment).await, "credited");
        let rich = ask(&world, "support", &trader, &close).await;
        world.idle().await;
        settle(&world, 4).await;
        assert_eq!(status(&world, &trader, &rich).await, "failed", "{platform}");
        assert_eq!(shown(&world, &trader.account).await["status"], "open");
        // another one, without either, as long as a position is open on it
        let poor = self::trader(&world, platform).await;
        hold(&world, platform, &poor, "10").await;
        let trading = ask(&world, "support", &poor, &close).await;
        world.idle().await;
        settle(&world, 4).await;
        assert_eq!(status(&world, &poor, &trading).await, "failed", "{platform}");
        assert_eq!(shown(&world, &poor.account).await["status"], "open");
        hold(&world, platform, &poor, "0").await;
        let done = ask(&world, "support", &poor, &close).await;
        world.idle().await;
        settle(&world, 4).await;
        assert_eq!(status(&world, &poor, &done).await, "done", "{platform}");
        let strictest = if accesses.contains(&"no_login") { "no_login" } else { "no_trading" };
        let seen = shown(&world, &poor.account).await;
        assert_eq!((&seen["status"], &seen["access"]), (&json!("closed"), &json!(strictest)));
        assert_eq!(on_platform(&world, platform, &poor).await.1, strictest);
        expect(world.portal(&poor.deposits(), &deposit_request(&poor, "50.00", "stripe")).await, 409);
        expect(world.portal(&path(&poor), &json!({"leverage": 10})).await, 409);
        let back = ask(&world, "support", &poor, &json!({"status": "open"})).await;
        let item = desk(&world, "support").await.remove(0);
        act(&world, "admin", &item, "approve").await;
        assert_eq!(status(&world, &poor, &back).await, "done", "{platform}");
        let seen = shown(&world, &poor.account).await;
        assert_eq!((&seen["status"], &seen["access"]), (&json!("open"), &json!("full")));
        assert_eq!(on_platform(&world, platform, &poor).await.1, "full");
        expect(world.portal(&poor.deposits(), &deposit_request(&poor, "50.00", "stripe")).await, 201);
    }
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_and_that_the_rules_forbid_since_is_a_persons() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    world.faults("mt5", &json!([{"operation": "user_update", "fault": {"kind": "apply_then_drop"}}])).await;
    let change = ask(&world, "portal", &trader, &json!({"leverage": 20})).await;
    assert_eq!(status(&world, &trader, &change).await, "setting");
    let less = json!([{"id": "all", "when": "always", "then": {"max": 15}}]);
    world.publish(SetName::Platforms, 2, |rules| rules["leverage"] = less).await;
    settle(&world, 4).await;
    assert_eq!(status(&world, &trader, &change).await, "unresolved");
    let item = desk(&world, "support").await.remove(0);
    assert_eq!((&item["kind"], &item["subject"]["change_id"]), (&json!("account_change_unresolved"), &json!(change)));
    assert!(item["trigger"]["why"].to_string().contains("up to 15 now"), "{item}");
    act(&world, "support", &item, "close_without_change").await;
    assert_eq!(status(&world, &trader, &change).await, "failed");
    // the account is free for the next
    let next = ask(&world, "portal", &trader, &json!({"leverage": 10})).await;
    assert_eq!(status(&world, &trader, &next).await, "done");
}

#[tokio::test]
async fn money_that_comes_for_an_account_that_was_closed_meanwhile_is_a_persons() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let late = world.deposit(&trader, "60.00", "stripe").await;
    for _ in 0..60 {
        world.pass(30 * 60 + 1).await;
        world.sweep().await;
        if world.status(&late.id).await == "expired" {
            break;
        }
    }
    assert_eq!(world.status(&late.id).await, "expired");
    let close = ask(&world, "support", &trader, &json!({"status": "closed"})).await;
    world.idle().await;
    settle(&world, 4).await;
    assert_eq!(status(&world, &trader, &close).await, "done");
    expect(world.stripe(&world.intent(&late, "payment_intent.succeeded", 6_000, "usd")).await, 200);
    settle(&world, 4).await;
    assert_eq!(world.deals(&trader, &late).await, Vec::<Value>::new());
    assert_eq!(world.status(&late.id).await, "needs_review");
    let item = desk(&world, "finance").await.remove(0);
    assert_eq!((&item["kind"], &item["subject"]["payment_id"]), (&json!("credit_refused"), &json!(late.id)));
    // still closed: asked again; and after it was reopened it is credited
    let again = |item: Value| {
        let work = item["work_id"].as_str().unwrap().to_owned();
        let world = &world;
        async move {
            expect(world.act("finance", &work, &json!({"action": "mark_not_credited_retry"})).await, 200);
            settle(world, 4).await;
        }
    };
    again(item).await;
    assert_eq!(world.status(&late.id).await, "needs_review");
    let back = ask(&world, "support", &trader, &json!({"status": "open"})).await;
    let item = desk(&world, "support").await.remove(0);
    act(&world, "admin", &item, "approve").await;
    assert_eq!(status(&world, &trader, &back).await, "done");
    again(desk(&world, "finance").await.remove(0)).await;
    assert_eq!(world.status(&late.id).await, "credited");
    assert_eq!(world.deals(&trader, &late).await.len(), 1);
}

#[tokio::test]
async fn money_that_comes_while_an_account_is_being_closed_waits_for_what_becomes_of_it() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "60.00", "stripe").await;
    let close = ask(&world, "support", &trader, &json!({"status": "closed"})).await;
    world.idle().await;
    assert_eq!(shown(&world, &trader.account).await["status"], "closed");
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 6_000, "usd")).await, 200);
    world.idle().await;
    settle(&world, 10).await;
    assert_eq!(status(&world, &trader, &close).await, "failed");
    assert_eq!(shown(&world, &trader.account).await["status"], "open");
    assert_eq!(world.status(&payment.id).await, "credited");
    assert_eq!(desk(&world, "finance").await, Vec::<Value>::new());
}

/// An account of a client who lives outside of the European Union, put away.
async fn archived(world: &World, leverage: u32) -> Trader {
    let mut body = crate::world::registration();
    body["residence"] = json!("MX");
    body["email"] = json!(format!("archived-{}@example.com", world.fresh()));
    let client = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
    let mut wish = account_request("USD");
    wish["leverage"] = json!(leverage);
    let account =
        expect(world.portal(&format!("/v1/clients/{client}/accounts"), &wish).await, 202).text_at("/account_id");
    let login = shown(world, &account).await["login"].as_str().unwrap().to_owned();
    let trader = Trader { client, account, login, currency: "USD".to_owned() };
    let close = ask(world, "support", &trader, &json!({"status": "closed"})).await;
    world.idle().await;
    settle(world, 4).await;
    assert_eq!(status(world, &trader, &close).await, "done");
    trader
}

async fn told(world: &World, trader: &Trader) -> Vec<(String, String)> {
    world.idle().await;
    let path = format!("/v1/clients/{}/notifications?limit=100", trader.client);
    let text = |message: &Value, name: &str| message[name].as_str().unwrap().to_owned();
    let all = items(&expect(world.get("portal", &path).await, 200));
    let changes = all.iter().rev().filter(|message| message["kind"].as_str().unwrap().starts_with("change."));
    changes.map(|message| (text(message, "kind"), text(message, "body"))).collect()
}

#[tokio::test]
async fn an_account_that_is_put_away_leaves_its_place_and_is_reopened_only_where_there_is_one() {
    let world = World::start().await;
    let one = json!([{"id": "one", "when": {"field": "kind", "eq": "live"}, "then": {"max": 1}}]);
    world
        .publish(SetName::Platforms, 2, |set| {
            set["account_limits"] = one;
            set["changes"] = json!([{"id": "all", "when": "always", "then": {"needs": "auto"}}]);
        })
        .await;
    world.pass(61).await;
    let first = archived(&world, 30).await;
    let accounts = format!("/v1/clients/{}/accounts", first.client);
    let second = expect(world.portal(&accounts, &account_request("USD")).await, 202).text_at("/account_id");
    assert_eq!(shown(&world, &second).await["status"], "open");
    let open = json!({"status": "open"});
    let refused = expect(world.post("support", &path(&first), &open).await, 422);
    assert_eq!(faults(&refused), ["/status too_many_accounts"]);
    assert_eq!(refused.json["errors"][0]["allowed_values"], json!(["at most 1"]), "{}", refused.text);
    assert_eq!(shown(&world, &first.account).await["status"], "closed");
    // the other one is put away: of the two that ask for the place at once, one gets it
    let other = Trader { account: second.clone(), ..first.clone() };
    ask(&world, "support", &other, &json!({"status": "closed"})).await;
    world.idle().await;
    let early = expect(world.post("support", &path(&first), &open).await, 422);
    assert_eq!(faults(&early), ["/status too_many_accounts"], "the other one is not closed yet");
    settle(&world, 4).await;
    let asks = [&first, &other].map(async |trader| world.post("support", &path(trader), &open).await.status);
    let mut answers = join_all(asks).await;
    answers.sort_unstable();
    assert_eq!(answers, [202, 422]);
    world.idle().await;
    let statuses = [shown(&world, &first.account).await, shown(&world, &second).await];
    assert_eq!(statuses.iter().filter(|one| one["status"] == "open").count(), 1, "{statuses:?}");
    expect(world.portal(&accounts, &account_request("USD")).await, 422);
}

#[tokio::test]
async fn an_account_with_more_leverage_than_the_rules_allow_today_is_not_reopened() {
    let world = World::start().await;
    let trader = archived(&world, 400).await;
    let open = json!({"status": "open"});
    // approved after the rules have changed: not made
    let late = ask(&world, "support", &trader, &open).await;
    world.publish(SetName::Platforms, 2, |set| set["leverage"][1]["then"]["max"] = json!(100)).await;
    world.pass(61).await;
    let item = desk(&world, "support").await.remove(0);
    act(&world, "admin", &item, "approve").await;
    assert_eq!(status(&world, &trader, &late).await, "failed");
    assert_eq!(shown(&world, &trader.account).await["status"], "closed");
    // and asked for since: refused with what is allowed
    let refused = expect(world.post("support", &path(&trader), &open).await, 422);
    assert_eq!(faults(&refused), ["/status leverage_out_of_range"]);
    let error = &refused.json["errors"][0];
    assert!(error["message"].to_string().contains("a leverage of 400"), "{error}");
    assert_eq!(error["allowed_values"], json!(["1 to 100"]));
}

#[tokio::test]
async fn a_client_is_told_in_his_language_what_his_account_is_and_what_he_asked_for_in_vain() {
    let world = World::start().await;
    let mut body = crate::world::registration();
    body["language"] = json!("de");
    let client = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
    let trader = world.account(&client, "USD").await;
    ask(&world, "portal", &trader, &json!({"leverage": 20})).await;
    world.idle().await;
    for (who, leverage) in [("portal", 25), ("support", 26)] {
        ask(&world, who, &trader, &json!({"leverage": leverage})).await;
        let item = desk(&world, "support").await.remove(0);
        act(&world, "admin", &item, "reject").await;
    }
    // what he may do is told by whoever takes it away
    for access in ["no_trading", "full"] {
        ask(&world, "support", &trader, &json!({"access": access})).await;
        for item in desk(&world, "support").await {
            act(&world, "admin", &item, "approve").await;
        }
    }
    ask(&world, "support", &trader, &json!({"status": "closed"})).await;
    world.idle().await;
    settle(&world, 4).await;
    ask(&world, "support", &trader, &json!({"status": "open"})).await;
    let item = desk(&world, "support").await.remove(0);
    act(&world, "admin", &item, "approve").await;
    let told = told(&world, &trader).await;
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["change.terms_set", "change.declined", "change.archived", "change.reopened"]);
    let (_, terms) = &told[0];
    assert!(terms.contains("einen Hebel von 1:20") && terms.contains("standard"), "{terms}");
    assert!(told.iter().all(|(_, body)| body.contains(&trader.login) && body.contains("mt5")), "{told:?}");
    let mails = world.broker.simulators.mails();
    let mails: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert!(mails.contains(&"Ihr Handelskonto ist wieder offen"), "{mails:?}");
}
