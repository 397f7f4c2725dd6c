//! What a deposit, and money without an owner, do with a ticket that a person names: it is looked up before it takes effect.
//!
//! Whoever takes the decision binds the deposit to it ([`Deposit::ticket_named`]): from then on the automation sends nothing. Whoever may
//! ask the platform looks the deal up, and then the decision takes effect as if it were made at that moment, or the work item is opened
//! again and says what was found. A platform that cannot be asked is asked again: what nobody has seen is not believed.

use super::StrayReport;
use super::deposit::{Deposit, DepositStatus};
use super::ticket::{CHECK_AGAIN, NamedTicket, Reopened};
use crate::account::rules::TicketForm;
use crate::decision::Verdict;
use crate::fault::{self, Fault};
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{ByHandRefusal, HumanDecision};
use crate::{Money, Timestamp, WorkId};

impl Deposit {
    /// A person says that he moved money by hand on the platform: kept until the platform has shown the deal. What needs no deal, or
    /// moves nothing and asks another person, is what [`Self::by_hand`] says. `form` is what the account's platform calls a deal.
    ///
    /// # Errors
    /// As [`Self::by_hand`], and when the evidence has no number of a deal.
    pub fn ticket_named(
        &self,
        decision: &HumanDecision,
        form: TicketForm,
        about_its_own: bool,
        work_id: &WorkId,
        opening: u32,
        now: Timestamp,
    ) -> Result<Verdict<Self>, ByHandRefusal> {
        let at_once = self.by_hand(decision, about_its_own, now)?;
        let moved = match &at_once {
            Verdict::Change(taken) => self.moved_to(&taken.next),
            Verdict::Nothing(_) => None,
        };
        let is_question = moved.is_none() && matches!(at_once, Verdict::Change(_));
        let whole = self.facts.credited.is_none() && moved.is_some();
        let named =
            NamedTicket::of(decision, form, work_id, opening, moved).map(|named| NamedTicket { whole, ..named });
        let Some(named) = named.filter(|_| !is_question && !fault::is_back(Fault::TicketsAreBelieved)) else {
            return Ok(at_once);
        };
        if moved.is_none() && named.ticket.as_deref().is_some_and(|ticket| self.knows(ticket)) {
            return Ok(at_once);
        }
        if named.ticket.is_none() {
            return Err(ByHandRefusal::NotATicket);
        }
        if self.inner.named.iter().any(|known| known.is(&named)) {
            return Ok(Verdict::Nothing("its ticket is being looked up"));
        }
        let why = vec![decision.why(), "nothing follows before the platform has shown the deal".to_owned()];
        let mut next = self.unmoved();
        let again = now.plus(CHECK_AGAIN);
        next.due = Some(self.due.map_or(again, |due| due.min(again)));
        next.inner.named.push(named);
        Ok(Verdict::change(next, "ticket_named", vec!["deposit.ticket_named"], why))
    }

    /// Whether a person says that it is credited, and nobody has looked yet: nothing is sent meanwhile.
    pub(super) fn is_said_to_be_credited(&self) -> bool {
        self.facts.credited.is_none() && self.inner.named.iter().any(NamedTicket::is_credit)
    }

    /// Whether a ticket proves something of this deposit, or still may.
    pub fn relies_on(&self, ticket: &str) -> bool {
        self.knows(ticket) || self.inner.named.iter().any(|named| named.ticket.as_deref() == Some(ticket))
    }

    fn knows(&self, ticket: &str) -> bool {
        self.facts.platform.operation.as_deref() == Some(ticket) || self.is_debit(ticket)
    }

    /// What a version moves on the account by a person's hand.
    fn moved_to(&self, next: &Self) -> Option<Money> {
        match (self.facts.credited, next.facts.credited) {
            (None, Some(credited)) => Some(credited),
            _ if next.inner.debits.len() > self.inner.debits.len() => {
                next.inner.debits.last().map(|debit| debit.1.negated())
            }
            _ => None,
        }
    }

    /// The platform has shown the deal, and it is right: the decision takes effect.
    pub fn ticket_proven(&self, named: &NamedTicket, now: Timestamp) -> Verdict<Self> {
        let Some(free) = self.without(named) else { return Verdict::Nothing("the ticket is looked up already") };
        let seen = format!("the platform shows deal {}", named.ticket.as_deref().unwrap_or_default());
        match free.effect_of(&named.proven(), now) {
            Verdict::Change(mut taken) if free.moved_to(&taken.next) == named.moved => {
                taken.next = taken.next.looked_after(now);
                taken.why.push(seen);
                Verdict::Change(taken)
            }
            Verdict::Nothing(reason) if named.moved.is_none() => {
                let next = free.unmoved().looked_after(now);
                Verdict::change(next, "ticket_proven", vec![], vec![seen, reason.to_owned()])
            }
            Verdict::Change(_) | Verdict::Nothing(_) => {
                let back = self.facts.returned.map_or_else(|| "nothing".to_owned(), |returned| returned.to_string());
                let status = self.status().as_str();
                let found =
                    format!("it is there, but the deposit changed meanwhile: it is {status}, and {back} has gone back");
                self.ticket_refused(named, &found, now)
            }
        }
    }

    /// The deal does not prove it: nothing of the decision takes effect, and its work item is opened again. Somebody has said that the
    /// account is credited, so the automation leaves it alone until a person decides.
    pub fn ticket_refused(&self, named: &NamedTicket, found: &str, now: Timestamp) -> Verdict<Self> {
        let Some(free) = self.without(named) else { return Verdict::Nothing("the ticket is looked up already") };
        let kind = named.decision.kind.parse::<WorkKind>().ok();
        let mut next = match (kind, &named.decision.trigger) {
            (Some(kind), Some(trigger)) if named.is_credit() && free.may_yet_be_credited() => {
                free.held(kind, trigger, now)
            }
            _ => free.unmoved(),
        };
        next.facts.reopened = Some(Reopened { work_id: named.work_id.clone(), opening: named.opening });
        let next = next.looked_after(now);
        Verdict::change(next, "ticket_refused", vec!["desk.reopened"], vec![named.sentence(found)])
    }

    /// The platform could not be asked.
    pub fn ticket_not_looked_up(&self, named: &NamedTicket, reason: &str, now: Timestamp) -> Verdict<Self> {
        let Some(again) = named.again(now) else {
            return self.ticket_refused(named, "the platform could not be asked for a day; nobody has looked", now);
        };
        if !self.inner.named.iter().any(|known| known.is(named)) {
            return Verdict::Nothing("the ticket is looked up already");
        }
        let mut next = self.unmoved();
        next.due = Some(again);
        Verdict::change(next, "ticket_not_looked_up", vec![], vec![reason.to_owned()])
    }

    fn without(&self, named: &NamedTicket) -> Option<Self> {
        let at = self.inner.named.iter().position(|known| known.is(named))?;
        let mut next = self.clone();
        next.inner.named.remove(at);
        Some(next)
    }

    /// A decision whose deal is proven.
    fn effect_of(&self, decision: &HumanDecision, now: Timestamp) -> Verdict<Self> {
        let ticket = decision.evidence.as_deref().filter(|_| decision.action() == Some(WorkAction::MarkCredited));
        match ticket {
            Some(ticket) if self.facts.credited.is_none() && !self.is_waiting_for(decision) => {
                self.credit_is_there(ticket, now)
            }
            _ => self.decided(decision, now),
        }
    }

    /// The automation credits it, or would on the provider's next word.
    fn may_yet_be_credited(&self) -> bool {
        match self.status() {
            DepositStatus::Pending | DepositStatus::Paid | DepositStatus::Failed | DepositStatus::Expired => true,
            DepositStatus::Crediting
            | DepositStatus::CreditingUnknown
            | DepositStatus::Credited
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => false,
        }
    }

    /// With the timer that its status needs, and that of the tickets that are still to be looked up.
    fn looked_after(mut self, now: Timestamp) -> Self {
        let waits = !self.inner.named.is_empty();
        self.due = match self.status() {
            DepositStatus::Pending
            | DepositStatus::Paid
            | DepositStatus::Crediting
            | DepositStatus::CreditingUnknown => Some(self.due.unwrap_or(now.plus(CHECK_AGAIN))),
            DepositStatus::Credited
            | DepositStatus::Failed
            | DepositStatus::Expired
            | DepositStatus::NeedsReview
            | DepositStatus::Refunded
            | DepositStatus::ChargedBack => Some(now.plus(CHECK_AGAIN)).filter(|_| waits),
        };
        self
    }
}

impl StrayReport {
    /// A person says that he credited it by hand: the automation leaves it alone from now on, and the deal is looked for.
    ///
    /// # Errors
    /// As [`Self::decided`], and when the evidence has no number of a deal.
    pub fn ticket_named(
        &self,
        decision: &HumanDecision,
        work_id: &WorkId,
        opening: u32,
        now: Timestamp,
    ) -> Result<Verdict<Self>, ByHandRefusal> {
        let at_once = self.decided(decision)?;
        // where nobody knows the account, only platforms that number their bookings can be asked
        let named = NamedTicket::of(decision, TicketForm::Number, work_id, opening, self.credited_with(decision));
        let named = named.filter(|_| !fault::is_back(Fault::TicketsAreBelieved));
        let (Verdict::Change(mut taken), Some(named)) = (at_once.clone(), named) else { return Ok(at_once) };
        if named.ticket.is_none() {
            return Err(ByHandRefusal::NotATicket);
        }
        taken.next.facts.named = Some(named);
        taken.next.due = Some(now.plus(CHECK_AGAIN));
        taken.events.push("stray.ticket_named");
        taken.outcome = "ticket_named";
        Ok(Verdict::Change(taken))
    }

    /// What must have come to the account: what the provider says, or, in another currency, what the person says.
    fn credited_with(&self, decision: &HumanDecision) -> Option<Money> {
        let told = self.facts.report.money;
        let said = decision.evidence.as_deref().and_then(|evidence| {
            let mut parts = evidence.split_whitespace().rev();
            let (currency, amount) = (parts.next()?.parse().ok()?, parts.next()?);
            Money::parse(amount, currency).ok()
        });
        said.filter(|said| told.is_none_or(|told| told.currency() != said.currency())).or(told)
    }

    /// The platform has shown the deal, and it is right.
    pub fn ticket_proven(&self, named: &NamedTicket) -> Verdict<Self> {
        if self.facts.named.as_ref() != Some(named) {
            return Verdict::Nothing("the ticket is looked up already");
        }
        let next = self.without_ticket();
        let seen = format!("the platform shows deal {}", named.ticket.as_deref().unwrap_or_default());
        Verdict::change(next, "ticket_proven", vec![], vec![seen])
    }

    /// The deal does not prove it: a person is asked again.
    pub fn ticket_refused(&self, named: &NamedTicket, found: &str, now: Timestamp) -> Verdict<Self> {
        if self.facts.named.as_ref() != Some(named) {
            return Verdict::Nothing("the ticket is looked up already");
        }
        let mut next = self.without_ticket().open_again(now);
        next.facts.reopened = Some(Reopened { work_id: named.work_id.clone(), opening: named.opening });
        Verdict::change(next, "ticket_refused", vec!["desk.reopened"], vec![named.sentence(found)])
    }

    /// A platform could not be asked.
    pub fn ticket_not_looked_up(&self, named: &NamedTicket, reason: &str, now: Timestamp) -> Verdict<Self> {
        if self.facts.named.as_ref() != Some(named) {
            return Verdict::Nothing("the ticket is looked up already");
        }
        let Some(again) = named.again(now) else {
            return self.ticket_refused(named, "the platform could not be asked for a day; nobody has looked", now);
        };
        let next = Self { due: Some(again), ..self.quiet() };
        Verdict::change(next, "ticket_not_looked_up", vec![], vec![reason.to_owned()])
    }

    /// Sends a ticket that is due to be looked up again.
    pub fn ticket_redriven(&self, now: Timestamp) -> Option<Verdict<Self>> {
        let named = self.facts.named.as_ref()?;
        if self.due.is_none_or(|due| due > now) {
            return Some(Verdict::Nothing("it is not due"));
        }
        let again = named.again(now).unwrap_or(now.plus(CHECK_AGAIN));
        let next = Self { due: Some(again), ..self.quiet() };
        Some(Verdict::change(
            next,
            "redriven",
            vec!["stray.ticket_named"],
            vec!["its ticket waits too long".to_owned()],
        ))
    }

    fn without_ticket(&self) -> Self {
        let mut next = self.quiet();
        next.facts.named = None;
        next.due = None;
        next
    }
}
