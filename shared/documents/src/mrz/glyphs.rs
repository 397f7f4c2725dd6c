//! The characters of a zone: its alphabet, what may stand where, and what looks alike.

use crate::line::{Glyph, Line};

/// The filler.
pub(crate) const FILLER: char = '<';
/// What stands at a place at which nothing of the alphabet was read.
pub(super) const UNREAD: char = '?';
/// A runner-up below this likelihood, in thousandths, is no alternative.
const RUNNER_UP_MIN: u16 = 100;

/// The classes of characters that a place of a zone may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Letters and fillers.
    Letters,
    /// Digits and fillers.
    Digits,
    /// All of them.
    Any,
}

impl Class {
    pub(super) fn allows(self, read: char) -> bool {
        match self {
            Self::Letters => read.is_ascii_uppercase() || read == FILLER,
            Self::Digits => read.is_ascii_digit() || read == FILLER,
            Self::Any => read.is_ascii_uppercase() || read.is_ascii_digit() || read == FILLER,
        }
    }
}

/// Characters that look alike in OCR-B; each is the other's twin.
const TWINS: [(char, char); 6] = [('0', 'O'), ('1', 'I'), ('2', 'Z'), ('5', 'S'), ('8', 'B'), ('6', 'G')];
/// Letters that are only ever taken for a digit.
const LIKE_DIGITS: [(char, char); 3] = [('Q', '0'), ('D', '0'), ('L', '1')];

/// What looks like the character, a letter for a digit and the other way round.
pub(crate) fn twin(read: char) -> Option<char> {
    TWINS.iter().find_map(|(one, other)| match read {
        read if read == *one => Some(*other),
        read if read == *other => Some(*one),
        _ => None,
    })
}

/// The characters with each letter that has a twin as that digit: two texts that are alike so were perhaps the same.
pub(crate) fn without_twins(text: &str) -> String {
    text.chars().map(|read| twin(read).filter(char::is_ascii_digit).unwrap_or(read)).collect()
}

/// What a glyph is if the place holds only the class: itself, what of the class looks like it, or its runner-up.
pub(super) fn of_class(glyph: &Glyph, class: Class) -> Option<char> {
    let read = glyph.read;
    if class.allows(read) {
        return Some(read);
    }
    let like_digit = LIKE_DIGITS.iter().find(|(letter, _)| *letter == read).map(|(_, digit)| *digit);
    let alike = twin(read).or(like_digit).filter(|other| class.allows(*other));
    alike.or_else(|| runner_up(glyph).filter(|other| class.allows(*other)))
}

fn runner_up(glyph: &Glyph) -> Option<char> {
    glyph.runner_up.filter(|(_, share)| *share >= RUNNER_UP_MIN).map(|(read, _)| read)
}

/// What else than `base` may stand at a place of the class: the twin of what was read, and a runner-up that is likely enough.
pub(super) fn alternatives(glyph: &Glyph, base: char, class: Class) -> Vec<char> {
    let mut others: Vec<char> = twin(glyph.read).into_iter().chain(runner_up(glyph)).chain(Some(glyph.read)).collect();
    others.retain(|other| class.allows(*other) && *other != base);
    others.sort_unstable();
    others.dedup();
    others
}

/// The line over the alphabet of a zone, as the reader decoded it for that; else what it read at all.
pub(super) fn decoded(line: &Line) -> Vec<Glyph> {
    cleaned(line.zone_glyphs.as_ref().unwrap_or(&line.glyphs))
}

/// No blanks, capitals, fillers for what readers take them for. What is no character of a zone stays a place at which nothing was
/// read. One double angle is two fillers.
pub(super) fn cleaned(glyphs: &[Glyph]) -> Vec<Glyph> {
    let seen = glyphs.iter().filter(|glyph| !glyph.read.is_whitespace());
    let widths = seen.map(|glyph| (glyph, if matches!(glyph.read, '«' | '≪' | '《') { 2 } else { 1 }));
    let cleaned = widths.map(|(glyph, width)| {
        let read = in_alphabet(glyph.read).unwrap_or(UNREAD);
        let runner_up = glyph.runner_up.and_then(|(read, share)| Some((in_alphabet(read)?, share)));
        (Glyph { read, sure: glyph.sure, runner_up }, width)
    });
    cleaned.flat_map(|(glyph, width)| std::iter::repeat_n(glyph, width)).collect()
}

fn in_alphabet(read: char) -> Option<char> {
    match read.to_ascii_uppercase() {
        '«' | '‹' | '〈' | '＜' | '≪' | '《' | '≤' => Some(FILLER),
        read if Class::Any.allows(read) => Some(read),
        _ => None,
    }
}
