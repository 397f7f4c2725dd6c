//! Driving licences as the directive of the European Union (2006/126/EC, annex I) and the Vienna convention number their fields:
//! 1 surname, 2 other names, 3 date and place of birth, 4a issued, 4b expires, 5 number.

use super::captions::Caption;
use super::text::{TextLine, Word};
use super::values::Values;

/// Fields that must be numbered for a document to be read so: single figures stand on every document.
const FIELDS_MIN: usize = 3;

/// Adds the values of numbered fields, if there are enough of them.
pub(super) fn read(lines: &[TextLine], values: &mut Values) {
    let fields: Vec<(Caption, Vec<Word>)> = lines.iter().flat_map(fields).collect();
    let mut kinds: Vec<Caption> =
        fields.iter().map(|(caption, _)| *caption).filter(|one| *one != Caption::Other).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() >= FIELDS_MIN {
        fields.into_iter().for_each(|(caption, words)| values.add(caption, words));
    }
}

/// The numbered fields of a line: 4a and 4b often share one.
fn fields(line: &TextLine) -> Vec<(Caption, Vec<Word>)> {
    let mut fields: Vec<(Caption, Vec<Word>)> = vec![];
    for (at, word) in line.words.iter().enumerate() {
        // other figures within a line belong to its value
        let numbered = caption(word.plain()).filter(|_| at == 0 || matches!(word.plain(), "4A" | "4B" | "4C" | "4D"));
        match (numbered, fields.last_mut()) {
            (Some(caption), _) => fields.push((caption, vec![])),
            (None, Some((_, words))) => words.push(word.clone()),
            (None, None) => return vec![],
        }
    }
    fields.retain(|(_, words)| !words.is_empty());
    fields
}

fn caption(number: &str) -> Option<Caption> {
    Some(match number {
        "1" => Caption::Surname,
        "2" => Caption::GivenNames,
        "3" => Caption::DateOfBirth,
        "4A" => Caption::Issued,
        "4B" => Caption::Expires,
        "4C" | "4D" | "6" | "7" | "8" | "9" => Caption::Other,
        "5" => Caption::Number,
        _ => return None,
    })
}
