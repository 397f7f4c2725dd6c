//! A run over all clients: which lists it is against, what of them has changed since the last whole one, and whether its numbers add up.

use serde::{Deserialize, Serialize};

use super::part::{PartStage, ScreeningPart, Tally};
use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::kyc::rules::Rescreen;
use crate::words::words;
use crate::work::OpenItem;
use crate::work::rules::WorkKind;
use crate::{RescreeningId, Seconds, Timestamp};

/// A run that says nothing for so long is gone on with: an invocation ends by itself before.
const LEASE: Seconds = Seconds(600);
/// A run that takes longer is told of.
const OVERDUE_AFTER: Seconds = Seconds(6 * 3_600);

words! {
    /// How far a run has come.
    RunStage {
        /// There was none.
        None = "none",
        /// Clients from before there was a list of them are put on it: once, before the first run.
        Enlisting = "enlisting",
        /// The parts are screened.
        Screening = "screening",
        /// Everybody was screened.
        Whole = "whole",
        /// Somebody may have been left out: the next run begins where this one did.
        NotWhole = "not_whole",
    }
}

words! {
    /// Why a run needs a person.
    Failure {
        /// More clients are on the list than were looked at.
        CountsDiffer = "counts_differ",
        /// A list has nobody on it any more.
        ListEmpty = "list_empty",
        /// What clients are screened with cannot be read.
        IndexUnreadable = "index_unreadable",
        /// It does not come to an end.
        Overdue = "overdue",
        /// Names that cannot be compared; everybody else was screened.
        NotComparable = "not_comparable",
    }
}

/// What clients are screened against, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Where the index lies.
    pub index: String,
    /// Which engine reads it.
    pub edition: String,
    /// The versions of its lists.
    pub list_version: String,
    /// What of the rules decides who is found, as a fingerprint.
    pub rules: String,
}

/// How far it is with clients from before there was a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Enlistment {
    /// All of them are on it.
    pub done: bool,
    /// So many were put on it.
    pub clients: u32,
}

/// What a part came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which.
    pub part: u8,
    /// Its clients as they were counted.
    pub counted: u32,
    /// What became of them.
    pub tally: Tally,
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RescreeningFacts {
    /// The number of the run.
    pub run: u32,
    /// How far it has come.
    pub stage: RunStage,
    /// Against what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Against what the last whole run was: only what has changed since is compared. None where everything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Target>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The parts that it has: those with clients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<u8>,
    /// What those that are done came to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<Outcome>,
    /// Clients from before there was a list of them.
    #[serde(default)]
    pub enlistment: Enlistment,
    /// The work item about it.
    #[serde(flatten)]
    pub open: OpenItem,
    /// What that is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// The part that stays with the item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RescreeningPrivate {
    /// Where the search for older clients goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescreening {
    /// There is one.
    pub id: RescreeningId,
    /// When it is gone on with.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: RescreeningFacts,
    /// What stays.
    pub private: RescreeningPrivate,
}

impl Rescreening {
    /// Before the first run.
    pub fn begun() -> Self {
        let facts = RescreeningFacts {
            run: 0,
            stage: RunStage::None,
            target: None,
            base: None,
            began_at: None,
            ended_at: None,
            parts: vec![],
            done: vec![],
            enlistment: Enlistment::default(),
            open: OpenItem::default(),
            failure: None,
        };
        Self { id: Self::the_id(), due: None, facts, private: RescreeningPrivate::default() }
    }

    /// Its id.
    pub fn the_id() -> RescreeningId {
        RescreeningId::from_bits(derived_bits(Timestamp::EPOCH, &["rescreening"]))
    }

    /// Whether a run is under way.
    pub fn is_under_way(&self) -> bool {
        match self.facts.stage {
            RunStage::Enlisting | RunStage::Screening => true,
            RunStage::None | RunStage::Whole | RunStage::NotWhole => false,
        }
    }

    /// What the last whole run was against.
    fn last(&self) -> Option<&Target> {
        match self.facts.stage {
            RunStage::Whole => self.facts.target.as_ref(),
            RunStage::None | RunStage::Enlisting | RunStage::Screening | RunStage::NotWhole => self.facts.base.as_ref(),
        }
    }

    /// The lists stand so: a run begins when they have changed, when its time has come, or when the last one was not whole. What comes
    /// during a run is taken up after it.
    pub fn wanted(&self, target: &Target, rules: &Rescreen, now: Timestamp) -> Verdict<Self> {
        if self.is_under_way() {
            return Verdict::Nothing("a run is under way");
        }
        let last = self.last();
        let again_at = self.facts.began_at.map(|began| began.plus(rules.every));
        if last == Some(target) && again_at.is_some_and(|at| now < at) {
            return Verdict::Nothing("everybody was screened against these lists");
        }
        // what another engine or other rules would find is not told by what changed on the lists
        let base = last.filter(|last| last.edition == target.edition && last.rules == target.rules).cloned();
        let mut next = self.onward();
        next.facts.run = self.facts.run.saturating_add(1);
        next.facts.stage = if self.facts.enlistment.done { RunStage::Screening } else { RunStage::Enlisting };
        let since =
            base.as_ref().map_or("everything".to_owned(), |base| format!("what changed since {}", base.list_version));
        let why = vec![format!("against {}: {since}", target.list_version)];
        (next.facts.target, next.facts.base) = (Some(target.clone()), base);
        (next.facts.began_at, next.facts.ended_at) = (Some(now), None);
        (next.facts.parts, next.facts.done) = (vec![], vec![]);
        next.due = Some(now.plus(LEASE));
        Verdict::change(next, "begun", vec!["rescreening.begun"], why)
    }

    /// Some of the older clients were put on the list, looked for from `from` on; `next` is where it goes on.
    pub fn enlisted(&self, from: Option<&str>, clients: u32, cursor: Option<String>, now: Timestamp) -> Verdict<Self> {
        if self.facts.stage != RunStage::Enlisting || self.private.cursor.as_deref() != from {
            return Verdict::Nothing("somebody else has gone on");
        }
        let mut next = self.onward();
        next.facts.enlistment.clients = self.facts.enlistment.clients.saturating_add(clients);
        next.due = Some(now.plus(LEASE));
        let is_last = cursor.is_none();
        next.private.cursor = cursor;
        if is_last {
            next.facts.enlistment.done = true;
            next.facts.stage = RunStage::Screening;
        }
        let why = vec![format!("{} clients so far", next.facts.enlistment.clients)];
        Verdict::change(next, if is_last { "enlisted" } else { "goes_on" }, vec![], why)
    }

    /// Its time is up: somebody else goes on.
    pub fn paused(&self, now: Timestamp) -> Verdict<Self> {
        if !self.is_under_way() {
            return Verdict::Nothing("no run is under way");
        }
        let mut next = self.onward();
        next.due = Some(now);
        Verdict::change(next, "paused", vec![], vec![])
    }

    /// These are the parts that have clients; they are begun after this is said. Without any the run is over.
    pub fn has_parts(&self, run: u32, parts: &[u8], now: Timestamp) -> Verdict<Self> {
        if self.facts.stage != RunStage::Screening || self.facts.run != run || !self.facts.parts.is_empty() {
            return Verdict::Nothing("its parts are known");
        }
        let mut next = self.onward();
        next.facts.parts = parts.to_vec();
        next.due = Some(now.plus(LEASE));
        if parts.is_empty() {
            return next.ended(now);
        }
        Verdict::change(next, "in_parts", vec![], vec![format!("{} parts", parts.len())])
    }

    /// A part is done. The last one ends the run.
    pub fn took(&self, part: &ScreeningPart, now: Timestamp) -> Verdict<Self> {
        let facts = &part.facts;
        let is_known = self.facts.done.iter().any(|done| done.part == facts.part);
        if self.facts.stage != RunStage::Screening
            || facts.run != self.facts.run
            || facts.stage != PartStage::Done
            || !self.facts.parts.contains(&facts.part)
            || is_known
        {
            return Verdict::Nothing("it is taken already, or of another run");
        }
        let mut next = self.onward();
        let counted = facts.counted.unwrap_or_default();
        next.facts.done.push(Outcome { part: facts.part, counted, tally: facts.tally.clone() });
        next.due = Some(now.plus(LEASE));
        if next.facts.done.len() >= self.facts.parts.len() {
            return next.ended(now);
        }
        let why = vec![format!("{} of {} parts are done", next.facts.done.len(), self.facts.parts.len())];
        Verdict::change(next, "part_done", vec![], why)
    }

    /// It cannot be done with these lists.
    pub fn failed(&self, run: u32, failure: Failure, why: &str, now: Timestamp) -> Verdict<Self> {
        if !self.is_under_way() || self.facts.run != run {
            return Verdict::Nothing("no such run is under way");
        }
        self.onward().over(RunStage::NotWhole, Some(failure), vec![why.to_owned()], now)
    }

    /// Nothing was heard of it for long: it is gone on with, and told of when that takes too long.
    pub fn came_due(&self, now: Timestamp) -> Verdict<Self> {
        if !self.is_under_way() || self.due.is_none_or(|due| due > now) {
            return Verdict::Nothing("it is not due");
        }
        let mut next = self.onward();
        next.due = Some(now.plus(LEASE));
        let is_late = self.facts.began_at.is_some_and(|began| began.plus(OVERDUE_AFTER) <= now);
        let why = vec![format!("{} of {} parts are done", self.facts.done.len(), self.facts.parts.len())];
        let mut events = vec![];
        if is_late && self.facts.failure != Some(Failure::Overdue) {
            events = next.tells(Some(Failure::Overdue), now);
        }
        Verdict::change(next, "gone_on_with", events, why)
    }

    /// All clients of the run together.
    pub fn tally(&self) -> Tally {
        self.facts.done.iter().fold(Tally::default(), |sum, done| sum.and(&done.tally))
    }

    fn onward(&self) -> Self {
        let mut next = self.clone();
        next.facts.open.settled.clear();
        next
    }

    /// Every part is done: the numbers add up, or somebody may have been left out.
    fn ended(self, now: Timestamp) -> Verdict<Self> {
        let tally = self.tally();
        let counted = self.facts.done.iter().fold(0_u32, |sum, done| sum.saturating_add(done.counted));
        let adds_up = self.facts.done.iter().all(|done| done.counted == done.tally.seen());
        let why = vec![format!(
            "{counted} clients: {} screened ({} against everything), {} left out by the rules, {} whose name cannot be compared, {} not there",
            tally.screened, tally.in_full, tally.left_out, tally.not_comparable, tally.absent
        )];
        if !adds_up {
            return self.over(RunStage::NotWhole, Some(Failure::CountsDiffer), why, now);
        }
        let failure = (tally.not_comparable > 0).then_some(Failure::NotComparable);
        self.over(RunStage::Whole, failure, why, now)
    }

    fn over(mut self, stage: RunStage, failure: Option<Failure>, why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        self.facts.stage = stage;
        self.facts.ended_at = Some(now);
        self.due = None;
        let mut events = vec!["rescreening.ended"];
        if self.facts.failure != failure {
            events.extend(self.tells(failure, now));
        }
        Verdict::change(self, stage.as_str(), events, why)
    }

    /// The same again opens nothing, whatever became of its item; another reason opens its own.
    fn tells(&mut self, failure: Option<Failure>, now: Timestamp) -> Vec<&'static str> {
        self.facts.failure = failure;
        self.facts.open.found(failure.map(|failure| (WorkKind::ScreeningIncomplete, failure.as_str())), now)
    }
}

impl Entity for Rescreening {
    type Id = RescreeningId;
    type Table = InCrm;
    type Public = RescreeningFacts;
    type Private = RescreeningPrivate;
    const KIND: &'static str = "rescreening";
    const TIMED: bool = true;

    fn id(&self) -> &RescreeningId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &RescreeningFacts {
        &self.facts
    }

    fn private(&self) -> &RescreeningPrivate {
        &self.private
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public, private: parts.private })
    }
}
