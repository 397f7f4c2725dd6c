//! The values beside captions.

use std::collections::BTreeMap;

use super::captions::{Caption, Captions};
use super::dates::{Of, Written, dates_in};
use super::text::{TextLine, Word};

/// How far below its caption a value may stand, in heights of the caption.
const BELOW_MAX: i32 = 3;
/// How far to the right of its caption a value may stand, in heights of the caption.
const RIGHT_MAX: i32 = 25;
/// Letters and figures of a document's number.
const NUMBER_LENGTHS: std::ops::RangeInclusive<usize> = 5..=20;

/// What stands beside each caption, most likely first.
#[derive(Default)]
pub(crate) struct Values {
    values: BTreeMap<Caption, Vec<Vec<Word>>>,
}

impl Values {
    /// The names beside a caption.
    pub(crate) fn names(&self, caption: Caption) -> Option<Vec<Word>> {
        self.of(caption).find(|words| is_name(words)).map(<[Word]>::to_vec)
    }

    pub(crate) fn surname(&self) -> Option<Vec<Word>> {
        self.names(Caption::Surname)
    }

    pub(crate) fn given_names(&self) -> Option<Vec<Word>> {
        self.names(Caption::GivenNames)
    }

    /// The date of birth or of expiry.
    pub(crate) fn date(&self, of: Of) -> Option<Written> {
        let caption = match of {
            Of::Birth => Caption::DateOfBirth,
            Of::Validity => Caption::Expires,
        };
        self.of(caption).find_map(|words| dates_in(words).into_iter().next())
    }

    /// The document's number.
    pub(crate) fn number(&self) -> Option<String> {
        let texts = self.of(Caption::Number).map(|words| words.iter().map(Word::plain).collect::<String>());
        let mut numbers = texts.filter(|text| NUMBER_LENGTHS.contains(&text.len()));
        numbers.find(|text| text.bytes().filter(u8::is_ascii_digit).count() >= 3)
    }

    /// The nationality in the words that stand there.
    pub(crate) fn nationality(&self) -> Option<String> {
        let found = self.of(Caption::Nationality).find(|words| is_name(words))?;
        Some(found.iter().map(|word| word.text.as_str()).collect::<Vec<&str>>().join(" "))
    }

    /// The letter for the sex.
    pub(crate) fn sex(&self) -> Option<char> {
        let letters = |words: &[Word]| {
            let letters: Vec<char> = words.iter().filter_map(|word| word.plain().parse().ok()).collect();
            letters.into_iter().find(|letter| matches!(letter, 'F' | 'M' | 'X'))
        };
        self.of(Caption::Sex).find_map(letters)
    }

    fn of(&self, caption: Caption) -> impl Iterator<Item = &[Word]> {
        self.values.get(&caption).into_iter().flatten().map(Vec::as_slice)
    }

    pub(super) fn add(&mut self, caption: Caption, words: Vec<Word>) {
        if !words.is_empty() {
            self.values.entry(caption).or_default().push(words);
        }
    }
}

/// Marks the captions of the lines and finds the values beside them.
pub(crate) fn read(lines: &mut [TextLine]) -> Values {
    let captions = Captions::load();
    let marked: Vec<Marked> = lines.iter_mut().map(|line| mark(line, &captions)).collect();
    let mut values = Values::default();
    for (at, line) in marked.iter().enumerate() {
        let Some((caption, end)) = line.last else { continue };
        let Some(there) = lines.get(at) else { continue };
        values.add(caption, there.words.get(end..).unwrap_or_default().to_vec());
        let free = |other: &usize| marked.get(*other).is_some_and(|other| other.last.is_none());
        let beside = nearest(lines, there, RIGHT_MAX, free, to_the_right);
        let below = nearest(lines, there, BELOW_MAX, free, below);
        for other in beside.into_iter().chain(below) {
            values.add(caption, lines.get(other).map(|line| line.words.clone()).unwrap_or_default());
        }
    }
    super::licence::read(lines, &mut values);
    values
}

/// The last caption of a line, and the word behind it.
struct Marked {
    last: Option<(Caption, usize)>,
}

fn mark(line: &mut TextLine, captions: &Captions) -> Marked {
    let plain = line.plain();
    let mut last = None;
    let mut at = 0;
    while let Some(rest) = plain.get(at..).filter(|rest| !rest.is_empty()) {
        match captions.at(rest) {
            Some((caption, count)) => {
                let end = at.saturating_add(count);
                line.words.iter_mut().take(end).skip(at).for_each(|word| word.of_caption = true);
                last = Some((caption, end));
                at = end;
            }
            None => at = at.saturating_add(1),
        }
    }
    Marked { last }
}

/// Up to two lines at the smallest distances that are near enough, nearest first.
fn nearest(
    lines: &[TextLine],
    from: &TextLine,
    most: i32,
    free: impl Fn(&usize) -> bool,
    distance: impl Fn(&TextLine, &TextLine) -> Option<i32>,
) -> Vec<usize> {
    let limit = from.place.height.max(1).saturating_mul(most);
    let others = lines.iter().enumerate().filter(|(at, line)| line.page == from.page && free(at));
    let mut near: Vec<(i32, usize)> =
        others.filter_map(|(at, line)| Some((distance(from, line).filter(|far| *far <= limit)?, at))).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, at)| at).take(2).collect()
}

fn to_the_right(from: &TextLine, line: &TextLine) -> Option<i32> {
    let tall = from.place.height.max(line.place.height);
    let level = from.place.middle().abs_diff(line.place.middle()) <= (tall / 2).unsigned_abs();
    let gap = line.place.left.saturating_sub(from.place.right());
    (level && gap > tall.saturating_neg()).then_some(gap.max(0))
}

fn below(from: &TextLine, line: &TextLine) -> Option<i32> {
    let (above, under) = (from.place, line.place);
    let gap = under.top.saturating_sub(above.bottom());
    let beside = under.left >= above.right() || under.right() <= above.left;
    let lower = under.middle() > above.bottom().min(above.middle().saturating_add(above.height));
    (lower && !beside).then_some(gap.max(0))
}

/// Letters only, and not a single one.
fn is_name(words: &[Word]) -> bool {
    let letters = words.iter().flat_map(|word| word.text.chars());
    words.iter().any(|word| word.plain().len() > 1) && letters.clone().all(|letter| !letter.is_ascii_digit())
}
