//! Evaluation: the first row that holds, with a trace of what was looked at.
//!
//! Total and deterministic. A missing fact or a value of another type is an error of the whole evaluation: it never
//! passes as "does not hold".

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::condition::{Condition, DEPTH_MAX, Op, Test};
use super::table::Row;
use super::value::Value;

/// How many lines a `why` has at most: a journal entry must stay small.
pub const WHY_LINES_MAX: usize = 6;
/// A longer `why` line is cut.
pub const WHY_LINE_CHARS_MAX: usize = 120;

/// What is known about the case at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<&'static str, Value>);

impl Facts {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.0.insert(field, value.into());
        self
    }

    /// Adds a fact if it is known.
    #[must_use]
    pub fn with_optional(self, field: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// A fact, if it is known.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
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

/// The result of an evaluation without error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstMatch<'r, T> {
    /// A row holds.
    Matched {
        /// The row.
        row_id: &'r str,
        /// What follows.
        outcome: &'r T,
        /// What was looked at.
        trace: Trace,
    },
    /// No row holds.
    NoMatch {
        /// What was looked at.
        trace: Trace,
    },
}

impl<'r, T> FirstMatch<'r, T> {
    /// What follows, if a row holds.
    pub fn outcome(&self) -> Option<&'r T> {
        match self {
            Self::Matched { outcome, .. } => Some(outcome),
            Self::NoMatch { .. } => None,
        }
    }

    /// The row that holds.
    pub fn row_id(&self) -> Option<&'r str> {
        match self {
            Self::Matched { row_id, .. } => Some(row_id),
            Self::NoMatch { .. } => None,
        }
    }

    /// What was looked at.
    pub fn trace(&self) -> &Trace {
        match self {
            Self::Matched { trace, .. } | Self::NoMatch { trace } => trace,
        }
    }

    /// The lines for a journal entry; `table` names where the rows are from.
    pub fn why(&self, table: &str) -> Vec<String> {
        self.trace().why(table)
    }
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

/// Finds the first row whose condition holds.
///
/// # Errors
/// [`RuleError`] when a row before the first match cannot be judged.
pub fn first_match<'r, T>(rows: &'r [Row<T>], facts: &Facts) -> Result<FirstMatch<'r, T>, RuleError> {
    let mut trace = Trace::default();
    for (n, row) in rows.iter().enumerate() {
        let node = judge(&row.when, facts, DEPTH_MAX);
        let outcome = node.outcome.clone();
        trace.rows.push(RowTrace { row: row.id.clone(), outcome: outcome.clone(), when: Some(node) });
        if outcome == Outcome::Value(false) {
            continue;
        }
        let skipped = rows.iter().skip(n + 1);
        trace.rows.extend(skipped.map(|row| RowTrace { row: row.id.clone(), outcome: Outcome::Skipped, when: None }));
        return match outcome {
            Outcome::Error(fault) => Err(RuleError { row_id: row.id.clone(), fault, trace: Box::new(trace) }),
            Outcome::Value(_) | Outcome::Skipped => {
                Ok(FirstMatch::Matched { row_id: &row.id, outcome: &row.then, trace })
            }
        };
    }
    Ok(FirstMatch::NoMatch { trace })
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
    let mismatch = |fact: &Value, rule: &Value| RuleFault::TypeMismatch {
        field: test.field.clone(),
        fact: fact.type_name(),
        rule: rule.type_name(),
    };
    if test.op == Op::Exists {
        let Value::Bool(there) = test.value else {
            return Err(mismatch(&Value::Bool(true), &test.value));
        };
        return Ok(fact.is_some() == there);
    }
    let fact = fact.ok_or_else(|| RuleFault::MissingFact(test.field.clone()))?;
    let order = || fact.order(&test.value).ok_or_else(|| mismatch(fact, &test.value));
    match test.op {
        Op::Eq => fact.same(&test.value).ok_or_else(|| mismatch(fact, &test.value)),
        Op::Ne => fact.same(&test.value).map(|same| !same).ok_or_else(|| mismatch(fact, &test.value)),
        Op::In => listed(fact, &test.value).ok_or_else(|| mismatch(fact, &test.value)),
        Op::NotIn => listed(fact, &test.value).map(|listed| !listed).ok_or_else(|| mismatch(fact, &test.value)),
        Op::Gt => order().map(std::cmp::Ordering::is_gt),
        Op::Gte => order().map(std::cmp::Ordering::is_ge),
        Op::Lt => order().map(std::cmp::Ordering::is_lt),
        Op::Lte => order().map(std::cmp::Ordering::is_le),
        Op::Exists => Ok(true),
    }
}

/// Whether the fact, or any of a list of facts, is in a list. `None` as soon as any two types differ, so that the
/// verdict does not depend on the order of the list.
fn listed(fact: &Value, list: &Value) -> Option<bool> {
    let Value::List(values) = list else { return None };
    let facts = match fact {
        Value::List(facts) => facts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut found = false;
    for fact in facts {
        for value in values {
            found |= fact.same(value)?;
        }
    }
    Some(found)
}

impl Trace {
    /// The lines for a journal entry, such as `deposit_limits/jpy: no`: row and result, and for the deciding row also what
    /// was asked. Bounded: of many rows that did not hold, only their number is told.
    pub fn why(&self, table: &str) -> Vec<String> {
        let judged: Vec<&RowTrace> = self.rows.iter().filter(|row| row.outcome != Outcome::Skipped).collect();
        let shown_from = judged.len().saturating_sub(WHY_LINES_MAX - 1);
        let mut lines = Vec::new();
        if shown_from > 0 {
            lines.push(format!("{table}: {shown_from} rows before: no"));
        }
        for row in judged.into_iter().skip(shown_from) {
            let line = match &row.outcome {
                Outcome::Value(true) => format!("{table}/{}: yes", row.row),
                Outcome::Value(false) => format!("{table}/{}: no", row.row),
                Outcome::Error(fault) => format!("{table}/{}: error: {fault}", row.row),
                Outcome::Skipped => continue,
            };
            lines.push(line.chars().take(WHY_LINE_CHARS_MAX).collect());
        }
        if lines.is_empty() {
            lines.push(format!("{table}: no rows"));
        }
        lines
    }
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
