//! What a list says about somebody: one form for all lists.

pub mod country;
pub mod date;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use crate::text::script::Script;
pub use country::Country;
pub use date::{BirthDate, DateError, PartialDate};

/// A listed party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// The list's own identifier, the key of a delta: `ent_num`, `Unique ID`, `DATAID` …
    pub id: String,
    /// The list's code, for example `ofac_sdn`.
    pub list: String,
    /// Of a list that is put together from several: which of them name it.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What kind of party it is.
    pub kind: EntityKind,
    /// All its names; the primary one first.
    pub names: Vec<Name>,
    /// Its dates of birth; several are alternatives.
    pub births: Vec<BirthDate>,
    /// Countries of nationality or citizenship, sorted.
    pub nationalities: Vec<Country>,
    /// Countries of residence, address, registration or flag, sorted.
    pub countries: Vec<Country>,
    /// Identity documents, tax and registration numbers, IMO numbers, wallets.
    pub documents: Vec<Document>,
    /// The gender, if the list says it.
    pub gender: Option<Gender>,
    /// Sanctions programmes or positions held, as the list writes them.
    pub programmes: Vec<String>,
    /// Why somebody is on the list.
    pub topics: Vec<Topic>,
    /// Identifiers of entries that were merged into this one: what was decided about them is about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<String>,
}

impl Entity {
    /// An entry with nothing but its key.
    pub fn new(id: impl Into<String>, list: impl Into<String>, kind: EntityKind) -> Self {
        Self {
            id: id.into(),
            list: list.into(),
            sources: Vec::new(),
            kind,
            names: Vec::new(),
            births: Vec::new(),
            nationalities: Vec::new(),
            countries: Vec::new(),
            documents: Vec::new(),
            gender: None,
            programmes: Vec::new(),
            topics: Vec::new(),
            former: Vec::new(),
        }
    }

    /// The primary name, or the first one.
    pub fn primary_name(&self) -> &str {
        let primary = self.names.iter().find(|name| name.kind == NameKind::Primary).or_else(|| self.names.first());
        primary.map_or("", |name| name.text.as_str())
    }

    /// Puts what has no order in order and drops repetitions, so that equal entries are equal.
    pub fn normalise(&mut self) {
        self.names.sort_by_key(|name| name.kind != NameKind::Primary);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        self.names.retain(|name| !name.text.is_empty() && seen.insert(name.text.clone()));
        self.sources.sort_unstable();
        self.sources.dedup();
        self.births.sort_unstable();
        self.births.dedup();
        for countries in [&mut self.nationalities, &mut self.countries] {
            countries.sort_unstable();
            countries.dedup();
        }
        self.documents.sort_unstable();
        self.documents.dedup();
        self.topics.sort_unstable();
        self.topics.dedup();
        self.former.retain(|former| *former != self.id);
        self.former.sort_unstable();
        self.former.dedup();
    }
}

/// What kind of party an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A human being.
    Person,
    /// A company, authority, group or anything else without a birthday.
    Organisation,
    /// A ship.
    Vessel,
    /// An aircraft.
    Aircraft,
}

/// A name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The whole name, as the list writes it.
    pub text: String,
    /// The family name in it, if the list tells it apart.
    pub family: Option<String>,
    /// How much the name counts.
    pub kind: NameKind,
    /// The script it is written in.
    pub script: Script,
}

impl Name {
    /// A name whose parts are not told apart.
    pub fn new(text: impl Into<String>, kind: NameKind) -> Self {
        let text = text.into().trim().to_owned();
        Self { script: Script::of_text(&text), text, family: None, kind }
    }

    /// A person's name as `FAMILY, Given`; without a comma nothing is told apart.
    pub fn family_first(text: &str, kind: NameKind) -> Self {
        let mut name = Self::new(text, kind);
        name.family = name.text.split_once(',').map(|(family, _)| family.trim().to_owned());
        name
    }
}

/// How much a name counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    /// The main name of the entry.
    Primary,
    /// Another name that is as good.
    Strong,
    /// A name borne in the past.
    Former,
    /// A nickname or nom de guerre, too common to find somebody by: it only confirms.
    Weak,
}

/// Whether somebody is a woman or a man, as far as the list says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gender {
    /// A woman.
    Female,
    /// A man.
    Male,
}

impl Gender {
    /// `Male`, `m`, `F` …; anything else is unknown.
    pub fn from_text(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "male" | "m" => Some(Self::Male),
            "female" | "f" => Some(Self::Female),
            _ => None,
        }
    }
}

/// A document or number that belongs to one party only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Document {
    /// What it is, as the list writes it: `Passport`, `Tax ID No.`
    pub kind: String,
    /// The number as the list writes it.
    pub number: String,
    /// Who issued it.
    pub country: Option<Country>,
}

impl Document {
    /// The number as it is compared: capital letters and digits only.
    pub fn comparable(number: &str) -> String {
        number.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
    }
}

/// Why somebody is on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Sanctioned.
    Sanction,
    /// Not sanctioned, but trade is restricted.
    ExportControl,
    /// Holds or held a prominent public function.
    Pep,
    /// Relative or close associate of such a person.
    Relative,
    /// Wanted or convicted.
    Crime,
    /// On a list of one's own.
    Internal,
}
