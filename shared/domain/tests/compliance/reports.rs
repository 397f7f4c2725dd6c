//! Reports to authorities: what the schema fixes, and what is not made up.

use domain::client::{Client, ClientFacts, ClientPerson};
use domain::compliance::report::goaml::{GoAmlFile, goaml};
use domain::compliance::report::{Material, NARRATIVE_MAX};
use domain::compliance::{Case, Report, ReportKind, Reports};
use domain::rules::RuleSet;
use domain::{Redacted, ReportId, Seconds};

use crate::cases::structured;
use crate::world::{World, at, seed};

fn profiles() -> Reports {
    Reports::parse(&seed("compliance_reports")).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn client(world: &World, name: &str) -> Client {
    Client {
        id: world.about.client_id.clone(),
        facts: ClientFacts {
            created_at: world.about.since,
            residence: world.about.residence,
            nationality: world.about.nationality,
            language: "en".to_owned(),
            lead_id: None,
            partner_code: None,
            entity: None,
            consents: Default::default(),
            appropriateness: None,
        },
        person: ClientPerson {
            email: Redacted::new("a@example.com".to_owned()),
            phone: Some(Redacted::new("+4915112345678".to_owned())),
            full_name: Redacted::new(name.to_owned()),
            date_of_birth: Redacted::new("1980-02-29".to_owned()),
        },
    }
}

fn report(world: &World, case: &Case, name: &str, kind: ReportKind) -> Report {
    let profiles = profiles();
    let client = client(world, name);
    let profile = profiles.profile("other").unwrap().unwrap();
    let material = Material { case, client: &client, about: &world.about, history: &world.history, profile };
    Report::made(ReportId::from_bits(1), kind, material, "ana", at("2025-07-02")).next
}

fn file(name: &str, kind: ReportKind) -> GoAmlFile {
    let (world, desk) = structured();
    let profiles = profiles();
    let report = report(&world, desk.case(), name, kind);
    goaml(&report, profiles.profile("other").unwrap().unwrap().1.goaml.as_ref().unwrap())
}

#[test]
fn a_file_has_its_elements_in_the_order_of_the_schema() {
    for (kind, order) in [
        (
            ReportKind::Str,
            vec![
                "<report>",
                "<rentity_id>",
                "<submission_code>",
                "<report_code>STR<",
                "<entity_reference>",
                "<submission_date>2025-07-02T12:00:00<",
                "<currency_code_local>USD<",
                "<reporting_person>",
                "<first_name>",
                "<last_name>",
                "<reason>",
                "<transaction>",
                "<transactionnumber>",
                "<transaction_location>",
                "<transaction_description>",
                "<date_transaction>2025-07-01T10:00:00<",
                "<transmode_code>",
                "<transmode_comment>",
                "<amount_local>9000",
                "<t_from>",
                "<from_funds_code>",
                "<from_person>",
                "<from_country>",
                "<t_to_my_client>",
                "<to_funds_code>",
                "<to_person>",
                "<birthdate>1980-02-29T00:00:00<",
                "<nationality1>",
                "<residence>",
                "<phones>",
                "<to_country>",
                "<report_indicators>",
                "<indicator>",
            ],
        ),
        (
            ReportKind::Sar,
            vec![
                "<report_code>SAR<",
                "<reason>",
                "<activity>",
                "<report_parties>",
                "<report_party>",
                "<person_my_client>",
                "<reason>",
                "<report_indicators>",
            ],
        ),
    ] {
        let text = file("Anna Weber", kind).xml;
        let mut rest = text.as_str();
        for element in order {
            let place =
                rest.find(element).unwrap_or_else(|| panic!("{element} is not after what is before it in {text}"));
            rest = &rest[place + element.len()..];
        }
        assert_eq!(text.matches("<transaction>").count(), if kind == ReportKind::Str { 3 } else { 0 });
    }
}

#[test]
fn names_are_written_in_the_letters_that_the_schema_takes_or_said_to_be_lacking() {
    let text = file("José-María Łukasz O’Neil", ReportKind::Sar);
    assert!(
        text.xml.contains("<first_name>Jose-Maria Lukasz</first_name>")
            && text.xml.contains("<last_name>O'Neil</last_name>"),
        "{}",
        text.xml
    );
    let other = file("Петров", ReportKind::Sar);
    assert!(
        other.lacking.iter().any(|what| what.starts_with("last_name: it cannot be written")),
        "{:?}",
        other.lacking
    );
    assert!(!other.xml.contains("Петров"));
    // nothing is made up
    for lacks in ["gender", "id_number", "identification", "tax_reg_number"] {
        assert!(text.lacking.iter().any(|what| what == lacks), "{:?}", text.lacking);
    }
}

#[test]
fn markup_in_what_people_are_called_is_text() {
    let (world, desk) = structured();
    let mut case = desk.case().clone();
    case.inner.alerts[0].meaning = "</reason><script>alert(\"x\")</script>&".to_owned();
    let report = report(&world, &case, "Anna Weber", ReportKind::Sar);
    let profiles = profiles();
    let text = goaml(&report, profiles.profile("other").unwrap().unwrap().1.goaml.as_ref().unwrap()).xml;
    assert!(
        !text.contains("<script>") && text.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;"),
        "{text}"
    );
}

#[test]
fn the_time_to_report_runs_from_the_finding_of_suspicion_by_jurisdiction() {
    let profiles = profiles();
    for (jurisdiction, days) in [("cy", 3), ("ae", 3), ("za", 15), ("au", 3), ("uk", 3), ("other", 30)] {
        let (_, profile) = profiles.profile(jurisdiction).unwrap().unwrap();
        assert_eq!(profile.deadline, Seconds(days * 86_400), "{jurisdiction}");
    }
    let (world, desk) = structured();
    let report = report(&world, desk.case(), "Anna Weber", ReportKind::Str);
    assert_eq!(report.facts.suspected_at, at("2025-07-02"));
    assert_eq!((report.facts.detected_at, report.facts.due_at), (at("2025-07-01T12:00"), at("2025-08-01")));
    assert!(report.inner.narrative.chars().count() <= NARRATIVE_MAX);
    assert!(report.inner.narrative.contains("Deposits just below the threshold in one day"));
}

#[test]
fn each_defect_of_the_rules_is_told_at_its_place() {
    for (change, pointer, code) in [
        (("/profiles/0/then/kinds", serde_json::json!(["CTR"])), "/profiles/0/then/kinds/0", "unknown_value"),
        (("/profiles/0/then/deadline", serde_json::json!("0s")), "/profiles/0/then/deadline", "bad_range"),
        (
            ("/profiles/0/then/goaml/currency_code_local", serde_json::json!("XXY")),
            "/profiles/0/then/goaml/currency_code_local",
            "unknown_currency",
        ),
        (
            ("/profiles/0/when", serde_json::json!({"field": "jurisdiction", "eq": "mars"})),
            "/profiles/0/when/eq",
            "unknown_value",
        ),
    ] {
        let mut document = seed("compliance_reports");
        *document.pointer_mut(change.0).unwrap() = change.1;
        let faults = Reports::parse(&document).unwrap_err();
        assert!(faults.iter().any(|fault| fault.pointer == pointer && fault.code == code), "{pointer}: {faults:?}");
    }
}
