//! Reads a condition, with every fault at its place.

use super::condition::{ALWAYS, CHILDREN_MAX, Condition, DEPTH_MAX, NODES_MAX, Op, Test, VALUES_MAX};
use super::reach::{Space, is_never};
use super::read::{Faults, Node, Object};
use super::schema::{Field, Schema};
use super::value::{Value, ValueType};
use crate::input::Fault;

/// The longest text that a rule compares with.
const TEXT_CHARS_MAX: usize = 100;
/// The keys of a condition that joins others.
const JOINS: [&str; 3] = ["all", "any", "not"];

/// Parses one condition against the fields it may ask about.
///
/// # Errors
/// Every fault with its JSON pointer.
pub fn parse_condition(value: &serde_json::Value, schema: &Schema) -> Result<Condition, Vec<Fault>> {
    let mut faults = Faults::default();
    let condition = read_when(&Node::root(value), schema, &mut faults);
    faults.finish(condition)
}

/// Reads a `when`: `always`, or a condition that some facts can fulfil.
pub(crate) fn read_when(node: &Node<'_>, schema: &Schema, faults: &mut Faults) -> Option<Condition> {
    if node.raw().as_str() == Some(ALWAYS) {
        return Some(Condition::always());
    }
    Reader { schema, nodes_left: NODES_MAX }.condition(node, DEPTH_MAX, faults)
}

struct Reader<'s> {
    schema: &'s Schema,
    nodes_left: usize,
}

impl Reader<'_> {
    fn condition(&mut self, node: &Node<'_>, depth_left: usize, faults: &mut Faults) -> Option<Condition> {
        if depth_left == 0 {
            faults.add(node.fault("too_deep", format!("conditions nest deeper than {DEPTH_MAX}")));
            return None;
        }
        let Some(left) = self.nodes_left.checked_sub(1) else {
            faults.add(node.fault("too_many", format!("more than {NODES_MAX} conditions in one `when`")));
            return None;
        };
        self.nodes_left = left;
        let object = node.map(faults)?;
        if object.has("field") {
            return self.test(&object, faults);
        }
        object.refuse_other_keys(&JOINS, "unknown_key", faults);
        let mut found = JOINS.into_iter().filter_map(|key| object.get(key).map(|inner| (key, inner)));
        let (Some((key, inner)), None) = (found.next(), found.next()) else {
            let message =
                "a condition has either a `field` with a question to it, or exactly one of `all`, `any`, `not`";
            faults.add(node.fault("bad_condition", message).allowing(["field", "all", "any", "not"]));
            return None;
        };
        let before = faults.count();
        let condition = self.join(key, &inner, depth_left - 1, faults)?;
        if faults.count() == before && is_never(&condition, &Space::new(self.schema)) {
            faults.add(inner.fault("never_true", "nothing can fulfil all of this at once"));
            return None;
        }
        Some(condition)
    }

    fn join(&mut self, key: &str, inner: &Node<'_>, depth_left: usize, faults: &mut Faults) -> Option<Condition> {
        if key == "not" {
            return self.negation(inner, depth_left, faults);
        }
        let items = inner.list(1..=CHILDREN_MAX, faults)?;
        let count = items.len();
        // Every child is read even after a faulty one, so that all faults are told at once.
        let children: Vec<Condition> =
            items.iter().filter_map(|item| self.condition(item, depth_left, faults)).collect();
        if children.len() != count {
            return None;
        }
        Some(if key == "all" { Condition::All(children) } else { Condition::Any(children) })
    }

    fn negation(&mut self, inner: &Node<'_>, depth_left: usize, faults: &mut Faults) -> Option<Condition> {
        let child = match inner.raw().as_array().map(Vec::len) {
            None => inner.clone(),
            Some(1) => inner.list(1..=1, faults)?.pop()?,
            Some(_) => {
                let message = "`not` takes one condition: write `not: {any: [...]}` for none of them, `not: {all: [...]}` for not all of them";
                faults.add(inner.fault("bad_condition", message));
                return None;
            }
        };
        self.condition(&child, depth_left, faults).map(|child| Condition::Not(Box::new(child)))
    }

    fn test(&self, object: &Object<'_>, faults: &mut Faults) -> Option<Condition> {
        let known: Vec<&str> = std::iter::once("field").chain(Op::WORDS).collect();
        object.refuse_other_keys(&known, "unknown_op", faults);
        let name_at = object.need("field", faults)?;
        let name = name_at.line(TEXT_CHARS_MAX, faults)?;
        let Some(field) = self.schema.get(name) else {
            let fault = name_at.fault("unknown_field", format!("there is no field `{name}` here"));
            faults.add(fault.allowing(self.schema.names()));
            return None;
        };
        let asked: Vec<(Op, Node<'_>)> =
            Op::ALL.iter().filter_map(|op| object.get(op.as_str()).map(|operand| (*op, operand))).collect();
        match asked.as_slice() {
            [(op, operand)] => self.question(field, *op, operand, faults).map(Condition::Test),
            [(low, from), (high, to)] if low.is_lower() && high.is_upper() => {
                let range = [self.question(field, *low, from, faults), self.question(field, *high, to, faults)];
                self.range(object, range, faults)
            }
            [] if object.count() == 1 => {
                faults.add(object.fault("missing_op", format!("nothing is asked of `{name}`")).allowing(Op::WORDS));
                None
            }
            [] => None,
            _ => {
                let message =
                    "one question at a time, or a range of `gt`/`gte` with `lt`/`lte`: join others with `all`";
                faults.add(object.fault("too_many_ops", message));
                None
            }
        }
    }

    /// Both bounds of one field: `{field: score, gte: 70, lt: 90}`.
    fn range(&self, object: &Object<'_>, bounds: [Option<Test>; 2], faults: &mut Faults) -> Option<Condition> {
        let [Some(low), Some(high)] = bounds else { return None };
        let condition = Condition::All(vec![Condition::Test(low), Condition::Test(high)]);
        if is_never(&condition, &Space::new(self.schema)) {
            faults.add(object.fault("bad_range", "the lower bound is above the upper one: nothing is in this range"));
            return None;
        }
        Some(condition)
    }

    fn question(&self, field: &Field, op: Op, operand: &Node<'_>, faults: &mut Faults) -> Option<Test> {
        let value = if op == Op::Exists {
            if !field.optional {
                faults.add(operand.fault("pointless_test", format!("`{}` is always there", field.name)));
                return None;
            }
            operand.boolean(faults).map(Value::Bool)?
        } else if op.takes_list() {
            let values = operand.distinct(1..=VALUES_MAX, faults, |item, faults| read_value(item, field, faults))?;
            Value::List(values)
        } else {
            let ordered = op.is_lower() || op.is_upper();
            if field.many || (ordered && !field.value_type.is_ordered()) {
                let kind = if field.many { "a list" } else { field.value_type.as_str() };
                faults.add(
                    operand.fault(
                        "op_not_for_type",
                        format!("`{op}` cannot be asked of `{}`, which is {kind}", field.name),
                    ),
                );
                return None;
            }
            read_value(operand, field, faults)?
        };
        let test = Test { field: field.name.clone(), op, value };
        if is_never(&Condition::Test(test.clone()), &Space::new(self.schema)) {
            faults.add(operand.fault("never_true", format!("`{}` can never be that", field.name)));
            return None;
        }
        Some(test)
    }
}

fn read_value(node: &Node<'_>, field: &Field, faults: &mut Faults) -> Option<Value> {
    let value = match field.value_type {
        ValueType::Text => Value::Text(node.line(TEXT_CHARS_MAX, faults)?.to_owned()),
        ValueType::Decimal => Value::Decimal(node.decimal(faults)?),
        ValueType::Bool => Value::Bool(node.boolean(faults)?),
        ValueType::Country => {
            Value::Country(node.parsed("unknown_country", "must be an ISO 3166-1 alpha-2 country code", faults)?)
        }
        ValueType::Currency => Value::Currency(node.currency(faults)?),
        ValueType::Date => Value::Date(read_date(node, faults)?),
        ValueType::Duration => {
            Value::Duration(node.parsed("bad_duration", "must be a span such as 90s, 15m, 24h or 7d", faults)?)
        }
    };
    let Some(closed) = &field.closed else { return Some(value) };
    let text = match &value {
        Value::Text(text) => text.clone(),
        other => other.to_string(),
    };
    if closed.contains(&text) {
        return Some(value);
    }
    faults.add(node.fault("unknown_value", format!("`{}` is never `{text}`", field.name)).allowing(closed));
    None
}

pub(crate) fn read_date(node: &Node<'_>, faults: &mut Faults) -> Option<jiff::civil::Date> {
    const MESSAGE: &str = "must be a day such as 2026-11-23";
    let text = node.line(TEXT_CHARS_MAX, faults)?;
    // The parser also takes times and other spellings; a rule file has one way to write a day.
    let date = text.parse::<jiff::civil::Date>().ok().filter(|date| date.to_string() == text);
    if date.is_none() {
        faults.add(node.fault("bad_date", MESSAGE));
    }
    date
}
