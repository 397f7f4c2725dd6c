//! What a withdrawal moves in the ledger.

use super::Withdrawal;
use crate::fault::{self, Fault};
use crate::ledger::{LedgerAccount, Postings};

impl Withdrawal {
    fn client(&self) -> LedgerAccount {
        LedgerAccount::Client(self.facts.account_id.clone())
    }

    fn payable(&self) -> LedgerAccount {
        LedgerAccount::Payable(self.facts.account_id.clone())
    }

    fn provider(&self) -> LedgerAccount {
        LedgerAccount::Psp(self.facts.psp.name.clone())
    }

    /// Taken off the trading account: we owe it to the client beside the account.
    pub(super) fn debit_entry(&self) -> Postings {
        Postings::transfer(self.payable(), self.client(), self.facts.requested)
    }

    /// Paid out: the provider owes us so much less, and we the client.
    pub(super) fn payout_entry(&self) -> Postings {
        Postings::transfer(self.provider(), self.payable(), self.facts.requested)
    }

    /// The payout came back: the counter entry.
    pub(super) fn payout_back_entry(&self) -> Postings {
        Postings::transfer(self.payable(), self.provider(), self.facts.requested)
    }

    /// Put back on the trading account: the counter entry of the debit.
    pub(super) fn put_back_entry(&self) -> Postings {
        let entry = Postings::transfer(self.client(), self.payable(), self.facts.requested);
        match fault::is_back(Fault::PutBackIsBookedTwice) {
            true => entry.clone().with(entry),
            false => entry,
        }
    }
}
