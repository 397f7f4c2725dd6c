//! The European Union's consolidated list of financial sanctions as CSV, version 1.1 and the older 1.0.
//!
//! A row is a name, an address, a birth date or a document; all rows of an entry repeat its number.

use std::collections::BTreeMap;

use super::grouped::Grouped;
use super::table::{Layout, Row, read as rows};
use super::wording::{about, birth_date};
use super::{Fault, ListError, Loaded};
use crate::model::{BirthDate, Country, Document, Entity, EntityKind, Gender, Name, NameKind, PartialDate, Topic};

const PART: &str = "rows";

/// The titles that one version gives the columns, lower case.
struct Titles {
    id: &'static str,
    kind: &'static [&'static str],
    programme: &'static [&'static str],
    name: &'static str,
    /// First, middle and last.
    name_parts: [&'static str; 3],
    gender: &'static str,
    remark: &'static str,
    countries: &'static [&'static str],
    nationality: &'static [&'static str],
    birth: &'static str,
    number: &'static str,
    number_kind: &'static [&'static str],
}

const TITLES_1_1: Titles = Titles {
    id: "entity_logicalid",
    kind: &["entity_subjecttype", "entity_subjecttype_classificationcode"],
    programme: &["entity_regulation_programme"],
    name: "namealias_wholename",
    name_parts: ["namealias_firstname", "namealias_middlename", "namealias_lastname"],
    gender: "namealias_gender",
    remark: "namealias_remark",
    countries: &["address_countryiso2code", "birthdate_countryiso2code"],
    nationality: &["citizenship_countryiso2code"],
    birth: "birthdate_birthdate",
    number: "identification_number",
    number_kind: &["identification_typedescription", "identification_typecode"],
};

const TITLES_1_0: Titles = Titles {
    id: "entity_logical_id",
    kind: &["subject_type"],
    programme: &["programme"],
    name: "naal_wholename",
    name_parts: ["naal_firstname", "naal_middlename", "naal_lastname"],
    gender: "naal_gender",
    remark: "naal_remark",
    countries: &["addr_country", "birt_country"],
    nationality: &["citi_country"],
    birth: "birt_date",
    number: "iden_number",
    number_kind: &["iden_type"],
};

/// Reads the file, of either version.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let first_line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let old = String::from_utf8_lossy(first_line).to_lowercase().contains(TITLES_1_0.id);
    let titles = if old { &TITLES_1_0 } else { &TITLES_1_1 };
    let mut loaded = Loaded::default();
    let mut grouped = Grouped::default();
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    let layout = Layout { part: PART, delimiter: b';', banner: 0, required: &[titles.id, titles.name] };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        if loaded.published.is_none() {
            loaded.published =
                row.get("filegenerationdate").and_then(|text| birth_date(text).ok()).map(|date| date.to_string());
        }
        let Some(id) = row.get(titles.id) else {
            loaded.fault(PART, row.line, "no entity number");
            return;
        };
        let birth = born(row, titles);
        if let Some(Err(reason)) = &birth {
            loaded.fault(PART, row.line, format!("{id}: date of birth: {reason}"));
        }
        lines.entry(id.to_owned()).or_insert(row.line);
        if let Some(entity) = grouped.entity(loaded, list, id, kind(row, titles)) {
            entity.births.extend(birth.and_then(Result::ok));
            fill(entity, row, titles);
        }
    })?;
    for entity in loaded.entities.extract_if(.., |entity| entity.names.is_empty()) {
        let line = lines.get(&entity.id).copied().unwrap_or_default();
        loaded.faults.push(Fault { part: PART, line, reason: format!("{}: no name", entity.id) });
    }
    loaded.finish(PART)
}

/// Which of the two columns has the word and which the letter is reported both ways.
fn kind(row: &Row<'_>, titles: &Titles) -> EntityKind {
    let person = titles
        .kind
        .iter()
        .filter_map(|title| row.get(title))
        .any(|kind| matches!(kind.to_ascii_lowercase().as_str(), "p" | "person"));
    if person { EntityKind::Person } else { EntityKind::Organisation }
}

fn fill(entity: &mut Entity, row: &Row<'_>, titles: &Titles) {
    if entity.topics.is_empty() {
        entity.topics.push(Topic::Sanction);
    }
    if let Some(programme) =
        row.any(titles.programme).filter(|programme| !entity.programmes.iter().any(|known| known == programme))
    {
        entity.programmes.push(programme.to_owned());
    }
    let in_parts = titles.name_parts.iter().filter_map(|title| row.get(title)).collect::<Vec<_>>().join(" ");
    if let Some(text) = row.get(titles.name).or(Some(in_parts.as_str()).filter(|text| !text.is_empty())) {
        let weak = row.get(titles.remark).is_some_and(|remark| remark.to_ascii_lowercase().contains("low quality"));
        let first = entity.names.is_empty();
        entity.names.push(Name::new(
            text,
            if weak {
                NameKind::Weak
            } else if first {
                NameKind::Primary
            } else {
                NameKind::Strong
            },
        ));
    }
    entity.gender = entity.gender.or_else(|| row.get(titles.gender).and_then(Gender::from_text));
    entity.countries.extend(titles.countries.iter().filter_map(|title| row.get(title)).filter_map(Country::from_name));
    entity.nationalities.extend(row.any(titles.nationality).and_then(Country::from_name));
    if let Some(number) = row.get(titles.number) {
        let country = row.get("identification_countryiso2code").and_then(Country::from_name);
        entity.documents.push(Document {
            kind: row.any(titles.number_kind).unwrap_or("document").to_owned(),
            number: number.to_owned(),
            country,
        });
    }
}

fn born(row: &Row<'_>, titles: &Titles) -> Option<Result<BirthDate, String>> {
    let year = |title: &str| {
        row.get(title).and_then(|text| text.parse::<i16>().ok()).and_then(|year| PartialDate::of_year(year).ok())
    };
    let is_about = row.get("birthdate_circa").is_some_and(|circa| circa.eq_ignore_ascii_case("true"));
    let certain = |date| if is_about { about(date) } else { date };
    if let Some(text) = row.get(titles.birth) {
        return Some(birth_date(text).map(certain));
    }
    if let (Some(from), Some(to)) = (year("birthdate_yearrangefrom"), year("birthdate_yearrangeto")) {
        return Some(Ok(certain(BirthDate::Between(from, to))));
    }
    year("birthdate_year").map(|date| Ok(certain(BirthDate::On(date))))
}
