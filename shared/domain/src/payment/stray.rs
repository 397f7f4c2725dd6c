//! Money that a provider reports under a reference that is not ours: kept, and handed to a person.

use serde::{Deserialize, Serialize};

use super::deposit::Review;
use super::report::PspReport;
use crate::decision::{Decision, derived_bits};
use crate::entity::{Entity, InMoney, Parts, ReadError};
use crate::work::rules::WorkKind;
use crate::{StrayId, Timestamp};

/// The public part: what the provider said, and the work item's kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrayFacts {
    /// The provider's statement.
    pub report: PspReport,
    /// What a person must look at.
    pub review: Review,
}

/// A provider's statement about money that belongs to no payment of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayReport {
    /// Derived from the statement, so that a repeat is the same.
    pub id: StrayId,
    /// What events carry.
    pub facts: StrayFacts,
}

impl StrayReport {
    /// The stray report of a statement; `None` when it moves no money and so concerns nobody.
    pub fn of(report: PspReport) -> Option<Decision<Self>> {
        if !report.moves_money() {
            return None;
        }
        // without the statement's time: some providers date each delivery anew
        let id = StrayId::from_bits(derived_bits(Timestamp::EPOCH, &[&report.psp, &report.event_id]));
        let why = vec![format!("{} {} names no payment of ours", report.kind, report.reference)];
        let review =
            Review { kind: WorkKind::DepositUnknownReference.as_str().to_owned(), trigger: report.event_id.clone() };
        let next = Self { id, facts: StrayFacts { report, review } };
        Some(Decision::new(next, "unknown_reference", vec!["desk.item"], why))
    }
}

impl Entity for StrayReport {
    type Id = StrayId;
    type Table = InMoney;
    type Public = StrayFacts;
    type Private = ();
    const KIND: &'static str = "stray";

    fn id(&self) -> &StrayId {
        &self.id
    }

    fn public(&self) -> &StrayFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public })
    }
}
