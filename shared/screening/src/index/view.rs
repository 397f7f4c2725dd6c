//! Reading a partition: persons, organisations, or ships and aircraft. Every access is checked; a wrong number reads as nothing.

use zerocopy::byteorder::little_endian::U32;

use super::keys;
use super::layout::{GroupRecord, JoinRecord, KeyRecord, NamePartRecord, NameRecord, TokenRecord};
use crate::num;
use crate::text::distance::Writing;
use crate::text::parts::PartClass;

/// The sections of one partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Partition<'a> {
    pub tokens: &'a [TokenRecord],
    pub bytes: &'a [u8],
    pub keys: &'a [KeyRecord],
    pub key_directory: &'a [U32],
    pub posting_starts: &'a [U32],
    pub postings: &'a [U32],
    pub names: &'a [NameRecord],
    pub name_parts: &'a [NamePartRecord],
    pub joins: &'a [JoinRecord],
    pub join_directory: &'a [U32],
    pub group_starts: &'a [U32],
    pub groups: &'a [GroupRecord],
}

/// A word of the lists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    pub letters: &'a [u8],
    pub sounds: &'a [u8],
    pub class: PartClass,
    pub writing: Writing,
    /// How rare it is among clients, in bits.
    pub bits: f32,
    /// How rare its consonants are.
    pub skeleton_bits: f32,
}

impl<'a> Partition<'a> {
    pub(crate) fn token(&self, token: u32) -> Option<Token<'a>> {
        let record = self.tokens.get(num::at(token))?;
        Some(Token {
            letters: self.text(record.letters, record.letters_length),
            sounds: self.text(record.sounds, record.sounds_length),
            class: class_of(record.class),
            writing: if record.flags & 1 == 0 { Writing::Full } else { Writing::WithoutVowels },
            bits: num::bits(record.bits),
            skeleton_bits: num::bits(record.skeleton_bits),
        })
    }

    fn text(&self, start: U32, length: u8) -> &'a [u8] {
        let start = num::at(start.get());
        self.bytes.get(start..start.saturating_add(usize::from(length))).unwrap_or_default()
    }

    /// Whether a name has this very word.
    pub(crate) fn has_word(&self, letters: &[u8]) -> bool {
        let own = |record: &TokenRecord| self.text(record.letters, record.letters_length);
        self.tokens.binary_search_by(|record| own(record).cmp(letters)).is_ok()
    }

    /// The words with this key.
    pub(crate) fn tokens_with_key(&self, hash: u32) -> impl Iterator<Item = u32> + use<'a> {
        let (keys, directory) = (self.keys, self.key_directory);
        bucket(keys, directory, hash)
            .iter()
            .filter(move |record| record.hash.get() == hash)
            .map(|record| record.token.get())
    }

    /// The neighbouring words which, written as one, have this key.
    pub(crate) fn joins_with_key(&self, hash: u32) -> impl Iterator<Item = JoinRecord> + use<'a> {
        bucket(self.joins, self.join_directory, hash).iter().filter(move |record| record.hash.get() == hash).copied()
    }

    /// The names that have the word.
    pub(crate) fn names_with(&self, token: u32) -> &'a [U32] {
        span(self.posting_starts, self.postings, token)
    }

    /// The words of the lists in a group of names.
    pub(crate) fn group(&self, group: u32) -> &'a [GroupRecord] {
        span(self.group_starts, self.groups, group)
    }

    /// The words of a name in order.
    pub(crate) fn parts_of(&self, name: &NameRecord) -> &'a [NamePartRecord] {
        let start = num::at(name.parts.get());
        self.name_parts.get(start..start.saturating_add(usize::from(name.parts_count))).unwrap_or_default()
    }

    /// The sounds of neighbouring words of a name written as one.
    pub(crate) fn joined_sounds(&self, parts: &[NamePartRecord]) -> Vec<u8> {
        let mut letters = Vec::new();
        for part in parts {
            letters.extend_from_slice(self.token(part.token.get()).map_or(&[][..], |token| token.letters));
        }
        crate::text::sound::sounds(&letters)
    }
}

fn bucket<'a, T>(records: &'a [T], directory: &[U32], hash: u32) -> &'a [T] {
    span(directory, records, num::position(keys::bucket(hash, directory.len())))
}

fn span<'a, T>(starts: &[U32], all: &'a [T], at: u32) -> &'a [T] {
    let at = num::at(at);
    let from = starts.get(at).map_or(0, |start| num::at(start.get()));
    let to = starts.get(at.saturating_add(1)).map_or(0, |start| num::at(start.get()));
    all.get(from..to).unwrap_or_default()
}

/// The stored number of a class.
pub(super) fn class_number(class: PartClass) -> u8 {
    match class {
        PartClass::Core => 0,
        PartClass::Initial => 1,
        PartClass::Patronymic => 2,
        PartClass::Particle => 3,
        PartClass::Title => 4,
        PartClass::LegalForm => 5,
        PartClass::Number => 6,
    }
}

fn class_of(number: u8) -> PartClass {
    match number {
        1 => PartClass::Initial,
        2 => PartClass::Patronymic,
        3 => PartClass::Particle,
        4 => PartClass::Title,
        5 => PartClass::LegalForm,
        6 => PartClass::Number,
        _ => PartClass::Core,
    }
}
