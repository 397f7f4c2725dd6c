//! Everything but the name that speaks for or against: dates, countries, gender, documents.

use serde::Serialize;

use super::dates::{self, DateFinding};
use super::query::Query;
use crate::index::Index;
use crate::index::layout::EntityRecord;
use crate::model::{Document, Gender};
use crate::num;

/// What a fact says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Both sides have it and it agrees.
    Match,
    /// Both sides have it and it does not.
    Differs,
    /// One side does not say.
    Unknown,
}

/// The facts about a client and a listed party.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub date: DateFinding,
    pub country: Finding,
    pub gender: Finding,
    pub document: Finding,
}

/// Compares the facts. `documents` are the numbers of entries that a document of the client names.
pub(crate) fn facts(index: &Index, query: &Query, number: u32, entity: &EntityRecord, documents: &[u32]) -> Facts {
    Facts {
        date: dates::compare(query.birth, index.births(entity)),
        country: country(query, index.countries(entity)),
        gender: gender(query.gender, entity.gender),
        document: if documents.contains(&number) { Finding::Match } else { Finding::Unknown },
    }
}

fn country(query: &Query, listed: &[[u8; 2]]) -> Finding {
    if query.countries.is_empty() || listed.is_empty() {
        return Finding::Unknown;
    }
    if query.countries.iter().any(|country| listed.contains(&country.bytes())) {
        Finding::Match
    } else {
        Finding::Differs
    }
}

fn gender(client: Option<Gender>, listed: u8) -> Finding {
    match (client, listed) {
        (None, _) | (_, 0) => Finding::Unknown,
        (Some(Gender::Female), 1) | (Some(Gender::Male), 2) => Finding::Match,
        _ => Finding::Differs,
    }
}

/// The shortest number that identifies somebody.
const DOCUMENT_LENGTH_MIN: usize = 5;

/// The entries that one of the client's documents names.
pub(crate) fn entities_with_documents(index: &Index, query: &Query) -> Vec<u32> {
    let listed = index.documents();
    let mut entities = Vec::new();
    for number in &query.documents {
        let number = Document::comparable(number);
        if number.len() < DOCUMENT_LENGTH_MIN {
            continue;
        }
        let first = listed.partition_point(|document| index.text(document.number) < number.as_str());
        let same =
            listed.get(first..).unwrap_or_default().iter().take_while(|document| index.text(document.number) == number);
        entities.extend(same.map(|document| document.entity.get()));
    }
    entities.retain(|entity| index.entities().get(num::at(*entity)).is_some());
    entities
}
