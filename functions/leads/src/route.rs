//! Where leads go: new ones, ones that changed, ones whose agent did not begin in time, ones that wait.

use std::sync::Arc;

use domain::decision::{Frame, Verdict};
use domain::lead::Lead;
use domain::lead::plan::Trigger;
use domain::sales::{AgentState, PoolId, Task};
use domain::{ClientId, LeadId};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::people;
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Attempt};
use runtime::{StepError, awsclients};
use serde_json::Value;
use store::{Commit, Crm, Home, Stored};

use crate::floor::SalesFloor;

/// The step.
pub struct Route {
    crm: Crm,
    floor: SalesFloor,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let crm = awsclients::crm(ports)?;
    let floor = SalesFloor::new(crm.clone(), RuleBook::new(ports)?);
    QueueFunction::build(Route { crm, floor }, ports)
}

impl QueueStep for Route {
    const NAME: &'static str = "leads-route";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                "lead.received" => self.floor.place(&event.id()?, &Trigger::Route, &frame).await,
                "task.due" | "task.declined" => self.floor.take_back(&event.id()?, &frame).await,
                "pool.due" => self.floor.release(event.id::<PoolId>()?.name(), &frame).await,
                "agent.presence" | "task.done" => self.somebody_can(&event, &frame).await,
                "client.registered" => self.converted(&event, &frame).await,
                "work.decided" => self.decided(&event, &mut frame).await,
                other => Err(StepError::Malformed(format!("{other} is no event of this step"))),
            }
        })
    }
}

impl Route {
    /// An agent came, or has room again: the waiting leads of that agent's pools are looked at.
    async fn somebody_can(&self, event: &BusEvent, frame: &Frame) -> Result<&'static str, StepError> {
        let text = |name: &str| event.data.get(name).and_then(Value::as_str).unwrap_or_default();
        let agent = text("agent_id").trim_start_matches("agt_");
        let rules = self.floor.rules().await?;
        let pools: Vec<String> = rules.sales.rules.pools_of(agent).map(|pool| pool.id.clone()).collect();
        let mut outcome = "nobody_waits";
        for pool in pools {
            if self.floor.release(&pool, frame).await? == "released" {
                outcome = "released";
            }
        }
        Ok(outcome)
    }

    /// A lead became a client: its task ends, and its agent has won it.
    async fn converted(&self, event: &BusEvent, frame: &Frame) -> Result<&'static str, StepError> {
        let text = |name: &str| event.data.get(name).and_then(Value::as_str);
        let (Some(lead), Some(client)) = (text("lead_id"), text("client_id")) else { return Ok("nothing_to_do") };
        let client: &ClientId = &client.parse().map_err(|_| StepError::Malformed(client.to_owned()))?;
        let lead: &LeadId = &lead.parse().map_err(|_| StepError::Malformed(lead.to_owned()))?;
        step::together(frame, "the lead keeps changing", || {
            Box::pin(async move {
                let Some(mut stored) = self.crm.load::<Lead>(lead).await? else {
                    return Ok(Attempt::Nothing("no_such_lead"));
                };
                if let Some(first) = stored.entity.facts.duplicate_of.clone() {
                    let Some(joined) = self.crm.load::<Lead>(&first).await? else {
                        return Ok(Attempt::Nothing("no_such_lead"));
                    };
                    stored = joined;
                }
                match stored.entity.converted(client, frame.now) {
                    Verdict::Nothing(_) => Ok::<_, StepError>(Attempt::Nothing("nothing_to_do")),
                    Verdict::Change(decision) => {
                        Ok(Attempt::Save(self.conversion(&stored, &decision, frame).await?, "converted"))
                    }
                }
            })
        })
        .await
    }

    async fn conversion(
        &self,
        stored: &Stored<Lead>,
        decision: &domain::decision::Decision<Lead>,
        frame: &Frame,
    ) -> Result<Commit, StepError> {
        let mut frame = frame.clone();
        frame.correlation_id.clone_from(&stored.correlation_id);
        let lead = &stored.entity;
        let task = match &lead.facts.assignment {
            Some(assignment) => self.crm.load::<Task>(&assignment.task_id).await?,
            None => None,
        };
        let winner = match lead.winner() {
            Some(winner) => self.crm.load::<AgentState>(winner).await?,
            None => None,
        };
        let entities = (task.as_ref().map(|task| &task.entity), winner.as_ref().map(|agent| &agent.entity));
        let ends = lead.conversion_ends(entities.0, entities.1, frame.now);
        let mut commit = Home::<Lead>::table(&self.crm).commit();
        commit.save(&self.crm, Some(stored), decision, &frame)?;
        if let Some(next) = ends.task {
            commit.save(&self.crm, task.as_ref(), &next, &frame)?;
        }
        if let Some(next) = ends.agent {
            commit.save(&self.crm, winner.as_ref(), &next, &frame)?;
        }
        Ok(commit)
    }

    /// A person's decision about a lead that waits for one.
    async fn decided(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        people::carry_out(&self.crm, &self.crm, event, "lead_id", frame, Lead::decided).await
    }
}
