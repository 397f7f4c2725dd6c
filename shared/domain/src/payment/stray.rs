//! Money that a provider reports and no payment of ours is there for: kept, one for each payment at the provider however many
//! statements name it. Two payments at the provider that name one of ours are two.
//!
//! A statement that names one of our payments may come before its record is saved, so it waits for the record first. Whatever
//! belongs to nobody after that is a person's, and stays with him only until its owner is found. Only one of the two ever moves
//! it: the automation takes it over before it credits ([`StrayReport::taken_over`]), and what a person did with it by hand the
//! automation leaves alone.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::deposit::Settled;
use super::report::PspReport;
use super::ticket::{NamedTicket, Reopened};
use crate::decision::{Decision, Verdict, derived_bits};
use crate::entity::{Entity, InMoney, Parts, ReadError};
use crate::fault::{self, Fault};
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Moved, Review};
use crate::{PaymentId, Seconds, StrayId, Timestamp};

/// How long money that names a payment of ours waits for its record. Whoever opens it is done in seconds, or tries again within
/// minutes.
const OWNER_WAIT: Seconds = Seconds(900);
/// How often the owner of money that a person has is looked for.
const OWNER_CHECK: Seconds = Seconds(3_600);
/// For how long: a request that opens a payment is not repeated later.
const OWNER_CHECKS_END: Seconds = Seconds(7 * 86_400);
/// For how long a provider that cannot be asked is tried before a person is asked instead.
const CONFIRM_END: Seconds = Seconds(86_400);
/// Further statements remembered.
const STATEMENTS_MAX: usize = 16;

/// Whose it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrayState {
    /// It names a payment of ours, whose record may be on its way.
    Waiting,
    /// A person decides.
    Open,
    /// The record was found: the payment goes its own way.
    Owned,
    /// A person refunded or credited it by hand.
    ByHand,
    /// A person closed it, and nothing was moved.
    Closed,
    /// The provider, asked, does not say what its statement said: it is asked again when this is due, and then a person is.
    Unconfirmed,
}

/// The public part: what the provider said, and the work item's kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrayFacts {
    /// The provider's first statement.
    pub report: PspReport,
    /// Whose it is.
    pub state: StrayState,
    /// What a person must look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The work item that this version makes moot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
    /// The provider's ids of further statements about it, from before these were kept whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<String>,
    /// Further statements about it, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<PspReport>,
    /// When a person was asked, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_ms: Option<i64>,
    /// The platform's ticket that a person named and nobody has looked up yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<NamedTicket>,
    /// The work item that this version opens again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<Reopened>,
}

impl StrayFacts {
    /// Of a first statement, about which nobody is asked yet.
    fn of(report: PspReport, state: StrayState) -> Self {
        let (settled, further, more) = (Vec::new(), Vec::new(), Vec::new());
        Self { report, state, review: None, settled, further, more, asked_ms: None, named: None, reopened: None }
    }
}

/// Money that belongs to no payment of ours, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayReport {
    /// Derived from whom it names, so that every statement about it finds it.
    pub id: StrayId,
    /// When its owner is looked for.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: StrayFacts,
}

impl StrayReport {
    /// The id of the money that a payment of ours may have waiting.
    pub fn id_for(psp: &str, payment: &PaymentId) -> StrayId {
        StrayId::from_bits(derived_bits(Timestamp::EPOCH, &[psp, "payment", payment.as_str()]))
    }

    /// The id of further money that names the same payment of ours, by the provider's id of it.
    pub fn id_beside(psp: &str, payment: &PaymentId, reference: &str) -> StrayId {
        StrayId::from_bits(derived_bits(Timestamp::EPOCH, &[psp, "payment", payment.as_str(), reference]))
    }

    /// Whether the provider's id of the payment is that of this money.
    pub fn is_of(&self, reference: &str) -> bool {
        self.facts.report.reference == reference
    }

    /// What its id is derived from: the payment of ours that it names, else the provider's id of the payment, else the statement.
    fn id_of(report: &PspReport) -> StrayId {
        let by_statement = fault::is_back(Fault::AnItemForEachStatement);
        match report.payment_id.as_ref().filter(|_| !by_statement) {
            Some(payment) => Self::id_for(&report.psp, payment),
            None if report.reference.is_empty() || by_statement => {
                StrayId::from_bits(derived_bits(Timestamp::EPOCH, &[&report.psp, "event", &report.event_id]))
            }
            None => StrayId::from_bits(derived_bits(Timestamp::EPOCH, &[&report.psp, "reference", &report.reference])),
        }
    }

    /// What names it to a person: the provider's id of the payment.
    fn trigger(report: &PspReport) -> String {
        let named = if report.reference.is_empty() { &report.event_id } else { &report.reference };
        named.clone()
    }

    /// The money of a statement; `None` when it moves none and so concerns nobody.
    pub fn of(report: PspReport, now: Timestamp) -> Option<Decision<Self>> {
        if !report.moves_money() {
            return None;
        }
        let id = Self::id_of(&report);
        let named = report.payment_id.clone().filter(|_| !fault::is_back(Fault::EarlyIsNobodys));
        let why = vec![format!("{} {} is about no payment that is there", report.kind, report.reference)];
        let facts = StrayFacts::of(report, StrayState::Waiting);
        let waiting = Self { id, due: Some(now.plus(OWNER_WAIT)), facts };
        Some(match named {
            Some(_) => Decision::new(waiting, "waits_for_its_payment", vec![], why),
            None => Decision::new(waiting.opened(now, None), "unknown_reference", vec!["desk.item"], why),
        })
    }

    /// The money of a statement whose payment of ours has other money waiting already ([`Self::is_of`]): a question of its own.
    pub fn beside(report: PspReport, now: Timestamp) -> Option<Decision<Self>> {
        let payment = report.payment_id.clone()?;
        let id = Self::id_beside(&report.psp, &payment, &report.reference);
        let mut decision = Self::of(report, now)?;
        decision.next.id = id;
        Some(decision)
    }

    /// A statement of moved money that its provider, asked, does not confirm: kept, so that it is not lost if it never comes again.
    pub fn unconfirmed(report: PspReport, again: Timestamp) -> Decision<Self> {
        let id = StrayId::from_bits(derived_bits(Timestamp::EPOCH, &[&report.psp, "unconfirmed", &report.event_id]));
        let why = vec![format!("{} {}: the provider, asked, does not say so", report.kind, report.reference)];
        let facts = StrayFacts::of(report, StrayState::Unconfirmed);
        Decision::new(Self { id, due: Some(again), facts }, "kept_unconfirmed", vec![], why)
    }

    /// Whether it still waits for the provider's confirmation.
    pub fn is_unconfirmed(&self) -> bool {
        self.facts.state == StrayState::Unconfirmed
    }

    /// The provider could not be asked; `None` when that has lasted so long that a person is asked instead.
    pub fn ask_later(&self, again: Timestamp, now: Timestamp) -> Option<Verdict<Self>> {
        if now >= self.facts.report.at.plus(CONFIRM_END) {
            return None;
        }
        if !self.is_unconfirmed() || self.due.is_none_or(|due| due > now) {
            return Some(Verdict::Nothing("it is not due"));
        }
        let next = Self { due: Some(again), ..self.quiet() };
        Some(Verdict::change(next, "not_asked", vec![], vec!["the provider could not be asked".to_owned()]))
    }

    /// A person is asked.
    fn opened(&self, now: Timestamp, due: Option<Timestamp>) -> Self {
        let mut next = self.clone();
        let trigger = Self::trigger(&self.facts.report);
        next.facts.state = StrayState::Open;
        next.facts.review = Some(Review::of(WorkKind::DepositUnknownReference, trigger));
        next.facts.asked_ms = Some(now.millis());
        next.due = due;
        next
    }

    /// A person is asked again: what he did by hand is not so, and its owner may still be found.
    pub(super) fn open_again(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.facts.state = StrayState::Open;
        next.due = Some(now.plus(OWNER_CHECK));
        next
    }

    /// Whether the provider need not repeat what it says of it: somebody has it.
    pub fn is_taken(&self) -> bool {
        match self.facts.state {
            StrayState::Waiting => false,
            StrayState::Open
            | StrayState::Owned
            | StrayState::ByHand
            | StrayState::Closed
            | StrayState::Unconfirmed => true,
        }
    }

    /// Every statement about it that is kept whole: what its owner hears.
    pub fn statements(&self) -> impl Iterator<Item = &PspReport> {
        std::iter::once(&self.facts.report).chain(&self.facts.more)
    }

    /// Another statement about it: remembered, and nobody is asked again.
    pub fn named_again(&self, report: &PspReport) -> Verdict<Self> {
        let known = self.statements().any(|known| known.event_id == report.event_id)
            || self.facts.further.contains(&report.event_id);
        if known || self.facts.more.len() >= STATEMENTS_MAX {
            return Verdict::Nothing("it is already known");
        }
        let mut next = self.quiet();
        next.facts.more.push(report.clone());
        Verdict::change(next, "named_again", vec![], vec![format!("{} {}", report.kind, report.reference)])
    }

    pub(super) fn quiet(&self) -> Self {
        let mut next = self.clone();
        next.facts.review = None;
        next.facts.reopened = None;
        next.facts.settled.clear();
        next
    }

    /// Its time has come and the payment that it names is still not there.
    pub fn still_without_owner(&self, now: Timestamp) -> Verdict<Self> {
        if self.due.is_none_or(|due| due > now) {
            return Verdict::Nothing("it is not due");
        }
        match self.facts.state {
            StrayState::Waiting | StrayState::Unconfirmed => {
                let next = self.opened(now, Some(now.plus(OWNER_CHECK)));
                let why = vec!["the payment that it names is not there".to_owned()];
                Verdict::change(next, "unknown_reference", vec!["desk.item"], why)
            }
            StrayState::Open | StrayState::Owned | StrayState::ByHand | StrayState::Closed => {
                let asked = self.facts.asked_ms.and_then(Timestamp::from_millis).unwrap_or(now);
                let mut next = self.quiet();
                let goes_on = self.facts.state == StrayState::Open && now < asked.plus(OWNER_CHECKS_END);
                next.due = Some(now.plus(OWNER_CHECK)).filter(|_| goes_on);
                Verdict::change(next, "looked_for", vec![], vec![])
            }
        }
    }

    /// The payment that it names is there and goes its own way from now on: what a person was asked is moot.
    ///
    /// # Errors
    /// What a person did with it by hand: the automation must not move it any more.
    pub fn taken_over(&self) -> Result<Verdict<Self>, &'static str> {
        match self.facts.state {
            StrayState::ByHand => Err("a person has refunded or credited it by hand"),
            StrayState::Owned => Ok(Verdict::Nothing("it is taken over")),
            StrayState::Waiting | StrayState::Open | StrayState::Closed | StrayState::Unconfirmed => {
                let mut next = self.quiet();
                // what its owner has not heard yet it hears in its time
                next.due = self.due.filter(|_| !self.facts.more.is_empty());
                next.facts.state = StrayState::Owned;
                let asked = self.facts.asked_ms.filter(|_| self.facts.state == StrayState::Open);
                next.facts.settled.extend(asked.map(|at_ms| Settled {
                    kind: WorkKind::DepositUnknownReference.as_str().to_owned(),
                    trigger: Self::trigger(&self.facts.report),
                    at_ms,
                }));
                let events = if next.facts.settled.is_empty() { vec![] } else { vec!["desk.settled"] };
                let why = vec!["the payment that it names was found".to_owned()];
                Ok(Verdict::change(next, "owner_found", events, why))
            }
        }
    }

    /// The payment that it names has heard so many of its statements, and goes its own way.
    pub fn heard(&self, statements: usize) -> Verdict<Self> {
        if self.statements().count() > statements {
            return Verdict::Nothing("another statement came meanwhile");
        }
        match self.taken_over() {
            Ok(Verdict::Change(mut decision)) => {
                decision.next.due = None;
                Verdict::Change(decision)
            }
            Ok(Verdict::Nothing(_)) if self.due.is_some() => {
                let next = Self { due: None, ..self.quiet() };
                Verdict::change(next, "owner_heard", vec![], vec![])
            }
            Ok(Verdict::Nothing(reason)) | Err(reason) => Verdict::Nothing(reason),
        }
    }

    /// A person's decision.
    ///
    /// # Errors
    /// [`Moved`] when the automation has it meanwhile.
    pub fn decided(&self, decision: &HumanDecision) -> Result<Verdict<Self>, Moved> {
        let by_hand = matches!(decision.action(), Some(WorkAction::RefundAtPsp | WorkAction::MarkCredited));
        match self.facts.state {
            StrayState::Owned if by_hand => {
                let payment = self.facts.report.payment_id.as_ref().map(ToString::to_string).unwrap_or_default();
                Err(Moved(format!("the payment was found, it is {payment}; do nothing by hand")))
            }
            StrayState::ByHand | StrayState::Owned => Ok(Verdict::Nothing("it is decided")),
            StrayState::Closed if !by_hand => Ok(Verdict::Nothing("it is decided")),
            StrayState::Waiting | StrayState::Open | StrayState::Closed | StrayState::Unconfirmed => {
                let mut next = self.quiet();
                next.due = None;
                next.facts.state = if by_hand { StrayState::ByHand } else { StrayState::Closed };
                Ok(Verdict::change(next, "decided", vec![], vec![decision.why()]))
            }
        }
    }
}

impl Entity for StrayReport {
    type Id = StrayId;
    type Table = InMoney;
    type Public = StrayFacts;
    type Private = ();
    const KIND: &'static str = "stray";
    const TIMED: bool = true;
    const SCHEMA: u32 = 2;

    fn id(&self) -> &StrayId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &StrayFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public })
    }

    /// The first form was one statement with a person from its beginning.
    fn upgrade(_from: u32, mut public: Value, private: Value) -> (Value, Value) {
        let way = match public.pointer("/report/status").and_then(Value::as_str) {
            Some("refunded") => Some("r"),
            Some("charged_back") => Some("d"),
            _ => None,
        };
        let amount = public.pointer("/report/money").cloned();
        if let (Some(way), Some(status)) = (way, public.pointer_mut("/report/status")) {
            *status = json!({"returned": {"one": {"id": "former", "way": way, "stands": true, "amount": amount}}});
        }
        if let Some(facts) = public.as_object_mut() {
            facts.insert("state".to_owned(), json!("open"));
        }
        (public, private)
    }
}
