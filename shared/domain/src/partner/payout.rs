//! What a run pays one partner: intent, call, outcome.
//!
//! The money leaves the partner's balance together with the intent, so that no two runs pay the same; it comes back together with the
//! failure, once. A bank is given a file: what stands in the file of an executed run counts as paid, until a person says that it came back.

use serde::{Deserialize, Serialize};

use super::payee::{Payee, Rail};
use super::period::Period;
use super::run::{PayoutRun, Planned};
use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::ledger::{LedgerAccount, Postings};
use crate::payment::{GRACE, Payout, PspReport, PspStatus};
use crate::withdrawal::payout::PayoutLimits;
use crate::withdrawal::{Destination, PayoutAnswer};
use crate::words::words;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Review};
use crate::{Money, PartnerId, PayoutId, PayoutRunId, Redacted, Seconds, Timestamp};

/// First wait before a payout that the provider did not take is sent again, or one that may have gone out is asked about; doubles.
const AGAIN_FIRST: Seconds = Seconds(60);
/// Longest such wait.
const AGAIN_MAX: Seconds = Seconds(3_600);

words! {
    /// How far a payout is.
    PayoutStatus {
        /// Nothing was sent, and the partner's balance has it.
        Waiting = "waiting",
        /// It left the balance, and is or may be with the provider.
        Sending = "sending",
        /// The partner has it.
        Paid = "paid",
        /// He does not get it, and the balance has it again.
        Failed = "failed",
        /// It was paid and came back; the balance has it again.
        Returned = "returned",
    }
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutFacts {
    /// The run.
    pub run_id: PayoutRunId,
    /// Whom.
    pub partner_id: PartnerId,
    /// What was earned up to the end of this month.
    pub period: Period,
    /// When the run was drafted: what was booked by then is paid with it.
    pub drafted_at: Timestamp,
    /// How much.
    pub amount: Money,
    /// How.
    pub rail: Rail,
    /// Over which provider, if over one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psp: Option<String>,
    /// The provider's id of it, once it gave one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// How far it is.
    pub status: PayoutStatus,
    /// Why it is not paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was sent.
    #[serde(default)]
    pub attempts: u32,
    /// How often it was asked about in vain.
    #[serde(default)]
    pub polls: u32,
    /// Since when it is being sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When a call began whose end nobody has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempted: Option<Timestamp>,
    /// The provider said that it has it.
    #[serde(default)]
    pub accepted: bool,
    /// What the provider said by itself, until it is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<PayoutAnswer>,
    /// What a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
}

/// A payout to a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerPayout {
    /// Its id, which follows from run and partner.
    pub id: PayoutId,
    /// What events may carry.
    pub facts: PayoutFacts,
    /// Where it goes.
    pub payee: Redacted<Payee>,
    /// When somebody looks at it again.
    pub due: Option<Timestamp>,
}

/// What the worker does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Take the money out of the balance together with the intent, then send.
    Take,
    /// Carry out what the provider said by itself.
    Told,
    /// Ask the provider.
    Ask,
    /// Nothing.
    Nothing(&'static str),
}

/// What moves in the partner's balance together with a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The payout.
    pub decision: Decision<PartnerPayout>,
    /// Paid to the partner, or below zero put back.
    pub paid: Option<Money>,
}

impl Moved {
    fn only(verdict: Decision<PartnerPayout>) -> Self {
        Self { decision: verdict, paid: None }
    }
}

impl PartnerPayout {
    /// The decision that begins a payout of a run; nothing is sent yet.
    pub fn ordered(run: &PayoutRun, planned: &Planned, psp: Option<&str>, now: Timestamp) -> Option<Decision<Self>> {
        let payee = run.payees.get(&planned.partner_id)?.clone();
        let facts = PayoutFacts {
            run_id: run.id.clone(),
            partner_id: planned.partner_id.clone(),
            period: run.facts.period,
            drafted_at: run.facts.drafted_at,
            amount: planned.amount,
            rail: planned.rail,
            psp: psp.map(str::to_owned),
            reference: String::new(),
            status: PayoutStatus::Waiting,
            reason: None,
            attempts: 0,
            polls: 0,
            since: None,
            attempted: None,
            accepted: false,
            told: None,
            review: None,
        };
        let id = PayoutId::of(&run.id, &planned.partner_id);
        let why = vec![format!("{} of {} by {}", planned.amount, run.id, planned.rail)];
        let next = Self { id, facts, payee, due: Some(now.plus(GRACE)) };
        Some(Decision::new(next, "ordered", vec!["payout.ordered"], why))
    }

    /// Whether it is over: paid, failed, or paid and come back.
    pub fn has_ended(&self) -> bool {
        match self.facts.status {
            PayoutStatus::Waiting | PayoutStatus::Sending => false,
            PayoutStatus::Paid | PayoutStatus::Failed | PayoutStatus::Returned => true,
        }
    }

    /// Whether no call can still be under way.
    fn grace_over(&self, now: Timestamp) -> bool {
        self.facts.attempted.is_none_or(|at| at.plus(GRACE) <= now)
    }

    /// What the worker does next.
    pub fn next_step(&self, now: Timestamp) -> NextStep {
        match self.facts.status {
            _ if self.facts.told.is_some() => NextStep::Told,
            PayoutStatus::Waiting => NextStep::Take,
            PayoutStatus::Sending if self.facts.review.is_some() => NextStep::Nothing("a person is asked"),
            PayoutStatus::Sending if self.facts.accepted => NextStep::Ask,
            PayoutStatus::Sending if !self.grace_over(now) => NextStep::Nothing("a call may still be under way"),
            PayoutStatus::Sending => NextStep::Ask,
            PayoutStatus::Paid | PayoutStatus::Failed | PayoutStatus::Returned => NextStep::Nothing("it is over"),
        }
    }

    /// The account that it is paid from.
    fn paid_from(&self) -> LedgerAccount {
        self.facts.psp.clone().map_or(LedgerAccount::Bank, LedgerAccount::Psp)
    }

    /// What is booked once he has it.
    fn entry(&self) -> Postings {
        let partner = LedgerAccount::Partner(self.facts.partner_id.clone());
        Postings::transfer(self.paid_from(), partner, self.facts.amount)
    }

    fn entry_back(&self) -> Postings {
        let partner = LedgerAccount::Partner(self.facts.partner_id.clone());
        Postings::transfer(partner, self.paid_from(), self.facts.amount)
    }

    /// The money leaves the balance with the intent to send it. By a bank's file it is paid with that.
    pub fn taken(&self, now: Timestamp) -> Moved {
        let mut next = self.clone();
        let paid = Some(self.facts.amount);
        if self.facts.rail == Rail::Bank {
            (next.facts.status, next.due) = (PayoutStatus::Paid, None);
            let why = vec!["it stands in the file for the bank".to_owned()];
            let decision = Decision::new(next, "paid", vec!["payout.paid"], why).booking(self.entry());
            return Moved { decision, paid };
        }
        next.intend(now);
        next.facts.since = Some(now);
        let why = vec![format!("send {} over {}", self.facts.amount, self.facts.psp.as_deref().unwrap_or("nobody"))];
        Moved { decision: Decision::new(next, "sending", vec![], why), paid }
    }

    /// Sends it again, which surely is not there.
    pub fn sent_again(&self, now: Timestamp) -> Decision<Self> {
        let mut next = self.clone();
        next.intend(now);
        Decision::new(next, "sending", vec![], vec![format!("attempt {}", self.facts.attempts.saturating_add(1))])
    }

    fn intend(&mut self, now: Timestamp) {
        self.facts.status = PayoutStatus::Sending;
        self.facts.attempts = self.facts.attempts.saturating_add(1);
        (self.facts.attempted, self.facts.accepted) = (Some(now), false);
        self.due = Some(now.plus(GRACE));
    }

    /// The balance has not got it any more: another run paid it, or it was taken back.
    pub fn not_covered(&self, has: Money) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.status = PayoutStatus::Failed;
        next.facts.reason = Some(format!("the balance has {has} to pay out"));
        next.due = None;
        let why = vec![format!("{} are to be paid, and the balance has {has}", self.facts.amount)];
        Decision::new(next, "failed", vec!["payout.failed"], why)
    }

    fn pause(&self) -> Seconds {
        let tried = self.facts.attempts.saturating_add(self.facts.polls);
        AGAIN_FIRST.doubled(tried.saturating_sub(1), AGAIN_MAX)
    }

    fn is_past(&self, limits: PayoutLimits, now: Timestamp) -> bool {
        self.facts.since.is_some_and(|since| since.plus(limits.review_after) <= now)
    }

    /// What the provider answered, to the call or when asked. `None` where it says nothing new.
    pub fn answered(&self, answer: &PayoutAnswer, limits: PayoutLimits, now: Timestamp) -> Option<Moved> {
        if self.facts.status != PayoutStatus::Sending {
            return None;
        }
        match answer {
            PayoutAnswer::Paid { reference } => Some(Moved::only(self.paid(reference, vec![]))),
            PayoutAnswer::Failed { reference, code } => Some(self.failed(reference, &format!("payout failed: {code}"))),
            PayoutAnswer::Accepted { .. } | PayoutAnswer::NotTaken(_) | PayoutAnswer::Unknown(_)
                if self.is_past(limits, now) =>
            {
                Some(Moved::only(self.asked_of_a_person("the provider does not say what became of it", now)))
            }
            PayoutAnswer::Accepted { reference } => {
                let mut next = self.clone();
                (next.facts.accepted, next.facts.attempted) = (true, None);
                next.adopt(reference);
                next.due = Some(now.plus(limits.poll));
                Some(Moved::only(Decision::new(next, "accepted", vec![], vec!["the provider has it".to_owned()])))
            }
            PayoutAnswer::NotTaken(reason) | PayoutAnswer::Unknown(reason) => {
                let mut next = self.clone();
                next.facts.polls = self.facts.polls.saturating_add(1);
                if matches!(answer, PayoutAnswer::NotTaken(_)) {
                    next.facts.attempted = None;
                }
                let grace = next.facts.attempted.map_or(now, |at| at.plus(GRACE));
                next.due = Some(grace.max(now.plus(self.pause())));
                Some(Moved::only(Decision::new(next, "waiting", vec![], vec![reason.clone()])))
            }
        }
    }

    /// The provider says something by itself. It is kept here and carried out by the worker, who may move balances. What is not proven, or is
    /// about another amount, makes the worker ask.
    pub fn heard(&self, report: &PspReport, proven: bool, now: Timestamp) -> Verdict<Self> {
        let reference = report.reference.clone();
        let told = match &report.status {
            PspStatus::Payout(Payout::Paid) => PayoutAnswer::Paid { reference },
            PspStatus::Payout(Payout::Pending) => PayoutAnswer::Accepted { reference },
            PspStatus::Payout(Payout::Failed) => PayoutAnswer::Failed { reference, code: report.kind.clone() },
            _ => return Verdict::Nothing("it is about no payout"),
        };
        if self.facts.psp.as_deref() != Some(report.psp.as_str()) {
            return Verdict::Nothing("it is another provider's");
        }
        let came_back = matches!(&told, PayoutAnswer::Failed { reference, .. } if self.is_own(reference));
        match self.facts.status {
            PayoutStatus::Sending => {}
            PayoutStatus::Paid if came_back && proven => {}
            PayoutStatus::Waiting | PayoutStatus::Paid | PayoutStatus::Failed | PayoutStatus::Returned => {
                return Verdict::Nothing("nothing of it is under way");
            }
        }
        let other = report
            .money
            .is_some_and(|money| money.currency() == self.facts.amount.currency() && money != self.facts.amount);
        let mut next = self.clone();
        next.facts.told = (proven && !other).then_some(told);
        if self.facts.status == PayoutStatus::Sending {
            next.due = Some(now);
        }
        Verdict::change(next, "told", vec!["payout.told"], vec![format!("{} says {}", report.psp, report.kind)])
    }

    fn is_own(&self, reference: &str) -> bool {
        !reference.is_empty() && reference == self.facts.reference
    }

    /// Carries out what the provider said by itself; `None` where nothing is left to be.
    pub fn carried_out(&self, limits: PayoutLimits, now: Timestamp) -> Option<Moved> {
        let told = self.facts.told.as_ref()?;
        let mut own = self.clone();
        own.facts.told = None;
        let moved = match (self.facts.status, told) {
            (PayoutStatus::Paid, PayoutAnswer::Failed { code, .. }) => {
                own.returned(self.facts.psp.as_deref().unwrap_or("the provider"), code)
            }
            _ => own.answered(told, limits, now),
        };
        moved.or_else(|| {
            own.due = if own.has_ended() { None } else { own.due };
            Some(Moved::only(Decision::new(own, "nothing_new", vec![], vec![])))
        })
    }

    /// Whether it may be sent again where the provider, asked, has no such payout.
    pub fn may_be_sent_again(&self, now: Timestamp) -> bool {
        self.facts.status == PayoutStatus::Sending && !self.facts.accepted && self.grace_over(now)
    }

    fn adopt(&mut self, reference: &str) {
        if !reference.is_empty() {
            reference.clone_into(&mut self.facts.reference);
        }
    }

    fn paid(&self, reference: &str, mut why: Vec<String>) -> Decision<Self> {
        let mut next = self.clone();
        next.facts.status = PayoutStatus::Paid;
        (next.facts.attempted, next.facts.review, next.due) = (None, None, None);
        next.adopt(reference);
        why.push(format!("payout {} {}", next.facts.reference, self.facts.amount));
        Decision::new(next, "paid", vec!["payout.paid"], why).booking(self.entry())
    }

    /// He does not get it: the balance has it again.
    fn failed(&self, reference: &str, why: &str) -> Moved {
        let mut next = self.clone();
        next.facts.status = PayoutStatus::Failed;
        (next.facts.attempted, next.facts.review, next.due) = (None, None, None);
        next.facts.reason = Some(why.to_owned());
        next.adopt(reference);
        let decision = Decision::new(next, "failed", vec!["payout.failed"], vec![why.to_owned()]);
        Moved { decision, paid: Some(self.facts.amount.negated()) }
    }

    fn asked_of_a_person(&self, why: &str, now: Timestamp) -> Decision<Self> {
        let mut next = self.clone();
        let kind = WorkKind::PartnerPayoutUnresolved;
        next.facts.review = Some(Review::of(kind, format!("{kind}:{}", now.millis())));
        next.due = None;
        Decision::new(next, "held", vec!["desk.item"], vec![why.to_owned()])
    }

    /// It was paid and came back, as a person says; once.
    pub fn returned(&self, by: &str, reason: &str) -> Option<Moved> {
        if self.facts.status != PayoutStatus::Paid {
            return None;
        }
        let mut next = self.clone();
        (next.facts.status, next.due) = (PayoutStatus::Returned, None);
        next.facts.reason = Some("it came back".to_owned());
        let why = vec![format!("{by} says that it came back: {reason}")];
        let decision = Decision::new(next, "returned", vec!["payout.returned"], why).booking(self.entry_back());
        Some(Moved { decision, paid: Some(self.facts.amount.negated()) })
    }

    /// Carries out what a person decided about a payout of which the provider says nothing.
    pub fn decided(&self, decision: &HumanDecision, now: Timestamp) -> Option<Moved> {
        let waits = self.facts.review.as_ref().is_some_and(|own| decision.is_about(&own.kind, &own.trigger));
        if !waits || self.facts.status != PayoutStatus::Sending {
            return None;
        }
        match decision.action() {
            Some(WorkAction::MarkPaidOut) => Some(Moved::only(self.paid("", vec![decision.why()]))),
            Some(WorkAction::CreditBack) => Some(self.failed("", &decision.why())),
            Some(WorkAction::MarkNotPaidRetry) => {
                let mut next = self.clone();
                next.facts.review = None;
                (next.facts.since, next.facts.attempted, next.facts.accepted) = (Some(now), None, false);
                next.due = Some(now);
                Some(Moved::only(Decision::new(next, "again", vec![], vec![decision.why()])))
            }
            // the item was closed without a decision: the provider is asked again
            _ => {
                let mut next = self.clone();
                (next.facts.review, next.facts.since) = (None, Some(now));
                next.due = Some(now.plus(AGAIN_MAX));
                Some(Moved::only(Decision::new(next, "left_open", vec![], vec![decision.why()])))
            }
        }
    }

    /// Where a provider sends it; none by a bank.
    pub fn destination(&self) -> Option<Destination> {
        match self.payee.reveal() {
            Payee::Bank { .. } => None,
            Payee::Crypto { currency, address } => Some(Destination::Crypto {
                currency: currency.clone(),
                address: Redacted::new(address.clone()),
                tag: None,
            }),
            Payee::Wallet { email, .. } => Some(Destination::Email(Redacted::new(email.clone()))),
        }
    }
}

impl Entity for PartnerPayout {
    type Id = PayoutId;
    type Table = InPartners;
    type Public = PayoutFacts;
    type Private = Redacted<Payee>;
    const KIND: &'static str = "payout";
    const TIMED: bool = true;

    fn id(&self) -> &PayoutId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &PayoutFacts {
        &self.facts
    }

    fn private(&self) -> &Redacted<Payee> {
        &self.payee
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public, payee: parts.private })
    }
}
