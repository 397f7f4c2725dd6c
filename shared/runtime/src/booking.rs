//! A booking on a trading platform: one call, and the look-up of what may have been booked.

use std::sync::Arc;

use domain::payment::{CreditOutcome, Found};
use domain::{Money, Seconds, Timestamp};
use providers::platforms::{BalanceOperation, FoundOperation, Funds, Login, PlatformError, Reference, TradingPlatform};

use crate::step::StepError;
use crate::vendors::Servers;

/// How far before the first booking the deal history is searched: clocks differ.
pub const LOOK_BACK: Seconds = Seconds(600);

/// The server that an account is on.
pub struct Place {
    /// Its adapter.
    pub platform: Arc<dyn TradingPlatform>,
    /// All of them: they hear what it says.
    pub servers: Servers,
    /// Its name in the rules.
    pub server: String,
}

/// What is booked.
pub struct Booking {
    /// On which account.
    pub login: String,
    /// Negative where it is taken off.
    pub amount: Money,
    /// Ours; it is looked up by this.
    pub reference: String,
    /// When what it is of began: nothing of it was booked before.
    pub opened: Timestamp,
    /// Which sum of the account it moves.
    pub funds: Funds,
}

impl Place {
    /// Looks the reference up in the deal history.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`.
    pub async fn look_up(&self, of: &Booking, now: Timestamp) -> Result<Found, PlatformError> {
        let reference = Reference::new(of.reference.clone());
        let reference = reference.map_err(|error| PlatformError::Misconfigured(error.to_string()))?;
        let login = Login::new(of.login.clone());
        let (from, to) = (of.opened.minus(LOOK_BACK), now.plus(LOOK_BACK));
        let found = self.platform.find_operation(&login, &reference, (of.amount, of.funds), from, to);
        Ok(match found.await? {
            FoundOperation::Booked(ticket) => Found::Booked(ticket.as_str().to_owned()),
            FoundOperation::Absent => Found::Absent,
            FoundOperation::Ambiguous(what) => Found::Ambiguous(what),
        })
    }

    /// One call; where its answer is lost, one look-up: the usual case is that it was booked.
    ///
    /// # Errors
    /// [`StepError::Malformed`] where it is no booking at all; whatever the platform says is an outcome.
    pub async fn book(&self, of: &Booking, now: Timestamp) -> Result<CreditOutcome, StepError> {
        let operation = BalanceOperation::new(Login::new(of.login.clone()), of.amount, of.reference.clone());
        let operation = operation.map_err(|error| StepError::Malformed(error.to_string()))?.on(of.funds);
        let applied = self.platform.apply_balance(&operation).await;
        if let Err(error) = &applied {
            self.servers.heard(&self.server, error).await;
        }
        Ok(match applied {
            Ok(ticket) => CreditOutcome::Booked(ticket.as_str().to_owned()),
            Err(error @ PlatformError::Refused { .. }) => CreditOutcome::Refused(error.to_string()),
            Err(error @ (PlatformError::NotApplied(_) | PlatformError::Misconfigured(_))) => {
                CreditOutcome::NotApplied(error.to_string())
            }
            Err(error @ PlatformError::Unknown(_)) => match self.look_up(of, now).await {
                Ok(Found::Booked(ticket)) => CreditOutcome::Booked(ticket),
                // what is ambiguous now is so when it is looked up again, and goes to a person then
                Ok(Found::Absent | Found::Ambiguous(_)) | Err(_) => CreditOutcome::Unknown(error.to_string()),
            },
        })
    }
}
