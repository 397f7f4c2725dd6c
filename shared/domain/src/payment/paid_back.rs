//! Withdrawals that go back to the payer of a deposit.

use super::deposit::{Deposit, DepositStatus};
use super::returns::left;
use crate::decision::{Decision, Verdict};
use crate::{Money, PaymentId, Timestamp};

impl Deposit {
    /// What could still be paid back to the payer: what was credited, less what went back by itself and what withdrawals have taken.
    /// Nothing while any of it is disputed, and nothing of what was credited in another currency than it was paid in.
    pub fn can_be_paid_back(&self) -> Money {
        let zero = Money::zero(self.facts.requested.currency());
        let credited = match (self.status(), self.facts.credited) {
            (DepositStatus::Credited, Some(credited)) if credited.currency() == self.collection().currency() => {
                credited
            }
            _ => return zero,
        };
        if self.inner.returns.is_disputed() {
            return zero;
        }
        let currency = credited.currency();
        left(left(credited, self.reversed_part()), self.inner.returns.paid_back(currency))
    }

    /// Whether a withdrawal pays it back.
    pub fn pays_back(&self, withdrawal: &PaymentId) -> bool {
        self.inner.returns.pays_back(withdrawal)
    }

    /// Keeps an amount for a withdrawal that is about to be paid back: no other takes it, and the provider's word of the refund is no
    /// loss of the credit. `by_hand`: a person makes the refund, which names no withdrawal.
    ///
    /// # Errors
    /// Why it cannot be paid back any more.
    pub fn pay_back(
        &self,
        withdrawal: &PaymentId,
        amount: Money,
        by_hand: bool,
        now: Timestamp,
    ) -> Result<Verdict<Self>, &'static str> {
        if self.inner.returns.is_disputed() {
            return Err("the deposit is disputed");
        }
        if self.pays_back(withdrawal) {
            return Ok(Verdict::Nothing("it is kept for it already"));
        }
        if amount.currency() != self.can_be_paid_back().currency() {
            return Err("the deposit was paid in another currency");
        }
        if !self.can_be_paid_back().compare(&amount).is_ok_and(std::cmp::Ordering::is_ge) {
            return Err("less of the deposit can be paid back by now");
        }
        Ok(self.kept_for(withdrawal, amount, by_hand, now))
    }

    /// A person says that he refunded it in the provider's console, whatever the deposit had to give.
    pub fn paid_back_by_hand(&self, withdrawal: &PaymentId, amount: Money, now: Timestamp) -> Verdict<Self> {
        self.kept_for(withdrawal, amount, true, now)
    }

    fn kept_for(&self, withdrawal: &PaymentId, amount: Money, by_hand: bool, now: Timestamp) -> Verdict<Self> {
        let mut known = self.inner.returns.clone();
        known.pay_back(withdrawal, amount, by_hand, now);
        if known == self.inner.returns {
            return Verdict::Nothing("it is kept for it already");
        }
        // a refund that was told before it was known to be this withdrawal's is no loss any more
        let base = self.knowing(known).unmoved();
        let entry = base.return_entry(self);
        let why = vec![format!("{amount} for {withdrawal}")];
        let decision = Decision::new(base, "kept_for_withdrawal", vec![], why).booking(entry);
        Verdict::Change(Box::new(decision))
    }

    /// A withdrawal did not get there: it never left the provider, or it came back at that time.
    pub fn pay_back_undone(&self, withdrawal: &PaymentId, came_back: Option<Timestamp>) -> Verdict<Self> {
        if !self.pays_back(withdrawal) {
            return Verdict::Nothing("nothing is kept for it");
        }
        let mut next = self.unmoved();
        next.inner.returns.pay_back_undone(withdrawal, came_back);
        let why = vec![format!("{withdrawal} did not reach the payer")];
        Verdict::change(next, "withdrawal_undone", vec![], why)
    }
}
