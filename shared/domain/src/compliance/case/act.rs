//! What people do with a case.

use super::super::watch::Snooze;
use super::{Case, CaseOutcome, CaseStatus, Closing};
use crate::decision::{Decision, Verdict};
use crate::four_eyes::person;
use crate::words::words;
use crate::work::SNOOZE_MAX;
use crate::{Seconds, Timestamp};

words! {
    /// What people may do.
    CaseAction {
        /// It is theirs.
        Claim = "claim",
        /// It is nobody's.
        Release = "release",
        /// They say something.
        Note = "note",
        /// The client is asked for what the routine asks everybody for.
        RequestInformation = "request_information",
        /// A scenario is put aside for this client.
        Snooze = "snooze",
        /// They would close it.
        ProposeClose = "propose_close",
        /// They agree with somebody who would close it.
        ApproveClose = "approve_close",
        /// They do not.
        Return = "return",
        /// It is not over.
        Reopen = "reopen",
    }
}

impl CaseAction {
    /// What the button says.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Claim => "I look at it",
            Self::Release => "Give it back",
            Self::Note => "Note",
            Self::RequestInformation => "Ask the client for documents",
            Self::Snooze => "Put a scenario aside for this client",
            Self::ProposeClose => "Propose to close",
            Self::ApproveClose => "Close as proposed",
            Self::Return => "Send the proposal back",
            Self::Reopen => "Reopen",
        }
    }
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct CaseRequest {
    pub action: CaseAction,
    pub reason: Option<String>,
    pub until: Option<Timestamp>,
    pub scenario: Option<String>,
    pub outcome: Option<CaseOutcome>,
}

/// Why it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseRefusal {
    /// It is closed.
    Closed,
    /// It is not closed, so it cannot be opened again.
    NotClosed,
    /// Another person has it.
    Owned(String),
    /// Nobody would close it.
    NoProposal,
    /// It waits for a second person.
    Awaiting,
    /// The proposer cannot approve.
    OwnProposal,
    /// These members are needed for the action.
    Missing(Vec<&'static str>),
    /// The snooze is over already, or is to last too long.
    UntilOutOfRange,
    /// The case has no alert of the scenario.
    UnknownScenario(Vec<String>),
}

/// What else is saved with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// A scenario is put aside.
    PutAside(String, Snooze),
    /// What is kept about the client says whether a case is open.
    Follow,
    /// The client is asked for documents.
    AskClient,
}

impl Case {
    /// Applies an action.
    ///
    /// # Errors
    /// [`CaseRefusal`].
    pub fn act(&self, request: &CaseRequest, by: &str, now: Timestamp) -> Result<(Verdict<Self>, Then), CaseRefusal> {
        let reason = request.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        let nothing = |why| Ok((Verdict::Nothing(why), Then::Nothing));
        let mut next = self.clone();
        next.line(now, by, request.action.as_str(), reason);
        let facts = &self.facts;
        if facts.status == CaseStatus::Closed {
            return self.act_on_closed(next, request.action, reason, by, now);
        }
        let is_theirs = facts.owner.as_deref().is_none_or(|owner| person(owner) == person(by));
        let waits = facts.status == CaseStatus::AwaitingApproval;
        let needs_owner = !matches!(request.action, CaseAction::Note | CaseAction::ApproveClose | CaseAction::Return);
        if needs_owner && !is_theirs {
            return Err(CaseRefusal::Owned(facts.owner.clone().unwrap_or_default()));
        }
        match request.action {
            CaseAction::Note => {
                reason.ok_or(CaseRefusal::Missing(vec!["reason"]))?;
                plain(next, "noted")
            }
            CaseAction::Claim if facts.owner.is_some() => nothing("it is already yours"),
            CaseAction::Claim => {
                next.facts.owner = Some(by.to_owned());
                next.facts.status = CaseStatus::Investigating;
                plain(next, "claimed")
            }
            CaseAction::Release if facts.owner.is_none() => nothing("nobody has it"),
            CaseAction::Release => {
                next.facts.owner = None;
                next.facts.status = CaseStatus::Open;
                next.take_back();
                plain(next, "released")
            }
            CaseAction::RequestInformation if waits => Err(CaseRefusal::Awaiting),
            CaseAction::RequestInformation => {
                let (verdict, _) = plain(next, "information_requested")?;
                Ok((verdict, Then::AskClient))
            }
            CaseAction::Snooze => self.put_aside(next, request, reason, by, now),
            CaseAction::ProposeClose if waits => self.proposed_again(request),
            CaseAction::ProposeClose => next.propose(request, reason, by, now),
            CaseAction::ApproveClose => self.approve(next, by, now),
            CaseAction::Return => {
                facts.proposal.as_ref().ok_or(CaseRefusal::NoProposal)?;
                reason.ok_or(CaseRefusal::Missing(vec!["reason"]))?;
                next.facts.status = CaseStatus::Investigating;
                next.take_back();
                plain(next, "returned")
            }
            CaseAction::Reopen => Err(CaseRefusal::NotClosed),
        }
    }

    fn act_on_closed(
        &self,
        mut next: Self,
        action: CaseAction,
        reason: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<(Verdict<Self>, Then), CaseRefusal> {
        let closed = self.facts.closed.as_ref();
        let approver = closed.and_then(|closed| closed.approved_by.as_deref());
        match action {
            CaseAction::Note => {
                reason.ok_or(CaseRefusal::Missing(vec!["reason"]))?;
                plain(next, "noted")
            }
            CaseAction::ApproveClose if approver.is_some_and(|approver| person(approver) == person(by)) => {
                Ok((Verdict::Nothing("it is closed so already"), Then::Nothing))
            }
            CaseAction::Reopen => {
                reason.ok_or(CaseRefusal::Missing(vec!["reason"]))?;
                next.facts.status = CaseStatus::Investigating;
                next.facts.owner = Some(by.to_owned());
                next.facts.closed = None;
                next.inner.reason = None;
                // as much time as it had at first
                let had = self.facts.due_at.millis_since(self.facts.opened_at) / 1_000;
                next.facts.due_at = now.plus(Seconds(u32::try_from(had).unwrap_or(0)));
                next.facts.escalated_at = None;
                let (verdict, _) = plain(next, "reopened")?;
                Ok((verdict, Then::Follow))
            }
            _ => Err(CaseRefusal::Closed),
        }
    }

    fn take_back(&mut self) {
        self.facts.proposal = None;
        self.inner.reason = None;
    }

    fn put_aside(
        &self,
        next: Self,
        request: &CaseRequest,
        reason: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<(Verdict<Self>, Then), CaseRefusal> {
        let (Some(scenario), Some(until), Some(reason)) = (&request.scenario, request.until, reason) else {
            let told = [
                ("scenario", request.scenario.is_some()),
                ("until", request.until.is_some()),
                ("reason", reason.is_some()),
            ];
            return Err(CaseRefusal::Missing(
                told.into_iter().filter(|(_, told)| !told).map(|(name, _)| name).collect(),
            ));
        };
        let known: std::collections::BTreeSet<&str> =
            self.inner.alerts.iter().map(|alert| alert.scenario.as_str()).collect();
        if !known.contains(scenario.as_str()) {
            return Err(CaseRefusal::UnknownScenario(known.into_iter().map(str::to_owned).collect()));
        }
        if until <= now || until > now.plus(SNOOZE_MAX) {
            return Err(CaseRefusal::UntilOutOfRange);
        }
        let snooze = Snooze { from: now, until, by: by.to_owned(), reason: reason.to_owned() };
        let (verdict, _) = plain(next, "snoozed")?;
        Ok((verdict, Then::PutAside(scenario.clone(), snooze)))
    }

    fn propose(
        mut self,
        request: &CaseRequest,
        reason: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<(Verdict<Self>, Then), CaseRefusal> {
        let (Some(outcome), Some(reason)) = (request.outcome, reason) else {
            let told = [("outcome", request.outcome.is_some()), ("reason", reason.is_some())];
            return Err(CaseRefusal::Missing(
                told.into_iter().filter(|(_, told)| !told).map(|(name, _)| name).collect(),
            ));
        };
        self.facts.status = CaseStatus::AwaitingApproval;
        self.facts.owner = Some(by.to_owned());
        self.facts.proposal = Some(Closing { outcome, by: by.to_owned(), at: now, approved_by: None });
        self.inner.reason = Some(reason.to_owned());
        plain(self, "proposed")
    }

    /// A proposal that is sent twice is one; another one waits until the first is sent back.
    fn proposed_again(&self, request: &CaseRequest) -> Result<(Verdict<Self>, Then), CaseRefusal> {
        let same = self.facts.proposal.as_ref().is_some_and(|proposal| Some(proposal.outcome) == request.outcome);
        if same {
            Ok((Verdict::Nothing("it is proposed so already"), Then::Nothing))
        } else {
            Err(CaseRefusal::Awaiting)
        }
    }

    fn approve(&self, mut next: Self, by: &str, now: Timestamp) -> Result<(Verdict<Self>, Then), CaseRefusal> {
        let proposal = self.facts.proposal.as_ref().ok_or(CaseRefusal::NoProposal)?;
        if person(&proposal.by) == person(by) {
            return Err(CaseRefusal::OwnProposal);
        }
        next.facts.status = CaseStatus::Closed;
        next.facts.proposal = None;
        next.facts.closed = Some(Closing { approved_by: Some(by.to_owned()), at: now, ..proposal.clone() });
        let why = vec![format!("{} by {}, approved by {by}", proposal.outcome, proposal.by)];
        let decision = Decision::new(next, "closed", vec![], why).approved_by(by);
        Ok((Verdict::Change(Box::new(decision)), Then::Follow))
    }

    /// What may be done now, for the page.
    pub fn options(&self) -> Vec<CaseAction> {
        let always = [CaseAction::Note];
        let own: &[CaseAction] = match self.facts.status {
            CaseStatus::Open => {
                &[CaseAction::Claim, CaseAction::RequestInformation, CaseAction::Snooze, CaseAction::ProposeClose]
            }
            CaseStatus::Investigating => {
                &[CaseAction::Release, CaseAction::RequestInformation, CaseAction::Snooze, CaseAction::ProposeClose]
            }
            CaseStatus::AwaitingApproval => {
                &[CaseAction::ApproveClose, CaseAction::Return, CaseAction::Release, CaseAction::Snooze]
            }
            CaseStatus::Closed => &[CaseAction::Reopen],
        };
        own.iter().copied().chain(always).collect()
    }
}

fn plain(next: Case, outcome: &'static str) -> Result<(Verdict<Case>, Then), CaseRefusal> {
    Ok((Verdict::change(next, outcome, vec![], vec![]), Then::Nothing))
}
