//! What becomes of a lead: touched, contacted, a client, given up; and what people decide about it.

use super::{Lead, LeadStatus};
use crate::decision::Verdict;
use crate::sales::AgentId;
use crate::work::HumanDecision;
use crate::work::rules::WorkAction;
use crate::{ClientId, TaskId, Timestamp};

impl Lead {
    /// The agent begins: the clock stops, and the time to the first touch is known.
    pub fn working(&self, task: &TaskId, now: Timestamp) -> Verdict<Self> {
        if self.facts.status != LeadStatus::Assigned || !self.is_held_by(task) {
            return Verdict::Nothing("it is not this task's any more");
        }
        let mut next = self.clone();
        next.facts.status = LeadStatus::Working;
        next.touched(now);
        next.note(now, "call begun", "");
        Verdict::change(next, "working", vec!["lead.working"], vec![])
    }

    /// The agent is done.
    pub fn contacted(&self, task: &TaskId, now: Timestamp) -> Verdict<Self> {
        let held = matches!(self.facts.status, LeadStatus::Assigned | LeadStatus::Working);
        if !held || !self.is_held_by(task) {
            return Verdict::Nothing("it is not this task's any more");
        }
        let mut next = self.clone();
        next.facts.status = LeadStatus::Contacted;
        next.facts.to_route = None;
        next.touched(now);
        next.note(now, "contacted", "");
        Verdict::change(next, "contacted", vec!["lead.contacted"], vec![])
    }

    fn is_held_by(&self, task: &TaskId) -> bool {
        self.facts.assignment.as_ref().is_some_and(|assignment| assignment.task_id == *task)
    }

    fn touched(&mut self, now: Timestamp) {
        let since = now.millis_since(self.facts.created_at);
        self.facts.first_touch_ms.get_or_insert(since);
    }

    /// It became a client.
    pub fn converted(&self, client: &ClientId, now: Timestamp) -> Verdict<Self> {
        if matches!(self.facts.status, LeadStatus::Converted | LeadStatus::Duplicate) {
            return Verdict::Nothing("it is a client already, or another lead");
        }
        let mut next = self.clone();
        next.facts.status = LeadStatus::Converted;
        next.facts.client_id = Some(client.clone());
        next.facts.to_route = None;
        next.facts.waiting = None;
        next.facts.review = None;
        next.due = None;
        next.note(now, "became a client", client.as_str());
        Verdict::change(next, "converted", vec!["lead.converted"], vec![format!("registered as {client}")])
    }

    /// Whose lead it is that became a client: the agent that has it, or had the same person's lead before.
    pub fn winner(&self) -> Option<&AgentId> {
        self.owner()
    }

    /// A person's decision about a lead that waits for one.
    pub fn decided(&self, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        let waits_for_it =
            self.facts.review.as_ref().is_some_and(|review| decision.is_about(&review.kind, &review.trigger));
        if !waits_for_it {
            return Verdict::Nothing("it waits for another decision or for none");
        }
        let why = vec![decision.why()];
        let mut next = self.clone();
        match decision.action() {
            Some(WorkAction::RouteAgain) => {
                next.come_back("person");
                next.facts.returning = None;
                next.note(now, "routed again", decision.by.as_str());
                Verdict::change(next, "route_again", vec!["lead.received"], why)
            }
            Some(WorkAction::FetchAgain) => {
                next.fetch_anew(now);
                Verdict::change(next, "fetch_again", vec!["lead.announced"], why)
            }
            Some(WorkAction::MarkContacted) => {
                next.facts.status = LeadStatus::Contacted;
                next.facts.review = None;
                next.touched(now);
                next.note(now, "contacted by hand", decision.by.as_str());
                Verdict::change(next, "contacted", vec!["lead.contacted"], why)
            }
            _ => {
                next.facts.status = LeadStatus::Closed;
                next.facts.review = None;
                next.note(now, "closed", decision.by.as_str());
                Verdict::change(next, "closed", vec!["lead.closed"], why)
            }
        }
    }
}
