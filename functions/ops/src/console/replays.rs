//! What happened is done again: as a dry run, which shows then beside now, or for real.

use askama::Template;
use runtime::Problem;
use runtime::http::Reply;
use serde_json::{Map, Value, json};

use super::api::Asked;
use super::page::{Shell, html, redirect};
use super::values::{Line, Shown, items, list as members, part, text, words};
use super::work::{faults, utc};
use super::{Console, Visit, session};
use crate::replay::names;

/// What a form asks for.
const FIELDS: [&str; 8] = ["execution_id", "queue", "from", "to", "outcome", "client_id", "entity", "mode"];

#[derive(Template)]
#[template(path = "replays.html")]
struct Form {
    page: Shell,
    /// Each step and queue, and whether it is the one that was typed.
    queues: Vec<(String, bool)>,
    /// What was typed, in the order of [`FIELDS`].
    typed: [String; 8],
    key: String,
    refused: String,
    faults: Vec<String>,
}

/// What is to be done again; after a refusal with why, and with what was typed.
pub(super) async fn form(console: &Console, visit: &Visit<'_>, problem: Option<&Problem>) -> Result<Reply, Problem> {
    visit.caller.require(crate::replays::ROLES)?;
    let typed = FIELDS.map(|name| match visit.field(name) {
        "" => visit.asked(name),
        typed => typed,
    });
    let page = Form {
        page: visit.shell.clone(),
        queues: names().into_iter().map(|queue| (queue.clone(), typed.contains(&queue.as_str()))).collect(),
        typed: typed.map(str::to_owned),
        key: console.fresh_key()?,
        refused: problem.map_or_else(String::new, |problem| problem.detail.clone()),
        faults: problem.map_or_else(Vec::new, faults),
    };
    html(problem.map_or(200, |problem| problem.status), &page)
}

/// Asks for a replay: pressed twice, it is one.
pub(super) async fn begin(console: &Console, visit: &Visit<'_>) -> Result<Reply, Problem> {
    let asked = Asked::post(&["v1", "replays"], wish(|name| visit.field(name))).keyed(visit.field("key"));
    match console.api()?.ask(visit, asked).await {
        Ok(begun) => Ok(redirect(&format!("{}/replays/{}", visit.shell.base, text(&begun, "replay_id")))),
        Err(problem) if [401, 403].contains(&problem.status) => Err(problem),
        Err(problem) => form(console, visit, Some(&problem)).await,
    }
}

fn wish<'f>(field: impl Fn(&'static str) -> &'f str) -> Value {
    let mut body = Map::from_iter([("mode".to_owned(), json!(field("mode")))]);
    let mut filter = Map::new();
    for name in FIELDS.into_iter().filter(|name| *name != "mode" && !field(name).is_empty()) {
        let value = if ["from", "to"].contains(&name) { utc(field(name)) } else { field(name).to_owned() };
        let into = if ["outcome", "client_id", "entity"].contains(&name) { &mut filter } else { &mut body };
        into.insert(name.to_owned(), json!(value));
    }
    if !filter.is_empty() {
        body.insert("filter".to_owned(), Value::Object(filter));
    }
    Value::Object(body)
}

#[derive(Template)]
#[template(path = "replay.html")]
struct Replay {
    page: Shell,
    dry: bool,
    status: String,
    counts: String,
    about: Vec<Line>,
    basis: String,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    execution: String,
    entity: String,
    function: String,
    status: String,
    /// Whether now is as then; nothing where that cannot be told.
    same: Option<bool>,
    differs: Vec<String>,
    left_out: String,
    then: Happened,
    now: Option<Happened>,
}

struct Happened {
    at: String,
    outcome: String,
    rules: String,
    why: Vec<String>,
    states: Vec<Line>,
    stopped_at: String,
}

fn happened(told: &Value) -> Happened {
    let joined = |name: &str| members(told, name).iter().filter_map(Value::as_str).collect::<Vec<_>>();
    Happened {
        at: text(told, "at").to_owned(),
        outcome: words(text(told, "outcome")),
        rules: joined("rules").join(", "),
        why: joined("why").into_iter().map(str::to_owned).collect(),
        states: members(told, "decisions").iter().flat_map(|decision| part(decision, "state")).collect(),
        stopped_at: text(told, "stopped_at").to_owned(),
    }
}

/// A replay as it stands.
pub(super) async fn show(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let from = [("cursor", visit.asked("cursor"))];
    let found = console.api()?.ask(visit, Asked::get(&["v1", "replays", id], &from)).await?;
    let row = |own: &Value| Row {
        execution: text(own, "execution_id").to_owned(),
        entity: text(own, "entity").to_owned(),
        function: text(own, "function").to_owned(),
        status: match text(own, "status") {
            "answered" if text(&found, "mode") == "dry_run" => "Whether now is as then cannot be told".to_owned(),
            status => words(status),
        },
        same: own["same"].as_bool(),
        differs: members(own, "differs").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        left_out: text(&own["left_out"], "message").to_owned(),
        then: happened(&own["then"]),
        now: Some(&own["now"]).filter(|now| !now.is_null()).map(happened),
    };
    let next = found["next_cursor"].as_str().map(|next| {
        let mut query = visit.request.query.clone();
        query.insert("cursor".to_owned(), next.to_owned());
        session::query(&query)
    });
    let page = Replay {
        page: visit.shell.clone(),
        dry: text(&found, "mode") == "dry_run",
        status: words(text(&found, "status")),
        counts: format!(
            "{} of {} have answered, {} cannot be done again",
            found["ended"], found["executions"], found["left_out"]
        ),
        about: part(&found, "wanted"),
        basis: text(&found, "basis").to_owned(),
        rows: items(&found).iter().map(row).collect(),
        next,
    };
    html(200, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_asks_for_one_execution_or_for_a_range() {
        let of = |typed: &'static [(&'static str, &'static str)]| {
            wish(move |name| typed.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| *value))
        };
        assert_eq!(
            of(&[("mode", "dry_run"), ("execution_id", "x@pay_1:1")]),
            json!({"mode": "dry_run", "execution_id": "x@pay_1:1"})
        );
        const RANGE: &[(&str, &str)] = &[
            ("mode", "run"),
            ("queue", "payments-credit"),
            ("from", "2026-11-24T08:30"),
            ("to", "2026-11-25T00:00:10"),
            ("outcome", "credited"),
        ];
        assert_eq!(
            of(RANGE),
            json!({
                "mode": "run", "queue": "payments-credit", "from": "2026-11-24T08:30:00Z", "to": "2026-11-25T00:00:10Z",
                "filter": {"outcome": "credited"},
            })
        );
    }
}
