//! Which names of the lists are worth a close look: those that share the most telling words with the query.

use super::words::{JoinMatch, WordMatch};
use crate::index::Partition;
use crate::num;

/// Names that are looked at closely.
const CANDIDATES_MAX: usize = 32;
/// Names this far behind the most promising one are not looked at, in bits.
const BEHIND_MAX: f32 = 10.0;
/// Of the words that a listed name has beyond the query this part of their weight counts against it.
const UNSHARED_WEIGHT: f32 = 0.25;
/// A name that has no more than this beyond the query is in it as a whole, in bits.
const UNSHARED_MAX: f32 = 1.0;
/// Words that say less choose no candidates: articles, legal forms. In bits.
const TELLING_BITS: f32 = 1.0;
/// The most that a bonus adds, in bits.
pub(crate) const BONUS_MAX: f32 = 8.0;

/// What a name has gathered so far.
#[derive(Debug, Clone, Copy, Default)]
struct Gathered {
    bits: f32,
    /// By which unit, of which query, it was raised last.
    stamp: u32,
    /// In which query it was first raised.
    query: u32,
}

/// A name and how promising it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promising {
    pub name: u32,
    pub promise: f32,
    /// All that the name says has been found in the query, which has no more parts.
    pub whole: bool,
}

/// Gathers what names share with a query; keeps its working memory.
#[derive(Debug, Default)]
pub(crate) struct Gatherer {
    names: Vec<Gathered>,
    touched: Vec<u32>,
    stamp: u32,
    query: u32,
    /// Names outside are passed over, if there is a restriction.
    only: Option<Vec<bool>>,
}

impl Gatherer {
    /// Passes over all names but these, given in the order of the partition.
    pub(crate) fn restrict(&mut self, only: Vec<bool>) {
        self.only = Some(only);
    }

    /// Whether the restriction, if there is one, leaves the name in.
    pub(crate) fn looks_at(&self, name: u32) -> bool {
        self.only.as_ref().is_none_or(|only| only.get(num::at(name)).copied().unwrap_or_default())
    }

    /// Starts a new query.
    pub(crate) fn start(&mut self, partition: &Partition<'_>) {
        if self.names.len() != partition.names.len() || self.stamp.max(self.query) > u32::MAX / 2 {
            self.names.clear();
            self.names.resize(partition.names.len(), Gathered::default());
            self.stamp = 0;
            self.query = 0;
        }
        self.query += 1;
        self.touched.clear();
    }

    /// Adds what one unit of the query found, best word first: a name counts the unit once.
    pub(crate) fn add(&mut self, partition: &Partition<'_>, words: &[WordMatch], joins: &[JoinMatch]) {
        self.stamp += 1;
        for word in words.iter().take_while(|word| word.gain >= TELLING_BITS) {
            for name in partition.names_with(word.token) {
                self.raise(name.get(), word.gain);
            }
        }
        for join in joins {
            self.raise(join.name, join.gain);
        }
    }

    fn raise(&mut self, name: u32, gain: f32) {
        if !self.looks_at(name) {
            return;
        }
        let Some(gathered) = self.names.get_mut(num::at(name)) else { return };
        if gathered.query != self.query {
            *gathered = Gathered { bits: 0.0, stamp: 0, query: self.query };
            self.touched.push(name);
        }
        if gathered.stamp != self.stamp {
            gathered.stamp = self.stamp;
            gathered.bits += gain;
        }
    }

    /// The most promising names, best first. `bonus` is what else speaks for the entry of a name, in bits.
    pub(crate) fn best(
        &self,
        partition: &Partition<'_>,
        query_parts: usize,
        bonus: impl Fn(u32) -> f32,
        best: &mut Vec<Promising>,
    ) {
        best.clear();
        let mut least = f32::MIN;
        for number in &self.touched {
            let (Some(gathered), Some(name)) =
                (self.names.get(num::at(*number)), partition.names.get(num::at(*number)))
            else {
                continue;
            };
            let unshared = (f32::from(name.bits.get()) / 8.0 - gathered.bits).max(0.0);
            let by_name = gathered.bits - unshared * UNSHARED_WEIGHT;
            // the bonus is not looked up for names that it could not lift
            if by_name + BONUS_MAX < least {
                continue;
            }
            let promise = by_name + bonus(name.entity.get());
            if promise < least {
                continue;
            }
            let whole =
                unshared <= UNSHARED_MAX && name.parts_count > 1 && usize::from(name.parts_count) >= query_parts;
            best.push(Promising { name: *number, promise, whole });
            if best.len() >= CANDIDATES_MAX * 4 {
                shorten(best, CANDIDATES_MAX);
                least = best.last().map_or(f32::MIN, |last| last.promise);
            }
        }
        shorten(best, CANDIDATES_MAX);
        let worth = best.first().map_or(0.0, |first| first.promise) - BEHIND_MAX;
        // a name of common words that is there as a whole is not given up for a rare word somewhere else
        best.retain(|name| name.whole || name.promise >= worth);
    }
}

fn shorten(best: &mut Vec<Promising>, length: usize) {
    best.sort_unstable_by(|a, b| b.promise.total_cmp(&a.promise).then(a.name.cmp(&b.name)));
    best.truncate(length);
}
