//! The United States' Consolidated Screening List as CSV: OFAC's lists with those of the Departments of Commerce and State.

use super::table::{Layout, Row, read as rows};
use super::wording::birth_date;
use super::{ListError, Loaded};
use crate::model::{Country, Document, Entity, EntityKind, Name, NameKind, Topic};

const PART: &str = "rows";

/// Reads the file. The identifier of an entry is `_id`, which all of its lists have.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let layout = Layout { part: PART, delimiter: b',', banner: 0, required: &["_id", "source", "name", "alt_names"] };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let (Some(id), Some(name)) = (row.get("_id"), row.get("name")) else {
            loaded.fault(PART, row.line, "no _id or no name");
            return;
        };
        let mut entity = Entity::new(id, list, kind(row));
        let source = row.get("source").unwrap_or_default();
        entity.topics.push(if source.contains("SDN") || source.contains("Treasury") {
            Topic::Sanction
        } else {
            Topic::ExportControl
        });
        entity.programmes.push(source.to_owned());
        entity.programmes.extend(row.list("programs", ';').map(str::to_owned));
        let of = |text: &str, kind| {
            if entity.kind == EntityKind::Person { Name::family_first(text, kind) } else { Name::new(text, kind) }
        };
        entity.names = vec![of(name, NameKind::Primary)];
        let aliases =
            row.list("alt_names", ';').map(|text| of(text.strip_prefix("and ").unwrap_or(text), NameKind::Strong));
        entity.names.extend(aliases.collect::<Vec<_>>());
        facts(&mut entity, row, loaded);
        loaded.entities.push(entity);
    })?;
    loaded.finish(PART)
}

/// Lists that do not say it have both; a family name before a comma is a person's.
fn kind(row: &Row<'_>) -> EntityKind {
    match row.get("type") {
        Some("Individual") => EntityKind::Person,
        Some("Vessel") => EntityKind::Vessel,
        Some("Aircraft") => EntityKind::Aircraft,
        Some(_) => EntityKind::Organisation,
        None if row
            .get("source")
            .is_some_and(|source| source.starts_with("Denied Persons") || source.starts_with("ITAR")) =>
        {
            EntityKind::Person
        }
        None => EntityKind::Organisation,
    }
}

fn facts(entity: &mut Entity, row: &Row<'_>, loaded: &mut Loaded) {
    for text in row.list("dates_of_birth", ';') {
        match birth_date(text) {
            Ok(date) => entity.births.push(date),
            Err(reason) => loaded.fault(PART, row.line, format!("{}: date of birth: {reason}", entity.id)),
        }
    }
    entity
        .nationalities
        .extend(row.list("nationalities", ';').chain(row.list("citizenships", ';')).filter_map(Country::from_name));
    let last_field = |address: &str| Country::from_name(address.rsplit(',').next().unwrap_or(address));
    entity.countries.extend(row.list("addresses", ';').filter_map(last_field));
    entity.countries.extend(row.list("places_of_birth", ';').filter_map(last_field));
    entity.countries.extend(row.get("vessel_flag").and_then(Country::from_name));
    // `IMO 8767977, Vessel Registration Identification`, `A123, IQ, Passport`
    for id in row.list("ids", ';') {
        let fields: Vec<&str> = id.split(',').map(str::trim).collect();
        let (Some(number), Some(kind)) = (fields.first(), fields.last().filter(|_| fields.len() > 1)) else { continue };
        if *kind == "Gender" {
            entity.gender = crate::model::Gender::from_text(number);
        } else if number.bytes().any(|c| c.is_ascii_digit()) {
            let number = number.strip_prefix("IMO ").unwrap_or(number);
            let country = fields.get(1).filter(|_| fields.len() > 2).and_then(|code| Country::from_code(code).ok());
            entity.documents.push(Document { kind: (*kind).to_owned(), number: number.to_owned(), country });
        }
    }
}
