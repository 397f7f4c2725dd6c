//! What the seed rules take from the installation, held against the one on one machine.

use std::collections::BTreeMap;

use domain::rule_sets::SetName;

#[test]
fn every_secret_that_the_seed_rules_name_is_there_on_one_machine() {
    let prefix = "pipworks/local";
    let config = broker::local::simulators_config();
    let secrets = broker::local::secrets(&config, "http://127.0.0.1:1", prefix);
    let names = broker::local::names(&BTreeMap::new(), prefix, "http://127.0.0.1:2");
    for set in SetName::ALL {
        let path = broker::local::repository().join(format!("infra/rules/{set}.yaml"));
        let text = std::fs::read_to_string(path).unwrap();
        let filled = domain::rules::substitute(&text, |name| names.get(name).cloned());
        let filled = filled.unwrap_or_else(|missing| panic!("`broker::local::names` has no value for {missing:?}"));
        let rules = filled.lines().filter(|line| !line.trim_start().starts_with('#'));
        for named in rules.flat_map(|line| line.split('"')).filter(|text| text.starts_with(prefix)) {
            assert!(secrets.contains_key(named), "`broker::local::secrets` lacks {named}, which {set} names");
        }
    }
}
