//! Personal data: masked wherever it could be printed by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that belongs to a person. `Debug` and `Display` show a mask; `reveal` is the only way to it.
/// It serialises in clear, because storing and answering are what it is kept for; logs never serialise it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Wraps a personal value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Never pass it to a log line.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_display_shows_the_value() {
        let email = Redacted::new("jane@example.com".to_owned());
        assert_eq!(format!("{email:?} {email}"), "*** ***");
        assert_eq!(serde_json::to_string(&email).unwrap(), "\"jane@example.com\"");
    }
}
