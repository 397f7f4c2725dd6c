//! Documents as clients send them, and how right and how sure a reader is of each field. `make bench` counts with it, too.

use documents::{Field, Fields, PartialDate, State};
use specimens::{Day, Kind, Person, transliterated};

/// The sides that a client uploads for a document.
pub const DOCUMENTS: [(documents::Kind, &[Kind]); 3] = [
    (documents::Kind::Passport, &[Kind::Passport]),
    (documents::Kind::IdCard, &[Kind::IdCardFront, Kind::IdCardBack]),
    (documents::Kind::DrivingLicence, &[Kind::DrivingLicence]),
];

/// How one field was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Sure,
    Right,
    Missing,
    Wrong,
    SureAndWrong,
}

fn outcome<T>(field: Option<&Field<T>>, is_right: impl Fn(&T) -> bool) -> Outcome {
    match field {
        None => Outcome::Missing,
        Some(field) => match (is_right(field.value.reveal()), field.sure) {
            (true, true) => Outcome::Sure,
            (true, false) => Outcome::Right,
            (false, false) => Outcome::Wrong,
            (false, true) => Outcome::SureAndWrong,
        },
    }
}

/// A name is right as it is printed or as a zone writes it.
fn is_name(read: &str, printed: &str) -> bool {
    let bare = |name: &str| transliterated(name).replace(['-', ' ', '\''], "");
    bare(read) == bare(printed)
}

fn is_day(read: PartialDate, day: Day) -> bool {
    read.day().is_some_and(|read| read.to_string() == day.iso())
}

/// How each field of somebody's document was read.
pub fn outcomes(fields: &Fields, person: &Person) -> [(&'static str, Outcome); 6] {
    let state = State::from_code(person.state);
    [
        ("surname", outcome(fields.surname.as_ref(), |read| is_name(read, person.surname))),
        ("given names", outcome(fields.given_names.as_ref(), |read| is_name(read, &person.given))),
        ("birth", outcome(fields.date_of_birth.as_ref(), |read| is_day(*read, person.birth))),
        ("number", outcome(fields.number.as_ref(), |read| *read == person.number)),
        ("expiry", outcome(fields.expires.as_ref(), |read| is_day(*read, person.expiry))),
        ("nationality", outcome(fields.nationality.as_ref(), |read| Some(read.country()) == state.map(State::country))),
    ]
}
