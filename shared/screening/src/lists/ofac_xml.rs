//! OFAC's "SDN XML", `sdn.xml` and `consolidated.xml`: the plain form, which tells weak aliases from strong ones.

use super::ofac_csv::identified;
use super::wording::birth_date;
use super::xml::{Node, Shape, records};
use super::{ListError, Loaded};
use crate::model::{Country, Entity, EntityKind, Gender, Name, NameKind, Topic};

const PART: &str = "entries";

/// Reads the file.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let mut announced = None;
    let damaged = records(
        Shape { part: PART, roots: &["sdnList"], records: &["publshInformation", "sdnEntry"] },
        bytes,
        |line, node| match node.name.as_str() {
            "publshInformation" => {
                loaded.published = node.value("Publish_Date").and_then(iso);
                announced = node.value("Record_Count").and_then(|count| count.parse::<usize>().ok());
            }
            "sdnEntry" => {
                loaded.rows += 1;
                entry(list, line, &node, &mut loaded);
            }
            _ => {}
        },
    )?;
    loaded.faults.extend(damaged);
    match announced {
        Some(count) if count > loaded.rows => {
            Err(ListError::Truncated { part: PART, reason: format!("{} of {count} entries", loaded.rows) })
        }
        _ => loaded.finish(PART),
    }
}

/// `MM/DD/YYYY` as ISO writes it.
fn iso(date: &str) -> Option<String> {
    let [month, day, year] = <[&str; 3]>::try_from(date.split('/').collect::<Vec<_>>()).ok()?;
    Some(format!("{year}-{month:0>2}-{day:0>2}"))
}

fn entry(list: &str, line: u64, node: &Node, loaded: &mut Loaded) {
    let Some(id) = node.value("uid") else {
        loaded.fault(PART, line, "no uid");
        return;
    };
    let kind = match node.value("sdnType").map(str::to_ascii_lowercase).as_deref() {
        Some("individual") => EntityKind::Person,
        Some("vessel") => EntityKind::Vessel,
        Some("aircraft") => EntityKind::Aircraft,
        _ => EntityKind::Organisation,
    };
    let mut entity = Entity::new(id, list, kind);
    entity.topics.push(Topic::Sanction);
    entity.programmes =
        node.at(&["programList", "program"]).iter().map(|program| program.text.trim().to_owned()).collect();
    entity.names.extend(name(node, NameKind::Primary));
    for alias in node.at(&["akaList", "aka"]) {
        let kind = match (alias.value("category"), alias.value("type")) {
            (Some("weak"), _) => NameKind::Weak,
            (_, Some("f.k.a.")) => NameKind::Former,
            _ => NameKind::Strong,
        };
        entity.names.extend(name(alias, kind));
    }
    if entity.names.is_empty() {
        loaded.fault(PART, line, format!("{id}: no name"));
        return;
    }
    for birth in node.at(&["dateOfBirthList", "dateOfBirthItem"]) {
        match birth.value("dateOfBirth").map(birth_date) {
            Some(Ok(date)) => entity.births.push(date),
            Some(Err(reason)) => loaded.fault(PART, line, format!("{id}: date of birth: {reason}")),
            None => {}
        }
    }
    for (path, own) in [
        (["nationalityList", "nationality"], true),
        (["citizenshipList", "citizenship"], true),
        (["addressList", "address"], false),
    ] {
        let countries =
            node.at(&path).into_iter().filter_map(|item| item.value("country").and_then(Country::from_name));
        if own { entity.nationalities.extend(countries) } else { entity.countries.extend(countries) }
    }
    ids(&mut entity, node);
    loaded.entities.push(entity);
}

/// Given and family name in one.
fn name(node: &Node, kind: NameKind) -> Option<Name> {
    let family = node.value("lastName")?;
    let Some(given) = node.value("firstName") else { return Some(Name::new(family, kind)) };
    Some(Name::family_first(&format!("{family}, {given}"), kind))
}

fn ids(entity: &mut Entity, node: &Node) {
    for id in node.at(&["idList", "id"]) {
        let (Some(kind), Some(number)) = (id.value("idType"), id.value("idNumber")) else { continue };
        if kind == "Gender" {
            entity.gender = Gender::from_text(number);
        } else {
            entity.documents.extend(identified(kind, number, id.value("idCountry").and_then(Country::from_name)));
        }
    }
}
