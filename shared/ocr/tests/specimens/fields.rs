//! The fields of specimens: engine and understanding together, from pixels to a name.

use std::time::Instant;

use documents::{Field, Fields, Line, PartialDate, State, read_sides};
use domain::Redacted;
use jiff::civil::{Date, date};
use specimens::{Day, Kind, Person, Variant, person, specimen, transliterated};

use crate::{engine, many, picture};

const TODAY: Date = date(2026, 3, 1);

/// The sides that a client uploads for a document.
const DOCUMENTS: [(documents::Kind, &[Kind]); 3] = [
    (documents::Kind::Passport, &[Kind::Passport]),
    (documents::Kind::IdCard, &[Kind::IdCardFront, Kind::IdCardBack]),
    (documents::Kind::DrivingLicence, &[Kind::DrivingLicence]),
];

fn lines(kind: Kind, seed: u64, variant: Variant) -> Vec<Line> {
    engine().lines(&picture(&variant.apply(&specimen(kind, seed).picture, seed))).unwrap()
}

fn fields((asked, sides): (documents::Kind, &[Kind]), seed: u64, variant: Variant) -> Fields {
    let lines: Vec<Vec<Line>> = sides.iter().map(|side| lines(*side, seed, variant)).collect();
    let sides: Vec<&[Line]> = lines.iter().map(Vec::as_slice).collect();
    read_sides(&sides, asked, TODAY).fields
}

/// How one field was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Sure,
    Right,
    Missing,
    Wrong,
    SureAndWrong,
}

fn outcome<T>(field: Option<&Field<T>>, is_right: impl Fn(&T) -> bool) -> Outcome {
    match field {
        None => Outcome::Missing,
        Some(field) => match (is_right(reveal(&field.value)), field.sure) {
            (true, true) => Outcome::Sure,
            (true, false) => Outcome::Right,
            (false, false) => Outcome::Wrong,
            (false, true) => Outcome::SureAndWrong,
        },
    }
}

fn reveal<T>(value: &Redacted<T>) -> &T {
    value.reveal()
}

/// A name is right as it is printed or as a zone writes it.
fn is_name(read: &str, printed: &str) -> bool {
    let bare = |name: &str| transliterated(name).replace(['-', ' ', '\''], "");
    bare(read) == bare(printed)
}

fn is_day(read: PartialDate, day: Day) -> bool {
    read.day() == Some(date(day.year.try_into().unwrap(), day.month.try_into().unwrap(), day.day.try_into().unwrap()))
}

fn outcomes(fields: &Fields, person: &Person) -> [(&'static str, Outcome); 6] {
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

#[test]
#[ignore = "prints how many fields of every document are right after every mishap"]
fn fields_table() {
    let seeds = many("SEEDS", 2);
    let mut sure_and_wrong = Vec::new();
    println!("| document | mishap | sure | right | not read | wrong | sure and wrong | ms |");
    for document in DOCUMENTS {
        for variant in Variant::ORDINARY.into_iter().chain(Variant::HARD) {
            let mut counts = [0; 5];
            let mut notes = Vec::new();
            let mut ms = 0;
            for seed in 0..seeds {
                let started = Instant::now();
                let read = fields(document, 100 + seed, variant);
                ms += started.elapsed().as_millis();
                for (name, outcome) in outcomes(&read, &person(100 + seed)) {
                    let at = [Outcome::Sure, Outcome::Right, Outcome::Missing, Outcome::Wrong, Outcome::SureAndWrong];
                    counts[at.iter().position(|each| *each == outcome).unwrap()] += 1;
                    if outcome == Outcome::SureAndWrong {
                        sure_and_wrong.push((document.0, variant, seed, name));
                    }
                    if matches!(outcome, Outcome::Wrong | Outcome::SureAndWrong | Outcome::Missing) {
                        notes.push((seed, name));
                    }
                }
            }
            let [sure, right, missing, wrong, bad] = counts;
            let ms = ms / u128::from(seeds);
            println!(
                "| {:?} | {variant:?} | {sure} | {right} | {missing} | {wrong} | {bad} | {ms} | {notes:?}",
                document.0
            );
        }
    }
    assert!(sure_and_wrong.is_empty(), "{sure_and_wrong:?}");
}

#[test]
fn a_passport_of_pixels_becomes_fields_that_can_be_relied_on() {
    for (name, outcome) in outcomes(&fields(DOCUMENTS[0], 5, Variant::Jpeg(70)), &person(5)) {
        assert_eq!(outcome, Outcome::Sure, "{name}");
    }
}

#[test]
fn what_a_reflection_hides_is_never_sure_and_wrong() {
    for (name, outcome) in outcomes(&fields(DOCUMENTS[0], 6, Variant::Glare(0.45, 0.85, 0.12)), &person(6)) {
        assert!(outcome != Outcome::SureAndWrong, "{name}");
    }
}

#[test]
fn the_numbered_fields_of_a_licence_are_found() {
    for (name, outcome) in outcomes(&fields(DOCUMENTS[2], 8, Variant::Rotated(-7.0)), &person(8)) {
        // a licence does not say whose national its holder is
        let found = matches!(outcome, Outcome::Sure | Outcome::Right);
        assert!(found || name == "nationality", "{name}: {outcome:?}");
    }
}
