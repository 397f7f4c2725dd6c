//! The two sides of a comparison: rows of a provider's file, and postings of the ledger against that provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::{LedgerAccount, Posting};
use crate::words::words;
use crate::{Currency, EventId, Money, MoneyError, PaymentId, Timestamp};

words! {
    /// What a row of a settlement file says of a payment.
    RowKind {
        /// A payer's money came in.
        Collected = "collected",
        /// It went back to the payer.
        PaidBack = "paid_back",
        /// The payer's bank took it back.
        Disputed = "disputed",
        /// What had gone back is there again.
        Reinstated = "reinstated",
        /// A payout to a client.
        PaidOut = "paid_out",
    }
}

impl RowKind {
    /// Whether the provider owes us more by it.
    pub const fn comes_in(self) -> bool {
        match self {
            Self::Collected | Self::Reinstated => true,
            Self::PaidBack | Self::Disputed | Self::PaidOut => false,
        }
    }
}

/// A row of a settlement file. Names are short: a file has thousands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledRow {
    /// Its line in the file, from 1.
    #[serde(rename = "l")]
    pub line: u64,
    /// What the provider calls the row.
    #[serde(rename = "r")]
    pub reference: String,
    /// The payment of ours that it names.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// What else it may be known by: the provider's ids of payment and refund.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// What it says.
    #[serde(rename = "k")]
    pub kind: RowKind,
    /// Before fees; positive where the provider owes us more by it.
    #[serde(rename = "a")]
    pub amount: Money,
}

/// A posting of the ledger against a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// The event that brought it.
    pub event_id: EventId,
    /// The provider.
    pub psp: String,
    /// What it is about: a payment.
    pub entity: String,
    /// Positive where the provider owes us more by it.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

impl Booked {
    /// The postings of an entry against providers.
    pub fn of(event_id: &EventId, at: Timestamp, postings: &[Posting]) -> Vec<Self> {
        let entity = event_id.as_str().split(':').next().unwrap_or_default();
        let leg = |posting: &Posting| match &posting.account {
            LedgerAccount::Psp(psp) => Some(Self {
                event_id: event_id.clone(),
                psp: psp.clone(),
                entity: entity.to_owned(),
                amount: posting.amount,
                at,
            }),
            LedgerAccount::Client(_)
            | LedgerAccount::Exchange
            | LedgerAccount::Fees
            | LedgerAccount::Reversed(_)
            | LedgerAccount::Payable(_) => None,
        };
        postings.iter().filter_map(leg).collect()
    }
}

/// The sum of each currency, in the order of their codes.
///
/// # Errors
/// [`MoneyError`] when a sum does not fit.
pub fn totals(amounts: impl IntoIterator<Item = Money>) -> Result<Vec<Money>, MoneyError> {
    let mut sums: BTreeMap<Currency, Money> = BTreeMap::new();
    for amount in amounts {
        let sum = sums.entry(amount.currency()).or_insert(Money::zero(amount.currency()));
        *sum = sum.checked_add(&amount)?;
    }
    Ok(sums.into_values().collect())
}
