//! `GET /v1/clients/{client_id}/journeys`, `POST /v1/journeys/{journey}/preview` and `GET /v1/journeys/{journey}/report`: what happened to a
//! client, what would happen now, and what it comes to. Writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::client::Client;
use domain::input::{Fault, Reader};
use domain::journey::preview::preview;
use domain::journey::rules::{Definition, Journeys};
use domain::journey::sending::Reason;
use domain::journey::subject::Audience;
use domain::journey::uplift::{Arm, ratio_check, uplift};
use domain::journey::{Did, Journey, JourneyError, Line, Run};
use domain::{ClientId, JourneyId};
use runtime::auth::{PORTAL_AND_STAFF, Role, STAFF};
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::RuleBook;
use runtime::secrets::Secrets;
use runtime::{Caller, Problem, StepError, awsclients};
use serde_json::{Value, json};

use crate::reader::Readers;

/// Who plans journeys and sees what they come to.
const SALES: &[Role] = &[Role::Sales, Role::Admin];

/// The step.
pub struct Views {
    readers: Readers,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let readers =
        Readers { crm: awsclients::crm(ports)?, trades: awsclients::trades(ports)?, secrets: Secrets::new(ports) };
    HttpFunction::build(Views { readers, rules: RuleBook::new(ports)? }, ports)
}

impl HttpStep for Views {
    const NAME: &'static str = "retention-views";
    const ROUTES: &'static [Route<Self>] = &[
        Route::token(
            "GET",
            "/v1/clients/{client_id}/journeys",
            PORTAL_AND_STAFF,
            Scope::OneClient,
            |step, request, caller| Box::pin(step.journeys(request, caller)),
        ),
        Route::token("POST", "/v1/journeys/{journey}/preview", SALES, Scope::Everybody, |step, request, _| {
            Box::pin(step.preview(request))
        }),
        Route::token("GET", "/v1/journeys/{journey}/report", SALES, Scope::Everybody, |step, request, _| {
            Box::pin(step.report(request))
        }),
    ];
}

fn nothing() -> Problem {
    Problem::not_found("there is no such journey")
}

fn name(request: &Request) -> &str {
    request.parameters.get("journey").map(String::as_str).unwrap_or_default()
}

impl Views {
    async fn journeys(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: ClientId = request.id("client_id")?;
        let client = self.readers.crm.load_settled::<Client>(&id).await?;
        client.ok_or_else(|| Problem::not_found("there is no such client"))?;
        let stored = self.readers.crm.load_settled::<Journey>(&JourneyId::of(&id)).await?;
        let runs = stored.map(|stored| stored.entity.inner.runs).unwrap_or_default();
        let reader = caller.require(STAFF).is_err();
        let newest: Vec<&Run> = runs.iter().rev().collect();
        let place = |run: &&Run| format!("{}.{}", run.journey, run.entered_at.millis());
        let (page, next) = request.page_of(newest, place)?;
        let items: Vec<Value> = page.into_iter().map(|run| run_view(run, reader)).collect();
        Ok(Reply::json(200, &json!({"items": items, "next_cursor": next})))
    }

    async fn preview(&self, request: &Request) -> Result<Reply, Problem> {
        let live = self.rules.live::<Journeys>().await?;
        let definition = live.rules.journey(name(request)).ok_or_else(nothing)?;
        let body = request.json()?;
        let mut reader = Reader::new(&body);
        let id: Option<ClientId> = reader.string("client_id").and_then(|text| text.parse().ok());
        if id.is_none() && body.get("client_id").is_some_and(Value::is_string) {
            reader.fault_at("client_id", "invalid_id", "is not a client id");
        }
        let faults = reader.finish();
        let id = id.filter(|_| faults.is_empty()).ok_or_else(|| Problem::input(faults))?;
        if definition.audience != Audience::Client {
            let fault = Fault::new("/client_id", "not_applicable", "this journey is for leads");
            return Err(Problem::input(vec![fault]));
        }
        let sight = match self.readers.client(&id, &live.rules, request.now).await {
            Err(StepError::Absent(_)) => {
                let fault = Fault::new("/client_id", "unknown_client", "there is no such client");
                return Err(Problem::input(vec![fault]));
            }
            other => other?,
        };
        let stored = self.readers.crm.load_settled::<Journey>(&JourneyId::of(&id)).await?;
        let journey = stored.map_or_else(|| Journey::of_client(&id), |stored| stored.entity);
        let mut shown = preview(&journey, definition, &sight, &live.rules, request.now).map_err(broken)?;
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("version".to_owned(), json!(live.version));
            shown.insert("client_id".to_owned(), json!(id));
        }
        Ok(Reply::json(200, &shown))
    }

    async fn report(&self, request: &Request) -> Result<Reply, Problem> {
        let live = self.rules.live::<Journeys>().await?;
        let name = name(request);
        let counted = self.readers.crm.tallies(name).await?;
        if counted.is_empty() && live.rules.journey(name).is_none() {
            return Err(nothing());
        }
        let mut versions = Vec::new();
        for (version, counts) in counted.iter().rev() {
            let older = self.rules.at::<Journeys>(*version).await?;
            let definition = older.as_ref().and_then(|own| own.rules.journey(name));
            versions.push(version_view(*version, counts, definition));
        }
        Ok(Reply::json(200, &json!({"journey": name, "live_version": live.version, "versions": versions})))
    }
}

fn broken(error: JourneyError) -> Problem {
    StepError::Rules { set: "journeys", what: error.to_string() }.into()
}

/// What happened. What stopped a message is said to the reader himself in words that tell him nothing new.
fn line_view(line: &Line, reader: bool) -> Value {
    let is_stopped = matches!(line.did, Did::Suppressed | Did::Deferred);
    let reason = line.why.parse::<Reason>().ok().filter(|_| reader && is_stopped);
    let why = reason.map_or_else(|| line.why.clone(), |reason| reason.as_told().to_owned());
    json!({"at": line.at, "step": line.step, "did": line.did, "why": why})
}

fn run_view(run: &Run, reader: bool) -> Value {
    let history: Vec<Value> = run.history.iter().map(|line| line_view(line, reader)).collect();
    let due = run.due.filter(|_| run.state == domain::journey::RunState::Active);
    let mut shown = json!({
        "journey": run.journey, "version": run.version, "state": run.state, "entered_at": run.entered_at,
        "cohort": run.cohort, "history": history,
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(run.step.as_ref().map(|step| ("step".to_owned(), json!(step))));
        shown.extend(due.map(|due| ("due_at".to_owned(), json!(due))));
        shown.extend(run.goal_at.map(|at| ("goal_at".to_owned(), json!(at))));
    }
    shown
}

/// The counts whose names begin alike, without that.
fn of(counts: &BTreeMap<String, u64>, family: &str) -> BTreeMap<String, u64> {
    let own = |(name, count): (&String, &u64)| Some((name.strip_prefix(family)?.to_owned(), *count));
    counts.iter().filter_map(own).collect()
}

/// What happened at each step, by what it was: `{"check_in": {"sent": 3, "suppressed": 1}}`.
fn steps(counts: &BTreeMap<String, u64>) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut steps: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (name, count) in of(counts, "step.") {
        if let Some((step, did)) = name.rsplit_once('.') {
            steps.entry(step.to_owned()).or_default().insert(did.to_owned(), count);
        }
    }
    steps
}

fn version_view(version: u64, counts: &BTreeMap<String, u64>, definition: Option<&Definition>) -> Value {
    let count = |name: &str| counts.get(name).copied().unwrap_or(0);
    let treated = Arm { entered: count("entered.treated"), goals: count("goal.treated") };
    let control = Arm { entered: count("entered.control"), goals: count("goal.control") };
    let told = uplift(treated, control);
    let held_out = definition.map_or(0, |own| own.held_out);
    let mut shown = json!({
        "version": version, "entered": treated.entered.saturating_add(control.entered), "treated": treated.entered,
        "held_out": control.entered, "sent": of(counts, "sent."), "suppressed": of(counts, "suppressed."),
        "tasks": count("task"), "bonuses": count("bonus"), "steps": steps(counts),
        "goals": {"treated": treated.goals, "control": control.goals},
        "uplift": told, "sample_ratio": ratio_check(treated.entered, control.entered, held_out),
    });
    if let (Some(shown), None) = (shown.as_object_mut(), &told) {
        shown.insert("note".to_owned(), json!("too few"));
    }
    shown
}
