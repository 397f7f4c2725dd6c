//! Whether something stands in the part of a document that people read.

use super::text::{TextLine, Word};

/// Words of one number that may be apart.
const PIECES_MAX: usize = 6;

/// Where words were found.
pub(crate) struct Standing {
    /// The words as they are parted there, in the letters that were looked for.
    pub(crate) words: Vec<String>,
    /// How sure the least sure of them is, in thousandths.
    pub(crate) sure: u16,
    /// Where they stand: the line, and its words.
    pub(crate) line: usize,
    pub(crate) range: std::ops::Range<usize>,
}

/// Everywhere that the words stand one after the other, parted as they may be. If `cut`, the last one may go on.
pub(crate) fn places(words: &[String], lines: &[TextLine], cut: bool) -> Vec<Standing> {
    let wanted = words.concat();
    if wanted.is_empty() {
        return vec![];
    }
    let all = lines.iter().enumerate().flat_map(|(at, line)| (0..line.words.len()).map(move |from| (at, line, from)));
    let found = all.filter_map(|(at, line, from)| {
        let rest = line.words.get(from..)?;
        let words = begins(rest, &wanted, cut)?;
        let taken = rest.get(..words.len())?;
        let free = taken.iter().all(|word| !word.of_caption);
        let sure = taken.iter().map(|word| word.sure).min()?;
        free.then(|| Standing { range: from..from.saturating_add(words.len()), words, sure, line: at })
    });
    found.collect()
}

/// The wanted letters as the first words part them.
fn begins(words: &[Word], wanted: &str, cut: bool) -> Option<Vec<String>> {
    let (word, rest) = words.split_first()?;
    for form in word.forms.iter().filter(|form| !form.is_empty()) {
        let (part, left) = match wanted.strip_prefix(form.as_str()) {
            Some(left) => (form.as_str(), left),
            None if cut && form.starts_with(wanted) => (form.as_str(), ""),
            None => match bare_umlauts(wanted, form) {
                Some(split) => split,
                None => continue,
            },
        };
        if left.is_empty() {
            return Some(vec![part.to_owned()]);
        }
        if let Some(others) = begins(rest, left, cut) {
            return Some([vec![part.to_owned()], others].concat());
        }
    }
    None
}

/// A reader that does not see the dots reads MULLER for MÜLLER, which the zone has as MUELLER: the wanted letters are the form's
/// with an E behind some of A, O and U.
fn bare_umlauts<'a>(wanted: &'a str, form: &str) -> Option<(&'a str, &'a str)> {
    let mut rest = wanted;
    let mut umlauts: usize = 0;
    let mut last = ' ';
    for letter in form.chars() {
        let plain = rest.strip_prefix(letter);
        let dotted = rest.strip_prefix('E').filter(|_| matches!(last, 'A' | 'O' | 'U'));
        rest = match (plain, dotted.and_then(|rest| rest.strip_prefix(letter))) {
            (Some(rest), _) => rest,
            (None, Some(rest)) => {
                umlauts = umlauts.saturating_add(1);
                rest
            }
            (None, None) => return None,
        };
        last = letter;
    }
    let part = wanted.strip_suffix(rest)?;
    (umlauts > 0 && form.len() >= 3).then_some((part, rest))
}

/// Every text of so many characters that stands in one piece or in neighbouring ones, with how sure each of them is.
pub(crate) fn texts(lines: &[TextLine], length: usize) -> Vec<(String, Vec<u16>)> {
    let starts = lines.iter().flat_map(|line| (0..line.words.len()).filter_map(|from| line.words.get(from..)));
    let found = starts.filter_map(|words| {
        let (mut text, mut sures) = (String::new(), vec![]);
        for word in words.iter().take(PIECES_MAX).take_while(|word| !word.text.contains('<')) {
            text.push_str(word.plain());
            sures.extend_from_slice(&word.sures);
            if text.len() >= length {
                break;
            }
        }
        (text.len() == length && sures.len() == length).then_some((text, sures))
    });
    found.collect()
}

/// How sure the surest word is that is just this one, in thousandths; none if it stands nowhere.
pub(crate) fn word_stands(lines: &[TextLine], word: &str) -> Option<u16> {
    let words = lines.iter().flat_map(|line| &line.words).filter(|one| !one.of_caption && one.text == word);
    words.map(|word| word.sure).max()
}
