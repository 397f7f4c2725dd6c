//! Retention on the deployed template: what clients do has people call and has them written to, as far as they agreed to it.

use http::Method;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::partners::closed;
use crate::portal::{Trader, items, unique};

impl Deployment {
    /// What happened to a client in a journey, once a step of it has come to that.
    async fn happened(&self, trader: &Trader, journey: &str, step: &str, did: &str) -> Value {
        let path = format!("/v1/clients/{}/journeys", trader.client);
        let own = |answer: &broker::api::Answer| items(answer).iter().find(|run| run["journey"] == journey).cloned();
        let is_it = |line: &Value| line["step"] == step && line["did"] == did;
        let came = |run: &Value| run["history"].as_array().is_some_and(|lines| lines.iter().any(is_it));
        let answer = self.wait("portal", &path, |answer| own(answer).is_some_and(|run| came(&run))).await;
        own(&answer).unwrap()
    }
}

#[test]
fn a_deposit_that_fails_has_somebody_call_and_five_losses_teach_whoever_agreed_to_it() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let eva = stack.trader("Eva Ruiz", "es", "USD").await;
        let failed = stack.deposit(&eva, "40.00", "praxis").await;
        stack.pay("praxis", &failed, &json!({"outcome": "failed"})).await;
        stack.payment_in(&failed, "failed").await;
        stack.happened(&eva, "deposit_failed", "call", "task").await;
        let queue = "/v1/work?queue=sales&limit=100";
        let called = stack.wait("sales", queue, |answer| answer.text.contains(&eva.client)).await;
        let item = items(&called).iter().find(|item| item["subject"]["client_id"] == eva.client.as_str()).unwrap();
        assert_eq!(item["kind"], "retention_deposit_failed", "{item}");

        let says = json!({"email": true, "sms": false, "phone": false, "topics": {"education": true}});
        let url = stack.url(&format!("/v1/clients/{}/consents", eva.client));
        stack.http.send_json(Method::PUT, &url, &stack.token("portal"), &says).await.unwrap().expect(200).unwrap();
        let paid = stack.deposit(&eva, "300.00", "stripe").await;
        stack.pay("stripe", &paid, &json!({})).await;
        stack.payment_in(&paid, "credited").await;
        // the call is moot
        stack.wait("sales", queue, |answer| !answer.text.contains(&eva.client)).await;
        for _ in 0..5 {
            stack.push(&[closed(&eva, &unique("d"), "0.10", "-3")]).await;
        }
        let taught = stack.happened(&eva, "losing_streak", "size", "sent").await;
        assert_eq!(taught["cohort"], "treated", "{taught}");
        stack.mail(&eva.email, "unsubscribe").await;
    });
}
