//! Whom to screen.

use serde::{Deserialize, Serialize};

use crate::index::partition::PartitionId;
use crate::model::{Country, Gender, PartialDate};

/// A client as far as screening needs to know him, her or it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Query {
    /// The full name, in any script and order.
    pub name: String,
    /// Person, organisation or craft; `None` looks among persons and organisations.
    pub kind: Option<QueryKind>,
    /// The date of birth, if it is known.
    pub birth: Option<PartialDate>,
    /// Countries of nationality and residence.
    pub countries: Vec<Country>,
    /// The gender, if it is known.
    pub gender: Option<Gender>,
    /// Numbers of passports and other documents, tax and registration numbers, wallets.
    pub documents: Vec<String>,
}

impl std::fmt::Debug for Query {
    /// Clients are not written into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What kind of client it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryKind {
    /// A human being.
    Person,
    /// A company or other legal person.
    Organisation,
    /// A ship or aircraft.
    Craft,
}

impl QueryKind {
    /// Where a client of the kind is looked for.
    pub(crate) fn partitions(kind: Option<Self>) -> &'static [PartitionId] {
        match kind {
            Some(Self::Person) => &[PartitionId::Persons],
            Some(Self::Organisation) => &[PartitionId::Organisations],
            Some(Self::Craft) => &[PartitionId::Craft],
            None => &[PartitionId::Persons, PartitionId::Organisations],
        }
    }

    /// Where a client of the kind is looked for by the exact name only: lists and clients' forms mistake one for the other.
    pub(crate) fn exact_only(kind: Option<Self>) -> Option<PartitionId> {
        match kind {
            Some(Self::Person) => Some(PartitionId::Organisations),
            Some(Self::Organisation) => Some(PartitionId::Persons),
            Some(Self::Craft) | None => None,
        }
    }
}
