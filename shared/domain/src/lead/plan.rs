//! Where a lead goes now: one decision over the lead, its task, the agents and the pool, to be saved together or not at all.

use std::collections::BTreeMap;

use super::{Lead, LeadStatus, Placed, RoutingTrace};
use crate::decision::{Asked, Decision, derived_bits};
use crate::lead::rules::LeadRouting;
use crate::lead::rules::routing::{Destination, RoutingFacts};
use crate::rules::evaluate::{NodeKind, NodeTrace, Outcome};
use crate::sales::calendar::{add_working_time, next_opening};
use crate::sales::choose::{self, Candidate, Choice, Needs, NoAgent};
use crate::sales::rules::{Pool, SalesRules, SlaClock};
use crate::sales::shares::Shares;
use crate::sales::task::{TaskFacts, TaskStatus};
use crate::sales::{AgentId, AgentState, PoolState, Task};
use crate::work::rules::WorkKind;
use crate::{TaskId, Timestamp};

/// How many pools one lead is offered to, one overflow after the other.
const POOLS_MAX: usize = 5;
/// Lines about rules in the trace that a person reads.
const RULE_LINES_MAX: usize = 12;

/// What is known of the sales floor.
#[derive(Debug, Clone, Copy)]
pub struct Floor<'a> {
    /// Agents, calendars, pools.
    pub sales: &'a SalesRules,
    /// Who goes where.
    pub routing: &'a LeadRouting,
    /// The states of the pools that were looked at, by name.
    pub pools: &'a BTreeMap<String, PoolState>,
    /// The states of their members, by name; who was never seen is not in it.
    pub agents: &'a BTreeMap<String, AgentState>,
    /// The moment.
    pub now: Timestamp,
}

/// Why a lead is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// It is new, or something about it changed.
    Route,
    /// Its task was declined, or its time may be over.
    TakeBack(Box<Task>),
    /// It waits, and somebody may be able to take it now.
    Release,
}

/// What is saved together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The lead.
    pub lead: Decision<Lead>,
    /// A task that begins.
    pub opened: Option<Decision<Task>>,
    /// A task that ends.
    pub ended: Option<Decision<Task>>,
    /// Agents who got the lead or lost it.
    pub agents: Vec<Decision<AgentState>>,
    /// The pool.
    pub pool: Option<Decision<PoolState>>,
}

/// What planning came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// Save this.
    Do(Box<Plan>),
    /// Nothing to do.
    Nothing(&'static str),
    /// The states of this pool and its members must be known first.
    NeedsPool(String),
    /// The states of this agent and this task must be known first: who has the lead now.
    NeedsHolder(AgentId, TaskId),
}

/// Plans where a lead goes. `holder` is the task that it is with, where that is known. Broken rules never lose a lead: it is
/// held, and a person is told.
pub fn plan(lead: &Lead, trigger: &Trigger, holder: Option<&Task>, floor: Floor<'_>) -> Planned {
    match trigger {
        Trigger::Route => route(lead, holder, floor),
        Trigger::TakeBack(task) => take_back(lead, task, floor),
        Trigger::Release => release(lead, floor),
    }
}

/// The rule that holds for a lead.
struct Routed {
    rule_id: String,
    /// Where it leads to; why that cannot be said when the rules are broken.
    destination: Result<Destination, String>,
    lines: Vec<String>,
    why: Vec<String>,
    /// What the rows were asked, where they were.
    asked: Option<Asked>,
}

fn routed(lead: &Lead, floor: Floor<'_>) -> Routed {
    let facts = RoutingFacts::of(lead, floor.now);
    let found = match floor.routing.destination(&facts) {
        Ok(found) => found,
        Err(error) => return Routed::broken(format!("lead_routing: {error}: {}", error.fault)),
    };
    let (Some(row_id), Some(outcome)) = (found.row_id(), found.outcome()) else {
        return Routed::broken("lead_routing: no row holds".to_owned());
    };
    let left_out = found.judged().saturating_sub(RULE_LINES_MAX);
    let mut lines = Vec::new();
    if left_out > 0 {
        lines.push(format!("{left_out} rows before do not hold"));
    }
    for row in &found.judged_from(left_out).rows {
        let Some(node) = &row.when else { break };
        let verdict = if row.outcome == Outcome::Value(true) { "holds" } else { "does not hold" };
        lines.push(format!("{}: {verdict} ({})", row.row, shown(node)));
    }
    let why = found.why("rows");
    let asked = floor.routing.asked(&facts);
    Routed { rule_id: row_id.to_owned(), destination: Ok(outcome.clone()), lines, why, asked }
}

/// The question that decided, with the fact that answered it.
fn shown(node: &NodeTrace) -> String {
    match &node.kind {
        NodeKind::Test { test, fact } => {
            let fact = fact.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
            format!("{test}: is `{fact}`")
        }
        NodeKind::Not(child) => format!("not: {}", shown(child)),
        NodeKind::All(children) | NodeKind::Any(children) => {
            let deciding = children.iter().rfind(|child| child.outcome == node.outcome);
            deciding.or(children.last()).map_or_else(|| "always".to_owned(), shown)
        }
    }
}

/// A lead on its way to a destination.
struct Way<'a> {
    lead: &'a Lead,
    routed: Routed,
    /// The task that it is taken from, and how that ends.
    ending: Option<(&'a Task, TaskStatus)>,
    floor: Floor<'a>,
}

fn route(lead: &Lead, holder: Option<&Task>, floor: Floor<'_>) -> Planned {
    if lead.facts.to_route.is_none() || !lead.facts.status.is_routable() {
        return Planned::Nothing("it needs no routing");
    }
    let routed = routed(lead, floor);
    let Some(assignment) = &lead.facts.assignment else { return Way { lead, routed, ending: None, floor }.go() };
    if assignment.rule_id == routed.rule_id {
        return planned(lead.stays(routed.why).asking(routed.asked));
    }
    // it goes elsewhere: whoever has it must still be able to lose it
    let known = holder.filter(|task| task.id == assignment.task_id);
    let (Some(task), Some(_)) = (known, floor.agents.get(assignment.agent_id.name())) else {
        return Planned::NeedsHolder(assignment.agent_id.clone(), assignment.task_id.clone());
    };
    if task.facts.status != TaskStatus::Open {
        return Planned::Nothing("its agent is at it");
    }
    let mut freed = lead.clone();
    freed.facts.assignment = None;
    Way { lead: &freed, routed, ending: Some((task, TaskStatus::Cancelled)), floor }.go()
}

fn take_back(lead: &Lead, task: &Task, floor: Floor<'_>) -> Planned {
    let Some(assignment) = lead.facts.assignment.as_ref().filter(|assignment| assignment.task_id == task.id) else {
        return Planned::Nothing("the lead is not this task's any more");
    };
    if !matches!(lead.facts.status, LeadStatus::Assigned | LeadStatus::Working) {
        return Planned::Nothing("nobody needs to call it any more");
    }
    let end = match task.facts.status {
        TaskStatus::Open if task.facts.due_at <= floor.now => TaskStatus::Expired,
        TaskStatus::Declined => TaskStatus::Declined,
        _ => return Planned::Nothing("its time is not over"),
    };
    if !floor.agents.contains_key(assignment.agent_id.name()) {
        return Planned::NeedsHolder(assignment.agent_id.clone(), assignment.task_id.clone());
    }
    let taken = lead.taken_back();
    let ending = Some((task, end));
    // a change that came while the agent had it counts now, and so do rules without its pool
    let anew = taken.facts.to_route.is_some() || floor.sales.pool(&assignment.pool_id).is_none();
    let again = || Routed::again(&assignment.rule_id, &assignment.pool_id);
    let routed = if anew { routed(&taken, floor) } else { again() };
    let routed = routed.after(format!("{end} by {}", assignment.agent_id));
    let way = Way { lead: &taken, routed, ending, floor };
    let hops = u32::try_from(taken.facts.tried.len()).unwrap_or(u32::MAX);
    if way.pool().is_some_and(|pool| hops > pool.hops_max) {
        return way.escalate(WorkKind::LeadUnclaimed, None, way.routed.why.clone());
    }
    way.go()
}

fn release(lead: &Lead, floor: Floor<'_>) -> Planned {
    let (LeadStatus::Waiting, Some(waiting)) = (lead.facts.status, &lead.facts.waiting) else {
        return Planned::Nothing("it does not wait");
    };
    let Some(pool) = floor.sales.pool(&waiting.pool_id) else {
        return Way { lead, routed: routed(lead, floor), ending: None, floor }.go();
    };
    // a change that could not be followed when it came counts now
    let again = || Routed::again(&waiting.rule_id, &waiting.pool_id);
    let routed = if lead.facts.to_route.is_some() { routed(lead, floor) } else { again() };
    let routed = routed.after(format!("waits in {} since {}", waiting.pool_id, waiting.since));
    let way = Way { lead, routed, ending: None, floor };
    let planned = way.go();
    let still_waits = match &planned {
        Planned::Do(found) => {
            found.lead.next.facts.waiting.as_ref().is_some_and(|next| next.pool_id == waiting.pool_id)
        }
        Planned::Nothing(_) => true,
        Planned::NeedsPool(_) | Planned::NeedsHolder(..) => false,
    };
    if !still_waits {
        return planned;
    }
    if floor.now < waits_until(pool, waiting.since, floor.sales) {
        return Planned::Nothing("nobody can take it yet");
    }
    let why = vec![format!("waits since {}, longer than {}", waiting.since, pool.waiting_max)];
    let trace = match planned {
        Planned::Do(found) => Some(found.lead.next.person.routing),
        Planned::Nothing(_) | Planned::NeedsPool(_) | Planned::NeedsHolder(..) => None,
    };
    way.escalate(WorkKind::LeadWaiting, trace, why)
}

fn planned(lead: Decision<Lead>) -> Planned {
    Planned::Do(Box::new(Plan { lead, opened: None, ended: None, agents: vec![], pool: None }))
}

/// When a lead has waited too long: only time in which the pool works counts, where it works at all.
pub fn waits_until(pool: &Pool, since: Timestamp, sales: &SalesRules) -> Timestamp {
    add_working_time(&sales.working_times(pool), since, pool.waiting_max)
        .unwrap_or_else(|| since.plus(pool.waiting_max))
}

/// When the waiting leads of a pool are worth looking at: soon while somebody works, else when the next shift begins.
pub fn looks_again(pool: &Pool, sales: &SalesRules, now: Timestamp) -> Timestamp {
    let chain = chain(pool, sales);
    let people: Vec<_> = chain.iter().flat_map(|pool| sales.working_times(pool)).collect();
    match next_opening(&people, now) {
        Some(opening) if opening > now => opening,
        _ => now.plus(pool.release.every),
    }
}

/// A pool and those that it overflows to.
fn chain<'a>(pool: &'a Pool, sales: &'a SalesRules) -> Vec<&'a Pool> {
    let mut chain = vec![pool];
    while let Some(next) = chain.last().and_then(|last| last.overflow.as_deref()).and_then(|id| sales.pool(id)) {
        if chain.len() >= POOLS_MAX {
            break;
        }
        chain.push(next);
    }
    chain
}

impl Routed {
    /// Where it was led to before.
    fn again(rule_id: &str, pool_id: &str) -> Self {
        let destination = Ok(Destination::Pool(pool_id.to_owned()));
        Self { rule_id: rule_id.to_owned(), destination, why: Vec::new(), lines: Vec::new(), asked: None }
    }

    /// With what happened before as the first line.
    fn after(mut self, what: String) -> Self {
        self.lines.insert(0, what.clone());
        self.why.insert(0, what);
        self
    }

    fn broken(what: String) -> Self {
        Self { rule_id: String::new(), destination: Err(what), lines: Vec::new(), why: Vec::new(), asked: None }
    }
}

impl Way<'_> {
    fn go(&self) -> Planned {
        let name = match &self.routed.destination {
            Ok(Destination::Pool(name)) => name,
            Ok(Destination::Sequence(sequence)) => return self.nurture(sequence),
            Err(what) => return self.hold(what.clone()),
        };
        let Some(first) = self.floor.sales.pool(name) else {
            return self.hold(format!("rule {} names pool {name}, which is not there", self.routed.rule_id));
        };
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut reason = None;
        for pool in chain(first, self.floor.sales) {
            let Some(state) = self.floor.pools.get(&pool.id) else { return Planned::NeedsPool(pool.id.clone()) };
            let mut choice = self.choose(pool, state);
            candidates.append(&mut choice.candidates);
            match choice.agent {
                Ok(agent) => return self.assign(&agent, pool, choice.shares, candidates),
                Err(NoAgent::AllAtCap) => {
                    reason = Some(NoAgent::AllAtCap);
                    break;
                }
                Err(other) => reason = reason.or(Some(other)),
            }
        }
        self.none(first, reason.unwrap_or(NoAgent::NobodyWorks), candidates)
    }

    /// The pool that it goes to, if it is one that is there.
    fn pool(&self) -> Option<&Pool> {
        match &self.routed.destination {
            Ok(Destination::Pool(name)) => self.floor.sales.pool(name),
            Ok(Destination::Sequence(_)) | Err(_) => None,
        }
    }

    /// The rules are broken: nobody is asked until a person says so.
    fn hold(&self, what: String) -> Planned {
        self.escalate(WorkKind::LeadRuleError, None, vec![what])
    }

    fn choose(&self, pool: &Pool, state: &PoolState) -> Choice {
        let facts = &self.lead.facts;
        let needs = Needs {
            language: self.lead.primary_language(),
            tried: &facts.tried,
            before: facts.returning.as_ref().map(|returning| &returning.agent_id),
        };
        choose::choose(self.floor.sales, pool, self.floor.agents, &state.facts.shares, needs, self.floor.now)
    }

    fn nurture(&self, sequence: &str) -> Planned {
        let (lead, now) = (self.lead, self.floor.now);
        let in_it = lead.facts.sequence.as_ref().is_some_and(|own| own.name == sequence);
        let why = self.routed.why.clone();
        let decision = if lead.facts.status == LeadStatus::Nurturing && in_it {
            lead.stays(why)
        } else {
            lead.nurtures(sequence, self.trace(Vec::new()), why, now)
        };
        self.with_ending(Plan { lead: decision, opened: None, ended: None, agents: vec![], pool: None })
    }

    fn assign(&self, agent: &AgentId, pool: &Pool, shares: Shares, candidates: Vec<Candidate>) -> Planned {
        let (lead, now) = (self.lead, self.floor.now);
        let waited = lead.facts.waiting.is_some().then_some(&pool.release);
        let state = self.floor.pools.get(&pool.id);
        if waited.is_some_and(|rule| state.is_some_and(|state| state.may_release(rule, now) == 0)) {
            return Planned::Nothing("enough waiting leads were handed out for now");
        }
        // the history grows with each change, so that no two assignments of a lead make the same id
        let seed = format!("{} {}", lead.person.history.len(), agent);
        let task_id = TaskId::from_bits(derived_bits(now, &[lead.id.as_str(), "task", &seed]));
        let due_at = self.due(pool, agent);
        let task = Task { id: task_id.clone(), facts: task_facts(lead, agent, pool, due_at, now), history: Vec::new() };
        let unknown = || AgentState::unknown(agent.clone());
        let taker = self.floor.agents.get(agent.name()).cloned().unwrap_or_else(unknown);
        let owed = vec![format!("{} to {agent}", lead.id)];
        let gave = state.map(|state| state.gave(shares, waited, now, owed));
        self.with_ending(Plan {
            lead: lead.assigned(agent, task_id.clone(), due_at, self.placed(pool, candidates), now),
            opened: Some(task.opened()),
            ended: None,
            agents: vec![taker.given(task_id.as_str(), now)],
            pool: gave,
        })
    }

    /// By when the agent must begin. Working time that ends within the limit goes on with the agent's next shift.
    fn due(&self, pool: &Pool, agent: &AgentId) -> Timestamp {
        let calendar = self.floor.now.plus(pool.due_in);
        if pool.clock == SlaClock::Calendar {
            return calendar;
        }
        let time = self.floor.sales.agent(agent.name()).and_then(|rule| self.floor.sales.working_time(rule));
        time.and_then(|time| add_working_time(&[time], self.floor.now, pool.due_in)).unwrap_or(calendar)
    }

    /// Nobody can take it: it waits, or everybody had it and the team lead decides.
    fn none(&self, pool: &Pool, reason: NoAgent, candidates: Vec<Candidate>) -> Planned {
        if reason == NoAgent::AllTried {
            let why = self.why(&candidates);
            return self.escalate(WorkKind::LeadUnclaimed, Some(self.trace(candidates)), why);
        }
        let (sales, now) = (self.floor.sales, self.floor.now);
        let lead = self.lead.waits(reason, self.placed(pool, candidates), now);
        let since = lead.next.facts.waiting.as_ref().map_or(now, |waiting| waiting.since);
        let due = looks_again(pool, sales, now).min(waits_until(pool, since, sales));
        let pool = self.floor.pools.get(&pool.id).and_then(|state| state.waits(due, now));
        self.with_ending(Plan { lead, opened: None, ended: None, agents: vec![], pool })
    }

    fn escalate(&self, kind: WorkKind, trace: Option<RoutingTrace>, why: Vec<String>) -> Planned {
        let now = self.floor.now;
        let trigger = format!("{kind} {}", now.seconds());
        let lead = self.lead.escalates(kind, trigger, trace, why, now);
        self.with_ending(Plan { lead, opened: None, ended: None, agents: vec![], pool: None })
    }

    fn placed(&self, pool: &Pool, candidates: Vec<Candidate>) -> Placed {
        Placed {
            pool_id: pool.id.clone(),
            rule_id: self.routed.rule_id.clone(),
            why: self.why(&candidates),
            trace: self.trace(candidates),
        }
    }

    fn trace(&self, candidates: Vec<Candidate>) -> RoutingTrace {
        RoutingTrace { at: Some(self.floor.now), rules: self.routed.lines.clone(), candidates }
    }

    fn why(&self, candidates: &[Candidate]) -> Vec<String> {
        self.routed.why.iter().cloned().chain(choose::why(candidates)).collect()
    }

    /// What the rows were asked is kept; the task that the lead is taken from ends, and its agent has one lead less.
    fn with_ending(&self, mut plan: Plan) -> Planned {
        plan.lead.asked.clone_from(&self.routed.asked);
        let Some((task, status)) = self.ending else { return Planned::Do(Box::new(plan)) };
        if status != TaskStatus::Declined {
            plan.ended = Some(task.taken_back(status, self.floor.now));
        }
        let agent = &task.facts.agent_id;
        match plan.agents.iter_mut().find(|decision| decision.next.id == *agent) {
            // a lead that changed its pool may come back to the agent it was with
            Some(both) => both.next.facts.open = both.next.facts.open.saturating_sub(1),
            None => {
                let state = self.floor.agents.get(agent.name());
                plan.agents.extend(state.map(|state| state.released(task.id.as_str(), status.as_str())));
            }
        }
        Planned::Do(Box::new(plan))
    }
}

fn task_facts(lead: &Lead, agent: &AgentId, pool: &Pool, due_at: Timestamp, now: Timestamp) -> TaskFacts {
    let facts = &lead.facts;
    let scored = facts.scored.as_ref();
    TaskFacts {
        kind: "call_lead".to_owned(),
        status: TaskStatus::Open,
        agent_id: agent.clone(),
        lead_id: lead.id.clone(),
        pool_id: pool.id.clone(),
        hop: u32::try_from(facts.tried.len()).unwrap_or(u32::MAX),
        created_at: now,
        due_at,
        started_at: None,
        ended_at: None,
        about: serde_json::json!({
            "country": facts.country, "language": facts.language, "channel": facts.source.channel,
            "campaign": facts.source.campaign, "score": scored.map(|scored| scored.score),
            "band": scored.map(|scored| scored.band.as_str()),
        }),
    }
}
