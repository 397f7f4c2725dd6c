//! The European Union's consolidated list as XML 1.1: it tells strong names from weak ones.

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
    let damaged =
        records(Shape { part: PART, roots: &["export"], records: &["sanctionEntity"] }, bytes, |line, node| {
            if node.name == "sanctionEntity" {
                loaded.rows += 1;
                entry(list, line, &node, &mut loaded);
            } else {
                loaded.published = node.attribute("generationDate").and_then(|date| date.get(..10)).map(str::to_owned);
            }
        })?;
    loaded.faults.extend(damaged);
    loaded.finish(PART)
}

fn entry(list: &str, line: u64, node: &Node, loaded: &mut Loaded) {
    let Some(id) = node.attribute("logicalId") else {
        loaded.fault(PART, line, "no logicalId");
        return;
    };
    let code = node
        .child("subjectType")
        .and_then(|kind| kind.attribute("code").or_else(|| kind.attribute("classificationCode")))
        .unwrap_or_default();
    let person = matches!(code.to_ascii_lowercase().as_str(), "person" | "p");
    let mut entity = Entity::new(id, list, if person { EntityKind::Person } else { EntityKind::Organisation });
    entity.topics.push(Topic::Sanction);
    entity
        .programmes
        .extend(node.all("regulation").filter_map(|regulation| regulation.attribute("programme")).map(str::to_owned));
    for alias in node.all("nameAlias") {
        let first = entity.names.is_empty();
        let kind = match alias.attribute("strong") {
            Some("false") => NameKind::Weak,
            _ if first => NameKind::Primary,
            _ => NameKind::Strong,
        };
        entity.names.extend(alias.attribute("wholeName").map(|text| Name::new(text, kind)));
        entity.gender = entity.gender.or_else(|| alias.attribute("gender").and_then(Gender::from_text));
    }
    if entity.names.is_empty() {
        loaded.fault(PART, line, format!("{id}: no name"));
        return;
    }
    for birth in node.all("birthdate") {
        match born(birth) {
            Some(Ok(date)) => entity.births.push(date),
            Some(Err(reason)) => loaded.fault(PART, line, format!("{id}: date of birth: {reason}")),
            None => {}
        }
        entity.countries.extend(country(birth));
    }
    entity.nationalities.extend(node.all("citizenship").filter_map(country));
    entity.countries.extend(node.all("address").filter_map(country));
    entity.documents.extend(node.all("identification").filter_map(|document| {
        let number = document.attribute("number").or_else(|| document.attribute("latinNumber"))?.to_owned();
        Some(Document {
            kind: document.attribute("identificationTypeDescription").unwrap_or("document").to_owned(),
            number,
            country: country(document),
        })
    }));
    loaded.entities.push(entity);
}

fn country(node: &Node) -> Option<Country> {
    node.attribute("countryIso2Code").and_then(|code| Country::from_code(code).ok())
}

fn born(node: &Node) -> Option<Result<BirthDate, String>> {
    let year = |name: &str| {
        node.attribute(name).and_then(|text| text.parse::<i16>().ok()).and_then(|year| PartialDate::of_year(year).ok())
    };
    let is_about = node.attribute("circa") == Some("true");
    let certain = |date| if is_about { about(date) } else { date };
    if let Some(text) = node.attribute("birthdate") {
        return Some(birth_date(text).map(certain));
    }
    if let (Some(from), Some(to)) = (year("yearRangeFrom"), year("yearRangeTo")) {
        return Some(Ok(certain(BirthDate::Between(from, to))));
    }
    year("year").map(|date| Ok(certain(BirthDate::On(date))))
}
