//! Building the index from entries: what is said of them goes into records, their names into partitions.

use std::collections::BTreeMap;

use serde::Serialize;
use zerocopy::byteorder::little_endian::{U16, U32};
use zerocopy::{Immutable, IntoBytes};

use super::file::Index;
use super::keys;
use super::layout::{BirthRecord, DateRecord, DocumentRecord, EntityRecord, FormerRecord, Text};
use super::partition::PartitionId;
use super::partition_data::PartitionData;
use crate::model::{BirthDate, Document, Entity, EntityKind, Gender, PartialDate};
use crate::num;

/// A list that goes into the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListInfo {
    /// The code that its entries carry.
    pub code: String,
    /// Its date and whatever else tells its versions apart; named in every alert.
    pub version: String,
}

/// Builds the index. The same lists in the same order give the same bytes.
pub fn build(lists: &[ListInfo], entities: &[Entity]) -> Index {
    let mut strings = Strings::default();
    let list_texts: Vec<Text> = lists
        .iter()
        .flat_map(|list| [list.code.clone(), format!("{}@{}", list.code, list.version)])
        .map(|text| strings.add(&text))
        .collect();
    let mut global = Global::default();
    for entity in entities {
        let list = lists.iter().position(|list| list.code == entity.list).unwrap_or_default();
        global.add(entity, list, &mut strings);
    }
    global.documents.sort_by(|(a, _), (b, _)| a.cmp(b));
    let documents: Vec<DocumentRecord> = global.documents.iter().map(|(_, record)| *record).collect();
    let partitions: Vec<PartitionData> =
        PartitionId::ALL.iter().map(|id| PartitionData::build(*id, entities, &mut strings)).collect();

    let mut sections = vec![
        strings.bytes,
        bytes(&global.entities),
        bytes(&global.births),
        global.countries,
        bytes(&documents),
        bytes(&list_texts),
        bytes(&global.former),
    ];
    for partition in partitions {
        sections.extend(partition.sections());
    }
    Index::from_sections(&sections)
}

pub(super) fn bytes<T: IntoBytes + Immutable>(records: &[T]) -> Vec<u8> {
    records.as_bytes().to_vec()
}

/// All texts, each once.
#[derive(Default)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    known: BTreeMap<String, Text>,
}

impl Strings {
    pub(super) fn add(&mut self, text: &str) -> Text {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let mut end = text.len().min(usize::from(u16::MAX));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let kept = text.get(..end).unwrap_or_default();
        let record = Text {
            start: U32::new(num::position(self.bytes.len())),
            length: U16::new(u16::try_from(kept.len()).unwrap_or(u16::MAX)),
        };
        self.bytes.extend_from_slice(kept.as_bytes());
        self.known.insert(text.to_owned(), record);
        record
    }
}

#[derive(Default)]
struct Global {
    entities: Vec<EntityRecord>,
    births: Vec<BirthRecord>,
    countries: Vec<u8>,
    documents: Vec<(String, DocumentRecord)>,
    /// In the order of the entries.
    former: Vec<FormerRecord>,
}

impl Global {
    fn add(&mut self, entity: &Entity, list: usize, strings: &mut Strings) {
        let number = U32::new(num::position(self.entities.len()));
        let few = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
        let countries: Vec<_> = entity
            .nationalities
            .iter()
            .chain(entity.countries.iter().filter(|country| !entity.nationalities.contains(country)))
            .collect();
        self.entities.push(EntityRecord {
            id: strings.add(&entity.id),
            name: strings.add(entity.primary_name()),
            births: U32::new(num::position(self.births.len())),
            countries: U32::new(num::position(self.countries.len() / 2)),
            list: U16::new(u16::try_from(list).unwrap_or_default()),
            births_count: few(entity.births.len()),
            nationalities_count: few(entity.nationalities.len()),
            countries_count: few(countries.len()),
            kind: match entity.kind {
                EntityKind::Person => 0,
                EntityKind::Organisation => 1,
                EntityKind::Vessel => 2,
                EntityKind::Aircraft => 3,
            },
            gender: match entity.gender {
                None => 0,
                Some(Gender::Female) => 1,
                Some(Gender::Male) => 2,
            },
            fingerprint: fingerprint(&compared(entity)),
            matters: fingerprint(&matters(entity)),
        });
        let former = entity.former.iter().map(|id| FormerRecord { id: strings.add(id), entity: number });
        self.former.extend(former);
        self.births.extend(entity.births.iter().map(birth_record));
        self.countries.extend(countries.iter().flat_map(|country| country.bytes()));
        for document in &entity.documents {
            let comparable = Document::comparable(&document.number);
            if !comparable.is_empty() {
                let record = DocumentRecord {
                    number: strings.add(&comparable),
                    kind: strings.add(&document.kind),
                    entity: number,
                };
                self.documents.push((comparable, record));
            }
        }
    }
}

/// What clients are compared with: an entry that says something else there is compared with all of them again. Who names it and under
/// which programme is not.
fn compared(entity: &Entity) -> Entity {
    Entity { sources: Vec::new(), programmes: Vec::new(), former: Vec::new(), ..entity.clone() }
}

/// What a person's decision depends on: names, dates of birth, nationalities, documents and why the entry is on the list. An address
/// that is added, say, makes no other person of it.
fn matters(entity: &Entity) -> impl Serialize {
    let names: Vec<_> = entity.names.iter().map(|name| (name.text.clone(), name.kind)).collect();
    let mut documents: Vec<String> = entity.documents.iter().map(|own| Document::comparable(&own.number)).collect();
    documents.sort_unstable();
    documents.dedup();
    (entity.kind, names, entity.births.clone(), entity.nationalities.clone(), documents, entity.topics.clone())
}

fn fingerprint(of: &impl Serialize) -> [U32; 2] {
    // an entry is plain data and always can be written; one that could not would have the fingerprint of nothing, which is no text
    let text = serde_json::to_vec(of).unwrap_or_default();
    [1, 2].map(|seed| U32::new(keys::hash(&text, seed)))
}

fn birth_record(birth: &BirthDate) -> BirthRecord {
    let date = |date: &PartialDate| DateRecord {
        year: U16::new(u16::try_from(date.year()).unwrap_or_default()),
        month: date.month().unwrap_or_default(),
        day: date.day().unwrap_or_default(),
    };
    match birth {
        BirthDate::On(on) => BirthRecord { from: date(on), to: date(on), form: 0 },
        BirthDate::About(about) => BirthRecord { from: date(about), to: date(about), form: 1 },
        BirthDate::Between(from, to) => BirthRecord { from: date(from), to: date(to), form: 2 },
    }
}
