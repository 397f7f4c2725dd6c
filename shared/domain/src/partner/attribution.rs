//! Who brought a client, and since when.

use serde::{Deserialize, Serialize};

use super::network::History;
use crate::decision::Verdict;
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::words::words;
use crate::{AttributionId, ClientId, PartnerId, Timestamp};

words! {
    /// How it came to be known.
    AttributedBy {
        /// The client named the partner's code.
        Code = "code",
        /// A person said so.
        Person = "person",
    }
}

/// One change, for whoever asks why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// How.
    pub by: AttributedBy,
    /// Who said so; nobody where it was the client's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// When it was said.
    pub at: Timestamp,
    /// From when on it holds.
    pub since: Timestamp,
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttributionFacts {
    /// Who brought him.
    pub partners: History<PartnerId>,
    /// Every change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claimed>,
}

/// The part that stays: a person's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttributionReasons {
    /// The reasons of persons, the newest last.
    pub reasons: Vec<String>,
}

/// Who brought a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// Its id, which is the client's.
    pub id: AttributionId,
    /// The client.
    pub client_id: ClientId,
    /// What events may carry.
    pub facts: AttributionFacts,
    /// What they may not.
    pub reasons: AttributionReasons,
}

/// What somebody says about it.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Who brought him; nobody to take him off.
    pub partner: Option<&'a PartnerId>,
    /// How it came to be known.
    pub by: AttributedBy,
    /// Who says so.
    pub who: Option<&'a str>,
    /// Why, as a person says.
    pub reason: Option<&'a str>,
    /// From when on.
    pub since: Timestamp,
    /// The moment.
    pub now: Timestamp,
}

impl Attribution {
    /// Of a client of whom nothing was said.
    pub fn begun(client: &ClientId) -> Self {
        Self {
            id: AttributionId::of(client),
            client_id: client.clone(),
            facts: AttributionFacts::default(),
            reasons: AttributionReasons::default(),
        }
    }

    /// Somebody says who brought him. A code that comes when something was said already changes nothing: the first claim stands until a
    /// person decides otherwise.
    pub fn claim(&self, claim: &Claim<'_>) -> Verdict<Self> {
        if claim.by == AttributedBy::Code && !self.facts.partners.is_empty() {
            return Verdict::Nothing("it is known who brought him");
        }
        let mut next = self.clone();
        let Some(since) = next.facts.partners.change(claim.partner.cloned(), claim.since, claim.now) else {
            return Verdict::Nothing("it is known who brought him");
        };
        let who = claim.who.map(str::to_owned);
        let partner = claim.partner.map_or("nobody", PartnerId::as_str);
        let by = who.as_deref().unwrap_or("his code");
        let why = vec![format!("{by} says that {partner} brought him, from {since}")];
        next.facts.claims.push(Claimed { by: claim.by, who, at: claim.now, since });
        next.reasons.reasons.extend(claim.reason.map(str::to_owned));
        Verdict::change(next, "attributed", vec!["attribution.changed"], why)
    }
}

impl Entity for Attribution {
    type Id = AttributionId;
    type Table = InPartners;
    type Public = AttributionFacts;
    type Private = AttributionReasons;
    const KIND: &'static str = "attribution";

    fn id(&self) -> &AttributionId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn public(&self) -> &AttributionFacts {
        &self.facts
    }

    fn private(&self) -> &AttributionReasons {
        &self.reasons
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        let client_id = parts.owner()?;
        Ok(Self { id: parts.id, client_id, facts: parts.public, reasons: parts.private })
    }
}
