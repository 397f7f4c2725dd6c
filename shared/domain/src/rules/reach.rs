//! Which facts a condition covers, exactly: finds conditions that nothing fulfils, rows that nothing reaches, and gaps.
//!
//! A condition becomes a union of cells; a cell gives, per field, the values it allows. Rows are then subtracted from one
//! another. What would grow beyond [`CELLS_MAX`] or [`WORK_MAX`] is not judged at all, so a finding is always true.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rust_decimal::Decimal;

use super::condition::{Condition, Op, Test};
use super::schema::Schema;
use super::value::{Value, ValueType};

/// How many cells are looked at before judging is given up.
const CELLS_MAX: usize = 256;
/// How many steps one table is worth: far more than tables that people write need, and a second at most.
const WORK_MAX: u32 = 200_000;

/// A place between values: just before or just after one, or an end of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cut {
    end: i8,
    value: Decimal,
    after: bool,
}

impl Cut {
    const START: Self = Self { end: -1, value: Decimal::ZERO, after: false };
    const END: Self = Self { end: 1, value: Decimal::ZERO, after: false };

    fn before(value: Decimal) -> Self {
        Self { end: 0, value, after: false }
    }

    fn after(value: Decimal, whole: bool) -> Self {
        // Between whole numbers, after 5 is before 6.
        match value.checked_add(Decimal::ONE) {
            Some(next) if whole => Self::before(next),
            _ => Self { end: 0, value, after: true },
        }
    }
}

/// The values that one field may have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Domain {
    /// These words.
    Only(BTreeSet<String>),
    /// Any word but these.
    AnyBut(BTreeSet<String>),
    /// Numbers, days or spans: half-open stretches in order.
    Stretches(Vec<(Cut, Cut)>),
}

impl Domain {
    fn is_empty(&self) -> bool {
        match self {
            Self::Only(words) => words.is_empty(),
            Self::AnyBut(_) => false,
            Self::Stretches(stretches) => stretches.is_empty(),
        }
    }

    fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(a), Self::Only(b)) => Self::Only(a.intersection(b).cloned().collect()),
            (Self::Only(a), Self::AnyBut(b)) | (Self::AnyBut(b), Self::Only(a)) => {
                Self::Only(a.difference(b).cloned().collect())
            }
            (Self::AnyBut(a), Self::AnyBut(b)) => Self::AnyBut(a.union(b).cloned().collect()),
            (Self::Stretches(a), Self::Stretches(b)) => {
                let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x.0.max(y.0), x.1.min(y.1))));
                let mut both: Vec<_> = pairs.filter(|(from, to)| from < to).collect();
                both.sort_unstable();
                Self::Stretches(both)
            }
            // One field has one kind of domain; were it otherwise, nothing would be in both.
            _ => Self::Only(BTreeSet::new()),
        }
    }

    /// Whether [`Self::and`] would be empty.
    fn is_apart(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Only(a), Self::Only(b)) => a.is_disjoint(b),
            (Self::Only(a), Self::AnyBut(b)) | (Self::AnyBut(b), Self::Only(a)) => a.is_subset(b),
            (Self::AnyBut(_), Self::AnyBut(_)) => false,
            (Self::Stretches(a), Self::Stretches(b)) => {
                !a.iter().any(|x| b.iter().any(|y| x.0.max(y.0) < x.1.min(y.1)))
            }
            _ => true,
        }
    }

    fn not(&self) -> Self {
        match self {
            Self::Only(words) => Self::AnyBut(words.clone()),
            Self::AnyBut(words) => Self::Only(words.clone()),
            Self::Stretches(stretches) => {
                let mut from = Cut::START;
                let mut others = Vec::new();
                for (start, end) in stretches {
                    if from < *start {
                        others.push((from, *start));
                    }
                    from = from.max(*end);
                }
                if from < Cut::END {
                    others.push((from, Cut::END));
                }
                Self::Stretches(others)
            }
        }
    }
}

/// Values allowed per field; a field that is not named may have any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell(BTreeMap<String, Domain>);

impl Cell {
    /// Whether nothing is in both.
    fn is_apart(&self, other: &Self) -> bool {
        self.0.iter().any(|(key, domain)| other.0.get(key).is_some_and(|other| domain.is_apart(other)))
    }
}

/// The fields and everything they can be.
pub(crate) struct Space<'s> {
    schema: &'s Schema,
    work_left: std::cell::Cell<u32>,
}

fn truths() -> Domain {
    Domain::Only(["true", "false"].map(str::to_owned).into())
}

fn only(word: &str) -> Domain {
    Domain::Only(BTreeSet::from([word.to_owned()]))
}

fn number_of(value: &Value) -> Option<(Decimal, bool)> {
    match value {
        Value::Decimal(number) => Some((*number, false)),
        Value::Duration(span) => Some((Decimal::from(span.0), true)),
        Value::Date(date) => {
            let days = date.since(jiff::civil::Date::ZERO).ok()?.get_days();
            Some((Decimal::from(days), true))
        }
        _ => None,
    }
}

impl<'s> Space<'s> {
    pub(crate) fn new(schema: &'s Schema) -> Self {
        Self { schema, work_left: std::cell::Cell::new(WORK_MAX) }
    }

    fn work(&self, steps: usize) -> Option<()> {
        let left = self.work_left.get().checked_sub(u32::try_from(steps).ok()?)?;
        self.work_left.set(left);
        Some(())
    }

    /// The cell in which a field has one value.
    pub(crate) fn cell_with(&self, cell: &Cell, field: &'static str, value: impl Into<Value>) -> Cell {
        let test = Test { field: field.into(), op: Op::Eq, value: value.into() };
        let mut cell = cell.clone();
        let (key, domain) = self.atom(&test, true);
        cell.0.insert(key, domain);
        cell
    }

    /// Every value there is for a field. `exists` and questions to lists are fields of their own, true or false.
    fn all_of(&self, key: &str) -> Domain {
        let Some(field) = self.schema.get(key) else { return truths() };
        match (field.value_type, &field.closed) {
            (_, Some(words)) => Domain::Only(words.iter().cloned().collect()),
            (ValueType::Bool, None) => truths(),
            (ValueType::Duration, None) => Domain::Stretches(vec![(Cut::before(Decimal::ZERO), Cut::END)]),
            (ValueType::Decimal | ValueType::Date, None) => Domain::Stretches(vec![(Cut::START, Cut::END)]),
            (ValueType::Text | ValueType::Country | ValueType::Currency, None) => Domain::AnyBut(BTreeSet::new()),
        }
    }

    fn atom(&self, test: &Test, wanted: bool) -> (String, Domain) {
        let many = self.schema.get(&test.field).is_some_and(|field| field.many);
        let (key, domain, wanted) = match (test.op, &test.value) {
            (Op::Exists, Value::Bool(there)) => (format!("exists {}", test.field), only("true"), *there == wanted),
            (op, value) if many => {
                let words: BTreeSet<String> = words_of(value);
                let key = format!("{} has {}", test.field, words.into_iter().collect::<Vec<_>>().join(" "));
                (key, only("true"), wanted == (op == Op::In))
            }
            (op, value) => {
                let negated = matches!(op, Op::Ne | Op::NotIn);
                (test.field.to_string(), plain_domain(op, value), wanted != negated)
            }
        };
        let domain = if wanted { domain } else { domain.not() };
        let all = self.all_of(&key);
        (key, all.and(&domain))
    }

    /// The cells of a condition; `None` when there are too many to judge.
    pub(crate) fn cells(&self, condition: &Condition, wanted: bool) -> Option<Vec<Cell>> {
        match condition {
            Condition::Test(test) => {
                self.work(1)?;
                let (key, domain) = self.atom(test, wanted);
                Some(if domain.is_empty() { Vec::new() } else { vec![Cell(BTreeMap::from([(key, domain)]))] })
            }
            Condition::Not(child) => self.cells(child, !wanted),
            Condition::All(children) if wanted => self.product(children, wanted),
            Condition::Any(children) if !wanted => self.product(children, wanted),
            Condition::All(children) | Condition::Any(children) => {
                let mut cells = Vec::new();
                for child in children {
                    cells.extend(self.cells(child, wanted)?);
                    if cells.len() > CELLS_MAX {
                        return None;
                    }
                }
                Some(cells)
            }
        }
    }

    fn product(&self, children: &[Condition], wanted: bool) -> Option<Vec<Cell>> {
        let mut cells = vec![Cell::default()];
        for child in children {
            let others = self.cells(child, wanted)?;
            self.work(cells.len().saturating_mul(others.len()))?;
            cells = cells.iter().flat_map(|a| others.iter().filter_map(|b| meet(a, b))).collect();
            if cells.len() > CELLS_MAX {
                return None;
            }
        }
        Some(cells)
    }

    fn subtract_one(&self, from: &Cell, taken: &Cell) -> Vec<Cell> {
        let mut left = Vec::new();
        let mut inside = from.clone();
        for (key, domain) in &taken.0 {
            let here = inside.0.get(key).cloned().unwrap_or_else(|| self.all_of(key));
            let outside = here.and(&domain.not());
            if !outside.is_empty() {
                let mut cell = inside.clone();
                cell.0.insert(key.clone(), outside);
                left.push(cell);
            }
            let both = here.and(domain);
            if both.is_empty() {
                return vec![from.clone()];
            }
            inside.0.insert(key.clone(), both);
        }
        left
    }

    /// What is left of some cells when others are taken away; `None` when there is too much to judge.
    pub(crate) fn subtract(&self, cells: Vec<Cell>, taken: &[Cell]) -> Option<Vec<Cell>> {
        let mut left = cells;
        for cell in taken {
            // rows that ask for different words are most of a long table: nothing is made for them
            if left.iter().all(|from| from.is_apart(cell)) {
                continue;
            }
            self.work(left.len())?;
            left = left.iter().flat_map(|from| self.subtract_one(from, cell)).collect();
            if left.len() > CELLS_MAX {
                return None;
            }
        }
        Some(left)
    }

    /// The part of a condition inside a cell; `None` when there is too much to judge.
    pub(crate) fn inside(&self, cell: &Cell, condition: &Condition) -> Option<Vec<Cell>> {
        let cells = self.cells(condition, true)?;
        self.work(cells.len())?;
        Some(cells.iter().filter_map(|other| meet(cell, other)).collect())
    }

    /// What no row covers in a cell: the first uncovered part, if there surely is one.
    pub(crate) fn gap<'c>(&self, cell: Cell, rows: impl IntoIterator<Item = &'c Condition>) -> Option<Cell> {
        let mut left = vec![cell];
        for row in rows {
            left = self.subtract(left, &self.cells(row, true)?)?;
        }
        left.into_iter().next()
    }

    /// The words that a condition allows for a field, if it names them.
    pub(crate) fn words_allowed(&self, condition: &Condition, field: &str) -> Option<BTreeSet<String>> {
        let mut words = BTreeSet::new();
        for cell in self.cells(condition, true)? {
            match cell.0.get(field) {
                Some(Domain::Only(here)) => words.extend(here.iter().cloned()),
                _ => return None,
            }
        }
        Some(words)
    }
}

fn meet(a: &Cell, b: &Cell) -> Option<Cell> {
    let mut both = a.clone();
    for (key, domain) in &b.0 {
        let here = both.0.get(key).map_or_else(|| domain.clone(), |other| other.and(domain));
        if here.is_empty() {
            return None;
        }
        both.0.insert(key.clone(), here);
    }
    Some(both)
}

fn words_of(value: &Value) -> BTreeSet<String> {
    match value {
        Value::List(values) => values.iter().flat_map(words_of).collect(),
        // Not the shortened text of `Display`: two long words must stay two.
        Value::Text(text) => BTreeSet::from([text.clone()]),
        other => BTreeSet::from([other.to_string()]),
    }
}

fn plain_domain(op: Op, value: &Value) -> Domain {
    let sample = match value {
        Value::List(values) => values.first(),
        other => Some(other),
    };
    if sample.and_then(number_of).is_none() {
        return Domain::Only(words_of(value));
    }
    let point =
        |value: &Value| number_of(value).map(|(number, whole)| (Cut::before(number), Cut::after(number, whole)));
    let mut stretches: Vec<(Cut, Cut)> = match value {
        Value::List(values) => values.iter().filter_map(point).collect(),
        one => point(one).into_iter().collect(),
    };
    for stretch in &mut stretches {
        *stretch = match op {
            Op::Gt => (stretch.1, Cut::END),
            Op::Gte => (stretch.0, Cut::END),
            Op::Lt => (Cut::START, stretch.0),
            Op::Lte => (Cut::START, stretch.1),
            Op::Eq | Op::Ne | Op::In | Op::NotIn | Op::Exists => *stretch,
        };
    }
    stretches.sort_unstable();
    Domain::Stretches(stretches)
}

/// Whether surely nothing fulfils a condition.
pub(crate) fn is_never(condition: &Condition, space: &Space<'_>) -> bool {
    space.cells(condition, true).is_some_and(|cells| cells.is_empty())
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("anything");
        }
        for (n, (key, domain)) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{key} {domain}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |words: &BTreeSet<String>| words.iter().take(6).cloned().collect::<Vec<_>>().join(" or ");
        match self {
            Self::Only(words) => f.write_str(&list(words)),
            Self::AnyBut(words) if words.is_empty() => f.write_str("anything"),
            Self::AnyBut(words) => write!(f, "other than {}", list(words)),
            Self::Stretches(stretches) => {
                let shown = |cut: &Cut| match cut.end {
                    -1 => "the start".to_owned(),
                    1 => "the end".to_owned(),
                    _ => format!("{} {}", if cut.after { "after" } else { "at" }, cut.value.normalize()),
                };
                let parts: Vec<String> =
                    stretches.iter().take(3).map(|(a, b)| format!("from {} to {}", shown(a), shown(b))).collect();
                f.write_str(&parts.join(" or "))
            }
        }
    }
}
