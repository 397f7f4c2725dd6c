//! Reading a rule file: every value knows its JSON pointer, and every fault is collected.

use std::ops::RangeInclusive;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};

use crate::input::{Fault, reference_token};
use crate::{Country, Currency, Seconds};

/// The longest name of a row, server, template and the like.
pub(crate) const NAME_CHARS_MAX: usize = 40;
/// The longest URL.
const URL_CHARS_MAX: usize = 200;
/// The longest name of a secret that AWS Secrets Manager takes.
const SECRET_CHARS_MAX: usize = 512;
/// Digits of a decimal: well inside what `Decimal` holds exactly.
const DECIMAL_DIGITS_MAX: usize = 24;
/// The longest language tag.
const LANGUAGE_CHARS_MAX: usize = 35;

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The value if there is one and no fault was found.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Fault>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                if self.0.is_empty() {
                    self.add(Fault::new("", "unreadable", "this is not a rule set"));
                }
                Err(self.0)
            }
        }
    }
}

/// Reads a whole document.
///
/// # Errors
/// Every fault with its JSON pointer.
pub(crate) fn read_document<T>(
    document: &Json,
    read: impl FnOnce(&Node<'_>, &mut Faults) -> Option<T>,
) -> Result<T, Vec<Fault>> {
    let mut faults = Faults::default();
    let value = read(&Node::root(document), &mut faults);
    faults.finish(value)
}

/// A value of the file and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    value: &'a Json,
    pointer: String,
}

/// An object of the file, with its keys checked.
#[derive(Debug, Clone)]
pub(crate) struct Object<'a> {
    map: &'a Map<String, Json>,
    pointer: String,
}

fn step(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", reference_token(key))
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Json) -> Self {
        Self { value, pointer: String::new() }
    }

    /// Another value that stands for the one at this place.
    pub(crate) fn standing_for<'b>(&self, value: &'b Json) -> Node<'b> {
        Node { value, pointer: self.pointer.clone() }
    }

    pub(crate) fn pointer(&self) -> &str {
        &self.pointer
    }

    pub(crate) fn raw(&self) -> &'a Json {
        self.value
    }

    pub(crate) fn fault(&self, code: &'static str, message: impl Into<String>) -> Fault {
        Fault::new(self.pointer.clone(), code, message)
    }

    fn wrong_type<T>(&self, wanted: &str, faults: &mut Faults) -> Option<T> {
        faults.add(self.fault("wrong_type", format!("must be {wanted}, is {}", kind_of(self.value))));
        None
    }

    /// An object with any keys.
    pub(crate) fn map(&self, faults: &mut Faults) -> Option<Object<'a>> {
        match self.value {
            Json::Object(map) => Some(Object { map, pointer: self.pointer.clone() }),
            _ => self.wrong_type("an object", faults),
        }
    }

    /// An object; a key that is not known is a fault.
    pub(crate) fn object(&self, known: &[&str], faults: &mut Faults) -> Option<Object<'a>> {
        let object = self.map(faults)?;
        object.refuse_other_keys(known, "unknown_key", faults);
        Some(object)
    }

    /// A list with a bounded number of items.
    pub(crate) fn list(&self, count: RangeInclusive<usize>, faults: &mut Faults) -> Option<Vec<Self>> {
        let Json::Array(items) = self.value else {
            return self.wrong_type("a list", faults);
        };
        if items.len() > *count.end() {
            faults
                .add(self.fault("too_many", format!("has {} items, at most {} are allowed", items.len(), count.end())));
            return None;
        }
        if items.len() < *count.start() {
            faults.add(self.fault("empty", format!("needs at least {} item(s)", count.start())));
            return None;
        }
        let place = |(n, value)| Self { value, pointer: format!("{}/{n}", self.pointer) };
        Some(items.iter().enumerate().map(place).collect())
    }

    /// Text without control characters other than line breaks, not empty, with a bounded length.
    pub(crate) fn text(&self, chars_max: usize, faults: &mut Faults) -> Option<&'a str> {
        let Json::String(text) = self.value else {
            let hint = if matches!(self.value, Json::Number(_) | Json::Bool(_)) {
                "text (write it in quotes)"
            } else {
                "text"
            };
            return self.wrong_type(hint, faults);
        };
        let length = text.chars().count();
        let fault = if text.trim().is_empty() {
            self.fault("empty", "must not be empty")
        } else if length > chars_max {
            self.fault("too_long", format!("has {length} characters, at most {chars_max} are allowed"))
        } else if text.chars().any(|c| c.is_control() && c != '\n') {
            self.fault("bad_text", "has control characters")
        } else {
            return Some(text);
        };
        faults.add(fault);
        None
    }

    /// Text on one line.
    pub(crate) fn line(&self, chars_max: usize, faults: &mut Faults) -> Option<&'a str> {
        let text = self.text(chars_max, faults)?;
        if text.contains('\n') {
            faults.add(self.fault("bad_text", "must be one line"));
            return None;
        }
        Some(text)
    }

    /// A short lower-case name: letters, digits, `_` and `-`.
    pub(crate) fn name(&self, faults: &mut Faults) -> Option<String> {
        let text = self.line(NAME_CHARS_MAX, faults)?;
        if is_name(text) {
            return Some(text.to_owned());
        }
        faults.add(
            self.fault("bad_name", "must be lower-case letters, digits, _ and -, beginning with a letter or digit"),
        );
        None
    }

    pub(crate) fn boolean(&self, faults: &mut Faults) -> Option<bool> {
        match self.value {
            Json::Bool(truth) => Some(*truth),
            _ => self.wrong_type("true or false", faults),
        }
    }

    /// A whole number in a range.
    pub(crate) fn whole(&self, range: RangeInclusive<u32>, faults: &mut Faults) -> Option<u32> {
        let Json::Number(number) = self.value else {
            return self.wrong_type("a whole number", faults);
        };
        match number.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| range.contains(n)) {
            Some(n) => Some(n),
            None => {
                let message = format!("must be a whole number from {} to {}", range.start(), range.end());
                faults.add(self.fault("bad_range", message));
                None
            }
        }
    }

    /// An exact decimal: a text such as `"0.5"`, or a whole number. A fractional number without quotes was
    /// already rounded to binary by whatever read the file, so it is refused instead of taken nearly right.
    pub(crate) fn decimal(&self, faults: &mut Faults) -> Option<Decimal> {
        match self.value {
            Json::String(text) => {
                let number = plain_decimal(text);
                if number.is_none() {
                    faults.add(self.fault("not_a_number", "must be a plain decimal number such as \"1250.00\""));
                }
                number
            }
            Json::Number(number) => {
                let exact = number.as_i64().map(Decimal::from).or_else(|| number.as_u64().map(Decimal::from));
                if exact.is_none() {
                    faults.add(self.fault(
                        "float_number",
                        "a number with a fraction must be in quotes to be exact, such as \"0.5\"",
                    ));
                }
                exact
            }
            _ => self.wrong_type("a decimal number in quotes", faults),
        }
    }

    /// A span in a range.
    pub(crate) fn span(&self, range: RangeInclusive<Seconds>, faults: &mut Faults) -> Option<Seconds> {
        let span: Seconds = self.parsed("bad_duration", "must be a span such as 90s, 15m, 24h or 7d", faults)?;
        if range.contains(&span) {
            return Some(span);
        }
        faults.add(self.fault("bad_range", format!("must be from {} to {}", range.start(), range.end())));
        None
    }

    /// Text that reads as a type.
    pub(crate) fn parsed<T: FromStr>(&self, code: &'static str, message: &str, faults: &mut Faults) -> Option<T> {
        let text = self.line(URL_CHARS_MAX, faults)?;
        let value = text.parse().ok();
        if value.is_none() {
            faults.add(self.fault(code, format!("{message}, is `{text}`")));
        }
        value
    }

    pub(crate) fn currency(&self, faults: &mut Faults) -> Option<Currency> {
        self.parsed("unknown_currency", "must be an ISO 4217 currency code", faults)
    }

    /// The names that an object declares, also those of parts that cannot be read: only a name that nobody wrote is unknown.
    pub(crate) fn declared(&self) -> Vec<String> {
        self.value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
    }

    pub(crate) fn country(&self, faults: &mut Faults) -> Option<Country> {
        self.parsed("unknown_country", "must be an ISO 3166-1 alpha-2 country code", faults)
    }

    /// One of a closed vocabulary.
    pub(crate) fn word<T: FromStr + ToString>(&self, all: &[T], faults: &mut Faults) -> Option<T> {
        let text = self.line(URL_CHARS_MAX, faults)?;
        let value = text.parse().ok();
        if value.is_none() {
            let message = format!("`{text}` is not one of the values that are allowed here");
            faults.add(self.fault("unknown_value", message).allowing(all.iter().map(ToString::to_string)));
        }
        value
    }

    /// The name of something that is declared elsewhere in the file.
    pub(crate) fn reference(&self, what: &str, declared: &[String], faults: &mut Faults) -> Option<String> {
        let text = self.line(URL_CHARS_MAX, faults)?;
        if declared.iter().any(|name| name == text) {
            return Some(text.to_owned());
        }
        let message = format!("there is no {what} `{text}`");
        faults.add(self.fault("missing_reference", message).allowing(declared));
        None
    }

    /// A list, each item read even after a faulty one, so that all faults are told at once.
    pub(crate) fn each<T>(
        &self,
        count: RangeInclusive<usize>,
        faults: &mut Faults,
        mut read: impl FnMut(&Self, &mut Faults) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.list(count, faults)?;
        let values: Vec<Option<T>> = items.iter().map(|item| read(item, faults)).collect();
        values.into_iter().collect()
    }

    /// A list of distinct values, each read by `read`.
    pub(crate) fn distinct<T: PartialEq>(
        &self,
        count: RangeInclusive<usize>,
        faults: &mut Faults,
        mut read: impl FnMut(&Self, &mut Faults) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.list(count, faults)?;
        let whole = items.len();
        let mut values = Vec::new();
        for item in items {
            let Some(value) = read(&item, faults) else { continue };
            if values.contains(&value) {
                faults.add(item.fault("duplicate", "is in the list twice"));
            } else {
                values.push(value);
            }
        }
        (values.len() == whole).then_some(values)
    }

    /// The base of an HTTP interface: https, or http to a machine that only tests can reach.
    pub(crate) fn url(&self, faults: &mut Faults) -> Option<String> {
        let text = self.line(URL_CHARS_MAX, faults)?;
        if refuse_unresolved(self, text, faults) {
            return None;
        }
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => {
                faults.add(self.fault("bad_url", "must begin with https://"));
                return None;
            }
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let odd = |c: char| c.is_whitespace() || matches!(c, '@' | '"' | '<' | '>' | '\\' | '?' | '#');
        if authority.is_empty() || authority.starts_with(':') || rest.contains(odd) {
            faults.add(self.fault("bad_url", "must be a URL with a host and without user, query and fragment"));
            return None;
        }
        if !secure && !is_local(authority) {
            faults.add(self.fault(
                "insecure_url",
                "http is only allowed to this machine (localhost, 127.0.0.1) or a .test name: use https",
            ));
            return None;
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    /// The name of a secret in Secrets Manager; never the secret itself.
    pub(crate) fn secret_name(&self, faults: &mut Faults) -> Option<String> {
        let text = self.line(SECRET_CHARS_MAX, faults)?;
        if refuse_unresolved(self, text, faults) {
            return None;
        }
        if text.chars().all(|c| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c)) {
            return Some(text.to_owned());
        }
        faults.add(self.fault("bad_secret_name", "must be the name of a secret: letters, digits and /_+=.@-"));
        None
    }

    /// A language tag.
    pub(crate) fn language(&self, faults: &mut Faults) -> Option<String> {
        let text = self.line(LANGUAGE_CHARS_MAX, faults)?;
        if !is_language(text) {
            faults.add(self.fault("bad_language", "must be a language tag such as en or pt-BR"));
            return None;
        }
        Some(text.to_owned())
    }

    /// An e-mail address, roughly: the mail service has the last word.
    pub(crate) fn email(&self, faults: &mut Faults) -> Option<String> {
        let text = self.line(URL_CHARS_MAX, faults)?;
        if refuse_unresolved(self, text, faults) {
            return None;
        }
        let good = text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && host.len() > 2
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !text.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"'))
        });
        if !good {
            faults.add(self.fault("bad_email", "must be an e-mail address"));
        }
        good.then(|| text.to_owned())
    }
}

impl<'a> Object<'a> {
    pub(crate) fn fault(&self, code: &'static str, message: impl Into<String>) -> Fault {
        Fault::new(self.pointer.clone(), code, message)
    }

    pub(crate) fn refuse_other_keys(&self, known: &[&str], code: &'static str, faults: &mut Faults) {
        for key in self.map.keys().filter(|key| !known.contains(&key.as_str())) {
            let fault = Fault::new(step(&self.pointer, key), code, format!("`{key}` is not known here"));
            faults.add(fault.allowing(known.iter().copied()));
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    pub(crate) fn count(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.map.get(key).map(|value| Node { value, pointer: step(&self.pointer, key) })
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&self, key: &str, faults: &mut Faults) -> Option<Node<'a>> {
        let node = self.get(key);
        if node.is_none() {
            faults.add(self.fault("missing_key", format!("`{key}` is missing")));
        }
        node
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        self.map.iter().map(|(key, value)| (key.as_str(), Node { value, pointer: step(&self.pointer, key) }))
    }
}

/// An optional part: outer `None` if it is there and faulty.
pub(crate) fn optional<'a, T>(node: Option<Node<'a>>, read: impl FnOnce(Node<'a>) -> Option<T>) -> Option<Option<T>> {
    match node {
        None => Some(None),
        Some(node) => read(node).map(Some),
    }
}

/// A BCP 47 tag such as `en`, `pt-BR`, `zh-Hant-TW`.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.chars().all(|c| c.is_ascii_lowercase())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()))
        && text.len() <= LANGUAGE_CHARS_MAX
}

pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(plain) && text.len() <= NAME_CHARS_MAX && text.chars().all(|c| plain(c) || c == '_' || c == '-')
}

fn refuse_unresolved(node: &Node<'_>, text: &str, faults: &mut Faults) -> bool {
    let unresolved = text.contains("${");
    if unresolved {
        faults.add(node.fault("unresolved_name", "has a ${NAME} that the installation did not fill in"));
    }
    unresolved
}

fn is_local(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    matches!(host, "localhost" | "127.0.0.1" | "::1") || host.ends_with(".localhost") || host.ends_with(".test")
}

fn plain_decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || digits.len() > DECIMAL_DIGITS_MAX {
        return None;
    }
    Decimal::from_str_exact(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes<'a, T>(value: &'a Json, read: impl Fn(&Node<'a>, &mut Faults) -> Option<T>) -> Vec<&'static str> {
        let mut faults = Faults::default();
        let read = read(&Node::root(value), &mut faults);
        assert_eq!(read.is_none(), faults.count() > 0, "a fault for exactly what cannot be read: {value}");
        faults.0.iter().map(|fault| fault.code).collect()
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        for good in [json!("0.1"), json!("-12.50"), json!(7), json!(-7), json!(u64::MAX), json!("0")] {
            assert!(codes(&good, Node::decimal).is_empty(), "{good}");
        }
        assert_eq!(codes(&json!(0.1), Node::decimal), ["float_number"]);
        assert_eq!(codes(&json!(1e3), Node::decimal), ["float_number"]);
        for bad in ["", "1e3", ".5", "5.", "+1", "1,000", " 1", "NaN", "1.2.3", "--1", "9999999999999999999999999"] {
            assert_eq!(codes(&json!(bad), Node::decimal), ["not_a_number"], "{bad}");
        }
        assert_eq!(codes(&json!(true), Node::decimal), ["wrong_type"]);
    }

    #[test]
    fn plain_http_goes_nowhere_but_this_machine() {
        for good in [
            "https://api.stripe.com",
            "http://127.0.0.1:8700/psp",
            "http://[::1]:1/x",
            "http://localhost:80",
            "http://mt5.test/",
        ] {
            assert!(codes(&json!(good), Node::url).is_empty(), "{good}");
        }
        for (bad, code) in [
            ("http://api.stripe.com", "insecure_url"),
            ("http://127.0.0.1.example.com", "insecure_url"),
            ("http://localhost.example.com/127.0.0.1", "insecure_url"),
            ("http://127.0.0.1@example.com", "bad_url"),
            ("ftp://127.0.0.1", "bad_url"),
            ("https://", "bad_url"),
            ("https://a b", "bad_url"),
            ("https://a/?q", "bad_url"),
            ("${STRIPE_URL}", "unresolved_name"),
        ] {
            assert_eq!(codes(&json!(bad), Node::url), [code], "{bad}");
        }
    }

    #[test]
    fn pointers_escape_what_json_pointer_escapes() {
        let value = json!({"a/b": {"c~d": 1}});
        let mut faults = Faults::default();
        let outer = Node::root(&value).map(&mut faults).unwrap().get("a/b").unwrap();
        let inner = outer.map(&mut faults).unwrap().get("c~d").unwrap();
        assert_eq!(inner.pointer(), "/a~1b/c~0d");
        assert_eq!(value.pointer(inner.pointer()), Some(&json!(1)));
    }
}
