//! A document read: its zone, its fields with where they come from and whether they can be relied on, and what was found.

use domain::Redacted;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Source};
use crate::line::Line;
use crate::mrz::{self, Found, PartialDate, Sex, State, Zone};
use crate::proved::of_zone;
use crate::visual::{self, TextLine};
use crate::without_zone::without_zone;

/// What kind of identity document was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Passport,
    IdCard,
    DrivingLicence,
}

/// A value read from a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field<T> {
    /// The value; it belongs to the person.
    pub value: Redacted<T>,
    /// Which part of the document says so.
    pub source: Source,
    /// Whether it can be relied on without a person: the check digits hold, and names and number stand in both parts.
    pub sure: bool,
}

/// The values of a document; what was not read is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<Field<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_names: Option<Field<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Field<PartialDate>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Field<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Field<PartialDate>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nationality: Option<Field<State>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Field<State>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Field<Sex>>,
}

/// A document read. It serialises in clear, for the private part of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// What was asked for.
    pub kind: Kind,
    /// The machine-readable zone, if there is one.
    pub zone: Option<Zone>,
    /// The check digits hold, and number and whole names stand in both parts letter by letter, however they part the names into
    /// words: who the document is of is certain, even where a name's words are not.
    pub agrees: bool,
    /// The values.
    pub fields: Fields,
    /// What is to be said of them.
    pub findings: Vec<Finding>,
}

/// Reads a document from the lines of one picture.
pub fn read(lines: &[Line], kind: Kind, today: Date) -> Reading {
    read_sides(&[lines], kind, today)
}

/// Reads a document from the lines of its sides: the zone of a card stands on the back, the number on the front confirms it.
pub fn read_sides(sides: &[&[Line]], kind: Kind, today: Date) -> Reading {
    let mut zones: Vec<Found> = vec![];
    let mut lines: Vec<TextLine> = vec![];
    for (page, side) in sides.iter().enumerate() {
        let found = mrz::find(side, today);
        let of_zone: Vec<usize> = found.iter().flat_map(|found| found.lines.iter().copied()).collect();
        lines.extend(visual::lines(side, &of_zone, page));
        zones.extend(found);
    }
    zones.sort_by_key(|found| !found.zone.check_digits_hold());
    let values = visual::read(&mut lines);
    match zones.split_first() {
        Some((found, others)) => {
            let several = others.iter().any(|other| differ(&found.zone, &other.zone));
            of_zone(found, several, &lines, &values, kind, today)
        }
        None => without_zone(&lines, &values, kind, today),
    }
}

fn differ(zone: &Zone, other: &Zone) -> bool {
    other.check_digits_hold() && (other.number != zone.number || other.names != zone.names)
}
