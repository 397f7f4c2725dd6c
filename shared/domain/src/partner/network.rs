//! Who is over whom, and since when. A move counts from its time on and touches nothing before it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::line::AgreementRef;
use crate::fault::{self, Fault};
use crate::{ClientId, PartnerId, Timestamp};

/// What held from when on, oldest first; `None` is "nobody".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History<T>(Vec<Since<T>>);

/// What holds from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since<T> {
    /// The first moment.
    pub since: Timestamp,
    /// What.
    pub is: Option<T>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone + PartialEq> History<T> {
    /// What held at a moment.
    pub fn at(&self, at: Timestamp) -> Option<&T> {
        let place = self.0.partition_point(|entry| entry.since <= at);
        self.0.get(place.checked_sub(1)?)?.is.as_ref()
    }

    /// Every change, oldest first.
    pub fn changes(&self) -> impl Iterator<Item = &Since<T>> {
        self.0.iter()
    }

    /// Whether nothing was ever said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets something hold from a moment on, up to the next change that is already known. Where something was said before, nothing
    /// changes before `now`: what was earned stays as it is. The moment from which it holds, or `None` where it holds already.
    pub fn change(&mut self, is: Option<T>, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let since = if self.0.is_empty() { since } else { since.max(now) };
        if !self.0.is_empty() && self.at(since) == is.as_ref() {
            return None;
        }
        self.0.retain(|entry| entry.since != since);
        let place = self.0.partition_point(|entry| entry.since < since);
        self.0.insert(place, Since { since, is });
        Some(since)
    }
}

/// Why a partner cannot be put under another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// He would be over himself.
    #[error("the partner would stand under himself")]
    Cycle,
    /// Too many would stand over one another.
    #[error("more than {0} partners would stand over one another")]
    TooDeep(u32),
}

/// A part of the tree that is whole upwards, and where a partner is moved, downwards from him, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Who brought a client.
    pub clients: BTreeMap<ClientId, History<PartnerId>>,
    /// Who is over a partner.
    pub parents: BTreeMap<PartnerId, History<PartnerId>>,
    /// What a partner has accepted.
    pub agreements: BTreeMap<PartnerId, History<AgreementRef>>,
}

impl Network {
    /// The partners over a client at a moment, the one who brought him first.
    pub fn chain(&self, client: &ClientId, at: Timestamp) -> Vec<&PartnerId> {
        let first = self.clients.get(client).and_then(|history| history.at(at));
        first.map(|first| self.upwards(first, at)).unwrap_or_default()
    }

    /// A partner and those over him at a moment. Ends where it would come round, which no move allows.
    fn upwards<'a>(&'a self, partner: &'a PartnerId, at: Timestamp) -> Vec<&'a PartnerId> {
        let mut chain = vec![partner];
        let at = if fault::is_back(Fault::MovesCountBackwards) { Timestamp::LATEST } else { at };
        while let Some(parent) = chain.last().and_then(|last| self.parents.get(*last)?.at(at)) {
            if chain.contains(&parent) {
                break;
            }
            chain.push(parent);
        }
        chain
    }

    /// How many stand one under the other below a partner at a moment.
    fn height(&self, partner: &PartnerId, at: Timestamp) -> usize {
        let under = |over: &PartnerId| {
            let is_under = |history: &History<PartnerId>| history.at(at) == Some(over);
            self.parents.iter().filter(|(_, history)| is_under(history)).map(|(id, _)| id.clone()).collect::<Vec<_>>()
        };
        let (mut level, mut seen, mut height) = (vec![partner.clone()], BTreeSet::from([partner.clone()]), 0);
        loop {
            level = level.iter().flat_map(&under).filter(|id| seen.insert(id.clone())).collect();
            if level.is_empty() {
                return height;
            }
            height += 1;
        }
    }

    /// Puts a partner, with all under him, under another from a moment on. The moment, or `None` where he stands there already.
    ///
    /// # Errors
    /// [`MoveError`], at that moment or at any later one for which a change is known; nothing has changed then.
    pub fn put_under(
        &mut self,
        partner: &PartnerId,
        parent: Option<&PartnerId>,
        since: Timestamp,
        now: Timestamp,
        depth_max: u32,
    ) -> Result<Option<Timestamp>, MoveError> {
        let before = self.parents.get(partner).cloned();
        let history = self.parents.entry(partner.clone()).or_default();
        let Some(since) = history.change(parent.cloned(), since, now) else { return Ok(None) };
        let moments: BTreeSet<Timestamp> = self
            .parents
            .values()
            .flat_map(History::changes)
            .map(|change| change.since)
            .filter(|at| *at > since)
            .chain([since])
            .collect();
        let refused = moments.into_iter().find_map(|at| self.refuses(partner, at, depth_max));
        let Some(error) = refused else { return Ok(Some(since)) };
        match before {
            Some(before) => self.parents.insert(partner.clone(), before),
            None => self.parents.remove(partner),
        };
        Err(error)
    }

    fn refuses(&self, partner: &PartnerId, at: Timestamp, depth_max: u32) -> Option<MoveError> {
        let chain = self.upwards(partner, at);
        let parent_of_last = chain.last().and_then(|last| self.parents.get(*last)?.at(at));
        if parent_of_last.is_some() {
            return Some(MoveError::Cycle);
        }
        let deep = chain.len().saturating_add(self.height(partner, at));
        (deep > usize::try_from(depth_max).unwrap_or(usize::MAX)).then_some(MoveError::TooDeep(depth_max))
    }
}
