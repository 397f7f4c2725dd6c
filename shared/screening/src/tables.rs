//! The data files in `data/`, read once: names in their forms, titles, particles, legal forms, common names.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::num;
use crate::text::distance::letters_apart;
use crate::text::sound::sounds;

static TITLES: LazyLock<Vec<&'static str>> = LazyLock::new(|| words(include_str!("../data/titles.txt")));
static PARTICLES: LazyLock<Vec<&'static str>> = LazyLock::new(|| words(include_str!("../data/particles.txt")));
static LEGAL_FORMS: LazyLock<Vec<&'static str>> = LazyLock::new(|| words(include_str!("../data/legal_forms.txt")));
static SMALL_WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| words(include_str!("../data/small_words.txt")));
static JAPANESE: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(japanese);
static PERSON_GROUPS: LazyLock<Groups> = LazyLock::new(|| {
    Groups::read(&[include_str!("../data/given_names.txt"), include_str!("../data/family_names.txt")])
});
static THING_GROUPS: LazyLock<Groups> = LazyLock::new(|| Groups::read(&[include_str!("../data/org_words.txt")]));

/// The lines of a data file that are neither empty nor comments.
pub(crate) fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn words(file: &'static str) -> Vec<&'static str> {
    let mut words: Vec<&str> = lines(file).flat_map(str::split_whitespace).collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn japanese() -> BTreeMap<&'static str, Vec<&'static str>> {
    let pairs = lines(include_str!("../data/japanese.txt")).filter_map(|line| line.split_once(' '));
    pairs.map(|(written, read)| (written, read.split_whitespace().collect())).collect()
}

/// Whether the word says what a person is, not who.
pub(crate) fn is_title(word: &str) -> bool {
    TITLES.binary_search(&word).is_ok()
}

/// The word if it binds the parts of a name.
pub(crate) fn particle(word: &str) -> Option<&'static str> {
    PARTICLES.binary_search(&word).ok().and_then(|at| PARTICLES.get(at).copied())
}

/// Whether the word says what kind of company it is; long ones also with a slip or two.
pub(crate) fn is_legal_form(word: &str) -> bool {
    let slips = |form: &str| if form.len() < LEGAL_FORM_LONG { 1 } else { 2 };
    let begins = word.as_bytes().first();
    let near = |form: &&&str| {
        form.as_bytes().first() == begins && form.len() >= LEGAL_FORM_MISSPELT && form.len().abs_diff(word.len()) <= 2
    };
    LEGAL_FORMS.binary_search(&word).is_ok()
        || (word.len() >= LEGAL_FORM_MISSPELT - 1
            && LEGAL_FORMS
                .iter()
                .filter(near)
                .any(|form| letters_apart(form.as_bytes(), word.as_bytes()) <= slips(form)))
}

/// Words of legal forms that are known with one slip, and with two.
const LEGAL_FORM_MISSPELT: usize = 7;
const LEGAL_FORM_LONG: usize = 12;

/// Whether the word of an organisation's name means nothing on its own.
pub(crate) fn is_small_word(word: &str) -> bool {
    SMALL_WORDS.binary_search(&word).is_ok()
}

/// How a Japanese name is read; empty if the table does not know it.
pub(crate) fn japanese_readings(written: &str) -> &'static [&'static str] {
    JAPANESE.get(written).map_or(&[], Vec::as_slice)
}

/// The common names: (word, rarity in bits).
pub(crate) fn common_names() -> impl Iterator<Item = (&'static str, u8)> {
    lines(include_str!("../data/common_names.txt")).flat_map(|line| {
        let (bits, names) = line.split_once(' ').unwrap_or((line, ""));
        let bits = bits.parse().unwrap_or(u8::MAX);
        names.split_whitespace().map(move |name| (name, bits))
    })
}

/// How near two words of one group are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kinship {
    /// The same name in another language or spelling.
    Form,
    /// A short form or nickname.
    Nickname,
}

/// Words that stand for each other, found by their sounds.
pub(crate) struct Groups {
    members: Vec<Vec<(&'static str, Kinship)>>,
    by_sounds: BTreeMap<Vec<u8>, Vec<(u32, Kinship)>>,
}

impl Groups {
    fn read(files: &[&'static str]) -> Self {
        let mut members = Vec::new();
        let mut by_sounds: BTreeMap<Vec<u8>, Vec<(u32, Kinship)>> = BTreeMap::new();
        for line in files.iter().flat_map(|file| lines(file)) {
            let (forms, nicknames) = line.split_once('|').unwrap_or((line, ""));
            let forms = forms.split_whitespace().map(|word| (word, Kinship::Form));
            let group: Vec<_> =
                forms.chain(nicknames.split_whitespace().map(|word| (word, Kinship::Nickname))).collect();
            for (word, kinship) in &group {
                let groups = by_sounds.entry(sounds(word)).or_default();
                let number = num::position(members.len());
                if groups.last().is_none_or(|(last, _)| *last != number) {
                    groups.push((number, *kinship));
                }
            }
            members.push(group);
        }
        Self { members, by_sounds }
    }

    /// The groups of persons' names.
    pub(crate) fn of_persons() -> &'static Self {
        &PERSON_GROUPS
    }

    /// The groups of organisations' words.
    pub(crate) fn of_things() -> &'static Self {
        &THING_GROUPS
    }

    /// The groups that a word with these sounds is in, and as what.
    pub(crate) fn with_sounds(&self, sounds: &[u8]) -> &[(u32, Kinship)] {
        self.by_sounds.get(sounds).map_or(&[], Vec::as_slice)
    }

    /// All groups with their words.
    pub(crate) fn all(&self) -> &[Vec<(&'static str, Kinship)>] {
        &self.members
    }
}

/// A checksum of all tables: an index made with others does not fit.
pub(crate) fn checksum() -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    for file in [
        include_str!("../data/given_names.txt"),
        include_str!("../data/family_names.txt"),
        include_str!("../data/org_words.txt"),
        include_str!("../data/titles.txt"),
        include_str!("../data/particles.txt"),
        include_str!("../data/legal_forms.txt"),
        include_str!("../data/small_words.txt"),
        include_str!("../data/japanese.txt"),
        include_str!("../data/common_names.txt"),
    ] {
        checksum.update(file.as_bytes());
    }
    checksum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_folded_and_readable() {
        for word in TITLES.iter().chain(PARTICLES.iter()).chain(LEGAL_FORMS.iter()).chain(SMALL_WORDS.iter()) {
            assert!(word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{word}");
        }
        for groups in [&*PERSON_GROUPS, &*THING_GROUPS] {
            for (word, _) in groups.all().iter().flatten() {
                assert!(word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{word}");
            }
        }
        assert!(common_names().all(|(name, bits)| bits < 16 && !name.is_empty()));
    }

    #[test]
    fn groups_are_found_by_sound() {
        let groups_of = |word: &str| Groups::of_persons().with_sounds(&sounds(word)).to_vec();
        let of_alexander = groups_of("aleksander");
        assert_eq!(groups_of("alexander"), of_alexander);
        assert!(
            groups_of("sasha")
                .iter()
                .any(|(group, kinship)| *kinship == Kinship::Nickname
                    && of_alexander.iter().any(|(own, _)| own == group))
        );
        assert!(groups_of("qwerty").is_empty());
    }
}
