//! Rule sets: what holds, what somebody wrote, what it would change, and publishing it.

use askama::Template;
use runtime::Problem;
use runtime::http::Reply;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::page::{Shell, html, redirect};
use super::values::{Line, Shown, items, lines, list as members, text};
use super::work::{faults, utc};
use super::{Call, Console, Visit};

const VERSION: &str = "/v1/rules/{set}/versions/{version}";
/// Lines of a text around a change of it.
const AROUND: usize = 3;

#[derive(Template)]
#[template(path = "rules.html")]
struct Listed {
    page: Shell,
    rows: Vec<Row>,
}

struct Row {
    set: String,
    version: String,
    status: String,
    by: String,
    from: String,
}

/// Every set.
pub(super) async fn list(console: &Console, visit: &Visit<'_>) -> Result<Reply, Problem> {
    let found = visit.ask(&console.rules, Call::get("/v1/rules", &[], &[("limit", "100")])).await?;
    let row = |item: &Value| {
        let by = [text(item, "author"), text(item, "published_by")];
        Row {
            set: text(item, "set").to_owned(),
            version: item["version"].to_string(),
            status: text(item, "status").to_owned(),
            by: by.into_iter().filter(|who| !who.is_empty()).collect::<Vec<_>>().join(", published by "),
            from: text(item, "effective_at").to_owned(),
        }
    };
    html(200, &Listed { page: visit.shell.clone(), rows: items(&found).iter().map(row).collect() })
}

#[derive(Template)]
#[template(path = "rule.html")]
struct Version {
    page: Shell,
    set: String,
    version: String,
    status: String,
    live: String,
    about: Vec<Line>,
    refused: String,
    faults: Vec<String>,
    diff: Vec<Changed>,
    document: String,
    reason: String,
}

struct Changed {
    kind: &'static str,
    text: String,
}

/// A version, or a draft with what it changes; after a refusal with why, and with what was typed.
pub(super) async fn version(
    console: &Console,
    visit: &Visit<'_>,
    (set, number): (&str, &str),
    problem: Option<&Problem>,
) -> Result<Reply, Problem> {
    let own = visit.ask(&console.rules, Call::get(VERSION, &[("set", set), ("version", number)], &[])).await?;
    let mut about = own.clone();
    if let Some(object) = about.as_object_mut() {
        object.retain(|name, _| {
            ["author", "published_by", "effective_at", "reason", "based_on"].contains(&name.as_str())
        });
    }
    let standing = own["based_on"].as_u64().map(|based| based.to_string()).unwrap_or_default();
    let mut diff = Vec::new();
    if text(&own, "status") == "draft" && !standing.is_empty() {
        let named = [("set", set), ("version", standing.as_str())];
        let before = visit.ask(&console.rules, Call::get(VERSION, &named, &[])).await?;
        diff = difference(text(&before, "document"), text(&own, "document"));
    }
    let typed = |name: &str, else_: &str| match visit.field(name) {
        given if problem.is_some() && !given.is_empty() => given.to_owned(),
        _ => else_.to_owned(),
    };
    let page = Version {
        page: visit.shell.clone(),
        set: set.to_owned(),
        version: number.to_owned(),
        status: text(&own, "status").to_owned(),
        live: standing,
        about: lines(&about).into_iter().chain(findings(&own)).collect(),
        refused: problem.map_or_else(String::new, |problem| problem.detail.clone()),
        faults: problem.map_or_else(Vec::new, faults),
        diff,
        document: typed("document", text(&own, "document")),
        reason: typed("reason", ""),
    };
    html(problem.map_or(200, |problem| problem.status), &page)
}

/// What is wrong with it today.
fn findings(own: &Value) -> impl Iterator<Item = Line> + '_ {
    members(own, "findings").iter().map(|fault| Line {
        label: "Finding".to_owned(),
        shown: Shown::Text(format!("line {}: {} {}", fault["line"], text(fault, "pointer"), text(fault, "message"))),
    })
}

fn difference(before: &str, after: &str) -> Vec<Changed> {
    let diff = TextDiff::from_lines(before, after);
    let mut changed = Vec::new();
    for group in diff.grouped_ops(AROUND) {
        if !changed.is_empty() {
            changed.push(Changed { kind: "gap", text: "…".to_owned() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (kind, sign) = match change.tag() {
                ChangeTag::Delete => ("cut", '-'),
                ChangeTag::Insert => ("add", '+'),
                ChangeTag::Equal => ("same", ' '),
            };
            changed.push(Changed { kind, text: format!("{sign} {}", change.value().trim_end_matches('\n')) });
        }
    }
    changed
}

/// Keeps what was typed as a draft.
pub(super) async fn draft(console: &Console, visit: &Visit<'_>, own: (&str, &str)) -> Result<Reply, Problem> {
    let (set, _) = own;
    // browsers send the ends of lines as RFC 7578 wants them
    let text = visit.form.get("document").map(|text| text.replace("\r\n", "\n")).unwrap_or_default();
    let call = Call {
        method: "POST",
        route: "/v1/rules/{set}/drafts",
        parameters: &[("set", set)],
        query: &[("reason", visit.field("reason"))],
        body: text.into_bytes(),
        media: "application/yaml",
    };
    match visit.ask(&console.rules, call).await {
        Ok(drafted) => Ok(redirect(&format!("{}/rules/{set}/{}?done=draft", visit.shell.base, drafted["version"]))),
        Err(problem) => version(console, visit, own, Some(&problem)).await,
    }
}

/// Lets a draft go live.
pub(super) async fn publish(console: &Console, visit: &Visit<'_>, own: (&str, &str)) -> Result<Reply, Problem> {
    let (set, number) = own;
    let from = visit.field("effective_at");
    let mut body = if from.is_empty() { json!({}) } else { json!({"effective_at": utc(from)}) };
    if visit.field("accept_noise") == "yes" {
        body["accept_noise"] = json!(true);
    }
    let named = [("set", set), ("version", number)];
    match visit.ask(&console.rules, Call::post("/v1/rules/{set}/versions/{version}/publish", &named, &body)).await {
        Ok(_) => Ok(redirect(&format!("{}/rules/{set}/{number}?done=publish", visit.shell.base))),
        Err(problem) => version(console, visit, own, Some(&problem)).await,
    }
}
