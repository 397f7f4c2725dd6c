//! The UK Sanctions List in its full form, CSV and XML: the only list of the United Kingdom since OFSI's ended on 2026-01-28.
//!
//! The CSV begins with a line `Report Date: 21-Sep-2026`, then the header, then a row for each name and address; rows of one party share their
//! `Unique ID`. `Name 6` is the surname or the whole name of an entity. A date of birth that is known in part is written `dd/mm/1975`.

use std::collections::BTreeMap;

use super::grouped::Grouped;
use super::rows::trimmed;
use super::table::{Layout, Row, read as rows};
use super::uk_csv::kind;
use super::wording::{birth_date, given};
use super::xml::{Node, Shape, records};
use super::{Fault, ListError, Loaded};
use crate::model::{Country, Document, Entity, Gender, Name, NameKind, Topic};

const ROWS: &str = "rows";
const ENTRIES: &str = "designations";

/// Reads the CSV, with or without the line of the date in front.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read_csv(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let first = trimmed(bytes).split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let banner = !first.to_ascii_lowercase().contains("unique id");
    let date = first.split_once(':').filter(|_| banner).map(|(_, date)| date.trim_matches([',', '"', ' ', '\r']));
    let mut loaded = Loaded { published: date.and_then(iso), ..Loaded::default() };
    let mut grouped = Grouped::default();
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    let layout = Layout {
        part: ROWS,
        delimiter: b',',
        banner: usize::from(banner),
        required: &["unique id", "name 6", "name type", "alias strength", "designation type"],
    };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let Some(id) = row.get("unique id") else {
            loaded.fault(ROWS, row.line, "no unique id");
            return;
        };
        let births: Vec<_> = row.list("d.o.b", ';').map(birth_date).collect();
        for reason in births.iter().filter_map(|birth| birth.as_ref().err()) {
            loaded.fault(ROWS, row.line, format!("{id}: date of birth: {reason}"));
        }
        lines.entry(id.to_owned()).or_insert(row.line);
        if let Some(entity) = grouped.entity(loaded, list, id, kind(row.get("designation type"))) {
            entity.births.extend(births.into_iter().flatten());
            fill(entity, row);
        }
    })?;
    for entity in loaded.entities.extract_if(.., |entity| entity.names.is_empty()) {
        let line = lines.get(&entity.id).copied().unwrap_or_default();
        loaded.faults.push(Fault { part: ROWS, line, reason: format!("{}: no name", entity.id) });
    }
    loaded.finish(ROWS)
}

/// A day as ISO writes it.
fn iso(text: &str) -> Option<String> {
    birth_date(&text.replace('-', " ")).ok().map(|date| date.to_string())
}

/// What `Name type` and `Alias strength` say of a name.
fn name_kind(kind: Option<&str>, strength: Option<&str>) -> NameKind {
    let says = |text: Option<&str>, word: &str| text.is_some_and(|text| text.to_ascii_lowercase().contains(word));
    match () {
        () if says(strength, "low") => NameKind::Weak,
        () if says(kind, "variation") => NameKind::Strong,
        () if says(kind, "primary") => NameKind::Primary,
        () if says(kind, "f.k.a") || says(kind, "former") || says(strength, "f.k.a") => NameKind::Former,
        () => NameKind::Strong,
    }
}

/// `Name 6` is the surname, 1 to 5 are given in their order.
fn name(family: Option<&str>, given: &[&str], kind: NameKind) -> Option<Name> {
    match family {
        Some(family) if given.is_empty() => Some(Name::new(family, kind)),
        Some(family) => Some(Name::family_first(&format!("{family}, {}", given.join(" ")), kind)),
        None => (!given.is_empty()).then(|| Name::new(given.join(" "), kind)),
    }
}

/// A name in another script counts as the row's own, but it is never the one to show.
fn in_own_script(text: &str, kind: NameKind) -> Name {
    Name::new(text, if kind == NameKind::Primary { NameKind::Strong } else { kind })
}

/// Several values in a cell: `(1) A (2) B`, `A; B`.
fn values(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').flat_map(numbered).map(str::trim).filter(|value| given(Some(value)).is_some())
}

fn numbered(text: &str) -> Vec<&str> {
    let mut values = Vec::new();
    let mut rest = text;
    for number in 1..=99 {
        let mark = format!("({number})");
        let Some((before, after)) = rest.split_once(mark.as_str()) else { break };
        values.push(before);
        rest = after;
    }
    values.push(rest);
    values
}

fn fill(entity: &mut Entity, row: &Row<'_>) {
    programme(entity, row.get("regime name"));
    let kind = name_kind(row.get("name type"), row.get("alias strength"));
    let given: Vec<&str> =
        ["name 1", "name 2", "name 3", "name 4", "name 5"].iter().filter_map(|title| row.get(title)).collect();
    entity.names.extend(name(row.get("name 6"), &given, kind));
    entity.names.extend(row.get("name non-latin script").map(|text| in_own_script(text, kind)));
    let countries =
        |title: &str| values(row.get(title).unwrap_or_default()).filter_map(Country::from_name).collect::<Vec<_>>();
    entity.nationalities.extend(countries("nationality(/ies)"));
    for title in ["address country", "country of birth", "current believed flag of ship"] {
        entity.countries.extend(countries(title));
    }
    entity.gender = entity.gender.or_else(|| row.get("gender").and_then(Gender::from_text));
    for (title, kind) in [
        ("passport number", "Passport"),
        ("national identifier number", "National ID"),
        ("business registration number (s)", "Registration Number"),
        ("imo number", "IMO"),
        ("hull identification number (hin)", "HIN"),
    ] {
        entity.documents.extend(values(row.get(title).unwrap_or_default()).filter_map(|number| document(kind, number)));
    }
}

fn programme(entity: &mut Entity, regime: Option<&str>) {
    if entity.topics.is_empty() {
        entity.topics.push(Topic::Sanction);
    }
    if let Some(regime) = regime.filter(|regime| !entity.programmes.iter().any(|known| known == regime)) {
        entity.programmes.push(regime.to_owned());
    }
}

/// A number; words about one are none.
fn document(kind: &str, number: &str) -> Option<Document> {
    let telling = number.bytes().any(|c| c.is_ascii_digit());
    telling.then(|| Document { kind: kind.to_owned(), number: number.to_owned(), country: None })
}

/// Reads the XML.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read_xml(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let damaged = records(
        Shape { part: ENTRIES, roots: &["Designations"], records: &["DateGenerated", "Designation"] },
        bytes,
        |line, node| match node.name.as_str() {
            "DateGenerated" => loaded.published = iso(node.text.trim()),
            "Designation" => {
                loaded.rows += 1;
                designation(list, line, &node, &mut loaded);
            }
            _ => {}
        },
    )?;
    loaded.faults.extend(damaged);
    loaded.finish(ENTRIES)
}

fn designation(list: &str, line: u64, node: &Node, loaded: &mut Loaded) {
    let Some(id) = node.value("UniqueID") else {
        loaded.fault(ENTRIES, line, "no UniqueID");
        return;
    };
    let mut entity = Entity::new(id, list, kind(node.value("IndividualEntityShip")));
    programme(&mut entity, node.value("RegimeName"));
    for own in node.at(&["Names", "Name"]) {
        let given: Vec<&str> =
            ["Name1", "Name2", "Name3", "Name4", "Name5"].iter().filter_map(|part| own.value(part)).collect();
        let kind = name_kind(own.value("NameType"), own.value("AliasStrength"));
        entity.names.extend(name(own.value("Name6"), &given, kind));
    }
    for own in node.at(&["NonLatinNames", "NonLatinName"]) {
        let kind = name_kind(own.value("NameType"), own.value("AliasStrength"));
        entity.names.extend(own.value("NameNonLatinScript").map(|text| in_own_script(text, kind)));
    }
    if entity.names.is_empty() {
        loaded.fault(ENTRIES, line, format!("{id}: no name"));
        return;
    }
    for text in texts(node, &["DOB"]) {
        match birth_date(text) {
            Ok(date) => entity.births.push(date),
            Err(reason) => loaded.fault(ENTRIES, line, format!("{id}: date of birth: {reason}")),
        }
    }
    let countries = |names: &[&str]| texts(node, names).into_iter().filter_map(Country::from_name).collect::<Vec<_>>();
    entity.nationalities.extend(countries(&["Nationality"]));
    entity.countries.extend(countries(&["AddressCountry", "CountryOfBirth", "CurrentBelievedFlagOfShip"]));
    entity.gender = texts(node, &["Gender"]).into_iter().find_map(Gender::from_text);
    for (names, kind) in [
        (["PassportNumber"], "Passport"),
        (["NationalIdentifierNumber"], "National ID"),
        (["BusinessRegistrationNumber"], "Registration Number"),
        (["IMONumber"], "IMO"),
        (["HullIdentificationNumber"], "HIN"),
    ] {
        entity.documents.extend(texts(node, &names).into_iter().filter_map(|number| document(kind, number)));
    }
    loaded.entities.push(entity);
}

/// The texts of all elements of the names, however deep they stand.
fn texts<'n>(node: &'n Node, names: &[&str]) -> Vec<&'n str> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if names.contains(&node.name.as_str()) {
            found.extend(values(&node.text));
        }
        open.extend(node.children.iter().rev());
    }
    found
}
