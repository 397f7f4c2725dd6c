//! What the model looks at: a handful of numbers about a query and a listed name.

use super::align::{Alignment, places};
use super::dates::DateFinding;
use super::facts::{Facts, Finding};
use super::units::Unit;
use super::words::How;
use crate::index::Partition;
use crate::index::layout::{FAMILY_NAME, FORMER_NAME, NamePartRecord, NameRecord, WEAK_ALIAS};
use crate::num;
use crate::text::distance::letters_apart;
use crate::text::parts::PartClass;

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// The features of a query and a listed name. The same form holds the weights of a model.
        #[derive(Debug, Clone, Copy, Default, PartialEq)]
        pub struct Features {
            $($(#[$doc])* pub $name: f32,)+
        }

        impl Features {
            /// The features' names, as the model file has them.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// The values in the order of the names.
            pub fn values(&self) -> Vec<f32> {
                vec![$(self.$name),+]
            }

            /// From values in that order; what is missing is 0.
            pub fn from_values(values: &[f32]) -> Self {
                let mut values = values.iter().copied();
                Self { $($name: values.next().unwrap_or_default()),+ }
            }

            /// The value with this name.
            pub(crate) fn value_mut(&mut self, name: &str) -> Option<&mut f32> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)+
                    _ => None,
                }
            }

            /// The sum of all products with the weights, in logits.
            pub(crate) fn weighed(&self, weights: &Self) -> f32 {
                0.0 $(+ self.$name * weights.$name)+
            }
        }
    };
}

features! {
    /// Always 1.
    bias,
    /// What the meetings say, in bits, up to 8.
    evidence_to_8,
    /// From 8 to 14.
    evidence_to_14,
    /// From 14 to 20.
    evidence_to_20,
    /// From 20 on, ever more slowly.
    evidence_over_20,
    /// Edits of all meetings.
    edits,
    /// Edits for each sound that was compared.
    edits_share,
    /// Letters that differ in all meetings.
    letters,
    /// Letters that differ, as a share of those that were compared.
    letters_share,
    /// Names of the query that met nothing.
    unmet_query,
    /// Given and other names of the listed name that met nothing.
    unmet_listed,
    /// Family names of the listed name that met nothing, as a share.
    unmet_family,
    /// What is unmet on both sides, in bits: one name for another.
    both_unmet_bits,
    /// What is unmet of the query, in bits.
    unmet_query_bits,
    /// What is unmet of the listed name, in bits.
    unmet_listed_bits,
    /// Meetings of a word with an initial.
    initials,
    /// Meetings of a name with its nickname.
    nicknames,
    /// Meetings of a name with its form in another language.
    forms,
    /// Meetings of joined or split words.
    joined,
    /// Meetings by consonants only.
    by_consonants,
    /// Meetings with a word cut short.
    abbreviations,
    /// Meetings of an acronym with its words.
    acronyms,
    /// 1 if only one name met.
    one_name_only,
    /// 1 if nothing is unmet on either side and nothing differs.
    all_equal,
    /// 1 if nothing is unmet on either side.
    all_met,
    /// 1 if the name is a weak alias.
    weak_alias,
    /// 1 if the name is a former one.
    former_name,
    /// A legal form is on both sides, letter by letter.
    legal_form_met,
    /// Legal forms on both sides, none alike.
    legal_form_differs,
    /// Numbers that met nothing, on both sides together.
    number_differs,
    /// The date of birth is equal.
    date_equal,
    /// Equal with day and month swapped.
    date_swapped,
    /// Day or month differ.
    date_one_field_off,
    /// The year differs by a slip.
    date_year_off,
    /// Equal as far as known.
    date_compatible,
    /// Within a range or about right.
    date_about,
    /// The next year.
    date_next_year,
    /// Same year, other day.
    date_other_day,
    /// Another date.
    date_contradicts,
    /// A country is shared.
    country_shared,
    /// No country is shared although both sides have some.
    country_differs,
    /// The gender differs.
    gender_differs,
    /// A document is shared.
    document_shared,
}

/// How much a part counts as a name that should have met something.
fn weight(class: PartClass) -> f32 {
    match class {
        PartClass::Core => 1.0,
        PartClass::Patronymic => 0.4,
        PartClass::Initial => 0.8,
        PartClass::Particle | PartClass::Title | PartClass::LegalForm | PartClass::Number => 0.0,
    }
}

/// The features of an alignment; `query_bits` is the rarity of each part of the query.
pub(crate) fn of(
    partition: &Partition<'_>,
    name: &NameRecord,
    units: &[Unit],
    query_bits: &[f32],
    alignment: &Alignment,
    facts: &Facts,
) -> Features {
    let mut features = Features { bias: 1.0, ..Features::default() };
    let parts = partition.parts_of(name);
    meetings(&mut features, partition, parts, units, alignment);
    unmet(&mut features, partition, parts, units, query_bits, alignment);
    features.weak_alias = flag(name.kind == WEAK_ALIAS);
    features.former_name = flag(name.kind == FORMER_NAME);
    facts_of(&mut features, facts);
    features
}

fn flag(holds: bool) -> f32 {
    if holds { 1.0 } else { 0.0 }
}

fn meetings(
    features: &mut Features,
    partition: &Partition<'_>,
    parts: &[NamePartRecord],
    units: &[Unit],
    alignment: &Alignment,
) {
    let mut evidence = 0.0;
    let (mut sounds, mut letters) = (0, 0);
    let mut names_met = 0;
    for pair in &alignment.pairs {
        evidence += pair.gain;
        let Some(unit) = units.get(pair.unit) else { continue };
        if unit.class == PartClass::LegalForm && pair.how == How::Same {
            features.legal_form_met = 1.0;
        }
        if weight(unit.class) == 0.0 {
            continue;
        }
        features.edits += pair.edits;
        let Some(reading) = unit.readings.first() else { continue };
        sounds += reading.sounds.len();
        if matches!(pair.how, How::Spelling | How::Typo) {
            letters += reading.letters.len();
            features.letters +=
                f32::from(letters_apart(reading.letters.as_bytes(), &listed_letters(partition, parts, pair.listed)));
        }
        let counter = match pair.how {
            How::Initial => Some(&mut features.initials),
            How::Nickname => Some(&mut features.nicknames),
            How::Form => Some(&mut features.forms),
            How::Consonants => Some(&mut features.by_consonants),
            How::Abbreviation => Some(&mut features.abbreviations),
            How::Acronym => Some(&mut features.acronyms),
            How::Same | How::Spelling | How::Typo => None,
        };
        if let Some(counter) = counter {
            *counter += 1.0;
        }
        let several = pair.query.count_ones().max(pair.listed.count_ones());
        if several > 1 && pair.how != How::Acronym {
            features.joined += 1.0;
        }
        if pair.how != How::Initial {
            names_met += several;
        }
    }
    features.edits_share = features.edits / num::real(sounds).max(1.0);
    features.letters_share = features.letters / num::real(letters).max(1.0);
    features.evidence_to_8 = evidence.min(8.0);
    features.evidence_to_14 = (evidence - 8.0).clamp(0.0, 6.0);
    features.evidence_to_20 = (evidence - 14.0).clamp(0.0, 6.0);
    features.evidence_over_20 = (evidence - 20.0).max(0.0).sqrt();
    features.one_name_only = flag(names_met <= 1);
}

/// The letters of some parts of a listed name, written as one.
fn listed_letters(partition: &Partition<'_>, parts: &[NamePartRecord], listed: u32) -> Vec<u8> {
    let tokens = places(listed).filter_map(|at| partition.token(parts.get(at)?.token.get()));
    tokens.flat_map(|token| token.letters).copied().collect()
}

fn unmet(
    features: &mut Features,
    partition: &Partition<'_>,
    parts: &[NamePartRecord],
    units: &[Unit],
    query_bits: &[f32],
    alignment: &Alignment,
) {
    let mut legal_forms = (0, 0);
    for at in places(alignment.query_left) {
        let class = units.get(at).map_or(PartClass::Particle, |unit| unit.class);
        features.unmet_query += weight(class);
        features.unmet_query_bits += weight(class) * query_bits.get(at).copied().unwrap_or_default();
        features.number_differs += flag(class == PartClass::Number);
        legal_forms.0 += i32::from(class == PartClass::LegalForm);
    }
    let (mut families, mut families_met) = (0.0, 0.0);
    let mut names_unmet = 0.0;
    for (at, part) in parts.iter().enumerate() {
        let Some(token) = partition.token(part.token.get()) else { continue };
        // a family name that is a title elsewhere is a name here: AL-SHAYKH
        let family = part.role == FAMILY_NAME;
        let class = if family && token.class == PartClass::Title { PartClass::Core } else { token.class };
        let (weight, left) =
            (weight(class), alignment.listed_left & 1_u32.checked_shl(num::position(at)).unwrap_or_default() != 0);
        if family {
            families += weight;
            families_met += if left { 0.0 } else { weight };
        }
        if left {
            names_unmet += weight;
            features.unmet_listed += if family { 0.0 } else { weight };
            features.unmet_listed_bits += weight * token.bits;
            features.number_differs += flag(token.class == PartClass::Number);
            legal_forms.1 += i32::from(token.class == PartClass::LegalForm);
        }
    }
    features.unmet_family = if families > 0.0 { 1.0 - families_met / families } else { 0.0 };
    features.all_met = flag(features.unmet_query + names_unmet < 0.1);
    features.all_equal = flag(features.all_met > 0.0 && alignment.pairs.iter().all(|pair| pair.how == How::Same));
    features.both_unmet_bits = features.unmet_query_bits.min(features.unmet_listed_bits);
    features.legal_form_differs = flag(legal_forms.0 > 0 && legal_forms.1 > 0);
}

fn facts_of(features: &mut Features, facts: &Facts) {
    let date = match facts.date {
        DateFinding::Equal => Some(&mut features.date_equal),
        DateFinding::Swapped => Some(&mut features.date_swapped),
        DateFinding::OneFieldOff => Some(&mut features.date_one_field_off),
        DateFinding::YearOff => Some(&mut features.date_year_off),
        DateFinding::Compatible => Some(&mut features.date_compatible),
        DateFinding::About => Some(&mut features.date_about),
        DateFinding::NextYear => Some(&mut features.date_next_year),
        DateFinding::OtherDay => Some(&mut features.date_other_day),
        DateFinding::Contradicts => Some(&mut features.date_contradicts),
        DateFinding::Unknown => None,
    };
    if let Some(date) = date {
        *date = 1.0;
    }
    features.country_shared = flag(facts.country == Finding::Match);
    features.country_differs = flag(facts.country == Finding::Differs);
    features.gender_differs = flag(facts.gender == Finding::Differs);
    features.document_shared = flag(facts.document == Finding::Match);
}
