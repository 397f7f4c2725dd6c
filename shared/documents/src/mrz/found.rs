//! What a zone says, character by character.

use std::ops::Range;

use jiff::civil::Date;

use super::dates::PartialDate;
use super::find::Scored;
use super::glyphs::{FILLER, UNREAD, twin};
use super::layout::{Format, ISSUER, Layout, Span};
use super::names::{self, Names};
use super::russian;
use super::states::State;
use super::zone::{Mend, Sex, Zone};
use crate::line::{CERTAIN, Glyph};

/// A zone with what only its confirmation needs.
pub(crate) struct Found {
    pub(crate) zone: Zone,
    /// The number as it was read, and every number for which all check digits hold.
    pub(crate) number_read: String,
    pub(crate) numbers: Vec<String>,
    pub(crate) number_digit: char,
    /// How sure each of its characters is, fillers left out, in thousandths.
    pub(crate) number_sures: Vec<u16>,
    /// How sure the least sure character of a field is, its check digit included, in thousandths.
    pub(crate) number_sure: u16,
    pub(crate) birth_sure: u16,
    pub(crate) expiry_sure: u16,
    pub(crate) primary_sure: u16,
    pub(crate) secondary_sure: u16,
    pub(crate) states_sure: u16,
    /// The line of the names lost characters, of which one may have parted two words, or has several pairs of fillers.
    pub(crate) names_unclear: bool,
    /// The names begin behind a code of no state, or of another than the nationality: perhaps one character too late.
    pub(crate) names_displaced: bool,
    /// The lines that it stands in.
    pub(crate) lines: Vec<usize>,
}

impl Found {
    /// What the zone says, read on a day.
    pub(super) fn of(scored: &Scored, today: Date) -> Self {
        let layout = scored.format.layout();
        let text = &scored.solved.text;
        let state = |range: Range<usize>| state(&scored.glyphs, text, range);
        let (issuer, nationality) = (state(ISSUER), layout.nationality.clone().map(state));
        let string = |range: Range<usize>| text.get(range).unwrap_or_default().iter().collect::<String>();
        let names_field = text.get(layout.names.clone()).unwrap_or_default();
        let names = names_of(layout, text);
        let split = split_of(layout, text);
        let country = |state: Option<State>| state.and_then(State::country);
        let nation = nationality.flatten();
        let same_country = country(issuer).is_some() && country(issuer) == country(nation);
        let same = layout.nationality.is_none() || issuer == nation || same_country;
        let displaced = issuer.is_none() || !same;
        let zone = Zone {
            format: scored.format,
            document_code: code_of(scored.format, scored.begins, string(0..2).replace(FILLER, "")),
            issuer,
            names,
            number: scored.solved.number.clone(),
            nationality: nationality.flatten(),
            date_of_birth: PartialDate::birth(&string(layout.birth.field.clone()), today),
            sex: text.get(layout.sex).and_then(|read| sex(*read)),
            expires: layout.expiry.as_ref().and_then(|span| PartialDate::expiry(&string(span.field.clone()), today)),
            optional: optional(layout, text),
            proofs: scored.solved.proofs,
            composite: scored.solved.composite,
            mends: mends(layout, &scored.glyphs, text),
        };
        let zone = russian::completed(zone);
        let sure = |range: Range<usize>| least_sure(&scored.glyphs, text, range);
        let dated = |span: &Span| least_sure(&scored.glyphs, text, span.field.start..=span.digit);
        let nationality_sure = layout.nationality.clone().map_or(0, sure);
        Self {
            number_read: scored.solved.number_read.clone(),
            numbers: scored.solved.numbers.clone(),
            number_digit: scored.solved.number_digit,
            number_sures: number_sures(scored),
            number_sure: least_sure_sign(&scored.glyphs, text, scored.solved.number_places.iter().copied()),
            birth_sure: dated(&layout.birth),
            expiry_sure: layout.expiry.as_ref().map_or(0, dated),
            primary_sure: sure(layout.names.start..split),
            secondary_sure: sure(layout.given.clone().unwrap_or(split..layout.names.end)),
            states_sure: sure(ISSUER).min(nationality_sure),
            names_unclear: scored.names_short || (layout.given.is_none() && names::parted_twice(names_field)),
            names_displaced: ISSUER.end == layout.names.start && displaced,
            lines: scored.lines.clone(),
            zone,
        }
    }
}

fn number_sures(scored: &Scored) -> Vec<u16> {
    let (text, places) = (&scored.solved.text, &scored.solved.number_places);
    let places = places.split_last().map_or(&[][..], |(_, number)| number).iter().copied();
    let read = places.filter(|at| text.get(*at).is_some_and(|read| *read != FILLER));
    read.map(|at| least_sure_sign(&scored.glyphs, text, [at])).collect()
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

/// Of the least sure character that is no filler, where a place is of one class: a reader splits its likelihood between two signs that
/// look alike, and the class says which of them it is.
fn least_sure(glyphs: &[Glyph], text: &[char], places: impl IntoIterator<Item = usize>) -> u16 {
    least(glyphs, text, places, |glyph, became| {
        let runner_up = glyph.runner_up.filter(|(read, _)| is_sign_of(*read, became)).map_or(0, |(_, share)| share);
        let read = if is_sign_of(glyph.read, became) { glyph.sure } else { 0 };
        read.saturating_add(runner_up).min(CERTAIN)
    })
}

/// The same where letters and digits are both allowed: what two signs share says nothing of which of them it is.
fn least_sure_sign(glyphs: &[Glyph], text: &[char], places: impl IntoIterator<Item = usize>) -> u16 {
    least(glyphs, text, places, |glyph, became| match glyph.runner_up {
        _ if is_sign_of(glyph.read, became) => glyph.sure,
        Some((read, share)) if read == became => share,
        _ => 0,
    })
}

fn least(
    glyphs: &[Glyph],
    text: &[char],
    places: impl IntoIterator<Item = usize>,
    sure: impl Fn(&Glyph, char) -> u16,
) -> u16 {
    let both = places.into_iter().filter_map(|at| glyphs.get(at).zip(text.get(at)));
    let kept = both.filter(|(_, became)| **became != FILLER);
    kept.map(|(glyph, became)| sure(glyph, *became)).min().unwrap_or(0)
}

/// Twins are one sign to a reader: their class or a check digit says which of them it is.
fn is_sign_of(read: char, became: char) -> bool {
    read == became || twin(read) == Some(became)
}
