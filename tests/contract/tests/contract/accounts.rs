//! Trading accounts: asked for, opened on the platform, credentials shown once.

use domain::rule_sets::SetName;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::{Call, World, account_request, expect, faults, header, items, registration};

#[tokio::test]
async fn an_account_is_requested_then_open_with_login_and_balance() {
    let world = World::start().await;
    for (currency, zero) in [("USD", "0.00"), ("EUR", "0.00"), ("GBP", "0.00"), ("JPY", "0")] {
        let client = world.client("en").await;
        let asked =
            expect(world.portal(&format!("/v1/clients/{client}/accounts"), &account_request(currency)).await, 202);
        assert_eq!(asked.json["status"], "requested");
        world.idle().await;
        let account = asked.text_at("/account_id");
        let shown = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).json;
        assert_eq!(shown["status"], "open");
        assert_eq!(shown["client_id"], client.as_str());
        assert_eq!(shown["platform"], "mt5");
        assert_eq!(shown["kind"], "live");
        assert_eq!(shown["account_type"], "standard");
        assert_eq!(shown["currency"], currency);
        assert_eq!(shown["leverage"], 30);
        assert_eq!(shown["group"], format!("real\\standard-{currency}"));
        assert!(shown["login"].as_str().unwrap().parse::<u64>().is_ok());
        assert_eq!(shown["balance"], json!({"amount": zero, "currency": currency}));
        assert!(shown["balance_at"].is_string());
        let listed = items(&world.get("support", &format!("/v1/clients/{client}/accounts")).await);
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0]["login"], shown["login"]);
    }
}

#[tokio::test]
async fn an_account_is_live_unless_a_demo_is_asked_for() {
    let world = World::start().await;
    let client = world.client("en").await;
    for (kind, shown, group) in [(None, "live", "real\\standard-USD"), (Some("demo"), "demo", "demo\\standard-USD")] {
        let mut body = account_request("USD");
        body["kind"] = json!(kind);
        let account =
            expect(world.portal(&format!("/v1/clients/{client}/accounts"), &body).await, 202).text_at("/account_id");
        world.idle().await;
        let answer = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).json;
        assert_eq!((answer["kind"].as_str(), answer["group"].as_str()), (Some(shown), Some(group)));
    }
}

async fn resident_of(world: &World, country: &str) -> String {
    let mut body = registration();
    body["residence"] = json!(country);
    expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id")
}

#[tokio::test]
async fn leverage_goes_up_to_30_in_the_eu_and_500_elsewhere() {
    let world = World::start().await;
    for (country, max) in [("ES", 30), ("DE", 30), ("CY", 30), ("MX", 500), ("GB", 500), ("CH", 500), ("JP", 500)] {
        let client = resident_of(&world, country).await;
        let path = format!("/v1/clients/{client}/accounts");
        let with = |leverage: Value| {
            let mut body = account_request("USD");
            body["leverage"] = leverage;
            body
        };
        expect(world.portal(&path, &with(json!(1))).await, 202);
        expect(world.portal(&path, &with(json!(max))).await, 202);
        let before = world.stored().await;
        for (over, code) in [
            (json!(0), "leverage_out_of_range"),
            (json!(max + 1), "leverage_out_of_range"),
            (json!(1_000_000), "leverage_out_of_range"),
            (json!(-1), "out_of_range"),
            (json!(4_294_967_296_u64), "out_of_range"),
        ] {
            let answer = expect(world.portal(&path, &with(over.clone())).await, 422);
            assert_eq!(faults(&answer), [format!("/leverage {code}")], "{country} {over}");
        }
        for form in [json!("30"), json!(30.5), json!(true), json!([30])] {
            let answer = expect(world.portal(&path, &with(form.clone())).await, 400);
            assert_eq!(faults(&answer), ["/leverage wrong_type"], "{country} {form}");
        }
        assert_eq!(before, world.stored().await);
    }
}

#[tokio::test]
async fn what_is_not_on_offer_is_refused_with_what_is() {
    let world = World::start().await;
    let client = world.client("en").await;
    let path = format!("/v1/clients/{client}/accounts");
    let before = world.stored().await;
    let cases = [
        ("platform", json!("mt6"), "/platform unknown_value", json!(["mt5", "mt4", "ctrader", "dxtrade"])),
        ("account_type", json!("gold"), "/account_type unknown_value", json!(["standard"])),
        ("currency", json!("CHF"), "/currency unsupported_currency", json!(["USD", "EUR", "GBP", "JPY"])),
        ("currency", json!("usd"), "/currency unknown_currency", json!(["USD", "EUR", "GBP", "JPY"])),
        ("currency", json!("💶"), "/currency unknown_currency", json!(["USD", "EUR", "GBP", "JPY"])),
        ("kind", json!("paper"), "/kind unknown_value", json!(["live", "demo"])),
    ];
    for (name, value, fault, allowed) in cases {
        let mut body = account_request("USD");
        body[name] = value.clone();
        let answer = expect(world.portal(&path, &body).await, 422);
        assert_eq!(faults(&answer), [fault], "{name} = {value}");
        let sorted = |list: &Value| {
            let mut list: Vec<String> =
                list.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect();
            list.sort();
            list
        };
        assert_eq!(sorted(&answer.json["errors"][0]["allowed_values"]), sorted(&allowed), "{}", answer.text);
    }
    let all = json!({"platform": "mt6", "account_type": "gold", "currency": "XXX", "leverage": 5000, "kind": "paper"});
    let answer = expect(world.portal(&path, &all).await, 422);
    assert_eq!(
        faults(&answer),
        [
            "/account_type unknown_value",
            "/currency unknown_currency",
            "/kind unknown_value",
            "/leverage leverage_out_of_range",
            "/platform unknown_value",
        ]
    );
    let nothing = expect(world.portal(&path, &json!({})).await, 400);
    assert_eq!(
        faults(&nothing),
        ["/account_type missing", "/currency missing", "/leverage missing", "/platform missing"]
    );
    let two = json!({"platform": "mt5", "account_type": "standard", "currency": "CHF", "leverage": 31});
    let answer = expect(world.portal(&path, &two).await, 422);
    assert_eq!(faults(&answer), ["/currency unsupported_currency", "/leverage leverage_out_of_range"]);
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn credentials_are_shown_once_and_open_the_account() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let path = format!("/v1/accounts/{}/credentials", trader.account);
    let first = expect(world.send(Call::raw(&path, "").token(world.broker.token("portal"))).await, 200);
    assert_eq!(first.json["login"], trader.login.as_str());
    assert_eq!(first.json["server"], "Pipworks-Live");
    assert_eq!(header(&first, "cache-control"), Some("no-store"));
    for password in ["password", "investor_password"] {
        let text = first.text_at(&format!("/{password}"));
        assert!((8..=16).contains(&text.len()), "{password}");
        let stored = world.stored().await;
        assert!(!stored.values().flatten().any(|row| row.contains(&text)), "{password} is stored in clear");
    }
    assert_ne!(first.json["password"], first.json["investor_password"]);
    let state = world.recorded("mt5", &format!("login={}", trader.login)).await;
    assert!(state.to_string().contains(&trader.account), "the account carries our reference");
    let before = world.stored().await;
    for _ in 0..2 {
        expect(world.send(Call::raw(&path, "").token(world.broker.token("portal"))).await, 410);
    }
    assert_eq!(before, world.stored().await);
    let journal = expect(world.get("support", &format!("/v1/journal?entity={}", trader.account)).await, 200);
    assert!(!journal.text.contains(&first.text_at("/password")));
}

#[tokio::test]
async fn credentials_asked_for_ten_times_at_once_are_shown_once() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let path = format!("/v1/accounts/{}/credentials", trader.account);
    let ask = || world.send(Call::raw(&path, "").token(world.broker.token("portal")));
    let mut statuses: Vec<u16> = join_all((0..10).map(|_| ask())).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[200].as_slice(), &[410; 9]].concat());
}

#[tokio::test]
async fn an_account_that_the_platform_refuses_has_no_credentials_and_support_decides() {
    let world = World::start().await;
    let refuse = json!([{"operation": "user_add", "fault": {"kind": "refuse", "retcode": 3}}]);
    world.faults("mt5", &refuse).await;
    let client = world.client("en").await;
    let path = format!("/v1/clients/{client}/accounts");
    let account = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
    world.idle().await;
    let shown = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200);
    assert_eq!(shown.json["status"], "failed");
    assert!(shown.json.get("balance").is_none());
    expect(world.portal(&format!("/v1/accounts/{account}/credentials"), &json!({})).await, 409);
    let work = items(&world.get("support", "/v1/work?queue=support").await);
    assert_eq!(work.len(), 1);
    assert_eq!(work[0]["kind"], "account_creation_refused");
    assert_eq!(work[0]["subject"]["account_id"], account.as_str());
    // a deposit into it is no fault of the request's form: it is in conflict with the account's state
    let body = json!({"account_id": account, "amount": {"amount": "100.00", "currency": "USD"}, "psp": "stripe"});
    expect(world.portal(&format!("/v1/clients/{client}/deposits"), &body).await, 409);
}

#[tokio::test]
async fn an_account_is_shown_without_a_balance_when_the_platform_is_silent_and_was_from_the_first() {
    let world = World::start().await;
    let client = world.client("en").await;
    let path = format!("/v1/clients/{client}/accounts");
    let account = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
    world.idle().await;
    world.faults("mt5", &json!([{"operation": "*", "fault": {"kind": "drop"}, "times": 0}])).await;
    let shown = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200);
    assert_eq!(shown.json["status"], "open");
    assert!(shown.json.get("balance").is_none(), "{}", shown.text);
}

#[tokio::test]
async fn a_client_has_so_many_accounts_and_asks_for_so_many_a_day() {
    for (key, a_day_later) in [("accounts_max", 422), ("accounts_per_day_max", 202)] {
        let world = World::start().await;
        world.publish(SetName::Platforms, 2, |rules| rules[key] = json!(2)).await;
        let path = format!("/v1/clients/{}/accounts", world.client("en").await);
        for _ in 0..2 {
            expect(world.portal(&path, &account_request("USD")).await, 202);
        }
        let refused = expect(world.portal(&path, &account_request("USD")).await, 422);
        assert_eq!(faults(&refused), [" too_many_accounts"], "{key}");
        world.pass(86_500).await;
        expect(world.portal(&path, &account_request("USD")).await, a_day_later);
    }
}

#[tokio::test]
async fn credentials_are_shown_whatever_else_is_saved_of_the_account_at_the_moment() {
    let world = World::start().await;
    for _ in 0..20 {
        let trader = world.trader("USD").await;
        let changes = format!("/v1/accounts/{}/changes", trader.account);
        let path = format!("/v1/accounts/{}/credentials", trader.account);
        let ask = async { world.send(Call::raw(&path, "").token(world.broker.token("portal"))).await };
        let lower = json!({"leverage": 20});
        let stop = json!({"access": "no_trading"});
        let (shown, _, _) = tokio::join!(ask, async { world.portal(&changes, &lower).await }, async {
            world.post("support", &changes, &stop).await
        });
        expect(shown, 200);
        expect(world.send(Call::raw(&path, "").token(world.broker.token("portal"))).await, 410);
    }
}

/// An account that the platform refuses, and the work item about it.
async fn refused_account(world: &World) -> (String, String) {
    world.faults("mt5", &json!([{"operation": "user_add", "fault": {"kind": "refuse", "retcode": 3}}])).await;
    let path = format!("/v1/clients/{}/accounts", world.client("en").await);
    let account = expect(world.portal(&path, &account_request("USD")).await, 202).text_at("/account_id");
    let item = desk(world).await.into_iter().find(|item| item["subject"]["account_id"] == account.as_str()).unwrap();
    world.pass(61).await;
    (account, item["work_id"].as_str().unwrap().to_owned())
}

async fn desk(world: &World) -> Vec<Value> {
    world.idle().await;
    items(&world.get("support", "/v1/work?queue=support").await)
}

/// A person says that an account has a login.
async fn is_said_to_be(world: &World, work: &str, login: &str) {
    expect(world.act("support", work, &json!({"action": "mark_open", "evidence": login})).await, 200);
    world.idle().await;
}

async fn seen(world: &World, account: &str) -> (Value, Value) {
    let shown = expect(world.get("support", &format!("/v1/accounts/{account}")).await, 200).json;
    (shown["status"].clone(), shown["login"].clone())
}

/// The item is open again, the same one, and says what was found.
async fn is_open_again(world: &World, work: &str, found: &str) {
    let open = desk(world).await;
    assert_eq!((open.len(), open[0]["work_id"].as_str()), (1, Some(work)), "{open:?}");
    let reopened = open[0]["trigger"]["reopened"].as_str().unwrap();
    assert!(reopened.contains(found), "{reopened}");
}

/// Somebody opens an account in the server's own terminal.
async fn by_hand(world: &World, login: u64, group: &str, comment: &str) {
    world.control("mt5", "account", &json!({"login": login, "group": group, "comment": comment})).await;
}

#[tokio::test]
async fn a_login_is_of_one_account_whatever_a_person_types() {
    let world = World::start().await;
    let victim = world.trader("USD").await;
    let (account, work) = refused_account(&world).await;
    is_said_to_be(&world, &work, &victim.login).await;
    assert_eq!(seen(&world, &account).await, (json!("failed"), Value::Null));
    is_open_again(&world, &work, "another account").await;
    // one that is nobody's is taken, and then it is nobody else's
    by_hand(&world, 500_777, "real\\standard-USD", "").await;
    is_said_to_be(&world, &work, "500777").await;
    assert_eq!(seen(&world, &account).await, (json!("open"), json!("500777")));
    assert!(desk(&world).await.is_empty());
    let (account, work) = refused_account(&world).await;
    is_said_to_be(&world, &work, "500777").await;
    assert_eq!(seen(&world, &account).await, (json!("failed"), Value::Null));
    is_open_again(&world, &work, "it is that of another account").await;
}

#[tokio::test]
async fn a_login_that_a_person_types_counts_once_the_platform_has_shown_it() {
    let world = World::start().await;
    let (account, work) = refused_account(&world).await;
    let other = "acc_01j9zzzzzzabcdefghjkmnpqrs";
    by_hand(&world, 500_701, "real\\standard-EUR", "").await;
    by_hand(&world, 500_702, "real\\standard-USD", other).await;
    for (login, found) in [
        ("500700", "mt5-live has no such login"),
        ("500701", "group real\\standard-EUR instead of real\\standard-USD"),
        ("500702", other),
    ] {
        is_said_to_be(&world, &work, login).await;
        assert_eq!(seen(&world, &account).await, (json!("failed"), Value::Null), "{login}");
        is_open_again(&world, &work, found).await;
    }
    by_hand(&world, 500_703, "real\\standard-USD", &account).await;
    is_said_to_be(&world, &work, "500703").await;
    assert_eq!(seen(&world, &account).await, (json!("open"), json!("500703")));
    assert!(desk(&world).await.is_empty());
}

#[tokio::test]
async fn a_platform_that_cannot_be_asked_for_a_login_is_asked_again() {
    let world = World::start().await;
    let (account, work) = refused_account(&world).await;
    by_hand(&world, 500_704, "real\\standard-USD", "").await;
    world.faults("mt5", &json!([{"operation": "user_get", "fault": {"kind": "drop"}, "times": 0}])).await;
    is_said_to_be(&world, &work, "500704").await;
    for _ in 0..5 {
        world.pass(901).await;
        world.sweep().await;
        assert_eq!(seen(&world, &account).await, (json!("failed"), Value::Null));
        assert!(desk(&world).await.is_empty(), "the item waits for the platform");
    }
    world.no_faults("mt5").await;
    world.pass(901).await;
    world.sweep().await;
    assert_eq!(seen(&world, &account).await, (json!("open"), json!("500704")));
    // one that stays silent for a day is told of
    let (account, work) = refused_account(&world).await;
    world.faults("mt5", &json!([{"operation": "user_get", "fault": {"kind": "drop"}, "times": 0}])).await;
    is_said_to_be(&world, &work, "500705").await;
    for _ in 0..100 {
        world.pass(901).await;
        world.sweep().await;
    }
    is_open_again(&world, &work, "nobody has looked").await;
    assert_eq!(seen(&world, &account).await, (json!("failed"), Value::Null));
}
