//! Thousands of documents read through a model of what readers do to characters: how many fields are right and sure, and that
//! none is wrong and sure. The model is seeded; what it makes of a document is the same in every run.

use std::fmt::Write;

use documents::{Fields, Kind, Line, PartialDate};

use crate::build::{Person, today};
use crate::reader::{Dice, LEVELS, in_zone, lines};

const PER_LEVEL: usize = 1000;

const SURNAMES: [&str; 16] = [
    "MÜLLER",
    "ERIKSSON",
    "GARCÍA LÓPEZ",
    "O'CONNOR",
    "NOVÁK",
    "SØRENSEN",
    "GROSS",
    "DA SILVA",
    "LI",
    "SMITH-JONES",
    "KOWALSKA",
    "ÅBERG",
    "MONTEIRO",
    "VAN DER BERG",
    "IBÁÑEZ",
    "WEISS",
];
const GIVEN: [&str; 14] = [
    "HANS PETER",
    "ANNA MARIA",
    "JUAN",
    "SIOBHÁN",
    "EVA",
    "LARS",
    "JEAN-PIERRE",
    "MARIA",
    "WEI",
    "ZOFIA",
    "ÖZGE",
    "TOMÁŠ JAN",
    "ANNA",
    "JOSÉ LUIS",
];

fn number(dice: &mut Dice) -> String {
    let of = |dice: &mut Dice, alphabet: &str, count: usize| -> String {
        (0..count).map(|_| alphabet.chars().nth(dice.below(alphabet.len())).unwrap()).collect()
    };
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let figures = "0123456789";
    match dice.below(5) {
        0 => of(dice, figures, 9),
        1 => format!("{}{}", of(dice, letters, 1), of(dice, figures, 8)),
        2 => format!("{}{}", of(dice, letters, 2), of(dice, figures, 7)),
        3 => of(dice, "CFGHJKLMNPRTVWXYZ0123456789", 9),
        _ => of(dice, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 9),
    }
}

fn date(dice: &mut Dice, years: std::ops::Range<usize>) -> (String, String) {
    let (year, month, day) = (years.start + dice.below(years.len()), 1 + dice.below(12), 1 + dice.below(28));
    let months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let visual = match dice.below(3) {
        0 => format!("{day:02}.{month:02}.{year}"),
        1 => format!("{day:02} {} {year}", months[month - 1]),
        _ => format!("{day:02} {} {:02}", months[month - 1], year % 100),
    };
    (format!("{:02}{month:02}{day:02}", year % 100), visual)
}

/// A document: its truth and its lines.
struct Document {
    person: Person,
    zone: Vec<String>,
    visual: Vec<String>,
    kind: Kind,
}

fn document(dice: &mut Dice) -> Document {
    let (surname, given) = (dice.of(&SURNAMES), dice.of(&GIVEN));
    let state = dice.of(&["UTO", "D", "GBR", "FRA", "ESP", "SVN", "SVK", "POL", "COD", "ISL", "DOM", "BIH"]);
    let kind = if dice.chance(5000) { Kind::Passport } else { Kind::IdCard };
    let ((born, born_visual), (expires, expires_visual)) = (date(dice, 1940..2008), date(dice, 2027..2036));
    let mut number = number(dice);
    let small = dice.chance(3000);
    if kind == Kind::IdCard && !small && dice.chance(2000) {
        number.push_str(&format!("{:03}", dice.below(1000)));
    }
    let sex = ['F', 'M'][dice.below(2)];
    let person = Person {
        code: if kind == Kind::Passport { "P".into() } else { "I".into() },
        issuer: state.into(),
        primary: in_zone(surname),
        secondary: in_zone(given),
        nationality: state.into(),
        optional: if dice.chance(3000) { "ZE18422".into() } else { String::new() },
        number,
        born,
        sex,
        expires,
    };
    let zone = match kind {
        Kind::Passport => person.td3(),
        _ if small => person.td2(),
        _ => person.td1(),
    };
    let visual = [
        "Surname / Nom",
        surname,
        "Given names / Prénoms",
        given,
        "Document No. / No du document",
        &person.number,
        "Nationality / Nationalité",
        state,
        "Date of birth / Date de naissance",
        &born_visual,
        "Sex / Sexe",
        &sex.to_string(),
        "Date of expiry / Date d'expiration",
        &expires_visual,
    ];
    Document { visual: visual.iter().map(ToString::to_string).collect(), person, zone, kind }
}

#[derive(Default, Clone, Copy)]
struct Count {
    right_sure: usize,
    right_unsure: usize,
    wrong_unsure: usize,
    wrong_sure: usize,
    not_read: usize,
}

impl Count {
    fn add(&mut self, read: Option<(bool, bool)>) {
        let count = match read {
            Some((true, true)) => &mut self.right_sure,
            Some((true, false)) => &mut self.right_unsure,
            Some((false, false)) => &mut self.wrong_unsure,
            Some((false, true)) => &mut self.wrong_sure,
            None => &mut self.not_read,
        };
        *count += 1;
    }
}

const NAMES: [&str; 7] = ["surname", "given names", "number", "date of birth", "expires", "nationality", "sex"];

/// Each field: whether it is right and whether it is called sure; none if it was not read.
fn judged(person: &Person, fields: &Fields) -> [Option<(bool, bool)>; 7] {
    let six =
        |date: PartialDate| date.day().map(|day| format!("{:02}{:02}{:02}", day.year() % 100, day.month(), day.day()));
    let sex = |letter: char| if letter == 'F' { documents::Sex::Female } else { documents::Sex::Male };
    [
        fields.surname.as_ref().map(|field| (*field.value.reveal() == person.primary.join(" "), field.sure)),
        fields.given_names.as_ref().map(|field| (*field.value.reveal() == person.secondary.join(" "), field.sure)),
        fields.number.as_ref().map(|field| (*field.value.reveal() == person.number, field.sure)),
        fields
            .date_of_birth
            .as_ref()
            .map(|field| (six(*field.value.reveal()).as_ref() == Some(&person.born), field.sure)),
        fields.expires.as_ref().map(|field| (six(*field.value.reveal()).as_ref() == Some(&person.expires), field.sure)),
        fields.nationality.as_ref().map(|field| (field.value.reveal().code() == person.nationality, field.sure)),
        fields.sex.as_ref().map(|field| (*field.value.reveal() == sex(person.sex), field.sure)),
    ]
}

/// Whether number and names are the person's, however the names are parted.
fn same_person(person: &Person, fields: &Fields) -> bool {
    let letters = |field: &Option<documents::Field<String>>| {
        field.as_ref().map(|field| field.value.reveal().replace(' ', "")).unwrap_or_default()
    };
    letters(&fields.surname) == person.primary.concat()
        && letters(&fields.given_names) == person.secondary.concat()
        && letters(&fields.number) == person.number
}

#[test]
fn nothing_wrong_is_called_sure() {
    let mut table = String::from("level field: right and sure, right, wrong, not read, wrong and sure\n");
    let mut wrong = vec![];
    let mut clear_sure = 0;
    for (seed, level) in (1..).zip(LEVELS) {
        let mut dice = Dice::new(seed * 7919);
        let mut counts = [Count::default(); 7];
        let (mut accepted, mut agreed) = (0, 0);
        for _ in 0..PER_LEVEL {
            let document = document(&mut dice);
            let lines = lines(&mut dice, level, &document.visual, &document.zone);
            let reading = documents::read(&lines, document.kind, today());
            let judged = judged(&document.person, &reading.fields);
            agreed += usize::from(reading.agrees);
            if reading.agrees && !same_person(&document.person, &reading.fields) {
                let texts: Vec<String> = lines.iter().map(Line::text).collect();
                wrong.push(format!("{}: the parts agree on {:?} {texts:#?}", level.name, document.person));
            }
            accepted += usize::from(judged[..6].iter().all(|one| *one == Some((true, true))));
            for (at, (count, one)) in counts.iter_mut().zip(judged).enumerate() {
                count.add(one);
                if one == Some((false, true)) {
                    let texts: Vec<String> = lines.iter().map(Line::text).collect();
                    wrong.push(format!("{} {}: {:?} {texts:#?}", level.name, NAMES[at], document.person));
                }
            }
        }
        writeln!(table, "{}: of {PER_LEVEL} {accepted} sure in six fields, {agreed} agree", level.name).unwrap();
        for (name, count) in NAMES.iter().zip(counts) {
            let Count { right_sure, right_unsure, wrong_unsure, not_read, wrong_sure } = count;
            writeln!(
                table,
                "  {name:<14}{right_sure:>6}{right_unsure:>6}{wrong_unsure:>6}{not_read:>6}{wrong_sure:>6}"
            )
            .unwrap();
        }
        if level.name == "clear" {
            clear_sure = accepted;
        }
    }
    eprintln!("{table}");
    assert!(wrong.is_empty(), "{} wrong and sure:\n{}", wrong.len(), wrong.join("\n"));
    assert!(clear_sure * 100 >= PER_LEVEL * 80, "{clear_sure} of {PER_LEVEL} clear documents are sure");
}
