//! What is told about money before its record is there, when there is more to tell than that it came.

use serde_json::{Value, json};

use crate::world::World;

/// Longer than stray money waits for its record before a person is asked.
const NOBODY_KNOWS_IT_MINUTES: usize = 17;
/// Longer than the owner of stray money is looked for once.
const LOOKED_FOR_MINUTES: usize = 65;

/// A deposit whose answer from the provider was lost, with what asks for it again.
struct Lost {
    payment: String,
    url: String,
    key: String,
    body: Value,
}

impl Lost {
    async fn ask(&self, world: &World) -> u16 {
        world.desk.api.post(&self.url, world.broker.token("portal"), &self.key, &self.body).await.unwrap().status
    }
}

async fn lost(world: &World) -> (Lost, String) {
    let customer = world.customer("USD").await;
    let control = format!("{}/_control/faults", world.broker.simulators.url("stripe"));
    let fault = json!([{"operation": "create_intent", "fault": {"kind": "apply_then_drop"}}]);
    world.desk.api.control(&control, &fault).await.unwrap();
    let trader = &customer.trader;
    let body =
        json!({"account_id": trader.account_id, "psp": "stripe", "amount": {"amount": "250.00", "currency": "USD"}});
    let url = world.broker.url(&format!("/v1/clients/{}/deposits", trader.client_id));
    let mut lost = Lost { payment: String::new(), url, key: format!("early-{}", world.fresh()), body };
    assert_eq!(lost.ask(world).await, 503);
    let state = world.desk.state("stripe", "").await.unwrap();
    let intents = state["intents"].as_array().unwrap();
    lost.payment = intents.last().unwrap()["metadata"]["payment_id"].as_str().unwrap().to_owned();
    (lost, customer.trader.login)
}

/// Paid, nobody's for a quarter of an hour, refunded by the provider, and then its record is saved.
#[tokio::test]
async fn money_that_went_back_before_its_record_was_saved_is_not_credited() {
    let world = World::start().await;
    let (lost, login) = lost(&world).await;
    assert_eq!(world.pay(&lost.payment, json!({})).await, [503], "it is to be sent again");
    for _ in 0..NOBODY_KNOWS_IT_MINUTES {
        world.minute().await;
    }
    let refund = json!({
        "payment_id": lost.payment, "type": "charge.refunded", "created": world.now().seconds(),
        "object": {"amount_refunded": 25_000}, "webhook": {"times": 1},
    });
    let answer = world.desk.event("stripe", refund).await.unwrap();
    let taken = answer.json["deliveries"][0]["status"].clone();
    world.idle().await;
    assert_eq!(lost.ask(&world).await, 201);
    for _ in 0..LOOKED_FOR_MINUTES {
        world.minute().await;
    }
    world.drain().await;
    let deposit = world.load(&lost.payment).await.entity;
    let deals = world.deals(&login, &lost.payment).await;
    assert!(
        deals.is_empty() || deposit.facts.returned.is_some(),
        "the refund was answered {taken}, and the deposit is {} with {deals:?} and nothing returned",
        deposit.status().as_str()
    );
}
