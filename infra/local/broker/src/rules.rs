//! The rule sets a new installation starts with: read, filled in, checked, published.

use std::collections::BTreeMap;
use std::path::Path;

use domain::Timestamp;
use domain::input::Fault;
use domain::rule_sets::{ReferenceFault, SetName, faults_between, parse_any};
use domain::rules::{substitute, yaml};
use serde_json::Value;
use store::{RuleVersion, Rules};

use crate::Failure;

/// Author of the versions that come from files.
pub const INSTALLATION: &str = "installation";

/// A rule set as it stands in its file.
#[derive(Debug, Clone)]
pub struct RuleFile {
    /// The text, with the installation's names filled in.
    pub source: String,
    /// What it says.
    pub document: Value,
}

impl RuleFile {
    /// A document that stands in no file.
    ///
    /// # Errors
    /// JSON's.
    pub fn of(document: Value) -> Result<Self, Failure> {
        Ok(Self { source: serde_json::to_string_pretty(&document)?, document })
    }

    /// The file if it says this, else this without a file.
    ///
    /// # Errors
    /// JSON's.
    pub fn changed_to(self, document: Value) -> Result<Self, Failure> {
        if self.document == document { Ok(self) } else { Self::of(document) }
    }
}

/// Reads a rule set from its YAML file and fills in the installation's names.
///
/// # Errors
/// Every fault of the file, in words.
pub fn read_file(folder: &Path, set: SetName, names: &BTreeMap<String, String>) -> Result<RuleFile, Failure> {
    let path = folder.join(format!("{set}.yaml"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let filled = substitute(&text, |name| names.get(name).cloned())
        .map_err(|missing| format!("{}: no value for {}", path.display(), missing.join(", ")))?;
    let wrong = |faults: &[Fault]| format!("{}:\n  {}", path.display(), in_words(faults));
    let document = yaml::read(&filled).map_err(|faults| wrong(&faults))?;
    parse_any(set, &document.value).map_err(|faults| wrong(&document.placed(faults)))?;
    Ok(RuleFile { document: document.value, source: filled })
}

/// What a rule set says by its file.
///
/// # Errors
/// Every fault of the file, in words.
pub fn read(folder: &Path, set: SetName, names: &BTreeMap<String, String>) -> Result<Value, Failure> {
    read_file(folder, set, names).map(|file| file.document)
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
    let line = |fault: &Fault| {
        let place = fault.place.map(|place| format!("line {}, column {}: ", place.line, place.column));
        format!("{}{}: {}", place.unwrap_or_default(), fault.pointer, fault.message)
    };
    faults.iter().map(line).collect::<Vec<_>>().join("\n  ")
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

/// Publishes a file as a version of its set; false when that version or a newer one was published.
///
/// # Errors
/// The store's.
pub async fn publish_file(
    table: &Rules,
    set: SetName,
    version: u64,
    file: &RuleFile,
    effective_at: Timestamp,
) -> Result<bool, Failure> {
    let version = RuleVersion {
        set: set.as_str().to_owned(),
        version,
        document: file.document.to_string(),
        author: INSTALLATION.to_owned(),
        published_by: None,
        effective_at,
    };
    Ok(table.publish(&version, &file.source).await?)
}

/// The same with a document that stands in no file.
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
    publish_file(table, set, version, &RuleFile::of(document.clone())?, effective_at).await
}
