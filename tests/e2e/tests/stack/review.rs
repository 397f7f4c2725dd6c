//! What the automation hands over to a person, and what the person's decision does.

use serde_json::json;

use crate::on_the_stack;
use crate::portal::{stages, text};

#[test]
fn an_under_payment_waits_for_finance_and_is_credited_as_finance_decides() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let emil = stack.trader("Emil Under", "de", "EUR").await;
        let payment = stack.deposit(&emil, "500.00", "stripe").await;
        stack.pay("stripe", &payment, &json!({"amount_minor": 40_000})).await;
        stack.payment_in(&payment, "needs_review").await;
        let found = stack.wait("finance", "/v1/work?queue=finance&limit=100", |answer| answer.text.contains(&payment));
        found.await;
        let items = stack.work("finance", &payment).await;
        assert_eq!(items.len(), 1, "{items:?}");
        let (item, work) = (&items[0], text(&items[0], "/work_id"));
        assert_eq!((text(item, "/kind"), text(item, "/runbook")), ("deposit_underpaid", "deposit_underpaid"));
        assert_eq!(stack.deals(&emil, &payment).await.len(), 0);
        let told = stack.chat(work).await;
        assert!(told.contains("deposit_underpaid") && told.contains(&payment), "{told}");
        stack.mail(&emil.email, &payment).await;

        let actions = format!("/v1/work/{work}/actions");
        stack.post_as("support", &actions, &json!({"action": "claim"})).await.expect(403).unwrap();
        stack.post_as("finance", &actions, &json!({"action": "claim"})).await.expect(200).unwrap();
        let decision = json!({"action": "credit_paid_amount", "note": "the client agreed by phone"});
        stack.post_as("finance_2", &actions, &decision).await.expect(409).unwrap();
        stack.post_as("finance", &actions, &decision).await.expect(200).unwrap();

        let credited = stack.payment_in(&payment, "credited").await;
        assert_eq!(credited.text_at("/credited/amount"), "400.00");
        assert_eq!(stages(&credited), ["pending", "needs_review", "paid", "crediting", "credited"]);
        let deals = stack.deals(&emil, &payment).await;
        assert_eq!(deals.iter().map(|deal| text(deal, "/Profit")).collect::<Vec<_>>(), ["400.00"]);
    });
}
