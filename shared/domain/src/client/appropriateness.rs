//! Whether a client understands what he would be offered, as the broker's own test says: what needs a pass is offered to nobody else.

use serde::{Deserialize, Serialize};

use super::Client;
use crate::Timestamp;
use crate::decision::Verdict;
use crate::input::{Fault, Reader};
use crate::words::words;

words! {
    /// Whether the client understands what he would be offered.
    Appropriateness {
        /// He passed the test.
        Passed = "passed",
        /// He did not.
        Failed = "failed",
        /// He was not tested: what needs a pass is barred.
        Unknown = "unknown",
    }
}

/// A test that a client took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppropriatenessTest {
    /// Whether he passed.
    pub passed: bool,
    /// When he took it.
    pub taken_at: Timestamp,
}

impl AppropriatenessTest {
    /// Reads `{passed, taken_at?}`; without a time it was taken now.
    ///
    /// # Errors
    /// Every fault of the input at once.
    pub fn read(body: &serde_json::Value, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let passed = reader.bool("passed");
        let taken_at = reader.optional_time("taken_at").unwrap_or(now);
        if taken_at > now {
            reader.fault_at("taken_at", "in_the_future", "must not be in the future");
        }
        let faults = reader.finish();
        match passed {
            Some(passed) if faults.is_empty() => Ok(Self { passed, taken_at }),
            _ => Err(faults),
        }
    }
}

impl Client {
    /// What is known of him.
    pub fn appropriateness(&self) -> Appropriateness {
        match self.facts.appropriateness.as_ref().map(|test| test.passed) {
            Some(true) => Appropriateness::Passed,
            Some(false) => Appropriateness::Failed,
            None => Appropriateness::Unknown,
        }
    }

    /// He took a test. Of two the later one counts, in whatever order they are told; of two at one moment the one that he failed.
    pub fn took(&self, test: &AppropriatenessTest) -> Verdict<Self> {
        let counts = |known: &AppropriatenessTest| (known.taken_at, !known.passed) < (test.taken_at, !test.passed);
        if !self.facts.appropriateness.as_ref().is_none_or(counts) {
            return Verdict::Nothing("a test that counts more is known");
        }
        let mut next = self.clone();
        next.facts.appropriateness = Some(test.clone());
        let why = vec![format!("appropriateness {}, on {}", next.appropriateness(), test.taken_at)];
        Verdict::change(next, "appropriateness", vec!["client.appropriateness"], why)
    }
}
