//! The name field: the primary identifier, two fillers, the secondary one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::glyphs::{FILLER, UNREAD};

/// The names of a zone, in its alphabet. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Names {
    /// The words of the primary identifier: the surname, or all of it where a person has one name.
    pub primary: Vec<String>,
    /// The words of the secondary identifier: given names.
    pub secondary: Vec<String>,
    /// The field was too short for all of them, or just long enough.
    pub truncated: bool,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The names of one field that holds both identifiers.
pub(super) fn both(letters: &[char]) -> Names {
    let text: String = letters.iter().collect();
    let (primary, secondary) = text.split_once("<<").unwrap_or((&text, ""));
    let truncated = letters.last().is_some_and(|last| *last != FILLER);
    Names { primary: words(primary), secondary: words(secondary), truncated }
}

/// Whether more than one pair of fillers parts the names: which of them parts surname and given names is not certain.
pub(super) fn parted_twice(letters: &[char]) -> bool {
    let text: String = letters.iter().collect();
    text.trim_matches(FILLER).matches("<<").count() > 1
}

/// The names of two fields, one for each identifier.
pub(super) fn apart(surname: &[char], given: &[char]) -> Names {
    let full = |field: &[char]| field.last().is_some_and(|last| *last != FILLER);
    let words = |field: &[char]| words(&field.iter().collect::<String>());
    Names { primary: words(surname), secondary: words(given), truncated: full(surname) || full(given) }
}

fn words(part: &str) -> Vec<String> {
    part.split(FILLER).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What readers take a filler for in a run of them.
fn like_filler(read: char) -> bool {
    matches!(read, FILLER | UNREAD | 'K' | 'C' | 'L' | 'S' | 'E' | 'X' | 'G' | 'I')
}

/// Takes what stands among the fillers that end a names' field for fillers: single characters, or what looks like fillers. Three
/// fillers are no pair between names, so what follows them is no name, unless it is one to look at.
pub(super) fn clear_specks(letters: &mut [char]) {
    let run = letters.windows(3).position(|three| three.iter().all(|read| *read == FILLER));
    let Some(tail) = run.and_then(|run| letters.get_mut(run..)) else { return };
    let noise: Vec<usize> = (0..).zip(tail.iter()).filter(|(_, read)| **read != FILLER).map(|(at, _)| at).collect();
    let single = noise.windows(2).all(|pair| matches!(pair, [one, next] if next.abs_diff(*one) > 1));
    let alike = noise.iter().filter_map(|at| tail.get(*at)).all(|read| like_filler(*read));
    if (single || alike) && noise.len().saturating_mul(2) < tail.len() {
        tail.fill(FILLER);
    }
}
