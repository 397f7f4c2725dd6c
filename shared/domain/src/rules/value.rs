//! The values that rules compare. Decimals are exact; there is no float anywhere.

use std::cmp::Ordering;
use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::words::words;
use crate::{Country, Currency, Seconds};

/// A longer text of a fact is cut in traces.
const SHOWN_CHARS_MAX: usize = 40;
/// A longer list is cut in traces.
const SHOWN_ITEMS_MAX: usize = 6;

words! {
    /// The type of a field.
    ValueType {
        /// A word or a name.
        Text = "text",
        /// An exact number, written in quotes if it has a fraction.
        Decimal = "decimal",
        /// `true` or `false`.
        Bool = "bool",
        /// ISO 3166-1 alpha-2.
        Country = "country",
        /// ISO 4217.
        Currency = "currency",
        /// `2026-11-23`.
        Date = "date",
        /// `90s`, `15m`, `24h`, `7d`.
        Duration = "duration",
    }
}

impl ValueType {
    /// Whether less and greater mean something for it.
    pub const fn is_ordered(self) -> bool {
        matches!(self, Self::Decimal | Self::Date | Self::Duration)
    }
}

/// One value, or a list of values of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A word or a name.
    Text(String),
    /// An exact number.
    Decimal(Decimal),
    /// A truth value.
    Bool(bool),
    /// A country.
    Country(Country),
    /// A currency.
    Currency(Currency),
    /// A calendar day.
    Date(Date),
    /// A span.
    Duration(Seconds),
    /// Several values of one type.
    List(Vec<Value>),
}

impl Value {
    /// What it is, for messages.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Decimal(_) => "decimal",
            Self::Bool(_) => "bool",
            Self::Country(_) => "country",
            Self::Currency(_) => "currency",
            Self::Date(_) => "date",
            Self::Duration(_) => "duration",
            Self::List(_) => "list",
        }
    }

    /// Equality of two values of one type; `None` if the types differ or one is a list.
    #[inline]
    pub fn same(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a == b),
            (Self::Decimal(a), Self::Decimal(b)) => Some(a == b),
            (Self::Bool(a), Self::Bool(b)) => Some(a == b),
            (Self::Country(a), Self::Country(b)) => Some(a == b),
            (Self::Currency(a), Self::Currency(b)) => Some(a == b),
            (Self::Date(a), Self::Date(b)) => Some(a == b),
            (Self::Duration(a), Self::Duration(b)) => Some(a == b),
            _ => None,
        }
    }

    /// Order of two values of one ordered type; `None` otherwise.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Decimal(a), Self::Decimal(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.chars().count() > SHOWN_CHARS_MAX => {
                let start: String = text.chars().take(SHOWN_CHARS_MAX).collect();
                write!(f, "{start}…")
            }
            Self::Text(text) => f.write_str(text),
            Self::Decimal(number) => write!(f, "{}", number.normalize()),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Country(country) => write!(f, "{country}"),
            Self::Currency(currency) => write!(f, "{currency}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Duration(span) => write!(f, "{span}"),
            Self::List(values) => {
                f.write_str("[")?;
                for (n, value) in values.iter().take(SHOWN_ITEMS_MAX).enumerate() {
                    let comma = if n == 0 { "" } else { ", " };
                    write!(f, "{comma}{value}")?;
                }
                let rest = values.len().saturating_sub(SHOWN_ITEMS_MAX);
                if rest > 0 { write!(f, ", +{rest}]") } else { f.write_str("]") }
            }
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::List(values) => serializer.collect_seq(values),
            Self::Decimal(number) => serializer.collect_str(number),
            other => serializer.collect_str(other),
        }
    }
}

macro_rules! from {
    ($($source:ty => $variant:ident),+ $(,)?) => {$(
        impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$variant(value.into())
            }
        }
    )+};
}

from! {
    &str => Text,
    String => Text,
    Decimal => Decimal,
    u32 => Decimal,
    i64 => Decimal,
    bool => Bool,
    Country => Country,
    Currency => Currency,
    Date => Date,
    Seconds => Duration,
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(values: Vec<V>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}
