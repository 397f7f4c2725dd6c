//! Hits that people have cleared: a decision about a client and an entry of a list holds until either says something else.

use serde::{Deserialize, Serialize};

use super::case::{Hit, KycCase};
use crate::Timestamp;
use crate::work::HumanDecision;
use crate::work::rules::WorkKind;

/// Clearances that a case remembers; the oldest are forgotten first, and raise again.
const CLEARANCES_MAX: usize = 200;

/// What people decided about a pair of a client and a listed party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clearance {
    /// Which list.
    pub list: String,
    /// Who, on the list.
    pub entity_id: String,
    /// What the entry said, as a fingerprint.
    pub entry: String,
    /// What was screened of the client, as a fingerprint: it is made of his name, so it stays in the private part.
    pub client: String,
    /// Who decided.
    pub by: String,
    /// Who approved it, where two people decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Clearance {
    fn is_about(&self, hit: &Hit) -> bool {
        self.list == hit.list && self.entity_id == hit.entity_id
    }

    /// What the record of a screening says that does not raise it.
    pub(super) fn why(&self) -> String {
        let approved = self.approved_by.as_ref().map(|by| format!(" and {by}")).unwrap_or_default();
        format!("{} {} was cleared earlier by {}{approved}, {}", self.list, self.entity_id, self.by, self.at)
    }
}

impl KycCase {
    /// The decision that still holds about a hit: neither the entry nor what is screened of the client says something else since.
    pub(super) fn clearance_of(&self, hit: &Hit, client: &str) -> Option<&Clearance> {
        let entry = hit.entry.as_deref()?;
        self.inner.cleared.iter().find(|known| known.is_about(hit) && known.entry == entry && known.client == client)
    }

    /// People approved a client whom lists may name: whoever was raised is remembered as not him, or as somebody whom the house takes.
    pub(super) fn clear_hits(&mut self, decision: &HumanDecision) {
        let Some(client) = self.inner.screened_as.clone() else { return };
        if decision.kind != WorkKind::KycHit.as_str() {
            return;
        }
        for hit in &self.facts.screening.hits {
            // an entry of which it is not known what it says is raised again
            let Some(entry) = hit.entry.clone() else { continue };
            self.inner.cleared.retain(|known| !known.is_about(hit));
            self.inner.cleared.push(Clearance {
                list: hit.list.clone(),
                entity_id: hit.entity_id.clone(),
                entry,
                client: client.clone(),
                by: decision.by.clone(),
                approved_by: decision.approved_by.clone(),
                at: decision.at,
            });
        }
        let surplus = self.inner.cleared.len().saturating_sub(CLEARANCES_MAX);
        self.inner.cleared.drain(..surplus);
    }
}
