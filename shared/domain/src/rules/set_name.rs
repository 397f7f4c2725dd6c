//! The rule sets there are.

use serde_json::Value as Json;

use super::words::words;
use super::{DeskRules, Notifications, Platforms, Psps};
use crate::input::Fault;

words! {
    /// A rule set by its name in routes, tables and files.
    SetName {
        /// Payment service providers and deposits.
        Psps = "psps",
        /// Trading servers and accounts.
        Platforms = "platforms",
        /// Messages.
        Notifications = "notifications",
        /// Work items.
        Desk = "desk",
    }
}

/// Checks a document as the rule set of a name.
///
/// # Errors
/// Every fault with its JSON pointer.
pub fn parse_any(name: SetName, document: &Json) -> Result<(), Vec<Fault>> {
    match name {
        SetName::Psps => Psps::parse(document).map(drop),
        SetName::Platforms => Platforms::parse(document).map(drop),
        SetName::Notifications => Notifications::parse(document).map(drop),
        SetName::Desk => DeskRules::parse(document).map(drop),
    }
}
