//! The two sides of a comparison: rows of a provider's file, and postings of the ledger against that provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::{LedgerAccount, Posting};
use crate::payment::other_payment;
use crate::words::words;
use crate::{AccountId, Currency, EventId, Money, MoneyError, PaymentId, Timestamp};

words! {
    /// What a row of a settlement file or of a server's history says of a payment.
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
        /// A trading server put it on an account.
        Credited = "credited",
        /// It took it off one.
        Debited = "debited",
    }
}

impl RowKind {
    /// Whether the provider owes us more by it, or the account has more.
    pub const fn comes_in(self) -> bool {
        match self {
            Self::Collected | Self::Reinstated | Self::Credited => true,
            Self::PaidBack | Self::Disputed | Self::PaidOut | Self::Debited => false,
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

/// What a trading server lists, as it was read there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRow {
    /// The server's number of it.
    pub ticket: String,
    /// Its comment.
    pub comment: String,
    /// Whether it is an operation as our own are, and no credit or correction: only such a one can be a payment's.
    pub is_balance: bool,
    /// Negative: taken out.
    pub amount: Money,
}

impl SettledRow {
    /// A row of a trading server's history; its place there stands for the line.
    pub fn on_server(line: u64, row: ServerRow) -> Self {
        let named = other_payment(&row.comment, None).filter(|_| row.is_balance);
        Self {
            line,
            reference: row.ticket,
            // a comment that was cut off names nobody
            payment_id: named.and_then(|id| id.parse().ok()),
            names: Vec::new(),
            kind: if row.amount.is_positive() { RowKind::Credited } else { RowKind::Debited },
            amount: row.amount,
        }
    }
}

/// A posting of the ledger against a provider, or on a trading account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// The event that brought it.
    pub event_id: EventId,
    /// The provider's account, or the trading account's.
    pub against: LedgerAccount,
    /// What it is about: a payment.
    pub entity: String,
    /// Positive where the provider owes us more by it, or the trading account has more.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

impl Booked {
    /// The postings of an entry against providers and on trading accounts.
    pub fn of(event_id: &EventId, at: Timestamp, postings: &[Posting]) -> Vec<Self> {
        let entity = event_id.as_str().split(':').next().unwrap_or_default();
        let leg = |posting: &Posting| {
            let amount = match &posting.account {
                LedgerAccount::Psp(_) => posting.amount,
                // what we owe is a credit
                LedgerAccount::Client(_) => posting.amount.negated(),
                LedgerAccount::Exchange
                | LedgerAccount::Fees
                | LedgerAccount::Reversed(_)
                | LedgerAccount::Payable(_)
                | LedgerAccount::Partner(_)
                | LedgerAccount::Commissions
                | LedgerAccount::Rebates
                | LedgerAccount::Bank
                // what is no money of the client's is in no balance
                | LedgerAccount::Credit(_)
                | LedgerAccount::Bonuses => return None,
            };
            let (event_id, against) = (event_id.clone(), posting.account.clone());
            Some(Self { event_id, against, entity: entity.to_owned(), amount, at })
        };
        postings.iter().filter_map(leg).collect()
    }

    /// The provider that it is against.
    pub fn psp(&self) -> Option<&str> {
        match &self.against {
            LedgerAccount::Psp(name) => Some(name),
            LedgerAccount::Client(_)
            | LedgerAccount::Exchange
            | LedgerAccount::Fees
            | LedgerAccount::Reversed(_)
            | LedgerAccount::Payable(_)
            | LedgerAccount::Partner(_)
            | LedgerAccount::Commissions
            | LedgerAccount::Rebates
            | LedgerAccount::Bank
            | LedgerAccount::Credit(_)
            | LedgerAccount::Bonuses => None,
        }
    }

    /// The trading account that it is on.
    pub fn on_account(&self) -> Option<&AccountId> {
        match &self.against {
            LedgerAccount::Client(account) => Some(account),
            LedgerAccount::Psp(_)
            | LedgerAccount::Exchange
            | LedgerAccount::Fees
            | LedgerAccount::Reversed(_)
            | LedgerAccount::Payable(_)
            | LedgerAccount::Partner(_)
            | LedgerAccount::Commissions
            | LedgerAccount::Rebates
            | LedgerAccount::Bank
            | LedgerAccount::Credit(_)
            | LedgerAccount::Bonuses => None,
        }
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
