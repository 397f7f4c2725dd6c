//! JSON from outside. A name that stands twice in one object is a fault: which of the two values counts depends on who reads,
//! so one amount could be checked and another booked.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

use crate::input::{Fault, reference_token};

/// Names that are reported of one document; whoever repeats more is told of these.
const REPEATS_MAX: usize = 100;
/// Longest place that is reported, in bytes: below it the place around it is. An answer must not be many times what was asked.
const PLACE_MAX: usize = 256;

/// Reads a document whole.
///
/// # Errors
/// `malformed_json`, or `duplicate_key` at every name that stands twice.
pub fn parse(text: &[u8]) -> Result<Value, Vec<Fault>> {
    let malformed =
        |error: serde_json::Error| vec![Fault::new("", "malformed_json", format!("the body is not JSON: {error}"))];
    let value: Value = serde_json::from_slice(text).map_err(malformed)?;
    let mut repeats = Vec::new();
    let names = Names { at: &At::Root, repeats: &mut repeats };
    names.deserialize(&mut serde_json::Deserializer::from_slice(text)).map_err(malformed)?;
    if repeats.is_empty() {
        return Ok(value);
    }
    let fault = |pointer: String| Fault::new(pointer, "duplicate_key", "stands more than once in its object");
    Err(repeats.into_iter().map(fault).collect())
}

/// A place in a document, written out only when it is told: whoever sends a document chooses how many places it has, how long
/// they are and how often a name repeats, and needs no credential for that.
enum At<'a> {
    Root,
    Name(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

impl At<'_> {
    /// The JSON pointer (RFC 6901), or the nearest one around it that is short enough.
    fn pointer(&self) -> String {
        let (around, step) = match self {
            Self::Root => return String::new(),
            Self::Name(around, name) => (around, reference_token(name)),
            Self::Item(around, place) => (around, place.to_string()),
        };
        let mut pointer = around.pointer();
        if around.is_whole(&pointer) && pointer.len() + 1 + step.len() <= PLACE_MAX {
            pointer.push('/');
            pointer.push_str(&step);
        }
        pointer
    }

    /// Whether the pointer has all steps of the place.
    fn is_whole(&self, pointer: &str) -> bool {
        self.depth() == pointer.matches('/').count()
    }

    fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Name(around, _) | Self::Item(around, _) => around.depth() + 1,
        }
    }
}

/// Where a document does not read as what it must be, without what stands there: serde quotes values, and these may be personal data.
pub fn place_of(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Io => "it could not be read",
        Category::Syntax => "it is not JSON",
        Category::Data => "a value is missing or of another kind",
        Category::Eof => "it ends too soon",
    };
    format!("{what}, line {} column {}", error.line(), error.column())
}

/// Looks at the names of a value and of all that is in it.
struct Names<'a> {
    at: &'a At<'a>,
    repeats: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // each name with whether it was told
        let mut seen: BTreeMap<String, bool> = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let at = At::Name(self.at, &name);
            if let Some(told) = seen.get_mut(&name)
                && !std::mem::replace(told, true)
                && self.repeats.len() < REPEATS_MAX
            {
                self.repeats.push(at.pointer());
            }
            map.next_value_seed(Names { at: &at, repeats: self.repeats })?;
            seen.entry(name).or_insert(false);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut place = 0_usize;
        while items.next_element_seed(Names { at: &At::Item(self.at, place), repeats: self.repeats })?.is_some() {
            place = place.saturating_add(1);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(text: &str, wanted: &[(&str, &str)]) {
        let faults = parse(text.as_bytes()).unwrap_err();
        let found: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect();
        assert_eq!(found, wanted, "{text}");
        assert!(faults.iter().all(Fault::is_form));
    }

    #[test]
    fn a_name_that_stands_twice_is_a_fault_wherever_it_stands() {
        refused(r#"{"amount": "10", "amount": "1000"}"#, &[("/amount", "duplicate_key")]);
        refused(r#"{"amount": "10", "amount": "10"}"#, &[("/amount", "duplicate_key")]);
        refused(
            r#"{"a": 1, "a": 2, "a": 3, "b": {"c": [{"d": 1}, {"d": 1, "d": 2}]}}"#,
            &[("/a", "duplicate_key"), ("/b/c/1/d", "duplicate_key")],
        );
        // the same name in another spelling
        refused(r#"{"amount": 1, "\u0061mount": 2}"#, &[("/amount", "duplicate_key")]);
        refused(r#"{"a/b~c": 1, "a/b~c": 2}"#, &[("/a~1b~0c", "duplicate_key")]);
        refused(r#"[{"": 1, "": 2}]"#, &[("/0/", "duplicate_key")]);
    }

    #[test]
    fn the_same_name_in_two_objects_is_none() {
        let text = r#"{"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 1}], "A": null}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_is_no_json_says_so() {
        refused("{\"a\": 1", &[("", "malformed_json")]);
        refused("{} {}", &[("", "malformed_json")]);
        refused(&"[".repeat(1_000), &[("", "malformed_json")]);
    }

    /// A document of a webhook's size: below a long name, so that every place is long, names that repeat, and then the last of them
    /// again and again.
    fn repeats_in_a_deep_place() -> String {
        let names: Vec<String> =
            ('!'..='~').filter(|c| !matches!(c, '"' | '\\' | '~' | '/')).map(String::from).collect();
        let twice: String = names.iter().map(|name| format!(r#""{name}":0,"{name}":0,"#)).collect();
        let last = names.last().unwrap();
        let half = 125 * 1_024;
        let again = format!(r#""{last}":0,"#).repeat(half / 6);
        let text = format!(r#"{{"{}":{{{twice}{again}"{last}":0}}}}"#, "~".repeat(half));
        assert!(text.len() <= 256 * 1_024);
        text
    }

    #[test]
    fn a_place_that_is_too_long_to_tell_is_told_by_the_one_around_it() {
        let long = "x".repeat(300);
        refused(&format!(r#"{{"a": {{"{long}": {{"b": 1, "b": 2}}}}}}"#), &[("/a", "duplicate_key")]);
        refused(&format!(r#"{{"{long}": 1, "{long}": 2}}"#), &[("", "duplicate_key")]);
    }

    #[test]
    fn what_is_told_of_a_document_is_no_longer_than_the_document() {
        let text = repeats_in_a_deep_place();
        let told: usize = parse(text.as_bytes()).unwrap_err().iter().map(|fault| fault.pointer.len()).sum();
        assert!(told <= text.len(), "{told} bytes of places are told of {} bytes", text.len());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e6..1e6_f64).prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab/~]{0,2}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_a_program_writes_is_read_as_it_was(value in values()) {
            let text = value.to_string();
            prop_assert_eq!(parse(text.as_bytes()), Ok(serde_json::from_str(&text).unwrap()));
        }
    }
}
