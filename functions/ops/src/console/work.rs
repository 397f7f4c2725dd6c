//! The start page, the list of work, and a work item.

use askama::Template;
use domain::Timestamp;
use domain::work::rules::Queue;
use runtime::Problem;
use runtime::auth::Role;
use runtime::http::Reply;
use serde_json::{Map, Value, json};

use super::page::{Shell, html, redirect};
use super::values::{Line, Shown, items, lines, list as members, part, text, words};
use super::{Call, Console, Visit, runbooks, session};
use crate::views::STATUSES;

/// What may be done with any item, whatever its kind: the words of the API, and those of people.
const ALWAYS: [(&str, &str); 6] = [
    ("claim", "Claim"),
    ("release", "Release"),
    ("note", "Add the note"),
    ("snooze", "Snooze"),
    ("escalate", "Escalate"),
    ("resolve", "Close without a decision"),
];

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    page: Shell,
    queues: Vec<Counted>,
    subject: String,
    own: usize,
    proposed: usize,
    breaks: Option<usize>,
}

struct Counted {
    name: &'static str,
    /// More than a page is not counted.
    open: String,
    late: usize,
}

/// How much waits, and for whom.
pub(super) async fn home(console: &Console, visit: &Visit<'_>) -> Result<Reply, Problem> {
    let now = visit.request.now;
    let page =
        async |query: &[(&'static str, &str)]| visit.ask(&console.views, Call::get("/v1/work", &[], query)).await;
    let mut queues = Vec::new();
    for name in Queue::ALL.iter().map(|queue| queue.as_str()) {
        let listed = page(&[("queue", name), ("limit", "100")]).await?;
        let more = if listed["next_cursor"].is_null() { "" } else { "+" };
        let late = items(&listed).iter().filter(|item| is_late(item, now)).count();
        queues.push(Counted { name, open: format!("{}{more}", items(&listed).len()), late });
    }
    let own = items(&page(&[("owner", &visit.caller.subject), ("limit", "100")]).await?).len();
    let proposed = items(&page(&[("status", "proposed"), ("limit", "100")]).await?).len();
    let mut breaks = None;
    if visit.caller.require(&[Role::Finance]).is_ok() {
        let today = domain::Day::of(now).to_string();
        let day = visit.ask(&console.views, Call::get("/v1/reconciliation", &[], &[("date", &today)])).await?;
        breaks = Some(members(&day, "breaks").iter().filter(|own| text(own, "status") == "open").count());
    }
    let (shell, subject) = (visit.shell.clone(), visit.caller.subject.clone());
    html(200, &Home { page: shell, queues, subject, own, proposed, breaks })
}

#[derive(Template)]
#[template(path = "work.html")]
struct Listed {
    page: Shell,
    queues: Vec<Choice>,
    statuses: Vec<Choice>,
    owner: String,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Choice {
    name: &'static str,
    chosen: bool,
}

fn choices(names: impl Iterator<Item = &'static str>, chosen: &str) -> Vec<Choice> {
    names.map(|name| Choice { name, chosen: name == chosen }).collect()
}

struct Row {
    id: String,
    title: String,
    subject: Vec<String>,
    due_at: String,
    late: bool,
    status: String,
    owner: String,
    queue: String,
    priority: String,
}

/// Work items by priority, then due time.
pub(super) async fn list(console: &Console, visit: &Visit<'_>) -> Result<Reply, Problem> {
    let asked = ["queue", "status", "owner", "cursor"].map(|name| (name, visit.asked(name)));
    let found = visit.ask(&console.views, Call::get("/v1/work", &[], &asked)).await?;
    let rows = items(&found).iter().map(|item| Row {
        id: text(item, "work_id").to_owned(),
        title: words(text(item, "kind")),
        subject: part(item, "subject").into_iter().filter_map(link).collect(),
        due_at: text(item, "due_at").to_owned(),
        late: is_late(item, visit.request.now),
        status: text(item, "status").to_owned(),
        owner: text(item, "owner").to_owned(),
        queue: text(item, "queue").to_owned(),
        priority: item["priority"].to_string(),
    });
    let next = found["next_cursor"].as_str().map(|next| {
        let mut query = visit.request.query.clone();
        query.insert("cursor".to_owned(), next.to_owned());
        format!("{}/work{}", visit.shell.base, session::query(&query))
    });
    let [queue, status, owner, _] = asked.map(|(_, value)| value);
    let queues = choices(Queue::ALL.iter().map(|queue| queue.as_str()), queue);
    let statuses = choices(STATUSES.into_iter(), status);
    let (page, owner, rows) = (visit.shell.clone(), owner.to_owned(), rows.collect());
    html(200, &Listed { page, queues, statuses, owner, rows, next })
}

fn link(line: Line) -> Option<String> {
    match line.shown {
        Shown::Link(id) => Some(id),
        Shown::Text(_) | Shown::Time(_) => None,
    }
}

fn is_late(item: &Value, now: Timestamp) -> bool {
    text(item, "status") != "resolved" && text(item, "due_at").parse::<Timestamp>().is_ok_and(|due| due < now)
}

#[derive(Template)]
#[template(path = "item.html")]
struct Item {
    page: Shell,
    title: String,
    status: String,
    owner: String,
    queue: String,
    due_at: String,
    why: Vec<String>,
    trigger: Vec<Line>,
    subject: Vec<Line>,
    pattern: Vec<Line>,
    proposal: Vec<Line>,
    history: Vec<Vec<Line>>,
    runbook: &'static str,
    open: bool,
    options: Vec<Offered>,
    refused: String,
    faults: Vec<String>,
    note: String,
    evidence: String,
    until: String,
}

struct Offered {
    action: String,
    label: String,
    main: bool,
}

/// A work item; after a refusal with why, and with what was typed.
pub(super) async fn item(
    console: &Console,
    visit: &Visit<'_>,
    id: &str,
    problem: Option<&Problem>,
) -> Result<Reply, Problem> {
    let item = console.work.shown(id, visit.caller).await?;
    let status = text(&item, "status");
    let mut history: Vec<Vec<Line>> = members(&item, "history").iter().map(lines).collect();
    history.reverse();
    let typed = |name: &str| problem.map_or_else(String::new, |_| visit.field(name).to_owned());
    let (decided, proposed) = (part(&item, "decision"), part(&item, "proposal"));
    let page = Item {
        page: visit.shell.clone(),
        title: words(text(&item, "kind")),
        status: words(status),
        owner: text(&item, "owner").to_owned(),
        queue: format!("{}, priority {}", text(&item, "queue"), item["priority"]),
        due_at: text(&item, "due_at").to_owned(),
        why: members(&item["trigger"], "why").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        trigger: part(&item, "trigger"),
        subject: part(&item, "subject"),
        pattern: part(&item, "pattern"),
        proposal: if proposed.is_empty() { decided } else { proposed },
        history,
        runbook: runbooks::page(text(&item, "runbook")).unwrap_or("There is no page about this kind of item."),
        open: status != "resolved",
        options: offered(&item),
        refused: problem.map_or_else(String::new, |problem| problem.detail.clone()),
        faults: problem.map_or_else(Vec::new, faults),
        note: typed("note"),
        evidence: typed("evidence"),
        until: typed("until"),
    };
    html(problem.map_or(200, |problem| problem.status), &page)
}

/// What may be done: with a proposal only what its second person does.
fn offered(item: &Value) -> Vec<Offered> {
    let four_eyes = |option: &Value| if option["four_eyes"] == true { " (a second person approves it)" } else { "" };
    let proposed = text(item, "status") == "proposed";
    let kinds = members(item, "options").iter().map(|option| Offered {
        action: text(option, "action").to_owned(),
        label: format!("{}{}", text(option, "label"), four_eyes(option)),
        main: true,
    });
    let of_proposal = text(&item["proposal"], "action");
    let back = proposed.then(|| Offered {
        action: "return".to_owned(),
        label: "Send the proposal back".to_owned(),
        main: false,
    });
    let always = ALWAYS.iter().filter(|_| !proposed).map(|(action, label)| Offered {
        action: (*action).to_owned(),
        label: (*label).to_owned(),
        main: false,
    });
    kinds.filter(|option| !proposed || option.action == of_proposal).chain(back).chain(always).collect()
}

pub(super) fn faults(problem: &Problem) -> Vec<String> {
    let line = |fault: &domain::input::Fault| match fault.place {
        Some(place) => format!("line {}, column {}: {}: {}", place.line, place.column, fault.pointer, fault.message),
        None => format!("{}: {}", fault.pointer.trim_start_matches('/'), fault.message),
    };
    problem.errors.iter().map(line).collect()
}

/// Does what a button says, as the API would for the same person.
pub(super) async fn act(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let mut body = Map::new();
    for name in ["action", "note", "evidence"] {
        if !visit.field(name).is_empty() {
            body.insert(name.to_owned(), json!(visit.field(name)));
        }
    }
    if visit.field("action") == "snooze" && !visit.field("until").is_empty() {
        body.insert("until".to_owned(), json!(utc(visit.field("until"))));
    }
    let named = [("work_id", id)];
    let call = Call::post("/v1/work/{work_id}/actions", &named, &Value::Object(body));
    match visit.ask(&console.work, call).await {
        Ok(now) => {
            let action = visit.field("action");
            let known = ALWAYS.iter().any(|(own, _)| *own == action) || action == "return";
            let done = match text(&now, "status") {
                "proposed" => "proposed",
                _ if known && action != "resolve" => action,
                _ => "decided",
            };
            Ok(redirect(&format!("{}/work/{id}?done={done}", visit.shell.base)))
        }
        Err(problem) => item(console, visit, id, Some(&problem)).await,
    }
}

/// What a browser's field for date and time gives, as UTC.
pub(super) fn utc(local: &str) -> String {
    match local.len() {
        16 => format!("{local}:00Z"),
        19 => format!("{local}Z"),
        _ => local.to_owned(),
    }
}
