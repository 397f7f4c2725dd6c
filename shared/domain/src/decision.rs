//! What a step decides, and the record of it that is kept for ever.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{ClientId, Timestamp};

/// What follows from one trigger: the next state, the events to announce and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<S> {
    /// The entity as it is from now on.
    pub next: S,
    /// Types of the events of this version, e.g. `deposit.paid`; their data is the entity's public part.
    pub events: Vec<&'static str>,
    /// The checks made and what they saw, in words a person can copy into a file.
    pub why: Vec<String>,
    /// One word for the result, e.g. `credited`.
    pub outcome: &'static str,
}

/// A trigger changes the entity, or finds nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<S> {
    /// Save this.
    Change(Box<Decision<S>>),
    /// Nothing to do; the reason is logged, nothing is written.
    Nothing(&'static str),
}

impl<S> Verdict<S> {
    /// A change.
    pub fn change(next: S, outcome: &'static str, events: Vec<&'static str>, why: Vec<String>) -> Self {
        Self::Change(Box::new(Decision { next, events, why, outcome }))
    }
}

/// What an entity is to the store and to the journal.
pub trait Entity: Sized {
    /// What its kind is called in due entries: `payment`, `account`, `work`.
    const KIND: &'static str;
    /// The field that names its id in events: `payment_id`.
    const ID_FIELD: &'static str;

    /// Its id as text; the key of its item and of its journal entries.
    fn id(&self) -> &str;
    /// The client it belongs to.
    fn client(&self) -> Option<&ClientId>;
    /// When something must happen to it although no trigger comes.
    fn due(&self) -> Option<Timestamp>;
    /// Its place in the list of open work, for work items only.
    fn rank(&self) -> Option<(String, String)> {
        None
    }
    /// The part that events and journal carry: no personal data, no secrets.
    fn public(&self) -> Result<String, serde_json::Error>;
    /// The part that stays in the item.
    fn private(&self) -> Result<Option<String>, serde_json::Error>;
    /// The entity from its parts.
    fn from_parts(
        id: &str,
        client: Option<ClientId>,
        public: &str,
        private: Option<&str>,
        due: Option<Timestamp>,
    ) -> Result<Self, serde_json::Error>;
}

/// Where a decision was made: what the record needs beside the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The function, e.g. `payments-credit`.
    pub function: &'static str,
    /// The invocation.
    pub execution_id: String,
    /// What set it off: `POST /v1/…`, an event id, a provider's event id.
    pub trigger: String,
    /// Follows the work from its first request.
    pub correlation_id: String,
    /// The moment of the decision.
    pub now: Timestamp,
    /// Rule set and version that were used, e.g. `psps@3`.
    pub rules: Option<String>,
}

/// The decision record of one version. Field names are short: it is stored twice for every change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Function.
    #[serde(rename = "fn")]
    pub function: String,
    /// Execution id.
    #[serde(rename = "ex")]
    pub execution_id: String,
    /// Trigger.
    #[serde(rename = "tr")]
    pub trigger: String,
    /// Milliseconds since 1970 UTC.
    #[serde(rename = "at")]
    pub at_ms: i64,
    /// Rule set and version.
    #[serde(rename = "rs", default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// Trace.
    #[serde(rename = "why", default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// Outcome.
    #[serde(rename = "out")]
    pub outcome: String,
    /// Event types.
    #[serde(rename = "ev", default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Correlation id.
    #[serde(rename = "cor")]
    pub correlation_id: String,
}

impl Record {
    /// The record of a decision.
    pub fn of<S>(decision: &Decision<S>, frame: &Frame) -> Self {
        Self {
            function: frame.function.to_owned(),
            execution_id: frame.execution_id.clone(),
            trigger: frame.trigger.clone(),
            at_ms: frame.now.millis(),
            rules: frame.rules.clone(),
            why: decision.why.clone(),
            outcome: decision.outcome.to_owned(),
            events: decision.events.iter().map(|kind| (*kind).to_owned()).collect(),
            correlation_id: frame.correlation_id.clone(),
        }
    }
}

/// A SHA-256 link of an entity's journal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// What the first entry of an entity is chained to.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash of an entry: over the previous hash, the entity, the version, the record and the public part,
    /// each with its length, so that no byte can move from one to the next.
    pub fn link(previous: Self, entity: &str, version: u64, record: &str, public: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(previous.0);
        hasher.update(version.to_be_bytes());
        for part in [entity, record, public] {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        Self(hasher.finalize().into())
    }

    /// Lower-case hexadecimal.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// 128 bits for an id that is derived instead of drawn, so that a repeat makes the same id: the moment in the first
/// 48 bits keeps the order of ids, the rest is a hash of what it is derived from.
pub fn derived_bits(at: Timestamp, from: &[&str]) -> u128 {
    let mut hasher = Sha256::new();
    for part in from {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut low = [0_u8; 16];
    for (place, byte) in low.iter_mut().skip(6).zip(digest) {
        *place = byte;
    }
    let millis = u128::try_from(at.millis()).unwrap_or(0) & 0xffff_ffff_ffff;
    (millis << 80) | u128::from_be_bytes(low)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn moving_a_byte_between_the_parts_changes_the_hash(record in "[a-z]{1,20}", public in "[a-z]{1,20}") {
            let moved_record = format!("{record}{}", &public[..1]);
            let a = ChainHash::link(ChainHash::GENESIS, "pay_1", 1, &record, &public);
            let b = ChainHash::link(ChainHash::GENESIS, "pay_1", 1, &moved_record, &public[1..]);
            prop_assert_ne!(a, b);
        }

        #[test]
        fn derived_ids_repeat_and_keep_the_order_of_time(a in 0_i64..4_000_000_000_000, b in 0_i64..4_000_000_000_000, x: String) {
            let (first, second) = (Timestamp::from_millis(a).unwrap(), Timestamp::from_millis(b).unwrap());
            prop_assert_eq!(derived_bits(first, &[&x]), derived_bits(first, &[&x]));
            if a < b {
                prop_assert!(derived_bits(first, &[&x]) < derived_bits(second, &[&x]));
            }
        }
    }
}
