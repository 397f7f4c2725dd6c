//! The index as bytes: records of fixed size, little-endian, without alignment, so that a file is used where it lies.

use zerocopy::byteorder::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The first bytes of every index file.
pub(super) const MAGIC: [u8; 8] = *b"PWSCREEN";
/// Changes with every change of the layout or of what the bytes mean.
pub(super) const FORMAT: u32 = 4;

/// What a section holds. The number is its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Strings,
    Entities,
    Births,
    Countries,
    Documents,
    Lists,
    Former,
}

/// Sections before those of the partitions.
pub(super) const GLOBAL_SECTIONS: usize = 7;

/// What a partition's section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartitionSection {
    Tokens,
    Bytes,
    Keys,
    KeyDirectory,
    PostingStarts,
    Postings,
    Names,
    NameParts,
    Joins,
    JoinDirectory,
    GroupStarts,
    Groups,
}

/// Sections of each partition.
pub(super) const PARTITION_SECTIONS: usize = 12;

/// Start of the file.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Header {
    pub magic: [u8; 8],
    pub format: U32,
    /// Checksum of the data tables that the keys were made with.
    pub tables: U32,
    /// Checksum of everything after the header.
    pub checksum: U32,
    /// Bytes of the whole file.
    pub length: U32,
}

/// Where a section lies.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct SectionRecord {
    pub start: U32,
    pub length: U32,
}

/// A text in the strings.
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Text {
    pub start: U32,
    pub length: U16,
}

/// A listed party.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct EntityRecord {
    pub id: Text,
    pub name: Text,
    pub births: U32,
    pub countries: U32,
    pub list: U16,
    pub births_count: u8,
    /// Countries of nationality come first.
    pub nationalities_count: u8,
    pub countries_count: u8,
    /// 0 person, 1 organisation, 2 vessel, 3 aircraft.
    pub kind: u8,
    /// 0 unknown, 1 female, 2 male.
    pub gender: u8,
    /// Of all that clients are compared with.
    pub fingerprint: [U32; 2],
    /// Of what a person's decision about the entry depends on.
    pub matters: [U32; 2],
}

/// An identifier of an entry that was merged into another one.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct FormerRecord {
    pub id: Text,
    pub entity: U32,
}

/// One end of a date of birth.
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct DateRecord {
    pub year: U16,
    pub month: u8,
    pub day: u8,
}

/// A date of birth.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct BirthRecord {
    pub from: DateRecord,
    /// Equal to `from` unless it is a range.
    pub to: DateRecord,
    /// 0 on, 1 about, 2 between.
    pub form: u8,
}

/// A document, sorted by its comparable number.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct DocumentRecord {
    pub number: Text,
    pub kind: Text,
    pub entity: U32,
}

/// A distinct word of the names of a partition, sorted by letters.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct TokenRecord {
    pub letters: U32,
    pub sounds: U32,
    pub letters_length: u8,
    pub sounds_length: u8,
    pub class: u8,
    /// Bit 0: short vowels are not written.
    pub flags: u8,
    /// Eighths of a bit: how rare the word and what is spelled like it is.
    pub bits: u8,
    /// The same for all words with the same consonants.
    pub skeleton_bits: u8,
}

/// A hashed key of a word.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub(crate) struct KeyRecord {
    pub hash: U32,
    pub token: U32,
}

/// The stored kinds of names that are not as good as the others.
pub(crate) const FORMER_NAME: u8 = 2;
pub(crate) const WEAK_ALIAS: u8 = 3;

/// A name of an entry.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct NameRecord {
    pub entity: U32,
    pub parts: U32,
    pub text: Text,
    pub parts_count: u8,
    /// 0 primary, 1 strong, 2 former, 3 weak.
    pub kind: u8,
    /// Eighths of a bit, all parts together.
    pub bits: U16,
}

/// The stored role of a family name.
pub(crate) const FAMILY_NAME: u8 = 1;

/// A word in its name.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct NamePartRecord {
    pub token: U32,
    /// 0 unknown, 1 family name, 2 given name.
    pub role: u8,
}

/// Neighbouring words of a name written as one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub(crate) struct JoinRecord {
    pub hash: U32,
    pub name: U32,
    pub first: u8,
    pub count: u8,
}

/// A word of the lists that belongs to a group of names that stand for each other.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub(crate) struct GroupRecord {
    pub token: U32,
    /// 0 form, 1 nickname.
    pub kinship: u8,
}
