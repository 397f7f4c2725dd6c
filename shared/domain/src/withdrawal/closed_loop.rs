//! The part `closed_loop` of the rule set `withdrawals`: which deposits are paid back to their payers, for how long, and in which order.

use serde::Serialize;

use crate::payment::Deposit;
use crate::rules::read::{Faults, Node, optional};
use crate::rules::table::{ROWS_MAX, Row, read_rows};
use crate::rules::{Fields, RuleError, first_match};
use crate::words::words;
use crate::{Currency, Seconds, Timestamp};

/// No payer gets money back for longer.
const REFUNDABLE_MAX: Seconds = Seconds(3_650 * 86_400);
const KEYS: [&str; 3] = ["sources", "order", "above_sources"];
/// The word for what is no source.
const NEVER: &str = "never";

words! {
    /// In which order several sources are used.
    SourceOrder {
        /// The oldest deposit first.
        Oldest = "oldest",
        /// The newest deposit first.
        Newest = "newest",
    }
}

words! {
    /// What is done with what is more than the sources brought: profit.
    AboveSources {
        /// It goes to the place that the client names.
        Elsewhere = "elsewhere",
        /// A person decides about the withdrawal, whatever the rows of `approval` say.
        Ask = "ask",
    }
}

/// For how long a deposit can be paid back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Refundable {
    /// For so long after it was asked for.
    For(Seconds),
    /// Not at all.
    Never,
}

/// What rows of `sources` may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCase {
    /// The provider over which it was paid.
    pub psp: String,
    /// The currency that it was asked for in.
    pub currency: Currency,
}

fn fields() -> Fields<SourceCase> {
    Fields::new().field("psp", |case: &SourceCase| case.psp.clone()).field("currency", |case| case.currency)
}

/// The part `closed_loop`; without it every deposit is a source, however old, and the oldest is used first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClosedLoop {
    sources: Option<Vec<Row<Refundable>>>,
    /// In which order several are used.
    pub order: SourceOrder,
    /// What is done with what is more than they brought.
    pub above_sources: AboveSources,
}

impl ClosedLoop {
    pub(super) const DEFAULT: Self =
        Self { sources: None, order: SourceOrder::Oldest, above_sources: AboveSources::Elsewhere };

    /// Whether a deposit can still be paid back by its age.
    ///
    /// # Errors
    /// [`RuleError`]: what cannot be judged is not decided.
    pub fn is_refundable(&self, deposit: &Deposit, now: Timestamp) -> Result<bool, RuleError> {
        let Some(rows) = &self.sources else { return Ok(true) };
        let case = SourceCase { psp: deposit.facts.psp.name.clone(), currency: deposit.facts.requested.currency() };
        Ok(match first_match(rows, fields().facts(&case))?.outcome() {
            Some(Refundable::For(span)) => deposit.inner.opened.plus(*span) > now,
            Some(Refundable::Never) | None => false,
        })
    }
}

/// Reads the part.
pub(super) fn read(node: &Node<'_>, faults: &mut Faults) -> Option<ClosedLoop> {
    let object = node.object(&KEYS, faults)?;
    let sources = optional(object.get("sources"), |rows| read_sources(&rows, faults));
    let order = optional(object.get("order"), |node| node.word(SourceOrder::ALL, faults));
    let above_sources = optional(object.get("above_sources"), |node| node.word(AboveSources::ALL, faults));
    Some(ClosedLoop {
        sources: sources?,
        order: order?.unwrap_or(SourceOrder::Oldest),
        above_sources: above_sources?.unwrap_or(AboveSources::Elsewhere),
    })
}

fn read_sources(rows: &Node<'_>, faults: &mut Faults) -> Option<Vec<Row<Refundable>>> {
    let schema = fields().schema(&[]);
    let read = read_rows(rows, &schema, 1..=ROWS_MAX, faults, |then, _, faults| match then.raw().as_str() {
        Some(NEVER) => Some(Refundable::Never),
        _ => then.span(Seconds(1)..=REFUNDABLE_MAX, faults).map(Refundable::For),
    })?;
    if !read.last().is_some_and(|row| row.when.is_always()) {
        let message = "the last row must be `always`: of every deposit it is said whether it can be paid back";
        faults.add(rows.fault("no_net", message));
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::read::read_document;

    fn faults(document: &Value) -> Vec<String> {
        let read = read_document(document, read);
        read.err().into_iter().flatten().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
    }

    #[test]
    fn every_fault_of_the_part_is_named() {
        let row = |when: Value, then: Value| json!({"id": "row", "when": when, "then": then});
        let sources = |rows: Value| json!({"sources": rows});
        let card = json!({"field": "psp", "eq": "stripe"});
        assert!(faults(&json!({})).is_empty());
        assert!(faults(&sources(json!([row(json!("always"), json!("never"))]))).is_empty());
        let cases = [
            (json!([]), " wrong_type"),
            (json!({"order": "largest"}), "/order unknown_value"),
            (json!({"above_sources": "keep"}), "/above_sources unknown_value"),
            (json!({"age": "1d"}), "/age unknown_key"),
            (sources(json!([row(card.clone(), json!("90d"))])), "/sources no_net"),
            (sources(json!([row(json!("always"), json!("soon"))])), "/sources/0/then bad_duration"),
            (sources(json!([row(json!("always"), json!("0s"))])), "/sources/0/then bad_range"),
            (
                sources(json!([row(json!({"field": "age", "eq": "1"}), json!("1d"))])),
                "/sources/0/when/field unknown_field",
            ),
        ];
        for (document, fault) in cases {
            let told = faults(&document);
            assert!(told.iter().any(|told| told == fault), "{document}: {told:?}");
        }
    }
}
