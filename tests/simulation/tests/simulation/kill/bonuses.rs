//! `retention-bonus`: what a journey asks for is judged once and counted once; the credit is on the account once, and off it once when its
//! time is up.

use std::sync::Arc;
use std::time::Duration;

use broker::local::Options;
use domain::account::Account;
use domain::activity::Activity;
use domain::bonus::book::{BonusBook, BookOf};
use domain::bonus::grant::{Circumstances, Seat, Signs, judge};
use domain::bonus::rules::Bonuses;
use domain::bonus::{Bonus, BonusStatus, BonusWish};
use domain::client::Client;
use domain::decision::{Decision, Frame};
use domain::journey::Journey;
use domain::rule_sets::SetName;
use domain::rules::RuleSet as _;
use domain::{BonusId, ClientId, JourneyId, Redacted};
use host::{LocalTime, SystemClock};
use runtime::Clock as _;
use serde_json::{Value, json};

use super::{every_kill, every_point, every_two_kills, traces};
use crate::killer::Killer;
use crate::servers::Server;
use crate::world::{Customer, World};

const FUNCTION: &str = "retention-bonus";
const CAMPAIGN: &str = "welcome_back";
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// Bonuses are allowed where the customers live, caps are out of the way, and cTrader books credit.
fn generous(set: SetName, document: &mut Value) {
    let many = json!(1_000_000);
    match set {
        SetName::Journeys => document["promotions"][0]["bonus"] = json!(true),
        SetName::Bonuses => {
            document["per_client"]["most"] = many.clone();
            let campaign = &mut document["campaigns"][CAMPAIGN];
            campaign["per_client"]["most"] = many.clone();
            campaign["budget"]["most"] = many;
            campaign["budget"]["amounts"]["USD"] = json!("1000000000");
        }
        SetName::Platforms => {
            for server in document["servers"].as_array_mut().unwrap() {
                if server["platform"] == "ctrader" {
                    server["settings"]["credit"] = json!("nonwithdrawable_bonus");
                }
            }
        }
        _ => {}
    }
}

async fn start() -> World {
    let killer = Arc::new(Killer::default());
    let options = Options { probe: Some(killer.clone()), adjust: Some(generous), ..Options::default() };
    World::with(LocalTime::standing(SystemClock.now()), killer, options).await
}

fn frame(world: &World) -> Frame {
    Frame {
        function: "retention-journeys",
        execution_id: format!("test-{}", world.fresh()),
        trigger: "test".to_owned(),
        correlation_id: format!("test-{}", world.fresh()),
        now: world.now(),
        rules: Vec::new(),
    }
}

fn wish(world: &World) -> BonusWish {
    BonusWish {
        campaign: CAMPAIGN.to_owned(),
        journey: "inactive".to_owned(),
        step: "bonus".to_owned(),
        key: format!("run-{}", world.fresh()),
        amount: None,
        at: world.now(),
    }
}

fn client_of(customer: &Customer) -> ClientId {
    customer.trader.client_id.parse().unwrap()
}

async fn load(world: &World, id: &BonusId) -> Option<Bonus> {
    world.broker.crm().load::<Bonus>(id).await.unwrap().map(|stored| stored.entity)
}

async fn is(world: &World, id: &BonusId, status: BonusStatus) -> bool {
    load(world, id).await.is_some_and(|bonus| bonus.facts.status == status)
}

/// A customer about whom all is known that the rules ask for.
async fn known(world: &World, server: &'static Server) -> Customer {
    let customer = world.customer_at(server, "USD").await;
    let (crm, id) = (world.broker.crm(), client_of(&customer));
    let stored = crm.load::<Client>(&id).await.unwrap().unwrap();
    let mut client = stored.entity.clone();
    client.person.phone = Some(Redacted::new(format!("+3460011{:04}", world.fresh())));
    crm.save(Some(&stored), Decision::new(client, "seeded", vec![], vec![]), &frame(world)).await.unwrap();
    let begun = Decision::new(Activity::begun(&id), "seeded", vec![], vec![]);
    world.broker.trades().save(None, begun, &frame(world)).await.unwrap();
    world.drain().await;
    customer
}

/// A journey of the customer asks for a bonus.
async fn is_asked_for(world: &World, customer: &Customer) -> BonusId {
    let (crm, id) = (world.broker.crm(), client_of(customer));
    let stored = crm.load::<Journey>(&JourneyId::of(&id)).await.unwrap();
    let mut next = stored.as_ref().map_or_else(|| Journey::of_client(&id), |stored| stored.entity.clone());
    let wish = wish(world);
    next.facts.bonus = Some(wish.clone());
    let decision = Decision::new(next, "bonus", vec!["journey.bonus"], vec![]);
    crm.save(stored.as_ref(), decision, &frame(world)).await.unwrap();
    Bonus::id_of(&id, &wish)
}

/// The same, already judged: it is only to be booked.
async fn is_granted(world: &World, customer: &Customer) -> BonusId {
    let (crm, id) = (world.broker.crm(), client_of(customer));
    let account = crm.load::<Account>(&customer.trader.account_id.parse().unwrap()).await.unwrap().unwrap().entity;
    let mut document = world.broker.rule_document(SetName::Bonuses).unwrap();
    generous(SetName::Bonuses, &mut document);
    let (own, campaign) = (BookOf::Client(id.clone()), BookOf::Campaign(CAMPAIGN.to_owned()));
    let about = Circumstances {
        seats: &[Seat { account, books_credit: true }],
        barred: None,
        signs: Signs { linked: Some(false), hedged: Some(false) },
        own: &BonusBook::begun(own),
        campaign: &BonusBook::begun(campaign),
        base: "USD".parse().unwrap(),
    };
    let wished = Bonus::wished(&id, &wish(world));
    let found = judge(&wished, false, &Bonuses::parse(&document).unwrap(), &about, world.now());
    crm.save(None, found.bonus, &frame(world)).await.unwrap();
    wished.id
}

/// What is booked under the bonus's references, as amounts.
async fn booked(world: &World, customer: &Customer, id: &BonusId) -> Vec<String> {
    let deals = customer.server.deals(world, &customer.trader.login, id.as_str()).await;
    deals.into_iter().map(|(_, amount)| format!("{:.2}", amount.parse::<f64>().unwrap())).collect()
}

async fn is_there_once(world: &World, customer: &Customer, id: &BonusId) {
    world.until("credited", 30, async || is(world, id, BonusStatus::Credited).await).await;
    world.drain().await;
    assert_eq!(booked(world, customer, id).await, ["25.00"]);
    assert!(customer.server.balance(world, &customer.trader.login).await.is_zero(), "it is no money of his");
    let stored = world.broker.crm().load::<Bonus>(id).await.unwrap().unwrap();
    world.journal(&stored).await;
    assert!(world.work().await.is_empty(), "nobody has to look");
}

async fn is_judged(world: &World, customer: &Customer) {
    world.cold().await;
    let since = world.now();
    let id = client_of(customer);
    let counted = async || {
        let crm = world.broker.crm();
        let all = [BookOf::Client(id.clone()), BookOf::Campaign(CAMPAIGN.to_owned())];
        let mut sums = Vec::new();
        for of in all {
            let stored = crm.load::<BonusBook>(&BonusBook::begun(of).id).await.unwrap();
            sums.push(stored.map_or(0, |stored| stored.entity.days.iter().map(|day| day.count).sum::<u32>()));
        }
        sums
    };
    let before = counted().await;
    world.killer.arm();
    let bonus = is_asked_for(world, customer).await;
    is_there_once(world, customer, &bonus).await;
    let after = counted().await;
    assert_eq!(after, before.iter().map(|count| count + 1).collect::<Vec<_>>(), "it counts once");
    assert_eq!(world.told(customer, since).await, ["bonus.credited"]);
}

async fn is_booked(world: &World, customer: &Customer, fault: Option<&str>) {
    world.cold().await;
    let since = world.now();
    if let Some(kind) = fault {
        let server = customer.server;
        server.fault(world, json!({"operation": server.book, "fault": {"kind": kind}})).await;
    }
    world.killer.arm();
    let bonus = is_granted(world, customer).await;
    is_there_once(world, customer, &bonus).await;
    assert_eq!(world.told(customer, since).await, ["bonus.credited"]);
}

async fn is_taken_off(world: &World, customer: &Customer, fault: Option<&str>) {
    let bonus = is_granted(world, customer).await;
    is_there_once(world, customer, &bonus).await;
    world.time.advance(MONTH).await;
    world.cold().await;
    let since = world.now();
    if let Some(kind) = fault {
        let server = customer.server;
        server.fault(world, json!({"operation": server.book, "fault": {"kind": kind}})).await;
    }
    world.killer.arm();
    world.until("expired", 30, async || is(world, &bonus, BonusStatus::Expired).await).await;
    world.drain().await;
    assert_eq!(booked(world, customer, &bonus).await, ["25.00", "-25.00"]);
    let stored = world.broker.crm().load::<Bonus>(&bonus).await.unwrap().unwrap();
    world.journal(&stored).await;
    assert!(world.work().await.is_empty() && world.told(customer, since).await.is_empty());
}

#[tokio::test]
async fn a_judge_who_dies_anywhere_grants_once() {
    let world = start().await;
    let customer = known(&world, &crate::servers::MT5).await;
    let calls = every_kill(&world, FUNCTION, async |world: &World| is_judged(world, &customer).await).await;
    assert_eq!(traces(&calls), ["TransactWriteItems CrmTable"], "what is granted and what it counts against, at once");
    every_two_kills(&world, FUNCTION, async |world: &World| is_judged(world, &customer).await).await;
}

async fn a_worker_that_dies_anywhere_puts_it_there_once(server: &'static Server) {
    let world = start().await;
    let customer = known(&world, server).await;
    let calls = every_kill(&world, FUNCTION, async |world: &World| is_booked(world, &customer, None).await).await;
    let all = traces(&calls);
    assert_eq!(
        (all.len(), all[0], all[2]),
        (3, "PutItem CrmTable", "PutItem CrmTable"),
        "intent, call, outcome: {all:?}"
    );
    for kind in ["apply_then_drop", "drop"] {
        every_point(&world, FUNCTION, async |world: &World| is_booked(world, &customer, Some(kind)).await).await;
    }
}

async fn a_worker_that_dies_anywhere_takes_it_off_once(server: &'static Server) {
    let world = start().await;
    let customer = known(&world, server).await;
    every_kill(&world, FUNCTION, async |world: &World| is_taken_off(world, &customer, None).await).await;
    for kind in ["apply_then_drop", "drop"] {
        every_point(&world, FUNCTION, async |world: &World| is_taken_off(world, &customer, Some(kind)).await).await;
    }
}

#[tokio::test]
async fn two_workers_that_die_anywhere_put_it_there_once() {
    let world = start().await;
    let customer = known(&world, &crate::servers::MT5).await;
    every_two_kills(&world, FUNCTION, async |world: &World| is_booked(world, &customer, None).await).await;
}

super::on_each_platform! { mt5 MT5: a_worker_that_dies_anywhere_puts_it_there_once a_worker_that_dies_anywhere_takes_it_off_once }
super::on_each_platform! { mt4 MT4: a_worker_that_dies_anywhere_puts_it_there_once a_worker_that_dies_anywhere_takes_it_off_once }
super::on_each_platform! { ctrader CTRADER: a_worker_that_dies_anywhere_puts_it_there_once a_worker_that_dies_anywhere_takes_it_off_once }
