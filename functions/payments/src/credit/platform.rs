//! The credit on the trading platform: one call, and the look-up of what may have been booked.

use domain::payment::{CreditOutcome, Deposit, Found};
use domain::{Seconds, Timestamp};
use providers::platforms::{BalanceOperation, FoundOperation, Login, PlatformError};
use runtime::StepError;

use super::Job;

/// How far before the first credit the deal history is searched: clocks differ.
pub(super) const LOOK_BACK: Seconds = Seconds(600);

/// Looks the deposit's reference up in the deal history.
pub(super) async fn look_up(job: &Job, deposit: &Deposit, now: Timestamp) -> Result<Found, PlatformError> {
    let reference = providers::platforms::Reference::new(deposit.platform_reference())
        .map_err(|error| PlatformError::Misconfigured(error.to_string()))?;
    let login = Login::new(deposit.facts.platform.login.clone());
    let found = job
        .platform
        .find_operation(
            &login,
            &reference,
            deposit.credit_amount(),
            deposit.inner.opened.minus(LOOK_BACK),
            now.plus(LOOK_BACK),
        )
        .await?;
    Ok(match found {
        FoundOperation::Booked(ticket) => Found::Booked(ticket.as_str().to_owned()),
        FoundOperation::Absent => Found::Absent,
        FoundOperation::Ambiguous(what) => Found::Ambiguous(what),
    })
}

/// One call; where its answer is lost, one look-up: the usual case is that it was booked.
pub(super) async fn call(job: &Job, deposit: &Deposit, now: Timestamp) -> Result<CreditOutcome, StepError> {
    let login = Login::new(deposit.facts.platform.login.clone());
    let operation = BalanceOperation::new(login, deposit.credit_amount(), deposit.platform_reference())
        .map_err(|error| StepError::Malformed(error.to_string()))?;
    let applied = job.platform.apply_balance(&operation).await;
    if let Err(error) = &applied {
        job.servers.heard(&job.server, error).await;
    }
    Ok(match applied {
        Ok(ticket) => CreditOutcome::Booked(ticket.as_str().to_owned()),
        Err(error @ PlatformError::Refused { .. }) => CreditOutcome::Refused(error.to_string()),
        Err(error @ (PlatformError::NotApplied(_) | PlatformError::Misconfigured(_))) => {
            CreditOutcome::NotApplied(error.to_string())
        }
        Err(error @ PlatformError::Unknown(_)) => match look_up(job, deposit, now).await {
            Ok(Found::Booked(ticket)) => CreditOutcome::Booked(ticket),
            // what is ambiguous now is so when it is looked up again, and goes to a person then
            Ok(Found::Absent | Found::Ambiguous(_)) | Err(_) => CreditOutcome::Unknown(error.to_string()),
        },
    })
}
