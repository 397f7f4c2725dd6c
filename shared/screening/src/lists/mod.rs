//! The parsers: every list in its own layout, one result.
//!
//! A row that cannot be read is reported with its line and the reason and never dropped in silence. A file that cannot be trusted as a
//! whole is an error: a truncated download must not clear everybody.

pub mod delta;
mod eu_csv;
mod eu_xml;
pub mod folder;
pub mod format;
mod grouped;
pub mod line;
mod name_words;
mod names;
mod ofac_advanced;
pub mod ofac_csv;
mod ofac_xml;
mod opensanctions;
mod own_csv;
pub mod pep_csv;
mod rows;
pub mod size;
mod table;
mod uk_csv;
mod uk_full;
mod un_xml;
mod us_csl;
pub mod weak;
mod wording;
mod xml;

use serde::Serialize;

use crate::model::Entity;

/// What a list file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The listed parties, in the file's order.
    pub entities: Vec<Entity>,
    /// What could not be read.
    pub faults: Vec<Fault>,
    /// Data rows or elements that were looked at, readable or not.
    pub rows: usize,
    /// The date of the list as the file states it, if it does.
    pub published: Option<String>,
}

/// A row or element that could not be read, or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{part}, line {line}: {reason}")]
pub struct Fault {
    /// Which of the list's files.
    pub part: &'static str,
    /// Where in it, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
}

/// Why a file is not usable at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// It is something else than was announced.
    #[error("{part} is not in the announced format: {reason}")]
    Format {
        /// Which of the list's files.
        part: &'static str,
        /// How that shows.
        reason: String,
    },
    /// It ends too early.
    #[error("{part} is truncated: {reason}")]
    Truncated {
        /// Which of the list's files.
        part: &'static str,
        /// How that shows.
        reason: String,
    },
    /// It has far fewer entries than the version before, or fewer of one sort.
    #[error(
        "the list has {now} {what}, the version before had {before}: a shrinkage beyond {allowed_percent} % is not taken over"
    )]
    Shrunk {
        /// What was counted, in words.
        what: String,
        /// So many in the version before.
        before: usize,
        /// So many now.
        now: usize,
        /// The shrinkage that is still believed.
        allowed_percent: usize,
    },
}

impl Loaded {
    fn fault(&mut self, part: &'static str, line: u64, reason: impl Into<String>) {
        self.faults.push(Fault { part, line, reason: reason.into() });
    }

    /// Puts every entry in its normal form; the last step of every parser.
    /// A list of nobody is no list: it would clear everybody.
    fn finish(mut self, part: &'static str) -> Result<Self, ListError> {
        if self.rows == 0 {
            return Err(ListError::Empty(part));
        }
        if self.entities.is_empty() {
            return Err(ListError::Format { part, reason: format!("no entry can be read of {}", self.rows) });
        }
        for entity in &mut self.entities {
            names::split(entity);
            entity.normalise();
        }
        Ok(self)
    }
}
