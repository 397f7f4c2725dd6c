//! Four eyes on a work item: one person proposes an option, another one approves it or sends it back.

use super::{ActionRequest, WorkDecision, WorkItem, WorkRefusal, WorkStatus};
use crate::Timestamp;
use crate::decision::{Decision, Verdict};
use crate::fault::{self, Fault};
use crate::four_eyes::person;

impl WorkItem {
    /// Whether an option of this item needs a second person.
    pub(super) fn needs_two(&self, action: &str) -> bool {
        self.facts.options.iter().any(|option| option.action == action && option.four_eyes)
    }

    /// Puts an option before a second person. Nothing follows from it yet.
    pub(super) fn propose(mut self, chosen: WorkDecision) -> Verdict<Self> {
        let why = vec![format!("{} by {}: a second person must approve it", chosen.action, chosen.by)];
        self.facts.status = WorkStatus::Proposed;
        self.facts.owner = Some(chosen.by.clone());
        self.facts.proposal = Some(chosen);
        Verdict::change(self, "proposed", vec!["work.proposed"], why)
    }

    /// What people may do while a proposal waits.
    pub(super) fn on_proposal(
        &self,
        proposal: &WorkDecision,
        action: &ActionRequest,
        by: &str,
        now: Timestamp,
    ) -> Result<Verdict<Self>, WorkRefusal> {
        let maker = person(by) == person(&proposal.by);
        let mut next = self.clone();
        next.line(now, by, &action.action, action.note());
        match action.action.as_str() {
            "note" if action.note().is_none() => Err(WorkRefusal::NoteMissing),
            "note" => Ok(Verdict::change(next, "noted", vec![], vec![])),
            "return" if action.note().is_none() && !maker => Err(WorkRefusal::NoteMissing),
            "return" => Ok(next.withdrawn(WorkStatus::Claimed)),
            "release" if maker => {
                next.facts.owner = None;
                Ok(next.withdrawn(WorkStatus::Open))
            }
            "snooze" if maker => self.snooze(next, action, by, now),
            "escalate" => Ok(self.escalate(next, by)),
            "claim" if maker => Ok(Verdict::Nothing("it is already yours")),
            "claim" | "release" | "snooze" => Err(WorkRefusal::Owned(proposal.by.clone())),
            named => {
                self.approvable(proposal, action, named)?;
                match maker && !fault::is_back(Fault::MakerApproves) {
                    true => Err(WorkRefusal::OwnProposal),
                    false => Ok(next.approved(proposal, by, now)),
                }
            }
        }
    }

    /// Whether the action approves this very proposal: by naming its option, and its proof where it names one.
    pub(super) fn approvable(
        &self,
        proposal: &WorkDecision,
        action: &ActionRequest,
        named: &str,
    ) -> Result<(), WorkRefusal> {
        let waiting = || WorkRefusal::Proposed { by: proposal.by.clone(), action: proposal.action.clone() };
        let option = match (named, action.outcome.as_deref()) {
            // an item's own `approve` says what becomes of it, also to the person who would have it declined
            ("approve", None) if !self.offers("approve") => Some(proposal.action.as_str()),
            ("approve", None) => Some("approve"),
            ("approve" | "resolve", outcome) => outcome,
            (option, _) => Some(option),
        };
        let option = option.ok_or_else(waiting)?;
        if option != proposal.action && !matches!(named, "approve" | "resolve") && !self.offers(option) {
            return Err(self.unknown());
        }
        let proof_is_same = action.proof().is_none_or(|proof| super::proof_of(self.evidence()) == Some(proof));
        if option == proposal.action && proof_is_same { Ok(()) } else { Err(waiting()) }
    }

    fn approved(mut self, proposal: &WorkDecision, by: &str, now: Timestamp) -> Verdict<Self> {
        let why = vec![format!("{} by {}, approved by {by}", proposal.action, proposal.by)];
        self.facts.status = WorkStatus::Resolved;
        self.facts.proposal = None;
        self.facts.decision = Some(WorkDecision { approved_by: Some(by.to_owned()), at: now, ..proposal.clone() });
        let decision = Decision::new(self, "resolved", vec!["work.decided"], why);
        Verdict::Change(Box::new(decision.approved_by(by)))
    }

    /// The proposal is off; whoever made it decides anew, or anybody where it was given back.
    fn withdrawn(mut self, status: WorkStatus) -> Verdict<Self> {
        self.facts.status = status;
        self.facts.proposal = None;
        self.private.evidence = None;
        Verdict::change(self, "returned", vec!["work.returned"], vec!["what was proposed is not approved".to_owned()])
    }
}
