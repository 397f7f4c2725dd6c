//! What is wrong with an input: every fault at once, each with the place it stands at.

use serde::Serialize;

use crate::visible::visible;
use crate::words::Word;

/// One fault of an input, as HTTP errors carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) to the value.
    pub pointer: String,
    /// Stable code in `snake_case`.
    pub code: &'static str,
    /// What is wrong and what would be right, for a person.
    pub message: String,
    /// The values that would be accepted, where the choice is closed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_values: Vec<String>,
    /// Where it stands in a text that has lines.
    #[serde(flatten)]
    pub place: Option<Place>,
}

/// A name as a JSON pointer writes it (RFC 6901, section 3: a reference token).
pub(crate) fn reference_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Fault {
    /// A fault at a place.
    pub fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, message: message.into(), allowed_values: Vec::new(), place: None }
    }

    /// The same with the values that would be accepted.
    #[must_use]
    pub fn allowing(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed_values = values.into_iter().map(Into::into).collect();
        self
    }
}

/// Codes of faults in the form of the input (HTTP 400); every other fault is about its meaning (422).
const FORM_CODES: &[&str] = &["missing", "wrong_type", "unknown_field", "malformed_json", "duplicate_key"];

impl Fault {
    /// Whether the input could not even be understood.
    pub fn is_form(&self) -> bool {
        FORM_CODES.contains(&self.code)
    }
}

/// Reads a JSON object field by field and collects what is wrong with it.
#[derive(Debug)]
pub struct Reader<'a> {
    at: String,
    object: Option<&'a serde_json::Map<String, serde_json::Value>>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    /// A reader of a value that must be an object.
    pub fn new(value: &'a serde_json::Value) -> Self {
        let object = value.as_object();
        let mut faults = Vec::new();
        if object.is_none() {
            faults.push(Fault::new("", "wrong_type", "must be a JSON object"));
        }
        Self { at: String::new(), object, known: Vec::new(), faults }
    }

    /// Adds a fault that the caller found.
    pub fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    fn field(&mut self, name: &'static str) -> Option<&'a serde_json::Value> {
        self.known.push(name);
        self.object.and_then(|object| object.get(name)).filter(|value| !value.is_null())
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    /// A string that may be left out.
    pub fn optional_string(&mut self, name: &'static str) -> Option<&'a str> {
        let value = self.field(name)?;
        let text = value.as_str();
        if text.is_none() {
            self.faults.push(Fault::new(self.pointer(name), "wrong_type", "must be a string"));
        }
        text
    }

    /// A string that must be there.
    pub fn string(&mut self, name: &'static str) -> Option<&'a str> {
        self.require(name).then(|| self.optional_string(name)).flatten()
    }

    /// A whole number that must be there.
    pub fn whole(&mut self, name: &'static str) -> Option<u32> {
        self.require(name).then(|| self.optional_whole(name)).flatten()
    }

    /// A whole number that may be left out.
    pub fn optional_whole(&mut self, name: &'static str) -> Option<u32> {
        let value = self.field(name)?;
        let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
        if number.is_none() {
            let whole = value.is_i64() || value.is_u64();
            let (code, message) =
                if whole { ("out_of_range", "is out of range") } else { ("wrong_type", "must be a whole number") };
            self.faults.push(Fault::new(self.pointer(name), code, message));
        }
        number
    }

    /// True or false, which may be left out.
    pub fn optional_bool(&mut self, name: &'static str) -> Option<bool> {
        let value = self.field(name)?;
        if value.as_bool().is_none() {
            self.faults.push(Fault::new(self.pointer(name), "wrong_type", "must be true or false"));
        }
        value.as_bool()
    }

    /// True or false, which must be there.
    pub fn bool(&mut self, name: &'static str) -> Option<bool> {
        self.require(name).then(|| self.optional_bool(name)).flatten()
    }

    /// A word of a closed vocabulary that must be there.
    pub fn word<T: Word>(&mut self, name: &'static str) -> Option<T> {
        self.require(name).then(|| self.optional_word(name)).flatten()
    }

    /// A word of a closed vocabulary, which may be left out.
    pub fn optional_word<T: Word>(&mut self, name: &'static str) -> Option<T> {
        let text = self.optional_string(name)?;
        let word = T::WORDS.iter().copied().find(|word| word.text() == text);
        if word.is_none() {
            let allowed = T::WORDS.iter().map(|word| word.text());
            let message = format!("must be one of {}", allowed.clone().collect::<Vec<_>>().join(", "));
            self.faults.push(Fault::new(self.pointer(name), "unknown_value", message).allowing(allowed));
        }
        word
    }

    /// Any value, which may be left out; whoever reads it says what is wrong with it.
    pub fn optional_value(&mut self, name: &'static str) -> Option<&'a serde_json::Value> {
        self.field(name)
    }

    /// A reader of an object inside; give it back to [`Reader::close`].
    pub fn optional_object(&mut self, name: &'static str) -> Option<Reader<'a>> {
        let value = self.field(name)?;
        if !value.is_object() {
            self.faults.push(Fault::new(self.pointer(name), "wrong_type", "must be an object"));
            return None;
        }
        Some(Reader { at: self.pointer(name), ..Reader::new(value) })
    }

    /// A reader of an object inside that must be there.
    pub fn object(&mut self, name: &'static str) -> Option<Reader<'a>> {
        self.require(name).then(|| self.optional_object(name)).flatten()
    }

    /// Takes over what an inner reader found wrong.
    pub fn close(&mut self, inner: Reader<'a>) {
        self.faults.extend(inner.finish());
    }

    /// A fault at a field.
    pub fn fault_at(&mut self, name: &str, code: &'static str, message: impl Into<String>) {
        self.faults.push(Fault::new(self.pointer(name), code, message));
    }

    /// A moment that may be left out.
    pub fn optional_time(&mut self, name: &'static str) -> Option<crate::Timestamp> {
        let text = self.optional_string(name)?;
        let at = text.parse().ok();
        if at.is_none() {
            self.fault_at(name, "invalid_time", "must be an RFC 3339 time such as 2026-11-25T10:00:00Z");
        }
        at
    }

    /// A moment that must be there.
    pub fn time(&mut self, name: &'static str) -> Option<crate::Timestamp> {
        self.require(name).then(|| self.optional_time(name)).flatten()
    }

    /// A country that must be there.
    pub fn country(&mut self, name: &'static str) -> Option<crate::Country> {
        self.require(name).then(|| self.optional_country(name)).flatten()
    }

    /// A country, which may be left out.
    pub fn optional_country(&mut self, name: &'static str) -> Option<crate::Country> {
        let country = self.optional_string(name)?.parse().ok();
        if country.is_none() {
            self.fault_at(name, "unknown_country", "must be an ISO 3166-1 alpha-2 code such as ES");
        }
        country
    }

    /// A text of a field as a day.
    pub fn day(&mut self, name: &str, text: &str) -> Option<jiff::civil::Date> {
        let day = text.parse().ok();
        if day.is_none() {
            self.fault_at(name, "invalid_date", "must be a date such as 1990-05-17");
        }
        day
    }

    /// A text of a field without the white space around it, which must show something, have at most so many characters, and no
    /// control characters.
    pub fn line(&mut self, name: &str, text: &str, chars_max: usize) -> String {
        let trimmed = text.trim();
        if visible(trimmed).trim().is_empty() {
            self.fault_at(name, "empty", "must not be empty");
        } else if trimmed.chars().count() > chars_max {
            self.fault_at(name, "too_long", format!("must have at most {chars_max} characters"));
        } else if trimmed.chars().any(char::is_control) {
            self.fault_at(name, "control_character", "must not contain control characters");
        }
        trimmed.to_owned()
    }

    /// Money above zero that must be there.
    pub fn money(&mut self, name: &'static str) -> Option<crate::Money> {
        if !self.require(name) {
            return None;
        }
        let value = self.field(name)?;
        let mut inner = Reader { at: self.pointer(name), ..Reader::new(value) };
        if inner.object.is_none() {
            self.faults.push(Fault::new(
                self.pointer(name),
                "wrong_type",
                "must be {\"amount\": \"…\", \"currency\": \"…\"}",
            ));
            return None;
        }
        let amount = inner.string("amount");
        let currency = inner.string("currency").and_then(|text| match text.parse::<crate::Currency>() {
            Ok(currency) => Some(currency),
            Err(error) => {
                inner.fault(Fault::new(inner.pointer("currency"), error.code(), format!("{error}, such as EUR")));
                None
            }
        });
        let money = match (amount, currency) {
            (Some(amount), Some(currency)) => inner.amount(amount, currency),
            (Some(amount), None) => {
                inner.amount_of_no_currency(amount);
                None
            }
            (None, _) => None,
        };
        self.faults.extend(inner.finish());
        money
    }

    fn amount(&mut self, text: &str, currency: crate::Currency) -> Option<crate::Money> {
        let fault = match crate::Money::parse(text, currency) {
            Ok(money) if money.is_positive() => return Some(money),
            Ok(_) => Fault::new(self.pointer("amount"), "not_positive", "must be above zero"),
            Err(error) => Fault::new(
                self.pointer("amount"),
                error.code(),
                format!("{error}: {currency} has {} decimals", currency.digits()),
            ),
        };
        self.faults.push(fault);
        None
    }

    /// What is wrong with an amount whatever its currency is.
    fn amount_of_no_currency(&mut self, text: &str) {
        let fault = match crate::Money::parse(text, crate::Currency::FINEST) {
            Ok(money) if money.is_positive() => return,
            Ok(_) => Fault::new(self.pointer("amount"), "not_positive", "must be above zero"),
            Err(error) => Fault::new(self.pointer("amount"), error.code(), error.to_string()),
        };
        self.faults.push(fault);
    }

    fn require(&mut self, name: &'static str) -> bool {
        let there = self.field(name).is_some();
        if !there && self.object.is_some() {
            self.faults.push(Fault::new(self.pointer(name), "missing", "is required"));
        }
        there
    }

    /// All faults, the fields nobody asked for included.
    pub fn finish(mut self) -> Vec<Fault> {
        if let Some(object) = self.object {
            for name in object.keys() {
                if !self.known.iter().any(|known| known == name) {
                    let pointer = self.pointer(&reference_token(name));
                    self.faults.push(Fault::new(pointer, "unknown_field", "is not a field of this request"));
                }
            }
        }
        self.faults
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(value: serde_json::Value) -> Vec<(String, &'static str)> {
        let mut reader = Reader::new(&value);
        reader.money("amount");
        reader.finish().into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn every_fault_of_an_amount_is_named() {
        let at = |pointer: &str, code| vec![(pointer.to_owned(), code)];
        let money = |amount: &str, currency: &str| json!({"amount": {"amount": amount, "currency": currency}});
        assert_eq!(codes(json!([])), at("", "wrong_type"));
        assert_eq!(codes(json!({})), at("/amount", "missing"));
        assert_eq!(codes(json!({"amount": "10 USD"})), at("/amount", "wrong_type"));
        assert_eq!(codes(json!({"amount": {"amount": 10, "currency": "USD"}})), at("/amount/amount", "wrong_type"));
        assert_eq!(codes(money("0.00", "USD")), at("/amount/amount", "not_positive"));
        assert_eq!(codes(money("-1", "USD")), at("/amount/amount", "not_positive"));
        assert_eq!(codes(money("1.001", "USD")), at("/amount/amount", "too_many_decimals"));
        assert_eq!(codes(money("1.5", "JPY")), at("/amount/amount", "too_many_decimals"));
        assert_eq!(codes(money("ten", "USD")), at("/amount/amount", "not_a_number"));
        assert_eq!(codes(money("1", "usd")), at("/amount/currency", "unknown_currency"));
        assert_eq!(codes(money("1.234", "XXX")), at("/amount/currency", "unknown_currency"));
        for (amount, code) in [("ten", "not_a_number"), ("0", "not_positive"), ("1.2345", "too_many_decimals")] {
            assert_eq!(codes(money(amount, "XXX"))[1..], at("/amount/amount", code));
        }
        assert_eq!(codes(json!({"amount": {"amount": "1", "currency": "USD", "x/y": 1}, "more": 2})).len(), 2);
    }

    #[test]
    fn a_number_that_is_whole_and_too_far_away_is_understood_and_refused() {
        let cases = [
            (json!(0), None),
            (json!(u32::MAX), None),
            (json!(-1), Some("out_of_range")),
            (json!(4_294_967_296_u64), Some("out_of_range")),
            (json!(1.5), Some("wrong_type")),
            (json!("1"), Some("wrong_type")),
        ];
        for (number, code) in cases {
            let body = json!({"n": number});
            let mut reader = Reader::new(&body);
            assert_eq!(reader.whole("n").is_none(), code.is_some());
            assert_eq!(reader.finish().first().map(|fault| fault.code), code, "{number}");
        }
    }
}
