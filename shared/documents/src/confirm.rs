//! Whether what a zone says stands in the part that people read. Check digits cannot see every mistake, and names have none; two
//! readings of two prints that agree, of which one at least was sure, are relied on.

use crate::fold;
use crate::mrz::{Found, Proof, number_holds, twin, without_twins};
use crate::visual::{Standing, TextLine, places, texts, with_wrapped};

/// One of two readings must be as sure as this, in thousandths.
pub(crate) const TRUST_MIN: u16 = 900;
/// Neither may be less sure than this.
const DOUBT_MIN: u16 = 600;
/// Letters of a number that may as well be digits must be as sure as this.
const LETTER_MIN: u16 = 950;

/// A shorter number stands on every document.
const NUMBER_MIN: usize = 5;

/// What stands in the visual part as well.
pub(crate) struct Confirmed {
    /// The number that stands in both, as it is meant.
    pub(crate) number: Option<String>,
    pub(crate) primary: Option<Name>,
    pub(crate) secondary: Option<Name>,
}

/// A name that stands in both parts.
pub(crate) struct Name {
    /// Its words as the visual part parts them.
    pub(crate) words: Vec<String>,
    /// No other word stands beside it.
    pub(crate) alone: bool,
    /// It is alone, and parted alike in both.
    pub(crate) alike: bool,
}

/// Looks for the zone's names and number in the lines.
pub(crate) fn confirm(found: &Found, lines: &[TextLine]) -> Confirmed {
    let names = &found.zone.names;
    let wrapped = with_wrapped(lines);
    let places = |words: &[String], sure: u16| -> Vec<Standing> {
        // single letters stand everywhere
        let all = if words.concat().len() < 2 { vec![] } else { places(words, &wrapped, names.truncated) };
        all.into_iter().filter(|standing| trusted(standing.sure, sure)).collect()
    };
    let (primary, secondary) =
        (places(&names.primary, found.primary_sure), places(&names.secondary, found.secondary_sure));
    let all: Vec<&Standing> = primary.iter().chain(&secondary).collect();
    Confirmed {
        number: number(found, lines),
        primary: name(&names.primary, &primary, &all, &wrapped),
        secondary: name(&names.secondary, &secondary, &all, &wrapped),
    }
}

/// Whether two readings that agree are relied on.
pub(crate) fn trusted(one: u16, other: u16) -> bool {
    one.max(other) >= TRUST_MIN && one.min(other) >= DOUBT_MIN
}

/// The best of the places at which a name stands.
fn name(words: &[String], places: &[Standing], all: &[&Standing], lines: &[TextLine]) -> Option<Name> {
    let alone = |place: &&Standing| is_alone(place, all, lines);
    let best = places.iter().filter(alone).find(|place| place.words == words);
    let alone = best.or_else(|| places.iter().find(alone));
    let place = alone.or_else(|| places.first())?;
    Some(Name { words: place.words.clone(), alone: alone.is_some(), alike: best.is_some() })
}

/// Whether the line has no other words than the two names and captions: a name that goes on was not read whole.
fn is_alone(place: &Standing, all: &[&Standing], lines: &[TextLine]) -> bool {
    let Some(line) = lines.get(place.line) else { return false };
    let named = |at: usize| all.iter().any(|other| other.line == place.line && other.range.contains(&at));
    let others = line.words.iter().enumerate().filter(|(at, word)| !word.of_caption && !named(*at));
    others.into_iter().all(|(_, word)| word.plain().len() < 2 || word.plain().bytes().any(|b| b.is_ascii_digit()))
}

/// The number that stands in the visual part: as the zone has it, or as one of its mends has it. A single twin (O for 0) there
/// is no contradiction if the zone is sure and the check digit says which of the two it is.
fn number(found: &Found, lines: &[TextLine]) -> Option<String> {
    let zone = &found.zone;
    let as_read = zone.proofs.number == Proof::Read;
    let wanted = fold::plain(&zone.number);
    // K is a filler to a check digit, so neither part may show one within the number
    if zone.number.contains('<') || wanted.len() < NUMBER_MIN || zone.proofs.number == Proof::Fails {
        return None;
    }
    let standing = texts(lines, wanted.chars().count());
    if as_read {
        let twins = |text: &str| without_twins(text) == without_twins(&wanted) && text != wanted;
        // some of the other signs would hold as well: nothing says which of the two it is
        if standing.iter().any(|(text, _)| twins(text) && partly_holds(&wanted, text, found.number_digit)) {
            return None;
        }
        let stands = standing.iter().any(|(text, sures)| {
            let sure = sures.iter().copied().min().unwrap_or(0);
            let same = *text == wanted && trusted(sure, found.number_sure) && twins_are_sure(&wanted, found, sures);
            let one_twin = twins(text) && differences(text, &wanted) == 1;
            same || (one_twin && sure >= DOUBT_MIN && found.number_sure >= TRUST_MIN)
        });
        return stands.then(|| zone.number.clone());
    }
    let minimal = found.numbers.iter().filter(|number| is_minimal(number, found));
    let mut stand = minimal.filter(|number| {
        let plain = fold::plain(number);
        let sure = |sures: &[u16]| sures.iter().all(|sure| *sure >= TRUST_MIN);
        standing.iter().any(|(text, sures)| *text == plain && sure(sures) && twins_are_sure(&plain, found, sures))
    });
    let only = stand.next()?;
    stand.next().is_none().then(|| only.clone())
}

fn differences(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).filter(|(one, other)| one != other).count()
}

/// Whether the check digit holds for the number with some or all of the signs of another text that differ.
fn partly_holds(number: &str, other: &str, digit: char) -> bool {
    let (number, other): (Vec<char>, Vec<char>) = (number.chars().collect(), other.chars().collect());
    let both = number.iter().zip(&other).enumerate();
    let changes: Vec<(usize, char)> =
        both.filter(|(_, (one, other))| one != other).map(|(at, (_, other))| (at, *other)).collect();
    any_subset_holds(&number, &changes, digit)
}

/// Whether the check digit holds for the number with some of the changes.
fn any_subset_holds(number: &[char], changes: &[(usize, char)], digit: char) -> bool {
    let sets = 1_usize.checked_shl(u32::try_from(changes.len()).unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
    (1..sets.min(1 << 12)).any(|set| {
        let mut changed = number.to_vec();
        for (bit, (at, other)) in changes.iter().enumerate() {
            if let Some(there) = changed.get_mut(*at).filter(|_| set >> bit & 1 == 1) {
                *there = *other;
            }
        }
        number_holds(&changed.iter().collect::<String>(), digit)
    })
}

/// Whether no fewer of the same changes make the check digits hold: what else differs from what was read has no reason.
fn is_minimal(number: &str, found: &Found) -> bool {
    let changes = |number: &str| -> Vec<(usize, char)> {
        let both = number.chars().zip(found.number_read.chars()).enumerate();
        both.filter(|(_, (now, read))| now != read).map(|(at, (now, _))| (at, now)).collect()
    };
    let own = changes(number);
    let fewer = |other: &String| {
        let others = changes(other);
        others.len() < own.len() && others.iter().all(|change| own.contains(change))
    };
    number.chars().count() == found.number_read.chars().count() && !found.numbers.iter().any(fewer)
}

/// Whether two equal readings of a number are beyond what the check digit cannot see: 6 and G, and equal mistakes of twins that
/// cancel out. Figures are what numbers are made of, so of those it is letters that must be beyond doubt where figures would hold
/// too.
fn twins_are_sure(number: &str, found: &Found, sures: &[u16]) -> bool {
    let letters: Vec<char> = number.chars().collect();
    let least = |at: usize| {
        let both = [sures.get(at), found.number_sures.get(at)];
        both.into_iter().map(|sure| sure.copied().unwrap_or(0)).min().unwrap_or(0)
    };
    let doubtful = (0..).zip(&letters).filter_map(|(at, letter)| {
        let figure = twin(*letter).filter(char::is_ascii_digit).filter(|_| least(at) < LETTER_MIN);
        Some((at, figure?))
    });
    let figures_hold = any_subset_holds(&letters, &doubtful.collect::<Vec<(usize, char)>>(), found.number_digit);
    let unseen = (0..).zip(&letters).filter(|(_, letter)| matches!(letter, '6' | 'G'));
    !figures_hold && unseen.into_iter().all(|(at, _): (usize, _)| least(at) >= TRUST_MIN)
}
