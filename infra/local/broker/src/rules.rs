//! The rule sets a new installation starts with: read, filled in, checked, published.

use std::collections::BTreeMap;
use std::path::Path;

use domain::Timestamp;
use domain::input::Fault;
use domain::rule_sets::{ReferenceFault, SetName, faults_between, parse_any};
use domain::rules::substitute;
use serde_json::Value;
use store::{RuleVersion, Rules};

use crate::Failure;

/// Reads a rule set from its YAML file and fills in the installation's names.
///
/// # Errors
/// Every fault of the file, in words.
pub fn read(folder: &Path, set: SetName, names: &BTreeMap<String, String>) -> Result<Value, Failure> {
    let path = folder.join(format!("{set}.yaml"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let filled = substitute(&text, |name| names.get(name).cloned())
        .map_err(|missing| format!("{}: no value for {}", path.display(), missing.join(", ")))?;
    // through YAML's own value: it refuses a key that is there twice
    let yaml: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(&filled).map_err(|error| format!("{}: {error}", path.display()))?;
    let document = serde_json::to_value(yaml).map_err(|error| format!("{}: {error}", path.display()))?;
    check(set, &document).map_err(|faults| format!("{}:\n  {faults}", path.display()))?;
    Ok(document)
}

/// Refuses a document that does not read as its set.
///
/// # Errors
/// Every fault, in words.
pub fn check(set: SetName, document: &Value) -> Result<(), Failure> {
    parse_any(set, document).map_err(|faults| in_words(&faults))?;
    Ok(())
}

/// Faults, a line each.
pub fn in_words(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.message)).collect::<Vec<_>>().join("\n  ")
}

/// Refuses sets of which one names what another does not have.
///
/// # Errors
/// Every such name, in words.
pub fn check_references(documents: &BTreeMap<SetName, Value>) -> Result<(), Failure> {
    let faults = faults_between(documents);
    if faults.is_empty() {
        return Ok(());
    }
    let line = |fault: &ReferenceFault| format!("{}{}: {}", fault.set, fault.fault.pointer, fault.fault.message);
    Err(faults.iter().map(line).collect::<Vec<_>>().join("\n").into())
}

/// Publishes a document as a version of a set; false when that version exists.
///
/// # Errors
/// The store's.
pub async fn publish(
    table: &Rules,
    set: SetName,
    version: u64,
    document: &Value,
    effective_at: Timestamp,
) -> Result<bool, Failure> {
    let version = RuleVersion {
        set: set.as_str().to_owned(),
        version,
        document: document.to_string(),
        author: "installation".to_owned(),
        effective_at,
    };
    Ok(table.publish(&version).await?)
}
