//! What readers of zones stumbled over in the field, with invented persons.

use documents::mrz::{Format, Proof};
use documents::{Glyph, Kind, Line, PartialDate, Place, Sex, What, Zone};
use jiff::civil::date;

use crate::build::{Person, line, page, today, zone};

fn invented(number: &str) -> Person {
    Person {
        code: "P".into(),
        issuer: "UTO".into(),
        primary: vec!["SPECIMEN".into()],
        secondary: vec!["VERA".into()],
        number: number.into(),
        nationality: "UTO".into(),
        born: "900312".into(),
        sex: 'F',
        expires: "340227".into(),
        optional: String::new(),
    }
}

fn read(rows: &[String]) -> Zone {
    zone(&rows.iter().map(String::as_str).collect::<Vec<&str>>()).unwrap()
}

fn with_first(first: &str, person: &Person) -> Zone {
    read(&[format!("{first:<<44}"), person.td3()[1].clone()])
}

fn names(zone: &Zone) -> (String, String) {
    (zone.names.primary.join(" "), zone.names.secondary.join(" "))
}

#[test]
fn persons_with_one_name() {
    let person = invented("K25782850");
    assert_eq!(names(&with_first("P<UTOZAHRA", &person)), ("ZAHRA".into(), String::new()));
    // India leaves the primary identifier empty
    assert_eq!(names(&with_first("P<IND<<AHMADI", &person)), (String::new(), "AHMADI".into()));
    assert_eq!(names(&with_first("P<UTO", &person)), (String::new(), String::new()));
    let lines = |name: &str| {
        let mut lines = page(&["Given names", name, "Passport No", "K25782850"]);
        lines.extend([line(&format!("{:<<44}", format!("P<IND<<{name}")), 40, 400), line(&person.td3()[1], 40, 440)]);
        documents::read(&lines, Kind::Passport, today()).fields
    };
    let fields = lines("AHMADI");
    assert_eq!((fields.surname, fields.given_names.map(|field| field.sure)), (None, Some(true)));
}

#[test]
fn a_name_field_of_fillers_only_is_never_sure() {
    let person = invented("K25782850");
    let mut lines = page(&["Passport No", "K25782850"]);
    lines.extend([line(&format!("{:<<44}", "P<UTO"), 40, 400), line(&person.td3()[1], 40, 440)]);
    let number = documents::read(&lines, Kind::Passport, today()).fields.number.unwrap();
    assert!(!number.sure);
}

#[test]
fn more_pairs_of_fillers_than_one_part_given_names() {
    let zone = with_first("P<UTOAA<<BBBBBB<<CCCCC<DD", &invented("K25782850"));
    assert_eq!(names(&zone), ("AA".into(), "BBBBBB CCCCC DD".into()));
}

#[test]
fn apostrophes_and_hyphens_part_words_in_some_states() {
    let person = Person {
        primary: vec!["OCONNOR".into()],
        secondary: vec!["ENYA".into(), "SIOBHAN".into()],
        ..invented("XN5003778")
    };
    let rows = person.td3();
    let mut lines = page(&["Surname", "O'CONNOR", "Forename(s)", "ENYA-SIOBHÁN", "Passport No.", "XN5003778"]);
    lines.extend([line(&rows[0], 40, 400), line(&rows[1], 40, 440)]);
    let fields = documents::read(&lines, Kind::Passport, today()).fields;
    assert_eq!(fields.surname.map(|field| (field.value.reveal().clone(), field.sure)), Some(("OCONNOR".into(), true)));
    assert_eq!(
        fields.given_names.map(|field| (field.value.reveal().clone(), field.sure)),
        Some(("ENYA SIOBHAN".into(), true))
    );
}

#[test]
fn germany_is_one_letter_however_its_fillers_are_read() {
    for nationality in ["D<<", "D<", "D<<<"] {
        let person = Person { issuer: "D".into(), nationality: "D".into(), ..invented("C01X00T47") };
        let rows = person.td3();
        let second = rows[1].replacen("D<<", nationality, 1);
        let zone = read(&[rows[0].clone(), second]);
        assert!(zone.is_proved(), "{nationality}");
        assert_eq!(zone.nationality.unwrap().country(), Some("DE"));
    }
}

#[test]
fn unknown_days_and_months_of_birth() {
    for (born, expected) in [
        ("900300", PartialDate::Year(1990, Some(3))),
        ("900000", PartialDate::Year(1990, None)),
        ("90<<<<", PartialDate::Year(1990, None)),
        ("9003<<", PartialDate::Year(1990, Some(3))),
        ("<<<<<<", PartialDate::Unknown),
        ("000000", PartialDate::Unknown),
    ] {
        let person = Person { born: born.into(), ..invented("K25782850") };
        let zone = read(&person.td3());
        assert_eq!(zone.date_of_birth, Some(expected), "{born}");
        assert!(zone.is_proved(), "{born}");
        let reading = documents::read(&page(&[&person.td3()[0], &person.td3()[1]]), Kind::Passport, today());
        assert!(reading.findings.iter().any(|finding| finding.what == What::DateOfBirthIncomplete));
    }
}

#[test]
fn dates_that_are_none_do_not_cost_the_rest() {
    for born in ["880941", "881309", "880230"] {
        let person = Person { born: born.into(), ..invented("K25782850") };
        let zone = read(&person.td3());
        assert_eq!((zone.date_of_birth, zone.number.as_str()), (None, "K25782850"), "{born}");
        assert_eq!(zone.expires, Some(PartialDate::Day(date(2034, 2, 27))));
    }
}

#[test]
fn the_check_digit_of_empty_optional_data_is_a_filler_or_a_nought() {
    let rows = invented("K25782850").td3();
    let nought = read(&rows);
    assert_eq!((nought.is_proved(), nought.proofs.optional), (true, Some(Proof::Read)));
    let filler = read(&[rows[0].clone(), format!("{}<{}", &rows[1][..42], &rows[1][43..])]);
    assert_eq!((filler.is_proved(), filler.proofs.optional), (true, Some(Proof::Read)));
    // but not that of optional data that are there
    let rows = Person { optional: "1601".into(), ..invented("K25782850") }.td3();
    let wrong = read(&[rows[0].clone(), format!("{}<{}", &rows[1][..42], &rows[1][43..])]);
    assert_eq!(wrong.proofs.optional, Some(Proof::Fails));
}

#[test]
fn fillers_within_numbers_and_optional_data() {
    let person = Person { optional: "30846<1601".into(), ..invented("W807543") };
    let zone = read(&person.td3());
    assert_eq!((zone.number.as_str(), zone.optional[0].as_str(), zone.is_proved()), ("W807543", "30846<1601", true));
}

#[test]
fn a_letter_for_a_figure_in_the_number_is_mended_where_the_digit_proves_it() {
    // read as BNO257453, as many readers do
    let rows = invented("BN0257453").td3();
    let second = rows[1].replacen("BN0257453", "BNO257453", 1);
    let zone = read(&[rows[0].clone(), second.clone()]);
    assert_eq!(zone.number, "BN0257453");
    assert_eq!((zone.mends.len(), zone.mends[0].row, zone.mends[0].column, zone.mends[0].became), (1, 2, 3, '0'));
    let mut lines = page(&["Surname", "SPECIMEN", "Given names", "VERA", "Passport No", "BN0257453"]);
    lines.extend([line(&rows[0], 40, 400), line(&second, 40, 440)]);
    let number = documents::read(&lines, Kind::Passport, today()).fields.number.unwrap();
    assert_eq!((number.value.reveal().as_str(), number.sure), ("BN0257453", true));
}

#[test]
fn letters_for_figures_where_only_figures_may_stand() {
    let rows = invented("E86528780").td3();
    let second = rows[1].replacen("900312", "9OO3I2", 1).replacen("340227", "34022Z", 1);
    let mut wrong = second.clone();
    assert_eq!(wrong.pop(), rows[1].chars().last());
    // the last date was misread beyond its class: Z is 2, not 7
    assert!(!read(&[rows[0].clone(), second]).is_proved());
    let second = rows[1].replacen("900312", "9OO3I2", 1);
    let zone = read(&[rows[0].clone(), second]);
    assert_eq!((zone.date_of_birth, zone.is_proved()), (Some(PartialDate::Day(date(1990, 3, 12))), true));
    assert_eq!(zone.mends.len(), 3);
}

#[test]
fn fillers_read_as_letters_behind_the_names() {
    for tail in ["<<LLLLLLLLLLL", "<<<<K<<KK<<<C", "<<<<<<<<<<<<S", "<<<<<<<K<<E<<"] {
        let person = invented("K25782850");
        let rows = person.td3();
        let first = format!("{:<<30}{tail}", "P<UTOSPECIMEN<<VERA");
        let zone = read(&[first.clone(), rows[1].clone()]);
        assert_eq!(names(&zone), ("SPECIMEN".into(), "VERA".into()), "{first}");
    }
}

#[test]
fn names_that_end_in_what_looks_like_fillers_stay() {
    for (first, given) in [("P<UTONOVAK<<ERIK", "ERIK"), ("P<UTONOVAK<<ALEX<KCK", "ALEX KCK"), ("P<UTONOVAK<<E", "E")] {
        assert_eq!(names(&with_first(first, &invented("K25782850"))), ("NOVAK".into(), given.into()));
    }
}

#[test]
fn a_first_letter_that_the_picture_cut_off() {
    let rows = invented("K25782850").td3();
    let zone = read(&[rows[0][1..].to_owned(), rows[1].clone()]);
    assert_eq!(names(&zone), ("SPECIMEN".into(), "VERA".into()));
    assert_eq!((zone.issuer.unwrap().code(), zone.is_proved()), ("UTO", true));
}

#[test]
fn zones_in_pieces_and_with_blanks() {
    let rows = invented("K25782850").td3();
    let blanks = format!("{} {} {}", &rows[1][..10], &rows[1][10..20], &rows[1][20..]);
    assert!(read(&[rows[0].clone(), blanks]).is_proved());
    let (left, right) = rows[1].split_at(20);
    let lines = [line(&rows[0], 40, 40), line(right, 40 + 20 * 16 + 6, 81), line(left, 40, 79)];
    assert!(documents::mrz::read(&lines, today()).unwrap().is_proved());
}

#[test]
fn double_angles_and_small_letters() {
    let rows = invented("K25782850").td3();
    let zone = read(&[rows[0].replace("<<", "«"), rows[1].to_lowercase()]);
    assert_eq!((names(&zone), zone.is_proved()), (("SPECIMEN".into(), "VERA".into()), true));
}

#[test]
fn other_lines_of_the_same_length_are_no_zone() {
    let lines = page(&[
        "PLEASE KEEP THIS DOCUMENT IN A SAFE PLACE AND DO",
        "PRESENT IT TO THE OFFICERS OF ANY STATE IN CASE",
        "OF NEED ACCORDING TO THE CONVENTION OF VIENNA",
    ]);
    assert_eq!(documents::mrz::read(&lines, today()), None);
}

#[test]
fn codes_of_states_that_are_no_countries() {
    for (code, country) in [
        ("GBD", Some("GB")),
        ("GBN", Some("GB")),
        ("GBO", Some("GB")),
        ("GBP", Some("GB")),
        ("GBS", Some("GB")),
        ("RKS", Some("XK")),
        ("UNO", None),
        ("UNA", None),
        ("UNK", None),
        ("XXA", None),
        ("XXB", None),
        ("XXC", None),
        ("XXX", None),
        ("XOM", None),
        ("XPO", None),
        ("EUE", None),
        ("UTO", None),
    ] {
        let zone = read(&Person { nationality: code.into(), ..invented("K25782850") }.td3());
        assert_eq!(zone.nationality.map(|state| (state.code(), state.country())), Some((code, country)));
    }
    for code in ["EBR", "ZZZ", "UKR<"] {
        let zone = zone(&["P<EBRSPECIMEN<<VERA<<<<<<<<<<<<<<<<<<<<<<<<<", &invented("K25782850").td3()[1]]);
        assert_eq!(zone.unwrap().issuer, None, "{code}");
    }
}

#[test]
fn a_passport_code_of_two_letters() {
    for code in ["PP", "PN", "PD", "PS", "PM", "P"] {
        let zone = read(&Person { code: code.into(), ..invented("K25782850") }.td3());
        assert_eq!((zone.document_code.as_str(), zone.format), (code, Format::Td3));
    }
}

#[test]
fn the_sex_that_is_neither() {
    for (letter, sex) in [('X', Sex::Unspecified), ('<', Sex::Unspecified), ('M', Sex::Male)] {
        assert_eq!(read(&Person { sex: letter, ..invented("K25782850") }.td3()).sex, Some(sex));
    }
}

#[test]
fn russian_passports_for_use_at_home() {
    let person = Person {
        code: "PN".into(),
        issuer: "RUS".into(),
        nationality: "RUS".into(),
        primary: vec!["OZE2OV".into()],
        secondary: vec!["F2DOR".into(), "MIHAQLOVI3".into()],
        optional: "6110203500001".into(),
        expires: "<<<<<<".into(),
        ..invented("450123456")
    };
    let zone = read(&person.td3());
    assert_eq!(names(&zone), ("ОЗЕЁОВ".into(), "ФЁДОР МИХАЙЛОВИЧ".into()));
    assert_eq!(zone.number, "4506123456");
    assert!(zone.is_proved());
}

#[test]
fn people_over_a_hundred() {
    let person = Person { born: "080701".into(), ..invented("K25782850") };
    let rows = person.td3();
    let read = |visual: &str| {
        let mut lines =
            page(&["Surname", "SPECIMEN", "Given names", "VERA", "Passport No", "K25782850", "Date of birth", visual]);
        lines.extend([line(&rows[0], 40, 400), line(&rows[1], 40, 440)]);
        let born = documents::read(&lines, Kind::Passport, today()).fields.date_of_birth.unwrap();
        (*born.value.reveal(), born.sure)
    };
    assert_eq!(read("01/07/1908"), (PartialDate::Day(date(1908, 7, 1)), true));
    assert_eq!(read("01/07/2008"), (PartialDate::Day(date(2008, 7, 1)), true));
    // nothing says that this is not a hundred years earlier
    assert_eq!(read("01 JUL 08"), (PartialDate::Day(date(2008, 7, 1)), false));
}

#[test]
fn documents_that_never_expire() {
    let rows = Person { expires: "990101".into(), ..invented("K25782850") }.td3();
    let reading = documents::read(&page(&[&rows[0], &rows[1]]), Kind::Passport, today());
    assert!(reading.findings.iter().any(|finding| finding.what == What::ExpiryUnknown));
    assert!(!reading.findings.iter().any(|finding| finding.what == What::Expired));
}

#[test]
fn a_number_that_reads_as_two_is_not_relied_on() {
    // two noughts under the weights 7 and 3 are two letters O to the check digit
    let rows = invented("A12003456").td3();
    let second = rows[1].replacen("A12003456", "A12OO3456", 1);
    let mut lines = page(&["Surname", "SPECIMEN", "Given names", "VERA", "Passport No", "A12003456"]);
    lines.extend([line(&rows[0], 40, 400), line(&second, 40, 440)]);
    let number = documents::read(&lines, Kind::Passport, today()).fields.number.unwrap();
    assert!(!number.sure);
    // nor if both parts are read so, without being beyond doubt
    let doubtful = |text: &str, top: i32| Line::plain(text, 900, Place { left: 40, top, width: 700, height: 28 });
    let lines = vec![
        doubtful("SPECIMEN", 40),
        doubtful("VERA", 80),
        doubtful("A12OO3456", 120),
        doubtful(&rows[0], 400),
        doubtful(&second, 440),
    ];
    assert!(!documents::read(&lines, Kind::Passport, today()).fields.number.unwrap().sure);
}

#[test]
fn a_runner_up_mends_a_date() {
    let rows = invented("K25782850").td3();
    let mut lines = page(&[&rows[0], &rows[1].replacen("900312", "900372", 1)]);
    assert!(!documents::mrz::read(&lines, today()).unwrap().is_proved());
    lines[1].glyphs[17] = Glyph { read: '7', sure: 600, runner_up: Some(('1', 350)) };
    let zone = documents::mrz::read(&lines, today()).unwrap();
    assert_eq!(
        (zone.date_of_birth, zone.proofs.date_of_birth),
        (Some(PartialDate::Day(date(1990, 3, 12))), Proof::Mended)
    );
    lines[1].glyphs[17].runner_up = Some(('1', 90));
    assert!(!documents::mrz::read(&lines, today()).unwrap().is_proved());
}

#[test]
fn the_zones_own_decoding_goes_before_that_of_all_text() {
    let rows = invented("K25782850").td3();
    let mut lines = page(&["P(UTOSPECIMEN((VERA", "K2578285O garbled"]);
    for (line, row) in lines.iter_mut().zip(&rows) {
        line.zone_glyphs = Some(Line::plain(row, 990, Place::default()).glyphs);
    }
    assert!(documents::mrz::read(&lines, today()).unwrap().is_proved());
}

#[test]
fn two_twins_of_different_places_do_not_confirm_each_other() {
    // the zone has G for 6, which its check digit cannot see; the visual part has the 6, and B for 8
    let rows = invented("584368287").td3();
    let second = rows[1].replacen("584368287", "5843G8287", 1);
    let sure = |visual: &str, second: &str| {
        let mut lines = page(&["Surname", "SPECIMEN", "Given names", "VERA", "Passport No", visual]);
        lines.extend([line(&rows[0], 40, 400), line(second, 40, 440)]);
        documents::read(&lines, Kind::Passport, today()).fields.number.unwrap().sure
    };
    assert!(!sure("58436B287", &second));
    assert!(!sure("584368287", &second));
    assert!(sure("58436B287", &rows[1]), "only the B differs, and does not hold");
}

#[test]
fn names_behind_no_state_may_be_displaced() {
    let person = Person { primary: vec!["AABERG".into()], issuer: "ISL".into(), ..invented("K25782850") };
    let rows = person.td3();
    // the filler behind P was lost, one at the end was won
    let first = format!("P{}<", &rows[0][2..]);
    let mut lines = page(&["Surname", "ÅBERG", "Given names", "VERA", "Passport No", "K25782850"]);
    lines.extend([line(&first, 40, 400), line(&rows[1], 40, 440)]);
    let surname = documents::read(&lines, Kind::Passport, today()).fields.surname.unwrap();
    assert!(!surname.sure);
}

#[test]
fn the_old_french_card_is_confirmed_and_its_expiry_is_not_known() {
    let front = page(&[
        "CARTE NATIONALE D'IDENTITÉ N° : 880692310285",
        "Nom : BERTHIER",
        "Prénom(s) : CORINNE",
        "Né(e) le : 06.12.1965",
        "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<",
        "8806923102858CORINNE<<<<<<<6512068F6",
    ]);
    let back = page(&["Carte valable jusqu'au : 13.06.1998"]);
    let reading = documents::read_sides(&[&front, &back], Kind::IdCard, today());
    let fields = reading.fields;
    assert_eq!(fields.number.map(|field| field.sure), Some(true));
    assert_eq!(fields.surname.map(|field| (field.value.reveal().clone(), field.sure)), Some(("BERTHIER".into(), true)));
    assert_eq!(fields.date_of_birth.map(|field| field.sure), Some(true));
    assert_eq!(fields.nationality.map(|field| field.value.reveal().country()), Some(Some("FR")));
    let expires = fields.expires.unwrap();
    assert_eq!((*expires.value.reveal(), expires.sure), (PartialDate::Day(date(1998, 6, 13)), false));
    assert!(reading.findings.iter().any(|finding| finding.what == What::ExpiryUnknown));
}

#[test]
fn a_letter_as_long_as_a_book_is_read_in_time() {
    let long = "Ü".repeat(20_000);
    let lines = page(&[&long, "Surname", "SPECIMEN"]);
    assert!(documents::read(&lines, Kind::Passport, today()).fields.surname.is_some());
}

#[test]
fn a_code_of_the_same_country_does_not_confirm_another() {
    let rows = Person { issuer: "GBR".into(), nationality: "GBP".into(), ..invented("K25782850") }.td3();
    let sure = |visual: &str| {
        let mut lines =
            page(&["Surname", "SPECIMEN", "Given names", "VERA", "Passport No", "K25782850", "Nationality", visual]);
        lines.extend([line(&rows[0], 40, 500), line(&rows[1], 40, 540)]);
        documents::read(&lines, Kind::Passport, today()).fields.nationality.unwrap().sure
    };
    assert!(!sure("GBR"));
    assert!(!sure("UNITED KINGDOM"));
    assert!(sure("GBP"));
}
