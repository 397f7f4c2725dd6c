//! What trading servers booked against the ledger: a payment's operations once it has ended, and a whole day's once it is over.

use domain::Day;
use serde_json::{Value, json};

use crate::world::{PLATFORMS, World, expect, items};

const DAY: &str = "2026-11-23";
const NOON: &str = "2026-11-23T12:00:00Z";

/// The servers are looked at, as every day, and what is due is done.
async fn tick(world: &World) -> Value {
    let opened = world.broker.host.fire_schedule("payments-day-end").await.unwrap();
    world.idle().await;
    // what is to be read is due, and what came of it compared
    world.sweep().await;
    opened
}

/// The day ends, and the servers' operations of it are read.
async fn end_of_day(world: &World) {
    tick(world).await;
    world.pass(13 * 3_600).await;
    tick(world).await;
}

async fn report(world: &World) -> Value {
    expect(world.get("finance", &format!("/v1/reconciliation?date={DAY}")).await, 200).json
}

/// The breaks as `server class status amount`, sorted.
async fn breaks(world: &World) -> Vec<String> {
    let told = |own: &Value| {
        let text = |name: &str| own[name].as_str().unwrap_or("-").to_owned();
        let amount = own["amount"]["amount"].as_str().unwrap();
        format!("{} {} {} {amount}", text("server"), text("class"), text("status"))
    };
    let mut all: Vec<String> = report(world).await["breaks"].as_array().unwrap().iter().map(told).collect();
    all.sort();
    all
}

async fn asked(world: &World) -> Vec<Value> {
    world.idle().await;
    let all = items(&world.get("finance", "/v1/work?queue=finance&status=open&limit=100").await);
    all.into_iter().filter(|item| item["kind"] == "reconciliation_break").collect()
}

async fn platforms(world: &World) -> Vec<Value> {
    let report = report(world).await;
    let all = report["sources"].as_array().unwrap().iter().filter(|source| source["kind"] == "platform");
    all.cloned().collect()
}

#[tokio::test]
async fn a_day_that_agrees_on_every_platform_is_told_with_its_sums() {
    let world = World::at(NOON).await;
    tick(&world).await;
    for (platform, dollars) in PLATFORMS.into_iter().zip([100, 200, 300, 400]) {
        let trader = world.trader_on(platform).await;
        let deposit = world.credited(&trader, &format!("{dollars}.00"), dollars * 100).await;
        if platform == "mt5" {
            let body = json!({
                "account_id": trader.account, "amount": {"amount": "40.00", "currency": "USD"},
                "destination": {"psp": "stripe", "source_payment_id": deposit.id},
            });
            let own = expect(world.portal(&trader.withdrawals(), &body).await, 201).text_at("/payment_id");
            assert_eq!(world.status(&own).await, "paid_out");
        }
    }
    assert_eq!(platforms(&world).await, Vec::<Value>::new(), "the day is not over");
    end_of_day(&world).await;
    let told = platforms(&world).await;
    assert_eq!(told.len(), 4, "{told:?}");
    let wanted = [("mt5", 2, "60.00"), ("mt4", 1, "200.00"), ("ctrader", 1, "300.00"), ("dxtrade", 1, "400.00")];
    for (platform, counted, total) in wanted {
        let (name, total) = (format!("{platform}-live"), json!([{"amount": total, "currency": "USD"}]));
        let source = json!({"name": name, "kind": "platform", "counted": counted, "total": total});
        assert!(told.contains(&source), "{source} in {told:?}");
    }
    assert_eq!((breaks(&world).await, asked(&world).await.len()), (Vec::<String>::new(), 0));
    // the same again reads nothing anew and writes nothing
    let before = world.stored().await;
    assert_eq!(tick(&world).await, json!({"noticed": 0}));
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn what_somebody_booked_by_hand_is_one_item_until_it_is_settled() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    world.credited(&trader, "100.00", 10_000).await;
    let ticket = world.books(&trader, "55.00", "welcome bonus for Marta").await;
    end_of_day(&world).await;
    assert_eq!(breaks(&world).await, ["mt5-live missing_here open 55.00"]);
    let items = asked(&world).await;
    assert_eq!(items.len(), 1);
    let data = &items[0]["trigger"]["data"];
    assert_eq!((&data["server"], &data["reference"]), (&json!("mt5-live"), &json!(ticket)));
    assert!(!items[0].to_string().contains("Marta"), "a comment is whatever somebody wrote");
    // read and compared again: nothing is new
    world.pass(3_700).await;
    world.sweep().await;
    world.pass(120).await;
    world.sweep().await;
    assert_eq!((breaks(&world).await.len(), asked(&world).await.len()), (1, 1));
    let close = json!({"action": "close", "note": "marketing"});
    expect(world.act("finance", items[0]["work_id"].as_str().unwrap(), &close).await, 200);
    world.idle().await;
    assert_eq!(
        (breaks(&world).await, asked(&world).await.len()),
        (vec!["mt5-live missing_here closed 55.00".into()], 0)
    );
}

#[tokio::test]
async fn bonuses_of_ours_are_no_break_and_a_second_one_is() {
    let world = World::at(NOON).await;
    let (id, trader) = crate::bonuses::credited(&world).await;
    end_of_day(&world).await;
    assert_eq!((breaks(&world).await, asked(&world).await.len()), (Vec::<String>::new(), 0));
    let world = World::at(NOON).await;
    let (second, other) = crate::bonuses::credited(&world).await;
    assert_ne!((&id, &trader.client), (&second, &other.client));
    let login: u64 = other.login.parse().unwrap();
    let deal = json!({"login": login, "action": 3, "profit": "25.00", "comment": second});
    world.control("mt5", "deals", &json!([deal])).await;
    end_of_day(&world).await;
    assert_eq!(breaks(&world).await, ["mt5-live missing_here open 25.00"]);
}

#[tokio::test]
async fn a_credit_that_the_server_has_twice_is_told_within_the_minute_and_closes_itself() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "100.00", 10_000).await;
    assert_eq!(breaks(&world).await, Vec::<String>::new());
    // a second one while a later withdrawal ends; its own end is what is looked at here
    let second = world.deposit(&trader, "70.00", "stripe").await;
    world.books(&trader, "70.00", &second.id).await;
    let paid = world.intent(&second, "payment_intent.succeeded", 7_000, "usd");
    expect(world.stripe(&paid).await, 200);
    world.idle().await;
    assert_eq!(world.status(&second.id).await, "credited");
    // a moment later, when the ledger and the server's history must show it
    world.pass(21).await;
    world.idle().await;
    assert_eq!(breaks(&world).await, ["mt5-live duplicate open 70.00"]);
    let items = asked(&world).await;
    assert_eq!((items.len(), &items[0]["subject"]["payment_id"]), (1, &json!(second.id)));
    assert_ne!(second.id, deposit.id);
    // finance has one of them reversed on the server
    world.books(&trader, "-70.00", &second.id).await;
    world.pass(700).await;
    world.sweep().await;
    assert_eq!(
        (breaks(&world).await, asked(&world).await.len()),
        (vec!["mt5-live duplicate resolved 70.00".into()], 0)
    );
    // and the day as a whole finds nothing else
    end_of_day(&world).await;
    assert_eq!(asked(&world).await.len(), 0);
    assert_eq!(breaks(&world).await, ["mt5-live duplicate resolved 70.00"]);
}

#[tokio::test]
async fn what_is_gone_from_the_server_is_told_and_mended_there() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let deposit = world.credited(&trader, "100.00", 10_000).await;
    let ticket = expect(world.payment(&deposit.id).await, 200).json["platform"]["operation"].clone();
    let (login, ticket): (u64, u64) = (trader.login.parse().unwrap(), ticket.as_str().unwrap().parse().unwrap());
    world.control("mt5", "account", &json!({"login": login, "lost": ticket})).await;
    assert!(world.deals(&trader, &deposit).await.is_empty());
    end_of_day(&world).await;
    assert_eq!(breaks(&world).await, ["mt5-live missing_there open 100.00"]);
    assert_eq!(asked(&world).await.len(), 1);
    // booked again there; it is the day after, which is near enough, and is read when that day is over
    world.books(&trader, "100.00", &deposit.id).await;
    world.pass(24 * 3_600).await;
    tick(&world).await;
    assert_eq!(breaks(&world).await, ["mt5-live missing_there resolved 100.00"]);
    assert_eq!(asked(&world).await.len(), 0);
}

#[tokio::test]
async fn a_server_that_does_not_answer_keeps_its_day_and_no_other() {
    let world = World::at(NOON).await;
    let (silent, other) = (world.trader_on("mt5").await, world.trader_on("mt4").await);
    world.credited(&silent, "100.00", 10_000).await;
    world.credited(&other, "200.00", 20_000).await;
    let drop = |operation: &str| json!({"operation": operation, "fault": {"kind": "drop"}, "times": 0});
    world.faults("mt5", &json!([drop("deal_get_total"), drop("deal_get_page")])).await;
    end_of_day(&world).await;
    let names =
        |all: Vec<Value>| all.into_iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let told = names(platforms(&world).await);
    assert!(told.contains(&"mt4-live".to_owned()) && !told.contains(&"mt5-live".to_owned()), "{told:?}");
    assert_eq!(breaks(&world).await, Vec::<String>::new(), "nothing is concluded from silence");
    world.no_faults("mt5").await;
    world.pass(300).await;
    world.sweep().await;
    assert!(names(platforms(&world).await).contains(&"mt5-live".to_owned()));
    assert_eq!(breaks(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_on_a_server_before_we_were_there_is_not_ours() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    world.books(&trader, "55.00", "the former system").await;
    world.pass(13 * 3_600).await;
    // the first look is of the next day
    tick(&world).await;
    assert_eq!(platforms(&world).await, Vec::<Value>::new());
    assert_eq!(Day::of(world.now()).to_string(), "2026-11-24");
}
