//! A document without a machine-readable zone: what stands beside its captions, none of it sure.

use domain::Redacted;
use jiff::civil::Date;

use crate::dated::dated;
use crate::finding::{Finding, Source, What};
use crate::fold;
use crate::mrz::{PartialDate, Sex, State};
use crate::reading::{Field, Fields, Kind, Reading};
use crate::visual::{Of, TextLine, Values, Word};

/// Reads the values.
pub(crate) fn without_zone(lines: &[TextLine], values: &Values, kind: Kind, today: Date) -> Reading {
    let text = |value: String| Field { value: Redacted::new(value), source: Source::Visual, sure: false };
    let name = |words: Vec<Word>| text(visual_name(&words));
    let date = |of: Of| visual_date(values, of, today);
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
    Reading { kind, zone: None, agrees: false, fields, findings }
}

/// The words of a name as they stand there.
pub(crate) fn visual_name(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<&str>>().join(" ")
}

/// The date beside a caption, which is not sure.
pub(crate) fn visual_date(values: &Values, of: Of, today: Date) -> Option<Field<PartialDate>> {
    let day = values.date(of).and_then(|written| written.days(of, today).into_iter().next())?;
    Some(Field { value: Redacted::new(PartialDate::Day(day)), source: Source::Visual, sure: false })
}

/// The state whose code or name a caption's value is.
pub(crate) fn state_named(name: &str) -> Option<State> {
    let country = || domain::country::by_code_or_name(name).and_then(|country| State::of_country(country.code()));
    State::from_code(&fold::plain(name)).or_else(country)
}

/// The sex that a letter says.
pub(crate) fn sex_of(letter: char) -> Sex {
    match letter {
        'F' => Sex::Female,
        'M' => Sex::Male,
        _ => Sex::Unspecified,
    }
}
