//! The first form of an item: one series of mails to a lead, all of it public.

use serde_json::{Value, json};

/// The parts of the first form in today's.
pub(super) fn upgrade(public: &Value) -> (Value, Value) {
    let of = |name: &str| public.get(name).cloned().unwrap_or_default();
    let began = of("began_at");
    let lines: Vec<Value> = of("handled").as_array().into_iter().flatten().map(line).collect();
    let since = lines.last().and_then(|line| line.get("at")).cloned().unwrap_or_else(|| began.clone());
    let state = match of("status").as_str() {
        Some("active") => "active",
        Some("finished") => "done",
        _ => "left",
    };
    let sending = public.pointer("/sending/0");
    let mut run = json!({
        "journey": of("sequence"), "version": 0, "key": of("entry").to_string(), "state": state, "cohort": "treated",
        "entered_at": began, "since": since, "tries": of("tries").as_u64().unwrap_or(0), "history": lines,
    });
    if let (Some(step), Some(at), Some(run)) = (sending, public.pointer("/sending/1"), run.as_object_mut()) {
        run.insert("step".to_owned(), step.clone());
        run.insert("sending".to_owned(), at.clone());
    }
    (json!({"lead_id": of("lead_id")}), json!({"entry": of("entry").as_u64().unwrap_or(1), "runs": [run]}))
}

fn line(handled: &Value) -> Value {
    let of = |name: &str| handled.get(name).cloned().unwrap_or_default();
    let outcome = of("outcome");
    let did = if outcome == "sent" { "sent" } else { "suppressed" };
    json!({"at": of("at"), "step": of("step"), "did": did, "why": outcome})
}
