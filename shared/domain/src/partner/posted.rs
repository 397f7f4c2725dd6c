//! What a trade earned, as it is kept: so that a repeat finds it, and a correction takes back exactly this.

use serde::{Deserialize, Serialize};

use super::accrual::{Accrual, Held};
use super::book::TradeEvent;
use super::line::TradeRef;
use super::period::Period;
use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Review};
use crate::{ClientId, TradeAccrualId};

/// A version of the trade of which it cannot be told what it earns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The version, whole: it is tried again as it is.
    pub event: TradeEvent,
    /// Why, in one word.
    pub code: String,
    /// Why.
    pub what: String,
}

/// All of it: there is nothing personal in a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// What the latest version earned that could be told.
    #[serde(flatten)]
    pub accrual: Accrual,
    /// A later version that waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// What the person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
}

/// What a trade earned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeAccrual {
    /// Its id, which follows from the trade's.
    pub id: TradeAccrualId,
    /// Whose trade.
    pub client_id: ClientId,
    /// All of it.
    pub posted: Posted,
}

impl TradeAccrual {
    /// The decision that keeps what a version earned, in the place of what one before it did.
    pub fn kept(client_id: ClientId, accrual: Accrual) -> Decision<Self> {
        let of_level = |earned: &super::accrual::Earned| {
            let amounts: Vec<String> = earned.lines.iter().map(|line| format!("{:?}", line.amount)).collect();
            format!("level {}, {}: {}", earned.level, earned.partner, amounts.join(", "))
        };
        let mut why = vec![format!("version {} of {}", accrual.trade.version, accrual.trade.id)];
        why.extend(accrual.earned.iter().map(of_level));
        let outcome = if accrual.earned.is_empty() { "earns_nothing" } else { "accrued" };
        let id = TradeAccrualId::of(&accrual.trade.id);
        let next = Self { id, client_id, posted: Posted { accrual, waiting: None, review: None } };
        Decision::new(next, outcome, vec!["trade_accrual.kept"], why)
    }

    /// A version that cannot be told waits for a person; what an earlier one earned stands meanwhile.
    pub fn held(before: Option<&Self>, client_id: ClientId, event: TradeEvent, held: &Held) -> Verdict<Self> {
        let waits = before.and_then(|before| before.posted.waiting.as_ref());
        if waits.is_some_and(|waits| waits.event.trade().version >= held.trade.version && waits.code == held.why.code())
        {
            return Verdict::Nothing("a person is asked already");
        }
        let none = TradeRef { id: held.trade.id.clone(), version: 0 };
        let accrual = before.map_or_else(
            || Accrual { trade: none, counted_in: Period::of(held.at), earned: Vec::new(), priced: None },
            |before| before.posted.accrual.clone(),
        );
        let kind = WorkKind::PartnerTradeHeld;
        let review = Review::of(kind, format!("{kind}:{}:{}", held.trade.version, held.why.code()));
        let waiting = Waiting { event, code: held.why.code().to_owned(), what: held.why.to_string() };
        let why = vec![format!("version {} of {} waits: {}", held.trade.version, held.trade.id, held.why)];
        let id = TradeAccrualId::of(&held.trade.id);
        let posted = Posted { accrual, waiting: Some(waiting), review: Some(review) };
        Verdict::change(Self { id, client_id, posted }, "held", vec!["desk.item"], why)
    }

    /// What a person decided lets be tried again: the version that waits. Closed, it earns nothing until it is corrected.
    pub fn tried_again(&self, decision: &HumanDecision) -> Option<&TradeEvent> {
        let waits = self.posted.review.as_ref().is_some_and(|own| decision.is_about(&own.kind, &own.trigger));
        let again = waits && decision.action() == Some(WorkAction::Retry);
        self.posted.waiting.as_ref().filter(|_| again).map(|waiting| &waiting.event)
    }
}

impl Entity for TradeAccrual {
    type Id = TradeAccrualId;
    type Table = InPartners;
    type Public = Posted;
    type Private = ();
    const KIND: &'static str = "trade_accrual";

    fn id(&self) -> &TradeAccrualId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn public(&self) -> &Posted {
        &self.posted
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        let client_id = parts.owner()?;
        Ok(Self { id: parts.id, client_id, posted: parts.public })
    }
}
