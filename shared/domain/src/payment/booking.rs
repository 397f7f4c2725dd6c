//! What a deposit moves in the ledger.

use super::deposit::Deposit;
use super::returns::{left, smaller};
use crate::ledger::{LedgerAccount, Postings};
use crate::{AccountId, Money};

fn client(account: &AccountId) -> LedgerAccount {
    LedgerAccount::Client(account.clone())
}

impl Deposit {
    fn provider(&self) -> LedgerAccount {
        LedgerAccount::Psp(self.facts.psp.name.clone())
    }

    fn owed_back(&self) -> LedgerAccount {
        LedgerAccount::Reversed(self.facts.account_id.clone())
    }

    /// A credit: the provider owes us what we now owe the client.
    pub(super) fn credit_entry(&self, amount: Money) -> Postings {
        let client = client(&self.facts.account_id);
        if amount.currency() == self.collection().currency() {
            return Postings::transfer(client, self.provider(), amount);
        }
        // converted, by the rules' rate or by a person's hand: each currency balances over our own exchange
        let collected = left(self.collection(), self.netted());
        let there = Postings::transfer(LedgerAccount::Exchange, self.provider(), collected);
        there.with(Postings::transfer(client, LedgerAccount::Exchange, amount))
    }

    /// What had gone back before the credit was sent, and so was never part of it.
    pub(super) fn netted(&self) -> Money {
        self.inner.netted.unwrap_or(Money::zero(self.collection().currency()))
    }

    /// What went back of the credit itself.
    pub(super) fn reversed_part(&self) -> Money {
        match self.facts.credited {
            // credited in another currency: what a part of it is worth when it goes back, a person says
            Some(credited) if credited.currency() != self.collection().currency() => {
                if self.goes_back_whole() {
                    credited
                } else {
                    Money::zero(credited.currency())
                }
            }
            Some(credited) => smaller(left(self.returned(), self.netted()), credited),
            None => Money::zero(self.collection().currency()),
        }
    }

    /// Money of a credit went back to the payer since an earlier version, or came back: the provider owes us less or more, and the
    /// client owes us what still stands on his trading account.
    pub(super) fn return_entry(&self, before: &Self) -> Postings {
        let (was, is) = (before.reversed_part(), self.reversed_part());
        if is.currency() != self.collection().currency() {
            return self.converted_return_entry(was, is);
        }
        let gone = Postings::transfer(self.provider(), self.owed_back(), left(is, was));
        gone.with(Postings::transfer(self.owed_back(), self.provider(), left(was, is)))
    }

    /// All of what went back of a credit, booked with the credit.
    pub(super) fn reversal_entry(&self) -> Postings {
        let part = self.reversed_part();
        if part.currency() != self.collection().currency() {
            return self.converted_return_entry(Money::zero(part.currency()), part);
        }
        Postings::transfer(self.provider(), self.owed_back(), part)
    }

    /// The same of a credit that was converted: it goes back as a whole or not at all.
    fn converted_return_entry(&self, was: Money, is: Money) -> Postings {
        let (exchange, collected) = (LedgerAccount::Exchange, left(self.collection(), self.netted()));
        let (gone, back) = (left(is, was), left(was, is));
        if gone.is_positive() {
            let out = Postings::transfer(self.provider(), exchange.clone(), collected);
            return out.with(Postings::transfer(exchange, self.owed_back(), gone));
        }
        if back.is_positive() {
            let home = Postings::transfer(exchange.clone(), self.provider(), collected);
            return home.with(Postings::transfer(self.owed_back(), exchange, back));
        }
        Postings::none()
    }

    /// What a person has taken off the trading account so far.
    pub(super) fn debited_sum(&self) -> Money {
        let zero = Money::zero(self.facts.credited.unwrap_or(self.collection()).currency());
        self.inner.debits.iter().fold(zero, |sum, debit| sum.checked_add(&debit.1).unwrap_or(sum))
    }

    /// What a debit by hand takes off: what went back and is not taken off yet; if nothing did, the whole credit, which the
    /// provider does not stand by. Nothing if it has all been taken off before.
    pub(super) fn to_debit(&self) -> Option<Money> {
        let outstanding = left(self.reversed_part(), self.debited_sum());
        if outstanding.is_positive() {
            return Some(outstanding);
        }
        self.facts.credited.filter(|_| self.inner.debits.is_empty())
    }

    /// A credit, or a part of it, was taken off the trading account again: what is left of it is owed by nobody any more.
    pub(super) fn debit_entry(&self, amount: Money) -> Postings {
        let owed = if self.reversed_part().is_positive() { self.owed_back() } else { self.provider() };
        Postings::transfer(owed, client(&self.facts.account_id), amount)
    }

    /// What had been taken off was put on the trading account again, because its money came back.
    pub(super) fn credited_again_entry(&self, amount: Money) -> Postings {
        Postings::transfer(client(&self.facts.account_id), self.owed_back(), amount)
    }
}
