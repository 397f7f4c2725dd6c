//! Scenarios with one defect at a time: each is told at its place, and none goes live.

use domain::compliance::Scenarios;
use domain::rules::RuleSet;
use serde_json::{Value, json};

use crate::world::{rules, seed};

/// A good scenario, as a document.
fn document(change: impl FnOnce(&mut Value)) -> Value {
    let mut scenario = json!({
        "id": "x", "name": "X", "meaning": "x", "mode": "live", "trigger": ["deposit"], "score": 10, "cool_down": "7d",
        "noise_budget": "0.1", "parameters": {"count": 3, "window": "7d"},
        "overrides": [{"id": "risky", "when": {"field": "segment", "eq": "high_risk"}, "then": {"count": 2}}],
        "features": {
            "n": {"over": "movements", "of": ["deposit"], "take": "count", "window": "$window"},
            "sum": {"over": "movements", "of": ["deposit"], "take": "sum", "window": "7d"},
            "mean": {"ratio": {"of": "sum", "to": "n", "floor": "1"}},
            "lots": {"over": "trading", "take": "lots", "window": "7d"},
        },
        "when": {"all": [{"field": "n", "gte": "$count"}, {"field": "mean", "gt": "10"}]},
    });
    change(&mut scenario);
    let mut document = seed("compliance_scenarios");
    document["scenarios"] = json!([scenario]);
    document
}

#[test]
fn each_defect_is_told_at_its_place() {
    assert!(Scenarios::parse(&document(|_| ())).is_ok());
    type Change = fn(&mut Value);
    let cases: &[(&str, &str, Change)] = &[
        ("/features/n", "unknown_feature", |s| s["features"]["n"] = json!({"sum_of_all": 1})),
        ("/features/n/over", "unknown_feature", |s| s["features"]["n"]["over"] = json!("moods")),
        ("/features/n/take", "unknown_value", |s| s["features"]["n"]["take"] = json!("average")),
        ("/features/n/of/0", "unknown_value", |s| s["features"]["n"]["of"] = json!(["gift"])),
        ("/features/sum/window", "bad_range", |s| s["features"]["sum"]["window"] = json!("0s")),
        ("/features/sum/window", "bad_range", |s| s["features"]["sum"]["window"] = json!("3650d")),
        ("/features/sum", "bad_range", |s| {
            s["features"]["sum"]["earlier"] = json!({"windows": 60, "take": "median", "at_least": 3});
            s["features"]["sum"]["window"] = json!("30d");
        }),
        ("/features/lots/window", "bad_range", |s| s["features"]["lots"]["window"] = json!("36h")),
        ("/features/mean/ratio/to", "missing_reference", |s| s["features"]["mean"]["ratio"]["to"] = json!("nothing")),
        ("/features/mean/ratio/floor", "bad_range", |s| s["features"]["mean"]["ratio"]["floor"] = json!("0")),
        ("/features", "cycle", |s| s["features"]["mean"]["ratio"]["to"] = json!("mean")),
        ("/features/amount", "bad_name", |s| s["features"]["amount"] = s["features"]["n"].clone()),
        ("/when", "missing_reference", |s| {
            s["when"] = json!({"all": [{"field": "n", "gte": "$size"}, {"field": "n", "gte": "$count"}]})
        }),
        ("", "unused_parameter", |s| s["parameters"]["more"] = json!(1)),
        ("/overrides/0/then/counts", "missing_reference", |s| s["overrides"][0]["then"] = json!({"counts": 1})),
        ("/overrides/0/then", "bad_range", |s| s["overrides"][0]["then"] = json!({"window": "0s"})),
        ("/when/field", "unknown_field", |s| s["when"] = json!({"field": "mood", "gte": "$count"})),
        // it can never fire: a count is no negative number
        ("/when", "never_true", |s| {
            s["when"] = json!({"all": [{"field": "n", "lt": 0}, {"field": "mean", "gt": "$count"}]})
        }),
        ("/when/all", "never_true", |s| {
            s["when"] = json!({"all": [{"field": "n", "lt": "$count"}, {"field": "n", "gt": 5}]})
        }),
        // it fires for everybody
        ("/when", "always_true", |s| {
            s["when"] = json!({"any": [{"field": "n", "gte": 0}, {"field": "n", "gte": "$count"}]})
        }),
        ("/when", "always_true", |s| {
            s["when"] = json!({"any": [{"field": "n", "lt": "$count"}, {"field": "n", "gte": 2}]})
        }),
        ("/overrides/0/then", "always_true", |s| {
            s["when"] = json!({"field": "n", "gte": "$count"});
            s["overrides"][0]["then"] = json!({"count": 0});
        }),
        ("/mode", "unknown_value", |s| s["mode"] = json!("on")),
        ("/trigger/0", "unknown_value", |s| s["trigger"] = json!(["full_moon"])),
        ("/trigger", "empty", |s| s["trigger"] = json!([])),
        ("/score", "bad_range", |s| s["score"] = json!(101)),
        ("/noise_budget", "bad_range", |s| s["noise_budget"] = json!("0")),
        ("/cool_down", "bad_range", |s| s["cool_down"] = json!("400d")),
        ("/weight", "unknown_key", |s| s["weight"] = json!(1)),
    ];
    for (place, code, change) in cases {
        let faults = Scenarios::parse(&document(change)).expect_err(&format!("{place} {code}"));
        let found: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect();
        assert!(found.contains(&(format!("/scenarios/0{place}").as_str(), code)), "{place} {code}: {faults:#?}");
    }
}

#[test]
fn a_fault_of_a_parameter_is_told_at_a_place_that_the_document_has() {
    let mut document = seed("compliance_scenarios");
    let scenarios = document["scenarios"].as_array_mut().unwrap();
    let with_lists = scenarios.iter_mut().find(|own| own["parameters"]["lists"].is_array()).unwrap();
    with_lists["parameters"]["lists"][0] = json!("");
    let faults = Scenarios::parse(&document).unwrap_err();
    assert!(faults.iter().all(|fault| document.pointer(&fault.pointer).is_some()), "{faults:#?}");
}

#[test]
fn a_document_without_a_last_row_for_everybody_is_refused() {
    for key in ["jurisdictions", "segments", "deadlines"] {
        let mut document = seed("compliance_scenarios");
        document[key].as_array_mut().unwrap().pop();
        let faults = Scenarios::parse(&document).unwrap_err();
        assert!(faults.iter().any(|fault| fault.code == "gap"), "{key}: {faults:?}");
    }
    let mut document = seed("compliance_scenarios");
    document["priorities"][1]["name"] = json!("sometime");
    assert!(Scenarios::parse(&document).unwrap_err().iter().any(|fault| fault.code == "unknown_value"));
}

#[test]
fn the_seed_has_each_scenario_once_and_within_its_budget_of_noise() {
    let rules = rules();
    assert!(rules.scenarios.len() >= 22);
    for scenario in &rules.scenarios {
        assert!(scenario.meaning.len() > 40, "{}: an officer reads it", scenario.id);
    }
}
