//! The documents.

use crate::canvas::{Canvas, Face};
use crate::people::{Day, Person, person};
use crate::random::Random;
use crate::zone::{td1, td3};

/// Kinds of document; a card has two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Passport,
    IdCardFront,
    IdCardBack,
    DrivingLicence,
    Statement,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Passport, Self::IdCardFront, Self::IdCardBack, Self::DrivingLicence, Self::Statement];
}

/// A document with what stands on it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Specimen {
    pub kind: Kind,
    pub person: Person,
    pub picture: Canvas,
    /// What is printed as values in the visual part, each as one piece.
    pub printed: Vec<String>,
    /// The rows of the machine-readable zone.
    pub zone: Vec<String>,
}

const INK: [u8; 3] = [24, 24, 32];
const LABEL: [u8; 3] = [70, 80, 120];
const RED: [u8; 3] = [180, 30, 40];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// The document of a kind for the person of a seed.
pub fn specimen(kind: Kind, seed: u64) -> Specimen {
    match kind {
        Kind::Passport => passport(&person(seed)),
        Kind::IdCardFront => id_card_front(&person(seed)),
        Kind::IdCardBack => id_card_back(&person(seed)),
        Kind::DrivingLicence => driving_licence(&person(seed)),
        Kind::Statement => statement(&person(seed)),
    }
}

/// A sheet that is being printed on.
struct Sheet {
    canvas: Canvas,
    printed: Vec<String>,
}

impl Sheet {
    /// Tinted paper with fine waves.
    fn new(width: usize, height: usize, tint: [u8; 3]) -> Self {
        let mut canvas = Canvas::new(width, height, tint);
        canvas.each(|x, y, colour| {
            let wave = (x as f32 / 21.0).sin() * 9.0 + (x as f32 / 67.0).sin() * 14.0;
            let line = ((y as f32 + wave) / 4.5).sin();
            colour.map(|level| level - 7.0 * line.max(0.0))
        });
        Self { canvas, printed: Vec::new() }
    }

    fn value(&mut self, x: f32, y: f32, size: f32, text: &str) {
        self.canvas.text(Face::Sans, size, x, y, INK, text);
        self.printed.push(text.to_owned());
    }

    fn field(&mut self, x: f32, y: f32, label: &str, text: &str) {
        self.canvas.text(Face::Sans, 15.0, x, y - 27.0, LABEL, label);
        self.value(x, y, 28.0, text);
    }

    fn heading(&mut self, text: &str) {
        let end = self.canvas.text(Face::Sans, 34.0, 40.0, 52.0, LABEL, text);
        self.canvas.text(Face::Sans, 34.0, end + 40.0, 52.0, RED, "SPECIMEN");
    }

    /// A head and shoulders.
    fn portrait(&mut self, left: usize, top: usize, width: usize, height: usize, seed: &str) {
        let mut random = Random::new(seed.bytes().map(u64::from).sum());
        let (skin, hair) = (150.0 + random.below(70) as f32, 30.0 + random.below(90) as f32);
        let mut portrait = Canvas::new(width, height, [196, 204, 214]);
        let (w, h) = (width as f32, height as f32);
        portrait.each(|x, y, colour| {
            let (x, y) = ((x as f32 / w - 0.5) * 2.0, y as f32 / h);
            let ellipse = |cx: f32, cy: f32, rx: f32, ry: f32| ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2);
            let shade = 1.0 - 0.25 * (x + 0.3).abs();
            if ellipse(-0.17, 0.42, 0.06, 0.018) < 1.0 || ellipse(0.17, 0.42, 0.06, 0.018) < 1.0 {
                [40.0; 3]
            } else if ellipse(0.0, 0.60, 0.13, 0.012) < 1.0 {
                [140.0, 70.0, 70.0]
            } else if ellipse(0.0, 0.46, 0.42, 0.26) < 1.0 && y > 0.32 {
                [skin * shade, skin * 0.82 * shade, skin * 0.70 * shade]
            } else if ellipse(0.0, 0.42, 0.50, 0.30) < 1.0 {
                [hair, hair * 0.85, hair * 0.7]
            } else if ellipse(0.0, 1.02, 0.85, 0.30) < 1.0 {
                [60.0, 70.0, 95.0]
            } else {
                colour
            }
        });
        self.canvas.put(&portrait, left, top);
        self.canvas.text(Face::Sans, 22.0, left as f32 + 8.0, (top + height) as f32 - 10.0, [255; 3], "SPECIMEN");
    }

    /// The rows of a zone on pale ground at the lower edge.
    fn zone(&mut self, rows: &[String]) {
        let (width, height) = (self.canvas.width, self.canvas.height);
        let length = rows.iter().map(|row| row.chars().count()).max().unwrap_or(1);
        let pitch = (width as f32 - 90.0) / length as f32;
        let line = pitch * 2.0;
        let top = height - (line * rows.len() as f32) as usize - 40;
        self.canvas.fill(0, top, width, height - top, [246, 246, 242]);
        for (at, row) in rows.iter().enumerate() {
            let base = top as f32 + 20.0 + line * (at as f32 + 0.72);
            // OCR-B is as wide as six tenths of its height or so
            self.canvas.typed(Face::OcrB, pitch * 1.62, 45.0, base, pitch, INK, row);
        }
    }

    fn done(self, kind: Kind, person: &Person, zone: Vec<String>) -> Specimen {
        Specimen { kind, person: person.clone(), picture: self.canvas, printed: self.printed, zone }
    }
}

fn long(day: Day) -> String {
    let month = MONTHS.get(usize::from(day.month) - 1).copied().unwrap_or_default();
    format!("{:02} {month} {}", day.day, day.year)
}

fn dotted(day: Day) -> String {
    format!("{:02}.{:02}.{}", day.day, day.month, day.year)
}

fn code(state: &str) -> &str {
    if state == "D" { "DEU" } else { state }
}

/// The data page of a passport.
pub fn passport(person: &Person) -> Specimen {
    let mut sheet = Sheet::new(1250, 880, [222, 230, 236]);
    sheet.heading(&format!("PASSPORT  {}", person.state_name));
    sheet.portrait(40, 100, 330, 430, &person.number);
    sheet.field(410.0, 140.0, "Type", "P");
    sheet.field(520.0, 140.0, "Code of issuing state", code(person.state));
    sheet.field(850.0, 140.0, "Passport No.", &person.number);
    sheet.field(410.0, 215.0, "Surname", person.surname);
    sheet.field(410.0, 290.0, "Given names", &person.given.to_uppercase());
    sheet.field(410.0, 365.0, "Nationality", person.state_name);
    sheet.field(410.0, 440.0, "Date of birth", &long(person.birth));
    sheet.field(730.0, 440.0, "Sex", &person.sex.to_string());
    sheet.field(850.0, 440.0, "Place of birth", &person.place.to_uppercase());
    sheet.field(410.0, 515.0, "Date of issue", &long(person.issue));
    sheet.field(410.0, 590.0, "Date of expiry", &long(person.expiry));
    sheet.field(850.0, 590.0, "Authority", "PASSPORT OFFICE");
    let zone = td3(person);
    sheet.zone(&zone);
    sheet.done(Kind::Passport, person, zone)
}

/// The side of an identity card that shows its holder.
pub fn id_card_front(person: &Person) -> Specimen {
    let mut sheet = Sheet::new(1010, 640, [232, 226, 214]);
    sheet.heading(&format!("IDENTITY CARD  {}", code(person.state)));
    sheet.portrait(40, 110, 280, 370, &person.number);
    sheet.field(360.0, 150.0, "Surname", person.surname);
    sheet.field(360.0, 225.0, "Given names", &person.given.to_uppercase());
    sheet.field(360.0, 300.0, "Date of birth", &dotted(person.birth));
    sheet.field(640.0, 300.0, "Nationality", code(person.state));
    sheet.field(360.0, 375.0, "Place of birth", person.place);
    sheet.field(360.0, 450.0, "Date of expiry", &dotted(person.expiry));
    sheet.field(640.0, 450.0, "Sex", &person.sex.to_string());
    sheet.field(40.0, 570.0, "Document No.", &person.number);
    sheet.done(Kind::IdCardFront, person, Vec::new())
}

/// The side of an identity card with the zone.
pub fn id_card_back(person: &Person) -> Specimen {
    let mut sheet = Sheet::new(1010, 640, [226, 232, 218]);
    sheet.heading("IDENTITY CARD");
    sheet.field(40.0, 150.0, "Address", &format!("{} 12, {}", "LINDENWEG", person.place.to_uppercase()));
    sheet.field(40.0, 225.0, "Authority", &format!("CITY OF {}", person.place.to_uppercase()));
    sheet.field(40.0, 300.0, "Date of issue", &dotted(person.issue));
    sheet.field(560.0, 300.0, "Height", "174 cm");
    let zone = td1(person);
    sheet.zone(&zone);
    sheet.done(Kind::IdCardBack, person, zone)
}

/// A driving licence with the numbered fields of Directive 2006/126/EC.
pub fn driving_licence(person: &Person) -> Specimen {
    let mut sheet = Sheet::new(1010, 640, [236, 218, 222]);
    sheet.heading(&format!("DRIVING LICENCE  {}", code(person.state)));
    sheet.portrait(40, 120, 280, 370, &person.number);
    let rows = [
        ("1.", person.surname.to_owned()),
        ("2.", person.given.to_uppercase()),
        ("3.", format!("{} {}", dotted(person.birth), person.place.to_uppercase())),
        ("4a.", dotted(person.issue)),
        ("4b.", dotted(person.expiry)),
        ("4c.", "LICENSING AGENCY".to_owned()),
        ("5.", person.number.clone()),
        ("9.", "AM/B/B1".to_owned()),
    ];
    for (at, (number, text)) in rows.iter().enumerate() {
        let y = 150.0 + 60.0 * at as f32;
        sheet.canvas.text(Face::Sans, 24.0, 350.0, y, LABEL, number);
        sheet.value(410.0, y, 29.0, text);
    }
    sheet.done(Kind::DrivingLicence, person, Vec::new())
}

/// A letter of an energy company: a proof of address.
pub fn statement(person: &Person) -> Specimen {
    let mut sheet = Sheet { canvas: Canvas::new(1240, 1754, [255, 255, 255]), printed: Vec::new() };
    sheet.heading("NORTHLIGHT ENERGY");
    let name = person.name();
    for (at, line) in [name.as_str(), "Lindenweg 12", person.place, person.state_name].into_iter().enumerate() {
        sheet.value(120.0, 300.0 + 42.0 * at as f32, 30.0, line);
    }
    sheet.value(840.0, 300.0, 28.0, &format!("Date: {}", dotted(person.issue)));
    sheet.value(120.0, 580.0, 34.0, "Your electricity bill");
    for at in 0..14u16 {
        let line = format!("Meter reading {} on {}: {} kWh", at + 1, dotted(person.issue), 1000 + u32::from(at) * 137);
        sheet.value(120.0, 680.0 + 54.0 * f32::from(at), 27.0, &line);
    }
    sheet.done(Kind::Statement, person, Vec::new())
}
