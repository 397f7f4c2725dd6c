//! The versions of agreements that partners accepted. A version is never changed.

use std::collections::{BTreeMap, BTreeSet};

use domain::partner::line::AgreementRef;
use domain::partner::network::Network;
use domain::partner::rules::{Agreement, PartnerAgreements};
use domain::rules::RuleSet as _;
use runtime::StepError;
use serde_json::Value;
use store::Rules;

fn unusable(version: u64, what: &str) -> StepError {
    StepError::Rules { set: PartnerAgreements::NAME, what: format!("accepted version {version} {what}") }
}

/// A version that somebody accepted.
///
/// # Errors
/// [`StepError::Rules`] where it is not there or does not read any more.
pub(crate) async fn version(table: &Rules, version: u64) -> Result<PartnerAgreements, StepError> {
    let document = document(table, version).await?;
    PartnerAgreements::parse(&document).map_err(|_| unusable(version, "does not read"))
}

/// A version as it was published.
///
/// # Errors
/// Those of [`version`].
pub(crate) async fn document(table: &Rules, version: u64) -> Result<Value, StepError> {
    let stored = table.version(PartnerAgreements::NAME, version).await?;
    let stored = stored.ok_or_else(|| unusable(version, "is not there"))?;
    serde_json::from_str(&stored.document).map_err(|_| unusable(version, "does not read"))
}

/// What somebody accepted.
///
/// # Errors
/// [`StepError::Rules`] where it is not there.
pub(crate) async fn terms(table: &Rules, accepted: &AgreementRef) -> Result<Agreement, StepError> {
    let rules = version(table, accepted.version).await?;
    rules.agreement(&accepted.id).cloned().ok_or_else(|| unusable(accepted.version, "has no such agreement"))
}

/// Every version that a partner of a network accepted.
///
/// # Errors
/// Those of [`version`].
pub(crate) async fn accepted(table: &Rules, network: &Network) -> Result<BTreeMap<u64, PartnerAgreements>, StepError> {
    let changes = network.agreements.values().flat_map(|history| history.changes());
    let wanted: BTreeSet<u64> =
        changes.filter_map(|change| change.is.as_ref()).map(|accepted| accepted.version).collect();
    let mut all = BTreeMap::new();
    for number in wanted {
        all.insert(number, version(table, number).await?);
    }
    Ok(all)
}
