//! How far a client is verified, for the steps whose work the rights of a level bind.

use domain::client::Client;
use domain::kyc::levels::Level;
use domain::kyc::rules::KycLevels;
use domain::kyc::{KycCase, KycStatus};
use domain::rules::RuleSet;
use domain::{ClientId, KycCaseId};
use store::Crm;

use crate::rulebook::Live;
use crate::step::StepError;

/// The KYC case of a client as it stands now.
///
/// # Errors
/// [`StepError`].
pub async fn case_of(crm: &Crm, client: &ClientId) -> Result<Option<KycCase>, StepError> {
    Ok(crm.load::<KycCase>(&KycCaseId::of(client)).await?.map(|stored| stored.entity))
}

/// How the KYC case of a client stands now; one that was never opened is not started.
///
/// # Errors
/// [`StepError`].
pub async fn status_of(crm: &Crm, client: &ClientId) -> Result<KycStatus, StepError> {
    Ok(case_of(crm, client).await?.map_or(KycStatus::NotStarted, |case| case.facts.status))
}

/// The level of a client as his case stands now.
///
/// # Errors
/// [`StepError`]: without the case, or a level that can be judged, nobody has a right.
pub async fn level_of(crm: &Crm, client: &Client, rules: &Live<KycLevels>) -> Result<Level, StepError> {
    level_by(case_of(crm, &client.id).await?.as_ref(), client, rules)
}

/// The same where the case is at hand.
///
/// # Errors
/// [`StepError::Rules`].
pub fn level_by(case: Option<&KycCase>, client: &Client, rules: &Live<KycLevels>) -> Result<Level, StepError> {
    Level::of(case, client, &rules.rules)
        .map_err(|error| StepError::Rules { set: KycLevels::NAME, what: error.to_string() })
}
