//! What happens to the others when one changes: to lead and agent when a task is acted on, to task and agent when a lead
//! becomes a client. All of it is saved together.

use super::Lead;
use crate::decision::{Decision, Verdict};
use crate::sales::task::{TaskAction, TaskStatus};
use crate::sales::{AgentState, Task};
use crate::{TaskId, Timestamp};

impl TaskAction {
    /// Whether the lead of the task must be at hand.
    pub const fn concerns_lead(self) -> bool {
        match self {
            Self::Start | Self::Done => true,
            Self::Decline | Self::Note => false,
        }
    }

    /// Whether the agent of the task must be at hand.
    pub const fn concerns_agent(self) -> bool {
        match self {
            Self::Done => true,
            Self::Start | Self::Decline | Self::Note => false,
        }
    }
}

impl Lead {
    /// What an action on its task is to the lead. A declined lead stays where it is until routing takes it back.
    pub fn acted_on(&self, task: &TaskId, action: TaskAction, now: Timestamp) -> Verdict<Self> {
        match action {
            TaskAction::Start => self.working(task, now),
            TaskAction::Done => self.contacted(task, now),
            TaskAction::Decline | TaskAction::Note => Verdict::Nothing("it stays where it is"),
        }
    }

    /// What its having become a client is to the task that it is with and to the agent who wins it (see [`Lead::winner`]).
    pub fn conversion_ends(&self, task: Option<&Task>, winner: Option<&AgentState>, now: Timestamp) -> ConversionEnds {
        let held = task.filter(|task| task.facts.status.is_held());
        // nobody takes a converted lead back any more: whoever declined it is free of it now, and did not win it
        let declined = task.filter(|task| task.facts.status == TaskStatus::Declined);
        let agent = winner.map(|agent| match declined {
            Some(task) => agent.released(task.id.as_str(), "converted"),
            None => agent.won(self.id.as_str(), held.is_some(), now),
        });
        ConversionEnds { task: held.map(|task| task.taken_back(TaskStatus::Done, now)), agent }
    }
}

impl AgentState {
    /// What an action on one of the agent's tasks is to the agent: whoever is done has room again.
    pub fn acted_on(&self, task: &TaskId, action: TaskAction) -> Verdict<Self> {
        match action {
            TaskAction::Done => Verdict::Change(Box::new(self.released(task.as_str(), "done"))),
            TaskAction::Start | TaskAction::Decline | TaskAction::Note => Verdict::Nothing("the task is still there"),
        }
    }
}

/// What a conversion ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionEnds {
    /// The task, if the agent still had it.
    pub task: Option<Decision<Task>>,
    /// The agent's count, if there is an agent.
    pub agent: Option<Decision<AgentState>>,
}
