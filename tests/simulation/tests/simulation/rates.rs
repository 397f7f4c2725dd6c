//! A deposit in another currency while the table of rules does not answer. The law: it is to be asked for again, and not refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use broker::local::Options;
use host::{CallInfo, LocalTime, Probe, SystemClock, Verdict};
use runtime::Clock as _;
use serde_json::json;

use crate::killer::Killer;
use crate::world::World;

/// Has every look at the rules of who opens deposits fail while it is on.
#[derive(Default)]
struct NoRules(AtomicBool);

impl Probe for NoRules {
    fn before(&self, call: &CallInfo<'_>) -> Verdict {
        let looks =
            call.function == "payments-initiate" && call.operation == "Query" && call.target.ends_with("RulesTable");
        if self.0.load(Ordering::Relaxed) && looks { Verdict::Fail } else { Verdict::Go }
    }

    fn after(&self, _: &CallInfo<'_>) -> Verdict {
        Verdict::Go
    }
}

#[tokio::test]
async fn a_deposit_whose_rate_rules_cannot_be_read_is_asked_for_again() {
    let away = Arc::new(NoRules::default());
    let options = Options { probe: Some(away.clone()), ..Options::default() };
    let world = World::with(LocalTime::standing(SystemClock.now()), Arc::new(Killer::default()), options).await;
    let customer = world.customer("USD").await;
    // from now on the rules about providers are known, and those about rates are not
    world.deposit(&customer, "250.00").await;
    let trader = &customer.trader;
    let body =
        json!({"account_id": trader.account_id, "psp": "stripe", "amount": {"amount": "250.00", "currency": "EUR"}});
    let url = world.broker.url(&format!("/v1/clients/{}/deposits", trader.client_id));
    for (is_away, status) in [(true, 503), (false, 201)] {
        away.0.store(is_away, Ordering::Relaxed);
        let answer = world.desk.api.post(&url, world.broker.token("portal"), "in euro", &body).await.unwrap();
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}
