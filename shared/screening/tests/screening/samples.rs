//! What each parser makes of each form of row, on small samples in the formats of the lists.

use screening::lists::format::Format;
use screening::lists::ofac_csv::{OfacFiles, read};
use screening::lists::{ListError, Loaded, pep_csv};
use screening::model::{Entity, EntityKind, Gender, NameKind, Topic};

fn single(bytes: &[u8], format: Format) -> Loaded {
    assert_eq!(Format::detect(bytes), Some(format));
    format.read("list", bytes).unwrap()
}

/// An entry in one line: everything the screening looks at.
fn line(entity: &Entity) -> String {
    let names: Vec<String> = entity
        .names
        .iter()
        .map(|name| {
            let kind = match name.kind {
                NameKind::Primary => "",
                NameKind::Strong => "+",
                NameKind::Former => "-",
                NameKind::Weak => "~",
            };
            format!(
                "{kind}{}{}",
                name.text,
                name.family.as_ref().map_or(String::new(), |family| format!(" [{family}]"))
            )
        })
        .collect();
    let births: Vec<String> = entity.births.iter().map(ToString::to_string).collect();
    let documents: Vec<String> = entity
        .documents
        .iter()
        .map(|document| format!("{} {} {:?}", document.kind, document.number, document.country))
        .collect();
    let gender = entity.gender.map_or("", |gender| if gender == Gender::Male { "m" } else { "f" });
    format!(
        "{} {:?} {} | {} | {:?} {:?} | {} | {gender} | {} | {:?}",
        entity.id,
        entity.kind,
        names.join(", "),
        births.join(", "),
        entity.nationalities,
        entity.countries,
        documents.join(", "),
        entity.programmes.join(", "),
        entity.topics
    )
}

fn lines(loaded: &Loaded) -> Vec<String> {
    loaded.entities.iter().map(line).collect()
}

fn faults(loaded: &Loaded) -> Vec<String> {
    loaded.faults.iter().map(ToString::to_string).collect()
}

#[test]
fn ofac_csv() {
    let files = OfacFiles {
        list: "ofac_sdn",
        primary: include_bytes!("../../sample/sdn.csv"),
        aliases: Some(include_bytes!("../../sample/alt.csv")),
        addresses: Some(include_bytes!("../../sample/add.csv")),
        comments: Some(b"9001,\"; alt. Passport XY7654321 (Ukraine).\"\r\n\x1a"),
    };
    let loaded = read(&files).unwrap();
    assert_eq!(faults(&loaded), Vec::<String>::new());
    assert_eq!(loaded.rows, 10);
    assert_eq!(
        lines(&loaded)[0],
        "9001 Person PETROV, Ivan Sergeyevich [PETROV], ~JONAS, +PETROV, Ivan [PETROV], -SIDOROV, Ivan Sergeyevich [SIDOROV] \
         | 1968-03-18, 1970 | [RU] [RU, UA] | Passport AB1234567 Some(RU), Passport XY7654321 Some(UA) | m | SAMPLE, DEMO | [Sanction]"
    );
    assert_eq!(
        lines(&loaded)[3],
        "9004 Person KANG, Jong Chol [KANG] | 1960-01-01 to 1962-12-31 | [KP] [] | Passport 645220042 None | m | SAMPLE | [Sanction]"
    );
    assert_eq!(
        lines(&loaded)[8],
        "9009 Vessel NORTHERN DAWN |  | [] [] | MMSI 273123456 None, Vessel Registration Identification 9876543 None |  | SAMPLE | [Sanction]"
    );
}

#[test]
fn ofac_sdn_xml() {
    let loaded = single(include_bytes!("../samples/sdn.xml"), Format::OfacXml);
    assert_eq!(loaded.published.as_deref(), Some("2025-03-28"));
    assert_eq!(
        lines(&loaded),
        [
            "1 Person PETROV, Ivan Sergeyevich [PETROV], +PETROFF, Iwan [PETROFF], ~JONAS, -SIDOROV, Ivan [SIDOROV] \
             | 1968-03-18 | [RU] [] | Passport AB1234567 Some(RU) | m | SAMPLE | [Sanction]",
            "10 Organisation SMITH & SONS LTD |  | [] [] |  |  |  | [Sanction]",
        ]
    );
    assert_eq!(faults(&loaded), ["entries, line 15: 1: date of birth: `unknown` is not a date"]);
}

#[test]
fn ofac_advanced_xml() {
    let loaded = single(include_bytes!("../samples/sdn_advanced.xml"), Format::OfacAdvanced);
    assert_eq!(loaded.published.as_deref(), Some("2025-03-28"));
    assert_eq!(
        lines(&loaded),
        [
            "36 Person AL-RAHIMI, Karim [AL-RAHIMI], الرحيمي, كريم [الرحيمي], ~Abu Karim | 1970 | [IQ] [] |  | m | SAMPLE | [Sanction]"
        ]
    );
    assert_eq!(faults(&loaded), ["parties, line 30: a party without number, profile or name"]);
}

#[test]
fn eu_csv_of_both_versions() {
    let loaded = single(include_bytes!("../samples/eu_1_1.csv"), Format::EuCsv);
    assert_eq!(loaded.published.as_deref(), Some("2025-03-28"));
    assert_eq!(
        lines(&loaded),
        [
            "13 Person Ivan Petrov, ~Jonas | 1968-03-18, about 1969, 1970 to 1972 | [RU] [UA] | National passport AB1234567 Some(RU) \
             | m | SAMPLE | [Sanction]",
            "20 Organisation Severnaya Zvezda |  | [] [CY, RU] |  |  | SAMPLE | [Sanction]",
        ]
    );
    assert_eq!(
        faults(&loaded),
        [
            "rows, line 7: 13: date of birth: no such day in the calendar: 1968-02-30",
            "rows, line 11: 2 columns instead of 19"
        ]
    );
    let loaded = single(include_bytes!("../samples/eu_1_0.csv"), Format::EuCsv);
    assert_eq!(
        lines(&loaded),
        [
            "13 Person Ivan Petrov | 1968-03-18 | [RU] [UA] |  | m | SAMPLE | [Sanction]",
            "20 Organisation Severnaya Zvezda |  | [] [RU] |  |  | SAMPLE | [Sanction]",
        ]
    );
}

#[test]
fn eu_xml() {
    let loaded = single(include_bytes!("../samples/eu_1_1.xml"), Format::EuXml);
    assert_eq!(
        lines(&loaded),
        [
            "13 Person Ivan Petrov, ~Jonas | 1968-03-18, about 1969, 1970 to 1972 | [RU] [UA] | National passport AB1234567 Some(RU) \
             | m | SAMPLE | [Sanction]",
            "20 Organisation Severnaya Zvezda |  | [] [RU] |  |  |  | [Sanction]",
        ]
    );
    assert_eq!(faults(&loaded), ["entries, line 15: 21: no name"]);
}

#[test]
fn un_xml() {
    let loaded = single(include_bytes!("../samples/un.xml"), Format::UnXml);
    assert_eq!(
        lines(&loaded),
        [
            "100 Person KARIM AL-RAHIMI, +كريم الرحيمي, +Kareem Rahimi, ~Abu Karim | 1971, about 1973, 1975 to 1977 | [IQ] [] \
             | Passport A1234567 Some(IQ) | m | SAMPLE | [Sanction]",
            "200 Organisation SAMPLE RELIEF FOUNDATION, -Sample Aid |  | [] [YE] |  |  |  | [Sanction]",
        ]
    );
    assert_eq!(faults(&loaded), ["entries, line 16: no DATAID or no name"]);
}

#[test]
fn uk_csv_of_both_forms() {
    let loaded = single(include_bytes!("../samples/uk_short.csv"), Format::UkShort);
    assert_eq!(
        lines(&loaded),
        [
            "SAM0001 Person PETROV Ivan Sergeyevich [PETROV] |  | [] [] |  |  | Sample | [Sanction]",
            "SAM0002 Organisation SEVERNAYA ZVEZDA |  | [] [] |  |  | Sample | [Sanction]",
            "SAM0003 Vessel NORTHERN DAWN |  | [] [] |  |  | Sample | [Sanction]",
        ]
    );
    assert_eq!(faults(&loaded), ["rows, line 5: SAM0004: no identifier or no name"]);
    let loaded = single(include_bytes!("../samples/uk_ofsi.csv"), Format::UkOfsi);
    assert_eq!(
        lines(&loaded),
        [
            "7 Person PETROV, Ivan Sergeyevich [PETROV], +Петров Иван, ~JONAS, +PETROFF, Iwan [PETROFF] | 1968, 1968-03-18 | [RU] [RU, UA] \
             | Passport AB1234567 None |  | Sample | [Sanction]",
            "8 Organisation SEVERNAYA ZVEZDA |  | [] [RU] |  |  | Sample | [Sanction]",
        ]
    );
}

#[test]
fn the_uk_sanctions_list_in_its_full_form() {
    let csv = single(include_bytes!("../samples/uk_full.csv"), Format::UkFull);
    assert_eq!(csv.published.as_deref(), Some("2026-09-21"));
    assert_eq!(
        lines(&csv),
        [
            "SAM0001 Person PETROV, Ivan Sergeyevich [PETROV], +Петров Иван Сергеевич, +PETROFF, Iwan [PETROFF], ~JONAS, ~Йонас, \
             +SIDOROV, Ivan [SIDOROV] | 1968-03-18, 1970, 1971-05 | [RU] [UA] | Passport AB1234567 None, Passport XY7654321 None | m \
             | Sample | [Sanction]",
            "SAM0002 Organisation \"Northern Guard\" |  | [] [RU] | Registration Number 1027700000000 None |  | Sample | [Sanction]",
            "SAM0003 Vessel NORTHERN DAWN |  | [] [PA] | IMO 9876543 None |  | Sample | [Sanction]",
        ]
    );
    assert_eq!(
        faults(&csv),
        [
            "rows, line 6: SAM0001: date of birth: no such day in the calendar: 1968-13-18",
            "rows, line 11: no unique id",
            "rows, line 10: SAM0004: no name"
        ]
    );
    let xml = single(include_bytes!("../samples/uk_full.xml"), Format::UkXml);
    assert_eq!(xml.published.as_deref(), Some("2026-09-21"));
    assert_eq!(
        lines(&xml),
        [
            "SAM0001 Person PETROV, Ivan Sergeyevich [PETROV], +PETROFF, Iwan [PETROFF], ~JONAS, +SIDOROV, Ivan [SIDOROV], \
             +Петров Иван Сергеевич | 1968-03-18, 1970, 1971-05 | [RU] [UA] | Passport AB1234567 None | m | Sample | [Sanction]",
            "SAM0002 Organisation \"Northern Guard\" |  | [] [RU] |  |  | Sample | [Sanction]",
            "SAM0003 Vessel NORTHERN DAWN |  | [] [] | IMO 9876543 None |  | Sample | [Sanction]",
        ]
    );
    assert_eq!(xml.faults.len(), 3, "{:?}", faults(&xml));
    let text = String::from_utf8(include_bytes!("../samples/uk_full.csv").to_vec()).unwrap();
    let (_, without_date) = text.split_once('\n').unwrap();
    assert_eq!(lines(&single(without_date.as_bytes(), Format::UkFull)), lines(&csv));
}

#[test]
fn us_consolidated_csv() {
    let loaded = single(include_bytes!("../samples/us_csl.csv"), Format::UsCsl);
    assert_eq!(
        lines(&loaded),
        [
            "1 Person PETROV, Ivan [PETROV], +PETROFF, Iwan [PETROFF], +SIDOROV, Ivan [SIDOROV] | 1968-03-18, 1970 | [RU] [RU, UA] \
             | Passport AB1234567 Some(RU) | m | Specially Designated Nationals (SDN) - Treasury Department, SAMPLE, OTHER | [Sanction]",
            "2 Vessel NORTHERN DAWN |  | [] [VE] | Vessel Registration Identification 9876543 None |  \
             | Specially Designated Nationals (SDN) - Treasury Department, SAMPLE | [Sanction]",
            "3 Organisation Sample Plant, +Plant No. 1, +Sample Works JSC |  | [] [RU] |  |  \
             | Entity List (EL) - Bureau of Industry and Security | [ExportControl]",
        ]
    );
    assert_eq!(faults(&loaded), ["rows, line 5: no _id or no name"]);
}

#[test]
fn opensanctions() {
    let simple = single(include_bytes!("../samples/opensanctions.csv"), Format::OpenSanctionsSimple);
    assert_eq!(
        lines(&simple),
        [
            "NK-1 Person Ivan Petrov, +Iwan Petroff, +Петров Иван | 1968-03-18, 1970 | [] [RU, UA] | identifier AB1234567 None |  \
             | SAMPLE | [Sanction]",
            "NK-2 Organisation Severnaya Zvezda |  | [] [RU] |  |  | SAMPLE | [Sanction]",
        ]
    );
    let ftm = single(include_bytes!("../samples/entities.ftm.json"), Format::OpenSanctionsFtm);
    assert_eq!(
        lines(&ftm),
        [
            "NK-1 Person Ivan Petrov, +Iwan Petroff, ~Jonas | 1968-03-18 | [RU] [] | passportNumber AB1234567 None | m |  | [Sanction, Pep]",
            "NK-2 Organisation Severnaya Zvezda |  | [] [RU] |  |  |  | [Sanction]",
        ]
    );
    assert_eq!(ftm.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn exposed_persons() {
    let congress = single(include_bytes!("../samples/congress.csv"), Format::PepCongress);
    assert_eq!(
        lines(&congress)[0],
        "S000001 Person Sample, Samuel Adam [Sample], +Samuel Sample, +Sample, Sam [Sample] | 1958-10-13 | [US] [] |  | m | Senator, WA | [Pep]"
    );
    assert_eq!(faults(&congress), ["rows, line 3: S000002: no such day in the calendar: 1958-02-30"]);
    let mut holders = single(include_bytes!("../samples/holders.csv"), Format::PepHolders);
    assert_eq!(faults(&holders), ["rows, line 4: no person"]);
    assert_eq!(pep_csv::add_facts(&mut holders.entities, include_bytes!("../samples/bio.csv")).unwrap().rows, 1);
    assert_eq!(
        lines(&holders),
        ["Q10 Person Ana Sample | 1949 | [] [] |  | f | Secretary of Samples, Chair of Samples | [Pep]"]
    );
    let leaders = single(include_bytes!("../samples/leaders.csv"), Format::PepLeaders);
    assert_eq!(
        lines(&leaders),
        ["Q20 Person Ben Sample |  | [AL] [] |  |  | President of Samples, Minister of Samples | [Pep]"]
    );
}

#[test]
fn a_list_of_ones_own() {
    let loaded = single(include_bytes!("../samples/own.csv"), Format::Own);
    assert_eq!(
        lines(&loaded),
        [
            "1 Person PETROV, Ivan [PETROV], +Iwan Petroff, +Vanya | 1968-03-18, 1970 | [RU, UA] [] | document AB1234567 None | m \
             | chargebacks | [Internal]",
            "2 Organisation Severnaya Zvezda |  | [] [] |  |  |  | [Internal]",
            "4 Person Anna Sample |  | [] [] |  |  |  | [Internal]",
        ]
    );
    assert_eq!(
        faults(&loaded),
        [
            "rows, line 4: 3: `ghost` is no type",
            "rows, line 5: 4: date of birth: `18.03.x` is not a date",
            "rows, line 5: 4: `Atlantis` is no country"
        ]
    );
    assert!(
        loaded.entities.iter().all(|entity| entity.topics == [Topic::Internal] && entity.kind != EntityKind::Vessel)
    );
}

/// Every format with its sample and what of it is not a list any more when the end is missing.
const SAMPLES: [(Format, &[u8]); 17] = [
    (Format::OfacXml, include_bytes!("../samples/sdn.xml")),
    (Format::OfacAdvanced, include_bytes!("../samples/sdn_advanced.xml")),
    (Format::EuCsv, include_bytes!("../samples/eu_1_1.csv")),
    (Format::EuCsv, include_bytes!("../samples/eu_1_0.csv")),
    (Format::EuXml, include_bytes!("../samples/eu_1_1.xml")),
    (Format::UnXml, include_bytes!("../samples/un.xml")),
    (Format::UkShort, include_bytes!("../samples/uk_short.csv")),
    (Format::UkFull, include_bytes!("../samples/uk_full.csv")),
    (Format::UkXml, include_bytes!("../samples/uk_full.xml")),
    (Format::UkOfsi, include_bytes!("../samples/uk_ofsi.csv")),
    (Format::UsCsl, include_bytes!("../samples/us_csl.csv")),
    (Format::OpenSanctionsSimple, include_bytes!("../samples/opensanctions.csv")),
    (Format::OpenSanctionsFtm, include_bytes!("../samples/entities.ftm.json")),
    (Format::PepCongress, include_bytes!("../samples/congress.csv")),
    (Format::PepHolders, include_bytes!("../samples/holders.csv")),
    (Format::PepLeaders, include_bytes!("../samples/leaders.csv")),
    (Format::Own, include_bytes!("../samples/own.csv")),
];

#[test]
fn empty_truncated_and_foreign_files_are_errors_that_can_be_told_apart() {
    for (format, sample) in SAMPLES {
        for empty in [&b""[..], b" \r\n", b"\x1a", b"\xEF\xBB\xBF"] {
            assert!(matches!(format.read("list", empty), Err(ListError::Empty(_))), "{format:?}");
        }
        // so that a column is missing, or an element open: what is lost inside the last column nobody can see
        let end = sample.len() - if matches!(format, Format::UkShort | Format::UsCsl) { 30 } else { 16 };
        let cut = format.read("list", &sample[..end]);
        assert!(matches!(cut, Err(ListError::Truncated { .. })), "{format:?}: {cut:?}");
        let foreign = format.read("list", b"<html><body>Not found</body></html>\n");
        assert!(
            matches!(foreign, Err(ListError::Format { .. } | ListError::Empty(_) | ListError::Truncated { .. })),
            "{format:?}: {foreign:?}"
        );
    }
}

#[test]
fn line_ends_marks_and_broken_quotes_spoil_one_row_of_ofacs_files_only() {
    let rows = "1,\"PETROV, Ivan\",\"individual\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n\
                2,\"BROKEN, Quote,\"individual\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n\
                3,\"SIDOROV, Ivan\",\"individual\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n\
                4,\"UNCLOSED, Quote,-0- \n\
                5,\"LAST, Row\",\"individual\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n";
    for text in [rows.to_owned(), format!("\u{FEFF}{}\u{1A}", rows.replace('\n', "\r\n"))] {
        let files =
            OfacFiles { list: "list", primary: text.as_bytes(), aliases: None, addresses: None, comments: None };
        let loaded = read(&files).unwrap();
        let ids: Vec<&str> = loaded.entities.iter().map(|entity| entity.id.as_str()).collect();
        assert_eq!(ids, ["1", "3", "5"]);
        assert_eq!(loaded.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 4]);
    }
}

#[test]
fn a_broken_quote_spoils_one_row_of_a_table_only() {
    let rows = |broken: &str| {
        format!(
            "id,name,type,aliases\n1,Ann Sample,person,\n{broken}\n3,Bob Sample,person,\n4,\"Sample, Cid\",person,\n5,Dan Sample,person,\n"
        )
    };
    let ids = |loaded: &Loaded| loaded.entities.iter().map(|entity| entity.id.clone()).collect::<Vec<_>>();
    let never_closed =
        single(rows("2,\"Broken Quote,person,").replace("\"Sample, Cid\"", "Cid").as_bytes(), Format::Own);
    assert_eq!(
        (ids(&never_closed), faults(&never_closed).len()),
        (["1", "3", "4", "5"].map(str::to_owned).to_vec(), 1)
    );
    let closed_later = single(rows("2,\"Broken Quote,person,").as_bytes(), Format::Own);
    assert_eq!(faults(&closed_later), ["rows, line 3: a quote is not closed"]);
    assert_eq!(ids(&closed_later), ["1", "3", "4", "5"]);
    let several_lines = single(rows("2,\"Broken\nname, of three\nlines\",person,").as_bytes(), Format::Own);
    assert_eq!((ids(&several_lines).len(), faults(&several_lines)), (5, Vec::new()));
    let open_end = Format::Own.read("own", b"id,name,aliases\n1,Ann,\n2,Bob,\"Bobby");
    assert!(matches!(open_end, Err(ListError::Truncated { .. })), "{open_end:?}");
}

#[test]
fn quotes_inside_a_quoted_cell_cost_no_row() {
    let row = |remarks: &str| {
        format!("1,\"PETROV, Ivan\",\"individual\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"{remarks}\"\r\n\x1a")
    };
    let primary = row("DOB 10 Jan 1987; a.k.a. \"vanya1987\"; nationality Russia; P");
    let files = OfacFiles {
        list: "list",
        primary: primary.as_bytes(),
        aliases: Some(b"1,2,\"aka\",\"PETROFF, Iwan \"Wanja\" Karl\",-0- \r\n"),
        addresses: Some(b"1,3,-0- ,\"Moscow\",\"Russia\",-0- \r\n-0- ,4,-0- ,-0- ,\"Russia\",-0- \r\n"),
        comments: Some(b"1,\"hone Number 1; a.k.a. \"petya\"; a.k.a. \"kolya\"; Linked To: STAR GROUP.\"\r\n2,\"a.k.a. \"x\", y\"\r\n3,\"z\"\r\n"),
    };
    let loaded = read(&files).unwrap();
    assert!(
        lines(&loaded)[0].starts_with(
            "1 Person PETROV, Ivan [PETROV], ~vanya1987, ~petya, ~kolya, +PETROFF, Iwan \"Wanja\" Karl [PETROFF] | 1987-01-10 | [RU] [RU]"
        ),
        "{:?}",
        lines(&loaded)
    );
    assert_eq!(faults(&loaded), ["comments, line 2: 3 columns instead of 2", "addresses, line 2: no number"]);
    let own = "id,name,type,aliases,reason\n1,\"Sample, Ann \"Nana\" Maria\",person,Anna,\"said \"\"no\"\"\"\n2,Bob Sample,person,,\n";
    let own = single(own.as_bytes(), Format::Own);
    assert_eq!(
        lines(&own),
        [
            "1 Person Sample, Ann \"Nana\" Maria [Sample], +Anna |  | [] [] |  |  | said \"no\" | [Internal]",
            "2 Person Bob Sample |  | [] [] |  |  |  | [Internal]"
        ]
    );
}

#[test]
fn names_that_stand_in_odd_places_are_not_lost() {
    let row = |remarks: &str| {
        format!("1,\"BLUE STAR\",\"vessel\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"{remarks}\"\r\n\x1a")
    };
    let primary = row("f.k.a. 'RED STAR'; Vessel Registration Identification IMO 9876543; a.k.a. 'STAR'.");
    let files = OfacFiles {
        list: "list",
        primary: primary.as_bytes(),
        aliases: None,
        addresses: None,
        comments: Some(b"1,\"; f.k.a. 'OLD STAR'.\"\r\n2,\"x\",3\r\n4,\"y\"\r\n"),
    };
    let loaded = read(&files).unwrap();
    assert!(lines(&loaded)[0].starts_with("1 Vessel BLUE STAR, -RED STAR, ~STAR, -OLD STAR |"), "{:?}", lines(&loaded));
    assert_eq!(faults(&loaded), ["comments, line 2: 3 columns instead of 2"]);
    let eu = "Entity_LogicalId;NameAlias_WholeName;NameAlias_LastName;NameAlias_FirstName;Citizenship_CountryIso2Code\n\
              1;;Petrov;Ivan;NA\n2;;;;RU\n";
    let eu = Format::EuCsv.read("eu", eu.as_bytes()).unwrap();
    assert_eq!(lines(&eu), ["1 Organisation Ivan Petrov |  | [NA] [] |  |  |  | [Sanction]"]);
    assert_eq!(faults(&eu), ["rows, line 3: 2: no name"]);
    let ofsi = "Last Updated\nName 6,Name 1,Name 2,Group Type,Group ID\n,Ivan,Petrov,Individual,1\n";
    assert!(lines(&Format::UkOfsi.read("uk", ofsi.as_bytes()).unwrap())[0].contains("Ivan Petrov"));
    let ftm = "{\"id\":\"a\",\"schema\":\"Person\",\"properties\":{\"name\":[\"Ann\"]}}\n{\"id\":\"b\",\"schema\":\"Vehicle\"}\n{\"id\":\"c\",\"schema\":\"Address\"}";
    let ftm = Format::OpenSanctionsFtm.read("os", ftm.as_bytes()).unwrap();
    assert_eq!(faults(&ftm), ["lines, line 2: b: the schema `Vehicle` is not known"]);
}

#[test]
fn a_wrong_byte_in_a_name_leaves_the_name() {
    let text = String::from_utf8(include_bytes!("../samples/un.xml").to_vec()).unwrap();
    let place = text.find("Kareem").unwrap();
    let mut bytes = text.into_bytes();
    bytes[place] = 0xFF;
    let loaded = Format::UnXml.read("un", &bytes).unwrap();
    assert!(lines(&loaded)[0].contains("\u{FFFD}areem Rahimi"), "{:?}", lines(&loaded));
    assert!(faults(&loaded).iter().any(|fault| fault.contains("not UTF-8")), "{:?}", faults(&loaded));
}

#[test]
fn documents_are_numbers_that_belong_to_one_party() {
    let id = |kind: &str, number: &str| format!("<id><idType>{kind}</idType><idNumber>{number}</idNumber></id>");
    let ids = [
        id("Organization Established Date", "2004"),
        id("Vessel Registration Identification", "IMO 9876543"),
        id("Digital Currency Address - XBT", "1abc2"),
    ];
    let xml = format!(
        "<sdnList><sdnEntry><uid>1</uid><lastName>STAR</lastName><idList>{}</idList></sdnEntry></sdnList>",
        ids.concat()
    );
    let loaded = Format::OfacXml.read("ofac", xml.as_bytes()).unwrap();
    let documents: Vec<String> =
        loaded.entities[0].documents.iter().map(|document| format!("{} {}", document.kind, document.number)).collect();
    assert_eq!(documents, ["Vessel Registration Identification 9876543", "wallet XBT 1abc2"]);
    let advanced = include_str!("../samples/sdn_advanced.xml")
        .replace("</ReferenceValueSets>", "<IDRegDocTypeValues><IDRegDocType ID=\"1571\">Passport</IDRegDocType></IDRegDocTypeValues></ReferenceValueSets>")
        .replace(
            "<DistinctParties>",
            "<IDRegDocuments><IDRegDocument ID=\"1\" IDRegDocTypeID=\"1571\" IdentityID=\"100\" IssuedBy-CountryID=\"11\">\
             <IDRegistrationNo>A123</IDRegistrationNo></IDRegDocument></IDRegDocuments><DistinctParties>",
        )
        .replace("<Year>1970</Year>", "<Year>?</Year>");
    let loaded = Format::OfacAdvanced.read("ofac", advanced.as_bytes()).unwrap();
    assert!(lines(&loaded)[0].contains("Passport A123 Some(IQ)"), "{:?}", lines(&loaded));
    assert!(faults(&loaded).iter().any(|fault| fault.contains("date of birth")), "{:?}", faults(&loaded));
}

#[test]
fn a_party_of_the_us_that_is_on_several_lists_is_one_entry() {
    let text = "_id,source,type,programs,name,alt_names\n\
                1,Specially Designated Nationals (SDN) - Treasury Department,Entity,A; B,BANK,BANCO\n\
                1,Capta List (CAP) - Treasury Department,Entity,B; C,BANK,BANQUE\n\
                2,Denied Persons List (DPL),,,AL NASER AIRLINES,\n\
                3,Entity List (EL),,,Ivan Petrov,\n\
                4,Entity List (EL),,,Nasosy Ampika,\n";
    let loaded = Format::UsCsl.read("csl", text.as_bytes()).unwrap();
    let parties: Vec<String> =
        loaded.entities.iter().map(|entity| format!("{} {:?}", entity.id, entity.kind)).collect();
    assert_eq!(parties, ["1 Organisation", "2 Organisation", "3 Person", "4 Organisation", "4 Person"]);
    assert_eq!(loaded.entities[0].names.len(), 3);
    assert_eq!(loaded.entities[0].programmes.len(), 5);
}
