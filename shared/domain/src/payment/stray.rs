//! Money that a provider reports under a reference that is not ours: kept, and handed to a person.

use serde::{Deserialize, Serialize};

use super::deposit::Review;
use super::report::PspReport;
use crate::decision::{Decision, Entity, derived_bits};
use crate::work::rules::WorkKind;
use crate::{ClientId, StrayId, Timestamp};

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
        Some(Decision { next, events: vec!["desk.item"], why, outcome: "unknown_reference" })
    }
}

impl Entity for StrayReport {
    const KIND: &'static str = "stray";
    const ID_FIELD: &'static str = "stray_id";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn client(&self) -> Option<&ClientId> {
        None
    }

    fn due(&self) -> Option<Timestamp> {
        None
    }

    fn public(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.facts)
    }

    fn private(&self) -> Result<Option<String>, serde_json::Error> {
        Ok(None)
    }

    fn from_parts(
        id: &str,
        _client: Option<ClientId>,
        public: &str,
        _private: Option<&str>,
        _due: Option<Timestamp>,
    ) -> Result<Self, serde_json::Error> {
        use serde::de::Error as _;
        Ok(Self { id: id.parse().map_err(serde_json::Error::custom)?, facts: serde_json::from_str(public)? })
    }
}
