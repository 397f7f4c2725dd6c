//! What a provider settled on a day, or a trading server booked: which file or reading is good, and what differs.

use serde::{Deserialize, Serialize};

use super::file::SettlementFile;
use super::source::Source;
use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InMoney, Parts, ReadError};
use crate::{BreakId, Day, Money, Seconds, SettlementFileId, SettlementId, Timestamp};

/// Breaks of one day at one source. A file with more is of another day or another provider: what is beyond is counted, not opened.
pub const BREAKS_MAX: usize = 500;
/// Breaks of a day that are kept in mind; beyond that the oldest that are over are forgotten, whatever file is sent how often.
const KEPT_MAX: usize = 2_000;
/// If the comparison that a file sets off never comes, it is made then.
const UNHEARD: Seconds = Seconds(900);
/// While something differs it is compared again, less and less often, and no more after so long.
const AGAIN: [(Seconds, Seconds); 3] = [
    (Seconds(2 * 86_400), Seconds(3_600)),
    (Seconds(14 * 86_400), Seconds(6 * 3_600)),
    (Seconds(90 * 86_400), Seconds(86_400)),
];

/// The public part of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementFacts {
    /// The provider, or the trading server.
    #[serde(flatten)]
    pub source: Source,
    /// The day.
    pub date: Day,
    /// The file that is good: the one taken last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement_file_id: Option<SettlementFileId>,
    /// Its SHA-256, hexadecimal; of what was read from a server a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// When it was taken or read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Timestamp>,
    /// Its rows that are payments.
    pub rows: usize,
    /// What they sum to.
    pub total: Vec<Money>,
    /// Breaks that somebody is to see to.
    pub pending: usize,
    /// Differences beyond [`BREAKS_MAX`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The part that stays with the item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementPrivate {
    /// The breaks that were found of the day; of those that are over, the newest.
    #[serde(default)]
    pub breaks: Vec<BreakId>,
    /// Where the rows are kept that were read from a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_at: Option<String>,
}

/// What was read of a server's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRead {
    /// Where its rows are kept.
    pub rows_at: String,
    /// The same for the same rows.
    pub hash: String,
    /// How many there are.
    pub rows: usize,
    /// What they sum to.
    pub total: Vec<Money>,
}

/// A provider's settlement of a day, or what a server booked on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Derived from source and day.
    pub id: SettlementId,
    /// When it is compared again.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: SettlementFacts,
    /// What stays.
    pub private: SettlementPrivate,
}

impl Settlement {
    /// Before the first file.
    pub fn begun(source: &Source, date: Day) -> Self {
        let facts = SettlementFacts {
            source: source.clone(),
            date,
            settlement_file_id: None,
            hash: None,
            taken_at: None,
            rows: 0,
            total: Vec::new(),
            pending: 0,
            left_out: 0,
        };
        Self { id: Self::id_of(source, date), due: None, facts, private: SettlementPrivate::default() }
    }

    /// The id of a source's settlement of a day.
    pub fn id_of(source: &Source, date: Day) -> SettlementId {
        let day = date.to_string();
        let from: Vec<&str> = ["settlement"].into_iter().chain(source.parts()).chain([day.as_str()]).collect();
        SettlementId::from_bits(derived_bits(date.begins(), &from))
    }

    /// A file is good from now on, in the place of the one before; the same again changes nothing.
    pub fn takes(&self, file: &SettlementFile, now: Timestamp) -> Verdict<Self> {
        if self.facts.hash.as_ref() == Some(&file.facts.hash) {
            return Verdict::Nothing("it is the same file");
        }
        let mut next = self.clone();
        let why = match &self.facts.settlement_file_id {
            None => format!("file {}", file.id),
            Some(before) => format!("file {} in the place of {before}", file.id),
        };
        next.facts.settlement_file_id = Some(file.id.clone());
        next.facts.hash = Some(file.facts.hash.clone());
        next.facts.taken_at = Some(now);
        next.facts.rows = file.facts.read;
        next.facts.total.clone_from(&file.facts.total);
        next.due = Some(now.plus(UNHEARD));
        Verdict::change(next, "taken", vec!["settlement.taken"], vec![why])
    }

    /// What was read from a server is good from now on; the same again changes nothing.
    pub fn is_read(&self, read: DayRead, now: Timestamp) -> Verdict<Self> {
        if self.facts.hash.as_ref() == Some(&read.hash) {
            return Verdict::Nothing("the server shows the same");
        }
        let mut next = self.clone();
        let why = vec![format!("{} operations on {}", read.rows, self.facts.source)];
        next.private.rows_at = Some(read.rows_at);
        next.facts.hash = Some(read.hash);
        next.facts.taken_at = Some(now);
        (next.facts.rows, next.facts.total) = (read.rows, read.total);
        next.due = Some(now.plus(UNHEARD));
        Verdict::change(next, "taken", vec!["settlement.taken"], why)
    }

    /// Breaks that are about to be opened are named first: whoever dies on the way leaves none that nobody would ever resolve.
    pub fn names(&self, breaks: &[BreakId]) -> Verdict<Self> {
        let fresh: Vec<BreakId> = breaks.iter().filter(|id| !self.private.breaks.contains(id)).cloned().collect();
        if fresh.is_empty() {
            return Verdict::Nothing("all of them are named");
        }
        let mut next = self.clone();
        let why = vec![format!("{} differences that were not there before", fresh.len())];
        next.private.breaks.extend(fresh);
        Verdict::change(next, "named", vec![], why)
    }

    /// It was compared: so many breaks are pending, and so many differences were left out.
    /// `found` are the breaks that stand.
    pub fn compared(&self, found: &[BreakId], pending: usize, left_out: usize, now: Timestamp) -> Verdict<Self> {
        let due = if pending == 0 { None } else { self.again(now) };
        let kept = self.kept(found);
        if (due, pending, left_out, kept.len())
            == (self.due, self.facts.pending, self.facts.left_out, self.private.breaks.len())
        {
            return Verdict::Nothing("nothing is new");
        }
        let mut next = self.clone();
        next.private.breaks = kept;
        (next.due, next.facts.pending, next.facts.left_out) = (due, pending, left_out);
        Verdict::change(next, "compared", vec![], vec![format!("{pending} pending, {left_out} left out")])
    }

    /// The breaks to keep in mind: those that stand, and as many of the others as there is room for, the newest.
    fn kept(&self, found: &[BreakId]) -> Vec<BreakId> {
        let mut room = KEPT_MAX.saturating_sub(found.len());
        let mut kept: Vec<BreakId> = Vec::new();
        for id in self.private.breaks.iter().rev() {
            if found.contains(id) {
                kept.push(id.clone());
            } else if room > 0 {
                room -= 1;
                kept.push(id.clone());
            }
        }
        kept.reverse();
        kept
    }

    /// Where the rows of the good file or reading are kept.
    pub fn place(&self) -> Option<String> {
        let own = &self.facts;
        match &own.source {
            Source::Psp(psp) => own.hash.as_deref().map(|hash| SettlementFile::place(psp, own.date, hash)),
            Source::Server(_) => self.private.rows_at.clone(),
        }
    }

    /// When it is compared again although no file comes: what was booked meanwhile resolves breaks, too.
    fn again(&self, now: Timestamp) -> Option<Timestamp> {
        let ended = self.facts.date.next().begins();
        AGAIN.iter().find(|(until, _)| now < ended.plus(*until)).map(|(_, pause)| now.plus(*pause))
    }
}

impl Entity for Settlement {
    type Id = SettlementId;
    type Table = InMoney;
    type Public = SettlementFacts;
    type Private = SettlementPrivate;
    const KIND: &'static str = "settlement";
    const TIMED: bool = true;

    fn id(&self) -> &SettlementId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &SettlementFacts {
        &self.facts
    }

    fn private(&self) -> &SettlementPrivate {
        &self.private
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public, private: parts.private })
    }
}
