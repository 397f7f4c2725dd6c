//! The reading of all fields together: each check digit and the composite one.

use serde::{Deserialize, Serialize};

use super::check::{Digit, LONG_AT, Reading, check_digit};
use super::glyphs::{Class, FILLER, UNREAD, alternatives, of_class};
use super::layout::Layout;
use super::names::clear_specks;
use super::parts::{Part, parts};
use super::russian;
use crate::line::Glyph;

/// Combinations of readings that are tried against the composite check digit.
const COMBINATIONS_MAX: usize = 4_000;

/// What the check digits say of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// They hold as the field was read.
    Read,
    /// They hold after a mend, and no other mend makes them hold.
    Mended,
    /// Several mends make them hold.
    Ambiguous,
    /// They do not hold.
    Fails,
}

impl Proof {
    /// Whether the check digits leave one reading only.
    pub fn proves(self) -> bool {
        matches!(self, Self::Read | Self::Mended)
    }
}

/// The zone's characters as they are most probably meant, and what is proved of them.
pub(super) struct Solved {
    pub(super) text: Vec<char>,
    /// The number without its check digit, and every way to read it for which all check digits hold.
    pub(super) number: String,
    pub(super) number_digit: char,
    pub(super) number_read: String,
    /// The places of the number and its check digit.
    pub(super) number_places: Vec<usize>,
    pub(super) numbers: Vec<String>,
    pub(super) proofs: Proofs,
    pub(super) composite: Option<bool>,
    pub(super) changes: usize,
}

/// What the check digits say of each field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Proofs {
    pub number: Proof,
    pub date_of_birth: Proof,
    /// None where the layout has no date of expiry.
    pub expires: Option<Proof>,
    /// None where the layout has no check digit for them.
    pub optional: Option<Proof>,
}

/// Reads the zone's glyphs.
pub(super) fn solve(layout: &Layout, glyphs: &[Glyph]) -> Solved {
    let inside = russian::is_inside(glyphs.iter().map(|glyph| glyph.read));
    let class = |at: usize| if inside && layout.names.contains(&at) { Class::Any } else { layout.class(at) };
    let mut base: Vec<char> =
        (0..).zip(glyphs).map(|(at, glyph)| of_class(glyph, class(at)).unwrap_or(UNREAD)).collect();
    if let Some(names) = base.get_mut(layout.names.clone()).filter(|_| layout.given.is_none()) {
        clear_specks(names);
    }
    let parts = parts(layout, glyphs, &base);
    let holding = holding(layout, glyphs, &base, &parts);
    let composite = layout.composite.as_ref().map(|_| !holding.is_empty());
    let fewest = holding.iter().map(|one| one.changes).min();
    let best = holding.iter().find(|one| Some(one.changes) == fewest);
    let text = best.map_or_else(|| first_readings(&base, &parts), |best| best.text.clone());
    let proof = |part: &Part| proof(part, &holding, &text, layout.composite.is_some());
    let number_in = |text: &[char]| parts.first().map(|part| number_in(part, text)).unwrap_or_default();
    let mut numbers: Vec<String> = holding.iter().map(|one| number_in(&one.text)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let digit_at = parts.first().and_then(|part| part.places.last()).copied();
    let proof_at = |at: usize| parts.get(at).map(proof);
    let proofs = Proofs {
        number: proof_at(0).unwrap_or(Proof::Fails),
        date_of_birth: proof_at(1).unwrap_or(Proof::Fails),
        expires: layout.expiry.as_ref().and_then(|_| proof_at(2)),
        optional: layout.optional.as_ref().and_then(|_| proof_at(3)),
    };
    Solved {
        number: number_in(&text),
        number_digit: digit_at.and_then(|at| text.get(at).copied()).unwrap_or(FILLER),
        number_read: number_in(&base),
        number_places: parts.first().map(|part| part.places.clone()).unwrap_or_default(),
        numbers,
        proofs,
        composite,
        changes: fewest.unwrap_or_default(),
        text,
    }
}

struct Holding {
    text: Vec<char>,
    changes: usize,
}

/// The number's characters without its check digit and the fillers behind and within it.
fn number_in(part: &Part, text: &[char]) -> String {
    let long = part.digit == Digit::OwnOfLong;
    let places = part.places.iter().enumerate().filter(|(at, _)| !(long && *at == LONG_AT)).map(|(_, place)| place);
    let mut number: String = places.filter_map(|place| text.get(*place)).collect();
    number.pop();
    number.trim_end_matches(FILLER).to_owned()
}

/// The combinations of readings for which the composite check digit holds as well.
fn holding(layout: &Layout, glyphs: &[Glyph], base: &[char], parts: &[Part]) -> Vec<Holding> {
    if parts.iter().any(|part| part.digit != Digit::None && !part.holds) {
        return vec![];
    }
    if let Some(as_read) = as_read(layout, base, parts) {
        return vec![as_read];
    }
    let mut all = vec![Holding { text: base.to_vec(), changes: 0 }];
    for part in parts {
        // what only the composite digit covers is mended for its sake alone, one character at most
        let readings = part.readings.iter().filter(|one| part.digit != Digit::None || one.changes <= 1);
        let readings: Vec<&Reading> = readings.collect();
        if readings.is_empty() || all.len().saturating_mul(readings.len()) > COMBINATIONS_MAX {
            continue;
        }
        let grown = all.iter().flat_map(|one| {
            let part = &part;
            readings.iter().map(move |reading| Holding {
                text: written(&one.text, part, reading),
                changes: one.changes.saturating_add(reading.changes),
            })
        });
        all = grown.collect();
    }
    match &layout.composite {
        Some((covered, digit)) => all.into_iter().filter_map(|one| composed(one, covered, *digit, glyphs)).collect(),
        None => all,
    }
}

/// The zone as it was read, if all check digits hold for it: then nothing else is looked for.
fn as_read(layout: &Layout, base: &[char], parts: &[Part]) -> Option<Holding> {
    let checked = parts.iter().filter(|part| part.digit != Digit::None);
    let unchanged = checked.into_iter().all(|part| part.readings.first().is_some_and(|first| first.changes == 0));
    let composed = layout.composite.as_ref().is_none_or(|(covered, digit)| {
        let right = check_digit(covered.iter().cloned().flatten().filter_map(|at| base.get(at).copied()));
        base.get(*digit) == Some(&right)
    });
    (unchanged && composed).then(|| Holding { text: base.to_vec(), changes: 0 })
}

/// The combination if the composite digit, or what else that digit may be, holds.
fn composed(mut one: Holding, covered: &[std::ops::Range<usize>], at: usize, glyphs: &[Glyph]) -> Option<Holding> {
    let right = check_digit(covered.iter().cloned().flatten().filter_map(|at| one.text.get(at).copied()));
    let read = one.text.get(at).copied()?;
    if read != right {
        let others = alternatives(glyphs.get(at)?, read, Class::Digits);
        others.contains(&right).then_some(())?;
        one.changes = one.changes.saturating_add(1);
        *one.text.get_mut(at)? = right;
    }
    Some(one)
}

fn written(text: &[char], part: &Part, reading: &Reading) -> Vec<char> {
    let mut text = text.to_vec();
    for (at, read) in part.places.iter().zip(&reading.text) {
        if let Some(there) = text.get_mut(*at) {
            *there = *read;
        }
    }
    text
}

fn first_readings(base: &[char], parts: &[Part]) -> Vec<char> {
    parts.iter().fold(base.to_vec(), |text, part| match part.readings.first() {
        Some(reading) if part.digit != Digit::None => written(&text, part, reading),
        _ => text,
    })
}

/// A mend proves itself only if it is the only one; what holds as it was read is taken for what was meant.
fn proof(part: &Part, holding: &[Holding], text: &[char], composed: bool) -> Proof {
    let of = |text: &[char]| part.places.iter().filter_map(|at| text.get(*at).copied()).collect::<Vec<char>>();
    let read = part.readings.iter().find(|reading| reading.text == of(text));
    let Some(read) = read.filter(|_| part.holds) else { return Proof::Fails };
    let others = || match composed {
        true => holding.iter().filter(|one| of(&one.text) != read.text).count(),
        false => part.readings.len().saturating_sub(1),
    };
    match read.changes {
        0 => Proof::Read,
        _ if composed && holding.is_empty() => Proof::Fails,
        _ if others() == 0 => Proof::Mended,
        _ => Proof::Ambiguous,
    }
}
