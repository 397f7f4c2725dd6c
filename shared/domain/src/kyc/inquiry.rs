//! What compliance asks the lists about somebody who need not be a client.

use serde_json::Value;

use crate::input::{Fault, Reader};
use crate::visible::visible;
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
        let full_name = reader.string("full_name").map(|text| name(text, &mut reader));
        let date_of_birth = reader.optional_string("date_of_birth").map(|text| born(text, now, &mut reader));
        let nationality = country("nationality", &mut reader);
        let residence = country("residence", &mut reader);
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

fn name(text: &str, reader: &mut Reader<'_>) -> Redacted<String> {
    let trimmed = text.trim();
    if visible(trimmed).trim().is_empty() {
        reader.fault_at("full_name", "empty", "must not be empty");
    } else if trimmed.chars().count() > NAME_MAX {
        reader.fault_at("full_name", "too_long", format!("must have at most {NAME_MAX} characters"));
    } else if trimmed.chars().any(char::is_control) {
        reader.fault_at("full_name", "control_character", "must not contain control characters");
    }
    Redacted::new(trimmed.to_owned())
}

fn born(text: &str, now: Timestamp, reader: &mut Reader<'_>) -> Redacted<String> {
    let Ok(date) = text.parse::<jiff::civil::Date>() else {
        reader.fault_at("date_of_birth", "invalid_date", "must be a date such as 1990-05-17");
        return Redacted::new(String::new());
    };
    let today = jiff::Timestamp::from_millisecond(now.millis()).map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date());
    // somewhere it is tomorrow already
    if today.is_ok_and(|today| today.tomorrow().is_ok_and(|tomorrow| date > tomorrow)) {
        reader.fault_at("date_of_birth", "in_the_future", "must not be in the future");
    }
    Redacted::new(date.to_string())
}

fn country(field: &'static str, reader: &mut Reader<'_>) -> Option<Country> {
    let text = reader.optional_string(field)?;
    let parsed = text.parse().ok();
    if parsed.is_none() {
        reader.fault_at(field, "unknown_country", "must be an ISO 3166-1 alpha-2 code such as ES");
    }
    parsed
}
