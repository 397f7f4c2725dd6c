//! What a provider's statement does to a deposit: the whole table, nothing credited blindly.

use super::deposit::{Deposit, DepositStatus, Held, Reason};
use super::report::{PspReport, PspStatus};
use crate::decision::{Decision, Verdict};
use crate::payment::rules::{PaidAmount, Psps};
use crate::work::rules::WorkKind;
use crate::{Money, Timestamp};

impl Deposit {
    /// What a provider's statement about this deposit does. The rules say how far an amount may be off and still be
    /// what was asked for.
    pub fn hear(&self, report: &PspReport, rules: &Psps, now: Timestamp) -> Verdict<Self> {
        if self.inner.flagged.contains(&report.event_id) {
            return Verdict::Nothing("the statement is already with a person");
        }
        self.told(report, rules, now)
    }

    /// The same for a statement that is the provider's present word.
    pub(super) fn told(&self, report: &PspReport, rules: &Psps, now: Timestamp) -> Verdict<Self> {
        match &report.status {
            PspStatus::Pending | PspStatus::Payable { .. } | PspStatus::Processing | PspStatus::Irrelevant => {
                Verdict::Nothing("it says nothing about collected money")
            }
            PspStatus::Payout(_) => Verdict::Nothing("it is about money that goes out"),
            PspStatus::Succeeded | PspStatus::Scored { .. } | PspStatus::Returned(_)
                if self.may_be_opened_at(report) =>
            {
                self.moved_to_psp(&report.psp).told(report, rules, now)
            }
            PspStatus::Succeeded | PspStatus::Scored { .. } if self.is_about_another(report) => {
                self.other_payment_collected(report, now)
            }
            PspStatus::Failed | PspStatus::Canceled | PspStatus::Returned(_) if self.is_about_another(report) => {
                Verdict::Nothing("it is about another payment at the provider")
            }
            PspStatus::Succeeded => self.collected(report, None, rules, now),
            PspStatus::Scored { risk } => {
                let doubt = rules.is_too_risky(&report.psp, *risk).then_some(WorkKind::DepositRisky);
                let kind = format!("{}, risk {risk} of 1000", report.kind);
                let collected = PspReport { status: PspStatus::Succeeded, kind, ..report.clone() };
                self.collected(&collected, doubt, rules, now)
            }
            PspStatus::Failed | PspStatus::Canceled => self.not_collected(report, now),
            PspStatus::Returned(told) => self.returned_told(report, told, now),
        }
    }

    /// Whether the provider may be asked for money that the payer has agreed to pay: it would be credited. Whatever a person decides,
    /// or what was closed for good, is not asked for.
    pub fn takes_what_is_agreed(&self) -> bool {
        match self.status() {
            DepositStatus::Pending | DepositStatus::Expired => true,
            DepositStatus::Failed => !self.inner.closed_at_psp && self.facts.paid.is_none(),
            DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => false,
        }
    }

    pub(super) fn is_about_another(&self, report: &PspReport) -> bool {
        let own = &self.facts.psp;
        let numbered_apart = self.inner.reference_adopted && matches!(report.status, PspStatus::Returned(_));
        let same = own.reference.is_empty() || report.reference.is_empty() || report.reference == own.reference;
        report.psp != own.name || !(same || numbered_apart)
    }

    /// Whether a statement is of a provider at which the deposit may have been opened before its own, and nothing is collected yet:
    /// whatever its payer paid there under our id, he paid for it.
    pub(super) fn may_be_opened_at(&self, report: &PspReport) -> bool {
        let waits = match self.status() {
            DepositStatus::Pending | DepositStatus::Failed | DepositStatus::Expired => true,
            DepositStatus::NeedsReview => self.held_for() == Some(WorkKind::DepositOverdue.as_str()),
            DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => false,
        };
        waits && self.facts.paid.is_none() && self.inner.others.contains(&report.psp)
    }

    /// The same deposit over another of the providers at which it may have been opened. What its former one said is said of another
    /// payment from now on, and money that comes there, too, is a person's.
    fn moved_to_psp(&self, psp: &str) -> Self {
        let mut next = self.clone();
        let former = std::mem::replace(&mut next.facts.psp.name, psp.to_owned());
        next.facts.psp.reference.clear();
        next.inner.others.retain(|other| other != psp);
        next.inner.others.push(former);
        next.inner.reference_adopted = false;
        next.inner.heard = None;
        next.inner.closed_at_psp = false;
        next
    }

    pub(super) fn adopt_reference(&mut self, report: &PspReport) {
        if self.facts.psp.reference.is_empty() && !report.reference.is_empty() {
            self.facts.psp.reference.clone_from(&report.reference);
            self.inner.reference_adopted = true;
        }
    }

    fn is_older_than_heard(&self, report: &PspReport) -> bool {
        self.inner.heard.is_some_and(|heard| report.at < heard)
    }

    fn is_newer_than_heard(&self, report: &PspReport) -> bool {
        self.inner.heard.is_none_or(|heard| report.at > heard)
    }

    /// Money under another reference that names this deposit: what it is about only a person can find out.
    pub(super) fn other_payment_collected(&self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        let kind = WorkKind::DepositUnknownReference;
        // one item for each payment at the provider, however many statements name it
        let trigger = format!("{}:{}", report.psp, report.reference);
        let report = &PspReport { event_id: trigger, ..report.clone() };
        if self.inner.flagged.contains(&report.event_id) {
            return Verdict::Nothing("the other payment is already with a person");
        }
        match self.status() {
            DepositStatus::Pending | DepositStatus::Failed | DepositStatus::Expired => {
                let mut next = self.held_by_statement(report, kind, now);
                next.inner.held = next.inner.held.map(|held| Held { stray: report.money, ..held });
                Verdict::change(next, "needs_review", vec!["deposit.needs_review"], vec![self.seen(report, kind)])
            }
            DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => self.flag(report, kind, now),
        }
    }

    fn collected(&self, report: &PspReport, doubt: Option<WorkKind>, rules: &Psps, now: Timestamp) -> Verdict<Self> {
        let counted = report.money.is_some() && report.money == self.facts.paid;
        let reason = match self.status() {
            DepositStatus::Pending if self.is_older_than_heard(report) => {
                return Verdict::Nothing("it is older than what the provider said last");
            }
            DepositStatus::Pending => Reason::Collected,
            // under review because no collection was told, or one without an amount: now it is
            DepositStatus::NeedsReview if self.facts.paid.is_none() => Reason::Collected,
            DepositStatus::NeedsReview
            | DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack
                if counted =>
            {
                return Verdict::Nothing("the collection is already counted");
            }
            DepositStatus::Failed | DepositStatus::Expired if self.contradicts_failure(report) => {
                return self.review(report, WorkKind::DepositPaidAfterFailure, now);
            }
            DepositStatus::Failed => Reason::CollectedAfterFailure,
            DepositStatus::Expired => Reason::CollectedLate,
            DepositStatus::NeedsReview
            | DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited => return self.flag(report, WorkKind::DepositOverpaid, now),
            DepositStatus::Refunded | DepositStatus::ChargedBack if self.is_news_after_reversal(report) => {
                return self.flag(report, WorkKind::DepositPaidAfterFailure, now);
            }
            DepositStatus::Refunded | DepositStatus::ChargedBack => {
                return Verdict::Nothing("the money has already gone back");
            }
        };
        match doubt.or_else(|| self.oddity(report.money, rules)) {
            None => self.paid(report, reason, now),
            Some(WorkKind::DepositCurrencyMismatch)
                if report.money.is_none() && self.held_for() == Some(WorkKind::DepositCurrencyMismatch.as_str()) =>
            {
                Verdict::Nothing("a person is already deciding about it")
            }
            Some(kind) => self.review(report, kind, now),
        }
    }

    /// Whether a success is not simply the payer's next attempt: the payment was closed for good, the failure is the
    /// newer word, or a person has closed the deposit knowing of a collection.
    fn contradicts_failure(&self, report: &PspReport) -> bool {
        self.inner.closed_at_psp || self.is_older_than_heard(report) || self.facts.paid.is_some()
    }

    /// Whether a success cannot be the collection that went back.
    fn is_news_after_reversal(&self, report: &PspReport) -> bool {
        let by_person = self.last_reason() == Some(Reason::Person);
        (by_person && self.facts.paid.is_none()) || self.is_newer_than_heard(report)
    }

    /// What is odd about a collected amount; nothing if it is what was asked for.
    fn oddity(&self, collected: Option<Money>, rules: &Psps) -> Option<WorkKind> {
        let Some(collected) = collected else { return Some(WorkKind::DepositCurrencyMismatch) };
        match rules.compare(&self.asked(), &collected) {
            // no tolerance makes nothing something
            PaidAmount::Exact if collected.is_positive() => None,
            PaidAmount::Under | PaidAmount::Over
                if collected.is_positive()
                    && rules.credits_received(&self.facts.psp.name, &self.asked(), &collected) =>
            {
                None
            }
            PaidAmount::Exact | PaidAmount::Under => Some(WorkKind::DepositUnderpaid),
            PaidAmount::Over => Some(WorkKind::DepositOverpaid),
            PaidAmount::OtherCurrency => Some(WorkKind::DepositCurrencyMismatch),
        }
    }

    fn paid(&self, report: &PspReport, reason: Reason, now: Timestamp) -> Verdict<Self> {
        let mut next = self.moved(DepositStatus::Paid, reason, now);
        next.facts.paid = report.money;
        next.adopt_reference(report);
        next.inner.heard = Some(report.at);
        next.inner.polls = 0;
        let collected = report.money.unwrap_or(self.asked());
        let why = vec![match collected == self.asked() {
            true => format!("{} {collected} as asked", report.kind),
            false => format!("{} {collected}, taken for the {} that were asked for", report.kind, self.asked()),
        }];
        Verdict::change(next, "paid", vec!["deposit.paid"], why)
    }

    fn not_collected(&self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        let closes = report.status == PspStatus::Canceled;
        match self.status() {
            DepositStatus::Pending | DepositStatus::Expired if self.is_older_than_heard(report) => {
                Verdict::Nothing("it is older than what the provider said last")
            }
            DepositStatus::Pending | DepositStatus::Expired => self.failed(report, now),
            // the provider was silent, and now it is not
            DepositStatus::NeedsReview if self.held_for() == Some(WorkKind::DepositOverdue.as_str()) => {
                self.failed(report, now)
            }
            DepositStatus::Failed if self.is_newer_than_heard(report) || (closes && !self.inner.closed_at_psp) => {
                let mut next = self.unmoved();
                next.inner.heard = self.inner.heard.max(Some(report.at));
                next.inner.closed_at_psp |= closes;
                Verdict::change(next, "failure_noted", vec![], vec![report.kind.clone()])
            }
            DepositStatus::Failed => Verdict::Nothing("the failure is already known"),
            DepositStatus::Refunded | DepositStatus::ChargedBack => Verdict::Nothing("the money has already gone back"),
            DepositStatus::NeedsReview if self.facts.paid.is_none() => {
                Verdict::Nothing("a person is already deciding about it")
            }
            DepositStatus::NeedsReview
            | DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
                if !self.is_newer_than_heard(report) =>
            {
                Verdict::Nothing("it is not newer than the collection")
            }
            DepositStatus::Paid => self.review(report, WorkKind::DepositFailedAfterSuccess, now),
            DepositStatus::NeedsReview
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited => self.flag(report, WorkKind::DepositFailedAfterSuccess, now),
        }
    }

    fn failed(&self, report: &PspReport, now: Timestamp) -> Verdict<Self> {
        let mut next = self.moved(DepositStatus::Failed, Reason::ProviderFailed, now);
        next.inner.heard = Some(report.at);
        next.inner.closed_at_psp |= report.status == PspStatus::Canceled;
        Verdict::change(next, "failed", vec!["deposit.failed"], vec![report.kind.clone()])
    }
}

/// The decision that opens a deposit.
pub fn opened(deposit: Deposit, why: Vec<String>) -> Decision<Deposit> {
    Decision::new(deposit, "pending", vec!["deposit.pending"], why)
}
