//! What a deposit moves in the ledger.

use super::deposit::Deposit;
use crate::ledger::{LedgerAccount, Postings};
use crate::{AccountId, Money};

fn client(account: &AccountId) -> LedgerAccount {
    LedgerAccount::Client(account.clone())
}

impl Deposit {
    fn provider(&self) -> LedgerAccount {
        LedgerAccount::Psp(self.facts.psp.name.clone())
    }

    /// A credit: the provider owes us what we now owe the client.
    pub(super) fn credit_entry(&self, amount: Money) -> Postings {
        Postings::transfer(client(&self.facts.account_id), self.provider(), amount)
    }

    /// The money of a credit went back to the payer: the provider owes us less, and the client owes us what still stands on his
    /// trading account.
    pub(super) fn reversal_entry(&self) -> Postings {
        self.facts.credited.map_or(Postings::none(), |credited| {
            Postings::transfer(self.provider(), LedgerAccount::Reversed(self.facts.account_id.clone()), credited)
        })
    }

    /// A credit was taken off the trading account again: what is left of it is owed by nobody any more.
    pub(super) fn debit_entry(&self) -> Postings {
        let account = &self.facts.account_id;
        let owed = if self.status().is_reversed() { LedgerAccount::Reversed(account.clone()) } else { self.provider() };
        self.facts.credited.map_or(Postings::none(), |credited| Postings::transfer(owed, client(account), credited))
    }
}
