//! What holds of every zone.

use documents::mrz::{Format, Proof};
use documents::{PartialDate, Zone};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::build::{Person, zone};

fn word() -> impl Strategy<Value = String> {
    "[A-Z]{2,8}"
}

fn date() -> impl Strategy<Value = String> {
    (0..100_u8, 1..=12_u8, 1..=28_u8).prop_map(|(year, month, day)| format!("{year:02}{month:02}{day:02}"))
}

prop_compose! {
    fn person()(
        primary in vec(word(), 1..3),
        secondary in vec(word(), 1..3),
        number in "[A-Z0-9]{9}",
        state in prop::sample::select(vec!["UTO", "D", "GBR", "FRA", "RKS", "ESP"]),
        born in date(),
        expires in date(),
        sex in prop::sample::select(vec!['F', 'M', 'X', '<']),
        optional in "[A-Z0-9]{0,7}",
    ) -> Person {
        let code = "P".to_owned();
        let issuer = state.to_owned();
        Person { code, nationality: issuer.clone(), issuer, primary, secondary, number, born, sex, expires, optional }
    }
}

/// The zone of each layout that a person's data fill.
fn zones(person: &Person) -> [(Format, Vec<String>); 3] {
    let card = Person { code: "I".into(), ..person.clone() };
    [(Format::Td3, person.td3()), (Format::Td2, card.td2()), (Format::Td1, card.td1())]
}

fn read(rows: &[String]) -> Option<Zone> {
    zone(&rows.iter().map(String::as_str).collect::<Vec<&str>>())
}

fn digits(date: Option<PartialDate>) -> Option<String> {
    date?.day().map(|day| format!("{:02}{:02}{:02}", day.year() % 100, day.month(), day.day()))
}

/// The row and place of a character, counted through the zone.
fn replaced(rows: &[String], at: usize, other: char) -> Vec<String> {
    let width = rows[0].len();
    let mut rows = rows.to_vec();
    rows[at / width].replace_range(at % width..=at % width, &other.to_string());
    rows
}

fn value(read: char) -> u32 {
    read.to_digit(36).unwrap_or(0)
}

/// Places that a check digit covers, digits included.
fn covered(format: Format) -> Vec<usize> {
    match format {
        Format::Td1 => (5..37).chain(38..45).chain(48..60).collect(),
        Format::Td2 => (36..46).chain(49..56).chain(57..72).collect(),
        _ => (44..54).chain(57..64).chain(65..88).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_zone_reads_back_what_it_was_built_of(person in person()) {
        for (format, rows) in zones(&person) {
            let zone = read(&rows).unwrap();
            prop_assert_eq!(zone.format, format);
            prop_assert!(zone.is_proved());
            prop_assert_eq!(&zone.number, &person.number);
            prop_assert_eq!(zone.nationality.unwrap().code(), &person.nationality);
            prop_assert_eq!(digits(zone.date_of_birth), Some(person.born.clone()));
            if !matches!(person.expires.as_str(), "990101") {
                prop_assert_eq!(digits(zone.expires), Some(person.expires.clone()));
            }
            prop_assert!(zone.mends.is_empty());
            if !zone.names.truncated {
                prop_assert_eq!(&zone.names.primary, &person.primary);
                prop_assert_eq!(&zone.names.secondary, &person.secondary);
            }
        }
    }

    /// Values ten apart are the same to a check digit; all else is found, or mended back to what it was.
    #[test]
    fn one_changed_character_is_found(person in person(), place in any::<prop::sample::Index>(), other in "[A-Z0-9<]") {
        let other = other.chars().next().unwrap();
        for (format, rows) in zones(&person) {
            let covered = covered(format);
            let at = covered[place.index(covered.len())];
            let was = rows.concat().chars().nth(at).unwrap();
            if value(was).abs_diff(value(other)).is_multiple_of(10) {
                continue;
            }
            let Some(zone) = read(&replaced(&rows, at, other)) else { continue };
            let intact = zone.number == person.number
                && digits(zone.date_of_birth) == Some(person.born.clone())
                && (digits(zone.expires) == Some(person.expires.clone()) || person.expires == "990101");
            prop_assert!(!zone.is_proved() || intact, "{was} became {other} at {at}");
        }
    }

    /// Up to two twins changed so that a check digit does not hold: what is called proved is what it was.
    #[test]
    fn a_mend_that_is_called_proved_is_right(person in person(), places in vec(any::<prop::sample::Index>(), 1..3)) {
        for (format, rows) in zones(&person) {
            let covered = covered(format);
            let mut read_as = rows.clone();
            for place in &places {
                let at = covered[place.index(covered.len())];
                let was = rows.concat().chars().nth(at).unwrap();
                let twins = ["0O", "1I", "2Z", "5S", "8B"];
                let twin = twins.iter().find(|pair| pair.contains(was)).map(|pair| pair.replace(was, ""));
                read_as = twin.map_or(read_as.clone(), |twin| replaced(&read_as, at, twin.chars().next().unwrap()));
            }
            let zone = read(&read_as).unwrap();
            prop_assert_eq!(digits(zone.date_of_birth), Some(person.born.clone()));
            // two equal mistakes may cancel out: then what was read holds, and nothing is mended
            let holds = zone.proofs.number == Proof::Read;
            prop_assert!(holds || !zone.is_proved() || zone.number == person.number);
            prop_assert!(zone.number == person.number || !zone.mends.is_empty() || holds);
        }
    }

    #[test]
    fn lost_and_added_fillers_at_the_end_change_nothing(person in person(), off in -3..=3_i8) {
        let rows = person.td3();
        let first = rows[0].trim_end_matches('<');
        let count = i64::try_from(44 - first.len()).unwrap() + i64::from(off);
        prop_assume!(count >= 2);
        let first = format!("{first}{}", "<".repeat(usize::try_from(count).unwrap()));
        let zone = read(&[first, rows[1].clone()]).unwrap();
        prop_assert!(zone.is_proved());
        prop_assert_eq!(&zone.names.primary, &person.primary);
        prop_assert_eq!(&zone.names.secondary, &person.secondary);
    }

    #[test]
    fn nothing_that_a_reader_may_hand_over_breaks_it(texts in vec("[ A-Z0-9<a-zäß./-]{0,50}", 0..6)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let lines = crate::build::page(&texts);
        for kind in [documents::Kind::Passport, documents::Kind::IdCard, documents::Kind::DrivingLicence] {
            let reading = documents::read(&lines, kind, crate::build::today());
            prop_assert!(reading.fields.number.is_none_or(|field| !field.sure));
        }
    }
}
