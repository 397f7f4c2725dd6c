//! The consolidated list of the United Nations Security Council.

use super::wording::{about, birth_date};
use super::xml::{Node, Shape, records};
use super::{ListError, Loaded};
use crate::model::{BirthDate, Country, Document, Entity, EntityKind, Gender, Name, NameKind, PartialDate, Topic};

const PART: &str = "entries";

/// Reads the file.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let damaged = records(
        Shape { part: PART, roots: &["CONSOLIDATED_LIST"], records: &["INDIVIDUAL", "ENTITY"] },
        bytes,
        |line, node| match node.name.as_str() {
            "INDIVIDUAL" => entry(list, line, &node, EntityKind::Person, "INDIVIDUAL", &mut loaded),
            "ENTITY" => entry(list, line, &node, EntityKind::Organisation, "ENTITY", &mut loaded),
            _ => loaded.published = node.attribute("dateGenerated").and_then(|date| date.get(..10)).map(str::to_owned),
        },
    )?;
    loaded.faults.extend(damaged);
    loaded.finish(PART)
}

fn entry(list: &str, line: u64, node: &Node, kind: EntityKind, prefix: &str, loaded: &mut Loaded) {
    loaded.rows += 1;
    let names = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"];
    let name = names.iter().filter_map(|part| node.value(part)).collect::<Vec<_>>().join(" ");
    let (Some(id), false) = (node.value("DATAID"), name.is_empty()) else {
        loaded.fault(PART, line, "no DATAID or no name");
        return;
    };
    let mut entity = Entity::new(id, list, kind);
    entity.topics.push(Topic::Sanction);
    entity.gender = node.value("GENDER").and_then(Gender::from_text);
    entity.sources.extend(node.value("UN_LIST_TYPE").map(str::to_owned));
    entity.programmes.extend(node.value("UN_LIST_TYPE").map(str::to_owned));
    entity.names.push(Name::new(name, NameKind::Primary));
    entity.names.extend(node.value("NAME_ORIGINAL_SCRIPT").map(|text| Name::new(text, NameKind::Strong)));
    aliases(&mut entity, node, prefix);
    for birth in node.all("INDIVIDUAL_DATE_OF_BIRTH") {
        match born(birth) {
            Some(Ok(date)) => entity.births.push(date),
            Some(Err(reason)) => loaded.fault(PART, line, format!("{id}: date of birth: {reason}")),
            None => {}
        }
    }
    let country = |node: &Node| node.value("COUNTRY").and_then(Country::from_name);
    entity
        .nationalities
        .extend(node.at(&["NATIONALITY", "VALUE"]).iter().filter_map(|value| Country::from_name(&value.text)));
    entity.countries.extend(node.all(&format!("{prefix}_ADDRESS")).filter_map(country));
    entity.countries.extend(node.all("INDIVIDUAL_PLACE_OF_BIRTH").filter_map(country));
    for document in node.all("INDIVIDUAL_DOCUMENT") {
        if let Some(number) = document.value("NUMBER") {
            let kind = document.value("TYPE_OF_DOCUMENT").unwrap_or("document").to_owned();
            let country = document
                .value("ISSUING_COUNTRY")
                .or_else(|| document.value("COUNTRY_OF_ISSUE"))
                .and_then(Country::from_name);
            entity.documents.push(Document { kind, number: number.to_owned(), country });
        }
    }
    loaded.entities.push(entity);
}

/// Many alias elements are empty; some hold several names.
fn aliases(entity: &mut Entity, node: &Node, prefix: &str) {
    for alias in node.all(&format!("{prefix}_ALIAS")) {
        let kind = match alias.value("QUALITY") {
            Some("Low") => NameKind::Weak,
            Some("f.k.a.") => NameKind::Former,
            _ => NameKind::Strong,
        };
        for text in alias.value("ALIAS_NAME").unwrap_or_default().split(';') {
            entity.names.push(Name::new(text, kind));
        }
    }
}

/// Exact dates can be years only; `BETWEEN` has years. Some stand in a note only.
fn born(node: &Node) -> Option<Result<BirthDate, String>> {
    let year = |name: &str| {
        node.value(name).map(|text| {
            text.parse::<i16>()
                .map_err(|_| format!("`{text}` is no year"))
                .and_then(|year| PartialDate::of_year(year).map_err(|error| error.to_string()))
        })
    };
    let note = node.value("NOTE");
    let is_about = node.value("TYPE_OF_DATE") == Some("APPROXIMATELY")
        || note.is_some_and(|note| note.to_ascii_lowercase().starts_with("approx"));
    let date = match (year("FROM_YEAR"), year("TO_YEAR")) {
        (Some(from), Some(to)) => Some(from.and_then(|from| to.map(|to| BirthDate::Between(from, to)))),
        (None, None) => node
            .value("DATE")
            .map(birth_date)
            .or_else(|| year("YEAR").map(|year| year.map(BirthDate::On)))
            .or_else(|| note.map(birth_date)),
        _ => Some(Err("one end of a range is missing".to_owned())),
    }?;
    Some(date.map(|date| if is_about { about(date) } else { date }))
}
