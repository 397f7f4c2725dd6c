//! What is to be said of a document: between which two sources something differs, what cannot be proved, what has expired.

use domain::Redacted;
use serde::{Deserialize, Serialize};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The machine-readable zone.
    Mrz,
    /// The part of the document that people read.
    Visual,
    /// Both parts, which agree.
    Both,
    /// What the client said.
    Declared,
    /// A document that was read earlier.
    EarlierDocument,
    /// The calendar.
    Today,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Worth telling; alone no reason not to decide.
    Minor,
    /// A person, or a better picture, must clear it.
    Serious,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The document should have a zone, and none was found.
    ZoneNotFound,
    /// A check digit of the zone does not hold.
    CheckDigitFails,
    /// Characters of the zone were taken for others; the zone tells which.
    ZoneMended,
    /// Several numbers make the check digits hold.
    NumberAmbiguous,
    /// The picture shows zones of different documents.
    SeveralDocuments,
    /// The zone is one of another kind of document than was asked for.
    DocumentOfAnotherKind,
    /// Issuing state or nationality are no code that exists.
    StateUnknown,
    /// The names of the zone do not stand in the visual part.
    NameNotInVisual,
    /// The names stand there, parted into words otherwise or with more words beside them; or the zone's line lost characters, so
    /// that two words may be one in it.
    NameWordsDiffer,
    /// The zone was too short for the whole name.
    NameTruncated,
    /// The number of the zone does not stand in the visual part.
    NumberNotInVisual,
    /// The name differs.
    NameDiffers,
    /// One letter of one word differs.
    NameDiffersSlightly,
    /// It is one name in two transcriptions.
    NameTranscribedOtherwise,
    /// Middle names or parts of the surname stand on one side only, or as initials.
    NamePartsMissing,
    /// One name is in a script that cannot be compared letter by letter.
    NameNotComparable,
    /// The dates of birth differ.
    DateOfBirthDiffers,
    /// The date of birth is no date.
    DateOfBirthUnreadable,
    /// Day or month of birth are unknown.
    DateOfBirthIncomplete,
    /// The date of birth is ahead.
    DateOfBirthInFuture,
    /// Nobody is as old as this.
    DateOfBirthImpossible,
    /// The dates of expiry differ.
    ExpiryDiffers,
    /// The date of expiry is no date, or was not read.
    ExpiryUnreadable,
    /// The document says that it never expires, or the zone does not say when.
    ExpiryUnknown,
    /// The document has expired.
    Expired,
    /// It expires within the days in which a renewal is asked for.
    ExpiresSoon,
    /// The nationalities differ.
    NationalityDiffers,
    /// The document names no nationality that is a country's.
    NationalityNotStated,
    /// A proof of address does not bear the client's name.
    AddressNameNotFound,
    /// It does not bear the client's city.
    AddressCityNotFound,
    /// It does not bear the client's country.
    AddressCountryNotFound,
    /// It bears no date, or only dates ahead.
    AddressDateNotFound,
}

impl What {
    /// How much it weighs.
    pub fn weight(self) -> Weight {
        match self {
            Self::ZoneMended
            | Self::NameWordsDiffer
            | Self::NameTruncated
            | Self::NameTranscribedOtherwise
            | Self::NamePartsMissing
            | Self::ExpiresSoon
            // bills at home seldom name the country
            | Self::AddressCountryNotFound => Weight::Minor,
            Self::ZoneNotFound
            | Self::CheckDigitFails
            | Self::NumberAmbiguous
            | Self::SeveralDocuments
            | Self::DocumentOfAnotherKind
            | Self::StateUnknown
            | Self::NameNotInVisual
            | Self::NumberNotInVisual
            | Self::NameDiffers
            | Self::NameDiffersSlightly
            | Self::NameNotComparable
            | Self::DateOfBirthDiffers
            | Self::DateOfBirthUnreadable
            | Self::DateOfBirthIncomplete
            | Self::DateOfBirthInFuture
            | Self::DateOfBirthImpossible
            | Self::ExpiryDiffers
            | Self::ExpiryUnreadable
            | Self::ExpiryUnknown
            | Self::Expired
            | Self::NationalityDiffers
            | Self::NationalityNotStated
            | Self::AddressNameNotFound
            | Self::AddressCityNotFound
            | Self::AddressDateNotFound => Weight::Serious,
        }
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Where it comes from.
    pub source: Source,
    /// The value; it belongs to the person.
    pub value: Redacted<String>,
}

/// Something found. What serialises is free of personal data; [`Finding::sides`] has the values, for the private part of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub what: What,
    /// How much it weighs.
    pub weight: Weight,
    /// Between which sources, or in which one.
    pub sources: Vec<Source>,
    #[serde(skip)]
    sides: Vec<Side>,
}

impl Finding {
    pub(crate) fn of(what: What, sources: &[Source]) -> Self {
        Self { what, weight: what.weight(), sources: sources.to_vec(), sides: vec![] }
    }

    pub(crate) fn between(what: What, one: (Source, String), other: (Source, String)) -> Self {
        let side = |(source, value)| Side { source, value: Redacted::new(value) };
        let sides = vec![side(one), side(other)];
        Self { sides, ..Self::of(what, &[]) }.with_sources()
    }

    fn with_sources(mut self) -> Self {
        self.sources = self.sides.iter().map(|side| side.source).collect();
        self
    }

    /// The values, with their sources; empty where the finding is about what is missing.
    pub fn sides(&self) -> &[Side] {
        &self.sides
    }
}
