//! The specimens of ICAO Doc 9303, and those of states.

use documents::mrz::{Format, Proof};
use documents::{PartialDate, Sex};
use jiff::civil::date;

use crate::build::zone;

#[test]
fn the_passport_of_9303_part_4() {
    let zone = zone(&["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"])
        .unwrap();
    assert_eq!(zone.format, Format::Td3);
    assert_eq!(zone.document_code, "P");
    assert_eq!(zone.issuer.unwrap().code(), "UTO");
    assert_eq!(zone.nationality.unwrap().country(), None);
    assert_eq!(
        (zone.names.primary, zone.names.secondary),
        (vec!["ERIKSSON".into()], vec!["ANNA".into(), "MARIA".into()])
    );
    assert!(!zone.names.truncated);
    assert_eq!(zone.number, "L898902C3");
    assert_eq!(zone.date_of_birth, Some(PartialDate::Day(date(1974, 8, 12))));
    assert_eq!(zone.expires, Some(PartialDate::Day(date(2012, 4, 15))));
    assert_eq!(zone.sex, Some(Sex::Female));
    assert_eq!(zone.optional, ["ZE184226B"]);
    assert_eq!(zone.composite, Some(true));
    assert_eq!(zone.proofs.optional, Some(Proof::Read));
    assert_eq!(zone.mends, []);
}

#[test]
fn the_card_of_9303_part_5() {
    let zone =
        zone(&["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"])
            .unwrap();
    assert_eq!(zone.format, Format::Td1);
    assert_eq!(zone.number, "D23145890");
    assert!(zone.is_proved());
    assert_eq!(zone.names.primary, ["ERIKSSON"]);
}

#[test]
fn the_card_of_9303_part_6() {
    let zone = zone(&["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"]).unwrap();
    assert_eq!(zone.format, Format::Td2);
    assert_eq!((zone.number.as_str(), zone.is_proved()), ("D23145890", true));
}

#[test]
fn the_visas_of_9303_part_7() {
    let large = zone(&["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"])
        .unwrap();
    assert_eq!((large.format, large.number.as_str(), large.composite), (Format::VisaA, "L8988901C", None));
    assert_eq!(large.nationality.unwrap().code(), "XXX");
    assert_eq!(large.date_of_birth, Some(PartialDate::Day(date(1940, 9, 7))));
    let small = zone(&["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"]).unwrap();
    assert_eq!((small.format, small.is_proved()), (Format::VisaB, true));
}

#[test]
fn the_old_card_of_france() {
    let zone = zone(&["IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6"]).unwrap();
    assert_eq!(zone.format, Format::FrenchCard);
    assert_eq!((zone.number.as_str(), zone.is_proved()), ("880692310285", true));
    assert_eq!((zone.names.primary, zone.names.secondary), (vec!["BERTHIER".into()], vec!["CORINNE".into()]));
    assert_eq!((zone.expires, zone.nationality), (None, None));
    assert_eq!(zone.date_of_birth, Some(PartialDate::Day(date(1965, 12, 6))));
    assert_eq!(zone.sex, Some(Sex::Female));
}

#[test]
fn numbers_that_go_on_in_the_optional_data() {
    let portugal =
        zone(&["I<PRT000024759<ZZ72<<<<<<<<<<<", "8010100F2006017PRT<<<<<<<<<<<8", "CARLOS<MONTEIRO<<AMELIA<VANESS"])
            .unwrap();
    assert_eq!((portugal.number.as_str(), portugal.is_proved()), ("000024759ZZ7", true));
    assert_eq!(portugal.names.primary, ["CARLOS", "MONTEIRO"]);
    assert!(portugal.names.truncated);
    let belgium =
        zone(&["IDBEL592211692<1741<<<<<<<<<<<", "9003107F2509301BEL900310244094", "SPECIMEN<<SPECIMEN<<<<<<<<<<<<"])
            .unwrap();
    assert_eq!(belgium.number, "592211692174");
    assert!(belgium.is_proved());
    let old =
        zone(&["IDBEL590330101085020100200<<<<", "8502016F0901015BEL<<<<<<<<<<<8", "VAN<DER<VELDEN<<GREET<HILDE<<<"]);
    assert_eq!(old.unwrap().number, "590330101");
}

#[test]
fn the_cards_of_germany_the_netherlands_and_spain() {
    let germany =
        zone(&["IDD<<T220001293<<<<<<<<<<<<<<<", "6408125<2010315D<<<<<<<<<<<<<4", "MUSTERMANN<<ERIKA<<<<<<<<<<<<<"])
            .unwrap();
    assert_eq!(
        (germany.number.as_str(), germany.sex, germany.is_proved()),
        ("T22000129", Some(Sex::Unspecified), true)
    );
    assert_eq!((germany.issuer.unwrap().country(), germany.nationality.unwrap().code()), (Some("DE"), "D"));
    let netherlands =
        zone(&["I<NLDSPECI20142999999990<<<<<8", "6503101F2403096NLD<<<<<<<<<<<8", "DE<BRUIJN<<WILLEKE<LISELOTTE<<"])
            .unwrap();
    assert_eq!((netherlands.names.primary.join(" "), netherlands.is_proved()), ("DE BRUIJN".to_owned(), true));
    assert_eq!(netherlands.optional, ["999999990<<<<<8"]);
    let spain =
        zone(&["IDESPBAA000589599999999R<<<<<<", "8001014F2501017ESP<<<<<<<<<<<7", "ESPANOLA<ESPANOLA<<CARMEN<<<<<"])
            .unwrap();
    assert_eq!((spain.number.as_str(), spain.optional), ("BAA000589", vec!["99999999R".to_owned()]));
}
