//! Rule files as people write them: YAML, read with the place of each value, so that a fault names its line and column.
//!
//! Of YAML it takes what rule files need: mappings with plain names, lists, scalars of the core schema (YAML 1.2.2, section 10.3).
//! Anchors, aliases, tags, a second document and a name that stands twice are refused: they make a text mean something else than it shows,
//! or more than it holds.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

use crate::input::{Fault, Place, reference_token};

/// Deepest nesting that is read; a rule file has six.
const DEPTH_MAX: usize = 32;
/// Faults that are told of one text: whoever repeats more is told of these.
const FAULTS_MAX: usize = 100;

/// A text that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What it says.
    pub value: Value,
    places: BTreeMap<String, Place>,
}

impl Document {
    /// The faults with their lines and columns: that of the value, or of the nearest one around a value that is missing.
    pub fn placed(&self, faults: Vec<Fault>) -> Vec<Fault> {
        faults.into_iter().map(|fault| Fault { place: self.place(&fault.pointer), ..fault }).collect()
    }

    fn place(&self, pointer: &str) -> Option<Place> {
        let mut around = pointer;
        loop {
            if let Some(place) = self.places.get(around) {
                return Some(*place);
            }
            around = around.rsplit_once('/')?.0;
        }
    }
}

/// Reads a text.
///
/// # Errors
/// Every fault with its line and column; what is no YAML at all is one fault, `malformed_yaml`.
pub fn read(text: &str) -> Result<Document, Vec<Fault>> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let step = event.map_err(|error| (format!("is not YAML: {}", error.info()), *error.marker()));
        let step = step.and_then(|(event, span)| reader.take(event, span));
        if let Err((message, marker)) = step {
            reader.faults.push(Fault { place: Some(place(marker)), ..Fault::new("", "malformed_yaml", message) });
            break;
        }
    }
    match reader.value {
        Some(value) if reader.faults.is_empty() => Ok(Document { value, places: reader.places }),
        None if reader.faults.is_empty() => Err(vec![Fault::new("", "malformed_yaml", "the text is empty")]),
        _ => Err(reader.faults),
    }
}

fn place(marker: Marker) -> Place {
    Place { line: marker.line(), column: marker.col().saturating_add(1) }
}

/// A mapping or a list that is not at its end.
enum Open {
    List(Vec<Value>),
    /// With the name that waits for its value, and whether it stands there already.
    Mapping(Map<String, Value>, Option<(String, bool)>),
}

#[derive(Default)]
struct Reader {
    /// What is open, the innermost last, each with its pointer.
    open: Vec<(Open, String)>,
    value: Option<Value>,
    places: BTreeMap<String, Place>,
    faults: Vec<Fault>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), (String, Marker)> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(anchor, tag.is_some(), span);
                self.scalar(&text, style, span);
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), span);
                self.begin(Open::List(Vec::new()), span)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), span);
                self.begin(Open::Mapping(Map::new(), None), span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(_) => {
                self.fault("alias", "is an alias; write the value out", span);
                self.add(Value::Null);
            }
            Event::DocumentStart(_) if self.value.is_some() => {
                return Err(("holds a second document; a rule file is one".to_owned(), span.start));
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// An anchor's or a tag's number is not 0.
    fn refuse(&mut self, anchor: usize, tagged: bool, span: Span) {
        if anchor != 0 {
            self.fault("anchor", "has an anchor; write values out where they are used", span);
        }
        if tagged {
            self.fault("tag", "has a tag; put a text into quotes instead", span);
        }
    }

    fn begin(&mut self, open: Open, span: Span) -> Result<(), (String, Marker)> {
        if self.awaits_name() {
            self.fault("complex_name", "a name must be a word", span);
        }
        if self.open.len() >= DEPTH_MAX {
            return Err((format!("is nested deeper than {DEPTH_MAX} levels"), span.start));
        }
        let pointer = self.pointer();
        self.places.entry(pointer.clone()).or_insert(place(span.start));
        self.open.push((open, pointer));
        Ok(())
    }

    fn end(&mut self) {
        let value = match self.open.pop() {
            Some((Open::List(items), _)) => Value::Array(items),
            Some((Open::Mapping(members, _), _)) => Value::Object(members),
            None => return,
        };
        self.add(value);
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) {
        if self.awaits_name() {
            return self.name(text, span);
        }
        let pointer = self.pointer();
        self.places.entry(pointer).or_insert(place(span.start));
        let value = match style {
            ScalarStyle::Plain => plain(text),
            _ => Some(Value::from(text)),
        };
        if value.is_none() {
            self.fault("not_a_number", "is no number that a rule can have", span);
        }
        self.add(value.unwrap_or_default());
    }

    fn name(&mut self, text: &str, span: Span) {
        let Some((Open::Mapping(members, waits), pointer)) = self.open.last_mut() else { return };
        let again = members.contains_key(text);
        *waits = Some((text.to_owned(), again));
        let pointer = member(pointer, text);
        if again {
            self.add_fault(pointer, "duplicate_key", "stands more than once", span);
        }
    }

    /// A value comes to an end: the document, an item, or the member whose name waits for it.
    fn add(&mut self, value: Value) {
        match self.open.last_mut() {
            None => self.value = Some(value),
            Some((Open::List(items), _)) => items.push(value),
            Some((Open::Mapping(members, waits), _)) => match waits.take() {
                Some((name, false)) => {
                    members.insert(name, value);
                }
                Some((_, true)) => {}
                // a mapping or a list as a name, which is a fault already
                None => *waits = Some((String::new(), true)),
            },
        }
    }

    fn awaits_name(&self) -> bool {
        matches!(self.open.last(), Some((Open::Mapping(_, None), _)))
    }

    /// Where the next value stands.
    fn pointer(&self) -> String {
        match self.open.last() {
            None => String::new(),
            Some((Open::List(items), pointer)) => format!("{pointer}/{}", items.len()),
            Some((Open::Mapping(_, name), pointer)) => {
                name.as_ref().map_or_else(|| pointer.clone(), |(name, _)| member(pointer, name))
            }
        }
    }

    fn fault(&mut self, code: &'static str, message: &str, span: Span) {
        self.add_fault(self.pointer(), code, message, span);
    }

    fn add_fault(&mut self, pointer: String, code: &'static str, message: &str, span: Span) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { place: Some(place(span.start)), ..Fault::new(pointer, code, message) });
        }
    }
}

fn member(around: &str, name: &str) -> String {
    format!("{around}/{}", reference_token(name))
}

/// A scalar without quotes, by the core schema; none for `.inf` and `.nan`. What is a fraction stays one, and the rules refuse it.
fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return None;
    }
    let begins_as_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !begins_as_number || !unsigned.contains(|c: char| c.is_ascii_digit()) {
        return Some(Value::from(text));
    }
    if let Some(whole) = whole(text, unsigned) {
        return Some(whole);
    }
    // `007` is a text: a number of that kind would lose its zeros
    let zeros = unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.bytes().all(|b| b.is_ascii_digit());
    if zeros {
        return Some(Value::from(text));
    }
    match text.parse() {
        Ok(fraction) => Number::from_f64(fraction).map(Value::Number),
        Err(_) => Some(Value::from(text)),
    }
}

fn whole(text: &str, unsigned: &str) -> Option<Value> {
    let based = |prefix: &str, radix| {
        let digits = unsigned.strip_prefix(prefix)?;
        digits.starts_with(|c: char| c.is_ascii_alphanumeric()).then(|| i64::from_str_radix(digits, radix).ok())?
    };
    if let Some(value) = based("0x", 16).or_else(|| based("0o", 8)).or_else(|| based("0b", 2)) {
        return Some(Value::from(if text.starts_with('-') { value.checked_neg()? } else { value }));
    }
    let digits = unsigned.bytes().all(|b| b.is_ascii_digit()) && (unsigned.len() == 1 || !unsigned.starts_with('0'));
    if !digits {
        return None;
    }
    text.parse::<i64>()
        .map(Value::from)
        .or_else(|_| unsigned.parse::<u64>().map(Value::from))
        .ok()
        .filter(|value| !(text.starts_with('-') && value.as_i64().is_none()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A fault as pointer, code, and line and column.
    type Told = (String, &'static str, Option<(usize, usize)>);

    fn faults(text: &str) -> Vec<Told> {
        let place = |place: Place| (place.line, place.column);
        read(text).unwrap_err().into_iter().map(|fault| (fault.pointer, fault.code, fault.place.map(place))).collect()
    }

    #[test]
    fn scalars_are_what_the_core_schema_says() {
        let cases = [
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("+7", json!(7)),
            ("0", json!(0)),
            ("0x1f", json!(31)),
            ("0o17", json!(15)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("1.5", json!(1.5)),
            ("1e3", json!(1000.0)),
            ("007", json!("007")),
            ("\"12\"", json!("12")),
            ("'true'", json!("true")),
            ("yes", json!("yes")),
            ("no", json!("no")),
            ("NO", json!("NO")),
            ("~", Value::Null),
            ("null", Value::Null),
            ("True", json!(true)),
            ("2026-11-30", json!("2026-11-30")),
            ("10:30", json!("10:30")),
            ("1_000", json!("1_000")),
            ("-", json!([null])),
            (".", json!(".")),
            ("+49", json!(49)),
        ];
        for (text, value) in cases {
            assert_eq!(read(text).unwrap().value, value, "{text}");
        }
        assert_eq!(faults("a: .nan"), [("/a".to_owned(), "not_a_number", Some((1, 4)))]);
    }

    #[test]
    fn a_fault_stands_where_its_value_stands_or_the_value_around_it() {
        let document = read("rules:\n  - id: a\n    then: {go: 1}\n  - id: b\n").unwrap();
        let at = |pointer: &str| document.place(pointer).map(|place| (place.line, place.column));
        assert_eq!(at("/rules/1/id"), Some((4, 9)));
        assert_eq!(at("/rules/0/then/go"), Some((3, 16)));
        assert_eq!(at("/rules/1/then"), Some((4, 5)), "the row that lacks it");
        assert_eq!(at("/nothing"), Some((1, 1)));
    }

    #[test]
    fn what_means_more_than_it_shows_is_refused_all_of_it_at_once() {
        let text = "a: &x 1\nb: *x\nc: !!str 2\nd: 1\nd: 2\n";
        let found = faults(text);
        let codes: Vec<_> = found.iter().map(|(_, code, place)| (*code, place.map(|(line, _)| line))).collect();
        let expected = [("anchor", 1), ("alias", 2), ("tag", 3), ("duplicate_key", 5)];
        assert_eq!(codes, expected.map(|(code, line)| (code, Some(line))));
        assert_eq!(found[3].0, "/d");
    }

    #[test]
    fn what_is_no_rule_file_says_so() {
        for (text, line) in [("a: 1\n---\nb: 2\n", 2), ("a:\n\t- 1\n", 2), ("a: [1, 2\n", 2), ("a: 'x\n", 1)] {
            let found = faults(text);
            assert_eq!(found.last().unwrap().1, "malformed_yaml", "{text}");
            let (at, _) = found.last().unwrap().2.unwrap();
            assert!(at >= line, "{text}: {at}");
        }
        assert_eq!(faults("")[0].1, "malformed_yaml");
        assert_eq!(faults("# nothing\n")[0].1, "malformed_yaml");
        assert_eq!(faults("{[a]: 1}")[0].1, "complex_name");
        assert!(faults(&"[".repeat(10_000))[0].1 == "malformed_yaml");
        assert!(faults(&"- ".repeat(10_000))[0].1 == "malformed_yaml");
    }

    #[test]
    fn the_seeds_read_as_the_other_reader_reads_them() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/rules");
        let mut read_ones = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let other: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
            assert_eq!(read(&text).unwrap().value, serde_json::to_value(other).unwrap(), "{}", path.display());
            read_ones += 1;
        }
        assert!(read_ones >= 16, "{read_ones}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in "[-a-c0-9:{}\\[\\]&*!|>'\"# \\n\\t,.~%@`]{0,60}") {
            if let Err(faults) = read(&text) {
                proptest::prop_assert!(!faults.is_empty());
            }
        }

        #[test]
        fn what_json_says_is_said_by_yaml_too(names in proptest::collection::vec("[a-z]{1,5}", 1..5), n: i32, word in "[a-zA-Z é/~]{0,8}") {
            let value = json!({"list": names, "n": n, "word": word, "none": null, "deep": [{"a": [true]}]});
            proptest::prop_assert_eq!(read(&value.to_string()).unwrap().value, value);
        }
    }
}
