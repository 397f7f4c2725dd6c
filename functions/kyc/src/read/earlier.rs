//! What the client's earlier documents say, for a newer one to be held against: only what was read of them surely.

use documents::{Field, Fields, PartialDate, Source, State};
use domain::Redacted;
use domain::kyc::KycDocument;
use jiff::civil::Date;

/// What was kept of a document that is read already.
pub(super) fn kept(document: &KycDocument) -> Fields {
    let (Some(reading), Some(said)) = (&document.facts.reading, &document.inner.extracted) else {
        return Fields::default();
    };
    let sure = |name: &str| reading.sure.iter().any(|field| field == name);
    let text = |name: &str, value: &Option<Redacted<String>>| value.clone().filter(|_| sure(name)).map(field);
    let born = said.date_of_birth.as_ref().filter(|_| sure("date_of_birth"));
    let born = born.and_then(|born| born.reveal().parse::<Date>().ok());
    let nationality = said.nationality.as_ref().filter(|_| sure("nationality"));
    Fields {
        surname: text("surname", &said.surname),
        given_names: text("given_names", &said.given_names),
        date_of_birth: born.map(|born| field(Redacted::new(PartialDate::Day(born)))),
        nationality: nationality
            .and_then(|code| State::from_code(code.reveal()))
            .map(|state| field(Redacted::new(state))),
        ..Fields::default()
    }
}

/// What of a reading can be relied on.
pub(super) fn sure_of(read: Fields) -> Fields {
    Fields {
        surname: read.surname.filter(|field| field.sure),
        given_names: read.given_names.filter(|field| field.sure),
        date_of_birth: read.date_of_birth.filter(|field| field.sure),
        nationality: read.nationality.filter(|field| field.sure),
        ..Fields::default()
    }
}

fn field<T>(value: Redacted<T>) -> Field<T> {
    Field { value, source: Source::EarlierDocument, sure: true }
}
