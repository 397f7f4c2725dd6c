//! Whose statement is held against the ledger.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A payment provider or a trading server. Written as one member: `"psp": "stripe"`, `"server": "mt5-live"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A payment provider, by its name in the rule set `psps`.
    Psp(String),
    /// A trading server, by its name in the rule set `platforms`.
    Server(String),
}

impl Source {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Psp(name) | Self::Server(name) => name,
        }
    }

    /// What ids are derived from: a server and a provider of one name are two sources.
    pub(super) fn parts(&self) -> Vec<&str> {
        match self {
            Self::Psp(name) => vec![name],
            Self::Server(name) => vec!["server", name],
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
