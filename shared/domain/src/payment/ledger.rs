//! The double-entry side of a deposit: postings that sum to zero per currency.

use serde::{Deserialize, Serialize};

use crate::{Money, MoneyError};

use super::deposit::DepositFacts;

/// One leg of an entry. Debits are positive, credits negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Ledger account: `psp:stripe` (what the provider owes us), `client:acc_…` (what we owe the client).
    pub account: String,
    /// Signed amount.
    pub amount: Money,
}

/// The postings of a credited deposit: the provider owes us what we now owe the client. Empty before the credit.
pub fn postings(facts: &DepositFacts) -> Vec<Posting> {
    let Some(credited) = facts.credited else { return Vec::new() };
    vec![
        Posting { account: format!("psp:{}", facts.psp.name), amount: credited },
        Posting { account: format!("client:{}", facts.account_id), amount: credited.negated() },
    ]
}

/// Whether the postings sum to zero in each currency.
///
/// # Errors
/// [`MoneyError::OutOfRange`] when a sum does not fit.
pub fn balanced(postings: &[Posting]) -> Result<bool, MoneyError> {
    let mut sums: std::collections::BTreeMap<crate::Currency, Money> = std::collections::BTreeMap::new();
    for posting in postings {
        let currency = posting.amount.currency();
        let sum = sums.get(&currency).copied().unwrap_or(Money::zero(currency));
        sums.insert(currency, sum.checked_add(&posting.amount)?);
    }
    Ok(sums.values().all(|sum| sum.amount().is_zero()))
}
