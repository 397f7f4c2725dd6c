//! OFAC's advanced XML: the only OFAC file with names in their original script. Codes are resolved through the file's own tables.

use std::collections::BTreeMap;

use super::ofac_csv::identified;
use super::wording;
use super::xml::{Node, Shape, records};
use super::{ListError, Loaded};
use crate::model::{BirthDate, Country, Document, Entity, EntityKind, Gender, Name, NameKind, PartialDate, Topic};

const PART: &str = "parties";

/// Reads the file; it is streamed, whatever its size.
///
/// # Errors
/// It is empty, truncated or another kind of file.
pub fn read(list: &str, bytes: &[u8]) -> Result<Loaded, ListError> {
    let mut loaded = Loaded::default();
    let mut tables = Tables::default();
    let shape = Shape {
        part: PART,
        roots: &["Sanctions"],
        records: &["DateOfIssue", "ReferenceValueSets", "Location", "IDRegDocument", "DistinctParty", "SanctionsEntry"],
    };
    let damaged = records(shape, bytes, |line, node| match node.name.as_str() {
        "DateOfIssue" => loaded.published = point(&node).map(|date| date.to_string()),
        "ReferenceValueSets" => tables = Tables::read(&node),
        "Location" => tables.location(&node),
        "IDRegDocument" => tables.document(&node),
        "DistinctParty" => {
            loaded.rows += 1;
            let mut unreadable = Vec::new();
            let entity = party(list, &node, &tables, &mut unreadable);
            for reason in unreadable {
                loaded.fault(PART, line, reason);
            }
            match entity {
                Some(entity) => loaded.entities.push(entity),
                None => loaded.fault(PART, line, "a party without number, profile or name"),
            }
        }
        "SanctionsEntry" => programmes(&mut loaded, &node),
        _ => {}
    })?;
    loaded.faults.extend(damaged);
    loaded.finish(PART)
}

/// The file's code tables: (table, code) to text.
#[derive(Default)]
struct Tables {
    values: BTreeMap<(String, String), String>,
    /// Countries of locations by location.
    locations: BTreeMap<String, Country>,
    /// Documents by the identity that they prove.
    documents: BTreeMap<String, Vec<Document>>,
}

impl Tables {
    fn read(sets: &Node) -> Self {
        let mut values = BTreeMap::new();
        let mut sub_types = Vec::new();
        for set in &sets.children {
            for value in &set.children {
                let Some(id) = value.attribute("ID") else { continue };
                values.insert((value.name.clone(), id.to_owned()), value.text.trim().to_owned());
                if let Some(of) = value.attribute("PartyTypeID").filter(|_| value.name == "PartySubType") {
                    sub_types.push((id.to_owned(), of.to_owned()));
                }
            }
        }
        // "Unknown" sub-types say through their type whether a party is a person
        for (id, of) in sub_types {
            let name = values.get(&("PartyType".to_owned(), of)).cloned().unwrap_or_default();
            let own = values.entry(("PartySubType".to_owned(), id)).or_default();
            *own = format!("{name} {own}");
        }
        Self { values, ..Self::default() }
    }

    fn text(&self, table: &str, code: Option<&str>) -> &str {
        code.and_then(|code| self.values.get(&(table.to_owned(), code.to_owned()))).map_or("", String::as_str)
    }

    fn document(&mut self, node: &Node) {
        let kind = self.text("IDRegDocType", node.attribute("IDRegDocTypeID"));
        let country = Country::from_name(self.text("Country", node.attribute("IssuedBy-CountryID")));
        let document = node.value("IDRegistrationNo").and_then(|number| identified(kind, number, country));
        if let (Some(identity), Some(document)) = (node.attribute("IdentityID"), document) {
            self.documents.entry(identity.to_owned()).or_default().push(document);
        }
    }

    fn location(&mut self, node: &Node) {
        let area = node
            .child("LocationCountry")
            .and_then(|country| country.attribute("CountryID"))
            .map(|id| self.text("Country", Some(id)));
        if let (Some(id), Some(country)) = (node.attribute("ID"), area.and_then(Country::from_name)) {
            self.locations.insert(id.to_owned(), country);
        }
    }
}

fn party(list: &str, node: &Node, tables: &Tables, unreadable: &mut Vec<String>) -> Option<Entity> {
    let id = node.attribute("FixedRef")?;
    let profile = node.child("Profile")?;
    let kind_text = tables.text("PartySubType", profile.attribute("PartySubTypeID")).to_ascii_lowercase();
    let kind = match kind_text.as_str() {
        text if text.contains("vessel") => EntityKind::Vessel,
        text if text.contains("aircraft") => EntityKind::Aircraft,
        text if text.contains("individual") => EntityKind::Person,
        _ => EntityKind::Organisation,
    };
    let mut entity = Entity::new(id, list, kind);
    entity.topics.push(Topic::Sanction);
    for identity in profile.all("Identity") {
        let groups = groups(identity, tables);
        let documents = identity.attribute("ID").and_then(|id| tables.documents.get(id));
        entity.documents.extend(documents.into_iter().flatten().cloned());
        for alias in identity.all("Alias") {
            entity
                .names
                .extend(alias.all("DocumentedName").filter_map(|name| documented_name(alias, name, &groups, tables)));
        }
    }
    for feature in profile.all("Feature") {
        feature_of(&mut entity, feature, tables, unreadable);
    }
    (!entity.names.is_empty()).then_some(entity)
}

/// What the groups of name parts of an identity mean: `Last Name`, `First Name` …
fn groups(identity: &Node, tables: &Tables) -> BTreeMap<String, String> {
    let groups = identity.at(&["NamePartGroups", "MasterNamePartGroup", "NamePartGroup"]);
    let meaning = |group: &Node| tables.text("NamePartType", group.attribute("NamePartTypeID")).to_ascii_lowercase();
    groups.into_iter().filter_map(|group| Some((group.attribute("ID")?.to_owned(), meaning(group)))).collect()
}

fn documented_name(alias: &Node, name: &Node, groups: &BTreeMap<String, String>, tables: &Tables) -> Option<Name> {
    let kind_text = tables.text("AliasType", alias.attribute("AliasTypeID"));
    let kind = match () {
        () if alias.attribute("LowQuality") == Some("true") => NameKind::Weak,
        () if kind_text.starts_with("F.K.A") => NameKind::Former,
        () if alias.attribute("Primary") == Some("true") => NameKind::Primary,
        () => NameKind::Strong,
    };
    let (mut family, mut rest) = (Vec::new(), Vec::new());
    for value in name.at(&["DocumentedNamePart", "NamePartValue"]) {
        let meaning = value.attribute("NamePartGroupID").and_then(|group| groups.get(group)).map_or("", String::as_str);
        if meaning == "last name" { &mut family } else { &mut rest }.push(value.text.trim());
    }
    match (family.is_empty(), rest.is_empty()) {
        (true, true) => None,
        (false, false) => Some(Name::family_first(&format!("{}, {}", family.join(" "), rest.join(" ")), kind)),
        _ => Some(Name::new([family, rest].concat().join(" "), kind)),
    }
}

fn feature_of(entity: &mut Entity, feature: &Node, tables: &Tables, unreadable: &mut Vec<String>) {
    let title = tables.text("FeatureType", feature.attribute("FeatureTypeID"));
    let meaning = title.to_ascii_lowercase();
    for version in feature.all("FeatureVersion") {
        let detail = version.child("VersionDetail");
        let reference = tables.text("DetailReference", detail.and_then(|detail| detail.attribute("DetailReferenceID")));
        let country = version
            .child("VersionLocation")
            .and_then(|location| tables.locations.get(location.attribute("LocationID")?))
            .copied();
        if meaning == "birthdate" {
            match version.child("DatePeriod").and_then(period) {
                Some(date) => entity.births.push(date),
                None => unreadable.push(format!("{}: date of birth: it cannot be read", entity.id)),
            }
        } else if meaning.starts_with("digital currency address") {
            entity.documents.extend(detail.and_then(|detail| identified(title, &detail.text, None)));
        } else if meaning == "gender" {
            entity.gender = Gender::from_text(reference);
        } else if meaning.starts_with("nationality") || meaning.starts_with("citizenship") {
            entity.nationalities.extend(country);
        } else {
            entity.countries.extend(country);
        }
    }
}

/// A date, or the dates between which it lies.
fn period(node: &Node) -> Option<BirthDate> {
    let ends = ["Start", "End"]
        .map(|end| node.child(end).map(|end| ["From", "To"].map(|side| end.child(side).and_then(point))));
    let from = ends[0].and_then(|[from, _]| from)?;
    let to = ends[1].and_then(|[_, to]| to).unwrap_or(from);
    let about = node.child("Start").and_then(|start| start.attribute("Approximate")) == Some("true");
    if from == to {
        return Some(if about { BirthDate::About(from) } else { BirthDate::On(from) });
    }
    // a whole year or month is written as its first and last day
    let whole_year = from.year() == to.year()
        && (from.month(), from.day(), to.month(), to.day()) == (Some(1), Some(1), Some(12), Some(31));
    let year = PartialDate::of_year(from.year()).ok().filter(|_| whole_year);
    match year {
        Some(year) if about => Some(BirthDate::About(year)),
        Some(year) => Some(BirthDate::On(year)),
        None if about => Some(wording::about(BirthDate::Between(from, to))),
        None => Some(BirthDate::Between(from, to)),
    }
}

fn point(node: &Node) -> Option<PartialDate> {
    let number = |name: &str| node.value(name).and_then(|text| text.parse::<u8>().ok()).unwrap_or_default();
    let year = node.value("Year")?.parse().ok()?;
    PartialDate::new(year, number("Month"), number("Day")).ok()
}

/// The programmes stand apart from the parties and name them by profile, which has the party's number.
fn programmes(loaded: &mut Loaded, node: &Node) {
    let Some(profile) = node.attribute("ProfileID") else { return };
    if let Some(entity) = loaded.entities.iter_mut().rev().find(|entity| entity.id == profile) {
        let measures = node.all("SanctionsMeasure").filter_map(|measure| measure.value("Comment"));
        entity.programmes.extend(measures.map(str::to_owned));
    }
}
