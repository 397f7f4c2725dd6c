//! The United Kingdom's lists: the short form of the UK Sanctions List, and OFSI's consolidated list, which ended on 2026-01-28.
//! The full form is in `uk_full`.

use super::grouped::Grouped;
use super::table::{Layout, Row, read as rows};
use super::wording::birth_date;
use super::{ListError, Loaded};
use crate::model::{Country, Document, Entity, EntityKind, Gender, Name, NameKind, Topic};

const PART: &str = "rows";

/// Reads the short form: `Unique ID, OFSI Group ID, Name, Regime Name, Type, …`.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read_short(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let layout = Layout { part: PART, delimiter: b',', banner: 0, required: &["unique id", "name", "type"] };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let (Some(id), Some(name)) = (row.get("unique id"), row.get("name")) else {
            loaded.fault(PART, row.line, format!("{}: no identifier or no name", row.get("unique id").unwrap_or("?")));
            return;
        };
        let mut entity = Entity::new(id, list, kind(row.get("type")));
        entity.topics.push(Topic::Sanction);
        entity.programmes.extend(row.get("regime name").map(str::to_owned));
        let mut primary = Name::new(name, NameKind::Primary);
        if entity.kind == EntityKind::Person {
            primary = surname_in_capitals(primary);
        }
        entity.names.push(primary);
        loaded.entities.push(entity);
    })?;
    loaded.finish(PART)
}

pub(super) fn kind(text: Option<&str>) -> EntityKind {
    match text.map(str::to_ascii_lowercase).as_deref() {
        Some("individual") => EntityKind::Person,
        Some("ship") => EntityKind::Vessel,
        _ => EntityKind::Organisation,
    }
}

/// `SURNAME Given Middle`: the words in capitals in front are the family name, unless all are.
fn surname_in_capitals(mut name: Name) -> Name {
    let words: Vec<&str> = name.text.split_whitespace().collect();
    let capitals = words
        .iter()
        .take_while(|word| word.chars().any(char::is_alphabetic) && !word.chars().any(char::is_lowercase))
        .count();
    if let (Some(family), Some(given)) = (words.get(..capitals), words.get(capitals..))
        && !family.is_empty()
        && !given.is_empty()
    {
        name.family = Some(family.join(" "));
    }
    name
}

/// Reads OFSI's `ConList.csv`: a banner row, then a row for each name and address; `Name 6` is the surname or the whole name of an entity.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read_ofsi(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let mut grouped = Grouped::default();
    let layout = Layout { part: PART, delimiter: b',', banner: 1, required: &["name 6", "group type", "group id"] };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let Some(id) = row.get("group id") else {
            loaded.fault(PART, row.line, "no group id");
            return;
        };
        let births: Vec<_> = row.list("dob", ';').map(birth_date).collect();
        for reason in births.iter().filter_map(|birth| birth.as_ref().err()) {
            loaded.fault(PART, row.line, format!("{id}: date of birth: {reason}"));
        }
        if let Some(entity) = grouped.entity(loaded, list, id, kind(row.get("group type"))) {
            entity.births.extend(births.into_iter().flatten());
            fill(entity, row);
        }
    })?;
    loaded.finish(PART)
}

fn fill(entity: &mut Entity, row: &Row<'_>) {
    if entity.topics.is_empty() {
        entity.topics.push(Topic::Sanction);
        entity.programmes.extend(row.get("regime").map(str::to_owned));
    }
    let kind = match (row.get("alias type"), row.get("alias quality")) {
        (_, Some("Low quality" | "Low Quality")) => NameKind::Weak,
        (Some("Primary name" | "Primary Name"), _) => NameKind::Primary,
        (Some("FKA" | "fka"), _) => NameKind::Former,
        _ => NameKind::Strong,
    };
    let given: Vec<&str> =
        ["name 1", "name 2", "name 3", "name 4", "name 5"].iter().filter_map(|title| row.get(title)).collect();
    if let Some(family) = row.get("name 6") {
        let name = if given.is_empty() {
            Name::new(family, kind)
        } else {
            Name::family_first(&format!("{family}, {}", given.join(" ")), kind)
        };
        entity.names.push(name);
    } else if !given.is_empty() {
        entity.names.push(Name::new(given.join(" "), kind));
    }
    entity.names.extend(row.get("name non-latin script").map(|text| Name::new(text, NameKind::Strong)));
    entity.nationalities.extend(row.get("nationality").and_then(Country::from_name));
    entity.countries.extend(
        ["country", "country of birth"].iter().filter_map(|title| row.get(title)).filter_map(Country::from_name),
    );
    entity.gender = entity.gender.or_else(|| row.get("gender").and_then(Gender::from_text));
    for (title, kind) in
        [("passport number", "Passport"), ("national identification number", "National ID"), ("imo number", "IMO")]
    {
        entity.documents.extend(row.get(title).map(|number| Document {
            kind: kind.to_owned(),
            number: number.to_owned(),
            country: None,
        }));
    }
}
