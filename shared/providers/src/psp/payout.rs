//! Money that goes out over a payment provider.

use domain::withdrawal::{Destination, PayoutAnswer};
use domain::{Money, PaymentId};

use super::PspError;

/// A payout.
#[derive(Debug, Clone)]
pub struct PayoutOrder<'a> {
    /// Ours: the vendor's idempotency key or reference, by which it is found again.
    pub withdrawal_id: &'a PaymentId,
    /// How much.
    pub amount: Money,
    /// Where to.
    pub destination: &'a Destination,
    /// The provider's id of it; empty where it gave none yet.
    pub reference: &'a str,
}

impl PspError {
    /// What the error of a call that was to pay out says of the payout.
    pub fn of_payout(self) -> PayoutAnswer {
        match self {
            Self::Refused { code, .. } => PayoutAnswer::Failed { reference: String::new(), code },
            Self::Misconfigured(_) => PayoutAnswer::NotTaken(self.to_string()),
            // what was not answered may have been done
            Self::Unavailable(_) | Self::Unknown(_) => PayoutAnswer::Unknown(self.to_string()),
        }
    }

    /// The provider has no such call for this way: whoever asks had the rules wrong.
    pub(super) fn no_payout(vendor: &str) -> Self {
        Self::Misconfigured(format!("{vendor} does not pay out this way"))
    }
}
