//! Cases of compliance: the queue, and a case with what is normal for the client beside what is now. To everybody else no such page exists:
//! the steps that it asks say so.

use askama::Template;
use domain::Timestamp;
use domain::compliance::{CaseOutcome, CaseStatus};
use domain::words::Word as _;
use runtime::Problem;
use runtime::http::Reply;
use serde_json::{Map, Value, json};

use super::page::{Shell, html, redirect};
use super::values::{Line, Shown, items, list as members, part, text, words};
use super::work::{faults, utc};
use super::{Call, Console, Visit, session};

/// A chart, in units of its own.
const CHART_WIDTH: u32 = 520;
/// Of the bars; what is written below them comes on top.
const CHART_HEIGHT: u32 = 90;
/// What a page of the API has at most.
const PAGE: &str = "100";
/// Actions of a case that somebody else does not do for its owner, beside the words of the API.
const WITH_OUTCOME: &str = "propose_close";

#[derive(Template)]
#[template(path = "cases.html")]
struct Listed {
    page: Shell,
    statuses: Vec<Choice>,
    scenario: String,
    counts: Vec<Counted>,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Choice {
    name: &'static str,
    chosen: bool,
}

struct Counted {
    name: &'static str,
    count: usize,
}

struct Row {
    id: String,
    client: String,
    scenarios: Vec<String>,
    score: String,
    priority: String,
    status: String,
    owner: String,
    due_at: String,
    late: bool,
    alerts: String,
}

/// Cases by priority, then due time.
pub(super) async fn list(console: &Console, visit: &Visit<'_>) -> Result<Reply, Problem> {
    let asked = ["status", "scenario", "client", "cursor"].map(|name| (name, visit.asked(name)));
    let query = [asked[0], asked[1], asked[2], asked[3], ("limit", PAGE)];
    let found = visit.ask(&console.cases, Call::get("/v1/cases", &[], &query)).await?;
    let rows: Vec<Row> = items(&found).iter().map(|case| row(case, visit.request.now)).collect();
    let next = found["next_cursor"].as_str().map(|next| {
        let mut query = visit.request.query.clone();
        query.insert("cursor".to_owned(), next.to_owned());
        format!("{}/cases{}", visit.shell.base, session::query(&query))
    });
    let of = |priority: &'static str| Counted {
        name: priority,
        count: rows.iter().filter(|row| row.priority == priority).count(),
    };
    let counts = ["urgent", "high", "normal", "low"].map(of).into_iter().filter(|own| own.count > 0).collect();
    let statuses = CaseStatus::WORDS.iter().map(|word| word.text());
    let statuses = statuses.map(|name| Choice { name, chosen: name == asked[0].1 }).collect();
    let scenario = asked[1].1.to_owned();
    html(200, &Listed { page: visit.shell.clone(), statuses, scenario, counts, rows, next })
}

fn row(case: &Value, now: Timestamp) -> Row {
    let due_at = text(case, "due_at").to_owned();
    let late = text(case, "status") != "closed" && due_at.parse::<Timestamp>().is_ok_and(|due| due < now);
    Row {
        id: text(case, "case_id").to_owned(),
        client: text(case, "client_id").to_owned(),
        scenarios: names(case, "scenarios").iter().map(|name| words(name)).collect(),
        score: case["score"].to_string(),
        priority: text(case, "priority").to_owned(),
        status: words(text(case, "status")),
        owner: text(case, "owner").to_owned(),
        late,
        due_at,
        alerts: case["alert_count"].to_string(),
    }
}

fn names(value: &Value, member: &str) -> Vec<String> {
    members(value, member).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[derive(Template)]
#[template(path = "case.html")]
struct Case {
    page: Shell,
    client: String,
    top: Row,
    escalated: String,
    reasons: Vec<String>,
    about: Vec<Line>,
    figures: Vec<Figure>,
    charts: Vec<Chart>,
    alerts: Vec<Alert>,
    history: Vec<Step>,
    earlier: Vec<String>,
    reports: Vec<String>,
    snoozes: Vec<Line>,
    proposal: Vec<Line>,
    closed: Vec<Line>,
    options: Vec<Offered>,
    scenarios: Vec<String>,
    outcomes: Vec<&'static str>,
    refused: String,
    faults: Vec<String>,
    reason: String,
}

struct Figure {
    name: String,
    now: String,
    usual: String,
}

struct Alert {
    name: String,
    meaning: String,
    at: String,
    late: bool,
    standing: String,
    score: String,
    rule_version: String,
    features: Vec<Line>,
    why: Vec<String>,
    evidence: Vec<String>,
}

struct Step {
    at: String,
    by: String,
    action: String,
    text: String,
}

struct Offered {
    action: String,
    label: String,
    main: bool,
}

/// Weeks as bars, the oldest first.
struct Chart {
    title: &'static str,
    /// What the highest bar is.
    top: String,
    from: String,
    until: String,
    width: u32,
    height: u32,
    bars: Vec<Bar>,
}

struct Bar {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    title: String,
}

/// A case; after a refusal with why, and with what was typed.
pub(super) async fn case(
    console: &Console,
    visit: &Visit<'_>,
    id: &str,
    problem: Option<&Problem>,
) -> Result<Reply, Problem> {
    let found = visit.ask(&console.cases, Call::get("/v1/cases/{case_id}", &[("case_id", id)], &[])).await?;
    let weeks = members(&found["normal_pattern"], "weeks");
    let mut history: Vec<Step> = members(&found, "history").iter().map(step).collect();
    history.reverse();
    let mut alerts: Vec<Alert> = members(&found, "alerts").iter().map(alert).collect();
    alerts.reverse();
    let mut scenarios: Vec<String> =
        members(&found, "alerts").iter().map(|alert| text(alert, "scenario").to_owned()).collect();
    scenarios.sort();
    scenarios.dedup();
    let page = Case {
        page: visit.shell.clone(),
        client: text(&found, "client_id").to_owned(),
        top: row(&found, visit.request.now),
        escalated: text(&found, "escalated_at").to_owned(),
        reasons: names(&found, "reasons"),
        about: part(&found, "client"),
        figures: figures(&found["normal_pattern"]["figures"]),
        charts: [("Deposits", "deposits"), ("Withdrawals", "withdrawals"), ("Lots", "lots")]
            .into_iter()
            .filter_map(|(title, member)| chart(title, member, weeks))
            .collect(),
        alerts,
        history,
        earlier: names(&found, "earlier_cases"),
        reports: names(&found, "reports"),
        snoozes: part(&found, "snoozes"),
        proposal: part(&found, "proposal"),
        closed: part(&found, "closed"),
        options: members(&found, "options").iter().map(offered).collect(),
        scenarios,
        outcomes: CaseOutcome::WORDS.iter().map(|word| word.text()).collect(),
        refused: problem.map_or_else(String::new, |problem| problem.detail.clone()),
        faults: problem.map_or_else(Vec::new, faults),
        reason: problem.map_or_else(String::new, |_| visit.field("reason").to_owned()),
    };
    html(problem.map_or(200, |problem| problem.status), &page)
}

fn figures(value: &Value) -> Vec<Figure> {
    let shown = |figure: &Value, name: &str| match text(figure, name) {
        "" => "not known".to_owned(),
        number => number.to_owned(),
    };
    let all = value.as_object().into_iter().flatten();
    all.map(|(name, figure)| Figure { name: words(name), now: shown(figure, "now"), usual: shown(figure, "usual") })
        .collect()
}

fn alert(alert: &Value) -> Alert {
    Alert {
        name: text(alert, "name").to_owned(),
        meaning: text(alert, "meaning").to_owned(),
        at: text(alert, "at").to_owned(),
        late: alert["late"] == true,
        standing: match text(alert, "standing") {
            "counts" => String::new(),
            other => words(other),
        },
        score: alert["score"].to_string(),
        rule_version: text(alert, "rule_version").to_owned(),
        features: part(alert, "features"),
        why: names(alert, "why"),
        evidence: names(alert, "evidence"),
    }
}

fn step(line: &Value) -> Step {
    Step {
        at: text(line, "at").to_owned(),
        by: text(line, "by").to_owned(),
        action: words(text(line, "action")),
        text: text(line, "text").to_owned(),
    }
}

fn offered(option: &Value) -> Offered {
    let action = text(option, "action");
    let main = matches!(action, "claim" | "propose_close" | "approve_close" | "reopen");
    Offered { action: action.to_owned(), label: text(option, "label").to_owned(), main }
}

/// Thousandths of a figure; charts need no more, and nothing here is money any more.
fn thousandths(week: &Value, member: &str) -> u64 {
    let number = match &week[member] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (whole, rest) = number.split_once('.').unwrap_or((&number, ""));
    let rest: String = rest.chars().chain("000".chars()).take(3).collect();
    format!("{whole}{rest}").parse().unwrap_or(0)
}

/// None where nothing happened.
fn chart(title: &'static str, member: &str, weeks: &[Value]) -> Option<Chart> {
    let values: Vec<u64> = weeks.iter().map(|week| thousandths(week, member)).collect();
    let highest = values.iter().copied().max().filter(|highest| *highest > 0)?;
    let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let step = CHART_WIDTH / count;
    let shown = |week: &Value| week[member].as_str().map_or_else(|| week[member].to_string(), str::to_owned);
    let bars = values.iter().zip(weeks).zip(0_u32..).map(|((value, week), place)| {
        let height = value.saturating_mul(u64::from(CHART_HEIGHT)) / highest;
        // what is there is seen, however small
        let height = u32::try_from(height).unwrap_or(CHART_HEIGHT).max(u32::from(*value > 0));
        Bar {
            x: place * step,
            y: CHART_HEIGHT - height,
            width: step.saturating_sub(2).max(1),
            height,
            title: format!("until {}: {}", text(week, "until"), shown(week)),
        }
    });
    let top = weeks.iter().zip(&values).find(|(_, value)| **value == highest).map(|(week, _)| shown(week));
    Some(Chart {
        title,
        top: top.unwrap_or_default(),
        from: weeks.first().map(|week| text(week, "until").to_owned()).unwrap_or_default(),
        until: weeks.last().map(|week| text(week, "until").to_owned()).unwrap_or_default(),
        width: CHART_WIDTH,
        height: CHART_HEIGHT,
        bars: bars.collect(),
    })
}

/// Does what a button says, as the API would for the same person.
pub(super) async fn act(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let action = visit.field("action");
    let mut body = Map::from_iter([("action".to_owned(), json!(action))]);
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            body.insert(name.to_owned(), json!(value));
        }
    };
    add("reason", visit.field("reason").to_owned());
    if action == "snooze" {
        add("scenario", visit.field("scenario").to_owned());
        add("until", if visit.field("until").is_empty() { String::new() } else { utc(visit.field("until")) });
    }
    if action == WITH_OUTCOME {
        add("outcome", visit.field("outcome").to_owned());
    }
    let named = [("case_id", id)];
    let call = Call::post("/v1/cases/{case_id}/actions", &named, &Value::Object(body));
    match visit.ask(&console.cases, call).await {
        Ok(_) => Ok(redirect(&format!("{}/cases/{id}?done=case_{action}", visit.shell.base))),
        Err(problem) if problem.status == 404 => Err(problem),
        Err(problem) => case(console, visit, id, Some(&problem)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_share_and_what_is_small_is_seen() {
        let week = |deposits: &str| json!({"until": "2026-11-23", "deposits": deposits});
        let weeks = [week("0"), week("0.50"), week("1000"), week("500.25")];
        let drawn = chart("Deposits", "deposits", &weeks).unwrap();
        let heights: Vec<u32> = drawn.bars.iter().map(|bar| bar.height).collect();
        assert_eq!((heights, drawn.top.as_str()), (vec![0, 1, CHART_HEIGHT, CHART_HEIGHT / 2], "1000"));
        assert!(drawn.bars.iter().all(|bar| bar.x + bar.width <= CHART_WIDTH && bar.y + bar.height == CHART_HEIGHT));
        assert!(chart("Deposits", "deposits", &[week("0")]).is_none());
        assert!(chart("Deposits", "deposits", &[]).is_none());
    }
}
