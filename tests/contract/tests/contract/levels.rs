//! Levels of verification: what a client may do, and where it binds.

use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::world::{World, account_request, deposit_request, expect, faults};

/// Whoever is not approved may open demo accounts, and pay in a little on what he has.
async fn strict(world: &World) {
    world
        .publish(SetName::KycLevels, 2, |rules| {
            rules["levels"][2]["then"] = json!({
                "demo_account": true, "live_account": false,
                "deposit_limit": {"per": "30d", "amounts": {"USD": "1000", "EUR": "900"}},
                "withdrawal_limit": {"per": "1d", "amounts": {"USD": "100"}},
            });
        })
        .await;
    world.pass(61).await;
}

async fn kyc(world: &World, client: &str) -> Value {
    expect(world.get("portal", &format!("/v1/clients/{client}/kyc")).await, 200).json
}

#[tokio::test]
async fn a_new_installation_lets_everybody_do_what_its_other_rules_take() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let seen = kyc(&world, &trader.client).await;
    assert_eq!((&seen["status"], &seen["level"]), (&json!("not_started"), &json!("none")));
    assert_eq!(
        seen["rights"],
        json!({"demo_account": true, "live_account": true, "deposit_limit": null, "withdrawal_limit": null})
    );
    world.deposit(&trader, "50000.00", "stripe").await;
}

#[tokio::test]
async fn a_live_account_needs_the_level_that_the_rules_ask_for() {
    let world = World::start().await;
    let client = world.client("en").await;
    let path = format!("/v1/clients/{client}/accounts");
    let asked =
        crate::world::Call::post(&path, &account_request("USD")).token(world.broker.token("portal")).key("first");
    let first = expect(world.send(asked.clone()).await, 202);
    strict(&world).await;
    let refused = expect(world.portal(&path, &account_request("USD")).await, 422);
    assert_eq!(faults(&refused), ["/kind level_required"]);
    assert!(refused.text.contains("`none`"), "{}", refused.text);
    let mut demo = account_request("USD");
    demo["kind"] = json!("demo");
    expect(world.portal(&path, &demo).await, 202);
    // what was answered before stays so
    assert_eq!(expect(world.send(asked).await, 202).json["account_id"], first.json["account_id"]);
    // a refusal is no answer that is kept: once the client is verified, the same request passes
    let later =
        crate::world::Call::post(&path, &account_request("EUR")).token(world.broker.token("portal")).key("later");
    expect(world.send(later.clone()).await, 422);
    world.publish(SetName::KycLevels, 3, |rules| rules["levels"][2]["then"]["demo_account"] = json!(false)).await;
    world.pass(61).await;
    expect(world.send(later).await, 202);
    let refused = expect(world.portal(&path, &demo).await, 422);
    assert_eq!(faults(&refused), ["/kind level_required"]);
}

#[tokio::test]
async fn deposits_of_a_level_come_to_no_more_than_its_limit_within_its_time() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let euros = world.account(&trader.client, "EUR").await;
    let pounds = world.account(&trader.client, "GBP").await;
    strict(&world).await;
    let seen = kyc(&world, &trader.client).await;
    let most = json!([{"amount": "900.00", "currency": "EUR"}, {"amount": "1000.00", "currency": "USD"}]);
    let amounts = seen["rights"]["deposit_limit"]["amounts"].as_array().unwrap();
    assert!(amounts.len() == 2 && most.as_array().unwrap().iter().all(|money| amounts.contains(money)), "{seen:#}");
    assert_eq!(seen["rights"]["deposit_limit"]["per"], "30d");

    world.credited(&trader, "600.00", 60_000).await;
    let over = expect(world.portal(&trader.deposits(), &deposit_request(&trader, "400.01", "stripe")).await, 422);
    assert_eq!(faults(&over), ["/amount deposit_limit"]);
    assert!(over.text.contains("400.00 are left"), "{}", over.text);
    // what is left is left in each currency, and one that is not named is not taken
    let over = expect(world.portal(&trader.deposits(), &deposit_request(&euros, "360.01", "stripe")).await, 422);
    assert_eq!(faults(&over), ["/amount deposit_limit"]);
    let over = expect(world.portal(&trader.deposits(), &deposit_request(&pounds, "20.00", "stripe")).await, 422);
    assert_eq!(faults(&over), ["/amount deposit_limit"]);
    // one that waits for its payer counts; one that failed does not
    let failing = world.deposit(&euros, "180.00", "praxis").await;
    expect(world.portal(&trader.deposits(), &deposit_request(&trader, "300.00", "stripe")).await, 422);
    expect(world.praxis(&world.sale(&failing, "declined", 18_000, "EUR")).await, 200);
    assert_eq!(world.status(&failing.id).await, "failed");
    world.deposit(&trader, "400.00", "stripe").await;
    // and the time passes
    world.pass(31 * 86_400).await;
    world.deposit(&trader, "1000.00", "stripe").await;
}
