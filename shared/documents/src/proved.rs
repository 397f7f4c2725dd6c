//! A zone held against the part of the document that people read.

use domain::Redacted;
use jiff::civil::Date;

use crate::confirm::{Confirmed, Name, TRUST_MIN, confirm, trusted};
use crate::dated::{AGE_MAX, dated};
use crate::finding::{Finding, Source, What};
use crate::mrz::{Format, Found, PartialDate, Proof, Sex, State, Zone};
use crate::reading::{Field, Fields, Kind, Reading};
use crate::visual::{self, Of, TextLine, Values, Written, dates_in};
use crate::without_zone::{sex_of, state_named, visual_date, visual_name};

/// A code of a state must be as sure as this, in thousandths.
const STATE_MIN: u16 = 700;

/// Reads the fields of a zone; `several` documents on one picture make none of them sure.
pub(crate) fn of_zone(
    found: &Found,
    several: bool,
    lines: &[TextLine],
    values: &Values,
    kind: Kind,
    today: Date,
) -> Reading {
    let confirmed = confirm(found, lines);
    let holds = found.zone.check_digits_hold() && !several;
    let names = [(&found.zone.names.primary, &confirmed.primary), (&found.zone.names.secondary, &confirmed.secondary)];
    let named = names.iter().all(|(words, standing)| words.is_empty() || standing.is_some());
    let any_name = names.iter().any(|(words, _)| !words.is_empty());
    let whole =
        names.iter().all(|(words, standing)| words.is_empty() || standing.as_ref().is_some_and(|name| name.alone));
    let proved = Proved {
        found,
        lines,
        values,
        today,
        accepted: holds && named && any_name && confirmed.number.is_some(),
        confirmed,
    };
    let agrees = proved.accepted && whole && !found.zone.names.truncated;
    let fields = proved.fields();
    let mut findings = proved.findings(kind);
    findings.extend(several.then(|| Finding::of(What::SeveralDocuments, &[Source::Mrz])));
    findings.extend(dated(&fields, today));
    Reading { kind, zone: Some(found.zone.clone()), agrees, fields, findings }
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
        let whole = !names.truncated && !one && !self.found.names_unclear;
        Fields {
            surname: self.name(&names.primary, self.confirmed.primary.as_ref(), whole),
            given_names: self.name(&names.secondary, self.confirmed.secondary.as_ref(), whole),
            date_of_birth: zone.date_of_birth.map(|date| self.born(date)),
            number: Some(zone.number.clone()).filter(|number| !number.is_empty()).map(|read| Field {
                value: Redacted::new(number.cloned().unwrap_or(read)),
                source: if number.is_some() { Source::Both } else { Source::Mrz },
                sure: self.accepted,
            }),
            expires: zone.expires.map_or_else(
                || visual_date(self.values, Of::Validity, self.today),
                |date| {
                    let proof = zone.proofs.expires.unwrap_or(Proof::Fails);
                    Some(self.date(date, self.stands(date, Of::Validity), proof, self.found.expiry_sure))
                },
            ),
            nationality: zone.nationality.or(french).map(|state| self.nationality(state, zone.issuer)),
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

    /// Check digits do not see two figures that are five off each: the figures are beyond doubt, or stand in the visual part.
    fn date(&self, date: PartialDate, stands: Option<bool>, proof: Proof, sure: u16) -> Field<PartialDate> {
        let source = if stands == Some(true) { Source::Both } else { Source::Mrz };
        let certain = stands == Some(true) || (stands.is_none() && sure >= TRUST_MIN);
        let sure = self.accepted && proof.proves() && date.day().is_some() && certain;
        Field { value: Redacted::new(date), source, sure }
    }

    /// Whether the date stands in the visual part; `None` if nothing there says so or otherwise.
    fn stands(&self, date: PartialDate, of: Of) -> Option<bool> {
        let day = date.day()?;
        let says = |written: Written| written.days(of, self.today).contains(&day);
        let anywhere = self.lines.iter().any(|line| dates_in(&line.words).into_iter().any(says));
        if anywhere { Some(true) } else { self.values.date(of).map(|_| false) }
    }

    /// The date of birth. Of the youngest the zone alone cannot say that they are no hundred years older.
    fn born(&self, date: PartialDate) -> Field<PartialDate> {
        let date = self.of_the_century(date);
        let proof = self.found.zone.proofs.date_of_birth;
        let mut field = self.date(date, self.stands(date, Of::Birth), proof, self.found.birth_sure);
        let older = date.day().and_then(hundred_years_before);
        let may_be_older = older.is_some_and(|older| self.today.year().saturating_sub(older.year()) <= AGE_MAX);
        field.sure = field.sure && (!may_be_older || date.day().is_some_and(|day| self.stands_in_full(day)));
        field
    }

    /// The zone has two digits for the year of birth: of people over a hundred the visual part says the century.
    fn of_the_century(&self, date: PartialDate) -> PartialDate {
        let Some(day) = date.day() else { return date };
        let older = hundred_years_before(day).filter(|older| self.stands_in_full(*older) && !self.stands_in_full(day));
        older.map_or(date, PartialDate::Day)
    }

    /// Whether the day stands beside the caption for the date of birth with all four digits of its year.
    fn stands_in_full(&self, day: Date) -> bool {
        let written = self.values.date(Of::Birth).filter(|written| written.is_full());
        written.is_some_and(|written| written.days(Of::Birth, self.today).contains(&day))
    }

    /// The nationality, which the visual part may name by the country's name, or contradict.
    fn nationality(&self, state: State, issuer: Option<State>) -> Field<State> {
        // the codes for kinds of British nationals are one letter from each other, so the code itself must be there
        let visual = self.visual_state().map(|visual| visual == state);
        let twice = if visual == Some(true) { Some(state) } else { issuer };
        let mut field = self.state(state, twice);
        field.sure = field.sure && visual != Some(false);
        field
    }

    /// No check digit covers a state: it must stand twice, in the zone or in the visual part.
    fn state(&self, state: State, other: Option<State>) -> Field<State> {
        let code = visual::word_stands(self.lines, state.code());
        let source = if code.is_some() { Source::Both } else { Source::Mrz };
        let twice = code.is_some() || other == Some(state);
        let likely =
            self.found.states_sure >= STATE_MIN || code.is_some_and(|sure| trusted(sure, self.found.states_sure));
        Field { value: Redacted::new(state), source, sure: self.accepted && twice && likely }
    }

    /// The nationality of the visual part, where a code or a country's name says it rather than the name of a people.
    fn visual_state(&self) -> Option<State> {
        self.values.nationality().and_then(|name| state_named(&name))
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
        let otherwise = otherwise || (self.found.names_unclear && !missing);
        let mrz = [Source::Mrz];
        let both = [Source::Mrz, Source::Visual];
        let found = [
            fails.then(|| Finding::of(What::CheckDigitFails, &mrz)),
            (!zone.mends.is_empty()).then(|| Finding::of(What::ZoneMended, &mrz)),
            (proofs.number == Proof::Ambiguous && self.confirmed.number.is_none())
                .then(|| Finding::of(What::NumberAmbiguous, &mrz)),
            (!is_of(kind, zone)).then(|| Finding::of(What::DocumentOfAnotherKind, &mrz)),
            states.into_iter().flatten().any(|state| state.is_none()).then(|| Finding::of(What::StateUnknown, &mrz)),
            missing.then(|| self.name_missing()),
            otherwise.then(|| Finding::of(What::NameWordsDiffer, &both)),
            zone.names.truncated.then(|| Finding::of(What::NameTruncated, &mrz)),
            self.confirmed.number.is_none().then(|| self.number_missing()),
            self.nationality_differs(),
            zone.date_of_birth.is_none().then(|| Finding::of(What::DateOfBirthUnreadable, &mrz)),
            self.expiry_missing(),
        ];
        let birth = zone.date_of_birth.map(|date| self.of_the_century(date));
        let dates = [
            self.date_differs(birth, Of::Birth, What::DateOfBirthDiffers),
            self.date_differs(zone.expires, Of::Validity, What::ExpiryDiffers),
        ];
        found.into_iter().chain(dates).flatten().collect()
    }

    /// The old French card has its date of expiry on the back alone, and many are valid for five years longer than it says.
    fn expiry_missing(&self) -> Option<Finding> {
        let french = self.found.zone.format == Format::FrenchCard;
        let what = if french { What::ExpiryUnknown } else { What::ExpiryUnreadable };
        self.found.zone.expires.is_none().then(|| Finding::of(what, &[Source::Mrz]))
    }

    fn name_missing(&self) -> Finding {
        let names = &self.found.zone.names;
        let zone = [names.secondary.join(" "), names.primary.join(" ")].join(" ").trim().to_owned();
        let visual = [self.values.given_names(), self.values.surname()].into_iter().flatten();
        let visual = visual.map(|words| visual_name(&words)).collect::<Vec<String>>().join(" ");
        missing(What::NameNotInVisual, zone, visual)
    }

    fn number_missing(&self) -> Finding {
        let visual = self.values.number().unwrap_or_default();
        missing(What::NumberNotInVisual, self.found.zone.number.clone(), visual)
    }

    fn nationality_differs(&self) -> Option<Finding> {
        let (zone, visual) = (self.found.zone.nationality?, self.visual_state()?);
        let sides = ((Source::Mrz, zone.code().to_owned()), (Source::Visual, visual.code().to_owned()));
        (!same_country(zone, visual)).then(|| Finding::between(What::NationalityDiffers, sides.0, sides.1))
    }

    fn date_differs(&self, date: Option<PartialDate>, of: Of, what: What) -> Option<Finding> {
        let date = date.filter(|date| self.stands(*date, of) == Some(false))?.day()?;
        let visual = self.values.date(of)?.days(of, self.today).into_iter().next()?;
        Some(Finding::between(what, (Source::Mrz, date.to_string()), (Source::Visual, visual.to_string())))
    }
}

fn hundred_years_before(day: Date) -> Option<Date> {
    Date::new(day.year().checked_sub(100)?, day.month(), day.day()).ok()
}

fn same_country(one: State, other: State) -> bool {
    one == other || (one.country().is_some() && one.country() == other.country())
}

/// A value of the zone that does not stand in the visual part, with what stands there instead, if that was read.
fn missing(what: What, zone: String, visual: String) -> Finding {
    match visual.is_empty() {
        true => Finding::of(what, &[Source::Mrz, Source::Visual]),
        false => Finding::between(what, (Source::Mrz, zone), (Source::Visual, visual)),
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
