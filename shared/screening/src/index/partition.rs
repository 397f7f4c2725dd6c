//! Persons, organisations and craft are never scored against each other: each has a partition of the index.

use crate::model::EntityKind;
use crate::tables::Groups;
use crate::text::parts::NameOf;

/// How many partitions there are.
pub(crate) const PARTITIONS: usize = 3;

/// A partition of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartitionId {
    /// Human beings.
    Persons,
    /// Companies, authorities, groups.
    Organisations,
    /// Ships and aircraft.
    Craft,
}

impl PartitionId {
    /// In the order of the file.
    pub(crate) const ALL: [Self; PARTITIONS] = [Self::Persons, Self::Organisations, Self::Craft];

    pub(crate) fn number(self) -> usize {
        match self {
            Self::Persons => 0,
            Self::Organisations => 1,
            Self::Craft => 2,
        }
    }

    pub(crate) fn of_kind(kind: EntityKind) -> Self {
        match kind {
            EntityKind::Person => Self::Persons,
            EntityKind::Organisation => Self::Organisations,
            EntityKind::Vessel | EntityKind::Aircraft => Self::Craft,
        }
    }

    /// How its names are cut into parts.
    pub(crate) fn names_of(self) -> NameOf {
        match self {
            Self::Persons => NameOf::Person,
            Self::Organisations | Self::Craft => NameOf::Thing,
        }
    }

    /// The words that stand for each other in its names.
    pub(crate) fn groups(self) -> &'static Groups {
        match self {
            Self::Persons => Groups::of_persons(),
            Self::Organisations | Self::Craft => Groups::of_things(),
        }
    }
}
