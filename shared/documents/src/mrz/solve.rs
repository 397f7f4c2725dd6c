//! The reading of all fields together: each check digit and the composite one.

use super::check::{Digit, Field, LONG_AT, Reading, check_digit};
use super::glyphs::{Class, FILLER, UNREAD, alternatives, of_class};
use super::layout::{Layout, Span};
use super::names::clear_specks;
use super::russian;
use crate::line::Glyph;

use serde::{Deserialize, Serialize};

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

/// A field's places, and its readings.
struct Part {
    places: Vec<usize>,
    digit: Digit,
    readings: Vec<Reading>,
    holds: bool,
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
    let of = |part: &Part, text: &[char]| part.places.iter().filter_map(|at| text.get(*at)).collect::<String>();
    let proof = |part: &Part| proof(part, &holding, &text, layout.composite.is_some());
    let number_of = |part: &Part, text: &[char]| {
        let mut number = of(part, text);
        number.pop();
        if part.digit == Digit::OwnOfLong {
            number.remove(LONG_AT);
        }
        number.trim_end_matches(FILLER).to_owned()
    };
    let number_in = |text: &[char]| parts.first().map(|part| number_of(part, text)).unwrap_or_default();
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

/// Number, date of birth, date of expiry, optional data, in this order.
fn parts(layout: &Layout, glyphs: &[Glyph], base: &[char]) -> Vec<Part> {
    let spans = [Some(&layout.birth), layout.expiry.as_ref()];
    let own = spans.into_iter().flatten().map(|span| (places(span), Digit::Own));
    let optional = layout.optional.iter().map(|span| (places(span), Digit::OwnOrFiller));
    let number = number_places(layout, base);
    let long = number.len() > places(&layout.number).len();
    let others = layout.others.iter().map(|range| {
        let free = range.clone().filter(|at| !number.contains(at)).collect();
        (free, Digit::None)
    });
    let all: Vec<(Vec<usize>, Digit)> = [(number.clone(), if long { Digit::OwnOfLong } else { Digit::Own })]
        .into_iter()
        .chain(own)
        .chain(optional)
        .chain(others)
        .collect();
    all.into_iter().map(|(places, digit)| part(layout, glyphs, places, digit)).collect()
}

fn part(layout: &Layout, glyphs: &[Glyph], places: Vec<usize>, digit: Digit) -> Part {
    let digit_at = places.last().copied().filter(|_| digit != Digit::None);
    let class = |at: usize| if Some(at) == digit_at { Class::Digits } else { layout.class(at) };
    let field = Field { glyphs: places.iter().filter_map(|at| Some((glyphs.get(*at)?, class(*at)))).collect(), digit };
    let mut readings = field.readings();
    // no mend makes a date of what is none
    let dated =
        [Some(&layout.birth), layout.expiry.as_ref()].into_iter().flatten().any(|date| digit_at == Some(date.digit));
    readings.retain(|reading| !dated || reading.changes == 0 || may_be_date(&reading.text));
    let holds = !readings.is_empty();
    Part { places, digit, readings, holds }
}

/// Whether month and day are not beyond their range; either may be unknown.
fn may_be_date(text: &[char]) -> bool {
    let part = |range: std::ops::Range<usize>| {
        let digits: String =
            text.get(range).unwrap_or_default().iter().map(|c| if *c == FILLER { '0' } else { *c }).collect();
        digits.parse::<u8>().unwrap_or(u8::MAX)
    };
    part(2..4) <= 12 && part(4..6) <= 31
}

fn places(span: &Span) -> Vec<usize> {
    span.field.clone().chain([span.digit]).collect()
}

/// The places of the number and its check digit. A number of more than nine characters has a filler for its check digit and goes
/// on in the optional data, to the last character before a filler, which is its check digit (9303 part 5, 4.2.2.1, note j).
fn number_places(layout: &Layout, base: &[char]) -> Vec<usize> {
    let filler = |at: usize| base.get(at).is_none_or(|read| *read == FILLER);
    let full = layout.number.field.clone().all(|at| !filler(at));
    let more = layout.overflow.clone().filter(|_| full && filler(layout.number.digit));
    let more: Vec<usize> = more.into_iter().flatten().take_while(|at| !filler(*at)).collect();
    // one character alone would be a check digit of nothing more than the nine
    if more.len() < 2 { places(&layout.number) } else { places(&layout.number).into_iter().chain(more).collect() }
}

struct Holding {
    text: Vec<char>,
    changes: usize,
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
