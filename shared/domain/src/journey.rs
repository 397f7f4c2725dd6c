//! Journeys: what a reader, a lead or a client, is written, offered or called about, one step after the other; what comes next, and when.
//!
//! One item holds all journeys of a client, so that caps, priorities and pauses are judged with what is saved in the same write; a lead has
//! an item for each series. Whether something may be sent is decided right before it is ([`sending`]). A message is marked before it is
//! handed over and never handed over twice: one whose sending broke off counts as sent.

mod advance;
pub mod cohort;
mod enter;
mod former;
pub mod preview;
pub mod rules;
pub mod sending;
pub mod subject;
pub mod suppression;
pub mod uplift;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use advance::{Delivery, JourneyError, Letter, NextStep};
pub use enter::{Happening, begun, id_of};

use crate::bonus::BonusWish;
use crate::decision::Decision;
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::journey::cohort::Cohort;
use crate::journey::rules::{Journeys, Topic};
use crate::journey::sending::Counted;
use crate::payment::deposit::Settled;
use crate::words::words;
use crate::work::Review;
use crate::{ClientId, JourneyId, LeadId, Seconds, Timestamp};

/// A worker that sends is left alone for so long: longer than a function runs.
pub const GRACE: Seconds = Seconds(90);
/// Runs that an item keeps; of more, the oldest that are over go.
const RUNS_MAX: usize = 30;
/// Lines of a run.
const LINES_MAX: usize = 60;
/// Keys of entries that are remembered, a journey.
const KEYS_MAX: usize = 40;
/// Messages that are remembered for the caps.
const COUNTED_MAX: usize = 100;

words! {
    /// Where a run stands.
    RunState {
        /// Goes on.
        Active = "active",
        /// All of it happened, or its goal was reached.
        Done = "done",
        /// It ended early.
        Left = "left",
        /// The reader belongs to those who are held out.
        HeldOut = "held_out",
        /// It is over, and all that it had to say was held back.
        Suppressed = "suppressed",
    }
}

words! {
    /// What happened in a run.
    Did {
        /// It began.
        Entered = "entered",
        /// It waits.
        Waited = "waited",
        /// A message was handed over.
        Sent = "sent",
        /// Somebody is to do something.
        Task = "task",
        /// A bonus is to be granted.
        Bonus = "bonus",
        /// A step had nothing to do.
        Skipped = "skipped",
        /// Something is not sent.
        Suppressed = "suppressed",
        /// Something is sent later.
        Deferred = "deferred",
        /// It ended early.
        Left = "left",
        /// It is over.
        Done = "done",
    }
}

/// A line of a run's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct Line {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    pub did: Did,
    pub why: String,
}

/// One time that a reader goes through a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The journey.
    pub journey: String,
    /// The version of the rules with which it goes on: the one that was live when it began. 0 is whichever is live.
    pub version: u64,
    /// What it began with: of one key there is one run.
    pub key: String,
    /// Where it stands.
    pub state: RunState,
    /// Whether anything happens.
    pub cohort: Cohort,
    /// When it began.
    pub entered_at: Timestamp,
    /// What its entry is about, in the base currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The step that is next; the first one that has no line where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// When it came there.
    pub since: Timestamp,
    /// When it is looked at next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Since when a message of the step is being handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<Timestamp>,
    /// How often the message could not be handed over.
    #[serde(default)]
    pub tries: u32,
    /// When what its step waits for happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Timestamp>,
    /// Up to when its goal counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_until: Option<Timestamp>,
    /// When its goal was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_at: Option<Timestamp>,
    /// Work items that it opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Settled>,
    /// What happened.
    #[serde(default)]
    pub history: Vec<Line>,
}

/// What is remembered of entries into a journey.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entries {
    /// The newest one's time.
    pub last_at: Option<Timestamp>,
    /// What they began with, the newest last.
    pub keys: Vec<String>,
}

/// What a version did in one of the runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct News {
    pub journey: String,
    pub version: u64,
    pub did: Did,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    pub why: String,
    /// What of it is counted for the report, beside what its step came to: `sent.email`, `suppressed.no_consent`, `goal.control`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<String>,
}

/// The public part: what the version did. The runs themselves are private, for they would make every event long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JourneyFacts {
    /// The reader, if he is a lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<LeadId>,
    /// What this version did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub news: Vec<News>,
    /// What is to be granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bonus: Option<BonusWish>,
    /// What a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The work items that this version makes moot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
}

/// The private part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JourneyInner {
    /// How manieth series of a lead it is, from 1; 0 for a client.
    #[serde(default)]
    pub entry: u32,
    /// The runs, the oldest first.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// What is remembered of entries, also of runs that are kept no more.
    #[serde(default)]
    pub entries: BTreeMap<String, Entries>,
    /// Messages that count against the caps, the oldest first.
    #[serde(default)]
    pub sent: Vec<Counted>,
    /// Until when nothing is advertised about a topic.
    #[serde(default)]
    pub pauses: BTreeMap<Topic, Timestamp>,
    /// When it is looked whether the client is inactive. Trades move it on only when it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
}

/// The journeys of one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// Its id: the client's own, or derived from the lead and how manieth series it is.
    pub id: JourneyId,
    /// The reader, if he is a client.
    pub client_id: Option<ClientId>,
    /// What events carry.
    pub facts: JourneyFacts,
    /// What they do not.
    pub inner: JourneyInner,
}

/// The live rules, and those that runs entered with.
#[derive(Debug, Clone)]
pub struct Books<'r> {
    /// The live version.
    pub version: u64,
    /// Its rules.
    pub live: &'r Journeys,
    /// Older versions.
    pub older: BTreeMap<u64, &'r Journeys>,
}

impl<'r> Books<'r> {
    /// The live version alone.
    pub fn live(version: u64, live: &'r Journeys) -> Self {
        Self { version, live, older: BTreeMap::new() }
    }

    /// The rules that a run goes on with: its own, or the live ones where those are not there.
    fn of(&self, run: &Run) -> &'r Journeys {
        self.older.get(&run.version).copied().unwrap_or(self.live)
    }
}

impl Journey {
    /// A client who was in no journey yet.
    pub fn of_client(client: &ClientId) -> Self {
        Self {
            id: JourneyId::of(client),
            client_id: Some(client.clone()),
            facts: JourneyFacts::default(),
            inner: JourneyInner::default(),
        }
    }

    /// The versions of the rules that its active runs go on with, but for the live one.
    pub fn versions(&self, live: u64) -> impl Iterator<Item = u64> {
        let own = self.inner.runs.iter().filter(|run| run.state == RunState::Active).map(|run| run.version);
        own.filter(move |version| *version != live && *version != 0)
    }

    /// The next version, which did nothing yet.
    fn turned(&self) -> Self {
        let mut next = self.clone();
        next.facts.news.clear();
        next.facts.bonus = None;
        next.facts.review = None;
        next.facts.settled.clear();
        next
    }

    /// Something happened in a run.
    fn note(&mut self, place: usize, at: Timestamp, did: Did, why: &str, counts: Option<String>) {
        let Some(run) = self.inner.runs.get_mut(place) else { return };
        let step = run.step.clone();
        run.history.push(Line { at, step: step.clone(), did, why: why.to_owned() });
        let beyond = run.history.len().saturating_sub(LINES_MAX);
        run.history.drain(..beyond);
        let (journey, version) = (run.journey.clone(), run.version);
        self.facts.news.push(News { journey, version, did, step, why: why.to_owned(), counts });
    }

    /// A run is over: what it asked people is moot where `moot`.
    fn over(&mut self, place: usize, state: RunState, moot: bool) {
        let Some(run) = self.inner.runs.get_mut(place) else { return };
        run.state = state;
        run.due = None;
        run.sending = None;
        if moot {
            self.facts.settled.append(&mut run.items);
        }
    }

    /// Forgets what is over and counts nowhere any more.
    fn forget(&mut self, now: Timestamp) {
        let keeps = |run: &Run| run.state == RunState::Active || run.goal_until.is_some_and(|until| until > now);
        while self.inner.runs.len() > RUNS_MAX
            && let Some(place) = self.inner.runs.iter().position(|run| !keeps(run))
        {
            self.inner.runs.remove(place);
        }
        let beyond = self.inner.sent.len().saturating_sub(COUNTED_MAX);
        self.inner.sent.drain(..beyond);
        self.inner.pauses.retain(|_, until| *until > now);
    }

    /// The decision that saves it: what it did says which events it announces.
    fn decided(mut self, outcome: &'static str, now: Timestamp) -> Decision<Self> {
        self.forget(now);
        let did = |did: Did| self.facts.news.iter().any(|own| own.did == did);
        let mut events = Vec::new();
        events.extend(did(Did::Entered).then_some("journey.begun"));
        events.extend(did(Did::Left).then_some("journey.ended"));
        events.extend(did(Did::Done).then_some("journey.finished"));
        events.extend(self.facts.bonus.as_ref().map(|_| "journey.bonus"));
        events.extend(self.facts.review.as_ref().map(|_| "desk.item"));
        events.extend((!self.facts.settled.is_empty()).then_some("desk.settled"));
        let in_words = |own: &News| {
            let step = own.step.as_ref().map(|step| format!(", {step}")).unwrap_or_default();
            format!("{}{step}: {}, {}", own.journey, own.did, own.why)
        };
        let why = self.facts.news.iter().map(in_words).collect();
        Decision::new(self, outcome, events, why)
    }

    /// What is counted of this version, by journey and version of the rules.
    pub fn counts(&self) -> BTreeMap<(String, u64), BTreeMap<String, u64>> {
        let mut counts: BTreeMap<(String, u64), BTreeMap<String, u64>> = BTreeMap::new();
        for own in &self.facts.news {
            // of a step counts what it came to, and who left there: not that it is waited for, nor that nothing follows
            let ends = !matches!(own.did, Did::Entered | Did::Waited | Did::Deferred | Did::Done);
            let at_step = own.step.as_ref().filter(|_| ends).map(|step| format!("step.{step}.{}", own.did));
            let names: Vec<String> = own.counts.iter().cloned().chain(at_step).collect();
            if names.is_empty() {
                continue;
            }
            let of = counts.entry((own.journey.clone(), own.version)).or_default();
            for name in names {
                *of.entry(name).or_default() += 1;
            }
        }
        counts
    }
}

impl Entity for Journey {
    type Id = JourneyId;
    type Table = InCrm;
    type Public = JourneyFacts;
    type Private = JourneyInner;
    const KIND: &'static str = "journey";
    const SCHEMA: u32 = 2;
    const TIMED: bool = true;

    fn id(&self) -> &JourneyId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }

    fn due(&self) -> Option<Timestamp> {
        let runs = self.inner.runs.iter().filter(|run| run.state == RunState::Active).filter_map(|run| run.due);
        runs.chain(self.inner.look_at).min()
    }

    fn public(&self) -> &JourneyFacts {
        &self.facts
    }

    fn private(&self) -> &JourneyInner {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        let mut inner = parts.private;
        // the first form kept the due time with the item alone
        for run in inner.runs.iter_mut().filter(|run| run.state == RunState::Active && run.due.is_none()) {
            run.due = parts.due;
        }
        Ok(Self { id: parts.id, client_id: parts.client, facts: parts.public, inner })
    }

    fn upgrade(_from: u32, public: Value, _private: Value) -> (Value, Value) {
        former::upgrade(&public)
    }
}
