//! What a zone says.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::dates::PartialDate;
use super::layout::Format;
use super::names::Names;
use super::solve::{Proof, Proofs};
use super::states::State;

/// The sex as a zone says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Sex {
    Female,
    Male,
    /// X or a filler: neither of both, or not said.
    Unspecified,
}

/// A character that is not as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mend {
    /// The line of the zone, from 1.
    pub row: usize,
    /// The place in the line, from 1.
    pub column: usize,
    /// What was read; `?` if nothing of a zone's alphabet was.
    pub read: char,
    /// What it was taken for.
    pub became: char,
}

/// A zone as it is most probably meant. `Debug` does not show what belongs to the person.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Zone {
    /// Its layout.
    pub format: Format,
    /// The first two characters without filler: `P`, `PN`, `ID`, …
    pub document_code: String,
    /// The issuing state or organisation; none if no code like it is known.
    pub issuer: Option<State>,
    /// The names.
    pub names: Names,
    /// The document's number, whole where it goes on in the optional data.
    pub number: String,
    /// The nationality; none if no code like it is known, or the layout has none.
    pub nationality: Option<State>,
    /// The date of birth; none if it is no date.
    pub date_of_birth: Option<PartialDate>,
    /// The sex; none if the character is none of those that may stand there.
    pub sex: Option<Sex>,
    /// The date of expiry; none if it is no date, or the layout has none.
    pub expires: Option<PartialDate>,
    /// What the state adds, without fillers around it.
    pub optional: Vec<String>,
    /// What the check digits say of each field.
    pub proofs: Proofs,
    /// Whether the composite check digit holds; none where the layout has none.
    pub composite: Option<bool>,
    /// Every character that is not as it was read.
    pub mends: Vec<Mend>,
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Zone");
        shown.field("format", &self.format).field("proofs", &self.proofs).field("composite", &self.composite);
        shown.field("mends", &self.mends.len()).finish_non_exhaustive()
    }
}

impl Zone {
    /// Whether all its check digits hold, and those of the number without a mend: the composite digit weighs a number as its own
    /// digit does, so one of ten wrong mends of it passes both. The dates it weighs otherwise.
    pub fn is_proved(&self) -> bool {
        self.check_digits_hold() && self.proofs.number == Proof::Read
    }

    /// Whether all its check digits hold; several numbers may do.
    pub(crate) fn check_digits_hold(&self) -> bool {
        let others = [Some(self.proofs.date_of_birth), self.proofs.expires];
        self.composite != Some(false)
            && self.proofs.number != Proof::Fails
            && self.proofs.optional.is_none_or(|proof| proof != Proof::Fails)
            && others.into_iter().flatten().all(Proof::proves)
    }
}
