//! What a pool knows from lead to lead: what its members are owed, and how fast waiting leads were handed out.

use serde::{Deserialize, Serialize};

use super::shares::Shares;
use crate::decision::{Decision, Entity};
use crate::sales::rules::Release;
use crate::{ClientId, Seconds, Timestamp};

const PREFIX: &str = "pool_";

/// The id of a pool's state: the pool's name in the rule set `sales` with a prefix.
pub fn pool_id(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// The name in the rule set of a pool's id.
pub fn pool_name(id: &str) -> Option<&str> {
    id.strip_prefix(PREFIX)
}

/// Waiting leads that were handed out in the current stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// When the stretch began.
    pub since: Timestamp,
    /// How many.
    pub leads: u32,
}

/// The public part of a pool's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolFacts {
    /// What members are owed.
    #[serde(default)]
    pub shares: Shares,
    /// Waiting leads handed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Released>,
    /// When a lead began to wait, to within 30 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_at: Option<Timestamp>,
}

/// A lead that begins to wait need not say so again so soon after another.
const NEWS_FRESH: Seconds = Seconds(30);
/// The list of waiting leads, which an index gives and which may be behind, is believed to be empty only so long after the
/// newest began to wait: longer than [`NEWS_FRESH`], a function's run and an index's delay together.
const NEWS_SETTLED: Seconds = Seconds(180);

/// A pool's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolState {
    /// The name in the rule set.
    pub name: String,
    id: String,
    /// When its waiting leads are looked at next.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: PoolFacts,
}

impl PoolState {
    /// A pool that had no lead yet.
    pub fn fresh(name: &str) -> Self {
        Self { name: name.to_owned(), id: pool_id(name), due: None, facts: PoolFacts::default() }
    }

    /// How many waiting leads may be handed out now.
    pub fn may_release(&self, rule: &Release, now: Timestamp) -> u32 {
        match &self.facts.released {
            Some(released) if now < released.since.plus(rule.every) => rule.leads.saturating_sub(released.leads),
            _ => rule.leads,
        }
    }

    fn count_release(&mut self, rule: &Release, now: Timestamp) {
        let stretch = self.facts.released.filter(|released| now < released.since.plus(rule.every));
        let mut released = stretch.unwrap_or(Released { since: now, leads: 0 });
        released.leads = released.leads.saturating_add(1);
        self.facts.released = Some(released);
    }

    /// A lead was given, after which the members are owed this; `waited` counts it against the pace of waiting leads.
    pub fn gave(&self, shares: Shares, waited: Option<&Release>, now: Timestamp, why: Vec<String>) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.shares = shares;
        if let Some(rule) = waited {
            next.count_release(rule, now);
        }
        Decision { next, events: vec![], why, outcome: "gave" }
    }

    /// A lead begins to wait: its waiting leads are looked at by `due` at the latest.
    pub fn waits(&self, due: Timestamp, now: Timestamp) -> Option<Decision<Self>> {
        let fresh = self.facts.waited_at.is_some_and(|at| now <= at.plus(NEWS_FRESH));
        if fresh && self.due.is_some_and(|own| own <= due) {
            return None;
        }
        let mut next = self.clone();
        next.due = Some(self.due.map_or(due, |own| own.min(due)));
        next.facts.waited_at = Some(now);
        Some(Decision {
            next,
            events: vec![],
            why: vec![format!("looks at its waiting leads at {due}")],
            outcome: "waits",
        })
    }

    /// Its waiting leads were looked at. The next look is at `due`, or soon when none was seen but one may have come.
    pub fn looked(&self, due: Option<Timestamp>, now: Timestamp) -> Option<Decision<Self>> {
        let settled = |at: Timestamp| at.plus(NEWS_SETTLED);
        let soon = self.facts.waited_at.map(settled).filter(|settled| now < *settled);
        let due = due.or(soon);
        if self.due == due {
            return None;
        }
        let mut next = self.clone();
        next.due = due;
        let why = due.map(|due| format!("looks at its waiting leads at {due}")).into_iter().collect();
        Some(Decision { next, events: vec![], why, outcome: "looked" })
    }
}

impl Entity for PoolState {
    const KIND: &'static str = "pool";
    const ID_FIELD: &'static str = "pool_id";

    fn id(&self) -> &str {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        None
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.facts)
    }

    fn private(&self) -> Result<Option<String>, serde_json::Error> {
        Ok(None)
    }

    fn from_parts(
        id: &str,
        _client: Option<ClientId>,
        public: &str,
        _private: Option<&str>,
        due: Option<Timestamp>,
    ) -> Result<Self, serde_json::Error> {
        use serde::de::Error as _;
        let name = pool_name(id).ok_or_else(|| serde_json::Error::custom("not the id of a pool"))?;
        Ok(Self { name: name.to_owned(), id: id.to_owned(), due, facts: serde_json::from_str(public)? })
    }
}
