//! Evaluation: the first row that holds, with a trace of what was looked at.
//!
//! Total and deterministic. A missing fact or a value of another type is an error of the whole evaluation: it never
//! passes as "does not hold".

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::condition::{Condition, DEPTH_MAX, FieldName, Op, Test};
use super::table::Row;
use super::value::Value;

/// How many lines a `why` has at most: a journal entry must stay small.
pub const WHY_LINES_MAX: usize = 6;
/// A longer `why` line is cut.
pub const WHY_LINE_CHARS_MAX: usize = 120;

/// What is known about the case at hand. Few, so that looking through them is quicker than any index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(Vec<(FieldName, Value)>);

impl Facts {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, field: impl Into<FieldName>, value: impl Into<Value>) -> Self {
        let field = field.into();
        self.0.retain(|(known, _)| *known != field);
        self.0.push((field, value.into()));
        self
    }

    /// Adds a fact if it is known.
    #[must_use]
    pub fn with_optional(self, field: impl Into<FieldName>, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// A fact, if it is known.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == field).map(|(_, value)| value)
    }
}

/// Why a condition could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// The caller did not give the fact.
    #[error("fact `{0}` is missing")]
    MissingFact(String),
    /// The fact has another type than the rule compares with.
    #[error("fact `{field}` is of type {fact}, the rule compares it with {rule}")]
    TypeMismatch {
        /// The field.
        field: String,
        /// The type of the fact.
        fact: &'static str,
        /// The type in the rule.
        rule: &'static str,
    },
    /// The condition nests deeper than parsing allows.
    #[error("conditions nest deeper than {DEPTH_MAX}")]
    TooDeep,
}

/// What became of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was judged.
    Value(bool),
    /// It was not needed.
    Skipped,
    /// It could not be judged.
    Error(RuleFault),
}

/// The shape of a node, as the condition's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// Every one must hold.
    All(Vec<NodeTrace>),
    /// One must hold.
    Any(Vec<NodeTrace>),
    /// It must not hold.
    Not(Box<NodeTrace>),
    /// A question, and the fact that answered it.
    Test {
        /// The question.
        test: Test,
        /// The fact, if there was one and it was looked at.
        fact: Option<Value>,
    },
}

/// What was looked at for one condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTrace {
    /// The condition.
    pub kind: NodeKind,
    /// Its verdict.
    pub outcome: Outcome,
}

/// What was looked at for one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowTrace {
    /// The row.
    pub row: String,
    /// Its verdict.
    pub outcome: Outcome,
    /// How it came about; `None` if the row was skipped.
    pub when: Option<NodeTrace>,
}

/// What was looked at, row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Trace {
    /// Every row of the table, in order.
    pub rows: Vec<RowTrace>,
}

/// The result of an evaluation without error. What was looked at is told on demand: of many rows, nobody reads most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstMatch<'r, T> {
    rows: &'r [Row<T>],
    facts: Facts,
    /// The row that holds, by its place.
    found: Option<usize>,
}

impl<'r, T> FirstMatch<'r, T> {
    /// The row that holds, if one does.
    pub fn row(&self) -> Option<&'r Row<T>> {
        self.found.and_then(|n| self.rows.get(n))
    }

    /// What follows, if a row holds.
    pub fn outcome(&self) -> Option<&'r T> {
        self.row().map(|row| &row.then)
    }

    /// The row that holds.
    pub fn row_id(&self) -> Option<&'r str> {
        self.row().map(|row| row.id.as_str())
    }

    /// How many rows were judged.
    pub fn judged(&self) -> usize {
        self.found.map_or(self.rows.len(), |n| n.saturating_add(1))
    }

    /// What was looked at, from a row on, without the rows after the one that holds.
    pub fn judged_from(&self, first: usize) -> Trace {
        let judged = self.judged();
        trace(self.rows.get(..judged).unwrap_or_default(), first, judged, &self.facts)
    }

    /// All that was looked at, and the rows that were not needed.
    pub fn trace(&self) -> Trace {
        trace(self.rows, 0, self.judged(), &self.facts)
    }

    /// The lines for a journal entry; `table` names where the rows are from.
    pub fn why(&self, table: &str) -> Vec<String> {
        let judged = self.rows.get(..self.judged()).unwrap_or_default();
        let outcome = |n: usize| Outcome::Value(self.found == Some(n));
        why(table, judged.len(), |n| judged.get(n).map(|row| (row.id.as_str(), outcome(n))))
    }
}

fn trace<T>(rows: &[Row<T>], first: usize, judged: usize, facts: &Facts) -> Trace {
    let told = rows.iter().enumerate().skip(first).map(|(n, row)| {
        let when = (n < judged).then(|| judge(&row.when, facts, DEPTH_MAX));
        let outcome = when.as_ref().map_or(Outcome::Skipped, |node| node.outcome.clone());
        RowTrace { row: row.id.clone(), outcome, when }
    });
    Trace { rows: told.collect() }
}

/// An evaluation that could not be finished. The item is held and a person is asked; it never passes as "no match".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule `{row_id}` could not be judged")]
pub struct RuleError {
    /// The row at which it stopped.
    pub row_id: String,
    /// What went wrong.
    #[source]
    pub fault: RuleFault,
    /// What was looked at until then.
    pub trace: Box<Trace>,
}

impl RuleError {
    /// The lines for a journal entry; `table` names where the rows are from.
    pub fn why(&self, table: &str) -> Vec<String> {
        self.trace.why(table)
    }
}

/// Whether each row holds, of a table of which all that hold count. One that cannot be judged costs the others nothing, and never
/// passes as "does not hold".
pub fn every_match<'r, T>(
    rows: &'r [Row<T>],
    facts: &Facts,
) -> impl Iterator<Item = (&'r Row<T>, Result<bool, RuleFault>)> {
    rows.iter().map(|row| {
        let holds = match judge(&row.when, facts, DEPTH_MAX).outcome {
            Outcome::Value(holds) => Ok(holds),
            Outcome::Error(fault) => Err(fault),
            Outcome::Skipped => Ok(false),
        };
        (row, holds)
    })
}

/// Finds the first row whose condition holds.
///
/// # Errors
/// [`RuleError`] when a row before the first match cannot be judged.
pub fn first_match<T>(rows: &[Row<T>], facts: Facts) -> Result<FirstMatch<'_, T>, RuleError> {
    let mut asked = Asked { facts: &facts, before: Vec::new() };
    let mut found = None;
    for (n, row) in rows.iter().enumerate() {
        match verdict(&row.when, &mut asked, DEPTH_MAX) {
            Some(false) => {}
            Some(true) => {
                found = Some(n);
                break;
            }
            None => {
                let trace = Box::new(trace(rows, 0, n.saturating_add(1), &facts));
                // whatever could not be judged is an error, never "no match"
                let fault = match judge(&row.when, &facts, DEPTH_MAX).outcome {
                    Outcome::Error(fault) => fault,
                    Outcome::Value(_) | Outcome::Skipped => RuleFault::TooDeep,
                };
                return Err(RuleError { row_id: row.id.clone(), fault, trace });
            }
        }
    }
    Ok(FirstMatch { rows, facts, found })
}

/// Facts, and where those are that were asked for before: rows ask for few fields, again and again.
struct Asked<'f> {
    facts: &'f Facts,
    before: Vec<(&'f str, Option<&'f Value>)>,
}

impl<'f> Asked<'f> {
    fn get(&mut self, field: &'f str) -> Option<&'f Value> {
        let known = self.before.iter().find(|(known, _)| std::ptr::eq(*known, field));
        if let Some((_, value)) = known {
            return *value;
        }
        let value = self.facts.get(field);
        self.before.push((field, value));
        value
    }
}

/// The verdict of [`judge`] without a trace of it; `None` where that is an error.
fn verdict<'f>(condition: &'f Condition, asked: &mut Asked<'f>, depth_left: usize) -> Option<bool> {
    let depth_left = depth_left.checked_sub(1)?;
    match condition {
        Condition::Test(test) => answer(test, asked.get(&test.field)),
        Condition::Not(child) => verdict(child, asked, depth_left).map(|holds| !holds),
        Condition::All(children) => each(children, asked, depth_left, true),
        Condition::Any(children) => each(children, asked, depth_left, false),
    }
}

fn each<'f>(children: &'f [Condition], asked: &mut Asked<'f>, depth_left: usize, neutral: bool) -> Option<bool> {
    for child in children {
        // most children are questions: no call for them
        let holds = match child {
            Condition::Test(test) if depth_left > 0 => answer(test, asked.get(&test.field))?,
            other => verdict(other, asked, depth_left)?,
        };
        if holds != neutral {
            return Some(holds);
        }
    }
    Some(neutral)
}

/// Judges one condition.
pub fn evaluate(condition: &Condition, facts: &Facts) -> NodeTrace {
    judge(condition, facts, DEPTH_MAX)
}

fn judge(condition: &Condition, facts: &Facts, depth_left: usize) -> NodeTrace {
    if depth_left == 0 {
        return NodeTrace { kind: NodeKind::All(Vec::new()), outcome: Outcome::Error(RuleFault::TooDeep) };
    }
    match condition {
        Condition::Test(test) => {
            let fact = facts.get(&test.field).cloned();
            let outcome = ask(test, fact.as_ref()).map_or_else(Outcome::Error, Outcome::Value);
            NodeTrace { kind: NodeKind::Test { test: test.clone(), fact }, outcome }
        }
        Condition::Not(child) => {
            let child = judge(child, facts, depth_left - 1);
            let outcome = match &child.outcome {
                Outcome::Value(truth) => Outcome::Value(!truth),
                other => other.clone(),
            };
            NodeTrace { kind: NodeKind::Not(Box::new(child)), outcome }
        }
        Condition::All(children) => {
            let (nodes, outcome) = judge_each(children, facts, depth_left - 1, true);
            NodeTrace { kind: NodeKind::All(nodes), outcome }
        }
        Condition::Any(children) => {
            let (nodes, outcome) = judge_each(children, facts, depth_left - 1, false);
            NodeTrace { kind: NodeKind::Any(nodes), outcome }
        }
    }
}

/// Goes on while children are `neutral`; the first other verdict decides, and the rest is skipped.
fn judge_each(children: &[Condition], facts: &Facts, depth_left: usize, neutral: bool) -> (Vec<NodeTrace>, Outcome) {
    let mut outcome = Outcome::Value(neutral);
    let mut nodes = Vec::with_capacity(children.len());
    for child in children {
        if outcome == Outcome::Value(neutral) {
            let node = judge(child, facts, depth_left);
            outcome = node.outcome.clone();
            nodes.push(node);
        } else {
            nodes.push(skipped(child, depth_left));
        }
    }
    (nodes, outcome)
}

fn skipped(condition: &Condition, depth_left: usize) -> NodeTrace {
    let inner = |children: &[Condition]| match depth_left {
        0 => Vec::new(),
        _ => children.iter().map(|child| skipped(child, depth_left - 1)).collect(),
    };
    let kind = match condition {
        Condition::Test(test) => NodeKind::Test { test: test.clone(), fact: None },
        Condition::All(children) => NodeKind::All(inner(children)),
        Condition::Any(children) => NodeKind::Any(inner(children)),
        Condition::Not(child) => match inner(std::slice::from_ref(child)).pop() {
            Some(child) => NodeKind::Not(Box::new(child)),
            None => NodeKind::All(Vec::new()),
        },
    };
    NodeTrace { kind, outcome: Outcome::Skipped }
}

fn ask(test: &Test, fact: Option<&Value>) -> Result<bool, RuleFault> {
    answer(test, fact).ok_or_else(|| match fact {
        None if test.op != Op::Exists => RuleFault::MissingFact(test.field.to_string()),
        fact => RuleFault::TypeMismatch {
            field: test.field.to_string(),
            fact: fact.filter(|_| test.op != Op::Exists).map_or("bool", Value::type_name),
            rule: test.value.type_name(),
        },
    })
}

/// The answer to a question; `None` where the fact is missing or of another type than the rule compares with.
#[inline]
fn answer(test: &Test, fact: Option<&Value>) -> Option<bool> {
    if test.op == Op::Exists {
        let Value::Bool(there) = test.value else { return None };
        return Some(fact.is_some() == there);
    }
    let fact = fact?;
    match test.op {
        Op::Eq => fact.same(&test.value),
        Op::Ne => fact.same(&test.value).map(|same| !same),
        Op::In => listed(fact, &test.value),
        Op::NotIn => listed(fact, &test.value).map(|listed| !listed),
        Op::Gt => fact.order(&test.value).map(std::cmp::Ordering::is_gt),
        Op::Gte => fact.order(&test.value).map(std::cmp::Ordering::is_ge),
        Op::Lt => fact.order(&test.value).map(std::cmp::Ordering::is_lt),
        Op::Lte => fact.order(&test.value).map(std::cmp::Ordering::is_le),
        Op::Exists => Some(true),
    }
}

/// Whether the fact, or any of a list of facts, is in a list. `None` as soon as any two types differ, so that the
/// verdict does not depend on the order of the list.
fn listed(fact: &Value, list: &Value) -> Option<bool> {
    let Value::List(values) = list else { return None };
    let among = |fact: &Value| values.iter().try_fold(false, |found, value| Some(fact.same(value)? || found));
    match fact {
        Value::List(facts) => facts.iter().try_fold(false, |found, fact| Some(among(fact)? || found)),
        one => among(one),
    }
}

impl Trace {
    /// The lines for a journal entry, such as `deposit_limits/jpy: no`: row and result.
    pub fn why(&self, table: &str) -> Vec<String> {
        let judged: Vec<&RowTrace> = self.rows.iter().filter(|row| row.outcome != Outcome::Skipped).collect();
        why(table, judged.len(), |n| judged.get(n).map(|row| (row.row.as_str(), row.outcome.clone())))
    }
}

/// Lines about the last of so many rows. Bounded: of many rows that did not hold, only their number is told.
fn why<'a>(table: &str, judged: usize, row: impl Fn(usize) -> Option<(&'a str, Outcome)>) -> Vec<String> {
    let shown_from = judged.saturating_sub(WHY_LINES_MAX - 1);
    let mut lines = Vec::new();
    if shown_from > 0 {
        lines.push(format!("{table}: {shown_from} rows before: no"));
    }
    for (id, outcome) in (shown_from..judged).filter_map(row) {
        let line = match outcome {
            Outcome::Value(true) => format!("{table}/{id}: yes"),
            Outcome::Value(false) => format!("{table}/{id}: no"),
            Outcome::Error(fault) => format!("{table}/{id}: error: {fault}"),
            Outcome::Skipped => continue,
        };
        lines.push(line.chars().take(WHY_LINE_CHARS_MAX).collect());
    }
    if lines.is_empty() {
        lines.push(format!("{table}: no rows"));
    }
    lines
}

fn write_outcome<M: SerializeMap>(map: &mut M, outcome: &Outcome) -> Result<(), M::Error> {
    match outcome {
        Outcome::Value(truth) => map.serialize_entry("value", truth),
        Outcome::Skipped => map.serialize_entry("skipped", &true),
        Outcome::Error(fault) => map.serialize_entry("error", &fault.to_string()),
    }
}

impl Serialize for NodeTrace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.kind {
            NodeKind::All(nodes) => map.serialize_entry("all", nodes)?,
            NodeKind::Any(nodes) => map.serialize_entry("any", nodes)?,
            NodeKind::Not(node) => map.serialize_entry("not", node)?,
            NodeKind::Test { test, fact } => {
                map.serialize_entry("test", &test.to_string())?;
                if let Some(fact) = fact {
                    map.serialize_entry("fact", &fact.to_string())?;
                }
            }
        }
        write_outcome(&mut map, &self.outcome)?;
        map.end()
    }
}

impl Serialize for RowTrace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("row", &self.row)?;
        write_outcome(&mut map, &self.outcome)?;
        if let Some(when) = &self.when {
            map.serialize_entry("when", when)?;
        }
        map.end()
    }
}
