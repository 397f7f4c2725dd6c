//! The closed tree of a condition, and how it is written.

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::value::Value;
use crate::words::words;

/// The name of a field: of the code that declares it, or of the document that does.
pub type FieldName = Cow<'static, str>;

/// How deep conditions may nest.
pub const DEPTH_MAX: usize = 6;
/// How many conditions one `all` or `any` may hold.
pub const CHILDREN_MAX: usize = 50;
/// How many conditions one `when` may hold in all.
pub const NODES_MAX: usize = 200;
/// How many values one list may hold: all countries fit.
pub const VALUES_MAX: usize = 300;
/// How a condition that always holds is written.
pub const ALWAYS: &str = "always";

words! {
    /// What a test asks of a field.
    Op {
        /// Equal.
        Eq = "eq",
        /// Not equal.
        Ne = "ne",
        /// One of a list.
        In = "in",
        /// None of a list.
        NotIn = "not_in",
        /// Greater.
        Gt = "gt",
        /// Greater or equal.
        Gte = "gte",
        /// Less.
        Lt = "lt",
        /// Less or equal.
        Lte = "lte",
        /// Whether the fact is there at all.
        Exists = "exists",
    }
}

impl Op {
    /// Every word, as the rule files write it.
    pub const WORDS: [&'static str; 9] = ["eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "exists"];

    /// A lower bound.
    pub const fn is_lower(self) -> bool {
        matches!(self, Self::Gt | Self::Gte)
    }

    /// An upper bound.
    pub const fn is_upper(self) -> bool {
        matches!(self, Self::Lt | Self::Lte)
    }

    /// Takes a list.
    pub const fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::NotIn)
    }
}

/// One question to one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The field, as the table's schema names it.
    pub field: FieldName,
    /// The question.
    pub op: Op,
    /// What it is compared with: a list for `in` and `not_in`, true or false for `exists`.
    pub value: Value,
}

/// A condition. `All` of nothing always holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A question to a field.
    Test(Test),
}

impl Condition {
    /// The condition that always holds.
    pub const fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Whether it asks a field anywhere.
    pub fn asks(&self, field: &str) -> bool {
        match self {
            Self::All(children) | Self::Any(children) => children.iter().any(|child| child.asks(field)),
            Self::Not(child) => child.asks(field),
            Self::Test(test) => test.field == field,
        }
    }

    /// The texts that a field is compared with anywhere in it.
    pub fn texts_asked_of(&self, field: &str) -> Vec<&str> {
        match self {
            Self::All(children) | Self::Any(children) => {
                children.iter().flat_map(|child| child.texts_asked_of(field)).collect()
            }
            Self::Not(child) => child.texts_asked_of(field),
            Self::Test(test) if test.field == field => {
                let values = match &test.value {
                    Value::List(values) => values.as_slice(),
                    one => std::slice::from_ref(one),
                };
                values
                    .iter()
                    .filter_map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
                    .collect()
            }
            Self::Test(_) => Vec::new(),
        }
    }

    /// Whether it is written as one that always holds.
    pub fn is_always(&self) -> bool {
        matches!(self, Self::All(children) if children.is_empty())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.field, self.op, self.value)
    }
}

impl Serialize for Test {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("field", &self.field)?;
        map.serialize_entry(self.op.as_str(), &self.value)?;
        map.end()
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_always() {
            return serializer.serialize_str(ALWAYS);
        }
        if let Self::Test(test) = self {
            return test.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::All(children) => map.serialize_entry("all", children)?,
            Self::Any(children) => map.serialize_entry("any", children)?,
            Self::Not(child) => map.serialize_entry("not", child)?,
            Self::Test(_) => {}
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_words_is_the_list_of_operators() {
        assert_eq!(Op::ALL.iter().map(|op| op.as_str()).collect::<Vec<_>>(), Op::WORDS);
    }
}
