//! JSON objects whose numbers keep the characters they were written with: the signature covers those.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Members by name, each as written.
pub(super) type Members = BTreeMap<String, Box<RawValue>>;

/// JSON text as a member; what is not JSON becomes null.
pub(super) fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A string member.
pub(super) fn string(text: &str) -> Box<RawValue> {
    raw(&Value::from(text).to_string())
}

/// The value as it is signed: a string without quotes, a number as written, nothing for null.
pub(super) fn lexeme(value: &RawValue) -> Option<String> {
    let text = value.get().trim();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).ok(),
        Some(b'n') | None => None,
        Some(_) => Some(text.to_owned()),
    }
}

/// A member's signed form by name.
pub(super) fn value_of(members: &Members, name: &str) -> Option<String> {
    members.get(name).and_then(|value| lexeme(value))
}

/// A message of top-level members and three objects.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) top: Members,
    pub(super) customer: Members,
    pub(super) session: Members,
    /// Null on the wire for a session that expired.
    pub(super) transaction: Option<Members>,
}

impl Message {
    /// Values of the listed members, `object.member` or `member`, as they are signed.
    pub(super) fn listed(&self, fields: &[&str]) -> Vec<String> {
        fields
            .iter()
            .filter_map(|field| match field.split_once('.') {
                None => value_of(&self.top, field),
                Some(("customer", name)) => value_of(&self.customer, name),
                Some(("session", name)) => value_of(&self.session, name),
                Some((_, name)) => self.transaction.as_ref().and_then(|members| value_of(members, name)),
            })
            .collect()
    }

    /// Lays members over the message; of the three objects only the named members change.
    pub(super) fn patch(&mut self, patch: &Map<String, Value>) {
        for (name, value) in patch {
            let target = match name.as_str() {
                "customer" => Some(&mut self.customer),
                "session" => Some(&mut self.session),
                "transaction" => Some(self.transaction.get_or_insert_default()),
                _ => None,
            };
            match (target, value) {
                (Some(members), Value::Object(inner)) => {
                    let inner = inner.iter();
                    members.extend(inner.map(|(name, value)| (name.clone(), raw(&value.to_string()))));
                }
                (Some(_), Value::Null) if name == "transaction" => self.transaction = None,
                _ => {
                    self.top.insert(name.clone(), raw(&value.to_string()));
                }
            }
        }
    }

    /// The message as JSON.
    pub(super) fn text(&self) -> String {
        let mut all = self.top.clone();
        all.insert("customer".to_owned(), object(&self.customer));
        all.insert("session".to_owned(), object(&self.session));
        let transaction = self.transaction.as_ref();
        let transaction = transaction.map_or_else(|| raw("null"), object);
        all.insert("transaction".to_owned(), transaction);
        object(&all).get().to_owned()
    }
}

/// Members as one JSON object.
pub(super) fn object(members: &Members) -> Box<RawValue> {
    serde_json::value::to_raw_value(members).unwrap_or_else(|_| raw("{}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_characters_they_were_written_with() {
        let members: Members =
            serde_json::from_str(r#"{"a":1.0,"b":"x\"y","c":null,"d":12345678901234567890}"#).unwrap();
        assert_eq!(value_of(&members, "a").as_deref(), Some("1.0"));
        assert_eq!(value_of(&members, "b").as_deref(), Some("x\"y"));
        assert_eq!(value_of(&members, "c"), None);
        assert_eq!(value_of(&members, "d").as_deref(), Some("12345678901234567890"));
    }
}
