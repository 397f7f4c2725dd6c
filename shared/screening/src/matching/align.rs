//! Which part of the query met which part of a listed name, and which parts met nothing.

use super::units::Unit;
use super::words::{BITS_PER_EDIT, How, JoinMatch, WordMatch};
use crate::index::layout::{NamePartRecord, NameRecord};
use crate::index::{Partition, Token};
use crate::num;
use crate::text::distance::{Writing, distance};
use crate::text::parts::PartClass;

/// What an initial says that fits, in bits.
const INITIAL_BITS: f32 = 2.0;
/// What a word says whose beginning was written only, as a part of the whole word's bits.
const ABBREVIATION_PART: f32 = 0.5;
/// The fewest letters of an abbreviation.
const ABBREVIATION_MIN: usize = 3;
/// Two first sounds nearer than this are the same initial.
const SAME_INITIAL: f32 = 0.35;
/// Parts of a listed name that are looked at: one bit each.
const LIST_PARTS_MAX: usize = 32;

/// A meeting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub unit: usize,
    /// Parts of the query, as bits.
    pub query: u32,
    /// Parts of the listed name, as bits.
    pub listed: u32,
    pub gain: f32,
    pub edits: f32,
    pub how: How,
}

/// How a query and a listed name lie on each other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alignment {
    pub pairs: Vec<Pair>,
    /// Parts of the query that met nothing, as bits.
    pub query_left: u32,
    /// Parts of the listed name that met nothing, as bits.
    pub listed_left: u32,
}

/// A meeting of a unit with a word, chained for each word.
#[derive(Debug, Clone, Copy)]
struct Entry {
    token: u32,
    unit: usize,
    gain: f32,
    edits: f32,
    how: How,
    /// The next entry of the same word, plus one; 0 ends the chain.
    next: u32,
}

/// Aligns; keeps for one query which units may be which words.
#[derive(Debug, Default)]
pub(crate) struct Aligner {
    /// For each word of the partition the first entry plus one.
    heads: Vec<u32>,
    entries: Vec<Entry>,
    joins: Vec<JoinMatch>,
    pairs: Vec<Pair>,
}

impl Aligner {
    /// Starts a new query.
    pub(crate) fn start(&mut self, partition: &Partition<'_>) {
        for entry in &self.entries {
            if let Some(head) = self.heads.get_mut(num::at(entry.token)) {
                *head = 0;
            }
        }
        self.entries.clear();
        self.joins.clear();
        self.heads.resize(partition.tokens.len(), 0);
    }

    /// Notes what a unit may be.
    pub(crate) fn add(&mut self, unit: usize, words: &[WordMatch], joins: &[JoinMatch]) {
        for word in words {
            let Some(head) = self.heads.get_mut(num::at(word.token)) else { continue };
            self.entries.push(Entry {
                token: word.token,
                unit,
                gain: word.gain,
                edits: word.edits,
                how: word.how,
                next: *head,
            });
            *head = num::position(self.entries.len());
        }
        self.joins.extend_from_slice(joins);
    }

    /// Lays the query on a listed name: the most telling meetings first, each part once.
    pub(crate) fn align(
        &mut self,
        partition: &Partition<'_>,
        number: u32,
        name: &NameRecord,
        units: &[Unit],
        query_parts: usize,
    ) -> Alignment {
        let parts = partition.parts_of(name);
        let parts = parts.get(..LIST_PARTS_MAX).unwrap_or(parts);
        self.collect(parts, number, units);
        let laid = |taken: &dyn Fn(&Pair) -> bool| {
            let mut alignment =
                Alignment { pairs: Vec::new(), query_left: low_bits(query_parts), listed_left: low_bits(parts.len()) };
            for pair in self.pairs.iter().filter(|pair| taken(pair)) {
                if alignment.query_left & pair.query == pair.query && alignment.listed_left & pair.listed == pair.listed
                {
                    alignment.take(*pair);
                }
            }
            shortened_parts(partition, parts, units, &mut alignment);
            alignment
        };
        let all = laid(&|_| true);
        if all.pairs.iter().all(Pair::is_single) {
            return all;
        }
        // words written as one, or an acronym, may take the place of meetings that say more together
        let worth = laid(&|pair| pair.is_single() || self.says_more_than_its_parts(pair));
        let single = laid(&Pair::is_single);
        [worth, single].into_iter().fold(all, |best, other| if other.gain() >= best.gain() { other } else { best })
    }

    /// Whether several parts together say more than the best meetings of each of them.
    fn says_more_than_its_parts(&self, joined: &Pair) -> bool {
        let best = |bit: u32, side: &dyn Fn(&Pair) -> u32| {
            let meetings = self.pairs.iter().filter(|pair| pair.is_single() && side(pair) == bit);
            meetings.map(|pair| pair.gain).fold(0.0, f32::max)
        };
        let ours: f32 = places(joined.query).map(|at| best(1 << at, &|pair| pair.query)).sum();
        let theirs: f32 = places(joined.listed).map(|at| best(1 << at, &|pair| pair.listed)).sum();
        joined.gain > ours.max(theirs)
    }

    fn collect(&mut self, parts: &[NamePartRecord], number: u32, units: &[Unit]) {
        self.pairs.clear();
        for (at, part) in parts.iter().enumerate() {
            let mut next = self.heads.get(num::at(part.token.get())).copied().unwrap_or_default();
            while let Some(entry) = num::at(next).checked_sub(1).and_then(|at| self.entries.get(at)) {
                if let Some(unit) = units.get(entry.unit) {
                    self.pairs.push(Pair {
                        unit: entry.unit,
                        query: unit.parts,
                        listed: 1 << at,
                        gain: entry.gain,
                        edits: entry.edits,
                        how: entry.how,
                    });
                }
                next = entry.next;
            }
        }
        for join in self.joins.iter().filter(|join| join.name == number) {
            if let Some(unit) = units.get(join.unit) {
                let listed = low_bits(join.count).checked_shl(num::position(join.first)).unwrap_or_default();
                self.pairs.push(Pair {
                    unit: join.unit,
                    query: unit.parts,
                    listed,
                    gain: join.gain,
                    edits: join.edits,
                    how: join.how,
                });
            }
        }
        self.pairs.sort_unstable_by(|a, b| {
            b.gain.total_cmp(&a.gain).then(a.query.cmp(&b.query)).then(a.listed.cmp(&b.listed))
        });
    }
}

impl Pair {
    /// One part met one.
    fn is_single(&self) -> bool {
        self.query.count_ones() == 1 && self.listed.count_ones() == 1
    }
}

impl Alignment {
    fn gain(&self) -> f32 {
        self.pairs.iter().map(|pair| pair.gain).sum()
    }

    fn take(&mut self, pair: Pair) {
        self.query_left &= !pair.query;
        self.listed_left &= !pair.listed;
        self.pairs.push(pair);
    }
}

fn low_bits(count: usize) -> u32 {
    1_u32.checked_shl(num::position(count)).map_or(u32::MAX, |bit| bit - 1)
}

/// The places of the set bits.
pub(crate) fn places(bits: u32) -> impl Iterator<Item = usize> {
    (0..LIST_PARTS_MAX).filter(move |at| bits & 1 << at != 0)
}

/// Initials and cut words among what is left, in order.
fn shortened_parts(partition: &Partition<'_>, parts: &[NamePartRecord], units: &[Unit], alignment: &mut Alignment) {
    for query in places(alignment.query_left) {
        let Some(unit) = units.get(query) else { continue };
        let found = places(alignment.listed_left).find_map(|listed| {
            let token = partition.token(parts.get(listed)?.token.get())?;
            let (gain, edits, how) = shortened(unit, &token)?;
            Some(Pair { unit: query, query: 1 << query, listed: 1 << listed, gain, edits, how })
        });
        if let Some(pair) = found {
            alignment.take(pair);
        }
    }
}

fn shortened(unit: &Unit, word: &Token<'_>) -> Option<(f32, f32, How)> {
    let reading = unit.readings.first()?;
    let names = |class| matches!(class, PartClass::Core | PartClass::Patronymic | PartClass::Initial);
    if !names(unit.class) || !names(word.class) {
        return None;
    }
    if is_initial(reading.letters.as_bytes()) || is_initial(word.letters) {
        let (ours, theirs) = (reading.sounds.get(..1)?, word.sounds.get(..1)?);
        let edits = distance(ours, theirs, Writing::Full, SAME_INITIAL)?;
        return Some((INITIAL_BITS, edits, How::Initial));
    }
    let (short, long) = if reading.letters.len() < word.letters.len() {
        (reading.letters.as_bytes(), word.letters)
    } else {
        (word.letters, reading.letters.as_bytes())
    };
    let cut = short.len() >= ABBREVIATION_MIN && long.len() > short.len() && long.starts_with(short);
    cut.then_some((word.bits * ABBREVIATION_PART, 1.0 / BITS_PER_EDIT, How::Abbreviation))
}

/// One letter, or two that are one sound.
fn is_initial(letters: &[u8]) -> bool {
    letters.len() == 1
        || matches!(
            letters,
            b"sh" | b"ch" | b"kh" | b"zh" | b"th" | b"ts" | b"yu" | b"ya" | b"ye" | b"gh" | b"dj" | b"ph"
        )
}
