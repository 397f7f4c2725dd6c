//! OFAC's CSV files: `sdn.csv` with `alt.csv`, `add.csv` and `sdn_comments.csv`, and the consolidated list in the same layout.
//!
//! No header; null is `-0-`; every fact without a column of its own is in Remarks, which is cut at 1 000 characters and continued in the
//! comments file. Rows of the smaller files whose number is not in the main file belong to another version and are ignored.

use std::collections::BTreeMap;

use super::rows::single_line;
use super::wording::{birth_date, given};
use super::{ListError, Loaded};
use crate::model::{Country, Document, Entity, EntityKind, Gender, Name, NameKind, Topic};

/// The files of one OFAC list.
#[derive(Debug, Clone, Copy)]
pub struct OfacFiles<'a> {
    /// The list's code, for example `ofac_sdn`.
    pub list: &'a str,
    /// `sdn.csv` or `cons_prim.csv`.
    pub primary: &'a [u8],
    /// `alt.csv`.
    pub aliases: Option<&'a [u8]>,
    /// `add.csv`.
    pub addresses: Option<&'a [u8]>,
    /// `sdn_comments.csv`.
    pub comments: Option<&'a [u8]>,
}

const PRIMARY: &str = "names";
const ALIASES: &str = "aliases";
const ADDRESSES: &str = "addresses";
const COMMENTS: &str = "comments";

/// Reads the files into one list.
///
/// # Errors
/// The main file is empty or has other columns, or one of the others has.
pub fn read(files: &OfacFiles<'_>) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let overflow = comments(files.comments, &mut loaded)?;
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    single_line(PRIMARY, files.primary, 12, &mut loaded, |line, row, loaded| {
        loaded.rows += 1;
        let (Some(id), Some(name)) = (given(row.get(0)), given(row.get(1))) else {
            loaded.fault(PRIMARY, line, "no number or no name");
            return;
        };
        let mut entity = Entity::new(id, files.list, kind(given(row.get(2))));
        entity.topics.push(Topic::Sanction);
        entity.programmes = given(row.get(3)).map(programmes).unwrap_or_default();
        entity.names.push(name_of(&entity, name, NameKind::Primary));
        entity.countries.extend(given(row.get(9)).and_then(Country::from_name));
        let rest = overflow.get(id).map_or("", String::as_str);
        let text = format!("{}{rest}", row.get(11).unwrap_or_default().trim());
        for reason in remarks(&mut entity, &text) {
            loaded.fault(PRIMARY, line, reason);
        }
        if places.insert(id.to_owned(), loaded.entities.len()).is_some() {
            loaded.fault(PRIMARY, line, format!("number {id} comes twice"));
        }
        loaded.entities.push(entity);
    })?;
    if let Some(aliases) = files.aliases {
        single_line(ALIASES, aliases, 5, &mut loaded, |line, row, loaded| alias(line, row, &places, loaded))?;
    }
    if let Some(addresses) = files.addresses {
        single_line(ADDRESSES, addresses, 6, &mut loaded, |line, row, loaded| {
            if given(row.get(0)).is_none() {
                loaded.fault(ADDRESSES, line, "no number");
            }
            let entity = given(row.get(0)).and_then(|id| places.get(id)).and_then(|at| loaded.entities.get_mut(*at));
            if let Some(entity) = entity {
                entity.countries.extend(given(row.get(4)).and_then(Country::from_name));
            }
        })?;
    }
    loaded.finish(PRIMARY)
}

fn comments(file: Option<&[u8]>, loaded: &mut Loaded) -> Result<BTreeMap<String, String>, ListError> {
    let mut overflow = BTreeMap::new();
    if let Some(bytes) = file {
        single_line(COMMENTS, bytes, 2, loaded, |line, row, loaded| match (given(row.get(0)), row.get(1)) {
            (Some(id), Some(text)) => overflow.entry(id.to_owned()).or_insert_with(String::new).push_str(text),
            _ => loaded.fault(COMMENTS, line, "no number"),
        })?;
    }
    Ok(overflow)
}

fn kind(text: Option<&str>) -> EntityKind {
    match text.map(str::to_ascii_lowercase).as_deref() {
        Some("individual") => EntityKind::Person,
        Some("vessel") => EntityKind::Vessel,
        Some("aircraft") => EntityKind::Aircraft,
        _ => EntityKind::Organisation,
    }
}

/// `SDGT] [IRAN] [IFSR` or `SDGT; IRAN`.
fn programmes(text: &str) -> Vec<String> {
    text.split(['[', ']', ';']).map(str::trim).filter(|code| !code.is_empty()).map(str::to_owned).collect()
}

fn name_of(entity: &Entity, text: &str, kind: NameKind) -> Name {
    if entity.kind == EntityKind::Person { Name::family_first(text, kind) } else { Name::new(text, kind) }
}

fn alias(line: u64, row: &csv::StringRecord, places: &BTreeMap<String, usize>, loaded: &mut Loaded) {
    let Some(id) = given(row.get(0)) else {
        loaded.fault(ALIASES, line, "no number");
        return;
    };
    let Some(entity) = places.get(id).and_then(|at| loaded.entities.get_mut(*at)) else { return };
    let Some(text) = given(row.get(3)) else {
        loaded.fault(ALIASES, line, "no name");
        return;
    };
    let kind = if row.get(2).is_some_and(|kind| kind.trim() == "fka") { NameKind::Former } else { NameKind::Strong };
    let name = name_of(entity, text, kind);
    entity.names.push(name);
}

/// Reads the facts in Remarks; returns what looked like one and could not be read.
fn remarks(entity: &mut Entity, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for fact in text.split("; ") {
        let fact = fact.trim().trim_end_matches('.').trim_end_matches(';');
        let fact = fact.strip_prefix("alt. ").unwrap_or(fact);
        if let Some(text) = fact.strip_prefix("DOB ") {
            match birth_date(text) {
                Ok(date) => entity.births.push(date),
                Err(reason) => faults.push(format!("date of birth: {reason}")),
            }
        } else if let Some(text) = fact.strip_prefix("nationality ").or_else(|| fact.strip_prefix("citizen ")) {
            match Country::from_name(text) {
                Some(country) => entity.nationalities.push(country),
                None => faults.push(format!("nationality: `{text}` is no country")),
            }
        } else if let Some(text) = fact.strip_prefix("Gender ") {
            entity.gender = Gender::from_text(text);
        } else if let Some(text) = fact.strip_prefix("POB ") {
            entity.countries.extend(text.rsplit(',').next().and_then(Country::from_name));
        } else if let Some((kind, text)) = named(fact) {
            let name = name_of(entity, text, kind);
            entity.names.push(name);
        } else {
            entity.documents.extend(document(fact));
        }
    }
    faults
}

/// `a.k.a. 'JONAS'`, `a.k.a. "JONAS"`: weak aliases stand nowhere else, and neither do some former names.
fn named(fact: &str) -> Option<(NameKind, &str)> {
    let kinds = [("a.k.a. ", NameKind::Weak), ("f.k.a. ", NameKind::Former), ("n.k.a. ", NameKind::Strong)];
    let (kind, text) = kinds.iter().find_map(|(start, kind)| Some((*kind, fact.strip_prefix(start)?)))?;
    let text = text.trim_start().strip_prefix(QUOTES)?;
    Some((kind, text.trim_end_matches(QUOTES).trim_end_matches('.').trim_end_matches(QUOTES)))
}

const QUOTES: [char; 6] = ['\'', '"', '‘', '’', '“', '”'];

/// The words that open a number that belongs to one party only.
const DOCUMENTS: [&str; 61] = [
    "Diplomatic Passport",
    "RFC",
    "Public Registration Number",
    "Italian Fiscal Code",
    "Cartilla de Servicio Militar Nacional",
    "Credencial electoral",
    "National Foreign ID Number",
    "US FEIN",
    "C.U.I.T.",
    "C.U.I.",
    "UK Company Number",
    "Enterprise Number",
    "I.F.E.",
    "Residency Number",
    "Registered Charity No.",
    "Birth Certificate Number",
    "Aircraft Construction Number",
    "SWIFT/BIC",
    "ISIN",
    "BIK (RU)",
    "License",
    "Moroccan Personal ID No.",
    "Bosnian Personal ID No.",
    "Passport",
    "National ID No.",
    "Tax ID No.",
    "Cedula No.",
    "Registration Number",
    "Registration ID",
    "Identification Number",
    "Business Registration Number",
    "Business Registration Document #",
    "Vessel Registration Identification",
    "MMSI",
    "NIT #",
    "C.U.R.P.",
    "R.F.C.",
    "D.N.I.",
    "RUC #",
    "RIF #",
    "Folio Mercantil No.",
    "Commercial Registry Number",
    "Company Number",
    "Unified Social Credit Code (USCC)",
    "Trade License No.",
    "Legal Entity Number",
    "Economic Register Number (CBLS)",
    "C.R. No.",
    "V.A.T. Number",
    "Matricula Mercantil No",
    "Chamber of Commerce Number",
    "D-U-N-S Number",
    "Central Registration System Number",
    "Personal ID Card",
    "Driver's License No.",
    "SSN",
    "Stateless Person ID Card",
    "Electoral Registry No.",
    "Aircraft Tail Number",
    "Aircraft Manufacturer's Serial Number (MSN)",
    "Government Gazette Number",
];

/// A number of a kind that belongs to one party only, as all of OFAC's layouts have it: not the day a company was founded.
pub(super) fn identified(kind: &str, number: &str, country: Option<Country>) -> Option<Document> {
    let wallet = kind.strip_prefix("Digital Currency Address - ").map(|currency| format!("wallet {currency}"));
    let known = wallet.is_some() || DOCUMENTS.iter().any(|own| kind.starts_with(own));
    let number = number.trim();
    let number = number.strip_prefix("IMO ").unwrap_or(number).trim();
    let telling = known && number.bytes().any(|c| c.is_ascii_digit());
    telling.then(|| Document { kind: wallet.unwrap_or_else(|| kind.to_owned()), number: number.to_owned(), country })
}

/// `Passport A123 (Russia) expires 2 Mar 2020`, `Vessel Registration Identification IMO 9187629`, `Digital Currency Address - XBT 1abc`.
fn document(fact: &str) -> Option<Document> {
    if let Some(wallet) = fact.strip_prefix("Digital Currency Address - ") {
        let (currency, address) = wallet.split_once(' ')?;
        return Some(Document { kind: format!("wallet {currency}"), number: address.trim().to_owned(), country: None });
    }
    let kind = DOCUMENTS.iter().find(|kind| fact.starts_with(*kind))?;
    let rest = fact.get(kind.len()..)?.trim();
    let country = rest
        .split_once('(')
        .and_then(|(_, after)| after.split_once(')'))
        .and_then(|(name, _)| Country::from_name(name));
    let number = rest.split_once(" (").map_or(rest, |(number, _)| number);
    let number =
        number.split_once(" issued ").or_else(|| number.split_once(" expires ")).map_or(number, |(number, _)| number);
    identified(kind, number, country)
}
