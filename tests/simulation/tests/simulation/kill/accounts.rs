//! `accounts-create`: one login on the platform, and the password that the client gets is its own.

use std::time::Duration;

use bytes::Bytes;
use domain::account::{Account, AccountStatus};
use http::Request;
use providers::http::{Connection, HyperTransport, Transport as _};
use serde_json::{Value, json};
use simulators::mt5::handshake::{answer_to, password_hash};

use super::{every_kill, every_point, every_two_kills, traces};
use crate::world::{Customer, World};

const FUNCTION: &str = "accounts-create";
const DEADLINE: Duration = Duration::from_secs(5);

async fn opens(world: &World, fault: Option<&str>) {
    world.cold().await;
    let since = world.now();
    if let Some(kind) = fault {
        world.desk.platform_fault(json!({"operation": "user_add", "fault": {"kind": kind}})).await.unwrap();
    }
    world.killer.arm();
    let customer = world.customer("USD").await;
    let trader = &customer.trader;
    world.drain().await;

    let stored = world.broker.crm().load::<Account>(&trader.account_id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.entity.facts.status, AccountStatus::Open);
    world.journal(&stored).await;
    let login = trader.login.clone();
    let state = world.desk.state("mt5", "part=users").await.unwrap();
    let users = state["users"].as_array().unwrap();
    let ours: Vec<&Value> = users.iter().filter(|user| user["comment"] == trader.account_id).collect();
    assert_eq!(ours.len(), 1, "one user on the platform: {ours:?}");
    assert_eq!(ours[0]["login"].to_string(), login);
    assert_eq!(world.told(&customer, since).await, ["account.open"]);
    assert_eq!(world.mails(&customer.email, &login), 1);
    assert!(world.work().await.is_empty(), "nobody has to look");
    assert!(is_accepted(world, &login, &password(world, &customer).await).await, "the password is not that of {login}");
}

/// The password that the client is shown, once.
async fn password(world: &World, customer: &Customer) -> String {
    let path = format!("/v1/accounts/{}/credentials", customer.trader.account_id);
    let answer = world.desk.portal(&path, &json!({})).await.unwrap().expect(200).unwrap();
    answer.text_at("/password")
}

/// Asks the trading server as its manager.
async fn is_accepted(world: &World, login: &str, password: &str) -> bool {
    let manager = broker::local::simulators_config().mt5;
    let url = world.broker.simulators.url("mt5").parse().unwrap();
    let mut connection = HyperTransport::new().connect(&url, DEADLINE).await.unwrap();
    let start = format!("/api/auth/start?version=1985&agent=test&login={}&type=manager", manager.manager_login);
    let challenge = ask(connection.as_mut(), &start).await["srv_rand"].as_str().unwrap().to_owned();
    let proof = answer_to(&password_hash(&manager.password), &hex::decode(challenge).unwrap());
    let ours = "00112233445566778899aabbccddeeff";
    ask(connection.as_mut(), &format!("/api/auth/answer?srv_rand_answer={proof}&cli_rand={ours}")).await;
    let escaped: String = password.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let checked = format!("/api/user/check_password?login={login}&type=main&password={escaped}");
    ask(connection.as_mut(), &checked).await["retcode"].as_str().unwrap().starts_with('0')
}

async fn ask(connection: &mut dyn Connection, path: &str) -> Value {
    let answer = connection.send(Request::get(path).body(Bytes::new()).unwrap(), DEADLINE).await.unwrap();
    serde_json::from_slice(answer.body()).unwrap()
}

#[tokio::test]
async fn a_worker_that_dies_anywhere_opens_one_account() {
    let world = World::start().await;
    let calls = every_kill(&world, FUNCTION, async |world: &World| opens(world, None).await).await;
    assert_eq!(traces(&calls), ["PutItem CrmTable", "POST api/user/add", "PutItem CrmTable"], "intent, call, outcome");
}

#[tokio::test]
async fn two_workers_that_die_anywhere_open_one_account() {
    let world = World::start().await;
    every_two_kills(&world, FUNCTION, async |world: &World| opens(world, None).await).await;
}

#[tokio::test]
async fn a_worker_that_dies_on_a_platform_that_loses_answers_opens_one_account() {
    let world = World::start().await;
    for kind in ["apply_then_drop", "drop"] {
        every_point(&world, FUNCTION, async |world: &World| opens(world, Some(kind)).await).await;
    }
}
