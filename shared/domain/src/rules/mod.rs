//! Rules as data: a closed, typed tree, parsed with every fault and evaluated with a trace.
//!
//! A rule set is read from JSON (`infra/rules/*.yaml` converted outside the domain). What does not parse never goes live;
//! what cannot be judged at run time is an error of its own and never passes as "no match". Versions are the store's business.
//!
//! Numbers: a fraction must be written in quotes. Without them a reader has already turned it into a binary float,
//! so it is refused instead of taken nearly right.

pub mod bands;
pub mod condition;
pub mod evaluate;
pub mod fields;
pub mod limits;
pub mod lists;
pub mod parse;
pub mod points;
pub(crate) mod reach;
pub(crate) mod read;
pub mod rule_set;
pub mod schema;
pub mod substitute;
pub mod table;
pub mod texts;
pub mod value;
pub mod wording;
pub mod yaml;

pub use condition::{Condition, Op, Test};
pub use evaluate::{Facts, FirstMatch, RuleError, RuleFault, Trace, every_match, first_match};
pub use fields::Fields;
pub use rule_set::{Replays, RuleSet};
pub use schema::Schema;
pub use substitute::substitute;
pub use table::{Row, parse_table};
pub use value::{Value, ValueType};

/// Whether a text is a name as rule files give them: lower-case letters, digits, `_` and `-`.
pub fn is_rule_name(text: &str) -> bool {
    read::is_name(text)
}
