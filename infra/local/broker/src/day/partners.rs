//! Three partners, one over the other: a day's trades, a tier that is crossed, a correction, and the month closed and paid by the local clock.

use domain::partner::verify::{Document, verify};
use domain::rule_sets::SetName;
use host::LocalTime;
use http::Method;
use runtime::Clock as _;
use serde_json::{Value, json};

use super::leads::text;
use super::report::Report;
use super::say;
use super::steps::{Desk, Trader};
use super::trading::push;
use crate::Failure;
use crate::api::Answer;
use crate::local::{Broker, Options};

const MORNING: &str = "2026-11-24T09:00:00Z";

/// Plays the month.
///
/// # Errors
/// What kept it from being played.
pub async fn month(report: &mut Report) -> Result<(), Failure> {
    say(
        "three partners stand one over the other: Iris brings a client for 5 a lot, Ravi gets the difference to 7, Mona to 8",
    );
    let time = LocalTime::showing(MORNING.parse()?);
    let broker = Broker::start(Options { time: Some(time), adjust: Some(three_levels), ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    let bank = json!({"rail": "bank", "name": "Iris Bauer", "iban": "DE89370400440532013000"});
    let wallet = json!({"rail": "wallet", "psp": "skrill", "email": "ravi@example.com"});
    let mona = partner(&desk, "Mona", None, "master", &bank).await?;
    let ravi = partner(&desk, "Ravi", Some(&mona), "regional", &wallet).await?;
    let iris = partner(&desk, "Iris", Some(&ravi), "standard", &bank).await?;
    let three = [iris, ravi, mona];
    trades(&desk, report, &three).await?;
    paid(&desk, report, &three).await?;
    broker.stop().await;
    Ok(())
}

/// The seed has two levels; the one between them gets a rate between theirs.
fn three_levels(set: SetName, document: &mut Value) {
    if set != SetName::PartnerAgreements {
        return;
    }
    let Some(agreements) = document.get_mut("agreements").and_then(Value::as_object_mut) else { return };
    let lots = json!({"id": "lots", "model": "lot", "rates": [{"id": "all", "when": "always", "then": 7}]});
    let regional = json!({"currency": "USD", "pay": [lots], "overrides": {"kind": "difference"}, "payout_min": 50});
    agreements.insert("regional".to_owned(), regional);
}

async fn staff(desk: &Desk<'_>, who: &str, path: &str, body: &Value) -> Result<Answer, Failure> {
    let key = format!("partners-{who}-{path}-{body}");
    let key = key.get(..key.len().min(200)).unwrap_or("partners").to_owned();
    desk.api.post(&desk.broker.url(path), desk.broker.token(who), &key, body).await
}

/// A partner who has accepted an agreement and whom compliance knows.
async fn partner(
    desk: &Desk<'_>,
    name: &str,
    parent: Option<&str>,
    agreement: &str,
    payout: &Value,
) -> Result<String, Failure> {
    let mut body = json!({
        "full_name": name, "email": format!("{}@example.com", name.to_lowercase()), "country": "DE", "code": name, "payout": payout,
    });
    if let (Some(parent), Some(body)) = (parent, body.as_object_mut()) {
        body.insert("parent_id".to_owned(), json!(parent));
    }
    let id = desk.portal("/v1/partners", &body).await?.expect(201)?.text_at("/partner_id");
    let path = format!("/v1/partners/{id}/agreement");
    staff(desk, "finance", &path, &json!({"agreement_id": agreement})).await?.expect(201)?;
    desk.portal(&format!("{path}/accept"), &json!({})).await?.expect(200)?;
    desk.broker.host.idle().await;
    let items = desk.look("compliance", "/v1/work?queue=compliance&limit=100").await?.json;
    let items = items.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = |item: &&Value| item.pointer("/subject/partner_id").and_then(Value::as_str) == Some(&id);
    let item = items.iter().find(own).map(|item| text(item, "/work_id")).unwrap_or_default();
    staff(desk, "compliance", &format!("/v1/work/{item}/actions"), &json!({"action": "approve"})).await?.expect(200)?;
    desk.broker.host.idle().await;
    Ok(id)
}

fn deal(trader: &Trader, number: u32, lots: &str, at: &str) -> Value {
    json!({
        "deal": number, "position": format!("p{number}"), "login": trader.login, "symbol": "EURUSD", "side": "sell", "entry": "out",
        "lots": lots, "price": "1.09012", "profit": "10.00", "commission": "0", "swap": "0", "currency": "USD", "at": at,
    })
}

/// What the three have accrued.
async fn accrued(desk: &Desk<'_>, three: &[String; 3], what: &str) -> Result<String, Failure> {
    desk.broker.host.idle().await;
    let mut all = Vec::new();
    for partner in three {
        let shown = desk.look("finance", &format!("/v1/partners/{partner}")).await?;
        all.push(shown.text_at(&format!("/balances/{what}/amount")));
    }
    Ok(all.join(" / "))
}

async fn trades(desk: &Desk<'_>, report: &mut Report, three: &[String; 3]) -> Result<(), Failure> {
    let trader = desk.opened(desk.trader("Nora Novak", "en", "USD").await?).await?;
    let path = format!("/v1/clients/{}/partner", trader.client_id);
    let [iris, _, _] = three;
    let saying = json!({"partner_id": iris, "effective_at": MORNING, "reason": "she came by Iris's link"});
    desk.api
        .send_json(Method::PUT, &desk.broker.url(&path), desk.broker.token("finance"), &saying)
        .await?
        .expect(200)?;
    desk.pass("2m").await?;
    let at = desk.broker.host.time().now().to_string();
    say("her client trades 500 lots; one deal of 100 turns out to have been 50, and is corrected");
    let first: Vec<Value> = (1..=5).map(|number| deal(&trader, number, "100", &at)).collect();
    push(desk, &first).await?;
    let before = accrued(desk, three, "accrued").await?;
    report.check("each level has its part within seconds", before == "2500.00 / 1000.00 / 500.00", &before);
    let mut correction = deal(&trader, 6, "50", &at);
    if let Some(correction) = correction.as_object_mut() {
        correction.insert("corrects".to_owned(), json!("3"));
    }
    push(desk, &[correction.clone()]).await?;
    push(desk, &[correction]).await?;
    let after = accrued(desk, three, "accrued").await?;
    report.check("a correction takes back what stood, once", after == "2250.00 / 900.00 / 450.00", &after);
    say("and 560 lots more: above 1 000 a month Iris gets a tenth more, for the 10 lots above alone");
    let more: Vec<Value> = (7..=14).map(|number| deal(&trader, number, "70", &at)).collect();
    push(desk, &more).await?;
    let tier = accrued(desk, three, "accrued").await?;
    report.check("the tier counts for the lots above it", tier == "5055.00 / 2020.00 / 1010.00", &tier);
    Ok(())
}

/// The statement of the newest month, reckoned again from its own content.
async fn statement(desk: &Desk<'_>, partner: &str) -> Result<(String, String), Failure> {
    let heads = desk.look("finance", &format!("/v1/partners/{partner}/statements")).await?;
    let path = format!("/v1/statements/{}?format=document", heads.text_at("/items/0/statement_id"));
    let document: Document = serde_json::from_value(desk.look("finance", &path).await?.json)?;
    let found = verify(std::slice::from_ref(&document));
    Ok((document.head.closing.amount_text(), format!("{} lines, {} differences", document.lines.len(), found.len())))
}

async fn paid(desk: &Desk<'_>, report: &mut Report, three: &[String; 3]) -> Result<(), Failure> {
    say("the month ends; five days later it is closed, and finance pays");
    desk.pass("13d").await?;
    let [iris, ..] = three;
    let (closing, lines) = statement(desk, iris).await?;
    report.check(
        "her statement bears itself out",
        closing == "5055.00" && lines.ends_with(" 0 differences"),
        &format!("{closing}: {lines}"),
    );
    let run = staff(desk, "finance", "/v1/payout-runs", &json!({"period": "2026-11"})).await?.expect(201)?;
    let (id, total) = (run.text_at("/run_id"), run.text_at("/total/amount"));
    report.check("a run would pay all three", total == "8085.00", &total);
    let actions = format!("/v1/payout-runs/{id}/actions");
    let own = staff(desk, "finance", &actions, &json!({"action": "approve"})).await?;
    report.check("who drafted it cannot approve it", own.status == 403, &own.status.to_string());
    staff(desk, "finance_2", &actions, &json!({"action": "approve"})).await?.expect(200)?;
    staff(desk, "finance_2", &actions, &json!({"action": "execute"})).await?.expect(200)?;
    desk.broker.host.idle().await;
    let file = desk.look("finance", &format!("/v1/payout-runs/{id}?format=pain001")).await?.text;
    report.check(
        "the bank gets a file with two payments",
        file.matches("<EndToEndId>").count() == 2,
        &format!("{} bytes", file.len()),
    );
    let status = desk.look("finance", &format!("/v1/payout-runs/{id}")).await?.text_at("/status");
    let balances = accrued(desk, three, "paid").await?;
    let held = status == "done" && balances == "5055.00 / 2020.00 / 1010.00";
    report.check("each is paid, by bank and by wallet", held, &format!("{status}: {balances}"));
    let again = staff(desk, "finance", "/v1/payout-runs", &json!({"period": "2026-11", "currency": "USD"}))
        .await?
        .expect(201)?;
    report.check(
        "and a second run of the month pays nobody",
        again.text_at("/total/amount") == "0.00",
        &again.text_at("/total/amount"),
    );
    Ok(())
}
