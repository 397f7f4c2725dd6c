//! The daily comparison of accounts on the trading servers with ours.

use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::world::{PLATFORMS, Trader, World, expect, items};

async fn sweep(world: &World) -> Value {
    let swept = world.broker.host.fire_schedule("accounts-sweep").await.unwrap();
    world.idle().await;
    swept
}

async fn found(world: &World) -> Vec<Value> {
    world.idle().await;
    items(&expect(world.get("support", "/v1/work?queue=support&limit=100").await, 200))
}

#[tokio::test]
async fn accounts_that_are_the_same_on_both_sides_are_nobodys_business() {
    let world = World::start().await;
    for platform in PLATFORMS {
        world.trader_on(platform).await;
    }
    assert_eq!(sweep(&world).await, json!({"missed": []}));
    let before = world.stored().await;
    sweep(&world).await;
    assert_eq!(before, world.stored().await, "a sweep that finds nothing writes nothing");
    assert_eq!(found(&world).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_is_there_and_not_here_is_one_item_that_closes_itself() {
    for platform in PLATFORMS {
        let world = World::start().await;
        let own = world.trader_on(platform).await;
        // our record is lost: as good as an account that somebody else made
        let table = world.broker.host.template().tables["CrmTable"].name.clone();
        let key = json!({"pk": {"S": own.account}, "sk": {"S": "#"}});
        let request = json!({"TableName": table, "Key": key});
        let kept = world.broker.host.db().request("GetItem", &request).await.unwrap();
        assert!(kept["Item"].is_object(), "{platform}");
        world.broker.host.db().request("DeleteItem", &request).await.unwrap();
        for _ in 0..2 {
            assert_eq!(sweep(&world).await, json!({"missed": []}), "{platform}");
        }
        let open = found(&world).await;
        assert_eq!(open.len(), 1, "{platform}: {open:?}");
        assert_eq!(open[0]["kind"], "account_not_here");
        assert_eq!(open[0]["trigger"]["data"]["login"], own.login.as_str());
        let back = json!({"TableName": table, "Item": kept["Item"]});
        world.broker.host.db().request("PutItem", &back).await.unwrap();
        sweep(&world).await;
        assert_eq!(found(&world).await, Vec::<Value>::new(), "{platform}: it is ours again");
    }
}

#[tokio::test]
async fn what_is_here_and_not_there_and_what_was_set_by_hand_is_told() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    // somebody sets another leverage on the server itself
    let login: u64 = trader.login.parse().unwrap();
    world.control("mt5", "account", &json!({"login": login, "leverage": 99})).await;
    sweep(&world).await;
    let open = found(&world).await;
    assert_eq!((open.len(), &open[0]["kind"]), (1, &json!("account_differs")), "{open:?}");
    assert_eq!(open[0]["subject"]["account_id"], trader.account.as_str());
    assert_eq!(open[0]["trigger"]["data"]["differs"], json!(["leverage 99 instead of 30"]));
    // ours is set again
    let changes = format!("/v1/accounts/{}/changes", trader.account);
    expect(world.post("support", &changes, &json!({"leverage": 30})).await, 202);
    world.idle().await;
    sweep(&world).await;
    assert_eq!(found(&world).await, Vec::<Value>::new());
    let gone = world.control("mt5", "account", &json!({"login": login, "deleted": true})).await;
    let swept = sweep(&world).await;
    let open = found(&world).await;
    assert_eq!(open.len(), 1, "{gone} {swept}");
    assert_eq!((open.len(), &open[0]["kind"]), (1, &json!("account_not_there")), "{open:?}");
    let close = json!({"action": "close"});
    expect(world.act("support", open[0]["work_id"].as_str().unwrap(), &close).await, 200);
    sweep(&world).await;
    assert_eq!(found(&world).await, Vec::<Value>::new(), "what may stay so is not told again");
}

#[tokio::test]
async fn a_list_that_is_not_whole_says_nothing_and_keeps_no_other_server_waiting() {
    let world = World::start().await;
    let (lost, other) = (world.trader_on("mt5").await, world.trader_on("mt4").await);
    let table = world.broker.host.template().tables["CrmTable"].name.clone();
    for account in [&lost.account, &other.account] {
        let key = json!({"pk": {"S": account}, "sk": {"S": "#"}});
        world.broker.host.db().request("DeleteItem", &json!({"TableName": table, "Key": key})).await.unwrap();
    }
    world.faults("mt5", &json!([{"operation": "user_get_batch", "fault": {"kind": "drop"}, "times": 0}])).await;
    let swept = sweep(&world).await;
    assert_eq!(swept, json!({"missed": ["mt5-live"]}));
    let open = found(&world).await;
    assert_eq!((open.len(), &open[0]["trigger"]["data"]["login"]), (1, &json!(other.login)), "{open:?}");
    world.no_faults("mt5").await;
    sweep(&world).await;
    assert_eq!(found(&world).await.len(), 2);
}

#[tokio::test]
async fn an_account_without_money_on_which_nothing_happens_is_closed_by_rule() {
    let world = World::start().await;
    world.publish(SetName::Platforms, 2, |rules| rules["close_after"] = json!({"live": "30d"})).await;
    world.pass(61).await;
    let (idle, rich) = (world.trader_on("mt4").await, world.trader("USD").await);
    world.credited(&rich, "100.00", 10_000).await;
    world.pass(29 * 86_400).await;
    let paying = world.trader_on("mt5").await;
    sweep(&world).await;
    let status = async |trader: &Trader| {
        world.idle().await;
        expect(world.get("portal", &format!("/v1/accounts/{}", trader.account)).await, 200).text_at("/status")
    };
    assert_eq!(status(&idle).await, "open");
    world.pass(2 * 86_400).await;
    for _ in 0..2 {
        sweep(&world).await;
        world.pass(120).await;
        world.sweep().await;
    }
    assert_eq!(
        (status(&idle).await, status(&rich).await, status(&paying).await),
        ("closed".into(), "open".into(), "open".into())
    );
    let journal = expect(world.get("support", &format!("/v1/journal?entity={}", idle.account)).await, 200);
    assert_eq!(journal.json["verified"], true);
}
