//! Finding the lines of a zone among those of a picture, and fitting them to a layout.

use super::glyphs::{Class, FILLER, UNREAD, cleaned, decoded};
use super::layout::{Format, Layout};
use crate::line::{Glyph, Line, Place};

/// A line that lost or won more characters than this is no line of the layout.
const OFF_MAX: usize = 4;
/// The shortest and the longest line of a zone as it may be read.
const LENGTHS: std::ops::RangeInclusive<usize> = 26..=48;
/// Every zone has a pair of fillers behind the surname.
const FILLERS_MIN: usize = 2;
/// Blanks of a line of prose that a zone's decoding may take for fillers.
const FILLERS_OF_PROSE_MAX: usize = 8;
/// Rows that are looked at: a picture of a document has no more of this kind.
const ROWS_MAX: usize = 16;
/// Ways to fit one row that are tried.
const FITS_MAX: usize = 8;

/// A row of the picture that may be one of a zone, of one line or of several pieces.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) glyphs: Vec<Glyph>,
    /// The lines that it consists of.
    pub(super) lines: Vec<usize>,
    place: Place,
}

/// Rows that fit a layout, each with its ways to fit it.
pub(super) struct Candidate {
    pub(super) format: Format,
    pub(super) rows: Vec<Row>,
    fits: Vec<Vec<Vec<Glyph>>>,
    /// Characters too many or too few.
    pub(super) off: usize,
    /// It begins as its layout does.
    pub(super) begins: bool,
}

/// Rows that look like a zone's, from top to bottom, in the zone's own decoding or, for `plainly`, in that of all text.
pub(super) fn rows(lines: &[Line], plainly: bool) -> Vec<Row> {
    let decoded = |line: &Line| if plainly { cleaned(&line.glyphs) } else { decoded(line) };
    let all = lines.iter().enumerate().filter(|(_, line)| !is_prose(line));
    let all = all.map(|(at, line)| Row { glyphs: decoded(line), lines: vec![at], place: line.place });
    let (mut whole, mut pieces): (Vec<Row>, Vec<Row>) =
        all.filter(|row| like_zone(&row.glyphs)).partition(|row| LENGTHS.contains(&row.glyphs.len()));
    pieces.sort_by_key(|piece| piece.place.left);
    whole.extend(joined(&pieces));
    // a page of prose has many lines as long as a zone's: those with fillers and without blanks go first
    whole.sort_by_key(|row| (row.lines.iter().any(|at| has_blanks(lines.get(*at))), fillers(&row.glyphs) == 0));
    whole.truncate(ROWS_MAX);
    whole.sort_by_key(|row| row.place.middle());
    whole
}

/// Whether most letters are small ones, and few fillers stand between them in either decoding.
fn is_prose(line: &Line) -> bool {
    let small = line.glyphs.iter().filter(|glyph| glyph.read.is_lowercase()).count();
    let filled = fillers(&cleaned(&line.glyphs)) >= FILLERS_MIN || fillers(&decoded(line)) >= FILLERS_OF_PROSE_MAX;
    small.saturating_mul(2) > line.glyphs.len() && !filled
}

fn fillers(glyphs: &[Glyph]) -> usize {
    glyphs.iter().filter(|glyph| glyph.read == FILLER).count()
}

fn has_blanks(line: Option<&Line>) -> bool {
    line.is_some_and(|line| line.zone_glyphs.as_ref().unwrap_or(&line.glyphs).iter().any(|glyph| glyph.read == ' '))
}

/// Whether most of it is of the zone's alphabet: a row of prose has small letters and marks.
fn like_zone(glyphs: &[Glyph]) -> bool {
    let unread = glyphs.iter().filter(|glyph| glyph.read == UNREAD).count();
    !glyphs.is_empty() && unread.saturating_mul(5) <= glyphs.len()
}

/// Pieces side by side are one row, if they are as long as one together.
fn joined(pieces: &[Row]) -> Vec<Row> {
    let mut left: Vec<&Row> = pieces.iter().collect();
    let mut rows = vec![];
    while !left.is_empty() {
        let mut row = left.remove(0).clone();
        left.retain(|piece| {
            let beside = beside(row.place, piece.place);
            if beside {
                row.glyphs.extend_from_slice(&piece.glyphs);
                row.lines.extend_from_slice(&piece.lines);
                row.place = around(row.place, piece.place);
            }
            !beside
        });
        if LENGTHS.contains(&row.glyphs.len()) && row.lines.len() > 1 && fillers(&row.glyphs) > 0 {
            rows.push(row);
        }
    }
    rows
}

/// Whether a piece continues a row to the right, at the same height.
fn beside(row: Place, piece: Place) -> bool {
    let height = row.height.max(piece.height).max(1);
    let apart = row.middle().abs_diff(piece.middle()) > (height / 2).unsigned_abs();
    let overlap = row.right().saturating_sub(piece.left);
    !apart && overlap <= height
}

fn around(one: Place, other: Place) -> Place {
    let (left, top) = (one.left.min(other.left), one.top.min(other.top));
    let width = one.right().max(other.right()).saturating_sub(left);
    let height = one.bottom().max(other.bottom()).saturating_sub(top);
    Place { left, top, width, height }
}

/// The neighbouring rows that may be a zone, in every layout that they fit.
pub(super) fn candidates(rows: &[Row]) -> Vec<Candidate> {
    let all = Format::ALL.into_iter().flat_map(|format| {
        let layout = format.layout();
        rows.windows(layout.rows).filter_map(move |rows| candidate(layout, rows))
    });
    all.collect()
}

fn candidate(layout: &Layout, rows: &[Row]) -> Option<Candidate> {
    let offs = rows.iter().map(|row| row.glyphs.len().abs_diff(layout.width));
    let off = offs.clone().sum();
    let begins = starts_like(layout.format, rows);
    // other layouts are as wide as these, and differ from them by their beginning
    let must_begin = matches!(layout.format, Format::VisaA | Format::VisaB | Format::FrenchCard);
    let filled = rows.iter().map(|row| fillers(&row.glyphs)).sum::<usize>() >= FILLERS_MIN;
    let fits = offs.max()? <= OFF_MAX && filled && (begins || !must_begin);
    let fitted = (0..).zip(rows).map(|(at, row)| ways_to_fit(layout, at, &row.glyphs));
    fits.then(|| Candidate { format: layout.format, rows: rows.to_vec(), fits: fitted.collect(), off, begins })
}

/// Whether the first line may be one of the layout's: passports begin with P, visas with V, cards with A, C or I (9303 part 5,
/// 4.2.2). The first character is the one that pictures cut off most often, so the others may show it too.
fn starts_like(format: Format, rows: &[Row]) -> bool {
    let Some(first) = rows.first() else { return false };
    let begins: String = first.glyphs.iter().take(5).map(|glyph| glyph.read).collect();
    let french = begins.contains("DFRA") || begins.contains("0FRA");
    let lost = first.glyphs.len() < format.layout().width;
    let one_of = |starts: &[char]| begins.starts_with(starts) || (lost && begins.starts_with(FILLER));
    match format {
        Format::Td3 => one_of(&['P']),
        Format::VisaA | Format::VisaB => begins.starts_with('V'),
        Format::Td1 => one_of(&['A', 'C', 'I', '1', 'L']),
        Format::Td2 => one_of(&['P', 'A', 'C', 'I', '1', 'L']) && !french,
        Format::FrenchCard => french,
    }
}

/// The ways to give a row the layout's width. Readers miscount what looks alike, so characters are added to a run of fillers or
/// taken from it, the longest first; a row may also have won or lost its first or last ones.
fn ways_to_fit(layout: &Layout, row: usize, glyphs: &[Glyph]) -> Vec<Vec<Glyph>> {
    let width = layout.width;
    if glyphs.len() == width {
        return vec![glyphs.to_vec()];
    }
    let names = layout.names.start.checked_div(width) == Some(row) && layout.given.is_none();
    let mut ways: Vec<Vec<Glyph>> = vec![];
    if glyphs.len() < width && row == 0 && glyphs.first().is_some_and(|glyph| glyph.read == FILLER) {
        ways.push(ended(with_first(glyphs, layout.format), width));
    }
    if names {
        ways.push(ended(glyphs.to_vec(), width));
    }
    let mut runs = runs(glyphs);
    runs.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    ways.extend(runs.into_iter().filter_map(|(length, end)| refilled(glyphs, width, length, end)));
    if let Some(over) = glyphs.len().checked_sub(width) {
        ways.extend((0..=over).filter_map(|from| glyphs.get(from..from.saturating_add(width)).map(<[Glyph]>::to_vec)));
    } else if ways.is_empty() {
        ways.push(ended(glyphs.to_vec(), width));
    }
    ways.truncate(FITS_MAX);
    ways
}

fn filler() -> Glyph {
    Glyph { read: FILLER, sure: 0, runner_up: None }
}

fn with_first(glyphs: &[Glyph], format: Format) -> Vec<Glyph> {
    let read = if format == Format::Td3 { 'P' } else { 'I' };
    let first = Glyph { read, sure: 0, runner_up: None };
    [first].into_iter().chain(glyphs.iter().copied()).collect()
}

/// The row with fillers at its end, or without its last characters.
fn ended(mut glyphs: Vec<Glyph>, width: usize) -> Vec<Glyph> {
    glyphs.resize(width, filler());
    glyphs
}

/// Length and end of every run of fillers.
fn runs(glyphs: &[Glyph]) -> Vec<(usize, usize)> {
    let mut runs = vec![];
    let mut length: usize = 0;
    for (at, glyph) in glyphs.iter().enumerate() {
        length = if glyph.read == FILLER { length.saturating_add(1) } else { 0 };
        if length > 0 && glyphs.get(at.saturating_add(1)).is_none_or(|next| next.read != FILLER) {
            runs.push((length, at.saturating_add(1)));
        }
    }
    runs
}

/// The row with one run of fillers made longer or shorter; none if the run is too short for that.
fn refilled(glyphs: &[Glyph], width: usize, length: usize, end: usize) -> Option<Vec<Glyph>> {
    let (before, after) = glyphs.split_at_checked(end)?;
    let missing = width.saturating_sub(glyphs.len());
    let kept = before.len().checked_sub(glyphs.len().saturating_sub(width))?;
    let over = before.len().saturating_sub(kept);
    let added = std::iter::repeat_n(filler(), missing);
    let whole = before.iter().take(kept).copied().chain(added).chain(after.iter().copied()).collect();
    (over < length).then_some(whole)
}

impl Candidate {
    /// Whether a line with names lost characters.
    pub(super) fn names_short(&self) -> bool {
        let layout = self.format.layout();
        let fields = [Some(layout.names.start), layout.given.as_ref().map(|given| given.start)];
        let rows = fields.into_iter().flatten().filter_map(|start| self.rows.get(start.checked_div(layout.width)?));
        rows.into_iter().any(|row| row.glyphs.len() < layout.width)
    }

    /// The zone's glyphs, one way after the other.
    pub(super) fn ways(&self) -> Vec<Vec<Glyph>> {
        self.fits.iter().fold(vec![vec![]], |ways, fits| {
            let grown = ways.iter().flat_map(|way| fits.iter().map(move |row| [way.as_slice(), row].concat()));
            grown.take(FITS_MAX * FITS_MAX).collect()
        })
    }
}

/// Whether a text is one of a zone rather than of what people read: it has fillers, or is long without a blank.
pub(crate) fn of_a_zone(line: &Line) -> bool {
    let blanks = line.glyphs.iter().any(|glyph| glyph.read.is_whitespace());
    let letters = line.glyphs.iter().all(|glyph| Class::Any.allows(glyph.read.to_ascii_uppercase()));
    fillers(&cleaned(&line.glyphs)) >= FILLERS_MIN || (!blanks && letters && line.glyphs.len() >= *LENGTHS.start())
}
