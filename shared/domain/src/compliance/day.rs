//! A share of the clients on a day that is over: what only time brings is looked for in each of them, a page at a time. Where the next page
//! begins is saved with what the pages before came to, so whoever dies on the way is followed by one who goes on there; at the end the list
//! of clients counts itself, so nobody is left out without somebody being told.

use serde::{Deserialize, Serialize};

use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::words::words;
use crate::{ClientId, Day, DayPartId, Seconds, Timestamp};

/// Whoever has read a page has so long before another one goes on in his place; longer than an invocation takes.
const LEASE: Seconds = Seconds(240);
/// Clients that are named of those who cannot be judged.
const NAMED_MAX: usize = 20;
/// Times that a part is read, where its count says that somebody was left out: the index may have been behind.
const PASSES_MAX: u32 = 3;

words! {
    /// How far a part has come.
    DayStage {
        /// Its clients are being looked at.
        Reading = "reading",
        /// All of them were.
        Done = "done",
    }
}

/// What became of clients. What was found is nowhere here: it is compliance's alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DayTally {
    /// They were held against the scenarios.
    pub judged: u32,
    /// The list names them, and they are not there.
    pub absent: u32,
    /// What is kept of them cannot be read: a person has to look.
    pub failed: u32,
    /// Some of those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<ClientId>,
}

impl DayTally {
    /// All clients that were looked at.
    pub fn seen(&self) -> u32 {
        self.judged.saturating_add(self.absent).saturating_add(self.failed)
    }

    /// A client could not be judged.
    pub fn failed(&mut self, client: &ClientId) {
        self.failed = self.failed.saturating_add(1);
        if self.named.len() < NAMED_MAX {
            self.named.push(client.clone());
        }
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            judged: self.judged.saturating_add(other.judged),
            absent: self.absent.saturating_add(other.absent),
            failed: self.failed.saturating_add(other.failed),
            named: self.named.iter().chain(&other.named).take(NAMED_MAX).cloned().collect(),
        }
    }
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayPartFacts {
    /// Which share.
    pub part: u8,
    /// The day that is over.
    pub day: Day,
    /// How far it has come.
    pub stage: DayStage,
    /// The newest client of the share when it began: who came later is looked at on his own days.
    pub through: ClientId,
    /// What became of its clients.
    pub tally: DayTally,
    /// How often it was begun to be read for this day.
    pub pass: u32,
    /// Its clients as the list counts them, apart from their being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u32>,
}

/// The part that stays with the item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DayPartPrivate {
    /// The last client that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ClientId>,
    /// The day that follows, where it was over before this one was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Day>,
}

/// A share of the clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayPart {
    /// Derived from its number.
    pub id: DayPartId,
    /// When it is gone on with.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: DayPartFacts,
    /// What stays.
    pub private: DayPartPrivate,
}

/// Where a part stands: whoever saves a page read it from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayPlace {
    /// The day that is judged.
    pub day: Day,
    pass: u32,
    /// The page begins after this client.
    pub after: Option<ClientId>,
}

/// What a page came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayPage {
    /// What became of its clients.
    pub tally: DayTally,
    /// The last of them.
    pub last: Option<ClientId>,
    /// After the last page: how many clients the list has.
    pub counted: Option<u32>,
}

impl DayPart {
    /// A share before its first day.
    pub fn begun(part: u8, through: &ClientId) -> Self {
        let facts = DayPartFacts {
            part,
            day: Day::of(Timestamp::EPOCH),
            stage: DayStage::Done,
            through: through.clone(),
            tally: DayTally::default(),
            pass: 0,
            counted: None,
        };
        Self { id: Self::id_of(part), due: None, facts, private: DayPartPrivate::default() }
    }

    /// The id of a share.
    pub fn id_of(part: u8) -> DayPartId {
        DayPartId::from_bits(derived_bits(Timestamp::EPOCH, &["day_part", &part.to_string()]))
    }

    /// A day is over. One that is still read is read to its end first.
    pub fn opened(&self, day: Day, through: &ClientId, now: Timestamp) -> Verdict<Self> {
        if self.facts.day >= day || self.private.then.is_some_and(|then| then >= day) {
            return Verdict::Nothing("that day was opened already");
        }
        if self.place().is_some() {
            let mut next = self.clone();
            next.private.then = Some(day);
            return Verdict::change(next, "waits", vec![], vec![format!("{} is not done yet", self.facts.day)]);
        }
        self.open(day, through, now)
    }

    fn open(&self, day: Day, through: &ClientId, now: Timestamp) -> Verdict<Self> {
        let mut next = Self::begun(self.facts.part, through);
        (next.facts.day, next.facts.stage, next.facts.pass) = (day, DayStage::Reading, 1);
        next.due = Some(now.plus(LEASE));
        Verdict::change(next, "opened", vec!["day_part.opened"], vec![format!("{day}, through {through}")])
    }

    /// Where its reading stands; none once it is done.
    pub fn place(&self) -> Option<DayPlace> {
        let facts = &self.facts;
        let place = DayPlace { day: facts.day, pass: facts.pass, after: self.private.after.clone() };
        (facts.stage == DayStage::Reading).then_some(place)
    }

    /// A page was looked at from a place on. Two who looked at the same page save it once. After the last one the numbers are compared:
    /// where the list has another number of clients it was behind, and is read again; whoever was judged already finds nothing to do.
    pub fn goes_on(&self, from: &DayPlace, page: &DayPage, now: Timestamp) -> Verdict<Self> {
        if self.place().as_ref() != Some(from) {
            return Verdict::Nothing("somebody else has gone on");
        }
        let mut next = self.clone();
        next.facts.tally = self.facts.tally.and(&page.tally);
        next.private.after = page.last.clone().or_else(|| self.private.after.clone());
        next.due = Some(now.plus(LEASE));
        let Some(counted) = page.counted else { return Verdict::change(next, "went_on", vec![], vec![]) };
        let seen = next.facts.tally.seen();
        let why = vec![format!("{seen} clients were looked at, and {counted} are on the list")];
        if counted != seen && self.facts.pass < PASSES_MAX {
            (next.facts.pass, next.facts.tally, next.private.after) = (self.facts.pass + 1, DayTally::default(), None);
            return Verdict::change(next, "again", vec![], why);
        }
        next.facts.counted = Some(counted);
        (next.facts.stage, next.due) = (DayStage::Done, None);
        match self.private.then {
            // clients who came meanwhile are looked at from their first whole day on
            Some(day) => next.open(day, &self.facts.through, now),
            None => Verdict::change(next, "done", vec![], why),
        }
    }

    /// Its time is up: somebody else goes on.
    pub fn paused(&self, now: Timestamp) -> Verdict<Self> {
        match self.place() {
            None => Verdict::Nothing("it is done"),
            Some(_) => Verdict::change(Self { due: Some(now), ..self.clone() }, "paused", vec![], vec![]),
        }
    }
}

impl Entity for DayPart {
    type Id = DayPartId;
    type Table = InCrm;
    type Public = DayPartFacts;
    type Private = DayPartPrivate;
    const KIND: &'static str = "day_part";
    const TIMED: bool = true;

    fn id(&self) -> &DayPartId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &DayPartFacts {
        &self.facts
    }

    fn private(&self) -> &DayPartPrivate {
        &self.private
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public, private: parts.private })
    }
}
