//! Partners: who there is, who stands under whom, what each earned, his statements, and the runs that pay them.

use askama::Template;
use domain::partner::payee::Rail;
use domain::words::Word as _;
use runtime::Problem;
use runtime::auth::Role;
use runtime::http::Reply;
use serde_json::{Map, Value, json};

use super::api::Asked;
use super::page::{Shell, html, redirect};
use super::values::{Line, Shown, items, lines, list as members, money, text, words};
use super::work::faults;
use super::{Console, Visit, session};

#[derive(Template)]
#[template(path = "partners.html")]
struct Listed {
    page: Shell,
    partners: Vec<Row>,
    next: Option<String>,
    /// None to whoever pays nobody.
    runs: Option<Vec<Run>>,
    next_runs: Option<String>,
    rails: Vec<&'static str>,
    key: String,
    month: String,
    refused: String,
    faults: Vec<String>,
}

struct Row {
    id: String,
    code: String,
    status: String,
    country: String,
    applied_at: String,
    agreement: String,
}

struct Run {
    id: String,
    period: String,
    status: String,
    total: String,
    payouts: String,
    by: String,
}

fn amount(value: &Value) -> String {
    money(value).unwrap_or_default()
}

/// The same page from another place in one of its lists on.
fn next(visit: &Visit<'_>, found: &Value, name: &str) -> Option<String> {
    let mut query = visit.request.query.clone();
    query.insert(name.to_owned(), found["next_cursor"].as_str()?.to_owned());
    Some(session::query(&query))
}

/// Partners and runs, the newest first; after a refused draft of a run with why.
pub(super) async fn list(console: &Console, visit: &Visit<'_>, problem: Option<&Problem>) -> Result<Reply, Problem> {
    let api = console.api()?;
    let from = [("cursor", visit.asked("cursor"))];
    let found = api.ask(visit, Asked::get(&["v1", "partners"], &from)).await?;
    let (mut runs, mut next_runs) = (None, None);
    if visit.caller.require(&[Role::Finance]).is_ok() {
        let from = [("cursor", visit.asked("runs")), ("limit", "10")];
        let all = api.ask(visit, Asked::get(&["v1", "payout-runs"], &from)).await?;
        next_runs = next(visit, &all, "runs");
        runs = Some(items(&all).iter().map(run_row).collect());
    }
    let row = |partner: &Value| Row {
        id: text(partner, "partner_id").to_owned(),
        code: text(partner, "code").to_owned(),
        status: words(text(partner, "status")),
        country: text(partner, "country").to_owned(),
        applied_at: text(partner, "applied_at").to_owned(),
        agreement: text(&partner["agreement"], "id").to_owned(),
    };
    let today = domain::Day::of(visit.request.now).to_string();
    let month = Some(visit.field("period")).filter(|period| !period.is_empty()).or(today.get(..7)).unwrap_or_default();
    let page = Listed {
        page: visit.shell.clone(),
        partners: items(&found).iter().map(row).collect(),
        next: next(visit, &found, "cursor"),
        runs,
        next_runs,
        rails: Rail::WORDS.iter().map(|word| word.text()).collect(),
        key: console.fresh_key()?,
        month: month.to_owned(),
        refused: problem.map_or_else(String::new, |problem| problem.detail.clone()),
        faults: problem.map_or_else(Vec::new, faults),
    };
    html(problem.map_or(200, |problem| problem.status), &page)
}

fn run_row(run: &Value) -> Run {
    Run {
        id: text(run, "run_id").to_owned(),
        period: text(run, "period").to_owned(),
        status: words(text(run, "status")),
        total: amount(&run["total"]),
        payouts: run["payouts"].to_string(),
        by: text(run, "drafted_by").to_owned(),
    }
}

#[derive(Template)]
#[template(path = "partner.html")]
struct One {
    page: Shell,
    id: String,
    code: String,
    status: String,
    about: Vec<Line>,
    balances: Vec<(String, String)>,
    tree: Vec<Node>,
    truncated: bool,
    statements: Vec<Head>,
    next: Option<String>,
}

struct Node {
    /// How far below the partner of the page.
    depth: usize,
    id: String,
    code: String,
    status: String,
    clients: String,
}

struct Head {
    id: String,
    period: String,
    opening: String,
    earned: String,
    paid: String,
    closing: String,
}

/// A partner with who stands under him.
pub(super) async fn one(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let api = console.api()?;
    let from = [("cursor", visit.asked("cursor")), ("limit", "12")];
    let (own, tree, stated) =
        (["v1", "partners", id], ["v1", "partners", id, "tree"], ["v1", "partners", id, "statements"]);
    let (own, tree, stated) = futures::future::try_join3(
        api.ask(visit, Asked::get(&own, &[])),
        api.ask(visit, Asked::get(&tree, &[])),
        api.ask(visit, Asked::get(&stated, &from)),
    )
    .await?;
    let mut about = own.clone();
    if let Some(about) = about.as_object_mut() {
        about.retain(|name, _| !["partner_id", "code", "status", "balances"].contains(&name.as_str()));
    }
    let balance = |(name, value): (&String, &Value)| (words(name), amount(value));
    let mut nodes = Vec::new();
    let truncated = branches(&tree, 0, &mut nodes);
    let page = One {
        page: visit.shell.clone(),
        id: id.to_owned(),
        code: text(&own, "code").to_owned(),
        status: words(text(&own, "status")),
        about: lines(&about),
        balances: own["balances"].as_object().into_iter().flatten().map(balance).collect(),
        tree: nodes,
        truncated,
        statements: items(&stated).iter().map(head).collect(),
        next: next(visit, &stated, "cursor"),
    };
    html(200, &page)
}

/// Everybody below, each after who is over him; whether some are left out.
fn branches(of: &Value, depth: usize, nodes: &mut Vec<Node>) -> bool {
    let mut truncated = of["truncated"] == true;
    for child in members(of, "children") {
        nodes.push(Node {
            depth: depth.saturating_add(1),
            id: text(child, "partner_id").to_owned(),
            code: text(child, "code").to_owned(),
            status: words(text(child, "status")),
            clients: child["clients"].to_string(),
        });
        truncated |= branches(child, depth.saturating_add(1), nodes);
    }
    truncated
}

fn head(statement: &Value) -> Head {
    Head {
        id: text(statement, "statement_id").to_owned(),
        period: text(statement, "period").to_owned(),
        opening: amount(&statement["opening"]),
        earned: amount(&statement["totals"]["earned"]),
        paid: amount(&statement["totals"]["paid"]),
        closing: amount(&statement["closing"]),
    }
}

#[derive(Template)]
#[template(path = "statement.html")]
struct Statement {
    page: Shell,
    partner: String,
    head: Head,
    sums: Vec<Line>,
    hash: String,
    rows: Vec<Earned>,
    /// How many it has in all.
    lines: String,
    next: Option<String>,
}

struct Earned {
    at: String,
    client: String,
    what: String,
    level: String,
    base: String,
    rate: String,
    amount: String,
    why: String,
}

/// A month's statement, to be read or printed.
pub(super) async fn statement(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let from = [("cursor", visit.asked("cursor")), ("limit", "100")];
    let found = console.api()?.ask(visit, Asked::get(&["v1", "statements", id], &from)).await?;
    let row = |line: &Value| Earned {
        at: text(line, "at").to_owned(),
        client: text(line, "client").to_owned(),
        what: words(text(line, "model")),
        level: line["level"].to_string(),
        base: text(line, "base").to_owned(),
        rate: text(line, "rate").to_owned(),
        amount: amount(&line["amount"]),
        why: members(line, "why").iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
    };
    let mut sums = found["totals"].clone();
    if let Some(sums) = sums.as_object_mut() {
        sums.retain(|name, _| !["earned", "paid"].contains(&name.as_str()));
    }
    let page = Statement {
        page: visit.shell.clone(),
        partner: text(&found, "partner_id").to_owned(),
        head: head(&found),
        sums: lines(&sums),
        hash: text(&found, "hash").to_owned(),
        rows: members(&found, "lines").iter().map(row).collect(),
        lines: found["lines_count"].to_string(),
        next: next(visit, &found, "cursor"),
    };
    html(200, &page)
}

#[derive(Template)]
#[template(path = "run.html")]
struct PayoutRun {
    page: Shell,
    top: Run,
    about: Vec<Line>,
    payouts: Vec<Payout>,
    left_out: Vec<LeftOut>,
    /// What may be done: the word, how it is said, and whether it is what comes next.
    actions: Vec<(&'static str, &'static str, bool)>,
    has_file: bool,
    /// Payouts that may come back.
    paid: Vec<String>,
    refused: String,
    faults: Vec<String>,
    reason: String,
}

struct Payout {
    id: String,
    partner: String,
    amount: String,
    rail: String,
    status: String,
    reference: String,
    why: String,
}

struct LeftOut {
    partner: String,
    amount: String,
    why: String,
}

/// A run; after a refusal with why, and with what was typed.
pub(super) async fn run(
    console: &Console,
    visit: &Visit<'_>,
    id: &str,
    problem: Option<&Problem>,
) -> Result<Reply, Problem> {
    let found = console.api()?.ask(visit, Asked::get(&["v1", "payout-runs", id], &[])).await?;
    let payouts: Vec<Payout> = members(&found, "payouts").iter().map(payout).collect();
    let out = |own: &Value| LeftOut {
        partner: text(own, "partner_id").to_owned(),
        amount: amount(&own["amount"]),
        why: text(own, "why").to_owned(),
    };
    let mut about = found.clone();
    if let Some(about) = about.as_object_mut() {
        let told = [
            "currency",
            "rail",
            "drafted_by",
            "drafted_at",
            "approved_by",
            "executed_by",
            "file",
            "ended",
            "left_out_more",
        ];
        about.retain(|name, _| told.contains(&name.as_str()));
    }
    let mut top = run_row(&found);
    top.payouts = payouts.len().to_string();
    let page = PayoutRun {
        page: visit.shell.clone(),
        about: lines(&about),
        left_out: members(&found, "left_out").iter().map(out).collect(),
        actions: match text(&found, "status") {
            "draft" => vec![("approve", "Approve", true), ("cancel", "Cancel the run", false)],
            "approved" => vec![("execute", "Pay", true), ("cancel", "Cancel the run", false)],
            _ => vec![],
        },
        has_file: !found["file"].is_null(),
        paid: payouts.iter().filter(|own| own.status == "Paid").map(|own| own.id.clone()).collect(),
        payouts,
        top,
        refused: problem.map_or_else(String::new, |problem| problem.detail.clone()),
        faults: problem.map_or_else(Vec::new, faults),
        reason: problem.map_or_else(String::new, |_| visit.field("reason").to_owned()),
    };
    html(problem.map_or(200, |problem| problem.status), &page)
}

fn payout(own: &Value) -> Payout {
    Payout {
        id: text(own, "payout_id").to_owned(),
        partner: text(own, "partner_id").to_owned(),
        amount: amount(&own["amount"]),
        rail: text(own, "rail").to_owned(),
        status: words(text(own, "status")),
        reference: text(own, "reference").to_owned(),
        why: text(own, "why").to_owned(),
    }
}

/// Drafts a run: pressed twice, it is one.
pub(super) async fn draft(console: &Console, visit: &Visit<'_>) -> Result<Reply, Problem> {
    let mut body = Map::new();
    for name in ["period", "rail", "currency"] {
        if !visit.field(name).is_empty() {
            body.insert(name.to_owned(), json!(visit.field(name)));
        }
    }
    let asked = Asked::post(&["v1", "payout-runs"], Value::Object(body)).keyed(visit.field("key"));
    match console.api()?.ask(visit, asked).await {
        Ok(drafted) => Ok(redirect(&format!("{}/runs/{}?done=run_draft", visit.shell.base, text(&drafted, "run_id")))),
        Err(problem) if [401, 403, 404].contains(&problem.status) => Err(problem),
        Err(problem) => list(console, visit, Some(&problem)).await,
    }
}

/// Does what a button of a run says.
pub(super) async fn act(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let action = visit.field("action");
    let mut body = Map::from_iter([("action".to_owned(), json!(action))]);
    if action == "returned" {
        for name in ["payout_id", "reason"] {
            body.insert(name.to_owned(), json!(visit.field(name)));
        }
    }
    let path = ["v1", "payout-runs", id, "actions"];
    match console.api()?.ask(visit, Asked::post(&path, Value::Object(body))).await {
        Ok(_) => Ok(redirect(&format!("{}/runs/{id}?done=run_{action}", visit.shell.base))),
        Err(problem) if problem.status == 404 => Err(problem),
        Err(problem) => run(console, visit, id, Some(&problem)).await,
    }
}

/// A statement or a run as a file to keep.
pub(super) async fn file(
    console: &Console,
    visit: &Visit<'_>,
    of: &str,
    id: &str,
    format: &str,
) -> Result<Reply, Problem> {
    console.api()?.file(visit, Asked::get(&["v1", of, id], &[("format", format)])).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_told_from_top_to_bottom() {
        let leaf = |id: &str, children: Value| json!({"partner_id": id, "code": id, "status": "active", "clients": 1, "children": children});
        let tree = leaf("a", json!([leaf("b", json!([leaf("c", json!([]))])), leaf("d", json!([]))]));
        let mut nodes = Vec::new();
        assert!(!branches(&tree, 0, &mut nodes));
        let told: Vec<(usize, &str)> = nodes.iter().map(|node| (node.depth, node.id.as_str())).collect();
        assert_eq!(told, [(1, "b"), (2, "c"), (1, "d")]);
        let cut = json!({"children": [{"children": [], "truncated": true}]});
        assert!(branches(&cut, 0, &mut Vec::new()));
    }
}
