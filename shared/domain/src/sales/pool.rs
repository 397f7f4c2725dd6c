//! What a pool knows from lead to lead: what its members are owed, and how fast waiting leads were handed out.

use serde::{Deserialize, Serialize};

use super::shares::Shares;
use crate::decision::Decision;
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::named_id::named_id;
use crate::sales::rules::Release;
use crate::{Seconds, Timestamp};

named_id! {
    /// A pool: `pool_` and the name in the rule set `sales`.
    PoolId = "pool_";
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
    /// Its id, which has the name in the rule set.
    pub id: PoolId,
    /// When its waiting leads are looked at next.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: PoolFacts,
}

impl PoolState {
    /// A pool that had no lead yet.
    pub fn fresh(name: &str) -> Self {
        Self { id: PoolId::of(name), due: None, facts: PoolFacts::default() }
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
        Decision::new(next, "gave", vec![], why)
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
        Some(Decision::new(next, "waits", vec![], vec![format!("looks at its waiting leads at {due}")]))
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
        Some(Decision::new(next, "looked", vec![], why))
    }
}

impl Entity for PoolState {
    type Id = PoolId;
    type Table = InCrm;
    type Public = PoolFacts;
    type Private = ();
    const KIND: &'static str = "pool";
    const TIMED: bool = true;

    fn id(&self) -> &PoolId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &PoolFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public })
    }
}
