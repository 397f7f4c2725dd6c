//! What rows are checked against: the fields they may ask about, with type and, where known, closed values.

use super::condition::FieldName;
use super::value::ValueType;

/// One field that rules may test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in `field:`.
    pub name: FieldName,
    /// The type of its value or values.
    pub value_type: ValueType,
    /// Whether it is a list: `in` asks whether any of its values is listed, `not_in` whether none is.
    pub many: bool,
    /// Whether it may be absent: rows ask `exists` first, else its absence is an error at run time.
    pub optional: bool,
    /// The only values it can have, where that is known.
    pub closed: Option<Vec<String>>,
}

/// The fields of a table of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema(Vec<Field>);

impl Schema {
    pub(super) fn of(fields: impl IntoIterator<Item = Field>) -> Self {
        Self(fields.into_iter().collect())
    }

    /// The same with fields that the document itself declares.
    #[must_use]
    pub(crate) fn with(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.0.extend(fields);
        self
    }

    /// A field by its name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name == name)
    }

    /// The names of all fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|field| field.name.as_ref())
    }
}
