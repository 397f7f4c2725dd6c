//! Rules as data: a closed, typed tree, parsed with every fault and evaluated with a trace.
//!
//! A rule set is read from JSON (`infra/rules/*.yaml` converted outside the domain). What does not parse never goes live;
//! what cannot be judged at run time is an error of its own and never passes as "no match". Versions are the store's business.
//!
//! Numbers: a fraction must be written in quotes. Without them a reader has already turned it into a binary float,
//! so it is refused instead of taken nearly right.

pub mod bands;
pub mod condition;
pub mod desk;
pub mod evaluate;
pub mod lead_intake;
pub mod lead_routing;
pub mod lead_scoring;
pub mod notifications;
pub mod parse;
pub mod platforms;
pub mod psps;
mod reach;
mod read;
pub mod references;
pub mod sales;
pub mod schema;
pub mod sequences;
mod set_name;
pub mod substitute;
pub mod table;
pub mod value;
pub mod wording;
pub(crate) mod words;

pub use condition::{Condition, Op, Test};
pub use desk::DeskRules;
pub use evaluate::{Facts, FirstMatch, RuleError, RuleFault, Trace, first_match};
pub use lead_intake::LeadIntake;
pub use lead_routing::LeadRouting;
pub use lead_scoring::LeadScoring;
pub use notifications::Notifications;
pub use platforms::Platforms;
pub use psps::Psps;
pub use sales::SalesRules;
pub use schema::Schema;
pub use sequences::Sequences;
pub use set_name::{SetName, parse_any};
pub use substitute::substitute;
pub use table::{Row, parse_table};
pub use value::{Value, ValueType};
pub use words::UnknownWord;

/// Whether a text is a name as rule files give them: lower-case letters, digits, `_` and `-`.
pub fn is_rule_name(text: &str) -> bool {
    read::is_name(text)
}
