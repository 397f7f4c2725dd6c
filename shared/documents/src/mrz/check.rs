//! Check digits, and the ways to read a field so that its check digit holds.

use super::glyphs::{Class, FILLER, alternatives, of_class};
use crate::line::Glyph;

/// More changes than these in one field prove nothing.
pub(super) const CHANGES_MAX: usize = 2;
/// Readings of one field that are looked at.
const READINGS_MAX: usize = 16;

/// The value of a character (9303 part 3, 4.9).
fn value(read: char) -> u32 {
    read.to_digit(36).unwrap_or(0)
}

/// The check digit of a text: weights 7, 3, 1, the sum modulo ten.
pub(crate) fn check_digit(text: impl IntoIterator<Item = char>) -> char {
    let sum: u32 = text.into_iter().zip([7, 3, 1].into_iter().cycle()).map(|(read, weight)| value(read) * weight).sum();
    char::from_digit(sum % 10, 10).unwrap_or('0')
}

/// One way to read a field.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// The field and, where it has one of its own, its check digit.
    pub(super) text: Vec<char>,
    /// Characters that are neither as they were read nor decided by the class of their place alone.
    pub(super) changes: usize,
}

/// A field as it was read: its glyphs with the classes of their places, its check digit last if it has one of its own.
pub(super) struct Field<'a> {
    pub(super) glyphs: Vec<(&'a Glyph, Class)>,
    pub(super) digit: Digit,
}

/// What checks a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Digit {
    /// The last character.
    Own,
    /// The last character, for which a filler stands where the field is empty (9303 part 4, 4.2.2.2).
    OwnOrFiller,
    /// The last character; the field is a number that goes on behind the filler at [`LONG_AT`].
    OwnOfLong,
    /// Only the composite check digit.
    None,
}

/// The filler in a number of more than nine characters.
pub(super) const LONG_AT: usize = 9;

/// Whether the digit is that of a number which goes on. Some states count the filler in between as a character (Belgium, Portugal),
/// others do not.
pub(super) fn long_holds(number: &[char], digit: char) -> bool {
    let (head, rest) = number.split_at_checked(LONG_AT).unwrap_or((number, &[]));
    let (head, rest) = (head.iter().copied(), rest.iter().copied());
    digit == check_digit(head.clone().chain(rest.clone())) || digit == check_digit(head.chain([FILLER]).chain(rest))
}

/// Whether a check digit is the number's, be it long or not.
pub(crate) fn number_holds(number: &str, digit: char) -> bool {
    let number: Vec<char> = number.chars().collect();
    if number.len() > LONG_AT { long_holds(&number, digit) } else { digit == check_digit(number) }
}

impl Field<'_> {
    /// As it was read, where the class of a place decides; `None` where nothing of the class looks like what was read.
    pub(super) fn base(&self) -> Option<Vec<char>> {
        self.glyphs.iter().map(|(glyph, class)| of_class(glyph, *class)).collect()
    }

    /// The readings that hold, those with the fewest changes first.
    pub(super) fn readings(&self) -> Vec<Reading> {
        let Some(base) = self.base() else { return vec![] };
        let mut readings = vec![];
        for changes in 0..=CHANGES_MAX {
            let texts = self.changed(&base, changes);
            readings.extend(texts.into_iter().filter(|text| self.holds(text)).map(|text| Reading { text, changes }));
        }
        readings.truncate(READINGS_MAX);
        readings
    }

    fn holds(&self, text: &[char]) -> bool {
        let Some((digit, field)) = text.split_last() else { return true };
        let empty = || field.iter().all(|read| *read == FILLER);
        match self.digit {
            Digit::None => true,
            Digit::Own => *digit == check_digit(field.iter().copied()),
            Digit::OwnOfLong => {
                let number: Vec<char> =
                    field.iter().enumerate().filter(|(at, _)| *at != LONG_AT).map(|(_, read)| *read).collect();
                field.get(LONG_AT) == Some(&FILLER) && long_holds(&number, *digit)
            }
            Digit::OwnOrFiller => *digit == check_digit(field.iter().copied()) || (*digit == FILLER && empty()),
        }
    }

    /// The base with exactly so many of its characters replaced by what else they may be.
    fn changed(&self, base: &[char], changes: usize) -> Vec<Vec<char>> {
        let mut all = vec![(base.to_vec(), 0)];
        for _ in 0..changes {
            let grown = all.iter().flat_map(|(text, from)| {
                let places = self.glyphs.iter().enumerate().skip(*from);
                places.flat_map(move |(place, (glyph, class))| {
                    let read = text.get(place).copied().unwrap_or(FILLER);
                    let others = alternatives(glyph, read, *class).into_iter();
                    others.map(move |other| (with(text, place, other), place.saturating_add(1)))
                })
            });
            all = grown.collect();
        }
        all.into_iter().map(|(text, _)| text).collect()
    }
}

fn with(text: &[char], place: usize, other: char) -> Vec<char> {
    let mut text = text.to_vec();
    if let Some(there) = text.get_mut(place) {
        *there = other;
    }
    text
}
