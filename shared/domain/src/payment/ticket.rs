//! A deal on the trading platform that a person names as proof: looked up before it takes effect.
//!
//! Whoever takes the decision binds the deposit to it ([`Deposit::ticket_named`]): from then on the automation sends nothing. Whoever may
//! ask the platform looks the deal up, and then the decision takes effect as if it were made at that moment, or the work item is opened
//! again and says what was found. A platform that cannot be asked is asked again: what nobody has seen is not believed.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::by_hand::Proof;
use super::deposit::{Deposit, DepositStatus};
use crate::decision::Verdict;
use crate::fault::{self, Fault};
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{ByHandRefusal, HumanDecision};
use crate::{Money, PaymentId, Seconds, Timestamp, WorkId};

/// When the timers look after a ticket whose message was lost, and the first wait after the platform could not be asked.
const CHECK_AGAIN: Seconds = Seconds(60);
/// The longest wait.
const CHECK_AGAIN_MAX_MS: i64 = 900_000;
/// How long a platform that cannot be asked is tried. Then the person is told that nobody has looked.
const CHECK_END: Seconds = Seconds(86_400);
/// What a payment's id, and so the automation's comment, begins with.
const ID_BEGINS: &str = "pay_";
/// Characters of an id after that.
const ID_CHARACTERS: usize = 26;
/// Fewer of them are a person's word and no id that was cut off.
const ID_CHARACTERS_MIN: usize = 8;

/// A ticket that a person named, with the decision that waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTicket {
    /// What was decided.
    pub decision: HumanDecision,
    /// On which work item.
    pub work_id: WorkId,
    /// In which opening of it.
    pub opening: u32,
    /// The deal's number; none where the evidence has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// What the deal must have moved: positive onto the account. None where nothing is booked by the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Money>,
}

/// The work item that a version opens again: whoever decided it named a deal that proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopened {
    /// The item.
    pub work_id: WorkId,
    /// The opening in which it was decided: a later one stands as it is.
    pub opening: u32,
}

/// What the platform shows under a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A deal of the account.
    Deal(ShownDeal),
    /// A deal of another account.
    OfAnotherAccount,
    /// A deal of the account, from outside the time in which it can be the proof.
    OutOfTime,
    /// Everything was read, and there is no such deal.
    Nothing,
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownDeal {
    /// Whether it is a balance operation, and not a trade, a bonus or a credit line.
    pub is_balance: bool,
    /// What it moved, in the account's currency.
    pub amount: Decimal,
    /// Digits of the account's currency, where the platform says so.
    pub digits: Option<u32>,
    /// Its comment: a person may have written it.
    pub comment: String,
    /// What it and every other balance operation under the payment's reference moved together.
    pub together: Decimal,
}

impl NamedTicket {
    /// Of a decision that says that money was moved on the platform; `None` for any other.
    fn of(decision: &HumanDecision, work_id: &WorkId, opening: u32, moved: Option<Money>) -> Option<Self> {
        if !names_a_ticket(decision) {
            return None;
        }
        let ticket = match Proof::of(decision) {
            Some(Proof::Ticket(number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(number)
            }
            Some(Proof::Ticket(_) | Proof::Refund(_)) | None => None,
        };
        Some(Self { decision: decision.clone(), work_id: work_id.clone(), opening, ticket, moved })
    }

    /// The claim on its number.
    pub fn proof(&self) -> Option<Proof> {
        self.ticket.clone().map(Proof::Ticket)
    }

    /// The same with the number as the platform writes it in the place of what the person wrote.
    fn proven(&self) -> HumanDecision {
        let amount = self.decision.evidence.as_deref().and_then(|evidence| evidence.split_once(' '));
        let evidence = match (&self.ticket, amount) {
            (Some(ticket), Some((first, rest))) if first.bytes().any(|byte| byte.is_ascii_digit()) => {
                Some(format!("{ticket} {rest}"))
            }
            (ticket, _) => ticket.clone(),
        };
        HumanDecision { evidence, ..self.decision.clone() }
    }

    fn is(&self, other: &Self) -> bool {
        (&self.work_id, self.opening) == (&other.work_id, other.opening)
    }

    /// Whether the automation must not credit meanwhile.
    fn is_credit(&self) -> bool {
        self.moved.is_some_and(|moved| moved.is_positive())
    }

    /// What is wrong with what the platform shows; `own` is the payment's id, which the automation's comments begin with.
    ///
    /// # Errors
    /// What was found, in words for a person: without the comment's text, which another person may have written.
    pub fn held_against(&self, shown: &Shown, own: Option<&PaymentId>) -> Result<(), String> {
        let deal = match shown {
            Shown::Deal(deal) => deal,
            Shown::OfAnotherAccount => return Err("it belongs to another account".to_owned()),
            Shown::OutOfTime => return Err("it is older than the deposit".to_owned()),
            Shown::Nothing => return Err("there is no such deal on the account".to_owned()),
        };
        if let Some(other) = other_payment(&deal.comment, own) {
            return Err(format!("it carries the id of another payment, {other}: it is that payment's"));
        }
        if !deal.is_balance {
            return Err("it is no balance operation".to_owned());
        }
        let Some(moved) = self.moved else { return Self::right_way(self.decision.action(), deal.amount) };
        if deal.digits.is_some_and(|digits| digits != u32::from(moved.currency().digits())) {
            return Err(format!("its account is not in {}", moved.currency()));
        }
        let is_first_credit = self.decision.action() == Some(WorkAction::MarkCredited) && moved.is_positive();
        let came_to = if is_first_credit { deal.together } else { deal.amount };
        match came_to == moved.amount() {
            true => Ok(()),
            false if is_first_credit && deal.amount != deal.together => Err(format!(
                "it moved {}, and with the other deals under the payment's id {came_to}; expected {moved}",
                deal.amount
            )),
            false => Err(format!("it moved {came_to}; expected {moved}")),
        }
    }

    fn right_way(action: Option<WorkAction>, amount: Decimal) -> Result<(), String> {
        let off = action == Some(WorkAction::MarkDebitedOnPlatform);
        match !amount.is_zero() && amount.is_sign_negative() == off {
            true => Ok(()),
            false => Err(format!("it moved {amount}, which is the other way")),
        }
    }

    /// Who named it, and what was found.
    pub fn sentence(&self, found: &str) -> String {
        let approved = self.decision.approved_by.as_ref().map(|by| format!(", approved by {by},")).unwrap_or_default();
        let ticket = self.ticket.as_ref().map_or_else(|| "no number of a deal".to_owned(), |ticket| format!("deal {ticket}"));
        format!("{}{approved} named {ticket} as proof for {}: {found}", self.decision.by, self.decision.action)
    }

    /// When the platform is asked again; `None` when it was tried for long enough.
    fn again(&self, now: Timestamp) -> Option<Timestamp> {
        if now >= self.decision.at.plus(CHECK_END) {
            return None;
        }
        let first = i64::from(CHECK_AGAIN.0).saturating_mul(1_000);
        let wait = now.millis_since(self.decision.at).clamp(first, CHECK_AGAIN_MAX_MS);
        Timestamp::from_millis(now.millis().saturating_add(wait))
    }
}

/// Whether a decision says that a deal on the platform proves it.
pub fn names_a_ticket(decision: &HumanDecision) -> bool {
    matches!(decision.action(), Some(WorkAction::MarkCredited | WorkAction::MarkDebitedOnPlatform))
}

/// The id of another payment in a comment: whole, or its beginning where the platform cut it off. In whatever letters it is written.
fn other_payment(comment: &str, own: Option<&PaymentId>) -> Option<String> {
    let comment = comment.to_ascii_lowercase();
    let own = own.map(|own| own.as_str().to_ascii_lowercase());
    let ids = comment.match_indices(ID_BEGINS).filter_map(|(at, _)| {
        let rest = comment.get(at.saturating_add(ID_BEGINS.len())..)?;
        let id: String = rest.chars().take_while(char::is_ascii_alphanumeric).take(ID_CHARACTERS).collect();
        Some((format!("{ID_BEGINS}{id}"), id.len()))
    });
    let is_other = |(id, length): &(String, usize)| {
        *length >= ID_CHARACTERS_MIN && own.as_ref().is_none_or(|own| !own.starts_with(id.as_str()))
    };
    ids.into_iter().find(is_other).map(|(id, _)| id)
}

impl Deposit {
    /// A person says that he moved money by hand on the platform: kept until the platform has shown the deal. What needs no deal, or
    /// moves nothing and asks another person, is what [`Self::by_hand`] says.
    ///
    /// # Errors
    /// As [`Self::by_hand`].
    pub fn ticket_named(
        &self,
        decision: &HumanDecision,
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
        let named = NamedTicket::of(decision, work_id, opening, moved);
        let Some(named) = named.filter(|_| !is_question && !fault::is_back(Fault::TicketsAreBelieved)) else {
            return Ok(at_once);
        };
        if moved.is_none() && named.ticket.as_deref().is_some_and(|ticket| self.knows(ticket)) {
            return Ok(at_once);
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
                let found = format!("it is there, but the deposit changed meanwhile: it is {status}, and {back} has gone back");
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
                self.credit_is_there(self.ticket_of(ticket), now)
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
            DepositStatus::Pending | DepositStatus::Paid | DepositStatus::Crediting | DepositStatus::CreditingUnknown => {
                Some(self.due.unwrap_or(now.plus(CHECK_AGAIN)))
            }
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

impl super::StrayReport {
    /// A person says that he credited it by hand: the automation leaves it alone from now on, and the deal is looked for.
    ///
    /// # Errors
    /// As [`Self::decided`].
    pub fn ticket_named(
        &self,
        decision: &HumanDecision,
        work_id: &WorkId,
        opening: u32,
        now: Timestamp,
    ) -> Result<Verdict<Self>, crate::work::Moved> {
        let at_once = self.decided(decision)?;
        let named = NamedTicket::of(decision, work_id, opening, self.credited_with(decision));
        let named = named.filter(|_| !fault::is_back(Fault::TicketsAreBelieved));
        let (Verdict::Change(mut taken), Some(named)) = (at_once.clone(), named) else { return Ok(at_once) };
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
        Some(Verdict::change(next, "redriven", vec!["stray.ticket_named"], vec!["its ticket waits too long".to_owned()]))
    }

    fn without_ticket(&self) -> Self {
        let mut next = self.quiet();
        next.facts.named = None;
        next.due = None;
        next
    }
}
