//! What compliance asks the lists about somebody who need not be a client.

use serde_json::Value;

use crate::input::{Fault, Reader};
use crate::words::words;
use crate::{Country, Redacted, Timestamp};

/// Longest name, in characters.
const NAME_MAX: usize = 600;

words! {
    /// What is looked for (API.md).
    PartyKind {
        /// A human being.
        Person = "person",
        /// A company or other legal person.
        Organisation = "organisation",
    }
}

/// Whom to look for on the lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// The full name, in any script.
    pub full_name: Redacted<String>,
    /// The date of birth, `YYYY-MM-DD`.
    pub date_of_birth: Option<Redacted<String>>,
    /// The nationality.
    pub nationality: Option<Country>,
    /// Where the party lives or sits.
    pub residence: Option<Country>,
    /// What it is; both are looked for where nobody says.
    pub kind: Option<PartyKind>,
}

impl Inquiry {
    /// Reads a request.
    ///
    /// # Errors
    /// Every fault of the request at once.
    pub fn read(body: &Value, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let full_name = reader.string("full_name").map(|text| Redacted::new(reader.line("full_name", text, NAME_MAX)));
        let date_of_birth = reader.optional_string("date_of_birth").map(|text| born(text, now, &mut reader));
        let nationality = reader.optional_country("nationality");
        let residence = reader.optional_country("residence");
        let kind = reader.optional_word::<PartyKind>("type");
        if kind == Some(PartyKind::Organisation) && date_of_birth.is_some() {
            reader.fault_at("date_of_birth", "not_for_organisations", "an organisation has none");
        }
        let faults = reader.finish();
        match full_name {
            Some(full_name) if faults.is_empty() => Ok(Self { full_name, date_of_birth, nationality, residence, kind }),
            _ => Err(faults),
        }
    }
}

fn born(text: &str, now: Timestamp, reader: &mut Reader<'_>) -> Redacted<String> {
    let Some(date) = reader.day("date_of_birth", text) else { return Redacted::new(String::new()) };
    // somewhere it is tomorrow already
    if now.day().tomorrow().is_ok_and(|tomorrow| date > tomorrow) {
        reader.fault_at("date_of_birth", "in_the_future", "must not be in the future");
    }
    Redacted::new(date.to_string())
}
