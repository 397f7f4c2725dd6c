//! What the API answers, as lines that a person reads.

use serde_json::Value;

use domain::entity::family_of;
use domain::{ClientId, Timestamp};

/// How a value is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    Text(String),
    Time(String),
    /// An id of ours, which leads somewhere.
    Link(String),
}

/// A value with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub label: String,
    pub shown: Shown,
}

/// Every value in a document, one below the other; a value inside others has their names before its own.
pub(super) fn lines(value: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    collect(value, "", &mut lines);
    lines
}

fn collect(value: &Value, label: &str, lines: &mut Vec<Line>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            if let Some(text) = money(value) {
                return lines.push(Line { label: label.to_owned(), shown: Shown::Text(text) });
            }
            for (name, member) in members {
                let name = words(name);
                let own = if label.is_empty() { name } else { format!("{label}: {}", lower_first(&name)) };
                collect(member, &own, lines);
            }
        }
        Value::Array(items) => {
            let plain = items.iter().all(|item| money(item).is_some() || !(item.is_object() || item.is_array()));
            for (place, item) in items.iter().enumerate() {
                let own = if plain || items.len() == 1 { label.to_owned() } else { format!("{label} {}", place + 1) };
                collect(item, &own, lines);
            }
        }
        Value::String(text) => lines.push(Line { label: label.to_owned(), shown: shown(text) }),
        Value::Bool(true) => lines.push(Line { label: label.to_owned(), shown: Shown::Text("yes".to_owned()) }),
        Value::Bool(false) => lines.push(Line { label: label.to_owned(), shown: Shown::Text("no".to_owned()) }),
        Value::Number(number) => lines.push(Line { label: label.to_owned(), shown: Shown::Text(number.to_string()) }),
    }
}

/// Inside a line, a word begins small unless it is an abbreviation.
fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => name.to_owned(),
    }
}

fn shown(text: &str) -> Shown {
    if text.len() >= 20 && text.parse::<Timestamp>().is_ok() {
        return Shown::Time(text.to_owned());
    }
    let id = (text.parse::<ClientId>().is_ok() || family_of(text).is_some()) && !text.contains([' ', ':']);
    if id { Shown::Link(text.to_owned()) } else { Shown::Text(text.to_owned()) }
}

/// An amount with its currency, if it is one.
pub(super) fn money(value: &Value) -> Option<String> {
    let members = value.as_object().filter(|members| members.len() == 2)?;
    Some(format!("{} {}", members.get("amount")?.as_str()?, members.get("currency")?.as_str()?))
}

/// A name of a field or a kind, as words: `kyc_hit` is "KYC hit", `payment_id` is "Payment ID".
pub(super) fn words(name: &str) -> String {
    let word = |(place, word): (usize, &str)| {
        let mut letters = word.chars();
        match (word, place) {
            ("kyc" | "psp" | "fx" | "id" | "url" | "sla" | "pep" | "sms", _) => word.to_uppercase(),
            (_, 0) => letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect()),
            _ => word.to_owned(),
        }
    };
    name.split(['_', ' ']).enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// A text member.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

/// A member's lines.
pub(super) fn part(value: &Value, name: &str) -> Vec<Line> {
    value.get(name).map(lines).unwrap_or_default()
}

/// The items of a list.
pub(super) fn items(value: &Value) -> &[Value] {
    list(value, "items")
}

/// The members of a list.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_read_from_top_to_bottom() {
        let value = json!({
            "amount_paid": {"amount": "12.50", "currency": "USD"}, "payment_id": "pay_01m83ydq50eg7vtp95tg713hkv",
            "at": "2026-11-23T10:15:30.000Z", "why": ["a", "b"], "none": null, "deep": {"is_first": true},
        });
        let shown: Vec<(String, Shown)> = lines(&value).into_iter().map(|line| (line.label, line.shown)).collect();
        let text = |label: &str, text: &str| (label.to_owned(), Shown::Text(text.to_owned()));
        assert_eq!(
            shown,
            [
                text("Amount paid", "12.50 USD"),
                ("At".to_owned(), Shown::Time("2026-11-23T10:15:30.000Z".to_owned())),
                text("Deep: is first", "yes"),
                ("Payment ID".to_owned(), Shown::Link("pay_01m83ydq50eg7vtp95tg713hkv".to_owned())),
                text("Why", "a"),
                text("Why", "b"),
            ]
        );
    }
}
