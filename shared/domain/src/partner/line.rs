//! A line: what a partner gets for one cause, and what it was reckoned from. It is never changed; a reversal is a line of its own.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::fine::Fine;
use super::period::Period;
use super::trade::TradeRate;
use crate::decision::derived_bits;
use crate::fault::{self, Fault};
use crate::words::words;
use crate::{AccrualLineId, ClientId, PartnerId, Seconds, Timestamp};

words! {
    /// What a line is for.
    LineModel {
        /// Money for each lot.
        Lot = "lot",
        /// Per cent of the client's commission.
        Commission = "commission",
        /// Points of the price for each lot.
        Points = "points",
        /// Per cent of the spread.
        Spread = "spread",
        /// Basis points of the traded value.
        Notional = "notional",
        /// Per cent of a sub-partner's pay.
        Share = "share",
        /// A later tier changes what was earned before.
        TrueUp = "true_up",
        /// A new client.
        Cpa = "cpa",
        /// A share of the broker's revenue.
        Revenue = "revenue",
        /// A person decided it.
        Adjustment = "adjustment",
    }
}

/// An agreement as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AgreementRef {
    /// Its name in the rule set.
    pub id: String,
    /// The version of the rule set.
    pub version: u64,
}

/// The version of a trade that a line is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeRef {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
}

/// What a partner gets for one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Follows from the cause: a repeat makes the same.
    pub id: AccrualLineId,
    /// Who gets it.
    pub partner: PartnerId,
    /// Whose trade it is for, if one client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    /// The trade, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade: Option<TradeRef>,
    /// When what it is for happened.
    pub at: Timestamp,
    /// The month whose statement it stands on.
    pub period: Period,
    /// The month whose volume and tiers it counts in; an earlier one where it came late.
    pub counted_in: Period,
    /// How far over the client; 1 brought him.
    pub level: u32,
    /// What for.
    pub model: LineModel,
    /// What was agreed.
    pub agreement: AgreementRef,
    /// Model and row of the agreement.
    pub rule_id: String,
    /// What the rate is applied to.
    pub base: Decimal,
    /// In the unit of the model.
    pub rate: Decimal,
    /// What a tier multiplied it with.
    pub factor: Decimal,
    /// The exchange rate, if one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fx: Option<TradeRate>,
    /// What he gets, or below zero gives back.
    pub amount: Fine,
    /// The first day (UTC) on which it can be paid out; none where it never was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Date>,
    /// The line that it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<AccrualLineId>,
    /// How it came about.
    pub why: Vec<String>,
    /// The rate of the row, where that of somebody under him is taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_rate: Option<Decimal>,
    /// What it would be, where some of it is passed up, cut or not paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross: Option<Fine>,
    /// When it was booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered: Option<Timestamp>,
}

impl Line {
    /// An id that follows from the cause.
    pub fn id_of(at: Timestamp, cause: &[&str]) -> AccrualLineId {
        AccrualLineId::from_bits(derived_bits(at, cause))
    }

    /// The line that takes this one back: the stored amount with the other sign, so that nothing is rounded again. There is one at most,
    /// for its id follows from this line's.
    #[must_use]
    pub fn reversal(&self, period: Period, why: String) -> Self {
        Self {
            id: Self::id_of(self.at, &["reversal", self.id.as_str()]),
            period,
            amount: self.amount.negated(),
            reverses: Some(self.id.clone()),
            why: vec![why],
            gross: self.gross.map(|gross| gross.negated()),
            entered: None,
            ..self.clone()
        }
    }

    /// Whether it can be paid out.
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.held_until.is_none_or(|until| until <= now.day())
    }
}

/// The first day after a hold; none where there is no hold.
pub fn held_until(at: Timestamp, hold: Seconds) -> Option<Date> {
    let holds = hold.0 > 0 && !fault::is_back(Fault::HoldIsIgnored);
    holds.then(|| at.plus(hold).day().saturating_add(1.day()))
}
