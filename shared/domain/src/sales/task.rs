//! Something that a person of sales is to do by a time: call this lead, with what is known of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::agent::AgentId;
use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::words::words;
use crate::{LeadId, TaskId, Timestamp};

/// Lines of history that are kept.
const HISTORY_MAX: usize = 50;

words! {
    /// Where a task stands.
    TaskStatus {
        /// The clock runs.
        Open = "open",
        /// Begun: the clock is stopped.
        Started = "started",
        /// Done.
        Done = "done",
        /// The agent does not want it.
        Declined = "declined",
        /// Not begun in time.
        Expired = "expired",
        /// No longer needed.
        Cancelled = "cancelled",
    }
}

impl TaskStatus {
    /// Whether the agent still has it.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Open | Self::Started)
    }
}

/// The public part of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFacts {
    /// What is to be done: `call_lead`.
    pub kind: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// Whose it is.
    pub agent_id: AgentId,
    /// The lead.
    pub lead_id: LeadId,
    /// The pool it was dealt out in.
    pub pool_id: String,
    /// How many agents had the lead before.
    pub hop: u32,
    /// When it was given.
    pub created_at: Timestamp,
    /// By when it is to be begun.
    pub due_at: Timestamp,
    /// When it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What is known of the lead without naming it: country, language, source, score.
    pub about: Value,
}

/// A line of a task's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "plain")]
pub struct TaskLine {
    pub at: Timestamp,
    pub by: String,
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What events carry.
    pub facts: TaskFacts,
    /// Notes of people, which may name the lead.
    pub history: Vec<TaskLine>,
}

words! {
    /// What a person does with a task.
    TaskAction {
        /// Begins: the clock stops.
        Start = "start",
        /// Is done.
        Done = "done",
        /// Gives it back.
        Decline = "decline",
        /// Writes something down.
        Note = "note",
    }
}

/// Why an action is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskRefusal {
    /// It is no longer the agent's.
    Over(TaskStatus),
    /// A note without text.
    NoteMissing,
}

impl Task {
    /// The decision that opens a task.
    pub fn opened(self) -> Decision<Self> {
        let why = vec![format!("for {} until {}", self.facts.agent_id, self.facts.due_at)];
        Decision::new(self, "opened", vec!["task.opened"], why)
    }

    /// Applies a person's action. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`TaskRefusal`].
    pub fn act(
        &self,
        action: TaskAction,
        note: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<Verdict<Self>, TaskRefusal> {
        let note = note.map(str::trim).filter(|note| !note.is_empty());
        let status = self.facts.status;
        let mut next = self.clone();
        next.line(now, by, action.as_str(), note);
        match action {
            TaskAction::Note if note.is_none() => Err(TaskRefusal::NoteMissing),
            TaskAction::Note => Ok(Verdict::change(next, "noted", vec![], vec![])),
            TaskAction::Start if status == TaskStatus::Started => Ok(Verdict::Nothing("it is begun")),
            TaskAction::Done if status == TaskStatus::Done => Ok(Verdict::Nothing("it is done")),
            TaskAction::Decline if status == TaskStatus::Declined => Ok(Verdict::Nothing("it is declined")),
            TaskAction::Start | TaskAction::Done | TaskAction::Decline if !status.is_held() => {
                Err(TaskRefusal::Over(status))
            }
            TaskAction::Start => {
                next.facts.status = TaskStatus::Started;
                next.facts.started_at = Some(now);
                Ok(Verdict::change(next, "started", vec!["task.started"], vec![format!("by {by}")]))
            }
            TaskAction::Done => {
                next.facts.status = TaskStatus::Done;
                next.facts.started_at = self.facts.started_at.or(Some(now));
                next.facts.ended_at = Some(now);
                Ok(Verdict::change(next, "done", vec!["task.done"], vec![format!("by {by}")]))
            }
            TaskAction::Decline => {
                next.facts.status = TaskStatus::Declined;
                next.facts.ended_at = Some(now);
                let why = note.map(|note| format!("declined: {} characters of note", note.chars().count()));
                Ok(Verdict::change(next, "declined", vec!["task.declined"], why.into_iter().collect()))
            }
        }
    }

    /// Ends a task that its agent did not end: not begun in time, no longer needed, or done without being told.
    pub fn taken_back(&self, status: TaskStatus, now: Timestamp) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.status = status;
        next.facts.ended_at = Some(now);
        next.line(now, "automation", status.as_str(), None);
        let events = if status == TaskStatus::Done { vec!["task.done"] } else { vec![] };
        Decision::new(next, status.as_str(), events, vec![])
    }

    fn line(&mut self, at: Timestamp, by: &str, action: &str, note: Option<&str>) {
        self.history.push(TaskLine { at, by: by.to_owned(), action: action.to_owned(), note: note.map(str::to_owned) });
        let surplus = self.history.len().saturating_sub(HISTORY_MAX);
        self.history.drain(..surplus);
    }
}

impl Entity for Task {
    type Id = TaskId;
    type Table = InCrm;
    type Public = TaskFacts;
    type Private = Vec<TaskLine>;
    const KIND: &'static str = "task";
    const TIMED: bool = true;

    fn id(&self) -> &TaskId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        (self.facts.status == TaskStatus::Open).then_some(self.facts.due_at)
    }

    fn public(&self) -> &TaskFacts {
        &self.facts
    }

    fn private(&self) -> &Vec<TaskLine> {
        &self.history
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public, history: parts.private })
    }
}
