//! An agreement that was proposed to a partner: what stood in the request, for as long as its key is known.

use serde::{Deserialize, Serialize};

use super::profile::Proposed;
use crate::decision::Decision;
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::{PartnerId, ProposalId};

/// All of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalFacts {
    /// To whom.
    pub partner_id: PartnerId,
    /// What.
    pub proposed: Proposed,
}

/// A proposal. It is never changed: the partner has the newest one that waits for him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// All of it.
    pub facts: ProposalFacts,
}

impl Proposal {
    /// The decision that keeps it; the partner's own says the rest.
    pub fn made(id: ProposalId, partner_id: PartnerId, proposed: Proposed) -> Decision<Self> {
        let why = vec![format!("{} proposed {} to {partner_id}", proposed.by, proposed.agreement.id)];
        Decision::new(Self { id, facts: ProposalFacts { partner_id, proposed } }, "proposed", vec![], why)
    }
}

impl Entity for Proposal {
    type Id = ProposalId;
    type Table = InPartners;
    type Public = ProposalFacts;
    type Private = ();
    const KIND: &'static str = "proposal";

    fn id(&self) -> &ProposalId {
        &self.id
    }

    fn public(&self) -> &ProposalFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public })
    }
}
