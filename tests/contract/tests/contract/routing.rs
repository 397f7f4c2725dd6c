//! A deposit that names no provider: who gets it, what happens while one is down, and that no payer's money is counted twice or lost.

use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::world::{Call, Payment, Trader, World, deposit_request, expect, header, items};

const DOWN: &str = "drop";

/// What a provider's simulator calls the opening of a payment.
fn opening(psp: &str) -> &'static str {
    match psp {
        "stripe" => "create_intent",
        "skrill" => "prepare",
        "praxis" => "cashier",
        other => panic!("{other}"),
    }
}

impl World {
    /// A brokerage whose deposits go over Stripe, then Skrill, then Praxis.
    async fn routed() -> (Self, Trader) {
        Self::routed_over(json!([["stripe"], ["skrill"], ["praxis"]])).await
    }

    async fn routed_over(then: Value) -> (Self, Trader) {
        let world = Self::start().await;
        let order = json!([{"id": "all", "when": "always", "then": then}]);
        world.publish(SetName::Psps, 2, |rules| rules["routing"]["order"] = order).await;
        let trader = world.trader("USD").await;
        (world, trader)
    }

    /// The next calls that open a payment there come to this.
    async fn opens_with(&self, psp: &str, kind: &str, times: u32) {
        let fault = json!({"operation": opening(psp), "fault": {"kind": kind}, "times": times});
        self.faults(psp, &json!([fault])).await;
    }

    fn unnamed(&self, trader: &Trader, key: &str) -> Call {
        let body = deposit_request(trader, "100.00", "auto");
        Call::post(&trader.deposits(), &body).token(self.broker.token("portal")).key(key)
    }

    /// Opens a deposit that names no provider; the one it got, and the reasons of the decision.
    async fn opens(&self, trader: &Trader) -> (Payment, String, String) {
        let key = format!("key-{}", self.fresh());
        let id = expect(self.send(self.unnamed(trader, &key)).await, 201).text_at("/payment_id");
        let shown = self.payment(&id).await;
        let (psp, reference) = (shown.text_at("/psp/name"), shown.text_at("/psp/reference"));
        self.idle().await;
        let journal = expect(self.get("support", &format!("/v1/journal?entity={id}")).await, 200);
        (Payment { id, reference }, psp, journal.json["items"][0]["why"].to_string())
    }

    /// Stripe's own number of the payment that was opened there under our id.
    async fn intent_of(&self, payment: &Payment) -> Payment {
        let intents = self.recorded("stripe", &format!("payment_id={}", payment.id)).await;
        let reference = intents["intents"][0]["id"].as_str().unwrap().to_owned();
        Payment { id: payment.id.clone(), reference }
    }
}

#[tokio::test]
async fn the_first_provider_of_the_rules_gets_a_deposit_that_names_none() {
    let (world, trader) = World::routed().await;
    let (payment, psp, why) = world.opens(&trader).await;
    assert_eq!(psp, "stripe");
    assert!(why.contains("routing/all: yes") && why.contains("candidates: stripe (3.2), skrill, praxis"), "{why}");
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn the_next_provider_gets_it_while_the_first_is_down_and_the_reason_is_kept() {
    for kind in [DOWN, "garbage"] {
        let (world, trader) = World::routed().await;
        world.opens_with("stripe", kind, 0).await;
        let (payment, psp, why) = world.opens(&trader).await;
        assert_eq!(psp, "skrill", "{kind}");
        assert!(why.contains("stripe does not answer"), "{why}");
        world.pay("skrill", &payment, json!({})).await;
        assert_eq!(world.status(&payment.id).await, "credited", "{kind}");
        assert_eq!(world.deals(&trader, &payment).await.len(), 1);
        assert!(world.work_of(&payment.id).await.is_empty());
    }
}

#[tokio::test]
async fn a_refusal_is_the_answer_and_no_other_provider_is_asked() {
    let (world, trader) = World::routed().await;
    let refuse = json!({"kind": "refuse", "status": 400, "code": "amount_too_small"});
    world.faults("stripe", &json!([{"operation": "create_intent", "fault": refuse}])).await;
    world.broker.host.reset_usage();
    expect(world.send(world.unnamed(&trader, "k")).await, 422);
    assert_eq!(world.vendor_calls(), 1);
    assert!(items(&world.get("portal", &format!("/v1/clients/{}/payments", trader.client)).await).is_empty());
}

#[tokio::test]
async fn a_named_provider_that_is_down_is_answered_for_by_no_other() {
    let (world, trader) = World::routed().await;
    world.opens_with("stripe", DOWN, 0).await;
    let answer = expect(world.portal(&trader.deposits(), &deposit_request(&trader, "100.00", "stripe")).await, 503);
    assert!(header(&answer, "retry-after").is_some());
    assert!(items(&world.get("portal", &format!("/v1/clients/{}/payments", trader.client)).await).is_empty());
}

/// The payment was opened at Stripe, whose answer was lost, and then at Skrill.
async fn opened_twice(world: &World, trader: &Trader) -> (Payment, Payment) {
    world.opens_with("stripe", "apply_then_drop", 0).await;
    let (at_skrill, psp, _) = world.opens(trader).await;
    assert_eq!(psp, "skrill");
    world.no_faults("stripe").await;
    let at_stripe = world.intent_of(&at_skrill).await;
    (at_skrill, at_stripe)
}

#[tokio::test]
async fn what_is_paid_at_the_provider_whose_answer_was_lost_is_credited_once() {
    let (world, trader) = World::routed().await;
    let (payment, at_stripe) = opened_twice(&world, &trader).await;
    for _ in 0..2 {
        let event = world.intent(&at_stripe, "payment_intent.succeeded", 10_000, "usd");
        expect(world.stripe(&event).await, 200);
        assert_eq!(world.status(&payment.id).await, "credited");
    }
    let shown = world.payment(&payment.id).await.json;
    assert_eq!(shown["psp"], json!({"name": "stripe", "reference": at_stripe.reference}));
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
    assert!(world.work_of(&payment.id).await.is_empty());
    // who pays at the other, too, gets it back by a person, and no second credit
    world.pay("skrill", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
    let work = world.work_of(&payment.id).await;
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("deposit_unknown_reference")));
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

/// Stripe has it, and Skrill, which can be asked for a payment by our id alone, may have it.
async fn opened_at_skrill_first() -> (World, Trader, Payment) {
    let (world, trader) = World::routed_over(json!([["skrill"], ["stripe"]])).await;
    world.opens_with("skrill", "apply_then_drop", 1).await;
    let (payment, psp, _) = world.opens(&trader).await;
    assert_eq!(psp, "stripe");
    (world, trader, payment)
}

#[tokio::test]
async fn what_was_paid_there_and_never_told_is_asked_for_before_the_deposit_expires() {
    let (world, trader, payment) = opened_at_skrill_first().await;
    world.pay("skrill", &payment, json!({"webhook": {"never": true}})).await;
    for _ in 0..3 {
        world.pass(1900).await;
        world.sweep().await;
    }
    let shown = world.payment(&payment.id).await.json;
    assert_eq!((shown["status"].as_str(), shown["psp"]["name"].as_str()), (Some("credited"), Some("skrill")));
    assert_eq!(world.deals(&trader, &payment).await.len(), 1);
}

#[tokio::test]
async fn while_a_provider_that_may_have_it_cannot_be_asked_nothing_expires() {
    let (world, _, payment) = opened_at_skrill_first().await;
    world.faults("skrill", &json!([{"operation": "query", "fault": {"kind": "drop"}, "times": 0}])).await;
    for _ in 0..3 {
        world.pass(1900).await;
        world.sweep().await;
    }
    let work = world.work_of(&payment.id).await;
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("deposit_overdue")));
    // and whatever is told then is heard
    world.no_faults("skrill").await;
    world.pay("skrill", &payment, json!({})).await;
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn with_all_providers_down_nothing_is_left_and_the_same_key_succeeds_once_one_is_up() {
    let (world, trader) = World::routed().await;
    for psp in ["stripe", "skrill", "praxis"] {
        world.opens_with(psp, DOWN, 0).await;
    }
    for _ in 0..2 {
        let answer = expect(world.send(world.unnamed(&trader, "same")).await, 503);
        assert!(header(&answer, "retry-after").unwrap().parse::<u32>().unwrap() > 0);
    }
    let listed = async || items(&world.get("portal", &format!("/v1/clients/{}/payments", trader.client)).await);
    assert!(listed().await.is_empty());
    world.no_faults("praxis").await;
    let first = expect(world.send(world.unnamed(&trader, "same")).await, 201);
    for psp in ["stripe", "skrill"] {
        world.no_faults(psp).await;
    }
    let again = expect(world.send(world.unnamed(&trader, "same")).await, 201);
    assert_eq!(first.json, again.json);
    assert_eq!(header(&again, "idempotency-replayed"), Some("true"));
    assert_eq!(listed().await.len(), 1);
    assert_eq!(world.payment(&first.text_at("/payment_id")).await.text_at("/psp/name"), "praxis");
}

/// The first request under the key was cut off at Stripe; by the time of the second Stripe goes last.
#[tokio::test]
async fn a_repeat_that_goes_elsewhere_still_knows_the_provider_of_the_first() {
    let (world, trader) = World::routed().await;
    for psp in ["skrill", "praxis"] {
        world.opens_with(psp, DOWN, 0).await;
    }
    world.opens_with("stripe", "apply_then_drop", 0).await;
    for _ in 0..3 {
        expect(world.send(world.unnamed(&trader, "same")).await, 503);
    }
    world.no_faults("skrill").await;
    world.no_faults("stripe").await;
    // all three are put last, in their own order: Stripe would be first again
    world.opens_with("stripe", DOWN, 0).await;
    let id = expect(world.send(world.unnamed(&trader, "same")).await, 201).text_at("/payment_id");
    let payment = Payment { id, reference: String::new() };
    assert_eq!(world.payment(&payment.id).await.text_at("/psp/name"), "skrill");
    let at_stripe = world.intent_of(&payment).await;
    expect(world.stripe(&world.intent(&at_stripe, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    assert_eq!(world.status(&payment.id).await, "credited");
}

#[tokio::test]
async fn who_keeps_failing_is_tried_last_for_a_while_and_then_first_again() {
    let (world, trader) = World::routed().await;
    let calls = async || {
        let calls: Value = world.recorded("stripe", "part=calls").await["calls"]["create_intent"].clone();
        calls.as_u64().unwrap_or(0)
    };
    world.opens_with("stripe", DOWN, 3).await;
    for _ in 0..3 {
        assert_eq!(world.opens(&trader).await.1, "skrill");
    }
    let before = calls().await;
    let (_, psp, why) = world.opens(&trader).await;
    assert_eq!((psp.as_str(), calls().await), ("skrill", before), "it is not even asked");
    assert!(why.contains("put last, for they have been failing: stripe"), "{why}");
    // when the time is over it is tried first again
    world.pass(601).await;
    assert_eq!(world.opens(&trader).await.1, "stripe");
    assert_eq!(calls().await, before + 1);
}

#[tokio::test]
async fn failures_are_noted_and_answers_of_the_healthy_write_nothing() {
    let (world, trader) = World::routed().await;
    let noted = async || {
        let kept = world.broker.money().psp_health().await.unwrap();
        serde_json::to_value(&kept.health).unwrap()
    };
    world.opens(&trader).await;
    assert_eq!(noted().await, json!({}));
    world.opens_with("stripe", DOWN, 1).await;
    world.opens(&trader).await;
    assert_eq!(noted().await["stripe"].as_array().map(Vec::len), Some(1));
    // one that answers is no longer held to have failed
    world.opens(&trader).await;
    assert_eq!(noted().await, json!({}));
}
