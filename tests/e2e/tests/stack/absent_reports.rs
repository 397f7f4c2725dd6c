//! What nobody reports - a webhook that never comes, the outcome of a function that was ended, an agent who does not
//! begin - and the schedule of the template, which fires by itself and makes up for it.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::deployment::Deployment;
use crate::leads;
use crate::on_the_stack;
use crate::portal::{items, stages, text, until};

/// The schedule fires every minute, for the first time a minute after the deployment.
const TWO_FIRINGS: Duration = Duration::from_secs(150);
/// As the template says.
const TEMPLATE_TIMEOUT_S: u32 = 30;
/// What the function gets instead, so that it is ended while the platform holds its answer back.
const SHORT_TIMEOUT_S: u32 = 4;

impl Deployment {
    /// Sets the time-out of the crediting function and waits until it is in force.
    async fn credit_within(&self, seconds: u32) {
        let name = self.resource("PaymentsCreditFunction").unwrap();
        let url = format!("{}/2015-03-31/functions/{name}/configuration", self.endpoint);
        let headers = [("content-type", "application/json")];
        let body = json!({"Timeout": seconds}).to_string().into_bytes();
        self.http.send(Method::PUT, &url, &headers, body).await.unwrap().expect(200).unwrap();
        until("the new time-out", Duration::from_secs(30), async || {
            let set = self.http.send(Method::GET, &url, &[], Vec::new()).await.unwrap().expect(200).unwrap();
            let (status, timeout) = (set.text_at("/LastUpdateStatus"), set.json["Timeout"].clone());
            if status == "Successful" && timeout == json!(seconds) { Ok(()) } else { Err(set.text) }
        })
        .await;
    }
}

// in the first module of the alphabet, and one test for all, so that the other scenes play while these wait
#[test]
fn what_nobody_reports_is_made_up_for_by_the_schedule() {
    on_the_stack(async |stack| {
        tokio::join!(
            a_webhook_that_never_comes(stack),
            a_function_that_is_ended_in_the_middle_of_a_credit(stack),
            leads::an_agent_who_does_not_begin(stack),
            leads::a_series_of_messages(stack),
        );
    });
}

async fn a_webhook_that_never_comes(stack: &Deployment) {
    let turn = stack.turn.read().await;
    let fay = stack.trader("Fay Silent", "en", "GBP").await;
    let payment = stack.deposit(&fay, "150.00", "stripe").await;
    let paid = stack.pay("stripe", &payment, &json!({"webhook": {"never": true}})).await;
    assert_eq!(paid.json["deliveries"], json!([]));
    drop(turn);
    let path = format!("/v1/payments/{payment}");
    stack.wait_for(TWO_FIRINGS, "portal", &path, |answer| answer.text_at("/status") == "credited").await;
    let journal = stack.journal(&payment, 4).await;
    let polled = &items(&journal)[1];
    assert_eq!(text(polled, "/function"), "payments-overdue", "{}", journal.text);
    assert!(text(polled, "/trigger").starts_with("payment.due "), "{polled}");
    assert_eq!(stack.deals(&fay, &payment).await.len(), 1);
}

async fn a_function_that_is_ended_in_the_middle_of_a_credit(stack: &Deployment) {
    // alone: other credits must not run into the short time-out
    let turn = stack.turn.write().await;
    let hal = stack.trader("Hal Halfway", "en", "USD").await;
    stack.credit_within(SHORT_TIMEOUT_S).await;
    let payment = stack.deposit(&hal, "900.00", "stripe").await;
    stack.silence_about(&payment).await;
    let ended = || stack.printed("PaymentsCreditFunction").matches("REPORT RequestId").count();
    let before = ended();
    stack.pay("stripe", &payment, &json!({})).await;
    until("the function's end", Duration::from_secs(30), async || {
        if ended() > before { Ok(()) } else { Err("it still runs".to_owned()) }
    })
    .await;
    assert_eq!(stack.deals(&hal, &payment).await.len(), 1);
    let seen = stack.look("portal", &format!("/v1/payments/{payment}")).await;
    assert_eq!(seen.text_at("/status"), "crediting", "{}", seen.text);
    stack.credit_within(TEMPLATE_TIMEOUT_S).await;
    drop(turn);

    let path = format!("/v1/payments/{payment}");
    let credited = stack.wait_for(TWO_FIRINGS, "portal", &path, |a| a.text_at("/status") == "credited").await;
    assert_eq!(stages(&credited), ["pending", "paid", "crediting", "credited"]);
    assert_eq!(stack.deals(&hal, &payment).await.len(), 1);
    let journal = stack.journal(&payment, 5).await;
    let outcomes: Vec<&str> = items(&journal).iter().map(|entry| text(entry, "/outcome")).collect();
    assert_eq!(outcomes, ["pending", "paid", "crediting", "redriven", "credited"], "{}", journal.text);
}
