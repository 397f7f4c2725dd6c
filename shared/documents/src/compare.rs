//! A reading held against what the client declared, and against another document.

use domain::{Country, Redacted};
use jiff::civil::Date;

use crate::finding::{Finding, Source, What};
use crate::mrz::{PartialDate, State};
use crate::person::{Known, Likeness, likeness};
use crate::reading::{Field, Fields, Reading};

/// What the client said when registering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The whole name, in any order and writing.
    pub full_name: Redacted<String>,
    /// The date of birth.
    pub date_of_birth: Redacted<Date>,
    /// The nationality.
    pub nationality: Country,
}

/// Countries whose people bear passports of another one: the nationality is said either way.
const DEPENDENCIES: &str = "HK=CN MO=CN PR=US GU=US VI=US AS=US MP=US GG=GB JE=GB IM=GB GI=GB BM=GB KY=GB VG=GB AI=GB MS=GB TC=GB FK=GB \
SH=GB AX=FI GL=DK FO=DK AW=NL CW=NL SX=NL BQ=NL RE=FR GP=FR MQ=FR GF=FR YT=FR PF=FR NC=FR BL=FR MF=FR PM=FR WF=FR SJ=NO NF=AU CX=AU \
CC=AU CK=NZ NU=NZ TK=NZ";

/// What differs between a document and what the client declared. What was not read is no difference: the reading says so.
pub fn compare(reading: &Reading, declared: &Declared) -> Vec<Finding> {
    let fields = &reading.fields;
    let truncated = reading.zone.as_ref().is_some_and(|zone| zone.names.truncated);
    let name = name_of(fields).and_then(|(surname, given, source)| {
        let known = Known { surname: &surname, given: &given, truncated };
        let full = declared.full_name.reveal();
        let read = (source, format!("{given} {surname}").trim().to_owned());
        differing(likeness(&known, full)).map(|what| Finding::between(what, read, (Source::Declared, full.clone())))
    });
    let born = fields.date_of_birth.as_ref().and_then(|field| {
        let declared = *declared.date_of_birth.reveal();
        let other = !field.value.reveal().may_be(declared);
        other.then(|| Finding::between(What::DateOfBirthDiffers, said(field), (Source::Declared, declared.to_string())))
    });
    let nationality = fields.nationality.as_ref().and_then(|field| {
        let what = nationality(*field.value.reveal(), &declared.nationality)?;
        let read = (field.source, field.value.reveal().code().to_owned());
        Some(Finding::between(what, read, (Source::Declared, declared.nationality.code().to_owned())))
    });
    name.into_iter().chain(born).chain(nationality).collect()
}

/// What differs between a document and one that was read earlier. Another number and another date of expiry are what a new
/// document has.
pub fn compare_earlier(reading: &Reading, earlier: &Fields) -> Vec<Finding> {
    let fields = &reading.fields;
    let truncated = reading.zone.as_ref().is_some_and(|zone| zone.names.truncated);
    let names = name_of(fields).zip(name_of(earlier));
    let name = names.and_then(|((surname, given, source), (before_surname, before_given, _))| {
        let known = Known { surname: &surname, given: &given, truncated };
        let before = format!("{before_given} {before_surname}").trim().to_owned();
        let read = (source, format!("{given} {surname}").trim().to_owned());
        differing(likeness(&known, &before)).map(|what| Finding::between(what, read, (Source::EarlierDocument, before)))
    });
    let born = fields.date_of_birth.as_ref().zip(earlier.date_of_birth.as_ref()).and_then(|(field, before)| {
        let (now, then) = (*field.value.reveal(), *before.value.reveal());
        let other = !alike(now, then);
        other
            .then(|| Finding::between(What::DateOfBirthDiffers, said(field), (Source::EarlierDocument, said(before).1)))
    });
    let nationality = fields.nationality.as_ref().zip(earlier.nationality.as_ref()).and_then(|(field, before)| {
        let (now, then) = (*field.value.reveal(), *before.value.reveal());
        let other = now.country() != then.country() || (now.country().is_none() && now != then);
        let then = (Source::EarlierDocument, then.code().to_owned());
        other.then(|| Finding::between(What::NationalityDiffers, (field.source, now.code().to_owned()), then))
    });
    name.into_iter().chain(born).chain(nationality).collect()
}

/// Surname and given names as far as they were read, and the weaker of their sources.
fn name_of(fields: &Fields) -> Option<(String, String, Source)> {
    let both = [fields.surname.as_ref(), fields.given_names.as_ref()];
    let source = both.into_iter().flatten().map(|field| field.source).reduce(|one, other| match one {
        Source::Both => other,
        _ => one,
    })?;
    let text = |field: Option<&Field<String>>| field.map(|field| field.value.reveal().clone()).unwrap_or_default();
    Some((text(both[0]), text(both[1]), source))
}

fn said(field: &Field<PartialDate>) -> (Source, String) {
    let text = match *field.value.reveal() {
        PartialDate::Day(day) => day.to_string(),
        PartialDate::Year(year, Some(month)) => format!("{year:04}-{month:02}"),
        PartialDate::Year(year, None) => format!("{year:04}"),
        PartialDate::Unknown => String::new(),
    };
    (field.source, text)
}

fn alike(one: PartialDate, other: PartialDate) -> bool {
    match (one, other) {
        (PartialDate::Day(day), partial) | (partial, PartialDate::Day(day)) => partial.may_be(day),
        (PartialDate::Year(one, month), PartialDate::Year(other, other_month)) => {
            one == other && (month.is_none() || other_month.is_none() || month == other_month)
        }
        (PartialDate::Unknown, _) | (_, PartialDate::Unknown) => true,
    }
}

fn differing(likeness: Likeness) -> Option<What> {
    match likeness {
        Likeness::Same => None,
        Likeness::Transcribed => Some(What::NameTranscribedOtherwise),
        Likeness::Parts => Some(What::NamePartsMissing),
        Likeness::Slight => Some(What::NameDiffersSlightly),
        Likeness::NotComparable => Some(What::NameNotComparable),
        Likeness::Differs => Some(What::NameDiffers),
    }
}

fn nationality(read: State, declared: &Country) -> Option<What> {
    let Some(country) = read.country() else { return Some(What::NationalityNotStated) };
    let of = |one: &str, other: &str| {
        let mut pairs = DEPENDENCIES.split(' ').filter_map(|pair| pair.split_once('='));
        pairs.any(|(people, passport)| people == one && passport == other)
    };
    let same = country == declared.code() || of(declared.code(), country) || of(country, declared.code());
    (!same).then_some(What::NationalityDiffers)
}
