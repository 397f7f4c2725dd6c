//! OpenSanctions' `targets.simple.csv` and its entities as JSON lines (FtM). The data need a licence; the loader does not.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::rows::trimmed;
use super::table::{Layout, read as rows};
use super::wording::birth_date;
use super::{ListError, Loaded};
use crate::model::{Country, Document, Entity, EntityKind, Gender, Name, NameKind, Topic};

const ROWS: &str = "rows";
const LINES: &str = "lines";

/// Reads `targets.simple.csv`.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read_simple(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let layout =
        Layout { part: ROWS, delimiter: b',', banner: 0, required: &["id", "schema", "name", "aliases", "birth_date"] };
    rows(layout, bytes, &mut loaded, |row, loaded| {
        let (Some(id), Some(name), Some(schema)) = (row.get("id"), row.get("name"), row.get("schema")) else {
            loaded.fault(ROWS, row.line, "no id, schema or name");
            return;
        };
        let Some(kind) = kind(schema) else {
            strange(ROWS, row.line, id, schema, loaded);
            return;
        };
        let mut entity = Entity::new(id, list, kind);
        entity.sources.extend(row.list("dataset", ';').map(str::to_owned));
        entity.names.push(Name::new(name, NameKind::Primary));
        entity.names.extend(row.list("aliases", ';').map(|text| Name::new(text, NameKind::Strong)));
        for text in row.list("birth_date", ';') {
            match birth_date(text) {
                Ok(date) => entity.births.push(date),
                Err(reason) => loaded.fault(ROWS, row.line, format!("{id}: date of birth: {reason}")),
            }
        }
        entity.countries.extend(row.list("countries", ';').filter_map(Country::from_name));
        entity.documents.extend(row.list("identifiers", ';').map(|number| Document {
            kind: "identifier".to_owned(),
            number: number.to_owned(),
            country: None,
        }));
        entity.programmes.extend(row.list("program_ids", ';').chain(row.list("sanctions", ';')).map(str::to_owned));
        if row.get("sanctions").is_some() || row.get("program_ids").is_some() {
            entity.topics.push(Topic::Sanction);
        }
        loaded.entities.push(entity);
    })?;
    loaded.finish(ROWS)
}

/// The schemata that are parties; the others are addresses, positions and links between entries.
fn kind(schema: &str) -> Option<EntityKind> {
    match schema {
        "Person" => Some(EntityKind::Person),
        "Organization" | "Company" | "LegalEntity" | "PublicBody" => Some(EntityKind::Organisation),
        "Vessel" => Some(EntityKind::Vessel),
        "Airplane" => Some(EntityKind::Aircraft),
        _ => None,
    }
}

/// Addresses, positions and links between entries.
const NO_PARTIES: [&str; 32] = [
    "Address",
    "Article",
    "Asset",
    "Associate",
    "BankAccount",
    "Call",
    "Contract",
    "ContractAward",
    "CourtCase",
    "CourtCaseParty",
    "CryptoWallet",
    "Debt",
    "Directorship",
    "Document",
    "Documentation",
    "EconomicActivity",
    "Employment",
    "Event",
    "Family",
    "Identification",
    "License",
    "Membership",
    "Occupancy",
    "Ownership",
    "Passport",
    "Payment",
    "Position",
    "Representation",
    "Sanction",
    "Security",
    "Succession",
    "UnknownLink",
];

/// A schema that is neither a party nor known to be none may be a party.
fn strange(part: &'static str, line: u64, id: &str, schema: &str, loaded: &mut Loaded) {
    if !NO_PARTIES.contains(&schema) {
        loaded.fault(part, line, format!("{id}: the schema `{schema}` is not known"));
    }
}

#[derive(Deserialize)]
struct FtmEntity {
    id: String,
    schema: String,
    #[serde(default)]
    datasets: Vec<String>,
    #[serde(default)]
    referents: Vec<String>,
    #[serde(default)]
    properties: BTreeMap<String, Vec<serde_json::Value>>,
}

/// Reads `entities.ftm.json`, an entity a line.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read_ftm(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let text = trimmed(bytes);
    if text.is_empty() {
        return Err(ListError::Empty(LINES));
    }
    let mut loaded = Loaded::default();
    let mut unreadable_end = None;
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty())
    {
        loaded.rows += 1;
        unreadable_end = None;
        match serde_json::from_slice::<FtmEntity>(line) {
            Ok(entity) => ftm_entity(list, number, &entity, &mut loaded),
            Err(error) => {
                unreadable_end = error.is_eof().then(|| format!("line {number} ends too early"));
                loaded.fault(LINES, number, error.to_string());
            }
        }
    }
    if let Some(reason) = unreadable_end {
        return Err(ListError::Truncated { part: LINES, reason });
    }
    if loaded.faults.len() == loaded.rows {
        return Err(ListError::Format { part: LINES, reason: "no line is an entity".to_owned() });
    }
    loaded.finish(LINES)
}

fn ftm_entity(list: &str, line: u64, ftm: &FtmEntity, loaded: &mut Loaded) {
    let Some(kind) = kind(&ftm.schema) else {
        strange(LINES, line, &ftm.id, &ftm.schema, loaded);
        return;
    };
    let values = |name: &str| {
        ftm.properties.get(name).map_or(&[][..], Vec::as_slice).iter().filter_map(serde_json::Value::as_str)
    };
    let mut entity = Entity::new(&ftm.id, list, kind);
    entity.sources.clone_from(&ftm.datasets);
    entity.former.clone_from(&ftm.referents);
    for (property, kind) in [
        ("name", NameKind::Strong),
        ("alias", NameKind::Strong),
        ("previousName", NameKind::Former),
        ("weakAlias", NameKind::Weak),
    ] {
        entity.names.extend(values(property).map(|text| Name::new(text, kind)));
    }
    let Some(first) = entity.names.first_mut() else {
        loaded.fault(LINES, line, format!("{}: no name", ftm.id));
        return;
    };
    first.kind = NameKind::Primary;
    for text in values("birthDate") {
        match birth_date(text) {
            Ok(date) => entity.births.push(date),
            Err(reason) => loaded.fault(LINES, line, format!("{}: date of birth: {reason}", ftm.id)),
        }
    }
    entity.nationalities.extend(values("nationality").chain(values("citizenship")).filter_map(Country::from_name));
    entity.countries.extend(
        ["country", "jurisdiction", "flag", "birthCountry"].into_iter().flat_map(values).filter_map(Country::from_name),
    );
    entity.gender = values("gender").find_map(Gender::from_text);
    for kind in [
        "passportNumber",
        "idNumber",
        "taxNumber",
        "innCode",
        "ogrnCode",
        "registrationNumber",
        "leiCode",
        "imoNumber",
        "publicKey",
    ] {
        entity.documents.extend(values(kind).map(|number| Document {
            kind: kind.to_owned(),
            number: number.to_owned(),
            country: None,
        }));
    }
    entity.programmes.extend(values("programId").map(str::to_owned));
    entity.topics.extend(values("topics").filter_map(topic));
    loaded.entities.push(entity);
}

fn topic(code: &str) -> Option<Topic> {
    match code {
        "sanction" | "sanction.linked" | "debarment" => Some(Topic::Sanction),
        "export.control" => Some(Topic::ExportControl),
        "role.pep" => Some(Topic::Pep),
        "role.rca" => Some(Topic::Relative),
        code if code.starts_with("crime") || code.starts_with("wanted") => Some(Topic::Crime),
        _ => None,
    }
}
