//! What a deposit moves in the ledger.

use super::deposit::Deposit;
use super::fee::Gone;
use super::returns::left;
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

    /// A credit: the provider owes us what we now owe the client, and our fee.
    pub(super) fn credit_entry(&self, amount: Money) -> Postings {
        let client = client(&self.facts.account_id);
        let taken = self.facts.fee.as_ref().and_then(|fee| fee.taken);
        let fee = taken.map_or(Postings::none(), |fee| Postings::transfer(LedgerAccount::Fees, self.provider(), fee));
        if amount.currency() == self.collection().currency() {
            return Postings::transfer(client, self.provider(), amount).with(fee);
        }
        // converted, by the rules' rate or by a person's hand: each currency balances over our own exchange
        let collected = left(self.collection(), self.netted());
        let changed = taken.map_or(collected, |fee| left(collected, fee));
        let there = Postings::transfer(LedgerAccount::Exchange, self.provider(), changed);
        there.with(Postings::transfer(client, LedgerAccount::Exchange, amount)).with(fee)
    }

    /// What had gone back before the credit was sent, and so was never part of it.
    pub(super) fn netted(&self) -> Money {
        self.inner.netted.unwrap_or(Money::zero(self.collection().currency()))
    }

    /// What went back of the credit itself, in its own currency.
    pub(super) fn reversed_part(&self) -> Money {
        self.gone().share
    }

    /// Money of a credit went back to the payer since an earlier version, or came back: the provider owes us less or more, the client
    /// owes us what still stands on his trading account, and what of our fee goes with it is lost.
    pub(super) fn return_entry(&self, before: &Self) -> Postings {
        self.gone_entry(before.gone(), self.gone())
    }

    /// All of what went back of a credit, booked with the credit.
    pub(super) fn reversal_entry(&self) -> Postings {
        let is = self.gone();
        let none = |money: Money| Money::zero(money.currency());
        self.gone_entry(Gone { share: none(is.share), fee: none(is.fee), net: none(is.net) }, is)
    }

    /// From one running total to another.
    fn gone_entry(&self, was: Gone, is: Gone) -> Postings {
        let moved = |from: LedgerAccount, to: LedgerAccount, was: Money, is: Money| {
            let gone = Postings::transfer(from.clone(), to.clone(), left(is, was));
            gone.with(Postings::transfer(to, from, left(was, is)))
        };
        let fee = moved(self.provider(), LedgerAccount::Fees, was.fee, is.fee);
        if is.share.currency() == is.net.currency() {
            return moved(self.provider(), self.owed_back(), was.share, is.share).with(fee);
        }
        let home = moved(self.provider(), LedgerAccount::Exchange, was.net, is.net);
        home.with(moved(LedgerAccount::Exchange, self.owed_back(), was.share, is.share)).with(fee)
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
