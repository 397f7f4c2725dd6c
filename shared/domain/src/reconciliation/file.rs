//! A settlement file as it was taken: what was read and what was not; its rows are beside it.

use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::entity::{Entity, InMoney, Parts, ReadError};
use crate::{Day, Money, SettlementFileId};

/// Refused rows that are kept one by one.
const REFUSALS_MAX: usize = 100;

/// A row that was not read. It never quotes the row: what a vendor wrote is not for the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Why, as one word.
    pub code: String,
    /// Why, for a person.
    pub message: String,
}

/// The public part: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementFileFacts {
    /// The provider.
    pub psp: String,
    /// The day that it is of.
    pub date: Day,
    /// SHA-256 of its bytes, hexadecimal.
    pub hash: String,
    /// Which columns it has: the provider's own, or the generic ones.
    pub format: String,
    /// Rows that are payments.
    pub read: usize,
    /// Rows about other things: fees, transfers to the bank.
    pub ignored: usize,
    /// Rows that were refused.
    pub refused: usize,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// What its rows sum to before fees, for each currency.
    pub total: Vec<Money>,
}

/// What reading a file came to, besides its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// [`SettlementFileFacts::format`].
    pub format: &'static str,
    /// Rows that are payments.
    pub read: usize,
    /// Rows about other things.
    pub ignored: usize,
    /// Rows that were refused.
    pub refusals: Vec<Refusal>,
    /// What the rows sum to.
    pub total: Vec<Money>,
}

/// A file, once for each time that it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementFile {
    /// Its id.
    pub id: SettlementFileId,
    /// What events carry.
    pub facts: SettlementFileFacts,
}

impl SettlementFile {
    /// Where the rows of a file are kept: the same file again has them in the same place.
    pub fn place(psp: &str, date: Day, hash: &str) -> String {
        format!("{psp}#{date}#{}", hash.get(..32).unwrap_or(hash))
    }

    /// A file that was read.
    pub fn taken(id: SettlementFileId, psp: &str, date: Day, hash: &str, taken: Taken) -> Decision<Self> {
        let refused = taken.refusals.len();
        let facts = SettlementFileFacts {
            psp: psp.to_owned(),
            date,
            hash: hash.to_owned(),
            format: taken.format.to_owned(),
            read: taken.read,
            ignored: taken.ignored,
            refused,
            refusals: taken.refusals.into_iter().take(REFUSALS_MAX).collect(),
            total: taken.total,
        };
        let why = vec![format!("{} rows read, {} ignored, {refused} refused", facts.read, facts.ignored)];
        Decision::new(Self { id, facts }, "taken", vec![], why)
    }
}

impl Entity for SettlementFile {
    type Id = SettlementFileId;
    type Table = InMoney;
    type Public = SettlementFileFacts;
    type Private = ();
    const KIND: &'static str = "settlement_file";

    fn id(&self) -> &SettlementFileId {
        &self.id
    }

    fn public(&self) -> &SettlementFileFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public })
    }
}
