//! The layouts of a zone: which characters say what. Places are counted through all its lines.
#![expect(clippy::single_range_in_vec_init, reason = "a list of ranges may have one")]

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::glyphs::Class;

/// A layout of the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Cards of credit card size: three lines of 30.
    Td1,
    /// Larger cards and old passports: two lines of 36.
    Td2,
    /// Passports: two lines of 44.
    Td3,
    /// Visas of the size of a passport's page: two lines of 44.
    VisaA,
    /// Smaller visas: two lines of 36.
    VisaB,
    /// French identity cards of 1988 to 2021: two lines of 36 of their own.
    FrenchCard,
}

/// A field with the place of its check digit.
#[derive(Clone)]
pub(super) struct Span {
    pub(super) field: Range<usize>,
    pub(super) digit: usize,
}

/// Where a layout has what.
pub(super) struct Layout {
    pub(super) format: Format,
    pub(super) rows: usize,
    pub(super) width: usize,
    /// The field of all names, or of the surname alone.
    pub(super) names: Range<usize>,
    /// A field of the given names alone.
    pub(super) given: Option<Range<usize>>,
    pub(super) number: Span,
    /// Where a number of more than nine characters goes on.
    pub(super) overflow: Option<Range<usize>>,
    pub(super) nationality: Option<Range<usize>>,
    pub(super) birth: Span,
    pub(super) sex: usize,
    pub(super) expiry: Option<Span>,
    /// Optional data with a check digit of their own.
    pub(super) optional: Option<Span>,
    /// Optional data that only the composite check digit covers, if any does.
    pub(super) others: &'static [Range<usize>],
    /// What the composite check digit covers, and its place.
    pub(super) composite: Option<(&'static [Range<usize>], usize)>,
}

/// The state that issued the document, in every layout.
pub(super) const ISSUER: Range<usize> = 2..5;

const fn span(from: usize, to: usize) -> Span {
    Span { field: from..to, digit: to }
}

static TD1: Layout = Layout {
    format: Format::Td1,
    rows: 3,
    width: 30,
    names: 60..90,
    given: None,
    number: span(5, 14),
    overflow: Some(15..30),
    nationality: Some(45..48),
    birth: span(30, 36),
    sex: 37,
    expiry: Some(span(38, 44)),
    optional: None,
    others: &[15..30, 48..59],
    composite: Some((&[5..30, 30..37, 38..45, 48..59], 59)),
};

static TD2: Layout = Layout {
    format: Format::Td2,
    rows: 2,
    width: 36,
    names: 5..36,
    given: None,
    number: span(36, 45),
    overflow: Some(64..71),
    nationality: Some(46..49),
    birth: span(49, 55),
    sex: 56,
    expiry: Some(span(57, 63)),
    optional: None,
    others: &[64..71],
    composite: Some((&[36..46, 49..56, 57..71], 71)),
};

static TD3: Layout = Layout {
    format: Format::Td3,
    rows: 2,
    width: 44,
    names: 5..44,
    given: None,
    number: span(44, 53),
    overflow: None,
    nationality: Some(54..57),
    birth: span(57, 63),
    sex: 64,
    expiry: Some(span(65, 71)),
    optional: Some(span(72, 86)),
    others: &[],
    composite: Some((&[44..54, 57..64, 65..87], 87)),
};

static VISA_A: Layout = Layout {
    format: Format::VisaA,
    rows: 2,
    width: 44,
    names: 5..44,
    given: None,
    number: span(44, 53),
    overflow: None,
    nationality: Some(54..57),
    birth: span(57, 63),
    sex: 64,
    expiry: Some(span(65, 71)),
    optional: None,
    others: &[72..88],
    composite: None,
};

static VISA_B: Layout = Layout {
    format: Format::VisaB,
    rows: 2,
    width: 36,
    names: 5..36,
    given: None,
    number: span(36, 45),
    overflow: None,
    nationality: Some(46..49),
    birth: span(49, 55),
    sex: 56,
    expiry: Some(span(57, 63)),
    optional: None,
    others: &[64..72],
    composite: None,
};

static FRENCH_CARD: Layout = Layout {
    format: Format::FrenchCard,
    rows: 2,
    width: 36,
    names: 5..30,
    given: Some(49..63),
    number: span(36, 48),
    overflow: None,
    nationality: None,
    birth: span(63, 69),
    sex: 70,
    expiry: None,
    optional: None,
    others: &[30..36],
    composite: Some((&[0..71], 71)),
};

impl Format {
    pub(super) const ALL: [Self; 6] = [Self::Td3, Self::Td1, Self::Td2, Self::FrenchCard, Self::VisaA, Self::VisaB];

    pub(super) fn layout(self) -> &'static Layout {
        match self {
            Self::Td1 => &TD1,
            Self::Td2 => &TD2,
            Self::Td3 => &TD3,
            Self::VisaA => &VISA_A,
            Self::VisaB => &VISA_B,
            Self::FrenchCard => &FRENCH_CARD,
        }
    }

    /// Lines, and characters of each.
    pub fn size(self) -> (usize, usize) {
        (self.layout().rows, self.layout().width)
    }
}

impl Layout {
    /// The class of a place.
    pub(super) fn class(&self, place: usize) -> Class {
        let dates = [Some(&self.birth), self.expiry.as_ref()];
        let dated = dates.into_iter().flatten().any(|date| date.field.contains(&place) || date.digit == place);
        let checked = [Some(&self.number), self.optional.as_ref()];
        let digit = checked.into_iter().flatten().any(|checked| checked.digit == place);
        let composite = self.composite.as_ref().is_some_and(|(_, digit)| *digit == place);
        let named = self.names.contains(&place) || self.given.as_ref().is_some_and(|given| given.contains(&place));
        let state = ISSUER.contains(&place) || self.nationality.as_ref().is_some_and(|state| state.contains(&place));
        if dated || digit || composite {
            Class::Digits
        } else if named || state || place < ISSUER.start || place == self.sex {
            Class::Letters
        } else {
            Class::Any
        }
    }
}
