//! What a client declares about himself.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{Fault, Reader};
use crate::visible::visible;
use crate::words::words;
use crate::{Country, Redacted, Timestamp};

/// Longest occupation, in characters.
const OCCUPATION_MAX: usize = 200;

words! {
    /// Where the money comes from (API.md).
    SourceOfFunds {
        /// Wages.
        Employment = "employment",
        /// An own business.
        Business = "business",
        /// Savings.
        Savings = "savings",
        /// Gains of investments.
        Investments = "investments",
        /// An inheritance.
        Inheritance = "inheritance",
        /// A pension.
        Pension = "pension",
        /// Anything else.
        Other = "other",
    }
}

/// What events may carry of a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// Where the money comes from.
    pub source_of_funds: SourceOfFunds,
    /// Where the client is taxed, if he says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_residence: Option<Country>,
    /// Whether the client calls himself politically exposed.
    pub pep: bool,
    /// When it was made.
    pub at: Timestamp,
}

/// A declaration as it was sent: the part for events, and the occupation.
pub type Declared = (Declaration, Option<Redacted<String>>);

impl Declaration {
    /// Reads a declaration.
    ///
    /// # Errors
    /// Every fault of the input at once.
    pub fn read(body: &Value, now: Timestamp) -> Result<Declared, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let source = reader.word("source_of_funds");
        let occupation =
            reader.optional_string("occupation").map(|text| reader.line("occupation", &visible(text), OCCUPATION_MAX));
        let tax = reader.optional_country("tax_residence");
        let pep = reader.bool("pep");
        let faults = reader.finish();
        match (source, pep) {
            (Some(source_of_funds), Some(pep)) if faults.is_empty() => {
                let declaration = Self { source_of_funds, tax_residence: tax, pep, at: now };
                Ok((declaration, occupation.map(Redacted::new)))
            }
            _ => Err(faults),
        }
    }

    /// Whether it says the same, whenever it was made.
    pub fn says_the_same(&self, other: &Self) -> bool {
        Self { at: other.at, ..self.clone() } == *other
    }
}
