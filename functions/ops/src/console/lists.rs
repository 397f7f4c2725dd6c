//! The lists that clients are screened against: which version is used, and how old it is.

use askama::Template;
use runtime::Problem;
use runtime::auth::Role;
use runtime::http::Reply;
use serde_json::{Value, json};

use super::api::Asked;
use super::page::{Shell, html, redirect};
use super::values::{items, text};
use super::{Console, Visit};

const MS_OF_HOUR: i64 = 3_600_000;

#[derive(Template)]
#[template(path = "lists.html")]
struct Listed {
    page: Shell,
    rows: Vec<Row>,
    refreshes: bool,
    refused: String,
}

struct Row {
    name: String,
    of: String,
    version: String,
    entries: String,
    taken_at: String,
    age: String,
    stale: bool,
    changes: String,
    refused: String,
    refused_at: String,
}

/// Every list; after a refused refresh with why.
pub(super) async fn list(console: &Console, visit: &Visit<'_>, problem: Option<&Problem>) -> Result<Reply, Problem> {
    let found = console.api()?.ask(visit, Asked::get(&["v1", "lists"], &[])).await?;
    let row = |list: &Value| Row {
        name: text(list, "list").to_owned(),
        of: text(list, "of").to_owned(),
        version: text(list, "version").to_owned(),
        entries: list["entries"].to_string(),
        taken_at: text(list, "taken_at").to_owned(),
        age: age(list, visit.request.now),
        stale: list["stale"] == true,
        changes: changes(&list["changes"]),
        refused: text(&list["refused"], "why").to_owned(),
        refused_at: text(&list["refused"], "at").to_owned(),
    };
    let page = Listed {
        page: visit.shell.clone(),
        rows: items(&found).iter().map(row).collect(),
        refreshes: visit.caller.require(&[Role::Admin]).is_ok(),
        refused: problem.map_or_else(String::new, |problem| problem.detail.clone()),
    };
    html(problem.map_or(200, |problem| problem.status), &page)
}

fn age(list: &Value, now: domain::Timestamp) -> String {
    let Ok(taken) = text(list, "taken_at").parse::<domain::Timestamp>() else { return String::new() };
    match now.millis_since(taken) / MS_OF_HOUR {
        ..1 => "less than an hour".to_owned(),
        1 => "1 hour".to_owned(),
        hours @ 2..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

fn changes(told: &Value) -> String {
    let count = |name: &str| told[name].as_u64().unwrap_or(0);
    if told.is_null() {
        return String::new();
    }
    format!("{} new, {} changed, {} gone", count("added"), count("changed"), count("removed"))
}

/// Has a list fetched at once.
pub(super) async fn refresh(console: &Console, visit: &Visit<'_>, name: &str) -> Result<Reply, Problem> {
    match console.api()?.ask(visit, Asked::post(&["v1", "lists", name, "refresh"], json!({}))).await {
        Ok(_) => Ok(redirect(&format!("{}/lists?done=refresh", visit.shell.base))),
        Err(problem) if [401, 403, 404].contains(&problem.status) => Err(problem),
        Err(problem) => list(console, visit, Some(&problem)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_hours_and_then_in_days() {
        let now = "2026-12-01T12:00:00Z".parse().unwrap();
        let of = |taken: &str| age(&json!({"taken_at": taken}), now);
        assert_eq!(of("2026-12-01T11:30:00Z"), "less than an hour");
        assert_eq!(of("2026-12-01T10:59:00Z"), "1 hour");
        assert_eq!(of("2026-11-30T12:00:00Z"), "24 hours");
        assert_eq!(of("2026-11-21T12:00:00Z"), "10 days");
        assert_eq!(age(&json!({"taken_at": null}), now), "");
    }
}
