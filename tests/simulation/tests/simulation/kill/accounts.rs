//! `accounts-create`: one login on the platform, and the password that the client gets is its own.

use std::sync::Arc;
use std::time::Duration;

use broker::local::Options;
use domain::account::{Account, AccountStatus};
use host::{Delivery, LocalTime, SystemClock};
use runtime::Clock as _;
use serde_json::{Value, json};

use super::{every_kill, every_point, every_two_kills, plain, play, traces};
use crate::killer::{Kill, Killer};
use crate::servers::Server;
use crate::world::{Customer, World};

const FUNCTION: &str = "accounts-create";
/// Longer than a call of a platform may take, in milliseconds.
const TOO_LATE_MS: u64 = 20_000;

async fn opens(world: &World, server: &'static Server, fault: Option<Value>) {
    world.cold().await;
    let since = world.now();
    if let Some(fault) = fault {
        server.fault(world, json!({"operation": server.create, "fault": fault})).await;
    }
    world.killer.arm();
    let customer = world.customer_at(server, "USD").await;
    let trader = &customer.trader;
    world.drain().await;

    let stored = world.broker.crm().load::<Account>(&trader.account_id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.entity.facts.status, AccountStatus::Open);
    world.journal(&stored).await;
    let login = trader.login.clone();
    let all = server.accounts(world).await;
    let ours: Vec<&Value> =
        all.iter().filter(|(reference, _)| *reference == trader.account_id).map(|(_, user)| user).collect();
    assert_eq!(ours.len(), 1, "one account on the platform: {ours:?}");
    assert_eq!(ours[0]["login"].to_string().trim_matches('"'), login);
    assert_eq!(world.told(&customer, since).await, ["account.open"]);
    assert_eq!(world.mails(&customer.email, &login), 1);
    assert!(world.work().await.is_empty(), "nobody has to look");
    let password = password(world, &customer).await;
    assert!(server.lets_in(world, &login, &password).await, "the password is not that of {login}");
}

/// The password that the client is shown, once.
async fn password(world: &World, customer: &Customer) -> String {
    let path = format!("/v1/accounts/{}/credentials", customer.trader.account_id);
    let answer = world.desk.portal(&path, &json!({})).await.unwrap().expect(200).unwrap();
    answer.text_at("/password")
}

/// What of a creation leaves a trace, after the log-in: intent, call, outcome.
fn expected(server: &Server) -> Vec<&'static str> {
    // what is open is saved with the claim on its login
    let (before, after) = ("PutItem CrmTable", "TransactWriteItems CrmTable");
    match server.name {
        "mt5" => vec![before, "POST api/user/add", after],
        // the command of the plug-in
        "mt4" => vec![before, "WRITE", after],
        // the account, its second number over the manager's interface, its person
        "ctrader" => vec![
            before,
            "POST v2/webserv/traders",
            "WRITE",
            "WRITE",
            "POST cid/ctid/create",
            "POST cid/ctid/link",
            after,
        ],
        _ => vec![before, "POST dxweb/rest/api/register/client", after],
    }
}

/// Every message of the creation arrives twice at once.
struct Twice;

impl Delivery for Twice {
    fn delays(&self, queue: &str, _message_id: &str) -> Vec<Duration> {
        let copies = if queue.ends_with("AccountsCreateQueue") { 2 } else { 1 };
        vec![Duration::ZERO; copies]
    }
}

async fn a_worker_that_dies_anywhere_opens_one_account(server: &'static Server) {
    let world = World::start().await;
    let calls = every_kill(&world, FUNCTION, async |world: &World| opens(world, server, None).await).await;
    assert_eq!(traces(&calls), expected(server));
}

async fn two_workers_that_die_anywhere_open_one_account(server: &'static Server) {
    let world = World::start().await;
    every_two_kills(&world, FUNCTION, async |world: &World| opens(world, server, None).await).await;
}

async fn a_worker_that_dies_on_a_platform_that_loses_answers_opens_one_account(server: &'static Server) {
    let world = World::start().await;
    for kind in ["apply_then_drop", "drop"] {
        let fault = json!({"kind": kind});
        every_point(&world, FUNCTION, async |world: &World| opens(world, server, Some(fault.clone())).await).await;
    }
}

/// The worker waits out the platform's time, and dies before it can look.
async fn a_worker_that_dies_after_a_time_out_opens_one_account(server: &'static Server) {
    let world = World::start().await;
    let calls = plain(&world, FUNCTION, &async |world: &World| opens(world, server, None).await).await;
    let create = expected(server)[1];
    // what is written to the plug-in is read in a call of its own
    let waits = calls.iter().position(|call| call == create).unwrap() + usize::from(create == "WRITE");
    for kind in ["apply_then_timeout", "timeout_before"] {
        let fault = json!({"kind": kind, "ms": TOO_LATE_MS});
        let story = async |world: &World| opens(world, server, Some(fault.clone())).await;
        play(&world, FUNCTION, &[Kill::after(waits)], &story).await;
    }
}

async fn two_workers_at_once_open_one_account(server: &'static Server) {
    let killer = Arc::new(Killer::default());
    let options = Options { probe: Some(killer.clone()), delivery: Some(Arc::new(Twice)), ..Options::default() };
    let world = World::with(LocalTime::standing(SystemClock.now()), killer, options).await;
    for fault in [
        None,
        Some(json!({"kind": "delay", "ms": 50})),
        Some(json!({"kind": "apply_then_drop"})),
        Some(json!({"kind": "drop"})),
    ] {
        opens(&world, server, fault).await;
    }
}

super::on_each_platform! {
    a_worker_that_dies_anywhere_opens_one_account
    two_workers_that_die_anywhere_open_one_account
    a_worker_that_dies_on_a_platform_that_loses_answers_opens_one_account
    a_worker_that_dies_after_a_time_out_opens_one_account
    two_workers_at_once_open_one_account
}
