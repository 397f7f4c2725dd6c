//! Plans where a lead goes and saves the whole plan at once; plans again on what is there when somebody else was first.

use std::collections::BTreeMap;

use domain::LeadId;
use domain::TaskId;
use domain::decision::{Decision, Frame};
use domain::entity::{Entity, InCrm};
use domain::lead::Lead;
use domain::lead::plan::{Floor, Plan, Planned, Trigger, plan};
use domain::lead::rules::LeadRouting;
use domain::sales::rules::SalesRules;
use domain::sales::{AgentId, AgentState, PoolId, PoolState, Task};
use runtime::StepError;
use runtime::rulebook::{Live, RuleBook};
use runtime::step::{self, Attempt};
use std::sync::Arc;
use store::{Commit, Crm, Home, Stored};

/// Things that one plan may ask for: the pools of a chain, and who has the lead.
const ASKS_MAX: usize = 12;

/// The sales floor in the tables.
#[derive(Clone)]
pub(crate) struct SalesFloor {
    pub(crate) crm: Crm,
    rules: RuleBook,
}

/// The rules that a plan is made by.
pub(crate) struct Rules {
    pub sales: Arc<Live<SalesRules>>,
    pub routing: Arc<Live<LeadRouting>>,
}

/// What was read for a plan, with the versions under which it may be saved.
#[derive(Default)]
struct Known {
    pools: BTreeMap<String, PoolState>,
    agents: BTreeMap<String, AgentState>,
    holder: Option<Task>,
    stored_pools: BTreeMap<String, Stored<PoolState>>,
    stored_agents: BTreeMap<String, Stored<AgentState>>,
    stored_holder: Option<Stored<Task>>,
}

impl SalesFloor {
    pub(crate) fn new(crm: Crm, rules: RuleBook) -> Self {
        Self { crm, rules }
    }

    pub(crate) async fn rules(&self) -> Result<Rules, StepError> {
        Ok(Rules { sales: self.rules.live().await?, routing: self.rules.live().await? })
    }

    /// Routes a lead that is new or changed, or that waits.
    pub(crate) async fn place(&self, id: &LeadId, trigger: &Trigger, frame: &Frame) -> Result<&'static str, StepError> {
        let rules = &self.rules().await?;
        step::together(frame, "the sales floor keeps changing", || {
            Box::pin(async move {
                let lead = self.lead(id).await?;
                self.attempt(&lead, trigger, None, rules, frame).await
            })
        })
        .await
    }

    /// Takes a lead back from a task that was declined or whose time may be over.
    pub(crate) async fn take_back(&self, task_id: &TaskId, frame: &Frame) -> Result<&'static str, StepError> {
        let rules = &self.rules().await?;
        step::together(frame, "the sales floor keeps changing", || {
            Box::pin(async move {
                let task = self.crm.load::<Task>(task_id).await?;
                let task = task.ok_or_else(|| StepError::Absent(task_id.to_string()))?;
                let lead = self.lead(&task.entity.facts.lead_id).await?;
                let trigger = Trigger::TakeBack(Box::new(task.entity.clone()));
                self.attempt(&lead, &trigger, Some(task), rules, frame).await
            })
        })
        .await
    }

    async fn lead(&self, id: &LeadId) -> Result<Stored<Lead>, StepError> {
        self.crm.load::<Lead>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))
    }

    /// One plan on what is there now.
    async fn attempt(
        &self,
        lead: &Stored<Lead>,
        trigger: &Trigger,
        holder: Option<Stored<Task>>,
        rules: &Rules,
        frame: &Frame,
    ) -> Result<Attempt<&'static str>, StepError> {
        let mut known = Known { holder: holder.as_ref().map(|task| task.entity.clone()), ..Known::default() };
        known.stored_holder = holder;
        for _ in 0..ASKS_MAX {
            let floor = Floor {
                sales: &rules.sales.rules,
                routing: &rules.routing.rules,
                pools: &known.pools,
                agents: &known.agents,
                now: frame.now,
            };
            match plan(&lead.entity, trigger, known.holder.as_ref(), floor) {
                Planned::Nothing(reason) => {
                    tracing::debug!(lead.id = %lead.entity.id, reason, "nothing to do");
                    return Ok(Attempt::Nothing("nothing_to_do"));
                }
                Planned::NeedsPool(name) => self.read_pool(&name, &rules.sales.rules, &mut known).await?,
                Planned::NeedsHolder(agent, task) => {
                    self.read_agents(&[agent], &mut known).await?;
                    // what was decided on must be what is saved under: a task that was read is not read again
                    if known.holder.as_ref().is_none_or(|holder| holder.id != task) {
                        known.stored_holder = self.crm.load(&task).await?;
                        known.holder = known.stored_holder.as_ref().map(|task| task.entity.clone());
                    }
                }
                Planned::Do(plan) => return self.planned(lead, *plan, &known, rules, frame),
            }
        }
        Err(StepError::Rules { set: "sales", what: "planning asks for ever more".to_owned() })
    }

    async fn read_pool(&self, name: &str, sales: &SalesRules, known: &mut Known) -> Result<(), StepError> {
        let members = sales.pool(name).into_iter().flat_map(|pool| &pool.members);
        let missing = members.filter(|member| !known.agents.contains_key(&member.agent));
        let missing: Vec<AgentId> = missing.map(|member| AgentId::of(&member.agent)).collect();
        self.read_agents(&missing, known).await?;
        let stored = self.crm.load::<PoolState>(&PoolId::of(name)).await?;
        let state = stored.as_ref().map_or_else(|| PoolState::fresh(name), |stored| stored.entity.clone());
        known.pools.insert(name.to_owned(), state);
        known.stored_pools.extend(stored.map(|stored| (name.to_owned(), stored)));
        Ok(())
    }

    async fn read_agents(&self, ids: &[AgentId], known: &mut Known) -> Result<(), StepError> {
        if ids.is_empty() {
            return Ok(());
        }
        for stored in self.crm.load_some::<AgentState>(ids).await? {
            let name = stored.entity.id.name().to_owned();
            known.agents.insert(name.clone(), stored.entity.clone());
            known.stored_agents.insert(name, stored);
        }
        Ok(())
    }

    /// The whole plan as one write.
    fn planned(
        &self,
        lead: &Stored<Lead>,
        plan: Plan,
        known: &Known,
        rules: &Rules,
        frame: &Frame,
    ) -> Result<Attempt<&'static str>, StepError> {
        let outcome = plan.lead.outcome;
        let mut frame = frame.clone();
        frame.used(rules.routing.label());
        frame.used(rules.sales.label());
        frame.correlation_id.clone_from(&lead.correlation_id);
        let mut commit = Home::<Lead>::table(&self.crm).commit();
        let crm = &self.crm;
        commit.save(crm, Some(lead), &plan.lead, &frame)?;
        add(&mut commit, crm, None, plan.opened.as_ref(), &frame)?;
        add(&mut commit, crm, known.stored_holder.as_ref(), plan.ended.as_ref(), &frame)?;
        for agent in &plan.agents {
            commit.save(crm, known.stored_agents.get(agent.next.id.name()), agent, &frame)?;
        }
        let pool = plan.pool.as_ref();
        add(&mut commit, crm, pool.and_then(|pool| known.stored_pools.get(pool.next.id.name())), pool, &frame)?;
        Ok(Attempt::Save(commit, outcome))
    }
}

fn add<T: Entity<Table = InCrm>>(
    commit: &mut Commit,
    crm: &Crm,
    was: Option<&Stored<T>>,
    decision: Option<&Decision<T>>,
    frame: &Frame,
) -> Result<(), StepError> {
    match decision {
        Some(decision) => Ok(commit.save(crm, was, decision, frame)?),
        None => Ok(()),
    }
}
