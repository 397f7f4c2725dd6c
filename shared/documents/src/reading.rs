//! A document read: its zone, its fields with where they come from and whether they can be relied on, and what was found.

use domain::Redacted;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::confirm::{Confirmed, Name, confirm, trusted};
use crate::finding::{Finding, Source, What};
use crate::fold;
use crate::line::Line;
use crate::mrz::{self, Format, Found, PartialDate, Proof, Sex, State, Zone};
use crate::visual::{self, Of, TextLine, Values, Word, Written, dates_in};

/// What kind of identity document was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Passport,
    IdCard,
    DrivingLicence,
}

/// A value read from a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field<T> {
    /// The value; it belongs to the person.
    pub value: Redacted<T>,
    /// Which part of the document says so.
    pub source: Source,
    /// Whether it can be relied on without a person: the check digits hold, and names and number stand in both parts.
    pub sure: bool,
}

/// The values of a document; what was not read is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<Field<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_names: Option<Field<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Field<PartialDate>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Field<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Field<PartialDate>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nationality: Option<Field<State>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Field<State>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Field<Sex>>,
}

/// A document read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// What was asked for.
    pub kind: Kind,
    /// The machine-readable zone, if there is one.
    pub zone: Option<Zone>,
    /// The values.
    pub fields: Fields,
    /// What is to be said of them.
    pub findings: Vec<Finding>,
}

/// Reads a document from the lines of one picture.
pub fn read(lines: &[Line], kind: Kind, today: Date) -> Reading {
    read_sides(&[lines], kind, today)
}

/// Reads a document from the lines of its sides: the zone of a card stands on the back, the number on the front confirms it.
pub fn read_sides(sides: &[&[Line]], kind: Kind, today: Date) -> Reading {
    let mut zones: Vec<Found> = vec![];
    let mut lines: Vec<TextLine> = vec![];
    for (page, side) in sides.iter().enumerate() {
        let found = mrz::find(side, today);
        let of_zone: Vec<usize> = found.iter().flat_map(|found| found.lines.iter().copied()).collect();
        lines.extend(visual::lines(side, &of_zone, page));
        zones.extend(found);
    }
    zones.sort_by_key(|found| !found.zone.check_digits_hold());
    let values = visual::read(&mut lines);
    match zones.split_first() {
        Some((found, others)) => {
            let several = others.iter().any(|other| differ(&found.zone, &other.zone));
            of_zone(found, several, &lines, &values, kind, today)
        }
        None => without_zone(&lines, &values, kind, today),
    }
}

fn differ(zone: &Zone, other: &Zone) -> bool {
    other.check_digits_hold() && (other.number != zone.number || other.names != zone.names)
}

fn of_zone(found: &Found, several: bool, lines: &[TextLine], values: &Values, kind: Kind, today: Date) -> Reading {
    let confirmed = confirm(found, lines);
    let holds = found.zone.check_digits_hold() && !several;
    let names = [(&found.zone.names.primary, &confirmed.primary), (&found.zone.names.secondary, &confirmed.secondary)];
    let named = names.iter().all(|(words, standing)| words.is_empty() || standing.is_some());
    let any_name = names.iter().any(|(words, _)| !words.is_empty());
    let proved = Proved {
        found,
        lines,
        values,
        today,
        accepted: holds && named && any_name && confirmed.number.is_some(),
        confirmed,
    };
    let fields = proved.fields();
    let mut findings = proved.findings(kind);
    findings.extend(several.then(|| Finding::of(What::SeveralDocuments, &[Source::Mrz])));
    findings.extend(dated(&fields, today));
    Reading { kind, zone: Some(found.zone.clone()), fields, findings }
}

/// A zone with what the visual part says to it.
struct Proved<'a> {
    found: &'a Found,
    lines: &'a [TextLine],
    values: &'a Values,
    today: Date,
    /// The check digits hold, and names and number stand in both parts.
    accepted: bool,
    confirmed: Confirmed,
}

impl Proved<'_> {
    fn fields(&self) -> Fields {
        let zone = &self.found.zone;
        let names = &zone.names;
        let number = self.confirmed.number.as_ref();
        let french = Some(zone.issuer).filter(|_| zone.format == Format::FrenchCard).flatten();
        // several words and no given names: a lost filler makes one identifier of two
        let one = names.secondary.is_empty() && names.primary.len() > 1;
        let whole = !names.truncated && !one && !self.found.names_short;
        Fields {
            surname: self.name(&names.primary, self.confirmed.primary.as_ref(), whole),
            given_names: self.name(&names.secondary, self.confirmed.secondary.as_ref(), whole),
            date_of_birth: zone.date_of_birth.map(|date| {
                let date = self.of_the_century(date);
                self.date(date, self.stands(date, Of::Birth), zone.proofs.date_of_birth)
            }),
            number: Some(zone.number.clone()).filter(|number| !number.is_empty()).map(|read| Field {
                value: Redacted::new(number.cloned().unwrap_or(read)),
                source: if number.is_some() { Source::Both } else { Source::Mrz },
                sure: self.accepted,
            }),
            expires: zone.expires.map(|date| {
                self.date(date, self.stands(date, Of::Validity), zone.proofs.expires.unwrap_or(Proof::Fails))
            }),
            nationality: zone.nationality.or(french).map(|state| self.state(state, zone.issuer)),
            issuer: zone.issuer.map(|state| self.state(state, zone.nationality.or(french))),
            sex: zone.sex.map(|sex| self.sex(sex)),
        }
    }

    fn name(&self, words: &[String], standing: Option<&Name>, whole: bool) -> Option<Field<String>> {
        let both = standing.map(|name| name.words.join(" "));
        let source = if both.is_some() { Source::Both } else { Source::Mrz };
        let sure = self.accepted && whole && standing.is_some_and(|name| name.alike);
        let value = both.unwrap_or_else(|| words.join(" "));
        (!words.is_empty()).then(|| Field { value: Redacted::new(value), source, sure })
    }

    fn date(&self, date: PartialDate, stands: Option<bool>, proof: Proof) -> Field<PartialDate> {
        let source = if stands == Some(true) { Source::Both } else { Source::Mrz };
        let sure = self.accepted && proof.proves() && date.day().is_some() && stands != Some(false);
        Field { value: Redacted::new(date), source, sure }
    }

    /// Whether the date stands in the visual part; `None` if nothing there says so or otherwise.
    fn stands(&self, date: PartialDate, of: Of) -> Option<bool> {
        let day = date.day()?;
        let says = |written: Written| written.days(of, self.today).contains(&day);
        let anywhere = self.lines.iter().any(|line| dates_in(&line.words).into_iter().any(says));
        if anywhere { Some(true) } else { self.values.date(of).map(|_| false) }
    }

    /// The zone has two digits for the year of birth: of people over a hundred the visual part says the century.
    fn of_the_century(&self, date: PartialDate) -> PartialDate {
        let Some(day) = date.day() else { return date };
        let earlier = day.year().checked_sub(100).and_then(|year| Date::new(year, day.month(), day.day()).ok());
        let written = self.values.date(Of::Birth).filter(|written| written.is_full());
        let days = written.map(|written| written.days(Of::Birth, self.today)).unwrap_or_default();
        match earlier.filter(|earlier| days.contains(earlier) && !days.contains(&day)) {
            Some(earlier) => PartialDate::Day(earlier),
            None => date,
        }
    }

    /// No check digit covers a state: it must stand twice, in the zone or in the visual part.
    fn state(&self, state: State, other: Option<State>) -> Field<State> {
        let named = || {
            let nationality = self.values.nationality().and_then(|name| domain::country::by_code_or_name(&name));
            nationality.is_some_and(|country| Some(country.code()) == state.country())
        };
        let code = visual::word_stands(self.lines, state.code());
        let stands = code.is_some() || named();
        let source = if stands { Source::Both } else { Source::Mrz };
        let twice = stands || other == Some(state);
        let likely =
            self.found.states_sure >= STATE_MIN || code.is_some_and(|sure| trusted(sure, self.found.states_sure));
        Field { value: Redacted::new(state), source, sure: self.accepted && twice && likely }
    }

    fn sex(&self, sex: Sex) -> Field<Sex> {
        let stands = self.values.sex().map(sex_of) == Some(sex);
        let source = if stands { Source::Both } else { Source::Mrz };
        Field { value: Redacted::new(sex), source, sure: self.accepted && stands }
    }

    fn findings(&self, kind: Kind) -> Vec<Finding> {
        let zone = &self.found.zone;
        let proofs = zone.proofs;
        let fails = [Some(proofs.number), Some(proofs.date_of_birth), proofs.expires, proofs.optional];
        let fails = zone.composite == Some(false) || fails.contains(&Some(Proof::Fails));
        let states = [Some(zone.issuer), Some(zone.nationality).filter(|_| zone.format != Format::FrenchCard)];
        let names =
            [(&zone.names.primary, &self.confirmed.primary), (&zone.names.secondary, &self.confirmed.secondary)];
        let missing = names.iter().any(|(words, standing)| !words.is_empty() && standing.is_none());
        let otherwise = names.iter().any(|(_, name)| name.as_ref().is_some_and(|name| !name.alike));
        let otherwise = otherwise || (self.found.names_short && !missing);
        let mrz = [Source::Mrz];
        let both = [Source::Mrz, Source::Visual];
        let found = [
            fails.then(|| Finding::of(What::CheckDigitFails, &mrz)),
            (!zone.mends.is_empty()).then(|| Finding::of(What::ZoneMended, &mrz)),
            (proofs.number == Proof::Ambiguous && self.confirmed.number.is_none())
                .then(|| Finding::of(What::NumberAmbiguous, &mrz)),
            (!is_of(kind, zone)).then(|| Finding::of(What::DocumentOfAnotherKind, &mrz)),
            states.into_iter().flatten().any(|state| state.is_none()).then(|| Finding::of(What::StateUnknown, &mrz)),
            missing.then(|| Finding::of(What::NameNotInVisual, &both)),
            otherwise.then(|| Finding::of(What::NameWordsDiffer, &both)),
            zone.names.truncated.then(|| Finding::of(What::NameTruncated, &mrz)),
            self.confirmed.number.is_none().then(|| Finding::of(What::NumberNotInVisual, &both)),
            zone.date_of_birth.is_none().then(|| Finding::of(What::DateOfBirthUnreadable, &mrz)),
            (zone.expires.is_none() && zone.format != Format::FrenchCard)
                .then(|| Finding::of(What::ExpiryUnreadable, &mrz)),
        ];
        let birth = zone.date_of_birth.map(|date| self.of_the_century(date));
        let dates = [
            self.date_differs(birth, Of::Birth, What::DateOfBirthDiffers),
            self.date_differs(zone.expires, Of::Validity, What::ExpiryDiffers),
        ];
        found.into_iter().chain(dates).flatten().collect()
    }

    fn date_differs(&self, date: Option<PartialDate>, of: Of, what: What) -> Option<Finding> {
        let date = date.filter(|date| self.stands(*date, of) == Some(false))?.day()?;
        let visual = self.values.date(of)?.days(of, self.today).into_iter().next()?;
        Some(Finding::between(what, (Source::Mrz, date.to_string()), (Source::Visual, visual.to_string())))
    }
}

/// A code of a state must be as sure as this, in thousandths.
const STATE_MIN: u16 = 700;
/// Nobody is older than this, in years.
const AGE_MAX: i16 = 120;
/// A renewal is asked for as many days before a document expires.
const SOON_DAYS: i64 = 30;

fn sex_of(letter: char) -> Sex {
    match letter {
        'F' => Sex::Female,
        'M' => Sex::Male,
        _ => Sex::Unspecified,
    }
}

/// Whether a zone is one that the kind of document has.
fn is_of(kind: Kind, zone: &Zone) -> bool {
    let passport = zone.document_code.starts_with('P');
    let visa = matches!(zone.format, Format::VisaA | Format::VisaB);
    match kind {
        Kind::Passport => passport && !visa,
        Kind::IdCard => !passport && !visa,
        Kind::DrivingLicence => true,
    }
}

fn without_zone(lines: &[TextLine], values: &Values, kind: Kind, today: Date) -> Reading {
    let text = |value: String| Field { value: Redacted::new(value), source: Source::Visual, sure: false };
    let name = |words: Vec<Word>| text(words.iter().map(|word| word.text.as_str()).collect::<Vec<&str>>().join(" "));
    let date = |of: Of| {
        let day = values.date(of).and_then(|written| written.days(of, today).into_iter().next());
        day.map(|day| Field { value: Redacted::new(PartialDate::Day(day)), source: Source::Visual, sure: false })
    };
    let nationality = values.nationality().and_then(|name| state_named(&name));
    let fields = Fields {
        surname: values.surname().map(name),
        given_names: values.given_names().map(name),
        date_of_birth: date(Of::Birth),
        number: values.number().map(text),
        expires: date(Of::Validity),
        nationality: nationality.map(|state| Field {
            value: Redacted::new(state),
            source: Source::Visual,
            sure: false,
        }),
        issuer: None,
        sex: values.sex().map(|sex| Field { value: Redacted::new(sex_of(sex)), source: Source::Visual, sure: false }),
    };
    let zone = (kind != Kind::DrivingLicence).then(|| Finding::of(What::ZoneNotFound, &[Source::Visual]));
    let read = !lines.is_empty();
    let birth =
        (read && fields.date_of_birth.is_none()).then(|| Finding::of(What::DateOfBirthUnreadable, &[Source::Visual]));
    let expiry = (read && fields.expires.is_none()).then(|| Finding::of(What::ExpiryUnreadable, &[Source::Visual]));
    let findings = [zone, birth, expiry].into_iter().flatten().chain(dated(&fields, today)).collect();
    Reading { kind, zone: None, fields, findings }
}

fn state_named(name: &str) -> Option<State> {
    let code = fold::plain(name);
    let country = || domain::country::by_code_or_name(name).and_then(|country| State::of_country(country.code()));
    State::from_code(&code).or_else(country)
}

/// What the day says of the dates.
fn dated(fields: &Fields, today: Date) -> Vec<Finding> {
    let finding = |what, field: &Field<PartialDate>, value: String| {
        Finding::between(what, (field.source, value), (Source::Today, today.to_string()))
    };
    let birth = fields.date_of_birth.as_ref().and_then(|field| {
        let what = match *field.value.reveal() {
            PartialDate::Day(day) if day > today => What::DateOfBirthInFuture,
            PartialDate::Day(day) if today.year().saturating_sub(day.year()) > AGE_MAX => What::DateOfBirthImpossible,
            PartialDate::Day(_) => return None,
            PartialDate::Year(..) | PartialDate::Unknown => What::DateOfBirthIncomplete,
        };
        Some(finding(what, field, field.value.reveal().day().map(|day| day.to_string()).unwrap_or_default()))
    });
    let expiry = fields.expires.as_ref().and_then(|field| {
        let Some(day) = field.value.reveal().day() else {
            return Some(Finding::of(What::ExpiryUnknown, &[field.source]));
        };
        let left = today.until(day).ok()?.get_days();
        let what = match i64::from(left) {
            ..0 => What::Expired,
            0..=SOON_DAYS => What::ExpiresSoon,
            _ => return None,
        };
        Some(finding(what, field, day.to_string()))
    });
    birth.into_iter().chain(expiry).collect()
}
