//! Addresses that must not or cannot be written to any more, whoever they belong to: what bounced, who complained, who wrote STOP. An
//! address is known by its hash alone.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::rules::Channel;
use super::sending::Reason;
use crate::decision::Verdict;
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::words::words;
use crate::{SuppressionId, Timestamp};

words! {
    /// What is told of an address.
    Report {
        /// It does not exist, or takes nothing for good.
        Bounced = "bounced",
        /// It took this one not: full, or away.
        BouncedForNow = "bounced_for_now",
        /// Its holder reported a message as unwanted.
        Complained = "complained",
        /// Its holder wrote STOP.
        OptedOut = "opted_out",
        /// Its holder wrote START.
        OptedIn = "opted_in",
    }
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionFacts {
    /// The channel.
    pub channel: Channel,
    /// Why nothing is sent there; none while something may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When the newest report was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// How often it bounced for a time, each report once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounces: Vec<String>,
}

/// What is known of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Its id, from the channel and a hash of the address.
    pub id: SuppressionId,
    /// What is known.
    pub facts: SuppressionFacts,
}

/// A report about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// What.
    pub report: Report,
    /// When.
    pub at: Timestamp,
    /// What the vendor calls the report: of one name it counts once.
    pub name: String,
}

impl Suppression {
    /// The id of an address: letter case makes no difference, and neither do spaces around it.
    pub fn id_of(channel: Channel, address: &str) -> SuppressionId {
        let plain = address.trim().to_lowercase();
        let digest: [u8; 32] = Sha256::digest(format!("{channel}:{plain}")).into();
        let bits = digest.iter().take(16).fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
        SuppressionId::from_bits(bits)
    }

    /// An address of which nothing is known.
    pub fn begun(channel: Channel, address: &str) -> Self {
        let facts = SuppressionFacts { channel, reason: None, reported_at: None, bounces: Vec::new() };
        Self { id: Self::id_of(channel, address), facts }
    }

    /// Something is reported. What is graver stays: only who wrote STOP can write START.
    pub fn hears(&self, own: &Reported, soft_bounces: u32) -> Verdict<Self> {
        let mut next = self.clone();
        let facts = &mut next.facts;
        // reports come in any order: an answer that is older than the newest one changes nothing
        let newer = facts.reported_at.is_none_or(|at| own.at >= at);
        match own.report {
            Report::Bounced if facts.reason.is_none() => facts.reason = Some(Reason::Bounced),
            Report::BouncedForNow if !facts.bounces.contains(&own.name) => {
                facts.bounces.push(own.name.clone());
                let many = u32::try_from(facts.bounces.len()).unwrap_or(u32::MAX) >= soft_bounces;
                if many && facts.reason.is_none() {
                    facts.reason = Some(Reason::Bounced);
                }
            }
            Report::Complained => facts.reason = Some(Reason::Complained),
            Report::OptedOut if newer && facts.reason != Some(Reason::Complained) => {
                facts.reason = Some(Reason::OptedOut)
            }
            Report::OptedIn if newer && facts.reason == Some(Reason::OptedOut) => facts.reason = None,
            Report::Bounced | Report::BouncedForNow | Report::OptedOut | Report::OptedIn => {}
        }
        if next.facts == self.facts {
            return Verdict::Nothing("it is known");
        }
        next.facts.reported_at = next.facts.reported_at.max(Some(own.at));
        Verdict::change(next, own.report.as_str(), vec!["suppression.changed"], vec![own.name.clone()])
    }
}

impl Entity for Suppression {
    type Id = SuppressionId;
    type Table = InCrm;
    type Public = SuppressionFacts;
    type Private = ();
    const KIND: &'static str = "suppression";

    fn id(&self) -> &SuppressionId {
        &self.id
    }

    fn public(&self) -> &SuppressionFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public })
    }
}
