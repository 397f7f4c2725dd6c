//! A sales floor in memory: plans are made by the domain and applied here, and every law is checked after each of them.

use std::collections::BTreeMap;

use domain::contact::{NoPhone, Phone, PhoneNumber, is_e164};
use domain::decision::{Decision, Verdict};
use domain::lead::plan::{Floor, Plan, Planned, Trigger, plan, waits_until};
use domain::lead::rules::{LeadIntake, LeadRouting, LeadScoring};
use domain::lead::{Lead, LeadChannel, LeadStatus, Submission};
use domain::rules::{RuleSet, substitute};
use domain::sales::agent::Presence;
use domain::sales::choose::Standing;
use domain::sales::rules::SalesRules;
use domain::sales::task::{TaskAction, TaskStatus};
use domain::sales::{AgentId, AgentState, PoolState, Task};
use domain::{Country, LeadId, Seconds, TaskId, Timestamp};
use serde_json::{Value, json};

/// A seed file with the installation's names filled in.
pub fn seed(name: &str) -> Value {
    let path = format!("{}/../../infra/rules/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let path = if std::path::Path::new(&path).exists() { path } else { format!("../../infra/rules/{name}.yaml") };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let installed = |name: &str| {
        if name == "MAIL_FROM" {
            return Some("desk@broker.test".to_owned());
        }
        Some(if name.ends_with("_URL") { "http://127.0.0.1:8701".to_owned() } else { "pipworks/test".to_owned() })
    };
    let filled = substitute(&text, installed).unwrap();
    let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(&filled).unwrap();
    serde_json::to_value(yaml).unwrap()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Reads E.164 only: what national numbers mean is the business of whoever links a library for it.
pub fn phone(text: &str, _country: Option<Country>) -> Result<Phone, NoPhone> {
    let country = if text.starts_with("+52") { "MX".parse().ok() } else { None };
    let number = is_e164(text).then(|| PhoneNumber { e164: text.to_owned(), country, listed: true, costs: false });
    number.map(|number| Phone { number: Some(number), as_given: None }).ok_or(NoPhone::NotANumber)
}

pub struct World {
    pub sales: SalesRules,
    pub routing: LeadRouting,
    pub scoring: LeadScoring,
    pub intake: LeadIntake,
    pub leads: BTreeMap<LeadId, Lead>,
    pub tasks: BTreeMap<TaskId, Task>,
    pub agents: BTreeMap<String, AgentState>,
    pub pools: BTreeMap<String, PoolState>,
    pub now: Timestamp,
    /// Every assignment: lead, agent.
    pub given: Vec<(LeadId, AgentId)>,
    /// Work items that were asked for: lead, kind.
    pub asked: Vec<(LeadId, String)>,
    /// Why the last plan is what it is.
    pub why: Vec<String>,
    next: u128,
}

impl World {
    pub fn new(now: &str) -> Self {
        Self::with(now, seed("sales"), seed("lead_routing"))
    }

    pub fn with(now: &str, sales: Value, routing: Value) -> Self {
        Self {
            sales: SalesRules::parse(&sales).unwrap_or_else(|faults| panic!("{faults:#?}")),
            routing: LeadRouting::parse(&routing).unwrap_or_else(|faults| panic!("{faults:#?}")),
            scoring: LeadScoring::parse(&seed("lead_scoring")).unwrap(),
            intake: LeadIntake::parse(&seed("lead_intake")).unwrap(),
            leads: BTreeMap::new(),
            tasks: BTreeMap::new(),
            agents: BTreeMap::new(),
            pools: BTreeMap::new(),
            now: at(now),
            given: Vec::new(),
            asked: Vec::new(),
            why: Vec::new(),
            next: 1,
        }
    }

    /// New versions of the rules.
    pub fn publish(&mut self, sales: Value, routing: Value) {
        self.sales = SalesRules::parse(&sales).unwrap_or_else(|faults| panic!("{faults:#?}"));
        self.routing = LeadRouting::parse(&routing).unwrap_or_else(|faults| panic!("{faults:#?}"));
    }

    pub fn everybody(&mut self, presence: Presence) {
        let names: Vec<String> = self.sales.agents().map(|agent| agent.id.clone()).collect();
        names.iter().for_each(|name| self.presence(name, presence));
    }

    pub fn presence(&mut self, name: &str, presence: Presence) {
        let state = self.agents.get(name).cloned().unwrap_or_else(|| AgentState::unknown(AgentId::of(name)));
        if let Verdict::Change(decision) = state.present(presence, self.now) {
            self.agents.insert(name.to_owned(), decision.next);
        }
    }

    /// A lead as the portal sends it, routed at once.
    pub fn submit(&mut self, body: Value, signals: &[&str]) -> LeadId {
        let id = self.take(body, signals);
        self.run(&id, Trigger::Route);
        id
    }

    /// A lead as the portal sends it, not routed yet.
    pub fn take(&mut self, mut body: Value, signals: &[&str]) -> LeadId {
        let bits = u128::from(u64::try_from(self.now.millis()).unwrap()) << 80 | self.next;
        self.next += 1;
        if body.get("email").is_none() {
            body["email"] = json!(format!("lead{}@example.com", self.next));
        }
        if body.get("source").is_none() {
            body["source"] = json!({"channel": LeadChannel::PaidSearch.as_str()});
        }
        let form =
            Submission::read(&body, &self.intake, &phone, self.now).unwrap_or_else(|faults| panic!("{faults:#?}"));
        let mut lead = form.lead(LeadId::from_bits(bits));
        lead.facts.scored = Some(lead.score(&self.scoring, self.now).unwrap());
        let mut lead = lead.received(None).next;
        for kind in signals {
            if let Verdict::Change(decision) = lead.signalled(kind, None, &self.scoring, self.now).unwrap() {
                lead = decision.next;
            }
        }
        let id = lead.id.clone();
        self.leads.insert(id.clone(), lead);
        id
    }

    /// Plans and applies, with what the plan asks for loaded as a handler would.
    pub fn run(&mut self, id: &LeadId, trigger: Trigger) -> &'static str {
        let mut pools = BTreeMap::new();
        let mut agents = BTreeMap::new();
        let mut holder = match &trigger {
            Trigger::TakeBack(task) => Some((**task).clone()),
            Trigger::Route | Trigger::Release => None,
        };
        for _ in 0..12 {
            let floor =
                Floor { sales: &self.sales, routing: &self.routing, pools: &pools, agents: &agents, now: self.now };
            match plan(&self.leads[id], &trigger, holder.as_ref(), floor) {
                Planned::Nothing(reason) => return reason,
                Planned::NeedsPool(name) => {
                    let known = self.pools.get(&name).cloned().unwrap_or_else(|| PoolState::fresh(&name));
                    for member in &self.sales.pool(&name).unwrap().members {
                        agents
                            .extend(self.agents.get(&member.agent).map(|state| (member.agent.clone(), state.clone())));
                    }
                    pools.insert(name, known);
                }
                Planned::NeedsHolder(agent, task) => {
                    agents.insert(agent.name().to_owned(), self.agents[agent.name()].clone());
                    holder = Some(self.tasks[&task].clone());
                }
                Planned::Do(plan) => return self.apply(*plan),
            }
        }
        panic!("planning asks for ever more");
    }

    fn apply(&mut self, plan: Plan) -> &'static str {
        let outcome = plan.lead.outcome;
        self.why = plan.lead.why;
        let lead = plan.lead.next;
        if let Some(review) = &lead.facts.review
            && plan.lead.events.contains(&"lead.needs_person")
        {
            self.asked.push((lead.id.clone(), review.kind.clone()));
        }
        if let Some(opened) = plan.opened {
            let agent = opened.next.facts.agent_id.clone();
            self.check_may_get(&lead, &agent, &opened.next);
            self.given.push((lead.id.clone(), agent));
            self.tasks.insert(opened.next.id.clone(), opened.next);
        }
        if let Some(Decision { next, .. }) = plan.ended {
            self.tasks.insert(next.id.clone(), next);
        }
        for Decision { next, .. } in plan.agents {
            self.agents.insert(next.id.name().to_owned(), next);
        }
        if let Some(Decision { next, .. }) = plan.pool {
            self.pools.insert(next.id.name().to_owned(), next);
        }
        self.leads.insert(lead.id.clone(), lead);
        outcome
    }

    /// Whoever gets a lead works, is there, has room, and did not have it before.
    fn check_may_get(&self, lead: &Lead, agent: &AgentId, task: &Task) {
        let rule = self.sales.agent(agent.name()).unwrap();
        let pool = self.sales.pool(&task.facts.pool_id).unwrap();
        let before = &self.agents[agent.name()];
        assert!(rule.enabled && before.away_at(self.now).is_none(), "{agent} is away");
        assert!(self.sales.working_time(rule).unwrap().shift_at(self.now).is_some(), "{agent} is off shift");
        assert_eq!(before.facts.presence, Presence::Online, "{agent}");
        assert!(before.facts.open < rule.open_max.unwrap_or(pool.open_max), "{agent} has {} open", before.facts.open);
        assert!(!lead.facts.tried.contains(agent), "{agent} had {}", lead.id);
        if let Some(cap) = &pool.window_cap {
            assert!(before.given_within(cap, self.now) < cap.leads, "{agent} got too many");
        }
        let told = lead.person.routing.candidates.iter().filter(|c| c.standing == Standing::Chosen);
        assert_eq!(told.map(|c| &c.agent_id).collect::<Vec<_>>(), [agent], "the trace says who was chosen");
    }

    /// An agent does something with the task that a lead is with.
    pub fn act(&mut self, id: &LeadId, action: TaskAction) -> &'static str {
        let assignment = self.leads[id].facts.assignment.clone().unwrap();
        let task = self.tasks[&assignment.task_id].clone();
        let Ok(Verdict::Change(decision)) = task.act(action, None, "agent", self.now) else { return "refused" };
        let task = decision.next;
        self.tasks.insert(task.id.clone(), task.clone());
        self.lead_changes(self.leads[id].acted_on(&task.id, action, self.now));
        let agent = task.facts.agent_id.name().to_owned();
        if let Verdict::Change(decision) = self.agents[&agent].acted_on(&task.id, action) {
            self.agents.insert(agent, decision.next);
        }
        match action {
            TaskAction::Decline => self.run(id, Trigger::TakeBack(Box::new(task))),
            TaskAction::Start | TaskAction::Done | TaskAction::Note => decision.outcome,
        }
    }

    /// The lead does something; what that announces.
    pub fn signal(&mut self, id: &LeadId, kind: &str) -> Vec<&'static str> {
        let verdict = self.leads[id].signalled(kind, None, &self.scoring, self.now).unwrap();
        let Verdict::Change(decision) = verdict else { panic!("{kind} is not new") };
        self.leads.insert(id.clone(), decision.next);
        decision.events
    }

    fn lead_changes(&mut self, verdict: Verdict<Lead>) {
        if let Verdict::Change(decision) = verdict {
            self.leads.insert(decision.next.id.clone(), decision.next);
        }
    }

    /// Time passes, minute by minute; what is due happens as the timers do it.
    pub fn minutes(&mut self, minutes: u32) {
        for _ in 0..minutes {
            self.now = self.now.plus(Seconds(60));
            self.sweep();
        }
    }

    pub fn sweep(&mut self) {
        let due: Vec<Task> = self
            .tasks
            .values()
            .filter(|task| task.facts.status == TaskStatus::Open && task.facts.due_at <= self.now)
            .cloned()
            .collect();
        for task in due {
            let id = task.facts.lead_id.clone();
            self.run(&id, Trigger::TakeBack(Box::new(task)));
        }
        let pools: Vec<String> = self
            .pools
            .values()
            .filter(|pool| pool.due.is_some_and(|due| due <= self.now))
            .map(|p| p.id.name().to_owned())
            .collect();
        pools.iter().for_each(|name| self.release(name));
    }

    /// The waiting leads of a pool, oldest first.
    pub fn waiting(&self, pool: &str) -> Vec<LeadId> {
        let mut waiting: Vec<&Lead> = self
            .leads
            .values()
            .filter(|lead| lead.facts.waiting.as_ref().is_some_and(|waiting| waiting.pool_id == pool))
            .collect();
        waiting.sort_by_key(|lead| (lead.facts.waiting.as_ref().unwrap().since, lead.id.clone()));
        waiting.iter().map(|lead| lead.id.clone()).collect()
    }

    pub fn release(&mut self, name: &str) {
        let rule = self.sales.pool(name).unwrap().clone();
        let mut in_vain = 0;
        for id in self.waiting(name) {
            in_vain = if self.run(&id, Trigger::Release) == "nobody can take it yet" { in_vain + 1 } else { 0 };
            // sooner than the function, which counts those of each language apart
            if in_vain > 12 {
                break;
            }
        }
        let oldest = self.waiting(name).first().map(|id| self.leads[id].facts.waiting.as_ref().unwrap().since);
        let due = oldest.map(|since| {
            domain::lead::plan::looks_again(&rule, &self.sales, self.now)
                .min(waits_until(&rule, since, &self.sales).max(self.now.plus(Seconds(60))))
        });
        if let Some(decision) = self.pools[name].looked(due, self.now) {
            self.pools.insert(name.to_owned(), decision.next);
        }
    }

    pub fn status(&self, id: &LeadId) -> LeadStatus {
        self.leads[id].facts.status
    }

    pub fn agent_of(&self, id: &LeadId) -> Option<&str> {
        self.leads[id].facts.assignment.as_ref().map(|assignment| assignment.agent_id.name())
    }

    /// What holds at every moment.
    pub fn check(&self) {
        let mut open: BTreeMap<&str, u32> = BTreeMap::new();
        for task in self.tasks.values().filter(|task| task.facts.status.is_held()) {
            *open.entry(task.facts.agent_id.name()).or_default() += 1;
            let lead = &self.leads[&task.facts.lead_id];
            let held = lead.facts.assignment.as_ref().unwrap();
            assert_eq!((&held.task_id, &held.agent_id), (&task.id, &task.facts.agent_id), "one lead, one agent");
        }
        for (name, agent) in &self.agents {
            assert_eq!(agent.facts.open, open.get(name.as_str()).copied().unwrap_or(0), "open leads of {name}");
        }
        for lead in self.leads.values() {
            let facts = &lead.facts;
            let mut tried = facts.tried.clone();
            tried.dedup();
            assert_eq!(tried.len(), facts.tried.len());
            let is_assigned = matches!(facts.status, LeadStatus::Assigned | LeadStatus::Working);
            assert!(!is_assigned || facts.assignment.is_some(), "{} has nobody", lead.id);
            assert_eq!(facts.status == LeadStatus::Waiting, facts.waiting.is_some(), "{}", lead.id);
            assert_eq!(facts.status == LeadStatus::Escalated, facts.review.is_some(), "{}", lead.id);
            assert_ne!(facts.status, LeadStatus::Received, "{} was not routed", lead.id);
            if let Some(waiting) = &facts.waiting {
                let pool = self.sales.pool(&waiting.pool_id).unwrap();
                let limit = waits_until(pool, waiting.since, &self.sales).plus(Seconds(180));
                assert!(self.now < limit, "{} waits since {}", lead.id, waiting.since);
                let due = self.pools[&waiting.pool_id].due.unwrap();
                assert!(due >= waiting.since, "it looks in time");
            }
        }
        for pool in self.pools.values() {
            assert_eq!(pool.facts.shares.lags().map(|(_, lag)| lag).sum::<i64>(), 0, "{}", pool.id);
        }
    }
}
