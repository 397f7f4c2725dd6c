//! Members of JSON answers by their exact names; numbers may be texts.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::Value;

/// A member that is a text or a number.
pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A member that is a whole number.
pub(super) fn whole<T: FromStr>(object: &Value, name: &str) -> Option<T> {
    text(object, name)?.parse().ok()
}

/// A member that is an amount, exactly as it is written.
pub(super) fn decimal(object: &Value, name: &str) -> Option<Decimal> {
    let text = text(object, name)?;
    Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// The rows of a list.
pub(super) fn rows<'a>(object: &'a Value, name: &str) -> Option<&'a Vec<Value>> {
    object.get(name)?.as_array()
}
