//! The query as what can meet a word of the lists: each of its parts, and neighbouring parts written as one.

use crate::text::distance::Writing;
use crate::text::parts::{Part, PartClass, Reading};
use crate::text::sound::sounds;

/// Parts of a query that are looked at, one bit each; more are cut off, and the hit says so.
pub(crate) const QUERY_PARTS_MAX: usize = 32;
/// Three parts are joined up to this many letters.
const JOINED_THREE_MAX: usize = 14;

/// One or more parts of the query.
#[derive(Debug)]
pub(crate) struct Unit {
    /// Which parts, as bits.
    pub parts: u32,
    /// How many.
    pub span: usize,
    pub class: PartClass,
    pub readings: Vec<Reading>,
}

/// The units of the parts, single parts first, in order.
pub(crate) fn units(parts: &[Part]) -> Vec<Unit> {
    let single = parts.iter().enumerate().map(|(at, part)| Unit {
        parts: 1 << at,
        span: 1,
        class: part.class,
        readings: part.readings.clone(),
    });
    let two = parts.windows(2).enumerate().filter_map(|(at, parts)| joined(at, parts));
    let three = parts.windows(3).enumerate().filter_map(|(at, parts)| joined(at, parts));
    single.chain(two).chain(three).collect()
}

fn joined(first: usize, parts: &[Part]) -> Option<Unit> {
    let letters: String = parts.iter().map(Part::letters).collect();
    if parts.len() > 2 && letters.len() > JOINED_THREE_MAX || parts.iter().all(|part| part.class == PartClass::Initial)
    {
        return None;
    }
    let writing = parts
        .iter()
        .flat_map(|part| part.readings.first())
        .map(|reading| reading.writing)
        .find(|writing| *writing == Writing::WithoutVowels);
    let reading =
        Reading { sounds: sounds(&letters), letters, writing: writing.unwrap_or(Writing::Full), shortened: false };
    let mask = parts.iter().enumerate().fold(0, |mask, (at, _)| mask | 1 << (first + at));
    Some(Unit { parts: mask, span: parts.len(), class: PartClass::Core, readings: vec![reading] })
}
