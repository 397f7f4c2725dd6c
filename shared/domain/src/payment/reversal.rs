//! Money that went back to the payer, in full or in part, before, while or after it was credited; and money that came back from there.

use std::cmp::Ordering;

use super::deposit::{Deposit, DepositStatus, Reason, Settled};
use super::report::{PspReport, Returned};
use super::returns::{Returns, left};
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
    /// What it does that the provider says that money went back, or that it came back.
    pub(super) fn returned_told(&self, report: &PspReport, told: &Returned, now: Timestamp) -> Verdict<Self> {
        let (Returned::Total { amount } | Returned::One { amount, .. }) = told;
        let collected = self.collection();
        let amount = amount.unwrap_or(collected);
        if amount.currency() != collected.currency() {
            return self.returned_in_another_currency(report, now);
        }
        let mut known = self.inner.returns.clone();
        if !known.take(told, amount, report.at) {
            return Verdict::Nothing("the return is already known");
        }
        let base = self.knowing(known);
        match base.returned().compare(&self.returned()) {
            Ok(Ordering::Greater) => self.went_back(&base, report, now),
            Ok(Ordering::Less) => self.came_back(&base, report, now),
            Ok(Ordering::Equal) | Err(_) => noted(base.unmoved(), report, "changes no sum"),
        }
    }

    /// The same deposit with what is known to have gone back.
    pub(super) fn knowing(&self, returns: Returns) -> Self {
        let mut next = self.clone();
        next.inner.returns = returns;
        next.facts.returned = Some(next.returned()).filter(Money::is_positive);
        next
    }

    /// What is with the payer again, or on its way to him.
    pub fn returned(&self) -> Money {
        self.inner.returns.standing(self.collection().currency())
    }

    /// What was collected, as far as it was told, whatever went back of it since.
    pub(super) fn collection(&self) -> Money {
        self.facts.paid.unwrap_or(self.asked())
    }

    pub(super) fn goes_back_whole(&self) -> bool {
        self.returned().compare(&self.collection()).is_ok_and(Ordering::is_ge)
    }

    fn to_status(&self) -> DepositStatus {
        if self.inner.returns.is_disputed() { DepositStatus::ChargedBack } else { DepositStatus::Refunded }
    }

    /// Under review because nobody knows whether the credit is booked.
    fn may_be_booked(&self) -> bool {
        self.held_for() == Some(WorkKind::CreditUnresolved.as_str())
    }

    /// More went back than was known.
    fn went_back(&self, base: &Self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        let whole = base.goes_back_whole();
        match self.status() {
            DepositStatus::Refunded | DepositStatus::ChargedBack => {
                let over = left(base.returned(), base.collection());
                match over.is_positive() {
                    // paid back and disputed: the money went twice
                    true => base.flag(report, WorkKind::DepositReversedAfterCredit, now),
                    false => noted(base.unmoved(), report, "the refund is known"),
                }
                .booking(base.return_entry(self))
            }
            DepositStatus::Credited if whole => {
                let (next, event) = base.turned(&report.event_id, now);
                let why = vec![format!("{}: the credit still stands on the platform", report.kind)];
                let entry = next.return_entry(self);
                let to = next.status().as_str();
                Verdict::change(next.having_heard(report), to, vec![event, "desk.item"], why).booking(entry)
            }
            DepositStatus::Credited => {
                let entry = base.return_entry(self);
                base.flag(report, WorkKind::DepositReversedAfterCredit, now).booking(entry)
            }
            DepositStatus::Crediting | DepositStatus::CreditingUnknown => base.reversed_under_way(report, whole, now),
            DepositStatus::NeedsReview if self.may_be_booked() => base.reversed_under_way(report, whole, now),
            DepositStatus::Pending
            | DepositStatus::Paid
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview
                if whole =>
            {
                let to = base.to_status();
                let (reason, event) = words(to);
                let next = base.moved(to, reason, now).having_heard(report);
                let why = vec![format!("{}: nothing had been credited", report.kind)];
                Verdict::change(next, to.as_str(), vec![event], why)
            }
            DepositStatus::Pending
            | DepositStatus::Paid
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview => base.shrunk(report, now),
        }
    }

    /// The credit may be under way: what it comes to decides.
    fn reversed_under_way(&self, report: &PspReport, whole: bool, now: Timestamp) -> Verdict<Self> {
        if !whole {
            return self.flag(report, WorkKind::DepositReversedAfterCredit, now);
        }
        let why = vec![format!("{}: kept until the outcome of the credit is known", report.kind)];
        let mut next = self.unmoved();
        next.inner.returned_by = Some(report.event_id.clone());
        Verdict::change(next, "reversal_noted", vec![], why)
    }

    /// A part went back before the credit: what is left is not what was asked for.
    fn shrunk(&self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        let kind = WorkKind::DepositUnderpaid;
        let mut next = self.held_by_statement(report, kind, now).having_heard(report);
        next.facts.paid = Some(self.collection());
        let why = vec![format!("{}, left {}", self.seen(report, kind), next.creditable())];
        Verdict::change(next, "needs_review", vec![self.review_event()], why)
    }

    fn returned_in_another_currency(&self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        let kind = WorkKind::DepositCurrencyMismatch;
        match self.status() {
            DepositStatus::Refunded | DepositStatus::ChargedBack => Verdict::Nothing("the money has already gone back"),
            DepositStatus::NeedsReview if self.may_be_booked() => {
                self.flag(report, WorkKind::DepositReversedAfterCredit, now)
            }
            DepositStatus::Crediting | DepositStatus::CreditingUnknown | DepositStatus::Credited => {
                self.flag(report, WorkKind::DepositReversedAfterCredit, now)
            }
            DepositStatus::Pending
            | DepositStatus::Paid
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview => {
                let mut next = self.held_by_statement(report, kind, now).having_heard(report);
                next.facts.paid = Some(self.collection());
                Verdict::change(next, "needs_review", vec![self.review_event()], vec![self.seen(report, kind)])
            }
        }
    }

    /// Less is gone than was known: a refund failed or was cancelled, a dispute was won.
    fn came_back(&self, base: &Self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        let kind = WorkKind::DepositReinstated;
        let entry = base.return_entry(self);
        match self.status() {
            DepositStatus::Refunded | DepositStatus::ChargedBack if base.goes_back_whole() => {
                noted(base.unmoved(), report, "the rest is gone all the same").booking(entry)
            }
            DepositStatus::Refunded | DepositStatus::ChargedBack if self.facts.credited.is_some() => {
                let mut next = base.moved(DepositStatus::Credited, Reason::CameBack, now);
                next.ask(kind, &report.event_id, now);
                let events = next.settle(vec!["deposit.reinstated", "desk.item"]);
                let why = vec![base.seen(report, kind)];
                Verdict::change(next, "reinstated", events, why).booking(entry)
            }
            DepositStatus::Refunded | DepositStatus::ChargedBack => base.reinstated_uncredited(report, now),
            DepositStatus::NeedsReview if !self.may_be_booked() => base.reinstated_uncredited(report, now),
            DepositStatus::Credited => {
                let mut next = base.unmoved();
                next.ask(kind, &report.event_id, now);
                let events = next.settle(vec!["desk.item"]);
                Verdict::change(next, "reinstated", events, vec![base.seen(report, kind)]).booking(entry)
            }
            DepositStatus::Pending
            | DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview => {
                let mut next = base.unmoved();
                let events = next.settle(vec![]);
                let why = vec![format!("{}: {} is with us again", report.kind, left(self.returned(), base.returned()))];
                Verdict::change(next, "return_noted", events, why)
            }
        }
    }

    /// What had gone back before the credit is there again: a person decides, for somebody wanted it to go.
    fn reinstated_uncredited(&self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        let kind = WorkKind::DepositReinstated;
        let mut next = self.held_by_statement(report, kind, now).having_heard(report);
        next.facts.paid = Some(self.collection());
        let events = next.settle(vec![self.review_event()]);
        let why = vec![format!("{}, left {}", self.seen(report, kind), next.creditable())];
        Verdict::change(next, "needs_review", events, why)
    }

    /// Tells the desk that what it was asked to take off an account has come back, once nothing of it is gone any more.
    fn settle(&mut self, mut events: Vec<&'static str>) -> Vec<&'static str> {
        if self.reversed_part().is_positive() || self.inner.reversal_items.is_empty() {
            return events;
        }
        let items = std::mem::take(&mut self.inner.reversal_items);
        let kind = WorkKind::DepositReversedAfterCredit.as_str();
        let settled = |(trigger, at_ms): (String, i64)| Settled { kind: kind.to_owned(), trigger, at_ms };
        self.facts.settled = items.into_iter().map(settled).collect();
        events.push("desk.settled");
        events
    }

    fn having_heard(mut self, report: &PspReport) -> Self {
        self.inner.heard = self.inner.heard.max(Some(report.at));
        self
    }

    /// A credited deposit whose money went back, with the question to a person, and the event.
    pub(super) fn turned(&self, trigger: &str, now: Timestamp) -> (Self, &'static str) {
        let to = self.to_status();
        let (reason, event) = words(to);
        let mut next = self.moved(to, reason, now);
        next.inner.returned_by = None;
        next.ask(WorkKind::DepositReversedAfterCredit, trigger, now);
        (next, event)
    }

    /// A deposit of which money went back meanwhile and that is surely not credited: closed if all of it did, and a person's to
    /// decide if a part did.
    pub(super) fn turned_uncredited(&self, why: Vec<String>, now: Timestamp) -> Option<Verdict<Self>> {
        let new = left(self.returned(), self.netted());
        // what was not sent is measured anew when it is
        if !self.may_have_been_sent() || !new.is_positive() {
            return None;
        }
        if self.goes_back_whole() {
            let to = self.to_status();
            let (reason, event) = words(to);
            let mut next = self.moved(to, reason, now);
            next.inner.returned_by = None;
            return Some(Verdict::change(next, to.as_str(), vec![event], why));
        }
        let mut next = self.held(WorkKind::DepositUnderpaid, &self.own_trigger("part"), now);
        next.inner.attempted = None;
        let events = next.settle(vec![self.review_event()]);
        Some(Verdict::change(next, "needs_review", events, why))
    }
}

fn noted(next: Deposit, report: &PspReport, why: &str) -> Verdict<Deposit> {
    Verdict::change(next, "return_noted", vec![], vec![format!("{}: {why}", report.kind)])
}
