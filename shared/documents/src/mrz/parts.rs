//! The fields of a zone that check digits cover, each with its readings.

use super::check::{Digit, Field, Reading};
use super::glyphs::{Class, FILLER};
use super::layout::{Layout, Span};
use crate::line::Glyph;

/// A field's places, and its readings.
pub(super) struct Part {
    pub(super) places: Vec<usize>,
    pub(super) digit: Digit,
    pub(super) readings: Vec<Reading>,
    pub(super) holds: bool,
}

/// Number, date of birth, date of expiry, optional data, in this order.
pub(super) fn parts(layout: &Layout, glyphs: &[Glyph], base: &[char]) -> Vec<Part> {
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
