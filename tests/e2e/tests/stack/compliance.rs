//! Compliance alerts on the deployed template: what clients do becomes a case within moments, which compliance alone sees and two of its
//! people close; the account stays usable.

use serde_json::{Value, json};

use crate::on_the_stack;
use crate::portal::{items, text};

#[test]
fn deposits_below_the_threshold_become_a_case_that_two_officers_close() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let milo = stack.trader("Milo Conduit", "en", "USD").await;
        let mut last = String::new();
        for amount in ["9400.00", "9100.00", "9700.00"] {
            last = stack.deposit(&milo, amount, "stripe").await;
            stack.pay("stripe", &last, &json!({})).await;
            stack.payment_in(&last, "credited").await;
        }
        let path = format!("/v1/cases?client={}", milo.client);
        let structured = |answer: &broker::api::Answer| answer.text.contains("structuring_day");
        let found = stack.wait("compliance", &path, structured).await;
        assert_eq!(items(&found).len(), 1, "{}", found.text);
        let case = text(&items(&found)[0], "/case_id").to_owned();
        let whole = stack.look("compliance", &format!("/v1/cases/{case}")).await;
        let evidence: Vec<&Value> =
            whole.json["alerts"].as_array().unwrap().iter().map(|alert| &alert["evidence"]).collect();
        assert!(evidence.iter().any(|ids| ids.to_string().contains(&last)), "{evidence:?}");
        for who in ["finance", "support", "admin"] {
            let page = stack.http.get(&stack.url(&format!("/v1/cases/{case}")), &stack.token(who)).await.unwrap();
            assert_eq!(page.status, 404, "{who}: {}", page.text);
        }
        // what he takes out waits for a person, and is paid
        let wish = json!({
            "account_id": milo.account, "amount": {"amount": "100.00", "currency": "USD"},
            "destination": {"psp": "stripe", "source_payment_id": last},
        });
        let asked = stack.post(&format!("/v1/clients/{}/withdrawals", milo.client), &wish).await.expect(201).unwrap();
        assert_eq!(asked.text_at("/status"), "requested");
        let payment = asked.text_at("/payment_id");
        let seen = stack.wait("finance", "/v1/work?queue=finance&limit=100", |answer| answer.text.contains(&payment));
        seen.await;
        let item = stack.work("finance", &payment).await.remove(0);
        let actions = format!("/v1/work/{}/actions", text(&item, "/work_id"));
        stack.post_as("finance", &actions, &json!({"action": "approve"})).await.expect(200).unwrap();
        stack.payment_in(&payment, "paid_out").await;

        let actions = format!("/v1/cases/{case}/actions");
        let propose = json!({"action": "propose_close", "outcome": "explained", "reason": "three invoices, seen"});
        stack.post_as("compliance", &actions, &propose).await.expect(200).unwrap();
        let approve = json!({"action": "approve_close"});
        stack.post_as("compliance", &actions, &approve).await.expect(403).unwrap();
        let closed = stack.post_as("compliance_2", &actions, &approve).await.expect(200).unwrap();
        assert_eq!(closed.text_at("/status"), "closed");
    });
}
