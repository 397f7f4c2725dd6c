//! What a step decides, and the record of it that is kept for ever.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use crate::Timestamp;
use crate::four_eyes::person;
use crate::ledger::Postings;
use crate::rules::{Replays, RuleSet};

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
    /// What it moves in the ledger; the relay books it.
    pub postings: Postings,
    /// Who approves what the version before proposed, as [`crate::four_eyes::person`]. The store saves it only where somebody else is
    /// the proposer.
    pub approver: Option<String>,
    /// What a rule set was asked, where another version of it may be asked the same.
    pub asked: Option<Asked>,
}

/// What a rule set was asked and what it said, so that another version of it can be asked the same ([`crate::rules::Replays`]). Nothing
/// personal stands in it. It is kept in the journal's table and shown by no view: what facts there are may be for some eyes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The set.
    #[serde(rename = "s")]
    pub set: String,
    /// The facts, in the form that the set reads again.
    #[serde(rename = "f")]
    pub facts: Json,
    /// The verdict, in a word.
    #[serde(rename = "v")]
    pub verdict: String,
}

impl Asked {
    /// What a set says of facts; nothing where it cannot say.
    pub fn of<S: RuleSet + Replays>(set: &S, facts: Json) -> Option<Self> {
        let verdict = set.replay(&facts).ok()?;
        Some(Self { set: S::NAME.to_owned(), facts, verdict })
    }
}

impl<S> Decision<S> {
    /// A decision that moves no money.
    pub fn new(next: S, outcome: &'static str, events: Vec<&'static str>, why: Vec<String>) -> Self {
        Self { next, events, why, outcome, postings: Postings::none(), approver: None, asked: None }
    }

    /// The same as an approval of what the version before proposed.
    #[must_use]
    pub fn approved_by(mut self, subject: &str) -> Self {
        self.approver = Some(person(subject));
        self
    }

    /// The same with what it moves in the ledger.
    #[must_use]
    pub fn booking(mut self, postings: Postings) -> Self {
        self.postings = postings;
        self
    }

    /// The same with what a rule set was asked.
    #[must_use]
    pub fn asking(mut self, asked: Option<Asked>) -> Self {
        self.asked = asked;
        self
    }
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
        Self::Change(Box::new(Decision::new(next, outcome, events, why)))
    }

    /// The same with what it moves in the ledger.
    #[must_use]
    pub fn booking(self, postings: Postings) -> Self {
        match self {
            Self::Change(decision) => Self::Change(Box::new(decision.booking(postings))),
            Self::Nothing(reason) => Self::Nothing(reason),
        }
    }

    /// The same with what a rule set was asked.
    #[must_use]
    pub fn asking(self, asked: Option<Asked>) -> Self {
        match self {
            Self::Change(decision) => Self::Change(Box::new(decision.asking(asked))),
            Self::Nothing(reason) => Self::Nothing(reason),
        }
    }
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
    /// Every rule set that had a say, with its version, e.g. `psps@3`.
    pub rules: Vec<String>,
}

impl Frame {
    /// Notes that a rule set had a say.
    pub fn used(&mut self, rules: String) {
        if !self.rules.contains(&rules) {
            self.rules.push(rules);
        }
    }
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
    /// Rule sets and their versions. Older records name one, as text.
    #[serde(rename = "rs", default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub rules: Vec<String>,
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
    /// What it moves in the ledger.
    #[serde(rename = "po", default, skip_serializing_if = "Postings::is_none")]
    pub postings: Postings,
    /// What a rule set was asked.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
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
            postings: decision.postings.clone(),
            asked: decision.asked.clone(),
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

/// The same for what follows one another faster than a moment ends: of one moment, the order decides.
pub fn derived_bits_in_order(at: Timestamp, order: u64, from: &[&str]) -> u128 {
    const LOW: u128 = (1 << 64) - 1;
    let bits = derived_bits(at, from);
    let order = u128::from(order.min(u64::from(u16::MAX)));
    (bits >> 80 << 80) | (order << 64) | (bits & LOW)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_of_one_rule_set_and_without_postings_is_read_as_it_was() {
        let text = r#"{"fn":"payments-webhook","ex":"e","tr":"t","at":1,"rs":"psps@3","out":"paid","cor":"c"}"#;
        let record: Record = serde_json::from_str(text).unwrap();
        assert_eq!((record.rules, record.postings), (vec!["psps@3".to_owned()], Postings::none()));
    }

    #[test]
    fn a_rule_set_that_is_used_twice_is_named_once() {
        let mut frame = Frame {
            function: "f",
            execution_id: String::new(),
            trigger: String::new(),
            correlation_id: String::new(),
            now: Timestamp::EPOCH,
            rules: vec![],
        };
        for label in ["psps@3", "platforms@1", "psps@3"] {
            frame.used(label.to_owned());
        }
        assert_eq!(frame.rules, ["psps@3", "platforms@1"]);
    }

    #[test]
    fn of_one_moment_the_order_decides() {
        let id = |order, name: &str| derived_bits_in_order(Timestamp::EPOCH, order, &[name]);
        for name in ["a", "b", "c", "d"] {
            assert!(id(4, name) < id(6, "x") && id(6, name) < id(70_000, "x"));
            assert_eq!(id(4, name), id(4, name));
        }
    }

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
