//! The fields of specimens: engine and understanding together, from pixels to a name.

use documents::{Fields, Line, read_sides};
use jiff::civil::{Date, date};
use specimens::{Kind, Variant, person, specimen};

use crate::outcome::{DOCUMENTS, Outcome, outcomes};
use crate::{engine, picture};

const TODAY: Date = date(2026, 3, 1);

fn lines(kind: Kind, seed: u64, variant: Variant) -> Vec<Line> {
    engine().lines(&picture(&variant.apply(&specimen(kind, seed).picture, seed))).unwrap()
}

fn fields((asked, sides): (documents::Kind, &[Kind]), seed: u64, variant: Variant) -> Fields {
    let lines: Vec<Vec<Line>> = sides.iter().map(|side| lines(*side, seed, variant)).collect();
    let sides: Vec<&[Line]> = lines.iter().map(Vec::as_slice).collect();
    read_sides(&sides, asked, TODAY).fields
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
