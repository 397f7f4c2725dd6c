//! Bonuses: what journeys have granted is on the account once, on every platform that books credit, and off it when its time is up.

use domain::bonus::{Bonus, BonusStatus, BonusWish};
use domain::decision::{Decision, Frame};
use domain::journey::Journey;
use domain::rule_sets::SetName;
use domain::{BonusId, ClientId, JourneyId};
use serde_json::{Value, json};

use crate::world::{Call, Trader, World, account_request, expect, items, registration};

const NOON: &str = "2026-11-23T18:00:00Z";
const DAY: u64 = 86_400;
const CAMPAIGN: &str = "welcome_back";
/// The promotion of the seed rules under which bonuses are allowed.
const ELSEWHERE: usize = 5;

/// A client in Mexico with a telephone, an account in dollars and a deposit: everything about him is known.
async fn client_on(world: &World, platform: &str, phone: &str) -> Trader {
    let mut body = registration();
    body["residence"] = json!("MX");
    body["email"] = json!(format!("reader-{}@example.com", world.fresh()));
    body["phone"] = json!(phone);
    let client = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
    let mut wish = account_request("USD");
    wish["platform"] = json!(platform);
    let account = expect(world.portal(&format!("/v1/clients/{client}/accounts"), &wish).await, 202);
    let account = account.text_at("/account_id");
    world.idle().await;
    let login = expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).text_at("/login");
    let trader = Trader { client, account, login, currency: "USD".to_owned() };
    world.credited(&trader, "300.00", 30_000).await;
    trader
}

async fn client(world: &World, phone: &str) -> Trader {
    client_on(world, "mt5", phone).await
}

/// A journey of the client comes to the step that grants a bonus, for the run that began with `key`.
async fn asks(world: &World, trader: &Trader, key: &str) -> BonusId {
    let id: ClientId = trader.client.parse().unwrap();
    let crm = world.broker.crm();
    let now = world.now();
    let wish = BonusWish {
        campaign: CAMPAIGN.to_owned(),
        journey: "inactive".to_owned(),
        step: "bonus".to_owned(),
        key: key.to_owned(),
        amount: None,
        at: "2026-11-23T10:00:00Z".parse().unwrap(),
    };
    let frame = Frame {
        function: "retention-journeys",
        execution_id: "test".to_owned(),
        trigger: "test".to_owned(),
        correlation_id: format!("test-{}", world.fresh()),
        now,
        rules: Vec::new(),
    };
    loop {
        let stored = crm.load::<Journey>(&JourneyId::of(&id)).await.unwrap();
        let mut next = stored.as_ref().map_or_else(|| Journey::of_client(&id), |stored| stored.entity.clone());
        next.facts.bonus = Some(wish.clone());
        let decision = Decision::new(next, "bonus", vec!["journey.bonus"], vec![]);
        if let store::Saved::Applied(_) = crm.save(stored.as_ref(), decision, &frame).await.unwrap() {
            return Bonus::id_of(&id, &wish);
        }
    }
}

async fn bonus(world: &World, id: &BonusId) -> Bonus {
    world.idle().await;
    world.broker.crm().load::<Bonus>(id).await.unwrap().unwrap().entity
}

#[track_caller]
fn assert_is(bonus: &Bonus, status: BonusStatus, reason: Option<&str>) {
    assert_eq!((bonus.facts.status, bonus.facts.reason.as_deref()), (status, reason), "{bonus:#?}");
}

/// Credit and balance of an account as its simulator has them.
async fn on_platform(world: &World, platform: &str, trader: &Trader) -> (String, String) {
    let state = world.recorded(platform, &format!("login={}", trader.login)).await;
    let user = &state["users"][0];
    let text = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{:.2}", text.parse::<f64>().unwrap())
    };
    (text(if platform == "ctrader" { &user["bonus"] } else { &user["credit"] }), text(&user["balance"]))
}

/// Bookings at MetaTrader 5 whose comment begins with a text, as amounts.
async fn booked(world: &World, id: &BonusId) -> Vec<String> {
    let deals = world.recorded("mt5", "").await["deals"].as_array().unwrap().clone();
    let own = deals.iter().filter(|deal| deal["Comment"].as_str().unwrap().starts_with(id.as_str()));
    own.map(|deal| format!("{} {}", deal["Action"].as_str().unwrap(), deal["Profit"].as_str().unwrap())).collect()
}

async fn told(world: &World, trader: &Trader) -> Vec<Value> {
    let all = items(&world.get("portal", &format!("/v1/clients/{}/notifications", trader.client)).await);
    all.into_iter().filter(|message| message["kind"].as_str().unwrap().starts_with("bonus.")).collect()
}

async fn asked(world: &World, queue: &str, kind: &str) -> Vec<Value> {
    world.idle().await;
    let all = items(&expect(world.get("admin", &format!("/v1/work?queue={queue}&status=open&limit=100")).await, 200));
    all.into_iter().filter(|item| item["kind"] == kind).collect()
}

fn on_ctrader(set: &mut Value) {
    for server in set["servers"].as_array_mut().unwrap() {
        if server["platform"] == "ctrader" {
            server["settings"]["credit"] = json!("nonwithdrawable_bonus");
        }
    }
}

#[tokio::test]
async fn credit_is_put_on_the_account_the_client_is_told_and_it_comes_off_when_its_time_is_up() {
    let world = World::at(NOON).await;
    world.publish(SetName::Platforms, 2, on_ctrader).await;
    for (n, platform) in ["mt5", "mt4", "ctrader"].into_iter().enumerate() {
        let trader = client_on(&world, platform, &format!("+52551234560{n}")).await;
        assert_eq!(on_platform(&world, platform, &trader).await, ("0.00".to_owned(), "300.00".to_owned()));
        let id = asks(&world, &trader, "k").await;
        let own = bonus(&world, &id).await;
        assert_is(&own, BonusStatus::Credited, None);
        assert!(own.facts.operation.is_some() && own.facts.login.as_ref() == Some(&trader.login));
        assert_eq!(
            on_platform(&world, platform, &trader).await,
            ("25.00".to_owned(), "300.00".to_owned()),
            "{platform}"
        );
        let messages = told(&world, &trader).await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(messages[0]["title"], "25.00 USD de crédito en su cuenta de trading");
        assert!(messages[0]["body"].as_str().unwrap().contains("/terms/bonus"), "{messages:?}");
        // the client's money is as it was, in our books too
        let shown = expect(world.get("portal", &format!("/v1/accounts/{}", trader.account)).await, 200).json;
        assert_eq!(shown["balance"]["amount"], "300.00", "{shown}");
        world.pass(30 * DAY - 60).await;
        world.sweep().await;
        assert_is(&bonus(&world, &id).await, BonusStatus::Credited, None);
        world.pass(120).await;
        world.sweep().await;
        let own = bonus(&world, &id).await;
        assert_is(&own, BonusStatus::Expired, None);
        assert_eq!(
            on_platform(&world, platform, &trader).await,
            ("0.00".to_owned(), "300.00".to_owned()),
            "{platform}"
        );
        let journal = expect(world.get("finance", &format!("/v1/journal?entity={id}")).await, 200).json;
        assert_eq!(journal["verified"], true);
        assert_eq!(told(&world, &trader).await.len(), 1);
    }
    assert!(asked(&world, "sales", "retention_bonus").await.is_empty());
    assert!(asked(&world, "finance", "retention_bonus_unresolved").await.is_empty());
}

#[tokio::test]
async fn where_the_platform_books_no_credit_a_person_is_asked_and_nothing_is_booked() {
    let world = World::at(NOON).await;
    // cTrader as the seed rules have it: nobody has looked yet whether its history shows such a booking
    for (n, platform) in ["dxtrade", "ctrader"].into_iter().enumerate() {
        let trader = client_on(&world, platform, &format!("+52551234560{n}")).await;
        let id = asks(&world, &trader, "k").await;
        assert_is(&bonus(&world, &id).await, BonusStatus::HandedOver, None);
        let all = asked(&world, "sales", "retention_bonus").await;
        let own = all.iter().find(|item| item["subject"]["bonus_id"] == id.as_str()).unwrap();
        assert_eq!(own["subject"]["account_id"], trader.account);
        assert!(told(&world, &trader).await.is_empty());
        let close = json!({"action": "close", "note": "granted by hand, comes off on 1 January"});
        expect(world.act("sales", own["work_id"].as_str().unwrap(), &close).await, 200);
        assert_is(&bonus(&world, &id).await, BonusStatus::HandedOver, None);
        assert!(bonus(&world, &id).await.inner.asked.is_none());
    }
}

#[tokio::test]
async fn what_is_asked_twice_is_granted_once_and_a_repeat_writes_nothing() {
    let world = World::at(NOON).await;
    let trader = client(&world, "+525512345600").await;
    let id = asks(&world, &trader, "k").await;
    assert_is(&bonus(&world, &id).await, BonusStatus::Credited, None);
    let before = world.broker.crm().load::<Bonus>(&id).await.unwrap().unwrap().version;
    assert_eq!(asks(&world, &trader, "k").await, id);
    bonus(&world, &id).await;
    assert_eq!(world.broker.crm().load::<Bonus>(&id).await.unwrap().unwrap().version, before);
    assert_eq!(booked(&world, &id).await, ["3 25.00"]);
    // another run of the journey is another wish, and one client has the campaign once a year
    let later = asks(&world, &trader, "later").await;
    assert_is(&bonus(&world, &later).await, BonusStatus::Refused, Some("client_cap"));
    assert_eq!(told(&world, &trader).await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_up_and_what_never_arrived_is_sent_again() {
    let world = World::at(NOON).await;
    for (n, fault) in ["apply_then_drop", "drop", "apply_then_garbage", "garbage"].into_iter().enumerate() {
        let trader = client(&world, &format!("+52551234560{n}")).await;
        world.faults("mt5", &json!([{"operation": "trade_balance", "fault": {"kind": fault}}])).await;
        let id = asks(&world, &trader, "k").await;
        for _ in 0..4 {
            world.idle().await;
            world.pass(61).await;
            world.sweep().await;
        }
        assert_is(&bonus(&world, &id).await, BonusStatus::Credited, None);
        assert_eq!(booked(&world, &id).await, ["3 25.00"], "{fault}");
        // the same of the removal
        world.faults("mt5", &json!([{"operation": "trade_balance", "fault": {"kind": fault}}])).await;
        world.pass(30 * DAY).await;
        for _ in 0..4 {
            world.sweep().await;
            world.pass(61).await;
        }
        assert_is(&bonus(&world, &id).await, BonusStatus::Expired, None);
        assert_eq!(booked(&world, &id).await, ["3 25.00", "3 -25.00"], "{fault}");
    }
}

#[tokio::test]
async fn what_the_platform_refuses_a_person_resolves() {
    let world = World::at(NOON).await;
    let trader = client(&world, "+525512345600").await;
    let refuses = json!([{"operation": "trade_balance", "fault": {"kind": "refuse", "retcode": 3}}]);
    world.faults("mt5", &refuses).await;
    let id = asks(&world, &trader, "k").await;
    assert_is(&bonus(&world, &id).await, BonusStatus::HandedOver, None);
    assert!(told(&world, &trader).await.is_empty(), "he is told once it is there");
    let item = asked(&world, "finance", "retention_bonus_unresolved").await.remove(0);
    expect(world.act("finance", item["work_id"].as_str().unwrap(), &json!({"action": "retry"})).await, 200);
    assert_is(&bonus(&world, &id).await, BonusStatus::Credited, None);
    assert_eq!((booked(&world, &id).await, told(&world, &trader).await.len()), (vec!["3 25.00".to_owned()], 1));
    // a stop-out has used the credit up: no more comes off than there is
    let login: u64 = trader.login.parse().unwrap();
    world.control("mt5", "account", &json!({"login": login, "margin": "310"})).await;
    world.pass(30 * DAY).await;
    world.sweep().await;
    assert_is(&bonus(&world, &id).await, BonusStatus::HandedOver, None);
    let item = asked(&world, "finance", "retention_bonus_unresolved").await.remove(0);
    assert_eq!(item["trigger"]["data"]["credited"]["amount"], "25.00");
    expect(
        world.act("finance", item["work_id"].as_str().unwrap(), &json!({"action": "close", "note": "lost"})).await,
        200,
    );
    assert_is(&bonus(&world, &id).await, BonusStatus::Removed, None);
}

async fn acts_as(world: &World, who: &str, work: &Value, action: &str) -> u16 {
    let token = world.mint(who, &["sales"], None);
    let path = format!("/v1/work/{}/actions", work["work_id"].as_str().unwrap());
    let call = Call::post(&path, &json!({"action": action, "note": "looked at"})).token(&token);
    let answer = world.send(call).await;
    world.idle().await;
    answer.status
}

#[tokio::test]
async fn a_large_one_takes_two_people_and_what_they_decide_is_carried_out_once() {
    let world = World::at(NOON).await;
    let large = |set: &mut Value| {
        let campaign = &mut set["campaigns"][CAMPAIGN];
        campaign["credit"]["amounts"]["USD"] = json!("150.00");
        campaign["per_client"]["most"] = json!(3);
        set["per_client"]["most"] = json!(3);
    };
    world.publish(SetName::Bonuses, 2, large).await;
    let trader = client(&world, "+525512345600").await;
    let id = asks(&world, &trader, "k").await;
    assert_is(&bonus(&world, &id).await, BonusStatus::Proposed, None);
    let item = asked(&world, "sales", "retention_bonus_approval").await.remove(0);
    assert!(item["trigger"]["why"].to_string().contains("150.00 USD takes two people"), "{item:#}");
    assert_eq!(acts_as(&world, "ana.k", &item, "approve").await, 200);
    assert_is(&bonus(&world, &id).await, BonusStatus::Proposed, None);
    assert_eq!(acts_as(&world, "Ana.K", &item, "approve").await, 403, "the maker is nobody else by another spelling");
    assert!(booked(&world, &id).await.is_empty());
    assert_eq!(acts_as(&world, "ben.l", &item, "approve").await, 200);
    assert_is(&bonus(&world, &id).await, BonusStatus::Credited, None);
    assert_eq!(booked(&world, &id).await, ["3 150.00"]);
    let declined = asks(&world, &trader, "second").await;
    bonus(&world, &declined).await;
    let item = asked(&world, "sales", "retention_bonus_approval").await.remove(0);
    assert_eq!(acts_as(&world, "ana.k", &item, "decline").await, 200);
    assert_is(&bonus(&world, &declined).await, BonusStatus::Refused, Some("declined"));
    // what was approved is judged once more: the law has changed meanwhile
    let third = asks(&world, &trader, "third").await;
    bonus(&world, &third).await;
    let item = asked(&world, "sales", "retention_bonus_approval").await.remove(0);
    assert_eq!(acts_as(&world, "ana.k", &item, "approve").await, 200);
    world.publish(SetName::Journeys, 2, |set| set["promotions"][ELSEWHERE]["bonus"] = json!(false)).await;
    world.pass(61).await;
    assert_eq!(acts_as(&world, "ben.l", &item, "approve").await, 200);
    assert_is(&bonus(&world, &third).await, BonusStatus::Refused, Some("barred"));
    assert!(booked(&world, &third).await.is_empty());
}

#[tokio::test]
async fn of_whom_too_little_is_known_people_decide_and_one_household_has_it_once() {
    let world = World::at(NOON).await;
    let first = client(&world, "+525512345600").await;
    let id = asks(&world, &first, "k").await;
    assert_is(&bonus(&world, &id).await, BonusStatus::Credited, None);
    let second = client(&world, "+525512345600").await;
    let linked = asks(&world, &second, "k").await;
    assert_is(&bonus(&world, &linked).await, BonusStatus::Refused, Some("linked"));
    assert!(booked(&world, &linked).await.is_empty());
    // without marks enough nobody can say so
    world.publish(SetName::Bonuses, 2, |set| set["guard"]["known"] = json!(3)).await;
    world.pass(61).await;
    let third = client(&world, "+525512345601").await;
    let unknown = asks(&world, &third, "k").await;
    assert_is(&bonus(&world, &unknown).await, BonusStatus::Proposed, None);
    let item = asked(&world, "sales", "retention_bonus_approval").await.remove(0);
    assert!(item["trigger"]["why"].to_string().contains("household"), "{item:#}");
}

#[tokio::test]
async fn caps_hold_however_many_ask_at_once() {
    let world = World::at(NOON).await;
    world
        .publish(SetName::Bonuses, 2, |set| set["campaigns"][CAMPAIGN]["budget"]["amounts"]["USD"] = json!("60"))
        .await;
    let mut traders = Vec::new();
    for n in 0..5 {
        traders.push(client(&world, &format!("+52551234560{n}")).await);
    }
    // each of two runs of every client at the same moment
    let asking = traders.iter().flat_map(|trader| [asks(&world, trader, "a"), asks(&world, trader, "b")]);
    let ids = futures::future::join_all(asking).await;
    let mut found = Vec::new();
    for id in &ids {
        found.push((bonus(&world, id).await.facts, booked(&world, id).await));
    }
    let credited = found.iter().filter(|(facts, _)| facts.status == BonusStatus::Credited);
    assert_eq!(credited.count(), 2, "60 takes 25 twice: {found:#?}");
    for (facts, booked) in &found {
        let wanted = usize::from(facts.status == BonusStatus::Credited);
        assert_eq!(booked.len(), wanted, "{facts:#?}");
        assert!(wanted == 1 || matches!(facts.reason.as_deref(), Some("budget" | "client_cap")), "{facts:#?}");
    }
}

#[tokio::test]
async fn right_before_it_is_booked_it_is_asked_again_and_a_demo_account_gets_none() {
    let world = World::at(NOON).await;
    let trader = client(&world, "+525512345600").await;
    // the server does not take it at once, and until it does the law changes
    let busy = json!([{"operation": "trade_balance", "fault": {"kind": "refuse", "retcode": 8}}]);
    world.faults("mt5", &busy).await;
    let id = asks(&world, &trader, "k").await;
    assert_is(&bonus(&world, &id).await, BonusStatus::Granted, None);
    world.publish(SetName::Journeys, 2, |set| set["promotions"][ELSEWHERE]["bonus"] = json!(false)).await;
    world.pass(120).await;
    world.sweep().await;
    assert_is(&bonus(&world, &id).await, BonusStatus::Refused, Some("barred"));
    assert!(booked(&world, &id).await.is_empty() && told(&world, &trader).await.is_empty());
    let world = World::at(NOON).await;
    let mut body = registration();
    body["residence"] = json!("MX");
    let client = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
    let mut demo = account_request("USD");
    demo["kind"] = json!("demo");
    expect(world.portal(&format!("/v1/clients/{client}/accounts"), &demo).await, 202);
    world.idle().await;
    let trader = Trader { client, account: String::new(), login: String::new(), currency: "USD".to_owned() };
    let id = asks(&world, &trader, "k").await;
    assert_is(&bonus(&world, &id).await, BonusStatus::Refused, Some("no_account"));
}

/// A client who has a bonus on MetaTrader 5; its id.
pub async fn credited(world: &World) -> (String, Trader) {
    let trader = client(world, "+525512345698").await;
    let id = asks(world, &trader, "k").await;
    assert_is(&bonus(world, &id).await, BonusStatus::Credited, None);
    (id.to_string(), trader)
}

/// Plays as much as makes events of every type. The ids whose journals have them.
pub async fn play(world: &World) -> Vec<String> {
    let trader = client(world, "+525512345699").await;
    let id = asks(world, &trader, "k").await;
    assert_is(&bonus(world, &id).await, BonusStatus::Credited, None);
    world.pass(30 * DAY + 60).await;
    world.sweep().await;
    assert_is(&bonus(world, &id).await, BonusStatus::Expired, None);
    vec![id.to_string(), JourneyId::of(&trader.client.parse().unwrap()).to_string()]
}
