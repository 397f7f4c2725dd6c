//! Where routing puts a lead: to an agent, on a waiting list, into a sequence, or before the team lead.

use serde::{Deserialize, Serialize};

use super::{Lead, LeadSequence, LeadStatus, RoutingTrace};
use crate::decision::Decision;
use crate::sales::AgentId;
use crate::sales::choose::NoAgent;
use crate::work::rules::WorkKind;
use crate::{TaskId, Timestamp};

/// Who has a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct Assignment {
    pub agent_id: AgentId,
    pub pool_id: String,
    pub rule_id: String,
    pub assigned_at: Timestamp,
    pub task_id: TaskId,
    pub due_at: Timestamp,
    /// How many agents had it before.
    pub hop: u32,
}

/// Where a lead waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The pool on whose list it is.
    pub pool_id: String,
    /// The rule that led there.
    pub rule_id: String,
    /// Since when.
    pub since: Timestamp,
    /// Why nobody got it.
    pub reason: NoAgent,
}

/// What a person is asked about a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedsPerson {
    /// Kind of the work item.
    pub kind: String,
    /// What set it off: another one is another work item.
    pub trigger: String,
}

/// What routing found for a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The pool.
    pub pool_id: String,
    /// The rule that led there.
    pub rule_id: String,
    /// All that was looked at.
    pub trace: RoutingTrace,
    /// The same in the lines of a decision record.
    pub why: Vec<String>,
}

impl Lead {
    /// An agent gets it, with a task by a time.
    pub fn assigned(
        &self,
        to: &AgentId,
        task_id: TaskId,
        due_at: Timestamp,
        placed: Placed,
        now: Timestamp,
    ) -> Decision<Self> {
        let hop = u32::try_from(self.facts.tried.len()).unwrap_or(u32::MAX);
        let assignment = Assignment {
            agent_id: to.clone(),
            pool_id: placed.pool_id,
            rule_id: placed.rule_id,
            assigned_at: now,
            task_id,
            due_at,
            hop,
        };
        let mut next = self.settled(LeadStatus::Assigned);
        next.note(
            now,
            format!("assigned to {to}"),
            format!("rule {}, pool {}", assignment.rule_id, assignment.pool_id),
        );
        next.facts.assignment = Some(assignment);
        next.person.routing = placed.trace;
        Decision::new(next, "assigned", vec!["lead.assigned"], placed.why)
    }

    /// Nobody can take it now. A lead that waits already goes on waiting where and since when it does.
    pub fn waits(&self, reason: NoAgent, placed: Placed, now: Timestamp) -> Decision<Self> {
        let since = self.facts.waiting.as_ref().map_or(now, |waiting| waiting.since);
        let mut next = self.settled(LeadStatus::Waiting);
        next.note(now, "waits", format!("{reason} in pool {}", placed.pool_id));
        let Placed { pool_id, rule_id, trace, why } = placed;
        next.facts.waiting = Some(Waiting { pool_id, rule_id, since, reason });
        next.person.routing = trace;
        Decision::new(next, "waiting", vec!["lead.waiting"], why)
    }

    /// Gets a sequence of messages.
    pub fn nurtures(&self, sequence: &str, trace: RoutingTrace, why: Vec<String>, now: Timestamp) -> Decision<Self> {
        let entry = self.facts.sequence.as_ref().map_or(0, |sequence| sequence.entry).saturating_add(1);
        let mut next = self.settled(LeadStatus::Nurturing);
        next.note(now, format!("nurtured by {sequence}"), "");
        next.facts.sequence = Some(LeadSequence { name: sequence.to_owned(), entry });
        next.person.routing = trace;
        Decision::new(next, "nurturing", vec!["lead.nurturing"], why)
    }

    /// Routing again led to where it is.
    pub fn stays(&self, why: Vec<String>) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.to_route = None;
        Decision::new(next, "stays", vec![], why)
    }

    /// A person decides.
    pub fn escalates(
        &self,
        kind: WorkKind,
        trigger: String,
        trace: Option<RoutingTrace>,
        why: Vec<String>,
        now: Timestamp,
    ) -> Decision<Self> {
        let mut next = self.settled(LeadStatus::Escalated);
        next.note(now, "escalated", kind.as_str());
        next.facts.review = Some(NeedsPerson { kind: kind.as_str().to_owned(), trigger });
        if let Some(trace) = trace {
            next.person.routing = trace;
        }
        Decision::new(next, "escalated", vec!["lead.needs_person"], why)
    }

    /// Taken from whoever has it: that agent is not asked again for it.
    #[must_use]
    pub(super) fn taken_back(&self) -> Self {
        let mut next = self.clone();
        if let Some(assignment) = next.facts.assignment.take()
            && !next.facts.tried.contains(&assignment.agent_id)
        {
            next.facts.tried.push(assignment.agent_id);
        }
        next
    }

    fn settled(&self, status: LeadStatus) -> Self {
        let mut next = self.clone();
        next.facts.status = status;
        next.facts.to_route = None;
        next.facts.assignment = None;
        next.facts.waiting = None;
        next.facts.review = None;
        next
    }
}
