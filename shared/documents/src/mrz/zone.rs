//! What a zone says.

use std::fmt;
use std::ops::Range;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::dates::PartialDate;
use super::fit::{Candidate, candidates, rows};
use super::glyphs::{FILLER, UNREAD, twin};
use super::layout::{Format, ISSUER, Layout, Span};
use super::names::{self, Names};
use super::russian;
use super::solve::{Proof, Proofs, Solved, solve};
use super::states::State;
use crate::line::{Glyph, Line};

/// The sex as a zone says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Sex {
    Female,
    Male,
    /// X or a filler: neither of both, or not said.
    Unspecified,
}

/// A character that is not as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mend {
    /// The line of the zone, from 1.
    pub row: usize,
    /// The place in the line, from 1.
    pub column: usize,
    /// What was read; `?` if nothing of a zone's alphabet was.
    pub read: char,
    /// What it was taken for.
    pub became: char,
}

/// A zone as it is most probably meant. `Debug` does not show what belongs to the person.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Zone {
    /// Its layout.
    pub format: Format,
    /// The first two characters without filler: `P`, `PN`, `ID`, …
    pub document_code: String,
    /// The issuing state or organisation; none if no code like it is known.
    pub issuer: Option<State>,
    /// The names.
    pub names: Names,
    /// The document's number, whole where it goes on in the optional data.
    pub number: String,
    /// The nationality; none if no code like it is known, or the layout has none.
    pub nationality: Option<State>,
    /// The date of birth; none if it is no date.
    pub date_of_birth: Option<PartialDate>,
    /// The sex; none if the character is none of those that may stand there.
    pub sex: Option<Sex>,
    /// The date of expiry; none if it is no date, or the layout has none.
    pub expires: Option<PartialDate>,
    /// What the state adds, without fillers around it.
    pub optional: Vec<String>,
    /// What the check digits say of each field.
    pub proofs: Proofs,
    /// Whether the composite check digit holds; none where the layout has none.
    pub composite: Option<bool>,
    /// Every character that is not as it was read.
    pub mends: Vec<Mend>,
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Zone");
        shown.field("format", &self.format).field("proofs", &self.proofs).field("composite", &self.composite);
        shown.field("mends", &self.mends.len()).finish_non_exhaustive()
    }
}

impl Zone {
    /// Whether all its check digits hold, and those of the number without a mend: the composite digit weighs a number as its own
    /// digit does, so one of ten wrong mends of it passes both. The dates it weighs otherwise.
    pub fn is_proved(&self) -> bool {
        self.check_digits_hold() && self.proofs.number == Proof::Read
    }

    /// Whether all its check digits hold; several numbers may do.
    pub(crate) fn check_digits_hold(&self) -> bool {
        let others = [Some(self.proofs.date_of_birth), self.proofs.expires];
        self.composite != Some(false)
            && self.proofs.number != Proof::Fails
            && self.proofs.optional.is_none_or(|proof| proof != Proof::Fails)
            && others.into_iter().flatten().all(Proof::proves)
    }
}

/// A zone with what only its confirmation needs.
pub(crate) struct Found {
    pub(crate) zone: Zone,
    /// The number as it was read, and every number for which all check digits hold.
    pub(crate) number_read: String,
    pub(crate) numbers: Vec<String>,
    pub(crate) number_digit: char,
    /// How sure the least sure character of a field is, its check digit included, in thousandths.
    pub(crate) number_sure: u16,
    pub(crate) birth_sure: u16,
    pub(crate) expiry_sure: u16,
    pub(crate) primary_sure: u16,
    pub(crate) secondary_sure: u16,
    pub(crate) states_sure: u16,
    /// The line of the names lost characters, of which one may have parted two words, has several pairs of fillers, or begins
    /// behind no known state.
    pub(crate) names_unclear: bool,
    /// The lines that it stands in.
    pub(crate) lines: Vec<usize>,
}

/// The zone that stands in the lines, best first if there are several in different lines.
pub(crate) fn find(lines: &[Line], today: Date) -> Vec<Found> {
    let mut all = scored(lines, false);
    // the reader's decoding of all text is looked at only where that of a zone alone does not hold
    if lines.iter().any(|line| line.zone_glyphs.is_some()) && !all.iter().any(Scored::is_whole) {
        all.extend(scored(lines, true));
    }
    all.retain(Scored::is_one);
    all.sort_by_key(|one| std::cmp::Reverse(one.score));
    let mut found: Vec<Found> = vec![];
    for one in all {
        let known = found.iter().any(|found| one.lines.iter().any(|line| found.lines.contains(line)));
        if !known {
            found.push(one.found(today));
        }
    }
    found
}

/// Fillers that no text but a zone has.
const FILLERS_MIN: usize = 8;

/// A candidate, fitted in one way, with its score.
struct Scored {
    format: Format,
    glyphs: Vec<Glyph>,
    solved: Solved,
    names_short: bool,
    begins: bool,
    lines: Vec<usize>,
    /// Check digits that hold, then few characters off, then few changes.
    score: (usize, std::cmp::Reverse<usize>, std::cmp::Reverse<usize>),
}

fn scored(lines: &[Line], plainly: bool) -> Vec<Scored> {
    let candidates = candidates(&rows(lines, plainly));
    candidates
        .iter()
        .filter_map(|candidate| {
            let ways = candidate.ways().into_iter().map(|glyphs| Scored::of(candidate, glyphs));
            // of equal ways the first one is the most likely
            ways.reduce(|best, next| if next.score > best.score { next } else { best })
        })
        .collect()
}

impl Scored {
    fn of(candidate: &Candidate, glyphs: Vec<Glyph>) -> Self {
        let solved = solve(candidate.format.layout(), &glyphs);
        let proofs = solved.proofs;
        let fields = [Some(proofs.number), Some(proofs.date_of_birth), proofs.expires, proofs.optional];
        let held = fields.into_iter().flatten().filter(|proof| *proof != Proof::Fails).count();
        let composed = if solved.composite == Some(true) { 2 } else { 0 };
        let lines = candidate.rows.iter().flat_map(|row| row.lines.iter().copied()).collect();
        let score =
            (held.saturating_add(composed), std::cmp::Reverse(candidate.off), std::cmp::Reverse(solved.changes));
        Self {
            format: candidate.format,
            glyphs,
            solved,
            names_short: candidate.names_short(),
            begins: candidate.begins,
            lines,
            score,
        }
    }

    /// Whether it is a zone at all and no other text of that length: two check digits hold, or it is filled up.
    fn is_one(&self) -> bool {
        let fillers = self.solved.text.iter().filter(|read| **read == FILLER).count();
        // what does not begin like a zone may have lost its first character, if all else is right
        if self.begins { self.score.0 >= 2 || fillers >= FILLERS_MIN } else { self.is_whole() }
    }

    /// Whether every check digit holds, the composite one included, which visas lack.
    fn is_whole(&self) -> bool {
        let own = if self.format == Format::FrenchCard { 2 } else { 3_usize };
        let optional = self.format.layout().optional.iter().len();
        self.score.0 >= own.saturating_add(optional).saturating_add(2)
    }

    fn found(self, today: Date) -> Found {
        let layout = self.format.layout();
        let text = &self.solved.text;
        let state = |range: Range<usize>| state(&self.glyphs, text, range);
        let (issuer, nationality) = (state(ISSUER), layout.nationality.clone().map(state));
        let string = |range: Range<usize>| text.get(range).unwrap_or_default().iter().collect::<String>();
        let names_field = text.get(layout.names.clone()).unwrap_or_default();
        let names = names_of(layout, text);
        let split = split_of(layout, text);
        // names that begin behind a code of no state may begin one character too late
        let displaced = issuer.is_none() && ISSUER.end == layout.names.start;
        let zone = Zone {
            format: self.format,
            document_code: code_of(self.format, self.begins, string(0..2).replace(FILLER, "")),
            issuer,
            names,
            number: self.solved.number.clone(),
            nationality: nationality.flatten(),
            date_of_birth: PartialDate::birth(&string(layout.birth.field.clone()), today),
            sex: text.get(layout.sex).and_then(|read| sex(*read)),
            expires: layout.expiry.as_ref().and_then(|span| PartialDate::expiry(&string(span.field.clone()), today)),
            optional: optional(layout, text),
            proofs: self.solved.proofs,
            composite: self.solved.composite,
            mends: mends(layout, &self.glyphs, text),
        };
        let zone = russian::completed(zone);
        let sure = |range: Range<usize>| least_sure(&self.glyphs, text, range);
        let dated = |span: &Span| least_sure(&self.glyphs, text, span.field.start..=span.digit);
        let nationality_sure = layout.nationality.clone().map_or(0, sure);
        Found {
            number_read: self.solved.number_read.clone(),
            numbers: self.solved.numbers.clone(),
            number_digit: self.solved.number_digit,
            number_sure: least_sure(&self.glyphs, text, self.solved.number_places.iter().copied()),
            birth_sure: dated(&layout.birth),
            expiry_sure: layout.expiry.as_ref().map_or(0, dated),
            primary_sure: sure(layout.names.start..split),
            secondary_sure: sure(layout.given.clone().unwrap_or(split..layout.names.end)),
            states_sure: sure(ISSUER).min(nationality_sure),
            names_unclear: self.names_short
                || displaced
                || (layout.given.is_none() && names::parted_twice(names_field)),
            lines: self.lines.clone(),
            zone,
        }
    }
}

/// The code of the document; only passports have the layout of one, however their first letter was read.
fn code_of(format: Format, begins: bool, read: String) -> String {
    if begins || format != Format::Td3 { read } else { "P".to_owned() }
}

/// Where the names' field goes over to the secondary identifier.
fn split_of(layout: &Layout, text: &[char]) -> usize {
    let field = text.get(layout.names.clone()).unwrap_or_default();
    let split = field.windows(2).position(|pair| *pair == [FILLER, FILLER]).unwrap_or(field.len());
    layout.names.start.saturating_add(split)
}

fn names_of(layout: &Layout, text: &[char]) -> Names {
    let field = |range: Range<usize>| text.get(range).unwrap_or_default();
    match layout.given.clone() {
        Some(given) => names::apart(field(layout.names.clone()), field(given)),
        None => names::both(field(layout.names.clone())),
    }
}

/// The state of a code, or the only one whose code looks like it.
fn state(glyphs: &[Glyph], text: &[char], range: Range<usize>) -> Option<State> {
    let code: String = text.get(range.clone())?.iter().collect();
    State::from_code(&code).or_else(|| {
        let glyphs = glyphs.get(range)?;
        let letters = |at: usize| {
            let other = glyphs.get(at).and_then(|glyph| glyph.runner_up).map(|(read, _)| read);
            code.chars().nth(at).into_iter().chain(other).collect::<Vec<char>>()
        };
        let (first, second, third) = (letters(0), letters(1), letters(2));
        let mut states = vec![];
        for (a, b) in first.iter().flat_map(|a| second.iter().map(move |b| (a, b))) {
            states.extend(third.iter().filter_map(|c| State::from_code(&String::from_iter([a, b, c]))));
        }
        if states.len() == 1 { states.pop() } else { None }
    })
}

fn sex(read: char) -> Option<Sex> {
    match read {
        'F' => Some(Sex::Female),
        'M' => Some(Sex::Male),
        'X' | FILLER => Some(Sex::Unspecified),
        _ => None,
    }
}

fn optional(layout: &Layout, text: &[char]) -> Vec<String> {
    let fields = layout.optional.iter().map(|span| span.field.clone()).chain(layout.others.iter().cloned());
    let texts = fields.map(|range| text.get(range).unwrap_or_default().iter().collect::<String>());
    texts.map(|text| text.trim_matches(FILLER).to_owned()).filter(|text| !text.is_empty()).collect()
}

fn mends(layout: &Layout, glyphs: &[Glyph], text: &[char]) -> Vec<Mend> {
    let mended =
        (0..).zip(glyphs.iter().zip(text)).filter(|(_, (glyph, became))| glyph.read != **became && **became != UNREAD);
    let told = mended.map(|(at, (glyph, became)): (usize, _)| Mend {
        row: at.checked_div(layout.width).unwrap_or_default().saturating_add(1),
        column: at.checked_rem(layout.width).unwrap_or_default().saturating_add(1),
        read: glyph.read,
        became: *became,
    });
    told.collect()
}

/// Of the least sure character that is no filler.
fn least_sure(glyphs: &[Glyph], text: &[char], places: impl IntoIterator<Item = usize>) -> u16 {
    let both = places.into_iter().filter_map(|at| glyphs.get(at).zip(text.get(at)));
    let sure = both.filter(|(_, became)| **became != FILLER).map(|(glyph, became)| match glyph.runner_up {
        // twins are one sign to a reader: their class or a check digit says which of them it is
        _ if glyph.read == *became || twin(glyph.read) == Some(*became) => glyph.sure,
        Some((read, share)) if read == *became => share,
        _ => 0,
    });
    sure.min().unwrap_or(0)
}
