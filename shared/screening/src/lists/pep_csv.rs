//! Politically exposed persons from public sources: members of the United States Congress, and holders of offices as Wikidata has them.

use std::collections::BTreeMap;

use super::grouped::Grouped;
use super::table::{Layout, read as rows};
use super::wording::years;
use super::{ListError, Loaded};
use crate::model::{BirthDate, Country, Entity, EntityKind, Gender, Name, NameKind, PartialDate, Topic};

const PART: &str = "rows";
const FACTS: &str = "facts";

/// Reads the members of Congress, flattened to a row each.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read_congress(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let layout = Layout {
        part: PART,
        delimiter: b',',
        banner: 0,
        required: &["bioguide_id", "official_full", "first", "last", "birthday"],
    };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let (Some(id), Some(first), Some(last)) = (row.get("bioguide_id"), row.get("first"), row.get("last")) else {
            loaded.fault(PART, row.line, "no bioguide_id, first or last name");
            return;
        };
        let mut entity = Entity::new(id, list, EntityKind::Person);
        entity.topics.push(Topic::Pep);
        entity
            .programmes
            .extend(row.get("role").map(|role| format!("{role}, {}", row.get("state").unwrap_or_default())));
        let given = [Some(first), row.get("middle")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        entity.names.push(Name::family_first(&format!("{last}, {given}"), NameKind::Primary));
        entity.names.extend(row.get("official_full").map(|name| Name::new(name, NameKind::Strong)));
        entity.names.extend(
            row.get("nickname").map(|nickname| Name::family_first(&format!("{last}, {nickname}"), NameKind::Strong)),
        );
        match row.get("birthday").map(str::parse) {
            Some(Ok(date)) => entity.births.push(BirthDate::On(date)),
            Some(Err(error)) => loaded.fault(PART, row.line, format!("{id}: {error}")),
            None => {}
        }
        entity.gender = row.get("gender").and_then(Gender::from_text);
        entity.nationalities.extend(Country::from_code("US"));
        loaded.entities.push(entity);
    })?;
    loaded.finish(PART)
}

/// Reads rows of `position,person,personID,start,end`: an entry for each person, its positions as programmes.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read_holders(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let mut grouped = Grouped::default();
    let layout = Layout { part: PART, delimiter: b',', banner: 0, required: &["position", "person", "personid"] };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let (Some(id), Some(name)) = (row.get("personid"), row.get("person")) else {
            loaded.fault(PART, row.line, "no person");
            return;
        };
        if let Some(entity) = grouped.entity(loaded, list, id, EntityKind::Person) {
            hold(entity, name, row.get("position").unwrap_or_default());
        }
    })?;
    loaded.finish(PART)
}

/// Reads heads of state and government: `countryid,country,position,positionLabel,officeholder,officeholderLabel,…`.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read_leaders(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let mut grouped = Grouped::default();
    let layout = Layout {
        part: PART,
        delimiter: b',',
        banner: 0,
        required: &["country", "positionlabel", "officeholder", "officeholderlabel"],
    };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let (Some(id), Some(name)) = (row.get("officeholder"), row.get("officeholderlabel")) else {
            loaded.fault(PART, row.line, "no office holder");
            return;
        };
        if let Some(entity) = grouped.entity(loaded, list, id, EntityKind::Person) {
            hold(entity, name, row.get("positionlabel").unwrap_or_default());
            entity.nationalities.extend(row.get("country").and_then(Country::from_name));
        }
    })?;
    loaded.finish(PART)
}

fn hold(entity: &mut Entity, name: &str, position: &str) {
    if entity.names.is_empty() {
        entity.topics.push(Topic::Pep);
        entity.names.push(Name::new(name, NameKind::Primary));
    }
    if !entity.programmes.iter().any(|known| known == position) {
        entity.programmes.push(position.to_owned());
    }
}

/// Whether a file holds facts about office holders.
pub(super) fn is_facts(bytes: &[u8]) -> bool {
    bytes.starts_with(b"id,name,gender,dob,dobp,")
}

/// Adds gender and dates of birth from `id,name,gender,dob,dobp,…` to entries with the same identifiers; returns the rows and what of them
/// could not be read.
///
/// # Errors
/// The file is empty, truncated or another kind of file.
pub fn add_facts(entities: &mut [Entity], bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut facts = Loaded::default();
    let mut known: BTreeMap<String, (Option<Gender>, Option<BirthDate>)> = BTreeMap::new();
    let layout = Layout { part: FACTS, delimiter: b',', banner: 0, required: &["id", "gender", "dob", "dobp"] };
    rows(layout, bytes, &mut facts, |row, facts| {
        let Some(id) = row.get("id") else {
            facts.fault(FACTS, row.line, "no id");
            return;
        };
        let date = row.get("dob").and_then(|text| born(text, row.get("dobp")).transpose());
        if let Some(Err(error)) = &date {
            facts.fault(FACTS, row.line, format!("{id}: date of birth: {error}"));
        }
        known.insert(id.to_owned(), (row.get("gender").and_then(Gender::from_text), date.and_then(Result::ok)));
    })?;
    for entity in entities {
        if let Some((gender, date)) = known.get(&entity.id) {
            entity.gender = gender.or(entity.gender);
            entity.births.extend(*date);
            entity.normalise();
        }
    }
    Ok(facts)
}

/// A date as far as Wikidata's precision says that it is known: 11 day, 10 month, 9 year, 8 decade; of a century nothing is known.
fn born(text: &str, precision: Option<&str>) -> Result<Option<BirthDate>, String> {
    let parsed =
        |digits: usize| text.get(..digits).unwrap_or(text).parse::<PartialDate>().map_err(|error| error.to_string());
    match precision {
        Some("11") => Ok(Some(BirthDate::On(parsed(10)?))),
        Some("10") => Ok(Some(BirthDate::On(parsed(7)?))),
        Some("9") => Ok(Some(BirthDate::On(parsed(4)?))),
        Some("8") => {
            let first = parsed(4)?.year() / 10 * 10;
            years(first, first + 9).map(Some)
        }
        Some("0" | "1" | "2" | "3" | "4" | "5" | "6" | "7") => Ok(None),
        other => Err(format!("the precision `{}` is not known", other.unwrap_or_default())),
    }
}
