//! Journeys: what each comes to, step by step, against those who are held out; and what one would do with a client now.

use askama::Template;
use domain::rules::yaml;
use futures::future::try_join_all;
use runtime::Problem;
use runtime::http::Reply;
use serde_json::{Value, json};

use super::api::{Api, Asked};
use super::page::{Shell, html};
use super::values::{items, list as members, text, words};
use super::work::faults;
use super::{Call, Console, Visit};

/// The rule set in which journeys are written.
const SET: &str = "journeys";

#[derive(Template)]
#[template(path = "journeys.html")]
struct Listed {
    page: Shell,
    version: String,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    audience: String,
    steps: usize,
    entered: u64,
    held_out: u64,
    sent: u64,
    goals: u64,
}

/// The version of the journeys that is live, and its document.
async fn live(console: &Console, visit: &Visit<'_>) -> Result<(String, Value), Problem> {
    let all = visit.ask(&console.rules, Call::get("/v1/rules", &[], &[("limit", "100")])).await?;
    let live = items(&all).iter().find(|own| text(own, "set") == SET && text(own, "status") == "live");
    let Some(version) = live.map(|own| own["version"].to_string()) else { return Ok((String::new(), Value::Null)) };
    let named = [("set", SET), ("version", version.as_str())];
    let route = "/v1/rules/{set}/versions/{version}";
    let own = visit.ask(&console.rules, Call::get(route, &named, &[])).await?;
    let document = yaml::read(text(&own, "document")).map(|document| document.value).unwrap_or_default();
    Ok((version, document))
}

/// Every journey that is live, with what its versions came to.
pub(super) async fn list(console: &Console, visit: &Visit<'_>) -> Result<Reply, Problem> {
    let api = console.api()?;
    let (version, document) = live(console, visit).await?;
    let rows = members(&document, "journeys").iter().map(|journey| reported(api, visit, journey));
    let rows = try_join_all(rows).await?;
    html(200, &Listed { page: visit.shell.clone(), version, rows })
}

async fn reported(api: &Api, visit: &Visit<'_>, journey: &Value) -> Result<Row, Problem> {
    let path = ["v1", "journeys", text(journey, "id"), "report"];
    Ok(row(journey, &api.ask(visit, Asked::get(&path, &[])).await?))
}

fn row(journey: &Value, report: &Value) -> Row {
    let versions = members(report, "versions");
    let sum = |of: fn(&Value) -> u64| -> u64 { versions.iter().map(of).sum() };
    Row {
        name: text(journey, "id").to_owned(),
        audience: text(journey, "audience").to_owned(),
        steps: members(journey, "steps").len(),
        entered: sum(|own| own["entered"].as_u64().unwrap_or(0)),
        held_out: sum(|own| own["held_out"].as_u64().unwrap_or(0)),
        sent: sum(|own| own["sent"].as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()),
        goals: sum(|own| own["goals"]["treated"].as_u64().unwrap_or(0)),
    }
}

#[derive(Template)]
#[template(path = "journey.html")]
struct One {
    page: Shell,
    name: String,
    live: String,
    versions: Vec<Version>,
    client: String,
    preview: Option<Preview>,
    refused: String,
    faults: Vec<String>,
}

struct Version {
    number: String,
    treated: Part,
    control: Part,
    /// Nothing where there are too few for a number.
    difference: Option<Difference>,
    /// The parts are not as large as they should be.
    alarm: bool,
    steps: Vec<Step>,
    sent: Vec<(String, String)>,
    suppressed: Vec<(String, String)>,
}

struct Part {
    entered: String,
    goals: String,
    share: String,
}

struct Difference {
    value: String,
    low: String,
    high: String,
    confidence: String,
}

/// What a step came to: sent, task, bonus, skipped, suppressed, and who left there.
struct Step {
    name: String,
    counts: [String; 6],
}

const DID: [&str; 6] = ["sent", "task", "bonus", "skipped", "suppressed", "left"];

struct Preview {
    enters: bool,
    exits: bool,
    steps: Vec<Previewed>,
}

struct Previewed {
    name: String,
    what: String,
    /// Nothing stops it.
    goes: bool,
    /// What stops it, and until when.
    stops: Vec<(String, String)>,
    subject: String,
    body: String,
}

/// A journey; with a client, what it would do with him now.
pub(super) async fn one(console: &Console, visit: &Visit<'_>, name: &str) -> Result<Reply, Problem> {
    let api = console.api()?;
    let report = api.ask(visit, Asked::get(&["v1", "journeys", name, "report"], &[])).await?;
    let client = visit.asked("client").to_owned();
    let (mut preview, mut problem) = (None, None);
    if !client.is_empty() {
        let path = ["v1", "journeys", name, "preview"];
        match api.ask(visit, Asked::post(&path, json!({"client_id": client}))).await {
            Ok(told) => preview = Some(previewed(&told)),
            Err(refused) if refused.status >= 500 => return Err(refused),
            Err(refused) => problem = Some(refused),
        }
    }
    let (_, document) = live(console, visit).await?;
    let own = members(&document, "journeys").iter().find(|own| text(own, "id") == name);
    let order: Vec<&str> =
        own.map(|own| members(own, "steps")).unwrap_or_default().iter().map(|step| text(step, "id")).collect();
    let page = One {
        page: visit.shell.clone(),
        name: name.to_owned(),
        live: report["live_version"].to_string(),
        versions: members(&report, "versions").iter().map(|own| version(own, &order)).collect(),
        client,
        preview,
        refused: problem.as_ref().map_or_else(String::new, |problem| problem.detail.clone()),
        faults: problem.as_ref().map_or_else(Vec::new, faults),
    };
    html(problem.map_or(200, |problem| problem.status), &page)
}

/// A share as per cent with one digit, by moving the point: nothing is reckoned.
fn per_cent(share: &str) -> String {
    let (sign, digits) = share.strip_prefix('-').map_or(("", share), |rest| ("−", rest));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let rest: String = rest.chars().chain("000".chars()).take(3).collect();
    let (moved, tenth) = rest.split_at(rest.len().min(2));
    let number = format!("{whole}{moved}");
    let number = number.trim_start_matches('0');
    format!("{sign}{}.{tenth} %", if number.is_empty() { "0" } else { number })
}

fn version(own: &Value, order: &[&str]) -> Version {
    let count = |value: &Value| value.as_u64().unwrap_or(0).to_string();
    let uplift = &own["uplift"];
    let part = |entered: &str, arm: &str| Part {
        entered: count(&own[entered]),
        goals: count(&own["goals"][arm]),
        share: if uplift.is_null() { String::new() } else { per_cent(text(uplift, arm)) },
    };
    let pairs = |name: &str| -> Vec<(String, String)> {
        own[name].as_object().into_iter().flatten().map(|(name, number)| (words(name), count(number))).collect()
    };
    let mut steps: Vec<(usize, Step)> = own["steps"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, counts)| {
            let place = order.iter().position(|step| step == name).unwrap_or(order.len());
            (place, Step { name: words(name), counts: DID.map(|did| count(&counts[did])) })
        })
        .collect();
    steps.sort_by_key(|(place, _)| *place);
    let end = |place: usize| per_cent(uplift["interval"][place].as_str().unwrap_or_default());
    Version {
        number: own["version"].to_string(),
        treated: part("treated", "treated"),
        control: part("held_out", "control"),
        difference: (!uplift.is_null()).then(|| Difference {
            value: per_cent(text(uplift, "difference")),
            low: end(0),
            high: end(1),
            confidence: uplift["confidence"].to_string(),
        }),
        alarm: own["sample_ratio"]["alarm"] == true,
        steps: steps.into_iter().map(|(_, step)| step).collect(),
        sent: pairs("sent"),
        suppressed: pairs("suppressed"),
    }
}

fn previewed(told: &Value) -> Preview {
    let step = |own: &Value| {
        let act = text(own, "act");
        let detail =
            ["channel", "kind", "on", "goes_to"].iter().map(|name| text(own, name)).find(|text| !text.is_empty());
        Previewed {
            name: words(text(own, "step")),
            what: detail
                .map_or_else(|| words(act), |detail| format!("{}: {}", words(act), words(detail).to_lowercase())),
            goes: own["would_send"] == true || own["would_open"] == true,
            stops: members(own, "reasons").iter().map(reason).collect(),
            subject: text(own, "subject").to_owned(),
            body: text(own, "body").to_owned(),
        }
    };
    Preview {
        enters: told["would_enter"] == true,
        exits: told["would_exit"] == true,
        steps: members(told, "steps").iter().map(step).collect(),
    }
}

fn reason(told: &Value) -> (String, String) {
    (words(text(told, "reason")), text(told, "until").to_owned())
}

/// What journeys did with a client, the newest first.
pub(super) struct Run {
    pub name: String,
    pub state: String,
    pub version: String,
    pub lines: Vec<Happened>,
}

/// A line of a run's history.
pub(super) struct Happened {
    pub at: String,
    pub step: String,
    pub did: String,
    pub why: String,
}

/// A client's journeys, or that they cannot be told just now.
pub(super) struct Ran {
    pub is_known: bool,
    pub runs: Vec<Run>,
}

/// A client's journeys. Where they cannot be told just now the page shows the rest.
pub(super) async fn of_client(console: &Console, visit: &Visit<'_>, id: &str) -> Result<Ran, Problem> {
    let found = match console.api()?.ask(visit, Asked::get(&["v1", "clients", id, "journeys"], &[])).await {
        Ok(found) => found,
        Err(problem) if problem.status >= 500 => return Ok(Ran { is_known: false, runs: vec![] }),
        Err(problem) => return Err(problem),
    };
    let line = |own: &Value| Happened {
        at: text(own, "at").to_owned(),
        step: words(text(own, "step")),
        did: words(text(own, "did")),
        why: words(text(own, "why")),
    };
    let run = |own: &Value| Run {
        name: text(own, "journey").to_owned(),
        state: words(text(own, "state")),
        version: own["version"].to_string(),
        lines: members(own, "history").iter().map(line).collect(),
    };
    Ok(Ran { is_known: true, runs: items(&found).iter().map(run).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_told_in_per_cent() {
        for (share, told) in [
            ("0.25", "25.0 %"),
            ("1", "100.0 %"),
            ("-0.0123", "−1.2 %"),
            ("0", "0.0 %"),
            ("0.004", "0.4 %"),
            ("0.1", "10.0 %"),
        ] {
            assert_eq!(per_cent(share), told, "{share}");
        }
    }

    #[test]
    fn steps_stand_in_the_order_in_which_they_happen() {
        let told = json!({"version": 2, "steps": {"text": {"sent": 1}, "call": {"task": 2}, "gone": {"left": 3}}, "uplift": null});
        let shown = version(&told, &["call", "text"]);
        let names: Vec<&str> = shown.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["Call", "Text", "Gone"]);
        assert_eq!(shown.steps[0].counts, ["0", "2", "0", "0", "0", "0"]);
        assert!(shown.difference.is_none());
    }
}
