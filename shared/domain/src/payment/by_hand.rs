//! What a person did by hand, held against what the automation has done meanwhile: only one of the two moves the money.
//!
//! It is decided on the deposit as it is now and saved together with the work item, so that of a person and a worker who move the
//! same money at the same moment one finds the other's version.

use super::deposit::{Debit, Deposit, DepositStatus, Reason};
use crate::account::rules::TicketForm;
use crate::decision::Verdict;
use crate::fault::{self, Fault};
use crate::work::evidence::WORDS;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{ByHandRefusal, HumanDecision, Moved};
use crate::{Money, Timestamp};

impl Deposit {
    /// A person says that he moved money by hand. `about_its_own` says whether the item asks about the deposit's own collection (it
    /// was stopped for it) and not about other money beside it.
    ///
    /// # Errors
    /// [`ByHandRefusal`] when the automation has moved it meanwhile, or may be about to, or when an amount is missing.
    pub fn by_hand(
        &self,
        decision: &HumanDecision,
        about_its_own: bool,
        now: Timestamp,
    ) -> Result<Verdict<Self>, ByHandRefusal> {
        if fault::is_back(Fault::ByHandIsNotChecked) {
            return Ok(self.decided(decision, now));
        }
        match decision.action() {
            Some(WorkAction::MarkDebitedOnPlatform) => Ok(self.debit_by_hand(decision, now)?),
            Some(WorkAction::MarkCredited) if self.is_waiting_for(decision) && self.lacks_amount(decision) => {
                Err(ByHandRefusal::AmountMissing)
            }
            Some(WorkAction::MarkCredited)
                if about_its_own && self.takes_a_late_credit() && self.lacks_amount(decision) =>
            {
                Err(ByHandRefusal::AmountMissing)
            }
            Some(WorkAction::RefundAtPsp | WorkAction::MarkCredited)
                if !about_its_own || self.is_waiting_for(decision) =>
            {
                Ok(self.decided(decision, now))
            }
            Some(WorkAction::RefundAtPsp) => Ok(self.late_refund_by_hand(decision, now)?),
            Some(WorkAction::MarkCredited) => Ok(self.late_credit_by_hand(decision, now)?),
            _ => Ok(self.decided(decision, now)),
        }
    }

    pub(super) fn is_waiting_for(&self, decision: &HumanDecision) -> bool {
        let held = self.inner.held.as_ref().filter(|_| self.status() == DepositStatus::NeedsReview);
        held.is_some_and(|held| decision.is_about(&held.review.kind, &held.review.trigger))
    }

    /// The deposit no longer waits for the item that says it was refunded.
    fn late_refund_by_hand(&self, decision: &HumanDecision, now: Timestamp) -> Result<Verdict<Self>, Moved> {
        match self.status() {
            DepositStatus::Refunded | DepositStatus::ChargedBack => {
                Ok(Verdict::Nothing("the money has already gone back"))
            }
            // nothing was sent, so nothing will be
            DepositStatus::Paid if !self.may_have_been_sent() => Ok(self.refunded_by_hand(vec![decision.why()], now)),
            DepositStatus::Pending | DepositStatus::Failed | DepositStatus::Expired => {
                Ok(self.refunded_by_hand(vec![decision.why()], now))
            }
            DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::NeedsReview => Err(self.moved_meanwhile()),
        }
    }

    /// The deposit no longer waits for the item that says it was credited.
    fn late_credit_by_hand(&self, decision: &HumanDecision, now: Timestamp) -> Result<Verdict<Self>, Moved> {
        let Some(ticket) = decision.evidence.as_deref() else { return Ok(self.decided(decision, now)) };
        if self.facts.platform.operation.as_deref() == Some(self.ticket_of(ticket)) {
            return Ok(Verdict::Nothing("the deal is already known"));
        }
        match self.takes_a_late_credit() {
            true => Ok(self.late_credit(ticket, now)),
            false => Err(self.moved_meanwhile()),
        }
    }

    /// Whether what a person says to have credited can still be the deposit's first credit, although it does not wait for his item.
    fn takes_a_late_credit(&self) -> bool {
        match self.status() {
            DepositStatus::Paid => !self.may_have_been_sent(),
            DepositStatus::Pending | DepositStatus::Failed | DepositStatus::Expired => true,
            DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => false,
        }
    }

    fn late_credit(&self, evidence: &str, now: Timestamp) -> Verdict<Self> {
        let mut known = self.clone();
        // the person saw it collected: the provider's own word, when it comes, is not a second collection
        known.facts.paid = Some(self.collection());
        match known.said_to_be_credited(evidence, known.creditable()) {
            Some((ticket, amount)) => known.credited(ticket.to_owned(), amount, Reason::Person, now),
            None => Verdict::Nothing("it needs what was put on the account, in its currency"),
        }
    }

    /// A deal that a person named stands on the platform, and the deposit does not wait for his item.
    pub(super) fn credit_is_there(&self, evidence: &str, now: Timestamp) -> Verdict<Self> {
        match self.status() {
            DepositStatus::Paid | DepositStatus::Pending | DepositStatus::Failed | DepositStatus::Expired => {
                self.late_credit(evidence, now)
            }
            DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => match self.said_to_be_credited(evidence, self.creditable()) {
                Some((ticket, amount)) => {
                    let said = Some(amount).filter(|_| self.creditable().currency() != self.account_currency());
                    self.booked(ticket.to_owned(), said, now)
                }
                None => Verdict::Nothing("it needs what was put on the account, in its currency"),
            },
        }
    }

    fn debit_by_hand(&self, decision: &HumanDecision, now: Timestamp) -> Result<Verdict<Self>, Moved> {
        let known = decision.evidence.as_deref().is_some_and(|ticket| self.is_debit(ticket));
        let about_reversal = decision.kind == WorkKind::DepositReversedAfterCredit.as_str();
        let gone = self.reversed_part().is_positive() || self.status().is_reversed();
        if self.facts.credited.is_none() || (about_reversal && !known && !gone) {
            return Err(self.moved_meanwhile());
        }
        Ok(self.decided(decision, now))
    }

    /// What is known now, for the person who is refused.
    fn moved_meanwhile(&self) -> Moved {
        let mut known = format!("the deposit is {} now", self.status().as_str());
        if let Some(credited) = self.facts.credited {
            let deal = self.facts.platform.operation.as_deref().unwrap_or("unknown");
            known.push_str(&format!("; {credited} is credited, deal {deal}"));
        }
        match self.facts.returned {
            Some(returned) => known.push_str(&format!("; {returned} has gone back to the payer")),
            None => known.push_str("; nothing has gone back to the payer"),
        }
        if let Some(held) = self.inner.held.as_ref().filter(|_| self.status() == DepositStatus::NeedsReview) {
            known.push_str(&format!("; it waits for another work item, {}", held.review.kind));
        }
        Moved(known)
    }

    /// A person refunded it at the provider.
    pub(super) fn refunded_by_hand(&self, why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        let mut returns = self.inner.returns.clone();
        returns.refunded_by_hand(self.collection());
        let next = self.knowing(returns).moved(DepositStatus::Refunded, Reason::Person, now);
        Verdict::change(next, "refunded", vec!["deposit.refunded"], why)
    }

    /// A person took the credit, or what went back of it, off the trading account.
    pub(super) fn debited_by_hand(&self, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        let Some(ticket) = decision.evidence.as_deref() else {
            return Verdict::Nothing("it needs the platform's ticket");
        };
        if self.facts.credited.is_none() {
            return Verdict::Nothing("nothing of it is credited");
        }
        if self.is_debit(ticket) {
            return Verdict::Nothing("the debit is already known");
        }
        let Some(amount) = self.to_debit() else {
            let known: Vec<&str> = self.inner.debits.iter().map(|debit| debit.0.as_str()).collect();
            let why = format!("debit {ticket} beside debit {}", known.join(", "));
            return self.ask_about(WorkKind::CreditUnresolved, &format!("debit:{ticket}"), why, now);
        };
        let mut next = self.unmoved();
        next.inner.debits.push(Debit(ticket.to_owned(), amount));
        let entry = next.debit_entry(amount);
        Verdict::change(next, "debited_by_hand", vec![], vec![decision.why()]).booking(entry)
    }

    pub(super) fn is_debit(&self, ticket: &str) -> bool {
        self.inner.debits.iter().any(|debit| debit.0 == ticket)
    }

    /// What a person had taken off was put on the account again, because its money came back. Written as a debit of the other sign.
    pub(super) fn credited_again_by_hand(&self, decision: &HumanDecision, ticket: &str) -> Verdict<Self> {
        if self.is_debit(ticket) {
            return Verdict::Nothing("the deal is already known");
        }
        let amount = self.too_much_debited();
        if !amount.is_positive() {
            return Verdict::Nothing("nothing of it was taken off; the decision is kept with the work item");
        }
        let mut next = self.unmoved();
        next.inner.debits.push(Debit(ticket.to_owned(), amount.negated()));
        let entry = next.credited_again_entry(amount);
        Verdict::change(next, "credited_again_by_hand", vec![], vec![decision.why()]).booking(entry)
    }

    fn too_much_debited(&self) -> Money {
        super::returns::left(self.debited_sum(), self.reversed_part())
    }
}

/// Whether a decision says that money was moved by hand, so that it is held against the deposit before it is taken: evidence of
/// money is evidence that somebody moved it.
pub const fn is_by_hand(action: WorkAction) -> bool {
    action.decides_money() && action.needs_evidence()
}

/// What a person names as the proof of money that was moved by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The number of a deal on the trading platform.
    Ticket(String),
    /// The number of a refund at the payment provider.
    Refund(String),
}

impl Proof {
    /// The proof that a decision names; `None` where it says nothing about money that was moved by hand.
    ///
    /// However it is written, the same name is the same proof: for a ticket that depends on its platform; a refund is its first word, in small
    /// letters.
    pub fn of(decision: &HumanDecision, form: TicketForm) -> Option<Self> {
        let evidence = decision.evidence.as_deref()?;
        match decision.action()? {
            WorkAction::RefundAtPsp | WorkAction::MarkPaidOut => {
                let word = evidence.split_whitespace().find_map(bare)?;
                Some(Self::Refund(word.to_lowercase()))
            }
            // a person's own words have a name whose digits are none of a ticket's
            WorkAction::MarkCredited | WorkAction::MarkDebitedOnPlatform if evidence.starts_with(WORDS) => {
                Some(Self::Ticket(evidence.to_owned()))
            }
            WorkAction::MarkCredited | WorkAction::MarkDebitedOnPlatform => {
                Some(Self::ticket(ticket_in(evidence, form).unwrap_or_else(|| evidence.trim())))
            }
            _ => None,
        }
    }

    /// The claim on a booking: in whatever letters it is named, it is one.
    pub(super) fn ticket(named: &str) -> Self {
        Self::Ticket(named.to_lowercase())
    }
}

/// The booking that a text names, as it is written there: the first row of digits without zeros before them, or, where bookings have names,
/// the first word with a digit in it.
pub fn ticket_in(evidence: &str, form: TicketForm) -> Option<&str> {
    match form {
        TicketForm::Number => {
            let digits = evidence.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?;
            Some(digits.trim_start_matches('0'))
        }
        TicketForm::Name => {
            let mut words = evidence.split_whitespace().filter_map(bare);
            words.find(|word| word.bytes().any(|byte| byte.is_ascii_digit()))
        }
    }
}

/// A word without what stands around its letters and digits.
fn bare(word: &str) -> Option<&str> {
    Some(word.trim_matches(|c: char| !c.is_alphanumeric())).filter(|word| !word.is_empty())
}
