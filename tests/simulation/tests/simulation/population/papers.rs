//! What clients send, as the lines that a reader makes of it.

use documents::{Line, State};
use domain::kyc::{DocumentKind, Side};

use super::clients::{Day, Mischief, Printed, Somebody};
use crate::build;
use crate::reader::{Dice, LEVELS, Level, in_zone, lines};

/// How many of a hundred pictures that pass the check of uploads are read clearly and fairly; the rest is poor.
const CLEAR: usize = 75;
const FAIR: usize = 20;

/// What a picture is like.
fn light(dice: &mut Dice) -> Level {
    let [clear, fair, poor, _] = LEVELS;
    match dice.below(100) {
        at if at < CLEAR => clear,
        at if at < CLEAR + FAIR => fair,
        _ => poor,
    }
}

/// The pictures of a document, one a side, as a reader sees them.
pub fn of_identity(somebody: &Somebody, dice: &mut Dice) -> Vec<(Option<Side>, Vec<Line>)> {
    let (visual, zone) = printed(somebody);
    let mut side = |visual: &[String], zone: &[String]| {
        let level = light(dice);
        lines(dice, level, visual, zone)
    };
    match somebody.document {
        DocumentKind::IdCard => {
            vec![(Some(Side::Front), side(&visual, &[])), (Some(Side::Back), side(&[], &zone))]
        }
        _ => vec![(None, side(&visual, &zone))],
    }
}

/// A bill.
pub fn of_address(somebody: &Somebody, dice: &mut Dice) -> Vec<Line> {
    let name = match somebody.mischief {
        Mischief::OthersBill => "Ernesto Valdivieso",
        _ => &somebody.name,
    };
    let date = if somebody.mischief == Mischief::OldBill { "12.11.2025" } else { "12.11.2026" };
    let text = ["Compañía Eléctrica", name, "Calle Mayor 5", &format!("Date: {date}"), "Total 48,20"];
    let level = light(dice);
    lines(dice, level, &text.map(str::to_owned), &[])
}

/// What stands on the document, for people and for machines.
fn printed(somebody: &Somebody) -> (Vec<String>, Vec<String>) {
    let Printed { surname, given, born, number, expires, nationality, female } = &somebody.printed;
    let state = State::of_country(nationality).unwrap().code().to_owned();
    let sex = if *female { 'F' } else { 'M' };
    let person = build::Person {
        code: if somebody.document == DocumentKind::Passport { "P".to_owned() } else { "I".to_owned() },
        issuer: state.clone(),
        primary: in_zone(surname),
        secondary: in_zone(given),
        number: number.clone(),
        nationality: state.clone(),
        born: in_six(*born),
        sex,
        expires: in_six(*expires),
        optional: String::new(),
    };
    let mut zone = match somebody.document {
        DocumentKind::Passport => person.td3(),
        DocumentKind::IdCard => person.td1(),
        _ => vec![],
    };
    if somebody.mischief == Mischief::ForgedZone {
        // the number alone was changed, in print and zone; the digits are still those of the old one
        let last = number.chars().last().unwrap();
        let other = char::from_digit((last.to_digit(10).unwrap() + 1) % 10, 10).unwrap();
        let forged = format!("{}{other}", &number[..number.len() - 1]);
        zone.iter_mut().for_each(|row| *row = row.replace(number.as_str(), &forged));
    }
    let born = match somebody.mischief {
        Mischief::ForgedPrint => (born.0 - 6, born.1, born.2),
        _ => *born,
    };
    let captions: [(&str, String); 7] = match somebody.document {
        DocumentKind::DrivingLicence => [
            ("", format!("1. {surname}")),
            ("", format!("2. {given}")),
            ("", format!("3. {}", written(born))),
            ("", "4a. 01.03.2021".to_owned()),
            ("", format!("4b. {}", written(*expires))),
            ("", format!("5. {number}")),
            ("", "9. B".to_owned()),
        ],
        _ => [
            ("Surname / Nom", surname.clone()),
            ("Given names / Prénoms", given.clone()),
            ("Document No. / No du document", number.clone()),
            ("Nationality / Nationalité", state),
            ("Date of birth / Date de naissance", written(born)),
            ("Sex / Sexe", sex.to_string()),
            ("Date of expiry / Date d'expiration", written(*expires)),
        ],
    };
    let visual = captions.into_iter().flat_map(|(caption, value)| [caption.to_owned(), value]);
    (visual.filter(|text| !text.is_empty()).collect(), zone)
}

fn in_six((year, month, day): Day) -> String {
    format!("{:02}{month:02}{day:02}", year % 100)
}

fn written((year, month, day): Day) -> String {
    format!("{day:02}.{month:02}.{year}")
}
