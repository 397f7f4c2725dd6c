//! Reads typed fields out of a resource's resolved properties; an error says which resource and which field.

use serde_json::{Map, Value};

use super::TemplateError;

/// One JSON object inside a resource.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    resource: &'a str,
    at: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(resource: &'a str, map: &'a Map<String, Value>) -> Self {
        Self { resource, at: String::new(), map }
    }

    /// The logical id this belongs to.
    pub(super) fn resource(&self) -> &'a str {
        self.resource
    }

    /// A fault at a field of this object.
    pub(super) fn fault(&self, key: &str, what: &str) -> TemplateError {
        let fault = format!("{}{key} {what}", self.at);
        TemplateError::Resource { resource: self.resource.to_owned(), fault }
    }

    /// Any value.
    pub(super) fn value(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    /// The keys and values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.map.iter()
    }

    /// A text or number as text.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, TemplateError> {
        match self.map.get(key) {
            None => Ok(None),
            Some(value) => scalar(value).map(Some).ok_or_else(|| self.fault(key, "is not a text")),
        }
    }

    /// A text that must be there.
    pub(super) fn need_text(&self, key: &str) -> Result<String, TemplateError> {
        self.text(key)?.filter(|text| !text.is_empty()).ok_or_else(|| self.fault(key, "is missing"))
    }

    /// A whole number, also one written as text.
    pub(super) fn number(&self, key: &str) -> Result<Option<i64>, TemplateError> {
        let Some(value) = self.map.get(key) else { return Ok(None) };
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| self.fault(key, "is not a whole number"))
    }

    /// A whole number from 0 to 2^32 - 1, or a default.
    pub(super) fn count(&self, key: &str, default: u32) -> Result<u32, TemplateError> {
        match self.number(key)? {
            None => Ok(default),
            Some(number) => u32::try_from(number).map_err(|_| self.fault(key, "is out of range")),
        }
    }

    /// A whole number for a size, or a default.
    pub(super) fn size(&self, key: &str, default: u32) -> Result<usize, TemplateError> {
        let count = self.count(key, default)?;
        usize::try_from(count).map_err(|_| self.fault(key, "is out of range"))
    }

    /// A switch, also one written as text; absent is off.
    pub(super) fn flag(&self, key: &str) -> Result<bool, TemplateError> {
        self.flag_or(key, false)
    }

    /// A switch with a default.
    pub(super) fn flag_or(&self, key: &str, default: bool) -> Result<bool, TemplateError> {
        match self.map.get(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(self.fault(key, "is neither true nor false")),
        }
    }

    /// A nested object.
    pub(super) fn object(&self, key: &str) -> Result<Option<Fields<'a>>, TemplateError> {
        match self.map.get(key) {
            None => Ok(None),
            Some(Value::Object(map)) => {
                Ok(Some(Fields { resource: self.resource, at: format!("{}{key}.", self.at), map }))
            }
            Some(_) => Err(self.fault(key, "is not an object")),
        }
    }

    /// A list; one value stands for a list of one.
    pub(super) fn list(&self, key: &str) -> Result<Vec<&'a Value>, TemplateError> {
        match self.map.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items.iter().collect()),
            Some(one) => Ok(vec![one]),
        }
    }

    /// A list of texts; one text stands for a list of one.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, TemplateError> {
        self.list(key)?
            .into_iter()
            .map(|value| scalar(value).ok_or_else(|| self.fault(key, "holds something that is not a text")))
            .collect()
    }

    /// A list of objects.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Fields<'a>>, TemplateError> {
        self.list(key)?
            .into_iter()
            .enumerate()
            .map(|(i, value)| match value {
                Value::Object(map) => {
                    Ok(Fields { resource: self.resource, at: format!("{}{key}[{i}].", self.at), map })
                }
                _ => Err(self.fault(key, "holds something that is not an object")),
            })
            .collect()
    }
}

/// A scalar as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
