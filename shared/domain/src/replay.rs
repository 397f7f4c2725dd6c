//! Replays: what set an execution off is made again, for real or as a rehearsal, and held against what came of it then.

mod compare;
mod place;
mod wish;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::words::words;
use crate::{ReplayId, Timestamp};

pub use compare::{Compared, compare};
pub use place::{ExecutionPlace, Trigger};
pub use wish::{EXECUTIONS_MAX, Filter, RANGE_MAX, Range, Wanted, Wish};

words! {
    /// How it is done again.
    ReplayMode {
        /// Without any effect: with what was there then, and with today's rules and code.
        DryRun = "dry_run",
        /// By the step itself, which recognises what it has done.
        Run = "run",
    }
}

words! {
    /// Where a replay is.
    ReplayStatus {
        /// It is asked for.
        Requested = "requested",
        /// Every execution that can be done again is on its way.
        Sent = "sent",
    }
}

/// All of a replay but its executions, which stand beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayFacts {
    /// How.
    pub mode: ReplayMode,
    /// What.
    pub wanted: Wanted,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub requested_at: Timestamp,
    /// Where it is.
    pub status: ReplayStatus,
    /// How many executions it has; not known before they were looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executions: Option<usize>,
}

/// A replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Its id.
    pub id: ReplayId,
    /// All of it.
    pub facts: ReplayFacts,
}

impl Replay {
    /// The decision that begins it.
    pub fn requested(id: ReplayId, wish: Wish, by: &str, now: Timestamp) -> Decision<Self> {
        let why = vec![format!("{} of {}", wish.mode, wish.wanted)];
        let facts = ReplayFacts {
            mode: wish.mode,
            wanted: wish.wanted,
            by: by.to_owned(),
            requested_at: now,
            status: ReplayStatus::Requested,
            executions: None,
        };
        Decision::new(Self { id, facts }, "requested", vec!["replay.requested"], why)
    }

    /// Everything is sent.
    pub fn sent(&self, executions: usize, left_out: usize) -> Verdict<Self> {
        if self.facts.status == ReplayStatus::Sent {
            return Verdict::Nothing("it was sent before");
        }
        let mut next = self.clone();
        next.facts.status = ReplayStatus::Sent;
        next.facts.executions = Some(executions);
        let why = vec![format!("{executions} executions, {left_out} of which cannot be done again")];
        Verdict::change(next, "sent", vec![], why)
    }
}

impl Entity for Replay {
    type Id = ReplayId;
    type Table = InCrm;
    type Public = ReplayFacts;
    type Private = ();
    const KIND: &'static str = "replay";

    fn id(&self) -> &ReplayId {
        &self.id
    }

    fn public(&self) -> &ReplayFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public })
    }
}

/// An execution of a replay: what one invocation made of one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Which one it is, by the first version that it made.
    pub place: ExecutionPlace,
    /// The function.
    pub function: String,
    /// What set it off.
    pub trigger: String,
    /// When it decided.
    pub at: Timestamp,
    /// The newest version of the entity when the replay began: what it makes is newer.
    pub head: u64,
    /// Why it cannot be done again: a word, and a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<(String, String)>,
}

impl Execution {
    /// Where it stands among the executions of its replay: by time.
    pub fn sort(&self) -> String {
        format!("{:013}#{}:{}", self.at.millis().max(0), self.place.entity, self.place.version)
    }
}

/// A version of an entity, as it was saved or would have been.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The entity.
    pub entity: String,
    /// Its version.
    pub version: u64,
    /// One word for the result.
    pub outcome: String,
    /// The trace.
    #[serde(default)]
    pub why: Vec<String>,
    /// Event types.
    #[serde(default)]
    pub events: Vec<String>,
    /// Rule sets with their versions.
    #[serde(default)]
    pub rules: Vec<String>,
    /// The entity's public part; left out of what would be too long to keep.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub state: Value,
}

/// What a step said that was set off again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Its word for the result, or the kind of its failure.
    pub outcome: String,
    /// Whether it failed.
    #[serde(default)]
    pub failed: bool,
    /// What it would have saved. Of a run the journal says what it saved.
    #[serde(default)]
    pub decisions: Vec<Decided>,
    /// What it was about to do that a dry run cannot: it ended there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Characters of the decisions that are kept with their states: an item has 400 KB, and hundreds of them are read for one answer.
const STATES_MAX: usize = 32_000;

impl Answer {
    /// The same, as small as it must be to be kept, and without what `hides` says nobody may see.
    #[must_use]
    pub fn kept(mut self, hides: impl Fn(&str) -> bool) -> Self {
        self.decisions.retain(|own| !hides(&own.entity));
        let long = serde_json::to_string(&self.decisions).map_or(usize::MAX, |text| text.len());
        if long > STATES_MAX {
            self.decisions.iter_mut().for_each(|own| own.state = Value::Null);
        }
        self
    }
}
