//! Dated lists of countries.

use domain::compliance::CountryLists;
use domain::rules::RuleSet;
use serde_json::json;

use crate::world::{at, country, lists};

fn codes(name: &str, day: &str) -> String {
    let listed = lists().on(name, day.parse().unwrap());
    listed.iter().map(|country| country.code()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_seed_replays_what_was_published() {
    assert_eq!(
        codes("eu_high_risk", "2026-01-29"),
        "AF AO BO CD CI CM DZ HT IR KE KP LA LB MC MM NA NP RU SS SY TT VE VG VN VU YE"
    );
    assert_eq!(codes("fatf_call_for_action", "2026-06-19"), "IR KP MM");
    assert_eq!(lists().on("fatf_increased_monitoring", "2026-06-19".parse().unwrap()).len(), 22);
    // no member state ever stands on the EU's list
    for day in ["2020-07-09", "2022-03-13", "2023-10-18", "2026-02-01"] {
        assert!(lists().on("eu_high_risk", day.parse().unwrap()).iter().all(|country| !country.in_eu()), "{day}");
    }
}

#[test]
fn a_country_is_listed_from_the_first_day_on_and_no_more_on_the_last() {
    let named = ["fatf_increased_monitoring".to_owned(), "fatf_call_for_action".to_owned()];
    let on = |code: &str, when: &str| {
        lists().listing(country(code), at(when), &named).map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    for (code, when, expected) in [
        ("AE", "2022-03-03T23:59", ""),
        ("AE", "2022-03-04T00:00", "fatf_increased_monitoring"),
        ("AE", "2024-02-22T23:59", "fatf_increased_monitoring"),
        ("AE", "2024-02-23T00:00", ""),
        ("MM", "2022-10-20", "fatf_increased_monitoring"),
        ("MM", "2022-10-21", "fatf_call_for_action"),
        ("DE", "2026-01-01", ""),
    ] {
        assert_eq!(on(code, when), expected, "{code} {when}");
    }
}

#[test]
fn every_defect_of_lists_is_told_at_its_place() {
    let list = |rows: serde_json::Value| json!({"lists": {"a": {"title": "t", "source": "s", "checked": "2026-01-01", "rows": rows}}});
    for (rows, pointer, code) in [
        (json!([{"country": "ZZ"}]), "/lists/a/rows/0/country", "unknown_country"),
        (json!([{"country": "AE", "from": "2022-3-4"}]), "/lists/a/rows/0/from", "bad_date"),
        (json!([{"country": "AE", "from": "2024-01-01", "to": "2024-01-01"}]), "/lists/a/rows/0", "bad_range"),
        (json!([{"country": "AE"}, {"country": "AE", "from": "2024-01-01"}]), "/lists/a/rows/1", "overlap"),
        (
            json!([{"country": "AE", "to": "2024-01-02"}, {"country": "AE", "from": "2024-01-01"}]),
            "/lists/a/rows/1",
            "overlap",
        ),
    ] {
        let faults = CountryLists::parse(&list(rows)).unwrap_err();
        let found: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect();
        assert_eq!(found, [(pointer, code)]);
    }
    let again = json!([{"country": "AE", "to": "2022-01-01"}, {"country": "AE", "from": "2022-01-01"}]);
    assert!(CountryLists::parse(&list(again)).is_ok());
}
