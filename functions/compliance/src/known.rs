//! What is known about a client, as scenarios ask.

use domain::client::Client;
use domain::compliance::About;
use domain::kyc::KycCase;
use domain::{ClientId, KycCaseId};
use runtime::StepError;
use store::Crm;

/// A client with what his verification says.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) about: About,
    pub(crate) kyc: Option<KycCase>,
}

/// Looks a client up.
///
/// # Errors
/// [`StepError::Absent`] when there is no such client.
pub(crate) async fn known(crm: &Crm, id: &ClientId) -> Result<Known, StepError> {
    let client = crm.load_settled::<Client>(id).await?;
    let client = client.ok_or_else(|| StepError::Absent(id.to_string()))?.entity;
    let kyc = crm.load_settled::<KycCase>(&KycCaseId::of(id)).await?.map(|stored| stored.entity);
    Ok(Known { about: About::of(&client, kyc.as_ref()), kyc })
}
