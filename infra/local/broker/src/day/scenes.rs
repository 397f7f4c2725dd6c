//! The scenes of the day: each shows one thing that goes wrong somewhere every day.

use runtime::Clock as _;
use serde_json::json;

use super::report::Report;
use super::say;
use super::steps::{Desk, stages};
use crate::Failure;

/// A deposit as it should be, over both providers.
pub async fn plain(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("a plain deposit: 1250.00 USD over stripe, 80000 JPY over praxis");
    let ana = desk.opened(desk.trader("Ana Lopez", "es", "USD").await?).await?;
    let payment = desk.deposit(&ana, "1250.00", "USD", "stripe").await?;
    desk.pay("stripe", &payment, json!({})).await?;
    let credited = desk.payment_in(&payment, "credited").await?;
    let went = stages(&credited).join(" -> ");
    report.check(
        "stripe: pending, paid, crediting, credited",
        went == "pending -> paid -> crediting -> credited",
        &went,
    );
    report.check("stripe: one deal on the platform", desk.deals(&ana.login, &payment).await? == 1, &payment);
    let path = format!("/v1/journal?entity={payment}");
    let journal = desk.wait(&path, |answer| answer.json.pointer("/items/3").is_some()).await?;
    let verified = journal.json.pointer("/verified") == Some(&json!(true));
    report.check("the journal has every step and its hash chain verifies", verified, "");

    let kenji = desk.opened(desk.trader("Kenji Sato", "en", "JPY").await?).await?;
    let payment = desk.deposit(&kenji, "80000", "JPY", "praxis").await?;
    desk.pay("praxis", &payment, json!({"outcome": "approved"})).await?;
    let credited = desk.payment_in(&payment, "credited").await?;
    report.check(
        "praxis: credited in yen",
        credited.text_at("/credited/amount") == "80000",
        &credited.text_at("/credited/amount"),
    );
    let balance = desk.look("portal", &format!("/v1/accounts/{}", kenji.account_id)).await?;
    report.check(
        "the portal shows the new balance",
        balance.text_at("/balance/amount") == "80000",
        &balance.text_at("/balance/amount"),
    );
    Ok(())
}

/// The provider delivers one webhook five times at once.
pub async fn five_times(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("the same webhook five times at once");
    let trader = desk.opened(desk.trader("Ben Five", "en", "USD").await?).await?;
    let payment = desk.deposit(&trader, "200.00", "USD", "stripe").await?;
    desk.pay("stripe", &payment, json!({"webhook": {"times": 5, "concurrent": true}})).await?;
    desk.payment_in(&payment, "credited").await?;
    desk.broker.host.idle().await;
    let deals = desk.deals(&trader.login, &payment).await?;
    report.check("five webhooks, one credit", deals == 1, &format!("{deals} deal(s)"));
    report.duplicates += 4;
    Ok(())
}

/// Success, then an older failure, then a late "processing".
pub async fn wrong_order(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("webhooks in the wrong order: success, then an older failure, then \"processing\"");
    let trader = desk.opened(desk.trader("Carla Order", "de", "EUR").await?).await?;
    let payment = desk.deposit(&trader, "300.00", "EUR", "stripe").await?;
    desk.pay("stripe", &payment, json!({})).await?;
    let an_hour_ago = desk.broker.host.time().now().seconds().saturating_sub(3_600);
    desk.event(
        "stripe",
        json!({"payment_id": payment, "type": "payment_intent.payment_failed", "created": an_hour_ago}),
    )
    .await?;
    desk.event("stripe", json!({"payment_id": payment, "type": "payment_intent.processing"})).await?;
    let credited = desk.payment_in(&payment, "credited").await?;
    desk.broker.host.idle().await;
    let after = desk.payment_in(&payment, "credited").await?;
    report.check(
        "older and lesser events change nothing",
        stages(&credited) == stages(&after),
        &stages(&after).join(" -> "),
    );
    let work = desk.work_of(&payment).await?.len();
    report.check("and bother nobody", work == 0, &format!("{work} work item(s)"));
    report.duplicates += 2;
    Ok(())
}

/// Somebody without the secret claims a payment.
pub async fn forged(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("a forged webhook");
    let trader = desk.opened(desk.trader("Dora Forged", "en", "USD").await?).await?;
    let payment = desk.deposit(&trader, "5000.00", "USD", "stripe").await?;
    let before = desk.payment_in(&payment, "pending").await?;
    let answer = desk.pay("stripe", &payment, json!({"webhook": {"signature": "wrong"}})).await?;
    let refused = answer.json.pointer("/deliveries/0/status") == Some(&json!(401));
    report.check("a wrong signature is answered 401", refused, &answer.text.chars().take(120).collect::<String>());
    desk.broker.host.idle().await;
    let after = desk.payment_in(&payment, "pending").await?;
    report.check("and changes nothing", before.text == after.text, &after.text_at("/status"));
    Ok(())
}

/// Less arrives than was asked for; finance decides.
pub async fn underpaid(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("an under-payment: 400.00 of 500.00 EUR; finance credits what was paid");
    let trader = desk.opened(desk.trader("Emil Under", "de", "EUR").await?).await?;
    let payment = desk.deposit(&trader, "500.00", "EUR", "stripe").await?;
    desk.pay("stripe", &payment, json!({"amount_minor": 40_000})).await?;
    desk.payment_in(&payment, "needs_review").await?;
    desk.broker.host.idle().await;
    report.check("nothing is credited by itself", desk.deals(&trader.login, &payment).await? == 0, "");
    let items = desk.work_of(&payment).await?;
    let item = items.first().cloned().unwrap_or_default();
    let text = |name: &str| item.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    report.check(
        "finance has one work item with a runbook",
        items.len() == 1 && !text("runbook").is_empty(),
        &text("kind"),
    );
    let path = format!("/v1/work/{}/actions", text("work_id"));
    for body in
        [json!({"action": "claim"}), json!({"action": "credit_paid_amount", "note": "the client agreed by phone"})]
    {
        desk.api.post(&desk.broker.url(&path), desk.broker.token("finance"), "unused", &body).await?.expect(200)?;
    }
    let credited = desk.payment_in(&payment, "credited").await?;
    let amount = credited.text_at("/credited/amount");
    report.check("what was paid is credited after a person decided", amount == "400.00", &amount);
    Ok(())
}

/// The provider never sends its webhook.
pub async fn silent_webhook(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("a webhook that never comes: the clock goes on by 16 minutes, and the provider is asked after 15");
    let trader = desk.opened(desk.trader("Fay Silent", "en", "GBP").await?).await?;
    let payment = desk.deposit(&trader, "150.00", "GBP", "stripe").await?;
    desk.pay("stripe", &payment, json!({"webhook": {"never": true}})).await?;
    desk.pass("16m").await?;
    let status = desk.look("portal", &format!("/v1/payments/{payment}")).await?.text_at("/status");
    report.check("found at the provider and credited", status == "credited", &status);
    Ok(())
}

/// The platform books the credit and its answer never arrives.
pub async fn silent_platform(desk: &Desk<'_>, report: &mut Report) -> Result<(), Failure> {
    say("a platform that books the credit and then times out (10 s): looked up, not sent again");
    let trader = desk.opened(desk.trader("Gus Timeout", "en", "USD").await?).await?;
    let payment = desk.deposit(&trader, "700.00", "USD", "stripe").await?;
    let fault = json!({
        "operation": "trade_balance", "match": {"comment": payment}, "fault": {"kind": "apply_then_timeout", "ms": 20_000},
    });
    desk.fault("mt5", fault).await?;
    desk.pay("stripe", &payment, json!({})).await?;
    desk.payment_in(&payment, "credited").await?;
    let deals = desk.deals(&trader.login, &payment).await?;
    report.check("one deal although no answer came", deals == 1, &format!("{deals} deal(s)"));
    Ok(())
}
