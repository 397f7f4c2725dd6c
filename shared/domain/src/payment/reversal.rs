//! Money that went back to the payer, in full or in part, before, while or after it was credited.

use super::deposit::{Deposit, DepositStatus, Reason, Reversal};
use super::report::PspReport;
use crate::decision::Verdict;
use crate::work::rules::WorkKind;
use crate::{Money, Timestamp};

/// The reason and the event of a reversal.
fn words(to: DepositStatus) -> (Reason, &'static str) {
    match to {
        DepositStatus::ChargedBack => (Reason::Disputed, "deposit.charged_back"),
        DepositStatus::Pending
        | DepositStatus::Paid
        | DepositStatus::Crediting
        | DepositStatus::Credited
        | DepositStatus::Failed
        | DepositStatus::Expired
        | DepositStatus::CreditingUnknown
        | DepositStatus::NeedsReview
        | DepositStatus::Refunded => (Reason::PaidBack, "deposit.refunded"),
    }
}

impl Deposit {
    /// What it does that the provider says that money went back.
    pub(super) fn reversed(&self, report: &PspReport, to: DepositStatus, now: Timestamp) -> Verdict<Self> {
        match self.status() {
            DepositStatus::Refunded | DepositStatus::ChargedBack
                if self.status() == to || !self.goes_back_whole(report) =>
            {
                Verdict::Nothing("the reversal is already known")
            }
            // paid back and disputed: the money may have gone twice
            DepositStatus::Refunded | DepositStatus::ChargedBack => {
                self.flag(report, WorkKind::DepositReversedAfterCredit)
            }
            DepositStatus::Credited if self.goes_back_whole(report) => {
                let (next, event) = self.turned(&Reversal(to, report.event_id.clone()), now);
                let why = vec![format!("{}: the credit still stands on the platform", report.kind)];
                let entry = next.reversal_entry();
                Verdict::change(next.having_heard(report), to.as_str(), vec![event, "desk.item"], why).booking(entry)
            }
            DepositStatus::Credited => self.flag(report, WorkKind::DepositReversedAfterCredit),
            DepositStatus::Crediting | DepositStatus::CreditingUnknown => self.reversed_under_way(report, to),
            DepositStatus::NeedsReview if self.may_be_booked() => self.reversed_under_way(report, to),
            DepositStatus::Pending
            | DepositStatus::Paid
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview
                if self.goes_back_whole(report) =>
            {
                let (reason, event) = words(to);
                let next = self.moved(to, reason, now).having_heard(report);
                let why = vec![format!("{}: nothing had been credited", report.kind)];
                Verdict::change(next, to.as_str(), vec![event], why)
            }
            DepositStatus::Pending
            | DepositStatus::Paid
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview => self.shrunk(report, now),
        }
    }

    /// Under review because nobody knows whether the credit is booked.
    fn may_be_booked(&self) -> bool {
        self.held_for() == Some(WorkKind::CreditUnresolved.as_str())
    }

    /// What was collected, as far as it was told.
    fn collection(&self) -> Money {
        self.facts.paid.unwrap_or(self.facts.requested)
    }

    fn goes_back_whole(&self, report: &PspReport) -> bool {
        report.money.is_none_or(|back| back.compare(&self.collection()).is_ok_and(std::cmp::Ordering::is_ge))
    }

    /// The credit may be under way: what it comes to decides.
    fn reversed_under_way(&self, report: &PspReport, to: DepositStatus) -> Verdict<Self> {
        if !self.goes_back_whole(report) {
            return self.flag(report, WorkKind::DepositReversedAfterCredit);
        }
        match &self.inner.reversal {
            Some(Reversal(known, _)) if *known == to => Verdict::Nothing("the reversal is already known"),
            Some(_) => self.flag(report, WorkKind::DepositReversedAfterCredit),
            None => {
                let mut next = self.unmoved();
                next.inner.reversal = Some(Reversal(to, report.event_id.clone()));
                let why = vec![format!("{}: kept until the outcome of the credit is known", report.kind)];
                Verdict::change(next, "reversal_noted", vec![], why)
            }
        }
    }

    /// A part went back before the credit: what is left is not what was asked for.
    fn shrunk(&self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        let collected = self.collection();
        let left = report.money.and_then(|back| collected.checked_add(&back.negated()).ok());
        let kind = if left.is_some() { WorkKind::DepositUnderpaid } else { WorkKind::DepositCurrencyMismatch };
        let mut next = self.held_by_statement(report, kind, now).having_heard(report);
        next.facts.paid = Some(left.unwrap_or(collected));
        let why = vec![format!("{}, left {}", self.seen(report, kind), left.unwrap_or(collected))];
        Verdict::change(next, "needs_review", vec![self.review_event()], why)
    }

    fn having_heard(mut self, report: &PspReport) -> Self {
        self.inner.heard = self.inner.heard.max(Some(report.at));
        self
    }

    /// A credited deposit whose money went back, with the question to a person, and the event.
    pub(super) fn turned(&self, reversal: &Reversal, now: Timestamp) -> (Self, &'static str) {
        let Reversal(to, trigger) = reversal;
        let (reason, event) = words(*to);
        let mut next = self.moved(*to, reason, now);
        next.inner.reversal = None;
        next.ask(WorkKind::DepositReversedAfterCredit, trigger);
        (next, event)
    }

    /// A deposit whose money went back and that is surely not credited, if its money went back.
    pub(super) fn turned_uncredited(&self, why: Vec<String>, now: Timestamp) -> Option<Verdict<Self>> {
        let Reversal(to, _) = self.inner.reversal.as_ref()?;
        let (reason, event) = words(*to);
        let mut next = self.moved(*to, reason, now);
        next.inner.reversal = None;
        Some(Verdict::change(next, to.as_str(), vec![event], why))
    }
}
