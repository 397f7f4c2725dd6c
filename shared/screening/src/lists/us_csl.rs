//! The United States' Consolidated Screening List as CSV: OFAC's lists with those of the Departments of Commerce and State.

use std::collections::BTreeMap;

use super::ofac_csv::identified;
use super::table::{Layout, Row, read as rows};
use super::wording::birth_date;
use super::{ListError, Loaded};
use crate::model::{Country, Entity, EntityKind, Name, NameKind, Topic};
use crate::tables::{Groups, is_legal_form, is_title};

const PART: &str = "rows";

/// Reads the file. The identifier of an entry is `_id`, which all of its lists have.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let mut places: BTreeMap<(String, EntityKind), usize> = BTreeMap::new();
    let layout = Layout { part: PART, delimiter: b',', banner: 0, required: &["_id", "source", "name", "alt_names"] };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let (Some(id), Some(name)) = (row.get("_id"), row.get("name")) else {
            loaded.fault(PART, row.line, "no _id or no name");
            return;
        };
        for kind in kinds(row, name) {
            let entity = entry(list, id, name, *kind, row, loaded);
            let place = places.get(&(id.to_owned(), *kind)).and_then(|place| loaded.entities.get_mut(*place));
            match place {
                Some(known) => merge(known, entity),
                None => {
                    places.insert((id.to_owned(), *kind), loaded.entities.len());
                    loaded.entities.push(entity);
                }
            }
        }
    })?;
    loaded.finish(PART)
}

fn entry(list: &str, id: &str, name: &str, kind: EntityKind, row: &Row<'_>, loaded: &mut Loaded) -> Entity {
    let mut entity = Entity::new(id, list, kind);
    let source = row.get("source").unwrap_or_default();
    entity.topics.push(if source.contains("SDN") || source.contains("Treasury") {
        Topic::Sanction
    } else {
        Topic::ExportControl
    });
    entity.sources.push(source.to_owned());
    entity.programmes.push(source.to_owned());
    entity.programmes.extend(row.list("programs", ';').map(str::to_owned));
    let of = |text: &str, name_kind| {
        if kind == EntityKind::Person { Name::family_first(text, name_kind) } else { Name::new(text, name_kind) }
    };
    entity.names = vec![of(name, NameKind::Primary)];
    let aliases =
        row.list("alt_names", ';').map(|text| of(text.strip_prefix("and ").unwrap_or(text), NameKind::Strong));
    entity.names.extend(aliases);
    facts(&mut entity, row, loaded);
    entity
}

/// A party that is on several of the lists has a row on each.
fn merge(known: &mut Entity, again: Entity) {
    let other = |mut name: Name| {
        name.kind = name.kind.max(NameKind::Strong);
        name
    };
    known.sources.extend(again.sources);
    known.names.extend(again.names.into_iter().map(other));
    known.births.extend(again.births);
    known.nationalities.extend(again.nationalities);
    known.countries.extend(again.countries);
    known.documents.extend(again.documents);
    known.topics.extend(again.topics);
    known.gender = known.gender.or(again.gender);
    for programme in again.programmes {
        if !known.programmes.contains(&programme) {
            known.programmes.push(programme);
        }
    }
}

/// The lists of the Departments of Commerce and State do not say what a party is. The words of its name often do; where they do not, it is
/// looked for among persons and among organisations.
fn kinds(row: &Row<'_>, name: &str) -> &'static [EntityKind] {
    match row.get("type") {
        Some("Individual") => return &[EntityKind::Person],
        Some("Vessel") => return &[EntityKind::Vessel],
        Some("Aircraft") => return &[EntityKind::Aircraft],
        Some(_) => return &[EntityKind::Organisation],
        None => {}
    }
    let words: Vec<String> = name
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '/' | '-'))
        .map(|word| word.replace(['.', '"', '\''], "").to_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    let a_name = |word: &String| word.chars().all(char::is_alphabetic);
    let listed = |groups: &Groups, word: &str| groups.all().iter().flatten().any(|(own, _)| *own == word);
    let of_thing = |word: &String| {
        ORGANISATION_WORDS.contains(&word.as_str())
            || !is_title(word)
                && (listed(Groups::of_things(), word) || is_legal_form(word) && word.len() > SHORT_FORM_MAX)
    };
    if words.len() > PERSON_WORDS_MAX || !words.iter().all(a_name) || words.iter().any(of_thing) {
        return &[EntityKind::Organisation];
    }
    let of_person = words.len() > 1 && words.iter().any(|word| listed(Groups::of_persons(), word));
    // Pat, Sal and Tov are legal forms and names
    match (words.iter().any(|word| is_legal_form(word)), of_person) {
        (true, false) => &[EntityKind::Organisation],
        (false, true) => &[EntityKind::Person],
        _ => &[EntityKind::Organisation, EntityKind::Person],
    }
}

/// Legal forms up to this length may be names.
const SHORT_FORM_MAX: usize = 3;
/// No person of the lists has more names.
const PERSON_WORDS_MAX: usize = 6;

/// Words that are in no person's name, besides those that mean the same in several languages.
const ORGANISATION_WORDS: [&str; 46] = [
    "and",
    "academy",
    "aerospace",
    "agency",
    "air",
    "airlines",
    "airways",
    "army",
    "aviation",
    "bureau",
    "college",
    "committee",
    "components",
    "design",
    "electronics",
    "energy",
    "enterprises",
    "equipment",
    "factory",
    "force",
    "foundation",
    "freight",
    "hospital",
    "lab",
    "laboratory",
    "logistics",
    "machine",
    "marine",
    "market",
    "materials",
    "ministry",
    "network",
    "of",
    "office",
    "optics",
    "plant",
    "power",
    "precision",
    "products",
    "research",
    "school",
    "science",
    "software",
    "solutions",
    "systems",
    "works",
];

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
        } else {
            let country = fields.get(1).filter(|_| fields.len() > 2).and_then(|code| Country::from_code(code).ok());
            entity.documents.extend(identified(kind, number, country));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_name_say_what_a_party_is() {
        let kinds = |name: &str| {
            let text = format!("_id,source,type,name,alt_names\n1,Entity List (EL),,\"{name}\",\n");
            read("csl", text.as_bytes()).unwrap().entities.iter().map(|entity| entity.kind).collect::<Vec<_>>()
        };
        use EntityKind::{Organisation, Person};
        for (name, expected) in [
            ("AL NASER AIRLINES", vec![Organisation]),
            ("Kyland Technology Co., Ltd.", vec![Organisation]),
            ("Icarus AS", vec![Organisation]),
            ("27th Center", vec![Organisation]),
            ("Mikhail Gofman", vec![Person]),
            ("General Ivan Petrov", vec![Person]),
            ("Ivan Pat", vec![Organisation, Person]),
            ("Chen Qingchang", vec![Person]),
            ("Nasosy Ampika", vec![Organisation, Person]),
            ("Globa", vec![Organisation, Person]),
        ] {
            assert_eq!(kinds(name), expected, "{name}");
        }
    }
}
