//! Which words of the lists a part of the query may be, and what that says.

use super::units::Unit;
use crate::index::layout::JoinRecord;
use crate::index::partition::PartitionId;
use crate::index::{Partition, Token, keys};
use crate::num;
use crate::tables::Kinship;
use crate::text::distance::{Writing, distance};
use crate::text::parts::{PartClass, Reading};

/// What one edit takes from the rarity of a word, in bits: as much as there are likely other words one edit away.
pub(crate) const BITS_PER_EDIT: f32 = 5.0;
/// What it costs that a word is another form of the name.
const FORM_BITS: f32 = 1.0;
/// What it costs that a word is a nickname.
const NICKNAME_BITS: f32 = 2.5;
/// What it costs to join or split words.
const JOIN_BITS: f32 = 1.0;
/// Words written as one and a word that differs from them in length by more letters than this are not compared.
const JOINED_LETTERS_APART_MAX: usize = 4;
/// What it costs to leave out the servant of a name, `Abd al-`.
const SHORTENED_BITS: f32 = 4.0;
/// Words further apart are different words; of short words a smaller part may differ.
const EDITS_MAX: f32 = 2.4;
const EDITS_PER_SOUND: f32 = 0.3;
const EDITS_SHORT: f32 = 0.3;
/// What any meeting of single words says, in bits.
const KNOWN_BITS: f32 = 0.1;
/// One slip of the finger, and the fewest sounds of a word that is known in spite of it.
const SLIP: f32 = 1.0;
const SLIP_SOUNDS_MIN: usize = 4;
/// What each letter of an acronym says, in bits.
const ACRONYM_LETTER_BITS: f32 = 3.0;
/// A meeting that says less than this is none, in bits.
const GAIN_MIN: f32 = 0.5;

/// How a part of the query met a word of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Letter by letter.
    Same,
    /// Spelled in another way.
    Spelling,
    /// With typing errors or more.
    Typo,
    /// The same name in another language.
    Form,
    /// A nickname.
    Nickname,
    /// By its consonants, from a script that does not write the vowels.
    Consonants,
    /// By its first letter.
    Initial,
    /// By the first letters of several words.
    Acronym,
    /// Cut short.
    Abbreviation,
}

/// A word of the lists that a unit of the query may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WordMatch {
    pub token: u32,
    /// What the meeting says, in bits.
    pub gain: f32,
    /// How far apart they are.
    pub edits: f32,
    pub how: How,
}

/// Neighbouring words of one listed name that a part of the query may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JoinMatch {
    pub name: u32,
    pub first: usize,
    pub count: usize,
    pub unit: usize,
    pub gain: f32,
    pub edits: f32,
    pub how: How,
}

/// Finds words; keeps its working memory, and what it found for the parts it saw last: clients share their names.
#[derive(Debug, Default)]
pub(crate) struct WordFinder {
    keys: Vec<u32>,
    tokens: Vec<u32>,
    key: String,
    memory: Memory,
}

/// The words of parts, a place for each hash: the later part takes the place of the earlier.
#[derive(Debug, Default)]
struct Memory {
    places: Vec<(String, Vec<WordMatch>)>,
}

impl Memory {
    /// How many places there are.
    const PLACES: u32 = 8192;

    /// The place of a part, which may hold another one.
    fn place(&mut self, key: &str) -> Option<&mut (String, Vec<WordMatch>)> {
        if self.places.is_empty() {
            self.places.resize_with(num::at(Self::PLACES), Default::default);
        }
        self.places.get_mut(num::at(keys::hash(key.as_bytes(), 0) % Self::PLACES))
    }
}

impl WordFinder {
    /// The words that the unit may be, best first.
    pub(crate) fn words(
        &mut self,
        partition: &Partition<'_>,
        id: PartitionId,
        unit: &Unit,
        found: &mut Vec<WordMatch>,
    ) {
        found.clear();
        let mut key = std::mem::take(&mut self.key);
        remember_as(id, unit, &mut key);
        match self.memory.place(&key) {
            Some((known, words)) if *known == key => found.extend_from_slice(words),
            _ => {
                self.search(partition, id, unit, found);
                if let Some((known, words)) = self.memory.place(&key) {
                    known.clone_from(&key);
                    words.clone_from(found);
                }
            }
        }
        self.key = key;
    }

    fn search(&mut self, partition: &Partition<'_>, id: PartitionId, unit: &Unit, found: &mut Vec<WordMatch>) {
        for reading in &unit.readings {
            self.by_spelling(partition, unit, reading, found);
            if unit.span == 1 && reading.writing == Writing::Full && !reading.shortened {
                by_group(partition, id, reading, found);
            }
        }
        found.sort_unstable_by(|a, b| a.token.cmp(&b.token).then(b.gain.total_cmp(&a.gain)));
        found.dedup_by_key(|word| word.token);
        found.sort_unstable_by(|a, b| b.gain.total_cmp(&a.gain).then(a.token.cmp(&b.token)));
    }

    fn by_spelling(&mut self, partition: &Partition<'_>, unit: &Unit, reading: &Reading, found: &mut Vec<WordMatch>) {
        self.tokens.clear();
        match (unit.span, reading.writing) {
            (1, Writing::Full) => {
                keys::word_keys(reading.letters.as_bytes(), &reading.sounds, &mut self.keys);
                self.keys.extend(misread(&reading.sounds).iter().map(|sounds| keys::join_key(sounds)));
            }
            (1, Writing::WithoutVowels) => keys::sound_keys(&reading.sounds, &mut self.keys),
            // what was torn apart is seldom misspelt as well
            _ => {
                self.keys.clear();
                self.keys.push(keys::join_key(&reading.sounds));
            }
        }
        self.collect(partition);
        self.tokens.sort_unstable();
        self.tokens.dedup();
        for token in &self.tokens {
            let word = partition.token(*token).and_then(|word| compare(unit, reading, &word, *token));
            found.extend(word);
        }
    }

    fn collect(&mut self, partition: &Partition<'_>) {
        for key in &self.keys {
            self.tokens.extend(partition.tokens_with_key(*key));
        }
    }

    /// The neighbouring words of listed names that the unit may be, or whose first letters it may be.
    pub(crate) fn joins(&mut self, partition: &Partition<'_>, number: usize, unit: &Unit, found: &mut Vec<JoinMatch>) {
        let Some(reading) = unit.readings.first().filter(|reading| unit.span == 1 && reading.letters.len() > 3) else {
            return;
        };
        let gain = num::real(reading.letters.len()) * ACRONYM_LETTER_BITS;
        let acronyms = partition.joins_with_key(keys::acronym_key(reading.letters.as_bytes()));
        found.extend(acronyms.map(|join| JoinMatch::new(&join, number, gain, 0.0, How::Acronym)));
        for join in partition.joins_with_key(keys::join_key(&reading.sounds)) {
            let Some((gain, edits)) = written_as_one(partition, &join, reading) else { continue };
            found.push(JoinMatch::new(&join, number, gain, edits, How::Spelling));
        }
    }
}

impl JoinMatch {
    fn new(join: &JoinRecord, unit: usize, gain: f32, edits: f32, how: How) -> Self {
        let (first, count) = (usize::from(join.first), usize::from(join.count));
        Self { name: join.name.get(), first, count, unit, gain, edits, how }
    }
}

/// What it says that neighbouring words, written as one, are the reading; and how far apart they are.
fn written_as_one(partition: &Partition<'_>, join: &JoinRecord, reading: &Reading) -> Option<(f32, f32)> {
    let (first, count) = (usize::from(join.first), usize::from(join.count));
    let parts = partition.parts_of(partition.names.get(num::at(join.name.get()))?).get(first..first + count)?;
    let tokens = || parts.iter().filter_map(|part| partition.token(part.token.get()));
    let letters: usize = tokens().map(|token| token.letters.len()).sum();
    if reading.writing == Writing::Full && letters.abs_diff(reading.letters.len()) > JOINED_LETTERS_APART_MAX {
        return None;
    }
    let bits: f32 = tokens().map(|token| weight(&token, reading.writing)).sum();
    let limit = limit(reading.sounds.len()).min((bits - JOIN_BITS) / BITS_PER_EDIT);
    let edits = distance(&reading.sounds, &partition.joined_sounds(parts), reading.writing, limit)?;
    Some((bits - edits * BITS_PER_EDIT - JOIN_BITS, edits)).filter(|(gain, _)| *gain > 0.0)
}

/// Everything of a unit that its words depend on.
fn remember_as(id: PartitionId, unit: &Unit, key: &mut String) {
    key.clear();
    key.push(match id {
        PartitionId::Persons => 'p',
        PartitionId::Organisations => 'o',
        PartitionId::Craft => 'c',
    });
    key.push(match unit.class {
        PartClass::Core => 'n',
        PartClass::Initial => 'i',
        PartClass::Patronymic => 'f',
        PartClass::Particle => 'a',
        PartClass::Title => 't',
        PartClass::LegalForm => 'l',
        PartClass::Number => '#',
    });
    key.push(if unit.span == 1 { '1' } else { '+' });
    for reading in &unit.readings {
        key.push(match (reading.writing, reading.shortened) {
            (Writing::Full, false) => ' ',
            (Writing::Full, true) => '<',
            (Writing::WithoutVowels, false) => '-',
            (Writing::WithoutVowels, true) => '=',
        });
        key.push_str(&reading.letters);
    }
}

/// The most edits between words of this many sounds.
fn limit(sounds: usize) -> f32 {
    (num::real(sounds) * EDITS_PER_SOUND + EDITS_SHORT).min(EDITS_MAX)
}

/// What a word says when it was read in this writing.
fn weight(token: &Token<'_>, writing: Writing) -> f32 {
    if writing == Writing::WithoutVowels || token.writing == Writing::WithoutVowels {
        token.skeleton_bits
    } else {
        token.bits
    }
}

fn compare(unit: &Unit, reading: &Reading, word: &Token<'_>, token: u32) -> Option<WordMatch> {
    let same = reading.letters.as_bytes() == word.letters;
    if !same && (unit.class == PartClass::Number || word.class == PartClass::Number) {
        return None;
    }
    if unit.class == PartClass::LegalForm && word.class != PartClass::LegalForm {
        return None;
    }
    let edits = if same {
        0.0
    } else {
        let sounds = reading.sounds.len().min(word.sounds.len());
        let useful = (weight(word, reading.writing) - GAIN_MIN) / BITS_PER_EDIT;
        // a misspelt common word says nothing, but it is no other word either
        let useful = if sounds >= SLIP_SOUNDS_MIN { useful.max(SLIP) } else { useful };
        // a misspelt `otvetstvennostyu` has to be known for what it is
        let limit = if word.class == PartClass::LegalForm { limit(sounds) } else { limit(sounds).min(useful) };
        match (reading.writing, word.writing) {
            (Writing::Full, Writing::WithoutVowels) => {
                distance(word.sounds, &reading.sounds, Writing::WithoutVowels, limit)
            }
            (Writing::WithoutVowels, Writing::Full) => {
                distance(&reading.sounds, word.sounds, Writing::WithoutVowels, limit)
            }
            _ => distance(&reading.sounds, word.sounds, Writing::Full, limit),
        }?
    };
    let how = match reading.writing {
        _ if same => How::Same,
        Writing::WithoutVowels => How::Consonants,
        Writing::Full if word.writing == Writing::WithoutVowels => How::Consonants,
        Writing::Full if edits <= 0.65 => How::Spelling,
        Writing::Full => How::Typo,
    };
    let mut gain = weight(word, reading.writing) - edits * BITS_PER_EDIT;
    if unit.span > 1 {
        gain -= JOIN_BITS;
    }
    if reading.shortened {
        gain -= SHORTENED_BITS;
    }
    if unit.span == 1 && !reading.shortened {
        gain = gain.max(KNOWN_BITS);
    }
    (gain > 0.0).then_some(WordMatch { token, gain, edits, how })
}

fn by_group(partition: &Partition<'_>, id: PartitionId, reading: &Reading, found: &mut Vec<WordMatch>) {
    for (group, own) in id.groups().with_sounds(&reading.sounds) {
        for record in partition.group(*group) {
            let nickname = *own == Kinship::Nickname || record.kinship == 1;
            let (cost, how) = if nickname { (NICKNAME_BITS, How::Nickname) } else { (FORM_BITS, How::Form) };
            let gain = partition.token(record.token.get()).map_or(0.0, |token| token.bits) - cost;
            if gain > 0.0 {
                found.push(WordMatch { token: record.token.get(), gain, edits: 0.0, how });
            }
        }
    }
}

/// What a scanner may have misread: `rn` for `m` and `m` for `rn`.
fn misread(sounds: &[u8]) -> Vec<Vec<u8>> {
    let mut variants = Vec::new();
    if let Some(at) = sounds.windows(2).position(|pair| pair == b"rn") {
        let mut variant = sounds.to_vec();
        variant.splice(at..at + 2, [b'm']);
        variants.push(variant);
    }
    if let Some(at) = sounds.iter().position(|code| *code == b'm') {
        let mut variant = sounds.to_vec();
        variant.splice(at..=at, [b'r', b'n']);
        variants.push(variant);
    }
    variants
}
