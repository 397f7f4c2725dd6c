//! What rows may ask about: each field declared once, with its name, its type and where its value comes from.
//!
//! From one declaration come both the schema that rows are checked against and the facts that they are judged by, so neither
//! can have a field that the other lacks.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::evaluate::Facts;
use super::schema::{Field, Schema};
use super::value::{Value, ValueType};
use crate::words::Word;
use crate::{Country, Currency, Seconds};

/// A type that a field's value may have.
pub trait FieldType {
    /// How rules write it.
    const TYPE: ValueType;
    /// Whether it is a list.
    const MANY: bool = false;
    /// Whether it may be absent.
    const OPTIONAL: bool = false;

    /// The only values it can have, where that is known.
    fn closed() -> Option<Vec<String>> {
        None
    }

    /// The value that rules compare; `None` if there is none.
    fn value(self) -> Option<Value>;
}

macro_rules! field_types {
    ($($source:ty => $value_type:ident),+ $(,)?) => {$(
        impl FieldType for $source {
            const TYPE: ValueType = ValueType::$value_type;

            fn value(self) -> Option<Value> {
                Some(self.into())
            }
        }
    )+};
}

field_types! {
    String => Text,
    &'static str => Text,
    Decimal => Decimal,
    u32 => Decimal,
    bool => Bool,
    Country => Country,
    Currency => Currency,
    Date => Date,
    Seconds => Duration,
}

impl<W: Word> FieldType for W {
    const TYPE: ValueType = ValueType::Text;

    fn closed() -> Option<Vec<String>> {
        Some(W::WORDS.iter().map(|word| word.text().to_owned()).collect())
    }

    fn value(self) -> Option<Value> {
        Some(self.text().into())
    }
}

/// A fact that may be absent: rows ask `exists` first.
impl<T: FieldType> FieldType for Option<T> {
    const TYPE: ValueType = T::TYPE;
    const MANY: bool = T::MANY;
    const OPTIONAL: bool = true;

    fn closed() -> Option<Vec<String>> {
        T::closed()
    }

    fn value(self) -> Option<Value> {
        self.and_then(T::value)
    }
}

/// A list: `in` asks whether any of its values is listed.
impl<T: FieldType> FieldType for Vec<T> {
    const TYPE: ValueType = T::TYPE;
    const MANY: bool = true;

    fn closed() -> Option<Vec<String>> {
        T::closed()
    }

    fn value(self) -> Option<Value> {
        Some(Value::List(self.into_iter().filter_map(T::value).collect()))
    }
}

/// A fact that is there wherever rows are judged. Should it be missing all the same, that is an error, never "no match".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certain<T>(pub Option<T>);

impl<T: FieldType> FieldType for Certain<T> {
    const TYPE: ValueType = T::TYPE;
    const MANY: bool = T::MANY;

    fn closed() -> Option<Vec<String>> {
        T::closed()
    }

    fn value(self) -> Option<Value> {
        self.0.and_then(T::value)
    }
}

/// A country that need not be known: then it is an empty text, so that no row can fail for want of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountryOrNone(pub Option<Country>);

impl FieldType for CountryOrNone {
    const TYPE: ValueType = ValueType::Text;

    fn closed() -> Option<Vec<String>> {
        Some(Country::all_codes().chain([""]).map(str::to_owned).collect())
    }

    fn value(self) -> Option<Value> {
        Some(self.0.map_or("", |country| country.code()).into())
    }
}

/// Where the only values of a field are written.
enum Closed {
    /// In its type, if anywhere.
    ByType(fn() -> Option<Vec<String>>),
    /// Beside it.
    Listed(fn() -> Vec<String>),
    /// In the rule set's own document.
    Declared,
}

type ValueOf<S> = dyn Fn(&S) -> Option<Value>;

struct FieldOf<S> {
    name: &'static str,
    value_type: ValueType,
    many: bool,
    optional: bool,
    closed: Closed,
    value: Box<ValueOf<S>>,
}

/// So many fields fit without growing.
const USUAL: usize = 16;

/// The fields of a table about an `S`.
pub struct Fields<S>(Vec<FieldOf<S>>);

impl<S> Fields<S> {
    /// No fields.
    #[expect(clippy::new_without_default, reason = "a table about nothing is only ever a beginning")]
    pub fn new() -> Self {
        Self(Vec::with_capacity(USUAL))
    }

    /// A field. What type it has, whether it is a list, may be absent or knows only certain words, its value's type says.
    #[must_use]
    pub fn field<T: FieldType>(self, name: &'static str, value: impl Fn(&S) -> T + 'static) -> Self {
        self.add(name, Closed::ByType(T::closed), value)
    }

    /// A field that can only have these values.
    #[must_use]
    pub fn choice<T: FieldType>(
        self,
        name: &'static str,
        values: fn() -> Vec<String>,
        value: impl Fn(&S) -> T + 'static,
    ) -> Self {
        self.add(name, Closed::Listed(values), value)
    }

    /// A field that can only have names which the rule set itself declares: [`Fields::schema`] is given them.
    #[must_use]
    pub fn declared<T: FieldType>(self, name: &'static str, value: impl Fn(&S) -> T + 'static) -> Self {
        self.add(name, Closed::Declared, value)
    }

    // What a plain closure captures is nothing, so its box takes no memory: fields can be declared where they are used.
    fn add<T: FieldType>(mut self, name: &'static str, closed: Closed, value: impl Fn(&S) -> T + 'static) -> Self {
        self.0.push(FieldOf {
            name,
            value_type: T::TYPE,
            many: T::MANY,
            optional: T::OPTIONAL,
            closed,
            value: Box::new(move |subject| value(subject).value()),
        });
        self
    }

    /// What rows are checked against; `declared` are the document's names by field. A field whose names are not given can
    /// have none.
    pub fn schema(&self, declared: &[(&str, &[String])]) -> Schema {
        let names = |field: &str| {
            let found = declared.iter().find(|(name, _)| *name == field);
            found.map(|(_, names)| names.to_vec()).unwrap_or_default()
        };
        Schema::of(self.0.iter().map(|field| Field {
            name: field.name.into(),
            value_type: field.value_type,
            many: field.many,
            optional: field.optional,
            closed: match field.closed {
                Closed::ByType(closed) => closed(),
                Closed::Listed(values) => Some(values()),
                Closed::Declared => Some(names(field.name)),
            },
        }))
    }

    /// What rows are judged by.
    pub fn facts(&self, subject: &S) -> Facts {
        let known = |facts: Facts, field: &FieldOf<S>| facts.with_optional(field.name, (field.value)(subject));
        self.0.iter().fold(Facts::new(), known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    words! {
        /// A side.
        Side {
            /// Left.
            Left = "left",
            /// Right.
            Right = "right",
        }
    }

    struct Case {
        side: Side,
        pools: Vec<String>,
        entity: Option<String>,
        amount: Option<Decimal>,
    }

    fn fields() -> Fields<Case> {
        Fields::new()
            .field("side", |case: &Case| case.side)
            .declared("pool", |case| case.pools.clone())
            .declared("entity", |case| Certain(case.entity.clone()))
            .field("amount", |case| case.amount)
            .choice("weekday", || vec!["mon".to_owned()], |_| "mon")
    }

    #[test]
    fn a_field_is_to_rows_what_its_type_says() {
        let schema = fields().schema(&[("pool", &["vip".to_owned()])]);
        let told = |name: &str| {
            let field = schema.get(name).unwrap();
            (field.value_type, field.many, field.optional, field.closed.clone().map(|words| words.join(" ")))
        };
        let words = |text: &str| Some(text.to_owned());
        assert_eq!(told("side"), (ValueType::Text, false, false, words("left right")));
        assert_eq!(told("pool"), (ValueType::Text, true, false, words("vip")));
        assert_eq!(told("entity"), (ValueType::Text, false, false, words("")));
        assert_eq!(told("amount"), (ValueType::Decimal, false, true, None));
        assert_eq!(told("weekday"), (ValueType::Text, false, false, words("mon")));
    }

    #[test]
    fn what_is_not_known_is_no_fact() {
        let case = Case { side: Side::Left, pools: vec!["vip".to_owned()], entity: None, amount: None };
        let facts = fields().facts(&case);
        assert_eq!(facts, Facts::new().with("side", "left").with("pool", vec!["vip"]).with("weekday", "mon"));
        let facts = fields().facts(&Case { entity: Some("eu".to_owned()), amount: Some(Decimal::ONE), ..case });
        assert_eq!((facts.get("entity"), facts.get("amount")), (Some(&"eu".into()), Some(&Decimal::ONE.into())));
    }
}
