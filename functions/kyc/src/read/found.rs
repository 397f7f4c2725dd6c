//! What was read, in the words of a case: which fields are sure, what was noticed, and what stands there.

use documents::address::Resident;
use documents::{Declared, Field, Fields, Kind, Line, PartialDate, Source, What};
use domain::client::Client;
use domain::kyc::{Extracted, Finding, Reading};
use domain::{Redacted, Seconds};
use jiff::civil::Date;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// A document that says who somebody is.
pub fn identity(
    sides: &[&[Line]],
    kind: Kind,
    client: &Client,
    earlier: &[Fields],
    today: Date,
    reader: &str,
) -> (Reading, Extracted) {
    let read = documents::read_sides(sides, kind, today);
    let mut seen: Vec<documents::Finding> = read.findings.clone();
    seen.extend(earlier.iter().flat_map(|earlier| documents::compare_earlier(&read, earlier)));
    if let Ok(born) = client.person.date_of_birth.reveal().parse() {
        let declared = Declared {
            full_name: client.person.full_name.clone(),
            date_of_birth: Redacted::new(born),
            nationality: client.facts.nationality,
        };
        seen.extend(documents::compare(&read, &declared));
    }
    let (sure, unsure) = fields(&read.fields);
    let mut findings: Vec<Finding> = seen.iter().filter_map(|finding| word(finding.what, &finding.sources)).collect();
    if sure.is_empty() && unsure.is_empty() {
        findings.push(Finding::NotRead);
    }
    (reading(reader, sure, unsure, findings), extracted(&read.fields))
}

/// A proof of address.
pub fn address(
    pages: &[&[Line]],
    client: &Client,
    max_age: Seconds,
    today: Date,
    reader: &str,
) -> (Reading, Extracted) {
    let resident =
        Resident { full_name: client.person.full_name.clone(), residence: client.facts.residence, city: None };
    let (proof, seen) = documents::address::read(pages, &resident, today);
    let mut findings: Vec<Finding> = seen.iter().filter_map(|finding| word(finding.what, &finding.sources)).collect();
    if pages.iter().all(|lines| lines.is_empty()) {
        findings = vec![Finding::NotRead];
    }
    let age_days = proof.newest_date.and_then(|newest| today.since(newest).ok()).map(|age| i64::from(age.get_days()));
    if age_days.is_some_and(|days| days.saturating_mul(DAY_S) > i64::from(max_age.0)) {
        findings.push(Finding::TooOld);
    }
    let unsure = if proof.name_found { vec!["address".to_owned()] } else { vec![] };
    (reading(reader, vec![], unsure, findings), Extracted::default())
}

fn reading(reader: &str, sure: Vec<String>, unsure: Vec<String>, mut findings: Vec<Finding>) -> Reading {
    findings.sort_unstable();
    findings.dedup();
    Reading { reader: reader.to_owned(), sure, unsure, findings }
}

/// The fields that were read: those that can be relied on, and the others.
fn fields(read: &Fields) -> (Vec<String>, Vec<String>) {
    let sure_of = |sure: Option<bool>, name: &str| sure.map(|sure| (sure, name.to_owned()));
    let all = [
        sure_of(read.surname.as_ref().map(|field| field.sure), "surname"),
        sure_of(read.given_names.as_ref().map(|field| field.sure), "given_names"),
        sure_of(read.date_of_birth.as_ref().map(|field| field.sure), "date_of_birth"),
        sure_of(read.number.as_ref().map(|field| field.sure), "number"),
        sure_of(read.expires.as_ref().map(|field| field.sure), "expires"),
        sure_of(read.nationality.as_ref().map(|field| field.sure), "nationality"),
        sure_of(read.issuer.as_ref().map(|field| field.sure), "issuer"),
        sure_of(read.sex.as_ref().map(|field| field.sure), "sex"),
    ];
    let (sure, unsure): (Vec<_>, Vec<_>) = all.into_iter().flatten().partition(|(sure, _)| *sure);
    let names = |fields: Vec<(bool, String)>| fields.into_iter().map(|(_, name)| name).collect();
    (names(sure), names(unsure))
}

fn extracted(read: &Fields) -> Extracted {
    let text = |field: &Option<Field<String>>| field.as_ref().map(|field| field.value.clone());
    let date = |field: &Option<Field<PartialDate>>| {
        field.as_ref().and_then(|field| field.value.reveal().day()).map(|day| day.to_string())
    };
    Extracted {
        surname: text(&read.surname),
        given_names: text(&read.given_names),
        date_of_birth: date(&read.date_of_birth).map(Redacted::new),
        number: text(&read.number),
        expires: date(&read.expires),
        nationality: read.nationality.as_ref().map(|field| Redacted::new(field.value.reveal().code().to_owned())),
        issuer: read.issuer.as_ref().map(|field| field.value.reveal().code().to_owned()),
    }
}

/// What the case calls it. What only keeps a field from being sure is said by the fields; what is a matter of spelling is nothing.
fn word(what: What, between: &[Source]) -> Option<Finding> {
    let differs = |declared: Finding| {
        Some(if between.contains(&Source::Declared) {
            declared
        } else if between.contains(&Source::EarlierDocument) {
            Finding::EarlierDiffers
        } else {
            Finding::ZoneDiffers
        })
    };
    match what {
        What::CheckDigitFails => Some(Finding::ZoneInvalid),
        What::SeveralDocuments => Some(Finding::SeveralDocuments),
        What::DocumentOfAnotherKind => Some(Finding::OtherKind),
        What::NameDiffers | What::NameDiffersSlightly | What::NameNotComparable => differs(Finding::NameDiffers),
        What::DateOfBirthDiffers => differs(Finding::BirthDateDiffers),
        What::NationalityDiffers => differs(Finding::NationalityDiffers),
        What::ExpiryDiffers => Some(Finding::ZoneDiffers),
        What::DateOfBirthInFuture | What::DateOfBirthImpossible => Some(Finding::BirthDateImpossible),
        What::Expired => Some(Finding::Expired),
        What::ExpiresSoon => Some(Finding::ExpiresSoon),
        What::AddressNameNotFound => Some(Finding::NameNotFound),
        What::AddressDateNotFound => Some(Finding::DateNotFound),
        What::ZoneNotFound
        | What::ZoneMended
        | What::NumberAmbiguous
        | What::StateUnknown
        | What::NameNotInVisual
        | What::NameWordsDiffer
        | What::NameTruncated
        | What::NumberNotInVisual
        | What::NameTranscribedOtherwise
        | What::NamePartsMissing
        | What::DateOfBirthUnreadable
        | What::DateOfBirthIncomplete
        | What::ExpiryUnreadable
        | What::ExpiryUnknown
        | What::NationalityNotStated
        | What::AddressCityNotFound
        | What::AddressCountryNotFound => None,
    }
}
