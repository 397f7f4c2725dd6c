//! Money goes out: by rule back to its payer, by finance to a wallet, and back on the account where a provider refuses.

use domain::{AccountId, Day, Money};
use host::SystemClock;
use runtime::Clock as _;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::portal::{Trader, stages, text};

async fn ask(stack: &Deployment, trader: &Trader, amount: &str, destination: Value) -> String {
    let body = json!({
        "account_id": trader.account, "amount": {"amount": amount, "currency": trader.currency},
        "destination": destination,
    });
    let path = format!("/v1/clients/{}/withdrawals", trader.client);
    stack.post(&path, &body).await.expect(201).unwrap().text_at("/payment_id")
}

#[test]
fn a_withdrawal_is_debited_and_paid_back_to_the_payer_and_what_is_refused_is_put_back() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let gita = stack.trader("Gita Out", "de", "USD").await;
        let source = stack.deposit(&gita, "1000.00", "stripe").await;
        stack.pay("stripe", &source, &json!({})).await;
        stack.payment_in(&source, "credited").await;
        let back = json!({"psp": "stripe", "source_payment_id": source});

        let small = ask(stack, &gita, "250.00", back.clone()).await;
        let paid = stack.payment_in(&small, "paid_out").await;
        assert_eq!(stages(&paid), ["requested", "approved", "debiting", "debited", "paying_out", "paid_out"]);
        let state = stack.state("stripe", "").await.to_string();
        assert!(state.contains(&small), "the refund names the withdrawal");
        stack.mail(&gita.email, &small).await;

        // finance decides about a wallet that nobody was paid at before
        let wallet = ask(stack, &gita, "100.00", json!({"psp": "skrill", "email": "gita@example.com"})).await;
        let seen = stack.wait("finance", "/v1/work?queue=finance&limit=100", |answer| answer.text.contains(&wallet));
        seen.await;
        let item = stack.work("finance", &wallet).await.remove(0);
        assert_eq!(text(&item, "/kind"), "withdrawal_approval");
        let actions = format!("/v1/work/{}/actions", text(&item, "/work_id"));
        stack.post_as("finance", &actions, &json!({"action": "approve"})).await.expect(200).unwrap();
        stack.payment_in(&wallet, "paid_out").await;

        let faults = format!("{}/_control/faults", stack.simulators.url("stripe"));
        let refuse = json!([{"operation": "create_refund", "fault": {"kind": "refuse", "status": 400}}]);
        stack.http.control(&faults, &refuse).await.unwrap();
        let refused = ask(stack, &gita, "50.00", back).await;
        stack.payment_in(&refused, "returned").await;
        let mut amounts: Vec<String> = Vec::new();
        for payment in [&small, &wallet, &refused] {
            amounts.extend(stack.deals(&gita, payment).await.iter().map(|deal| text(deal, "/Profit").to_owned()));
        }
        amounts.sort();
        assert_eq!(amounts, ["-100.00", "-250.00", "-50.00", "50.00"]);

        // the ledger owes the client what the platform shows, and nothing is on its way any more
        stack.journal(&refused, 7).await;
        let account: AccountId = gita.account.parse().unwrap();
        let today = Day::of(SystemClock.now());
        let booked = stack.money().ledger_of(&account, today.before(), today).await.unwrap();
        let sum = |name: &str| {
            let legs = booked.iter().flat_map(|entry| &entry.postings).filter(|leg| leg.account.to_string() == name);
            legs.map(|leg| leg.amount).reduce(|sum, amount| sum.checked_add(&amount).unwrap()).unwrap()
        };
        assert_eq!(Money::amount_text(&sum(&format!("client:{account}"))), "-650.00");
        assert_eq!(Money::amount_text(&sum(&format!("payable:{account}"))), "0.00");
    });
}
