//! EventBridge's event patterns, which Lambda's filters use too: exact, prefix, suffix, anything-but, exists, nested, `$or`.

use serde_json::{Map, Value};

/// A compiled pattern: every field must match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern {
    fields: Vec<(String, Node)>,
    either: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Nested(Pattern),
    AnyOf(Vec<Matcher>),
}

#[derive(Debug, Clone, PartialEq)]
enum Matcher {
    Exactly(Value),
    Prefix(String),
    Suffix(String),
    SameLetters(String),
    AnythingBut(Vec<Matcher>),
    Exists(bool),
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event pattern at {at}: {fault}")]
pub struct PatternError {
    /// The field.
    pub at: String,
    /// What is wrong with it.
    pub fault: &'static str,
}

impl Pattern {
    /// Compiles a pattern.
    pub(crate) fn compile(pattern: &Value) -> Result<Self, PatternError> {
        match pattern {
            Value::Object(map) => Self::object(map, ""),
            _ => Err(PatternError { at: "/".to_owned(), fault: "is not an object" }),
        }
    }

    fn object(map: &Map<String, Value>, at: &str) -> Result<Self, PatternError> {
        let mut pattern = Self { fields: Vec::new(), either: Vec::new() };
        for (key, value) in map {
            let at = format!("{at}/{key}");
            let fault = |fault| PatternError { at: at.clone(), fault };
            match value {
                Value::Array(choices) if key == "$or" => {
                    for choice in choices {
                        let Value::Object(choice) = choice else { return Err(fault("holds other than objects")) };
                        pattern.either.push(Self::object(choice, &at)?);
                    }
                }
                Value::Array(choices) if !choices.is_empty() => {
                    let matchers =
                        choices.iter().map(|choice| Matcher::compile(choice, &at)).collect::<Result<_, _>>()?;
                    pattern.fields.push((key.clone(), Node::AnyOf(matchers)));
                }
                Value::Object(nested) => pattern.fields.push((key.clone(), Node::Nested(Self::object(nested, &at)?))),
                _ => return Err(fault("is neither an object nor a list of choices")),
            }
        }
        Ok(pattern)
    }

    /// Whether an event matches.
    pub(crate) fn matches(&self, event: &Value) -> bool {
        let field = |key: &str| event.get(key);
        self.fields.iter().all(|(key, node)| match node {
            Node::Nested(pattern) => match field(key) {
                Some(Value::Array(items)) => items.iter().any(|item| pattern.matches(item)),
                Some(value) => pattern.matches(value),
                // only `exists: false` can hold inside of what is not there
                None => pattern.matches(&Value::Null),
            },
            Node::AnyOf(matchers) => matchers.iter().any(|matcher| matcher.matches(field(key))),
        }) && (self.either.is_empty() || self.either.iter().any(|pattern| pattern.matches(event)))
    }
}

impl Matcher {
    fn compile(choice: &Value, at: &str) -> Result<Self, PatternError> {
        let fault = |fault| PatternError { at: at.to_owned(), fault };
        let Value::Object(map) = choice else {
            return match choice {
                Value::Array(_) => Err(fault("has a list inside of its choices")),
                value => Ok(Self::Exactly(value.clone())),
            };
        };
        let mut entries = map.iter();
        let (Some((name, argument)), None) = (entries.next(), entries.next()) else {
            return Err(fault("has a choice with other than one comparison"));
        };
        match (name.as_str(), argument) {
            ("prefix", Value::String(text)) => Ok(Self::Prefix(text.clone())),
            ("suffix", Value::String(text)) => Ok(Self::Suffix(text.clone())),
            ("equals-ignore-case", Value::String(text)) => Ok(Self::SameLetters(text.to_lowercase())),
            ("exists", Value::Bool(exists)) => Ok(Self::Exists(*exists)),
            ("anything-but", Value::Array(values)) => {
                Ok(Self::AnythingBut(values.iter().map(|value| Self::compile(value, at)).collect::<Result<_, _>>()?))
            }
            ("anything-but", value) => Ok(Self::AnythingBut(vec![Self::compile(value, at)?])),
            _ => Err(fault("uses a comparison that does not run locally")),
        }
    }

    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            // only a leaf can exist
            (Self::Exists(exists), value) => value.is_some_and(|value| !value.is_object()) == *exists,
            (_, None) => false,
            (Self::AnythingBut(_), Some(Value::Array(items))) => items.iter().all(|item| self.one(item)),
            (_, Some(Value::Array(items))) => items.iter().any(|item| self.one(item)),
            (_, Some(value)) => self.one(value),
        }
    }

    fn one(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Exactly(expected) => expected == value,
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix.as_str())),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix.as_str())),
            Self::SameLetters(letters) => text.is_some_and(|text| text.to_lowercase() == *letters),
            Self::AnythingBut(matchers) => !value.is_object() && matchers.iter().all(|matcher| !matcher.one(value)),
            Self::Exists(exists) => *exists,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: Value, event: &Value) -> bool {
        Pattern::compile(&pattern).unwrap().matches(event)
    }

    #[test]
    fn every_field_must_match_one_of_its_choices() {
        let event = json!({
            "source": "pipworks",
            "detail-type": "deposit.paid",
            "detail": {"version": 2, "data": {"subject": {"payment_id": "pay_1"}}, "tags": ["a", "b"], "note": null},
        });
        for (pattern, expected) in [
            (json!({"source": ["pipworks"]}), true),
            (json!({"source": ["other", "pipworks"], "detail-type": ["deposit.paid"]}), true),
            (json!({"source": ["pipworks"], "detail-type": ["deposit.failed"]}), false),
            (json!({"detail-type": [{"prefix": "account."}, {"prefix": "deposit."}]}), true),
            (json!({"detail-type": [{"suffix": ".paid"}]}), true),
            (json!({"detail-type": [{"equals-ignore-case": "Deposit.PAID"}]}), true),
            (json!({"detail-type": [{"anything-but": "deposit.paid"}]}), false),
            (json!({"detail-type": [{"anything-but": ["a", "b"]}]}), true),
            (json!({"detail-type": [{"anything-but": {"prefix": "deposit."}}]}), false),
            (json!({"detail": {"missing": [{"anything-but": "a"}]}}), false),
            (json!({"detail": {"version": [2]}}), true),
            (json!({"detail": {"version": ["2"]}}), false),
            (json!({"detail": {"note": [null]}}), true),
            (json!({"detail": {"tags": ["b"]}}), true),
            (json!({"detail": {"tags": [{"anything-but": "b"}]}}), false),
            (json!({"detail": {"data": {"subject": {"payment_id": [{"exists": true}]}}}}), true),
            (json!({"detail": {"data": {"subject": {"account_id": [{"exists": true}]}}}}), false),
            (json!({"detail": {"data": {"subject": {"account_id": [{"exists": false}]}}}}), true),
            (json!({"detail": {"nowhere": {"at": {"all": [{"exists": false}]}}}}), true),
            (json!({"detail": {"data": [{"exists": true}]}}), false),
            (json!({"$or": [{"source": ["x"]}, {"detail": {"version": [2]}}]}), true),
            (json!({"$or": [{"source": ["x"]}, {"detail": {"version": [3]}}]}), false),
        ] {
            assert_eq!(matches(pattern.clone(), &event), expected, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_used_is_refused_at_the_start() {
        for (pattern, at) in [
            (json!({"source": "pipworks"}), "/source"),
            (json!({"detail": {"amount": [{"numeric": [">", 5]}]}}), "/detail/amount"),
            (json!({"detail": {"a": []}}), "/detail/a"),
            (json!(["a"]), "/"),
        ] {
            assert_eq!(Pattern::compile(&pattern).map_err(|e| e.at), Err(at.to_owned()), "{pattern}");
        }
    }
}
