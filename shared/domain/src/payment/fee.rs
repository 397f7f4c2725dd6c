//! Our fee of a deposit: what it is by the rules, how much of what really came it takes, and what of it goes back with the money.
//!
//! It is in the currency that is paid. **Inside**: the payer pays the amount, and what is credited is the amount less the fee. **On top**: he
//! pays the amount and the fee, and the amount is credited. It is agreed when the deposit is opened and never grows afterwards: of more than
//! was asked for it stays what it is, and of less it is the same part of what came, rounded down.

mod rules;

pub use rules::{FeeCase, FeeTerms};
pub(super) use rules::{fields, read};

use serde::{Deserialize, Serialize};

use super::deposit::Deposit;
use super::returns::{left, smaller};
use crate::Money;
use crate::money::Rounding;
use crate::words::words;

words! {
    /// Where a fee is taken.
    FeeMode {
        /// Out of the amount.
        Inside = "inside",
        /// Beside the amount.
        OnTop = "on_top",
    }
}

words! {
    /// What becomes of a fee whose payment goes back in part. With all of the payment all of the fee has gone back, whatever is said here.
    FeeOnReturn {
        /// The credit goes first, and the fee only with what exceeds it.
        Kept = "kept",
        /// The fee goes in the same proportion.
        InProportion = "in_proportion",
    }
}

/// The fee of a deposit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    /// What was agreed when the deposit was opened.
    pub amount: Money,
    /// Where it is taken.
    pub mode: FeeMode,
    /// The row of `deposit_fees` in the rule set `psps`.
    pub rule: String,
    /// What becomes of it when the payment goes back.
    pub on_return: FeeOnReturn,
    /// What was taken with the credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Money>,
}

impl Fee {
    /// What the payer is asked for.
    pub fn asked(&self, amount: Money) -> Money {
        match self.mode {
            FeeMode::Inside => amount,
            // amounts have at most 15 digits before the point: a sum that does not fit is refused when it is agreed
            FeeMode::OnTop => amount.checked_add(&self.amount).unwrap_or(amount),
        }
    }

    /// What it takes of a collection, where `asked` was asked for.
    pub(super) fn of(&self, collected: Money, asked: Money) -> Money {
        let none = Money::zero(collected.currency());
        if collected.currency() != asked.currency() || !asked.is_positive() {
            // nobody has agreed about what came in another currency
            return none;
        }
        if !left(asked, collected).is_positive() {
            return self.amount;
        }
        self.amount.proportion(&collected, &asked, Rounding::Down).unwrap_or(none)
    }
}

/// What of a credit and its fee has gone back, as running totals: whatever the steps, at the end they are the whole credit and the whole
/// fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone {
    /// In the account's currency: what the client owes us.
    pub(super) share: Money,
    /// In the currency that was paid: what we lose of the fee.
    pub(super) fee: Money,
    /// In the currency that was paid: what the provider owes us less, the fee apart.
    pub(super) net: Money,
}

impl Deposit {
    /// What the payer is asked for at the provider.
    pub fn asked(&self) -> Money {
        self.facts.fee.as_ref().map_or(self.facts.requested, |fee| fee.asked(self.facts.requested))
    }

    /// What our fee takes of a collection.
    pub(super) fn fee_of(&self, collected: Money) -> Money {
        let none = Money::zero(collected.currency());
        self.facts.fee.as_ref().map_or(none, |fee| smaller(fee.of(collected, self.asked()), collected))
    }

    /// What of a collection is the client's.
    pub(super) fn net_of(&self, collected: Money) -> Money {
        left(collected, self.fee_of(collected))
    }

    /// What of the credit, and of its fee, has gone back: nothing before it is credited.
    pub(super) fn gone(&self) -> Gone {
        let none = Money::zero(self.collection().currency());
        let Some(credited) = self.facts.credited else { return Gone { share: none, fee: none, net: none } };
        let gross = left(self.collection(), self.netted());
        let all = left(self.returned(), self.netted());
        let back = smaller(all, gross);
        let taken = self.facts.fee.as_ref().and_then(|fee| Some((fee.taken?, fee.on_return)));
        let fee = taken.map_or(none, |(taken, on_return)| lost(taken, on_return, back, gross));
        if credited.currency() == none.currency() {
            let share = smaller(left(all, fee), credited);
            return Gone { share, fee, net: share };
        }
        let net = left(back, fee);
        let whole = taken.map_or(gross, |(taken, _)| left(gross, taken));
        // the last step takes exactly what is left
        let share = match left(whole, net).is_positive() {
            true => credited.proportion(&net, &whole, Rounding::HalfEven).unwrap_or(credited),
            false => credited,
        };
        Gone { share, fee, net }
    }
}

/// What of a fee is lost when so much of the payment has gone back.
fn lost(taken: Money, on_return: FeeOnReturn, back: Money, gross: Money) -> Money {
    let whole = !left(gross, back).is_positive();
    match on_return {
        _ if whole => taken,
        FeeOnReturn::Kept => left(back, left(gross, taken)),
        FeeOnReturn::InProportion => taken.proportion(&back, &gross, Rounding::HalfEven).unwrap_or(taken),
    }
}

/// A fee that is agreed, or why not.
///
/// # Errors
/// In words.
pub fn agreed(rule: &str, terms: &FeeTerms, amount: Money) -> Result<Fee, &'static str> {
    let fee = terms.of(&amount).ok_or("its fee is more than can be")?;
    let mode = terms.mode;
    if mode == FeeMode::Inside && !left(amount, fee).is_positive() {
        return Err("its fee takes all of it");
    }
    if mode == FeeMode::OnTop && amount.checked_add(&fee).is_err() {
        return Err("with its fee it is more than can be");
    }
    Ok(Fee { amount: fee, mode, rule: rule.to_owned(), on_return: terms.on_return, taken: None })
}
