//! The part of a document that people read, as words in lines.

use crate::fold;
use crate::line::{CERTAIN, Glyph, Line, Place};
use crate::mrz::{of_a_zone, twin};

/// A word of a line.
#[derive(Clone)]
pub(crate) struct Word {
    /// As it was read.
    pub(crate) text: String,
    /// In every way that documents write it in A to Z.
    pub(crate) forms: Vec<String>,
    /// How sure its least sure character is, in thousandths.
    pub(crate) sure: u16,
    /// How sure each letter of its plainest form is.
    pub(crate) sures: Vec<u16>,
    /// It is part of a caption.
    pub(crate) of_caption: bool,
}

/// A line of words.
#[derive(Clone)]
pub(crate) struct TextLine {
    pub(crate) words: Vec<Word>,
    pub(crate) place: Place,
    /// Which picture it stands on.
    pub(crate) page: usize,
}

impl Word {
    fn of(glyphs: &[Glyph]) -> Option<Self> {
        let text: String = glyphs.iter().map(|glyph| glyph.read).collect();
        let mut forms = fold::forms(&text);
        forms.extend(in_letters(&forms));
        let figures = glyphs.iter().any(|glyph| glyph.read.is_numeric());
        let sure = glyphs.iter().map(|glyph| sure_of(glyph, !figures)).min()?;
        let letters = |glyph: &Glyph| fold::plain(&glyph.read.to_string()).len();
        let sures = glyphs.iter().flat_map(|glyph| std::iter::repeat_n(glyph.sure, letters(glyph))).collect();
        forms.iter().any(|form| !form.is_empty()).then_some(Self { text, forms, sure, sures, of_caption: false })
    }

    /// Its plainest form.
    pub(crate) fn plain(&self) -> &str {
        self.forms.first().map_or("", String::as_str)
    }
}

/// How sure a reader is of a letter: it splits its likelihood between two that are written alike in A to Z, and in a word without
/// figures also between a letter and the figure that looks like it.
fn sure_of(glyph: &Glyph, of_letters: bool) -> u16 {
    let plain = |read: char| fold::plain(&read.to_string());
    let alike = |other: char| plain(other) == plain(glyph.read) || (of_letters && twin(glyph.read) == Some(other));
    let shared = glyph.runner_up.filter(|(other, _)| alike(*other)).map_or(0, |(_, share)| share);
    glyph.sure.saturating_add(shared).min(CERTAIN)
}

impl TextLine {
    /// The plainest forms of its words.
    pub(crate) fn plain(&self) -> Vec<String> {
        self.words.iter().map(|word| word.plain().to_owned()).collect()
    }
}

/// The forms of a word of letters in which a figure was read, with the letter that looks like it: names have no figures.
fn in_letters(forms: &[String]) -> Vec<String> {
    let mixed = |form: &&String| {
        let figures = form.bytes().filter(u8::is_ascii_digit).count();
        figures > 0 && figures.saturating_mul(2) <= form.len()
    };
    let letter = |read: char| if read.is_ascii_digit() { twin(read) } else { Some(read) };
    forms.iter().filter(mixed).filter_map(|form| form.chars().map(letter).collect()).collect()
}

/// The lines of a picture but those of the zone.
pub(crate) fn lines(all: &[Line], of_zone: &[usize], page: usize) -> Vec<TextLine> {
    let zone: Vec<(Place, String)> =
        of_zone.iter().filter_map(|at| all.get(*at)).map(|line| (line.place, compact(&line.text()))).collect();
    let visual = all.iter().enumerate().filter(|(at, line)| !of_zone.contains(at) && !of_a_zone(line));
    // a reader that finds a piece of the zone twice must not confirm it with itself
    let again = |line: &Line| {
        let text = compact(&line.text());
        zone.iter().any(|(place, whole)| inside(*place, line.place) && whole.contains(&text))
    };
    visual.filter(|(_, line)| !again(line)).map(|(_, line)| of_line(line, page)).collect()
}

fn inside(outer: Place, inner: Place) -> bool {
    (outer.top..outer.bottom()).contains(&inner.middle()) && inner.left < outer.right() && outer.left < inner.right()
}

fn compact(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn of_line(line: &Line, page: usize) -> TextLine {
    // hyphens and slashes part words, apostrophes and dots do not; a number keeps its own marks within `text`
    let apart = |glyph: &Glyph| {
        glyph.read.is_whitespace()
            || matches!(glyph.read, '-' | '–' | '/' | ':' | ',' | ';' | '|' | '(' | ')' | '[' | ']' | '.')
    };
    let words = line.glyphs.split(apart).filter_map(Word::of).collect();
    TextLine { words, place: line.place, page }
}

/// The lines, and each of them with the one that it goes on in below: long names take two lines, two surnames often do.
pub(crate) fn with_wrapped(lines: &[TextLine]) -> Vec<TextLine> {
    let free = |line: &&TextLine| !line.words.is_empty() && line.words.iter().all(|word| !word.of_caption);
    let free: Vec<&TextLine> = lines.iter().filter(free).collect();
    let pairs = free.iter().flat_map(|line| {
        let below = free.iter().filter(|other| goes_on(line, other));
        below.map(|other| {
            let words = line.words.iter().chain(&other.words).cloned().collect();
            TextLine { words, place: line.place, page: line.page }
        })
    });
    let wrapped: Vec<TextLine> = pairs.collect();
    lines.iter().cloned().chain(wrapped).collect()
}

/// Whether a line stands right below another, beginning where that begins.
fn goes_on(line: &TextLine, other: &TextLine) -> bool {
    let (above, below) = (line.place, other.place);
    let height = above.height.max(1);
    let gap = below.top.saturating_sub(above.bottom());
    let near = gap < height && below.middle() > above.bottom().min(below.bottom());
    let aligned = below.left.abs_diff(above.left) <= height.unsigned_abs();
    line.page == other.page && near && aligned && below.top > above.top
}
