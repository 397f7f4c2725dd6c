//! The index file: header, table of sections, sections. Checked once when it is loaded, used without parsing afterwards.

use std::ops::Range;

use zerocopy::byteorder::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::layout::{
    BirthRecord, DocumentRecord, EntityRecord, FORMAT, FormerRecord, GLOBAL_SECTIONS, GroupRecord, Header, JoinRecord,
    KeyRecord, MAGIC, NamePartRecord, NameRecord, PARTITION_SECTIONS, PartitionSection, Section, SectionRecord, Text,
    TokenRecord,
};
use super::view::Partition;
use crate::index::partition::{PARTITIONS, PartitionId};
use crate::num;
use crate::tables;

/// All sections of a file.
pub(super) const SECTIONS: usize = GLOBAL_SECTIONS + PARTITIONS * PARTITION_SECTIONS;

/// An index, ready for screening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    bytes: Vec<u8>,
    sections: Vec<Range<usize>>,
}

/// Why bytes are no usable index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// They do not begin as an index does.
    #[error("not an index of the screening engine")]
    Foreign,
    /// It was made by another version of the engine.
    #[error("the index has format {found}, this engine reads {expected}: build it again")]
    Format {
        /// The format of the file.
        found: u32,
        /// The format of this engine.
        expected: u32,
    },
    /// It was made with other tables of names than this engine has.
    #[error("the index was made with other name tables: build it again")]
    Tables,
    /// It is shorter or longer than it says.
    #[error("the index has {found} bytes instead of {expected}: it is truncated")]
    Length {
        /// Bytes that are there.
        found: usize,
        /// Bytes that the header announces.
        expected: usize,
    },
    /// Some byte is not what was written.
    #[error("the checksum of the index is wrong: it is damaged")]
    Damaged,
}

/// Names what an index depends on beside the lists: its layout and the engine's tables. An index of another edition has to be built
/// again before this engine takes it.
pub fn edition() -> String {
    format!("{FORMAT}-{:08x}", tables::checksum())
}

impl Index {
    /// Takes an index over from the bytes of a file, after checking all of them.
    ///
    /// # Errors
    /// [`IndexError`], by which damage, a foreign file and an old format are told apart.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, IndexError> {
        let (header, rest) = Header::ref_from_prefix(&bytes).map_err(|_| IndexError::Foreign)?;
        if header.magic != MAGIC {
            return Err(IndexError::Foreign);
        }
        if header.format.get() != FORMAT {
            return Err(IndexError::Format { found: header.format.get(), expected: FORMAT });
        }
        if num::at(header.length.get()) != bytes.len() {
            return Err(IndexError::Length { found: bytes.len(), expected: num::at(header.length.get()) });
        }
        if crc32fast::hash(rest) != header.checksum.get() {
            return Err(IndexError::Damaged);
        }
        if header.tables.get() != tables::checksum() {
            return Err(IndexError::Tables);
        }
        let (records, _) =
            <[SectionRecord]>::ref_from_prefix_with_elems(rest, SECTIONS).map_err(|_| IndexError::Damaged)?;
        let range = |record: &SectionRecord| {
            num::at(record.start.get())..num::at(record.start.get()).saturating_add(num::at(record.length.get()))
        };
        let sections: Vec<Range<usize>> = records.iter().map(range).collect();
        if sections.iter().any(|range| bytes.get(range.clone()).is_none()) {
            return Err(IndexError::Damaged);
        }
        let index = Self { bytes, sections };
        if index.has_whole_records() { Ok(index) } else { Err(IndexError::Damaged) }
    }

    /// Whether every section is a number of its records: what is left over would read as an empty section.
    fn has_whole_records(&self) -> bool {
        let global = [
            1,
            size_of::<EntityRecord>(),
            size_of::<BirthRecord>(),
            size_of::<[u8; 2]>(),
            size_of::<DocumentRecord>(),
            size_of::<Text>(),
            size_of::<FormerRecord>(),
        ];
        let (number, key, name) = (size_of::<U32>(), size_of::<KeyRecord>(), size_of::<NameRecord>());
        let partition = [
            size_of::<TokenRecord>(),
            1,
            key,
            number,
            number,
            number,
            name,
            size_of::<NamePartRecord>(),
            size_of::<JoinRecord>(),
            number,
            number,
            size_of::<GroupRecord>(),
        ];
        let sizes = global.into_iter().chain(std::iter::repeat_n(partition, PARTITIONS).flatten());
        self.sections.iter().zip(sizes).all(|(section, size)| section.len().is_multiple_of(size))
    }

    /// Puts sections together to a file.
    pub(super) fn from_sections(parts: &[Vec<u8>]) -> Self {
        let header_length = size_of::<Header>() + SECTIONS * size_of::<SectionRecord>();
        let mut table = Vec::with_capacity(SECTIONS * size_of::<SectionRecord>());
        let mut sections = Vec::with_capacity(SECTIONS);
        let mut start = header_length;
        for part in parts {
            let record =
                SectionRecord { start: U32::new(num::position(start)), length: U32::new(num::position(part.len())) };
            table.extend_from_slice(record.as_bytes());
            sections.push(start..start + part.len());
            start += part.len();
        }
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&table);
        for part in parts {
            checksum.update(part);
        }
        let header = Header {
            magic: MAGIC,
            format: U32::new(FORMAT),
            tables: U32::new(tables::checksum()),
            checksum: U32::new(checksum.finalize()),
            length: U32::new(num::position(start)),
        };
        let mut bytes = Vec::with_capacity(start);
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&table);
        for part in parts {
            bytes.extend_from_slice(part);
        }
        Self { bytes, sections }
    }

    /// The file. The same lists give the same bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Listed parties in it.
    pub fn entity_count(&self) -> usize {
        self.entities().len()
    }

    /// Names in it, aliases included.
    pub fn name_count(&self) -> usize {
        PartitionId::ALL.iter().map(|id| self.partition(*id).names.len()).sum()
    }

    /// The lists in it with their versions, for example `ofac_sdn@2024-05-03`, joined by blanks: what an alert has to name.
    pub fn list_version(&self) -> String {
        let lists: Vec<&str> = self
            .records::<Text>(place(Section::Lists))
            .iter()
            .skip(1)
            .step_by(2)
            .map(|text| self.text(*text))
            .collect();
        lists.join(" ")
    }

    /// The codes of the lists in it.
    pub(crate) fn list_codes(&self) -> impl Iterator<Item = &str> {
        self.records::<Text>(place(Section::Lists)).iter().step_by(2).map(|text| self.text(*text))
    }

    /// The code of a list.
    pub(crate) fn list_code(&self, list: u16) -> &str {
        self.records::<Text>(place(Section::Lists)).get(usize::from(list) * 2).map_or("", |text| self.text(*text))
    }

    pub(crate) fn entities(&self) -> &[EntityRecord] {
        self.records(place(Section::Entities))
    }

    pub(crate) fn births(&self, entity: &EntityRecord) -> &[BirthRecord] {
        run(self.records(place(Section::Births)), entity.births, entity.births_count)
    }

    /// Two bytes a country; those of nationality first.
    pub(crate) fn countries(&self, entity: &EntityRecord) -> &[[u8; 2]] {
        run(self.records(place(Section::Countries)), entity.countries, entity.countries_count)
    }

    /// The documents, sorted by comparable number.
    pub(crate) fn documents(&self) -> &[DocumentRecord] {
        self.records(place(Section::Documents))
    }

    /// The identifiers that an entry had before others were merged with it.
    pub(crate) fn former_of(&self, entity: u32) -> impl Iterator<Item = &str> {
        let all = self.former();
        let from = all.partition_point(|record| record.entity.get() < entity);
        let own = all.iter().skip(from).take_while(move |record| record.entity.get() == entity);
        own.map(|record| self.text(record.id))
    }

    /// Former identifiers in the order of the entries that they were merged into.
    pub(crate) fn former(&self) -> &[FormerRecord] {
        self.records(place(Section::Former))
    }

    pub(crate) fn text(&self, text: Text) -> &str {
        let start = num::at(text.start.get());
        let bytes = self.section(place(Section::Strings)).get(start..start + usize::from(text.length.get()));
        bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    pub(crate) fn partition(&self, id: PartitionId) -> Partition<'_> {
        let place = |part: PartitionSection| GLOBAL_SECTIONS + id.number() * PARTITION_SECTIONS + part_place(part);
        Partition {
            tokens: self.records(place(PartitionSection::Tokens)),
            bytes: self.section(place(PartitionSection::Bytes)),
            keys: self.records(place(PartitionSection::Keys)),
            key_directory: self.records(place(PartitionSection::KeyDirectory)),
            posting_starts: self.records(place(PartitionSection::PostingStarts)),
            postings: self.records(place(PartitionSection::Postings)),
            names: self.records(place(PartitionSection::Names)),
            name_parts: self.records(place(PartitionSection::NameParts)),
            joins: self.records(place(PartitionSection::Joins)),
            join_directory: self.records(place(PartitionSection::JoinDirectory)),
            group_starts: self.records(place(PartitionSection::GroupStarts)),
            groups: self.records(place(PartitionSection::Groups)),
        }
    }

    fn section(&self, at: usize) -> &[u8] {
        self.sections.get(at).and_then(|range| self.bytes.get(range.clone())).unwrap_or_default()
    }

    fn records<T: FromBytes + Immutable + KnownLayout + Unaligned>(&self, at: usize) -> &[T] {
        <[T]>::ref_from_bytes(self.section(at)).unwrap_or_default()
    }
}

fn run<T>(all: &[T], start: U32, count: u8) -> &[T] {
    let start = num::at(start.get());
    all.get(start..start.saturating_add(usize::from(count))).unwrap_or_default()
}

fn place(section: Section) -> usize {
    match section {
        Section::Strings => 0,
        Section::Entities => 1,
        Section::Births => 2,
        Section::Countries => 3,
        Section::Documents => 4,
        Section::Lists => 5,
        Section::Former => 6,
    }
}

fn part_place(part: PartitionSection) -> usize {
    match part {
        PartitionSection::Tokens => 0,
        PartitionSection::Bytes => 1,
        PartitionSection::Keys => 2,
        PartitionSection::KeyDirectory => 3,
        PartitionSection::PostingStarts => 4,
        PartitionSection::Postings => 5,
        PartitionSection::Names => 6,
        PartitionSection::NameParts => 7,
        PartitionSection::Joins => 8,
        PartitionSection::JoinDirectory => 9,
        PartitionSection::GroupStarts => 10,
        PartitionSection::Groups => 11,
    }
}
