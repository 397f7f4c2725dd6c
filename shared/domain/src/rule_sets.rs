//! The rule sets there are.

use serde_json::Value as Json;

pub mod references;

use crate::account::rules::Platforms;
use crate::input::Fault;
use crate::journey::rules::Sequences;
use crate::lead::rules::{LeadIntake, LeadRouting, LeadScoring};
use crate::notification::rules::Notifications;
use crate::payment::rules::Psps;
use crate::sales::rules::SalesRules;
use crate::words::words;
use crate::work::rules::DeskRules;

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
        /// What a lead's form says, and who is the same person.
        LeadIntake = "lead_intake",
        /// How promising a lead is.
        LeadScoring = "lead_scoring",
        /// Where a lead goes.
        LeadRouting = "lead_routing",
        /// Agents, calendars, pools.
        Sales = "sales",
        /// Series of messages.
        Sequences = "sequences",
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
        SetName::LeadIntake => LeadIntake::parse(document).map(drop),
        SetName::LeadScoring => LeadScoring::parse(document).map(drop),
        SetName::LeadRouting => LeadRouting::parse(document).map(drop),
        SetName::Sales => SalesRules::parse(document).map(drop),
        SetName::Sequences => Sequences::parse(document).map(drop),
    }
}
