//! Handing over to a person: the deposit stops and waits, or it stands as it is and only the statement is asked about.

use super::deposit::{Deposit, DepositStatus, Held, Reason};
use super::report::{PspReport, PspStatus, Returned};
use crate::Timestamp;
use crate::decision::Verdict;
use crate::work::Review;
use crate::work::rules::WorkKind;

/// Statements remembered per deposit; an older one that comes again asks a second time.
const FLAGGED_MAX: usize = 8;

impl Deposit {
    /// The kind of review that it waits for.
    pub(super) fn held_for(&self) -> Option<&str> {
        let held = self.inner.held.as_ref().filter(|_| self.status() == DepositStatus::NeedsReview);
        held.map(|held| held.review.kind.as_str())
    }

    /// The deposit stopped until a person decides. Nothing of it is credited until then.
    #[must_use]
    pub(super) fn held(&self, kind: WorkKind, trigger: &str, now: Timestamp) -> Self {
        let mut next = self.moved(DepositStatus::NeedsReview, Reason::Review, now);
        let review = Review::of(kind, trigger);
        next.facts.review = Some(review.clone());
        next.inner.held = Some(Held { review, stray: None });
        next
    }

    /// A trigger of our own: which review of this deposit it is, so that no two share a work item.
    pub(super) fn own_trigger(&self, word: &str) -> String {
        format!("{word}:{}", self.count_of(DepositStatus::NeedsReview).saturating_add(1))
    }

    /// Stops it because of a statement about its own payment.
    pub(super) fn review(&self, report: &PspReport, kind: WorkKind, now: Timestamp) -> Verdict<Self> {
        let mut next = self.held_by_statement(report, kind, now);
        next.inner.heard = Some(report.at);
        if matches!(report.status, PspStatus::Succeeded | PspStatus::Scored { .. }) {
            next.facts.paid = report.money;
            next.adopt_reference(report);
        }
        Verdict::change(next, "needs_review", vec![self.review_event()], vec![self.seen(report, kind)])
    }

    /// The event of a review. A deposit that is under review already only brings another work item: the client knows.
    pub(super) fn review_event(&self) -> &'static str {
        if self.status() == DepositStatus::NeedsReview { "desk.item" } else { "deposit.needs_review" }
    }

    /// Stops it because of a statement.
    #[must_use]
    pub(super) fn held_by_statement(&self, report: &PspReport, kind: WorkKind, now: Timestamp) -> Self {
        // a look-up may say again what already was an item
        let again = self.inner.flagged.contains(&report.event_id);
        let trigger = if again { self.own_trigger(&report.event_id) } else { report.event_id.clone() };
        let mut next = self.held(kind, &trigger, now);
        next.remember(&report.event_id);
        next
    }

    /// Asks a person about a statement; the deposit stands as it is.
    pub(super) fn flag(&self, report: &PspReport, kind: WorkKind, now: Timestamp) -> Verdict<Self> {
        self.ask_about(kind, &report.event_id, self.seen(report, kind), now)
    }

    /// Asks a person about a statement of moved money that its provider, asked twice, does not confirm. Nothing is moved by it; a
    /// credit that has not been sent waits for the person.
    pub fn unconfirmed(&self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        // a trigger of its own: when the provider says it at last, that is news
        let event_id = format!("unconfirmed:{}", report.event_id);
        if [&report.event_id, &event_id].into_iter().any(|trigger| self.inner.flagged.contains(trigger)) {
            return Verdict::Nothing("the statement is already with a person");
        }
        let report = &PspReport { event_id, ..report.clone() };
        match &report.status {
            PspStatus::Succeeded | PspStatus::Scored { .. } => self.unconfirmed_success(report, now),
            PspStatus::Returned(told) => self.unconfirmed_return(report, told, now),
            PspStatus::Pending
            | PspStatus::Payable { .. }
            | PspStatus::Processing
            | PspStatus::Failed
            | PspStatus::Canceled
            | PspStatus::Payout(_)
            | PspStatus::Irrelevant => Verdict::Nothing("it moves no money"),
        }
    }

    fn unconfirmed_success(&self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        if self.is_about_another(report) {
            return self.other_payment_collected(report, now);
        }
        let kind = WorkKind::DepositPaidAfterFailure;
        match self.status() {
            DepositStatus::Pending | DepositStatus::Failed | DepositStatus::Expired => self.review(report, kind, now),
            _ if self.facts.paid.is_some() => Verdict::Nothing("the collection is already counted"),
            DepositStatus::NeedsReview
            | DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => self.flag(report, kind, now),
        }
    }

    fn unconfirmed_return(&self, report: &PspReport, told: &Returned, now: Timestamp) -> Verdict<Self> {
        let (Returned::Total { amount } | Returned::One { amount, .. }) = told;
        let amount = amount.unwrap_or(self.collection());
        let mut known = self.inner.returns.clone();
        if !known.take(told, amount, report.at) {
            return Verdict::Nothing("the return is already known");
        }
        let undone = matches!(told, Returned::One { stands: false, .. });
        if undone && self.knowing(known).returned() == self.returned() {
            return Verdict::Nothing("nothing of it had gone back");
        }
        match self.status() {
            _ if undone => self.flag(report, WorkKind::DepositReinstated, now),
            DepositStatus::Paid => self.review(report, WorkKind::DepositFailedAfterSuccess, now),
            DepositStatus::Pending
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => self.flag(report, WorkKind::DepositFailedAfterSuccess, now),
        }
    }

    /// Asks a person about something; the deposit stands as it is.
    pub(super) fn ask_about(&self, kind: WorkKind, trigger: &str, why: String, now: Timestamp) -> Verdict<Self> {
        if self.inner.flagged.iter().any(|flagged| flagged == trigger) {
            return Verdict::Nothing("it is already with a person");
        }
        let mut next = self.unmoved();
        next.ask(kind, trigger, now);
        Verdict::change(next, "flagged", vec!["desk.item"], vec![why])
    }

    /// Adds a question to a person to a version that is made anyway.
    pub(super) fn ask(&mut self, kind: WorkKind, trigger: &str, now: Timestamp) {
        if kind == WorkKind::DepositReversedAfterCredit {
            self.inner.reversal_items.push((trigger.to_owned(), now.millis()));
        }
        self.facts.review = Some(Review::of(kind, trigger));
        self.remember(trigger);
    }

    fn remember(&mut self, trigger: &str) {
        if self.inner.flagged.iter().any(|flagged| flagged == trigger) {
            return;
        }
        if self.inner.flagged.len() >= FLAGGED_MAX {
            self.inner.flagged.remove(0);
        }
        self.inner.flagged.push(trigger.to_owned());
    }

    pub(super) fn seen(&self, report: &PspReport, kind: WorkKind) -> String {
        let reported = report.money.map_or_else(|| "no amount".to_owned(), |m| m.to_string());
        format!("{kind}: {} {} {reported}, asked {}", report.kind, report.reference, self.asked())
    }
}
