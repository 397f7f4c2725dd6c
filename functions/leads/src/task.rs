//! What agents do with their tasks: over the API, or with the buttons of a Slack message.

use std::sync::Arc;

use domain::TaskId;
use domain::decision::{Frame, Verdict};
use domain::input::{Fault, Reader};
use domain::lead::Lead;
use domain::sales::rules::SalesRules;
use domain::sales::task::{TaskAction, TaskRefusal};
use domain::sales::{AgentId, AgentState, Task};
use providers::http::Transport;
use runtime::auth::Role;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{BODY_BYTES_MAX, HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::RuleBook;
use runtime::secrets::Secrets;
use runtime::step::{self, Attempt};
use runtime::{Caller, Problem, awsclients};
use serde_json::{Value, json};
use store::{Crm, Home, Stored};

/// Who may act on tasks.
pub(crate) const SALES: &[Role] = &[Role::Sales, Role::Admin];
/// Longest note, in characters.
const NOTE_MAX: usize = 500;

/// The step.
pub struct Tasks {
    pub(crate) crm: Crm,
    pub(crate) rules: RuleBook,
    pub(crate) secrets: Secrets,
    pub(crate) transport: Arc<dyn Transport>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Tasks {
        crm: awsclients::crm(ports)?,
        rules: RuleBook::new(ports)?,
        secrets: Secrets::new(ports),
        transport: ports.transport.clone(),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for Tasks {
    const NAME: &'static str = "leads-task";

    const ROUTES: &'static [Route<Self>] = &[
        Route::token("POST", "/v1/tasks/{task_id}/actions", SALES, Scope::Everybody, |step, request, caller| {
            Box::pin(step.asked(request, caller))
        }),
        Route::signed("POST", "/v1/webhooks/slack", BODY_BYTES_MAX, |step, request| Box::pin(step.pressed(request))),
    ];
}

/// The agent as whom alone a caller may act: an agent's own token is for the agent's own affairs. Whoever is no agent, and the
/// sales manager, acts for everybody.
pub(crate) fn only_as(sales: &SalesRules, caller: &Caller) -> Option<AgentId> {
    if caller.roles.contains(&Role::Admin) {
        return None;
    }
    sales.agent_of_subject(&caller.subject).map(|agent| AgentId::of(&agent.id))
}

fn read(body: &Value) -> Result<(TaskAction, Option<String>), Problem> {
    let mut reader = Reader::new(body);
    let action = reader.string("action").and_then(|text| {
        let action: Option<TaskAction> = text.parse().ok();
        if action.is_none() {
            let fault = Fault::new("/action", "unknown_action", "is not an action of a task");
            reader.fault(fault.allowing(TaskAction::ALL.iter().map(|action| action.as_str())));
        }
        action
    });
    let note = reader.optional_string("note").map(str::to_owned);
    if note.as_ref().is_some_and(|note| note.chars().count() > NOTE_MAX) {
        reader.fault_at("note", "too_long", format!("must have at most {NOTE_MAX} characters"));
    }
    let faults = reader.finish();
    match action {
        Some(action) if faults.is_empty() => Ok((action, note)),
        _ => Err(Problem::input(faults)),
    }
}

fn view(task: &Task) -> Value {
    let mut view = json!(task.facts);
    if let Some(object) = view.as_object_mut() {
        object.insert("task_id".to_owned(), json!(task.id));
        object.insert("history".to_owned(), json!(task.history));
    }
    view
}

impl Tasks {
    async fn asked(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: TaskId = request.id("task_id")?;
        let (action, note) = read(&request.json()?)?;
        let live = self.rules.live::<SalesRules>().await?;
        let mut frame = request.frame(Self::NAME);
        // whose token it is stands in the rules
        frame.used(live.label());
        if let Some(own) = only_as(&live.rules, caller) {
            // a task stays with the agent that it was made for
            let stored = self.crm.load::<Task>(&id).await?;
            let stored = stored.ok_or_else(|| Problem::not_found("there is no such task"))?;
            if stored.entity.facts.agent_id != own {
                return Err(Problem::forbidden("the task is another agent's"));
            }
        }
        let task = self.act(&id, action, note.as_deref(), &caller.subject, &frame).await?;
        Ok(Reply::json(200, &view(&task)))
    }

    /// Applies an action to a task, and with it to the lead and the agent.
    pub(crate) async fn act(
        &self,
        id: &TaskId,
        action: TaskAction,
        note: Option<&str>,
        by: &str,
        frame: &Frame,
    ) -> Result<Task, Problem> {
        step::together(frame, "the task keeps changing", || {
            Box::pin(async move {
                let stored = self.crm.load::<Task>(id).await?;
                let stored = stored.ok_or_else(|| Problem::not_found("there is no such task"))?;
                let decision = match stored.entity.act(action, note, by, frame.now).map_err(refusal)? {
                    Verdict::Nothing(_) => return Ok::<_, Problem>(Attempt::Nothing(stored.entity)),
                    Verdict::Change(decision) => decision,
                };
                let mut frame = frame.clone();
                frame.correlation_id.clone_from(&stored.correlation_id);
                let mut commit = Home::<Task>::table(&self.crm).commit();
                commit.save(&self.crm, Some(&stored), &decision, &frame)?;
                self.add_lead(&mut commit, &stored, action, &frame).await?;
                Ok(Attempt::Save(commit, decision.next))
            })
        })
        .await
    }

    /// What the action means for the lead and its agent.
    async fn add_lead(
        &self,
        commit: &mut store::Commit,
        task: &Stored<Task>,
        action: TaskAction,
        frame: &Frame,
    ) -> Result<(), Problem> {
        let Task { id, facts, .. } = &task.entity;
        if action.concerns_lead()
            && let Some(lead) = self.crm.load::<Lead>(&facts.lead_id).await?
            && let Verdict::Change(decision) = lead.entity.acted_on(id, action, frame.now)
        {
            commit.save(&self.crm, Some(&lead), &decision, frame)?;
        }
        if action.concerns_agent()
            && let Some(agent) = self.crm.load::<AgentState>(&facts.agent_id).await?
            && let Verdict::Change(decision) = agent.entity.acted_on(id, action)
        {
            commit.save(&self.crm, Some(&agent), &decision, frame)?;
        }
        Ok(())
    }
}

fn refusal(refusal: TaskRefusal) -> Problem {
    match refusal {
        TaskRefusal::Over(status) => {
            Problem::conflict(format!("the task is {status}; it is not this agent's any more"))
        }
        TaskRefusal::NoteMissing => Problem::input(vec![Fault::new("/note", "empty", "a note needs text")]),
    }
}
