//! `GET /v1/agents`, and what agents and their leads say about presence and absence.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::decision::Verdict;
use domain::input::{Fault, Reader};
use domain::sales::agent::{Absence, Away, Presence};
use domain::sales::rules::SalesRules;
use domain::sales::{AgentId, AgentState};
use runtime::auth::Role;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::{Live, RuleBook};
use runtime::step;
use runtime::{Caller, Problem, awsclients};
use serde_json::{Value, json};
use store::Crm;

use crate::task::{SALES, only_as};

/// Who may enter an absence.
const HEADS: &[Role] = &[Role::Admin];

/// The step.
pub struct Agents {
    crm: Crm,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Agents { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)? }, ports)
}

impl HttpStep for Agents {
    const NAME: &'static str = "leads-agents";

    const ROUTES: &'static [Route<Self>] = &[
        Route::token("GET", "/v1/agents", SALES, Scope::Everybody, |step, request, _| Box::pin(step.list(request))),
        Route::token("PUT", "/v1/agents/{agent_id}/presence", SALES, Scope::Everybody, |step, request, caller| {
            Box::pin(step.presence(request, caller))
        }),
        Route::token("PUT", "/v1/agents/{agent_id}/absence", HEADS, Scope::Everybody, |step, request, _| {
            Box::pin(step.absence(request))
        }),
    ];
}

impl Agents {
    async fn presence(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let live = self.rules.live::<SalesRules>().await?;
        let id: AgentId = request.id("agent_id")?;
        if only_as(&live.rules, caller).is_some_and(|own| own != id) {
            return Err(Problem::forbidden("it is another agent's presence"));
        }
        let presence = read_presence(&request.json()?)?;
        let now = request.now;
        self.change(request, &live, |state| state.present(presence, now)).await
    }

    async fn absence(&self, request: &Request) -> Result<Reply, Problem> {
        let live = self.rules.live::<SalesRules>().await?;
        let away = read_absence(&request.json()?)?;
        self.change(request, &live, |state| state.absent(away.clone())).await
    }

    async fn list(&self, request: &Request) -> Result<Reply, Problem> {
        let live = self.rules.live::<SalesRules>().await?;
        let sales = &live.rules;
        let (limit, after) = request.page::<AgentId>()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let beyond = |id: &str| after.as_ref().is_none_or(|after| id > after.name());
        let mut rules: Vec<_> = sales.agents().filter(|agent| beyond(&agent.id)).take(limit + 1).collect();
        let more = rules.len() > limit;
        rules.truncate(limit);
        let ids: Vec<AgentId> = rules.iter().map(|agent| AgentId::of(&agent.id)).collect();
        let states: BTreeMap<String, AgentState> = self
            .crm
            .load_some::<AgentState>(&ids)
            .await?
            .into_iter()
            .map(|stored| (stored.entity.id.name().to_owned(), stored.entity))
            .collect();
        let items: Vec<Value> = rules.iter().map(|rule| view(sales, &rule.id, states.get(&rule.id), request)).collect();
        let next = rules.last().filter(|_| more).map(|agent| AgentId::of(&agent.id));
        Ok(Reply::json(200, &json!({"items": items, "next_cursor": next})))
    }

    async fn change(
        &self,
        request: &Request,
        live: &Live<SalesRules>,
        decide: impl Fn(&AgentState) -> Verdict<AgentState>,
    ) -> Result<Reply, Problem> {
        let id: AgentId = request.id("agent_id")?;
        if live.rules.agent(id.name()).is_none() {
            return Err(Problem::not_found("there is no such agent"));
        }
        let mut frame = request.frame(Self::NAME);
        frame.used(live.label());
        let unknown = || AgentState::unknown(id.clone());
        let now = step::change_or_begin(&self.crm, &id, unknown, &frame, decide).await?;
        Ok(Reply::json(200, &view(&live.rules, id.name(), Some(&now), request)))
    }
}

fn view(sales: &SalesRules, name: &str, state: Option<&AgentState>, request: &Request) -> Value {
    let rule = sales.agent(name);
    let shift = rule.and_then(|rule| sales.working_time(rule)).map(|time| {
        let on = time.leave_at(request.now).is_none() && time.shift_at(request.now).is_some();
        (on, time.next_shift(request.now).map(|shift| shift.from))
    });
    let (on_shift, next_shift_at) = shift.unwrap_or((false, None));
    let pools: Vec<&str> = sales.pools_of(name).map(|pool| pool.id.as_str()).collect();
    let facts = state.map(|state| &state.facts);
    json!({
        "agent_id": AgentId::of(name),
        "name": rule.map(|rule| rule.name.as_str()),
        "team": rule.map(|rule| rule.team.as_str()),
        "pools": pools,
        "languages": rule.map(|rule| &rule.languages),
        "enabled": rule.is_some_and(|rule| rule.enabled),
        "presence": facts.map_or(Presence::Offline, |facts| facts.presence),
        "away": state.and_then(|state| state.away_at(request.now)),
        "open_leads": facts.map_or(0, |facts| facts.open),
        "on_shift": on_shift,
        "next_shift_at": next_shift_at,
    })
}

fn read_presence(body: &Value) -> Result<Presence, Problem> {
    let mut reader = Reader::new(body);
    let state = word(&mut reader, "state", Presence::ALL);
    let faults = reader.finish();
    state.filter(|_| faults.is_empty()).ok_or_else(|| Problem::input(faults))
}

/// `{reason: "disabled"|"on_leave", until?}`, or `{reason: null}` for somebody who is back.
fn read_absence(body: &Value) -> Result<Option<Away>, Problem> {
    if body.get("reason").is_some_and(Value::is_null) && body.as_object().is_some_and(|object| object.len() == 1) {
        return Ok(None);
    }
    let mut reader = Reader::new(body);
    let reason = word(&mut reader, "reason", Absence::ALL);
    let until = reader.optional_time("until");
    let faults = reader.finish();
    let reason = reason.filter(|_| faults.is_empty()).ok_or_else(|| Problem::input(faults))?;
    Ok(Some(Away { reason, until }))
}

fn word<T: std::str::FromStr + Copy + std::fmt::Display>(
    reader: &mut Reader<'_>,
    name: &'static str,
    all: &[T],
) -> Option<T> {
    let text = reader.string(name)?;
    let word = text.parse().ok();
    if word.is_none() {
        let fault = Fault::new(format!("/{name}"), "unknown_value", format!("`{text}` is not one of the values"));
        reader.fault(fault.allowing(all.iter().map(ToString::to_string)));
    }
    word
}
