//! Clients who paid in and do not trade, over weeks of the local clock: one is written to, called, and says no; one is held out; one, who
//! lives where that is allowed, is granted a bonus.

use domain::journey::cohort::bucket;
use host::LocalTime;
use http::Method;
use serde_json::{Value, json};

use super::leads::text;
use super::report::Report;
use super::say;
use super::steps::{Desk, Trader};
use crate::Failure;
use crate::local::{Broker, Options};

/// Ten in the morning in Madrid.
const MORNING: &str = "2026-09-01T08:00:00Z";
/// Buckets that the seed's journey of inactive clients holds out.
const HELD_OUT: u32 = 1_000;
/// Registrations among which one of each part is found, all but surely.
const TRIES: u32 = 120;

/// Plays the weeks.
///
/// # Errors
/// What kept them from being played.
pub async fn weeks(report: &mut Report) -> Result<(), Failure> {
    say(
        "three clients pay in 300.00 USD in September and do not trade; one belongs to the tenth that is held out for comparison, one lives in Mexico",
    );
    let time = LocalTime::showing(MORNING.parse()?);
    let broker = Broker::start(Options { time: Some(time), ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    let iris = payer(&desk, &IRIS).await?;
    let otto = payer(&desk, &OTTO).await?;
    let mara = payer(&desk, &MARA).await?;
    written_to(&desk, &iris, report).await?;
    says_no(&desk, &iris, report).await?;
    has_credit(&desk, &mara, report).await?;
    compared(&desk, &otto, report).await?;
    broker.stop().await;
    Ok(())
}

/// Who pays in.
struct Payer {
    name: &'static str,
    phone: &'static str,
    residence: &'static str,
    /// Whether the journey treats her, or holds her out.
    treated: bool,
    /// Whether she wants to be written to.
    written_to: bool,
}

const IRIS: Payer =
    Payer { name: "Iris Ibarra", phone: "+34600111222", residence: "ES", treated: true, written_to: true };
const OTTO: Payer = Payer { name: "Otto Olmo", treated: false, ..IRIS };
const MARA: Payer =
    Payer { name: "Mara Mora", phone: "+525512345678", residence: "MX", treated: true, written_to: false };

/// A client who paid in, of the part of the clients that is asked for.
async fn payer(desk: &Desk<'_>, who: &Payer) -> Result<Trader, Failure> {
    for number in 0..TRIES {
        let mailbox = who.name.to_lowercase().replace(' ', ".");
        let body = json!({
            "email": format!("{mailbox}-{number}@example.com"), "phone": who.phone, "full_name": who.name,
            "date_of_birth": "1990-05-17", "residence": who.residence, "nationality": "ES", "language": "es",
        });
        let client = desk.portal("/v1/clients", &body).await?.expect(201)?.text_at("/client_id");
        if (bucket("inactive/1", &client) >= HELD_OUT) != who.treated {
            continue;
        }
        let yes = who.written_to;
        let all = json!({"email": yes, "sms": yes, "phone": true, "topics": {"marketing": true}});
        let url = desk.broker.url(&format!("/v1/clients/{client}/consents"));
        let bearer = format!("Bearer {}", desk.broker.token("portal"));
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        desk.api.send(Method::PUT, &url, &headers, all.to_string().into_bytes()).await?.expect(200)?;
        let wish =
            json!({"platform": "mt5", "account_type": "standard", "currency": "USD", "leverage": 30, "kind": "live"});
        let path = format!("/v1/clients/{client}/accounts");
        let account_id = desk.portal(&path, &wish).await?.expect(202)?.text_at("/account_id");
        let trader = Trader { client_id: client, account_id, login: String::new() };
        let trader = desk.opened(trader).await?;
        let payment = desk.deposit(&trader, "300.00", "USD", "stripe").await?;
        desk.pay("stripe", &payment, json!({})).await?;
        desk.payment_in(&payment, "credited").await?;
        return Ok(trader);
    }
    Err("no client of that part was registered".into())
}

/// What happened in the client's journey of inactivity: step, what, why.
async fn told(desk: &Desk<'_>, trader: &Trader) -> Result<Vec<(String, String, String)>, Failure> {
    let all = desk.look("portal", &format!("/v1/clients/{}/journeys", trader.client_id)).await?.json;
    let all = all.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let run = all.into_iter().find(|run| text(run, "/journey") == "inactive").unwrap_or_default();
    let lines = run.get("history").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(lines.iter().map(|line| (text(line, "/step"), text(line, "/did"), text(line, "/why"))).collect())
}

fn has(lines: &[(String, String, String)], step: &str, did: &str) -> bool {
    lines.iter().any(|(own, what, _)| own == step && what == did)
}

async fn written_to(desk: &Desk<'_>, iris: &Trader, report: &mut Report) -> Result<(), Failure> {
    desk.pass("13d").await?;
    let early = desk.broker.simulators.mails().iter().filter(|mail| mail.raw.is_some()).count();
    report.check("thirteen days later nobody is written to", early == 0, &early.to_string());
    desk.pass("2d").await?;
    let mails = desk.broker.simulators.mails();
    let subjects: Vec<&str> =
        mails.iter().filter(|mail| mail.raw.is_some()).map(|mail| mail.subject.as_str()).collect();
    report.check("after fourteen days one of them has a mail", subjects == ["¿Va todo bien?"], &subjects.join(", "));
    desk.pass("16d").await?;
    let state = desk.state("twilio", "").await?;
    let texts = state.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    let work = desk.look("sales", "/v1/work?queue=sales&limit=100").await?.json;
    let items = work.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let own =
        |item: &&Value| text(item, "/kind") == "retention_call" && text(item, "/subject/client_id") == iris.client_id;
    let calls = items.iter().filter(own).count();
    report.check(
        "after thirty a text message and somebody to call",
        (texts, calls) == (1, 1),
        &format!("{texts}, {calls}"),
    );
    let lines = told(desk, iris).await?;
    for (step, did, why) in lines.iter().filter(|(_, did, _)| did != "waited") {
        say(&format!("    {step:<9} {did:<10} {why}"));
    }
    Ok(())
}

async fn says_no(desk: &Desk<'_>, iris: &Trader, report: &mut Report) -> Result<(), Failure> {
    say("a scanner opens the link to unsubscribe, and then the client presses its button");
    let mails = desk.broker.simulators.mails();
    let link = mails.iter().find_map(|mail| mail.headers.get("list-unsubscribe")).cloned().unwrap_or_default();
    let link = link.trim_matches(['<', '>']);
    desk.api.send(Method::GET, link, &[], Vec::new()).await?.expect(200)?;
    let journal = desk.look("support", &format!("/v1/journal?entity={}&limit=100", iris.client_id)).await?;
    let before = journal.text.matches("client.consents").count();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    desk.api.send(Method::POST, link, &form, b"List-Unsubscribe=One-Click".to_vec()).await?.expect(200)?;
    desk.broker.host.idle().await;
    let journal = desk.look("support", &format!("/v1/journal?entity={}&limit=100", iris.client_id)).await?;
    let after = journal.text.matches("client.consents").count();
    report.check("looking changes nothing, pressing does", after == before + 1, &format!("{before}, {after}"));
    desk.pass("31d").await?;
    let lines = told(desk, iris).await?;
    report.check("after sixty days he gets no mail", has(&lines, "campaign", "suppressed"), &format!("{lines:?}"));
    let barred = lines.iter().any(|(step, did, why)| step == "bonus" && did == "suppressed" && why == "barred");
    report.check("and no bonus, which is barred where he lives", barred, &format!("{lines:?}"));
    Ok(())
}

/// What she was granted is on her account as credit, beside her money, and she is told what it is.
async fn has_credit(desk: &Desk<'_>, mara: &Trader, report: &mut Report) -> Result<(), Failure> {
    let state = desk.state("mt5", &format!("login={}&part=users", mara.login)).await?;
    let shown = (text(&state, "/users/0/credit"), text(&state, "/users/0/balance"));
    let right = shown == ("25.00".to_owned(), "300.00".to_owned());
    report.check(
        "in Mexico, where it is not, 25.00 USD of credit stand beside the money",
        right,
        &format!("{shown:?}"),
    );
    let messages = desk.look("portal", &format!("/v1/clients/{}/notifications", mara.client_id)).await?;
    report.check("and she is told until when", messages.text.contains("25.00 USD de crédito"), &messages.text);
    Ok(())
}

async fn compared(desk: &Desk<'_>, otto: &Trader, report: &mut Report) -> Result<(), Failure> {
    let lines = told(desk, otto).await?;
    let nothing = lines.iter().all(|(_, did, _)| did == "entered");
    report.check("the other one was held out", nothing && lines.len() == 1, &format!("{lines:?}"));
    let told = desk.look("sales", "/v1/journeys/inactive/report").await?.json;
    let own = told.pointer("/versions/0").cloned().unwrap_or_default();
    let counts = (own.get("treated").cloned(), own.get("held_out").cloned(), text(&own, "/note"));
    let right = counts == (Some(json!(2)), Some(json!(1)), "too few".to_owned());
    report.check("and the report says that three are too few for a number", right, &own.to_string());
    Ok(())
}
