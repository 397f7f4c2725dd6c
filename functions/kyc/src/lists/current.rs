//! What is known of the lists and their index: one small object, read before each screening and written last.

use domain::Timestamp;
use domain::kyc::rules::ListRule;
use domain::kyc::watch_list::RefusedFor;
use serde::{Deserialize, Serialize};

/// Where it lies.
pub const CURRENT: &str = "current.json";

/// The lists as they are used now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Current {
    /// The index of them; none before the first list was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Built>,
    /// The lists, in the order of the rules.
    #[serde(default)]
    pub lists: Vec<ListState>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// Where it lies.
    pub key: String,
    /// The versions of its lists, as alerts name them.
    pub version: String,
    /// Which engine can read it.
    pub edition: String,
    /// When it was built.
    pub built_at: Timestamp,
    /// Listed parties in it.
    pub entries: usize,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListState {
    /// Its code.
    pub list: String,
    /// The version that is used; none before the first that was good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
    /// Why what was fetched last was not taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// A version of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Its date and hash.
    pub version: String,
    /// The bytes as they were fetched.
    pub key: String,
    /// When its source made it, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Listed parties in it.
    pub entries: u32,
    /// Entries or facts that could not be read.
    pub unread: usize,
    /// When its source was last seen to have it.
    pub taken_at: Timestamp,
    /// What changed since the version before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
}

/// How many entries differ from the version before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// New ones.
    pub added: usize,
    /// Those that say something else.
    pub changed: usize,
    /// Those that are gone.
    pub removed: usize,
}

/// A version that was not taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What is wrong with it; nothing is known to be where it was not even asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<RefusedFor>,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

impl Current {
    /// A list by its code.
    pub fn list(&self, code: &str) -> Option<&ListState> {
        self.lists.iter().find(|state| state.list == code)
    }

    /// Whether a list has no version that may be used: it was never taken, or too long ago.
    pub fn is_stale(&self, rule: &ListRule, now: Timestamp) -> bool {
        let taken = self.list(&rule.code).and_then(|state| state.taken.as_ref());
        taken.is_none_or(|taken| rule.is_stale(taken.taken_at, now))
    }
}
