//! A share of the clients in a run: read a page at a time; where the next page begins is saved with what the pages before came to, so that
//! whoever dies on the way is followed by one who goes on there, and nobody is counted twice.

use serde::{Deserialize, Serialize};

use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::words::words;
use crate::{ClientId, ScreeningPartId, Seconds, Timestamp};

/// Whoever has read a page has so long before another one goes on in his place; longer than an invocation takes.
const LEASE: Seconds = Seconds(240);
/// Clients that are named of those whose name cannot be compared.
const NAMED_MAX: usize = 20;
/// Times that a part is read, where its count says that somebody was left out: the index may have been behind.
const PASSES_MAX: u32 = 3;

words! {
    /// How far a part has come.
    PartStage {
        /// Its clients are being screened.
        Reading = "reading",
        /// All of them were.
        Done = "done",
    }
}

/// What became of clients. Each is in one of the first four.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// They were screened.
    pub screened: u32,
    /// The rules do not ask for it, by where their case stands.
    pub left_out: u32,
    /// Their name cannot be compared: a person has to look.
    pub not_comparable: u32,
    /// The list names them, and they are not there.
    pub absent: u32,
    /// Of those screened, against everything and not only what has changed.
    pub in_full: u32,
    /// About so many something new was found.
    pub raised: u32,
    /// Of so many something ended.
    pub ended: u32,
    /// Some of those who cannot be compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<ClientId>,
}

impl Tally {
    /// All clients that were looked at.
    pub fn seen(&self) -> u32 {
        [self.screened, self.left_out, self.not_comparable, self.absent].into_iter().fold(0, u32::saturating_add)
    }

    /// Somebody's name cannot be compared.
    pub fn cannot_compare(&mut self, client: &ClientId) {
        self.not_comparable = self.not_comparable.saturating_add(1);
        if self.named.len() < NAMED_MAX {
            self.named.push(client.clone());
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let named = self.named.iter().chain(&other.named).take(NAMED_MAX).cloned().collect();
        Self {
            screened: self.screened.saturating_add(other.screened),
            left_out: self.left_out.saturating_add(other.left_out),
            not_comparable: self.not_comparable.saturating_add(other.not_comparable),
            absent: self.absent.saturating_add(other.absent),
            in_full: self.in_full.saturating_add(other.in_full),
            raised: self.raised.saturating_add(other.raised),
            ended: self.ended.saturating_add(other.ended),
            named,
        }
    }
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreeningPartFacts {
    /// Which share.
    pub part: u8,
    /// Of which run.
    pub run: u32,
    /// How far it has come.
    pub stage: PartStage,
    /// The newest client of the share when the run began: who came later was screened when he came.
    pub through: ClientId,
    /// What became of its clients.
    pub tally: Tally,
    /// How often it was begun to be read in this run.
    pub pass: u32,
    /// Its clients as they were counted at the end, apart from their being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u32>,
}

/// The part that stays with the item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScreeningPartPrivate {
    /// The last client that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ClientId>,
}

/// A share of the clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreeningPart {
    /// Derived from its number.
    pub id: ScreeningPartId,
    /// When it is gone on with.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: ScreeningPartFacts,
    /// What stays.
    pub private: ScreeningPartPrivate,
}

/// Where a part stands: whoever saves a page read it from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    run: u32,
    pass: u32,
    /// The page begins after this client.
    pub after: Option<ClientId>,
}

impl ScreeningPart {
    /// The share of a run before its first page.
    pub fn begun(part: u8, through: &ClientId) -> Self {
        let facts = ScreeningPartFacts {
            part,
            run: 0,
            stage: PartStage::Done,
            through: through.clone(),
            tally: Tally::default(),
            pass: 0,
            counted: None,
        };
        Self { id: Self::id_of(part), due: None, facts, private: ScreeningPartPrivate::default() }
    }

    /// The id of a share.
    pub fn id_of(part: u8) -> ScreeningPartId {
        ScreeningPartId::from_bits(derived_bits(Timestamp::EPOCH, &["screening_part", &part.to_string()]))
    }

    /// A run begins with it.
    pub fn opened(&self, run: u32, through: &ClientId, now: Timestamp) -> Verdict<Self> {
        if self.facts.run >= run {
            return Verdict::Nothing("it is of that run already");
        }
        let mut next = Self::begun(self.facts.part, through);
        (next.facts.run, next.facts.stage, next.facts.pass) = (run, PartStage::Reading, 1);
        next.due = Some(now.plus(LEASE));
        Verdict::change(next, "opened", vec!["screening_part.opened"], vec![format!("run {run}, through {through}")])
    }

    /// Where its reading stands; none once it is done.
    pub fn place(&self) -> Option<Place> {
        let facts = &self.facts;
        let place = Place { run: facts.run, pass: facts.pass, after: self.private.after.clone() };
        (facts.stage == PartStage::Reading).then_some(place)
    }

    /// A page was screened from a place on, whose last client is given. Two who screened the same page save it once.
    pub fn goes_on(&self, from: &Place, page: &Tally, last: &ClientId, now: Timestamp) -> Verdict<Self> {
        if self.place().as_ref() != Some(from) {
            return Verdict::Nothing("somebody else has gone on");
        }
        let mut next = self.clone();
        next.facts.tally = self.facts.tally.and(page);
        next.private.after = Some(last.clone());
        next.due = Some(now.plus(LEASE));
        Verdict::change(next, "went_on", vec![], vec![])
    }

    /// Its time is up: somebody else goes on.
    pub fn paused(&self, now: Timestamp) -> Verdict<Self> {
        match self.place() {
            None => Verdict::Nothing("it is done"),
            Some(_) => Verdict::change(Self { due: Some(now), ..self.clone() }, "paused", vec![], vec![]),
        }
    }

    /// Its run is over without it.
    pub fn given_up(&self) -> Verdict<Self> {
        if self.place().is_none() {
            return Verdict::Nothing("it is done");
        }
        let mut next = self.clone();
        (next.facts.stage, next.due) = (PartStage::Done, None);
        Verdict::change(next, "given_up", vec![], vec!["the run is over".to_owned()])
    }

    /// All pages were read from the last place on, and its clients are so many. Fewer than were read cannot be; where there are more
    /// the list was behind, and is read again.
    pub fn counted(&self, from: &Place, clients: u32, now: Timestamp) -> Verdict<Self> {
        if self.place().as_ref() != Some(from) {
            return Verdict::Nothing("somebody else has gone on");
        }
        let mut next = self.clone();
        let seen = self.facts.tally.seen();
        let why = vec![format!("{seen} clients were looked at, and {clients} are on the list")];
        if clients != seen && self.facts.pass < PASSES_MAX {
            (next.facts.pass, next.facts.tally, next.private.after) = (self.facts.pass + 1, Tally::default(), None);
            next.due = Some(now.plus(LEASE));
            return Verdict::change(next, "again", vec!["screening_part.opened"], why);
        }
        next.facts.counted = Some(clients);
        next.facts.stage = PartStage::Done;
        next.due = None;
        Verdict::change(next, "done", vec!["screening_part.done"], why)
    }
}

impl Entity for ScreeningPart {
    type Id = ScreeningPartId;
    type Table = InCrm;
    type Public = ScreeningPartFacts;
    type Private = ScreeningPartPrivate;
    const KIND: &'static str = "screening_part";
    const TIMED: bool = true;

    fn id(&self) -> &ScreeningPartId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &ScreeningPartFacts {
        &self.facts
    }

    fn private(&self) -> &ScreeningPartPrivate {
        &self.private
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public, private: parts.private })
    }
}
