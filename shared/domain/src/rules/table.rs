//! A table of rows, of which the first that holds gives the outcome.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::Value as Json;

use super::condition::Condition;
use super::parse::read_when;
use super::reach::{Cell, Space};
use super::read::{Faults, Node};
use super::schema::Schema;
use crate::input::Fault;

/// How many rows one table may hold.
pub const ROWS_MAX: usize = 200;

/// One row: when it holds, and what then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row<T> {
    /// Unique in its table; decisions name it in their `why`.
    pub id: String,
    /// When it holds.
    pub when: Condition,
    /// What follows.
    pub then: T,
}

/// Parses a table: a list of `{id, when, then}`.
///
/// # Errors
/// Every fault with its JSON pointer, also rows that nothing can reach.
pub fn parse_table<T>(
    value: &Json,
    schema: &Schema,
    mut then: impl FnMut(&Json) -> Result<T, Vec<Fault>>,
) -> Result<Vec<Row<T>>, Vec<Fault>> {
    let mut faults = Faults::default();
    let rows =
        read_rows(&Node::root(value), schema, 1..=ROWS_MAX, &mut faults, |node, _, faults| match then(node.raw()) {
            Ok(outcome) => Some(outcome),
            Err(inner) => {
                for fault in inner {
                    faults.add(Fault { pointer: format!("{}{}", node.pointer(), fault.pointer), ..fault });
                }
                None
            }
        });
    faults.finish(rows)
}

/// Reads a table; `then` gets the row's `then` and its condition, if that could be read.
pub(crate) fn read_rows<T>(
    node: &Node<'_>,
    schema: &Schema,
    count: RangeInclusive<usize>,
    faults: &mut Faults,
    then: impl FnMut(&Node<'_>, Option<&Condition>, &mut Faults) -> Option<T>,
) -> Option<Vec<Row<T>>> {
    let mut conditions = Vec::new();
    let rows = read_each(node, schema, count, &mut conditions, faults, then);
    refuse_unreachable(&conditions, schema, faults);
    rows
}

/// Reads a table of which every row that holds counts: none can be unreachable.
pub(crate) fn read_every_row<T>(
    node: &Node<'_>,
    schema: &Schema,
    count: RangeInclusive<usize>,
    faults: &mut Faults,
    mut then: impl FnMut(&Node<'_>, &mut Faults) -> Option<T>,
) -> Option<Vec<Row<T>>> {
    read_each(node, schema, count, &mut Vec::new(), faults, |node, _, faults| then(node, faults))
}

/// A condition that could be read, with its pointer and what its row is called.
type ReadCondition = (String, String, Condition);

/// Reads the rows, and every condition that can be read into `conditions`.
fn read_each<T>(
    node: &Node<'_>,
    schema: &Schema,
    count: RangeInclusive<usize>,
    conditions: &mut Vec<ReadCondition>,
    faults: &mut Faults,
    mut then: impl FnMut(&Node<'_>, Option<&Condition>, &mut Faults) -> Option<T>,
) -> Option<Vec<Row<T>>> {
    let items = node.list(count, faults)?;
    let mut ids: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for item in &items {
        let Some(object) = item.object(&["id", "when", "then"], faults) else { continue };
        let id = object.need("id", faults).and_then(|at| unique_name(&at, &mut ids, faults));
        let when = object.need("when", faults);
        let condition = when.as_ref().and_then(|at| read_when(at, schema, faults));
        let outcome = object.need("then", faults).and_then(|at| then(&at, condition.as_ref(), faults));
        if let (Some(at), Some(condition)) = (when, &condition) {
            let shown = id.clone().unwrap_or_else(|| item.pointer().to_owned());
            conditions.push((at.pointer().to_owned(), shown, condition.clone()));
        }
        if let (Some(id), Some(when), Some(then)) = (id, condition, outcome) {
            rows.push(Row { id, when, then });
        }
    }
    (rows.len() == items.len()).then_some(rows)
}

/// Reads a name that no other has.
pub(crate) fn unique_name(node: &Node<'_>, taken: &mut Vec<String>, faults: &mut Faults) -> Option<String> {
    let name = node.name(faults)?;
    if taken.contains(&name) {
        faults.add(node.fault("duplicate_id", format!("`{name}` is already the name of another")));
        return None;
    }
    taken.push(name.clone());
    Some(name)
}

/// A row is never reached when the rows before it cover all it covers. A last row `always` is spared unless another
/// `always` stands before it: it is the net for values that are added later.
fn refuse_unreachable(rows: &[ReadCondition], schema: &Schema, faults: &mut Faults) {
    let space = Space::new(schema);
    let cells: Vec<Option<Vec<Cell>>> = rows.iter().map(|(_, _, condition)| space.cells(condition, true)).collect();
    for (n, ((pointer, _, condition), own)) in rows.iter().zip(&cells).enumerate() {
        let Some(own) = own.as_ref().filter(|own| !own.is_empty()) else { continue };
        let before =
            || rows.iter().zip(&cells).take(n).filter(|((_, _, row), _)| row.is_always() || !condition.is_always());
        let taken = before().filter_map(|(_, cells)| cells.as_deref());
        let left = taken.into_iter().try_fold(own.clone(), |left, taken| space.subtract(left, taken));
        if !left.is_some_and(|left| left.is_empty()) {
            continue;
        }
        let alone = before().find(|(_, cells)| {
            let left = cells.as_ref().and_then(|taken| space.subtract(own.clone(), taken));
            left.is_some_and(|left| left.is_empty())
        });
        let by = alone.map_or_else(|| "the rows".to_owned(), |((_, id, _), _)| format!("row `{id}`"));
        faults.add(Fault::new(
            pointer.clone(),
            "unreachable_row",
            format!("never reached: {by} before it can have everything that this row asks for"),
        ));
    }
}

/// Reports what no row covers inside a cell.
pub(crate) fn refuse_gap<T>(
    fault_at: &Node<'_>,
    what: &str,
    cell: Cell,
    rows: &[Row<T>],
    space: &Space<'_>,
    faults: &mut Faults,
) {
    if let Some(gap) = space.gap(cell, rows.iter().map(|row| &row.when)) {
        faults.add(fault_at.fault("gap", format!("no row of {what} covers {gap}")));
    }
}
