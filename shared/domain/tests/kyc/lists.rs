//! Which list is taken over, which is too old, and what an inquiry must look like.

use domain::kyc::inquiry::{Inquiry, PartyKind};
use domain::kyc::rules::{ListCount, ListRule, ScreeningRules};
use domain::rules::RuleSet;
use domain::{Seconds, Timestamp};
use serde_json::{Value, json};

fn rules(change: impl FnOnce(&mut Value)) -> Result<ScreeningRules, Vec<String>> {
    let mut list = json!({
        "code": "ofac_sdn", "of": "sanctions", "format": "ofac_xml", "url": "https://lists.test/sdn.xml", "threshold": 500,
        "at_least": 100, "shrinkage_max": 100, "refresh_every": "6h", "age_max": "3d",
    });
    change(&mut list);
    let parsed = ScreeningRules::parse(&json!({"lists": [list]}));
    parsed.map_err(|faults| faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect())
}

fn list() -> ListRule {
    rules(|_| ()).unwrap().lists.remove(0)
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn count(entries: u32, published: Option<&str>) -> ListCount<'_> {
    ListCount { entries, published }
}

#[test]
fn a_list_that_is_not_whole_or_far_smaller_or_older_is_not_taken_over() {
    let list = list();
    let now = moment("2026-11-29T12:00:00Z");
    let judged = |before: Option<(u32, Option<&'static str>)>, entries: u32, published: Option<&'static str>| {
        list.objection(before.map(|(n, date)| count(n, date)), count(entries, published), now)
    };
    assert_eq!(judged(None, 100, None), None);
    assert!(judged(None, 99, None).unwrap().contains("fewer than 100"));
    // a tenth less is believed, not one entry more
    assert_eq!(judged(Some((1_000, None)), 900, None), None);
    assert!(judged(Some((1_000, None)), 899, None).unwrap().contains("before had 1000"));
    assert_eq!(judged(Some((1_000, None)), 5_000, None), None);
    let dated = |before: Option<&'static str>, now: Option<&'static str>| judged(Some((1_000, before)), 1_000, now);
    assert_eq!(dated(Some("2026-11-28"), Some("2026-11-28")), None);
    assert_eq!(dated(Some("2026-11-28"), Some("2026-11-29")), None);
    assert!(dated(Some("2026-11-28"), Some("2026-11-27")).is_some(), "an old copy");
    assert!(dated(Some("2026-11-28"), None).is_some());
    assert_eq!(dated(None, Some("2026-01-01")), None);
    // of the largest list nothing overflows
    assert!(judged(Some((u32::MAX, None)), 100, None).is_some());
}

#[test]
fn a_list_that_its_source_stopped_making_is_not_taken_over_where_the_rules_say_how_old_it_may_be() {
    let list = rules(|list| list["published_age_max"] = json!("7d")).unwrap().lists.remove(0);
    let judged = |now: &str, date| list.objection(None, count(1_000, date), moment(now));
    assert_eq!(judged("2026-02-03T00:00:00Z", Some("2026-01-28")), None);
    // made in the course of that day, wherever on earth
    assert_eq!(judged("2026-02-04T23:59:59Z", Some("2026-01-28")), None);
    assert!(judged("2026-02-05T00:00:00Z", Some("2026-01-28")).is_some());
    assert!(judged("2026-02-03T00:00:00Z", None).is_some());
    assert!(judged("2026-02-03T00:00:00Z", Some("28/01/2026")).is_some());
}

#[test]
fn a_version_is_fetched_again_and_gets_too_old() {
    let list = list();
    let taken = moment("2026-11-29T12:00:00Z");
    let after = |seconds| taken.plus(Seconds(seconds));
    assert!(!list.is_to_be_fetched(taken, after(6 * 3_600 - 1)) && list.is_to_be_fetched(taken, after(6 * 3_600)));
    assert!(!list.is_stale(taken, after(3 * 86_400 - 1)) && list.is_stale(taken, after(3 * 86_400)));
}

#[test]
fn a_rule_set_without_sanctions_or_with_a_defect_is_refused() {
    let code = |pointer: &str, code: &str| vec![format!("/lists{pointer} {code}")];
    let defect = |change: &dyn Fn(&mut Value)| rules(|list| change(list)).unwrap_err();
    assert_eq!(defect(&|list| list["of"] = json!("pep")), code("", "no_sanctions"));
    assert_eq!(defect(&|list| list["of"] = json!("peps")), code("/0/of", "unknown_value"));
    assert_eq!(defect(&|list| list["format"] = json!("xml")), code("/0/format", "unknown_value"));
    assert_eq!(defect(&|list| list["url"] = json!("http://lists.example")), code("/0/url", "insecure_url"));
    assert_eq!(defect(&|list| list["query"] = json!("a=b#c")), code("/0/query", "bad_query"));
    assert_eq!(defect(&|list| list["query"] = json!(null)), code("/0/query", "wrong_type"));
    assert_eq!(defect(&|list| list["threshold"] = json!(0)), code("/0/threshold", "bad_range"));
    assert_eq!(defect(&|list| list["threshold"] = json!(1_001)), code("/0/threshold", "bad_range"));
    assert_eq!(defect(&|list| list["at_least"] = json!(0)), code("/0/at_least", "bad_range"));
    assert_eq!(defect(&|list| list["at_least"] = json!("many")), code("/0/at_least", "not_a_number"));
    assert_eq!(defect(&|list| list["shrinkage_max"] = json!(1_000)), code("/0/shrinkage_max", "bad_range"));
    assert_eq!(defect(&|list| list["age_max"] = json!("6h")), code("/0/age_max", "bad_range"));
    assert_eq!(defect(&|list| list["published_age_max"] = json!("1h")), code("/0/published_age_max", "bad_range"));
    let twice = json!({"lists": [serde_json::to_value(list()).unwrap(), serde_json::to_value(list()).unwrap()]});
    assert_eq!(ScreeningRules::parse(&twice).unwrap_err()[0].pointer, "/lists/1/code");
    assert!(ScreeningRules::parse(&json!({"lists": []})).is_err());
    // an installation fills the number in
    assert_eq!(rules(|list| list["at_least"] = json!("500")).unwrap().lists[0].at_least, 500);
}

#[test]
fn an_inquiry_tells_every_fault_at_once() {
    let now = moment("2026-11-29T12:00:00Z");
    let faults = |body: Value| -> Vec<String> {
        let faults = Inquiry::read(&body, now).unwrap_err();
        faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
    };
    assert_eq!(
        faults(json!({
            "full_name": "\u{200b} ", "date_of_birth": "1990-13-01", "nationality": "XX", "residence": 7, "type": "ship",
            "country": "ES",
        })),
        [
            "/full_name empty",
            "/date_of_birth invalid_date",
            "/nationality unknown_country",
            "/residence wrong_type",
            "/type unknown_value",
            "/country unknown_field",
        ]
    );
    assert_eq!(faults(json!({"date_of_birth": "2026-12-01"})), ["/full_name missing", "/date_of_birth in_the_future"]);
    assert_eq!(faults(json!({"full_name": "a".repeat(601)})), ["/full_name too_long"]);
    assert_eq!(faults(json!({"full_name": "a\u{0}b"})), ["/full_name control_character"]);
    let with_birth = json!({"full_name": "A Ltd", "type": "organisation", "date_of_birth": "1990-01-01"});
    assert_eq!(faults(with_birth), ["/date_of_birth not_for_organisations"]);
    assert_eq!(faults(json!([])), [" wrong_type"]);
    let asked = json!({"full_name": " Ана ", "date_of_birth": "2026-11-30", "type": "person", "residence": null});
    let read = Inquiry::read(&asked, now).unwrap();
    assert_eq!((read.full_name.reveal().as_str(), read.kind, read.residence), ("Ана", Some(PartyKind::Person), None));
}
