//! How far a client is verified, for the steps whose work the rights of a level bind.

use domain::KycCaseId;
use domain::client::Client;
use domain::kyc::KycCase;
use domain::kyc::levels::Level;
use domain::kyc::rules::KycLevels;
use domain::rules::RuleSet;
use store::Crm;

use crate::rulebook::Live;
use crate::step::StepError;

/// The level of a client as his case stands now.
///
/// # Errors
/// [`StepError`]: without the case, or a level that can be judged, nobody has a right.
pub async fn level_of(crm: &Crm, client: &Client, rules: &Live<KycLevels>) -> Result<Level, StepError> {
    let case = crm.load::<KycCase>(&KycCaseId::of(&client.id)).await?;
    level_by(case.as_ref().map(|stored| &stored.entity), client, rules)
}

/// The same where the case is at hand.
///
/// # Errors
/// [`StepError::Rules`].
pub fn level_by(case: Option<&KycCase>, client: &Client, rules: &Live<KycLevels>) -> Result<Level, StepError> {
    Level::of(case, client, &rules.rules)
        .map_err(|error| StepError::Rules { set: KycLevels::NAME, what: error.to_string() })
}
