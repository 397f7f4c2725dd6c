//! What moved a client's money, or tried to, as his history tells it: one line a happening, never changed.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::words::words;
use crate::{AccountId, Country, Day, Money, PaymentId, Timestamp};

words! {
    /// What happened.
    MovementKind {
        /// A deposit was credited.
        Deposit = "deposit",
        /// A deposit came to nothing at its provider.
        DepositFailed = "deposit_failed",
        /// Money of a deposit went back to the payer.
        Refund = "refund",
        /// The payer's bank took a deposit back.
        Chargeback = "chargeback",
        /// What his bank had taken back came again.
        Reinstated = "reinstated",
        /// A withdrawal was asked for.
        WithdrawalRequested = "withdrawal_requested",
        /// A withdrawal was paid out.
        Withdrawal = "withdrawal",
        /// A withdrawal was put back on the account.
        WithdrawalReturned = "withdrawal_returned",
    }
}

impl MovementKind {
    /// Whether money came to us, left us, or neither.
    pub const fn direction(self) -> i8 {
        match self {
            Self::Deposit | Self::Reinstated => 1,
            Self::Refund | Self::Chargeback | Self::Withdrawal => -1,
            Self::DepositFailed | Self::WithdrawalRequested | Self::WithdrawalReturned => 0,
        }
    }
}

/// An amount in the base currency of the installation, by the rate of its day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InBase {
    /// The amount.
    pub money: Money,
    /// What one unit of the amount's own currency was worth.
    pub rate: Decimal,
    /// The day of the rate: the movement's own, or the nearest one before it that has a rate.
    pub rate_day: Day,
}

/// One happening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: MovementKind,
    /// The payment.
    pub payment_id: PaymentId,
    /// The trading account.
    pub account_id: AccountId,
    /// How much; above zero.
    pub amount: Money,
    /// The same in the base currency; none where no rate was to be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<InBase>,
    /// The payment provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// What it was paid with, or where it went, as a hash: the same card, account or wallet has the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// The country of the instrument, where the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument_country: Option<Country>,
    /// How the payer's or payee's name compares to the client's; none where it was not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<NameMatch>,
}

words! {
    /// How a name compares to the client's.
    NameMatch {
        /// The same person, as far as names tell.
        Same = "same",
        /// Not clear.
        Unsure = "unsure",
        /// Somebody else.
        Other = "other",
    }
}

/// A log-in of the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenLogin {
    /// When.
    pub at: Timestamp,
    /// From which country, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// The device, as a hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The address, as a hash.
    #[serde(alias = "ip", default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}
