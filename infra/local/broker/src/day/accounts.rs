//! Approved, and able to trade on four platforms: accounts that open by rule, on a brokerage whose rules say so.

use std::time::Instant;

use domain::rule_sets::SetName;
use serde_json::{Value, json};

use super::kyc::{complete, newcomer, register};
use super::leads::text;
use super::report::Report;
use super::say;
use super::steps::Desk;
use crate::Failure;
use crate::local::{Broker, Options};

/// A platform, what its simulator calls the creation of an account, and where the simulator keeps our reference.
const PLATFORMS: [(&str, &str, &str); 4] = [
    ("mt5", "user_add", "comment"),
    ("mt4", "new_account", "comment"),
    ("ctrader", "trader_create", "description"),
    ("dxtrade", "client_create", "reference"),
];
/// The one whose answer to the creation is lost.
const SILENT: &str = "ctrader";

/// Plays it.
///
/// # Errors
/// What kept it from being played.
pub async fn openings(report: &mut Report) -> Result<(), Failure> {
    let broker = Broker::start(Options { adjust: Some(open_by_rule), ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    let client = registered(&desk, report).await?;
    approved(&desk, report, &client).await?;
    broker.stop().await;
    Ok(())
}

/// A demo account at registration; after the approval a live one on each platform, and a second on MetaTrader 5 that is one too many.
fn open_by_rule(set: SetName, document: &mut Value) {
    if set != SetName::Platforms {
        return;
    }
    let row = |id: &str, trigger: &str, platform: &str, currency: &str, kind: &str| {
        json!({
            "id": id, "when": {"field": "trigger", "eq": trigger}, "then": {"platform": platform,
            "account_type": "standard", "currency": currency, "leverage": 100, "kind": kind},
        })
    };
    let mut rows = vec![row("demo_at_once", "registered", "mt5", "USD", "demo")];
    rows.extend(PLATFORMS.map(|(name, _, _)| row(&format!("live_{name}"), "kyc_approved", name, "USD", "live")));
    rows.push(row("live_mt5_eur", "kyc_approved", "mt5", "EUR", "live"));
    if let Some(set) = document.as_object_mut() {
        set.insert("openings".to_owned(), json!(rows));
        let one_live = json!({"id": "one_live", "when": {"field": "kind", "eq": "live"}, "then": {"max": 1}});
        set.insert("account_limits".to_owned(), json!([one_live]));
    }
}

async fn accounts(desk: &Desk<'_>, client: &str) -> Result<Vec<Value>, Failure> {
    let list = desk.look("portal", &format!("/v1/clients/{client}/accounts?limit=100")).await?.json;
    Ok(list.get("items").and_then(Value::as_array).cloned().unwrap_or_default())
}

async fn registered(desk: &Desk<'_>, report: &mut Report) -> Result<String, Failure> {
    let person = newcomer(desk, 700);
    say(&format!("{} registers where the rules open accounts by themselves", person.name()));
    let client = register(desk, &person).await?;
    desk.broker.host.idle().await;
    let open = accounts(desk, &client).await?;
    let shown: Vec<String> = open.iter().map(line).collect();
    shown.iter().for_each(|line| say(&format!("  {line}")));
    let demo = open.first().filter(|account| text(account, "/kind") == "demo" && text(account, "/status") == "open");
    report.check("has a demo account at once", open.len() == 1 && demo.is_some(), &shown.join("; "));
    let asked = open.first().and_then(|account| account.get("leverage")).and_then(Value::as_u64).unwrap_or_default();
    // the row says 100
    report.check("with the leverage that is allowed where he lives", (1..=100).contains(&asked), &asked.to_string());
    Ok(client)
}

fn line(account: &Value) -> String {
    let field = |name: &str| text(account, &format!("/{name}"));
    let leverage = account.get("leverage").map(Value::to_string).unwrap_or_default();
    let (kind, platform, status) = (field("kind"), field("platform"), field("status"));
    let (login, currency) = (field("login"), field("currency"));
    format!("{platform:<8} {kind:<5} {currency} 1:{leverage:<4} {status} {login}")
}

async fn approved(desk: &Desk<'_>, report: &mut Report, client: &str) -> Result<(), Failure> {
    say(&format!("is approved, and gets an account on four platforms; {SILENT} makes it and does not answer"));
    for (name, operation, _) in PLATFORMS.iter().filter(|(name, _, _)| *name == SILENT) {
        let fault = json!([{"operation": operation, "fault": {"kind": "apply_then_timeout", "ms": 20_000}}]);
        desk.api.control(&format!("{}/_control/faults", desk.broker.simulators.url(name)), &fault).await?;
    }
    let began = Instant::now();
    complete(desk, client, &newcomer(desk, 700), false).await?;
    let open = |all: &[Value]| {
        all.iter().filter(|account| text(account, "/kind") == "live" && text(account, "/status") == "open").count()
    };
    let mut all = accounts(desk, client).await?;
    // whoever does not answer is looked up as soon as that is safe
    while open(&all) < PLATFORMS.len() && began.elapsed().as_secs() < super::steps::PATIENCE_S {
        desk.pass("30s").await?;
        all = accounts(desk, client).await?;
    }
    all.iter().for_each(|account| say(&format!("  {}", line(account))));
    let live = |name: &str| {
        all.iter()
            .filter(|account| text(account, "/platform") == name && text(account, "/kind") == "live")
            .collect::<Vec<_>>()
    };
    let mut twice = Vec::new();
    for (name, _, reference) in PLATFORMS {
        let own = live(name);
        let is_open = own.iter().all(|account| text(account, "/status") == "open");
        report.check(&format!("{name}: one live account, open"), own.len() == 1 && is_open, &own.len().to_string());
        let id = own.first().map(|account| text(account, "/account_id")).unwrap_or_default();
        let state = desk.state(name, "part=users").await?;
        let users = state.get("users").and_then(Value::as_array).cloned().unwrap_or_default();
        let there = users.iter().filter(|user| text(user, &format!("/{reference}")) == id).count();
        if there != 1 {
            twice.push(format!("{name}: {there}"));
        }
    }
    report.check("and one on each platform, also where no answer came", twice.is_empty(), &twice.join(", "));
    told(desk, report, client, &all).await?;
    one_too_many(desk, report, client).await
}

/// The client is told login and server of each, and no password.
async fn told(desk: &Desk<'_>, report: &mut Report, client: &str, all: &[Value]) -> Result<(), Failure> {
    desk.broker.host.idle().await;
    let list = desk.look("portal", &format!("/v1/clients/{client}/notifications?limit=100")).await?.text;
    let untold: Vec<String> = all
        .iter()
        .map(|account| text(account, "/login"))
        .filter(|login| login.is_empty() || !list.contains(login))
        .collect();
    report.check("the client is told the login of each", untold.is_empty(), &untold.join(", "));
    let mut passwords = Vec::new();
    for account in all {
        let path = format!("/v1/accounts/{}/credentials", text(account, "/account_id"));
        let given = desk.portal(&path, &json!({})).await?.expect(200)?;
        passwords.push(given.text_at("/password"));
    }
    let mails = desk.broker.simulators.mails();
    let shown = |password: &String| {
        list.contains(password.as_str()) || mails.iter().any(|mail| format!("{mail:?}").contains(password.as_str()))
    };
    let leaked = passwords.iter().filter(|password| password.is_empty() || shown(password)).count();
    report.check(
        "and no password, which the portal shows once",
        leaked == 0,
        &format!("{leaked} of {}", passwords.len()),
    );
    Ok(())
}

/// What the rules want and the limits do not allow is a person's.
async fn one_too_many(desk: &Desk<'_>, report: &mut Report, client: &str) -> Result<(), Failure> {
    let list = desk.look("support", "/v1/work?queue=support&limit=100").await?.json;
    let items = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let own: Vec<&Value> = items.iter().filter(|item| text(item, "/subject/client_id") == client).collect();
    let reason = own.first().map(|item| text(item, "/trigger/data/refused/0/reason")).unwrap_or_default();
    say(&format!("  | {reason}"));
    let is_it = own.len() == 1 && own.iter().all(|item| text(item, "/kind") == "account_opening_refused");
    report.check("a fifth that his limit does not allow is support's to decide", is_it, &reason);
    Ok(())
}
