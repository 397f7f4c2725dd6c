//! Whole documents: what is sure, what is not, and what is said of it.

use documents::{Declared, Fields, Kind, Line, PartialDate, Reading, Sex, Source, What};
use domain::Redacted;
use jiff::civil::{Date, date};

use crate::build::{Person, line, page, today};

/// A passport as a reader sees it, of Hans Müller.
pub fn passport() -> Vec<Line> {
    page(&[
        "REISEPASS PASSPORT PASSEPORT",
        "Passnummer / Passport No. / Passeport No",
        "C01X00T47",
        "Name / Surname / Nom",
        "MÜLLER",
        "Vornamen / Given names / Prénoms",
        "HANS PETER",
        "Staatsangehörigkeit / Nationality / Nationalité",
        "DEUTSCH",
        "Geburtsdatum / Date of birth / Date de naissance",
        "12.03.1990",
        "Geschlecht / Sex / Sexe",
        "M",
        "Gültig bis / Date of expiry / Date d'expiration",
        "27.02.2034",
        "P<D<<MUELLER<<HANS<PETER<<<<<<<<<<<<<<<<<<<<",
        "C01X00T478D<<9003129M3402270<<<<<<<<<<<<<<<0",
    ])
}

fn swapped(lines: &[Line], from: &str, to: &str) -> Vec<Line> {
    let place = |line: &Line| if line.text() == from { line_like(line, to) } else { line.clone() };
    lines.iter().map(place).collect()
}

fn line_like(old: &Line, text: &str) -> Line {
    line(text, old.place.left, old.place.top)
}

fn whats(reading: &Reading) -> Vec<What> {
    reading.findings.iter().map(|finding| finding.what).collect()
}

fn sure(fields: &Fields) -> Vec<bool> {
    vec![
        fields.surname.as_ref().is_some_and(|field| field.sure),
        fields.given_names.as_ref().is_some_and(|field| field.sure),
        fields.date_of_birth.as_ref().is_some_and(|field| field.sure),
        fields.number.as_ref().is_some_and(|field| field.sure),
        fields.expires.as_ref().is_some_and(|field| field.sure),
        fields.nationality.as_ref().is_some_and(|field| field.sure),
    ]
}

#[test]
fn a_clear_passport_is_sure_in_every_field() {
    let reading = documents::read(&passport(), Kind::Passport, today());
    let fields = &reading.fields;
    assert_eq!(whats(&reading), []);
    assert_eq!((sure(fields), reading.agrees), (vec![true; 6], true));
    assert_eq!(fields.surname.as_ref().unwrap().value.reveal(), "MUELLER");
    assert_eq!(fields.given_names.as_ref().unwrap().value.reveal(), "HANS PETER");
    assert_eq!(fields.number.as_ref().unwrap().value.reveal(), "C01X00T47");
    assert_eq!(*fields.date_of_birth.as_ref().unwrap().value.reveal(), PartialDate::Day(date(1990, 3, 12)));
    assert_eq!(*fields.expires.as_ref().unwrap().value.reveal(), PartialDate::Day(date(2034, 2, 27)));
    assert_eq!(fields.nationality.as_ref().unwrap().value.reveal().country(), Some("DE"));
    assert_eq!(*fields.sex.as_ref().unwrap().value.reveal(), Sex::Male);
    assert_eq!(fields.date_of_birth.as_ref().unwrap().source, Source::Both);
}

#[test]
fn a_zone_alone_is_never_sure() {
    let lines: Vec<Line> = passport().into_iter().skip(15).collect();
    let reading = documents::read(&lines, Kind::Passport, today());
    assert_eq!(sure(&reading.fields), [false; 6]);
    assert!(reading.zone.as_ref().unwrap().is_proved());
    assert_eq!(whats(&reading), [What::NameNotInVisual, What::NumberNotInVisual]);
    assert!(!reading.agrees);
}

#[test]
fn a_zone_that_is_found_twice_does_not_confirm_itself() {
    let mut lines: Vec<Line> = passport().into_iter().skip(15).collect();
    let top = lines[0].place.top;
    lines.extend([line("MUELLER", 120, top), line("HANS PETER", 260, top), line("C01X00T47", 40, top + 40)]);
    assert_eq!(sure(&documents::read(&lines, Kind::Passport, today()).fields), [false; 6]);
}

#[test]
fn names_of_two_lines_are_one() {
    let person = Person {
        code: "I".into(),
        issuer: "ESP".into(),
        nationality: "ESP".into(),
        primary: vec!["GARCIA".into(), "LOPEZ".into()],
        secondary: vec!["JUAN".into()],
        number: "BAA000589".into(),
        born: "800201".into(),
        sex: 'M',
        expires: "301231".into(),
        optional: String::new(),
    };
    let front = |second: &str| page(&["APELLIDOS", "GARCÍA", second, "NOMBRE", "JUAN", "NUM SOPORT", "BAA000589"]);
    let rows = person.td1();
    let back = page(&rows.iter().map(String::as_str).collect::<Vec<&str>>());
    let fields = documents::read_sides(&[&front("LÓPEZ"), &back], Kind::IdCard, today()).fields;
    assert_eq!(sure(&fields), [true; 6]);
    let fields = documents::read_sides(&[&front("LÓPEZ DÍAZ"), &back], Kind::IdCard, today()).fields;
    assert_eq!(sure(&fields), [false, true, true, true, true, true], "a name that goes on");
}

#[test]
fn a_page_of_prose_hides_no_zone() {
    let mut texts = vec!["THIS IS A LINE OF A LETTER AS LONG AS ONE OF A ZONE"; 40];
    texts.extend(["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]);
    assert!(documents::mrz::read(&page(&texts), today()).is_some_and(|zone| zone.is_proved()));
}

#[test]
fn nationalities_that_differ_between_the_parts_are_told() {
    for (visual, found) in
        [("FRANCE", true), ("FRA", true), ("GERMANY", false), ("D", false), ("BRITISH CITIZEN", false)]
    {
        let reading = documents::read(&swapped(&passport(), "DEUTSCH", visual), Kind::Passport, today());
        assert_eq!(whats(&reading).contains(&What::NationalityDiffers), found, "{visual}");
        assert_eq!(reading.fields.nationality.unwrap().sure, !found, "{visual}");
    }
}

#[test]
fn another_name_in_the_visual_part_makes_nothing_sure() {
    let lines = swapped(&passport(), "HANS PETER", "HANS PETRA");
    let reading = documents::read(&lines, Kind::Passport, today());
    assert_eq!(sure(&reading.fields), [false; 6]);
    assert_eq!(whats(&reading), [What::NameNotInVisual]);
    let sides: Vec<&str> = reading.findings[0].sides().iter().map(|side| side.value.reveal().as_str()).collect();
    assert_eq!(sides, ["HANS PETER MUELLER", "HANS PETRA MÜLLER"]);
}

#[test]
fn a_name_that_goes_on_or_is_parted_otherwise_is_not_sure() {
    for (visual, value, agrees) in [("HANSPETER", "HANSPETER", true), ("HANS PETER OTTO", "HANS PETER", false)] {
        let reading = documents::read(&swapped(&passport(), "HANS PETER", visual), Kind::Passport, today());
        assert_eq!(sure(&reading.fields), [true, false, true, true, true, true], "{visual}");
        assert_eq!(reading.fields.given_names.as_ref().unwrap().value.reveal(), value);
        assert_eq!(reading.agrees, agrees, "{visual}");
        assert_eq!(whats(&reading), [What::NameWordsDiffer]);
    }
}

#[test]
fn words_lost_in_the_zone_come_from_the_visual_part() {
    let lines = swapped(
        &passport(),
        "P<D<<MUELLER<<HANS<PETER<<<<<<<<<<<<<<<<<<<<",
        "P<D<<MUELLER<<HANSPETER<<<<<<<<<<<<<<<<<<<<<",
    );
    let given = documents::read(&lines, Kind::Passport, today()).fields.given_names.unwrap();
    assert_eq!((given.value.reveal().as_str(), given.sure), ("HANS PETER", false));
}

#[test]
fn dates_that_differ_are_found_and_not_sure() {
    let lines = swapped(&passport(), "12.03.1990", "13.03.1990");
    let reading = documents::read(&lines, Kind::Passport, today());
    assert_eq!(sure(&reading.fields), [true, true, false, true, true, true]);
    assert_eq!(whats(&reading), [What::DateOfBirthDiffers]);
    let sides: Vec<(Source, &str)> =
        reading.findings[0].sides().iter().map(|side| (side.source, side.value.reveal().as_str())).collect();
    assert_eq!(sides, [(Source::Mrz, "1990-03-12"), (Source::Visual, "1990-03-13")]);
}

#[test]
fn a_twin_in_the_visual_number_is_no_other_number() {
    let lines = swapped(&passport(), "C01X00T47", "CO1X00T47");
    let reading = documents::read(&lines, Kind::Passport, today());
    assert_eq!(
        reading.fields.number.as_ref().map(|field| (field.value.reveal().as_str(), field.sure)),
        Some(("C01X00T47", true))
    );
    // 6 and G are the same to a check digit
    for other in ["C01X00T4Z", "C01X00T48"] {
        let lines = swapped(&passport(), "C01X00T47", other);
        assert_eq!(sure(&documents::read(&lines, Kind::Passport, today()).fields), [false; 6], "{other}");
    }
}

#[test]
fn two_persons_on_one_picture_are_told() {
    let mut lines = passport();
    let other = page(&["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]);
    lines.extend(other.into_iter().map(|mut line| {
        line.place.top += 2000;
        line
    }));
    let reading = documents::read(&lines, Kind::Passport, today());
    assert!(whats(&reading).contains(&What::SeveralDocuments));
    assert_eq!(sure(&reading.fields), [false; 6]);
}

#[test]
fn the_back_of_a_card_is_confirmed_by_its_front() {
    let front = page(&["Surname", "ERIKSSON", "Given names", "ANNA MARIA", "Document No.", "D23145890"]);
    let back =
        page(&["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F3204153UTO<<<<<<<<<<<2", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]);
    let alone = documents::read(&back, Kind::IdCard, today());
    assert_eq!(sure(&alone.fields), [false; 6]);
    let both = documents::read_sides(&[&front, &back], Kind::IdCard, today());
    assert_eq!(sure(&both.fields), [true; 6], "{:?}", both);
}

#[test]
fn documents_that_are_not_what_was_asked_for_are_told() {
    let reading = documents::read(&passport(), Kind::IdCard, today());
    assert_eq!(whats(&reading), [What::DocumentOfAnotherKind]);
    let reading = documents::read(&page(&["Surname", "ERIKSSON"]), Kind::Passport, today());
    assert!(whats(&reading).contains(&What::ZoneNotFound));
    assert_eq!(documents::read(&[], Kind::Passport, today()).fields, Fields::default());
}

#[test]
fn a_passport_expires_on_its_last_day() {
    let on = |day: Date| whats(&documents::read(&passport(), Kind::Passport, day));
    assert_eq!(on(date(2034, 1, 27)), []);
    assert_eq!(on(date(2034, 1, 28)), [What::ExpiresSoon]);
    assert_eq!(on(date(2034, 2, 27)), [What::ExpiresSoon]);
    assert_eq!(on(date(2034, 2, 28)), [What::Expired]);
}

fn declared(name: &str, born: Date, nationality: &str) -> Declared {
    Declared {
        full_name: Redacted::new(name.to_owned()),
        date_of_birth: Redacted::new(born),
        nationality: nationality.parse().unwrap(),
    }
}

#[test]
fn a_reading_is_held_against_what_was_declared() {
    let reading = documents::read(&passport(), Kind::Passport, today());
    let against = |name: &str, born, nationality| -> Vec<What> {
        documents::compare(&reading, &declared(name, born, nationality)).iter().map(|finding| finding.what).collect()
    };
    let born = date(1990, 3, 12);
    assert_eq!(against("Hans Peter Müller", born, "DE"), []);
    assert_eq!(against("Hans Müller", born, "DE"), [What::NamePartsMissing]);
    assert_eq!(
        against("Hans Schmidt", date(1991, 3, 12), "AT"),
        [What::NameDiffers, What::DateOfBirthDiffers, What::NationalityDiffers]
    );
    let finding = &documents::compare(&reading, &declared("Hans Schmidt", born, "DE"))[0];
    assert_eq!(finding.sources, [Source::Both, Source::Declared]);
    assert_eq!(finding.sides()[1].value.reveal(), "Hans Schmidt");
    assert!(!format!("{finding:?}").contains("Schmidt"), "no name where it could be printed by accident");
}

#[test]
fn a_reading_is_held_against_an_earlier_document() {
    let reading = documents::read(&passport(), Kind::Passport, today());
    let mut earlier = reading.fields.clone();
    assert_eq!(documents::compare_earlier(&reading, &earlier), []);
    earlier.surname.as_mut().unwrap().value = Redacted::new("SCHMIDT".to_owned());
    earlier.date_of_birth.as_mut().unwrap().value = Redacted::new(PartialDate::Day(date(1990, 3, 13)));
    let found: Vec<What> = documents::compare_earlier(&reading, &earlier).iter().map(|finding| finding.what).collect();
    assert_eq!(found, [What::NameDiffers, What::DateOfBirthDiffers]);
}

#[test]
fn a_driving_licence_is_read_by_its_numbers() {
    let lines = page(&[
        "FÜHRERSCHEIN BUNDESREPUBLIK DEUTSCHLAND",
        "1. MUSTERMANN",
        "2. ERIKA",
        "3. 12.08.84 BERLIN",
        "4a. 19.01.33 4c. LANDRATSAMT",
        "4b. 18.01.2028",
        "5. B072RRE2I55",
        "9. AM/B/L",
    ]);
    let reading = documents::read(&lines, Kind::DrivingLicence, today());
    let fields = &reading.fields;
    assert_eq!(fields.surname.as_ref().unwrap().value.reveal(), "MUSTERMANN");
    assert_eq!(fields.given_names.as_ref().unwrap().value.reveal(), "ERIKA");
    assert_eq!(*fields.date_of_birth.as_ref().unwrap().value.reveal(), PartialDate::Day(date(1984, 8, 12)));
    assert_eq!(*fields.expires.as_ref().unwrap().value.reveal(), PartialDate::Day(date(2028, 1, 18)));
    assert_eq!(fields.number.as_ref().unwrap().value.reveal(), "B072RRE2I55");
    assert_eq!(fields.surname.as_ref().unwrap().source, Source::Visual);
    assert_eq!(sure(fields), [false; 6]);
    assert_eq!(whats(&reading), []);
}

#[test]
fn captions_beside_and_above_values_are_understood() {
    let mut lines = vec![
        line("Apellidos / Surname", 40, 40),
        line("GARCÍA LÓPEZ", 500, 42),
        line("Nombre / Name:  JUAN", 40, 100),
        line("Nacionalidad", 40, 160),
        line("ESPAÑA", 40, 200),
        line("Fecha de nacimiento", 400, 160),
        line("01 02 1980", 400, 200),
    ];
    lines.push(line("Válido hasta 31 DIC 2030", 40, 260));
    let fields = documents::read(&lines, Kind::IdCard, today()).fields;
    assert_eq!(fields.surname.unwrap().value.reveal(), "GARCÍA LÓPEZ");
    assert_eq!(fields.nationality.unwrap().value.reveal().code(), "ESP");
    assert_eq!(*fields.date_of_birth.unwrap().value.reveal(), PartialDate::Day(date(1980, 2, 1)));
    assert_eq!(*fields.expires.unwrap().value.reveal(), PartialDate::Day(date(2030, 12, 31)));
}

#[test]
fn a_birth_date_ahead_or_too_long_ago_is_told() {
    for (born, what) in [("12.03.2031", What::DateOfBirthInFuture), ("12.03.1905", What::DateOfBirthImpossible)] {
        let lines = page(&["Surname", "ERIKSSON", "Date of birth", born, "Date of expiry", "12.03.2030"]);
        assert_eq!(whats(&documents::read(&lines, Kind::DrivingLicence, today())), [what]);
    }
}

#[test]
fn a_proof_of_address_bears_name_city_country_and_a_date() {
    use documents::address::{Resident, read};
    let lines = page(&[
        "Stadtwerke Köln GmbH",
        "Herrn Hans P. Müller",
        "Beispielweg 7",
        "50667 KÖLN",
        "Deutschland",
        "Rechnungsdatum 03.11.2026",
        "Fällig am 03.12.2026, Zeitraum 01.10.2026 - 31.10.2026",
    ]);
    let resident = |name: &str, city: &str, country: &str| Resident {
        full_name: Redacted::new(name.to_owned()),
        residence: country.parse().unwrap(),
        city: Some(Redacted::new(city.to_owned())),
    };
    let (proof, findings) = read(&[&lines], &resident("Müller Hans", "Köln", "DE"), today());
    assert_eq!((proof.name_found, proof.city_found, proof.country_found), (true, Some(true), true));
    assert_eq!(proof.newest_date, Some(date(2026, 11, 3)));
    assert_eq!(findings, []);
    let (_, findings) = read(&[&lines], &resident("Hans Schmidt", "Wien", "AT"), today());
    let whats: Vec<What> = findings.iter().map(|finding| finding.what).collect();
    assert_eq!(whats, [What::AddressNameNotFound, What::AddressCityNotFound, What::AddressCountryNotFound]);
}
