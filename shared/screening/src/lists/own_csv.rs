//! A list of one's own: `id,name` and, if wanted, `type,aliases,dob,countries,documents,gender,reason`. Cells of several values use `;`.

use super::table::{Layout, read as rows};
use super::wording::birth_date;
use super::{ListError, Loaded};
use crate::model::{Country, Document, Entity, EntityKind, Gender, Name, NameKind, Topic};

const PART: &str = "rows";

/// Reads the file. Without a type an entry is a person.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let layout = Layout { part: PART, delimiter: b',', banner: 0, required: &["id", "name"] };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let (Some(id), Some(name)) = (row.get("id"), row.get("name")) else {
            loaded.fault(PART, row.line, "no id or no name");
            return;
        };
        let kind = match row.get("type").unwrap_or("person") {
            "person" => EntityKind::Person,
            "organisation" | "org" => EntityKind::Organisation,
            "vessel" => EntityKind::Vessel,
            "aircraft" => EntityKind::Aircraft,
            other => {
                loaded.fault(PART, row.line, format!("{id}: `{other}` is no type"));
                return;
            }
        };
        let mut entity = Entity::new(id, list, kind);
        entity.topics.push(Topic::Internal);
        entity.programmes.extend(row.get("reason").map(str::to_owned));
        entity.names.push(Name::family_first(name, NameKind::Primary));
        entity.names.extend(row.list("aliases", ';').map(|text| Name::family_first(text, NameKind::Strong)));
        for text in row.list("dob", ';') {
            match birth_date(text) {
                Ok(date) => entity.births.push(date),
                Err(reason) => loaded.fault(PART, row.line, format!("{id}: date of birth: {reason}")),
            }
        }
        for text in row.list("countries", ';') {
            match Country::from_name(text) {
                Some(country) => entity.nationalities.push(country),
                None => loaded.fault(PART, row.line, format!("{id}: `{text}` is no country")),
            }
        }
        entity.gender = row.get("gender").and_then(Gender::from_text);
        entity.documents.extend(row.list("documents", ';').map(|number| Document {
            kind: "document".to_owned(),
            number: number.to_owned(),
            country: None,
        }));
        loaded.entities.push(entity);
    })?;
    loaded.finish(PART)
}
