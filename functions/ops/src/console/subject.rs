//! Clients, payments and the journal: what somebody asks about, and what happened to it.

use askama::Template;
use domain::entity::family_of;
use runtime::Problem;
use runtime::http::Reply;
use serde_json::Value;

use super::journeys::{self, Ran};
use super::page::{Shell, html, redirect};
use super::values::{Line, Shown, items, lines, list, text, words};
use super::{Call, Console, Visit, session};

#[derive(Template)]
#[template(path = "subject.html")]
struct Subject {
    page: Shell,
    title: String,
    /// The day that is shown, where another may be.
    date: String,
    parts: Vec<Part>,
    /// Whether the journal's chain is whole, where there is a journal.
    verified: Option<bool>,
    journal: Vec<Entry>,
    next: Option<String>,
    /// What journeys did with a client.
    journeys: Option<Ran>,
}

struct Part {
    title: &'static str,
    groups: Vec<Vec<Line>>,
}

struct Entry {
    at: String,
    entity: String,
    version: String,
    outcome: String,
    function: String,
    trigger: String,
    rules: String,
    why: Vec<String>,
    correlation: String,
    execution: String,
}

/// Where an id leads: to its page if there is one for whoever looks, or to its journal. What is none of ours is looked for as the id of a request.
pub(super) fn find(shell: &Shell, id: &str) -> Reply {
    let escaped = url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>().replace('+', "%20");
    let page = match family_of(id).map(|kind| kind.family) {
        Some("client") => "clients",
        Some("payment") => "payments",
        Some("work") => "work",
        Some("partner") if shell.goes_to("/partners") => "partners",
        Some("statement") if shell.goes_to("/partners") => "statements",
        Some("payout_run") if shell.goes_to("/reconciliation") => "runs",
        Some("replay") if shell.goes_to("/replays") => "replays",
        _ => "journal",
    };
    redirect(&format!("{}/{page}/{escaped}", shell.base))
}

/// A client: who, accounts, payments, and everything that happened.
pub(super) async fn client(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let named = [("client_id", id)];
    let get = async |route| visit.ask(&console.views, Call::get(route, &named, &[("limit", "50")])).await;
    let who = get("/v1/clients/{client_id}").await?;
    let (accounts, payments) =
        (get("/v1/clients/{client_id}/accounts").await?, get("/v1/clients/{client_id}/payments").await?);
    let parts = vec![
        Part { title: "Who", groups: vec![lines(&who)] },
        Part { title: "Accounts", groups: items(&accounts).iter().map(lines).collect() },
        Part { title: "Newest payments", groups: items(&payments).iter().map(without_timeline).collect() },
    ];
    let title = format!("Client {}", text(&who, "full_name"));
    let journeys = journeys::of_client(console, visit, id).await?;
    shown(console, visit, (title, parts, Some(journeys)), ("client", id)).await
}

/// A payment.
pub(super) async fn payment(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let named = [("payment_id", id)];
    let payment = visit.ask(&console.views, Call::get("/v1/payments/{payment_id}", &named, &[])).await?;
    let parts = vec![
        Part { title: "Payment", groups: vec![without_timeline(&payment)] },
        Part { title: "Its way", groups: list(&payment, "timeline").iter().map(lines).collect() },
    ];
    let title = format!("{}: {}", words(text(&payment, "kind")), words(text(&payment, "status")).to_lowercase());
    shown(console, visit, (title, parts, None), ("entity", id)).await
}

fn without_timeline(payment: &Value) -> Vec<Line> {
    let mut payment = payment.clone();
    if let Some(members) = payment.as_object_mut() {
        members.remove("timeline");
    }
    lines(&payment)
}

/// The journal of an entity, or of a request.
pub(super) async fn journal(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let by = if family_of(id).is_some() { "entity" } else { "correlation" };
    shown(console, visit, (id.to_owned(), vec![], None), (by, id)).await
}

/// A day of the ledger, and where it differs from what others say.
pub(super) async fn reconciliation(console: &Console, visit: &Visit<'_>) -> Result<Reply, Problem> {
    let today = domain::Day::of(visit.request.now).to_string();
    let date = Some(visit.asked("date")).filter(|date| !date.is_empty()).unwrap_or(&today);
    let day = visit.ask(&console.views, Call::get("/v1/reconciliation", &[], &[("date", date)])).await?;
    let parts = vec![
        Part { title: "Differences", groups: list(&day, "breaks").iter().map(lines).collect() },
        Part { title: "Sources", groups: list(&day, "sources").iter().map(lines).collect() },
    ];
    let (page, title) = (visit.shell.clone(), format!("Reconciliation of {date}"));
    let date = date.to_owned();
    html(200, &Subject { page, title, date, parts, verified: None, journal: vec![], next: None, journeys: None })
}

async fn shown(
    console: &Console,
    visit: &Visit<'_>,
    (title, parts, journeys): (String, Vec<Part>, Option<Ran>),
    by: (&'static str, &str),
) -> Result<Reply, Problem> {
    let asked = [by, ("cursor", visit.asked("cursor")), ("limit", "50")];
    let found = visit.ask(&console.views, Call::get("/v1/journal", &[], &asked)).await?;
    let next = found["next_cursor"].as_str().map(|next| {
        let mut query = visit.request.query.clone();
        query.insert("cursor".to_owned(), next.to_owned());
        session::query(&query)
    });
    let entry = |entry: &Value| Entry {
        at: text(entry, "at").to_owned(),
        entity: text(entry, "entity").to_owned(),
        version: entry["version"].to_string(),
        outcome: words(text(entry, "outcome")),
        function: text(entry, "function").to_owned(),
        trigger: text(entry, "trigger").to_owned(),
        rules: list(entry, "rules").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        why: list(entry, "why").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        correlation: text(entry, "correlation_id").to_owned(),
        execution: text(entry, "execution_id").to_owned(),
    };
    let journal = items(&found).iter().map(entry).collect();
    let (page, verified) = (visit.shell.clone(), Some(found["verified"] == true));
    html(200, &Subject { page, title, date: String::new(), parts, verified, journal, next, journeys })
}
