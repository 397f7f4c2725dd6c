//! What the sales floor knows of an agent from minute to minute: presence, open leads, results.
//!
//! Who an agent is (name, languages, shifts, limits) is in the rule set `sales`.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::named_id::named_id;
use crate::sales::rules::{Performance, WindowCap};
use crate::words::words;

/// Days of results that are kept.
const RESULT_DAYS_MAX: usize = 60;
/// Moments of given leads that are kept: the largest window cap fits.
const RECENT_MAX: usize = 100;
const DAY_MS: i64 = 86_400_000;

named_id! {
    /// An agent: `agt_` and the name in the rule set `sales`.
    AgentId = "agt_";
}

words! {
    /// Whether an agent is there.
    Presence {
        /// Takes leads.
        Online = "online",
        /// There, but not now: a pause.
        Busy = "busy",
        /// Not there.
        Offline = "offline",
    }
}

words! {
    /// What keeps an agent from getting anything, whatever the rules say.
    Absence {
        /// Left, or is to get nothing any more.
        Disabled = "disabled",
        /// Ill or on leave at short notice.
        OnLeave = "on_leave",
    }
}

/// An absence that somebody entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// Why.
    pub reason: Absence,
    /// The first moment after it; without one it lasts until it is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What became of the leads of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayResult {
    /// Days since 1970-01-01 UTC.
    pub day: i64,
    /// Leads given.
    pub given: u32,
    /// Leads that became clients.
    pub won: u32,
}

/// The public part of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentFacts {
    /// Presence.
    pub presence: Presence,
    /// Since when.
    pub presence_at: Timestamp,
    /// An absence that somebody entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
    /// Leads that the agent has and is not done with.
    pub open: u32,
    /// When the newest leads were given, in seconds since 1970, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<i64>,
    /// Results by day, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<DayResult>,
}

/// An agent's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentState {
    /// The id.
    pub id: AgentId,
    /// What events carry; an agent has no private part.
    pub facts: AgentFacts,
}

impl AgentState {
    /// An agent that nothing is known of yet: offline.
    pub fn unknown(id: AgentId) -> Self {
        let facts = AgentFacts {
            presence: Presence::Offline,
            presence_at: Timestamp::EPOCH,
            away: None,
            open: 0,
            recent: Vec::new(),
            results: Vec::new(),
        };
        Self { id, facts }
    }

    /// The agent says whether they are there.
    pub fn present(&self, presence: Presence, now: Timestamp) -> Verdict<Self> {
        if self.facts.presence == presence {
            return Verdict::Nothing("it is so already");
        }
        let mut next = self.clone();
        next.facts.presence = presence;
        next.facts.presence_at = now;
        let why = vec![format!("{} -> {presence}", self.facts.presence)];
        Verdict::change(next, presence.as_str(), vec!["agent.presence"], why)
    }

    /// Somebody enters or ends an absence.
    pub fn absent(&self, away: Option<Away>) -> Verdict<Self> {
        if self.facts.away == away {
            return Verdict::Nothing("it is so already");
        }
        let mut next = self.clone();
        next.facts.away = away;
        let outcome = next.facts.away.as_ref().map_or("available", |away| away.reason.as_str());
        Verdict::change(next, outcome, vec!["agent.presence"], vec![])
    }

    /// The absence that holds at a moment.
    pub fn away_at(&self, now: Timestamp) -> Option<&Away> {
        self.facts.away.as_ref().filter(|away| away.until.is_none_or(|until| now < until))
    }

    /// Gets a lead.
    pub fn given(&self, task: &str, now: Timestamp) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.open = next.facts.open.saturating_add(1);
        next.facts.recent.push(now.seconds());
        let surplus = next.facts.recent.len().saturating_sub(RECENT_MAX);
        next.facts.recent.drain(..surplus);
        next.today(now, |day| day.given = day.given.saturating_add(1));
        Decision::new(next, "given", vec![], vec![task.to_owned()])
    }

    /// Is done with a lead, or it was taken back.
    pub fn released(&self, task: &str, outcome: &'static str) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.open = next.facts.open.saturating_sub(1);
        Decision::new(next, outcome, vec![], vec![task.to_owned()])
    }

    /// One of the agent's leads became a client.
    pub fn won(&self, lead: &str, still_open: bool, now: Timestamp) -> Decision<Self> {
        let mut next = self.clone();
        if still_open {
            next.facts.open = next.facts.open.saturating_sub(1);
        }
        next.today(now, |day| day.won = day.won.saturating_add(1));
        Decision::new(next, "won", vec![], vec![lead.to_owned()])
    }

    fn today(&mut self, now: Timestamp, count: impl Fn(&mut DayResult)) {
        let day = now.millis().div_euclid(DAY_MS);
        if self.facts.results.last().is_none_or(|last| last.day < day) {
            self.facts.results.push(DayResult { day, given: 0, won: 0 });
            let surplus = self.facts.results.len().saturating_sub(RESULT_DAYS_MAX);
            self.facts.results.drain(..surplus);
        }
        if let Some(newest) = self.facts.results.last_mut() {
            count(newest);
        }
    }

    /// How many leads were given within a window.
    pub fn given_within(&self, cap: &WindowCap, now: Timestamp) -> u32 {
        let from = now.seconds().saturating_sub(i64::from(cap.window.0));
        u32::try_from(self.facts.recent.iter().filter(|at| **at > from).count()).unwrap_or(u32::MAX)
    }

    /// Leads given and won in the days that count.
    pub fn results(&self, performance: &Performance, now: Timestamp) -> (u32, u32) {
        let first = now.millis().div_euclid(DAY_MS) - i64::from(performance.days) + 1;
        let days = self.facts.results.iter().filter(|result| result.day >= first);
        days.fold((0, 0), |(given, won), day| (given + day.given, won + day.won))
    }
}

impl Entity for AgentState {
    type Id = AgentId;
    type Table = InCrm;
    type Public = AgentFacts;
    type Private = ();
    const KIND: &'static str = "agent";

    fn id(&self) -> &AgentId {
        &self.id
    }

    fn public(&self) -> &AgentFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public })
    }
}
