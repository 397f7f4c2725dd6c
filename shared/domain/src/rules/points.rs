//! Rows of which every one that holds adds its points: what a lead, a client or a transaction is worth or risks.

use rust_decimal::Decimal;
use serde::Serialize;

use super::condition::Condition;
use super::evaluate::{Facts, Outcome, RowTrace, RuleError, Trace, evaluate};
use super::parse::read_when;
use super::read::{Faults, Node};
use super::schema::Schema;
use super::table::{ROWS_MAX, unique_name};

/// One row: when it holds, and what it adds then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PointsRow {
    /// Unique in its table; scores name it.
    pub id: String,
    /// When it holds.
    pub when: Condition,
    /// What it adds; may be below zero.
    pub points: Decimal,
}

/// A table of points. Unlike a table of which one row counts, none can be unreachable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Points(Vec<PointsRow>);

/// What was added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added<'r> {
    /// The rows that hold, with their points.
    pub rows: Vec<(&'r str, Decimal)>,
    /// What was looked at, row by row.
    pub trace: Trace,
}

impl Added<'_> {
    /// The sum.
    pub fn total(&self) -> Decimal {
        self.rows.iter().map(|(_, points)| points).sum()
    }
}

impl Points {
    /// The rows that hold.
    ///
    /// # Errors
    /// [`RuleError`] at the first row that cannot be judged: points that are not known are not zero.
    pub fn add_up(&self, facts: &Facts) -> Result<Added<'_>, RuleError> {
        let mut added = Added { rows: Vec::new(), trace: Trace::default() };
        for row in &self.0 {
            let node = evaluate(&row.when, facts);
            let outcome = node.outcome.clone();
            added.trace.rows.push(RowTrace { row: row.id.clone(), outcome: outcome.clone(), when: Some(node) });
            match outcome {
                Outcome::Value(true) => added.rows.push((&row.id, row.points)),
                Outcome::Value(false) | Outcome::Skipped => {}
                Outcome::Error(fault) => {
                    return Err(RuleError { row_id: row.id.clone(), fault, trace: Box::new(added.trace) });
                }
            }
        }
        Ok(added)
    }
}

/// Reads a table: a list of `{id, when, points}`.
pub(crate) fn read_points_rows(node: &Node<'_>, schema: &Schema, most: u32, faults: &mut Faults) -> Option<Points> {
    let mut ids = Vec::new();
    let rows = node.each(0..=ROWS_MAX, faults, |item, faults| {
        let object = item.object(&["id", "when", "points"], faults)?;
        let id = object.need("id", faults).and_then(|node| unique_name(&node, &mut ids, faults));
        let when = object.need("when", faults).and_then(|node| read_when(&node, schema, faults));
        let points = object.need("points", faults).and_then(|node| read_points(&node, most, faults));
        Some(PointsRow { id: id?, when: when?, points: points? })
    })?;
    Some(Points(rows))
}

/// Reads points: a decimal no further from zero than `most`.
pub(crate) fn read_points(node: &Node<'_>, most: u32, faults: &mut Faults) -> Option<Decimal> {
    let points = node.decimal(faults)?;
    if points.abs() > Decimal::from(most) {
        faults.add(node.fault("bad_range", format!("must be from -{most} to {most}")));
        return None;
    }
    Some(points)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::evaluate::RuleFault;
    use super::super::fields::Fields;
    use super::super::read::read_document;
    use super::*;

    fn points(rows: &Json) -> Points {
        let schema =
            Fields::<(u32, bool)>::new().field("answers", |case| case.0).field("phone", |case| case.1).schema(&[]);
        read_document(rows, |node, faults| read_points_rows(node, &schema, 100, faults)).unwrap()
    }

    fn rows() -> Json {
        json!([
            {"id": "phone", "when": {"field": "phone", "eq": true}, "points": "12.5"},
            {"id": "answers", "when": {"field": "answers", "gte": 3}, "points": 10},
            {"id": "everybody", "when": "always", "points": -2}
        ])
    }

    #[test]
    fn every_row_that_holds_counts_and_the_trace_tells_all() {
        let points = points(&rows());
        for (phone, answers, ids, total) in [
            (true, 3_u32, vec!["phone", "answers", "everybody"], "20.5"),
            (true, 2, vec!["phone", "everybody"], "10.5"),
            (false, 0, vec!["everybody"], "-2"),
        ] {
            let added = points.add_up(&Facts::new().with("phone", phone).with("answers", answers)).unwrap();
            assert_eq!(added.rows.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
            assert_eq!(added.total().to_string(), total);
            let told: Vec<&str> = added.trace.rows.iter().map(|row| row.row.as_str()).collect();
            assert_eq!(told, ["phone", "answers", "everybody"]);
            let hold = added.trace.rows.iter().filter(|row| row.outcome == Outcome::Value(true)).count();
            assert_eq!(hold, ids.len());
        }
    }

    #[test]
    fn what_cannot_be_judged_is_an_error_with_what_was_seen_before() {
        let points = points(&rows());
        let error = points.add_up(&Facts::new().with("phone", true)).unwrap_err();
        assert_eq!((error.row_id.as_str(), &error.fault), ("answers", &RuleFault::MissingFact("answers".to_owned())));
        assert_eq!(error.why("profile"), ["profile/phone: yes", "profile/answers: error: fact `answers` is missing"]);
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let points = points(&rows());
        let written = serde_json::to_value(&points).unwrap();
        assert_eq!(self::points(&written), points);
    }
}
