//! What a version of a rule set would have said of what was: scenarios with how much they would have told, decisions with what would differ.

use askama::Template;
use domain::rule_sets::SetName;
use runtime::Problem;
use runtime::http::Reply;
use serde_json::{Value, json};

use super::api::Asked;
use super::page::{Shell, html, redirect};
use super::values::{Line, Shown, items, lines, list as members, text, words};
use super::work::faults;
use super::{Call, Console, Visit};

/// Days that are tried where nobody says which.
const DAYS: i64 = 30;
const MS_OF_DAY: i64 = 86_400_000;
/// Differences that are shown.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "backtest.html")]
struct Tried {
    page: Shell,
    set: String,
    version: String,
    from: String,
    to: String,
    decisions: String,
    scenarios: Vec<Scenario>,
    summary: Vec<Line>,
    changed: Vec<Vec<Line>>,
    more: usize,
    done: bool,
    refused: String,
    faults: Vec<String>,
}

struct Scenario {
    name: String,
    mode: String,
    alerts: String,
    live: String,
    clients: String,
    rate: String,
    budget: String,
    above: bool,
    /// Hits that are new, and hits that are gone.
    changes: String,
}

fn scenario(own: &Value) -> Scenario {
    Scenario {
        name: words(text(own, "scenario")),
        mode: words(text(own, "mode")).to_lowercase(),
        alerts: own["alerts"].to_string(),
        live: own["live_alerts"].to_string(),
        clients: own["clients"].to_string(),
        rate: text(own, "alerts_per_1000_clients_and_day").to_owned(),
        budget: text(own, "noise_budget").to_owned(),
        above: own["above_budget"] == true,
        changes: match (own["added"].as_u64().unwrap_or(0), own["removed"].as_u64().unwrap_or(0)) {
            (0, 0) => "none".to_owned(),
            (added, removed) => format!("{added} more, {removed} fewer"),
        },
    }
}

/// A day of the form, or of the address.
fn day(visit: &Visit<'_>, name: &str, else_: domain::Timestamp) -> String {
    match visit.asked(name) {
        "" => domain::Day::of(else_).to_string(),
        asked => asked.to_owned(),
    }
}

/// Tries a version on the days of the address.
pub(super) async fn show(console: &Console, visit: &Visit<'_>, set: &str, version: &str) -> Result<Reply, Problem> {
    let now = visit.request.now;
    let then = domain::Timestamp::from_millis(now.millis().saturating_sub(DAYS * MS_OF_DAY)).unwrap_or(now);
    let (from, to) = (day(visit, "from", then), day(visit, "to", now));
    // the last day counts whole
    let body = json!({"from": format!("{from}T00:00:00Z"), "to": format!("{to}T23:59:59.999Z")});
    let path = ["v1", "rules", set, "versions", version, "backtest"];
    let told = console.api()?.ask(visit, Asked::post(&path, body)).await;
    let problem = match &told {
        Err(problem) if ![400, 422].contains(&problem.status) => return Err(problem.clone()),
        Err(problem) => Some(problem.clone()),
        Ok(_) => None,
    };
    let told = told.unwrap_or_default();
    let mut summary = told["summary"].clone();
    if let Some(summary) = summary.as_object_mut() {
        summary.remove("scenarios");
    }
    let changed = members(&told, "changed");
    let page = Tried {
        page: visit.shell.clone(),
        set: set.to_owned(),
        version: version.to_owned(),
        from,
        to,
        decisions: told["decisions"].to_string(),
        scenarios: members(&told["summary"], "scenarios").iter().map(scenario).collect(),
        summary: lines(&summary),
        changed: changed.iter().take(SHOWN).map(lines).collect(),
        more: changed.len().saturating_sub(SHOWN),
        done: problem.is_none(),
        refused: problem.as_ref().map_or_else(String::new, |problem| problem.detail.clone()),
        faults: problem.as_ref().map_or_else(Vec::new, faults),
    };
    html(problem.map_or(200, |problem| problem.status), &page)
}

/// To how much the scenarios that are live have told lately.
pub(super) async fn of_live_scenarios(console: &Console, visit: &Visit<'_>) -> Result<Reply, Problem> {
    let all = visit.ask(&console.rules, Call::get("/v1/rules", &[], &[("limit", "100")])).await?;
    let set = SetName::Scenarios.as_str();
    let live = items(&all).iter().find(|own| text(own, "set") == set && text(own, "status") == "live");
    let version = live.ok_or_else(super::no_page)?["version"].to_string();
    Ok(redirect(&format!("{}/rules/{set}/{version}/backtest", visit.shell.base)))
}
