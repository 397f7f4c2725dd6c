//! What happens when a webhook does not come, or a credit gets stuck: asked by the timer.

use super::deposit::{Deposit, DepositStatus, Reason};
use super::report::{PspReport, PspStatus};
use crate::decision::Verdict;
use crate::payment::rules::{PspRule, Psps};
use crate::work::rules::WorkKind;
use crate::{Seconds, Timestamp};

/// A credit that is sent to its worker again and again is sent less often after this.
const REDRIVE_SLOWER_AFTER_MS: i64 = 3_600_000;
/// How often then.
const REDRIVE_SLOW: Seconds = Seconds(900);

/// What a due deposit needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueStep {
    /// Ask the provider.
    Poll,
    /// Hand it to the crediting worker again, or to have a ticket looked up.
    Credit,
    /// The timer no longer applies.
    Nothing(&'static str),
}

/// What the provider said when it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one is made for each poll, and most are reports")]
pub enum PollAnswer {
    /// Its statement.
    Report(PspReport),
    /// It knows no such payment.
    Absent,
    /// It knows none, and has none before the payer has acted.
    Unpaid,
    /// It could not be asked.
    Silent(String),
}

/// The provider's limits (rule set `psps`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollLimits {
    /// From one poll to the next.
    pub poll_limit: Seconds,
    /// From the opening to a person, however often the provider says that it is still at it.
    pub needs_review_after: Seconds,
}

impl From<&PspRule> for PollLimits {
    fn from(psp: &PspRule) -> Self {
        Self { poll_limit: psp.poll_limit, needs_review_after: psp.needs_review_after }
    }
}

impl Deposit {
    /// What a deposit that is due needs now.
    pub fn due_step(&self, now: Timestamp) -> DueStep {
        if self.due.is_none_or(|due| due > now) {
            return DueStep::Nothing("it is not due");
        }
        if !self.inner.named.is_empty() {
            return DueStep::Credit;
        }
        match self.status() {
            DepositStatus::Pending => DueStep::Poll,
            DepositStatus::Paid | DepositStatus::Crediting | DepositStatus::CreditingUnknown => DueStep::Credit,
            DepositStatus::Credited
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => DueStep::Nothing("it waits for nothing"),
        }
    }

    /// What the provider's answer to a poll does. Always a change while it is pending: who is asked once is asked
    /// again, or is done with.
    ///
    /// - still not paid by the payer at the second poll: expired (a provider that has no payment until then says so by knowing none);
    /// - not known or not to be had at the second poll in a row: a person looks;
    /// - under way at the provider: asked again until its time is over, then a person looks.
    pub fn polled(&self, answer: &PollAnswer, limits: PollLimits, rules: &Psps, now: Timestamp) -> Verdict<Self> {
        if self.status() != DepositStatus::Pending {
            return Verdict::Nothing("it no longer waits for the provider");
        }
        let over = now >= self.inner.opened.plus(limits.needs_review_after);
        let last = over || self.inner.polls > 0;
        let still = |deposit: &Self, said: &str| match last {
            true => deposit.overdue(said, now),
            false => deposit.ask_again(said, deposit.inner.polls.saturating_add(1), limits, now),
        };
        let unknown = |said: &str| still(self, said);
        let report = match answer {
            PollAnswer::Report(report) => report,
            PollAnswer::Absent => return unknown("the provider knows no such payment"),
            PollAnswer::Unpaid if last => return self.never_paid(now),
            PollAnswer::Unpaid => return unknown("the payer has not paid"),
            PollAnswer::Silent(reason) => return unknown(reason),
        };
        match &report.status {
            PspStatus::Pending if last => self.never_paid(now),
            PspStatus::Processing | PspStatus::Payable { .. } if over => self.overdue(&report.kind, now),
            PspStatus::Processing | PspStatus::Payable { .. } => self.ask_again(&report.kind, 0, limits, now),
            PspStatus::Pending | PspStatus::Payout(_) | PspStatus::Irrelevant => unknown(&report.kind),
            PspStatus::Succeeded
            | PspStatus::Scored { .. }
            | PspStatus::Failed
            | PspStatus::Canceled
            | PspStatus::Returned(_) => {
                // what it says when asked is its present word, however it dates it
                let at = self.inner.heard.map_or(report.at, |heard| heard.max(report.at));
                match self.told(&PspReport { at, ..report.clone() }, rules, now) {
                    Verdict::Nothing(reason) => unknown(reason),
                    // it was noted, and tells nothing about what is waited for
                    Verdict::Change(noted) if noted.next.status() == self.status() => still(&noted.next, &report.kind),
                    change @ Verdict::Change(_) => change,
                }
            }
        }
    }

    fn ask_again(&self, said: &str, polls: u32, limits: PollLimits, now: Timestamp) -> Verdict<Self> {
        let mut next = self.unmoved();
        next.inner.polls = polls;
        let end = self.inner.opened.plus(limits.needs_review_after);
        let again = now.plus(limits.poll_limit);
        next.due = Some(if end > now { again.min(end) } else { again });
        Verdict::change(next, "polled", vec![], vec![format!("no webhook in time; asked, answer: {said}")])
    }

    fn never_paid(&self, now: Timestamp) -> Verdict<Self> {
        let next = self.moved(DepositStatus::Expired, Reason::NeverPaid, now);
        let why = vec!["the provider still waits for the payer".to_owned()];
        Verdict::change(next, "expired", vec!["deposit.expired"], why)
    }

    fn overdue(&self, said: &str, now: Timestamp) -> Verdict<Self> {
        let mut next = self.held(WorkKind::DepositOverdue, &self.own_trigger("overdue"), now);
        next.inner.polls = 0;
        let why = vec![format!("deposit_overdue: asked again, last answer: {said}")];
        Verdict::change(next, "needs_review", vec!["deposit.needs_review"], why)
    }

    /// Sends a stuck credit to its worker again; the due time moves so that one sweep sends it once.
    pub fn redriven(&self, now: Timestamp) -> Verdict<Self> {
        let moved = self.inner.stages.last().map_or(self.inner.opened, |stage| self.moment(stage));
        let slow = now.millis_since(moved) > REDRIVE_SLOWER_AFTER_MS;
        let mut next = self.unmoved();
        next.due = Some(now.plus(if slow { REDRIVE_SLOW } else { super::credit::GRACE }));
        if !self.inner.named.is_empty() {
            let why = vec!["a ticket waits to be looked up".to_owned()];
            return Verdict::change(next, "redriven", vec!["deposit.ticket_named"], why);
        }
        let why = vec![format!("{} for too long", self.status().as_str())];
        Verdict::change(next, "redriven", vec!["deposit.credit_due"], why)
    }
}
