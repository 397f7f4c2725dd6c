//! Handing over to a person: the deposit stops and waits, or it stands as it is and only the statement is asked about.

use super::deposit::{Deposit, DepositStatus, Held, Reason, Review};
use super::report::{PspReport, PspStatus};
use crate::Timestamp;
use crate::decision::Verdict;
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
        let review = Review { kind: kind.as_str().to_owned(), trigger: trigger.to_owned() };
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
        if report.status == PspStatus::Succeeded {
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
        self.facts.review = Some(Review { kind: kind.as_str().to_owned(), trigger: trigger.to_owned() });
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
        format!("{kind}: {} {} {reported}, asked {}", report.kind, report.reference, self.facts.requested)
    }
}
