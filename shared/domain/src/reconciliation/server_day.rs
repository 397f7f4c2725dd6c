//! A day of a trading server: how far its operations have been read, and the payments whose look-up there is made again.

use serde::{Deserialize, Serialize};

use super::row::{SettledRow, totals};
use super::settlement::DayRead;
use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InMoney, Parts, ReadError};
use crate::words::words;
use crate::{Day, Money, PaymentId, Seconds, ServerDayId, Timestamp};

/// How long after its end a day is read: clocks differ, and what was begun late is booked by then.
pub const READ_AFTER: Seconds = Seconds(1_800);
/// Whoever has read a part has so long before another one goes on in his place; longer than an invocation takes.
const LEASE: Seconds = Seconds(240);
/// A look-up that told of a difference, or could not be made, is made again after this.
const LOOK_AGAIN: Seconds = Seconds(600);
/// Payments that are looked up again, each by itself. What is beyond the comparison of the whole day tells.
const WATCHED_MAX: usize = 100;
/// So long after a day's end its payments are no more looked up one by one: the day has been compared.
const WATCHED_FOR: Seconds = Seconds(86_400);

words! {
    /// How far it has come.
    DayStage {
        /// It is not over, or nobody has begun to read it.
        Waiting = "waiting",
        /// Its operations are being read.
        Reading = "reading",
        /// All of them were read.
        Read = "read",
    }
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerDayFacts {
    /// Whose queue reads it.
    pub platform: String,
    /// The server.
    pub server: String,
    /// The day.
    pub date: Day,
    /// How far it has come.
    pub stage: DayStage,
    /// How often it was begun to be read.
    pub run: u32,
    /// Operations that were read in this run.
    pub operations: usize,
    /// What they sum to.
    pub total: Vec<Money>,
}

/// The part that stays with the item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerDayPrivate {
    /// Parts of the list of accounts that were read in this run.
    #[serde(rename = "n", default)]
    pub parts: u32,
    /// Where the list goes on; none at its beginning.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Of everything that was read in this run.
    #[serde(rename = "h", default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// Payments that are looked up again.
    #[serde(rename = "w", default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<PaymentId>,
}

/// A day of a trading server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerDay {
    /// Derived from server and day.
    pub id: ServerDayId,
    /// When it is gone on with.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: ServerDayFacts,
    /// What stays.
    pub private: ServerDayPrivate,
}

/// Where a run stands: whoever saves a part read it from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    run: u32,
    part: u32,
}

impl ServerDay {
    /// Before anything is known of it.
    pub fn begun(platform: &str, server: &str, date: Day) -> Self {
        let facts = ServerDayFacts {
            platform: platform.to_owned(),
            server: server.to_owned(),
            date,
            stage: DayStage::Waiting,
            run: 0,
            operations: 0,
            total: Vec::new(),
        };
        Self { id: Self::id_of(server, date), due: None, facts, private: ServerDayPrivate::default() }
    }

    /// The id of a server's day.
    pub fn id_of(server: &str, date: Day) -> ServerDayId {
        ServerDayId::from_bits(derived_bits(date.begins(), &["server_day", server, &date.to_string()]))
    }

    /// When it can be read.
    fn read_from(&self) -> Timestamp {
        self.facts.date.next().begins().plus(READ_AFTER)
    }

    /// The server is there: its day is read once it is over.
    pub fn noticed(&self) -> Verdict<Self> {
        if self.due.is_some() || self.facts.stage != DayStage::Waiting {
            return Verdict::Nothing("it is known");
        }
        let due = Some(self.read_from());
        Verdict::change(Self { due, ..self.clone() }, "noticed", vec![], vec![])
    }

    /// It is over: read from now on.
    pub fn opened(&self, now: Timestamp) -> Verdict<Self> {
        match self.facts.stage {
            DayStage::Waiting if now >= self.read_from() => self.anew(now),
            DayStage::Waiting => Verdict::Nothing("the day is not over"),
            DayStage::Reading | DayStage::Read => Verdict::Nothing("it is read already"),
        }
    }

    /// What was read differs from the ledger: it is read again, for somebody may have mended it there.
    pub fn again(&self, now: Timestamp) -> Verdict<Self> {
        match self.facts.stage {
            DayStage::Read => self.anew(now),
            DayStage::Waiting | DayStage::Reading => Verdict::Nothing("it is not read yet"),
        }
    }

    fn anew(&self, now: Timestamp) -> Verdict<Self> {
        let mut next = self.clone();
        next.facts.stage = DayStage::Reading;
        next.facts.run = next.facts.run.saturating_add(1);
        next.facts.operations = 0;
        next.facts.total = Vec::new();
        (next.private.parts, next.private.cursor, next.private.digest) = (0, None, String::new());
        next.due = Some(now);
        Verdict::change(next, "reading", vec![], vec![format!("read {} of {}", self.facts.date, self.facts.server)])
    }

    /// Whether it is to be gone on with.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Where its reading stands; none while it is not being read.
    pub fn place(&self) -> Option<Place> {
        let own = (self.facts.stage == DayStage::Reading).then_some(self.private.parts);
        own.map(|part| Place { run: self.facts.run, part })
    }

    /// Where the rows of a run are kept, which no other run writes to.
    pub fn rows_at(&self) -> String {
        format!("server:{}#{}#{}", self.facts.server, self.facts.date, self.facts.run)
    }

    /// A part of the list was read from a place on; `next` is where it goes on. Two who read the same part save it once.
    pub fn goes_on(&self, from: Place, rows: &[SettledRow], next: Option<String>, now: Timestamp) -> Verdict<Self> {
        if self.place() != Some(from) {
            return Verdict::Nothing("somebody else has read on");
        }
        let sum = totals(self.facts.total.iter().copied().chain(rows.iter().map(|row| row.amount)));
        let (Ok(total), Ok(text)) = (sum, serde_json::to_string(rows)) else {
            return Verdict::Nothing("it sums to more than can be");
        };
        let mut own = self.clone();
        own.facts.total = total;
        own.facts.operations = own.facts.operations.saturating_add(rows.len());
        own.private.parts = own.private.parts.saturating_add(1);
        if !rows.is_empty() {
            let bits = derived_bits(own.facts.date.begins(), &[&self.private.digest, &text]);
            own.private.digest = format!("{bits:032x}");
        }
        let is_last = next.is_none();
        own.private.cursor = next;
        own.due = Some(now.plus(LEASE));
        if is_last {
            own.facts.stage = DayStage::Read;
            own.due = own.rest_due(now);
        }
        let outcome = if is_last { "read" } else { "went_on" };
        Verdict::change(own, outcome, vec![], vec![format!("{} operations so far", self.facts.operations + rows.len())])
    }

    /// Its time is up: somebody else goes on at once.
    pub fn paused(&self, now: Timestamp) -> Verdict<Self> {
        if self.place().is_none() {
            return Verdict::Nothing("it is read");
        }
        Verdict::change(Self { due: Some(now), ..self.clone() }, "paused", vec![], vec![])
    }

    /// What the run came to, once all of it was read.
    pub fn result(&self) -> Option<DayRead> {
        (self.facts.stage == DayStage::Read).then(|| DayRead {
            rows_at: self.rows_at(),
            // a day without operations has a hash, too
            hash: format!("{}-{}", self.facts.operations, self.private.digest),
            rows: self.facts.operations,
            total: self.facts.total.clone(),
        })
    }

    /// A payment is looked up again later: it differed, or the server could not be asked.
    pub fn watches(&self, payment: &PaymentId, now: Timestamp) -> Verdict<Self> {
        if self.private.watched.contains(payment) {
            return Verdict::Nothing("it is watched already");
        }
        if self.private.watched.len() >= WATCHED_MAX {
            return Verdict::Nothing("too many are watched: the whole day tells");
        }
        let mut next = self.clone();
        next.private.watched.push(payment.clone());
        let soon = now.plus(LOOK_AGAIN);
        next.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        Verdict::change(next, "watches", vec![], vec![format!("{payment} is looked up again")])
    }

    /// The payments that are watched were looked up; these are in order.
    pub fn looked_again(&self, fine: &[PaymentId], now: Timestamp) -> Verdict<Self> {
        if self.private.watched.is_empty() {
            return Verdict::Nothing("none is watched");
        }
        let mut next = self.clone();
        let is_over = now >= self.facts.date.next().begins().plus(WATCHED_FOR);
        next.private.watched.retain(|payment| !is_over && !fine.contains(payment));
        next.due = next.rest_due(now);
        Verdict::change(next, "looked_again", vec![], vec![format!("{} of the payments are in order", fine.len())])
    }

    /// When it is gone on with, apart from a part that is being read.
    fn rest_due(&self, now: Timestamp) -> Option<Timestamp> {
        let again = (!self.private.watched.is_empty()).then(|| now.plus(LOOK_AGAIN));
        let own = match self.facts.stage {
            DayStage::Waiting => Some(self.read_from()),
            DayStage::Reading => self.due,
            DayStage::Read => None,
        };
        again.into_iter().chain(own).min()
    }
}

impl Entity for ServerDay {
    type Id = ServerDayId;
    type Table = InMoney;
    type Public = ServerDayFacts;
    type Private = ServerDayPrivate;
    const KIND: &'static str = "server_day";
    const TIMED: bool = true;
    const ROUTED_BY: Option<&'static str> = Some("platform");

    fn id(&self) -> &ServerDayId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &ServerDayFacts {
        &self.facts
    }

    fn private(&self) -> &ServerDayPrivate {
        &self.private
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public, private: parts.private })
    }
}
