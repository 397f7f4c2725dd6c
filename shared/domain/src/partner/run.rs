//! A payout run: drafted by one person, approved by another, paid once. Each of its payouts is an entity of its own from its execution on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bank_file::{BankFile, Transfer};
use super::payee::{Payee, Rail};
use super::payout::{PartnerPayout, PayoutStatus};
use super::period::Period;
use super::rules::Debtor;
use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::four_eyes::person;
use crate::words::words;
use crate::{Currency, Money, MoneyError, PartnerId, PayoutId, PayoutRunId, Redacted, Timestamp};

/// The list of all runs, in which they stand by their ids, which follow time.
pub const RUNS: &str = "payout_runs";
/// Payouts that one run holds: with where they go they must fit one item.
pub const PAYOUTS_MAX: usize = 500;
/// Partners whom a run names as not paid.
pub const LEFT_OUT_MAX: usize = 500;

words! {
    /// How far a run is.
    RunStatus {
        /// It says what it would pay; another person must approve it.
        Draft = "draft",
        /// It may be paid.
        Approved = "approved",
        /// It is being paid.
        Executing = "executing",
        /// All of it is paid.
        Done = "done",
        /// All that could be paid is.
        PartlyFailed = "partly_failed",
        /// It pays nothing.
        Cancelled = "cancelled",
    }
}

words! {
    /// What a person does about a run.
    RunAction {
        /// Another person than the drafter approves it.
        Approve = "approve",
        /// It is paid.
        Execute = "execute",
        /// It pays nothing.
        Cancel = "cancel",
        /// The bank sent one payout back.
        Returned = "returned",
    }
}

words! {
    /// Why a run does not pay somebody.
    LeftOutCode {
        /// Nobody knows who he is yet.
        NotVerified = "not_verified",
        /// Compliance declined him.
        Declined = "declined",
        /// What he earned is held.
        OnHold = "on_hold",
        /// It is less than his agreement pays out.
        BelowMinimum = "below_minimum",
        /// He owes, by what was taken back.
        Negative = "negative",
        /// All of it is paid.
        NothingLeft = "nothing_left",
        /// The rules say nothing of how his rail pays.
        RailNotSetUp = "rail_not_set_up",
        /// The run is full.
        RunFull = "run_full",
    }
}

/// What a run is to pay one partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Whom.
    pub partner_id: PartnerId,
    /// How much; above zero.
    pub amount: Money,
    /// How.
    pub rail: Rail,
}

/// Whom a run does not pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Whom.
    pub partner_id: PartnerId,
    /// Why, in one word.
    pub code: LeftOutCode,
    /// What stands in his favour, or below zero against him.
    pub amount: Money,
    /// Why.
    pub why: String,
}

/// The file for the bank, as it was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenFile {
    /// When it was made.
    pub made_at: Timestamp,
    /// From our account.
    pub debtor: Debtor,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// How many payouts ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Paid.
    pub paid: u32,
    /// Not paid.
    pub failed: u32,
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// What was earned up to the end of this month.
    pub period: Period,
    /// In one currency.
    pub currency: Currency,
    /// By one rail, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rail: Option<Rail>,
    /// How far it is.
    pub status: RunStatus,
    /// Who drafted it.
    pub drafted_by: String,
    /// When.
    pub drafted_at: Timestamp,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// Who let it be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executed_by: Option<String>,
    /// Whom it pays.
    pub payouts: Vec<Planned>,
    /// Whom it does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// How many more it does not.
    #[serde(default)]
    pub left_out_more: u32,
    /// All payouts.
    pub total: Money,
    /// The file for the bank, once it is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FrozenFile>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// The private part: where the money goes, as it was drafted and approved.
pub type Payees = BTreeMap<PartnerId, Redacted<Payee>>;

/// A payout run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRun {
    /// Its id.
    pub id: PayoutRunId,
    /// What events may carry.
    pub facts: RunFacts,
    /// What they may not.
    pub payees: Payees,
}

/// What a draft is made of.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Up to the end of this month.
    pub period: Period,
    /// In this currency.
    pub currency: Currency,
    /// By this rail alone.
    pub rail: Option<Rail>,
    /// Whom, how much, and where to.
    pub payouts: Vec<(Planned, Payee)>,
    /// Whom not.
    pub left_out: Vec<LeftOut>,
}

/// Why a run is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunRefusal {
    /// Nobody approves his own draft.
    #[error("you drafted this run yourself: another person must approve it")]
    OwnDraft,
    /// It is too far, or not far enough.
    #[error("the run is {0}")]
    Status(RunStatus),
    /// The rules no longer say from which account of ours.
    #[error("the rules name no account of ours that the bank pays from")]
    NoAccount,
}

impl PayoutRun {
    /// A draft of payouts in one currency.
    ///
    /// # Errors
    /// [`MoneyError`] of amounts that have no sum.
    pub fn drafted(id: PayoutRunId, draft: Draft, (by, now): (&str, Timestamp)) -> Result<Decision<Self>, MoneyError> {
        let Draft { period, currency, rail, payouts, mut left_out } = draft;
        let sum = |sum: Money, (planned, _): &(Planned, Payee)| sum.checked_add(&planned.amount);
        let total = payouts.iter().try_fold(Money::zero(currency), sum)?;
        let why = vec![format!("{by} drafted {} payouts of {total}", payouts.len())];
        let more = left_out.len().saturating_sub(LEFT_OUT_MAX);
        left_out.truncate(LEFT_OUT_MAX);
        let payees = payouts.iter().map(|(planned, payee)| (planned.partner_id.clone(), Redacted::new(payee.clone())));
        let payees = payees.collect();
        let facts = RunFacts {
            period,
            currency,
            rail,
            status: RunStatus::Draft,
            drafted_by: by.to_owned(),
            drafted_at: now,
            approved_by: None,
            executed_by: None,
            payouts: payouts.into_iter().map(|(planned, _)| planned).collect(),
            left_out,
            left_out_more: u32::try_from(more).unwrap_or(u32::MAX),
            total,
            file: None,
            ended: None,
        };
        Ok(Decision::new(Self { id, facts, payees }, "drafted", vec!["payout_run.drafted"], why))
    }

    /// Another person approves it, and the file for the bank is frozen. The store holds the approver against who drafted it once more.
    ///
    /// # Errors
    /// [`RunRefusal`].
    pub fn approve(&self, debtor: Option<&Debtor>, by: &str, now: Timestamp) -> Result<Verdict<Self>, RunRefusal> {
        match self.facts.status {
            RunStatus::Draft if person(by) == person(&self.facts.drafted_by) => Err(RunRefusal::OwnDraft),
            RunStatus::Draft => {
                let mut next = self.clone();
                (next.facts.status, next.facts.approved_by) = (RunStatus::Approved, Some(by.to_owned()));
                let mut why = vec![format!("{by} approved what {} drafted", self.facts.drafted_by)];
                if self.facts.payouts.iter().any(|planned| planned.rail == Rail::Bank) {
                    let debtor = debtor.ok_or(RunRefusal::NoAccount)?.clone();
                    let sha256 = self.file_of(&debtor, now).hash();
                    why.push(format!("the file for the bank has the hash {sha256}"));
                    next.facts.file = Some(FrozenFile { made_at: now, debtor, sha256 });
                }
                Ok(Verdict::Change(Box::new(
                    Decision::new(next, "approved", vec!["payout_run.approved"], why).approved_by(by),
                )))
            }
            RunStatus::Approved if self.facts.approved_by.as_deref().map(person) == Some(person(by)) => {
                Ok(Verdict::Nothing("it is approved"))
            }
            status => Err(RunRefusal::Status(status)),
        }
    }

    /// It pays nothing. Once the first payout may have gone out, it is too late.
    ///
    /// # Errors
    /// [`RunRefusal::Status`].
    pub fn cancel(&self, by: &str) -> Result<Verdict<Self>, RunRefusal> {
        match self.facts.status {
            RunStatus::Draft | RunStatus::Approved => {
                let mut next = self.clone();
                next.facts.status = RunStatus::Cancelled;
                Ok(Verdict::change(next, "cancelled", vec!["payout_run.cancelled"], vec![format!("{by} cancelled it")]))
            }
            status => Err(RunRefusal::Status(status)),
        }
    }

    /// It is paid from now on: its payouts are begun. One that pays nobody is done.
    ///
    /// # Errors
    /// [`RunRefusal::Status`] of a run that nobody approved, or that is being paid already.
    pub fn execute(&self, by: &str) -> Result<Verdict<Self>, RunRefusal> {
        if self.facts.status != RunStatus::Approved {
            return Err(RunRefusal::Status(self.facts.status));
        }
        let mut next = self.clone();
        next.facts.executed_by = Some(by.to_owned());
        let why = vec![format!("{by} lets it be paid")];
        if self.facts.payouts.is_empty() {
            (next.facts.status, next.facts.ended) = (RunStatus::Done, Some(Ended::default()));
            return Ok(Verdict::change(next, "done", vec!["payout_run.ended"], why));
        }
        next.facts.status = RunStatus::Executing;
        Ok(Verdict::change(next, "executing", vec!["payout_run.executing"], why))
    }

    /// Whether it may pay.
    pub fn is_executing(&self) -> bool {
        self.facts.status == RunStatus::Executing
    }

    /// The ids of its payouts.
    pub fn payout_ids(&self) -> Vec<PayoutId> {
        self.facts.payouts.iter().map(|planned| PayoutId::of(&self.id, &planned.partner_id)).collect()
    }

    /// It has ended when each of its payouts has.
    pub fn ended(&self, payouts: &[PartnerPayout]) -> Verdict<Self> {
        if !self.is_executing() {
            return Verdict::Nothing("it is not being paid");
        }
        if payouts.len() < self.facts.payouts.len() || payouts.iter().any(|payout| !payout.has_ended()) {
            return Verdict::Nothing("some of it is not over");
        }
        let failed = payouts.iter().filter(|payout| payout.facts.status == PayoutStatus::Failed).count();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let ended = Ended { paid: count(payouts.len().saturating_sub(failed)), failed: count(failed) };
        let mut next = self.clone();
        next.facts.ended = Some(ended);
        next.facts.status = if failed == 0 { RunStatus::Done } else { RunStatus::PartlyFailed };
        let why = vec![format!("{} are paid, {} are not", ended.paid, ended.failed)];
        Verdict::change(next, "ended", vec!["payout_run.ended"], why)
    }

    fn file_of<'a>(&'a self, debtor: &'a Debtor, made_at: Timestamp) -> BankFile<'a> {
        let transfers = self.facts.payouts.iter().filter(|planned| planned.rail == Rail::Bank).filter_map(|planned| {
            Some(Transfer {
                id: PayoutId::of(&self.id, &planned.partner_id),
                amount: planned.amount,
                payee: self.payees.get(&planned.partner_id)?.reveal(),
                text: format!("Partner pay {}", self.facts.period),
            })
        });
        let transfers = transfers.collect();
        BankFile { run: &self.id, made_at, debtor, currency: self.facts.currency, transfers }
    }

    /// The file for the bank, once each transfer has left its partner's balance or cannot: what was approved without those that cannot,
    /// or nothing. Whoever has the file may pay by it, so no file has what no balance was charged with.
    pub fn file(&self, payouts: &[PartnerPayout]) -> Option<String> {
        match self.facts.status {
            RunStatus::Draft | RunStatus::Approved | RunStatus::Cancelled => return None,
            RunStatus::Executing | RunStatus::Done | RunStatus::PartlyFailed => {}
        }
        let frozen = self.facts.file.as_ref()?;
        let mut file = self.file_of(&frozen.debtor, frozen.made_at);
        if file.hash() != frozen.sha256 {
            return None;
        }
        let of = |transfer: &Transfer<'_>| payouts.iter().find(|payout| payout.id == transfer.id);
        if !file.transfers.iter().all(|transfer| of(transfer).is_some_and(PartnerPayout::has_ended)) {
            return None;
        }
        file.transfers
            .retain(|transfer| of(transfer).is_some_and(|payout| payout.facts.status != PayoutStatus::Failed));
        (!file.transfers.is_empty()).then(|| file.xml())
    }
}

impl Entity for PayoutRun {
    type Id = PayoutRunId;
    type Table = InPartners;
    type Public = RunFacts;
    type Private = Payees;
    const KIND: &'static str = "payout_run";

    fn id(&self) -> &PayoutRunId {
        &self.id
    }

    fn rank(&self) -> Option<(String, String)> {
        Some((RUNS.to_owned(), self.id.to_string()))
    }

    fn proposed_by(&self) -> Option<String> {
        (self.facts.status == RunStatus::Draft).then(|| person(&self.facts.drafted_by))
    }

    fn public(&self) -> &RunFacts {
        &self.facts
    }

    fn private(&self) -> &Payees {
        &self.payees
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public, payees: parts.private })
    }
}
