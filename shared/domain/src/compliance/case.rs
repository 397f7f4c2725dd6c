//! A case: what was found about one client, for a person to decide. Its alerts, notes and reasons stay in the private part, and it
//! announces nothing, so that neither events nor exports can tell anybody that it exists.

mod act;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use act::{CaseAction, CaseRefusal, CaseRequest, Then};

use super::alert::{Alert, Standing, score_of};
use super::report::ReportKind;
use super::rules::{Deadlines, Scenarios};
use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::four_eyes::person;
use crate::rules::{Facts, first_match};
use crate::words::words;
use crate::work::rules::Priority;
use crate::{AlertId, CaseId, ClientId, ReportId, Seconds, Timestamp};

/// Alerts that a case holds; those beyond are counted.
const ALERTS_MAX: usize = 60;
/// Longest history, in lines.
const HISTORY_MAX: usize = 200;
/// And in bytes of its texts.
const HISTORY_BYTES_MAX: usize = 48 * 1_024;
/// By when a case is decided where the rules cannot say: a broken row costs nobody an alert.
const USUAL: Deadlines = Deadlines {
    urgent: Seconds(86_400),
    high: Seconds(3 * 86_400),
    normal: Seconds(7 * 86_400),
    low: Seconds(14 * 86_400),
};

words! {
    /// Where a case stands.
    CaseStatus {
        /// Nobody's.
        Open = "open",
        /// Somebody's.
        Investigating = "investigating",
        /// Somebody would close it, and another person must agree.
        AwaitingApproval = "awaiting_approval",
        /// Decided.
        Closed = "closed",
    }
}

words! {
    /// What a case came to.
    CaseOutcome {
        /// The suspicion stands.
        Confirmed = "confirmed",
        /// There was nothing to find.
        FalsePositive = "false_positive",
        /// What was found has an explanation.
        Explained = "explained",
    }
}

/// What somebody would close it as, or closed it as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "plain")]
pub struct Closing {
    pub outcome: CaseOutcome,
    pub by: String,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

/// A line of its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "plain")]
pub struct CaseLine {
    pub at: Timestamp,
    pub by: String,
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The public part: where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct CaseFacts {
    pub status: CaseStatus,
    pub priority: Priority,
    pub score: u32,
    pub opened_at: Timestamp,
    pub due_at: Timestamp,
    /// When it was made more urgent because nobody had decided it in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<Timestamp>,
    /// Under whose rules the client is.
    pub jurisdiction: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What the client takes out is for a person to approve.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds: bool,
    /// Those that count.
    pub scenarios: BTreeSet<String>,
    /// Alerts, also those that are not held any more.
    pub alerts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Closing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closing>,
    /// Reports that were made of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<ReportId>,
}

/// The private part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseInner {
    /// What was found, by the time at which it happened.
    #[serde(default)]
    pub alerts: Vec<Alert>,
    /// What counted, for the score.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What people did.
    #[serde(default)]
    pub history: Vec<CaseLine>,
    /// Why it is to be closed like that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Whom it is about.
    pub client_id: ClientId,
    /// Where it stands.
    pub facts: CaseFacts,
    /// The rest.
    pub inner: CaseInner,
}

impl Case {
    /// A case is opened by the alerts of a client who has none that is open.
    pub(super) fn opened(
        id: CaseId,
        client: &ClientId,
        alerts: Vec<Alert>,
        rules: &Scenarios,
        now: Timestamp,
    ) -> Decision<Self> {
        let jurisdiction = alerts.last().map(|alert| alert.jurisdiction.clone()).unwrap_or_default();
        let facts = CaseFacts {
            status: CaseStatus::Open,
            priority: Priority::Low,
            score: 0,
            opened_at: now,
            due_at: Timestamp::LATEST,
            escalated_at: None,
            jurisdiction,
            owner: None,
            holds: false,
            scenarios: BTreeSet::new(),
            alerts: 0,
            proposal: None,
            closed: None,
            reports: vec![],
        };
        let case = Self { id, client_id: client.clone(), facts, inner: CaseInner::default() };
        let mut decision = case.joined(alerts, &BTreeMap::new(), rules, now);
        decision.outcome = "opened";
        decision
    }

    /// Alerts join it. What somebody would close it as was said without them, so it is taken back where they count.
    pub(super) fn joined(
        &self,
        fresh: Vec<Alert>,
        standings: &BTreeMap<AlertId, Standing>,
        rules: &Scenarios,
        now: Timestamp,
    ) -> Decision<Self> {
        let mut next = self.clone();
        let counting = fresh.iter().any(|alert| alert.standing == Standing::Counts);
        next.facts.alerts = next.facts.alerts.saturating_add(u32::try_from(fresh.len()).unwrap_or(u32::MAX));
        for alert in &fresh {
            let late = if alert.late { ", late" } else { "" };
            next.line(now, "automation", "alert", Some(&format!("{} ({}{late})", alert.name, alert.standing)));
        }
        next.inner.alerts.extend(fresh);
        for alert in &mut next.inner.alerts {
            alert.standing = standings.get(&alert.alert_id).copied().unwrap_or(alert.standing);
        }
        next.inner.alerts.sort_by(|a, b| (a.at, &a.alert_id).cmp(&(b.at, &b.alert_id)));
        next.forget_repeats();
        next.weigh(rules, now);
        if counting && next.facts.status == CaseStatus::AwaitingApproval {
            next.facts.status = CaseStatus::Investigating;
            next.facts.proposal = None;
            next.inner.reason = None;
            next.line(now, "automation", "return", Some("another alert has joined it"));
        }
        let why = vec![format!("score {}: {}", next.facts.score, next.inner.reasons.join(", "))];
        Decision::new(next, "joined", vec![], why)
    }

    /// Of more alerts than it holds, the oldest that add nothing go first.
    fn forget_repeats(&mut self) {
        while self.inner.alerts.len() > ALERTS_MAX {
            let place = self.inner.alerts.iter().position(|alert| alert.standing != Standing::Counts).unwrap_or(0);
            self.inner.alerts.remove(place);
        }
    }

    /// Score, priority and due time. What was promised stays: a case only ever gets more urgent.
    fn weigh(&mut self, rules: &Scenarios, now: Timestamp) {
        let (score, reasons) = score_of(&self.inner.alerts);
        let facts = &mut self.facts;
        facts.score = score;
        self.inner.reasons = reasons;
        facts.priority = rules.priority(score).min(facts.priority);
        let counts = self.inner.alerts.iter().filter(|alert| alert.standing == Standing::Counts);
        facts.scenarios = counts.clone().map(|alert| alert.scenario.clone()).collect();
        facts.holds = counts.into_iter().any(|alert| alert.holds);
        let facts_of = Facts::new().with("jurisdiction", facts.jurisdiction.clone());
        let found = first_match(&rules.deadlines, facts_of).ok();
        let deadlines = found.as_ref().and_then(|found| found.outcome()).copied().unwrap_or(USUAL);
        facts.due_at = facts.due_at.min(now.plus(deadlines.of(facts.priority)));
    }

    /// Its time is up: once, it becomes more urgent than it was. What was promised stays.
    #[must_use]
    pub fn came_due(&self, now: Timestamp) -> Verdict<Self> {
        if self.due().is_none_or(|due| due > now) {
            return Verdict::Nothing("it is not due");
        }
        let mut next = self.clone();
        next.facts.escalated_at = Some(now);
        next.facts.priority = self.facts.priority.raised();
        let told =
            format!("not decided by {}: {} instead of {}", self.facts.due_at, next.facts.priority, self.facts.priority);
        next.line(now, "automation", "escalate", Some(&told));
        Verdict::change(next, "escalated", vec![], vec![told])
    }

    /// When somebody, and another person with him, found that the suspicion stands.
    pub fn suspected_at(&self) -> Option<Timestamp> {
        self.facts.closed.as_ref().filter(|closed| closed.outcome == CaseOutcome::Confirmed).map(|closed| closed.at)
    }

    /// A report was made of it.
    #[must_use]
    pub fn reported(&self, report: &ReportId, kind: ReportKind, by: &str, now: Timestamp) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.reports.push(report.clone());
        next.line(now, by, "report", Some(&format!("{kind} {report}")));
        Decision::new(next, "reported", vec![], vec![format!("{kind} {report} by {by}")])
    }

    fn line(&mut self, at: Timestamp, by: &str, action: &str, text: Option<&str>) {
        let history = &mut self.inner.history;
        history.push(CaseLine { at, by: by.to_owned(), action: action.to_owned(), text: text.map(str::to_owned) });
        let mut bytes = 0;
        let fits = |line: &&CaseLine| {
            bytes += line.by.len() + line.action.len() + line.text.as_ref().map_or(0, String::len);
            bytes <= HISTORY_BYTES_MAX
        };
        let kept = history.iter().rev().take(HISTORY_MAX).take_while(fits).count().max(1);
        history.drain(..history.len().saturating_sub(kept));
    }
}

/// The list that a case stands in.
pub fn list_of(closed: bool) -> String {
    if closed { "cases#closed".to_owned() } else { "cases#open".to_owned() }
}

impl Entity for Case {
    type Id = CaseId;
    type Table = InCrm;
    type Public = CaseFacts;
    type Private = CaseInner;
    const KIND: &'static str = "case";
    const TIMED: bool = true;

    fn id(&self) -> &CaseId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    /// When it becomes more urgent.
    fn due(&self) -> Option<Timestamp> {
        let waits = self.facts.status != CaseStatus::Closed && self.facts.escalated_at.is_none();
        waits.then_some(self.facts.due_at)
    }

    /// By priority, then due time.
    fn rank(&self) -> Option<(String, String)> {
        let closed = self.facts.status == CaseStatus::Closed;
        Some((list_of(closed), format!("{:03}#{}#{}", self.facts.priority.rank(), self.facts.due_at, self.id)))
    }

    fn proposed_by(&self) -> Option<String> {
        self.facts.proposal.as_ref().map(|proposal| person(&proposal.by))
    }

    fn public(&self) -> &CaseFacts {
        &self.facts
    }

    fn private(&self) -> &CaseInner {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        let client_id = parts.owner()?;
        Ok(Self { id: parts.id, client_id, facts: parts.public, inner: parts.private })
    }
}
