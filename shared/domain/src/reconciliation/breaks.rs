//! A difference between what a provider or a trading server says and the ledger, with the work item that says so.

use serde::{Deserialize, Serialize};

use super::compare::Found;
use super::source::Source;
use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InMoney, Parts, ReadError};
use crate::words::words;
use crate::work::evidence::is_name;
use crate::work::rules::WorkKind;
use crate::work::{HumanDecision, OpenItem};
use crate::{BreakId, ClientId, Day, Money, PaymentId, Timestamp, WorkId};

words! {
    /// What is wrong.
    BreakClass {
        /// The other side has what we know nothing of.
        MissingHere = "missing_here",
        /// We booked what the other side has not.
        MissingThere = "missing_there",
        /// It has more than we booked.
        Over = "over",
        /// It has less than we booked.
        Under = "under",
        /// It has it in another currency.
        Currency = "currency",
        /// It has the same twice.
        Duplicate = "duplicate",
        /// One side has it on another day: the next day's file is waited for, or the days are too far apart.
        Late = "late",
        /// It has a payment that stands otherwise with us.
        StatusDiffers = "status_differs",
    }
}

impl BreakClass {
    /// What mends it, in words. Each is such that doing it twice does no harm, or says how to see that it was done.
    pub const fn repair(self, source: &Source) -> &'static str {
        match source {
            Source::Psp(_) => self.repair_at_provider(),
            Source::Server(_) => self.repair_on_server(),
        }
    }

    const fn repair_on_server(self) -> &'static str {
        match self {
            Self::MissingHere => {
                "Ask who booked it by hand on the server and for what. If it is for a payment, name its deal in the payment's work item; if it is a mistake, have it reversed there, and let both stand."
            }
            Self::MissingThere => {
                "Search the account's history on the server for the payment id. If it is nowhere, book it there with the payment id as its comment: this closes itself when the server is read again."
            }
            Self::Over | Self::Under => {
                "The server has another amount than was booked: have the operation corrected there, by one of the difference with the payment id as its comment."
            }
            Self::Currency => {
                "The account is in another currency on the server than with us: have one of them set right."
            }
            Self::Duplicate => {
                "The server has it twice: have the second operation reversed there once, with the payment id as its comment."
            }
            Self::Late => {
                "Both sides have it on different days. Look whether the server has it once: if so, let it stand; if twice, have one reversed there."
            }
            Self::StatusDiffers => "Decide the payment's own work item: the server has moved its money.",
        }
    }

    const fn repair_at_provider(self) -> &'static str {
        match self {
            Self::MissingHere => {
                "Find whose money it is at the provider. Have its webhook sent again, or refund it there."
            }
            Self::MissingThere => {
                "Ask the provider whether it has the payment. If it never collected it, take the credit back."
            }
            Self::Over => {
                "The provider settled more than was booked: find the webhook that is missing, or pay the rest back."
            }
            Self::Under => {
                "The provider settled less than was booked: look for a partial refund, or claim the rest from it."
            }
            Self::Currency => {
                "The provider settled in another currency: compare its rate, and have the payment set right."
            }
            Self::Duplicate => {
                "The provider settled the same twice: if the payer paid twice, refund the second, else claim it."
            }
            Self::Late => {
                "Both sides have it on different days. If the next file has it, this closes itself; else ask the provider."
            }
            Self::StatusDiffers => "Decide the payment's own work item, or have the provider send its webhook again.",
        }
    }
}

words! {
    /// Where a break stands.
    BreakStatus {
        /// A file that is not there yet may still have it.
        Waiting = "waiting",
        /// A person is asked.
        Open = "open",
        /// A person lets it stand.
        Closed = "closed",
        /// Both sides agree.
        Resolved = "resolved",
    }
}

/// The public part of a break: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields of Found, and API.md names the others")]
pub struct BreakFacts {
    #[serde(flatten)]
    pub source: Source,
    pub date: Day,
    pub class: BreakClass,
    pub status: BreakStatus,
    /// Only of a payment that is ours: who decides on the item is led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// The payment that the row names and that is none of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<PaymentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<String>,
    /// What the source calls its row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Money>,
    /// What mends it.
    pub repair: String,
    /// When it was found first.
    pub found_at: Timestamp,
    /// The work item that says so.
    #[serde(flatten)]
    pub open: OpenItem,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// Derived, see [`Found::id`].
    pub id: BreakId,
    /// Whose payment it is about, where it is one of ours.
    pub client_id: Option<ClientId>,
    /// What events carry.
    pub facts: BreakFacts,
}

impl Break {
    /// Before anything is known of it: a difference that has not been told.
    pub fn begun(source: &Source, date: Day, found: &Found, now: Timestamp) -> Self {
        let facts = BreakFacts {
            source: source.clone(),
            date,
            class: found.class,
            status: BreakStatus::Resolved,
            payment_id: None,
            named: None,
            payment_status: None,
            reference: None,
            amount: found.amount,
            ours: None,
            theirs: None,
            repair: String::new(),
            found_at: now,
            open: OpenItem::default(),
        };
        Self { id: found.id.clone(), client_id: found.client_id.clone(), facts }
    }

    /// It was found. The same again opens nothing, whatever became of its item; another difference opens an item of its own in its place.
    pub fn found(&self, found: &Found, now: Timestamp) -> Verdict<Self> {
        let own = &self.facts;
        let is_told = match own.status {
            BreakStatus::Waiting => found.waiting,
            BreakStatus::Open | BreakStatus::Closed => !found.waiting,
            BreakStatus::Resolved => false,
        };
        if is_told && (own.class, own.ours, own.theirs) == (found.class, found.ours, found.theirs) {
            return Verdict::Nothing("it is as it was");
        }
        let mut next = self.clone();
        next.client_id.clone_from(&found.client_id);
        let facts = &mut next.facts;
        facts.class = found.class;
        let (own_payment, nobodys) = match found.client_id {
            Some(_) => (found.payment_id.clone(), None),
            None => (None, found.payment_id.clone()),
        };
        (facts.payment_id, facts.named) = (own_payment, nobodys);
        facts.payment_status.clone_from(&found.payment_status);
        // what stands in a vendor's column may be anything: only what can hold nothing but an id is told
        facts.reference = found.reference.clone().filter(|reference| is_name(reference));
        (facts.amount, facts.ours, facts.theirs) = (found.amount, found.ours, found.theirs);
        found.class.repair(&facts.source).clone_into(&mut facts.repair);
        if own.status == BreakStatus::Resolved {
            facts.found_at = now;
        }
        facts.status = if found.waiting { BreakStatus::Waiting } else { BreakStatus::Open };
        let asked = (!found.waiting).then_some((WorkKind::ReconciliationBreak, found.class.as_str()));
        let events = facts.open.found(asked, now);
        let outcome = if found.waiting { "waiting" } else { "found" };
        let why = vec![format!("{} at {} on {}: {}", found.class, own.source, own.date, found.amount)];
        Verdict::change(next, outcome, events, why)
    }

    /// It is not found any more: its item closes itself.
    pub fn resolved(&self, now: Timestamp) -> Verdict<Self> {
        if self.facts.status == BreakStatus::Resolved {
            return Verdict::Nothing("both sides agree already");
        }
        let mut next = self.clone();
        next.facts.status = BreakStatus::Resolved;
        let events = next.facts.open.found(None, now);
        Verdict::change(next, "resolved", events, vec!["both sides agree".to_owned()])
    }

    /// A person lets it stand.
    pub fn decided(&self, decision: &HumanDecision, _now: Timestamp) -> Verdict<Self> {
        let own = self.facts.open.review.as_ref();
        if !own.is_some_and(|review| decision.is_about(&review.kind, &review.trigger)) {
            return Verdict::Nothing("it is not what was asked");
        }
        if self.facts.status != BreakStatus::Open {
            return Verdict::Nothing("nothing is asked any more");
        }
        let mut next = self.clone();
        next.facts.status = BreakStatus::Closed;
        next.facts.open.settled.clear();
        Verdict::change(next, "closed", vec![], vec![decision.why()])
    }

    /// The work item that asks about it, or asked last.
    pub fn work_id(&self) -> Option<WorkId> {
        let asked = self.facts.open.item.as_ref()?;
        let at = Timestamp::from_millis(asked.at_ms)?;
        Some(WorkId::from_bits(derived_bits(at, &[self.id.as_str(), &asked.kind, &asked.trigger])))
    }

    /// Whether somebody or something is still to see to it.
    pub fn is_pending(&self) -> bool {
        match self.facts.status {
            BreakStatus::Waiting | BreakStatus::Open => true,
            BreakStatus::Closed | BreakStatus::Resolved => false,
        }
    }
}

impl Entity for Break {
    type Id = BreakId;
    type Table = InMoney;
    type Public = BreakFacts;
    type Private = ();
    const KIND: &'static str = "break";

    fn id(&self) -> &BreakId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }

    fn public(&self) -> &BreakFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, client_id: parts.client, facts: parts.public })
    }
}
