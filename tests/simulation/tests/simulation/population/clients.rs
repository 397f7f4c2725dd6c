//! Who comes, what is true of them, and what is wrong with what they send.

use domain::kyc::DocumentKind;

use crate::random::rng::Rng;

/// What ought to become of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// May be approved, and never rejected.
    InOrder,
    /// A person must look: neither approved nor rejected by rule.
    Judgement,
    /// Must not be approved.
    No,
}

/// What is particular about a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mischief {
    None,
    /// As a sanctioned person is called, born in another decade.
    Namesake,
    /// Has a middle name that stands on the document alone.
    MiddleName,
    /// Is born in a country under increased monitoring and lives in another.
    MonitoredNationality,
    /// Declares business, or other funds.
    OtherFunds,
    /// Lives in a country under increased monitoring.
    MonitoredResidence,
    /// Sends a driving licence, which proves nothing by itself.
    Licence,
    /// Typed another date of birth.
    BirthTyped,
    /// Typed a name with a letter wrong.
    NameTyped,
    /// Wrote the name in Cyrillic.
    OwnScript,
    /// Sends a bill of last year, and has no newer one.
    OldBill,
    /// Sends somebody else's bill, and has no other one.
    OthersBill,
    DeclaredPep,
    ListedPep,
    /// Has the name of a sanctioned person, and the year of birth.
    NamesakeOfTheYear,
    /// Lives where nobody is served.
    NotServed,
    /// Has an expired document only.
    Expired,
    /// Sends what is refused at the upload, whatever is asked.
    Unusable,
    /// Sends somebody else's document, under the own name.
    OthersDocument,
    /// Changed the number in the zone; its digit does not hold.
    ForgedZone,
    /// Changed the date of birth in print; the zone says another.
    ForgedPrint,
    /// Is under 18 and declared to be older.
    Minor,
    Sanctioned,
    /// Is sanctioned, and declares another name than the document has.
    SanctionedHidden,
    /// The document says that its holder is not born yet.
    Unborn,
}

use Mischief as M;
use Truth::{InOrder, Judgement, No};

/// How many of a thousand.
pub const MIX: [(Mischief, Truth, u64); 25] = [
    // 750 clearly in order
    (M::None, InOrder, 670),
    (M::MiddleName, InOrder, 70),
    (M::Namesake, InOrder, 10),
    // 125 that need judgement, or little of it
    (M::MonitoredNationality, InOrder, 15),
    (M::OtherFunds, InOrder, 20),
    (M::MonitoredResidence, Judgement, 20),
    (M::Licence, Judgement, 15),
    (M::BirthTyped, Judgement, 10),
    (M::NameTyped, Judgement, 10),
    (M::OwnScript, InOrder, 5),
    (M::OldBill, Judgement, 8),
    (M::OthersBill, Judgement, 7),
    (M::DeclaredPep, Judgement, 8),
    (M::ListedPep, Judgement, 2),
    (M::NamesakeOfTheYear, InOrder, 5),
    // 125 clearly not
    (M::NotServed, No, 40),
    (M::Expired, No, 30),
    (M::Unusable, No, 30),
    (M::OthersDocument, No, 8),
    (M::ForgedZone, No, 4),
    (M::ForgedPrint, No, 3),
    (M::Minor, No, 5),
    (M::Sanctioned, No, 2),
    (M::SanctionedHidden, No, 2),
    (M::Unborn, No, 1),
];

/// A day.
pub type Day = (i16, u8, u8);

/// What a document says.
#[derive(Debug, Clone)]
pub struct Printed {
    pub surname: String,
    pub given: String,
    pub born: Day,
    pub number: String,
    pub expires: Day,
    /// Two letters.
    pub nationality: &'static str,
    pub female: bool,
}

/// Somebody who comes.
#[derive(Debug)]
pub struct Somebody {
    pub number: u128,
    pub mischief: Mischief,
    pub document: DocumentKind,
    pub printed: Printed,
    /// What the client declares.
    pub name: String,
    pub born: Day,
    pub residence: &'static str,
    pub source: &'static str,
    pub pep: bool,
    /// Decides what the reader makes of the pictures.
    pub seed: u64,
}

const SURNAMES: [&str; 32] = [
    "ALVARADO",
    "BECKER",
    "CASTRO",
    "DUARTE",
    "ERIKSSON",
    "FERREIRA",
    "GROSS",
    "HOLMBERG",
    "IBÁÑEZ",
    "JANSEN",
    "KOWALSKA",
    "LINDQVIST",
    "MÜLLER",
    "NOVAK",
    "O'CONNOR",
    "PACHECO",
    "QUINTANA",
    "ROSSI",
    "SØRENSEN",
    "TORRES VEGA",
    "URRUTIA",
    "VAN DER BERG",
    "WAGNER",
    "YILMAZ",
    "ZAPATA",
    "DA SILVA",
    "SMITH-JONES",
    "HADDAD",
    "NASSER",
    "MBEKI",
    "ÅBERG",
    "BIANCHI",
];
const GIVEN: [&str; 24] = [
    "ANA",
    "BRUNO",
    "CARLA",
    "DIEGO",
    "EVA",
    "FELIX",
    "GRETA",
    "HUGO",
    "INES",
    "JUAN PABLO",
    "KARIN",
    "LARS",
    "MARTA",
    "NICOLAS",
    "OLIVIA",
    "PAULO",
    "RAUL",
    "SOFIA",
    "TOMAS",
    "URSULA",
    "VERA",
    "WILLEM",
    "YARA",
    "ZOE",
];
const SERVED: [&str; 12] = ["ES", "MX", "DE", "PL", "GB", "AE", "BR", "FR", "CO", "CL", "ZA", "SE"];
const NOT_SERVED: [&str; 3] = ["US", "IR", "CU"];

fn day(rng: &mut Rng, from: i16, years: u64) -> Day {
    let small = |end: u64, rng: &mut Rng| 1 + u8::try_from(rng.below(end)).unwrap();
    (from + i16::try_from(rng.below(years)).unwrap(), small(12, rng), small(28, rng))
}

fn number(rng: &mut Rng) -> String {
    let (letters, figures): (Vec<char>, Vec<char>) = (('A'..='Z').collect(), ('0'..='9').collect());
    (0..9).map(|at| *rng.pick(if at < 2 { &letters } else { &figures })).collect()
}

/// The name in the order and letters in which a client types it.
fn typed(given: &str, surname: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_string() + &letters.as_str().to_lowercase()).unwrap_or_default()
    };
    format!("{given} {surname}").split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The client of a number.
pub fn client(mischief: Mischief, number_of: u128, seed: u64) -> Somebody {
    let mut rng = Rng::new(seed ^ u64::try_from(number_of).unwrap(), "population");
    let at_home = *rng.pick(&SERVED);
    let printed = Printed {
        surname: (*rng.pick(&SURNAMES)).to_owned(),
        given: (*rng.pick(&GIVEN)).to_owned(),
        born: day(&mut rng, 1955, 48),
        number: number(&mut rng),
        expires: day(&mut rng, 2028, 7),
        nationality: at_home,
        female: rng.percent(40),
    };
    let card = rng.percent(50);
    let mut somebody = Somebody {
        number: number_of,
        mischief,
        document: if card { DocumentKind::IdCard } else { DocumentKind::Passport },
        name: typed(&printed.given, &printed.surname),
        born: printed.born,
        printed,
        residence: at_home,
        source: if rng.percent(80) { "employment" } else { "savings" },
        pep: false,
        seed: rng.draw(),
    };
    somebody.turn(mischief, &mut rng);
    somebody
}

impl Somebody {
    fn is(&mut self, given: &str, surname: &str, born: Day) {
        (self.printed.given, self.printed.surname) = (given.to_owned(), surname.to_owned());
        (self.printed.born, self.born) = (born, born);
        self.name = typed(given, surname);
    }

    fn turn(&mut self, mischief: Mischief, rng: &mut Rng) {
        let other_year = |(year, month, day): Day| (year - 3, month, day);
        match mischief {
            M::None | M::OldBill | M::OthersBill | M::Unusable | M::ForgedZone | M::ForgedPrint => {}
            M::Namesake => self.is("IVAN", "PETROV", day(rng, 1985, 15)),
            M::NamesakeOfTheYear => self.is("IVAN", "PETROV", (1968, 11, 2)),
            M::MiddleName => self.printed.given += " MARIA",
            M::MonitoredNationality => self.printed.nationality = *rng.pick(&["KE", "LB", "VN"]),
            M::OtherFunds => self.source = *rng.pick(&["business", "other"]),
            M::MonitoredResidence => self.residence = *rng.pick(&["KE", "LB", "VN"]),
            M::Licence => self.document = DocumentKind::DrivingLicence,
            M::BirthTyped => self.born = other_year(self.born),
            M::NameTyped => {
                let letters: Vec<char> = self.printed.surname.chars().collect();
                let wrong: String = letters.iter().enumerate().map(|(at, l)| if at == 1 { 'X' } else { *l }).collect();
                self.name = typed(&self.printed.given, &wrong);
            }
            M::OwnScript => {
                self.is("OLEG", "SMIRNOV", self.born);
                self.name = "Олег Смирнов".to_owned();
            }
            M::DeclaredPep => self.pep = true,
            M::ListedPep => self.is("BEN", "SAMPLE", self.born),
            M::NotServed => self.residence = *rng.pick(&NOT_SERVED),
            M::Expired => self.printed.expires = day(rng, 2021, 5),
            M::OthersDocument => {
                let other = client(M::None, self.number + 5_000, self.seed);
                self.printed = other.printed;
            }
            M::Minor => {
                self.printed.born = day(rng, 2009, 6);
                self.born = (2005, self.printed.born.1, self.printed.born.2);
            }
            M::Sanctioned => self.is("IVAN SERGEYEVICH", "PETROV", (1968, 3, 18)),
            M::SanctionedHidden => {
                self.is("IVAN SERGEYEVICH", "PETROV", (1968, 3, 18));
                let (given, surname): (&str, &str) = (*rng.pick(&GIVEN), *rng.pick(&SURNAMES));
                self.name = typed(given, surname);
            }
            M::Unborn => {
                self.printed.born = (2031, 5, 17);
                self.born = (1990, 5, 17);
            }
        }
    }
}
