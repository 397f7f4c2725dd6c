//! Building a partition of the index: words are gathered, sorted, keyed and weighed.

use std::collections::BTreeMap;

use zerocopy::byteorder::little_endian::{U16, U32};

use super::build::{Strings, bytes};
use super::keys;
use super::layout::{
    FAMILY_NAME, FORMER_NAME, GroupRecord, JoinRecord, KeyRecord, NamePartRecord, NameRecord, TokenRecord, WEAK_ALIAS,
};
use super::partition::PartitionId;
use super::rarity;
use super::view::{Partition, class_number};
use crate::model::{Entity, Name, NameKind};
use crate::num;
use crate::text::distance::Writing;
use crate::text::parts::{NameOf, Part, PartClass, parts};
use crate::text::sound::sounds;

/// Neighbouring words are joined up to this many letters when there are three of them.
const JOINED_THREE_MAX: usize = 14;
/// More parts than this are not joined: no name of that length is written in one word.
const JOINED_PARTS_MAX: usize = 12;

/// The sections of one partition while they are made.
#[derive(Default)]
pub(super) struct PartitionData {
    tokens: Vec<TokenRecord>,
    bytes: Vec<u8>,
    keys: Vec<KeyRecord>,
    key_directory: Vec<U32>,
    posting_starts: Vec<U32>,
    postings: Vec<U32>,
    names: Vec<NameRecord>,
    name_parts: Vec<NamePartRecord>,
    joins: Vec<JoinRecord>,
    join_directory: Vec<U32>,
    group_starts: Vec<U32>,
    groups: Vec<GroupRecord>,
}

/// A word as it is told apart from others: its letters, and whether vowels are missing.
type WordKey = (String, bool);

impl PartitionData {
    pub(super) fn build(id: PartitionId, entities: &[Entity], strings: &mut Strings) -> Self {
        let mut words: BTreeMap<WordKey, (u32, PartClass)> = BTreeMap::new();
        let mut data = Self::default();
        for (number, entity) in (0..).zip(entities).filter(|(_, entity)| PartitionId::of_kind(entity.kind) == id) {
            for name in &entity.names {
                data.add_name(number, name, id.names_of(), &mut words, strings);
            }
        }
        data.sort_words(words);
        data.add_keys();
        data.add_postings();
        data.add_joins(id);
        data.add_groups(id);
        data.weigh(id);
        data
    }

    fn add_name(
        &mut self,
        entity: u32,
        name: &Name,
        of: NameOf,
        words: &mut BTreeMap<WordKey, (u32, PartClass)>,
        strings: &mut Strings,
    ) {
        let ordered = in_spoken_order(name, of);
        if ordered.is_empty() {
            return;
        }
        let start = self.name_parts.len();
        for (part, role) in ordered {
            let vowels_missing = part.readings.first().is_some_and(|reading| reading.writing == Writing::WithoutVowels);
            let fresh = num::position(words.len());
            let (token, _) = words.entry((part.letters().to_owned(), vowels_missing)).or_insert((fresh, part.class));
            self.name_parts.push(NamePartRecord { token: U32::new(*token), role });
        }
        self.names.push(NameRecord {
            entity: U32::new(entity),
            parts: U32::new(num::position(start)),
            text: strings.add(&name.text),
            parts_count: u8::try_from(self.name_parts.len() - start).unwrap_or(u8::MAX),
            kind: match name.kind {
                NameKind::Primary => 0,
                NameKind::Strong => 1,
                NameKind::Former => FORMER_NAME,
                NameKind::Weak => WEAK_ALIAS,
            },
            bits: U16::ZERO,
        });
    }

    /// Words get their numbers in the order of their letters.
    fn sort_words(&mut self, words: BTreeMap<WordKey, (u32, PartClass)>) {
        let mut renamed = vec![U32::ZERO; words.len()];
        for (sorted, ((letters, vowels_missing), (first, class))) in (0..).zip(words) {
            if let Some(place) = renamed.get_mut(num::at(first)) {
                *place = U32::new(sorted);
            }
            let record = self.word_record(&letters, vowels_missing, class);
            self.tokens.push(record);
        }
        for part in &mut self.name_parts {
            part.token = renamed.get(num::at(part.token.get())).copied().unwrap_or_default();
        }
    }

    fn word_record(&mut self, letters: &str, vowels_missing: bool, class: PartClass) -> TokenRecord {
        let letters = letters.get(..letters.len().min(usize::from(u8::MAX))).unwrap_or(letters);
        let sounds = sounds(letters);
        let record = TokenRecord {
            letters: U32::new(num::position(self.bytes.len())),
            sounds: U32::new(num::position(self.bytes.len() + letters.len())),
            letters_length: u8::try_from(letters.len()).unwrap_or(u8::MAX),
            sounds_length: u8::try_from(sounds.len()).unwrap_or(u8::MAX),
            class: class_number(class),
            flags: u8::from(vowels_missing),
            bits: 0,
            skeleton_bits: 0,
        };
        self.bytes.extend_from_slice(letters.as_bytes());
        self.bytes.extend_from_slice(&sounds);
        record
    }

    fn add_keys(&mut self) {
        let mut hashes = Vec::new();
        for number in 0..num::position(self.tokens.len()) {
            let Some(token) = self.view().token(number) else { continue };
            keys::word_keys(token.letters, token.sounds, &mut hashes);
            self.keys.extend(hashes.iter().map(|hash| KeyRecord { hash: U32::new(*hash), token: U32::new(number) }));
        }
        self.keys.sort_unstable_by_key(|record| (record.hash.get(), record.token.get()));
        self.key_directory = stored(keys::directory(self.keys.iter().map(|record| record.hash.get())));
    }

    fn add_postings(&mut self) {
        let mut names: Vec<Vec<U32>> = vec![Vec::new(); self.tokens.len()];
        for (number, name) in (0..).zip(&self.names) {
            for part in self.view().parts_of(name) {
                if let Some(own) = names.get_mut(num::at(part.token.get()))
                    && own.last().is_none_or(|last| last.get() != number)
                {
                    own.push(U32::new(number));
                }
            }
        }
        (self.posting_starts, self.postings) = flattened(names);
    }

    fn add_joins(&mut self, id: PartitionId) {
        let mut joins = Vec::new();
        for (number, name) in (0..).zip(&self.names) {
            let view = self.view();
            let parts = view.parts_of(name);
            if parts.len() > JOINED_PARTS_MAX {
                continue;
            }
            if id.names_of() == NameOf::Thing {
                joins.extend(acronyms(&view, parts, number));
            }
            let spans = parts.windows(2).enumerate().chain(parts.windows(3).enumerate());
            for (first, span) in spans {
                let letters: usize =
                    span.iter().filter_map(|part| view.token(part.token.get())).map(|token| token.letters.len()).sum();
                if span.len() > 2 && letters > JOINED_THREE_MAX {
                    continue;
                }
                joins.push(JoinRecord {
                    hash: U32::new(keys::join_key(&view.joined_sounds(span))),
                    name: U32::new(number),
                    first: u8::try_from(first).unwrap_or(u8::MAX),
                    count: u8::try_from(span.len()).unwrap_or(u8::MAX),
                });
            }
        }
        joins.sort_unstable_by_key(|join| (join.hash.get(), join.name.get(), join.first, join.count));
        self.join_directory = stored(keys::directory(joins.iter().map(|join| join.hash.get())));
        self.joins = joins;
    }

    fn add_groups(&mut self, id: PartitionId) {
        let mut by_sounds: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        for number in 0..num::position(self.tokens.len()) {
            if let Some(token) = self.view().token(number).filter(|token| token.writing == Writing::Full) {
                by_sounds.entry(token.sounds.to_vec()).or_default().push(number);
            }
        }
        let groups = id.groups().all().iter().map(|group| {
            let mut records: Vec<GroupRecord> = Vec::new();
            for (word, kinship) in group {
                for token in by_sounds.get(&sounds(word)).map_or(&[][..], Vec::as_slice) {
                    if !records.iter().any(|record| record.token.get() == *token) {
                        records.push(GroupRecord {
                            token: U32::new(*token),
                            kinship: u8::from(*kinship == crate::tables::Kinship::Nickname),
                        });
                    }
                }
            }
            records
        });
        (self.group_starts, self.groups) = flattened(groups.collect());
    }

    /// Gives words and names their weights.
    fn weigh(&mut self, id: PartitionId) {
        let weights = rarity::weights(&self.view(), id);
        for (token, weight) in self.tokens.iter_mut().zip(weights) {
            token.bits = num::eighths(weight.word);
            token.skeleton_bits = num::eighths(weight.skeleton);
        }
        let sums: Vec<U16> = self
            .names
            .iter()
            .map(|name| {
                let parts = self.view().parts_of(name);
                let bits = parts
                    .iter()
                    .filter_map(|part| self.tokens.get(num::at(part.token.get())))
                    .map(|token| u16::from(token.bits));
                U16::new(bits.fold(0, u16::saturating_add))
            })
            .collect();
        for (name, bits) in self.names.iter_mut().zip(sums) {
            name.bits = bits;
        }
    }

    fn view(&self) -> Partition<'_> {
        Partition {
            tokens: &self.tokens,
            bytes: &self.bytes,
            keys: &self.keys,
            key_directory: &self.key_directory,
            posting_starts: &self.posting_starts,
            postings: &self.postings,
            names: &self.names,
            name_parts: &self.name_parts,
            joins: &self.joins,
            join_directory: &self.join_directory,
            group_starts: &self.group_starts,
            groups: &self.groups,
        }
    }

    /// In the order of [`super::layout::PartitionSection`].
    pub(super) fn sections(self) -> [Vec<u8>; super::layout::PARTITION_SECTIONS] {
        [
            bytes(&self.tokens),
            self.bytes,
            bytes(&self.keys),
            bytes(&self.key_directory),
            bytes(&self.posting_starts),
            bytes(&self.postings),
            bytes(&self.names),
            bytes(&self.name_parts),
            bytes(&self.joins),
            bytes(&self.join_directory),
            bytes(&self.group_starts),
            bytes(&self.groups),
        ]
    }
}

/// The acronyms of a name of several words: of all that are no small words, and of those that are no legal form either.
fn acronyms(view: &Partition<'_>, parts: &[NamePartRecord], name: u32) -> Vec<JoinRecord> {
    let acronym = |left_out: &[PartClass]| -> Vec<u8> {
        let words = parts
            .iter()
            .filter_map(|part| view.token(part.token.get()))
            .filter(|token| !left_out.contains(&token.class));
        words.filter_map(|token| token.letters.first().copied()).collect()
    };
    let mut found = vec![
        acronym(&[PartClass::Particle, PartClass::Number]),
        acronym(&[PartClass::Particle, PartClass::Number, PartClass::LegalForm]),
    ];
    found.dedup();
    found.retain(|letters| letters.len() >= keys::ACRONYM_MIN);
    let record = |letters: &Vec<u8>| JoinRecord {
        hash: U32::new(keys::acronym_key(letters)),
        name: U32::new(name),
        first: 0,
        count: u8::try_from(parts.len()).unwrap_or(u8::MAX),
    };
    found.iter().map(record).collect()
}

/// The parts of a name, given names first, each with its role.
fn in_spoken_order(name: &Name, of: NameOf) -> Vec<(Part, u8)> {
    let mut all = parts(&name.text, of);
    let family = name.family.as_deref().map_or(0, |family| parts(family, of).len()).min(all.len());
    if family == 0 {
        return all.into_iter().map(|part| (part, 0)).collect();
    }
    all.rotate_left(family);
    let given = all.len() - family;
    all.into_iter().enumerate().map(|(at, part)| (part, if at < given { 2 } else { FAMILY_NAME })).collect()
}

fn stored(numbers: Vec<u32>) -> Vec<U32> {
    numbers.into_iter().map(U32::new).collect()
}

/// Lists of lists as starts and one run.
fn flattened<T>(lists: Vec<Vec<T>>) -> (Vec<U32>, Vec<T>) {
    let mut starts = Vec::with_capacity(lists.len() + 1);
    let mut all = Vec::new();
    starts.push(U32::ZERO);
    for list in lists {
        all.extend(list);
        starts.push(U32::new(num::position(all.len())));
    }
    (starts, all)
}
