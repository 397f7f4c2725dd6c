//! Invented persons.

use crate::random::Random;

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Day {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

impl Day {
    /// `YYYY-MM-DD`.
    pub fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Somebody who does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Person {
    pub surname: &'static str,
    pub given: String,
    /// Three letters of ICAO 9303 (Germany has one); issuing state and nationality.
    pub state: &'static str,
    pub state_name: &'static str,
    /// The country's two letters.
    pub country: &'static str,
    /// `M` or `F`.
    pub sex: char,
    pub birth: Day,
    pub issue: Day,
    pub expiry: Day,
    /// Of the document: nine letters and digits.
    pub number: String,
    pub place: &'static str,
}

type Country =
    (&'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str], &'static str);

const COUNTRIES: &[Country] = &[
    (
        "GBR",
        "UNITED KINGDOM",
        "GB",
        &["WHITCOMBE", "O'HARE", "ASHDOWN", "TARRINGTON"],
        &["Annabel Mary", "Quentin", "Rosalind"],
        "Leeds",
    ),
    (
        "D",
        "DEUTSCHLAND",
        "DE",
        &["MÜLLENBACH", "GROẞKOPF", "VON ESCHWEILER", "HÖRNLEIN"],
        &["Jörg", "Katharina Ilse", "Uwe"],
        "Bremen",
    ),
    (
        "FRA",
        "FRANCE",
        "FR",
        &["LEFÈVREUX", "DE LA ROCHELLE", "BÉRANGIER"],
        &["Aurélie", "Jean-Zacharie", "Noé"],
        "Rennes",
    ),
    (
        "POL",
        "POLSKA",
        "PL",
        &["ŻÓŁKIEWICZ", "WAWRZYŃSKA", "KĘDZIOR"],
        &["Łucja", "Zbigniew Jan", "Małgorzata"],
        "Gdynia",
    ),
    (
        "ESP",
        "ESPAÑA",
        "ES",
        &["IBÁÑEZ QUIROGA", "ZURBANO LASA", "PEÑALVER"],
        &["María Begoña", "Íñigo", "Xavier"],
        "Burgos",
    ),
    ("SWE", "SVERIGE", "SE", &["ÅKERBLAD", "SJÖGRENSON", "BJÖRKDAL"], &["Åsa", "Göran Emil", "Linnéa"], "Växjö"),
    ("PRT", "PORTUGAL", "PT", &["CONCEIÇÃO", "VASQUINHO", "BRAGANÇAS"], &["João Vítor", "Inês", "Quitéria"], "Évora"),
    ("CZE", "ČESKÁ REPUBLIKA", "CZ", &["DVOŘÁČKOVÁ", "ŠIMÁNEK", "ŽALUDEK"], &["Jiřina", "Bohumil", "Zdeněk"], "Plzeň"),
];

fn day(random: &mut Random, from: u16, years: u64) -> Day {
    Day { year: from + random.below(years) as u16, month: 1 + random.below(12) as u8, day: 1 + random.below(28) as u8 }
}

/// The person of a seed.
pub fn person(seed: u64) -> Person {
    let mut random = Random::new(seed);
    let fallback: Country = ("GBR", "UNITED KINGDOM", "GB", &["WHITCOMBE"], &["Annabel"], "Leeds");
    let (state, state_name, country, surnames, givens, place) = random.one_of(COUNTRIES).unwrap_or(fallback);
    let issue = day(&mut random, 2019, 6);
    let letters: Vec<char> = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789".chars().collect();
    let number = (0..9)
        .filter_map(|at| if at < 2 { random.one_of(&letters) } else { char::from_digit(random.below(10) as u32, 10) });
    let number = number.collect();
    Person {
        surname: random.one_of(surnames).unwrap_or("WHITCOMBE"),
        given: random.one_of(givens).unwrap_or("Annabel").to_owned(),
        state,
        state_name,
        country,
        sex: random.one_of(&['M', 'F']).unwrap_or('F'),
        birth: day(&mut random, 1950, 55),
        issue,
        expiry: Day { year: issue.year + 10, ..issue },
        number,
        place,
    }
}

impl Person {
    /// As the person would write it.
    pub fn name(&self) -> String {
        format!("{} {}", self.given, self.surname)
    }
}

/// Somebody grown up, with documents of a day that are valid for years; the first from a seed on whose name has no letters that a reader
/// is seldom sure of.
pub fn applicant(first: u64, issued: Day) -> Person {
    let expiry = Day { year: issued.year + 5, ..issued };
    let clear = |person: &Person| person.birth.year + 21 < issued.year && person.surname.is_ascii();
    let found = (first..).map(person).find(clear);
    Person { issue: issued, expiry, ..found.unwrap_or_else(|| person(first)) }
}
