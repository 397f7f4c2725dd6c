//! What a rule may ask about: the fields of a table, their types and, where known, their closed values.

use super::value::ValueType;

/// Whether a fact has one value or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// One value.
    One,
    /// A list: `in` asks whether any of its values is listed, `not_in` whether none is.
    Many,
}

/// Whether a fact is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Its absence is an error of the caller.
    Always,
    /// It may be absent: ask `exists` first, else its absence is an error at run time.
    Optional,
}

/// One field that rules may test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in `field:`.
    pub name: &'static str,
    /// The type of its value or values.
    pub value_type: ValueType,
    /// One value or several.
    pub cardinality: Cardinality,
    /// Always there or not.
    pub presence: Presence,
    /// The only values it can have, where that is known.
    pub closed: Option<Vec<String>>,
}

/// The fields of a table of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    fields: Vec<Field>,
}

impl Schema {
    /// A schema without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field that is always there and has one value.
    #[must_use]
    pub fn field(mut self, name: &'static str, value_type: ValueType) -> Self {
        self.fields.push(Field {
            name,
            value_type,
            cardinality: Cardinality::One,
            presence: Presence::Always,
            closed: None,
        });
        self
    }

    /// Adds a text field that can only have these values.
    #[must_use]
    pub fn choice(self, name: &'static str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.field(name, ValueType::Text).change_last(|field| field.closed = Some(values))
    }

    /// Makes the field added last one that may be absent.
    #[must_use]
    pub fn optional(self) -> Self {
        self.change_last(|field| field.presence = Presence::Optional)
    }

    /// Makes the field added last a list.
    #[must_use]
    pub fn many(self) -> Self {
        self.change_last(|field| field.cardinality = Cardinality::Many)
    }

    fn change_last(mut self, change: impl FnOnce(&mut Field)) -> Self {
        if let Some(field) = self.fields.last_mut() {
            change(field);
        }
        self
    }

    /// A field by its name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The names of all fields.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }
}
