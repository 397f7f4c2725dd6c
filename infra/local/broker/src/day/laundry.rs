//! Two weeks at a brokerage of its own: a dozen clients who pay in and trade, and one who moves money through it.

use domain::Seconds;
use host::LocalTime;
use http::Method;
use runtime::Clock as _;
use serde_json::{Value, json};

use super::report::Report;
use super::say;
use super::steps::{Desk, Trader};
use super::trading::{deal, push};
use crate::Failure;
use crate::api::Answer;
use crate::local::{Broker, Options};

/// Six weeks before the day.
const BEGIN: &str = "2026-10-12T08:00:00Z";
/// The weeks that pass.
const WEEKS: u32 = 2;
/// What the ordinary ones pay in each week.
const ORDINARY: [&str; 12] = [
    "150.00", "250.00", "90.00", "400.00", "1200.00", "75.00", "320.00", "600.00", "110.00", "2000.00", "45.00",
    "510.00",
];

/// Plays it.
///
/// # Errors
/// What kept it from being played.
pub async fn laundry(report: &mut Report) -> Result<(), Failure> {
    say(&format!(
        "{WEEKS} weeks: {} clients pay in and trade, and one moves money through his account",
        ORDINARY.len()
    ));
    let time = LocalTime::showing(BEGIN.parse()?);
    let broker = Broker::start(Options { time: Some(time), ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    let mut clients = Vec::new();
    for number in 1..=ORDINARY.len() {
        clients.push(desk.trader(&format!("Client Number {number}"), "en", "USD").await?);
    }
    let mule = desk.trader("Milo Conduit", "en", "USD").await?;
    let mut traders = Vec::new();
    for client in clients {
        traders.push(desk.opened(client).await?);
    }
    let mule = desk.opened(mule).await?;
    for week in 0..WEEKS {
        ordinary_week(&desk, &traders, week).await?;
        desk.pass("7d").await?;
    }
    let source = conduit(&desk, &mule).await?;
    let case = found(&desk, &traders, &mule, report).await?;
    goes_on(&desk, &mule, &source, report).await?;
    decided(&desk, &case, report).await?;
    broker.stop().await;
    Ok(())
}

/// Each pays in once and closes three positions.
async fn ordinary_week(desk: &Desk<'_>, traders: &[Trader], week: u32) -> Result<(), Failure> {
    let now = desk.broker.host.time().now().minus(Seconds(600));
    let mut deals = Vec::new();
    for ((trader, amount), number) in traders.iter().zip(ORDINARY).zip(0_u32..) {
        paid_in(desk, trader, amount).await?;
        deals.extend((0..3).map(|place: u32| {
            let unique = 1 + place + 3 * (number + 100 * week);
            deal(trader, unique, "3.50", now.plus(Seconds(place)).to_string())
        }));
    }
    push(desk, &deals).await?;
    desk.broker.host.idle().await;
    Ok(())
}

async fn paid_in(desk: &Desk<'_>, trader: &Trader, amount: &str) -> Result<String, Failure> {
    let payment = desk.deposit(trader, amount, "USD", "stripe").await?;
    desk.pay("stripe", &payment, json!({})).await?;
    desk.payment_in(&payment, "credited").await?;
    Ok(payment)
}

/// Three deposits, each just below the threshold, within a day; the last one.
async fn conduit(desk: &Desk<'_>, mule: &Trader) -> Result<String, Failure> {
    say("  Milo pays in 9400.00, 9100.00 and 9700.00 within an afternoon");
    let mut last = String::new();
    for amount in ["9400.00", "9100.00", "9700.00"] {
        last = paid_in(desk, mule, amount).await?;
        desk.pass("90m").await?;
    }
    desk.broker.host.idle().await;
    Ok(last)
}

async fn found(desk: &Desk<'_>, traders: &[Trader], mule: &Trader, report: &mut Report) -> Result<String, Failure> {
    let cases = desk.look("compliance", "/v1/cases").await?;
    let all = cases.json.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let about = |case: &Value| case.get("client_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let one = all.len() == 1 && all.iter().all(|case| about(case) == mule.client_id);
    report.check("one case, of Milo and of nobody else", one, &cases.text);
    let innocent = traders.iter().all(|trader| !cases.text.contains(&trader.client_id));
    report.check(&format!("none of the {} others is alerted", traders.len()), innocent, &cases.text);
    let id = cases.text_at("/items/0/case_id");
    let case = desk.look("compliance", &format!("/v1/cases/{id}")).await?;
    let alerts = case.json.get("alerts").and_then(Value::as_array).cloned().unwrap_or_default();
    for alert in &alerts {
        let text = |name: &str| alert.get(name).and_then(Value::as_str).unwrap_or_default();
        say(&format!("    {:<40} {}", text("name"), text("standing")));
    }
    let urgent = case.text_at("/priority") == "urgent" && case.text.contains("structuring_day");
    report.check("urgent, with the payments that it is made of", urgent, &case.text);
    let unseen = desk.api.get(&desk.broker.url(&format!("/v1/cases/{id}")), desk.broker.token("finance")).await?;
    report.check("to finance it does not exist", unseen.status == 404, &unseen.text);
    Ok(id)
}

/// He pays in and takes out as before; what he takes out is approved by a person.
async fn goes_on(desk: &Desk<'_>, mule: &Trader, source: &str, report: &mut Report) -> Result<(), Failure> {
    let more = paid_in(desk, mule, "200.00").await?;
    report.check("his account takes money as before", !more.is_empty(), &more);
    let body = json!({
        "account_id": mule.account_id, "amount": {"amount": "150.00", "currency": "USD"},
        "destination": {"psp": "stripe", "source_payment_id": source},
    });
    let asked = desk.withdraw(mule, &body).await?;
    let waits = desk.payment_in(&asked, "requested").await?;
    let silent = !waits.text.contains("hold") && !waits.text.contains("case");
    report.check("what he takes out waits for a person, as anybody's may", silent, &waits.text);
    // the item is opened by what the withdrawal announces
    desk.broker.host.idle().await;
    let work = desk.work_of(&asked).await?;
    let id = work.first().and_then(|item| item.get("work_id")).and_then(Value::as_str).unwrap_or_default().to_owned();
    act(desk, "finance", &format!("/v1/work/{id}/actions"), &json!({"action": "approve"})).await?.expect(200)?;
    desk.payment_in(&asked, "paid_out").await?;
    report.check("and is paid once finance approves it", true, "");
    Ok(())
}

async fn decided(desk: &Desk<'_>, case: &str, report: &mut Report) -> Result<(), Failure> {
    let path = format!("/v1/cases/{case}/actions");
    act(desk, "compliance", &path, &json!({"action": "claim"})).await?.expect(200)?;
    let close = json!({"action": "propose_close", "outcome": "confirmed", "reason": "three sums below the threshold, no trade"});
    act(desk, "compliance", &path, &close).await?.expect(200)?;
    let own = act(desk, "compliance", &path, &json!({"action": "approve_close"})).await?;
    report.check("nobody approves his own word", own.status == 403, &own.text);
    let closed = act(desk, "compliance_2", &path, &json!({"action": "approve_close"})).await?;
    let confirmed = closed.text_at("/status") == "closed" && closed.text_at("/outcome") == "confirmed";
    report.check("two officers close the case: the suspicion stands", confirmed, &closed.text);
    Ok(())
}

async fn act(desk: &Desk<'_>, who: &str, path: &str, body: &Value) -> Result<Answer, Failure> {
    desk.api.send_json(Method::POST, &desk.broker.url(path), desk.broker.token(who), body).await
}
