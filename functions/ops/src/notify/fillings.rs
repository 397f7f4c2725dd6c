//! What the texts about an event may use.

use domain::entity::{KINDS, Kind};
use domain::notification::Fillings;
use domain::{Money, Timestamp};
use runtime::queue::BusEvent;
use serde_json::Value;

/// What the texts may use, read from the event's data.
pub(crate) fn fillings(event: &BusEvent) -> Fillings {
    let data = &event.data;
    let mut fillings = Fillings::new().with("at", event.at);
    let words = ["platform", "account_type", "currency", "server", "kind", "queue", "runbook"];
    for name in KINDS.iter().map(Kind::id_field).chain(words.map(str::to_owned)) {
        if let Some(text) = data.get(&name).and_then(Value::as_str) {
            fillings = fillings.with(&name, text);
        }
    }
    for name in ["requested", "paid", "credited"] {
        if let Some(money) = data.get(name).and_then(|value| serde_json::from_value::<Money>(value.clone()).ok()) {
            fillings = fillings.with(name, money);
        }
    }
    for name in ["leverage", "priority"] {
        if let Some(number) = data.get(name).and_then(Value::as_u64) {
            fillings = fillings.with(name, number.to_string());
        }
    }
    // what an account is after a change: what was wanted of it, and what was left
    let after = |name: &str| ["wanted", "before"].iter().find_map(|part| data.get(part)?.get(name));
    if let Some(leverage) = after("leverage").and_then(Value::as_u64) {
        fillings = fillings.with("leverage", leverage.to_string());
    }
    let texts = [
        ("account_type", after("account_type")),
        ("psp", data.pointer("/psp/name")),
        ("login", data.pointer("/platform/login").or_else(|| data.get("login"))),
        ("expires", data.pointer("/validity/expires")),
        ("terms", data.get("terms")),
        ("reason", data.pointer("/review/kind").or_else(|| data.get("review"))),
    ];
    for (name, value) in texts {
        if let Some(text) = value.and_then(Value::as_str) {
            fillings = fillings.with(name, text);
        }
    }
    if let Some(due) = data.get("due_at").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok()) {
        fillings = fillings.with("due_at", due);
    }
    if let Some(until) = data.get("expires_at").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok())
    {
        fillings = fillings.with("expires", until);
    }
    let subject = data.get("subject").and_then(Value::as_object);
    if let Some(subject) = subject {
        let ids: Vec<&str> = subject.values().filter_map(Value::as_str).collect();
        fillings = fillings.with("subject", ids.join(", "));
    }
    fillings
}
