//! Money goes out: by rule, by one person, by two; and what a provider does not pay is put back.

use http::Method;
use serde_json::{Value, json};

use super::report::Report;
use super::say;
use super::steps::{Desk, stages};
use crate::Failure;

/// The withdrawals of a client who paid in 15 000 dollars.
pub async fn out(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("Gita Out paid in 15000.00 USD and takes some of it out, back to where it came from");
    let gita = desk.opened(desk.trader("Gita Out", "en", "USD").await?).await?;
    let source = desk.deposit(&gita, "15000.00", "USD", "stripe").await?;
    desk.pay("stripe", &source, json!({})).await?;
    desk.payment_in(&source, "credited").await?;
    let ask = async |amount: &str| {
        let body = json!({
            "account_id": gita.account_id, "amount": {"amount": amount, "currency": "USD"},
            "destination": {"psp": "stripe", "source_payment_id": source},
        });
        desk.withdraw(&gita, &body).await
    };

    let small = ask("250.00").await?;
    let paid = desk.payment_in(&small, "paid_out").await?;
    let went = stages(&paid).join(" -> ");
    let wanted = "requested -> approved -> debiting -> debited -> paying_out -> paid_out";
    report.check("250.00: approved by rule, debited, paid out", went == wanted, &went);
    report.check("one deal on the platform", desk.deals(&gita.login, &small).await? == 1, &small);

    let fault = json!({"operation": "create_refund", "fault": {"kind": "apply_then_drop"}});
    desk.fault("stripe", fault).await?;
    let lost = ask("90.00").await?;
    desk.payment_in(&lost, "payout_unknown").await?;
    desk.pass("5m").await?;
    desk.payment_in(&lost, "paid_out").await?;
    let made = desk.refunds_of(&lost).await?;
    report.check("90.00: the provider pays and does not answer; looked up, not sent again", made == 1, &lost);

    let middle = ask("2500.00").await?;
    desk.payment_in(&middle, "requested").await?;
    decide(desk, &middle, "finance", 200).await?;
    desk.payment_in(&middle, "paid_out").await?;
    report.check("2500.00: finance decides", true, "");

    let large = ask("10000.00").await?;
    desk.payment_in(&large, "requested").await?;
    decide(desk, &large, "finance", 200).await?;
    decide(desk, &large, "finance", 403).await?;
    desk.payment_in(&large, "requested").await?;
    decide(desk, &large, "finance_2", 200).await?;
    desk.payment_in(&large, "paid_out").await?;
    report.check("10000.00: two people, and nobody approves his own word", true, "");

    let sales = desk.wait("/v1/work?queue=sales&limit=100", |work| work.text.contains("retention_withdrawal")).await?;
    let all = sales.json.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = all.iter().find(|item| item.pointer("/subject/client_id") == Some(&json!(gita.client_id)));
    let id = own.and_then(|item| item.get("work_id")).and_then(Value::as_str).unwrap_or_default();
    let asked = json!({"action": "close", "note": "she is content"});
    desk.sales(Method::POST, &format!("/v1/work/{id}/actions"), &asked).await?.expect(200)?;
    report.check("somebody of sales asks her once how she is; no payout waited for it", all.len() == 1, &sales.text);

    desk.fault("stripe", json!({"operation": "create_refund", "fault": {"kind": "refuse", "status": 400}})).await?;
    let refused = ask("100.00").await?;
    let back = desk.payment_in(&refused, "returned").await?;
    let deals = desk.deals(&gita.login, &refused).await?;
    let whole = back.text_at("/returned/amount") == "100.00" && deals == 2;
    report.check("100.00: the provider refuses, and it is put back on the account, once", whole, &format!("{deals}"));
    let balance = desk.look("portal", &format!("/v1/accounts/{}", gita.account_id)).await?.text_at("/balance/amount");
    report.check("the account has what is left", balance == "2160.00", &balance);
    Ok(())
}

async fn decide(desk: &Desk<'_>, payment: &str, who: &str, status: u16) -> Result<(), Failure> {
    desk.broker.host.idle().await;
    let items = desk.work_of(payment).await?;
    let id = items.first().and_then(|item| item.get("work_id")).and_then(Value::as_str).unwrap_or_default();
    let url = desk.broker.url(&format!("/v1/work/{id}/actions"));
    desk.api.post(&url, desk.broker.token(who), "unused", &json!({"action": "approve"})).await?.expect(status)?;
    desk.broker.host.idle().await;
    Ok(())
}
