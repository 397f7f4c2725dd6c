//! What the sets name of one another, and that there is a file for each set.

use std::collections::{BTreeMap, BTreeSet};

use domain::rule_sets::{SetName, faults_between};
use serde_json::{Value as Json, json};

use crate::seeds::seed;

fn seeds() -> BTreeMap<SetName, Json> {
    SetName::ALL.iter().map(|set| (*set, seed(*set))).collect()
}

/// One value of the seeds put in, and what is said about it.
fn with(set: SetName, pointer: &str, value: Json) -> Vec<String> {
    let mut documents = seeds();
    *documents.get_mut(&set).unwrap().pointer_mut(pointer).unwrap() = value;
    let line = |found: &domain::rule_sets::ReferenceFault| {
        assert!(!found.fault.allowed_values.is_empty());
        format!("{}{} {}: {}", found.set, found.fault.pointer, found.fault.code, found.fault.message)
    };
    faults_between(&documents).iter().map(line).collect()
}

#[test]
fn the_seed_files_are_the_sets_and_name_only_what_is_there() {
    let folder = format!("{}/../../infra/rules", env!("CARGO_MANIFEST_DIR"));
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, SetName::ALL.iter().map(ToString::to_string).collect());
    assert_eq!(faults_between(&seeds()), []);
}

#[test]
fn every_name_of_another_set_is_looked_up_there() {
    for (set, pointer, value, told) in [
        (
            SetName::LeadRouting,
            "/rows/0/then",
            json!({"pool": "nowhere"}),
            "lead_routing/rows/0/then/pool missing_reference: there is no pool `nowhere`",
        ),
        (
            SetName::LeadRouting,
            "/rows/4/then",
            json!({"sequence": "nowhere"}),
            "lead_routing/rows/4/then/sequence missing_reference: there is no sequence `nowhere`",
        ),
        (
            SetName::LeadRouting,
            "/rows/4/when/all/0/eq",
            json!("frozen"),
            "lead_routing/rows/4/when missing_reference: there is no band `frozen`",
        ),
        (
            SetName::LeadIntake,
            "/meta/forms/any/signal",
            json!("nothing"),
            "lead_intake/meta/forms/any/signal missing_reference: there is no signal `nothing`",
        ),
    ] {
        assert_eq!(with(set, pointer, value), [told]);
    }
}

#[test]
fn a_set_that_is_not_there_or_broken_is_not_looked_into() {
    let mut documents = seeds();
    documents.remove(&SetName::LeadScoring);
    documents.insert(SetName::Sales, json!({}));
    documents.get_mut(&SetName::LeadRouting).unwrap()["rows"][0]["then"] = json!({"pool": "nowhere"});
    assert_eq!(faults_between(&documents), []);
}

/// What a path after `crate::` begins with: one name, or several in braces.
fn first_names(path: &str) -> Vec<&str> {
    let list = path.strip_prefix('{').and_then(|rest| rest.split('}').next()).unwrap_or(path);
    let ends = |c: char| !c.is_alphanumeric() && c != '_';
    let all = if path.starts_with('{') { list.split(',').collect() } else { vec![list] };
    all.into_iter().filter_map(|name| name.trim().split(ends).next()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn the_machinery_knows_no_workflow() {
    let folder = format!("{}/src/rules", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for name in text.match_indices("crate::").flat_map(|(at, word)| first_names(&text[at + word.len()..])) {
            // types of the crate's root, and what everything is read and written with
            let own = name.starts_with(char::is_uppercase) || ["rules", "words", "input"].contains(&name);
            assert!(own, "{} must not know `{name}`", path.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
