//! A platform that books a credit and says nothing.

use serde_json::json;

use crate::deployment::Deployment;
use crate::on_the_stack;

impl Deployment {
    /// The trading server books the payment's credit and keeps its answer to itself.
    pub async fn silence_about(&self, payment: &str) {
        let fault = json!([{
            "operation": "trade_balance", "match": {"comment": payment},
            "fault": {"kind": "apply_then_timeout", "ms": 20_000},
        }]);
        self.http.control(&format!("{}/_control/faults", self.simulators.url("mt5")), &fault).await.unwrap();
    }
}

#[test]
fn a_platform_that_books_a_credit_and_does_not_answer_is_looked_up_and_not_asked_again() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let gus = stack.trader("Gus Timeout", "en", "USD").await;
        let payment = stack.deposit(&gus, "700.00", "stripe").await;
        stack.silence_about(&payment).await;
        stack.pay("stripe", &payment, &json!({})).await;
        stack.payment_in(&payment, "credited").await;
        assert_eq!(stack.deals(&gus, &payment).await.len(), 1);
        let state = stack.state("mt5", "part=faults_pending").await;
        assert!(!state.to_string().contains(&payment), "the platform answered: {state}");
    });
}
